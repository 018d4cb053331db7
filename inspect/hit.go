package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"constat/proxy/flow"
)

// match runs the canaries over all parts. A value that stands in a part stands
// in the containers around it as well, and often in copies: of each canary in
// each form and direction only the hit in the innermost part is kept, of
// several as deep the one with the shortest path, of those the first.
func (b *build) match() []Hit {
	type id struct {
		canary, form string
		direction    flow.Direction
	}
	best := make(map[id]int)
	var hits []Hit
	var depths []int
	m := b.in.cfg.Canaries
	if t, ok := m.(TreeMatcher); ok {
		m = t.Tree()
	}
	b.matchParts(m, func(p *Part, h Hit) {
		h.Path = cmp.Or(h.Path, p.Path)
		h.Direction = cmp.Or(h.Direction, p.Direction)
		k := id{h.Canary, h.Form, h.Direction}
		i, ok := best[k]
		switch {
		case !ok:
			best[k] = len(hits)
			hits, depths = append(hits, h), append(depths, p.Depth)
		case p.Depth > depths[i] || p.Depth == depths[i] && len(h.Path) < len(hits[i].Path):
			hits[i], depths[i] = h, p.Depth
		}
	})
	for i := range hits {
		hits[i].Path = Path(strings.Clone(string(hits[i].Path))) // a path shares the memory of its siblings'
	}
	slices.SortFunc(hits, func(x, y Hit) int {
		return cmp.Or(
			cmp.Compare(directionRank(x.Direction), directionRank(y.Direction)),
			cmp.Compare(x.Canary, y.Canary), cmp.Compare(x.Form, y.Form),
		)
	})
	return hits
}

// matchParts calls found for each hit in each part. One that m panics at has none.
func (b *build) matchParts(m Matcher, found func(*Part, Hit)) {
	for at := 0; at < len(b.t.Parts); at++ {
		func() {
			defer func() {
				if recover() != nil {
					b.hurt(b.t.Parts[at].Path, "canary", damagePanic)
				}
			}()
			for ; at < len(b.t.Parts); at++ {
				for _, h := range m.Match(b.t.Parts[at]) {
					found(b.t.Parts[at], h)
				}
			}
		}()
	}
}

// finding is what a hit proves.
func (b *build) finding(h Hit) Finding {
	f := Finding{
		Class: h.Class, Direction: h.Direction, Confidence: Confirmed, Detector: "canary",
		Path: h.Path, Start: h.Start, End: h.End,
		Reason: fmt.Sprintf("The planted %s %q was found as %s, in: %s.", KindWords(h.Kind), h.Canary, FormWords(h.Kind, h.Form), h.Path.Words()),
	}
	if p := b.t.Part(h.Path); p != nil {
		f.Excerpt = Excerpt(p.Data, h.Start, h.End)
	}
	return f
}
