package canary_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"constat/inspect"
	"constat/inspect/canary"
	"constat/inspect/decode"
	"constat/inspect/detect"
)

// telemetry is JSON as apps send it, without any planted value.
func telemetry(size int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	b.WriteByte('[')
	for b.Len() < size {
		fmt.Fprintf(&b, `{"event":"view_%d","ts":%d,"session":"%016x","props":{"model":"Redmi Note 8","w":1080,"h":%d,"title":"Une page comme une autre","text":"%s"}},`,
			r.IntN(50), 1406800000000+r.Int64N(1e10), r.Uint64(), r.IntN(3000), strings.Repeat("The quick brown fox jumps over the lazy dog. ", 1+r.IntN(4)))
	}
	b.WriteString(`{}]`)
	return b.Bytes()
}

// BenchmarkInspect is a plain JSON body through the planted values alone, the
// decoders alone, and everything.
func BenchmarkInspect(b *testing.B) {
	p, err := canary.New(strings.NewReader(strings.Repeat("a fixed seed of bytes ", 2)), "fr")
	if err != nil {
		b.Fatal(err)
	}
	m, err := canary.NewMatcher(p)
	if err != nil {
		b.Fatal(err)
	}
	s := &inspect.Subject{Method: "POST", Path: "/v1/events", Request: inspect.Content{Header: http.Header{"Content-Type": {"application/json"}}, Body: telemetry(256 << 10)}}
	for _, bc := range []struct {
		name string
		cfg  inspect.Config
	}{
		{"planted values", inspect.Config{Canaries: m}},
		{"decoders", inspect.Config{Decoders: decode.All}},
		{"decoders and planted values", inspect.Config{Decoders: decode.All, Canaries: m}},
		{"everything", inspect.Config{Decoders: decode.All, Detectors: detect.All, Canaries: m, Values: detect.Values}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			in, err := inspect.New(bc.cfg)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(s.Request.Body)))
			for b.Loop() {
				if r := in.Inspect(b.Context(), s); len(r.Hits) > 0 {
					b.Fatal("a planted value is found where none is")
				}
			}
			b.ReportMetric(float64(m.Forms()), "forms")
		})
	}
}
