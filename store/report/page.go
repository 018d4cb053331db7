package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
)

//go:embed report.css
var styleFile string

//go:embed report.html
var pageFile string

var (
	stylesheet = colours() + template.CSS(styleFile)
	page       = template.Must(template.New("report").Funcs(functions).Parse(pageFile))
)

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
