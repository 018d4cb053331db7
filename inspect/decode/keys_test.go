package decode

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"constat/inspect"
)

// Whatever keys repeat, in an object or around it, no two values have one path.
func TestKeys(t *testing.T) {
	in := newInspector(t, inspect.Limits{})
	check := func(body string) {
		tree, _ := in.Unwrap(t.Context(), &inspect.Subject{Request: inspect.Content{Body: []byte(body)}})
		if len(tree.Parts) == 1 && strings.ContainsAny(body, "0123456789") {
			t.Errorf("nothing taken out of %.200s", body)
		}
		seen := make(map[inspect.Path]bool, len(tree.Parts))
		for _, p := range tree.Parts {
			if seen[p.Path] {
				t.Errorf("two parts have the path %q, of %.200s", p.Path, body)
			}
			seen[p.Path] = true
		}
	}
	r := rand.New(rand.NewPCG(3, 3))
	names := []string{"a", "b", "cc", "aa", "b c", `a`, `\"`, "é", strings.Repeat("long", 20)}
	var value func(depth int) string
	value = func(depth int) string {
		switch n := r.IntN(8); {
		case n == 0 && depth > 0, n == 1 && depth > 0:
			var list []string
			for range r.IntN(4) {
				list = append(list, value(depth-1))
			}
			return "[" + strings.Join(list, ",") + "]"
		case n < 6 && depth > 0:
			var list []string
			for range r.IntN(5) {
				colon := []string{":", " :", ": "}[r.IntN(3)]
				list = append(list, `"`+names[r.IntN(len(names))]+`"`+colon+value(depth-1))
			}
			return "{" + strings.Join(list, ", ") + "}"
		}
		return fmt.Sprint(r.IntN(10))
	}
	for range 2000 {
		check("[" + value(5) + "]")
	}
	object := func(n int) string { // that has n keys and then the first again
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"k%d":%d,`, i, i)
		}
		return `{` + b.String() + `"x":{"k0":1},"k0":2}`
	}
	for _, n := range []int{1, 30, 70, 200} {
		check(object(n))
	}
	check("[" + object(mostKeys-10) + `,{"y":1,"z1":2,"z2":3,"z3":4,"z4":5,"z5":6,"z6":7,"z7":8,"z8":9,"z9":10,"z9":11,"z8":12}]`)
}
