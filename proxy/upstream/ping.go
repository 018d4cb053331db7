package upstream

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/net/icmp"

	"constat/proxy/flow"
)

// ErrPing is the cause of an Error when this system does not let the process send
// echo requests.
var ErrPing = errors.New("the system does not permit ping: set the sysctl net.ipv4.ping_group_range, or grant CAP_NET_RAW")

// DialPing returns a socket for echo requests to an address (RFC 792, RFC 4443
// section 4), which Allow is asked about with port 0. Write takes one echo request,
// from its type on; Read returns one echo reply to one of the latest pingsKept
// requests, with the identifier and sequence number of that request. The checksum
// of a reply is right for IPv4, and 0 for IPv6, where it covers the addresses of
// the IP header (RFC 4443, section 2.3). Neither direction keeps the IP header.
//
// The connection is the caller's. Ping does not go through an upstream proxy: the
// cause is ErrViaTCP then. It is ErrPing when the system forbids it. Errors are of
// type *Error.
func (t *Transport) DialPing(_ context.Context, client, to netip.Addr) (net.Conn, error) {
	if err := t.open(); err != nil {
		return nil, err
	}
	to = to.Unmap()
	if !to.IsValid() {
		return nil, bad(flow.ErrClientBad, "no address to ping")
	}
	if host := to.WithZone("").String(); t.chained(host, net.JoinHostPort(host, "0")) {
		return nil, &Error{flow.ErrRefused, ErrViaTCP}
	}
	if err := t.conf.Allow(client, netip.AddrPortFrom(to, 0)); err != nil {
		return nil, &Error{flow.ErrRefused, err}
	}
	p := &pinger{to: to, request: 8, reply: 0, id: uint16(rand.Uint32())}
	networks := [...]string{"udp4", "ip4:icmp"}
	every := "0.0.0.0"
	if to.Is6() {
		networks = [...]string{"udp6", "ip6:ipv6-icmp"}
		every = "::"
		p.request, p.reply = 128, 129
	}
	var err error
	for i, network := range networks {
		if p.PacketConn, err = icmp.ListenPacket(network, every); err == nil {
			p.raw = i == 1
			return p, nil
		}
	}
	if errors.Is(err, os.ErrPermission) {
		return nil, &Error{flow.ErrConnect, ErrPing}
	}
	return nil, &Error{flow.ErrConnect, fmt.Errorf("no socket for ping: %w", err)}
}

// pingsKept is how many requests can wait for their replies.
const pingsKept = 256

// pinger maps identifiers and sequence numbers. Without the right to raw sockets
// the system gives every socket one identifier (Linux, icmp(7)), and programs on
// the client's side count from the same number: so that requests are numbered anew
// here.
type pinger struct {
	*icmp.PacketConn
	to             netip.Addr
	request, reply byte
	raw            bool   // the socket sees the replies of other programs too
	id             uint16 // of raw requests

	mu   sync.Mutex
	next uint16
	sent [pingsKept]sentPing
}

// sentPing is what a client called a request that was sent as seq.
type sentPing struct {
	used          bool
	seq           uint16
	id, clientSeq uint16
}

// pingHead is the length of an echo message without its data, in bytes.
const pingHead = 8

// Write sends one echo request.
func (p *pinger) Write(b []byte) (int, error) {
	if len(b) < pingHead || b[0] != p.request || b[1] != 0 {
		return 0, errors.New("not an echo request")
	}
	m := append(make([]byte, 0, len(b)), b...)
	p.mu.Lock()
	p.next++
	seq := p.next
	p.sent[seq%pingsKept] = sentPing{true, seq, binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])}
	p.mu.Unlock()
	binary.BigEndian.PutUint16(m[4:], p.id)
	binary.BigEndian.PutUint16(m[6:], seq)
	sum(m, p.to.Is4())
	if _, err := p.WriteTo(m, p.peer(p.raw)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Read returns the next echo reply. One that is longer than b is cut off.
func (p *pinger) Read(b []byte) (int, error) {
	for {
		n, from, err := p.ReadFrom(b)
		if err != nil {
			return 0, err
		}
		m := b[:n]
		if n < pingHead || m[0] != p.reply || m[1] != 0 || addressOf(from) != p.to.WithZone("") ||
			p.raw && binary.BigEndian.Uint16(m[4:]) != p.id {
			continue
		}
		seq := binary.BigEndian.Uint16(m[6:])
		p.mu.Lock()
		sent := p.sent[seq%pingsKept]
		p.mu.Unlock()
		if !sent.used || sent.seq != seq {
			continue
		}
		binary.BigEndian.PutUint16(m[4:], sent.id)
		binary.BigEndian.PutUint16(m[6:], sent.clientSeq)
		sum(m, p.to.Is4())
		return n, nil
	}
}

// sum writes the checksum of an ICMP message (RFC 1071), or 0 when it is not for
// IPv4: the system fills it in.
func sum(m []byte, v4 bool) {
	m[2], m[3] = 0, 0
	if !v4 {
		return
	}
	var s uint32
	for i := 0; i+1 < len(m); i += 2 {
		s += uint32(m[i])<<8 | uint32(m[i+1])
	}
	if len(m)%2 == 1 {
		s += uint32(m[len(m)-1]) << 8
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	binary.BigEndian.PutUint16(m[2:], ^uint16(s))
}

// addressOf returns the address in a, without its zone.
func addressOf(a net.Addr) netip.Addr {
	var ip net.IP
	switch a := a.(type) {
	case *net.UDPAddr:
		ip = a.IP
	case *net.IPAddr:
		ip = a.IP
	}
	addr, _ := netip.AddrFromSlice(ip)
	return addr.Unmap()
}

// peer returns where requests go, as the socket wants it.
func (p *pinger) peer(raw bool) net.Addr {
	if raw {
		return &net.IPAddr{IP: p.to.AsSlice(), Zone: p.to.Zone()}
	}
	return &net.UDPAddr{IP: p.to.AsSlice(), Zone: p.to.Zone()}
}

// RemoteAddr implements net.Conn.
func (p *pinger) RemoteAddr() net.Addr { return p.peer(true) }

// LocalAddr implements net.Conn.
func (p *pinger) LocalAddr() net.Addr {
	return &net.IPAddr{IP: addressOf(p.PacketConn.LocalAddr()).AsSlice()}
}
