package canary

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// minWindow is the length of the shortest pattern: shorter ones are no proof.
const minWindow = 6

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

// search finds many patterns in one pass over the text, of which it looks at one
// word of seven bytes and two of four in every eight: wherever a pattern of
// longPattern bytes stands, it holds a whole word of seven bytes that begins at a
// multiple of eight, and a pattern of seven bytes one of four that begins at a
// multiple of four. Words have bit 5 of each byte set, which folds the case of
// letters. Equality is then checked pattern by pattern.
type search struct {
	patterns    []pattern
	long, short words
}

const (
	wordStep    = 8 // how far apart words of seven bytes are looked at
	longWord    = 7
	shortWord   = 4
	longPattern = longWord + wordStep - 1

	longMask   = 1<<(8*longWord) - 1
	shortMask  = 1<<(8*shortWord) - 1
	foldedWord = 0x2020202020202020
)

// words says which patterns have a word, and where: a filter, that says so of few
// other words (B. Bloom, "Space/time trade-offs in hash coding with allowable
// errors", 1970), and the list behind it.
type words struct {
	filter []uint64 // bits, by hash; as many as a power of two
	first  []uint32 // by the first bits of the hash: where in list its words start
	drop   uint     // the bits that are too many for that
	list   []word
}

// word is a word of a pattern.
type word struct {
	hash    uint32
	pattern int32
	at      int32 // where in the pattern
}

func wordHash(w uint64) uint32 { return uint32(w * 0x9e3779b97f4a7c15 >> 32) }

// has says whether the filter lets the word with hash h pass.
func has(filter []uint64, h uint32) bool {
	return filter[uint64(h)>>6&uint64(len(filter)-1)]&(1<<(h&63)) != 0
}

func newWords(list []word) words {
	n := bits.Len(uint(len(list))) // list has less than two to the power of n
	t := words{filter: make([]uint64, 1<<max(n-1, 0)), first: make([]uint32, 1<<n+1), drop: uint(32 - n), list: make([]word, len(list))}
	for _, w := range list {
		t.filter[w.hash>>6&uint32(len(t.filter)-1)] |= 1 << (w.hash & 63)
		t.first[w.hash>>t.drop+1]++
	}
	for i := range 1 << n {
		t.first[i+1] += t.first[i]
	}
	next := slices.Clone(t.first)
	for _, w := range list {
		i := &next[w.hash>>t.drop]
		t.list[*i] = w
		*i++
	}
	return t
}

// newSearch drops patterns that are shorter than minWindow.
func newSearch(patterns []pattern) *search {
	patterns = slices.DeleteFunc(patterns, func(p pattern) bool { return len(p.text) < minWindow })
	var short []word
	long := make([]word, 0, wordStep*len(patterns))
	for i, p := range patterns {
		if len(p.text) >= longPattern {
			for at := range wordStep {
				long = append(long, word{wordHash(loadWord(p.text[at:]) & longMask), int32(i), int32(at)})
			}
			continue
		}
		for at := range shortWord {
			w := loadWord(p.text[at:]) & shortMask
			if at+shortWord <= len(p.text) {
				short = append(short, word{wordHash(w), int32(i), int32(at)})
				continue
			}
			// What follows the pattern is any byte.
			for c := range uint64(256) {
				if c&0x20 != 0 {
					short = append(short, word{wordHash(w&(shortMask>>8) | c<<24), int32(i), int32(at)})
				}
			}
		}
	}
	return &search{patterns, newWords(long), newWords(short)}
}

// load returns the first eight bytes of b, with zeros behind when there are fewer.
func load(b []byte) uint64 {
	if len(b) < 8 {
		var short [8]byte
		copy(short[:], b)
		b = short[:]
	}
	return binary.LittleEndian.Uint64(b)
}

// loadWord is load with folded letters.
func loadWord(b []byte) uint64 { return load(b) | foldedWord }

// next returns the first multiple of wordStep from at on where a word may be of a
// pattern, or where less than eight bytes are left.
func (s *search) next(data []byte, at int) int {
	long, short := s.long.filter, s.short.filter
	if len(long) == 0 || len(short) == 0 {
		return len(data)
	}
	if len(s.short.list) == 0 {
		for at <= len(data)-8 && !has(long, wordHash(binary.LittleEndian.Uint64(data[at:])&longMask|foldedWord&longMask)) {
			at += wordStep
		}
		return at
	}
	for ; at <= len(data)-8; at += wordStep {
		w := binary.LittleEndian.Uint64(data[at:]) | foldedWord
		if has(long, wordHash(w&longMask)) || has(short, wordHash(w&shortMask)) || has(short, wordHash(w>>32)) {
			break
		}
	}
	return at
}

// scan calls found for each match, with the index of the pattern and where it
// starts, until found returns false.
func (s *search) scan(data []byte, found func(pattern int32, start int) bool) {
	for at := s.next(data, 0); at < len(data); at = s.next(data, at+wordStep) {
		w := loadWord(data[at:])
		if !s.check(&s.long, w&longMask, data, at, found) || !s.check(&s.short, w&shortMask, data, at, found) || !s.check(&s.short, w>>32, data, at+shortWord, found) {
			return
		}
	}
}

// check calls found for each pattern that stands in data so that it has the word
// w at data[at:].
func (s *search) check(t *words, w uint64, data []byte, at int, found func(pattern int32, start int) bool) bool {
	h := wordHash(w)
	if !has(t.filter, h) {
		return true
	}
	bucket := h >> t.drop
	for _, w := range t.list[t.first[bucket]:t.first[bucket+1]] {
		if w.hash != h {
			continue
		}
		p, start := &s.patterns[w.pattern], at-int(w.at)
		if start < 0 || len(data)-start < len(p.text) || !equal(data[start:start+len(p.text)], p.text, p.fold) {
			continue
		}
		if p.tailBits > 0 && !p.tailFits(data[start+len(p.text):]) {
			continue
		}
		if p.word && !standsAlone(data, start, start+len(p.text)) {
			continue
		}
		if !found(w.pattern, start) {
			return false
		}
	}
	return true
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
