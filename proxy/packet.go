package proxy

import (
	"net"
	"sync"
	"syscall"
)

// maxPacket is the largest datagram that there can be, in bytes.
const maxPacket = 64 << 10

var packetBuffers = sync.Pool{New: func() any { b := make([]byte, maxPacket); return &b }}

// ownPackets is what a connection of datagrams may have beside Read: ReadPacket
// returns the next one, which is the caller's.
type ownPackets interface{ ReadPacket() ([]byte, error) }

// packetReader returns a function, for one goroutine, that reads one datagram and calls
// use with it, which must not keep it. A client may have a thousand flows, most of which are silent: where
// it can be, room for a datagram is taken only once there is one.
func packetReader(src net.Conn) func(use func(p []byte)) error {
	if c, ok := src.(*conn); ok {
		if own, ok := c.Conn.(ownPackets); ok {
			return func(use func([]byte)) error {
				if len(c.pre) > 0 {
					p := c.pre[0]
					c.pre = c.pre[1:]
					use(p)
					return nil
				}
				p, err := own.ReadPacket()
				if err != nil {
					return err
				}
				c.up.Add(int64(len(p)))
				if p == nil {
					p = []byte{} // an empty one; nil is the end to a look
				}
				use(p)
				return nil
			}
		}
	}
	if s, ok := src.(*net.UDPConn); ok {
		if raw, err := s.SyscallConn(); err == nil && canReadSocket {
			return readyReader(raw)
		}
	}
	return func(use func([]byte)) error {
		buf := packetBuffers.Get().(*[]byte)
		defer packetBuffers.Put(buf)
		n, err := src.Read(*buf)
		if err != nil {
			return err
		}
		use((*buf)[:n])
		return nil
	}
}

// readyReader is packetReader for a socket of the system.
func readyReader(raw syscall.RawConn) func(use func(p []byte)) error {
	var buf *[]byte
	var n int
	var failed error
	attempt := func(fd uintptr) bool {
		buf = packetBuffers.Get().(*[]byte)
		n, failed = readSocket(fd, *buf)
		if !again(failed) {
			return true
		}
		packetBuffers.Put(buf)
		buf = nil
		return false // and wait
	}
	return func(use func([]byte)) error {
		err := raw.Read(attempt)
		if buf != nil {
			defer func() { packetBuffers.Put(buf); buf = nil }()
		}
		switch {
		case err != nil:
			return err
		case failed != nil:
			return failed
		}
		use((*buf)[:n])
		return nil
	}
}
