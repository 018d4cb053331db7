package inspect

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"constat/proxy/flow"
)

// Tree is a Subject taken apart. It is safe for concurrent use. The one that a
// detector is given, with all its parts, is valid during that call only; the
// strings in it stay valid.
type Tree struct {
	Subject *Subject
	Parts   []*Part // breadth first, roots included
	// Names are the different names that parts have, in the order of Parts. There
	// are few of them: the objects of a list have the same.
	Names []string
	table *nameTable

	searched atomic.Int32
	indexed  sync.Once
	index    map[Path]*Part
	once     sync.Once
	records  []Record
	fields   []*Part // of the records that are not whole lists of children

	sharing sync.Mutex
	has     bool // shared is made
	shared  []Record

	documents []Document
	columns   []Column
	making    columns
}

// Record is what belongs together: the values of one JSON object or array, the
// fields of one form, the headers of one message.
type Record struct {
	Parent    *Part // that the fields were taken out of; nil for headers and cookies
	Group     string
	Fields    []*Part // in the order of the wire; for headers, of their names
	Direction flow.Direction
}

// Path is the path of the parent, and of headers and cookies the path of the
// first one: always one that can be replayed.
func (r Record) Path() Path {
	if r.Parent != nil {
		return r.Parent.Path
	}
	return r.Fields[0].Path
}

// Field returns the first field with one of these names, whatever their case;
// an earlier name wins over a later one. It returns nil when there is none.
func (r Record) Field(names ...string) *Part {
	for _, name := range names {
		for _, f := range r.Fields {
			if f.Name != "" && f.Name[0] < utf8.RuneSelf && name != "" && name[0] < utf8.RuneSelf && (f.Name[0]^name[0])&^0x20 != 0 {
				continue // most names differ in the first letter
			}
			if strings.EqualFold(f.Name, name) {
				return f
			}
		}
	}
	return nil
}

// Records yields the records of the tree in the order of Parts. It is safe for
// concurrent use.
func (t *Tree) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		t.once.Do(t.group)
		for _, r := range t.records {
			if !yield(r) {
				return
			}
		}
	}
}

// Share returns the records that make appends to an empty list. It is called once
// for each tree, for whoever asks first: detectors that read the same from values,
// such as tables inside texts, share what one of them has made, and ask with the
// same function. The list must not be changed. It is safe for concurrent use.
func (t *Tree) Share(make func(list []Record, t *Tree) []Record) []Record {
	t.sharing.Lock()
	defer t.sharing.Unlock()
	if !t.has {
		t.shared = make(t.shared[:0], t)
		t.has = true // unless make panicked
	}
	return t.shared
}

// Part returns the part that p names, nil when there is none.
func (t *Tree) Part(p Path) *Part {
	const few, often = 256, 16 // parts are searched faster than they are indexed
	if len(t.Parts) > few && t.searched.Add(1) > often {
		t.indexed.Do(func() {
			t.index = make(map[Path]*Part, len(t.Parts))
			for _, part := range t.Parts {
				t.index[part.Path] = part
			}
		})
		return t.index[p]
	}
	for _, part := range t.Parts {
		if part.Path == p {
			return part
		}
	}
	return nil
}

func (t *Tree) group() {
	roots := 0
	for roots < len(t.Parts) && t.Parts[roots].Parent == nil {
		roots++
	}
	t.add(nil, t.Parts[:roots])
	for _, p := range t.Parts {
		if len(p.Children) > 0 {
			t.add(p, p.Children)
		}
	}
	// The list of records has moved while it grew.
	at := 0
	for i := range t.documents {
		d := &t.documents[i]
		n := at + len(d.Records)
		d.Records = t.records[at:n:n]
		at = n
	}
}

// add appends the document of one list of siblings. Those of one decoder, or of one
// kind of root, stand together in it.
func (t *Tree) add(parent *Part, parts []*Part) {
	records, first := len(t.records), len(t.columns)
	all := parts
	t.making.begin()
	for len(parts) > 0 {
		n := len(parts)
		if step := parts[0].step; step != parts[n-1].step {
			for n = 1; parts[n].step == step; {
				n++
			}
		}
		t.addRun(parent, parts[:n:n], first)
		parts = parts[n:]
	}
	d := Document{Parent: parent, Parts: all, Records: t.records[records:], Columns: t.columns[first:len(t.columns):len(t.columns)]}
	for i := range d.Columns {
		c := &d.Columns[i]
		d.Rows = d.Rows || c.Elements && strings.HasSuffix(c.Place, "]") && !strings.HasSuffix(c.Place, `"]`)
	}
	t.documents = append(t.documents, d)
}

// addRun appends the records of siblings that one decoder has made, and their
// columns behind those of the same document, which begin at first.
func (t *Tree) addRun(parent *Part, run []*Part, first int) {
	if run[0].Record == 0 {
		numberRecords(run)
	}
	x := &t.making
	clear(x.records)
	x.records = x.records[:0]
	record, place := -1, uint32(0)
	for _, p := range run {
		if n := max(int(p.Record)-1, 0); n != record {
			if record = n; n == len(x.records) {
				x.records = append(x.records, making{place: x.placeOf(p.Group), group: p.Group})
			}
			place = x.records[n].place
		}
		x.records[record].fields++
		t.addField(p, place, first)
	}
	if len(x.records) == 1 {
		t.records = append(t.records, Record{parent, run[0].Group, run, run[0].Direction})
		return
	}
	start := len(t.fields)
	t.fields = slices.Grow(t.fields, len(run))[:start+len(run)]
	for i := range x.records {
		r := &x.records[i]
		end := start + r.fields
		t.records = append(t.records, Record{parent, r.group, t.fields[start:end:end], run[0].Direction})
		start, r.fields = end, start
	}
	for _, p := range run {
		r := &x.records[p.Record-1]
		t.fields[r.fields] = p
		r.fields++
	}
}

// numberRecords numbers the records of siblings, which need not stand together,
// unless there is only one.
func numberRecords(run []*Part) {
	n := 1
	for n < len(run) && run[n].Group == run[0].Group {
		n++
	}
	if n == len(run) {
		return
	}
	numbers := make(map[string]uint32)
	for i, p := range run {
		if i > 0 && p.Group == run[i-1].Group {
			p.Record = run[i-1].Record
			continue
		}
		if p.Record = numbers[p.Group]; p.Record == 0 {
			p.Record = uint32(len(numbers)) + 1
			numbers[p.Group] = p.Record
		}
	}
}
