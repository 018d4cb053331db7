package proxy_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"constat/proxy"
	"constat/proxy/flow"
)

// TestNoResponse: what a client and the rows get to know when a server cannot
// be used.
func TestNoResponse(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	untrusted := httptest.NewUnstartedServer(nil)
	untrusted.Config.ErrorLog = quiet
	untrusted.StartTLS()
	defer untrusted.Close()
	other, err := serverAuthority().ca.Leaf("other.test")
	if err != nil {
		t.Fatal(err)
	}
	misnamed := httptest.NewUnstartedServer(nil)
	misnamed.Config.ErrorLog = quiet
	misnamed.TLS = &tls.Config{Certificates: []tls.Certificate{*other}}
	misnamed.StartTLS()
	defer misnamed.Close()
	for _, tc := range []struct {
		name, url string
		status    int
		word      string
		outcome   flow.Outcome
		chain     bool
	}{
		{"dead, http", "http://" + closed.Addr().String(), 502, flow.ErrConnect, flow.ServerFailed, false},
		{"dead, https", "https://" + closed.Addr().String(), 502, flow.ErrConnect, flow.ServerFailed, false},
		{"no such name", "https://nobody.invalid", 502, flow.ErrDNS, flow.ServerFailed, false},
		{"unknown root", untrusted.URL, 502, flow.ErrServerTLS, flow.ServerFailed, true},
		{"wrong name", misnamed.URL, 502, flow.ErrServerTLS, flow.ServerFailed, true},
		{"not http", "http://" + newRawServer(t, false, "SSH-2.0-x\r\n\r\n").addr, 502, flow.ErrServerBad, flow.Plain, false},
		{"hangs up", "http://" + newRawServer(t, false, "").addr, 502, flow.ErrServerClosed, flow.Plain, false},
	} {
		for _, h2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/h2=%t", tc.name, h2), func(t *testing.T) {
				g := newRig(t, nil)
				c := g.client(h2)
				req, _ := http.NewRequest("GET", tc.url+"/f", nil)
				req.Header.Set("Accept", "text/html,*/*")
				resp, err := c.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != tc.status || !strings.Contains(string(b), "<h1>") || !strings.Contains(string(b), "from Constat") {
					t.Errorf("%d %v %s", resp.StatusCode, err, b)
				}
				x := await(t, g.rec, exchangeAt("/f"))
				if !strings.HasPrefix(x.Error, tc.word+": ") || x.Status != 0 {
					t.Errorf("status %d, error %q", x.Status, x.Error)
				}
				c.CloseIdleConnections()
				row := await(t, g.rec, anyConnection)
				if row.Outcome != tc.outcome || tc.chain && (row.ServerTLS == nil || len(row.ServerTLS.Chain) == 0 || row.ServerTLS.Error == "") {
					t.Errorf("row %+v %+v", row, row.ServerTLS)
				}
			})
		}
	}
}

// TestSomeServersFail: one server of several that a connection asks for is dead.
func TestSomeServersFail(t *testing.T) {
	g := newRig(t, nil)
	s := serve(t, false, func(w http.ResponseWriter, r *http.Request) {})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	for host, status := range map[string]int{closed.Addr().String(): 502, s.Listener.Addr().String(): 200} {
		fmt.Fprintf(c, "GET http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n", host, host)
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode != status {
			t.Fatal(resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	c.Close()
	if row := await(t, g.rec, anyConnection); row.Outcome != flow.Plain || row.Reason != "" {
		t.Errorf("row %+v", row)
	}
}

// TestRelayFails: a tunnel that would be relayed has nowhere to go.
func TestRelayFails(t *testing.T) {
	g := newRig(t, nil)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	c := g.connect(closed.Addr().String())
	_, _ = io.WriteString(c, "\x00raw")
	if b, _ := io.ReadAll(c); len(b) > 0 {
		t.Errorf("got %q", b)
	}
	if row := await(t, g.rec, anyConnection); row.Outcome != flow.ServerFailed || row.Reason == "" {
		t.Errorf("row %+v", row)
	}
}

// TestClientLeaves: the client goes away in the middle of the request or of the
// answer, or before any answer.
func TestClientLeaves(t *testing.T) {
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/request":
			_, _ = io.Copy(io.Discard, r.Body)
		case "/answer":
			for {
				if _, err := w.Write(make([]byte, 100000)); err != nil {
					return
				}
			}
		}
		<-r.Context().Done()
	})
	for _, h2 := range []bool{false, true} {
		for _, path := range []string{"/request", "/answer", "/wait"} {
			t.Run(fmt.Sprintf("%s/h2=%t", path, h2), func(t *testing.T) {
				g := newRig(t, nil)
				ctx, cancel := context.WithCancel(t.Context())
				pr, pw := io.Pipe()
				var body io.Reader
				if path == "/request" {
					body = pr
				}
				req, _ := http.NewRequestWithContext(ctx, "POST", s.URL+path, body)
				go func() {
					if path == "/request" {
						_, _ = pw.Write(make([]byte, 1000))
					}
					if path != "/answer" {
						g.rec.awaitOpen()
						cancel()
						pw.CloseWithError(context.Canceled) // the client waits for its own body
					}
				}()
				resp, err := g.client(h2).Do(req)
				if err == nil {
					_, _ = io.CopyN(io.Discard, resp.Body, 500000)
					cancel()
					resp.Body.Close()
				}
				x := await(t, g.rec, exchangeAt(path))
				if !strings.HasPrefix(x.Error, flow.ErrClientClosed+": ") {
					t.Errorf("error %q", x.Error)
				}
				if path == "/request" && x.Request.Body.Complete() || path == "/answer" && x.Response.Body.Complete() {
					t.Errorf("%+v", x)
				}
			})
		}
	}
}

// TestClientTakesNothing: a client that stops reading is given up.
func TestClientTakesNothing(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.IdleTimeout = 300 * time.Millisecond })
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 100000)); err != nil {
				return
			}
		}
	})
	tc := g.connectTLS(s.Listener.Addr().String(), "127.0.0.1")
	_, _ = io.WriteString(tc, "GET /t HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	if x := await(t, g.rec, exchangeAt("/t")); !strings.HasPrefix(x.Error, flow.ErrClientClosed+": ") || x.Response.Body.Complete() {
		t.Errorf("%+v", x)
	}
}

// TestMalformedBody: the chunks of a request are not well-formed.
func TestMalformedBody(t *testing.T) {
	g := newRig(t, nil)
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	tc := g.connectTLS(s.Listener.Addr().String(), "127.0.0.1")
	got := exchangeRaw(t, tc, "POST /m HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
	if got != "" && !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("got %q", got)
	}
	x := await(t, g.rec, exchangeAt("/m"))
	if !strings.HasPrefix(x.Error, flow.ErrClientBad+": ") || x.Request.Body.Complete() {
		t.Errorf("error %q", x.Error)
	}
}

// TestRecorderFails: an exchange that cannot be recorded is broken off, wherever
// it is, and the failure is reported once.
func TestRecorderFails(t *testing.T) {
	large := strings.Repeat("x", 3*flow.ChunkSize)
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.URL.Path {
		case "/empty":
		case "/length":
			_, _ = io.WriteString(w, "all of it")
		case "/chunked":
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "all of it")
		case "/large":
			_, _ = io.WriteString(w, large)
		}
	})
	for _, tc := range []struct{ op, path, body string }{
		{"begin", "/length", ""},
		{"commit", "/empty", ""},
		{"commit", "/length", ""},
		{"commit", "/chunked", ""},
		{"spill", "/large", ""},
		{"spill", "/empty", large},
	} {
		for _, h2 := range []bool{false, true} {
			for _, how := range []string{"error", "panic"} {
				t.Run(fmt.Sprintf("%s%s/h2=%t/%s", tc.op, tc.path, h2, how), func(t *testing.T) {
					var reports atomic.Int64
					g := newRig(t, func(c *proxy.Config) { c.Failed = func(error) { reports.Add(1) } })
					fails := errRecorder
					g.rec.fail = func(op string, r flow.Record) error {
						x, ok := r.(*flow.Exchange)
						switch {
						case op != tc.op || !ok || x.Path != tc.path:
							return nil
						case how == "panic":
							if op != "spill" {
								g.rec.forget(r)
							}
							panic("a fault of the recorder's")
						}
						return fails
					}
					c := g.client(h2)
					for range 2 {
						resp, err := c.Post(s.URL+tc.path, "a/b", strings.NewReader(tc.body))
						if err != nil {
							continue
						}
						b, err := io.ReadAll(resp.Body)
						resp.Body.Close()
						if err == nil && resp.StatusCode < 500 {
							t.Errorf("the client saw the end of an answer that is not recorded: %d, %d bytes", resp.StatusCode, len(b))
						}
					}
					if n := reports.Load(); how == "error" && n != 1 {
						t.Errorf("reported %d times", n)
					}
					// The proxy is still there for what can be recorded.
					if resp, err := c.Get(s.URL + "/fine"); err != nil || resp.StatusCode != 200 {
						t.Error(resp, err)
					}
				})
			}
		}
	}
}

// TestPanicInLocal costs one request.
func TestPanicInLocal(t *testing.T) {
	g := newRig(t, nil)
	resp, err := http.Get("http://" + g.addr + "/panic")
	if err != nil || resp.StatusCode != 500 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	_, b := get(t, http.DefaultClient, "http://"+g.addr+"/fine")
	if string(b) != "local page for /fine" {
		t.Errorf("got %q", b)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestCommitComesFirst: the last byte of an answer is not out before the
// exchange is committed, the others are.
func TestCommitComesFirst(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprintf("chunked=%t", chunked), func(t *testing.T) {
			g := newRig(t, nil)
			committing, release := make(chan struct{}), make(chan struct{})
			g.rec.fail = func(op string, r flow.Record) error {
				if x, ok := r.(*flow.Exchange); ok && op == "commit" && x.Path == "/w" {
					close(committing)
					<-release
				}
				return nil
			}
			answer := "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall of it"
			if chunked {
				answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n0\r\n\r\n"
			}
			raw := newRawServer(t, true, answer)
			tc := g.connectTLS(raw.addr, "127.0.0.1")
			_, _ = io.WriteString(tc, "GET /w HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
			<-committing
			_ = tc.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			early, _ := io.ReadAll(tc)
			if strings.HasSuffix(string(early), "of it") || strings.HasSuffix(string(early), "0\r\n\r\n") {
				t.Errorf("released before the commit: %q", early)
			}
			close(release)
			_ = tc.SetReadDeadline(time.Now().Add(10 * time.Second))
			resp, err := http.ReadResponse(bufio.NewReader(io.MultiReader(strings.NewReader(string(early)), tc)), nil)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(resp.Body); string(b) != "all of it" || err != nil {
				t.Errorf("%q %v", b, err)
			}
		})
	}
}
