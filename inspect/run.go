package inspect

import (
	"context"
	"errors"
	"net/netip"
)

// Limits bound the work spent on one Subject. Zero fields mean the default.
type Limits struct {
	Depth int   // decoding steps below a root; default 8
	Parts int   // parts in all; default 20,000
	Bytes int64 // bytes made by decoders in all; default 64 MiB
	Body  int64 // bytes of one body looked at; default 32 MiB
}

// Matcher finds planted values. canary.Matcher is one.
type Matcher interface {
	// Match returns the planted values in p. It is called once for each part,
	// concurrently.
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
	cfg Config
}

// New checks the lists and returns an Inspector.
func New(cfg Config) (*Inspector, error) { return &Inspector{cfg}, nil }

// Version is a short word that is the same for Inspectors that give the same
// answers: it changes with Build, Persona, the lists and the limits.
func (in *Inspector) Version() string { panic("unwritten") }

// Inspect looks at s. When ctx ends, it stops early and says so as Damage.
func (in *Inspector) Inspect(ctx context.Context, s *Subject) *Report { panic("unwritten") }

// Replay follows p through s and returns the Part it leads to. The error is
// ErrNoPart if it leads nowhere.
func (in *Inspector) Replay(s *Subject, p Path) (*Part, error) { panic("unwritten") }

// ErrNoPart means that a path leads to no part of the subject.
var ErrNoPart = errors.New("path leads to no part")

// Tree is a Subject taken apart.
type Tree struct {
	Subject *Subject
	Parts   []*Part // breadth first, roots included
}

// Work counts what decoding one Subject costs, against its Limits.
type Work struct{}

// Take accounts for n bytes made. It returns false when the budget is used up:
// the decoder then stops and returns what it has.
func (w *Work) Take(n int) bool { panic("unwritten") }
