package inspecttest

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
)

// PlainJSON is about n bytes of JSON as the interfaces of shops send it: objects
// of a few short values and some prose, in which there is nothing to find. It is
// what speed is measured with, the same at each call.
func PlainJSON(n int) []byte {
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
	b, _ := json.Marshal(map[string]any{"items": items, "next": nil}) // numbers, texts and truth values only
	return b
}
