package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"constat/inspect"
)

// The classes that the first page speaks of whether or not they were found.
var always = []inspect.Class{inspect.SMS, inspect.Photo, inspect.DeviceStats}

// summary writes the page of plain words.
func summary(d *Document) []Paragraph {
	return []Paragraph{left(d), received(d), came(d), unseen(d)}
}

func left(d *Document) Paragraph {
	p := Paragraph{Heading: "What left the phone"}
	say := func(format string, args ...any) { p.Sentences = append(p.Sentences, fmt.Sprintf(format, args...)) }
	if d.Case.Requests == 0 {
		say("No request could be read. Nothing can be said about what left the phone.")
		return p
	}
	found := map[inspect.Class]bool{}
	for _, c := range d.Classes {
		if c.Direction != "up" {
			continue
		}
		found[c.Class] = true
		to := count(c.Hosts, "server", "servers")
		if len(c.HostNames) > 0 && int64(len(c.HostNames)) == c.Hosts && c.Hosts <= 3 {
			to = list(c.HostNames)
		}
		verb := "were found"
		switch c.Class {
		case inspect.CallLog, inspect.Location, inspect.AppList, inspect.Email:
			verb = "was found"
		}
		if c.Class == inspect.Opaque {
			say("%s went out in %s to %s. What it says is not known.", upper(styleOf(c.Class).phrase), requests(c.Requests), to)
			continue
		}
		say("%s %s in %s to %s: %s.", upper(styleOf(c.Class).phrase), verb, requests(c.Requests), to, sureOf(c))
	}
	var missing []string
	for _, class := range always {
		if !found[class] {
			missing = append(missing, styleOf(class).phrase)
		}
	}
	if len(missing) > 0 {
		say("Among the %s that could be read, none was recognised to carry %s. This does not show that none were sent: see “What could not be seen”.",
			requests(d.Case.Requests), strings.Join(missing, " or "))
	}
	return p
}

// sureOf says how many requests are how sure.
func sureOf(c ClassRow) string {
	var parts []string
	for _, x := range []struct {
		n    int64
		word string
	}{{c.Confirmed, "confirmed by a planted value"}, {c.Probable, "probable"}, {c.Suspected, "only suspected"}} {
		if x.n == c.Requests {
			return x.word
		}
		if x.n > 0 {
			parts = append(parts, grouped(x.n)+" "+x.word)
		}
	}
	return list(parts)
}

func received(d *Document) Paragraph {
	p := Paragraph{Heading: "To whom"}
	if len(d.Hosts) == 0 {
		p.Sentences = []string{"No server is known to have received a request."}
		return p
	}
	var tagged []HostRow
	for _, h := range d.Hosts {
		if len(h.Tags) > 0 {
			tagged = append(tagged, h)
		}
	}
	total := int64(len(d.Hosts)) + d.MoreHosts
	p.Sentences = append(p.Sentences, fmt.Sprintf("Requests went to %s.", count(total, "server name", "server names")))
	if len(tagged) > 0 {
		var names []string
		for _, h := range tagged[:min(len(tagged), 6)] {
			name := h.Host
			if h.Owner != "" {
				name += " (" + h.Owner + ")"
			}
			names = append(names, name)
		}
		text := "Something was recognised in the exchanges with " + list(names)
		if more := len(tagged) - len(names); more > 0 {
			text += " and " + count(int64(more), "other", "others")
		}
		p.Sentences = append(p.Sentences, text+".")
	}
	p.Sentences = append(p.Sentences, located(d)...)
	if d.Case.Plain > 0 {
		p.Sentences = append(p.Sentences, fmt.Sprintf("%s of %s went without encryption, readable by anybody on the way.", grouped(d.Case.Plain), requests(d.Case.Requests)))
	}
	return p
}

// located says what is known of the addresses that answered, with what that does not
// mean in the same sentence: this is the page that is quoted.
func located(d *Document) (sentences []string) {
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
		subject := "The addresses that answered are"
		if len(d.Addresses) == 1 {
			subject = "The address that answered is"
		}
		sentences = append(sentences, fmt.Sprintf(subject+" declared for %s. That is what networks and registries stated; where the machines stand is not known from it.",
			list(mostOften(countries, 8))))
	}
	if hosted > 0 {
		sentences = append(sentences, fmt.Sprintf("%s in networks of hosting or delivery companies, %s: whose machines carry a service, and not who runs it.",
			count(hosted, "address is", "addresses are"), list(mostOften(clouds, 6))))
	}
	return sentences
}

// mostOften lists at most so many names with their counts, the largest first.
func mostOften(counts map[string]int64, most int) []string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	more := len(names) - most
	names = names[:min(len(names), most)]
	for i, n := range names {
		names[i] = fmt.Sprintf("%s (%d)", n, counts[n])
	}
	if more > 0 {
		names = append(names, count(int64(more), "other", "others"))
	}
	return names
}

func came(d *Document) Paragraph {
	p := Paragraph{Heading: "What came to the phone"}
	for _, c := range d.Classes {
		if c.Direction != "down" {
			continue
		}
		p.Sentences = append(p.Sentences, fmt.Sprintf("%s came down in the answers to %s from %s: %s.",
			upper(styleOf(c.Class).phrase), requests(c.Requests), list(c.HostNames), sureOf(c)))
	}
	if len(p.Sentences) == 0 {
		p.Sentences = []string{"Nothing that Constat recognises was found in the answers that could be read."}
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
				p.Sentences = append(p.Sentences, fmt.Sprintf("The server %s both sent greetings and received text messages: its name alone settles nothing, each exchange has to be read.", h))
			}
		}
	}
	return p
}

func unseen(d *Document) Paragraph {
	p := Paragraph{Heading: "What could not be seen"}
	say := func(format string, args ...any) { p.Sentences = append(p.Sentences, fmt.Sprintf(format, args...)) }
	c := d.Coverage
	if c.Connections > 0 {
		bytes := c.BytesUp + c.BytesDown
		say("%s of %s could be read; they carried %s of the %s that passed.", grouped(c.Readable), count(c.Connections, "connection", "connections"),
			percent(float64(c.ReadableUp+c.ReadableDown)/float64(max(1, bytes))), size(bytes))
	}
	if d.Case.Imported > 0 {
		say("%s imported from other programs' records: what those programs left out is unknown.", count(d.Case.Imported, "request was", "requests were"))
	}
	if n := int64(len(c.Unread)) + c.MoreUnread; n > 0 {
		var names []string
		for _, u := range c.Unread[:min(len(c.Unread), 4)] {
			if u.Host != "" {
				names = append(names, u.Host)
			}
		}
		text := fmt.Sprintf("Nothing could be read of the traffic with %s", count(n, "server", "servers"))
		if len(names) > 0 {
			text += ", among them " + list(names)
			if int64(len(names)) == n {
				text = "Nothing could be read of the traffic with " + list(names)
			}
		}
		say("%s. Whatever went there is not in this report.", text)
	}
	for _, x := range []struct {
		n    int64
		text string
	}{
		{c.Opaque, "In %s there was data that is encrypted or random inside the connection; its content is unknown."},
		{c.Missing, "Not inspected yet: %s."},
		{c.DamagedReport, "In %s a part could not be taken apart; section 10 lists why."},
		{c.Failed, "%s failed; what a server would have received or answered is not known."},
	} {
		if x.n > 0 {
			say(x.text, requests(x.n))
		}
	}
	if c.Truncated > 0 {
		say("%s over the limit on size; the rest has a hash and a length but was not looked at.", count(c.Truncated, "body was", "bodies were"))
	}
	say("A proxy sees only what goes through it. Mobile data, QUIC, push connections, and apps that go around the proxy or refuse its certificate leave no content here, " +
		"and a class that Constat does not recognise is not reported. “Not found” therefore never means “not sent”.")
	return p
}
