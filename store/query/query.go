// Package query asks a case: it turns short filters into SQL over the public
// views, runs SQL under limits, and writes the rows as a table, CSV or JSON.
//
// A filter is a line of terms that must all hold:
//
//	host:xiaomi.com tag:sms dir:up status:>=400 -path:/static "two words"
//
// A term is field:value, or a bare text that is looked for in the address and in
// what was found. A minus before a term negates it; OR between terms, and
// brackets, do what they say; commas list alternatives (tag:sms,photo); quotation
// marks keep blanks, and a value in them is taken as it is. Fields lists the
// fields. A line that begins with SELECT or WITH is SQL and is passed on as it is.
//
// No byte of a filter's values enters the SQL text: values are bound, and
// wildcards in them are escaped. Everything here is safe for concurrent use, and
// nothing writes to the case. The package
// does not know tables, only the views of docs/schema.md.
package query

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Columns are what a filter selects of the view requests.
var Columns = []string{
	"id", "time", "session", "device", "method", "scheme", "host", "path", "status",
	"request_bytes", "response_bytes", "direction", "tags", "owner", "country", "error",
}

// maxFilter bounds a filter in bytes, maxTerms in terms: SQLite's own limit on the
// depth of an expression is 1,000.
const (
	maxFilter = 16 << 10
	maxTerms  = 200
)

var rawSQL = regexp.MustCompile(`(?is)^\s*(SELECT|WITH)\b.*`)

// IsSQL reports whether q is SQL rather than a filter.
func IsSQL(q string) bool { return rawSQL.MatchString(q) }

// Compile turns a filter into one SELECT statement over the view requests, and
// the values to bind. SQL is returned as it is if it is a single statement,
// without what follows its semicolon. The error is a *SyntaxError.
func Compile(q string) (sql string, args []any, err error) {
	if IsSQL(q) {
		end, second := statement(q)
		if second >= 0 {
			return "", nil, &SyntaxError{Column: column(q, second), Problem: "only one statement can be run at a time"}
		}
		return q[:end], nil, nil
	}
	where, args, err := Where(q)
	if err != nil {
		return "", nil, err
	}
	sql = "SELECT " + strings.Join(Columns, ", ") + "\nFROM requests"
	if where != "" {
		sql += "\nWHERE " + where
	}
	return sql + "\nORDER BY id", args, nil
}

// Where turns a filter into an SQL condition over the view requests, "" when the
// filter is empty, and the values to bind. The error is a *SyntaxError.
func Where(filter string) (condition string, args []any, err error) {
	p := &parser{src: filter}
	if len(filter) > maxFilter {
		return "", nil, p.fail(0, "the filter is longer than %d bytes", maxFilter)
	}
	condition, err = p.parse()
	if err != nil {
		return "", nil, err
	}
	return condition, p.args, nil
}

// SyntaxError says what is wrong with a filter, and where.
type SyntaxError struct {
	Column  int // of the character at fault, from 1
	Problem string
	Hint    string // what to write instead, "" unknown
}

func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("column %d: %s", e.Column, e.Problem)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// column is the position of byte at of s, counted in characters from 1.
func column(s string, at int) int { return len([]rune(s[:min(at, len(s))])) + 1 }

// statement returns where the first statement of SQL text ends and where a second
// one begins, -1 if there is none.
func statement(sql string) (end, second int) {
	end = len(sql)
	for i := 0; i < len(sql); i++ {
		switch c := sql[i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		case strings.HasPrefix(sql[i:], "--"):
			i = skipTo(sql, i, "\n")
		case strings.HasPrefix(sql[i:], "/*"):
			i = skipTo(sql, i+2, "*/")
		case c == ';':
			end = min(end, i)
		case end < i:
			return end, i
		case c == '\'' || c == '"' || c == '`':
			i = skipTo(sql, i+1, string(c))
		case c == '[':
			i = skipTo(sql, i+1, "]")
		}
	}
	return end, -1
}

func skipTo(s string, from int, end string) int {
	if i := strings.Index(s[min(from, len(s)):], end); i >= 0 {
		return from + i + len(end) - 1
	}
	return len(s)
}

// Show writes a statement with its values in place, so that it can be read and
// pasted into the sqlite3 shell. It is never run.
func Show(sql string, args []any) string {
	var b strings.Builder
	for i := 0; i < len(sql); i++ {
		if sql[i] != '?' || len(args) == 0 {
			b.WriteByte(sql[i])
			continue
		}
		b.WriteString(literal(args[0]))
		args = args[1:]
	}
	return b.String()
}

func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		if Printable(v) == v {
			return "'" + strings.ReplaceAll(v, "'", "''") + "'"
		}
		return "CAST(x'" + hex.EncodeToString([]byte(v)) + "' AS TEXT)"
	}
	return fmt.Sprint(v)
}
