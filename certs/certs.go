// Package certs keeps the certification authority of a Constat user and signs
// the short-lived certificates with which the proxy answers in a server's name.
//
// A CA lives in a directory of its own as ca.key and ca.pem, is made on first
// use and differs between any two installs. It is ECDSA P-256, may sign end
// certificates only (path length 0) and is valid for ten years. An ECDSA or RSA
// CA of the user's own, put there by hand, serves as well. A leaf carries
// its names as subject alternative names and nothing else, is back-dated one
// day for phones whose clock runs behind, and lives 45 days at most, well under
// what any client refuses (Apple: 825 days for roots a user installed,
// support.apple.com/en-us/103769; Chromium: 200 days and falling). All leaves
// of one run share one key, made at start and never written. A CA is safe for
// concurrent use; what its methods return is shared or copied as they say.
//
// Whoever holds ca.key can read the traffic of every phone that trusts ca.pem.
// The key is never logged, never part of an error and never leaves the
// package: there is no method that returns it. The package installs nothing
// anywhere and knows nothing of HTTP.
package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

const (
	caLife     = 10 * 365 * 24 * time.Hour
	caBackdate = 48 * time.Hour // more than a leaf's, so that no leaf is older than its CA
)

// Options says how a CA is made and read. The zero value is good.
type Options struct {
	// Passphrase asks for the passphrase that wraps the key on disk (age,
	// scrypt). It is called with confirm true when a CA is made, to be asked
	// twice, and with false when a wrapped key is read; not at all for a key
	// that is there unwrapped. Nil stores a key that is made unwrapped.
	Passphrase func(confirm bool) (string, error)
	// Clock is the time that validity is counted from; default time.Now.
	Clock func() time.Time
	// Name begins the subject of a CA that is made, at most 32 printable ASCII
	// characters; default "Constat".
	Name string

	scryptWork int // log2 of scrypt's work; 0 means age's default
}

// CA signs leaves. Its zero value is not usable; see LoadOrCreate.
type CA struct {
	cert   *x509.Certificate
	key    crypto.Signer
	leaf   *ecdsa.PrivateKey // of every leaf of this run
	clock  func() time.Time
	leaves leafCache
}

func newCA(cert *x509.Certificate, key crypto.Signer, clock func() time.Time) (*CA, error) {
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate leaf key: %w", err)
	}
	return &CA{cert: cert, key: key, leaf: leaf, clock: clock}, nil
}

// generate makes the key and the certificate of a CA. The subject ends in the
// first bytes of the public key's hash, so that two installs can be told apart
// in a phone's list and never share an Android store name.
func generate(name string, now time.Time) (*ecdsa.PrivateKey, *x509.Certificate, error) {
	if name == "" {
		name = "Constat"
	}
	if len(name) > 32 {
		return nil, nil, errors.New("name of a CA is longer than 32 characters")
	}
	for _, c := range []byte(name) {
		if c < ' ' || c > '~' {
			return nil, nil, errors.New("name of a CA holds something else than printable ASCII")
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	pub, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, nil, err
	}
	id := sha256.Sum256(pub)
	serial, err := newSerial()
	if err != nil {
		return nil, nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: fmt.Sprintf("%s CA %X %X", name, id[:2], id[2:4]), Organization: []string{"Constat"}},
		NotBefore:             now.Add(-caBackdate),
		NotAfter:              now.Add(caLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		SubjectKeyId:          id[:20], // RFC 7093 section 2, method 1
		AuthorityKeyId:        id[:20],
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return key, cert, err
}

// newSerial returns 127 random bits, never zero (RFC 5280 section 4.1.2.2).
func newSerial() (*big.Int, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return nil, err
	}
	b[0] &= 0x7f
	b[15] |= 1
	return new(big.Int).SetBytes(b), nil
}

// check tells why cert and key cannot serve as a CA now, nil if they can.
func check(cert *x509.Certificate, key crypto.Signer, now time.Time, dir string) error {
	pub, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !ok || !pub.Equal(key.Public()):
		return fmt.Errorf("%s and %s in %s do not belong together: bring back the file that was replaced, or move both away and a new CA is made", CertFile, KeyFile, dir)
	case !cert.IsCA || cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("certificate in %s is not one of a CA: move %s and %s away and a new CA is made", dir, KeyFile, CertFile)
	case now.After(cert.NotAfter):
		return fmt.Errorf("CA in %s expired on %s: move %s and %s away, a new CA is made, and install that on the phones", dir, cert.NotAfter.UTC().Format(time.DateOnly), KeyFile, CertFile)
	case now.Before(cert.NotBefore):
		return fmt.Errorf("CA in %s is valid from %s and the clock says %s: set the clock of this machine", dir, cert.NotBefore.UTC().Format(time.DateOnly), now.UTC().Format(time.DateOnly))
	}
	return nil
}

// Certificate returns the CA's certificate, which must not be changed.
func (ca *CA) Certificate() *x509.Certificate { return ca.cert }

// DER returns a copy of the CA's certificate in DER.
func (ca *CA) DER() []byte { return append([]byte(nil), ca.cert.Raw...) }

// PEM returns the CA's certificate in PEM.
func (ca *CA) PEM() []byte { return certPEM(ca.cert) }

// Fingerprint returns the SHA-256 of the CA's certificate in lower-case hex.
func (ca *CA) Fingerprint() string {
	sum := sha256.Sum256(ca.cert.Raw)
	return hex.EncodeToString(sum[:])
}

func certPEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}
