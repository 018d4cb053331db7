package inspect

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"constat/proxy/flow"
)

// Limits bound the work spent on one Subject. Zero fields mean the default.
type Limits struct {
	Depth int   // decoding steps below a root; default 8
	Parts int   // parts in all; default 20,000; one call of a decoder makes at most half
	Bytes int64 // bytes made by decoders in all; default 64 MiB; one call makes at most half
	Body  int64 // bytes of one body looked at; default 32 MiB
}

func (l *Limits) defaults() {
	l.Depth = cmp.Or(l.Depth, 8)
	l.Parts = cmp.Or(l.Parts, 20_000)
	l.Bytes = cmp.Or(l.Bytes, 64<<20)
	l.Body = cmp.Or(l.Body, 32<<20)
}

// Matcher finds planted values. canary.Matcher is one.
type Matcher interface {
	// Match returns the planted values in p. It is called once for each part,
	// concurrently. Path and Direction are filled in by the caller when empty.
	Match(p *Part) []Hit
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
	Limits    Limits
	// Build names the version of the program, Persona the persona in use; both
	// go into Version.
	Build, Persona string
}

// Inspector inspects Subjects. It is safe for concurrent use.
type Inspector struct {
	cfg     Config
	version string
	least   int // the smallest Min of the decoders
	builds  sync.Pool
}

// New checks the lists and returns an Inspector.
func New(cfg Config) (*Inspector, error) {
	cfg.Limits.defaults()
	if l := cfg.Limits; l.Depth < 0 || l.Parts < 0 || l.Bytes < 0 || l.Body < 0 {
		return nil, errors.New("limits must not be negative")
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
		if i == 0 || d.Min < in.least {
			in.least = d.Min
		}
	}
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

// isName says that s can be the name of a decoder or detector.
func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func version(cfg *Config) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %+v", cfg.Build, cfg.Persona, cfg.Limits)
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
	if in.cfg.Owners != nil {
		b.own(&r.Owner)
	}
	r.Findings = sortFindings(r.Findings)
	r.Damage = sortDamage(b.damage)
	return r
}

// Unwrap takes s apart and returns the tree, and what could not be taken apart.
// It is what Inspect does before anybody looks for anything.
func (in *Inspector) Unwrap(ctx context.Context, s *Subject) (*Tree, []Damage) {
	b := in.newBuild(ctx, s)
	b.roots()
	b.unwrap()
	return &b.t, sortDamage(b.damage)
}

// ErrNoPart means that a path leads to no part of the subject.
var ErrNoPart = errors.New("path leads to no part")

// Tree is a Subject taken apart. It is safe for concurrent use. The one that a
// detector is given, with all its parts, is valid during that call only; the
// strings in it stay valid.
type Tree struct {
	Subject *Subject
	Parts   []*Part // breadth first, roots included

	indexed sync.Once
	index   map[Path]*Part
	once    sync.Once
	records []Record
	fields  []*Part // of the records that are not whole lists of children
}

// mostFindings is how many findings of one detector are kept: an upload of ten
// thousand messages is proved by the first ones.
const mostFindings = 500

// detect runs one detector and completes what it says. A finding that names no
// part cannot be proved: it becomes Damage.
func (b *build) detect(d *Detector) (found []Finding) {
	defer func() {
		if recover() != nil {
			b.hurt("", d.Name, damagePanic)
			found = nil
		}
	}()
	list := d.Detect(&b.t)
	if len(list) > mostFindings {
		b.hurt("", d.Name, damageFindings)
		list = list[:mostFindings]
	}
	for _, f := range list {
		p := b.t.Part(f.Path)
		if p == nil || f.Confidence.Rank() == 0 {
			b.hurt(f.Path, d.Name, "finding without a part or a confidence")
			continue
		}
		f.Path = Path(strings.Clone(string(f.Path))) // a path shares the memory of its siblings'
		f.Class = cmp.Or(f.Class, d.Class)
		f.Detector = cmp.Or(f.Detector, d.Name)
		f.Direction = cmp.Or(f.Direction, p.Direction)
		if f.Start < 0 || f.End > len(p.Data) || f.Start >= f.End {
			f.Start, f.End = 0, 0
		}
		if f.Excerpt == "" {
			f.Excerpt = Excerpt(p.Data, f.Start, f.End)
		} else {
			f.Excerpt = Excerpt([]byte(f.Excerpt), 0, 0)
		}
		f.Reason = strings.ToValidUTF8(f.Reason, ".")
		found = append(found, f)
	}
	return found
}

func (b *build) own(o *Owner) {
	defer func() {
		if recover() != nil {
			b.hurt("", "owner", damagePanic)
		}
	}()
	*o = b.in.cfg.Owners.Lookup(b.t.Subject.Host, b.t.Subject.Server)
}

func sortFindings(list []Finding) []Finding {
	slices.SortStableFunc(list, func(x, y Finding) int {
		return cmp.Or(
			cmp.Compare(x.Class, y.Class), cmp.Compare(y.Direction, x.Direction), // up first
			cmp.Compare(y.Confidence.Rank(), x.Confidence.Rank()), // surest first
			cmp.Compare(x.Detector, y.Detector), cmp.Compare(x.Path, y.Path),
			cmp.Compare(x.Start, y.Start), cmp.Compare(x.End, y.End),
			cmp.Compare(x.Reason, y.Reason), cmp.Compare(x.Excerpt, y.Excerpt),
		)
	})
	return slices.Compact(list)
}

func sortDamage(list []Damage) []Damage {
	slices.SortFunc(list, func(x, y Damage) int {
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Decoder, y.Decoder), cmp.Compare(x.Reason, y.Reason))
	})
	return slices.Compact(list)
}

// directionRank orders what left the phone before what came to it.
func directionRank(d flow.Direction) int {
	if d == flow.Up {
		return 0
	}
	return 1
}
