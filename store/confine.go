package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
)

// Checker compiles queries of strangers against empty tables that have the names
// and columns of the public views, and nothing else: a query that it accepts reads
// nothing but views, and changes nothing. It needs no case. It is for one
// goroutine at a time.
type Checker struct{ conn *sqlite3.SQLiteConn }

// NewChecker returns a Checker for the views of this version.
func NewChecker() (_ *Checker, err error) {
	model, err := openConn("file::memory:")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, model.close()) }()
	if err := migrate(model, schemaVersion); err != nil {
		return nil, sqlError("read the schema", err)
	}
	empty, err := openConn("file::memory:")
	if err != nil {
		return nil, err
	}
	for _, view := range Views {
		var columns []string
		err := model.each(func(row []driver.Value) error {
			columns = append(columns, fmt.Sprintf("%q", row[0]))
			return nil
		}, "SELECT name FROM pragma_table_info(?) ORDER BY cid", view)
		if err == nil {
			err = empty.script("CREATE TABLE " + view + "(" + strings.Join(columns, ", ") + ")")
		}
		if err != nil {
			return nil, errors.Join(sqlError("read the schema", err), empty.close())
		}
	}
	empty.raw.RegisterAuthorizer(viewsOnly)
	return &Checker{empty.raw}, nil
}

// fit are the functions that a query can call (sqlite.org/lang_corefunc.html and the
// pages beside it): they take time in proportion to what they are given, and nothing
// from outside of it. A call cannot be interrupted: instr, replace, trim, unhex and
// what edits JSON take hours where two values are as large as they can be.
// Others load code, show addresses of memory, or answer differently each time.
var fit = strings.Fields(`
	abs ceil ceiling char coalesce concat concat_ws floor format glob hex if ifnull iif length like likelihood likely lower max min
	nullif octet_length pow power printf quote round sign sqrt substr substring trunc typeof unicode unlikely upper
	avg count group_concat string_agg sum total
	cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
	-> ->> json json_array json_array_length json_each json_extract json_group_array json_group_object json_object json_quote json_tree json_type json_valid
	date datetime julianday strftime time timediff unixepoch current_date current_time current_timestamp`)

// viewsOnly is an authorizer (sqlite.org/c3ref/set_authorizer.html). Columns of
// subqueries are not asked about, tables are.
func viewsOnly(action int, arg1, arg2, _ string) int {
	switch action {
	case sqlite3.SQLITE_SELECT, sqliteRecursive:
		return sqlite3.SQLITE_OK
	case sqlite3.SQLITE_READ:
		if slices.Contains(Views, arg1) || arg1 == "json_each" || arg1 == "json_tree" {
			return sqlite3.SQLITE_OK
		}
	case sqlite3.SQLITE_FUNCTION:
		if slices.Contains(fit, strings.ToLower(arg2)) {
			return sqlite3.SQLITE_OK
		}
	}
	return sqlite3.SQLITE_DENY
}

// sqliteRecursive is SQLITE_RECURSIVE (sqlite.org/c3ref/c_alter_table.html), which
// the driver does not name.
const sqliteRecursive = 33

// Columns returns the names of the columns of a query, or an error in SQLite's
// words of why it does not compile.
func (c *Checker) Columns(query string) ([]string, error) {
	// What comes after a first statement would be run as well.
	stmt, err := c.conn.Prepare(query)
	if err != nil {
		return nil, compileError(err)
	}
	defer stmt.Close()
	rows, err := stmt.(*sqlite3.SQLiteStmt).QueryContext(context.Background(), nil)
	if err != nil {
		return nil, compileError(err)
	}
	defer rows.Close()
	return slices.Clone(rows.Columns()), nil
}

func compileError(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) && e.Code == sqlite3.ErrAuth {
		return errors.New("only the public views may be read, and nothing changed")
	}
	return err
}

// Close ends the Checker.
func (c *Checker) Close() error { return c.conn.Close() }

// maxCell bounds a text or blob that a confined query makes: no row of a view is
// as large.
const maxCell = 32 << 20

// Confinements is how many connections there are in a Confined pool.
const Confinements = 4

// Confined is a pool for queries of strangers, beside DB: what they make is bounded.
// The caller calls done in the end.
func (r *Reader) Confined() (db *sql.DB, done func() error) {
	if r.confined != nil {
		return r.confined, func() error { return nil }
	}
	script := standIn(r.version) + ";" + pragma("query_only", 1)
	db = sql.OpenDB(limited{connector{r.dsn, script}})
	db.SetMaxOpenConns(Confinements)
	db.SetConnMaxIdleTime(time.Minute)
	return db, db.Close
}

// maxPattern bounds a pattern of LIKE and GLOB, which each byte of a text can be
// compared with.
const maxPattern = 600

// limited opens connections that refuse large values.
type limited struct{ connector }

func (l limited) Connect(ctx context.Context) (driver.Conn, error) {
	raw, err := l.connector.Connect(ctx)
	if err == nil {
		c := raw.(*sqlite3.SQLiteConn)
		c.SetLimit(sqlite3.SQLITE_LIMIT_LENGTH, maxCell)
		c.SetLimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, maxPattern)
	}
	return raw, err
}
