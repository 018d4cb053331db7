package protocol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"constat/inspect"
	"constat/proxy/flow"
	"constat/store"
)

// testCase is a real case, and what a phone would do to it.
type testCase struct {
	*store.Case
	t *testing.T
}

func newCase(t *testing.T) *testCase {
	t.Helper()
	dir := t.TempDir()
	c, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "t.constat"), KeyFile: filepath.Join(dir, "key"), Tool: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return &testCase{c, t}
}

// open records that the phone opened a page.
func (c *testCase) open(link string) {
	c.t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		c.t.Fatal(err)
	}
	e := &flow.Exchange{
		Connection: 1, Device: "phone", Door: "http", Began: time.Now(), Method: "GET", Scheme: u.Scheme, Host: u.Host, Port: 443, Path: u.Path, Query: u.RawQuery, Status: 200,
	}
	e.Request.Head = []byte("GET / HTTP/1.1\r\n\r\n")
	if err := c.Begin(e); err != nil {
		c.t.Fatal(err)
	}
	if err := c.Commit(c.t.Context(), e); err != nil {
		c.t.Fatal(err)
	}
}

// email finds one planted value.
type email struct{}

func (email) Match(p *inspect.Part) []inspect.Hit {
	at := strings.Index(string(p.Data), "canary.1771")
	if at < 0 {
		return nil
	}
	return []inspect.Hit{{Canary: "email", Kind: "email", Form: "plain", Path: p.Path, Class: inspect.Identifiers, Start: at, End: at + 11}}
}

func (c *testCase) inspect() {
	c.t.Helper()
	in, err := inspect.New(inspect.Config{Canaries: email{}})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.Inspect(c.t.Context(), in, nil); err != nil {
		c.t.Fatal(err)
	}
}

// person does what is asked at once, and writes down what it was.
type person struct {
	did    []string
	do     func(at Place, what, link string) error
	waits  func(at Place, d time.Duration) error
	silent bool // answers no question
	again  int  // how often what failed is tried again
}

// where is a place in a few signs.
func where(at Place) string {
	state := "-"
	if at.Open {
		state = "+"
	}
	return fmt.Sprintf("%d/%d %s%s %d/%d", at.Unit, at.Units, at.Session, state, at.Step, at.Steps)
}

func (p *person) Do(_ context.Context, at Place, what, link string) error {
	p.did = append(p.did, fmt.Sprintf("%s: do %s", where(at), what))
	if p.do != nil {
		return p.do(at, what, link)
	}
	return nil
}

func (p *person) Wait(_ context.Context, at Place, _ string, d time.Duration) error {
	p.did = append(p.did, fmt.Sprintf("%s: wait %v, %v ahead", where(at), d, at.Ahead))
	if p.waits != nil {
		return p.waits(at, d)
	}
	return nil
}

func (p *person) Ask(_ context.Context, question, factor string, values []string) (string, error) {
	if p.silent {
		return "", ErrStop
	}
	p.did = append(p.did, "ask "+question)
	return values[0], nil
}

func (p *person) Confirm(context.Context, string) (bool, error) {
	p.again--
	return p.again >= 0, nil
}

func (p *person) Say(line string) { p.did = append(p.did, line) }

const walk = `constat_protocol: 1
id: t
title: A test
factors: {screen: "off", cloud: "?"}
ask:
  - {factor: cloud, question: {en: "On?", fr: "Allumé ?"}, values: ["on", "off"]}
phases:
  - session: seen
    control: positive
    factors: {screen: "on"}
    steps: [{do: Open, send: {}}]
  - session: idle
    repeat: 2
    before: [{do: Lie down}]
    steps: [{wait: 30m}, {do: Touch}]
    after: [{do: Get up}]
  - session: dark
    control: negative
    steps: [{wait: 10m}]
`

func read(t *testing.T, text string) *Protocol {
	t.Helper()
	p, err := Parse("t", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sessions lists the sessions of a case, and whether they were closed.
func (c *testCase) sessions() (out []string) {
	c.t.Helper()
	list, err := c.Sessions(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range list {
		factors, err := json.Marshal(s.Factors)
		if err != nil {
			c.t.Fatal(err)
		}
		state := "closed"
		if s.Closed.IsZero() {
			state = "open"
		}
		_, note, _ := strings.Cut(s.Note, ", ")
		out = append(out, fmt.Sprintf("%d %s %s %s %s", s.ID, s.Name, factors, note, state))
	}
	return out
}

func TestRun(t *testing.T) {
	c := newCase(t)
	p := &person{do: func(_ Place, _, link string) error {
		if link != "" {
			c.open(link)
			c.inspect()
		}
		return nil
	}}
	run := &Run{
		Protocol: read(t, walk), Case: c, Reader: &c.Reader, Person: p, Lang: "fr", Shorten: 60, Seen: 5 * time.Second,
		Planted: func(kind string) (string, string, bool) { return "email", "canary.1771@example.org", kind == "email" },
	}
	s, err := run.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ask Allumé ?", "1/4 seen+ 1/1: do Open", "Positive control: seen, in request 1.",
		"2/4 idle- 1/4: do Lie down", "2/4 idle+ 2/4: wait 30s, 1m10s ahead", "2/4 idle+ 3/4: do Touch", "2/4 idle- 4/4: do Get up",
		"3/4 idle- 1/4: do Lie down", "3/4 idle+ 2/4: wait 30s, 40s ahead", "3/4 idle+ 3/4: do Touch", "3/4 idle- 4/4: do Get up",
		"4/4 dark+ 1/1: wait 10s, 10s ahead", "Negative control: nothing came, as it should be.",
	}
	if diff := cmp.Diff(want, p.did); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	want = []string{
		`1 seen {"cloud":"on","control":"positive","screen":"on"} 1 of 4 closed`, `3 idle {"cloud":"on","screen":"off"} 2 of 4 closed`,
		`5 idle {"cloud":"on","screen":"off"} 3 of 4 closed`, `7 dark {"cloud":"on","control":"negative","screen":"off"} 4 of 4 closed`,
	}
	if diff := cmp.Diff(want, c.sessions()); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
	if s.State != "complete" || s.Done != 4 || len(s.Controls) != 2 || !s.Controls[0].Passed || s.Controls[0].Request != 1 || !s.Controls[1].Passed {
		t.Errorf("%+v", s)
	}
	if again, err := Unfinished(t.Context(), &c.Reader, run.Protocol); again != nil || err != nil {
		t.Errorf("a complete run is unfinished: %+v, %v", again, err)
	}
	// All of it is in the case.
	list, err := c.Declarations(t.Context(), store.TopicStep)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range list {
		var x struct{ What, Outcome, Session, Answer, Text string }
		if err := json.Unmarshal(d.Content, &x); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.TrimPrefix(d.Subject, s.Run)+" "+x.What+x.Session+" "+x.Text+x.Answer+" "+x.Outcome)
	}
	want = []string{
		"/ask.1 ask Allumé ?cloud=on done", "/1.1 send Open done", "/1 seen  done",
		"/2.1 do Lie down done", "/2.2 wait  done", "/2.3 do Touch done", "/2 idle  done", "/2.4 do Get up done",
		"/3.1 do Lie down done", "/3.2 wait  done", "/3.3 do Touch done", "/3 idle  done", "/3.4 do Get up done",
		"/4.1 wait  done", "/4 dark  done",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("declarations (-want +got):\n%s", diff)
	}
	states, err := c.Declarations(t.Context(), store.TopicProtocol)
	if err != nil || !strings.Contains(string(states[len(states)-1].Content), `"source":"constat_protocol: 1`) {
		t.Errorf("%d states, %v", len(states), err)
	}
}

// TestStopAndResume stops in the middle of the second of four sessions.
func TestStopAndResume(t *testing.T) {
	for name, why := range map[string]error{"by the person": ErrStop, "by a signal": context.Canceled} {
		t.Run(name, func(t *testing.T) {
			c := newCase(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p := &person{}
			p.do = func(_ Place, _, link string) error {
				if link != "" {
					c.open(link)
				}
				return nil
			}
			p.waits = func(at Place, _ time.Duration) error {
				if at.Unit < 3 {
					return nil
				}
				if errors.Is(why, context.Canceled) {
					cancel()
				}
				return why
			}
			protocol := read(t, walk)
			s, err := (&Run{Protocol: protocol, Case: c, Reader: &c.Reader, Person: p}).Do(ctx)
			if !errors.Is(err, why) || s.State != "stopped" || s.Done != 2 {
				t.Fatalf("%+v, %v", s, err)
			}
			if got := c.sessions(); len(got) != 3 || !strings.HasSuffix(got[2], "3 of 4 closed") {
				t.Errorf("%q", got)
			}
			if other, err := Unfinished(t.Context(), &c.Reader, read(t, walk+"# another file\n")); other != nil || err != nil {
				t.Errorf("another protocol's run: %+v, %v", other, err)
			}
			resumed, err := Unfinished(t.Context(), &c.Reader, protocol)
			if err != nil || resumed == nil {
				t.Fatalf("nothing to resume, %v", err)
			}
			p.did, p.waits = nil, nil
			s, err = (&Run{Protocol: protocol, Case: c, Reader: &c.Reader, Person: p, Resume: resumed}).Do(t.Context())
			if err != nil || s.State != "complete" || s.Run != resumed.Run || len(s.Controls) != 2 {
				t.Fatalf("%+v, %v", s, err)
			}
			want := []string{
				"3/4 idle- 1/4: do Lie down", "3/4 idle+ 2/4: wait 30m0s, 40m0s ahead", "3/4 idle+ 3/4: do Touch", "3/4 idle- 4/4: do Get up",
				"4/4 dark+ 1/1: wait 10m0s, 10m0s ahead", "Negative control: nothing came, as it should be.",
			}
			if diff := cmp.Diff(want, p.did); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if got := c.sessions(); len(got) != 5 || c.stopped() != "[5]" {
				t.Errorf("%q, stopped %s", got, c.stopped())
			}
		})
	}
}

// stopped lists the sessions that were stopped.
func (c *testCase) stopped() string {
	c.t.Helper()
	list, err := c.Sessions(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	var ids []int64
	for _, s := range list {
		if s.Stopped {
			ids = append(ids, s.ID)
		}
	}
	return fmt.Sprint(ids)
}

// deaf is a case to which nothing more is added from a time on, as if the program
// were killed.
type deaf struct {
	*testCase
	dead bool
}

func (d *deaf) Mark(ctx context.Context, name string, factors map[string]string, note string) error {
	if d.dead {
		return nil
	}
	return d.testCase.Mark(ctx, name, factors, note)
}

func (d *deaf) Declare(ctx context.Context, topic, subject string, content any) error {
	if d.dead {
		return nil
	}
	return d.testCase.Declare(ctx, topic, subject, content)
}

// TestKilled goes on with a run that could not even record that it ended.
func TestKilled(t *testing.T) {
	c := &deaf{testCase: newCase(t)}
	p := &person{do: func(_ Place, _, link string) error {
		if link != "" {
			c.open(link)
		}
		return nil
	}, waits: func(at Place, _ time.Duration) error {
		c.dead = true
		return ErrStop
	}}
	protocol := read(t, walk)
	if _, err := (&Run{Protocol: protocol, Case: c, Reader: &c.Reader, Person: p}).Do(t.Context()); !errors.Is(err, ErrStop) {
		t.Fatal(err)
	}
	if got := c.sessions(); len(got) != 2 || !strings.HasSuffix(got[1], "open") || c.stopped() != "[]" {
		t.Fatalf("%q, stopped %s", got, c.stopped())
	}
	c.dead, p.waits = false, nil
	resumed, err := Unfinished(t.Context(), &c.Reader, protocol)
	if err != nil || resumed == nil || resumed.State != "running" || resumed.Done != 1 {
		t.Fatalf("%+v, %v", resumed, err)
	}
	s, err := (&Run{Protocol: protocol, Case: c, Reader: &c.Reader, Person: p, Resume: resumed}).Do(t.Context())
	if err != nil || s.Done != 4 || len(c.sessions()) != 5 || c.stopped() != "[3]" {
		t.Errorf("%+v, %v, %q, stopped %s", s, err, c.sessions(), c.stopped())
	}
}

// TestControlsFail sends nothing where something must be seen, and something where
// nothing may.
func TestControlsFail(t *testing.T) {
	for _, tt := range []struct {
		name    string
		send    func(c *testCase, link string)
		planted bool
		dark    string // device whose request comes during the negative control
		watch   string
		passed  string
		says    string
	}{
		{name: "nothing", send: func(*testCase, string) {}, passed: "false true", says: "no connection came"},
		{name: "another page", send: func(c *testCase, _ string) { c.open("https://example.com/?c=constat") }, passed: "false true", says: "no connection came"},
		{name: "refused", send: func(c *testCase, _ string) { c.connect(flow.ClientRefused) }, passed: "false true", says: "refused the certificate"},
		{name: "connected", send: func(c *testCase, _ string) { c.connect(flow.Intercepted) }, passed: "false true", says: "whole address"},
		{name: "not inspected", send: func(c *testCase, link string) { c.open(link) }, planted: true, passed: "false true", says: "planted value was not found"},
		{name: "no persona", send: func(c *testCase, link string) { c.open(link) }, passed: "true true", says: "not tested"},
		{name: "alive in the dark", send: func(c *testCase, link string) { c.open(link) }, dark: "phone", passed: "true false", says: "FAILED; requests: 1, connections: 0"},
		{name: "another device", send: func(c *testCase, link string) { c.open(link) }, dark: "phone", watch: "pixel", passed: "true true", says: "nothing came"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCase(t)
			c.open("https://example.com/?c=before")
			p := &person{do: func(_ Place, _, link string) error {
				if link != "" {
					tt.send(c, link)
				}
				return nil
			}, waits: func(at Place, _ time.Duration) error {
				if at.Control == Negative && tt.dark != "" {
					c.open("https://push.example/")
				}
				return nil
			}}
			run := &Run{Protocol: read(t, walk), Case: c, Reader: &c.Reader, Person: p, Seen: 50 * time.Millisecond, Device: tt.watch}
			if tt.planted {
				run.Planted = func(string) (string, string, bool) { return "email", "canary.1771@example.org", true }
			}
			s, err := run.Do(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(s.Controls[0].Passed, s.Controls[1].Passed); got != tt.passed || !strings.Contains(strings.Join(p.did, "\n"), tt.says) {
				t.Errorf("%s, not %s; %q", got, tt.passed, p.did)
			}
		})
	}
}

// TestNotBegun leaves no trace of a test whose first question was not answered.
func TestNotBegun(t *testing.T) {
	c := newCase(t)
	s, err := (&Run{Protocol: read(t, walk), Case: c, Reader: &c.Reader, Person: &person{silent: true}}).Do(t.Context())
	if s != nil || !errors.Is(err, ErrStop) {
		t.Errorf("%+v, %v", s, err)
	}
	if list, err := c.Declarations(t.Context(), ""); err != nil || len(list) > 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestTryAgain sends what is to be seen at the third try only.
func TestTryAgain(t *testing.T) {
	c := newCase(t)
	tries := 0
	p := &person{again: 5, do: func(_ Place, _, link string) error {
		if link == "" {
			return nil
		}
		if tries++; tries == 3 {
			c.open(link)
		}
		return nil
	}}
	s, err := (&Run{Protocol: read(t, walk), Case: c, Reader: &c.Reader, Person: p, Seen: 20 * time.Millisecond}).Do(t.Context())
	if err != nil || tries != 3 || len(s.Controls) != 2 || !s.Controls[0].Passed {
		t.Errorf("%d tries, %+v, %v", tries, s.Controls, err)
	}
	if got := c.sessions(); len(got) != 4 {
		t.Errorf("%q", got)
	}
}

func (c *testCase) connect(o flow.Outcome) {
	c.t.Helper()
	n := &flow.Connection{Opened: time.Now(), Device: "phone", Door: "http", Host: "example.com", Port: 443, Outcome: o}
	if err := c.Begin(n); err != nil {
		c.t.Fatal(err)
	}
	if err := c.Commit(c.t.Context(), n); err != nil {
		c.t.Fatal(err)
	}
}

// unrecorded is a case that nobody records from a time on.
type unrecorded struct {
	*testCase
	left int
}

var errGone = errors.New("nobody records")

func (u *unrecorded) Mark(ctx context.Context, name string, factors map[string]string, note string) error {
	u.left--
	if u.left < 0 && name != "" {
		return errGone
	}
	if err := u.testCase.Mark(ctx, name, factors, note); err != nil || u.left >= 0 {
		return err
	}
	return errGone
}

// TestRecordingEnds ends the recording in the middle of a session, which then does
// not count as done.
func TestRecordingEnds(t *testing.T) {
	c := newCase(t)
	p := &person{do: func(_ Place, _, link string) error {
		if link != "" {
			c.open(link)
		}
		return nil
	}}
	s, err := (&Run{Protocol: read(t, walk), Case: &unrecorded{c, 3}, Reader: &c.Reader, Person: p}).Do(t.Context())
	if !errors.Is(err, errGone) || s.Done != 1 || s.State != "stopped" {
		t.Errorf("%+v, %v", s, err)
	}
	if got := c.sessions(); len(got) != 2 || !strings.HasSuffix(got[1], "closed") {
		t.Errorf("%q", got)
	}
}
