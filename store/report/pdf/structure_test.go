package pdf

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

var begins = regexp.MustCompile(`(?m)(BDC|BMC)$`)

// TestStructure draws in and out of elements over two pages: marked content is closed
// on each, and every mark has an owner.
func TestStructure(t *testing.T) {
	d := New(Info{Title: "Structure", Lang: "en"})
	text := func(s string, style Style) *Line { return d.Layout([]Span{{s, style}}, 500, 0)[0] }
	plain := Style{Size: 11}
	p := d.Page(595, 842)
	p.Draw(text("a foot", plain), 40, 800)
	h := d.Root().Add("H1")
	d.Into(h)
	p.Draw(text("The office", plain), 40, 40) // with a ligature
	para := d.Root().Add("P")
	d.Into(para)
	p.Draw(text("one", plain), 40, 60)
	p.Line(40, 70, 90, 70, 1, 0, Color{})
	p.Draw(text("here", Style{Size: 11, Link: "#end"}), 40, 80)
	p.Draw(text("nowhere", Style{Size: 11, Link: "#lost"}), 40, 100)
	p2 := d.Page(595, 842)
	p2.Draw(text("two", Style{Size: 11, Lang: "fr", Back: &Color{9, 9, 9}}), 40, 60)
	d.Name("end", p2, 60)
	d.Into(d.Root().Figure("a (picture)"))
	p2.Fill(1, 1, 1, 1, Color{})
	p2.Draw(text("in it", plain), 40, 90)
	row := d.Root().Add("Table").Add("TR")
	row.Head("Column", 3)
	d.Root().Add("L").Add("LI") // empty: left out
	d.Into(nil)
	var out bytes.Buffer
	if _, err := d.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	for i, p := range d.Pages() {
		content := p.out.String()
		if a, b := len(begins.FindAllString(content, -1)), strings.Count(content, "EMC\n"); a != b || a == 0 {
			t.Errorf("page %d: %d begins, %d ends\n%s", i, a, b, content)
		}
		if n := strings.Count(content, "/MCID"); n != len(p.owners) {
			t.Errorf("page %d: %d marks, %d owners", i, n, len(p.owners))
		}
	}
	file := out.String()
	for _, want := range []string{
		"/MarkInfo << /Marked true >>", "/S /H1", "/S /Figure /P", "/Alt (a \\(picture\\))", "/Scope /Column /ColSpan 3", "/Type /OBJR", "/StructParents 1", "/StructParent 2 ", "/Tabs /S", "/Type /MCR",
	} {
		if !strings.Contains(file, want) {
			t.Errorf("%s is not in the file", want)
		}
	}
	if strings.Contains(file, "/S /LI") || strings.Contains(file, "/StructParent 3 ") {
		t.Error("an empty element, or a link to nowhere, is in the structure")
	}
	if !strings.Contains(d.Pages()[1].out.String(), "/Span << /MCID 1 /Lang (fr) >> BDC") || !strings.Contains(d.Pages()[0].out.String(), "/Artifact BMC\n") {
		t.Errorf("language or decoration: %s", d.Pages()[1].out.String())
	}
}
