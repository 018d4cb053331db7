package inspect

import (
	"strings"
	"sync/atomic"
)

// Bounds of what is remembered of names beyond a subject. Names that a table has no
// room for, or that are longer, are looked up each time.
const (
	mostNames   = 4096
	longestName = 128 // bytes
)

// nameTable is where a build keeps the names that it has met, and what detectors
// found out of them, from one subject to the next: what a phone sends has the same
// names again and again. It belongs to one goroutine at a time. What is in it is
// a function of the names alone, so that it makes nothing depend on what was
// inspected before.
type nameTable struct {
	ids   map[string]uint32 // by name, from 1
	list  []string          // by id
	next  []uint32          // by id: that of the name that followed it last, 0 none
	tree  []uint32          // by id: number in the tree at hand, 0 none
	of    []uint32          // by number in the tree at hand: id, 0 for a name that has none
	last  uint32            // id of the name numbered last
	other map[string]uint32 // numbers in the tree at hand of names that have no id
	facts []forgetter       // by slot of NameFacts
	// given says that the tree was given away: others may use it at the same time, so
	// that nothing may change.
	given bool
}

type forgetter interface{ forget() }

func newNameTable() *nameTable {
	return &nameTable{ids: make(map[string]uint32), list: make([]string, 1), next: make([]uint32, 1), tree: make([]uint32, 1), of: make([]uint32, 1)}
}

// id returns the number of a name in the table, which it is put into when there is
// room; 0 when there is none.
func (t *nameTable) id(name string) uint32 {
	id := t.ids[name]
	if id == 0 && name != "" && t.has(len(name)) {
		id = t.add(strings.Clone(name))
	}
	return id
}

// has says that there is room for a name of n bytes.
func (t *nameTable) has(n int) bool {
	return n <= longestName && len(t.list) <= mostNames && !t.given
}

func (t *nameTable) add(name string) uint32 {
	id := uint32(len(t.list))
	t.ids[name] = id
	t.list, t.next, t.tree = append(t.list, name), append(t.next, 0), append(t.tree, 0)
	return id
}

// number returns the number that a name has in a tree, and the name as it is to be
// kept. Mostly it is the one that followed the name before it the last time.
func (t *nameTable) number(tree *Tree, name string) (string, uint32) {
	if name == "" {
		return "", 0
	}
	id := t.next[t.last]
	if id == 0 || t.list[id] != name {
		id = t.id(name)
		t.next[t.last] = id
	}
	t.last = id
	n := t.tree[id]
	if id == 0 {
		n = t.other[name]
	} else {
		name = t.list[id]
	}
	if n == 0 {
		tree.Names, t.of = append(tree.Names, name), append(t.of, id)
		n = uint32(len(tree.Names))
		if id != 0 {
			t.tree[id] = n
		} else {
			if t.other == nil {
				t.other = make(map[string]uint32)
			}
			t.other[name] = n
		}
	}
	return name, n
}

// leave ends the work on a tree. A table that is half full is emptied: the next
// subject finds room for its names.
func (t *nameTable) leave() {
	for _, id := range t.of {
		t.tree[id] = 0
	}
	if t.of, t.last, t.other = t.of[:1], 0, nil; cap(t.of) > 2*mostNames {
		t.of = make([]uint32, 1)
	}
	if len(t.list) <= mostNames/2 {
		return
	}
	clear(t.ids)
	clear(t.list)
	clear(t.next)
	t.list, t.next, t.tree = t.list[:1], t.next[:1], t.tree[:1]
	for _, f := range t.facts {
		if f != nil {
			f.forget()
		}
	}
}

// NameFacts is something that can be found out of a name. It is made once, as a
// variable of a package:
//
//	var ages = inspect.NewNameFacts(lookAge)
//
// and asked once for each tree:
//
//	names := ages.In(t)
//	for _, p := range t.Parts {
//		age := names.Of(p)
//
// Then lookAge is called once for each different name, in most trees not at all: the
// answers are remembered for the subjects that come. It must be a function of the
// name alone, and its answers must hold nothing that is large. NameFacts is safe for
// concurrent use.
type NameFacts[T any] struct {
	look func(name string) T
	slot int
}

// nameFacts counts the NameFacts that there are.
var nameFacts atomic.Int32

// NewNameFacts returns the NameFacts that look finds out.
func NewNameFacts[T any](look func(name string) T) *NameFacts[T] {
	return &NameFacts[T]{look, int(nameFacts.Add(1)) - 1}
}

// In returns what is known of the names of a tree. It is valid as long as the tree
// is, and of no use to several goroutines at a time.
func (f *NameFacts[T]) In(t *Tree) *Known[T] {
	x := t.table
	if x == nil || x.given {
		return &Known[T]{look: f.look, table: x}
	}
	if f.slot >= len(x.facts) {
		x.facts = append(x.facts, make([]forgetter, f.slot+1-len(x.facts))...)
	}
	k, _ := x.facts[f.slot].(*Known[T])
	if k == nil {
		k = &Known[T]{look: f.look, table: x}
		x.facts[f.slot] = k
	}
	return k
}

// Known answers what NameFacts ask.
type Known[T any] struct {
	look   func(name string) T
	table  *nameTable // nil for a tree that no Inspector made
	facts  []fact[T]  // by id
	values []valueFact[T]
}

type fact[T any] struct {
	it    T
	known bool
}

// valueFact is what is known of a value that is used as a name.
type valueFact[T any] struct {
	name string
	it   T
}

// fewValues is how many values that are used as names are remembered.
const fewValues = 64

// Of returns what is known of the name of p. A part that is in no tree, or that is
// a copy under another name, may be asked about, too.
func (k *Known[T]) Of(p *Part) T { return k.of(p.name, p.Name) }

// OfColumn returns what is known of the name of the fields of c.
func (k *Known[T]) OfColumn(c *Column) T { return k.of(uint32(c.NameID), c.Name) }

// OfName returns what is known of any name: that of an object around a field, or
// the place of a record. It is slower than Of. It is not meant for values, which
// would push the names out.
func (k *Known[T]) OfName(name string) T {
	if k.table != nil {
		if id := k.table.id(name); id != 0 {
			return k.at(id)
		}
	}
	return k.look(name)
}

// OfBytes is OfName for bytes.
func (k *Known[T]) OfBytes(name []byte) T {
	if t := k.table; t != nil {
		id := t.ids[string(name)]
		if id == 0 && len(name) > 0 && t.has(len(name)) {
			id = t.add(string(name))
		}
		if id != 0 {
			return k.at(id)
		}
	}
	return k.look(string(name))
}

func (k *Known[T]) of(number uint32, name string) T {
	if t := k.table; t != nil && int(number) < len(t.of) {
		if id := t.of[number]; t.list[id] == name && id != 0 {
			return k.at(id)
		}
	}
	return k.OfValue(name)
}

// OfValue returns what is known of a value that is used as a name: the key of a
// list of keys and values, the head of a table. Few of them are remembered.
func (k *Known[T]) OfValue(name string) T {
	n := len(name)
	if n == 0 || n > longestName {
		return k.look(name)
	}
	if k.values == nil {
		k.values = make([]valueFact[T], fewValues)
	}
	v := &k.values[(uint(name[0])+5*uint(name[n-1])+11*uint(name[n/2])+31*uint(n))%fewValues]
	if v.name != name {
		it := k.look(name)
		v.name, v.it = strings.Clone(name), it
	}
	return v.it
}

func (k *Known[T]) at(id uint32) T {
	if int(id) >= len(k.facts) {
		k.facts = append(k.facts, make([]fact[T], len(k.table.list)-len(k.facts))...)
	}
	f := &k.facts[id]
	if !f.known {
		it := k.look(k.table.list[id])
		f.it, f.known = it, true
	}
	return f.it
}

func (k *Known[T]) forget() {
	clear(k.facts)
	clear(k.values)
}
