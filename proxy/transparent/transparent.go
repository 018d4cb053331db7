// Package transparent is the door for traffic that a Linux router diverts: devices
// that use this computer as gateway or hotspot need no setting at all.
//
// The firewall sends what the devices send to a port of the Listener, which learns
// from the kernel where each connection and datagram was to go, and answers from that
// address. Script returns the commands that set the firewall up and take that back.
// On other systems than Linux Listen fails with errors.ErrUnsupported.
//
// The package does not dial, and does not change the firewall itself.
package transparent

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Mode is how the firewall diverts TCP. UDP is diverted by TPROXY always: REDIRECT
// forgets where a datagram was to go.
type Mode int

const (
	// TProxy leaves the packets as they are (Linux, Documentation/networking/tproxy.rst).
	// The listener needs CAP_NET_ADMIN.
	TProxy Mode = iota
	// Redirect rewrites the destination. It serves where a kernel has no TPROXY, and
	// when only TCP is diverted the listener needs no privilege.
	Redirect
)

// String returns the name of the mode.
func (m Mode) String() string {
	if m == Redirect {
		return "redirect"
	}
	return "tproxy"
}

// Config says what a Listener listens on. An address that is not valid means that this
// protocol is not served. The unspecified address stands for all, of IPv4 and IPv6.
type Config struct {
	TCP, UDP netip.AddrPort
	Mode     Mode
}

// maxFlows is how many flows of datagrams there may be at a time. For one more, the
// one that was idle for longest ends.
const maxFlows = 4096

var (
	errLoop = errors.New("the client connected to the port of the transparent door itself: " +
		"use this computer as gateway, and set no proxy")
	errNotDiverted = errors.New("nobody knows where the client was going: the firewall's rules do not divert it by REDIRECT")
)

// Listener is a net.Listener whose connections are a *Conn or a *datagram.Flow, whose
// LocalAddr is where the client was going.
type Listener struct {
	tcp net.Listener // nil without TCP
	udp *receiver    // nil without UDP

	conns chan net.Conn
	done  chan struct{}
	err   error // why Accept ends; written before done is closed
	once  sync.Once
	wait  sync.WaitGroup
}

// Accept returns the next connection, or the next flow of datagrams. After Close it
// returns net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, l.err
	}
}

// Addr is the address for TCP, or the one for UDP if there is no TCP.
func (l *Listener) Addr() net.Addr {
	if l.tcp != nil {
		return l.tcp.Addr()
	}
	return l.PacketAddr()
}

// PacketAddr is the address for UDP, nil without UDP.
func (l *Listener) PacketAddr() net.Addr {
	if l.udp == nil {
		return nil
	}
	return l.udp.addr()
}

// Own returns the addresses of this computer, as they are at the moment. Nothing that
// goes there is diverted but, by choice, questions to the DNS.
func (l *Listener) Own() []netip.Addr { return ownAddrs() }

// ownAddrs are the addresses of this computer; none when nobody can tell.
func ownAddrs() (own []netip.Addr) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				own = append(own, addr.Unmap())
			}
		}
	}
	return own
}

// isOwn says whether a is an address of this computer.
func isOwn(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(ownAddrs(), a.WithZone(""))
}

// Close ends Accept and all flows of datagrams. TCP connections that were given out
// live on.
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
		if l.tcp != nil {
			closed = l.tcp.Close()
		}
		if l.udp != nil {
			closed = errors.Join(closed, l.udp.close())
		}
	})
	return closed
}

// give hands c to Accept, or closes it if the Listener is closed before.
func (l *Listener) give(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.done:
		_ = c.Close()
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

// Conn is a TCP connection that was diverted.
type Conn struct {
	*net.TCPConn
	dest    *net.TCPAddr
	failure error
}

// LocalAddr is where the client was going.
func (c *Conn) LocalAddr() net.Addr { return c.dest }

// Failure says why nobody knows where the client was going; nil when it is known.
func (c *Conn) Failure() error { return c.failure }
