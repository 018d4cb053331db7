package decode

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"

	"constat/inspect"
)

// wraps are the layers that the cases of TestStacked are made of.
var wraps = map[string]func(tb testing.TB, b []byte) []byte{
	"base64":    func(_ testing.TB, b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) },
	"base64url": func(_ testing.TB, b []byte) []byte { return []byte(base64.RawURLEncoding.EncodeToString(b)) },
	"wrapped": func(_ testing.TB, b []byte) []byte {
		var out []byte
		for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(b)), 76) {
			out = append(append(out, line...), "\r\n"...)
		}
		return out
	},
	"base32":  func(_ testing.TB, b []byte) []byte { return []byte(base32.StdEncoding.EncodeToString(b)) },
	"hex":     func(_ testing.TB, b []byte) []byte { return []byte(hex.EncodeToString(b)) },
	"percent": func(_ testing.TB, b []byte) []byte { return []byte(url.QueryEscape(string(b))) },
	"gzip":    func(tb testing.TB, b []byte) []byte { return pack(tb, "gzip", b) },
	"zstd":    func(tb testing.TB, b []byte) []byte { return pack(tb, "zstd", b) },
	"zlib": func(_ testing.TB, b []byte) []byte {
		var out bytes.Buffer
		w := zlib.NewWriter(&out)
		w.Write(b)
		w.Close()
		return out.Bytes()
	},
	"deflate": func(tb testing.TB, b []byte) []byte {
		var out bytes.Buffer
		w, err := flate.NewWriter(&out, flate.DefaultCompression)
		if err != nil {
			tb.Fatal(err)
		}
		w.Write(b)
		w.Close()
		return out.Bytes()
	},
	"label":  func(_ testing.TB, b []byte) []byte { return append([]byte("v1:"), b...) },
	"string": func(_ testing.TB, b []byte) []byte { return []byte(`{"payload":` + strconv.Quote(string(b)) + `}`) },
	"unicode": func(_ testing.TB, b []byte) []byte { // every character of a string as an escape
		var out strings.Builder
		out.WriteString(`{"payload":"`)
		for _, u := range utf16.Encode([]rune(string(b))) {
			out.WriteString(`\u` + strconv.FormatUint(uint64(u)|0x10000, 16)[1:])
		}
		return []byte(out.String() + `"}`)
	},
	"form": func(_ testing.TB, b []byte) []byte { return []byte("v=3&data=" + url.QueryEscape(string(b))) },
	"utf16": func(_ testing.TB, b []byte) []byte {
		var out []byte
		for _, u := range utf16.Encode([]rune(string(b))) {
			out = append(out, byte(u), byte(u>>8))
		}
		return out
	},
	"xml": func(_ testing.TB, b []byte) []byte {
		return []byte("<r><a>x</a><payload>" + strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(string(b)) + "</payload></r>")
	},
}

// Layers are taken off in whatever order they come. The layers of a case are
// named from the inside out.
func TestStacked(t *testing.T) {
	const value = "On se voit à 19 h, +33 6 39 98 11 22 ?"
	inner := `{"address":"+33639981122","body":"` + value + `","date":1406800000123,"read":true,"thread_id":12}`
	in := newInspector(t, inspect.Limits{})
	for _, layers := range []string{
		"base64 base64",
		"base64 base64 base64",
		"percent base64",
		"percent percent form",
		"percent string",
		"percent percent string",
		"gzip hex string",
		"gzip base64 form",
		"gzip base64url form",
		"gzip base64 base64 string",
		"zlib base64 string",
		"zlib hex",
		"deflate base64 string",
		"deflate base64url form",
		"zstd base64 string",
		"wrapped string",
		"gzip wrapped form",
		"base64 label string",
		"gzip base64 label string",
		"string form base64",
		"string string form base64",
		"unicode form",
		"unicode base64 string",
		"base32 string",
		"utf16 base64 string",
		"utf16 hex string",
		"utf16",
		"utf16 gzip",
		"xml base64 form",
		"string xml",
		"base64 xml gzip",
		"form form base64",
		"form base64 string gzip",
	} {
		t.Run(strings.ReplaceAll(layers, " ", "-"), func(t *testing.T) {
			body := []byte(inner)
			for name := range strings.FieldsSeq(layers) {
				body = wraps[name](t, body)
			}
			tree, damage := in.Unwrap(context.Background(), &inspect.Subject{Request: inspect.Content{Body: body}})
			for _, p := range tree.Parts {
				if string(p.Data) == value && p.Name == "body" {
					return
				}
			}
			t.Errorf("not found in %d parts, damage %v", len(tree.Parts), damage)
			for _, p := range tree.Parts {
				t.Logf("%s %d", p.Path, len(p.Data))
			}
		})
	}
}
