package report

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"constat/inspect"
	"constat/store"
	"constat/store/linkage"
)

// ComplaintSchema names the form of what WriteComplaint writes; docs/complaint.schema.json
// describes it.
const ComplaintSchema = "constat-complaint/1"

// Complaint holds what a complaint to a data-protection authority needs from a case.
// Values of findings, addresses and header fields are masked. What only a person can
// say is empty, and its places are listed in ToComplete.
type Complaint struct {
	Schema     string    `json:"schema"`
	Lang       string    `json:"language"` // of sentences; reasons are recorded in English
	Generated  time.Time `json:"generated"`
	Title      string    `json:"title"`
	Banner     string    `json:"banner,omitempty"`
	ToComplete []string  `json:"to_complete"` // JSON pointers (RFC 6901)

	Complainant  Party    `json:"complainant"`
	Controller   Party    `json:"controller"`
	LegalGrounds []string `json:"legal_grounds"`
	Requests     []string `json:"requests_to_the_authority"`

	Subject  ComplaintSubject    `json:"subject"`
	Tool     ComplaintTool       `json:"tool"`
	Capture  ComplaintCapture    `json:"capture"`
	Sessions []Session           `json:"sessions"`
	Summary  []Paragraph         `json:"summary"`
	Classes  []ClassRow          `json:"classes"`
	Shown    []ComplaintExchange `json:"exchanges"`
	Claims   []ComplaintClaim    `json:"claims"`
	Hosts    []HostRow           `json:"recipients"`
	Address  []AddressRow        `json:"addresses"`
	Roles    []ComplaintRole     `json:"what_roles_mean"`
	Tables   []string            `json:"owner_tables"`
	Coverage Coverage            `json:"coverage"`
}

// Party is a person or organisation, for a person to fill in.
type Party struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Contact string `json:"contact"`
}

// ComplaintSubject is what the complaint is about, as far as it was declared in one
// way only.
type ComplaintSubject struct {
	Component string   `json:"app_or_system_component"`
	Version   string   `json:"version"`
	Model     string   `json:"device"`
	OS        string   `json:"os"`
	ROM       string   `json:"rom"`
	Build     string   `json:"build"`
	Devices   []Device `json:"devices_in_case"`
}

// ComplaintTool says what recorded the traffic and what wrote this.
type ComplaintTool struct {
	Recorded string `json:"recorded_with"`
	Reported string `json:"reported_with"`
	Runs     []Run  `json:"runs"`
}

// ComplaintCapture names the evidence and its checksum.
type ComplaintCapture struct {
	Case     string    `json:"case_id"`
	File     string    `json:"file"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Requests int64     `json:"requests"`
	Imported int64     `json:"imported_requests"`
	Checksum Checksum  `json:"checksum"`
}

// Checksum is the head of the case's log.
type Checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"` // base64
	Records   int64  `json:"records"`
	Verifier  string `json:"verifier"`
	Note      string `json:"checkpoint"`
	Command   string `json:"verify_with"`
}

// ComplaintExchange is a request reproduced with its values masked, who received it,
// and what was found in it. It has no hashes: one of a short value gives it away.
type ComplaintExchange struct {
	Exhibit   int                `json:"exhibit"`
	Request   int64              `json:"request_id"`
	Time      time.Time          `json:"time"`
	Session   string             `json:"session,omitempty"`
	Device    string             `json:"device"`
	Method    string             `json:"method"`
	URL       string             `json:"url"`
	Proto     string             `json:"http_version"`
	Headers   []MaskedHeader     `json:"headers"`
	Up        int64              `json:"request_bytes"`
	Status    int                `json:"status"`
	Down      int64              `json:"response_bytes"`
	Truncated bool               `json:"truncated"`
	CitedBy   []string           `json:"cited_by"`
	Recipient ComplaintRecipient `json:"recipient"`
	Findings  []ComplaintFinding `json:"findings"`
	More      int64              `json:"more_findings"`
}

// MaskedHeader is a header field.
type MaskedHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ComplaintRecipient keeps apart who is behind a request.
type ComplaintRecipient struct {
	Host    string `json:"host"`
	Company string `json:"company"` // known to use the domain
	Server  string `json:"address"`
	Network string `json:"network"` // that carries the address
	Cloud   string `json:"hosted_at"`
	Country string `json:"country_declared"` // not proof of where the machine stands
}

// ComplaintFinding is a finding with its value masked.
type ComplaintFinding struct {
	Class      inspect.Class      `json:"class"`
	Label      string             `json:"label"`
	Direction  string             `json:"direction"`
	Confidence inspect.Confidence `json:"confidence"`
	Meaning    string             `json:"confidence_means"`
	Detector   string             `json:"detector"`
	Path       inspect.Path       `json:"path"`
	Frame      int64              `json:"frame_id,omitempty"`
	Steps      []string           `json:"steps"`
	Value      string             `json:"value_masked"`
	Reason     string             `json:"reason"`
}

// ComplaintClaim is the answer to a claim, in short.
type ComplaintClaim struct {
	Claim    string   `json:"claim"`
	Title    string   `json:"title"`
	Said     string   `json:"said_by"`
	Source   string   `json:"source"`
	Verdict  string   `json:"verdict"`
	Because  string   `json:"because"`
	Deciding []int64  `json:"deciding_request_ids"`
	More     int64    `json:"more_deciding"`
	Readable float64  `json:"readable_share_of_bytes_sent"`
	Required float64  `json:"required_share"`
	Missing  []string `json:"missing"`
	Limits   string   `json:"limits"`
}

// ComplaintRole says what a role of an address does and does not mean.
type ComplaintRole struct {
	Role  string `json:"role"`
	Means string `json:"means"`
}

// WriteComplaint writes the fields of a complaint as JSON.
func WriteComplaint(ctx context.Context, w io.Writer, r *store.Reader, opt Options) error {
	doc, err := Gather(ctx, r, opt)
	if err != nil {
		return err
	}
	l, err := languageOf(opt.Lang)
	if err != nil {
		return fmt.Errorf("write complaint: %w", err)
	}
	c := l.complaint(doc)
	for i := range doc.Exhibits {
		e := &doc.Exhibits[i]
		x, err := r.Exchange(ctx, e.Request)
		if err != nil {
			return fmt.Errorf("write complaint: request %d: %w", e.Request, err)
		}
		c.Shown = append(c.Shown, l.reproduced(e, x.Request.Head))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(c); err != nil {
		return fmt.Errorf("write complaint: %w", err)
	}
	return nil
}

func (l *language) complaint(d *Document) *Complaint {
	c := &Complaint{
		Schema: ComplaintSchema, Lang: l.code, Generated: d.Generated, Title: d.Title, Banner: d.Banner,
		ToComplete:   []string{"/complainant", "/controller", "/legal_grounds", "/requests_to_the_authority"},
		LegalGrounds: []string{}, Requests: []string{},
		Subject: subjectOf(d), Sessions: d.Sessions, Summary: d.Summary, Classes: d.Classes,
		Tool: ComplaintTool{Recorded: d.Case.Tool, Reported: d.Build, Runs: d.Runs},
		Capture: ComplaintCapture{
			Case: d.Case.ID, File: d.Case.File, First: d.Case.First, Last: d.Case.Last, Requests: d.Case.Requests, Imported: d.Case.Imported,
			Checksum: Checksum{"Merkle tree of SHA-256 (RFC 6962)", d.Log.Root, d.Log.Size, d.Log.Verifier, d.Log.Note, "constat verify " + d.Case.File},
		},
		Shown: []ComplaintExchange{}, Claims: []ComplaintClaim{}, Hosts: d.Hosts, Address: d.Addresses, Tables: d.OwnerTables, Coverage: d.Coverage, Roles: []ComplaintRole{},
	}
	for _, x := range []struct{ pointer, value string }{
		{"/subject/app_or_system_component", c.Subject.Component},
		{"/subject/version", c.Subject.Version},
		{"/subject/device", c.Subject.Model},
		{"/subject/os", c.Subject.OS},
		{"/subject/rom", c.Subject.ROM},
		{"/subject/build", c.Subject.Build},
	} {
		if x.value == "" {
			c.ToComplete = append(c.ToComplete, x.pointer)
		}
	}
	for _, role := range roleNames {
		c.Roles = append(c.Roles, ComplaintRole{l.say("role." + role), l.say("role." + role + ".means")})
	}
	for _, a := range d.Answers {
		x := ComplaintClaim{
			Claim: a.Claim, Title: a.Title.In(l.code), Said: a.Said.Who, Source: a.Said.Source, Verdict: string(a.Verdict), Because: a.Because.In(l.code),
			Deciding: []int64{}, More: a.More, Readable: a.Coverage.ShareUp(), Required: a.Required, Missing: []string{}, Limits: a.Limits.In(l.code),
		}
		for _, r := range a.Deciding {
			x.Deciding = append(x.Deciding, r.Request)
		}
		for _, m := range a.Missing {
			x.Missing = append(x.Missing, m.In(l.code))
		}
		c.Claims = append(c.Claims, x)
	}
	return c
}

// subjectOf takes what was declared of the phone and the app: a fact that was
// declared in two ways is nobody's to choose here.
func subjectOf(d *Document) ComplaintSubject {
	declared := map[string][]string{}
	put := func(name, value string) {
		if value = strings.TrimSpace(value); value != "" && value != "null" && !slices.Contains(declared[name], value) {
			declared[name] = append(declared[name], value)
		}
	}
	for _, x := range d.Declared {
		if x.Topic == "device" {
			for _, fact := range x.Facts {
				name, value, _ := strings.Cut(fact, "=")
				put(name, value)
			}
		}
	}
	for _, s := range d.Sessions {
		for _, f := range s.Factors {
			name, value, _ := strings.Cut(f, "=")
			put(name, value)
		}
	}
	one := func(names ...string) string {
		for _, n := range names {
			if len(declared[n]) == 1 {
				return declared[n][0]
			}
		}
		return ""
	}
	return ComplaintSubject{
		Component: one("app", "component", "package"), Version: one("app_version", "version"), Model: one("model", "device"), OS: one("os", "android", "ios"),
		ROM: one("rom"), Build: one("build", "fingerprint"), Devices: d.Case.Devices,
	}
}

func (l *language) reproduced(e *Exhibit, head []byte) ComplaintExchange {
	x := ComplaintExchange{
		Exhibit: e.Number, Request: e.Request, Time: e.Time, Session: e.Session, Device: e.Device, Method: e.Method, URL: maskURL(e.URL), Proto: e.Proto,
		Headers: maskHead(head), Up: e.Up, Status: e.Status, Down: e.Down, Truncated: e.Truncated, CitedBy: append([]string{}, e.Answers...),
		Recipient: ComplaintRecipient{e.Host, e.Owner, e.Server, e.Network, e.Cloud, e.Country}, Findings: []ComplaintFinding{}, More: e.More,
	}
	for _, p := range e.Places {
		for _, f := range p.Findings {
			value := f.Excerpt
			if value == "" && p.Quote != nil && p.Quote.Text {
				value = p.Quote.Match
			}
			x.Findings = append(x.Findings, ComplaintFinding{
				Class: f.Class, Label: l.class(f.Class), Direction: f.Direction, Confidence: f.Confidence, Meaning: l.word("sureness", string(f.Confidence)), Detector: f.Detector,
				Path: p.Path, Frame: p.Frame, Steps: append([]string{}, p.Steps...), Value: maskText(strings.ReplaceAll(value, "…", "")), Reason: maskTelling(f.Reason),
			})
		}
	}
	return x
}

// maskText shows how a value begins and ends, and how long it is when it is long.
func maskText(s string) string {
	if s == "" {
		return ""
	}
	return linkage.Mask(s)
}

// telling are words that can be values: six characters or more, with digits among them
// or an @.
var telling = regexp.MustCompile(`[0-9\pL+/_=@.%-]{6,}`)

// maskTelling masks the words of a sentence that can be values.
func maskTelling(s string) string {
	return telling.ReplaceAllStringFunc(s, func(word string) string {
		digits := 0
		for _, r := range word {
			if r >= '0' && r <= '9' {
				digits++
			}
		}
		if digits >= 4 || strings.Contains(word, "@") {
			return linkage.Mask(word)
		}
		return word
	})
}

// maskURL masks the values of a query, and segments of the path that can be values.
func maskURL(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return linkage.Mask(address)
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	host, path, hasPath := strings.Cut(rest, "/")
	out := scheme + "://" + host
	if hasPath {
		segments := strings.Split(path, "/")
		for i, s := range segments {
			plain, err := url.PathUnescape(s)
			if err != nil || len(s) > 40 || plain != s {
				segments[i] = linkage.Mask(s)
				continue
			}
			segments[i] = maskTelling(s)
		}
		out += "/" + strings.Join(segments, "/")
	}
	if hasQuery {
		fields := strings.Split(query, "&")
		for i, f := range fields {
			name, value, has := strings.Cut(f, "=")
			if !has {
				fields[i] = linkage.Mask(name)
				continue
			}
			fields[i] = maskTelling(name) + "=" + maskText(value)
		}
		out += "?" + strings.Join(fields, "&")
	}
	return out
}

// open are header fields whose values say how a message is written, not what of whom.
var open = []string{
	"host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "accept", "accept-encoding", "accept-language", "cache-control", "upgrade", "user-agent",
}

// maxHeaders is how many header fields are reproduced.
const maxHeaders = 60

// maskHead lists the header fields of a head as it was sent.
func maskHead(head []byte) []MaskedHeader {
	list := []MaskedHeader{}
	lines := bytes.Split(head, []byte("\n"))
	for _, raw := range lines[min(1, len(lines)):] {
		name, value, ok := strings.Cut(strings.TrimRight(string(raw), "\r"), ":")
		if !ok || name == "" {
			continue
		}
		if len(list) == maxHeaders {
			break
		}
		value = strings.TrimSpace(value)
		if slices.Contains(open, strings.ToLower(name)) {
			value = short(maskTelling(value), 300)
		} else {
			value = maskText(value)
		}
		list = append(list, MaskedHeader{short(strings.ToValidUTF8(name, "\ufffd"), 100), strings.ToValidUTF8(value, "\ufffd")})
	}
	return list
}

// Declared is what a person stated of a phone, of themselves or of a clock.
type Declared struct {
	Topic   string   `json:"topic"`
	Subject string   `json:"subject,omitempty"`
	Facts   []string `json:"facts"` // "name=value", sorted
}

// declared reads the newest declarations, of a case that has such.
func (g *gatherer) declared() error {
	g.doc.Declared = []Declared{}
	var n int
	if err := g.tx.QueryRowContext(g.ctx, `SELECT count(*) FROM pragma_table_list WHERE name = 'declarations'`).Scan(&n); err != nil || n == 0 {
		return err
	}
	var err error
	g.doc.Declared, err = collect(g, `
		SELECT topic, subject, ifnull(content, '') FROM declarations WHERE id IN (SELECT max(id) FROM declarations WHERE topic IN ('device', 'operator', 'clock') GROUP BY topic, subject)
		ORDER BY topic = 'device' DESC, topic, subject LIMIT 40`, nil,
		func(scan func(...any) error) (d Declared, err error) {
			var content string
			if err := scan(&d.Topic, &d.Subject, &content); err != nil {
				return d, err
			}
			m := map[string]any{}
			if json.Unmarshal([]byte(content), &m) != nil {
				m = nil // it was withheld from this copy of the case
			}
			facts := map[string]string{}
			for k, v := range m {
				text, isText := v.(string)
				if !isText {
					data, _ := json.Marshal(v) // it was JSON
					text = string(data)
				}
				facts[k] = short(cmp.Or(text, "–"), 300)
			}
			d.Facts = pairs(facts)
			return d, nil
		})
	return err
}
