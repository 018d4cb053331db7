package decode

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"constat/inspect"
	"constat/inspect/inspecttest"
)

func pack(tb testing.TB, coding string, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	var err error
	switch coding {
	case "gzip":
		w := gzip.NewWriter(&b)
		_, err = w.Write(data)
		w.Close()
	case "br":
		w := brotli.NewWriterLevel(&b, 1)
		_, err = w.Write(data)
		w.Close()
	case "zstd":
		var w *zstd.Encoder
		if w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1)); err == nil {
			_, err = w.Write(data)
			w.Close()
		}
	}
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// A few kilobytes that unpack to more than the budget are cut off there, and
// what was read is kept.
func TestBombs(t *testing.T) {
	inspecttest.Alone(t)
	const limit = 1 << 20
	in := newInspector(t, inspect.Limits{Bytes: limit})
	for _, coding := range []string{"gzip", "br", "zstd"} {
		bomb := pack(t, coding, make([]byte, 16<<20))
		s := &inspect.Subject{Request: inspect.Content{Header: http.Header{"Content-Encoding": {coding}}, Body: bomb}}
		tree, damage := in.Unwrap(context.Background(), s)
		p := tree.Part(inspect.Path("request.body|" + coding))
		if p == nil || len(p.Data) != limit/2 {
			t.Errorf("%s: kept %v, want %d bytes", coding, p, limit/2)
		}
		if len(damage) != 1 || damage[0].Reason != "limit: bytes" {
			t.Errorf("%s: damage %v", coding, damage)
		}
	}
}

// A long string that stands in a property list once and is held by it a thousand
// times costs the budget and no more, and so do entities that name each other,
// which nobody expands.
func TestSharedBombs(t *testing.T) {
	const limit = 1 << 20
	in := newInspector(t, inspect.Limits{Bytes: limit})
	for name, body := range map[string][]byte{
		"plist": plistShared(256 << 10),
		"xml": []byte(`<!DOCTYPE r [<!ENTITY a "` + strings.Repeat("a", 1000) + `"><!ENTITY b "` + strings.Repeat("&a;", 1000) +
			`"><!ENTITY c "` + strings.Repeat("&b;", 1000) + `">]><r><v>&c;</v><w x="&c;"/></r>`),
	} {
		tree, damage := in.Unwrap(context.Background(), &inspect.Subject{Request: inspect.Content{Body: body}})
		made := 0
		for _, p := range tree.Parts[1:] {
			made += len(p.Data)
		}
		if made > limit || name == "plist" && len(damage) == 0 {
			t.Errorf("%s: %d bytes made in %d parts, damage %v", name, made, len(tree.Parts), damage)
		}
		if name == "xml" && (len(tree.Parts) != 3 || string(tree.Parts[1].Data) != "&c;") {
			t.Errorf("xml: %d parts, want the two references", len(tree.Parts))
		}
	}
}

// A frame may not ask for a window beyond that of the content coding.
func TestZstdWindow(t *testing.T) {
	// Magic; no single segment, no size; window of 2^27 bytes; a raw block of
	// one byte, the last one.
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x09, 0x00, 0x00, 'a'}
	tree, damage := newInspector(t, inspect.Limits{}).Unwrap(context.Background(), &inspect.Subject{Request: inspect.Content{Body: frame}})
	if len(tree.Parts) != 1 || len(damage) != 1 || !strings.Contains(damage[0].Reason, "window") {
		t.Errorf("%d parts, damage %v", len(tree.Parts), damage)
	}
}

func TestManyValues(t *testing.T) {
	in := newInspector(t, inspect.Limits{Parts: 1000})
	for name, body := range map[string]string{
		"json":   "[" + strings.Repeat("1,", 5000) + "1]",
		"form":   strings.Repeat("a=1&", 5000) + "a=1",
		"ndjson": strings.Repeat("{\"a\":1}\n", 5000),
	} {
		tree, damage := in.Unwrap(context.Background(), &inspect.Subject{Request: inspect.Content{Body: []byte(body)}})
		if n := len(tree.Part("request.body").Children); n != 500 {
			t.Errorf("%s: %d parts", name, n)
		}
		if len(damage) == 0 || damage[0] != (inspect.Damage{Path: "request.body", Decoder: name, Reason: "limit: parts"}) {
			t.Errorf("%s: damage %v", name, damage)
		}
	}
}

// hostile are bodies made to cost much, by size. Those of binary formats stand in
// hostileBinary.
var hostile = map[string]func(size int) []byte{
	"arrays":      func(n int) []byte { return []byte(strings.Repeat("[", n/2) + strings.Repeat("]", n/2)) },
	"arrays-open": func(n int) []byte { return bytes.Repeat([]byte("["), n) },
	"objects":     func(n int) []byte { return []byte(strings.Repeat(`{"a":`, n/6) + "1" + strings.Repeat("}", n/6)) },
	"keys": func(n int) []byte {
		return []byte(`{"` + strings.Repeat("k", n/2) + `":{"` + strings.Repeat("l", n/2) + `":1}}`)
	},
	"same-keys":     func(n int) []byte { return []byte("{" + strings.Repeat(`"a":1,`, n/6) + `"a":1}`) },
	"backslashes":   func(n int) []byte { return []byte(`["` + strings.Repeat(`\\`, n/2) + `"]`) },
	"quotes":        func(n int) []byte { return []byte(`["` + strings.Repeat(`\"`, n/2) + `"]`) },
	"braces":        func(n int) []byte { return bytes.Repeat([]byte("{}\n"), n/3) },
	"open-braces":   func(n int) []byte { return bytes.Repeat([]byte("{\n"), n/2) },
	"same-fields":   func(n int) []byte { return bytes.Repeat([]byte("a=1&"), n/4) },
	"percents":      func(n int) []byte { return bytes.Repeat([]byte("%25"), n/3) },
	"base64":        func(n int) []byte { return bytes.Repeat([]byte("QUFB"), n/4) },
	"nested-base64": func(n int) []byte { return nest(n) },
	"parts": func(n int) []byte {
		return append([]byte("--abcd\r\nContent-Type: text/plain\r\n\r\n"), bytes.Repeat([]byte("\r\n--abcd\r\n"), n/10)...)
	},
	"dashes": func(n int) []byte {
		return append([]byte("--abcd\r\nContent-A: b\r\n\r\n"), bytes.Repeat([]byte("\r\n--abc"), n/7)...)
	},
	"zeros": func(n int) []byte { return make([]byte, n) },
	"high":  func(n int) []byte { return bytes.Repeat([]byte{0xb0, 0xa1}, n/2) },
	"paths": func(n int) []byte {
		return []byte(strings.Repeat(`{"`+strings.Repeat("k", 90)+`":`, 60) + "[" + strings.Repeat("1,", n/2) + "1]" + strings.Repeat("}", 60))
	},
	"elements":      func(n int) []byte { return []byte(strings.Repeat("<e>", n/7) + strings.Repeat("</e>", n/7)) },
	"elements-open": func(n int) []byte { return bytes.Repeat([]byte("<e>"), n/3) },
	"elements-many": func(n int) []byte { return []byte("<e>" + strings.Repeat("<f/>", n/4) + "</e>") },
	"attributes":    func(n int) []byte { return []byte("<e" + strings.Repeat(` a="b"`, n/6) + "/>") },
	"attribute-open": func(n int) []byte {
		return []byte("<e>" + strings.Repeat(`<f a="b'`, n/16) + strings.Repeat(`<f a='b"`, n/16))
	},
	"entities": func(n int) []byte { return []byte("<e><f>" + strings.Repeat("&amp;&x;", n/8) + "</f></e>") },
	"comments": func(n int) []byte { return []byte("<e>" + strings.Repeat("a<!---->", n/8) + "</e>") },
	"doctype": func(n int) []byte {
		return []byte("<!DOCTYPE e [" + strings.Repeat("<!ENTITY a '&a;&a;'>", n/20) + "]><e f='&a;'/>")
	},
	"cdata":          func(n int) []byte { return []byte("<e>" + strings.Repeat("<![CDATA[", n/9)) },
	"plist-shared":   plistShared,
	"plist-elements": func(n int) []byte { return []byte("<plist>" + strings.Repeat("<array>", n/7)) },
	"plist-keys":     func(n int) []byte { return []byte("<plist><dict>" + strings.Repeat("<key>a</key><true/>", n/19)) },
	"vobject-begin":  func(n int) []byte { return []byte(strings.Repeat("BEGIN:VCARD\n", n/12)) },
	"vobject-folds":  func(n int) []byte { return []byte("BEGIN:VCARD\nNOTE:" + strings.Repeat("a\n ", n/3)) },
	"vobject-text":   func(n int) []byte { return []byte("BEGIN:VBODY\n" + strings.Repeat("a\n", n/2)) },
	"envelope": func(n int) []byte {
		return []byte("{}\n{\"type\":\"a\",\"length\":0}\n" + strings.Repeat("{\"type\":\"a\",\"length\":0}\n\n", n/28))
	},
	"graphql":      func(n int) []byte { return []byte("{" + strings.Repeat("a(b:1)", n/6) + "}") },
	"graphql-deep": func(n int) []byte { return []byte("{a(b:" + strings.Repeat("[", n)) },
	"graphql-open": func(n int) []byte { return []byte(`{a(b:"""` + strings.Repeat(`\"""`, n/4)) },
	"polls":        func(n int) []byte { return []byte(strings.Repeat("2\x1e", n/2) + "4{}") },
	"polls-old":    func(n int) []byte { return []byte(strings.Repeat("1:2", n/3) + "3:4[]") },
	"hub":          func(n int) []byte { return []byte(strings.Repeat("{}\x1e", n/3)) },
	"stomp":        func(n int) []byte { return []byte("SEND\n" + strings.Repeat("a:b\n", n/4)) },
	"stomp-frames": func(n int) []byte { return []byte(strings.Repeat("SEND\n\n\x00", n/7)) },
	"mail":         func(n int) []byte { return []byte("From: a\nReceived: b\n" + strings.Repeat("To: a\n", n/6)) },
	"mail-folds":   func(n int) []byte { return []byte("From: a\nReceived: b\nTo:" + strings.Repeat("a\n ", n/3) + "\n\n") },
	"mail-words": func(n int) []byte {
		return []byte("From: a\nReceived: b\nTo: " + strings.Repeat("=?utf-8?q?=41?= ", n/16) + "\n\n")
	},
	"gzip-size": func(n int) []byte { return gzipOf(n) },
}

func nest(n int) []byte {
	b := []byte(`{"a":1}`)
	for len(b) < n/2 {
		b = []byte(base64.StdEncoding.EncodeToString(b))
	}
	return b
}

// plistShared is a binary property list of arrays, each of which holds the next
// one many times, down to a long string.
func plistShared(n int) []byte {
	const levels, refs = 60, 200
	b := []byte("bplist00")
	var table []byte
	for i := range levels {
		table = binary.BigEndian.AppendUint32(table, uint32(len(b)))
		b = append(b, 0xaf, 0x10, refs)
		b = append(b, bytes.Repeat([]byte{byte(i + 1)}, refs)...)
	}
	table = binary.BigEndian.AppendUint32(table, uint32(len(b)))
	b = binary.BigEndian.AppendUint32(append(b, 0x6f, 0x12), uint32(n/2))
	b = append(b, bytes.Repeat([]byte{0x4f, 0x60}, n/2)...)
	at := uint64(len(b))
	b = append(append(b, table...), 0, 0, 0, 0, 0, 0, 4, 1)
	b = binary.BigEndian.AppendUint64(b, levels+1)
	b = binary.BigEndian.AppendUint64(b, 0)
	return binary.BigEndian.AppendUint64(b, at)
}

func gzipOf(n int) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.NoCompression)
	w.Write(make([]byte, n)) // a bytes.Buffer takes everything
	w.Close()
	return b.Bytes()
}

// Sixteen times the size may cost sixteen times the time, with room for the
// noise of the machine; what is quadratic costs 256 times. A busy machine gets
// further chances, which do not help what is quadratic.
func TestLinear(t *testing.T) {
	inspecttest.Alone(t)
	if testing.Short() {
		t.Skip("compares costs, which takes seconds; run it without -short")
	}
	in := newInspector(t, inspect.Limits{})
	cost := func(name string, body []byte) time.Duration {
		s := hostileSubject(name, body)
		best := time.Hour
		for range 3 {
			start := time.Now()
			in.Inspect(context.Background(), s)
			best = min(best, time.Since(start))
		}
		return best
	}
	for name, body := range allHostile() {
		const small, factor, most, chances = 8 << 10, 16, 100, 5
		for chance := 1; ; chance++ {
			a, b := cost(name, body(small)), cost(name, body(small*factor))
			if b <= a*most || b < 10*time.Millisecond {
				break
			}
			if chance == chances {
				t.Errorf("%s: %v for %d KiB, %v for %d KiB", name, a, small>>10, b, small*factor>>10)
				break
			}
		}
	}
}

func BenchmarkHostile(b *testing.B) {
	for name, body := range allHostile() {
		for _, size := range []int{64 << 10, 1 << 20} {
			b.Run(name+"/"+map[int]string{64 << 10: "64K", 1 << 20: "1M"}[size], func(b *testing.B) {
				in := newInspector(b, inspect.Limits{})
				s := hostileSubject(name, body(size))
				b.SetBytes(int64(len(s.Request.Body)))
				b.ReportAllocs()
				for b.Loop() {
					in.Inspect(context.Background(), s)
				}
			})
		}
	}
}
