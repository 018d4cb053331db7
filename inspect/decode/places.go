package decode

import (
	"strconv"

	"constat/inspect"
)

// places builds the children of formats that hold the same as JSON, with the
// arguments, names and groups that JSON would give them. Values are given in the
// order of the document: put before each one the index or key inside the
// container that was opened last.
type places struct {
	s      *scanner
	values [][]byte
}

// newPlaces returns places for at most most values. Somebody must call done.
func newPlaces(most int) *places {
	b := &places{s: scanners.Get().(*scanner)}
	b.s.reset(nil, 0, most)
	b.s.repeats = true
	return b
}

func (b *places) done() { b.s.release() }

// open begins an object or array, and says no if it stands too deep.
func (b *places) open(array bool) bool {
	if len(b.s.stack) == jsonDepth {
		return false
	}
	b.s.push(array)
	b.s.stack[len(b.s.stack)-1].index = -1
	return true
}

// end ends the container that was opened last.
func (b *places) end() { b.s.pop() }

// element moves to the next place of an array.
func (b *places) element() {
	s := b.s
	top := &s.stack[len(s.stack)-1]
	top.index++
	s.place = append(s.place[:top.base], '[')
	s.place = append(strconv.AppendInt(s.place, int64(top.index), 10), ']')
}

// field moves to the place of a key.
func (b *places) field(key []byte) { b.s.key(&b.s.stack[len(b.s.stack)-1], key, false) }

// value adds a value, and says no if there are too many.
func (b *places) value(data []byte, kind inspect.Kind) bool {
	if b.s.leaf(0, 0, kind, false) != nil {
		return false
	}
	b.values = append(b.values, data)
	return true
}

// children returns all of them.
func (b *places) children(w *inspect.Work) []inspect.Child {
	children, _ := b.s.children(w)
	for i := range children {
		children[i].Data = b.values[i]
	}
	return children
}
