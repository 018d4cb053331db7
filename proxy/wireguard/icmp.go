package wireguard

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// echoSize is the size of the header of an echo message (RFC 792; RFC 4443 section
// 4.1): type, code, checksum, identifier, sequence number. The rest is the client's.
const echoSize = 8

// handleICMP4 takes an ICMP message over IPv4; the stack does not answer those to
// addresses that are not its own.
func (l *Listener) handleICMP4(id stack.TransportEndpointID, p *stack.PacketBuffer) bool {
	message := append([]byte(nil), p.TransportHeader().Slice()...)
	message = append(message, p.Data().AsRange().ToSlice()...)
	if len(message) < echoSize || header.ICMPv4(message).Type() != header.ICMPv4Echo || message[1] != 0 ||
		checksum.Checksum(message, 0) != 0xffff {
		return true
	}
	client, server := addrPort(id.RemoteAddress, 0), addrPort(id.LocalAddress, 0)
	l.deliverEcho(header.ICMPv4ProtocolNumber, client.Addr(), server.Addr(), message, func() []byte { return quotePacket(p) })
	return true
}

// echo6 takes echo requests over IPv6 out before the stack answers them by itself.
func (l *Listener) echo6(packet []byte) (taken bool) {
	message, what := parseIPv6(packet)
	if what == passOn {
		return false
	}
	if what == takeEcho {
		client, _ := netip.AddrFromSlice(packet[8:24])
		server, _ := netip.AddrFromSlice(packet[24:40])
		l.deliverEcho(header.ICMPv6ProtocolNumber, client, server, append([]byte(nil), message...), func() []byte {
			return append([]byte(nil), packet[:min(len(packet), quote6)]...)
		})
	}
	return true
}

func (l *Listener) deliverEcho(protocol tcpip.TransportProtocolNumber, client, server netip.Addr, message []byte, quote func() []byte) {
	id := binary.BigEndian.Uint16(message[4:])
	l.deliver(flowKey{protocol, netip.AddrPortFrom(client, id), netip.AddrPortFrom(server, 0)}, message, quote)
}

// verdict is what is to become of an IPv6 packet.
type verdict int

const (
	passOn   verdict = iota // to the stack
	takeEcho                // an intact echo request
	drop                    // nothing for the stack either
)

// maxExtensions is how many extension headers are looked at. RFC 8200 section 4.1
// knows seven, of which one may come twice.
const maxExtensions = 8

// parseIPv6 finds the ICMPv6 message of an IPv6 packet, which shares its memory.
// Other protocols, and what is malformed, pass on: the stack knows what to do with
// it. Fragments of anything but TCP and UDP are dropped, because the stack would
// put an echo request together and answer it.
func parseIPv6(p []byte) (message []byte, _ verdict) {
	if len(p) < header.IPv6MinimumSize || p[0]>>4 != 6 {
		return nil, drop
	}
	size := int(binary.BigEndian.Uint16(p[4:]))
	if size > len(p)-header.IPv6MinimumSize {
		return nil, drop
	}
	next, rest := p[6], p[header.IPv6MinimumSize:][:size]
	for range maxExtensions {
		switch next {
		case uint8(header.ICMPv6ProtocolNumber):
			return rest, judgeICMPv6(p, rest)
		case 0, 43, 60: // hop-by-hop options, routing, destination options (RFC 8200 sections 4.3, 4.4, 4.6)
			if len(rest) < 8 || len(rest) < 8*(int(rest[1])+1) {
				return nil, drop
			}
			next, rest = rest[0], rest[8*(int(rest[1])+1):]
		case 44: // fragment (section 4.5)
			if len(rest) < 8 {
				return nil, drop
			}
			if binary.BigEndian.Uint16(rest[2:])&^6 != 0 { // not the only one
				if rest[0] == uint8(header.TCPProtocolNumber) || rest[0] == uint8(header.UDPProtocolNumber) {
					return nil, passOn
				}
				return nil, drop
			}
			next, rest = rest[0], rest[8:]
		default:
			return nil, passOn
		}
	}
	return nil, drop
}

// judgeICMPv6 lets through the errors that TCP needs (RFC 4443 section 2.1: types up
// to 127). Neighbour discovery has no place in a tunnel.
func judgeICMPv6(packet, message []byte) verdict {
	if len(message) < echoSize {
		return drop
	}
	if message[0] < 128 {
		return passOn
	}
	src, dst := tcpip.AddrFromSlice(packet[8:24]), tcpip.AddrFromSlice(packet[24:40])
	sum := header.PseudoHeaderChecksum(header.ICMPv6ProtocolNumber, src, dst, uint16(len(message)))
	if message[0] != uint8(header.ICMPv6EchoRequest) || message[1] != 0 || checksum.Checksum(message, sum) != 0xffff {
		return drop
	}
	return takeEcho
}

// writeEcho sends an echo reply with the payload and sequence number of b.
func (f *flow) writeEcho(b []byte) error {
	if len(b) < echoSize || len(b) > maxPayload {
		return syscall.EMSGSIZE
	}
	kind := uint8(header.ICMPv4EchoReply)
	if f.key.protocol == header.ICMPv6ProtocolNumber {
		kind = uint8(header.ICMPv6EchoReply)
	}
	h := append([]byte{kind, 0, 0, 0}, b[4:echoSize]...)
	binary.BigEndian.PutUint16(h[4:], f.key.client.Port())
	return f.sendICMP(h, b[echoSize:])
}

// How much of a packet an error message quotes: as much as fits into the smallest
// packet that every host takes (RFC 1812 section 4.3.2.3; RFC 4443 section 3.1),
// after the headers of IP and ICMP.
const (
	quote4 = 576 - header.IPv4MinimumSize - 8
	quote6 = 1280 - header.IPv6MinimumSize - 8
)

// quotePacket copies the begin of a packet.
func quotePacket(p *stack.PacketBuffer) []byte {
	size := quote4
	if p.NetworkProtocolNumber == header.IPv6ProtocolNumber {
		size = quote6
	}
	b := make([]byte, 0, min(size, p.Size()))
	for _, part := range p.AsSlices() {
		b = append(b, part[:min(len(part), size-len(b))]...)
	}
	return b
}

// sendUnreachable answers the flow's first packet with an error.
func (f *flow) sendUnreachable() error {
	udp, v4 := f.key.protocol == header.UDPProtocolNumber, f.key.client.Addr().Is4()
	h := make([]byte, 8) // RFC 792; RFC 4443 section 3.1: type, code, checksum, unused
	switch {
	case v4 && udp:
		h[0], h[1] = uint8(header.ICMPv4DstUnreachable), uint8(header.ICMPv4PortUnreachable)
	case v4:
		h[0], h[1] = uint8(header.ICMPv4DstUnreachable), uint8(header.ICMPv4HostUnreachable)
	case udp:
		h[0], h[1] = uint8(header.ICMPv6DstUnreachable), uint8(header.ICMPv6PortUnreachable)
	default:
		h[0], h[1] = uint8(header.ICMPv6DstUnreachable), uint8(header.ICMPv6AddressUnreachable)
	}
	return f.sendICMP(h, f.quote)
}

// sendICMP sends a message to the client, whose header still lacks the checksum.
func (f *flow) sendICMP(h, payload []byte) error {
	protocol, sum := header.ICMPv4ProtocolNumber, uint16(0)
	if f.key.client.Addr().Is6() {
		protocol = header.ICMPv6ProtocolNumber
		sum = f.route.PseudoHeaderChecksum(protocol, uint16(len(h)+len(payload)))
	}
	sum = checksum.Combine(checksum.Checksum(h, sum), checksum.Checksum(payload, 0))
	binary.BigEndian.PutUint16(h[2:], ^sum)
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{
		ReserveHeaderBytes: len(h) + int(f.route.MaxHeaderLength()),
		Payload:            buffer.MakeWithData(payload),
	})
	defer p.DecRef()
	copy(p.TransportHeader().Push(len(h)), h)
	p.TransportProtocolNumber = protocol
	return f.send(p)
}
