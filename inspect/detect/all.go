// Package detect holds the detectors: each recognises one class of payload by
// its shape.
//
// A detector is one file with one package-level inspect.Detector, its cases
// under testdata, and one line in All. Detectors are pure functions of the tree,
// safe for concurrent use; they look at shapes, never at host names, and a path
// or a field's name may add weight but never decides alone. They say suspected
// or probable: only a planted value, which is the business of package canary,
// confirms. Rather too little than too much: a class that is named must be
// there.
package detect

import "constat/inspect"

// All lists the detectors.
var All = []inspect.Detector{
	SMS,
	Photo,
	Contacts,
	CallLog,
	Email,
	Notes,
	BrowsingHistory,
	AppList,
	Location,
	Credentials,
	Identifiers,
	DeviceStats,
	GreetingContent,
	UpdateCheck,
	Opaque,
}
