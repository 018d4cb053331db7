//go:build linux

package wireguard_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"constat/proxy/wireguard"
	"constat/proxy/wireguard/wgtest"
)

// TestPrograms runs curl, ping and dig behind a kernel TUN device that is set up from
// the printed configuration. This end of the tunnel plays all of the internet.
func TestPrograms(t *testing.T) {
	subnet := wireguard.NewSubnet()
	server, key, shared := wireguard.NewPrivateKey(), wireguard.NewPrivateKey(), wireguard.NewPresharedKey()
	own, _ := subnet.Own()
	addrs, err := subnet.Peer(1)
	if err != nil {
		t.Fatal(err)
	}
	l, err := wireguard.Listen(wireguard.Config{
		PrivateKey: server,
		Listen:     netip.MustParseAddrPort("0.0.0.0:0"),
		Peers:      []wireguard.Peer{{Name: "phone", PublicKey: key.Public(), PresharedKey: shared, Addresses: addrs}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t}
	var serving sync.WaitGroup
	serving.Go(func() { w.serve(l) })
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
		l.Wait()
	})
	text, err := wireguard.ClientConfig{
		PrivateKey: key, Addresses: addrs, DNS: own, ServerKey: server.Public(), PresharedKey: shared,
		Endpoint: fmt.Sprintf("127.0.0.1:%d", l.Addr().(*net.UDPAddr).Port),
	}.Text()
	if err != nil {
		t.Fatal(err)
	}
	phone := wgtest.NewPhone(t, text)

	for _, test := range []struct{ command, want string }{
		{"curl -sS --max-time 20 http://192.0.2.7/four", "phone asked 192.0.2.7:80 for /four"},
		{"curl -sS --max-time 20 -g http://[2001:db8::7]:8080/six", "phone asked [2001:db8::7]:8080 for /six"},
		{"curl -sS --max-time 20 http://www.example.org/name", "phone asked 192.0.2.80:80 for /name"},
		{"dig +short +tries=1 +time=10 www.example.org", "192.0.2.80"},
		{"dig +short +tries=1 +time=10 @192.0.2.53 www.example.org", "192.0.2.80"},
		{"dig +short +tries=1 +time=10 @2001:db8::53 www.example.org", "192.0.2.80"},
		{"dig +tries=1 +time=10 -p 443 @192.0.2.7 www.example.org", "connection refused"},
		{"dig +tries=1 +time=10 -p 443 @2001:db8::7 www.example.org", "connection refused"},
		{"ping -n -c 2 -i 0.2 -W 10 192.0.2.7", "2 received"},
		{"ping -n -c 2 -i 0.2 -W 10 2001:db8::7", "2 received"},
		{"ping -n -c 1 -W 10 -s 5000 192.0.2.7", "1 received"},
	} {
		t.Run(test.command, func(t *testing.T) {
			args := strings.Fields(test.command)
			if _, err := exec.LookPath(args[0]); err != nil {
				t.Skipf("there is no program %s: install it (Debian: curl, bind9-dnsutils, iputils-ping)", args[0])
			}
			out, err := phone.Command(args[0], args[1:]...).CombinedOutput()
			if !strings.Contains(string(out), test.want) {
				t.Errorf("%v, %s\nwant %q", err, out, test.want)
			}
		})
	}
}

// world answers whatever comes out of a tunnel.
type world struct{ t *testing.T }

func (w *world) serve(l net.Listener) {
	var wait sync.WaitGroup
	defer wait.Wait()
	var open []net.Conn
	for {
		c, err := l.Accept()
		if err != nil {
			for _, c := range open {
				_ = c.Close()
			}
			return
		}
		open = append(open, c)
		wait.Go(func() {
			defer c.Close()
			switch a := c.LocalAddr().(type) {
			case *net.TCPAddr:
				w.web(c)
			case *net.UDPAddr:
				w.datagram(c, a)
			case *net.IPAddr:
				w.echo(c)
			}
		})
	}
}

func (w *world) web(c net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		w.t.Error(err)
		return
	}
	body := fmt.Sprintf("%s asked %s for %s", c.(interface{ User() string }).User(), c.LocalAddr(), r.URL)
	_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// datagram answers one question on port 53, and refuses all others.
func (w *world) datagram(c net.Conn, to *net.UDPAddr) {
	if to.Port != 53 {
		if err := c.(interface{ Refuse() error }).Refuse(); err != nil {
			w.t.Error(err)
		}
		return
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(buf[:n]); err != nil || len(m.Questions) != 1 {
			w.t.Errorf("a question of DNS: %v", err)
			return
		}
		m.Response, m.Additionals = true, nil
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60},
				Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 80}},
			}}
		}
		answer, err := m.Pack()
		if err != nil {
			w.t.Error(err)
			return
		}
		_, _ = c.Write(answer)
	}
}

func (w *world) echo(c net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		_, _ = c.Write(buf[:n])
	}
}
