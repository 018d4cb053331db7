package main

import (
	"bytes"
	"encoding/json"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/inspect/detect"
	"constat/inspect/inspecttest"
)

// dataFolder is testdata/data, which is small and invented, with two pictures
// that are drawn here.
func dataFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/data")); err != nil {
		t.Fatal(err)
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, picture(rand.New(rand.NewPCG(1, 2)), 1600, 1200), nil); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "photos", "metadata-extractor")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	// An APP1 segment with the place goes behind the first two bytes.
	exif := exifGPS(45.76412, 4.83571)
	data := append([]byte{0xff, 0xd8, 0xff, 0xe1, byte((len(exif) + 2) >> 8), byte(len(exif) + 2)}, exif...)
	data = append(data, photo.Bytes()[2:]...)
	for name, data := range map[string][]byte{"with_place.jpg": data, "drawn.png": drawPNG(rand.New(rand.NewPCG(3, 4)), 64)} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestScore runs everything on the small folder and without a limit.
func TestScore(t *testing.T) {
	inspecttest.Alone(t)
	file := filepath.Join(t.TempDir(), "score.json")
	var out, stderr bytes.Buffer
	if status := run([]string{"-data", dataFolder(t), "-min", "0", "-json", file}, &out, &stderr); status != 0 {
		t.Fatalf("status %d: %s%s", status, out.String(), stderr.String())
	}
	for _, want := range []string{"held-out", "planted values, plain and encoded: 6 of 6; ", "of a persona never planted: 0", "xiaomi/fixtures.jsonl:5 is not as expected"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}
	for _, secret := range []string{"platform", "5512", "45.76412", "352099001234562"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("output quotes a payload: %q", secret)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r results
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Classes) != int(splits)*len(inspect.Classes) || r.Planted.Plain != 6 || r.Planted.Placed != 6 {
		t.Errorf("%d results, %+v", len(r.Classes), r.Planted)
	}
	for _, c := range r.Classes {
		if c.Hits+c.Misses == 0 {
			t.Errorf("%s, %s: no positives", c.Class, c.Split)
		}
		if c.Others == 0 {
			t.Errorf("%s, %s: no negatives", c.Class, c.Split)
		}
	}
}

// TestInspectAll is for the race detector: samples are inspected side by side.
func TestInspectAll(t *testing.T) {
	in, err := inspect.New(inspect.Config{Decoders: decode.All, Detectors: detect.All, Build: "score"})
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{data: os.DirFS("testdata/data"), seed: 1}
	b.sms()
	b.fixtures()
	if len(b.samples) < 100 {
		t.Fatalf("%d samples", len(b.samples))
	}
	found := 0
	for _, c := range inspectAll(in, b.samples).results() {
		found += c.Hits
	}
	if found == 0 {
		t.Error("nothing is found")
	}
}

// TestSameSeed makes the same requests twice, and others with another seed.
func TestSameSeed(t *testing.T) {
	inspecttest.Alone(t)
	data := os.DirFS(dataFolder(t))
	bytesOf := func(b *builder) (out []byte) {
		for _, s := range b.samples {
			out = append(out, s.name...)
			out = append(out, s.subject.Request.Body...)
			out = append(out, s.subject.Frame...)
			out = append(out, s.subject.Response.Body...)
		}
		return out
	}
	all := func(seed uint64) []byte {
		b := &builder{data: data, seed: seed}
		b.all()
		return bytesOf(b)
	}
	if !bytes.Equal(all(1), all(1)) {
		t.Error("two builds from the same seed differ")
	}
	one, other := &builder{seed: 1}, &builder{seed: 2}
	for _, b := range []*builder{one, other} {
		for _, f := range families {
			f.add(b)
		}
		b.blind2()
	}
	if bytes.Equal(bytesOf(one), bytesOf(other)) {
		t.Error("another seed gives the same")
	}
}

// TestEnvelopes holds what docs/accuracy.md says of the envelopes.
func TestEnvelopes(t *testing.T) {
	for _, f := range families {
		seen, held := 0, 0
		var names []string
		for _, d := range f.dialects {
			names = append(names, d.name)
			if d.unseen {
				held++
			} else {
				seen++
			}
		}
		for _, w := range f.wholes {
			names = append(names, w.name)
			if w.unseen {
				held++
			} else {
				seen++
			}
		}
		slices.Sort(names)
		if len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Errorf("%s: two envelopes of one name", f.class)
		}
		if held == 0 {
			t.Errorf("%s: no envelope is held out", f.class)
		}
		if n := (seen + held) * f.rounds; f.name == "" && f.class != inspect.SMS && f.class != inspect.Photo && f.class != inspect.DeviceStats && (n < 150 || seen+held < 20) {
			t.Errorf("%s: %d envelopes, %d samples", f.class, seen+held, n)
		}
		if f.rounds%2 != 0 {
			t.Errorf("%s: the two of a pair are torn apart", f.class)
		}
	}
	if len(negatives)+len(nearMisses) < 60 {
		t.Errorf("%d kinds of negatives", len(negatives)+len(nearMisses))
	}
}

// TestHalves checks that even and odd contents come from different parts of a
// list.
func TestHalves(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	list := []int{0, 1, 2, 3, 4, 5, 6}
	for range 100 {
		if x := pick(&gen{Rand: r}, list); x%2 != 0 {
			t.Fatalf("even half drew %d", x)
		}
		if x := pick(&gen{Rand: r, odd: true}, list); x%2 != 1 {
			t.Fatalf("odd half drew %d", x)
		}
	}
}

func TestExitStatus(t *testing.T) {
	inspecttest.Alone(t)
	for _, tc := range []struct {
		args []string
		want int
	}{
		{nil, 2},
		{[]string{"-data", t.TempDir(), "extra"}, 2},
		{[]string{"-data", t.TempDir(), "-half", "third"}, 2},
		{[]string{"-data", t.TempDir()}, 1},                   // no data is no score
		{[]string{"-data", dataFolder(t), "-min", "1.01"}, 1}, // nothing is that good
	} {
		var out bytes.Buffer
		if got := run(tc.args, &out, &out); got != tc.want {
			t.Errorf("%v: status %d, want %d\n%s", tc.args, got, tc.want, out.String())
		}
	}
}

// TestBlind holds how large the blind split is and that its labels are classes.
func TestBlind(t *testing.T) {
	inspecttest.Alone(t)
	b := &builder{data: os.DirFS(dataFolder(t)), seed: 1}
	b.blind()
	positives, kinds := make(map[inspect.Class]int), make(map[inspect.Class]map[string]bool)
	negatives, negativeKinds, names := 0, make(map[string]bool), make(map[string]bool)
	for _, s := range b.samples {
		kind, _, _ := strings.Cut(s.name, "#")
		if names[s.name] {
			t.Errorf("%s: made twice", s.name)
		}
		names[s.name] = true
		for c := range s.want {
			if !slices.Contains(inspect.Classes, c) {
				t.Errorf("%s: %q is no class", s.name, c)
			}
			if slices.Contains(s.open, c) && c != inspect.DeviceStats {
				t.Errorf("%s: %s is wanted and open", s.name, c)
			}
			if kinds[c] == nil {
				kinds[c] = make(map[string]bool)
			}
			positives[c]++
			kinds[c][kind] = true
		}
		for _, c := range s.open {
			if !slices.Contains(inspect.Classes, c) {
				t.Errorf("%s: %q is no class", s.name, c)
			}
		}
		x := s.subject
		if x.Frame == nil && len(x.Request.Body)+len(x.Response.Body)+len(x.Query) == 0 && x.Request.Header.Get("Authorization") == "" && x.Status != 204 && !strings.Contains(x.Path, "/") {
			t.Errorf("%s: nothing in it", s.name)
		}
		if len(s.want) == 0 {
			negatives++
			negativeKinds[kind] = true
		}
	}
	for _, c := range inspect.Classes {
		if positives[c] < 60 || len(kinds[c]) < 20 {
			t.Errorf("%s: %d positives of %d kinds", c, positives[c], len(kinds[c]))
		}
	}
	if negatives < 400 || len(negativeKinds) < 50 {
		t.Errorf("%d negatives of %d kinds", negatives, len(negativeKinds))
	}
}

// TestBlind2 holds how large the second blind split is, that its labels are
// classes and that two kinds do not share a name.
func TestBlind2(t *testing.T) {
	b := &builder{seed: 1}
	b.blind2()
	positives, names, negatives := make(map[inspect.Class]int), make(map[string]bool), 0
	for _, s := range b.samples {
		if names[s.name] {
			t.Errorf("%s: made twice", s.name)
		}
		names[s.name] = true
		for c := range s.want {
			if !slices.Contains(inspect.Classes, c) || slices.Contains(s.open, c) {
				t.Errorf("%s: %q is no class, or open too", s.name, c)
			}
			positives[c]++
		}
		for _, c := range s.open {
			if !slices.Contains(inspect.Classes, c) {
				t.Errorf("%s: %q is no class", s.name, c)
			}
		}
		if s.split() != blind2 {
			t.Errorf("%s: in the split %s", s.name, s.split())
		}
		if len(s.want) == 0 {
			negatives++
		}
	}
	for _, c := range inspect.Classes {
		if positives[c] < 24 {
			t.Errorf("%s: %d positives", c, positives[c])
		}
	}
	if negatives < 300 {
		t.Errorf("%d negatives", negatives)
	}
}
