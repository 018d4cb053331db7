package e2e

import (
	"bufio"
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
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority is a CA that makes the certificates no honest one would.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	File string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, File: filepath.Join(t.TempDir(), "roots.pem")}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.File, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// leaf makes a certificate for bad.test, changed by change.
func (a *authority) leaf(t *testing.T, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{"bad.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Row 15: a server that cannot prove who it is, or speaks no sound TLS, gets no
// byte of the request; the client gets a clear answer and the case a row with
// the chain.
func TestBadServerCertificates(t *testing.T) {
	good, stranger := newAuthority(t), newAuthority(t)
	same := func(*x509.Certificate) {}
	old := &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	weak := &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}}
	cases := []struct {
		name  string
		cert  tls.Certificate
		conf  *tls.Config
		fails bool
	}{
		{"sound", good.leaf(t, same), nil, false},
		{"unknown root", stranger.leaf(t, same), nil, true},
		{"expired", good.leaf(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), nil, true},
		{"not valid yet", good.leaf(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }), nil, true},
		{"other name", good.leaf(t, func(c *x509.Certificate) { c.DNSNames = []string{"other.test"} }), nil, true},
		{"name in the subject only", good.leaf(t, func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, "bad.test" }), nil, true},
		{"for clients", good.leaf(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), nil, true},
		{"TLS 1.1", good.leaf(t, same), old, true},
		{"RC4", good.leaf(t, same), weak, true},
	}
	asked := make(chan string, 2*len(cases))
	args := []string{"--upstream-ca", good.File}
	for i, tc := range cases {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		conf := tc.conf
		if conf == nil {
			conf = &tls.Config{}
		}
		conf = conf.Clone()
		conf.Certificates = []tls.Certificate{tc.cert}
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked <- tc.name })}
		srv.ErrorLog = log.New(io.Discard, "", 0)
		srv.TLSConfig = conf
		if tc.conf != nil { // HTTP/2 does not let a server be so weak
			srv.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
		}
		go srv.ServeTLS(ln, "", "")
		t.Cleanup(func() { srv.Close() })
		args = append(args, "--resolve", fmt.Sprintf("bad.test:%d:%s", 10000+i, ln.Addr()))
	}
	c := start(t, nil, args...)
	for i, tc := range cases {
		for _, h2 := range []bool{false, true} {
			client := c.client(h2)
			resp, err := client.Post(fmt.Sprintf("https://bad.test:%d/secret", 10000+i), "text/plain", strings.NewReader("secret"))
			if err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			client.CloseIdleConnections()
			if refused := resp.StatusCode == http.StatusBadGateway && strings.Contains(string(text), "Nothing was sent to it"); refused != tc.fails {
				t.Errorf("%s: %s %s", tc.name, resp.Status, text)
			}
		}
	}
	close(asked)
	for name := range asked {
		if name != "sound" {
			t.Errorf("the server with %s was asked", name)
		}
	}
	c.stop()
	if got := c.sql("SELECT count(*) FROM requests WHERE error LIKE 'server_tls:%' AND port > 10000"); got != fmt.Sprint(2*(len(cases)-1)) {
		t.Errorf("%s refusals on record:\n%s", got, c.sql("SELECT port, error FROM requests"))
	}
	if got := c.sql("SELECT count(DISTINCT port || error) FROM requests WHERE port > 10000"); got != fmt.Sprint(len(cases)-1) {
		t.Errorf("the same fault is not described alike each time:\n%s", c.sql("SELECT port, error FROM requests"))
	}
	if got := c.sql("SELECT count(*) FROM connections WHERE outcome = 'server_failed' AND reason <> ''"); got != fmt.Sprint(2*(len(cases)-1)) {
		t.Errorf("%s connections say so", got)
	}
	verified(t, c.Case)
}

// Row 16: servers that break off, never end, or flood. The client never takes
// a part for the whole, memory is bounded, and the error is on record.
func TestHostileServers(t *testing.T) {
	o := nobody(t)
	endless := func(head, line string) func(*bufio.Reader, net.Conn) {
		return func(in *bufio.Reader, out net.Conn) {
			if _, err := readHead(in); err != nil {
				return
			}
			io.WriteString(out, head)
			block := []byte(strings.Repeat(line, 1+(64<<10)/len(line)))
			for n := 0; n < 256<<20; n += len(block) {
				if _, err := out.Write(block); err != nil {
					return
				}
			}
		}
	}
	cases := []struct {
		name string
		talk func(*bufio.Reader, net.Conn)
	}{
		{"length, cut off", saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")},
		{"length, nothing", saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")},
		{"chunks, cut off between", saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")},
		{"chunks, cut off inside", saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nhalf")},
		{"chunks, no end of the trailer", saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n")},
		{"chunks, then nonsense", saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n")},
		{"head, cut off", saying("HTTP/1.1 200 OK\r\nX: y\r\n")},
		{"two lengths", saying("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nhalf!")},
		{"length and chunks", saying("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n")},
		{"folded", saying("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n")},
		{"no HTTP", saying("SSH-2.0-x\r\n\r\n")},
		{"endless head", endless("HTTP/1.1 200 OK\r\n", "X-More: "+strings.Repeat("y", 100)+"\r\n")},
		{"endless line", endless("HTTP/1.1 200 OK\r\nX: ", "y")},
		{"endless 1xx", endless("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")},
		{"endless 100", endless("", "HTTP/1.1 100 Continue\r\n\r\n")},
		{"endless chunk line", endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=", "y")},
		{"endless chunk framing", endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1;"+strings.Repeat("x", 500)+"\r\na\r\n")},
		{"endless trailer", endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n")},
	}
	var args []string
	for i, tc := range cases {
		args = append(args, "--resolve", fmt.Sprintf("hostile.test:%d:%s", 10000+i, newRawOrigin(t, o, tc.talk).Addr))
	}
	c := start(t, o, args...)
	c.servedOnce(t)
	before, _ := c.rss()
	for i, tc := range cases {
		for _, h2 := range []bool{false, true} {
			client := c.client(h2)
			client.Timeout = patience
			began := time.Now()
			resp, err := client.Get(fmt.Sprintf("https://hostile.test:%d/%d", 10000+i, i))
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err == nil && resp.StatusCode != http.StatusBadGateway {
					t.Errorf("%s, h2 %t: the client took it for a whole answer: %s", tc.name, h2, resp.Status)
				}
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s, h2 %t: took %v", tc.name, h2, took)
			}
			client.CloseIdleConnections()
		}
		if got := c.sql(fmt.Sprintf("SELECT count(*) FROM requests WHERE path = '/%d' AND error LIKE 'server\\_%%' ESCAPE '\\'", i)); got != "2" {
			t.Errorf("%s: on record as %q", tc.name, c.sql(fmt.Sprintf("SELECT status, error FROM requests WHERE path = '/%d'", i)))
		}
	}
	_, peak := c.rss()
	t.Logf("resident memory before %d MiB, at its peak %d MiB", before>>20, peak>>20)
	if peak > before+64<<20 {
		t.Errorf("hostile servers took %d MiB", (peak-before)>>20)
	}
	c.stop()
	verified(t, c.Case)
}

// servedOnce makes one request so that what is needed once is there.
func (c *instance) servedOnce(t *testing.T) {
	t.Helper()
	resp, err := c.client(true).Get("https://origin.test/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}
