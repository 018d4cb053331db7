// Package inspect turns stored bytes into findings: it unwraps a message layer
// by layer into a tree of Parts, each with the path that leads to it, and lets
// detectors and canaries look at the tree.
//
// Inspection is a pure function of the Subject and the Config: no network, no
// clock, no database, so that anybody can repeat it. Of one call nothing is known to
// the next but what names mean (NameFacts), which is a function of the names.
// An Inspector is safe for concurrent use. Work is bounded by Limits; what was
// cut short or could not be decoded is Damage in the Report, never an error,
// and a decoder or detector that panics costs its own opinion only.
//
// The package does not say what a decoder or a detector recognises: the lists
// are decode.All and detect.All.
package inspect

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"constat/proxy/flow"
)

// Class is what a payload is about, as one lower-case word.
type Class string

// The classes. SMS, Photo, DeviceStats and GreetingContent are the four that
// the affair turned on.
const (
	SMS             Class = "sms"              // text messages of the phone's own SMS store; not chats of an app's service
	Photo           Class = "photo"            // camera pictures, or a resized copy, or their metadata
	DeviceStats     Class = "device_stats"     // model, build, battery, memory, network state, usage counters
	GreetingContent Class = "greeting_content" // preset jokes, poems and holiday wishes for sending on
	Email           Class = "email"
	Notes           Class = "notes"
	Contacts        Class = "contacts"
	CallLog         Class = "call_log"
	Location        Class = "location"
	Identifiers     Class = "identifiers" // of the phone, its SIM or its user
	BrowsingHistory Class = "browsing_history"
	AppList         Class = "app_list"
	Credentials     Class = "credentials"
	UpdateCheck     Class = "update_check"
	Opaque          Class = "opaque" // measured to be encrypted or random, not readable
)

// Classes lists every class in the order in which reports show them.
var Classes = []Class{
	SMS, Photo, Contacts, CallLog, Email, Notes, Location, BrowsingHistory, AppList,
	Credentials, Identifiers, DeviceStats, GreetingContent, UpdateCheck, Opaque,
}

// Confidence says how sure a finding is. Only a canary, or an exact copy of a
// planted file, confirms.
type Confidence string

// The confidences, weakest first.
const (
	Suspected Confidence = "suspected"
	Probable  Confidence = "probable"
	Confirmed Confidence = "confirmed"
)

// Rank orders confidences: 1 Suspected, 2 Probable, 3 Confirmed, 0 unknown.
func (c Confidence) Rank() int {
	return 1 + slices.Index([]Confidence{Suspected, Probable, Confirmed}, c)
}

// Subject is what is inspected together: one exchange, or one WebSocket message
// of one. Its bytes are not changed.
type Subject struct {
	Method, Scheme, Host string // host without port
	Path, Query          string // as sent, not decoded
	Status               int
	Server               netip.Addr // address that answered, the zero value if none
	Request, Response    Content

	// Frame, when not nil, is the one WebSocket message to look at; the rest
	// then only says where it belongs and is not looked at again.
	Frame          []byte
	FrameDirection flow.Direction
	FrameText      bool
	// FrameDeflated says that Frame is compressed with permessage-deflate (RFC
	// 7692), and FrameWindow holds the last bytes, at most 32 KiB, of what the
	// messages before it in its direction were inflated to, when the peers agreed
	// to compress each with what came before; nil when they did not.
	FrameDeflated bool
	FrameWindow   []byte

	// Upload, when not nil, is a file that was sent in several exchanges and is
	// whole with this one.
	Upload *Upload
}

// Upload is a file put together again from the exchanges that it was sent in.
type Upload struct {
	Data      []byte // what there is of it from its beginning, without a gap
	Name      string // as declared, "" when not
	Media     string // media type as declared, "" when not
	Exchanges []int64
	Truncated bool // a piece is missing, or it goes on beyond what is looked at
}

// Content is one direction of a Subject.
type Content struct {
	Header    http.Header
	Body      []byte // as on the wire, content coding kept
	Truncated bool   // the body goes on beyond what was kept
}

// Path names a Part by the steps that lead to it from a root, such as
// "request.body|gzip|form:data_list|base64|gzip|json:[0].properties.url".
//
// The roots are request.host, request.path, request.query, request.header:NAME,
// request.cookie:NAME, request.body, response.header:NAME,
// response.cookie:NAME, response.body, upload for a file that was put together
// from several exchanges, and frame for a WebSocket message; a second header or cookie of the same name is NAME#1, a third NAME#2. A step is
// a decoder's name, or name:argument where a decoder yields several parts.
//
// In an argument a bar or backslash is escaped with a backslash, and what is
// not printable UTF-8 is written as \xNN, byte by byte. An argument of more than
// 200 bytes is cut and ends in an ellipsis and 16 digits of its SHA-256. So a
// Path is always one line of valid UTF-8, whatever was on the wire.
type Path string

// Steps splits p into the root and the steps, still escaped.
func (p Path) Steps() []string {
	var out []string
	start, s := 0, string(p)
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '|':
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// Append returns p with one more step; arg may be empty.
func (p Path) Append(decoder, arg string) Path {
	b := make([]byte, 0, len(p)+len(decoder)+len(arg)+2)
	return Path(appendStep(append(b, p...), decoder, arg))
}

// SplitStep cuts a step of Steps into the decoder's name and the argument.
func SplitStep(step string) (decoder, arg string) {
	decoder, arg, _ = strings.Cut(step, ":")
	return decoder, unescapeArg(arg)
}

// Part is a piece of a message after some decoding steps. Parts are read-only
// once the tree is built.
type Part struct {
	Path      Path
	Arg       string // of the last step of Path, not escaped: unique among the children of one Decode call; "" if it is the only one
	Direction flow.Direction
	Data      []byte // shared with the Subject or with other parts
	Name      string // key, field or header name that holds it, "" when none
	// Group is the same for parts that belong to one record (the fields of one
	// JSON object, one form, one table row), and differs between records. It
	// means something among the children of one parent only.
	Group string
	Media string // media type, declared or recognised, without parameters; "" unknown
	// ContentType is the Content-Type declared for Data, with its parameters,
	// and Coding the content codings declared that are still on Data, in the
	// order of RFC 9110 section 8.4: the last one comes off first. Both are
	// what somebody said, and need not be true.
	ContentType, Coding string
	// Record, when not 0, numbers the groups among the children of one Decode call,
	// from 1, in the order of the first part of each.
	Record uint32
	Kind   Kind
	Depth  int // decoding steps since the root
	Parent *Part
	// Children are what decoders made of Data; several decoders may have.
	Children []*Part
	// Same, when not nil, is an earlier part of the same direction with the same
	// bytes. It has the children, this one has none.
	Same *Part

	step   string // name of the decoder that made it; of a root, the root's name
	name   uint32 // see NameID
	chars  Chars  // see Holds; 0 when nobody looked
	column uint32 // see Column
}

// NameID is the number of p's Name in Tree.Names, counted from 1, so that what is
// to be known of a name is worked out once for all parts that have it. It is 0
// for a part without a name and for one that is not in a tree.
func (p *Part) NameID() int { return int(p.name) }

// Column is the index of the column that p is in, in Document.Columns. It means
// nothing before Tree.Documents was called.
func (p *Part) Column() int { return int(p.column) }

// Decoder returns the name of the decoder that made p, and of a root its name
// without argument: "json", "request.header".
func (p *Part) Decoder() string { return p.step }

// String returns the data as it is, which need not be valid UTF-8.
func (p *Part) String() string { return string(p.Data) }

// Kind is the type of value that a Part is, where the layer above says so.
type Kind uint8

// The kinds of value.
const (
	Bytes  Kind = iota // unknown, or binary
	Text               // a string
	Number             // a number in decimal text
	Bool               // "true" or "false"
	Null
)

// Child is a Part as a decoder returns it. The decoder fills in Arg, Data, and what
// it knows of Name, Group, Record, Media, ContentType, Coding and Kind; without Media it is
// taken from ContentType, or recognised. Where it has the path of the child at hand,
// p.Path.Append(decoder, Arg), it may fill in Path, too. The caller does the rest.
type Child = Part

// Decoder takes one layer off.
type Decoder struct {
	Name string // lower case, no bar or colon; the word used in paths
	Doc  string // one sentence: what it takes off, and the source of the format
	Min  int    // parts of fewer bytes are not shown to Decode

	// First lists the bytes with which a part must begin to be shown to Decode, ""
	// all; Sees says what else it must be. A part that is no root must hold bytes of
	// each kind in Holds, of at least one in Any, and of none that is not in Only;
	// 0 asks for nothing. They must leave out only what Decode would refuse: nearly
	// all parts are none of a decoder's business, and the less of them it is shown
	// the better.
	First            string
	Sees             Sees
	Holds, Any, Only Chars

	// Decode returns the pieces inside p.Data. No children and no error mean
	// that p is not this decoder's business, which it must find out cheaply: it
	// sees all parts of Kind Bytes or Text but for what the fields above leave out.
	// An error means that the layer is there but broken; what could be read of it
	// may be returned as well. Decode must return the same for the same p, must not
	// keep or change p, and must account for every byte that it makes with w; bytes
	// shared with p.Data are free. It must not recurse as deep as its input says.
	Decode func(w *Work, p *Part) ([]Child, error)
}

// Sees narrows down which parts a decoder is shown. Its values can be added up.
type Sees uint8

// What a part can be asked to be.
const (
	Roots  Sees = 1 << iota // a root of the tree
	Coded                   // with a content coding declared
	Binary                  // of Kind Bytes
	allSees
)

// Detector recognises one class.
type Detector struct {
	Name  string // lower case; usually the class
	Class Class
	Doc   string // one sentence: what it looks for

	// Detect looks at the whole tree and returns its findings. Class and
	// Detector are filled in by the caller when empty.
	Detect func(t *Tree) []Finding
}

// Finding is an opinion about one Part and the reason for it.
type Finding struct {
	Class      Class          `json:"class"`
	Direction  flow.Direction `json:"direction"`
	Confidence Confidence     `json:"confidence"`
	Detector   string         `json:"detector"`
	Path       Path           `json:"path"`
	// Start and End are the bytes of the Part that decided it; both 0 for the
	// whole Part.
	Start int `json:"start,omitempty"`
	End   int `json:"end,omitempty"`
	// Excerpt is at most 160 characters of the Part, in one line.
	Excerpt string `json:"excerpt"`
	// Reason is one sentence that a lawyer can read.
	Reason string `json:"reason"`
}

// Hit is a planted value that was found.
type Hit struct {
	Canary    string         `json:"canary"` // its name in the persona: "imei", "sms-2.text"
	Kind      string         `json:"kind"`   // what it is: "imei", "phone", "sms_text"
	Class     Class          `json:"class"`  // the class it proves
	Form      string         `json:"form"`   // how it was written: "e164", "digits", "sha256/hex"
	Direction flow.Direction `json:"direction"`
	Path      Path           `json:"path"`
	Start     int            `json:"start"`
	End       int            `json:"end"`
}

// Damage is something that could not be looked at, and why.
type Damage struct {
	Path    Path   `json:"path"`
	Decoder string `json:"decoder,omitempty"` // or detector
	Reason  string `json:"reason"`            // "gzip: unexpected end", "limit: depth", "panic"
}

// Report is what inspection makes of one Subject. Its lists are sorted and
// without repeats, so the same Subject and Config give the same Report.
type Report struct {
	Parts    int // parts looked at
	Owner    Owner
	Findings []Finding
	Hits     []Hit
	Values   []Value
	Damage   []Damage
}

// Value is a value that could tell one phone or user from all others: it carries
// 40 bits or more and is no prose. Whether it does is found by comparing
// exchanges: a nonce comes once, an identifier comes again.
type Value struct {
	// Value is normalised so that equal values compare equal however they were
	// written: hex in lower case, UUIDs and MAC addresses without separators. It
	// has at most 128 bytes; of a longer one it is "sha256:" and the hash in hex.
	Value     string         `json:"value"`
	Kind      string         `json:"kind"`           // how it is built: "uuid4", "ulid", "hex", "decimal", …
	Name      string         `json:"name"`           // key, field, header or cookie name that holds it
	Bits      int            `json:"bits"`           // that it can carry at most
	Time      string         `json:"time,omitempty"` // RFC 3339 UTC, of kinds that hold a time, such as UUIDv1 and ULID
	Path      Path           `json:"path"`
	Direction flow.Direction `json:"direction"`
}

// Owner is who answers behind a host name and address, as far as is known. The
// roles are kept apart, because mixing them up is how rumours start: a registry
// hands out addresses and runs nothing that stands there; an autonomous system
// carries the traffic; a cloud rents machines out; who answers for the service is
// the holder of the domain.
type Owner struct {
	Name    string `json:"name,omitempty"`    // Company, else Domain, else ""
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2 that operator or registry declared for the address, "" unknown

	Domain   string `json:"domain,omitempty"`  // registrable domain of the host name
	Company  string `json:"company,omitempty"` // that is known to use Domain
	AS       uint32 `json:"as,omitempty"`      // number of the autonomous system that announces the address, 0 unknown
	ASHolder string `json:"as_holder,omitempty"`
	Registry string `json:"registry,omitempty"` // regional registry of the block around the address: AFRINIC, APNIC, ARIN, LACNIC or RIPE NCC; never an owner
	Cloud    string `json:"cloud,omitempty"`    // hosting or content delivery company, when the AS is one
	// Data says which tables were asked, and of which date: "networks 2026-06-17,
	// countries 2026-06-17, companies 2026-11-20".
	Data string `json:"data,omitempty"`
}

// Tags returns the classes found, sorted and without repeats.
func (r *Report) Tags() []Class {
	var tags []Class
	for _, f := range r.Findings {
		tags = append(tags, f.Class)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}
