package inspect

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	"constat/proxy/flow"
)

// Errors that decoders return when they stop at a limit. They become Damage.
var (
	ErrBytes = errors.New("limit: bytes")
	ErrParts = errors.New("limit: parts")
	ErrDepth = errors.New("limit: depth")
)

// Reasons of Damage that no decoder reports.
const (
	damageTime      = "limit: time"
	damageTruncated = "limit: body truncated"
	damageFindings  = "limit: findings"
	damageValues    = "limit: values"
	damageDamage    = "limit: damage" // there is more that is not listed
	damagePanic     = "panic"
)

// Work counts what one call of a decoder costs, against the limits. It belongs
// to that call, which may make half of Limits.Bytes and of Limits.Parts, so that
// one bomb does not use up what the rest of the subject needs. What one call may
// make does not depend on what was made before: a path replays to the same bytes
// alone as in the whole tree. The total is held between calls, and exceeds
// Limits.Bytes by less than one call's worth.
type Work struct {
	ctx   context.Context
	used  int64
	limit int64
	parts int
	next  int64 // used at which ctx is looked at again
	over  bool  // Take said no for want of bytes
	late  bool  // Take said no for want of time

	window   []byte // of the Subject
	deflated bool

	made  int64       // bytes made by earlier calls
	large *sync.Mutex // of the Inspector; nil when nobody else can be at work
	mine  bool        // large is held

	arena arena // of the parts of the subject
}

// Take accounts for n bytes made. It returns false when the budget is used up:
// the decoder then stops and returns what it has.
func (w *Work) Take(n int) bool {
	if int64(n) > w.limit-w.used {
		w.used, w.over = w.limit, true
		return false
	}
	w.Reserve(n)
	w.used += int64(n)
	if w.used >= w.next {
		w.next = w.used + 256<<10
		if w.ctx.Err() != nil {
			w.late = true
		}
	}
	return !w.late
}

// largeBytes is what a subject may make beside others.
const largeBytes = 4 << 20

// Reserve says that the call is about to hold n bytes that Take was not asked
// for yet. It waits while another subject of the Inspector is a large one: the
// memory of bombs does not grow with the number that are inspected at a time.
func (w *Work) Reserve(n int) {
	if w.large != nil && !w.mine && w.made+w.used+int64(n) > largeBytes {
		w.large.Lock()
		w.mine = true
	}
}

// beside makes w the work on a subject beside which others are inspected, until
// done is called.
func (w *Work) beside(large *sync.Mutex) (done func()) {
	w.large = large
	return func() {
		if w.mine {
			large.Unlock()
		}
		w.large, w.mine = nil, false
	}
}

// Left is how many bytes Take still grants.
func (w *Work) Left() int64 {
	if w.late {
		return 0
	}
	return w.limit - w.used
}

// Parts is how many children the call may return.
func (w *Work) Parts() int { return w.parts }

// Window returns Subject.FrameWindow, and whether the Subject is a frame that is
// compressed with permessage-deflate at all. The window must not be changed.
func (w *Work) Window() (window []byte, deflated bool) { return w.window, w.deflated }

// Children returns n zero children for the call to fill in and return.
func (w *Work) Children(n int) []Child { return w.arena.take(n) }

// build takes one Subject apart. The parts of the tree are the queue, too. A
// build is used again for other subjects, with the memory of its tree, unless
// the tree was given away.
type build struct {
	in     *Inspector
	ctx    context.Context
	t      Tree
	damage []Damage
	w      Work
	made   int64 // bytes made by all calls

	part, decoder int   // where unwrap is: indexes of t.Parts and of Config.Decoders
	before        place // in the arena, in front of what the decoder that is at work takes
	seen          map[uint64]*Part
	sizes         [4]uint64 // a bit for each size, modulo 256, of the parts in seen
	texts         []byte    // see bytes
	names         []string  // scratch
	steps         []byte    // scratch: the steps of the children of one call
	ends          []int     // scratch: where each ends
}

// arena hands out parts from larger blocks.
type arena struct {
	blocks []block
	at     int // index of the block that is handed out
	size   int // of all blocks
}

type block struct {
	parts []Part
	used  int
}

// place is one in an arena.
type place struct{ block, used int }

const blockParts = 64

// take returns n zero parts.
func (a *arena) take(n int) []Part {
	for a.at < len(a.blocks) && a.blocks[a.at].used+n > len(a.blocks[a.at].parts) {
		a.at++
	}
	if a.at == len(a.blocks) {
		a.blocks = append(a.blocks, block{parts: make([]Part, max(n, blockParts))})
		a.size += max(n, blockParts)
	}
	b := &a.blocks[a.at]
	start := b.used
	b.used += n
	return b.parts[start:b.used:b.used]
}

// here is where the next part may be.
func (a *arena) here() place {
	if a.at == len(a.blocks) {
		return place{a.at, 0}
	}
	return place{a.at, a.blocks[a.at].used}
}

// back takes back all parts from a place on.
func (a *arena) back(to place) {
	for i := to.block; i <= a.at && i < len(a.blocks); i++ {
		b := &a.blocks[i]
		clear(b.parts[to.used:b.used])
		b.used, to.used = to.used, 0
	}
	a.at = to.block
}

func (in *Inspector) newBuild(ctx context.Context, s *Subject) *build {
	b, _ := in.builds.Get().(*build)
	if b == nil {
		b = in.emptyBuild(newNameTable())
	}
	b.ctx, b.w.ctx, b.t.Subject = ctx, ctx, s
	b.w.window, b.w.deflated = s.FrameWindow, s.FrameDeflated && s.Frame != nil
	return b
}

func (in *Inspector) emptyBuild(names *nameTable) *build {
	b := &build{in: in, w: Work{limit: (in.cfg.Limits.Bytes + 1) / 2, parts: (in.cfg.Limits.Parts + 1) / 2}}
	b.t.table = names
	return b
}

// Memory that a build keeps for the next subject: some 8 MB, until the garbage
// collector has passed twice without need of it.
const (
	keptParts = 32 << 10
	keptNames = 2 << 10 // in maps, whose clearing takes as long as they ever were large
	keptTexts = 1 << 20
)

// release gives b and all its parts back. One that an unusual subject made large
// is left to the garbage collector, but for its names.
func (b *build) release() {
	b.t.table.leave()
	if b.w.arena.size > keptParts || cap(b.t.Parts) > keptParts || cap(b.steps) > keptTexts || cap(b.texts) > keptTexts || b.t.making.large() {
		b.in.builds.Put(b.in.emptyBuild(b.t.table))
		return
	}
	b.w.arena.back(place{})
	b.texts = b.texts[:0]
	if len(b.seen) > keptNames {
		b.seen = nil
	}
	clear(b.t.Parts)
	clear(b.t.records)
	clear(b.t.fields)
	clear(b.names)
	clear(b.seen)
	clear(b.sizes[:])
	clear(b.t.Names)
	clear(b.t.shared)
	clear(b.t.documents)
	clear(b.t.columns)
	b.t.making.reset()
	b.t = Tree{
		Parts: b.t.Parts[:0], Names: b.t.Names[:0], records: b.t.records[:0], fields: b.t.fields[:0],
		documents: b.t.documents[:0], columns: b.t.columns[:0], making: b.t.making, shared: b.t.shared[:0], table: b.t.table,
	}
	b.ctx, b.w.ctx, b.w.window, b.damage = nil, nil, nil, nil
	b.made, b.w.made, b.part, b.decoder = 0, 0, 0, 0
	b.in.builds.Put(b)
}

func (b *build) hurt(p Path, decoder, reason string) {
	p = Path(strings.Clone(string(p))) // a path shares the memory of its siblings'
	b.damage = append(b.damage, Damage{p, decoder, reason})
}

// roots adds the roots of the subject.
func (b *build) roots() {
	s := b.t.Subject
	if s.Frame != nil {
		p := b.root("frame", "", "", b.cut("frame", s.Frame, false))
		p.Direction = s.FrameDirection
		if s.FrameText && !s.FrameDeflated {
			p.Kind = Text
		}
		return
	}
	if s.Host != "" {
		b.root("request.host", "", "", b.bytes(s.Host)).Kind = Text
	}
	if len(s.Path) > 1 {
		b.root("request.path", "", "", b.bytes(s.Path)).Kind = Text
	}
	if s.Query != "" {
		b.root("request.query", "", "", b.bytes(s.Query)).Kind = Text
	}
	b.headerRoots("request", &s.Request)
	b.body("request.body", &s.Request)
	if u := s.Upload; u != nil {
		p := b.root("upload", "", u.Name, b.cut("upload", u.Data, u.Truncated))
		if p.Media = mediaType(u.Media); p.Media == "" || p.Media == "application/octet-stream" {
			p.Media = cmp.Or(Recognise(p.Data), p.Media)
		}
	}
	b.headerRoots("response", &s.Response)
	b.body("response.body", &s.Response)
}

func (b *build) body(name string, c *Content) {
	data := b.cut(name, c.Body, c.Truncated)
	if len(data) == 0 {
		return
	}
	p := b.root(name, "", "", data)
	p.ContentType = canonical(c.Header, "Content-Type")
	p.Media = mediaType(p.ContentType)
	p.Coding = canonical(c.Header, "Content-Encoding")
	if p.Media == "" || p.Media == "application/octet-stream" {
		if m := Recognise(data); m != "" {
			p.Media = m
		}
	}
}

// cut holds a body to its limit and notes that it is not whole.
func (b *build) cut(name string, data []byte, truncated bool) []byte {
	if limit := b.in.cfg.Limits.Body; int64(len(data)) > limit {
		data, truncated = data[:limit:limit], true
	}
	if truncated {
		b.hurt(Path(name), "", damageTruncated)
	}
	return data
}

func (b *build) root(name, arg, field string, data []byte) *Part {
	p := &b.w.arena.take(1)[0]
	*p = Part{Path: Path(name), Direction: flow.Up, Data: data, step: name, chars: AnyChar | notLooked}
	p.Name, p.name = b.t.table.number(&b.t, field)
	const longest = 256 // body that is likely to be one value
	if len(data) <= longest || !strings.HasSuffix(name, ".body") {
		p.chars = charsIn(data)
	}
	if strings.HasPrefix(name, "response") {
		p.Direction = flow.Down
	}
	if arg != "" {
		p.Path = Path(appendArg([]byte(name), arg))
	}
	b.t.Parts = append(b.t.Parts, p)
	return p
}

// bytes returns the bytes of s, in memory that the next subject uses again.
func (b *build) bytes(s string) []byte {
	start := len(b.texts)
	b.texts = append(b.texts, s...)
	return b.texts[start:len(b.texts):len(b.texts)]
}

// unwrap runs the decoders over all parts, those they make included, until
// nothing is left to take off or a limit is hit.
func (b *build) unwrap() {
	for !b.pass() {
	}
}

// pass goes on where the pass before it ended, which it did because a decoder
// panicked, and reports whether it came to the end.
func (b *build) pass() (done bool) {
	defer func() {
		if recover() != nil {
			p := b.t.Parts[b.part]
			b.hurt(p.Path, b.in.cfg.Decoders[b.decoder].Name, damagePanic)
			b.w.arena.back(b.before)
			b.decoder++
		}
	}()
	decoders := b.in.cfg.Decoders
	for ; b.part < len(b.t.Parts); b.part, b.decoder = b.part+1, 0 {
		p := b.t.Parts[b.part]
		if b.part&63 == 0 && b.ctx.Err() != nil {
			b.hurt(p.Path, "", damageTime)
			return true
		}
		if p.Kind > Text || len(p.Data) == 0 {
			continue
		}
		if b.decoder == 0 {
			if p.Same = b.known(p); p.Same != nil {
				continue
			}
		}
		for list := b.in.shown.of(p); ; b.decoder++ {
			var more bool
			if b.decoder, more = list.next(b.decoder); !more {
				break
			}
			d := &decoders[b.decoder]
			b.before = b.w.arena.here()
			children, err := d.Decode(&b.w, p)
			if len(children) == 0 && err == nil && b.w.used == 0 {
				continue
			}
			if stop := b.adopt(p, d, children, err); stop {
				return true
			}
		}
	}
	return true
}

// adopt makes the children of one call parts of the tree and notes what went
// wrong. It reports whether unwrapping must stop altogether.
func (b *build) adopt(p *Part, d *Decoder, children []Child, err error) (stop bool) {
	w := &b.w
	b.made += w.used
	w.made = b.made
	over, late := w.over, w.late
	w.used, w.next, w.over, w.late = 0, 0, false, false
	if late { // what was made hangs on the clock: leave it out
		b.hurt(p.Path, d.Name, damageTime)
		return true
	}
	if over {
		err = ErrBytes
	}
	if len(children) > 0 && p.Depth >= b.in.cfg.Limits.Depth {
		children, err = nil, ErrDepth
	}
	if room := b.in.cfg.Limits.Parts - len(b.t.Parts); len(children) > room {
		children, err, stop = children[:room], ErrParts, true
	}
	if err != nil {
		b.hurt(p.Path, d.Name, reason(err))
	}
	if len(children) > 0 {
		b.append(p, d.Name, children)
		b.remember(p)
	} else {
		w.arena.back(b.before)
	}
	if b.made >= b.in.cfg.Limits.Bytes && !stop {
		b.hurt(p.Path, d.Name, ErrBytes.Error())
		stop = true
	}
	return stop
}

// reason is the text of a decoder's error, held to one short line.
func reason(err error) string {
	text := err.Error()
	return Excerpt([]byte(text), 0, len(text))
}

// append adds children to p and to the queue. Their paths share one string.
func (b *build) append(p *Part, decoder string, children []Child) {
	b.steps, b.ends = b.steps[:0], b.ends[:0]
	for i := range children {
		if children[i].Path == "" {
			b.steps = append(b.steps, p.Path...)
			b.steps = appendStep(b.steps, decoder, children[i].Arg)
			b.ends = append(b.ends, len(b.steps))
		}
	}
	paths, ends, start := Path(b.steps), b.ends, 0
	first := len(b.t.Parts) - len(p.Children) // those that p has stand at the end
	b.t.Parts = slices.Grow(b.t.Parts, len(children))
	for i := range children {
		q := &children[i]
		if q.Path == "" {
			q.Path = paths[start:ends[0]]
			start, ends = ends[0], ends[1:]
		}
		q.Direction, q.Depth, q.Parent, q.step = p.Direction, p.Depth+1, p, decoder
		q.chars = charsIn(q.Data)
		q.Name, q.name = b.t.table.number(&b.t, q.Name)
		if q.Media == "" && q.Kind <= Text {
			if q.ContentType != "" {
				q.Media = mediaType(q.ContentType)
			} else {
				q.Media = Recognise(q.Data)
			}
		}
		b.t.Parts = append(b.t.Parts, q)
	}
	p.Children = b.t.Parts[first:len(b.t.Parts):len(b.t.Parts)]
}

// leastKnown is the size from which on it is worth knowing that bytes were seen
// before.
const leastKnown = 16

var seed = maphash.MakeSeed()

func key(p *Part) uint64 {
	k := maphash.Bytes(seed, p.Data)
	if p.Direction == flow.Down {
		k = ^k
	}
	return k
}

// known returns the part that the same bytes were taken out of before.
func (b *build) known(p *Part) *Part {
	n := len(p.Data)
	if n < leastKnown || b.sizes[n/64%4]>>(n%64)&1 == 0 {
		return nil
	}
	q := b.seen[key(p)]
	if q == nil || q == p || q.Direction != p.Direction || q.Coding != p.Coding || q.ContentType != p.ContentType || !bytes.Equal(q.Data, p.Data) {
		return nil
	}
	return q
}

func (b *build) remember(p *Part) {
	if len(p.Data) < leastKnown {
		return
	}
	n := len(p.Data)
	b.sizes[n/64%4] |= 1 << (n % 64)
	if b.seen == nil {
		b.seen = make(map[uint64]*Part)
	}
	if k := key(p); b.seen[k] == nil {
		b.seen[k] = p
	}
}
