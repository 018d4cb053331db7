package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"constat/inspect"
	"constat/proxy/flow"
)

// fakeClock is a clock that tests set.
type fakeClock struct{ now time.Time }

func (c *fakeClock) after(minutes float64) time.Time {
	c.now = epoch.Add(time.Duration(minutes * float64(time.Minute)))
	return c.now
}

// covered is a case of five sessions: two of one name, an empty one and two that
// other devices take part in. The marks are set after the traffic that they part.
func covered(t *testing.T) *Case {
	t.Helper()
	clock := &fakeClock{}
	cfg := testConfig(t)
	clock.after(0)
	cfg.Clock = func() time.Time { return clock.now }
	c := openCase(t, cfg)
	connect := func(minute float64, device, host string, outcome flow.Outcome, up, down int64) {
		n := &flow.Connection{
			Opened: clock.after(minute), Duration: time.Second, Door: "http", Device: device, Host: host, Port: 443, BytesUp: up, BytesDown: down, Outcome: outcome,
		}
		if outcome == flow.ClientRefused {
			n.ClientTLS = &flow.TLS{Error: "refused", Alert: "unknown_ca"}
		}
		if err := c.Begin(n); err != nil {
			t.Fatal(err)
		}
		if err := c.Commit(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	send := func(minute float64, device, host, body string) {
		e := testExchange(0, []byte(body), nil)
		e.Began, e.Device, e.Host = clock.after(minute), device, host
		if body == "failed" {
			e.Error = "dns: no such host"
		}
		commit(t, c, e)
	}
	mark := func(minute float64, name string, factors map[string]string) {
		clock.after(minute)
		if err := c.Mark(t.Context(), name, factors, ""); err != nil {
			t.Fatal(err)
		}
	}
	connect(1, "redmi", "before.example", flow.Intercepted, 10, 10)
	send(1, "redmi", "before.example", "x")

	connect(11, "redmi", "api.example", flow.Intercepted, 100, 1000)
	connect(12, "redmi", "pinned.example", flow.ClientRefused, 50, 5)
	connect(13, "redmi", "pinned.example", flow.ClientRefused, 50, 5)
	send(11, "redmi", "api.example", "OPAQUE12")
	send(12, "redmi", "api.example", "failed")

	connect(21, "redmi", "api.example", flow.Intercepted, 200, 0)
	connect(22, "pixel", "passed.example", flow.Passed, 300, 0)
	send(21, "pixel", "passed.example", "over another connection")
	connect(23, "redmi", "refused.example", flow.Refused, 1200, 0) // counts nowhere but among the outcomes

	connect(41, "redmi", "other.example", flow.ServerFailed, 0, 0)
	// The marks come late, and not in the order of their times.
	mark(40, "open", nil)
	mark(10, "idle", map[string]string{"micloud": "off", "screen": "off"})
	mark(20, "idle", map[string]string{"micloud": "on", "screen": "off"})
	mark(30, "", nil)
	mark(35, "nothing", map[string]string{"micloud": "off"})
	detect := []inspect.Detector{{
		Name: "opaque", Class: inspect.Opaque, Doc: "says that a word is opaque",
		Detect: func(t *inspect.Tree) []inspect.Finding {
			if p := t.Part("request.body"); p != nil && strings.HasPrefix(string(p.Data), "OPAQUE") {
				return []inspect.Finding{{Path: p.Path, Confidence: inspect.Probable, Reason: "the word is there"}}
			}
			return nil
		},
	}}
	in, err := inspect.New(inspect.Config{Detectors: detect})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Inspect(t.Context(), in, nil); err != nil {
		t.Fatal(err)
	}
	send(42, "redmi", "other.example", "OPAQUE, and not inspected")
	return c
}

func TestCoverage(t *testing.T) {
	c := covered(t)
	proxied := []string{"dns", "mobile_data", "quic", "raw_sockets", "sms"}
	refused := Outcome{Outcome: "client_refused", Alert: "unknown_ca", Connections: 2, BytesUp: 100, BytesDown: 10}
	pinned := UnreadHost{Host: "pinned.example", Outcome: "client_refused", Connections: 2, BytesUp: 100, BytesDown: 10}
	barred := Outcome{Outcome: "refused", Connections: 1, BytesUp: 1200}
	barredHost := UnreadHost{Host: "refused.example", Outcome: "refused", Connections: 1, BytesUp: 1200}
	read := func(n, up, down int64) Outcome {
		return Outcome{Outcome: "intercepted", Readable: true, Connections: n, BytesUp: up, BytesDown: down}
	}
	off := Coverage{
		Sessions: 1, Duration: 10 * time.Minute, Connections: 3, Readable: 1, BytesUp: 200, BytesDown: 1010, ReadableUp: 100, ReadableDown: 1000,
		Requests: 2, OpaqueRequests: 1, OpaqueUp: 8, Failed: 1,
		Outcomes: []Outcome{read(1, 100, 1000), refused}, Unread: []UnreadHost{pinned}, Escapes: proxied,
	}
	for _, tt := range []struct {
		name  string
		scope Scope
		want  Coverage
	}{
		{"one of two that have the name", Scope{Sessions: []string{"idle"}, Factors: map[string]string{"micloud": "off"}}, off},
		{"by id", Scope{IDs: []int64{2}}, off},
		{"both", Scope{Sessions: []string{"idle"}}, Coverage{
			Sessions: 2, Duration: 20 * time.Minute, Connections: 5, Readable: 2, BytesUp: 700, BytesDown: 1010, ReadableUp: 300, ReadableDown: 1000,
			Requests: 3, OpaqueRequests: 1, OpaqueUp: 8, Failed: 1,
			Outcomes: []Outcome{read(2, 300, 1000), barred, {Outcome: "passed", Connections: 1, BytesUp: 300}, refused},
			Unread:   []UnreadHost{barredHost, pinned}, Escapes: proxied, // passed.example has a request
		}},
		{"a device of both", Scope{Sessions: []string{"idle"}, Device: "pixel"}, Coverage{
			Sessions: 2, Duration: 20 * time.Minute, Connections: 1, BytesUp: 300, Requests: 1,
			Outcomes: []Outcome{{Outcome: "passed", Connections: 1, BytesUp: 300}}, Unread: []UnreadHost{}, Escapes: proxied,
		}},
		{"an open session", Scope{Sessions: []string{"open"}}, Coverage{
			Sessions: 1, Duration: 2 * time.Minute, Connections: 1, Requests: 1, NotInspected: 1,
			Outcomes: []Outcome{{Outcome: "server_failed", Connections: 1}}, Unread: []UnreadHost{}, Escapes: proxied,
		}},
		{"an empty session", Scope{Sessions: []string{"nothing"}}, Coverage{
			Sessions: 1, Duration: 5 * time.Minute, Outcomes: []Outcome{}, Unread: []UnreadHost{}, Escapes: []string{},
		}},
		{"no session", Scope{Sessions: []string{"idl"}}, Coverage{Outcomes: []Outcome{}, Unread: []UnreadHost{}, Escapes: []string{}}},
		{"the whole case", Scope{}, Coverage{
			Sessions: 4, Duration: 41 * time.Minute, Connections: 7, Readable: 3, BytesUp: 710, BytesDown: 1020, ReadableUp: 310, ReadableDown: 1010,
			Requests: 5, OpaqueRequests: 1, OpaqueUp: 8, NotInspected: 1, Failed: 1,
			Outcomes: []Outcome{read(3, 310, 1010), barred, {Outcome: "passed", Connections: 1, BytesUp: 300}, refused, {Outcome: "server_failed", Connections: 1}},
			Unread:   []UnreadHost{barredHost, pinned}, Escapes: proxied,
		}},
	} {
		got, err := c.Coverage(t.Context(), tt.scope)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestCoverageOfDoors: what only some doors record counts as what it is, also in a
// prepared case.
func TestCoverageOfDoors(t *testing.T) {
	cfg := testConfig(t)
	cfg.Settings = map[string]string{"doors": "wireguard 192.0.2.1:51820, transparent 192.0.2.1:8443" + RedirectSetting}
	c := openCase(t, cfg)
	l := &flow.Lookup{Time: epoch, Door: "wireguard", Device: "redmi", Name: "mqtt.example", Type: "A", Code: "NOERROR"}
	if err := c.Commit(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	connect := func(host, sni string, lookup int64, outcome flow.Outcome, up int64) int64 {
		n := &flow.Connection{Opened: epoch, Door: "wireguard", Device: "redmi", Host: host, SNI: sni, Port: 443, Lookup: lookup, Outcome: outcome, BytesUp: up}
		if err := c.Begin(n); err != nil {
			t.Fatal(err)
		}
		if err := c.Commit(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		return n.ID
	}
	send := func(connection int64, host, method, scheme string) {
		e := testExchange(0, []byte("x"), nil)
		e.Connection = connection
		e.Door, e.Host, e.Method, e.Scheme = "wireguard", host, method, scheme
		commit(t, c, e)
	}
	send(connect("192.0.2.7", "", l.ID, flow.Raw, 100), "192.0.2.7", "", "tcp")
	send(connect("2001:db8::a", "", 0, flow.Raw, 10), "2001:db8::a", "", "udp")
	send(connect("api.example", "api.example", l.ID, flow.Intercepted, 50), "api.example", "GET", "https")
	connect("pinned.example", "pinned.example", 0, flow.ClientRefused, 5)
	connect("pinned.example", "pinned.example", 0, flow.Refused, 1200)
	want := Coverage{
		Connections: 4, Readable: 1, BytesUp: 165, ReadableUp: 50, Requests: 3, NotInspected: 3, Lookups: 1,
		Outcomes: []Outcome{
			{Outcome: "refused", Connections: 1, BytesUp: 1200},
			{Outcome: "raw", Connections: 2, BytesUp: 110},
			{Outcome: "intercepted", Readable: true, Connections: 1, BytesUp: 50},
			{Outcome: "client_refused", Connections: 1, BytesUp: 5},
		},
		Unread: []UnreadHost{
			{Host: "pinned.example", Outcome: "client_refused", Connections: 2, BytesUp: 1205},
			{Host: "mqtt.example", Outcome: "raw", Connections: 1, BytesUp: 100},
			{Host: "2001:db8::a", Outcome: "raw", Connections: 1, BytesUp: 10},
		},
		Escapes: []string{"before_tunnel", "sms", "vpn_bypass"},
	}
	prepared, err := c.Prepared(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	for name, r := range map[string]*Reader{"live": &c.Reader, "prepared": prepared} {
		got, err := r.Coverage(t.Context(), Scope{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		narrow, err := r.Coverage(t.Context(), Scope{Domains: []string{"mqtt.example"}})
		if err != nil || narrow.Connections != 1 || narrow.BytesUp != 100 || narrow.Lookups != 1 {
			t.Errorf("%s: %+v, %v", name, narrow, err)
		}
		for door, escaping := range map[string]string{"transparent": "[dns icmp mobile_data sms udp]", "socks5": "[dns mobile_data quic raw_sockets sms udp]", "import": "[unknown]"} {
			if got, err := r.Escapes(t.Context(), door); err != nil || fmt.Sprint(got) != escaping {
				t.Errorf("%s: %s: %v, %v", name, door, got, err)
			}
		}
	}
}

func TestSessionsIn(t *testing.T) {
	c := covered(t)
	for _, tt := range []struct {
		scope Scope
		want  string
	}{
		{Scope{}, "[2 3 5 1]"},
		{Scope{Device: "pixel"}, "[2 3 5 1]"},
		{Scope{Sessions: []string{"idle", "open"}}, "[2 3 1]"},
		{Scope{Sessions: []string{"Idle", "' OR 1 --"}}, "[]"},
		{Scope{IDs: []int64{1, 3, 4, 77}}, "[3 1]"},
		{Scope{Factors: map[string]string{"micloud": "off"}}, "[2 5]"},
		{Scope{Factors: map[string]string{"micloud": "off", "screen": "off"}}, "[2]"},
		{Scope{Factors: map[string]string{"micloud": "off", "screen": ""}}, "[5]"},
		{Scope{Factors: map[string]string{"micloud": ""}}, "[1]"},
		{Scope{Factors: map[string]string{"$.micloud": "off"}}, "[]"},
	} {
		sessions, err := c.SessionsIn(t.Context(), tt.scope)
		if err != nil {
			t.Fatal(err)
		}
		ids := []int64{}
		for _, s := range sessions {
			ids = append(ids, s.ID)
		}
		if got := fmt.Sprint(ids); got != tt.want {
			t.Errorf("%+v: sessions %s, not %s", tt.scope, got, tt.want)
		}
	}
	condition, args := Scope{Sessions: []string{"idle"}, Device: "redmi"}.Where()
	got := rows(t, c.DB(), "SELECT id FROM requests WHERE "+condition+" ORDER BY id", args...)
	if diff := cmp.Diff([]string{"2", "3"}, got); diff != "" {
		t.Errorf("Where (-want +got):\n%s", diff)
	}
}

// TestUnreadIsBounded has more hosts that cannot be read than are listed.
func TestUnreadIsBounded(t *testing.T) {
	c := newCase(t)
	for i := range 130 {
		n := &flow.Connection{Opened: epoch, Door: "import", Host: fmt.Sprintf("h%d.example", i), Outcome: flow.Passed, BytesUp: int64(i)}
		if err := c.Begin(n); err != nil {
			t.Fatal(err)
		}
		if err := c.Commit(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Coverage(t.Context(), Scope{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Unread) != 100 || got.MoreUnread != 30 || got.Unread[0].Host != "h129.example" || fmt.Sprint(got.Escapes) != "[unknown]" {
		t.Errorf("%d and %d more, first %+v, escapes %q", len(got.Unread), got.MoreUnread, got.Unread[0], got.Escapes)
	}
}

// TestStoppedSessions are those of which a step says so.
func TestStoppedSessions(t *testing.T) {
	c := newCase(t)
	for i, outcome := range []string{"done", "stopped", ""} {
		if err := c.Mark(t.Context(), "idle", nil, ""); err != nil {
			t.Fatal(err)
		}
		if outcome == "" {
			continue
		}
		if err := c.Declare(t.Context(), TopicStep, fmt.Sprint("run/", i), map[string]any{"session_id": i + 1, "outcome": outcome}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Declare(t.Context(), TopicStep, "run/3.1", map[string]any{"outcome": "stopped"}); err != nil {
		t.Fatal(err) // a step, not a session
	}
	got := fmt.Sprint(rows(t, c.DB(), "SELECT id || ' ' || stopped FROM sessions ORDER BY id"))
	if s := c.mustSessions(t); got != "[1 0 2 1 3 0]" || s[0].Stopped || !s[1].Stopped || s[2].Stopped {
		t.Errorf("%s, %+v", got, s)
	}
}

func TestDeclare(t *testing.T) {
	c := newCase(t)
	for _, d := range []struct {
		topic, subject string
		content        any
	}{
		{"", "", map[string]string{}},
		{"Device", "", map[string]string{}},
		{"device", "", []string{}},
		{"device", "", nil},
		{"device", "", "text"},
		{"device", strings.Repeat("x", maxSubject+1), map[string]string{}},
		{"device", "\xff", map[string]string{}},
		{"device", "", map[string]string{"model": strings.Repeat("x", maxDeclaration)}},
	} {
		if err := c.Declare(t.Context(), d.topic, d.subject, d.content); !errors.Is(err, ErrDeclaration) {
			t.Errorf("%.20q %.20q: %v", d.topic, d.subject, err)
		}
	}
	if err := c.Mark(t.Context(), "idle", nil, ""); err != nil {
		t.Fatal(err)
	}
	for i, topic := range []string{TopicDevice, TopicOperator, TopicDevice, TopicStep} {
		if err := c.Declare(t.Context(), topic, "s", map[string]int{"n": i}); err != nil {
			t.Fatal(err)
		}
	}
	const step = "4 1 step s {\"n\":3};"
	written := func(list []Declaration, err error) (got string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			got += fmt.Sprintf("%d %d %s %s %s;", d.ID, d.Session, d.Topic, d.Subject, d.Content)
		}
		return got
	}
	for topic, want := range map[string]string{
		"": "2 1 operator s {\"n\":1};3 1 device s {\"n\":2};", "device": "3 1 device s {\"n\":2};", TopicStep: step, "clock": "",
	} {
		if got := written(c.Declared(t.Context(), topic)); got != want {
			t.Errorf("what counts of %q: %s, not %s", topic, got, want)
		}
	}
	for topic, want := range map[string]string{
		"": "1 1 device s {\"n\":0};2 1 operator s {\"n\":1};3 1 device s {\"n\":2};" + step, "operator": "2 1 operator s {\"n\":1};", "clock": "",
	} {
		if got := written(c.Declarations(t.Context(), topic)); got != want {
			t.Errorf("%q: %s, not %s", topic, got, want)
		}
	}
	if err := c.Declare(t.Context(), "note", "", map[string]string{"text": "a < b & c"}); err != nil {
		t.Fatal(err)
	}
	if got := written(c.Declared(t.Context(), "note")); got != `5 1 note  {"text":"a < b & c"};` {
		t.Error(got)
	}
}
