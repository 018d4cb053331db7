package ui

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/store"
)

// LiveConfig says what the live page shows.
type LiveConfig struct {
	Case *store.Reader
	// Token is what the browser must show on every call: as ?token= on the
	// first, which sets a cookie, or as "Authorization: Bearer". An empty one
	// lets nobody in.
	Token string
	// Marker opens and ends sessions; nil leaves the form out.
	Marker Marker
	// Passer says and sets which servers pass unread; nil leaves the panel out.
	Passer Passer
	// Enrol and ProxyAddress ("192.168.1.5:8080"), when given, add a page with
	// the code that enrols one more phone.
	Enrol        *Enrolment
	ProxyAddress string
}

// Marker opens a session in a case, as store.Case.Mark does.
type Marker interface {
	Mark(ctx context.Context, name string, factors map[string]string, note string) error
}

const livePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// NewLive returns the page that shows a case while it grows. It answers only
// clients on this computer that ask under a loopback name and hold the token
// (see guard). Streams end with the context of their request: a server that
// shuts down must end its base context first.
func NewLive(cfg LiveConfig) http.Handler {
	in, err := inspect.New(inspect.Config{Decoders: decode.All, Limits: inspect.Limits{Bytes: 16 << 20}})
	if err != nil {
		panic(fmt.Sprintf("ui: decode.All is malformed: %v", err)) // a fault of the build, held by decode's tests
	}
	l := &live{cfg: cfg, feed: newFeed(cfg.Case), inspector: in, streams: make(chan struct{}, maxStreams)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", l.home)
	mux.HandleFunc("GET /events", l.events)
	mux.HandleFunc("GET /request/{id}", l.request)
	mux.HandleFunc("GET /request/{id}/{body}", l.download)
	if cfg.Marker != nil {
		mux.HandleFunc("POST /mark", l.mark)
	}
	if cfg.Passer != nil {
		mux.HandleFunc("GET /passing", l.passing)
		mux.HandleFunc("POST /pass", l.pass)
	}
	if cfg.Enrol != nil && cfg.ProxyAddress != "" {
		mux.HandleFunc("GET /enrol", l.enrol)
		mux.HandleFunc("GET /enrol.png", l.enrolCode)
	}
	mux.HandleFunc("GET /a/{name}", func(w http.ResponseWriter, r *http.Request) {
		serveAsset(w, r, "live", r.PathValue("name"))
	})
	return guard(cfg.Token, mux)
}

type live struct {
	cfg       LiveConfig
	feed      *feed
	inspector *inspect.Inspector
	streams   chan struct{} // one element for each open stream
}

func (l *live) home(w http.ResponseWriter, r *http.Request) {
	info, err := l.cfg.Case.Info(r.Context())
	if err != nil {
		l.trouble(w)
		return
	}
	var passing map[string]any
	if l.cfg.Passer != nil {
		passing = l.passView()
	}
	render(w, http.StatusOK, "live/page.html", "page.html", map[string]any{
		"Passing": passing,
		"Case":    info.Path,
		"Name":    filepath.Base(info.Path),
		"Persona": info.PersonaName,
		"Banner":  info.Banner,
		"Classes": inspect.Classes,
		"CanMark": l.cfg.Marker != nil,
		"Enrol":   l.cfg.Enrol != nil && l.cfg.ProxyAddress != "",
		"Rows":    maxRows,
	})
}

// trouble says that the case cannot be read. What the driver said may hold
// captured values and stays here.
func (l *live) trouble(w http.ResponseWriter) {
	http.Error(w, "The case cannot be read at the moment.", http.StatusServiceUnavailable)
}

// mark opens a session, or ends the one that is open when the name is empty.
func (l *live) mark(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form cannot be read.", http.StatusBadRequest)
		return
	}
	name, note := strings.TrimSpace(r.PostForm.Get("name")), strings.TrimSpace(r.PostForm.Get("note"))
	factors, err := parseFactors(r.PostForm.Get("factors"))
	if err == nil && (len(name) > 100 || len(note) > 2000) {
		err = fmt.Errorf("a name has at most 100 bytes and a note 2,000")
	}
	if err != nil {
		http.Error(w, "The session was not opened: "+err.Error()+".", http.StatusBadRequest)
		return
	}
	if err := l.cfg.Marker.Mark(r.Context(), name, factors, note); err != nil {
		http.Error(w, "The case did not take the mark.", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// parseFactors reads "micloud=off screen=off".
func parseFactors(text string) (map[string]string, error) {
	factors := map[string]string{}
	for _, word := range strings.Fields(text) {
		key, value, ok := strings.Cut(word, "=")
		if !ok || key == "" || value == "" || len(word) > 100 {
			return nil, fmt.Errorf("factors are written as name=value, with spaces between them")
		}
		if _, twice := factors[key]; twice {
			return nil, fmt.Errorf("a factor is given twice")
		}
		factors[key] = value
	}
	if len(factors) > 32 {
		return nil, fmt.Errorf("32 factors are the limit")
	}
	return factors, nil
}

// requestID reads the id in the path.
func requestID(w http.ResponseWriter, r *http.Request) (int64, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		http.NotFound(w, r)
		return 0, false
	}
	return id, true
}
