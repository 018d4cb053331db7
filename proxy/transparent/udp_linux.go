package transparent

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"

	"constat/proxy/datagram"
)

// receiver takes the datagrams that the firewall diverts.
type receiver struct {
	l     *Listener
	pc    *net.UDPConn
	flows *datagram.Table[flowKey]
}

// flowKey is what the datagrams of one flow have in common.
type flowKey struct{ client, dest netip.AddrPort }

// receive opens the socket for diverted datagrams.
func receive(ctx context.Context, addr netip.AddrPort) (*receiver, error) {
	lc := net.ListenConfig{Control: control(receiveOptions)}
	pc, err := lc.ListenPacket(ctx, "udp", addr.String())
	if err != nil {
		return nil, err
	}
	return &receiver{pc: pc.(*net.UDPConn), flows: datagram.NewTable[flowKey](maxFlows)}, nil
}

func (r *receiver) addr() net.Addr { return r.pc.LocalAddr() }

func (r *receiver) close() error {
	err := r.pc.Close()
	r.flows.Close()
	return err
}

// serve reads the socket until it is closed.
func (r *receiver) serve() {
	own := r.addr().(*net.UDPAddr).AddrPort().Port()
	buf, oob := make([]byte, 64<<10), make([]byte, 256)
	for {
		n, oobn, _, from, err := r.pc.ReadMsgUDPAddrPort(buf, oob)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			if !r.l.pause() {
				return
			}
			continue
		}
		if dest, ok := parseDest(oob[:oobn]); ok {
			r.deliver(flowKey{client: unmapped(from), dest: dest}, buf[:n], own)
		}
	}
}

// parseDest finds in the control messages of a datagram where it was going (ip(7),
// IP_RECVORIGDSTADDR).
func parseDest(oob []byte) (dest netip.AddrPort, ok bool) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return netip.AddrPort{}, false
	}
	for _, m := range messages {
		v4 := m.Header.Level == unix.SOL_IP && m.Header.Type == unix.IP_ORIGDSTADDR
		v6 := m.Header.Level == unix.SOL_IPV6 && m.Header.Type == unix.IPV6_ORIGDSTADDR
		if v4 || v6 {
			dest, err := parseSockaddr(m.Data)
			return dest, err == nil && dest.Port() != 0
		}
	}
	return netip.AddrPort{}, false
}

// deliver gives a datagram to its flow.
func (r *receiver) deliver(key flowKey, b []byte, own uint16) {
	f := r.flows.Deliver(key, b, func() *datagram.Flow { return r.open(key, len(b)) })
	if f == nil {
		return
	}
	if key.dest.Port() == own && isOwn(key.dest.Addr()) {
		r.l.give(stray{f})
		_ = f.Refuse() // for the next ones, too
		return
	}
	r.l.give(f)
}

// stray is a flow to the receiver itself.
type stray struct{ *datagram.Flow }

// Failure says that the client was going nowhere.
func (stray) Failure() error { return errLoop }

// open makes the flow for key; size is that of its first datagram.
func (r *receiver) open(key flowKey, size int) *datagram.Flow {
	a := &answers{key: key}
	return &datagram.Flow{
		Client: net.UDPAddrFromAddrPort(key.client), Dest: net.UDPAddrFromAddrPort(key.dest),
		Host: key.dest.Addr().String(), Port: key.dest.Port(),
		Ways: datagram.Ways{
			Send: a.send, Closed: a.close,
			Unreachable: func() error { return unreachable(key.client, key.dest, size) },
		},
	}
}

// answers sends the answers of one flow, from its destination. The socket for it is
// opened with the first one.
type answers struct {
	key flowKey

	mu     sync.Mutex
	socket socket
	err    error
	closed bool
}

// socket sends datagrams to one client. After Close, send fails.
type socket interface {
	send([]byte) error
	Close() error
}

// send sends one datagram.
func (a *answers) send(b []byte) error {
	a.mu.Lock()
	if a.socket == nil && a.err == nil && !a.closed {
		a.socket, a.err = a.open()
	}
	s, err := a.socket, a.err
	a.mu.Unlock()
	switch {
	case err != nil:
		return err
	case s == nil:
		return net.ErrClosed
	}
	return s.send(b)
}

// close ends the socket.
func (a *answers) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.socket != nil {
		_ = a.socket.Close()
	}
}

// open opens the socket that answers come from. One that is bound to the destination
// gets no datagrams of the devices', which TPROXY gives to the receiver. But where the
// destination is an address of this computer, it would take what others send there,
// to this computer's DNS server, say, if it could be bound at all: answers are sent
// there without a port of their own.
func (a *answers) open() (socket, error) {
	if isOwn(a.key.dest.Addr()) {
		return openRaw(a.key)
	}
	network := "udp4"
	if a.key.dest.Addr().Is6() {
		network = "udp6"
	}
	lc := net.ListenConfig{Control: control(answerOptions)}
	pc, err := lc.ListenPacket(context.Background(), network, a.key.dest.String())
	if err != nil {
		return nil, err
	}
	return &bound{pc.(*net.UDPConn), a.key.client}, nil
}

// bound sends from a socket that is bound to the destination.
type bound struct {
	*net.UDPConn
	client netip.AddrPort
}

func (s *bound) send(b []byte) error {
	_, err := s.WriteToUDPAddrPort(b, s.client)
	return err
}
