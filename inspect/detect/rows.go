package detect

import (
	"bytes"
	"iter"
	"strconv"
	"strings"

	"constat/inspect"
)

// maxRows bounds how many rows are made of one table.
const maxRows = 200

// maxTexts bounds how many texts are read as tables in one tree.
const maxTexts = 200

// maxTables bounds how many tables are looked for in one tree.
const maxTables = 8

// messageRecords yields the records of t, and the rows of tables that look as if
// they held messages.
func messageRecords(t *inspect.Tree) iter.Seq[inspect.Record] {
	return func(yield func(inspect.Record) bool) {
		tables := 0
		for r := range records(t, messageGate) {
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
			for _, row := range tableRows(r, maxRows) {
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
// "body", "date"], "rows": [["+33…", "…", 1406800000]]}. There are at most most.
func tableRows(head inspect.Record, most int) []inspect.Record {
	n := len(head.Fields)
	var out []inspect.Record
	row := inspect.Record{Parent: head.Parent, Direction: head.Direction}
	after := false
	for _, c := range head.Parent.Children {
		if c == head.Fields[n-1] {
			after = true
			continue
		}
		if !after || !strings.HasSuffix(c.Group, "]") || c.Path[len(c.Path)-1] != ']' {
			continue
		}
		if c.Group != row.Group {
			row.Group, row.Fields = c.Group, make([]*inspect.Part, 0, n)
		}
		if len(row.Fields) == n {
			continue // longer than the head: no row of it
		}
		// Not a copy of c, which would have the number of its name.
		row.Fields = append(row.Fields, &inspect.Part{
			Path: c.Path, Direction: c.Direction, Data: c.Data, Name: string(head.Fields[len(row.Fields)].Data), Group: c.Group,
			Kind: c.Kind, Media: c.Media, Coding: c.Coding, Depth: c.Depth, Parent: c.Parent, Children: c.Children, Same: c.Same,
		})
		if len(row.Fields) == n {
			out = append(out, row)
			if len(out) == most {
				return out
			}
		}
	}
	return out
}

// maxColumns bounds the values of one line.
const maxColumns = 64

// lines makes cards of a text that is a table (RFC 4180, and with semicolons,
// tabs or bars): each line has as many values as the first. The cells stand at
// the path of p. They have the names of the first line if that holds names of
// columns, and else none.
func (g *gather) lines(p *inspect.Part) []*card {
	d := bytes.TrimPrefix(p.Data[:min(len(p.Data), 1<<20)], []byte("\ufeff"))
	if c := d[0]; c == '{' || c == '[' || c == '<' || c == '%' {
		return nil
	}
	d = withoutPreamble(d)
	end := bytes.IndexByte(d, '\n')
	if end < 3 || end > 4<<10 {
		return nil
	}
	separator, most := byte(0), 0
	for _, c := range []byte(",;\t|") {
		if n := bytes.Count(d[:end], []byte{c}); n > most {
			separator, most = c, n
		}
	}
	if most == 0 || most >= maxColumns {
		return nil
	}
	head, d := splitLine(d, separator)
	known := 0
	for _, h := range head {
		if len(h) <= maxName && g.column(string(h)) {
			known++
		}
	}
	if !bytes.ContainsAny(bytes.Join(head, nil), "0123456789@") && len(head) > 1 && bytes.ContainsAny(d[:min(len(d), 512)], "0123456789@") {
		known = max(known, 2) // names, and behind them values
	}
	var out []*card
	add := func(row [][]byte) {
		c := &card{parent: p, group: "line[" + strconv.Itoa(len(out)) + "]", list: "line[]", scalar: known < 2}
		for i, v := range row {
			if len(v) == 0 {
				continue
			}
			x := &inspect.Part{Path: p.Path, Direction: p.Direction, Data: v, Kind: inspect.Text, Depth: p.Depth, Parent: p}
			if known >= 2 {
				x.Name = strings.ToValidUTF8(string(head[i]), "")
			}
			c.cells = append(c.cells, cell{Part: x, name: x.Name})
		}
		if len(c.cells) > 0 {
			out = append(out, c)
		}
	}
	if known < 2 {
		add(head)
	}
	for len(d) > 0 && len(out) < maxRows {
		var row [][]byte
		row, d = splitLine(d, separator)
		if len(row) == 1 && len(row[0]) == 0 {
			continue
		}
		if len(row) != len(head) {
			if len(d) > 0 {
				return nil
			}
			break
		}
		add(row)
	}
	if len(out) < 2 && known < 2 {
		return nil
	}
	return out
}

// withoutPreamble cuts off a first line that is none of the table's: the "sep=;"
// that spreadsheets read, a title, or whose table it is. It has no more than one
// of the marks that separate values, and the second line has several.
func withoutPreamble(d []byte) []byte {
	first, rest, ok := bytes.Cut(d, []byte{'\n'})
	if !ok || len(first) > 80 {
		return d
	}
	if word := bytes.TrimRight(first, "\r"); len(word) == 5 && equalFold(string(word[:4]), "sep=") {
		return rest
	}
	second, _, ok := bytes.Cut(rest[:min(len(rest), 4<<10)], []byte{'\n'})
	if !ok || bytes.ContainsAny(first, ",;\t|") || bytes.Count(second, []byte{'|'}) < 2 {
		return d
	}
	return rest
}

// splitLine cuts the first line of d at the separator, outside of quotes.
func splitLine(d []byte, separator byte) (row [][]byte, rest []byte) {
	for {
		if len(d) > 0 && d[0] == '"' {
			if end := bytes.IndexByte(d[1:], '"'); end >= 0 {
				value := d[1 : 1+end]
				d = d[2+end:]
				next := bytes.IndexAny(d, string([]byte{separator, '\n'}))
				row = append(row, value)
				if next < 0 {
					return row, nil
				}
				c := d[next]
				if d = d[next+1:]; c == '\n' || len(row) > maxColumns {
					return row, d
				}
				continue
			}
		}
		next := bytes.IndexAny(d, string([]byte{separator, '\n'}))
		if next < 0 {
			return append(row, bytes.TrimSpace(d)), nil
		}
		row = append(row, bytes.TrimSpace(d[:next]))
		c := d[next]
		if d = d[next+1:]; c == '\n' || len(row) > maxColumns {
			return row, d
		}
	}
}
