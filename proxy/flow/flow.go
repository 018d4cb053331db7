// Package flow holds the nouns of captured traffic: connections, exchanges,
// their messages and bodies, and WebSocket frames.
//
// The proxy fills these values in while traffic passes and hands them to a
// Recorder; the inspectors and the case file read them. Everything here is a
// fact seen on the wire, never an opinion about it. Values are owned by whoever
// made them until they are committed; from then on nobody changes them. Times
// are wall-clock times of this machine, durations are monotonic, sizes are in
// bytes.
//
// The package imports the standard library only, and does no input or output.
package flow

import (
	"net/netip"
	"time"
)

// A Record is something that enters the log as one leaf: a *Connection, an
// *Exchange, a *Frame or a *Lookup.
type Record interface {
	// Kind is the word that the log uses for records of this type.
	Kind() string
}

// The kinds of Record.
const (
	KindConnection = "connection"
	KindExchange   = "exchange"
	KindFrame      = "frame"
)

// Direction says which way something travelled.
type Direction string

// Up left the phone, Down came to it.
const (
	Up   Direction = "up"
	Down Direction = "down"
)

// Outcome is what became of a connection, as one lower-case word.
type Outcome string

// The outcomes of a connection.
const (
	// Intercepted: TLS was ended here and at least one request was read.
	Intercepted Outcome = "intercepted"
	// Plain: HTTP without TLS.
	Plain Outcome = "plain"
	// Passed: relayed without being read, because the operator said so.
	Passed Outcome = "passed"
	// Raw: neither TLS nor HTTP; relayed, with its first bytes kept.
	Raw Outcome = "raw"
	// Refused: not served, by policy (client not enrolled, forbidden address).
	Refused Outcome = "refused"
	// ClientRefused: the phone did not accept our certificate, or gave up
	// during the handshake. Connection.Reason and TLS.Alert say how.
	ClientRefused Outcome = "client_refused"
	// SuspectedPin: the handshake went well and the phone then closed the
	// connection without sending a single request.
	SuspectedPin Outcome = "suspected_pin"
	// ServerFailed: no usable connection to the server: name not found, no
	// answer, or a certificate that does not verify.
	ServerFailed Outcome = "server_failed"
	// Idle: opened and closed, or timed out, before any byte said what it was.
	Idle Outcome = "idle"
	// CutOff: Constat itself stopped while the connection was open.
	CutOff Outcome = "cut_off"
)

// Connection is one transport connection of a client.
type Connection struct {
	ID       int64 // given by Recorder.Begin, unique in the case, from 1
	Opened   time.Time
	Duration time.Duration
	Door     string // how it came in: "http", "socks5", "transparent", "wireguard"
	Device   string // who it came from: a name, or the client's address
	App      string // package name of the app it came from, where the door can tell; or empty
	Client   netip.AddrPort

	// Transport is "udp" for a flow of datagrams between two ports, "icmp" for
	// echo requests to one address, and empty for TCP.
	Transport string

	// Host and Port are the destination as the client asked for it: a name where
	// the client gave one, in its request for a tunnel, its ClientHello or its Host
	// field, else the address. Server is the address that was dialled for it, the
	// zero value if none was.
	Host   string
	Port   uint16
	Server netip.AddrPort
	// Lookup is the newest Lookup of the same device whose answer had the address
	// that the client connected to; 0 when there is none, or when the client gave
	// no address.
	Lookup int64

	SNI  string // server name of the ClientHello
	ALPN string // protocol agreed with the client: "h3", "h2", "http/1.1" or ""
	JA4  string // fingerprint of the ClientHello
	// HTTP2 is what the client's first frames show of its HTTP/2: its settings in
	// their order, the first window update, priorities, and the order of the
	// pseudo-header fields: "1:65536;4:6291456|15663105|0|m,a,s,p". Empty without HTTP/2.
	HTTP2 string
	// Protocol is what the first bytes of a Raw, Passed or Refused connection look
	// like, as one lower-case word ("mqtt", "xmpp", "quic"); empty when nobody knows.
	Protocol string

	ClientTLS *TLS // the phone's side; nil without TLS
	ServerTLS *TLS // the server's side; nil without TLS or before any dial

	BytesUp   int64 // read from the phone, TLS included
	BytesDown int64 // written to the phone, TLS included

	Outcome Outcome
	Reason  string // one sentence for people; no captured content

	// First holds the first bytes of each direction of a Raw connection, at
	// most RawKept each.
	FirstUp, FirstDown []byte
}

// RawKept is how many bytes are kept of each direction of a connection that is
// neither TLS nor HTTP.
const RawKept = 4 << 10

// Kind implements Record.
func (*Connection) Kind() string { return KindConnection }

// TLS is what is known of one TLS connection. Version, cipher and group use the
// names of the IANA TLS registries as crypto/tls prints them.
type TLS struct {
	Version string   `json:"version,omitempty"` // negotiated: "TLS 1.3"
	Cipher  string   `json:"cipher,omitempty"`
	Group   string   `json:"group,omitempty"` // key exchange: "X25519MLKEM768"
	ALPN    string   `json:"alpn,omitempty"`
	Resumed bool     `json:"resumed,omitempty"`
	Offered []string `json:"offered,omitempty"` // versions the client offered, best first
	Protos  []string `json:"protos,omitempty"`  // ALPN protocols the client offered
	ECH     bool     `json:"ech,omitempty"`     // the client sent an encrypted_client_hello extension

	// Chain is the certificate chain that the server presented, leaf first, as
	// DER, whether or not it verified. Empty on the phone's side.
	Chain [][]byte `json:"chain,omitempty"`
	// Error is the cause of a failed handshake, Alert the TLS alert that the
	// other side sent with it, by its RFC 8446 section 6 name ("unknown_ca").
	Error string `json:"error,omitempty"`
	Alert string `json:"alert,omitempty"`
}

// Exchange is one HTTP request and what became of it; or, without a Method, what
// passed both ways on a connection that is not HTTP until there was a pause: the
// bodies are the bytes of the two directions then, without TLS if it was ended here,
// and there is no path, head or status.
type Exchange struct {
	ID         int64 // given by Recorder.Begin, unique in the case, from 1
	Connection int64 // the Connection it came on
	Device     string
	App        string
	Door       string
	Began      time.Time
	Duration   time.Duration // until the end of the response

	// The request's target. Host and Port are where the request went: inside a
	// tunnel the tunnel's destination, whatever the Host header says. Path and
	// Query are as sent, not decoded.
	Method string
	Scheme string // "http", "https", "ws", "wss"; without a Method "tcp", "tls", "udp"
	Host   string
	Port   uint16
	Path   string
	Query  string

	Server netip.AddrPort // address that answered; the zero value if none did

	Request  Message
	Status   int // of the response, 0 when there is none
	Response Message
	// Interim holds the heads of the 1xx responses that came before it, in their
	// order, as Response.Head has its own; at most MaxInterim bytes.
	Interim []byte

	// Error is what went wrong, empty when nothing did: it starts with one word
	// of ErrorWords and a colon. An exchange may carry both a response and an
	// error.
	Error string
}

// The words that Exchange.Error starts with.
const (
	ErrDNS          = "dns"           // name not resolved
	ErrConnect      = "connect"       // no connection to the server
	ErrServerTLS    = "server_tls"    // server's certificate or handshake refused
	ErrTimeout      = "timeout"       // a deadline passed
	ErrServerClosed = "server_closed" // the response ended before its end
	ErrServerBad    = "server_bad"    // not a well-formed HTTP response
	ErrClientClosed = "client_closed" // the client went away before the end
	ErrClientBad    = "client_bad"    // not a well-formed or acceptable request
	ErrRefused      = "refused"       // policy: forbidden address, other host inside a tunnel
	ErrInternal     = "internal"      // a fault of Constat's
	ErrCutOff       = "cut_off"       // Constat stopped while the exchange was open
)

// Kind implements Record.
func (*Exchange) Kind() string { return KindExchange }

// MaxInterim is how many bytes are kept of interim responses.
const MaxInterim = 16 << 10

// Message is one direction of an Exchange.
type Message struct {
	Proto string // "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"
	// Head holds the start line and header fields. When Exact, these are the
	// bytes as they were on the wire (HTTP/1.x), up to and including the empty
	// line; otherwise they are written out in HTTP/1.1 form from decoded fields
	// (HTTP/2).
	Head    []byte
	Exact   bool
	Trailer []byte // trailer fields in HTTP/1.1 form, empty when there are none
	// Body is the body as on the wire with the transfer coding removed and the
	// content coding kept; nil when there is none.
	Body *Body
}

// Frame is one WebSocket message, or control frame, of an Exchange that was
// upgraded (RFC 6455 section 5). Fragments are joined.
type Frame struct {
	ID        int64 // given by Recorder.Commit, unique in the case, from 1
	Exchange  int64
	Time      time.Time // when its last byte came
	Direction Direction
	Opcode    uint8 // 1 text, 2 binary, 8 close, 9 ping, 10 pong
	// Deflated says that RSV1 was set: the payload is compressed with
	// permessage-deflate (RFC 7692). Payload is unmasked but never inflated.
	Deflated bool
	Payload  *Body
}

// Kind implements Record.
func (*Frame) Kind() string { return KindFrame }
