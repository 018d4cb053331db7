package socks5

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/proxy"

	"constat/proxy/datagram"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// seen is what the door told of a connection.
type seen struct {
	network, dest, host, user, app, failure string
}

// relay passes on what comes by a door, as the simplest of proxies.
type relay struct {
	t  *testing.T
	ln *Listener

	mu    sync.Mutex
	seen  []seen
	hosts map[string]string // names that the relay knows
	wait  sync.WaitGroup
}

func newRelay(t *testing.T, address string, conf Config) *relay {
	t.Helper()
	inner, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, ln: Listen(inner, conf), hosts: map[string]string{"server.test": "127.0.0.1"}}
	r.wait.Go(func() {
		for {
			c, err := r.ln.Accept()
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("Accept: %v", err)
				}
				return
			}
			r.wait.Go(func() { r.serve(c) })
		}
	})
	t.Cleanup(func() {
		if err := r.ln.Close(); err != nil {
			t.Error(err)
		}
		r.wait.Wait()
	})
	return r
}

func (r *relay) serve(c net.Conn) {
	defer c.Close()
	d := c.(interface {
		Destination() (string, uint16)
		User() string
		App() string
	})
	host, port := d.Destination()
	s := seen{
		network: c.LocalAddr().Network(), dest: c.LocalAddr().String(), host: fmt.Sprint(host, " ", port), user: d.User(), app: d.App(),
	}
	if f, ok := c.(interface{ Failure() error }); ok && f.Failure() != nil {
		s = seen{failure: f.Failure().Error(), user: d.User()}
	}
	r.mu.Lock()
	r.seen = append(r.seen, s)
	r.mu.Unlock()
	if s.failure != "" {
		return
	}
	if known := r.hosts[host]; known != "" {
		host = known
	}
	server, err := net.Dial(s.network, net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		r.t.Errorf("relay: %v", err)
		return
	}
	r.wait.Go(func() {
		_, _ = io.CopyBuffer(onlyWriter{c}, server, make([]byte, 64<<10))
		_ = c.Close()
	})
	_, _ = io.CopyBuffer(onlyWriter{server}, c, make([]byte, 64<<10))
	if w, ok := server.(*net.TCPConn); ok {
		_ = w.CloseWrite()
		return
	}
	_ = server.Close()
}

type onlyWriter struct{ io.Writer }

// last returns what was told of the newest connection, once there are n.
func (r *relay) last(n int) seen {
	r.t.Helper()
	for range 500 {
		r.mu.Lock()
		if len(r.seen) >= n {
			defer r.mu.Unlock()
			return r.seen[len(r.seen)-1]
		}
		r.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatalf("no connection number %d came through the door", n)
	return seen{}
}

func (r *relay) addr() string { return r.ln.Addr().String() }

// port is the door's, for a listener on all addresses.
func (r *relay) port() string { return fmt.Sprint(r.ln.Addr().(*net.TCPAddr).Port) }

// webServer answers with the address it was asked under.
func webServer(t *testing.T, address string) string {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("no listener on %s: %v", address, err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "hello from ", r.Host)
	}))
	_ = s.Listener.Close()
	s.Listener = ln
	s.Start()
	t.Cleanup(s.Close)
	return ln.Addr().String()
}

// echoServer sends datagrams back.
func echoServer(t *testing.T, address string) netip.AddrPort {
	t.Helper()
	pc, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Skipf("no socket on %s: %v", address, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = pc.WriteTo(buf[:n], from)
		}
	}()
	t.Cleanup(func() { _ = pc.Close(); <-done })
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: apt-get install %s, and run again", name, pkg)
	}
	return path
}

func TestCurl(t *testing.T) {
	curl := tool(t, "curl", "curl")
	web4, web6 := webServer(t, "127.0.0.1:0"), webServer(t, "[::1]:0")
	_, port, _ := net.SplitHostPort(web4)
	port6 := web6[strings.LastIndexByte(web6, ':')+1:]
	r := newRelay(t, "127.0.0.1:0", Config{
		App: func(user string) string {
			if user == "org.example.app" {
				return user
			}
			return ""
		},
	})
	for i, tt := range []struct {
		name string
		args []string
		url  string
		want seen
	}{
		{"socks5", []string{"--socks5", r.addr()}, "http://" + web4, seen{dest: web4, host: "127.0.0.1 " + port}},
		{
			"socks5 IPv6 with user",
			[]string{"--socks5", r.addr(), "--proxy-user", "phone:secret"},
			"http://" + web6,
			seen{dest: web6, host: "::1 " + port6, user: "phone"},
		},
		{
			"name with app",
			[]string{"--socks5-hostname", r.addr(), "--proxy-user", "org.example.app:secret"},
			"http://server.test:" + port,
			seen{dest: ":" + port, host: "server.test " + port, user: "org.example.app", app: "org.example.app"},
		},
		{
			"4",
			[]string{"--socks4", r.addr(), "--proxy-user", "old:secret"},
			"http://" + web4,
			seen{dest: web4, host: "127.0.0.1 " + port, user: "old"},
		},
		{
			"4a",
			[]string{"--socks4a", r.addr(), "--proxy-user", "old:secret"},
			"http://server.test:" + port,
			seen{dest: ":" + port, host: "server.test " + port, user: "old"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := exec.Command(curl, append(tt.args, "-sS", "--noproxy", "", "--max-time", "20", tt.url)...).CombinedOutput()
			if want := "hello from " + strings.TrimPrefix(tt.url, "http://"); err != nil || string(out) != want {
				t.Fatalf("curl: %v: %q, want %q", err, out, want)
			}
			tt.want.network = "tcp"
			if got := r.last(i + 1); got != tt.want {
				t.Errorf("the door told %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestCurlRefused(t *testing.T) {
	curl := tool(t, "curl", "curl")
	r := newRelay(t, "127.0.0.1:0", Config{
		RequireUser: true,
		SignIn: func(user, password string) (string, bool) {
			return user, user == "phone" && password == "right"
		},
	})
	for i, tt := range []struct {
		args      []string
		out, fail string
	}{
		{[]string{"--socks5", r.addr()}, "No authentication method was acceptable", errNoUser.Error()},
		{[]string{"--socks5", r.addr(), "--proxy-user", "phone:wrong"}, "User was rejected by the SOCKS5 server", errSignIn.Error()},
		{[]string{"--socks4", r.addr(), "--proxy-user", "phone:right"}, "93", errUser4.Error()},
		{[]string{"--proxy", "http://" + r.addr()}, "This is a SOCKS port", errHTTP.Error()},
		{[]string{"--proxy", "https://" + r.addr()}, "", errTLS.Error()},
	} {
		out, _ := exec.Command(curl, append(tt.args, "-sS", "--noproxy", "", "--max-time", "20", "http://192.0.2.1/")...).CombinedOutput()
		if !strings.Contains(string(out), tt.out) {
			t.Errorf("curl %q: %q, want %q in it", tt.args, out, tt.out)
		}
		if got := r.last(i + 1).failure; got != tt.fail {
			t.Errorf("curl %q: %q, want %q", tt.args, got, tt.fail)
		}
	}
	web := webServer(t, "127.0.0.1:0")
	out, err := exec.Command(curl, "-sS", "--noproxy", "", "--socks5", r.addr(), "--proxy-user", "phone:right", "http://"+web).CombinedOutput()
	if err != nil || r.last(6).user != "phone" {
		t.Errorf("curl with the right password: %v: %s; %+v", err, out, r.last(6))
	}
}

func TestGoClient(t *testing.T) {
	web := webServer(t, "127.0.0.1:0")
	r := newRelay(t, "[::]:0", Config{})
	d, err := proxy.SOCKS5("tcp", "127.0.0.1:"+r.port(), &proxy.Auth{User: "über", Password: "x"}, proxy.Direct)
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Dial("tcp", web)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.0\r\nHost: x\r\n\r\n")
	answer, err := io.ReadAll(c)
	if err != nil || !bytes.HasSuffix(answer, []byte("hello from x")) {
		t.Errorf("%q, %v", answer, err)
	}
	if got := r.last(1); got.user != "über" || got.dest != web {
		t.Errorf("the door told %+v", got)
	}
}

// TestHandshake speaks byte by byte.
func TestHandshake(t *testing.T) {
	long := strings.Repeat("61", 255)
	for _, tt := range []struct {
		name, send, want string // hex
		fail             error
		host             string
	}{
		{"connect", "050100 05010001c0000201 01bb", "0500 05000001000000000000", nil, "192.0.2.1 443"},
		{"IPv4 in IPv6", "050100 0501000400000000000000000000ffffc0000201 01bb", "0500 05000001000000000000", nil, "192.0.2.1 443"},
		{"address as name", "050100 0501000309 3139322e302e322e31 01bb", "0500 05000001000000000000", nil, "192.0.2.1 443"},
		{"IPv6 as name", "050100 0501000307 5b3a3a31303a5d 01bb", "0500 05010001000000000000", errName, ""},
		{"IPv6 in brackets as name", "050100 0501000305 5b3a3a315d 01bb", "0500 05000001000000000000", nil, "::1 443"},
		{"reserved byte", "050100 05017701c0000201 01bb", "0500 05000001000000000000", nil, "192.0.2.1 443"},
		{"empty user and password", "050102 010000 05010001c0000201 01bb", "0502 0100 05000001000000000000", nil, "192.0.2.1 443"},
		{"longest password", "050102 01ff" + long + "ff" + long + "05010001c0000201 01bb", "0502 0100 05000001000000000000", nil, "192.0.2.1 443"},
		{"user is no text", "050102 01010a0131", "0502 0101", errUserText, ""},
		{"user is no UTF-8", "050102 0101ff0131", "0502 0101", errUserText, ""},
		{"version of the password", "050102 0501310131", "0502", errBadForm, ""},
		{"BIND", "050100 05020001c0000201 01bb", "0500 05070001000000000000", errBind, ""},
		{"command 9", "050100 05090001c0000201 01bb", "0500 05070001000000000000", errCommand, ""},
		{"type 2", "050100 05010002c0000201 01bb", "0500 05080001000000000000", errAddrType, ""},
		{"port 0", "050100 05010001c0000201 0000", "0500 05010001000000000000", errPort, ""},
		{"empty name", "050100 0501000300 01bb", "0500 05010001000000000000", errName, ""},
		{"space in name", "050100 0501000303 612062 01bb", "0500 05010001000000000000", errName, ""},
		{"GSSAPI only", "050101", "05ff", errNoMethod, ""},
		{"no methods", "0500", "05ff", errNoMethod, ""},
		{"version 5 then 4", "050100 04010001c0000201 01bb", "0500 05010001000000000000", errBadForm, ""},
		{"cut in the request", "050100 050100", "0500", errBroken, ""},
		{"cut in the methods", "0503 00", "", errBroken, ""},
		{"nothing", "", "", errSilent, ""},
		{"SMTP", "32323020", "", errProtocol, ""},
		{"4", "0401 01bb c0000201 00", "005a000000000000", nil, "192.0.2.1 443"},
		{"4a", "0401 01bb 00000001 6100 612e7465737400", "005a000000000000", nil, "a.test 443"},
		{"4a without a name", "0401 01bb 00000001 6100 00", "005b000000000000", errName, ""},
		{"4 BIND", "0402 01bb c0000201 00", "005b000000000000", errBind, ""},
		{"4 with an endless user", "0401 01bb c0000201" + long + "6161", "", errBadForm, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ln, got := oneShot(t, Config{HandshakeTimeout: 30 * time.Second})
			c, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write(unhex(t, tt.send)); err != nil {
				t.Fatal(err)
			}
			if tt.fail != nil {
				_ = c.(*net.TCPConn).CloseWrite()
			}
			conn := (<-got).(*Conn)
			_ = conn.Close()
			answer, _ := io.ReadAll(c)
			if want := unhex(t, tt.want); !bytes.Equal(answer, want) {
				t.Errorf("answered %x, want %x", answer, want)
			}
			if !errors.Is(conn.Failure(), tt.fail) {
				t.Errorf("failure %v, want %v", conn.Failure(), tt.fail)
			}
			if tt.fail != nil {
				return
			}
			host, port := conn.Destination()
			if got := fmt.Sprint(host, " ", port); got != tt.host {
				t.Errorf("destination %s, want %s", got, tt.host)
			}
		})
	}
}

// oneShot is a door whose connections come by a channel.
func oneShot(t *testing.T, conf Config) (*Listener, <-chan net.Conn) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := Listen(inner, conf)
	conns := make(chan net.Conn, 16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln, conns
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEarlyBytes: what a client sends right behind its request belongs to the server.
func TestEarlyBytes(t *testing.T) {
	ln, got := oneShot(t, Config{})
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write(unhex(t, "050100 05010001c0000201 01bb 160301"))
	conn := <-got
	defer conn.Close()
	b := make([]byte, 3)
	if _, err := io.ReadFull(conn, b); err != nil || !bytes.Equal(b, []byte{0x16, 3, 1}) {
		t.Errorf("read %x, %v", b, err)
	}
	if err := conn.(*Conn).SetLinger(0); err != nil {
		t.Error(err)
	}
}

// TestSlowClient: who says nothing holds up nobody, and is ended.
func TestSlowClient(t *testing.T) {
	ln, got := oneShot(t, Config{HandshakeTimeout: 300 * time.Millisecond, MaxHandshakes: 16})
	slow, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	_, _ = slow.Write([]byte{5})
	quick, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer quick.Close()
	_, _ = quick.Write(unhex(t, "050100 05010001c0000201 01bb"))
	for _, want := range []error{nil, errBroken} {
		conn := <-got
		if failure := conn.(*Conn).Failure(); failure != want {
			t.Errorf("%v, want %v", failure, want)
		}
		_ = conn.Close()
	}
}

// TestManyClients: the first client over the limit leaves a failure, the next ones
// nothing, and there is room again when the others are done.
func TestManyClients(t *testing.T) {
	ln, got := oneShot(t, Config{HandshakeTimeout: time.Minute, MaxHandshakes: 8})
	dial := func() net.Conn {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	slow := []net.Conn{dial(), dial()}
	for _, c := range slow { // in the handshake for certain when they are answered
		_, _ = c.Write([]byte{5, 1, 0})
		if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
	}
	over := dial()
	conn := <-got
	if f := conn.(*Conn).Failure(); f == nil || !strings.Contains(f.Error(), "too many") {
		t.Errorf("failure %v", f)
	}
	_ = conn.Close()
	_, _ = io.ReadAll(over)
	if c, err := net.Dial("tcp", ln.Addr().String()); err == nil { // or the reset is there already
		if b, err := io.ReadAll(c); len(b) != 0 || err == nil {
			t.Errorf("one more client read %x, %v; want a reset", b, err)
		}
		_ = c.Close()
	}
	_, _ = slow[0].Write(unhex(t, "05010001c0000201 01bb"))
	_ = (<-got).Close()
	again := dial()
	_, _ = again.Write(unhex(t, "050100 05010001c0000201 01bb"))
	conn = <-got
	if f := conn.(*Conn).Failure(); f != nil {
		t.Errorf("with room again: %v", f)
	}
	_ = conn.Close()
}

// TestClose: Close ends handshakes and associations, and Accept.
func TestClose(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := Listen(inner, Config{})
	a := associate(t, ln.Addr().String(), "")
	half, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	_, _ = half.Write([]byte{5, 1, 0})
	if _, err := io.ReadFull(half, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	a.send(t, addrTarget(netip.MustParseAddrPort("192.0.2.1:53")), "x")
	f, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	buf := make([]byte, 10)
	if n, err := f.Read(buf); n != 1 || err != nil {
		t.Errorf("what came before: %d, %v", n, err)
	}
	if _, err := f.Read(buf); err != io.EOF {
		t.Errorf("Read of a flow: %v", err)
	}
	if _, err := f.Write(buf); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write of a flow: %v", err)
	}
	_ = f.Close()
	for _, c := range []net.Conn{half, a.tcp} {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := c.Read(buf); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the client's connection is open after Close: %v", err)
		}
	}
}

// client is one association, from the client's side.
type client struct {
	tcp   net.Conn
	udp   *net.UDPConn
	relay netip.AddrPort
}

// associate asks for an association; from is where the client sends from, this
// machine's choice if empty.
func associate(t *testing.T, door, from string) *client {
	t.Helper()
	tcp, err := net.Dial("tcp", door)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })
	_, _ = tcp.Write(unhex(t, "050102 01 05 70686f6e65 01 31 05030001000000000000"))
	head := make([]byte, 2+2+3)
	if _, err := io.ReadFull(tcp, head); err != nil {
		t.Fatal(err)
	}
	if want := unhex(t, "0502 0100 050000"); !bytes.Equal(head, want) {
		t.Fatalf("answered %x, want %x", head, want)
	}
	addr := make([]byte, 2, 32)
	if _, err := io.ReadFull(tcp, addr); err != nil {
		t.Fatal(err)
	}
	n, err := targetLen(addr)
	if err != nil {
		t.Fatal(err)
	}
	addr = addr[:n]
	if _, err := io.ReadFull(tcp, addr[2:]); err != nil {
		t.Fatal(err)
	}
	to, _, err := parseTarget(addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{tcp: tcp, relay: netip.AddrPortFrom(to.addr, to.port)}
	c.udp = c.socket(t, from)
	return c
}

// socket is one more port of the client's.
func (c *client) socket(t *testing.T, from string) *net.UDPConn {
	t.Helper()
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addrOr(from, c.tcp.LocalAddr().(*net.TCPAddr).AddrPort().Addr()), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = udp.Close() })
	return udp
}

func addrOr(s string, other netip.Addr) netip.Addr {
	if s == "" {
		return other
	}
	return netip.MustParseAddr(s)
}

func (c *client) send(t *testing.T, to target, text string) {
	t.Helper()
	sendBy(t, c.udp, c.relay, to, text)
}

func sendBy(t *testing.T, udp *net.UDPConn, relay netip.AddrPort, to target, text string) {
	t.Helper()
	if _, err := udp.WriteToUDPAddrPort(append(to.append([]byte{0, 0, 0}), text...), relay); err != nil {
		t.Fatal(err)
	}
}

// receive returns the next datagram and whom it says that it is from.
func receive(t *testing.T, udp *net.UDPConn) (from target, text string) {
	t.Helper()
	_ = udp.SetReadDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 64<<10)
	n, _, err := udp.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatal(err)
	}
	from, payload, ok := parseDatagram(buf[:n])
	if !ok {
		t.Fatalf("the answer %x has no header", buf[:min(n, 40)])
	}
	return from, string(payload)
}

// TestUDP sends through associations on listeners of all kinds.
func TestUDP(t *testing.T) {
	echo4, echo6 := echoServer(t, "127.0.0.1:0"), echoServer(t, "[::1]:0")
	for _, tt := range []struct{ listen, door string }{
		{"127.0.0.1:0", "127.0.0.1"},
		{"0.0.0.0:0", "127.0.0.1"},
		{"0.0.0.0:0", "127.0.0.9"},
		{"[::]:0", "127.0.0.1"},
		{"[::]:0", "::1"},
		{"[::1]:0", "::1"},
	} {
		t.Run(tt.listen+" by "+tt.door, func(t *testing.T) {
			r := newRelay(t, tt.listen, Config{})
			c := associate(t, net.JoinHostPort(tt.door, r.port()), "")
			if c.relay.Addr().String() != tt.door {
				t.Errorf("the client is told to send to %v, want %s", c.relay, tt.door)
			}
			name := target{name: "server.test", port: echo4.Port()}
			for i, to := range []target{addrTarget(echo4), addrTarget(echo6), name} {
				c.send(t, to, "hello")
				from, text := receive(t, c.udp)
				if from != to || text != "hello" {
					t.Errorf("from %v: %q, want it from %v", from, text, to)
				}
				got := r.last(i + 1)
				want := seen{
					network: "udp", dest: (&net.UDPAddr{IP: to.ip(), Port: int(to.port)}).String(),
					host: fmt.Sprint(to.host(), " ", to.port), user: "phone",
				}
				if got != want {
					t.Errorf("the door told %+v, want %+v", got, want)
				}
			}
			large := strings.Repeat("x", 60000)
			c.send(t, addrTarget(echo4), large)
			if _, text := receive(t, c.udp); text != large {
				t.Errorf("a datagram of %d bytes came back as %d", len(large), len(text))
			}
		})
	}
}

// TestUDPFlows: one flow for each port of the client and destination; what is not the
// client's, a fragment or malformed opens none.
func TestUDPFlows(t *testing.T) {
	ln, got := oneShot(t, Config{})
	c := associate(t, ln.Addr().String(), "")
	one, two := addrTarget(netip.MustParseAddrPort("192.0.2.1:53")), addrTarget(netip.MustParseAddrPort("192.0.2.1:443"))
	other := c.socket(t, "")
	stranger := c.socket(t, "127.0.0.2")

	sendBy(t, stranger, c.relay, one, "not the client")
	for _, bad := range []string{"", "0000", "000000", "000001 01c0000201003578", "000000 01c000020100", "000000 01c00002010000", "000000 0201", "000000 0302612000ff"} {
		if _, err := c.udp.WriteToUDPAddrPort(unhex(t, bad), c.relay); err != nil {
			t.Fatal(err)
		}
	}
	c.send(t, one, "a")
	c.send(t, one, "b")
	c.send(t, two, "c")
	sendBy(t, other, c.relay, one, "d")
	buf := make([]byte, 64<<10)
	for i, want := range []string{"a", "c", "d"} {
		f := (<-got).(*datagram.Flow)
		defer f.Close()
		n, err := f.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Errorf("first datagram of flow %d: %q, %v; want %q", i, buf[:n], err, want)
		}
		port := c.udp.LocalAddr().(*net.UDPAddr).Port
		if i == 2 {
			port = other.LocalAddr().(*net.UDPAddr).Port
		}
		if got := f.RemoteAddr().(*net.UDPAddr).Port; got != port {
			t.Errorf("flow %d is of port %d, want %d", i, got, port)
		}
		if i == 0 {
			if n, err := f.Read(buf); err != nil || string(buf[:n]) != "b" {
				t.Errorf("second datagram: %q, %v", buf[:n], err)
			}
		}
	}
	if len(got) != 0 {
		t.Errorf("%d flows more", len(got))
	}
}

// TestUDPEnds: flows end with the TCP connection of their association.
func TestUDPEnds(t *testing.T) {
	ln, got := oneShot(t, Config{})
	c := associate(t, ln.Addr().String(), "")
	c.send(t, addrTarget(netip.MustParseAddrPort("192.0.2.1:53")), "a")
	f := <-got
	defer f.Close()
	buf := make([]byte, 10)
	if _, err := f.Read(buf); err != nil {
		t.Fatal(err)
	}
	_ = c.tcp.Close()
	if _, err := f.Read(buf); err != io.EOF {
		t.Errorf("Read after the association: %v", err)
	}
}

// TestUDPRefuse: a refused flow is not opened again by the next datagrams.
func TestUDPRefuse(t *testing.T) {
	ln, got := oneShot(t, Config{})
	c := associate(t, ln.Addr().String(), "")
	quic, dns := addrTarget(netip.MustParseAddrPort("192.0.2.1:443")), addrTarget(netip.MustParseAddrPort("192.0.2.1:53"))
	c.send(t, quic, "initial")
	if err := (<-got).(*datagram.Flow).Refuse(); err != nil {
		t.Fatal(err)
	}
	c.send(t, quic, "initial again")
	c.send(t, dns, "question")
	f := <-got
	defer f.Close()
	if _, port := f.(*datagram.Flow).Destination(); port != 53 {
		t.Errorf("the refused flow was opened again: port %d", port)
	}
}

// TestManyAssociations: the limit is told to the client and to the door.
func TestManyAssociations(t *testing.T) {
	ln, got := oneShot(t, Config{MaxAssociations: 4})
	associate(t, ln.Addr().String(), "")
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write(unhex(t, "050100 05030001000000000000"))
	answer := make([]byte, 12)
	if _, err := io.ReadFull(c, answer); err != nil || !bytes.Equal(answer, unhex(t, "0500 05010001000000000000")) {
		t.Errorf("answered %x, %v", answer, err)
	}
	conn := (<-got).(*Conn)
	_ = conn.Close()
	if conn.Failure() != errManyUDP {
		t.Errorf("failure %v", conn.Failure())
	}
}

// TestDNS resolves a name with Go's resolver through an association.
func TestDNS(t *testing.T) {
	server := dnsServer(t)
	r := newRelay(t, "127.0.0.1:0", Config{})
	c := associate(t, r.addr(), "")
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return &dnsConn{UDPConn: c.socket(t, ""), relay: c.relay, to: addrTarget(server)}, nil
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	addrs, err := resolver.LookupNetIP(ctx, "ip4", "tracker.example.")
	if err != nil || len(addrs) != 1 || addrs[0] != netip.MustParseAddr("192.0.2.53") {
		t.Errorf("%v, %v", addrs, err)
	}
}

// dnsConn wraps a resolver's datagrams for an association. It is a PacketConn, by
// which the resolver knows that it is for UDP.
type dnsConn struct {
	*net.UDPConn
	relay netip.AddrPort
	to    target
}

func (c *dnsConn) Write(b []byte) (int, error) {
	_, err := c.WriteToUDPAddrPort(append(c.to.append([]byte{0, 0, 0}), b...), c.relay)
	return len(b), err
}

func (c *dnsConn) Read(b []byte) (int, error) {
	buf := make([]byte, 4096)
	n, err := c.UDPConn.Read(buf)
	if err != nil {
		return 0, err
	}
	_, payload, _ := parseDatagram(buf[:n])
	return copy(b, payload), nil
}

// dnsServer answers every question for an address with 192.0.2.53.
func dnsServer(t *testing.T) netip.AddrPort {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 60},
				Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 53}},
			}}
			if answer, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() { _ = pc.Close(); <-done })
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

// TestPySocks and TestDante are clients of others that use UDP ASSOCIATE.
func TestPySocks(t *testing.T) {
	python := "/usr/bin/python3" // Debian's, which finds Debian's packages
	if exec.Command(python, "-c", "import socks").Run() != nil {
		t.Skip("PySocks is not installed: apt-get install python3-socks, and run again")
	}
	echo := echoServer(t, "127.0.0.1:0")
	r := newRelay(t, "127.0.0.1:0", Config{})
	out, err := exec.Command(python, "-c", fmt.Sprintf(`
import socket, socks
s = socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM)
s.set_proxy(socks.SOCKS5, "127.0.0.1", %s, username="phone", password="x")
s.settimeout(20)
s.sendto(b"hello", ("127.0.0.1", %d))
print(s.recvfrom(100))
`, r.port(), echo.Port())).CombinedOutput()
	if want := fmt.Sprintf("(b'hello', ('127.0.0.1', %d))\n", echo.Port()); err != nil || string(out) != want {
		t.Errorf("%v: %s, want %s", err, out, want)
	}
	if got := r.last(1); got.network != "udp" || got.user != "phone" {
		t.Errorf("the door told %+v", got)
	}
}

func TestDante(t *testing.T) {
	socksify, python := tool(t, "socksify", "dante-client"), tool(t, "/usr/bin/python3", "python3")
	echo := echoServer(t, "127.0.0.1:0")
	r := newRelay(t, "127.0.0.1:0", Config{})
	const far = "198.51.100.53" // dante takes no proxy to addresses of this machine
	r.hosts[far] = "127.0.0.1"
	conf := t.TempDir() + "/socks.conf"
	if err := os.WriteFile(conf, fmt.Appendf(nil, `route {
	from: 0.0.0.0/0 to: 0.0.0.0/0 via: 127.0.0.1 port = %s
	proxyprotocol: socks_v5
	protocol: udp tcp
	command: connect udpassociate
	method: none
}
`, r.port()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(socksify, python, "-c", fmt.Sprintf(`
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.sendto(b"hello", ("%s", %d))
print(s.recvfrom(100))
`, far, echo.Port()))
	cmd.Env = append(os.Environ(), "SOCKS_CONF="+conf)
	out, err := cmd.CombinedOutput()
	if want := fmt.Sprintf("(b'hello', ('%s', %d))\n", far, echo.Port()); err != nil || string(out) != want {
		t.Fatalf("%v: %s, want %s", err, out, want)
	}
	if got := r.last(1); got.network != "udp" || got.dest != fmt.Sprint(far, ":", echo.Port()) {
		t.Errorf("the door told %+v", got)
	}
}

// FuzzHandshake: whatever a client sends, the door tells a destination or a failure,
// and ends.
func FuzzHandshake(f *testing.F) {
	for _, s := range []string{
		"05010005010001c000020101bb", "050102010131013105010001c000020101bb", "04010050c000020100", "0401005000000001006100",
		"474554202f20485454502f312e310d0a", "1603010200", "", "05", "05ff", "050100050100030000",
	} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		here, there := net.Pipe()
		l := &Listener{conf: Config{}.defaults()}
		go func() {
			_ = there.SetDeadline(time.Now().Add(5 * time.Second))
			go func() { _, _ = io.Copy(io.Discard, there) }()
			_, _ = there.Write(b)
			_ = there.Close()
		}()
		c := &Conn{Conn: here}
		c.failure = l.negotiate(c)
		_ = here.Close()
		host, port := c.Destination()
		switch {
		case c.failure != nil || c.associate:
		case port == 0:
			t.Errorf("%x: port 0", b)
		case !c.to.addr.IsValid() && !hostName(host):
			t.Errorf("%x: host %q", b, host)
		case !isText(c.user):
			t.Errorf("%x: user %q", b, c.user)
		}
	})
}

// FuzzDatagram: a header that is read is written the same way again.
func FuzzDatagram(f *testing.F) {
	for _, s := range []string{"00000001c0000201003578", "0000000301610035", "00000004000000000000000000000000000000010035", "000001", ""} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		to, payload, ok := parseDatagram(b)
		if !ok {
			return
		}
		again, same, ok := parseDatagram(append(to.append([]byte{0, 0, 0}), payload...))
		if !ok || again != to || !bytes.Equal(same, payload) {
			t.Errorf("%x: %v, then %v", b, to, again)
		}
	})
}
