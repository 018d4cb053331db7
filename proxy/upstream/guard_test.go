package upstream

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"constat/proxy/flow"
)

func TestGuard(t *testing.T) {
	own := func() []netip.AddrPort {
		return []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:8080"), netip.MustParseAddrPort("127.0.0.1:8081")}
	}
	guard := Guard(own, netip.MustParsePrefix("192.168.7.0/24"))
	for line := range strings.Lines(`
		93.184.215.14:443                    client yes  loopback yes
		[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:443  client yes  loopback yes
		127.0.0.1:80                         client no   loopback yes
		127.8.9.1:80                         client no   loopback yes
		127.0.0.1:8080                       client no   loopback no
		127.0.0.1:8081                       client no   loopback no
		127.1.2.3:8081                       client no   loopback no
		[::1]:8081                           client no   loopback no
		[::]:8080                            client no   loopback no
		0.0.0.0:8080                         client no   loopback no
		[::ffff:127.0.0.1]:8080              client no   loopback no
		[64:ff9b::7f00:1]:8080               client no   loopback no
		[2002:7f00:1::]:8080                 client no   loopback no
		[::127.0.0.1]:8080                   client no   loopback no
		127.0.0.1:8082                       client no   loopback yes
		93.184.215.14:8080                   client yes  loopback yes
		[::1]:80                             client no   loopback yes
		0.0.0.0:80                           client no   loopback yes
		0.1.2.3:80                           client no   loopback yes
		[::]:80                              client no   loopback yes
		169.254.169.254:80                   client no   loopback yes
		[fd00:ec2::254]:80                   client no   loopback yes
		[fd20:ce::254]:80                    client no   loopback yes
		100.100.100.200:80                   client no   loopback yes
		168.63.129.16:80                     client no   loopback yes
		[fe80::1%eth0]:80                    client no   loopback yes
		224.0.0.251:5353                     client no   loopback yes
		[ff02::fb]:5353                      client no   loopback yes
		255.255.255.255:80                   client no   loopback yes
		10.0.0.1:80                          client no   loopback yes
		172.31.255.255:80                    client no   loopback yes
		172.32.0.1:80                        client yes  loopback yes
		192.168.1.1:80                       client no   loopback yes
		192.168.7.1:80                       client yes  loopback yes
		100.64.0.1:80                        client no   loopback yes
		[fc00::1]:80                         client no   loopback yes
		[::ffff:10.0.0.1]:80                 client no   loopback yes
		[::ffff:192.168.7.1]:80              client yes  loopback yes
		[64:ff9b::a00:1]:80                  client no   loopback yes
		[64:ff9b::5db8:d70e]:80              client yes  loopback yes
		[64:ff9b:1::a9fe:a9fe]:80            client no   loopback yes
		[2002:c0a8:101::1]:80                client no   loopback yes
		[2001:0:a00:1::1]:80                 client no   loopback yes
		[2001:0:5db8:d70e::f5ff:fffe]:80     client no   loopback yes
	`) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		server := netip.MustParseAddrPort(f[0])
		for _, c := range []struct{ client, want string }{
			{"192.0.2.1", f[2]}, {"2001:db8::1", f[2]}, {"", f[2]}, {"127.0.0.1", f[4]}, {"::ffff:127.0.0.1", f[4]}, {"::1", f[4]},
		} {
			client, _ := netip.ParseAddr(c.client) // the zero value for none
			if err := guard(client, server); (err == nil) != (c.want == "yes") {
				t.Errorf("%v for client %q: %v", server, c.client, err)
			}
		}
	}
}

// TestGuardOwnAddresses checks that a listener is known by every address of this
// machine.
func TestGuardOwnAddresses(t *testing.T) {
	guard := Guard(func() []netip.AddrPort { return []netip.AddrPort{netip.MustParseAddrPort("[::]:8080")} })
	addrs, err := net.InterfaceAddrs()
	if err != nil || len(addrs) == 0 {
		t.Fatal(addrs, err)
	}
	for _, a := range addrs {
		ip := netip.MustParsePrefix(a.String()).Addr()
		if guard(loopback, netip.AddrPortFrom(ip, 8080)) == nil {
			t.Errorf("%v is not refused", ip)
		}
	}
}

// TestGuardThisMachine: what a client on the network may not reach is this
// machine by any of its addresses, unless that very address is permitted.
func TestGuardThisMachine(t *testing.T) {
	addrs, err := net.InterfaceAddrs()
	if err != nil || len(addrs) == 0 {
		t.Fatal(addrs, err)
	}
	client := netip.MustParseAddr("192.0.2.1")
	for _, a := range addrs {
		p := netip.MustParsePrefix(a.String())
		if p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() {
			continue // never, see TestGuard
		}
		to := netip.AddrPortFrom(p.Addr(), 80)
		if Guard(nil)(client, to) == nil || Guard(nil, p.Masked())(client, to) == nil {
			t.Errorf("%v is not refused", to)
		}
		if err := Guard(nil, netip.PrefixFrom(p.Addr(), p.Addr().BitLen()))(client, to); err != nil {
			t.Errorf("%v is permitted and refused: %v", to, err)
		}
		if err := Guard(nil)(netip.MustParseAddr("127.0.0.1"), to); err != nil {
			t.Errorf("%v for a client on this machine: %v", to, err)
		}
	}
}

// TestRebinding asks for a name whose answer changes from a good address to
// loopback: it is the address dialled that counts.
func TestRebinding(t *testing.T) {
	asked := make(chan struct{}, 1)
	addr := served(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	names := &nameServer{answers: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("127.0.0.1")}}
	names.use(t)
	guard := Guard(nil)
	var seen []netip.Addr
	conf := Config{Allow: func(client netip.Addr, server netip.AddrPort) error {
		seen = append(seen, server.Addr())
		if err := guard(client, server); err != nil {
			return err
		}
		return net.UnknownNetworkError("no dials in this test")
	}}
	tr := open(t, conf)
	client := netip.MustParseAddr("192.0.2.99")
	for range 2 {
		if _, err := tr.Do(request(t, "GET", "rebind.test:"+port, "/"), &Call{Client: client}); word(err) != flow.ErrRefused {
			t.Errorf("got %v", err)
		}
	}
	if len(seen) != 2 || seen[0] == seen[1] || len(asked) > 0 {
		t.Errorf("dialled %v", seen)
	}
}

// nameServer answers each A question with the next of its answers.
type nameServer struct {
	mu      sync.Mutex
	answers []netip.Addr
}

// use makes n the name server of this process for the test.
func (n *nameServer) use(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			size, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			pc.WriteTo(n.answer(buf[:size]), from)
		}
	}()
	old := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = old; pc.Close(); <-done })
}

func (n *nameServer) answer(question []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.Additionals = true, nil
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		n.mu.Lock()
		a := n.answers[0]
		n.answers = n.answers[1:]
		n.mu.Unlock()
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body:   &dnsmessage.AResource{A: a.As4()},
		}}
	}
	b, _ := m.Pack()
	return b
}
