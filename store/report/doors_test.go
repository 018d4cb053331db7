package report

import (
	"bytes"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"constat/proxy/flow"
	"constat/store"
)

// tunnelled acts out what a phone sends through a WireGuard tunnel.
func (b *builder) tunnelled() {
	b.t.Helper()
	look := func(name, address, app string) int64 {
		l := &flow.Lookup{Time: b.now, Door: "wireguard", Device: "redmi-note", App: app, Over: "udp", Name: name, Type: "A", Code: "NXDOMAIN"}
		if address != "" {
			l.Code, l.Addresses, l.Answers = "NOERROR", []netip.Addr{netip.MustParseAddr(address)}, []string{name + ". 60 IN A " + address}
		}
		if err := b.c.Commit(b.t.Context(), l); err != nil {
			b.t.Fatal(err)
		}
		return l.ID
	}
	tunnel := func(host string, outcome flow.Outcome, up int64, change func(*flow.Connection)) *flow.Connection {
		return b.connection(host, outcome, up, 100, func(c *flow.Connection) {
			c.Door, c.ALPN = "wireguard", ""
			change(c)
		})
	}
	look("api.vendor.example", "198.51.100.9", "")
	look("never.vendor.example", "198.51.100.10", "com.vendor.ads")
	look("absent.vendor.example", "", "")
	mqtt := look("mqtt.vendor.example", "198.51.100.11", "com.vendor.push")
	tunnel("api.vendor.example", flow.Intercepted, 900, func(c *flow.Connection) { c.Lookup = 1 })
	raw := tunnel("198.51.100.11", flow.Raw, 60, func(c *flow.Connection) {
		c.SNI, c.ClientTLS, c.ServerTLS, c.Port, c.Protocol, c.App, c.Lookup = "", nil, nil, 1883, "mqtt", "com.vendor.push", mqtt
		c.Server = netip.MustParseAddrPort("198.51.100.11:1883")
	})
	x := &flow.Exchange{
		Connection: raw.ID, Device: "redmi-note", App: "com.vendor.push", Door: "wireguard", Began: b.now, Duration: time.Second, Scheme: "tcp",
		Host: "198.51.100.11", Port: 1883, Server: netip.MustParseAddrPort("198.51.100.11:1883"),
		Request: flow.Message{Body: flow.BodyOf([]byte(`{"imei":"` + b.value("imei") + `"}`))}, Response: flow.Message{Body: flow.BodyOf([]byte("ok"))},
	}
	b.commit(x)
	tunnel("198.51.100.99", flow.Raw, 48, func(c *flow.Connection) {
		c.SNI, c.ClientTLS, c.ServerTLS, c.Transport, c.Port, c.Protocol = "", nil, nil, "udp", 123, "ntp"
	})
	for range 3 {
		tunnel("api.vendor.example", flow.Refused, 1200, func(c *flow.Connection) { c.Transport, c.Protocol, c.Lookup = "udp", "quic", 1 })
	}
	tunnel("dns.resolver.example", flow.Refused, 0, func(c *flow.Connection) { c.Port = 853 })
	tunnel("bank.example", flow.Passed, 5000, func(c *flow.Connection) {
		c.Protocol, c.Reason = "tls", "passed unread: the app has refused 3 times; to be tried again at 09:15:00 UTC"
	})
	for _, host := range []string{"bank.example", "store.example"} {
		if err := b.c.Declare(b.t.Context(), store.TopicPass, host, map[string]string{"host": host, "mode": "always"}); err != nil {
			b.t.Fatal(err)
		}
	}
	b.inspect()
}

func TestDoors(t *testing.T) {
	b := newBuilder(t)
	b.tunnelled()
	c := b.gather().Coverage
	if c.Connections != 4 || c.Readable != 1 || c.QUICRefused != 3 || c.PrivateDNSRefused != 1 {
		t.Errorf("%+v", c)
	}
	if len(c.Doors) != 1 || c.Doors[0].Lookups != 4 || strings.Join(c.Doors[0].Escapes, " ") != "before_tunnel sms vpn_bypass" {
		t.Errorf("%+v", c.Doors)
	}
	if len(c.NeverConnected) != 1 || c.NeverConnected[0].Name != "never.vendor.example" {
		t.Errorf("%+v", c.NeverConnected)
	}
	if len(c.NotLookedUp) != 2 || c.NotLookedUp[1].Host != "198.51.100.99" || c.NotLookedUp[1].Protocol != "ntp" {
		t.Errorf("%+v", c.NotLookedUp)
	}
	if len(c.Passing) != 2 || c.Passing[0].Host != "bank.example" || c.Passing[0].Mode != "always" || c.Passing[1].Connections != 0 {
		t.Errorf("%+v", c.Passing)
	}
	var unread []string
	for _, u := range c.Unread {
		unread = append(unread, u.Host)
	}
	if got := strings.Join(unread, " "); got != "bank.example 198.51.100.99" {
		t.Errorf("unread: %s", got)
	}
	for lang, want := range map[string][]string{
		"en": {
			"TCP to 198.51.100.11:1883, looks like MQTT", "com.vendor.push", "WireGuard tunnel", "3 attempts to use QUIC were refused", "1 connection for private DNS was refused",
			"never.vendor.example", "no TLS for 1 request", "UDP 123", "set: always", "Take the bytes that the phone sent", "what the system or an app keeps out of VPNs", "1 of them is not HTTP", "looked up as mqtt.vendor.example",
		},
		"fr": {
			"TCP vers 198.51.100.11:1883, ressemble à MQTT", "Tunnel WireGuard", "3\u00a0tentatives d’utiliser QUIC ont été refusées", "never.vendor.example", "pas de TLS pour", "réglé\u00a0: toujours",
			"Prendre les octets que le téléphone a envoyés", "dont 1\u00a0échange autre que HTTP",
		},
	} {
		opt := b.options()
		opt.Lang = lang
		page := b.html(opt)
		if *keep != "" {
			if err := os.WriteFile(strings.TrimSuffix(*keep, ".html")+"-doors-"+lang+".html", []byte(page), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range want {
			if !strings.Contains(page, s) {
				t.Errorf("%s: %q is not in the report", lang, s)
			}
		}
		for _, s := range []string{"null", "⟦", "absent.vendor.example", "tcp://", ">GET"} {
			if strings.Contains(page, s) {
				t.Errorf("%s: %q is in the report", lang, s)
			}
		}
		if diff := strange(t, page); len(diff) > 0 {
			t.Errorf("%s: %q", lang, diff)
		}
		var pdf bytes.Buffer
		if err := WritePDF(t.Context(), &pdf, &b.c.Reader, opt); err != nil || pdf.Len() < 10_000 {
			t.Errorf("%s: a PDF of %d bytes, %v", lang, pdf.Len(), err)
		}
		if problems := validate(t, b.complaint(opt)); len(problems) > 0 {
			t.Errorf("%s: %q", lang, problems)
		}
	}
}

// TestOneDoor: what only other doors record leaves no trace in a report of the HTTP proxy.
func TestOneDoor(t *testing.T) {
	b := newBuilder(t)
	b.affair()
	c := b.gather().Coverage
	if c.Doors != nil || len(c.Passing)+len(c.NeverConnected)+len(c.NotLookedUp) > 0 || c.QUICRefused+c.PrivateDNSRefused > 0 {
		t.Errorf("%+v", c)
	}
	page := b.html(b.options())
	for _, id := range []string{"doors", "passing", "asked", "unasked"} {
		if strings.Contains(page, `id="`+id+`"`) {
			t.Errorf("the report has the heading %s", id)
		}
	}
}
