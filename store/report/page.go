package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strconv"
	"strings"
)

//go:embed report.css
var styleFile string

//go:embed report.html
var pageFile string

var (
	stylesheet = colours() + template.CSS(styleFile)
	page       = template.Must(template.New("report").Funcs(english.functions()).Parse(pageFile))
)

// functions are what the template can call.
func (l *language) functions() template.FuncMap {
	return template.FuncMap{
		"say":     func(key string) string { return l.say(key) },
		"leftOut": l.leftOut,
		"exhibit": func(n int) string { return l.say("exhibit", n) },
		"alt":     func() string { return l.say("photo.alt") },
		"image":   func(s string) template.URL { return template.URL(s) }, // made by thumbnail, from nothing else
		"f":       coordinate,
		"add":     func(a, b float64) float64 { return a + b },
		"sub":     func(a, b float64) float64 { return a - b },
		"pad":     func(cells []DumpCell) string { return strings.Repeat("   ", max(0, rowBytes-len(cells))) },
	}
}

// coordinate writes a number in a picture.
func coordinate(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// paintHTML writes a document as a page.
func paintHTML(l *language, d *Document) ([]byte, error) {
	t, err := page.Clone()
	if err != nil {
		return nil, err
	}
	c := contents(l, d)
	var out bytes.Buffer
	err = t.Funcs(l.functions()).Execute(&out, view{Document: d, CSS: styleFor(d), l: l, Facts: c.first[0], Contents: c.toc, Rest: c.rest})
	return unhide(out.Bytes()), err
}

// styleFor is the style sheet of a document: every printed page names the case and the
// root of its log, and has the banner.
func styleFor(d *Document) template.CSS {
	foot := "Constat · " + d.Case.ID
	if d.Log.Root != "" {
		foot += " · " + d.Log.Root
	}
	css := "@page{@bottom-left{content:" + cssString(foot) + "}}"
	if d.Banner != "" {
		css += "@page{@top-left{content:" + cssString(short(d.Banner, 110)) + ";font:600 8pt sans-serif;color:#8a2b0e}}"
	}
	return stylesheet + template.CSS(css)
}

// cssString writes s as a string of CSS in which every character but letters and
// digits is escaped (CSS Syntax Level 3, section 4.3.7: an escape of six digits also
// swallows the blank after it).
func cssString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\%06x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// view is what the template sees.
type view struct {
	*Document
	CSS      template.CSS
	Facts    block
	Contents []heading
	Rest     []block

	l *language
}

// Policy is the document's Content-Security-Policy: no script, no request, and no
// style but the document's own.
func (v view) Policy() string {
	sum := sha256.Sum256([]byte(v.CSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'"
}

// Footer closes the page.
func (v view) Footer() string {
	if v.Build != "" {
		return v.l.say("footer.build", v.l.moment(v.Generated), v.Build)
	}
	return v.l.say("footer", v.l.moment(v.Generated))
}

// Percent is the length of the row's bar.
func (c ClassRow) Percent() float64 { return max(1, 100*c.Share) }

// meterWidth is the length of a bar of at most 100.
func meterWidth(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }
