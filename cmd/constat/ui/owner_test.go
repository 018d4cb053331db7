package ui

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"constat/inspect"
	"constat/proxy/flow"
)

// roles is an invented table that knows every role.
type roles struct{}

func (roles) Lookup(string, netip.Addr) inspect.Owner {
	return inspect.Owner{
		Name: "Example & Sons", Company: "Example & Sons", Domain: "example.com", Country: "CN",
		AS: 64496, ASHolder: "Invented <Carrier>", Registry: "APNIC", Cloud: "Invented Cloud", Data: "networks 2026-06-17",
	}
}

// leaf is a certificate for an organisation whose name holds a comma.
func leaf(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		Subject: pkix.Name{CommonName: "*.example.com", Organization: []string{"Example (Invented) Co., Ltd."}},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Each role is named by its own word, the age of the tables and their makers are
// there, and the registry is nothing but a registry.
func TestRequestPageRoles(t *testing.T) {
	r := newRig(t, LiveConfig{})
	c := &flow.Connection{
		Opened: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), Door: "http", Device: "192.0.2.10", Host: "api.example.com", Port: 443,
		Server: netip.MustParseAddrPort("198.51.100.1:443"), ServerTLS: &flow.TLS{Version: "TLS 1.3", Chain: [][]byte{leaf(t)}}, Outcome: flow.Intercepted,
	}
	if err := r.c.Begin(c); err != nil {
		t.Fatal(err)
	}
	if err := r.c.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	e := r.add(func(e *flow.Exchange) { e.Connection = c.ID })
	in, err := inspect.New(inspect.Config{Build: "test", Owners: roles{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.c.Inspect(t.Context(), in, nil); err != nil {
		t.Fatal(err)
	}
	page := text(t, r.do("GET", fmt.Sprintf("/request/%d", e.ID), nil))
	for _, want := range []string{
		"<dt>Company</dt><dd>Example &amp; Sons", "domain example.com", "<dt>Certificate</dt><dd>Example (Invented) Co., Ltd.",
		"AS64496 Invented &lt;Carrier&gt;", "<dt>Hosted at</dt><dd>Invented Cloud", "<dt>Country declared</dt><dd>CN",
		"<dt>Registry of the block</dt><dd>APNIC", "networks 2026-06-17", `<a href="https://db-ip.com/" rel="noreferrer">IP Geolocation by DB-IP</a>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("page without %q", want)
		}
	}
	if n := strings.Count(page, "APNIC"); n != 1 {
		t.Errorf("the registry is named %d times", n)
	}
}
