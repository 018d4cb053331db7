package detect

import "constat/inspect"

// nameMemo remembers what was found out about the names of one tree, of which
// there are few for many fields.
type nameMemo[T any] struct {
	few  [fewNames]known[T]
	many []known[T] // of trees with more names
	n    int
}

const fewNames = 40

type known[T any] struct {
	name string // "" when nothing is known yet
	it   T
}

func newNameMemo[T any](t *inspect.Tree) nameMemo[T] { return nameMemo[T]{n: len(t.Names) + 1} }

// of returns what look says of the name of p.
func (m *nameMemo[T]) of(p *inspect.Part, look func(name string) T) T {
	id := p.NameID()
	var k *known[T]
	switch {
	case id == 0:
		return look(p.Name)
	case id < fewNames:
		k = &m.few[id]
	default:
		if m.many == nil {
			m.many = make([]known[T], max(m.n, id+1))
		}
		k = &m.many[id]
	}
	if k.name != p.Name {
		if k.name != "" {
			return look(p.Name) // the rows of tables are parts with other names
		}
		k.name, k.it = p.Name, look(p.Name)
	}
	return k.it
}

// ofCell is like of, for the name of a cell.
func (m *nameMemo[T]) ofCell(x *cell, look func(name string) T) T {
	if x.name == x.Name {
		return m.of(x.Part, look)
	}
	return look(x.name)
}

// ofBytes is like of, for a name that is a value.
func (m *memo[T]) ofBytes(name []byte, look func(string) T) T {
	n := len(name)
	if n == 0 || n > 2*maxName {
		var none T
		return none
	}
	i := (uint(name[0]) + 5*uint(name[n-1]) + 11*uint(name[n/2]) + 31*uint(n)) & 63
	if m.names[i] != string(name) {
		s := string(name)
		m.names[i], m.found[i] = s, look(s)
	}
	return m.found[i]
}
