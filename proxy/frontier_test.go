package proxy

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// opens writes what a client opens HTTP/2 with.
func opens(t testing.TB, write func(f *http2.Framer)) []byte {
	t.Helper()
	b := bytes.NewBufferString(opening)
	write(http2.NewFramer(b, nil))
	return b.Bytes()
}

func headerBlock(names ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for _, n := range names {
		_ = e.WriteField(hpack.HeaderField{Name: n, Value: "value of " + n})
	}
	return b.Bytes()
}

func TestFrontier(t *testing.T) {
	block := headerBlock(":method", ":authority", ":scheme", ":path", "user-agent")
	for _, tt := range []struct {
		name string
		sent []byte
		want string
	}{
		{"Chrome's order", opens(t, func(f *http2.Framer) {
			_ = f.WriteSettings(http2.Setting{ID: 1, Val: 65536}, http2.Setting{ID: 2, Val: 0}, http2.Setting{ID: 4, Val: 6291456}, http2.Setting{ID: 6, Val: 262144})
			_ = f.WriteWindowUpdate(0, 15663105)
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndStream: true, EndHeaders: true, Priority: http2.PriorityParam{Weight: 255, Exclusive: true}})
		}), "1:65536;2:0;4:6291456;6:262144|15663105|0|m,a,s,p"},
		{"Firefox's priorities", opens(t, func(f *http2.Framer) {
			_ = f.WriteSettings(http2.Setting{ID: 1, Val: 65536})
			_ = f.WriteWindowUpdate(0, 12517377)
			_ = f.WritePriority(3, http2.PriorityParam{Weight: 200})
			_ = f.WritePriority(5, http2.PriorityParam{StreamDep: 3, Weight: 100, Exclusive: true})
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 15, BlockFragment: headerBlock(":method", ":path", ":authority", ":scheme"), EndHeaders: true, PadLength: 9})
		}), "1:65536|12517377|3:0:0:201,5:1:3:101|m,p,a,s"},
		{"no settings, window of a stream", opens(t, func(f *http2.Framer) {
			_ = f.WriteSettings()
			_ = f.WriteWindowUpdate(1, 5)
			_ = f.WriteSettingsAck()
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headerBlock(":method")})
		}), "|0|0|m"},
		{"no headers", opens(t, func(f *http2.Framer) { _ = f.WriteSettings() }), ""},
		{"HTTP/1.1", []byte("POST / HTTP/1.1\r\n\r\n"), ""},
		{"nearly HTTP/2", []byte("PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n"), ""},
		{"a frame that never ends", append([]byte(opening), 0xff, 0xff, 0xff, 4, 0, 0, 0, 0, 0), ""},
		{"too much", []byte(opening + strings.Repeat("\x00\x00\x05\x02\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00", 5000)), ""},
	} {
		for _, size := range []int{1, 7, len(tt.sent)} {
			var f frontier
			got := ""
			for rest := tt.sent; len(rest) > 0; {
				n := min(size, len(rest))
				got += f.feed(rest[:n])
				rest = rest[n:]
			}
			if got != tt.want {
				t.Errorf("%s, %d bytes at a time: %q, want %q", tt.name, size, got, tt.want)
			}
			if len(f.buf) > maxFrontier {
				t.Errorf("%s: %d bytes are kept", tt.name, len(f.buf))
			}
		}
	}
}

func FuzzFrontier(f *testing.F) {
	f.Add(opens(f, func(w *http2.Framer) {
		_ = w.WriteSettings(http2.Setting{ID: 1, Val: 2})
		_ = w.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headerBlock(":method"), EndHeaders: true})
	}), 5)
	f.Fuzz(func(t *testing.T, sent []byte, size int) {
		var whole, pieces frontier
		if len(sent) == 0 {
			return
		}
		size = max(1, min(size, len(sent)))
		want, got := whole.feed(sent), ""
		for rest := sent; len(rest) > 0; {
			n := min(size, len(rest))
			got += pieces.feed(rest[:n])
			rest = rest[n:]
		}
		if got != want && len(sent) < maxFrontier {
			t.Errorf("%q in pieces, %q at once", got, want)
		}
	})
}

// TestFrontierHostile: what is not a name of a pseudo-header field is not shown as it
// came, and there is an end to what is shown.
func TestFrontierHostile(t *testing.T) {
	var odd frontier
	if got := odd.feed(opens(t, func(f *http2.Framer) {
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headerBlock(":\x00", ":\nx", ":\xff")})
	})); got != "|0|0|?,?,?" {
		t.Errorf("%q", got)
	}
	var long frontier
	got := long.feed(opens(t, func(f *http2.Framer) {
		many := make([]http2.Setting, 1000)
		_ = f.WriteSettings(many...)
		for range 500 {
			_ = f.WritePriority(3, http2.PriorityParam{})
		}
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headerBlock(":method")})
	}))
	if settings, rest, _ := strings.Cut(got, "|"); strings.Count(settings, ";") != maxParameters-1 || strings.Count(rest, "3:0:0:1") != maxParameters {
		t.Errorf("%d bytes: %.100q", len(got), got)
	}
}
