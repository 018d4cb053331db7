package export_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"constat/inspect"
	"constat/inspect/canary"
	"constat/inspect/decode"
	"constat/inspect/detect"
	"constat/inspect/owner"
	"constat/proxy/flow"
	"constat/store"
)

// TestLarge writes a case of CONSTAT_LARGE exchanges into CONSTAT_LARGE_DIR, for
// measuring by hand what is made of a large case. It has what a field test of fourteen
// hours has: two phones, two controls, sessions over several factors, planted values,
// WebSockets, connections that could not be read. Half of the bodies differ, ten
// requests share a connection, one in four holds something that is found.
func TestLarge(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("CONSTAT_LARGE"))
	if err != nil {
		t.Skip("makes a large case to measure with: set CONSTAT_LARGE to how many exchanges, CONSTAT_LARGE_DIR to a folder for it")
	}
	f := newField(t, n)
	f.declare()
	outside := n / 50 // of any session, before and after them
	f.exchanges(outside)
	sessions, weight := fieldSessions(), 0
	for _, s := range sessions {
		weight += s.weight
	}
	for _, s := range sessions {
		f.mark(s.name, s.factors, "")
		f.session = s
		f.exchanges((n - 2*outside) * s.weight / weight)
		if s.weight == 0 {
			f.now = f.now.Add(40 * time.Minute)
		}
	}
	f.mark("", nil, "")
	f.session = fieldSession{}
	f.exchanges(n - f.made)
	for range cap(f.pending) {
		f.pending <- nil
	}
	f.close()
	dir := os.Getenv("CONSTAT_LARGE_DIR")
	for from, to := range map[string]string{f.path: "large.constat", f.key: "log.key"} {
		if err := os.Rename(from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
}

// fieldSession is a session of a field test, and how much of its traffic it has.
type fieldSession struct {
	name    string
	factors map[string]string
	weight  int
}

// fieldSessions are three repeats of two factors, then the steps that single claims
// ask for.
func fieldSessions() []fieldSession {
	list := []fieldSession{
		{"control", map[string]string{"control": "positive"}, 1},
		{"off", map[string]string{"phone": "off"}, 0},
	}
	for range 3 {
		for _, cloud := range []string{"off", "on"} {
			for _, screen := range []string{"off", "on"} {
				list = append(list, fieldSession{"cloud", map[string]string{"micloud": cloud, "screen": screen, "network": "wifi", "rom": "stock"}, 6})
			}
		}
	}
	for _, factors := range []map[string]string{
		{"micloud": "off", "action": "sms"},
		{"micloud": "off", "action": "photo"},
		{"network": "mobile", "account": "none"},
		{"browsing": "incognito", "actions": "10"},
		{"browsing": "normal", "actions": "10"},
		{"rom": "other", "clock": "later"},
		{"update": "before", "consent": "none", "clock": "now"},
		{"update": "after", "consent": "none"},
	} {
		for range 3 {
			list = append(list, fieldSession{"step", factors, 1})
		}
	}
	return append(list, fieldSession{"setup", map[string]string{"stage": "setup", "account": "none"}, 1}, fieldSession{"reset", map[string]string{"reset": "factory"}, 1})
}

// field is a field test of which many exchanges are on their way to the case at once.
type field struct {
	*testCase
	pending chan error
	step    time.Duration // between two exchanges
	made    int
	session fieldSession
	conn    *flow.Connection
}

func newField(t *testing.T, n int) *field {
	f := &field{testCase: newCase(t), pending: make(chan error, 64), step: 14 * time.Hour / time.Duration(max(n, 1))}
	matcher, err := canary.NewMatcher(f.persona)
	if err != nil {
		t.Fatal(err)
	}
	f.in, err = inspect.New(inspect.Config{
		Decoders: decode.All, Detectors: detect.All, Canaries: matcher, Values: detect.Values, Owners: owner.New(), Build: "test", Persona: f.persona.Name,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *field) declare() {
	f.t.Helper()
	for name, model := range map[string]string{"redmi": "HM NOTE 1LTE", "mi4": "MI 4"} {
		if err := f.c.Declare(f.t.Context(), store.TopicDevice, name, map[string]string{"model": model, "sim": "none"}); err != nil {
			f.t.Fatal(err)
		}
	}
}

// exchanges records the next n exchanges.
func (f *field) exchanges(n int) {
	f.t.Helper()
	for range n {
		f.exchange(f.made)
		f.made++
	}
}

const (
	hosts   = 50
	perConn = 10
)

func (f *field) exchange(i int) {
	f.t.Helper()
	f.now = f.now.Add(f.step)
	if i%perConn == 0 || f.conn == nil {
		f.connection(i / perConn)
	}
	x := &flow.Exchange{
		Connection: f.conn.ID, Device: f.conn.Device, Door: "http", Began: f.now, Duration: 80 * time.Millisecond, Method: "POST", Scheme: "https", Host: f.conn.Host, Port: 443,
		Path: fmt.Sprintf("/v1/track/%d", i%1000), Query: fmt.Sprintf("t=%d", i), Server: f.conn.Server, Status: 200,
		Request:  flow.Message{Proto: "HTTP/1.1", Exact: true, Body: flow.BodyOf(f.body(i))},
		Response: flow.Message{Proto: "HTTP/1.1", Exact: true, Head: []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: nginx\r\n\r\n"), Body: flow.BodyOf([]byte(`{"ok":true}`))},
	}
	switch i % 1000 {
	case 7:
		x.Method, x.Path, x.Query, x.Request.Body = "GET", "/avdefs/daily.cvd", "current=26123", nil
		x.Status, x.Response.Body = 304, nil
	case 307:
		x.Method, x.Path, x.Request.Body = "GET", "/sayings/all", nil
		x.Response.Body = flow.BodyOf([]byte(`{"sayings":{"1000":"May your New Year be filled with joy and laughter!","1001":"Happy birthday, may all of your wishes come true!","1002":"A joke a day keeps the doctor away, they say."}}`))
	case 500:
		x.Scheme, x.Status, x.Request.Body, x.Response.Body = "wss", 101, nil, nil
	}
	x.Request.Head = fmt.Appendf(nil, "%s %s?%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Dalvik/1.6.0 (Linux; U; Android 4.4.2; HM NOTE 1LTE)\r\nContent-Type: application/json\r\nX-Request: %d\r\n\r\n",
		x.Method, x.Path, x.Query, x.Host, i)
	f.begin(x)
	if x.Scheme == "wss" {
		for k := range 4 {
			f.commit(&flow.Frame{Exchange: x.ID, Time: f.now, Direction: flow.Up, Opcode: 1, Payload: flow.BodyOf(fmt.Appendf(nil, `{"n":%d,"android_id":"%s"}`, k, f.value("android_id")))})
		}
	}
	f.pending <- nil
	go func() {
		err := f.c.Commit(context.Background(), x)
		<-f.pending
		if err != nil {
			f.t.Error(err)
		}
	}()
}

// connection opens the n-th connection: a phone of two, a host of fifty. One in forty
// more cannot be read.
func (f *field) connection(n int) {
	f.t.Helper()
	host := fmt.Sprintf("host%d.vendor.example", n%hosts)
	conn := &flow.Connection{
		Opened: f.now, Duration: time.Second, Door: "http", Device: "redmi", Host: host, Port: 443, SNI: host, Outcome: flow.Intercepted, BytesUp: 9000, BytesDown: 30_000,
		Server:    netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(20 + n%hosts), 10, 20, 30}), 443),
		ClientTLS: &flow.TLS{Version: "TLS 1.2"}, ServerTLS: &flow.TLS{Version: "TLS 1.3", Chain: [][]byte{[]byte("certificate of " + host)}},
	}
	if n/hosts%4 == 3 {
		conn.Device = "mi4"
	}
	f.conn = conn
	f.begin(conn)
	f.commit(conn)
	if n%40 != 39 {
		return
	}
	unread := &flow.Connection{Opened: f.now, Door: "http", Device: conn.Device, Host: "pinned.bank.example", Port: 443, BytesUp: 700, BytesDown: 900, Outcome: flow.ClientRefused, ClientTLS: &flow.TLS{Alert: "unknown_ca"}}
	if n%80 == 79 {
		unread.Host, unread.Port, unread.Outcome, unread.FirstUp = "push.vendor.example", 5222, flow.Raw, []byte("neither TLS nor HTTP")
	}
	f.begin(unread)
	f.commit(unread)
}

// body is what the phone sends in its i-th request.
func (f *field) body(i int) []byte {
	random := sha256.Sum256(fmt.Appendf(nil, "random %d", i))
	switch {
	case i%20 == 0:
		return fmt.Appendf(nil, `{"imei":"%s","model":"HM NOTE 1LTE","battery_level":%d,"memory_free_mb":412,"screen_width":720,"os_version":"4.4.2"}`, f.value("imei"), i)
	case i%200 == 9: // what only the app can read
		sealed := make([]byte, 300)
		_, _ = rand.NewChaCha8(random).Read(sealed)
		return fmt.Appendf(nil, `{"data":"%s"}`, base64.StdEncoding.EncodeToString(sealed))
	case i%500 == 11:
		return fmt.Appendf(nil, `{"event":"page_view","url":"%s","ts":%d}`, f.value("url-1"), 1406800000000+i)
	case i%5 == 2:
		return fmt.Appendf(nil, `{"event":"tick","trace_id":"%x","device_id":"%s","n":%d}`, random[:16], f.value("android_id"), i)
	case i%5000 == 13 && f.session.factors["micloud"] != "off":
		return fmt.Appendf(nil, `{"address":"%s","body":"%s","date":%d,"type":1,"read":0}`, f.value("sms-1.sender"), f.value("sms-1.text"), 1406800000000+i)
	case i%5000 == 14 && f.session.factors["micloud"] != "off":
		contacts, _ := json.Marshal(map[string]any{"contacts": []any{map[string]any{"displayName": f.value("contact-1.name"), "phoneNumbers": []string{f.value("contact-1.phone")}}}})
		return contacts
	case i%20000 == 15 && f.session.factors["micloud"] != "off":
		return f.persona.Get("photo-1").Photo.Data
	}
	return fmt.Appendf(nil, `{"event":"tick","n":%d,"items":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","bbbbbbbbbbbbbbbbbbbbbbbb"]}`, i/2*2)
}
