package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"constat/proxy"
	"constat/proxy/flow"
)

// serveTLS is serve for a server that speaks TLS and the one version of HTTP.
func serveTLS(t testing.TB, h2 bool, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = quiet
	leaf, err := serverAuthority().ca.Leaf("127.0.0.1", "server.test")
	if err != nil {
		t.Fatal(err)
	}
	s.EnableHTTP2 = h2
	s.TLS = withLeaf(leaf)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// versions runs f for each version of HTTP of the client and of the server.
func versions(t *testing.T, f func(t *testing.T, client, server bool)) {
	for _, client := range []bool{false, true} {
		for _, server := range []bool{false, true} {
			t.Run(fmt.Sprintf("client h2=%t/server h2=%t", client, server), func(t *testing.T) { f(t, client, server) })
		}
	}
}

func proto(h2 bool) string {
	if h2 {
		return "HTTP/2.0"
	}
	return "HTTP/1.1"
}

// TestInterim: 1xx responses reach the client in their order, with their fields, before
// the server has answered, and are in the record.
func TestInterim(t *testing.T) {
	versions(t, func(t *testing.T, client, server bool) {
		g := newRig(t, nil)
		seen := make(chan struct{})
		s := serveTLS(t, server, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusProcessing)
			for _, link := range []string{"</a.css>", "</b.css>"} {
				w.Header().Set("Link", link)
				w.Header().Set("X-Odd", "1")
				w.WriteHeader(http.StatusEarlyHints)
			}
			select {
			case <-seen:
			case <-time.After(5 * time.Second):
				t.Error("the client got no interim response before the answer")
			}
			clear(w.Header())
			w.WriteHeader(http.StatusOK)
		})
		var got []string
		req, _ := http.NewRequest(http.MethodGet, s.URL+"/i", nil)
		req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				if got = append(got, fmt.Sprintf("%d %v%v", code, h["Link"], h["X-Odd"])); len(got) == 3 {
					close(seen)
				}
				return nil
			},
		}))
		resp, err := g.client(client).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if strings.Join(got, ", ") != "102 [][], 103 [</a.css>][1], 103 [</b.css>][1]" || resp.Header.Get("Link") != "" {
			t.Errorf("got %v, then %v", got, resp.Header)
		}
		x := await(t, g.rec, exchangeAt("/i"))
		link, odd := "Link: ", "X-Odd: 1\r\n"
		if server = server && client; server { // each side speaks what the client does
			link, odd = strings.ToLower(link), strings.ToLower(odd)
		}
		want := ""
		for _, head := range []string{" 102 Processing\r\n", " 103 Early Hints\r\n" + link + "</a.css>\r\n" + odd, " 103 Early Hints\r\n" + link + "</b.css>\r\n" + odd} {
			want += proto(server) + head + "\r\n"
		}
		if string(x.Interim) != want || x.Status != 200 {
			t.Errorf("recorded %q, want %q", x.Interim, want)
		}
	})
}

// TestInterimAfterContinue: a client that waits for 100 (Continue) gets what comes
// after it.
func TestInterimAfterContinue(t *testing.T) {
	g := newRig(t, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		br := bufio.NewReader(c)
		if r, err := http.ReadRequest(br); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\nX-Why: not\r\n\r\n")
			_, _ = io.ReadAll(r.Body)
			_, _ = io.WriteString(c, "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}()
	c := g.connect(ln.Addr().String())
	br := bufio.NewReader(c)
	say := func(text, want string) {
		t.Helper()
		_, _ = io.WriteString(c, text)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(br, got); err != nil || string(got) != want {
			t.Fatalf("%q, %v, want %q", got, err, want)
		}
	}
	say("POST /x HTTP/1.1\r\nHost: "+ln.Addr().String()+"\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n")
	say("body", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	if x := await(t, g.rec, exchangeAt("/x")); string(x.Interim) != "HTTP/1.1 100 Continue\r\nX-Why: not\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" || x.Error != "" {
		t.Errorf("%q, %s", x.Interim, x.Error)
	}
}

// TestTrailers sends trailer fields both ways.
func TestTrailers(t *testing.T) {
	versions(t, func(t *testing.T, client, server bool) {
		g := newRig(t, nil)
		up := make(chan http.Header, 1)
		s := serveTLS(t, server, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/none" {
				w.Header().Set("Trailer", "X-Down")
				_, _ = io.WriteString(w, "body")
				return
			}
			w.Header().Set("Trailer", "X-Down")
			_, _ = io.Copy(w, r.Body)
			up <- r.Trailer
			w.Header().Set("X-Down", "2")
			w.Header().Set(http.TrailerPrefix+"X-Unannounced", "3")
		})
		if resp, b := get(t, g.client(client), s.URL+"/none"); string(b) != "body" || len(resp.Trailer["X-Down"]) > 0 {
			t.Errorf("announced and not sent: %q %v", b, resp.Trailer)
		}
		req, _ := http.NewRequest(http.MethodPost, s.URL+"/t", io.NopCloser(strings.NewReader("body")))
		req.Trailer = http.Header{"X-Up": {"1"}}
		resp, err := g.client(client).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(b) != "body" || resp.Proto != proto(client) {
			t.Errorf("%s %q, %v", resp.Proto, b, err)
		}
		if got := <-up; got.Get("X-Up") != "1" {
			t.Errorf("the server got %v", got)
		}
		if resp.Trailer.Get("X-Down") != "2" || resp.Trailer.Get("X-Unannounced") != "3" {
			t.Errorf("the client got %v", resp.Trailer)
		}
		x := await(t, g.rec, exchangeAt("/t"))
		if string(x.Request.Trailer) != "x-up: 1\r\n" || string(x.Response.Trailer) != "x-down: 2\r\nx-unannounced: 3\r\n" {
			t.Errorf("recorded %q and %q", x.Request.Trailer, x.Response.Trailer)
		}
	})
}

// TestBodyless: what the answer to HEAD, and 204 and 304, say of a body reaches the
// client, and a body that comes all the same does not.
func TestBodyless(t *testing.T) {
	t.Run("well-formed", func(t *testing.T) {
		versions(t, func(t *testing.T, client, server bool) {
			g := newRig(t, nil)
			s := serveTLS(t, server, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/head":
					w.Header().Set("Content-Length", "12345")
				case "/304":
					w.Header().Set("Etag", `"x"`)
					w.WriteHeader(http.StatusNotModified)
				default:
					w.WriteHeader(http.StatusNoContent)
				}
			})
			c := g.client(client)
			resp, err := c.Head(s.URL + "/head")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.ContentLength != 12345 {
				t.Errorf("length %d", resp.ContentLength)
			}
			for path, want := range map[string]int{"/304": 304, "/204": 204} {
				if resp, b := get(t, c, s.URL+path); resp.StatusCode != want || len(b) > 0 {
					t.Errorf("%s: %s %q", path, resp.Status, b)
				}
			}
			for _, path := range []string{"/head", "/204", "/304"} {
				if x := await(t, g.rec, exchangeAt(path)); x.Error != "" || len(g.rec.body(x.Response.Body)) != 0 {
					t.Errorf("%s: %q, %q", path, x.Error, g.rec.body(x.Response.Body))
				}
			}
		})
	})
	for _, head := range []string{
		"204 No Content\r\nContent-Length: 30", "204 No Content\r\nTransfer-Encoding: chunked", "304 Not Modified\r\nContent-Length: 30", "200 OK\r\nContent-Length: 30",
	} {
		for _, h2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("with a body/%.3s/h2=%t", head, h2), func(t *testing.T) {
				g := newRig(t, nil)
				s := newRawServer(t, true, "HTTP/1.1 "+head+"\r\n\r\nHTTP/1.1 200 Smuggled\r\n\r\nxxxxx")
				method := http.MethodGet
				if strings.HasPrefix(head, "200") {
					method = http.MethodHead
				}
				c := g.client(h2)
				for i := range 2 {
					req, _ := http.NewRequest(method, fmt.Sprintf("https://%s/%d", s.addr, i), nil)
					resp, err := c.Do(req)
					if err != nil {
						t.Fatal(err)
					}
					b, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if h2 && strings.Contains(head, "Length") && err == io.ErrUnexpectedEOF {
						err = nil // to net/http's client a length calls for a body, whatever the status
					}
					if err != nil || len(b) > 0 || strings.Contains(resp.Status, "Smuggled") || fmt.Sprint(resp.StatusCode) != head[:3] {
						t.Errorf("%s %q, %v", resp.Status, b, err)
					}
				}
			})
		}
	}
}

// plainServer answers each request with what it asked for.
func plainServer(t testing.TB) (addr string) {
	t.Helper()
	s := serve(t, false, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.RequestURI, r.Proto, b)
	})
	return s.Listener.Addr().String()
}

// TestTargets spells the same server in all the ways there are.
func TestTargets(t *testing.T) {
	g := newRig(t, nil)
	addr := plainServer(t)
	_, port, _ := net.SplitHostPort(addr)
	six, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 on loopback")
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "six") })}
	go func() { _ = srv.Serve(six) }()
	defer srv.Close()
	_, port6, _ := net.SplitHostPort(six.Addr().String())

	for _, tc := range []struct{ host, want string }{
		{"127.0.0.1:" + port, "127.0.0.1"},
		{"localhost:" + port, "localhost"},
		{"LocalHost:" + port, "localhost"},
		{"localhost.:" + port, "localhost"},
		{"[::1]:" + port6, "::1"},
		{"[0:0::0001]:" + port6, "::1"},
		{"xn--bcher-kva.localhost:" + port, "xn--bcher-kva.localhost"},
		{"bücher.localhost:" + port, ""},
		{"b%C3%BCcher.localhost:" + port, ""},
		{"localhost..:" + port, ""},
		{"localhost:0", ""},
		{"localhost:99999", ""},
		{"[fe80::1%25lo]:" + port, ""},
	} {
		t.Run(tc.host, func(t *testing.T) {
			resp, _ := g.door("CONNECT " + tc.host + " HTTP/1.1\r\nHost: " + tc.host + "\r\n\r\n")
			if ok := resp.StatusCode == http.StatusOK; ok != (tc.want != "") {
				t.Errorf("CONNECT: %s", resp.Status)
			}
			path := "/" + url.PathEscape(tc.host)
			resp, body := g.door("GET http://" + tc.host + path + " HTTP/1.1\r\nHost: " + tc.host + "\r\n\r\n")
			switch {
			case tc.want == "" && resp.StatusCode != http.StatusBadRequest:
				t.Errorf("%s: %s", resp.Status, body)
			case strings.HasPrefix(tc.want, "xn--"): // leads nowhere
			case tc.want != "":
				x := await(t, g.rec, exchangeAt(path))
				if resp.StatusCode != http.StatusOK || x.Host != tc.want || fmt.Sprint(x.Port) != tc.host[strings.LastIndexByte(tc.host, ':')+1:] {
					t.Errorf("%s, row of %s %d", resp.Status, x.Host, x.Port)
				}
			}
		})
	}
	t.Run("OPTIONS *", func(t *testing.T) {
		c := g.connect(addr)
		br := bufio.NewReader(c)
		talk(t, c, br, "OPTIONS * HTTP/1.1\r\nHost: "+addr+"\r\nX-Mine: 1\r\n\r\n")
		if x := await(t, g.rec, exchangeAt("*")); x.Method != http.MethodOptions || x.Status != 200 || !x.Request.Exact || !x.Server.IsValid() {
			t.Errorf("%+v", x)
		}
		// RFC 9112 section 3.2.4: without a path it is the server as a whole.
		s := newRawServer(t, false, "HTTP/1.1 204 No Content\r\n\r\n")
		g.door("OPTIONS http://" + s.addr + " HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\n")
		if head := <-s.heads; !strings.HasPrefix(head, "OPTIONS * HTTP/1.1\r\n") {
			t.Errorf("%q", head)
		}
	})
}

// TestOldClients: HTTP/1.0 closes unless told otherwise.
func TestOldClients(t *testing.T) {
	g := newRig(t, nil)
	addr := plainServer(t)
	for _, tunnel := range []bool{false, true} {
		dial := func() (net.Conn, *bufio.Reader, string) {
			if tunnel {
				c := g.connect(addr)
				return c, bufio.NewReader(c), ""
			}
			c, err := net.Dial("tcp", g.addr)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			return c, bufio.NewReader(c), "http://" + addr
		}
		ended := func(br *bufio.Reader) bool { _, err := br.ReadByte(); return err == io.EOF }
		t.Run(fmt.Sprintf("tunnel=%t/close", tunnel), func(t *testing.T) {
			c, br, base := dial()
			defer c.Close()
			if _, body := talk(t, c, br, "GET "+base+"/a HTTP/1.0\r\nHost: "+addr+"\r\n\r\n"); body != "GET /a HTTP/1.0 " || !ended(br) {
				t.Errorf("%q, or the connection stays open", body)
			}
		})
		for _, field := range []string{"Connection: keep-alive", "Proxy-Connection: keep-alive\r\nConnection: keep-alive"} {
			t.Run(fmt.Sprintf("tunnel=%t/%s", tunnel, field), func(t *testing.T) {
				c, br, base := dial()
				defer c.Close()
				for i := range 3 {
					body := fmt.Sprint("b", i)
					_, got := talk(t, c, br, fmt.Sprintf("POST %s/%d HTTP/1.0\r\nHost: %s\r\n%s\r\nContent-Length: 2\r\n\r\n%s", base, i, addr, field, body))
					if got != fmt.Sprintf("POST /%d HTTP/1.0 %s", i, body) {
						t.Errorf("%d: %q", i, got)
					}
				}
			})
		}
		t.Run(fmt.Sprintf("tunnel=%t/Proxy-Connection: close is nothing", tunnel), func(t *testing.T) {
			c, br, base := dial()
			defer c.Close()
			for range 2 {
				if _, body := talk(t, c, br, "GET "+base+"/a HTTP/1.1\r\nHost: "+addr+"\r\nProxy-Connection: close\r\n\r\n"); body != "GET /a HTTP/1.1 " {
					t.Errorf("%q", body)
				}
			}
			if _, body := talk(t, c, br, "GET "+base+"/a HTTP/1.1\r\nHost: "+addr+"\r\nConnection: close\r\n\r\n"); body != "GET /a HTTP/1.1 " || !ended(br) {
				t.Errorf("%q, or the connection stays open", body)
			}
		})
		t.Run(fmt.Sprintf("tunnel=%t/pipelined", tunnel), func(t *testing.T) {
			c, br, base := dial()
			defer c.Close()
			const n = 20
			var all strings.Builder
			for i := range n {
				fmt.Fprintf(&all, "POST %s/p%d HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n1;ext=\"a;b\"\r\n%c\r\n0\r\nX-T: 1\r\n\r\n", base, i, addr, 'a'+i)
			}
			go func() { _, _ = io.WriteString(c, all.String()) }()
			for i := range n {
				resp, err := http.ReadResponse(br, nil)
				if err != nil {
					t.Fatal(i, err)
				}
				if b, err := io.ReadAll(resp.Body); err != nil || string(b) != fmt.Sprintf("POST /p%d HTTP/1.1 %c", i, 'a'+i) {
					t.Fatalf("%d: %q, %v", i, b, err)
				}
			}
		})
	}
}

// TestLongLines passes lines that are as long as they may be.
func TestLongLines(t *testing.T) {
	long := strings.Repeat("x", 900<<10)
	versions(t, func(t *testing.T, client, server bool) {
		g := newRig(t, nil)
		s := serveTLS(t, server, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Long", r.Header.Get("X-Long"))
		})
		s.Config.MaxHeaderBytes = 4 << 20
		req, _ := http.NewRequest(http.MethodGet, s.URL+"/l", nil)
		value := long
		if client || server {
			value = long[:200<<10] // the clients and servers of net/http take no more in a frame's fields
		}
		req.Header.Set("X-Long", value)
		c := g.client(client)
		c.Transport.(*http.Transport).MaxResponseHeaderBytes = 4 << 20
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Header.Get("X-Long") != value {
			t.Errorf("%s, %d bytes came back", resp.Status, len(resp.Header.Get("X-Long")))
		}
		x := await(t, g.rec, exchangeAt("/l"))
		if !bytes.Contains(x.Request.Head, []byte(value)) || !bytes.Contains(x.Response.Head, []byte(value)) {
			t.Error("the record lacks it")
		}
	})
}

// TestHalfClosed: a client that closes its side of the connection has gone as far as
// HTTP/1.1 is concerned; its request is recorded as such. (What is relayed is another
// matter: TestRaw.)
func TestHalfClosed(t *testing.T) {
	g := newRig(t, nil)
	asked, gone := make(chan struct{}), make(chan struct{})
	s := serve(t, false, func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(gone)
	})
	c := g.connect(s.Listener.Addr().String())
	_, _ = io.WriteString(c, "GET /half HTTP/1.1\r\nHost: "+s.Listener.Addr().String()+"\r\n\r\n")
	<-asked
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	<-gone
	if x := await(t, g.rec, exchangeAt("/half")); !strings.HasPrefix(x.Error, flow.ErrClientClosed+": ") {
		t.Errorf("%q", x.Error)
	}
}

// TestExtendedConnect: WebSocket over HTTP/2 (RFC 8441) is not offered, so that clients
// take HTTP/1.1 for it, where it is read; a client that tries all the same is refused.
func TestExtendedConnect(t *testing.T) {
	g := newRig(t, nil)
	s := serveTLS(t, true, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
	c := g.connectTLS(s.Listener.Addr().String(), "127.0.0.1", "h2")
	_, _ = io.WriteString(c, http2.ClientPreface)
	fr := http2.NewFramer(c, c)
	if err := fr.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	if err := fr.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, EndHeaders: true,
		BlockFragment: hpackOf(":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":path", "/ws", ":authority", "127.0.0.1", "sec-websocket-version", "13"),
	}); err != nil {
		t.Fatal(err)
	}
	for refused := false; !refused; {
		f, err := fr.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if v, ok := f.Value(http2.SettingEnableConnectProtocol); ok && v != 0 {
				t.Error("extended CONNECT is offered")
			}
		case *http2.RSTStreamFrame:
			refused = f.StreamID == 1
		case *http2.GoAwayFrame:
			t.Fatalf("the whole connection went: %v", f.ErrCode)
		case *http2.HeadersFrame:
			t.Fatal("it was answered")
		}
	}
}

// TestUpgradeAtTheDoor relays a protocol that nobody here knows, for a request in the
// clear, and records what passes.
func TestUpgradeAtTheDoor(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.BurstPause = time.Second })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		br := bufio.NewReader(c)
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chess\r\n\r\n")
		line, _ := br.ReadString('\n')
		_, _ = io.WriteString(c, "re: "+line)
	}()
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	at := ln.Addr().String()
	_, _ = io.WriteString(c, "GET http://"+at+"/u HTTP/1.1\r\nHost: "+at+"\r\nConnection: upgrade\r\nUpgrade: chess\r\n\r\ne4\n")
	got, _ := io.ReadAll(c)
	if !strings.HasSuffix(string(got), "\r\n\r\nre: e4\n") {
		t.Errorf("%q", got)
	}
	c.Close()
	if x := await(t, g.rec, exchangeAt("/u")); x.Status != http.StatusSwitchingProtocols {
		t.Errorf("%+v", x)
	}
	x := await(t, g.rec, func(x *flow.Exchange) bool { return x.Method == "" })
	if string(g.rec.body(x.Request.Body)) != "e4\n" || string(g.rec.body(x.Response.Body)) != "re: e4\n" || x.Scheme != "tcp" {
		t.Errorf("%+v", x)
	}
}
