package store

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"sync"

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

// certificateMemo remembers what certificateJSON made of the certificates seen
// last, as many as fit in two generations: a server presents the same one at
// each connection. It is safe for concurrent use.
type certificateMemo struct {
	mu       sync.Mutex
	new, old map[digest]string
}

const (
	certificateGeneration = 256
	maxMemoCertificate    = 4 << 10 // longer ones are not remembered
)

// facts is certificateJSON(der); sum is the hash of der.
func (m *certificateMemo) facts(sum digest, der []byte) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, ok := m.new[sum]
	if ok {
		return text
	}
	if text, ok = m.old[sum]; !ok {
		text = certificateJSON(der)
	}
	if len(text) <= maxMemoCertificate {
		if m.new == nil || len(m.new) >= certificateGeneration {
			m.new, m.old = map[digest]string{}, m.new
		}
		m.new[sum] = text
	}
	return text
}

// chainNames returns the hashes of certificates in hexadecimal, separated by
// spaces, and the first of them.
func chainNames(chain [][]byte) (names string, leaf digest) {
	b := make([]byte, 0, len(chain)*(2*len(leaf)+1))
	for i, der := range chain {
		sum := sha256.Sum256(der)
		if i == 0 {
			leaf = sum
		} else {
			b = append(b, ' ')
		}
		b = hex.AppendEncode(b, sum[:])
	}
	return string(b), leaf
}
