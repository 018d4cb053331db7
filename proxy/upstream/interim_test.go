package upstream

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"constat/proxy/flow"
)

// informed notes the 1xx responses of a call.
func informed(c *Call) *[]string {
	var list []string
	c.Informational = func(status int, fields textproto.MIMEHeader) { list = append(list, fmt.Sprint(status, fields["Link"])) }
	return &list
}

const informedTwice = "[100 [] 103 [</a>; rel=preload </b>] 103 [</c>]]"

// TestInterim passes 1xx responses on in their order, and keeps their heads as they
// came.
func TestInterim(t *testing.T) {
	heads := "HTTP/1.1 100 Continue\r\n\r\n" +
		"HTTP/1.1 103 Early  Hints\r\nlInK: </a>; rel=preload\r\nX: 1\r\nLink: </b>\r\n\r\n" +
		"HTTP/1.1 103 \nLink:</c>\n\n"
	addr := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		answer(c, in, heads+"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	c := &Call{Client: loopback}
	list := informed(c)
	resp, err := open(t, Config{}).Do(request(t, "GET", addr, "/"), c)
	all(t, resp, err)
	if got := fmt.Sprint(*list); got != informedTwice || string(c.Interim) != heads {
		t.Errorf("informed of %v, heads %q", got, c.Interim)
	}
}

func TestInterimHTTP2(t *testing.T) {
	ca := newAuthority(t)
	addr := rawHTTP2(t, ca, func(f *http2.Framer, h *http2.MetaHeadersFrame, _ net.Conn) {
		respond(f, h.StreamID, false, ":status", "100")
		respond(f, h.StreamID, false, ":status", "103", "link", "</a>; rel=preload", "x", "1", "link", "</b>")
		respond(f, h.StreamID, false, ":status", "103", "link", "</c>")
		respond(f, h.StreamID, true, ":status", "200")
	})
	tr := open(t, Config{Roots: ca.pool})
	r, c := over2(t, "GET", addr, "/")
	list := informed(c)
	resp, err := tr.Do(r, c)
	all(t, resp, err)
	heads := "HTTP/2.0 100 Continue\r\n\r\n" +
		"HTTP/2.0 103 Early Hints\r\nlink: </a>; rel=preload\r\nlink: </b>\r\nx: 1\r\n\r\n" +
		"HTTP/2.0 103 Early Hints\r\nlink: </c>\r\n\r\n"
	if got := fmt.Sprint(*list); got != informedTwice || string(c.Interim) != heads {
		t.Errorf("informed of %v, heads %q", got, c.Interim)
	}
}

// TestInterimFlood bounds what is kept, and how many there may be.
func TestInterimFlood(t *testing.T) {
	ca := newAuthority(t)
	long := strings.Repeat("x", 7000)
	one := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		answer(c, in, strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+long+"\r\n\r\n", 3)+
			"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	c := &Call{Client: loopback}
	resp, err := open(t, Config{}).Do(request(t, "GET", one, "/"), c)
	all(t, resp, err)
	if n := strings.Count(string(c.Interim), " 103 "); n != 2 || len(c.Interim) > flow.MaxInterim || strings.Contains(string(c.Interim), " 102 ") {
		t.Errorf("%d heads in %d bytes", n, len(c.Interim))
	}
	for n, want := range map[int]string{maxInterim: "", maxInterim + 1: flow.ErrServerBad} {
		addr := rawHTTP2(t, ca, func(f *http2.Framer, h *http2.MetaHeadersFrame, _ net.Conn) {
			for range n {
				respond(f, h.StreamID, false, ":status", "103")
			}
			respond(f, h.StreamID, true, ":status", "200")
		})
		r, c := over2(t, "GET", addr, "/")
		list := informed(c)
		resp, err := open(t, Config{Roots: ca.pool}).Do(r, c)
		if word(err) != want || len(*list) != min(n, maxInterim) {
			t.Errorf("%d interim responses: informed of %d, %v", n, len(*list), err)
		}
		if err == nil {
			all(t, resp, nil)
		}
	}
}

// TestInterimProtocols: 101 is no interim response.
func TestInterimProtocols(t *testing.T) {
	addr := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		answer(c, in, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
	})
	r := request(t, "GET", addr, "/")
	r.Header = http.Header{"Connection": {"upgrade"}, "Upgrade": {"x"}}
	c := &Call{Client: loopback}
	resp, err := open(t, Config{}).Do(r, c)
	if err != nil || c.Interim != nil {
		t.Fatalf("heads %q, %v", c.Interim, err)
	}
	resp.Body.Close()
}
