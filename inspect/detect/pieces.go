package detect

import (
	"bytes"
	"strings"
)

// pieces are words that texts are searched for, in small letters: whatever stands
// around them, and in one pass however many they are.
type pieces struct {
	may     [1024]uint64 // by their first two bytes, as bits
	byStart map[uint16][]string
}

func newPieces(lists ...[]string) *pieces {
	s := &pieces{byStart: make(map[uint16][]string)}
	for _, words := range lists {
		for _, w := range words {
			if len(w) < 2 || strings.ToLower(w) != w {
				panic("detect: a word for texts is too short or not in small letters")
			}
			i := uint16(w[0])<<8 | uint16(w[1])
			s.may[i>>6] |= 1 << (i & 63)
			s.byStart[i] = append(s.byStart[i], w)
		}
	}
	return s
}

// in says that one of the words is in b, whatever the case there.
func (s *pieces) in(b []byte) bool {
	if !ascii(b) {
		b = bytes.ToLower(b)
	}
	last := byte(0)
	for i, c := range b {
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		two := uint16(last)<<8 | uint16(c)
		if last = c; s.may[two>>6]>>(two&63)&1 != 0 && i > 0 && s.at(b[i-1:], two) {
			return true
		}
	}
	return false
}

// at says that b begins with one of the words that begin with two.
func (s *pieces) at(b []byte, two uint16) bool {
	for _, w := range s.byStart[two] {
		if len(w) <= len(b) && equalFold(string(b[:len(w)]), w) {
			return true
		}
	}
	return false
}
