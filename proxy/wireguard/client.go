package wireguard

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// MinMTU is the MTU of tunnels that say no other: the least that IPv6 allows (RFC
// 8200 section 5). WireGuard adds 60 bytes over IPv4 and 80 over IPv6 (whitepaper,
// section 5.4.6, and the headers of UDP and IP), so that these packets pass wherever
// 1,360 do.
const MinMTU = 1280

// ClientConfig is what the phone has to know.
type ClientConfig struct {
	PrivateKey   Secret       // the phone's
	Addresses    []netip.Addr // the phone's inside the tunnel
	DNS          []netip.Addr // where the phone is to ask for names
	Endpoint     string       // host:port where the Listener can be reached
	ServerKey    Key          // public key of the Listener
	PresharedKey Secret       // may be zero
	MTU          int          // default MinMTU

	// Apps are the packages whose traffic is to go through the tunnel; all without
	// it. Only WireGuard for Android knows them: other programs refuse a
	// configuration that has some.
	Apps []string
}

// Text writes the configuration as wg-quick(8) and the WireGuard apps read it. It
// holds the private key. All addresses are routed into the tunnel, and the phone
// sends something every 25 seconds, which is less than the 30 after which the least
// patient NATs forget who it is (wg(8), "PersistentKeepalive").
//
// IncludedApplications is an attribute of WireGuard for Android
// (https://git.zx2c4.com/wireguard-android/tree/tunnel/src/main/java/com/wireguard/config/Interface.java).
func (c ClientConfig) Text() (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s = %s\n", name, value)
		}
	}
	prefixes := make([]string, len(c.Addresses))
	for i, a := range c.Addresses {
		prefixes[i] = netip.PrefixFrom(a, a.BitLen()).String()
	}
	dns := make([]string, len(c.DNS))
	for i, a := range c.DNS {
		dns[i] = a.String()
	}
	b.WriteString("[Interface]\n")
	line("PrivateKey", c.PrivateKey.text())
	line("Address", strings.Join(prefixes, ", "))
	line("DNS", strings.Join(dns, ", "))
	line("MTU", strconv.Itoa(mtu(c.MTU)))
	line("IncludedApplications", strings.Join(c.Apps, ", "))
	b.WriteString("\n[Peer]\n")
	line("PublicKey", c.ServerKey.String())
	if c.PresharedKey != (Secret{}) {
		line("PresharedKey", c.PresharedKey.text())
	}
	line("AllowedIPs", "0.0.0.0/0, ::/0")
	line("Endpoint", c.Endpoint)
	line("PersistentKeepalive", "25")
	return b.String(), nil
}

func (c ClientConfig) check() error {
	switch {
	case c.PrivateKey == Secret{}:
		return errors.New("the phone's configuration has no private key")
	case c.ServerKey == Key{}:
		return errors.New("the phone's configuration has no key of the server")
	case len(c.Addresses) == 0:
		return errors.New("the phone's configuration has no address")
	case mtu(c.MTU) < MinMTU || mtu(c.MTU) > maxMTU:
		return fmt.Errorf("MTU %d: choose one from %d to %d", c.MTU, MinMTU, maxMTU)
	}
	for _, a := range append(c.Addresses[:len(c.Addresses):len(c.Addresses)], c.DNS...) {
		if !a.IsValid() || a.Zone() != "" {
			return errors.New("the phone's configuration has an address that is none")
		}
	}
	for _, app := range c.Apps {
		if !packageName(app) {
			return fmt.Errorf("%q is not the name of an Android package", app)
		}
	}
	host, port, err := net.SplitHostPort(c.Endpoint)
	if n, _ := strconv.ParseUint(port, 10, 16); err != nil || host == "" || n == 0 || strings.ContainsFunc(host, notHost) {
		return fmt.Errorf("%q is not an address that the phone can connect to: give host:port", c.Endpoint)
	}
	return nil
}

// notHost says that r is in no host name and no address. What is left cannot start
// another line of the file.
func notHost(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune(`#,;="'[]\/@`, r)
}

// packageName says whether name can be an Android package: letters, digits,
// underscores and dots
// (https://developer.android.com/build/configure-app-module#set-application-id).
func packageName(name string) bool {
	return name != "" && len(name) <= 255 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.'
	})
}

// text is s in base64.
func (s Secret) text() string {
	b, _ := s.MarshalText()
	return string(b)
}

// maxMTU is the largest packet that fits into the largest datagram of UDP over IPv6
// with WireGuard's 32 bytes around it, in whole blocks of 16 bytes.
const maxMTU = 65440

// mtu is n, or the default.
func mtu(n int) int {
	if n == 0 {
		return MinMTU
	}
	return n
}
