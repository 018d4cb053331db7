package wireguard

import (
	"os"
	"sync"

	"golang.zx2c4.com/wireguard/tun"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// link joins the WireGuard device and the network stack: to the one it is a TUN
// device, to the other a network interface. What the stack sends waits in a queue
// that blocks the sender when it is full: a packet that was dropped here would have
// to be found missing and sent again.
type link struct {
	mtu    int
	echo6  func(packet []byte) (taken bool)
	queue  chan *stack.PacketBuffer
	events chan tun.Event
	done   chan struct{}
	once   sync.Once

	mu         sync.RWMutex
	dispatcher stack.NetworkDispatcher
}

// linkQueue is the number of packets that wait to be encrypted.
const linkQueue = 512

// newLink returns a link. echo6 sees every IPv6 packet before the stack does, and
// says whether it is not to see it.
func newLink(mtu int, echo6 func(packet []byte) bool) *link {
	return &link{
		mtu:    mtu,
		echo6:  echo6,
		queue:  make(chan *stack.PacketBuffer, linkQueue),
		events: make(chan tun.Event),
		done:   make(chan struct{}),
	}
}

// device is the face of a link towards WireGuard; it implements tun.Device.
type device struct{ *link }

func (device) File() *os.File             { return nil }
func (device) Name() (string, error)      { return "constat", nil }
func (device) BatchSize() int             { return 1 } // that of the socket is taken
func (d device) MTU() (int, error)        { return d.mtu, nil }
func (d device) Events() <-chan tun.Event { return d.events }

// Close ends Read, and lets through whoever waits for room in the queue.
func (d device) Close() error {
	d.once.Do(func() {
		close(d.done)
		close(d.events)
	})
	return nil
}

// Read takes packets that the stack sent, as many as there are.
func (d device) Read(bufs [][]byte, sizes []int, offset int) (n int, err error) {
	select {
	case p := <-d.queue:
		sizes[0] = drain(p, bufs[0][offset:])
	case <-d.done:
		return 0, os.ErrClosed
	}
	for n = 1; n < len(bufs); n++ {
		select {
		case p := <-d.queue:
			sizes[n] = drain(p, bufs[n][offset:])
		default:
			return n, nil
		}
	}
	return n, nil
}

// drain copies a packet and gives it back.
func drain(p *stack.PacketBuffer, to []byte) (n int) {
	views, offset := p.AsViewList()
	for v := views.Front(); v != nil; v = v.Next() {
		b := v.AsSlice()
		if offset >= len(b) {
			offset -= len(b)
			continue
		}
		n += copy(to[n:], b[offset:])
		offset = 0
	}
	p.DecRef()
	return n
}

// Write hands packets of peers to the stack. The device has checked their source.
func (d device) Write(bufs [][]byte, offset int) (int, error) {
	d.mu.RLock()
	dispatcher := d.dispatcher
	d.mu.RUnlock()
	if dispatcher == nil {
		return 0, os.ErrClosed
	}
	for _, buf := range bufs {
		packet := buf[offset:]
		protocol := header.IPv4ProtocolNumber
		if len(packet) > 0 && packet[0]>>4 == 6 {
			if d.echo6(packet) {
				continue
			}
			protocol = header.IPv6ProtocolNumber
		}
		p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(packet)})
		dispatcher.DeliverNetworkPacket(protocol, p)
		p.DecRef()
	}
	return len(bufs), nil
}

// The rest of link is the face towards the stack; it implements
// stack.LinkEndpoint and stack.GSOEndpoint.

// WritePackets queues packets for Read.
func (l *link) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	for n, p := range list.AsSlice() {
		p = p.Clone()
		select {
		case l.queue <- p:
		case <-l.done:
			p.DecRef()
			return n, &tcpip.ErrClosedForSend{}
		}
	}
	return list.Len(), nil
}

func (l *link) Attach(d stack.NetworkDispatcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dispatcher = d
}

func (l *link) IsAttached() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.dispatcher != nil
}

// SupportedGSO lets TCP cut a large write into packets in one go.
func (*link) SupportedGSO() stack.SupportedGSO { return stack.GVisorGSOSupported }
func (*link) GSOMaxSize() uint32               { return 1 << 16 }

func (l *link) MTU() uint32                                { return uint32(l.mtu) }
func (*link) SetMTU(uint32)                                {}
func (*link) MaxHeaderLength() uint16                      { return 0 }
func (*link) LinkAddress() tcpip.LinkAddress               { return "" }
func (*link) SetLinkAddress(tcpip.LinkAddress)             {}
func (*link) Capabilities() stack.LinkEndpointCapabilities { return 0 }
func (*link) Wait()                                        {}
func (*link) Close()                                       {}
func (*link) SetOnCloseAction(func())                      {}
func (*link) ARPHardwareType() header.ARPHardwareType      { return header.ARPHardwareNone }
func (*link) AddHeader(*stack.PacketBuffer)                {}
func (*link) ParseHeader(*stack.PacketBuffer) bool         { return true }
