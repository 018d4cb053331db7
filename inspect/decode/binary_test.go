package decode

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"google.golang.org/protobuf/encoding/protowire"

	"constat/inspect"
	"constat/inspect/inspecttest"
	"constat/proxy/flow"
)

// nestMessages is a message in a message in a message, of n bytes.
func nestMessages(n int) []byte {
	b := make([]byte, n)
	at := n
	for size := 0; at > 12; size = n - at { // from the inside out
		head := protowire.AppendVarint([]byte{0x0a}, uint64(size))
		at -= len(head)
		copy(b[at:], head)
	}
	return b[at:]
}

// nestZips is an archive with two copies of an archive with two copies of one,
// stored.
func nestZips(tb testing.TB, n int) []byte {
	b := []byte(`{"a":"inside"}`)
	for len(b) < n/2 {
		b = zipOf(tb, zip.Store, b, b)
	}
	return b
}

func zipOf(tb testing.TB, method uint16, files ...[]byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, data := range files {
		f, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%d", i), Method: method})
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// overlapping is an archive whose directory has as many entries as there is
// room for, all of one file.
func overlapping(tb testing.TB, n int) []byte {
	random := make([]byte, n/2)
	rand.NewChaCha8([32]byte{}).Read(random) // which never fails
	b := zipOf(tb, zip.Deflate, random)
	at := bytes.LastIndex(b, []byte(zipCentral))
	entry := bytes.Clone(b[at : len(b)-22])
	end := bytes.Clone(b[len(b)-22:])
	b = b[:at]
	for len(b) < n {
		b = append(b, entry...)
	}
	binary.LittleEndian.PutUint32(end[12:], uint32(len(b)-at))
	binary.LittleEndian.PutUint32(end[16:], uint32(at))
	return append(b, end...)
}

// loopedDatabase is a database of pages of 512 bytes, each of which has as many
// children as there is room for, and of leaves whose cells are all the same.
func loopedDatabase(n int) []byte {
	const size = 512
	b := make([]byte, max(n/size, 4)*size)
	copy(b, sqliteMagic)
	binary.BigEndian.PutUint16(b[16:], size)
	pages := len(b) / size
	for i := range pages {
		page := b[i*size : (i+1)*size]
		head := page
		if i == 0 {
			head = page[100:]
		}
		if i < pages/2 {
			head[0] = pageInterior
			cells := (len(head) - 40) / 2
			binary.BigEndian.PutUint16(head[3:], uint16(cells))
			binary.BigEndian.PutUint32(head[8:], uint32(i+2))
			for c := range cells {
				binary.BigEndian.PutUint16(head[12+2*c:], size-8)
			}
			binary.BigEndian.PutUint32(page[size-8:], uint32(pages/2+1+i))
			continue
		}
		head[0] = pageLeaf
		cells := (len(head) - 220) / 2
		binary.BigEndian.PutUint16(head[3:], uint16(cells))
		for c := range cells {
			binary.BigEndian.PutUint16(head[8+2*c:], size-200)
		}
		cell := page[size-200:]
		copy(cell, "\x81\x40\x01\x81\x3e") // 192 bytes, row 1, a head of 190: columns without a value
	}
	return b
}

func repeat(s string) func(int) []byte {
	return func(n int) []byte { return []byte(strings.Repeat(s, n/len(s))) }
}

// hostileBinary are bodies like those of hostile. A name with a slash in it
// begins with the media type that is declared.
var hostileBinary = map[string]func(size int) []byte{
	"application/x-protobuf nested": nestMessages,
	"nested-messages":               nestMessages,
	"application/x-protobuf fields": repeat("\x08\x01"),
	"application/x-protobuf turns":  repeat("\x10\x01\x08\x01"),
	"application/x-protobuf groups": repeat("\x0b\x0c"),
	"application/x-protobuf deep": func(n int) []byte {
		return append(bytes.Repeat([]byte("\x0b"), n/2), bytes.Repeat([]byte("\x0c"), n/2)...)
	},
	"application/x-protobuf lengths": repeat("\x01\x01\x02\x08\x01"),
	"application/x-protobuf strings": repeat("\x0a\x02ab"),
	"application/x-protobuf entries": repeat("\x0a\x06\x0a\x01a\x12\x01b"),
	"application/x-protobuf feeds":   repeat("\n\x22\n\x20abcdefghijklmnopqrstuvwxyzabcdef"),
	"application/x-protobuf numbers": func(n int) []byte { return descending(n) },
	"application/msgpack arrays":     repeat("\x91"),
	"application/msgpack maps":       repeat("\x81\xa1a"),
	"application/msgpack claims":     repeat("\xdd\x00\x00\x10\x00"),
	"application/msgpack numbers":    repeat("\xcf\x00\x00\x01\x00\x00\x00\x00\x00"),
	"application/cbor arrays":        repeat("\x81"),
	"application/cbor endless":       repeat("\x9f"),
	"application/cbor tags":          repeat("\xc6"),
	"application/cbor tagged":        repeat("\x81\xc6\xc6\xc6\xc6\xc6\xc6\xc6"),
	"application/cbor chunks":        func(n int) []byte { return []byte("\x9f\x5f" + strings.Repeat("\x41a", n/2) + "\xff\xff") },
	"application/cbor maps":          repeat("\xbf\x61a"),
	"application/grpc frames":        repeat("\x00\x00\x00\x00\x02\x08\x01"),
	"application/grpc empty":         repeat("\x00\x00\x00\x00\x00"),
	"application/grpc-web trailers": func(n int) []byte {
		return append([]byte{0x80, 0, byte(n >> 16), byte(n >> 8), byte(n)}, bytes.Repeat([]byte("a:\n"), n/3)...)
	},
	"application/grpc-web-text pads": repeat("AA=="),
	"application/zip headers":        repeat(zipLocal + "\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
	"application/zip letters": func(n int) []byte {
		return append([]byte(zipLocal+strings.Repeat("\x00", 26)), bytes.Repeat([]byte("P"), n)...)
	},
	"application/x-sqlite3 loops":            loopedDatabase,
	"application/vnd.wap.mms-message fields": func(n int) []byte { return []byte("\x8c\x80\x98a\x00" + strings.Repeat("a\x00b\x00", n/4)) },
	"application/vnd.wap.mms-message parts": func(n int) []byte {
		return []byte("\x8c\x80\x98a\x00\x84\xa3\x7f" + strings.Repeat("\x01\x00\x83", n/3))
	},
	"application/x-tar headers": func(n int) []byte { return bytes.Repeat(tarHead(), n/tarBlock) },
	"application/bson nested":   nestDocuments,
	"nested-documents":          nestDocuments,
	"application/bson fields": func(n int) []byte {
		b := append(make([]byte, 4), bytes.Repeat([]byte("\x0aa\x00"), n/3)...)
		b = append(b, 0)
		binary.LittleEndian.PutUint32(b, uint32(len(b)))
		return b
	},
	"application/bson documents": repeat("\x08\x00\x00\x00\x0aa\x00\x00"),
	"mqtt":                       func(n int) []byte { return []byte(strings.Repeat("\x30\x04\x00\x01ax", n/6)) },
}

func allHostile() map[string]func(int) []byte {
	all := maps.Clone(hostile)
	maps.Copy(all, hostileBinary)
	return all
}

func hostileSubject(name string, data []byte) *inspect.Subject {
	if media, _, _ := strings.Cut(name, " "); strings.Contains(media, "/") {
		return body(media, "", data)
	}
	return &inspect.Subject{Request: inspect.Content{Body: data}}
}

// nestDocuments is a document in a document in a document, of n bytes.
func nestDocuments(n int) []byte {
	levels := n / 8
	b := make([]byte, 0, n)
	for i := range levels {
		b = binary.LittleEndian.AppendUint32(b, uint32(8*(levels-i)))
		b = append(b, 3, 'a', 0)
	}
	b[len(b)-3] = 0x0a
	return append(b, make([]byte, levels)...)
}

// tarHead is the header of an empty file.
func tarHead() []byte {
	h := make([]byte, tarBlock)
	copy(h, "a")
	copy(h[257:], "ustar\x0000")
	h[156] = 'x'
	sum := 8 * int(' ')
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// descending is a message of n bytes whose field numbers go down, all different.
func descending(n int) []byte {
	var b []byte
	for number := n / 4; number > 0 && len(b) < n; number-- {
		b = protowire.AppendTag(b, protowire.Number(number), protowire.VarintType)
		b = append(b, 1)
	}
	return b
}

// What unpacks to more than there is room for costs less memory than the budget
// and one copy of what was kept, and says that it was cut off.
func TestBinaryBombs(t *testing.T) {
	inspecttest.Alone(t)
	deflated := func(size int) []byte {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, flate.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(make([]byte, size)) // a bytes.Buffer takes everything
		w.Flush()
		return bytes.TrimSuffix(b.Bytes(), []byte(deflateTail[:4]))
	}
	gzipped := pack(t, "gzip", make([]byte, 100<<20))
	many := make([][]byte, 60)
	for i := range many {
		many[i] = make([]byte, 1<<20)
	}
	frame := binary.BigEndian.AppendUint32([]byte{1}, uint32(len(gzipped)))
	for name, c := range map[string]struct {
		subject *inspect.Subject
		damage  string
	}{
		"gzip":            {body("application/json", "gzip", gzipped), "limit: bytes"},
		"br":              {body("application/json", "br", pack(t, "br", make([]byte, 100<<20))), "limit: bytes"},
		"zstd":            {body("application/json", "zstd", pack(t, "zstd", make([]byte, 100<<20))), "limit: bytes"},
		"grpc":            {body("application/grpc", "", append(frame, gzipped...)), "limit: bytes"},
		"zip":             {body("application/zip", "", zipOf(t, zip.Deflate, make([]byte, 100<<20))), "limit: bytes"},
		"zip, many":       {body("application/zip", "", zipOf(t, zip.Deflate, many...)), "limit: bytes"},
		"zip, overlap":    {body("application/zip", "", overlapping(t, 256<<10)), "zip: entries overlap"},
		"zip, nested":     {body("application/zip", "", nestZips(t, 1<<20)), "limit: depth"},
		"frame":           {&inspect.Subject{Frame: deflated(100 << 20), FrameDirection: flow.Up, FrameDeflated: true}, "limit: bytes"},
		"protobuf":        {body("application/x-protobuf", "", bytes.Repeat([]byte("\x08\x01"), 8<<20)), "limit: parts"},
		"protobuf, depth": {body("application/x-protobuf", "", nestMessages(40_000)), "limit: depth"},
		"msgpack":         {body("application/msgpack", "", append([]byte{0xdd, 0, 0x80, 0, 0}, make([]byte, 8<<20)...)), "limit: parts"},
		"cbor":            {body("application/cbor", "", append([]byte{0x9f}, make([]byte, 8<<20)...)), "limit: parts"},
		"sqlite":          {body("application/x-sqlite3", "", loopedDatabase(8<<20)), "sqlite: pages refer to themselves"},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInspector(t, inspect.Limits{})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			tree, damage := in.Unwrap(context.Background(), c.subject)
			runtime.ReadMemStats(&after)
			if made := after.TotalAlloc - before.TotalAlloc; made > 64<<20 {
				t.Errorf("%d MiB of memory made", made>>20)
			}
			if len(tree.Parts) > 20_000 {
				t.Errorf("%d parts", len(tree.Parts))
			}
			for _, d := range damage {
				if d.Reason == c.damage {
					return
				}
			}
			t.Errorf("damage %v, want %q", damage, c.damage)
		})
	}
}

func body(media, coding string, data []byte) *inspect.Subject {
	h := make(http.Header)
	h.Set("Content-Type", media)
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	return &inspect.Subject{Request: inspect.Content{Header: h, Body: data}}
}

// Random bytes have no structure, and bytes that begin as a structure does seldom
// go on as one.
func TestRandomIsNothing(t *testing.T) {
	inspecttest.Alone(t)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 200_000 {
		b := make([]byte, 8+r.IntN(193))
		for j := range b {
			b[j] = byte(r.Uint32())
		}
		switch i % 4 {
		case 1:
			b[0] = []byte{0x08, 0x0a, 0x10, 0x12}[r.IntN(4)]
		case 2:
			b[0] = 0x81 + byte(r.IntN(31))
		case 3:
			b[0] = 0xa1 + byte(r.IntN(23))
		}
		if looksProtobuf(b) || looksPacked(b) {
			t.Errorf("%x is taken for a structure", b)
		}
	}
}
