package query

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Limits bound a query. Zero fields mean the default.
type Limits struct {
	Rows int           // default 10,000; negative: no limit
	Time time.Duration // default 30 s; negative: no limit
}

// ErrTime means that a query took longer than its limit.
var ErrTime = errors.New("query took too long")

// Rows is the answer to a query. It is for one goroutine, and must be closed.
type Rows struct {
	SQL     string // the statement that was run
	Args    []any  // what was bound
	Columns []string

	rows   *sql.Rows
	conn   *sql.Conn
	thaw   bool // the connection could write before
	cancel context.CancelFunc
	ctx    context.Context
	limit  int
	more   bool
}

// Run compiles q, a filter or SQL, and runs it on a connection that cannot write,
// which is taken until Close. Errors are a *SyntaxError for what cannot
// be compiled, ErrTime, or the database's, whose text is for the operator only.
func Run(ctx context.Context, db *sql.DB, q string, limits Limits) (_ *Rows, err error) {
	r := &Rows{limit: limits.Rows, cancel: func() {}, ctx: ctx}
	if r.SQL, r.Args, err = Compile(q); err != nil {
		return nil, err
	}
	if limits.Rows == 0 {
		r.limit = 10_000
	}
	if limits.Time == 0 {
		limits.Time = 30 * time.Second
	}
	if limits.Time > 0 {
		r.ctx, r.cancel = context.WithTimeoutCause(ctx, limits.Time, ErrTime)
	}
	defer func() {
		if err != nil {
			_ = r.Close() // the first error counts
		}
	}()
	if err := r.freeze(db); err != nil {
		return nil, r.wrap(err)
	}
	if r.rows, err = r.conn.QueryContext(r.ctx, r.SQL, r.Args...); err != nil {
		return nil, r.wrap(err)
	}
	if r.Columns, err = r.rows.Columns(); err != nil {
		return nil, r.wrap(err)
	}
	return r, nil
}

// freeze takes a connection and makes it refuse to write, whatever the pool was
// opened with.
func (r *Rows) freeze(db *sql.DB) (err error) {
	if r.conn, err = db.Conn(r.ctx); err != nil {
		return err
	}
	var frozen bool
	if err := r.conn.QueryRowContext(r.ctx, "PRAGMA query_only").Scan(&frozen); err != nil {
		return err
	}
	if r.thaw = !frozen; r.thaw {
		_, err = r.conn.ExecContext(r.ctx, "PRAGMA query_only = 1")
	}
	return err
}

func (r *Rows) wrap(err error) error {
	if cause := context.Cause(r.ctx); errors.Is(cause, ErrTime) {
		return ErrTime
	}
	return fmt.Errorf("query case: %w", err)
}

// All yields the rows; a value is nil, int64, float64, string or []byte. The
// slice is used again for the next row.
func (r *Rows) All() iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		values := make([]any, len(r.Columns))
		into := make([]any, len(r.Columns))
		for i := range values {
			into[i] = &values[i]
		}
		for n := 0; r.rows.Next(); n++ {
			if r.limit >= 0 && n >= r.limit {
				r.more = true
				return
			}
			if err := r.rows.Scan(into...); err != nil {
				yield(nil, r.wrap(err))
				return
			}
			if !yield(values, nil) {
				return
			}
		}
		if err := r.rows.Err(); err != nil {
			yield(nil, r.wrap(err))
		}
	}
}

// More reports, once All has ended, whether rows were left out because of
// Limits.Rows.
func (r *Rows) More() bool { return r.more }

// Close ends the query.
func (r *Rows) Close() error {
	var errs []error
	if r.rows != nil {
		errs = append(errs, r.rows.Close())
	}
	r.cancel()
	if r.conn != nil {
		if r.thaw {
			_, err := r.conn.ExecContext(context.WithoutCancel(r.ctx), "PRAGMA query_only = 0")
			errs = append(errs, err)
		}
		errs = append(errs, r.conn.Close())
	}
	return errors.Join(errs...)
}
