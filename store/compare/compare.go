// Package compare says what differs between two stretches of traffic: two sessions
// or sets of sessions of a case, or two cases (a vendor's ROM and another, before
// and after an update): what appears, what vanishes, what changes, and how sure
// that is, given the repeats and what could not be seen.
//
// Each session is one observation: a thing was seen in it or was not. How sure a
// difference is follows from the sessions alone, by an exact test, never from the
// number of requests in them: a thousand requests of one afternoon are one
// afternoon. A session in which the phone connected to a host and nothing could be
// read says nothing of what went there, and is left out of the count for it.
//
// Memory is bounded: where there are too many different things, a sample is
// compared, the same one on both sides, and the comparison says so.
package compare

import (
	"constat/store"
)

// Comparison is the difference between A and B. Its lists are sorted.
type Comparison struct {
	A Side `json:"a"`
	B Side `json:"b"`
	// Rows are what differs, surest first; Same counts what does not.
	Rows []Row `json:"rows"`
	Same int   `json:"same"` // things that both sides have alike
	More int   `json:"more_rows,omitempty"`
	// Cautions say what weakens the comparison; see the words of Caution.
	Cautions []Caution `json:"cautions"`
}

// Side is one of the two.
type Side struct {
	Label    string          `json:"label"` // "micloud=off"
	Case     string          `json:"case"`  // id
	File     string          `json:"file"`  // name without folder
	Scope    store.Scope     `json:"scope"`
	Sessions []store.Session `json:"sessions"`
	Requests int64           `json:"requests"`
	BytesUp  int64           `json:"bytes_up"`
	Coverage store.Coverage  `json:"coverage"`
}

// Change is what became of a thing from A to B.
type Change string

// The changes.
const (
	Appears Change = "appears" // only in B
	Vanish  Change = "vanishes"
	More    Change = "more" // at least three times as many per hour
	Less    Change = "less"
	// Hidden stands for what only one side has and the other could not have shown:
	// the phone connected to the host there, and nothing could be read.
	Hidden Change = "cannot_be_told"
)

// Row is one thing that differs.
type Row struct {
	What string `json:"what"` // "host", "path", "class", "identifier", "canary"
	// Key is the host; the host and the path, in which what looks like a number or
	// an id is {n}; the class or the planted value's name, and the direction; of a
	// field that held identifiers its host and name; of an identifier its names,
	// kind and six digits of its hash, never the value unless it was asked for.
	Key    string `json:"key"`
	Change Change `json:"change"`
	// A and B are counts of requests; SessionsA and SessionsB in how many sessions of
	// the side it was seen at all.
	A         int64 `json:"a"`
	B         int64 `json:"b"`
	SessionsA int   `json:"sessions_a"`
	SessionsB int   `json:"sessions_b"`
	// CountsA and CountsB are the requests by session, in the order of the side's
	// sessions; Unread where the session could not have shown it.
	CountsA []int64 `json:"counts_a"`
	CountsB []int64 `json:"counts_b"`
	// OfA and OfB are the sessions that could have shown it.
	OfA int `json:"of_sessions_a"`
	OfB int `json:"of_sessions_b"`
	// P is how often chance alone would part the sessions so clearly or more, 0 to
	// 1, if the sides did not differ; 1 for what cannot be told.
	P float64 `json:"p"`
	// Sure is "sure", "likely" or "open", and Why the sentence for people.
	Sure    string `json:"sure"`
	Why     string `json:"why"`
	Example int64  `json:"example_request,omitempty"` // a request of the side that has it
}

// Unread stands for the count of a session in which the phone connected to the
// host and nothing could be read.
const Unread = -1

// Caution is a word for what weakens a comparison, and the sentence for people. The
// words are one_session, few_sessions, stopped, length, coverage, not_inspected, device,
// conditions, persona, tool, control, chance, cut.
type Caution struct {
	Word     string `json:"word"`
	Sentence string `json:"sentence"`
}
