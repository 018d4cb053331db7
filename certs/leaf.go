package certs

import (
	"container/list"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync"
	"time"
)

const (
	leafLife     = 45 * 24 * time.Hour // from NotBefore to NotAfter
	leafBackdate = 24 * time.Hour
	leafRenew    = 24 * time.Hour // a leaf with less left than this is replaced
	maxLeaves    = 4096           // kept, least recently used dropped first; about 3 KiB each
)

// Leaf returns a certificate for the given names, from the cache or newly
// signed. The first name is the one the client asked for, as server name or
// address; all become subject alternative names. Case and one trailing dot do
// not matter. Goroutines that ask for the same names at the same time share one
// signature. The error says which name cannot be signed and why.
//
// The certificate is shared and must not be changed.
func (ca *CA) Leaf(names ...string) (*tls.Certificate, error) {
	var buf [512]byte
	key, err := appendKey(buf[:0], names)
	if err != nil {
		return nil, err
	}
	now := ca.clock()
	e := ca.leaves.get(key, now)
	if e == nil {
		dns, ips, err := parseKey(key)
		if err != nil {
			return nil, err
		}
		tmpl := &x509.Certificate{DNSNames: dns, IPAddresses: ips}
		e = ca.leaves.add(string(key), now, func() (*tls.Certificate, error) { return ca.sign(tmpl, now) })
	}
	cert, err := e.sign()
	if err != nil {
		ca.leaves.drop(e)
		return nil, fmt.Errorf("sign certificate: %w", err)
	}
	return cert, nil
}

// sign completes tmpl, which holds the names, and signs it.
func (ca *CA) sign(tmpl *x509.Certificate, now time.Time) (*tls.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	tmpl.SerialNumber = serial
	tmpl.NotBefore, tmpl.NotAfter = leafValidity(now)
	if tmpl.NotAfter.After(ca.cert.NotAfter) {
		tmpl.NotAfter = ca.cert.NotAfter
	}
	tmpl.KeyUsage = x509.KeyUsageDigitalSignature
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	tmpl.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca.cert, ca.leaf.Public(), ca.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: ca.leaf, Leaf: leaf}, nil
}

// leafValidity counts whole seconds, the last one included (RFC 5280 section
// 4.1.2.5), so that a leaf lives exactly leafLife.
func leafValidity(now time.Time) (from, to time.Time) {
	from = now.Add(-leafBackdate).Truncate(time.Second)
	return from, from.Add(leafLife - time.Second)
}

// leafEntry is one leaf of the cache. It is put in before it is signed, so that
// whoever comes second waits for the first one's signature.
type leafEntry struct {
	key  string
	made time.Time
	sign func() (*tls.Certificate, error) // signs once, then returns the same
}

// fresh says that the leaf can still be handed out. The clock may have been set
// back since it was made.
func (e *leafEntry) fresh(now time.Time) bool {
	from, to := leafValidity(e.made)
	return now.After(from) && now.Before(to.Add(-leafRenew))
}

// leafCache is a bounded cache, least recently used out first. Its zero value
// is empty and usable.
type leafCache struct {
	mu    sync.Mutex
	byKey map[string]*list.Element // of *leafEntry
	used  list.List                // most recently used first
}

// get returns the fresh entry of key, nil if there is none. key is not kept.
func (c *leafCache) get(key []byte, now time.Time) *leafEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lookup(c.byKey[string(key)], now)
}

// add returns the fresh entry of key, which another goroutine may have put in
// meanwhile, or puts in one that will be signed by sign.
func (c *leafCache) add(key string, now time.Time, sign func() (*tls.Certificate, error)) *leafEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.byKey[key]
	if e := c.lookup(el, now); e != nil {
		return e
	}
	if el != nil {
		c.remove(el)
	}
	if c.byKey == nil {
		c.byKey = make(map[string]*list.Element)
	}
	e := &leafEntry{key: key, made: now, sign: sync.OnceValues(sign)}
	c.byKey[key] = c.used.PushFront(e)
	if c.used.Len() > maxLeaves {
		c.remove(c.used.Back())
	}
	return e
}

// drop takes e out, if it is still in.
func (c *leafCache) drop(e *leafEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.byKey[e.key]; el != nil && el.Value == e {
		c.remove(el)
	}
}

func (c *leafCache) lookup(el *list.Element, now time.Time) *leafEntry {
	if el == nil {
		return nil
	}
	e := el.Value.(*leafEntry)
	if !e.fresh(now) {
		return nil
	}
	c.used.MoveToFront(el)
	return e
}

func (c *leafCache) remove(el *list.Element) {
	delete(c.byKey, el.Value.(*leafEntry).key)
	c.used.Remove(el)
}
