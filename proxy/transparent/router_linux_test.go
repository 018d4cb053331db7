package transparent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"constat/proxy/datagram"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The network of these tests: a phone, a router where the door is, and a server, each
// a network namespace.
//
//	phone p0 10.77.0.2 – 10.77.0.1 r0 router r1 10.78.0.1 – 10.78.0.2 s0 server
//	        fd77::2    – fd77::1             fd78::1     – fd78::2
const (
	phoneAddr, routerAddr, serverAddr    = "10.77.0.2", "10.77.0.1", "10.78.0.2"
	phoneAddr6, routerAddr6, serverAddr6 = "fd77::2", "fd77::1", "fd78::2"
	// far addresses are routed to the server, which does not have them.
	farAddr, farAddr6 = "203.0.113.9", "2001:db8::9"

	tcpPort, udpPort = 8081, 8082
)

// prefixEnv is set in the process that runs in the router's namespace.
const prefixEnv = "CONSTAT_TEST_NETNS"

// TestNamespaces makes the network and runs the tests of this file whose names start
// with TestRouter in the router's namespace.
func TestNamespaces(t *testing.T) {
	if os.Getenv(prefixEnv) != "" {
		t.Skip("is running")
	}
	const how = "run this test as root on Linux with nftables, iproute2 and a kernel with nf_tables and TPROXY (CONFIG_NFT_TPROXY)"
	if os.Geteuid() != 0 {
		t.Skip("not root: " + how)
	}
	for _, name := range []string{"ip", "nft", "curl", "dig"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s (apt-get install nftables iproute2 curl dnsutils): %s", name, how)
		}
	}
	prefix := fmt.Sprintf("constat%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", prefix+"r").CombinedOutput(); err != nil {
		t.Skipf("no network namespaces: %s: %s", out, how)
	}
	for _, end := range []string{"p", "r", "s"} {
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", prefix+end).Run() })
	}
	probe := exec.Command("ip", "netns", "exec", prefix+"r", "nft", "-f", "-")
	probe.Stdin = strings.NewReader("table inet probe { chain c { type filter hook prerouting priority mangle; meta l4proto tcp tproxy to :1; }; }\ndelete table inet probe\n")
	if out, err := probe.CombinedOutput(); bytes.Contains(out, []byte("syntax error")) {
		t.Fatalf("%s", out)
	} else if err != nil {
		t.Skipf("no nf_tables with TPROXY in this kernel: %s: %s", out, how)
	}
	commands(t, strings.NewReplacer("P", prefix+"p", "R", prefix+"r", "S", prefix+"s").Replace(`
ip netns add P
ip netns add S
ip -n R link add r0 type veth peer name p0 netns P
ip -n R link add r1 type veth peer name s0 netns S
ip -n P link set p0 addrgenmode none
ip -n R link set r0 addrgenmode none
ip -n R link set r1 addrgenmode none
ip -n S link set s0 addrgenmode none
ip -n P link set lo up
ip -n R link set lo up
ip -n S link set lo up
ip -n P addr add 10.77.0.2/24 dev p0
ip -n R addr add 10.77.0.1/24 dev r0
ip -n R addr add 10.78.0.1/24 dev r1
ip -n S addr add 10.78.0.2/24 dev s0
ip -n P addr add fd77::2/64 dev p0 nodad
ip -n R addr add fd77::1/64 dev r0 nodad
ip -n R addr add fd78::1/64 dev r1 nodad
ip -n S addr add fd78::2/64 dev s0 nodad
ip -n P link set p0 up
ip -n R link set r0 up
ip -n R link set r1 up
ip -n S link set s0 up
ip -n P route add default via 10.77.0.1
ip -n S route add default via 10.78.0.1
ip -n R route add default via 10.78.0.2
ip -n P -6 route add default via fd77::1
ip -n S -6 route add default via fd78::1
ip -n R -6 route add default via fd78::2
ip netns exec R sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=1`))
	args := []string{"netns", "exec", prefix + "r", os.Args[0], "-test.run=^TestRouter", "-test.timeout=200s"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	cmd := exec.Command("ip", args...)
	cmd.Env = append(os.Environ(), prefixEnv+"="+prefix)
	out, err := cmd.CombinedOutput()
	if err != nil || testing.Verbose() {
		t.Logf("in the router's namespace:\n%s", out)
	}
	if err != nil {
		t.Error(err)
	}
}

// commands runs one command for each line.
func commands(t *testing.T, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		if f := strings.Fields(line); len(f) > 0 {
			if out, err := exec.Command(f[0], f[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", line, err, out)
			}
		}
	}
}

// router skips the test that calls it outside of the router's namespace.
func router(t *testing.T) (prefix string) {
	t.Helper()
	prefix = os.Getenv(prefixEnv)
	if prefix == "" {
		t.Skip("TestNamespaces runs it")
	}
	return prefix
}

// in runs f in another namespace; sockets that f opens stay there.
func in(t *testing.T, end string, f func()) {
	t.Helper()
	done := make(chan error)
	go func() { // a thread of its own, which ends with the goroutine
		runtime.LockOSThread()
		ns, err := os.Open("/run/netns/" + os.Getenv(prefixEnv) + end)
		if err == nil {
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
			_ = ns.Close()
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// phone runs a command in the phone's namespace.
func phone(args ...string) (string, error) {
	cmd := exec.Command("ip", append([]string{"netns", "exec", os.Getenv(prefixEnv) + "p"}, args...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func curl(url string, args ...string) (string, error) {
	return phone(append([]string{"curl", "-sS", "--max-time", "10", "--noproxy", "*", url}, args...)...)
}

// divert writes a script and runs it with verb; the script is told by its path.
func divert(t *testing.T, s Setup) string {
	t.Helper()
	text, err := Script(s)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "divert.sh")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func sh(t *testing.T, want int, path, verb string) string {
	t.Helper()
	cmd := exec.Command("sh", path, verb)
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("%s ended with %d, want %d:\n%s", verb, got, want, out)
	}
	return string(out)
}

// diverting sets the firewall up for the length of a test.
func diverting(t *testing.T, s Setup) {
	t.Helper()
	path := divert(t, s)
	sh(t, 0, path, "up")
	t.Cleanup(func() { sh(t, 0, path, "down") })
}

// state is all of the firewall's and routing's rules but those that the kernel makes
// for addresses, some of which come late.
func state(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, line := range []string{
		"nft list ruleset", "ip -4 rule show", "ip -6 rule show",
		"ip -4 route show table all", "ip -6 route show table all",
	} {
		f := strings.Fields(line)
		out, err := exec.Command(f[0], f[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", line, err, out)
		}
		fmt.Fprintf(&all, "%s:\n", line)
		for l := range strings.Lines(string(out)) {
			if !strings.Contains(l, "proto kernel") {
				all.WriteString(l)
			}
		}
	}
	return all.String()
}

// handed is what a door gave out.
type handed struct {
	client, dest string
	failure      error
}

// door answers what comes by a Listener: "door" and the destination to every TCP
// connection, in HTTP, and datagrams with themselves; questions of the DNS with 192.0.2.53.
type door struct {
	ln   *Listener
	mu   sync.Mutex
	seen []handed
	wait sync.WaitGroup
}

func newDoor(t *testing.T, conf Config) *door {
	t.Helper()
	ln, err := Listen(t.Context(), conf)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{ln: ln}
	d.wait.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("Accept: %v", err)
				}
				return
			}
			d.wait.Go(func() { d.serve(c) })
		}
	})
	t.Cleanup(d.close)
	return d
}

func (d *door) close() {
	_ = d.ln.Close()
	d.wait.Wait()
}

func (d *door) serve(c net.Conn) {
	defer c.Close()
	h := handed{client: c.RemoteAddr().String(), dest: c.LocalAddr().String()}
	if f, ok := c.(interface{ Failure() error }); ok {
		h.failure = f.Failure()
	}
	d.mu.Lock()
	d.seen = append(d.seen, h)
	d.mu.Unlock()
	if h.failure != nil {
		return
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, ok := c.(*Conn); ok {
		buf := make([]byte, 4096)
		_, _ = c.Read(buf)
		body := "door " + h.dest
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
		return
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if string(buf[:n]) == "refuse" {
			_ = c.(*datagram.Flow).Refuse()
			return
		}
		_, _ = c.Write(answer(buf[:n]))
	}
}

// last returns the newest connection, once there are n.
func (d *door) last(t *testing.T, n int) handed {
	t.Helper()
	for range 500 {
		d.mu.Lock()
		if len(d.seen) >= n {
			defer d.mu.Unlock()
			return d.seen[len(d.seen)-1]
		}
		d.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no connection number %d came by the door", n)
	return handed{}
}

// count is how many connections came by the door.
func (d *door) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.seen)
}

// answer is b, or the answer to the question that it is.
func answer(b []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(b) != nil || len(m.Questions) != 1 {
		return b
	}
	m.Response, m.Additionals = true, nil
	m.Answers = []dnsmessage.Resource{{
		Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 60},
		Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 53}},
	}}
	packed, err := m.Pack()
	if err != nil {
		return b
	}
	return packed
}

// serving answers HTTP with text, in another namespace or in the router's ("r").
func serving(t *testing.T, end, address, text string) {
	t.Helper()
	in(t, end, func() {
		ln, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			fmt.Fprintf(w, "%s to %s", text, host)
		})}
		go s.Serve(ln)
		t.Cleanup(func() { _ = s.Close() })
	})
}

func all(port uint16) netip.AddrPort { return netip.AddrPortFrom(netip.IPv6Unspecified(), port) }

// bracketed is a host for a URL.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func TestRouterScript(t *testing.T) {
	router(t)
	commands(t, `nft add table inet others
nft add chain inet others prerouting
ip rule add pref 100 fwmark 1 lookup 100
ip route add local 192.0.2.0/24 dev lo table 100`)
	t.Cleanup(func() {
		commands(t, "nft delete table inet others\nip rule del pref 100\nip route flush table 100")
	})
	before := state(t)
	for _, s := range setups() {
		s.Interface = "r0"
		path := divert(t, s)
		sh(t, 3, path, "status")
		sh(t, 0, path, "up")
		sh(t, 0, path, "status")
		once := state(t)
		if once == before {
			t.Errorf("%+v: up changed nothing", s)
		}
		sh(t, 0, path, "up")
		if twice := state(t); twice != once {
			t.Errorf("%+v: after one up:\n%s\nafter two:\n%s", s, once, twice)
		}
		sh(t, 0, path, "down")
		if after := state(t); after != before {
			t.Errorf("%+v: before:\n%s\nafter down:\n%s", s, before, after)
		}
		sh(t, 3, path, "status")
		sh(t, 0, path, "down")
	}
}

// TestRouterScriptFails: an up that fails takes back what it did.
func TestRouterScriptFails(t *testing.T) {
	router(t)
	before := state(t)
	path := divert(t, Setup{Interface: "r9", TCPPort: tcpPort})
	if out := sh(t, 1, path, "up"); !strings.Contains(out, "no interface r9") {
		t.Errorf("up said %q", out)
	}
	if state(t) != before {
		t.Error("an up for an interface that is not there left something")
	}
	// A namespace without IPv6 takes the rules, and then not the routes for IPv6.
	name := os.Getenv(prefixEnv) + "x"
	commands(t, "ip netns add "+name)
	t.Cleanup(func() { commands(t, "ip netns del "+name) })
	inside := "ip netns exec " + name + " "
	commands(t, "ip -n "+name+" link add r0 type veth peer name p0\n"+inside+"sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1\n"+
		"ip -n "+name+" link set lo up")
	path = divert(t, Setup{Interface: "r0", TCPPort: tcpPort, IPv6: true})
	out, err := exec.Command("ip", "netns", "exec", name, "sh", path, "up").CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("Taking back")) {
		t.Errorf("up without IPv6: %v:\n%s", err, out)
	}
	for _, line := range []string{"nft list ruleset", "ip -4 route show table 49239", "ip -6 route show table 49239"} {
		left, _ := exec.Command("ip", strings.Fields("netns exec "+name+" "+line)...).CombinedOutput()
		if len(left) != 0 && !bytes.Contains(left, []byte("table does not exist")) {
			t.Errorf("%s: %s", line, left)
		}
	}
	rules, _ := exec.Command("ip", "-n", name, "rule", "show").CombinedOutput()
	if bytes.Contains(rules, []byte("49239")) {
		t.Errorf("left: %s", rules)
	}
}

// TestRouterTCP: both modes, both protocols.
func TestRouterTCP(t *testing.T) {
	router(t)
	serving(t, "s", net.JoinHostPort(serverAddr, "80"), "server")
	serving(t, "s", net.JoinHostPort(serverAddr6, "80"), "server")
	serving(t, "r", net.JoinHostPort(routerAddr, "9000"), "router")
	if got, err := curl("http://" + serverAddr); got != "server to "+phoneAddr || err != nil {
		t.Fatalf("before: %q, %v", got, err)
	}
	for _, mode := range []Mode{TProxy, Redirect} {
		t.Run(mode.String(), func(t *testing.T) {
			older := connect(t, serverAddr+":80")
			diverting(t, Setup{Interface: "r0", TCPPort: tcpPort, Mode: mode, IPv6: true})
			d := newDoor(t, Config{TCP: all(tcpPort), Mode: mode})
			n := 0
			fmt.Fprintf(older, "GET / HTTP/1.0\r\n\r\n")
			if b, err := io.ReadAll(older); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("a connection that was there before: %q, %v; want a reset", b, err)
			}
			for _, host := range []string{serverAddr, farAddr, serverAddr6, farAddr6} {
				for _, port := range []string{"80", "4430"} {
					dest := net.JoinHostPort(host, port)
					got, err := curl("http://" + dest)
					if want := "door " + dest; got != want || err != nil {
						t.Errorf("%q, %v; want %q", got, err, want)
					}
					n++
					if h := d.last(t, n); h.dest != dest || !strings.HasPrefix(h.client, bracketed(map[bool]string{true: phoneAddr6, false: phoneAddr}[strings.Contains(host, ":")])+":") {
						t.Errorf("the door told %+v", h)
					}
				}
			}
			if got, err := curl("http://" + routerAddr + ":9000"); got != "router to "+phoneAddr || err != nil {
				t.Errorf("a service of the router's own: %q, %v", got, err)
			}
			own, err := exec.Command("curl", "-sS", "--max-time", "10", "--noproxy", "*", "http://"+serverAddr).CombinedOutput()
			if string(own) != "server to 10.78.0.1" || err != nil {
				t.Errorf("the router's own traffic: %q, %v", own, err)
			}
			if d.count() != n {
				t.Errorf("%d connections came by the door, want %d", d.count(), n)
			}
			for _, host := range []string{routerAddr, routerAddr6} {
				_, _ = curl(fmt.Sprintf("http://%s:%d", bracketed(host), tcpPort))
				n++
				if h := d.last(t, n); h.failure != errLoop {
					t.Errorf("to the door itself: %+v", h)
				}
			}
			d.close()
			if got, err := curl("http://"+serverAddr, "--max-time", "2"); err == nil {
				t.Errorf("without the door the phone reached %q", got)
			}
		})
	}
	if got, err := curl("http://" + serverAddr); got != "server to "+phoneAddr || err != nil {
		t.Errorf("after: %q, %v", got, err)
	}
}

// connect is a connection of the phone's.
func connect(t *testing.T, address string) net.Conn {
	t.Helper()
	var c net.Conn
	in(t, "p", func() {
		var err error
		if c, err = net.Dial("tcp", address); err != nil {
			t.Error(err)
		}
	})
	if c == nil {
		t.FailNow()
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// TestRouterNoIPv6: without IPv6, the phone's IPv6 is refused at once instead of going past.
func TestRouterNoIPv6(t *testing.T) {
	router(t)
	serving(t, "s", net.JoinHostPort(serverAddr6, "80"), "server")
	diverting(t, Setup{Interface: "r0", TCPPort: tcpPort})
	got, err := curl("http://" + bracketed(serverAddr6))
	if err == nil || strings.Contains(got, "timed out") {
		t.Errorf("%q, %v; want that it is refused", got, err)
	}
}

// TestRouterNoUDP: without a port for UDP, QUIC is refused and the rest goes past.
func TestRouterNoUDP(t *testing.T) {
	router(t)
	var server *net.UDPConn
	in(t, "s", func() {
		var err error
		if server, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(serverAddr), Port: 999}); err != nil {
			t.Error(err)
		}
	})
	defer server.Close()
	diverting(t, Setup{Interface: "r0", TCPPort: tcpPort, IPv6: true})
	for _, to := range []string{farAddr + ":443", "[" + farAddr6 + "]:443", serverAddr + ":999"} {
		var c net.Conn
		in(t, "p", func() {
			var err error
			if c, err = net.Dial("udp", to); err != nil {
				t.Error(err)
			}
		})
		defer c.Close()
		_, _ = c.Write([]byte("x"))
		if strings.HasSuffix(to, ":443") {
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("QUIC to %s: %v", to, err)
			}
			continue
		}
		_ = server.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := server.Read(make([]byte, 10)); n != 1 || err != nil {
			t.Errorf("UDP to %s: %v", to, err)
		}
	}
}

// TestRouterNotDiverted: what the firewall does not divert has no destination.
func TestRouterNotDiverted(t *testing.T) {
	router(t)
	d := newDoor(t, Config{TCP: netip.AddrPortFrom(netip.MustParseAddr(routerAddr), tcpPort), Mode: Redirect})
	_, _ = curl(fmt.Sprintf("http://%s:%d", routerAddr, tcpPort))
	if h := d.last(t, 1); h.failure == nil {
		t.Errorf("%+v", h)
	}
}

// phoneSocket is a datagram socket of the phone's.
func phoneSocket(t *testing.T, address string) *net.UDPConn {
	t.Helper()
	var pc *net.UDPConn
	in(t, "p", func() {
		var err error
		if pc, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address))); err != nil {
			t.Error(err)
		}
	})
	if pc == nil {
		t.FailNow()
	}
	t.Cleanup(func() { _ = pc.Close() })
	return pc
}

// exchange sends text and returns the answer, and whom it is from.
func exchange(t *testing.T, pc *net.UDPConn, to, text string) (got, from string) {
	t.Helper()
	if _, err := pc.WriteToUDPAddrPort([]byte(text), netip.MustParseAddrPort(to)); err != nil {
		t.Fatal(err)
	}
	_ = pc.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 64<<10)
	n, addr, err := pc.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n]), addr.String()
}

func TestRouterUDP(t *testing.T) {
	router(t)
	for _, mode := range []Mode{TProxy, Redirect} { // of TCP; UDP is diverted alike
		t.Run(mode.String(), func(t *testing.T) {
			diverting(t, Setup{Interface: "r0", TCPPort: tcpPort, UDPPort: udpPort, Mode: mode, IPv6: true})
			// 0.0.0.0 stands for all addresses as well as :: does.
			zero := map[Mode]netip.Addr{TProxy: netip.IPv4Unspecified(), Redirect: netip.IPv6Unspecified()}[mode]
			d := newDoor(t, Config{TCP: netip.AddrPortFrom(zero, tcpPort), UDP: netip.AddrPortFrom(zero, udpPort), Mode: mode})
			n := 0
			for _, tt := range []struct{ from, far string }{{phoneAddr, farAddr}, {phoneAddr6, farAddr6}} {
				pc := phoneSocket(t, net.JoinHostPort(tt.from, "0"))
				for _, port := range []string{"123", "443"} {
					dest := net.JoinHostPort(tt.far, port)
					for _, text := range []string{"one", "two", strings.Repeat("x", 60000)} {
						got, from := exchange(t, pc, dest, text)
						if got != text || from != dest {
							t.Errorf("%d bytes back from %s, want %d from %s", len(got), from, len(text), dest)
						}
					}
					n++
					if h := d.last(t, n); h.dest != dest || h.client != pc.LocalAddr().String() {
						t.Errorf("the door told %+v; want %s from %v", h, dest, pc.LocalAddr())
					}
				}
				other := phoneSocket(t, net.JoinHostPort(tt.from, "0"))
				dest := net.JoinHostPort(tt.far, "123")
				if _, from := exchange(t, other, dest, "three"); from != dest {
					t.Errorf("an answer from %s, want %s", from, dest)
				}
				n++
				d.last(t, n)
			}
			if d.count() != n {
				t.Errorf("%d flows, want %d", d.count(), n)
			}
			stray := phoneSocket(t, phoneAddr+":0")
			for range 2 {
				if _, err := stray.WriteToUDPAddrPort([]byte("x"), netip.AddrPortFrom(netip.MustParseAddr(routerAddr), udpPort)); err != nil {
					t.Fatal(err)
				}
			}
			if h := d.last(t, n+1); h.failure != errLoop {
				t.Errorf("to the door itself: %+v", h)
			}
		})
	}
}

// TestRouterRefuse: a connected socket of the phone's learns that nobody is there.
func TestRouterRefuse(t *testing.T) {
	router(t)
	diverting(t, Setup{Interface: "r0", UDPPort: udpPort, IPv6: true})
	d := newDoor(t, Config{UDP: all(udpPort)})
	for i, far := range []string{farAddr, farAddr6} {
		var c net.Conn
		in(t, "p", func() {
			var err error
			if c, err = net.Dial("udp", net.JoinHostPort(far, "443")); err != nil {
				t.Error(err)
			}
		})
		for range 2 { // the second one finds the flow refused
			if _, err := c.Write([]byte("refuse")); err != nil {
				t.Fatal(err)
			}
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := c.Read(make([]byte, 10)); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: %v, want ECONNREFUSED", far, err)
			}
		}
		_ = c.Close()
		d.last(t, i+1)
	}
	if d.count() != 2 {
		t.Errorf("%d flows, want 2", d.count())
	}
}

// without runs f without some capabilities.
func without(t *testing.T, f func(), capabilities ...uint) {
	t.Helper()
	done := make(chan error)
	go func() { // a thread of its own, which ends with the goroutine
		runtime.LockOSThread()
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		err := unix.Capget(&head, &data[0])
		for _, c := range capabilities {
			data[c/32].Effective &^= 1 << (c % 32)
		}
		if err == nil {
			err = unix.Capset(&head, &data[0])
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestRouterPrivileges(t *testing.T) {
	router(t)
	diverting(t, Setup{Interface: "r0", UDPPort: udpPort})
	ln, err := Listen(t.Context(), Config{UDP: all(udpPort)})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	pc := phoneSocket(t, phoneAddr+":0")
	if _, err := pc.WriteToUDPAddrPort([]byte("x"), netip.MustParseAddrPort(farAddr+":443")); err != nil {
		t.Fatal(err)
	}
	f, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	without(t, func() {
		if err := f.(*datagram.Flow).Refuse(); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Refuse without CAP_NET_RAW: %v", err)
		}
	}, unix.CAP_NET_RAW)
	without(t, func() {
		if ln, err := Listen(context.Background(), Config{TCP: all(0)}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Listen without privilege: %v", err)
			_ = ln.Close()
		}
		ln, err := Listen(context.Background(), Config{TCP: all(0), Mode: Redirect})
		if err != nil {
			t.Errorf("Listen for REDIRECT without privilege: %v", err)
			return
		}
		_ = ln.Close()
	}, unix.CAP_NET_RAW, unix.CAP_NET_ADMIN)
}

// TestRouterDNS: questions to far servers and, by choice, to the router's own, whose
// datagrams from others nobody takes away meanwhile.
func TestRouterDNS(t *testing.T) {
	router(t)
	own, err := net.ListenPacket("udp4", routerAddr+":53") // lets nobody else bind the port
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	d := newDoor(t, Config{TCP: all(tcpPort), UDP: all(udpPort)})
	path := divert(t, Setup{Interface: "r0", TCPPort: tcpPort, UDPPort: udpPort, DNS: true, IPv6: true})
	sh(t, 0, path, "up")
	defer sh(t, 0, path, "down")
	for i, server := range []string{farAddr, routerAddr} {
		out, err := phone("dig", "@"+server, "+short", "+tries=1", "+time=8", "tracker.example", "A")
		if out != "192.0.2.53\n" || err != nil {
			t.Errorf("dig @%s: %q, %v", server, out, err)
		}
		if h := d.last(t, i+1); h.dest != server+":53" {
			t.Errorf("the door told %+v", h)
		}
	}
	// The flow to the router is open: its next datagram has to come by it, and one that
	// the server sends to the router's port has to reach the router's own socket.
	pc := phoneSocket(t, phoneAddr+":0")
	for _, text := range []string{"one", "two", "", strings.Repeat("x", 60001)} {
		if got, from := exchange(t, pc, routerAddr+":53", text); got != text || from != routerAddr+":53" {
			t.Errorf("%d bytes from %s, want %d", len(got), from, len(text))
		}
	}
	pc6 := phoneSocket(t, "["+phoneAddr6+"]:0")
	if got, from := exchange(t, pc6, "["+routerAddr6+"]:53", "six"); got != "six" || from != "["+routerAddr6+"]:53" {
		t.Errorf("%q from %s", got, from)
	}
	in(t, "s", func() {
		c, err := net.Dial("udp", routerAddr+":53")
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = c.Write([]byte("for the router"))
	})
	buf := make([]byte, 100)
	_ = own.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, _, err := own.ReadFrom(buf); string(buf[:n]) != "for the router" {
		t.Errorf("the router's own DNS server read %q, %v", buf[:n], err)
	}
	d.last(t, 4)
	if d.count() != 4 {
		t.Errorf("%d flows, want 4", d.count())
	}
}

// TestRouterClose: Close ends flows and leaves no goroutine, also with datagrams on
// their way.
func TestRouterClose(t *testing.T) {
	router(t)
	diverting(t, Setup{Interface: "r0", TCPPort: tcpPort, UDPPort: udpPort, DNS: true})
	ln, err := Listen(t.Context(), Config{TCP: all(tcpPort), UDP: all(udpPort)})
	if err != nil {
		t.Fatal(err)
	}
	pc := phoneSocket(t, phoneAddr+":0")
	var flows []net.Conn
	for _, dest := range []string{farAddr + ":443", routerAddr + ":53"} {
		if _, err := pc.WriteToUDPAddrPort([]byte("x"), netip.MustParseAddrPort(dest)); err != nil {
			t.Fatal(err)
		}
		f, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("y")); err != nil {
			t.Fatal(err)
		}
		flows = append(flows, f)
	}
	if _, err := pc.WriteToUDPAddrPort([]byte("nobody accepts it"), netip.MustParseAddrPort(farAddr+":444")); err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	for _, f := range flows {
		if b, err := io.ReadAll(f); string(b) != "x" || err != nil {
			t.Errorf("a flow after Close: %q, %v", b, err)
		}
		if _, err := f.Write(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write after Close: %v", err)
		}
		_ = f.Close()
	}
	if err := goleak.Find(); err != nil {
		t.Error(err)
	}
}
