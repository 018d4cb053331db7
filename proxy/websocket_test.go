package proxy_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"constat/proxy/flow"
)

// echoServer echoes WebSocket messages in the compression mode that is agreed.
func echoServer(t *testing.T, mode websocket.CompressionMode) *httptest.Server {
	return serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: mode, CompressionThreshold: 1})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(1 << 22)
		for {
			typ, b, err := c.Read(r.Context())
			if err != nil {
				return
			}
			if err := c.Write(r.Context(), typ, b); err != nil {
				return
			}
		}
	})
}

func TestWebSocket(t *testing.T) {
	for _, mode := range []websocket.CompressionMode{websocket.CompressionDisabled, websocket.CompressionNoContextTakeover} {
		t.Run(fmt.Sprint("compression ", mode), func(t *testing.T) {
			g := newRig(t, nil)
			s := echoServer(t, mode)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			c, _, err := websocket.Dial(ctx, s.URL+"/ws", &websocket.DialOptions{
				HTTPClient: g.client(false), CompressionMode: mode, CompressionThreshold: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			c.SetReadLimit(1 << 22)
			var messages []string
			for _, size := range []int{0, 1, 125, 126, 65535, 65536, 600000} {
				messages = append(messages, strings.Repeat("0123456789", size/10+1)[:size])
			}
			for _, m := range messages {
				if err := c.Write(ctx, websocket.MessageText, []byte(m)); err != nil {
					t.Fatal(err)
				}
				typ, b, err := c.Read(ctx)
				if err != nil || typ != websocket.MessageText || string(b) != m {
					t.Fatalf("%d bytes: got %d, %v", len(m), len(b), err)
				}
				// The message is here, so its frame has to be in the log.
				frames := all[*flow.Frame](g.rec)
				if last := frames[len(frames)-1]; last.Direction != flow.Down || string(g.payload(last)) != m {
					t.Fatalf("%d bytes: last frame %+v", len(m), last)
				}
			}
			if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
				t.Error(err)
			}
			x := await(t, g.rec, exchangeAt("/ws"))
			if x.Scheme != "wss" || x.Status != 101 || x.Error != "" {
				t.Errorf("%+v", x)
			}
			await(t, g.rec, anyConnection)
			up, down := 0, 0
			for _, f := range all[*flow.Frame](g.rec) {
				if f.Exchange != x.ID || !f.Payload.Complete() || f.Time.IsZero() || f.ID == 0 {
					t.Errorf("frame %+v", f)
				}
				switch {
				case f.Opcode == 8:
					if code := binary.BigEndian.Uint16(f.Payload.Tail()); code != 1000 {
						t.Errorf("close code %d", code)
					}
				case f.Opcode != 1 || f.Deflated != (mode != websocket.CompressionDisabled && f.Payload.Size() > 0 && len(g.payload(f)) > 0):
					t.Errorf("frame %+v", f)
				case f.Direction == flow.Up:
					if string(g.payload(f)) != messages[up] {
						t.Errorf("message %d up is %d bytes", up, f.Payload.Size())
					}
					up++
				default:
					down++
				}
			}
			if up != len(messages) || down != len(messages) {
				t.Errorf("%d up, %d down", up, down)
			}
		})
	}
}

// payload returns the payload of f, inflated if it is deflated.
func (g *rig) payload(f *flow.Frame) []byte {
	b := g.rec.body(f.Payload)
	if !f.Deflated {
		return b
	}
	r := flate.NewReader(io.MultiReader(bytes.NewReader(b), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
	out, err := io.ReadAll(r)
	if err != nil {
		g.t.Errorf("inflate: %v", err)
	}
	return out
}

// upgradeServer switches protocols on every connection and then sends down, and
// returns what it gets.
func upgradeServer(t *testing.T, protocol, down string) (addr string, up chan string) {
	t.Helper()
	up = make(chan string, 1)
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, "HTTP/1.1 101 Over To You\r\nupgrade: "+protocol+"\r\nConnection: Upgrade\r\nx-y: z\r\n\r\n"+down)
		b, _ := io.ReadAll(rw)
		up <- string(b)
	})
	return s.Listener.Addr().String(), up
}

// TestFrames sends hand-made frames, in one piece and byte by byte.
func TestFrames(t *testing.T) {
	masked := func(head string, payload string) string {
		b := []byte(payload)
		for i := range b {
			b[i] ^= "mask"[i&3]
		}
		return head + "mask" + string(b)
	}
	for _, tc := range []struct {
		name, up, down string
		want           string
		reason         string
	}{
		{
			name: "fragments with a control frame between",
			up:   masked("\x01\x83", "one") + masked("\x89\x82", "hi") + masked("\x00\x83", "two") + masked("\x80\x85", "three"),
			want: "up 9 hi\nup 1 onetwothree\n",
		},
		{name: "unmasked and empty", down: "\x82\x03abc\x8a\x00\x81\x00", want: "down 2 abc\ndown 10 \ndown 1 \n"},
		{name: "cut off", up: masked("\x81\x85", "hello")[:9], down: "\x01\x03abc", want: "up 1 hel (cut off)\ndown 1 abc (cut off)\n"},
		{name: "reserved opcode", down: "\x82\x01a\x83\x00rest", want: "down 2 a\n", reason: "(down)"},
		{name: "long control frame", up: "\x88\xfe\x01\x00maskrest", want: "", reason: "(up)"},
		{name: "continuation of nothing", down: "\x80\x01a", want: "", reason: "(down)"},
		{name: "message in a message", down: "\x01\x01a\x81\x01b", want: "down 1 a (cut off)\n", reason: "(down)"},
		{name: "length over all bounds", down: "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xffx", want: "", reason: "(down)"},
		{name: "unknown extension", down: "\xa2\x01a", want: "", reason: "(down)"},
		{name: "huge announced", down: "\x82\x7f\x00\xff\xff\xff\xff\xff\xff\xffabc", want: "down 2 abc (cut off)\n"},
	} {
		for _, step := range []int{1, 1000} {
			t.Run(fmt.Sprintf("%s/by %d", tc.name, step), func(t *testing.T) {
				t.Parallel()
				g := newRig(t, nil)
				addr, gotUp := upgradeServer(t, "websocket", tc.down)
				c := g.connectTLS(addr, "127.0.0.1")
				_, _ = io.WriteString(c, "GET /f HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
				r := bufio.NewReader(c)
				var head strings.Builder
				for !strings.HasSuffix(head.String(), "\r\n\r\n") {
					b, err := r.ReadByte()
					if err != nil {
						t.Fatal(err, head.String())
					}
					head.WriteByte(b)
				}
				if head.String() != "HTTP/1.1 101 Over To You\r\nupgrade: websocket\r\nConnection: Upgrade\r\nx-y: z\r\n\r\n" {
					t.Errorf("head %q", head.String())
				}
				for up := tc.up; len(up) > 0; {
					n := min(step, len(up))
					_, _ = io.WriteString(c, up[:n])
					up = up[n:]
				}
				if got := mustRead(t, r, make([]byte, len(tc.down))); got != tc.down {
					t.Errorf("down %q", got)
				}
				_ = c.CloseWrite()
				if got := <-gotUp; got != tc.up {
					t.Errorf("up %q", got)
				}
				row := await(t, g.rec, anyConnection)
				if !strings.Contains(row.Reason, tc.reason) || row.Outcome != flow.Intercepted {
					t.Errorf("row %+v", row)
				}
				got := ""
				for _, f := range all[*flow.Frame](g.rec) {
					got += fmt.Sprintf("%s %d %s", f.Direction, f.Opcode, g.rec.body(f.Payload))
					if !f.Payload.Complete() {
						got += " (cut off)"
					}
					got += "\n"
				}
				if got != tc.want {
					t.Errorf("frames:\n%swant:\n%s", got, tc.want)
				}
			})
		}
	}
}

// TestOtherUpgrade relays a protocol that nobody here knows.
func TestOtherUpgrade(t *testing.T) {
	g := newRig(t, nil)
	addr, up := upgradeServer(t, "chess", "e5")
	c := g.connectTLS(addr, "127.0.0.1")
	_, _ = io.WriteString(c, "GET /u HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: chess\r\n\r\ne4")
	want := "HTTP/1.1 101 Over To You\r\nupgrade: chess\r\nConnection: Upgrade\r\nx-y: z\r\n\r\ne5"
	got := mustRead(t, c, make([]byte, len(want)))
	_ = c.CloseWrite()
	if s := <-up; got != want || s != "e4" {
		t.Errorf("down %q, up %q", got, s)
	}
	row := await(t, g.rec, anyConnection)
	if !strings.Contains(row.Reason, "another protocol") || string(row.FirstUp) != "e4" || string(row.FirstDown) != "e5" {
		t.Errorf("row %+v", row)
	}
}

// TestShutdownWithWebSocket closes it at once.
func TestShutdownWithWebSocket(t *testing.T) {
	g := newRig(t, nil)
	s := echoServer(t, websocket.CompressionDisabled)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, s.URL+"/ws", &websocket.DialOptions{HTTPClient: g.client(false)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.Write(ctx, websocket.MessageText, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(ctx); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := g.stop(); err != nil || time.Since(begun) > 900*time.Millisecond {
		t.Error(err, time.Since(begun))
	}
	if row := await(t, g.rec, anyConnection); row.Outcome != flow.CutOff {
		t.Errorf("row %+v", row)
	}
}

// TestFrameNotRecorded: a message that cannot be recorded does not reach the
// client.
func TestFrameNotRecorded(t *testing.T) {
	g := newRig(t, nil)
	g.rec.fail = func(op string, r flow.Record) error {
		if f, ok := r.(*flow.Frame); ok && f.Direction == flow.Down {
			return errRecorder
		}
		return nil
	}
	s := echoServer(t, websocket.CompressionDisabled)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, s.URL+"/ws", &websocket.DialOptions{HTTPClient: g.client(false)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	_ = c.Write(ctx, websocket.MessageText, []byte("x"))
	if _, b, err := c.Read(ctx); err == nil {
		t.Errorf("got %q", b)
	}
}
