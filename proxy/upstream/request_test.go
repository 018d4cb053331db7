package upstream

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"constat/proxy/flow"
)

// asServer parses head as net/http's server would and makes the request ready to
// be sent to addr.
func asServer(t testing.TB, head, addr string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Scheme, r.URL.Host = "http", addr
	r.Body = http.NoBody
	return r.WithContext(t.Context())
}

// capture starts a server that tells the bytes of each request's head.
func capture(t testing.TB) (string, <-chan string) {
	got := make(chan string, 1)
	addr := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		for {
			var head strings.Builder
			for !strings.HasSuffix(head.String(), "\r\n\r\n") {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				head.WriteString(line)
			}
			got <- head.String()
			io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		}
	})
	return addr, got
}

// TestHeadBytes compares what the client sent with what the server got.
func TestHeadBytes(t *testing.T) {
	addr, got := capture(t)
	tr := open(t, Config{})
	for _, tt := range []struct{ name, sent, want string }{
		{
			"order, case and spacing",
			"GET /a%2fb?x=1&y=%20 HTTP/1.1\r\nhost:h.test\r\nX-b:  two \r\nUSER-AGENT: Me\r\nx-B: \xe4\t!\r\naccept-Encoding: br\r\nEmpty:\r\n\r\n", "",
		},
		{
			"no user agent",
			"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "",
		},
		{
			"unusual target",
			"GET //a/../b?%zz|^[] HTTP/1.1\r\nHost: h\r\n\r\n", "",
		},
		{
			"absolute form",
			"GET http://h.test:81/p?q HTTP/1.1\r\nHost: h.test:81\r\n\r\n",
			"GET /p?q HTTP/1.1\r\nHost: h.test:81\r\n\r\n",
		},
		{
			"absolute form without a path",
			"GET http://h.test?q HTTP/1.1\r\nHost: h.test\r\n\r\n",
			"GET /?q HTTP/1.1\r\nHost: h.test\r\n\r\n",
		},
		{
			"options for the server",
			"OPTIONS http://h.test HTTP/1.1\r\nHost: h.test\r\n\r\n",
			"OPTIONS * HTTP/1.1\r\nHost: h.test\r\n\r\n",
		},
		{
			"options",
			"OPTIONS * HTTP/1.1\r\nHost: h.test\r\n\r\n", "",
		},
		{
			"hop by hop",
			"GET / HTTP/1.1\r\nProxy-Connection: keep-alive\r\nHost: h\r\nPROXY-AUTHORIZATION: Basic eA==\r\nKeep-Alive: 5\r\nA: 1\r\nTE: gzip\r\nconnection: a, Close , host\r\nUpgrade: tls\r\nB: 2\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\nB: 2\r\n\r\n",
		},
		{
			"trailers wanted",
			"GET / HTTP/1.1\r\nHost: h\r\nTE:  trailers\r\nConnection: TE\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\nTE:  trailers\r\n\r\n",
		},
		{
			"upgrade",
			"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nupgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n", "",
		},
		{
			"cleartext HTTP/2 is not offered",
			"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\nA: b\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n",
		},
		{
			"HTTP/1.0",
			"GET / HTTP/1.0\r\nA: b\r\n\r\n", "",
		},
		{
			"empty body",
			"POST / HTTP/1.1\r\nHost: h\r\ncontent-length: 0\r\n\r\n", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == "" {
				want = tt.sent
			}
			resp, err := tr.Do(asServer(t, tt.sent, addr), &Call{Client: loopback, Head: []byte(tt.sent)})
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if diff := cmp.Diff(want, <-got); diff != "" {
				t.Errorf("head (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCanonicalHead writes heads from the request alone.
func TestCanonicalHead(t *testing.T) {
	addr, got := capture(t)
	r := request(t, "GET", addr, "/a b?q=ü")
	r.Host = "h.test"
	r.Header = http.Header{
		"B": {"1", "2"}, "A": {"x"}, "Proxy-Authorization": {"secret"}, "Te": {"gzip"}, "Transfer-Encoding": {"chunked"},
		"Connection": {"C"}, "C": {"gone"}, "Content-Length": {"7"}, "Host": {"other"},
	}
	resp, err := open(t, Config{}).Do(r, &Call{Client: loopback})
	all(t, resp, err)
	if diff := cmp.Diff("GET /a%20b?q=ü HTTP/1.1\r\nHost: h.test\r\nA: x\r\nB: 1\r\nB: 2\r\n\r\n", <-got); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
}

// TestBadRequests holds what must not go out: no byte of it reaches the server.
func TestBadRequests(t *testing.T) {
	addr := raw(t, func(_ int, _ net.Conn, in *bufio.Reader) {
		if b, _ := io.ReadAll(in); len(b) > 0 {
			t.Errorf("the server got %q", b)
		}
	})
	tr := open(t, Config{})
	one, chunked := int64(1), int64(-1)
	for _, tt := range []struct {
		name, head string
		length     int64
	}{
		{"both framings", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", chunked},
		{"both framings, by length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", one},
		{"two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", one},
		{"equal lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", one},
		{"other length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n", one},
		{"signed length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", one},
		{"no length", "POST / HTTP/1.1\r\nHost: h\r\n\r\n", one},
		{"length, no body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n", 0},
		{"not chunked", "POST / HTTP/1.1\r\nHost: h\r\n\r\n", chunked},
		{"chunked, no body", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
		{"other coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", chunked},
		{"hidden coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", chunked},
		{"two codings", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", chunked},
		{"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", chunked},
		{"bare LF", "GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", 0},
		{"bare CR", "GET / HTTP/1.1\r\nHost: h\r\nA: b\rC: d\r\n\r\n", 0},
		{"NUL", "GET / HTTP/1.1\r\nHost: h\r\nA: b\x00\r\n\r\n", 0},
		{"folded", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", 0},
		{"space before colon", "GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n", 0},
		{"no colon", "GET / HTTP/1.1\r\nHost: h\r\nA\r\n\r\n", 0},
		{"empty name", "GET / HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n", 0},
		{"odd name", "GET / HTTP/1.1\r\nHost: h\r\nA\xe4: b\r\n\r\n", 0},
		{"no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 0},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 0},
		{"no end", "GET / HTTP/1.1\r\nHost: h\r\n", 0},
		{"a second request", "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
		{"other method", "PUT / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
		{"three spaces", "GET / a HTTP/1.1\r\nHost: h\r\n\r\n", 0},
		{"tab in the target", "GET /\ta HTTP/1.1\r\nHost: h\r\n\r\n", 0},
		{"no target", "GET  HTTP/1.1\r\nHost: h\r\n\r\n", 0},
		{"HTTP/2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 0},
		{"HTTP/0.9", "GET /\r\n\r\n", 0},
		{"empty", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			method := tt.head
			if i := strings.IndexByte(method, ' '); i > 0 && tt.name != "other method" {
				method = method[:i]
			} else {
				method = "GET"
			}
			r := request(t, method, addr, "/")
			body := &closed{Reader: strings.NewReader("x")}
			if r.ContentLength = tt.length; tt.length != 0 {
				r.Body = body
			}
			if tt.length < 0 {
				r.TransferEncoding = []string{"chunked"}
			}
			_, err := tr.Do(r, &Call{Client: loopback, Head: []byte(tt.head)})
			if word(err) != flow.ErrClientBad {
				t.Errorf("got %v", err)
			}
			if tt.length != 0 && !body.done {
				t.Error("the body is not closed")
			}
		})
	}
}

// closed is a body that knows whether it was closed.
type closed struct {
	io.Reader
	done bool
}

func (c *closed) Close() error { c.done = true; return nil }

// TestBodies sends bodies of random sizes and framings, and compares hashes in
// both directions.
func TestBodies(t *testing.T) {
	ca := newAuthority(t)
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength >= 0 {
			w.Header().Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
		}
		http.NewResponseController(w).EnableFullDuplex()
		io.Copy(w, r.Body)
	})
	plain := "http://" + served(t, echo)
	addr, opened := secure(t, echo, serverTLS(ca.issue(t, nil)))
	h2addr, _ := secure(t, echo, serverTLS(ca.issue(t, nil)), "h2")
	tr := open(t, Config{Roots: ca.pool})
	requests := 0
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(shortBody-2, shortBody+2), rapid.IntRange(sendBuffer-2, sendBuffer+2), rapid.IntRange(0, 300_000)).Draw(rt, "size")
		data := bytes.Repeat([]byte{byte(size), byte(size >> 8), 7}, size/3+1)[:size]
		kind := rapid.SampledFrom([]string{plain, "https://" + addr, "https://" + h2addr}).Draw(rt, "server")
		r, err := http.NewRequestWithContext(t.Context(), "POST", kind, nil)
		if err != nil {
			rt.Fatal(err)
		}
		r.Body = io.NopCloser(iotest.DataErrReader(bytes.NewReader(data)))
		if r.ContentLength = int64(size); rapid.Bool().Draw(rt, "chunked") {
			r.ContentLength = -1
		}
		resp, err := tr.Do(r, &Call{Client: loopback, HTTP2: strings.HasSuffix(kind, h2addr)})
		if err != nil {
			rt.Fatal(err)
		}
		defer resp.Body.Close()
		h := sha256.New()
		if n, err := io.CopyBuffer(struct{ io.Writer }{h}, resp.Body, make([]byte, rapid.IntRange(1, 40_000).Draw(rt, "read"))); err != nil || n != int64(size) {
			rt.Fatalf("got %d bytes of %d: %v", n, size, err)
		}
		if [32]byte(h.Sum(nil)) != sha256.Sum256(data) {
			rt.Fatal("the bytes differ")
		}
		requests++
	})
	if n := opened.Load(); n > 1 {
		t.Errorf("%d connections for %d requests, one after the other", n, requests)
	}
}

func TestRequestTrailer(t *testing.T) {
	addr := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		io.WriteString(w, string(b)+" "+r.Trailer.Get("X-Sum"))
	}))
	r := request(t, "POST", addr, "/")
	r.ContentLength = -1
	r.Trailer = http.Header{"X-Sum": nil}
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("abc"), readFunc(func([]byte) (int, error) {
		r.Trailer["X-Sum"] = []string{"42"}
		return 0, io.EOF
	})))
	resp, err := open(t, Config{}).Do(r, &Call{Client: loopback})
	if got := all(t, resp, err); got != "abc 42" {
		t.Errorf("got %q", got)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// TestBrokenOffBody checks that the server never sees a whole request when the
// client's body ends early.
func TestBrokenOffBody(t *testing.T) {
	got := make(chan error, 1)
	addr := served(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		got <- err
	}))
	tr := open(t, Config{})
	for _, length := range []int64{-1, shortBody + 10, 10} {
		for _, end := range []error{io.EOF, errors.New("reset")} {
			if length < 0 && end == io.EOF {
				continue // that is the proper end
			}
			r := request(t, "POST", addr, "/")
			r.ContentLength = length
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(end)))
			if _, err := tr.Do(r, &Call{Client: loopback}); word(err) != flow.ErrClientClosed {
				t.Errorf("length %d, %v: %v", length, end, err)
			}
			if length != 10 { // a short one never goes out
				if err := <-got; err == nil {
					t.Errorf("length %d, %v: the server saw a whole body", length, end)
				}
			}
		}
	}
}

// TestEarlyResponse gets an answer before the body is sent, and reads on.
func TestEarlyResponse(t *testing.T) {
	addr := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		answer(c, in, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
	})
	r := request(t, "POST", addr, "/")
	r.ContentLength = 100 << 20
	body, stop := io.Pipe()
	r.Body = body
	resp, err := open(t, Config{}).Do(r, &Call{Client: loopback})
	if got := all(t, resp, err); got != "no" || resp.StatusCode != 413 {
		t.Errorf("got %v %q", resp.Status, got)
	}
	stop.Close()
}

// TestBothWays sends a body in pieces that depend on the response.
func TestBothWays(t *testing.T) {
	addr := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		c.EnableFullDuplex()
		c.Flush()
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			if n > 0 {
				w.Write(bytes.ToUpper(buf[:n]))
				c.Flush()
			}
			if err != nil {
				return
			}
		}
	}))
	body, out := io.Pipe()
	r := request(t, "POST", addr, "/")
	r.Body, r.ContentLength = body, -1
	resp, err := open(t, Config{}).Do(r, &Call{Client: loopback})
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	for _, s := range []string{"one", "two", "three"} {
		io.WriteString(out, s)
		if n, err := resp.Body.Read(buf); string(buf[:n]) != strings.ToUpper(s) || err != nil {
			t.Fatalf("got %q, %v", buf[:n], err)
		}
	}
	out.Close()
	if got := all(t, resp, nil); got != "" {
		t.Errorf("then %q", got)
	}
}

func TestExpectContinue(t *testing.T) {
	for _, tt := range []struct {
		name, first string
		asked       bool // the body is read before the first answer
		sent        bool
	}{
		{"continue", "HTTP/1.1 100 Continue\r\n\r\n", false, true},
		{"refused", "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", false, false},
		{"silent", "", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
				r, err := http.ReadRequest(in)
				if err != nil || r.Header.Get("Expect") != "100-continue" {
					t.Errorf("request %v, %v", r, err)
					return
				}
				io.WriteString(c, tt.first)
				if !tt.sent {
					if b, _ := io.ReadAll(in); len(b) > 0 {
						t.Errorf("the server got %q", b)
					}
					return
				}
				b, _ := io.ReadAll(r.Body)
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: "+strconv.Itoa(len(b))+"\r\n\r\n"+string(b))
			})
			read, informed := false, 0
			r := request(t, "PUT", addr, "/")
			r.Header.Set("Expect", "100-continue")
			r.ContentLength = 5
			r.Body = io.NopCloser(io.MultiReader(readFunc(func([]byte) (int, error) { read = true; return 0, io.EOF }), strings.NewReader("hello")))
			c := &Call{Client: loopback, Informational: func(status int, _ textproto.MIMEHeader) {
				if informed = status; read {
					t.Error("the body was read before 100 was passed on")
				}
			}}
			resp, err := open(t, Config{}).Do(r, c)
			got := all(t, resp, err)
			if (got == "hello") != tt.sent || read != tt.sent || (informed == 100) != (tt.name == "continue") {
				t.Errorf("got %q; body read %v, informed of %d", got, read, informed)
			}
		})
	}
}

// TestStale reuses connections that the server closed or spoke on while they were
// idle.
func TestStale(t *testing.T) {
	for _, tt := range []struct {
		name   string
		word   string
		method string
		idle   func(c net.Conn, in *bufio.Reader) // after the first answer
		wait   bool                               // the end is seen before the next request
	}{
		{"closed while idle", "", "POST", func(net.Conn, *bufio.Reader) {}, true},
		{"spoke while idle", "", "POST", func(c net.Conn, in *bufio.Reader) {
			io.WriteString(c, "HTTP/1.1 408 Timeout\r\n\r\n")
			io.Copy(io.Discard, in)
		}, true},
		{"closed on the request", "", "GET", func(_ net.Conn, in *bufio.Reader) { http.ReadRequest(in) }, false},
		{"closed on a request that may not be repeated", flow.ErrServerClosed, "POST", func(_ net.Conn, in *bufio.Reader) { http.ReadRequest(in) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := open(t, Config{})
			addr := raw(t, func(n int, c net.Conn, in *bufio.Reader) {
				if answer(c, in, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") && n == 0 {
					tt.idle(c, in)
				}
			})
			resp, _, err := get(t, tr, addr)
			all(t, resp, err)
			for tt.wait && quietIdle(tr) {
				time.Sleep(time.Millisecond) // for the other end's bytes to arrive
			}
			c := &Call{Client: loopback}
			resp, err = tr.Do(request(t, tt.method, addr, "/"), c)
			if word(err) != tt.word {
				t.Fatalf("got %v, want %q", err, tt.word)
			}
			if err == nil {
				resp.Body.Close()
				if c.Reused {
					t.Error("answered on the old connection")
				}
			}
		})
	}
}

// quietIdle says whether the idle connection of tr is still quiet.
func quietIdle(tr *Transport) bool {
	tr.pool.mu.Lock()
	defer tr.pool.mu.Unlock()
	one := make([]byte, 1)
	cn := tr.pool.oldest
	if cn == nil {
		return false // it was seen even before
	}
	var n int
	var err error
	raw, _ := cn.link.Conn.(*net.TCPConn).SyscallConn()
	raw.Control(func(fd uintptr) { n, err = peek(fd, one) })
	return n < 0 && err != nil
}

func TestIdleLimits(t *testing.T) {
	idle := func(tr *Transport) (n int) {
		tr.pool.mu.Lock()
		defer tr.pool.mu.Unlock()
		for _, h := range tr.pool.hosts {
			n += len(h.idle)
		}
		if n != tr.pool.idle || len(tr.pool.open) != n {
			t.Errorf("%d idle by host, %d in all, %d open", n, tr.pool.idle, len(tr.pool.open))
		}
		return n
	}
	big := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 10)) })
	addr, other := served(t, big), served(t, big)
	hold := func(tr *Transport, addr string, n int) { // n responses open at a time
		var resps []*http.Response
		for range n {
			resp, _, err := get(t, tr, addr)
			if err != nil {
				t.Fatal(err)
			}
			resps = append(resps, resp)
		}
		for _, resp := range resps {
			all(t, resp, nil)
		}
	}
	tr := open(t, Config{MaxIdlePerHost: 2, MaxIdle: 3})
	hold(tr, addr, 5)
	if n := idle(tr); n != 2 {
		t.Errorf("%d idle connections to one host, want 2", n)
	}
	hold(tr, other, 2)
	if n := idle(tr); n != 3 {
		t.Errorf("%d idle connections, want 3", n)
	}
	tr.sweep(time.Now().Add(time.Hour))
	if n := idle(tr); n != 0 {
		t.Errorf("%d idle connections after a sweep", n)
	}
}

// FuzzRequest writes arbitrary heads: what goes out reads as one request, with the
// field lines that came in, or nothing goes out.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n",
		"POST http://h/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: A, upgrade\r\nUpgrade: x\r\nA: 1\r\n\r\n",
		"POST / HTTP/1.0\r\nTE: trailers\r\nProxy-Connection: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: a\r\n\r\n",
	} {
		f.Add([]byte(s), int64(3))
	}
	f.Fuzz(func(t *testing.T, head []byte, length int64) {
		method, _, _ := strings.Cut(string(head), " ")
		r := &http.Request{Method: method, ContentLength: max(length, -1), Body: io.NopCloser(strings.NewReader("abc"))}
		if length < 0 {
			r.TransferEncoding = []string{"chunked"}
		}
		out, framing, err := appendRequest(nil, r, head)
		if err != nil {
			return
		}
		if len(out) > len(head)+1 {
			t.Fatalf("%d bytes became %d", len(head), len(out))
		}
		for i, line := range bytes.SplitAfter(out, []byte("\r\n")) {
			if i > 0 && !bytes.Contains(head, append([]byte("\r\n"), line...)) {
				t.Fatalf("%q is not a line of %q", line, head)
			}
		}
		again, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(out)))
		if err != nil {
			return // net/http refuses some targets and hosts
		}
		if again.Method != method || again.ContentLength != framing.size {
			t.Fatalf("%q reads as %s with %d bytes, meant %d", out, again.Method, again.ContentLength, framing.size)
		}
		if slices.ContainsFunc([]string{"Proxy-Connection", "Proxy-Authorization", "Keep-Alive"}, func(n string) bool { return again.Header[n] != nil }) {
			t.Fatalf("hop-by-hop field in %q", out)
		}
	})
}

// TestStalledUpload sends to a server that reads nothing and says nothing.
func TestStalledUpload(t *testing.T) {
	over := make(chan struct{})
	addr := raw(t, func(int, net.Conn, *bufio.Reader) { <-over })
	defer close(over)
	r := request(t, "POST", addr, "/")
	r.ContentLength = 1 << 40
	r.Body = io.NopCloser(readFunc(func(p []byte) (int, error) { return len(p), nil }))
	if _, err := open(t, Config{HeadTimeout: 50 * time.Millisecond}).Do(r, &Call{Client: loopback}); word(err) != flow.ErrTimeout {
		t.Errorf("got %v", err)
	}
}
