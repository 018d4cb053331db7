package ui

import (
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"constat/inspect"
	"constat/proxy/flow"
	"constat/store"
)

// Bounds of the page of one request.
const (
	maxHead     = 64 << 10 // bytes of a head
	maxPreview  = 64 << 10 // bytes of a body shown as text
	maxDump     = 2 << 10  // bytes of a body shown in hex
	maxLook     = 4 << 20  // bytes of each body taken apart to show findings
	maxFindings = 200
	maxInPlace  = 20 // findings shown in their surroundings
	maxFrames   = 100
	around      = 80 // bytes shown before and after what a finding points at
)

// requestPage is what the template works with. What comes from the wire goes
// through plain or, in the template, through the function line; html/template
// escapes all of it.
type requestPage struct {
	E          *flow.Exchange
	URL        string
	Took       time.Duration
	Tags       []inspect.Class
	Owner      inspect.Owner
	IssuedTo   string // whom the server's certificate names, "" when none was seen
	Raw        string // of what is not HTTP: "TCP", "UDP" or "TLS"
	Protocol   string // that it looks like
	Inspected  bool
	Findings   []findingView
	More       int // findings not shown
	Hits       []inspect.Hit
	Damage     []inspect.Damage
	Messages   []messageView
	Frames     []frameView
	MoreFrames bool
}

type findingView struct {
	inspect.Finding
	Frame                 int64
	Before, Match, After  string // in its surroundings, if it could be replayed
	OpenBefore, OpenAfter bool   // there is more
}

type messageView struct {
	Name, Title string // "request", "Request"
	Head        string
	Cut         bool // the head goes on
	Exact       bool
	Interim     string // heads of 1xx responses
	Trailer     string
	Body        *bodyView
}

type bodyView struct {
	Size, Kept int64
	Complete   bool
	SHA256     string
	Text       string // preview, as text or as a hex dump
	Hex        bool
	Decoded    string // decoding steps taken for the preview
	Cut        bool   // there is more
}

type frameView struct {
	Frame *flow.Frame
	Body  *bodyView
}

func (l *live) request(w http.ResponseWriter, r *http.Request) {
	id, ok := requestID(w, r)
	if !ok {
		return
	}
	p, err := l.requestPage(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		http.NotFound(w, r)
	case err != nil:
		l.trouble(w)
	default:
		render(w, http.StatusOK, "live/request.html", "request.html", p)
	}
}

func (l *live) requestPage(ctx context.Context, id int64) (*requestPage, error) {
	c := l.cfg.Case
	e, err := c.Exchange(ctx, id)
	if err != nil {
		return nil, err
	}
	p := &requestPage{E: e, URL: address(e), Took: e.Duration.Round(time.Millisecond / 10)}
	if e.Method == "" {
		if err := l.relayed(ctx, p); err != nil {
			return nil, err
		}
	}
	subject, err := c.Subject(ctx, id, 0, maxLook)
	if err != nil {
		return nil, err
	}
	if err := l.addReport(ctx, p, 0, subject); err != nil {
		return nil, err
	}
	if err := l.addOwner(ctx, p); err != nil {
		return nil, err
	}
	if p.IssuedTo, err = l.issuedTo(ctx, e.Connection); err != nil {
		return nil, err
	}
	for _, side := range []struct {
		name, title string
		m           *flow.Message
		content     inspect.Content
	}{{"request", "Request", &e.Request, subject.Request}, {"response", "Response", &e.Response, subject.Response}} {
		if side.name == "response" && e.Status == 0 && len(side.m.Head) == 0 && side.m.Body == nil {
			continue
		}
		if p.Raw != "" {
			side.title = map[string]string{"request": "Sent", "response": "Received"}[side.name]
		}
		v := messageView{Name: side.name, Title: side.title, Exact: side.m.Exact, Trailer: plain(side.m.Trailer, maxHead)}
		v.Head, v.Cut = strings.TrimRight(plain(side.m.Head, maxHead), "\n"), len(side.m.Head) > maxHead
		if side.name == "response" {
			v.Interim = strings.TrimRight(plain(e.Interim, maxHead), "\n")
		}
		if side.m.Body != nil && side.m.Body.Size() > 0 {
			v.Body = l.body(side.m.Body, side.name+".body", subject, side.content)
		}
		p.Messages = append(p.Messages, v)
	}
	for f, err := range c.Frames(ctx, id) {
		if err != nil {
			return nil, err
		}
		if len(p.Frames) == maxFrames {
			p.MoreFrames = true
			break
		}
		v, err := l.frame(ctx, p, f)
		if err != nil {
			return nil, err
		}
		p.Frames = append(p.Frames, v)
	}
	return p, nil
}

// addOwner adds who is behind the address, as the newest inspection knew.
func (l *live) addOwner(ctx context.Context, p *requestPage) error {
	ip := ""
	if p.E.Server.IsValid() {
		ip = p.E.Server.Addr().String()
	}
	o := &p.Owner
	err := l.cfg.Case.DB().QueryRowContext(ctx, `
		SELECT owner, country, domain, company, asn, as_holder, registry, cloud, data FROM address
		WHERE host = ? AND server_ip = ? ORDER BY id DESC LIMIT 1`, p.E.Host, ip).
		Scan(&o.Name, &o.Country, &o.Domain, &o.Company, &o.AS, &o.ASHolder, &o.Registry, &o.Cloud, &o.Data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// issuedTo is the organisation in the certificate that the server showed on a
// connection, else a name that it is for.
func (l *live) issuedTo(ctx context.Context, connection int64) (string, error) {
	c, err := l.cfg.Case.Connection(ctx, connection)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil || c.ServerTLS == nil || len(c.ServerTLS.Chain) == 0 {
		return "", err
	}
	leaf, err := x509.ParseCertificate(c.ServerTLS.Chain[0])
	switch {
	case err != nil:
		return "a certificate that cannot be read", nil
	case len(leaf.Subject.Organization) > 0:
		return leaf.Subject.Organization[0], nil
	case leaf.Subject.CommonName != "":
		return leaf.Subject.CommonName + " (a domain only)", nil
	case len(leaf.DNSNames) > 0:
		return leaf.DNSNames[0] + " (a domain only)", nil
	}
	return "nobody named", nil
}

// relayed says what an exchange that is not HTTP is.
func (l *live) relayed(ctx context.Context, p *requestPage) error {
	p.Raw = strings.ToUpper(oneLine(p.E.Scheme))
	p.URL = oneLine(net.JoinHostPort(p.E.Host, strconv.Itoa(int(p.E.Port))))
	c, err := l.cfg.Case.Connection(ctx, p.E.Connection)
	if errors.Is(err, store.ErrNotFound) { // it is still open
		return nil
	}
	if err == nil {
		p.Protocol = strings.ToUpper(oneLine(c.Protocol))
	}
	return err
}

// frame describes one WebSocket message and adds its findings to p.
func (l *live) frame(ctx context.Context, p *requestPage, f *flow.Frame) (frameView, error) {
	v := frameView{Frame: f}
	if f.Payload == nil || f.Payload.Size() == 0 {
		return v, nil
	}
	s, err := l.cfg.Case.Subject(ctx, f.Exchange, f.ID, maxLook)
	if err != nil {
		return v, err
	}
	v.Body = facts(f.Payload)
	v.Body.show(s.Frame)
	return v, l.addReport(ctx, p, f.ID, s)
}

// addReport adds what inspection made of an exchange, or of one of its frames.
func (l *live) addReport(ctx context.Context, p *requestPage, frame int64, s *inspect.Subject) error {
	report, err := l.cfg.Case.Report(ctx, p.E.ID, frame)
	if err != nil || report == nil {
		return err
	}
	p.Inspected = true
	for _, tag := range report.Tags() {
		if !slices.Contains(p.Tags, tag) {
			p.Tags = append(p.Tags, tag)
		}
	}
	for _, f := range report.Findings {
		if len(p.Findings) == maxFindings {
			p.More++
			continue
		}
		v := findingView{Finding: f, Frame: frame}
		if len(p.Findings) < maxInPlace {
			if part, err := l.inspector.Replay(s, f.Path); err == nil {
				v.place(part.Data)
			}
		}
		p.Findings = append(p.Findings, v)
	}
	p.Hits = append(p.Hits, report.Hits[:min(len(report.Hits), maxFindings)]...)
	p.Damage = append(p.Damage, report.Damage[:min(len(report.Damage), maxFindings)]...)
	return nil
}

// place shows the bytes that decided a finding among those around them. Binary
// data is left to the excerpt.
func (v *findingView) place(data []byte) {
	if v.End <= v.Start || v.End > len(data) || v.Start < 0 || !utf8.Valid(data[v.Start:v.End]) {
		return
	}
	from, to := max(0, v.Start-around), min(len(data), v.End+around)
	v.OpenBefore, v.OpenAfter = from > 0, to < len(data)
	v.Before = oneLine(string(data[from:v.Start]))
	v.Match = oneLine(string(data[v.Start:min(v.End, v.Start+maxText)]))
	v.After = oneLine(string(data[v.End:to]))
}

// body describes a body and shows its beginning without its content codings.
func (l *live) body(b *flow.Body, root string, s *inspect.Subject, c inspect.Content) *bodyView {
	v := facts(b)
	data := c.Body
	if codings := c.Header.Values("Content-Encoding"); len(codings) > 0 {
		path := inspect.Path(root)
		steps := strings.Split(strings.ToLower(strings.Join(codings, ",")), ",")
		for i := len(steps) - 1; i >= 0; i-- {
			step := strings.TrimPrefix(strings.TrimSpace(steps[i]), "x-")
			if step != "" && step != "identity" {
				path = path.Append(step, "")
			}
		}
		if part, err := l.inspector.Replay(s, path); err == nil {
			data = part.Data
			_, v.Decoded, _ = strings.Cut(string(path), "|")
		}
	}
	v.show(data)
	return v
}

func facts(b *flow.Body) *bodyView {
	sum := b.SHA256()
	return &bodyView{Size: b.Size(), Kept: b.Kept(), Complete: b.Complete(), SHA256: hex.EncodeToString(sum[:])}
}

// show makes the preview: text if data begins as text, else a hex dump.
func (v *bodyView) show(data []byte) {
	head := data[:min(len(data), maxPreview)]
	if isText(head) {
		v.Text, v.Cut = plain(head, maxPreview), len(head) < len(data)
		return
	}
	head = data[:min(len(data), maxDump)]
	v.Text, v.Hex, v.Cut = hex.Dump(head), true, len(head) < len(data)
}

// isText says that data reads as text but for a character cut at its end.
func isText(data []byte) bool {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return len(data)-i < utf8.UTFMax && !utf8.FullRune(data[i:])
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			return false
		}
		i += n
	}
	return true
}

// plain returns at most limit bytes as text in which nothing can change how the
// text around it is read.
func plain(data []byte, limit int) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return visible(r)
	}, strings.ReplaceAll(strings.ToValidUTF8(string(data[:min(len(data), limit)]), "�"), "\r\n", "\n"))
}

// oneLine is plain without line breaks.
func oneLine(text string) string {
	return strings.Map(visible, strings.ToValidUTF8(text, "�"))
}

// visible replaces control characters and those that turn the direction of
// text around (Unicode Bidirectional Algorithm, UAX #9 section 2).
func visible(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
		return '·'
	}
	return r
}

// address writes out the URL of an exchange, for people.
func address(e *flow.Exchange) string {
	host := e.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	usual := map[string]uint16{"http": 80, "ws": 80, "https": 443, "wss": 443}
	if e.Port != 0 && e.Port != usual[e.Scheme] {
		host += ":" + strconv.Itoa(int(e.Port))
	}
	url := e.Scheme + "://" + host + e.Path
	if e.Query != "" {
		url += "?" + e.Query
	}
	return oneLine(url)
}

// download answers with what is kept of a body, as bytes that no browser
// renders, under a name of our own.
func (l *live) download(w http.ResponseWriter, r *http.Request) {
	id, ok := requestID(w, r)
	if !ok {
		return
	}
	e, err := l.cfg.Case.Exchange(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		l.trouble(w)
		return
	}
	var body *flow.Body
	switch r.PathValue("body") {
	case "request.bin":
		body = e.Request.Body
	case "response.bin":
		body = e.Response.Body
	}
	if body == nil {
		http.NotFound(w, r)
		return
	}
	content, err := l.cfg.Case.Body(r.Context(), body)
	if err != nil {
		l.trouble(w)
		return
	}
	defer content.Close()
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="constat-%d-%s"`, id, r.PathValue("body")))
	h.Set("Content-Length", strconv.FormatInt(body.Kept(), 10))
	io.Copy(w, content) // a failure shows as a short answer
}
