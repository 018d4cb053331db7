package har

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the wanted results in testdata")

// describe reads a HAR and writes down what it came to.
func describe(r io.Reader, opt Options, full bool) string {
	var b strings.Builder
	h := NewReader(r, opt)
	for e := range h.Entries() {
		fmt.Fprintf(&b, "entry %d", e.Index)
		if x := e.Exchange; x != nil {
			fmt.Fprintf(&b, ": %s %s", x.Method, URL(x))
			fmt.Fprintf(&b, "\n  %s +%s server %s status %d", x.Began.Format("2006-01-02T15:04:05.000Z07:00"), x.Duration, x.Server, x.Status)
			if x.Error != "" {
				fmt.Fprintf(&b, " error %q", x.Error)
			}
			message(&b, "request", x.Request.Proto, x.Request.Head, full)
			body(&b, x.Request.Body != nil, func() (int64, bool, []byte) {
				return x.Request.Body.Size(), x.Request.Body.Complete(), x.Request.Body.Tail()
			})
			message(&b, "response", x.Response.Proto, x.Response.Head, full)
			body(&b, x.Response.Body != nil, func() (int64, bool, []byte) {
				return x.Response.Body.Size(), x.Response.Body.Complete(), x.Response.Body.Tail()
			})
		}
		b.WriteString("\n")
		for _, f := range e.Frames {
			fmt.Fprintf(&b, "  frame %s %s opcode %d %.40q\n", f.Time.Format("15:04:05.000"), f.Direction, f.Opcode, f.Payload.Tail())
		}
		for _, p := range e.Problems {
			fmt.Fprintf(&b, "  problem: %s\n", p)
		}
	}
	fmt.Fprintf(&b, "creator %q\n", h.Creator())
	for _, p := range h.Problems() {
		fmt.Fprintf(&b, "problem: %s\n", p)
	}
	if err := h.Err(); err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	return b.String()
}

func message(b *strings.Builder, side, proto string, head []byte, full bool) {
	if full {
		fmt.Fprintf(b, "\n  %s %s %q", side, proto, head)
		return
	}
	fmt.Fprintf(b, "\n  %s %s, %d header fields", side, proto, max(0, bytes.Count(head, []byte("\n"))-2))
}

func body(b *strings.Builder, have bool, facts func() (int64, bool, []byte)) {
	if !have {
		b.WriteString(", no body")
		return
	}
	size, complete, data := facts()
	fmt.Fprintf(b, ", body of %d bytes %.40q", size, data)
	if !complete {
		b.WriteString(", incomplete")
	}
}

func TestCases(t *testing.T) {
	files, _ := filepath.Glob("testdata/cases/*.txtar")
	if len(files) == 0 {
		t.Fatal("no cases")
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(ar.Files) != 3 || ar.Files[0].Name != "har" || ar.Files[1].Name != "want" {
				t.Fatal("a case has the sections har, want and end")
			}
			got := describe(bytes.NewReader(ar.Files[0].Data), Options{}, true)
			if *update {
				ar.Files[1].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(ar.Files[1].Data), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestSamples(t *testing.T) {
	files, _ := filepath.Glob("testdata/*/*har*")
	read := 0
	for _, name := range files {
		if strings.HasPrefix(name, "testdata/cases") || strings.HasPrefix(name, "testdata/want") {
			continue
		}
		read++
		t.Run(filepath.Base(name), func(t *testing.T) {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got := describe(f, Options{}, false)
			golden := filepath.Join("testdata/want", filepath.Base(name)+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	if read < 20 {
		t.Errorf("read %d samples, want at least 20", read)
	}
}

// TestCollection reads every HAR below a folder, for collections that are too large
// for the tree.
func TestCollection(t *testing.T) {
	dir := os.Getenv("CONSTAT_DATA")
	if dir == "" {
		t.Skip("set CONSTAT_DATA to a folder with HAR files")
	}
	files, entries := 0, 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(filepath.Ext(path), "har") {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		files++
		h := NewReader(f, Options{})
		for range h.Entries() {
			entries++
		}
		return h.Err()
	})
	if err != nil || files == 0 {
		t.Fatalf("read %d files: %v", files, err)
	}
	t.Logf("read %d entries of %d files", entries, files)
}

const small = `{"log":{"creator":{"name":"t","version":"1"},"entries":[{"startedDateTime":"2026-11-01T08:00:00Z","request":{"method":"GET","url":"https://ä.test/"},"response":{"status":200}}]}}`

func TestWrappings(t *testing.T) {
	pack := func(w func(io.Writer) io.WriteCloser) []byte {
		var b bytes.Buffer
		z := w(&b)
		_, _ = io.WriteString(z, small)
		_ = z.Close()
		return b.Bytes()
	}
	gz := pack(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	wide := func(low, high int, bom ...byte) []byte {
		for _, u := range utf16.Encode([]rune(small)) {
			var pair [2]byte
			pair[low], pair[high] = byte(u), byte(u>>8)
			bom = append(bom, pair[:]...)
		}
		return bom
	}
	want := describe(strings.NewReader(small), Options{}, true)
	for name, data := range map[string][]byte{
		"byte order mark": []byte("\ufeff" + small),
		"gzip":            gz,
		"zlib":            pack(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }),
		"UTF-16LE":        wide(0, 1, 0xff, 0xfe),
		"UTF-16BE":        wide(1, 0, 0xfe, 0xff),
	} {
		if diff := cmp.Diff(want, describe(iotest.OneByteReader(bytes.NewReader(data)), Options{}, true)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	damaged := bytes.Clone(gz)
	damaged[len(damaged)-6] ^= 1
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"damaged gzip":    {damaged, "the packed file is damaged: gzip: invalid checksum; what comes before, up to entry 1, was read"},
		"cut gzip":        {gz[:len(gz)-20], "the file ends in the middle"},
		"empty":           {nil, "it is not a HAR"},
		"mitmproxy flows": {[]byte("1234:9:websocket"), "this is a mitmproxy flow file"},
		"zip":             {[]byte("PK\x03\x04...."), "this is a zip archive"},
		"pcap":            {[]byte("\xd4\xc3\xb2\xa1\x02\x00"), "this is a packet capture"},
		"HTML":            {[]byte("<!DOCTYPE html>"), "this is XML or HTML"},
		"other JSON":      {[]byte(`{"a":[{"entries":[]}]}`), "it is not a HAR"},
	} {
		if got := describe(bytes.NewReader(c.data), Options{}, true); !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%swant %q", name, got, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	entry := func(pad int) string {
		return `{"startedDateTime":"2026-11-01T08:00:00Z","request":{"method":"GET","url":"https://a.test/"},"response":{"status":200},"comment":"` + strings.Repeat("x", pad) + `"}`
	}
	file := `{"log":{"entries":[` + entry(0) + "," + entry(2000) + "," + entry(0) + "]}}"
	got := describe(strings.NewReader(file), Options{EntryBytes: 1000}, true)
	if strings.Count(got, "GET https") != 2 || !strings.Contains(got, "entry 1\n  problem: the entry is larger than the limit of 1000 bytes") {
		t.Errorf("a large entry: got\n%s", got)
	}
	got = describe(strings.NewReader(file), Options{Entries: 2}, true)
	if strings.Count(got, "GET https") != 2 || !strings.Contains(got, "there are more than 2 entries") {
		t.Errorf("many entries: got\n%s", got)
	}
	got = describe(strings.NewReader(file), Options{Bytes: 1000}, true)
	if strings.Count(got, "GET https") != 1 || !strings.Contains(got, "larger than the limit of 1000 bytes; what comes before, up to entry 1, was read") {
		t.Errorf("a large file: got\n%s", got)
	}
	deep := `{"log":{"entries":[{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}," + entry(0) + "]}}"
	if got := describe(strings.NewReader(deep), Options{}, true); !strings.Contains(got, "nested too deep") || strings.Count(got, "GET https") != 1 {
		t.Errorf("a deep entry: got\n%s", got)
	}
	if got := describe(strings.NewReader(strings.Repeat(`{"a":`, 100_000)), Options{}, true); !strings.Contains(got, "the file ends in the middle") {
		t.Errorf("a deep file: got\n%s", got)
	}
	if got := describe(strings.NewReader(strings.Repeat(`[`, 3<<20)), Options{}, true); !strings.Contains(got, "more than a million brackets") {
		t.Errorf("a very deep file: got\n%s", got)
	}
}

func TestReadErrorIsNotAProblem(t *testing.T) {
	broken := errors.New("disk gone")
	h := NewReader(io.MultiReader(strings.NewReader(small[:50]), iotest.ErrReader(broken)), Options{})
	for range h.Entries() {
		t.Error("an entry")
	}
	if !errors.Is(h.Err(), broken) {
		t.Errorf("Err() = %v, want %v", h.Err(), broken)
	}
}

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/cases/*.txtar")
	if len(files) == 0 {
		f.Fatal("no seeds")
	}
	for _, name := range files {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(ar.Files[0].Data)
	}
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h := NewReader(bytes.NewReader(data), Options{EntryBytes: 1 << 20, Bytes: 1 << 22})
		var out bytes.Buffer
		w := NewWriter(&out, WriterOptions{})
		n := 0
		for e := range h.Entries() {
			if e.Exchange == nil {
				if len(e.Problems) == 0 {
					t.Fatal("an entry without exchange and without problem")
				}
				continue
			}
			n++
			stated := bytes.Contains(bytes.ToLower(data), []byte("_constat")) // then the head is the file's
			if head := e.Exchange.Request.Head; !stated && !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
				t.Fatalf("head is not whole: %q", head)
			}
			if err := w.Add(Item{Exchange: e.Exchange}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(out.Bytes()) {
			t.Fatal("what was written is not JSON")
		}
		again := 0
		h = NewReader(&out, Options{})
		for e := range h.Entries() {
			if e.Exchange != nil {
				again++
			}
		}
		if again != n || len(h.Problems()) > 0 && n > 0 {
			t.Fatalf("wrote %d exchanges and read %d, problems %q", n, again, h.Problems())
		}
	})
}
