package socks5

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"constat/proxy/datagram"
)

// association serves UDP ASSOCIATE (RFC 1928 section 7): a socket for the client's
// datagrams that lives for as long as the client keeps the TCP connection open. The
// socket is bound to the address by which the client reached this side, which is also
// the one that it is told, so that both are right when the listener has all addresses.
//
// It calls begun when the handshake is over, and returns when the association has
// ended, or why there is none, of which the client has not been told. It leaves c open.
func (l *Listener) association(c *Conn, begun func()) error {
	client := clientOf(c.Conn)
	if _, ok := l.associations.take(client); !ok {
		return errManyUDP
	}
	defer l.associations.leave(client)
	own, ok := c.Conn.LocalAddr().(*net.TCPAddr)
	if !ok {
		return errNoUDP
	}
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: own.IP, Zone: own.Zone})
	if err != nil {
		return errNoUDP
	}
	a := &association{
		l: l, c: c, pc: pc, client: client, flows: datagram.NewTable[flowKey](l.conf.MaxFlows),
	}
	begun()
	l.wait.Go(a.serve)
	bound := pc.LocalAddr().(*net.UDPAddr).AddrPort()
	if _, err := c.Write(reply5(replySucceeded, addrTarget(bound))); err == nil {
		_ = c.SetDeadline(time.Time{})
		_, _ = io.Copy(io.Discard, c.Conn) // until the client ends it
	}
	_ = pc.Close()
	a.flows.Close()
	return nil
}

// association is one client's socket for datagrams.
type association struct {
	l      *Listener
	c      *Conn
	pc     *net.UDPConn
	client netip.Addr
	flows  *datagram.Table[flowKey]
}

// flowKey is what the datagrams of one flow have in common.
type flowKey struct {
	client netip.AddrPort
	to     target
}

// serve reads the socket until it is closed. Datagrams from other addresses than the
// client's, malformed ones and fragments are dropped: RFC 1928 section 7 says so of
// those, and to send a reply to who did not ask is no better.
func (a *association) serve() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := a.pc.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			// Windows tells here that an earlier datagram reached nobody.
			if !a.l.pause() {
				return
			}
			continue
		}
		if plain(from.Addr()) != a.client {
			continue
		}
		to, payload, ok := parseDatagram(buf[:n])
		if !ok {
			continue
		}
		key := flowKey{client: from, to: to}
		if f := a.flows.Deliver(key, payload, func() *datagram.Flow { return a.open(from, to) }); f != nil {
			a.l.give(f)
		}
	}
}

// parseDatagram reads the header of a client's datagram (RFC 1928 section 7): two
// bytes that are reserved, the number of the fragment, and the destination.
func parseDatagram(b []byte) (to target, payload []byte, ok bool) {
	if len(b) < 3 || b[2] != 0 {
		return target{}, nil, false
	}
	to, n, err := parseTarget(b[3:])
	if err != nil || to.port == 0 {
		return target{}, nil, false
	}
	return to, b[3+n:], true
}

// open makes the flow of a client's port to a destination. The client is answered with
// the destination as it wrote it, also a name, by which it tells its flows apart.
// Nothing in SOCKS says that nobody is at a destination.
func (a *association) open(from netip.AddrPort, to target) *datagram.Flow {
	head := to.append([]byte{0, 0, 0})
	return &datagram.Flow{
		Client: net.UDPAddrFromAddrPort(netip.AddrPortFrom(from.Addr().Unmap(), from.Port())),
		Dest:   &net.UDPAddr{IP: to.ip(), Port: int(to.port)},
		Host:   to.host(), Port: to.port, Name: a.c.user, Pkg: a.c.app,
		Ways: datagram.Ways{Send: func(b []byte) error {
			_, err := a.pc.WriteToUDPAddrPort(append(head[:len(head):len(head)], b...), from)
			return err
		}},
	}
}
