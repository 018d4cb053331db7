package detect

import (
	"iter"
	"strings"

	"constat/inspect"
)

// maxRows bounds how many rows are made of one table.
const maxRows = 200

// maxTables bounds how many tables are looked for in one tree.
const maxTables = 8

// messageRecords yields the records of t, and the rows of tables that look as if
// they held messages.
func messageRecords(t *inspect.Tree) iter.Seq[inspect.Record] {
	return func(yield func(inspect.Record) bool) {
		tables := 0
		for r := range records(t) {
			if !yield(r) {
				return
			}
			if tables == maxTables {
				continue
			}
			if !isHead(r) {
				continue
			}
			tables++
			for _, row := range tableRows(r) {
				if !yield(row) {
					return
				}
			}
		}
	}
}

// isHead says that r is an array that holds the names of columns, text and
// sender among them.
func isHead(r inspect.Record) bool {
	if n := len(r.Fields); n < 3 || n > 32 || !isArray(r) {
		return false
	}
	text, who := false, false
	for _, f := range r.Fields {
		if f.Kind != inspect.Text {
			return false
		}
		switch smsWords.of(string(f.Data)) {
		case smsText:
			text = true
		case smsAddress, smsPeer:
			who = true
		}
	}
	return text && who
}

// tableRows takes the head of a table and returns the arrays of the same length
// that follow it in the same document as records: {"columns": ["address",
// "body", "date"], "rows": [["+33…", "…", 1406800000]]}.
func tableRows(head inspect.Record) []inspect.Record {
	n := len(head.Fields)
	var out []inspect.Record
	row := inspect.Record{Parent: head.Parent, Direction: head.Direction}
	after := false
	for _, c := range head.Parent.Children {
		if c == head.Fields[n-1] {
			after = true
			continue
		}
		if !after || !strings.HasSuffix(c.Group, "]") {
			continue
		}
		if c.Group != row.Group {
			row.Group, row.Fields = c.Group, nil
		}
		if len(row.Fields) == n {
			continue // longer than the head: no row of it
		}
		field := *c
		field.Name = string(head.Fields[len(row.Fields)].Data)
		row.Fields = append(row.Fields, &field)
		if len(row.Fields) == n {
			out = append(out, row)
			if len(out) == maxRows {
				return out
			}
		}
	}
	return out
}
