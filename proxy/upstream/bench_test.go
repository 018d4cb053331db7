//go:build unix

package upstream

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// cpu returns the time that this process has used, system time included.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTransfer is 10 MiB down and up over TLS, beside net/http's Transport. The
// server's part is in the figures of both.
func BenchmarkTransfer(b *testing.B) {
	ca := newAuthority(b)
	const size = 10 << 20
	data := make([]byte, size)
	for _, proto := range []string{"http/1.1", "h2"} {
		conf := serverTLS(ca.issue(b, nil))
		conf.DynamicRecordSizingDisabled = true
		addr, _ := secure(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				io.Copy(io.Discard, r.Body)
				return
			}
			w.Header().Set("Content-Length", strconv.Itoa(size))
			w.Write(data)
		}), conf, proto)
		ours := New(Config{Roots: ca.pool})
		defer ours.Close()
		theirs := &http.Transport{DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: ca.pool}, ForceAttemptHTTP2: proto == "h2"}
		defer theirs.CloseIdleConnections()
		for _, method := range []string{"GET", "POST"} {
			run := func(name string, do func(*http.Request) (*http.Response, error)) {
				b.Run(proto+"/"+method+"/"+name, func(b *testing.B) {
					buf := make([]byte, 32<<10)
					before := cpu(b)
					for b.Loop() {
						r := request(b, method, addr, "/")
						r.URL.Scheme = "https"
						if method == "POST" {
							r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), size
						}
						resp, err := do(r)
						if err != nil {
							b.Fatal(err)
						}
						n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buf)
						if err != nil || n != size && method == "GET" {
							b.Fatal(n, err)
						}
						resp.Body.Close()
					}
					b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1e6, "cpu-ms/op")
				})
			}
			run("upstream", func(r *http.Request) (*http.Response, error) {
				return ours.Do(r, &Call{Client: loopback, HTTP2: proto == "h2"})
			})
			run("nethttp", theirs.RoundTrip)
		}
	}
}

// BenchmarkGet is one request of 1 KiB over a kept connection, beside the same with
// net/http's Transport. The server is a plain loop, so that most of what differs
// is the client.
func BenchmarkGet(b *testing.B) {
	answer := append([]byte("HTTP/1.1 200 OK\r\nDate: Fri, 20 Nov 2026 09:00:00 GMT\r\nServer: nginx\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n\r\n"), make([]byte, 1024)...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			for {
				n, err := c.Read(buf)
				if err != nil {
					break
				}
				if bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
					c.Write(answer)
				}
			}
			c.Close()
		}
	}()
	defer func() { l.Close(); <-done }()
	head := []byte("GET /x HTTP/1.1\r\nHost: h.test\r\nUser-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n")
	header := http.Header{"User-Agent": {"bench"}, "Accept": {"*/*"}, "Accept-Encoding": {"gzip"}}
	run := func(b *testing.B, do func(*http.Request) (*http.Response, error)) {
		b.ReportAllocs()
		r := request(b, "GET", l.Addr().String(), "/x")
		r.Header = header
		buf := make([]byte, 32<<10)
		before := cpu(b)
		for b.Loop() {
			resp, err := do(r)
			if err != nil {
				b.Fatal(err)
			}
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buf)
			if err != nil || n != 1024 {
				b.Fatal(n, err)
			}
			resp.Body.Close()
		}
		b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
	}
	b.Run("upstream", func(b *testing.B) {
		tr := New(Config{})
		defer tr.Close()
		run(b, func(r *http.Request) (*http.Response, error) {
			return tr.Do(r, &Call{Client: loopback, Head: head})
		})
	})
	b.Run("nethttp", func(b *testing.B) {
		tr := &http.Transport{DisableCompression: true}
		defer tr.CloseIdleConnections()
		run(b, tr.RoundTrip)
	})
}

// BenchmarkHTTP3 is requests over a kept QUIC connection, beside quic-go's own
// Transport. The server's part is in the figures of both.
func BenchmarkHTTP3(b *testing.B) {
	ca := newAuthority(b)
	data := make([]byte, 10<<20)
	s := quicServer(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.Atoi(r.URL.Path[1:])
		w.Write(data[:size])
	}), serverTLS(ca.issue(b, nil)), listenUDP(b))
	ours := New(Config{Roots: ca.pool})
	defer ours.Close()
	theirs := &http3.Transport{DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: ca.pool}}
	defer theirs.Close()
	for _, size := range []int{1 << 10, 10 << 20} {
		run := func(name string, do func(*http.Request) (*http.Response, error)) {
			b.Run(strconv.Itoa(size)+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				buf := make([]byte, 32<<10)
				before := cpu(b)
				for b.Loop() {
					r := request(b, "GET", s.addr, "/"+strconv.Itoa(size))
					r.URL.Scheme = "https"
					resp, err := do(r)
					if err != nil {
						b.Fatal(err)
					}
					n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buf)
					if err != nil || n != int64(size) {
						b.Fatal(n, err)
					}
					resp.Body.Close()
				}
				b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
			})
		}
		run("upstream", func(r *http.Request) (*http.Response, error) { return ours.Do(r, &Call{Client: loopback, HTTP3: true}) })
		run("quic-go", theirs.RoundTrip)
	}
}
