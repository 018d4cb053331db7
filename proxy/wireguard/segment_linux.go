package wireguard

import (
	"encoding/binary"
	"errors"
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canSegment says whether the kernel cuts one large send into datagrams of equal
// size (udp(7), UDP_SEGMENT, since Linux 4.18), which saves most of their way
// through it.
func canSegment(c *net.UDPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	can := false
	_ = raw.Control(func(fd uintptr) {
		_, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT)
		can = err == nil
	})
	return can
}

// segmentControl is the control message that asks for datagrams of size bytes.
func segmentControl(size int) []byte {
	b := make([]byte, unix.CmsgSpace(2))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(b[unix.CmsgLen(0):], uint16(size))
	return b
}

// cannotSegment says whether a send failed because the network device does not
// compute checksums (udp_send_skb in net/ipv4/udp.c).
func cannotSegment(err error) bool { return errors.Is(err, unix.EIO) }
