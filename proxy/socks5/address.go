package socks5

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
)

// The types of addresses (RFC 1928 section 5).
const (
	typeIPv4 = 1
	typeName = 3
	typeIPv6 = 4
)

// target is where a client goes: a name or an address, and a port. It is comparable.
type target struct {
	name string
	addr netip.Addr
	port uint16
}

// host is the name or the address.
func (t target) host() string {
	if t.name != "" || !t.addr.IsValid() {
		return t.name
	}
	return t.addr.String()
}

// ip is the address, nil for a name.
func (t target) ip() net.IP {
	if !t.addr.IsValid() {
		return nil
	}
	return t.addr.AsSlice()
}

var (
	errShort    = errors.New("the address is cut short")
	errAddrType = errors.New("the client asked for a type of address that SOCKS5 does not have")
	errName     = errors.New("the client asked for something that is neither a host name nor an address")
	errPort     = errors.New("the client asked for port 0")
)

// parseTarget reads type, address and port at the start of b (RFC 1928 section 5),
// and returns how many bytes they take.
func parseTarget(b []byte) (t target, n int, err error) {
	n, err = targetLen(b)
	if err != nil {
		return target{}, 0, err
	}
	if len(b) < n {
		return target{}, 0, errShort
	}
	if b[0] == typeName {
		t, err = named(string(b[2 : n-2]))
	} else {
		a, _ := netip.AddrFromSlice(b[1 : n-2])
		t.addr = a.Unmap()
	}
	t.port = binary.BigEndian.Uint16(b[n-2:])
	return t, n, err
}

// targetLen is how many bytes type, address and port take, told by the first two.
func targetLen(b []byte) (int, error) {
	if len(b) < 2 {
		return 0, errShort
	}
	switch b[0] {
	case typeIPv4:
		return 1 + 4 + 2, nil
	case typeIPv6:
		return 1 + 16 + 2, nil
	case typeName:
		return 1 + 1 + int(b[1]) + 2, nil
	}
	return 0, errAddrType
}

// named is the target for what a client sent as a name, which may be an address.
func named(name string) (target, error) {
	if a, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil && a.Zone() == "" {
		return target{addr: a.Unmap()}, nil
	}
	if !hostName(name) {
		return target{}, errName
	}
	return target{name: name}, nil
}

// hostName says whether name has only what names on the Internet have: letters,
// digits, hyphens, underscores and dots.
func hostName(name string) bool {
	if name == "" || len(name) > 254 {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// append writes type, address and port as they are on the wire.
func (t target) append(b []byte) []byte {
	switch {
	case t.name != "":
		b = append(b, typeName, byte(len(t.name)))
		b = append(b, t.name...)
	case t.addr.Is6():
		b = append(append(b, typeIPv6), t.addr.AsSlice()...)
	case t.addr.Is4():
		b = append(append(b, typeIPv4), t.addr.AsSlice()...)
	default:
		b = append(b, typeIPv4, 0, 0, 0, 0)
	}
	return binary.BigEndian.AppendUint16(b, t.port)
}

// addrTarget is the target for an address.
func addrTarget(a netip.AddrPort) target {
	return target{addr: plain(a.Addr()), port: a.Port()}
}
