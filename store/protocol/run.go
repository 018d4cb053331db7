package protocol

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"constat/store"
)

// ErrStop is what a Person returns who wants to stop and go on later.
var ErrStop = errors.New("the test was stopped")

// Case is what a run adds to a case: a *store.Case, or whoever reaches the one that
// writes it.
type Case interface {
	Mark(ctx context.Context, name string, factors map[string]string, note string) error
	Declare(ctx context.Context, topic, subject string, content any) error
}

// Person does what is asked. All methods return ErrStop, or the context's error,
// when the test is to stop.
type Person interface {
	// Do shows what to do, and returns when it is done. link is what to open on
	// the phone, "" when there is nothing.
	Do(ctx context.Context, at Place, what, link string) error
	// Wait returns after d. what may be "".
	Wait(ctx context.Context, at Place, what string, d time.Duration) error
	// Ask returns the answer: one of values, or any text when there are none.
	Ask(ctx context.Context, question, factor string, values []string) (string, error)
	// Confirm asks a question of yes or no.
	Confirm(ctx context.Context, question string) (bool, error)
	// Say shows a remark.
	Say(line string)
}

// Place is where in the test a step is, counted from 1.
type Place struct {
	Session         string
	Open            bool // the session is: false before and after
	Unit, Units     int  // sessions of the test
	Repeat, Repeats int
	Step, Steps     int
	Control         Control
	Ahead           time.Duration // what is still to be waited in all, this step included
}

// Run is one time that a protocol is gone through. Its fields must not change once
// Do was called.
type Run struct {
	Protocol *Protocol
	Case     Case
	Reader   *store.Reader // of the same case
	Person   Person
	Lang     string // of the texts, "" for English
	Device   string // whose traffic the controls look at, "" for any
	// Shorten divides all waits, for rehearsals; 0 stands for 1. What was waited is
	// recorded as it was.
	Shorten float64
	// Planted returns an invented value of the case's persona by its kind, and its
	// name; nil when there is no persona.
	Planted func(kind string) (name, value string, ok bool)
	// Seen is how long a positive control is waited for: default 2 minutes.
	Seen time.Duration
	// Resume is the run to go on with, nil for a new one.
	Resume *State
	Clock  func() time.Time // default time.Now

	name    string
	answers map[string]string
	unit    int // being done, from 1
	ahead   time.Duration
	state   *State
}

// State is how far a run came, as it is recorded in its case: the content of a
// declaration on the topic protocol.
type State struct {
	Run      string            `json:"run"`
	Protocol string            `json:"protocol"`
	Title    string            `json:"title"`
	SHA256   string            `json:"sha256"` // of Source
	State    string            `json:"state"`  // "running", "stopped", "complete"
	Done     int               `json:"done"`   // sessions
	Of       int               `json:"of"`
	Answers  map[string]string `json:"answers,omitempty"`
	Device   string            `json:"device,omitempty"`
	Shorten  float64           `json:"shortened,omitempty"`
	Controls []ControlOutcome  `json:"controls,omitempty"`
	Source   string            `json:"source"`
}

// ControlOutcome is what a control showed.
type ControlOutcome struct {
	Control  Control `json:"control"`
	Session  int64   `json:"session_id"`
	Passed   bool    `json:"passed"`
	Request  int64   `json:"request_id,omitempty"` // a request that shows it
	Sentence string  `json:"sentence"`
}

// unitRecord is the content of a declaration on a session of a run, stepRecord that
// on a step.
type unitRecord struct {
	Run     string            `json:"run"`
	Session string            `json:"session"`
	ID      int64             `json:"session_id,omitempty"`
	Repeat  int               `json:"repeat"`
	Factors map[string]string `json:"factors,omitempty"`
	Outcome string            `json:"outcome"` // "done", "stopped"
	Control *ControlOutcome   `json:"control,omitempty"`
}

type stepRecord struct {
	Run     string  `json:"run"`
	What    string  `json:"what"` // "ask", "do", "wait", "send"
	Text    string  `json:"text,omitempty"`
	Answer  string  `json:"answer,omitempty"`
	Link    string  `json:"link,omitempty"`
	Planned float64 `json:"planned_seconds,omitempty"`
	Began   string  `json:"began"`
	Seconds float64 `json:"seconds"`
	Outcome string  `json:"outcome"`
}

// Unfinished returns the newest run of a protocol, by the hash of its file, that is
// not complete; nil when there is none.
func Unfinished(ctx context.Context, r *store.Reader, p *Protocol) (*State, error) {
	list, err := r.Declared(ctx, store.TopicProtocol)
	if err != nil {
		return nil, err
	}
	for _, d := range slices.Backward(list) {
		s, err := parseState(d.Content)
		if err != nil || s.SHA256 != p.Sum() {
			continue // of another protocol, or tool
		}
		if s.State == "complete" || s.Done >= p.Sessions() {
			return nil, nil
		}
		return s, nil
	}
	return nil, nil
}

// Do goes through the test. When it is stopped, the open session is ended, how far
// it came is recorded, and the error is ErrStop or the context's. The state is nil
// only if the test did not begin.
func (r *Run) Do(ctx context.Context) (*State, error) {
	if r.Clock == nil {
		r.Clock = time.Now
	}
	if r.Seen == 0 {
		r.Seen = 2 * time.Minute
	}
	if r.Shorten == 0 {
		r.Shorten = 1
	}
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	r.ahead = r.wait(r.Protocol.Waits())
	for i := range r.Protocol.Phases {
		phase := &r.Protocol.Phases[i]
		for repeat := 1; repeat <= phase.Repeat; repeat++ {
			r.unit++
			if r.unit <= r.state.Done {
				r.ahead -= r.wait(waits(phase.Before, phase.Steps, phase.After))
				continue
			}
			if err := r.session(ctx, phase, repeat); err != nil {
				return r.state, r.stopped(ctx, err)
			}
		}
	}
	r.state.State = "complete"
	return r.state, r.record(ctx)
}

func waits(lists ...[]Step) (d time.Duration) {
	for _, list := range lists {
		for _, s := range list {
			d += s.Wait
		}
	}
	return d
}

func (r *Run) wait(d time.Duration) time.Duration { return time.Duration(float64(d) / r.Shorten) }

// begin records the run, or that it is gone on with, and asks what is asked once.
func (r *Run) begin(ctx context.Context) error {
	p := r.Protocol
	if r.Resume != nil {
		s := *r.Resume
		s.State = "running"
		r.state = &s
		r.Device = s.Device
	} else {
		r.state = &State{
			Run: p.ID + "-" + r.Clock().UTC().Format("20060102T150405") + "-" + strings.ToLower(rand.Text()[:4]), Protocol: p.ID, Title: p.Title.In(""), SHA256: p.Sum(),
			State: "running", Of: p.Sessions(), Answers: map[string]string{}, Device: r.Device, Source: string(p.Source),
		}
	}
	if r.Shorten != 1 {
		r.state.Shorten = r.Shorten
	}
	r.name = r.state.Run
	if r.Resume != nil {
		if err := r.abandoned(ctx); err != nil {
			return err
		}
	}
	r.answers = maps.Clone(r.state.Answers)
	if r.answers == nil {
		r.answers = map[string]string{}
	}
	for i, q := range p.Ask {
		if r.answers[q.Factor] != "" {
			continue
		}
		began := r.Clock()
		answer, err := r.Person.Ask(ctx, q.Question.In(r.Lang), q.Factor, q.Values)
		if err != nil {
			return err // nothing was recorded
		}
		r.answers[q.Factor] = answer
		step := stepRecord{Run: r.name, What: "ask", Text: q.Question.In(r.Lang), Answer: q.Factor + "=" + answer, Outcome: "done"}
		if err := r.recordStep(ctx, fmt.Sprintf("ask.%d", i+1), &step, began, nil); err != nil {
			return err
		}
	}
	r.state.Answers = maps.Clone(r.answers)
	return r.record(ctx)
}

// abandoned records that the session is not whole in which the program was killed,
// if it was.
func (r *Run) abandoned(ctx context.Context) error {
	sessions, err := r.Reader.Sessions(ctx)
	if err != nil {
		return err
	}
	unit := r.state.Done + 1
	for _, s := range sessions {
		if s.Note != r.note(unit) || s.Stopped {
			continue
		}
		record := unitRecord{Run: r.name, Session: s.Name, ID: s.ID, Factors: s.Factors, Outcome: "stopped"}
		if err := r.Case.Declare(ctx, store.TopicStep, fmt.Sprintf("%s/%d", r.name, unit), record); err != nil {
			return err
		}
	}
	return nil
}

// note is that of the session of a unit.
func (r *Run) note(unit int) string {
	return fmt.Sprintf("%s, %d of %d", r.name, unit, r.Protocol.Sessions())
}

func (r *Run) record(ctx context.Context) error {
	return r.Case.Declare(ctx, store.TopicProtocol, r.name, r.state)
}

// session does one session of the test, with what comes before and after it.
func (r *Run) session(ctx context.Context, p *Phase, repeat int) error {
	at := Place{
		Session: p.Session, Unit: r.unit, Units: r.Protocol.Sessions(), Repeat: repeat, Repeats: p.Repeat, Control: p.Control, Steps: len(p.Before) + len(p.Steps) + len(p.After),
	}
	if err := r.steps(ctx, &at, p.Before, nil); err != nil {
		return err
	}
	record := unitRecord{Run: r.name, Session: p.Session, Repeat: repeat, Factors: r.factors(p), Outcome: "stopped"}
	c := &control{run: r, control: p.Control}
	err := r.within(ctx, &at, p, c, &record)
	// The session must end also when the person or the program stops.
	end, cancel := ending(ctx)
	defer cancel()
	if c.opened {
		if e := r.Case.Mark(end, "", nil, ""); e != nil {
			err = errors.Join(err, e)
		} else if err == nil {
			record.Outcome = "done"
			r.state.Done = r.unit
		}
	}
	err = errors.Join(err, r.Case.Declare(end, store.TopicStep, fmt.Sprintf("%s/%d", r.name, r.unit), record))
	if err != nil {
		return err
	}
	if record.Control != nil {
		r.state.Controls = append(r.state.Controls, *record.Control)
	}
	if err := r.record(ctx); err != nil {
		return err
	}
	at.Open = false
	return r.steps(ctx, &at, p.After, nil)
}

// within opens a session and does what is done in it.
func (r *Run) within(ctx context.Context, at *Place, p *Phase, c *control, record *unitRecord) error {
	if err := c.open(ctx, p.Session, record.Factors, r.note(r.unit)); err != nil {
		return err
	}
	record.ID, at.Open = c.session, true
	for first := at.Step; ; at.Step = first {
		if err := r.steps(ctx, at, p.Steps, c); err != nil {
			return err
		}
		var err error
		if record.Control, err = c.check(ctx); err != nil || record.Control == nil {
			return err
		}
		r.Person.Say(record.Control.Sentence)
		if record.Control.Passed || p.Control != Positive {
			return nil
		}
		if again, err := r.Person.Confirm(ctx, "Put that right and try again?"); err != nil || !again {
			return err
		}
		r.ahead += r.wait(waits(p.Steps))
	}
}

// factors are the conditions of a session: those of the test, the answers, its own.
func (r *Run) factors(p *Phase) map[string]string {
	all := map[string]string{}
	for _, some := range []map[string]string{r.Protocol.Factors, r.answers, p.Factors} {
		maps.Copy(all, some)
	}
	if p.Control != "" {
		all[ControlFactor] = string(p.Control)
	}
	return all
}

// ending is a context for what must be recorded although ctx is over.
func ending(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
}

// steps does one step after the other. c is that of the open session.
func (r *Run) steps(ctx context.Context, at *Place, list []Step, c *control) error {
	for _, s := range list {
		at.Step++
		at.Ahead = r.ahead
		do := r.step
		if s.Send != nil {
			do = c.send
		}
		record := stepRecord{Run: r.name, Text: s.Do.In(r.Lang), Outcome: "done"}
		began := r.Clock()
		err := do(ctx, *at, s, &record)
		if e := r.recordStep(ctx, fmt.Sprintf("%d.%d", r.unit, at.Step), &record, began, err); err != nil || e != nil {
			return errors.Join(err, e)
		}
	}
	return nil
}

// step does what is to be done or waited for.
func (r *Run) step(ctx context.Context, at Place, s Step, record *stepRecord) error {
	if s.Wait == 0 {
		record.What = "do"
		return r.Person.Do(ctx, at, record.Text, "")
	}
	record.What, record.Planned = "wait", s.Wait.Seconds()
	d := r.wait(s.Wait)
	r.ahead -= d
	return r.Person.Wait(ctx, at, record.Text, d)
}

// recordStep records a step and how it ended.
func (r *Run) recordStep(ctx context.Context, name string, s *stepRecord, began time.Time, err error) error {
	s.Began, s.Seconds = began.UTC().Format(time.RFC3339Nano), r.Clock().Sub(began).Seconds()
	if err != nil {
		s.Outcome = "stopped"
	}
	end, cancel := ending(ctx)
	defer cancel()
	return r.Case.Declare(end, store.TopicStep, r.name+"/"+name, s)
}

// stopped records how far the run came.
func (r *Run) stopped(ctx context.Context, err error) error {
	end, cancel := ending(ctx)
	defer cancel()
	r.state.State = "stopped"
	return errors.Join(err, r.record(end))
}
