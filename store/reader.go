package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/mattn/go-sqlite3"

	"constat/inspect"
	"constat/proxy/flow"
	"constat/store/evidence"
)

// Reader reads a case, also while another process writes it. It is safe for
// concurrent use. No method holds a transaction open while the caller's code
// runs, so that readers do not keep the write-ahead log from being reused.
type Reader struct {
	path    string
	dsn     string
	version int64 // of the schema when it was opened
	db      *sql.DB
	zstd    *zstd.Decoder

	windows windows

	// Of a Prepared reader.
	confined *sql.DB
	folder   string // of its file, "" once that has no name

	statements sync.Map // of *sql.Stmt by query: the few that inspection runs for each exchange
}

// readOnly are the parameters of connections that only read, immutable those for
// a file that nobody can write.
var (
	readOnly  = url.Values{"mode": {"ro"}}
	immutable = url.Values{"mode": {"ro"}, "immutable": {"1"}}
)

// OpenReader opens the case at path for reading.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open case: %w", err)
	}
	if err := checkHeader(path); err != nil {
		return nil, err
	}
	r := new(Reader)
	if err := r.open(ctx, path); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Reader) open(ctx context.Context, path string) error {
	r.dsn = dsn(path, readOnly)
	err := r.try(ctx)
	var e sqlite3.Error
	if errors.As(err, &e) && (e.Code == sqlite3.ErrCantOpen || e.Code == sqlite3.ErrReadonly) {
		// Beside a file in WAL mode SQLite wants to make two more. Where it
		// cannot, and nobody left any, the file alone is all there is.
		if _, missing := os.Stat(path + "-wal"); errors.Is(missing, fs.ErrNotExist) {
			r.dsn = dsn(path, immutable)
			err = r.try(ctx)
		}
	}
	if err != nil {
		return sqlError("open case", err)
	}
	if err := checkVersion(path, r.version); err != nil {
		return errors.Join(err, r.db.Close())
	}
	if script := standIn(r.version); script != "" {
		if err := r.db.Close(); err != nil {
			return sqlError("open case", err)
		}
		r.pool(script)
	}
	r.path = path
	// Chunks are never larger, whatever a damaged one says of itself.
	r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(flow.ChunkSize))
	if err != nil {
		return errors.Join(fmt.Errorf("open case: %w", err), r.db.Close())
	}
	return nil
}

// pool opens the pool; each connection begins with a script, and only reads.
func (r *Reader) pool(script string) {
	r.db = sql.OpenDB(connector{r.dsn, script + ";" + pragma("query_only", 1)})
	r.db.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	r.db.SetConnMaxIdleTime(time.Minute)
}

func (r *Reader) try(ctx context.Context) error {
	r.pool("")
	// The count makes SQLite read the file, not only its header.
	err := r.db.QueryRowContext(ctx, "SELECT v.user_version FROM pragma_user_version v, (SELECT count(*) FROM sqlite_schema)").Scan(&r.version)
	if err != nil {
		return errors.Join(err, r.db.Close())
	}
	return nil
}

// Close ends all queries.
func (r *Reader) Close() error {
	if r.zstd != nil {
		r.zstd.Close()
	}
	r.statements.Range(func(_, stmt any) bool { stmt.(*sql.Stmt).Close(); return true })
	var errs []error
	for _, db := range []*sql.DB{r.db, r.confined} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if r.folder != "" {
		errs = append(errs, os.RemoveAll(r.folder))
	}
	return errors.Join(errs...)
}

// prepared returns the statement for a query, which is kept. There must be few
// different ones.
func (r *Reader) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := r.statements.Load(query); ok {
		return stmt.(*sql.Stmt), nil
	}
	stmt, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if other, ok := r.statements.LoadOrStore(query, stmt); ok {
		return other.(*sql.Stmt), stmt.Close()
	}
	return stmt, nil
}

// DB is a read-only pool on the case, for queries over the public views.
func (r *Reader) DB() *sql.DB { return r.db }

// Info is what is known of a case as a whole.
type Info struct {
	ID         string // ULID
	Path       string
	Created    time.Time
	Tool       string // that created it
	Records    int64  // leaves in the log
	Verifier   string // C2SP verifier key of the checkpoint signer
	Checkpoint string // newest signed note, "" when none
	// Banner is the setting "banner" of the first run that has one: a remark to
	// show wherever the case is shown, "" when none.
	Banner      string
	PersonaName string
	Persona     []byte // newest persona, nil when none
}

// Info returns what is known of the case as a whole.
func (r *Reader) Info(ctx context.Context) (Info, error) {
	g, err := get(ctx, r.db, genesisKind, "id = 1")
	if err != nil {
		return Info{}, err
	}
	info := Info{ID: g.CaseID, Path: r.path, Created: g.Created, Tool: g.Tool, Verifier: g.Verifier}
	err = r.db.QueryRowContext(ctx, `SELECT (SELECT max(seq) FROM log) + 1, ifnull((SELECT note FROM checkpoint ORDER BY id DESC LIMIT 1), '')`).
		Scan(&info.Records, &info.Checkpoint)
	if err != nil {
		return Info{}, sqlError("read case", err)
	}
	const banner = `SELECT ifnull((SELECT settings ->> 'banner' FROM run WHERE settings ->> 'banner' <> '' ORDER BY id LIMIT 1), '')`
	if err := r.db.QueryRowContext(ctx, banner).Scan(&info.Banner); err != nil {
		return Info{}, sqlError("read case", err)
	}
	p, err := get(ctx, r.db, personaKind, "1 ORDER BY id DESC LIMIT 1")
	if err == nil {
		info.PersonaName, info.Persona = p.Name, p.Persona
	} else if !errors.Is(err, ErrNotFound) {
		return Info{}, err
	}
	return info, nil
}

// queryer is a pool or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// identified is a record and its id.
type identified[R any] struct {
	id     int64
	record *R
}

// list reads the records that a condition, which may go on with ORDER BY and
// LIMIT, selects.
func list[R any](ctx context.Context, q queryer, s *spec[R], where string, args ...any) (out []identified[R], err error) {
	rows, err := q.QueryContext(ctx, "SELECT id, "+s.fields+" FROM "+s.Name+" WHERE "+where, args...)
	if err != nil {
		return nil, sqlError("read "+s.Name, err)
	}
	defer rows.Close()
	row := newRow(1 + s.width())
	for rows.Next() {
		if err := rows.Scan(row.dest...); err != nil {
			return nil, sqlError("read "+s.Name, err)
		}
		r, err := s.record(row.values(1))
		if err != nil {
			return nil, err
		}
		id, _ := row.cells[0].(int64)
		out = append(out, identified[R]{id, r})
	}
	if err := rows.Err(); err != nil {
		return nil, sqlError("read "+s.Name, err)
	}
	return out, nil
}

// get reads the one record that a condition selects.
func get[R any](ctx context.Context, q queryer, s *spec[R], where string, args ...any) (*R, error) {
	l, err := list(ctx, q, s, where, args...)
	if err != nil {
		return nil, err
	}
	if len(l) == 0 {
		return nil, fmt.Errorf("read %s: %w", s.Name, ErrNotFound)
	}
	return l[0].record, nil
}

// row is space to scan a row of any types into.
type row struct {
	cells []any
	dest  []any
	out   []evidence.Value
}

func newRow(n int) *row {
	r := &row{make([]any, n), make([]any, n), make([]evidence.Value, n)}
	for i := range r.cells {
		r.dest[i] = &r.cells[i]
	}
	return r
}

// values returns the cells from the given one on.
func (r *row) values(from int) []evidence.Value {
	for i, c := range r.cells {
		r.out[i] = fromSQL(c)
	}
	return r.out[from:]
}

// pageSizeRows is how many records are read at a time.
const pageSizeRows = 64

// Exchanges yields the exchanges whose ids the query selects, in order of id.
// where is an SQL condition over the view requests, "" for all; it may have
// placeholders for args. It reads in pages, so it sees what is committed
// meanwhile.
func (r *Reader) Exchanges(ctx context.Context, where string, args ...any) iter.Seq2[*flow.Exchange, error] {
	if where == "" {
		where = "1"
	}
	where = "id IN (SELECT id FROM requests WHERE (" + where + "\n) AND id > ? ORDER BY id LIMIT ?) ORDER BY id"
	return func(yield func(*flow.Exchange, error) bool) {
		args := append(args[:len(args):len(args)], int64(0), pageSizeRows)
		for {
			page, err := list(ctx, r.db, exchangeKind, where, args...)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, x := range page {
				x.record.ID = x.id
				if !yield(x.record, nil) {
					return
				}
				args[len(args)-2] = x.id
			}
			if len(page) < pageSizeRows {
				return
			}
		}
	}
}

// Exchange returns one exchange, or ErrNotFound.
func (r *Reader) Exchange(ctx context.Context, id int64) (*flow.Exchange, error) {
	e, err := get(ctx, r.db, exchangeKind, "id = ?", id)
	if err != nil {
		return nil, err
	}
	e.ID = id
	return e, nil
}

// Connection returns one connection with its certificates, or ErrNotFound.
func (r *Reader) Connection(ctx context.Context, id int64) (*flow.Connection, error) {
	c, err := get(ctx, r.db, connectionKind, "id = ?", id)
	if err != nil {
		return nil, err
	}
	c.ID = id
	for _, t := range []*flow.TLS{c.ClientTLS, c.ServerTLS} {
		if t == nil {
			continue
		}
		for i, name := range t.Chain {
			err := r.db.QueryRowContext(ctx, "SELECT der FROM certificate WHERE sha256 = ?", name).Scan(&t.Chain[i])
			if errors.Is(err, sql.ErrNoRows) {
				return nil, fmt.Errorf("read certificate of connection %d: %w", id, ErrNotFound)
			}
			if err != nil {
				return nil, sqlError("read certificate", err)
			}
		}
	}
	return c, nil
}

// Frames yields the frames of an exchange in the order in which they came.
func (r *Reader) Frames(ctx context.Context, exchange int64) iter.Seq2[*flow.Frame, error] {
	return func(yield func(*flow.Frame, error) bool) {
		last := int64(0)
		for {
			page, err := list(ctx, r.db, frameKind, "exchange = ? AND id > ? ORDER BY id LIMIT ?", exchange, last, pageSizeRows)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, x := range page {
				x.record.ID, last = x.id, x.id
				if !yield(x.record, nil) {
					return
				}
			}
			if len(page) < pageSizeRows {
				return
			}
		}
	}
}

// Report returns the newest report on an exchange (frame 0) or on one of its
// frames, nil when there is none.
func (r *Reader) Report(ctx context.Context, exchange, frame int64) (*inspect.Report, error) {
	rep, err := get(ctx, r.db, reportKind, "exchange = ? AND frame = ? ORDER BY id DESC LIMIT 1", exchange, frame)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return rep.report()
}

// Sessions returns all sessions in the order of their marks.
func (r *Reader) Sessions(ctx context.Context) ([]Session, error) {
	return r.SessionsIn(ctx, Scope{})
}

// readSessions reads the sessions that a condition over the view sessions selects.
func readSessions(ctx context.Context, q queryer, where string, args []any) (out []Session, err error) {
	rows, err := q.QueryContext(ctx, "SELECT id, name, factors, note, opened, closed, stopped FROM sessions WHERE "+where+" ORDER BY opened, id", args...)
	if err != nil {
		return nil, sqlError("read sessions", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s Session
		var factors, opened, closed string
		if err := rows.Scan(&s.ID, &s.Name, &factors, &s.Note, &opened, &closed, &s.Stopped); err != nil {
			return nil, sqlError("read sessions", err)
		}
		err := json.Unmarshal([]byte(factors), &s.Factors)
		if err == nil {
			s.Opened, err = evidence.ParseTime(opened)
		}
		if err == nil {
			s.Closed, err = evidence.ParseTime(closed)
		}
		if err != nil {
			return nil, fmt.Errorf("read session %d: %w", s.ID, err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		return nil, sqlError("read sessions", err)
	}
	return out, nil
}
