package datagram

import (
	"sync"
	"time"
)

// RefusedFor is how long a Table remembers a flow that was refused. Clients of QUIC
// repeat their first datagrams for some seconds when nobody answers (RFC 9002
// section 6.2.1: after 1, 2, 4 … seconds).
const RefusedFor = 30 * time.Second

// A Table finds the Flow that a datagram belongs to. K says which datagrams belong
// together. The zero value is not usable.
type Table[K comparable] struct {
	max int

	mu     sync.Mutex
	flows  map[K]*Flow
	closed bool
}

// NewTable returns a Table that knows at most limit flows at a time. For one more,
// the one that was idle for longest ends.
func NewTable[K comparable](limit int) *Table[K] {
	return &Table[K]{max: limit, flows: map[K]*Flow{}}
}

// Deliver gives b, which it copies, to the flow of key. If there is none, open makes
// it and Deliver returns it; open may return nil, and the datagram is dropped. open is
// called with the Table locked.
func (t *Table[K]) Deliver(key K, b []byte, open func() *Flow) *Flow {
	t.mu.Lock()
	f := t.flows[key]
	switch {
	case t.closed:
		t.mu.Unlock()
		return nil
	case f != nil && f.isRefused():
		if f.idle() < RefusedFor {
			t.mu.Unlock()
			_ = f.unreachable()
			return nil
		}
		delete(t.flows, key)
		f = nil
	}
	fresh := f == nil
	var evicted *Flow
	if fresh {
		if f = open(); f == nil {
			t.mu.Unlock()
			return nil
		}
		f.open(func() { t.remove(key, f) })
		if len(t.flows) >= t.max {
			evicted = t.evict()
		}
		t.flows[key] = f
	}
	t.mu.Unlock()
	if evicted != nil {
		evicted.end()
	}
	f.push(b)
	if fresh {
		return f
	}
	return nil
}

// evict takes the flow off the table that was idle for longest.
func (t *Table[K]) evict() *Flow {
	var at K
	var oldest *Flow
	longest := time.Duration(-1)
	for key, f := range t.flows {
		if idle := f.idle(); idle > longest {
			at, oldest, longest = key, f, idle
		}
	}
	delete(t.flows, at)
	return oldest
}

// remove takes f off the table, unless another flow has its place.
func (t *Table[K]) remove(key K, f *Flow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.flows[key] == f {
		delete(t.flows, key)
	}
}

// Close ends all flows: their readers get what came before, then io.EOF.
func (t *Table[K]) Close() {
	t.mu.Lock()
	flows := t.flows
	t.flows, t.closed = nil, true
	t.mu.Unlock()
	for _, f := range flows {
		f.end()
	}
}

// idle is how long ago the last datagram passed, in either direction.
func (f *Flow) idle() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.used)
}

func (f *Flow) isRefused() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused
}
