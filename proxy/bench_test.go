package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"constat/proxy"
	"constat/proxy/flow"
)

// counter is a Recorder that keeps nothing, so that benchmarks measure the proxy.
type counter struct{ id atomic.Int64 }

func (c *counter) Begin(r flow.Record) error {
	switch r := r.(type) {
	case *flow.Connection:
		r.ID = c.id.Add(1)
	case *flow.Exchange:
		r.ID = c.id.Add(1)
	}
	return nil
}
func (*counter) Spill(*flow.Body, []byte) error            { return nil }
func (*counter) Commit(context.Context, flow.Record) error { return nil }

// BenchmarkExchange is one GET of 1 KiB over a kept-alive connection through
// CONNECT, with client and server in the same process and as cheap as they get.
func BenchmarkExchange(b *testing.B) {
	for _, kind := range []string{"get", "post"} {
		b.Run(kind, func(b *testing.B) {
			g := newRig(b, func(c *proxy.Config) { c.Recorder = new(counter) })
			answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("x", 1024))
			addr := cheapServer(b, answer)
			c := g.connectTLS(addr, "127.0.0.1")
			request := "GET /bench?x=1 HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n"
			if kind == "post" {
				request = "POST /bench?x=1 HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: bench\r\nAccept: */*\r\nContent-Length: 2048\r\n\r\n" + strings.Repeat("y", 2048)
			}
			r := bufio.NewReader(c)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := io.WriteString(c, request); err != nil {
					b.Fatal(err)
				}
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != 1024 {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// BenchmarkHTTP2 is one GET of 1 KiB on one of 64 streams of a connection.
func BenchmarkHTTP2(b *testing.B) {
	g := newRig(b, func(c *proxy.Config) { c.Recorder = new(counter) })
	s := serve(b, true, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, 1024)) })
	c := g.client(true)
	get(b, c, s.URL)
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			get(b, c, s.URL+"/bench")
		}
	})
}

// BenchmarkHTTP3 is BenchmarkHTTP2 with a client of HTTP/3, and a server of either. The
// client's and the server's own cost is in it.
func BenchmarkHTTP3(b *testing.B) {
	answer := func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, 1024)) }
	for _, server := range []string{"http2", "http3"} {
		b.Run(server, func(b *testing.B) {
			at := serve3(b, answer)
			if server == "http2" {
				at = serverAddr(serve(b, true, answer).URL)
			}
			g := newRig(b, func(c *proxy.Config) { c.Recorder, c.QUIC = new(counter), proxy.InterceptQUIC })
			p := g.packetGated(at).phone(g.trust)
			url := fmt.Sprintf("https://server.test:%d/bench", at.Port())
			get(b, p.Client, url)
			b.SetParallelism(32)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					get(b, p.Client, url)
				}
			})
		})
	}
}

// BenchmarkDownload is 10 MiB.
func BenchmarkDownload(b *testing.B) {
	body := make([]byte, 10<<20)
	s := serve(b, true, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body)
	})
	b.Run("http1", func(b *testing.B) {
		g := newRig(b, func(c *proxy.Config) { c.Recorder = new(counter) })
		download(b, g.client(false), s.URL, len(body))
	})
	b.Run("http3", func(b *testing.B) {
		g := newRig(b, func(c *proxy.Config) { c.Recorder, c.QUIC = new(counter), proxy.InterceptQUIC })
		at := serverAddr(s.URL)
		download(b, g.packetGated(at).phone(g.trust).Client, fmt.Sprintf("https://server.test:%d/", at.Port()), len(body))
	})
}

func download(b *testing.B, c *http.Client, url string, size int) {
	b.SetBytes(int64(size))
	for b.Loop() {
		resp, err := c.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// cheapServer answers every request with the same bytes.
func cheapServer(t testing.TB, answer []byte) string {
	t.Helper()
	s := newRawServer(t, true, "")
	s.keep = answer
	return s.addr
}

// keepServing answers requests on one connection until it ends.
func keepServing(r *bufio.Reader, w io.Writer, answer []byte) {
	for {
		length := 0
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if bytes.HasPrefix(line, []byte("Content-Length: ")) {
				_, _ = fmt.Sscan(string(line[16:]), &length)
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := r.Discard(length); err != nil {
			return
		}
		if _, err := w.Write(answer); err != nil {
			return
		}
	}
}
