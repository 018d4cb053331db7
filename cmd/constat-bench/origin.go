package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"constat/certs"
)

// The sizes of bodies, in bytes.
const (
	small  = 1 << 10
	report = 2 << 10
	large  = 10 << 20
)

// text and noise are what bodies are made of: the short ones look like JSON, the
// long ones cannot be compressed.
var (
	text  = bytes.Repeat([]byte(`{"event":"screen_on","battery":81,"network":"wifi","uptime":86400},`), report/60)
	noise = func() []byte {
		b := make([]byte, large)
		mathrand.NewChaCha8([32]byte{}).Read(b)
		return b
	}()
)

// payload returns body number n of the given size: no two are the same. The number
// is at its start, so that every chunk of a long one is stored anew.
func payload(n int64, size int) io.Reader {
	head := fmt.Appendf(nil, `{"id":"%016x","events":[`, n)
	body := text
	if size > report {
		body = noise
	}
	return io.MultiReader(bytes.NewReader(head), bytes.NewReader(body[:size-len(head)]))
}

// same says whether r holds body number n and nothing else.
func same(r io.Reader, n int64, size int) bool {
	want := payload(n, size)
	got, expected := make([]byte, min(size+1, 64<<10)), make([]byte, min(size+1, 64<<10))
	for {
		i, err := io.ReadFull(r, got)
		j, _ := io.ReadFull(want, expected)
		if i != j || !bytes.Equal(got[:i], expected[:j]) {
			return false
		}
		if err != nil {
			return err == io.EOF || err == io.ErrUnexpectedEOF && i < len(got)
		}
	}
}

// origin is the TLS server that everything is asked of, under any name that ends
// in domain.
type origin struct {
	http.Server
	addr  string
	ca    string // PEM file of its root
	roots *x509.CertPool
}

const domain = ".bench.test"

// hostName is the name of test host i.
func hostName(i int) string { return fmt.Sprintf("h%04d%s", i, domain) }

func newOrigin(dir string) (*origin, error) {
	dir = filepath.Join(dir, "origin")
	ca, err := certs.LoadOrCreate(dir, certs.Options{Name: "constat-bench"})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o := &origin{addr: l.Addr().String(), ca: filepath.Join(dir, "ca.pem"), roots: x509.NewCertPool()}
	o.roots.AddCert(ca.Certificate())
	o.Handler, o.ReadHeaderTimeout, o.ErrorLog = http.HandlerFunc(serveOrigin), 30*time.Second, log.New(io.Discard, "", 0)
	o.TLSConfig = &tls.Config{
		DynamicRecordSizingDisabled: true,
		GetCertificate:              func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return ca.Leaf(h.ServerName) },
	}
	go o.ServeTLS(l, "", "") // ends with Close
	return o, nil
}

// serveOrigin answers GET /SIZE/NUMBER with that body, and POST to it with "ok"
// once the body that came is that one.
func serveOrigin(w http.ResponseWriter, r *http.Request) {
	var size int
	var n int64
	if _, err := fmt.Sscanf(r.URL.Path, "/%d/%d", &size, &n); err != nil || size < small || size > large {
		http.NotFound(w, r)
		return
	}
	if r.Method == http.MethodPost {
		if !same(r.Body, n, size) {
			http.Error(w, "changed", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Length", "2")
		io.WriteString(w, "ok")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(size))
	io.Copy(w, payload(n, size))
}
