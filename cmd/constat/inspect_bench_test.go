package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"constat/inspect"
	"constat/inspect/canary"
	"constat/inspect/decode"
	"constat/inspect/detect"
	"constat/inspect/inspecttest"
)

// planted is a Matcher with many patterns.
func planted(tb testing.TB) inspect.Matcher {
	tb.Helper()
	p, err := canary.New(bytes.NewReader(bytes.Repeat([]byte("0123456789abcdef"), 4)), "fr")
	if err != nil {
		tb.Fatal(err)
	}
	m, err := canary.NewMatcher(p)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func inspectorOf(tb testing.TB) *inspect.Inspector {
	tb.Helper()
	in, err := inspect.New(inspect.Config{Decoders: decode.All, Detectors: detect.All, Values: detect.Values, Canaries: planted(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	return in
}

func post(contentType string, body []byte) *inspect.Subject {
	return &inspect.Subject{
		Method: "POST", Scheme: "https", Host: "api.example.com", Path: "/v1/items", Status: 200,
		Request: inspect.Content{Header: http.Header{"Content-Type": {contentType}}, Body: body},
	}
}

// BenchmarkInspect looks at plain JSON with everything there is: decoders,
// detectors, identifying values, a whole persona; and with the decoders alone,
// and with the persona alone beside them.
func BenchmarkInspect(b *testing.B) {
	for _, x := range []struct {
		name string
		cfg  inspect.Config
	}{
		{"all", inspect.Config{Decoders: decode.All, Detectors: detect.All, Values: detect.Values, Canaries: planted(b)}},
		{"decoders", inspect.Config{Decoders: decode.All}},
		{"canaries", inspect.Config{Decoders: decode.All, Canaries: planted(b)}},
		{"detectors", inspect.Config{Decoders: decode.All, Detectors: detect.All}},
		{"values", inspect.Config{Decoders: decode.All, Values: detect.Values}},
	} {
		in, err := inspect.New(x.cfg)
		if err != nil {
			b.Fatal(err)
		}
		for _, size := range []int{2 << 10, 64 << 10, 1 << 20} {
			s := post("application/json", inspecttest.PlainJSON(size))
			b.Run(fmt.Sprintf("%s/%dKiB", x.name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(s.Request.Body)))
				b.ReportAllocs()
				for b.Loop() {
					in.Inspect(b.Context(), s)
				}
			})
		}
	}
}

// BenchmarkNesting looks at bodies that are made to be taken apart for ever. The
// time per byte must not grow with their size.
func BenchmarkNesting(b *testing.B) {
	in := inspectorOf(b)
	for name, make := range map[string]func(n int) []byte{
		"json arrays":  func(n int) []byte { return []byte(strings.Repeat("[", n/2) + strings.Repeat("]", n/2)) },
		"json objects": func(n int) []byte { return []byte(strings.Repeat(`{"a":`, n/6) + "1" + strings.Repeat("}", n/6)) },
		"json strings": func(n int) []byte {
			s := "x"
			for range 8 {
				j, _ := json.Marshal(s)
				s = string(j)
			}
			return []byte("[" + strings.TrimSuffix(strings.Repeat(s+",", n/len(s)), ",") + "]")
		},
		"xml elements": func(n int) []byte { return []byte(strings.Repeat("<a>", n/7) + strings.Repeat("</a>", n/7)) },
		"protobuf": func(n int) []byte {
			out := []byte{0x08, 1}
			for len(out) < n {
				out = append(appendVarint([]byte{0x0a}, len(out)), out...)
				if len(out) > 1<<10 { // deeper costs the maker too much
					out = bytes.Repeat(out, n/len(out)+1)[:n/len(out)*len(out)]
					break
				}
			}
			return out
		},
		"percent": func(n int) []byte { return []byte("a=" + strings.Repeat("%25", n/3)) },
		"msgpack": func(n int) []byte { return append([]byte{0x81, 0xa1, 'a'}, bytes.Repeat([]byte{0x91}, n)...) },
		"cbor":    func(n int) []byte { return append([]byte{0xa1, 0x61, 'a'}, bytes.Repeat([]byte{0x81}, n)...) },
	} {
		for _, size := range []int{16 << 10, 256 << 10, 4 << 20} {
			body := make(size)
			s := post("application/octet-stream", body)
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					in.Inspect(b.Context(), s)
				}
			})
		}
	}
}

func appendVarint(b []byte, n int) []byte {
	for n >= 0x80 {
		b, n = append(b, byte(n)|0x80), n>>7
	}
	return append(b, byte(n))
}
