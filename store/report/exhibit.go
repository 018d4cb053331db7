package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"constat/inspect"
)

const (
	maxFindings = 8        // of one exhibit
	maxSubject  = 32 << 20 // bytes of a body that are read to replay a path
)

// exhibits chooses the exchanges that decide and fills in Document.Exhibits: the
// surest first, and among equals spread over hosts and paths.
func (g *gatherer) exhibits() error {
	type choice struct {
		class     inspect.Class
		direction string
		request   int64
	}
	chosen, err := collect(g, `
		WITH one AS (
			SELECT class, direction, request_id, max(`+sureness3+`) AS c FROM findings GROUP BY 1, 2, 3
		), spread AS (
			SELECT one.*, row_number() OVER (PARTITION BY class, direction, c, r.host, r.path ORDER BY request_id) AS n
			FROM one JOIN requests r ON r.id = request_id
		), top AS (
			SELECT *, row_number() OVER (PARTITION BY class, direction ORDER BY c DESC, n, request_id) AS k FROM spread
		)
		SELECT class, direction, request_id FROM top WHERE k <= ? ORDER BY direction = 'up' DESC, k, request_id`, []any{g.opt.MaxDeciding},
		func(scan func(...any) error) (c choice, err error) {
			return c, scan(&c.class, &c.direction, &c.request)
		})
	if err != nil {
		return err
	}
	slices.SortStableFunc(chosen, func(a, b choice) int {
		if a.direction != b.direction {
			return -strings.Compare(a.direction, b.direction)
		}
		return rank(a.class) - rank(b.class)
	})
	g.doc.Exhibits = []Exhibit{}
	numbers := map[int64]int{}
	for _, c := range chosen {
		number := numbers[c.request]
		if number == 0 {
			number = len(g.doc.Exhibits) + 1
			numbers[c.request] = number
			e, err := g.exhibit(c.request)
			if err != nil {
				return fmt.Errorf("request %d: %w", c.request, err)
			}
			e.Number = number
			g.doc.Exhibits = append(g.doc.Exhibits, e)
		}
		for i := range g.doc.Classes {
			if row := &g.doc.Classes[i]; row.Class == c.class && row.Direction == c.direction {
				row.Exhibits = append(row.Exhibits, number)
			}
		}
	}
	return nil
}

func (g *gatherer) exhibit(id int64) (Exhibit, error) {
	e := Exhibit{Request: id}
	var scheme, path, query string
	var port int
	var status *int
	err := g.tx.QueryRowContext(g.ctx, `
		SELECT time, session, device, method, scheme, host, port, path, query, http_version, status, request_bytes, response_bytes,
			request_sha256, response_sha256, request_truncated OR response_truncated, server_ip, owner, country, error
		FROM requests WHERE id = ?`, id).
		Scan(stamp{&e.Time}, &e.Session, &e.Device, &e.Method, &scheme, &e.Host, &port, &path, &query, &e.Proto, &status, &e.Up, &e.Down,
			&e.UpHash, &e.DownHash, &e.Truncated, &e.Server, &e.Owner, &e.Country, &e.Error)
	if err != nil {
		return e, err
	}
	if status != nil {
		e.Status = *status
	}
	e.URL = address(scheme, e.Host, port, path, query)
	var frames []int64
	e.Findings, err = collect(g, `
		SELECT class, direction, confidence, detector, path, frame_id, reason, excerpt, "start", "end" FROM findings WHERE request_id = ?
		ORDER BY `+sureness3+` DESC, id LIMIT 500`, []any{id},
		func(scan func(...any) error) (f FindingRow, err error) {
			return f, scan(&f.Class, &f.Direction, &f.Confidence, &f.Detector, &f.Path, &f.Frame, &f.Reason, &f.Excerpt, &f.start, &f.end)
		})
	if err != nil {
		return e, err
	}
	e.Findings, e.More = choose(e.Findings)
	for _, f := range e.Findings {
		if !slices.Contains(frames, f.Frame) {
			frames = append(frames, f.Frame)
		}
	}
	if g.opt.Inspector == nil {
		return e, nil
	}
	for _, frame := range frames {
		subject, err := g.r.Subject(g.ctx, id, frame, maxSubject)
		if err != nil {
			return e, err
		}
		for i := range e.Findings {
			if f := &e.Findings[i]; f.Frame == frame {
				g.replay(f, subject)
			}
		}
	}
	return e, nil
}

// choose keeps the findings of an exchange that are worth showing: of each class and
// direction first one, then others until the exhibit is full.
func choose(all []FindingRow) (kept []FindingRow, left int64) {
	type key struct {
		class     inspect.Class
		direction string
	}
	turn := map[key]int{}
	order := make([]int, len(all))
	for i, f := range all {
		k := key{f.Class, f.Direction}
		order[i] = turn[k]
		turn[k]++
	}
	index := make([]int, len(all))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int { return order[a] - order[b] })
	index = index[:min(len(index), max(maxFindings, len(turn)))]
	slices.SortStableFunc(index, func(a, b int) int {
		if d := rank(all[a].Class) - rank(all[b].Class); d != 0 {
			return d
		}
		return a - b
	})
	for _, i := range index {
		kept = append(kept, all[i])
	}
	return kept, int64(len(all) - len(kept))
}

// replay follows the path of f through the stored bytes and writes down the steps and
// the bytes it leads to.
func (g *gatherer) replay(f *FindingRow, subject *inspect.Subject) {
	part, err := g.opt.Inspector.Replay(subject, f.Path)
	if err != nil {
		f.Problem = "The path could not be followed again from the stored bytes: the finding was made by other decoders, or more of the body was there."
		f.Steps = stepsOf(f.Path, nil)
		return
	}
	f.Steps = stepsOf(f.Path, part)
	f.Quote = quote(part.Data, f.start, f.end)
	if info, url := thumbnail(part.Data, g.opt.Blur); info != "" {
		f.Quote.ImageInfo, f.Quote.Image = info, url
		f.Quote.Dump = f.Quote.Dump[:min(len(f.Quote.Dump), 4)]
		f.Quote.CutAfter = true
	}
}

func address(scheme, host string, port int, path, query string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != 0 && port != map[string]int{"http": 80, "ws": 80, "https": 443, "wss": 443}[scheme] {
		host = fmt.Sprintf("%s:%d", host, port)
	}
	if query != "" {
		query = "?" + query
	}
	u := scheme + "://" + host + path + query
	const most = 2000
	if len(u) <= most {
		return u
	}
	cut := most
	for !utf8.RuneStart(u[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%d bytes in all)", u[:cut], len(u))
}
