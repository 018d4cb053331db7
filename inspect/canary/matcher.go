package canary

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unsafe"

	"constat/inspect"
)

// maxRaw bounds what is collected from one part before it is weighed, for texts
// and for numbers each: a part with more is the same value over and over.
const maxRaw = 1024

// Matcher finds the values of one persona. It is an inspect.Matcher.
type Matcher struct {
	persona *Persona
	search  *search
	numbers *numbers
	quotes  *quotes  // nil when no text was planted
	gallery *gallery // nil when no photo was planted whose pixels are known
	buffers sync.Pool
}

// match is one match before it is weighed against the others.
type match struct {
	canary     int
	form       string
	start, end int
	weak       bool
	coordinate axis
	// loose matches give way to others of the same length.
	loose bool
}

// NewMatcher works out all forms of the values of p, which must not change
// afterwards. It takes some milliseconds and megabytes: make one per persona.
func NewMatcher(p *Persona) (*Matcher, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	m := &Matcher{persona: p}
	var patterns []pattern
	var list []number
	for i := range p.Canaries {
		c := &p.Canaries[i]
		seen := make(map[string]bool)
		for _, w := range c.writings() {
			if w.digits {
				d := onlyDigits(w.text)
				if key := d + strconv.Itoa(w.open); !seen[key] {
					seen[key] = true
					list = append(list, number{digits: d, canary: i, form: w.form, open: w.open, weak: w.weak})
				}
			}
			for _, pt := range patternsOf(i, w) {
				key := string(pt.text)
				if pt.fold {
					key += "\x00fold"
				}
				if !seen[key] {
					seen[key] = true
					patterns = append(patterns, pt)
				}
			}
		}
		patterns = append(patterns, binaryForms(i, c)...)
		switch c.Kind {
		case Place:
			list = append(list, coordinates(i, c.Value)...)
		case PhotoFile:
			patterns = append(patterns, c.Photo.patterns(i)...)
			if c.fileNameIsProof() {
				patterns = append(patterns, patternsOf(i, writing{form: "file-name", text: c.Value, fold: true, word: true})...)
			}
			photo := *c.Photo
			if len(photo.Luma) == 0 && len(photo.Data) > 0 {
				photo.look(photo.Data)
			}
			if p := newPlanted(i, &photo); p != nil {
				if m.gallery == nil {
					m.gallery = new(gallery)
				}
				m.gallery.photos = append(m.gallery.photos, p)
			}
		}
	}
	m.search = newSearch(patterns)
	m.numbers = newNumbers(list)
	m.quotes = newQuotes(p)
	m.buffers.New = func() any { return new([]byte) }
	return m, nil
}

// Match returns the planted values in p, by position. A value that is also
// found deeper down, in a piece that a decoder made of p, is left to that
// piece, whose path says more. What needs a look at a whole message, texts in
// pieces and pictures, is found with its root.
func (m *Matcher) Match(p *inspect.Part) []inspect.Hit {
	found, _ := m.look(p, nowhere)
	return m.hits(p, found)
}

// Tree returns a Matcher for the parts of one tree, which are given to it one after
// the other, parents first. Of a part that stands in its parent as it is, it does
// not look for what its parent does not hold. It is not safe for concurrent use.
func (m *Matcher) Tree() inspect.Matcher { return &treeMatcher{Matcher: m} }

type treeMatcher struct {
	*Matcher
	taken []taken // the parts that were taken apart, in order
	at    int     // index in taken of the parent of the part looked at last
}

// taken is a part that was taken apart, and what is nowhere in it.
type taken struct {
	part  *inspect.Part
	lacks kinds
}

// kinds are kinds of forms that are looked for.
type kinds uint8

const (
	patternForms kinds = 1 << iota
	numberForms
	nowhere    kinds = 0
	everywhere       = patternForms | numberForms
)

// Match is that of Matcher.
func (t *treeMatcher) Match(p *inspect.Part) []inspect.Hit {
	not := t.outside(p)
	if not == everywhere && len(p.Children) == 0 && !t.mayQuote(p) {
		return nil
	}
	found, lacks := t.look(p, not)
	if len(p.Children) > 0 {
		t.taken = append(t.taken, taken{p, lacks})
	}
	return t.hits(p, found)
}

// outside says which forms are nowhere in p because they are nowhere in its
// parent.
func (t *treeMatcher) outside(p *inspect.Part) kinds {
	if p.Parent == nil {
		return nowhere
	}
	for t.at < len(t.taken) && t.taken[t.at].part != p.Parent {
		t.at++
	}
	if t.at == len(t.taken) || t.taken[t.at].lacks == nowhere {
		return nowhere
	}
	around := p.Parent.Data
	start, ok := within(around, p.Data)
	if !ok {
		return nowhere
	}
	lacks := t.taken[t.at].lacks
	if start > 0 {
		lacks &= before[around[start-1]]
	}
	if end := start + len(p.Data); end < len(around) {
		lacks &= behind[around[end]]
	}
	return lacks
}

// before and behind say of each byte which forms are found in a piece that stands
// behind or before it only if they are found with it, too. A letter or digit makes
// a difference to words, and to a number what makes it another one.
var before, behind = func() (before, behind [256]kinds) {
	for c := range before {
		if !alnum(byte(c)) {
			before[c], behind[c] = everywhere, everywhere
		}
	}
	for _, c := range "-.%" {
		before[c] = patternForms
	}
	return before, behind
}()

// within returns where in outer the memory of inner begins.
func within(outer, inner []byte) (at int, ok bool) {
	if len(inner) == 0 || len(inner) > len(outer) {
		return 0, false
	}
	at = int(uintptr(unsafe.Pointer(unsafe.SliceData(inner))) - uintptr(unsafe.Pointer(unsafe.SliceData(outer))))
	return at, at >= 0 && at <= len(outer)-len(inner)
}

// hits are what was found in p, without what is found below it, and what a look at
// all that is below a root finds.
func (m *Matcher) hits(p *inspect.Part, found []match) []inspect.Hit {
	if len(found) == 0 && (p.Parent != nil || len(p.Children) == 0 && len(p.Data) < leastPicture) {
		return nil
	}
	if len(found) > 0 && len(p.Children) > 0 {
		deeper := make(map[int]bool)
		m.below(p, deeper)
		found = slices.DeleteFunc(found, func(x match) bool { return deeper[x.canary] })
	}
	s := survey{m: m, root: p}
	for _, x := range found {
		s.add(p, x)
	}
	if p.Parent == nil {
		s.below(p)
		s.photos()
	}
	return s.hits
}

// Forms is how many forms of the values are looked for.
func (m *Matcher) Forms() int {
	n := len(m.search.patterns) + len(m.numbers.list)
	if m.quotes != nil {
		n += len(m.quotes.passages)
	}
	return n
}

// below notes which canaries are found in the descendants of p.
func (m *Matcher) below(p *inspect.Part, found map[int]bool) {
	for _, child := range p.Children {
		for _, x := range m.find(child) {
			found[x.canary] = true
		}
		m.below(child, found)
	}
}

// find looks at one part by itself. Each canary is returned once per form.
func (m *Matcher) find(p *inspect.Part) []match {
	found, _ := m.look(p, nowhere)
	return found
}

// look is find for a part of which it is known that some forms are not in it. It
// returns those that are not, whatever stands beside them.
func (m *Matcher) look(p *inspect.Part, not kinds) (found []match, lacks kinds) {
	if p.Kind == inspect.Bool || p.Kind == inspect.Null {
		return nil, not
	}
	data := p.Data
	var raw []match
	lacks = everywhere
	if not&patternForms == 0 {
		m.search.scan(data, func(i int32, start int) bool {
			lacks &^= patternForms
			raw = m.accept(raw, data, i, start)
			return len(raw) < maxRaw
		})
		if step := p.Decoder(); len(raw) > 0 && (step == "hex" || step == "base64") {
			// A digest that is all of p is left to the part it was written in.
			raw = slices.DeleteFunc(raw, func(x match) bool { return x.start == 0 && x.end == len(data) && strings.HasSuffix(x.form, ")/raw") })
		}
	}
	if not&numberForms == 0 && p.Holds()&inspect.Digits != 0 {
		raw = m.planted(data, raw, &lacks)
	}
	if m.mayQuote(p) {
		raw = m.rewritten(raw, data)
	}
	if len(raw) == 0 {
		return nil, lacks
	}
	return weigh(m.beside(p, raw), p.Name), lacks
}

// mayQuote says whether p is a leaf that may quote a planted text.
func (m *Matcher) mayQuote(p *inspect.Part) bool {
	return p.Kind <= inspect.Text && len(p.Data) >= leastPassage && len(p.Children) == 0 && m.quotes != nil && m.quotes.may(p.Data, p.Holds())
}

// planted appends the planted numbers in data.
func (m *Matcher) planted(data []byte, raw []match, lacks *kinds) []match {
	m.numbers.scan(data, func(i int32, start, end int) bool {
		*lacks &^= numberForms
		n := &m.numbers.list[i]
		form := n.form
		// A plus sign is part of the international writing.
		if form == "digits" && plusBefore(data, start) {
			form = "e164"
			if data[start-1] == '+' {
				start--
			}
		}
		raw = append(raw, match{canary: n.canary, form: form, start: start, end: end, weak: n.weak, coordinate: n.coordinate})
		return len(raw) < 2*maxRaw
	})
	return raw
}

// rewritten looks for texts that are not there letter for letter.
func (m *Matcher) rewritten(raw []match, data []byte) []match {
	buf := m.buffers.Get().(*[]byte)
	defer m.buffers.Put(buf)
	*buf = boil((*buf)[:0], data, nil)
	var origin []int32
	from := len(raw)
	m.quotes.scan(*buf, func(canary, start, end int, all bool) bool {
		if origin == nil {
			*buf = boil((*buf)[:0], data, &origin)
		}
		x := match{canary: canary, form: "text-quoted", start: int(origin[start]), end: len(data), loose: true}
		if all {
			x.form = "text-rewritten"
		}
		if end < len(origin) {
			x.end = int(origin[end])
		}
		// What stands between this and the next letter is nobody's.
		x.end = x.start + len(bytes.TrimRightFunc(data[x.start:x.end], func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ';' }))
		for _, y := range raw[:from] {
			if y.canary == canary && y.start <= x.start && y.end >= x.end {
				return true
			}
		}
		raw = append(raw, x)
		return len(raw) < 3*maxRaw
	})
	return raw
}

// mostSiblings is how far from one coordinate the other one is looked for, in
// parts.
const mostSiblings = 8

// beside completes a latitude that stands alone in p with the longitude in a
// field beside it.
func (m *Matcher) beside(p *inspect.Part, raw []match) []match {
	if p.Parent == nil || len(p.Data) > nearby {
		return raw
	}
	for i, x := range raw {
		if x.coordinate != latitude {
			continue
		}
		siblings := p.Parent.Children
		at := slices.Index(siblings, p)
		if at < 0 {
			continue
		}
		for _, s := range siblings[max(0, at-mostSiblings):min(len(siblings), at+mostSiblings+1)] {
			if s == p || len(s.Data) > nearby || s.Kind > inspect.Number {
				continue
			}
			m.numbers.scan(s.Data, func(i2 int32, _, _ int) bool {
				n := &m.numbers.list[i2]
				if n.canary == x.canary && n.coordinate == longitude {
					raw[i].coordinate = 0
				}
				return raw[i].coordinate != 0
			})
		}
	}
	return raw
}

func plusBefore(data []byte, at int) bool {
	return at > 0 && data[at-1] == '+' || at > 2 && bytes.EqualFold(data[at-3:at], []byte("%2b"))
}

// accept turns a match of the search into one to be weighed, if its conditions
// hold.
func (m *Matcher) accept(raw []match, data []byte, i int32, start int) []match {
	p := &m.search.patterns[i]
	end, form := start+len(p.text), p.form
	switch {
	case p.photo:
		form, start, end = m.persona.Canaries[p.canary].Photo.copyAt(data, start)
	case p.digits > 0:
		if p.longer(data, start, end) {
			return raw
		}
	case len(p.near) > 0:
		around := data[max(0, start-nearby/2):min(len(data), end+nearby/2)]
		if p.rawNear && !bytes.Contains(around, p.near) || !p.rawNear && !containsFold(around, p.near) {
			return raw
		}
	}
	return append(raw, match{canary: p.canary, form: form, start: start, end: end, weak: p.weak})
}

// containsFold says whether text, which is folded, stands in data as a word.
func containsFold(data, text []byte) bool {
	for at := 0; at+len(text) <= len(data); at++ {
		if lower(data[at]) == text[0] && equal(data[at:at+len(text)], text, true) && standsAlone(data, at, at+len(text)) {
			return true
		}
	}
	return false
}

// weigh keeps the longest of overlapping matches, drops what needs a neighbour
// and has none, joins the two coordinates of a place, and keeps the first of
// each canary and form.
func weigh(raw []match, name string) []match {
	raw = places(raw)
	slices.SortStableFunc(raw, func(a, b match) int {
		return cmp.Or((b.end-b.start)-(a.end-a.start), a.start-b.start, order(a.loose)-order(b.loose), strings.Compare(a.form, b.form))
	})
	var kept []match
	for _, x := range raw {
		if !slices.ContainsFunc(kept, func(k match) bool { return overlap(k, x) }) {
			kept = append(kept, x)
		}
	}
	if slices.ContainsFunc(kept, func(x match) bool { return x.weak }) {
		strong := slices.DeleteFunc(slices.Clone(kept), func(x match) bool { return x.weak })
		number, place := isNamed(name, numberNames), isNamed(name, placeNames)
		kept = slices.DeleteFunc(kept, func(x match) bool {
			named := number
			if x.form == "geohash" {
				named = place
			}
			return x.weak && !named && !slices.ContainsFunc(strong, func(s match) bool { return near(x, s) })
		})
	}
	slices.SortStableFunc(kept, func(a, b match) int { return a.start - b.start })
	seen := make(map[match]bool)
	return slices.DeleteFunc(kept, func(x match) bool {
		key := match{canary: x.canary, form: x.form}
		again := seen[key]
		seen[key] = true
		return again
	})
}

func order(last bool) int {
	if last {
		return 1
	}
	return 0
}

// overlap says that x gives way to the longer k. A match of the whole file leaves
// room for what is planted inside it.
func overlap(k, x match) bool {
	if k.form == "file" {
		return k.canary == x.canary && k.form == x.form
	}
	return x.start < k.end && k.start < x.end
}

// places replaces pairs of coordinates that stand near each other by one match
// each, and drops single ones.
func places(raw []match) []match {
	var out []match
	for i, x := range raw {
		if x.coordinate == 0 {
			out = append(out, x)
			continue
		}
		if x.coordinate != latitude {
			continue
		}
		for j, y := range raw {
			if i != j && y.coordinate == longitude && y.canary == x.canary && near(x, y) {
				out = append(out, match{canary: x.canary, form: x.form, start: min(x.start, y.start), end: max(x.end, y.end)})
				break
			}
		}
	}
	return out
}

func near(a, b match) bool { return a.start-b.end < nearby && b.start-a.end < nearby }

// numberNames are words in the name of a field that holds a phone number.
var numberNames = []string{"phone", "tel", "mobile", "msisdn", "number", "address", "sender", "recipient", "callee", "caller", "contact"}

// placeNames are words in the name of a field that holds a place.
var placeNames = []string{"geo", "gh", "hash", "loc", "pos", "place", "area", "cell", "tile"}

func isNamed(name string, words []string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	name = strings.ToLower(name)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
}
