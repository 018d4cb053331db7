package wireguard

import (
	"net/netip"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// TestHalfOpen sends requests for connections and never answers. Close ends what they
// began.
func TestHalfOpen(t *testing.T) {
	r := newRig(t, 2)
	addrs, _ := testNet.Peer(1)
	mute := r.newPhone(r.keys[1], r.conf.Listen, nil) // has no address: drops what comes back
	const sent = maxPeerHalfOpen + 50
	for i := range sent {
		mute.link.queue <- requestTCP(netip.AddrPortFrom(addrs[0], uint16(1000+i)), netip.MustParseAddrPort("192.0.2.7:80"))
	}
	for r.status(1).Refused < sent-maxPeerHalfOpen {
		time.Sleep(time.Millisecond)
	}
	for r.status(1).Flows > maxPeerHalfOpen { // one that is being turned away counts for a moment
		time.Sleep(time.Millisecond)
	}
	// Others do not notice.
	client := r.phone(2).dial(destinations[0])
	c := r.next()
	if c.(told).User() != "phone 2" {
		t.Errorf("%q came through", c.(told).User())
	}
	_, _ = client.Close(), c.Close()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r.Wait()
	if s := r.starting; s != 0 {
		t.Errorf("%d are about to begin", s)
	}
}

// requestTCP is the first packet of a connection (RFC 9293 section 3.1).
func requestTCP(from, to netip.AddrPort) *stack.PacketBuffer {
	b := make([]byte, header.IPv4MinimumSize+header.TCPMinimumSize)
	ip := header.IPv4(b)
	ip.Encode(&header.IPv4Fields{
		TotalLength: uint16(len(b)), TTL: 64, Protocol: uint8(header.TCPProtocolNumber),
		SrcAddr: stackAddr(from.Addr()), DstAddr: stackAddr(to.Addr()),
	})
	ip.SetChecksum(^ip.CalculateChecksum())
	tcp := header.TCP(b[header.IPv4MinimumSize:])
	tcp.Encode(&header.TCPFields{
		SrcPort: from.Port(), DstPort: to.Port(), SeqNum: 1, DataOffset: header.TCPMinimumSize,
		Flags: header.TCPFlagSyn, WindowSize: 65535,
	})
	sum := header.PseudoHeaderChecksum(header.TCPProtocolNumber, stackAddr(from.Addr()), stackAddr(to.Addr()), header.TCPMinimumSize)
	tcp.SetChecksum(^tcp.CalculateChecksum(sum))
	return stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(b)})
}

// TestBacklog opens more connections than wait for Accept, and closes the listener.
func TestBacklog(t *testing.T) {
	r := newRig(t, 1)
	p := r.phone(1)
	for range acceptQueue {
		_ = p.dial(destinations[0])
	}
	// These are connected, for the client, and wait before the queue.
	for range 20 {
		_ = p.dial(destinations[1])
	}
	// A new flow does not wait: it is dropped, and may come again.
	if _, err := p.udp(destinations[0]).Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	_ = r.next()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestMulticast sends datagrams to nobody in particular. They stay in the tunnel.
func TestMulticast(t *testing.T) {
	r := newRig(t, 1)
	addrs, _ := testNet.Peer(1)
	p := r.phone(1)
	for _, to := range []string{"224.0.0.251:5353", "239.255.255.250:1900", "255.255.255.255:67", "0.0.0.0:67", "[ff02::fb]:5353", "[ff0e::c]:1900"} {
		to := netip.MustParseAddrPort(to)
		from := addrs[0]
		if to.Addr().Is6() {
			from = addrs[1]
		}
		p.link.queue <- datagram(netip.AddrPortFrom(from, 5353), to)
	}
	p.link.queue <- requestTCP(netip.AddrPortFrom(addrs[0], 5353), netip.MustParseAddrPort("255.255.255.255:80"))
	if _, err := p.udp("192.0.2.7:53").Write([]byte("last")); err != nil {
		t.Fatal(err)
	}
	if c := r.next(); c.LocalAddr().String() != "192.0.2.7:53" {
		t.Errorf("a flow to %v", c.LocalAddr())
	}
}

// datagram is an empty datagram.
func datagram(from, to netip.AddrPort) *stack.PacketBuffer {
	src, dst := stackAddr(from.Addr()), stackAddr(to.Addr())
	var b []byte
	if to.Addr().Is4() {
		b = make([]byte, header.IPv4MinimumSize+header.UDPMinimumSize)
		ip := header.IPv4(b)
		ip.Encode(&header.IPv4Fields{TotalLength: uint16(len(b)), TTL: 64, Protocol: uint8(header.UDPProtocolNumber), SrcAddr: src, DstAddr: dst})
		ip.SetChecksum(^ip.CalculateChecksum())
	} else {
		b = make([]byte, header.IPv6MinimumSize+header.UDPMinimumSize)
		header.IPv6(b).Encode(&header.IPv6Fields{PayloadLength: header.UDPMinimumSize, TransportProtocol: header.UDPProtocolNumber, HopLimit: 64, SrcAddr: src, DstAddr: dst})
	}
	udp := header.UDP(b[len(b)-header.UDPMinimumSize:])
	udp.Encode(&header.UDPFields{SrcPort: from.Port(), DstPort: to.Port(), Length: header.UDPMinimumSize})
	udp.SetChecksum(^udp.CalculateChecksum(header.PseudoHeaderChecksum(header.UDPProtocolNumber, src, dst, header.UDPMinimumSize)))
	return stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(b)})
}
