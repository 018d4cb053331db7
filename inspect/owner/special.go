package owner

import "net/netip"

// special are the ranges inside the global ones that nobody announces or whose
// announcement says nothing about a server: the IANA special-purpose address
// registries (RFC 6890). What netip.Addr can tell by itself is not repeated.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network, RFC 791
	netip.MustParsePrefix("100.64.0.0/10"),   // shared address space of carriers, RFC 6598
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments, RFC 6890
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation, RFC 5737
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays, RFC 7526
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks, RFC 2544
	netip.MustParsePrefix("198.51.100.0/24"), // documentation, RFC 5737
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation, RFC 5737
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, RFC 1112; limited broadcast
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, RFC 2928; Teredo, benchmarks, ORCHID
	netip.MustParsePrefix("2001:db8::/32"),   // documentation, RFC 3849
	netip.MustParsePrefix("2002::/16"),       // 6to4, RFC 7526
	netip.MustParsePrefix("3fff::/20"),       // documentation, RFC 9637
}

var (
	unicast6 = netip.MustParsePrefix("2000::/3")     // RFC 4291 section 2.4
	nat64    = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052 section 2.1
)

// global returns the address to look up for addr, and false if it is none that
// belongs to somebody: private, loopback, link-local, multicast, documentation.
// An IPv4 address that is written as an IPv6 address stands for itself.
func global(addr netip.Addr) (netip.Addr, bool) {
	addr = addr.Unmap().WithZone("")
	if nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !addr.IsValid() || !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.Is6() && !unicast6.Contains(addr) {
		return addr, false
	}
	for _, p := range special {
		if p.Contains(addr) {
			return addr, false
		}
	}
	return addr, true
}
