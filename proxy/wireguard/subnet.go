package wireguard

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// A Subnet is the range of addresses inside the tunnel. The first address of each
// prefix is the tunnel's own, where phones look for their DNS server; those after
// it are the peers'. Either prefix may be missing.
type Subnet struct {
	IPv4 netip.Prefix
	IPv6 netip.Prefix
}

// NewSubnet returns a range that is unlikely to be anybody else's: 10.77.0.0/16, and
// a prefix for IPv6 with 40 random bits as RFC 4193 section 3.2.1 wants them. It is
// to be kept: addresses are how a phone's traffic is told from another's.
func NewSubnet() Subnet {
	a := [16]byte{0: 0xfd} // section 3.1: fd00::/8, then the global ID
	_, _ = rand.Read(a[1:6])
	return Subnet{
		IPv4: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 77}), 16),
		IPv6: netip.PrefixFrom(netip.AddrFrom16(a), 64),
	}
}

// Own returns the tunnel's own addresses.
func (s Subnet) Own() ([]netip.Addr, error) { return s.host(1) }

// Peer returns the addresses of the n-th peer; the first has number 1.
func (s Subnet) Peer(n int) ([]netip.Addr, error) {
	if n < 1 || n > 1<<30 {
		return nil, fmt.Errorf("peer %d has no address: numbers start at 1", n)
	}
	return s.host(uint32(n) + 1)
}

// host returns the n-th address of each prefix.
func (s Subnet) host(n uint32) ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, p := range []netip.Prefix{s.IPv4, s.IPv6} {
		if !p.IsValid() {
			continue
		}
		b := p.Masked().Addr().AsSlice()
		// The last address of an IPv4 prefix is its broadcast address.
		if free := len(b)*8 - p.Bits(); free < 2 || free < 32 && n >= 1<<free-1 {
			return nil, fmt.Errorf("%v is too small for address %d: choose a larger prefix", p, n)
		}
		last := b[len(b)-4:]
		binary.BigEndian.PutUint32(last, binary.BigEndian.Uint32(last)+n)
		a, _ := netip.AddrFromSlice(b)
		addrs = append(addrs, a)
	}
	if len(addrs) == 0 {
		return nil, errors.New("the tunnel has no addresses: give it a prefix")
	}
	return addrs, nil
}
