package pdf

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/go-text/typesetting/bidi"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/segmenter"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
)

// Family is a kind of letters.
type Family uint8

// The families.
const (
	Sans Family = iota
	Serif
	Mono
)

// Style is how a text looks.
type Style struct {
	Family Family
	Bold   bool
	Slant  bool
	Size   float64
	Color  Color
	Back   *Color // behind the text
	Link   string // "#name" or an address
	Lang   string // BCP 47, where it is not the document's
}

// Span is a text in one style. "\n" ends a line.
type Span struct {
	Text string
	Style
}

// Line is a line of text that is ready to be drawn.
type Line struct {
	Width  float64
	Ascent float64 // from its top to the baseline
	Height float64
	pieces []piece
}

// piece is text in one style, font and direction.
type piece struct {
	style  Style
	face   *face
	x      float64
	width  float64
	glyphs []shaping.Glyph
	runes  []rune // that the glyphs stand for
	simple bool   // one glyph for each rune, in order
	right  bool   // read from the right
}

// layout shapes text and remembers widths.
type layout struct {
	doc    *Doc
	shaper shaping.HarfbuzzShaper
	bidi   bidi.Paragraph
	breaks segmenter.Segmenter
	widths map[wordKey]float64
	chosen map[chosenKey]*face
}

type wordKey struct {
	text string
	face int
}

type chosenKey struct {
	family Family
	bold   bool
	r      rune
}

func (l *layout) init(d *Doc) {
	l.doc = d
	l.widths, l.chosen = map[wordKey]float64{}, map[chosenKey]*face{}
}

// maxText is how much of a text is laid out.
const maxText = 1 << 20

func (d *Doc) face(s *source) *face {
	if f := d.known[s]; f != nil {
		return f
	}
	f, err := newFace(s, len(d.faces)+1)
	if err != nil {
		if d.err == nil {
			d.err = err
		}
		return nil
	}
	d.known[s] = f
	d.faces = append(d.faces, f)
	return f
}

func (s Style) source() *source {
	switch {
	case s.Family == Mono:
		return monoRegular
	case s.Family == Serif && s.Bold:
		return serifBold
	case s.Family == Serif:
		return serifRegular
	case s.Bold:
		return sansBold
	}
	return sansRegular
}

// faceFor chooses the font that draws r, nil when none has it.
func (l *layout) faceFor(s Style, r rune) *face {
	key := chosenKey{s.Family, s.Bold, r}
	if f, known := l.chosen[key]; known {
		return f
	}
	f := l.choose(s, r)
	l.chosen[key] = f
	return f
}

func (l *layout) choose(s Style, r rune) *face {
	var candidates []*source
	script := language.LookupScript(r)
	for _, x := range byScript {
		if slices.Contains(x.scripts, script) {
			candidates = append(candidates, x)
		}
	}
	for _, x := range slices.Concat(candidates, []*source{s.source()}, rest, byScript) {
		if x.load() != nil {
			continue
		}
		if _, ok := x.font.NominalGlyph(r); ok {
			return l.doc.face(x)
		}
	}
	return nil
}

// joins says that r belongs to the character before it and takes its font.
func joins(r rune) bool {
	return r == 0x200c || r == 0x200d || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) || unicode.Is(unicode.Mc, r)
}

// hidden says that r cannot be seen or changes how its neighbours are shown.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != 0x200c && r != 0x200d || unicode.Is(unicode.Co, r) || unicode.Is(unicode.Cs, r) || r == unicode.ReplacementChar || r&0xfffe == 0xfffe
}

// visible writes what is hidden as its number.
func visible(s string) string {
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// letter is a character with its style and font.
type letter struct {
	r     rune
	style int
	face  *face
}

// letters resolves fonts, and writes what none has as its number.
func (l *layout) letters(spans []Span) (out []letter) {
	for i := range spans {
		s := &spans[i]
		put := func(r rune) bool {
			if n := len(out); n > 0 && joins(r) && out[n-1].style == i && out[n-1].face != nil {
				if _, ok := out[n-1].face.NominalGlyph(r); ok || r == 0x200c || r == 0x200d {
					out = append(out, letter{r, i, out[n-1].face})
					return true
				}
			}
			f := l.faceFor(s.Style, r)
			if f != nil {
				out = append(out, letter{r, i, f})
			}
			return f != nil
		}
		for _, r := range s.Text {
			switch {
			case r == '\n':
				out = append(out, letter{r, i, nil})
				continue
			case r == '\t':
				r = '\u00a0'
			case r >= 0xfe00 && r <= 0xfe0f: // which picture of a character is meant
				continue
			}
			if hidden(r) || !put(r) {
				for _, x := range fmt.Sprintf("⟨U+%04X⟩", r) {
					put(x)
				}
			}
			if len(out) > maxText {
				return out
			}
		}
	}
	return out
}

// Layout breaks text into lines of at most width. leading is the height of a line in
// sizes of the largest style in it; 0 is 1.35.
func (d *Doc) Layout(spans []Span, width, leading float64) []*Line {
	l := &d.layout
	if leading == 0 {
		leading = 1.35
	}
	all := l.letters(spans)
	var lines []*Line
	for start := 0; start <= len(all); {
		end := start
		for end < len(all) && all[end].r != '\n' {
			end++
		}
		lines = append(lines, l.paragraph(spans, all[start:end], width, leading)...)
		if end < len(all) {
			l.blank(lines[len(lines)-1])
		}
		start = end + 1
	}
	return lines
}

// paragraph breaks letters without a line's end in them.
func (l *layout) paragraph(spans []Span, all []letter, width, leading float64) (lines []*Line) {
	if len(all) == 0 {
		size := 10.0
		if len(spans) > 0 {
			size = spans[0].Size
		}
		return []*Line{{Ascent: size, Height: size * leading}}
	}
	runes := make([]rune, len(all))
	for i, x := range all {
		runes[i] = x.r
	}
	l.breaks.Init(runes)
	begin, used := 0, 0.0
	flush := func(end int) {
		if end > begin {
			lines = append(lines, l.line(spans, all[begin:end], leading))
		}
		begin, used = end, 0
	}
	for it := l.breaks.LineIterator(); it.Next(); {
		atom := it.Line()
		from, to := atom.Offset, atom.Offset+len(atom.Text)
		w, trail := l.measure(spans, all[from:to])
		if used > 0 && used+w-trail > width {
			flush(from)
		}
		if w-trail <= width {
			used += w
			continue
		}
		// Too long for a line: break where it is full, or a little before, after a mark.
		after := from
		for i := from; i < to; {
			j := i + 1
			for j < to && joins(all[j].r) {
				j++
			}
			one, _ := l.measure(spans, all[i:j])
			if used > 0 && used+one > width && all[i].r != ' ' {
				at := i
				if after > begin && i-after < (i-begin)/2 {
					at = after
				}
				flush(at)
				used, _ = l.measure(spans, all[at:i])
			}
			used += one
			if strings.ContainsRune("./-_|:,;&=?@", all[i].r) {
				after = j
			}
			i = j
		}
	}
	flush(len(all))
	return lines
}

// segments cuts letters where style, font or script changes.
func segments(all []letter) (cuts []int, scripts []language.Script) {
	current := language.Common
	for i, x := range all {
		script := language.LookupScript(x.r)
		if !script.Strong() {
			script = current
		}
		switch {
		case i == 0 || x.face != all[i-1].face || x.style != all[i-1].style || current.Strong() && script != current:
			cuts, scripts = append(cuts, i), append(scripts, script)
		case len(scripts) > 0:
			scripts[len(scripts)-1] = script
		}
		current = script
	}
	return cuts, scripts
}

// measure is the width of letters, and of the blanks at their end.
func (l *layout) measure(spans []Span, all []letter) (width, trail float64) {
	cuts, scripts := segments(all)
	for i, from := range cuts {
		to := len(all)
		if i+1 < len(cuts) {
			to = cuts[i+1]
		}
		size := spans[all[from].style].Size
		width += l.wordWidth(all[from:to], scripts[i]) * size
	}
	for i := len(all) - 1; i >= 0 && all[i].r == ' '; i-- {
		if f := all[i].face; f != nil {
			g, _ := f.NominalGlyph(' ')
			trail += f.width(g) / 1000 * spans[all[i].style].Size
		}
	}
	return width, trail
}

func (l *layout) wordWidth(part []letter, script language.Script) float64 {
	runes := make([]rune, len(part))
	for i, x := range part {
		runes[i] = x.r
	}
	key := wordKey{string(runes), part[0].face.number}
	if w, ok := l.widths[key]; ok {
		return w
	}
	w := float64(l.shape(runes, part[0].face, script, di.DirectionLTR).Advance) / 64 / 1000
	if len(l.widths) < 200_000 {
		l.widths[key] = w
	}
	return w
}

func (l *layout) shape(runes []rune, f *face, script language.Script, direction di.Direction) shaping.Output {
	return l.shaper.Shape(shaping.Input{
		Text: runes, RunStart: 0, RunEnd: len(runes), Direction: direction, Face: f.Face, Size: fixed.I(1000), Script: script, Language: language.NewLanguage("und"),
	})
}

// line shapes letters and puts them in the order in which they are seen.
func (l *layout) line(spans []Span, all []letter, leading float64) *Line {
	whole := len(all)
	for len(all) > 1 && all[len(all)-1].r == ' ' {
		all = all[:len(all)-1]
	}
	runes := make([]rune, len(all))
	size := 0.0
	for i, x := range all {
		runes[i] = x.r
		size = max(size, spans[x.style].Size)
	}
	out := &Line{Height: size * leading}
	out.Ascent = out.Height/2 + size*0.36
	runs := l.bidi.Segment(runes, bidi.LeftToRight)
	list := make([]bidi.Run, runs.NumRuns())
	for i := range list {
		list[i] = runs.Run(i)
	}
	for _, run := range reordered(numbersApart(runes, list)) {
		part := all[run.Start:min(run.End, len(all))]
		direction := di.DirectionLTR
		if run.Level%2 == 1 {
			direction = di.DirectionRTL
		}
		cuts, scripts := segments(part)
		order := make([]int, len(cuts))
		for i := range order {
			order[i] = i
		}
		if direction == di.DirectionRTL {
			slices.Reverse(order)
		}
		for _, i := range order {
			to := len(part)
			if i+1 < len(cuts) {
				to = cuts[i+1]
			}
			letters := part[cuts[i]:to]
			text := make([]rune, len(letters))
			for k, x := range letters {
				text[k] = x.r
			}
			style := spans[letters[0].style].Style
			shaped := l.shape(text, letters[0].face, scripts[i], direction)
			p := piece{style: style, face: letters[0].face, x: out.Width, width: float64(shaped.Advance) / 64 / 1000 * style.Size, glyphs: shaped.Glyphs, runes: text}
			p.right = direction == di.DirectionRTL
			p.simple = direction == di.DirectionLTR && len(shaped.Glyphs) == len(text) && !slices.ContainsFunc(shaped.Glyphs, func(g shaping.Glyph) bool { return g.RunesCount() != 1 || g.GlyphsCount() != 1 })
			out.Width += p.width
			out.pieces = append(out.pieces, p)
		}
	}
	if len(all) < whole {
		l.blank(out)
	}
	return out
}

// blank puts a blank behind a line that goes on in the next, so that who hears or
// copies the text does not find two words joined. What is all in Mono is copied as it
// is.
func (l *layout) blank(line *Line) {
	i := slices.IndexFunc(line.pieces, func(p piece) bool { return p.style.Family != Mono })
	if i < 0 {
		return
	}
	s := line.pieces[i].style
	s.Back, s.Link = nil, ""
	face := l.faceFor(s, ' ')
	shaped := l.shape([]rune{' '}, face, language.Common, di.DirectionLTR)
	line.pieces = append(line.pieces, piece{style: s, face: face, x: line.Width, glyphs: shaped.Glyphs, runes: []rune{' '}, simple: true})
}

// numbersApart cuts off the numbers at the ends of runs that are read from the left
// and stand beside one that is read from the right: they are ordered with it (UAX #9,
// rules W and I), and the runs do not tell them apart.
func numbersApart(runes []rune, runs []bidi.Run) (out []bidi.Run) {
	for i, r := range runs {
		if r.Level%2 == 1 {
			out = append(out, r)
			continue
		}
		from, to := r.Start, r.End
		if i > 0 {
			for from < to && isNumber(runes[from]) {
				from++
			}
		}
		if i+1 < len(runs) {
			for to > from && isArabicNumber(runes[to-1]) {
				to--
			}
		}
		for _, x := range []bidi.Run{{Start: r.Start, End: from, Level: 2}, {Start: from, End: to, Level: 0}, {Start: to, End: r.End, Level: 2}} {
			if x.End > x.Start {
				out = append(out, x)
			}
		}
	}
	return out
}

func isArabicNumber(r rune) bool { return r >= 0x660 && r <= 0x669 || r == 0x66b || r == 0x66c }

func isNumber(r rune) bool {
	return r >= '0' && r <= '9' || r >= 0x6f0 && r <= 0x6f9 || isArabicNumber(r) || strings.ContainsRune("+-.,:/%#", r)
}

// reordered puts runs in the order in which they are seen (UAX #9, rule L2).
func reordered(runs []bidi.Run) []bidi.Run {
	highest := bidi.Level(0)
	for _, r := range runs {
		highest = max(highest, r.Level)
	}
	for level := highest; level > 0; level-- {
		for i := 0; i < len(runs); i++ {
			j := i
			for j < len(runs) && runs[j].Level >= level {
				j++
			}
			slices.Reverse(runs[i:j])
			i = j
		}
	}
	return runs
}

// Draw draws a line whose upper left corner is at x and y.
func (p *Page) Draw(line *Line, x, y float64) {
	at := p.doc.at
	for i := range line.pieces {
		piece := &line.pieces[i]
		if back := piece.style.Back; back != nil {
			p.belong(at)
			p.fill(x+piece.x-0.6, y+line.Ascent-piece.style.Size*0.98, piece.width+1.2, piece.style.Size*1.28, *back)
		}
	}
	for i := range line.pieces {
		piece := &line.pieces[i]
		target := piece.style.Link
		if target == "" {
			p.draw(piece, at, x+piece.x, y+line.Ascent)
			continue
		}
		p.Link(x+piece.x, y, piece.width, line.Height, target)
		e := at
		if at != nil {
			e = at.Add("Link")
		}
		p.draw(piece, e, x+piece.x, y+line.Ascent)
		if e != nil {
			l := p.links[len(p.links)-1]
			l.element = e
			e.kids = append(e.kids, content{page: p, link: l})
		}
	}
}

// draw draws a piece of e whose baseline begins at x and y.
func (p *Page) draw(t *piece, e *Element, x, y float64) {
	var b strings.Builder
	s := t.style
	properties := ""
	if !t.simple && !t.right { // readers turn what is read from the right themselves
		properties = "/ActualText <FEFF" + hex16(utf16.Encode(t.runes)) + "> "
	}
	if s.Lang != "" {
		properties += "/Lang " + textString(s.Lang) + " "
	}
	p.spoken(e, properties)
	slant := "0"
	if s.Slant {
		slant = "0.2"
	}
	fmt.Fprintf(&b, "BT /F%d %s Tf %s rg ", t.face.number, number(s.Size), s.Color.operands())
	bold := s.Bold && t.face.name != sansBold.file && t.face.name != serifBold.file
	if bold { // a font without a bold one is drawn with an outline
		fmt.Fprintf(&b, "2 Tr %s w %s RG ", number(s.Size*0.03), s.Color.operands())
	}
	fmt.Fprintf(&b, "1 0 %s 1 %s %s Tm [", slant, number(x), p.up(y))
	rise := 0.0
	for _, g := range t.glyphs {
		n := t.face.use(g.GlyphID)
		t.face.stands(n, t.runes, g)
		dx, dy, advance := float64(g.XOffset)/64, float64(g.YOffset)/64, float64(g.Advance)/64
		if dy != rise {
			fmt.Fprintf(&b, "] TJ %s Ts [", number(dy/1000*s.Size))
			rise = dy
		}
		if dx > 0.5 || dx < -0.5 {
			b.WriteString(number(-dx) + " ")
		} else {
			dx = 0
		}
		fmt.Fprintf(&b, "<%04X>", n)
		if rest := advance - dx - t.face.width(g.GlyphID); rest > 0.5 || rest < -0.5 {
			b.WriteString(number(-rest) + " ")
		}
	}
	b.WriteString("] TJ")
	if rise != 0 {
		b.WriteString(" 0 Ts")
	}
	if bold {
		b.WriteString(" 0 Tr")
	}
	b.WriteString(" ET")
	if properties != "" {
		b.WriteString("\nEMC")
	}
	p.op("%s", b.String())
}

// stands notes which text a glyph stands for, for those who search or copy it.
func (f *face) stands(n uint16, runes []rune, g shaping.Glyph) {
	if _, known := f.text[n]; known || n == 0 {
		return
	}
	from := g.TextIndex()
	to := min(len(runes), from+max(1, g.RunesCount()))
	if from < 0 || from >= to {
		return
	}
	for _, r := range runes[from:to] {
		if nominal, ok := f.NominalGlyph(r); ok && nominal == g.GlyphID {
			f.text[n] = []rune{r}
			return
		}
	}
	f.text[n] = slices.Clone(runes[from:to])
}

// Width is the width of a text in one line.
func (d *Doc) Width(text string, s Style) float64 {
	lines := d.Layout([]Span{{text, s}}, 1e9, 1)
	return lines[0].Width
}
