package canary

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"constat/inspect"
	"constat/proxy/flow"
)

// loopbackPersona is the persona of testdata/truth.json.
func loopbackPersona(t testing.TB) *Persona {
	data, err := os.ReadFile("testdata/truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	num := func(name string) string {
		b, err := json.Marshal(v[name])
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	p := &Persona{Version: FormatVersion, Name: "loopback", Invented: true}
	for _, c := range []struct {
		name, field string
		kind        Kind
	}{
		{"name", "name", Name},
		{"phone", "phone_e164", Phone},
		{"email", "email", Email},
		{"imei", "imei", IMEI},
		{"imsi", "imsi", IMSI},
		{"android_id", "android_id", AndroidID},
		{"aaid", "aaid", AdvertisingID},
		{"mac", "mac", MAC},
		{"serial", "serial", Serial},
		{"contact_name", "contact_name", ContactName},
		{"contact_phone", "contact_phone", ContactPhone},
		{"sms_body", "sms_body", SMSText},
		{"sms_sender", "sms_sender", SMSSender},
		{"browse_url", "browse_url", URL},
	} {
		p.Canaries = append(p.Canaries, Canary{Name: c.name, Kind: c.kind, Value: v[c.field].(string)})
	}
	p.Canaries = append(p.Canaries, Canary{Name: "place", Kind: Place, Value: num("lat") + "," + num("lon")})
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	return p
}

// views unwraps data as far as this test needs: percent, base64, gzip and JSON
// strings.
func views(data []byte, depth int, emit func([]byte)) {
	emit(data)
	if depth == 0 {
		return
	}
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		if r, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
			if plain, err := io.ReadAll(io.LimitReader(r, 1<<20)); err == nil {
				views(plain, depth-1, emit)
			}
		}
		return
	}
	if s, err := url.QueryUnescape(string(data)); err == nil && s != string(data) {
		views([]byte(s), depth-1, emit)
	}
	for _, run := range base64Run.FindAll(data, -1) {
		text := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(string(run)), "=")
		if plain, err := base64.RawStdEncoding.DecodeString(text); err == nil {
			views(plain, depth-1, emit)
		}
	}
	if bytes.Contains(data, []byte(`\"`)) {
		views(bytes.ReplaceAll(data, []byte(`\"`), []byte(`"`)), depth-1, emit)
	}
}

var base64Run = regexp.MustCompile(`[A-Za-z0-9+/_-]{40,}=*`)

// hashedForms are the keys of "found" that stand for hashes, with the canary and
// the form that proves each.
var hashedForms = map[string][2]string{
	"imei:md5":        {"imei", "md5(imei)/hex"},
	"aaid:sha1":       {"aaid", "sha1(uuid)/hex"},
	"email:sha256":    {"email", "sha256(email-lower)/hex"},
	"phone:sha256":    {"phone", "sha256(e164)/hex"},
	"imei:sha1b64u16": {"imei", "sha1(imei)/base64url-16"},
}

// unlisted are values that stand in a request although its row does not say so:
// an account's address that the SDK repeats in each message, and the MD5 of a
// contact's number.
var unlisted = map[string]bool{
	"launchdarkly.har:2 email":   true,
	"launchdarkly.har:2 name":    true,
	"sentry.har:9 contact_phone": true,
}

// listed says that canary stands in a request, plain or hashed.
func listed(found map[string]string, canary string) bool {
	for key := range found {
		if c, _, _ := strings.Cut(key, ":"); c == canary {
			return true
		}
	}
	return false
}

func TestLoopback(t *testing.T) {
	planted, err := NewMatcher(loopbackPersona(t))
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(strings.NewReader(strings.Repeat("never planted..", 9)), "fr")
	if err != nil {
		t.Fatal(err)
	}
	control, err := NewMatcher(other)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("testdata/sdk-loopback.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, wanted := 0, 0
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var row struct {
			From, Scenario, URL, Body string
			Body64                    []byte
			Found                     map[string]string
		}
		if err := json.Unmarshal(sc.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		rows++
		got := make(map[string]bool)
		for _, root := range [][]byte{[]byte(row.URL), []byte(row.Body), row.Body64} {
			views(root, 6, func(data []byte) {
				part := &inspect.Part{Data: data, Direction: flow.Up}
				for _, h := range planted.Match(part) {
					got[h.Canary] = true
					got[h.Canary+" "+h.Form] = true
				}
				for _, h := range control.Match(part) {
					t.Errorf("%s: value %s of a persona never planted found as %s", row.From, h.Canary, h.Form)
				}
			})
		}
		for key := range row.Found {
			want := key
			switch form, ok := hashedForms[key]; {
			case ok:
				want = form[0] + " " + form[1]
			case key == "lat", key == "lon":
				want = "place"
			case key == "jpeg":
				continue // the bytes of that picture are not in truth.json
			}
			wanted++
			if !got[want] {
				t.Errorf("%s: %s not found", row.From, key)
			}
		}
		for _, c := range []string{"imei", "imsi", "mac", "serial", "phone", "email", "name", "contact_name", "contact_phone", "sms_body", "sms_sender", "browse_url"} {
			if got[c] && !listed(row.Found, c) && !unlisted[row.From+" "+c] {
				t.Errorf("%s: %s found where it is not", row.From, c)
			}
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	if rows != 141 || wanted < 240 {
		t.Errorf("read %d rows with %d planted values, want 141 and at least 240", rows, wanted)
	}
}
