package inspect_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"constat/inspect"
	"constat/inspect/decode"
)

var index = regexp.MustCompile(`\[\d*`)

// documents says what Tree.Documents should be, from the parts alone.
func documents(t *inspect.Tree) (out []string) {
	document := func(parent *inspect.Part, parts []*inspect.Part) {
		type key struct{ decoder, group string }
		var records, columns []string
		fields := make(map[string]string)
		var keys []key
		of := make(map[key]string)
		for _, p := range parts {
			k := key{p.Decoder(), p.Group}
			if _, ok := of[k]; !ok {
				keys = append(keys, k)
			}
			of[k] += " " + string(p.Path)
			c := fmt.Sprintf("%q at %s", p.Name, index.ReplaceAllString(p.Group, "["))
			if _, ok := fields[c]; !ok {
				columns = append(columns, c)
			}
			fields[c] += fmt.Sprintf(" %x/%d/%d/%v/%v", p.Holds(), len(p.Data), p.Kind, len(p.Children) > 0, strings.HasSuffix(string(p.Path), "]"))
		}
		// The runs of one decoder come one after the other.
		for _, k := range keys {
			records = append(records, fmt.Sprintf("%q:%s", k.group, of[k]))
		}
		out = append(out, strings.Join(records, "\n"))
		for _, c := range columns {
			var all inspect.Chars
			kinds := [5]bool{}
			least, most, n, taken, elements := 1<<30, 0, 0, false, false
			for _, f := range strings.Fields(fields[c]) {
				var chars inspect.Chars
				var size, kind int
				var has, element bool
				fmt.Sscanf(strings.ReplaceAll(f, "/", " "), "%x %d %d %t %t", &chars, &size, &kind, &has, &element)
				all |= chars
				kinds[kind] = true
				least, most, taken, elements = min(least, size), max(most, size), taken || has, elements || element
				n++
			}
			out = append(out, fmt.Sprint(c, " ", n, all, kinds, least, most, taken, elements))
		}
	}
	roots := 0
	for roots < len(t.Parts) && t.Parts[roots].Parent == nil {
		roots++
	}
	document(nil, t.Parts[:roots])
	for _, p := range t.Parts {
		if len(p.Children) > 0 {
			document(p, p.Children)
		}
	}
	return out
}

// Whether records are numbered by the decoder or told apart by their groups, they
// are the same, and so are the columns.
func TestDocuments(t *testing.T) {
	in, err := inspect.New(inspect.Config{Decoders: decode.All})
	if err != nil {
		t.Fatal(err)
	}
	var wide strings.Builder // more columns than a table begins with
	for i := range 100 {
		fmt.Fprintf(&wide, `{"a%d":[{"b%d":%d,"c":[[1],[2,"x"]]}]},`, i%37, i%11, i)
	}
	for name, body := range map[string]string{
		"list":     `{"list":[{"a":1,"tags":["x","y"],"b":"two"},{"b":"2","tags":[],"a":null},{"tags":["z"],"c":{"a":[1,2]}}],"n":7}`,
		"repeated": `{"a":{"x":1},"b":2,"a":{"y":3},"a":[4,5],"a":{"x":6}}`,
		"elements": `[[1,2],[3,[4,"five"]],{"0":6},["a=1&b=2&a=3"]]`,
		"odd keys": `{"a b":{"x[1]":1,"x[2]":{"y":2}},"":{"":[3]},"` + strings.Repeat("k", 300) + `":{"l":4,"` + strings.Repeat("m", 180) + `":[{"a":5},{"a":6}]}}`,
		"xml":      `<r><i a="1"><t>x</t><t>y</t></i><i a="2"><t>z</t></i></r>`,
		"form":     `a=1&b={"c":[{"d":1},{"d":2}]}&c=2`,
		"wide":     `[` + strings.TrimSuffix(wide.String(), ",") + `]`,
	} {
		tree, _ := in.Unwrap(t.Context(), &inspect.Subject{
			Host: "a.example", Path: "/a/b", Query: "q=1&r=2", Request: inspect.Content{Header: http.Header{"X-A": {"1", "2"}, "Cookie": {"c=1; d=2"}}, Body: []byte(body)},
		})
		var got []string
		for _, d := range tree.Documents() {
			var records []string
			for _, r := range d.Records {
				text := fmt.Sprintf("%q:", r.Group)
				for _, f := range r.Fields {
					text += " " + string(f.Path)
				}
				records = append(records, text)
			}
			got = append(got, strings.Join(records, "\n"))
			for i := range d.Columns {
				c := &d.Columns[i]
				kinds := [5]bool{}
				for k := range kinds {
					kinds[k] = c.Has(inspect.Kind(k))
				}
				got = append(got, fmt.Sprint(fmt.Sprintf("%q at %s", c.Name, c.Place), " ", c.Fields, c.Holds, kinds, c.Min, c.Max, c.Taken, c.Elements))
			}
		}
		if want := documents(tree); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
}
