package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"constat/inspect"
)

// SQLite takes the rows out of the tables of a SQLite database file. The
// argument is the table, the number of the row in it and the column, as JSON
// would write them; a row is one record:
//
//	messages[3].body
//
// A column without a value is left out, and so are the tables of SQLite itself,
// what was deleted, and what stands in a write-ahead log only. If there is more
// than may be looked at, each table gets its share.
var SQLite = inspect.Decoder{
	Name:   "sqlite",
	Doc:    "takes the rows out of the tables of a SQLite database file (sqlite.org/fileformat2.html)",
	Min:    512,
	First:  "S",
	Decode: decodeSQLite,
}

const (
	sqliteMagic   = "SQLite format 3\x00"
	sqliteColumns = 2000 // SQLITE_MAX_COLUMN
)

// Types of pages (section 1.6).
const (
	pageInterior = 0x05
	pageLeaf     = 0x0d
	pageIndex    = 0x0a // and 0x02: of indexes and of tables WITHOUT ROWID
)

var (
	errRowid = errors.New("sqlite: a table without rowid is not read")
	errWork  = errors.New("sqlite: pages refer to themselves")
)

func decodeSQLite(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] != 'S' || string(d[:len(sqliteMagic)]) != sqliteMagic {
		return nil, nil
	}
	s := sqlite{w: w, d: d, size: int(binary.BigEndian.Uint16(d[16:])), coding: d[59], work: 4*len(d) + 1<<16}
	if s.size == 1 {
		s.size = 65536
	}
	s.usable = s.size - int(d[20])
	if s.size < 512 || s.size&(s.size-1) != 0 || s.usable < 480 {
		return nil, broken("sqlite", errField)
	}
	s.seen = make([]bool, len(d)/s.size+2)
	s.places = newPlaces(w.Parts())
	defer s.places.done()
	s.places.open(false)
	tables, err := s.tables()
	s.left = w.Parts()
	small, large := 0, 0 // values in tables of one page, and tables that have more
	for i := range tables {
		if n := s.most(&tables[i]); n < 0 {
			large++
		} else {
			small += n
		}
	}
	for i := range tables {
		t := &tables[i]
		if n := s.most(t); n >= 0 {
			s.share = s.left
			small -= n
		} else {
			s.share = max(s.left-small, s.left/2) / large
			large--
		}
		if e := s.table(t); e != nil && (err == nil || e == inspect.ErrBytes) {
			err = e
		}
		if err == inspect.ErrBytes {
			break
		}
	}
	if pages := binary.BigEndian.Uint32(d[28:]); err == nil && bytes.Equal(d[24:28], d[92:96]) && uint64(pages)*uint64(s.size) > uint64(len(d)) {
		err = errEnd
	}
	if err != nil {
		err = broken("sqlite", err)
	}
	return s.places.children(w), err
}

// sqlite reads one database.
type sqlite struct {
	w            *inspect.Work
	d            []byte
	size, usable int    // of a page
	coding       byte   // of text: 1 UTF-8, 2 UTF-16LE, 3 UTF-16BE
	seen         []bool // pages: each has one place in one tree
	work         int    // bytes that may still be looked at, counted again for each look
	places       *places
	left, share  int // values that may still be made, and of the table
}

type sqliteTable struct {
	name    string
	root    uint32
	columns []sqliteColumn
}

type sqliteColumn struct {
	name    string
	rowid   bool // another name of the rowid
	virtual bool // computed, not stored
}

// most returns how many values a table has at most, -1 if it has more than one
// page.
func (s *sqlite) most(t *sqliteTable) int {
	start := (int64(t.root) - 1) * int64(s.size)
	if start+8 > int64(len(s.d)) || s.d[start] != pageLeaf {
		return -1
	}
	return int(binary.BigEndian.Uint16(s.d[start+3:])) * len(t.columns)
}

// tables reads the table sqlite_schema (section 2.6).
func (s *sqlite) tables() ([]sqliteTable, error) {
	var list []sqliteTable
	var without error
	err := s.rows(1, func(_ int64, payload []byte) error {
		var f [5]sqliteValue
		if n := s.record(payload, f[:]); n < 5 {
			return nil
		}
		name := s.text(f[1].data)
		if string(s.text(f[0].data)) != "table" || f[3].kind != inspect.Number || f[3].int <= 0 || f[3].int > math.MaxUint32 || bytes.HasPrefix(name, []byte("sqlite_")) {
			return nil
		}
		if s.work -= len(f[4].data); s.work < 0 {
			return errWork
		}
		columns, rowid := parseCreateTable(s.text(f[4].data))
		if !rowid {
			without = errRowid
			return nil
		}
		if len(list) == 1000 {
			return inspect.ErrParts
		}
		list = append(list, sqliteTable{string(name), uint32(f[3].int), columns})
		return nil
	})
	if err == nil {
		err = without
	}
	return list, err
}

// table makes values of the rows of t.
func (s *sqlite) table(t *sqliteTable) error {
	values := make([]sqliteValue, min(len(t.columns)+8, sqliteColumns))
	s.places.field([]byte(t.name))
	if !s.places.open(true) {
		return errField
	}
	defer s.places.end()
	return s.rows(t.root, func(rowid int64, payload []byte) error {
		n := s.record(payload, values)
		s.places.element()
		s.places.open(false)
		defer s.places.end()
		stored := 0
		for i := 0; stored < n; i++ {
			var column sqliteColumn
			switch {
			case i < len(t.columns):
				column = t.columns[i]
			default:
				column.name = "column" + strconv.Itoa(i)
			}
			if column.virtual {
				continue
			}
			v := &values[stored]
			stored++
			if v.kind == inspect.Null {
				if !column.rowid {
					continue
				}
				v.kind, v.data = inspect.Number, strconv.AppendInt(nil, rowid, 10)
			} else if v.kind == inspect.Text && s.coding > 1 {
				v.data = s.text(v.data)
			}
			if s.share == 0 {
				return inspect.ErrParts
			}
			if v.kind != inspect.Bytes && !s.w.Take(len(v.data)) {
				return inspect.ErrBytes
			}
			kind := v.kind
			if kind == inspect.Text && !utf8.Valid(v.data) {
				kind = inspect.Bytes
			}
			s.places.field([]byte(column.name))
			if !s.places.value(v.data, kind) {
				return inspect.ErrParts
			}
			s.share--
			s.left--
		}
		return nil
	})
}

// rows calls f for each row of the table whose root is a page, in the order of
// the rowids, until f returns an error.
func (s *sqlite) rows(root uint32, f func(rowid int64, payload []byte) error) error {
	stack := []uint32{root}
	var lost error
	for len(stack) > 0 {
		number := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		page, head, err := s.page(number)
		if err != nil {
			lost = err
			continue
		}
		kind, cells := page[head], int(binary.BigEndian.Uint16(page[head+3:]))
		pointers := head + 8
		switch kind {
		case pageInterior:
			pointers += 4
			stack = append(stack, binary.BigEndian.Uint32(page[head+8:]))
		case pageLeaf:
		case pageIndex, pageIndex - 8:
			lost = errRowid
			continue
		default:
			lost = errField
			continue
		}
		if pointers+2*cells > s.usable {
			lost = errField
			continue
		}
		if kind == pageInterior {
			for i := cells - 1; i >= 0; i-- {
				at := int(binary.BigEndian.Uint16(page[pointers+2*i:]))
				if at+4 > s.usable {
					lost = errField
					continue
				}
				switch child := binary.BigEndian.Uint32(page[at:]); {
				case int64(child) >= int64(len(s.seen)):
					lost = errEnd
				case s.seen[child]:
					lost = errWork
				default:
					stack = append(stack, child)
				}
			}
			continue
		}
		for i := range cells {
			at := int(binary.BigEndian.Uint16(page[pointers+2*i:]))
			rowid, payload, err := s.cell(page, at)
			if err == inspect.ErrBytes || err == errWork {
				return err
			}
			if err != nil {
				lost = err
				continue
			}
			if err := f(rowid, payload); err != nil {
				return err
			}
		}
	}
	return lost
}

// page returns a page that nobody asked for before, and where its header begins.
func (s *sqlite) page(number uint32) (page []byte, head int, err error) {
	if number == 0 || int64(number) >= int64(len(s.seen)) {
		return nil, 0, errEnd
	}
	if s.seen[number] {
		return nil, 0, errWork
	}
	s.seen[number] = true
	start := (int(number) - 1) * s.size
	if start+s.size > len(s.d) {
		return nil, 0, errEnd
	}
	if number == 1 {
		head = 100
	}
	return s.d[start : start+s.usable : start+s.usable], head, nil
}

// cell reads the cell of a leaf (section 1.6). Its payload shares the memory of
// the page unless it goes on in others.
func (s *sqlite) cell(page []byte, at int) (rowid int64, payload []byte, err error) {
	if at >= len(page) {
		return 0, nil, errField
	}
	size, n := sqliteVarint(page[at:])
	at += n
	id, m := sqliteVarint(page[min(at, len(page)):])
	at += m
	if n == 0 || m == 0 || size > uint64(len(s.d)) {
		return 0, nil, errField
	}
	total, local := int(size), int(size)
	if most := s.usable - 35; total > most {
		least := (s.usable-12)*32/255 - 23
		if local = least + (total-least)%(s.usable-4); local > most {
			local = least
		}
	}
	if s.work -= 16 + local/8; s.work < 0 {
		return 0, nil, errWork
	}
	if at+local > len(page) {
		return 0, nil, errField
	}
	if local == total {
		return int64(id), page[at : at+local : at+local], nil
	}
	if at+local+4 > len(page) {
		return 0, nil, errField
	}
	if !s.w.Take(total) {
		return 0, nil, inspect.ErrBytes
	}
	payload = append(make([]byte, 0, total), page[at:at+local]...)
	for next := binary.BigEndian.Uint32(page[at+local:]); len(payload) < total; {
		more, _, err := s.page(next)
		if err != nil {
			return 0, nil, err
		}
		next = binary.BigEndian.Uint32(more)
		payload = append(payload, more[4:min(len(more), 4+total-len(payload))]...)
	}
	return int64(id), payload, nil
}

// sqliteVarint reads a variable-length integer; n is 0 if there is none.
func sqliteVarint(b []byte) (v uint64, n int) {
	for i, c := range b[:min(len(b), 9)] {
		if i == 8 {
			return v<<8 | uint64(c), 9
		}
		if v = v<<7 | uint64(c&0x7f); c < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

// sqliteValue is a value of a record.
type sqliteValue struct {
	kind inspect.Kind
	data []byte // numbers as text
	int  int64
}

// record reads the record in payload (section 2.1) into values and returns how
// many there are.
func (s *sqlite) record(payload []byte, values []sqliteValue) int {
	head, n := sqliteVarint(payload)
	if n == 0 || head < uint64(n) || head > uint64(len(payload)) {
		return 0
	}
	if s.work -= int(head); s.work < 0 {
		return 0
	}
	types, body := payload[n:head], payload[head:]
	count := 0
	for ; len(types) > 0 && count < len(values); count++ {
		kind, n := sqliteVarint(types)
		if n == 0 {
			break
		}
		types = types[n:]
		size := 0
		switch {
		case kind <= 4:
			size = int(kind)
		case kind == 5:
			size = 6
		case kind <= 7:
			size = 8
		case kind >= 12:
			if (kind-12)/2 > uint64(len(body)) {
				return count
			}
			size = int(kind-12) / 2
		}
		if size > len(body) {
			return count
		}
		b := body[:size:size]
		body = body[size:]
		v := &values[count]
		*v = sqliteValue{data: b}
		switch {
		case kind == 0 || kind == 10 || kind == 11:
			v.kind = inspect.Null
		case kind <= 6:
			for i, c := range b {
				if i == 0 {
					v.int = int64(int8(c))
				} else {
					v.int = v.int<<8 | int64(c)
				}
			}
			v.kind, v.data = inspect.Number, strconv.AppendInt(nil, v.int, 10)
		case kind == 7:
			x := math.Float64frombits(binary.BigEndian.Uint64(b))
			v.kind, v.data = inspect.Number, strconv.AppendFloat(nil, x, 'f', -1, 64)
			if math.IsNaN(x) || math.IsInf(x, 0) {
				v.kind = inspect.Null
			}
		case kind <= 9:
			v.int = int64(kind - 8)
			v.kind, v.data = inspect.Number, strconv.AppendInt(nil, v.int, 10)
		case kind%2 == 1:
			v.kind = inspect.Text
		}
	}
	return count
}

// text returns text in the coding of the database as UTF-8.
func (s *sqlite) text(b []byte) []byte {
	if s.coding != 2 && s.coding != 3 {
		return b
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		if s.coding == 2 {
			units[i] = binary.LittleEndian.Uint16(b[2*i:])
		} else {
			units[i] = binary.BigEndian.Uint16(b[2*i:])
		}
	}
	return []byte(string(utf16.Decode(units)))
}

// parseCreateTable returns the columns that a CREATE TABLE statement declares,
// and whether the rows have rowids.
func parseCreateTable(sql []byte) (columns []sqliteColumn, rowid bool) {
	t := sqlTokens{b: sql}
	for { // to the list of columns; an AS SELECT is stored as a list, too
		word, quoted := t.next()
		if word == "" && !quoted {
			return nil, true
		}
		if word == "(" && !quoted {
			break
		}
	}
	depth, first, rowid := 1, true, true
	var column sqliteColumn
	var words []string // of the definition, in capitals
	key := ""          // column of a PRIMARY KEY of the table
	integers := make(map[string]bool)
	finish := func() {
		if first {
			return
		}
		stored, integer, primary := false, len(words) > 0 && words[0] == "INTEGER", false
		for i, word := range words {
			stored = stored || word == "STORED"
			column.virtual = column.virtual || word == "AS" || word == "GENERATED"
			primary = primary || word == "PRIMARY" && i+1 < len(words) && words[i+1] == "KEY"
		}
		column.virtual = column.virtual && !stored
		column.rowid = integer && primary
		integers[column.name] = integer
		if len(columns) < sqliteColumns {
			columns = append(columns, column)
		}
	}
	constraint := false
	for depth > 0 {
		word, quoted := t.next()
		if word == "" && !quoted {
			break
		}
		upper := word
		if !quoted {
			upper = strings.ToUpper(word)
		}
		switch {
		case !quoted && word == "(":
			depth++
		case !quoted && word == ")":
			if depth--; depth == 0 && !constraint {
				finish()
			}
		case !quoted && word == "," && depth == 1:
			if !constraint {
				finish()
			}
			first, constraint, words, column = true, false, nil, sqliteColumn{}
		case first:
			first = false
			if !quoted && (upper == "CONSTRAINT" || upper == "PRIMARY" || upper == "UNIQUE" || upper == "CHECK" || upper == "FOREIGN") {
				constraint, words = true, append(words, upper)
				break
			}
			column.name = word
		case constraint && depth == 2 && len(words) > 1 && words[len(words)-2] == "PRIMARY" && words[len(words)-1] == "KEY":
			if key == "" {
				key = word
			} else {
				key = "," // of several columns
			}
		case depth == 1 && !quoted && len(words) < 64:
			words = append(words, upper)
		}
	}
	for i := range columns {
		if key != "" && strings.EqualFold(columns[i].name, key) && integers[columns[i].name] {
			columns[i].rowid = true
		}
	}
	for last := ""; ; {
		word, quoted := t.next()
		if word == "" && !quoted {
			return columns, rowid
		}
		if strings.EqualFold(word, "ROWID") && strings.EqualFold(last, "WITHOUT") {
			rowid = false
		}
		last = word
	}
}

// sqlTokens cuts SQL into words, punctuation and quoted names.
type sqlTokens struct {
	b []byte
}

// next returns the next token, "" and not quoted at the end.
func (t *sqlTokens) next() (word string, quoted bool) {
	for {
		t.b = bytes.TrimLeft(t.b, " \t\r\n\f")
		switch {
		case bytes.HasPrefix(t.b, []byte("--")):
			_, t.b, _ = bytes.Cut(t.b, []byte("\n"))
			continue
		case bytes.HasPrefix(t.b, []byte("/*")):
			_, t.b, _ = bytes.Cut(t.b[2:], []byte("*/"))
			continue
		}
		break
	}
	if len(t.b) == 0 {
		return "", false
	}
	switch c := t.b[0]; c {
	case '"', '\'', '`', '[':
		if c == '[' {
			c = ']'
		}
		var name []byte
		for t.b = t.b[1:]; ; {
			part, rest, _ := bytes.Cut(t.b, []byte{c})
			name, t.b = append(name, part...), rest
			if c == ']' || len(rest) == 0 || rest[0] != c {
				return string(name), true
			}
			name, t.b = append(name, c), rest[1:] // the quote, doubled
		}
	}
	n := 0
	for n < len(t.b) && (class[t.b[n]]&(upper|lower|digit) != 0 || t.b[n] == '_' || t.b[n] == '$' || t.b[n] >= utf8.RuneSelf) {
		n++
	}
	n = max(n, 1)
	word, t.b = string(t.b[:n]), t.b[n:]
	return word, false
}
