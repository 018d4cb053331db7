package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// with returns files with one more in its place.
func with(files []packedFile, name string, data []byte) []packedFile {
	i := 0
	for i < len(files) && compareNames(files[i].name, name) < 0 {
		i++
	}
	return append(files[:i:i], append([]packedFile{{name, data}}, files[i:]...)...)
}

// packRaw packs files as they are.
func packRaw(t testing.TB, files []packedFile) []byte {
	t.Helper()
	var out bytes.Buffer
	p := newPacker(&out, t.TempDir())
	defer p.free()
	for _, f := range files {
		if _, _, err := p.add(BagDir(testCase)+f.name, func(w io.Writer) error { _, err := w.Write(f.data); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestNoFileBesideTheManifests adds files to a bundle whose manifests are signed,
// without the key: none may go unnoticed.
func TestNoFileBesideTheManifests(t *testing.T) {
	b, verifier := small(t)
	files := unpack(t, b)
	if v := check(t, packRaw(t, files), verifier); !v.Verified || !v.Signed {
		t.Fatalf("the same files: %q", v.Problems)
	}
	for _, name := range []string{
		"tagmanifest-a.txt", "tagmanifest-report.html", "tagmanifest-/report.html", "manifest-md5.txt", "proof/extra", "proof/inclusion",
		"verify/READ-ME-FIRST.html", "data/more.txt", "data/records/000000000099.jsonl", "proof/inclusion/x", "fetch.txt",
	} {
		if v := check(t, packRaw(t, with(files, name, []byte("planted\n"))), verifier); v.Verified {
			t.Errorf("%s is in a bundle that is verified, signed: %v", name, v.Signed)
		}
	}
}

// TestNamesThatClash has names that a file system could take for each other, in a
// bundle whose manifests list them.
func TestNamesThatClash(t *testing.T) {
	b, verifier := small(t)
	files := unpack(t, b)
	for _, name := range []string{
		"data/Protocol.json", "data/PROTOCOL.JSON", "data/protocol.json.", "data/protocol.json/x", "data/con", "data/aux.html", "data/lpt1.txt", "data/x./y",
		"data/records", "data/bodies", "data/certificates", "verify/verify.md", "Data/x", "proof/key/x", "data/certificates/x.der",
		"manifest-md5.txt", "manifest-sha256.txt/x", "proof/other", "verify/other.md", "data/Bodies/x", "data/bodies/X",
	} {
		if v := check(t, repack(t, BagDir(testCase), with(files, name, nil)), verifier); v.Verified {
			t.Errorf("%s is in a bundle that is verified", name)
		}
	}
	for _, name := range []string{"data/report.html", "data/protocol", "data/com10", "data/console.txt", "data/records.txt"} {
		if v := check(t, repack(t, BagDir(testCase), with(files, name, nil)), verifier); !v.Verified {
			t.Errorf("%s: %q", name, v.Problems)
		}
	}
}

// TestOwnKey is what somebody writes who has a key of his own and wants to see it
// called proved.
func TestOwnKey(t *testing.T) {
	_, verifier := testKey(t, 1)
	log := func() []entry { return smallLog(verifier) }
	exchange := func(id, kept int64, body []byte, sum [32]byte) entry {
		return entry{trafficKind, id, []Value{
			TextValue("POST"), TextValue("https"), TextValue("a.example"), IntValue(200), TextValue(""), TextValue("/p"), TextValue(""),
			BlobValue([]byte("POST /p HTTP/1.1\r\n\r\n")),
			{},
			IntValue(int64(len(body))), IntValue(kept), BlobValue(sum[:]),
			{},
			BlobValue([]byte("HTTP/1.1 200 OK\r\n\r\n")),
			{},
		}, body}
	}
	report := func(id, on int64, findings string) entry {
		return entry{opinionKind, id, []Value{IntValue(on), IntValue(0), TextValue(findings)}, nil}
	}
	body := []byte("seven bytes and more")
	half := sha256.Sum256(body)
	half[31] ^= 1
	anything := `[{"class":"sms","path":"request.body","excerpt":"seven bytes and more"}]`
	for _, test := range []struct {
		name string
		log  []entry
		want string
	}{
		{"two exchanges of one number", append(log(), exchange(6, int64(len(body)), body, sha256.Sum256(body))), "exchange 6 (entry 25 of the log): there is another"},
		{"two connections of one number", append(log(), log()[2]), "connection 1 (entry 25 of the log): there is another"},
		{"a body called by half of its hash", append(log(), exchange(7, int64(len(body)), body, half)), "is missing"},
		{"a negative size", append(log(), exchange(7, -5, body, sha256.Sum256(body)), report(7, 7, anything)), "does not have the -5 bytes"},
		{"the same body with another size", append(log(), exchange(7, int64(len(body)), body, sha256.Sum256(body)), exchange(8, 3, body, sha256.Sum256(body))), "exchange 8 (entry 26 of the log)"},
		{"an open column that is sealed", append(log(), entry{NewKind("mark", Column{Name: "note", Type: Text}), 7, []Value{TextValue("x")}, nil}), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := check(t, testBundle(t, test.log, 1, showAll), verifier)
			if text := strings.Join(v.Problems, "\n"); v.Verified != (test.want == "") || !strings.Contains(text, test.want) {
				t.Errorf("want %q, got:\n%s", test.want, text)
			}
		})
	}
	t.Run("an exchange that is not there", func(t *testing.T) {
		v := check(t, testBundle(t, append(log(), report(7, 9, anything)), 1, showAll), verifier)
		if v.Replay.Withheld != 0 || v.Replay.Failed != 1 {
			t.Errorf("nothing is withheld, and the findings are counted so: %+v", v.Replay)
		}
	})
	t.Run("a picture that is none", func(t *testing.T) {
		v := check(t, testBundle(t, append(log(), exchange(7, int64(len(body)), body, sha256.Sum256(body)),
			report(7, 7, `[{"class":"photo","detector":"photo","path":"request.body","excerpt":"JPEG, 4000 × 3000"}]`)), 1, showAll), verifier)
		if text := strings.Join(v.Proven, "\n"); strings.Contains(text, "to the picture") {
			t.Errorf("a text is called a picture:\n%s", text)
		}
	})
}

// TestCheckpointText: nothing can be written into a checkpoint that a verifier repeats.
func TestCheckpointText(t *testing.T) {
	signer, _ := testKey(t, 1)
	for _, text := range []string{
		"", "yesterday", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00,000000Z", "2026-02-30T00:00:00.000000Z",
		"2026-01-01T00:00:00.000000Z, are proved by a court. All", "2026-01-01T00:00:00.0000000Z", "2026-01-01T00:00:00.000000+00:00",
	} {
		signed, err := Checkpoint{Origin: Origin(testCase), Size: 1, Time: text}.Sign(signer)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := parseSigned(signed); err == nil {
			t.Errorf("%q is taken for a time: %q", text, c.Time)
		}
	}
}

// TestSameVerdict: the same bundle has the same verdict, to the last word.
func TestSameVerdict(t *testing.T) {
	b, verifier := small(t)
	list := unpack(t, b)
	for i := range list {
		if name := list[i].name; strings.HasPrefix(name, inclusionDir) || strings.HasPrefix(name, consistencyDir) {
			list[i].data = []byte("nothing\n")
		}
	}
	for i := range 20 {
		list = with(list, fmt.Sprintf("%s%x.der", certDir, sha256.Sum256([]byte{byte(i)})), []byte{byte(i)})
	}
	b = repack(t, BagDir(testCase), list)
	first := check(t, b, verifier)
	if len(first.Problems) < 25 {
		t.Fatalf("problems: %q", first.Problems)
	}
	for range 5 {
		if diff := cmp.Diff(first, check(t, b, verifier)); diff != "" {
			t.Fatalf("(-first +again):\n%s", diff)
		}
	}
}

// TestPathsCost: whoever signs many paths that lead nowhere does not keep a verifier
// at them.
func TestPathsCost(t *testing.T) {
	_, verifier := testKey(t, 1)
	var findings strings.Builder
	const many = 5000
	for i := range many {
		fmt.Fprintf(&findings, `,{"path":"request.body|json:n%d"}`, i)
	}
	report := entry{opinionKind, 7, []Value{IntValue(1), IntValue(0), TextValue("[" + findings.String()[1:] + "]")}, nil}
	v := check(t, testBundle(t, append(smallLog(verifier), report), 1, showAll), verifier)
	if r := v.Replay; !v.Verified || r.Failed < 100 || r.Failed > many/5 || r.Left != many-r.Failed || !strings.Contains(strings.Join(v.Reservations, "\n"), "because they are many") {
		t.Errorf("problems %q, reservations %q, %d failed, %d left", v.Problems, v.Reservations, r.Failed, r.Left)
	}
}

// TestFindingsAreOneList: what stands behind the list of findings is not passed over.
func TestFindingsAreOneList(t *testing.T) {
	_, verifier := testKey(t, 1)
	const one = `{"class":"sms","path":"request.body"}`
	for _, findings := range []string{one, "5", "null", "[", "[]" + one, "[" + one + "]5", "[" + one + "]]", "[" + one} {
		report := entry{opinionKind, 7, []Value{IntValue(1), IntValue(0), TextValue(findings)}, nil}
		v := check(t, testBundle(t, append(smallLog(verifier), report), 1, showAll), verifier)
		if text := strings.Join(v.Reservations, "\n"); !strings.Contains(text, "report 7 (entry 25 of the log): its findings cannot be read") {
			t.Errorf("%s: %s", findings, text)
		}
	}
}

// TestHugeNumbers: no number in a bundle makes a verifier ask for that much memory.
func TestHugeNumbers(t *testing.T) {
	signer, verifier := testKey(t, 1)
	for _, size := range []int64{1 << 36, 1<<59 + 26, 1 << 62, 1<<63 - 1} {
		list := append(smallLog(verifier), entry{markKind, 1 << 32, []Value{TextValue("x"), TextValue("y")}, nil})
		signed, err := Checkpoint{Origin: Origin(testCase), Size: size, Time: "2026-01-01T00:00:00.000000Z"}.Sign(signer)
		if err != nil {
			t.Fatal(err)
		}
		files := unpack(t, testBundle(t, list, 1, showAll))
		for i := range files {
			switch files[i].name {
			case fileCheckpoint:
				files[i].data = signed
			case fileAll:
				files[i].data = append(bytes.Clone(signed), '\n')
			}
		}
		b := repack(t, BagDir(testCase), files)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v := check(t, b, verifier)
		runtime.ReadMemStats(&after)
		if made := after.TotalAlloc - before.TotalAlloc; v.Verified || made > 256<<20 {
			t.Errorf("size %d: verified %v, %d MiB of memory", size, v.Verified, made>>20)
		}
	}
}

func TestEmptyLog(t *testing.T) {
	b, verifier := small(t)
	signer, _ := testKey(t, 1)
	signed, err := Checkpoint{Origin: Origin(testCase), Root: new(Tree).Root(), Time: "2026-01-01T00:00:00.000000Z"}.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	var list []packedFile
	for _, f := range unpack(t, b) {
		switch {
		case strings.HasPrefix(f.name, recordDir), strings.HasPrefix(f.name, bodyDir), strings.HasPrefix(f.name, certDir), strings.HasPrefix(f.name, consistencyDir):
			continue
		case f.name == fileLog:
			f.data = nil
		case f.name == fileCheckpoint:
			f.data = signed
		case f.name == fileAll:
			f.data = append(bytes.Clone(signed), '\n')
		}
		list = append(list, f)
	}
	if v := check(t, repack(t, BagDir(testCase), list), verifier); v.Verified {
		t.Errorf("a bundle of nothing is verified, with %d proofs looked at", v.Inclusion)
	}
}

// TestRecordFiles: records are in files as the format says.
func TestRecordFiles(t *testing.T) {
	b, verifier := small(t)
	files := unpack(t, b)
	if v := check(t, repack(t, BagDir(testCase), with(files, partName(7), nil)), verifier); v.Verified {
		t.Error("a file without records hides where they are")
	}
	large := smallLog(verifier)
	for i := range int64(3) {
		large = append(large, entry{markKind, 7 + i, []Value{TextValue("x"), TextValue(strings.Repeat("x", partSize/2))}, nil})
	}
	b = testBundle(t, large, 1, showAll)
	if v := check(t, b, verifier); !v.Verified {
		t.Fatalf("problems: %q", v.Problems)
	}
	var one packedFile
	var list []packedFile
	for _, f := range unpack(t, b) {
		if strings.HasPrefix(f.name, recordDir) {
			if one.name == "" {
				one.name = f.name
			}
			one.data = append(one.data, f.data...)
			continue
		}
		list = append(list, f)
	}
	if v := check(t, repack(t, BagDir(testCase), with(list, one.name, one.data)), verifier); v.Verified {
		t.Error("all records are in one file, however large")
	}
}

// TestFilesOfRecordsAreSmall: a line that says what is withheld goes into the next file, too,
// when there is no room.
func TestFilesOfRecordsAreSmall(t *testing.T) {
	for _, room := range []int{60, 20, 0} {
		b := NewBundle(io.Discard, BundleOptions{CaseID: testCase, Temp: t.TempDir()})
		for seq, l := range [][]byte{bytes.Repeat([]byte("x"), partSize-room), nil} {
			if err := b.Record(int64(seq), [32]byte{}, l); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.before("data/x"); err != nil {
			t.Fatal(err)
		}
		if n := newestSize(b); n > partSize {
			t.Errorf("with room for %d bytes: a file has %d", room, n)
		}
		b.Free()
	}
}

// newestSize is the size of the file that b wrote last.
func newestSize(b *Bundle) int64 {
	var size int64
	r := newBuffered(b.p.central.buf.Bytes())
	for {
		f, _, err := readCentral(r, nil)
		if err != nil {
			return size
		}
		size = f.size
	}
}

func TestBagInfo(t *testing.T) {
	_, verifier := testKey(t, 1)
	for name, change := range map[string]string{
		"another case first": "External-Identifier: constat/OTHER\n",
		"another format":     "Constat-Bundle-Format: 1\n",
		"shows all":          "Constat-Shows: full\n",
	} {
		hide := func(int) (bool, Disclosure) { return false, Disclosure{} }
		if name == "shows all" {
			hide = func(int) (bool, Disclosure) { return false, Disclosure{Hidden: func(string) bool { return true }} }
		}
		b := testBundle(t, smallLog(verifier), 1, hide)
		list := unpack(t, b)
		for i := range list {
			if list[i].name == fileInfoText {
				list[i].data = append([]byte(change), list[i].data...)
			}
		}
		if v := check(t, repack(t, BagDir(testCase), list), verifier); v.Verified {
			t.Errorf("%s: verified", name)
		}
	}
}

// TestLineForms has lines that other readers of JSON would read in another way, or
// that could be written in another.
func TestLineForms(t *testing.T) {
	seal := strings.Repeat("A", 43) + "="
	for _, test := range []struct {
		open, sealed string
		ok           bool
	}{
		{`"a":"x"`, `"b":"` + seal + `"`, true},
		{`"a":"\"\\\b\t\n\f\r\u0000\u001f/é"`, ``, true},
		{`"a":9007199254740991`, ``, true},
		{`"a":"9007199254740993"`, ``, true},
		{`"a":{"base64":"/w=="}`, ``, true},
		{`"a":"x","a":"y"`, ``, false},
		{`"a":"\u0041"`, ``, false},
		{`"a":"\u001F"`, ``, false},
		{`"a":"\u000a"`, ``, false},
		{`"a":"\/"`, ``, false},
		{`"a":"\q"`, ``, false},
		{"\"a\":\"\t\"", ``, false},
		{`"a":9007199254740992`, ``, false},
		{`"a":-9007199254740992`, ``, false},
		{`"a":{"base64":"YQ=="}`, ``, false}, // it is UTF-8
		{`"a":{"base64":"/x=="}`, ``, false},
		{`"a":{"base64":"?"}`, ``, false},
		{``, `"b":"c"`, false},
		{`"b":"x"`, `"b":"` + seal + `"`, false}, // which of them is it?
	} {
		text := fmt.Sprintf(`{"leaf":{"id":1,"kind":"k","open":{%s},"sealed":{%s}},"seq":1,"shown":{}}`, test.open, test.sealed)
		if err := parseLine([]byte(text), new(line)); (err == nil) != test.ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestCommitmentForms reads each last character that a hash could have, as a decoder does.
func TestCommitmentForms(t *testing.T) {
	for _, head := range []string{strings.Repeat("A", 42), strings.Repeat("+", 21) + strings.Repeat("/", 21), strings.Repeat("z", 41) + "-", strings.Repeat("9", 41), strings.Repeat("9", 43), strings.Repeat("A", 41) + "\\"} {
		for last := range byte(0x80) {
			text := `"` + head + string(rune(last)) + `="`
			c := cursor{text: []byte(text + "}")}
			var sum [sha256.Size]byte
			if got, want := string(c.commitment()) == text, decodeHash([]byte(text), &sum); got != want || got == c.bad {
				t.Errorf("%s: %v, and decoded: %v", text, got, want)
			}
		}
	}
}

// TestKeyForms: one key is written in one way.
func TestKeyForms(t *testing.T) {
	for fill := range 255 { // some have a plus sign in their base64
		_, key := testKey(t, byte(fill))
		if _, err := openVerifier(key); err != nil {
			t.Errorf("%s: %s", key, err)
		}
	}
	b, verifier := small(t)
	name, rest, _ := strings.Cut(verifier, "+")
	hash, key, _ := strings.Cut(rest, "+")
	for _, other := range []string{name + "+" + strings.ToUpper(hash) + "+" + key, name + "+" + hash + "+" + key[:8] + "\r\n" + key[8:]} {
		if other == verifier {
			continue
		}
		list := unpack(t, b)
		for i := range list {
			if list[i].name == fileKey {
				list[i].data = []byte(other + "\n")
			}
		}
		text := strings.Join(check(t, repack(t, BagDir(testCase), list), "").Problems, "\n")
		if !strings.Contains(text, "holds no verifier key") {
			t.Errorf("%q is taken for a key:\n%s", other, text)
		}
	}
}

// TestInterrupt ends a check inside of one large file.
func TestInterrupt(t *testing.T) {
	b, verifier := small(t)
	b = repack(t, BagDir(testCase), with(unpack(t, b), "data/large.bin", make([]byte, 4<<20)))
	ctx, stop := context.WithCancel(t.Context())
	most := int64(0)
	_, err := VerifyBundle(ctx, bytes.NewReader(b), int64(len(b)), VerifyOptions{Verifier: verifier, Progress: func(done, total int64) {
		if most = max(most, done); done > 1<<20 {
			stop()
		}
	}})
	if !errors.Is(err, context.Canceled) || most > 2<<20 {
		t.Errorf("it went on, to byte %d: %v", most, err)
	}
}

// TestStampWords: a time stamp is about the log, not about what was packed with it.
func TestStampWords(t *testing.T) {
	v := &bundleCheck{Verdict: &Verdict{Verified: true, Signed: true, Stamp: &Stamp{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Signer: "CN=Authority", Trusted: true}}}
	v.words()
	proven, open := strings.Join(v.Proven, "\n"), strings.Join(v.NotProven, "\n")
	if strings.Contains(proven, "All of this existed") || !strings.Contains(open, "reports") || !strings.Contains(open, "revoked") {
		t.Errorf("proved:\n%s\nnot proved:\n%s", proven, open)
	}
}
