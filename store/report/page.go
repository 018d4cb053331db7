package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
)

//go:embed report.css
var styleFile string

//go:embed report.html
var pageFile string

//go:embed identifiers.html
var identifiersFile string

var (
	stylesheet = colours() + template.CSS(styleFile)
	page       = template.Must(template.New("report").Funcs(functions).Parse(pageFile + identifiersFile))
)

// styleFor is the style sheet of a document whose banner stands on every printed
// page.
func styleFor(banner string) template.CSS {
	if banner == "" {
		return stylesheet
	}
	return stylesheet + template.CSS("@page{@top-left{content:"+cssString(short(banner, 110))+";font:600 8pt sans-serif;color:#8a2b0e}}")
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
	CSS     template.CSS
	Blurred bool
}

// Policy is the document's Content-Security-Policy: no script, no request, and no
// style but the document's own.
func (v view) Policy() string {
	sum := sha256.Sum256([]byte(v.CSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'"
}

// Plot is the timeline's picture, nil when there is no traffic.
func (v view) Plot() *Plot { return v.Timeline.plot }

// Up and Down are the rows of what left the phone and of what came to it.
func (v view) Up() []ClassRow   { return v.direction("up") }
func (v view) Down() []ClassRow { return v.direction("down") }

func (v view) direction(d string) (rows []ClassRow) {
	for _, c := range v.Classes {
		if c.Direction == d {
			rows = append(rows, c)
		}
	}
	return rows
}

// Percent is the length of the row's bar.
func (c ClassRow) Percent() float64 { return max(1, 100*c.Share) }

// Mixed says how many requests are how sure, when they are not all alike.
func (c ClassRow) Mixed() string {
	var parts []string
	for _, x := range []struct {
		n    int64
		word string
	}{{c.Confirmed, "confirmed"}, {c.Probable, "probable"}, {c.Suspected, "suspected"}} {
		if x.n == c.Requests {
			return ""
		}
		if x.n > 0 {
			parts = append(parts, grouped(x.n)+" "+x.word)
		}
	}
	return list(parts)
}
