package wireguard

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	wgconn "golang.zx2c4.com/wireguard/conn"
)

// newBind returns the socket of a device: for all addresses that of the WireGuard
// library, which answers from the address that was asked; it cannot be bound to one.
func newBind(addr netip.Addr) wgconn.Bind {
	if addr.IsUnspecified() {
		return wgconn.NewDefaultBind()
	}
	return &bind{addr: addr}
}

// bind is a UDP socket on one address. It implements conn.Bind.
type bind struct {
	addr netip.Addr

	mu    sync.RWMutex
	conn  *net.UDPConn
	batch batcher

	segments atomic.Bool // the kernel cuts datagrams
}

// batcher is ipv4.PacketConn or ipv6.PacketConn; their messages are the same.
type batcher interface {
	ReadBatch([]ipv6.Message, int) (int, error)
	WriteBatch([]ipv6.Message, int) (int, error)
}

// socketBuffer is what the system is asked for; it gives what it allows.
const socketBuffer = 4 << 20

// BatchSize is the number of datagrams in one system call. Go's network packages
// have calls for several on Linux only.
func (*bind) BatchSize() int {
	if runtime.GOOS == "linux" {
		return wgconn.IdealBatchSize
	}
	return 1
}

func (b *bind) Open(port uint16) ([]wgconn.ReceiveFunc, uint16, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil {
		return nil, 0, wgconn.ErrBindAlreadyOpen
	}
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(b.addr, port)))
	if err != nil {
		return nil, 0, err
	}
	_ = c.SetReadBuffer(socketBuffer)
	_ = c.SetWriteBuffer(socketBuffer)
	b.conn, b.batch = c, ipv6.NewPacketConn(c)
	if b.addr.Unmap().Is4() {
		b.batch = ipv4.NewPacketConn(c)
	}
	b.segments.Store(canSegment(c))
	receive := b.receiver(c, b.batch)
	return []wgconn.ReceiveFunc{receive}, c.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
}

// receiver returns the function that one goroutine of the device calls.
func (b *bind) receiver(c *net.UDPConn, batch batcher) wgconn.ReceiveFunc {
	if b.BatchSize() == 1 {
		return func(packets [][]byte, sizes []int, eps []wgconn.Endpoint) (int, error) {
			n, from, err := c.ReadFromUDPAddrPort(packets[0])
			if err != nil {
				return 0, err
			}
			sizes[0], eps[0] = n, &wgconn.StdNetEndpoint{AddrPort: unmapped(from)}
			return 1, nil
		}
	}
	messages := make([]ipv6.Message, b.BatchSize())
	for i := range messages {
		messages[i].Buffers = make([][]byte, 1)
	}
	return func(packets [][]byte, sizes []int, eps []wgconn.Endpoint) (int, error) {
		for i := range packets {
			messages[i].Buffers[0] = packets[i]
		}
		n, err := batch.ReadBatch(messages[:len(packets)], 0)
		if err != nil {
			return 0, err
		}
		for i, m := range messages[:n] {
			sizes[i] = m.N
			eps[i] = &wgconn.StdNetEndpoint{AddrPort: unmapped(m.Addr.(*net.UDPAddr).AddrPort())}
		}
		return n, nil
	}
}

// messagePool holds the messages of send, which several goroutines call.
var messagePool = sync.Pool{New: func() any {
	m := make([]ipv6.Message, wgconn.IdealBatchSize)
	return &m
}}

func (b *bind) Send(bufs [][]byte, ep wgconn.Endpoint) error {
	b.mu.RLock()
	c, batch := b.conn, b.batch
	b.mu.RUnlock()
	if c == nil {
		return net.ErrClosed
	}
	to, ok := ep.(*wgconn.StdNetEndpoint)
	if !ok {
		return wgconn.ErrWrongEndpointType
	}
	if b.BatchSize() == 1 {
		for _, buf := range bufs {
			if _, err := c.WriteToUDPAddrPort(buf, to.AddrPort); err != nil {
				return err
			}
		}
		return nil
	}
	addr, segments := net.UDPAddrFromAddrPort(to.AddrPort), b.segments.Load()
	err := send(batch, bufs, addr, segments)
	if segments && cannotSegment(err) {
		b.segments.Store(false)
		err = send(batch, bufs, addr, false) // what had been sent is a repetition that the peer drops
	}
	return err
}

// maxSegments is how many datagrams the kernel makes of one send
// (UDP_MAX_SEGMENTS in linux/udp.h).
const maxSegments = 64

// send sends datagrams in as few messages and system calls as it can.
func send(batch batcher, bufs [][]byte, to net.Addr, segments bool) error {
	pooled := messagePool.Get().(*[]ipv6.Message)
	messages, n := *pooled, 0
	for rest := bufs; len(rest) > 0; n++ {
		count := 1
		if segments {
			count = alike(rest)
		}
		messages[n] = ipv6.Message{Buffers: rest[:count:count], Addr: to}
		if count > 1 {
			messages[n].OOB = segmentControl(len(rest[0]))
		}
		rest = rest[count:]
	}
	defer func() {
		clear(messages[:n])
		messagePool.Put(pooled)
	}()
	for left := messages[:n]; len(left) > 0; {
		sent, err := batch.WriteBatch(left, 0)
		if err != nil {
			return err
		}
		left = left[sent:]
	}
	return nil
}

// alike returns how many datagrams can be one send: all as long as the first, but
// for the last, which may be shorter.
func alike(bufs [][]byte) int {
	size, total := len(bufs[0]), len(bufs[0])
	for n := 1; n < min(len(bufs), maxSegments); n++ {
		total += len(bufs[n])
		if len(bufs[n]) > size || total > maxPayload {
			return n
		}
		if len(bufs[n]) < size {
			return n + 1
		}
	}
	return min(len(bufs), maxSegments)
}

func (b *bind) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn == nil {
		return nil
	}
	err := b.conn.Close()
	b.conn, b.batch = nil, nil
	return err
}

// SetMark is not offered: nothing here sets marks.
func (*bind) SetMark(mark uint32) error {
	if mark != 0 {
		return errors.ErrUnsupported
	}
	return nil
}

func (*bind) ParseEndpoint(s string) (wgconn.Endpoint, error) {
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return nil, err
	}
	return &wgconn.StdNetEndpoint{AddrPort: a}, nil
}

// unmapped is a with IPv4 as IPv4.
func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
