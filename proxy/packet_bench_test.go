package proxy

import (
	"net"
	"testing"
)

// BenchmarkPacket reads datagrams from a socket as relays do.
func BenchmarkPacket(b *testing.B) {
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer pc.Close()
	c, err := net.DialUDP("udp", nil, pc.LocalAddr().(*net.UDPAddr))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	payload := make([]byte, 1200)
	for name, read := range map[string]func(func([]byte)) error{"ready": packetReader(c), "held": packetReader(struct{ net.Conn }{c})} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pc.WriteTo(payload, c.LocalAddr()); err != nil {
					b.Fatal(err)
				}
				if err := read(func([]byte) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
