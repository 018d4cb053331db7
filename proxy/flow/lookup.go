package flow

import (
	"net/netip"
	"time"
)

// Lookup is one question that a client asked the DNS through a door, and what it
// was told (RFC 1035 section 4). A message with several questions is not answered (RFC
// 9619), and makes one, of the first.
type Lookup struct {
	ID       int64 // given by Recorder.Commit, unique in the case, from 1
	Time     time.Time
	Duration time.Duration // until the answer
	Door     string
	Device   string
	App      string
	Client   netip.AddrPort
	// Over is how it was asked: "udp" or "tcp".
	Over string
	// Server is the address that the client asked, Resolver the one that was asked
	// for it; the zero value when none was.
	Server   netip.AddrPort
	Resolver netip.AddrPort

	// Name is as asked, lower case, without the trailing dot; "." is the root. It is
	// never longer than 253 bytes: first labels for which there is no room are "…".
	// Empty when the question could not be read.
	Name string
	Type string // "A", "AAAA", "HTTPS", or "TYPE65400" (RFC 3597 section 5)
	// Code is the response code by its IANA name ("NOERROR", "NXDOMAIN"), empty when
	// no server gave an answer that could be passed on, and Error says why: the client
	// was told SERVFAIL, FORMERR, NOTIMP or REFUSED, or nothing. Both are set for an
	// answer that is damaged.
	Code  string
	Error string
	// Answers are the records of the answer section, one a line, as a master file
	// writes them (RFC 1035 section 5.1): "www.example. 300 IN A 192.0.2.1". There
	// are no more than MaxAnswers.
	Answers []string
	// Addresses are those in Answers, hints of HTTPS and SVCB records among them, of
	// the name itself or of one it is an alias of.
	Addresses []netip.Addr
	// Stripped says that hints at encrypted server names or HTTP/3 were taken out
	// of the answer that the client got, because the operator said so. Answers has
	// them.
	Stripped bool
}

// MaxAnswers is how many records are kept of an answer.
const MaxAnswers = 64

// KindLookup is the kind of Lookup.
const KindLookup = "lookup"

// Kind implements Record.
func (*Lookup) Kind() string { return KindLookup }
