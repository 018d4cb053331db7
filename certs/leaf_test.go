package certs

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// countingSigner counts the signatures of a CA's key.
type countingSigner struct {
	crypto.Signer
	n    atomic.Int64
	fail atomic.Bool
}

func (s *countingSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.n.Add(1)
	if s.fail.Load() {
		return nil, io.ErrClosedPipe
	}
	return s.Signer.Sign(rand, digest, opts)
}

func counted(t *testing.T) (*CA, *countingSigner) {
	ca := newTestCA(t, Options{})
	s := &countingSigner{Signer: ca.key}
	ca.key = s
	return ca, s
}

func TestLeafSignedOnce(t *testing.T) {
	ca, signer := counted(t)
	const goroutines, names = 64, 8
	var serials [goroutines][names]string
	start := make(chan struct{})
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			<-start
			for n := range names {
				name := fmt.Sprintf("host%d.example", n)
				if g%2 == 1 {
					name = strings.ToUpper(name) + "."
				}
				c, err := ca.Leaf(name)
				if err != nil {
					t.Error(err)
					return
				}
				serials[g][n] = c.Leaf.SerialNumber.String()
			}
		})
	}
	close(start)
	wg.Wait()
	if got := signer.n.Load(); got != names {
		t.Errorf("%d signatures for %d names", got, names)
	}
	for g := range serials {
		if serials[g] != serials[0] {
			t.Fatalf("goroutine %d got other leaves than goroutine 0", g)
		}
	}
}

func TestLeafCacheBound(t *testing.T) {
	ca, signer := counted(t)
	leaf := func(name string) {
		t.Helper()
		if _, err := ca.Leaf(name); err != nil {
			t.Fatal(err)
		}
	}
	leaf("kept.example")
	leaf("dropped.example")
	for i := range maxLeaves {
		leaf("kept.example") // used all the time
		leaf(fmt.Sprintf("n%d.example", i))
	}
	if n := len(ca.leaves.byKey); n != maxLeaves || ca.leaves.used.Len() != n {
		t.Errorf("cache holds %d leaves under %d keys, want %d", ca.leaves.used.Len(), n, maxLeaves)
	}
	before := signer.n.Load()
	leaf("kept.example")
	if got := signer.n.Load() - before; got != 0 {
		t.Error("a leaf in use was dropped")
	}
	leaf("dropped.example")
	if got := signer.n.Load() - before; got != 1 {
		t.Error("the least recently used leaf was not dropped")
	}
}

func TestLeafSigningFails(t *testing.T) {
	ca, signer := counted(t)
	signer.fail.Store(true)
	if _, err := ca.Leaf("example.com"); err == nil {
		t.Fatal("no error from a key that fails")
	}
	signer.fail.Store(false)
	if _, err := ca.Leaf("example.com"); err != nil {
		t.Errorf("a failure is remembered: %v", err)
	}
}

func TestLeafRefusedNames(t *testing.T) {
	ca, signer := counted(t)
	long := strings.Repeat("a.", 126) + "aa" // 254
	for _, names := range [][]string{
		nil,
		{""},
		{"."},
		{".."},
		{"a..b"},
		{".a"},
		{"*.example.com"},
		{"a b"},
		{"a\x00b"},
		{"a\nb"},
		{"a/b"},
		{"münchen.example"},
		{"example.com:443"},
		{"[::1]"},
		{"http://example.com"},
		{strings.Repeat("a", 64) + ".example"},
		{long},
		{long + "."},
		{strings.Repeat("a", 1<<20)},
		{"good.example", ""},
		{"a", "b", "c", "d", "e", "f", "g", "h", "i"},
	} {
		_, err := ca.Leaf(names...)
		if err == nil {
			t.Errorf("Leaf(%.40q) succeeded", names)
		} else if len(err.Error()) > 600 {
			t.Errorf("Leaf(%.40q): error of %d bytes", names, len(err.Error()))
		}
	}
	if n := signer.n.Load(); n != 0 || len(ca.leaves.byKey) != 0 {
		t.Errorf("%d signatures and %d cached entries for refused names", n, len(ca.leaves.byKey))
	}
	for _, name := range []string{
		strings.Repeat("a.", 126) + "a", // 253
		strings.Repeat("a", 63), "localhost", "a_b.example", "xn--mnchen-3ya.example", "-a-.example", "1.2.3", "fe80::1%eth0",
	} {
		if _, err := ca.Leaf(name); err != nil {
			t.Errorf("Leaf(%q): %v", name, err)
		}
	}
}

// TestLeafKeysDoNotCollide: two lists of names are one entry only if they mean
// the same names.
func TestLeafKeysDoNotCollide(t *testing.T) {
	ca, signer := counted(t)
	for _, names := range [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"c", "ab"}} {
		c, err := ca.Leaf(names...)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Leaf.DNSNames, " "); got != strings.Join(names, " ") {
			t.Errorf("Leaf(%q) is for %q", names, got)
		}
	}
	if got := signer.n.Load(); got != 4 {
		t.Errorf("%d signatures for 4 lists", got)
	}
}

func FuzzLeaf(f *testing.F) {
	for _, s := range []string{"example.com", "Example.COM.", "192.0.2.1", "2001:db8::1%x", "::ffff:1.2.3.4", "*.a", "", "xn--a", "a\x00b", "256.1.1.1", "é.fr", strings.Repeat("a.", 127)} {
		f.Add(s, "127.0.0.1")
	}
	ca := newTestCA(f, Options{})
	roots := x509.NewCertPool()
	roots.AddCert(ca.Certificate())
	f.Fuzz(func(t *testing.T, name, second string) {
		c, err := ca.Leaf(name, second)
		if err != nil {
			return
		}
		if c.Leaf.Subject.String() != "" {
			t.Errorf("subject %q", c.Leaf.Subject)
		}
		if n := len(c.Leaf.DNSNames) + len(c.Leaf.IPAddresses); n < 1 || n > 2 {
			t.Errorf("%d names in the leaf of %q and %q", n, name, second)
		}
		if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: ca.clock()}); err != nil {
			t.Errorf("leaf of %q does not verify: %v", name, err)
		}
		// Go's client refuses labels that begin with a hyphen, whatever the
		// certificate says; browsers do not.
		if strings.HasPrefix(name, "-") || strings.Contains(name, ".-") {
			return
		}
		if addr, err := netip.ParseAddr(strings.TrimSuffix(name, ".")); err == nil {
			name = addr.WithZone("").Unmap().String()
		}
		if err := c.Leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkLeafHit(b *testing.B) {
	ca := newTestCA(b, Options{})
	if _, err := ca.Leaf("tracking.miui.com", "192.0.2.1"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ca.Leaf("tracking.miui.com", "192.0.2.1"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLeafMiss(b *testing.B) {
	ca := newTestCA(b, Options{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := ca.Leaf(fmt.Sprintf("h%d.example", i)); err != nil {
			b.Fatal(err)
		}
	}
}

func TestLeafHitDoesNotAllocate(t *testing.T) {
	ca := newTestCA(t, Options{})
	get := func() {
		if _, err := ca.Leaf("Tracking.miui.com.", "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	get()
	if n := testing.AllocsPerRun(100, get); n != 0 {
		t.Errorf("a leaf from the cache allocates %v times", n)
	}
}
