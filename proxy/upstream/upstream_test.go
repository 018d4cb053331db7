package upstream

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"constat/proxy/flow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddr("127.0.0.1")

// open returns a Transport that is closed with the test.
func open(t testing.TB, conf Config) *Transport {
	tr := New(conf)
	t.Cleanup(tr.Close)
	return tr
}

// served starts a server for h and returns its address.
func served(t testing.TB, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// raw starts a server that hands each connection to serve, in turn, with its
// number from 0. The connection is closed when serve returns.
func raw(t testing.TB, serve func(n int, c net.Conn, in *bufio.Reader)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { c.Close() })
			serve(n, c, bufio.NewReader(c))
			stop()
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); cancel(); <-done })
	return l.Addr().String()
}

// answer reads one request without a body and writes text.
func answer(c net.Conn, in *bufio.Reader, text string) bool {
	if _, err := http.ReadRequest(in); err != nil {
		return false
	}
	io.WriteString(c, text)
	return true
}

// request returns a request with the head that a client would have sent for it.
func request(t testing.TB, method, addr, path string) *http.Request {
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// get makes a GET request without a given head.
func get(t testing.TB, tr *Transport, addr string) (*http.Response, *Call, error) {
	c := &Call{Client: loopback}
	resp, err := tr.Do(request(t, "GET", addr, "/"), c)
	return resp, c, err
}

// all reads the body of a response.
func all(t testing.TB, resp *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// word returns the word of an error.
func word(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Word
	}
	if err != nil {
		return "?" + err.Error()
	}
	return ""
}

// authority is a certificate authority of a test's own.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{cert, key, x509.NewCertPool()}
	a.pool.AddCert(cert)
	return a
}

// issue returns a certificate for names and 127.0.0.1, changed by edit.
func (a *authority) issue(t testing.TB, edit func(*x509.Certificate), names ...string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}
}

// secure starts a TLS server for h and returns its address and a counter of its
// connections.
func secure(t testing.TB, h http.Handler, conf *tls.Config, protos ...string) (string, *atomic.Int64) {
	var opened atomic.Int64
	s := httptest.NewUnstartedServer(h)
	s.TLS = conf
	s.Config.ErrorLog = discard
	s.EnableHTTP2 = len(protos) > 0 && protos[0] == "h2"
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), &opened
}

func TestReuse(t *testing.T) {
	ca := newAuthority(t)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, r.URL.Path)
	})
	addr, opened := secure(t, h, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, nil, "a.test")}})
	tr := open(t, Config{Roots: ca.pool, Resolve: map[string]string{"A.test:443": addr}})
	for i := range 1000 {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "https://a.test/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &Call{Client: loopback}
		resp, err := tr.Do(r, c)
		if got := all(t, resp, err); got != "/x" {
			t.Fatalf("got %q", got)
		}
		if c.Reused != (i > 0) || c.Server.String() != addr || c.TLS == nil || len(c.TLS.Chain) != 2 || c.TLS.Version != "TLS 1.3" || c.TLS.ALPN != "http/1.1" {
			t.Fatalf("request %d: %+v", i, c)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for 1000 requests", n)
	}
}

func TestClientsDoNotShare(t *testing.T) {
	var ports []string
	addr := served(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ports = append(ports, r.RemoteAddr) }))
	tr := open(t, Config{Allow: func(netip.Addr, netip.AddrPort) error { return nil }})
	for _, client := range []string{"127.0.0.1", "192.0.2.1", "127.0.0.1"} {
		resp, err := tr.Do(request(t, "GET", addr, "/"), &Call{Client: netip.MustParseAddr(client)})
		all(t, resp, err)
	}
	if ports[0] == ports[1] || ports[0] != ports[2] {
		t.Errorf("connections of three requests: %v", ports)
	}
}

func TestDeadlineAndCancel(t *testing.T) {
	addr := raw(t, func(_ int, _ net.Conn, in *bufio.Reader) { io.Copy(io.Discard, in) })
	tr := open(t, Config{HeadTimeout: 50 * time.Millisecond})
	_, _, err := get(t, tr, addr)
	if word(err) != flow.ErrTimeout {
		t.Errorf("silent server: %v", err)
	}
	tr = open(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	r := request(t, "GET", addr, "/").WithContext(ctx)
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err = tr.Do(r, &Call{Client: loopback}); word(err) != flow.ErrClientClosed {
		t.Errorf("cancelled: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err = tr.Do(r.WithContext(ctx), &Call{Client: loopback}); word(err) != flow.ErrTimeout {
		t.Errorf("deadline: %v", err)
	}
}

func TestCancelDuringBody(t *testing.T) {
	addr := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		answer(c, in, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
		io.Copy(io.Discard, in)
	})
	tr := open(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := tr.Do(request(t, "GET", addr, "/").WithContext(ctx), &Call{Client: loopback})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := resp.Body.Read(make([]byte, 5)); word(err) != flow.ErrClientClosed {
		t.Errorf("got %v", err)
	}
}

func TestCloseCutsOff(t *testing.T) {
	asked := make(chan struct{})
	addr := raw(t, func(_ int, _ net.Conn, in *bufio.Reader) {
		http.ReadRequest(in)
		close(asked)
		io.Copy(io.Discard, in)
	})
	tr := open(t, Config{})
	failed := make(chan error)
	go func() {
		_, _, err := get(t, tr, addr)
		failed <- err
	}()
	<-asked
	tr.Close()
	if err := <-failed; word(err) != flow.ErrCutOff {
		t.Errorf("got %v", err)
	}
	if _, _, err := get(t, tr, addr); word(err) != flow.ErrCutOff {
		t.Errorf("after Close: %v", err)
	}
}

func TestDialErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	l.Close()
	tr := open(t, Config{Resolve: map[string]string{"elsewhere.test:80": "127.0.0.1:1"}})
	for addr, want := range map[string]string{
		gone:              flow.ErrConnect,
		"elsewhere.test":  flow.ErrConnect,
		"nowhere.invalid": flow.ErrDNS,
	} {
		if _, _, err := get(t, tr, addr); word(err) != want {
			t.Errorf("%s: %v, want %s", addr, err, want)
		}
	}
	resp, err := tr.Do(&http.Request{Method: "GET", URL: &url.URL{Scheme: "ftp", Host: gone}}, &Call{})
	if word(err) != flow.ErrClientBad || resp != nil {
		t.Errorf("ftp: %v", err)
	}
}

func TestRefusedAddress(t *testing.T) {
	addr := served(t, http.NotFoundHandler())
	asked := ""
	conf := Config{Allow: func(client netip.Addr, server netip.AddrPort) error {
		asked = client.String() + " " + server.String()
		return errors.New("no")
	}}
	_, c, err := get(t, open(t, conf), addr)
	if word(err) != flow.ErrRefused || asked != "127.0.0.1 "+addr || c.Server.IsValid() {
		t.Errorf("got %v after %q, server %v", err, asked, c.Server)
	}
	conf.Resolve = map[string]string{addr: addr}
	if resp, _, err := get(t, open(t, conf), addr); err != nil {
		t.Errorf("the operator's own address: %v", err)
	} else {
		resp.Body.Close()
	}
	_, err = open(t, Config{}).Do(request(t, "GET", strings.Replace(addr, "127.0.0.1", "localhost", 1), "/"), &Call{Client: netip.MustParseAddr("192.0.2.7")})
	if word(err) != flow.ErrRefused {
		t.Errorf("localhost for a client on the network: %v", err)
	}
}
