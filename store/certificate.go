package store

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"strings"

	"constat/store/evidence"
)

// certificateFacts is what a certificate says of itself, for people who query.
type certificateFacts struct {
	Subject   string   `json:"subject,omitempty"`
	Issuer    string   `json:"issuer,omitempty"`
	Names     []string `json:"names,omitempty"` // DNS names and addresses, at most maxNames
	NotBefore string   `json:"not_before,omitempty"`
	NotAfter  string   `json:"not_after,omitempty"`
	Error     string   `json:"error,omitempty"` // instead of the rest when it cannot be parsed
}

// maxNames bounds the names of one certificate: some have thousands.
const maxNames = 100

// certificateJSON returns the facts of a certificate as JSON.
func certificateJSON(der []byte) string {
	var facts certificateFacts
	if c, err := x509.ParseCertificate(der); err != nil {
		facts.Error = "not a certificate that can be parsed"
	} else {
		facts = certificateFacts{
			Subject: c.Subject.String(), Issuer: c.Issuer.String(),
			NotBefore: evidence.FormatTime(c.NotBefore), NotAfter: evidence.FormatTime(c.NotAfter),
		}
		facts.Names = append(facts.Names, c.DNSNames...)
		for _, a := range c.IPAddresses {
			facts.Names = append(facts.Names, a.String())
		}
		facts.Names = facts.Names[:min(len(facts.Names), maxNames)]
	}
	j, _ := json.Marshal(facts) // strings only: cannot fail
	return string(j)
}

// chainNames returns the hashes of certificates in hexadecimal, separated by
// spaces.
func chainNames(chain [][]byte) string {
	var b strings.Builder
	for i, der := range chain {
		if i > 0 {
			b.WriteByte(' ')
		}
		sum := sha256.Sum256(der)
		b.WriteString(hex.EncodeToString(sum[:]))
	}
	return b.String()
}
