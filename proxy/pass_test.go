package proxy_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"constat/proxy"
	"constat/proxy/flow"
)

// TestPinnedApp is an app that accepts its server's own certificate only: it is cut
// off three times, then works, then is cut off again when it is set so.
func TestPinnedApp(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.PassAfter = 3 })
	srv := serve(t, true, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "from the server") })
	to := "localhost" + srv.URL[strings.LastIndexByte(srv.URL, ':'):]
	last := int64(0)
	try := func(trusting bool) (string, *flow.Connection) {
		t.Helper()
		roots := g.roots
		if trusting {
			roots = g.trust
		}
		c := g.connect(to)
		tc := tls.Client(c, &tls.Config{RootCAs: roots, ServerName: "localhost"})
		body := ""
		if err := tc.Handshake(); err == nil {
			_, body = ask(t, tc, to, "/")
		}
		c.Close()
		row := await(t, g.rec, func(c *flow.Connection) bool { return c.ID > last })
		last = row.ID
		return body, row
	}
	expect := func(what string, trusting bool, body string, outcome flow.Outcome) *flow.Connection {
		t.Helper()
		got, row := try(trusting)
		if got != body || row.Outcome != outcome {
			t.Errorf("%s: %q, %s (%s)", what, got, row.Outcome, row.Reason)
		}
		return row
	}
	for n := range 3 {
		expect(fmt.Sprint("refusal ", n+1), false, "", flow.ClientRefused)
	}
	row := expect("after three refusals", false, "from the server", flow.Passed)
	if !strings.Contains(row.Reason, "refused 3 times") || row.SNI != "localhost" || row.JA4 == "" || row.ClientTLS == nil ||
		!row.Server.IsValid() || row.BytesUp < 300 || row.BytesDown < 300 || len(row.FirstUp) > 0 || len(row.FirstDown) > 0 ||
		row.Protocol != "tls" || row.ServerTLS == nil || row.ServerTLS.Version != "TLS 1.3" {
		t.Errorf("%+v", row)
	}
	if list := g.proxy.Passes(); len(list) != 1 || list[0].Host != "localhost" || list[0].Device != "127.0.0.1" || list[0].Refusals != 3 || list[0].Until.IsZero() {
		t.Errorf("%+v", list)
	}
	g.proxy.SetPass("127.0.0.1", "LocalHost.", proxy.Never)
	expect("set to intercept", false, "", flow.ClientRefused)
	expect("an app that trusts the CA", true, "from the server", flow.Intercepted)
	g.proxy.SetPass("127.0.0.1", "localhost", proxy.Auto)
	expect("forgotten", false, "", flow.ClientRefused)
	expect("read in between", true, "from the server", flow.Intercepted)
	for range 2 {
		expect("refusals count from the last success", false, "", flow.ClientRefused)
	}
	expect("not yet three in a row", true, "from the server", flow.Intercepted)
	if list := g.proxy.Passes(); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	for range 3 {
		expect("and again", false, "", flow.ClientRefused)
	}
	expect("after three more", false, "from the server", flow.Passed)
	g.proxy.SetPass("", "localhost", proxy.Never)
	expect("set to intercept for all devices", false, "", flow.ClientRefused)
	g.proxy.SetPass("", "localhost", proxy.Always)
	expect("set to pass for all devices", false, "from the server", flow.Passed)
	g.proxy.SetPass("127.0.0.1", "localhost", proxy.Never)
	expect("but not for this one", true, "from the server", flow.Intercepted)
}

// TestOwnPageNeverPasses: the page that tells whether the certificate is trusted
// can be loaded however often it was not.
func TestOwnPageNeverPasses(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.PassAfter = 1 })
	for range 3 {
		_ = tls.Client(g.connect("constat.test:443"), &tls.Config{RootCAs: g.roots, ServerName: "constat.test"}).Handshake()
	}
	await(t, g.rec, func(c *flow.Connection) bool { return c.Outcome == flow.ClientRefused })
	c := g.connectTLS("constat.test:443", "constat.test")
	if _, body := ask(t, c, "constat.test", "/check"); body != "local page for /check" {
		t.Error(body)
	}
}
