package inspect

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

// Holds says of which kinds the bytes of p are. Of data that is long it says that
// they may be of all; a kind that is not in it is not in p.
func (p *Part) Holds() Chars {
	if p.chars == 0 && len(p.Data) > 0 { // not in a tree
		return charsIn(p.Data) & AnyChar
	}
	return p.chars & AnyChar
}

// Document is one part that was taken apart, with what was taken out of it.
type Document struct {
	Parent  *Part // nil for headers, cookies and the other roots
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
	places map[string]uint32    // numbers of places, from 1
	names  []string             // of them
	at     map[columnKey]uint32 // positions in list, from 1
	follow []uint32             // by position: that of the column that followed it last
	place  []byte               // scratch
}

type columnKey struct{ place, name uint32 }

func (t *Tree) columnsOf(parts []*Part) []Column {
	x := &t.making
	if x.places == nil {
		x.places, x.at = make(map[string]uint32), make(map[columnKey]uint32)
	}
	clear(x.at)
	start := len(t.columns)
	x.follow = append(x.follow[:0], 0)
	group, place, placeName := "", uint32(0), ""
	last := uint32(0)
	for i, p := range parts {
		if i == 0 || p.Group != group {
			group = p.Group
			place, placeName = x.placeOf(group)
		}
		n := x.follow[last]
		if n == 0 || t.columns[start+int(n)-1].NameID != int(p.name) || t.columns[start+int(n)-1].place != place {
			key := columnKey{place, p.name}
			if n = x.at[key]; n == 0 {
				t.columns = append(t.columns, Column{Name: p.Name, NameID: int(p.name), Place: placeName, First: p, Min: len(p.Data), place: place})
				x.follow = append(x.follow, 0)
				n = uint32(len(t.columns) - start)
				x.at[key] = n
			}
			x.follow[last] = n
		}
		last = n
		c := &t.columns[start+int(n)-1]
		c.Fields++
		c.Elements = c.Elements || p.Path[len(p.Path)-1] == ']'
		if c.Holds |= p.Holds(); len(p.Children) > 0 {
			c.Taken = true
		}
		c.kinds |= 1 << p.Kind
		c.Min, c.Max = min(c.Min, len(p.Data)), max(c.Max, len(p.Data))
	}
	return t.columns[start:len(t.columns):len(t.columns)]
}

// placeOf numbers a place without its indexes.
func (x *columns) placeOf(group string) (uint32, string) {
	b := x.place[:0]
	for i := 0; i < len(group); {
		c := group[i]
		b = append(b, c)
		if i++; c == '[' {
			for i < len(group) && group[i]-'0' < 10 {
				i++
			}
		}
	}
	x.place = b
	n := x.places[string(b)]
	if n == 0 {
		x.names = append(x.names, string(b))
		n = uint32(len(x.names))
		x.places[x.names[n-1]] = n
	}
	return n, x.names[n-1]
}
