package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"constat/proxy/flow"
)

const (
	// quicStreams bounds the requests on one QUIC connection at a time: what most
	// servers allow.
	quicStreams = 100
	// quicUniStreams bounds a server's own streams: HTTP/3 has three, and there may
	// be reserved ones (RFC 9114, section 6.2).
	quicUniStreams = 16
	// brokenKept bounds the servers that are remembered for not having QUIC.
	brokenKept = 1024
	// A server that is silent while requests are open is asked for a sign of life.
	quicPing, quicSilence = 15 * time.Second, 45 * time.Second
)

// conn3 is one QUIC connection that carries HTTP/3.
type conn3 struct {
	t       *Transport
	key     key
	qc      *quic.Conn
	cc      *http3.ClientConn
	facts   *flow.TLS
	server  netip.AddrPort
	used    atomic.Bool
	failure atomic.Pointer[Error] // why it was cut off from here

	// Guarded by the pool.
	requests  int
	idleSince time.Time
	dropped   bool // it is given no more requests
}

// pool3 holds the QUIC connections of a Transport. Its lock is never held while
// something is sent or waited for.
type pool3 struct {
	http3 http3.Transport // only makes ClientConns

	mu     sync.Mutex
	closed bool
	open   map[*conn3]struct{} // every connection that is not closed
	hosts  map[key]*host3
	broken map[hop]time.Time // until when QUIC is not tried
}

// host3 is what the pool knows for one key.
type host3 struct {
	conns   []*conn3
	dialing *dialing // a dial for requests to wait for
}

// hop is a server as a request names it.
type hop struct {
	host    string
	address netip.AddrPort
}

func newPool3(conf Config) *pool3 {
	return &pool3{
		http3:  http3.Transport{DisableCompression: true, MaxResponseHeaderBytes: conf.MaxHead},
		open:   make(map[*conn3]struct{}),
		hosts:  make(map[key]*host3),
		broken: make(map[hop]time.Time),
	}
}

// acquire3 returns a connection with one request reserved on it, or nil when the
// server is to be asked over TCP.
func (t *Transport) acquire3(ctx context.Context, k key, c *Call) (*conn3, error) {
	p := t.quic
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, &Error{flow.ErrCutOff, errClosed}
		}
		h := p.hosts[k]
		if h == nil {
			h = &host3{}
			p.hosts[k] = h
		}
		if c3 := h.reserve(); c3 != nil {
			p.mu.Unlock()
			return c3, nil
		}
		if time.Now().Before(p.broken[hop{k.host, k.address}]) {
			p.tidy(k, h)
			p.mu.Unlock()
			return nil, nil
		}
		wait := h.dialing
		if wait == nil {
			mine := &dialing{done: make(chan struct{})}
			h.dialing = mine
			p.mu.Unlock()
			return t.connect3(ctx, k, c, h, mine)
		}
		p.mu.Unlock()
		select {
		case <-wait.done:
		case <-ctx.Done():
			return nil, given(ctx)
		}
		if wait.err != nil && !wait.gaveUp {
			c.note(wait.server, wait.facts)
			return nil, wait.err
		}
	}
}

// reserve returns a connection with room, with one request more on it. The pool is
// locked.
func (h *host3) reserve() *conn3 {
	for _, c3 := range h.conns {
		if !c3.dropped && c3.requests < quicStreams && c3.qc.Context().Err() == nil {
			c3.requests++
			return c3
		}
	}
	return nil
}

// tidy forgets a host of which nothing is known. The pool is locked.
func (p *pool3) tidy(k key, h *host3) {
	if len(h.conns) == 0 && h.dialing == nil {
		delete(p.hosts, k)
	}
}

// connect3 dials, and then lets the requests go on that wait for mine.
func (t *Transport) connect3(ctx context.Context, k key, c *Call, h *host3, mine *dialing) (*conn3, error) {
	c3, server, facts, err := t.dial3(ctx, k)
	c.note(server, facts)
	mine.server, mine.facts, mine.gaveUp = server, facts, ctx.Err() != nil
	if err != nil {
		mine.err = err
	}
	p := t.quic
	p.mu.Lock()
	h.dialing = nil
	switch {
	case c3 != nil && !c3.dropped:
		h.conns = append(h.conns, c3)
	case c3 == nil && err == nil:
		p.shun(hop{k.host, k.address}, time.Now().Add(t.conf.HTTP3Retry))
	}
	p.tidy(k, h)
	p.mu.Unlock()
	close(mine.done)
	if err != nil {
		return nil, err
	}
	return c3, nil
}

// shun remembers a server that QUIC does not reach. The pool is locked.
func (p *pool3) shun(h hop, until time.Time) {
	for old := range p.broken {
		if len(p.broken) < brokenKept {
			break
		}
		delete(p.broken, old)
	}
	p.broken[h] = until
}

// dial3 makes a QUIC connection. It returns no connection and no error when there
// is none to be had and TCP is to be tried. A certificate that is not accepted is
// an error: TCP must not hide it.
func (t *Transport) dial3(ctx context.Context, k key) (*conn3, netip.AddrPort, *flow.TLS, *Error) {
	c, server, err := t.reach(ctx, "udp", k)
	if err != nil {
		if err.Word == flow.ErrConnect || errors.Is(err, ErrViaTCP) {
			err = nil
		}
		return nil, server, nil, err
	}
	udp := c.(*net.UDPConn)
	within, cancel := context.WithTimeout(ctx, t.conf.HTTP3Timeout)
	defer cancel()
	qc, failed := quic.Dial(within, connected{udp}, udp.RemoteAddr(), &tls.Config{
		ServerName: k.serverName(),
		RootCAs:    t.conf.Roots,
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{http3.NextProtoH3},
		// QUIC's tickets hold more than those for TCP.
		ClientSessionCache: sessions{t.sessions, k.client, "quic "},
	}, &quic.Config{
		Versions:                       []quic.Version{quic.Version1},
		MaxIdleTimeout:                 quicSilence,
		KeepAlivePeriod:                quicPing,
		MaxIncomingStreams:             -1,
		MaxIncomingUniStreams:          quicUniStreams,
		InitialStreamReceiveWindow:     streamWindow,
		MaxStreamReceiveWindow:         streamWindow,
		InitialConnectionReceiveWindow: connWindow,
		MaxConnectionReceiveWindow:     connWindow,
	})
	if failed != nil {
		udp.Close()
		facts, err := quicRefusal(ctx, failed, k.serverName())
		return nil, server, facts, err
	}
	c3 := &conn3{t: t, key: k, qc: qc, facts: describe(qc.ConnectionState().TLS), server: server, requests: 1}
	c3.cc = t.quic.http3.NewClientConn(qc)
	if err := t.watch3(c3, udp); err != nil {
		return nil, server, c3.facts, err
	}
	return c3, server, c3.facts, nil
}

// quicRefusal judges a handshake that failed: there is no Error when TCP is to be
// tried.
func quicRefusal(ctx context.Context, failed error, name string) (*flow.TLS, *Error) {
	if ctx.Err() != nil {
		return nil, given(ctx)
	}
	var invalid *tls.CertificateVerificationError
	if !errors.As(failed, &invalid) {
		return nil, nil
	}
	err := explain(invalid, name)
	facts := &flow.TLS{Version: tls.VersionName(tls.VersionTLS13), ALPN: http3.NextProtoH3, Error: err.Error()}
	for _, cert := range invalid.UnverifiedCertificates {
		facts.Chain = append(facts.Chain, cert.Raw)
	}
	return facts, &Error{flow.ErrServerTLS, err}
}

// watch3 notes c3 as open, and cleans up behind it once it is closed, by whomever.
func (t *Transport) watch3(c3 *conn3, udp *net.UDPConn) *Error {
	p := t.quic
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.open[c3] = struct{}{}
		t.done.Go(func() {
			<-c3.qc.Context().Done()
			udp.Close()
			p.drop(c3)
			p.mu.Lock()
			delete(p.open, c3)
			p.mu.Unlock()
		})
	}
	p.mu.Unlock()
	if closed {
		c3.close()
		udp.Close()
		return &Error{flow.ErrCutOff, errClosed}
	}
	return nil
}

// drop keeps requests to come from c3. Those on it go on.
func (p *pool3) drop(c3 *conn3) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c3.dropped = true
	if h := p.hosts[c3.key]; h != nil {
		h.conns = slices.DeleteFunc(h.conns, func(x *conn3) bool { return x == c3 })
		p.tidy(c3.key, h)
	}
}

// release takes back the reservation of one request.
func (c3 *conn3) release() {
	p := c3.t.quic
	p.mu.Lock()
	c3.requests--
	c3.idleSince = time.Now()
	p.mu.Unlock()
}

// close closes the connection properly.
func (c3 *conn3) close() { c3.qc.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "") }

// sweep closes the connections that have been idle since before limit, and forgets
// what is not true any more.
func (p *pool3) sweep(now, limit time.Time) {
	var old []*conn3
	p.mu.Lock()
	for c3 := range p.open {
		if c3.requests == 0 && (c3.dropped || c3.idleSince.Before(limit)) {
			c3.dropped = true
			old = append(old, c3)
		}
	}
	for h, until := range p.broken {
		if now.After(until) {
			delete(p.broken, h)
		}
	}
	p.mu.Unlock()
	for _, c3 := range old {
		p.drop(c3)
		c3.close()
	}
}

// shut closes everything and refuses what comes.
func (p *pool3) shut() {
	p.mu.Lock()
	p.closed = true
	open := slices.Collect(maps.Keys(p.open))
	p.mu.Unlock()
	for _, c3 := range open {
		c3.failure.CompareAndSwap(nil, &Error{flow.ErrCutOff, errClosed})
		c3.close()
	}
}

// connected is a UDP socket that is connected, which tells at once when nobody
// listens at the other end. quic-go names the address with every packet.
type connected struct{ *net.UDPConn }

func (c connected) WriteTo(p []byte, _ net.Addr) (int, error) { return c.Write(p) }

func (c connected) WriteMsgUDP(p, oob []byte, _ *net.UDPAddr) (int, int, error) {
	return c.UDPConn.WriteMsgUDP(p, oob, nil)
}
