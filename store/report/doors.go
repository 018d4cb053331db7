package report

import (
	"encoding/json"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"constat/store"
)

// Bounds on the lists of what doors show.
const (
	maxPassing = 60
	maxNames   = 25
)

// DoorRow is a way in that traffic of the case took.
type DoorRow struct {
	Door        string   `json:"door"`
	Connections int64    `json:"connections"`
	Lookups     int64    `json:"lookups,omitempty"` // questions to the DNS
	Escapes     []string `json:"escapes"`           // as in store.Coverage
}

// PassRow is a server of which connections passed unread on purpose, or which somebody
// has set to pass.
type PassRow struct {
	Host        string    `json:"host"`
	Device      string    `json:"device,omitempty"` // "": all
	Reason      string    `json:"reason,omitempty"` // of the newest connection
	Mode        string    `json:"set,omitempty"`    // what was set by hand last: always, never or auto; "": nothing
	Set         time.Time `json:"set_at,omitzero"`
	Connections int64     `json:"connections"`
	BytesUp     int64     `json:"bytes_up"`
	BytesDown   int64     `json:"bytes_down"`
}

// NameRow is a name that a phone asked the DNS for and then did not connect to, as far
// as is known.
type NameRow struct {
	Name  string   `json:"name"`
	Times int64    `json:"times"`
	Apps  []string `json:"apps,omitempty"`
}

// BareRow is a server that was connected to at an address for which no question to
// the DNS was seen before.
type BareRow struct {
	Host        string   `json:"host"` // a name only where the phone gave one when it connected
	Address     string   `json:"address,omitempty"`
	Port        int      `json:"port"`
	Transport   string   `json:"transport"`
	Protocol    string   `json:"protocol,omitempty"`
	Apps        []string `json:"apps,omitempty"`
	Connections int64    `json:"connections"`
	BytesUp     int64    `json:"bytes_up"`
	BytesDown   int64    `json:"bytes_down"`
}

// isQUIC and isPrivateDNS are conditions over the view connections.
const (
	isQUIC       = `(transport = 'udp' AND (port = 443 OR protocol = 'quic'))`
	isPrivateDNS = `port = 853`
)

// doors reads what only doors beside the HTTP proxy record. A case that has none of them
// gets none of it.
func (g *gatherer) doors() error {
	c := &g.doc.Coverage
	doors, err := collect(g, `
		SELECT door, sum(connections), sum(lookups) FROM (
			SELECT door, count(*) AS connections, 0 AS lookups FROM connections GROUP BY 1 UNION ALL SELECT door, 0, count(*) FROM dns GROUP BY 1)
		WHERE door <> 'import' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20`, nil,
		func(scan func(...any) error) (d DoorRow, err error) {
			return d, scan(&d.Door, &d.Connections, &d.Lookups)
		})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(doors, func(d DoorRow) bool { return d.Door != "http" }) {
		c.Doors = doors
		for i := range doors {
			if doors[i].Escapes, err = g.r.Escapes(g.ctx, doors[i].Door); err != nil {
				return err
			}
		}
	}
	err = g.tx.QueryRowContext(g.ctx, `
		SELECT ifnull(sum(`+isQUIC+`), 0), ifnull(sum(NOT `+isQUIC+` AND `+isPrivateDNS+`), 0) FROM connections WHERE outcome = 'refused' AND door <> 'import'`).
		Scan(&c.QUICRefused, &c.PrivateDNSRefused)
	if err != nil {
		return err
	}
	for _, step := range []func() error{g.passing, g.neverConnected, g.notLookedUp} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// passing lists what passed unread, with what was set by hand.
func (g *gatherer) passing() error {
	set, err := collect(g, `
		SELECT subject, content, time FROM declarations WHERE id IN (
			SELECT max(id) FROM declarations WHERE topic = ? GROUP BY subject, iif(json_valid(content), ifnull(content ->> 'device', ''), ''))
		ORDER BY id`, []any{store.TopicPass},
		func(scan func(...any) error) (p PassRow, err error) {
			var content string
			if err := scan(&p.Host, &content, stamp{&p.Set}); err != nil {
				return p, err
			}
			var said struct{ Device, Mode string }
			_ = json.Unmarshal([]byte(content), &said) // it can be withheld from this copy of the case
			p.Host, p.Device, p.Mode = strings.ToLower(p.Host), said.Device, said.Mode
			return p, nil
		})
	if err != nil {
		return err
	}
	// What max(id) stands beside is taken from the row that has it.
	list, err := collect(g, `
		SELECT coalesce(nullif(sni, ''), host) AS name, device, count(*), sum(bytes_up) AS up, sum(bytes_down), reason, max(id) FROM connections
		WHERE outcome = 'passed' AND door <> 'import' GROUP BY name, device ORDER BY up DESC, 3 DESC, 1 LIMIT ?`, []any{maxPassing + 1},
		func(scan func(...any) error) (p PassRow, err error) {
			var newest int64
			return p, scan(&p.Host, &p.Device, &p.Connections, &p.BytesUp, &p.BytesDown, &p.Reason, &newest)
		})
	if err != nil {
		return err
	}
	met := map[string]bool{}
	for i := range list {
		for _, s := range set {
			if s.Host == list[i].Host && (s.Device == "" && list[i].Mode == "" || s.Device == list[i].Device) {
				list[i].Mode, list[i].Set = s.Mode, s.Set
				met[s.Host] = true
			}
		}
	}
	for _, s := range set {
		if s.Mode == "always" && !met[s.Host] {
			list = append(list, s)
		}
	}
	c := &g.doc.Coverage
	c.Passing = list[:min(len(list), maxPassing)]
	c.MorePassing = len(list) > maxPassing
	return nil
}

// neverConnected lists names that were asked for and told, and that no connection or
// request was for.
func (g *gatherer) neverConnected() error {
	c := &g.doc.Coverage
	list, err := collect(g, `
		SELECT name, count(*), json_group_array(DISTINCT app) FROM dns GROUP BY name
		HAVING max(addresses <> '') AND NOT sum(connections) AND name NOT IN (SELECT host FROM connections UNION SELECT sni FROM connections UNION SELECT host FROM requests)
		ORDER BY 2 DESC, 1 LIMIT ?`, []any{maxNames + 1},
		func(scan func(...any) error) (n NameRow, err error) {
			return n, scan(&n.Name, &n.Times, array{&n.Apps})
		})
	c.NeverConnected, c.MoreNeverConnected = list[:min(len(list), maxNames)], len(list) > maxNames
	return err
}

// notLookedUp lists servers at addresses that no answer of the DNS had, where the
// door sees the DNS.
func (g *gatherer) notLookedUp() error {
	c := &g.doc.Coverage
	list, err := collect(g, `
		SELECT host, server_ip, port, transport, max(protocol), json_group_array(DISTINCT app), count(*), sum(bytes_up) AS up, sum(bytes_down) FROM connections
		WHERE door IN (SELECT door FROM dns) AND dns_id IS NULL AND outcome NOT IN ('refused', 'idle') AND host <> ''
		GROUP BY host, server_ip, port, transport ORDER BY up DESC, 7 DESC, 1 LIMIT ?`, []any{maxNames + 1},
		func(scan func(...any) error) (b BareRow, err error) {
			err = scan(&b.Host, &b.Address, &b.Port, &b.Transport, &b.Protocol, array{&b.Apps}, &b.Connections, &b.BytesUp, &b.BytesDown)
			if b.Address == b.Host {
				b.Address = ""
			}
			return b, err
		})
	c.NotLookedUp, c.MoreNotLookedUp = list[:min(len(list), maxNames)], len(list) > maxNames
	return err
}

// rawLine says of what is not HTTP what it is, "TCP to 192.0.2.7:1883, looks like MQTT".
func (l *language) rawLine(scheme, host string, port int, protocol string) string {
	at := net.JoinHostPort(host, strconv.Itoa(port))
	key := "raw." + scheme
	if !l.has(key) {
		key = "raw.other"
	}
	text := l.say(key, at, strings.ToUpper(scheme))
	if protocol != "" && protocol != scheme {
		text = l.say("raw.like", text, strings.ToUpper(protocol))
	}
	return text
}

// unseenThrough says what cannot be seen through the doors that were used.
func (l *language) unseenThrough(c *Coverage) string {
	var all []string
	for _, d := range c.Doors {
		all = append(all, d.Escapes...)
	}
	slices.Sort(all)
	return l.list(l.escapes(slices.Compact(all)))
}

// doorTable says which doors were used, and what passes each by.
func (w *writer) doorTable() {
	l, doors := w.l, w.d.Coverage.Doors
	if len(doors) == 0 {
		return
	}
	w.heading(3, "doors", l.line("doors.title"))
	w.say("lead", "doors.lead")
	var list [][]line
	for _, d := range doors {
		key := d.Door
		if !l.has("door." + key) {
			key = "other"
		}
		name := strong(l.say("door."+key, d.Door))
		name = append(name, sub(l.say("door."+key+".takes")))
		list = append(list, []line{name, w.number(d.Connections), w.number(d.Lookups), plain(l.list(l.escapes(d.Escapes)))})
	}
	w.table([]column{w.col("door", "", 0.4), w.col("connections", "num", 0.11), w.col("lookups", "num", 0.11), w.col("escapes", "", 0)}, rows{Rows: list})
}

// passing says what passed unread, why, and who wanted it so.
func (w *writer) passing() {
	l, c := w.l, &w.d.Coverage
	if len(c.Passing) == 0 {
		return
	}
	w.heading(3, "passing", l.line("passing.title"))
	w.say("lead", "passing.lead")
	var list [][]line
	for _, p := range c.Passing {
		name := strong(p.Host)
		if p.Device != "" {
			name = append(name, sub(p.Device))
		}
		why := none(l.say("passing.unused"))
		if p.Reason != "" {
			why = line{w.said(p.Reason)}
		}
		set := none(l.say("passing.nobody"))
		if p.Mode != "" {
			key := "passing." + p.Mode
			if !l.has(key) {
				key = "passing.other"
			}
			set = line{{Text: l.say(key, p.Mode)}, sub(l.moment(p.Set))}
		}
		list = append(list, []line{name, why, set, w.number(p.Connections), w.size(p.BytesUp), w.size(p.BytesDown)})
	}
	w.table([]column{
		w.col("server", "host", 0.22), w.col("why", "", 0), w.col("set", "", 0.17), w.col("connections", "num", 0.11), w.col("sent", "num", 0.09), w.col("received", "num", 0.09),
	}, rows{Rows: list})
	if c.MorePassing {
		w.say("note", "names.more")
	}
}

// refusals says what was refused so that it could be seen otherwise.
func (w *writer) refusals() {
	c := &w.d.Coverage
	if c.QUICRefused > 0 {
		w.para("note", plain(w.l.count("refused.quic", c.QUICRefused)))
	}
	if c.PrivateDNSRefused > 0 {
		w.para("note", plain(w.l.count("refused.dns", c.PrivateDNSRefused)))
	}
}

// names says what the DNS was asked for in vain, and what was found without it.
func (w *writer) names() {
	l, c := w.l, &w.d.Coverage
	if len(c.NeverConnected) > 0 {
		w.heading(3, "asked", l.line("asked.title"))
		w.say("lead", "asked.lead")
		var list [][]line
		for _, n := range c.NeverConnected {
			list = append(list, []line{strong(n.Name), w.number(n.Times), w.apps(n.Apps)})
		}
		w.table([]column{w.col("name", "host", 0.5), w.col("times", "num", 0.12), w.col("app", "", 0)}, rows{Rows: list})
		if c.MoreNeverConnected {
			w.say("note", "names.more")
		}
	}
	if len(c.NotLookedUp) == 0 {
		return
	}
	w.heading(3, "unasked", l.line("unasked.title"))
	w.say("lead", "unasked.lead")
	var list [][]line
	for _, b := range c.NotLookedUp {
		name := strong(b.Host)
		if b.Address != "" {
			name = append(name, sub(b.Address))
		}
		kind := strings.ToUpper(b.Transport)
		if b.Transport != "icmp" {
			kind += " " + strconv.Itoa(b.Port)
		}
		spoken := plain(kind)
		if b.Protocol != "" {
			spoken = append(spoken, sub(l.say("looks.like", strings.ToUpper(b.Protocol))))
		}
		list = append(list, []line{name, spoken, w.apps(b.Apps), w.number(b.Connections), w.size(b.BytesUp), w.size(b.BytesDown)})
	}
	w.table([]column{
		w.col("server", "host", 0.3), w.col("transport", "", 0.15), w.col("app", "", 0), w.col("connections", "num", 0.11), w.col("sent", "num", 0.09), w.col("received", "num", 0.09),
	}, rows{Rows: list})
	if c.MoreNotLookedUp {
		w.say("note", "names.more")
	}
}

// apps lists package names.
func (w *writer) apps(list []string) line {
	if len(list) == 0 {
		return w.or("", "unknown.f")
	}
	return plain(strings.Join(cut(list, 4, 80), ", "))
}

// spoken lists the protocols that bytes look like.
func spoken(list []string) string {
	for i := range list {
		list[i] = strings.ToUpper(list[i])
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// appsOf reads which apps made the requests to the hosts of the report, and as what
// those of them were looked up that are addresses.
func (g *gatherer) appsOf(hosts map[string]*HostRow) error {
	_, err := collect(g, `SELECT host, app FROM requests WHERE app <> '' GROUP BY 1, 2 ORDER BY 1, count(*) DESC, 2`, nil,
		func(scan func(...any) error) (none struct{}, err error) {
			var host, app string
			if err := scan(&host, &app); err != nil {
				return none, err
			}
			if h := hosts[host]; h != nil {
				h.Apps = addUnique(h.Apps, app, 4)
			}
			return none, nil
		})
	if err != nil {
		return err
	}
	_, err = collect(g, `SELECT host, dns_name FROM connections WHERE dns_name <> '' AND host <> dns_name AND host = server_ip GROUP BY 1, 2 ORDER BY 1, count(*) DESC, 2`, nil,
		func(scan func(...any) error) (none struct{}, err error) {
			var host, name string
			if err := scan(&host, &name); err != nil {
				return none, err
			}
			if h := hosts[host]; h != nil {
				h.LookedUp = addUnique(h.LookedUp, name, 4)
			}
			return none, nil
		})
	return err
}

// protocolOf reads what an exchange that is not HTTP looks like.
func (g *gatherer) protocolOf(connection int64) (protocol string, err error) {
	list, err := collect(g, `SELECT protocol FROM connections WHERE id = ?`, []any{connection}, func(scan func(...any) error) (s string, err error) { return s, scan(&s) })
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0], nil
}
