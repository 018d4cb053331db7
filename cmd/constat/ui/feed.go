package ui

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"constat/store"
)

const (
	maxRows     = 500 // newest requests that the page shows
	maxStreams  = 16
	pollEvery   = 500 * time.Millisecond
	beatEvery   = 15 * time.Second // a comment, so that a dead browser is noticed
	writeWithin = 10 * time.Second
	maxText     = 400 // bytes of one text in a row; the request's own page has all
)

// row is one request as the table shows it.
type row struct {
	ID        int64   `json:"id"`
	Time      string  `json:"time"`
	Device    string  `json:"device"`
	App       string  `json:"app"`
	Protocol  string  `json:"protocol"` // that what is not HTTP looks like
	Method    string  `json:"method"`
	Scheme    string  `json:"scheme"`
	Host      string  `json:"host"`
	Port      int64   `json:"port"`
	Path      string  `json:"path"` // with the query
	Status    int64   `json:"status"`
	Up        int64   `json:"up"` // bytes of the bodies
	Down      int64   `json:"down"`
	Millis    float64 `json:"ms"`
	Owner     string  `json:"owner"`
	Country   string  `json:"country"`
	Tags      string  `json:"tags"`
	Direction string  `json:"direction"`
	Error     string  `json:"error"`
}

// totals are the counters over the whole case.
type totals struct {
	Requests int64            `json:"requests"`
	Hosts    int64            `json:"hosts"`
	Up       int64            `json:"up"`
	Down     int64            `json:"down"`
	Findings map[string]int64 `json:"findings"` // by class
	Canaries int64            `json:"canaries"`
	Outcomes map[string]int64 `json:"outcomes"` // connections by outcome
	Unread   []unread         `json:"unread"`
	Session  string           `json:"session"` // the open one, "" when none
}

// unread is a server whose connections could not be read, the most frequent
// first.
type unread struct {
	Host    string `json:"host"`
	Outcome string `json:"outcome"`
	Count   int64  `json:"count"`
}

// feed reads what the page shows from the case's public views, once for all
// streams. Rows and totals are each read at most as often as pollEvery, and for
// at most a twentieth of the time, however large the case.
type feed struct {
	c      *store.Reader
	rows   cached[[]encodedRow] // oldest first
	totals cached[string]       // JSON
}

type encodedRow struct {
	id   int64
	json string
}

func newFeed(c *store.Reader) *feed { return &feed{c: c} }

// read returns the newest rows, oldest first, and the totals. The caller must
// not change them.
func (f *feed) read(ctx context.Context) ([]encodedRow, string, error) {
	rows, err := f.rows.get(func() ([]encodedRow, error) { return readRows(ctx, f.c.DB()) })
	if err != nil {
		return nil, "", err
	}
	totals, err := f.totals.get(func() (string, error) {
		t, err := readTotals(ctx, f.c)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(t)
		return string(text), err
	})
	return rows, totals, err
}

// cached is a value that is read again only when it is due, by one caller while
// others take the one before. Its zero value is due at once.
type cached[T any] struct {
	reading sync.Mutex
	last    atomic.Pointer[reading[T]]
}

type reading[T any] struct {
	value T
	due   time.Time
}

func (c *cached[T]) get(read func() (T, error)) (T, error) {
	if !c.reading.TryLock() {
		if last := c.last.Load(); last != nil {
			return last.value, nil
		}
		c.reading.Lock()
	}
	defer c.reading.Unlock()
	start := time.Now()
	if last := c.last.Load(); last != nil && start.Before(last.due) {
		return last.value, nil
	}
	v, err := read()
	if err == nil {
		c.last.Store(&reading[T]{v, next(start)})
	}
	return v, err
}

// next is when to read again what was read from start until now. It is early by
// a little, so that a stream that polls does not miss it by that.
func next(start time.Time) time.Time {
	took := time.Since(start)
	return start.Add(max(pollEvery-20*time.Millisecond, 20*took))
}

func readRows(ctx context.Context, db *sql.DB) ([]encodedRow, error) {
	found, err := db.QueryContext(ctx, `SELECT id, time, device, method, scheme, host, port, path, query, coalesce(status, 0),
		request_bytes, response_bytes, coalesce(duration_ms, 0), coalesce(owner, ''), coalesce(country, ''),
		coalesce(tags, ''), coalesce(direction, ''), coalesce(error, ''), app,
		iif(method = '', coalesce((SELECT c.protocol FROM connections c WHERE c.id = connection_id), ''), '')
		FROM requests ORDER BY id DESC LIMIT ?`, maxRows)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []encodedRow
	for found.Next() {
		var r row
		var query string
		if err := found.Scan(&r.ID, &r.Time, &r.Device, &r.Method, &r.Scheme, &r.Host, &r.Port, &r.Path, &query, &r.Status,
			&r.Up, &r.Down, &r.Millis, &r.Owner, &r.Country, &r.Tags, &r.Direction, &r.Error, &r.App, &r.Protocol); err != nil {
			return nil, err
		}
		if query != "" {
			r.Path += "?" + query
		}
		for _, s := range []*string{&r.Device, &r.App, &r.Protocol, &r.Method, &r.Scheme, &r.Host, &r.Path, &r.Owner, &r.Error} {
			*s = shorten(*s)
		}
		text, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		rows = append(rows, encodedRow{r.ID, string(text)})
	}
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows, found.Err()
}

func readTotals(ctx context.Context, c *store.Reader) (*totals, error) {
	db := c.DB()
	t := &totals{Findings: map[string]int64{}, Outcomes: map[string]int64{}, Unread: []unread{}}
	err := db.QueryRowContext(ctx, `SELECT count(*), count(DISTINCT host), coalesce(sum(request_bytes), 0), coalesce(sum(response_bytes), 0) FROM requests`).
		Scan(&t.Requests, &t.Hosts, &t.Up, &t.Down)
	if err != nil {
		return nil, err
	}
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM canary_hits`).Scan(&t.Canaries); err != nil {
		return nil, err
	}
	for query, into := range map[string]map[string]int64{
		`SELECT class, count(*) FROM findings GROUP BY 1`:      t.Findings,
		`SELECT outcome, count(*) FROM connections GROUP BY 1`: t.Outcomes,
	} {
		err := each(ctx, db, query, func(scan func(...any) error) error {
			var name string
			var n int64
			err := scan(&name, &n)
			into[name] = n
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	err = each(ctx, db, `SELECT coalesce(nullif(`+store.NamedHost+`, ''), sni),
			CASE WHEN outcome <> 'refused' THEN outcome WHEN protocol = 'quic' THEN 'refused_quic' WHEN port = 853 THEN 'refused_dns' ELSE outcome END,
			count(*) FROM connections
		WHERE outcome NOT IN ('intercepted', 'plain', 'idle') GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT 12`, func(scan func(...any) error) error {
		var u unread
		err := scan(&u.Host, &u.Outcome, &u.Count)
		u.Host = shorten(u.Host)
		t.Unread = append(t.Unread, u)
		return err
	})
	if err != nil {
		return nil, err
	}
	sessions, err := c.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	if n := len(sessions); n > 0 && sessions[n-1].Closed.IsZero() {
		t.Session = sessions[n-1].Name
	}
	return t, nil
}

// each calls f with the Scan of every row of a query.
func each(ctx context.Context, db *sql.DB, query string, f func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query)
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

// shorten cuts s to maxText bytes, at a whole character, and makes it plain.
func shorten(s string) string {
	if len(s) <= maxText {
		return oneLine(s)
	}
	cut := maxText
	for cut > maxText-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return oneLine(s[:cut]) + "…"
}

// events streams the newest rows, then what is new or has changed, as
// server-sent events: "rows" (a JSON array, oldest first) and "totals".
func (l *live) events(w http.ResponseWriter, r *http.Request) {
	select {
	case l.streams <- struct{}{}:
		defer func() { <-l.streams }()
	default:
		http.Error(w, "Too many pages are open.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	s := stream{w: w, rc: http.NewResponseController(w), sent: map[int64]string{}}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		rows, totals, err := l.feed.read(r.Context())
		if r.Context().Err() != nil {
			return
		}
		if err != nil {
			s.totals = "" // sent again when the case can be read again, which ends the trouble
			err = s.event("trouble", `"The case cannot be read at the moment."`)
		} else {
			err = s.update(rows, totals)
		}
		if err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			if s.write(": still here\n\n") != nil {
				return
			}
		case <-tick.C:
		}
	}
}

// stream is one browser that listens.
type stream struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	sent   map[int64]string // rows as they were sent, the newest maxRows
	totals string
}

// update sends what differs from what was sent.
func (s *stream) update(rows []encodedRow, totals string) error {
	var changed []string
	now := make(map[int64]string, len(rows))
	for _, r := range rows {
		now[r.id] = r.json
		if s.sent[r.id] != r.json {
			changed = append(changed, r.json)
		}
	}
	s.sent = now
	if len(changed) > 0 {
		if err := s.event("rows", "["+strings.Join(changed, ",")+"]"); err != nil {
			return err
		}
	}
	if totals == s.totals {
		return nil
	}
	s.totals = totals
	return s.event("totals", totals)
}

// event writes an event. data is JSON, so it holds no line break.
func (s *stream) event(name, data string) error {
	return s.write(fmt.Sprintf("event: %s\ndata: %s\n\n", name, data))
}

func (s *stream) write(text string) error {
	// Not every ResponseWriter has deadlines; without one the server's apply.
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeWithin))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.rc.Flush()
}
