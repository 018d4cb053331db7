package canary_test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"constat/inspect"
	"constat/inspect/canary"
	"constat/inspect/decode"
)

// writings are the values of one persona in every writing that is looked for, and
// near misses of them.
var writings = []struct {
	kind  canary.Kind
	value string
	// plain writings are found as they are, minor ones also in the usual digests,
	// hashed ones also in every encoding and digest.
	plain, minor, hashed []string
	misses               []string
}{
	{
		canary.ContactPhone, "+33639984712",
		[]string{"+33 6 39 98 47 12", "06.39.98.47.12", "06-39-98-47-12", "(0)6 39 98 47 12", "+33 (0)6 39 98 47 12", "tel:+33639984712", "06\u00a039\u202f98 47 12"},
		[]string{"0033639984712", "06 39 98 47 12", "+33 6 39 98 47 12"},
		[]string{"+33639984712", "33639984712", "0639984712"},
		[]string{"+33639984713", "+336399847120", "133639984712", "639984712", "0639984711", "06 39 98 47", "336399847129999"},
	},
	{
		canary.IMEI, "352099001761481",
		[]string{"35-209900-176148-1", "35 209900 176148 1", "3520990017614803", "352099-00-176148-1"},
		[]string{"352099001761480"},
		[]string{"352099001761481", "35209900176148"},
		[]string{"352099001761482", "35209900176147", "35209900176148155", "1352099001761481", "3520990017614"},
	},
	{canary.IMSI, "208011234567890", nil, nil, []string{"208011234567890"}, []string{"208011234567891", "2080112345678901", "20801123456789"}},
	{
		canary.ICCID, "8933150319001234562",
		[]string{"89 33 15 03 19 00 12 34 56 2", "8933150319001234562F", "983351309100214365F2"},
		[]string{"893315031900123456"},
		[]string{"8933150319001234562"},
		[]string{"8933150319001234563", "89331503190012345620", "93315031900123456"},
	},
	{canary.Serial, "RF8N70XCANARY", nil, []string{"rf8n70xcanary"}, []string{"RF8N70XCANARY"}, []string{"RF8N70XCANARX"}},
	{canary.AndroidID, "9f3c1d2e4b5a6978", []string{"-6972666038406452872"}, []string{"11474078035303098744"}, []string{"9f3c1d2e4b5a6978", "9F3C1D2E4B5A6978"}, []string{"9f3c1d2e4b5a6979", "9f3c1d2e4b5a697"}},
	{
		canary.AdvertisingID, "c0ffee11-7a11-4d0e-9b1a-5eedca9a7101",
		[]string{"{C0FFEE11-7A11-4D0E-9B1A-5EEDCA9A7101}"},
		nil,
		[]string{"c0ffee11-7a11-4d0e-9b1a-5eedca9a7101", "C0FFEE11-7A11-4D0E-9B1A-5EEDCA9A7101", "c0ffee117a114d0e9b1a5eedca9a7101", "C0FFEE117A114D0E9B1A5EEDCA9A7101"},
		[]string{"c0ffee11-7a11-4d0e-9b1a-5eedca9a7102"},
	},
	{
		canary.MAC, "02:00:5e:ab:00:42",
		[]string{"02 00 5e ab 00 42", "2:0:5e:ab:0:42"},
		[]string{"0200.5eab.0042", "02-00-5e-ab-00-42", "02-00-5E-AB-00-42", "2200611520578"},
		[]string{"02:00:5e:ab:00:42", "02:00:5E:AB:00:42", "02005eab0042", "02005EAB0042"},
		[]string{"02:00:5e:ab:00:43", "02:00:5e", "02:00:5e:00:00:42"},
	},
	{canary.SSID, "Atelier-K7WQ2M9RX4B", []string{`"Atelier-K7WQ2M9RX4B"`}, []string{"atelier-k7wq2m9rx4b"}, []string{"Atelier-K7WQ2M9RX4B"}, []string{"Atelier-K7WQ2M9RX4C", "Atelier"}},
	{
		canary.BSSID, "02:00:5e:cd:12:77",
		nil,
		[]string{"02-00-5E-CD-12-77"},
		[]string{"02:00:5e:cd:12:77", "02005ECD1277"},
		[]string{"02:00:5e:cd:12:78"},
	},
	{
		canary.Email, "Camille.Canari+f7q2@example.org",
		[]string{"<camille.canari+f7q2@example.org>", "mailto:Camille.Canari%2Bf7q2@example.org"},
		[]string{"camille.canari@example.org", "camillecanari@example.org"},
		[]string{"Camille.Canari+f7q2@example.org", "camille.canari+f7q2@example.org"},
		[]string{"camille.canary+f7q2@example.org", "camille.canari+f7q3@example.org", "mycamille.canari@example.org"},
	},
	{
		canary.ContactName, "Élodie Brézognacq",
		[]string{"BRÉZOGNACQ Élodie", "Brezognacq, Elodie", "elodie.brezognacq", "E\u0301lodie Bre\u0301zognacq", "ELODIE BREZOGNACQ"},
		[]string{"élodie brézognacq", "elodie brezognacq", "Elodie Brezognacq"},
		[]string{"Élodie Brézognacq"},
		[]string{"Élodie Brezogna", "Élodie Dupont", "Melodie Brezognacq"},
	},
	{
		canary.URL, "https://example.org/search?q=symptome+k7wq2m9rx",
		[]string{"example.org/search?q=symptome+k7wq2m9rx", "/search?q=symptome+k7wq2m9rx", "symptome%20k7wq2m9rx"},
		[]string{"example.org/search?q=symptome+k7wq2m9rx"},
		[]string{"https://example.org/search?q=symptome+k7wq2m9rx", "symptome k7wq2m9rx"},
		[]string{"https://example.org/search?q=symptome", "https://example.org/search?q=symptome+k7wq2m9ry"},
	},
	{
		canary.Place, "48.858370,2.294481",
		[]string{
			"48.85837,2.294481", "48.858,2.294", "48.8584,2.2945", "48.8583,2.2944", "2.29448 48.85837", "geo:48.85837,2.294481;u=35",
			"https://www.google.com/maps/place/x/@48.85837,2.294481,17z", "!3d48.85837!4d2.294481", "48,85837;2,294481",
			"488583700,22944810", "48858370/2294481", `48°51'30.1"N 2°17'40.1"E`, "48° 51′ 30″ N, 2° 17′ 40″ E", "48 deg 51' 30.13\" N, 2 deg 17' 40.13\" E",
			"48/1,51/1,30/1 2/1,17/1,40/1", "$GPGGA,120000,4851.5022,N,00217.6689,E", "u09tunqu", "u09tunqu9", "8FW4V75V+8Q",
			"48.85836791992188 2.294481039047241",
		},
		nil,
		nil,
		[]string{"48.85937,2.294481", "48.86,2.29", "48.85837", "-48.85837,2.294481", "148.85837,2.294481", `48°51'31.1"N 2°17'40.1"E`, "u09tunr", "u09tunqz9", "8FW4V75V+8R", "4851.5122,N,00217.6689,E"},
	},
	{
		canary.SMSText, "Le code du coffre est 7741-ZEBRE, ne le dis à personne.",
		[]string{
			"LE CODE DU COFFRE EST 7741-ZEBRE, NE LE DIS À PERSONNE.", "le code du coffre est 7741-zebre, ne le dis a personne",
			"Le  code du coffre est\n7741 ZEBRE : ne le dis à personne !", "Le code 🔐 du coffre est 7741-ZEBRE, ne le dis &agrave; personne.",
			"> Le code du coffre est 7741-ZEBRE", "… du coffre est 7741-ZEBRE, ne le dis …", "Ｌｅ ｃｏｄｅ du coffre est ７７４１-ZEBRE, ne le dis à personne.",
			"Le code du coffre est 7741-ZEBRE, ne le dis a\u0300 personne.",
		},
		nil,
		[]string{"Le code du coffre est 7741-ZEBRE, ne le dis à personne."},
		[]string{"Le code du coffre est 7742-ZEBU, ne le dis à personne.", "ne le dis à personne", "Le code du coffre est", "7741"},
	},
}

func digests(s string) map[string][]byte {
	m, s1, s224, s256, s384, s512 := md5.Sum([]byte(s)), sha1.Sum([]byte(s)), sha256.Sum224([]byte(s)), sha256.Sum256([]byte(s)), sha512.Sum384([]byte(s)), sha512.Sum512([]byte(s))
	return map[string][]byte{"md5": m[:], "sha1": s1[:], "sha224": s224[:], "sha256": s256[:], "sha384": s384[:], "sha512": s512[:]}
}

// envelopes are the contexts that a value stands in, and the part that it must be
// found in.
var envelopes = []struct {
	name string
	wrap func(v string) *inspect.Subject
	path string
}{
	{"JSON value", func(v string) *inspect.Subject {
		b, _ := json.Marshal(map[string]any{"a": 1, "v": v, "z": "end"})
		return &inspect.Subject{Method: "POST", Request: inspect.Content{Header: http.Header{"Content-Type": {"application/json"}}, Body: b}}
	}, "request.body|json:v"},
	{"query value", func(v string) *inspect.Subject {
		return &inspect.Subject{Method: "GET", Query: "a=1&v=" + url.QueryEscape(v) + "&z=end"}
	}, "request.query|form:v"},
	{"text", func(v string) *inspect.Subject {
		return &inspect.Subject{Method: "POST", Request: inspect.Content{Body: []byte("seen: " + v + " (once)")}}
	}, "request.body"},
	{"binary", func(v string) *inspect.Subject {
		return &inspect.Subject{Method: "POST", Request: inspect.Content{Body: []byte("\x00\x01\xfe\xff\x00\x00\x00\x20" + v + "\x00\xff\x03")}}
	}, "request.body"},
}

func seek(t *testing.T, in *inspect.Inspector, s *inspect.Subject) []inspect.Hit {
	t.Helper()
	return in.Inspect(t.Context(), s).Hits
}

func inspector(t *testing.T, c canary.Canary) *inspect.Inspector {
	t.Helper()
	m, err := canary.NewMatcher(&canary.Persona{Version: canary.FormatVersion, Name: "test", Canaries: []canary.Canary{c}})
	if err != nil {
		t.Fatal(err)
	}
	in, err := inspect.New(inspect.Config{Decoders: decode.All, Canaries: m})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestEveryWriting looks for each kind of value in all writings, encodings and
// hashes, in a JSON value, a query, in text and among binary bytes.
func TestEveryWriting(t *testing.T) {
	for _, w := range writings {
		t.Run(string(w.kind), func(t *testing.T) {
			in := inspector(t, canary.Canary{Name: "it", Kind: w.kind, Value: w.value})
			// want says whether form names what was done to the value.
			find := func(what, v string, want func(form string) bool, skip ...string) {
				t.Helper()
				for _, e := range envelopes {
					if len(skip) > 0 && strings.Contains(skip[0], e.name) {
						continue
					}
					ok := false
					var got []string
					for _, h := range seek(t, in, e.wrap(v)) {
						ok = ok || want(h.Form) && strings.HasPrefix(string(h.Path), e.path)
						got = append(got, string(h.Path)+" "+h.Form)
					}
					if !ok {
						t.Errorf("%s in a %s: found %q", what, e.name, got)
					}
				}
			}
			plain := func(form string) bool { return !strings.Contains(form, "(") }
			for _, v := range slices.Concat(w.plain, w.minor, w.hashed) {
				find(fmt.Sprintf("%q", v), v, plain)
			}
			hashed := func(name string, encodings ...string) func(string) bool {
				return func(form string) bool {
					for _, e := range encodings {
						if strings.HasPrefix(form, name+"(") && strings.HasSuffix(form, ")/"+e) {
							return true
						}
					}
					return false
				}
			}
			for _, v := range w.minor {
				for _, name := range []string{"md5", "sha1", "sha256"} {
					find(name+" of "+v, hex.EncodeToString(digests(v)[name]), hashed(name, "hex"))
				}
			}
			for _, v := range w.hashed {
				encoded := func(names ...string) func(string) bool {
					return func(form string) bool {
						for _, n := range names {
							if strings.HasSuffix(form, "/"+n) {
								return true
							}
						}
						return plain(form) // a decoder took the encoding off
					}
				}
				// Inside something larger, where no decoder finds a beginning.
				for offset := range 3 {
					e := base64.StdEncoding.EncodeToString([]byte("{x"[:offset] + v + "}"))
					find("base64 of "+v, "~"+e, encoded("base64"))
					find("base64url of "+v, "~"+base64.RawURLEncoding.EncodeToString([]byte("{x"[:offset]+v+"}")), encoded("base64", "base64url"))
				}
				find("hex of "+v, "~"+hex.EncodeToString([]byte(v)), encoded("hex"))
				find("upper-case hex of "+v, "~"+strings.ToUpper(hex.EncodeToString([]byte(v))), encoded("hex"))
				var ucs2 []byte
				for _, u := range utf16.Encode([]rune(v)) {
					ucs2 = binary.BigEndian.AppendUint16(ucs2, u)
				}
				if w.kind == canary.SMSText {
					find("UCS-2 of "+v, hex.EncodeToString(ucs2), func(form string) bool { return plain(form) })
				}
				for name, sum := range digests(v) {
					text := hex.EncodeToString(sum)
					find(name+" of "+v, text, hashed(name, "hex"))
					find(name+" of "+v+" in capitals", strings.ToUpper(text), hashed(name, "hex"))
					find(name+" of "+v+" in base64", base64.StdEncoding.EncodeToString(sum), hashed(name, "base64"))
					find(name+" of "+v+" in base64url", base64.RawURLEncoding.EncodeToString(sum), hashed(name, "base64url", "base64"))
					find(name+" of "+v+" as bytes", string(sum), hashed(name, "raw"), "JSON value text")
					switch name {
					case "md5", "sha1", "sha256":
						for outer, sum2 := range digests(text) {
							if outer == "md5" || outer == "sha1" || outer == "sha256" {
								find(outer+" of "+name+" of "+v, hex.EncodeToString(sum2), func(form string) bool { return strings.HasPrefix(form, outer+"("+name+"(") })
							}
						}
					}
					switch name {
					case "md5":
						find("the middle of "+name+" of "+v, text[8:24], hashed(name, "hex-16"))
					case "sha1":
						find("cut "+name+" of "+v, base64.RawURLEncoding.EncodeToString(sum)[:16], hashed(name, "base64url-16"))
					case "sha256":
						find("the first half of "+name+" of "+v, text[:32], hashed(name, "hex-32"))
					}
				}
			}
			for _, v := range w.misses {
				for _, e := range envelopes {
					for _, h := range seek(t, in, e.wrap(v)) {
						t.Errorf("near miss %q in a %s: found as %s", v, e.name, h.Form)
					}
				}
			}
		})
	}
}

// TestBinaryWritings looks for values in the bytes of binary formats.
func TestBinaryWritings(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	f64, f32 := math.Float64bits, math.Float32bits
	raw := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, tc := range []struct {
		kind  canary.Kind
		value string
		data  []byte
		want  string
	}{
		{canary.IMEI, "352099001761481", le.AppendUint64(nil, 352099001761481), "int64"},
		{canary.IMEI, "352099001761481", be.AppendUint64(nil, 352099001761481), "int64-be"},
		{canary.IMEI, "352099001761481", binary.AppendUvarint(nil, 352099001761481), "varint"},
		{canary.IMEI, "352099001761481", raw("53029900711684f1"), "semi-octets"},
		{canary.Phone, "+33639984712", raw("3336994817f2"), "semi-octets"},
		{canary.ICCID, "8933150319001234562", raw("983351309100214365f2"), "semi-octets"},
		{canary.AndroidID, "9f3c1d2e4b5a6978", raw("9f3c1d2e4b5a6978"), "raw"},
		{canary.AndroidID, "9f3c1d2e4b5a6978", raw("78695a4b2e1d3c9f"), "int64"},
		{canary.AdvertisingID, "c0ffee11-7a11-4d0e-9b1a-5eedca9a7101", raw("c0ffee117a114d0e9b1a5eedca9a7101"), "raw"},
		{canary.AdvertisingID, "c0ffee11-7a11-4d0e-9b1a-5eedca9a7101", []byte("x:wP/uEXoRTQ6bGl7typpxAQ"), "raw/base64"},
		{canary.AndroidID, "9f3c1d2e4b5a6978", []byte("x:nzwdLktaaXg="), "raw/base64"},
		{canary.AdvertisingID, "c0ffee11-7a11-4d0e-9b1a-5eedca9a7101", raw("11eeffc0117a0e4d9b1a5eedca9a7101"), "raw-guid"},
		{canary.BSSID, "02:00:5e:ab:00:42", raw("02005eab0042"), "raw"},
		{canary.Place, "48.85837,2.294481", le.AppendUint64(nil, f64(48.85837)), "float64"},
		{canary.Place, "48.85837,2.294481", be.AppendUint64(nil, f64(2.294481)), "float64-be"},
		{canary.Place, "48.85837,2.294481", append(le.AppendUint64([]byte{9}, f64(48.8584)), le.AppendUint64([]byte{0x11}, f64(2.2945))...), "float64"},
		{canary.Place, "48.85837,2.294481", le.AppendUint64([]byte{9}, f64(48.8584)), ""},
		{canary.Place, "48.85837,2.294481", append(be.AppendUint32(nil, f32(48.85837)), be.AppendUint32(nil, f32(2.294481))...), "float32-be"},
		{canary.Place, "48.85837,2.294481", be.AppendUint32(nil, f32(48.85837)), ""},
		{canary.BSSID, "02:00:5e:ab:00:42", raw("02005eab0043"), ""},
	} {
		m, err := canary.NewMatcher(&canary.Persona{Version: canary.FormatVersion, Name: "test", Canaries: []canary.Canary{{Name: "it", Kind: tc.kind, Value: tc.value}}})
		if err != nil {
			t.Fatal(err)
		}
		data := append([]byte("\x0a\x81\x00"), tc.data...)
		got := ""
		for _, h := range m.Match(&inspect.Part{Data: append(data, 0x18, 0)}) {
			got += h.Form
		}
		if got != tc.want {
			t.Errorf("%s as %x: found as %q, want %q", tc.kind, tc.data, got, tc.want)
		}
	}
}

// TestFormsHaveWords: whatever a form is called, people are told what it is.
func TestFormsHaveWords(t *testing.T) {
	for _, w := range writings {
		in := inspector(t, canary.Canary{Name: "it", Kind: w.kind, Value: w.value})
		for _, v := range slices.Concat(w.plain, w.minor, w.hashed) {
			for _, h := range seek(t, in, envelopes[0].wrap(v)) {
				if words := inspect.FormWords(h.Kind, h.Form); strings.Contains(words, " as "+strings.ReplaceAll(h.Form, "-", " ")) {
					t.Errorf("form %s of a %s has no words: %q", h.Form, h.Kind, words)
				}
			}
		}
	}
}

// TestCoordinatesInFields: the two halves of a place in fields of their own.
func TestCoordinatesInFields(t *testing.T) {
	in := inspector(t, canary.Canary{Name: "it", Kind: canary.Place, Value: "48.858370,2.294481"})
	for _, tc := range []struct{ body, want string }{
		{`{"location":{"lat":48.85837,"acc":12.5,"lng":2.294481}}`, "request.body|json:.location.lat"},
		{`{"lat":"48.8584","lon":"2.2945"}`, "request.body|json:.lat"},
		{`{"lat":48.85837,"lon":2.294581}`, ""},
		{`{"lat":48.85837}`, ""},
		{`{"geohash":"u09tunq"}`, "request.body|json:geohash"},
		{`{"id":"u09tunq"}`, ""},
	} {
		s := envelopes[0].wrap("")
		s.Request.Body = []byte(tc.body)
		got := ""
		for _, h := range seek(t, in, s) {
			got += string(h.Path)
		}
		if strings.ReplaceAll(got, "json:.", "json:") != strings.ReplaceAll(tc.want, "json:.", "json:") {
			t.Errorf("%s: found in %q, want %q", tc.body, got, tc.want)
		}
	}
}

// TestTextInPieces: a text that no single field holds enough of.
func TestTextInPieces(t *testing.T) {
	in := inspector(t, canary.Canary{Name: "it", Kind: canary.SMSText, Value: "Le code du coffre est 7741-ZEBRE, ne le dis à personne."})
	for _, tc := range []struct{ body, want string }{
		{`{"pdu":[{"n":1,"text":"Le code du coffre est 7741-ZE"},{"n":2,"text":"BRE, ne le dis à personne."}]}`, "request.body text-in-pieces"},
		{`{"text1":"Le code du coffre est 77","text2":"41-ZE","text3":"BRE, ne le dis à personne."}`, "request.body text-in-pieces"},
		{`{"part":["Le code du cof","fre est 7741-ZEB","RE, ne le dis"]}`, "request.body text-in-pieces"},
		{`{"part":["Le code du coffre est 77","41-ZEBU, ne le dis à personne."]}`, ""},
		{`{"a":"Le code du coffre est 7741-ZE","b":"BRE, ne le dis à personne."}`, ""},
	} {
		s := envelopes[0].wrap("")
		s.Request.Body = []byte(tc.body)
		got := ""
		for _, h := range seek(t, in, s) {
			got += string(h.Path) + " " + h.Form
		}
		if got != tc.want {
			t.Errorf("%s: found %q, want %q", tc.body, got, tc.want)
		}
	}
}
