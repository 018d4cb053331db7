package report

import (
	"math"
	"slices"
	"strings"
	"time"

	"constat/inspect"
)

// Timeline counts requests over time.
type Timeline struct {
	First  time.Time     `json:"first"`
	Bucket time.Duration `json:"bucket_ns"`
	Bars   []Bar         `json:"bars"` // those that are not empty, in order
	Gaps   []Gap         `json:"gaps"`

	plot *Plot
}

// Bar is the requests of one bucket. A request counts once, for the first of its
// classes in the order of reports, "" if it has none.
type Bar struct {
	Bucket int                     `json:"bucket"`
	Counts map[inspect.Class]int64 `json:"counts"`
}

// Gap is a stretch without any traffic.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// niceBuckets are the widths that a bar may have.
var niceBuckets = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour,
}

const maxBars = 90

func (g *gatherer) timeline() error {
	t := &g.doc.Timeline
	t.Bars, t.Gaps = []Bar{}, []Gap{}
	first, last := g.doc.Case.First, g.doc.Case.Last
	if first.IsZero() {
		return nil
	}
	for _, s := range g.doc.Sessions { // a session without traffic is a finding too
		if s.Opened.Before(first) {
			first = s.Opened
		}
		if s.last.After(last) {
			last = s.last
		}
	}
	t.Bucket = niceBuckets[len(niceBuckets)-1]
	for _, b := range niceBuckets {
		if last.Sub(first)/b < maxBars {
			t.Bucket = b
			break
		}
	}
	for last.Sub(first)/t.Bucket >= maxBars {
		t.Bucket *= 2
	}
	t.First = first.Truncate(t.Bucket)
	_, err := collect(g, `
		SELECT CAST((unixepoch(time, 'subsec') - ?) / ? AS INTEGER) AS bucket, tags, count(*) FROM requests
		GROUP BY 1, 2 ORDER BY 1`, []any{float64(t.First.UnixMilli()) / 1000, t.Bucket.Seconds()},
		func(scan func(...any) error) (none struct{}, err error) {
			var bucket int
			var tags []string
			var n int64
			if err := scan(&bucket, classList{&tags}, &n); err != nil {
				return none, err
			}
			if len(t.Bars) == 0 || t.Bars[len(t.Bars)-1].Bucket != bucket {
				t.Bars = append(t.Bars, Bar{bucket, map[inspect.Class]int64{}})
			}
			main := inspect.Class("")
			if len(tags) > 0 {
				main = inspect.Class(tags[0])
			}
			t.Bars[len(t.Bars)-1].Counts[main] += n
			return none, nil
		})
	if err != nil {
		return err
	}
	long := max(5*time.Minute, last.Sub(first)/20)
	t.Gaps, err = collect(g, `
		WITH t AS (SELECT time FROM requests UNION ALL SELECT time FROM connections WHERE door <> 'import'),
			d AS (SELECT lag(time) OVER (ORDER BY time) AS before, time FROM t)
		SELECT before, time FROM d WHERE before IS NOT NULL AND unixepoch(time) - unixepoch(before) >= ?
		ORDER BY unixepoch(time) - unixepoch(before) DESC LIMIT 20`, []any{int64(long.Seconds())},
		func(scan func(...any) error) (gap Gap, err error) { return gap, scan(stamp{&gap.From}, stamp{&gap.To}) })
	if err != nil {
		return err
	}
	slices.SortFunc(t.Gaps, func(a, b Gap) int { return a.From.Compare(b.From) })
	t.plot = g.l.plot(g.doc, last)
	return nil
}

// Plot is a Timeline in the coordinates of an SVG of Width by Height.
type Plot struct {
	Width, Height int
	Left, Right   float64
	Top, Bottom   float64
	Bands         []Band
	Rects         []Rect
	Holes         []Rect
	X, Y          []Tick
	Legend        []Legend
	Label         string // for those who cannot see it
}

// Band is a session, Rect a piece of a bar, Tick a mark on an axis.
type (
	Band struct {
		X, Width float64
		Row      float64 // y of its label
		Name     string
		Title    string
		Odd      bool
	}
	Rect struct {
		X, Y, Width, Height float64
		Class               string // of CSS
		Title               string
	}
	Tick struct {
		At    float64
		Label string
	}
	Legend struct {
		Class string
		Label string
		Count string
	}
)

// plot lays the timeline out.
func (l *language) plot(d *Document, last time.Time) *Plot {
	t := &d.Timeline
	p := &Plot{Width: 960, Left: 46, Right: 930, Top: 14}
	end := t.First.Add(t.Bucket * time.Duration(math.Floor(float64(last.Sub(t.First))/float64(t.Bucket))+1))
	x := func(at time.Time) float64 {
		f := float64(at.Sub(t.First)) / float64(end.Sub(t.First))
		return p.Left + max(0, min(1, f))*(p.Right-p.Left)
	}
	rows := sessionBands(d, p, x)
	p.Top += float64(rows) * 15
	p.Bottom = p.Top + 190
	p.Height = int(p.Bottom) + 26

	most := int64(1)
	totals := map[inspect.Class]int64{}
	for _, bar := range t.Bars {
		sum := int64(0)
		for class, n := range bar.Counts {
			sum += n
			totals[class] += n
		}
		most = max(most, sum)
	}
	step := niceStep(most)
	top := (most + step - 1) / step * step
	y := func(n int64) float64 { return p.Bottom - float64(n)/float64(top)*(p.Bottom-p.Top) }
	for n := int64(0); n <= top; n += step {
		p.Y = append(p.Y, Tick{y(n), l.grouped(n)})
	}
	order := append(slices.Clone(inspect.Classes), "")
	for _, bar := range t.Bars {
		from := t.First.Add(time.Duration(bar.Bucket) * t.Bucket)
		x0, x1 := x(from), x(from.Add(t.Bucket))
		base := int64(0)
		for _, class := range order {
			n := bar.Counts[class]
			if n == 0 {
				continue
			}
			p.Rects = append(p.Rects, Rect{
				X: x0 + 0.5, Width: max(0.8, x1-x0-1), Y: y(base + n), Height: y(base) - y(base+n),
				Class: plotClass(class),
				Title: l.say("timeline.bar", l.moment(from), l.plotLabel(class), l.requests(n)),
			})
			base += n
		}
	}
	for _, gap := range t.Gaps {
		p.Holes = append(p.Holes, Rect{
			X: x(gap.From), Width: max(0, x(gap.To)-x(gap.From)), Y: p.Top, Height: p.Bottom - p.Top,
			Title: l.say("timeline.hole", l.span(gap.To.Sub(gap.From)), l.moment(gap.From)),
		})
	}
	for _, class := range order {
		if totals[class] > 0 {
			p.Legend = append(p.Legend, Legend{plotClass(class), l.plotLabel(class), l.grouped(totals[class])})
		}
	}
	p.X = l.timeTicks(t.First, end, x)
	p.Label = l.say("timeline.label", l.moment(d.Case.First), l.moment(d.Case.Last), most, l.span(t.Bucket))
	return p
}

func plotClass(c inspect.Class) string {
	if c == "" {
		return "c-none"
	}
	return badge(c)
}

func (l *language) plotLabel(c inspect.Class) string {
	if c == "" {
		return l.say("class.none")
	}
	return l.class(c)
}

// sessionBands lays the sessions out and returns how many rows their names need.
func sessionBands(d *Document, p *Plot, x func(time.Time) float64) (rows int) {
	var ends []float64 // of the last name in each row
	for i, s := range d.Sessions {
		b := Band{X: x(s.Opened), Width: max(1, x(s.last)-x(s.Opened)), Name: short(s.Name, 28), Odd: i%2 == 1}
		b.Title = s.Name
		if len(s.Factors) > 0 {
			b.Title += ": " + strings.Join(s.Factors, ", ")
		}
		row := 0
		for row < len(ends) && ends[row] > b.X {
			row++
		}
		if row == 4 { // too many short sessions to name them all
			b.Name = ""
			p.Bands = append(p.Bands, b)
			continue
		}
		if row == len(ends) {
			ends = append(ends, 0)
		}
		ends[row] = b.X + 7*float64(len([]rune(b.Name))) + 12
		b.Row = 11 + 15*float64(row)
		p.Bands = append(p.Bands, b)
	}
	return len(ends)
}

// niceStep is a round distance between at most six marks up to most.
func niceStep(most int64) int64 {
	for step := int64(1); ; step *= 10 {
		for _, f := range []int64{1, 2, 5} {
			if most <= 5*step*f {
				return step * f
			}
		}
	}
}

// timeTicks marks about eight round moments.
func (l *language) timeTicks(first, end time.Time, x func(time.Time) float64) []Tick {
	width := end.Sub(first)
	step := niceBuckets[len(niceBuckets)-1]
	for _, b := range niceBuckets {
		if width/b <= 9 {
			step = b
			break
		}
	}
	for width/step > 9 {
		step *= 2
	}
	layout := "15:04:05"
	switch {
	case step >= 24*time.Hour:
		layout = l.axisDay
	case width > 24*time.Hour:
		layout = l.axisLayout
	case step >= time.Minute:
		layout = "15:04"
	}
	var ticks []Tick
	for at := first.Truncate(step); !at.After(end); at = at.Add(step) {
		if !at.Before(first) {
			ticks = append(ticks, Tick{x(at), at.UTC().Format(layout)})
		}
	}
	return ticks
}
