package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"constat/proxy/flow"
)

// Mode is what is done with the TLS of a host.
type Mode string

const (
	// Auto intercepts, and passes on unread for a while once the app has refused
	// that often enough.
	Auto Mode = "auto"
	// Always passes on unread.
	Always Mode = "always"
	// Never intercepts, whatever the app says.
	Never Mode = "never"
)

// Pass is what is known of one device and host whose TLS was refused, or that
// somebody has set a Mode for.
type Pass struct {
	Device   string // "" stands for all
	Host     string // server name, or the destination
	Mode     Mode
	Refusals int       // since a request was last read
	Last     time.Time // of them
	Until    time.Time // when interception is tried again; zero: it is intercepted
}

// Passing says whether connections pass unread at the given time.
func (p *Pass) Passing(now time.Time) bool {
	return p.Mode == Always || p.Mode == Auto && now.Before(p.Until)
}

const (
	maxPasses  = 4096
	refusalAge = 10 * time.Minute // after which a refusal is forgotten
)

type passKey struct{ device, host string }

// passes decides which connections are relayed unread, so that a phone whose apps
// do not accept our certificate keeps working. It is safe for concurrent use.
type passes struct {
	after int // refusals; 0: never
	keep  time.Duration
	clock func() time.Time

	wary atomic.Bool // there have been refusals over QUIC

	mu   sync.Mutex
	list map[passKey]*Pass
	quic map[passKey]*quicRefusals
}

// quicRefusals are those over QUIC alone. Many an app that takes our certificate over
// TCP does not over QUIC (Chromium wants a public CA there), so they say little, and
// the answer to the first is to refuse QUIC. An app that does not come over TCP then
// is passed on as any other.
type quicRefusals struct {
	n    int // of the client and, after the first, ours; since a request came over TCP
	last time.Time
}

func newPasses(after int, keep time.Duration) *passes {
	return &passes{after: after, keep: keep, clock: time.Now, list: map[passKey]*Pass{}, quic: map[passKey]*quicRefusals{}}
}

// get returns the entry, and makes it when there is none. The oldest one that
// nobody has set goes when there are too many. p.mu is held.
func (p *passes) get(k passKey) *Pass {
	e := p.list[k]
	if e != nil {
		return e
	}
	if len(p.list) >= maxPasses {
		var oldest *Pass
		for _, x := range p.list {
			if x.Mode == Auto && (oldest == nil || x.Last.Before(oldest.Last)) {
				oldest = x
			}
		}
		if oldest == nil {
			return &Pass{Mode: Auto} // everything was set by hand
		}
		delete(p.list, passKey{oldest.Device, oldest.Host})
	}
	e = &Pass{Device: k.device, Host: k.host, Mode: Auto}
	p.list[k] = e
	return e
}

// reason says why a connection is to be passed on unread, "" when it is not.
func (p *passes) reason(device, host string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.list) == 0 {
		return ""
	}
	own, all := p.list[passKey{device, host}], p.list[passKey{"", host}]
	set := all
	if own != nil && own.Mode != Auto {
		set = own
	}
	switch {
	case set != nil && set.Mode == Always:
		return "passed unread: set so for this host"
	case set != nil && set.Mode == Never:
		return ""
	case own != nil && own.Passing(p.clock()):
		return fmt.Sprintf("passed unread: the app has refused %d times; to be tried again at %s", own.Refusals, own.Until.UTC().Format("15:04:05 MST"))
	}
	return ""
}

// ended takes note of what became of a connection. abrupt says that the client closed
// it right after the handshake, without a byte.
func (p *passes) ended(row *flow.Connection, abrupt bool) {
	host := passHost(row.Host, row.SNI)
	if row.ClientTLS == nil || host == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	k := passKey{row.Device, host}
	if row.Transport == "udp" {
		p.quicEnded(k, row, abrupt)
	}
	if row.Outcome == flow.Intercepted {
		if e := p.list[k]; e != nil && e.Mode == Auto {
			delete(p.list, k)
		}
		return
	}
	if row.Transport == "udp" || !untrusting(row, abrupt) {
		return
	}
	e, now := p.get(k), p.clock()
	if now.Sub(e.Last) > max(refusalAge, 2*p.keep) {
		e.Refusals = 0
	}
	e.Refusals++
	e.Last = now
	if p.after > 0 && e.Refusals >= p.after {
		e.Until = now.Add(p.keep)
	}
}

// quicEnded takes note of what became of a QUIC connection. p.mu is held.
func (p *passes) quicEnded(k passKey, row *flow.Connection, abrupt bool) {
	q := p.quic[k]
	switch {
	case row.Outcome == flow.Intercepted:
		delete(p.quic, k)
		return
	case q != nil && row.Outcome == flow.Refused:
	case !untrusting(row, abrupt):
		return
	case q == nil:
		if len(p.quic) >= maxPasses {
			clear(p.quic)
		}
		q = new(quicRefusals)
		p.quic[k] = q
		p.wary.Store(true)
	}
	q.n++
	q.last = p.clock()
}

// overTCP takes note of a request that was read over TCP.
func (p *passes) overTCP(device, host string) {
	if !p.wary.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if q := p.quic[passKey{device, host}]; q != nil {
		q.n = 1
	}
}

// overQUIC is reason for a QUIC connection: it is to be passed on, or else, when there
// is a reason, refused.
func (p *passes) overQUIC(device, host string) (reason string, pass bool) {
	if reason = p.reason(device, host); reason != "" {
		return reason, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	k := passKey{device, host}
	q := p.quic[k]
	if q == nil || p.never(k) {
		return "", false
	}
	if p.clock().Sub(q.last) > max(refusalAge, p.keep) {
		delete(p.quic, k)
		return "", false
	}
	if p.after > 0 && q.n >= p.after {
		return fmt.Sprintf("passed unread: the app does not accept the certificate over QUIC, and did not come over TCP the last %d times", q.n), true
	}
	return "QUIC is refused: the app has not accepted the certificate over it, and may over TCP", false
}

// never says that somebody has set that a host is intercepted. p.mu is held.
func (p *passes) never(k passKey) bool {
	for _, k := range [...]passKey{k, {"", k.host}} {
		if e := p.list[k]; e != nil && e.Mode != Auto {
			return e.Mode == Never
		}
	}
	return false
}

// untrusting says that the client ended the connection in a way in which apps do
// that do not accept our certificate, also when it may have had another reason. abrupt
// is as for passes.ended.
func untrusting(row *flow.Connection, abrupt bool) bool {
	switch row.Outcome {
	case flow.SuspectedPin:
		return abrupt
	case flow.ClientRefused:
		switch row.ClientTLS.Alert {
		case "":
			return row.ClientTLS.Error == "closed" || row.ClientTLS.Error == "reset"
		case "unknown_ca", "bad_certificate", "certificate_unknown", "certificate_expired", "certificate_revoked",
			"unsupported_certificate", "internal_error", "user_canceled", "access_denied", "decrypt_error", "close_notify":
			return true
		}
	}
	return false
}

// passHost is the host that a connection counts for: the name by which its client
// asked for the destination, else the name in its handshake, else the address. What a
// handshake says does not open another destination that has a name.
func passHost(host, sni string) string {
	if _, err := netip.ParseAddr(host); err == nil && sni != "" {
		host = sni
	}
	return hostKey(host)
}

// hostKey is a host in the form in which it is compared.
func hostKey(host string) string {
	if name := hostName(host); name != "" {
		return name
	}
	return strings.ToLower(host)
}

// Passes lists what is known of hosts that were refused or set, the latest first.
func (p *Proxy) Passes() []Pass {
	p.passes.mu.Lock()
	defer p.passes.mu.Unlock()
	out := make([]Pass, 0, len(p.passes.list))
	for _, e := range p.passes.list {
		out = append(out, *e)
	}
	slices.SortFunc(out, func(a, b Pass) int {
		if c := b.Last.Compare(a.Last); c != 0 {
			return c
		}
		return strings.Compare(a.Host+" "+a.Device, b.Host+" "+b.Device)
	})
	return out
}

// SetPass sets what is done with the TLS of a host from the next connection on, for
// one device or, with "", for all of which nothing else is set. Auto forgets what
// was set, and the refusals.
func (p *Proxy) SetPass(device, host string, mode Mode) {
	p.passes.mu.Lock()
	defer p.passes.mu.Unlock()
	k := passKey{device, hostKey(host)}
	delete(p.passes.quic, k)
	if mode == Auto {
		delete(p.passes.list, k)
		return
	}
	e := p.passes.get(k)
	e.Mode, e.Until = mode, time.Time{}
}
