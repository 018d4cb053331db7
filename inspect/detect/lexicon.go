package detect

import (
	"cmp"
	"slices"
	"strings"
)

// lexicon knows families of field names. Looking a name up that is in none is
// cheap, because most names are.
type lexicon[T comparable] struct {
	words map[string]T
	// may holds, by first byte, the lengths that words have, as bits.
	may [256]uint64
}

// newLexicon turns lists of words into a lexicon. A word in two lists is a
// mistake in this package, found when it is loaded.
func newLexicon[T comparable](lists map[T]string) *lexicon[T] {
	l := &lexicon[T]{words: make(map[string]T)}
	for family, words := range lists {
		for w := range strings.FieldsSeq(words) {
			if _, twice := l.words[w]; twice {
				panic("detect: word " + w + " is in two families")
			}
			l.words[w] = family
			l.may[w[0]] |= 1 << len(w)
		}
	}
	return l
}

// of returns the family of a field's name, the zero value if it is in none.
func (l *lexicon[T]) of(name string) T {
	var buf [maxName]byte
	return l.word(squeeze(&buf, name))
}

// word is like of, for a name that is squeezed.
func (l *lexicon[T]) word(w []byte) (none T) {
	if len(w) == 0 || l.may[w[0]]>>len(w)&1 == 0 {
		return none
	}
	return l.words[string(w)]
}

// endings knows families by the ends of names.
type endings[T comparable] struct {
	byLast [256][]nameEnd[T] // by last byte, longest first
}

type nameEnd[T comparable] struct {
	end string
	of  T
}

func newEndings[T comparable](lists map[T]string) *endings[T] {
	e := new(endings[T])
	for family, ends := range lists {
		for end := range strings.FieldsSeq(ends) {
			last := end[len(end)-1]
			e.byLast[last] = append(e.byLast[last], nameEnd[T]{end, family})
		}
	}
	for i := range e.byLast {
		slices.SortFunc(e.byLast[i], func(a, b nameEnd[T]) int {
			return cmp.Or(len(b.end)-len(a.end), strings.Compare(a.end, b.end))
		})
	}
	return e
}

// of returns the family of a squeezed name that is longer than one of the ends,
// the zero value if there is none.
func (e *endings[T]) of(w []byte) (none T) {
	for _, x := range e.byLast[w[len(w)-1]] {
		if len(w) > len(x.end) && string(w[len(w)-len(x.end):]) == x.end {
			return x.of
		}
	}
	return none
}
