package ui

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"constat/proxy/flow"
)

// book is a Passer that remembers what was set.
type book struct {
	list []Passing
	set  []string
	err  error
}

func (b *book) Passes() []Passing { return b.list }

func (b *book) Set(_ context.Context, device, host, mode string) error {
	b.set = append(b.set, device+"|"+host+"|"+mode)
	return b.err
}

func passes() *book {
	return &book{list: []Passing{
		{Device: "redmi", Host: "refused.example", Mode: ModeAuto, Refusals: 1},
		{Device: "redmi", Host: "bank.example", Mode: ModeAuto, Refusals: 3, Until: time.Now().Add(10 * time.Minute)},
		{Host: "never.example", Mode: ModeNever},
		{Host: "store.example", Mode: ModeAlways},
		{Host: `<script>alert(1)</script>"`, Mode: ModeAuto, Refusals: 2},
	}}
}

func TestPassing(t *testing.T) {
	b := passes()
	r := newRig(t, LiveConfig{Passer: b})
	for _, path := range []string{"/", "/passing"} {
		page := text(t, r.do("GET", path, nil))
		for _, want := range []string{
			"Passing unread", "passes unread until ", "the app has refused 3 times", "passes unread: set so", "read: set so", "read: the app has refused once",
			`aria-label="Pass always: bank.example, redmi"`, `<label for="pass-host">`, "&lt;script&gt;",
		} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %q is not there", path, want)
			}
		}
		if strings.Contains(page, "<script>alert") {
			t.Errorf("%s: a name of a host is markup", path)
		}
		if at := strings.Index(page, "bank.example"); at < 0 || at > strings.Index(page, "never.example") {
			t.Errorf("%s: what passes does not stand first", path)
		}
	}
	post := func(form string, header ...string) *http.Response {
		return r.do("POST", "/pass", strings.NewReader(form), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
	}
	if resp := post("host=+bank.example+&device=redmi&mode=never"); resp.StatusCode != 303 || len(b.set) != 1 || b.set[0] != "redmi|bank.example|never" {
		t.Errorf("%d, %q", resp.StatusCode, b.set)
	}
	for _, form := range []string{
		"", "host=bank.example", "host=&mode=always", "host=bank.example&mode=perhaps", "host=https%3A%2F%2Fbank.example%2F&mode=always", "host=a+b&mode=always",
		"host=" + strings.Repeat("x", 201) + "&mode=always", "host=a&mode=always&device=" + strings.Repeat("x", 201), "host=" + strings.Repeat("x", 20<<10), "host=%zz",
	} {
		if resp := post(form); resp.StatusCode != 400 || len(b.set) != 1 {
			t.Errorf("form %.40q: %d", form, resp.StatusCode)
		}
	}
	// As the form of another page, without the bearer.
	cookie := []string{"Authorization", "", "Cookie", "constat_" + r.port() + "=" + testToken}
	for _, foreign := range [][]string{{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {}} {
		if resp := post("host=a.example&mode=always", append(cookie, foreign...)...); resp.StatusCode != 403 || len(b.set) != 1 {
			t.Errorf("%q: %d", foreign, resp.StatusCode)
		}
	}
	if resp := post("host=a.example&mode=always", append(cookie, "Origin", r.base)...); resp.StatusCode != 303 || len(b.set) != 2 {
		t.Errorf("from the page itself: %d", resp.StatusCode)
	}
	if resp := r.do("GET", "/pass", nil); resp.StatusCode != 405 {
		t.Errorf("GET /pass: %d", resp.StatusCode)
	}
	for err, want := range map[error]int{ErrNotSet: 400, errors.New("disk full"): 503} {
		b.err = err
		if resp := post("host=a.example&mode=always"); resp.StatusCode != want {
			t.Errorf("%v: %d", err, resp.StatusCode)
		}
	}
	without := newRig(t, LiveConfig{})
	if page := text(t, without.do("GET", "/", nil)); strings.Contains(page, "Passing unread") {
		t.Error("the panel is there without a Passer")
	}
	if resp := without.do("POST", "/pass", strings.NewReader("host=a&mode=always")); resp.StatusCode != 404 {
		t.Errorf("POST /pass without a Passer: %d", resp.StatusCode)
	}
}

// relayed adds what is not HTTP, on a connection of its own.
func (r *rig) relayed() *flow.Exchange {
	r.t.Helper()
	c := &flow.Connection{Opened: time.Now(), Door: "wireguard", Device: "redmi", App: "com.example.push", Host: "192.0.2.7", Port: 1883, Protocol: "mqtt", Outcome: flow.Raw}
	if err := r.c.Begin(c); err != nil {
		r.t.Fatal(err)
	}
	e := r.add(func(e *flow.Exchange) {
		e.Connection, e.App, e.Method, e.Scheme, e.Host, e.Port, e.Path, e.Query, e.Status = c.ID, c.App, "", "tcp", c.Host, c.Port, "", "", 0
		e.Request, e.Response = flow.Message{Body: flow.BodyOf([]byte("\x10\x0c\x00\x04MQTT up"))}, flow.Message{Body: flow.BodyOf([]byte("acknowledged"))}
	})
	if err := r.c.Commit(r.t.Context(), c); err != nil {
		r.t.Fatal(err)
	}
	return e
}

func TestNotHTTP(t *testing.T) {
	r := newRig(t, LiveConfig{})
	e := r.relayed()
	early := r.add(func(e *flow.Exchange) {
		e.Interim = []byte("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
	})
	for _, c := range []*flow.Connection{
		{Opened: time.Now(), Door: "wireguard", Host: "api.example", Port: 443, Transport: "udp", Protocol: "quic", Outcome: flow.Refused},
		{Opened: time.Now(), Door: "wireguard", Host: "dns.example", Port: 853, Outcome: flow.Refused},
	} {
		if err := r.c.Begin(c); err != nil {
			t.Fatal(err)
		}
		if err := r.c.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := readRows(t.Context(), r.c.DB())
	if err != nil || len(rows) != 2 || !strings.Contains(rows[0].json, `"app":"com.example.push","protocol":"mqtt","method":"","scheme":"tcp"`) {
		t.Errorf("%v, %v", rows, err)
	}
	totals, err := readTotals(t.Context(), &r.c.Reader)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, u := range totals.Unread {
		got[u.Host] = u.Outcome
	}
	if got["api.example"] != "refused_quic" || got["dns.example"] != "refused_dns" || got["192.0.2.7"] != "raw" {
		t.Errorf("%v", got)
	}
	page := text(t, r.do("GET", "/request/"+strconv.FormatInt(e.ID, 10), nil))
	for _, want := range []string{"<b>TCP</b> to 192.0.2.7:1883, looks like MQTT", "com.example.push", "<h2>Sent</h2>", "<h2>Received</h2>", "acknowledged"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	for _, not := range []string{"no response", "The head", "tcp://"} {
		if strings.Contains(page, not) {
			t.Errorf("%q is on the page", not)
		}
	}
	if page := text(t, r.do("GET", "/request/"+strconv.FormatInt(early.ID, 10), nil)); !strings.Contains(page, "103 Early Hints") {
		t.Error("the interim response is not on the page")
	}
}
