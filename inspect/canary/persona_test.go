package canary

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"constat/inspect/inspecttest"

	"github.com/bep/imagemeta"
	"github.com/google/go-cmp/cmp"
)

func TestNewIsRepeatableAndChecked(t *testing.T) {
	inspecttest.Alone(t)
	for _, locale := range Locales() {
		p := invented(t, locale)
		again, err := New(fixedSeed(), locale)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Errorf("%s: same seed, other persona:\n%s", locale, diff)
		}
		if !p.Invented {
			t.Errorf("%s: not marked as invented", locale)
		}
		kinds := make(map[Kind]int)
		for _, c := range p.Canaries {
			kinds[c.Kind]++
		}
		if kinds[ContactName] != 5 || kinds[ContactPhone] != 5 || kinds[SMSText] != 5 || kinds[PhotoFile] != 3 {
			t.Errorf("%s: kinds %v", locale, kinds)
		}
		if d := onlyDigits(p.Get("iccid").Value); !luhn(d) {
			t.Errorf("%s: ICCID has a wrong check digit", locale)
		}
	}
	if p := invented(t, "fr"); !strings.HasPrefix(p.Get("phone").Value, "+3363998") {
		t.Error("fr: phone number outside the range for fiction")
	}
	if p := invented(t, "en-GB"); !strings.HasPrefix(p.Get("phone").Value, "+447700900") {
		t.Error("en-GB: phone number outside the range for fiction")
	}
	if p := invented(t, "en-US"); !strings.Contains(p.Get("phone").Value[5:], "55501") {
		t.Error("en-US: phone number outside the range for fiction")
	}
	if _, err := New(strings.NewReader("short"), "fr"); err == nil {
		t.Error("a short seed is taken")
	}
	if _, err := New(strings.NewReader(strings.Repeat("x", 32)), "xx"); err == nil {
		t.Error("an unknown locale is taken")
	}
}

func TestPersonaRoundTrip(t *testing.T) {
	inspecttest.Alone(t)
	p := invented(t, "fr")
	var buf bytes.Buffer
	if err := p.Write(&buf); err != nil {
		t.Fatal(err)
	}
	q, err := Read(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, q); diff != "" {
		t.Errorf("persona differs after a round trip (-want +got):\n%s", diff)
	}
}

func TestReadErrors(t *testing.T) {
	for _, tc := range []struct{ json, want string }{
		{``, "empty or cut off"},
		{"{\n\"constat_persona\": 1,\n oops}", "line 3: not valid JSON"},
		{`{"constat_persona": "1"}`, `field "constat_persona" must be a int`},
		{`{"constat_persona": 1, "nmae": "x"}`, `unknown field "nmae"`},
		{`{"constat_persona": 2, "name": "x"}`, `"constat_persona" is 2, want 1`},
		{`{"constat_persona": 1, "name": " "}`, `"name" is empty`},
		{`{"constat_persona": 1, "name": "x"}`, "nothing to look for"},
		{`{"constat_persona": 1, "name": "x", "canaries": [{"name":"a","kind":"shoe","value":"42"}]}`, `unknown kind "shoe"`},
		{`{"constat_persona": 1, "name": "x", "canaries": [{"name":"i","kind":"imei","value":"352099001761480"}]}`, "check digit"},
		{`{"constat_persona": 1, "name": "x", "canaries": [{"name":"p","kind":"phone","value":"0639984712"}]}`, "country code"},
		{`{"constat_persona": 1, "name": "x", "canaries": [{"name":"t","kind":"sms_text","value":"happy new year to you and all your family"}]}`, "too plain"},
		{`{"constat_persona": 1, "name": "x", "canaries": [{"name":"n","kind":"contact_name","value":"Bob"}]}`, "given and family name"},
		{`{"constat_persona": 1, "name": "x", "canaries": [{"name":"g","kind":"place","value":"48.1,2.2"}]}`, "at least 4 decimals"},
		{`{"constat_persona": 1, "name": "x", "canaries": [{"name":"g","kind":"place","value":"NaN,2.22222"}]}`, "latitude,longitude"},
		{`{"constat_persona": 1, "name": "x", "canaries": [{"name":"f","kind":"photo"}]}`, `field "photo"`},
		{`{"constat_persona": 1, "name": "x", "canaries": [{"name":"s","kind":"serial","value":"RF8N70XCANARY"},{"name":"s","kind":"serial","value":"RF8N70XCANARY"}]}`, "two canaries"},
		{`{"constat_persona": 1, "name": "x", "canaries": [{"name":"s","kind":"serial","value":"RF8N70XCANARY"}]} {}`, "follows the closing brace"},
	} {
		_, err := Read(strings.NewReader(tc.json))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one that says %q", tc.json, err, tc.want)
		}
		if err != nil && (strings.Contains(err.Error(), "352099") || strings.Contains(err.Error(), "063998")) {
			t.Errorf("error gives a planted value away: %v", err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"constat_persona": 1, "name": "x", "canaries": [{"name":"i","kind":"imei","value":"352099001761481"}]}`))
	f.Add([]byte(`{"constat_persona": 1, "name": "x", "canaries": [{"name":"p","kind":"phone","value":"+33639984712"},{"name":"n","kind":"name","value":"Jean Dupontel"}]}`))
	f.Add([]byte(`{"constat_persona": 1, "name": "x", "canaries": [{"name":"e","kind":"email","value":"a.b+c@example.org"},{"name":"u","kind":"url","value":"https://example.org/abcdef123456"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		if _, err := NewMatcher(p); err != nil {
			t.Error("a persona that was read has no matcher")
		}
	})
}

func TestWriteKit(t *testing.T) {
	p := invented(t, "fr")
	dir := filepath.Join(t.TempDir(), "kit")
	if err := p.WriteKit(dir); err != nil {
		t.Fatal(err)
	}
	m, err := NewMatcher(p)
	if err != nil {
		t.Fatal(err)
	}
	// Each file of the kit carries what it is meant to plant.
	for file, want := range map[string][]string{
		"contacts.vcf":         {"contact-1.name", "contact-1.phone", "contact-5.name", "contact-5.email"},
		"sms.txt":              {"sms-1.text", "sms-1.sender", "sms-5.text"},
		"sms.xml":              {"sms-1.text", "sms-1.sender", "sms-5.text"},
		"notes.txt":            {"note-1", "note-2"},
		"urls.html":            {"url-1", "url-2"},
		p.Get("photo-1").Value: {"photo-1"},
		p.Get("photo-3").Value: {"photo-3"},
		"CHECKLIST.md":         {"imei", "phone", "note-1", "place"},
	} {
		path := filepath.Join(dir, file)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, want 0600", file, info.Mode())
		}
		found := strings.Join(forms(m, "", string(data)), "\n")
		for _, name := range want {
			if !strings.Contains(found, name+" ") {
				t.Errorf("%s: %s is not in it", file, name)
			}
		}
	}
	if err := p.WriteKit(dir); err == nil {
		t.Error("an existing kit was overwritten")
	}
}

func TestKitStaysInside(t *testing.T) {
	p := invented(t, "fr")
	for _, name := range []string{"../../evil.jpg", "..", "", "/etc/x.jpg", "a/../../b.jpg"} {
		p.Get("photo-1").Value = name
		root := t.TempDir()
		if err := p.WriteKit(filepath.Join(root, "kit")); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(root)
		if err != nil || len(entries) != 1 {
			t.Errorf("%q: %d entries beside the kit, want only the kit itself (%v)", name, len(entries), err)
		}
	}
}

func TestPhotoMetadata(t *testing.T) {
	p := invented(t, "en-US")
	photo := p.Get("photo-1").Photo
	tags := make(map[string]any)
	_, err := imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(photo.Data), ImageFormat: imagemeta.JPEG, Sources: imagemeta.EXIF,
		HandleTag: func(info imagemeta.TagInfo) error {
			tags[info.Tag] = info.Value
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"Make", "Model", "DateTimeOriginal", "UserComment", "GPSLatitude", "GPSLongitude"} {
		if tags[tag] == nil {
			t.Errorf("no %s in the photo's metadata", tag)
		}
	}
	lat, lon, err := parsePlace(p.Get("place").Value)
	if err != nil {
		t.Fatal(err)
	}
	gotLat, _ := tags["GPSLatitude"].(float64)
	gotLon, _ := tags["GPSLongitude"].(float64)
	if d := gotLat - lat; d > 1e-5 || d < -1e-5 {
		t.Errorf("latitude %v, want %v", tags["GPSLatitude"], lat)
	}
	// Some readers leave the sign to the reference tag.
	if d := abs(gotLon) - abs(lon); d > 1e-5 || d < -1e-5 {
		t.Errorf("longitude %v, want %v", tags["GPSLongitude"], lon)
	}
	if b, err := json.Marshal(tags["UserComment"]); err != nil || !strings.Contains(string(b), photo.ID) {
		t.Errorf("UserComment does not hold the planted id (%v)", err)
	}
}

func abs(v float64) float64 {
	if v < 0 {
		return -v
	}
	return v
}

// Whatever is drawn, every value is unlikely enough to be proof: the plainest
// token that can come out is one letter and digits.
func TestPlainestDrawIsProof(t *testing.T) {
	token := func(n int) string { return "A" + strings.Repeat("2", n-1) }
	values := []Canary{{Kind: SSID, Value: "Atelier-" + token(11)}}
	for _, l := range locales {
		for _, phrase := range l.phrases {
			values = append(values, Canary{Kind: SMSText, Value: fmt.Sprintf(phrase, token(9))})
		}
		for _, note := range l.notes {
			values = append(values, Canary{Kind: Note, Value: fmt.Sprintf(note, token(9))})
		}
		values = append(values,
			Canary{Kind: URL, Value: "https://example.org/search?q=" + l.search + "+" + strings.ToLower(token(9))},
			Canary{Kind: URL, Value: "https://example.org/read/" + strings.ToLower(token(9)) + "/index.html"})
	}
	for _, c := range values {
		c.Name = "drawn"
		if err := c.check(); err != nil {
			t.Errorf("%s %q: %v", c.Kind, c.Value, err)
		}
	}
}
