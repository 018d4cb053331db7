package compare

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Run compares two inputs, which may be of one case or of two. It reads each case a
// few times. The same cases and inputs give the same comparison.
func Run(ctx context.Context, a, b Input, opt Options) (*Comparison, error) {
	if opt.MaxRows == 0 {
		opt.MaxRows = defaultRows
	}
	if opt.Progress == nil {
		opt.Progress = func(int64, int64) {}
	}
	g := &gathering{kinds: map[string]*things{}, opt: opt}
	const steps = 9 // four for each side, and the identifiers
	done := int64(0)
	step := func() {
		done++
		opt.Progress(done, steps)
	}
	for n, in := range []Input{a, b} {
		s, err := open(ctx, in)
		if err != nil {
			return nil, err
		}
		g.sides[n] = s
		step()
	}
	if err := g.overlap(); err != nil {
		return nil, err
	}
	for n := range g.sides {
		for _, read := range []func(context.Context, int) error{g.requests, g.connections, g.opinions} {
			if err := read(ctx, n); err != nil {
				return nil, err
			}
			step()
		}
	}
	if err := g.identifiers(ctx); err != nil {
		return nil, err
	}
	step()
	c := &Comparison{A: *g.sides[0].out, B: *g.sides[1].out, Rows: []Row{}}
	ch := g.rows(c)
	if err := g.cautions(ctx, c, ch); err != nil {
		return nil, err
	}
	if c.More = max(0, len(c.Rows)-opt.MaxRows); c.More > 0 {
		c.Rows = c.Rows[:opt.MaxRows]
	}
	return c, nil
}

// overlap refuses to compare a session with itself.
func (g *gathering) overlap() error {
	a, b := g.sides[0], g.sides[1]
	apart := a.Scope.Device != "" && b.Scope.Device != "" && a.Scope.Device != b.Scope.Device
	if a.info.ID != b.info.ID || apart {
		return nil
	}
	if a.whole || b.whole {
		return fmt.Errorf("%w: one of them is the whole case", ErrOverlap)
	}
	for id := range a.at {
		if _, both := b.at[id]; both {
			return fmt.Errorf("%w: %d", ErrOverlap, id)
		}
	}
	return nil
}

// rows fills in what differs.
func (g *gathering) rows(c *Comparison) *chance {
	ch := newChance()
	absent := map[string]Change{} // hosts that one side lacks: their paths say no more
	for _, what := range []string{"host", "canary", "class", "identifier", "path"} {
		t := g.kinds[what]
		if t == nil {
			continue
		}
		for _, x := range t.list {
			r, ok := g.row(x)
			ch.add(&r)
			switch {
			case !ok:
				c.Same++
			case what == "path" && absent[x.hosts[0]] == r.Change:
			default:
				if what == "host" && r.Change != More && r.Change != Less {
					absent[x.key] = r.Change
				}
				c.Rows = append(c.Rows, r)
			}
		}
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		r.Chance = ch.share(r)
		r.Sure = sureness(r.P, r.Chance, r.OfA, r.OfB)
		r.Why = why(r)
	}
	slices.SortFunc(c.Rows, func(a, b Row) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Sure), slices.Index(order, b.Sure)), cmp.Compare(slices.Index(kinds, a.What), slices.Index(kinds, b.What)),
			cmp.Compare(b.A+b.B, a.A+a.B), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Change, b.Change),
		)
	})
	return ch
}

var order = []string{"sure", "likely", "open"}

// telling are the units of a side that could have shown a thing: all but those in
// which each host that it went to was connected to and not read.
func (g *gathering) telling(n int, x *thing) (of units, count int) {
	s := g.sides[n]
	for i := range s.units {
		blind := len(x.hosts) > 0 && !x.side[n].seen.has(i)
		for _, h := range x.hosts {
			u := s.unread[h]
			blind = blind && u.has(i)
		}
		if !blind {
			of.add(i)
			count++
		}
	}
	return of, count
}

// What counts as more or less.
const (
	severalTimes = 3
	fewRequests  = 10 // in all; below, a ratio says nothing
)

// row says what became of a thing, and false when nothing did.
func (g *gathering) row(x *thing) (r Row, differs bool) {
	r = Row{What: x.what, Key: x.key, A: x.side[0].total(), B: x.side[1].total(), P: 1}
	var rates [2][]float64
	var counts [2][]int64
	var seen, of [2]int
	for n := range x.side {
		var units units
		units, of[n] = g.telling(n, x)
		for i, u := range g.sides[n].units {
			if x.side[n].seen.has(i) {
				seen[n]++
			}
			count := int64(x.side[n].count(i))
			if units.has(i) && (count > 0 || !x.side[n].seen.has(i)) { // else there was only a connection
				rates[n] = append(rates[n], float64(count)/u.hours)
			} else {
				count = Unread
			}
			counts[n] = append(counts[n], count)
		}
	}
	r.SessionsA, r.SessionsB, r.OfA, r.OfB = seen[0], seen[1], of[0], of[1]
	r.CountsA, r.CountsB = counts[0], counts[1]
	r.Example = x.side[0].example
	switch {
	case seen[0] > 0 && seen[1] > 0:
		return g.changed(r, x, rates)
	case seen[1] > 0:
		r.Change, r.Example = Appears, x.side[1].example
	default:
		r.Change = Vanish
	}
	r.Cause, r.P = Parted, fisher(seen[0], of[0], seen[1], of[1])
	r.Untold = len(g.sides[0].units) + len(g.sides[1].units) - of[0] - of[1]
	switch {
	case min(of[0], of[1]) == 0:
		r.Change, r.Cause, r.P = Hidden, NotRead, 1
	case min(of[0], of[1]) < 2:
		r.Cause = OneSession
	}
	switch r.Change {
	case Appears:
		r.Unseen = unseen(of[0])
	case Vanish:
		r.Unseen = unseen(of[1])
	}
	return r, true
}

// changed says whether a thing that both sides have is much more frequent on one.
func (g *gathering) changed(r Row, x *thing, rates [2][]float64) (Row, bool) {
	if x.side[0].counts == nil || x.side[1].counts == nil {
		// One side only saw connections: how much there was cannot be told.
		if x.what != "host" || x.side[0].counts == nil && x.side[1].counts == nil {
			return r, false
		}
		r.Change, r.Cause, r.Example = Hidden, NotRead, max(x.side[0].example, x.side[1].example)
		return r, true
	}
	a, b := mean(rates[0]), mean(rates[1])
	if r.A+r.B < fewRequests || a < severalTimes*b && b < severalTimes*a {
		return r, false
	}
	r.Change = More
	low, high := rates[0], rates[1]
	if a > b {
		r.Change, low, high = Less, high, low
	} else {
		r.Example = x.side[1].example
	}
	r.PerHourA, r.PerHourB, r.Cause = a, b, Overlap
	if slices.Max(low) < slices.Min(high) {
		r.Cause, r.P = Separate, apart(len(low), len(high))
	}
	if min(len(low), len(high)) < 2 {
		r.Cause = OneSession
	}
	return r, true
}

func mean(list []float64) float64 {
	sum := 0.0
	for _, x := range list {
		sum += x
	}
	return sum / float64(max(1, len(list)))
}
