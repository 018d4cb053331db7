package bulk_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"constat/proxy/bulk"
)

// counted counts the calls that reach the transport.
type counted struct {
	net.Conn
	reads, writes atomic.Int64
	broken        atomic.Bool
}

func (c *counted) Read(p []byte) (int, error) {
	c.reads.Add(1)
	return c.Conn.Read(p)
}

func (c *counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	if c.broken.Load() {
		return 0, errBroken
	}
	return c.Conn.Write(p)
}

var errBroken = errors.New("broken")

// end is one end of a TLS connection over bulk.Conns.
type end struct {
	*tls.Conn
	records *bulk.Conn
	wire    *counted
}

func (e *end) Write(p []byte) (int, error) { return e.records.WriteTo(e.Conn, p) }

// pair connects a client with a server over loopback.
func pair(t *testing.T, version uint16) (client, server *end) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"example.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(cert)
	conf := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs:      roots, ServerName: "example.test", DynamicRecordSizingDisabled: true,
		MinVersion: version, MaxVersion: version,
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	there, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	here, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	over := func(c net.Conn, side func(net.Conn, *tls.Config) *tls.Conn) *end {
		e := &end{wire: &counted{Conn: c}}
		e.records = bulk.New(e.wire)
		e.Conn = side(e.records, conf)
		t.Cleanup(func() { e.wire.Close() })
		return e
	}
	client, server = over(there, tls.Client), over(here, tls.Server)
	done := async(client.Handshake)
	if err := errors.Join(server.Handshake(), <-done); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func async(f func() error) chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

var versions = map[string]uint16{"1.0": tls.VersionTLS10, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// TestBytes sends pieces of all sizes both ways at once, and wants the same bytes
// on the other side.
func TestBytes(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t, version)
			send := func(e *end, data []byte, seed uint64) error {
				r := mrand.New(mrand.NewPCG(seed, seed))
				for len(data) > 0 {
					n := min(len(data), 1+r.IntN([]int{10, 1000, 20_000, 70_000, 300_000}[r.IntN(5)]))
					if m, err := e.Write(data[:n]); err != nil || m != n {
						return errors.Join(err, errors.New("short write"))
					}
					data = data[n:]
				}
				return e.CloseWrite()
			}
			up, down := random(3<<20), random(3<<20)
			sent := async(func() error { return send(client, up, 1) })
			sentBack := async(func() error { return send(server, down, 2) })
			var back []byte
			read := async(func() (err error) { back, err = io.ReadAll(client); return err })
			got, err := io.ReadAll(server)
			if err := errors.Join(err, <-sent, <-sentBack, <-read); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, up) || !bytes.Equal(back, down) {
				t.Error("other bytes came than were sent")
			}
		})
	}
}

// TestOneCall wants the records of one large write in one call, and read in few.
func TestOneCall(t *testing.T) {
	client, server := pair(t, tls.VersionTLS13)
	const rounds = 64
	data := random(4 * bulk.Record)
	before := client.wire.writes.Load()
	sent := async(func() error {
		for range rounds {
			if _, err := client.Write(data); err != nil {
				return err
			}
		}
		return nil
	})
	buf := make([]byte, len(data))
	for range rounds {
		for n := 0; n < len(buf); {
			m, err := server.Conn.Read(buf[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += m
		}
		if !bytes.Equal(buf, data) {
			t.Fatal("other bytes came than were sent")
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if got := client.wire.writes.Load() - before; got != rounds {
		t.Errorf("%d calls for %d writes of four records", got, rounds)
	}
	if got := server.wire.reads.Load(); got > 3*rounds {
		t.Errorf("%d calls to read %d records", got, 4*rounds)
	}
}

// TestReady wants a record that is ready to be returned without asking the
// transport.
func TestReady(t *testing.T) {
	client, server := pair(t, tls.VersionTLS13)
	data := random(64 * bulk.Record)
	sent := async(func() error { _, err := client.Write(data); return err })
	buf := make([]byte, bulk.Record)
	hits := 0
	for left := len(data); left > 0; {
		ready, before := server.records.Ready(), server.wire.reads.Load()
		n, err := server.Conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if left -= n; ready {
			hits++
			if server.wire.reads.Load() != before {
				t.Fatal("a record that was ready had to be waited for")
			}
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if hits == 0 {
		t.Error("no record was ever ready")
	}
}

// TestBroken wants nothing to follow records that were lost.
func TestBroken(t *testing.T) {
	client, _ := pair(t, tls.VersionTLS13)
	client.wire.broken.Store(true)
	if _, err := client.Write(random(4 * bulk.Record)); !errors.Is(err, errBroken) {
		t.Fatalf("a write that failed returned %v", err)
	}
	client.wire.broken.Store(false)
	if n, err := client.Write([]byte("more")); err == nil {
		t.Errorf("%d bytes were written behind lost records", n)
	}
}
