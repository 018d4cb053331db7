package report

import (
	"slices"
	"strings"
	"time"

	"constat/inspect"
	"constat/store/linkage"
)

// contents lays a document out as blocks.
func contents(l *language, d *Document) *content {
	c := &content{l: l}
	first := &writer{l: l, d: d}
	first.facts()
	for _, p := range d.Summary {
		first.heading(3, "", plain(p.Heading))
		items := make([]line, len(p.Sentences))
		for i, s := range p.Sentences {
			items[i] = plain(s)
		}
		first.bullets("", items...)
	}
	w := &writer{l: l, d: d}
	for _, section := range []func(){
		w.answers, w.found, w.hosts, w.identifiers, w.comparisons, w.time, w.photos, w.exhibits, w.coverage, w.method, w.verify,
	} {
		section()
	}
	c.first, c.rest = first.out, w.out
	for _, b := range c.rest {
		if h := b.Heading; h != nil && h.Level == 2 {
			c.toc = append(c.toc, heading{ID: h.ID, Number: h.Number, Text: plain(l.say("toc." + h.ID))})
		}
	}
	return c
}

func (w *writer) facts() {
	d, l := w.d, w.l
	var devices []string
	for _, x := range d.Case.Devices {
		devices = append(devices, x.Name)
	}
	or := func(s, key string) line {
		if s == "" {
			return none(l.say(key))
		}
		return plain(s)
	}
	written := plain(l.moment(d.Generated))
	if d.Build != "" {
		written = append(written, newline, run{Text: d.Build, As: "soft"})
	}
	requests := plain(l.grouped(d.Case.Requests))
	if d.Case.Raw > 0 {
		requests = append(requests, newline, run{Text: l.count("facts.raw", d.Case.Raw), As: "soft"})
	}
	w.add(block{Pairs: &terms{Class: "facts", Items: []pair{
		{Term: l.say("facts.case"), Text: line{{Text: d.Case.File}, newline, {Text: d.Case.ID, As: "soft"}}},
		{Term: l.say("facts.from"), Text: plain(l.moment(d.Case.First))},
		{Term: l.say("facts.to"), Text: plain(l.moment(d.Case.Last))},
		{Term: l.count("facts.devices", max(1, int64(len(devices)))), Text: or(strings.Join(devices, ", "), "none")},
		{Term: l.say("facts.requests"), Text: requests},
		{Term: l.say("facts.persona"), Text: or(d.Case.Persona, "none.f")},
		{Term: l.say("facts.tool"), Text: plain(d.Case.Tool)},
		{Term: l.say("facts.written"), Text: written},
	}}})
}

// badge names a class in its colour.
func (w *writer) badge(c inspect.Class) run {
	return run{Text: w.l.class(c), As: "badge", Class: badge(c)}
}

func (w *writer) badges(tags []string) (out line) {
	for _, t := range tags {
		out = append(out, w.badge(inspect.Class(t)))
	}
	return out
}

func (w *writer) direction(d string) run {
	return run{Text: w.l.word("direction", d), As: "dir"}
}

func (w *writer) sure(c inspect.Confidence) run {
	return run{Text: w.l.word("confidence", string(c)), As: "sure", Class: string(c), Title: w.l.word("sureness", string(c))}
}

// said is a sentence of the record, which is in English.
func (w *writer) said(s string) run {
	if w.l.recorded() {
		return run{Text: s}
	}
	return run{Text: w.l.quoted(s), Lang: "en"}
}

// or is s, or a remark that there is none.
func (w *writer) or(s, key string) line {
	if s == "" {
		return none(w.l.say(key))
	}
	return plain(s)
}

func (w *writer) number(n int64) line { return plain(w.l.grouped(n)) }
func (w *writer) size(n int64) line   { return plain(w.l.size(n)) }

// among lists names, and how many there are besides.
func (w *writer) among(names []string, more int64) line {
	if more <= 0 {
		return plain(w.l.list(names))
	}
	return line{{Text: strings.Join(names, ", ") + " "}, {Text: w.l.count("and.more", more), As: "soft"}}
}

func (w *writer) found() {
	d, l := w.d, w.l
	w.section("found")
	w.say("lead", "found.lead")
	if len(d.Classes) == 0 {
		w.say("none", "found.none", number("coverage"))
	} else {
		groups := []rows{{Label: l.say("found.up")}, {Label: l.say("found.down")}}
		for _, c := range d.Classes {
			i := 0
			if c.Direction == "down" {
				i = 1
			}
			servers := w.among(c.HostNames, c.Hosts-int64(len(c.HostNames)))
			sure := line{w.sure(c.Confidence)}
			if mixed := l.mixed(c); mixed != "" {
				sure = append(sure, sub(mixed))
			}
			var shown line
			for j, n := range c.Exhibits {
				if j > 0 {
					shown = append(shown, run{Text: ", "})
				}
				shown = append(shown, exhibitLink(n, l.grouped(int64(n))))
			}
			groups[i].Rows = append(groups[i].Rows, []line{
				{w.badge(c.Class)},
				w.number(c.Requests),
				{{Text: l.decimal(c.Percent()), As: "meter", Class: badge(c.Class), Title: meterWidth(c.Percent())}},
				servers, sure, shown,
			})
		}
		groups = slices.DeleteFunc(groups, func(g rows) bool { return len(g.Rows) == 0 })
		w.table([]column{
			w.col("class", "", 0.19), w.col("requests", "num", 0.09), w.col("share", "", 0.17), w.col("servers", "host", 0), w.col("sure", "", 0.17), w.col("exhibits", "", 0.09),
		}, groups...)
	}
	w.canaries()
}

func exhibitLink(n int, text string) run {
	return run{Text: text, As: "link", Link: "#exhibit-" + itoa(n)}
}

func (w *writer) canaries() {
	d, l := w.d, w.l
	w.heading(3, "canaries", l.line("canaries.title"))
	w.say("lead", "canaries.lead")
	switch {
	case len(d.Canaries) > 0:
		var list [][]line
		for _, c := range d.Canaries {
			var forms line
			for i, f := range c.Forms {
				if i > 0 {
					forms = append(forms, run{Text: ", "})
				}
				forms = append(forms, code(f))
			}
			list = append(list, []line{
				{{Text: c.Canary, As: "strong"}, {Text: " "}, w.badge(c.Class), sub(l.word("kind", c.Kind))},
				{w.direction(c.Direction)},
				forms,
				w.number(c.Requests),
				plain(l.list(c.Hosts)),
				{code(short(c.Path, 160)), sub(l.say("request.id", rawNumber(c.First)))},
			})
		}
		w.table([]column{
			w.col("planted", "", 0.2), w.col("direction", "", 0.13), w.col("written", "", 0.12), w.col("requests", "num", 0.09), w.col("servers", "host", 0.2), w.col("where", "where", 0),
		}, rows{Rows: list})
		if d.MoreCanaries > 0 {
			w.say("note", "canaries.more", d.MoreCanaries)
		}
	case d.Case.Persona != "":
		w.say("none", "canaries.none")
	default:
		w.say("none", "canaries.nobody")
	}
}

func (w *writer) hosts() {
	d, l := w.d, w.l
	w.section("hosts")
	w.say("lead", "hosts.lead")
	if len(d.Hosts) == 0 {
		w.say("none", "hosts.none")
	} else {
		var list [][]line
		for _, h := range d.Hosts {
			name := strong(h.Host)
			if len(h.Tags) > 0 {
				name = append(append(name, newline), w.badges(h.Tags)...)
			}
			if len(h.LookedUp) > 0 {
				name = append(name, sub(l.say("lookedup", strings.Join(cut(h.LookedUp, 4, 80), ", "))))
			}
			if len(h.Apps) > 0 {
				name = append(name, sub(l.say("apps", strings.Join(cut(h.Apps, 4, 80), ", "))))
			}
			company := w.or(h.Owner, "unknown.f")
			if h.Domain != "" && h.Domain != h.Host {
				company = append(company, sub(l.say("domain", h.Domain)))
			}
			address := w.or("", "none.f")
			for i, a := range h.Addresses {
				if i == 0 {
					address = plain(a)
					continue
				}
				address = append(address, newline, run{Text: a})
			}
			if h.Country != "" {
				address = append(address, sub(l.say("country", h.Country)))
			}
			list = append(list, []line{
				name, company, address, w.or(h.Certificate, "none.seen"), w.encryption(h), w.number(h.Requests), w.size(h.BytesUp), w.size(h.BytesDown),
			})
		}
		w.table([]column{
			w.col("server", "", 0.21), w.col("company", "", 0.15), w.col("address", "addr", 0.14), w.col("certificate", "", 0), w.col("encryption", "", 0.11),
			w.col("requests", "num", 0.085), w.col("bodyup", "num", 0.08), w.col("bodydown", "num", 0.08),
		}, rows{Rows: list})
		if d.MoreHosts > 0 {
			w.para("note", plain(l.count("hosts.more", d.MoreHosts)))
		}
	}
	w.addresses()
}

func (w *writer) encryption(h HostRow) line {
	out := plain(w.l.list(h.TLS))
	switch {
	case h.Plain > 0:
		if len(h.TLS) > 0 {
			out = append(out, run{Text: w.l.say("semicolon")})
		}
		return append(out, w.l.line("encryption.plain", w.l.requests(h.Plain))...)
	case h.Raw > 0:
		if len(h.TLS) > 0 {
			out = append(out, run{Text: w.l.say("semicolon")})
		}
		return append(out, w.l.line("encryption.raw", w.l.requests(h.Raw))...)
	case len(h.TLS) == 0:
		return none(w.l.say("encryption.unknown"))
	}
	return out
}

// roleNames are the parts that somebody can have in an address.
var roleNames = []string{"company", "certificate", "network", "hosted", "country", "registry"}

func (w *writer) addresses() {
	d, l := w.d, w.l
	if len(d.Addresses) > 0 {
		w.heading(3, "addresses", l.line("addresses.title"))
		var list [][]line
		dash := func(s string) line {
			if s == "" {
				return none("–")
			}
			return plain(s)
		}
		for _, a := range d.Addresses {
			list = append(list, []line{strong(a.Address), w.among(a.Hosts, int64(a.More)), w.or(l.network(a), "unknown"), dash(a.Cloud), dash(a.Country), dash(a.Registry), w.number(a.Requests)})
		}
		w.table([]column{
			w.col("address", "addr", 0.16), w.col("answered", "host", 0.22), w.col("network", "", 0), w.col("hosted", "", 0.14), w.col("declared", "", 0.1), w.col("registry", "", 0.11), w.col("requests", "num", 0.09),
		}, rows{Rows: list})
		if d.MoreAddress > 0 {
			w.para("note", plain(l.count("addresses.more", d.MoreAddress)))
		}
	}
	if len(d.OwnerTables) == 0 {
		return
	}
	w.heading(3, "roles", l.line("roles.title"))
	var items []pair
	for _, role := range roleNames {
		items = append(items, pair{Term: l.say("role." + role), Text: l.line("role." + role + ".means")})
	}
	w.add(block{Pairs: &terms{Class: "roles", Items: items}})
	tables := run{Text: strings.Join(d.OwnerTables, "; ")}
	if !l.recorded() {
		tables.Lang = "en"
	}
	w.say("note", "roles.tables", tables)
}

func (w *writer) identifiers() {
	d, l := w.d.Identifiers, w.l
	w.section("identifiers")
	w.say("lead", "identifiers.lead")
	if d.Requests == 0 {
		w.say("none", "identifiers.none", number("coverage"))
		return
	}
	text := l.say("identifiers.count", l.requests(d.Requests), l.count("values", d.Distinct))
	if d.Resets > 0 {
		text += " " + l.count("identifiers.resets", int64(d.Resets))
	} else {
		text += " " + l.say("identifiers.noreset")
	}
	w.para("", plain(text))
	var list [][]line
	for _, v := range d.Values {
		list = append(list, w.identifier(v))
	}
	if len(list) > 0 {
		w.table([]column{
			w.col("value", "", 0.15), w.col("called", "", 0.13), w.col("requests", "num", 0.09), w.col("servers", "host", 0.22), w.col("span", "", 0.1), w.col("survived", "", 0.12), w.col("also", "", 0),
		}, rows{Rows: list})
	} else {
		w.say("none", "identifiers.once")
	}
	if d.MoreValues > 0 {
		w.say("note", "identifiers.more", d.MoreValues)
	}
	list = nil
	for _, f := range d.Fields {
		list = append(list, []line{strong(short(f.Name, 60)), plain(short(f.Host, 80) + short(f.Path, 80)), plain(l.verdict(&f))})
	}
	if len(list) > 0 {
		w.heading(3, "fields", l.line("fields.title"))
		w.table([]column{w.col("field", "", 0.25), w.col("sentto", "host", 0.4), w.col("law", "", 0)}, rows{Rows: list})
	}
	if d.MoreFields > 0 {
		w.say("note", "fields.more", d.MoreFields)
	}
	for _, s := range d.Limits {
		w.para("note", line{w.said(s)})
	}
}

// cut shortens a list to n texts of at most width characters.
func cut(list []string, n, width int) (out []string) {
	for _, s := range list[:min(n, len(list))] {
		out = append(out, short(s, width))
	}
	return out
}

func (w *writer) identifier(v linkage.Value) []line {
	l := w.l
	hosts := w.among(cut(v.Hosts, 5, 80), int64(len(v.Hosts)-5))
	if len(v.Owners) > 0 {
		hosts = append(hosts, sub(strings.Join(cut(v.Owners, 5, 60), ", ")))
	}
	survived := none(l.say("session.none"))
	if n := int64(len(v.Sessions)); n > 0 {
		survived = plain(l.count("sessions", n))
	}
	if v.Resets > 0 {
		survived = append(survived, run{Text: ", "}, run{Text: l.count("resets", int64(v.Resets)), As: "strong"})
	}
	var also line
	next := func(x line) {
		if len(also) > 0 {
			also = append(also, newline)
		}
		also = append(also, x...)
	}
	if x := v.DigestOf; x != nil {
		next(l.line("also.digest", strings.ToUpper(x.Algorithm), code(short(x.Of, 40))))
	}
	if v.SetBy != "" {
		next(l.line("also.setby", short(v.SetBy, 80)))
	}
	if v.TimeInValue != "" {
		next(l.line("also.time", code(short(v.TimeInValue, 40))))
	}
	if v.Devices > 1 {
		next(plain(l.count("also.devices", int64(v.Devices))))
	}
	for i, c := range v.Companions[:min(2, len(v.Companions))] {
		key := "also.with"
		if i > 0 {
			key = "also.and"
		}
		next(l.line(key, code(short(c.Value, 40)), l.requests(c.Requests)))
	}
	return []line{
		{code(short(v.Value, 40)), sub(l.word("valuekind", v.Kind))},
		plain(strings.Join(cut(v.Names, 8, 40), ", ")), w.number(v.Requests), hosts, plain(l.span(v.Last.Sub(v.First))), survived, also,
	}
}

// verdict says what the values of a field do.
func (l *language) verdict(f *linkage.Field) string {
	over := ""
	if f.Requests > 1 {
		over = " " + l.say("law.over", l.roughly(f.Last.Sub(f.First)))
	}
	if f.Sessions > 1 {
		over += ", " + l.count("sessions", int64(f.Sessions))
	}
	key, n := "law."+string(f.Law), int64(f.Devices)
	switch f.Law {
	case linkage.EachRequest:
		if f.Random {
			key = "law.random"
		}
	case linkage.Stays:
		if f.Resets > 0 || f.Sessions > 1 || f.Last.Sub(f.First) >= 24*time.Hour {
			key = "law.permanent"
		}
	}
	says := l.say(key, n)
	if f.Resets > 0 && (f.Law == linkage.Stays || f.Law == linkage.EachDevice) {
		says += l.count("law.survived", int64(f.Resets))
	}
	return l.say("law.sentence", l.count("law.values", f.Values), l.requests(f.Requests), over, says)
}

func (w *writer) time() {
	d, l := w.d, w.l
	w.section("timeline")
	if p := d.Timeline.plot; p != nil {
		w.say("lead", "timeline.lead", l.span(d.Timeline.Bucket))
		w.add(block{Plot: p})
		w.add(block{Legend: p.Legend})
	} else {
		w.say("none", "timeline.none")
	}
	w.flow()
	w.heading(3, "sessions", l.line("sessions.title"))
	w.say("lead", "sessions.lead")
	if len(d.Sessions) == 0 {
		w.say("none", "sessions.none")
		return
	}
	var list [][]line
	for _, s := range d.Sessions {
		name := strong(s.Name)
		if s.Note != "" {
			name = append(name, sub(s.Note))
		}
		closed := none(l.say("session.open"))
		if !s.Closed.IsZero() {
			closed = line{{Text: l.moment(s.Closed)}, sub(l.span(s.Closed.Sub(s.Opened)))}
		}
		tags := none(l.say("nothing"))
		if len(s.Tags) > 0 {
			tags = w.badges(s.Tags)
		}
		list = append(list, []line{name, w.codes(s.Factors, "conditions.none"), plain(l.moment(s.Opened)), closed, w.number(s.Requests), w.size(s.BytesUp), tags})
	}
	w.table([]column{
		w.col("session", "", 0.17), w.col("conditions", "", 0.17), w.col("opened", "", 0.13), w.col("closed", "", 0.13), w.col("requests", "num", 0.09), w.col("bodyup", "num", 0.09), w.col("tags", "", 0),
	}, rows{Rows: list})
}

// codes writes words of the record one below the other.
func (w *writer) codes(list []string, otherwise string) (out line) {
	if len(list) == 0 {
		return none(w.l.say(otherwise))
	}
	for i, s := range list {
		if i > 0 {
			out = append(out, newline)
		}
		out = append(out, code(s))
	}
	return out
}

func (w *writer) photos() {
	w.section("photos")
	if len(w.d.Photos) == 0 {
		w.say("none", "photos.none")
		return
	}
	if w.d.ShowPhotos {
		w.say("lead", "photos.shown")
	} else {
		w.say("lead", "photos.blurred")
	}
	w.add(block{Photos: w.d.Photos})
	if w.d.MorePhotos > 0 {
		w.para("note", plain(w.l.count("photos.more", w.d.MorePhotos)))
	}
}

func (w *writer) coverage() {
	d, l := w.d, w.l
	c := d.Coverage
	w.section("coverage")
	w.say("lead", "coverage.lead")
	if len(c.Outcomes) > 0 {
		var list [][]line
		for _, o := range c.Outcomes {
			readable := "readable.no"
			if o.Readable {
				readable = "readable.yes"
			}
			list = append(list, []line{
				{{Text: l.word("outcome", o.Outcome), As: "strong"}, sub(l.say(readable))},
				plain(o.Meaning), w.number(o.Connections), w.number(o.Hosts), w.size(o.BytesUp), w.size(o.BytesDown), plain(l.percent(o.Share)),
			})
		}
		w.table([]column{
			w.col("were", "", 0.16), w.col("meaning", "", 0), w.col("connections", "num", 0.11), w.col("servers", "num", 0.08), w.col("sent", "num", 0.09), w.col("received", "num", 0.09), w.col("bytes", "num", 0.1),
		}, rows{Rows: list})
	} else {
		w.say("none", "coverage.none")
	}
	w.refusals()
	w.passing()
	w.unread()
	w.names()
	w.heading(3, "inside", l.line("inside.title"))
	var list [][]line
	for _, x := range []struct {
		key string
		n   int64
	}{{"truncated", c.Truncated}, {"opaque", c.Opaque}, {"damaged", c.DamagedReport}, {"failed", c.Failed}, {"missing", c.Missing}} {
		list = append(list, []line{l.line("inside." + x.key), w.number(x.n)})
	}
	w.table([]column{{}, {Class: "num", Width: 0.12}}, rows{Rows: list})
	w.damage()
}

func (w *writer) unread() {
	l := w.l
	c := w.d.Coverage
	if len(c.Unread) == 0 {
		return
	}
	w.heading(3, "unread", l.line("unread.title"))
	var list [][]line
	for _, u := range c.Unread {
		name := strong(u.Host)
		if u.Host == "" {
			name = none(l.say("unread.noname"))
		}
		company := w.or(u.Owner, "unknown.f")
		if u.Network != "" {
			company = append(company, sub(u.Network))
		}
		if u.Country != "" {
			company = append(company, sub(l.say("country", u.Country)))
		}
		var outcomes []string
		for _, o := range u.Outcomes {
			outcomes = append(outcomes, l.word("outcome", o))
		}
		var why line
		if u.Reason != "" {
			why = line{w.said(u.Reason)}
		}
		if u.Alert != "" {
			why = append(why, sub(l.say("alert", u.Alert)))
		}
		if len(u.Protocols) > 0 {
			why = append(why, sub(l.say("looks.like", spoken(u.Protocols))))
		}
		if len(u.Apps) > 0 {
			why = append(why, sub(l.say("apps", strings.Join(cut(u.Apps, 4, 80), ", "))))
		}
		list = append(list, []line{name, company, plain(strings.Join(outcomes, ", ")), why, w.number(u.Connections), w.size(u.BytesUp), w.size(u.BytesDown)})
	}
	w.table([]column{
		w.col("server", "host", 0.18), w.col("behind", "", 0.19), w.col("outcome", "", 0.15), w.col("why", "", 0), w.col("connections", "num", 0.11), w.col("sent", "num", 0.08), w.col("received", "num", 0.08),
	}, rows{Rows: list})
	if c.MoreUnread > 0 {
		w.say("note", "unread.more", c.MoreUnread)
	}
}

func (w *writer) damage() {
	d, l := w.d, w.l
	w.heading(3, "damage", l.line("damage.title"))
	if len(d.Damage) == 0 {
		w.say("none", "damage.none")
		return
	}
	w.say("lead", "damage.lead")
	var list [][]line
	for _, x := range d.Damage {
		list = append(list, []line{{code(x.Decoder)}, {w.said(x.Reason)}, w.number(x.Count), w.number(x.Requests), plain(rawNumber(x.Example))})
	}
	w.table([]column{
		w.col("decoder", "", 0.18), w.col("reason", "", 0), w.col("times", "num", 0.1), w.col("requests", "num", 0.1), w.col("example", "num", 0.14),
	}, rows{Rows: list})
	if d.MoreDamage > 0 {
		w.say("note", "damage.more", d.MoreDamage)
	}
}

func (w *writer) method() {
	d, l := w.d, w.l
	w.section("method")
	if d.Case.Imported < d.Case.Requests || d.Case.Requests == 0 {
		if len(d.Coverage.Doors) > 0 {
			w.say("lead", "method.doors")
		} else {
			w.say("lead", "method.proxy")
		}
	}
	if d.Case.Imported > 0 {
		w.para("lead", plain(l.count("method.imported", d.Case.Imported)))
	}
	w.say("", "method.inspection")
	w.say("", "method.limits", number("coverage"))
	w.doorTable()
	var list [][]line
	for _, x := range d.Declared {
		name := strong(l.word("topic", x.Topic))
		if x.Subject != "" {
			name = append(name, sub(x.Subject))
		}
		list = append(list, []line{name, w.codes(x.Facts, "none")})
	}
	if len(list) > 0 {
		w.heading(3, "declared", l.line("declared.title"))
		w.say("lead", "declared.lead")
		w.table([]column{w.col("topic", "", 0.25), w.col("facts", "", 0)}, rows{Rows: list})
	}
	w.heading(3, "runs", l.line("runs.title"))
	list = nil
	for _, r := range d.Runs {
		list = append(list, []line{plain(l.moment(r.Began)), plain(r.Tool), w.codes(r.Settings, "settings.none")})
	}
	w.table([]column{w.col("began", "", 0.22), w.col("program", "", 0.24), w.col("settings", "", 0)}, rows{Rows: list})
	build := d.Build
	if build == "" {
		build = "constat"
	}
	w.say("note", "method.written", build, l.moment(d.Generated))
}

func (w *writer) verify() {
	d, l := w.d, w.l
	w.section("verify")
	w.say("", "verify.lead")
	list := [][]line{
		{l.line("verify.command"), {code("constat verify " + d.Case.File)}},
		{l.line("verify.records"), w.number(d.Log.Records)},
	}
	if d.Log.Note != "" {
		list = append(list, []line{l.line("verify.size"), w.number(d.Log.Size)}, []line{l.line("verify.root"), {{Text: d.Log.Root, As: "mono"}}})
	}
	list = append(list, []line{l.line("verify.key"), {{Text: d.Log.Verifier, As: "mono"}}})
	w.table([]column{{Width: 0.32}, {}}, rows{Rows: list})
	w.bullets("numbered", l.line("verify.step.1", code("constat verify "+d.Case.File)), l.line("verify.step.2"), l.line("verify.step.3"))
	if d.Log.Note == "" {
		w.say("none", "verify.unsigned")
		return
	}
	w.heading(3, "checkpoint", l.line("verify.checkpoint"))
	w.add(block{Signed: d.Log.Note})
}
