package main

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

// TestSame checks that the comparison sees a byte that is changed, missing or too
// many: the whole benchmark rests on it.
func TestSame(t *testing.T) {
	for _, size := range []int{small, report, 64 << 10, 64<<10 + 1, large} {
		body, err := io.ReadAll(payload(7, size))
		if err != nil || len(body) != size {
			t.Fatalf("payload of %d bytes, want %d: %v", len(body), size, err)
		}
		if !same(bytes.NewReader(body), 7, size) || !same(iotest.HalfReader(bytes.NewReader(body)), 7, size) {
			t.Errorf("%d bytes: the right body does not compare", size)
		}
		changed := bytes.Clone(body)
		changed[size-1] ^= 1
		for name, wrong := range map[string]io.Reader{
			"other number": payload(8, size),
			"changed":      bytes.NewReader(changed),
			"short":        bytes.NewReader(body[:size-1]),
			"long":         bytes.NewReader(append(bytes.Clone(body), 0)),
			"broken off":   io.MultiReader(bytes.NewReader(body), iotest.ErrReader(io.ErrClosedPipe)),
			"empty":        bytes.NewReader(nil),
		} {
			if same(wrong, 7, size) {
				t.Errorf("%d bytes: %s compares", size, name)
			}
		}
	}
}
