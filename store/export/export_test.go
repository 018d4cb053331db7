package export_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	mathrand "math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/inspect/inspecttest"
	"constat/store"
	"constat/store/evidence"
	"constat/store/export"
	"constat/store/query"
	"constat/store/report"
)

func (k *testCase) export(opt export.Options) []byte {
	k.t.Helper()
	r := k.open()
	info, err := r.Info(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	if opt.Signer, err = store.Signer(k.key, info.ID, info.Verifier); err != nil {
		k.t.Fatal(err)
	}
	opt.Build, opt.Temp = "constat test", k.t.TempDir()
	file := func(name string, write func(context.Context, io.Writer, *store.Reader, report.Options) error) export.File {
		return export.File{Name: name, Write: func(ctx context.Context, w io.Writer, r *store.Reader, about export.About) error {
			return write(ctx, w, r, report.Options{Build: "constat test", Banner: about.Remark, Inspector: k.in, Now: func() time.Time { return about.Time }})
		}}
	}
	opt.Files = []export.File{file("data/report.html", report.Write), file("data/report.json", report.WriteJSON), file("data/report.pdf", report.WritePDF), file("data/complaint.json", report.WriteComplaint)}
	var out bytes.Buffer
	if _, err := export.Write(k.t.Context(), &out, r, opt); err != nil {
		k.t.Fatal(err)
	}
	return out.Bytes()
}

func (k *testCase) verifier() string {
	info, err := k.open().Info(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	return info.Verifier
}

var inspector = sync.OnceValues(func() (*inspect.Inspector, error) { return inspect.New(inspect.Config{Decoders: decode.All}) })

func verify(t testing.TB, b []byte, opt evidence.VerifyOptions) *evidence.Verdict {
	t.Helper()
	var err error
	if opt.Inspector, err = inspector(); err != nil {
		t.Fatal(err)
	}
	v, err := evidence.VerifyBundle(t.Context(), bytes.NewReader(b), int64(len(b)), opt)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func files(t testing.TB, b []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	list := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(f.Name, "/")
		if list[name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func TestFull(t *testing.T) {
	k := newCase(t)
	k.affair()
	k.close()
	b := k.export(export.Options{})
	v := verify(t, b, evidence.VerifyOptions{Verifier: k.verifier()})
	if !v.Verified || !v.Signed || len(v.Reservations) != 1 {
		t.Fatalf("problems %q, reservations %q", v.Problems, v.Reservations)
	}
	if v.Hidden != 0 || v.Withheld != 0 || v.Bodies == 0 || v.Replay.Same < 8 || v.Replay.Failed > 0 || v.Replay.Withheld > 0 {
		t.Errorf("%+v", v)
	}
	// Four messages, of which the last three are nothing without those before them.
	if frames := framesReplayed(t, k); frames < 4 {
		t.Errorf("findings in %d compressed messages", frames)
	}
	// Findings in what is not HTTP are followed like others.
	var raw int
	err := k.open().DB().QueryRow("SELECT count(*) FROM findings f JOIN requests r ON r.id = f.request_id WHERE r.method = ''").Scan(&raw)
	if err != nil || raw == 0 {
		t.Errorf("%d findings in what is not HTTP, %v", raw, err)
	}
	if !bytes.Equal(b, k.export(export.Options{})) {
		t.Error("a second export is another")
	}
	list := files(t, b)
	path := filepath.Join(t.TempDir(), "capture.sqlite")
	if err := os.WriteFile(path, list["data/capture.sqlite"], 0o600); err != nil {
		t.Fatal(err)
	}
	whole, err := store.Verify(t.Context(), path, k.verifier(), nil)
	if err != nil || len(whole.Problems) > 0 || whole.Records != v.Records {
		t.Errorf("the copy of the database: %v, %+v", err, whole)
	}
	for _, name := range []string{"data/protocol.json", "data/case.jsonld", "data/capture.har", "data/report.json"} {
		if !json.Valid(list[name]) {
			t.Errorf("%s is not JSON", name)
		}
	}
	var p struct {
		CA       []string `json:"ca_sha256"`
		Sessions []struct {
			Name, Note string
			Factors    map[string]string
		}
	}
	if err := json.Unmarshal(list["data/protocol.json"], &p); err != nil || len(p.CA) != 1 || p.CA[0] != "c0ffee" || len(p.Sessions) != 2 || p.Sessions[0].Factors["cloud"] != "off" {
		t.Errorf("protocol: %v %+v", err, p)
	}
}

// framesReplayed counts the compressed messages that something was found in.
func framesReplayed(t testing.TB, k *testCase) (n int) {
	t.Helper()
	err := k.open().DB().QueryRow("SELECT count(DISTINCT frame_id) FROM findings WHERE path LIKE 'frame|permessage-deflate%'").Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestAnyByte flips a bit in each file of a bundle, and between them.
func TestAnyByte(t *testing.T) {
	inspecttest.Alone(t)
	k := newCase(t)
	k.affair()
	k.close()
	b := k.export(export.Options{})
	key := k.verifier()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	flip := func(at int64, names ...string) {
		bad := bytes.Clone(b)
		bad[at] ^= 1 << mathrand.IntN(8)
		// Paths are not followed: that changes no verdict.
		v, err := evidence.VerifyBundle(t.Context(), bytes.NewReader(bad), int64(len(bad)), evidence.VerifyOptions{Verifier: key})
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(v.Problems, "\n")
		if v.Verified || !slices.ContainsFunc(append(names, "the container"), func(n string) bool { return strings.Contains(text, n) }) {
			t.Errorf("byte %d, in %q: verified %v\n%s", at, names, v.Verified, text)
		}
	}
	for _, f := range z.File {
		from, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(f.Name, "/")
		if f.CompressedSize64 > 0 {
			flip(from+mathrand.Int64N(int64(f.CompressedSize64)), name)
		}
		flip(from-1-mathrand.Int64N(int64(30+len(f.Name))), name, "header")
	}
	for range 20 {
		flip(int64(len(b)) - 1 - mathrand.Int64N(2000))
	}
}

// TestCopyOfTheCase: a copy of the case elsewhere gives the same bundle.
func TestCopyOfTheCase(t *testing.T) {
	k := newCase(t)
	k.affair()
	k.close()
	first := k.export(export.Options{Level: export.Masked})
	text, err := os.ReadFile(k.path)
	if err != nil {
		t.Fatal(err)
	}
	k.path = filepath.Join(t.TempDir(), "another-name.constat")
	if err := os.WriteFile(k.path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, k.export(export.Options{Level: export.Masked})) {
		t.Error("the name of the case's file is in the bundle")
	}
	zone, procs, umask := time.Local, runtime.GOMAXPROCS(1), syscall.Umask(0o077)
	time.Local = time.FixedZone("elsewhere", 5*3600+1800)
	defer func() { time.Local = zone; runtime.GOMAXPROCS(procs); syscall.Umask(umask) }()
	if !bytes.Equal(first, k.export(export.Options{Level: export.Masked})) {
		t.Error("the time zone, the umask or the number of processors is in the bundle")
	}
}

// forms are the ways in which a hidden value could still be there.
func forms(s string) map[string][]byte {
	m := map[string][]byte{
		"plain": []byte(s), "hex": []byte(hex.EncodeToString([]byte(s))), "HEX": []byte(strings.ToUpper(hex.EncodeToString([]byte(s)))),
		"url": []byte(url.QueryEscape(s)), "path": []byte(url.PathEscape(s)),
	}
	for name, order := range map[string]binary.AppendByteOrder{"UTF-16LE": binary.LittleEndian, "UTF-16BE": binary.BigEndian} {
		var wide []byte
		for _, unit := range utf16.Encode([]rune(s)) {
			wide = order.AppendUint16(wide, unit)
		}
		m[name], m[name+" in hex"] = wide, []byte(strings.ToUpper(hex.EncodeToString(wide)))
	}
	sum := sha256.Sum256([]byte(s))
	m["its hash"], m["its hash in hex"], m["its hash in base64"] = sum[:], []byte(hex.EncodeToString(sum[:])), []byte(base64.StdEncoding.EncodeToString(sum[:]))
	m["html"] = []byte(html.EscapeString(s))
	j, _ := json.Marshal(s)
	m["json"] = j[1 : len(j)-1]
	// Base64 of a value inside something else: at each of three offsets, without the
	// characters that depend on what is around it.
	for i := range 3 {
		for name, enc := range map[string]*base64.Encoding{"base64": base64.StdEncoding, "base64url": base64.URLEncoding} {
			e := enc.EncodeToString(append(bytes.Repeat([]byte("x"), i), s...))
			e = strings.TrimRight(e, "=")
			if len(e) > 12 {
				m[fmt.Sprint(name, i)] = []byte(e[4 : len(e)-3])
			}
		}
	}
	return m
}

// layers are a file and what is inside it: streams that can be opened, wherever they
// begin, and the values of the database.
func layers(t testing.TB, name string, data []byte) [][]byte {
	t.Helper()
	out := [][]byte{data}
	for i := range data {
		var r io.Reader
		switch {
		case bytes.HasPrefix(data[i:], []byte{0x1f, 0x8b, 8}):
			if z, err := gzip.NewReader(bytes.NewReader(data[i:])); err == nil {
				r = z
			}
		case bytes.HasPrefix(data[i:], []byte{0x28, 0xb5, 0x2f, 0xfd}):
			if z, err := zstd.NewReader(bytes.NewReader(data[i:]), zstd.WithDecoderConcurrency(1)); err == nil {
				r = z
			}
		case i+1 < len(data) && data[i] == 0x78 && (int(data[i])<<8+int(data[i+1]))%31 == 0:
			if z, err := zlib.NewReader(bytes.NewReader(data[i:])); err == nil {
				r = z
			}
		}
		if r != nil {
			if inner, _ := io.ReadAll(io.LimitReader(r, 4<<20)); len(inner) > 0 {
				out = append(out, inner)
			}
		}
	}
	for _, word := range strings.FieldsFunc(string(data), func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", r)
	}) {
		if len(word) < 16 || len(word)%4 != 0 {
			continue
		}
		if inner, err := base64.StdEncoding.DecodeString(word); err == nil {
			out = append(out, inner)
			if z, err := gzip.NewReader(bytes.NewReader(inner)); err == nil {
				if inner, _ := io.ReadAll(z); len(inner) > 0 {
					out = append(out, inner)
				}
			}
		}
	}
	if strings.HasSuffix(name, ".sqlite") {
		out = append(out, dump(t, data)...)
	}
	if strings.HasSuffix(name, ".pdf") {
		text := pdfText(t, data)
		out = append(out, text, bytes.ReplaceAll(text, []byte("\n"), nil)) // a value can go on in the next line
	}
	return out
}

// pdfText is what a reader of a PDF sees: its fonts have numbers of their own for signs.
func pdfText(t testing.TB, data []byte) []byte {
	t.Helper()
	cmd := exec.Command("pdftotext", "-raw", "-", "-")
	cmd.Stdin = bytes.NewReader(data)
	text, err := cmd.Output()
	if err != nil || len(text) < 1000 {
		t.Fatalf("pdftotext, which 'make deps' installs: %v, %d bytes", err, len(text))
	}
	return text
}

// dump returns all values of a database.
func dump(t testing.TB, data []byte) (out [][]byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.sqlite")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables, err := db.Query("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if len(names) < 15 {
		t.Fatalf("%d tables and views", len(names))
	}
	for _, name := range names {
		rows, err := db.Query("SELECT * FROM " + name)
		if err != nil {
			t.Fatalf("%s: %s", name, err)
		}
		columns, _ := rows.Columns()
		cells, dest := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
		for i := range cells {
			dest[i] = &cells[i]
		}
		for rows.Next() {
			if err := rows.Scan(dest...); err != nil {
				t.Fatal(err)
			}
			for _, c := range cells {
				out = append(out, bytes.Clone(c))
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatalf("%s: %s", name, err)
		}
		rows.Close()
	}
	return out
}

// leaks looks for values in a bundle; it returns where they are, by value.
func leaks(t testing.TB, b []byte, values []string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for name, data := range files(t, b) {
		all := layers(t, name, data)
		for _, v := range values {
			for form, text := range forms(v) {
				for _, layer := range all {
					if found[v] == "" && bytes.Contains(layer, text) {
						found[v] = fmt.Sprintf("%s: %.40q as %s", name, v, form)
					}
				}
			}
		}
	}
	return found
}

// TestNotInspected: a class can be hidden only where somebody looked. What nobody
// looked at is hidden with it.
func TestNotInspected(t *testing.T) {
	inspecttest.Alone(t)
	k := newCase(t)
	s := k.affair()
	if err := k.c.Close(); err != nil { // and nothing is inspected
		t.Fatal(err)
	}
	b := k.export(export.Options{HideClasses: []inspect.Class{inspect.Contacts}})
	if v := verify(t, b, evidence.VerifyOptions{Verifier: k.verifier()}); !v.Verified {
		t.Errorf("problems %q", v.Problems)
	}
	for _, where := range leaks(t, b, append(s.contacts, "first-bytes-of-a-raw-stream")) {
		t.Error(where)
	}
}

// TestHiddenHost writes the name of a host in the ways that people do, and finds it
// where it is a subject, not a host.
func TestHiddenHost(t *testing.T) {
	inspecttest.Alone(t)
	k := newCase(t)
	k.exchange("GET", "https://www.bank.example/a", "", nil, nil, noCut)
	k.exchange("GET", "https://other.example/b", "", nil, nil, noCut)
	k.exchange("GET", "https://www.xn--bcher-kva.example/c", "", nil, nil, noCut)
	if err := k.c.Declare(t.Context(), "exclude", "www.bank.example", map[string]string{"why": "money"}); err != nil {
		t.Fatal(err)
	}
	k.close()
	for _, name := range []string{"bank.example", "BANK.example.", "*.bank.example", " bank.example "} {
		hide := []string{name}
		b := k.export(export.Options{HideHosts: hide})
		if hide[0] != name {
			t.Errorf("what was asked for became %q", hide[0])
		}
		for _, where := range leaks(t, b, []string{"bank.example"}) {
			t.Errorf("%q: %s", name, where)
		}
		if len(leaks(t, b, []string{"other.example"})) == 0 {
			t.Errorf("%q: another host is hidden", name)
		}
	}
	if found := leaks(t, k.export(export.Options{HideHosts: []string{"bücher.example"}}), []string{"xn--bcher-kva"}); len(found) > 0 {
		t.Error(found)
	}
	for _, name := range []string{"", "https://bank.example", "bank.example/x", "bank.example:443", "a b", "."} {
		if _, err := export.Write(t.Context(), io.Discard, k.open(), export.Options{HideHosts: []string{name}, Temp: t.TempDir()}); err == nil {
			t.Errorf("%q is taken for a host", name)
		}
	}
	got, err := export.Write(t.Context(), io.Discard, k.open(), export.Options{HideHosts: []string{"www.bank.example", "bnak.example", "2001:db8::1"}, Temp: t.TempDir()})
	if err != nil || !slices.Equal(got.Unmatched, []string{"bnak.example", "2001:db8::1"}) {
		t.Errorf("%v, nothing is about %q", err, got.Unmatched)
	}
}

// TestSettingsThatName: what a run was started with is shown, unless it names a host that
// is hidden.
func TestSettingsThatName(t *testing.T) {
	inspecttest.Alone(t)
	k := newCaseOf(t, map[string]string{"door": "http", "ca_sha256": "c0ffee", "pass": "Money.example store.example", "upstream_proxy": "http://proxy.example:3128"})
	k.exchange("GET", "https://other.example/b", "", nil, nil, noCut)
	k.close()
	for _, test := range []struct {
		opt    export.Options
		hidden []string
	}{
		{export.Options{}, nil},
		{export.Options{Level: export.Hashes}, nil},
		{export.Options{HideHosts: []string{"money.example"}}, []string{"Money.example"}},
		{export.Options{HideHosts: []string{"proxy.example"}}, []string{"proxy.example"}},
		{export.Options{Where: "host = 'other.example'"}, []string{"Money.example", "store.example"}},
	} {
		b := k.export(test.opt)
		if v := verify(t, b, evidence.VerifyOptions{Verifier: k.verifier()}); !v.Verified {
			t.Errorf("problems %q", v.Problems)
		}
		found := leaks(t, b, []string{"Money.example", "store.example", "proxy.example"})
		for _, name := range test.hidden {
			if found[name] != "" {
				t.Error(found[name])
			}
		}
		if len(test.hidden) == 0 && len(found) != 3 {
			t.Errorf("%+v: only %v is there", test.opt, found)
		}
	}
}

func TestRedactionLeaksNothing(t *testing.T) {
	inspecttest.Alone(t)
	k := newCase(t)
	s := k.affair()
	k.close()
	var planted []string
	for _, v := range k.persona.Canaries {
		if len(v.Value) >= 8 {
			planted = append(planted, v.Value)
		}
	}
	everything := append(append(append(append(append(append([]string{}, s.statistics...), s.sms...), s.contacts...), s.bank...), s.photo...), s.other...)
	where, args, err := query.Where("host:stats.analytics.example")
	if err != nil {
		t.Fatal(err)
	}
	full := k.export(export.Options{})
	there := leaks(t, full, append(everything, s.aliases...))
	for _, v := range append(everything, s.aliases...) {
		if there[v] == "" {
			t.Fatalf("the search does not find %.40q, which is there", v)
		}
	}
	for _, test := range []struct {
		name    string
		opt     export.Options
		hidden  []string
		visible []string // that must still be there
	}{
		{"masked", export.Options{Level: export.Masked}, append(everything, planted...), []string{"stats.analytics.example", "device_stats", "12345678"}},
		{"hashes", export.Options{Level: export.Hashes}, append(everything, planted...), []string{"stats.analytics.example", "device_stats", "12345678"}},
		{"contacts", export.Options{HideClasses: []inspect.Class{inspect.Contacts}}, s.contacts, append(s.sms, s.bank...)},
		{"photo in pieces", export.Options{HideClasses: []inspect.Class{inspect.Photo}}, s.photo, append(s.sms, s.contacts...)},
		{"host", export.Options{HideHosts: []string{"bank.example"}}, append(append(s.bank, "bank.example", "edge-7.cdn.example"), s.aliases...), append(append(s.sms, s.contacts...), "mqtt.vendor.example", "raw-mqtt-secret-4412", "203.0.113.9")},
		{"chosen", export.Options{Where: where, Args: args}, append(append(append(s.contacts, s.bank...), "bank.example", "contacts.vendor.example", "mqtt.vendor.example", "txt.vendor.example"), append(s.photo, s.aliases...)...), s.statistics},
		{"all of it", export.Options{Level: export.Hashes, Where: where, Args: args, HideHosts: []string{"stats.analytics.example"}}, append(everything, "stats.analytics.example"), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			k.t = t
			b := k.export(test.opt)
			v := verify(t, b, evidence.VerifyOptions{Verifier: k.verifier()})
			if !v.Verified || !v.Signed || v.Replay.Failed > 0 {
				t.Errorf("problems %q, reservations %q", v.Problems, v.Reservations)
			}
			if v.Hidden+v.Withheld < 4 {
				t.Errorf("%d values and %d records are withheld", v.Hidden, v.Withheld)
			}
			found := leaks(t, b, append(test.hidden, test.visible...))
			for _, v := range test.hidden {
				if found[v] != "" {
					t.Error(found[v])
				}
			}
			for _, v := range test.visible {
				if found[v] == "" {
					t.Errorf("%.40q is not there any more", v)
				}
			}
			if secret := dumpSecret(t, b); secret != 0 {
				t.Error("the secret of the case is in the copy")
			}
		})
	}
}

func dumpSecret(t testing.TB, b []byte) (n int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.sqlite")
	if err := os.WriteFile(path, files(t, b)["data/capture.sqlite"], 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := store.Verify(t.Context(), path, "", nil); err != nil || len(v.Problems) != 1 || !strings.Contains(v.Problems[0], "left out") {
		t.Errorf("verify of a copy that is not whole: %v %+v", err, v)
	}
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM secret").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// byHand runs the commands of a bundle's VERIFY.md on b as a stranger does who pastes
// them.
func byHand(t testing.TB, guide, b []byte, env ...string) (string, error) {
	t.Helper()
	for _, tool := range []string{"sh", "openssl", "sha256sum", "sha512sum", "base64", "od", "sed", "unzip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is not installed; 'make deps' installs what the tests need", tool)
		}
	}
	dir := t.TempDir()
	bundle := filepath.Join(dir, "b.constat.zip")
	if err := os.WriteFile(bundle, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	in := false
	for line := range strings.Lines(string(files(t, guide)["verify/VERIFY.md"])) {
		switch {
		case strings.HasPrefix(line, "```sh"):
			in = true
		case strings.HasPrefix(line, "```"):
			in = false
		case in:
			script.WriteString(line)
		}
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "sh", "-c", script.String())
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "BUNDLE="+bundle, "TMPDIR="+dir)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestByHand(t *testing.T) {
	inspecttest.Alone(t)
	k := newCase(t)
	k.affair()
	k.close()
	b := k.export(export.Options{})
	out, err := byHand(t, b, b)
	if err != nil {
		t.Fatalf("%s\n%s", err, out)
	}
	for _, want := range []string{"container: OK", "manifests: OK", "checkpoint: OK", "manifests signed: OK", "commitment: OK", "leaf: OK", "inclusion: OK"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	// A redacted bundle as well: the run's settings are shown at each level.
	b = k.export(export.Options{Level: export.Hashes})
	if out, err := byHand(t, b, b); err != nil || !strings.Contains(out, "commitment: OK") || !strings.Contains(out, "inclusion: OK") {
		t.Errorf("hashes only: %v\n%s", err, out)
	}
}

// planted packs a bundle again with a file more, "" for none, and the hash at its end.
func planted(t testing.TB, b []byte, name string) []byte {
	t.Helper()
	from, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range from.File {
		if err := z.Copy(f); err != nil {
			t.Fatal(err)
		}
	}
	if name != "" {
		folder, _, _ := strings.Cut(from.File[0].Name, "/")
		if _, err := z.Create(folder + "/" + name); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.SetComment(strings.Repeat("0", 64)), z.Close()); err != nil {
		t.Fatal(err)
	}
	all := out.Bytes()[:out.Len()-64]
	return fmt.Appendf(all, "%x", sha256.Sum256(all))
}

func TestByHandFindsChanges(t *testing.T) {
	inspecttest.Alone(t)
	k := newCase(t)
	k.affair()
	k.close()
	b := k.export(export.Options{})
	if out, err := byHand(t, b, planted(t, b, "")); err != nil {
		t.Errorf("packed again: %v\n%s", err, out)
	}
	for _, name := range []string{"READ-ME-FIRST.html", "tagmanifest-report.html", "proof/report.html"} {
		if out, err := byHand(t, b, planted(t, b, name)); err == nil {
			t.Errorf("%s added: no command failed\n%s", name, out)
		}
	}
	for _, at := range []int{len(b) / 3, len(b) / 2, len(b) - 10} {
		bad := bytes.Clone(b)
		bad[at] ^= 4
		if out, err := byHand(t, b, bad); err == nil {
			t.Errorf("byte %d changed: no command failed\n%s", at, out)
		}
	}
}

// TestOldCase exports a case that an earlier version wrote.
func TestOldCase(t *testing.T) {
	inspecttest.Alone(t)
	z, err := os.Open("../testdata/format1/case.constat.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	r, err := gzip.NewReader(z)
	if err != nil {
		t.Fatal(err)
	}
	old, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	k := &testCase{t: t, path: filepath.Join(t.TempDir(), "old.constat"), key: "../testdata/format1/log.key"}
	if err := os.WriteFile(k.path, old, 0o400); err != nil {
		t.Fatal(err)
	}
	for _, level := range export.Levels {
		v := verify(t, k.export(export.Options{Level: level}), evidence.VerifyOptions{Verifier: k.verifier()})
		if !v.Verified || v.Records < 5 {
			t.Errorf("%s: %d records, problems %q", level, v.Records, v.Problems)
		}
	}
	if now, err := os.ReadFile(k.path); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the case was changed: %v", err)
	}
}

// TestOldBundles verifies what an earlier version exported, and exports the same records.
func TestOldBundles(t *testing.T) {
	inspecttest.Alone(t)
	list, err := filepath.Glob("testdata/bundles/*.zip.gz")
	if err != nil || len(list) != 3 {
		t.Fatalf("%d bundles, %v", len(list), err)
	}
	unpacked := func(name string) []byte {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, name := range list {
		old := unpacked(name)
		format, level, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".zip.gz"), "-")
		k := &testCase{t: t, path: filepath.Join(t.TempDir(), "old.constat"), key: "../testdata/" + format + "/log.key"}
		if err := os.WriteFile(k.path, unpacked("../testdata/"+format+"/case.constat.gz"), 0o400); err != nil {
			t.Fatal(err)
		}
		v := verify(t, old, evidence.VerifyOptions{Verifier: k.verifier()})
		if !v.Verified || !v.Signed || v.Records < 5 {
			t.Errorf("%s: %d records, problems %q", name, v.Records, v.Problems)
		}
		was, is := files(t, old), files(t, k.export(export.Options{Level: export.Level(level)}))
		for _, file := range []string{"data/records/000000000000.jsonl", "proof/log.tlog", "proof/checkpoint"} {
			if len(was[file]) == 0 || !bytes.Equal(was[file], is[file]) {
				t.Errorf("%s: the records are exported otherwise: %s", name, file)
			}
		}
	}
}

// TestRunningCase exports while records come in: what the newest checkpoint covers.
func TestRunningCase(t *testing.T) {
	k := newCase(t)
	k.affair()
	if _, err := k.c.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := k.export(export.Options{})
	k.exchange("GET", "https://late.example/after-the-checkpoint-5577", "", nil, []byte("{}"), noCut)
	b := k.export(export.Options{})
	v := verify(t, b, evidence.VerifyOptions{Verifier: k.verifier()})
	if !v.Verified {
		t.Errorf("problems %q", v.Problems)
	}
	if found := leaks(t, b, []string{"after-the-checkpoint-5577"}); len(found) > 0 {
		t.Errorf("what no checkpoint covers is in it: %v", found)
	}
	is, was := files(t, b), files(t, first)
	for _, name := range []string{"data/records/000000000000.jsonl", "data/capture.sqlite", "proof/log.tlog", "proof/checkpoint"} {
		if !bytes.Equal(is[name], was[name]) {
			t.Errorf("%s is another", name)
		}
	}
	k.close()
}

// TestDamagedCase: what is not as it was logged is not exported as if it was.
func TestDamagedCase(t *testing.T) {
	k := newCase(t)
	k.affair()
	k.close()
	db, err := sql.Open("sqlite3", "file:"+k.path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("DROP TRIGGER exchange_fixed; UPDATE exchange SET path = '/other' WHERE id = 2"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = export.Write(t.Context(), io.Discard, k.open(), export.Options{Temp: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "exchange 2") {
		t.Errorf("exported with: %v", err)
	}
}

func TestCancelled(t *testing.T) {
	k := newCase(t)
	k.affair()
	k.close()
	ctx, stop := context.WithCancel(t.Context())
	temp := t.TempDir()
	_, err := export.Write(ctx, io.Discard, k.open(), export.Options{Temp: temp, Progress: func(string, int64, int64) { stop() }})
	if err == nil {
		t.Error("a cancelled export succeeds")
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
