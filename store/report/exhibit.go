package report

import (
	"database/sql"
	"errors"
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
	g.doc.Exhibits = []Exhibit{}
	numbers := map[int64]int{}
	if err := g.deciding(numbers); err != nil {
		return err
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
	for _, c := range chosen {
		number := numbers[c.request]
		if number == 0 {
			if number, err = g.show(numbers, c.request, nil); err != nil {
				return err
			}
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

// show makes an exhibit of a request and returns its number.
func (g *gatherer) show(numbers map[int64]int, request int64, paths []inspect.Path) (int, error) {
	e, err := g.exhibit(request, paths)
	if err != nil {
		return 0, fmt.Errorf("request %d: %w", request, err)
	}
	e.Number = len(g.doc.Exhibits) + 1
	numbers[request] = e.Number
	g.doc.Exhibits = append(g.doc.Exhibits, e)
	return e.Number, nil
}

// maxAnswered is how many exchanges are shown because they decide claims.
const maxAnswered = 40

// deciding shows the exchanges that decide claims, with the parts that the answers
// name.
func (g *gatherer) deciding(numbers map[int64]int) error {
	paths := map[int64][]inspect.Path{}
	claims := map[int64][]string{}
	var order []int64
	for _, a := range g.doc.Answers {
		for _, d := range a.Deciding[:min(len(a.Deciding), g.opt.MaxDeciding)] {
			if d.Request == 0 {
				continue
			}
			if claims[d.Request] == nil {
				if len(order) == maxAnswered {
					continue
				}
				order = append(order, d.Request)
			}
			claims[d.Request] = addUnique(claims[d.Request], a.Claim, 20)
			if p := inspect.Path(d.Path); p != "" && !slices.Contains(paths[d.Request], p) && len(paths[d.Request]) < maxFindings {
				paths[d.Request] = append(paths[d.Request], p)
			}
		}
	}
	for _, id := range order {
		number, err := g.show(numbers, id, paths[id])
		if errors.Is(err, sql.ErrNoRows) {
			continue // an answer from another case
		}
		if err != nil {
			return err
		}
		g.doc.Exhibits[number-1].Answers = claims[id]
	}
	return nil
}

// exhibit reads what is shown of a request: its findings, and the parts at paths.
func (g *gatherer) exhibit(id int64, paths []inspect.Path) (Exhibit, error) {
	e := Exhibit{Request: id}
	var scheme, path, query string
	var port int
	var connection int64
	var status *int
	err := g.tx.QueryRowContext(g.ctx, `
		SELECT time, session, device, method, scheme, host, port, path, query, http_version, status, request_bytes, response_bytes,
			request_sha256, response_sha256, request_truncated OR response_truncated, server_ip, owner, country, error, app, connection_id
		FROM requests WHERE id = ?`, id).
		Scan(stamp{&e.Time}, &e.Session, &e.Device, &e.Method, &scheme, &e.Host, &port, &path, &query, &e.Proto, &status, &e.Up, &e.Down,
			&e.UpHash, &e.DownHash, &e.Truncated, &e.Server, &e.Owner, &e.Country, &e.Error, &e.App, &connection)
	if err != nil {
		return e, err
	}
	if status != nil {
		e.Status = *status
	}
	e.Owner = operator(e.Owner, e.Host)
	behind := g.behind[hostAddress{e.Host, e.Server}]
	e.Network, e.Cloud = g.l.network(behind), behind.Cloud
	e.URL = g.l.address(scheme, e.Host, port, path, query)
	if e.Method == "" {
		if e.Protocol, err = g.protocolOf(connection); err != nil {
			return e, err
		}
		e.raw = g.l.rawLine(scheme, e.Host, port, e.Protocol)
	}
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
	for _, path := range paths {
		if !slices.ContainsFunc(e.Places, func(p Place) bool { return p.Path == path }) {
			e.Places = append(e.Places, Place{Path: path, Findings: []FindingRow{}})
		}
	}
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
		if e.raw != "" && len(p.Steps) > 0 {
			p.Steps[0] = strings.Replace(p.Steps[0], g.l.say("root.request.body"), g.l.say("root.raw.up"), 1)
			p.Steps[0] = strings.Replace(p.Steps[0], g.l.say("root.response.body"), g.l.say("root.raw.down"), 1)
		}
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
		p.Problem = g.l.say("place.problem")
		p.Steps = g.l.stepsOf(p.Path, nil)
		return
	}
	p.Steps = g.l.stepsOf(p.Path, part)
	start, end := 0, 0
	if len(p.Findings) > 0 {
		start, end = p.Findings[0].Start, p.Findings[0].End
	}
	if start == end || start == 0 && end == len(part.Data) {
		p.Quote = quoteAbove(part)
	}
	if p.Quote == nil {
		p.Quote = quote(part.Data, start, end)
	}
	if info, url := thumbnail(g.l, part.Data, !g.opt.ShowPhotos); info != "" {
		p.Quote.ImageInfo, p.Quote.Image = info, url
		if len(p.Quote.Dump) > 4 {
			p.Quote.Dump, p.Quote.CutAfter = p.Quote.Dump[:4], true
		}
	}
}

func (l *language) address(scheme, host string, port int, path, query string) string {
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
	return l.say("exhibit.long", u[:cut], len(u))
}
