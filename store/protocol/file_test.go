package protocol

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBuiltin(t *testing.T) {
	list, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := files.ReadDir("builtin")
	if err != nil || len(entries) != len(list) || len(list) < 8 {
		t.Fatalf("%d protocols, %d files, %v", len(list), len(entries), err)
	}
	for i, p := range list {
		if p.ID != names[i] {
			t.Errorf("%s.yaml has the id %s", names[i], p.ID)
		}
		controls := map[Control]int{}
		repeated := 0
		texts := []Text{p.Title, p.About}
		for _, q := range p.Ask {
			texts = append(texts, q.Question)
		}
		var longest, off time.Duration
		for _, ph := range p.Phases {
			controls[ph.Control]++
			var waits time.Duration
			for _, s := range ph.Steps {
				waits += s.Wait
			}
			if ph.Control == Negative {
				off = waits
			} else {
				longest = max(longest, waits)
			}
			if ph.Control == "" {
				repeated = max(repeated, ph.Repeat)
			}
			for _, list := range [][]Step{ph.Before, ph.Steps, ph.After} {
				for _, s := range list {
					if len(s.Do) > 0 {
						texts = append(texts, s.Do)
					}
				}
			}
		}
		if controls[Positive] == 0 || controls[Negative] != 1 || repeated < 3 {
			t.Errorf("%s: controls %v, %d repeats", p.ID, controls, repeated)
		}
		if off < longest {
			t.Errorf("%s: the negative control lasts %v, a session %v", p.ID, off, longest)
		}
		for _, text := range texts {
			if text["en"] == "" || text["fr"] == "" || text["en"] == text["fr"] {
				t.Errorf("%s: not in both languages: %q", p.ID, text)
			}
		}
		if got, err := Named(p.ID); err != nil || got.Sum() != p.Sum() {
			t.Errorf("Named(%s): %v", p.ID, err)
		}
	}
	if p, err := Named("nothing"); p != nil || err != nil {
		t.Errorf("Named: %v, %v", p, err)
	}
}

func TestTemplate(t *testing.T) {
	p, err := Parse("template", strings.NewReader(Template))
	if err != nil {
		t.Fatal(err)
	}
	if p.Sessions() != 8 || p.Waits() != 70*time.Minute {
		t.Errorf("%d sessions, %v", p.Sessions(), p.Waits())
	}
	want := []Step{
		{Do: Text{"en": "Open the weather app and look at the forecast."}},
		{Do: Text{"en": "Leave the app open and do not touch the phone."}, Wait: 10 * time.Minute},
	}
	if diff := cmp.Diff(want, p.Phases[2].Steps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&Send{"https://example.com/", "email"}, p.Phases[0].Steps[0].Send); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const good = `constat_protocol: 1
id: t
title: A test
factors: {screen: off}
ask:
  - factor: cloud
    question: On?
    values: [on, off]
phases:
  - session: idle
    repeat: 2
    steps:
      - wait: 30m
  - session: control
    control: positive
    steps:
      - send: {}
`

func TestParse(t *testing.T) {
	p, err := Parse("t", strings.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	if p.Factors["screen"] != "off" || fmt.Sprint(p.Ask[0].Values) != "[on off]" || string(p.Source) != good {
		t.Errorf("%+v", p)
	}
	for _, tt := range []struct {
		old, new string
		line     int
		says     string
	}{
		{"constat_protocol: 1", "constat_protocol: 2", 1, "constat_protocol: 1"},
		{"constat_protocol: 1\n", "", 1, "constat_protocol: 1"},
		{"id: t", "id: T t", 2, "lower-case"},
		{"id: t", "id: t\nid: u", 3, "twice"},
		{"title: A test", "titel: A test", 3, "want constat_protocol, id, title"},
		{"title: A test", "title: {fr: Un test}", 3, "English"},
		{"title: A test", "title: [A, test]", 3, "each language"},
		{"title: A test", `title: "A \e[31m test"`, 3, "printed"},
		{"title: A test", "title: {en: A, french: B}", 3, "two letters"},
		{"{screen: off}", "{Screen: off}", 4, "lower-case"},
		{"{screen: off}", "{control: negative}", 4, "control"},
		{"{screen: off}", "{screen: }", 4, "no value"},
		{"{screen: off}", "[screen]", 4, "form"},
		{"question: On?", "quesion: On?", 7, "want factor, question, values"},
		{"session: idle", "session: cloud=off", 10, "without ="},
		{"session: idle", "control: neutral", 10, "name of the session"},
		{"repeat: 2", "repeat: 0", 11, "repeats"},
		{"repeat: 2", "repeat: twice", 11, "form"},
		{"repeat: 2", "repeat: 2\n    control: maybe", 12, "positive or negative"},
		{"repeat: 2", "repeat: 2\n    control: negative\n    factors: {control: x}", 13, "control"},
		{"repeat: 2", "repeat: 2\n    control: positive", 13, "send"},
		{"repeat: 2", "repeat: 2\n    before: [{send: {}}]", 12, "within the session"},
		{"wait: 30m", "wait: 30", 13, "unit"},
		{"wait: 30m", "wait: 0s", 13, "second"},
		{"wait: 30m", "wait: 10000h", 13, "7 days"},
		{"wait: 30m", "pause: 30m", 13, "want do, wait, send"},
		{"wait: 30m", "wait: 30m\n        send: {}", 13, "a step is"},
		{"      - wait: 30m\n", "      - {}\n", 13, "a step is"},
		{"    steps:\n      - wait: 30m\n", "    steps: []\n", 12, "no steps"},
		{"wait: 30m", "send: {}", 10, "only a phase"},
		{"send: {}", "send: {url: example.com}", 17, "address of a page"},
		{"send: {}", "send: {url: 'https://example.com/?x=1'}", 17, "without query"},
		{"send: {}", "send: {url: 'javascript:alert(1)'}", 17, "address of a page"},
		{"send: {}", "send: {canary: E-mail}", 17, "planted value"},
		{"send: {}", "send: {link: x}", 17, "want url, canary"},
		{"control: positive", "control: negative", 16, "waits"},
		{"control: positive", "control: positive\n    repeat: 41", 9, "40 controls"},
		{"{screen: off}", "&x {screen: off}\nabout: *x", 5, "references"},
		{"{screen: off}", "{screen: off", 3, "expected"},
		{"{screen: off}", "{screen: \x00}", 0, "YAML"},
		{good, "", 0, "empty"},
		{good, "# nothing\n", 0, "empty"},
		{good, "just text", 1, "form"},
		{good, good + "---\n" + good, 0, "several"},
		{good, good + strings.Repeat("#\n", maxFile), 0, "KiB"},
	} {
		_, err := Parse("t.yaml", strings.NewReader(strings.Replace(good, tt.old, tt.new, 1)))
		var e *Error
		if !errors.As(err, &e) || e.Line != tt.line || !strings.Contains(e.Text, tt.says) || strings.ContainsAny(err.Error(), "\n\x1b\x00") {
			t.Errorf("%q for %q: %v, want line %d and %q", tt.new, tt.old, err, tt.line, tt.says)
		}
	}
	if _, err := Parse("t", iotest.ErrReader(io.ErrUnexpectedEOF)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Template)
	f.Add(good)
	list, err := Builtin()
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range list {
		f.Add(string(p.Source))
	}
	f.Add("a: &a [1]\nb: *a")
	f.Add("[[[[[[[[[[")
	f.Add("phases: [{session: x, repeat: 99999999999999999999}]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse("f", strings.NewReader(text))
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 1000 {
				t.Errorf("%q", err)
			}
			return
		}
		if p.Sessions() < 1 || p.Sessions() > maxPhases*maxRepeat || p.ID == "" || p.Title["en"] == "" {
			t.Errorf("%+v", p)
		}
		for _, ph := range p.Phases {
			if len(ph.Steps) == 0 || ph.Session == "" {
				t.Errorf("%+v", ph)
			}
		}
	})
}
