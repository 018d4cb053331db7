package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"constat/proxy/flow"
)

var discard = log.New(io.Discard, "", 0)

// TestResponses holds what servers may send, well formed or not.
func TestResponses(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	many := strings.Repeat("A: b\r\n", maxFields+1)
	for _, tt := range []struct {
		name, method, sent string
		body               string
		word               string // of Do's error
		cut                string // of the body's error; "unexpected" for io.ErrUnexpectedEOF
		again              bool   // the connection carries another request
	}{
		{name: "length", sent: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", body: "abc", again: true},
		{name: "length, bare LF", sent: "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", body: "abc", again: true},
		{name: "no reason", sent: "HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", body: "abc", again: true},
		{name: "same length twice", sent: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", body: "abc", again: true},
		{name: "status 999", sent: "HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n", again: true},
		{name: "chunked", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", body: "abcde", again: true},
		{name: "chunked upper case", sent: "HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n0A\r\n0123456789\r\n0\r\n\r\n", body: "0123456789", again: true},
		{name: "long head", sent: "HTTP/1.1 200 OK\r\nX: " + long + "\r\nContent-Length: 1\r\n\r\na", body: "a", again: true},
		{name: "204", sent: "HTTP/1.1 204 No Content\r\n\r\n", again: true},
		{name: "304 with a length", sent: "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", again: true},
		{name: "HEAD", method: "HEAD", sent: "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", again: true},
		{name: "until close", sent: "HTTP/1.1 200 OK\r\n\r\nabc", body: "abc"},
		{name: "asks to close", sent: "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 3\r\n\r\nabc", body: "abc"},
		{name: "HTTP/1.0", sent: "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", body: "abc"},
		{name: "HTTP/1.0 kept alive", sent: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", body: "abc", again: true},
		{name: "HTTP/1.0 until close", sent: "HTTP/1.0 200 OK\r\n\r\nabc", body: "abc"},
		{name: "more than announced", sent: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", body: "abc"},
		{name: "a second response", sent: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{name: "interim", sent: "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", body: "abc", again: true},

		{name: "nothing", sent: "", word: flow.ErrServerClosed},
		{name: "half a head", sent: "HTTP/1.1 200 OK\r\nContent-Le", word: flow.ErrServerClosed},
		{name: "garbage", sent: "\x16\x03\x01\x02\x00", word: flow.ErrServerBad},
		{name: "SSH", sent: "SSH-2.0-OpenSSH_9.6\r\n", word: flow.ErrServerBad},
		{name: "HTTP/0.9", sent: "<html>hello</html>", word: flow.ErrServerBad},
		{name: "HTTP/2", sent: "HTTP/2.0 200 OK\r\n\r\n", word: flow.ErrServerBad},
		{name: "status not a number", sent: "HTTP/1.1 2x0 OK\r\n\r\n", word: flow.ErrServerBad},
		{name: "status too long", sent: "HTTP/1.1 2000 OK\r\n\r\n", word: flow.ErrServerBad},
		{name: "status below 100", sent: "HTTP/1.1 099 OK\r\n\r\n", word: flow.ErrServerBad},
		{name: "folded", sent: "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", word: flow.ErrServerBad},
		{name: "space before colon", sent: "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", word: flow.ErrServerBad},
		{name: "no colon", sent: "HTTP/1.1 200 OK\r\nabc\r\n\r\n", word: flow.ErrServerBad},
		{name: "bare CR", sent: "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n", word: flow.ErrServerBad},
		{name: "NUL", sent: "HTTP/1.1 200 OK\r\nA: b\x00\r\n\r\n", word: flow.ErrServerBad},
		{name: "two lengths", sent: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", word: flow.ErrServerBad},
		{name: "signed length", sent: "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc", word: flow.ErrServerBad},
		{name: "hexadecimal length", sent: "HTTP/1.1 200 OK\r\nContent-Length: 0x3\r\n\r\nabc", word: flow.ErrServerBad},
		{name: "length list", sent: "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc", word: flow.ErrServerBad},
		{name: "huge length", sent: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc", word: flow.ErrServerBad},
		{name: "empty length", sent: "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", word: flow.ErrServerBad},
		{name: "length and chunked", sent: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", word: flow.ErrServerBad},
		{name: "coding twice", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", word: flow.ErrServerBad},
		{name: "other coding", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", word: flow.ErrServerBad},
		{name: "chunked in HTTP/1.0", sent: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", word: flow.ErrServerBad},
		{name: "101 not asked for", sent: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", word: flow.ErrServerBad},
		{name: "field flood", sent: "HTTP/1.1 200 OK\r\n" + many + "\r\n", word: flow.ErrServerBad},
		{name: "endless head", sent: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat(long, 11), word: flow.ErrServerBad},
		{name: "endless interim", sent: strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", maxInterim+1), word: flow.ErrServerBad},

		{name: "short of the length", sent: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", body: "abc", cut: "unexpected"},
		{name: "inside a chunk", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", body: "abc", cut: "unexpected"},
		{name: "behind a chunk", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc", body: "abc", cut: "unexpected"},
		{name: "before the last chunk", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", body: "abc", cut: "unexpected"},
		{name: "before the trailer's end", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", body: "abc", cut: "unexpected"},
		{name: "chunk size not a number", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nabc\r\n", cut: flow.ErrServerBad},
		{name: "chunk size negative", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n", cut: flow.ErrServerBad},
		{name: "chunk size too large", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1234567890abcdef\r\nabc\r\n", cut: flow.ErrServerBad},
		{name: "chunk line ends with LF", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", cut: flow.ErrServerBad},
		{name: "chunk longer than said", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", body: "ab", cut: flow.ErrServerBad},
		{name: "long extension", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;" + long + "\r\nabc\r\n0\r\n\r\n", cut: flow.ErrServerBad},
		{name: "extension flood", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+long[:1000]+"\r\na\r\n", 40), body: strings.Repeat("a", 16), cut: flow.ErrServerBad},
		{name: "bad trailer", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na b: c\r\n\r\n", cut: flow.ErrServerBad},
		{name: "trailer flood", sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("A: "+long[:900]+"\r\n", 80) + "\r\n", cut: flow.ErrServerBad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr := raw(t, func(n int, c net.Conn, in *bufio.Reader) {
				if n == 0 && (!answer(c, in, tt.sent) || tt.word != "" || tt.cut != "" || strings.Contains(tt.name, "until close")) {
					return
				}
				answer(c, in, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			})
			tr := open(t, Config{})
			c := &Call{Client: loopback}
			method := "GET"
			if tt.method != "" {
				method = tt.method
			}
			resp, err := tr.Do(request(t, method, addr, "/"), c)
			if word(err) != tt.word {
				t.Fatalf("error %v, want %q", err, tt.word)
			}
			if err != nil {
				return
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if cut := word(err); string(body) != tt.body || cut != tt.cut && (tt.cut != "unexpected" || err != io.ErrUnexpectedEOF) {
				t.Fatalf("body %q, error %v; want %q, %q", body, err, tt.body, tt.cut)
			}
			if want := tt.sent[strings.LastIndex(tt.sent[:headLength(tt.sent)], "HTTP/1."):headLength(tt.sent)]; string(c.ResponseHead) != want || !c.Exact {
				t.Errorf("head %q, want %q", c.ResponseHead, want)
			}
			if tt.cut != "" {
				return
			}
			r2, err := tr.Do(request(t, "GET", addr, "/"), c)
			all(t, r2, err)
			if c.Reused != tt.again {
				t.Errorf("Reused: %v, want %v", c.Reused, tt.again)
			}
		})
	}
}

// headLength returns the length of the heads at the start of s, interim ones
// included.
func headLength(s string) int {
	n := 0
	for {
		m := headEnd([]byte(s[n:]), 0)
		n += m
		if !strings.HasPrefix(s[n-m:], "HTTP/1.1 1") {
			return n
		}
	}
}

func TestInformational(t *testing.T) {
	addr := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		answer(c, in, "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\nLink: <b>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	var got []string
	c := &Call{Client: loopback, Informational: func(status int, fields textproto.MIMEHeader) {
		got = append(got, fmt.Sprint(status, fields["Link"]))
	}}
	resp, err := open(t, Config{}).Do(request(t, "GET", addr, "/"), c)
	all(t, resp, err)
	if diff := cmp.Diff([]string{"102 []", "103 [<a> <b>]"}, got); diff != "" {
		t.Errorf("interim responses (-want +got):\n%s", diff)
	}
}

func TestTrailer(t *testing.T) {
	addr := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		answer(c, in, "HTTP/1.1 200 OK\r\nTrailer: x-sum, Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 42\r\nContent-Length: 9\r\nY: z\r\n\r\n")
	})
	resp, _, err := get(t, open(t, Config{}), addr)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(http.Header{"X-Sum": nil}, resp.Trailer); diff != "" {
		t.Errorf("announced (-want +got):\n%s", diff)
	}
	all(t, resp, nil)
	if diff := cmp.Diff(http.Header{"X-Sum": {"42"}, "Y": {"z"}}, resp.Trailer); diff != "" {
		t.Errorf("trailer (-want +got):\n%s", diff)
	}
}

func TestStreamedResponse(t *testing.T) {
	next := make(chan string)
	addr := served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for s := range next {
			io.WriteString(w, s)
			w.(http.Flusher).Flush()
		}
	}))
	go func() { next <- "first" }()
	resp, _, err := get(t, open(t, Config{}), addr)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	for _, want := range []string{"first", "second"} {
		n, err := resp.Body.Read(buf)
		if string(buf[:n]) != want || err != nil {
			t.Fatalf("read %q, %v, want %q", buf[:n], err, want)
		}
		if want == "first" {
			next <- "second"
		}
	}
	close(next)
	all(t, resp, nil)
}

func TestUpgrade(t *testing.T) {
	addr := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		r, err := http.ReadRequest(in)
		if err != nil || r.Header.Get("Upgrade") != "echo" || r.Header.Get("Connection") != "Upgrade" {
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nready")
		io.Copy(c, in)
		io.WriteString(c, "bye")
	})
	r := request(t, "GET", addr, "/")
	r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"echo"}}
	resp, err := open(t, Config{}).Do(r, &Call{Client: loopback})
	if err != nil {
		t.Fatal(err)
	}
	rw, ok := resp.Body.(io.ReadWriteCloser)
	if !ok || resp.StatusCode != 101 {
		t.Fatalf("%v, body %T", resp.Status, resp.Body)
	}
	io.WriteString(rw, "hello")
	if err := rw.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := all(t, resp, nil); got != "readyhellobye" {
		t.Errorf("got %q", got)
	}
}

func TestTruncatedOverTLS(t *testing.T) {
	ca := newAuthority(t)
	for _, polite := range []bool{false, true} {
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nabc")
			if !polite {
				c.(interface{ NetConn() net.Conn }).NetConn().Close()
			}
			c.Close()
		})
		addr, _ := secure(t, h, serverTLS(ca.issue(t, nil)))
		r := request(t, "GET", addr, "/")
		r.URL.Scheme = "https"
		resp, err := open(t, Config{Roots: ca.pool}).Do(r, &Call{Client: loopback})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != "abc" || polite != (err == nil) || !polite && err != io.ErrUnexpectedEOF {
			t.Errorf("ended in TLS: %v; got %q, %v", polite, body, err)
		}
	}
}

// TestChunkedSplit reads a chunked body that arrives in arbitrary pieces, with
// reads of arbitrary sizes.
func TestChunkedSplit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var wire, want bytes.Buffer
		for range rapid.IntRange(0, 5).Draw(rt, "chunks") {
			data := rapid.SliceOfN(rapid.Byte(), 1, 3000).Draw(rt, "data")
			fmt.Fprintf(&wire, "%x\r\n%s\r\n", len(data), data)
			want.Write(data)
		}
		wire.WriteString("0\r\n\r\n")
		text := wire.Bytes()
		piece := rapid.IntRange(1, 2000).Draw(rt, "piece")
		client, server := net.Pipe()
		defer client.Close()
		go func() {
			defer server.Close()
			for len(text) > 0 {
				n := min(len(text), piece)
				if _, err := server.Write(text[:n]); err != nil {
					return
				}
				text = text[n:]
			}
			io.Copy(io.Discard, server)
		}()
		b := loose(client)
		b.kind = bodyChunked
		var got bytes.Buffer
		buf := make([]byte, rapid.IntRange(1, 5000).Draw(rt, "read"))
		for {
			n, err := b.Read(buf)
			got.Write(buf[:n])
			if err == io.EOF {
				break
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			rt.Fatalf("got %d bytes, want %d", got.Len(), want.Len())
		}
	})
}

// loose returns a response body that reads from c, outside of any pool.
func loose(c net.Conn) *body {
	cn := &conn{link: newLink(c), buf: make([]byte, readBuffer), t: &Transport{conf: withDefaults(Config{}), pool: pool{closed: true, hosts: make(map[key]*host)}}}
	cn.rw = cn.link
	x := &exchange{cn: cn}
	x.parts.Store(1)
	return &body{x: x, resp: &http.Response{}}
}

// script is a connection that a fuzzer wrote the input of.
type script struct{ *bytes.Reader }

func (script) Write(p []byte) (int, error)      { return len(p), nil }
func (script) Close() error                     { return nil }
func (script) LocalAddr() net.Addr              { return nil }
func (script) RemoteAddr() net.Addr             { return nil }
func (script) SetDeadline(time.Time) error      { return nil }
func (script) SetReadDeadline(time.Time) error  { return nil }
func (script) SetWriteDeadline(time.Time) error { return nil }

// FuzzResponse feeds whole responses to the reader: no panic, bounded memory, a
// head that is kept byte for byte, and a framing that net/http agrees with.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n3;x\r\nabc\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.0 200\nA: b\n\nuntil the end",
		"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		b := loose(script{bytes.NewReader(wire)})
		x, cn := b.x, b.x.cn
		r := &http.Request{Method: "GET"}
		a := &attempt{cn: cn, r: r, c: &Call{}}
		resp, _, err := a.receive(x, nil)
		if err != nil {
			return
		}
		if !bytes.Contains(wire, a.c.ResponseHead) {
			t.Fatalf("head %q is not in the input", a.c.ResponseHead)
		}
		got, rerr := io.ReadAll(resp.Body)
		if rerr != nil && rerr != io.ErrUnexpectedEOF && !errors.As(rerr, new(*Error)) {
			t.Fatalf("unknown error %v", rerr)
		}
		at := bytes.Index(wire, a.c.ResponseHead)
		theirs, terr := http.ReadResponse(bufio.NewReader(bytes.NewReader(wire[at:])), r)
		if terr != nil || resp.StatusCode < 200 || theirs.StatusCode != resp.StatusCode {
			return
		}
		want, terr := io.ReadAll(theirs.Body)
		if terr == nil && rerr == nil && !bytes.Equal(got, want) {
			t.Fatalf("body %q, net/http reads %q", got, want)
		}
	})
}
