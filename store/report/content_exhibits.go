package report

import (
	"fmt"
	"strconv"

	"constat/inspect"
)

// rawNumber writes a number that names something, without groups.
func rawNumber(n int64) string { return strconv.FormatInt(n, 10) }
func itoa(n int) string        { return strconv.Itoa(n) }

func (w *writer) exhibits() {
	w.section("exhibits")
	w.say("lead", "exhibits.lead")
	if len(w.d.Exhibits) == 0 {
		w.say("none", "exhibits.none")
		return
	}
	for i := range w.d.Exhibits {
		e := &w.d.Exhibits[i]
		b := &box{Class: "exhibit", ID: "exhibit-" + itoa(e.Number), Head: w.inside(func(w *writer) { w.exhibitHead(e) })}
		b.Body = w.inside(func(w *writer) {
			for j := range e.Places {
				w.place(&e.Places[j])
			}
			if e.More > 0 {
				w.add(block{Box: &box{Class: "finding", Body: w.inside(func(w *writer) { w.para("note", plain(w.l.count("findings.more", e.More))) })}})
			}
		})
		w.add(block{Box: b})
	}
}

func (w *writer) exhibitHead(e *Exhibit) {
	l := w.l
	w.heading(3, "", append(l.line("exhibit", e.Number), run{Text: " " + l.say("request.id", rawNumber(e.Request)) + " · " + l.moment(e.Time), As: "id"}))
	if e.raw != "" {
		w.para("request", strong(e.raw))
	} else {
		w.para("request", line{{Text: e.Method, As: "strong"}, {Text: " " + e.URL}})
	}
	p := &terms{Class: "details"}
	put := func(key, value string) {
		if value != "" {
			p.Items = append(p.Items, pair{Term: l.say("exhibit." + key), Text: plain(value)})
		}
	}
	status := l.say("none.f")
	if e.Status != 0 {
		status = itoa(e.Status)
	}
	if e.raw == "" {
		put("answer", status)
	}
	put("device", e.Device)
	put("app", e.App)
	put("session", e.Session)
	put("company", e.Owner)
	put("address", e.Server)
	put("network", e.Network)
	put("hosted", e.Cloud)
	put("country", e.Country)
	put("sent", l.size(e.Up))
	put("received", l.size(e.Down))
	if e.Truncated {
		put("body", l.say("exhibit.truncated"))
	}
	if e.Error != "" {
		p.Items = append(p.Items, pair{Term: l.say("exhibit.failed"), Text: line{w.said(e.Error)}})
	}
	sent, received := "uphash", "downhash"
	if e.raw != "" {
		sent, received = "rawup", "rawdown"
	}
	for _, x := range [][2]string{{sent, e.UpHash}, {received, e.DownHash}} {
		if x[1] != "" {
			p.Items = append(p.Items, pair{Term: l.say("exhibit." + x[0]), Text: plain(x[1]), Mono: true})
		}
	}
	w.add(block{Pairs: p})
	if len(e.Answers) > 0 {
		links := line{}
		for i, id := range e.Answers {
			if i > 0 {
				links = append(links, run{Text: ", "})
			}
			links = append(links, run{Text: id, As: "link", Link: "#answer-" + anchor(id)})
		}
		w.para("note", l.line("exhibit.decides", links))
	}
}

// place shows one part of an exchange, and how it follows from the stored bytes.
func (w *writer) place(p *Place) {
	l := w.l
	b := &box{Class: "finding"}
	if len(p.Findings) > 0 {
		b.Tint = badge(p.Findings[0].Class)
	}
	b.Body = w.inside(func(w *writer) {
		for i := range p.Findings {
			f := &p.Findings[i]
			w.para("head", append(line{w.badge(f.Class), w.direction(f.Direction), w.sure(f.Confidence)}, l.line("detector", code(f.Detector))...))
			if l.recorded() {
				w.para("reason", plain(f.Reason))
				continue
			}
			if i == 0 || f.Class != p.Findings[i-1].Class || f.Direction != p.Findings[i-1].Direction || f.Confidence != p.Findings[i-1].Confidence {
				w.say("reason", "finding."+f.Direction, l.phrase(f.Class), l.word("sureness", string(f.Confidence)))
			}
			w.para("said", append(l.line("finding.said"), run{Text: " "}, w.said(f.Reason)))
		}
		if p.Problem != "" {
			w.para("note", plain(p.Problem))
		}
		if len(p.Steps) > 0 {
			w.heading(4, "", l.line("steps.title"))
			items := make([]line, len(p.Steps))
			for i, s := range p.Steps {
				items[i] = plain(s)
			}
			w.bullets("steps", items...)
		}
		path := line{{Text: string(p.Path)}}
		if p.Frame != 0 {
			path = append(path, run{Text: " (" + l.say("frame", rawNumber(p.Frame)) + ")"})
		}
		w.para("path", path)
		w.quote(p)
	})
	w.add(block{Box: b})
}

func (w *writer) quote(p *Place) {
	l := w.l
	q := p.Quote
	if q == nil {
		if len(p.Findings) > 0 && p.Findings[0].Excerpt != "" {
			w.add(block{Quote: &Quote{Text: true, Match: p.Findings[0].Excerpt}})
		}
		return
	}
	if q.Above {
		w.heading(4, "", l.line("bytes.above"))
	} else {
		w.heading(4, "", l.line("bytes.title"))
	}
	if q.ImageInfo != "" {
		w.add(block{Photos: []Photo{{Info: q.ImageInfo, Image: q.Image, Caption: l.caption(q.ImageInfo, q.Image, !w.d.ShowPhotos)}}})
	}
	w.add(block{Quote: q})
	w.para("caption", l.line("bytes.caption", q.Start, q.Size, run{Text: q.SHA256, As: "mono"}))
}

// caption says what the picture beside it is.
func (l *language) caption(info, image string, blurred bool) string {
	switch {
	case image == "":
		return info
	case blurred:
		return l.say("photo.blurred", info)
	}
	return l.say("photo.copy", info)
}

// LeftOut says how many bytes of the match are not shown.
func (l *language) leftOut(q *Quote) string {
	return fmt.Sprintf(" […%s…] ", l.count("bytes.out", int64(q.CutInside)))
}

// phrase names a class in a sentence.
func (l *language) phrase(c inspect.Class) string {
	if l.has("phrase." + string(c)) {
		return l.say("phrase." + string(c))
	}
	return l.word("class", string(c))
}

func (l *language) class(c inspect.Class) string { return l.word("class", string(c)) }
