package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"constat/inspect"
	"constat/proxy/flow"
)

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// valued returns an Inspector whose values are the UUIDs of request bodies.
func valued(t testing.TB) *inspect.Inspector {
	t.Helper()
	in, err := inspect.New(inspect.Config{Build: "values", Owners: owners{}, Canaries: imei{}, Values: func(tree *inspect.Tree) (out []inspect.Value) {
		for _, p := range tree.Parts {
			if p.Depth > 0 || p.Decoder() != "request.body" {
				continue
			}
			for _, s := range uuids.FindAllString(string(p.Data), -1) {
				out = append(out, inspect.Value{
					Value: strings.ReplaceAll(s, "-", ""), Kind: "uuid4", Name: "id", Bits: 122, Path: p.Path, Direction: p.Direction,
				})
			}
		}
		return out
	}})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestValuesReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.Custom(func(t *rapid.T) inspect.Value {
			word := rapid.OneOf(rapid.StringMatching("[ -~]{0,20}"), rapid.StringMatching("[0-9a-f]{16}"), rapid.String())
			return inspect.Value{
				Value: word.Draw(t, "value"), Kind: word.Draw(t, "kind"), Name: word.Draw(t, "name"),
				Bits: rapid.IntRange(0, 1<<40).Draw(t, "bits"), Time: rapid.String().Draw(t, "time"),
				Path:      inspect.Path(rapid.String().Draw(t, "path")),
				Direction: rapid.SampledFrom([]flow.Direction{flow.Up, flow.Down}).Draw(t, "direction"),
			}
		})).Draw(t, "values")
		text := valuesJSON(want)
		got, err := parseValues(text)
		if err != nil {
			t.Fatal(err)
		}
		// Both ways to read it give the same.
		var slow []valueRow
		if err := json.Unmarshal([]byte(cmp.Or(text, "[]")), &slow); err != nil {
			t.Fatal(err)
		}
		if fast, ok := scanValues(nil, text); ok {
			for i := range slow {
				if inspect.Value(slow[i]) != fast[i] {
					t.Errorf("%+v, fast %+v", slow[i], fast[i])
				}
			}
		}
		if diff := gocmp.Diff(want, got, facts); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func FuzzParseValues(f *testing.F) {
	f.Add(`[["a","uuid4","id",122,"request.body","up"]]`)
	f.Add(`[["a"]]`)
	f.Add(`[[1,2,3,4,5,6,7]]`)
	f.Add(`{}`)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseValues(text)
		if err != nil {
			return
		}
		again, err := parseValues(valuesJSON(list))
		if err != nil || len(again) != min(len(list), maxValues) {
			t.Errorf("%d values became %d, %v", len(list), len(again), err)
		}
	})
}

// BenchmarkValues is BenchmarkFollow with values in each report.
func BenchmarkValues(b *testing.B) {
	for _, n := range []int{0, 3, 10} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var values []inspect.Value
			for i := range n {
				values = append(values, inspect.Value{
					Value: fmt.Sprintf("0b7a9c524e0f4a6e9d352f1d6c7be%03x", i), Kind: "uuid4", Name: "distinct_id", Bits: 122,
					Path: inspect.Path(fmt.Sprintf("request.body|form:data_list|base64|gzip|json:[%d].distinct_id", i)), Direction: flow.Up,
				})
			}
			in, err := inspect.New(inspect.Config{Build: "values", Owners: owners{}, Values: func(*inspect.Tree) []inspect.Value { return values }})
			if err != nil {
				b.Fatal(err)
			}
			cfg := testConfig(b)
			c, err := Open(b.Context(), cfg)
			if err != nil {
				b.Fatal(err)
			}
			stop := follow(c, in)
			body := bytes.Repeat([]byte("k=v&"), 250)
			start := cpuTime()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					e := testExchange(1, nil, body)
					if err := errors.Join(c.Begin(e), c.Commit(context.Background(), e)); err != nil {
						b.Error(err)
					}
				}
			})
			if err := errors.Join(stop(), c.Close()); err != nil {
				b.Error(err)
			}
			b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
			info, err := os.Stat(cfg.Path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size())/float64(b.N), "file-B/op")
		})
	}
}
