// Package linkage finds out which values link one transmission to another: what
// stays the same from request to request, from session to session and over a reset,
// what is new each time, what travels together, and what is a digest of what.
//
// It answers the claim "a random id for each transmission" with figures. A value
// that stays may belong to an app or a service and be the same on all phones; that
// it belongs to one phone shows only against a second one. What was not captured, or
// could not be read, is not counted: no result here says that something was not sent.
//
// Analyse reads a case twice and keeps no more than Options and the bounds below
// say; beyond them it says in Linkage.Limits what was left out. It is safe for
// concurrent use.
package linkage

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"constat/inspect"
	"constat/proxy/flow"
	"constat/store"
)

// Options say what to look at. Zero fields mean the default.
type Options struct {
	Host        string // only values and fields that went to this host; "": all
	MinRequests int    // values in fewer requests are left out; default 2
	Progress    func(done, total int64)
}

// Linkage is what links the transmissions of a case.
type Linkage struct {
	Requests int64   `json:"requests"` // that carried values away from the phone
	Distinct int64   `json:"values_seen"`
	Devices  int     `json:"devices"`
	Sessions int     `json:"sessions"`
	Resets   int     `json:"resets"` // declared by marks
	Values   []Value `json:"values"` // most requests first
	Fields   []Field `json:"fields"` // by host, path and name
	// MoreValues were in enough requests and are left out because of a bound.
	MoreValues int64    `json:"more_values,omitempty"`
	Limits     []string `json:"limits,omitempty"` // sentences: what was cut short
}

// Value is one value that left the phone.
type Value struct {
	Value         string    `json:"value"`
	Kind          string    `json:"kind"`
	Names         []string  `json:"names"`         // of the fields that held it, sorted, at most maxNames
	Requests      int64     `json:"requests"`      // that carried it away from the phone
	Transmissions int64     `json:"transmissions"` // the same, each WebSocket message counted
	Hosts         []string  `json:"hosts"`         // sorted
	Owners        []string  `json:"owners"`        // of the hosts, as far as is known, sorted
	Devices       int       `json:"devices"`
	First         time.Time `json:"first_seen"`
	Last          time.Time `json:"last_seen"`
	Lifespan      Span      `json:"lifespan_seconds"`
	Sessions      []string  `json:"sessions"` // names, in the order of time
	Resets        int       `json:"resets"`   // between First and Last
	// TimeInValue is what the value itself says of when it was made, "" when it does not.
	TimeInValue string      `json:"time_in_value,omitempty"`
	SetBy       string      `json:"set_by,omitempty"`    // host whose response carried it before any request did
	DigestOf    *Digest     `json:"digest_of,omitempty"` // nil: of no other value in the case
	Companions  []Companion `json:"companions"`          // most requests together first, at most maxShown
}

// Span is a time span that is written as seconds.
type Span time.Duration

// MarshalJSON implements json.Marshaler.
func (s Span) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", time.Duration(s).Seconds()), nil
}

// Companion is another value that went in the same requests.
type Companion struct {
	Value    string `json:"value"`
	Requests int64  `json:"requests"`
}

// Bounds. What is beyond the first three is left out and told.
const (
	maxDistinct = 2_000_000 // different values that are told apart
	maxFields   = 20_000
	maxValues   = 5_000 // of Linkage.Values
	maxTogether = 256   // values whose companions are looked for: those in most requests
	maxInOne    = 64    // of them in one request
	maxShown    = 5     // companions of a value
	maxNames    = 8
	maxGroups   = 200_000 // of a field, a device and a session
)

// digest of a value that stands for it in the tables of the first pass.
type key uint64

// tally is what the first pass keeps of a value.
type tally struct {
	requests uint32
	field    uint32 // the first that held it
	last     uint32 // request, by its number in the pass
	first    uint32
	here     bool // it went to Options.Host
}

type fieldValue struct {
	field uint32
	value key
}

type analysis struct {
	opt      Options
	r        *store.Reader
	seed     maphash.Seed
	out      *Linkage
	sessions []store.Session
	resets   []time.Time

	values  map[key]*tally
	others  map[fieldValue]struct{} // fields that hold a value beside its first
	fields  map[fieldKey]uint32
	list    []*fieldTally
	groups  map[group]groupTally
	devices map[string]uint32

	moreDistinct, moreFields, moreGroups bool

	chosen    map[key]*held
	digests   map[key]*Digest // found, by the value that is one
	done      int64
	total     int64
	requests  uint32
	last      int64 // exchange of the last sighting that counted
	together  map[[2]uint16]int64
	inRequest []uint16
}

// Analyse reads the case r.
func Analyse(ctx context.Context, r *store.Reader, opt Options) (*Linkage, error) {
	opt.MinRequests = cmp.Or(opt.MinRequests, 2)
	if opt.Progress == nil {
		opt.Progress = func(int64, int64) {}
	}
	a := &analysis{
		opt: opt, r: r, seed: maphash.MakeSeed(), out: &Linkage{Values: []Value{}, Fields: []Field{}},
		values: map[key]*tally{}, others: map[fieldValue]struct{}{}, fields: map[fieldKey]uint32{}, groups: map[group]groupTally{}, devices: map[string]uint32{},
		chosen: map[key]*held{}, digests: map[key]*Digest{}, together: map[[2]uint16]int64{},
	}
	for _, step := range []func(context.Context) error{a.marks, a.count, a.detail, a.owners} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("link transmissions: %w", err)
		}
	}
	a.finish()
	return a.out, nil
}

// resetWords are the names of sessions and of factors that mean that an identifier
// should not have lived on; docs/schema.md says so of the view identifiers.
var resetWords = []string{"reset", "reboot", "wipe", "reinstall", "clear"}

func (a *analysis) marks(ctx context.Context) error {
	var err error
	if a.sessions, err = a.r.Sessions(ctx); err != nil {
		return err
	}
	a.out.Sessions = len(a.sessions)
	for _, s := range a.sessions {
		if isReset(s) {
			a.resets = append(a.resets, s.Opened)
		}
	}
	a.out.Resets = len(a.resets)
	n, err := a.r.CountSightings(ctx)
	a.total = 2 * n
	return err
}

func isReset(s store.Session) bool {
	if slices.Contains(resetWords, strings.ToLower(s.Name)) {
		return true
	}
	for name, value := range s.Factors {
		if slices.Contains(resetWords, strings.ToLower(name)) && !slices.Contains([]string{"", "no", "off", "none", "false", "0"}, strings.ToLower(value)) {
			return true
		}
	}
	return false
}

// session is the index of the session at a time, -1 outside any.
func (a *analysis) session(t time.Time) int32 {
	i, _ := slices.BinarySearchFunc(a.sessions, t, func(s store.Session, t time.Time) int {
		if s.Opened.After(t) {
			return 1
		}
		return -1
	})
	if i--; i < 0 || !a.sessions[i].Closed.IsZero() && !a.sessions[i].Closed.After(t) {
		return -1
	}
	return int32(i)
}

func (a *analysis) survived(first, last time.Time) (n int) {
	for _, t := range a.resets {
		if t.After(first) && !t.After(last) {
			n++
		}
	}
	return n
}

func (a *analysis) key(s string) key { return key(maphash.String(a.seed, s)) }

// sightings yields what carried values, and tells how far it has come.
func (a *analysis) sightings(ctx context.Context) iter.Seq2[*store.Sighting, error] {
	const every = 1000
	a.requests, a.last = 0, 0
	return func(yield func(*store.Sighting, error) bool) {
		for s, err := range a.r.Sightings(ctx) {
			if a.done++; a.done%every == 0 {
				a.opt.Progress(a.done, max(a.done, a.total))
			}
			if err == nil && slices.ContainsFunc(s.Values, goesUp) && s.Exchange != a.last {
				a.requests++
				a.last = s.Exchange
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

func goesUp(v inspect.Value) bool { return v.Direction == flow.Up }

// count is the first pass: how often each value and each field comes.
func (a *analysis) count(ctx context.Context) error {
	var seen []uint32 // fields of one sighting
	for s, err := range a.sightings(ctx) {
		if err != nil {
			return err
		}
		here := a.opt.Host == "" || s.Host == a.opt.Host
		session, device := a.session(s.Time), a.device(s.Device)
		path := shape(s.Path)
		seen = seen[:0]
		for i := range s.Values {
			v := &s.Values[i]
			if !goesUp(*v) {
				continue
			}
			k := a.key(v.Value)
			t := a.values[k]
			isNew := t == nil
			if isNew {
				if len(a.values) >= maxDistinct {
					a.moreDistinct = true
					continue
				}
				t = &tally{field: noField, first: a.requests}
				a.values[k] = t
			}
			if isNew || t.last != a.requests {
				t.requests++
				t.last = a.requests
			}
			t.here = t.here || here
			if !here {
				continue
			}
			f := a.field(fieldKey{s.Host, path, fieldName(v)})
			if f == noField {
				continue
			}
			another := false
			if t.field == noField {
				t.field, another = f, true
			} else if t.field != f {
				at := fieldValue{f, k}
				if _, known := a.others[at]; !known {
					a.others[at] = struct{}{}
					another = true
				}
			}
			a.tally(f, k, v, s, device, session, another, !slices.Contains(seen, f))
			seen = append(seen, f)
		}
	}
	a.out.Requests, a.out.Distinct = int64(a.requests), int64(len(a.values))
	a.out.Devices = len(a.devices)
	a.choose()
	return nil
}

func (a *analysis) device(name string) uint32 {
	id, ok := a.devices[name]
	if !ok {
		id = uint32(len(a.devices))
		a.devices[name] = id
	}
	return id
}

// held is a value that was chosen.
type held struct {
	Value
	rank     int // by requests
	last     uint32
	names    map[string]bool
	hosts    map[string]bool
	devices  map[uint32]bool
	sessions map[int32]bool
	downTime time.Time
}

// choose takes the values in enough requests, those in most first.
func (a *analysis) choose() {
	var enough []key
	for k, t := range a.values {
		if t.here && int64(t.requests) >= int64(a.opt.MinRequests) {
			enough = append(enough, k)
		}
	}
	slices.SortFunc(enough, func(x, y key) int {
		tx, ty := a.values[x], a.values[y]
		return cmp.Or(-cmp.Compare(tx.requests, ty.requests), cmp.Compare(tx.first, ty.first), cmp.Compare(x, y))
	})
	if len(enough) > maxValues {
		a.out.MoreValues = int64(len(enough) - maxValues)
		enough = enough[:maxValues]
	}
	for i, k := range enough {
		a.chosen[k] = &held{rank: i, names: map[string]bool{}, hosts: map[string]bool{}, devices: map[uint32]bool{}, sessions: map[int32]bool{}}
	}
}

// detail is the second pass: what there is to say of the chosen ones.
func (a *analysis) detail(ctx context.Context) error {
	hashed := map[key]bool{}
	var buf []byte
	for s, err := range a.sightings(ctx) {
		if err != nil {
			return err
		}
		if s.Frame == 0 {
			a.inRequest = a.inRequest[:0]
		}
		session, device := a.session(s.Time), a.device(s.Device)
		for i := range s.Values {
			v := &s.Values[i]
			k := a.key(v.Value)
			h := a.chosen[k]
			if h == nil {
				// What came once, in a field that is new each time, is no seed.
				if t := a.values[k]; t == nil || t.field == noField || a.list[t.field].law() == EachRequest {
					continue
				}
			}
			if goesUp(*v) && !hashed[k] && len(hashed) < maxHashed {
				hashed[k] = true
				buf = a.hash(buf, v.Value)
			}
			if h != nil {
				a.hold(h, s, v, device, session)
			}
		}
		a.pairs()
	}
	return nil
}

func (a *analysis) hold(h *held, s *store.Sighting, v *inspect.Value, device uint32, session int32) {
	if !goesUp(*v) {
		if h.SetBy == "" {
			h.SetBy, h.downTime = s.Host, s.Time
		}
		return
	}
	if h.Requests == 0 {
		h.Value.Value, h.First, h.Last = strings.Clone(v.Value), s.Time, s.Time
	}
	h.Transmissions++
	if h.Requests == 0 || h.last != a.requests {
		h.Requests++
		h.last = a.requests
		if h.rank < maxTogether && len(a.inRequest) < maxInOne {
			a.inRequest = append(a.inRequest, uint16(h.rank))
		}
	}
	h.Kind = max(h.Kind, v.Kind) // as the view does: "uuid4" before "hex"
	h.TimeInValue = max(h.TimeInValue, v.Time)
	if s.Time.Before(h.First) {
		h.First = s.Time
	}
	if s.Time.After(h.Last) {
		h.Last = s.Time
	}
	if len(h.names) < maxNames {
		h.names[strings.Clone(fieldName(v))] = true
	}
	h.hosts[s.Host] = true
	h.devices[device] = true
	if session >= 0 {
		h.sessions[session] = true
	}
}

// pairs counts what the current request carries together.
func (a *analysis) pairs() {
	for i, x := range a.inRequest {
		for _, y := range a.inRequest[:i] {
			a.together[[2]uint16{min(x, y), max(x, y)}]++
		}
	}
	a.inRequest = a.inRequest[:0]
}

// owners says who is behind the hosts.
func (a *analysis) owners(ctx context.Context) error {
	rows, err := a.r.DB().QueryContext(ctx, "SELECT DISTINCT host, owner FROM addresses WHERE owner <> ''")
	if err != nil {
		return err
	}
	defer rows.Close()
	byHost := map[string][]string{}
	for rows.Next() {
		var host, owner string
		if err := rows.Scan(&host, &owner); err != nil {
			return err
		}
		byHost[host] = append(byHost[host], owner)
	}
	for _, h := range a.chosen {
		of := map[string]bool{}
		for host := range h.hosts {
			for _, o := range byHost[host] {
				of[o] = true
			}
		}
		h.Owners = sorted(of)
	}
	return rows.Err()
}

func sorted(set map[string]bool) []string {
	return append([]string{}, slices.Sorted(maps.Keys(set))...)
}

// finish writes down what was found.
func (a *analysis) finish() {
	ranked := make([]*held, len(a.chosen))
	for _, h := range a.chosen {
		ranked[h.rank] = h
	}
	companions := map[uint16][]Companion{}
	for pair, n := range a.together {
		for i, x := range pair {
			companions[x] = append(companions[x], Companion{ranked[pair[1-i]].Value.Value, n})
		}
	}
	for _, h := range ranked {
		if h.Requests == 0 {
			continue // a later inspection took it out between the passes
		}
		v := h.Value
		v.Names, v.Hosts, v.Devices = sorted(h.names), sorted(h.hosts), len(h.devices)
		v.Lifespan = Span(v.Last.Sub(v.First))
		v.Sessions = []string{}
		for _, i := range slices.Sorted(maps.Keys(h.sessions)) {
			v.Sessions = append(v.Sessions, a.sessions[i].Name)
		}
		v.Resets = a.survived(v.First, v.Last)
		if !h.downTime.Before(v.First) {
			v.SetBy = ""
		}
		if d := a.digests[a.key(v.Value)]; d != nil && d.digest == v.Value {
			v.DigestOf = d
		}
		v.Companions = companions[uint16(min(h.rank, maxTogether))]
		slices.SortFunc(v.Companions, func(x, y Companion) int {
			return cmp.Or(-cmp.Compare(x.Requests, y.Requests), cmp.Compare(x.Value, y.Value))
		})
		v.Companions = append([]Companion{}, v.Companions[:min(len(v.Companions), maxShown)]...)
		a.out.Values = append(a.out.Values, v)
	}
	slices.SortFunc(a.out.Values, func(x, y Value) int {
		return cmp.Or(-cmp.Compare(x.Requests, y.Requests), x.First.Compare(y.First), cmp.Compare(x.Value, y.Value))
	})
	for _, f := range a.list {
		a.out.Fields = append(a.out.Fields, f.field(a))
	}
	slices.SortFunc(a.out.Fields, func(x, y Field) int {
		return cmp.Or(cmp.Compare(x.Host, y.Host), cmp.Compare(x.Path, y.Path), cmp.Compare(x.Name, y.Name))
	})
	for _, l := range []struct {
		cut  bool
		text string
	}{
		{a.moreDistinct, fmt.Sprintf("There are more than %d different values: those that came later were not compared.", maxDistinct)},
		{a.moreFields, fmt.Sprintf("There are more than %d fields: those that came later have no verdict.", maxFields)},
		{a.moreGroups, "There are too many fields and sessions: whether a field changes with the session was not looked at for all."},
		{a.out.MoreValues > 0, fmt.Sprintf("Of the values that came again, the %d in most requests are listed.", maxValues)},
	} {
		if l.cut {
			a.out.Limits = append(a.out.Limits, l.text)
		}
	}
}
