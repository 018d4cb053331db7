package ui

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Passing is a server whose connections pass unread, or did not let themselves be
// read, or for which somebody has set what is done.
type Passing struct {
	Device   string // "": all
	Host     string
	Mode     string // one of Modes
	Refusals int
	Until    time.Time // when reading is tried again; zero: it is
}

// The modes of a Passing.
const (
	ModeAuto   = "auto"   // read, and passed on for a while after refusals
	ModeAlways = "always" // passed on
	ModeNever  = "never"  // read, whatever the app says
)

// Passer says and sets what passes unread. Set reports ErrNotSet for what cannot be
// set so.
type Passer interface {
	Passes() []Passing
	Set(ctx context.Context, device, host, mode string) error
}

// ErrNotSet means that a host or mode is none.
var ErrNotSet = errors.New("want a host, and auto, always or never")

// maxPassing is how many servers the panel lists.
const maxPassing = 50

// passRow is a Passing in words.
type passRow struct {
	Passing
	Why     string
	Passes  bool
	Choices []passChoice
}

type passChoice struct{ Mode, Label string }

var (
	passAlways = passChoice{ModeAlways, "Pass always"}
	passNever  = passChoice{ModeNever, "Always read"}
	passAuto   = passChoice{ModeAuto, "Read again"}
)

// passRows lists what passes first.
func (l *live) passRows(now time.Time) (rows []passRow, more int) {
	for _, p := range l.cfg.Passer.Passes() {
		r := passRow{Passing: p}
		switch {
		case p.Mode == ModeAlways:
			r.Why, r.Passes, r.Choices = "passes unread: set so", true, []passChoice{passAuto}
		case p.Mode == ModeNever:
			r.Why, r.Choices = "read: set so", []passChoice{passAlways, {ModeAuto, "As the app allows"}}
		case now.Before(p.Until):
			r.Why, r.Passes = "passes unread until "+p.Until.Local().Format(time.TimeOnly)+": "+refused(p.Refusals), true
			r.Choices = []passChoice{passAlways, passAuto, passNever}
		default:
			r.Why, r.Choices = "read: "+refused(p.Refusals), []passChoice{passAlways, passNever}
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b passRow) int {
		if a.Passes != b.Passes {
			return map[bool]int{true: -1, false: 1}[a.Passes]
		}
		return strings.Compare(a.Host, b.Host)
	})
	more = max(0, len(rows)-maxPassing)
	return rows[:len(rows)-more], more
}

func refused(times int) string {
	if times == 1 {
		return "the app has refused once"
	}
	return "the app has refused " + strconv.Itoa(times) + " times"
}

// passing is the panel alone, for the script.
func (l *live) passing(w http.ResponseWriter, _ *http.Request) {
	render(w, http.StatusOK, "live/page.html", "passing", l.passView())
}

func (l *live) passView() map[string]any {
	rows, more := l.passRows(time.Now())
	return map[string]any{"Rows": rows, "More": more}
}

// pass sets what is done with a server from the next connection on.
func (l *live) pass(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form cannot be read.", http.StatusBadRequest)
		return
	}
	device, host, mode := r.PostForm.Get("device"), strings.TrimSpace(r.PostForm.Get("host")), r.PostForm.Get("mode")
	if host == "" || len(host) > 200 || len(device) > 200 || strings.ContainsAny(host, " /\t\r\n") || !slices.Contains([]string{ModeAuto, ModeAlways, ModeNever}, mode) {
		http.Error(w, "Nothing was set: want the name of a host, without https:// and path, and what is to be done.", http.StatusBadRequest)
		return
	}
	err := l.cfg.Passer.Set(r.Context(), device, host, mode)
	switch {
	case errors.Is(err, ErrNotSet):
		http.Error(w, "Nothing was set: "+ErrNotSet.Error()+".", http.StatusBadRequest)
	case err != nil:
		http.Error(w, "The case did not take it, so nothing was set.", http.StatusServiceUnavailable)
	default:
		http.Redirect(w, r, "/#passing", http.StatusSeeOther)
	}
}
