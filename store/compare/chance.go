package compare

import (
	"math"
	"slices"
)

// chance sets what was found against what chance alone would make of so many things.
// Whoever compares hundreds of things finds some that are parted clearly though
// nothing differs. Of all with a p of at most t, the share that chance is expected to
// have made is the sum, over all things, of the chance that theirs comes to t or less,
// divided by how many did (Y. Benjamini and Y. Hochberg, "Controlling the false
// discovery rate", J. R. Stat. Soc. B 57, 1995; with the exact chances of discrete
// tests as in P. B. Gilbert, "A modified false discovery rate multiple-comparisons
// procedure for discrete data", J. R. Stat. Soc. C 54, 2005).
//
// What only one side has and what both have in other numbers are two families: a
// thing that all sessions have can only be found in the second.
type chance struct {
	compared int
	one      map[[3]int]int // things by how many sessions have them, of how many on each side
	both     map[[2]int]int // things that could be more or less, by sessions on each side
	found    [2][]float64   // p of what was found, by family
	expected [2][]step      // by family; made when first asked for, as is shareOf
	shareOf  [2]map[float64]float64
}

// step is the expected number of things with a p of at most p.
type step struct{ p, things float64 }

func newChance() *chance { return &chance{one: map[[3]int]int{}, both: map[[2]int]int{}} }

// add counts a thing, whether or not it differs.
func (c *chance) add(r *Row) {
	c.compared++
	if min(r.OfA, r.OfB) < 2 {
		return
	}
	k := r.SessionsA + r.SessionsB
	c.one[[3]int{k, r.OfA, r.OfB}]++
	// Fewer sessions than the smaller side has cannot all have more than all others.
	if r.A+r.B >= fewRequests && k > min(r.OfA, r.OfB) {
		c.both[[2]int{r.OfA, r.OfB}]++
	}
	if f := family(r); f >= 0 && r.P <= likely {
		c.found[f] = append(c.found[f], r.P)
	}
}

// family is that of a row, -1 for none.
func family(r *Row) int {
	switch r.Change {
	case Appears, Vanish:
		return 0
	case More, Less:
		return 1
	}
	return -1
}

// share is which part of the rows that are parted as clearly as r chance is expected
// to have made: the least for any bound that takes r in, at most 1. All things must
// have been added.
func (c *chance) share(r *Row) float64 {
	f := family(r)
	if f < 0 || r.P > likely || min(r.OfA, r.OfB) < 2 {
		return 1
	}
	if c.shareOf[f] == nil {
		c.shareOf[f] = c.shares(f)
	}
	return c.shareOf[f][r.P]
}

// shares is the share for each p that was found in a family.
func (c *chance) shares(f int) map[float64]float64 {
	found := slices.Sorted(slices.Values(c.found[f]))
	by, least := map[float64]float64{}, 1.0
	for i, p := range slices.Backward(found) {
		if i+1 == len(found) || found[i+1] > p*(1+alike) {
			least = min(least, c.upTo(f, p)/float64(i+1))
		}
		by[p] = least
	}
	return by
}

// alike are two p whose last bits differ.
const alike = 1e-9

// upTo is how many things chance alone is expected to part with a p of at most p.
func (c *chance) upTo(f int, p float64) (sum float64) {
	if c.expected[f] == nil {
		c.expected[f] = c.steps(f)
	}
	for _, s := range c.expected[f] {
		if s.p > p*(1+alike) {
			break
		}
		sum += s.things
	}
	return sum
}

// steps lists by p what chance is expected to make in a family.
func (c *chance) steps(f int) []step {
	by := map[float64]float64{}
	if f == 0 {
		for key, things := range c.one {
			k, na, nb := key[0], key[1], key[2]
			for _, x := range slices.Compact([]int{0, k}) {
				if x <= na && k-x <= nb && k > 0 {
					by[fisher(x, na, k-x, nb)] += float64(things) * hypergeometric(x, k, na, nb)
				}
			}
		}
	} else {
		for key, things := range c.both {
			// At most: that one side has several times as much is asked for besides.
			by[apart(key[0], key[1])] += float64(things) * apart(key[0], key[1])
		}
	}
	list := []step{{math.Inf(-1), 0}}
	for p, things := range by {
		list = append(list, step{p, things})
	}
	slices.SortFunc(list, func(a, b step) int {
		if a.p < b.p {
			return -1
		}
		return 1
	})
	return list
}

// likelyRows is how many things chance alone is expected to part with a p that can be
// called likely or sure, and how many are.
func (c *chance) likelyRows() (expected float64, found int) {
	for f := range c.found {
		expected += c.upTo(f, likely)
		found += len(c.found[f])
	}
	return expected, found
}
