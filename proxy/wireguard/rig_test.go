package wireguard

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	wgconn "golang.zx2c4.com/wireguard/conn"
	wg "golang.zx2c4.com/wireguard/device"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// testNet is the range of all tests.
var testNet = Subnet{IPv4: netip.MustParsePrefix("10.77.0.0/16"), IPv6: netip.MustParsePrefix("fd12:3456:789a::/64")}

// rig is a Listener and what its phones need to reach it.
type rig struct {
	t    testing.TB
	conf Config
	*Listener
	keys   map[int]Secret
	phones []*phone
}

// newRig listens on loopback for phones 1 to n.
func newRig(t testing.TB, n int, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, keys: map[int]Secret{}}
	r.conf = Config{PrivateKey: NewPrivateKey(), Listen: netip.MustParseAddrPort("127.0.0.1:0"), Log: func(line string) { t.Log(line) }}
	for i := 1; i <= n; i++ {
		r.keys[i] = NewPrivateKey()
		r.conf.Peers = append(r.conf.Peers, r.peer(i))
	}
	for _, f := range change {
		f(&r.conf)
	}
	r.listen()
	t.Cleanup(r.end)
	return r
}

// end ends the listener, which waits for what its phones have not read, and then the
// phones.
func (r *rig) end() {
	_ = r.Listener.Close()
	select {
	case <-r.ended:
	case <-time.After(20 * time.Second):
		r.t.Error("the listener did not end: a connection is open")
	}
	for _, p := range r.phones {
		p.end()
	}
}

func (r *rig) listen() {
	r.t.Helper()
	l, err := Listen(r.conf)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Listener = l
	r.conf.Listen = netip.AddrPortFrom(r.conf.Listen.Addr(), uint16(l.Addr().(*net.UDPAddr).Port))
}

func (r *rig) peer(n int) Peer {
	addrs, err := testNet.Peer(n)
	if err != nil {
		r.t.Fatal(err)
	}
	return Peer{Name: fmt.Sprintf("phone %d", n), PublicKey: r.keys[n].Public(), Addresses: addrs, App: fmt.Sprintf("org.example.app%d", n)}
}

// next accepts a connection.
func (r *rig) next() net.Conn {
	r.t.Helper()
	c, err := r.Accept()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// phone is a WireGuard device with a network stack behind it.
type phone struct {
	t      testing.TB
	stack  *stack.Stack
	device *wg.Device
	link   *link
	addrs  []netip.Addr
}

// phone starts phone n of the rig.
func (r *rig) phone(n int) *phone {
	r.t.Helper()
	addrs, err := testNet.Peer(n)
	if err != nil {
		r.t.Fatal(err)
	}
	to := r.conf.Listen
	if to.Addr().IsUnspecified() {
		to = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), to.Port())
	}
	return r.newPhone(r.keys[n], to, addrs)
}

// newPhone starts a phone that says to be at addrs.
func (r *rig) newPhone(key Secret, to netip.AddrPort, addrs []netip.Addr) *phone {
	t, server := r.t, r.conf.PrivateKey.Public()
	t.Helper()
	p := &phone{t: t, addrs: addrs, link: newLink(MinMTU, func([]byte) bool { return false })}
	p.stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
	})
	sack := tcpip.TCPSACKEnabled(true)
	check(t, p.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &sack))
	check(t, p.stack.CreateNIC(nic, p.link))
	for _, a := range addrs {
		protocol := ipv4.ProtocolNumber
		if a.Is6() {
			protocol = ipv6.ProtocolNumber
		}
		check(t, p.stack.AddProtocolAddress(nic, tcpip.ProtocolAddress{
			Protocol: protocol, AddressWithPrefix: stackAddr(a).WithPrefix(),
		}, stack.AddressProperties{}))
	}
	p.stack.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, NIC: nic},
		{Destination: header.IPv6EmptySubnet, NIC: nic},
	})
	p.device = wg.NewDevice(device{p.link}, wgconn.NewDefaultBind(), &wg.Logger{Verbosef: wg.DiscardLogf, Errorf: wg.DiscardLogf})
	err := p.device.IpcSet(fmt.Sprintf("private_key=%s\npublic_key=%s\nendpoint=%s\nallowed_ip=0.0.0.0/0\nallowed_ip=::/0\n",
		key.hex(), server.hex(), to))
	if err == nil {
		err = p.device.Up()
	}
	if err != nil {
		t.Fatal(err)
	}
	r.phones = append(r.phones, p)
	return p
}

func (p *phone) end() {
	p.device.Close()
	p.stack.Close()
	p.stack.Wait()
}

func check(t testing.TB, err tcpip.Error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func protocolOf(a netip.Addr) tcpip.NetworkProtocolNumber {
	if a.Is4() {
		return ipv4.ProtocolNumber
	}
	return ipv6.ProtocolNumber
}

func full(a netip.AddrPort) tcpip.FullAddress {
	return tcpip.FullAddress{NIC: nic, Addr: stackAddr(a.Addr()), Port: a.Port()}
}

func (p *phone) dial(to string) *gonet.TCPConn {
	p.t.Helper()
	c, err := p.tryDial(to)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (p *phone) tryDial(to string) (*gonet.TCPConn, error) {
	return p.dialWithin(to, 30*time.Second)
}

func (p *phone) dialWithin(to string, limit time.Duration) (*gonet.TCPConn, error) {
	a := netip.MustParseAddrPort(to)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return gonet.DialContextTCP(ctx, p.stack, full(a), protocolOf(a.Addr()))
}

func (p *phone) udp(to string) *gonet.UDPConn {
	p.t.Helper()
	a := netip.MustParseAddrPort(to)
	remote := full(a)
	c, err := gonet.DialUDP(p.stack, nil, &remote, protocolOf(a.Addr()))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	return c
}

// echo opens a socket for echo requests.
func (p *phone) echo(to string) *gonet.UDPConn {
	p.t.Helper()
	a := netip.MustParseAddr(to)
	transport := icmp.ProtocolNumber4
	if a.Is6() {
		transport = icmp.ProtocolNumber6
	}
	queue := new(waiter.Queue)
	ep, err := p.stack.NewEndpoint(transport, protocolOf(a), queue)
	check(p.t, err)
	check(p.t, ep.Connect(full(netip.AddrPortFrom(a, 0))))
	c := gonet.NewUDPConn(queue, ep)
	p.t.Cleanup(func() { _ = c.Close() })
	return c
}

// request is an echo request; the stack sets identifier and checksum.
func request(to string, sequence byte, payload string) []byte {
	kind := byte(header.ICMPv4Echo)
	if strings.Contains(to, ":") {
		kind = byte(header.ICMPv6EchoRequest)
	}
	return append([]byte{kind, 0, 0, 0, 0, 0, 0, sequence}, payload...)
}
