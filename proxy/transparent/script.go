package transparent

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"text/template"
)

// Setup says what a Script diverts.
type Setup struct {
	// Interface is where the devices come in, "wlan0" say. What comes in elsewhere, and
	// what this computer sends, is left alone.
	Interface string
	// TCPPort and UDPPort are the ports of the Listener on this computer. 0 leaves that
	// protocol alone: it goes past, except that without UDPPort QUIC is refused.
	TCPPort, UDPPort uint16
	// Mode is how TCP is diverted.
	Mode Mode
	// DNS diverts also what is for port 53 of this computer itself, which a hotspot
	// usually names as DNS server to its devices, as far as its protocol is diverted.
	// Questions to other servers are diverted like all else. The answers need
	// CAP_NET_RAW.
	DNS bool
	// IPv6 diverts IPv6, too. Without it, IPv6 that this computer would forward for the
	// devices is refused.
	IPv6 bool
}

//go:embed script.sh.tmpl
var scriptText string

var scriptTemplate = template.Must(template.New("script").Parse(scriptText))

// script is what the template works with.
type script struct {
	Setup
	Mark  string // of packets that are diverted by TPROXY
	Table int    // number of the routing table
	Pref  int    // of the routing rule
}

// DivertTCP says whether TCP is diverted by TPROXY, RedirectTCP whether by REDIRECT.
func (s script) DivertTCP() bool   { return s.TCPPort != 0 && s.Mode == TProxy }
func (s script) RedirectTCP() bool { return s.TCPPort != 0 && s.Mode == Redirect }

// TProxy says whether anything is diverted by TPROXY.
func (s script) TProxy() bool { return s.DivertTCP() || s.UDPPort != 0 }

// Past says whether forwarding has to be kept from going past the door.
func (s script) Past() bool { return !s.IPv6 || s.RedirectTCP() || s.UDPPort == 0 }

// Script returns the text of a POSIX shell script that sets this computer's firewall up
// for a Listener ("up"), takes that back without a rest ("down"), and says what is there
// ("status"). It needs nftables, iproute2 and root, and prints each of its steps. A
// failed or repeated "up" leaves nothing double. There can be one set-up at a time.
func Script(s Setup) (string, error) {
	switch {
	case !interfaceName(s.Interface):
		return "", fmt.Errorf("divert: %q cannot be the name of an interface", s.Interface)
	case s.Interface == "lo":
		return "", errors.New("divert: what comes in by lo is this computer's own")
	case s.TCPPort == 0 && s.UDPPort == 0:
		return "", errors.New("divert: neither TCP nor UDP")
	case s.Mode != TProxy && s.Mode != Redirect:
		return "", errors.New("divert: unknown mode")
	}
	var b strings.Builder
	// "COST" on a telephone's keys, out of the way of what administrators choose.
	err := scriptTemplate.Execute(&b, script{Setup: s, Mark: "0xc057", Table: 49239, Pref: 2678})
	return b.String(), err
}

// interfaceName says whether name is one that needs no quoting anywhere. Linux allows
// others (dev_valid_name in net/core/dev.c), which nobody uses.
func interfaceName(name string) bool {
	if name == "" || len(name) > 15 || name[0] == '-' || name[0] == '.' {
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
