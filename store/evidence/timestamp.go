package evidence

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

// Token is the answer of a time-stamping authority (RFC 3161) that a checkpoint
// existed at a time.
type Token struct {
	Response []byte // TimeStampResp, DER
	Time     time.Time
	Accuracy time.Duration // 0: not said
	Serial   *big.Int
	Policy   string
	Signer   *x509.Certificate   // of the authority
	Chain    []*x509.Certificate // all that came with the answer
}

// maxToken bounds an answer: real ones have 2 to 8 KiB.
const maxToken = 64 << 10

// TimestampRequest returns the request for a token over data, with the
// authority's certificates, and the nonce that its answer must have.
func TimestampRequest(data []byte, nonce *big.Int) ([]byte, error) {
	return timestamp.CreateRequest(bytes.NewReader(data), &timestamp.RequestOptions{Hash: crypto.SHA256, Certificates: true, Nonce: nonce})
}

// ParseToken reads an answer and checks all of it but whether the authority is one
// to trust: that it grants, that it is about data, that one certificate in it, which
// must be for time-stamping only and be named by the answer, signed it. nonce, when not
// nil, must be in it.
func ParseToken(response, data []byte, nonce *big.Int) (*Token, error) {
	t, err := parseToken(response, data, nonce)
	if err != nil {
		return nil, fmt.Errorf("read time stamp: %w", err)
	}
	return t, nil
}

func parseToken(response, data []byte, nonce *big.Int) (t *Token, err error) {
	// The library reads what a stranger sent.
	defer func() {
		if recover() != nil {
			t, err = nil, errors.New("it is malformed")
		}
	}()
	if len(response) > maxToken {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(response), maxToken)
	}
	ts, err := timestamp.ParseResponse(response)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512}, ts.HashAlgorithm) {
		return nil, errors.New("it is about a hash that is too weak")
	}
	h := ts.HashAlgorithm.New()
	h.Write(data)
	if !bytes.Equal(h.Sum(nil), ts.HashedMessage) {
		return nil, errors.New("it is about other data")
	}
	if nonce != nil && (ts.Nonce == nil || ts.Nonce.Cmp(nonce) != 0) {
		return nil, errors.New("it answers another request")
	}
	p7, err := pkcs7.Parse(ts.RawToken)
	if err != nil {
		return nil, err
	}
	// The library checks the signature only if there are certificates.
	signer := p7.GetOnlySigner()
	if signer == nil {
		return nil, errors.New("the certificate of its one signer is missing")
	}
	if err := p7.Verify(); err != nil {
		return nil, err
	}
	var content asn1.ObjectIdentifier
	if p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &content) != nil || !content.Equal(oidTSTInfo) {
		return nil, errors.New("what is signed is no time stamp")
	}
	if err := isAuthority(signer); err != nil {
		return nil, err
	}
	if err := namesSigner(p7, signer); err != nil {
		return nil, err
	}
	return &Token{
		Response: response, Time: ts.Time.UTC(), Accuracy: ts.Accuracy, Serial: ts.SerialNumber,
		Policy: ts.Policy.String(), Signer: signer, Chain: p7.Certificates,
	}, nil
}

var (
	oidTSTInfo       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidExtKeyUsage   = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidSigningCert   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
)

// isAuthority checks what RFC 3161 section 2.3 asks of the certificate: one
// extended key usage, timeStamping, and that critical.
func isAuthority(c *x509.Certificate) error {
	critical := slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidExtKeyUsage) && e.Critical })
	if !critical || len(c.UnknownExtKeyUsage) > 0 || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping {
		return errors.New("its signer's certificate is not one for time stamps only")
	}
	return nil
}

// namesSigner checks the signed attribute that says which certificate signed (RFC
// 5816 section 2.2.1, RFC 2634 section 5.4).
func namesSigner(p7 *pkcs7.PKCS7, signer *x509.Certificate) error {
	var v2 struct {
		Certs    []asn1.RawValue
		Policies asn1.RawValue `asn1:"optional"`
	}
	attribute := oidSigningCertV2
	if p7.UnmarshalSignedAttribute(oidSigningCertV2, &v2) != nil {
		attribute = oidSigningCert
		if p7.UnmarshalSignedAttribute(oidSigningCert, &v2) != nil {
			return errors.New("it does not say which certificate signed it")
		}
	}
	if len(v2.Certs) == 0 {
		return errors.New("it does not say which certificate signed it")
	}
	// The hash is the first octet string; before it there may be its algorithm.
	rest, hash := v2.Certs[0].Bytes, crypto.SHA256
	if attribute.Equal(oidSigningCert) {
		hash = crypto.SHA1 // RFC 2634 knows no other; the signature does not rest on it
	}
	for len(rest) > 0 {
		var v asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &v); err != nil {
			return err
		}
		if v.Tag == asn1.TagSequence {
			var a pkix.AlgorithmIdentifier
			if _, err := asn1.Unmarshal(v.FullBytes, &a); err != nil {
				return err
			}
			switch {
			case a.Algorithm.Equal(oidSHA256):
			case a.Algorithm.Equal(oidSHA384):
				hash = crypto.SHA384
			case a.Algorithm.Equal(oidSHA512):
				hash = crypto.SHA512
			default:
				return errors.New("it names its signer by a hash that is not known")
			}
			continue
		}
		h := hash.New()
		h.Write(signer.Raw)
		if v.Tag == asn1.TagOctetString && bytes.Equal(v.Bytes, h.Sum(nil)) {
			return nil
		}
		break
	}
	return errors.New("it names another certificate than the one that signed it")
}

// Trust checks that the certificate of the authority leads to one of roots and was
// valid at the time that the token says.
func (t *Token) Trust(roots *x509.CertPool) error {
	others := x509.NewCertPool()
	for _, c := range t.Chain {
		others.AddCert(c)
	}
	_, err := t.Signer.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: others, CurrentTime: t.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	return err
}

// certificates returns the certificates of the token as PEM, for openssl.
func (t *Token) certificates() []byte {
	var out bytes.Buffer
	for _, c := range t.Chain {
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // into memory
	}
	return out.Bytes()
}

// Fingerprint is the SHA-256 of the authority's certificate.
func (t *Token) Fingerprint() [sha256.Size]byte { return sha256.Sum256(t.Signer.Raw) }
