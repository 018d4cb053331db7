// Package socks5 is the door for clients that are set to use a SOCKS proxy:
// SOCKS5 (RFC 1928) with user name and password (RFC 1929), for TCP and UDP, and
// SOCKS4 and 4a for TCP.
//
// A Listener gives out a connection when its client has said where it goes. The
// client is told that it is connected before anybody has dialled, because who takes
// the connection looks at the client's first bytes before it decides. What clients
// send is taken as hostile: handshakes are bounded in size, time and number, and each
// is served by itself, so that a slow one holds up nobody.
//
// The package does not dial, resolve names or decide who may go where. BIND and
// GSSAPI are refused, and so are datagrams in fragments.
package socks5

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"constat/proxy/datagram"
)

// Config says how a Listener works. It is copied by Listen.
type Config struct {
	// SignIn says whether user may sign in with this password, and by which name it is
	// known from then on: none for one that the password does not prove, or what comes
	// to bear the name later would be taken for it. It is called by several goroutines
	// at a time. Nil means that every name is taken for what it says, whatever the
	// password.
	//
	// PCAPdroid sends one name and password, which its user types in, for all apps
	// that it captures; at most 31 bytes each, and only if both are there. It sends
	// TCP only, and addresses only, never names (github.com/emanuele-f/PCAPdroid,
	// jni_impl.c and capture_vpn.c; github.com/emanuele-f/zdtun, socks5.c; 2026-11).
	SignIn func(user, password string) (name string, ok bool)
	// RequireUser refuses clients that do not sign in.
	RequireUser bool
	// App returns the package name of the app that a user name stands for, or
	// nothing. Nil means that names never stand for apps.
	App func(user string) string

	// HandshakeTimeout is how long a client may take to say where it goes: 20 s.
	HandshakeTimeout time.Duration
	// MaxHandshakes is how many clients may be about to say it at a time: 1024.
	// One address may have a quarter of them.
	MaxHandshakes int
	// MaxAssociations is how many associations for UDP there may be at a time: 1024.
	// One address may have a quarter of them. Each keeps 64 KiB.
	MaxAssociations int
	// MaxFlows is how many flows of datagrams an association may have at a time: 512.
	// For one more, the one that was idle for longest ends.
	MaxFlows int
}

// defaults returns c with its zero fields filled in.
func (c Config) defaults() Config {
	if c.HandshakeTimeout <= 0 {
		c.HandshakeTimeout = 20 * time.Second
	}
	for field, value := range map[*int]int{&c.MaxHandshakes: 1024, &c.MaxAssociations: 1024, &c.MaxFlows: 512} {
		if *field <= 0 {
			*field = value
		}
	}
	return c
}

// Listener is a net.Listener whose connections are a *Conn or a *datagram.Flow.
type Listener struct {
	ln   net.Listener
	conf Config

	conns chan net.Conn
	done  chan struct{}
	err   error // why Accept ends; written before done is closed
	once  sync.Once
	wait  sync.WaitGroup

	handshakes, associations *limit

	mu   sync.Mutex
	open map[net.Conn]struct{} // in handshakes and associations
}

// Listen takes ln over and serves the clients that come by it.
func Listen(ln net.Listener, conf Config) *Listener {
	conf = conf.defaults()
	l := &Listener{
		ln: ln, conf: conf,
		conns: make(chan net.Conn), done: make(chan struct{}),
		handshakes: newLimit(conf.MaxHandshakes), associations: newLimit(conf.MaxAssociations),
		open: map[net.Conn]struct{}{},
	}
	l.wait.Go(l.serve)
	return l
}

// Accept returns the next client that has said where it goes, the next flow of
// datagrams, or a client that failed to say it, which Failure tells. After Close it
// returns net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, l.err
	}
}

// Addr is the address of the underlying listener.
func (l *Listener) Addr() net.Addr { return l.ln.Addr() }

// Close ends Accept, the handshakes in progress, and the associations with their
// flows, which cannot live without them. Connections that were given out live on.
func (l *Listener) Close() error {
	err := l.shut(net.ErrClosed)
	l.wait.Wait()
	return err
}

// shut ends everything; err is what Accept returns from then on.
func (l *Listener) shut(err error) error {
	var closed error
	l.once.Do(func() {
		l.err = err
		close(l.done)
		closed = l.ln.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		for c := range l.open {
			_ = c.Close()
		}
	})
	return closed
}

// serve accepts clients until the listener fails or is closed.
func (l *Listener) serve() {
	for {
		c, err := l.ln.Accept()
		if err != nil {
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() && l.pause() {
				continue // no free file descriptors, say
			}
			_ = l.shut(err)
			return
		}
		l.wait.Go(func() { l.handshake(c) })
	}
}

// pause waits a little, and reports whether the listener is still open.
func (l *Listener) pause() bool {
	select {
	case <-time.After(50 * time.Millisecond):
		return true
	case <-l.done:
		return false
	}
}

// give hands c to Accept, and reports whether it did. It closes c if the Listener is
// closed before.
func (l *Listener) give(c net.Conn) bool {
	select {
	case l.conns <- c:
		return true
	case <-l.done:
		_ = c.Close()
		return false
	}
}

// enter notes that c is to be closed with the Listener; it reports false, and
// closes c, if that has happened.
func (l *Listener) enter(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.done:
		_ = c.Close()
		return false
	default:
		l.open[c] = struct{}{}
		return true
	}
}

func (l *Listener) leave(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// handshake serves one client until it is given out, or until its association ends.
func (l *Listener) handshake(nc net.Conn) {
	if !l.enter(nc) {
		return
	}
	c := &Conn{Conn: nc}
	client := clientOf(nc)
	first, ok := l.handshakes.take(client)
	if !ok {
		l.leave(nc)
		if !first {
			reset(nc) // the first of many has a row, the rest would only fill the log
			return
		}
		c.failure = errors.New("too many SOCKS clients are about to say where they go: close some apps, or wait")
		l.give(c)
		return
	}
	release := sync.OnceFunc(func() { l.handshakes.leave(client) })
	defer release()
	if c.failure = l.negotiate(c); c.failure == nil && c.associate {
		if c.failure = l.association(c, release); c.failure == nil {
			l.leave(nc)
			_ = nc.Close()
			return
		}
		_, _ = c.Write(reply5(replyFailure, target{}))
		drain(c)
	}
	_ = nc.SetDeadline(time.Time{})
	l.leave(nc)
	l.give(c)
}

// clientOf is the client's address.
func clientOf(c net.Conn) netip.Addr {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return plain(a.AddrPort().Addr())
	}
	return netip.Addr{}
}

// plain is a without a zone, IPv4 as IPv4.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// reset closes c without a word.
func reset(c net.Conn) {
	if l, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0)
	}
	_ = c.Close()
}

// A limit bounds how many of something there are, in all and of one client.
type limit struct {
	mu   sync.Mutex
	all  int
	max  int
	each map[netip.Addr]int
	told map[netip.Addr]bool // clients over the limit
}

func newLimit(limitOfAll int) *limit {
	return &limit{max: limitOfAll, each: map[netip.Addr]int{}, told: map[netip.Addr]bool{}}
}

// take counts one more of client, and reports whether there is room for it. If there
// is none, first says that there was until now, and is to be told.
func (l *limit) take(client netip.Addr) (first, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= l.max || l.each[client] >= max(1, l.max/4) {
		if first = !l.told[client] && len(l.told) < l.max; first {
			l.told[client] = true
		}
		return first, false
	}
	l.all++
	l.each[client]++
	return false, true
}

// leave counts one less of client.
func (l *limit) leave(client netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.told, client)
	if l.all--; l.all == 0 {
		clear(l.told)
	}
	if l.each[client]--; l.each[client] == 0 {
		delete(l.each, client)
	}
}

// Conn is a client's stream to where it goes.
type Conn struct {
	net.Conn
	to        target
	user, app string
	associate bool
	failure   error
}

// LocalAddr is the destination: a *net.TCPAddr, without an address if the client
// gave a name. After a failure it is this side's own address.
func (c *Conn) LocalAddr() net.Addr {
	if c.failure != nil {
		return c.Conn.LocalAddr()
	}
	return &net.TCPAddr{IP: c.to.ip(), Port: int(c.to.port)}
}

// Destination is where the client goes, a name or an address, as it said it.
func (c *Conn) Destination() (host string, port uint16) { return c.to.host(), c.to.port }

// User is the name by which the client signed in, empty when it did not.
func (c *Conn) User() string { return c.user }

// App is the package name of the app that the user name stands for, or empty.
func (c *Conn) App() string { return c.app }

// Failure says, in a sentence for people, why the client did not come so far as to
// say where it goes; nil when it did. The client has been told then, and there is
// nothing to do but to close the connection.
func (c *Conn) Failure() error { return c.failure }

// CloseWrite tells the client that nothing more comes.
func (c *Conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SetLinger is as for net.TCPConn.
func (c *Conn) SetLinger(sec int) error {
	if w, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		return w.SetLinger(sec)
	}
	return errors.ErrUnsupported
}

var _ net.Conn = (*datagram.Flow)(nil)
