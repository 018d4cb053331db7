package evidence

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
)

// answerBy makes an answer about data with a certificate that change can spoil.
func answerBy(t testing.TB, data []byte, change func(*x509.Certificate)) ([]byte, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Invented authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{{Id: oidExtKeyUsage, Critical: true, Value: usage}},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	ts := timestamp.Timestamp{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Time: time.Now(), Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true}
	answer, err := ts.CreateResponseWithOpts(cert, key, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return answer, roots
}

func TestParseToken(t *testing.T) {
	data := []byte("checkpoint")
	answer, roots := answerBy(t, data, nil)
	tok, err := ParseToken(answer, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Trust(roots); err != nil {
		t.Error(err)
	}
	if _, others := answerBy(t, data, nil); tok.Trust(others) == nil {
		t.Error("trusted with the root of another authority")
	}
	if _, err := ParseToken(answer, data, big.NewInt(7)); err == nil {
		t.Error("an answer without the nonce is accepted")
	}
	// RFC 3161 section 2.3: the one usage, and critical.
	for name, change := range map[string]func(*x509.Certificate){
		"not critical": func(c *x509.Certificate) { c.ExtraExtensions[0].Critical = false },
		"none":         func(c *x509.Certificate) { c.ExtraExtensions = nil },
		"another": func(c *x509.Certificate) {
			c.ExtraExtensions = nil
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		},
		"two": func(c *x509.Certificate) {
			c.ExtraExtensions = nil
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageServerAuth}
		},
	} {
		answer, _ := answerBy(t, data, change)
		if _, err := ParseToken(answer, data, nil); err == nil || !strings.Contains(err.Error(), "time stamps only") {
			t.Errorf("extended key usage %s: %v", name, err)
		}
	}
	expired, roots := answerBy(t, data, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	if tok, err := ParseToken(expired, data, nil); err == nil && tok.Trust(roots) == nil {
		t.Error("a certificate that was no longer valid is trusted")
	}
}

func FuzzParseToken(f *testing.F) {
	data := []byte("checkpoint")
	answer, _ := answerBy(f, data, nil)
	f.Add(answer)
	f.Add([]byte{0x30, 0x80})
	f.Add([]byte(strings.Repeat("\x30\x80", 20_000)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if tok, err := ParseToken(b, data, nil); err == nil && tok.Signer == nil {
			t.Error("a token that nobody signed")
		}
	})
}
