package proxy_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"constat/proxy"
	"constat/proxy/flow"
)

// result is what a connection's row says in short.
type result struct {
	Outcome            flow.Outcome
	Alert, TLSError    string
	SNI, ALPN, Version string
}

func resultOf(c *flow.Connection) result {
	r := result{Outcome: c.Outcome, SNI: c.SNI, ALPN: c.ALPN}
	if c.ClientTLS != nil {
		r.Alert, r.Version = c.ClientTLS.Alert, c.ClientTLS.Version
		if r.Alert == "" {
			r.TLSError = c.ClientTLS.Error
		}
	}
	return r
}

// TestConnectionRows has clients of all kinds come and go.
func TestConnectionRows(t *testing.T) {
	untrusting := func(version uint16) func(*rig, net.Conn) {
		return func(g *rig, c net.Conn) {
			tc := tls.Client(c, &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "a.test", MaxVersion: version})
			if tc.Handshake() == nil {
				g.t.Error("the client trusts the proxy")
			}
			c.Close()
		}
	}
	trusting := func(then func(tc *tls.Conn), protos ...string) func(*rig, net.Conn) {
		return func(g *rig, c net.Conn) {
			tc := tls.Client(c, &tls.Config{RootCAs: g.trust, ServerName: "a.test", NextProtos: protos})
			if err := tc.Handshake(); err != nil {
				g.t.Error(err)
			}
			then(tc)
		}
	}
	for _, tc := range []struct {
		name   string
		client func(g *rig, c net.Conn)
		want   result
		reason string
	}{
		{
			"unknown CA, TLS 1.3", untrusting(0),
			result{flow.ClientRefused, "bad_certificate", "", "a.test", "", ""},
			"did not accept the certificate",
		},
		{
			"unknown CA, TLS 1.2", untrusting(tls.VersionTLS12),
			result{flow.ClientRefused, "bad_certificate", "", "a.test", "", ""},
			"did not accept the certificate",
		},
		{"old TLS", func(g *rig, c net.Conn) {
			tc := tls.Client(c, &tls.Config{RootCAs: g.trust, ServerName: "a.test", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10})
			if err := tc.Handshake(); err != nil {
				g.t.Error(err)
			}
			tc.Close()
		}, result{flow.SuspectedPin, "", "", "a.test", "", "TLS 1.0"}, "without a request"},
		{
			"pin", trusting(func(tc *tls.Conn) { tc.Close() }, "http/1.1"),
			result{flow.SuspectedPin, "", "", "a.test", "http/1.1", "TLS 1.3"},
			"closed by the client",
		},
		{
			"pin with reset", trusting(func(tc *tls.Conn) {
				_ = tc.NetConn().(*net.TCPConn).SetLinger(0)
				tc.NetConn().Close()
			}),
			result{flow.SuspectedPin, "", "", "a.test", "", "TLS 1.3"},
			"broken off by the client",
		},
		{"pin in h2", trusting(func(tc *tls.Conn) {
			_, _ = io.WriteString(tc, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
			tc.Close()
		}, "h2"), result{flow.SuspectedPin, "", "", "a.test", "h2", "TLS 1.3"}, "closed by the client"},
		{
			"half a request", trusting(func(tc *tls.Conn) { _, _ = io.WriteString(tc, "GET / HT"); tc.Close() }),
			result{flow.Intercepted, "", "", "a.test", "", "TLS 1.3"},
			"not a complete request",
		},
		{"silent close in the handshake", func(_ *rig, c net.Conn) {
			_, _ = c.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc"))
			c.Close()
		}, result{Outcome: flow.ClientRefused, TLSError: "closed"}, "without a word"},
		{"handshake never finished", func(_ *rig, c net.Conn) {
			_, _ = c.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc"))
		}, result{Outcome: flow.ClientRefused, TLSError: "timeout"}, "in time"},
		{"no common version", func(g *rig, c net.Conn) {
			_, _ = c.Write([]byte("\x16\x03\x00\x00\x2f\x01\x00\x00\x2b\x03\x00" + strings.Repeat("r", 32) + "\x00\x00\x04\x00\x04\x00\x05\x01\x00"))
			_, _ = io.ReadAll(c)
			c.Close()
		}, result{Outcome: flow.ClientRefused, TLSError: "tls: client offered only unsupported versions: []"}, "failed"},
		{
			"closed at once", func(_ *rig, c net.Conn) { c.Close() },
			result{Outcome: flow.Idle},
			"before any byte",
		},
		{
			"half a request in the clear", func(_ *rig, c net.Conn) { _, _ = io.WriteString(c, "GET /x"); c.Close() },
			result{Outcome: flow.Idle},
			"before a request was complete",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, func(c *proxy.Config) { c.HandshakeTimeout = 200 * time.Millisecond })
			c := g.connect("a.test:443")
			tc.client(g, c)
			row := await(t, g.rec, anyConnection)
			if d := cmp.Diff(tc.want, resultOf(row)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if !strings.Contains(row.Reason, tc.reason) || row.Host != "a.test" || row.Port != 443 || row.BytesUp == 0 {
				t.Errorf("row %+v", row)
			}
			if strings.Contains(row.Reason, "pin") && row.Outcome == flow.ClientRefused {
				t.Errorf("reason %q speaks of pinning", row.Reason)
			}
			if row.ClientTLS != nil && row.SNI != "" && (len(row.JA4) != 36 || len(row.ClientTLS.Offered) == 0) {
				t.Errorf("JA4 %q, %+v", row.JA4, row.ClientTLS)
			}
		})
	}
}

// TestUnknownCA checks the alert of a real client that is not Go's.
func TestUnknownCA(t *testing.T) {
	g := newRig(t, nil)
	out, err := exec.Command("curl", "-sS", "--proxy", "http://"+g.addr, "https://a.test/").CombinedOutput()
	if err == nil {
		t.Fatalf("curl trusts the proxy: %s", out)
	}
	row := await(t, g.rec, anyConnection)
	if row.Outcome != flow.ClientRefused || row.ClientTLS.Alert != "unknown_ca" || !strings.Contains(row.Reason, "CA") {
		t.Errorf("row %+v %+v", row, row.ClientTLS)
	}
}

// TestIdleRow: a connection that says nothing at all.
func TestIdleRow(t *testing.T) {
	g := newRig(t, nil)
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if row := await(t, g.rec, anyConnection); row.Outcome != flow.Idle || row.Host != "" {
		t.Errorf("row %+v", row)
	}
}

// TestCurl fetches with curl in every way it knows.
func TestCurl(t *testing.T) {
	body := strings.Repeat("body ", 10000)
	h := func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %d %s", r.Method, r.Proto, len(b), body)
	}
	plain, secure := serve(t, false, h), serve(t, true, h)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, authority().PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, proto string
		url         string
		args        []string
	}{
		{"http", "HTTP/1.1", plain.URL, nil},
		{"http in a tunnel", "HTTP/1.1", plain.URL, []string{"--proxytunnel"}},
		{"https", "HTTP/1.1", secure.URL, []string{"--http1.1"}},
		{"h2", "HTTP/2.0", secure.URL, []string{"--http2"}},
		{"upload", "HTTP/1.1", secure.URL, []string{"--http1.1", "--data-binary", "@" + ca}},
		{"upload with Expect", "HTTP/1.1", secure.URL, []string{"--http1.1", "-H", "Expect: 100-continue", "--data-binary", "@" + ca}},
		{"upload in chunks", "HTTP/1.1", secure.URL, []string{"--http1.1", "-H", "Transfer-Encoding: chunked", "--data-binary", "@" + ca}},
		{"upload h2", "HTTP/2.0", secure.URL, []string{"--http2", "-T", ca}},
		{"old", "HTTP/1.0", secure.URL, []string{"--http1.0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newRig(t, nil)
			args := append([]string{"-sS", "--fail", "--noproxy", "", "--proxy", "http://" + g.addr, "--cacert", ca}, tc.args...)
			out, err := exec.Command("curl", append(args, tc.url+"/c")...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), " "+tc.proto+" ") || !strings.HasSuffix(string(out), body) {
				t.Fatalf("%v: %.200s", err, out)
			}
			x := await(t, g.rec, exchangeAt("/c"))
			if x.Error != "" || int(x.Response.Body.Size()) != len(out) {
				t.Errorf("%+v", x)
			}
		})
	}
}

// TestTunnelByAddress: CONNECT names an address, the handshake the server.
func TestTunnelByAddress(t *testing.T) {
	g := newRig(t, nil)
	var sni string
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) { sni = r.TLS.ServerName; fmt.Fprint(w, r.Host) })
	port := s.Listener.Addr().(*net.TCPAddr).Port
	tc := g.connectTLS(s.Listener.Addr().String(), "server.test")
	leaf := tc.ConnectionState().PeerCertificates[0]
	if leaf.VerifyHostname("server.test") != nil || leaf.VerifyHostname("127.0.0.1") != nil {
		t.Errorf("leaf is for %v %v", leaf.DNSNames, leaf.IPAddresses)
	}
	host := fmt.Sprintf("server.test:%d", port)
	got := exchangeRaw(t, tc, "GET /n HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
	if !strings.HasSuffix(got, "\r\n\r\n"+host) || sni != "server.test" {
		t.Errorf("got %q, the server saw SNI %q", got, sni)
	}
	x := await(t, g.rec, exchangeAt("/n"))
	if x.Host != "127.0.0.1" || x.Port != uint16(port) {
		t.Errorf("%+v", x)
	}
	row := await(t, g.rec, anyConnection)
	if row.SNI != "server.test" || row.ServerTLS == nil || len(row.ServerTLS.Chain) == 0 || row.Server.Port() != uint16(port) {
		t.Errorf("row %+v", row)
	}
}

// TestEarlyHello: a client that does not wait for the answer to CONNECT.
func TestEarlyHello(t *testing.T) {
	g := newRig(t, nil)
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "fine") })
	a, b := net.Pipe()
	hello := make(chan []byte)
	go func() {
		buf := make([]byte, 16<<10)
		n, _ := b.Read(buf)
		hello <- buf[:n]
	}()
	w := &swapConn{Conn: a}
	tc := tls.Client(w, &tls.Config{RootCAs: g.trust, ServerName: "127.0.0.1"})
	done := make(chan error, 1)
	go func() { done <- tc.Handshake() }()
	c := g.connect(s.Listener.Addr().String(), <-hello...)
	// From here on the client's TLS talks to the tunnel itself.
	go func() { _, _ = io.Copy(b, c) }()
	go func() { _, _ = io.Copy(c, b) }()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(tc, "GET /g HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") }()
	resp, err := http.ReadResponse(bufio.NewReader(tc), nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	c.Close()
	a.Close()
	b.Close()
	await(t, g.rec, exchangeAt("/g"))
}

type swapConn struct{ net.Conn }

// TestResumption: the second handshake of a client is a short one.
func TestResumption(t *testing.T) {
	g := newRig(t, nil)
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {})
	conf := &tls.Config{RootCAs: g.trust, ServerName: "127.0.0.1", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for i := range 2 {
		tc := tls.Client(g.connect(s.Listener.Addr().String()), conf)
		exchangeRaw(t, tc, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
		if tc.ConnectionState().DidResume != (i == 1) {
			t.Errorf("connection %d resumed: %t", i, i == 0)
		}
	}
	await(t, g.rec, func(c *flow.Connection) bool { return c.ClientTLS.Resumed })
}

// TestRaw relays what is neither TLS nor HTTP, whoever speaks first.
func TestRaw(t *testing.T) {
	for _, first := range []string{"client", "server"} {
		t.Run(first, func(t *testing.T) {
			g := newRig(t, func(c *proxy.Config) { c.FirstByteTimeout = 50 * time.Millisecond })
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			done := make(chan string, 1)
			go func() {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				if first == "server" {
					_, _ = io.WriteString(c, "hello ")
				}
				r := bufio.NewReader(c)
				line, _ := r.ReadString('\n')
				_, _ = io.WriteString(c, "you said "+line)
				rest, _ := io.ReadAll(r)
				done <- line + string(rest)
			}()
			c := g.connect(ln.Addr().String())
			want := "you said \x00\x01say\n"
			if first == "server" {
				want = "hello " + want
				if b := make([]byte, 6); mustRead(t, c, b) != "hello " {
					t.Fatalf("%q", b)
				}
			}
			_, _ = io.WriteString(c, "\x00\x01say\n")
			got := make([]byte, len("you said \x00\x01say\n"))
			if s := mustRead(t, c, got); s != "you said \x00\x01say\n" {
				t.Fatalf("%q", s)
			}
			_, _ = io.WriteString(c, "more")
			_ = c.(*net.TCPConn).CloseWrite()
			if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
				t.Errorf("%q %v", rest, err)
			}
			if s := <-done; s != "\x00\x01say\nmore" {
				t.Errorf("the server got %q", s)
			}
			row := await(t, g.rec, anyConnection)
			if row.Outcome != flow.Raw || string(row.FirstUp) != "\x00\x01say\nmore" || string(row.FirstDown) != want || !row.Server.IsValid() {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// TestHalfOpenRelay: when one side of a relay has ended, the other has IdleTimeout
// to say more.
func TestHalfOpenRelay(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.IdleTimeout = 100 * time.Millisecond })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		if c, err := ln.Accept(); err == nil {
			_, _ = c.Read(make([]byte, 10))
			c.Close()
		}
	}()
	c := g.connect(ln.Addr().String())
	_, _ = io.WriteString(c, "\x00raw")
	if row := await(t, g.rec, anyConnection); row.Outcome != flow.Raw || string(row.FirstUp) != "\x00raw" {
		t.Errorf("row %+v", row)
	}
}

// TestRawInTLS relays what TLS carries that is not HTTP, and keeps the beginning.
func TestRawInTLS(t *testing.T) {
	for _, tc := range []struct {
		name, first, proto, reason string
	}{
		{"client first", "client", "", "not HTTP in it"},
		{"server first", "server", "", "server spoke first"},
		{"other protocol", "client", "mqtt", "not HTTP in it"},
		{"other protocol, server first", "server", "imap", "server spoke first"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newRig(t, func(c *proxy.Config) { c.FirstByteTimeout = 50 * time.Millisecond })
			leaf, err := serverAuthority().ca.Leaf("127.0.0.1", "server.test")
			if err != nil {
				t.Fatal(err)
			}
			conf := &tls.Config{Certificates: []tls.Certificate{*leaf}}
			if tc.proto != "" {
				conf.NextProtos = []string{tc.proto}
			}
			ln, err := tls.Listen("tcp", "127.0.0.1:0", conf)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			got := make(chan string, 1)
			serve := func(c net.Conn) {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				if tc.first == "server" {
					_, _ = io.WriteString(c, "hello")
				}
				if b, _ := io.ReadAll(c); len(b) > 0 {
					got <- string(b)
				}
			}
			go func() {
				for { // a client that is slow to speak has the proxy ask the server first
					c, err := ln.Accept()
					if err != nil {
						return
					}
					go serve(c)
				}
			}()
			var protos []string
			if tc.proto != "" {
				protos = []string{tc.proto, "another"}
			}
			c := tls.Client(g.connect(ln.Addr().String()), &tls.Config{RootCAs: g.trust, ServerName: "server.test", NextProtos: protos})
			if err := c.Handshake(); err != nil {
				t.Fatal(err)
			}
			if tc.first == "server" {
				if s := mustRead(t, c, make([]byte, 5)); s != "hello" {
					t.Errorf("down %q", s)
				}
			}
			_, _ = io.WriteString(c, "\x10\x00up")
			_ = c.CloseWrite()
			if s := <-got; s != "\x10\x00up" {
				t.Errorf("up %q", s)
			}
			_, _ = io.ReadAll(c)
			c.Close()
			row := await(t, g.rec, anyConnection)
			if row.Outcome != flow.Raw || !strings.Contains(row.Reason, tc.reason) || row.SNI != "server.test" ||
				string(row.FirstUp) != "\x10\x00up" || len(row.ServerTLS.Chain) == 0 || row.ALPN != tc.proto || row.ServerTLS.ALPN != tc.proto {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// TestSlowFirstByte: a client that takes longer than FirstByteTimeout to speak is
// still read when it does.
func TestSlowFirstByte(t *testing.T) {
	for _, kind := range []string{"http", "https", "https without a protocol"} {
		t.Run(kind, func(t *testing.T) {
			g := newRig(t, func(c *proxy.Config) { c.FirstByteTimeout = 20 * time.Millisecond })
			s := newRawServer(t, kind != "http", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
			connected := s.conns
			c := g.connect(s.addr)
			switch kind {
			case "https":
				<-connected // by the proxy, which has given the client up as the first to speak
				c = tls.Client(c, &tls.Config{RootCAs: g.trust, ServerName: "127.0.0.1", NextProtos: []string{"http/1.1"}})
			case "https without a protocol":
				tc := tls.Client(c, &tls.Config{RootCAs: g.trust, ServerName: "127.0.0.1"})
				if err := tc.Handshake(); err != nil {
					t.Fatal(err)
				}
				c = tc
				<-connected
			default:
				<-connected
			}
			got := exchangeRaw(t, c, "GET /late HTTP/1.1\r\nHost: "+s.addr+"\r\nConnection: close\r\n\r\n")
			if !strings.HasSuffix(got, "fine") {
				t.Errorf("got %q", got)
			}
			await(t, g.rec, exchangeAt("/late"))
			if row := await(t, g.rec, anyConnection); row.Outcome == flow.Raw {
				t.Errorf("row %+v", row)
			}
		})
	}
}

func mustRead(t testing.TB, r io.Reader, b []byte) string {
	t.Helper()
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSlowHead: a client that writes its head byte by byte, at the door and
// inside a tunnel, is cut off; others are served meanwhile.
func TestSlowHead(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.HeadTimeout = 300 * time.Millisecond })
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {})
	door, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	for _, c := range []net.Conn{door, g.connectTLS(s.Listener.Addr().String(), "127.0.0.1")} {
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nX: ")
		begun := time.Now()
		_ = c.SetDeadline(begun.Add(10 * time.Second))
		get(t, g.client(true), s.URL)
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				break
			}
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			if _, err := c.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
		}
		if d := time.Since(begun); d > 3*time.Second {
			t.Errorf("cut off after %v", d)
		}
	}
}

// TestLargeHead: more than MaxHead is refused.
func TestLargeHead(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.MaxHead = 64 << 10 })
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {})
	tc := g.connectTLS(s.Listener.Addr().String(), "127.0.0.1")
	go func() {
		_, _ = io.WriteString(tc, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"+strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 200))
	}()
	resp, err := http.ReadResponse(bufio.NewReader(tc), nil)
	if err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Fatal(resp, err)
	}
}

// TestLimitOfConnections: one client cannot have them all.
func TestLimitOfConnections(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.MaxConns = 3 })
	for range 3 {
		g.connect("a.test:443")
	}
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	await(t, g.rec, func(c *flow.Connection) bool {
		return c.Outcome == flow.Refused && strings.Contains(c.Reason, "too many")
	})
}

// TestPolicy: who may use the proxy, and for what.
func TestPolicy(t *testing.T) {
	served := false
	s := serve(t, false, func(w http.ResponseWriter, r *http.Request) { served = true })
	stranger := func(c *proxy.Config) { c.Identify = func(proxy.Guest) proxy.Identity { return proxy.Identity{} } }
	ask := func(g *rig, request string) string {
		c, err := net.Dial("tcp", g.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		return exchangeRaw(t, c, request)
	}
	for _, tc := range []struct {
		name    string
		change  func(*proxy.Config)
		request func(g *rig) string
		want    []string
		outcome flow.Outcome
		rows    int
	}{
		{
			"stranger's request", stranger,
			func(*rig) string {
				return "GET " + s.URL + "/s HTTP/1.1\r\nHost: " + s.Listener.Addr().String() + "\r\nConnection: close\r\n\r\n"
			},
			[]string{" 200 OK", "local page for /s"},
			flow.Refused, 0,
		},
		{
			"stranger's tunnel", stranger,
			func(*rig) string { return "CONNECT " + s.Listener.Addr().String() + " HTTP/1.1\r\nHost: x\r\n\r\n" },
			[]string{" 403 ", "not admitted"},
			flow.Refused, 0,
		},
		{
			"own pages", nil,
			func(*rig) string { return "GET /o HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" },
			[]string{" 200 OK", "local page for /o"},
			flow.Plain, 0,
		},
		{
			"own pages by the proxy", nil,
			func(g *rig) string {
				return "GET http://" + g.addr + "/o HTTP/1.1\r\nHost: " + g.addr + "\r\nConnection: close\r\n\r\n"
			},
			[]string{" 200 OK", "local page for /o"},
			flow.Plain, 0,
		},
		{
			"own name", nil,
			func(*rig) string {
				return "GET http://constat.test/n HTTP/1.1\r\nHost: constat.test\r\nConnection: close\r\n\r\n"
			},
			[]string{" 200 OK", "local page for /n"},
			flow.Plain, 0,
		},
		{
			"tunnel to itself", nil,
			func(g *rig) string { return "CONNECT " + g.addr + " HTTP/1.1\r\nHost: x\r\n\r\n" },
			[]string{" 403 ", "listener of Constat"},
			flow.Refused, 0,
		},
		{
			"tunnel to itself by name", nil,
			func(g *rig) string {
				_, port, _ := net.SplitHostPort(g.addr)
				return "CONNECT localhost:" + port + " HTTP/1.1\r\nHost: x\r\n\r\n"
			},
			[]string{" 403 ", "listener of Constat"},
			flow.Refused, 0,
		},
		{
			"tunnel without a port", nil,
			func(*rig) string { return "CONNECT a.test HTTP/1.1\r\nHost: x\r\n\r\n" },
			[]string{" 400 ", "port"},
			flow.Refused, 0,
		},
		{
			"two hosts", nil,
			func(*rig) string {
				return "GET " + s.URL + "/s HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n"
			},
			[]string{" 400 ", "different hosts"},
			flow.Plain, 1,
		},
		{
			"https in the clear", nil,
			func(*rig) string {
				return "GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
			},
			[]string{" 400 ", "in the clear"},
			flow.Plain, 1,
		},
		{
			"two lengths", nil,
			func(*rig) string {
				return "POST " + s.URL + "/s HTTP/1.1\r\nHost: " + s.Listener.Addr().String() + "\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"
			},
			[]string{" 400 "},
			flow.Plain, 1,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newRig(t, tc.change)
			got := ask(g, tc.request(g))
			for _, want := range tc.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in %q", want, got)
				}
			}
			if served {
				t.Error("the server was asked")
			}
			row := await(t, g.rec, anyConnection)
			if row.Outcome != tc.outcome {
				t.Errorf("row %+v", row)
			}
			if rows := all[*flow.Exchange](g.rec); len(rows) != tc.rows || tc.rows == 1 && rows[0].Error == "" {
				t.Errorf("exchanges %+v", rows)
			}
		})
	}
}

// TestInnerHost: nothing inside a tunnel changes where it goes.
func TestInnerHost(t *testing.T) {
	other := serve(t, true, func(w http.ResponseWriter, r *http.Request) { t.Error("the other server was asked") })
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the right one") })
	to, wrong := s.Listener.Addr().String(), other.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(to)
	for _, tc := range []struct {
		name, request string
		status        int
	}{
		{"same", "GET /h HTTP/1.1\r\nHost: " + to + "\r\n", 200},
		{"other port", "GET /h HTTP/1.1\r\nHost: " + wrong + "\r\n", 421},
		{"other name", "GET /h HTTP/1.1\r\nHost: other.test:" + port + "\r\n", 421},
		{"SNI", "GET /h HTTP/1.1\r\nHost: SERVER.test.:" + port + "\r\n", 200},
		{"other URL", "GET https://" + wrong + "/h HTTP/1.1\r\nHost: " + to + "\r\n", 421},
		{"same URL", "GET https://" + to + "/h HTTP/1.1\r\nHost: " + to + "\r\n", 200},
		{"same URL, other Host", "GET https://" + to + "/h HTTP/1.1\r\nHost: " + wrong + "\r\n", 400},
		{"clear URL", "GET http://" + to + "/h HTTP/1.1\r\nHost: " + to + "\r\n", 421},
		{"tunnel in the tunnel", "CONNECT " + wrong + " HTTP/1.1\r\nHost: " + wrong + "\r\n", 405},
		{"nonsense", "GET /h HTTP/1.1\r\nHost: a b\r\n", 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newRig(t, nil)
			tc2 := g.connectTLS(to, "server.test")
			got := exchangeRaw(t, tc2, tc.request+"Connection: close\r\n\r\n")
			if !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", tc.status)) {
				t.Errorf("got %q", got)
			}
			if tc.name == "nonsense" {
				return // net/http's own answer, before there is a request
			}
			x := await(t, g.rec, func(*flow.Exchange) bool { return true })
			if x.Host != "127.0.0.1" || fmt.Sprint(x.Port) != port || (x.Error == "") != (tc.status == 200) {
				t.Errorf("%+v", x)
			}
			if tc.status != 200 && !strings.HasPrefix(x.Error, flow.ErrRefused+": ") {
				t.Errorf("error %q", x.Error)
			}
		})
	}
	t.Run("h2", func(t *testing.T) {
		g := newRig(t, nil)
		req, _ := http.NewRequest("GET", s.URL+"/h", nil)
		req.Host = wrong
		resp, err := g.client(true).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 421 || resp.ProtoMajor != 2 {
			t.Errorf("got %v", resp)
		}
	})
}

// TestOwnName: the proxy's pages over https, which nothing is dialled for.
func TestOwnName(t *testing.T) {
	g := newRig(t, nil)
	for _, h2 := range []bool{false, true} {
		if _, b := get(t, g.client(h2), "https://constat.test/check"); string(b) != "local page for /check" {
			t.Errorf("got %q", b)
		}
	}
	if n := len(all[*flow.Exchange](g.rec)); n != 0 {
		t.Errorf("%d exchanges", n)
	}
}

// TestShutdown ends Serve while tunnels, handshakes, relays and answers are open.
func TestShutdown(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.GracePeriod = 300 * time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/endless" {
			select {
			case <-ctx.Done():
			case <-r.Context().Done():
			}
		}
	})
	defer cancel()
	g.connect("a.test:443")                                      // silent
	_, _ = g.connect("b.test:443").Write([]byte("\x16\x03\x01")) // in the handshake
	g.connectTLS(s.Listener.Addr().String(), "127.0.0.1")        // no request
	g.connectTLS(s.Listener.Addr().String(), "127.0.0.1", "h2")  // no preface
	resp, err := g.client(true).Get(s.URL + "/endless")          // under way
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	idle := g.client(false)
	get(t, idle, s.URL+"/done")
	begun := time.Now()
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	if d := time.Since(begun); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the open answer ended cleanly")
	}
	x := await(t, g.rec, exchangeAt("/endless"))
	if !strings.HasPrefix(x.Error, flow.ErrCutOff+": ") {
		t.Errorf("error %q", x.Error)
	}
	if n := len(all[*flow.Connection](g.rec)); n != 6 {
		t.Errorf("%d rows", n)
	}
	if _, err := net.Dial("tcp", g.addr); err == nil {
		t.Error("the door is still open")
	}
	if a := g.proxy.Addrs(); len(a) != 0 {
		t.Errorf("still has %v", a)
	}
}
