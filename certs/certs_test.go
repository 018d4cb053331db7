package certs

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// openssl runs the real openssl, which is the judge of what is made here.
func openssl(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("openssl is missing: install it with apt-get install openssl")
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func newTestCA(t testing.TB, opt Options) *CA {
	t.Helper()
	ca, err := LoadOrCreate(filepath.Join(t.TempDir(), "ca"), opt)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCAAsOpenSSLSeesIt(t *testing.T) {
	ca := newTestCA(t, Options{})
	path := write(t, "ca.pem", ca.PEM())
	text := openssl(t, "x509", "-in", path, "-noout", "-text")
	for _, want := range []string{
		"CA:TRUE, pathlen:0",
		"Certificate Sign, CRL Sign",
		"X509v3 Subject Key Identifier",
		"X509v3 Authority Key Identifier",
		"NIST CURVE: P-256",
		"ecdsa-with-SHA256",
		"Constat CA ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("openssl x509 -text does not show %q:\n%s", want, text)
		}
	}
	if got, want := ca.AndroidName(), strings.TrimSpace(openssl(t, "x509", "-in", path, "-noout", "-subject_hash_old"))+".0"; got != want {
		t.Errorf("AndroidName = %q, openssl says %q", got, want)
	}
	fp := openssl(t, "x509", "-in", path, "-noout", "-fingerprint", "-sha256")
	_, fp, _ = strings.Cut(strings.TrimSpace(fp), "=")
	if want := strings.ToLower(strings.ReplaceAll(fp, ":", "")); ca.Fingerprint() != want {
		t.Errorf("Fingerprint = %s, openssl says %s", ca.Fingerprint(), want)
	}
	if got := openssl(t, "verify", "-x509_strict", "-CAfile", path, path); !strings.HasSuffix(got, ": OK\n") {
		t.Errorf("openssl verify of the CA: %s", got)
	}
	der := write(t, "ca.der", ca.DER())
	if a, b := openssl(t, "x509", "-inform", "DER", "-in", der, "-noout", "-serial"), openssl(t, "x509", "-in", path, "-noout", "-serial"); a != b {
		t.Errorf("DER and PEM differ: %s %s", a, b)
	}
	android := write(t, ca.AndroidName(), ca.AndroidFile())
	openssl(t, "x509", "-in", android, "-noout")
}

func TestInstallsDiffer(t *testing.T) {
	a, b := newTestCA(t, Options{}), newTestCA(t, Options{})
	if a.Certificate().Subject.CommonName == b.Certificate().Subject.CommonName {
		t.Errorf("two installs are both called %q", a.Certificate().Subject.CommonName)
	}
	if a.AndroidName() == b.AndroidName() {
		t.Errorf("two installs share the Android name %q", a.AndroidName())
	}
	if a.Certificate().SerialNumber.Cmp(b.Certificate().SerialNumber) == 0 {
		t.Error("two installs share a serial number")
	}
}

func TestLeafAsOpenSSLSeesIt(t *testing.T) {
	ca := newTestCA(t, Options{})
	caPath := write(t, "ca.pem", ca.PEM())
	leaf, err := ca.Leaf("Api.Example.COM.", "192.0.2.7", "2001:db8::7", "api.example.com", "::ffff:192.0.2.7", "a_b.xn--mnchen-3ya.example")
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, "leaf.pem", certPEM(leaf.Leaf))
	for _, name := range [][]string{
		{"-verify_hostname", "api.example.com"},
		{"-verify_hostname", "a_b.xn--mnchen-3ya.example"},
		{"-verify_ip", "192.0.2.7"},
		{"-verify_ip", "2001:db8::7"},
	} {
		got := openssl(t, append(append([]string{"verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", caPath}, name...), path)...)
		if !strings.HasSuffix(got, ": OK\n") {
			t.Errorf("openssl verify %v: %s", name, got)
		}
	}
	text := openssl(t, "x509", "-in", path, "-noout", "-text", "-nameopt", "RFC2253")
	for _, want := range []string{
		"Subject: \n",
		"CA:FALSE",
		"Digital Signature\n",
		"TLS Web Server Authentication\n",
		"X509v3 Subject Alternative Name: critical",
		"DNS:api.example.com, DNS:a_b.xn--mnchen-3ya.example, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("openssl x509 -text does not show %q:\n%s", want, text)
		}
	}
	other := newTestCA(t, Options{})
	otherPath := write(t, "other.pem", other.PEM())
	if out, err := exec.Command("openssl", "verify", "-CAfile", otherPath, path).CombinedOutput(); err == nil {
		t.Errorf("a leaf verifies under another CA: %s", out)
	}
}

func TestLeafValidity(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 123, time.UTC)
	ca := newTestCA(t, Options{Clock: func() time.Time { return now }})
	get := func() *tls.Certificate {
		t.Helper()
		c, err := ca.Leaf("example.com")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := get()
	if d := first.Leaf.NotAfter.Sub(first.Leaf.NotBefore) + time.Second; d > 45*24*time.Hour {
		t.Errorf("leaf lives %v, 45 days are the limit", d)
	}
	if d := now.Sub(first.Leaf.NotBefore); d < 24*time.Hour || d > 24*time.Hour+time.Second {
		t.Errorf("leaf is back-dated %v, want one day", d)
	}
	for _, tt := range []struct {
		after time.Duration
		renew bool
	}{
		{0, false},
		{42 * 24 * time.Hour, false},
		{43*24*time.Hour - 2*time.Second, false},
		{43 * 24 * time.Hour, true}, // less than a day left
		{-25 * time.Hour, true},     // clock set back before the leaf's time
	} {
		now = first.Leaf.NotBefore.Add(24*time.Hour + tt.after)
		if got := get().Leaf.SerialNumber.Cmp(first.Leaf.SerialNumber) != 0; got != tt.renew {
			t.Errorf("after %v: renewed is %v, want %v", tt.after, got, tt.renew)
		}
		now = first.Leaf.NotBefore.Add(24 * time.Hour)
		first = get()
	}
	now = ca.Certificate().NotAfter.Add(-48 * time.Hour)
	if last := get(); last.Leaf.NotAfter.After(ca.Certificate().NotAfter) {
		t.Errorf("leaf outlives its CA: %v", last.Leaf.NotAfter)
	}
}

func TestSerialsAndKeys(t *testing.T) {
	ca := newTestCA(t, Options{})
	a, err := ca.Leaf("a.example")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ca.Leaf("b.example")
	if err != nil {
		t.Fatal(err)
	}
	if a.Leaf.SerialNumber.Cmp(b.Leaf.SerialNumber) == 0 || a.Leaf.SerialNumber.BitLen() < 96 {
		t.Errorf("serial numbers %x and %x", a.Leaf.SerialNumber, b.Leaf.SerialNumber)
	}
	if a.PrivateKey != b.PrivateKey {
		t.Error("leaves of one run have different keys")
	}
}

// TestHandshake uses real sockets: by server name, and by address without one.
func TestHandshake(t *testing.T) {
	ca := newTestCA(t, Options{})
	roots := x509.NewCertPool()
	roots.AddCert(ca.Certificate())
	for _, tt := range []struct{ listen, name string }{
		{"127.0.0.1:0", "phone.example"},
		{"127.0.0.1:0", "127.0.0.1"},
		{"[::1]:0", "::1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := tls.Listen("tcp", tt.listen, &tls.Config{
				GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
					if hello.ServerName != "" {
						return ca.Leaf(hello.ServerName)
					}
					return ca.Leaf(netip.MustParseAddrPort(hello.Conn.LocalAddr().String()).Addr().String())
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			served := make(chan error, 1)
			go func() {
				c, err := l.Accept()
				if err == nil {
					err = c.(*tls.Conn).Handshake()
					c.Close()
				}
				served <- err
			}()
			c, err := (&tls.Dialer{NetDialer: &net.Dialer{Timeout: 5 * time.Second}, Config: &tls.Config{RootCAs: roots, ServerName: tt.name}}).
				DialContext(t.Context(), "tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMobileConfig(t *testing.T) {
	ca := newTestCA(t, Options{Name: "A & B <x>"})
	first, err := ca.MobileConfig()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ca.MobileConfig()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(again)); diff != "" {
		t.Errorf("profile is not stable (-first +again):\n%s", diff)
	}
	profile := parsePlist(t, first).(map[string]any)
	if profile["PayloadType"] != "Configuration" || profile["PayloadRemovalDisallowed"] != false {
		t.Errorf("profile: %v", profile)
	}
	root := profile["PayloadContent"].([]any)[0].(map[string]any)
	if diff := cmp.Diff(ca.DER(), root["PayloadContent"]); diff != "" {
		t.Errorf("certificate in the profile (-want +got):\n%s", diff)
	}
	if got := root["PayloadDisplayName"]; got != ca.Certificate().Subject.CommonName {
		t.Errorf("name in the profile is %q", got)
	}
	if root["PayloadType"] != "com.apple.security.root" || root["PayloadUUID"] == profile["PayloadUUID"] {
		t.Errorf("root payload: %v", root)
	}
	other, err := newTestCA(t, Options{}).MobileConfig()
	if err != nil {
		t.Fatal(err)
	}
	if parsePlist(t, other).(map[string]any)["PayloadUUID"] == profile["PayloadUUID"] {
		t.Error("two CAs share a profile UUID")
	}
}
