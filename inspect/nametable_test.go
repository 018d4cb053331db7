package inspect

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

// pairsOf takes lines of names and values apart.
var pairsOf = Decoder{
	Name: "pairs", Doc: "takes lines of names and values apart",
	Decode: func(w *Work, p *Part) ([]Child, error) {
		var out []Child
		if p.Parent != nil {
			return nil, nil
		}
		for line := range bytes.Lines(p.Data) {
			name, value, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte("="))
			if ok {
				out = append(out, Child{Arg: fmt.Sprint(len(out)), Name: string(name), Kind: Text, Data: value})
			}
		}
		return out, nil
	},
}

func lines(names ...string) *Subject {
	var b strings.Builder
	for _, n := range names {
		b.WriteString(n + "=" + n + "\n")
	}
	return &Subject{Request: Content{Body: []byte(b.String())}}
}

// asker is an Inspector whose detector looks up the names of all parts, of their
// columns, and other names, and counts how often a name was worked out.
type asker struct {
	*Inspector
	facts *NameFacts[string]

	mu     sync.Mutex
	looked map[string]int
	tables map[*nameTable]bool
}

func newAsker(t *testing.T) *asker {
	a := &asker{looked: make(map[string]int), tables: make(map[*nameTable]bool)}
	a.facts = NewNameFacts(func(name string) string {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.looked[name]++
		return "said of " + name
	})
	a.Inspector = mustNew(t, Config{Decoders: []Decoder{pairsOf}, Detectors: []Detector{{
		Name: "asker", Class: Notes, Doc: "asks", Detect: func(tree *Tree) []Finding { a.ask(t, tree); return nil },
	}}})
	return a
}

func (a *asker) ask(t *testing.T, tree *Tree) {
	names := a.facts.In(tree)
	check := func(name, got string) {
		if want := "said of " + name; got != want {
			t.Errorf("of %.60q it is known %.60q, want %.60q", name, got, want)
		}
	}
	long := strings.Repeat("long", longestName)
	for _, p := range tree.Parts {
		check(p.Name, names.Of(p))
		if p.NameID() > 0 && tree.Names[p.NameID()-1] != p.Name {
			t.Errorf("%q has the number of %q", p.Name, tree.Names[p.NameID()-1])
		}
		copied := *p
		copied.Name = "renamed"
		check("renamed", names.Of(&copied))
	}
	for _, d := range tree.Documents() {
		for i := range d.Columns {
			check(d.Columns[i].Name, names.OfColumn(&d.Columns[i]))
		}
	}
	check("items[].tags", names.OfName("items[].tags"))
	check("between", names.OfBytes([]byte("between")))
	check("a value", names.OfValue("a value"))
	check("", names.OfValue(""))
	check(long, names.OfValue(long))
	check("", names.OfName(""))
	check("", names.OfBytes(nil))
	check(long, names.OfName(long))
	check(long, names.OfBytes([]byte(long)))
	check("elsewhere", names.Of(&Part{Name: "elsewhere"}))
	check("elsewhere", names.Of(&Part{Name: "elsewhere", name: 1 << 30}))
	a.mu.Lock()
	a.tables[tree.table] = true
	a.mu.Unlock()
}

func TestNameFacts(t *testing.T) {
	a := newAsker(t)
	long := strings.Repeat("n", longestName+1)
	for range 3 { // the second and third find what the first has found out
		if r := a.Inspect(t.Context(), lines("a", "b", "a", long, "b", "c", long)); len(r.Damage) > 0 {
			t.Fatalf("damage: %+v", r.Damage)
		}
		a.Inspect(t.Context(), lines("c", "b", "a", "d"))
	}
	for _, name := range []string{"a", "b", "c", "d", "renamed", "items[].tags", "between", "elsewhere"} {
		// A pool may lose what it was given.
		if n := a.looked[name]; n == 0 || n > len(a.tables) {
			t.Errorf("%q was worked out %d times for %d tables", name, n, len(a.tables))
		}
	}
	if a.looked[long] == 0 {
		t.Error("a long name was not worked out")
	}
}

// TestNameFactsForeign asks about trees whose names are in no table that they
// may change.
func TestNameFactsForeign(t *testing.T) {
	a := newAsker(t)
	a.Inspect(t.Context(), lines("a", "b"))
	for range 2 {
		tree, _ := a.Unwrap(t.Context(), lines("b", "x", "a", "x"))
		size := len(tree.table.list)
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() { a.ask(t, tree) })
		}
		wait.Wait()
		if n := len(tree.table.list); n != size {
			t.Errorf("the table of a tree that was given away grew from %d to %d names", size, n)
		}
	}
	p := &Part{Path: "x", Name: "a"}
	a.ask(t, &Tree{Parts: []*Part{p}})
}

// TestNameTableBounds gives one table a million different names.
func TestNameTableBounds(t *testing.T) {
	looked := 0
	facts := NewNameFacts(func(name string) int { looked++; return len(name) })
	x := newNameTable()
	body := make([]byte, 0, 1<<20)
	for n := 0; n < 1_000_000; {
		tree := &Tree{table: x}
		names := facts.In(tree)
		body = body[:0]
		for range 9_000 {
			start := len(body)
			body = fmt.Appendf(body, "name %d", n)
			name := unsafe.String(&body[start], len(body)-start) // as decoders share the memory of bodies
			n++
			kept, id := x.number(tree, name)
			if again, same := x.number(tree, name); again != kept || same != id || tree.Names[id-1] != name || int(id) != len(tree.Names) {
				t.Fatalf("%q has the numbers %d and %d of %d", name, id, same, len(tree.Names))
			}
			if got := names.Of(&Part{Name: kept, name: id}); got != len(name) {
				t.Fatalf("of %q it is known %d", name, got)
			}
		}
		if len(x.ids) > mostNames || len(x.list) > mostNames+1 {
			t.Fatalf("%d names are kept", len(x.ids))
		}
		from, to := uintptr(unsafe.Pointer(unsafe.SliceData(body))), uintptr(cap(body))
		for _, name := range x.list {
			if at := uintptr(unsafe.Pointer(unsafe.StringData(name))); at-from < to {
				t.Fatal("a name keeps a body alive")
			}
		}
		x.leave()
		tree = &Tree{table: x}
		looked = 0
		for range 3 {
			for _, name := range []string{"a", "b"} {
				kept, id := x.number(tree, name)
				facts.In(tree).Of(&Part{Name: kept, name: id})
			}
		}
		if looked > 2 {
			t.Fatalf("behind %d names, there was no room for two", n)
		}
		x.leave()
	}
	if x.other != nil || len(x.of) != 1 {
		t.Error("names of a tree are kept")
	}
	if c := max(cap(x.list), cap(x.next), cap(x.tree), cap(x.facts[facts.slot].(*Known[int]).facts)); c > 2*mostNames {
		t.Errorf("room for %d names is kept", c)
	}
}

// TestNameFactsConcurrent lets goroutines with different names use one Inspector.
func TestNameFactsConcurrent(t *testing.T) {
	a := newAsker(t)
	var wait sync.WaitGroup
	for g := range 4 {
		wait.Go(func() {
			for i := range 50 {
				a.Inspect(t.Context(), lines("a", fmt.Sprint("b", i%7), fmt.Sprint("c", g), "d"))
			}
		})
	}
	wait.Wait()
}

// TestNameFactsPanic looks names up that a detector does not survive.
func TestNameFactsPanic(t *testing.T) {
	facts := NewNameFacts(func(name string) int {
		if name == "bad" {
			panic("bad")
		}
		return len(name)
	})
	said := 0
	in := mustNew(t, Config{Decoders: []Decoder{pairsOf}, Detectors: []Detector{{
		Name: "asker", Class: Notes, Doc: "asks", Detect: func(tree *Tree) []Finding {
			said = 0
			names := facts.In(tree)
			for _, p := range tree.Parts {
				said += names.Of(p)
			}
			return nil
		},
	}}})
	for range 2 {
		if r := in.Inspect(t.Context(), lines("aa", "bad", "cc")); len(r.Damage) != 1 || r.Damage[0].Reason != damagePanic {
			t.Errorf("damage %+v", r.Damage)
		}
		if in.Inspect(t.Context(), lines("aa", "cc")); said != 4 {
			t.Errorf("the names have %d letters", said)
		}
	}
}
