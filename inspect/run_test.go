package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"constat/proxy/flow"
)

// strip takes the first byte off, if it is an X.
var strip = Decoder{Name: "strip", Doc: "takes an X off", Min: 1, Decode: func(_ *Work, p *Part) ([]Child, error) {
	if p.Data[0] != 'X' {
		return nil, nil
	}
	return []Child{{Data: p.Data[1:]}}, nil
}}

// split cuts at commas.
var split = Decoder{Name: "split", Doc: "cuts at commas", Min: 1, Decode: func(w *Work, p *Part) ([]Child, error) {
	fields := bytes.Split(p.Data, []byte(","))
	if len(fields) == 1 {
		return nil, nil
	}
	children := w.Children(min(len(fields), w.Parts()))
	for i := range children {
		n := strconv.Itoa(i)
		children[i] = Child{Arg: n, Name: "f" + n, Group: strconv.Itoa(i % 2), Kind: Text, Data: fields[i]}
	}
	if len(children) < len(fields) {
		return children, ErrParts
	}
	return children, nil
}}

// grow makes a megabyte of whatever begins with G, in pieces.
var grow = Decoder{Name: "grow", Doc: "makes a megabyte", Min: 1, Decode: func(w *Work, p *Part) ([]Child, error) {
	if p.Data[0] != 'G' {
		return nil, nil
	}
	var out []byte
	for len(out) < 1<<20 && w.Take(1<<10) {
		out = append(out, make([]byte, 1<<10)...)
	}
	return []Child{{Data: out}}, nil
}}

var panics = Decoder{Name: "panics", Doc: "panics at a P", Decode: func(_ *Work, p *Part) ([]Child, error) {
	if bytes.HasPrefix(p.Data, []byte("P")) {
		panic("secret content")
	}
	return nil, nil
}}

func mustNew(t *testing.T, cfg Config) *Inspector {
	t.Helper()
	in, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func body(s string) *Subject { return &Subject{Request: Content{Body: []byte(s)}} }

func paths(tree *Tree) (out []string) {
	for _, p := range tree.Parts {
		out = append(out, string(p.Path))
	}
	return out
}

func TestRoots(t *testing.T) {
	s := &Subject{
		Path: "/a/b", Query: "x=1",
		Request: Content{
			Header: http.Header{
				"User-Agent": {"one", "two"}, "Accept": {"*/*"}, "X-Id": {"9"}, "Content-Type": {"Text/Plain; charset=utf-8"}, "Content-Encoding": {"br", "gzip"},
				"Cookie": {"sid=1; sid=2; bare; empty=", `q="quoted"`},
			},
			Body: []byte("up"),
		},
		Response: Content{Header: http.Header{"Etag": {`"v1"`}, "Set-Cookie": {"s=t; Path=/; HttpOnly"}}, Body: []byte("down")},
	}
	in := mustNew(t, Config{})
	tree, damage := in.Unwrap(context.Background(), s)
	want := []string{
		"request.path", "request.query", "request.header:User-Agent", "request.header:User-Agent#1", "request.header:X-Id",
		"request.cookie:sid", "request.cookie:sid#1", "request.cookie", "request.cookie:q", "request.body",
		"response.header:Etag", "response.cookie:s", "response.body",
	}
	if diff := cmp.Diff(want, paths(tree)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(damage) != 0 {
		t.Errorf("damage %v", damage)
	}
	for _, p := range tree.Parts {
		if up := strings.HasPrefix(string(p.Path), "request"); up != (p.Direction == flow.Up) {
			t.Errorf("%s has direction %s", p.Path, p.Direction)
		}
	}
	b := tree.Part("request.body")
	if b.Media != "text/plain" || b.Coding != "br, gzip" || tree.Part("request.cookie:q").String() != "quoted" {
		t.Errorf("media %q, coding %q, cookie %q", b.Media, b.Coding, tree.Part("request.cookie:q"))
	}

	frame := &Subject{Path: "/a", Request: Content{Body: []byte("x")}, Frame: []byte("f"), FrameDirection: flow.Down, FrameText: true}
	tree, _ = in.Unwrap(context.Background(), frame)
	if diff := cmp.Diff([]string{"frame"}, paths(tree)); diff != "" || tree.Parts[0].Direction != flow.Down || tree.Parts[0].Kind != Text {
		t.Errorf("frame: (-want +got):\n%s", diff)
	}
}

func TestUnwrap(t *testing.T) {
	all := []Decoder{strip, split, grow, panics}
	for _, c := range []struct {
		name, body string
		limits     Limits
		parts      []string
		damage     []Damage
	}{
		{
			"breadth first", "Xa,XXb",
			Limits{},
			[]string{
				"request.body", "request.body|strip", "request.body|split:0", "request.body|split:1", "request.body|strip|split:0",
				"request.body|strip|split:1", "request.body|split:0|strip", "request.body|split:1|strip", "request.body|strip|split:1|strip",
				"request.body|split:1|strip|strip", "request.body|strip|split:1|strip|strip",
			},
			nil,
		},
		{
			"depth", "XXXX",
			Limits{Depth: 2},
			[]string{"request.body", "request.body|strip", "request.body|strip|strip"},
			[]Damage{{"request.body|strip|strip", "strip", "limit: depth"}},
		},
		{
			"parts", "a,b,c,d",
			Limits{Parts: 3},
			[]string{"request.body", "request.body|split:0", "request.body|split:1"},
			[]Damage{{"request.body", "split", "limit: parts"}},
		},
		{
			"bytes of one call", "G",
			Limits{Bytes: 1 << 12},
			[]string{"request.body", "request.body|grow"},
			[]Damage{{"request.body", "grow", "limit: bytes"}},
		},
		{
			"bytes of all calls", "G1,G2,G3",
			Limits{Bytes: 2 << 20},
			[]string{"request.body", "request.body|split:0", "request.body|split:1", "request.body|split:2", "request.body|grow", "request.body|split:0|grow"},
			[]Damage{{"request.body|split:0", "grow", "limit: bytes"}},
		},
		{
			"body", "XX,XX",
			Limits{Body: 2, Depth: 1},
			[]string{"request.body", "request.body|strip"},
			[]Damage{{"request.body", "", "limit: body truncated"}, {"request.body|strip", "strip", "limit: depth"}},
		},
		{
			"panic", "P,Xq",
			Limits{},
			[]string{"request.body", "request.body|split:0", "request.body|split:1", "request.body|split:1|strip"},
			[]Damage{{"request.body", "panics", "panic"}, {"request.body|split:0", "panics", "panic"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, s := mustNew(t, Config{Decoders: all, Limits: c.limits}), body(c.body)
			tree, damage := in.Unwrap(context.Background(), s)
			if diff := cmp.Diff(c.parts, paths(tree)); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.damage, damage); diff != "" {
				t.Errorf("damage (-want +got):\n%s", diff)
			}
			for _, p := range tree.Parts {
				q, err := in.Replay(s, p.Path)
				if err != nil || !bytes.Equal(q.Data, p.Data) {
					t.Errorf("replay %s: %v", p.Path, err)
				}
			}
		})
	}
}

// The same bytes are taken apart once for each direction.
func TestUnwrapSame(t *testing.T) {
	const long = "Xthis,is,long,enough,to,know,again"
	s := body("X" + long)
	s.Response.Body = []byte(long)
	s.Request.Header = http.Header{"X-Copy": {long}}
	tree, _ := mustNew(t, Config{Decoders: []Decoder{strip, split}}).Unwrap(context.Background(), s)
	copied := tree.Part("request.body|strip")
	if copied.Same == nil || copied.Same.Path != "request.header:X-Copy" || len(copied.Children) != 0 {
		t.Errorf("the copy was taken apart again: %+v", copied)
	}
	if p := tree.Part("response.body"); p.Same != nil || len(p.Children) == 0 {
		t.Error("the other direction was not taken apart")
	}
}

func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	in := mustNew(t, Config{Decoders: []Decoder{{Name: "d", Doc: "d", Decode: func(w *Work, p *Part) ([]Child, error) {
		cancel()
		for w.Take(1 << 18) {
		}
		return []Child{{Data: []byte("must not be kept")}}, nil
	}}}})
	r := in.Inspect(ctx, body("abc"))
	if diff := cmp.Diff([]Damage{{"request.body", "d", "limit: time"}}, r.Damage); diff != "" || r.Parts != 1 {
		t.Errorf("%d parts, damage (-want +got):\n%s", r.Parts, diff)
	}
}

func TestReplayNoPart(t *testing.T) {
	in, s := mustNew(t, Config{Decoders: []Decoder{strip, panics}}), body("XP")
	for _, p := range []Path{"", "nothing", "response.body", "request.body|split:0", "request.body|strip|strip", "request.body|strip|panics", "request.body|", "request.body\\"} {
		if part, err := in.Replay(s, p); !errors.Is(err, ErrNoPart) {
			t.Errorf("%q leads to %v, %v", p, part, err)
		}
	}
}

// matcher finds the letter q under three names.
type matcher struct{ panics bool }

func (m matcher) Match(p *Part) []Hit {
	if m.panics {
		panic("secret content")
	}
	i := bytes.IndexByte(p.Data, 'q')
	if i < 0 {
		return nil
	}
	return []Hit{{Canary: "sms-1.text", Kind: "SMS text", Class: SMS, Form: "plain", Start: i, End: i + 1}}
}

func TestHits(t *testing.T) {
	in := mustNew(t, Config{Decoders: []Decoder{strip, split}, Canaries: matcher{}})
	s := body("a,Xq,q")
	s.Response.Body = []byte("q")
	s.Query = "q"
	r := in.Inspect(context.Background(), s)
	want := []Hit{
		{Canary: "sms-1.text", Kind: "SMS text", Class: SMS, Form: "plain", Direction: flow.Up, Path: "request.body|split:1|strip", Start: 0, End: 1},
		{Canary: "sms-1.text", Kind: "SMS text", Class: SMS, Form: "plain", Direction: flow.Down, Path: "response.body", Start: 0, End: 1},
	}
	if diff := cmp.Diff(want, r.Hits); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
	if len(r.Findings) != 2 {
		t.Fatalf("%d findings, want 2", len(r.Findings))
	}
	if diff := cmp.Diff(Finding{
		Class: SMS, Direction: flow.Up, Confidence: Confirmed, Detector: "canary", Path: "request.body|split:1|strip", End: 1, Excerpt: "q",
		Reason: `The planted SMS text "sms-1.text" was found as the SMS text without separators, in: request body, split 1, strip.`,
	}, r.Findings[0]); diff != "" {
		t.Errorf("finding (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Class{SMS}, r.Tags()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

type owners struct{}

func (owners) Lookup(string, netip.Addr) Owner { panic("secret content") }

func TestDetectors(t *testing.T) {
	finding := Finding{Confidence: Probable, Path: "request.body", Start: 2, End: 1, Reason: "b"}
	second := finding
	second.Confidence, second.Class = Suspected, Opaque
	in := mustNew(t, Config{
		Detectors: []Detector{
			{Name: "bad", Class: SMS, Doc: "panics", Detect: func(*Tree) []Finding { panic("secret content") }},
			{Name: "good", Class: Photo, Doc: "finds", Detect: func(tree *Tree) []Finding {
				return []Finding{second, finding, finding, {Confidence: Probable, Path: "nowhere"}, {Path: "request.body"}}
			}},
		},
		Canaries: matcher{panics: true}, Owners: owners{},
	})
	r := in.Inspect(context.Background(), body("line\none"))
	want := &Report{
		Parts: 1,
		Findings: []Finding{
			{Class: Opaque, Direction: flow.Up, Confidence: Suspected, Detector: "good", Path: "request.body", Excerpt: "line one", Reason: "b"},
			{Class: Photo, Direction: flow.Up, Confidence: Probable, Detector: "good", Path: "request.body", Excerpt: "line one", Reason: "b"},
		},
		Damage: []Damage{
			{"", "bad", "panic"},
			{"", "owner", "panic"},
			{"nowhere", "good", "finding without a part or a confidence"},
			{"request.body", "canary", "panic"},
			{"request.body", "good", "finding without a part or a confidence"},
		},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRecords(t *testing.T) {
	in := mustNew(t, Config{Decoders: []Decoder{split}})
	s := body("a,b,c")
	s.Request.Header = http.Header{"X-One": {"1"}, "X-Two": {"2"}}
	tree, _ := in.Unwrap(context.Background(), s)
	type rec struct {
		Path   Path
		Group  string
		Fields []string
	}
	var got []rec
	for r := range tree.Records() {
		x := rec{Path: r.Path(), Group: r.Group}
		for _, f := range r.Fields {
			x.Fields = append(x.Fields, f.Name+"="+f.String())
		}
		got = append(got, x)
		if r.Parent != nil && r.Group == "0" && r.Field("nothing", "F2").String() != "c" {
			t.Errorf("field F2 of %v", x)
		}
	}
	want := []rec{
		{"request.header:X-One", "", []string{"X-One=1", "X-Two=2"}},
		{"request.body", "", []string{"=a,b,c"}},
		{"request.body", "0", []string{"f0=a", "f2=c"}},
		{"request.body", "1", []string{"f1=b"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestManyDamages(t *testing.T) {
	in := mustNew(t, Config{Decoders: []Decoder{split, panics}})
	r := in.Inspect(context.Background(), body(strings.Repeat("P,", 2000)))
	if n := len(r.Damage); n != mostDamage+1 || r.Damage[n-1].Reason != "limit: damage" {
		t.Errorf("%d damages, the last %v", n, r.Damage[n-1])
	}
}

func TestManyFindings(t *testing.T) {
	in := mustNew(t, Config{
		Decoders: []Decoder{split},
		Detectors: []Detector{{Name: "all", Class: SMS, Doc: "finds everything", Detect: func(tree *Tree) (found []Finding) {
			for _, p := range tree.Parts {
				found = append(found, Finding{Confidence: Suspected, Path: p.Path})
			}
			return found
		}}},
	})
	r := in.Inspect(context.Background(), body(strings.Repeat("a,", 2000)))
	if len(r.Findings) != mostFindings {
		t.Errorf("%d findings, want %d", len(r.Findings), mostFindings)
	}
	if diff := cmp.Diff([]Damage{{"", "all", "limit: findings"}}, r.Damage); diff != "" {
		t.Errorf("damage (-want +got):\n%s", diff)
	}
}

// Memory is used again: what one subject leaves must not show in the next.
func TestInspectRepeats(t *testing.T) {
	in := mustNew(t, Config{Decoders: []Decoder{strip, split}, Canaries: matcher{}})
	subjects := []*Subject{body("Xa,q,XXq"), body("b"), body("q,q"), {Query: "Xq"}}
	var want []*Report
	for _, s := range subjects {
		want = append(want, mustNew(t, Config{Decoders: []Decoder{strip, split}, Canaries: matcher{}}).Inspect(context.Background(), s))
	}
	t.Run("group", func(t *testing.T) {
		for range 4 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for n := range 200 {
					i := n % len(subjects)
					if diff := cmp.Diff(want[i], in.Inspect(context.Background(), subjects[i])); diff != "" {
						t.Fatalf("subject %d, round %d (-want +got):\n%s", i, n, diff)
					}
				}
			})
		}
	})
}

func TestNewRefuses(t *testing.T) {
	ok := Detector{Name: "x", Class: SMS, Doc: "d", Detect: func(*Tree) []Finding { return nil }}
	noClass := ok
	noClass.Class = "chat"
	many := make([]Decoder, 65)
	for i := range many {
		many[i] = strip
		many[i].Name = fmt.Sprint("d", i)
	}
	if _, err := New(Config{Decoders: many[:64]}); err != nil {
		t.Errorf("64 decoders: %v", err)
	}
	for name, cfg := range map[string]Config{
		"name taken":      {Decoders: []Decoder{strip, strip}},
		"name with a bar": {Decoders: []Decoder{{Name: "a|b", Doc: "d", Decode: strip.Decode}}},
		"no Doc":          {Decoders: []Decoder{{Name: "a", Decode: strip.Decode}}},
		"no Decode":       {Decoders: []Decoder{{Name: "a", Doc: "d"}}},
		"detector taken":  {Detectors: []Detector{ok, ok}},
		"unknown class":   {Detectors: []Detector{noClass}},
		"negative limit":  {Limits: Limits{Depth: -1}},
		"65 decoders":     {Decoders: many},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestVersion(t *testing.T) {
	base := Config{Decoders: []Decoder{strip}, Build: "1", Persona: "p"}
	versions := map[string]string{}
	for name, change := range map[string]func(*Config){
		"same":     func(*Config) {},
		"build":    func(c *Config) { c.Build = "2" },
		"persona":  func(c *Config) { c.Persona = "q" },
		"limits":   func(c *Config) { c.Limits.Depth = 3 },
		"decoders": func(c *Config) { c.Decoders = []Decoder{strip, split} },
	} {
		cfg := base
		change(&cfg)
		v := mustNew(t, cfg).Version()
		if v == "" || versions[v] != "" {
			t.Errorf("%s has the version %q of %s", name, v, versions[v])
		}
		versions[v] = name
	}
	if v := mustNew(t, base).Version(); versions[v] != "same" {
		t.Errorf("version %q is of %q", v, versions[v])
	}
}
