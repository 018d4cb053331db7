package inspect_test

import (
	"net/http"
	"testing"

	"constat/inspect"
	"constat/inspect/decode"
)

func TestNames(t *testing.T) {
	in, err := inspect.New(inspect.Config{Decoders: decode.All})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // trees use the same memory
		tree, _ := in.Unwrap(t.Context(), &inspect.Subject{
			Path: "/", Query: "b=1&c=2", Request: inspect.Content{Header: http.Header{"X-A": {"1"}}},
			Response: inspect.Content{Body: []byte(`[{"a":1,"b":2},{"a":3,"b":4,"c":{"a":5}},{"b":6,"":7}]`)},
		})
		seen := make(map[string]bool)
		for _, p := range tree.Parts {
			id := p.NameID()
			if (id == 0) != (p.Name == "") || id > 0 && tree.Names[id-1] != p.Name {
				t.Errorf("%s: name %q has the number %d of %q", p.Path, p.Name, id, tree.Names)
			}
			seen[p.Name] = true
		}
		delete(seen, "")
		if len(seen) != len(tree.Names) || len(seen) != 4 {
			t.Errorf("names %q, want those of %v", tree.Names, seen)
		}
	}
	if id := new(inspect.Part).NameID(); id != 0 {
		t.Errorf("a part in no tree has the number %d", id)
	}
}
