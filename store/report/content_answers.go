package report

import (
	"strings"

	"constat/inspect"
	"constat/store"
	"constat/store/claim"
	"constat/store/compare"
)

// anchor is a text as part of an address inside the document.
func anchor(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
			return r
		}
		return '_'
	}, short(s, 40))
}

// translated is a text of a claim in the report's language, else in English and
// marked as such.
func (w *writer) translated(t claim.Text) run {
	s := t.In(w.l.code)
	if t[w.l.code] == "" && s != "" && w.l.code != "en" {
		return run{Text: s, Lang: "en"}
	}
	return run{Text: s}
}

func (w *writer) verdict(v claim.Verdict) run {
	return run{Text: w.l.word("verdict", string(v)), As: "verdict", Class: "v-" + anchor(string(v)), Title: w.l.word("verdict.means", string(v))}
}

func (w *writer) answers() {
	d, l := w.d, w.l
	w.section("answers")
	if len(d.Answers) == 0 {
		w.say("none", "answers.none", code("constat claims --case "+d.Case.File))
		return
	}
	w.say("lead", "answers.lead")
	var list [][]line
	for i := range d.Answers {
		a := &d.Answers[i]
		list = append(list, []line{
			{{Text: a.Claim, As: "link", Link: "#answer-" + anchor(a.Claim)}}, {w.translated(a.Title)}, {w.verdict(a.Verdict)}, plain(l.grouped(int64(len(a.Deciding)) + a.More)),
		})
	}
	w.table([]column{w.col("claim", "", 0.08), w.col("subject", "", 0), w.col("verdict", "", 0.16), w.col("deciding", "num", 0.15)}, rows{Rows: list})
	for i := range d.Answers {
		a := &d.Answers[i]
		w.add(block{Box: &box{
			Class: "answer", Tint: "v-" + anchor(string(a.Verdict)), ID: "answer-" + anchor(a.Claim),
			Head: w.inside(func(w *writer) { w.answerHead(a) }),
			Body: w.inside(func(w *writer) { w.answerBody(a) }),
		}})
	}
}

func (w *writer) answerHead(a *claim.Answer) {
	l := w.l
	w.heading(3, "", line{{Text: a.Claim + " "}, w.translated(a.Title), {Text: " "}, w.verdict(a.Verdict)})
	who := a.Said.Who
	if who == "" {
		return // nobody said it of this phone
	}
	if l.has("who." + who) {
		who = l.say("who." + who)
	}
	said := line{{Text: upper(who), As: "strong"}}
	if !a.Said.When.IsZero() {
		said = append(said, run{Text: ", " + l.day(a.Said.When)})
	}
	if q := w.translated(a.Said.Quote); q.Text != "" {
		q.Text = l.quoted(q.Text)
		said = append(said, run{Text: l.say("colon")}, q)
	}
	w.para("", said)
	if a.Said.Source != "" {
		source := run{Text: a.Said.Source}
		if !l.recorded() {
			source.Lang = "en"
		}
		w.say("note", "answer.source", source)
	}
}

func (w *writer) answerBody(a *claim.Answer) {
	l := w.l
	labelled := func(key string, text line) {
		if len(text) > 0 && text[0].Text != "" {
			w.heading(4, "", l.line("answer."+key))
			w.para("", text)
		}
	}
	labelled("question", line{w.translated(a.Question)})
	labelled("because", line{w.translated(a.Because)})
	w.deciding(a)
	w.heading(4, "", l.line("answer.coverage"))
	w.para("", plain(l.covered(&a.Coverage)))
	if a.Required > 0 && a.Coverage.BytesUp > 0 {
		key := "answer.enough"
		if a.Coverage.ShareUp() < a.Required {
			key = "answer.toolittle"
		}
		w.say("", key, l.percent(a.Required), l.percent(a.Coverage.ShareUp()))
	}
	if !unobserved(&a.Coverage) {
		w.say("note", "answer.escapes", l.list(l.escapes(a.Coverage.Escapes)))
	}
	if len(a.Missing) > 0 {
		title := "answer.surer"
		if a.Verdict == claim.Undecided {
			title = "answer.missing"
		}
		w.heading(4, "", l.line(title))
		var items []line
		for _, m := range a.Missing {
			items = append(items, line{w.translated(m)})
		}
		w.bullets("", items...)
	}
	if len(a.Controls) > 0 || len(a.Roles) > 0 {
		w.heading(4, "", l.line("answer.controls"))
		w.bullets("", append(w.controls(a.Controls), w.roles(a.Roles)...)...)
	}
	labelled("limits", line{w.translated(a.Limits)})
	if len(a.Queries) > 0 && a.Verdict != claim.Undecided { // the claim's file has them all
		w.heading(4, "", l.line("answer.queries"))
		for _, q := range a.Queries {
			w.add(block{Signed: short(strings.TrimSpace(q), 4000)})
		}
	}
}

func (w *writer) deciding(a *claim.Answer) {
	l := w.l
	if len(a.Deciding) == 0 && a.Verdict == claim.Undecided {
		return
	}
	title := "answer.deciding"
	if a.Verdict == claim.Undecided {
		title = "answer.bearing"
	}
	w.heading(4, "", l.line(title))
	if len(a.Deciding) == 0 {
		w.say("none", "deciding.none")
		return
	}
	exhibit := map[int64]int{}
	for _, e := range w.d.Exhibits {
		exhibit[e.Request] = e.Number
	}
	const most = 8
	var list [][]line
	for _, x := range a.Deciding[:min(len(a.Deciding), most)] {
		request := plain(rawNumber(x.Request))
		if x.Request == 0 { // nothing on it could be read
			request = plain(l.say("deciding.connection", rawNumber(x.Connection)))
		}
		if n := exhibit[x.Request]; n > 0 {
			request = append(request, newline, exhibitLink(n, l.say("exhibit", n)))
		}
		where := line{}
		if x.Path != "" {
			where = append(where, code(short(x.Path, 160)))
		}
		if x.Value != "" {
			where = append(where, sub(short(x.Value, 200)))
		}
		when := plain(l.moment(x.Time))
		if x.Session != "" {
			when = append(when, sub(x.Session))
		}
		list = append(list, []line{request, when, plain(x.Host), {w.said(x.Reason)}, where, plain(l.word("for", string(x.For)))})
	}
	w.table([]column{
		w.col("request", "", 0.09), w.col("when", "", 0.15), w.col("host", "host", 0.18), w.col("reason", "", 0), w.col("place", "where", 0.2), w.col("for", "", 0.1),
	}, rows{Rows: list})
	if more := a.More + int64(max(0, len(a.Deciding)-most)); more > 0 {
		w.para("note", plain(l.count("deciding.more", more)))
	}
}

// unobserved says that there was no traffic to see.
func unobserved(c *store.Coverage) bool { return c.Connections == 0 && c.Requests == 0 }

// covered says in a sentence or two what part of a scope's traffic could be seen.
func (l *language) covered(c *store.Coverage) string {
	sessions := l.count("sessions", int64(c.Sessions))
	switch {
	case c.Sessions == 0 && unobserved(c):
		return l.say("covered.nosession")
	case unobserved(c):
		return l.say("covered.empty", sessions, l.span(c.Duration))
	case c.Connections == 0: // what came went over connections that were open before
		return l.say("covered.nothing", sessions, l.span(c.Duration), l.requests(c.Requests))
	}
	text := l.say("covered", sessions, l.span(c.Duration), l.requests(c.Requests),
		l.count("of.connections", c.Connections, l.grouped(c.Readable)), l.percent(c.ShareUp()), l.size(c.BytesUp))
	if c.OpaqueRequests > 0 {
		text += " " + l.say("covered.opaque", l.requests(c.OpaqueRequests), l.size(c.OpaqueUp))
	}
	if n := int64(len(c.Unread)) + c.MoreUnread; n > 0 {
		text += " " + l.count("covered.unread", n)
	}
	return text
}

// escapes says what can leave a phone without being seen.
func (l *language) escapes(words []string) (list []string) {
	for _, w := range words {
		list = append(list, l.word("escape", w))
	}
	if len(list) == 0 {
		list = []string{l.say("escape.unknown")}
	}
	return list
}

func (w *writer) controls(list []claim.Control) (items []line) {
	for _, c := range list {
		key := "control.failed"
		switch {
		case c.Passed:
			key = "control.passed"
		case !c.Needed:
			key = "control.unneeded"
		}
		item := line{{Text: w.l.word("control", c.Name) + w.l.say("colon"), As: "strong"}}
		said := w.translated(c.Sentence)
		if said.Text == "" || c.Passed { // else the sentence says it
			item = append(item, run{Text: w.l.say(key)}, run{Text: " "})
		}
		items = append(items, append(item, said))
	}
	return items
}

func (w *writer) roles(list []claim.Role) (items []line) {
	for _, r := range list {
		var names []string
		for _, s := range r.Sessions[:min(len(r.Sessions), 8)] {
			names = append(names, s.Name)
		}
		found := w.l.count("sessions", int64(len(r.Sessions)))
		if more := len(r.Sessions) - len(names); more > 0 {
			names = append(names, "…")
		}
		if len(names) > 0 {
			found += " (" + strings.Join(names, ", ") + ")"
		}
		text := w.l.say("role.sessions", found, r.Needed)
		items = append(items, line{{Text: w.l.quoted(r.Name) + w.l.say("colon"), As: "strong"}, {Text: text}})
	}
	return items
}

func (w *writer) comparisons() {
	w.section("comparison")
	if len(w.d.Comparisons) == 0 {
		w.say("none", "comparison.none", code("constat mark"), code("constat compare"))
		return
	}
	w.say("lead", "comparison.lead")
	for i := range w.d.Comparisons {
		w.comparison(&w.d.Comparisons[i])
	}
}

// maxCompared is how many rows of a comparison are shown, maxOpen how many of them that
// can be chance.
const (
	maxCompared = 60
	maxOpen     = 15
)

func (w *writer) comparison(c *compare.Comparison) {
	l := w.l
	w.heading(3, "", l.line("comparison.title", c.A.Label, c.B.Label))
	var items []line
	for i, s := range []compare.Side{c.A, c.B} {
		items = append(items, line{{Text: "AB"[i : i+1], As: "strong"}, {Text: " " + l.say("comparison.side", l.quoted(s.Label), s.File) + " " + l.covered(&s.Coverage)}})
	}
	w.bullets("", items...)
	if len(c.Rows) == 0 {
		w.say("none", "comparison.same")
	} else {
		var list [][]line
		open := 0
		for i := range c.Rows[:min(len(c.Rows), maxCompared)] {
			r := &c.Rows[i]
			if r.Sure == "open" {
				open++
			}
			if open > maxOpen {
				break
			}
			list = append(list, []line{
				append(w.compared(r), sub(l.word("what", r.What))), plain(l.word("change", string(r.Change))),
				w.seen(r.A, r.SessionsA, r.OfA), w.seen(r.B, r.SessionsB, r.OfB), w.surely(r),
			})
		}
		w.table([]column{
			w.col("thing", "host", 0), w.col("change", "", 0.15), w.col("sidea", "", 0.14), w.col("sideb", "", 0.14), w.col("surely", "", 0.27),
		}, rows{Rows: list})
		if more := c.More + len(c.Rows) - len(list); more > 0 {
			w.para("note", plain(l.count("comparison.more", int64(more))))
		}
	}
	w.para("note", plain(l.count("comparison.alike", int64(c.Same))))
	if len(c.Cautions) > 0 {
		w.heading(4, "", l.line("comparison.cautions"))
		var cautions []line
		for i := range c.Cautions {
			cautions = append(cautions, w.caution(&c.Cautions[i]))
		}
		w.bullets("", cautions...)
	}
}

// compared names the thing that a row is about. The key of a class or planted value
// ends in its direction.
func (w *writer) compared(r *compare.Row) line {
	name, direction, ok := strings.Cut(r.Key, " ")
	if !ok || direction != "up" && direction != "down" || r.What != "class" && r.What != "canary" {
		return plain(short(r.Key, 160))
	}
	if r.What == "class" {
		return line{w.badge(inspect.Class(name)), w.direction(direction)}
	}
	return line{{Text: short(name, 160) + " "}, w.direction(direction)}
}

// seen says in how many requests, and in how many of the sessions that could have
// shown it, a side has something.
func (w *writer) seen(requests int64, sessions, of int) line {
	if requests == 0 && sessions > 0 { // nothing on it could be read
		return plain(w.l.count("comparison.connected", int64(max(sessions, of)), sessions))
	}
	if requests == 0 {
		return none(w.l.count("comparison.unseen", int64(of)))
	}
	return plain(w.l.count("comparison.seen", int64(max(sessions, of)), w.l.requests(requests), sessions))
}

// flow says which classes went to which operator and which country.
func (w *writer) flow() {
	d, l := w.d, w.l
	w.heading(3, "flow", l.line("flow.title"))
	if d.Flow.wide == nil {
		w.say("none", "flow.none")
		return
	}
	w.say("lead", "flow.lead")
	w.add(block{Flow: &d.Flow})
	w.say("note", "flow.unseen", l.count("connections", d.Coverage.Connections-d.Coverage.Readable))
	var list [][]line
	for _, f := range d.Flow.Rows[:min(len(d.Flow.Rows), maxFlowRows)] {
		list = append(list, []line{{w.badge(f.Class)}, plain(f.Operator), plain(f.Country), w.number(f.Requests)})
	}
	w.table([]column{w.col("class", "", 0.25), w.col("operator", "", 0), w.col("declared", "", 0.25), w.col("requests", "num", 0.12)}, rows{Rows: list})
	if more := len(d.Flow.Rows) - maxFlowRows; more > 0 {
		w.para("note", plain(l.count("flow.more", int64(more))))
	}
}
