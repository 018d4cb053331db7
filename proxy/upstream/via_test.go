package upstream

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elazarl/goproxy"

	"constat/proxy/flow"
)

// asks notes what an upstream proxy was asked for.
type asks struct {
	mu   sync.Mutex
	list []string
}

func (a *asks) add(s string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, s)
}

func (a *asks) take() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := strings.Join(a.list, " ")
	a.list = nil
	return s
}

// httpVia starts goproxy as an upstream proxy that wants "ann" and "s3cret:x",
// finds every name at server, and does not connect to forbidden.test.
func httpVia(t *testing.T, server string, secure bool, ca *authority) (*url.URL, *asks) {
	var seen asks
	engine := goproxy.NewProxyHttpServer()
	engine.Logger = discard
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:s3cret:x"))
	engine.OnRequest().HandleConnectFunc(func(host string, ctx *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) {
		seen.add(host)
		ctx.Resp = &http.Response{ProtoMajor: 1, ProtoMinor: 1, Request: ctx.Req, Header: http.Header{}, Body: http.NoBody}
		switch {
		case ctx.Req.Header.Get("Proxy-Authorization") != want:
			ctx.Resp.StatusCode = http.StatusProxyAuthRequired
			return &goproxy.ConnectAction{Action: goproxy.ConnectReject}, host
		case strings.HasPrefix(host, "forbidden.test:"):
			ctx.Resp.StatusCode = http.StatusForbidden
			return &goproxy.ConnectAction{Action: goproxy.ConnectReject}, host
		}
		return &goproxy.ConnectAction{Action: goproxy.ConnectAccept}, server
	})
	s := httptest.NewUnstartedServer(engine)
	s.Config.ErrorLog = discard
	if secure {
		s.TLS = serverTLS(ca.issue(t, nil))
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	u, err := ParseVia(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("ann", "s3cret:x")
	return u, &seen
}

// TestViaHTTP asks for a server over http and https, through proxies of both kinds.
func TestViaHTTP(t *testing.T) {
	ca := newAuthority(t)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.Proto, r.Host, r.RequestURI, len(body), r.Header)
	})
	clear := served(t, h)
	tls1, _ := secure(t, h, serverTLS(ca.issue(t, nil, "far.test")), "h2")
	for _, viaTLS := range []bool{false, true} {
		for scheme, server := range map[string]string{"http": clear, "https": tls1} {
			via, seen := httpVia(t, server, viaTLS, ca)
			asked := 0
			tr := open(t, Config{Roots: ca.pool, Via: via, Allow: func(netip.Addr, netip.AddrPort) error { asked++; return nil }})
			for i, http2 := range []bool{false, false, true} {
				r := request(t, "POST", "far.test", "/p?q")
				r.URL.Scheme = scheme
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", 100_000))), 100_000
				c := &Call{Client: loopback, HTTP2: http2}
				resp, err := tr.Do(r, c)
				proto := "HTTP/1.1"
				if http2 && scheme == "https" {
					proto = "HTTP/2.0"
				}
				want := proto + "far.test/p?q100000 map[Content-Length:[100000]]"
				if got := all(t, resp, err); got != want {
					t.Errorf("%s over %s: got %q, want %q", scheme, via.Scheme, got, want)
				}
				if c.Server.IsValid() || asked != 0 || i == 0 && c.Reused || (c.TLS != nil) != (scheme == "https") {
					t.Errorf("server %v, Allow asked %d times, reused %v, TLS %v", c.Server, asked, c.Reused, c.TLS)
				}
			}
			// Once for each protocol, and again when a connection was not free in time.
			most, want := 3, map[string]string{"http": "far.test:80", "https": "far.test:443"}[scheme]
			got := strings.Fields(seen.take())
			if len(got) < 1 || len(got) > most || slices.ContainsFunc(got, func(s string) bool { return s != want }) {
				t.Errorf("%s over %s: the proxy was asked for %q", scheme, via.Scheme, got)
			}
		}
	}
}

// TestViaAddress: Allow judges addresses, and they are what a call shows.
func TestViaAddress(t *testing.T) {
	server := netip.MustParseAddrPort(served(t, http.NotFoundHandler()))
	via, seen := httpVia(t, server.String(), false, nil)
	far := netip.MustParseAddrPort("203.0.113.7:80")
	tr := open(t, Config{Via: via, Resolve: map[string]string{"fixed.test:80": "127.0.0.1:1"}})
	for _, tt := range []struct {
		host    string
		address netip.AddrPort
		server  netip.AddrPort
		seen    string
		word    string
	}{
		{"203.0.113.7", netip.AddrPort{}, far, "203.0.113.7:80", ""},
		{"a.test", far, far, "203.0.113.7:80", ""},
		{"fixed.test", far, netip.MustParseAddrPort("127.0.0.1:1"), "127.0.0.1:1", ""},
		{"10.0.0.1", netip.AddrPort{}, netip.AddrPort{}, "", flow.ErrRefused},
		{"[::ffff:10.0.0.1]", netip.AddrPort{}, netip.AddrPort{}, "", flow.ErrRefused},
		{"a.test", netip.MustParseAddrPort("127.0.0.1:80"), netip.AddrPort{}, "", flow.ErrRefused},
	} {
		c := &Call{Client: netip.MustParseAddr("192.0.2.1"), Address: tt.address}
		resp, err := tr.Do(request(t, "GET", tt.host, "/"), c)
		if err == nil {
			all(t, resp, nil)
		}
		if got := seen.take(); word(err) != tt.word || c.Server != tt.server || got != tt.seen {
			t.Errorf("%s at %v: %v, server %v, asked %q", tt.host, tt.address, err, c.Server, got)
		}
	}
}

// TestViaErrors tells apart what can go wrong, without the password, and without
// where the proxy is.
func TestViaErrors(t *testing.T) {
	server := served(t, http.NotFoundHandler())
	good, _ := httpVia(t, server, false, nil)
	tlsVia, _ := httpVia(t, server, true, newAuthority(t))
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent := raw(t, func(_ int, _ net.Conn, in *bufio.Reader) { io.Copy(io.Discard, in) })
	babble := raw(t, func(_ int, c net.Conn, in *bufio.Reader) { answer(c, in, "s3cret\r\n\r\n") })
	flood := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		answer(c, in, "HTTP/1.1 200 OK\r\n")
		for range 1000 {
			io.WriteString(c, "A: "+strings.Repeat("x", 1000)+"\r\n")
		}
	})
	with := func(u *url.URL, name, password string) *url.URL {
		v := *u
		v.User = url.UserPassword(name, password)
		return &v
	}
	at := func(addr string) *url.URL {
		return &url.URL{Scheme: "http", Host: addr, User: url.UserPassword("ann", "s3cret:x")}
	}
	for _, tt := range []struct {
		name  string
		via   *url.URL
		host  string
		cause error
		word  string
	}{
		{"refused target", good, "forbidden.test", ErrViaRefused, flow.ErrConnect},
		{"no password", with(good, "", ""), "a.test", ErrViaPassword, flow.ErrConnect},
		{"wrong password", with(good, "ann", "s3cretwrong"), "a.test", ErrViaPassword, flow.ErrConnect},
		{"nobody there", at(closed.Addr().String()), "a.test", ErrViaUnreachable, flow.ErrConnect},
		{"unknown name", at("nowhere.invalid:1"), "a.test", ErrViaUnreachable, flow.ErrConnect},
		{"untrusted certificate", tlsVia, "a.test", ErrViaUnreachable, flow.ErrConnect},
		{"silent", at(silent), "a.test", nil, flow.ErrTimeout},
		{"not HTTP", at(babble), "a.test", ErrViaUnreachable, flow.ErrConnect},
		{"endless head", at(flood), "a.test", ErrViaUnreachable, flow.ErrConnect},
		{"other scheme", &url.URL{Scheme: "ftp", Host: server}, "a.test", ErrViaUnreachable, flow.ErrConnect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			patience := 20 * time.Second
			if tt.word == flow.ErrTimeout {
				patience = 300 * time.Millisecond
			}
			tr := open(t, Config{Via: tt.via, DialTimeout: patience, TLSTimeout: patience})
			_, err := tr.Do(request(t, "GET", tt.host, "/"), &Call{Client: loopback})
			if word(err) != tt.word || tt.cause != nil && !errors.Is(err, tt.cause) {
				t.Errorf("got %v, want %s: %v", err, tt.word, tt.cause)
			}
			for _, hidden := range []string{"s3cret", "czNjcmV0", "ann", "127.0.0.1", "nowhere"} {
				if err != nil && strings.Contains(err.Error(), hidden) {
					t.Errorf("%q shows %q", err, hidden)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := open(t, Config{Via: at(silent)}).Do(request(t, "GET", "a.test", "/").WithContext(ctx), &Call{Client: loopback}); word(err) != flow.ErrClientClosed {
		t.Errorf("cancelled: %v", err)
	}
}

// TestViaDirect: exceptions are reached past the proxy, under Allow's rule.
func TestViaDirect(t *testing.T) {
	near := named(t, "near")
	via, seen := httpVia(t, served(t, http.NotFoundHandler()), false, nil)
	var asked []string
	var mu sync.Mutex
	tr := open(t, Config{Via: via, Direct: func(host string) bool {
		mu.Lock()
		asked = append(asked, host)
		mu.Unlock()
		return host == "near.test" || host == near.Addr().String()
	}})
	for _, host := range []string{"NEAR.test", "other.test"} {
		c := &Call{Client: loopback, Address: near}
		resp, err := tr.Do(request(t, "GET", host, "/"), c)
		if got := all(t, resp, err); got != "near "+host || c.Server != near {
			t.Errorf("%s: got %q from %v", host, got, c.Server)
		}
	}
	if _, err := tr.Do(request(t, "GET", "near.test", "/"), &Call{Client: netip.MustParseAddr("192.0.2.1"), Address: near}); word(err) != flow.ErrRefused {
		t.Errorf("a local address for a client on the network: %v", err)
	}
	if seen.take() != "" || strings.Join(asked, " ") != "near.test other.test 127.0.0.1 near.test" {
		t.Errorf("Direct was asked about %q", asked)
	}
	// UDP and ping go direct or not at all.
	if _, _, err := tr.DialPacket(t.Context(), loopback, "far.test:53", netip.AddrPort{}); word(err) != flow.ErrRefused || !errors.Is(err, ErrViaTCP) {
		t.Errorf("UDP: %v", err)
	}
	if _, err := tr.DialPing(t.Context(), loopback, netip.MustParseAddr("203.0.113.1")); word(err) != flow.ErrRefused || !errors.Is(err, ErrViaTCP) {
		t.Errorf("ping: %v", err)
	}
	c, _, err := tr.DialPacket(t.Context(), loopback, "near.test:53", near)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestViaEarly relays a server that speaks first, in one packet with the proxy's
// answer.
func TestViaEarly(t *testing.T) {
	addr := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		answer(c, in, "HTTP/1.1 200 Connection established\r\n\r\n220 hello\r\n")
		io.Copy(c, in)
	})
	via := &url.URL{Scheme: "http", Host: addr}
	c, server, _, err := open(t, Config{Via: via}).Dial(t.Context(), loopback, "mail.test:25", netip.AddrPort{}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "QUIT")
	c.(interface{ CloseWrite() error }).CloseWrite()
	got, err := io.ReadAll(c)
	if string(got) != "220 hello\r\nQUIT" || err != nil || server.IsValid() {
		t.Errorf("got %q from %v, %v", got, server, err)
	}
}

func TestParseVia(t *testing.T) {
	for s, ok := range map[string]bool{
		"http://proxy.test:3128": true, "https://u:p@proxy.test": true, "socks5://[::1]:1080": true, "socks5h://u:p@h/": true,
		"ftp://s3cret@h": false, "proxy.test:3128": false, "": false, "http://": false, "http://u:s3cret@h/path": false,
		"http://h?s3cret": false, "http://u:s3cret@h:port": false, "http://%s3cret@h": false, "http://a%3ab:s3cret@h": false,
		"socks5://u:s3cret" + strings.Repeat("x", 255) + "@h": false, "socks4://h": false,
	} {
		u, err := ParseVia(s)
		if (err == nil) != ok || (u != nil) != ok || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v, %v", s, u, err)
		}
	}
}

// socksServer is a SOCKS5 server that others wrote, a program of its own.
type socksServer struct {
	name  string
	start func(t *testing.T, port string, password bool) *exec.Cmd
}

var socksServers = []socksServer{
	{"microsocks", func(t *testing.T, port string, password bool) *exec.Cmd {
		args := []string{"-i", "127.0.0.1", "-p", port}
		if password {
			args = append(args, "-u", "ann", "-P", "s3cret")
		}
		return exec.Command("microsocks", args...)
	}},
	{"danted", func(t *testing.T, port string, password bool) *exec.Cmd {
		if password {
			t.Skip("it would need an account on this machine")
		}
		conf := filepath.Join(t.TempDir(), "danted.conf")
		text := "logoutput: /dev/null\ninternal: 127.0.0.1 port = " + port + "\nexternal: lo\nclientmethod: none\nsocksmethod: none\n" +
			"client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\nsocks block { from: 0.0.0.0/0 to: forbidden.test }\nsocks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }\n"
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command("danted", "-N", "1", "-f", conf)
	}},
}

// run starts the server for the test.
func (s socksServer) run(t *testing.T, password bool) string {
	if _, err := exec.LookPath(s.name); err != nil {
		t.Skip(s.name + " is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := s.start(t, port, password)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
	})
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("%s does not listen", s.name)
	return ""
}

// TestViaSOCKS goes through SOCKS5 servers that others wrote.
func TestViaSOCKS(t *testing.T) {
	ca := newAuthority(t)
	addr, _ := secure(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }), serverTLS(ca.issue(t, nil, "localhost")), "h2")
	at := netip.MustParseAddrPort(addr)
	for _, s := range socksServers {
		for _, password := range []bool{false, true} {
			t.Run(fmt.Sprint(s.name, password), func(t *testing.T) {
				via := s.run(t, password)
				for _, tt := range []struct {
					scheme, host string
					server       netip.AddrPort
				}{
					{"socks5", addr, at},
					{"socks5h", addr, at},
					{"socks5h", strings.Replace(addr, "127.0.0.1", "localhost", 1), netip.AddrPort{}},
					{"socks5", strings.Replace(addr, "127.0.0.1", "localhost", 1), at},
				} {
					u := &url.URL{Scheme: tt.scheme, Host: via}
					if password {
						u.User = url.UserPassword("ann", "s3cret")
					}
					r, c := over2(t, "GET", tt.host, "/")
					resp, err := open(t, Config{Via: u, Roots: ca.pool}).Do(r, c)
					if got := all(t, resp, err); got != "HTTP/2.0" || c.Server != tt.server {
						t.Errorf("%s to %s: got %q from %v", tt.scheme, tt.host, got, c.Server)
					}
				}
				if password {
					for _, user := range []*url.Userinfo{nil, url.UserPassword("ann", "s3cretwrong")} {
						u := &url.URL{Scheme: "socks5h", Host: via, User: user}
						if _, err := open(t, Config{Via: u}).Do(request(t, "GET", addr, "/"), &Call{Client: loopback}); !errors.Is(err, ErrViaPassword) {
							t.Errorf("as %v: %v", user, err)
						}
					}
					return
				}
				u := &url.URL{Scheme: "socks5h", Host: via}
				if _, err := open(t, Config{Via: u}).Do(request(t, "GET", "nowhere.invalid", "/"), &Call{Client: loopback}); !errors.Is(err, ErrViaRefused) || word(err) != flow.ErrConnect {
					t.Errorf("unknown name: %v", err)
				}
			})
		}
	}
}

// TestViaSOCKSGuard: with socks5 the name is resolved here, and Allow judges it.
func TestViaSOCKSGuard(t *testing.T) {
	addr := raw(t, func(_ int, c net.Conn, _ *bufio.Reader) { t.Error("the proxy was asked") })
	tr := open(t, Config{Via: &url.URL{Scheme: "socks5", Host: addr}})
	client := netip.MustParseAddr("192.0.2.1")
	for _, scheme := range []string{"http", "socks5h"} { // resolve names, but what this one means is known
		tr := open(t, Config{Via: &url.URL{Scheme: scheme, Host: addr}})
		for _, host := range []string{"localhost:631", "LOCALHOST:631", "x.localhost:631"} {
			if _, _, _, err := tr.Dial(t.Context(), client, host, netip.AddrPort{}, "", ""); word(err) != flow.ErrRefused {
				t.Errorf("%s of %s: %v", host, scheme, err)
			}
		}
	}
	if _, err := tr.Do(request(t, "GET", "localhost:1", "/"), &Call{Client: client}); word(err) != flow.ErrRefused {
		t.Errorf("localhost: %v", err)
	}
	if _, err := tr.Do(request(t, "GET", "nowhere.invalid", "/"), &Call{Client: client}); word(err) != flow.ErrDNS {
		t.Errorf("unknown name: %v", err)
	}
}

// FuzzVia holds what an upstream proxy may say.
func FuzzVia(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\n\r\nearly", "HTTP/1.1 407 No\r\n\r\n", "\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50early",
		"\x05\x02\x01\x00\x05\x00\x00\x03\x04abcd\x00\x50", "\x05\x02\x01\x01", "\x05\xff", "\x05\x00\x05\x09\x00\x04", "",
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, in []byte, socks bool) {
		ours, theirs := net.Pipe()
		var wg sync.WaitGroup
		wg.Go(func() { io.Copy(io.Discard, theirs) })
		wg.Go(func() { theirs.Write(in); theirs.Close() })
		defer wg.Wait()
		defer ours.Close()
		var err error
		c := net.Conn(ours)
		if socks {
			err = socksVia(ours, "a.test:80", "ann", "s3cret")
		} else {
			c, err = connectVia(ours, "a.test:80", "ann", "s3cret")
		}
		if err != nil {
			if !errors.Is(err, ErrViaUnreachable) && !errors.Is(err, ErrViaPassword) && !errors.Is(err, ErrViaRefused) {
				t.Errorf("%v", err)
			}
			return
		}
		rest, err := io.ReadAll(c)
		if err != nil || !strings.HasSuffix(string(in), string(rest)) {
			t.Errorf("read %q of %q, %v", rest, in, err)
		}
	})
}
