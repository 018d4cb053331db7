package owner

import (
	"net/netip"
	"strings"
	"testing"

	"constat/inspect"
)

var _ inspect.Owners = (*Table)(nil)

func TestLookup(t *testing.T) {
	table := New()
	for host, want := range map[string]string{
		"api.comm.miui.com":           "miui.com",
		"API.Account.Xiaomi.COM.":     "xiaomi.com",
		"www.example.co.uk":           "example.co.uk",
		"someone.github.io":           "someone.github.io", // a private suffix: the user answers, not the host
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
		strings.Repeat("a.", 200):     "",
		"host.1.168.192.in-addr.arpa": "192.in-addr.arpa",
	} {
		// 42.62.48.0/22 was registered through CNNIC: that must never show.
		got := table.Lookup(host, netip.MustParseAddr("42.62.48.9"))
		if got.Name != want || got.Country != "" {
			t.Errorf("Lookup(%q) = %+v, want name %q and no country", host, got, want)
		}
	}
}

func FuzzLookup(f *testing.F) {
	f.Add("api.example.com")
	f.Add("..")
	table := New()
	f.Fuzz(func(t *testing.T, host string) {
		if got := table.Lookup(host, netip.Addr{}); got.Name != "" && !strings.Contains(got.Name, ".") {
			t.Errorf("owner %q has no dot", got.Name)
		}
	})
}
