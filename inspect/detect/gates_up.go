package detect

import (
	"iter"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// ungated opens all gates but those of gathers: tests find out that they turn
// nothing away.
var ungated bool

// A picker says which columns of a document a detector can find something in,
// by setting their elements of may, and reports whether there is one, or else
// whether its records must be looked at all the same. It asks for less than the
// detector does.
type picker func(d *inspect.Document, may []bool) bool

// sieve is room for what a picker says.
type sieve struct {
	few  [64]bool
	many []bool
}

func (s *sieve) of(d *inspect.Document) []bool {
	n := len(d.Columns)
	if n > len(s.few) {
		if n > len(s.many) {
			s.many = make([]bool, n)
		}
		clear(s.many[:n])
		return s.many[:n]
	}
	clear(s.few[:n])
	return s.few[:n]
}

// goesUp says that parts of d went up. The roots went either way.
func goesUp(d *inspect.Document) bool { return d.Parent == nil || d.Parent.Direction == flow.Up }

// upParts yields the parts that went up, but for repeated ones, in the columns
// that pick picks, in the order of Tree.Parts.
func upParts(t *inspect.Tree, pick picker) iter.Seq[*inspect.Part] {
	return func(yield func(*inspect.Part) bool) {
		var s sieve
		docs := t.Documents()
		for i := range docs {
			d := &docs[i]
			if !goesUp(d) {
				continue
			}
			may := s.of(d)
			if !pick(d, may) && !ungated {
				continue
			}
			for _, p := range d.Parts {
				if (may[p.Column()] || ungated) && p.Direction == flow.Up && p.Same == nil && !yield(p) {
					return
				}
			}
		}
	}
}

// upRecords yields the records that went up, headers and cookies too, of documents
// that pick picks, and behind them those that are written as lists of names and
// values. With a record come the columns that pick picked; nil stands for all, as for
// records that were made of values, whose fields are in no column.
func upRecords(t *inspect.Tree, pick picker) iter.Seq2[inspect.Record, []bool] {
	return func(yield func(inspect.Record, []bool) bool) {
		var s sieve
		tables, heads := 0, 0
		docs := t.Documents()
		for i := range docs {
			d := &docs[i]
			if !goesUp(d) {
				continue
			}
			rows, may := d.Rows && hasWords(d), []bool(nil)
			if !rows && !ungated && !severalDecoders(d) {
				if may = s.of(d); !pick(d, may) {
					continue
				}
			}
			for _, r := range d.Records {
				if r.Direction != flow.Up {
					continue
				}
				if !yield(r, may) {
					return
				}
				if rows && tables < maxTables && heads < maxHeads && len(r.Fields) > 0 && r.Fields[0].Kind == inspect.Text && isNames(r, &heads) {
					list := tableRows(r, looseRows)
					if len(list) > 0 {
						tables++
					}
					for _, row := range list {
						if !yield(row, nil) {
							return
						}
					}
				}
			}
		}
		for _, r := range t.Share(appendMade) {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// severalDecoders says that more than one decoder took the parent of d apart: then
// the fields of a column need not be of one.
func severalDecoders(d *inspect.Document) bool {
	return d.Parent != nil && d.Parts[0].Decoder() != d.Parts[len(d.Parts)-1].Decoder()
}

// hasWords says that an array of d can hold texts: the heads of tables.
func hasWords(d *inspect.Document) bool {
	for i := range d.Columns {
		if c := &d.Columns[i]; c.Has(inspect.Text) && (c.Elements || c.First.Decoder() == "xml") {
			return true
		}
	}
	return false
}

// appendMade appends the records that are made of values: of lists of names and
// values, and of texts that no decoder takes apart.
func appendMade(out []inspect.Record, t *inspect.Tree) []inspect.Record {
	docs := t.Documents()
	for i := range docs {
		if d := &docs[i]; d.Parent != nil && goesUp(d) && hasPairs(d) {
			out = append(out, namedValues(d.Parent)...)
		}
	}
	lists := 0
	for p := range upParts(t, mayBeLoose) {
		if p.Kind > inspect.Text || len(p.Data) < 16 || lists == maxLoose || p.Holds()&(inspect.Newlines|inspect.Equals|inspect.Colons) == 0 {
			continue
		}
		if n := len(p.Children); n > 1 || n == 1 && p.Children[0].Decoder() != "form" {
			continue
		}
		if rows := looseRecords(p); len(rows) > 0 {
			lists++
			out = append(out, rows...)
		}
	}
	return out
}

// hasPairs says that d can hold a list of names and values.
func hasPairs(d *inspect.Document) bool {
	value := false
	for i := range d.Columns {
		c := &d.Columns[i]
		_, inside := valueGroup(strings.TrimSuffix(c.Place, "[]"))
		value = value || inside || isValueName(c.Name)
	}
	keyed := false
	for i := range d.Columns {
		keyed = keyed || isKeyName(d.Columns[i].Name) && d.Columns[i].Has(inspect.Text)
	}
	if !(value && keyed) && !ungated {
		return false
	}
	for _, r := range d.Records {
		if len(r.Fields) > 12 {
			continue
		}
		for _, f := range r.Fields {
			if isKeyName(f.Name) && f.Kind == inspect.Text {
				return true
			}
		}
	}
	return false
}

// mayBeLoose picks texts that can be tables, or names with values: in lines, between
// separators, or in what a program wrote.
func mayBeLoose(d *inspect.Document, may []bool) bool {
	const signs = inspect.Equals | inspect.Colons
	const separators = inspect.Semicolons | inspect.Bars | inspect.Controls | inspect.Commas | inspect.Carets | inspect.Hashes | inspect.Tildes | inspect.Others
	some := false
	for i := range d.Columns {
		c := &d.Columns[i]
		if c.Max < 16 || !hasText(c) {
			continue
		}
		may[i] = c.Holds&inspect.Newlines != 0 || c.Holds&signs != 0 && (c.Holds&separators != 0 || c.Has(inspect.Bytes) || logNames.of(c.Name))
		some = some || may[i]
	}
	return some
}

// sameAround says that the objects around the fields of c are all called the same.
func sameAround(c *inspect.Column) bool {
	for i := 0; i+1 < len(c.Place); i++ {
		if c.Place[i] == '[' && c.Place[i+1] != ']' && c.Place[i+1] != '"' && c.Place[i+1] != '\'' {
			return false
		}
	}
	return true
}
