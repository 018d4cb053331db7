package ui

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	tokenLife  = 24 * time.Hour
	maxTokens  = 16   // outstanding; making more drops the oldest
	maxClients = 1024 // enrolled; more are refused
)

// Enrolment decides who may use the proxy: clients on this computer always, and
// those that opened a link with a token of 160 random bits. A token enrols one
// address, the first that opens it, and only within 24 hours; the same client
// may open it again. Enrolments last as long as the process.
//
// An address stands for a phone: whoever takes over the address on the local
// network takes over its place. IPv6 addresses count in full, so a phone that
// changes its temporary address must be enrolled again.
//
// All methods are safe for concurrent use.
type Enrolment struct {
	open  bool
	clock func() time.Time

	mu      sync.Mutex
	tokens  []token // oldest first
	clients map[netip.Addr]bool
}

type token struct {
	text string
	made time.Time
	by   netip.Addr // who used it; invalid while nobody has
}

// NewEnrolment returns an Enrolment without clients. With open set everybody
// may use the proxy.
func NewEnrolment(open bool) *Enrolment {
	return &Enrolment{open: open, clock: time.Now, clients: make(map[netip.Addr]bool)}
}

// Admit says whether the client at a may use the proxy.
func (e *Enrolment) Admit(a netip.Addr) bool {
	a = a.Unmap()
	if e.open || a.IsLoopback() {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.clients[a]
}

// Token returns a token that can be used: the same one until it is used or has
// expired, then a new one.
func (e *Enrolment) Token() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock()
	if n := len(e.tokens); n > 0 {
		if t := e.tokens[n-1]; !t.by.IsValid() && now.Sub(t.made) < tokenLife {
			return t.text
		}
	}
	if len(e.tokens) == maxTokens {
		e.tokens = append(e.tokens[:0], e.tokens[1:]...)
	}
	t := token{text: newTokenText(), made: now}
	e.tokens = append(e.tokens, t)
	return t.text
}

// Link returns the link that enrols a phone, for the proxy at addr
// ("192.168.1.5:8080").
func (e *Enrolment) Link(addr string) string {
	return "http://" + addr + "/?enrol=" + e.Token()
}

// newTokenText returns 160 random bits in 32 letters and digits of one case, so
// that a phone without a camera can have it typed in.
func newTokenText() string {
	var b [20]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// redemption is what became of the use of a token.
type redemption string

const (
	enrolled redemption = "enrolled"
	unknown  redemption = "unknown" // mistyped, or of an earlier run
	used     redemption = "used"    // by another client
	expired  redemption = "expired"
	full     redemption = "full" // too many clients
)

// redeem enrols the client at a if text is a token it may use.
func (e *Enrolment) redeem(text string, a netip.Addr) redemption {
	text = strings.ToLower(strings.ReplaceAll(text, "-", ""))
	a = a.Unmap()
	e.mu.Lock()
	defer e.mu.Unlock()
	var found *token
	for i := range e.tokens { // all of them, so that time tells nothing
		if subtle.ConstantTimeCompare([]byte(e.tokens[i].text), []byte(text)) == 1 {
			found = &e.tokens[i]
		}
	}
	switch {
	case found == nil || !a.IsValid():
		return unknown
	case found.by == a:
		return enrolled
	case found.by.IsValid():
		return used
	case e.clock().Sub(found.made) >= tokenLife:
		return expired
	case len(e.clients) >= maxClients && !e.clients[a]:
		return full
	}
	found.by = a
	e.clients[a] = true
	return enrolled
}
