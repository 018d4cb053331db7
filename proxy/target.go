package proxy

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// target is where a request goes: a host in the one form in which it is
// compared, and a port.
type target struct {
	host string // lower case, no trailing dot; addresses as netip prints them
	port uint16
}

// parseTarget reads "host", "host:port", "[v6]:port" or "[v6]" (RFC 9110 section
// 4.2.3: case, a default port that is left out, and, in practice, one trailing
// dot make no difference). A port of 0 for preset means that it must be there.
func parseTarget(s string, preset uint16) (target, error) {
	t := target{host: s, port: preset}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		n, err := strconv.ParseUint(s[i+1:], 10, 16)
		if err != nil || s[i+1] == '+' {
			return target{}, errors.New("no valid port")
		}
		t.host, t.port = s[:i], uint16(n)
	}
	if t.port == 0 {
		return target{}, errors.New("no valid port")
	}
	if h, ok := strings.CutPrefix(t.host, "["); ok {
		h, ok = strings.CutSuffix(h, "]")
		addr, err := netip.ParseAddr(h)
		if !ok || err != nil || !addr.Is6() || addr.Zone() != "" {
			return target{}, errors.New("no valid address")
		}
		t.host = addr.String()
		return t, nil
	}
	t.host = hostName(t.host)
	if t.host == "" {
		return target{}, errors.New("no valid host name")
	}
	return t, nil
}

// hostName returns name in the form in which names are compared, empty when it
// is neither a name of at most 253 bytes nor an IPv4 address. Underscores are
// taken because names on the Internet have them.
func hostName(name string) string {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return ""
	}
	upper, label := false, 0
	for i := range len(name) {
		c := name[i]
		label++
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		case 'A' <= c && c <= 'Z':
			upper = true
		case c == '.' && label > 1:
			label = 0
		default:
			return ""
		}
		if label > 63 {
			return ""
		}
	}
	if label == 0 {
		return ""
	}
	if upper {
		name = strings.ToLower(name)
	}
	return name
}

// addr says whether the target is an address, and which.
func (t target) addr() (netip.Addr, bool) {
	a, err := netip.ParseAddr(t.host)
	return a, err == nil
}

// String returns "host:port" as net.Dial takes it.
func (t target) String() string { return net.JoinHostPort(t.host, strconv.Itoa(int(t.port))) }

// defaultPort is the port of a URL that names none.
func defaultPort(scheme string) uint16 {
	if scheme == "https" {
		return 443
	}
	return 80
}
