package inspect

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Limits bound the work spent on one Subject. Zero fields mean the default.
type Limits struct {
	Depth int   // decoding steps below a root; default 8
	Parts int   // parts in all; default 20,000; one call of a decoder makes at most half
	Bytes int64 // bytes made by decoders in all; default 64 MiB; one call makes at most half
	Body  int64 // bytes of one body looked at; default 16 MiB
}

func (l *Limits) defaults() {
	l.Depth = cmp.Or(l.Depth, 8)
	l.Parts = cmp.Or(l.Parts, 20_000)
	l.Bytes = cmp.Or(l.Bytes, 64<<20)
	l.Body = cmp.Or(l.Body, 16<<20)
}

// Matcher finds planted values. canary.Matcher is one.
type Matcher interface {
	// Match returns the planted values in p. It is called once for each part,
	// concurrently. Path and Direction are filled in by the caller when empty.
	Match(p *Part) []Hit
}

// TreeMatcher is a Matcher that finds the same in less time when it knows which
// parts are of one tree.
type TreeMatcher interface {
	Matcher
	// Tree returns a Matcher for one tree. Its parts are given to it one after the
	// other, in the order of Tree.Parts.
	Tree() Matcher
}

// Owners tells who answers behind an address. owner.Table is one.
type Owners interface {
	Lookup(host string, addr netip.Addr) Owner
}

// Config is what an Inspector works with. The lists are not copied and must not
// change.
type Config struct {
	Decoders  []Decoder
	Detectors []Detector
	Canaries  Matcher // nil: no persona
	Owners    Owners  // nil: owners unknown
	// Values lists what could be an identifier, nil: nobody wants to know. It is
	// called once for each Subject, like a detector. detect.Values is one.
	Values func(t *Tree) []Value
	Limits Limits
	// Build names the version of the program, Persona the persona in use; both
	// go into Version.
	Build, Persona string
}

// Inspector inspects Subjects. It is safe for concurrent use.
type Inspector struct {
	cfg     Config
	version string
	shown   *shown
	builds  sync.Pool
	large   sync.Mutex // held for the one subject that makes more than largeBytes
}

// New checks the lists and returns an Inspector.
func New(cfg Config) (*Inspector, error) {
	cfg.Limits.defaults()
	if l := cfg.Limits; l.Depth < 0 || l.Parts < 0 || l.Bytes < 0 || l.Body < 0 {
		return nil, errors.New("limits must not be negative")
	}
	if len(cfg.Decoders) > mostDecoders {
		return nil, fmt.Errorf("%d decoders, at most %d", len(cfg.Decoders), mostDecoders)
	}
	in := &Inspector{cfg: cfg}
	names := make(map[string]bool)
	for i, d := range cfg.Decoders {
		switch {
		case !isName(d.Name) || names[d.Name]:
			return nil, fmt.Errorf("decoder %d: name %q is malformed or taken", i, d.Name)
		case d.Decode == nil || d.Doc == "":
			return nil, fmt.Errorf("decoder %s: no Decode or no Doc", d.Name)
		}
		names[d.Name] = true
	}
	in.shown = newShown(cfg.Decoders)
	clear(names)
	for i, d := range cfg.Detectors {
		switch {
		case !isName(d.Name) || names[d.Name]:
			return nil, fmt.Errorf("detector %d: name %q is malformed or taken", i, d.Name)
		case d.Detect == nil || d.Doc == "":
			return nil, fmt.Errorf("detector %s: no Detect or no Doc", d.Name)
		case !slices.Contains(Classes, d.Class):
			return nil, fmt.Errorf("detector %s: unknown class %q", d.Name, d.Class)
		}
		names[d.Name] = true
	}
	in.version = version(&cfg)
	return in, nil
}

// set is a set of indexes of Config.Decoders.
type set uint64

const mostDecoders = 64

// shown tells which decoders a part is shown to.
type shown struct {
	first [allSees][256]set // by what it is, and its first byte
	size  []set             // by its length; the last one is of all lengths from there on
	may   [4][256]set       // by the kinds of its bytes, eight kinds at a time: Holds and Only
	any   [4][256]set       // likewise: Any
}

func newShown(decoders []Decoder) *shown {
	s := new(shown)
	longest := 1
	for i := range decoders {
		longest = max(longest, decoders[i].Min)
	}
	s.size = make([]set, longest+1)
	for i := range decoders {
		d, bit := &decoders[i], set(1)<<i
		for is := range s.first {
			for c := range s.first[is] {
				if d.Sees&^Sees(is) == 0 && (d.First == "" || strings.IndexByte(d.First, byte(c)) >= 0) {
					s.first[is][c] |= bit
				}
			}
		}
		for n := max(d.Min, 0); n < len(s.size); n++ {
			s.size[n] |= bit
		}
		for at := range s.may {
			holds, only, any := uint8(d.Holds>>(8*at)), uint8(d.Only>>(8*at)), uint8(d.Any>>(8*at))
			for chars := range s.may[at] {
				if c := uint8(chars); holds&^c == 0 && (d.Only == 0 || c&^only == 0) {
					s.may[at][c] |= bit
				}
				if c := uint8(chars); any&c != 0 || d.Any == 0 {
					s.any[at][c] |= bit
				}
			}
		}
	}
	return s
}

// of returns the decoders for p, which is not empty.
func (s *shown) of(p *Part) set {
	is := Sees(0)
	if p.Parent == nil {
		is |= Roots
	}
	if p.Coding != "" {
		is |= Coded
	}
	if p.Kind == Bytes {
		is |= Binary
	}
	d := s.first[is][p.Data[0]] & s.size[min(len(p.Data), len(s.size)-1)]
	if c := p.chars; d != 0 && c&notLooked == 0 && p.Parent != nil {
		d &= s.may[0][c&0xff] & s.may[1][c>>8&0xff] & s.may[2][c>>16&0xff] & s.may[3][c>>24]
		d &= s.any[0][c&0xff] | s.any[1][c>>8&0xff] | s.any[2][c>>16&0xff] | s.any[3][c>>24]
	}
	return d
}

// next returns the first decoder of d from one on, false if there is none.
func (d set) next(from int) (i int, ok bool) {
	d &^= 1<<from - 1
	return bits.TrailingZeros64(uint64(d)), d != 0
}

// isName says that s can be the name of a decoder or detector.
func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func version(cfg *Config) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %+v %t", cfg.Build, cfg.Persona, cfg.Limits, cfg.Values != nil)
	for _, d := range cfg.Decoders {
		io.WriteString(h, " "+d.Name)
	}
	io.WriteString(h, " |")
	for _, d := range cfg.Detectors {
		io.WriteString(h, " "+d.Name)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// Version is a short word that is the same for Inspectors that give the same
// answers: it changes with Build, Persona, the names on the lists and the
// limits.
func (in *Inspector) Version() string { return in.version }

// Inspect looks at s. When ctx ends, it stops early and says so as Damage.
func (in *Inspector) Inspect(ctx context.Context, s *Subject) *Report {
	b := in.newBuild(ctx, s)
	defer b.release()
	defer b.w.beside(&in.large)()
	b.roots()
	b.unwrap()
	r := &Report{Parts: len(b.t.Parts)}
	if in.cfg.Canaries != nil {
		r.Hits = b.match()
		for _, h := range r.Hits {
			r.Findings = append(r.Findings, b.finding(h))
		}
	}
	for i := range in.cfg.Detectors {
		if ctx.Err() != nil {
			b.hurt("", in.cfg.Detectors[i].Name, damageTime)
			break
		}
		r.Findings = append(r.Findings, b.detect(&in.cfg.Detectors[i])...)
	}
	if in.cfg.Values != nil && ctx.Err() == nil {
		r.Values = b.values()
	}
	if in.cfg.Owners != nil {
		b.own(&r.Owner)
	}
	r.Findings = sortFindings(r.Findings)
	b.sayUpload(r.Findings)
	r.Damage = sortDamage(b.damage)
	return r
}

// Unwrap takes s apart and returns the tree, and what could not be taken apart.
// It is what Inspect does before anybody looks for anything.
func (in *Inspector) Unwrap(ctx context.Context, s *Subject) (*Tree, []Damage) {
	b := in.newBuild(ctx, s)
	b.roots()
	b.unwrap()
	b.t.table.given = true
	b.t.once.Do(b.t.group) // it writes into parts, which may be copied from now on
	return &b.t, sortDamage(b.damage)
}

// ErrNoPart means that a path leads to no part of the subject.
var ErrNoPart = errors.New("path leads to no part")
