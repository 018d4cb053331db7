package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/jpeg"
	"math"
	"strconv"
	"strings"

	"constat/store/report/pdf"
)

// A4 in points, its margins, and the sizes of letters.
const (
	sheetWidth, sheetHeight = 595.28, 841.89
	marginLeft, marginRight = 48, 48
	marginTop, marginBottom = 54, 58
	bodySize                = 9.8
	smallSize               = 7.9
)

// Colours of the printed report.
var (
	ink    = pdf.Color{0x1b, 0x1e, 0x23}
	soft   = pdf.Color{0x54, 0x5b, 0x66}
	faint  = pdf.Color{0x6a, 0x72, 0x7e}
	rule   = pdf.Color{0xd4, 0xd8, 0xde}
	hair   = pdf.Color{0xe7, 0xe9, 0xed}
	wash   = pdf.Color{0xf3, 0xf4, 0xf7}
	accent = pdf.Color{0x1f, 0x3a, 0x5f}
	yellow = pdf.Color{0xff, 0xe4, 0x8a}
	warn   = pdf.Color{0x8a, 0x2b, 0x0e}
	white  = pdf.Color{0xff, 0xff, 0xff}
)

// painter lays blocks out on pages.
type painter struct {
	l    *language
	d    *Document
	doc  *pdf.Doc
	page *pdf.Page
	y    float64

	left, width float64
	bars        []*bar       // of the boxes that are open
	in          *pdf.Element // that what is drawn next is a part of
}

// tag adds an element with what draw draws.
func (p *painter) tag(role string, draw func()) {
	e := p.in.Add(role)
	defer p.doc.Into(p.doc.Into(e))
	draw()
}

// within adds an element for the elements that draw adds.
func (p *painter) within(role string, draw func()) {
	before := p.in
	p.in = before.Add(role)
	draw()
	p.in = before
}

// figure adds a picture with what is said in its place.
func (p *painter) figure(alt string, draw func()) {
	defer p.doc.Into(p.doc.Into(p.in.Figure(clean(alt))))
	draw()
}

// bar is the coloured edge of a box, from where it began on the page.
type bar struct {
	x, from, width float64
	color          pdf.Color
}

// paintPDF writes a document as a PDF file.
func paintPDF(l *language, d *Document) ([]byte, error) {
	c := contents(l, d)
	p := &painter{l: l, d: d, left: marginLeft, width: sheetWidth - marginLeft - marginRight}
	p.doc = pdf.New(pdf.Info{Title: clean(d.Title), Subject: clean(l.say("over.title") + " · " + d.Case.File + " · " + d.Case.ID), Creator: clean(d.Build), Lang: l.code, Created: d.Generated})
	p.in = p.doc.Root()
	p.turn()
	p.titlePage(c)
	p.turn()
	p.blocks(c.rest)
	p.closeBars()
	p.feet()
	var out bytes.Buffer
	if _, err := p.doc.WriteTo(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// clean is a text for the file's metadata, without what steers.
func clean(s string) string { return string(unhide([]byte(short(s, 300)))) }

func (p *painter) bottom() float64 { return sheetHeight - marginBottom }

// turn begins a page.
func (p *painter) turn() {
	p.closeBars()
	p.page = p.doc.Page(sheetWidth, sheetHeight)
	p.y = marginTop
	if p.d.Banner != "" {
		var owner *pdf.Element // said once
		if len(p.doc.Pages()) == 1 {
			owner = p.in.Add("P")
		}
		defer p.doc.Into(p.doc.Into(owner))
		for i, line := range p.doc.Layout([]pdf.Span{{Text: short(p.d.Banner, 400), Style: pdf.Style{Family: pdf.Sans, Bold: true, Size: 7.4, Color: warn, Lang: p.d.BannerLang}}}, p.fullWidth(), 1.3) {
			if i < 3 {
				p.page.Draw(line, marginLeft, 24+float64(i)*9)
			}
		}
	}
	for _, b := range p.bars {
		b.from = p.y
	}
}

func (p *painter) fullWidth() float64 { return sheetWidth - marginLeft - marginRight }

// closeBars draws the edges of the open boxes down to here.
func (p *painter) closeBars() {
	for _, b := range p.bars {
		if p.y > b.from {
			p.page.Fill(b.x, b.from, b.width, p.y-b.from, b.color)
		}
	}
}

// room turns the page unless there is that much left of it.
func (p *painter) room(height float64) {
	if p.y+height > p.bottom() && p.y > marginTop+1 {
		p.turn()
	}
}

func (p *painter) space(height float64) {
	if p.y > marginTop+1 {
		p.y = min(p.y+height, p.bottom())
	}
}

// feet writes the feet of all pages, which need their number.
func (p *painter) feet() {
	pages := p.doc.Pages()
	style := pdf.Style{Family: pdf.Sans, Size: 6.8, Color: faint}
	root := p.d.Log.Root
	if root == "" {
		root = "–"
	}
	for i, page := range pages {
		y := sheetHeight - 36.0
		page.Line(marginLeft, y-4, sheetWidth-marginRight, y-4, 0.5, 0, rule)
		left := p.doc.Layout([]pdf.Span{{Text: "Constat · " + short(p.d.Case.File, 60) + " · " + p.d.Case.ID, Style: style}}, p.fullWidth()-60, 1.35)
		page.Draw(left[0], marginLeft, y)
		mono := style
		mono.Family, mono.Size = pdf.Mono, 6.2
		line := p.doc.Layout([]pdf.Span{{Text: p.l.say("verify.root") + p.l.say("colon"), Style: style}, {Text: root, Style: mono}}, p.fullWidth()-60, 1.35)
		page.Draw(line[0], marginLeft, y+9)
		n := p.doc.Layout([]pdf.Span{{Text: strconv.Itoa(i+1) + " / " + strconv.Itoa(len(pages)), Style: style}}, 100, 1.35)
		page.Draw(n[0], sheetWidth-marginRight-n[0].Width, y)
	}
}

func (p *painter) titlePage(c *content) {
	p.doc.Bookmark(1, clean(p.d.Title), p.page, 0)
	if p.d.Banner != "" {
		p.y += 6
	}
	p.tag("P", func() {
		p.lines([]pdf.Span{{Text: strings.ToUpper(p.l.say("over.title")), Style: pdf.Style{Family: pdf.Sans, Bold: true, Size: 7.6, Color: accent}}}, 0)
	})
	p.y += 3
	p.tag("H1", func() {
		p.lines([]pdf.Span{{Text: p.d.Title, Style: pdf.Style{Family: pdf.Serif, Bold: true, Size: 21, Color: ink}}}, 1.2)
	})
	p.y += 4
	p.within("L", func() { p.facts(c.first[0].Pairs) })
	p.y += 10
	p.tag("H2", func() {
		p.lines([]pdf.Span{{Text: p.l.say("plain"), Style: pdf.Style{Family: pdf.Serif, Bold: true, Size: 13.5, Color: ink}}}, 1.3)
	})
	p.y += 3
	const term = 118
	size := 9.4 // smaller where that keeps the plain words on one page
	for size > 7.6 && p.y+p.plainHeight(size, term) > p.bottom() {
		size -= 0.2
	}
	for _, x := range p.d.Summary {
		p.room(30)
		p.page.Line(p.left, p.y, p.left+p.width, p.y, 0.5, 0, rule)
		p.y += 4
		heading := p.doc.Layout([]pdf.Span{{Text: x.Heading, Style: pdf.Style{Family: pdf.Serif, Bold: true, Size: 9.6, Color: ink}}}, term-12, 1.25)
		y := p.y
		p.tag("H3", func() {
			for _, line := range heading {
				p.page.Draw(line, p.left, y)
				y += line.Height
			}
		})
		left, width := p.left, p.width
		p.left, p.width = p.left+term, p.width-term
		page := p.page
		for _, s := range x.Sentences {
			p.tag("P", func() {
				p.lines([]pdf.Span{{Text: s, Style: pdf.Style{Family: pdf.Serif, Size: size, Color: ink}}}, plainLeading)
			})
			p.y += plainGap
		}
		p.left, p.width = left, width
		if p.page == page {
			p.y = max(p.y, y)
		}
		p.y += 2
	}
}

const plainLeading, plainGap = 1.32, 2.5

// plainHeight is how high the page of plain words is in a size.
func (p *painter) plainHeight(size, term float64) (h float64) {
	for _, x := range p.d.Summary {
		sum := 0.0
		for _, s := range x.Sentences {
			for _, line := range p.doc.Layout([]pdf.Span{{Text: s, Style: pdf.Style{Family: pdf.Serif, Size: size}}}, p.width-term, plainLeading) {
				sum += line.Height
			}
			sum += plainGap
		}
		h += max(sum, 26) + 6
	}
	return h
}

// facts draws the head of the report as a grid.
func (p *painter) facts(t *terms) {
	p.page.Line(p.left, p.y, p.left+p.width, p.y, 0.8, 0, ink)
	p.y += 5
	const columns = 3
	width := p.width / columns
	for i := 0; i < len(t.Items); i += columns {
		y := p.y
		for j := range min(columns, len(t.Items)-i) {
			item := t.Items[i+j]
			at := y
			draw := func(lines []*pdf.Line) func() {
				return func() {
					for _, line := range lines {
						p.page.Draw(line, p.left+float64(j)*width, at)
						at += line.Height
					}
				}
			}
			p.within("LI", func() {
				p.tag("Lbl", draw(p.doc.Layout([]pdf.Span{{Text: item.Term, Style: pdf.Style{Family: pdf.Sans, Size: 6.8, Color: faint}}}, width-10, 1.3)))
				p.tag("LBody", draw(p.doc.Layout(p.spans(item.Text, pdf.Style{Family: pdf.Sans, Size: 8, Color: ink}), width-10, 1.3)))
			})
			p.y = max(p.y, at)
		}
		p.y += 4
	}
	p.page.Line(p.left, p.y, p.left+p.width, p.y, 0.8, 0, ink)
}

// lines draws text, and turns the page where it is full. No line of a text of three
// or more stands alone.
func (p *painter) lines(spans []pdf.Span, leading float64) {
	lines := p.doc.Layout(spans, p.width, leading)
	for i, line := range lines {
		need := line.Height
		if len(lines) > 2 && (i == 0 || i == len(lines)-2) {
			need *= 2
		}
		p.room(need)
		p.page.Draw(line, p.left, p.y)
		p.y += line.Height
	}
}

// spans turns runs into text of the file.
func (p *painter) spans(l line, base pdf.Style) (out []pdf.Span) {
	for _, r := range l {
		s := base
		s.Lang = r.Lang
		text := r.Text
		switch r.As {
		case "br":
			text = "\n"
		case "dir":
			s.Bold = true
			if n := len(out); n > 0 && out[n-1].Back != nil {
				text = " " + text
			}
		case "strong":
			s.Bold = true
		case "em":
			s.Slant = true
		case "none":
			s.Slant, s.Color = true, faint
		case "soft", "id":
			s.Color = soft
			if r.As == "id" {
				s.Family, s.Bold, s.Size = pdf.Sans, false, smallSize
			}
		case "code", "mono":
			s.Family, s.Size = pdf.Mono, base.Size*0.88
		case "mark":
			s.Back = &yellow
		case "sub":
			text = "\n" + text
			s.Size, s.Color = base.Size*0.92, faint
		case "link":
			s.Color, s.Link = accent, r.Link
		case "badge", "verdict":
			c := tint(r.Class)
			s.Family, s.Bold, s.Color, s.Back, s.Size = pdf.Sans, true, white, &c, min(base.Size, smallSize)*0.92
			text = "\u00a0" + strings.ReplaceAll(text, " ", "\u00a0") + "\u00a0"
			if n := len(out); n > 0 && out[n-1].Back != nil { // a breath between two
				gap := base
				out = append(out, pdf.Span{Text: " ", Style: gap})
			}
		case "sure":
			n := map[string]int{"confirmed": 3, "probable": 2, "suspected": 1}[r.Class]
			text = strings.Repeat("●", n) + strings.Repeat("○", 3-n) + "\u00a0" + text
		}
		out = append(out, pdf.Span{Text: text, Style: s})
	}
	return out
}

// tint is the colour that goes with a CSS class.
func tint(class string) pdf.Color {
	hex := map[string]string{"v-supported": "#2f6b3a", "v-refuted": "#a3262a", "c-none": other}[class]
	for _, s := range styles {
		if class == "c-"+string(s.class) {
			hex = s.colour
		}
	}
	var c pdf.Color
	if n, err := fmt.Sscanf(hex, "#%02x%02x%02x", &c[0], &c[1], &c[2]); n != 3 || err != nil {
		return pdf.Color{0x5f, 0x6b, 0x78}
	}
	return c
}

// pale mixes a colour with white.
func pale(c pdf.Color, share float64) (out pdf.Color) {
	for i := range c {
		out[i] = uint8(255 - share*(255-float64(c[i])))
	}
	return out
}

func (p *painter) blocks(list []block) {
	for i := range list {
		b := &list[i]
		switch {
		case b.Heading != nil:
			p.room(p.together(list[i:]))
			p.tag("H"+strconv.Itoa(b.Heading.Level), func() { p.heading(b.Heading) })
		case b.Para != nil:
			p.tag("P", func() { p.para(b.Para) })
		case b.Bullets != nil:
			p.within("L", func() { p.bullets(b.Bullets) })
		case b.Table != nil:
			p.table(b.Table)
		case b.Pairs != nil:
			p.pairs(b.Pairs)
		case b.Quote != nil:
			p.tag("P", func() { p.quote(b.Quote) })
		case b.Signed != "":
			p.tag("P", func() {
				p.preformatted([]pdf.Span{{Text: strings.TrimRight(b.Signed, "\n"), Style: pdf.Style{Family: pdf.Mono, Size: p.fitting(b.Signed), Color: ink}}})
			})
		case b.Plot != nil:
			p.figure(b.Plot.Label, func() { p.plot(b.Plot) })
		case b.Legend != nil:
			p.legend(b.Legend)
		case b.Flow != nil:
			p.figure(p.l.say("flow.label"), func() { p.flow(b.Flow.paper) })
		case b.Photos != nil:
			p.photos(b.Photos)
		case b.Box != nil:
			p.within("Sect", func() { p.box(b.Box) })
		}
	}
}

// together is the room that a heading needs so that what follows begins on the same
// page: a picture, or the first row of a table.
func (p *painter) together(list []block) float64 {
	h := 30.0
	for _, b := range list[:min(len(list), 3)] {
		switch {
		case b.Plot != nil:
			return float64(b.Plot.Height)*p.width/float64(b.Plot.Width)*stretch + 130
		case b.Flow != nil && b.Flow.paper != nil:
			return b.Flow.paper.Height*p.width/b.Flow.paper.Width + 100
		case b.Table != nil:
			return h + p.firstRow(b.Table)
		case b.Para != nil:
			h += 45
		}
	}
	return 0
}

// firstRow is the room that a table needs to begin: its head never stands alone.
func (p *painter) firstRow(t *table) float64 {
	first := 0.0
	if len(t.Groups) > 0 && len(t.Groups[0].Rows) > 0 {
		for _, c := range p.cells(t, p.widths(t), t.Groups[0].Rows[0], pdf.Style{Family: pdf.Sans, Size: smallSize, Color: ink}) {
			sum := 0.0
			for _, line := range c.lines {
				sum += line.Height
			}
			first = max(first, sum)
		}
	}
	return min(50+first, 300)
}

func (p *painter) heading(h *heading) {
	text := plainText(h.Text)
	style := pdf.Style{Family: pdf.Serif, Bold: true, Color: ink}
	switch h.Level {
	case 2:
		p.room(120)
		p.space(20)
		p.page.Line(p.left, p.y, p.left+p.width, p.y, 1.2, 0, ink)
		p.y += 7
		style.Size = 14
		p.doc.Bookmark(1, clean(strconv.Itoa(h.Number)+" "+text), p.page, p.y-8)
		p.doc.Name(h.ID, p.page, p.y-8)
		p.lines(append([]pdf.Span{{Text: strconv.Itoa(h.Number) + "  ", Style: pdf.Style{Family: pdf.Serif, Size: 14, Color: faint}}}, p.spans(h.Text, style)...), 1.25)
		p.y += 2
	case 3:
		p.room(70)
		p.space(9)
		style.Size = 11
		if h.ID != "" {
			p.doc.Bookmark(2, clean(text), p.page, p.y)
			p.doc.Name(h.ID, p.page, p.y)
		}
		p.lines(p.spans(h.Text, style), 1.3)
		p.y++
	default:
		p.room(38)
		p.space(5)
		style.Family, style.Size, style.Color = pdf.Sans, 7.4, soft
		p.lines(p.spans(h.Text, style), 1.35)
	}
}

func (p *painter) para(x *para) {
	style := pdf.Style{Family: pdf.Serif, Size: bodySize, Color: ink}
	leading := 1.38
	switch x.Class {
	case "lead":
		style.Color = soft
	case "none":
		style.Color, style.Slant = faint, true
	case "reason":
		style.Size = 9
	case "note", "said", "head":
		style.Family, style.Size, style.Color = pdf.Sans, smallSize, soft
	case "caption":
		style.Family, style.Size, style.Color = pdf.Sans, 7, faint
	case "path", "request":
		style.Family, style.Size, style.Color = pdf.Mono, 7.4, soft
		if x.Class == "request" {
			style.Color, style.Size = ink, 7.8
		}
	}
	text := x.Text
	if x.Class == "head" { // its parts stand side by side
		text = nil
		for i, r := range x.Text {
			if i > 0 && r.As != "code" {
				text = append(text, run{Text: "   "})
			}
			text = append(text, r)
		}
		p.room(45)
		p.space(3)
	}
	p.lines(p.spans(text, style), leading)
	p.y += 3
}

func (p *painter) bullets(b *bullets) {
	style := pdf.Style{Family: pdf.Serif, Size: bodySize - 0.4, Color: ink}
	const indent = 15
	for i, item := range b.Items {
		sign := "•"
		if b.Class != "" {
			sign = strconv.Itoa(i+1) + "."
		}
		p.room(style.Size * 1.4)
		signs := p.doc.Layout([]pdf.Span{{Text: sign, Style: pdf.Style{Family: pdf.Sans, Size: 8, Color: soft}}}, indent, 1.6)
		p.left, p.width = p.left+indent, p.width-indent
		p.within("LI", func() {
			p.tag("Lbl", func() { p.page.Draw(signs[0], p.left-indent+2, p.y) })
			p.tag("LBody", func() { p.lines(p.spans(item, style), 1.36) })
		})
		p.left, p.width = p.left-indent, p.width+indent
		p.y += 1.5
	}
	p.y += 2
}

func (p *painter) pairs(t *terms) {
	if t.Class == "details" {
		var spans []pdf.Span
		for i, item := range t.Items {
			term := pdf.Style{Family: pdf.Sans, Size: 7.4, Color: faint}
			value := pdf.Style{Family: pdf.Sans, Size: 7.4, Color: ink}
			if item.Mono {
				value.Family, value.Size = pdf.Mono, 6.6
			}
			if i > 0 {
				spans = append(spans, pdf.Span{Text: "\u00a0\u00a0\u00a0 ", Style: term})
			}
			spans = append(spans, pdf.Span{Text: item.Term + "\u00a0", Style: term})
			spans = append(spans, p.spans(item.Text, value)...)
		}
		p.tag("P", func() { p.lines(spans, 1.45) })
		p.y += 2
		return
	}
	var list [][]line
	for _, item := range t.Items {
		list = append(list, []line{{{Text: item.Term, As: "strong"}}, item.Text})
	}
	p.table(&table{Columns: []column{{Width: 0.16}, {}}, Groups: []rows{{Rows: list}}})
}

// widths are those of a table's columns: what they ask for, and the rest in equal parts.
func (p *painter) widths(t *table) []float64 {
	out := make([]float64, len(t.Columns))
	left, open := 1.0, 0
	for _, c := range t.Columns {
		left -= c.Width
		if c.Width == 0 {
			open++
		}
	}
	for i, c := range t.Columns {
		share := c.Width
		if share == 0 {
			share = max(0.08, left/float64(max(1, open)))
		}
		out[i] = share
	}
	sum := 0.0
	for _, w := range out {
		sum += w
	}
	for i := range out {
		out[i] *= p.width / sum
	}
	return out
}

const (
	cellGap = 7    // between the cells of a row
	stretch = 1.25 // of a timeline: higher than on a screen, for its width
)

// table draws a table whose head stands again on each page.
func (p *painter) table(t *table) {
	widths := p.widths(t)
	p.space(4)
	body := p.in.Add("Table")
	headed := false
	head := func() {
		if t.Columns[0].Name == "" {
			return
		}
		cells := make([]line, len(t.Columns))
		for i, c := range t.Columns {
			cells[i] = plain(c.Name)
		}
		var owners []*pdf.Element // it is read once, though it stands on each page
		if !headed {
			headed = true
			tr := body.Add("TR")
			for range cells {
				owners = append(owners, tr.Head("Column", 1))
			}
		}
		p.row(t, widths, p.cells(t, widths, cells, pdf.Style{Family: pdf.Sans, Bold: true, Size: 6.9, Color: soft}), owners, nil, ink)
	}
	p.room(p.firstRow(t))
	head()
	for _, g := range t.Groups {
		if g.Label != "" {
			p.room(50)
			p.page.Fill(p.left, p.y, p.width, 14, wash)
			lines := p.doc.Layout([]pdf.Span{{Text: g.Label, Style: pdf.Style{Family: pdf.Sans, Bold: true, Size: 7.2, Color: soft}}}, p.width, 1.4)
			before := p.doc.Into(body.Add("TR").Head("Row", len(t.Columns)))
			p.page.Draw(lines[0], p.left+4, p.y+1.5)
			p.doc.Into(before)
			p.y += 14
		}
		for _, r := range g.Rows {
			p.row(t, widths, p.cells(t, widths, r, pdf.Style{Family: pdf.Sans, Size: smallSize, Color: ink}), rowOwners(t, body.Add("TR"), len(r)), head, hair)
		}
	}
	p.y += 4
}

// rowOwners are the elements of a row's cells; without heads of columns, the first cell
// is the head of its row.
func rowOwners(t *table, tr *pdf.Element, cells int) (owners []*pdf.Element) {
	for i := range cells {
		if i == 0 && t.Columns[0].Name == "" {
			owners = append(owners, tr.Head("Row", 1))
		} else {
			owners = append(owners, tr.Add("TD"))
		}
	}
	return owners
}

// cell is the lines of a cell, or a bar.
type cell struct {
	lines []*pdf.Line
	meter *run
}

func (p *painter) cells(t *table, widths []float64, row []line, style pdf.Style) []cell {
	out := make([]cell, len(row))
	for i, c := range row {
		if len(c) == 1 && c[0].As == "meter" {
			out[i].meter = &c[0]
			continue
		}
		gap := float64(cellGap)
		if i == len(row)-1 {
			gap = 0
		}
		if len(c) > 0 {
			spans := p.spans(c, style)
			for k := range spans { // a badge is not broken
				if s := &spans[k]; s.Back != nil && s.Back != &yellow {
					if w := p.doc.Width(s.Text, s.Style); w > widths[i]-gap {
						s.Size = max(4, s.Size*(widths[i]-gap)/w*0.99)
					}
				}
			}
			out[i].lines = p.doc.Layout(spans, widths[i]-gap, 1.34)
		}
	}
	return out
}

// row draws a row; one that is higher than what is left of the page goes to the next,
// or is divided when no page would hold it. Without owners it is decoration.
func (p *painter) row(t *table, widths []float64, cells []cell, owners []*pdf.Element, head func(), edge pdf.Color) {
	defer p.doc.Into(p.doc.Into(nil))
	const above, below = 3, 3
	height := func(from int) (h float64) {
		for _, c := range cells {
			sum := 0.0
			for _, line := range c.lines[min(from, len(c.lines)):] {
				sum += line.Height
			}
			h = max(h, sum)
		}
		return h
	}
	whole := height(0) + above + below
	again := func() {
		p.turn()
		if head != nil {
			head()
		}
	}
	if p.y+whole > p.bottom() && (whole < 420 || p.y > p.bottom()-60) && p.y > marginTop+40 {
		again()
	}
	p.y += above
	for from, most := 0, longest(cells); from < most || from == 0; {
		// The same lines of all cells, as many as there is room for.
		to, h := from, 0.0
		for to < most {
			next := 0.0
			for _, c := range cells {
				sum := 0.0
				for _, line := range c.lines[min(from, len(c.lines)):min(to+1, len(c.lines))] {
					sum += line.Height
				}
				next = max(next, sum)
			}
			if p.y+next > p.bottom()-below && to > from {
				break
			}
			to, h = to+1, next
		}
		x := p.left
		for i, c := range cells {
			if owners != nil {
				p.doc.Into(owners[i])
			}
			y := p.y
			for _, line := range c.lines[min(from, len(c.lines)):min(to, len(c.lines))] {
				at := x
				if t.Columns[i].Class == "num" {
					at = x + widths[i] - line.Width
					if i < len(cells)-1 {
						at -= cellGap
					}
				}
				p.page.Draw(line, at, y)
				y += line.Height
			}
			if c.meter != nil && from == 0 {
				share, _ := strconv.ParseFloat(c.meter.Title, 64) // made by meterWidth
				width := widths[i] - 2*cellGap
				p.page.Fill(x+cellGap, p.y+2.5, width, 5.5, hair)
				p.page.Fill(x+cellGap, p.y+2.5, width*share/100, 5.5, tint(c.meter.Class))
			}
			x += widths[i]
		}
		p.y += max(h, 8)
		from = max(to, 1)
		if from < most {
			again()
			p.y += above
		}
	}
	p.y += below
	p.page.Line(p.left, p.y, p.left+p.width, p.y, 0.5, 0, edge)
}

func longest(cells []cell) (n int) {
	for _, c := range cells {
		n = max(n, len(c.lines))
	}
	return n
}

// fitting is a size in which the lines of a text that is to be copied are not broken,
// as long as it can be read.
func (p *painter) fitting(text string) float64 {
	longest := 1
	for line := range strings.Lines(text) {
		longest = max(longest, len([]rune(line)))
	}
	if longest > 160 { // it would be too small
		return 7
	}
	return max(5, min(7, (p.width-12)/(0.6*float64(longest))))
}

// preformatted draws text on a grey ground.
func (p *painter) preformatted(spans []pdf.Span) {
	const pad = 5
	left, width := p.left, p.width
	p.left, p.width = left+pad, width-2*pad
	lines := p.doc.Layout(spans, p.width, 1.42)
	p.left, p.width = left, width
	p.space(2)
	for i, line := range lines {
		p.room(line.Height + pad)
		top, h := p.y, line.Height
		if i == 0 {
			h += pad
			p.y += pad
		}
		if i == len(lines)-1 {
			h += pad
		}
		p.page.Fill(left, top, width, h+0.3, wash)
		p.page.Draw(line, left+pad, p.y)
		p.y += line.Height
	}
	p.y += pad + 3
}

func (p *painter) quote(q *Quote) {
	mono := pdf.Style{Family: pdf.Mono, Size: 7.3, Color: ink}
	marked := mono
	marked.Back = &yellow
	grey := mono
	grey.Color = faint
	var spans []pdf.Span
	put := func(text string, s pdf.Style) {
		if text != "" {
			spans = append(spans, pdf.Span{Text: strings.ReplaceAll(text, "  ", "\u00a0 "), Style: s})
		}
	}
	if q.Text {
		if q.CutBefore {
			put("… ", grey)
		}
		put(q.Before, mono)
		put(q.Match, marked)
		if q.CutInside > 0 {
			put(p.l.leftOut(q), grey)
			put(q.Tail, marked)
		}
		put(strings.TrimRight(q.After, "\n"), mono)
		if q.CutAfter {
			put(" …", grey)
		}
		p.preformatted(spans)
		return
	}
	for _, s := range []*pdf.Style{&mono, &marked, &grey} {
		s.Size = 6.7
	}
	hard := func(text string, s pdf.Style) {
		spans = append(spans, pdf.Span{Text: strings.ReplaceAll(text, " ", "\u00a0"), Style: s})
	}
	if q.CutBefore {
		hard("…\n", grey)
	}
	for i, r := range q.Dump {
		if i > 0 {
			hard("\n", mono)
		}
		hard(r.Offset+" ", grey)
		for _, c := range r.Cells {
			hard(" ", mono)
			s := mono
			if c.Mark {
				s = marked
			}
			hard(c.Hex, s)
		}
		hard(strings.Repeat("   ", max(0, rowBytes-len(r.Cells)))+"  ", mono)
		for _, c := range r.Cells {
			s := mono
			if c.Mark {
				s = marked
			}
			hard(c.Char, s)
		}
	}
	if q.CutAfter {
		hard("\n…", grey)
	}
	p.preformatted(spans)
}

// words draws a short text with its left edge, middle (0.5) or right edge (1) at x.
func (p *painter) words(text string, x, baseline, size, anchor float64, c pdf.Color) {
	line := p.doc.Layout([]pdf.Span{{Text: text, Style: pdf.Style{Family: pdf.Sans, Size: size, Color: c}}}, 1e6, 1)[0]
	p.page.Draw(line, x-line.Width*anchor, baseline-line.Ascent)
}

// plot draws the timeline.
func (p *painter) plot(t *Plot) {
	k := p.width / float64(t.Width)
	height := float64(t.Height) * k * stretch
	p.room(height + 20)
	x := func(v float64) float64 { return p.left + v*k }
	y := func(v float64) float64 { return p.y + v*k*stretch }
	for _, b := range t.Bands {
		c := pdf.Color{0xe9, 0xee, 0xf5}
		if b.Odd {
			c = pdf.Color{0xf3, 0xee, 0xe2}
		}
		p.page.Fill(x(b.X), y(t.Top), b.Width*k, (t.Bottom-t.Top)*k*stretch, c)
		if b.Name != "" {
			p.words(b.Name, x(b.X), y(b.Row), 6.4, 0, soft)
		}
	}
	for _, tick := range t.Y {
		p.page.Line(x(t.Left), y(tick.At), x(t.Right), y(tick.At), 0.4, 0, hair)
		p.words(tick.Label, x(t.Left)-4, y(tick.At)+2.2, 6.4, 1, soft)
	}
	for _, h := range t.Holes {
		p.page.Frame(x(h.X), y(h.Y), h.Width*k, h.Height*k*stretch, 0.5, 2, faint)
	}
	for _, r := range t.Rects {
		p.page.Fill(x(r.X), y(r.Y), max(0.4, r.Width*k), r.Height*k*stretch, tint(r.Class))
	}
	p.page.Line(x(t.Left), y(t.Bottom), x(t.Right), y(t.Bottom), 0.7, 0, ink)
	for _, tick := range t.X {
		p.page.Line(x(tick.At), y(t.Bottom), x(tick.At), y(t.Bottom)+2.5, 0.7, 0, ink)
		p.words(tick.Label, x(tick.At), y(t.Bottom)+9.5, 6.4, 0.5, soft)
	}
	p.y += height + 8
}

func (p *painter) legend(list []Legend) {
	x := p.left
	for _, item := range list {
		text := item.Label + " (" + item.Count + ")"
		w := p.doc.Width(text, pdf.Style{Family: pdf.Sans, Size: 7.2}) + 26
		if x+w > p.left+p.width && x > p.left {
			x = p.left
			p.y += 11
		}
		p.room(14)
		p.page.Fill(x, p.y+1.5, 6, 6, tint(item.Class))
		p.tag("P", func() { p.words(text, x+9, p.y+7, 7.2, 0, ink) })
		x += w
	}
	p.y += 16
}

// flow draws the flow picture.
func (p *painter) flow(f *FlowPlot) {
	if f == nil {
		return
	}
	k := p.width / f.Width
	p.room(f.Height*k + 10)
	x := func(v float64) float64 { return p.left + v*k }
	y := func(v float64) float64 { return p.y + v*k }
	for _, h := range f.Heads {
		p.words(h.Label, x(h.At), y(10), 6.8, 0, soft)
	}
	for _, b := range f.Bands {
		p.page.Band(x(b.X0), y(b.Y0), x(b.X1), y(b.Y1), b.Height*k, pale(tint(b.Class), 0.32))
	}
	for _, n := range f.Nodes {
		p.page.Fill(x(n.X), y(n.Y), n.Width*k, n.Height*k, tint(n.Class))
		for _, t := range n.Lines {
			p.words(t.Label, x(t.At), y(t.Y), 7.2, 0, ink)
		}
	}
	p.y += f.Height*k + 8
}

// photos draws small pictures side by side, each with its caption.
func (p *painter) photos(list []Photo) {
	const edge, gap = 118, 14
	x, high := p.left, 0.0
	top := p.y + 4
	for i := range list {
		photo := &list[i]
		width := float64(edge)
		data, w, h := pictureOf(photo.Image)
		tall := 0.0
		if data != nil {
			tall = edge * float64(h) / float64(max(w, h))
			width = edge * float64(w) / float64(max(w, h))
		}
		caption := pdf.Style{Family: pdf.Sans, Size: 6.8, Color: faint}
		spans := []pdf.Span{{Text: photo.Caption, Style: caption}}
		if photo.Exhibit > 0 {
			link := caption
			link.Color, link.Link = accent, "#exhibit-"+itoa(photo.Exhibit)
			spans = append(spans, pdf.Span{Text: " · ", Style: caption}, pdf.Span{Text: p.l.say("exhibit", photo.Exhibit), Style: link})
		}
		if photo.SHA256 != "" {
			mono := caption
			mono.Family, mono.Size = pdf.Mono, 5.8
			spans = append(spans, pdf.Span{Text: "\nSHA-256 ", Style: caption}, pdf.Span{Text: photo.SHA256, Style: mono})
		}
		room := float64(edge)
		if len(list) == 1 {
			room = p.width
		}
		lines := p.doc.Layout(spans, room, 1.35)
		need := tall + 4
		for _, line := range lines {
			need += line.Height
		}
		if x+room > p.left+p.width+1 {
			x, top, high = p.left, top+high+8, 0
		}
		if top+need > p.bottom() {
			p.turn()
			x, top, high = p.left, p.y, 0
		}
		if data != nil {
			p.figure(p.l.say("photo.alt")+p.l.say("colon")+photo.Info, func() { p.page.JPEG(data, w, h, x, top, width, tall) })
			p.page.Frame(x, top, width, tall, 0.4, 0, rule)
		}
		y := top + tall + 3
		p.tag("P", func() {
			for _, line := range lines {
				p.page.Draw(line, x, y)
				y += line.Height
			}
		})
		high = max(high, need)
		x += edge + gap
	}
	p.y = top + high + 4
}

// pictureOf takes the small picture out of its address.
func pictureOf(url string) (data []byte, width, height int) {
	text, ok := strings.CutPrefix(url, "data:image/jpeg;base64,")
	if !ok {
		return nil, 0, 0
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, 0, 0
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width < 1 || c.Height < 1 {
		return nil, 0, 0
	}
	return data, c.Width, c.Height
}

// box draws what belongs together along a coloured edge.
func (p *painter) box(b *box) {
	const indent = 9
	if b.Class == "finding" {
		p.space(5)
		p.room(60)
		p.open(b.Tint, 3, indent)
		p.blocks(b.Body)
		p.shut(indent)
		return
	}
	p.room(map[string]float64{"exhibit": 190, "answer": 130}[b.Class])
	p.space(12)
	p.page.Line(p.left, p.y, p.left+p.width, p.y, 0.9, 0, ink)
	p.y += 4
	if b.ID != "" {
		p.doc.Name(b.ID, p.page, p.y-4)
		for _, x := range b.Head {
			if x.Heading != nil {
				p.doc.Bookmark(2, clean(plainText(x.Heading.Text)), p.page, p.y-4)
				break
			}
		}
	}
	if b.Class == "answer" {
		p.open(b.Tint, 3, indent)
		defer p.shut(indent)
	}
	p.blocks(b.Head)
	p.blocks(b.Body)
}

func (p *painter) open(class string, width, indent float64) {
	p.bars = append(p.bars, &bar{p.left, p.y, width, tint(class)})
	p.left, p.width = p.left+indent, p.width-indent
}

func (p *painter) shut(indent float64) {
	last := p.bars[len(p.bars)-1]
	if end := math.Max(last.from, p.y-3); end > last.from {
		p.page.Fill(last.x, last.from, last.width, end-last.from, last.color)
	}
	p.bars = p.bars[:len(p.bars)-1]
	p.left, p.width = p.left-indent, p.width+indent
}
