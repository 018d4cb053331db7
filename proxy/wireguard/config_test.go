package wireguard

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeys(t *testing.T) {
	// RFC 7748 section 6.1: Alice's keys.
	private, err := ParseSecret("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := private.Public().String(), "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="; got != want {
		t.Errorf("public key %s, want %s", got, want)
	}
	if (Secret{}).Public() != (Key{}) {
		t.Error("no private key has a public one")
	}
	k := NewPrivateKey()
	if k[0]&7 != 0 || k[31]&0xc0 != 0x40 || k == NewPrivateKey() {
		t.Errorf("bits are not those of RFC 7748 section 5: % x", k[:])
	}
	text, _ := k.MarshalText()
	if back, err := ParseSecret(string(text)); err != nil || back != k {
		t.Errorf("%v", err)
	}
	if back, err := ParseKey(k.Public().String()); err != nil || back != k.Public() {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"", "x", k.Public().String() + "\n", k.Public().String()[:43], k.Public().String() + "AAAA", strings.Repeat("A", 43) + "B"} {
		if _, err := ParseKey(bad); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	k := NewPrivateKey()
	text, _ := k.MarshalText()
	conf := Config{PrivateKey: k, Peers: []Peer{{PresharedKey: k}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b"} {
		for _, v := range []any{k, &k, conf, &conf, []Secret{k}, map[string]Secret{"": k}, ClientConfig{PrivateKey: k}} {
			got := fmt.Sprintf(verb, v)
			for _, leak := range []string{string(text), k.hex(), fmt.Sprint(k[:])[1:20], fmt.Sprintf("%#x", k[5])} {
				if len(leak) > 4 && strings.Contains(strings.ToLower(got), strings.ToLower(leak)) {
					t.Errorf("%s of a %T shows the key", verb, v)
				}
			}
			if !strings.Contains(got, "(secret)") {
				t.Errorf("%s of a %T: %s", verb, v, got)
			}
		}
	}
	b, err := json.Marshal(k)
	if err != nil || string(b) != `"`+string(text)+`"` {
		t.Errorf("stored as %s, %v", b, err)
	}
}

func TestClientConfig(t *testing.T) {
	private, _ := ParseSecret("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=")
	shared, _ := ParseSecret("XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Os=")
	server, _ := ParseKey("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=")
	own, _ := testNet.Own()
	addrs, _ := testNet.Peer(1)
	c := ClientConfig{PrivateKey: private, Addresses: addrs, DNS: own, Endpoint: "[fe80::1]:51820", ServerKey: server}
	want := `[Interface]
PrivateKey = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=
Address = 10.77.0.2/32, fd12:3456:789a::2/128
DNS = 10.77.0.1, fd12:3456:789a::1
MTU = 1280

[Peer]
PublicKey = hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = [fe80::1]:51820
PersistentKeepalive = 25
`
	got, err := c.Text()
	if err != nil || got != want {
		t.Errorf("(-want +got), %v\n%s", err, cmp.Diff(want, got))
	}
	c.PresharedKey, c.MTU, c.Apps, c.DNS, c.Endpoint = shared, 1400, []string{"com.miui.gallery", "org.example.app_2"}, nil, "proxy.example.org:443"
	want = `[Interface]
PrivateKey = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=
Address = 10.77.0.2/32, fd12:3456:789a::2/128
MTU = 1400
IncludedApplications = com.miui.gallery, org.example.app_2

[Peer]
PublicKey = hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
PresharedKey = XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Os=
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = proxy.example.org:443
PersistentKeepalive = 25
`
	got, err = c.Text()
	if err != nil || got != want {
		t.Errorf("(-want +got), %v\n%s", err, cmp.Diff(want, got))
	}
	for what, change := range map[string]func(*ClientConfig){
		"private key":       func(c *ClientConfig) { c.PrivateKey = Secret{} },
		"key of the server": func(c *ClientConfig) { c.ServerKey = Key{} },
		"no address":        func(c *ClientConfig) { c.Addresses = nil },
		"address that is":   func(c *ClientConfig) { c.DNS = []netip.Addr{{}} },
		"MTU 100":           func(c *ClientConfig) { c.MTU = 100 },
		"Android package":   func(c *ClientConfig) { c.Apps = []string{"a\nPostUp = rm -rf /"} },
		"connect to":        func(c *ClientConfig) { c.Endpoint = "example.org" },
		"\"example.org:0\"": func(c *ClientConfig) { c.Endpoint = "example.org:0" },
		"PostUp":            func(c *ClientConfig) { c.Endpoint = "example.org\nPostUp = x:1" },
		"give host:port":    func(c *ClientConfig) { c.Endpoint = ":51820" },
		"\"a b:1\"":         func(c *ClientConfig) { c.Endpoint = "a b:1" },
	} {
		c := c
		change(&c)
		if _, err := c.Text(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestSubnet(t *testing.T) {
	s := NewSubnet()
	if s.IPv4.String() != "10.77.0.0/16" || s.IPv6.Bits() != 64 || s.IPv6.Addr().As16()[0] != 0xfd || s.IPv6 != s.IPv6.Masked() || s.IPv6 == NewSubnet().IPv6 {
		t.Errorf("%v", s)
	}
	for _, test := range []struct {
		v4, v6 string
		n      int
		want   string // empty for an error
	}{
		{"10.77.0.0/16", "fd12:3456:789a::/64", 1, "[10.77.0.2 fd12:3456:789a::2]"},
		{"10.77.0.0/16", "fd12:3456:789a::/64", 255, "[10.77.1.0 fd12:3456:789a::100]"},
		{"10.77.0.0/16", "", 65533, "[10.77.255.254]"},
		{"10.77.0.0/16", "", 65534, ""},
		{"192.168.7.128/25", "", 125, "[192.168.7.254]"},
		{"192.168.7.128/25", "", 126, ""},
		{"192.168.7.130/25", "", 1, "[192.168.7.130]"},
		{"", "fd00::/120", 253, "[fd00::fe]"},
		{"", "fd00::/127", 1, ""},
		{"", "", 1, ""},
		{"10.77.0.0/16", "", 0, ""},
		{"10.77.0.0/16", "", -1, ""},
	} {
		var s Subnet
		if test.v4 != "" {
			s.IPv4 = netip.MustParsePrefix(test.v4)
		}
		if test.v6 != "" {
			s.IPv6 = netip.MustParsePrefix(test.v6)
		}
		got, err := s.Peer(test.n)
		if text := fmt.Sprint(got); test.want == "" && err == nil || test.want != "" && (err != nil || text != test.want) {
			t.Errorf("peer %d of %s %s: %v, %v, want %s", test.n, test.v4, test.v6, text, err, test.want)
		}
	}
	if own, err := s.Own(); err != nil || own[0].String() != "10.77.0.1" {
		t.Errorf("%v, %v", own, err)
	}
}
