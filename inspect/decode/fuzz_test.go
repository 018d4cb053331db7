package decode

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"net/http"
	"path/filepath"
	"testing"

	"constat/inspect"
	"constat/inspect/inspecttest"
)

// fuzzLimits keep one run short; what is small must be bounded by the same code. Each part
// is replayed, which decodes all beside it again: the cost is the square of Parts.
var fuzzLimits = inspect.Limits{Depth: 6, Parts: 500, Bytes: 1 << 20, Body: 1 << 20}

// fuzz inspects whatever comes as a declared body, and checks that it ends
// within the limits, the same way twice, with every path leading back.
func fuzz(f *testing.F, contentType, coding string) {
	inspecttest.Alone(f)
	in, err := inspect.New(inspect.Config{Decoders: All, Limits: fuzzLimits})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range inspecttest.Seeds(f, "testdata") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h := make(http.Header)
		if contentType != "" {
			h.Set("Content-Type", contentType)
		}
		if coding != "" {
			h.Set("Content-Encoding", coding)
		}
		s := &inspect.Subject{Request: inspect.Content{Header: h, Body: data}}
		inspecttest.Check(t, in, s)
		tree, damage := in.Unwrap(context.Background(), s)
		if len(tree.Parts) > fuzzLimits.Parts {
			t.Errorf("%d parts", len(tree.Parts))
		}
		for _, d := range damage {
			if d.Reason == "panic" {
				t.Errorf("%s panics at %s", d.Decoder, d.Path)
			}
		}
		var bytes int64
		for _, p := range tree.Parts[min(1, len(tree.Parts)):] {
			if p.Depth > fuzzLimits.Depth {
				t.Errorf("%s is %d deep", p.Path, p.Depth)
			}
			if d := p.Decoder(); d == "gzip" || d == "deflate" || d == "zstd" || d == "br" {
				bytes += int64(len(p.Data))
			}
		}
		if bytes > 2*fuzzLimits.Bytes {
			t.Errorf("%d bytes made", bytes)
		}
	})
}

func FuzzGzip(f *testing.F)          { fuzz(f, "application/json", "gzip") }
func FuzzDeflate(f *testing.F)       { fuzz(f, "application/json", "deflate") }
func FuzzZstd(f *testing.F)          { fuzz(f, "application/json", "zstd") }
func FuzzBrotli(f *testing.F)        { fuzz(f, "application/json", "br") }
func FuzzCharset(f *testing.F)       { fuzz(f, "text/plain; charset=gb18030", "") }
func FuzzJSON(f *testing.F)          { fuzz(f, "application/json", "") }
func FuzzNDJSON(f *testing.F)        { fuzz(f, "application/x-ndjson", "") }
func FuzzJSONP(f *testing.F)         { fuzz(f, "application/javascript", "") }
func FuzzMultipart(f *testing.F)     { fuzz(f, "multipart/form-data; boundary=sep42", "") }
func FuzzForm(f *testing.F)          { fuzz(f, "application/x-www-form-urlencoded", "") }
func FuzzDataURI(f *testing.F)       { fuzzValue(f, "data:text/plain;base64,") }
func FuzzAuthorization(f *testing.F) { fuzzValue(f, "Bearer ") }
func FuzzJWT(f *testing.F)           { fuzzValue(f, "eyJhbGciOiJub25lIn0.") }
func FuzzPercent(f *testing.F)       { fuzzValue(f, "%7B") }
func FuzzBase64(f *testing.F)        { fuzzValue(f, "") }
func FuzzHex(f *testing.F)           { fuzzValue(f, "0x") }
func FuzzHTTP(f *testing.F)          { fuzz(f, "application/http", "") }
func FuzzImage(f *testing.F)         { fuzz(f, "image/png", "") }
func FuzzURL(f *testing.F)           { fuzzValue(f, "https://a.example/?a=") }

// fuzzValue inspects whatever comes as a header, a path, a query and a cookie,
// behind before.
func fuzzValue(f *testing.F, before string) {
	inspecttest.Alone(f)
	in, err := inspect.New(inspect.Config{Decoders: All, Limits: fuzzLimits})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range inspecttest.Seeds(f, "testdata") {
		f.Add(string(seed))
	}
	f.Fuzz(func(t *testing.T, value string) {
		value = before + value
		inspecttest.Check(t, in, &inspect.Subject{
			Path: "/" + value, Query: value, Request: inspect.Content{Header: http.Header{"X-Value": {value}, "Cookie": {value}}},
		})
	})
}

func FuzzPathSegments(f *testing.F) { fuzzValue(f, "a/%41") }

func FuzzXML(f *testing.F) { fuzz(f, "application/xml", "") }

func FuzzProtobuf(f *testing.F) { fuzz(f, "application/x-protobuf", "") }

func FuzzPlist(f *testing.F) { fuzz(f, "application/x-plist", "") }

func FuzzYAML(f *testing.F)        { fuzz(f, "application/yaml", "") }
func FuzzVObject(f *testing.F)     { fuzz(f, "text/vcard", "") }
func FuzzMessagePack(f *testing.F) { fuzz(f, "application/msgpack", "") }
func FuzzCBOR(f *testing.F)        { fuzz(f, "application/cbor", "") }
func FuzzGRPC(f *testing.F)        { fuzz(f, "application/grpc-web", "") }
func FuzzGRPCText(f *testing.F)    { fuzz(f, "application/grpc-web-text", "") }
func FuzzZip(f *testing.F)         { fuzz(f, "application/zip", "") }
func FuzzTar(f *testing.F)         { fuzz(f, "application/x-tar", "") }
func FuzzSQLite(f *testing.F)      { fuzz(f, "application/x-sqlite3", "") }

func FuzzEnvelope(f *testing.F) { fuzz(f, "application/x-sentry-envelope", "") }
func FuzzGraphQL(f *testing.F)  { fuzz(f, "application/graphql", "") }
func FuzzEngineIO(f *testing.F) { fuzz(f, "text/plain", "") }
func FuzzSocketIO(f *testing.F) { fuzzValue(f, "4") }
func FuzzSockJS(f *testing.F)   { fuzzValue(f, "a[\"") }
func FuzzSignalR(f *testing.F)  { fuzz(f, "text/plain", "") }
func FuzzStomp(f *testing.F)    { fuzz(f, "text/plain", "") }
func FuzzMail(f *testing.F)     { fuzz(f, "message/rfc822", "") }
func FuzzTransfer(f *testing.F) { fuzz(f, "text/plain", "quoted-printable, base64") }
func FuzzPDU(f *testing.F)      { fuzz(f, "application/octet-stream", "") }
func FuzzMQTT(f *testing.F)     { fuzz(f, "", "") }

func FuzzEscape(f *testing.F)   { fuzzValue(f, `{\"`) }
func FuzzBase32(f *testing.F)   { fuzz(f, "text/plain", "") }
func FuzzAscii85(f *testing.F)  { fuzzValue(f, "<~") }
func FuzzUUEncode(f *testing.F) { fuzz(f, "text/plain", "") }
func FuzzNarrow(f *testing.F)   { fuzz(f, "text/plain", "") }
func FuzzMMS(f *testing.F)      { fuzz(f, "application/vnd.wap.mms-message", "") }
func FuzzBSON(f *testing.F)     { fuzz(f, "application/bson", "") }

// FuzzPerMessageDeflate inspects whatever comes as a message, behind a window.
func FuzzPerMessageDeflate(f *testing.F) {
	inspecttest.Alone(f)
	in, err := inspect.New(inspect.Config{Decoders: All, Limits: fuzzLimits})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range inspecttest.Seeds(f, "testdata") {
		f.Add(seed, []byte(`{"type":"message","text":"`))
	}
	f.Fuzz(func(t *testing.T, data, window []byte) {
		if data == nil {
			data = []byte{}
		}
		inspecttest.Check(t, in, &inspect.Subject{Frame: data, FrameDeflated: true, FrameWindow: window[max(0, len(window)-32<<10):]})
	})
}

// FuzzAES inspects what was encrypted with the published keys.
func FuzzAES(f *testing.F) {
	inspecttest.Alone(f)
	in, err := inspect.New(inspect.Config{Decoders: All, Limits: fuzzLimits})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range inspecttest.Seeds(f, "testdata") {
		f.Add(seed, byte(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, padding byte) {
		n := aes.BlockSize - len(data)%aes.BlockSize
		data = append(bytes.Clone(data), bytes.Repeat([]byte{byte(n) * padding}, n)...)
		for i := range publishedKeys {
			k := &publishedKeys[i]
			body := make([]byte, len(data))
			cipher.NewCBCEncrypter(k.block, k.iv[:]).CryptBlocks(body, data)
			inspecttest.Check(t, in, &inspect.Subject{Request: inspect.Content{Body: body}})
		}
	})
}

// Every decoder reads what anybody may send it.
func TestEveryDecoderIsFuzzed(t *testing.T) {
	list, err := parser.ParseFile(gotoken.NewFileSet(), "all.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	targets := make(map[string]bool)
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no tests", err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				targets[fn.Name.Name] = true
			}
		}
	}
	n := 0
	ast.Inspect(list, func(node ast.Node) bool {
		l, ok := node.(*ast.CompositeLit)
		if !ok {
			return true
		}
		for _, e := range l.Elts {
			if id, ok := e.(*ast.Ident); ok {
				if n++; !targets["Fuzz"+id.Name] {
					t.Errorf("%s has no fuzz target", id.Name)
				}
			}
		}
		return false
	})
	if n != len(All) {
		t.Errorf("found %d decoders, want %d", n, len(All))
	}
}
