package certs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// maxNames is how many names one leaf may carry: a server name, the address or
// host that the tunnel was asked for, and some to spare.
const maxNames = 8

// maxName is the longest text of one name that is looked at: a DNS name of 253
// octets and its trailing dot.
const maxName = 254

// appendKey appends the cache key of names to b: each name with ASCII letters
// in lower case and one trailing dot cut, after its length. Nothing is
// validated but the number and length of the names, so that a key can be made
// without allocating.
func appendKey(b []byte, names []string) ([]byte, error) {
	if len(names) == 0 {
		return nil, errors.New("no name for a certificate")
	}
	if len(names) > maxNames {
		return nil, fmt.Errorf("%d names for a certificate, %d are the limit", len(names), maxNames)
	}
	for _, name := range names {
		if len(name) > maxName {
			return nil, fmt.Errorf("name of %d bytes for a certificate, 253 are the limit", len(name))
		}
		if n := len(name); n > 0 && name[n-1] == '.' {
			name = name[:n-1]
		}
		b = append(b, byte(len(name)))
		for i := range len(name) {
			c := name[i]
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			b = append(b, c)
		}
	}
	return b, nil
}

// parseKey takes a key of appendKey apart into the subject alternative names,
// without repeats. Every name must be an IP address (a zone is cut, an IPv4
// address in IPv6 form is unmapped) or a host name.
func parseKey(key []byte) (dns []string, ips []net.IP, err error) {
	for len(key) > 0 {
		n := int(key[0])
		name := string(key[1 : 1+n])
		key = key[1+n:]
		if addr, err := netip.ParseAddr(name); err == nil {
			ip := net.IP(addr.WithZone("").Unmap().AsSlice())
			if !slices.ContainsFunc(ips, ip.Equal) {
				ips = append(ips, ip)
			}
			continue
		}
		if err := checkHost(name); err != nil {
			return nil, nil, fmt.Errorf("certificate for %q: %w", name, err)
		}
		if !slices.Contains(dns, name) {
			dns = append(dns, name)
		}
	}
	return dns, ips, nil
}

// checkHost accepts host names as RFC 1123 section 2.1 and RFC 5890 have them,
// and the underscores and leading hyphens of names in real use. Names in other
// scripts come as A-labels ("xn--…"), since a certificate holds ASCII only.
func checkHost(name string) error {
	if name == "" {
		return errors.New("name is empty")
	}
	if len(name) > 253 {
		return errors.New("name is longer than 253 octets")
	}
	label := 0
	for _, c := range []byte(name) {
		switch {
		case c == '.':
			if label == 0 {
				return errors.New("empty label")
			}
			label = 0
			continue
		case c == '*':
			return errors.New("wildcards are not signed")
		case c >= 0x80:
			return errors.New("not ASCII, such a name is written with xn--")
		case c <= ' ' || c == 0x7f:
			return errors.New("space or control character")
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return fmt.Errorf("character %q cannot be in a host name", c)
		}
		if label++; label > 63 {
			return errors.New("label is longer than 63 octets")
		}
	}
	if label == 0 {
		return errors.New("empty label")
	}
	return nil
}
