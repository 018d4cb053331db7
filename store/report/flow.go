package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"constat/inspect"
)

// Bounds on the flow picture: further operators and countries are drawn as one.
const (
	maxOperators = 8
	maxCountries = 7
	maxFlowRows  = 40
)

// Flow says which classes of what left the phone went to which operators, and to
// addresses declared for which countries.
type Flow struct {
	Rows []FlowRow `json:"rows"` // by class, then most requests first

	wide, narrow, paper *FlowPlot
}

// FlowRow counts requests. A request counts once for each of its classes.
type FlowRow struct {
	Class    inspect.Class `json:"class"`
	Operator string        `json:"operator"` // or a domain whose operator is not known
	Country  string        `json:"country"`  // declared for the address
	Requests int64         `json:"requests"`
}

// Wide and Narrow are the picture for a screen and for a phone's, nil when there is
// nothing to draw.
func (f *Flow) Wide() *FlowPlot   { return f.wide }
func (f *Flow) Narrow() *FlowPlot { return f.narrow }

func (g *gatherer) flow() error {
	type key struct {
		class             inspect.Class
		operator, country string
	}
	counts := map[key]int64{}
	_, err := collect(g, `
		SELECT f.class, r.host, r.owner, r.country, count(*) FROM (SELECT DISTINCT class, request_id FROM findings WHERE direction = 'up') f
		JOIN requests r ON r.id = f.request_id GROUP BY 1, 2, 3, 4`, nil,
		func(scan func(...any) error) (none struct{}, err error) {
			var k key
			var host string
			var n int64
			if err := scan(&k.class, &host, &k.operator, &k.country, &n); err != nil {
				return none, err
			}
			if k.operator = operator(k.operator, host); k.operator == "" {
				k.operator = g.l.say("flow.unknown", cmp.Or(g.domains[host], host))
			}
			k.country = cmp.Or(k.country, g.l.say("flow.nocountry"))
			counts[k] += n
			return none, nil
		})
	if err != nil {
		return err
	}
	rows := []FlowRow{}
	for k, n := range counts {
		rows = append(rows, FlowRow{k.class, k.operator, k.country, n})
	}
	slices.SortFunc(rows, func(a, b FlowRow) int {
		return cmp.Or(cmp.Compare(rank(a.Class), rank(b.Class)), -cmp.Compare(a.Requests, b.Requests), strings.Compare(a.Operator, b.Operator), strings.Compare(a.Country, b.Country))
	})
	const most = 500
	f := &g.doc.Flow
	f.Rows = rows[:min(len(rows), most)]
	if len(rows) == 0 {
		return nil
	}
	drawn := fold(g.l, rows)
	f.wide = g.l.drawFlow(drawn, flowSize{width: 960, x: [4]float64{2, 150, 430, 770}, bar: 14, font: 12, slot: 17, gap: 8, height: 330, chars: [4]int{12, 30, 38, 26}, lines: 1})
	f.narrow = g.l.drawFlow(drawn, flowSize{width: 360, x: [4]float64{1, 64, 164, 290}, bar: 7, font: 9.5, slot: 30, gap: 6, height: 420, chars: [4]int{10, 16, 21, 11}, lines: 2})
	f.paper = g.l.drawFlow(drawn, flowSize{width: 640, x: [4]float64{2, 92, 280, 510}, bar: 10, font: 9.5, slot: 14, gap: 6, height: 260, chars: [4]int{14, 28, 36, 22}, lines: 1})
	return nil
}

// fold makes one of the operators and countries beyond those that are drawn.
func fold(l *language, rows []FlowRow) []FlowRow {
	names := func(of func(*FlowRow) *string, most int) {
		sums := map[string]int64{}
		for i := range rows {
			sums[*of(&rows[i])] += rows[i].Requests
		}
		var list []string
		for name := range sums {
			list = append(list, name)
		}
		slices.SortFunc(list, func(a, b string) int { return cmp.Or(-cmp.Compare(sums[a], sums[b]), strings.Compare(a, b)) })
		if len(list) <= most {
			return
		}
		other := l.count("others", int64(len(list)-most+1))
		for i := range rows {
			if name := of(&rows[i]); slices.Index(list, *name) >= most-1 {
				*name = other
			}
		}
	}
	rows = slices.Clone(rows)
	names(func(r *FlowRow) *string { return &r.Operator }, maxOperators)
	names(func(r *FlowRow) *string { return &r.Country }, maxCountries)
	return rows
}

// flowSize says how a flow picture is laid out.
type flowSize struct {
	width  float64
	x      [4]float64 // of the columns
	bar    float64    // width of a node
	font   float64
	slot   float64 // least height of a node with its name
	gap    float64
	height float64 // of the bars of a column together
	chars  [4]int  // of a line of a name
	lines  int     // of a name
}

// FlowPlot is a flow picture in its own coordinates.
type FlowPlot struct {
	Width, Height float64
	Font          float64
	Heads         []Tick
	Nodes         []FlowNode
	Bands         []FlowBand
	Label         string // for those who cannot see it
}

// FlowNode is a bar with its name, FlowBand what runs between two of them.
type (
	FlowNode struct {
		X, Y, Width, Height float64
		Class               string // of CSS
		Title               string
		Lines               []FlowText
	}
	FlowText struct {
		At, Y float64
		Label string
	}
	FlowBand struct {
		X0, Y0, X1, Y1 float64 // upper corners
		Height         float64
		Class          string
		Title          string
	}
)

// Path is the band as the data of an SVG path.
func (b FlowBand) Path() string {
	mid := (b.X0 + b.X1) / 2
	return fmt.Sprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1fL%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1fZ",
		b.X0, b.Y0, mid, b.Y0, mid, b.Y1, b.X1, b.Y1, b.X1, b.Y1+b.Height, mid, b.Y1+b.Height, mid, b.Y0+b.Height, b.X0, b.Y0+b.Height)
}

// node is a FlowNode while bands are laid to it.
type node struct {
	name  string
	class string
	n     int64
	y     float64
	in    float64 // height that bands have taken
	out   float64
}

// drawFlow lays a flow out.
func (l *language) drawFlow(rows []FlowRow, s flowSize) *FlowPlot {
	var columns [4][]*node
	at := func(column int, name, class string) *node {
		i := slices.IndexFunc(columns[column], func(n *node) bool { return n.name == name })
		if i < 0 {
			columns[column] = append(columns[column], &node{name: name, class: class})
			i = len(columns[column]) - 1
		}
		return columns[column][i]
	}
	type link struct{ from, to *node }
	sums := map[link]int64{}
	class := map[link]string{}
	var order []link
	put := func(from, to *node, n int64, css string) {
		k := link{from, to}
		if _, known := sums[k]; !known {
			order = append(order, k)
			class[k] = css
		}
		sums[k] += n
	}
	total := int64(0)
	for _, r := range rows {
		phone := at(0, l.say("flow.phone"), "c-unknown")
		c, o, country := at(1, l.class(r.Class), badge(r.Class)), at(2, r.Operator, "c-unknown"), at(3, r.Country, "c-unknown")
		for _, x := range []*node{phone, c, o, country} {
			x.n += r.Requests
		}
		total += r.Requests
		put(phone, c, r.Requests, badge(r.Class))
		put(c, o, r.Requests, badge(r.Class))
		put(o, country, r.Requests, "c-unknown")
	}
	scale := s.height / float64(max(1, total))
	height := func(n int64) float64 { return max(1.2, float64(n)*scale) }
	p := &FlowPlot{Width: s.width, Font: s.font, Label: l.say("flow.label")}
	const top = 22
	for i, column := range columns {
		if i > 1 {
			slices.SortStableFunc(column, func(a, b *node) int { return -cmp.Compare(a.n, b.n) })
		}
		y := float64(top)
		for _, x := range column {
			h := height(x.n)
			slot := max(h, s.slot)
			x.y = y + (slot-h)/2
			lines := wrapName(x.name, s.chars[i], s.lines)
			node := FlowNode{X: s.x[i], Y: x.y, Width: s.bar, Height: h, Class: x.class, Title: x.name + l.say("colon") + l.requests(x.n)}
			first := y + slot/2 + s.font*0.35 - float64(len(lines)-1)*s.font*0.55
			for k, text := range lines {
				node.Lines = append(node.Lines, FlowText{s.x[i] + s.bar + s.font*0.4, first + float64(k)*s.font*1.1, text})
			}
			p.Nodes = append(p.Nodes, node)
			y += slot + s.gap
		}
		p.Height = max(p.Height, y)
		p.Heads = append(p.Heads, Tick{s.x[i], l.say("flow." + []string{"phone", "class", "operator", "country"}[i])})
	}
	index := func(x *node) int {
		for _, column := range columns {
			if i := slices.Index(column, x); i >= 0 {
				return i
			}
		}
		return 0
	}
	column := func(x *node) int {
		return slices.IndexFunc(columns[:], func(c []*node) bool { return slices.Contains(c, x) })
	}
	slices.SortStableFunc(order, func(a, b link) int {
		return cmp.Or(cmp.Compare(column(a.from), column(b.from)), cmp.Compare(index(a.from), index(b.from)), cmp.Compare(index(a.to), index(b.to)))
	})
	for _, k := range order {
		h := float64(sums[k]) * scale
		c := column(k.from)
		p.Bands = append(p.Bands, FlowBand{
			X0: s.x[c] + s.bar, Y0: k.from.y + k.from.out, X1: s.x[c+1], Y1: k.to.y + k.to.in, Height: max(0.8, h), Class: class[k],
			Title: l.say("flow.band", k.from.name, k.to.name, l.requests(sums[k])),
		})
		k.from.out += h
		k.to.in += h
	}
	return p
}

// wrapName breaks a name at blanks into at most so many lines of so many characters.
func wrapName(name string, chars, lines int) (out []string) {
	line := ""
	for _, word := range strings.Fields(name) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= chars || len(out) == lines-1:
			line += " " + word
		default:
			out = append(out, short(line, chars))
			line = word
		}
	}
	return append(out, short(line, chars))
}
