package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"constat/proxy/flow"
	"constat/store/evidence"
)

// where is a condition over the columns of the view sessions.
func (s *Scope) where() (condition string, args []any) {
	var terms []string
	add := func(term string, values ...any) {
		terms = append(terms, term)
		args = append(args, values...)
	}
	if len(s.IDs) > 0 {
		add("id IN (SELECT value FROM json_each(?))", jsonText(s.IDs))
	}
	if len(s.Sessions) > 0 {
		add("name IN (SELECT value FROM json_each(?))", jsonText(s.Sessions))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Factors)) {
		if value := s.Factors[name]; value != "" {
			add("EXISTS(SELECT 1 FROM json_each(factors) WHERE key = ? AND value = ?)", name, value)
		} else {
			add("NOT EXISTS(SELECT 1 FROM json_each(factors) WHERE key = ? AND value <> '')", name)
		}
	}
	return strings.Join(terms, " AND "), args
}

// jsonText is a list of numbers or strings, which cannot fail to become JSON.
func jsonText(list any) string {
	text, _ := json.Marshal(list)
	return string(text)
}

// Where is the scope as an SQL condition, with its arguments, over the columns
// session_id, device and host of the views requests and connections.
func (s Scope) Where() (condition string, args []any) {
	condition = "1"
	if in, values := s.where(); in != "" {
		condition, args = "session_id IN (SELECT id FROM sessions WHERE "+in+")", values
	}
	if s.Device != "" {
		condition += " AND device = ?"
		args = append(args, s.Device)
	}
	if len(s.Domains) > 0 {
		condition += " AND EXISTS(SELECT 1 FROM json_each(?) d WHERE host = d.value OR host LIKE '%.' || d.value)"
		args = append(args, jsonText(s.Domains))
	}
	return condition, args
}

// SessionsIn returns the sessions of a scope in the order of their marks, whichever
// devices took part in them.
func (r *Reader) SessionsIn(ctx context.Context, s Scope) ([]Session, error) {
	condition, args := s.where()
	if condition == "" {
		condition = "1"
	}
	return readSessions(ctx, r.db, condition, args)
}

// Coverage measures what part of the traffic of a scope could be seen, at one
// moment of a case that is being written. It takes seconds for a case of a million
// requests, less than one of a Prepared reader, and memory that does not grow with the case.
func (r *Reader) Coverage(ctx context.Context, s Scope) (Coverage, error) {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return Coverage{}, sqlError("read coverage", err)
	}
	defer tx.Rollback() // it only reads
	m := measure{ctx: ctx, tx: tx, sums: viewSums}
	if r.confined != nil {
		m.sums = preparedSums
	}
	m.scope, m.args = s.Where()
	for _, step := range []func() error{m.connections, m.unread, m.requests, m.opaque, m.lookups, m.doors, func() error { return m.duration(s) }} {
		if err := step(); err != nil {
			return Coverage{}, sqlError("read coverage", err)
		}
	}
	return m.Coverage, nil
}

// sums are what Coverage adds up: tables or subqueries whose rows stand for one or
// for several connections or requests of the same session and device.
type sums struct{ connected, asked, opaque string }

// NamedHost is an expression over the view connections: the name of the host, and of a
// connection to an address the name that the phone had been told the address for.
const NamedHost = `iif(dns_name <> '' AND sni = '' AND (host NOT GLOB '*[A-Za-z]*' OR instr(host, ':') > 0), dns_name, host)`

// lookedUp are the questions to the DNS as a subquery.
const lookedUp = `(SELECT session_id, device, door, name AS host FROM dns)`

var (
	viewSums = sums{
		connected: `(SELECT session_id, device, door, ` + NamedHost + ` AS host, outcome, client_alert, 1 AS n, id AS newest, bytes_up, bytes_down, time AS first, time AS last FROM connections)`,
		asked: `(SELECT session_id, device, door,
			iif(method = '', ifnull((SELECT ` + NamedHost + ` FROM connections c WHERE c.id = connection_id), host), host) AS host,
			method = '' AND tags = '' AS raw, 1 AS n, request_truncated + response_truncated AS truncated, error <> '' AS failed,
			NOT EXISTS(SELECT 1 FROM report r WHERE r.exchange = q.id AND r.frame = 0) AS uninspected, time AS first, time AS last FROM requests q)`,
		opaque: `(SELECT q.session_id AS session_id, q.device AS device, q.host AS host, 1 AS n,
				sum(iif(q.method = '', 0, iif(r.frame = 0, q.request_bytes, (SELECT ifnull(f.size, 0) FROM frame f WHERE f.id = r.frame)))) AS bytes
			FROM report r CROSS JOIN requests q ON q.id = r.exchange
			WHERE r.tags LIKE '%opaque%' AND ` + newestOnly + `
				AND EXISTS(SELECT 1 FROM json_each(r.findings) j WHERE j.value ->> 'class' = 'opaque' AND j.value ->> 'direction' = 'up')
			GROUP BY q.id)`,
	}
	preparedSums = sums{"quick.connected", "quick.asked", "quick.opaque"}
)

// measure is one run of Coverage.
type measure struct {
	Coverage
	ctx   context.Context // of the one run that the value lives for
	tx    *sql.Tx
	sums  sums
	scope string
	args  []any
}

// each calls f with the rows of a query, in which SCOPE stands for the condition
// each time that it is used.
func (m *measure) each(query string, f func(scan func(...any) error) error) error {
	var args []any
	for range strings.Count(query, "SCOPE") {
		args = append(args, m.args...)
	}
	rows, err := m.tx.QueryContext(m.ctx, strings.ReplaceAll(query, "SCOPE", m.scope), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (m *measure) connections() error {
	query := `SELECT outcome, client_alert, outcome IN ('intercepted', 'plain'), sum(n), sum(bytes_up), sum(bytes_down)
		FROM ` + m.sums.connected + ` WHERE SCOPE GROUP BY 1, 2 ORDER BY sum(bytes_up + bytes_down) DESC, sum(n) DESC, 1, 2`
	m.Outcomes = []Outcome{}
	return m.each(query, func(scan func(...any) error) error {
		var o Outcome
		if err := scan(&o.Outcome, &o.Alert, &o.Readable, &o.Connections, &o.BytesUp, &o.BytesDown); err != nil {
			return err
		}
		m.Outcomes = append(m.Outcomes, o)
		if o.Outcome == string(flow.Refused) {
			return nil // it reached nobody: phones try another way
		}
		m.Connections += o.Connections
		m.BytesUp += o.BytesUp
		m.BytesDown += o.BytesDown
		if o.Readable {
			m.Readable += o.Connections
			m.ReadableUp += o.BytesUp
			m.ReadableDown += o.BytesDown
		}
		return nil
	})
}

// unread finds hosts of which there is no readable connection, and no HTTP request
// either: one connection to a proxy can carry requests to many hosts; nor anything else
// in which something was recognised. An outcome is
// that of the newest connection that was not refused, where there is one.
func (m *measure) unread() error {
	// What max(newest) stands beside is taken from the row that has it.
	query := `SELECT host, outcome, n, up, down, count(*) OVER () FROM (
			SELECT host, outcome, max(newest - iif(outcome = 'refused', 1 << 60, 0)), sum(n) AS n, sum(bytes_up) AS up, sum(bytes_down) AS down
			FROM ` + m.sums.connected + ` WHERE SCOPE GROUP BY host HAVING max(outcome IN ('intercepted', 'plain')) = 0)
		WHERE host NOT IN (SELECT host FROM ` + m.sums.asked + ` WHERE SCOPE AND NOT raw) ORDER BY up + down DESC, n DESC, host LIMIT 100`
	m.Unread = []UnreadHost{}
	var all int64
	err := m.each(query, func(scan func(...any) error) error {
		var h UnreadHost
		if err := scan(&h.Host, &h.Outcome, &h.Connections, &h.BytesUp, &h.BytesDown, &all); err != nil {
			return err
		}
		m.Unread = append(m.Unread, h)
		return nil
	})
	m.MoreUnread = all - int64(len(m.Unread))
	return err
}

func (m *measure) requests() error {
	query := `SELECT ifnull(sum(n), 0), ifnull(sum(truncated), 0), ifnull(sum(failed), 0), ifnull(sum(uninspected), 0) FROM ` + m.sums.asked + ` WHERE SCOPE`
	return m.each(query, func(scan func(...any) error) error {
		return scan(&m.Requests, &m.Truncated, &m.Failed, &m.NotInspected)
	})
}

func (m *measure) opaque() error {
	query := `SELECT ifnull(sum(n), 0), ifnull(sum(bytes), 0) FROM ` + m.sums.opaque + ` WHERE SCOPE`
	return m.each(query, func(scan func(...any) error) error { return scan(&m.OpaqueRequests, &m.OpaqueUp) })
}

func (m *measure) lookups() error {
	return m.each(`SELECT count(*) FROM `+lookedUp+` WHERE SCOPE`, func(scan func(...any) error) error { return scan(&m.Lookups) })
}

// escapes says what passes each kind of door by (docs/doors.md).
var escapes = map[string][]string{
	// Apps may ignore the Wi-Fi setting, which is for HTTP and for this network only.
	"http": {"dns", "mobile_data", "quic", "raw_sockets", "sms"},
	// Clients send TCP, and few of them UDP, of the apps that were chosen.
	"socks5": {"dns", "mobile_data", "quic", "raw_sockets", "sms", "udp"},
	// Neither TCP nor UDP is forwarded as before.
	"transparent": {"icmp", "mobile_data", "sms"},
	// With REDIRECT no UDP is diverted; the firewall refuses QUIC.
	redirected: {"dns", "icmp", "mobile_data", "sms", "udp"},
	// QUIC is refused, and so is private DNS; mobile data goes through the tunnel too.
	"wireguard": {"before_tunnel", "sms", "vpn_bypass"},
}

const (
	// unknownEscapes are those of captures that other tools made.
	unknownEscapes = "unknown"
	redirected     = "transparent, redirect"
)

// RedirectSetting stands in the setting "doors" of a run behind the door transparent
// when the firewall diverts TCP by REDIRECT.
const RedirectSetting = " redirect"

// Escapes returns words for what passes a door by, as in Coverage.
func (r *Reader) Escapes(ctx context.Context, door string) ([]string, error) {
	list, err := escapesOf(ctx, r.db, door)
	if err != nil {
		return nil, sqlError("read runs", err)
	}
	return list, nil
}

func escapesOf(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, door string,
) ([]string, error) {
	if door == "transparent" {
		var redirect bool
		query := `SELECT EXISTS(SELECT 1 FROM run WHERE iif(json_valid(settings), settings ->> 'doors', '') LIKE '%transparent%` + RedirectSetting + `%')`
		if err := db.QueryRowContext(ctx, query).Scan(&redirect); err != nil {
			return nil, err
		}
		if redirect {
			door = redirected
		}
	}
	if list, known := escapes[door]; known {
		return list, nil
	}
	return []string{unknownEscapes}, nil
}

func (m *measure) doors() error {
	query := `SELECT door FROM ` + m.sums.connected + ` WHERE SCOPE UNION SELECT door FROM ` + m.sums.asked + ` WHERE SCOPE UNION SELECT door FROM ` + lookedUp + ` WHERE SCOPE`
	m.Escapes = []string{}
	var doors []string
	err := m.each(query, func(scan func(...any) error) error {
		var door string
		err := scan(&door)
		doors = append(doors, door)
		return err
	})
	for _, door := range doors {
		words, err := escapesOf(m.ctx, m.tx, door)
		if err != nil {
			return err
		}
		m.Escapes = append(m.Escapes, words...)
	}
	slices.Sort(m.Escapes)
	m.Escapes = slices.Compact(m.Escapes)
	return err
}

// duration adds up the sessions; one that is open lasts to the newest request or
// connection of the case.
func (m *measure) duration(s Scope) error {
	condition, args := s.where()
	whole := condition == ""
	if whole {
		condition = "1"
	}
	sessions, err := readSessions(m.ctx, m.tx, condition, args)
	if err != nil {
		return err
	}
	m.Sessions = len(sessions)
	if !whole && !slices.ContainsFunc(sessions, func(x Session) bool { return x.Closed.IsZero() }) {
		for _, x := range sessions {
			m.Duration += max(0, x.Closed.Sub(x.Opened))
		}
		return nil
	}
	first, last, err := m.span()
	if err != nil {
		return err
	}
	if whole {
		m.Duration = last.Sub(first)
		return nil
	}
	for _, x := range sessions {
		end := x.Closed
		if end.IsZero() {
			end = last
		}
		m.Duration += max(0, end.Sub(x.Opened))
	}
	return nil
}

// span returns the times of the first and the last thing that the phone did in the
// whole case.
func (m *measure) span() (first, last time.Time, err error) {
	var a, b string
	query := `SELECT ifnull(min(a), ''), ifnull(max(b), '') FROM (
		SELECT min(first) AS a, max(last) AS b FROM ` + m.sums.connected + ` UNION ALL SELECT min(first), max(last) FROM ` + m.sums.asked + `)`
	if err := m.tx.QueryRowContext(m.ctx, query).Scan(&a, &b); err != nil {
		return first, last, err
	}
	if first, err = evidence.ParseTime(a); err == nil {
		last, err = evidence.ParseTime(b)
	}
	return first, last, err
}
