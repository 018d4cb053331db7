package detect

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"constat/inspect"
	"constat/inspect/inspecttest"
)

// TestGates looks at every case, at cases inside others and at cases whose names
// and values are exchanged, with the gates and without: they must change nothing.
func TestGates(t *testing.T) {
	gathers := []*gather{&smsParted, &contactGather, &callGather, &mailGather, &noteGather, &webGather, &appGather}
	seeds := inspecttest.Seeds(t, "testdata")
	if len(seeds) < 100 {
		t.Fatalf("%d cases", len(seeds))
	}
	r := rand.New(rand.NewPCG(3, 1))
	var bodies [][]byte
	for _, s := range seeds {
		bodies = append(bodies, s, exchange(r, s, seeds[r.IntN(len(seeds))]))
		if other := seeds[r.IntN(len(seeds))]; json.Valid(s) && json.Valid(other) && len(s)+len(other) < 32<<10 {
			bodies = append(bodies, bytes.Join([][]byte{[]byte(`{"a":`), s, []byte(`,"b":[`), other, []byte(`]}`)}, nil))
		}
	}
	found := 0
	for _, body := range bodies {
		content := inspect.Content{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
		for _, s := range []*inspect.Subject{
			{Method: "POST", Path: "/v1/sync", Request: content},
			{Method: "POST", Path: "/v1/notes/calls", Request: content},
			{Method: "GET", Path: "/x", Response: content},
		} {
			tr := tree(t, s)
			var want, got [][]inspect.Finding
			for _, d := range All {
				got = append(got, d.Detect(tr))
			}
			var kept []gather
			for _, g := range gathers {
				kept = append(kept, *g)
				g.need, g.may = nil, nil
			}
			for _, d := range All {
				want = append(want, d.Detect(tr))
				found += len(want[len(want)-1])
			}
			for i, g := range gathers {
				*g = kept[i]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s\n%.2000s\n%s", s.Method, s.Path, body, diff)
			}
		}
	}
	if found < 1000 {
		t.Errorf("%d findings", found)
	}
}

// exchange puts names of other into body, and makes texts of numbers.
func exchange(r *rand.Rand, body, other []byte) []byte {
	out := bytes.Clone(body)
	for range 3 {
		if from, to := aName(r, out), aName(r, other); from != nil && to != nil {
			out = bytes.ReplaceAll(out, from, to)
		}
		i := r.IntN(len(out))
		if n := bytes.IndexByte(out[i:], ':'); n >= 0 && i+n+1 < len(out) && out[i+n+1]-'0' < 10 {
			i += n
			end := i + 1
			for end < len(out) && out[end]-'0' < 10 {
				end++
			}
			out = bytes.Join([][]byte{out[:i+1], []byte(`"`), out[i+1 : end], []byte(`"`), out[end:]}, nil)
		}
	}
	return out
}

// aName returns one of the names of a JSON object, with its quotes.
func aName(r *rand.Rand, b []byte) []byte {
	end := []byte(`":`)
	n := bytes.Count(b, end)
	if n == 0 {
		return nil
	}
	at := 0
	for range 1 + r.IntN(n) {
		at += bytes.Index(b[at:], end) + len(end)
	}
	start := bytes.LastIndexByte(b[:at-len(end)], '"')
	if start < 0 {
		return nil
	}
	return bytes.Clone(b[start:at])
}
