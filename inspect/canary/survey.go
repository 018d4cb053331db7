package canary

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"constat/inspect"
)

const (
	// mostLeaves of a message are looked through for texts in pieces.
	mostLeaves = 20_000
	// leastPiece is how much of a text each of the pieces has that it was sent in.
	leastPiece = 4
	// pieceEnd is how much of the end of a piece tells what it breaks off in.
	pieceEnd = 24
	// mostEntity is the length of the longest character reference.
	mostEntity = 10
	// pieceKept is how much of the beginning and of the end of a long piece is kept.
	pieceKept = 4 * mostWritten
)

// survey is a look at all that is below one root, in the order of the wire: it
// finds planted photos, and planted texts that stand in several leaves of one name
// one after the other, and in none of them alone. Most leaves have nothing to do
// with a planted text: they do not break off in one, and that is seen from their
// last letters.
type survey struct {
	m      *Matcher
	hits   []inspect.Hit
	root   *inspect.Part
	leaves int               // looked at so far
	pieces map[uint64]*piece // by pieceName
	open   int               // how many of them are
	seen   map[int]bool      // canaries found in pieces
	large  []*inspect.Part   // parts that may be pictures, those made of a part before it
}

func (s *survey) add(p *inspect.Part, x match) {
	c := &s.m.persona.Canaries[x.canary]
	s.hits = append(s.hits, inspect.Hit{
		Canary: c.Name, Kind: string(c.Kind), Class: c.Kind.Class(), Form: x.form,
		Direction: p.Direction, Path: p.Path, Start: x.start, End: x.end,
	})
}

func (s *survey) below(p *inspect.Part) {
	for _, child := range p.Children {
		if len(child.Children) > 0 {
			s.below(child)
		} else if mayBePiece(child) && s.leaves < mostLeaves && s.m.quotes != nil {
			s.next(child)
		}
		if len(child.Data) >= leastPicture {
			s.large = append(s.large, child)
		}
	}
}

func mayBePiece(leaf *inspect.Part) bool {
	return leaf.Kind <= inspect.Text && len(leaf.Data) >= leastPiece
}

// leavesBelow appends the leaves that may be pieces to list, in the order in which
// below comes to them.
func leavesBelow(p *inspect.Part, list []*inspect.Part) []*inspect.Part {
	for _, child := range p.Children {
		if len(child.Children) > 0 {
			list = leavesBelow(child, list)
		} else if mayBePiece(child) && len(list) < mostLeaves {
			list = append(list, child)
		}
	}
	return list
}

// next looks at the next leaf.
func (s *survey) next(leaf *inspect.Part) {
	at, q := s.leaves, s.m.quotes
	s.leaves++
	end, sure, ok := endOf(leaf.Data)
	breaksOff := ok && q.known(end)
	if !breaksOff && s.open == 0 {
		return
	}
	name := pieceName(leaf.Name)
	p := s.pieces[name]
	if p == nil || !p.open {
		if !breaksOff {
			return
		}
		if p == nil {
			if s.pieces == nil {
				s.pieces = make(map[uint64]*piece)
			}
			p = new(piece)
			s.pieces[name] = p
		}
		p.begin(leaf, at, end, sure)
		s.open++
		return
	}
	on := !p.sure || q.goesOn(p.end, leaf.Data)
	if on && p.last != nil {
		p.add(p.last.Data, p.at)
		p.last, on = nil, p.cut()
	}
	if on {
		joint := len(p.tail)
		p.add(leaf.Data, at)
		q.scan(p.tail, func(canary, start, end int, _ bool) bool {
			if start < joint && end > joint {
				first, _ := slices.BinarySearch(p.ends, start+1)
				s.joined(canary, p.from[first], at)
			}
			return true
		})
		p.end, p.sure = end, sure
		on = p.cut()
	}
	switch {
	case !breaksOff:
		p.open = false
		s.open--
	case !on:
		p.begin(leaf, at, end, sure)
	}
}

// joined notes a text that stands in the leaves from first to last, by number,
// unless it stands in one of them.
func (s *survey) joined(canary, first, last int) {
	if s.seen[canary] {
		return
	}
	if s.seen == nil {
		s.seen = make(map[int]bool)
	}
	s.seen[canary] = true
	leaves := leavesBelow(s.root, nil)[first : last+1]
	for _, leaf := range leaves {
		for _, x := range s.m.find(leaf) {
			if x.canary == canary {
				return
			}
		}
	}
	from, to := leaves[0], leaves[len(leaves)-1]
	around := common(from, to)
	start, end := 0, len(around.Data)
	if i := bytes.Index(around.Data, from.Data); i >= 0 {
		if j := bytes.Index(around.Data[i:], to.Data); j >= 0 {
			start, end = i, i+j+len(to.Data)
		}
	}
	s.add(around, match{canary: canary, form: "text-in-pieces", start: start, end: end})
}

// photos looks for planted photos in the root and in the parts below it.
func (s *survey) photos() {
	if s.m.gallery == nil {
		return
	}
	left := budget{mostPixels, mostPictures}
	visit := func(p *inspect.Part) {
		s.m.gallery.visit(p, &left, func(start int, form string, canary int) {
			s.add(p, match{canary: canary, form: form, start: start, end: len(p.Data)})
		})
	}
	for _, p := range s.large {
		visit(p)
	}
	visit(s.root)
}

// common is the innermost part that holds both a and b, which have one root.
func common(a, b *inspect.Part) *inspect.Part {
	for a.Depth > b.Depth {
		a = a.Parent
	}
	for b.Depth > a.Depth {
		b = b.Parent
	}
	for a != b && a.Parent != nil && b.Parent != nil {
		a, b = a.Parent, b.Parent
	}
	return a
}

// gram is four bytes of a text that was boiled down, the first one lowest.
type gram uint32

const gramSize = 4

func gramOf[T string | []byte](s T) gram {
	return gram(s[0]) | gram(s[1])<<8 | gram(s[2])<<16 | gram(s[3])<<24
}

func (g gram) hash() uint32 { return uint32(g) * 0x9e3779b1 >> (32 - 19) }

// known says that g stands in some planted text.
func (q *quotes) known(g gram) bool {
	h := g.hash()
	return q.grams[h>>6]>>(h&63)&1 == 1
}

// endOf returns the last four bytes that data boils down to, by a look at its end.
// They are not sure when a character reference may have been cut.
func endOf(data []byte) (end gram, sure, ok bool) {
	last := data[max(0, len(data)-pieceEnd):]
	n := 0
	for i := len(last) - 1; i >= 0 && n < gramSize; i-- {
		c := last[i]
		if c >= utf8.RuneSelf || c == ';' {
			return endOfAny(data, last)
		}
		if b := boiled[c]; b != 0 {
			end = end<<8 | gram(b)
			n++
		}
	}
	return end, true, n == gramSize
}

// endOfAny is endOf for any text.
func endOfAny(data, last []byte) (end gram, sure, ok bool) {
	var buf [8 * pieceEnd]byte
	b := boil(buf[:0], last, nil)
	if len(b) < gramSize {
		return 0, false, false
	}
	sure = len(last) == len(data) || !bytes.Contains(last[:mostEntity-1], []byte{';'})
	return gramOf(b[len(b)-gramSize:]), sure, true
}

// goesOn says whether a text that breaks off with end may go on in data: what they
// have in common with it is longer than seven bytes, so that it has three of one of
// them and one of the other.
func (q *quotes) goesOn(end gram, data []byte) bool {
	var buf [16 * pieceEnd]byte
	first := data[:min(len(data), pieceEnd)]
	head := boil(buf[:0], first, nil)
	if len(head) < gramSize-1 || len(first) < len(data) && bytes.Contains(first[len(first)-mostEntity:], []byte{'&'}) {
		return true // no telling
	}
	return q.known(end>>24|gram(head[0])<<8|gram(head[1])<<16|gram(head[2])<<24) || q.known(end>>8|gram(head[0])<<24)
}

// piece is the end of the pieces of one name so far.
type piece struct {
	last *inspect.Part // when it is the only one
	at   int           // which leaf that is
	end  gram          // what it breaks off in
	sure bool
	open bool // a text may go on

	tail []byte // of several
	ends []int  // where the pieces end in tail, oldest first
	from []int  // which leaf each is
}

// begin makes leaf, which breaks off in a text, the only piece.
func (p *piece) begin(leaf *inspect.Part, at int, end gram, sure bool) {
	p.last, p.at, p.end, p.sure, p.open = leaf, at, end, sure, true
	p.tail, p.ends, p.from = p.tail[:0], p.ends[:0], p.from[:0]
}

// add appends what a piece boils down to.
func (p *piece) add(data []byte, at int) {
	if len(data) > 2*pieceKept { // only its beginning and its end can be of a text in pieces
		data = slices.Concat(data[:pieceKept], []byte{' '}, data[len(data)-pieceKept:])
	}
	p.tail = boil(p.tail, data, nil)
	p.ends, p.from = append(p.ends, len(p.tail)), append(p.from, at)
}

// cut drops the oldest pieces while there is more than enough, and says whether
// what is left is small enough to go on with.
func (p *piece) cut() bool {
	for len(p.tail) > 2*pieceKept && len(p.ends) > 1 {
		n := p.ends[0]
		p.tail = append(p.tail[:0], p.tail[n:]...)
		p.ends, p.from = slices.Delete(p.ends, 0, 1), slices.Delete(p.from, 0, 1)
		for i := range p.ends {
			p.ends[i] -= n
		}
	}
	return len(p.tail) <= 8*pieceKept
}

var pieceSeed = maphash.MakeSeed()

// pieceName tells which leaves may hold pieces of one text: those of the same
// name, numbers in it left out.
func pieceName(name string) uint64 {
	if !strings.ContainsAny(name, "0123456789") {
		return maphash.String(pieceSeed, name)
	}
	return maphash.String(pieceSeed, strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, name))
}
