package inspect

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestPathSteps(t *testing.T) {
	for _, c := range []struct {
		args  []string // of steps named d
		path  Path
		steps []string
	}{
		{nil, "request.body", []string{"request.body"}},
		{[]string{"", "a.b[0]"}, "request.body|d|d:a.b[0]", []string{"request.body", "d", "d:a.b[0]"}},
		{[]string{`x|y\z`, ""}, `request.body|d:x\|y\\z|d`, []string{"request.body", `d:x\|y\\z`, "d"}},
		{[]string{"a\nb\x00\xff\u202e你"}, `request.body|d:a\x0ab\x00\xff\xe2\x80\xae你`, []string{"request.body", `d:a\x0ab\x00\xff\xe2\x80\xae你`}},
		{[]string{`\x41`}, `request.body|d:\\x41`, []string{"request.body", `d:\\x41`}},
		{[]string{"a:b"}, `request.body|d:a:b`, []string{"request.body", "d:a:b"}},
	} {
		p := Path("request.body")
		for _, arg := range c.args {
			p = p.Append("d", arg)
		}
		if p != c.path {
			t.Errorf("%q: path %s, want %s", c.args, p, c.path)
		}
		if diff := cmp.Diff(c.steps, p.Steps()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p, diff)
		}
		for i, step := range p.Steps()[1:] {
			if name, arg := SplitStep(step); name != "d" || arg != c.args[i] {
				t.Errorf("%s: step %q is %q %q, want %q", p, step, name, arg, c.args[i])
			}
		}
	}
}

func TestPathLongArgument(t *testing.T) {
	long := strings.Repeat("你", 100)
	a, b := Path("r").Append("d", long+"a"), Path("r").Append("d", long+"b")
	if a == b {
		t.Error("two long arguments have the same path")
	}
	if len(a) > maxArg || !utf8.ValidString(string(a)) || !strings.Contains(string(a), "…") {
		t.Errorf("path %q of %d bytes", a, len(a))
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"", "a", `|\`, "\xff", `\x4`, strings.Repeat("k", 300)} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		p := Path("request.body").Append("one", x).Append("two", y)
		if !utf8.ValidString(string(p)) || strings.ContainsAny(string(p), "\r\n\x00") {
			t.Fatalf("%q is not one line of UTF-8", p)
		}
		steps := p.Steps()
		if len(steps) != 3 {
			t.Fatalf("%q has %d steps", p, len(steps))
		}
		for i, want := range []string{x, y} {
			if _, arg := SplitStep(steps[i+1]); len(want) <= maxArg && arg != want {
				t.Fatalf("%q: argument %q, want %q", p, arg, want)
			}
		}
	})
}

func TestPathWords(t *testing.T) {
	got := Path(`request.body|gzip|form:data_list|base64|json:[0].properties.url|url:q`).Words()
	want := "request body, gzip, form field data_list, base64, JSON value [0].properties.url, parameter of the URL: q"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
