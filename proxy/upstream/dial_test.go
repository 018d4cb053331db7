package upstream

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"constat/proxy/flow"
)

// named starts a server that answers each request with the name and its own
// Host field.
func named(t testing.TB, name string) netip.AddrPort {
	return netip.MustParseAddrPort(served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, name+" "+r.Host)
	})))
}

// TestAddress asks the same host at two addresses: each is dialled without
// resolving the name, and keeps connections of its own.
func TestAddress(t *testing.T) {
	one, two, three := named(t, "one"), named(t, "two"), named(t, "three")
	var asked []netip.AddrPort
	tr := open(t, Config{
		Resolve: map[string]string{"fixed.test:80": three.String()},
		Allow:   func(_ netip.Addr, a netip.AddrPort) error { asked = append(asked, a); return nil },
	})
	mapped := netip.AddrPortFrom(netip.AddrFrom16(one.Addr().As16()), one.Port())
	for _, tt := range []struct {
		host    string
		address netip.AddrPort
		want    string
		server  netip.AddrPort
		reused  bool
	}{
		{"a.invalid", one, "one a.invalid", one, false},
		{"a.invalid", two, "two a.invalid", two, false},
		{"a.invalid", one, "one a.invalid", one, true},
		{"a.invalid", mapped, "one a.invalid", one, true},
		{"a.invalid:81", one, "one a.invalid:81", one, false},
		{"fixed.test", one, "three fixed.test", three, false},
	} {
		c := &Call{Client: loopback, Address: tt.address}
		resp, err := tr.Do(request(t, "GET", tt.host, "/"), c)
		if got := all(t, resp, err); got != tt.want || c.Server != tt.server || c.Reused != tt.reused {
			t.Errorf("%s at %v: %q from %v, reused %v", tt.host, tt.address, got, c.Server, c.Reused)
		}
	}
	if len(asked) != 3 || asked[0] != one || asked[1] != two || asked[2] != one {
		t.Errorf("Allow was asked about %v", asked)
	}
	if _, err := tr.Do(request(t, "GET", "a.invalid", "/"), &Call{Client: loopback}); word(err) != flow.ErrDNS {
		t.Errorf("without an address: %v", err)
	}
}

func TestAddressRefused(t *testing.T) {
	one := named(t, "one")
	c := &Call{Client: netip.MustParseAddr("192.0.2.1"), Address: one}
	if _, err := open(t, Config{}).Do(request(t, "GET", "a.test", "/"), c); word(err) != flow.ErrRefused || c.Server.IsValid() {
		t.Errorf("got %v, server %v", err, c.Server)
	}
}

func TestDial(t *testing.T) {
	ca := newAuthority(t)
	addr, _ := secure(t, http.NotFoundHandler(), serverTLS(ca.issue(t, nil, "a.test")))
	at := netip.MustParseAddrPort(addr)
	tr := open(t, Config{Roots: ca.pool, Resolve: map[string]string{"fixed.test:443": addr}})
	for _, tt := range []struct {
		to      string
		address netip.AddrPort
		name    string
		word    string
	}{
		{addr, netip.AddrPort{}, "", ""},
		{"fixed.test:443", netip.AddrPort{}, "a.test", ""},
		{"fixed.test:443", netip.MustParseAddrPort("192.0.2.1:443"), "a.test", ""},
		{"a.invalid:443", at, "", ""},
		{"a.invalid:443", at, "a.test", ""},
		{"a.invalid:443", at, "b.test", flow.ErrServerTLS},
		{"a.invalid:443", netip.AddrPort{}, "", flow.ErrDNS},
	} {
		c, server, facts, err := tr.Dial(t.Context(), loopback, tt.to, tt.address, tt.name, "")
		if word(err) != tt.word || tt.word != flow.ErrDNS && server != at || (facts != nil) != (tt.name != "") {
			t.Errorf("%s at %v as %q: server %v, facts %v: %v", tt.to, tt.address, tt.name, server, facts, err)
		}
		if err == nil {
			c.Close()
		}
	}
	tr = open(t, Config{Allow: func(netip.Addr, netip.AddrPort) error { return errors.New("no") }})
	if _, server, _, err := tr.Dial(t.Context(), loopback, net.JoinHostPort("a.invalid", "1"), at, "", ""); word(err) != flow.ErrRefused || server.IsValid() {
		t.Errorf("refused: %v, server %v", err, server)
	}
}
