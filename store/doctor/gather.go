package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"time"

	"constat/store"
)

// row is one connection, as the view connections has it.
type row struct {
	device, door, host, serverIP, sni, ja4, app, transport, dnsName string
	outcome, alert, clientError, serverAlert, serverError           string
	reason                                                          string
	shaken, hello                                                   bool // TLS with the client was set up; it sent a ClientHello
	port                                                            int
	at                                                              string
	ms                                                              float64
	up, down                                                        int64
}

// The details are JSON of Constat's own; an empty one is none.
const connections = `SELECT device, door, host, ifnull(port, 0), server_ip, sni, ja4, app, transport, dns_name, outcome, client_alert,
	CASE WHEN client_tls_detail <> '' THEN ifnull(client_tls_detail ->> 'error', '') ELSE '' END, server_alert,
	CASE WHEN server_tls_detail <> '' THEN ifnull(server_tls_detail ->> 'error', '') ELSE '' END,
	reason, client_tls <> '', client_tls_detail <> '', time, duration_ms, bytes_up, bytes_down
	FROM connections WHERE `

// gathered is what one reading of a case found.
type gathered struct {
	Summary
	devices map[string]*device
	hosts   map[hostKey]*host
	more    int
}

type hostKey struct{ device, name string }

type device struct {
	guess
	connections, read, refusedHosts int
	firstRead                       time.Time
	who                             map[string]*elsewhere
	asked                           time.Time // the DNS, in the open, for the last time
	served                          time.Time // when it was last admitted
}

// elsewhere is what one app or TLS library did at all hosts of a device.
type elsewhere struct{ read, refusedHosts int }

// host is what one device did with one host.
type host struct {
	Summary
	device, name  string
	f             Figures
	who           map[string]*party
	tcpUntil      time.Time // when the last connection by TCP had ended
	first, last   time.Time // of the unread
	lastRefused   time.Time
	up, down      int64
	apps, ja4     []string
	alerts, notes []string
	quic          int       // refused, with no connection by TCP since
	private       int       // DNS, refused
	lastPrivate   time.Time // of them
}

// party is what one app, or TLS library, did with a host.
type party struct {
	ja4       string
	app       bool // not only a library
	chromium  bool
	read      int
	refused   int
	firstRead time.Time
}

func gather(ctx context.Context, r *store.Reader, s store.Scope) (*gathered, error) {
	g := &gathered{devices: map[string]*device{}, hosts: map[hostKey]*host{}}
	where, args := s.Where()
	rows, err := r.DB().QueryContext(ctx, connections+where+" ORDER BY id", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c row
		err := rows.Scan(&c.device, &c.door, &c.host, &c.port, &c.serverIP, &c.sni, &c.ja4, &c.app, &c.transport, &c.dnsName, &c.outcome, &c.alert,
			&c.clientError, &c.serverAlert, &c.serverError, &c.reason, &c.shaken, &c.hello, &c.at, &c.ms, &c.up, &c.down)
		if err != nil {
			return nil, err
		}
		g.take(&c)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := g.lookups(ctx, r, s); err != nil {
		return nil, err
	}
	return g, g.declared(ctx, r)
}

// lookups finds out when devices last asked the DNS in the open.
func (g *gathered) lookups(ctx context.Context, r *store.Reader, s store.Scope) error {
	where, args := s.Where()
	rows, err := r.DB().QueryContext(ctx, "SELECT device, max(time) FROM dns WHERE "+where+" GROUP BY device", args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name, at string
		if err := rows.Scan(&name, &at); err != nil {
			return err
		}
		if d := g.devices[name]; d != nil {
			d.asked = parse(at)
		}
	}
	return rows.Err()
}

// declared reads what people said of the devices.
func (g *gathered) declared(ctx context.Context, r *store.Reader) error {
	list, err := r.Declared(ctx, store.TopicDevice)
	if err != nil {
		return err
	}
	for _, x := range list {
		d := g.devices[x.Subject]
		if x.Subject == "" && len(g.devices) == 1 {
			for _, d = range g.devices {
			}
		}
		facts := map[string]any{}
		if d == nil || json.Unmarshal(x.Content, &facts) != nil {
			continue
		}
		for _, name := range []string{"model", "os", "rom", "build", "system", "maker", "brand"} {
			if text, ok := facts[name].(string); ok {
				d.heard(text)
			}
		}
	}
	return nil
}

// parse reads a time of a view; a damaged one is the zero value.
func parse(s string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, s)
	return t
}

// name is the host as people know it.
func (c *row) name() string {
	name := cmp.Or(c.sni, c.host)
	if _, err := netip.ParseAddr(name); err == nil && c.dnsName != "" {
		name = c.dnsName
	}
	return strings.TrimSuffix(strings.ToLower(name), ".")
}

// party names the app, else the TLS library; "" when neither is known.
func (c *row) party() string {
	if c.app != "" {
		return "app " + c.app
	}
	if c.ja4 != "" {
		return "ja4 " + c.ja4
	}
	return ""
}

func (g *gathered) device(name string) *device {
	d := g.devices[name]
	if d == nil {
		d = &device{who: map[string]*elsewhere{}}
		g.devices[name] = d
	}
	return d
}

// host returns the entry, nil when there are too many.
func (g *gathered) host(device, name string) *host {
	k := hostKey{device, name}
	h := g.hosts[k]
	if h == nil && len(g.hosts) < maxHosts {
		h = &host{device: device, name: name, who: map[string]*party{}}
		g.hosts[k] = h
	}
	return h
}

// take counts one connection.
func (g *gathered) take(c *row) {
	name := c.name()
	if c.transport == "icmp" || c.outcome == "cut_off" {
		return
	}
	if c.outcome == "refused" && strings.Contains(c.reason, "not admitted") {
		name = ""
	}
	if _, known := g.devices[c.device]; !known && len(g.devices) >= maxHosts {
		g.more++
		return
	}
	d := g.device(c.device)
	d.saw(name, c.app)
	h := g.host(c.device, name)
	if h == nil {
		g.more++
		h = &host{device: c.device, name: name, who: map[string]*party{}} // for the sums
	}
	d.connections++
	note(&h.Doors, c.door)
	note(&g.Doors, c.door)
	at := parse(c.at)
	if name != "" {
		d.served = at
	}
	one := Summary{}
	switch {
	case c.outcome == "refused":
		one.Refused = 1
		h.policy(c, at)
	case c.outcome == "idle" && !c.hello:
		one.Empty = 1
	case c.outcome == "intercepted" || c.outcome == "plain":
		one.Connections, one.BytesUp = 1, c.up
		h.read(d, c, at)
	case c.outcome == "server_failed":
		one.Connections, one.BytesUp, one.Failed = 1, c.up, 1
		h.unread(d, c, at)
	default:
		one.Connections, one.BytesUp = 1, c.up
		one.Unread, one.UnreadUp = 1, c.up
		if _, err := netip.ParseAddr(name); c.outcome == "raw" && err == nil {
			one.Nameless = 1
			break
		}
		h.unread(d, c, at)
		if c.outcome == "client_refused" || c.outcome == "suspected_pin" || c.outcome == "idle" {
			one.Mute = 1
		}
	}
	h.Summary.add(&one)
	g.Summary.add(&one)
	if c.transport == "tcp" && c.outcome != "refused" {
		// An app that comes by TCP has left QUIC, also when TCP is refused then.
		h.quic = 0
		if other := g.hosts[hostKey{c.device, c.serverIP}]; other != nil {
			other.quic = 0
		}
		if end := at.Add(time.Duration(c.ms * float64(time.Millisecond))); end.After(h.tcpUntil) {
			h.tcpUntil = end
		}
	}
}

// policy counts what Constat refused.
func (h *host) policy(c *row, at time.Time) {
	switch {
	case strings.Contains(c.reason, "not admitted"):
		h.f.NotAdmitted++
	case strings.HasSuffix(c.reason, "is in a local network"):
		h.f.LocalNet++
	case c.port == 853:
		h.private++
		h.lastPrivate = at
	case c.port == 443 && c.transport == "udp":
		if !h.tcpUntil.After(at) {
			h.quic++
		}
	default:
		return
	}
	h.seen(c, at)
}

// seen notes a connection that was not read.
func (h *host) seen(c *row, at time.Time) {
	if h.first.IsZero() || at.Before(h.first) {
		h.first = at
	}
	if at.After(h.last) {
		h.last = at
	}
	note(&h.apps, c.app)
	note(&h.ja4, c.ja4)
	note(&h.alerts, c.alert)
	note(&h.notes, c.reason)
}

// note adds s to the few that are kept.
func note(list *[]string, s string) {
	if s != "" && len(*list) < maxShown && !slices.Contains(*list, s) {
		*list = append(*list, s)
	}
}

// party returns what is counted of an app at this host; of those that are too many,
// and of unknown ones, a value that nobody keeps.
func (h *host) party(c *row) *party {
	k := c.party()
	p := h.who[k]
	if p == nil {
		p = &party{ja4: c.ja4, app: c.app != "", chromium: isChromium(c.app, c.ja4)}
		if k != "" && len(h.who) < maxWho {
			h.who[k] = p
		}
	}
	return p
}

func (d *device) elsewhere(k string) *elsewhere {
	e := d.who[k]
	if e == nil {
		e = new(elsewhere)
		if k != "" && len(d.who) < maxHosts {
			d.who[k] = e
		}
	}
	return e
}

// read counts a connection that was read.
func (h *host) read(d *device, c *row, at time.Time) {
	h.f.Read++
	if c.outcome == "plain" {
		return
	}
	d.read++
	if d.firstRead.IsZero() {
		d.firstRead = at
	}
	p := h.party(c)
	if p.read++; p.read == 1 {
		p.firstRead = at
	}
	d.elsewhere(c.party()).read++
}

// spare is how many milliseconds a connection that was never used is open at least
// when a browser keeps it in case it needs it. Apps that check the certificate
// themselves close at once.
const spare = 3000

// unread counts a connection that was not.
func (h *host) unread(d *device, c *row, at time.Time) {
	h.seen(c, at)
	h.up += c.up
	h.down += c.down
	f := &h.f
	switch c.outcome {
	case "client_refused":
		handshake(f, c)
	case "suspected_pin":
		if c.ms >= spare {
			f.Silent++
			return
		}
		f.Unused++
	case "idle":
		f.Silent++
	case "passed":
		if strings.Contains(c.reason, "set so") {
			f.PassedBySet++
		} else {
			f.PassedAfter++
		}
	case "raw":
		f.Raw++
	case "server_failed":
		server(f, c)
	}
	if c.outcome != "client_refused" && c.outcome != "suspected_pin" {
		return
	}
	p := h.party(c)
	if p.refused++; p.refused == 1 {
		d.elsewhere(c.party()).refusedHosts++
	}
	if h.lastRefused.IsZero() {
		d.refusedHosts++
	}
	if at.After(h.lastRefused) {
		h.lastRefused = at
	}
}

// handshake sorts how the client ended one.
func handshake(f *Figures, c *row) {
	switch c.alert {
	case "unknown_ca":
		f.UnknownCA++
	case "bad_certificate", "certificate_unknown", "access_denied", "decrypt_error":
		f.Rejected++
	case "certificate_expired", "certificate_revoked", "unsupported_certificate":
		f.Invalid++
	case "protocol_version", "handshake_failure", "insufficient_security", "inappropriate_fallback":
		f.NoCommon++
	case "":
		switch {
		case c.clientError == "timeout":
			f.TimedOut++
		case c.clientError == "closed", c.clientError == "reset":
			f.Closed++
		case strings.Contains(c.clientError, "unsupported versions"), strings.Contains(c.clientError, "no cipher suite"), strings.Contains(c.clientError, "no supported"):
			f.NoCommon++ // words of crypto/tls, which ends the handshake itself then
		default:
			f.OtherAlert++
		}
	default:
		f.OtherAlert++
	}
}

// server sorts why there is no server. Reasons begin with one of the words of
// requests.error; the words behind it are those of the check of certificates.
func server(f *Figures, c *row) {
	word, rest, _ := strings.Cut(c.reason, ": ")
	why := cmp.Or(c.serverError, rest)
	begins := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(why, w) })
	}
	switch {
	case word == "dns":
		f.Unresolved++
	case word != "server_tls":
		f.Unreachable++
	case begins("self-signed", "unknown issuer"):
		f.PrivateCA++
	case begins("wrong host"):
		f.WrongName++
	case begins("expired", "not yet valid"):
		f.Expired++
	case c.serverAlert == "certificate_required", c.serverAlert == "bad_certificate":
		f.WantsCertificate++
	default:
		f.ServerTLS++
	}
}

// fails says that there is something to explain. An app that came back by TCP, a
// device that went back to the plain DNS, and one that was enrolled since, have given
// up what was refused.
func (h *host) fails(d *device) bool {
	if d.asked.After(h.lastPrivate) {
		h.private = 0
	}
	if d.served.After(h.last) {
		h.f.NotAdmitted = 0
	}
	return h.Unread+h.Failed > h.Nameless || h.quic > 0 || h.private > 0 || h.f.NotAdmitted+h.f.LocalNet > 0
}
