package proxy

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"constat/proxy/flow"
)

// door is one Serve call: a listener, the HTTP server behind it, and the
// connections that came through it.
type door struct {
	p    *Proxy
	ln   net.Listener
	srv  *http.Server
	back *backListener
	wait sync.WaitGroup // for the rows of all connections

	relays context.Context // of dials for relays; ends when the door closes
	cancel context.CancelFunc

	mu      sync.Mutex
	open    map[*conn]struct{}
	closing bool
}

// Serve takes the connections that arrive on ln, as HTTP proxy, until ctx ends.
// Exchanges in flight then have GracePeriod to finish; tunnels that are relayed
// and connections without an exchange are closed at once. Serve closes ln, and
// returns after the last row is committed: nil when ctx ended, the listener's
// error otherwise. It may be called for several listeners at a time.
func (p *Proxy) Serve(ctx context.Context, ln net.Listener) error {
	addr, ok := ln.Addr().(*net.TCPAddr)
	if !ok {
		return errors.New("proxy serves TCP listeners only")
	}
	d := &door{p: p, ln: ln, back: newBackListener(ln.Addr()), open: map[*conn]struct{}{}}
	d.relays, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer d.cancel()
	d.srv = p.newServer(d)
	own := addr.AddrPort()
	p.mu.Lock()
	p.addrs = append(p.addrs, own)
	p.mu.Unlock()

	errs := make(chan error, 2)
	go func() { errs <- d.srv.Serve(d) }()
	go func() { errs <- d.srv.Serve(d.back) }()
	var err error
	running := 2
	select {
	case <-ctx.Done():
	case err = <-errs:
		running--
	}
	d.shutdown()
	for range running {
		<-errs
	}
	d.wait.Wait()

	p.mu.Lock()
	if i := slices.Index(p.addrs, own); i >= 0 {
		p.addrs = slices.Delete(p.addrs, i, i+1)
	}
	p.mu.Unlock()
	return err
}

// newServer returns the HTTP server of a door. It serves both what arrives at
// the door and what comes out of tunnels, HTTP/1.1 and HTTP/2; the latter is
// recognised by its preface because TLS has been taken off before.
func (p *Proxy) newServer(d *door) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           p,
		ReadHeaderTimeout: p.conf.HeadTimeout,
		IdleTimeout:       p.conf.IdleTimeout,
		MaxHeaderBytes:    p.conf.MaxHead,
		Protocols:         protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          250,
			MaxReceiveBufferPerConnection: 1 << 20,
			MaxReceiveBufferPerStream:     256 << 10,
			MaxReadFrameSize:              16 << 10, // the least: a connection keeps room for the largest it got
			SendPingTimeout:               p.conf.IdleTimeout / 2,
			WriteByteTimeout:              p.conf.IdleTimeout,
		},
		ErrorLog: log.New(io.Discard, "", 0), // its lines quote what clients sent
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, streamKey{}, c.(*stream))
		},
	}
}

// shutdown closes the door and everything behind it.
func (d *door) shutdown() {
	d.mu.Lock()
	d.closing = true
	for c := range d.open {
		if c.requests.Load() == 0 || c.relayed.Load() {
			c.cutOff()
		}
	}
	d.mu.Unlock()
	d.cancel()
	_ = d.ln.Close()
	ctx, cancel := context.WithTimeout(context.Background(), d.p.conf.GracePeriod)
	defer cancel()
	if d.srv.Shutdown(ctx) != nil {
		d.mu.Lock()
		for c := range d.open {
			c.cutOff()
		}
		d.mu.Unlock()
		_ = d.srv.Close()
	}
}

// Accept implements net.Listener for the door's HTTP server.
func (d *door) Accept() (net.Conn, error) {
	for {
		nc, err := d.ln.Accept()
		if err != nil {
			return nil, err
		}
		if c := d.enter(nc); c != nil {
			return newStream(c, c, nil), nil
		}
	}
}

// enter takes in an accepted connection. It returns nil for one that is over
// the client's limit, which is closed. The first one over the limit leaves a
// row, the rest would only fill the log.
func (d *door) enter(nc net.Conn) *conn {
	c := newConn(d, nc)
	d.mu.Lock()
	closing := d.closing
	if !closing {
		d.open[c] = struct{}{}
		d.wait.Add(1)
	}
	d.mu.Unlock()
	if closing {
		_ = nc.Close()
		return nil
	}
	p, client := d.p, c.row.Client.Addr()
	p.mu.Lock()
	over := p.conns[client] >= p.conf.MaxConns
	silent := over && p.full[client]
	if over {
		p.full[client] = true
	}
	p.conns[client]++
	p.mu.Unlock()
	if !over {
		return c
	}
	c.silent = silent
	c.outcome(flow.Refused, "too many connections of this client at a time")
	_ = c.Close()
	return nil
}

// leave forgets a closed connection.
func (d *door) leave(c *conn) {
	d.mu.Lock()
	delete(d.open, c)
	d.mu.Unlock()
	p, client := d.p, c.row.Client.Addr()
	p.mu.Lock()
	if p.conns[client]--; p.conns[client] < p.conf.MaxConns {
		delete(p.full, client)
	}
	if p.conns[client] == 0 {
		delete(p.conns, client)
	}
	p.mu.Unlock()
}

// Close implements net.Listener.
func (d *door) Close() error { return d.ln.Close() }

// Addr implements net.Listener.
func (d *door) Addr() net.Addr { return d.ln.Addr() }

// backListener hands connections that came out of a tunnel to the HTTP server.
type backListener struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newBackListener(addr net.Addr) *backListener {
	return &backListener{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

// put hands c over, or closes it when the listener is closed.
func (l *backListener) put(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.done:
		_ = c.Close()
	}
}

func (l *backListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *backListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *backListener) Addr() net.Addr { return l.addr }

// clientAddr is the remote address of nc, IPv4 as IPv4.
func clientAddr(nc net.Conn) netip.AddrPort {
	a, ok := nc.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	return unmapped(a.AddrPort())
}

// unmapped is a with IPv4 as IPv4, and without a zone.
func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// expired says that err is a deadline of ours.
func expired(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
