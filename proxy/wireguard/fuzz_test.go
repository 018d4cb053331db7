package wireguard

import (
	"net"
	"net/netip"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// FuzzPacket gives the stack whatever a peer could have encrypted, with a source
// that is the peer's. Nothing panics, and nobody answers echo requests.
func FuzzPacket(f *testing.F) {
	l := &Listener{
		conf:    Config{MaxFlows: 100},
		accept:  make(chan net.Conn, acceptQueue),
		closing: make(chan struct{}),
		peers:   map[Key]*peer{},
		owners:  map[netip.Addr]*peer{},
		flows:   map[flowKey]*flow{},
	}
	four, six := netip.MustParseAddr("10.77.0.2"), netip.MustParseAddr("fd00::2")
	l.enroll(Peer{Name: "phone", PublicKey: Key{1}, Addresses: []netip.Addr{four, six}})
	l.link = newLink(MinMTU, l.echo6)
	var err error
	if l.stack, err = l.newStack(); err != nil {
		f.Fatal(err)
	}
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	f.Cleanup(func() {
		l.mu.Lock()
		l.closed = true // as Close does
		l.open++        // and never takes down
		l.mu.Unlock()
		close(l.closing)
		<-accepted
		l.clearQueue()
		_ = device{l.link}.Close()
		for l.stack.Close(); l.beginning(); l.stack.Close() {
		}
		l.stack.Wait()
	})

	from4, from6 := netip.AddrPortFrom(four, 1000), netip.AddrPortFrom(six, 1000)
	f.Add(requestTCP(from4, netip.MustParseAddrPort("192.0.2.7:80")).ToView().AsSlice())
	f.Add(datagram(from4, netip.MustParseAddrPort("192.0.2.7:53")).ToView().AsSlice())
	f.Add(datagram(from6, netip.MustParseAddrPort("[2001:db8::7]:53")).ToView().AsSlice())
	f.Add(packet6(58, echo6Message))
	f.Add(packet6(44, []byte{58, 0, 0, 0, 1, 2, 3, 4}, echo6Message))
	f.Add(packet6(44, []byte{60, 0, 0, 1, 1, 2, 3, 4}, []byte{58, 0, 1, 4, 0, 0, 0, 0}))
	f.Add(packet6(0, []byte{58, 0, 1, 4, 0, 0, 0, 0}, echo6Message))
	ping := append([]byte(nil), requestTCP(from4, netip.MustParseAddrPort("192.0.2.7:0")).ToView().AsSlice()...)
	copy(ping[header.IPv4MinimumSize:], []byte{8, 0, 0xf7, 0xfd, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	ping[9] = 1
	f.Add(ping)

	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) < header.IPv4MinimumSize || len(p) > 65535 {
			return
		}
		// The device lets through the peer's own source only.
		switch p[0] >> 4 {
		case 4:
			copy(p[12:], four.AsSlice())
			ip := header.IPv4(p)
			if n := int(ip.HeaderLength()); n >= header.IPv4MinimumSize && n <= len(p) {
				ip.SetChecksum(0)
				ip.SetChecksum(^ip.CalculateChecksum())
			}
		case 6:
			if len(p) < header.IPv6MinimumSize {
				return
			}
			copy(p[8:], six.AsSlice())
		default:
			return
		}
		_, _ = device{l.link}.Write([][]byte{p}, 0)
		for {
			select {
			case out := <-l.link.queue:
				if kind, is := icmpType(out.ToView().AsSlice()); is && (kind == 0 || kind == 129) {
					t.Errorf("the stack answered an echo request: % x", p)
				}
				out.DecRef()
				continue
			default:
			}
			break
		}
	})
}

// icmpType is the type of an ICMP message that the stack made, without options.
func icmpType(p []byte) (kind byte, is bool) {
	switch {
	case len(p) > header.IPv4MinimumSize && p[0]>>4 == 4 && p[9] == 1:
		return p[4*(p[0]&15)], true
	case len(p) > header.IPv6MinimumSize && p[0]>>4 == 6 && p[6] == 58:
		return p[header.IPv6MinimumSize], true
	}
	return 0, false
}
