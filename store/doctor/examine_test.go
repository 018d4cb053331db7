package doctor

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"constat/proxy/flow"
	"constat/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2014, 7, 20, 8, 0, 0, 0, time.UTC)

// testCase is a real case, which stays open for writing while it is examined.
type testCase struct {
	*store.Case
	t    *testing.T
	path string
	now  time.Time
}

func newCase(t *testing.T) *testCase {
	t.Helper()
	dir := t.TempDir()
	c := &testCase{t: t, path: filepath.Join(dir, "test.constat"), now: epoch}
	var err error
	c.Case, err = store.Open(t.Context(), store.Config{Path: c.path, KeyFile: filepath.Join(dir, "key"), Tool: "test", Clock: func() time.Time { return c.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// The TLS libraries of the tests.
const (
	browser = "t13d1516h2_8daaf6152771_02713d6af862"
	okhttp  = "t13d1312h2_f57a46bbacb6_ab7e3b40a677"
)

// add records a connection that was opened a second after the one before and was
// open for half a second.
func (c *testCase) add(n flow.Connection) {
	c.t.Helper()
	c.now = c.now.Add(time.Second)
	n.Opened = c.now
	if n.Duration == 0 {
		n.Duration = time.Second / 2
	}
	if n.Device == "" {
		n.Device = "redmi"
	}
	if n.Door == "" {
		n.Door = "http"
	}
	if n.Port == 0 {
		n.Port = 443
	}
	if n.BytesUp == 0 {
		n.BytesUp, n.BytesDown = 500, 2000
	}
	if err := c.Begin(&n); err != nil {
		c.t.Fatal(err)
	}
	if err := c.Commit(c.t.Context(), &n); err != nil {
		c.t.Fatal(err)
	}
}

// read, alert and ended are connections by TLS of a library.
func (c *testCase) read(host, ja4 string) {
	c.t.Helper()
	c.add(flow.Connection{Host: host, SNI: host, JA4: ja4, ClientTLS: &flow.TLS{Version: "TLS 1.3"}, Outcome: flow.Intercepted})
}

func (c *testCase) alert(host, ja4, alert string) {
	c.t.Helper()
	c.add(flow.Connection{Host: host, SNI: host, JA4: ja4, ClientTLS: &flow.TLS{Alert: alert, Error: "alert " + alert}, Outcome: flow.ClientRefused})
}

func (c *testCase) ended(host, ja4, how string) {
	c.t.Helper()
	c.add(flow.Connection{Host: host, SNI: host, JA4: ja4, ClientTLS: &flow.TLS{Error: how}, Outcome: flow.ClientRefused})
}

func (c *testCase) unserved(host, reason string, facts *flow.TLS) {
	c.t.Helper()
	c.add(flow.Connection{Host: host, SNI: host, JA4: browser, ClientTLS: &flow.TLS{Version: "TLS 1.3"}, ServerTLS: facts, Outcome: flow.ServerFailed, Reason: reason})
}

func (c *testCase) examine(o Options) *Diagnosis {
	c.t.Helper()
	r, err := store.OpenReader(c.t.Context(), c.path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Close()
	d, err := Examine(c.t.Context(), r, o)
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

// verdicts are the hosts with their causes, in their order.
func verdicts(d *Diagnosis) []string {
	var out []string
	for _, e := range d.Entries {
		s := e.Host + ":"
		for _, v := range e.Causes {
			s += " " + v.ID + "=" + v.Sure.String()
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func (c *testCase) want(o Options, want ...string) *Diagnosis {
	c.t.Helper()
	d := c.examine(o)
	if diff := cmp.Diff(want, verdicts(d)); diff != "" {
		c.t.Errorf("(-want +got):\n%s", diff)
	}
	return d
}

func says(t *testing.T, e *Entry, want ...string) {
	t.Helper()
	text := strings.Join(e.Facts, "\n")
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s: no %q in\n%s", e.Host, w, text)
		}
	}
}

func TestNothingAndAllWell(t *testing.T) {
	c := newCase(t)
	if d := c.want(Options{}); d.Summary.Connections != 0 {
		t.Errorf("%+v", d.Summary)
	}
	c.read("a.example", okhttp)
	c.add(flow.Connection{Host: "b.example", Port: 80, Outcome: flow.Plain})
	c.add(flow.Connection{Host: "b.example", Outcome: flow.Idle, Reason: "closed before any byte came"})
	c.add(flow.Connection{Host: "192.0.2.1", Transport: "icmp", Outcome: flow.Raw})
	c.add(flow.Connection{Host: "b.example", Outcome: flow.CutOff})
	d := c.want(Options{})
	if diff := cmp.Diff(Summary{Connections: 2, BytesUp: 1000, Empty: 1, Doors: []string{"http"}, Causes: []Share{}}, d.Summary); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Everything that a device encrypts is refused because the CA is unknown to it.
func TestCANotInstalled(t *testing.T) {
	c := newCase(t)
	for _, h := range []string{"a.example", "b.example", "c.example"} {
		c.alert(h, okhttp, "unknown_ca")
		c.alert(h, okhttp, "unknown_ca")
	}
	d := c.want(
		Options{},
		"a.example: ca_not_trusted=likely", "b.example: ca_not_trusted=likely", "c.example: ca_not_trusted=likely",
	)
	s := d.Summary
	if s.Unread != 6 || s.Mute != 6 || s.Connections != 6 || len(s.Causes) != 1 || s.Causes[0].Hosts != 3 || s.Causes[0].Connections != 6 {
		t.Errorf("%+v", s)
	}
	says(t, &d.Entries[0], "2 connections at 2014-07-20 08:00 UTC", "Twice the app ended the handshake with \"I do not know who signed this\"", "The same TLS library refused 2 other hosts, too.", "Nothing encrypted of this device could be read.")
	if n := len(d.Entries[0].Steps); n != 4 {
		t.Errorf("%d steps for a device of which nothing is known", n)
	}
	if err := c.Declare(t.Context(), store.TopicDevice, "redmi", map[string]string{"model": "Redmi Note 4G"}); err != nil {
		t.Fatal(err)
	}
	d = c.examine(Options{})
	if p := d.Devices[0].Platform; p != Android || d.Entries[0].Steps[0].Platform != Android {
		t.Errorf("%q, %+v", p, d.Entries[0].Steps)
	}
}

// Some apps take the user's certificates and some do not: it is the app.
func TestAppTakesTheSystemsOnly(t *testing.T) {
	c := newCase(t)
	for range 3 {
		c.read("www.example", browser)
		c.alert("api.example", okhttp, "unknown_ca")
		c.read("api.example", browser)
	}
	c.alert("log.example", okhttp, "certificate_unknown")
	d := c.want(
		Options{},
		"api.example: app_takes_system_only=likely own_authorities=possible",
		"log.example: app_takes_system_only=possible pinned=possible",
	)
	says(t, &d.Entries[0], "3 times the app ended", "3 other connections of this device to this host could be read.", "All of these were for another app or TLS library than those that refused.")
	if v := d.Entries[0].Causes[0]; !strings.Contains(v.Why, "this app that refuses, not the device") || d.Entries[1].Causes[0].Why != "" {
		t.Errorf("%+v", v)
	}
	if got := d.Entries[0].ReadJA4; !slices.Equal(got, []string{browser}) {
		t.Errorf("read for %v", got)
	}
	says(t, &d.Entries[1], "says no to the certificate, but not why (certificate_unknown)", "The same TLS library refused 1 other host, too.")
}

// An app that takes the certificate everywhere but at one host has pinned that one.
func TestPinned(t *testing.T) {
	c := newCase(t)
	app := func(host string, outcome flow.Outcome, facts flow.TLS) {
		c.add(flow.Connection{Host: host, SNI: host, JA4: okhttp, App: "com.example.bank", ClientTLS: &facts, Outcome: outcome})
	}
	app("news.example", flow.Intercepted, flow.TLS{Version: "TLS 1.3"})
	app("pinned.example", flow.ClientRefused, flow.TLS{Alert: "certificate_unknown"})
	for range 3 {
		app("silent.example", flow.SuspectedPin, flow.TLS{Version: "TLS 1.3"})
	}
	app("once.example", flow.SuspectedPin, flow.TLS{Version: "TLS 1.3"})
	app("unknown.example", flow.ClientRefused, flow.TLS{Alert: "unknown_ca"})
	d := c.want(
		Options{},
		"once.example: pinned=possible opened_in_advance=possible",
		"pinned.example: pinned=likely",
		"silent.example: pinned=likely",
		"unknown.example: own_authorities=possible",
	)
	for i := range d.Entries {
		says(t, &d.Entries[i], "From the app: com.example.bank.", "The same app let 1 connection to other hosts be read.")
	}
}

// What was refused before the certificate was installed.
func TestBeforeTheCertificate(t *testing.T) {
	c := newCase(t)
	c.alert("a.example", okhttp, "unknown_ca")
	c.alert("b.example", okhttp, "certificate_unknown")
	c.read("a.example", okhttp)
	d := c.want(
		Options{},
		"a.example: settled=likely",
		"b.example: not_trusted_yet=likely app_takes_system_only=possible pinned=possible",
	)
	if d.Entries[1].Host != "a.example" {
		t.Error("what is settled does not come last")
	}
	// Refused, read, refused, read: nothing is settled.
	c.alert("a.example", okhttp, "certificate_unknown")
	c.read("a.example", okhttp)
	for _, v := range verdicts(c.examine(Options{})) {
		if strings.Contains(v, "settled") {
			t.Error(v)
		}
	}
}

func TestServers(t *testing.T) {
	c := newCase(t)
	c.unserved("self.example", "server_tls: self-signed: the certificate is issued by itself", &flow.TLS{Error: "self-signed: the certificate is issued by itself"})
	c.unserved("private.example", "server_tls: unknown issuer: no trusted root signed the certificate", &flow.TLS{Error: "unknown issuer: no trusted root signed the certificate"})
	c.unserved("name.example", `server_tls: wrong host: the certificate is for "x", not for "y"`, nil)
	c.unserved("old.example", "server_tls: expired: the certificate ended", nil)
	c.unserved("new.example", "server_tls: not yet valid: the certificate begins", nil)
	c.unserved("mutual.example", "server_tls: remote error: tls: certificate required", &flow.TLS{Alert: "certificate_required", Error: "remote error"})
	c.unserved("weak.example", "server_tls: tls: server selected unsupported protocol version 302", nil)
	c.unserved("none.example", "dns: lookup none.example: no such host", nil)
	c.unserved("down.example", "connect: dial tcp 192.0.2.1:443: connection refused", nil)
	c.unserved("slow.example", "timeout: dial tcp 192.0.2.1:443: i/o timeout", nil)
	d := c.want(
		Options{},
		"down.example: server_unreachable=known", "mutual.example: server_wants_certificate=known", "name.example: server_wrong_name=known", "new.example: server_expired=known",
		"none.example: name_not_resolved=known", "old.example: server_expired=known", "private.example: server_private_ca=known", "self.example: server_private_ca=known",
		"slow.example: server_unreachable=known", "weak.example: server_tls=known",
	)
	if s := d.Summary; s.Failed != 10 || s.Unread != 0 || s.Mute != 0 {
		t.Errorf("%+v", s)
	}
}

func TestHandshakes(t *testing.T) {
	c := newCase(t)
	c.read("www.example", browser)
	c.alert("clock.example", okhttp, "certificate_expired")
	c.alert("old.example", okhttp, "protocol_version")
	c.ended("ssl3.example", okhttp, "tls: client offered only unsupported versions: [300]")
	c.ended("slow.example", okhttp, "timeout")
	c.ended("gone.example", okhttp, "reset")
	c.alert("odd.example", okhttp, "internal_error")
	c.alert("chrome.example", browser, "certificate_unknown")
	c.add(flow.Connection{Host: "spare.example", SNI: "spare.example", JA4: okhttp, ClientTLS: &flow.TLS{Version: "TLS 1.3"}, Outcome: flow.Idle, Reason: "handshake fine, then silent until it timed out"})
	for range 4 {
		c.add(flow.Connection{Host: "later.example", SNI: "later.example", JA4: okhttp, ClientTLS: &flow.TLS{Version: "TLS 1.3"}, Outcome: flow.SuspectedPin, Duration: 10 * time.Second})
	}
	c.want(
		Options{},
		"chrome.example: app_takes_system_only=possible certificate_transparency=possible pinned=possible",
		"clock.example: certificate_validity=likely",
		"gone.example: app_takes_system_only=possible gave_up=possible",
		"later.example: opened_in_advance=likely",
		"odd.example: gave_up=possible",
		"old.example: no_common_tls=likely",
		"slow.example: gave_up=likely",
		"spare.example: opened_in_advance=likely",
		"ssl3.example: no_common_tls=likely",
	)
}

func TestWhatConstatDid(t *testing.T) {
	c := newCase(t)
	c.add(flow.Connection{Host: "set.example", Outcome: flow.Passed, Reason: "passed unread: set so for this host", BytesUp: 50_000})
	c.add(flow.Connection{Host: "auto.example", Outcome: flow.Passed, Reason: "passed unread: the app has refused 3 times; to be tried again at 08:00:00 UTC", BytesUp: 90_000})
	c.add(flow.Connection{Host: "push.example", Port: 5222, Protocol: "xmpp", Outcome: flow.Raw, Reason: "neither TLS nor HTTP: relayed unread"})
	c.add(flow.Connection{Host: "192.0.2.9", Port: 4000, Transport: "udp", Outcome: flow.Raw, Reason: "datagrams: relayed, with the first bytes kept"})
	c.add(flow.Connection{Device: "stranger", Host: "a.example", Outcome: flow.Refused, Reason: "the client is not admitted"})
	c.add(flow.Connection{Device: "stranger", Host: "b.example", Outcome: flow.Refused, Reason: "the client is not admitted"})
	c.add(flow.Connection{Device: "enrolled", Host: "a.example", Outcome: flow.Refused, Reason: "the client is not admitted"})
	c.add(flow.Connection{Device: "enrolled", Host: "a.example", Outcome: flow.Idle, Reason: "closed before any byte came"})
	c.add(flow.Connection{Host: "192.168.1.1", Outcome: flow.Refused, Reason: "refused: this is a listener of Constat itself"})
	c.add(flow.Connection{Host: "192.168.1.2", Port: 9100, Outcome: flow.Refused, Reason: "refused: 192.168.1.2 is in a local network"})
	d := c.want(
		Options{},
		"192.168.1.2: local_network=known", ": not_enrolled=known", "auto.example: passed_after_refusals=known", "push.example: not_http=known", "set.example: set_unread=known",
	)
	if d.Entries[0].Host != "auto.example" || d.Entries[1].Host != "set.example" {
		t.Errorf("the most bytes do not come first: %v", verdicts(d))
	}
	if s := d.Summary; s.Connections != 4 || s.Unread != 4 || s.Nameless != 1 || s.Refused != 5 || s.Empty != 1 {
		t.Errorf("%+v", s)
	}
}

// QUIC that was refused is a gap only when nothing came by TCP instead.
func TestQUIC(t *testing.T) {
	c := newCase(t)
	quic := func(host, sni string) {
		c.add(flow.Connection{Door: "wireguard", Transport: "udp", Host: host, SNI: sni, JA4: "q13d0310h3_55b375c5d22e_cd85d2d88918", Protocol: "quic", Outcome: flow.Refused, Reason: "QUIC is refused, so that the app falls back to TCP, which can be read"})
	}
	quic("192.0.2.1", "back.example")
	c.read("back.example", browser)
	quic("192.0.2.2", "")
	c.add(flow.Connection{Host: "byaddress.example", SNI: "byaddress.example", Server: addr("192.0.2.2:443"), ClientTLS: &flow.TLS{Version: "TLS 1.3"}, Outcome: flow.Intercepted})
	c.add(flow.Connection{Host: "open.example", SNI: "open.example", ClientTLS: &flow.TLS{Version: "TLS 1.3"}, Outcome: flow.Intercepted, Duration: time.Minute})
	quic("192.0.2.3", "open.example")
	c.read("earlier.example", browser)
	quic("192.0.2.4", "earlier.example")
	quic("192.0.2.5", "only.example")
	quic("192.0.2.5", "only.example")
	quic("192.0.2.6", "refused.example")
	c.alert("refused.example", okhttp, "unknown_ca")
	d := c.want(
		Options{},
		"earlier.example: quic_only=likely", "only.example: quic_only=likely", "refused.example: app_takes_system_only=likely own_authorities=possible",
	)
	for _, e := range d.Entries {
		if e.Host == "only.example" {
			says(t, &e, "Twice QUIC was tried and refused")
		}
	}
}

// So is private DNS only when the device did not go back to the plain one.
func TestPrivateDNS(t *testing.T) {
	c := newCase(t)
	dot := func(device string) {
		c.add(flow.Connection{Device: device, Door: "wireguard", Host: "dns.example", SNI: "dns.example", Port: 853, Outcome: flow.Refused, Reason: "private DNS is refused, so that the phone asks where it can be seen"})
	}
	ask := func(device string) {
		c.now = c.now.Add(time.Second)
		if err := c.Commit(t.Context(), &flow.Lookup{Time: c.now, Door: "wireguard", Device: device, Name: "a.example", Type: "A", Code: "NOERROR", Over: "udp"}); err != nil {
			t.Fatal(err)
		}
	}
	dot("automatic")
	ask("automatic")
	ask("strict")
	dot("strict")
	d := c.want(Options{}, "dns.example: private_dns=known")
	if d.Entries[0].Device != "strict" {
		t.Errorf("%+v", d.Entries[0])
	}
}

// A name that the DNS told stands for a bare address.
func TestNamesOfTheDNS(t *testing.T) {
	c := newCase(t)
	l := &flow.Lookup{Time: c.now, Door: "wireguard", Device: "redmi", Name: "push.example", Type: "A", Code: "NOERROR", Over: "udp", Addresses: []netip.Addr{addr("192.0.2.7:1").Addr()}}
	if err := c.Commit(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	c.add(flow.Connection{Host: "192.0.2.7", Port: 5228, Lookup: l.ID, Outcome: flow.Raw})
	c.want(Options{}, "push.example: not_http=known")
}

func TestScope(t *testing.T) {
	c := newCase(t)
	c.alert("early.example", okhttp, "unknown_ca")
	c.now = c.now.Add(time.Second)
	if err := c.Mark(t.Context(), "idle", nil, ""); err != nil {
		t.Fatal(err)
	}
	c.read("www.example", browser)
	c.alert("api.Vendor.example", okhttp, "unknown_ca")
	c.add(flow.Connection{Device: "iphone", Host: "api.vendor.example", SNI: "api.vendor.example", JA4: okhttp, ClientTLS: &flow.TLS{Alert: "unknown_ca"}, Outcome: flow.ClientRefused})
	c.read("www.vendor.example", browser)
	idle := store.Scope{Sessions: []string{"idle"}}
	c.want(Options{Scope: idle}, "api.vendor.example: app_takes_system_only=likely own_authorities=possible", "api.vendor.example: ca_not_trusted=possible app_takes_system_only=possible")
	idle.Device = "redmi"
	c.want(Options{Scope: idle}, "api.vendor.example: app_takes_system_only=likely own_authorities=possible")
	d := c.want(Options{Scope: store.Scope{Device: "redmi"}, Host: "Vendor.example."}, "api.vendor.example: app_takes_system_only=likely own_authorities=possible")
	if s := d.Summary; s.Connections != 2 || s.Unread != 1 {
		t.Errorf("%+v", s)
	}
	if d := c.want(Options{Host: "endor.example"}); d.Summary.Connections != 0 {
		t.Errorf("%+v", d.Summary)
	}
	if d := c.want(Options{Host: "www.vendor.example"}); d.Summary.Connections != 1 {
		t.Errorf("%+v", d.Summary)
	}
}

// Cases of every older format are examined as they are.
func TestOldCases(t *testing.T) {
	for format, want := range map[int][]string{1: nil, 2: {"pinned.example"}, 3: {"pinned.example", "push.example"}} {
		f, err := os.Open(fmt.Sprintf("../testdata/format%d/case.constat.gz", format))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "old.constat")
		if err := os.WriteFile(path, data, 0o400); err != nil {
			t.Fatal(err)
		}
		r, err := store.OpenReader(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		d, err := Examine(t.Context(), r, Options{})
		if err != nil {
			t.Fatalf("format %d: %v", format, err)
		}
		var got []string
		for _, e := range d.Entries {
			got = append(got, e.Host)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); format > 1 && diff != "" || d.Summary.Connections == 0 && format > 1 {
			t.Errorf("format %d: %+v (-want +got):\n%s", format, d.Summary, diff)
		}
	}
}

// However many names a phone makes up, no more are kept than are bounded, and all
// connections are counted.
func TestBounds(t *testing.T) {
	g := &gathered{devices: map[string]*device{}, hosts: map[hostKey]*host{}}
	const many = maxHosts + 1000
	for i := range many {
		g.take(&row{device: "redmi", host: "a.example", sni: fmt.Sprintf("%d.example", i), ja4: fmt.Sprint(i), outcome: "client_refused", alert: "unknown_ca", transport: "tcp", at: "2014-07-20T08:00:00.000000Z", hello: true})
		g.take(&row{device: "redmi", host: "0.example", ja4: fmt.Sprint(i), app: fmt.Sprint(i), reason: fmt.Sprint(i), alert: fmt.Sprint(i), outcome: "client_refused", transport: "tcp", hello: true})
	}
	if len(g.hosts) != maxHosts || g.more != 1000 || g.Connections != 2*many || g.Unread != 2*many {
		t.Errorf("%d hosts, %d more, %+v", len(g.hosts), g.more, g.Summary)
	}
	h := g.hosts[hostKey{"redmi", "0.example"}]
	e := g.entry(h)
	if len(h.who) > maxWho || len(e.Apps) > maxShown || len(e.JA4) > maxShown || len(e.Alerts) > maxShown || len(e.Reasons) > maxShown || len(g.devices["redmi"].who) > maxHosts {
		t.Errorf("%d parties, %d apps", len(h.who), len(e.Apps))
	}
}

func TestJSON(t *testing.T) {
	c := newCase(t)
	c.alert("a.example", okhttp, "unknown_ca")
	out, err := json.Marshal(c.examine(Options{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"sure":"possible"`, `"unknown_ca":1`, `"unread_connections":1`, `"first":"2014-07-20T08:00:01Z"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
