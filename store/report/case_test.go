package report

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"constat/inspect"
	"constat/inspect/canary"
	"constat/inspect/decode"
	"constat/inspect/detect"
	"constat/proxy/flow"
	"constat/store"
)

// began is when the invented capture begins.
var began = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// owners is an invented table of who answers.
type owners struct{}

func (owners) Lookup(host string, _ netip.Addr) inspect.Owner {
	return map[string]inspect.Owner{
		"api.comm.vendor.example": {Name: "Vendor Inc. (invented)", Country: "CN"},
		"gallery.vendor.example":  {Name: "Vendor Inc. (invented)", Country: "SG"},
		"stats.analytics.example": {Name: "Analytics Ltd. (invented)", Country: "IE"},
	}[host]
}

// builder writes an invented case through the real store.
type builder struct {
	t       testing.TB
	c       *store.Case
	now     time.Time
	persona *canary.Persona
	in      *inspect.Inspector
}

func newBuilder(t testing.TB) *builder {
	t.Helper()
	b := &builder{t: t, now: began}
	dir := t.TempDir()
	var err error
	b.c, err = store.Open(t.Context(), store.Config{
		Path: filepath.Join(dir, "invented.constat"), KeyFile: filepath.Join(dir, "key.pem"), Tool: "constat v0.0-test",
		Settings: map[string]string{"listen": "192.0.2.1:8080", "door": "http"},
		Clock:    func() time.Time { return b.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.c.Close(); err != nil {
			t.Error(err)
		}
	})
	if b.persona, err = canary.New(strings.NewReader("the seed of the invented persona"), "en-GB"); err != nil {
		t.Fatal(err)
	}
	matcher, err := canary.NewMatcher(b.persona)
	if err != nil {
		t.Fatal(err)
	}
	b.in, err = inspect.New(inspect.Config{
		Decoders: decode.All, Detectors: detect.All, Canaries: matcher, Owners: owners{}, Build: "test", Persona: b.persona.Name,
	})
	if err != nil {
		t.Fatal(err)
	}
	var p bytes.Buffer
	if err := b.persona.Write(&p); err != nil {
		t.Fatal(err)
	}
	if err := b.c.SetPersona(t.Context(), b.persona.Name, p.Bytes()); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *builder) value(name string) string {
	b.t.Helper()
	v := b.persona.Get(name)
	if v == nil {
		b.t.Fatalf("the persona has no %s", name)
	}
	return v.Value
}

func (b *builder) commit(r flow.Record) {
	b.t.Helper()
	if err := b.c.Begin(r); err != nil {
		b.t.Fatal(err)
	}
	if err := b.c.Commit(context.Background(), r); err != nil {
		b.t.Fatal(err)
	}
}

func (b *builder) connection(host string, outcome flow.Outcome, up, down int64, change func(*flow.Connection)) *flow.Connection {
	b.t.Helper()
	c := &flow.Connection{
		Opened: b.now, Duration: 2 * time.Second, Door: "http", Device: "redmi-note", Client: netip.MustParseAddrPort("192.0.2.20:40000"),
		Host: host, Port: 443, Server: netip.MustParseAddrPort("198.51.100.9:443"), SNI: host, ALPN: "http/1.1",
		ClientTLS: &flow.TLS{Version: "TLS 1.2"}, ServerTLS: &flow.TLS{Version: "TLS 1.3"},
		BytesUp: up, BytesDown: down, Outcome: outcome,
	}
	if change != nil {
		change(c)
	}
	b.commit(c)
	return c
}

// exchange commits one exchange; target is METHOD URL.
func (b *builder) exchange(method, target, header string, body []byte, status int, answer string, down []byte) *flow.Exchange {
	b.t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		b.t.Fatal(err)
	}
	port := uint16(443)
	if u.Scheme == "http" {
		port = 80
	}
	x := &flow.Exchange{
		Device: "redmi-note", Door: "http", Began: b.now, Duration: 80 * time.Millisecond,
		Method: method, Scheme: u.Scheme, Host: u.Hostname(), Port: port, Path: u.EscapedPath(), Query: u.RawQuery,
		Server: netip.MustParseAddrPort("198.51.100.9:443"), Status: status,
		Request:  flow.Message{Proto: "HTTP/1.1", Exact: true, Head: []byte(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method, u.RequestURI(), u.Host, header))},
		Response: flow.Message{Proto: "HTTP/1.1", Exact: true, Head: []byte(fmt.Sprintf("HTTP/1.1 %d OK\r\n%s\r\n", status, answer))},
	}
	if body != nil {
		x.Request.Body = flow.BodyOf(body)
	}
	if down != nil {
		x.Response.Body = flow.BodyOf(down)
	}
	outcome := flow.Intercepted
	if u.Scheme == "http" {
		outcome = flow.Plain
	}
	conn := b.connection(x.Host, outcome, int64(len(body))+700, int64(len(down))+900, func(c *flow.Connection) {
		if outcome == flow.Plain {
			c.ClientTLS, c.ServerTLS = nil, nil
		}
	})
	x.Connection = conn.ID
	b.commit(x)
	return x
}

func (b *builder) mark(name string, factors map[string]string, note string) {
	b.t.Helper()
	if err := b.c.Mark(b.t.Context(), name, factors, note); err != nil {
		b.t.Fatal(err)
	}
}

func (b *builder) wait(d time.Duration) { b.now = b.now.Add(d) }

func (b *builder) inspect() {
	b.t.Helper()
	if _, err := b.c.Inspect(b.t.Context(), b.in, nil); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.c.Checkpoint(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func packed(v any) []byte {
	data, _ := json.Marshal(v)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(data)
	_ = z.Close()
	return b.Bytes()
}

// affair acts out an invented affair: greetings come down and a text message goes
// up on the same host, statistics and a photograph leave, an app refuses.
func (b *builder) affair() {
	const form, js = "Content-Type: application/x-www-form-urlencoded\r\n", "Content-Type: application/json\r\n"
	b.mark("idle, cloud off", map[string]string{"cloud": "off", "screen": "off", "network": "wifi"}, "phone on the table")
	for i := range 14 {
		b.wait(70 * time.Second)
		greetings := []map[string]any{}
		for j := range 3 {
			greetings = append(greetings, map[string]any{"mid": 1000 + 10*i + j, "text": []string{
				"May your New Year be filled with joy, health and laughter!", "Happy birthday! Wishing you a day as wonderful as you are.",
				"Why did the scarecrow win an award? Because he was outstanding in his field.",
			}[j], "cat": 3})
		}
		if i%3 == 0 {
			data, _ := json.Marshal(map[string]any{"code": 0, "data": map[string]any{"messages": greetings, "total": 240}})
			b.exchange("GET", "https://api.comm.vendor.example/greetings/res/messages?cat=3&marker=0&count=20", "", nil, 200, js, data)
		}
		b.exchange("POST", "https://stats.analytics.example/track?project=shell&r=FR", form, []byte("data_list="+url.QueryEscape(base64.StdEncoding.EncodeToString(packed([]any{map[string]any{
			"event": "battery_state", "time": 1793606400000 + i, "distinct_id": b.value("android_id"),
			"properties": map[string]any{"$os": "Android", "$os_version": "4.4.2", "$model": "HM NOTE 1LTE", "$manufacturer": "Vendor", "battery_level": 80 - i, "memory_free_mb": 412 + i, "$screen_width": 720, "$screen_height": 1280, "$carrier": "Invented Mobile", "$wifi": true, "uptime_s": 86400 + 70*i, "build": "KHICNBF5.0"},
		}})))+"&gzip=1"), 200, js, []byte(`{"ok":true}`))
		if i%4 == 1 {
			b.exchange("GET", "http://cdn.vendor.example/splash/ad.png?w=720", "", nil, 200, "Content-Type: image/png\r\n", []byte("\x89PNG\r\n\x1a\n0123456789"))
		}
	}
	b.wait(time.Minute)
	b.connection("bank.example", flow.SuspectedPin, 900, 3400, func(c *flow.Connection) {
		c.Reason = "handshake complete, then closed by the phone without a request"
	})
	b.connection("push.vendor.example", flow.ClientRefused, 640, 2900, func(c *flow.Connection) {
		c.Reason = "the phone refused the certificate"
		c.ClientTLS.Alert = "unknown_ca"
	})
	b.connection("198.51.100.77", flow.Raw, 18_000, 52_000, func(c *flow.Connection) {
		c.Host, c.SNI, c.Port, c.Reason = "198.51.100.77", "", 5222, "neither TLS nor HTTP"
		c.ClientTLS, c.ServerTLS = nil, nil
	})
	b.wait(25 * time.Minute)
	b.mark("message received", map[string]string{"cloud": "off", "screen": "on", "network": "wifi"}, "")
	for i := range 5 {
		b.wait(50 * time.Second)
		data, _ := json.Marshal(map[string]any{"smsText": b.value("sms-1.text"), "senderNumber": "+33 6 39 98 01 23", "receiveTime": 1793608200000 + i, "type": 1, "read": 0, "thread_id": 7})
		if i == 1 || i == 3 {
			b.exchange("POST", "https://api.comm.vendor.example/greetings/smsReport/report", form,
				[]byte("p="+url.QueryEscape(base64.StdEncoding.EncodeToString(data))+"&imei="+b.value("imei")), 200, js, []byte(`{"code":0}`))
		}
		b.exchange("GET", "https://api.comm.vendor.example/greetings/res/version", "", nil, 200, js, []byte(`{"version":14}`))
	}
	b.mark("photo taken", map[string]string{"cloud": "on"}, "")
	b.wait(2 * time.Minute)
	photo := b.persona.Get("photo-1")
	if photo == nil {
		b.t.Fatal("the persona has no photo-1")
	}
	body := append([]byte("--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"IMG_0001.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"), photo.Photo.Data...)
	body = append(body, "\r\n--B--\r\n"...)
	b.exchange("POST", "https://gallery.vendor.example/mic/v1/gallery/upload", "Content-Type: multipart/form-data; boundary=B\r\n", body, 200, js, []byte(`{"id":1}`))
	b.wait(time.Minute)
	failed := b.exchange("GET", "https://update.vendor.example/ota?v=5", "", nil, 200, js, nil)
	_ = failed
	b.wait(time.Minute)
	b.mark("", nil, "")
	b.wait(time.Minute)
	b.inspect()
}
