package canary

import (
	"hash/maphash"
	"slices"
	"sync"

	"constat/inspect"
)

const (
	// mostPixels and mostPictures bound what is decoded below one root of a
	// message; what goes beyond is compared by its bytes only.
	mostPixels   = 160_000_000
	mostPictures = 64
	// mostInside is how many pictures are looked at inside one part.
	mostInside = 6
	// leastPicture is the size of the smallest picture file that is decoded.
	leastPicture = 512
	// mostRemembered is how many pictures a gallery has the verdict on.
	mostRemembered = 256
)

// gallery compares pictures with the planted ones. A picture is decoded once as
// long as its verdict is remembered, and one at a time, which bounds the memory.
type gallery struct {
	photos []*planted

	decoding sync.Mutex
	mu       sync.Mutex // guards the following
	verdicts map[pictureKey][]likeness
	order    []pictureKey
}

type pictureKey struct {
	hash uint64
	size int
}

// likeness says that a picture is a copy of a planted one.
type likeness struct {
	canary int
	form   string
	score  float32
}

var pictureSeed = maphash.MakeSeed()

// budget is what may be decoded below one root.
type budget struct {
	pixels   int64
	pictures int
}

// visit calls found for each planted photo that is shown in p, unless a part that
// was made of p has it.
func (g *gallery) visit(p *inspect.Part, left *budget, found func(start int, form string, canary int)) {
	if p.Kind > inspect.Text || len(p.Data) < leastPicture || p.Same != nil {
		return
	}
	starts := pictures(p.Data, mostInside)
	if len(starts) == 0 || len(p.Children) > 0 && starts[0] != 0 {
		return
	}
	seen := make(map[int]bool)
	for _, start := range starts {
		if left.pictures == 0 || len(p.Data)-start < leastPicture {
			return
		}
		for _, l := range g.judge(p.Data[start:], left) {
			if seen[l.canary] {
				continue
			}
			seen[l.canary] = true
			form := l.form
			if start > 0 && starts[0] == 0 {
				form += "-thumbnail"
			}
			found(start, form, l.canary)
		}
	}
}

// judge returns the planted photos that data, a picture, is a copy of.
func (g *gallery) judge(data []byte, left *budget) []likeness {
	cost, w, h := decodeCost(data)
	if cost == 0 || cost > maxDecoded || !slices.ContainsFunc(g.photos, func(p *planted) bool { return p.couldBe(w, h) }) {
		return nil
	}
	key := pictureKey{maphash.Bytes(pictureSeed, data), len(data)}
	g.mu.Lock()
	out, ok := g.verdicts[key]
	g.mu.Unlock()
	if ok {
		return out
	}
	n := int64(w) * int64(h)
	if n > left.pixels {
		return nil
	}
	left.pixels -= n
	left.pictures--
	g.decoding.Lock()
	out = g.compare(data)
	g.decoding.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.verdicts[key]; !ok {
		if g.verdicts == nil {
			g.verdicts = make(map[pictureKey][]likeness)
		}
		if len(g.order) == mostRemembered {
			delete(g.verdicts, g.order[0])
			g.order = g.order[1:]
		}
		g.verdicts[key] = out
		g.order = append(g.order, key)
	}
	return out
}

// couldBe says that the proportions of a picture are those of a copy.
func (p *planted) couldBe(w, h int) bool {
	like := func(w, h int) bool {
		r := float32(w) * float32(p.height) / (float32(h) * float32(p.width))
		return r >= leastKept && r <= 1/leastKept
	}
	return like(w, h) || like(h, w)
}

// compare returns the planted photo that a picture is most like, and any other
// that it is as much a copy of.
func (g *gallery) compare(data []byte) (out []likeness) {
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	img, ok := decodeImage(data)
	if !ok {
		return nil
	}
	c := newCandidate(img)
	for _, p := range g.photos {
		if form, score := p.form(c); form != "" {
			out = append(out, likeness{p.canary, form, score})
		}
	}
	return out
}
