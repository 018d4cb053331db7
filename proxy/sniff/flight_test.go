package sniff

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"constat/proxy/flow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// authority makes a CA and a leaf that it signed.
func authority(t testing.TB) (cert tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{"www.example.org"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	for _, c := range []*x509.Certificate{leaf, ca} {
		der, err := x509.CreateCertificate(rand.Reader, c, ca, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		cert.Certificate = append(cert.Certificate, der)
	}
	cert.PrivateKey = key
	return cert
}

// tapped feeds what is read to a ServerFlight, a few bytes at a time.
type tapped struct {
	net.Conn
	mu     sync.Mutex
	flight *ServerFlight
	step   int
	seen   []byte
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, b[:n]...)
	for part := range slices.Chunk(b[:n], c.step) {
		c.flight.Add(part)
	}
	return n, err
}

func (c *tapped) fill() (t flow.TLS) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight.Fill(&t)
	return t
}

// connect makes one TLS connection and returns what is told of it by crypto/tls and by
// the flight.
func connect(t testing.TB, addr string, conf *tls.Config, step int) (tls.ConnectionState, flow.TLS, []byte, error) {
	t.Helper()
	raw, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(20 * time.Second))
	c := &tapped{Conn: raw, flight: new(ServerFlight), step: step}
	client := tls.Client(c, conf)
	err = client.Handshake()
	if err == nil { // a ticket of TLS 1.3 comes with the first data
		io.WriteString(client, "hello\n")
		client.Read(make([]byte, 1))
	}
	return client.ConnectionState(), c.fill(), c.seen, err
}

func goServer(t testing.TB, conf *tls.Config) string {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", conf)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(20 * time.Second))
				io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() { ln.Close(); wait.Wait() })
	return ln.Addr().String()
}

// agree compares what the flight tells with what crypto/tls knows.
func agree(t *testing.T, what string, state tls.ConnectionState, got flow.TLS) {
	t.Helper()
	want := flow.TLS{Version: tls.VersionName(state.Version), Cipher: tls.CipherSuiteName(state.CipherSuite), Resumed: state.DidResume}
	if state.CurveID != 0 {
		want.Group = state.CurveID.String()
	}
	if state.Version < tls.VersionTLS13 {
		want.ALPN = state.NegotiatedProtocol
		if !state.DidResume {
			for _, c := range state.PeerCertificates {
				want.Chain = append(want.Chain, c.Raw)
			}
		} else {
			want.Group = ""
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestServerFlightOfGo(t *testing.T) {
	cert := authority(t)
	addr := goServer(t, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, NextProtos: []string{"h2", "http/1.1"}})
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		for _, step := range []int{1, 7, 100000} {
			conf := &tls.Config{
				InsecureSkipVerify: true, ServerName: "www.example.org", MinVersion: version, MaxVersion: version,
				NextProtos: []string{"h2"}, ClientSessionCache: tls.NewLRUClientSessionCache(1),
			}
			for _, again := range []bool{false, true} {
				state, got, _, err := connect(t, addr, conf, step)
				if err != nil || state.DidResume != again {
					t.Fatalf("%s: %v, resumed %v", tls.VersionName(version), err, state.DidResume)
				}
				agree(t, fmt.Sprintf("%s, %d bytes at a time, again %v", tls.VersionName(version), step, again), state, got)
			}
		}
	}
	// A server that knows only another group asks for it in a HelloRetryRequest.
	addr = goServer(t, &tls.Config{Certificates: []tls.Certificate{cert}, CurvePreferences: []tls.CurveID{tls.CurveP384}})
	state, got, seen, err := connect(t, addr, &tls.Config{InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP384}}, 3)
	if err != nil || !bytes.Contains(seen, retryRandom) {
		t.Fatalf("no HelloRetryRequest: %v", err)
	}
	agree(t, "HelloRetryRequest", state, got)
}

func TestServerFlightAlerts(t *testing.T) {
	cert := authority(t)
	for _, c := range []struct {
		name           string
		server, client *tls.Config
		want           string
	}{
		{"version", &tls.Config{MinVersion: tls.VersionTLS13}, &tls.Config{MaxVersion: tls.VersionTLS12}, "protocol_version"},
		{"protocol", &tls.Config{NextProtos: []string{"h2"}}, &tls.Config{NextProtos: []string{"x"}}, "no_application_protocol"},
		{
			"client's certificate", &tls.Config{MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert}, &tls.Config{},
			"handshake_failure",
		},
	} {
		c.server.Certificates = []tls.Certificate{cert}
		c.client.InsecureSkipVerify = true
		addr := goServer(t, c.server)
		_, got, _, err := connect(t, addr, c.client, 2)
		if err == nil || got.Alert != c.want {
			t.Errorf("%s: alert %q, want %q; %v", c.name, got.Alert, c.want, err)
		}
	}
}

// opensslServer runs the server of OpenSSL on a free port of loopback.
func opensslServer(t *testing.T, cert tls.Certificate, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed (Debian: openssl; make deps installs it)")
	}
	dir := t.TempDir()
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	args = append([]string{
		"s_server", "-accept", addr, "-quiet", "-rev", "-cert", file("leaf.pem", "CERTIFICATE", cert.Certificate[0]),
		"-cert_chain", file("ca.pem", "CERTIFICATE", cert.Certificate[1]), "-key", file("key.pem", "PRIVATE KEY", der),
	}, args...)
	cmd := exec.CommandContext(ctx, program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); cmd.Wait() })
	for range 200 {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			return addr
		}
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	cmd.Wait()
	t.Fatalf("openssl does not listen: %s", &out)
	return ""
}

func TestServerFlightOfOpenSSL(t *testing.T) {
	cert := authority(t)
	addr := opensslServer(t, cert, "-alpn", "h2,http/1.1", "-cipher", "ALL:@SECLEVEL=0")
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		conf := &tls.Config{
			InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, NextProtos: []string{"http/1.1"},
			ClientSessionCache: tls.NewLRUClientSessionCache(1), ServerName: "www.example.org",
		}
		for range 2 {
			state, got, _, err := connect(t, addr, conf, 5)
			if err != nil {
				t.Fatalf("%s: %v", tls.VersionName(version), err)
			}
			agree(t, fmt.Sprintf("%s, resumed %v", tls.VersionName(version), state.DidResume), state, got)
		}
	}
}

func TestServerFlightOfOthers(t *testing.T) {
	for _, s := range []string{"", "HTTP/1.1 200 OK\r\n", "SSH-2.0-x", "\x16\x03\x03\x00\x00", "\x16\x03\x03\xff\xff", unhex("1603030004 0b000000")} {
		var f ServerFlight
		more := f.Add([]byte(s))
		var got flow.TLS
		f.Fill(&got)
		if diff := cmp.Diff(flow.TLS{}, got); diff != "" || more != (s == "") {
			t.Errorf("%q: more %v (-want +got):\n%s", s, more, diff)
		}
	}
	var f ServerFlight
	total := 0
	for f.Add(bytes.Repeat([]byte{22, 3, 3, 0, 1, 0}, 100)) {
		total += 600
	}
	if total > maxFlight || cap(f.buf)+cap(f.msgs) != 0 {
		t.Errorf("%d bytes were looked at, %d are held", total, cap(f.buf)+cap(f.msgs))
	}
	got := flow.TLS{Version: "TLS 1.2", ALPN: "h2", Chain: [][]byte{{1}}}
	want := got
	f.Fill(&got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was known is gone (-want +got):\n%s", diff)
	}
}

func FuzzServerFlight(f *testing.F) {
	cert := authority(f)
	addr := goServer(f, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, NextProtos: []string{"h2"}})
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS12, tls.VersionTLS13} {
		_, _, seen, err := connect(f, addr, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, NextProtos: []string{"h2"}}, 100)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seen, uint16(9))
	}
	f.Add([]byte(unhex("15 0301 0002 0228")), uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, step uint16) {
		var whole, parts flow.TLS
		var one, many ServerFlight
		one.Add(b)
		one.Fill(&whole)
		for part := range slices.Chunk(b, int(step)+1) {
			if !many.Add(part) {
				break
			}
			if len(many.buf)+len(many.msgs) > 2*maxFlight {
				t.Fatal("too much is held")
			}
		}
		many.Fill(&parts)
		if diff := cmp.Diff(whole, parts); diff != "" {
			t.Fatalf("in parts of %d bytes (-whole +parts):\n%s", int(step)+1, diff)
		}
		if len(whole.Chain) > maxChain {
			t.Fatalf("%d certificates", len(whole.Chain))
		}
	})
}
