package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// builder makes samples out of the files of a data folder.
type builder struct {
	data    fs.FS
	seed    uint64
	samples []*sample
	notes   []string // what was left out
	files   int      // that were read

	messages []string // texts of messages, for chats and the like
	presets  []preset
}

// rand is a source of its own for each kind of sample, so that adding one kind
// changes no other.
func (b *builder) rand(kind string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(kind))
	return rand.New(rand.NewPCG(b.seed, h.Sum64()))
}

func (b *builder) read(name string) []byte {
	data, err := fs.ReadFile(b.data, name)
	if err != nil {
		b.notes = append(b.notes, name+" is absent")
		return nil
	}
	b.files++
	return data
}

// add labels one subject. kind#number is what is printed of it.
func (b *builder) add(kind string, number int, s *inspect.Subject, class inspect.Class, d flow.Direction, open ...inspect.Class) *sample {
	x := &sample{name: fmt.Sprintf("%s#%d", kind, number), odd: number%2 == 1, subject: s, open: open}
	if class != "" {
		x.want = map[inspect.Class]flow.Direction{class: d}
	}
	b.samples = append(b.samples, x)
	return x
}

// up is a request with a body, down the answer to a request without one.
func up(method, target, contentType string, body []byte) *inspect.Subject {
	s := subject(method, target)
	s.Request.Body = body
	if contentType != "" {
		s.Request.Header.Set("Content-Type", contentType)
	}
	s.Status = 200
	return s
}

func down(target, contentType string, body []byte) *inspect.Subject {
	s := subject("GET", target)
	s.Response.Body, s.Status = body, 200
	s.Response.Header.Set("Content-Type", contentType)
	return s
}

func subject(method, target string) *inspect.Subject {
	s := &inspect.Subject{
		Method: method, Scheme: "https", Host: "api.example.com",
		Request:  inspect.Content{Header: http.Header{"User-Agent": {"Dalvik/2.1.0 (Linux; U; Android 9; Phone Build/1)"}}},
		Response: inspect.Content{Header: make(http.Header)},
	}
	s.Path, s.Query, _ = strings.Cut(target, "?")
	return s
}

// js is v as JSON.
func js(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // v is made of maps, lists, strings and numbers
	}
	return bytes.TrimSpace(b.Bytes())
}

type m = map[string]any

// loadSMS reads the texts of the two corpora.
func (b *builder) loadSMS() (english, thai []string) {
	for line := range strings.Lines(string(b.read("sms/uci-sms-spam-collection/SMSSpamCollection"))) {
		if _, text, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && text != "SMS" {
			english = append(english, text)
		}
	}
	files, _ := fs.Glob(b.data, "sms/thai-sms/*.txt")
	if len(files) == 0 {
		b.notes = append(b.notes, "sms/thai-sms is absent")
	}
	for _, f := range files {
		for line := range strings.Lines(string(b.read(f))) {
			if _, text, ok := strings.Cut(strings.TrimSpace(line), "|"); ok {
				line = text
			}
			if line = strings.TrimSpace(line); line != "" {
				thai = append(thai, line)
			}
		}
	}
	return english, thai
}

func (b *builder) sms() {
	english, thai := b.loadSMS()
	b.messages = append(append(b.messages, english...), thai...)
	for _, corpus := range []struct {
		name  string
		texts []string
		most  int
	}{{"uci", english, 600}, {"thai", thai, 300}} {
		r := b.rand("sms " + corpus.name)
		for i := 0; i < corpus.most && len(corpus.texts) > 0; i++ {
			msgs := make([]message, 1+r.IntN(6))
			for j := range msgs {
				msgs[j] = newMessage(r, corpus.texts[r.IntN(len(corpus.texts))])
			}
			shape := smsShapes[i/2%len(smsShapes)]
			b.add("sms/"+corpus.name+" as "+shape.name, i, shape.make(r, msgs), inspect.SMS, shape.direction())
		}
	}
	if len(b.presets) == 0 {
		b.loadGreetings()
	}
	// Private messages that read like presets.
	r := b.rand("sms that are wishes")
	for i := 0; i < 100 && len(b.presets) > 0; i++ {
		msgs := []message{newMessage(r, b.presets[r.IntN(len(b.presets))].Text)}
		shape := smsShapes[i/2%len(smsShapes)]
		b.add("sms/greetings sent as "+shape.name, i, shape.make(r, msgs), inspect.SMS, shape.direction())
	}
}

// preset is a row of the greetings.
type preset struct{ Lang, Kind, Text string }

func (b *builder) loadGreetings() {
	sc := bufio.NewScanner(bytes.NewReader(b.read("greetings/greetings.jsonl")))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var p preset
		if json.Unmarshal(sc.Bytes(), &p) == nil && p.Text != "" {
			b.presets = append(b.presets, p)
		}
	}
}

func (b *builder) greetings() {
	if len(b.presets) == 0 {
		return
	}
	byLang := make(map[string][]preset)
	var langs []string
	for _, p := range b.presets {
		if byLang[p.Lang] == nil {
			langs = append(langs, p.Lang)
		}
		byLang[p.Lang] = append(byLang[p.Lang], p)
	}
	r := b.rand("greetings")
	for i := range 400 {
		rows := byLang[langs[i/2%len(langs)]]
		list := make([]preset, 2+r.IntN(18))
		for j := range list {
			list[j] = rows[r.IntN(len(rows))]
		}
		shape := greetingShapes[i/2%len(greetingShapes)]
		b.add("greetings as "+shape.name, i, shape.make(r, list), inspect.GreetingContent, flow.Down)
	}
}
