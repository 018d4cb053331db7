package wireguard

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	wgconn "golang.zx2c4.com/wireguard/conn"
)

// TestBind sends datagrams of all sizes from one socket to another, with and without
// the kernel's help.
func TestBind(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		addr := netip.MustParseAddr(host)
		to, from := &bind{addr: addr}, &bind{addr: addr}
		fns, port, err := to.Open(0)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := from.Open(0); err != nil {
			t.Fatal(err)
		}
		ep, err := from.ParseEndpoint(netip.AddrPortFrom(addr, port).String())
		if err != nil {
			t.Fatal(err)
		}
		var bufs [][]byte
		for i, size := range []int{100, 100, 100, 7, 100, 200, 1312, 1312, 1312, 1312, 48, 48, 60000, 60000, 32} {
			bufs = append(bufs, bytes.Repeat([]byte{byte(i)}, size))
		}
		for range wgconn.IdealBatchSize - len(bufs) {
			bufs = append(bufs, bytes.Repeat([]byte{0xff}, 1300))
		}
		for _, help := range []bool{from.segments.Load(), false} {
			from.segments.Store(help)
			if err := from.Send(bufs, ep); err != nil {
				t.Fatal(err)
			}
			packets, sizes, eps := make([][]byte, to.BatchSize()), make([]int, to.BatchSize()), make([]wgconn.Endpoint, to.BatchSize())
			for i := range packets {
				packets[i] = make([]byte, 65535)
			}
			for got := 0; got < len(bufs); {
				n, err := fns[0](packets, sizes, eps)
				if err != nil {
					t.Fatal(err)
				}
				for i := range n {
					if !bytes.Equal(packets[i][:sizes[i]], bufs[got]) {
						t.Fatalf("%s, help %v: datagram %d has %d bytes, want %d", host, help, got, sizes[i], len(bufs[got]))
					}
					if eps[i].DstIP() != addr {
						t.Errorf("from %v", eps[i].DstToString())
					}
					got++
				}
			}
		}
		_, _ = to.Close(), from.Close()
		if err := from.Send(bufs, ep); err != net.ErrClosed {
			t.Errorf("send after close: %v", err)
		}
	}
}
