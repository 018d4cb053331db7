package canary

import (
	"encoding/binary"
	"slices"
)

// block is how many bytes are hashed to decide how far to skip, and window how
// many bytes of each pattern take part at most.
const (
	block     = 3
	maxWindow = 8
	minWindow = 6
	tableBits = 18
	// Passages of texts are long and few.
	quoteWindow = 14
	quoteBits   = 15
)

// pattern is one form of one value.
type pattern struct {
	text   []byte // letters A to Z folded to lower case when fold
	canary int    // index into Persona.Canaries
	form   string
	fold   bool // ASCII case does not matter
	word   bool // must not touch a letter or digit
	weak   bool // counts only where something says what it is
	// near, when set, must stand within nearby bytes of a match: its partner.
	near []byte
	// rawNear: near is any bytes and need not be a word.
	rawNear bool
	// tail holds the known bits of the base64 character after text, tailBits
	// how many they are: what is left of a value that ends inside a character.
	tail, tailBits uint8
	// digits is how many digits an encoded number has: one more before or behind
	// them makes it another number. offset is where it begins in a group of base64.
	digits, offset uint8
	code           encoding
	// photo: text is Photo.Anchor, found somewhere in the bytes of the file.
	photo bool
}

// search finds many patterns in one pass over the text, after S. Wu and U.
// Manber, "A fast algorithm for multi-pattern searching", 1994: a window slides
// along, and the hash of its last three bytes says how far it may jump because
// no pattern has such a block nearer. Blocks are hashed with bit 5 set, which
// folds the case of letters; equality is then checked pattern by pattern.
type search struct {
	patterns []pattern
	window   int
	drop     uint    // bits of a hash that the tables have no room for
	shift    []uint8 // by hash: how far the window may move
	first    []int32 // by hash: where its patterns start in order, when shift is 0
	order    []int32
	prefix   []uint32 // by position in order: first four bytes, bit 5 set
}

const foldMask = 0x20202020

func blockHash(v uint32, drop uint) uint32 { return (v & 0xffffff) * 0x9e3779b1 >> (drop & 31) }

func loadBlock(b []byte, end int, drop uint) uint32 {
	return blockHash((uint32(b[end-2])|uint32(b[end-1])<<8|uint32(b[end])<<16)|foldMask&0xffffff, drop)
}

// newSearch drops patterns that are shorter than minWindow: they cannot be
// proof. Its tables have two to the power of bits entries.
func newSearch(patterns []pattern, widest, bits int) *search {
	patterns = slices.DeleteFunc(patterns, func(p pattern) bool { return len(p.text) < minWindow })
	s := &search{patterns: patterns, window: widest, drop: uint(32 - bits)}
	for _, p := range patterns {
		s.window = min(s.window, len(p.text))
	}
	far := uint8(s.window - block + 1)
	s.shift = make([]uint8, 1<<bits)
	for i := range s.shift {
		s.shift[i] = far
	}
	last := make([]uint32, len(patterns))
	for i, p := range patterns {
		for end := block - 1; end < s.window; end++ {
			h := loadBlock(p.text, end, s.drop)
			s.shift[h] = min(s.shift[h], uint8(s.window-1-end))
			last[i] = h
		}
		s.order = append(s.order, int32(i))
	}
	slices.SortStableFunc(s.order, func(a, b int32) int { return int(last[a]) - int(last[b]) })
	s.first = make([]int32, 1<<bits+1)
	for _, i := range s.order {
		s.first[last[i]+1]++
	}
	for h := range 1 << bits {
		s.first[h+1] += s.first[h]
	}
	s.prefix = make([]uint32, len(s.order))
	for at, i := range s.order {
		s.prefix[at] = binary.LittleEndian.Uint32(patterns[i].text) | foldMask
	}
	return s
}

// scan calls found for each match, with the index of the pattern and where it
// starts, until found returns false.
func (s *search) scan(data []byte, found func(pattern int32, start int) bool) {
	if len(s.patterns) == 0 {
		return
	}
	shift := s.shift
	for end := s.window - 1; end < len(data); {
		h := loadBlock(data, end, s.drop)
		if n := shift[h]; n != 0 {
			end += int(n)
			continue
		}
		start := end - s.window + 1
		prefix := binary.LittleEndian.Uint32(data[start:]) | foldMask
		for at := s.first[h]; at < s.first[h+1]; at++ {
			if s.prefix[at] != prefix {
				continue
			}
			i := s.order[at]
			p := &s.patterns[i]
			if len(data)-start < len(p.text) || !equal(data[start:start+len(p.text)], p.text, p.fold) {
				continue
			}
			if p.tailBits > 0 && !p.tailFits(data[start+len(p.text):]) {
				continue
			}
			if p.word && !standsAlone(data, start, start+len(p.text)) {
				continue
			}
			if !found(i, start) {
				return
			}
		}
		end++
	}
}

// tailFits says whether rest begins with a base64 character, of either
// alphabet, that has the pattern's bits.
func (p *pattern) tailFits(rest []byte) bool {
	if len(rest) == 0 {
		return false
	}
	c := rest[0]
	var v uint8
	switch {
	case c-'A' < 26:
		v = c - 'A'
	case c-'a' < 26:
		v = c - 'a' + 26
	case c-'0' < 10:
		v = c - '0' + 52
	case c == '+', c == '-':
		v = 62
	case c == '/', c == '_':
		v = 63
	default:
		return false
	}
	return v>>(6-p.tailBits) == p.tail
}

func equal(data, text []byte, fold bool) bool {
	if !fold {
		return string(data) == string(text)
	}
	for i, c := range data {
		if lower(c) != text[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c-'A' < 26 {
		c += 'a' - 'A'
	}
	return c
}

func foldASCII(b []byte) []byte {
	b = slices.Clone(b)
	for i, c := range b {
		b[i] = lower(c)
	}
	return b
}

// standsAlone says that no ASCII letter or digit touches data[start:end].
func standsAlone(data []byte, start, end int) bool {
	return (start == 0 || !alnum(data[start-1])) && (end == len(data) || !alnum(data[end]))
}

func alnum(c byte) bool { return c-'0' < 10 || lower(c)-'a' < 26 }
