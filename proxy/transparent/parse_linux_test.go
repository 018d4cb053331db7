package transparent

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// inet4 and inet6 are socket addresses as the kernel writes them.
func inet4(a netip.AddrPort) []byte {
	b := binary.NativeEndian.AppendUint16(nil, unix.AF_INET)
	b = binary.BigEndian.AppendUint16(b, a.Port())
	return append(append(b, a.Addr().AsSlice()...), make([]byte, 8)...)
}

func inet6(a netip.AddrPort) []byte {
	b := binary.NativeEndian.AppendUint16(nil, unix.AF_INET6)
	b = append(binary.BigEndian.AppendUint16(b, a.Port()), 0, 0, 0, 0)
	addr := a.Addr().As16()
	return append(append(b, addr[:]...), 0, 0, 0, 0)
}

// message is a control message.
func message(level, kind int, data []byte) []byte {
	b := make([]byte, unix.CmsgSpace(len(data)))
	var head bytes.Buffer
	h := unix.Cmsghdr{Level: int32(level), Type: int32(kind)}
	h.SetLen(unix.CmsgLen(len(data)))
	_ = binary.Write(&head, binary.NativeEndian, h)
	copy(b, head.Bytes())
	copy(b[unix.CmsgLen(0):], data)
	return b
}

func TestParseDest(t *testing.T) {
	v4, v6 := netip.MustParseAddrPort("192.0.2.1:443"), netip.MustParseAddrPort("[2001:db8::1]:53")
	other := message(unix.SOL_SOCKET, unix.SO_TIMESTAMP, make([]byte, 16))
	for _, tt := range []struct {
		name string
		oob  []byte
		want netip.AddrPort
	}{
		{"IPv4", message(unix.SOL_IP, unix.IP_ORIGDSTADDR, inet4(v4)), v4},
		{"IPv6", message(unix.SOL_IPV6, unix.IPV6_ORIGDSTADDR, inet6(v6)), v6},
		{"behind another", append(other, message(unix.SOL_IP, unix.IP_ORIGDSTADDR, inet4(v4))...), v4},
		{"none", other, netip.AddrPort{}},
		{"nothing", nil, netip.AddrPort{}},
		{"without data", message(unix.SOL_IP, unix.IP_ORIGDSTADDR, nil), netip.AddrPort{}},
		{"IPv6 cut short", message(unix.SOL_IPV6, unix.IPV6_ORIGDSTADDR, inet6(v6)[:20]), netip.AddrPort{}},
		{"of another level", message(unix.SOL_TCP, unix.IP_ORIGDSTADDR, inet4(v4)), netip.AddrPort{}},
		{"port 0", message(unix.SOL_IP, unix.IP_ORIGDSTADDR, inet4(netip.MustParseAddrPort("192.0.2.1:0"))), netip.AddrPort{}},
		{"unknown family", message(unix.SOL_IP, unix.IP_ORIGDSTADDR, make([]byte, 16)), netip.AddrPort{}},
	} {
		got, ok := parseDest(tt.oob)
		if ok != tt.want.IsValid() || ok && got != tt.want {
			t.Errorf("%s: %v, %v; want %v", tt.name, got, ok, tt.want)
		}
	}
}

func TestSockaddrBytes(t *testing.T) {
	want := netip.MustParseAddrPort("[2001:db8::1]:53")
	raw := unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: binary.NativeEndian.Uint16([]byte{0, 53}), Addr: want.Addr().As16()}
	if got, err := parseSockaddr(sockaddrBytes(&raw)); got != want || err != nil {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

// TestPortUnreachable reads the messages with another parser.
func TestPortUnreachable(t *testing.T) {
	client, dest := netip.MustParseAddrPort("192.0.2.7:40000"), netip.MustParseAddrPort("198.51.100.1:443")
	b := portUnreachable4(client, dest, 1200)
	m, err := icmp.ParseMessage(1, b)
	if err != nil || m.Type != ipv4.ICMPTypeDestinationUnreachable || m.Code != 3 || checksum(b) != 0 {
		t.Fatalf("%+v, %v, checksum %x", m, err, checksum(b))
	}
	inner := m.Body.(*icmp.DstUnreach).Data
	h, err := icmp.ParseIPv4Header(inner)
	if err != nil || h.Src.String() != "192.0.2.7" || h.Dst.String() != "198.51.100.1" || h.Protocol != 17 || h.TotalLen != 1228 || checksum(inner[:20]) != 0 {
		t.Errorf("%+v, %v", h, err)
	}
	ports, _ := hex.DecodeString("9c4001bb04b80000")
	if !bytes.Equal(inner[20:], ports) {
		t.Errorf("UDP %x, want %x", inner[20:], ports)
	}

	client, dest = netip.MustParseAddrPort("[2001:db8::7]:40000"), netip.MustParseAddrPort("[2001:db8::1]:443")
	b = portUnreachable6(client, dest, 1200)
	m, err = icmp.ParseMessage(58, b)
	if err != nil || m.Type != ipv6.ICMPTypeDestinationUnreachable || m.Code != 4 {
		t.Fatalf("%+v, %v", m, err)
	}
	inner = m.Body.(*icmp.DstUnreach).Data
	h6, err := ipv6.ParseHeader(inner)
	if err != nil || h6.Src.String() != "2001:db8::7" || h6.Dst.String() != "2001:db8::1" || h6.NextHeader != 17 || h6.PayloadLen != 1208 {
		t.Errorf("%+v, %v", h6, err)
	}
	if !bytes.Equal(inner[40:], ports) {
		t.Errorf("UDP %x, want %x", inner[40:], ports)
	}
}

// TestAnswerDatagram: the checksum is right, whatever the length.
func TestAnswerDatagram(t *testing.T) {
	for _, dest := range []string{"192.0.2.1:53", "[2001:db8::1]:53"} {
		key := flowKey{client: netip.MustParseAddrPort("192.0.2.7:40000"), dest: netip.MustParseAddrPort(dest)}
		if key.dest.Addr().Is6() {
			key.client = netip.MustParseAddrPort("[2001:db8::7]:40000")
		}
		for n := range 4 {
			b := answerDatagram(key, bytes.Repeat([]byte{0xfe}, n))
			head := []byte{0, 53, 0x9c, 0x40, 0, byte(8 + n)}
			if !bytes.Equal(b[:6], head) || len(b) != 8+n {
				t.Errorf("%s: %x, want it to begin with %x", dest, b, head)
			}
			pseudo := append(key.dest.Addr().AsSlice(), key.client.Addr().AsSlice()...)
			pseudo = append(pseudo, 0, 0, 0, byte(len(b)), 0, 0, 0, 17) // RFC 8200 section 8.1
			if sum := checksum(append(pseudo, b...)); sum != 0 || b[6] == 0 && b[7] == 0 {
				t.Errorf("%s: %x has a wrong checksum", dest, b)
			}
		}
	}
}

// FuzzParseDest: what is read has a port, and nothing makes the parser panic.
func FuzzParseDest(f *testing.F) {
	a := netip.MustParseAddrPort("192.0.2.1:443")
	f.Add(message(unix.SOL_IP, unix.IP_ORIGDSTADDR, inet4(a)))
	f.Add(message(unix.SOL_IPV6, unix.IPV6_ORIGDSTADDR, inet6(a)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, oob []byte) {
		if dest, ok := parseDest(oob); ok && (!dest.IsValid() || dest.Port() == 0) {
			t.Errorf("%x: %v", oob, dest)
		}
	})
}
