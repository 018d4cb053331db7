// Package upstream is how Constat reaches servers: it sends a request as the
// client wrote it and hands back the response as the server wrote it.
//
// HTTP/1.1 is spoken by this package itself, so that the field lines of a
// request keep their order, case and spelling, nothing is added, and the raw
// head of a response is kept. HTTP/2 is spoken by net/http, HTTP/3 by quic-go, with
// everything switched off that would add or decode something. Connections are pooled for
// each client: two clients never share a connection, nor a TLS session. Server
// certificates are verified, and every address is checked after its name is
// resolved, just before it is dialled. A Transport is safe for concurrent use; a
// Call is not.
//
// The package does not follow redirects, keep cookies, decode content codings or
// read the environment, and it records nothing.
package upstream

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
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

	// Via is an upstream proxy that servers are reached through; nil for none. Its
	// scheme is http or https, for CONNECT whatever the request's scheme is, socks5
	// or socks5h; ParseVia makes one. The name and password in it are used (Basic,
	// RFC 7617, or RFC 1929) and appear in no error. The proxy's own address is the
	// operator's word: Allow is not asked about it, and a Call never has it as Server.
	//
	// Names are resolved by the proxy, except with socks5. What they resolve to is
	// not known here then: Allow is not asked, so that its rule for addresses holds
	// for addresses only, and the Call's Server is the zero value. Addresses, also
	// those of Call.Address, are Allow's to judge as ever. Errors have the causes
	// ErrViaUnreachable, ErrViaPassword and ErrViaRefused. Only TCP goes through an
	// upstream proxy, so that HTTP/3 is not tried.
	Via *url.URL

	// Direct says which hosts are reached past Via: names in lower case, without a
	// port, and addresses. It is asked about the host of the URL, and about the
	// address that is dialled instead. It must be safe for concurrent use; nil
	// means none.
	Direct func(host string) bool

	// MinTLS is the lowest TLS version accepted from a server, TLS 1.2 by
	// default. Lower ones are broken; they are the operator's choice.
	MinTLS uint16

	// DialTimeout bounds resolving and connecting, TLSTimeout the handshake; 15 s
	// each by default.
	DialTimeout, TLSTimeout time.Duration

	// HTTP3Timeout is how long a QUIC handshake may take before TCP is tried, 1 s by
	// default; HTTP3Retry is how long that server is asked over TCP at once then,
	// 5 min by default.
	HTTP3Timeout, HTTP3Retry time.Duration

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
	// nil when the request was changed or came over HTTP/2 or 3: the head is then
	// written from the request. Do does not keep it.
	Head []byte

	// HTTP2 says that the client speaks HTTP/2: the server is offered it too, and
	// HTTP/1.1 beside it. Otherwise only HTTP/1.1 is offered.
	HTTP2 bool

	// Address, when valid, is the address that the client connected to: it is
	// dialled, and the host of the URL is not resolved. Config.Resolve goes before
	// it, and Allow is asked about it as about every address. Connections are
	// shared only between calls with the same Address.
	Address netip.AddrPort

	// HTTP3 says that the client speaks HTTP/3: the server is asked over QUIC, and
	// over TCP as with HTTP2 when there is no QUIC connection to be had.
	HTTP3 bool

	// ServerName is the name for SNI and for the certificate, by default the
	// host of the URL. An IP address is verified but not sent.
	ServerName string

	// Informational, when not nil, is called for each 1xx response but 101 before
	// Do returns, in their order, on another goroutine with HTTP/2. It may
	// keep fields.
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

	// Interim holds the heads of the 1xx responses but 101, in their order and in
	// the form of ResponseHead: whole heads, at most flow.MaxInterim bytes.
	Interim     []byte
	interimFull bool // a head was left out
}

// note takes down which connection a request goes out on.
func (c *Call) note(server netip.AddrPort, facts *flow.TLS) {
	c.Server, c.TLS = server, facts
}

// A Transport reaches servers and keeps connections to them.
type Transport struct {
	conf     Config
	sessions tls.ClientSessionCache
	http2    *http.Transport
	pool     pool
	quic     *pool3

	stop chan struct{}
	done sync.WaitGroup
	once sync.Once
}

// New returns a Transport. It must be closed.
func New(conf Config) *Transport {
	conf = withDefaults(conf)
	t := &Transport{
		conf:     conf,
		sessions: tls.NewLRUClientSessionCache(sessionsKept),
		pool: pool{
			hosts: make(map[key]*host),
			open:  make(map[*link]*conn),
			http2: make(map[*link]*conn2),
		},
		http2: newHTTP2(conf),
		quic:  newPool3(conf),
		stop:  make(chan struct{}),
	}
	t.done.Go(t.sweeper)
	return t
}

func withDefaults(c Config) Config {
	c.Resolve = lowerKeys(c.Resolve)
	if c.Via != nil {
		via := *c.Via
		c.Via = &via
	}
	if c.Allow == nil {
		c.Allow = Guard(nil)
	}
	c.MinTLS = cmp.Or(c.MinTLS, tls.VersionTLS12)
	c.DialTimeout = cmp.Or(c.DialTimeout, 15*time.Second)
	c.TLSTimeout = cmp.Or(c.TLSTimeout, 15*time.Second)
	c.HTTP3Timeout = cmp.Or(c.HTTP3Timeout, time.Second)
	c.HTTP3Retry = cmp.Or(c.HTTP3Retry, 5*time.Minute)
	c.HeadTimeout = cmp.Or(c.HeadTimeout, 5*time.Minute)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 90*time.Second)
	c.MaxHead = cmp.Or(c.MaxHead, 1<<20)
	c.MaxIdlePerHost = cmp.Or(c.MaxIdlePerHost, 256)
	c.MaxIdle = cmp.Or(c.MaxIdle, 1024)
	return c
}

func lowerKeys(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[strings.ToLower(k)] = v
	}
	return out
}

// sweeper closes what has been idle for too long, until Close.
func (t *Transport) sweeper() {
	tick := time.NewTicker(max(t.conf.IdleTimeout/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			t.sweep(now.Add(-t.conf.IdleTimeout))
			t.quic.sweep(now, now.Add(-t.conf.IdleTimeout))
		case <-t.stop:
			return
		}
	}
}

// Close closes every connection, used or not, and refuses what is asked for from
// then on. Requests under way fail; one that waits for its own body ends when
// that does.
func (t *Transport) Close() {
	t.once.Do(func() { close(t.stop) })
	t.pool.shut()
	t.quic.shut()
	t.done.Wait()
}

// Do sends r to the server that r.URL names and returns its response, with the
// body still to be read and closed; reading it to io.EOF gives the connection
// back. Read returns io.ErrUnexpectedEOF for a body that was cut off. The body of
// a 101 response is an io.ReadWriteCloser. The request's context bounds all of
// this, an upgraded connection included.
//
// A body of at most 16 KiB whose length is known is read before the request goes
// out, unless the client expects 100 (Continue). Every other body is sent while
// it is read and while the response arrives. Do closes r.Body, possibly after it
// has returned. Errors are of type *Error.
func (t *Transport) Do(r *http.Request, c *Call) (*http.Response, error) {
	k := key{client: c.Client, host: r.URL.Host, address: plain(c.Address), name: c.ServerName}
	switch r.URL.Scheme {
	case "https", "wss":
		k.secure, k.http2 = true, c.HTTP2 || c.HTTP3
	case "http", "ws":
	default:
		closeBody(r)
		return nil, bad(flow.ErrClientBad, "unsupported scheme")
	}
	if speaks3(r, c) {
		c3, err := t.acquire3(r.Context(), k, c)
		switch {
		case err != nil:
			closeBody(r)
			return nil, err
		case c3 != nil:
			return t.doHTTP3(r, c, k, c3)
		}
	}
	return t.doTCP(r, c, k)
}

// doTCP sends r over HTTP/2, when that was offered and taken, or HTTP/1.x.
func (t *Transport) doTCP(r *http.Request, c *Call, k key) (*http.Response, error) {
	if k.http2 {
		cn, c2, err := t.acquire(r.Context(), k, c, false)
		switch {
		case err != nil:
			closeBody(r)
			return nil, err
		case c2 != nil:
			return t.doHTTP2(r, c, k, c2)
		}
		return t.doHTTP1(r, c, k, cn)
	}
	return t.doHTTP1(r, c, k, nil)
}

// doHTTP1 sends r over HTTP/1.x: on cn, or on a connection that it gets once the
// request is ready to go when cn is nil.
func (t *Transport) doHTTP1(r *http.Request, c *Call, k key, cn *conn) (_ *http.Response, err error) {
	p := heads.Get().(*[]byte)
	a := attempt{r: r, c: c, body: r.Body}
	defer func() {
		if cap(a.head) <= headKept {
			*p = a.head
			heads.Put(p)
		}
		if a.body != nil {
			a.body.Close()
		}
		if err != nil && cn != nil {
			cn.close()
		}
	}()
	if a.head, a.f, err = appendRequest((*p)[:0], r, c.Head); err != nil {
		return nil, &Error{flow.ErrClientBad, err}
	}
	if err := a.inline(); err != nil {
		return nil, err
	}
	ctx := r.Context()
	for fresh := false; ; fresh = true {
		if cn == nil {
			var c2 *conn2
			if cn, c2, err = t.acquire(ctx, k, c, fresh); err != nil {
				return nil, err
			}
			if c2 != nil { // on a second try, from a server that changed its mind
				return nil, bad(flow.ErrServerClosed, "the server speaks HTTP/2 now")
			}
		}
		c.note(cn.server, cn.facts)
		c.Reused = cn.reused
		a.cn, cn = cn, nil
		resp, again, err := a.roundTrip(ctx)
		if !again {
			return resp, err
		}
	}
}

// headKept bounds the buffers for heads that are kept for other requests.
const headKept = 64 << 10

var heads = sync.Pool{New: func() any {
	b := make([]byte, 0, 2<<10)
	return &b
}}

// inline reads a short body, to be sent with the head.
func (a *attempt) inline() error {
	if a.f.size <= 0 || a.f.size > shortBody || a.f.expect {
		return nil
	}
	n := len(a.head)
	a.head = slices.Grow(a.head, int(a.f.size))[:n+int(a.f.size)]
	if _, err := io.ReadFull(a.body, a.head[n:]); err != nil {
		return bad(flow.ErrClientClosed, "the request's body broke off")
	}
	a.body.Close()
	a.body = nil
	return nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}
