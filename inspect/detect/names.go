package detect

import "constat/inspect"

// ofCell returns what is known of the name of a cell.
func ofCell[T any](names *inspect.Known[T], x *cell) T {
	if x.name == x.Name {
		return names.Of(x.Part)
	}
	return names.OfValue(x.name)
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

// ifShort is look for names that are not too long to mean anything.
func ifShort[T any](look func(name string) T) func(name string) T {
	return func(name string) (it T) {
		if len(name) <= 2*maxName {
			it = look(name)
		}
		return it
	}
}
