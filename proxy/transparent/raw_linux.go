package transparent

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

// rawSocket opens a socket for messages of protocol that come from src, whose head is
// left to the kernel. It needs CAP_NET_RAW, and returns EPERM without it.
func rawSocket(src netip.Addr, protocol int) (fd int, err error) {
	family := unix.AF_INET
	if src.Is6() {
		family = unix.AF_INET6
	}
	fd, err = unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return -1, err
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	// A copy of all that comes by the protocol would fill its buffer: a filter that
	// takes nothing (socket(7), SO_ATTACH_FILTER).
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0}
	if err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing}); err != nil {
		return -1, err
	}
	transparent := transparentOptions[0]
	if src.Is6() {
		transparent = transparentOptions[1]
	}
	if err = unix.SetsockoptInt(fd, transparent.level, transparent.name, 1); err != nil {
		return -1, err
	}
	return fd, unix.Bind(fd, sockaddr(src))
}

// raw sends datagrams to one client from a port that is not bound.
type raw struct {
	key flowKey
	mu  sync.Mutex
	fd  int // -1 when closed
}

// openRaw opens a socket for the answers of a flow.
func openRaw(key flowKey) (*raw, error) {
	fd, err := rawSocket(key.dest.Addr(), unix.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	return &raw{key: key, fd: fd}, nil
}

func (s *raw) send(b []byte) error {
	if len(b) > maxPayload {
		return unix.EMSGSIZE
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return net.ErrClosed
	}
	return unix.Sendto(s.fd, answerDatagram(s.key, b), unix.MSG_DONTWAIT, sockaddr(s.key.client.Addr()))
}

// Close closes the socket.
func (s *raw) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return net.ErrClosed
	}
	err := unix.Close(s.fd)
	s.fd = -1
	return err
}

// maxPayload is what a datagram of IPv4 can carry.
const maxPayload = 1<<16 - 1 - 20 - 8

// answerDatagram is a datagram with payload b from the destination of key to its client
// (RFC 768), with a checksum.
func answerDatagram(key flowKey, b []byte) []byte {
	var pseudo []byte
	pseudo = append(pseudo, key.dest.Addr().AsSlice()...)
	pseudo = append(pseudo, key.client.Addr().AsSlice()...)
	pseudo = append(pseudo, 0, unix.IPPROTO_UDP)
	pseudo = binary.BigEndian.AppendUint16(pseudo, length(8+len(b)))
	out := append(appendUDP(pseudo, key.dest, key.client, len(b)), b...)
	head := out[len(pseudo):]
	sum := checksum(out)
	if sum == 0 {
		sum = 0xffff // 0 stands for none
	}
	binary.BigEndian.PutUint16(head[6:], sum)
	return head
}

// unreachable tells client, in the name of dest, that nobody is at dest's port: ICMP
// type 3 code 3 (RFC 792), ICMPv6 type 1 code 4 (RFC 4443 section 3.1). size is that of
// the datagram that it answers.
func unreachable(client, dest netip.AddrPort, size int) error {
	protocol, message := unix.IPPROTO_ICMP, portUnreachable4
	if dest.Addr().Is6() {
		protocol, message = unix.IPPROTO_ICMPV6, portUnreachable6
	}
	fd, err := rawSocket(dest.Addr(), protocol)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, message(client, dest, size), unix.MSG_DONTWAIT, sockaddr(client.Addr()))
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

// checksum is the Internet checksum of b, to which a zero is added if its length is odd
// (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) > 0 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
