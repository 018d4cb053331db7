// Package inspecttest is the harness for the tests of decoders and detectors.
//
// The cases of the decoder or detector NAME are the files
// testdata/NAME/hit-*.txtar and miss-*.txtar: what it must recognise, and what
// looks alike and is something else. A NAME without both, a folder without a
// NAME and a file of another name are failures.
//
// A case is a txtar archive. The prose in front says where the case comes from.
// Its files are
//
//	request         head and body as on the wire, lines ended by LF or CRLF
//	response        likewise
//	request.body    the body, when it is better written apart
//	response.body   likewise
//	frame-up        a WebSocket message, then looked at instead of the rest;
//	frame-down      direction by name
//	window          says that the frame is compressed with permessage-deflate, and
//	                what was inflated before it; may be empty
//	upload          a file that was put together from several requests
//	persona         the planted identity, as Config.Persona reads it
//	part.NAME       what {{NAME}} stands for in the files that follow
//	want            what must come out, one line each
//
// and a name may be followed by steps that turn what is written into what was
// on the wire, in this order: text (drop the last newline, as every step does),
// crlf, hex and b64 (undo), tohex, tob64, tob64url, percent, string (as inside a
// JSON string), gzip, zlib, deflate, br, zstd, half (cut in the middle). So
//
//	-- part.events gzip tob64 percent --
//	[{"event":"open"}]
//	-- request.body text --
//	data_list={{events}}&gzip=1
//
// is a form with base64 of gzip of JSON in it. A body written inside request or
// response loses its last newline, too; one written apart without steps does
// not.
//
// Lines of want are, for a detector, CLASS DIRECTION CONFIDENCE PATH, with
// ` = "EXCERPT"` behind where that matters; for a decoder, PATH = "BYTES" of each
// part it made, and "! PATH: REASON" for each of its damages. go test -update
// writes want anew.
//
// Every case is also inspected twice, which must give the same, and every part
// must be found again by its path.
package inspecttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"

	"constat/inspect"
)

var update = flag.Bool("update", false, "rewrite what the cases want")

// Update reports whether the test was given -update, for tests that keep other
// files beside the cases.
func Update() bool { return *update }

// Config is what is tested, and with what.
type Config struct {
	Dir       string // default "testdata"
	Decoders  []inspect.Decoder
	Detectors []inspect.Detector
	// Persona reads the file persona of a case; nil: no case has one.
	Persona func([]byte) (inspect.Matcher, error)
}

// Decoders runs the cases of every decoder in c, each with all of them.
func Decoders(t *testing.T, c Config) {
	var names []string
	for _, d := range c.Decoders {
		names = append(names, d.Name)
		t.Run(d.Name, func(t *testing.T) {
			c.cases(t, d.Name, nil, func(in *inspect.Inspector, s *inspect.Subject) []string {
				tree, damage := in.Unwrap(context.Background(), s)
				var got []string
				for _, p := range tree.Parts {
					if p.Parent != nil && p.Decoder() == d.Name {
						got = append(got, string(p.Path)+" = "+show(p.Data))
					}
				}
				for _, x := range damage {
					if x.Decoder == d.Name {
						got = append(got, "! "+string(x.Path)+": "+x.Reason)
					}
				}
				return got
			})
		})
	}
	noStrangers(t, c.dir(), names)
}

// Detectors runs the cases of every detector in c, each alone.
func Detectors(t *testing.T, c Config) {
	var names []string
	for _, d := range c.Detectors {
		names = append(names, d.Name)
		t.Run(d.Name, func(t *testing.T) {
			c.cases(t, d.Name, []inspect.Detector{d}, func(in *inspect.Inspector, s *inspect.Subject) []string {
				r := in.Inspect(context.Background(), s)
				var got []string
				for _, f := range r.Findings {
					if f.Detector == d.Name {
						got = append(got, fmt.Sprintf("%s %s %s %s = %q", f.Class, f.Direction, f.Confidence, f.Path, f.Excerpt))
					}
				}
				for _, x := range r.Damage {
					if x.Decoder == d.Name {
						t.Errorf("damage: %s: %s", x.Path, x.Reason)
					}
				}
				return got
			})
		})
	}
	noStrangers(t, c.dir(), names)
}

func (c Config) dir() string {
	if c.Dir == "" {
		return "testdata"
	}
	return c.Dir
}

// show quotes the bytes of a part; of a long one the beginning, the length and a
// digest.
func show(data []byte) string {
	const most = 240
	if len(data) <= most {
		return fmt.Sprintf("%q", data)
	}
	return fmt.Sprintf("%q… %d bytes, sha256 %x", data[:64], len(data), sha256.Sum256(data))
}

// cases runs the cases of one name. say returns what came out of a subject, in
// lines of want.
func (c Config) cases(t *testing.T, name string, detectors []inspect.Detector, say func(*inspect.Inspector, *inspect.Subject) []string) {
	dir := filepath.Join(c.dir(), name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("no cases: %v", err)
	}
	hits, misses := 0, 0
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		hit := strings.HasPrefix(e.Name(), "hit-")
		switch {
		case filepath.Ext(file) != ".txtar":
			t.Errorf("%s: not a case", file)
			continue
		case hit:
			hits++
		case strings.HasPrefix(e.Name(), "miss-"):
			misses++
		default:
			t.Errorf("%s: neither hit- nor miss-", file)
			continue
		}
		t.Run(strings.TrimSuffix(e.Name(), ".txtar"), func(t *testing.T) {
			cs, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			cfg := inspect.Config{Decoders: c.Decoders, Detectors: detectors, Build: "test"}
			if cs.Persona != nil {
				if c.Persona == nil {
					t.Fatal("a persona, and nobody to read it")
				}
				if cfg.Canaries, err = c.Persona(cs.Persona); err != nil {
					t.Fatal(err)
				}
			}
			in, err := inspect.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			Check(t, in, cs.Subject)
			got := say(in, cs.Subject)
			cs.compare(t, got)
			found := slices.ContainsFunc(got, func(line string) bool { return !strings.HasPrefix(line, "! ") })
			if found != hit {
				t.Errorf("a %s that has %d results:\n%s", e.Name(), len(got), strings.Join(got, "\n"))
			}
		})
	}
	if hits == 0 || misses == 0 {
		t.Errorf("%s: %d hits and %d misses, want some of both", dir, hits, misses)
	}
}

// compare holds got against want, or writes it there.
func (c *Case) compare(t *testing.T, got []string) {
	if *update {
		if err := c.rewrite(got); err != nil {
			t.Fatal(err)
		}
		return
	}
	shown := slices.Clone(got)
	for i := range shown {
		if i >= len(c.Want) || strings.Contains(c.Want[i], " = ") {
			continue
		}
		// Nobody asked for the excerpt.
		if at := strings.Index(shown[i], ` = "`); at >= 0 {
			shown[i] = shown[i][:at]
		}
	}
	if diff := cmp.Diff(c.Want, shown, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", c.File, diff)
	}
}

func (c *Case) rewrite(got []string) error {
	text := ""
	if len(got) > 0 {
		text = strings.Join(got, "\n") + "\n"
	}
	c.archive.Files = slices.DeleteFunc(c.archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	if text != "" {
		c.archive.Files = append(c.archive.Files, txtar.File{Name: "want", Data: []byte(text)})
	}
	return os.WriteFile(c.File, txtar.Format(c.archive), 0o644)
}

// Check takes s apart twice and fails the test unless both trees are the same,
// no two parts have one path, every path is one line of UTF-8 within bounds, and
// leads back to the same bytes.
func Check(t testing.TB, in *inspect.Inspector, s *inspect.Subject) {
	t.Helper()
	tree, damage := in.Unwrap(context.Background(), s)
	again, damage2 := in.Unwrap(context.Background(), s)
	if diff := cmp.Diff(damage, damage2); diff != "" {
		t.Fatalf("second time other damage (-first +second):\n%s", diff)
	}
	if len(tree.Parts) != len(again.Parts) {
		t.Fatalf("%d parts, and %d the second time", len(tree.Parts), len(again.Parts))
	}
	seen := make(map[inspect.Path]bool, len(tree.Parts))
	for i, p := range tree.Parts {
		q := again.Parts[i]
		if p.Path != q.Path || !bytes.Equal(p.Data, q.Data) || p.Name != q.Name || p.Group != q.Group || p.Kind != q.Kind || p.Media != q.Media {
			t.Fatalf("part %d is %q, and %q the second time", i, p.Path, q.Path)
		}
		if seen[p.Path] {
			t.Errorf("two parts have the path %q", p.Path)
		}
		seen[p.Path] = true
		if clean := strings.ToValidUTF8(string(p.Path), ""); clean != string(p.Path) || strings.ContainsAny(clean, "\n\r\x00") || len(clean) > 16<<10 {
			t.Errorf("path %q is not one line of UTF-8, or too long", p.Path)
		}
		r, err := in.Replay(s, p.Path)
		switch {
		case err != nil:
			t.Errorf("replay %q: %v", p.Path, err)
		case r.Path != p.Path || !bytes.Equal(r.Data, p.Data) || r.Direction != p.Direction || r.Depth != p.Depth || r.Name != p.Name:
			t.Errorf("replay %q: %q: %s, want %s", p.Path, r.Path, show(r.Data), show(p.Data))
		}
	}
}

// Alone skips a test that computes much in one goroutine when the race detector
// watches: it has nothing to see there and makes it ten times slower. "make test" runs
// the packages of such tests without it, too.
func Alone(t testing.TB) {
	t.Helper()
	if raced {
		t.Skip("shares nothing between goroutines; run it without -race, as 'make test' does")
	}
}

// noStrangers fails when dir has a folder that belongs to no name. The folder
// fuzz belongs to the go command.
func noStrangers(t *testing.T, dir string, names []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(names, e.Name()) && e.Name() != "fuzz" {
			t.Errorf("%s belongs to nobody", filepath.Join(dir, e.Name()))
		}
	}
}

// Seeds returns the bodies, frames, queries and header values of all cases under
// dir, for fuzz targets to begin with. It fails when there are none.
func Seeds(t testing.TB, dir string) [][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases under %s", dir)
	}
	var out [][]byte
	for _, file := range files {
		c, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		s := c.Subject
		for _, b := range [][]byte{s.Request.Body, s.Response.Body, s.Frame, []byte(s.Query)} {
			if len(b) > 0 {
				out = append(out, b)
			}
		}
		for _, values := range s.Request.Header {
			for _, v := range values {
				out = append(out, []byte(v))
			}
		}
	}
	return out
}
