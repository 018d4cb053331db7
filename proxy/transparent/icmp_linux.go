package transparent

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// unreachable tells client, in the name of dest, that nobody is at dest's port: ICMP
// type 3 code 3 (RFC 792), ICMPv6 type 1 code 4 (RFC 4443 section 3.1). size is that of
// the datagram that it answers. It needs CAP_NET_RAW, and returns EPERM without it.
func unreachable(client, dest netip.AddrPort, size int) error {
	family, protocol := unix.AF_INET, unix.IPPROTO_ICMP
	message := portUnreachable4(client, dest, size)
	if dest.Addr().Is6() {
		family, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
		message = portUnreachable6(client, dest, size)
	}
	fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1); err != nil && family == unix.AF_INET {
		return err
	}
	if family == unix.AF_INET6 {
		if err := unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1); err != nil {
			return err
		}
	}
	if err := unix.Bind(fd, sockaddr(dest.Addr())); err != nil {
		return err
	}
	return unix.Sendto(fd, message, unix.MSG_DONTWAIT, sockaddr(client.Addr()))
}

// sockaddr is a for a raw socket.
func sockaddr(a netip.Addr) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4()}
	}
	return &unix.SockaddrInet6{Addr: a.As16()}
}

// portUnreachable4 is the message to client: head, then the head of the datagram that it
// answers, by which client finds the socket.
func portUnreachable4(client, dest netip.AddrPort, size int) []byte {
	b := []byte{3, 3, 0, 0, 0, 0, 0, 0}
	ip := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, unix.IPPROTO_UDP, 0, 0}
	binary.BigEndian.PutUint16(ip[2:], length(20+8+size))
	ip = append(ip, client.Addr().AsSlice()...)
	ip = append(ip, dest.Addr().AsSlice()...)
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	b = appendUDP(append(b, ip...), client, dest, size)
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return b
}

// portUnreachable6 is the same for IPv6. The kernel fills in the checksum (RFC 3542
// section 3.1).
func portUnreachable6(client, dest netip.AddrPort, size int) []byte {
	b := []byte{1, 4, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0}
	b = binary.BigEndian.AppendUint16(b, length(8+size))
	b = append(b, unix.IPPROTO_UDP, 64)
	b = append(b, client.Addr().AsSlice()...)
	b = append(b, dest.Addr().AsSlice()...)
	return appendUDP(b, client, dest, size)
}

// appendUDP appends the head of a datagram from client to dest (RFC 768), without a
// checksum: its data are not there to be checked.
func appendUDP(b []byte, client, dest netip.AddrPort, size int) []byte {
	b = binary.BigEndian.AppendUint16(b, client.Port())
	b = binary.BigEndian.AppendUint16(b, dest.Port())
	b = binary.BigEndian.AppendUint16(b, length(8+size))
	return append(b, 0, 0)
}

// length is n, as far as 16 bits go.
func length(n int) uint16 { return uint16(min(n, 1<<16-1)) }

// checksum is the Internet checksum of b, whose length is even (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
