package main

import (
	"cmp"
	"slices"

	"constat/inspect"
	"constat/proxy/flow"
)

// dialect is one way in which programs name and nest the fields of a class. It
// is sent in carriers that change from sample to sample.
type dialect struct {
	name string
	path string
	// unseen dialects are used in the held-out samples only.
	unseen bool
	down   bool
	// also are further classes that the value is, open those that it may be
	// taken for or not.
	also, open []inspect.Class
	value      func(g *gen) any
}

// whole is an envelope that brings its own carrier: a file format, a protocol.
type whole struct {
	name       string
	unseen     bool
	down       bool
	also, open []inspect.Class
	make       func(g *gen) *inspect.Subject
}

// family is everything that one class is sent in.
type family struct {
	class    inspect.Class
	name     string // the class when empty
	dialects []dialect
	wholes   []whole
	// byValue says that the values alone show what they are, so that carriers
	// without names are used too.
	byValue bool
	// anyDirection is set where the class belongs to the request with its answer.
	anyDirection bool
	// rounds is the number of samples of each dialect and of each whole envelope.
	rounds int
	// skip are carriers that cannot be meant to carry this.
	skip []string
}

func (f family) title() string { return cmp.Or(f.name, string(f.class)) }

// add makes the samples of f. The two of a pair have the same envelope; what is
// in them comes from different halves of the contents.
func (f family) add(b *builder) {
	r := b.rand("family " + f.title())
	for di, d := range f.dialects {
		ways := carriers
		if d.down {
			ways = downCarriers
		}
		ways = slices.DeleteFunc(slices.Clone(ways), func(c carrier) bool {
			return c.nameless && !f.byValue || slices.Contains(f.skip, c.name)
		})
		for i := range f.rounds {
			g := newGen(r, i%2 == 1)
			value := d.value(g)
			var s *inspect.Subject
			var c carrier
			for at := di*3 + i/2; s == nil; at++ {
				c = ways[at%len(ways)]
				s = c.pack(g, d.path, value)
			}
			x := b.label(f, "as "+d.name+" in "+c.name, di*f.rounds+i, s, d.down, d.also, d.open)
			x.unseen = d.unseen || c.unseen
		}
	}
	for wi, w := range f.wholes {
		for i := range f.rounds {
			g := newGen(r, i%2 == 1)
			x := b.label(f, "as "+w.name, wi*f.rounds+i, w.make(g), w.down, w.also, w.open)
			x.unseen = w.unseen
		}
	}
}

// label adds one positive sample of f.
func (b *builder) label(f family, name string, number int, s *inspect.Subject, isDown bool, also, open []inspect.Class) *sample {
	x := b.add(f.title()+" "+name, number, s, "", "", open...)
	d := flow.Up
	if isDown {
		d = flow.Down
	}
	x.want = make(map[inspect.Class]flow.Direction)
	for _, c := range also {
		x.want[c] = d
	}
	if f.anyDirection {
		d = ""
	}
	x.want[f.class] = d
	return x
}

// classes is short for a list of them in the tables.
func classes(list ...inspect.Class) []inspect.Class { return list }
