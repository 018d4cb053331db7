package report

import (
	"strconv"
	"strings"
	"time"

	"constat/store/compare"
)

// surely says how sure a row is, and why.
func (w *writer) surely(r *compare.Row) line {
	l := w.l
	out := line{{Text: l.word("surely", r.Sure), As: "strong"}}
	why := l.why(r)
	if why == "" && r.Why != "" { // a cause that the language does not know
		said := w.said(r.Why)
		said.As = "sub"
		return append(out, said)
	}
	return append(out, sub(why))
}

// why says what the cells of a row do not: how clearly the sessions are parted.
func (l *language) why(r *compare.Row) string {
	if !l.has("why." + string(r.Cause)) {
		return ""
	}
	var says []string
	if r.Change == compare.More || r.Change == compare.Less {
		says = append(says, l.say("why.rates", l.rate(r.PerHourA), l.rate(r.PerHourB)))
	}
	not := "A" // the side that did not show it
	if r.Change == compare.Vanish || r.Change == compare.Hidden && (r.OfB == 0 || r.A > 0) {
		not = "B"
	}
	switch r.Cause {
	case compare.Parted:
		says = append(says, l.say("why.parted", l.outOfHundred(r.P)))
		if r.Sure != "open" { // else there is nothing that could have ended
			says = append(says, l.say("why.unseen", l.percent(r.Unseen), not))
		}
	case compare.Separate:
		says = append(says, l.say("why.separate", l.outOfHundred(r.P)))
	case compare.NotRead:
		says = append(says, l.say("why.not_read", not))
	default:
		says = append(says, l.say("why."+string(r.Cause)))
	}
	if r.Untold > 0 && r.Cause != compare.NotRead {
		says = append(says, l.count("why.untold", int64(r.Untold)))
	}
	if r.Held() {
		says = append(says, l.say("why.many", l.percent(r.Chance)))
	}
	return strings.Join(says, " ")
}

// outOfHundred writes a probability as cases of a hundred.
func (l *language) outOfHundred(p float64) string {
	switch p *= 100; {
	case p < 0.001:
		return l.say("under", l.figure(0.001, -1))
	case p < 10:
		return l.figure(p, 2)
	}
	return strconv.Itoa(int(p + 0.5))
}

// rate writes requests per hour.
func (l *language) rate(x float64) string {
	if x >= 10 {
		return l.grouped(int64(x + 0.5))
	}
	return l.figure(x, 2)
}

// figure writes a number to so many digits that count; -1 for all.
func (l *language) figure(x float64, digits int) string {
	text := strconv.FormatFloat(x, 'g', digits, 64)
	if strings.Contains(text, "e") {
		text = strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strings.Replace(text, ".", l.point, 1)
}

// caution says what weakens a comparison.
func (w *writer) caution(c *compare.Caution) line {
	l := w.l
	key := "caution." + c.Word
	side := func(i int) float64 {
		if i < len(c.Sides) {
			return c.Sides[i]
		}
		return 0
	}
	switch c.Word {
	case "stopped", "not_inspected":
		return plain(l.count(key, int64(c.Count)))
	case "length":
		return l.line(key, l.span(seconds(side(0))), l.span(seconds(side(1))))
	case "coverage":
		if side, share, one := c.OneSided(); one {
			return l.line("caution.onesided", l.percent(share), side)
		}
		return l.line(key, l.percent(side(0)), l.percent(side(1)))
	case "chance":
		return plain(l.count(key, int64(c.Count), l.figure(side(0), 2), int(side(1))))
	case "device", "declared", "conditions", "tool":
		return l.line(key, strings.Join(l.differences(c.Differ), l.say("semicolon")))
	case "cut":
		return l.line(key, strings.Join(l.samples(c), ", "))
	}
	if l.has(key) {
		return l.line(key)
	}
	return line{w.said(c.Sentence)}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (l *language) differences(list []compare.Difference) (out []string) {
	all := func(words []string) string {
		if len(words) == 0 {
			return l.say("differs.undeclared")
		}
		return strings.Join(words, ", ")
	}
	for _, d := range list {
		switch {
		case len(d.A)+len(d.B) == 0:
			out = append(out, d.Name)
		case d.Name == "":
			out = append(out, l.say("differs.in", all(d.A), all(d.B)))
		default:
			out = append(out, d.Name+" ("+l.say("differs.in", all(d.A), all(d.B))+")")
		}
	}
	return out
}

func (l *language) samples(c *compare.Caution) (out []string) {
	for _, d := range c.Differ {
		out = append(out, l.say("cut.things", l.word("what", d.Name), d.Count))
	}
	if c.Count > 0 {
		out = append(out, l.say("cut.hosts", c.Count))
	}
	return out
}
