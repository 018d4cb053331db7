package claim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"constat/store"
	"constat/store/query"
)

// crossing is what was open when a session began, so that nobody can tell by its
// time in which session what it carried left: a request or connection counts in the
// session in which it began.
type crossing struct {
	list    []crossed
	lasting map[int64]bool  // WebSockets, and what is not HTTP, that outlast the session in which they began
	control map[int64]bool  // those that last into a control
	large   map[int64]int64 // requests of which only the beginning was inspected, by session
}

// crossed is one connection, WebSocket or stretch without a pause of what is not HTTP, that was open when a session began.
type crossed struct {
	session int64
	host    string
	bytes   int64 // up
	socket  bool
}

// maxCrossed bounds the list: more than that is as bad as that.
const maxCrossed = 100_000

// inspected is how much of a body is inspected.
const inspected = 16 << 20

// cross finds what crosses the beginning of sessions. Connections that were read do
// not matter: their requests have times of their own.
func (c *casefile) cross(ctx context.Context) (crossing, error) {
	x := crossing{lasting: map[int64]bool{}, control: map[int64]bool{}, large: map[int64]int64{}}
	sessions := slices.Clone(c.sessions)
	slices.SortFunc(sessions, func(a, b store.Session) int { return a.Opened.Compare(b.Opened) })
	controls := slices.Concat(ids(c.positive), ids(c.negative))
	const unread = "SELECT 0, iif(dns_name <> '' AND sni = '', dns_name, host), time, duration_ms, bytes_up FROM connections WHERE outcome NOT IN ('intercepted', 'plain', 'refused') AND bytes_up > 0"
	const sockets = "SELECT id, host, time, duration_ms, 0 FROM requests WHERE scheme IN ('ws', 'wss') OR method = ''"
	for _, sql := range []string{unread, sockets} {
		err := c.each(ctx, sql, func(row []any) error {
			id, host := number(row[0]), word(row[1], 300)
			at, _ := row[2].(string)
			began, err := time.Parse(time.RFC3339Nano, at)
			if err != nil {
				return err
			}
			ms, _ := row[3].(float64)
			end := began.Add(time.Duration(ms * float64(time.Millisecond)))
			first, _ := slices.BinarySearchFunc(sessions, began, func(s store.Session, t time.Time) int { return cmp.Or(s.Opened.Compare(t), -1) })
			for _, s := range sessions[first:] {
				if !s.Opened.Before(end) {
					break
				}
				if id != 0 && slices.Contains(controls, s.ID) {
					x.control[id] = true
				}
				if len(x.list) < maxCrossed {
					x.list = append(x.list, crossed{s.ID, host, number(row[4]), id != 0})
				}
			}
			if id != 0 && first > 0 {
				if s := sessions[first-1]; !s.Closed.IsZero() && end.After(s.Closed) {
					x.lasting[id] = true
				}
			}
			return nil
		})
		if err != nil {
			return x, err
		}
	}
	large := fmt.Sprintf("SELECT ifnull(session_id, 0), count(*) FROM requests WHERE request_bytes > %d GROUP BY 1", inspected)
	err := c.each(ctx, large, func(row []any) error {
		x.large[number(row[0])] = number(row[1])
		return nil
	})
	return x, err
}

// each calls f with the rows of a query over the views.
func (c *casefile) each(ctx context.Context, sql string, f func(row []any) error) error {
	rows, err := query.Run(ctx, c.db, sql, query.Limits{Rows: -1, Time: -1})
	if err != nil {
		return err
	}
	for row, rerr := range rows.All() {
		if err = rerr; err == nil {
			err = f(row)
		}
		if err != nil {
			break
		}
	}
	return errors.Join(err, rows.Close())
}

// into counts what was open when sessions began, and went on in them.
func (e *evaluation) into(sessions []store.Session, domains []string) (connections, bytes, sockets int64) {
	in := ids(sessions)
	for _, x := range e.crossing.list {
		switch {
		case !slices.Contains(in, x.session) || len(domains) > 0 && !slices.ContainsFunc(domains, func(d string) bool { return within(x.host, d) }):
		case x.socket:
			sockets++
		default:
			connections++
			bytes += x.bytes
		}
	}
	return connections, bytes, sockets
}

func within(host, domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }

// tooLarge counts the requests of the sessions that the answer rests on of which only
// the beginning was inspected.
func (e *evaluation) tooLarge() (n int64) {
	if len(e.answer.Roles) == 0 {
		for _, k := range e.crossing.large {
			n += k
		}
		return n
	}
	seen := map[int64]bool{}
	for _, role := range e.answer.Roles {
		for _, id := range ids(role.Sessions) {
			if !seen[id] {
				seen[id] = true
				n += e.crossing.large[id]
			}
		}
	}
	return n
}

// untimed says of a row whether nobody can tell if what it shows left in its
// session: it is on a WebSocket, or in a stretch without a pause, that went on in the next.
func (e *evaluation) untimed(request int64) bool {
	return e.crossing.control[request] || len(e.answer.Roles) > 0 && e.crossing.lasting[request]
}
