package upstream

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"constat/proxy/flow"
)

// serverTLS returns the configuration of a server with one certificate.
func serverTLS(c tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{c}} }

// selfSigned returns a certificate for name that nobody else vouches for.
func selfSigned(t testing.TB, name string) tls.Certificate {
	a := newAuthority(t)
	a.cert.DNSNames = []string{name}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
}

// secureGet asks for https://host/, which is found at addr.
func secureGet(t testing.TB, conf Config, host, addr string) (*Call, error) {
	conf.Resolve = map[string]string{host + ":443": addr}
	c := &Call{Client: loopback}
	r := request(t, "GET", host, "/")
	r.URL.Scheme = "https"
	resp, err := open(t, conf).Do(r, c)
	if err == nil {
		all(t, resp, nil)
	}
	return c, err
}

// TestServerTLS holds servers that must not be trusted, and what is said of them.
func TestServerTLS(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	good := ca.issue(t, nil, "good.test")
	self := selfSigned(t, "good.test")
	for _, tt := range []struct {
		name  string
		conf  *tls.Config
		want  string // in the error's text; "" when the server is fine
		alert string
		chain int
	}{
		{"good", serverTLS(good), "", "", 2},
		{"expired", serverTLS(ca.issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, "good.test")), "expired: the certificate ended on 2", "", 2},
		{"not yet valid", serverTLS(ca.issue(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }, "good.test")), "not yet valid: the certificate begins on 2", "", 2},
		{"wrong host", serverTLS(ca.issue(t, nil, "other.test", "*.more.test")), `wrong host: the certificate is for "other.test", "*.more.test", "127.0.0.1", not for "good.test"`, "", 2},
		{"unknown issuer", serverTLS(other.issue(t, nil, "good.test")), `unknown issuer: no trusted root signed the certificate, the chain ends at "Test CA"`, "", 2},
		{"self-signed", serverTLS(self), "self-signed", "", 1},
		{"TLS 1.1", &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "protocol version", "protocol_version", 0},
		{"asks for a certificate", &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, "handshake failure", "handshake_failure", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := false
			addr, _ := secure(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }), tt.conf)
			c, err := secureGet(t, Config{Roots: ca.pool}, "good.test", addr)
			if c.TLS == nil || c.Server.String() != addr {
				t.Fatalf("TLS facts %v, server %v: %v", c.TLS, c.Server, err)
			}
			if len(c.TLS.Chain) != tt.chain {
				t.Errorf("%d certificates, want %d", len(c.TLS.Chain), tt.chain)
			}
			if tt.want == "" {
				if err != nil || !asked || c.TLS.Error != "" {
					t.Errorf("asked %v: %v", asked, err)
				}
				return
			}
			if word(err) != flow.ErrServerTLS || !strings.Contains(err.Error(), tt.want) || !strings.Contains(c.TLS.Error, tt.want) {
				t.Errorf("got %v, facts %q, want %q", err, c.TLS.Error, tt.want)
			}
			if c.TLS.Alert != tt.alert || asked {
				t.Errorf("alert %q, want %q; request sent: %v", c.TLS.Alert, tt.alert, asked)
			}
		})
	}
	addr, _ := secure(t, http.NotFoundHandler(), &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if c, err := secureGet(t, Config{Roots: ca.pool, MinTLS: tls.VersionTLS10}, "good.test", addr); err != nil || c.TLS.Version != "TLS 1.1" {
		t.Errorf("TLS 1.1 by choice: %v, %+v", err, c.TLS)
	}
}

func TestNotTLS(t *testing.T) {
	addr := served(t, http.NotFoundHandler())
	c, err := secureGet(t, Config{}, "good.test", addr)
	if word(err) != flow.ErrServerTLS || c.TLS == nil || c.TLS.Error == "" {
		t.Errorf("HTTP where TLS should be: %v, %+v", err, c.TLS)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err = secureGet(t, Config{TLSTimeout: 30 * time.Millisecond}, "good.test", l.Addr().String()); word(err) != flow.ErrTimeout {
		t.Errorf("silent server: %v", err)
	}
}

// TestServerName tells which name is sent and verified.
func TestServerName(t *testing.T) {
	ca := newAuthority(t)
	sent := ""
	conf := serverTLS(ca.issue(t, nil, "sni.test"))
	conf.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) { sent = h.ServerName; return nil, nil }
	addr, _ := secure(t, http.NotFoundHandler(), conf)
	for _, tt := range []struct{ host, name, sent, word string }{
		{addr, "", "", ""}, // the address is in the certificate
		{addr, "sni.test", "sni.test", ""},
		{addr, "wrong.test", "wrong.test", flow.ErrServerTLS},
	} {
		r := request(t, "GET", tt.host, "/")
		r.URL.Scheme = "https"
		resp, err := open(t, Config{Roots: ca.pool}).Do(r, &Call{Client: loopback, ServerName: tt.name})
		if err == nil {
			resp.Body.Close()
		}
		if word(err) != tt.word || sent != tt.sent {
			t.Errorf("%q: sent %q: %v", tt.name, sent, err)
		}
	}
}

// TestResumption opens 100 connections to each server; all but the first resume.
// Another client starts anew.
func TestResumption(t *testing.T) {
	ca := newAuthority(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		conf := serverTLS(ca.issue(t, nil, "a.test"))
		conf.MaxVersion = version
		addr, opened := secure(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			io.WriteString(w, "hi")
		}), conf)
		tr := open(t, Config{Roots: ca.pool, Resolve: map[string]string{"a.test:443": addr}, Allow: func(netip.Addr, netip.AddrPort) error { return nil }})
		resumed := func(client string) bool {
			r := request(t, "GET", "a.test", "/")
			r.URL.Scheme = "https"
			c := &Call{Client: netip.MustParseAddr(client)}
			resp, err := tr.Do(r, c)
			all(t, resp, err)
			return c.TLS.Resumed
		}
		var got []bool
		for range 100 {
			got = append(got, resumed("192.0.2.1"))
		}
		want := make([]bool, 100)
		for i := range want {
			want[i] = i > 0
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tls.VersionName(version), diff)
		}
		if n := opened.Load(); n != 100 {
			t.Errorf("%d connections, want 100", n)
		}
		if resumed("192.0.2.2") {
			t.Error("a client resumed the session of another")
		}
	}
}
