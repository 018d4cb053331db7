// Package compare says what differs between two stretches of traffic: two sessions
// or sets of sessions of a case, or two cases (a vendor's ROM and another, before
// and after an update): what appears, what vanishes, what changes, and how sure
// that is, given the repeats and what could not be seen.
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
	Same int   `json:"same"`
	More int   `json:"more_rows,omitempty"`
	// Cautions say what weakens the comparison: one session only, other lengths,
	// little coverage, another device or persona.
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
	More    Change = "more" // several times as many per session or hour
	Less    Change = "less"
)

// Row is one thing that differs.
type Row struct {
	What   string `json:"what"` // "host", "path", "class", "identifier", "canary"
	Key    string `json:"key"`  // the host, "host path", "class direction", …
	Change Change `json:"change"`
	// A and B are counts of requests; SessionsA and SessionsB in how many sessions of
	// the side it was seen at all.
	A         int64 `json:"a"`
	B         int64 `json:"b"`
	SessionsA int   `json:"sessions_a"`
	SessionsB int   `json:"sessions_b"`
	// Sure is "sure", "likely" or "open", and Why the sentence for people.
	Sure    string `json:"sure"`
	Why     string `json:"why"`
	Example int64  `json:"example_request,omitempty"` // a request of the side that has it
}

// Caution is a word for what weakens a comparison, and the sentence for people.
type Caution struct {
	Word     string `json:"word"`
	Sentence string `json:"sentence"`
}
