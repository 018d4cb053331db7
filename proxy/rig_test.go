package proxy_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	"golang.org/x/net/http2/hpack"

	"constat/certs"
	"constat/proxy"
	"constat/proxy/flow"
	"constat/proxy/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder keeps records and chunks in memory, and holds the proxy to the
// contract of flow.Recorder.
type recorder struct {
	mu      sync.Mutex
	wake    *sync.Cond
	next    int64
	open    map[flow.Record]bool
	records []flow.Record
	chunks  map[*flow.Body][]byte
	wrong   []string
	fail    func(op string, r flow.Record) error // nil: nothing fails
}

func newRecorder() *recorder {
	r := &recorder{open: map[flow.Record]bool{}, chunks: map[*flow.Body][]byte{}}
	r.wake = sync.NewCond(&r.mu)
	return r
}

func (m *recorder) failing(op string, r flow.Record) error {
	m.mu.Lock()
	fail := m.fail
	m.mu.Unlock()
	if fail == nil {
		return nil
	}
	return fail(op, r)
}

func (m *recorder) Begin(r flow.Record) error {
	if err := m.failing("begin", r); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next++
	switch r := r.(type) {
	case *flow.Connection:
		r.ID = m.next
	case *flow.Exchange:
		r.ID = m.next
		if r.Connection == 0 {
			m.wrong = append(m.wrong, "an exchange begins without a connection")
		}
	}
	m.open[r] = true
	m.wake.Broadcast()
	return nil
}

func (m *recorder) Spill(b *flow.Body, chunk []byte) error {
	if err := m.failing("spill", b.Owner()); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.chunks[b] = append(m.chunks[b], chunk...)
	return nil
}

func (m *recorder) Commit(_ context.Context, r flow.Record) error {
	if err := m.failing("commit", r); err != nil {
		m.mu.Lock()
		delete(m.open, r)
		m.mu.Unlock()
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch f := r.(type) {
	case *flow.Frame:
		m.next++
		f.ID = m.next
	case *flow.Lookup:
		m.next++
		f.ID = m.next
	default:
		if !m.open[r] {
			m.wrong = append(m.wrong, "a record is committed that is not open")
		}
	}
	delete(m.open, r)
	m.records = append(m.records, r)
	m.wake.Broadcast()
	return nil
}

// forget takes r for closed, though it was not committed.
func (m *recorder) forget(r flow.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.open, r)
}

// awaitOpen waits until an exchange is open.
func (m *recorder) awaitOpen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		for r := range m.open {
			if _, ok := r.(*flow.Exchange); ok {
				return
			}
		}
		m.wake.Wait()
	}
}

// body returns what is kept of b.
func (m *recorder) body(b *flow.Body) []byte {
	if b == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return append(slices.Clone(m.chunks[b]), b.Tail()...)
}

// await returns the first record for which ok holds, waiting for it.
func await[R flow.Record](t *testing.T, m *recorder, ok func(R) bool) R {
	t.Helper()
	late := time.AfterFunc(10*time.Second, func() {
		m.mu.Lock()
		m.wake.Broadcast()
		m.mu.Unlock()
	})
	defer late.Stop()
	begun := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		for _, r := range m.records {
			if r, is := r.(R); is && ok(r) {
				return r
			}
		}
		if time.Since(begun) > 9*time.Second {
			for _, r := range m.records {
				t.Logf("have %T %+v", r, r)
			}
			t.Fatal("the record did not come")
		}
		m.wake.Wait()
	}
}

// all returns the records of one type so far.
func all[R flow.Record](m *recorder) (out []R) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.records {
		if r, is := r.(R); is {
			out = append(out, r)
		}
	}
	return out
}

func exchangeAt(path string) func(*flow.Exchange) bool {
	return func(x *flow.Exchange) bool { return x.Path == path }
}

func anyConnection(*flow.Connection) bool { return true }

// authority is the CA of all tests.
var authority = sync.OnceValue(func() *certs.CA {
	dir, err := os.MkdirTemp("", "constat-ca-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ca, err := certs.LoadOrCreate(dir, certs.Options{})
	if err != nil {
		panic(err)
	}
	return ca
})

// rig is a proxy on loopback, with a recorder and an upstream.
type rig struct {
	t     testing.TB
	rec   *recorder
	proxy *proxy.Proxy
	addr  string
	roots *x509.CertPool // what servers are verified with
	trust *x509.CertPool // what clients that trust the proxy's CA have
	stop  func() error   // ends Serve and returns what it returned
}

// newRig starts a proxy. change, when not nil, changes its configuration.
func newRig(t testing.TB, change func(*proxy.Config)) *rig {
	t.Helper()
	g := &rig{t: t, rec: newRecorder(), roots: x509.NewCertPool(), trust: x509.NewCertPool()}
	g.trust.AddCert(authority().Certificate())
	g.roots.AddCert(serverAuthority().leaf)
	up := upstream.New(upstream.Config{
		Roots: g.roots,
		Allow: func(client netip.Addr, server netip.AddrPort) error {
			return upstream.Guard(g.proxy.Addrs)(client, server)
		},
		Resolve: map[string]string{},
	})
	conf := proxy.Config{
		Recorder: g.rec, Upstream: up, Issuer: authority(), Log: zerolog.Nop(),
		FirstByteTimeout: 10 * time.Second, HandshakeTimeout: 10 * time.Second, HeadTimeout: 10 * time.Second,
		GracePeriod: time.Second,
		Local: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/panic" {
				panic("a fault")
			}
			if r.URL.Path == "/admitted" {
				fmt.Fprint(w, proxy.IdentityOf(r).Admitted)
				return
			}
			fmt.Fprintf(w, "local page for %s", r.URL.Path)
		}),
	}
	if change != nil {
		change(&conf)
	}
	p, err := proxy.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	g.proxy = p
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- p.Serve(ctx, ln) }()
	g.stop = sync.OnceValue(func() error { cancel(); return <-served })
	t.Cleanup(func() {
		if err := g.stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
		up.Close()
		g.rec.mu.Lock()
		defer g.rec.mu.Unlock()
		for r := range g.rec.open {
			t.Errorf("left open: %+v", r)
		}
		for _, w := range g.rec.wrong {
			t.Error(w)
		}
	})
	return g
}

// client returns an HTTP client that uses the proxy and trusts its CA.
func (g *rig) client(h2 bool) *http.Client {
	proxyURL := &url.URL{Scheme: "http", Host: g.addr}
	tr := &http.Transport{
		Proxy: http.ProxyURL(proxyURL), TLSClientConfig: &tls.Config{RootCAs: g.trust},
		ForceAttemptHTTP2: h2, DisableCompression: true,
	}
	g.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// connect opens a tunnel and returns it.
func (g *rig) connect(to string, early ...byte) net.Conn {
	g.t.Helper()
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Write(append([]byte("CONNECT "+to+" HTTP/1.1\r\nHost: "+to+"\r\n\r\n"), early...)); err != nil {
		g.t.Fatal(err)
	}
	got := make([]byte, len("HTTP/1.1 200 Connection established\r\n\r\n"))
	if _, err := io.ReadFull(c, got); err != nil {
		g.t.Fatal(err)
	}
	if !bytes.HasPrefix(got, []byte("HTTP/1.1 200 ")) {
		g.t.Fatalf("CONNECT: %q", got)
	}
	return c
}

// connectTLS opens a tunnel and makes a handshake in it.
func (g *rig) connectTLS(to, name string, protos ...string) *tls.Conn {
	g.t.Helper()
	tc := tls.Client(g.connect(to), &tls.Config{RootCAs: g.trust, ServerName: name, NextProtos: protos})
	if err := tc.Handshake(); err != nil {
		g.t.Fatal(err)
	}
	return tc
}

// issuer is the CA of the servers.
type issuer struct {
	leaf *x509.Certificate
	ca   *certs.CA
}

var serverAuthority = sync.OnceValue(func() issuer {
	dir, err := os.MkdirTemp("", "constat-server-ca-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ca, err := certs.LoadOrCreate(dir, certs.Options{})
	if err != nil {
		panic(err)
	}
	return issuer{ca.Certificate(), ca}
})

// serve starts a server that speaks TLS (HTTP/2 too) or not.
func serve(t testing.TB, secure bool, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = quiet
	if secure {
		leaf, err := serverAuthority().ca.Leaf("127.0.0.1", "localhost", "server.test")
		if err != nil {
			t.Fatal(err)
		}
		s.TLS = &tls.Config{Certificates: []tls.Certificate{*leaf}}
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// get fetches a URL and returns status and body.
func get(t testing.TB, c *http.Client, u string) (*http.Response, []byte) {
	t.Helper()
	resp, err := c.Get(u)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, b
}

var errRecorder = errors.New("the disk is full")

// withLeaf is what a server needs to speak TLS.
func withLeaf(leaf *tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{*leaf}}
}

// hpackOf encodes a list of names and values for HTTP/2.
func hpackOf(fields ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return b.Bytes()
}
