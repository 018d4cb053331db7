package e2e

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// The files security_*_test.go hold docs/threat-model.md against the real
// program: each test names the row that it shows. What is here is a client and
// a server that write bytes as they are, well-formed or not.

// patience bounds every wait of a raw client. It is no measure of anything.
const patience = 15 * time.Second

// roots returns the CA that phones trust.
func (c *instance) roots() *x509.CertPool {
	c.t.Helper()
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		c.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		c.t.Fatal("no certificate in ca.pem")
	}
	return pool
}

// dial opens a connection to the proxy from a loopback address of the client's
// choice, so that several clients can be told apart; "" takes any.
func (c *instance) dial(from string) (net.Conn, error) {
	d := net.Dialer{Timeout: patience}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	nc, err := d.Dial("tcp", c.Proxy)
	if err == nil {
		err = nc.SetDeadline(time.Now().Add(patience))
	}
	return nc, err
}

// connect opens a tunnel to a host and port.
func (c *instance) connect(from, to string) (net.Conn, error) {
	nc, err := c.dial(from)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(nc, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", to, to); err != nil {
		nc.Close()
		return nil, err
	}
	head, err := readHead(nc)
	if err == nil && !strings.HasPrefix(head, "HTTP/1.1 200 ") {
		err = fmt.Errorf("CONNECT %s: %q", to, head)
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

// secure opens a tunnel to name, port 443, and makes the handshake inside.
func (c *instance) secure(from, name string, roots *x509.CertPool, protos ...string) (*tls.Conn, error) {
	nc, err := c.connect(from, name+":443")
	if err != nil {
		return nil, err
	}
	tc := tls.Client(nc, &tls.Config{ServerName: name, RootCAs: roots, NextProtos: protos})
	if err := tc.Handshake(); err != nil {
		nc.Close()
		return nil, err
	}
	return tc, nil
}

// readHead reads up to an empty line, byte by byte so that nothing behind it is
// taken.
func readHead(r io.Reader) (string, error) {
	var head []byte
	for b := make([]byte, 1); len(head) < 64<<10; {
		if _, err := io.ReadFull(r, b); err != nil {
			return string(head), err
		}
		head = append(head, b[0])
		if bytes.HasSuffix(head, []byte("\r\n\r\n")) {
			return string(head), nil
		}
	}
	return string(head), errors.New("head does not end")
}

// rawOrigin is a server that keeps what arrives on each connection exactly as
// it arrives, and lets a function do the talking.
type rawOrigin struct {
	Addr string

	mu    sync.Mutex
	conns []*bytes.Buffer
}

// newRawOrigin starts a rawOrigin; with o it speaks TLS with certificates of
// o's CA, HTTP/1.1 only.
func newRawOrigin(t *testing.T, o *origin, talk func(in *bufio.Reader, out net.Conn)) *rawOrigin {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveRaw(t, ln, o, talk)
}

func serveRaw(t *testing.T, ln net.Listener, o *origin, talk func(in *bufio.Reader, out net.Conn)) *rawOrigin {
	t.Helper()
	s := &rawOrigin{Addr: ln.Addr().String()}
	if o != nil {
		ln = tls.NewListener(ln, &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return o.CA.Leaf(h.ServerName)
		}})
	}
	var wg sync.WaitGroup
	var open sync.Map
	wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			open.Store(nc, true)
			wg.Go(func() {
				defer nc.Close()
				defer open.Delete(nc)
				var got bytes.Buffer
				s.mu.Lock()
				s.conns = append(s.conns, &got)
				s.mu.Unlock()
				talk(bufio.NewReader(io.TeeReader(nc, &locked{s, &got})), nc)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		open.Range(func(nc, _ any) bool { nc.(net.Conn).Close(); return true })
		wg.Wait()
	})
	return s
}

type locked struct {
	s *rawOrigin
	b *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	return l.b.Write(p)
}

// received returns what has arrived so far, connection by connection.
func (s *rawOrigin) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, b := range s.conns {
		all = append(all, b.String())
	}
	return all
}

// forget drops what has arrived so far. Connections keep recording.
func (s *rawOrigin) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.conns {
		b.Reset()
	}
}

// answering answers each request that net/http can read with its own path.
func answering(in *bufio.Reader, out net.Conn) {
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nX-For: %s\r\nContent-Length: 2\r\n\r\nok", r.URL.Path)
	}
}

// saying answers the first request of each connection with these bytes, and
// then closes it.
func saying(answer string) func(*bufio.Reader, net.Conn) {
	return func(in *bufio.Reader, out net.Conn) {
		if _, err := readHead(in); err == nil {
			io.WriteString(out, answer)
		}
	}
}

// nobody is an origin of which only the CA is used.
func nobody(t *testing.T) *origin {
	t.Helper()
	return newOrigin(t, http.NotFoundHandler())
}
