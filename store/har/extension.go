package har

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"slices"
	"time"

	"constat/proxy/flow"
)

// Extension is the _constat object of an entry: what Constat knows and HAR has
// no place for. Readers of other programs ignore it.
type Extension struct {
	ID         int64           `json:"id,omitempty"`
	Began      string          `json:"began,omitempty"` // RFC 3339, nanoseconds
	DurationNS int64           `json:"duration_ns,omitempty"`
	Device     string          `json:"device,omitempty"`
	Door       string          `json:"door,omitempty"`
	App        string          `json:"app,omitempty"`    // package name
	Server     string          `json:"server,omitempty"` // address:port that answered
	Error      string          `json:"error,omitempty"`
	Owner      string          `json:"owner,omitempty"`
	Country    string          `json:"country,omitempty"`
	Connection *Connection     `json:"connection,omitempty"`
	Request    *Message        `json:"request,omitempty"`
	Response   *Message        `json:"response,omitempty"`
	Interim    []byte          `json:"interim,omitempty"` // heads of 1xx responses, base64 in JSON
	Tags       []string        `json:"tags,omitempty"`
	Findings   json.RawMessage `json:"findings,omitempty"`
	Hits       json.RawMessage `json:"hits,omitempty"`
}

// Connection is what an entry says of the transport connection it came on.
type Connection struct {
	ID        int64  `json:"id"`
	SNI       string `json:"sni,omitempty"`
	ALPN      string `json:"alpn,omitempty"`
	JA4       string `json:"ja4,omitempty"`
	Outcome   string `json:"outcome,omitempty"`
	ClientTLS string `json:"client_tls,omitempty"` // version
	ServerTLS string `json:"server_tls,omitempty"`
}

// Message is what an entry says of one direction.
type Message struct {
	Proto   string `json:"proto,omitempty"`
	Head    []byte `json:"head,omitempty"` // base64 in JSON
	Exact   bool   `json:"exact,omitempty"`
	Trailer []byte `json:"trailer,omitempty"`

	// The facts of the body as it was on the wire; Stored is empty when there
	// was none.
	Size     int64  `json:"size,omitempty"`
	Kept     int64  `json:"kept,omitempty"`
	Complete bool   `json:"complete,omitempty"`
	SHA256   string `json:"sha256,omitempty"` // lower-case hex, of all bytes that passed
	// Stored says what the entry holds of the body.
	Stored Stored `json:"stored,omitempty"`
}

// Stored says in which form an entry holds a body.
type Stored string

// The forms of a body.
const (
	Wire    Stored = "wire"    // the bytes as on the wire, content coding kept
	Decoded Stored = "decoded" // with the content coding removed
	Omitted Stored = "omitted" // too large: left out
)

// wire reports whether the entry says that a body is as on the wire.
func (c *converter) wire(side string) bool {
	ext := c.raw.Constat
	if ext == nil {
		return false
	}
	m := ext.Request
	if side == "response" {
		m = ext.Response
	}
	return m != nil && m.Stored == Wire
}

// extension puts back the facts that a plain HAR cannot hold. They are believed as
// the rest of the file is; a hash that the body does not have is a problem.
func (c *converter) extension(x *flow.Exchange, e *Extension) {
	if at, err := time.Parse(time.RFC3339Nano, e.Began); err == nil {
		if at, _, ok := inRange(at, true); ok {
			x.Began = at
		}
	}
	if e.DurationNS > 0 {
		x.Duration = time.Duration(e.DurationNS)
	}
	if e.Device != "" {
		x.Device = oneLine(e.Device, 200)
	}
	x.App = oneLine(e.App, 200)
	if at, err := netip.ParseAddrPort(e.Server); err == nil {
		x.Server = at
	}
	x.Error = ""
	if e.Error != "" {
		cause := oneLine(e.Error, 500)
		x.Error = cause
		if !slices.ContainsFunc(flowWords, func(w string) bool { return len(cause) > len(w) && cause[:len(w)+1] == w+":" }) {
			x.Error = flow.ErrServerClosed + ": " + cause
		}
	}
	x.Interim = e.Interim[:min(len(e.Interim), flow.MaxInterim)]
	c.facts("request", &x.Request, e.Request)
	c.facts("response", &x.Response, e.Response)
}

func (c *converter) facts(side string, m *flow.Message, e *Message) {
	if e == nil {
		return
	}
	if p := protocol(e.Proto, nil); p != "" {
		m.Proto = p
	}
	if len(e.Head) > 0 {
		m.Head, m.Exact = e.Head, e.Exact
	}
	m.Trailer = e.Trailer
	switch {
	case e.Stored == "":
		if m.Body != nil && m.Body.Size() == 0 {
			m.Body = nil
		}
		return
	case m.Body == nil && e.Size == 0 && e.Complete:
		m.Body = flow.BodyOf(nil)
	case m.Body == nil:
		m.Body = partial(nil)
	}
	switch {
	case e.Kept < e.Size && e.Stored == Wire:
		m.Body = partial(m.Body.Tail())
		c.problem("the %s's body was kept to %d of %d bytes", side, m.Body.Size(), e.Size)
	case !e.Complete:
		m.Body = partial(m.Body.Tail())
	case e.Stored == Decoded:
		c.problem("the %s's body had its content coding removed when the file was written: it is not the bytes of the wire", side)
	case e.Stored == Wire && e.SHA256 != hexOf(m.Body.SHA256()):
		c.problem("the %s's body does not have the hash that the file states for it: one of the two was changed", side)
	}
}

// hexOf writes a hash; "" for that of a body that was left out of a copy.
func hexOf(sum [sha256.Size]byte) string {
	if sum == ([sha256.Size]byte{}) {
		return ""
	}
	return hex.EncodeToString(sum[:])
}
