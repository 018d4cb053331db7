package upstream

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"constat/proxy/flow"
)

// over2 returns a request and a call for addr from a client that speaks HTTP/2.
func over2(t testing.TB, method, addr, path string) (*http.Request, *Call) {
	r := request(t, method, addr, path)
	r.URL.Scheme = "https"
	return r, &Call{Client: loopback, HTTP2: true}
}

func TestHTTP2(t *testing.T) {
	ca := newAuthority(t)
	addr, opened := secure(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("B", "2")
		w.Header().Set("A", "1")
		w.Header()["Date"] = nil
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Encoding", "gzip") // not true: nobody may look
		w.WriteHeader(201)
		io.WriteString(w, r.Proto+r.URL.Path)
	}), serverTLS(ca.issue(t, nil)), "h2")
	tr := open(t, Config{Roots: ca.pool})
	for i := range 3 {
		r, c := over2(t, "GET", addr, "/x")
		informed := 0
		c.Informational = func(status int, _ textproto.MIMEHeader) { informed = status }
		resp, err := tr.Do(r, c)
		if got := all(t, resp, err); got != "HTTP/2.0/x" || c.Reused != (i > 0) || c.TLS.ALPN != "h2" || c.Server.String() != addr || informed != 103 {
			t.Errorf("got %q, reused %v, informed of %d, %+v", got, c.Reused, informed, c.TLS)
		}
		want := "HTTP/2.0 201 Created\r\na: 1\r\nb: 2\r\ncontent-encoding: gzip\r\ncontent-type: text/plain\r\n\r\n"
		if got := strings.Replace(string(c.ResponseHead), "content-length: 10\r\n", "", 1); got != want || c.Exact {
			t.Errorf("head (-want +got):\n%s", cmp.Diff(want, got))
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	// A client of HTTP/1.1 gets the same server over HTTP/1.1.
	r, _ := over2(t, "GET", addr, "/y")
	resp, err := tr.Do(r, &Call{Client: loopback})
	if got := all(t, resp, err); got != "HTTP/1.1/y" {
		t.Errorf("got %q", got)
	}
}

// TestHTTP2Together sends many requests at once: they share what is dialled.
func TestHTTP2Together(t *testing.T) {
	ca := newAuthority(t)
	for proto, most := range map[string]int64{"h2": 1, "http/1.1": 20} {
		var all20 sync.WaitGroup
		all20.Add(20)
		addr, opened := secure(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			all20.Done()
			all20.Wait()
		}), serverTLS(ca.issue(t, nil)), proto)
		tr := open(t, Config{Roots: ca.pool})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				resp, err := tr.Do(over2(t, "GET", addr, "/"))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			})
		}
		wg.Wait()
		if n := opened.Load(); n != most {
			t.Errorf("%s: %d connections for 20 requests at once, want %d", proto, n, most)
		}
	}
}

// TestHTTP2Fields compares the fields that a raw HTTP/2 server gets with those
// sent: nothing added, hop-by-hop fields left out.
func TestHTTP2Fields(t *testing.T) {
	ca := newAuthority(t)
	got := make(chan []string, 1)
	addr := rawHTTP2(t, ca, func(f *http2.Framer, h *http2.MetaHeadersFrame, _ net.Conn) {
		var fields []string
		for _, x := range h.Fields {
			fields = append(fields, x.Name+": "+x.Value)
		}
		slices.Sort(fields)
		got <- fields
		respond(f, h.StreamID, true, ":status", "204")
	})
	r, c := over2(t, "GET", addr, "/p?q")
	r.Host = "h.test"
	r.Header = http.Header{
		"X-A": {"1", "2"}, "Connection": {"x-gone"}, "X-Gone": {"1"}, "Te": {"trailers"}, "Proxy-Authorization": {"secret"}, "Keep-Alive": {"5"}, "Upgrade": {"x"},
	}
	resp, err := open(t, Config{Roots: ca.pool}).Do(r, c)
	all(t, resp, err)
	want := []string{":authority: h.test", ":method: GET", ":path: /p?q", ":scheme: https", "te: trailers", "x-a: 1", "x-a: 2"}
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// TestHTTP2BothWays is what a bidirectional gRPC call does: messages in turn on
// one stream, and a trailer at the end.
func TestHTTP2BothWays(t *testing.T) {
	ca := newAuthority(t)
	addr, _ := secure(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Grpc-Status")
		c := http.NewResponseController(w)
		c.Flush()
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			w.Write(buf[:n])
			c.Flush()
			if err != nil {
				break
			}
		}
		w.Header().Set("Grpc-Status", "0 "+r.Trailer.Get("X-Last"))
	}), serverTLS(ca.issue(t, nil)), "h2")
	r, c := over2(t, "POST", addr, "/")
	body, out := io.Pipe()
	r.Body, r.ContentLength = body, -1
	r.Header.Set("Te", "trailers")
	r.Trailer = http.Header{"X-Last": nil}
	resp, err := open(t, Config{Roots: ca.pool}).Do(r, c)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	for _, s := range []string{"one", "two", "three"} {
		io.WriteString(out, s)
		if n, err := resp.Body.Read(buf); string(buf[:n]) != s || err != nil {
			t.Fatalf("got %q, %v", buf[:n], err)
		}
	}
	r.Trailer["X-Last"] = []string{"end"}
	out.Close()
	all(t, resp, nil)
	if got := resp.Trailer.Get("Grpc-Status"); got != "0 end" {
		t.Errorf("trailer %q", got)
	}
}

// TestHTTP2Misdeeds holds servers that break off or break the protocol.
func TestHTTP2Misdeeds(t *testing.T) {
	ca := newAuthority(t)
	for _, tt := range []struct {
		name string
		do   func(f *http2.Framer, h *http2.MetaHeadersFrame, c net.Conn)
		word string // of Do's error, or of the body's when it begins with "body "
	}{
		{"reset", func(f *http2.Framer, h *http2.MetaHeadersFrame, _ net.Conn) {
			f.WriteRSTStream(h.StreamID, http2.ErrCodeInternal)
		}, flow.ErrServerClosed},
		{"reset in the body", func(f *http2.Framer, h *http2.MetaHeadersFrame, _ net.Conn) {
			respond(f, h.StreamID, false, ":status", "200")
			f.WriteData(h.StreamID, false, []byte("abc"))
			f.WriteRSTStream(h.StreamID, http2.ErrCodeInternal)
		}, "body " + flow.ErrServerClosed},
		{"short of the length", func(f *http2.Framer, h *http2.MetaHeadersFrame, _ net.Conn) {
			respond(f, h.StreamID, false, ":status", "200", "content-length", "9")
			f.WriteData(h.StreamID, true, []byte("abc"))
		}, "body ?unexpected EOF"},
		{"goaway", func(f *http2.Framer, _ *http2.MetaHeadersFrame, c net.Conn) {
			f.WriteGoAway(1, http2.ErrCodeEnhanceYourCalm, nil)
			c.Close()
		}, flow.ErrServerClosed},
		{"no status", func(f *http2.Framer, h *http2.MetaHeadersFrame, _ net.Conn) { respond(f, h.StreamID, true, "a", "b") }, flow.ErrServerBad},
		{"header flood", func(f *http2.Framer, h *http2.MetaHeadersFrame, _ net.Conn) {
			var pairs []string
			for i := range 200 {
				pairs = append(pairs, fmt.Sprint("x-", i), strings.Repeat("y", 9000))
			}
			respond(f, h.StreamID, true, append([]string{":status", "200"}, pairs...)...)
		}, flow.ErrServerBad},
		{"data on no stream", func(f *http2.Framer, _ *http2.MetaHeadersFrame, _ net.Conn) { f.WriteData(9, true, []byte("abc")) }, flow.ErrServerBad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := open(t, Config{Roots: ca.pool})
			resp, err := tr.Do(over2(t, "GET", rawHTTP2(t, ca, tt.do), "/"))
			got := word(err)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				got = "body " + word(err)
			}
			if got != tt.word {
				t.Errorf("got %q (%v), want %q", got, err, tt.word)
			}
		})
	}
}

// TestHTTP2RefusedStream sends a request again that the server has not looked at.
func TestHTTP2RefusedStream(t *testing.T) {
	ca := newAuthority(t)
	n := 0
	addr := rawHTTP2(t, ca, func(f *http2.Framer, h *http2.MetaHeadersFrame, _ net.Conn) {
		if n++; n == 1 {
			f.WriteRSTStream(h.StreamID, http2.ErrCodeRefusedStream)
			return
		}
		respond(f, h.StreamID, true, ":status", "204")
	})
	resp, err := open(t, Config{Roots: ca.pool}).Do(over2(t, "GET", addr, "/"))
	all(t, resp, err)
	if resp.StatusCode != 204 || n != 2 {
		t.Errorf("got %v after %d requests", resp.Status, n)
	}
}

// rawHTTP2 starts a server that hands each request's fields to do.
func rawHTTP2(t *testing.T, ca *authority, do func(*http2.Framer, *http2.MetaHeadersFrame, net.Conn)) string {
	conf := serverTLS(ca.issue(t, nil))
	conf.NextProtos = []string{"h2"}
	l, err := tls.Listen("tcp", "127.0.0.1:0", conf)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() { serveRaw2(c, do) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

func serveRaw2(c net.Conn, do func(*http2.Framer, *http2.MetaHeadersFrame, net.Conn)) {
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(c, c)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.WriteSettings()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				f.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			do(f, frame, c)
		}
	}
}

// respond writes a header block of name and value pairs, in as many frames as it
// takes.
func respond(f *http2.Framer, stream uint32, end bool, pairs ...string) {
	var b strings.Builder
	enc := hpack.NewEncoder(&b)
	for i := 0; i < len(pairs); i += 2 {
		enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	block := []byte(b.String())
	first := block[:min(len(block), 16<<10)]
	block = block[len(first):]
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: first, EndStream: end, EndHeaders: len(block) == 0})
	for len(block) > 0 {
		next := block[:min(len(block), 16<<10)]
		block = block[len(next):]
		f.WriteContinuation(stream, len(block) == 0, next)
	}
}

// TestHTTP2Gone closes a connection that was used before: what may be repeated is
// sent again on another.
func TestHTTP2Gone(t *testing.T) {
	ca := newAuthority(t)
	for _, tt := range []struct {
		name, method string
		body         io.Reader
		word         string
	}{
		{"GET", "GET", nil, ""},
		{"POST without a body", "POST", nil, flow.ErrServerClosed},
		{"POST with a body that was read", "POST", strings.NewReader("abc"), flow.ErrServerClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			addr := rawHTTP2(t, ca, func(f *http2.Framer, h *http2.MetaHeadersFrame, c net.Conn) {
				if n++; n == 2 {
					if !h.StreamEnded() {
						f.ReadFrame() // of the body
					}
					c.Close()
					return
				}
				respond(f, h.StreamID, true, ":status", "204")
			})
			tr := open(t, Config{Roots: ca.pool})
			resp, err := tr.Do(over2(t, "GET", addr, "/"))
			all(t, resp, err)
			r, c := over2(t, tt.method, addr, "/")
			if tt.body != nil {
				r.Body, r.ContentLength = io.NopCloser(tt.body), -1
			}
			resp, err = tr.Do(r, c)
			if word(err) != tt.word {
				t.Fatalf("got %v, want %q", err, tt.word)
			}
			if err == nil {
				all(t, resp, nil)
				if n != 3 || c.Reused {
					t.Errorf("%d requests, reused %v", n, c.Reused)
				}
			}
		})
	}
}

// TestHTTP2GoAway is a server that goes away as a request comes in, which it does
// not look at: any request that is still whole is sent again.
func TestHTTP2GoAway(t *testing.T) {
	ca := newAuthority(t)
	for _, length := range []int64{0, 3, -1} {
		n := 0
		addr := rawHTTP2(t, ca, func(f *http2.Framer, h *http2.MetaHeadersFrame, c net.Conn) {
			if n++; n == 2 {
				if !h.StreamEnded() {
					f.ReadFrame() // of the body
				}
				f.WriteGoAway(1, http2.ErrCodeNo, nil)
				c.Close()
				return
			}
			respond(f, h.StreamID, true, ":status", "204")
		})
		tr := open(t, Config{Roots: ca.pool})
		resp, err := tr.Do(over2(t, "GET", addr, "/"))
		all(t, resp, err)
		r, c := over2(t, "POST", addr, "/")
		if r.ContentLength = length; length != 0 {
			r.Body = io.NopCloser(strings.NewReader("abc"))
		}
		resp, err = tr.Do(r, c)
		if length < 0 {
			if word(err) != flow.ErrServerClosed {
				t.Errorf("a body that was read cannot be sent again: %v", err)
			}
			continue
		}
		all(t, resp, err)
		if n != 3 || c.Reused {
			t.Errorf("length %d: %d requests, reused %v", length, n, c.Reused)
		}
	}
}

// TestHTTP2BadRequests holds what must not go out; the errors quote nothing.
func TestHTTP2BadRequests(t *testing.T) {
	ca := newAuthority(t)
	addr, _ := secure(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }), serverTLS(ca.issue(t, nil)), "h2")
	tr := open(t, Config{Roots: ca.pool})
	for name, edit := range map[string]func(*http.Request){
		"value":   func(r *http.Request) { r.Header["X"] = []string{"secret\r\nY: z"} },
		"name":    func(r *http.Request) { r.Header["secret x"] = []string{"y"} },
		"trailer": func(r *http.Request) { r.Trailer = http.Header{"X": {"secret\x00"}} },
		"target":  func(r *http.Request) { r.URL = &url.URL{Scheme: "https", Host: addr, Opaque: "secret"} },
		"host":    func(r *http.Request) { r.Host = "secret/../h" },
		"method":  func(r *http.Request) { r.Method = "secret x" },
	} {
		r, c := over2(t, "POST", addr, "/")
		body := &closed{Reader: strings.NewReader("abc")}
		r.Body, r.ContentLength = body, 3
		edit(r)
		_, err := tr.Do(r, c)
		if word(err) != flow.ErrClientBad || strings.Contains(err.Error(), "secret") || !body.done {
			t.Errorf("%s: %v, body closed %v", name, err, body.done)
		}
	}
}

func TestHTTP2Silent(t *testing.T) {
	ca := newAuthority(t)
	addr := rawHTTP2(t, ca, func(*http2.Framer, *http2.MetaHeadersFrame, net.Conn) {})
	if _, err := open(t, Config{Roots: ca.pool, HeadTimeout: 50 * time.Millisecond}).Do(over2(t, "GET", addr, "/")); word(err) != flow.ErrTimeout {
		t.Errorf("got %v", err)
	}
}

func TestHTTP2Idle(t *testing.T) {
	ca := newAuthority(t)
	addr, _ := secure(t, http.NotFoundHandler(), serverTLS(ca.issue(t, nil)), "h2")
	tr := open(t, Config{Roots: ca.pool})
	resp, err := tr.Do(over2(t, "GET", addr, "/"))
	all(t, resp, err)
	tr.sweep(time.Now().Add(-time.Hour))
	tr.pool.mu.Lock()
	before := len(tr.pool.open)
	tr.pool.mu.Unlock()
	tr.sweep(time.Now().Add(time.Hour)) // closes it
	tr.sweep(time.Now())                // forgets the host
	tr.pool.mu.Lock()
	defer tr.pool.mu.Unlock()
	if before != 1 || len(tr.pool.open) != 0 || len(tr.pool.http2) != 0 || len(tr.pool.hosts) != 0 {
		t.Errorf("%d open before; then %d open, %d of HTTP/2, %d hosts", before, len(tr.pool.open), len(tr.pool.http2), len(tr.pool.hosts))
	}
}
