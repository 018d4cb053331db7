package store

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"

	"constat/proxy/flow"
)

// TestPrefix reads the beginnings of bodies into memory that others have used.
func TestPrefix(t *testing.T) {
	c := newCase(t)
	var s shelf
	for n, data := range [][]byte{
		random(3*flow.ChunkSize+17, 1),
		bytes.Repeat([]byte("this becomes smaller "), flow.ChunkSize/7),
		random(2*flow.ChunkSize, 2),
	} {
		e := testExchange(n, nil, nil)
		if err := c.Begin(e); err != nil {
			t.Fatal(err)
		}
		e.Response.Body = stream(t, c, e, data, 1<<30, true)
		if err := c.Commit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		stored, err := c.Exchange(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, limit := range []int{1, flow.ChunkSize - 1, flow.ChunkSize, flow.ChunkSize + 1, 2*flow.ChunkSize + 5, 2*flow.ChunkSize + 5, 0} {
			want := data
			if limit != 0 {
				want = data[:min(limit, len(data))]
			}
			for _, b := range []*flow.Body{e.Response.Body, stored.Response.Body} {
				for _, l := range []*loan{nil, {shelf: &s}} {
					got, more, err := c.prefix(t.Context(), b, int64(limit), l)
					if err != nil || more != (len(want) < len(data)) || !bytes.Equal(got, want) {
						t.Errorf("body %d, limit %d: %d bytes, more %v, %v", n, limit, len(got), more, err)
					}
					if l != nil {
						l.end()
					}
				}
			}
		}
	}
}

// TestPrefixDamaged wants an error where chunks are missing, and not what was in
// the memory before.
func TestPrefixDamaged(t *testing.T) {
	for _, parent := range []string{
		"1", // chunks 1, 3: one is missing
		"3", // a circle
		"NULL",
	} {
		cfg := testConfig(t)
		c, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		e := testExchange(1, nil, nil)
		if err := c.Begin(e); err != nil {
			t.Fatal(err)
		}
		e.Response.Body = stream(t, c, e, random(3*flow.ChunkSize, 1), 1<<30, true)
		if err := c.Commit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		tamper(t, cfg.Path, "UPDATE chunk SET parent = "+parent+" WHERE id = 3")
		r, err := OpenReader(t.Context(), cfg.Path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		damaged, err := r.Exchange(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		l := &loan{shelf: new(shelf)}
		if data, _, err := r.prefix(t.Context(), damaged.Response.Body, 0, l); err == nil || data != nil {
			t.Errorf("parent %s: %d bytes and no error", parent, len(data))
		}
		l.end()
		if v, complete := l.shelf.lend(damaged.Response.Body.KeptSHA256(), 3*flow.ChunkSize); complete {
			t.Errorf("parent %s: %d bytes stay as the body", parent, len(v.data))
		}
	}
}

func TestShelf(t *testing.T) {
	var s shelf
	a, complete := s.lend(digest{1}, 100)
	if complete || len(a.data) != 100 {
		t.Fatalf("the first one has %d bytes, complete %v", len(a.data), complete)
	}
	if b, complete := s.lend(digest{1}, 100); complete || b == a {
		t.Error("one that is being filled was lent again")
	}
	s.filled(a)
	if b, complete := s.lend(digest{1}, 100); !complete || b != a {
		t.Error("one that is complete was not lent again")
	}
	if b, complete := s.lend(digest{1}, 99); complete || b == a {
		t.Error("another part of the body was taken for it")
	}
	s.put(a)
	if b, complete := s.lend(digest{2}, 50); complete || b == a {
		t.Error("one that is held was lent to somebody else")
	}
	s.put(a)
	if b, complete := s.lend(digest{2}, 50); complete || b != a || len(b.data) != 50 {
		t.Error("one that nobody holds was not used again")
	}
}

// TestShelfConcurrent has many hold and fill volumes at once: nobody's content
// may change.
func TestShelfConcurrent(t *testing.T) {
	var s shelf
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 1))
			for range 2000 {
				sum := byte(r.IntN(6))
				v, complete := s.lend(digest{sum}, 64)
				if !complete {
					for i := range v.data {
						v.data[i] = sum
					}
					if r.IntN(4) > 0 {
						s.filled(v)
					}
				}
				if bytes.Count(v.data, []byte{sum}) != len(v.data) {
					t.Errorf("a volume of %d holds something else", sum)
				}
				s.put(v)
			}
		})
	}
	wg.Wait()
}
