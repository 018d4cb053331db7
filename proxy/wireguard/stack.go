package wireguard

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// nic is the number of the stack's only interface.
const nic tcpip.NICID = 1

const (
	// The buffers of a TCP connection: what it begins with, and the most that it
	// grows to while it is read, or acknowledged, as fast as it fills. Without data
	// it holds none.
	firstBuffer = 128 << 10
	maxBuffer   = 4 << 20

	maxHalfOpen     = 1024 // unfinished TCP handshakes
	maxPeerHalfOpen = 128  // of one peer

	// An unfinished handshake ends after 1+2+4 s; a client begins again by itself.
	synRetries = 3
	// What a closed connection had still to deliver is given up after this.
	lingerTime = 60 * time.Second
	// A closed pair of ports rests this long. RFC 9293 section 3.6.1 says four
	// minutes, for packets that get lost on the way for two; inside a tunnel to the
	// next machine they do not.
	timeWait = 10 * time.Second
)

// newStack makes a network stack that has every address.
func (l *Listener) newStack() (*stack.Stack, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
	})
	if err := l.setUp(s); err != nil {
		s.Close()
		s.Wait()
		return nil, fmt.Errorf("set up the network stack: %v", err)
	}
	s.SetTransportProtocolHandler(tcp.ProtocolNumber, tcp.NewForwarder(s, firstBuffer, maxHalfOpen, l.handleTCP).HandlePacket)
	s.SetTransportProtocolHandler(udp.ProtocolNumber, l.handleUDP)
	s.SetTransportProtocolHandler(icmp.ProtocolNumber4, l.handleICMP4)
	return s, nil
}

func (l *Listener) setUp(s *stack.Stack) error {
	sack, moderate := tcpip.TCPSACKEnabled(true), tcpip.TCPModerateReceiveBufferOption(true)
	control := tcpip.CongestionControlOption("cubic")
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: firstBuffer, Max: maxBuffer}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: firstBuffer, Max: maxBuffer}
	retries, wait := tcpip.TCPSynRetriesOption(synRetries), tcpip.TCPTimeWaitTimeoutOption(timeWait)
	for _, option := range []tcpip.SettableTransportProtocolOption{&sack, &moderate, &control, &receive, &send, &retries, &wait} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, option); err != nil {
			return fmt.Errorf("%T: %v", option, err)
		}
	}
	if err := s.CreateNIC(nic, l.link); err != nil {
		return errors.New(err.String())
	}
	// Promiscuous: takes packets to any address. Spoofing: answers from any.
	if err := s.SetPromiscuousMode(nic, true); err != nil {
		return errors.New(err.String())
	}
	if err := s.SetSpoofing(nic, true); err != nil {
		return errors.New(err.String())
	}
	s.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, NIC: nic},
		{Destination: header.IPv6EmptySubnet, NIC: nic},
	})
	return nil
}

// handleTCP takes a connection request; each has its own goroutine. The request
// counts as unfinished until Accept has the connection, so that a program that does
// not accept has no more than maxHalfOpen of them waiting.
func (l *Listener) handleTCP(r *tcp.ForwarderRequest) {
	id := r.ID()
	client, server := addrPort(id.RemoteAddress, id.RemotePort), addrPort(id.LocalAddress, id.LocalPort)
	if nobody(server.Addr()) {
		r.Complete(true)
		return
	}
	p := l.admit(client.Addr())
	if p == nil {
		r.Complete(true)
		return
	}
	if !l.begin(p) {
		r.Complete(false) // as if the request had been lost
		l.turnAway(p)
		return
	}
	defer l.finish(p)
	queue := new(waiter.Queue)
	ep, err := r.CreateEndpoint(queue)
	if err != nil {
		r.Complete(true)
		l.turnAway(p)
		return
	}
	defer r.Complete(false)
	c := newStream(l, p, ep, queue, client, server)
	if !l.keep(p, c) {
		ep.Abort()
		return
	}
	select {
	case l.accept <- c:
		if isClosed(l.closing) {
			l.clearQueue() // Close may have done so before
		}
	case <-l.closing:
		c.abort()
	case <-c.done:
	}
}

// begin counts an unfinished handshake; finish ends it. It returns false when the
// peer has too many.
func (l *Listener) begin(p *peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.halfOpen >= maxPeerHalfOpen {
		p.refused++
		return false
	}
	p.halfOpen++
	return true
}

func (l *Listener) finish(p *peer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.halfOpen--
}

// nobody says that a is no single host's address.
func nobody(a netip.Addr) bool {
	return a.IsMulticast() || a.IsUnspecified() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

func addrPort(a tcpip.Address, port uint16) netip.AddrPort {
	addr, _ := netip.AddrFromSlice(a.AsSlice())
	return netip.AddrPortFrom(addr, port)
}

func stackAddr(a netip.Addr) tcpip.Address { return tcpip.AddrFromSlice(a.AsSlice()) }
