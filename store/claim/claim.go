// Package claim answers what somebody has publicly said of a phone: supported,
// refuted or undecided, with the requests that decide it, how much of the traffic
// could be seen, and what is missing to decide.
//
// A claim is a file (YAML): who said what, when and where; the question that it
// comes down to; the sessions and controls that an answer needs and the least
// coverage; and two SQL queries over the public views of a case, one that finds
// what refutes it and one that finds what supports it. Claims are data, so that
// people can write their own and the wording can be argued about.
//
// One row of the query that Claim.OneRow names decides. That there is no such row
// decides the other way only where the case could have shown one: with the
// sessions, the controls, the planted values and the coverage that the claim asks
// for. Everything else is Undecided, with what is missing. docs/claims.md has the
// rules; they are in answer.go and nowhere else.
//
// Nothing here writes to a case. Claims of strangers are bounded in size, and their
// SQL reads the public views only, for a limited time. All functions are safe for
// concurrent use.
package claim

import (
	"time"

	"constat/store"
)

// Verdict is what a case says of a claim.
type Verdict string

// The verdicts. Undecided is one, not a failure: it says what is missing.
const (
	Supported Verdict = "supported"
	Refuted   Verdict = "refuted"
	Undecided Verdict = "undecided"
)

// Text is the same text in several languages, by language ("en", "fr"). "en" is
// always there.
type Text map[string]string

// In returns the text in lang, else in English.
func (t Text) In(lang string) string {
	if s := t[lang]; s != "" {
		return s
	}
	return t["en"]
}

// Answer is a verdict with all that it rests on. Its lists are never nil and are
// sorted, so that the same case gives the same answer.
type Answer struct {
	Claim    string    `json:"claim"` // its id, such as "C3"
	Title    Text      `json:"title"`
	Said     Statement `json:"said"`
	Question Text      `json:"question"`

	Verdict Verdict `json:"verdict"`
	Because Text    `json:"because"` // one or two sentences for people, with the figures

	// Deciding are the requests that decide, at most MaxDeciding; More says how many there are
	// besides.
	Deciding []Deciding `json:"deciding"`
	More     int64      `json:"more_deciding,omitempty"`
	// Missing says what would be needed to decide, or to be surer.
	Missing  []Text         `json:"missing"`
	Controls []Control      `json:"controls"`
	Roles    []Role         `json:"roles"`
	Coverage store.Coverage `json:"coverage"` // of the sessions that the answer rests on
	Required float64        `json:"required"` // the least share of bytes up that must be readable for an answer that rests on absence
	Limits   Text           `json:"limits"`   // what even this answer does not say
	Queries  []string       `json:"queries"`  // as run, so that anybody can repeat them
}

// Statement is who said what.
type Statement struct {
	Who    string    `json:"who"`
	When   time.Time `json:"when"`
	Quote  Text      `json:"quote"` // or the sense of it
	Source string    `json:"source"`
}

// Deciding is a request that decides an answer.
type Deciding struct {
	Request int64 `json:"request_id"` // 0: a connection without a request that could be read decides
	// Connection is set where a connection decides rather than a request on it.
	Connection int64     `json:"connection_id,omitempty"`
	Time       time.Time `json:"time"`
	Session    string    `json:"session,omitempty"`
	Host       string    `json:"host"`
	Reason     string    `json:"reason"`         // from the query
	Path       string    `json:"path,omitempty"` // of the deciding part, "" when the request as a whole decides
	Value      string    `json:"value,omitempty"`
	Direction  string    `json:"direction,omitempty"`
	For        Verdict   `json:"for"` // Supported or Refuted
}

// Control is a test of the test: a positive one shows that the chain sees what was
// sent on purpose, a negative one that it sees nothing where nothing can be.
type Control struct {
	Name     string `json:"name"` // "positive", "negative"
	Needed   bool   `json:"needed"`
	Passed   bool   `json:"passed"`
	Sentence Text   `json:"sentence"`
}

// MaxDeciding is how many rows an Answer lists of each of its queries.
const MaxDeciding = 20

// Role is a part that sessions play in a claim, such as "cloud off", and the
// sessions of the case that fit it.
type Role struct {
	Name  string `json:"name"`
	Title Text   `json:"title"`
	// Scope is the first of the ways in which a session can fit, for people to see:
	// values that do as well are separated by bars.
	Scope    store.Scope     `json:"scope"`
	Needed   int             `json:"needed"`   // sessions
	Minutes  float64         `json:"minutes"`  // that each must last
	Sessions []store.Session `json:"sessions"` // found
}
