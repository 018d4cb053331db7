package report

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/proxy/flow"

	"github.com/google/go-cmp/cmp"
)

// A company's name may hold a comma, and a certificate may name no company.
func TestHolder(t *testing.T) {
	for subject, want := range map[string]string{
		`CN=*.example.com,O=Example (China) Technology Co.\, Ltd.,L=Hangzhou,C=CN`: "Example (China) Technology Co., Ltd.",
		`CN=a.example.com`:               "a.example.com (a domain only)",
		`CN=x,O=Soci\C3\A9t\C3\A9\+Fils`: "Société+Fils",
		`SERIALNUMBER=1+CN=x+O=Joined`:   "Joined",
		`CN=x,O=end\`:                    `end\`,
		``:                               "nobody named",
	} {
		certificate, err := json.Marshal(map[string]any{"subject": subject})
		if err != nil {
			t.Fatal(err)
		}
		if got := english.holder(string(certificate)); got != want {
			t.Errorf("%s: %q, want %q", subject, got, want)
		}
	}
}

// The registry that the rumour of 2014 named stands where it belongs and nowhere
// else: in the column of registries.
func TestTheRegistryIsNotTheOwner(t *testing.T) {
	b := newBuilder(t)
	var err error
	if b.in, err = inspect.New(inspect.Config{Decoders: decode.All, Owners: roles{}, Build: "test"}); err != nil {
		t.Fatal(err)
	}
	b.exchange("GET", "https://42.62.48.9/", "", nil, 200, "", nil)
	b.exchange("GET", "https://api.vendor.example/", "", nil, 200, "", nil)
	b.inspect()
	d := b.gather()
	if len(d.Addresses) != 1 || len(d.Hosts) != 2 {
		t.Fatalf("%+v", d.Addresses)
	}
	a := d.Addresses[0]
	if a.Registry != "APNIC" || english.network(a) != "AS64496 Invented Carrier" || a.Cloud != "Invented Cloud" || a.Country != "CN" || a.Requests != 2 || len(a.Hosts) != 2 {
		t.Errorf("%+v", a)
	}
	if !slices.Equal(d.OwnerTables, []string{"networks 2026-06-17, countries 2026-06-17"}) {
		t.Errorf("tables %q", d.OwnerTables)
	}
	for _, h := range d.Hosts {
		if h.Owner != "" && h.Owner != "Vendor Inc." {
			t.Errorf("%+v", h)
		}
	}
	said := strings.Join(d.Summary[1].Sentences, "\n")
	for _, want := range []string{"declared for CN (1). That is what networks and registries stated;", "1 address is in networks of hosting or delivery companies, Invented Cloud (1):"} {
		if !strings.Contains(said, want) {
			t.Errorf("the summary lacks %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "APNIC") {
		t.Errorf("the summary names the registry:\n%s", said)
	}
	page := b.html(b.options())
	if n := strings.Count(page, ">APNIC<"); n != 1 {
		t.Errorf("APNIC is printed %d times", n)
	}
	for _, want := range []string{`data-label="registry">APNIC<`, `<a href="https://db-ip.com/">IP Geolocation by DB-IP</a>`, "RouteViews", "networks 2026-06-17"} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %s", want)
		}
	}
}

// A server that let nobody look in has an owner too.
func TestUnreadServersHaveOwners(t *testing.T) {
	b := newBuilder(t)
	b.connection("api.vendor.example", flow.SuspectedPin, 900, 100, nil)
	opt := b.options()
	opt.Owners = roles{}
	d, err := Gather(t.Context(), &b.c.Reader, opt)
	if err != nil {
		t.Fatal(err)
	}
	want := UnreadRow{
		Host: "api.vendor.example", Address: "198.51.100.9", Owner: "Vendor Inc.", Domain: "vendor.example", Network: "AS64496 Invented Carrier",
		Cloud: "Invented Cloud", Country: "CN", Outcomes: []string{"suspected_pin"}, Connections: 1, BytesUp: 900, BytesDown: 100,
	}
	if len(d.Coverage.Unread) != 1 || !cmp.Equal(d.Coverage.Unread[0], want) {
		t.Errorf("(-want +got)\n%s", cmp.Diff([]UnreadRow{want}, d.Coverage.Unread))
	}
	page := b.html(opt)
	for _, want := range []string{"Vendor Inc.<span class=\"sub\">AS64496 Invented Carrier", "networks 2026-06-17", "db-ip.com"} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %s", want)
		}
	}
}

// roles is an invented table that knows every role.
type roles struct{}

func (roles) Lookup(host string, _ netip.Addr) inspect.Owner {
	o := inspect.Owner{
		Country: "CN", AS: 64496, ASHolder: "Invented Carrier", Registry: "APNIC", Cloud: "Invented Cloud",
		Data: "networks 2026-06-17, countries 2026-06-17",
	}
	if host == "api.vendor.example" {
		o.Name, o.Domain, o.Company = "Vendor Inc.", "vendor.example", "Vendor Inc."
	}
	return o
}

// An address at which nobody answered has answered for nobody, and of a host whose
// request was read something was read, though its connection came to nothing.
func TestNobodyAnswered(t *testing.T) {
	b := newBuilder(t)
	b.exchange("GET", "https://here.vendor.example/", "", nil, 200, "", nil)
	gone := b.connection("gone.vendor.example", flow.ServerFailed, 1900, 1300, func(c *flow.Connection) {
		c.Server, c.ServerTLS, c.Reason = netip.MustParseAddrPort("203.0.113.4:443"), nil, "connect: connection refused"
	})
	b.commit(&flow.Exchange{
		Connection: gone.ID, Device: "redmi-note", Door: "http", Began: b.now, Method: "GET", Scheme: "https", Host: "gone.vendor.example", Port: 443, Path: "/never",
		Server: gone.Server, Error: "connect: connection refused", Request: flow.Message{Proto: "HTTP/1.1", Exact: true, Head: []byte("GET /never HTTP/1.1\r\nHost: gone.vendor.example\r\n\r\n")},
	})
	b.connection("bank.example", flow.ClientRefused, 640, 2900, nil)
	b.inspect()
	d := b.gather()
	if len(d.Addresses) != 1 || d.Addresses[0].Address != "198.51.100.9" {
		t.Errorf("addresses that answered: %+v", d.Addresses)
	}
	for _, h := range d.Hosts {
		if h.Host == "gone.vendor.example" && len(h.Addresses) > 0 {
			t.Errorf("%+v", h)
		}
	}
	if u := d.Coverage.Unread; len(d.Hosts) != 2 || len(u) != 1 || u[0].Host != "bank.example" || d.Coverage.Failed != 1 {
		t.Errorf("never read: %+v; %d failed", u, d.Coverage.Failed)
	}
}
