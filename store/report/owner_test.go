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
