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
	// Chance is how large a part of the rows that are parted so clearly chance alone
	// is expected to make, given how many things were compared, 0 to 1.
	Chance float64 `json:"chance_share"`
	// Sure is "sure", "likely" or "open", Cause why it is, and Why the sentence of both
	// in English; whoever writes another language has all that it says in the fields.
	Sure  string `json:"sure"`
	Cause Cause  `json:"cause"`
	Why   string `json:"why"`
	// PerHourA and PerHourB are requests per hour, on average over the sessions; of
	// More and Less only.
	PerHourA float64 `json:"per_hour_a,omitempty"`
	PerHourB float64 `json:"per_hour_b,omitempty"`
	// Unseen is in what share of its sessions the side that did not show a thing may
	// have it all the same, with 95 % confidence; Untold counts the sessions of both
	// sides that could not have shown it.
	Unseen  float64 `json:"unseen_up_to,omitempty"`
	Untold  int     `json:"untold_sessions,omitempty"`
	Example int64   `json:"example_request,omitempty"` // a request of the side that has it
}

// Cause is what makes a row sure or not.
type Cause string

// The causes.
const (
	OneSession Cause = "one_session" // a side has one session only that could tell
	Parted     Cause = "parted"      // one side has it and the other does not, as P and Chance say
	Separate   Cause = "separate"    // every session of one side has more than every one of the other
	Overlap    Cause = "overlap"     // some session of the side that has less has as much
	NotRead    Cause = "not_read"    // the phone connected there, and nothing could be read
)

// Unread stands for the count of a session in which the phone connected to the
// host and nothing could be read.
const Unread = -1

// Caution is a word for what weakens a comparison, and the sentence for people in
// English. The words are one_session, few_sessions, stopped, length, coverage,
// not_inspected, device, declared, conditions, persona, tool, control, chance, cut.
//
// The other fields are what the sentence speaks of, for whoever writes it in another
// language.
type Caution struct {
	Word     string `json:"word"`
	Sentence string `json:"sentence"`
	// Count is that of sessions (stopped), requests (not_inspected), things compared
	// (chance) or hosts (cut).
	Count int `json:"count,omitempty"`
	// Sides are figures of A and B: seconds (length), shares of bytes (coverage; -1 when
	// there were none); of chance how many things chance alone is expected to part, and
	// how many are.
	Sides []float64 `json:"sides,omitempty"`
	// Differ names what differs (device, declared, conditions, tool); of what was cut
	// the kinds of things, and Count 1 in how many was compared.
	Differ []Difference `json:"differ,omitempty"`
}

// Difference is what A and B have of something that a Caution names. Long lists are
// cut, and end in "…".
type Difference struct {
	Name  string   `json:"name,omitempty"`
	A     []string `json:"a,omitempty"`
	B     []string `json:"b,omitempty"`
	Count int      `json:"count,omitempty"`
}
