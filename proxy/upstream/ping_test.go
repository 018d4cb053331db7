package upstream

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"constat/proxy/flow"
)

// TestPing sends echo requests under two identifiers with the same numbers to this
// machine, and gets each reply under the names of its request.
func TestPing(t *testing.T) {
	tr := open(t, Config{})
	for _, tt := range []struct {
		to             string
		request, reply icmp.Type
		protocol       int
	}{
		{"127.0.0.1", ipv4.ICMPTypeEcho, ipv4.ICMPTypeEchoReply, 1},
		{"::1", ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply, 58},
	} {
		c, err := tr.DialPing(t.Context(), loopback, netip.MustParseAddr(tt.to))
		if errors.Is(err, ErrPing) {
			t.Skipf("%v", err)
		}
		if err != nil {
			if strings.Contains(err.Error(), "address family") || strings.Contains(err.Error(), "assign") {
				t.Logf("no IPv6 here: %v", err)
				continue
			}
			t.Fatal(err)
		}
		if c.RemoteAddr().String() != tt.to || c.RemoteAddr().Network() != "ip" {
			t.Errorf("remote address %v", c.RemoteAddr())
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		buf := make([]byte, 64<<10)
		data := strings.Repeat("odd", 333)
		for _, id := range []int{7, 9, 7} {
			m := &icmp.Message{Type: tt.request, Body: &icmp.Echo{ID: id, Seq: 1, Data: []byte(data)}}
			out, err := m.Marshal(nil)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := c.Write(out); n != len(out) || err != nil {
				t.Fatal(n, err)
			}
			n, err := c.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got, err := icmp.ParseMessage(tt.protocol, buf[:n])
			if err != nil {
				t.Fatal(err)
			}
			echo, ok := got.Body.(*icmp.Echo)
			if !ok || got.Type != tt.reply || echo.ID != id || echo.Seq != 1 || string(echo.Data) != data {
				t.Errorf("%s: got %+v, %+v", tt.to, got, got.Body)
			}
			if tt.protocol == 1 {
				if complete := sumOf(buf[:n]); complete != 0xffff {
					t.Errorf("the words add up to %#x", complete)
				}
			}
		}
		for _, bad := range []string{"", "\x08\x00\x00\x00\x00\x01\x00", "\x00\x00\x00\x00\x00\x01\x00\x01", "\x08\x01\x00\x00\x00\x01\x00\x01", "\x05\x00\x00\x00\x00\x01\x00\x01"} {
			if _, err := c.Write([]byte(bad)); err == nil {
				t.Errorf("%q was sent", bad)
			}
		}
		c.SetReadDeadline(time.Now())
		if _, err := c.Read(buf); err == nil || !err.(net.Error).Timeout() {
			t.Errorf("past the deadline: %v", err)
		}
		c.Close()
	}
}

// sumOf adds up the words of a message with its checksum: 0xffff when it is right.
func sumOf(m []byte) uint32 {
	var s uint32
	for i, c := range m {
		s += uint32(c) << (8 * (1 - i%2))
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return s
}

// TestPingLate drops the reply to a request whose place was taken by a later one.
func TestPingLate(t *testing.T) {
	c, err := open(t, Config{}).DialPing(t.Context(), loopback, loopback)
	if err != nil {
		t.Skip(err)
	}
	defer c.Close()
	p := c.(*pinger)
	ping := []byte("\x08\x00\x00\x00\x00\x05\x00\x05late")
	if _, err := c.Write(ping); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.sent[p.next%pingsKept].seq += pingsKept
	p.mu.Unlock()
	copy(ping[8:], "good")
	if _, err := c.Write(ping); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1500)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := c.Read(buf); err != nil || string(buf[8:n]) != "good" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}

func TestPingRefused(t *testing.T) {
	tr := open(t, Config{})
	for addr, want := range map[string]string{"127.0.0.1": flow.ErrRefused, "::ffff:127.0.0.1": flow.ErrRefused, "10.0.0.1": flow.ErrRefused} {
		if _, err := tr.DialPing(t.Context(), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr(addr)); word(err) != want {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if _, err := tr.DialPing(t.Context(), loopback, netip.Addr{}); word(err) != flow.ErrClientBad {
		t.Errorf("no address: %v", err)
	}
	tr.Close()
	if _, err := tr.DialPing(t.Context(), loopback, loopback); word(err) != flow.ErrCutOff {
		t.Errorf("after Close: %v", err)
	}
}

// TestDialPacket sends datagrams to a server found by name, by address, and by the
// operator's word.
func TestDialPacket(t *testing.T) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, from, err := server.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			server.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	t.Cleanup(func() { server.Close(); <-done })
	at := server.LocalAddr().(*net.UDPAddr).AddrPort()
	asked := 0
	tr := open(t, Config{
		Resolve: map[string]string{"fixed.test:53": at.String()},
		Allow:   func(client netip.Addr, a netip.AddrPort) error { asked++; return Guard(nil)(client, a) },
	})
	for _, tt := range []struct {
		client, to string
		address    netip.AddrPort
		asked      int
		word       string
	}{
		{"127.0.0.1", at.String(), netip.AddrPort{}, 1, ""},
		{"127.0.0.1", "a.invalid:53", at, 1, ""},
		{"192.0.2.1", "fixed.test:53", netip.AddrPort{}, 0, ""},
		{"192.0.2.1", "a.invalid:53", at, 1, flow.ErrRefused},
		{"192.0.2.1", "a.invalid:53", netip.AddrPort{}, 0, flow.ErrDNS},
	} {
		asked = 0
		c, got, err := tr.DialPacket(t.Context(), netip.MustParseAddr(tt.client), tt.to, tt.address)
		if word(err) != tt.word || asked != tt.asked {
			t.Errorf("%s for %s: asked %d times, %v", tt.to, tt.client, asked, err)
		}
		if err != nil {
			continue
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		buf := make([]byte, 64<<10)
		c.Write([]byte("hello"))
		if n, err := c.Read(buf); string(buf[:n]) != "hello" || got != at {
			t.Errorf("%s: %q from %v, %v", tt.to, buf[:n], got, err)
		}
		c.Close()
	}
}
