package detect

import (
	"strings"
	"sync"

	"constat/inspect"
)

// A gate says no to a whole document. Most documents that a gate lets through have
// what a detector looks for at one of many places: the place of a list, of an
// object. What follows says which, so that cards are made there only.

// folding is where the fields of a place belong: to the card at place, inside the
// objects via and over.
type folding struct{ place, via, over string }

// spot is a place of a document, as one gather sees it.
type spot struct {
	place string // Column.Place
	folding
	plot int  // the first spot whose fields belong to the same cards
	live bool // of a plot: its cards are wanted
}

// mostSpots bounds the places of a document that are told apart.
const mostSpots = 32

// survey fills in the spots, and says whether that is all there is to know about
// the cards: that each value is in the card of its record, under its own name.
func (v *view) survey() bool {
	v.surveyed, v.spots, v.at = false, v.spots[:0], v.at[:0]
	children := v.Parent.Children
	decoder := children[0].Decoder()
	if decoder == "xml" || decoder == "vobject" || decoder != children[len(children)-1].Decoder() || len(v.Records) > maxCards {
		return false
	}
	folds := v.g.folds.In(v.tree)
	last := 0
	for i := range v.Columns {
		c := &v.Columns[i]
		if v.Rows && c.Elements && hasText(c) {
			return false
		}
		if last == len(v.spots) || v.spots[last].place != c.Place {
			for last = 0; last < len(v.spots) && v.spots[last].place != c.Place; last++ {
			}
			if last == mostSpots || strings.Contains(c.Place, `["`) {
				return false
			}
			if last == len(v.spots) {
				s := spot{place: c.Place, folding: folds.OfName(c.Place)}
				for s.plot < last && v.spots[s.plot].folding.place != s.folding.place {
					s.plot++
				}
				v.spots = append(v.spots, s)
			}
		}
		v.at = append(v.at, uint8(last))
	}
	v.surveyed = !v.renames()
	return v.surveyed
}

// spotOf returns the spot of a column.
func (v *view) spotOf(column int) *spot { return &v.spots[v.at[column]] }

// grow makes cards be made where the fields of s belong.
func (v *view) grow(s *spot) { v.spots[s.plot].live = true }

// lives says that the cards that s belongs to are to be made.
func (v *view) lives(s *spot) bool { return v.spots[s.plot].live }

// spotAt returns the spot of a field, and with it that of its record.
func (v *view) spotAt(p *inspect.Part) *spot { return v.spotOf(p.Column()) }

// partsOf returns a walk over the parts of t, in their order, but for those of
// columns that cannot hold what is looked for.
func partsOf(t *inspect.Tree, may func(c *inspect.Column) bool) walk {
	return walk{docs: t.Documents(), asks: may}
}

type walk struct {
	docs  []inspect.Document // that are left
	asks  func(c *inspect.Column) bool
	parts []*inspect.Part // of the document at hand, that are left
	few   [64]bool        // columns that may
	many  []bool          // the same for a document with more columns, else nil
}

// may says that p is in a column that can hold what is looked for.
func (w *walk) may(p *inspect.Part) bool {
	if w.many != nil {
		return w.many[p.Column()]
	}
	return w.few[p.Column()]
}

// next returns the next part, nil when there is none.
func (w *walk) next() *inspect.Part {
	for {
		for i, p := range w.parts {
			if w.may(p) || ungated {
				w.parts = w.parts[i+1:]
				return p
			}
		}
		w.parts = nil
		if len(w.docs) == 0 {
			return nil
		}
		d := &w.docs[0]
		w.docs = w.docs[1:]
		w.many = nil
		if n := len(d.Columns); n > len(w.few) {
			w.many = make([]bool, n)
		}
		for i := range d.Columns {
			may := w.asks(&d.Columns[i])
			if may || ungated {
				w.parts = d.Parts
			}
			if w.many != nil {
				w.many[i] = may
			} else {
				w.few[i] = may
			}
		}
	}
}

// nameSet is a set of names of a tree. It may hold more than were added.
type nameSet struct {
	few  [64]bool // by number
	more bool     // all others are in it
}

func (s *nameSet) add(c *inspect.Column) {
	if c.NameID < len(s.few) {
		s.few[c.NameID] = true
	} else {
		s.more = true
	}
}

func (s *nameSet) has(p *inspect.Part) bool {
	if id := p.NameID(); id < len(s.few) {
		return s.few[id]
	}
	return s.more
}

// withNames makes g remember what it says of the names of places.
func withNames(g gather) gather {
	g.folds = inspect.NewNameFacts(func(place string) folding {
		place, via, over := foldPlace(place, g.fold)
		return folding{place, via, over}
	})
	g.lists = inspect.NewNameFacts(func(place string) bool {
		column := func(name string) bool { return name != "" && len(name) <= 2*maxName && g.column(name) }
		_, list := lastKey(place)
		return column(list) || column(strings.TrimSuffix(list, "s"))
	})
	return g
}

// views are those of gathers that are at no document.
var views = sync.Pool{New: func() any { return new(view) }}

// open makes v one of d.
func (v *view) open(d *inspect.Document) {
	v.Document, v.renamed, v.surveyed, v.partial = d, notAsked, false, false
}

// release gives the memory of v to another tree, without what it knows of this.
func (v *view) release() {
	clear(v.spots)
	*v = view{spots: v.spots[:0], at: v.at[:0]}
	views.Put(v)
}
