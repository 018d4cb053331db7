package evidence

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"constat/inspect"
	"constat/inspect/decode"
)

const testCase = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

var (
	genesisKind = NewKind("genesis", Column{Name: "case_id", Type: Text}, Column{Name: "verifier", Type: Text})
	markKind    = NewKind("mark", Column{Name: "name", Type: Text}, Column{Name: "note", Type: Text, Sealed: true})
	placeKind   = NewKind("connection", Column{Name: "host", Type: Text}, Column{Name: "server_chain", Type: Text})
	trafficKind = NewKind(
		"exchange",
		Column{Name: "method", Type: Text}, Column{Name: "scheme", Type: Text}, Column{Name: "host", Type: Text}, Column{Name: "status", Type: Int}, Column{Name: "server", Type: Text},
		Column{Name: "path", Type: Text, Sealed: true}, Column{Name: "query", Type: Text, Sealed: true},
		Column{Name: "request_head", Type: Blob, Sealed: true}, Column{Name: "request_trailer", Type: Blob, Sealed: true},
		Column{Name: "request_size", Type: Int}, Column{Name: "request_kept", Type: Int},
		Column{Name: "request_sha256", Type: Blob, Sealed: true}, Column{Name: "request_kept_sha256", Type: Blob, Sealed: true},
		Column{Name: "response_head", Type: Blob, Sealed: true}, Column{Name: "response_trailer", Type: Blob, Sealed: true},
	)
	opinionKind = NewKind(
		"report", Column{Name: "exchange", Type: Int}, Column{Name: "frame", Type: Int}, Column{Name: "findings", Type: Text, Sealed: true},
	)
)

// entry is a record of the small log that tests are about.
type entry struct {
	kind   *Kind
	id     int64
	values []Value
	body   []byte
}

func testKey(t testing.TB, fill byte) (note.Signer, string) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{fill}, ed25519.SeedSize))
	s, err := NewSigner(Origin(testCase), key)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verifier(Origin(testCase), key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

// smallLog has a record of each kind that matters, and a finding whose path can be
// followed.
func smallLog(verifier string) (list []entry) {
	add := func(k *Kind, id int64, body []byte, v ...Value) { list = append(list, entry{k, id, v, body}) }
	add(genesisKind, 1, nil, TextValue(testCase), TextValue(verifier))
	certificate := sha256.Sum256([]byte("certificate"))
	for i := range int64(6) {
		add(markKind, i+1, nil, TextValue("idle"), TextValue(fmt.Sprintf("note \"%d\"\n\xff", i)))
		add(placeKind, i+1, nil, TextValue("a.example"), TextValue(fmt.Sprintf("%x", certificate)))
		body := fmt.Appendf(nil, `{"n":%d,"text":"aGVsbG8sIHdvcmxkISBoZWxsbw=="}`, i)
		sum := sha256.Sum256(body)
		add(trafficKind, i+1, body, TextValue("POST"), TextValue("https"), TextValue("a.example"), IntValue(200), TextValue("192.0.2.1:443"),
			TextValue("/p"), TextValue(""), BlobValue([]byte("POST /p HTTP/1.1\r\nContent-Type: application/json\r\n\r\n")), Value{},
			IntValue(int64(len(body))), IntValue(int64(len(body))), BlobValue(sum[:]), Value{}, BlobValue([]byte("HTTP/1.1 200 OK\r\n\r\n")), Value{})
		add(opinionKind, i+1, nil, IntValue(i+1), IntValue(0), TextValue(
			`[{"class":"sms","direction":"up","confidence":"probable","detector":"test","path":"request.body|json:text|base64","excerpt":"hello, world! hello","reason":"r"}]`,
		))
	}
	return list
}

// testBundle writes a bundle of the log; show says what is shown of an entry.
func testBundle(t testing.TB, list []entry, fill byte, show func(seq int) (withheld bool, d Disclosure)) []byte {
	t.Helper()
	signer, verifier := testKey(t, fill)
	salter := NewSalter(bytes.Repeat([]byte{7}, 32))
	var out bytes.Buffer
	b := NewBundle(&out, BundleOptions{CaseID: testCase, Signer: signer, Info: [][2]string{{"Bag-Software-Agent", "test"}}, Temp: t.TempDir()})
	defer b.Free()
	var hashes []tlog.Hash
	var checkpoints [][]byte
	var sizes []int64
	var tree Tree
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(at))
		for i, x := range at {
			found[i] = hashes[x]
		}
		return found, nil
	})
	bodies := map[string][]byte{}
	for i, e := range list {
		leaf := e.kind.AppendLeaf(nil, salter, e.id, e.values)
		stored, err := tlog.StoredHashes(int64(i), leaf, read)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, stored...)
		hash := tlog.RecordHash(leaf)
		tree.Append(hash)
		withheld, d := show(i)
		var line []byte
		if !withheld {
			line = e.kind.AppendLine(nil, salter, int64(i), e.id, e.values, d)
			if e.body != nil && (d.Hidden == nil || !d.Hidden("request_sha256")) {
				sum := sha256.Sum256(e.body)
				bodies[string(sum[:])] = e.body
			}
		}
		if err := b.Record(int64(i), hash, line); err != nil {
			t.Fatal(err)
		}
		if i%8 == 0 || i == len(list)-1 {
			c := Checkpoint{Origin: Origin(testCase), Size: int64(i) + 1, Root: tree.Root(), Time: fmt.Sprintf("2026-01-01T00:%02d:00.000000Z", i)}
			signed, err := c.Sign(signer)
			if err != nil {
				t.Fatal(err)
			}
			checkpoints, sizes = append(checkpoints, signed), append(sizes, c.Size)
		}
	}
	for _, sum := range sortedKeys(bodies) {
		if err := b.AddBody([32]byte([]byte(sum)), bytes.NewReader(bodies[sum])); err != nil {
			t.Fatal(err)
		}
	}
	certificate := []byte("certificate")
	if err := b.AddCertificate(sha256.Sum256(certificate), certificate); err != nil {
		t.Fatal(err)
	}
	if err := b.Add("data/protocol.json", text("{}\n")); err != nil {
		t.Fatal(err)
	}
	size := int64(len(list))
	err := b.AddProofs(Proofs{
		Verifier: verifier, Checkpoint: checkpoints[len(checkpoints)-1], Inclusion: []int64{0, 3, size - 1}, Consistency: [][2]int64{{sizes[0], size}, {sizes[1], size}}, Hashes: read,
		All: func(each func([]byte) error) error {
			for _, c := range checkpoints {
				if err := each(c); err != nil {
					return err
				}
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Add(GuideName, text("# Guide\n")); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func sortedKeys(m map[string][]byte) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return keys
}

func showAll(int) (bool, Disclosure) { return false, Disclosure{} }

func small(t testing.TB) ([]byte, string) {
	t.Helper()
	_, verifier := testKey(t, 1)
	return testBundle(t, smallLog(verifier), 1, showAll), verifier
}

var inspector = sync.OnceValues(func() (*inspect.Inspector, error) { return inspect.New(inspect.Config{Decoders: decode.All}) })

func check(t testing.TB, b []byte, verifier string) *Verdict {
	t.Helper()
	in, err := inspector()
	if err != nil {
		t.Fatal(err)
	}
	v, err := VerifyBundle(context.Background(), bytes.NewReader(b), int64(len(b)), VerifyOptions{Verifier: verifier, Inspector: in})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBundle(t *testing.T) {
	b, verifier := small(t)
	v := check(t, b, verifier)
	if len(v.Problems) > 0 || !v.Verified {
		t.Fatalf("problems: %q", v.Problems)
	}
	if len(v.Reservations) != 1 || !strings.Contains(v.Reservations[0], "no time stamp") {
		t.Errorf("reservations: %q", v.Reservations)
	}
	type figures struct{ Records, Withheld, Values, Hidden, Bodies, Checkpoints, Inclusion, Consistency, Same, Failed int64 }
	got := figures{v.Records, v.Withheld, v.Values, v.Hidden, v.Bodies, v.Checkpoints, v.Inclusion, v.Consistency, v.Replay.Same, v.Replay.Failed}
	if diff := cmp.Diff(figures{25, 0, 6 * (1 + 8 + 1), 0, 6, 4, 3, 2, 6, 0}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !v.Signed {
		t.Error("the manifests are not signed")
	}
	again, _ := small(t)
	if !bytes.Equal(b, again) {
		t.Error("the same log gives another bundle")
	}
	if v := check(t, b, ""); !v.Verified || len(v.Reservations) != 2 {
		t.Errorf("without a key: verified %v, reservations %q", v.Verified, v.Reservations)
	}
	if _, other := testKey(t, 2); check(t, b, other).Verified {
		t.Error("verified with another key")
	}
}

// TestContainerIsZIP reads the container with another implementation.
func TestContainerIsZIP(t *testing.T) {
	b, _ := small(t)
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	mine := unpack(t, b)
	if len(z.File) != len(mine) {
		t.Fatalf("%d files instead of %d", len(z.File), len(mine))
	}
	for i, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %s", f.Name, err)
		}
		if f.Name != BagDir(testCase)+mine[i].name || !bytes.Equal(data, mine[i].data) {
			t.Errorf("%s differs", f.Name)
		}
	}
}

func TestRedactedBundle(t *testing.T) {
	_, verifier := testKey(t, 1)
	secret := "note"
	b := testBundle(t, smallLog(verifier), 1, func(seq int) (bool, Disclosure) {
		if seq == 5 || seq == 6 || seq == 24 {
			return true, Disclosure{}
		}
		star := "…"
		return false, Disclosure{Hidden: func(string) bool { return true }, Masked: func(c string) *string {
			if c == "path" {
				return &star
			}
			return nil
		}}
	})
	v := check(t, b, verifier)
	if !v.Verified {
		t.Fatalf("problems: %q", v.Problems)
	}
	if v.Values != 0 || v.Hidden != 60-2 || v.Withheld != 3 || v.Bodies != 0 {
		t.Errorf("%d values, %d hidden, %d withheld, %d bodies", v.Values, v.Hidden, v.Withheld, v.Bodies)
	}
	for _, f := range unpack(t, b) {
		if bytes.Contains(f.data, []byte(secret+` \"`)) {
			t.Errorf("%s has a hidden value", f.name)
		}
	}
}

// TestAnyByte flips bits all over a bundle: each must be found, and the message must
// name what it is in.
func TestAnyByte(t *testing.T) {
	b, verifier := small(t)
	o, err := open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	type place struct {
		name       string
		begin, end int64 // of the content
	}
	var places []place
	_ = o.each(func(f *fileInfo) error {
		at := f.offset + int64(len(f.appendLocal(nil)))
		places = append(places, place{f.name[len(o.folder):], at, at + f.packed})
		return nil
	})
	// Each file is hit, small ones everywhere, and so is what is between them.
	each := 30
	if testing.Short() || raceEnabled {
		each = 4
	}
	flip := func(at int64, in string) {
		bad := bytes.Clone(b)
		bad[at] ^= 1 << rand.IntN(8)
		v := check(t, bad, verifier)
		text := strings.Join(v.Problems, "\n")
		switch {
		case v.Verified:
			t.Fatalf("byte %d, in %s: not found", at, in)
		case in == "" && (strings.Contains(text, "the container") || strings.Contains(text, "header")), in != "" && strings.Contains(text, in):
		case compressed(in) && strings.Contains(text, "the container"):
			// Bits of a deflated stream that mean nothing: only the seal covers them.
		default:
			t.Errorf("byte %d, in %q: the message does not name it:\n%s", at, in, text)
		}
	}
	end := int64(0)
	for _, p := range append(places, place{"", int64(len(b)), int64(len(b))}) {
		for range min(each, int(p.begin-end)) {
			flip(end+rand.Int64N(p.begin-end), "")
		}
		for range min(each, int(p.end-p.begin)) {
			flip(p.begin+rand.Int64N(p.end-p.begin), p.name)
		}
		end = p.end
	}
}

type packedFile struct {
	name string
	data []byte
}

func unpack(t testing.TB, b []byte) (list []packedFile) {
	t.Helper()
	o, err := open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	err = o.each(func(f *fileInfo) error {
		data, err := io.ReadAll(o.reader(f))
		list = append(list, packedFile{f.name[len(o.folder):], data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// repack writes files as somebody does who has everything but the key: with new
// manifests, and without the note that signs them.
func repack(t testing.TB, folder string, list []packedFile) []byte {
	t.Helper()
	var out bytes.Buffer
	p := newPacker(&out, t.TempDir())
	defer p.free()
	var manifest, tags [2]bytes.Buffer
	var size, files int
	put := func(name string, data []byte) {
		s, _, err := p.add(folder+name, func(w io.Writer) error { _, err := w.Write(data); return err })
		if err != nil {
			t.Fatal(err)
		}
		into := &tags
		if rank(name) == 7 {
			return
		}
		if rank(name) == 1 || rank(name) == 2 {
			into = &manifest
			size += len(data)
			files++
		}
		fmt.Fprintf(&into[0], "%x  %s\n", s.sha256, name)
		fmt.Fprintf(&into[1], "%x  %s\n", s.sha512, name)
	}
	for _, f := range list {
		switch f.name {
		case fileManifest:
			put(f.name, manifest[0].Bytes())
		case fileManifest2:
			put(f.name, manifest[1].Bytes())
		case fileTags:
			put(f.name, tags[0].Bytes())
		case fileTags2:
			put(f.name, tags[1].Bytes())
		case fileNote:
		case fileInfoText:
			put(f.name, regexp.MustCompile(`(?m)^Payload-Oxum: .*$`).ReplaceAll(f.data, fmt.Appendf(nil, "Payload-Oxum: %d.%d", size, files)))
		default:
			put(f.name, f.data)
		}
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRepacked(t *testing.T) {
	b, verifier := small(t)
	v := check(t, repack(t, BagDir(testCase), unpack(t, b)), verifier)
	if !v.Verified || v.Signed {
		t.Errorf("verified %v, signed %v: %q", v.Verified, v.Signed, v.Problems)
	}
}

// TestChangedByHand changes bundles with manifests and all: what the log says must
// then find it.
func TestChangedByHand(t *testing.T) {
	b, verifier := small(t)
	files := unpack(t, b)
	records := partName(0)
	lines := func(data []byte) []string { return strings.SplitAfter(string(data), "\n") }
	of := func(change func(l []string) []string) func([]byte) []byte {
		return func(data []byte) []byte { return []byte(strings.Join(change(lines(data)), "")) }
	}
	replace := func(n int, from, to string) func([]byte) []byte {
		return of(func(l []string) []string {
			if !strings.Contains(l[n], from) {
				t.Fatalf("line %d has no %s", n, from)
			}
			l[n] = strings.Replace(l[n], from, to, 1)
			return l
		})
	}
	var body string
	for _, f := range files {
		if strings.HasPrefix(f.name, bodyDir) {
			body = f.name
		}
	}
	other := testBundle(t, append(smallLog(verifier), entry{markKind, 7, []Value{TextValue("x"), TextValue("y")}, nil}), 1, showAll)
	elsewhere := func(name string) []byte {
		for _, f := range unpack(t, other) {
			if f.name == name {
				return f.data
			}
		}
		return nil
	}
	for _, test := range []struct {
		name, file string
		change     func([]byte) []byte
		want       string
	}{
		{"open column", records, replace(2, "a.example", "b.example"), "connection 1 (entry 2 of the log) differs"},
		{"commitment", records, of(func(l []string) []string {
			l[1] = regexp.MustCompile(`"sealed":\{"note":"[^"]*"`).ReplaceAllString(l[1], `"sealed":{"note":"`+b64(make([]byte, 32))+`"`)
			return l
		}), "mark 1 (entry 1 of the log) differs"},
		{"value", records, replace(3, `"value":"/p"`, `"value":"/q"`), "exchange 1 (entry 3 of the log): the value of path"},
		{"value of another column", records, replace(3, `"shown":{"path"`, `"shown":{"method"`), "exchange 1 (entry 3 of the log): the value of method"},
		{"id", records, replace(1, `"id":1`, `"id":2`), "mark 2 (entry 1 of the log) differs"},
		{"white space", records, replace(1, `"id":1,`, `"id":1, `), "line 2"},
		{"number", records, replace(1, `"seq":1`, `"seq":01`), "line 2"},
		{"removed", records, of(func(l []string) []string { return append(l[:4:4], l[5:]...) }), "entry 4 of the log missing"},
		{"removed last", records, of(func(l []string) []string { return l[:24] }), "entry 24 of the log missing"},
		{"swapped", records, of(func(l []string) []string { l[6], l[7] = l[7], l[6]; return l }), "entry 6 of the log"},
		{"inserted", records, of(func(l []string) []string { return append(l[:6:6], append([]string{l[2]}, l[6:]...)...) }), "entry 2 of the log comes again"},
		{"added", records, of(func(l []string) []string {
			return append(l[:25:25], strings.Replace(l[24], `"seq":24`, `"seq":25`, 1))
		}), "entry 25 of the log): the log does not have it"},
		{"withheld without need", records, of(func(l []string) []string { l[24] = string(AppendWithheld(nil, 24, 7)); return l }), "withholds 7 entries"},
		{"genesis withheld", records, of(func(l []string) []string { l[0] = string(AppendWithheld(nil, 0, 1)); return l }), "the first entry"},
		{"cut", records, func(b []byte) []byte { return b[:len(b)-9] }, "has no end"},
		{"body", body, func(b []byte) []byte { return append([]byte("x"), b[1:]...) }, body},
		{"leaf hashes", fileLog, func(b []byte) []byte { b = bytes.Clone(b); b[40] ^= 1; return b }, fileLog},
		{"less leaf hashes", fileLog, func(b []byte) []byte { return b[:len(b)-32] }, fileLog},
		{"a checkpoint less", fileAll, func(b []byte) []byte { return b[:bytes.LastIndex(b[:len(b)-1], []byte("\n\nconstat"))+2] }, fileCheckpoint},
		{"a checkpoint of another log", fileCheckpoint, func([]byte) []byte { return elsewhere(fileCheckpoint) }, fileLog},
		{"another key", fileKey, func([]byte) []byte { _, k := testKey(t, 2); return []byte(k + "\n") }, fileKey},
		{"inclusion", InclusionName(3), func(b []byte) []byte { return bytes.Replace(b, []byte("index 3"), []byte("index 4"), 1) }, InclusionName(3)},
		{"inclusion of another", InclusionName(3), func([]byte) []byte { return elsewhere(InclusionName(3)) }, InclusionName(3)},
		{"consistency", consistencyName(1, 25), func([]byte) []byte { return elsewhere(consistencyName(9, 26)) }, consistencyName(1, 25)},
		{"version", fileInfoText, func(b []byte) []byte { return bytes.Replace(b, []byte("Format: 1"), []byte("Format: 2"), 1) }, "with a newer one"},
		{"identifier", fileInfoText, func(b []byte) []byte { return bytes.Replace(b, []byte("constat/01"), []byte("constat/02"), 1) }, fileInfoText},
		{"bag", fileBagit, func([]byte) []byte { return []byte("BagIt-Version: 0.97\n") }, fileBagit},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := false
			list := append([]packedFile(nil), files...)
			for i := range list {
				if list[i].name == test.file {
					list[i].data = test.change(list[i].data)
					changed = true
				}
			}
			if !changed {
				t.Fatalf("there is no %s", test.file)
			}
			v := check(t, repack(t, BagDir(testCase), list), verifier)
			if text := strings.Join(v.Problems, "\n"); v.Verified || !strings.Contains(text, test.want) {
				t.Errorf("want %q, got:\n%s", test.want, text)
			}
		})
	}
	for _, drop := range files {
		if drop.name == fileNote || strings.HasPrefix(drop.name, inclusionDir) || strings.HasPrefix(drop.name, consistencyDir) || drop.name == "data/protocol.json" {
			continue // what is not there proves nothing
		}
		t.Run("without "+drop.name, func(t *testing.T) {
			var list []packedFile
			for _, f := range files {
				if f.name != drop.name {
					list = append(list, f)
				}
			}
			v := check(t, repack(t, BagDir(testCase), list), verifier)
			if text := strings.Join(v.Problems, "\n"); v.Verified || !strings.Contains(text, drop.name) && drop.name != records {
				t.Errorf("got:\n%s", text)
			}
		})
	}
}

// TestHostileContainers packs what no bundle may have.
func TestHostileContainers(t *testing.T) {
	b, verifier := small(t)
	files := unpack(t, b)
	insert := func(name string, data []byte) []packedFile {
		list := append([]packedFile{}, files...)
		i := 0
		for i < len(list) && compareNames(list[i].name, name) < 0 {
			i++
		}
		return append(list[:i:i], append([]packedFile{{name, data}}, files[i:]...)...)
	}
	sum := sha256.Sum256([]byte("stranger"))
	for name, bad := range map[string][]byte{
		"stranger":       repack(t, BagDir(testCase), insert(fmt.Sprintf("%s%x", bodyDir, sum), []byte("stranger"))),
		"certificate":    repack(t, BagDir(testCase), insert(fmt.Sprintf("%s%x.der", certDir, sum), []byte("stranger"))),
		"traversal":      repack(t, BagDir(testCase), insert("data/../../../etc/passwd", nil)),
		"absolute":       repack(t, "/", files),
		"no folder":      repack(t, "", files),
		"other folder":   repack(t, "constat-01ARZ3NDEKTSV4RRFFQ69G5FAW/", files),
		"backslash":      repack(t, BagDir(testCase), insert(`data/a\b.txt`, nil)),
		"hidden":         repack(t, BagDir(testCase), insert("data/.bashrc", nil)),
		"option":         repack(t, BagDir(testCase), insert("data/-rf", nil)),
		"control":        repack(t, BagDir(testCase), insert("data/a\x1b[2J", nil)),
		"long":           repack(t, BagDir(testCase), insert("data/"+strings.Repeat("a", 300), nil)),
		"deep":           repack(t, BagDir(testCase), insert("data/a/b/c/d/e/f/g", nil)),
		"twice":          repack(t, BagDir(testCase), append(files[:3:3], files[2:]...)),
		"elsewhere":      repack(t, BagDir(testCase), insert("run.sh", nil)),
		"order":          repack(t, BagDir(testCase), append(files[3:4:4], append(files[:3:3], files[4:]...)...)),
		"empty":          nil,
		"not a zip":      []byte(strings.Repeat("PK\x05\x06", 100)),
		"before":         append([]byte("x"), b...),
		"behind":         append(bytes.Clone(b), 'x'),
		"between":        append(bytes.Clone(b[:len(b)-sealSize]), append([]byte("x"), b[len(b)-sealSize:]...)...),
		"bundle in path": repack(t, BagDir(testCase), insert("data/records/0.jsonl", nil)),
	} {
		if v := check(t, bad, verifier); v.Verified {
			t.Errorf("%s: verified", name)
		}
	}
	v := check(t, repack(t, BagDir(testCase), insert("data/more.txt", []byte("more"))), verifier)
	if !v.Verified || v.Signed || len(v.Reservations) != 2 {
		t.Errorf("a file more, with new manifests: %q %q", v.Problems, v.Reservations)
	}
}

// TestPlanted: somebody swaps a report and writes the manifests anew, but cannot sign
// them and keeps the note that is there.
func TestPlantedReport(t *testing.T) {
	b, verifier := small(t)
	list := unpack(t, b)
	var kept packedFile
	for i := range list {
		switch list[i].name {
		case "data/protocol.json":
			list[i].data = []byte("{\"planted\":true}\n")
		case fileNote:
			kept = list[i]
		}
	}
	// repack drops the note, so it goes in under the name it has to have.
	bad := repackWith(t, list, kept)
	v := check(t, bad, verifier)
	if text := strings.Join(v.Problems, "\n"); v.Verified || !strings.Contains(text, fileNote) {
		t.Errorf("got:\n%s", text)
	}
}

// repackWith is repack with a note that need not fit.
func repackWith(t testing.TB, list []packedFile, signed packedFile) []byte {
	t.Helper()
	files := unpack(t, repack(t, BagDir(testCase), list))
	var out bytes.Buffer
	p := newPacker(&out, t.TempDir())
	defer p.free()
	for _, f := range append(files, signed) {
		if _, _, err := p.add(BagDir(testCase)+f.name, func(w io.Writer) error { _, err := w.Write(f.data); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestHostileRecords: whoever has a key of their own can sign anything.
func TestHostileRecords(t *testing.T) {
	_, verifier := testKey(t, 1)
	report := func(id int64, findings string) entry {
		return entry{opinionKind, id, []Value{IntValue(1), IntValue(0), TextValue(findings)}, nil}
	}
	deep := strings.Repeat("[", 1<<20)
	path := strings.Repeat("request.body|", 1<<16)
	for name, more := range map[string]entry{
		"far away":   {markKind, 1 << 52, []Value{TextValue("x"), TextValue("y")}, nil},
		"far report": {opinionKind, 7, []Value{IntValue(1 << 52), IntValue(1 << 53), TextValue("[]")}, nil},
		"negative":   {opinionKind, 7, []Value{IntValue(-5), IntValue(-1 << 63), TextValue("[]")}, nil},
		"no list":    report(7, "{}"),
		"no JSON":    report(7, "["),
		"deep":       report(7, deep),
		"no path":    report(7, `[{},{"path":"|||"},{"path":"frame"},{"path":"upload"},{"path":"request.body|gzip|gzip","start":-1,"end":99999999}]`),
		"long path":  report(7, `[{"path":"`+path+`"}]`),
		"many":       report(7, `[`+strings.Repeat(`{"path":"request.body"},`, 50_000)+`{}]`),
	} {
		v := check(t, testBundle(t, append(smallLog(verifier), more), 1, showAll), verifier)
		if !v.Verified {
			t.Errorf("%s: what was signed is not verified: %q", name, v.Problems)
		}
		if len(v.Reservations) > 10 {
			t.Errorf("%s: %d reservations", name, len(v.Reservations))
		}
	}
}

func TestTruncated(t *testing.T) {
	b, verifier := small(t)
	for n := 0; n < len(b); n += 1 + n/50 {
		if check(t, b[:n], verifier).Verified {
			t.Fatalf("the first %d of %d bytes are verified", n, len(b))
		}
		if check(t, b[len(b)-n:], verifier).Verified {
			t.Fatalf("the last %d of %d bytes are verified", n, len(b))
		}
	}
}

// TestManyFiles needs the form of ZIP for more than 65,535 files.
func TestManyFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 70,000 files; run it without -short")
	}
	var out bytes.Buffer
	p := newPacker(&out, t.TempDir())
	defer p.free()
	const files = 70_000
	for i := range files {
		if _, _, err := p.add(fmt.Sprintf("%s%s%064x", BagDir(testCase), bodyDir, uint64(i)<<32|1<<63), func(w io.Writer) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil || len(z.File) != files {
		t.Fatalf("archive/zip: %v", err)
	}
	if o, err := open(bytes.NewReader(out.Bytes()), int64(out.Len())); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("names whose halves are equal: %v, %v", o != nil, err)
	}
}

// TestLargeNumbers: what does not fit into 32 bits is written and read back.
func TestLargeNumbers(t *testing.T) {
	for _, f := range []fileInfo{
		{name: "a/data/bodies/x", size: 5 << 32, packed: 5 << 32, offset: 3},
		{name: "a/data/bodies/x", size: 1, packed: 1, offset: 5 << 32},
		{name: "a/data/x.json", size: 5 << 32, packed: 7, offset: 6 << 32},
		{name: "a/data/x.json", size: max32, packed: max32 - 1, offset: max32},
	} {
		b := f.appendCentral(nil)
		got, head, err := readCentral(newBuffered(b), nil)
		if err != nil || !bytes.Equal(head, b) || got != f {
			t.Errorf("%+v is read as %+v, %v", f, got, err)
		}
		local := f.appendLocal(nil)
		if (f.size >= max32 || f.packed >= max32) != (len(local) == 30+len(f.name)+20) {
			t.Errorf("%+v: local header of %d bytes", f, len(local))
		}
	}
}

func FuzzVerifyBundle(f *testing.F) {
	b, _ := small(f)
	f.Add(b)
	f.Add(b[:len(b)/2])
	_, verifier := testKey(f, 1)
	f.Fuzz(func(t *testing.T, data []byte) {
		if v := check(t, data, verifier); v.Verified && !bytes.Equal(data, b) && v.Signed {
			t.Errorf("another bundle is verified")
		}
	})
}

// FuzzFile puts other content into one file, with manifests that fit.
func FuzzFile(f *testing.F) {
	b, verifier := small(f)
	files := unpack(f, b)
	for i, file := range files {
		f.Add(i, file.data)
	}
	f.Fuzz(func(t *testing.T, i int, data []byte) {
		if i < 0 || i >= len(files) || len(data) > 1<<16 {
			return
		}
		name := files[i].name
		list := append([]packedFile(nil), files...)
		list[i].data = data
		v := check(t, repack(t, BagDir(testCase), list), verifier)
		means := !strings.HasPrefix(name, "manifest-") && rank(name) < 6 && name != fileInfoText && name != "data/protocol.json"
		if v.Verified && means && !bytes.Equal(data, files[i].data) {
			t.Errorf("verified with another %s", name)
		}
	})
}

func FuzzParseLine(f *testing.F) {
	b, _ := small(f)
	for _, file := range unpack(f, b) {
		if strings.HasPrefix(file.name, recordDir) {
			for line := range strings.Lines(string(file.data)) {
				f.Add([]byte(strings.TrimSuffix(line, "\n")))
			}
		}
	}
	f.Add([]byte(`{"count":3,"seq":18,"withheld":true}`))
	f.Add([]byte(`{"leaf":{"id":1,"kind":"a","open":{},"sealed":{"b":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}},"masked":{"b":"x"},"seq":1,"shown":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var l line
		if parseLine(text, &l) != nil {
			return
		}
		// A line that is accepted has one way of being written.
		var out []byte
		if l.count > 0 {
			out = AppendWithheld(nil, l.seq, l.count)
			out = out[:len(out)-1]
		} else {
			out = append(append(out, `{"leaf":`...), l.leaf...)
			if len(l.masked) > 0 {
				out = append(out, `,"masked":{`...)
				for i, m := range l.masked {
					if i > 0 {
						out = append(out, ',')
					}
					out = append(append(append(out, m.name...), ':'), m.value...)
				}
				out = append(out, '}')
			}
			out = fmt.Appendf(out, `,"seq":%d,"shown":{`, l.seq)
			for i, s := range l.shown {
				if i > 0 {
					out = append(out, ',')
				}
				out = fmt.Appendf(out, `%s:{"salt":"%s","value":%s}`, s.name, b64(s.salt[:]), s.value)
			}
			out = append(out, "}}"...)
		}
		if !bytes.Equal(out, text) {
			t.Errorf("%q is written again as %q", text, out)
		}
		for _, m := range l.open {
			name := string(unquoted(m.name))
			l.text(name)
			l.integer(name)
			l.blob(name)
		}
	})
}
