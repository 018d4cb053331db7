package canary

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"constat/inspect"
	"constat/inspect/inspecttest"
	"constat/proxy/flow"

	"github.com/google/go-cmp/cmp"
)

func matcher(t testing.TB, canaries ...Canary) *Matcher {
	t.Helper()
	m, err := NewMatcher(&Persona{Version: FormatVersion, Name: "test", Canaries: canaries})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// inventedOnce holds one persona of a fixed seed for each locale: drawing its
// photo takes time.
var inventedOnce = func() map[string]func() (*Persona, error) {
	m := make(map[string]func() (*Persona, error))
	for _, locale := range Locales() {
		m[locale] = sync.OnceValues(func() (*Persona, error) { return New(fixedSeed(), locale) })
	}
	return m
}()

func fixedSeed() *strings.Reader {
	return strings.NewReader(strings.Repeat("a fixed seed of bytes ", 2))
}

// invented is a persona made of a fixed seed. The caller may change its values.
func invented(t testing.TB, locale string) *Persona {
	t.Helper()
	p, err := inventedOnce[locale]()
	if err != nil {
		t.Fatal(err)
	}
	q := *p
	q.Canaries = slices.Clone(p.Canaries)
	return &q
}

func forms(m *Matcher, name, data string) []string {
	var out []string
	for _, h := range m.Match(&inspect.Part{Data: []byte(data), Name: name, Direction: flow.Up}) {
		out = append(out, h.Canary+" "+h.Form+" "+data[h.Start:h.End])
	}
	return out
}

func TestForms(t *testing.T) {
	fr := Canary{Name: "p", Kind: Phone, Value: "+33639984712"}
	us := Canary{Name: "p", Kind: Phone, Value: "+12025550143"}
	imei := Canary{Name: "i", Kind: IMEI, Value: "352099001761481"}
	mac := Canary{Name: "m", Kind: MAC, Value: "02:00:5E:ab:00:42"}
	mail := Canary{Name: "e", Kind: Email, Value: "Camille.Canari+f7q2@example.org"}
	name := Canary{Name: "n", Kind: ContactName, Value: "Élodie Brézognacq"}
	place := Canary{Name: "g", Kind: Place, Value: "48.85837,2.294481"}
	south := Canary{Name: "g", Kind: Place, Value: "-0.128765,-71.999951"}
	text := Canary{Name: "t", Kind: SMSText, Value: "Le code du coffre est 7741-ZEBRE, ne le dis à personne."}
	matchers := make(map[Canary]*Matcher)
	uuid := Canary{Name: "u", Kind: AdvertisingID, Value: "c0ffee11-7a11-4d0e-9b1a-5eedca9a7101"}
	for _, tc := range []struct {
		canary      Canary
		field, data string
		want        string // "" for a near miss
	}{
		{fr, "", "+33639984712", "p e164 +33639984712"},
		{fr, "", "tel:+33 6 39 98 47 12;", "p e164 +33 6 39 98 47 12"},
		{fr, "", "%2B33639984712", "p e164/percent %2B33639984712"},
		{fr, "", "to=%20" + "33639984712", "p digits 33639984712"},
		{fr, "", "0033639984712", "p 00-prefix 0033639984712"},
		{fr, "", "06.39.98.47.12", "p national 06.39.98.47.12"},
		{fr, "", "06-39-98-47-12", "p national 06-39-98-47-12"},
		{fr, "", "06\u00a039\u00a098\u00a047\u00a012", "p national 06\u00a039\u00a098\u00a047\u00a012"},
		{fr, "", "+33 (0) 639984712", "p trunk-in-brackets 33 (0) 639984712"},
		{fr, "phone", "639984712", "p no-trunk 639984712"},
		{fr, "size", "639984712", ""},
		{fr, "", "933639984712", ""},
		{fr, "", "336399847120", ""},
		{fr, "", "33639984713", ""},
		{fr, "", "x" + base64.StdEncoding.EncodeToString([]byte("ab+33639984712 and more")), "p e164/base64 rMzM2Mzk5ODQ3MT"},
		{fr, "", base64.StdEncoding.EncodeToString([]byte("+33639984712")), "p e164/base64 KzMzNjM5OTg0NzEy"},
		{fr, "", base64.StdEncoding.EncodeToString([]byte("a+33639984713")), ""},
		{us, "", "(202) 555-0143", "p national 202) 555-0143"},
		{us, "", "1-202-555-0143", "p digits 1-202-555-0143"},
		{imei, "", "imei=352099001761481&", "i imei 352099001761481"},
		{imei, "", "35-209900-176148-1", "i imei 35-209900-176148-1"},
		{imei, "", "35209900176148", "i imei-14 35209900176148"},
		{imei, "", "3520990017614803", "i imeisv 3520990017614803"},
		{imei, "", "2020 352099001761481 7", "i imei 352099001761481"},
		{imei, "", "35209900176148155", ""},
		{imei, "", "0352099001761481", ""},
		{imei, "", "aeccb70bba350a0cd171203b0d042d7e", "i md5(imei)/hex aeccb70bba350a0cd171203b0d042d7e"},
		{imei, "", "AECCB70BBA350A0CD171203B0D042D7E", "i md5(imei)/hex AECCB70BBA350A0CD171203B0D042D7E"},
		{imei, "", "SWSngvXjc1YDGy4q", "i sha1(imei)/base64url-16 SWSngvXjc1YDGy4q"},
		{imei, "", "swsngvxjc1ydgy4q", ""},
		{mac, "", "02-00-5e-AB-00-42", "m dashes 02-00-5e-AB-00-42"},
		{mac, "", "02005EAB0042", "m plain 02005EAB0042"},
		{mac, "", "0200.5eab.0042", "m dots 0200.5eab.0042"},
		{mac, "", "02 00 5e ab 00 42", "m spaces 02 00 5e ab 00 42"},
		{mac, "", "02:00:5e:ab:00:43", ""},
		{mail, "", "camille.canari+F7Q2@EXAMPLE.org", "e email camille.canari+F7Q2@EXAMPLE.org"},
		{mail, "", "u=camille.canari%2bf7q2%40example.org", "e email/percent camille.canari%2bf7q2%40example.org"},
		{mail, "", "<camillecanari@example.org>", "e no-dots-no-plus-tag camillecanari@example.org"},
		{mail, "", "camille.canari@example.org", "e no-plus-tag camille.canari@example.org"},
		{mail, "", "xcamille.canari@example.org", ""},
		{name, "", "ELODIE BREZOGNACQ", "n name-unaccented ELODIE BREZOGNACQ"},
		{name, "", "Brézognacq, Élodie", "n name-reversed Brézognacq, Élodie"},
		{name, "", "É" + "lodie Bre\u0301zognacq", ""},
		{name, "", "E\u0301lodie Bre\u0301zognacq", "n name E\u0301lodie Bre\u0301zognacq"},
		{name, "", `"Élodie Brézognacq"`, "n name Élodie Brézognacq"},
		{name, "", `"\u00c9lodie Br\u00e9zognacq"`, `n name/json-escaped \u00c9lodie Br\u00e9zognacq`},
		{name, "", `{"given":"Élodie","family":"Brézognacq"}`, "n name-in-fields Brézognacq"},
		{name, "", `{"family":"Brézognacq"}`, ""},
		{name, "", "71336e7af7f4309a5277f9309b9f28ef2a8adf3a26eee8836cb213e21ae90654", "n sha256(name-lower)/hex 71336e7af7f4309a5277f9309b9f28ef2a8adf3a26eee8836cb213e21ae90654"},
		{place, "", "lat=48.85837&lon=2.294481", "g decimal 48.85837&lon=2.294481"},
		{place, "", "[2.294, 48.858]", "g decimal 2.294, 48.858"},
		{place, "", "2.2945 48.8584", "g decimal 2.2945 48.8584"},
		{place, "", "488583700,22944810", "g decimal 488583700,22944810"},
		{place, "", "48.85837,2.294481", "g decimal 48.85837,2.294481"},
		{place, "", "48.85837", ""},
		{place, "", "48.86 2.29", ""},
		{place, "", "-48.85837 2.294481", ""},
		{place, "", "148.85837 2.294481", ""},
		{place, "", "48.85837" + strings.Repeat(" ", 2*nearby) + "2.294481", ""},
		{south, "", "-0.129,-72.000", "g decimal 0.129,-72.000"},
		{text, "", "Le code du coffre est 7741-ZEBRE, ne le dis à personne.", "t text Le code du coffre est 7741-ZEBRE, ne le dis à personne."},
		{text, "", "LE CODE DU COFFRE EST 7741-ZEBRE, NE LE DIS À PERSONNE.", "t text LE CODE DU COFFRE EST 7741-ZEBRE, NE LE DIS À PERSONNE."},
		{text, "", "re: le code du coffre est 7741-zebre ok", "t text-part le code du coffre est 7741-zebre"},
		{text, "", "ne le dis à personne", ""},
		{text, "", hex.EncodeToString([]byte("le code du coffre est")), ""},
		{uuid, "", "C0FFEE117A114D0E9B1A5EEDCA9A7101", "u hex C0FFEE117A114D0E9B1A5EEDCA9A7101"},
	} {
		if matchers[tc.canary] == nil {
			matchers[tc.canary] = matcher(t, tc.canary)
		}
		got := strings.Join(forms(matchers[tc.canary], tc.field, tc.data), "; ")
		if got != tc.want {
			t.Errorf("%s %q in field %q: got %q, want %q", tc.canary.Kind, tc.data, tc.field, got, tc.want)
		}
	}
}

// TestEveryForm plants each value of an invented persona in each form
// inside noise and looks for it again.
func TestEveryForm(t *testing.T) {
	inspecttest.Alone(t)
	for _, locale := range Locales() {
		p := invented(t, locale)
		m, err := NewMatcher(p)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(m.search.patterns); n < 2000 {
			t.Fatalf("%s: only %d patterns", locale, n)
		}
		for i, pt := range m.search.patterns {
			data := append([]byte("{ "), pt.text...)
			if pt.tailBits > 0 {
				data = append(data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[pt.tail<<(6-pt.tailBits)])
			}
			data = append(data, " }"...)
			if len(pt.near) > 0 {
				data = append(data, " "+string(pt.near)...)
			}
			ok := false
			for _, x := range m.find(&inspect.Part{Data: data, Name: "geo"}) {
				ok = ok || x.canary == pt.canary
			}
			if !ok {
				t.Errorf("%s: pattern %d, %s of %s, does not find itself", locale, i, pt.form, p.Canaries[pt.canary].Name)
			}
		}
	}
}

// naive is the search without its tables.
func naive(patterns []pattern, data []byte) map[string]int {
	out := make(map[string]int)
	for i, p := range patterns {
		for at := 0; at+len(p.text) <= len(data); at++ {
			if equal(data[at:at+len(p.text)], p.text, p.fold) && (!p.word || standsAlone(data, at, at+len(p.text))) {
				out[fmt.Sprint(i, " ", at)]++
			}
		}
	}
	return out
}

func TestSearchAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	letters := "aAbB1é"
	text := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		return b
	}
	for range 60 {
		var patterns []pattern
		for range 1 + r.IntN(30) {
			p := pattern{text: text(minWindow + r.IntN(20)), fold: r.IntN(2) == 0, word: r.IntN(4) == 0}
			if p.fold {
				p.text = foldASCII(p.text)
			}
			patterns = append(patterns, p)
		}
		data := text(r.IntN(1500))
		s := newSearch(patterns)
		got := make(map[string]int)
		s.scan(data, func(i int32, start int) bool {
			got[fmt.Sprint(i, " ", start)]++
			return true
		})
		if diff := cmp.Diff(naive(s.patterns, data), got); diff != "" {
			t.Fatalf("search differs (-want +got):\n%s", diff)
		}
	}
}

func TestLeavesToChildren(t *testing.T) {
	m := matcher(t, Canary{Name: "i", Kind: IMEI, Value: "352099001761481"}, Canary{Name: "s", Kind: Serial, Value: "RF8N70XCANARY"})
	child := &inspect.Part{Path: "request.body|json:imei", Data: []byte("352099001761481")}
	body := &inspect.Part{Path: "request.body", Data: []byte(`{"imei":"352099001761481", "broken RF8N70XCANARY`), Children: []*inspect.Part{child}}
	child.Parent = body
	var got []string
	for _, p := range []*inspect.Part{body, child} {
		for _, h := range m.Match(p) {
			got = append(got, string(h.Path)+" "+h.Canary)
		}
	}
	want := []string{"request.body s", "request.body|json:imei i"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
}

func TestPhotoForms(t *testing.T) {
	p := invented(t, "fr")
	photo := p.Get("photo-1")
	m, err := NewMatcher(p)
	if err != nil {
		t.Fatal(err)
	}
	file := photo.Photo.Data
	img, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	small := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			small.Set(x, y, img.At(x*photoWidth/320, y*photoHeight/240))
		}
	}
	var resized bytes.Buffer
	if err := jpeg.Encode(&resized, small, &jpeg.Options{Quality: 40}); err != nil {
		t.Fatal(err)
	}
	upright := image.NewRGBA(image.Rect(0, 0, 240, 320))
	for y := range 320 {
		for x := range 240 {
			upright.Set(x, y, small.At(y, x))
		}
	}
	var turned bytes.Buffer
	if err := jpeg.Encode(&turned, upright, nil); err != nil {
		t.Fatal(err)
	}
	stranger, err := New(strings.NewReader(strings.Repeat("another seed of bytes ", 2)), "fr")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file)
	cut := file[:len(file)-100]
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"the file", file, "dhash exif file"},
		{"inside something larger", append([]byte("--boundary\r\n\r\n"), file...), "dhash exif file"},
		{"cut off", append([]byte("x"), cut...), "exif file-piece"},
		{"resized and compressed again", resized.Bytes(), "dhash"},
		{"turned and mirrored", turned.Bytes(), "dhash-mirrored"},
		{"another photo", stranger.Get("photo-1").Photo.Data, ""},
		{"hash as hex", []byte(hex.EncodeToString(sum[:])), "sha256(file)/hex"},
		{"hash as base64", []byte(base64.StdEncoding.EncodeToString(sum[:])), "sha256(file)/base64"},
		{"a picture's magic and nothing else", []byte("\xff\xd8\xff\xe0 no picture"), ""},
	} {
		var got []string
		for _, h := range m.Match(&inspect.Part{Data: tc.data}) {
			if h.Canary != "photo-1" || h.Class != inspect.Photo {
				t.Errorf("%s: hit on %s", tc.name, h.Canary)
			}
			got = append(got, h.Form)
			if h.Form == "file" && !bytes.Equal(tc.data[h.Start:h.End], file) {
				t.Errorf("%s: range of the copy is wrong", tc.name)
			}
		}
		slices.Sort(got)
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%s: forms %q, want %q", tc.name, s, tc.want)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	p := invented(t, "en-GB")
	m, err := NewMatcher(p)
	if err != nil {
		t.Fatal(err)
	}
	part := &inspect.Part{Data: []byte("x " + p.Get("imei").Value + " " + p.Get("sms-1.text").Value)}
	want := m.Match(part)
	if len(want) != 2 {
		t.Fatalf("%d hits, want 2", len(want))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if diff := cmp.Diff(want, m.Match(part)); diff != "" {
					t.Errorf("hits differ (-want +got):\n%s", diff)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestNoAllocationWithoutHit(t *testing.T) {
	m, err := NewMatcher(invented(t, "fr"))
	if err != nil {
		t.Fatal(err)
	}
	part := &inspect.Part{Data: ordinary(64 << 10)}
	if hits := m.Match(part); len(hits) > 0 {
		t.Fatalf("%d hits in ordinary text", len(hits))
	}
	least := math.Inf(1) // with the race detector, a sync.Pool forgets at random
	for range 20 {
		least = min(least, testing.AllocsPerRun(1, func() { m.Match(part) }))
	}
	if least > 0 {
		t.Errorf("%v allocations for a part without a hit", least)
	}
}

// ordinary is JSON as telemetry sends it, without any planted value.
func ordinary(size int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < size {
		fmt.Fprintf(&b, `{"event":"view_%d","ts":%d,"session":"%016x","props":{"model":"Redmi Note 8","w":1080,"h":%d,"title":"Une page comme une autre"}},`,
			r.IntN(50), 1406800000000+r.Int64N(1e10), r.Uint64(), r.IntN(3000))
	}
	return b.Bytes()[:size]
}

func BenchmarkMatch(b *testing.B) {
	m, err := NewMatcher(invented(b, "fr"))
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 64<<10)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	digits := bytes.Repeat([]byte("3363 998 4713 "), 5000)[:64<<10]
	// What many patterns begin with, in place of each word that is looked at.
	candidates := bytes.Repeat([]byte("KzMzNjM5"), 8<<10)
	for _, bc := range []struct {
		name string
		data []byte
	}{{"json", ordinary(64 << 10)}, {"random", random}, {"digits", digits}, {"candidates", candidates}, {"short", []byte("Redmi Note 8")}} {
		b.Run(bc.name, func(b *testing.B) {
			part := &inspect.Part{Data: bc.data}
			b.SetBytes(int64(len(bc.data)))
			b.ReportAllocs()
			for b.Loop() {
				m.Match(part)
			}
		})
	}
}

func FuzzMatch(f *testing.F) {
	p := invented(f, "fr")
	m, err := NewMatcher(p)
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range p.Canaries {
		f.Add([]byte(c.Value), "phone")
	}
	f.Add(p.Get("photo-1").Photo.Data[:400], "")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		for _, h := range m.Match(&inspect.Part{Data: data, Name: name}) {
			if h.Start < 0 || h.End > len(data) || h.Start >= h.End {
				t.Errorf("%s %s at %d to %d of %d", h.Canary, h.Form, h.Start, h.End, len(data))
			}
		}
	})
}
