package ui

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestCached(t *testing.T) {
	var c cached[int]
	n := 0
	count := func() (int, error) { n++; return n, nil }
	fail := errors.New("locked")
	if _, err := c.get(func() (int, error) { return 0, fail }); !errors.Is(err, fail) {
		t.Errorf("error %v", err)
	}
	for range 3 {
		if v, err := c.get(count); v != 1 || err != nil {
			t.Errorf("get = %d, %v; want 1, read once", v, err)
		}
	}
	c.last.Load().due = time.Now()
	// While one reads, others take what there is.
	v, err := c.get(func() (int, error) {
		if v, err := c.get(count); v != 1 || err != nil {
			t.Errorf("get while another reads = %d, %v", v, err)
		}
		return count()
	})
	if v != 2 || err != nil {
		t.Errorf("get when due = %d, %v", v, err)
	}
}

func TestNextIsAdaptive(t *testing.T) {
	start := time.Now().Add(-time.Second)
	if wait := next(start).Sub(start); wait < 20*time.Second {
		t.Errorf("what took a second is read again after %v", wait)
	}
	start = time.Now()
	if wait := next(start).Sub(start); wait > pollEvery {
		t.Errorf("what took no time is read again after %v", wait)
	}
}

func FuzzShorten(f *testing.F) {
	for _, s := range []string{"", "a", strings.Repeat("é", 300), strings.Repeat("\xff", 500), "\u202eabc\x1b[0m", strings.Repeat("a", maxText-1) + "世界"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := shorten(s)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\u202e\x1b\x00\n\r\t") {
			t.Errorf("shorten(%q) = %q", s, got)
		}
		// A byte that is no UTF-8 becomes three.
		if len(got) > 3*maxText+len("…") {
			t.Errorf("shorten makes %d bytes of %d", len(got), len(s))
		}
	})
}
