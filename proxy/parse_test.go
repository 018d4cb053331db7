package proxy_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"constat/proxy"
	"constat/proxy/flow"
)

// TestJA4Published checks the examples of FoxIO's description of JA4
// (technical_details/JA4.md in github.com/FoxIO-LLC/ja4).
func TestJA4Published(t *testing.T) {
	ciphers := []uint16{
		0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
	}
	extensions := []uint16{
		0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
	}
	sigAlgs := []uint16{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601}
	for _, tc := range []struct{ name, got, want string }{
		{
			"browser", proxy.JA4Of(tls.VersionTLS12, []uint16{tls.VersionTLS13, tls.VersionTLS12}, ciphers, extensions, sigAlgs, "h2", "http/1.1"),
			"t13d1516h2_8daaf6152771_e5627efa2ab1",
		},
		{"nothing", proxy.JA4Of(tls.VersionTLS10, nil, nil, nil, nil), "t10i000000_000000000000_000000000000"},
		{"odd protocol", proxy.JA4Of(tls.VersionTLS11, nil, nil, nil, nil, "\xab\xcd")[:10], "t11i0000ad"},
		{"one letter", proxy.JA4Of(0x300, nil, nil, nil, nil, "x")[:10], "ts3i0000xx"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, tc.got, tc.want)
		}
	}
}

// helloOf returns the ClientHello that crypto/tls sends with conf.
func helloOf(t testing.TB, conf *tls.Config) []byte {
	t.Helper()
	a, b := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tls.Client(a, conf).Handshake()
	}()
	head := make([]byte, 5)
	mustRead(t, b, head)
	rest := make([]byte, int(head[3])<<8|int(head[4]))
	mustRead(t, b, rest)
	a.Close()
	b.Close()
	<-done
	return append(head, rest...)
}

// split cuts the one record of hello into records of n bytes.
func split(hello []byte, n int) (out []byte) {
	for msg := hello[5:]; len(msg) > 0; {
		m := min(n, len(msg))
		out = append(out, 22, 3, 1, byte(m>>8), byte(m))
		out = append(out, msg[:m]...)
		msg = msg[m:]
	}
	return out
}

func TestHello(t *testing.T) {
	hello := helloOf(t, &tls.Config{ServerName: "a.test", NextProtos: []string{"h2", "http/1.1"}})
	want, name, err := proxy.JA4(hello)
	if err != nil || name != "a.test" || !strings.HasPrefix(want, "t13d13") || want[8:10] != "h2" {
		t.Fatal(want, name, err)
	}
	for _, n := range []int{9, 30, 100} {
		in := split(hello, n)
		if got, _, err := proxy.JA4(in); got != want || err != nil {
			t.Errorf("in records of %d: %s %v", n, got, err)
		}
		// It never asks for less than there is, nor for more than it takes.
		for at := 0; ; {
			need, err := proxy.HelloNeed(in[:at])
			if err != nil || need == 0 {
				if at != len(in) || err != nil {
					t.Errorf("done at %d of %d: %v", at, len(in), err)
				}
				break
			}
			if need <= at || need > len(in) {
				t.Fatalf("needs %d at %d", need, at)
			}
			at = need
		}
	}
}

func FuzzHello(f *testing.F) {
	f.Add(helloOf(f, &tls.Config{ServerName: "a.test", NextProtos: []string{"h2"}}))
	f.Add(split(helloOf(f, &tls.Config{ServerName: "b.test", MaxVersion: tls.VersionTLS12}), 7))
	f.Fuzz(func(t *testing.T, b []byte) {
		if ja4, _, err := proxy.JA4(b); err == nil && len(ja4) != 36 {
			t.Errorf("%q", ja4)
		}
	})
}

// FuzzTap compares the tap with net/http's own parser: a head that it gives out
// has to hold the request that was parsed, wherever it stands in the stream.
func FuzzTap(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n"), 3)
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: b\r\n\r\n"), 1)
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n00\r\nT: 1\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n"), 100)
	f.Add([]byte("\r\n\nGET / HTTP/1.0\n\nGET / HTTP/1.1\r\nHost: b\r\n\r\n"), 2)
	f.Fuzz(func(t *testing.T, stream []byte, step int) {
		tap := proxy.NewTap(1 << 16)
		br := bufio.NewReader(&tapped{tap, stream, max(step, 1)})
		for {
			// As the server does: empty lines before a request are skipped.
			for {
				b, err := br.Peek(1)
				if err != nil {
					return
				}
				if b[0] != '\r' && b[0] != '\n' {
					break
				}
				_, _ = br.ReadByte()
			}
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			if head := tap.Take(r); head != nil {
				again, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
				if err != nil {
					t.Fatalf("head %q: %v", head, err)
				}
				if again.Method != r.Method || again.RequestURI != r.RequestURI || again.Host != r.Host ||
					fmt.Sprint(again.Header) != fmt.Sprint(r.Header) {
					t.Fatalf("head %q is not of %v", head, r)
				}
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
		}
	})
}

// tapped reads a stream in steps, past a tap.
type tapped struct {
	tap  *proxy.Tap
	rest []byte
	step int
}

func (t *tapped) Read(p []byte) (int, error) {
	if len(t.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, t.rest[:min(t.step, len(t.rest))])
	t.tap.Feed(t.rest[:n])
	t.rest = t.rest[n:]
	return n, nil
}

// FuzzFrames compares the frames with gobwas/ws: as long as that reads well-formed
// frames, the payloads have to be the same, whatever the portions.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x81\x85maskhello\x89\x00\x01\x01a\x80\x01b"), 1)
	f.Add([]byte("\x82\x7e\x00\x03abc\xc1\x00"), 4)
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		rec := newRecorder()
		if err := proxy.Frames(rec, b, max(step, 1)); err != nil {
			t.Fatal(err)
		}
		whole := newRecorder()
		if err := proxy.Frames(whole, b, max(len(b), 1)); err != nil {
			t.Fatal(err)
		}
		text := func(m *recorder) (s string, payload []byte) {
			for _, x := range all[*flow.Frame](m) {
				s += fmt.Sprintf("%d %t %t %x\n", x.Opcode, x.Deflated, x.Payload.Complete(), m.body(x.Payload))
				payload = append(payload, m.body(x.Payload)...)
			}
			return s, payload
		}
		a, _ := text(rec)
		if c, _ := text(whole); a != c {
			t.Fatalf("in steps:\n%s\nin one:\n%s", a, c)
		}
		// One frame after the other, until the first that is not plain.
		var want string
		for r := bytes.NewReader(b); ; {
			h, err := ws.ReadHeader(r)
			if err != nil || !h.Fin || h.OpCode == 0 || h.Rsv&3 != 0 || h.OpCode.IsReserved() || h.Length > int64(r.Len()) ||
				h.OpCode.IsControl() && (h.Length > ws.MaxControlFramePayloadSize || h.Rsv != 0) {
				break
			}
			p := make([]byte, h.Length)
			_, _ = io.ReadFull(r, p)
			if h.Masked {
				ws.Cipher(p, h.Mask, 0)
			}
			want += fmt.Sprintf("%d %t true %x\n", h.OpCode, h.Rsv1(), p)
		}
		if !strings.HasPrefix(a, want) {
			t.Fatalf("got:\n%swant at least:\n%s", a, want)
		}
	})
}

// FuzzSwap: whatever the server's head says, what is sent is one head, and its
// framing is the one that net/http follows.
func FuzzSwap(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nconnection: x\r\nX: 1\r\n\r\n"), true)
	f.Add([]byte("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), false)
	f.Add([]byte("HTTP/1.0 000 \n\nContent-Length:5"), true)
	f.Fuzz(func(t *testing.T, server []byte, closes bool) {
		written := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
		if closes {
			written += "Connection: close\r\n"
		}
		written += "\r\n"
		out := proxy.Swap([]byte(written), server, false)
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(append(out, "hello"...))), nil)
		if err != nil {
			return // the upstream has taken no such head
		}
		if resp.ContentLength != 5 || len(resp.TransferEncoding) > 0 || resp.Close != closes && bytes.Count(server, []byte("\n\r\n"))+bytes.Count(server, []byte("\n\n")) == 0 {
			t.Fatalf("%q became %q", server, out)
		}
	})
}

// TestSwapHostile has a server name a hundred thousand fields in Connection, and
// send as many.
func TestSwapHostile(t *testing.T) {
	options := strings.Repeat("a,", 100_000)
	server := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: " + options + "b\r\nb: 1\r\n" + strings.Repeat("c: 2\r\n", 100_000)
	began := time.Now()
	out := string(proxy.Swap([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), []byte(server+"\r\n"), false))
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	want := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" + strings.Repeat("c: 2\r\n", 100_000) + "\r\n"
	if out != want {
		t.Errorf("got %d bytes, want %d: %.200q", len(out), len(want), out)
	}
}

func TestParseTarget(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want string
	}{
		{"A.Test:443", "a.test 443"},
		{"a.test.:443", "a.test 443"},
		{"a.test", "a.test 80"},
		{"[2001:DB8::1]:8443", "2001:db8::1 8443"},
		{"[2001:db8::1]", "2001:db8::1 80"},
		{"192.0.2.1:1", "192.0.2.1 1"},
		{"_dmarc.a-b.test:1", "_dmarc.a-b.test 1"},
		{"", ""},
		{":443", ""},
		{"a.test:", ""},
		{"a.test:0", ""},
		{"a.test:65536", ""},
		{"a.test:+1", ""},
		{"a..test:1", ""},
		{".test:1", ""},
		{"a.test..:1", ""},
		{"user@a.test:1", ""},
		{"a/b:1", ""},
		{"a b:1", ""},
		{"a\x00b:1", ""},
		{"ä.test:1", ""},
		{"2001:db8::1:443", ""},
		{"[fe80::1%eth0]:1", ""},
		{"[::ffff:192.0.2.1]:1", "::ffff:192.0.2.1 1"},
		{"[192.0.2.1]:1", ""},
		{strings.Repeat("a", 64) + ".test:1", ""},
		{strings.Repeat("a.", 127) + "test:1", ""},
	} {
		host, port, err := proxy.ParseTarget(tc.in, 80)
		got := fmt.Sprint(host, " ", port)
		if err != nil {
			got = ""
		}
		if got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.in, got, tc.want)
		}
	}
}
