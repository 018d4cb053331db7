package inspect

import "hash/maphash"

// Chars is a set of kinds of bytes.
type Chars uint32

// The kinds of bytes. Each byte is of one.
const (
	Digits Chars = 1 << iota
	UpperCase
	LowerCase
	NonASCII
	Spaces
	Newlines // line feeds
	Controls // the other control characters
	Dots
	Commas
	Semicolons
	Colons
	Slashes
	Hyphens
	Underscores
	Pluses
	Ats
	Equals
	Percents
	Bars
	Braces   // { }
	Brackets // [ ]
	Parens   // ( )
	Angles   // < >
	Quotes   // double quotes
	Asterisks
	Hashes
	Carets
	Tildes
	Others

	Letters = UpperCase | LowerCase
	AnyChar = Others<<1 - 1
)

var charsOf = func() (t [256]Chars) {
	for c := range t {
		t[c] = Others
		switch {
		case c >= 0x80:
			t[c] = NonASCII
		case c < ' ' || c == 0x7f:
			t[c] = Controls
		case c-'0' < 10 && c >= '0':
			t[c] = Digits
		case c >= 'A' && c <= 'Z':
			t[c] = UpperCase
		case c >= 'a' && c <= 'z':
			t[c] = LowerCase
		}
	}
	for set, chars := range map[Chars]string{
		Spaces: " ", Newlines: "\n", Dots: ".", Commas: ",", Semicolons: ";", Colons: ":", Slashes: "/", Hyphens: "-", Underscores: "_", Pluses: "+",
		Ats: "@", Equals: "=", Percents: "%", Bars: "|", Braces: "{}", Brackets: "[]", Parens: "()", Angles: "<>", Quotes: `"`, Asterisks: "*", Hashes: "#", Carets: "^", Tildes: "~",
	} {
		for _, c := range []byte(chars) {
			t[c] = set
		}
	}
	return t
}()

// mostChars is the longest data whose bytes are looked at for Part.Holds.
const mostChars = 4 << 10

// notLooked stands in Part.chars for data that is too long to be looked at.
const notLooked Chars = 1 << 31

func charsIn(b []byte) Chars {
	if len(b) > mostChars {
		return AnyChar | notLooked
	}
	var a, z Chars
	for len(b) >= 4 {
		a |= charsOf[b[0]] | charsOf[b[1]]
		z |= charsOf[b[2]] | charsOf[b[3]]
		b = b[4:]
	}
	for _, c := range b {
		a |= charsOf[c]
	}
	return a | z
}

// Holds says of which kinds the bytes of p are. Of data that is long, and of bodies,
// it says that they may be of all; a kind that is not in it is not in p.
func (p *Part) Holds() Chars {
	if p.chars == 0 && len(p.Data) > 0 { // not in a tree
		return charsIn(p.Data) & AnyChar
	}
	return p.chars & AnyChar
}

// Document is one part that was taken apart, with what was taken out of it.
type Document struct {
	Parent  *Part   // nil for headers, cookies and the other roots
	Parts   []*Part // the roots, or the children of Parent
	Records []Record
	// Rows says that an array of values stands in an array, as the rows of tables do.
	Rows bool
	// Columns are the fields of Records by name and place, in the order in which
	// the first of each stands in the document.
	Columns []Column
}

// Column is what fields have in common that have the same name in records of the
// same place but for the indexes in it. The records of a list repeat their
// fields, so that a document of thousands of parts has few columns: what no
// column can be, no part of the document is.
type Column struct {
	Name   string // of the fields
	NameID int    // see Part.NameID
	Place  string // Record.Group, without the indexes in brackets: items[].tags[]
	First  *Part
	Fields int // how many there are
	// Elements says that one of the fields is an element of an array.
	Elements bool
	// Taken says that one of the fields was taken apart further.
	Taken bool

	Holds    Chars // what at least one of the fields holds
	Min, Max int   // length of the shortest and of the longest
	kinds    uint8
	place    uint32
}

// Has says that one of the fields is of that kind.
func (c *Column) Has(k Kind) bool { return c.kinds>>k&1 != 0 }

// Documents returns the parts that have children, in the order of Parts, behind
// one for the roots. It is safe for concurrent use.
func (t *Tree) Documents() []Document {
	t.once.Do(t.group)
	return t.documents
}

// columns makes the columns of one list of siblings.
type columns struct {
	places  map[string]uint32 // numbers of places, from 1
	names   []string          // of them
	then    []uint32          // by number: that of the place that followed it last, 0 none
	last    uint32            // number of the place looked up last
	at      []uint32          // a hash table of the columns of a document by place and name: positions from 1, 0 for none
	follow  []uint32          // by position: that of the column that followed it last
	column  uint32            // position of the column that a field was added to last
	records []making
	place   []byte // scratch
}

// making is a record while its fields are counted and put together.
type making struct {
	place  uint32
	fields int
	group  string
}

// large says that x is not worth keeping.
func (x *columns) large() bool { return len(x.places) > keptNames || cap(x.records) > keptParts }

// reset forgets all.
func (x *columns) reset() {
	clear(x.places)
	clear(x.names)
	clear(x.records)
	x.names, x.then, x.last = x.names[:0], x.then[:0], 0
}

// begin begins a document.
func (x *columns) begin() {
	if x.places == nil {
		x.places = make(map[string]uint32)
	}
	if len(x.names) == 0 {
		x.names, x.then = append(x.names, ""), append(x.then, 0)
	}
	x.follow, x.column = append(x.follow[:0], 0), 0
	x.at = append(x.at[:0], make([]uint32, 16)...)
}

// addField adds a field of a record of a place to its column. The columns of the
// document begin at first.
func (t *Tree) addField(p *Part, place uint32, first int) {
	x := &t.making
	n := x.follow[x.column]
	if n == 0 || t.columns[first+int(n)-1].NameID != int(p.name) || t.columns[first+int(n)-1].place != place {
		n = t.findColumn(p, place, first)
		x.follow[x.column] = n
	}
	x.column, p.column = n, n-1
	c := &t.columns[first+int(n)-1]
	c.Fields++
	c.Elements = c.Elements || p.Path[len(p.Path)-1] == ']'
	c.Taken = c.Taken || len(p.Children) > 0
	c.Holds |= p.chars & AnyChar
	c.kinds |= 1 << p.Kind
	c.Min, c.Max = min(c.Min, len(p.Data)), max(c.Max, len(p.Data))
}

// findColumn returns the position of the column of p, which it adds if there is
// none.
func (t *Tree) findColumn(p *Part, place uint32, first int) uint32 {
	x := &t.making
	if 2*len(x.follow) > len(x.at) {
		size := 2 * len(x.at)
		x.at = append(x.at[:0], make([]uint32, size)...)
		for i := range t.columns[first:] {
			c := &t.columns[first+i]
			*x.slot(t, c.place, c.NameID, first) = uint32(i + 1)
		}
	}
	slot := x.slot(t, place, int(p.name), first)
	if *slot == 0 {
		t.columns = append(t.columns, Column{Name: p.Name, NameID: int(p.name), Place: x.names[place], First: p, Min: len(p.Data), place: place})
		x.follow = append(x.follow, 0)
		*slot = uint32(len(t.columns) - first)
	}
	return *slot
}

// factors are drawn by lot for each process, so that nobody can choose places and
// names that meet in one slot.
var factors = [2]uint64{maphash.String(seed, "place"), maphash.String(seed, "name")}

// slot is where the position of a column stands or would stand.
func (x *columns) slot(t *Tree, place uint32, name, first int) *uint32 {
	for i := (uint64(place)*factors[0] + uint64(name)*factors[1]) >> 32; ; i++ {
		slot := &x.at[i&uint64(len(x.at)-1)]
		if *slot == 0 {
			return slot
		}
		if c := &t.columns[first+int(*slot)-1]; c.place == place && c.NameID == name {
			return slot
		}
	}
}

// placeOf numbers a place without its indexes. It is often the one that followed
// the place before it the last time.
func (x *columns) placeOf(group string) uint32 {
	n := x.then[x.last]
	if n == 0 || !isPlace(group, x.names[n]) {
		b := appendPlace(x.place[:0], group)
		x.place = b
		if n = x.places[string(b)]; n == 0 {
			n = uint32(len(x.names))
			x.names, x.then = append(x.names, string(b)), append(x.then, 0)
			x.places[x.names[n]] = n
		}
		x.then[x.last] = n
	}
	x.last = n
	return n
}

// appendPlace appends a place without its indexes.
func appendPlace(b []byte, group string) []byte {
	for i := 0; i < len(group); {
		c := group[i]
		b = append(b, c)
		if i++; c == '[' {
			for i < len(group) && group[i]-'0' < 10 {
				i++
			}
		}
	}
	return b
}

// isPlace says that place is group without its indexes.
func isPlace(group, place string) bool {
	at := 0
	for i := 0; i < len(group); at++ {
		c := group[i]
		if at == len(place) || place[at] != c {
			return false
		}
		if i++; c == '[' {
			for i < len(group) && group[i]-'0' < 10 {
				i++
			}
		}
	}
	return at == len(place)
}
