package evidence_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"constat/store/evidence"
)

func value(t *rapid.T, typ evidence.Type) evidence.Value {
	if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		return evidence.Value{}
	}
	switch typ {
	case evidence.Int:
		return evidence.IntValue(rapid.Int64().Draw(t, "int"))
	case evidence.Text:
		if rapid.Bool().Draw(t, "any bytes") {
			return evidence.TextValue(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
		}
		return evidence.TextValue(rapid.String().Draw(t, "text"))
	}
	return evidence.BlobValue(append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "blob")...))
}

// plain is v as encoding/json knows it.
func plain(v evidence.Value) any {
	switch {
	case v.Type == evidence.Int && (v.Int > 1<<53-1 || v.Int < -(1<<53-1)):
		return strconv.FormatInt(v.Int, 10)
	case v.Type == evidence.Int:
		return v.Int
	case v.Type == evidence.Text && !utf8.ValidString(v.Text):
		return map[string]string{"base64": base64.StdEncoding.EncodeToString([]byte(v.Text))}
	case v.Type == evidence.Text:
		return v.Text
	case v.Type == evidence.Blob:
		return base64.StdEncoding.EncodeToString(v.Blob)
	}
	return nil
}

var testKind = evidence.NewKind(
	"thing",
	evidence.Column{Name: "zeta", Type: evidence.Int},
	evidence.Column{Name: "alpha", Type: evidence.Text},
	evidence.Column{Name: "path", Type: evidence.Text, Sealed: true},
	evidence.Column{Name: "blob", Type: evidence.Blob},
	evidence.Column{Name: "head", Type: evidence.Blob, Sealed: true},
	evidence.Column{Name: "a_b", Type: evidence.Int, Sealed: true},
	evidence.Column{Name: "aaa", Type: evidence.Text, Later: true},
	evidence.Column{Name: "added", Type: evidence.Text, Sealed: true, Later: true},
)

// TestLeafIsCanonical compares the leaf that is written by hand with what
// encoding/json and a JCS library make of the same record.
func TestLeafIsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		salter := evidence.NewSalter(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret"))
		id := rapid.Int64Range(1, 1<<53-1).Draw(t, "id")
		open, sealed := map[string]any{}, map[string]any{}
		var values []evidence.Value
		for _, c := range testKind.Columns {
			v := value(t, c.Type)
			values = append(values, v)
			if c.Later && v.Type == evidence.Null {
				continue
			}
			if !c.Sealed {
				open[c.Name] = plain(v)
				continue
			}
			j, err := json.Marshal(plain(v))
			if err != nil {
				t.Fatal(err)
			}
			if j, err = jcs.Transform(append(append([]byte("["), j...), ']')); err != nil {
				t.Fatal(err)
			}
			salt := salter.Salt("thing", id, c.Name)
			sum := sha256.Sum256(append(salt[:], j[1:len(j)-1]...))
			if sum != evidence.Commitment(salt, v) {
				t.Fatalf("commitment of %s differs", c.Name)
			}
			sealed[c.Name] = base64.StdEncoding.EncodeToString(sum[:])
		}
		j, err := json.Marshal(map[string]any{"id": id, "kind": "thing", "open": open, "sealed": sealed})
		if err != nil {
			t.Fatal(err)
		}
		want, err := jcs.Transform(j)
		if err != nil {
			t.Fatal(err)
		}
		got := testKind.AppendLeaf(nil, salter, id, values)
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Fatalf("leaf (-want +got):\n%s", diff)
		}
		if testKind.LeafHash(salter, id, values) != tlog.RecordHash(got) {
			t.Fatal("LeafHash is not the record hash of the leaf")
		}
	})
}

func TestValuesNeverLookTheSame(t *testing.T) {
	values := []evidence.Value{
		{},
		evidence.TextValue(""), evidence.TextValue("null"), evidence.TextValue("\xff"), evidence.TextValue("\uFFFD"),
		evidence.TextValue("\xff\xfe"), evidence.TextValue(`{"base64":"/w=="}`), evidence.TextValue("é"), evidence.TextValue("e\u0301"),
		evidence.IntValue(0), evidence.IntValue(-1), evidence.IntValue(math.MaxInt64), evidence.IntValue(math.MinInt64),
		evidence.IntValue(1 << 53), evidence.IntValue(1<<53 - 1),
	}
	seen := map[string]bool{}
	for _, v := range values {
		j := string(evidence.AppendJSON(nil, &v))
		if seen[j] {
			t.Errorf("%s stands for two values", j)
		}
		seen[j] = true
		if !json.Valid([]byte(j)) {
			t.Errorf("%s is not JSON", j)
		}
	}
}

func TestSaltsDiffer(t *testing.T) {
	a, b := evidence.NewSalter([]byte("a")), evidence.NewSalter([]byte("b"))
	seen := map[[32]byte]bool{}
	for _, s := range [][32]byte{
		a.Salt("x", 1, "c"), a.Salt("x", 1, "d"), a.Salt("x", 11, "c"), a.Salt("y", 1, "c"), b.Salt("x", 1, "c"),
	} {
		if seen[s] {
			t.Error("two columns have one salt")
		}
		seen[s] = true
	}
	if a.Salt("x", 1, "c") != evidence.NewSalter([]byte("a")).Salt("x", 1, "c") {
		t.Error("the salt is not a function of secret and name")
	}
}

func TestTree(t *testing.T) {
	var tree evidence.Tree
	if want, _ := tlog.TreeHash(0, nil); tree.Root() != want {
		t.Error("root of the empty tree")
	}
	var stored, subtrees []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, x := range at {
			out[i] = stored[x]
		}
		return out, nil
	})
	for n := int64(0); n < 1100; n++ {
		data := []byte(strconv.FormatInt(n, 10))
		more, err := tlog.StoredHashes(n, data, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
		sub, complete := tree.Append(tlog.RecordHash(data))
		if complete != ((n+1)%256 == 0) {
			t.Fatalf("leaf %d: subtree complete: %v", n, complete)
		}
		if complete {
			subtrees = append(subtrees, sub)
			if want := stored[tlog.StoredHashIndex(8, n/256)]; sub != want {
				t.Fatalf("leaf %d: wrong subtree", n)
			}
		}
		want, err := tlog.TreeHash(n+1, read)
		if err != nil {
			t.Fatal(err)
		}
		if tree.Root() != want || tree.Size() != n+1 {
			t.Fatalf("root of %d leaves differs", n+1)
		}
	}
	var loaded evidence.Tree
	for _, h := range subtrees {
		loaded.AppendSubtree(h)
	}
	for n := loaded.Size(); n < tree.Size(); n++ {
		loaded.Append(tlog.RecordHash([]byte(strconv.FormatInt(n, 10))))
	}
	if loaded.Root() != tree.Root() {
		t.Error("a tree loaded from subtrees has another root")
	}
}

func signer(t *testing.T, name string, fill byte) (note.Signer, note.Verifier) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{fill}, ed25519.SeedSize))
	s, err := evidence.NewSigner(name, key)
	if err != nil {
		t.Fatal(err)
	}
	vkey, err := evidence.Verifier(name, key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func TestCheckpoint(t *testing.T) {
	origin := evidence.Origin("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	s, v := signer(t, origin, 1)
	when := evidence.FormatTime(time.Date(2014, 7, 20, 8, 0, 0, 1e6, time.FixedZone("", 8*3600)))
	if when != "2014-07-20T00:00:00.001000Z" {
		t.Errorf("time %s", when)
	}
	want := evidence.Checkpoint{Origin: origin, Size: 42, Root: tlog.RecordHash(nil), Time: when}
	signed, err := want.Sign(s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := evidence.OpenCheckpoint(signed, v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(string(signed), origin+"\n42\n") {
		t.Errorf("not a C2SP checkpoint:\n%s", signed)
	}
	for i := range signed {
		bad := bytes.Clone(signed)
		bad[i] ^= 1
		if c, err := evidence.OpenCheckpoint(bad, v); err == nil && c == want {
			// The base64 of a signature has unused bits only if it is padded
			// so; everything that means something must be covered.
			t.Errorf("byte %d flipped: still opens", i)
		}
	}
	_, other := signer(t, origin, 2)
	if _, err := evidence.OpenCheckpoint(signed, other); err == nil {
		t.Error("opens with another key")
	}
}

func TestCheckpointForm(t *testing.T) {
	root := base64.StdEncoding.EncodeToString(make([]byte, 32))
	s, v := signer(t, "o", 1)
	for _, text := range []string{
		"", "o\n", "o\n1\n" + root + "\n", "o\n01\n" + root + "\ntime x\n", "o\n-1\n" + root + "\ntime x\n",
		"o\n1\nAAAA\ntime x\n", "o\n1\n" + root + "\ntime x\nmore\n", "o\n+1\n" + root + "\ntime x\n",
	} {
		if text == "" {
			continue
		}
		signed, err := note.Sign(&note.Note{Text: text}, s)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := evidence.OpenCheckpoint(signed, v); err == nil {
			t.Errorf("%q opens as %+v", text, c)
		}
	}
}

func FuzzOpenCheckpoint(f *testing.F) {
	f.Add("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime x\n")
	f.Fuzz(func(t *testing.T, text string) {
		key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
		s, _ := evidence.NewSigner("o", key)
		vkey, _ := evidence.Verifier("o", key.Public().(ed25519.PublicKey))
		v, _ := note.NewVerifier(vkey)
		signed, err := note.Sign(&note.Note{Text: text}, s)
		if err != nil {
			return
		}
		if c, err := evidence.OpenCheckpoint(signed, v); err == nil && c.Text() != text {
			t.Errorf("%q reads as %+v", text, c)
		}
	})
}

func BenchmarkLeafHash(b *testing.B) {
	salter := evidence.NewSalter(make([]byte, 32))
	values := make([]evidence.Value, len(testKind.Columns))
	b.ReportAllocs()
	for b.Loop() {
		testKind.LeafHash(salter, 17, values)
	}
}
