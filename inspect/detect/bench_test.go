package detect

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/inspect/inspecttest"
)

// unwrapper has all decoders.
var unwrapper = sync.OnceValues(func() (*inspect.Inspector, error) {
	return inspect.New(inspect.Config{Decoders: decode.All})
})

// tree takes s apart with all decoders.
func tree(t testing.TB, s *inspect.Subject) *inspect.Tree {
	t.Helper()
	in, err := unwrapper()
	if err != nil {
		t.Fatal(err)
	}
	tr, _ := in.Unwrap(t.Context(), s)
	return tr
}

// FuzzDetect gives bodies of both directions to all detectors, through all
// decoders: none may panic, and every finding must name a part.
func FuzzDetect(f *testing.F) {
	for _, seed := range inspecttest.Seeds(f, "testdata") {
		f.Add(seed, "application/json", true)
	}
	f.Add([]byte("<sms address='+33639981122' body='x' date='1406800000123'/>"), "text/xml", true)
	in, err := inspect.New(inspect.Config{Decoders: decode.All})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string, up bool) {
		s := &inspect.Subject{Method: "GET", Path: "/res/messages", Query: "cat=3&count=20", Status: 200}
		content := inspect.Content{Header: http.Header{"Content-Type": {contentType}}, Body: body}
		if up {
			s.Method, s.Request = "POST", content
		} else {
			s.Response = content
		}
		tr, _ := in.Unwrap(t.Context(), s)
		for _, d := range All {
			for _, finding := range d.Detect(tr) {
				if tr.Part(finding.Path) == nil {
					t.Errorf("%s names %q, which is no part", d.Name, finding.Path)
				}
				if finding.Confidence.Rank() == 0 || finding.Reason == "" {
					t.Errorf("%s: no confidence or no reason", d.Name)
				}
			}
		}
	})
}

// inspected measures look inside of an inspection of s, where what names mean is
// known from the subjects before.
func inspected(b *testing.B, s *inspect.Subject, look func(t *inspect.Tree)) {
	b.Helper()
	in, err := inspect.New(inspect.Config{Decoders: decode.All, Detectors: []inspect.Detector{{
		Name: "measured", Class: inspect.Notes, Doc: "what is measured", Detect: func(t *inspect.Tree) []inspect.Finding {
			look(t)
			b.ReportAllocs()
			for b.Loop() {
				look(t)
			}
			return nil
		},
	}}})
	if err != nil {
		b.Fatal(err)
	}
	in.Inspect(b.Context(), s)
}

func BenchmarkDetect(b *testing.B) {
	json := []byte(`{"jsonrpc":"2.0","id":7,"method":"list","params":{"folder":"inbox","limit":50,"fields":["a","b"],"deep":{"x":1,"y":[1,2,3]}}}`)
	big := []byte("[")
	for i := range 500 {
		big = fmt.Appendf(big, `{"sku":"K-%d","label":"A kite","price":9.5,"stock":3},`, i)
	}
	big[len(big)-1] = ']'
	header := http.Header{"User-Agent": {"Dalvik/2.1.0"}, "Content-Type": {"application/json"}, "X-Request-Id": {"7f3a"}}
	for _, bc := range []struct {
		name string
		s    *inspect.Subject
	}{
		{"no candidate", &inspect.Subject{Method: "POST", Path: "/rpc", Query: "v=1", Request: inspect.Content{Header: header, Body: json}, Response: inspect.Content{Header: header, Body: json}}},
		{"2000 fields down", &inspect.Subject{Method: "GET", Path: "/products", Response: inspect.Content{Header: header, Body: big}}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			inspected(b, bc.s, func(t *inspect.Tree) {
				for _, d := range All {
					d.Detect(t)
				}
			})
		})
	}
}

// telemetry is a body of statistics as apps send them, of n events.
func telemetry(n int) []byte {
	b := []byte(`{"sdk":{"name":"kite","version":"1.2"},"device":{"model":"Redmi Note 8","imei":"352099001761481","os":"Android"},"events":[`)
	for i := range n {
		b = fmt.Appendf(b, `{"event":"page_view","event_id":"9f3c1d2e-4b5a-4978-8a1b-5eedca9a%04d","time":%d,"screen_name":"Home","referrer":"https://example.org/p/%d","duration_ms":%d,"properties":{"title":"A kite for two","price":9.5,"tags":["red","blue"]}},`, i%10000, 1406800000123+i, i, i)
	}
	return append(b[:len(b)-1], "]}"...)
}

// BenchmarkUp tells what each detector costs for a body that goes up.
func BenchmarkUp(b *testing.B) {
	body := telemetry(300)
	s := &inspect.Subject{Method: "POST", Path: "/collect", Request: inspect.Content{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}}
	for _, d := range All {
		b.Run(d.Name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			inspected(b, s, func(t *inspect.Tree) { d.Detect(t) })
		})
	}
	b.Run("values", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		inspected(b, s, func(t *inspect.Tree) { Values(t) })
	})
}
