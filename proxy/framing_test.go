package proxy_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"constat/proxy/flow"
)

// rawServer answers each connection with the same bytes after it has read a
// request head, and sends the heads it got.
type rawServer struct {
	addr  string
	heads chan string
	conns chan struct{} // one for each connection
	keep  []byte        // not nil: the answer to any number of requests
}

// newRawServer starts a server that writes each part of answer in turn, and then
// closes the connection.
func newRawServer(t testing.TB, secure bool, answer string) *rawServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{addr: ln.Addr().String(), heads: make(chan string, 100), conns: make(chan struct{}, 1000)}
	if secure {
		leaf, err := serverAuthority().ca.Leaf("127.0.0.1", "server.test")
		if err != nil {
			t.Fatal(err)
		}
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{*leaf}})
	}
	done := make(chan struct{})
	var open sync.Map
	var serving sync.WaitGroup
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			open.Store(c, nil)
			s.conns <- struct{}{}
			serving.Go(func() { s.serve(c, answer) })
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		<-done
		serving.Wait()
	})
	return s
}

func (s *rawServer) serve(c net.Conn, answer string) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	r := bufio.NewReader(c)
	if s.keep != nil {
		_ = c.SetDeadline(time.Time{})
		keepServing(r, c, s.keep)
		return
	}
	var head strings.Builder
	length := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		head.WriteString(line)
		_, _ = fmt.Sscanf(strings.ToLower(line), "content-length: %d", &length)
		if line == "\r\n" {
			break
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return
	}
	s.heads <- head.String() + string(body)
	_, _ = io.WriteString(c, answer)
}

// exchangeRaw writes a request to c and returns all that comes until the other
// side closes.
func exchangeRaw(t testing.TB, c net.Conn, request string) string {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(c)
	return string(b)
}

// TestHeadsAsTheyWere compares whole messages as bytes: what a server gets and
// what a client gets has to be what the other one wrote, up to the fields that
// concern one connection.
func TestHeadsAsTheyWere(t *testing.T) {
	const fields = "x-LOWER: a\r\nHost: {host}\r\nX-b:c\r\nAccept-Encoding: gzip\r\ncookie: 1\r\nCookie: 2\r\nX-Empty:\r\n"
	for _, tc := range []struct{ name, request, sent, answer, got string }{
		{
			name:    "length",
			request: "GET /a%2Fb?x=%zz HTTP/1.1\r\n" + fields + "Connection: close\r\n\r\n",
			sent:    "GET /a%2Fb?x=%zz HTTP/1.1\r\n" + fields + "\r\n",
			answer:  "HTTP/1.1 200 Fine By Me\r\nserver: Raw\r\nzz: 1\r\nAA: 2\r\nContent-length: 5\r\n\r\nhello",
			got:     "HTTP/1.1 200 Fine By Me\r\nserver: Raw\r\nzz: 1\r\nAA: 2\r\nContent-length: 5\r\nConnection: close\r\n\r\nhello",
		},
		{
			name:    "server's connection line",
			request: "GET / HTTP/1.1\r\n" + fields + "Connection: close\r\n\r\n",
			sent:    "GET / HTTP/1.1\r\n" + fields + "\r\n",
			answer:  "HTTP/1.1 200 OK\r\nconnection: Close\r\nKeep-Alive: timeout=5\r\nAA: 2\r\nContent-length: 5\r\n\r\nhello",
			got:     "HTTP/1.1 200 OK\r\nconnection: Close\r\nAA: 2\r\nContent-length: 5\r\n\r\nhello",
		},
		{
			name:    "no body",
			request: "POST / HTTP/1.1\r\n" + fields + "Content-Length: 3\r\nConnection: close\r\n\r\nabc",
			sent:    "POST / HTTP/1.1\r\n" + fields + "Content-Length: 3\r\n\r\nabc",
			answer:  "HTTP/1.1 204 No Content\r\nX-Y: Z\r\n\r\n",
			got:     "HTTP/1.1 204 No Content\r\nX-Y: Z\r\nConnection: close\r\n\r\n",
		},
		{
			name:    "not modified",
			request: "GET / HTTP/1.1\r\n" + fields + "Connection: close\r\n\r\n",
			sent:    "GET / HTTP/1.1\r\n" + fields + "\r\n",
			answer:  "HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 17\r\nContent-Type: a/b\r\n\r\n",
			got:     "HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 17\r\nContent-Type: a/b\r\nConnection: close\r\n\r\n",
		},
		{
			name:    "head",
			request: "HEAD / HTTP/1.1\r\n" + fields + "Connection: close\r\n\r\n",
			sent:    "HEAD / HTTP/1.1\r\n" + fields + "\r\n",
			answer:  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
			got:     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
		},
		{
			name:    "chunked",
			request: "GET / HTTP/1.1\r\n" + fields + "Connection: close\r\n\r\n",
			sent:    "GET / HTTP/1.1\r\n" + fields + "\r\n",
			answer:  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx: y\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
			got:     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx: y\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		},
		{
			name:    "until close",
			request: "GET / HTTP/1.1\r\n" + fields + "Connection: close\r\n\r\n",
			sent:    "GET / HTTP/1.1\r\n" + fields + "\r\n",
			answer:  "HTTP/1.0 200 OK\r\nx: y\r\n\r\nhello",
			got:     "HTTP/1.1 200 OK\r\nx: y\r\nConnection: close\r\n\r\nhello",
		},
		{
			name:    "trailer",
			request: "GET / HTTP/1.1\r\n" + fields + "TE: trailers\r\nConnection: close\r\n\r\n",
			sent:    "GET / HTTP/1.1\r\n" + fields + "TE: trailers\r\n\r\n",
			answer:  "HTTP/1.1 200 OK\r\nTrailer: X-End\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-End: 1\r\n\r\n",
			got:     "HTTP/1.1 200 OK\r\nTrailer: X-End\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\nX-End: 1\r\n\r\n",
		},
		{
			name:    "proxy fields",
			request: "GET / HTTP/1.1\r\nproxy-authorization: Basic x\r\nProxy-Connection: keep-alive\r\n" + fields + "Connection: close, X-b\r\n\r\n",
			sent:    "GET / HTTP/1.1\r\n" + strings.Replace(fields, "X-b:c\r\n", "", 1) + "\r\n",
			answer:  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
			got:     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		},
		{
			name:    "old client",
			request: "GET / HTTP/1.0\r\n" + fields + "\r\n",
			sent:    "GET / HTTP/1.0\r\n" + fields + "\r\n",
			answer:  "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
			got:     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		},
	} {
		for _, way := range []string{"url", "tunnel", "door", "tls in a tunnel", "tls by a door"} {
			t.Run(tc.name+"/"+way, func(t *testing.T) {
				t.Parallel()
				g := newRig(t, nil)
				secure := strings.HasPrefix(way, "tls")
				s := newRawServer(t, secure, tc.answer)
				host := strings.NewReplacer("{host}", s.addr)
				request := host.Replace(tc.request)
				var c net.Conn
				switch way {
				case "url":
					var err error
					if c, err = net.Dial("tcp", g.addr); err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					_ = c.SetDeadline(time.Now().Add(10 * time.Second))
					request = strings.Replace(request, " /", " http://"+s.addr+"/", 1)
				case "tunnel":
					c = g.connect(s.addr)
				case "tls in a tunnel":
					c = g.connectTLS(s.addr, "127.0.0.1")
				default:
					c = g.gated(ownAddr)(arrival{to: netip.MustParseAddrPort(s.addr), user: "redmi"})
					if secure {
						c = tls.Client(c, &tls.Config{RootCAs: g.trust, ServerName: "127.0.0.1"})
					}
				}
				got := exchangeRaw(t, c, request)
				if d := cmp.Diff(host.Replace(tc.sent), <-s.heads); d != "" {
					t.Errorf("request (-want +got):\n%s", d)
				}
				if d := cmp.Diff(tc.got, got); d != "" {
					t.Errorf("answer (-want +got):\n%s", d)
				}
				x := await(t, g.rec, func(*flow.Exchange) bool { return true })
				head, _, _ := strings.Cut(tc.answer, "\r\n\r\n")
				if d := cmp.Diff(head+"\r\n\r\n", string(x.Response.Head)); d != "" || !x.Response.Exact {
					t.Errorf("recorded answer (-want +got):\n%s", d)
				}
				request = strings.Replace(request, "Basic x", "Basic (not recorded)", 1)
				if x.Request.Exact == strings.Contains(request, "not recorded") || !strings.HasPrefix(request, string(x.Request.Head)) {
					t.Errorf("recorded request %q", x.Request.Head)
				}
			})
		}
	}
}

// TestKeptAlive sends several requests, pipelined too, with bodies of all
// framings over one connection, and checks that the heads stay in step.
func TestKeptAlive(t *testing.T) {
	g := newRig(t, nil)
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	})
	c := g.connectTLS(s.Listener.Addr().String(), "127.0.0.1")
	host := "Host: " + s.Listener.Addr().String() + "\r\n"
	bodies := []string{"", "abc", "", strings.Repeat("x", 70000), "hello"}
	requests := "GET /0 HTTP/1.1\r\n" + host + "\r\n" +
		"POST /1 HTTP/1.1\r\n" + host + "content-length: 3\r\n\r\nabc" +
		"\r\nPOST /2 HTTP/1.1\r\n" + host + "Content-Length: 0\r\n\r\n" +
		"POST /3 HTTP/1.1\r\n" + host + "Content-Length: 70000\r\n\r\n" + bodies[3] +
		"POST /4 HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2;x=y\r\nhe\r\n03\r\nllo\r\n0\r\nX-T: 1\r\n\r\n"
	go func() { _, _ = io.WriteString(c, requests) }()
	r := bufio.NewReader(c)
	for i, want := range bodies {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(i, err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil || string(got) != want {
			t.Fatalf("%d: got %d bytes, %v", i, len(got), err)
		}
		x := await(t, g.rec, exchangeAt(fmt.Sprintf("/%d", i)))
		if !x.Request.Exact || !bytes.Contains(x.Request.Head, []byte(host)) || x.Error != "" {
			t.Errorf("%d: exact %t, head %q, error %q", i, x.Request.Exact, x.Request.Head, x.Error)
		}
		if i == 4 && string(x.Request.Trailer) != "x-t: 1\r\n" {
			t.Errorf("trailer %q", x.Request.Trailer)
		}
	}
}

// TestTruncation checks that an answer that the server cut off never looks
// complete.
func TestTruncation(t *testing.T) {
	for name, answer := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"chunk":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhello",
		"large":   "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 900000),
	} {
		for _, h2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/h2=%t", name, h2), func(t *testing.T) {
				g := newRig(t, nil)
				s := newRawServer(t, true, answer)
				resp, err := g.client(h2).Get("https://" + s.addr + "/x")
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					resp.Body.Close()
				}
				if err == nil {
					t.Error("the client took the answer for complete")
				}
				x := await(t, g.rec, exchangeAt("/x"))
				if !strings.HasPrefix(x.Error, flow.ErrServerClosed+": ") || x.Response.Body.Complete() || x.Response.Body.Size() == 0 {
					t.Errorf("error %q, complete %t", x.Error, x.Response.Body.Complete())
				}
			})
		}
	}
}
