package detect

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"constat/inspect"
)

// plainItems is about n bytes of JSON as the interfaces of shops send it, in which
// there is nothing to find.
func plainItems(n int) []byte {
	r := rand.New(rand.NewPCG(7, 7))
	words := strings.Fields("the quick brown fox jumps over a lazy dog while seven wizards make toxic brew for evil queens")
	sentence := func(n int) string {
		var b []string
		for range n {
			b = append(b, words[r.IntN(len(words))])
		}
		return strings.Join(b, " ")
	}
	var items []any
	for size := 0; size < n; size += 420 {
		items = append(items, map[string]any{
			"id": r.IntN(1 << 30), "title": sentence(6), "description": sentence(40), "price": float64(r.IntN(10000)) / 100,
			"tags": []string{sentence(1), sentence(1)}, "available": r.IntN(2) == 0, "updated": "2026-11-20T10:00:00Z",
		})
	}
	b, _ := json.Marshal(map[string]any{"items": items, "next": nil})
	return b
}

// BenchmarkPlain tells what each detector costs where there is nothing to find.
func BenchmarkPlain(b *testing.B) {
	body := plainItems(64 << 10)
	tr := tree(b, &inspect.Subject{Method: "POST", Scheme: "https", Host: "api.example.com", Path: "/v1/items", Status: 200, Request: inspect.Content{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}})
	for _, d := range All {
		b.Run(d.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.Detect(tr)
			}
		})
	}
}
