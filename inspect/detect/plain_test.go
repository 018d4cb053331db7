package detect

import (
	"net/http"
	"testing"

	"constat/inspect"
	"constat/inspect/inspecttest"
)

// BenchmarkPlain tells what each detector costs where there is nothing to find.
func BenchmarkPlain(b *testing.B) {
	body := inspecttest.PlainJSON(64 << 10)
	s := &inspect.Subject{Method: "POST", Scheme: "https", Host: "api.example.com", Path: "/v1/items", Status: 200, Request: inspect.Content{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}}
	for _, d := range All {
		b.Run(d.Name, func(b *testing.B) { inspected(b, s, func(t *inspect.Tree) { d.Detect(t) }) })
	}
	b.Run("values", func(b *testing.B) { inspected(b, s, func(t *inspect.Tree) { Values(t) }) })
}
