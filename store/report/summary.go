package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"constat/inspect"
	"constat/store/claim"
)

// The classes that the first page speaks of whether or not they were found.
var always = []inspect.Class{inspect.SMS, inspect.Photo, inspect.DeviceStats}

// summary writes the page of plain words.
func (l *language) summary(d *Document) (list []Paragraph) {
	if len(d.Answers) > 0 {
		list = append(list, l.claimed(d))
	}
	return append(list, l.left(d), l.received(d), l.came(d), l.unseen(d))
}

func (p *Paragraph) say(sentence string) { p.Sentences = append(p.Sentences, sentence) }

// claimed says how many claims were answered how, and names those that were decided.
func (l *language) claimed(d *Document) Paragraph {
	p := Paragraph{Heading: l.say("sum.answers")}
	p.say(l.count("claimed.total", int64(len(d.Answers))))
	for _, v := range []claim.Verdict{claim.Refuted, claim.Supported} {
		const most = 6
		var names []string
		n := 0
		for _, a := range d.Answers {
			if a.Verdict != v {
				continue
			}
			n++
			if n <= most {
				names = append(names, l.say("claimed.item", short(a.Title.In(l.code), 120), a.Claim))
			}
		}
		if more := n - most; more > 0 {
			names = append(names, l.count("others", int64(more)))
		}
		if n > 0 {
			p.say(l.count("claimed."+string(v), int64(n), strings.Join(names, l.say("semicolon"))+"."))
		}
	}
	undecided := int64(0)
	for _, a := range d.Answers {
		if a.Verdict == claim.Undecided {
			undecided++
		}
	}
	if undecided > 0 {
		p.say(l.count("claimed.undecided", undecided, number("answers")))
	}
	p.say(l.say("claimed.means", number("answers")))
	return p
}

// classKey is the key of a family of texts for a class.
func (l *language) classKey(family string, c inspect.Class) string {
	if key := family + "." + string(c); l.has(key) {
		return key
	}
	return family + ".other"
}

func (l *language) left(d *Document) Paragraph {
	p := Paragraph{Heading: l.say("sum.left")}
	if d.Case.Requests == 0 {
		p.say(l.say("left.nothing"))
		return p
	}
	found := map[inspect.Class]bool{}
	for _, c := range d.Classes {
		if c.Direction != "up" {
			continue
		}
		found[c.Class] = true
		to := l.count("servers", c.Hosts)
		if len(c.HostNames) > 0 && int64(len(c.HostNames)) == c.Hosts && c.Hosts <= 3 {
			to = l.list(c.HostNames)
		}
		p.say(l.say(l.classKey("left", c.Class), l.requests(c.Requests), to, l.sureOf(c), string(c.Class)))
	}
	var missing []string
	for _, class := range always {
		if !found[class] {
			missing = append(missing, l.phrase(class))
		}
	}
	if len(missing) > 0 {
		p.say(l.count("left.missing", d.Case.Requests, strings.Join(missing, l.say("or"))))
	}
	return p
}

// parts writes how many of a row's requests are how sure, "" when they are all alike.
func (l *language) parts(c ClassRow, family string) string {
	var parts []string
	for _, x := range []struct {
		n    int64
		word inspect.Confidence
	}{{c.Confirmed, inspect.Confirmed}, {c.Probable, inspect.Probable}, {c.Suspected, inspect.Suspected}} {
		if x.n == c.Requests {
			return ""
		}
		if x.n > 0 {
			parts = append(parts, l.count(family+"."+string(x.word), x.n))
		}
	}
	return l.list(parts)
}

func (l *language) mixed(c ClassRow) string { return l.parts(c, "mixed") }

// sureOf says how sure a row is.
func (l *language) sureOf(c ClassRow) string {
	return cmp.Or(l.parts(c, "part"), l.word("all", string(c.Confidence)))
}

func (l *language) received(d *Document) Paragraph {
	p := Paragraph{Heading: l.say("sum.hosts")}
	if len(d.Hosts) == 0 {
		p.say(l.say("hosts.nobody"))
		return p
	}
	var tagged []HostRow
	for _, h := range d.Hosts {
		if len(h.Tags) > 0 {
			tagged = append(tagged, h)
		}
	}
	p.say(l.count("hosts.names", int64(len(d.Hosts))+d.MoreHosts))
	if len(tagged) > 0 {
		var names []string
		for _, h := range tagged[:min(len(tagged), 6)] {
			name := h.Host
			if h.Owner != "" {
				name += " (" + h.Owner + ")"
			}
			names = append(names, name)
		}
		text := l.list(names)
		if more := len(tagged) - len(names); more > 0 {
			text = l.say("hosts.and", text, l.count("others", int64(more)))
		}
		p.say(l.say("hosts.tagged", text))
	}
	p.Sentences = append(p.Sentences, l.located(d)...)
	if d.Case.Plain > 0 {
		p.say(l.count("hosts.plain", d.Case.Plain, d.Case.Requests))
	}
	return p
}

// located says what is known of the addresses that answered, with what that does not
// mean in the same sentence: this is the page that is quoted.
func (l *language) located(d *Document) (sentences []string) {
	countries, clouds := map[string]int64{}, map[string]int64{}
	hosted := int64(0)
	for _, a := range d.Addresses {
		if a.Country != "" {
			countries[a.Country]++
		}
		if a.Cloud != "" {
			clouds[a.Cloud]++
			hosted++
		}
	}
	if len(countries) > 0 {
		sentences = append(sentences, l.count("declared", int64(len(d.Addresses)), l.list(l.mostOften(countries, 8))))
	}
	if hosted > 0 {
		sentences = append(sentences, l.count("hosted", hosted, l.list(l.mostOften(clouds, 6))))
	}
	return sentences
}

// mostOften lists at most so many names with their counts, the largest first.
func (l *language) mostOften(counts map[string]int64, most int) []string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	more := len(names) - most
	names = names[:min(len(names), most)]
	for i, n := range names {
		names[i] = fmt.Sprintf("%s (%d)", n, counts[n])
	}
	if more > 0 {
		names = append(names, l.count("others", int64(more)))
	}
	return names
}

func (l *language) came(d *Document) Paragraph {
	p := Paragraph{Heading: l.say("sum.came")}
	for _, c := range d.Classes {
		if c.Direction == "down" {
			p.say(l.say(l.classKey("came", c.Class), l.requests(c.Requests), l.list(c.HostNames), l.sureOf(c), string(c.Class)))
		}
	}
	if len(p.Sentences) == 0 {
		p.say(l.say("came.nothing"))
	}
	// The trap of the affair: one host, opposite meanings.
	up := map[string]bool{}
	for _, c := range d.Classes {
		if c.Direction == "up" && c.Class == inspect.SMS {
			for _, h := range c.HostNames {
				up[h] = true
			}
		}
	}
	for _, c := range d.Classes {
		if c.Direction != "down" || c.Class != inspect.GreetingContent {
			continue
		}
		for _, h := range c.HostNames {
			if up[h] {
				p.say(l.say("came.both", h))
			}
		}
	}
	return p
}

func (l *language) unseen(d *Document) Paragraph {
	p := Paragraph{Heading: l.say("sum.unseen")}
	c := d.Coverage
	if c.Connections > 0 {
		bytes := c.BytesUp + c.BytesDown
		p.say(l.say("unseen.share", l.count("of.connections", c.Connections, l.grouped(c.Readable)),
			l.percent(float64(c.ReadableUp+c.ReadableDown)/float64(max(1, bytes))), l.size(bytes)))
	}
	if d.Case.Imported > 0 {
		p.say(l.count("imported", d.Case.Imported))
	}
	if n := int64(len(c.Unread)) + c.MoreUnread; n > 0 {
		var names []string
		for _, u := range c.Unread[:min(len(c.Unread), 4)] {
			if u.Host != "" {
				names = append(names, u.Host)
			}
		}
		switch {
		case int64(len(names)) == n:
			p.say(l.say("unseen.all", l.list(names)))
		case len(names) > 0:
			p.say(l.say("unseen.some", l.count("servers", n), l.list(names)))
		default:
			p.say(l.say("unseen.all", l.count("servers", n)))
		}
	}
	for _, x := range []struct {
		n   int64
		key string
	}{{c.Opaque, "opaque"}, {c.Missing, "missing"}, {c.DamagedReport, "damaged"}, {c.Failed, "failed"}} {
		if x.n > 0 {
			p.say(l.count("unseen."+x.key, x.n, number("coverage")))
		}
	}
	if c.Truncated > 0 {
		p.say(l.count("truncated", c.Truncated))
	}
	if len(c.Doors) > 0 {
		p.say(l.say("unseen.doors", l.unseenThrough(&d.Coverage)))
	} else {
		p.say(l.say("unseen.proxy"))
	}
	return p
}
