package wireguard

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

func TestEcho(t *testing.T) {
	r := newRig(t, 1)
	p := r.phone(1)
	for _, to := range []string{"192.0.2.7", "2001:db8::7"} {
		client := p.echo(to)
		other := p.echo(to)
		if _, err := client.Write(request(to, 1, "first")); err != nil {
			t.Fatal(err)
		}
		c := r.next()
		if a, ok := c.LocalAddr().(*net.IPAddr); !ok || a.String() != to {
			t.Errorf("destination %v (%T), want %s", c.LocalAddr(), c.LocalAddr(), to)
		}
		if got, want := c.RemoteAddr().String(), client.LocalAddr().(*net.UDPAddr).IP.String(); got != want {
			t.Errorf("client %s, want %s", got, want)
		}
		if c := c.(told); c.User() != "phone 1" {
			t.Errorf("user %q", c.User())
		}
		buf, reply := make([]byte, 2000), make([]byte, 2000)
		for i, payload := range []string{"first", "", strings.Repeat("x", 1200)} {
			if i > 0 {
				if _, err := client.Write(request(to, byte(i+1), payload)); err != nil {
					t.Fatal(err)
				}
			}
			n, err := c.Read(buf)
			want := request(to, byte(i+1), payload)
			if err != nil || n != len(want) || buf[0] != want[0] || buf[7] != want[7] || !bytes.Equal(buf[8:n], want[8:]) {
				t.Fatalf("read %q, %v, want %q", buf[:n], err, want)
			}
			copy(buf, "\x03\x01bad\x05") // type, code, checksum and identifier are not the writer's
			if _, err := c.Write(buf[:n]); err != nil {
				t.Fatal(err)
			}
			n, err = client.Read(reply)
			if err != nil || n != len(want) || reply[7] != want[7] || !bytes.Equal(reply[8:n], want[8:]) {
				t.Fatalf("reply %q, %v", reply[:n], err)
			}
		}
		if _, err := c.Write([]byte("short")); err == nil {
			t.Error("a message without a header was written")
		}
		// Another process that pings is another flow.
		if _, err := other.Write(request(to, 1, "other")); err != nil {
			t.Fatal(err)
		}
		second := r.next()
		if n, err := second.Read(buf); err != nil || string(buf[8:n]) != "other" {
			t.Errorf("second flow read %q, %v", buf[:n], err)
		}
		if err := second.(interface{ Refuse() error }).Refuse(); err != nil {
			t.Error(err)
		}
		// Nobody answered it: not this end of the tunnel either.
		_ = other.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if n, err := other.Read(reply); err == nil {
			t.Errorf("somebody answered: %q", reply[:n])
		}
	}
}

// TestLargeEcho sends echo requests in fragments. Over IPv4 they come out whole,
// over IPv6 they do not come out; in no case does the tunnel answer them.
func TestLargeEcho(t *testing.T) {
	r := newRig(t, 1)
	p := r.phone(1)
	payload := strings.Repeat("0123456789", 300)
	six := p.echo("2001:db8::7")
	if _, err := six.Write(request("2001:db8::7", 1, payload)); err != nil {
		t.Fatal(err)
	}
	four := p.echo("192.0.2.7")
	if _, err := four.Write(request("192.0.2.7", 1, payload)); err != nil {
		t.Fatal(err)
	}
	c := r.next()
	buf := make([]byte, 4000)
	if n, err := c.Read(buf); err != nil || c.LocalAddr().String() != "192.0.2.7" || string(buf[8:n]) != payload {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	if _, err := c.Write(buf[:8+len(payload)]); err != nil {
		t.Fatal(err)
	}
	if n, err := four.Read(buf); err != nil || string(buf[8:n]) != payload {
		t.Fatalf("reply of %d bytes, %v", n, err)
	}
	_ = six.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := six.Read(buf); err == nil {
		t.Errorf("somebody answered over IPv6: %d bytes", n)
	}
}

// packet6 is an IPv6 packet from fd00::2 to 2001:db8::7 with what follows its header.
func packet6(next byte, rest ...[]byte) []byte {
	body := bytes.Join(rest, nil)
	p := make([]byte, header.IPv6MinimumSize)
	p[0], p[4], p[5], p[6], p[7] = 0x60, byte(len(body)>>8), byte(len(body)), next, 64
	copy(p[8:], net.ParseIP("fd00::2"))
	copy(p[24:], net.ParseIP("2001:db8::7"))
	return append(p, body...)
}

// echo6Message is an echo request of packet6 with its checksum (RFC 8200 section 8.1,
// RFC 1071).
var echo6Message = func() []byte {
	m := []byte{128, 0, 0, 0, 0x12, 0x34, 0, 1, 'h', 'i'}
	sum := 58 + len(m)
	for _, b := range [][]byte{net.ParseIP("fd00::2"), net.ParseIP("2001:db8::7"), m} {
		for i := 0; i < len(b); i += 2 {
			sum += int(b[i])<<8 | int(b[i+1])
		}
	}
	sum = ^(sum>>16 + sum&0xffff)
	m[2], m[3] = byte(sum>>8), byte(sum)
	return m
}()

func TestParseIPv6(t *testing.T) {
	options := func(next byte) []byte { return []byte{next, 0, 1, 4, 0, 0, 0, 0} }
	fragment := func(next byte, offset, more byte) []byte { return []byte{next, 0, 0, offset<<3 | more, 1, 2, 3, 4} }
	damaged := append([]byte(nil), echo6Message...)
	damaged[9] ^= 1
	long := [][]byte{}
	for range maxExtensions {
		long = append(long, options(60))
	}
	for _, test := range []struct {
		name string
		p    []byte
		want verdict
	}{
		{"echo request", packet6(58, echo6Message), takeEcho},
		{"after hop-by-hop options", packet6(0, options(58), echo6Message), takeEcho},
		{"after all kinds of options", packet6(0, options(43), options(60), options(58), echo6Message), takeEcho},
		{"in an only fragment", packet6(44, fragment(58, 0, 0), echo6Message), takeEcho},
		{"in a first fragment", packet6(44, fragment(58, 0, 1), echo6Message), drop},
		{"in a later fragment", packet6(44, fragment(58, 1, 0), echo6Message), drop},
		{"in a fragment behind options", packet6(44, fragment(60, 0, 1), options(58), echo6Message), drop},
		{"behind too many options", packet6(60, append(long, options(58), echo6Message)...), drop},
		{"damaged", packet6(58, damaged), drop},
		{"short", packet6(58, echo6Message[:7]), drop},
		{"options that are cut off", packet6(60, []byte{58, 1, 0, 0, 0, 0, 0, 0}), drop},
		{"neighbour solicitation", packet6(58, append([]byte{135, 0, 0, 0}, make([]byte, 20)...)), drop},
		{"packet too big", packet6(58, append([]byte{2, 0, 0, 0}, make([]byte, 20)...)), passOn},
		{"TCP", packet6(6, make([]byte, 20)), passOn},
		{"UDP fragment", packet6(44, fragment(17, 0, 1), make([]byte, 8)), passOn},
		{"length that is too large", packet6(58, echo6Message)[:45], drop},
		{"no header", []byte{0x60}, drop},
		{"IPv4", append([]byte{0x45}, make([]byte, 60)...), drop},
	} {
		t.Run(test.name, func(t *testing.T) {
			message, got := parseIPv6(test.p)
			if got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
			if got == takeEcho && !bytes.Equal(message, echo6Message) {
				t.Errorf("message % x", message)
			}
		})
	}
}

func FuzzParseIPv6(f *testing.F) {
	f.Add(packet6(58, echo6Message))
	f.Add(packet6(0, []byte{44, 0, 1, 4, 0, 0, 0, 0}, []byte{58, 0, 0, 1, 0, 0, 0, 0}, echo6Message))
	f.Add(packet6(43, []byte{60, 0, 1, 4, 0, 0, 0, 0}, []byte{17, 0, 0, 1, 0, 0, 0, 0}))
	f.Fuzz(func(t *testing.T, p []byte) {
		before := append([]byte(nil), p...)
		message, what := parseIPv6(p)
		if !bytes.Equal(p, before) {
			t.Error("the packet was changed")
		}
		if what != takeEcho {
			return
		}
		if len(message) < echoSize || message[0] != byte(header.ICMPv6EchoRequest) || !bytes.Contains(p[40:], message) {
			t.Errorf("took % x", message)
		}
	})
}
