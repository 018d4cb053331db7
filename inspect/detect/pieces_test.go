package detect

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzPieces searches for the words one by one as well.
func FuzzPieces(f *testing.F) {
	for _, w := range append(append([]string{}, labelWords...), wishWords...) {
		f.Add([]byte(w))
		f.Add([]byte("x " + strings.ToUpper(w) + "\xff"))
		f.Add([]byte(w[:len(w)-1]))
	}
	f.Add([]byte("K\u212aÉÇİ"))
	f.Fuzz(func(t *testing.T, b []byte) {
		low := bytes.ToLower(b)
		for _, x := range []struct {
			set   *pieces
			words []string
		}{{wishes, wishWords}, {hints, append(append([]string{}, wishWords...), labelWords...)}} {
			want := false
			for _, w := range x.words {
				want = want || bytes.Contains(low, []byte(w))
			}
			if got := x.set.in(b); got != want {
				t.Errorf("in(%q) = %v", b, got)
			}
		}
	})
}
