package proxy_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"constat/proxy"
	"constat/proxy/datagram"
	"constat/proxy/flow"
)

// packetGate is a door whose flows of datagrams come over loopback, all to one
// destination.
type packetGate struct {
	t     testing.TB
	udp   *net.UDPConn
	to    netip.AddrPort
	table *datagram.Table[netip.AddrPort]
	flows chan *datagram.Flow
	done  chan struct{}
	once  sync.Once

	mu      sync.Mutex
	refused int         // clients that were told that nobody is there
	short   chan []byte // takes one packet with a short header; nil for none
}

// watch returns where the next packet of a client with a short header goes, too.
func (g *packetGate) watch() chan []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.short = make(chan []byte, 1)
	return g.short
}

func (g *packetGate) seen(b []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.short != nil && b[0]&0x80 == 0 {
		g.short <- bytes.Clone(b)
		g.short = nil
	}
}

func (g *packetGate) Accept() (net.Conn, error) {
	select {
	case f := <-g.flows:
		return f, nil
	case <-g.done:
		return nil, net.ErrClosed
	}
}

func (g *packetGate) Close() error {
	g.once.Do(func() { close(g.done) })
	return nil
}

func (g *packetGate) Addr() net.Addr { return g.udp.LocalAddr() }

func (g *packetGate) read() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := g.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		g.seen(buf[:n])
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if f := g.table.Deliver(from, buf[:n], func() *datagram.Flow { return g.open(from) }); f != nil {
			select {
			case g.flows <- f:
			case <-g.done:
			}
		}
	}
}

func (g *packetGate) open(from netip.AddrPort) *datagram.Flow {
	return &datagram.Flow{
		Client: net.UDPAddrFromAddrPort(from), Dest: net.UDPAddrFromAddrPort(g.to), Host: g.to.Addr().String(), Port: g.to.Port(),
		Name: "redmi", Pkg: "com.example.redmi",
		Ways: datagram.Ways{
			Send: func(b []byte) error { _, err := g.udp.WriteToUDPAddrPort(b, from); return err },
			Unreachable: func() error {
				g.mu.Lock()
				defer g.mu.Unlock()
				g.refused++
				return nil
			},
		},
	}
}

func (g *packetGate) refusals() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
}

// packetGated adds a door to a rig whose flows are to this address.
func (g *rig) packetGated(to netip.AddrPort) *packetGate {
	g.t.Helper()
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		g.t.Fatal(err)
	}
	_ = udp.SetReadBuffer(4 << 20)
	gate := &packetGate{
		t: g.t, udp: udp, to: to, table: datagram.NewTable[netip.AddrPort](1000),
		flows: make(chan *datagram.Flow), done: make(chan struct{}),
	}
	var reading sync.WaitGroup
	reading.Go(gate.read)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- g.proxy.ServeDoor(ctx, proxy.Door{Name: "gate", Listener: gate, Own: []netip.Addr{ownAddr}})
	}()
	stop := g.stop
	g.stop = sync.OnceValue(func() error {
		cancel()
		err := <-served
		udp.Close()
		reading.Wait()
		return errors.Join(err, stop())
	})
	return gate
}

// phone is a client of HTTP/3 behind a gate.
type phone struct {
	*http.Client
	transport *http3.Transport

	mu    sync.Mutex
	conns []*quic.Conn
}

// phone returns a client that trusts roots.
func (g *packetGate) phone(roots *x509.CertPool) *phone {
	g.t.Helper()
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		g.t.Fatal(err)
	}
	_ = udp.SetReadBuffer(4 << 20)
	socket := &quic.Transport{Conn: udp}
	p := new(phone)
	p.transport = &http3.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(1)}, DisableCompression: true,
		Dial: func(ctx context.Context, _ string, tc *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			c, err := socket.Dial(ctx, g.udp.LocalAddr(), tc, qc)
			p.mu.Lock()
			defer p.mu.Unlock()
			if err == nil {
				p.conns = append(p.conns, c)
			}
			return c, err
		},
	}
	p.Client = &http.Client{Transport: p.transport}
	g.t.Cleanup(func() { p.transport.Close(); socket.Close(); udp.Close() })
	return p
}

// hangUp closes the phone's connections.
func (p *phone) hangUp() { p.transport.CloseIdleConnections() }

// serve3 starts a server of HTTP/3 on UDP, and of HTTP/2 on TCP at the same port.
func serve3(t testing.TB, h http.HandlerFunc) netip.AddrPort {
	t.Helper()
	s := serve(t, true, h)
	at := serverAddr(s.URL)
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return serve3(t, h) // the port is taken
	}
	_ = udp.SetReadBuffer(4 << 20)
	srv := &http3.Server{Handler: h, TLSConfig: http3.ConfigureTLSConfig(s.TLS.Clone())}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(udp) }()
	t.Cleanup(func() { srv.Close(); udp.Close(); <-done })
	return at
}

// intercepting is a rig that intercepts QUIC, and a gate to a server.
func intercepting(t testing.TB, h http.HandlerFunc, change func(*proxy.Config)) (*rig, *packetGate, string) {
	t.Helper()
	at := serve3(t, h)
	g := newRig(t, func(c *proxy.Config) {
		c.QUIC = proxy.InterceptQUIC
		c.Identify = func(who proxy.Guest) proxy.Identity {
			return proxy.Identity{Device: who.Door + "/" + who.User, App: who.App, Admitted: true}
		}
		if change != nil {
			change(c)
		}
	})
	return g, g.packetGated(at), fmt.Sprintf("https://server.test:%d", at.Port())
}

func connectionOf(t *testing.T, g *rig, x *flow.Exchange) *flow.Connection {
	t.Helper()
	return await(t, g.rec, func(c *flow.Connection) bool { return c.ID == x.Connection })
}

// TestHTTP3 sends requests over HTTP/3 to a server of HTTP/3.
func TestHTTP3(t *testing.T) {
	g, gate, url := intercepting(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server-Proto", r.Proto)
		_, _ = io.Copy(w, r.Body)
		fmt.Fprintf(w, "%s of %s", r.URL.Path, r.Host)
	}, nil)
	p := gate.phone(g.trust)
	resp, body := get(t, p.Client, url+"/hello?x=1")
	if resp.Proto != "HTTP/3.0" || resp.Header.Get("Server-Proto") != "HTTP/3.0" || !strings.HasPrefix(string(body), "/hello of server.test:") {
		t.Errorf("%s %v %q", resp.Proto, resp.Header, body)
	}
	get(t, p.Client, url+"/second")
	p.hangUp()
	x := await(t, g.rec, exchangeAt("/hello"))
	if x.Scheme != "https" || x.Host != "server.test" || x.Port != gate.to.Port() || x.Server != gate.to || x.Query != "x=1" ||
		x.Request.Proto != "HTTP/3.0" || x.Response.Proto != "HTTP/3.0" || x.Status != 200 || x.Error != "" ||
		x.Device != "gate/redmi" || x.App != "com.example.redmi" || x.Door != "gate" ||
		!bytes.HasPrefix(x.Request.Head, []byte("GET /hello?x=1 HTTP/3.0\r\nhost: server.test:")) ||
		string(g.rec.body(x.Response.Body)) != string(body) {
		t.Errorf("%+v", x)
	}
	c := connectionOf(t, g, x)
	if c.Transport != "udp" || c.Host != "server.test" || c.SNI != "server.test" || c.ALPN != "h3" || !strings.HasPrefix(c.JA4, "q13d") ||
		c.Outcome != flow.Intercepted || c.Reason != "" || c.Server != gate.to || c.ServerTLS == nil || c.ServerTLS.ALPN != "h3" ||
		c.ClientTLS == nil || c.ClientTLS.Version != "TLS 1.3" || c.ClientTLS.ALPN != "h3" || c.ClientTLS.Cipher == "" ||
		!slices.Equal(c.ClientTLS.Protos, []string{"h3"}) || c.BytesUp < 1200 || c.BytesDown < 1200 || c.Device != x.Device || c.App != x.App ||
		len(c.FirstUp) > 0 {
		t.Errorf("%+v", c)
	}
	if n := len(all[*flow.Connection](g.rec)); n != 1 {
		t.Errorf("%d connections", n)
	}
	// The next connection resumes the session, on the same port of the client.
	get(t, p.Client, url+"/again")
	p.hangUp()
	if c := connectionOf(t, g, await(t, g.rec, exchangeAt("/again"))); c.Outcome != flow.Intercepted || !c.ClientTLS.Resumed {
		t.Errorf("%+v", c)
	}
}

// TestHTTP3Bulk sends 10 MiB each way.
func TestHTTP3Bulk(t *testing.T) {
	g, gate, url := intercepting(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 0 {
			w.Header().Set("Content-Length", fmt.Sprint(r.ContentLength))
		}
		_, _ = io.Copy(w, r.Body)
	}, nil)
	p := gate.phone(g.trust)
	sent := make([]byte, 10<<20)
	_, _ = rand.Read(sent)
	for _, kind := range []string{"known", "unknown"} {
		var body io.Reader = bytes.NewReader(sent)
		if kind == "unknown" {
			body = io.MultiReader(body)
		}
		resp, err := p.Post(url+"/"+kind, "application/octet-stream", body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%s: %d bytes, %v", kind, len(got), err)
		}
		x := await(t, g.rec, exchangeAt("/"+kind))
		if x.Error != "" || !bytes.Equal(g.rec.body(x.Request.Body), sent) || !bytes.Equal(g.rec.body(x.Response.Body), sent) {
			t.Errorf("%s: %+v", kind, x)
		}
	}
	p.hangUp()
	if c := await(t, g.rec, anyConnection); c.BytesUp < 20<<20 || c.BytesDown < 20<<20 {
		t.Errorf("%d up, %d down", c.BytesUp, c.BytesDown)
	}
}

// TestHTTP3Streams has both sides speak in turns on one exchange, with trailers at the
// end of both.
func TestHTTP3Streams(t *testing.T) {
	g, gate, url := intercepting(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Checksum")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		buf := make([]byte, 64)
		for {
			n, err := r.Body.Read(buf)
			if n > 0 {
				_, _ = w.Write(bytes.ToUpper(buf[:n]))
				_ = http.NewResponseController(w).Flush()
			}
			if err != nil {
				break
			}
		}
		w.Header().Set("Checksum", "of "+r.Trailer.Get("Sum")+r.Trailer.Get("Unannounced"))
		w.Header().Set(http.TrailerPrefix+"Late", "yes")
	}, nil)
	p := gate.phone(g.trust)
	in, out := io.Pipe()
	go func() { _, _ = io.WriteString(out, "x"); out.Close() }()
	r, _ := http.NewRequest("POST", url+"/unannounced", in)
	r.Trailer = http.Header{}
	r.Body = endsWith{in, func() { r.Trailer.Set("Unannounced", "7") }}
	resp, err := p.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); string(b) != "X" || err != nil || resp.Trailer.Get("Checksum") != "of 7" {
		t.Errorf("%q, %v, trailer %v", b, err, resp.Trailer)
	}
	resp.Body.Close()
	in, out = io.Pipe()
	r, _ = http.NewRequest("POST", url+"/turns", in)
	r.Trailer = http.Header{"Sum": nil}
	if resp, err = p.Do(r); err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 64)
	for _, word := range []string{"one", "two", "three"} {
		if _, err := io.WriteString(out, word); err != nil {
			t.Fatal(err)
		}
		n, err := io.ReadFull(resp.Body, buf[:len(word)])
		if err != nil || string(buf[:n]) != strings.ToUpper(word) {
			t.Fatalf("%q, %v", buf[:n], err)
		}
	}
	r.Trailer.Set("Sum", "42")
	out.Close()
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
	if resp.Trailer.Get("Checksum") != "of 42" || resp.Trailer.Get("Late") != "yes" {
		t.Errorf("trailer %v", resp.Trailer)
	}
	x := await(t, g.rec, exchangeAt("/turns"))
	if string(x.Request.Trailer) != "sum: 42\r\n" || string(x.Response.Trailer) != "checksum: of 42\r\nlate: yes\r\n" || x.Error != "" {
		t.Errorf("%q %q %s", x.Request.Trailer, x.Response.Trailer, x.Error)
	}
}

// endsWith calls a function when its end is met.
type endsWith struct {
	io.ReadCloser
	end func()
}

func (e endsWith) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if err == io.EOF {
		e.end()
	}
	return n, err
}

// TestHTTP3Interim has interim responses on the way.
func TestHTTP3Interim(t *testing.T) {
	g, gate, url := intercepting(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/early" {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
		}
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	}, nil)
	p := gate.phone(g.trust)
	var mu sync.Mutex
	var heads []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		mu.Lock()
		defer mu.Unlock()
		heads = append(heads, fmt.Sprint(code, " ", h.Get("Link")))
		return nil
	}}
	r, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", url+"/early", nil)
	resp, err := p.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	r, _ = http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "POST", url+"/expect", strings.NewReader("body"))
	r.Header.Set("Expect", "100-continue")
	if resp, err = p.Do(r); err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); string(b) != "body" {
		t.Errorf("%q", b)
	}
	resp.Body.Close()
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"103 </style.css>; rel=preload", "100 "}; !slices.Equal(heads, want) {
		t.Errorf("%q, want %q", heads, want)
	}
	if x := await(t, g.rec, exchangeAt("/early")); !bytes.Contains(x.Interim, []byte("103 ")) {
		t.Errorf("interim %q", x.Interim)
	}
}

// TestHTTP3Many has 100 requests at a time on one connection.
func TestHTTP3Many(t *testing.T) {
	g, gate, url := intercepting(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(append(b, r.URL.Path...))
	}, nil)
	p := gate.phone(g.trust)
	get(t, p.Client, url+"/first")
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			path := fmt.Sprint("/", n)
			resp, err := p.Post(url+path, "text/plain", strings.NewReader(strings.Repeat("x", 5000)))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if b, err := io.ReadAll(resp.Body); err != nil || len(b) != 5000+len(path) || !strings.HasSuffix(string(b), path) {
				t.Errorf("%d bytes, %v", len(b), err)
			}
		})
	}
	all.Wait()
	p.hangUp()
	c := await(t, g.rec, anyConnection)
	for n := range 100 {
		if x := await(t, g.rec, exchangeAt(fmt.Sprint("/", n))); x.Connection != c.ID || x.Error != "" {
			t.Errorf("%+v", x)
		}
	}
}

// TestHTTP3OnlyTCP asks a server that has no QUIC, over HTTP/3.
func TestHTTP3OnlyTCP(t *testing.T) {
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })
	g := newRig(t, func(c *proxy.Config) { c.QUIC = proxy.InterceptQUIC })
	gate := g.packetGated(serverAddr(s.URL))
	p := gate.phone(g.trust)
	resp, body := get(t, p.Client, fmt.Sprintf("https://server.test:%d/tcp", gate.to.Port()))
	if resp.Proto != "HTTP/3.0" || string(body) != "HTTP/2.0" {
		t.Errorf("%s to the client, %s to the server", resp.Proto, body)
	}
	x := await(t, g.rec, exchangeAt("/tcp"))
	if x.Request.Proto != "HTTP/3.0" || x.Response.Proto != "HTTP/2.0" || x.Error != "" {
		t.Errorf("%+v", x)
	}
}

// TestHTTP3BadServer asks a server whose certificate is not valid.
func TestHTTP3BadServer(t *testing.T) {
	g, gate, _ := intercepting(t, func(http.ResponseWriter, *http.Request) {}, nil)
	p := gate.phone(g.trust)
	resp, body := get(t, p.Client, fmt.Sprintf("https://other.test:%d/bad", gate.to.Port()))
	if resp.StatusCode != http.StatusBadGateway {
		t.Errorf("%s %s", resp.Status, body)
	}
	p.hangUp()
	x := await(t, g.rec, exchangeAt("/bad"))
	if !strings.HasPrefix(x.Error, flow.ErrServerTLS) {
		t.Errorf("%+v", x)
	}
	if c := connectionOf(t, g, x); c.Outcome != flow.ServerFailed || c.ServerTLS == nil || len(c.ServerTLS.Chain) == 0 {
		t.Errorf("%+v", c)
	}
}

// TestHTTP3Untrusting is an app that does not accept the certificate over QUIC: QUIC
// is refused then, and passed on when the app comes by no other way.
func TestHTTP3Untrusting(t *testing.T) {
	g, gate, url := intercepting(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "from the server") },
		func(c *proxy.Config) { c.PassAfter, c.PacketTimeout = 3, time.Second })
	last := int64(0)
	try := func(roots *x509.CertPool, within time.Duration) (string, *flow.Connection) {
		t.Helper()
		p := gate.phone(roots)
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, "GET", url+"/", nil)
		body := ""
		if resp, err := p.Do(r); err == nil {
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			body = string(b)
		}
		p.transport.Close()
		row := await(t, g.rec, func(c *flow.Connection) bool { return c.ID > last })
		last = row.ID
		return body, row
	}
	body, row := try(g.roots, 10*time.Second)
	if body != "" || row.Outcome != flow.ClientRefused || row.ClientTLS.Alert != "bad_certificate" ||
		row.SNI != "server.test" || row.JA4 == "" || row.Server.IsValid() {
		t.Errorf("%q %+v %+v", body, row, row.ClientTLS)
	}
	for range 2 {
		if body, row = try(g.roots, 300*time.Millisecond); body != "" || row.Outcome != flow.Refused || !strings.Contains(row.Reason, "over TCP") {
			t.Errorf("%q %+v", body, row)
		}
	}
	if gate.refusals() == 0 {
		t.Error("the client was not told")
	}
	body, row = try(g.roots, 10*time.Second)
	if body != "from the server" || row.Outcome != flow.Passed || row.Protocol != "quic" || !strings.Contains(row.Reason, "3 times") {
		t.Errorf("%q %+v", body, row)
	}
}

// TestPassQUIC relays QUIC unread.
func TestPassQUIC(t *testing.T) {
	g, gate, url := intercepting(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "from the server") },
		func(c *proxy.Config) { c.PacketTimeout = time.Second })
	g.proxy.SetPass("", "server.test", proxy.Always)
	p := gate.phone(g.roots)
	if _, body := get(t, p.Client, url); string(body) != "from the server" {
		t.Errorf("%q", body)
	}
	p.hangUp()
	row := await(t, g.rec, anyConnection)
	if row.Outcome != flow.Passed || row.Protocol != "quic" || row.SNI != "server.test" || !strings.HasPrefix(row.JA4, "q13d") || row.Server != gate.to ||
		len(row.FirstUp)+len(row.FirstDown) > 0 || row.BytesUp < 1200 || row.BytesDown < 1200 || !strings.HasPrefix(row.Reason, "passed unread") {
		t.Errorf("%+v", row)
	}
}
