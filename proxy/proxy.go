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

	// Local answers requests to the proxy's own address and to LocalHost, and
	// every plain request of clients that are not admitted. It is no part of the
	// traffic and is not recorded. Nil means 404.
	Local http.Handler
	// LocalHost is a host name that is answered by Local, over http and https,
	// and never dialled. The default is "constat.test" (RFC 6761 section 6.2
	// keeps .test out of the DNS).
	LocalHost string

	// Admit says whether a client may use the proxy. The default admits loopback
	// addresses only.
	Admit func(netip.Addr) bool
	// Device names the device behind an address, for rows. The default is the
	// address.
	Device func(netip.Addr) string

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
	GracePeriod      time.Duration // for exchanges in flight when Serve ends: 5 s

	MaxHead  int // bytes in the head of a request: 1 MiB
	MaxConns int // connections of one client at a time: 512
}

// defaults returns c with its zero fields filled in.
func (c Config) defaults() Config {
	setDefault(&c.BodyLimit, 256<<20)
	setDefault(&c.LocalHost, "constat.test")
	setDefault(&c.HeadTimeout, 30*time.Second)
	setDefault(&c.HandshakeTimeout, 20*time.Second)
	setDefault(&c.FirstByteTimeout, 15*time.Second)
	setDefault(&c.IdleTimeout, 3*time.Minute)
	setDefault(&c.RelayTimeout, time.Hour)
	setDefault(&c.GracePeriod, 5*time.Second)
	setDefault(&c.MaxHead, 1<<20)
	setDefault(&c.MaxConns, 512)
	if c.Local == nil {
		c.Local = http.NotFoundHandler()
	}
	if c.Admit == nil {
		c.Admit = netip.Addr.IsLoopback
	}
	if c.Device == nil {
		c.Device = netip.Addr.String
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
	engine *goproxy.ProxyHttpServer
	failed sync.Once

	mu    sync.Mutex
	addrs []netip.AddrPort
	conns map[netip.Addr]int // open connections of each client
	full  map[netip.Addr]bool
}

// New returns a Proxy.
func New(conf Config) (*Proxy, error) {
	if conf.Recorder == nil || conf.Upstream == nil || conf.Issuer == nil {
		return nil, errors.New("proxy needs a recorder, an upstream and an issuer")
	}
	p := &Proxy{conf: conf.defaults(), conns: map[netip.Addr]int{}, full: map[netip.Addr]bool{}}
	p.tls = p.tlsConfig()
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
