package claim

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"constat/store"
	"constat/store/query"
)

// Options say what to ask. Zero fields mean the default.
type Options struct {
	Only      []string            // ids of claims; empty: all of the set
	Values    map[string][]string // of parameters, in place of their defaults
	QueryTime time.Duration       // of one query; default 2 min
	Progress  func(done, total int64)
}

// atOnce is how many claims are answered at a time, on a connection each.
const atOnce = store.Confinements

// Answers answers the claims of a set from a case, in the order of the set. It
// reads the case as it is at each query, holds no transaction between, and takes
// memory that does not grow with the case. From a large one a Prepared reader answers
// several times as fast.
func Answers(ctx context.Context, r *store.Reader, set *Set, opt Options) ([]Answer, error) {
	opt.QueryTime = cmp.Or(opt.QueryTime, 2*time.Minute)
	if opt.Progress == nil {
		opt.Progress = func(int64, int64) {}
	}
	claims, err := set.only(opt.Only)
	if err != nil {
		return nil, err
	}
	if opt.Values, err = set.accept(opt.Values); err != nil {
		return nil, err
	}
	c, err := openCase(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("answer claims: %w", err)
	}
	defer c.done() // it only read
	answers := make([]Answer, len(claims))
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var working sync.WaitGroup
	var mu sync.Mutex // guards done and Progress
	var next atomic.Int64
	done := int64(0)
	opt.Progress(0, int64(len(claims)))
	for range min(atOnce, len(claims)) {
		working.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(claims)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				e := &evaluation{casefile: c, claim: claims[i], opt: opt}
				if err := e.run(ctx); err != nil {
					stop(err)
					return
				}
				answers[i] = e.answer
				mu.Lock()
				done++
				opt.Progress(done, int64(len(claims)))
				mu.Unlock()
			}
		})
	}
	working.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("answer claims: %w", err)
	}
	return answers, nil
}

// UnknownError means that a set has no claim, or no parameter, of a name.
type UnknownError struct{ What, Name, Set string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no %s %s in the set %s", e.What, clip(e.Name, 40), e.Set)
}

func (s *Set) only(ids []string) ([]*Claim, error) {
	if len(ids) == 0 {
		return s.Claims, nil
	}
	wanted := map[*Claim]bool{}
	for _, id := range ids {
		c := s.Find(id)
		if c == nil {
			return nil, &UnknownError{"claim", id, s.Name}
		}
		wanted[c] = true
	}
	return slices.DeleteFunc(slices.Clone(s.Claims), func(c *Claim) bool { return !wanted[c] }), nil
}

// accept checks values that somebody gives for parameters, and returns them as the
// queries compare them.
func (s *Set) accept(given map[string][]string) (map[string][]string, error) {
	out := map[string][]string{}
	for name, list := range given {
		of, known := "", false
		for _, c := range s.Claims {
			for _, p := range c.Parameters {
				if p.Name == name {
					of, known = cmp.Or(of, p.Of), true
				}
			}
		}
		if !known {
			return nil, &UnknownError{"parameter", name, s.Name}
		}
		var err error
		if out[name], err = acceptValues(of, list); err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	return out, nil
}

// casefile is what all claims ask of a case. It is safe for concurrent use.
type casefile struct {
	r        *store.Reader
	db       *sql.DB
	done     func() error // with db
	sessions []store.Session
	end      time.Time // of the last thing that happened in it
	planted  map[string]bool
	positive []store.Session
	negative []store.Session
	hits     int64    // planted values that left the phone in the sessions of positive
	noSIM    bool     // declared of all phones
	pages    []string // hosts of planted addresses
	crossing crossing
	shares   map[int64]share // by session

	measured sync.Map // of func() (*store.Coverage, error) by the ids of sessions
}

func openCase(ctx context.Context, r *store.Reader) (*casefile, error) {
	c := &casefile{r: r, planted: map[string]bool{}}
	var err error
	if c.sessions, err = r.Sessions(ctx); err != nil {
		return nil, err
	}
	info, err := r.Info(ctx)
	if err != nil {
		return nil, err
	}
	if info.Persona != nil {
		var p struct {
			Canaries []struct{ Kind, Value string }
		}
		if err := json.Unmarshal(info.Persona, &p); err != nil {
			return nil, fmt.Errorf("read persona: %w", err)
		}
		for _, v := range p.Canaries {
			c.planted[v.Kind] = true
			if u, err := url.Parse(v.Value); v.Kind == "url" && err == nil && u.Hostname() != "" {
				c.pages = append(c.pages, strings.TrimPrefix(strings.ToLower(u.Hostname()), "www."))
			}
		}
	}
	for _, s := range c.sessions {
		switch controlOf(&s) {
		case positive:
			c.positive = append(c.positive, s)
		case negative:
			c.negative = append(c.negative, s)
		}
		c.end = latest(c.end, s.Opened, s.Closed)
	}
	if c.noSIM, err = noSIM(ctx, r); err != nil {
		return nil, err
	}
	c.db, c.done = r.Confined()
	if c.hits, err = c.canariesUp(ctx, c.positive); err != nil {
		return nil, errors.Join(err, c.done())
	}
	if c.crossing, err = c.cross(ctx); err != nil {
		return nil, errors.Join(err, c.done())
	}
	if c.shares, err = c.share(ctx); err != nil {
		return nil, errors.Join(err, c.done())
	}
	const last = "SELECT max(t) FROM (SELECT max(time) AS t FROM requests UNION ALL SELECT max(time) FROM connections UNION ALL SELECT max(time) FROM dns)"
	if slices.ContainsFunc(c.sessions, func(s store.Session) bool { return s.Closed.IsZero() }) {
		var at time.Time
		cell, err := c.cell(ctx, last)
		if text, ok := cell.(string); err == nil && ok {
			at, err = time.Parse(time.RFC3339Nano, text)
		}
		if err != nil {
			return nil, errors.Join(err, c.done())
		}
		c.end = latest(c.end, at)
	}
	return c, nil
}

// cell is the first one of the answer to a query over the views, nil when there is
// none.
func (c *casefile) cell(ctx context.Context, sql string) (cell any, err error) {
	rows, err := query.Run(ctx, c.db, sql, query.Limits{Rows: 1, Time: -1})
	if err != nil {
		return nil, err
	}
	for row, rerr := range rows.All() {
		if err = rerr; err == nil {
			cell = row[0]
		}
	}
	return cell, errors.Join(err, rows.Close())
}

// share is how many bytes the phone sent in a session, and how many of them were in
// connections that could be read.
type share struct{ up, readable int64 }

// read says whether at least a part of the bytes could be read.
func (s share) read(least float64) bool { return float64(s.readable) >= least*float64(s.up) }

func (c *casefile) share(ctx context.Context) (map[int64]share, error) {
	out := map[int64]share{}
	const sql = "SELECT session_id, sum(bytes_up), sum(readable * bytes_up) FROM coverage WHERE session_id IS NOT NULL AND outcome <> 'refused' GROUP BY 1"
	err := c.each(ctx, sql, func(row []any) error {
		out[number(row[0])] = share{number(row[1]), number(row[2])}
		return nil
	})
	return out, err
}

// canariesUp counts the planted values that left the phone in sessions.
func (c *casefile) canariesUp(ctx context.Context, sessions []store.Session) (int64, error) {
	if len(sessions) == 0 {
		return 0, nil
	}
	const sql = "SELECT count(*) FROM canary_hits h WHERE h.direction = 'up' AND (SELECT r.session_id FROM requests r WHERE r.id = h.request_id) IN (%s)"
	cell, err := c.cell(ctx, fmt.Sprintf(sql, strings.Trim(strings.ReplaceAll(fmt.Sprint(ids(sessions)), " ", ", "), "[]")))
	n, _ := cell.(int64)
	return n, err
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// length is how long a session lasted; one that is open lasts to the end of what
// was recorded.
func (c *casefile) length(s *store.Session) time.Duration {
	if s.Closed.IsZero() {
		return c.end.Sub(s.Opened)
	}
	return s.Closed.Sub(s.Opened)
}

// lasted says whether a session was as long as it should be, and its protocol was
// gone through.
func (c *casefile) lasted(s *store.Session, minutes float64) bool {
	return !s.Stopped && c.length(s).Minutes() >= minutes
}

// coverage measures what could be seen of sessions, nil meaning the whole case, on
// the way to domains, none meaning any.
func (c *casefile) coverage(ctx context.Context, sessions []store.Session, domains []string) (*store.Coverage, error) {
	scope := store.Scope{Domains: domains}
	for _, s := range sessions {
		scope.IDs = append(scope.IDs, s.ID)
	}
	slices.Sort(scope.IDs)
	scope.IDs = slices.Compact(scope.IDs)
	// Many claims ask for the same, perhaps at the same time.
	measure, _ := c.measured.LoadOrStore(fmt.Sprint(scope.IDs, scope.Domains), sync.OnceValues(func() (*store.Coverage, error) {
		m, err := c.r.Coverage(ctx, scope)
		return &m, err
	}))
	return measure.(func() (*store.Coverage, error))()
}

// The controls.
const (
	positive = "positive"
	negative = "negative"
)

// controlOf says which control a session is, "" for none: by its factor control, by
// phone=off, or by its name. What is not known as a kind of control is a positive
// one: nothing in it was the phone's own doing.
func controlOf(s *store.Session) string {
	switch factor(s, "control") {
	case negative:
		return negative
	case "", "no", "off", "none", "false", "0":
	default:
		return positive
	}
	switch name := strings.ToLower(s.Name); {
	case factor(s, "phone") == "off", strings.HasPrefix(name, "negative-control"):
		return negative
	case name == "control", strings.HasPrefix(name, "control-"), strings.HasPrefix(name, "positive-control"):
		return positive
	}
	return ""
}

// factor is what a session declares of a factor, in small letters, "" if it does not:
// people write names and values in capitals, too.
func factor(s *store.Session, name string) string {
	value, ok := s.Factors[name]
	for _, k := range slices.Sorted(maps.Keys(s.Factors)) {
		if !ok && strings.EqualFold(k, name) {
			value, ok = s.Factors[k], true
		}
	}
	return strings.ToLower(strings.TrimSpace(value))
}

// fits says whether a session meets one of the conditions.
func (n *Need) fits(s *store.Session) bool {
	return controlOf(s) == "" && slices.ContainsFunc(n.Match, func(c Condition) bool { return c.fits(s) })
}

func (c Condition) fits(s *store.Session) bool {
	for name, values := range c {
		got := factor(s, name)
		if name == "name" {
			got = s.Name
		}
		if got == "" && !slices.Contains(values, undeclared) || got != "" && !allows(values, got) {
			return false
		}
	}
	return true
}

// undeclared stands in a Condition for a factor that the mark does not have.
const undeclared = ""

func allows(values []string, got string) bool {
	some, one := false, false
	for _, v := range values {
		if not, ok := strings.CutPrefix(v, "!"); ok {
			if strings.EqualFold(not, got) {
				return false
			}
			continue
		}
		some = true
		one = one || v == "*" || strings.EqualFold(v, got)
	}
	return one || !some
}

// shown is a Condition as a Scope, for people.
func (c Condition) shown() store.Scope {
	s := store.Scope{}
	for factor, values := range c {
		if slices.Contains(values, undeclared) {
			continue
		}
		if factor == "name" {
			s.Sessions = values
			continue
		}
		if s.Factors == nil {
			s.Factors = map[string]string{}
		}
		s.Factors[factor] = strings.Join(values, "|")
	}
	return s
}

// evaluation is one claim put to a case.
type evaluation struct {
	*casefile
	claim      *Claim
	opt        Options
	parameters []Parameter // with the values that hold
	answer     Answer
	byRole     []*store.Coverage // nil where a role has no session
	domains    []string          // that the claim is narrowed down to
	narrow     bool              // it can be
	toDomains  []*store.Coverage // byRole, of what went there
	anywhere   bool              // something went there at some time
	escapes    []string          // past the doors in use
	failed     bool              // the negative control saw something
}

// other is the query that is not q.
func other(q string) string {
	if q == Supports {
		return Refutes
	}
	return Supports
}

// verdicts are what a row of each query says.
var verdicts = map[string]Verdict{Supports: Supported, Refutes: Refuted}

// run puts the answer together. These are all of the rules:
//
//  1. Where the negative control saw something, nothing is decided: something else
//     than the phone uses the door.
//  2. One row of the query OneRow decides, whatever else is missing: what was seen
//     was seen.
//  3. No such row decides the other way if the claim allows it and nothing is
//     missing (see lacks).
//  4. Everything else is undecided, and says what is missing.
func (e *evaluation) run(ctx context.Context) error {
	c := e.claim
	e.answer = Answer{
		Claim: c.ID, Title: c.Title, Said: c.Said, Question: c.Question, Required: c.Coverage, Limits: c.Limits,
		Deciding: []Deciding{}, Missing: []Text{}, Controls: []Control{}, Roles: []Role{}, Queries: []string{},
	}
	e.parameterize()
	e.roles()
	if err := e.measure(ctx); err != nil {
		return err
	}
	if err := e.controls(ctx); err != nil {
		return err
	}
	found := map[string]*asked{}
	text := map[string]string{Supports: c.Supports, Refutes: c.Refutes, doubts: c.Doubts}
	for _, name := range []string{c.OneRow, other(c.OneRow), doubts} {
		if strings.TrimSpace(text[name]) == "" || found[c.OneRow].found() {
			continue // one row decides: the others are not asked
		}
		a, err := e.ask(ctx, name, text[name])
		if err != nil {
			return err
		}
		found[name] = a
		e.answer.Queries = append(e.answer.Queries, a.sql)
	}
	e.decide(found)
	return nil
}

func (e *evaluation) decide(found map[string]*asked) {
	a, decisive := &e.answer, found[e.claim.OneRow]
	missing := e.lacks(found)
	list := func(names ...string) {
		for _, name := range names {
			if q := found[name]; q != nil {
				a.Deciding = append(a.Deciding, q.kept...)
				a.More += q.requests + q.connections - kept(q.kept)
			}
		}
	}
	switch {
	case e.failed:
		a.Verdict, a.Because = Undecided, undecidedText([]Text{controlFailed()})
		a.Missing = append(missing, controlFailed())
	case decisive.found():
		a.Verdict = verdicts[e.claim.OneRow]
		a.Because = join(e.claim.Means[a.Verdict], seenText(decisive), e.toAnybody())
		a.Missing = e.surer(decisive)
		list(e.claim.OneRow)
	case e.claim.Absence != Never && len(missing) == 0:
		a.Verdict = verdicts[other(e.claim.OneRow)]
		a.Because = join(e.claim.Means[a.Verdict], notSeenText(&a.Coverage, len(a.Roles) == 0))
		list(other(e.claim.OneRow))
	default:
		a.Verdict = Undecided
		if e.claim.Absence == Never {
			missing = append([]Text{onlyRow(verdicts[e.claim.OneRow])}, missing...)
		}
		a.Missing = missing
		a.Because = undecidedText(missing)
		list(other(e.claim.OneRow))
	}
}

// toAnybody says that nobody narrowed down what counts.
func (e *evaluation) toAnybody() Text {
	for _, p := range e.parameters {
		if p.Name == scope && len(p.Default) == 0 {
			return anybodyText()
		}
	}
	return nil
}

// kept counts the different requests and connections in a list that is sorted by
// them.
func kept(list []Deciding) (n int64) {
	for i, d := range list {
		if i == 0 || d.Request != list[i-1].Request || d.Connection != list[i-1].Connection {
			n++
		}
	}
	return n
}

// parameterize gives the parameters their values.
func (e *evaluation) parameterize() {
	for _, p := range e.claim.Parameters {
		if v, ok := e.opt.Values[p.Name]; ok {
			p.Default = v
		}
		e.parameters = append(e.parameters, p)
		if p.Name == scope && p.Of == OfDomains {
			e.domains, e.narrow = p.Default, true
		}
	}
}

// roles finds the sessions that play a role.
func (e *evaluation) roles() {
	for i := range e.claim.Roles {
		n := &e.claim.Roles[i]
		role := Role{Name: n.Name, Title: n.Title, Scope: n.Match[0].shown(), Needed: n.Sessions, Minutes: n.Minutes, Sessions: []store.Session{}}
		for _, s := range e.sessions {
			if n.fits(&s) {
				role.Sessions = append(role.Sessions, s)
			}
		}
		e.answer.Roles = append(e.answer.Roles, role)
	}
}

// measure finds out how much could be seen: of each role, and of all together. A
// claim without roles is about the whole case.
func (e *evaluation) measure(ctx context.Context) error {
	var all []store.Session
	for _, role := range e.answer.Roles {
		var m *store.Coverage
		if len(role.Sessions) > 0 {
			var err error
			if m, err = e.coverage(ctx, role.Sessions, nil); err != nil {
				return err
			}
		}
		e.byRole = append(e.byRole, m)
		all = append(all, role.Sessions...)
	}
	if len(e.answer.Roles) > 0 && len(all) == 0 {
		e.answer.Coverage = store.Coverage{Outcomes: []store.Outcome{}, Unread: []store.UnreadHost{}, Escapes: []string{}}
	} else {
		m, err := e.coverage(ctx, all, nil)
		if err != nil {
			return err
		}
		e.answer.Coverage = *m
	}
	// Where nothing at all came through a door, it is the door of the positive
	// control, else of the rest of the case.
	m := &e.answer.Coverage
	for _, sessions := range [][]store.Session{e.positive, nil} {
		if m.Connections+m.Requests > 0 {
			break
		}
		var err error
		if m, err = e.coverage(ctx, sessions, nil); err != nil {
			return err
		}
	}
	e.escapes = m.Escapes
	return e.measureDomains(ctx)
}

// measureDomains finds out how much could be seen of what went to the domains that
// the claim is narrowed down to: a vendor's share can be unread where most of what a
// phone sends is not.
func (e *evaluation) measureDomains(ctx context.Context) error {
	if len(e.domains) == 0 {
		return nil
	}
	m, err := e.coverage(ctx, nil, e.domains)
	if err != nil {
		return err
	}
	e.anywhere = m.Connections+m.Requests > 0
	if len(e.answer.Roles) == 0 {
		e.toDomains = []*store.Coverage{m}
		return nil
	}
	for _, role := range e.answer.Roles {
		m = nil
		if len(role.Sessions) > 0 {
			if m, err = e.coverage(ctx, role.Sessions, e.domains); err != nil {
				return err
			}
		}
		e.toDomains = append(e.toDomains, m)
	}
	return nil
}

// controls finds out what became of the controls. One that was run counts also
// where the claim does not ask for it.
func (e *evaluation) controls(ctx context.Context) error {
	needed := func(name string) bool { return slices.Contains(e.claim.Controls, name) }
	if needed(positive) || len(e.positive) > 0 {
		e.answer.Controls = append(e.answer.Controls, Control{positive, needed(positive), e.hits > 0, positiveText(len(e.positive), e.hits)})
	}
	least := 0.0
	for _, r := range e.answer.Roles {
		least = max(least, r.Minutes)
	}
	var m store.Coverage
	long := 0
	for i := range e.negative {
		if e.lasted(&e.negative[i], least) {
			long++
		}
	}
	if len(e.negative) > 0 {
		got, err := e.coverage(ctx, e.negative, nil)
		if err != nil {
			return err
		}
		m = *got
	}
	e.failed = m.Connections+m.Requests+m.Lookups > 0
	if needed(negative) || len(e.negative) > 0 {
		e.answer.Controls = append(e.answer.Controls, Control{
			negative, needed(negative), long > 0 && !e.failed, negativeText(len(e.negative), long, least, m.Connections, m.Requests, m.Lookups),
		})
	}
	return nil
}

func ids(list []store.Session) (out []int64) {
	for _, s := range list {
		out = append(out, s.ID)
	}
	return out
}

// surer is what would make an answer surer that rests on what was seen.
func (e *evaluation) surer(decisive *asked) []Text {
	out := []Text{}
	if len(decisive.devices) > 1 {
		out = append(out, devicesText(decisive.devices))
	}
	for _, c := range e.answer.Controls {
		if c.Needed && !c.Passed && c.Name == negative {
			out = append(out, c.Sentence)
		}
	}
	return out
}

// lacks says what keeps the absence of a row from counting. Nothing else does.
func (e *evaluation) lacks(found map[string]*asked) []Text {
	out := []Text{}
	add := func(t Text) { out = append(out, t) }
	for _, p := range e.parameters {
		if p.Required && len(p.Default) == 0 {
			add(parameterMissing(&p))
		}
	}
	for i, role := range e.answer.Roles {
		long := 0
		for k := range role.Sessions {
			if e.lasted(&role.Sessions[k], role.Minutes) {
				long++
			}
		}
		if long < role.Needed {
			add(sessionsMissing(&role, long, &e.claim.Roles[i], e.claim.Protocol))
		} else if read := e.sessionsRead(&role); read < role.Needed && readable(e.byRole[i]) >= e.claim.Coverage {
			add(sessionsUnread(&role, read, e.claim.Coverage))
		}
	}
	for _, c := range e.answer.Controls {
		if c.Needed && !c.Passed && !e.failed {
			add(c.Sentence)
		}
	}
	for _, kind := range e.claim.Planted {
		if !e.planted[kind] {
			add(plantedMissing(kind))
		}
	}
	for _, p := range e.parameters {
		if _, given := e.opt.Values[p.Name]; !given || p.Of != OfKinds {
			continue
		}
		for _, kind := range p.Default {
			if !e.planted[kind] {
				add(plantedMissing(kind))
			}
		}
	}
	if len(e.domains) > 0 && !e.anywhere {
		add(nowhereText(e.domains))
	}
	all := &e.answer.Coverage
	e.unread(e.byRole, all, nil, add)
	e.unread(e.toDomains, nil, e.domains, add)
	if e.claim.Coverage > 0 && all.Truncated > 0 {
		add(truncatedText(all.Truncated))
	}
	if e.claim.Coverage == 0 && all.Lookups > 0 {
		add(lookupsText(all.Lookups))
	}
	if all.NotInspected > 0 {
		add(notInspectedText(all.NotInspected))
	}
	for i := range e.answer.Roles {
		role := &e.answer.Roles[i]
		if _, _, sockets := e.into(role.Sessions, e.domains); sockets > 0 {
			add(socketsText(role, sockets))
		}
	}
	if n := e.tooLarge(); n > 0 {
		add(tooLargeText(n))
	}
	if ways := e.ways(); len(ways) > 0 {
		add(escapesText(ways))
	}
	for _, q := range []string{e.claim.OneRow, other(e.claim.OneRow), doubts} {
		a := found[q]
		switch {
		case a == nil:
		case a.late:
			add(lateText(q, e.opt.QueryTime))
		case q == doubts && a.found():
			add(doubtsText(a))
		case q == e.claim.OneRow && a.untimed > 0:
			add(untimedText(a.untimed))
		}
	}
	if e.claim.Absence == WithExample && !found[other(e.claim.OneRow)].found() {
		add(exampleMissing())
	}
	return out
}

// sessionsRead counts the sessions of a role that lasted, and of which by itself
// enough could be read.
func (e *evaluation) sessionsRead(role *Role) (n int) {
	for k := range role.Sessions {
		if s := &role.Sessions[k]; e.lasted(s, role.Minutes) && e.shares[s.ID].read(e.claim.Coverage) {
			n++
		}
	}
	return n
}

// unread adds what of each role could not be read: of all that went up, or of what
// went to domains.
func (e *evaluation) unread(parts []*store.Coverage, whole *store.Coverage, domains []string, add func(Text)) {
	if len(parts) == 0 && whole != nil {
		parts = []*store.Coverage{whole}
	}
	for i, m := range parts {
		if m == nil {
			continue
		}
		var role *Role
		if len(e.answer.Roles) > 0 {
			role = &e.answer.Roles[i]
			connections, bytes, _ := e.into(role.Sessions, domains)
			if connections > 0 && e.uncertain(m, bytes, domains) {
				add(intoText(role, connections, bytes))
			}
		}
		switch {
		case e.claim.Coverage == 0:
		case m.BytesUp == 0 && m.Requests > 0 && domains == nil:
			add(notMeasuredText())
		case readable(m) < e.claim.Coverage:
			add(unreadText(role, m, e.claim.Coverage, domains))
		case len(domains) == len(e.domains):
			if hosts := blocked(m); len(hosts) > 0 {
				add(blockedText(role, hosts, e.narrow))
			}
		}
	}
}

// blocked are hosts that were never read because no connection came about that
// carried anything. A share of bytes does not show them: nothing that they would have
// been sent was.
func blocked(m *store.Coverage) (hosts []string) {
	for _, h := range m.Unread {
		switch h.Outcome {
		case "client_refused", "suspected_pin", "server_failed":
			hosts = append(hosts, h.Host)
		}
	}
	return hosts
}

// uncertain says whether bytes up of connections that began before a session make
// too much of what could not be read. A claim that asks for no share is about any
// byte.
func (e *evaluation) uncertain(m *store.Coverage, bytes int64, domains []string) bool {
	if e.claim.Coverage == 0 {
		return len(domains) == len(e.domains)
	}
	return readable(m) >= e.claim.Coverage && readableBeside(m, bytes) < e.claim.Coverage
}

// readableBeside is readable where so many bytes more could not be read.
func readableBeside(m *store.Coverage, more int64) float64 {
	if m.BytesUp == 0 {
		return 0
	}
	return readable(m) * float64(m.BytesUp) / float64(m.BytesUp+more)
}

// readable is the share of the bytes up that could be read, what apps encrypt
// themselves taken off.
func readable(m *store.Coverage) float64 {
	if m.BytesUp == 0 {
		if m.OpaqueRequests > 0 {
			return 0 // imported captures have no bytes of connections
		}
		return 1
	}
	return max(0, float64(m.ReadableUp-m.OpaqueUp)/float64(m.BytesUp))
}

// ways are the ways past the door that matter to the claim and were not closed.
func (e *evaluation) ways() (out []string) {
	matter := e.claim.Escapes
	for _, w := range e.escapes {
		if w == escapeMobile && e.withoutMobile() {
			continue
		}
		if slices.Contains(matter, w) || slices.Contains(matter, escapeAll) || w == escapeUnknown && len(matter) > 0 {
			out = append(out, w)
		}
	}
	return out
}

const (
	// escapeUnknown stands for captures of which nobody knows what passed them by; it
	// matters where any escape does.
	escapeUnknown = "unknown"
	escapeMobile  = "mobile_data"
)

// noMobile are the declarations by which a phone has no mobile data.
var noMobile = []Condition{{"sim": {"none"}}, {"mobile_data": {"off", "no"}}, {"airplane": {"on", "yes"}}}

// noSIM says whether of every phone that was declared at all it was declared that it
// has no SIM.
func noSIM(ctx context.Context, r *store.Reader) (bool, error) {
	list, err := r.Declared(ctx, store.TopicDevice)
	if err != nil {
		return false, err
	}
	for _, d := range list {
		var content map[string]any
		if err := json.Unmarshal(d.Content, &content); err != nil {
			return false, fmt.Errorf("read declaration %d: %w", d.ID, err)
		}
		if content["sim"] != "none" {
			return false, nil
		}
	}
	return len(list) > 0, nil
}

// withoutMobile says whether the phone was declared to have no mobile data, or all
// sessions that the answer rests on were; what lies outside of sessions was not.
func (e *evaluation) withoutMobile() bool {
	if e.noSIM {
		return true
	}
	n := 0
	for _, role := range e.answer.Roles {
		for i := range role.Sessions {
			s := &role.Sessions[i]
			if !slices.ContainsFunc(noMobile, func(c Condition) bool { return c.fits(s) }) {
				return false
			}
			n++
		}
	}
	return n > 0
}
