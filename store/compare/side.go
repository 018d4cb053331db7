package compare

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"constat/store"
)

// Errors that callers branch on.
var (
	ErrNoSession = errors.New("no such session")
	ErrOverlap   = errors.New("both sides have the same session")
	ErrSessions  = errors.New("too many sessions")
)

// Input is what is compared: a scope of a case. Sessions of controls are left out,
// unless the scope names them or their factor, and so are sessions of a protocol
// that were stopped, unless the scope has their ids. What is outside of any session
// counts only where a case has none at all: it is then compared as one session.
type Input struct {
	Reader *store.Reader
	Scope  store.Scope
	Label  string // for people: "micloud=off"
}

// Options say how. The zero value is the default.
type Options struct {
	Values  bool // write identifiers out in keys
	MaxRows int  // default 500
	// Progress, when not nil, is told how many of how many steps are done.
	Progress func(done, total int64)
}

const (
	defaultRows = 500
	maxSessions = 100 // of a side
	maxHosts    = 100_000
)

// side is one of the two while it is read.
type side struct {
	Input
	out   *Side
	info  store.Info
	where string // the scope with its sessions by id
	args  []any
	units []unit        // sessions, or the whole case as one
	at    map[int64]int // unit by session
	whole bool
	// unread are the units in which the phone connected to a host and nothing could
	// be read.
	unread   map[string]units
	moreHost bool // unread is cut short
	devices  []string
	stopped  int // sessions that are left out because they were stopped
}

// unit is one observation.
type unit struct {
	hours float64
}

// units is a set of units.
type units [(maxSessions + 63) / 64]uint64

func (u *units) add(i int)      { u[i/64] |= 1 << (i % 64) }
func (u *units) has(i int) bool { return u[i/64]&(1<<(i%64)) != 0 }

// open finds out which sessions a side has.
func open(ctx context.Context, in Input) (*side, error) {
	info, err := in.Reader.Info(ctx)
	if err != nil {
		return nil, err
	}
	s := &side{Input: in, info: info, at: map[int64]int{}, unread: map[string]units{}}
	s.out = &Side{Label: in.Label, Case: info.ID, File: filepath.Base(info.Path), Scope: in.Scope, Sessions: []store.Session{}}
	sessions, err := in.Reader.SessionsIn(ctx, in.Scope)
	if err != nil {
		return nil, err
	}
	controls, all := namesControls(in.Scope), len(sessions)
	sessions = slices.DeleteFunc(sessions, func(x store.Session) bool { return x.Factors["control"] != "" && !controls })
	if len(in.Scope.IDs) == 0 {
		all = len(sessions)
		sessions = slices.DeleteFunc(sessions, func(x store.Session) bool { return x.Stopped })
	}
	s.stopped = all - len(sessions)
	chosen := len(in.Scope.IDs)+len(in.Scope.Sessions)+len(in.Scope.Factors) > 0
	switch {
	case len(sessions) > maxSessions:
		return nil, fmt.Errorf("%s: %w: %d, more than %d: choose fewer", in.Label, ErrSessions, len(sessions), maxSessions)
	case len(sessions) == 0 && chosen:
		return nil, fmt.Errorf("%s: %w in %s", in.Label, ErrNoSession, s.out.File)
	}
	scope := store.Scope{Device: in.Scope.Device}
	for i, x := range sessions {
		s.at[x.ID] = i
		scope.IDs = append(scope.IDs, x.ID)
		s.out.Sessions = append(s.out.Sessions, x)
	}
	s.whole = len(sessions) == 0
	s.where, s.args = scope.Where()
	if s.out.Coverage, err = in.Reader.Coverage(ctx, scope); err != nil {
		return nil, err
	}
	s.out.Requests, s.out.BytesUp = s.out.Coverage.Requests, s.out.Coverage.BytesUp
	return s, s.measure(ctx)
}

func namesControls(s store.Scope) bool {
	_, named := s.Factors["control"]
	return named || len(s.IDs) > 0 || len(s.Sessions) > 0
}

// measure finds out how long each unit was; a session that is open lasts to its
// newest request.
func (s *side) measure(ctx context.Context) error {
	if s.whole {
		s.units = []unit{{hours: hours(s.out.Coverage.Duration)}}
		return nil
	}
	for _, x := range s.out.Sessions {
		if !x.Closed.IsZero() {
			s.units = append(s.units, unit{hours(x.Closed.Sub(x.Opened))})
			continue
		}
		var seconds float64
		err := s.Reader.DB().QueryRowContext(ctx, `SELECT ifnull((julianday(max(r.time)) - julianday(min(s.opened))) * 86400, 0)
			FROM sessions s LEFT JOIN requests r ON r.session_id = s.id WHERE s.id = ?`, x.ID).Scan(&seconds)
		if err != nil {
			return fmt.Errorf("read session %d: %w", x.ID, err)
		}
		s.units = append(s.units, unit{hours(time.Duration(seconds * float64(time.Second)))})
	}
	return nil
}

// hours keeps rates finite: what is shorter than a second counts as one.
func hours(d time.Duration) float64 { return max(d, time.Second).Hours() }

// unit returns the unit of a session id, 0 for none.
func (s *side) unit(session int64) int {
	if s.whole {
		return 0
	}
	return s.at[session]
}

// rows is what a query gives: a *sql.Rows.
type rows interface {
	Next() bool
	Scan(into ...any) error
	Err() error
	Close() error
}

// query runs one in which SCOPE stands for the scope.
func (s *side) query(ctx context.Context, query string) (rows, error) {
	var args []any
	for range strings.Count(query, "SCOPE") {
		args = append(args, s.args...)
	}
	r, err := s.Reader.DB().QueryContext(ctx, strings.ReplaceAll(query, "SCOPE", s.where), args...)
	if err != nil {
		return nil, fmt.Errorf("read case: %w", err)
	}
	return r, nil
}

// each calls f with the rows of a query.
func (s *side) each(ctx context.Context, query string, f func(scan func(...any) error) error) error {
	rows, err := s.query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return fmt.Errorf("read case: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read case: %w", err)
	}
	return nil
}
