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
	tokens  []token               // oldest first
	clients map[netip.Addr]string // to the name of the device, "" as long as it has none
}

type token struct {
	text string
	made time.Time
	by   netip.Addr // who used it; invalid while nobody has

	device  string // that was made for who used it
	here    bool   // and which it is itself
	fetches int    // of its configuration
}

// NewEnrolment returns an Enrolment without clients. With open set everybody
// may use the proxy.
func NewEnrolment(open bool) *Enrolment {
	return &Enrolment{open: open, clock: time.Now, clients: make(map[netip.Addr]string)}
}

// Admit says whether the client at a may use the proxy.
func (e *Enrolment) Admit(a netip.Addr) bool {
	a = a.Unmap()
	if e.open || a.IsLoopback() {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.clients[a]
	return ok
}

// Name returns the name of the device that a client was enrolled as, "" for none.
func (e *Enrolment) Name(a netip.Addr) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.clients[a.Unmap()]
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
	a = a.Unmap()
	e.mu.Lock()
	defer e.mu.Unlock()
	found := e.find(text)
	_, known := e.clients[a]
	switch {
	case found == nil || !a.IsValid():
		return unknown
	case found.by == a:
		return enrolled
	case found.by.IsValid():
		return used
	case e.clock().Sub(found.made) >= tokenLife:
		return expired
	case len(e.clients) >= maxClients && !known:
		return full
	}
	if found.by = a; !known {
		e.clients[a] = ""
	}
	return enrolled
}

// find returns the token with the text, nil when there is none. e.mu is held.
func (e *Enrolment) find(text string) (found *token) {
	text = tokenText(text)
	for i := range e.tokens { // all of them, so that time tells nothing
		if subtle.ConstantTimeCompare([]byte(e.tokens[i].text), []byte(text)) == 1 {
			found = &e.tokens[i]
		}
	}
	return found
}

// tokenText is a token as it was made, for one that may have been typed in.
func tokenText(text string) string { return strings.ToLower(strings.ReplaceAll(text, "-", "")) }

// held returns the token with the text if it has enrolled the client and is not too
// old, nil otherwise. e.mu is held.
func (e *Enrolment) held(text string, a netip.Addr) *token {
	if t := e.find(text); t != nil && t.by.IsValid() && t.by == a.Unmap() && e.clock().Sub(t.made) < tokenLife {
		return t
	}
	return nil
}

// device returns the device that was made for the client that a token has enrolled,
// "" before one was made. here says that it is the client itself, ok that the token is
// the client's.
func (e *Enrolment) device(text string, a netip.Addr) (name string, here, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.held(text, a); t != nil {
		return t.device, t.here, true
	}
	return "", false, false
}

// name notes the device that was made for a token; here says that it is the client
// itself, whose address stands for it then. Not so for this computer.
func (e *Enrolment) name(text string, a netip.Addr, name string, here bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.held(text, a)
	if t == nil {
		return
	}
	if t.device, t.here = name, here; here && !t.by.IsLoopback() {
		e.clients[t.by] = name
	}
}

// fetch counts a fetch of the configuration of the device of a token, whose name it
// returns; "" when there is none for the client. left says that it may be fetched.
func (e *Enrolment) fetch(text string, a netip.Addr) (name string, left bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.held(text, a)
	if t == nil || t.device == "" {
		return "", false
	}
	if t.fetches++; t.fetches > maxFetches {
		return t.device, false
	}
	return t.device, true
}
