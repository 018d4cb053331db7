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
	"time"

	"constat/proxy/flow"
)

// Door is a way by which connections come in, other than as to an HTTP proxy.
//
// Its connections know where they are to go. The type of their LocalAddr says what
// they are: a *net.TCPAddr a stream; a *net.UDPAddr a flow of datagrams between a
// port of the client and one of the destination, of which each Read and Write is
// one; a *net.IPAddr echo requests (ICMP, ICMPv6) to one address, of which each
// Read and Write is a message. Beside the methods of net.Conn they may have any of
// these:
//
//	Destination() (host string, port uint16) // as the client named it; LocalAddr by default
//	User() string                            // who signed in
//	App() string                             // package name of the app
//	Failure() error                          // why the client did not come so far as to say where it goes
//	Refuse() error                           // Close, and tell the client that nobody is there
//	ReadPacket() ([]byte, error)             // Read without a buffer; the datagram is the caller's
type Door struct {
	Name     string // for rows: "socks5", "transparent", "wireguard"
	Listener net.Listener
	// Own are the addresses that the door itself has in what it carries: there
	// Config.Local answers, and nothing is dialled.
	Own []netip.Addr
}

// door is one Serve call: a listener, the HTTP server behind it, and the
// connections that came through it.
type door struct {
	p        *Proxy
	name     string
	own      []netip.Addr
	ln       net.Listener
	srv      *http.Server
	back     *backListener
	wait     sync.WaitGroup // for the rows of all connections
	carriers sync.WaitGroup // for QUIC connections

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
	if _, ok := ln.Addr().(*net.TCPAddr); !ok {
		return errors.New("proxy serves TCP listeners only")
	}
	d := p.newDoor(ctx, "http", ln)
	return d.serve(ctx, func() error { return d.srv.Serve(d) })
}

// ServeDoor is Serve for any other door.
func (p *Proxy) ServeDoor(ctx context.Context, spec Door) error {
	d := p.newDoor(ctx, spec.Name, spec.Listener)
	d.own = spec.Own
	return d.serve(ctx, d.take)
}

func (p *Proxy) newDoor(ctx context.Context, name string, ln net.Listener) *door {
	d := &door{p: p, name: name, ln: ln, back: newBackListener(ln.Addr()), open: map[*conn]struct{}{}}
	d.relays, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	d.srv = p.newServer(d)
	return d
}

// serve runs accept, and the HTTP server for what comes out of tunnels, until ctx
// ends or one of them fails.
func (d *door) serve(ctx context.Context, accept func() error) error {
	defer d.cancel()
	p := d.p
	if addr, ok := d.ln.Addr().(*net.TCPAddr); ok {
		own := addr.AddrPort()
		p.mu.Lock()
		p.addrs = append(p.addrs, own)
		p.mu.Unlock()
		defer func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if i := slices.Index(p.addrs, own); i >= 0 {
				p.addrs = slices.Delete(p.addrs, i, i+1)
			}
		}()
	}
	errs := make(chan error, 2)
	go func() { errs <- accept() }()
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
		// OPTIONS * is for the server.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(io.Discard, "", 0), // its lines quote what clients sent
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
	carried := make(chan struct{})
	go func() { d.carriers.Wait(); close(carried) }()
	late := d.srv.Shutdown(ctx) != nil
	select {
	case <-carried:
	case <-ctx.Done():
		late = true
	}
	if late {
		d.mu.Lock()
		for c := range d.open {
			c.cutOff()
		}
		d.mu.Unlock()
		_ = d.srv.Close()
	}
	<-carried
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

// enter takes in an accepted connection. It returns nil for one that is over a
// limit, which is closed. The first one over the limit leaves a row, the rest would
// only fill the log.
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
	why := d.count(c)
	if why == "" {
		return c
	}
	c.outcome(flow.Refused, why)
	_ = c.Close()
	return nil
}

// count counts one more connection, and says why it is too many, "" if it is not.
// Whether it is to leave no row it notes.
func (d *door) count(c *conn) (why string) {
	p, crowd, all := d.p, c.crowd(), d.p.everybodyLike(c)
	c.all = all
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case all.open >= all.most:
		why, c.silent = "too many connections of all clients at a time", all.full
		all.full = true
	case p.conns[crowd] >= c.most():
		why, c.silent = "too many connections of this client at a time", p.full[crowd]
		p.full[crowd] = true
	case !c.admitted:
		c.silent, c.last = p.strangers.hush(c.born)
		c.listed = !c.silent
	}
	all.open++
	p.conns[crowd]++
	return why
}

// everybody is what is counted of all clients together that are admitted, or that are
// not.
type everybody struct {
	most, open int
	full       bool // and a row says so

	// Of those that are not admitted: connections that may leave a row.
	rows   float64
	filled time.Time
}

// Rows of clients that are not admitted: anybody on the network can connect, and what
// they fill is the operator's disk.
const (
	strangerRows  = 1000 // at once
	strangerRate  = 0.2  // more in a second
	strangerShare = 8    // of MaxAll is theirs
)

// hush says whether a connection is to leave no row because there are too many of its
// kind, and whether it is the last that leaves one.
func (e *everybody) hush(now time.Time) (silent, last bool) {
	if e.filled.IsZero() {
		e.rows, e.filled = strangerRows, now
	}
	e.rows = min(strangerRows, e.rows+now.Sub(e.filled).Seconds()*strangerRate)
	e.filled = now
	if e.rows < 1 {
		return true, false
	}
	e.rows--
	return false, e.rows < 1
}

func (p *Proxy) everybodyLike(c *conn) *everybody {
	if c.admitted {
		return &p.admitted
	}
	return &p.strangers
}

// most is how many connections the client may have open at a time. p.mu is held.
func (c *conn) most() int {
	conf := &c.door.p.conf
	switch {
	case !c.admitted && c.door.p.guests[c.row.Client.Addr()] == 0:
		return min(maxStrangers, conf.MaxConns)
	case c.crowd().datagrams:
		return conf.MaxDatagrams
	case !c.crowd().http:
		return conf.MaxStreams
	}
	return conf.MaxConns
}

// maxStrangers is how many connections a client that is not admitted may have
// open: enough to load a page.
const maxStrangers = 64

func (c *conn) crowd() crowd {
	return crowd{c.row.Client.Addr(), c.door.name == "http", c.row.Transport != ""}
}

// welcome notes that somebody has signed in on c.
func (d *door) welcome(c *conn) {
	d.p.mu.Lock()
	d.p.guests[c.row.Client.Addr()]++
	if c.listed {
		c.listed = false
		d.p.strangers.rows++ // it was taken for a stranger's
	}
	d.p.mu.Unlock()
}

// leave forgets a closed connection.
func (d *door) leave(c *conn) {
	d.mu.Lock()
	delete(d.open, c)
	d.mu.Unlock()
	p, crowd, all := d.p, c.crowd(), c.all
	p.mu.Lock()
	if all.open--; all.open < all.most {
		all.full = false
	}
	if c.known {
		if p.guests[crowd.client]--; p.guests[crowd.client] == 0 {
			delete(p.guests, crowd.client)
		}
	}
	if p.conns[crowd]--; p.conns[crowd] < c.most() {
		delete(p.full, crowd)
	}
	if p.conns[crowd] == 0 {
		delete(p.conns, crowd)
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

// addrPort is the address of one side of a connection, IPv4 as IPv4, and what is
// carried between the two sides, as rows have it.
func addrPort(a net.Addr) (netip.AddrPort, string) {
	switch a := a.(type) {
	case *net.TCPAddr:
		return unmapped(a.AddrPort()), ""
	case *net.UDPAddr:
		return unmapped(a.AddrPort()), "udp"
	case *net.IPAddr:
		ip, _ := netip.AddrFromSlice(a.IP)
		return unmapped(netip.AddrPortFrom(ip, 0)), "icmp"
	}
	return netip.AddrPort{}, ""
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
