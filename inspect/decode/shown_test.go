package decode

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"constat/inspect"
	"constat/inspect/inspecttest"
)

// What a decoder asks of a part by the kinds of its bytes leaves out only what it
// would refuse: without it the same comes out.
func TestShown(t *testing.T) {
	open := slices.Clone(All)
	for i := range open {
		open[i].First, open[i].Holds, open[i].Any, open[i].Only = "", 0, 0, 0
	}
	all, err := inspect.New(inspect.Config{Decoders: open})
	if err != nil {
		t.Fatal(err)
	}
	in := newInspector(t, inspect.Limits{})
	list := func(in *inspect.Inspector, s *inspect.Subject) (out []string) {
		tree, damage := in.Unwrap(context.Background(), s)
		for _, p := range tree.Parts {
			out = append(out, fmt.Sprintf("%s %q", p.Path, p.Data))
		}
		return append(out, fmt.Sprint(damage))
	}
	same := func(s *inspect.Subject) {
		if got, want := list(in, s), list(all, s); !slices.Equal(got, want) {
			i := 0
			for i < len(got) && i < len(want) && got[i] == want[i] {
				i++
			}
			t.Errorf("body %.200q: part %d:\n got %.200q\nwant %.200q", s.Request.Body, i, got[i:], want[i:])
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	changed := func(d []byte) []byte { // something else at one place, or the end of it missing
		d = bytes.Clone(d)
		if i := r.IntN(len(d)); r.IntN(2) == 0 {
			d[i] = "\x00\x01\n ,.:;=%&{}[]()<>\"^~\xc3\xff"[r.IntN(24)]
		} else {
			d = d[:i]
		}
		return d
	}
	for _, seed := range inspecttest.Seeds(t, "testdata") {
		if len(seed) == 0 || len(seed) > 16<<10 {
			continue
		}
		for _, d := range [][]byte{seed, changed(seed), changed(seed), changed(seed)} {
			same(&inspect.Subject{Request: inspect.Content{Body: d}})
			text, err := json.Marshal([]string{string(d)})
			if err != nil {
				t.Fatal(err)
			}
			same(&inspect.Subject{Request: inspect.Content{Body: text}})
			// A field of bytes that nobody has put a name to: protobuf.
			field := append([]byte{0x08, 1, 0x12}, byte(len(d))|0x80, byte(len(d)>>7)|0x80, byte(len(d)>>14))
			same(&inspect.Subject{Request: inspect.Content{Body: append(field, d...)}})
		}
	}
}
