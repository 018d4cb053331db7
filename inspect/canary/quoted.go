package canary

import (
	"bytes"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"constat/inspect"

	"golang.org/x/text/unicode/norm"
)

// A text is known again when it was rewritten: in other case, composed
// otherwise, without accents, with other punctuation, spaces, emoji or HTML
// entities, or when only a passage of it is quoted. For that a text is boiled
// down to its letters and digits, folded, and passages of it that are proof by
// themselves are looked for in what a part boils down to.

const (
	// leastPassage is how many bytes a passage has, boiled down, at least.
	leastPassage = 14
	// mostPassages of one text are looked for.
	mostPassages = 96
	// mostWritten bounds a passage: a longer run of words adds no proof.
	mostWritten = 160
)

// boiled says of each ASCII byte what it boils down to: itself, its lower case,
// or 0 for nothing.
var boiled = func() (t [utf8.RuneSelf]byte) {
	for c := range byte(utf8.RuneSelf) {
		if alnum(c) {
			t[c] = lower(c)
		}
	}
	return t
}()

// boil appends to dst what text boils down to. When origin is not nil, the place
// in text of each appended byte is appended to it.
func boil(dst, text []byte, origin *[]int32) []byte {
	for i := 0; i < len(text); {
		if origin == nil {
			// Most text is ASCII: one look-up a byte, and no branch.
			dst = slices.Grow(dst, len(text)-i)
			out, n := dst[len(dst):cap(dst)], 0
			for ; i < len(text) && text[i] < utf8.RuneSelf && text[i] != '&'; i++ {
				b := boiled[text[i]]
				out[n] = b
				if b != 0 {
					n++
				}
			}
			if dst = dst[:len(dst)+n]; i == len(text) {
				break
			}
		}
		c := text[i]
		if c < utf8.RuneSelf {
			if c == '&' {
				if r, n := entity(text[i:]); n > 0 {
					dst = boilRune(dst, r, utf8.AppendRune(nil, r))
					dst = note(dst, origin, i)
					i += n
					continue
				}
			}
			if b := boiled[c]; b != 0 {
				dst = append(dst, b)
				if origin != nil {
					*origin = append(*origin, int32(i))
				}
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError {
			i += n
			continue
		}
		dst = boilRune(dst, r, text[i:i+n])
		dst = note(dst, origin, i)
		i += n
	}
	return dst
}

func note(dst []byte, origin *[]int32, at int) []byte {
	if origin != nil {
		for len(*origin) < len(dst) {
			*origin = append(*origin, int32(at))
		}
	}
	return dst
}

// boilRune appends the letters and digits of r, which raw is, after compatibility
// decomposition (UAX #15) and simple folding.
func boilRune(dst []byte, r rune, raw []byte) []byte {
	switch {
	case r < utf8.RuneSelf:
		if b := boiled[byte(r)]; b != 0 {
			dst = append(dst, b)
		}
		return dst
	case r < mostAlphabets:
		return append(dst, alphabets[r]...)
	case r >= 0x4e00 && r < 0xa000, r >= 0x3041 && r < 0x304b: // no decomposition
		return append(dst, raw...)
	case r >= 0xac00 && r < 0xd7a4: // Hangul syllables: Unicode, section 3.12
		s := r - 0xac00
		dst = utf8.AppendRune(dst, 0x1100+s/588)
		dst = utf8.AppendRune(dst, 0x1161+s%588/28)
		if t := s % 28; t > 0 {
			dst = utf8.AppendRune(dst, 0x11a7+t)
		}
		return dst
	}
	return decompose(dst, raw)
}

// alphabets says what the letters of the alphabets boil down to that have an
// alphabet's size: Latin, Greek, Cyrillic.
var alphabets = func() (t [mostAlphabets]string) {
	for r := rune(utf8.RuneSelf); r < mostAlphabets; r++ {
		t[r] = string(decompose(nil, utf8.AppendRune(nil, r)))
	}
	return t
}()

const mostAlphabets = 0x530

// decompose is boilRune for any character.
func decompose(dst, raw []byte) []byte {
	d := norm.NFKD.Properties(raw).Decomposition()
	if d == nil {
		d = raw
	}
	for len(d) > 0 {
		r, n := utf8.DecodeRune(d)
		d = d[n:]
		if r < utf8.RuneSelf {
			if b := boiled[byte(r)]; b != 0 {
				dst = append(dst, b)
			}
			continue
		}
		switch r {
		case 'ß', 'ẞ':
			dst = append(dst, "ss"...)
		case 'æ', 'Æ':
			dst = append(dst, "ae"...)
		case 'œ', 'Œ':
			dst = append(dst, "oe"...)
		case 'ø', 'Ø':
			dst = append(dst, 'o')
		case 'ł', 'Ł':
			dst = append(dst, 'l')
		case 'ı', 'İ':
			dst = append(dst, 'i')
		case 'ς':
			dst = utf8.AppendRune(dst, 'σ')
		default:
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				dst = utf8.AppendRune(dst, unicode.ToLower(r))
			}
		}
	}
	return dst
}

// entity reads an HTML character reference.
func entity(b []byte) (r rune, n int) {
	b = b[:min(len(b), mostEntity)]
	end := bytes.IndexByte(b, ';')
	if end < 3 {
		return 0, 0
	}
	s := html.UnescapeString(string(b[:end+1]))
	r, size := utf8.DecodeRuneInString(s)
	if size != len(s) {
		return 0, 0
	}
	return r, end + 1
}

func boilText(s string) string { return string(boil(nil, []byte(s), nil)) }

// passage is a run of words of a planted text, boiled down.
type passage struct {
	canary int
	text   string // the whole text, boiled down
	at     int    // where the passage begins in it
}

// quotes finds planted texts that were rewritten.
type quotes struct {
	search   *search
	passages []passage // by pattern of search
	grams    [1 << 13]uint64
	digits   bool // every passage has a digit
}

func newQuotes(p *Persona) *quotes {
	q := new(quotes)
	texts := make(map[int]string)
	for i, c := range p.Canaries {
		if c.Kind == SMSText || c.Kind == Note {
			texts[i] = boilText(c.Value)
		}
	}
	var patterns []pattern
	for i := range p.Canaries {
		text, ok := texts[i]
		if !ok {
			continue
		}
		for _, run := range passages(p.Canaries[i].Value) {
			written := boilText(run)
			at := strings.Index(text, written)
			if at < 0 {
				continue
			}
			shared := false
			for j, other := range texts {
				shared = shared || j != i && other != text && strings.Contains(other, written)
			}
			if shared {
				continue // it could be quoted from either
			}
			patterns = append(patterns, pattern{text: []byte(written), canary: len(q.passages)})
			q.passages = append(q.passages, passage{i, text, at})
		}
		for at := 0; at+gramSize <= len(text); at++ {
			h := gramOf(text[at:]).hash()
			q.grams[h>>6] |= 1 << (h & 63)
		}
	}
	if len(patterns) == 0 {
		return nil
	}
	q.digits = !slices.ContainsFunc(patterns, func(p pattern) bool { return !bytes.ContainsAny(p.text, "0123456789") })
	q.search = newSearch(patterns)
	return q
}

// passages are the shortest runs of words of v that carry enough to be proof,
// one for each word it can begin with. Where a script does not divide words, a
// run can begin with any letter.
func passages(v string) []string {
	var starts, ends []int
	inWord := false
	letters := 0
	for i, r := range v {
		n := utf8.RuneLen(r)
		if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) {
			inWord = false
			continue
		}
		if letters++; !inWord || r >= 0x2e80 || r > utf8.RuneSelf && letters > 12 {
			if !inWord {
				letters = 0
			}
			starts, ends = append(starts, i), append(ends, i+n)
			inWord = true
			continue
		}
		ends[len(ends)-1] = i + n
	}
	var out []string
	for i := range starts {
		for j := i; j < len(ends); j++ {
			run := v[starts[i]:ends[j]]
			if len(run) > mostWritten {
				break
			}
			if entropy(run, inPassage) >= minEntropy && len(boilText(run)) >= leastPassage {
				out = append(out, run)
				break
			}
		}
		if len(out) == mostPassages {
			break
		}
	}
	return out
}

// scan calls found for each planted text of which a passage stands in buf, which
// is boiled down, with the bytes of buf that are of it.
func (q *quotes) scan(buf []byte, found func(canary, start, end int, all bool) bool) {
	q.search.scan(buf, func(i int32, start int) bool {
		ps := &q.passages[q.search.patterns[i].canary]
		end, at := start+len(q.search.patterns[i].text), ps.at
		for at > 0 && start > 0 && buf[start-1] == ps.text[at-1] {
			at, start = at-1, start-1
		}
		for upTo := at + end - start; upTo < len(ps.text) && end < len(buf) && buf[end] == ps.text[upTo]; upTo++ {
			end++
		}
		return found(ps.canary, start, end, end-start == len(ps.text))
	})
}

// may says whether a passage may be in data, which is as long as one and whose bytes
// are of the kinds in holds. It is asked of every leaf, to leave out most.
func (q *quotes) may(data []byte, holds inspect.Chars) bool {
	if q.digits && holds&(inspect.Digits|inspect.NonASCII|inspect.Others) == 0 {
		return false
	}
	if q.digits && holds&(inspect.NonASCII|inspect.Others) != 0 && !hasDigit(data) {
		return false
	}
	return holds&(inspect.NonASCII|inspect.Controls) == 0 || mostlyText(data)
}

// hasDigit says whether what data boils down to may have an ASCII digit in it.
func hasDigit(data []byte) bool {
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			return true
		case '&':
			if r, n := entity(data[i:]); n > 0 && digitRune(r) {
				return true
			}
		case 0xc2, 0xe2, 0xe3, 0xef, 0xf0: // what digitRune says yes to begins with these
			if r, _ := utf8.DecodeRune(data[i:]); digitRune(r) {
				return true
			}
		}
	}
	return false
}

// digitRune says whether r may have an ASCII digit in its compatibility
// decomposition, or is one.
func digitRune(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r-'0' >= 0 && r-'0' < 10
	case r < 0x2070:
		return r >= 0xb2 && r <= 0xbe // superscripts and fractions
	case r < 0x3250:
		return r < 0x2500 // superscripts, fractions, digits in circles
	case r < 0x3400:
		return true // in squares, with units
	case r < 0x10000:
		return r >= 0xff10 && r <= 0xff19
	}
	return r >= 0x1d7ce && r <= 0x1d7ff || r >= 0x1f100 && r <= 0x1f10a || r >= 0x1fbf0 && r <= 0x1fbf9
}

// mostlyText says that boiling data down is worth it: its beginning is, but for a
// byte here and there, UTF-8 without zeros.
func mostlyText(data []byte) bool {
	b := data[:min(len(data), 128)]
	odd := 0
	for i := 0; i < len(b) && odd*4 <= len(b); {
		if b[i] < utf8.RuneSelf {
			if b[i] == 0 {
				odd++
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError {
			odd++
		}
		i += n
	}
	return odd*4 <= len(b)
}
