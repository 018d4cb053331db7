package owner

import (
	_ "embed"
	"net/netip"
	"strconv"
	"strings"
	"sync"
)

// CompaniesDate is the day on which the lists of companies and clouds were last
// gone through.
const CompaniesDate = "2026-11-20"

//go:embed data/companies.txt
var companiesText string

//go:embed data/clouds.txt
var cloudsText string

//go:embed data/registries.txt
var registriesText string

// companies is the company by registrable domain.
var companies = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, 1<<10)
	for key, value := range pairs(companiesText) {
		m[key] = value
	}
	return m
})

// clouds is the hosting company by number of the autonomous system.
var clouds = sync.OnceValue(func() map[uint32]string {
	m := make(map[uint32]string, 1<<7)
	for key, value := range pairs(cloudsText) {
		n, err := strconv.ParseUint(key, 10, 32)
		if err != nil {
			panic("owner: clouds.txt: " + err.Error()) // tests read it
		}
		m[uint32(n)] = value
	}
	return m
})

// registries holds IANA's table: IPv4 by first byte, IPv6 by prefix.
type registries struct {
	v4 [256]string
	v6 []registry6
}

type registry6 struct {
	prefix netip.Prefix
	name   string
}

var ianaTable = sync.OnceValue(func() *registries {
	t := &registries{}
	for key, value := range pairs(registriesText) {
		p := netip.MustParsePrefix(key)
		if a := p.Addr(); a.Is4() {
			t.v4[a.As4()[0]] = value
			continue
		}
		t.v6 = append(t.v6, registry6{p, value})
	}
	return t
})

// registryOf names the regional registry that IANA gave the range of addr to. A
// block that moved from one region to another afterwards is under the first.
func registryOf(addr netip.Addr) string {
	t := ianaTable()
	if addr.Is4() {
		return t.v4[addr.As4()[0]]
	}
	name, bits := "", -1
	for _, r := range t.v6 {
		if r.prefix.Contains(addr) && r.prefix.Bits() > bits {
			name, bits = r.name, r.prefix.Bits()
		}
	}
	return name
}

// pairs yields the lines of a list, which are a key, a tab and a value. Lines
// that begin with # are remarks.
func pairs(text string) func(yield func(key, value string) bool) {
	return func(yield func(string, string) bool) {
		for line := range strings.SplitSeq(text, "\n") {
			key, value, ok := strings.Cut(line, "\t")
			if !ok || strings.HasPrefix(line, "#") {
				continue
			}
			if !yield(key, value) {
				return
			}
		}
	}
}
