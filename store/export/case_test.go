package export_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/rand"
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

// testCase is an invented case that was recorded through the real store.
type testCase struct {
	t       testing.TB
	dir     string
	path    string
	key     string
	c       *store.Case
	now     time.Time
	persona *canary.Persona
	in      *inspect.Inspector
}

func newCase(t testing.TB) *testCase {
	t.Helper()
	return newCaseOf(t, map[string]string{"door": "http", "ca_sha256": "c0ffee", "banner": "INVENTED."})
}

// newCaseOf is newCase with other settings of the run.
func newCaseOf(t testing.TB, settings map[string]string) *testCase {
	t.Helper()
	dir := t.TempDir()
	k := &testCase{t: t, dir: dir, path: filepath.Join(dir, "invented.constat"), key: filepath.Join(dir, "log.key"), now: time.Date(2014, 7, 20, 8, 0, 0, 0, time.UTC)}
	var err error
	k.c, err = store.Open(t.Context(), store.Config{
		Path: k.path, KeyFile: k.key, Tool: "constat v0.0-test", Clock: func() time.Time { return k.now },
		Settings: settings,
	})
	if err != nil {
		t.Fatal(err)
	}
	if k.persona, err = canary.New(strings.NewReader("the seed of the invented persona"), "en-GB"); err != nil {
		t.Fatal(err)
	}
	matcher, err := canary.NewMatcher(k.persona)
	if err != nil {
		t.Fatal(err)
	}
	k.in, err = inspect.New(inspect.Config{Decoders: decode.All, Detectors: detect.All, Canaries: matcher, Values: detect.Values, Build: "test", Persona: k.persona.Name})
	if err != nil {
		t.Fatal(err)
	}
	var p bytes.Buffer
	if err := k.persona.Write(&p); err != nil {
		t.Fatal(err)
	}
	if err := k.c.SetPersona(t.Context(), k.persona.Name, p.Bytes()); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *testCase) value(name string) string {
	k.t.Helper()
	v := k.persona.Get(name)
	if v == nil {
		k.t.Fatalf("the persona has no %s", name)
	}
	return v.Value
}

func (k *testCase) commit(r flow.Record) {
	k.t.Helper()
	if err := k.c.Commit(context.Background(), r); err != nil {
		k.t.Fatal(err)
	}
}

func (k *testCase) begin(r flow.Record) {
	k.t.Helper()
	if err := k.c.Begin(r); err != nil {
		k.t.Fatal(err)
	}
}

// exchange commits one exchange on a connection of its own; target is a URL. limit is
// how much is kept of a body.
func (k *testCase) exchange(method, target, header string, body, down []byte, limit int64) *flow.Exchange {
	k.t.Helper()
	k.now = k.now.Add(time.Second)
	u, err := url.Parse(target)
	if err != nil {
		k.t.Fatal(err)
	}
	conn := &flow.Connection{
		Opened: k.now, Duration: time.Second, Door: "http", Device: "redmi", Client: netip.MustParseAddrPort("192.0.2.20:40000"), Host: u.Hostname(), Port: 443,
		Server: netip.MustParseAddrPort("198.51.100.9:443"), SNI: u.Hostname(), ClientTLS: &flow.TLS{Version: "TLS 1.2"},
		ServerTLS: &flow.TLS{Version: "TLS 1.3", Chain: [][]byte{[]byte("certificate of " + u.Hostname())}}, BytesUp: 700, BytesDown: 900, Outcome: flow.Intercepted,
	}
	k.begin(conn)
	k.commit(conn)
	x := &flow.Exchange{
		Connection: conn.ID, Device: "redmi", Door: "http", Began: k.now, Duration: 80 * time.Millisecond,
		Method: method, Scheme: u.Scheme, Host: u.Hostname(), Port: 443, Path: u.EscapedPath(), Query: u.RawQuery,
		Server: netip.MustParseAddrPort("198.51.100.9:443"), Status: 200,
		Request:  flow.Message{Proto: "HTTP/1.1", Exact: true, Head: fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method, u.RequestURI(), u.Host, header)},
		Response: flow.Message{Proto: "HTTP/1.1", Exact: true, Head: []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")},
	}
	k.begin(x)
	for _, m := range []struct {
		into **flow.Body
		data []byte
	}{{&x.Request.Body, body}, {&x.Response.Body, down}} {
		if m.data == nil {
			continue
		}
		b := flow.NewBody(k.c, x, limit)
		if _, err := b.Write(m.data); err != nil {
			k.t.Fatal(err)
		}
		b.Close(true)
		*m.into = b
	}
	k.commit(x)
	return x
}

func (k *testCase) mark(name string, factors map[string]string, note string) {
	k.t.Helper()
	k.now = k.now.Add(time.Second)
	if err := k.c.Mark(k.t.Context(), name, factors, note); err != nil {
		k.t.Fatal(err)
	}
}

// close inspects what was recorded and ends the case.
func (k *testCase) close() {
	k.t.Helper()
	if _, err := k.c.Inspect(k.t.Context(), k.in, nil); err != nil {
		k.t.Fatal(err)
	}
	if err := k.c.Close(); err != nil {
		k.t.Fatal(err)
	}
}

func (k *testCase) open() *store.Reader {
	k.t.Helper()
	r, err := store.OpenReader(k.t.Context(), k.path)
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = r.Close() })
	return r
}

func packed(v any) []byte {
	data, _ := json.Marshal(v)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(data)
	_ = z.Close()
	return b.Bytes()
}

const (
	form  = "Content-Type: application/x-www-form-urlencoded\r\n"
	js    = "Content-Type: application/json\r\n"
	noCut = 1 << 30
)

// secrets are values of the invented affair that a bundle can be asked to hide, by
// the exchanges that hold them.
type secrets struct {
	statistics, sms, contacts, bank, photo, other []string
	aliases                                       []string // of the bank, open but for who hides it
}

// affair acts out an invented affair, of which all parts can be hidden.
func (k *testCase) affair() (s secrets) {
	k.mark("idle", map[string]string{"cloud": "off"}, "note-of-the-operator-7731")
	s.other = append(s.other, "note-of-the-operator-7731")
	for topic, content := range map[string]map[string]string{"operator": {"name": "Operator Zappelin"}, "clock": {"offset_ms": "12345678"}} {
		if err := k.c.Declare(k.t.Context(), topic, "", content); err != nil {
			k.t.Fatal(err)
		}
	}
	s.other = append(s.other, "Operator Zappelin")
	for i := range 3 {
		s.statistics = append(s.statistics, k.value("android_id"), "token-8f3e21c94b77", "Session-Cookie-5521-AbCd")
		k.exchange("POST", "https://stats.analytics.example/track/9911-path-secret?project=shell&token=token-8f3e21c94b77", form+"Cookie: sid=Session-Cookie-5521-AbCd\r\n",
			[]byte("data_list="+url.QueryEscape(base64.StdEncoding.EncodeToString(packed([]any{map[string]any{
				"event": "battery_state", "time": 1793606400000 + i, "distinct_id": k.value("android_id"),
				"properties": map[string]any{"$os": "Android", "$model": "HM NOTE 1LTE", "battery_level": 80 - i, "memory_free_mb": 412 + i, "$screen_width": 720, "$screen_height": 1280, "$carrier": "Invented Mobile"},
			}})))+"&gzip=1"), []byte(`{"ok":true}`), noCut)
	}
	s.statistics = append(s.statistics, "9911-path-secret")
	sms, _ := json.Marshal(map[string]any{"smsText": k.value("sms-1.text"), "senderNumber": "+33639980123", "receiveTime": 1793608200000, "type": 1, "read": 0, "thread_id": 7})
	s.sms = append(s.sms, k.value("sms-1.text"), "+33639980123", k.value("imei"), string(sms))
	k.exchange("POST", "https://api.comm.vendor.example/report", form, []byte("p="+url.QueryEscape(base64.StdEncoding.EncodeToString(sms))+"&imei="+k.value("imei")), []byte(`{"code":0}`), noCut)
	k.mark("contacts", map[string]string{"cloud": "on"}, "")
	contacts, _ := json.Marshal(map[string]any{"contacts": []any{
		map[string]any{"displayName": "Zébulon Quatrepattes", "phoneNumbers": []string{"+33612998877"}, "emails": []string{"zebulon.quatrepattes@invented.example"}},
		map[string]any{"displayName": "Philomène Troisépis", "phoneNumbers": []string{"+33698112233"}, "emails": []string{"philomene.troisepis@invented.example"}},
		map[string]any{"displayName": "Anatole Deuxponts", "phoneNumbers": []string{"+33655443322"}, "emails": []string{"anatole.deuxponts@invented.example"}},
	}})
	s.contacts = append(s.contacts, "Zébulon Quatrepattes", "+33612998877", "philomene.troisepis@invented.example", "Anatole Deuxponts", "sync-token-441199-contact", string(contacts))
	k.exchange("POST", "https://contacts.vendor.example/sync?t=sync-token-441199-contact", js, contacts, []byte(`{"code":0}`), noCut)
	s.bank = append(s.bank, "account-FR7612345987", "bank-session-99887766")
	k.exchange("GET", "https://www.bank.example/accounts/account-FR7612345987", "Authorization: Bearer bank-session-99887766\r\n", nil, []byte(`{"balance":"account-FR7612345987"}`), noCut)

	photo := k.persona.Get("photo-1").Photo.Data
	half := len(photo) / 2
	for i, piece := range [][]byte{photo[:half], photo[half:]} {
		begin := i * half
		k.exchange("PUT", "https://gallery.vendor.example/upload/resumable-id-77411", fmt.Sprintf("Content-Type: image/jpeg\r\nContent-Range: bytes %d-%d/%d\r\n", begin, begin+len(piece)-1, len(photo)), piece, []byte(`{}`), noCut)
	}
	s.photo = append(s.photo, string(photo[half:half+300]), string(photo[400:700]), "resumable-id-77411")

	large := make([]byte, 2*flow.ChunkSize+1234)
	_, _ = rand.Read(large)
	k.exchange("POST", "https://cdn.vendor.example/large", "", large, nil, noCut)
	k.exchange("POST", "https://cdn.vendor.example/cut", "", append(large[:5000:5000], "what comes behind"...), nil, 3000)

	ws := k.exchange("GET", "https://push.vendor.example/socket", "", nil, nil, noCut)
	for _, text := range []string{`{"hello":"frame-secret-1122334455"}`, `{"imei":"` + k.value("imei") + `"}`} {
		f := &flow.Frame{Exchange: ws.ID, Time: k.now, Direction: flow.Up, Opcode: 1, Payload: flow.BodyOf([]byte(text))}
		k.commit(f)
	}
	// Each compressed with what came before it (RFC 7692).
	var stream bytes.Buffer
	z, _ := flate.NewWriter(&stream, flate.BestCompression)
	for i := range 4 {
		_, _ = fmt.Fprintf(z, `{"n":%d,"imei":"%s","model":"HM NOTE 1LTE","battery_level":80}`, i, k.value("imei"))
		_ = z.Flush()
		k.commit(&flow.Frame{Exchange: ws.ID, Time: k.now, Direction: flow.Up, Opcode: 1, Deflated: true, Payload: flow.BodyOf(bytes.Clone(stream.Bytes()[:stream.Len()-4]))})
		stream.Reset()
	}
	s.other = append(s.other, "frame-secret-1122334455", string(large[1000:1300]), "first-bytes-of-a-raw-stream")
	raw := &flow.Connection{Opened: k.now, Door: "http", Device: "redmi", Host: "198.51.100.77", Port: 5222, Outcome: flow.Raw, FirstUp: []byte("first-bytes-of-a-raw-stream")}
	k.begin(raw)
	k.commit(raw)
	k.tunnel(&s)
	k.mark("", nil, "")
	return s
}

// tunnel acts out what only doors that see all of a phone's traffic record.
func (k *testCase) tunnel(s *secrets) {
	k.t.Helper()
	look := func(name, kind string, addresses string, answers ...string) int64 {
		l := &flow.Lookup{
			Time: k.now, Door: "wireguard", Device: "redmi", Client: netip.MustParseAddrPort("10.77.0.2:5353"), Over: "udp",
			Server: netip.MustParseAddrPort("10.77.0.1:53"), Resolver: netip.MustParseAddrPort("192.0.2.53:53"), Name: name, Type: kind, Code: "NOERROR", Answers: answers,
		}
		if addresses != "" {
			l.Addresses = append(l.Addresses, netip.MustParseAddr(addresses))
		}
		k.commit(l)
		return l.ID
	}
	relayed := func(host, app string, lookup int64, up, down string) {
		conn := &flow.Connection{
			Opened: k.now, Door: "wireguard", Device: "redmi", App: app, Client: netip.MustParseAddrPort("10.77.0.2:40000"), Host: host, Port: 8883,
			Server: netip.MustParseAddrPort(host + ":8883"), Lookup: lookup, Protocol: "mqtt", Outcome: flow.Raw, FirstUp: []byte(up),
		}
		k.begin(conn)
		x := &flow.Exchange{
			Connection: conn.ID, Device: "redmi", App: app, Door: "wireguard", Began: k.now, Scheme: "tcp", Host: host, Port: 8883, Server: conn.Server,
			Request: flow.Message{Body: flow.BodyOf([]byte(up))}, Response: flow.Message{Body: flow.BodyOf([]byte(down))},
		}
		k.begin(x)
		k.commit(x)
		k.commit(conn)
	}
	bank := look("www.bank.example", "A", "203.0.113.7", "www.bank.example. 300 IN CNAME edge-7.cdn.example.", "edge-7.cdn.example. 60 IN A 203.0.113.7")
	look("money.innocent.example", "A", "203.0.113.8", "money.innocent.example. 60 IN CNAME assets.bank.example.", "assets.bank.example. 60 IN A 203.0.113.8")
	look("7.113.0.203.in-addr.arpa", "PTR", "", "7.113.0.203.in-addr.arpa. 60 IN PTR www.bank.example.")
	look("txt.vendor.example", "TXT", "", `txt.vendor.example. 60 IN TXT "dns-answer-secret-5512"`)
	mqtt := look("mqtt.vendor.example", "A", "203.0.113.9", "mqtt.vendor.example. 60 IN A 203.0.113.9")
	relayed("203.0.113.7", "com.bank.invented", bank, "\x10\x00\x04MQTT account-FR7612345987 raw-bank-secret-88221", "ok")
	relayed("203.0.113.9", "com.vendor.push", mqtt, "\x10\x00\x04MQTT raw-mqtt-secret-4412 "+k.value("imei"), "raw-answer-secret-7741")
	if err := k.c.Declare(k.t.Context(), "pass", "www.bank.example", map[string]string{"host": "www.bank.example", "mode": "always"}); err != nil {
		k.t.Fatal(err)
	}
	early := &flow.Exchange{
		Device: "redmi", Door: "wireguard", Began: k.now, Method: "GET", Scheme: "https", Host: "cdn.vendor.example", Port: 443, Path: "/", Status: 200,
		Request: flow.Message{Proto: "HTTP/2.0", Head: []byte("GET / HTTP/1.1\r\n\r\n")}, Interim: []byte("HTTP/1.1 103 Early Hints\r\nLink: </interim-secret-9911>\r\n\r\n"),
	}
	k.begin(early)
	k.commit(early)
	s.bank = append(s.bank, "raw-bank-secret-88221")
	s.aliases = append(s.aliases, "com.bank.invented", "203.0.113.7", "money.innocent.example", "203.0.113.8", "7.113.0.203")
	s.other = append(s.other, "dns-answer-secret-5512", "interim-secret-9911", "raw-mqtt-secret-4412", "raw-answer-secret-7741")
}
