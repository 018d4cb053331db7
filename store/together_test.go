package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"

	"constat/inspect"
	"constat/proxy/flow"
)

// deflater compresses messages as a WebSocket does that looks back (RFC 7692
// section 7.2.1).
type deflater struct {
	b bytes.Buffer
	w *flate.Writer
}

func (d *deflater) message(t *testing.T, text string) []byte {
	t.Helper()
	if d.w == nil {
		d.w, _ = flate.NewWriter(&d.b, flate.BestCompression)
	}
	d.b.Reset()
	if _, err := d.w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := d.w.Flush(); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(bytes.TrimSuffix(d.b.Bytes(), []byte{0, 0, 0xff, 0xff}))
}

func inflate(s *inspect.Subject) string {
	var b bytes.Buffer
	r := flate.NewReaderDict(bytes.NewReader(append(bytes.Clone(s.Frame), 0, 0, 0xff, 0xff)), s.FrameWindow)
	b.ReadFrom(r) // ends in io.ErrUnexpectedEOF: there is no last block
	return b.String()
}

func TestWindow(t *testing.T) {
	c := newCase(t)
	e := testExchange(1, nil, nil)
	if err := c.Begin(e); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var directions [2]deflater
	want := make(map[int64]string)
	var ids []int64
	add := func(d int, opcode uint8, text string, complete bool) {
		f := &flow.Frame{Exchange: e.ID, Time: epoch, Direction: []flow.Direction{flow.Up, flow.Down}[d], Opcode: opcode}
		data := []byte(text)
		if opcode <= 2 && len(text)%7 != 0 { // the rest goes uncompressed, which is allowed
			f.Deflated, data = true, directions[d].message(t, text)
		}
		if !complete {
			data = data[:len(data)/2]
		}
		f.Payload = stream(t, c, f, data, 1<<30, complete)
		if err := c.Commit(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, f.ID)
		want[f.ID] = text
	}
	for i := range 200 {
		add(r.IntN(2), 1, fmt.Sprintf(`{"type":"message","number":%d,"address":"+4915200000%03d","text":"%s"}`, i, r.IntN(1000), strings.Repeat("la ", r.IntN(40))), true)
		if i%20 == 0 {
			add(0, 9, "ping", true)
		}
		if i == 100 { // a message much larger than the window
			add(0, 2, string(random(900_001, 3)), true)
		}
	}
	check := func(order []int64) {
		t.Helper()
		for _, id := range order {
			s, err := c.Subject(t.Context(), e.ID, id, 0)
			if err != nil {
				t.Fatal(err)
			}
			got := string(s.Frame)
			if s.FrameDeflated {
				got = inflate(s)
			}
			if got != want[id] {
				t.Fatalf("message %d: %.60q, want %.60q", id, got, want[id])
			}
			if len(s.FrameWindow) > 32<<10 {
				t.Fatalf("message %d: window of %d bytes", id, len(s.FrameWindow))
			}
		}
	}
	check(ids)
	shuffled := slices.Clone(ids)
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	check(shuffled[:40])

	// Behind a message that was cut off, what refers to it cannot be known, and
	// is not made up.
	add(0, 1, "a message that is cut off, with words of its own: heliotrope", false)
	cut := ids[len(ids)-1]
	add(0, 1, "heliotrope, with words of its own", true)
	s, err := c.Subject(t.Context(), e.ID, cut+1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := inflate(s); len(s.FrameWindow) != 0 || strings.Contains(got, "heliotrope") {
		t.Errorf("inflated to %q with a window of %d bytes", got, len(s.FrameWindow))
	}
}

func TestUpload(t *testing.T) {
	c := newCase(t)
	file := random(1000, 5)
	put := func(host, header string, data []byte) *flow.Exchange {
		e := testExchange(2, data, nil)
		e.Method, e.Host, e.Path, e.Query = "PUT", host, "/upload", "upload_id=77"
		e.Request.Head = []byte("PUT /upload?upload_id=77 HTTP/1.1\r\nHost: " + host + "\r\nContent-Range: " + header + "\r\n\r\n")
		return commit(t, c, e)
	}
	first := put("a.example", "bytes 0-599/1000", file[:600])
	put("b.example", "bytes 600-899/1000", random(300, 9))
	for range 5 {
		commit(t, c, testExchange(3, []byte("x"), nil))
	}
	second := put("a.example", "bytes 600-899/1000", file[600:900])
	for _, e := range []*flow.Exchange{first, second} {
		if s, err := c.Subject(t.Context(), e.ID, 0, 0); err != nil || s.Upload != nil {
			t.Errorf("exchange %d: upload %v, %v", e.ID, s.Upload, err)
		}
	}
	last := put("a.example", "bytes 900-999/1000", file[900:])
	s, err := c.Subject(t.Context(), last.ID, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if u := s.Upload; u == nil || !bytes.Equal(u.Data, file) || u.Truncated || !slices.Equal(u.Exchanges, []int64{first.ID, second.ID, last.ID}) {
		t.Errorf("upload %+v", u)
	}
	if s, err = c.Subject(t.Context(), last.ID, 0, 700); err != nil || s.Upload == nil || len(s.Upload.Data) != 700 || !s.Upload.Truncated {
		t.Errorf("upload held to 700 bytes: %+v, %v", s.Upload, err)
	}

	// Equal last pieces do not make equal uploads: nothing may be remembered.
	in, err := inspect.New(inspect.Config{Detectors: []inspect.Detector{{
		Name: "whole", Class: inspect.Photo, Doc: "says how large an upload is",
		Detect: func(t *inspect.Tree) []inspect.Finding {
			if t.Part("upload") == nil {
				return nil
			}
			return []inspect.Finding{{Path: "upload", Confidence: inspect.Suspected, Reason: fmt.Sprintf("%d bytes.", len(t.Part("upload").Data))}}
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	put("a.example", "bytes 0-899/1000", random(900, 11))
	again := put("a.example", "bytes 900-999/1000", file[900:])
	if _, err := c.Inspect(t.Context(), in, nil); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*flow.Exchange{last, again} {
		rep, err := c.Report(t.Context(), e.ID, 0)
		if err != nil || len(rep.Findings) != 1 {
			t.Fatalf("report %+v, %v", rep, err)
		}
		if want := fmt.Sprintf(", %d.", e.ID); !strings.HasPrefix(rep.Findings[0].Reason, "1000 bytes. The file was sent in pieces, in requests ") || !strings.HasSuffix(rep.Findings[0].Reason, want) {
			t.Errorf("exchange %d: reason %q", e.ID, rep.Findings[0].Reason)
		}
	}
}
