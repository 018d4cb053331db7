package owner

import (
	"regexp"
	"strings"
)

// ownNetworks are the autonomous systems that registries run for themselves:
// their web sites, whois and name servers. There the registry is the holder, and
// says so. Sources: their own entries in the registries' whois, November 2026.
var ownNetworks = map[uint32]string{
	33764: "AFRINIC", 37177: "AFRINIC", 37181: "AFRINIC", 37301: "AFRINIC", 37708: "AFRINIC",
	4608: "APNIC", 4777: "APNIC", 24021: "APNIC", 131072: "APNIC", 131074: "APNIC",
	10745: "ARIN", 26340: "ARIN", 53535: "ARIN", 63218: "ARIN", 393220: "ARIN", 393225: "ARIN", 394018: "ARIN", 399970: "ARIN",
	24151: "CNNIC", 24406: "CNNIC", 24409: "CNNIC",
	2515:  "JPNIC",
	28000: "LACNIC", 28001: "LACNIC", 28002: "LACNIC", 52224: "LACNIC",
	10906: "NIC.br", 22548: "NIC.br",
	2121: "RIPE NCC", 3333: "RIPE NCC", 12654: "RIPE NCC", 25152: "RIPE NCC", 196615: "RIPE NCC", 197000: "RIPE NCC",
	17718: "TWNIC", 18180: "TWNIC",
	23902: "VNNIC", 24066: "VNNIC",
}

// registryName matches a regional or national internet registry in a holder's
// name. Tables name one for numbers of which they know only which registry gave
// them out: AS 719, "RIPE Network Coordination Centre", AS 4611, "CNNIC member",
// AS 151284, "China Internet Network Information Center".
var registryName = regexp.MustCompile(`(?i)\b(AFRINIC|APNIC|ARIN|LACNIC|RIPE[- ]?NCC|IANA|CNNIC|JPNIC|KRNIC|(?-i:KISA)|TWNIC|VNNIC|IDNIC|APJII|IRINN|NIC\.?br|NIC[ .-]?Mexico|NIC\.mx|ASBLOCK|AS-BLOCK)\b` +
	`|network\s+info\w*\s+cent(er|re)|network coordination cent|registry for internet numbers|assigned (names and )?numbers|coord\. do ponto br|latin american and caribbean ip|internet (&|and) security agency|registro de direcciones`)

// military names end like those of registries and are none.
var military = regexp.MustCompile(`(?i)^(DoD|Navy) Network Information Center`)

// holder returns the name to show for the holder of an autonomous system. A
// registry is named only for a network of its own, and then with what it is.
// Where the record knows no more than the registry, the holder is unknown, "".
func holder(number uint32, name string) string {
	if own := ownNetworks[number]; own != "" {
		return own + " (an internet registry; this is its own network)"
	}
	name = clean(name, maxText)
	if !registryName.MatchString(name) || military.MatchString(name) {
		return name
	}
	// Some records put the handle that a national registry made up before the
	// holder: "IDNIC-EXAMPLE-AS-ID - PT EXAMPLE".
	if _, after, ok := strings.Cut(name, " - "); ok && !registryName.MatchString(after) {
		return after
	}
	return ""
}
