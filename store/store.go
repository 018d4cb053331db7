// Package store keeps a case: one SQLite file that holds everything one
// investigation recorded, as an append-only log that can be proven.
package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"iter"
	"time"

	"constat/inspect"
	"constat/proxy/flow"
)

// Errors that callers branch on.
var (
	ErrLocked   = errors.New("case is being written by another process")
	ErrForeign  = errors.New("not a case file")
	ErrNewer    = errors.New("case was made by a newer version")
	ErrReadOnly = errors.New("case file cannot be written")
	ErrFull     = errors.New("disk is full")
	ErrStopped  = errors.New("case is closed or has failed") // wraps the first failure
	ErrNotFound = errors.New("no such record")
)

// Config says how to open a case for writing.
type Config struct {
	Path string
	// KeyFile holds the key that signs checkpoints, 0600, created when absent.
	// It is never inside the case.
	KeyFile   string
	Tool      string            // build of the program, recorded with each run
	Settings  map[string]string // how it was started, recorded with each run; no secrets
	BodyLimit int64             // bytes kept of one body; default 256 MiB
	Clock     func() time.Time  // default time.Now
}

// Case is a case open for writing; there is one writer at a time, over all
// processes. It is a flow.Recorder. All methods are safe for concurrent use.
type Case struct{ Reader }

// Open opens the case at cfg.Path for writing, and creates it when absent.
// Records that were open when the last writer died are committed as cut off.
func Open(ctx context.Context, cfg Config) (*Case, error) { panic("unwritten") }

func (c *Case) Begin(r flow.Record) error                       { panic("unwritten") }
func (c *Case) Spill(b *flow.Body, chunk []byte) error          { panic("unwritten") }
func (c *Case) Commit(ctx context.Context, r flow.Record) error { panic("unwritten") }

// BodyLimit is the limit to give to flow.NewBody.
func (c *Case) BodyLimit() int64 { panic("unwritten") }

// Mark ends the session that is open, if any, and opens one called name with
// the declared factors; an empty name only ends. A checkpoint is signed.
func (c *Case) Mark(ctx context.Context, name string, factors map[string]string, note string) error {
	panic("unwritten")
}

// SetPersona records the persona that is planted from here on, as JSON.
func (c *Case) SetPersona(ctx context.Context, name string, persona []byte) error { panic("unwritten") }

// Inspect appends a report for every exchange and frame that has none by this
// inspector's version, oldest first, and returns when all have one. progress,
// when not nil, is called now and then.
func (c *Case) Inspect(ctx context.Context, in *inspect.Inspector, progress func(done, total int64)) (Changes, error) {
	panic("unwritten")
}

// Follow inspects what is there, then what is committed, until ctx ends and all
// that was committed by then has its report.
func (c *Case) Follow(ctx context.Context, in *inspect.Inspector) error { panic("unwritten") }

// Changes counts what a new inspection changed against the reports before.
type Changes struct {
	Inspected, Changed int64
	Gained, Lost       map[inspect.Class]int64 // requests that got or lost a class
}

// Checkpoint signs the log as it is and returns the signed note.
func (c *Case) Checkpoint(ctx context.Context) ([]byte, error) { panic("unwritten") }

// Failed is closed when the case can take no more records; Err says why.
func (c *Case) Failed() <-chan struct{} { panic("unwritten") }
func (c *Case) Err() error              { panic("unwritten") }

// Close commits what was handed in, signs a checkpoint and closes the file.
func (c *Case) Close() error { panic("unwritten") }

// Reader reads a case, also while another process writes it. It is safe for
// concurrent use.
type Reader struct{}

// OpenReader opens the case at path for reading.
func OpenReader(ctx context.Context, path string) (*Reader, error) { panic("unwritten") }
func (r *Reader) Close() error                                     { panic("unwritten") }

// DB is a read-only pool on the case, for queries over the public views.
func (r *Reader) DB() *sql.DB { panic("unwritten") }

// Info is what is known of a case as a whole.
type Info struct {
	ID          string // ULID
	Path        string
	Created     time.Time
	Tool        string // that created it
	Records     int64  // leaves in the log
	Verifier    string // C2SP verifier key of the checkpoint signer
	Checkpoint  string // newest signed note, "" when none
	PersonaName string
	Persona     []byte // newest persona, nil when none
}

func (r *Reader) Info(ctx context.Context) (Info, error) { panic("unwritten") }

// Exchanges yields the exchanges whose ids the query selects, in order of id. where
// is an SQL condition over the view requests, "" for all.
func (r *Reader) Exchanges(ctx context.Context, where string, args ...any) iter.Seq2[*flow.Exchange, error] {
	panic("unwritten")
}
func (r *Reader) Exchange(ctx context.Context, id int64) (*flow.Exchange, error) { panic("unwritten") }
func (r *Reader) Connection(ctx context.Context, id int64) (*flow.Connection, error) {
	panic("unwritten")
}
func (r *Reader) Frames(ctx context.Context, exchange int64) iter.Seq2[*flow.Frame, error] {
	panic("unwritten")
}

// Report returns the newest report on an exchange (frame 0) or on one of its
// frames, nil when there is none.
func (r *Reader) Report(ctx context.Context, exchange, frame int64) (*inspect.Report, error) {
	panic("unwritten")
}

// Body opens what is kept of a body that Exchange or Frames returned.
func (r *Reader) Body(ctx context.Context, b *flow.Body) (io.ReadCloser, error) { panic("unwritten") }

// Subject returns what an Inspector looks at, with at most limit bytes of each
// body.
func (r *Reader) Subject(ctx context.Context, exchange, frame int64, limit int64) (*inspect.Subject, error) {
	panic("unwritten")
}

// Session is a stretch of a case with declared conditions.
type Session struct {
	ID             int64
	Name           string
	Factors        map[string]string
	Note           string
	Opened, Closed time.Time // Closed is zero while open
}

func (r *Reader) Sessions(ctx context.Context) ([]Session, error) { panic("unwritten") }

// Verification is the result of Verify.
type Verification struct {
	Records, Checkpoints, Bodies int64
	Root                         string // base64
	Verifier                     string
	Problems                     []string // empty: the log is whole
}

// Verify checks the whole case: every record against its leaf, every leaf
// against the tree, every checkpoint against its signature and the tree, every
// body against its hash, and that nothing is there that the log does not know.
// verifier, when not "", is the key to demand of the checkpoints.
func Verify(ctx context.Context, path, verifier string, progress func(done, total int64)) (*Verification, error) {
	panic("unwritten")
}
