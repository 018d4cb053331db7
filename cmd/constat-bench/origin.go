package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

// The sizes of bodies, in bytes.
const (
	small  = 1 << 10
	report = 2 << 10
	large  = 10 << 20
)

// filler is what bodies are made of: the short ones look like JSON, the long ones
// cannot be compressed.
var filler = func() []byte {
	b := make([]byte, large)
	mathrand.NewChaCha8([32]byte{}).Read(b)
	return b
}()

// text is the JSON filler.
var text = bytes.Repeat([]byte(`{"event":"screen_on","battery":81,"network":"wifi","uptime":86400},`), report/60)

// payload writes the body number n of the given size: no two are the same. The
// number is at its start, so that every chunk of a long one is stored anew.
func payload(w io.Writer, n int64, size int) error {
	head := fmt.Appendf(nil, `{"id":"%016x","events":[`, n)
	body := text
	if size > report {
		body = filler
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(body[:size-len(head)])
	return err
}

// comparer is a Writer that compares what it is given with what it should be.
type comparer struct {
	n       int64
	size    int
	at      int
	head    []byte
	differs bool
}

func newComparer(n int64, size int) *comparer {
	return &comparer{n: n, size: size, head: fmt.Appendf(nil, `{"id":"%016x","events":[`, n)}
}

func (c *comparer) Write(p []byte) (int, error) {
	body := text
	if c.size > report {
		body = filler
	}
	for rest := p; len(rest) > 0; {
		var want []byte
		switch {
		case c.at < len(c.head):
			want = c.head[c.at:]
		case c.at < c.size:
			want = body[c.at-len(c.head) : c.size-len(c.head)]
		default:
			c.differs = true
			return len(p), nil
		}
		n := min(len(want), len(rest))
		c.differs = c.differs || !bytes.Equal(rest[:n], want[:n])
		c.at += n
		rest = rest[n:]
	}
	return len(p), nil
}

func (c *comparer) ok() bool { return !c.differs && c.at == c.size }

// origin is the TLS server that everything is asked of, under any name that ends
// in domain.
type origin struct {
	*http.Server
	addr    string
	ca      string // PEM file of its root
	roots   *x509.CertPool
	changed atomic.Int64 // request bodies that came differently
}

const domain = ".bench.test"

// hostName is the name of test host i.
func hostName(i int) string { return fmt.Sprintf("h%04d%s", i, domain) }

func newOrigin(dir string) (*origin, error) {
	cert, root, err := certificate()
	if err != nil {
		return nil, err
	}
	o := &origin{ca: filepath.Join(dir, "origin.pem"), roots: x509.NewCertPool()}
	o.roots.AddCert(root)
	if err := os.WriteFile(o.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), 0o600); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o.addr = l.Addr().String()
	var both http.Protocols
	both.SetHTTP1(true)
	both.SetHTTP2(true)
	o.Server = &http.Server{
		Handler: o, Protocols: &both, ReadHeaderTimeout: 30 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, DynamicRecordSizingDisabled: true},
	}
	go o.ServeTLS(l, "", "") // ends with Close
	return o, nil
}

// ServeHTTP answers GET /SIZE/NUMBER with that body, and POST to it with "ok" once
// the body that came is that one.
func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var size int
	var n int64
	if _, err := fmt.Sscanf(r.URL.Path, "/%d/%d", &size, &n); err != nil || size < small || size > large {
		http.NotFound(w, r)
		return
	}
	if r.Method == http.MethodPost {
		c := newComparer(n, size)
		if _, err := io.CopyBuffer(c, r.Body, make([]byte, 64<<10)); err != nil || !c.ok() {
			o.changed.Add(1)
			http.Error(w, "changed", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Length", "2")
		io.WriteString(w, "ok")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(size))
	payload(w, n, size)
}

// certificate makes a root, and a certificate for every test name under it.
func certificate() (tls.Certificate, *x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	now := time.Now()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "constat-bench"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	if root, err = x509.ParseCertificate(rootDER); err != nil {
		return tls.Certificate{}, nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{"*" + domain}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, root, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, root, err
}
