// Package proxy takes the phone's connections, ends its TLS, forwards its
// requests, and hands each finished exchange to a flow.Recorder.
//
// Nothing is changed on the way: framing, fields and content codings reach the
// other side as they were sent. The end of an answer is released to the phone
// only after its exchange is committed, so that the log never misses what the
// phone saw complete; when the log cannot take a record, the transfer it belongs
// to is broken off. Every connection leaves a row, also those that could not be
// read. All bytes of clients and servers are taken as hostile: heads, handshakes
// and silences are bounded in size and time, and a panic costs one exchange.
// A Proxy is safe for concurrent use.
//
// The package does not inspect what passes, does not keep it, and does not
// decide who may use the proxy: it asks the functions of its Config.
package proxy

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/elazarl/goproxy"
	"github.com/rs/zerolog"

	"constat/proxy/dns"
	"constat/proxy/flow"
	"constat/proxy/upstream"
)

// An Issuer signs certificates for the names that clients ask for. It is called
// during handshakes, concurrently.
type Issuer interface {
	Leaf(names ...string) (*tls.Certificate, error)
}

// Config says how a Proxy works. It is copied by New.
type Config struct {
	Recorder flow.Recorder       // where facts go; required
	Upstream *upstream.Transport // how servers are reached; required, and closed by its owner
	Issuer   Issuer              // required

	// BodyLimit is how many bytes are kept of one body, 256 MiB by default. The
	// rest is counted and hashed.
	BodyLimit int64

	// RawLimit is how many bytes are kept of each direction of a connection that is
	// not HTTP, 64 KiB by default. The rest is counted and hashed.
	RawLimit int64

	// Local answers requests to the proxy's own address and to LocalHost, and
	// every plain request of clients that are not admitted. It is no part of the
	// traffic and is not recorded. Nil means 404.
	Local http.Handler
	// LocalHost is a host name that is answered by Local, over http and https,
	// and never dialled. The default is "constat.test" (RFC 6761 section 6.2
	// keeps .test out of the DNS).
	LocalHost string

	// Identify says who a guest is. It is called once for each connection, and for
	// each request to the HTTP door. The default admits loopback addresses only.
	Identify func(Guest) Identity

	// SignIn returns the password of a user who may sign in at the HTTP door, by Basic
	// or Digest (RFC 9110 section 11.7); each request can, also one of a client that is
	// not admitted otherwise. Who does is Guest.User. Nobody is asked to, unless
	// RequireUser is set or what was offered is wrong; Digest begins with being asked.
	// Nil means that nobody signs in. Passwords go no further, and are not recorded.
	SignIn func(user string) (password string, known bool)
	// RequireUser has everybody sign in at the HTTP door, but for Local's pages.
	RequireUser bool

	// DNS answers the questions to the DNS that doors other than the HTTP proxy bring,
	// and each is recorded; private DNS (port 853) is refused. Nil means that they
	// are relayed like anything else.
	DNS *dns.Answerer

	// QUIC is what is done with QUIC: RefuseQUIC by default.
	QUIC QUIC

	// PassAfter is how many times in a row an app has to refuse before connections
	// of its device to that host are passed on unread, for PassFor (15 minutes by
	// default), so that it works; 0 means never. Every one of them leaves a row.
	PassAfter int
	PassFor   time.Duration

	// Failed is called once, when the Recorder first refused a record. Exchanges
	// are broken off from then on for as long as it refuses.
	Failed func(error)

	// Log gets what the operator should know. It never gets contents.
	Log zerolog.Logger

	HeadTimeout      time.Duration // for the head of a request, once it has begun: 30 s
	HandshakeTimeout time.Duration // for a client's TLS handshake: 20 s
	FirstByteTimeout time.Duration // for a client's first byte in a tunnel, before it is relayed unread: 15 s
	IdleTimeout      time.Duration // between requests, and for a write that makes no progress: 3 min
	RelayTimeout     time.Duration // for a WebSocket or a relayed tunnel in which nothing passes: 1 h
	BurstPause       time.Duration // that parts what passes on a connection that is not HTTP into exchanges: 15 s
	PacketTimeout    time.Duration // for a flow of datagrams in which nothing passes: 2 min
	GracePeriod      time.Duration // for exchanges in flight when Serve ends: 5 s

	MaxHead      int // bytes in the head of a request: 1 MiB
	MaxConns     int // connections of one client to the HTTP proxy at a time: 512; of one that is not admitted 64
	MaxStreams   int // connections of one client by any other door: 4096
	MaxDatagrams int // flows of datagrams of one client at a time: 1024
	MaxAll       int // of both, of all clients at a time: 16384; of those that are not admitted an eighth of it
	MaxQUIC      int // QUIC connections that are intercepted of one client at a time: 256
}

// Guest is what a door tells of who has come in.
type Guest struct {
	Door string     // as in rows
	Addr netip.Addr // its address, inside the tunnel for doors that are one
	User string     // who signed in to the door, or the name of its peer; "" for nobody
	App  string     // package name, where the door can tell
}

// Identity is who a Guest is.
type Identity struct {
	Device   string // name for rows; "" stands for the address
	App      string // package name for rows; "" when nobody knows
	Admitted bool   // may use the proxy
}

// defaults returns c with its zero fields filled in.
func (c Config) defaults() Config {
	setDefault(&c.BodyLimit, 256<<20)
	setDefault(&c.RawLimit, 64<<10)
	setDefault(&c.BurstPause, 15*time.Second)
	setDefault(&c.LocalHost, "constat.test")
	setDefault(&c.HeadTimeout, 30*time.Second)
	setDefault(&c.HandshakeTimeout, 20*time.Second)
	setDefault(&c.FirstByteTimeout, 15*time.Second)
	setDefault(&c.IdleTimeout, 3*time.Minute)
	setDefault(&c.RelayTimeout, time.Hour)
	setDefault(&c.PassFor, 15*time.Minute)
	setDefault(&c.PacketTimeout, 2*time.Minute)
	setDefault(&c.GracePeriod, 5*time.Second)
	setDefault(&c.MaxHead, 1<<20)
	setDefault(&c.MaxConns, 512)
	setDefault(&c.MaxStreams, 4096)
	setDefault(&c.MaxDatagrams, 1024)
	setDefault(&c.MaxAll, 16384)
	setDefault(&c.MaxQUIC, 256)
	setDefault(&c.QUIC, RefuseQUIC)
	if c.Local == nil {
		c.Local = http.NotFoundHandler()
	}
	if c.Identify == nil {
		c.Identify = func(g Guest) Identity { return Identity{Admitted: g.Addr.IsLoopback()} }
	}
	if c.Failed == nil {
		c.Failed = func(error) {}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Proxy is an intercepting proxy. It does nothing until Serve is called.
type Proxy struct {
	conf   Config
	tls    *tls.Config // one for all clients, so that sessions resume
	quic   *quicServer
	engine *goproxy.ProxyHttpServer
	failed sync.Once
	signIn *signIn // nil when nobody can
	passes *passes
	names  dns.Names

	mu     sync.Mutex
	addrs  []netip.AddrPort
	conns  map[crowd]int // open connections
	full   map[crowd]bool
	guests map[netip.Addr]int // open connections on which somebody has signed in

	admitted, strangers everybody
}

// crowd is what is counted together.
type crowd struct {
	client          netip.Addr
	http, datagrams bool
}

// New returns a Proxy.
func New(conf Config) (*Proxy, error) {
	if conf.Recorder == nil || conf.Upstream == nil || conf.Issuer == nil {
		return nil, errors.New("proxy needs a recorder, an upstream and an issuer")
	}
	p := &Proxy{conf: conf.defaults(), conns: map[crowd]int{}, full: map[crowd]bool{}, guests: map[netip.Addr]int{}}
	p.admitted.most, p.strangers.most = p.conf.MaxAll, max(1, p.conf.MaxAll/strangerShare)
	if p.conf.SignIn != nil {
		p.signIn = newSignIn(p.conf.SignIn)
	}
	p.passes = newPasses(p.conf.PassAfter, p.conf.PassFor)
	p.tls = p.tlsConfig()
	p.quic = newQUICServer(p)
	p.engine = p.newEngine()
	return p, nil
}

// newEngine returns the goproxy server through which every request goes. Its own
// interception, signer, transport and dialers are not used.
func (p *Proxy) newEngine() *goproxy.ProxyHttpServer {
	e := goproxy.NewProxyHttpServer()
	e.Logger = log.New(io.Discard, "", 0)
	e.Tr, e.ConnectDial = nil, nil
	e.KeepHeader, e.KeepAcceptEncoding = true, true
	e.NonproxyHandler = p.conf.Local
	hijack := &goproxy.ConnectAction{Action: goproxy.ConnectHijack, Hijack: p.tunnel}
	e.OnRequest().HandleConnectFunc(func(host string, _ *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) {
		return hijack, host
	})
	e.OnRequest().DoFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		ctx.RoundTripper = r.Body.(*requestBody).x
		return r, nil
	})
	return e
}

// Addrs returns the addresses of the listeners being served.
func (p *Proxy) Addrs() []netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.addrs)
}

// fail reports the Recorder's first error; the others have the same cause.
func (p *Proxy) fail(err error) {
	p.failed.Do(func() {
		p.conf.Log.Error().Err(err).Msg("the log takes no more records: exchanges are broken off")
		p.conf.Failed(err)
	})
}
