package wireguard

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

const (
	maxQueuedDatagrams = 256     // of one flow
	maxQueuedBytes     = 4 << 20 // of one peer

	udpIdle  = 5 * time.Minute // RFC 4787 section 4.3: two at least, five recommended
	echoIdle = time.Minute     // RFC 5508 section 3.2: REQ-2
)

// flowKey names a flow: ports are those of UDP; of an echo, the client's is its
// identifier and the other 0.
type flowKey struct {
	protocol       tcpip.TransportProtocolNumber
	client, server netip.AddrPort
}

// flow is the datagrams between two ports, or the echo requests and replies with one
// identifier: each Read returns one from the client, each Write sends one to it. A
// datagram that does not fit into Read's buffer is cut off; none is larger than 64
// KiB. A Write to an echo flow is an echo reply, of which type, code, identifier
// and checksum are set here.
type flow struct {
	l         *Listener
	who       *peer
	name, app string
	key       flowKey
	route     *stack.Route // from the server's address to the client
	quote     []byte       // begin of the first packet, for an error message

	reading deadline
	writing deadline
	ready   chan struct{} // holds a token when the queue has something
	done    chan struct{}

	mu     sync.Mutex
	queue  [][]byte
	ended  error // set when done is closed
	idle   *time.Timer
	active atomic.Int64 // time of the newest datagram, in nanoseconds since start
}

// start is what times of flows are measured from.
var start = time.Now()

// handleUDP takes a datagram. It is the stack's: reassembled, and about to be reused.
func (l *Listener) handleUDP(id stack.TransportEndpointID, p *stack.PacketBuffer) bool {
	h := header.UDP(p.TransportHeader().Slice())
	if len(h) < header.UDPMinimumSize {
		return true
	}
	ip := p.Network()
	sized, intact := header.UDPValid(h, p.Data().Checksum, uint16(p.Data().Size()), p.NetworkProtocolNumber,
		ip.SourceAddress(), ip.DestinationAddress(), false)
	if !sized || !intact {
		return true
	}
	key := flowKey{header.UDPProtocolNumber, addrPort(id.RemoteAddress, id.RemotePort), addrPort(id.LocalAddress, id.LocalPort)}
	payload := p.Data().AsRange().ToSlice()[:int(h.Length())-header.UDPMinimumSize]
	l.deliver(key, payload, func() []byte { return quotePacket(p) })
	return true
}

// deliver puts a datagram, which it keeps, into its flow, and makes the flow if
// there is none. It is called by one goroutine for each peer.
func (l *Listener) deliver(key flowKey, b []byte, quote func() []byte) {
	if nobody(key.server.Addr()) {
		return
	}
	l.mu.Lock()
	f := l.flows[key]
	l.mu.Unlock()
	if f == nil {
		if f = l.newFlow(key, quote()); f == nil {
			return
		}
		f.put(b)
		if !l.hand(f) {
			f.abort()
		}
		return
	}
	f.put(b)
}

// newFlow returns nil if the peer may have no more flows.
func (l *Listener) newFlow(key flowKey, quote []byte) *flow {
	p := l.admit(key.client.Addr())
	if p == nil {
		return nil
	}
	protocol := header.IPv4ProtocolNumber
	if key.client.Addr().Is6() {
		protocol = header.IPv6ProtocolNumber
	}
	route, err := l.stack.FindRoute(nic, stackAddr(key.server.Addr()), stackAddr(key.client.Addr()), protocol, false)
	if err != nil {
		l.turnAway(p)
		return nil
	}
	f := &flow{l: l, who: p, key: key, route: route, quote: quote, ready: make(chan struct{}, 1), done: make(chan struct{})}
	f.name, f.app = l.names(p)
	f.touch()
	f.mu.Lock() // an idle flow cannot end before it is kept
	defer f.mu.Unlock()
	if !l.keep(p, f) {
		route.Release()
		return nil
	}
	l.mu.Lock()
	l.flows[key] = f
	l.mu.Unlock()
	f.idle = time.AfterFunc(f.patience(), f.rest)
	return f
}

func (f *flow) patience() time.Duration {
	if f.key.protocol == header.UDPProtocolNumber {
		return udpIdle
	}
	return echoIdle
}

func (f *flow) touch() { f.active.Store(int64(time.Since(start))) }

// rest ends the flow if it has been idle.
func (f *flow) rest() {
	left := f.patience() - (time.Since(start) - time.Duration(f.active.Load()))
	if left <= 0 {
		f.end(io.EOF)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended == nil {
		f.idle.Reset(left)
	}
}

// put queues a datagram, or drops it if there are too many.
func (f *flow) put(b []byte) {
	f.touch()
	if !f.l.charge(f.who, len(b)) {
		return
	}
	f.mu.Lock()
	kept := f.ended == nil && len(f.queue) < maxQueuedDatagrams
	if kept {
		f.queue = append(f.queue, b)
	}
	f.mu.Unlock()
	if !kept {
		f.l.charge(f.who, -len(b))
		return
	}
	f.wake()
}

// charge counts n more bytes that wait; it returns false if that is too much.
func (l *Listener) charge(p *peer, n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n > 0 && p.queued+n > maxQueuedBytes {
		return false
	}
	p.queued += n
	return true
}

func (f *flow) Read(b []byte) (int, error) {
	datagram, err := f.ReadPacket()
	return copy(b, datagram), err
}

// ReadPacket is Read without a buffer: the datagram is the caller's.
func (f *flow) ReadPacket() ([]byte, error) {
	passed := f.reading.passed()
	for {
		if isClosed(passed) {
			return nil, f.error("read", os.ErrDeadlineExceeded)
		}
		datagram, ok, err := f.take()
		if err != nil {
			return nil, err
		}
		if ok {
			f.l.charge(f.who, -len(datagram))
			return datagram, nil
		}
		select {
		case <-f.ready:
		case <-passed:
		case <-f.done:
		}
	}
}

// take takes the oldest datagram out of the queue, if there is one.
func (f *flow) take() (datagram []byte, ok bool, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended == io.EOF {
		return nil, false, io.EOF
	}
	if f.ended != nil {
		return nil, false, f.error("read", f.ended)
	}
	if len(f.queue) == 0 {
		return nil, false, nil
	}
	datagram = f.queue[0]
	f.queue[0] = nil
	if f.queue = f.queue[1:]; len(f.queue) == 0 {
		f.queue = nil // an idle flow keeps no room
	} else {
		f.wake() // the token may have stood for several
	}
	return datagram, true, nil
}

func (f *flow) wake() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

func (f *flow) Write(b []byte) (int, error) {
	switch {
	case isClosed(f.done):
		return 0, f.error("write", net.ErrClosed)
	case isClosed(f.writing.passed()):
		return 0, f.error("write", os.ErrDeadlineExceeded)
	}
	var err error
	if f.key.protocol == header.UDPProtocolNumber {
		err = f.writeUDP(b)
	} else {
		err = f.writeEcho(b)
	}
	if err != nil {
		return 0, f.error("write", err)
	}
	f.touch()
	return len(b), nil
}

// maxPayload is what fits into a datagram of UDP over IPv4.
const maxPayload = 65535 - header.IPv4MinimumSize - header.UDPMinimumSize

func (f *flow) writeUDP(b []byte) error {
	if len(b) > maxPayload {
		return syscall.EMSGSIZE
	}
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{
		ReserveHeaderBytes: header.UDPMinimumSize + int(f.route.MaxHeaderLength()),
		Payload:            buffer.MakeWithData(b),
	})
	defer p.DecRef()
	size := uint16(header.UDPMinimumSize + len(b))
	h := header.UDP(p.TransportHeader().Push(header.UDPMinimumSize))
	p.TransportProtocolNumber = header.UDPProtocolNumber
	h.Encode(&header.UDPFields{SrcPort: f.key.server.Port(), DstPort: f.key.client.Port(), Length: size})
	sum := f.route.PseudoHeaderChecksum(header.UDPProtocolNumber, size)
	sum = ^h.CalculateChecksum(checksum.Combine(sum, p.Data().Checksum()))
	if sum == 0 {
		sum = 0xffff // RFC 768: zero says that there is none
	}
	h.SetChecksum(sum)
	return f.send(p)
}

// send sends a packet that has its transport header.
func (f *flow) send(p *stack.PacketBuffer) error {
	err := f.route.WritePacket(stack.NetworkHeaderParams{Protocol: p.TransportProtocolNumber, TTL: f.route.DefaultTTL()}, p)
	if err != nil {
		return stackError(err)
	}
	return nil
}

// Close ends the flow. The client is not told: its next datagram begins another.
func (f *flow) Close() error {
	f.end(net.ErrClosed)
	return nil
}

func (f *flow) abort() { f.end(net.ErrClosed) }

// Refuse tells the client that nobody is there, and closes the flow. The message
// is "port unreachable", or "host unreachable" for an echo request (RFC 792; RFC
// 4443 section 3.1).
func (f *flow) Refuse() error {
	if isClosed(f.done) {
		return f.error("refuse", net.ErrClosed)
	}
	err := f.sendUnreachable()
	f.end(net.ErrClosed)
	if err != nil {
		return f.error("refuse", err)
	}
	return nil
}

func (f *flow) end(why error) {
	f.mu.Lock()
	if f.ended != nil {
		f.mu.Unlock()
		return
	}
	f.ended = why
	f.idle.Stop()
	left := 0
	for _, b := range f.queue {
		left += len(b)
	}
	f.queue = nil
	f.mu.Unlock()
	close(f.done)
	f.SetDeadline(time.Time{}) // stops the timers
	f.l.charge(f.who, -left)
	f.l.mu.Lock()
	delete(f.l.flows, f.key)
	f.l.mu.Unlock()
	f.route.Release()
	f.l.dismiss(f.who, f)
}

func (f *flow) SetReadDeadline(t time.Time) error {
	f.reading.set(t)
	return nil
}

func (f *flow) SetWriteDeadline(t time.Time) error {
	f.writing.set(t)
	return nil
}

func (f *flow) SetDeadline(t time.Time) error {
	f.reading.set(t)
	f.writing.set(t)
	return nil
}

func (f *flow) LocalAddr() net.Addr  { return f.addr(f.key.server) }
func (f *flow) RemoteAddr() net.Addr { return f.addr(f.key.client) }

func (f *flow) addr(a netip.AddrPort) net.Addr {
	if f.key.protocol == header.UDPProtocolNumber {
		return net.UDPAddrFromAddrPort(a)
	}
	return &net.IPAddr{IP: a.Addr().AsSlice()}
}

// User is the name of the peer.
func (f *flow) User() string { return f.name }

// App is the app of the peer, if it is one app's.
func (f *flow) App() string { return f.app }

func (f *flow) client() netip.Addr { return f.key.client.Addr() }

func (f *flow) error(op string, err error) error {
	return &net.OpError{Op: op, Net: f.LocalAddr().Network(), Source: f.LocalAddr(), Addr: f.RemoteAddr(), Err: err}
}
