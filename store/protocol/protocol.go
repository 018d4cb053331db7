// Package protocol walks a person through a test of a phone: what to set, what to
// do, how long to wait, in which order and how often. It opens and closes the
// sessions, records each step and its outcome, and runs the controls without which
// an answer that rests on absence is worth nothing.
//
// A protocol is a file (YAML), so that a test can be repeated by others; its text
// and hash are recorded with each run. A Protocol does not change once it was read.
// The package shows nothing and reads no keyboard: that is for a Person.
package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Text is the same text in several languages, by language ("en", "fr"). "en" is
// always there, unless the text as a whole is absent.
type Text map[string]string

// In returns the text in lang, else in English.
func (t Text) In(lang string) string {
	if s := t[lang]; s != "" {
		return s
	}
	return t["en"]
}

// Protocol is a test.
type Protocol struct {
	ID      string
	Title   Text
	About   Text
	Factors map[string]string // of all sessions
	Ask     []Question        // asked once, when the test begins
	Phases  []Phase
	Source  []byte // the file
}

// Question asks for a factor that the person knows, such as the ROM's version.
type Question struct {
	Factor   string
	Question Text
	Values   []string // to choose from; empty: any
}

// Phase is a stretch of the test that is one session, or several when it is
// repeated.
type Phase struct {
	Session string
	Factors map[string]string
	Repeat  int // from 1
	Control Control
	Before  []Step // before the session is opened, each time
	Steps   []Step // while it is open
	After   []Step
}

// Control is a test of the test.
type Control string

// The controls. A positive one shows that what is sent on purpose is seen, a
// negative one that nothing is seen when nothing can be sent.
const (
	Positive Control = "positive"
	Negative Control = "negative"
)

// ControlFactor is the factor that the sessions of controls have, with the control
// as its value.
const ControlFactor = "control"

// Step is one of: something to do, to wait for, or to send on purpose.
type Step struct {
	Do   Text // what the person does, or during Wait: what they leave alone
	Wait time.Duration
	Send *Send
}

// Send is a page that the person opens in the phone's browser, with a word in its
// address that exists only for this, and a planted value when the case has one.
type Send struct {
	URL    string // without query
	Canary string // kind of the planted value, such as "email"
}

// Sum is the hash of the file.
func (p *Protocol) Sum() string {
	sum := sha256.Sum256(p.Source)
	return hex.EncodeToString(sum[:])
}

// Sessions is how many sessions the test has.
func (p *Protocol) Sessions() (n int) {
	for _, ph := range p.Phases {
		n += ph.Repeat
	}
	return n
}

// Waits is how long is waited in all.
func (p *Protocol) Waits() (d time.Duration) {
	for _, ph := range p.Phases {
		d += waits(ph.Before, ph.Steps, ph.After) * time.Duration(ph.Repeat)
	}
	return d
}
