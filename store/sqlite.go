package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

// conn is a connection to a case without database/sql between, which the
// writer uses to save its cost for each statement. It is for one goroutine at a
// time.
type conn struct {
	raw   *sqlite3.SQLiteConn
	stmts map[string]*sqlite3.SQLiteStmt
}

// pragmas that every connection has. The page cache is 8 MiB for those that read.
var pragmas = url.Values{
	"_busy_timeout": {"10000"},
	"_cache_size":   {"-8192"},
	"_foreign_keys": {"0"},
}

// dsn returns the data source name of the case at path, with more parameters.
func dsn(path string, more url.Values) string {
	q := url.Values{}
	for _, set := range []url.Values{pragmas, more} {
		for k, v := range set {
			q[k] = v
		}
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// openWriter opens the one connection that writes. With NORMAL a commit
// survives the death of the process; sealed fsyncs it as well. What it adds it
// does not read again: its page cache needs to hold little more than a batch.
func openWriter(path string) (*conn, error) {
	return openConn(dsn(path, url.Values{
		"mode":          {"rw"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"NORMAL"},
		"_txlock":       {"immediate"},
		"_cache_size":   {"-4096"},
	}))
}

func openConn(dsn string) (*conn, error) {
	raw, err := new(sqlite3.SQLiteDriver).Open(dsn)
	if err != nil {
		return nil, sqlError("open case", err)
	}
	return &conn{raw.(*sqlite3.SQLiteConn), map[string]*sqlite3.SQLiteStmt{}}, nil
}

// connector opens connections for a pool, and runs a script on each.
type connector struct{ dsn, script string }

func (c connector) Driver() driver.Driver { return new(sqlite3.SQLiteDriver) }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	raw, err := c.Driver().Open(c.dsn)
	if err != nil {
		return nil, err
	}
	if _, err := raw.(*sqlite3.SQLiteConn).ExecContext(ctx, c.script, nil); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return raw, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// script runs SQL text of any number of statements.
func (c *conn) script(text string) error {
	_, err := c.raw.ExecContext(context.Background(), text, nil)
	return err
}

// prepare returns the statement for query; it is kept until close.
func (c *conn) prepare(query string) (*sqlite3.SQLiteStmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.raw.Prepare(query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = s.(*sqlite3.SQLiteStmt)
	return c.stmts[query], nil
}

// exec runs a prepared statement. The context is the one that never ends, for
// which the driver starts no goroutine.
func (c *conn) exec(query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args)
}

// run is exec for the statements that do not run often.
func (c *conn) run(query string, args ...any) error {
	_, err := c.exec(query, named(args))
	return err
}

func named(args []any) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, a := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return out
}

// each calls f with every row of a query; f owns the row only during the call.
func (c *conn) each(f func(row []driver.Value) error, query string, args ...any) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), named(args))
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(row); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

// integer returns the first column of the first row, 0 when there is none or
// when it is NULL.
func (c *conn) integer(query string, args ...any) (n int64, err error) {
	err = c.each(func(row []driver.Value) error {
		n, _ = row[0].(int64)
		return nil
	}, query, args...)
	return n, err
}

// sqlError says what a failure of SQLite means to the user: it wraps ErrFull,
// ErrReadOnly or ErrForeign where it is one of these.
func sqlError(doing string, err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	switch {
	case e.Code == sqlite3.ErrFull, e.SystemErrno == syscall.ENOSPC, e.SystemErrno == syscall.EDQUOT, e.SystemErrno == syscall.EFBIG:
		return fmt.Errorf("%s: %w: free some space and start again (%w)", doing, ErrFull, err)
	case e.Code == sqlite3.ErrReadonly, e.SystemErrno == syscall.EROFS, e.SystemErrno == syscall.EACCES, e.SystemErrno == syscall.EPERM:
		return fmt.Errorf("%s: %w: make the file and its folder writable (%w)", doing, ErrReadOnly, err)
	case e.Code == sqlite3.ErrNotADB:
		return fmt.Errorf("%s: %w: choose another file (%w)", doing, ErrForeign, err)
	case e.Code == sqlite3.ErrCorrupt:
		return fmt.Errorf("%s: the case file is damaged: keep it as it is, and start a new case (%w)", doing, err)
	case e.Code == sqlite3.ErrBusy:
		return fmt.Errorf("%s: another program holds a write lock on the case: end its transaction (%w)", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// The marks of a case in the header of its SQLite file.
const (
	applicationID = 0x434f4e53 // "CONS"
	schemaVersion = 4
	pageSize      = 8192
)

func pragma(name string, n int) string { return "PRAGMA " + name + " = " + strconv.Itoa(n) }
