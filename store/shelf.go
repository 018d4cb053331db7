package store

import (
	"sync"
	"weak"
)

// shelf lends memory for bodies that are too large to stay in it between commit
// and inspection. What was read last is still there when the same body is
// wanted again; what nobody holds is the garbage collector's to take. It is
// safe for concurrent use.
type shelf struct {
	mu   sync.Mutex
	list []weak.Pointer[volume] // the one lent last at the end
}

// maxShelf is how many volumes are looked through.
const maxShelf = 4

// volume is a body on the shelf, or room for one. While it is lent its content
// must not be changed, but by the only holder of one that is not complete.
type volume struct {
	sum  digest
	data []byte

	// Below: guarded by shelf.mu.

	complete bool // data is the body
	holders  int
}

// lend returns a volume for the n kept bytes of the body with the hash sum; it
// is given back with put. If it is not complete, the caller fills it.
func (s *shelf) lend(sum digest, n int) (v *volume, complete bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var idle *volume
	list := s.list[:0]
	for _, p := range s.list {
		x := p.Value()
		if x == nil {
			continue
		}
		list = append(list, p)
		switch {
		case x.complete && x.sum == sum && len(x.data) == n:
			v = x
		case x.holders == 0 && cap(x.data) >= n && idle == nil:
			idle = x
		}
	}
	clear(s.list[len(list):])
	s.list = list
	if v == nil {
		if v = idle; v == nil {
			const step = 1 << 20
			v = &volume{data: make([]byte, n, (n+step-1)/step*step)}
		}
		v.sum, v.data, v.complete = sum, v.data[:n], false
	}
	v.holders++
	p := weak.Make(v)
	for i := range s.list {
		if s.list[i] == p {
			s.list = append(s.list[:i], s.list[i+1:]...)
			break
		}
	}
	if len(s.list) >= maxShelf {
		s.list = append(s.list[:0], s.list[1:]...)
	}
	s.list = append(s.list, p)
	return v, v.complete
}

// filled says that v has become complete.
func (s *shelf) filled(v *volume) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.complete = true
}

func (s *shelf) put(v *volume) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.holders--
}

// A loan is what one inspection has lent from a shelf. It belongs to one
// goroutine.
type loan struct {
	shelf *shelf
	held  []*volume
}

// room returns n bytes for a body, and what to call once they are filled, which
// is nil when they are. A nil loan lends memory for good.
func (l *loan) room(sum digest, n int) (data []byte, filled func()) {
	if l == nil {
		return make([]byte, n), func() {}
	}
	v, complete := l.shelf.lend(sum, n)
	l.held = append(l.held, v)
	if complete {
		return v.data, nil
	}
	return v.data, func() { l.shelf.filled(v) }
}

// end gives everything back.
func (l *loan) end() {
	for _, v := range l.held {
		l.shelf.put(v)
	}
	l.held = nil
}
