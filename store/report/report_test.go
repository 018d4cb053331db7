package report

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"constat/inspect"
	"constat/proxy/flow"
	"constat/store"
	"constat/store/claim"
	"constat/store/compare"
	"constat/store/har"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

var (
	update = flag.Bool("update", false, "rewrite the wanted results in testdata")
	keep   = flag.String("keep", "", "also write the report on the invented affair to this file")
)

func (b *builder) options() Options {
	return Options{
		Banner: "INVENTED: every server, message and person in this case was made up for a demonstration.",
		Build:  "constat v0.0-test", Now: func() time.Time { return b.now }, Inspector: b.in,
	}
}

func (b *builder) html(opt Options) string {
	b.t.Helper()
	var out bytes.Buffer
	if err := Write(b.t.Context(), &out, &b.c.Reader, opt); err != nil {
		b.t.Fatal(err)
	}
	return out.String()
}

func (b *builder) gather() *Document {
	b.t.Helper()
	d, err := Gather(b.t.Context(), &b.c.Reader, b.options())
	if err != nil {
		b.t.Fatal(err)
	}
	p, err := b.c.Prepared(b.t.Context(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	defer p.Close()
	prepared, err := Gather(b.t.Context(), p, b.options())
	if err != nil {
		b.t.Fatal(err)
	}
	want, _ := json.Marshal(d)
	got, _ := json.Marshal(prepared)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		b.t.Errorf("the report on a prepared case differs (-case +prepared):\n%s", diff)
	}
	return d
}

// outline writes down what a report says, without what differs between runs.
func outline(d *Document) string {
	var b strings.Builder
	for _, p := range d.Summary {
		fmt.Fprintf(&b, "%s\n", p.Heading)
		for _, s := range p.Sentences {
			fmt.Fprintf(&b, "  %s\n", s)
		}
	}
	for _, c := range d.Classes {
		fmt.Fprintf(&b, "class %s %s: %d requests, %d hosts %v, %s, exhibits %v\n", c.Class, c.Direction, c.Requests, c.Hosts, c.HostNames, c.Confidence, c.Exhibits)
	}
	for _, h := range d.Hosts {
		fmt.Fprintf(&b, "host %s: owner %q country %q addresses %v tls %v plain %d requests %d tags %v\n", h.Host, h.Owner, h.Country, h.Addresses, h.TLS, h.Plain, h.Requests, h.Tags)
	}
	for _, c := range d.Canaries {
		fmt.Fprintf(&b, "canary %s %s: %d requests, %v, %s\n", c.Canary, c.Direction, c.Requests, c.Hosts, c.Path)
	}
	for _, e := range d.Exhibits {
		fmt.Fprintf(&b, "exhibit %d: request %d %s %s %d\n", e.Number, e.Request, e.Method, e.URL, e.Status)
		for _, p := range e.Places {
			fmt.Fprintf(&b, "  place %s %q\n", p.Path, p.Problem)
			for _, s := range p.Steps {
				fmt.Fprintf(&b, "    %s\n", s)
			}
			if p.Quote != nil {
				fmt.Fprintf(&b, "    quote %.60q, %d rows, above %v, picture %v\n", p.Quote.Match, len(p.Quote.Dump), p.Quote.Above, p.Quote.Image != "")
			}
		}
	}
	for _, o := range d.Coverage.Outcomes {
		fmt.Fprintf(&b, "outcome %s: %d connections, %d up, %d down, readable %v\n", o.Outcome, o.Connections, o.BytesUp, o.BytesDown, o.Readable)
	}
	for _, u := range d.Coverage.Unread {
		fmt.Fprintf(&b, "never read %s: %v %q %q\n", u.Host, u.Outcomes, u.Reason, u.Alert)
	}
	fmt.Fprintf(&b, "timeline: steps of %s, %d bars, %d gaps\n", d.Timeline.Bucket, len(d.Timeline.Bars), len(d.Timeline.Gaps))
	for _, s := range d.Sessions {
		fmt.Fprintf(&b, "session %s %v: %s to %s, %d requests, %v\n", s.Name, s.Factors, clock(s.Opened), clock(s.Closed), s.Requests, s.Tags)
	}
	for _, x := range d.Damage {
		fmt.Fprintf(&b, "damage %s %q: %d\n", x.Decoder, x.Reason, x.Count)
	}
	for _, r := range d.Runs {
		fmt.Fprintf(&b, "run %s %v\n", r.Tool, r.Settings)
	}
	return b.String()
}

func TestAffair(t *testing.T) {
	b := newBuilder(t)
	b.affair()
	d := b.gather()
	got := outline(d)
	const golden = "testdata/affair.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if d.Log.Size != d.Log.Records || d.Log.Root == "" || !strings.Contains(d.Log.Note, d.Log.Root) {
		t.Errorf("log: %+v", d.Log)
	}

	page := b.html(b.options())
	if *keep != "" {
		if err := os.WriteFile(*keep, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	last := 0
	for _, want := range []string{
		"INVENTED: every server", "In plain words", "What left the phone", "What could not be seen", "Claims and answers", "What was found, by class",
		"Planted values that were found", "Who received it", "Identifiers: what links", "What differs between sessions", "<svg class=\"timeline\"", "<svg class=\"flow\"",
		"idle, cloud off", "Photographs", "The exchanges that decide", "<mark>The safe", "What could and could not be seen", "suspected pin", "What could not be taken apart",
		"How this was made", "constat verify invented.constat",
	} {
		i := strings.Index(page[last:], want)
		if i < 0 {
			t.Errorf("%q is not in the report after %q", want, page[max(0, last-40):last])
			continue
		}
		last += i
	}
	if diff := cmp.Diff([]string(nil), strange(t, page)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// strange lists what a report must not have: elements, attributes and addresses that
// can run, load or send anything.
func strange(t *testing.T, page string) (list []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields("html head meta title style body main header div p h1 h2 h3 h4 dl dt dd section article ul ol li nav a span strong em i br " +
		"table thead tbody tr th td svg g rect line path text code pre mark figure figcaption img footer")
	policies := 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if !slices.Contains(known, n.Data) {
			list = append(list, "element "+n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcset", a.Key == "action":
				list = append(list, "attribute "+a.Key)
			case a.Key == "href" && !strings.HasPrefix(a.Val, "#"), a.Key == "src" && !strings.HasPrefix(a.Val, "data:image/jpeg;base64,"):
				list = append(list, a.Key+" "+a.Val)
			case a.Key == "http-equiv":
				policies++
			}
		}
	}
	if policies != 1 {
		list = append(list, fmt.Sprintf("%d policies", policies))
	}
	return list
}

func TestHostileContent(t *testing.T) {
	b := newBuilder(t)
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)></style></title>` + "\x1b[31m\u202e{{.Banner}}"
	b.mark(evil, map[string]string{evil: evil}, evil)
	b.wait(time.Second)
	x := &flow.Exchange{
		Device: evil, Door: evil, Began: b.now, Method: "POST", Scheme: "javascript", Host: evil, Port: 1, Path: "/" + evil, Query: evil, Status: 200,
		Request: flow.Message{
			Proto: evil, Head: []byte("POST / HTTP/1.1\r\nContent-Type: application/json\r\nX: " + evil + "\r\n\r\n"),
			Body: flow.BodyOf([]byte(`{"` + "k" + `":` + quoted(evil+b.value("sms-1.text")+evil) + `}`)),
		},
		Response: flow.Message{Proto: "HTTP/1.1", Head: []byte("HTTP/1.1 200 OK\r\n\r\n"), Body: flow.BodyOf([]byte(evil))},
		Error:    "server_bad: " + evil,
	}
	b.commit(x)
	b.connection(evil, flow.SuspectedPin, 1, 1, func(c *flow.Connection) {
		c.Reason, c.ClientTLS.Alert, c.ServerTLS.Version = evil, evil, evil
	})
	b.inspect()
	opt := answered(b)
	opt.Banner, opt.Title, opt.Build = evil, evil, evil
	text := claim.Text{"en": evil, "fr": evil}
	opt.Answers[0] = claim.Answer{
		Claim: evil, Title: text, Said: claim.Statement{Who: evil, Quote: text, Source: "javascript:" + evil}, Question: text, Verdict: evil, Because: text,
		Deciding: []claim.Deciding{{Request: x.ID, Session: evil, Host: evil, Reason: evil, Path: evil, Value: evil, For: evil}},
		Missing:  []claim.Text{text}, Controls: []claim.Control{{Name: evil, Sentence: text}}, Roles: []claim.Role{{Name: evil}}, Limits: text, Queries: []string{evil},
		Coverage: store.Coverage{Escapes: []string{evil}},
	}
	opt.Comparisons[0].A.Label, opt.Comparisons[0].A.File = evil, evil
	opt.Comparisons[0].Rows[0] = compare.Row{What: evil, Key: evil, Change: evil, Sure: evil, Why: evil}
	opt.Comparisons[0].Rows[1].Cause = evil
	opt.Comparisons[0].Cautions[0] = compare.Caution{Word: evil, Sentence: evil}
	for i := range opt.Comparisons[0].Cautions {
		opt.Comparisons[0].Cautions[i].Differ = []compare.Difference{{Name: evil, A: []string{evil}, B: []string{evil, evil}}}
	}
	for _, lang := range Languages() {
		opt.Lang = lang
		page := b.html(opt)
		if diff := cmp.Diff([]string(nil), strange(t, page)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", lang, diff)
		}
		if strings.Contains(page, "<script") || strings.ContainsAny(page, "\x1b\u202e") {
			t.Errorf("%s: hostile text is not escaped", lang)
		}
		b.pdf(opt)
		if problems := validate(t, b.complaint(opt)); len(problems) > 1 { // its verdict is none
			t.Errorf("%s: %q", lang, problems)
		}
	}
	opt.Lang = ""
	page := b.html(opt)
	if diff := cmp.Diff([]string(nil), strange(t, page)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if strings.Contains(page, "<script") || !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("hostile text is not there, or is not escaped")
	}
	if strings.ContainsAny(page, "\x1b\u202e") || !strings.Contains(page, "⟨U+202E⟩") {
		t.Error("a character that steers is in the report")
	}
	d := b.gather()
	if len(d.Exhibits) == 0 || d.Exhibits[0].Places[0].Quote == nil || d.Exhibits[0].Places[0].Quote.Match != b.value("sms-1.text") {
		t.Errorf("the planted text is not quoted: %+v", d.Exhibits)
	}
}

func quoted(s string) string {
	data, _ := json.Marshal(s)
	return string(data)
}

func TestEmptyCase(t *testing.T) {
	b := newBuilder(t)
	page := b.html(b.options())
	for _, want := range []string{"No request could be read. Nothing can be said about what left the phone.", "That is not proof that nothing was sent", "No traffic was recorded.", "No session was declared."} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the report on an empty case", want)
		}
	}
	if diff := cmp.Diff([]string(nil), strange(t, page)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSawNothingIsNotSentNothing(t *testing.T) {
	b := newBuilder(t)
	b.exchange("GET", "https://quiet.example/", "", nil, 200, "", []byte("ok"))
	b.inspect()
	d := b.gather()
	want := []string{"The 1 request that could be read was not recognised to carry text messages (SMS) or photographs or data about them or statistics of the device. This does not show that none were sent: see “What could not be seen”."}
	if diff := cmp.Diff(want, d.Summary[0].Sentences); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	last := d.Summary[len(d.Summary)-1]
	if !strings.HasSuffix(last.Sentences[len(last.Sentences)-1], "“Not found” therefore never means “not sent”.") {
		t.Errorf("the last words are %q", last.Sentences)
	}
}

func TestImportedTraffic(t *testing.T) {
	b := newBuilder(t)
	b.commit(&flow.Connection{Opened: b.now.Add(1000 * time.Hour), Door: "import", Device: "a.har", Outcome: flow.Plain})
	b.commit(&flow.Exchange{Device: "a.har", Door: "import", Began: b.now, Method: "GET", Scheme: "https", Host: "a.example", Path: "/", Status: 200})
	b.inspect()
	d := b.gather()
	if d.Coverage.Connections != 0 || d.Case.Imported != 1 || !d.Case.Last.Equal(b.now) {
		t.Errorf("%d connections, %d imported, until %v", d.Coverage.Connections, d.Case.Imported, d.Case.Last)
	}
	if page := b.html(b.options()); !strings.Contains(page, "not what was on the wire") || strings.Contains(page, "went through a proxy") {
		t.Error("the report does not say that the traffic was imported, or says that it was captured")
	}
	if s := d.Summary[3].Sentences[0]; s != "1 request was imported from other programs' records: what those programs left out is unknown." {
		t.Errorf("the first sentence on what could not be seen is %q", s)
	}
}

func TestWithoutInspectorAndPhotos(t *testing.T) {
	b := newBuilder(t)
	b.affair()
	opt := b.options()
	opt.Inspector = nil
	page := b.html(opt)
	if strings.Contains(page, "<ol class=\"steps\">") || !strings.Contains(page, "<mark>The safe") {
		t.Error("without an inspector there are steps, or no excerpt")
	}
	opt = b.options()
	opt.MaxDeciding, opt.Banner = 1, ""
	page = b.html(opt)
	if !strings.Contains(page, "made unrecognisable") || strings.Contains(page, "class=\"banner\"") {
		t.Error("a photograph is not blurred, or there is a banner")
	}
	opt.ShowPhotos = true
	if clear := b.html(opt); strings.Contains(clear, "made unrecognisable") || len(clear) < len(page)+2000 {
		t.Error("photographs are asked for and not shown")
	}
}

func TestJSON(t *testing.T) {
	b := newBuilder(t)
	b.affair()
	var out bytes.Buffer
	if err := WriteJSON(t.Context(), &out, &b.c.Reader, b.options()); err != nil {
		t.Fatal(err)
	}
	var got Document
	dec := json.NewDecoder(&out)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(outline(b.gather()), "picture true", "picture false") // pictures are for HTML only
	if diff := cmp.Diff(want, outline(&got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCSV(t *testing.T) {
	b := newBuilder(t)
	b.exchange("GET", "https://csv.example/x", "", nil, 200, "", nil)
	b.commit(&flow.Exchange{Device: "=HYPERLINK(1)", Began: b.now, Method: "GET", Scheme: "http", Host: "+evil", Path: "@x", Query: "-1"})
	b.inspect()
	for _, view := range store.Views {
		var out bytes.Buffer
		if err := WriteCSV(t.Context(), &out, b.c.DB(), view); err != nil {
			t.Errorf("%s: %v", view, err)
			continue
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) == 0 {
			t.Errorf("%s: %d rows, %v", view, len(rows), err)
			continue
		}
		for _, row := range rows[1:] {
			for _, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
					t.Errorf("%s: the cell %q is a formula", view, cell)
				}
			}
		}
		if view == "requests" && (len(rows) != 3 || !slices.Contains(rows[2], "'=HYPERLINK(1)") || !slices.Contains(rows[2], "'@x")) {
			t.Errorf("requests: %q", rows)
		}
	}
	if err := WriteCSV(t.Context(), &bytes.Buffer{}, b.c.DB(), "log; DROP TABLE log"); err == nil {
		t.Error("a view that is none was accepted")
	}
}

func TestHAR(t *testing.T) {
	b := newBuilder(t)
	b.affair()
	ws := &flow.Exchange{
		Device: "redmi-note", Began: b.now, Method: "GET", Scheme: "wss", Host: "ws.example", Port: 443, Path: "/", Status: 101,
		Request:  flow.Message{Proto: "HTTP/1.1", Head: []byte("GET / HTTP/1.1\r\n\r\n")},
		Response: flow.Message{Proto: "HTTP/1.1", Head: []byte("HTTP/1.1 101 Switching Protocols\r\n\r\n")},
	}
	b.commit(ws)
	for _, payload := range []string{"hello", "\xff\x00"} {
		f := &flow.Frame{Exchange: ws.ID, Time: b.now, Direction: flow.Up, Opcode: 2, Payload: flow.BodyOf([]byte(payload))}
		if err := b.c.Commit(context.Background(), f); err != nil {
			t.Fatal(err)
		}
	}
	raw := &flow.Exchange{Device: "redmi-note", Began: b.now, Scheme: "tcp", Host: "mqtt.example", Port: 1883, Request: flow.Message{Body: flow.BodyOf([]byte("\x10"))}}
	b.commit(raw)
	var out bytes.Buffer
	if left, err := WriteHAR(t.Context(), &out, &b.c.Reader, HAROptions{Build: "test"}); err != nil || left != 1 {
		t.Fatalf("%d left out, %v", left, err)
	}
	if comment := LeftOfHAR(1); !bytes.Contains(out.Bytes(), []byte(comment)) || bytes.Contains(out.Bytes(), []byte("mqtt.example")) {
		t.Error("what is not HTTP is in the HAR, or its comment does not say that it is not")
	}
	if !bytes.Contains(out.Bytes(), []byte(`"tags":["identifiers","sms"]`)) {
		t.Error("the tags are not in the HAR")
	}
	h := har.NewReader(&out, har.Options{})
	next := h.Entries()
	var got []*har.Entry
	for e := range next {
		got = append(got, e)
		if len(e.Problems) > 0 {
			t.Errorf("entry %d: %q", e.Index, e.Problems)
		}
	}
	n := 0
	for x, err := range b.c.Exchanges(t.Context(), "method <> ''") {
		if err != nil {
			t.Fatal(err)
		}
		y := got[n].Exchange
		n++
		same := x.Began.Equal(y.Began) && x.Method == y.Method && har.URL(x) == har.URL(y) && x.Status == y.Status && x.Server == y.Server &&
			bytes.Equal(x.Request.Head, y.Request.Head) && sum(x.Request.Body) == sum(y.Request.Body) && sum(x.Response.Body) == sum(y.Response.Body)
		if !same {
			t.Errorf("request %d came back as %+v, was %+v", x.ID, y, x)
		}
	}
	if n != len(got) || n < 30 {
		t.Errorf("%d exchanges, %d entries", n, len(got))
	}
	if f := got[n-1].Frames; len(f) != 2 || string(f[1].Payload.Tail()) != "\xff\x00" {
		t.Errorf("frames: %v", f)
	}

	out.Reset()
	if _, err := WriteHAR(t.Context(), &out, &b.c.Reader, HAROptions{Where: "host = ?", Args: []any{"gallery.vendor.example"}, Decoded: true}); err != nil {
		t.Fatal(err)
	}
	entries := 0
	h = har.NewReader(&out, har.Options{})
	for range h.Entries() {
		entries++
	}
	if entries != 1 {
		t.Errorf("%d entries of one host, want 1", entries)
	}
}

func sum(b *flow.Body) string {
	if b == nil {
		return ""
	}
	return fmt.Sprintf("%x", b.SHA256())
}

func TestRolesAreKeptApart(t *testing.T) {
	for certificate, want := range map[string]string{
		`{"subject":"CN=x.example,O=Vendor Inc.,C=CN","names":["x.example"]}`: "Vendor Inc.",
		`{"subject":"CN=x.example"}`:                                          "x.example (a domain only)",
		`{"subject":"","names":["y.example","z.example"]}`:                    "y.example (a domain only)",
		`{"error":"not a certificate that can be parsed"}`:                    "nobody named",
		`no JSON`: "",
	} {
		if got := english.holder(certificate); got != want {
			t.Errorf("holder of %s: got %q, want %q", certificate, got, want)
		}
	}
	if operator("vendor.example", "api.vendor.example") != "" || operator("Vendor Inc.", "api.vendor.example") != "Vendor Inc." || operator("or.example", "vendor.example") == "" {
		t.Error("a domain is taken for an operator, or an operator for a domain")
	}
}

func TestQuote(t *testing.T) {
	long := strings.Repeat("a", 5000) + "NEEDLE" + strings.Repeat("b", 5000)
	q := quote([]byte(long), 5000, 5006)
	if !q.Text || q.Match != "NEEDLE" || len(q.Before) != around || len(q.After) != around || !q.CutBefore || !q.CutAfter {
		t.Errorf("a needle: %+v", q)
	}
	q = quote([]byte("é\u202eé\x1b"), 2, 5)
	if q.Match != "⟨U+202E⟩" || q.Before != "é" {
		t.Errorf("a mark that turns text: %+v", q)
	}
	q = quote([]byte(long), 0, 0)
	if !q.Text || q.CutInside == 0 || len(q.Match) > matchText+60 {
		t.Errorf("a long part: %d characters, %d left out", len(q.Match), q.CutInside)
	}
	data := bytes.Repeat([]byte{0xff, 0, 1, 2}, 5000)
	q = quote(data, 9000, 9010)
	marks := 0
	for _, row := range q.Dump {
		for _, c := range row.Cells {
			if c.Mark {
				marks++
			}
		}
	}
	if q.Text || marks != 10 || len(q.Dump) > 8 {
		t.Errorf("bytes: %d marks in %d rows", marks, len(q.Dump))
	}
	for _, bad := range [][2]int{{-1, 5}, {5, 1}, {0, 99}, {7, 7}} {
		if q := quote([]byte("short"), bad[0], bad[1]); q.Match != "short" {
			t.Errorf("the range %v: %+v", bad, q)
		}
	}
}

func FuzzQuote(f *testing.F) {
	f.Add([]byte("text"), 1, 2)
	f.Add([]byte("\xff\xfe\x00"), 0, 3)
	f.Fuzz(func(t *testing.T, data []byte, start, end int) {
		q := quote(data, start, end)
		if len(q.Before)+len(q.Match)+len(q.After) > 20*(2*around+matchText) || len(q.Dump) > 40 {
			t.Fatalf("a quote of %d bytes is too long", len(data))
		}
		_, _ = thumbnail(&english, data, len(data)%2 == 0)
	})
}

func TestThumbnail(t *testing.T) {
	b := newBuilder(t)
	photo := b.persona.Get("photo-1").Photo.Data
	for _, blur := range []bool{false, true} {
		info, url := thumbnail(&english, photo, blur)
		data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(url, "data:image/jpeg;base64,"))
		if err != nil || !strings.Contains(info, "pixels") || len(data) > 60_000 || bytes.Contains(data, []byte("Exif")) {
			t.Errorf("blur %v: %s, %d bytes, %v", blur, info, len(data), err)
		}
	}
	if info, _ := thumbnail(&english, []byte("no picture"), false); info != "" {
		t.Errorf("no picture: %s", info)
	}
}

func TestEveryClassHasItsStyle(t *testing.T) {
	for _, c := range inspect.Classes {
		s := styleOf(c)
		if english.phrase(c) == "" || !english.has("class."+string(c)) || badge(c) == "c-unknown" || contrastWithWhite(t, s.colour) < 4.5 {
			t.Errorf("%s: %+v has a contrast of %.1f with white", c, s, contrastWithWhite(t, s.colour))
		}
	}
	if len(styles) != len(inspect.Classes) {
		t.Errorf("%d styles for %d classes", len(styles), len(inspect.Classes))
	}
}

// contrastWithWhite is the contrast ratio of WCAG 2.2.
func contrastWithWhite(t *testing.T, colour string) float64 {
	t.Helper()
	var rgb [3]int
	if _, err := fmt.Sscanf(colour, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		t.Fatal(err)
	}
	luminance := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(rgb[i]) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		luminance += weight * c
	}
	return 1.05 / (luminance + 0.05)
}

func TestWords(t *testing.T) {
	en := &english
	for got, want := range map[string]string{
		en.requests(1): "1 request", en.requests(12345): "12,345 requests", en.grouped(-1234567): "-1,234,567", en.size(0): "0 B", en.size(999): "999 B", en.size(1500): "1.5 kB",
		en.size(2e9): "2.0 GB", en.size(9e12): "9000.0 GB", en.percent(0): "0 %", en.percent(1): "100 %", en.percent(0.0001): "under 0.1 %", en.percent(0.9999): "over 99.9 %", en.percent(0.5): "50.0 %",
		en.span(61 * time.Second): "1 min 1 s", en.span(time.Hour): "1 h", en.span(25 * time.Hour): "1 day 1 h", en.span(0): "0 s",
		french.moment(time.Date(2026, 2, 1, 8, 0, 0, 0, time.UTC)): "1er févr. 2026, 08:00:00 UTC", french.day(time.Date(2026, 8, 21, 8, 0, 0, 0, time.UTC)): "21 août 2026",
		french.grouped(1234567): "1\u202f234\u202f567", french.size(1500): "1,5\u00a0ko", french.percent(0.9999): "plus de 99,9\u00a0%", french.requests(0): "0\u00a0requête",
		en.list([]string{"a", "b", "c"}): "a, b and c", en.list(nil): "", short("abcdef", 4): "abc…",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestLargeCase holds that the lists of a report do not grow with the case.
func TestLargeCase(t *testing.T) {
	b := newBuilder(t)
	const n = 400
	for i := range n {
		b.wait(time.Second)
		b.exchange("POST", fmt.Sprintf("https://host-%d.example/p%d", i%150, i), "Content-Type: application/json\r\n",
			[]byte(fmt.Sprintf(`{"smsText":%q,"senderNumber":"+33639980123","receiveTime":1793608200000,"type":1,"thread_id":%d}`, b.value("sms-1.text"), i)), 200, "", nil)
	}
	b.inspect()
	d := b.gather()
	if len(d.Hosts) != maxHosts || d.MoreHosts != 150-maxHosts {
		t.Errorf("%d hosts and %d more", len(d.Hosts), d.MoreHosts)
	}
	if most := b.options().withDefaults(&english).MaxDeciding * len(d.Classes); len(d.Exhibits) > most || len(d.Exhibits) == 0 {
		t.Errorf("%d exhibits, at most %d", len(d.Exhibits), most)
	}
	if len(d.Timeline.Bars) > maxBars+1 {
		t.Errorf("%d bars", len(d.Timeline.Bars))
	}
}
