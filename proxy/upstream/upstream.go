// Package upstream is how Constat reaches servers: it sends a request as the
// client wrote it and hands back the response as the server wrote it.
//
// HTTP/1.1 is spoken by this package itself, so that the field lines of a
// request keep their order, case and spelling, nothing is added, and the raw
// head of a response is kept. HTTP/2 is spoken by golang.org/x/net/http2, with
// everything switched off that would add or decode something. Connections are
// pooled for each client: two clients never share a connection, nor a TLS
// session. Server certificates are verified, and every address is checked after
// its name is resolved, just before it is dialled. A Transport is safe for
// concurrent use; a Call is not.
//
// The package does not follow redirects, keep cookies, decode content codings,
// use proxies or read the environment, and it records nothing.
package upstream

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"time"

	"constat/proxy/flow"
)

// Config says how servers are reached. It is copied by New.
type Config struct {
	// Roots verify servers' certificates; nil means the system's roots.
	Roots *x509.CertPool

	// Resolve maps "host:port" to an "address" or "address:port" that is dialled
	// instead, like curl's --resolve. This is the operator's word: Allow is not
	// asked about these.
	Resolve map[string]string

	// Allow is asked about each address that is about to be dialled for client,
	// after its name was resolved; an error refuses it. It must be safe for
	// concurrent use. The default is Guard(nil).
	Allow func(client netip.Addr, server netip.AddrPort) error

	// MinTLS is the lowest TLS version accepted from a server, TLS 1.2 by
	// default. Lower ones are broken; they are the operator's choice.
	MinTLS uint16

	// DialTimeout bounds resolving and connecting, TLSTimeout the handshake; 15 s
	// each by default.
	DialTimeout, TLSTimeout time.Duration

	// HeadTimeout bounds the wait for the head of a response once the request is
	// sent, and any one write of a request that makes no progress. It has to
	// allow for long polls: 5 min by default. Bodies may pause for as long as
	// the request's context lives.
	HeadTimeout time.Duration

	// IdleTimeout is how long an unused connection is kept, 90 s by default.
	IdleTimeout time.Duration

	// MaxHead bounds a response's head, interim ones included, in bytes: 1 MiB by
	// default.
	MaxHead int

	// MaxIdlePerHost bounds the unused connections kept for one client and
	// server, MaxIdle those kept in all: 256 and 1024 by default.
	MaxIdlePerHost, MaxIdle int
}

// Call holds what Do must know beside the request, and what it finds out. It
// belongs to one request.
type Call struct {
	// Client is who asks. Connections and TLS sessions are never shared between
	// clients.
	Client netip.Addr

	// Head is the head of the request as the client sent it in HTTP/1.x, with the
	// empty line; its field lines are what an HTTP/1.x server gets. It must be
	// nil when the request was changed or came over HTTP/2: the head is then
	// written from the request. Do does not keep it.
	Head []byte

	// HTTP2 says that the client speaks HTTP/2: the server is offered it too, and
	// HTTP/1.1 beside it. Otherwise only HTTP/1.1 is offered.
	HTTP2 bool

	// ServerName is the name for SNI and for the certificate, by default the
	// host of the URL. An IP address is verified but not sent.
	ServerName string

	// Informational, when not nil, is called for each 1xx response but 101 before
	// Do returns, on another goroutine when HTTP/2 is spoken. It may keep fields.
	Informational func(status int, fields textproto.MIMEHeader)

	// Server is the address that was dialled; the zero value if none was.
	Server netip.AddrPort

	// TLS is what is known of the server's side, also of a failed handshake; nil
	// without TLS. It is shared between the calls on a connection: read only.
	TLS *flow.TLS

	// Reused says that the connection had carried an earlier request.
	Reused bool

	// ResponseHead is the head of the final response with its empty line: the
	// bytes as they came when Exact (HTTP/1.x), otherwise written in HTTP/1.1
	// form from decoded fields.
	ResponseHead []byte
	Exact        bool
}

// A Transport reaches servers and keeps connections to them.
type Transport struct {
	conf Config
	tr   http.Transport
}

// New returns a Transport. It must be closed.
func New(conf Config) *Transport {
	if conf.Allow == nil {
		conf.Allow = Guard(nil)
	}
	return &Transport{conf: conf}
}

// Close closes every connection, used or not.
func (t *Transport) Close() { t.tr.CloseIdleConnections() }

// Do sends r to the server that r.URL names and returns its response, with the
// body still to be read and closed. It closes r.Body, possibly after it has
// returned. Errors are of type *Error.
func (t *Transport) Do(r *http.Request, c *Call) (*http.Response, error) {
	resp, err := t.tr.RoundTrip(r)
	if err != nil {
		return nil, &Error{flow.ErrConnect, err}
	}
	return resp, nil
}

var (
	_ = context.Background
	_ net.Conn
)
