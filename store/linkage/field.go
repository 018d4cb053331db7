package linkage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"constat/inspect"
	"constat/store"
)

// Law says how the values of a field come about, as far as was seen.
type Law string

// The laws.
const (
	Once        Law = "once"         // in one request only: there is nothing to compare
	EachRequest Law = "each_request" // another value in each
	EachSession Law = "each_session" // the same within a session, another in the next
	EachDevice  Law = "each_device"  // one for each of several devices
	Shared      Law = "shared"       // one value, the same from several devices
	Stays       Law = "stays"        // one value
	Changes     Law = "changes"      // none of these
)

// Field is where values stand: a key, header or cookie in what goes to a path.
type Field struct {
	Host string `json:"host"`
	// Path has {…} in place of segments that look like values themselves.
	Path     string    `json:"path"`
	Name     string    `json:"name"`
	Requests int64     `json:"requests"` // or WebSocket messages
	Values   int64     `json:"values"`   // different ones
	Devices  int       `json:"devices"`
	Sessions int       `json:"sessions"`
	Resets   int       `json:"resets"` // between First and Last
	First    time.Time `json:"first_seen"`
	Last     time.Time `json:"last_seen"`
	Law      Law       `json:"law"`
	Random   bool      `json:"-"`       // all values are of a kind that is drawn at random
	Verdict  string    `json:"verdict"` // one sentence
}

type fieldKey struct{ host, path, name string }

// noField stands for a field that is not counted.
const noField = ^uint32(0)

// fieldTally is what the first pass keeps of a field.
type fieldTally struct {
	fieldKey
	requests, values int64
	first, last      time.Time
	random           bool // all values are of a kind that is drawn at random

	devices, sessions     int
	splitDevice, splitOne bool  // a device, or a session of one, has several values
	uncounted             bool  // groups were left out
	ends                  int   // groups of a device and a session
	most                  int64 // requests in the largest of these
}

// group is a field in one session of one device, or with session allSessions in all
// of them.
type group struct {
	field, device uint32
	session       int32
}

const (
	noSession   = -1
	allSessions = -2
	allDevices  = ^uint32(0)
)

type groupTally struct {
	value    key
	requests int64
}

func (a *analysis) field(k fieldKey) uint32 {
	if i, ok := a.fields[k]; ok {
		return i
	}
	if len(a.list) >= maxFields {
		a.moreFields = true
		return noField
	}
	k = fieldKey{strings.Clone(k.host), strings.Clone(k.path), strings.Clone(k.name)}
	i := uint32(len(a.list))
	a.fields[k] = i
	a.list = append(a.list, &fieldTally{fieldKey: k, random: true})
	return i
}

// tally counts a value of field f. another says that the field did not hold it
// before, firstHere that it is the field's first value in this request.
func (a *analysis) tally(f uint32, k key, v *inspect.Value, s *store.Sighting, device uint32, session int32, another, firstHere bool) {
	t := a.list[f]
	if another {
		t.values++
	}
	t.random = t.random && isRandom(v.Kind)
	if firstHere {
		t.requests++
		if t.requests == 1 || s.Time.Before(t.first) {
			t.first = s.Time
		}
		if s.Time.After(t.last) {
			t.last = s.Time
		}
	}
	for _, g := range [...]group{{f, device, session}, {f, device, allSessions}, {f, allDevices, session}} {
		got, known := a.groups[g]
		switch {
		case !known && len(a.groups) >= maxGroups:
			a.moreGroups, t.uncounted = true, true
			continue
		case !known:
			got.value = k
			switch {
			case g.session == allSessions:
				t.devices++
			case g.device != allDevices:
				t.ends++
			case session != noSession:
				t.sessions++
			}
		case got.value != k && g.session == allSessions:
			t.splitDevice = true
		case got.value != k && g.device != allDevices:
			t.splitOne = true
		}
		if firstHere {
			got.requests++
		}
		if g.session != allSessions && g.device != allDevices {
			t.most = max(t.most, got.requests)
		}
		a.groups[g] = got
	}
}

func isRandom(kind string) bool {
	return kind == "uuid4" || kind == "hex" || strings.HasPrefix(kind, "base64")
}

func (t *fieldTally) law() Law {
	switch {
	case t.values == 1 && t.devices > 1:
		return Shared
	case t.requests < 2:
		return Once
	case t.values == 1:
		return Stays
	case !t.uncounted && t.devices > 1 && !t.splitDevice:
		return EachDevice
	case !t.uncounted && t.ends > 1 && t.most > 1 && !t.splitOne && t.values == int64(t.ends):
		return EachSession
	case t.values*20 >= t.requests*19: // a retry sends the same again
		return EachRequest
	}
	return Changes
}

func (t *fieldTally) field(a *analysis) Field {
	f := Field{
		Host: t.host, Path: t.path, Name: t.name, Requests: t.requests, Values: t.values, Devices: t.devices, Sessions: t.sessions,
		First: t.first, Last: t.last, Law: t.law(), Resets: a.survived(t.first, t.last), Random: t.random,
	}
	f.Verdict = f.verdict()
	return f
}

// laws sorts fields: those that link most first.
var laws = []Law{Stays, EachDevice, EachSession, Changes, Shared, EachRequest, Once}

// Telling returns the fields sorted by how much they link, without those that were
// seen once unless all are wanted.
func (l *Linkage) Telling(all bool) []Field {
	list := slices.Clone(l.Fields)
	if !all {
		list = slices.DeleteFunc(list, func(f Field) bool { return f.Law == Once })
	}
	slices.SortStableFunc(list, func(a, b Field) int {
		return cmp.Or(
			cmp.Compare(slices.Index(laws, a.Law), slices.Index(laws, b.Law)), -cmp.Compare(a.Resets, b.Resets), -cmp.Compare(a.Sessions, b.Sessions),
			-cmp.Compare(a.Last.Sub(a.First), b.Last.Sub(b.First)), -cmp.Compare(a.Requests, b.Requests),
		)
	})
	return list
}

func (f *Field) verdict() string {
	over := ""
	if span := f.Last.Sub(f.First); f.Requests > 1 {
		over = " over " + Words(span)
	}
	if f.Sessions > 1 {
		over += fmt.Sprintf(", %d sessions", f.Sessions)
	}
	says := ""
	switch f.Law {
	case Once:
		says = "seen once, nothing to compare"
	case EachRequest:
		says = "another one in each request"
		if f.Random {
			says = "random per request"
		}
	case EachSession:
		says = "another one in each session"
	case EachDevice:
		says = fmt.Sprintf("one for each of %d devices", f.Devices)
		if f.Resets > 0 {
			says += ", and " + survived(f.Resets)
		}
	case Shared:
		says = fmt.Sprintf("the same from %d devices, so it belongs to none of them", f.Devices)
	case Stays:
		switch {
		case f.Resets > 0:
			says = "permanent, " + survived(f.Resets)
		case f.Sessions > 1 || f.Last.Sub(f.First) >= 24*time.Hour:
			says = "permanent"
		default:
			says = "always the same"
		}
	case Changes:
		says = "changes now and then"
	}
	return fmt.Sprintf("%s in %s%s: %s", count(f.Values, "value"), count(f.Requests, "request"), over, says)
}

func survived(resets int) string { return "it survived " + count(int64(resets), "reset") }

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Words writes a time span for people: "6 days", "3 hours", "20 s".
func Words(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return count(int64(d/(24*time.Hour)), "day")
	case d >= 2*time.Hour:
		return count(int64(d/time.Hour), "hour")
	case d >= 2*time.Minute:
		return count(int64(d/time.Minute), "minute")
	case d >= time.Second:
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return "less than 1 s"
}

// fieldName is the name of what holds v, or the step that led to it.
func fieldName(v *inspect.Value) string {
	if v.Name != "" {
		return v.Name
	}
	steps := v.Path.Steps()
	return steps[len(steps)-1]
}

// shape puts {…} in place of the segments of a path that look like values: paths
// that differ in them only are one.
func shape(path string) string {
	if len(path) < 8 {
		return path
	}
	var b strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		if isValueLike(segment) {
			segment = "{…}"
		}
		b.WriteString(segment)
		b.WriteByte('/')
	}
	return b.String()[:b.Len()-1]
}

// isValueLike says that a segment has eight characters or more and a digit in every
// four of them, as words and versions have not.
func isValueLike(segment string) bool {
	digits := 0
	for i := range len(segment) {
		if c := segment[i]; c >= '0' && c <= '9' {
			digits++
		}
	}
	return len(segment) >= 8 && digits*4 >= len(segment) || len(segment) > 64
}
