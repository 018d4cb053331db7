package owner

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"constat/inspect/inspecttest"

	"golang.org/x/net/publicsuffix"
)

func TestCompanies(t *testing.T) {
	var keys []string
	for key, value := range pairs(companiesText) {
		keys = append(keys, key)
		suffix, _ := publicsuffix.PublicSuffix(key)
		if suffix == key && key != "googleapis.com" && key != "withgoogle.com" {
			t.Errorf("%s is a public suffix: customers answer for the names under it", key)
		}
		if d, err := publicsuffix.EffectiveTLDPlusOne(key); suffix != key && (err != nil || d != key || key != strings.ToLower(key)) {
			t.Errorf("%s is no registrable domain (%s, %v)", key, d, err)
		}
		if value == "" || value != clean(value, maxText) || aRegistry.MatchString(value) || strings.Contains(value, "\t") {
			t.Errorf("%s: company %q", key, value)
		}
	}
	checkKeys(t, "companies.txt", companiesText, keys)
	if !slices.IsSorted(keys) || len(keys) < 500 {
		t.Errorf("%d domains, sorted: %v", len(keys), slices.IsSorted(keys))
	}
}

// A company is written in one way: "Acme", "Acme (Brand)". Two ways would be two
// owners.
func TestCompaniesAreWrittenInOneWay(t *testing.T) {
	seen := map[string]string{}
	for _, value := range pairs(companiesText) {
		key := strings.ToLower(strings.NewReplacer(" ", "", ".", "", "-", "").Replace(value))
		if other := seen[key]; other != "" && other != value {
			t.Errorf("%q and %q", other, value)
		}
		seen[key] = value
	}
}

func checkKeys(t *testing.T, name, text string, keys []string) {
	t.Helper()
	lines := 0
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if !strings.HasPrefix(line, "#") {
			lines++
		}
	}
	if lines != len(keys) {
		t.Errorf("%s: %d lines that are no remarks, %d that are read", name, lines, len(keys))
	}
	sorted := slices.Sorted(slices.Values(keys))
	if n := len(slices.Compact(sorted)); n != len(keys) {
		t.Errorf("%s: %d keys come twice", name, len(keys)-n)
	}
}

// A hosting company's numbers are in the table of networks under a name that
// somebody can compare with it.
func TestClouds(t *testing.T) {
	inspecttest.Alone(t)
	holders := map[uint32]string{}
	for _, h := range everyHolder() {
		holders[h.number] = h.raw
	}
	// Where the name of the holder has no word of the company's.
	other := map[string]string{
		"Alibaba Cloud": "taobao|alibaba", "Amazon (AWS)": "amazon", "Vultr": "constant company", "DataCamp (CDN77)": "datacamp",
		"Edgio (Limelight)": "limelight", "Edgio (Edgecast)": "edgecast", "Gcore": "g-core", "ByteDance": "bytedance|volcano|tiktok",
		"OVHcloud": "ovh", "FranTech (BuyVM)": "frantech", "Akamai (Linode)": "akamai", "Microsoft (Azure)": "microsoft", "Bunny.net": "bunny", "Newfold (Unified Layer)": "unified layer",
	}
	var keys []string
	last := uint64(0)
	for key, value := range pairs(cloudsText) {
		keys = append(keys, key)
		n, err := strconv.ParseUint(key, 10, 32)
		if err != nil || n <= last {
			t.Errorf("%s: not in order, or no number", key)
			continue
		}
		last = n
		words := other[value]
		if words == "" {
			words, _, _ = strings.Cut(strings.ToLower(value), " ")
		}
		if name := strings.ToLower(holders[uint32(n)]); !slices.ContainsFunc(strings.Split(words, "|"), func(w string) bool { return strings.Contains(name, w) }) {
			t.Errorf("AS%d: %s, but the table of networks says %q", n, value, holders[uint32(n)])
		}
	}
	checkKeys(t, "clouds.txt", cloudsText, keys)
}

func TestRegistries(t *testing.T) {
	for addr, want := range map[string]string{
		"1.1.1.1": "APNIC", "8.8.8.8": "ARIN", "3.0.0.1": "ARIN", "41.1.1.1": "AFRINIC", "177.1.1.1": "LACNIC", "193.0.6.139": "RIPE NCC",
		"42.62.48.1": "APNIC", "2001:500::1": "ARIN", "2001:dc7::1": "APNIC", "2a00:1450::1": "RIPE NCC", "2c00::1": "AFRINIC", "2800::1": "LACNIC",
		"2d00::1": "",
	} {
		if got := registryOf(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
	var keys []string
	for key, value := range pairs(registriesText) {
		keys = append(keys, key)
		p, err := netip.ParsePrefix(key)
		if err != nil || p != p.Masked() || p.Addr().Is4() && p.Bits() != 8 {
			t.Errorf("%s: %v", key, err)
		}
		if !slices.Contains([]string{"AFRINIC", "APNIC", "ARIN", "LACNIC", "RIPE NCC"}, value) {
			t.Errorf("%s: %q is no regional registry", key, value)
		}
	}
	checkKeys(t, "registries.txt", registriesText, keys)
}
