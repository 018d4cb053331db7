package query

import (
	"bufio"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// WriteTable writes the rows as a table for people. No byte of a value can steer
// a terminal. A cell is cut to cell columns, 0 for no limit. The table is held in
// memory: use it with a limit on the rows.
func WriteTable(w io.Writer, r *Rows, cell int) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	header := make(table.Row, len(r.Columns))
	for i, c := range r.Columns {
		header[i] = Printable(c)
	}
	t.AppendHeader(header)
	right := make([]bool, len(r.Columns))
	for values, err := range r.All() {
		if err != nil {
			return err
		}
		row := make(table.Row, len(values))
		for i, v := range values {
			switch v.(type) {
			case int64, float64:
				right[i] = true
			}
			s := Printable(asText(v))
			if cell > 0 && text.StringWidth(s) > cell {
				s = text.Snip(s, cell, "…")
			}
			row[i] = s
		}
		t.AppendRow(row)
	}
	var configs []table.ColumnConfig
	for i, numbers := range right {
		if numbers {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	t.SetColumnConfigs(configs)
	_, err := io.WriteString(w, t.Render()+"\n")
	return err
}

// Printable writes what a terminal would not print but obey, and what cannot be
// seen, as %q does: control characters, escapes, marks that turn the direction of
// text, bytes that are no text.
func Printable(s string) string {
	plain := true
	for _, r := range s {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\x` + hex.EncodeToString([]byte(s[i:i+1])))
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
		i += n
	}
	return b.String()
}

// WriteCSV writes the rows as CSV (RFC 4180) with a header. A text that a
// spreadsheet would take for a formula gets an apostrophe before it; NULL is
// empty, a blob is hexadecimal.
func WriteCSV(w io.Writer, r *Rows) error {
	out := csv.NewWriter(w)
	record := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		record[i] = SafeCell(c)
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for values, err := range r.All() {
		if err != nil {
			return err
		}
		for i, v := range values {
			record[i] = asText(v)
			if _, ok := v.(string); ok {
				record[i] = SafeCell(record[i])
			}
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// SafeCell returns s so that no spreadsheet takes it for a formula
// (https://owasp.org/www-community/attacks/CSV_Injection).
func SafeCell(s string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) && r != '\t' && r != '\r' && r != '\n'
	}))
	if s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + s
	}
	return s
}

// WriteJSON writes the rows as an array of objects, or as one object per line.
// A blob is hexadecimal.
func WriteJSON(w io.Writer, r *Rows, lines bool) error {
	out := bufio.NewWriter(w)
	begin, between, end := "[\n", ",\n", "\n]\n"
	if lines {
		begin, between, end = "", "\n", ""
	}
	names := make([][]byte, len(r.Columns))
	for i, c := range r.Columns {
		name, err := json.Marshal(c)
		if err != nil {
			return err
		}
		names[i] = append(name, ':')
	}
	_, _ = out.WriteString(begin) // errors of a bufio.Writer stick until Flush
	n := 0
	for values, err := range r.All() {
		if err != nil {
			return err
		}
		if n++; n > 1 {
			_, _ = out.WriteString(between)
		}
		_ = out.WriteByte('{')
		for i, v := range values {
			if i > 0 {
				_ = out.WriteByte(',')
			}
			_, _ = out.Write(names[i])
			data, err := json.Marshal(asJSON(v))
			if err != nil {
				return err
			}
			_, _ = out.Write(data)
		}
		_ = out.WriteByte('}')
	}
	if n > 0 && lines {
		_ = out.WriteByte('\n')
	}
	_, _ = out.WriteString(end)
	return out.Flush()
}

func asJSON(v any) any {
	switch v := v.(type) {
	case []byte:
		return hex.EncodeToString(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return asText(v)
		}
	case time.Time:
		return asText(v)
	}
	return v
}

func asText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return hex.EncodeToString(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return ""
}
