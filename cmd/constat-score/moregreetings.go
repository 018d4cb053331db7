package main

import (
	"bytes"
	"fmt"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// unseenGreetings are further envelopes of presets, all held out.
var unseenGreetings = []struct {
	name string
	make func(g *gen, list []preset) *inspect.Subject
}{
	{"XML", func(g *gen, list []preset) *inspect.Subject {
		return down("/greetings.xml?cat=2", "text/xml", xmlOf("greetings", m{"items": each(list, func(i int, p preset) m { return m{"id": i, "text": p.Text, "category": p.Kind} })}))
	}},
	{"JSONP", func(g *gen, list []preset) *inspect.Subject {
		return down("/wishes?callback=cb", "text/javascript", []byte("cb("+string(js(m{"wishes": plainTexts(list)}))+");"))
	}},
	{"msgpack", func(g *gen, list []preset) *inspect.Subject {
		return down("/blessings?page=2", "application/msgpack", msgpack(m{"list": each(list, func(i int, p preset) m { return m{"id": i, "content": p.Text, "cat": p.Kind} })}))
	}},
	{"lines of text", func(g *gen, list []preset) *inspect.Subject {
		return down("/jokes.txt", "text/plain; charset=utf-8", []byte(strings.Join(plainTexts(list), "\n")))
	}},
	{"NDJSON", func(g *gen, list []preset) *inspect.Subject {
		var b bytes.Buffer
		for i, p := range list {
			b.Write(append(js(m{"id": i, "text": p.Text, "tag": p.Kind}), '\n'))
		}
		return down("/quotes.ndjson", "application/x-ndjson", b.Bytes())
	}},
	{"zip of JSON", func(g *gen, list []preset) *inspect.Subject {
		return down("/packs/newyear.zip", "application/zip", zipped(map[string][]byte{"messages.json": js(m{"pack": "new year", "messages": plainTexts(list)})}))
	}},
	{"stickers' captions", func(g *gen, list []preset) *inspect.Subject {
		return down("/templates?type=card", appJSON, js(m{"templates": each(list, func(i int, p preset) m {
			return m{"templateId": i, "caption": p.Text, "usedTimes": g.IntN(9000)}
		})}))
	}},
	{"Chinese keys", func(g *gen, list []preset) *inspect.Subject {
		return down("/zhufu", appJSON, js(m{"祝福语": each(list, func(i int, p preset) m { return m{"编号": i, "内容": p.Text, "分类": p.Kind} })}))
	}},
	{"map by number", func(g *gen, list []preset) *inspect.Subject {
		all := make(m)
		for i, p := range list {
			all[fmt.Sprint(1000+i)] = p.Text
		}
		return down("/sayings/all", appJSON, js(m{"sayings": all}))
	}},
}

func (b *builder) moreGreetings() {
	if len(b.presets) == 0 {
		return
	}
	r := b.rand("unseen greetings")
	n := 0
	for _, shape := range unseenGreetings {
		for range 8 {
			g := newGen(r, n%2 == 1)
			lang := b.presets[g.IntN(len(b.presets))].Lang
			var same, list []preset
			for _, p := range b.presets {
				if p.Lang == lang && !strings.Contains(p.Text, "\n") {
					same = append(same, p)
				}
			}
			for range 3 + g.IntN(12) {
				if len(same) > 0 {
					list = append(list, same[g.IntN(len(same))])
				}
			}
			if len(list) == 0 {
				continue
			}
			x := b.add("greetings as "+shape.name, n, shape.make(g, list), inspect.GreetingContent, flow.Down)
			x.unseen = true
			n++
		}
	}
}
