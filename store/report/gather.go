package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"constat/inspect"
	"constat/store"
	"constat/store/claim"
	"constat/store/compare"
)

// Bounds on the lists of a report.
const (
	maxDevices  = 20
	maxHosts    = 80
	maxAddress  = 120
	maxCanaries = 200
	maxUnread   = 80
	maxDamage   = 40
	maxRuns     = 20
	maxSessions = 200
	maxPairs    = 20_000 // of a host and an address
)

// gatherer collects one Document. All its SQL sees the case at one moment;
// identifiers, which are read apart, may be newer.
type gatherer struct {
	ctx context.Context
	r   *store.Reader
	tx  *sql.Tx
	opt Options
	l   *language
	doc *Document

	behind  map[hostAddress]AddressRow
	silent  map[hostAddress]bool // was dialled, and answered no request
	domains map[string]string    // registrable, by host
}

// hostAddress is a host name and the address that answered.
type hostAddress struct{ host, address string }

// Gather collects the content of a report on the case r.
func Gather(ctx context.Context, r *store.Reader, opt Options) (*Document, error) {
	l, err := languageOf(opt.Lang)
	if err != nil {
		return nil, fmt.Errorf("gather report: %w", err)
	}
	opt = opt.withDefaults(l)
	tx, err := r.DB().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("gather report: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	g := &gatherer{ctx: ctx, r: r, tx: tx, opt: opt, l: l, doc: &Document{
		Lang: l.code, Title: opt.Title, Banner: opt.Banner, BannerLang: opt.BannerLang, Build: opt.Build, Generated: opt.Now().UTC(), ShowPhotos: opt.ShowPhotos,
		Answers: append([]claim.Answer{}, opt.Answers...), Comparisons: append([]compare.Comparison{}, opt.Comparisons...),
	}}
	steps := []struct {
		name string
		run  func() error
	}{
		{"case", g.theCase},
		{"classes", g.classes},
		{"hosts", g.hosts},
		{"addresses", g.addresses},
		{"canaries", g.canaries},
		{"identifiers", g.identifiers},
		{"exhibits", g.exhibits},
		{"photos", g.photos},
		{"coverage", g.coverage},
		{"doors", g.doors},
		{"sessions", g.sessions},
		{"declarations", g.declared},
		{"timeline", g.timeline},
		{"damage", g.damage},
		{"runs", g.runs},
		{"flow", g.flow},
	}
	for i, step := range steps {
		if err := step.run(); err != nil {
			return nil, fmt.Errorf("gather report: %s: %w", step.name, err)
		}
		opt.Progress(int64(i+1), int64(len(steps)))
	}
	g.doc.Summary = l.summary(g.doc)
	return g.doc, nil
}

// collect runs a query and makes one T of each row.
func collect[T any](g *gatherer, query string, args []any, scan func(scan func(...any) error) (T, error)) ([]T, error) {
	rows, err := g.tx.QueryContext(g.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []T{}
	for rows.Next() {
		one, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// stamp scans a time of the case, which is RFC 3339 text.
type stamp struct{ t *time.Time }

func (s stamp) Scan(v any) error {
	text, _ := v.(string)
	if text == "" {
		*s.t = time.Time{}
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	*s.t = t
	return err
}

// array scans a JSON array of texts and leaves out empty ones and repeats.
type array struct{ list *[]string }

func (a array) Scan(v any) error {
	text, _ := v.(string)
	var all []*string
	if text == "" {
		text = "[]"
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return err
	}
	*a.list = []string{}
	for _, s := range all {
		if s != nil && *s != "" && !slices.Contains(*a.list, *s) {
			*a.list = append(*a.list, *s)
		}
	}
	return nil
}

// some is array, but nil when there is nothing.
type some struct{ list *[]string }

func (s some) Scan(v any) error {
	err := array(s).Scan(v)
	if len(*s.list) == 0 {
		*s.list = nil
	}
	return err
}

// classList scans a list of classes into the order of reports.
type classList struct{ list *[]string }

func (c classList) Scan(v any) error {
	text, _ := v.(string)
	*c.list = strings.Fields(text)
	sortClasses(*c.list)
	return nil
}

func sortClasses(list []string) {
	slices.SortFunc(list, func(a, b string) int { return rank(inspect.Class(a)) - rank(inspect.Class(b)) })
}

// A connection whose door is "import" stands for a file: it is no evidence of what
// could be seen, and its time is that of the import.

func (g *gatherer) theCase() error {
	info, err := g.r.Info(g.ctx)
	if err != nil {
		return err
	}
	c := &g.doc.Case
	*c = Case{ID: info.ID, File: filepath.Base(info.Path), Created: info.Created.UTC(), Tool: info.Tool, Persona: info.PersonaName}
	g.doc.Log = logOf(info)
	err = g.tx.QueryRowContext(g.ctx, `
		SELECT count(*), ifnull(sum(door = 'import'), 0), ifnull(sum(scheme IN ('http', 'ws')), 0), ifnull(min(time), ''), ifnull(max(time), ''), ifnull(sum(method = ''), 0)
		FROM requests`).
		Scan(&c.Requests, &c.Imported, &c.Plain, stamp{&c.First}, stamp{&c.Last}, &c.Raw)
	if err != nil {
		return err
	}
	var first, last time.Time
	err = g.tx.QueryRowContext(g.ctx, `SELECT ifnull(min(time), ''), ifnull(max(time), '') FROM connections WHERE door <> 'import'`).Scan(stamp{&first}, stamp{&last})
	if err != nil {
		return err
	}
	if c.First.IsZero() || !first.IsZero() && first.Before(c.First) {
		c.First = first
	}
	if last.After(c.Last) {
		c.Last = last
	}
	c.Devices, err = collect(g, `
		SELECT device, sum(n) FROM (
			SELECT device, count(*) AS n FROM requests GROUP BY device UNION ALL SELECT DISTINCT device, 0 FROM connections)
		GROUP BY device ORDER BY 2 DESC, 1 LIMIT ?`, []any{maxDevices},
		func(scan func(...any) error) (d Device, err error) { return d, scan(&d.Name, &d.Requests) })
	return err
}

// logOf takes the newest checkpoint apart (C2SP tlog-checkpoint): origin, size, root.
func logOf(info store.Info) Log {
	l := Log{Records: info.Records, Verifier: info.Verifier, Note: info.Checkpoint}
	if lines := strings.Split(info.Checkpoint, "\n"); len(lines) >= 3 {
		l.Size, _ = strconv.ParseInt(lines[1], 10, 64) // the note is shown whole beside it
		l.Root = lines[2]
	}
	return l
}

// sureness3 turns a confidence into a number that sorts.
const sureness3 = `CASE confidence WHEN 'confirmed' THEN 3 WHEN 'probable' THEN 2 ELSE 1 END`

func (g *gatherer) classes() error {
	var err error
	g.doc.Classes, err = collect(g, `
		WITH best AS (
			SELECT class, direction, request_id, max(`+sureness3+`) AS c FROM findings GROUP BY 1, 2, 3
		)
		SELECT best.class, best.direction, count(*), count(DISTINCT r.host), sum(c = 3), sum(c = 2), sum(c = 1)
		FROM best JOIN requests r ON r.id = request_id GROUP BY 1, 2`, nil,
		func(scan func(...any) error) (c ClassRow, err error) {
			err = scan(&c.Class, &c.Direction, &c.Requests, &c.Hosts, &c.Confirmed, &c.Probable, &c.Suspected)
			c.Label = g.l.class(c.Class)
			c.Exhibits, c.HostNames = []int{}, []string{}
			switch {
			case c.Confirmed > 0:
				c.Confidence = inspect.Confirmed
			case c.Probable > 0:
				c.Confidence = inspect.Probable
			default:
				c.Confidence = inspect.Suspected
			}
			return c, err
		})
	if err != nil {
		return err
	}
	slices.SortFunc(g.doc.Classes, func(a, b ClassRow) int {
		if a.Direction != b.Direction {
			return -strings.Compare(a.Direction, b.Direction) // up first
		}
		return rank(a.Class) - rank(b.Class)
	})
	most := int64(1)
	for _, c := range g.doc.Classes {
		most = max(most, c.Requests)
	}
	for i := range g.doc.Classes {
		c := &g.doc.Classes[i]
		c.Share = float64(c.Requests) / float64(most)
		c.HostNames, err = collect(g, `
			SELECT r.host FROM (SELECT DISTINCT request_id FROM findings WHERE class = ? AND direction = ?) f
			JOIN requests r ON r.id = f.request_id GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 5`, []any{string(c.Class), c.Direction},
			func(scan func(...any) error) (h string, err error) { return h, scan(&h) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *gatherer) hosts() error {
	d := g.doc
	var err error
	d.Hosts, err = collect(g, `
		SELECT host, owner, country, requests, bytes_up, bytes_down, tags FROM hosts WHERE requests > 0
		ORDER BY tags <> '' DESC, bytes_up DESC, requests DESC, host LIMIT ?`, []any{maxHosts},
		func(scan func(...any) error) (h HostRow, err error) {
			h.Addresses, h.TLS = []string{}, []string{}
			err = scan(&h.Host, &h.Owner, &h.Country, &h.Requests, &h.BytesUp, &h.BytesDown, classList{&h.Tags})
			h.Owner = operator(h.Owner, h.Host)
			return h, err
		})
	if err != nil {
		return err
	}
	if len(d.Hosts) == maxHosts {
		if err := g.tx.QueryRowContext(g.ctx, `SELECT count(DISTINCT host) - ? FROM requests`, maxHosts).Scan(&d.MoreHosts); err != nil {
			return err
		}
	}
	byName := map[string]*HostRow{}
	for i := range d.Hosts {
		byName[d.Hosts[i].Host] = &d.Hosts[i]
	}
	g.silent = map[hostAddress]bool{}
	// One pass for all hosts: what a host lacks here it lacks in the report.
	_, err = collect(g, `
		SELECT host, server_ip, '', sum(scheme IN ('http', 'ws')), sum(scheme IN ('tcp', 'udp')), '', max(status IS NOT NULL OR method = '' AND response_bytes > 0) FROM requests GROUP BY host, server_ip
		UNION ALL
		SELECT host, server_ip, server_tls, 0, 0, max(server_certificate), 1 FROM connections WHERE server_tls <> '' GROUP BY host, server_ip, server_tls`, nil,
		func(scan func(...any) error) (none struct{}, err error) {
			var host, ip, version, certificate string
			var plain, raw int64
			var answered bool
			if err := scan(&host, &ip, &version, &plain, &raw, &certificate, &answered); err != nil {
				return none, err
			}
			if !answered && len(g.silent) < maxPairs {
				g.silent[hostAddress{host, ip}] = true
			}
			h := byName[host]
			if h == nil {
				return none, nil
			}
			h.Plain += plain
			h.Raw += raw
			if answered {
				h.Addresses = addUnique(h.Addresses, ip, 4)
			}
			h.TLS = addUnique(h.TLS, version, 4)
			if certificate != "" {
				h.Certificate = g.l.holder(certificate)
			}
			return none, nil
		})
	if err != nil {
		return err
	}
	return g.appsOf(byName)
}

func addUnique(list []string, s string, most int) []string {
	if s == "" || len(list) >= most || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// holder is the organisation, else the name, that a certificate was issued to; one that
// only vouches for a domain has no more than that.
func (l *language) holder(certificate string) string {
	var c struct {
		Subject string
		Names   []string
	}
	if json.Unmarshal([]byte(certificate), &c) != nil {
		return ""
	}
	name := ""
	for _, part := range names(c.Subject) {
		if o, ok := strings.CutPrefix(part, "O="); ok {
			return short(o, 80)
		}
		if cn, ok := strings.CutPrefix(part, "CN="); ok {
			name = cn
		}
	}
	if name == "" && len(c.Names) > 0 {
		name = c.Names[0]
	}
	if name == "" {
		return l.say("certificate.nobody")
	}
	return l.say("certificate.domain", short(name, 80))
}

// names cuts a distinguished name into its parts and takes their escapes off (RFC
// 4514 section 2.4): a company's name often holds a comma.
func names(subject string) (list []string) {
	var b strings.Builder
	for i := 0; i < len(subject); i++ {
		switch c := subject[i]; {
		case c == '\\' && i+1 < len(subject):
			i++
			if n, err := strconv.ParseUint(subject[i:min(i+2, len(subject))], 16, 8); err == nil && i+1 < len(subject) {
				b.WriteByte(byte(n))
				i++
				continue
			}
			b.WriteByte(subject[i])
		case c == ',' || c == '+':
			list = append(list, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return append(list, b.String())
}

// addresses lists who is behind each address, and the tables that say so.
func (g *gatherer) addresses() error {
	d := g.doc
	d.Addresses, d.OwnerTables = []AddressRow{}, []string{}
	g.behind = map[hostAddress]AddressRow{}
	g.domains = map[string]string{}
	byAddress := map[string]int{}
	_, err := collect(g, `
		SELECT host, server_ip, domain, ifnull(asn, 0), as_holder, cloud, registry, country, data, requests FROM addresses
		ORDER BY requests DESC, host, server_ip LIMIT ?`, []any{maxPairs},
		func(scan func(...any) error) (none struct{}, err error) {
			var host, domain, data string
			var a AddressRow
			if err := scan(&host, &a.Address, &domain, &a.AS, &a.ASHolder, &a.Cloud, &a.Registry, &a.Country, &data, &a.Requests); err != nil {
				return none, err
			}
			g.domains[host] = domain
			d.OwnerTables = addUnique(d.OwnerTables, data, 4)
			if a.Address == "" {
				return none, nil
			}
			g.behind[hostAddress{host, a.Address}] = a
			if g.silent[hostAddress{host, a.Address}] {
				return none, nil
			}
			i, known := byAddress[a.Address]
			if !known {
				if len(d.Addresses) == maxAddress {
					d.MoreAddress++
					byAddress[a.Address] = -1
					return none, nil
				}
				i = len(d.Addresses)
				byAddress[a.Address] = i
				a.Hosts = []string{host}
				d.Addresses = append(d.Addresses, a)
				return none, nil
			}
			if i < 0 {
				return none, nil
			}
			row := &d.Addresses[i]
			row.Requests += a.Requests
			if len(row.Hosts) == 6 {
				row.More++
			} else {
				row.Hosts = append(row.Hosts, host)
			}
			return none, nil
		})
	for i := range d.Hosts {
		h := &d.Hosts[i]
		h.Domain = g.domains[h.Host]
	}
	return err
}

// network names the autonomous system that announces an address, and its holder.
func (l *language) network(a AddressRow) string {
	if a.AS == 0 {
		if ip, err := netip.ParseAddr(a.Address); err == nil && (ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast()) {
			return l.say("network.local")
		}
		return ""
	}
	if a.ASHolder == "" {
		return l.say("network.unknown", strconv.Itoa(int(a.AS)))
	}
	return l.say("network.holder", strconv.Itoa(int(a.AS)), a.ASHolder)
}

// operator leaves an owner out that is only the domain of the host: a name says nothing
// about who runs what answers to it.
func operator(owner, host string) string {
	if owner == host || strings.HasSuffix(host, "."+owner) {
		return ""
	}
	return owner
}

func (g *gatherer) canaries() error {
	var err error
	g.doc.Canaries, err = collect(g, `
		SELECT canary, kind, class, c.direction, json_group_array(DISTINCT form), count(DISTINCT request_id),
			json_group_array(DISTINCT r.host), min(c.path), min(request_id)
		FROM canary_hits c JOIN requests r ON r.id = request_id
		GROUP BY 1, 2, 3, 4 ORDER BY 6 DESC, 1, 4 DESC LIMIT ?`, []any{maxCanaries},
		func(scan func(...any) error) (c CanaryRow, err error) {
			err = scan(&c.Canary, &c.Kind, &c.Class, &c.Direction, array{&c.Forms}, &c.Requests, array{&c.Hosts}, &c.Path, &c.First)
			slices.Sort(c.Forms)
			slices.Sort(c.Hosts)
			c.Hosts = c.Hosts[:min(len(c.Hosts), 8)]
			return c, err
		})
	if err != nil || len(g.doc.Canaries) < maxCanaries {
		return err
	}
	return g.tx.QueryRowContext(g.ctx, `SELECT count(*) - ? FROM (SELECT DISTINCT canary, kind, class, direction FROM canary_hits)`, maxCanaries).
		Scan(&g.doc.MoreCanaries)
}

func (g *gatherer) coverage() error {
	c := &g.doc.Coverage
	var err error
	c.Outcomes, err = collect(g, `
		SELECT outcome, count(*), count(DISTINCT host), sum(bytes_up), sum(bytes_down) FROM connections
		WHERE door <> 'import' GROUP BY 1 ORDER BY 2 DESC, 1`, nil,
		func(scan func(...any) error) (o OutcomeRow, err error) {
			err = scan(&o.Outcome, &o.Connections, &o.Hosts, &o.BytesUp, &o.BytesDown)
			o.Meaning = g.l.word("meaning", o.Outcome)
			o.Readable = o.Outcome == "intercepted" || o.Outcome == "plain"
			return o, err
		})
	if err != nil {
		return err
	}
	for _, o := range c.Outcomes {
		if o.Outcome == "refused" {
			continue // it reached nobody
		}
		c.Connections += o.Connections
		c.BytesUp += o.BytesUp
		c.BytesDown += o.BytesDown
		if o.Readable {
			c.Readable += o.Connections
			c.ReadableUp += o.BytesUp
			c.ReadableDown += o.BytesDown
		}
	}
	for i := range c.Outcomes {
		o := &c.Outcomes[i]
		if o.Outcome == "refused" {
			continue
		}
		o.Share = float64(o.BytesUp+o.BytesDown) / float64(max(1, c.BytesUp+c.BytesDown))
	}
	// What max(id) stands beside is taken from the row that has it (SQLite, "bare columns").
	// Of a host that a request could be read to, something was read.
	// What was refused so that it comes another way reached nobody.
	const unread = `
		SELECT * FROM (SELECT coalesce(nullif(` + store.NamedHost + `, ''), nullif(sni, ''), nullif(server_ip, ''), '') AS name, json_group_array(DISTINCT outcome),
			count(*), sum(bytes_up) AS up, sum(bytes_down) AS down, reason, client_alert, server_ip, json_group_array(DISTINCT protocol), json_group_array(DISTINCT app), max(id)
		FROM connections WHERE outcome <> 'idle' AND door <> 'import' AND NOT (outcome = 'refused' AND (` + isQUIC + ` OR ` + isPrivateDNS + `)) GROUP BY name
		HAVING sum(outcome IN ('intercepted', 'plain')) = 0 AND NOT max(id IN (SELECT connection_id FROM requests WHERE method = '' AND tags <> '')))
		WHERE name NOT IN (SELECT host FROM requests WHERE method <> '')`
	c.Unread, err = collect(g, unread+` ORDER BY up + down DESC, 3 DESC, 1 LIMIT ?`, []any{maxUnread},
		func(scan func(...any) error) (u UnreadRow, err error) {
			var newest int64
			err = scan(&u.Host, array{&u.Outcomes}, &u.Connections, &u.BytesUp, &u.BytesDown, &u.Reason, &u.Alert, &u.Address, some{&u.Protocols}, some{&u.Apps}, &newest)
			if err == nil {
				g.lookUp(&u)
			}
			return u, err
		})
	if err != nil {
		return err
	}
	if len(c.Unread) == maxUnread {
		if err := g.tx.QueryRowContext(g.ctx, `SELECT count(*) - ? FROM (`+unread+`)`, maxUnread).Scan(&c.MoreUnread); err != nil {
			return err
		}
	}
	return g.tx.QueryRowContext(g.ctx, `
		SELECT ifnull(sum(request_truncated + response_truncated), 0), ifnull(sum(error <> ''), 0),
			ifnull(sum(instr(' ' || tags || ' ', ' opaque ') > 0), 0) FROM requests`).
		Scan(&c.Truncated, &c.Failed, &c.Opaque)
}

// lookUp says who answers behind a server of which nothing could be read. The case
// has no record of that: there was no exchange to inspect.
func (g *gatherer) lookUp(u *UnreadRow) {
	if g.opt.Owners == nil {
		return
	}
	ip, _ := netip.ParseAddr(u.Address) // the zero value if nobody answered
	o := g.opt.Owners.Lookup(u.Host, ip)
	u.Owner, u.Domain, u.Cloud, u.Country = o.Company, o.Domain, o.Cloud, o.Country
	u.Network = g.l.network(AddressRow{Address: u.Address, AS: o.AS, ASHolder: o.ASHolder})
	g.doc.OwnerTables = addUnique(g.doc.OwnerTables, o.Data, 4)
}

func (g *gatherer) sessions() error {
	list, err := g.r.Sessions(g.ctx)
	if err != nil {
		return err
	}
	g.doc.Sessions = []Session{}
	for _, s := range list[:min(len(list), maxSessions)] {
		one := Session{Name: s.Name, Note: s.Note, Opened: s.Opened.UTC(), Closed: s.Closed, Factors: pairs(s.Factors), Tags: []string{}, last: s.Closed}
		if one.last.IsZero() {
			one.last = g.doc.Case.Last
		}
		g.doc.Sessions = append(g.doc.Sessions, one)
	}
	byID := map[int64]*Session{}
	for i := range g.doc.Sessions {
		byID[list[i].ID] = &g.doc.Sessions[i]
	}
	_, err = collect(g, `
		SELECT session_id, count(*), sum(request_bytes), json_group_array(DISTINCT tags)
		FROM requests WHERE session_id IS NOT NULL GROUP BY 1`, nil,
		func(scan func(...any) error) (none struct{}, err error) {
			var id, n, up int64
			var tags []string
			if err := scan(&id, &n, &up, array{&tags}); err != nil {
				return none, err
			}
			if s := byID[id]; s != nil {
				s.Requests += n
				s.BytesUp += up
				for _, tag := range strings.Fields(strings.Join(tags, " ")) {
					s.Tags = addUnique(s.Tags, tag, 100)
				}
				sortClasses(s.Tags)
			}
			return none, nil
		})
	return err
}

// pairs writes a map as sorted "name=value".
func pairs(m map[string]string) []string {
	list := []string{}
	for k, v := range m {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	return list
}
