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
			SELECT one.*, row_number() OVER (PARTITION BY one.class, one.direction, c, r.host, r.path ORDER BY request_id) AS n
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
				slices.Sort(row.Exhibits)
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
	e.Owner = operator(e.Owner, e.Host)
	behind := g.behind[hostAddress{e.Host, e.Server}]
	e.Network, e.Cloud = behind.Network(), behind.Cloud
	e.URL = address(scheme, e.Host, port, path, query)
	findings, err := collect(g, `
		SELECT class, direction, confidence, detector, path, frame_id, reason, excerpt, "start", "end" FROM findings WHERE request_id = ?
		ORDER BY `+sureness3+` DESC, id LIMIT 500`, []any{id},
		func(scan func(...any) error) (f FindingRow, err error) {
			return f, scan(&f.Class, &f.Direction, &f.Confidence, &f.Detector, &f.path, &f.frame, &f.Reason, &f.Excerpt, &f.Start, &f.End)
		})
	if err != nil {
		return e, err
	}
	findings, e.More = choose(findings)
	e.Places = places(findings)
	if g.opt.Inspector == nil {
		return e, nil
	}
	subjects := map[int64]*inspect.Subject{} // by frame
	for i := range e.Places {
		p := &e.Places[i]
		if subjects[p.Frame] == nil {
			if subjects[p.Frame], err = g.r.Subject(g.ctx, id, p.Frame, maxSubject); err != nil {
				return e, err
			}
		}
		g.replay(p, subjects[p.Frame])
	}
	return e, nil
}

// places groups findings by the part that they are about.
func places(findings []FindingRow) []Place {
	list := []Place{}
	for _, f := range findings {
		i := slices.IndexFunc(list, func(p Place) bool { return p.Path == f.path && p.Frame == f.frame })
		if i < 0 {
			i = len(list)
			list = append(list, Place{Path: f.path, Frame: f.frame})
		}
		list[i].Findings = append(list[i].Findings, f)
	}
	return list
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

// replay follows the path of p through the stored bytes and writes down the steps and
// the bytes it leads to.
func (g *gatherer) replay(p *Place, subject *inspect.Subject) {
	part, err := g.opt.Inspector.Replay(subject, p.Path)
	if err != nil {
		p.Problem = "The path could not be followed again from the stored bytes: the finding was made by other decoders, or more of the body was there."
		p.Steps = stepsOf(p.Path, nil)
		return
	}
	p.Steps = stepsOf(p.Path, part)
	start, end := p.Findings[0].Start, p.Findings[0].End
	if start == end || start == 0 && end == len(part.Data) {
		p.Quote = quoteAbove(part)
	}
	if p.Quote == nil {
		p.Quote = quote(part.Data, start, end)
	}
	if info, url := thumbnail(part.Data, g.opt.Blur); info != "" {
		p.Quote.ImageInfo, p.Quote.Image = info, url
		if len(p.Quote.Dump) > 4 {
			p.Quote.Dump, p.Quote.CutAfter = p.Quote.Dump[:4], true
		}
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
