//go:build unix

package wireguard

import (
	"io"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// The benchmarks move b.N MiB through one stream between two devices in this
// process: half of what they cost is the phone's.

func BenchmarkDownload(b *testing.B) {
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		b.Run(listen, func(b *testing.B) {
			r := newRig(b, 1, func(c *Config) { c.Listen = netip.MustParseAddrPort(listen) })
			client := r.phone(1).dial("192.0.2.7:80")
			transfer(b, r.next(), client)
		})
	}
}

func BenchmarkUpload(b *testing.B) {
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		b.Run(listen, func(b *testing.B) {
			r := newRig(b, 1, func(c *Config) { c.Listen = netip.MustParseAddrPort(listen) })
			client := r.phone(1).dial("192.0.2.7:80")
			transfer(b, client, r.next())
		})
	}
}

func transfer(b *testing.B, from, to net.Conn) {
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	defer func() { b.ReportMetric(float64((cpuTime()-before).Microseconds())/1000/float64(b.N), "cpu-ms/MiB") }()
	go func() {
		buf := make([]byte, 64<<10)
		for range b.N * 16 {
			if _, err := from.Write(buf); err != nil {
				b.Error(err)
				break
			}
		}
		_ = from.(interface{ CloseWrite() error }).CloseWrite()
	}()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, to, make([]byte, 64<<10))
	if err != nil || n != int64(b.N)<<20 {
		b.Errorf("%d bytes: %v", n, err)
	}
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDatagram sends a datagram and waits for the answer.
func BenchmarkDatagram(b *testing.B) {
	r := newRig(b, 1)
	client := r.phone(1).udp("192.0.2.7:53")
	buf := make([]byte, 1200)
	if _, err := client.Write(buf); err != nil {
		b.Fatal(err)
	}
	c := r.next()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Read(buf); err != nil {
			b.Fatal(err)
		}
		_, _ = c.Write(buf[:100])
		if _, err := client.Read(buf); err != nil {
			b.Fatal(err)
		}
		_, _ = client.Write(buf)
	}
}

// BenchmarkIdle reports the bytes that a connection without traffic costs, with a
// goroutine that waits for it.
func BenchmarkIdle(b *testing.B) {
	const n = 2000
	for _, kind := range []string{"tcp", "udp"} {
		b.Run(kind, func(b *testing.B) {
			r := newRig(b, 1)
			p := r.phone(1)
			var before, after runtime.MemStats
			conns := make([]net.Conn, n)
			clients := make([]net.Conn, n)
			for range b.N {
				runtime.GC()
				runtime.GC()
				runtime.ReadMemStats(&before)
				for i := range n {
					if kind == "tcp" {
						clients[i] = p.dial("192.0.2.7:80")
					} else {
						clients[i] = p.udp("192.0.2.7:80")
					}
					_, _ = clients[i].Write([]byte("hello"))
					conns[i] = r.next()
					go func() {
						buf := make([]byte, 16)
						for {
							if _, err := conns[i].Read(buf); err != nil {
								return
							}
						}
					}()
				}
				time.Sleep(500 * time.Millisecond)
				runtime.GC()
				runtime.GC()
				runtime.ReadMemStats(&after)
				both := int64(after.HeapAlloc+after.StackInuse) - int64(before.HeapAlloc+before.StackInuse)
				for i := range n {
					_ = conns[i].Close()
				}
				b.ReportMetric(float64(both)/n, "B/conn+client")
			}
		})
	}
}
