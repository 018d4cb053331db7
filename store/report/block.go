package report

import (
	"slices"
	"strings"
)

// A report is a list of blocks, which HTML and PDF are painted from: what one says
// the other says. Nothing in them is markup; painters escape.

// run is a piece of a line in one style.
type run struct {
	Text string
	// As is "", "em", "strong", "code", "mark", "soft", "none" (there is nothing),
	// "sub" (a line of its own, smaller), "br", "link", "badge", "dir", "sure" or "verdict".
	As    string
	Class string // of a badge and of what is sure: its style
	Link  string
	Lang  string // of the text, when it is not the report's
	Title string // what it means
}

func (r run) with(text string) run {
	r.Text = text
	return r
}

// line is runs that stand one after the other.
type line []run

func plain(s string) line  { return line{{Text: s}} }
func strong(s string) line { return line{{Text: s, As: "strong"}} }
func code(s string) run    { return run{Text: s, As: "code"} }
func sub(s string) run     { return run{Text: s, As: "sub"} }
func none(s string) line   { return line{{Text: s, As: "none"}} }

var newline = run{As: "br"}

func plainText(l line) string {
	var b strings.Builder
	for _, r := range l {
		b.WriteString(r.Text)
	}
	return b.String()
}

// block is a piece of a report. Exactly one field is set.
type block struct {
	Heading *heading
	Para    *para
	Bullets *bullets
	Table   *table
	Pairs   *terms
	Quote   *Quote
	Signed  string // to be copied as it is
	Plot    *Plot
	Flow    *Flow
	Legend  []Legend
	Photos  []Photo
	Box     *box
	Page    bool // a new page begins, on paper
}

type heading struct {
	Level  int // 1 to 4
	ID     string
	Number int // of a section, 0: none
	Text   line
}

type para struct {
	// Class is "", "lead", "note", "none", "reason", "path", "caption" or "request".
	Class string
	Text  line
}

type bullets struct {
	Class string // "", or "steps" and "numbered", which are numbered
	Items []line
}

type column struct {
	Name  string
	Label string  // on a narrow screen, before the cell; "": none
	Class string  // "", "num", "host", "addr" or "where"
	Width float64 // share of the page's width on paper, 0: what is left
}

type table struct {
	Columns []column // without names: there is no head
	Groups  []rows
}

type rows struct {
	Label string
	Rows  [][]line
}

type terms struct {
	Class string // "facts", "roles" or "details"
	Items []pair
}

type pair struct {
	Term string
	Text line
	Mono bool
}

// box frames what belongs together.
type box struct {
	Class string // "exhibit", "answer" or "finding"
	Tint  string // CSS class of a class or verdict, "": none
	ID    string
	Head  []block
	Body  []block
}

// content is what painters are given.
type content struct {
	l     *language
	first []block // the page of plain words
	rest  []block
	toc   []heading
}

// writer collects blocks.
type writer struct {
	l   *language
	d   *Document
	out []block
}

func (w *writer) add(b block) { w.out = append(w.out, b) }

func (w *writer) heading(level int, id string, text line) {
	w.add(block{Heading: &heading{Level: level, ID: id, Text: text}})
}

// section begins one of the numbered sections.
func (w *writer) section(id string) {
	w.add(block{Heading: &heading{Level: 2, ID: id, Number: number(id), Text: w.l.line("section." + id)}})
}

func (w *writer) para(class string, text line) {
	if len(text) > 0 {
		w.add(block{Para: &para{class, text}})
	}
}

func (w *writer) say(class, key string, args ...any) { w.para(class, w.l.line(key, args...)) }

func (w *writer) bullets(class string, items ...line) {
	if len(items) > 0 {
		w.add(block{Bullets: &bullets{class, items}})
	}
}

func (w *writer) table(columns []column, groups ...rows) {
	w.add(block{Table: &table{columns, groups}})
}

// inside collects the blocks that f adds.
func (w *writer) inside(f func(*writer)) []block {
	inner := &writer{l: w.l, d: w.d}
	f(inner)
	return inner.out
}

// col is a column whose name and label the language has.
func (w *writer) col(key, class string, width float64) column {
	c := column{Name: w.l.say("col." + key), Class: class, Width: width}
	c.Label = lower(c.Name)
	if w.l.has("label." + key) {
		c.Label = w.l.say("label." + key)
	}
	return c
}

func lower(s string) string {
	if s == "" {
		return s
	}
	r := []rune(s)
	return strings.ToLower(string(r[:1])) + string(r[1:])
}

// order is that of the numbered sections.
var order = []string{"answers", "found", "hosts", "identifiers", "comparison", "timeline", "photos", "exhibits", "coverage", "method", "verify"}

func number(id string) int { return slices.Index(order, id) + 1 }
