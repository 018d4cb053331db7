package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"constat/inspect"
	"constat/proxy/flow"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
	}
	goleak.VerifyTestMain(m)
}

// epoch is when the clock of a test case starts; it advances by a second each
// time it is asked.
var epoch = time.Date(2014, 7, 20, 8, 0, 0, 0, time.UTC)

func testClock() func() time.Time {
	var mu sync.Mutex
	now := epoch
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
}

func testConfig(t testing.TB) Config {
	dir := t.TempDir()
	return Config{
		Path: filepath.Join(dir, "test.constat"), KeyFile: filepath.Join(dir, "key.pem"),
		Tool: "test", Settings: map[string]string{"listen": "127.0.0.1:0"}, Clock: testClock(),
	}
}

// openCase opens a case and, after the test, closes it and verifies the whole
// of it again.
func openCase(t testing.TB, cfg Config) *Case {
	t.Helper()
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil && c.Err() == nil {
			t.Errorf("close: %v", err)
		}
		checkWhole(t, cfg.Path)
	})
	return c
}

func newCase(t testing.TB) *Case {
	t.Helper()
	return openCase(t, testConfig(t))
}

// testExchange returns an exchange that is not yet begun, with a request body,
// when not nil, and a response body.
func testExchange(n int, request, response []byte) *flow.Exchange {
	e := &flow.Exchange{
		Connection: 1, Device: "redmi", Door: "http", Began: epoch.Add(time.Duration(n) * time.Minute), Duration: 1234567 * time.Nanosecond,
		Method: "POST", Scheme: "https", Host: fmt.Sprintf("host%d.example", n%3), Port: 443, Path: fmt.Sprintf("/path/%d", n), Query: "q=1&r=%20",
		Server: netip.MustParseAddrPort("192.0.2.1:443"), Status: 200,
	}
	e.Request.Proto, e.Request.Exact, e.Request.Head = "HTTP/1.1", true, []byte("POST /path HTTP/1.1\r\nHost: host.example\r\nX-A: 1\r\nx-a: 2\r\n\r\n")
	e.Response.Proto, e.Response.Head, e.Response.Trailer = "HTTP/2.0", []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"), []byte("Grpc-Status: 0\r\n")
	if request != nil {
		e.Request.Body = flow.BodyOf(request)
	}
	e.Response.Body = flow.BodyOf(response)
	return e
}

// commit begins and commits an exchange.
func commit(t testing.TB, c *Case, e *flow.Exchange) *flow.Exchange {
	t.Helper()
	if err := c.Begin(e); err != nil {
		t.Fatal(err)
	}
	if err := c.Commit(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return e
}

// stream makes a body of a record as the proxy does.
func stream(t testing.TB, c *Case, owner flow.Record, data []byte, limit int64, complete bool) *flow.Body {
	t.Helper()
	b := flow.NewBody(c, owner, limit)
	if _, err := b.Write(data); err != nil {
		t.Fatal(err)
	}
	b.Close(complete)
	return b
}

func readBody(t testing.TB, r *Reader, b *flow.Body) []byte {
	t.Helper()
	body, err := r.Body(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// facts compares records without the content of bodies, and times to the
// microsecond.
var facts = cmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.EquateComparable(netip.AddrPort{}),
	cmp.Comparer(func(a, b time.Time) bool { return a.Truncate(time.Microsecond).Equal(b.Truncate(time.Microsecond)) }),
	cmp.Comparer(func(a, b time.Duration) bool { return a.Truncate(time.Microsecond) == b.Truncate(time.Microsecond) }),
	cmp.Comparer(func(a, b *flow.Body) bool {
		if a == nil || b == nil {
			return a == b
		}
		return a.Size() == b.Size() && a.Kept() == b.Kept() && a.SHA256() == b.SHA256() && a.KeptSHA256() == b.KeptSHA256() &&
			a.Complete() == b.Complete() && a.Truncated() == b.Truncated()
	}),
}

func random(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	c := newCase(t)
	big := random(3*flow.ChunkSize+17, 1)
	text := bytes.Repeat([]byte("greeting "), 100_000)

	conn := &flow.Connection{
		Opened: epoch, Duration: time.Second, Door: "http", Device: "redmi", Client: netip.MustParseAddrPort("[2001:db8::1]:1024"),
		Host: "api.example", Port: 443, Server: netip.MustParseAddrPort("[2001:db8::2]:443"), SNI: "api.example", ALPN: "h2", JA4: "t13d",
		ClientTLS: &flow.TLS{Version: "TLS 1.3", Offered: []string{"TLS 1.3", "TLS 1.2"}, ECH: true},
		ServerTLS: &flow.TLS{Version: "TLS 1.2", Chain: [][]byte{random(700, 2), random(900, 3)}, Alert: "unknown_ca"},
		BytesUp:   1, BytesDown: 2, Outcome: flow.Raw, Reason: "because", FirstUp: []byte{0, 1, 2}, FirstDown: []byte("x"),
	}
	if err := c.Begin(conn); err != nil {
		t.Fatal(err)
	}
	if err := c.Commit(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	got, err := c.Connection(t.Context(), conn.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(conn, got, facts); diff != "" {
		t.Errorf("connection (-want +got):\n%s", diff)
	}

	type bodies struct{ request, response []byte }
	want := map[int64]bodies{}
	add := func(e *flow.Exchange, b bodies) {
		t.Helper()
		if err := c.Commit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		want[e.ID] = b
		got, err := c.Exchange(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, got, facts); diff != "" {
			t.Errorf("exchange %d (-want +got):\n%s", e.ID, diff)
		}
		if !bytes.Equal(readBody(t, &c.Reader, got.Request.Body), b.request) || !bytes.Equal(readBody(t, &c.Reader, got.Response.Body), b.response) {
			t.Errorf("exchange %d: other bodies", e.ID)
		}
		if !bytes.Equal(readBody(t, &c.Reader, e.Response.Body), b.response) {
			t.Errorf("exchange %d: the body in memory reads as another", e.ID)
		}
	}
	begin := func(e *flow.Exchange) *flow.Exchange {
		t.Helper()
		if err := c.Begin(e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	add(begin(testExchange(1, nil, []byte("hello"))), bodies{nil, []byte("hello")})
	add(begin(testExchange(2, []byte{}, text)), bodies{nil, text})
	add(begin(testExchange(3, big, text[:1000])), bodies{big, text[:1000]})
	for _, limit := range []int64{1 << 30, flow.ChunkSize, flow.ChunkSize + 5, 10} {
		for _, data := range [][]byte{big, text, big[:flow.ChunkSize], big[:2*flow.ChunkSize+5]} {
			e := testExchange(4, nil, nil)
			begin(e)
			e.Request.Body = stream(t, c, e, data[:flow.ChunkSize], 1<<30, true)
			e.Response.Body = stream(t, c, e, data, limit, false)
			add(e, bodies{data[:flow.ChunkSize], data[:min(int64(len(data)), limit)]})
		}
	}
	e := begin(testExchange(5, nil, nil))
	e.Path, e.Error, e.Status, e.Response = "/\xff\x00\"\\\n", "server_closed: it went away", 0, flow.Message{}
	e.Server = netip.AddrPort{}
	add(e, bodies{})

	var frames []*flow.Frame
	for i, data := range [][]byte{nil, []byte("ping"), text} {
		f := &flow.Frame{Exchange: e.ID, Time: epoch.Add(time.Duration(i) * time.Second), Direction: flow.Up, Opcode: uint8(i), Deflated: i == 1}
		f.Payload = stream(t, c, f, data, 1<<30, true)
		if err := c.Commit(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
	i := 0
	for f, err := range c.Frames(t.Context(), e.ID) {
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(frames[i], f, facts); diff != "" {
			t.Errorf("frame (-want +got):\n%s", diff)
		}
		if i == 2 && !bytes.Equal(readBody(t, &c.Reader, f.Payload), text) {
			t.Error("frame has another payload")
		}
		i++
	}
	if i != len(frames) {
		t.Errorf("%d frames, want %d", i, len(frames))
	}

	n := 0
	last := int64(0)
	for x, err := range c.Exchanges(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if x.ID <= last {
			t.Errorf("exchange %d after %d", x.ID, last)
		}
		last = x.ID
		if b, ok := want[x.ID]; !ok || !bytes.Equal(readBody(t, &c.Reader, x.Response.Body), b.response) {
			t.Errorf("exchange %d has another body", x.ID)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d exchanges, want %d", n, len(want))
	}
	for x, err := range c.Exchanges(t.Context(), "path = ? -- a comment", "/path/3") {
		if err != nil || x.ID != 3 {
			t.Errorf("where: %v %v", x, err)
		}
	}
	for _, err := range c.Exchanges(t.Context(), "no_such_column = 1") {
		if err == nil {
			t.Error("a wrong condition gives no error")
		}
	}
	if _, err := c.Exchange(t.Context(), 1e9); !errors.Is(err, ErrNotFound) {
		t.Errorf("absent exchange: %v", err)
	}
}

func TestSubject(t *testing.T) {
	c := newCase(t)
	e := commit(t, c, testExchange(1, []byte("request"), bytes.Repeat([]byte("response"), flow.ChunkSize/4)))
	got, err := c.Subject(t.Context(), e.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	want := &inspect.Subject{
		Method: "POST", Scheme: "https", Host: "host1.example", Path: "/path/1", Query: "q=1&r=%20", Status: 200, Server: netip.MustParseAddr("192.0.2.1"),
		Request: inspect.Content{
			Header: map[string][]string{"Host": {"host.example"}, "X-A": {"1", "2"}}, Body: []byte("request"),
		},
		Response: inspect.Content{
			Header: map[string][]string{"Content-Type": {"text/plain"}, "Grpc-Status": {"0"}}, Body: bytes.Repeat([]byte("response"), 13)[:100], Truncated: true,
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f := &flow.Frame{Exchange: e.ID, Direction: flow.Down, Opcode: 1, Payload: flow.BodyOf(nil)}
	if err := c.Commit(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	got, err = c.Subject(t.Context(), e.ID, f.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got.Frame == nil || !got.FrameText || got.FrameDirection != flow.Down || got.Host != "host1.example" {
		t.Errorf("frame: %+v", got)
	}
}

func TestParseHeader(t *testing.T) {
	many := strings.Repeat("\n c", 200_000)
	for name, test := range map[string]struct {
		head string
		want http.Header
	}{
		"repeated":  {"GET / HTTP/1.1\r\na: 1\r\nB: x\r\nA:  2 \r\n\r\n", http.Header{"A": {"1", "2"}, "B": {"x"}}},
		"continued": {"GET / HTTP/1.1\r\nA: 1\r\n\t2\r\nno field\r\n 3\r\nA: 4\r\n 5", http.Header{"A": {"1 2 3", "4 5"}}},
		"of none":   {"GET / HTTP/1.1\r\n 1\r\nA:\r\n 2\r\n\r\n", http.Header{"A": {" 2"}}},
		"at length": {"GET / HTTP/1.1\nA: b" + many, http.Header{"A": {"b" + strings.Repeat(" c", 200_000)}}},
	} {
		if diff := cmp.Diff(test.want, inspect.ParseHead([]byte(test.head))); diff != "" {
			t.Errorf("%s (-want +got):\n%.500s", name, diff)
		}
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nA: 1\r\n B\r\nnothing\r\n: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		n := 0
		for name, values := range inspect.ParseHead(head) {
			for _, v := range values {
				n += len(v)
				if strings.ContainsAny(v, "\n") || strings.ContainsAny(name, "\n:") {
					t.Errorf("%q: %q", name, v)
				}
			}
		}
		if n > 2*len(head) {
			t.Errorf("%d bytes of values from %d", n, len(head))
		}
	})
}

func BenchmarkCommit(b *testing.B) {
	for _, unique := range []bool{false, true} {
		b.Run(fmt.Sprintf("unique=%v", unique), func(b *testing.B) {
			cfg := testConfig(b)
			c, err := Open(b.Context(), cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			body := bytes.Repeat([]byte(`{"imei":"invented","battery":17},`), 33)[:1024]
			head := []byte("POST /path HTTP/1.1\r\nHost: host.example\r\nUser-Agent: something long that phones send, Mozilla/5.0 (Linux; Android 4.4)\r\nAccept: */*\r\n\r\n")
			b.ReportAllocs()
			b.SetParallelism(16)
			start := cpuTime()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				ctx := context.Background()
				rnd := rand.New(rand.NewPCG(rand.Uint64(), 1))
				for pb.Next() {
					e := testExchange(1, nil, nil)
					data := body
					if unique {
						data = fmt.Appendf(nil, "%x%s%x", rnd.Uint64(), bytes.Repeat(body[:1000], 2), rnd.Uint64())
					}
					e.Request.Head = head
					e.Response.Body = flow.BodyOf(data)
					if err := c.Begin(e); err != nil {
						b.Error(err)
					}
					if err := c.Commit(ctx, e); err != nil {
						b.Error(err)
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
		})
	}
}

// BenchmarkSpill streams bodies of 10 MiB that cannot be compressed.
func BenchmarkSpill(b *testing.B) {
	for name, data := range map[string][]byte{
		"random": random(10<<20, 1), "text": bytes.Repeat([]byte("a line of a log, as phones send them\n"), 10<<20/37),
	} {
		b.Run(name, func(b *testing.B) {
			c, err := Open(b.Context(), testConfig(b))
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			start := cpuTime()
			for i := 0; b.Loop(); i++ {
				data[0], data[1], data[2] = byte(i), byte(i>>8), byte(i>>16) // no chunk is known
				e := testExchange(1, nil, nil)
				if err := c.Begin(e); err != nil {
					b.Fatal(err)
				}
				e.Response.Body = stream(b, c, e, data, 1<<30, true)
				if err := c.Commit(b.Context(), e); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/1e6/float64(b.N), "cpu-ms/op")
		})
	}
}
