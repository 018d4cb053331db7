package compare

import (
	"math"
	"math/bits"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// dealt counts by trying all ways to deal k things to na+nb sessions how often the
// side A gets so unlikely a share as ka, or a more unlikely one.
func dealt(ka, na, kb, nb int) float64 {
	ways := map[int]int{}
	all := 0
	for set := range 1 << (na + nb) {
		if bits.OnesCount(uint(set)) == ka+kb {
			ways[bits.OnesCount(uint(set)&(1<<na-1))]++
			all++
		}
	}
	n := 0
	for _, w := range ways {
		if w <= ways[ka] {
			n += w
		}
	}
	return float64(n) / float64(all)
}

func TestFisher(t *testing.T) {
	for _, tt := range []struct {
		ka, na, kb, nb int
		want           float64
		word           string
	}{
		{3, 3, 0, 3, 0.1, "likely"},
		{4, 4, 0, 4, 2.0 / 70, "likely"},
		{5, 5, 0, 5, 2.0 / 252, "sure"},
		{0, 5, 5, 5, 2.0 / 252, "sure"},
		{1, 1, 0, 1, 1, "open"},
		{1, 1, 0, 20, 1.0 / 21, "open"},
		{2, 3, 0, 3, 0.4, "open"},
		{2, 2, 0, 2, 1.0 / 3, "open"},
		{3, 3, 3, 3, 1, "open"},
		{3, 4, 1, 4, 34.0 / 70, "open"}, // the lady who tastes tea, Fisher 1935
	} {
		got := fisher(tt.ka, tt.na, tt.kb, tt.nb)
		if math.Abs(got-tt.want) > 1e-9 || sureness(got, 0, tt.na, tt.nb) != tt.word {
			t.Errorf("%+v: %v %s", tt, got, sureness(got, 0, tt.na, tt.nb))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		na, nb := rapid.IntRange(1, 6).Draw(t, "na"), rapid.IntRange(1, 6).Draw(t, "nb")
		ka, kb := rapid.IntRange(0, na).Draw(t, "ka"), rapid.IntRange(0, nb).Draw(t, "kb")
		if got, want := fisher(ka, na, kb, nb), dealt(ka, na, kb, nb); math.Abs(got-want) > 1e-9 {
			t.Errorf("%d of %d and %d of %d: %v, by trying %v", ka, na, kb, nb, got, want)
		}
	})
	if p := fisher(100, 100, 0, 100); p <= 0 || p > 1e-50 || math.IsNaN(p) {
		t.Errorf("a hundred sessions: %v", p)
	}
}

func TestApart(t *testing.T) {
	for _, tt := range []struct {
		na, nb int
		want   float64
	}{{3, 3, 0.1}, {5, 5, 2.0 / 252}, {1, 1, 1}, {2, 2, 1.0 / 3}} {
		if got := apart(tt.na, tt.nb); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func TestUnseen(t *testing.T) {
	for n, want := range map[int]float64{1: 0.95, 3: 0.632, 10: 0.259, 300: 3.0 / 300} {
		if got := unseen(n); math.Abs(got-want) > 1e-3 {
			t.Errorf("%d sessions: %v, want %v", n, got, want)
		}
	}
}

// TestChance counts over all ways to deal.
func TestChance(t *testing.T) {
	for _, tt := range []struct {
		k, na, nb int
		want      float64
	}{{3, 3, 3, 0.1}, {2, 3, 3, 0}, {6, 3, 3, 0}, {4, 4, 4, 2.0 / 70}, {3, 4, 4, 0}, {5, 5, 5, 2.0 / 252}, {4, 5, 5, 10.0 / 210}, {1, 5, 5, 0}, {0, 3, 3, 0}} {
		c := newChance()
		c.add(&Row{SessionsA: tt.k - min(tt.k, tt.nb), SessionsB: min(tt.k, tt.nb), OfA: tt.na, OfB: tt.nb, P: 1})
		if got, found := c.likelyRows(); math.Abs(got-tt.want) > 1e-9 || found != 0 {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// TestManyThings calls nothing sure that chance makes among so many: five sessions a
// side and hundreds of things that some five of them have.
func TestManyThings(t *testing.T) {
	parted := Row{SessionsA: 5, OfA: 5, OfB: 5, P: fisher(5, 5, 0, 5), Change: Vanish}
	other := Row{SessionsA: 3, SessionsB: 2, OfA: 5, OfB: 5, P: 1} // could have been
	more := Row{A: 100, B: 10, SessionsA: 5, SessionsB: 5, OfA: 5, OfB: 5, P: apart(5, 5), Change: Less}
	alikeRow := Row{A: 100, B: 100, SessionsA: 5, SessionsB: 5, OfA: 5, OfB: 5, P: 1}
	for _, tt := range []struct {
		row           Row
		found, others int
		other         Row
		share         float64
		word          string
	}{
		{parted, 1, 0, other, 2.0 / 252, "sure"},
		{parted, 1, 5, other, 6 * 2.0 / 252, "sure"},
		{parted, 1, 9, other, 10 * 2.0 / 252, "likely"},
		{parted, 1, 199, other, 1, "open"}, // one of two hundred: as chance does
		{parted, 20, 180, other, 200 * 2.0 / 252 / 20, "likely"},
		{parted, 100, 100, other, 200 * 2.0 / 252 / 100, "sure"},
		{parted, 1, 500, alikeRow, 2.0 / 252, "sure"}, // what all sessions have cannot be parted so
		{more, 1, 0, alikeRow, 2.0 / 252, "sure"},
		{more, 1, 99, alikeRow, 100 * 2.0 / 252, "open"},
	} {
		c := newChance()
		for range tt.found {
			c.add(&tt.row)
		}
		for range tt.others {
			c.add(&tt.other)
		}
		got := c.share(&tt.row)
		if word := sureness(tt.row.P, got, 5, 5); math.Abs(got-tt.share) > 1e-9 || word != tt.word {
			t.Errorf("%d of %d: share %v, %s; want %v, %s", tt.found, tt.found+tt.others, got, word, tt.share, tt.word)
		}
	}
}

func TestTemplate(t *testing.T) {
	for path, want := range map[string]string{
		"/":                     "/",
		"":                      "",
		"/track/v1":             "/track/v1",
		"/user/12345/full":      "/user/{n}/full",
		"/u/7/x":                "/u/{n}/x",
		"/mic/sms/v2/user/99/b": "/mic/sms/v2/user/{n}/b",
		"/d/0b7a9c52-4e0f-4a6e-9d35-2f1d6c7be001": "/d/{n}",
		"/d/0b7a9c524e0f4a6e":                     "/d/{n}",
		"/u/jane.doe@example.org/x":               "/u/{n}/x", "/u/jane%40example.org": "/u/{n}",
		"/d/deadbeef":                         "/d/deadbeef", // a word
		"/img_20140720_080000.jpg":            "/img_{n}_{n}.jpg",
		"/2014-07-20/x":                       "/{n}/x",
		"/a/api2/v2.1/x86":                    "/a/api2/v2.1/x86",
		"/t/eyJhbGciOiJIUzI1NiJ9eyJzdWI5":     "/t/{n}",
		"/setLastLoadedVersionOfTheFile":      "/setLastLoadedVersionOfTheFile",
		"//x//":                               "//x//",
		strings.Repeat("/a", 50):              strings.Repeat("/a", 19) + "/…",
		"/" + strings.Repeat("x", 300):        "/…",
		"/" + strings.Repeat("1", 300) + "/a": "/{n}/a",
	} {
		if got := template(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"/a/1/b", "/0b7a9c52-4e0f-4a6e-9d35-2f1d6c7be001", "\xff/{n}/…", strings.Repeat("/1a", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := template(path)
		if len(got) > maxTemplate+len("…")+len(folded)*(maxSegments+1) {
			t.Errorf("%d bytes of %d", len(got), len(path))
		}
		if again := template(got); !strings.HasSuffix(got, "…") && again != got {
			t.Errorf("%q becomes %q", got, again)
		}
	})
}
