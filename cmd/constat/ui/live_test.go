package ui

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/proxy/flow"
	"constat/store"
)

const testToken = "0123456789abcdef0123456789abcdef"

// rig is a live page on a real case and a real socket.
type rig struct {
	t    *testing.T
	c    *store.Case
	base string // http://127.0.0.1:PORT
	stop context.CancelFunc
}

func newRig(t *testing.T, cfg LiveConfig) *rig {
	t.Helper()
	dir := t.TempDir()
	c, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "test.constat"), KeyFile: filepath.Join(dir, "log.key"), Tool: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg.Case = &c.Reader
	if cfg.Token == "" {
		cfg.Token = testToken
	}
	srv := httptest.NewUnstartedServer(NewLive(cfg))
	ctx, stop := context.WithCancel(t.Context())
	srv.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	srv.Start()
	t.Cleanup(func() { stop(); srv.Close() })
	return &rig{t, c, srv.URL, stop}
}

// add commits an exchange; change fits it.
func (r *rig) add(change func(e *flow.Exchange)) *flow.Exchange {
	r.t.Helper()
	e := &flow.Exchange{
		Device: "192.0.2.10", Door: "http", Began: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), Duration: 42 * time.Millisecond,
		Method: "POST", Scheme: "https", Host: "api.example.com", Port: 443, Path: "/upload", Query: "a=1",
		Server: netip.MustParseAddrPort("198.51.100.1:443"), Status: 200,
	}
	e.Request = message("POST /upload?a=1 HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "imei=351234567890123")
	e.Response = message("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", "fine")
	if change != nil {
		change(e)
	}
	if err := r.c.Begin(e); err != nil {
		r.t.Fatal(err)
	}
	if err := r.c.Commit(r.t.Context(), e); err != nil {
		r.t.Fatal(err)
	}
	return e
}

func message(head, body string) flow.Message {
	m := flow.Message{Proto: "HTTP/1.1", Head: []byte(head), Exact: true}
	if body != "" {
		m.Body = flow.BodyOf([]byte(body))
	}
	return m
}

// do makes a request with the token as bearer, unless the headers say otherwise.
func (r *rig) do(method, path string, body io.Reader, header ...string) *http.Response {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.base+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testToken)
	for i := 0; i+1 < len(header); i += 2 {
		switch {
		case header[i] == "Host":
			req.Host = header[i+1]
		case header[i+1] == "":
			req.Header.Del(header[i])
		default:
			req.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := (&http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}).Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (r *rig) port() string {
	u, err := url.Parse(r.base)
	if err != nil {
		r.t.Fatal(err)
	}
	return u.Port()
}

func TestLiveToken(t *testing.T) {
	r := newRig(t, LiveConfig{Marker: &marks{}})
	r.add(nil)
	for _, tt := range []struct {
		name, method, path string
		header             []string
		want               int
	}{
		{"bearer", "GET", "/", nil, 200},
		{"no token", "GET", "/", []string{"Authorization", ""}, 401},
		{"wrong bearer", "GET", "/", []string{"Authorization", "Bearer x"}, 401},
		{"empty bearer", "GET", "/", []string{"Authorization", "Bearer "}, 401},
		{"wrong link", "GET", "/?token=x", []string{"Authorization", ""}, 401},
		{"link", "GET", "/?token=" + testToken, []string{"Authorization", ""}, 303},
		{"link on another path", "GET", "/events?token=" + testToken, []string{"Authorization", ""}, 401},
		{"events without", "GET", "/events", []string{"Authorization", ""}, 401},
		{"request without", "GET", "/request/1", []string{"Authorization", ""}, 401},
		{"body without", "GET", "/request/1/request.bin", []string{"Authorization", ""}, 401},
		{"script without", "GET", "/a/live.js", []string{"Authorization", ""}, 401},
		{"mark without", "POST", "/mark", []string{"Authorization", ""}, 401},
		{"cookie", "GET", "/", []string{"Authorization", "", "Cookie", "constat_" + r.port() + "=" + testToken}, 200},
		{"cookie of another port", "GET", "/", []string{"Authorization", "", "Cookie", "constat_1=" + testToken}, 401},
	} {
		resp := r.do(tt.method, tt.path, nil, tt.header...)
		if resp.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, resp.StatusCode, tt.want)
		}
		if tt.want == 303 {
			c := resp.Cookies()
			if len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode || c[0].Value != testToken || resp.Header.Get("Location") != "/" {
				t.Errorf("%s: cookies %v, to %q", tt.name, c, resp.Header.Get("Location"))
			}
		}
	}
	open := newRig(t, LiveConfig{Token: "-"})
	for _, header := range [][]string{{"Authorization", ""}, {"Authorization", "Bearer "}} {
		if resp := open.do("GET", "/", nil, header...); resp.StatusCode != 401 {
			t.Errorf("%v: %d", header, resp.StatusCode)
		}
	}
	h := NewLive(LiveConfig{})
	req := httptest.NewRequest("GET", "http://127.0.0.1:8081/", nil)
	req = req.WithContext(context.WithValue(req.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081}))
	req.RemoteAddr = "127.0.0.1:5"
	req.Header.Set("Authorization", "Bearer ")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, req); w.Code != 401 {
		t.Errorf("no token configured: %d", w.Code)
	}
}

// TestLiveHost: a site whose name was rebound to 127.0.0.1 asks with its own
// name in Host.
func TestLiveHost(t *testing.T) {
	r := newRig(t, LiveConfig{})
	for host, want := range map[string]int{
		"127.0.0.1:" + r.port():            200,
		"localhost:" + r.port():            200,
		"LocalHost:" + r.port():            200,
		"[::1]:" + r.port():                200,
		"evil.example:" + r.port():         403,
		"127.0.0.1.nip.io:" + r.port():     403,
		"localhost.evil.net:" + r.port():   403,
		"192.168.1.5:" + r.port():          403,
		"127.0.0.1:1":                      403,
		"127.0.0.1":                        403,
		"localhost":                        403,
		"[::1%25lo]x:" + r.port():          403,
		"[::ffff:192.0.2.1]:" + r.port():   403,
		"127.0.0.1:" + r.port() + "@a.net": 0, // refused by net/http itself, or here
	} {
		resp := r.do("GET", "/", nil, "Host", host)
		if want == 0 && resp.StatusCode >= 400 {
			continue
		}
		if resp.StatusCode != want {
			t.Errorf("Host %s: %d, want %d", host, resp.StatusCode, want)
		}
	}
}

// TestLiveLoopbackOnly: the handler refuses others even if it is served to them.
func TestLiveLoopbackOnly(t *testing.T) {
	r := newRig(t, LiveConfig{})
	h := NewLive(LiveConfig{Case: &r.c.Reader, Token: testToken})
	for _, tt := range []struct {
		remote string
		local  net.Addr
		want   int
	}{
		{"127.0.0.1:5000", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081}, 200},
		{"[::1]:5000", &net.TCPAddr{IP: net.IPv6loopback, Port: 8081}, 200},
		{"192.0.2.10:5000", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081}, 403},
		{"", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081}, 403},
		{"127.0.0.1:5000", nil, 403},
	} {
		req := httptest.NewRequest("GET", "http://127.0.0.1:8081/", nil)
		if tt.local != nil {
			req = req.WithContext(context.WithValue(req.Context(), http.LocalAddrContextKey, tt.local))
		}
		req.RemoteAddr = tt.remote
		req.Header.Set("Authorization", "Bearer "+testToken)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, req); w.Code != tt.want {
			t.Errorf("from %q to %v: %d, want %d", tt.remote, tt.local, w.Code, tt.want)
		}
	}
}

type marks struct {
	name, note string
	factors    map[string]string
	n          int
}

func (m *marks) Mark(_ context.Context, name string, factors map[string]string, note string) error {
	m.name, m.factors, m.note = name, factors, note
	m.n++
	return nil
}

func TestLiveOrigin(t *testing.T) {
	m := &marks{}
	r := newRig(t, LiveConfig{Marker: m})
	cookie := []string{"Authorization", "", "Cookie", "constat_" + r.port() + "=" + testToken, "Content-Type", "application/x-www-form-urlencoded"}
	for _, tt := range []struct {
		name   string
		header []string
		want   int
	}{
		{"the page itself", []string{"Origin", r.base, "Sec-Fetch-Site", "same-origin"}, 303},
		{"the page itself, old browser", []string{"Origin", r.base}, 303},
		{"the page itself, without Origin", []string{"Sec-Fetch-Site", "same-origin"}, 303},
		{"neither header", nil, 403},
		{"another site", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{"another port of this computer", []string{"Origin", "http://127.0.0.1:3000", "Sec-Fetch-Site", "same-site"}, 403},
		{"opaque origin", []string{"Origin", "null"}, 403},
		{"https of the same name", []string{"Origin", strings.Replace(r.base, "http:", "https:", 1)}, 403},
		{"typed into the address bar", []string{"Sec-Fetch-Site", "none"}, 403},
		{"contradiction", []string{"Origin", r.base, "Sec-Fetch-Site", "cross-site"}, 403},
	} {
		before := m.n
		resp := r.do("POST", "/mark", strings.NewReader("name=idle"), append(append([]string{}, cookie...), tt.header...)...)
		if resp.StatusCode != tt.want || (m.n > before) != (tt.want == 303) {
			t.Errorf("POST by %s: %d, want %d; marked %v", tt.name, resp.StatusCode, tt.want, m.n > before)
		}
	}
	// Reading is not for other pages either.
	for site, want := range map[string]int{"": 200, "none": 200, "same-origin": 200, "same-site": 403, "cross-site": 403} {
		if resp := r.do("GET", "/", nil, append(cookie, "Sec-Fetch-Site", site)...); resp.StatusCode != want {
			t.Errorf("GET with Sec-Fetch-Site %q: %d, want %d", site, resp.StatusCode, want)
		}
	}
	// The link with the token may be opened from anywhere, a mail for example.
	if resp := r.do("GET", "/?token="+testToken, nil, "Authorization", "", "Sec-Fetch-Site", "cross-site"); resp.StatusCode != 303 {
		t.Errorf("the link opened from another page: %d", resp.StatusCode)
	}
}

func TestLiveHeaders(t *testing.T) {
	r := newRig(t, LiveConfig{})
	e := r.add(nil)
	for _, path := range []string{"/", "/a/live.js", fmt.Sprintf("/request/%d", e.ID), "/nothing", fmt.Sprintf("/request/%d/request.bin", e.ID)} {
		resp := r.do("GET", path, nil)
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
			t.Errorf("GET %s: policy %q", path, policy)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Access-Control-Allow-Origin": "",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("GET %s: %s: %q, want %q", path, name, got, want)
			}
		}
	}
	if resp := r.do("OPTIONS", "/", nil, "Origin", "https://evil.example", "Access-Control-Request-Method", "GET"); resp.StatusCode != 403 {
		t.Errorf("preflight of another site: %d", resp.StatusCode)
	}
}

func TestLiveMark(t *testing.T) {
	m := &marks{}
	r := newRig(t, LiveConfig{Marker: m})
	post := func(form string) *http.Response {
		return r.do("POST", "/mark", strings.NewReader(form), "Content-Type", "application/x-www-form-urlencoded")
	}
	if resp := post("name=+idle+&factors=micloud%3Doff++screen%3Doff&note=n"); resp.StatusCode != 303 {
		t.Fatalf("%d %s", resp.StatusCode, text(t, resp))
	}
	if diff := cmp.Diff(marks{"idle", "n", map[string]string{"micloud": "off", "screen": "off"}, 1}, *m, cmp.AllowUnexported(marks{})); diff != "" {
		t.Errorf("mark (-want +got):\n%s", diff)
	}
	for _, form := range []string{
		"name=a&factors=micloud", "name=a&factors=%3Doff", "name=a&factors=a%3D", "name=a&factors=a%3D1+a%3D2",
		"name=" + strings.Repeat("x", 101), "name=a&note=" + strings.Repeat("x", 2001), "name=" + strings.Repeat("x", 20<<10),
		"name=%zz", "name=a&factors=" + strings.Repeat("x", 99) + "%3D1",
	} {
		if resp := post(form); resp.StatusCode != 400 || m.n != 1 {
			t.Errorf("form %.40q: %d", form, resp.StatusCode)
		}
	}
	if resp := r.do("GET", "/mark", nil); resp.StatusCode != 405 {
		t.Errorf("GET /mark: %d", resp.StatusCode)
	}
	without := newRig(t, LiveConfig{})
	if resp := without.do("POST", "/mark", strings.NewReader("name=a")); resp.StatusCode != 404 {
		t.Errorf("POST /mark without a Marker: %d", resp.StatusCode)
	}
}

// sse reads server-sent events.
type sse struct {
	t *testing.T
	s *bufio.Scanner
	// totals are the newest that came, also those that next skipped: rows and
	// totals are read one after the other and may tell of a record in any order.
	totals totals
}

func (r *rig) events() *sse {
	r.t.Helper()
	resp := r.do("GET", "/events", nil)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		r.t.Fatalf("GET /events: %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	s := bufio.NewScanner(resp.Body)
	s.Buffer(nil, 4<<20)
	return &sse{t: r.t, s: s}
}

// next returns the next event called name, and skips others.
func (s *sse) next(name string, data any) {
	s.t.Helper()
	var event string
	for s.s.Scan() {
		line := s.s.Text()
		if after, ok := strings.CutPrefix(line, "event: "); ok {
			event = after
		}
		after, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		into := data
		switch {
		case event == "totals":
			s.totals = totals{}
			into = &s.totals
		case event != name:
			continue
		}
		if err := json.Unmarshal([]byte(after), into); err != nil {
			s.t.Fatalf("event %s: %v: %s", event, err, after)
		}
		if event == name {
			return
		}
	}
	s.t.Fatalf("stream ended before an event %s: %v", name, s.s.Err())
}

func TestLiveEvents(t *testing.T) {
	r := newRig(t, LiveConfig{})
	first := r.add(nil)
	s := r.events()
	var rows []row
	s.next("rows", &rows)
	want := []row{{
		ID: first.ID, Time: "2026-11-20T09:00:00Z", Device: "192.0.2.10", Method: "POST", Scheme: "https", Host: "api.example.com", Port: 443,
		Path: "/upload?a=1", Status: 200, Up: 20, Down: 4, Millis: 42,
	}}
	if len(rows) == 1 {
		at, err := time.Parse(time.RFC3339, rows[0].Time)
		if err != nil || !at.Equal(first.Began) {
			t.Errorf("time %q", rows[0].Time)
		}
		rows[0].Time = want[0].Time
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	sum := &s.totals
	for sum.Requests == 0 {
		s.next("totals", nil)
	}
	if sum.Requests != 1 || sum.Hosts != 1 || sum.Up != 20 || sum.Down != 4 {
		t.Errorf("totals %+v", sum)
	}

	// What is committed later comes by itself, alone.
	second := r.add(func(e *flow.Exchange) { e.Host, e.Status, e.Error = "b.example", 0, "dns: no such name" })
	s.next("rows", &rows)
	if len(rows) != 1 || rows[0].ID != second.ID || rows[0].Error != "dns: no such name" || rows[0].Status != 0 {
		t.Errorf("rows %+v", rows)
	}
	for sum.Requests != 2 {
		s.next("totals", nil)
	}

	if err := r.c.Mark(t.Context(), "idle", map[string]string{"screen": "off"}, ""); err != nil {
		t.Fatal(err)
	}
	for sum.Session != "idle" {
		s.next("totals", nil)
	}

	c := &flow.Connection{Opened: time.Now(), Door: "http", Device: "192.0.2.10", Host: "pinned.example", Port: 443, Outcome: flow.ClientRefused}
	if err := r.c.Begin(c); err != nil {
		t.Fatal(err)
	}
	if err := r.c.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for len(sum.Unread) == 0 {
		s.next("totals", nil)
	}
	if diff := cmp.Diff([]unread{{"pinned.example", "client_refused", 1}}, sum.Unread); diff != "" || sum.Outcomes["client_refused"] != 1 {
		t.Errorf("connections %v (-want +got):\n%s", sum.Outcomes, diff)
	}

	// The stream ends with the server's context.
	r.stop()
	for s.s.Scan() {
	}
}

// TestLiveEventsWithFindings: a row is sent again when its report is there.
func TestLiveEventsWithFindings(t *testing.T) {
	r := newRig(t, LiveConfig{})
	e := r.add(nil)
	s := r.events()
	var rows []row
	s.next("rows", &rows)
	if rows[0].Tags != "" {
		t.Fatalf("tags %q before inspection", rows[0].Tags)
	}
	r.inspect()
	s.next("rows", &rows)
	if len(rows) != 1 || rows[0].ID != e.ID || rows[0].Tags != "identifiers" || rows[0].Direction != "up" {
		t.Errorf("rows %+v", rows)
	}
	for s.totals.Findings["identifiers"] != 1 {
		s.next("totals", nil)
	}
}

// inspect runs an inspector that finds every field called imei.
func (r *rig) inspect() {
	r.t.Helper()
	in, err := inspect.New(inspect.Config{Decoders: decode.All, Build: "test", Detectors: []inspect.Detector{{
		Name: "identifiers", Class: inspect.Identifiers, Doc: "Finds every field called imei.",
		Detect: func(tree *inspect.Tree) (found []inspect.Finding) {
			for _, p := range tree.Parts {
				if p.Name == "imei" {
					found = append(found, inspect.Finding{
						Confidence: inspect.Probable, Direction: p.Direction, Path: p.Path, Start: 2, End: 5, Reason: "The <field> is called imei.",
					})
				}
			}
			return found
		},
	}}})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.c.Inspect(r.t.Context(), in, nil); err != nil {
		r.t.Fatal(err)
	}
}

func TestLiveRowsAreBounded(t *testing.T) {
	r := newRig(t, LiveConfig{})
	long := strings.Repeat("é", 5000)
	for range maxRows + 20 {
		r.add(func(e *flow.Exchange) {
			e.Path, e.Host = "/"+long, "h"
			e.Request.Body, e.Response.Body = nil, nil
		})
	}
	s := r.events()
	var rows []row
	s.next("rows", &rows)
	if len(rows) != maxRows || rows[0].ID >= rows[1].ID || rows[maxRows-1].ID != maxRows+20 {
		t.Errorf("%d rows, from %d to %d", len(rows), rows[0].ID, rows[len(rows)-1].ID)
	}
	if n := len(rows[0].Path); n > maxText+len("…") || !strings.HasSuffix(rows[0].Path, "é…") {
		t.Errorf("path of %d bytes: %.20q", n, rows[0].Path)
	}
}

func TestLiveStreamsAreBounded(t *testing.T) {
	r := newRig(t, LiveConfig{})
	for range maxStreams {
		r.events()
	}
	if resp := r.do("GET", "/events", nil); resp.StatusCode != 503 {
		t.Errorf("one stream too many: %d", resp.StatusCode)
	}
}

// TestCapturedContentIsInert: whatever a phone or a server sends, the pages hold
// no element that they would not hold anyway.
func TestCapturedContentIsInert(t *testing.T) {
	const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>"'&gt;</textarea></title><svg/onload=alert(3)>{{.}}` + "\u202e\x00\x1b[31m"
	r := newRig(t, LiveConfig{})
	e := r.add(func(e *flow.Exchange) {
		e.Device, e.Method, e.Scheme, e.Host, e.Path, e.Query, e.Error = evil, evil, "javascript", evil, "/"+evil, evil, "server_bad: "+evil
		e.Request = message("GET / HTTP/1.1\r\nX: "+evil+"\r\nContent-Encoding: "+evil+"\r\n\r\n", strings.ReplaceAll(evil, "\x00\x1b", "")+"&imei=12<script>34")
		e.Response = message("HTTP/1.1 200 "+evil+"\r\nContent-Type: text/html\r\n\r\n", "<html><script>alert(1)</script>")
		e.Response.Trailer = []byte("T: " + evil)
		e.Interim = []byte("HTTP/1.1 103 Early Hints\r\nLink: " + evil + "\r\n\r\n")
	})
	f := &flow.Frame{Exchange: e.ID, Time: e.Began, Direction: flow.Up, Opcode: 1, Payload: flow.BodyOf([]byte(strings.ReplaceAll(evil, "\x00\x1b", "")))}
	if err := r.c.Commit(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	r.inspect()
	for _, path := range []string{"/", fmt.Sprintf("/request/%d", e.ID)} {
		resp := r.do("GET", path, nil)
		page := text(t, resp)
		if resp.StatusCode != 200 {
			t.Fatalf("GET %s: %d %s", path, resp.StatusCode, page)
		}
		if strings.ContainsAny(page, "\u202e\x00\x1b") {
			t.Errorf("GET %s: control or direction characters reach the page", path)
		}
		for _, ref := range checkMarkup(t, path, page) {
			if !strings.HasPrefix(ref, "/a/") {
				t.Errorf("GET %s loads %q", path, ref)
			}
		}
		doc, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			if n.Type == html.ElementNode && n.Data == "a" {
				for _, a := range n.Attr {
					if a.Key == "href" && !strings.HasPrefix(a.Val, "/") && !attributions[a.Val] {
						t.Errorf("GET %s links to %q", path, a.Val)
					}
				}
			}
			if n.Type == html.ElementNode && (n.Data == "svg" || n.Data == "textarea") {
				t.Errorf("GET %s holds <%s>", path, n.Data)
			}
		}
		if path != "/" && !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;") {
			t.Errorf("GET %s does not show the content", path)
		}
	}
	// The rows travel as JSON in which no markup stands as it is.
	resp := r.do("GET", "/events", nil)
	line := make([]byte, 1024)
	if _, err := io.ReadFull(resp.Body, line); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(line, []byte("<script")) || !bytes.Contains(line, []byte(`\u003cscript`)) {
		t.Errorf("events hold markup: %s", line)
	}
}

// attributions are the links that the licences of the tables of owners ask for.
var attributions = map[string]bool{
	"https://www.routeviews.org/routeviews/": true, "https://db-ip.com/": true, "https://www.nro.net/": true,
	"https://github.com/sapics/ip-location-db": true, "https://creativecommons.org/licenses/by/4.0/": true,
}

func TestRequestPage(t *testing.T) {
	r := newRig(t, LiveConfig{})
	e := r.add(nil)
	path := fmt.Sprintf("/request/%d", e.ID)
	page := text(t, r.do("GET", path, nil))
	for _, want := range []string{
		"POST</b> https://api.example.com/upload?a=1", "not inspected yet", "198.51.100.1:443", "2026-11-20 09:00:00.000 UTC",
		"Host: api.example.com", "imei=351234567890123", "20 bytes",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("page without %q:\n%s", want, page)
		}
	}
	r.inspect()
	page = text(t, r.do("GET", path, nil))
	for _, want := range []string{"tag-identifiers", "The &lt;field&gt; is called imei.", "35<mark>123</mark>4567890123", "request.body|form:imei", "<b>probable</b>, sent by the phone"} {
		if !strings.Contains(page, want) {
			t.Errorf("page without %q:\n%s", want, page)
		}
	}
	for _, path := range []string{"/request/0", "/request/-1", "/request/x", "/request/99", "/request/9999999999999999999", path + "/", path + "/head.bin", path + "/..%2frequest.bin"} {
		if resp := r.do("GET", path, nil); resp.StatusCode != 404 && resp.StatusCode != 307 {
			t.Errorf("GET %s: %d", path, resp.StatusCode)
		}
	}
}

func TestRequestPageBodies(t *testing.T) {
	var gzipped bytes.Buffer
	z := gzip.NewWriter(&gzipped)
	io.WriteString(z, "somedata")
	z.Close()
	for _, tt := range []struct {
		name, head, body string
		want, not        []string
	}{
		{"text", "", "one\r\ntwo é", []string{"one\ntwo é"}, []string{"Shown in hex"}},
		{"text, cut inside a character", "", strings.Repeat("a", maxPreview-1) + "é", []string{"Only the beginning is shown."}, []string{"Shown in hex"}},
		{"binary", "", "\x00\x01\xff", []string{"00000000  00 01 ff", "Shown in hex"}, []string{"Only the beginning"}},
		{"long binary", "", strings.Repeat("\x00\x01", maxDump), []string{"000007f0  00 01", "Only the beginning is shown."}, []string{"00000800"}},
		{"coding unknown", "Content-Encoding: zz|y\r\n", "as it is", []string{"as it is"}, []string{"Shown without"}},
		{"coding that lies", "Content-Encoding: gzip\r\n", "as it is", []string{"as it is"}, []string{"Shown without"}},
		{"gzip", "Content-Encoding: x-gzip\r\n", gzipped.String(), []string{"somedata", "Shown without its content coding (gzip)"}, nil},
		{"none", "", "", []string{"No body."}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, LiveConfig{})
			e := r.add(func(e *flow.Exchange) {
				e.Request = message("POST / HTTP/1.1\r\n"+tt.head+"\r\n", tt.body)
				e.Status, e.Response = 0, flow.Message{}
			})
			page := html.UnescapeString(text(t, r.do("GET", fmt.Sprintf("/request/%d", e.ID), nil)))
			for _, want := range tt.want {
				if !strings.Contains(page, want) {
					t.Errorf("page without %q:\n%.3000s", want, page)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(page, not) {
					t.Errorf("page with %q", not)
				}
			}
		})
	}
}

func TestDownload(t *testing.T) {
	r := newRig(t, LiveConfig{})
	const payload = "<html><script>alert(1)</script>\x00\xff"
	e := r.add(func(e *flow.Exchange) {
		e.Path = `/"; filename=evil.html`
		e.Response = message("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Disposition: inline; filename=\"../../evil.html\"\r\n\r\n", payload)
		e.Request.Body = nil
	})
	resp := r.do("GET", fmt.Sprintf("/request/%d/response.bin", e.ID), nil)
	if got := text(t, resp); got != payload {
		t.Errorf("body %q", got)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff",
		"Content-Disposition":     fmt.Sprintf(`attachment; filename="constat-%d-response.bin"`, e.ID),
		"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Length": fmt.Sprint(len(payload)),
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if resp := r.do("GET", fmt.Sprintf("/request/%d/request.bin", e.ID), nil); resp.StatusCode != 404 {
		t.Errorf("a body that is not there: %d", resp.StatusCode)
	}
}

func TestLivePagesAreSelfContained(t *testing.T) {
	r := newRig(t, LiveConfig{Marker: &marks{}, Enrol: NewEnrolment(false), ProxyAddress: "192.0.2.1:8080"})
	e := r.add(nil)
	for _, path := range []string{"/", "/enrol", fmt.Sprintf("/request/%d", e.ID)} {
		for _, ref := range checkMarkup(t, path, text(t, r.do("GET", path, nil))) {
			if resp := r.do("GET", ref, nil); !strings.HasPrefix(ref, "/") || resp.StatusCode != 200 {
				t.Errorf("GET %s: %s is missing or elsewhere", path, ref)
			}
		}
	}
	// Scripts put captured text in place as text only.
	data, err := assets.ReadFile("assets/live/live.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "setAttribute"} {
		if bytes.Contains(data, []byte(word)) {
			t.Errorf("live.js uses %s", word)
		}
	}
}

func TestEnrolCode(t *testing.T) {
	enrol := NewEnrolment(false)
	r := newRig(t, LiveConfig{Enrol: enrol, ProxyAddress: "192.0.2.1:8080"})
	if page := text(t, r.do("GET", "/enrol", nil)); !strings.Contains(page, enrol.Link("192.0.2.1:8080")) {
		t.Errorf("page without the link:\n%s", page)
	}
	resp := r.do("GET", "/enrol.png", nil)
	if body := text(t, resp); resp.Header.Get("Content-Type") != "image/png" || !strings.HasPrefix(body, "\x89PNG") {
		t.Errorf("GET /enrol.png: %s", resp.Header.Get("Content-Type"))
	}
	without := newRig(t, LiveConfig{})
	if resp := without.do("GET", "/enrol", nil); resp.StatusCode != 404 {
		t.Errorf("GET /enrol without an Enrolment: %d", resp.StatusCode)
	}
}
