package owner

import (
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"

	"constat/inspect"
	"constat/inspect/inspecttest"
)

var _ inspect.Owners = (*Table)(nil)

func TestDomain(t *testing.T) {
	table := New()
	for host, want := range map[string]string{
		"api.comm.example.com":        "example.com",
		"API.Account.Example.COM.":    "example.com",
		"www.example.co.uk":           "example.co.uk",
		"someone.github.io":           "someone.github.io", // a private suffix: the user answers, not the host
		"d1.cloudfront.net":           "d1.cloudfront.net",
		"bücher.example":              "bücher.example",
		"xn--bcher-kva.example":       "xn--bcher-kva.example",
		"co.uk":                       "",
		"com":                         "",
		"printer":                     "",
		"":                            "",
		".":                           "",
		"a..b":                        "",
		"192.0.2.7":                   "",
		"2001:db8::7":                 "",
		"[2001:db8::7]":               "",
		"1.2.3.4.5":                   "",
		strings.Repeat("a.", 200):     "",
		"host.1.168.192.in-addr.arpa": "192.in-addr.arpa",
	} {
		got := table.Lookup(host, netip.Addr{})
		if got.Domain != want || got.Name != want || got.Company != "" || got.Country != "" || got.AS != 0 {
			t.Errorf("Lookup(%q) = %+v, want domain and name %q alone", host, got, want)
		}
		if (got.Data == "") != (want == "") {
			t.Errorf("Lookup(%q): data %q", host, got.Data)
		}
	}
}

func TestLookup(t *testing.T) {
	const data = "networks 2026-06-17, countries 2026-06-17, companies " + CompaniesDate
	for _, x := range []struct {
		host, addr string
		want       inspect.Owner
	}{
		// 2014: the address that the rumour was about.
		{"api.account.xiaomi.com", "42.62.48.9", inspect.Owner{
			Name: "Xiaomi", Country: "CN", Domain: "xiaomi.com", Company: "Xiaomi",
			AS: 23724, ASHolder: "IDC, China Telecommunications Corporation", Registry: "APNIC",
		}},
		// 2020: a company's service on another company's machine.
		{"data.mistat.intl.xiaomi.com", "161.117.71.9", inspect.Owner{
			Name: "Xiaomi", Country: "SG", Domain: "xiaomi.com", Company: "Xiaomi",
			AS: 45102, ASHolder: "Alibaba (US) Technology Co., Ltd.", Registry: "ARIN", Cloud: "Alibaba Cloud",
		}},
		{"one.example", "1.1.1.1", inspect.Owner{
			Name: "one.example", Country: "AU", Domain: "one.example",
			AS: 13335, ASHolder: "Cloudflare, Inc.", Registry: "APNIC", Cloud: "Cloudflare",
		}},
		{"", "2606:4700::1111", inspect.Owner{
			Country: "US", AS: 13335, ASHolder: "Cloudflare, Inc.", Registry: "ARIN", Cloud: "Cloudflare",
		}},
		{"", "::ffff:88.198.1.1", inspect.Owner{
			Country: "DE", AS: 24940, ASHolder: "Hetzner Online GmbH", Registry: "RIPE NCC", Cloud: "Hetzner",
		}},
		{"", "64:ff9b::58c6:101", inspect.Owner{ // the same through NAT64
			Country: "DE", AS: 24940, ASHolder: "Hetzner Online GmbH", Registry: "RIPE NCC", Cloud: "Hetzner",
		}},
		// A public suffix whose names are all one company's.
		{"firebaselogging-pa.googleapis.com", "192.168.1.1", inspect.Owner{Name: "Google", Domain: "googleapis.com", Company: "Google"}},
		// The registry is the holder of this network, and says what it is.
		{"www.apnic.net", "202.12.29.1", inspect.Owner{
			Name: "apnic.net", Country: "AU", Domain: "apnic.net",
			AS: 4608, ASHolder: "APNIC (an internet registry; this is its own network)", Registry: "APNIC",
		}},
	} {
		x.want.Data = data
		if got := New().Lookup(x.host, netip.MustParseAddr(x.addr)); got != x.want {
			t.Errorf("Lookup(%q, %s):\n got %+v\nwant %+v", x.host, x.addr, got, x.want)
		}
	}
}

// Addresses that belong to nobody have no network, country or registry, whatever
// a table says.
func TestSpecialAddresses(t *testing.T) {
	for _, addr := range []string{
		"0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.1",
		"192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.5", "224.0.0.251", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:101:101::", "3fff::1", "fc00::1", "fe80::1%eth0", "ff02::fb", "5f00::1",
	} {
		if got := New().Lookup("", netip.MustParseAddr(addr)); got != (inspect.Owner{}) {
			t.Errorf("%s: %+v", addr, got)
		}
	}
	if got := New().Lookup("", netip.Addr{}); got != (inspect.Owner{}) {
		t.Errorf("no address: %+v", got)
	}
}

// aRegistry is wider than what holder recognises and written apart from it.
var aRegistry = regexp.MustCompile(`(?i)\b(cnnic|apnic|jpnic|krnic|twnic|vnnic|idnic|irinn|afrinic|lacnic|arin|ripe ncc|iana)\b|(network|internet) info[a-z]* cent|network coordination|internet numbers`)

// The 2014 rumour named CNNIC as the owner because it had registered the range.
// No address of such a range, and none of 1.1.1.0/24, which APNIC holds in the
// registry, may name a registry in a place where a reader looks for the owner.
func TestARegistryIsNeverTheOwner(t *testing.T) {
	inspecttest.Alone(t)
	table := New()
	tried := 0
	for _, prefix := range []string{
		"42.62.0.0/17", "42.62.48.0/22", "58.68.128.0/17", "1.1.1.0/24", "1.2.0.0/16", "14.0.12.0/22", "36.0.0.0/16", "101.0.0.0/16",
		"103.0.0.0/13", "110.43.0.0/16", "114.112.0.0/14", "118.24.0.0/14", "120.92.0.0/16", "121.0.16.0/20", "202.38.0.0/16", "203.119.0.0/16",
		"210.0.0.0/11", "211.64.0.0/10", "218.240.0.0/14", "221.0.0.0/12", "223.0.0.0/11", "2400:3200::/32", "2001:dc7::/32", "2001:200::/32",
	} {
		p := netip.MustParsePrefix(prefix)
		for addr, n := p.Addr(), 0; p.Contains(addr) && n < 4096; n++ {
			o := table.Lookup("", addr)
			tried++
			if o.Name != "" || o.Company != "" || o.Domain != "" || aRegistry.MatchString(o.Cloud) {
				t.Fatalf("%s: an address alone has an owner: %+v", addr, o)
			}
			if aRegistry.MatchString(o.ASHolder) && !strings.Contains(o.ASHolder, "its own network") {
				t.Fatalf("%s: holder %q", addr, o.ASHolder)
			}
			addr = step(addr)
		}
	}
	if tried < 10_000 {
		t.Fatalf("%d addresses tried", tried)
	}
	for _, rumour := range []string{"42.62.48.0", "42.62.48.255", "42.62.51.255", "1.1.1.1"} {
		if o := table.Lookup("", netip.MustParseAddr(rumour)); o.Registry != "APNIC" || o.ASHolder == "" || aRegistry.MatchString(o.ASHolder) {
			t.Errorf("%s: %+v", rumour, o)
		}
	}
}

// step goes on to another /24 or /48.
func step(addr netip.Addr) netip.Addr {
	if b := addr.As4; addr.Is4() {
		a := b()
		n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 + 1<<8
		return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), a[3] + 1})
	}
	a := addr.As16()
	if a[5]++; a[5] == 0 {
		a[4]++
	}
	return netip.AddrFrom16(a)
}

// inTable is one holder as the table of this program names it, and as it is shown.
type inTable struct {
	number     uint32
	raw, shown string
}

// everyHolder walks through the table of this program.
var everyHolder = sync.OnceValue(func() (list []inTable) {
	db := embedded("networks")
	seen := map[uintptr]bool{}
	for r := range db.reader.Networks() {
		if !seen[r.Offset()] {
			seen[r.Offset()] = true
			one, _ := db.kind(r)
			list = append(list, inTable{one.number, first(r, "autonomous_system_organization"), one.text})
		}
	}
	return list
})

// The same for every holder in the table of this program.
func TestNoHolderIsARegistry(t *testing.T) {
	inspecttest.Alone(t)
	kept, dropped, own := 0, 0, 0
	for _, h := range everyHolder() {
		switch {
		case h.number == 0:
			t.Fatalf("%q has no number", h.raw)
		case strings.Contains(h.shown, "its own network"):
			own++
		case h.shown == "":
			dropped++
			t.Logf("AS%d %q", h.number, h.raw)
		case aRegistry.MatchString(h.shown) && !military.MatchString(h.shown):
			t.Errorf("AS%d: %q from %q", h.number, h.shown, h.raw)
		default:
			kept++
		}
	}
	t.Logf("%d holders, %d unknown because only a registry is named, %d registries' own networks", kept, dropped, own)
	if kept < 50_000 || dropped < 20 || dropped > 200 || own < 20 {
		t.Errorf("kept %d, dropped %d, own %d", kept, dropped, own)
	}
}

func TestHolder(t *testing.T) {
	for _, x := range []struct {
		number     uint32
		name, want string
	}{
		{23724, "IDC, China Telecommunications Corporation", "IDC, China Telecommunications Corporation"},
		{4611, "CNNIC member", ""},
		{18245, "CNNIC", ""},
		{24405, "CNNIC ASN block", ""},
		{151284, "AS151284-69 - China Internet Network Information Center", ""},
		{64496, "CHINA INTERNET NETWORK INFORMATION CENTRE", ""},
		{64496, "Asia Pacific Network Information Centre", ""},
		{64496, "APNIC-LABS", ""},
		{719, "RIPE Network Coordination Centre", ""},
		{58964, "AS58964-2 - IRINN AS-BLOCK", ""},
		{46022, "IDNIC-ALIANSISAKTI-AS-ID - PT ALIANSI SAKTI", "PT ALIANSI SAKTI"},
		{24151, "China Internet Network Infomation Center", "CNNIC (an internet registry; this is its own network)"},
		{3333, "", "RIPE NCC (an internet registry; this is its own network)"},
		{721, "DoD Network Information Center", "DoD Network Information Center"},
		{64496, "County of Marin", "County of Marin"},
		{64496, "Ripe-NetWorks e.U.", "Ripe-NetWorks e.U."},
		{64496, "a\x00b\u202ec \n d\xff", "a b c d�"},
		{64496, strings.Repeat("é", 80), strings.Repeat("é", 50) + "…"},
	} {
		if got := holder(x.number, x.name); got != x.want {
			t.Errorf("holder(%d, %q) = %q, want %q", x.number, x.name, got, x.want)
		}
	}
}

func FuzzLookup(f *testing.F) {
	f.Add("api.example.com", []byte{42, 62, 48, 9})
	f.Add("..", []byte{})
	f.Add("xn--.xn--", []byte{0x20, 1, 0xd, 0xb8, 15: 1})
	f.Add("0x7f.1", []byte{0, 0x64, 0xff, 0x9b, 15: 9})
	table := New()
	f.Fuzz(func(t *testing.T, host string, b []byte) {
		addr, _ := netip.AddrFromSlice(b)
		got := table.Lookup(host, addr)
		if got != table.Lookup(host, addr) {
			t.Error("two answers")
		}
		if got.Domain != "" && !strings.Contains(got.Domain, ".") {
			t.Errorf("domain %q has no dot", got.Domain)
		}
		if got.Name != got.Company && got.Name != got.Domain {
			t.Errorf("name %q is neither company nor domain", got.Name)
		}
		if got.Country != "" && !isCountry(got.Country) {
			t.Errorf("country %q", got.Country)
		}
	})
}

// What a lookup costs when the address was seen before, as nearly always.
func TestLookupAllocatesNothing(t *testing.T) {
	table, addr := New(), netip.MustParseAddr("161.117.71.9")
	if n := testing.AllocsPerRun(100, func() { table.Lookup("data.mistat.intl.xiaomi.com", addr) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLookup(b *testing.B) {
	table, addr := New(), netip.MustParseAddr("161.117.71.9")
	b.ReportAllocs()
	for b.Loop() {
		table.Lookup("data.mistat.intl.xiaomi.com", addr)
	}
}
