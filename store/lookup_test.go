package store

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"constat/proxy/flow"
)

// TestWhatDoorsTell writes what only some doors tell, and finds it in the views
// and in the log.
func TestWhatDoorsTell(t *testing.T) {
	c := newCase(t)
	if err := c.Mark(t.Context(), "idle", nil, ""); err != nil {
		t.Fatal(err)
	}
	at := epoch.Add(time.Hour)
	look := func(name string, l flow.Lookup) int64 {
		l.Time, l.Door, l.Device, l.Over, l.Name, l.Type = at, "wireguard", "redmi", "udp", name, "A"
		l.Client, l.Server = netip.MustParseAddrPort("10.77.0.2:5353"), netip.MustParseAddrPort("10.77.0.1:53")
		if err := c.Commit(t.Context(), &l); err != nil {
			t.Fatal(err)
		}
		return l.ID
	}
	none := look("absent.example", flow.Lookup{Code: "NXDOMAIN"})
	look("silent.example", flow.Lookup{Error: "no resolver answered"})
	push := look("push.example", flow.Lookup{
		Code: "NOERROR", Duration: 1500 * time.Microsecond, App: "com.example.push", Resolver: netip.MustParseAddrPort("[2001:db8::53]:53"), Stripped: true,
		Answers:   []string{"push.example. 60 IN CNAME a.example.", "a.example. 60 IN A 192.0.2.7", "a.example. 60 IN A 192.0.2.8"},
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("192.0.2.8")},
	})
	if none != 1 || push != 3 {
		t.Errorf("lookups %d and %d", none, push)
	}
	n := &flow.Connection{
		Opened: at, Door: "wireguard", Device: "redmi", App: "com.example.push", Transport: "udp", Host: "192.0.2.7", Port: 5228,
		Lookup: push, HTTP2: "1:65536|0|0|m,a,s,p", Protocol: "fcm", Outcome: flow.Raw, FirstUp: []byte("first"),
	}
	if err := c.Begin(n); err != nil {
		t.Fatal(err)
	}
	if err := c.Commit(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	e := testExchange(1, []byte("a"), []byte("b"))
	e.App, e.Interim = "com.example.push", []byte("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
	commit(t, c, e)

	for query, want := range map[string][]string{
		"SELECT id, session, device, app, door, name, type, code, addresses, over, server, resolver, duration_ms, stripped, error, connections, session_id FROM dns ORDER BY id": {
			"1|idle|redmi||wireguard|absent.example|A|NXDOMAIN||udp|10.77.0.1:53||0|0||0|1",
			"2|idle|redmi||wireguard|silent.example|A|||udp|10.77.0.1:53||0|0|no resolver answered|0|1",
			"3|idle|redmi|com.example.push|wireguard|push.example|A|NOERROR|192.0.2.7 192.0.2.8|udp|10.77.0.1:53|[2001:db8::53]:53|1.5|1||1|1",
		},
		"SELECT answers FROM dns WHERE id = 3":                                         {"push.example. 60 IN CNAME a.example.\na.example. 60 IN A 192.0.2.7\na.example. 60 IN A 192.0.2.8"},
		"SELECT app, transport, protocol, dns_name, dns_id, http2 FROM connections":    {"com.example.push|udp|fcm|push.example|3|1:65536|0|0|m,a,s,p"},
		"SELECT app FROM requests":                                                     {"com.example.push"},
		"SELECT kind, count(*) FROM log WHERE kind = 'lookup'":                         {"lookup|3"},
		"SELECT transport, app, lookup, http2, protocol FROM connection WHERE id <> 1": nil,
	} {
		if diff := cmp.Diff(want, rows(t, c.DB(), query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	back, err := c.Exchange(t.Context(), e.ID)
	if err != nil || string(back.Interim) != string(e.Interim) || back.App != e.App {
		t.Errorf("%+v, %v", back, err)
	}
}
