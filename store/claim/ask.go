package claim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"constat/store/query"
)

// maxRows bounds the rows of a query: what is beyond is not counted.
const maxRows = 10_000

// plantedPage is a name in the table param: the hosts of planted addresses, to which
// asking for them tells nobody else.
const plantedPage = "planted_page"

// frame writes a query with what a claim's SQL can ask: which sessions play which
// role, the role "control" among them, and the values of the parameters. It is a whole statement, which anybody
// can run in the sqlite3 shell.
func frame(roles []Role, parameters []Parameter, body string) string {
	var role, param []string
	for _, r := range roles {
		for _, s := range r.Sessions {
			role = append(role, fmt.Sprintf("(%s, %d)", literal(r.Name), s.ID))
		}
	}
	for _, p := range parameters {
		for _, v := range p.Default {
			param = append(param, "("+literal(p.Name)+", "+literal(v)+")")
		}
	}
	return "WITH role(name, session_id) AS (" + values(role) + "),\nparam(name, value) AS (" + values(param) + ")\n" + body
}

func values(rows []string) string {
	if len(rows) == 0 {
		return "SELECT '', '' WHERE 0"
	}
	return "VALUES " + strings.Join(rows, ", ")
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// asked is what a query of a claim found.
type asked struct {
	name    string
	sql     string // as run
	rows    int64  // at most maxRows
	more    bool   // there are more than that
	untimed int64  // rows besides, of which nobody can tell the session
	late    bool   // it took longer than its limit
	kept    []Deciding
	hosts   int
	devices []string // sorted
	inside  int      // sessions
	// requests and connections are different ones: there can be several rows of each.
	requests, connections int64
}

func (q *asked) found() bool { return q != nil && q.rows > 0 }

// ask runs one query of a claim.
func (e *evaluation) ask(ctx context.Context, name, text string) (*asked, error) {
	q := &asked{name: name}
	column := func(name, otherwise string) string {
		if slices.Contains(e.claim.columns[q.name], name) {
			return name
		}
		return otherwise + " AS " + name
	}
	// Time, session and host are looked up by id, row by row: a join would make
	// SQLite build the whole view first.
	of := func(c string) string {
		return "ifnull((SELECT r." + c + " FROM requests r WHERE r.id = f.request_id), (SELECT c." + c + " FROM connections c WHERE c.id = f.connection_id))"
	}
	controls := Role{Name: "control", Sessions: slices.Concat(e.positive, e.negative)}
	pages := Parameter{Name: plantedPage, Default: e.pages}
	q.sql = frame(append(slices.Clip(e.answer.Roles), controls), append(slices.Clip(e.parameters), pages), "SELECT f.request_id, f.connection_id, f.reason, f.path, f.value, f.direction,\n  "+
		of("time")+" AS time,\n  "+of("session_id")+" AS session_id,\n  "+of("session")+" AS session,\n  "+of("host")+" AS host,\n  "+of("device")+" AS device FROM (\nSELECT DISTINCT "+
		column("request_id", "0")+", "+column("connection_id", "0")+", reason, "+column("path", "''")+", "+column("value", "''")+", "+
		column("direction", "''")+" FROM (\n"+strings.TrimSpace(text)+"\n) ORDER BY request_id = 0, 1, 2, 3, 4, 5, 6 LIMIT "+fmt.Sprint(maxRows+1)+") f")
	rows, err := query.Run(ctx, e.db, q.sql, query.Limits{Rows: maxRows, Time: e.opt.QueryTime})
	if errors.Is(err, query.ErrTime) {
		q.late = true
		return q, nil
	}
	if err != nil {
		return nil, fmt.Errorf("claim %s, query %s: %w", e.claim.ID, name, err)
	}
	defer rows.Close()
	hosts, devices, sessions, last := map[string]bool{}, map[string]bool{}, map[int64]bool{}, [2]int64{-1, -1}
	for row, err := range rows.All() {
		if errors.Is(err, query.ErrTime) {
			q.late = true
			break
		}
		if err != nil {
			return nil, fmt.Errorf("claim %s, query %s: %w", e.claim.ID, name, err)
		}
		d := Deciding{
			Request: number(row[0]), Connection: number(row[1]), Reason: word(row[2], 300), Path: word(row[3], 2000), Value: word(row[4], 200),
			Direction: word(row[5], 10), Session: word(row[8], 200), Host: word(row[9], 300), For: Supported,
		}
		at, missing := row[6].(string)
		if !missing || d.Request == 0 && d.Connection == 0 {
			continue // it names nothing that the case has
		}
		if d.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return nil, fmt.Errorf("claim %s, query %s: %w", e.claim.ID, name, err)
		}
		if name == e.claim.OneRow && e.untimed(d.Request) {
			q.untimed++
			continue
		}
		if name == Refutes {
			d.For = Refuted
		}
		q.rows++
		if this := [2]int64{d.Request, d.Connection}; this != last {
			if last = this; d.Request != 0 {
				q.requests++
			} else {
				q.connections++
			}
		}
		hosts[d.Host] = true
		devices[word(row[10], 100)] = true
		sessions[number(row[7])] = true
		if len(q.kept) < MaxDeciding {
			q.kept = append(q.kept, d)
		}
	}
	delete(sessions, 0) // outside any
	q.devices = slices.Sorted(maps.Keys(devices))
	q.more, q.hosts, q.inside = rows.More(), len(hosts), len(sessions)
	return q, nil
}

func number(v any) int64 {
	n, _ := v.(int64)
	return n
}

// word is a cell as text that can be shown.
func word(v any, n int) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return clip(query.Printable(string(v)), n)
	case string:
		return clip(query.Printable(v), n)
	}
	return clip(fmt.Sprint(v), n)
}
