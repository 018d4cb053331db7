package canary

import (
	"bytes"
	"cmp"
	"image"
	"slices"
	"strconv"
	"strings"

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
	photos  []planted
}

// planted is a photo that can be recognised by its pixels.
type planted struct {
	canary        int
	hash          uint64
	width, height int
}

// match is one match before it is weighed against the others.
type match struct {
	canary     int
	form       string
	start, end int
	weak       bool
	coordinate axis
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
		switch c.Kind {
		case Place:
			list = append(list, coordinates(i, c.Value)...)
			patterns = append(patterns, doubles(i, c.Value)...)
		case PhotoFile:
			patterns = append(patterns, c.Photo.patterns(i)...)
			if h, err := strconv.ParseUint(c.Photo.DHash, 16, 64); err == nil {
				m.photos = append(m.photos, planted{i, h, c.Photo.Width, c.Photo.Height})
			}
		}
	}
	m.search = newSearch(patterns)
	m.numbers = newNumbers(list)
	return m, nil
}

// Match returns the planted values in p, by position. A value that is also
// found deeper down, in a piece that a decoder made of p, is left to that
// piece, whose path says more.
func (m *Matcher) Match(p *inspect.Part) []inspect.Hit {
	found := m.find(p)
	if len(found) == 0 {
		return nil
	}
	if len(p.Children) > 0 {
		deeper := make(map[int]bool)
		m.below(p, deeper)
		found = slices.DeleteFunc(found, func(x match) bool { return deeper[x.canary] })
	}
	var hits []inspect.Hit
	for _, x := range found {
		c := &m.persona.Canaries[x.canary]
		hits = append(hits, inspect.Hit{
			Canary: c.Name, Kind: string(c.Kind), Class: c.Kind.Class(), Form: x.form,
			Direction: p.Direction, Path: p.Path, Start: x.start, End: x.end,
		})
	}
	return hits
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
	if p.Kind == inspect.Bool || p.Kind == inspect.Null {
		return nil
	}
	data := p.Data
	var raw []match
	m.search.scan(data, func(i int32, start int) bool {
		raw = m.accept(raw, data, i, start)
		return len(raw) < maxRaw
	})
	m.numbers.scan(data, func(i int32, start, end int) bool {
		n := &m.numbers.list[i]
		form := n.form
		// A plus sign is part of the international writing.
		if form == "digits" && plusBefore(data, start) {
			form = "e164"
			if data[start-1] == '+' {
				start--
			}
		}
		raw = append(raw, match{n.canary, form, start, end, n.weak, n.coordinate})
		return len(raw) < 2*maxRaw
	})
	if len(m.photos) > 0 && isImage(data) {
		raw = m.pixels(raw, data)
	}
	if len(raw) == 0 {
		return nil
	}
	return weigh(raw, isNumberName(p.Name))
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
	case len(p.near) > 0:
		around := data[max(0, start-nearby/2):min(len(data), end+nearby/2)]
		if !containsFold(around, p.near) {
			return raw
		}
	}
	return append(raw, match{canary: p.canary, form: form, start: start, end: end})
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

// pixels compares a picture with the planted photos of the same shape.
func (m *Matcher) pixels(raw []match, data []byte) []match {
	cfg, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return raw
	}
	if !slices.ContainsFunc(m.photos, func(p planted) bool { return sameShape(cfg.Width, cfg.Height, p.width, p.height) }) {
		return raw
	}
	d, ok := hashImage(data)
	if !ok {
		return raw
	}
	for _, p := range m.photos {
		if sameShape(d.width, d.height, p.width, p.height) && distance(d.bits, p.hash) <= sameDistance {
			raw = append(raw, match{canary: p.canary, form: "dhash", start: 0, end: len(data)})
		}
	}
	return raw
}

// weigh keeps the longest of overlapping matches, drops what needs a neighbour
// and has none, joins the two coordinates of a place, and keeps the first of
// each canary and form.
func weigh(raw []match, named bool) []match {
	raw = places(raw)
	slices.SortStableFunc(raw, func(a, b match) int {
		return cmp.Or((b.end-b.start)-(a.end-a.start), a.start-b.start, strings.Compare(a.form, b.form))
	})
	var kept []match
	for _, x := range raw {
		if !slices.ContainsFunc(kept, func(k match) bool { return overlap(k, x) }) {
			kept = append(kept, x)
		}
	}
	if !named {
		strong := slices.DeleteFunc(slices.Clone(kept), func(x match) bool { return x.weak })
		kept = slices.DeleteFunc(kept, func(x match) bool {
			return x.weak && !slices.ContainsFunc(strong, func(s match) bool { return near(x, s) })
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

// overlap says that x gives way to the longer k. A match of the whole picture,
// or of the whole file, leaves room for what is planted inside it.
func overlap(k, x match) bool {
	if k.form == "dhash" || k.form == "file" {
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

func isNumberName(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	name = strings.ToLower(name)
	return slices.ContainsFunc(numberNames, func(w string) bool { return strings.Contains(name, w) })
}
