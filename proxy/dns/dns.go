// Package dns answers the questions that clients ask the DNS through a door, by
// asking servers of the operator's choice, and makes a flow.Lookup of each.
//
// It is a forwarder without a cache (RFC 9499 section 6): a question goes on with
// the flags, options and types that the client gave it, and the answer comes back
// as the server wrote it; only the ID in its header is another one in between. What
// is not passed on is told to the client with a response code and to the log with
// Lookup.Error:
//
//   - messages that are not well formed, or carry bytes behind their last record,
//     or more than one question (RFC 9619): FORMERR;
//   - other operations than QUERY, such as updates: NOTIMP;
//   - transfers of zones over TCP: REFUSED;
//   - names below resolver.arpa, which do not exist for the clients of a forwarder
//     (RFC 9462 section 6.1): an answer without records.
//
// Answers are neither validated nor cached. With Config.StripHints, and only then,
// some are altered.
package dns

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"constat/proxy/flow"
)

// Config says how an Answerer works. The zero value asks the system's servers.
type Config struct {
	// Servers are asked in their order until one answers. Default: those of
	// ResolvConf, which is read again when it changes.
	Servers []netip.AddrPort
	// ResolvConf is the file that names the system's servers, as resolv.conf(5)
	// describes it. Default: /etc/resolv.conf.
	ResolvConf string
	// Dial makes the connections to servers; network is "udp" or "tcp". Default:
	// that of a net.Dialer, which takes another random port each time.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Resolve maps "host:port" to an "address" or "address:port", as curl's
	// --resolve. A host in it has the addresses of all its entries, and no other
	// records; no server is asked for it.
	Resolve map[string]string
	// LocalHost is a name that has LocalAddrs, those of the door itself.
	LocalHost  string
	LocalAddrs []netip.Addr

	// StripHints takes out of SVCB and HTTPS records what lets a client hide the
	// name of a server (the parameter ech, RFC 9848) or avoid TCP (ALPN h3): see
	// Lookup.Stripped. Signatures over such records no longer match, so that a
	// client that validates DNSSEC itself refuses them.
	StripHints bool

	// Timeout is how long a client waits at most. All servers share it. Default: 4
	// seconds, a little less than clients wait before they ask again.
	Timeout time.Duration
	// PerClient is how many questions of one address are put to servers at a time;
	// more wait. Default: 64.
	PerClient int
	// Now is the clock of Lookup.Time and Lookup.Duration. Default: time.Now.
	Now func() time.Time
}

// An Answerer answers questions. Its methods are safe for concurrent use.
type Answerer struct {
	conf   Config
	local  map[string][]netip.Addr
	system systemServers
	limit  limiter
}

// New returns an Answerer. It starts nothing and reads no file.
func New(conf Config) (*Answerer, error) {
	conf.ResolvConf = cmp.Or(conf.ResolvConf, "/etc/resolv.conf")
	conf.Timeout = cmp.Or(conf.Timeout, 4*time.Second)
	conf.PerClient = cmp.Or(conf.PerClient, 64)
	conf.Servers = slices.Clone(conf.Servers)
	if conf.Dial == nil {
		conf.Dial = new(net.Dialer).DialContext
	}
	if conf.Now == nil {
		conf.Now = time.Now
	}
	a := &Answerer{conf: conf, local: map[string][]netip.Addr{}}
	a.limit.most = conf.PerClient
	for from, to := range conf.Resolve {
		host, _, err := net.SplitHostPort(from)
		addr, bad := address(to)
		if err != nil || bad != nil {
			return nil, errors.New("resolve: want host:port and an address, not " + from + " and " + to)
		}
		a.name(host, addr)
	}
	if conf.LocalHost != "" {
		a.name(conf.LocalHost, conf.LocalAddrs...)
	}
	for _, addrs := range a.local {
		slices.SortFunc(addrs, netip.Addr.Compare)
	}
	return a, nil
}

// name gives a host its addresses.
func (a *Answerer) name(host string, addrs ...netip.Addr) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	list := a.local[host]
	for _, addr := range addrs {
		if addr = addr.Unmap().WithZone(""); !slices.Contains(list, addr) {
			list = append(list, addr)
		}
	}
	a.local[host] = list
}

func address(s string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr(), nil
	}
	return netip.ParseAddr(strings.Trim(s, "[]"))
}

// Answer answers one message of a client, which came over "udp" or "tcp". answer is
// nil when there is nothing to answer: a message without a whole header, or one that
// is itself an answer. The Lookup has all but what only the door knows: ID, Door,
// Device, App, Client and Server. Its Code and Answers are what a server said;
// without an answer of one, Code is empty and Error says why. client is who shares
// Config.PerClient. Answer waits no longer than Config.Timeout.
func (a *Answerer) Answer(ctx context.Context, query []byte, over string, client netip.Addr) (answer []byte, l *flow.Lookup) {
	l = &flow.Lookup{Time: a.conf.Now(), Over: over}
	ctx, cancel := context.WithTimeout(ctx, a.conf.Timeout)
	defer cancel()
	answer = a.answer(ctx, l, query, client)
	l.Duration = a.conf.Now().Sub(l.Time)
	return answer, l
}

func (a *Answerer) answer(ctx context.Context, l *flow.Lookup, query []byte, client netip.Addr) []byte {
	q, err := parseQuestion(query)
	if err != nil {
		l.Error = err.Error()
		if errors.Is(err, errNoQuestion) {
			return nil
		}
		if q != nil {
			l.Name, l.Type = q.name, typeName(q.typ)
		}
		return header(query, dns.RcodeFormatError)
	}
	l.Name, l.Type = q.name, typeName(q.typ)
	switch {
	case q.opcode != dns.OpcodeQuery:
		l.Error = "the operation " + opcodeName(q.opcode) + " is not passed on"
		return q.reply(dns.RcodeNotImplemented, nil)
	case l.Over == "tcp" && (q.typ == dns.TypeAXFR || q.typ == dns.TypeIXFR):
		l.Error = "transfers of zones are not passed on"
		return q.reply(dns.RcodeRefused, nil)
	}
	if addrs, ok := a.here(q); ok {
		answer := q.reply(dns.RcodeSuccess, addrs)
		facts(l, q, answer)
		return answer
	}
	if err := a.limit.acquire(ctx, client); err != nil {
		l.Error = "too many questions of this client at a time"
		return q.reply(dns.RcodeServerFailure, nil)
	}
	defer a.limit.release(client)
	answer, server, err := a.ask(ctx, q, l.Over)
	if err != nil {
		l.Error = err.Error()
		return q.reply(dns.RcodeServerFailure, nil)
	}
	l.Resolver = server
	facts(l, q, answer)
	if !a.conf.StripHints {
		return answer
	}
	stripped, err := strip(answer)
	if err != nil {
		l.Code, l.Error = "", "the answer was kept back: hints cannot be taken out of a message that is not well formed"
		return q.reply(dns.RcodeServerFailure, nil)
	}
	if stripped == nil {
		return answer
	}
	l.Stripped = true
	return stripped
}

// here returns the addresses for names that no server is asked for.
func (a *Answerer) here(q *question) ([]netip.Addr, bool) {
	if q.class != dns.ClassINET && q.class != dns.ClassANY {
		return nil, false
	}
	addrs, ok := a.local[q.name]
	if !ok {
		return nil, q.name == "resolver.arpa" || strings.HasSuffix(q.name, ".resolver.arpa")
	}
	var list []netip.Addr
	for _, addr := range addrs {
		if q.typ == dns.TypeANY || q.typ == dns.TypeA && addr.Is4() || q.typ == dns.TypeAAAA && addr.Is6() {
			list = append(list, addr)
		}
	}
	return list, true
}
