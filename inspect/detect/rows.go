package detect

import (
	"bytes"
	"html"
	"iter"
	"strings"
	"unicode/utf8"

	"constat/inspect"
)

// maxRows bounds how many rows are made of one table or XML document.
const maxRows = 200

// maxTables bounds how many tables are looked for in one tree.
const maxTables = 8

// messageRecords yields the records of t, and behind them the rows of tables
// and XML documents that look as if they held messages.
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
		for _, p := range t.Parts {
			for _, row := range xmlRows(p) {
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

// xmlRows returns the attributes of the elements sms, message and mms of an XML
// document as records, as SMS Backup & Restore writes them:
// <sms address="+33…" date="1406800000123" type="1" body="…" />
// (synctech.com.au/sms-backup-restore/fields-in-xml-backup-files).
func xmlRows(p *inspect.Part) []inspect.Record {
	d := p.Data
	if len(d) < 32 || d[0] != '<' && d[0] > ' ' && d[0] != 0xef || p.Same != nil {
		return nil
	}
	if d = bytes.TrimLeft(d, "\ufeff \r\n\t"); len(d) < 32 || d[0] != '<' {
		return nil
	}
	var out []inspect.Record
	for len(out) < maxRows {
		i := bytes.IndexByte(d, '<')
		if i < 0 {
			break
		}
		d = d[i+1:]
		name, ok := elementName(d)
		if !ok {
			continue
		}
		var fields []*inspect.Part
		fields, d = attributes(p, d[len(name):])
		if len(fields) >= 3 {
			out = append(out, inspect.Record{Parent: p, Group: name, Fields: fields, Direction: p.Direction})
		}
	}
	return out
}

func elementName(d []byte) (string, bool) {
	for _, name := range []string{"sms", "message", "mms", "row", "msg"} {
		if len(d) > len(name) && string(d[:len(name)]) == name && d[len(name)] <= ' ' {
			return name, true
		}
	}
	return "", false
}

// attributes reads the attributes of one element. Each is a field that stands
// at the path of p.
func attributes(p *inspect.Part, d []byte) (fields []*inspect.Part, rest []byte) {
	for len(fields) < 64 {
		d = bytes.TrimLeft(d, " \r\n\t")
		eq := bytes.IndexByte(d, '=')
		if eq <= 0 || eq > maxName || eq+2 > len(d) || d[0] == '>' || d[0] == '/' {
			return fields, d
		}
		quote := d[eq+1]
		if quote != '"' && quote != '\'' {
			return fields, d
		}
		end := bytes.IndexByte(d[eq+2:], quote)
		if end < 0 {
			return fields, d
		}
		value := d[eq+2 : eq+2+end]
		if bytes.IndexByte(value, '&') >= 0 && len(value) <= 8<<10 {
			value = []byte(html.UnescapeString(string(value)))
		}
		if name := string(bytes.TrimSpace(d[:eq])); utf8.ValidString(name) {
			fields = append(fields, &inspect.Part{
				Path: p.Path, Direction: p.Direction, Data: value, Name: name, Kind: inspect.Text, Depth: p.Depth, Parent: p,
			})
		}
		d = d[eq+2+end+1:]
	}
	return fields, d
}
