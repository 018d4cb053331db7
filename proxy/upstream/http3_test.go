package upstream

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"constat/proxy/flow"
)

// over3 returns a request and a call for addr from a client that speaks HTTP/3.
func over3(t testing.TB, method, addr, path string) (*http.Request, *Call) {
	r := request(t, method, addr, path)
	r.URL.Scheme = "https"
	return r, &Call{Client: loopback, HTTP3: true}
}

// server3 is an HTTP/3 server, with the addresses its connections came from.
type server3 struct {
	*http3.Server
	addr string
	udp  *net.UDPConn

	mu    sync.Mutex
	froms []string
}

func (s *server3) conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.froms)
}

// listenUDP returns a socket at a free port.
func listenUDP(t testing.TB) *net.UDPConn {
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	return udp
}

// beside starts a TLS server and returns its address, and a socket with the same
// port.
func beside(t testing.TB, h http.Handler, conf *tls.Config, protos ...string) (string, *net.UDPConn) {
	for range 20 {
		addr, _ := secure(t, h, conf.Clone(), protos...)
		if udp, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr))); err == nil {
			t.Cleanup(func() { udp.Close() })
			return addr, udp
		}
	}
	t.Fatal("no port is free for both TCP and UDP")
	return "", nil
}

// quicServer starts an HTTP/3 server for h on udp.
func quicServer(t testing.TB, h http.Handler, conf *tls.Config, udp *net.UDPConn) *server3 {
	s := &server3{udp: udp, addr: udp.LocalAddr().String()}
	s.Server = &http3.Server{
		Handler: h, TLSConfig: http3.ConfigureTLSConfig(conf),
		ConnContext: func(ctx context.Context, c *quic.Conn) context.Context {
			s.mu.Lock()
			s.froms = append(s.froms, c.RemoteAddr().String())
			s.mu.Unlock()
			return ctx
		},
	}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(udp) }()
	t.Cleanup(func() { s.Server.Close(); udp.Close(); <-done })
	return s
}

// both starts a server that speaks HTTP/3, HTTP/2 and HTTP/1.1 at one port.
func both(t testing.TB, ca *authority, h http.Handler) *server3 {
	cert := ca.issue(t, nil, "a.test")
	_, udp := beside(t, h, serverTLS(cert), "h2")
	return quicServer(t, h, serverTLS(cert), udp)
}

func TestHTTP3(t *testing.T) {
	ca := newAuthority(t)
	s := both(t, ca, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("B", "2")
		w.Header()["A"] = []string{"1", "3"}
		w.Header()["Date"] = nil
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Encoding", "gzip") // not true: nobody may look
		w.WriteHeader(201)
		io.WriteString(w, r.Proto+r.URL.Path+r.Host)
	}))
	tr := open(t, Config{Roots: ca.pool, Resolve: map[string]string{"a.test:443": s.addr}})
	for i := range 3 {
		r, c := over3(t, "GET", "a.test", "/x")
		resp, err := tr.Do(r, c)
		if got := all(t, resp, err); got != "HTTP/3.0/xa.test" || c.Reused != (i > 0) || c.Server.String() != s.addr || resp.Request != r {
			t.Errorf("got %q, reused %v, server %v", got, c.Reused, c.Server)
		}
		f := c.TLS
		if f == nil || f.Version != "TLS 1.3" || f.Cipher == "" || f.Group == "" || f.ALPN != "h3" || len(f.Chain) != 2 || f.Resumed || f.Error != "" {
			t.Errorf("TLS %+v", f)
		}
		want := "HTTP/3.0 201 Created\r\na: 1\r\na: 3\r\nb: 2\r\ncontent-encoding: gzip\r\ncontent-type: text/plain\r\n\r\n"
		if got := strings.Replace(string(c.ResponseHead), "content-length: 16\r\n", "", 1); got != want || c.Exact {
			t.Errorf("head (-want +got):\n%s", cmp.Diff(want, got))
		}
	}
	if n := s.conns(); n != 1 {
		t.Errorf("%d connections", n)
	}
	// A client that does not speak HTTP/3 gets the same server over TCP.
	r, _ := over3(t, "GET", "a.test", "/y")
	resp, err := tr.Do(r, &Call{Client: loopback, HTTP2: true})
	if got := all(t, resp, err); got != "HTTP/2.0/ya.test" {
		t.Errorf("got %q", got)
	}
}

// TestHTTP3Fields compares what a server gets with what was sent: nothing is added.
func TestHTTP3Fields(t *testing.T) {
	ca := newAuthority(t)
	got := make(chan http.Header, 1)
	s := quicServer(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }), serverTLS(ca.issue(t, nil)), listenUDP(t))
	r, c := over3(t, "GET", s.addr, "/p?q")
	r.Header = http.Header{
		"X-A": {"1", "2"}, "Connection": {"x-gone"}, "X-Gone": {"1"}, "Te": {"trailers"}, "Proxy-Authorization": {"secret"}, "Keep-Alive": {"5"},
	}
	resp, err := open(t, Config{Roots: ca.pool}).Do(r, c)
	all(t, resp, err)
	if diff := cmp.Diff(http.Header{"X-A": {"1", "2"}, "Te": {"trailers"}}, <-got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// TestHTTP3Together sends many requests at once: they share what is dialled, within
// one client.
func TestHTTP3Together(t *testing.T) {
	ca := newAuthority(t)
	var all20 sync.WaitGroup
	all20.Add(20)
	s := quicServer(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		all20.Done()
		all20.Wait()
	}), serverTLS(ca.issue(t, nil)), listenUDP(t))
	tr := open(t, Config{Roots: ca.pool, Allow: func(netip.Addr, netip.AddrPort) error { return nil }})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			r, c := over3(t, "GET", s.addr, "/")
			c.Client = netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 2)})
			resp, err := tr.Do(r, c)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
		})
	}
	wg.Wait()
	if n := s.conns(); n != 2 || s.froms[0] == s.froms[1] {
		t.Errorf("%d connections for two clients: %v", n, s.froms)
	}
}

// TestHTTP3BothWays is what a bidirectional gRPC call does: messages in turn on one
// stream, and a trailer at the end.
func TestHTTP3BothWays(t *testing.T) {
	ca := newAuthority(t)
	s := quicServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Grpc-Status")
		c := http.NewResponseController(w)
		c.Flush()
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			w.Write(buf[:n])
			c.Flush()
			if err != nil {
				break
			}
		}
		w.Header().Set("Grpc-Status", "0 "+r.Trailer.Get("X-Last"))
	}), serverTLS(ca.issue(t, nil)), listenUDP(t))
	r, c := over3(t, "POST", s.addr, "/")
	body, out := io.Pipe()
	r.Body, r.ContentLength = body, -1
	r.Trailer = http.Header{"X-Last": nil}
	resp, err := open(t, Config{Roots: ca.pool}).Do(r, c)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	for _, s := range []string{"one", "two", "three"} {
		io.WriteString(out, s)
		if n, err := resp.Body.Read(buf); string(buf[:n]) != s || err != nil {
			t.Fatalf("got %q, %v", buf[:n], err)
		}
	}
	r.Trailer["X-Last"] = []string{"end"}
	out.Close()
	all(t, resp, nil)
	if got := resp.Trailer.Get("Grpc-Status"); got != "0 end" {
		t.Errorf("trailer %q", got)
	}
}

// TestHTTP3Bulk sends 10 MiB each way, at the same time, and compares every byte.
func TestHTTP3Bulk(t *testing.T) {
	ca := newAuthority(t)
	s := quicServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }), serverTLS(ca.issue(t, nil)), listenUDP(t))
	data := make([]byte, 10<<20)
	rand.Read(data)
	tr := open(t, Config{Roots: ca.pool})
	for _, length := range []int64{10 << 20, -1} {
		r, c := over3(t, "POST", s.addr, "/")
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), length
		resp, err := tr.Do(r, c)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		n, err := io.Copy(h, resp.Body)
		resp.Body.Close()
		if n != 10<<20 || err != nil || [32]byte(h.Sum(nil)) != sha256.Sum256(data) {
			t.Errorf("length %d: %d bytes came back, %v", length, n, err)
		}
	}
}

// TestHTTP3Fallback holds servers without HTTP/3: they are asked over TCP, and for a
// while not over QUIC any more.
func TestHTTP3Fallback(t *testing.T) {
	ca := newAuthority(t)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })
	cert := ca.issue(t, nil, "a.test")
	listen := func(t *testing.T, udp *net.UDPConn, conf *tls.Config) {
		tr := &quic.Transport{Conn: udp}
		if _, err := tr.Listen(conf, nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { tr.Close() })
	}
	for _, tt := range []struct {
		name  string
		start func(*testing.T, *net.UDPConn)
	}{
		{"nobody listens", func(_ *testing.T, udp *net.UDPConn) { udp.Close() }},
		{"silent", func(*testing.T, *net.UDPConn) {}},
		{"other protocol", func(t *testing.T, udp *net.UDPConn) {
			conf := serverTLS(cert)
			conf.NextProtos = []string{"doq"}
			listen(t, udp, conf)
		}},
		{"refuses", func(t *testing.T, udp *net.UDPConn) {
			conf := serverTLS(cert)
			conf.NextProtos = []string{"h3"}
			conf.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no") }
			listen(t, udp, conf)
		}},
	} {
		for _, proto := range []string{"h2", "http/1.1"} {
			t.Run(tt.name+" "+proto, func(t *testing.T) {
				addr, udp := beside(t, h, serverTLS(cert), proto)
				tt.start(t, udp)
				var mu sync.Mutex
				asked := 0
				tr := open(t, Config{Roots: ca.pool, HTTP3Timeout: 100 * time.Millisecond, Allow: func(netip.Addr, netip.AddrPort) error {
					mu.Lock()
					defer mu.Unlock()
					asked++
					return nil
				}})
				want := map[string]string{"h2": "HTTP/2.0", "http/1.1": "HTTP/1.1"}[proto]
				for i := range 3 {
					r, c := over3(t, "POST", addr, "/")
					r.Body, r.ContentLength = io.NopCloser(strings.NewReader("abc")), 3
					resp, err := tr.Do(r, c)
					if got := all(t, resp, err); got != want || c.Reused != (i > 0) || c.Server.String() != addr || c.TLS.ALPN != proto {
						t.Errorf("got %q, reused %v, server %v, %+v", got, c.Reused, c.Server, c.TLS)
					}
				}
				if asked != 2 {
					t.Errorf("Allow was asked about %d dials, want one each for QUIC and TCP", asked)
				}
				tr.quic.sweep(time.Now().Add(time.Hour), time.Now())
				if len(tr.quic.broken) != 0 || len(tr.quic.hosts) != 0 {
					t.Errorf("after a while %v and %v are remembered", tr.quic.broken, tr.quic.hosts)
				}
			})
		}
	}
}

// TestHTTP3Certificate: a certificate that is not accepted is an error, also when
// the server has a good one over TCP.
func TestHTTP3Certificate(t *testing.T) {
	ca := newAuthority(t)
	asked := false
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true })
	for name, tt := range map[string]struct {
		cert tls.Certificate
		want string
	}{
		"self-signed": {selfSigned(t, "a.test"), "self-signed"},
		"wrong host":  {ca.issue(t, nil, "b.test"), `wrong host: the certificate is for "b.test", "127.0.0.1", not for "a.test"`},
	} {
		addr, udp := beside(t, h, serverTLS(ca.issue(t, nil, "a.test")), "h2")
		quicServer(t, h, serverTLS(tt.cert), udp)
		tr := open(t, Config{Roots: ca.pool, Resolve: map[string]string{"a.test:443": addr}})
		for range 2 {
			r, c := over3(t, "POST", "a.test", "/")
			body := &closed{Reader: strings.NewReader("abc")}
			r.Body, r.ContentLength = body, 3
			_, err := tr.Do(r, c)
			if word(err) != flow.ErrServerTLS || !strings.Contains(err.Error(), tt.want) || asked || !body.done {
				t.Fatalf("%s: %v, asked %v, body closed %v", name, err, asked, body.done)
			}
			if f := c.TLS; f == nil || len(f.Chain) != len(tt.cert.Certificate) || !strings.Contains(f.Error, tt.want) || f.Version != "TLS 1.3" || c.Server.String() != addr {
				t.Errorf("%s: %+v, server %v", name, f, c.Server)
			}
		}
	}
}

func TestHTTP3Refused(t *testing.T) {
	ca := newAuthority(t)
	s := both(t, ca, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }))
	asked := 0
	tr := open(t, Config{Roots: ca.pool, Allow: func(client netip.Addr, a netip.AddrPort) error { asked++; return Guard(nil)(client, a) }})
	r, c := over3(t, "GET", "a.test", "/")
	c.Client, c.Address = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddrPort(s.addr)
	if _, err := tr.Do(r, c); word(err) != flow.ErrRefused || c.Server.IsValid() || asked != 1 || s.conns() != 0 {
		t.Errorf("%v, server %v, Allow asked %d times", err, c.Server, asked)
	}
	r, c = over3(t, "GET", "nowhere.invalid", "/")
	if _, err := tr.Do(r, c); word(err) != flow.ErrDNS {
		t.Errorf("unknown name: %v", err)
	}
}

// TestHTTP3Via: what goes through an upstream proxy is TCP.
func TestHTTP3Via(t *testing.T) {
	ca := newAuthority(t)
	s := both(t, ca, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	via, seen := httpVia(t, s.addr, false, nil)
	for direct, want := range map[bool]string{true: "HTTP/3.0", false: "HTTP/2.0"} {
		r, c := over3(t, "GET", "a.test", "/")
		c.Address = netip.MustParseAddrPort(s.addr)
		resp, err := open(t, Config{Roots: ca.pool, Via: via, Direct: func(string) bool { return direct }}).Do(r, c)
		if got := all(t, resp, err); got != want || (seen.take() == "") != direct {
			t.Errorf("direct %v: got %q", direct, got)
		}
	}
}

// TestHTTP3Cancel gives requests up at different times. The connection goes on.
func TestHTTP3Cancel(t *testing.T) {
	ca := newAuthority(t)
	gone := make(chan string, 10)
	arrived := make(chan struct{}, 10)
	s := quicServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		switch r.URL.Path {
		case "/head":
			<-r.Context().Done()
		case "/down":
			w.Write(make([]byte, 1000))
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case "/up":
			io.Copy(io.Discard, r.Body)
		default:
			return
		}
		gone <- r.URL.Path
	}), serverTLS(ca.issue(t, nil)), listenUDP(t))
	tr := open(t, Config{Roots: ca.pool})
	ctx, cancel := context.WithCancel(t.Context())
	r, c := over3(t, "GET", s.addr, "/head")
	go func() { <-arrived; cancel() }()
	if _, err := tr.Do(r.WithContext(ctx), c); word(err) != flow.ErrClientClosed {
		t.Errorf("before the head: %v", err)
	}
	<-gone

	ctx, cancel = context.WithCancel(t.Context())
	r, c = over3(t, "GET", s.addr, "/down")
	resp, err := tr.Do(r.WithContext(ctx), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := resp.Body.Read(make([]byte, 1)); word(err) != flow.ErrClientClosed {
		t.Errorf("during the body: %v", err)
	}
	resp.Body.Close()
	<-gone
	<-arrived

	ctx, cancel = context.WithCancel(t.Context())
	r, c = over3(t, "POST", s.addr, "/up")
	body, out := io.Pipe()
	r.Body, r.ContentLength = body, -1
	go func() { out.Write(make([]byte, 100_000)); <-arrived; cancel() }()
	if _, err := tr.Do(r.WithContext(ctx), c); word(err) != flow.ErrClientClosed {
		t.Errorf("during the request: %v", err)
	}
	<-gone
	if _, err := out.Write(make([]byte, 1)); err == nil {
		t.Error("the request's body is still read")
	}

	r, c = over3(t, "GET", s.addr, "/")
	resp, err = tr.Do(r, c)
	all(t, resp, err)
	if !c.Reused || s.conns() != 1 {
		t.Errorf("reused %v, %d connections", c.Reused, s.conns())
	}
}

// TestHTTP3BrokenRequest: a body that breaks off must not look whole to the server.
func TestHTTP3BrokenRequest(t *testing.T) {
	ca := newAuthority(t)
	arrived, ended := make(chan struct{}), make(chan error, 1)
	s := quicServer(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	}), serverTLS(ca.issue(t, nil)), listenUDP(t))
	tr := open(t, Config{Roots: ca.pool})
	for _, tt := range []struct {
		length int64
		end    error
	}{{-1, errors.New("secret")}, {200_000, errors.New("secret")}, {150_000, io.EOF}} {
		r, c := over3(t, "POST", s.addr, "/")
		text := strings.NewReader(strings.Repeat("x", 100_000))
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(text, endsOnce{arrived, tt.end})), tt.length
		_, err := tr.Do(r, c)
		if word(err) != flow.ErrClientClosed || strings.Contains(err.Error(), "secret") {
			t.Errorf("length %d, %v: %v", tt.length, tt.end, err)
		}
		if err := <-ended; err == nil {
			t.Errorf("length %d, %v: the server read a whole body", tt.length, tt.end)
		}
	}
}

// endsOnce is the end of a body, with err, once the request has arrived.
type endsOnce struct {
	arrived <-chan struct{}
	err     error
}

func (e endsOnce) Read([]byte) (int, error) {
	<-e.arrived
	return 0, e.err
}

// counting counts reads.
type counting struct {
	io.Reader
	reads atomic.Int64
}

func (c *counting) Read(p []byte) (int, error) {
	c.reads.Add(1)
	return c.Reader.Read(p)
}

// TestHTTP3Misdeeds holds servers that break off or break the protocol.
func TestHTTP3Misdeeds(t *testing.T) {
	ca := newAuthority(t)
	for _, tt := range []struct {
		name string
		do   func(*quic.Conn, *quic.Stream)
		word string // of Do's error, or of the body's when it begins with "body "
	}{
		{"reset", func(_ *quic.Conn, s *quic.Stream) { s.CancelWrite(0x102) }, flow.ErrServerClosed},
		{"no response", func(_ *quic.Conn, s *quic.Stream) { s.Close() }, flow.ErrServerClosed},
		{"closed", func(c *quic.Conn, _ *quic.Stream) { c.CloseWithError(0x102, "secret") }, flow.ErrServerClosed},
		{"reset in the body", func(_ *quic.Conn, s *quic.Stream) {
			s.Write([]byte("\x01\x03\x00\x00\xd9" + "\x00\x03abc"))
			time.Sleep(20 * time.Millisecond)
			s.CancelWrite(0x102)
		}, "body " + flow.ErrServerClosed},
		{"closed in the body", func(c *quic.Conn, s *quic.Stream) {
			s.Write([]byte("\x01\x03\x00\x00\xd9" + "\x00\x03abc"))
			time.Sleep(20 * time.Millisecond)
			c.CloseWithError(0x102, "secret")
		}, "body " + flow.ErrServerClosed},
		{"short of the frame", func(_ *quic.Conn, s *quic.Stream) {
			s.Write([]byte("\x01\x03\x00\x00\xd9" + "\x00\x09abc"))
			s.Close()
		}, "body ?unexpected EOF"},
		{"short of the length", func(_ *quic.Conn, s *quic.Stream) { // content-length is entry 4 of the static table
			s.Write([]byte("\x01\x06\x00\x00\xd9\x54\x01\x39" + "\x00\x03abc"))
			s.Close()
		}, "body ?unexpected EOF"},
		{"data first", func(_ *quic.Conn, s *quic.Stream) { s.Write([]byte("\x00\x03abc")) }, flow.ErrServerBad},
		{"not QPACK", func(_ *quic.Conn, s *quic.Stream) { s.Write([]byte("\x01\x06secret")) }, flow.ErrServerBad},
		{"no status", func(_ *quic.Conn, s *quic.Stream) { s.Write([]byte("\x01\x02\x00\x00")) }, flow.ErrServerBad},
		{"endless head", func(_ *quic.Conn, s *quic.Stream) { s.Write([]byte("\x01\x80\x20\x00\x00secret")) }, flow.ErrServerBad},
		{"data behind trailers", func(_ *quic.Conn, s *quic.Stream) {
			s.Write([]byte("\x01\x03\x00\x00\xd9" + "\x00\x03abc" + "\x01\x02\x00\x00" + "\x00\x03abc"))
		}, "body " + flow.ErrServerBad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := open(t, Config{Roots: ca.pool})
			r, c := over3(t, "POST", rawQUIC(t, ca, tt.do), "/")
			resp, err := tr.Do(r, c)
			got := word(err)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				got = "body " + word(err)
			}
			if got != tt.word || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %q (%v), want %q", got, err, tt.word)
			}
		})
	}
}

// rawQUIC starts a server that hands each request's stream to do, unread.
func rawQUIC(t testing.TB, ca *authority, do func(*quic.Conn, *quic.Stream)) string {
	conf := serverTLS(ca.issue(t, nil))
	conf.NextProtos = []string{"h3"}
	l, err := quic.ListenAddr("127.0.0.1:0", conf, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	wg.Go(func() {
		for {
			c, err := l.Accept(ctx)
			if err != nil {
				return
			}
			wg.Go(func() {
				if control, err := c.OpenUniStream(); err == nil {
					control.Write([]byte{0, 4, 0}) // SETTINGS, none
				}
				for {
					s, err := c.AcceptStream(ctx)
					if err != nil {
						c.CloseWithError(0x100, "")
						return
					}
					do(c, s)
				}
			})
		}
	})
	t.Cleanup(func() { cancel(); l.Close(); wg.Wait() })
	return l.Addr().String()
}

// TestHTTP3Again sends a request again that the server cannot have acted on.
func TestHTTP3Again(t *testing.T) {
	ca := newAuthority(t)
	answer := func(s *quic.Stream) { s.Write([]byte("\x01\x03\x00\x00\xd9")); s.Close() } // 200
	for _, tt := range []struct {
		name, method string
		body         string
		do           func(*quic.Conn, *quic.Stream)
		word         string
	}{
		{"rejected", "POST", "abc", func(_ *quic.Conn, s *quic.Stream) { s.CancelWrite(0x10b) }, ""},
		{"closed, GET", "GET", "", func(c *quic.Conn, _ *quic.Stream) { c.CloseWithError(0x100, "") }, ""},
		{"closed, POST", "POST", "abc", func(c *quic.Conn, _ *quic.Stream) { c.CloseWithError(0x100, "") }, flow.ErrServerClosed},
		{"reset", "GET", "", func(_ *quic.Conn, s *quic.Stream) { s.CancelWrite(0x102) }, flow.ErrServerClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			n := 0
			addr := rawQUIC(t, ca, func(c *quic.Conn, s *quic.Stream) {
				mu.Lock()
				n++
				second := n == 2
				mu.Unlock()
				if second {
					tt.do(c, s)
				} else {
					answer(s)
				}
			})
			tr := open(t, Config{Roots: ca.pool})
			r, c := over3(t, "GET", addr, "/")
			resp, err := tr.Do(r, c)
			all(t, resp, err)
			r, c = over3(t, tt.method, addr, "/")
			if tt.body != "" {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(tt.body)), int64(len(tt.body))
			}
			resp, err = tr.Do(r, c)
			if word(err) != tt.word {
				t.Fatalf("got %v", err)
			}
			if err == nil {
				all(t, resp, nil)
				mu.Lock()
				defer mu.Unlock()
				if n != 3 || c.Reused {
					t.Errorf("%d requests, reused %v", n, c.Reused)
				}
			}
		})
	}
}

// TestHTTP3Gone takes the server's QUIC away while its connection is open: what may
// be repeated goes out over TCP.
func TestHTTP3Gone(t *testing.T) {
	ca := newAuthority(t)
	for _, tt := range []struct{ method, body, want string }{
		{"GET", "", "HTTP/2.0 "}, {"PUT", "abc", "HTTP/2.0 abc"}, {"POST", "abc", ""},
	} {
		s := both(t, ca, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, r.Proto+" ")
			io.Copy(w, r.Body)
		}))
		tr := open(t, Config{Roots: ca.pool})
		r, c := over3(t, "GET", s.addr, "/")
		resp, err := tr.Do(r, c)
		if got := all(t, resp, err); got != "HTTP/3.0 " {
			t.Errorf("got %q", got)
		}
		s.udp.Close()
		r, c = over3(t, tt.method, s.addr, "/")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(tt.body)), int64(len(tt.body))
		resp, err = tr.Do(r, c)
		if tt.want == "" {
			if word(err) != flow.ErrServerClosed {
				t.Errorf("%s: %v", tt.method, err)
			}
			continue
		}
		if got := all(t, resp, err); got != tt.want || c.TLS.ALPN != "h2" || resp.Request != r {
			t.Errorf("%s: got %q", tt.method, got)
		}
	}
}

// TestHTTP3Silent cuts off servers that do not answer, or do not take a body.
func TestHTTP3Silent(t *testing.T) {
	ca := newAuthority(t)
	addr := rawQUIC(t, ca, func(*quic.Conn, *quic.Stream) {})
	for _, size := range []int{0, 3, 5 << 20} {
		r, c := over3(t, "POST", addr, "/")
		if size > 0 {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, size))), int64(size)
		}
		if _, err := open(t, Config{Roots: ca.pool, HeadTimeout: 50 * time.Millisecond}).Do(r, c); word(err) != flow.ErrTimeout {
			t.Errorf("a body of %d bytes: %v", size, err)
		}
	}
	// A client may pause in its body for longer than that.
	s := quicServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }), serverTLS(ca.issue(t, nil)), listenUDP(t))
	r, c := over3(t, "POST", s.addr, "/")
	body, out := io.Pipe()
	r.Body, r.ContentLength = body, -1
	go func() {
		time.Sleep(150 * time.Millisecond)
		io.WriteString(out, "late")
		out.Close()
	}()
	resp, err := open(t, Config{Roots: ca.pool, HeadTimeout: 50 * time.Millisecond}).Do(r, c)
	if got := all(t, resp, err); got != "late" {
		t.Errorf("got %q", got)
	}
}

// TestHTTP3Expect holds the body back until the server wants it.
func TestHTTP3Expect(t *testing.T) {
	ca := newAuthority(t)
	s := quicServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			w.WriteHeader(417)
			return
		}
		w.WriteHeader(100)
		io.Copy(w, r.Body)
	}), serverTLS(ca.issue(t, nil)), listenUDP(t))
	tr := open(t, Config{Roots: ca.pool})
	for path, want := range map[string]string{"/yes": "200 abc", "/no": "417 "} {
		r, c := over3(t, "POST", s.addr, path)
		in := &counting{Reader: strings.NewReader("abc")}
		r.Body, r.ContentLength = io.NopCloser(in), 3
		r.Header.Set("Expect", "100-continue")
		resp, err := tr.Do(r, c)
		if got := all(t, resp, err); fmt.Sprint(resp.StatusCode, " ", got) != want || (in.reads.Load() > 0) != (path == "/yes") {
			t.Errorf("%s: got %d %q after %d reads", path, resp.StatusCode, got, in.reads.Load())
		}
	}
}

func TestHTTP3Interim(t *testing.T) {
	ca := newAuthority(t)
	s := quicServer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(100)
		w.Header()["Link"] = []string{"</a>; rel=preload", "</b>"}
		w.WriteHeader(103)
		w.Header()["Link"] = []string{"</c>"}
		w.WriteHeader(103)
	}), serverTLS(ca.issue(t, nil)), listenUDP(t))
	r, c := over3(t, "GET", s.addr, "/")
	list := informed(c)
	resp, err := open(t, Config{Roots: ca.pool}).Do(r, c)
	all(t, resp, err)
	heads := "HTTP/3.0 100 Continue\r\n\r\n" +
		"HTTP/3.0 103 Early Hints\r\nlink: </a>; rel=preload\r\nlink: </b>\r\n\r\n" +
		"HTTP/3.0 103 Early Hints\r\nlink: </c>\r\n\r\n"
	if got := fmt.Sprint(*list); got != informedTwice || string(c.Interim) != heads {
		t.Errorf("informed of %v, heads %q", got, c.Interim)
	}
}

func TestHTTP3Resumption(t *testing.T) {
	ca := newAuthority(t)
	s := quicServer(t, http.NotFoundHandler(), serverTLS(ca.issue(t, nil, "a.test")), listenUDP(t))
	tr := open(t, Config{Roots: ca.pool, Resolve: map[string]string{"a.test:443": s.addr}})
	for i, want := range []bool{false, true, false} {
		r, c := over3(t, "GET", "a.test", "/")
		if i == 2 {
			c.Client = netip.MustParseAddr("127.0.0.2")
		}
		resp, err := tr.Do(r, c)
		all(t, resp, err)
		if c.Reused || c.TLS.Resumed != want || len(c.TLS.Chain) != 2 {
			t.Errorf("connection %d: reused %v, resumed %v", i, c.Reused, c.TLS.Resumed)
		}
		tr.quic.sweep(time.Now(), time.Now().Add(time.Hour)) // closes it
	}
	tr.quic.mu.Lock()
	defer tr.quic.mu.Unlock()
	if len(tr.quic.hosts) != 0 {
		t.Errorf("%d hosts are remembered", len(tr.quic.hosts))
	}
}

// TestHTTP3Close cuts off what is under way.
func TestHTTP3Close(t *testing.T) {
	ca := newAuthority(t)
	arrived := make(chan *quic.Stream)
	addr := rawQUIC(t, ca, func(_ *quic.Conn, s *quic.Stream) { arrived <- s })
	tr := open(t, Config{Roots: ca.pool})
	failed := make(chan error)
	go func() {
		r, c := over3(t, "GET", addr, "/")
		_, err := tr.Do(r, c)
		failed <- err
	}()
	<-arrived
	tr.Close()
	if err := <-failed; word(err) != flow.ErrCutOff {
		t.Errorf("got %v", err)
	}
	r, c := over3(t, "GET", addr, "/")
	if _, err := tr.Do(r, c); word(err) != flow.ErrCutOff {
		t.Errorf("after Close: %v", err)
	}
}

// TestHTTP3BadRequests holds what must not go out; the errors quote nothing.
func TestHTTP3BadRequests(t *testing.T) {
	ca := newAuthority(t)
	s := both(t, ca, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method != "GET_0RTT" || r.ProtoMajor != 2 {
			t.Errorf("%s arrived over %s", r.Method, r.Proto)
		}
	}))
	tr := open(t, Config{Roots: ca.pool})
	for name, edit := range map[string]func(*http.Request){
		"value":   func(r *http.Request) { r.Header["X"] = []string{"secret\r\nY: z"} },
		"trailer": func(r *http.Request) { r.Trailer = http.Header{"X": {"secret\x00"}} },
		"target":  func(r *http.Request) { r.URL = &url.URL{Scheme: "https", Host: s.addr, Opaque: "secret"} },
		"method":  func(r *http.Request) { r.Method = "CONNECT" },
	} {
		r, c := over3(t, "POST", s.addr, "/")
		body := &closed{Reader: strings.NewReader("abc")}
		r.Body, r.ContentLength = body, 3
		edit(r)
		if _, err := tr.Do(r, c); word(err) != flow.ErrClientBad || strings.Contains(err.Error(), "secret") || !body.done {
			t.Errorf("%s: %v, body closed %v", name, err, body.done)
		}
	}
	// A method that the library takes for a word to itself goes out as it is.
	r, c := over3(t, "GET_0RTT", s.addr, "/")
	resp, err := tr.Do(r, c)
	all(t, resp, err)
	tr.quic.mu.Lock()
	defer tr.quic.mu.Unlock()
	for c3 := range tr.quic.open {
		if c3.requests != 0 {
			t.Errorf("%d requests are still reserved", c3.requests)
		}
	}
}
