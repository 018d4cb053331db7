package upstream

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// reserved are the addresses that only this machine's own programs may ask for:
// what they reach is this machine, its link, its hypervisor, or nobody. Sources:
// the IANA special-purpose registries (RFC 6890) and the cloud vendors' pages on
// their metadata services.
var reserved = prefixes(
	"0.0.0.0/8", "::/128", // unspecified: reaches loopback on Linux
	"127.0.0.0/8", "::1/128",
	"169.254.0.0/16", "fe80::/10", // link-local, with most metadata services
	"100.100.100.200/32",      // Alibaba Cloud metadata
	"192.0.0.192/32",          // Oracle Cloud metadata
	"168.63.129.16/32",        // Azure's wire server
	"fd00:ec2::/32",           // AWS metadata, DNS and time
	"fd20:ce::254/128",        // Google Cloud metadata
	"224.0.0.0/4", "ff00::/8", // multicast
	"240.0.0.0/4", // reserved, and the limited broadcast
)

// private are the addresses of local networks.
var private = prefixes(
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
	"100.64.0.0/10",                 // carrier-grade NAT (RFC 6598), and overlay networks
	"192.0.0.0/24", "198.18.0.0/15", // protocol assignments, benchmark networks
	"fc00::/7", "fec0::/10", // unique local, and site-local before it
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Guard returns a rule for Config.Allow.
//
// It refuses Constat's own listeners to everybody: every address of this machine
// with a port of own. It refuses clients that are not loopback the addresses of
// this machine, of links, of cloud metadata services and of local networks, except
// those local networks that lan permits; an address of this machine has to be
// permitted by itself, because what listens there may trust it. IPv4 addresses
// inside IPv6 ones (mapped, NAT64, 6to4, Teredo) are judged as what they are as
// well. A nil own means no listeners; it is called for each address.
func Guard(own func() []netip.AddrPort, lan ...netip.Prefix) func(client netip.Addr, server netip.AddrPort) error {
	lan = slices.Clone(lan)
	return func(client netip.Addr, server netip.AddrPort) error {
		forms := unwrap(server.Addr())
		if own != nil {
			for _, l := range own() {
				if l.Port() == server.Port() && slices.ContainsFunc(forms, local) {
					return errors.New("this is a listener of Constat itself")
				}
			}
		}
		if client.Unmap().IsLoopback() {
			return nil
		}
		for _, a := range forms {
			if within(reserved, a) {
				return fmt.Errorf("%v is not reachable for a client on the network", a)
			}
			if within(private, a) && !within(lan, a) {
				return fmt.Errorf("%v is in a local network", a)
			}
			if !slices.Contains(lan, netip.PrefixFrom(a, a.BitLen())) && local(a) {
				return fmt.Errorf("%v is this computer", a)
			}
		}
		return nil
	}
}

func within(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// local says whether a reaches this machine. Addresses come and go, so that the
// system is asked each time; when it does not answer, the address counts as one.
func local(a netip.Addr) bool {
	if a.IsLoopback() || a.IsUnspecified() {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(addrs, func(x net.Addr) bool {
		p, err := netip.ParsePrefix(x.String())
		return err == nil && p.Addr().Unmap() == a
	})
}

var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")   // RFC 6052
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48") // RFC 8215, embedded as in a /96
	sixToFour  = netip.MustParsePrefix("2002::/16")      // RFC 3056
	teredo     = netip.MustParsePrefix("2001::/32")      // RFC 4380
	compatible = netip.MustParsePrefix("::/96")          // RFC 4291, section 2.5.5.1
)

// unwrap returns the address without its zone, and the IPv4 addresses inside it.
func unwrap(a netip.Addr) []netip.Addr {
	a = a.Unmap().WithZone("")
	forms := []netip.Addr{a}
	if !a.Is6() {
		return forms
	}
	b := a.As16()
	last := netip.AddrFrom4([4]byte(b[12:16]))
	switch {
	case nat64.Contains(a), nat64Local.Contains(a), compatible.Contains(a) && !a.IsLoopback() && !a.IsUnspecified():
		forms = append(forms, last)
	case sixToFour.Contains(a):
		forms = append(forms, netip.AddrFrom4([4]byte(b[2:6])))
	case teredo.Contains(a):
		for i := range 4 { // the client's address is stored inverted
			b[12+i] = ^b[12+i]
		}
		forms = append(forms, netip.AddrFrom4([4]byte(b[4:8])), netip.AddrFrom4([4]byte(b[12:16])))
	}
	return forms
}
