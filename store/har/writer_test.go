package har

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"constat/proxy/flow"

	"github.com/google/go-cmp/cmp"
)

func packed(s string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, s)
	_ = z.Close()
	return b.Bytes()
}

// exchanges are invented, and hold what a plain HAR has no place for.
func exchanges() []*flow.Exchange {
	began := time.Date(2026, 11, 1, 8, 0, 0, 123456789, time.UTC)
	cut := flow.NewBody(nil, nil, 5)
	_, _ = cut.Write([]byte("0123456789"))
	cut.Close(true)
	return []*flow.Exchange{
		{
			ID: 7, Connection: 3, Device: "redmi", App: "com.example.mail", Door: "http", Began: began, Duration: 1234567 * time.Nanosecond,
			Method: "POST", Scheme: "https", Host: "a.test", Port: 8443, Path: "/p", Query: "a=1&b=%20<",
			Server:   netip.MustParseAddrPort("[2001:db8::1]:8443"),
			Request:  flow.Message{Proto: "HTTP/1.1", Exact: true, Head: []byte("POST /p?a=1&b=%20< HTTP/1.1\r\nHost: a.test:8443\r\ncookie: k=v\r\nX-Odd:  two  blanks \r\n\r\n"), Body: flow.BodyOf([]byte("\x00\xff binary"))},
			Status:   200,
			Interim:  []byte("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
			Response: flow.Message{Proto: "HTTP/1.1", Head: []byte("HTTP/1.1 200 Fine\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nSet-Cookie: s=1; Path=/; HttpOnly\r\n\r\n"), Trailer: []byte("Grpc-Status: 0\r\n"), Body: flow.BodyOf(packed("<p>grüße</p>"))},
		},
		{
			ID: 8, Device: "redmi", Door: "http", Began: began.Add(time.Second), Method: "GET", Scheme: "http", Host: "2001:db8::2", Port: 80, Path: "/",
			Request: flow.Message{Proto: "HTTP/3.0", Head: []byte("GET / HTTP/1.1\r\n\r\n")},
			Error:   "connect: no route",
		},
		{
			ID: 9, Device: "redmi", Door: "http", Began: began.Add(2 * time.Second), Method: "GET", Scheme: "http", Host: "b.test", Port: 80, Path: "/long",
			Request: flow.Message{Proto: "HTTP/1.1", Head: []byte("GET /long HTTP/1.1\r\n\r\n")},
			Status:  200, Response: flow.Message{Proto: "HTTP/1.1", Head: []byte("HTTP/1.1 200 OK\r\n\r\n"), Body: cut},
		},
		{
			ID: 10, Device: "redmi", Door: "http", Began: began.Add(3 * time.Second), Method: "GET", Scheme: "wss", Host: "b.test", Port: 443, Path: "/ws",
			Request: flow.Message{Proto: "HTTP/1.1", Head: []byte("GET /ws HTTP/1.1\r\n\r\n"), Body: flow.BodyOf(nil)},
			Status:  101, Response: flow.Message{Proto: "HTTP/1.1", Head: []byte("HTTP/1.1 101 Switching Protocols\r\n\r\n")},
		},
	}
}

func frames() []*flow.Frame {
	at := time.Date(2026, 11, 1, 8, 0, 4, 987654321, time.UTC)
	return []*flow.Frame{
		{Time: at, Direction: flow.Up, Opcode: 1, Payload: flow.BodyOf([]byte(`{"é":1}`))},
		{Time: at.Add(1), Direction: flow.Down, Opcode: 2, Payload: flow.BodyOf([]byte("plain"))},
		{Time: at.Add(2), Direction: flow.Down, Opcode: 1, Deflated: true, Payload: flow.BodyOf([]byte{0xf2, 0x48})},
	}
}

// facts is what must survive a round trip.
type facts struct {
	Exchange           flow.Exchange
	Request, Response  string
	RequestEnd, ResEnd string
}

func factsOf(x *flow.Exchange) facts {
	f := facts{Exchange: *x}
	f.Exchange.ID, f.Exchange.Connection, f.Exchange.Door = 0, 0, ""
	describe := func(b **flow.Body) (string, string) {
		defer func() { *b = nil }()
		if *b == nil {
			return "", "none"
		}
		if (*b).Complete() && !(*b).Truncated() {
			return string((*b).Tail()), "complete"
		}
		return string((*b).Tail()), "goes on"
	}
	f.Request, f.RequestEnd = describe(&f.Exchange.Request.Body)
	f.Response, f.ResEnd = describe(&f.Exchange.Response.Body)
	return f
}

func write(t *testing.T, opt WriterOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, opt)
	for i, x := range exchanges() {
		item := Item{Exchange: x, Tags: []string{"sms"}, Findings: json.RawMessage(`[{"class":"sms"}]`), Owner: "Invented Ltd"}
		if i == 3 {
			item.Frames = func(yield func(Frame, error) bool) {
				for _, f := range frames() {
					if !yield(Frame{Frame: f}, nil) {
						return
					}
				}
			}
		}
		if err := w.Add(item); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	h := NewReader(bytes.NewReader(write(t, WriterOptions{Version: "1"})), Options{})
	var got, want []facts
	var problems []string
	var gotFrames []*flow.Frame
	for e := range h.Entries() {
		got = append(got, factsOf(e.Exchange))
		problems = append(problems, e.Problems...)
		gotFrames = append(gotFrames, e.Frames...)
	}
	for _, x := range exchanges() {
		want = append(want, factsOf(x))
	}
	compare := cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Errorf("exchanges (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"the response's body was kept to 5 of 10 bytes"}, problems); diff != "" {
		t.Errorf("problems (-want +got)\n%s", diff)
	}
	same := func(a, b *flow.Frame) bool {
		return a.Time.Equal(b.Time) && a.Direction == b.Direction && a.Opcode == b.Opcode && a.Deflated == b.Deflated &&
			bytes.Equal(a.Payload.Tail(), b.Payload.Tail())
	}
	if !slices.EqualFunc(frames(), gotFrames, same) {
		t.Errorf("frames differ: got %d", len(gotFrames))
	}
	if h.Creator() != "Constat 1" {
		t.Errorf("creator %q", h.Creator())
	}
}

func TestChangedBodyIsNoticed(t *testing.T) {
	data := bytes.Replace(write(t, WriterOptions{}), []byte(`"AP8gYmluYXJ5"`), []byte(`"AP8gYmluYXJ6"`), 1)
	h := NewReader(bytes.NewReader(data), Options{})
	for e := range h.Entries() {
		if e.Index == 0 && !slices.Contains(e.Problems, "the request's body does not have the hash that the file states for it: one of the two was changed") {
			t.Errorf("problems %q", e.Problems)
		}
	}
}

func TestDecodedAndOmittedBodies(t *testing.T) {
	ungzip := func(coding string, r io.Reader) (io.Reader, error) {
		if coding != "gzip" {
			return nil, errors.New("unknown coding")
		}
		return gzip.NewReader(r)
	}
	var file struct {
		Log struct {
			Version string
			Entries []harEntry
		}
	}
	if err := json.Unmarshal(write(t, WriterOptions{Decode: ungzip}), &file); err != nil {
		t.Fatal(err)
	}
	e := file.Log.Entries[0]
	wire := int64(len(packed("<p>grüße</p>")))
	want := harContent{Size: 14, Compression: 14 - wire, MimeType: "text/html", Text: "<p>grüße</p>"}
	if diff := cmp.Diff(want, e.Response.Content); diff != "" {
		t.Errorf("content (-want +got)\n%s", diff)
	}
	if e.Response.BodySize != wire || e.Constat.Response.Stored != Decoded {
		t.Errorf("bodySize %d, stored %q", e.Response.BodySize, e.Constat.Response.Stored)
	}
	if file.Log.Version != "1.2" || e.Request.HeadersSize != len(exchanges()[0].Request.Head) {
		t.Errorf("version %q, headersSize %d", file.Log.Version, e.Request.HeadersSize)
	}
	if diff := cmp.Diff([]harPair{{"a", "1"}, {"b", " <"}}, e.Request.QueryString); diff != "" {
		t.Errorf("queryString (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]harCookie{{Name: "s", Value: "1", Path: "/", HTTPOnly: true}}, e.Response.Cookies); diff != "" {
		t.Errorf("cookies (-want +got)\n%s", diff)
	}

	file.Log.Entries = nil
	if err := json.Unmarshal(write(t, WriterOptions{BodyText: 4}), &file); err != nil {
		t.Fatal(err)
	}
	if post := file.Log.Entries[0].Request.PostData; post.Text != "" || !strings.Contains(post.Comment, "longer than this file holds") {
		t.Errorf("an omitted body: got %+v", post)
	}
}

func TestWriterErrorsStick(t *testing.T) {
	broken := errors.New("disk full")
	w := NewWriter(failing{broken}, WriterOptions{})
	x := exchanges()[0]
	x.Request.Body = flow.BodyOf(bytes.Repeat([]byte("x"), 200_000))
	if err := w.Add(Item{Exchange: x}); !errors.Is(err, broken) {
		t.Errorf("Add: %v", err)
	}
	if err := w.Close(); !errors.Is(err, broken) {
		t.Errorf("Close: %v", err)
	}
	var none iter.Seq2[Frame, error] = func(yield func(Frame, error) bool) { yield(Frame{}, broken) }
	w = NewWriter(io.Discard, WriterOptions{})
	if err := w.Add(Item{Exchange: exchanges()[3], Frames: none}); !errors.Is(err, broken) {
		t.Errorf("Add with a failing frame: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
