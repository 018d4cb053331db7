package detect

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"constat/inspect"
)

// maxPairs bounds how many fields are made of lists of keys and values.
const maxPairs = 4096

// records yields the records of t, and behind them those that are written as
// lists of keys and values, as OpenTelemetry does:
// [{"key": "model", "value": {"stringValue": "X"}}, …]. Documents that the gate
// turns away have none.
func records(t *inspect.Tree, gate func(v *view) bool) iter.Seq[inspect.Record] {
	return func(yield func(inspect.Record) bool) {
		var paired []*inspect.Part
		docs := t.Documents()
		v := views.Get().(*view)
		defer v.release()
		v.tree = t
		for i := range docs {
			d := &docs[i]
			if d.Parent == nil {
				continue // headers and cookies
			}
			if v.open(d); !gate(v) && !ungated {
				continue
			}
			if v.keyed() {
				paired = append(paired, d.Parent)
			}
			for _, r := range d.Records {
				if !yield(r) {
					return
				}
			}
		}
		for _, parent := range paired {
			for _, r := range pairs(parent) {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// pairs makes records of the lists of keys and values among the children of
// parent. Their fields are the values, named by their keys.
func pairs(parent *inspect.Part) []inspect.Record {
	keys := make(map[string]string) // by group of the pair
	for _, c := range parent.Children {
		if c.Name == "key" && c.Kind == inspect.Text && len(c.Data) <= 64 && len(keys) < maxPairs {
			keys[c.Group] = string(c.Data)
		}
	}
	named := pairing{parent: parent}
	for _, c := range parent.Children {
		group := strings.TrimSuffix(c.Group, ".value")
		key, ok := keys[group]
		if !ok || c.Name == "key" || group == c.Group && c.Name != "value" {
			continue
		}
		named.add(c, group, key)
	}
	return named.records
}

// pairing makes one record of each list of names and values.
type pairing struct {
	parent  *inspect.Part
	records []inspect.Record
	at      map[string]int // by place of the list
}

// add gives the value of the pair at a place in the list its key as its name.
func (p *pairing) add(value *inspect.Part, pair, key string) {
	list := pair
	if strings.HasSuffix(pair, "]") {
		list = pair[:strings.LastIndexByte(pair, '[')]
	}
	i, ok := p.at[list]
	if !ok {
		if p.at == nil {
			p.at = make(map[string]int)
		}
		i = len(p.records)
		p.at[list] = i
		p.records = append(p.records, inspect.Record{Parent: p.parent, Group: list, Direction: p.parent.Direction})
	}
	p.records[i].Fields = append(p.records[i].Fields, &inspect.Part{
		Path: value.Path, Direction: value.Direction, Data: value.Data, Name: key, Group: list,
		Kind: value.Kind, Depth: value.Depth, Parent: p.parent,
	})
}

// nesting finds the objects that stand inside an object, such as sender.number.
// It remembers how far it came, since records follow each other in the order of
// their fields: going through all records of a part reads its children once.
type nesting struct {
	parent *inspect.Part
	at     int
}

// in yields the fields of the objects inside the object r that stand within a
// few dozen values of its first field.
func (n *nesting) in(r inspect.Record) iter.Seq[*inspect.Part] {
	const before, behind = 24, 72
	return func(yield func(*inspect.Part) bool) {
		if r.Parent == nil || len(r.Fields) == 0 {
			return
		}
		if n.parent != r.Parent {
			n.parent, n.at = r.Parent, 0
		}
		children := r.Parent.Children
		for n.at < len(children) && children[n.at] != r.Fields[0] {
			n.at++
		}
		for i := max(0, n.at-before); i < len(children) && i < n.at+behind; i++ {
			c := children[i]
			rest, ok := strings.CutPrefix(c.Group, r.Group)
			if !ok || rest == "" || rest[0] != '.' && (r.Group != "" || rest[0] == '[') {
				continue
			}
			if !yield(c) {
				return
			}
		}
	}
}

// maxName is the longest field name that is looked up.
const maxName = 48

// squeeze writes a field's name into buf in lower case, without anything but
// letters, digits and what is not ASCII: sender_number, senderNumber and
// $senderNumber are one. Of a name with brackets, such as PHP's rows[0][body],
// it takes the last word. The result is nil if the name is too long.
func squeeze(buf *[maxName]byte, name string) []byte {
	if n := len(name); n > 2 && name[n-1] == ']' {
		if i := strings.LastIndexByte(name, '['); i > 0 && i < n-2 {
			name = name[i+1 : n-1]
		}
	}
	n := 0
	for i := range len(name) {
		c := name[i]
		switch {
		case c-'A' < 26:
			c += 'a' - 'A'
		case c-'a' < 26, c-'0' < 10:
		case c >= 0x80:
			return squeezeWide(buf, n, name[i:])
		default:
			continue
		}
		if n == maxName {
			return nil
		}
		buf[n] = c
		n++
	}
	return buf[:n]
}

// squeezeWide is the rest of squeeze for names that are not ASCII. Diacritics
// and case go.
func squeezeWide(buf *[maxName]byte, n int, name string) []byte {
	for _, r := range name {
		if r < utf8.RuneSelf {
			switch c := byte(r); {
			case c-'A' < 26:
				r += 'a' - 'A'
			case c-'a' < 26, c-'0' < 10:
			default:
				continue
			}
			if n == maxName {
				return nil
			}
			buf[n] = byte(r)
			n++
			continue
		}
		if n = foldRune(buf, n, r); n < 0 {
			return nil
		}
	}
	return buf[:n]
}

// A card is a thing that a message tells about: an object with its fields and
// those of the objects inside it that only order them, such as name.first or
// phones[2].value; a row of a table; what stands under one index of a form.
type card struct {
	parent *inspect.Part
	group  string // its place
	list   string // the place of the list that it stands in, "" when in none
	scalar bool   // a list of bare values
	// properties says that its values were written as jCard and jCal write them.
	properties bool
	cells      []cell
	deck       *deck // nil for the lines of a text
}

// cell is one value of a card.
type cell struct {
	*inspect.Part
	name string // of the field, which need not be that of the part
	via  string // name of the object inside the card that it stands in, "" when it stands in the card itself
	over string // name of the object inside the card around that one, "" when there is none
}

// gather says which cards a detector asks for.
type gather struct {
	// want says that a value makes its document worth looking at.
	want func(p *inspect.Part) bool
	// place says that the place of a record makes its document worth looking at.
	place func(group string) bool
	// fold says that an object or list of that name belongs to the card around it.
	fold func(key string, list bool) bool
	// whole, when not nil, says that a record under that key is a card of its own,
	// although fold says that it belongs to the card around it.
	whole func(key string, r inspect.Record) bool
	// column says that a name can be one of a column that matters.
	column func(name string) bool

	// need, when not nil, turns away documents that nothing can be found in, by
	// their columns, and may, when not nil, columns of which want wants no field.
	need func(v *view) bool
	may  func(c *inspect.Column) bool
	// live, when not nil, lets those plots of a surveyed document grow whose cards
	// can make a difference, and says whether there are any.
	live func(v *view) bool
	// folds is fold for places, lists column for what the lists at places are called,
	// see withNames.
	folds *inspect.NameFacts[folding]
	lists *inspect.NameFacts[bool]
	// brief says that nobody looks at the cards of a document once a card of the
	// next was asked for: their memory is used again.
	brief bool
}

// Bounds of the cards of one document.
const (
	maxCards = 4096
	maxCells = 64
)

// cards yields the cards of t, document by document. Headers and cookies make
// none.
func (g *gather) cards(t *inspect.Tree) iter.Seq[*card] {
	return func(yield func(*card) bool) {
		docs := t.Documents()
		v := views.Get().(*view)
		defer v.release()
		v.tree, v.g = t, g
		var d *deck
		defer func() { d.release() }()
		for i := range docs {
			if docs[i].Parent == nil {
				continue
			}
			if v.open(&docs[i]); !g.wanted(v) {
				continue
			}
			if g.brief {
				d.release()
				d = decks.Get().(*deck)
			} else {
				d = new(deck)
			}
			for _, c := range d.deal(v) {
				if !yield(c) {
					return
				}
			}
		}
		texts, tries := 0, 0
		parts := partsOf(t, mayHoldLines)
		for p := parts.next(); p != nil; p = parts.next() {
			if texts == maxTables || tries == maxTexts || p.Kind > inspect.Text || len(p.Data) < 24 || len(p.Children) > 0 || !holdsLines(p.Holds(), len(p.Data)) || p.Same != nil {
				continue
			}
			tries++
			rows := g.texts(p)
			if len(rows) > 0 {
				texts++
			}
			for _, c := range rows {
				if !yield(c) {
					return
				}
			}
		}
	}
}

func (g *gather) wanted(v *view) bool {
	if g.need != nil && !g.need(v) {
		return false
	}
	if v.partial = g.live != nil && v.survey(); v.partial && !g.live(v) {
		return false
	}
	var may nameSet
	some, elements := false, false
	for i := range v.Columns {
		c := &v.Columns[i]
		if g.place != nil && g.place(c.Place) {
			return true
		}
		if g.may == nil || g.may(c) {
			may.add(c)
			some = true
		}
		if v.Rows && c.Elements && hasText(c) && c.Min <= 24 && c.Max > 1 {
			may.add(c)
			some, elements = true, true
		}
	}
	if !some {
		return false
	}
	for _, c := range v.Parent.Children {
		if !may.has(c) {
			continue
		}
		if g.want(c) || wrapNames[c.Name] && g.wantsWrapped(c) || len(c.Children) == 1 && g.wantsRead(c) || elements && c.Kind <= inspect.Text && len(c.Data) <= 24 && len(c.Data) > 1 && c.Path[len(c.Path)-1] == ']' && v.column(c.Data) {
			return true
		}
	}
	return false
}

// holdsLines says that a text of n bytes with these characters can be one of
// several lines, or one in which several things are joined.
func holdsLines(c inspect.Chars, n int) bool {
	return c&inspect.Newlines != 0 || n >= 40 && c&(inspect.Digits|inspect.Ats|inspect.NonASCII) != 0 && (c&(inspect.Bars|inspect.Semicolons|inspect.Equals) != 0 || c&inspect.Commas != 0 && c&inspect.Colons != 0)
}

// mayHoldLines says that a text of c can be one of several lines, or of joined values.
func mayHoldLines(c *inspect.Column) bool {
	return c.Max >= 24 && hasText(c) && holdsLines(c.Holds, c.Max)
}

// decks are those of gathers whose cards are looked at briefly.
var decks = sync.Pool{New: func() any { return new(deck) }}

// release gives the memory of d to another document. A large one is left to the
// garbage collector.
func (d *deck) release() {
	const most = 4 << 10 // cells
	if d == nil || d.g == nil || !d.g.brief || cap(d.cells) > most {
		return
	}
	at, order, cells, cards, lists := d.at, d.order, d.cells, d.first, d.lists
	clear(at)
	clear(order)
	clear(cells)
	clear(cards)
	clear(lists)
	*d = deck{lists: lists[:0], at: at, order: order[:0], cells: cells[:0], cards: cards, first: cards}
	decks.Put(d)
}

// deal makes the cards of one document.
func (d *deck) deal(v *view) []*card {
	run := v.Records
	d.view, d.g, d.parent, d.shapes = *v, v.g, v.Parent, nameShapes.In(v.tree)
	if d.at == nil {
		d.at = make(map[string]*card, min(len(run), 64))
	}
	if v.partial {
		for i := range run {
			if s := v.spotAt(run[i].Fields[0]); v.lives(s) {
				d.plain(run[i], s)
			}
		}
		return d.order
	}
	tables := 0
	lists := d.lists[:0]
	var inTable map[string]bool // rows that have their names from a head
	keyed, named := false, false
	for _, r := range run {
		for _, f := range r.Fields {
			key, names := f.Name == "key" || f.Name == "k", f.Name == "name" || f.Name == "Name"
			keyed = keyed || key
			named = named || names && len(r.Fields) <= 3
			if names || key {
				break
			}
		}
		if len(r.Fields) > 2 && isArray(r) && d.property(r) || len(r.Fields) == 1 && d.wrapped(r) {
			continue
		}
		if v.Rows && tables < maxTables && isArray(r) && v.isHead(r) {
			if rows := tableRows(r, maxRows); len(rows) > 0 {
				tables++
				if inTable == nil {
					inTable = make(map[string]bool)
				}
				for _, row := range rows {
					inTable[row.Group] = true
					c := d.card(row.Group + "#row")
					if c == nil {
						break
					}
					c.list = listOf(row.Group) + "#rows"
					for _, f := range row.Fields {
						c.add(cell{Part: f, name: f.Name})
					}
				}
				continue
			}
		}
		if inTable[r.Group] || len(r.Fields) == 2 && isArray(r) && d.pair(v, r) {
			continue
		}
		if len(r.Fields) > 0 && isArray(r) {
			if len(r.Fields) >= minJoined {
				if len(lists) < maxRows {
					lists = append(lists, r)
				}
				if !d.named(v, r) {
					d.joined(r)
				}
			}
		}
		d.record(r)
	}
	if d.lists = lists; len(lists) > 1 {
		d.columns(lists)
	}
	if keyed {
		d.pairs("key", "k")
	}
	if named {
		d.pairs("name", "Name")
	}
	return d.order
}

// isHead says that r is an array that holds the names of columns.
func (v *view) isHead(r inspect.Record) bool {
	if n := len(r.Fields); n < 2 || n > 32 {
		return false
	}
	known := 0
	for _, f := range r.Fields {
		if f.Kind > inspect.Text || len(f.Data) > maxName {
			return false
		}
		if v.column(f.Data) {
			known++
		}
	}
	return known >= 2
}

type deck struct {
	view   view
	g      *gather
	parent *inspect.Part
	order  []*card
	at     map[string]*card
	last   *card
	shapes *inspect.Known[nameShape]
	folds  [2]memo[bool] // of objects and of lists
	cards  []card        // room for more
	first  []card        // the whole of what cards is the rest of
	cells  []cell        // of several cards, those of tail last, with room for more
	tail   *card
	lists  []inspect.Record // of bare values

	placedBy *keyed[bool] // see placed
	isPlaced bool

	listed, list   string // the array that the last card stands in, and its list
	sheetOf, sheet string // a list, and it without indexes

	events map[string][]*inspect.Part // what happened, by place; nil until it is asked for
}

func (d *deck) card(group string) *card {
	if d.last != nil && d.last.group == group {
		return d.last
	}
	c := d.at[group]
	if c == nil {
		if len(d.order) == maxCards {
			return nil
		}
		if len(d.cards) == 0 {
			d.cards = make([]card, min(4+2*len(d.order), 1024))
			d.first = d.cards
		}
		c = &d.cards[0]
		d.cards = d.cards[1:]
		*c = card{parent: d.parent, group: group, deck: d}
		if strings.HasSuffix(group, "]") && !strings.HasSuffix(group, `"]`) {
			if l := listOf(group); d.list == "" || l != d.listed {
				d.listed, d.list = l, l+"[]"
			}
			c.list = d.list
		}
		d.at[group] = c
		d.order = append(d.order, c)
	}
	d.last = c
	return c
}

func (c *card) add(x cell) {
	if len(c.cells) >= maxCells && !c.scalar {
		return
	}
	d, n := c.deck, len(c.cells)
	if d == nil || n > 0 && d.tail != c {
		c.cells = append(c.cells, x)
		return
	}
	// The last card grows where it is.
	if len(d.cells) == cap(d.cells) {
		d.cells = append(make([]cell, 0, 2*n+max(min(4*maxCells, len(d.parent.Children)+4), min(2*cap(d.cells), 2048))), c.cells...)
	}
	d.cells, d.tail = append(d.cells, x), c
	end := len(d.cells)
	c.cells = d.cells[end-n-1 : end : end]
}

// plain is record for documents that were surveyed: no name of a field says where
// it belongs.
func (d *deck) plain(r inspect.Record, s *spot) {
	group, via, over := r.Group, "", ""
	if s.via != "" && !d.whole(r) {
		group, via, over = d.fold(group)
	}
	c := d.card(group)
	if c == nil {
		return
	}
	if len(c.cells) == 0 {
		c.scalar = via == "" && isArray(r) && strings.IndexByte(r.Fields[0].Name, '[') < 0
	}
	for _, f := range r.Fields {
		c.addField(f, f.Name, via, over)
	}
}

// addField adds a field, or what it is written in.
func (c *card) addField(f *inspect.Part, name, via, over string) {
	if read := readable(f); read != f && (!c.scalar || bytes.ContainsAny(read.Data, " @+:|;,/") || !ascii(read.Data)) {
		if read.Name == "" {
			named := *read
			named.Name = f.Name
			read = &named
		}
		f = read
	}
	c.add(cell{Part: f, name: name, via: via, over: over})
}

// record puts the fields of r into their cards.
func (d *deck) record(r inspect.Record) {
	flat, numbered := false, 0
	for _, f := range r.Fields {
		s := d.shapes.Of(f)
		flat = flat || s.flat
		if s.numbered {
			numbered++
		}
	}
	group, via, over := r.Group, "", ""
	if !d.whole(r) {
		group, via, over = d.fold(r.Group)
	}
	array := isArray(r) && strings.IndexByte(r.Fields[0].Name, '[') < 0
	if array && len(r.Fields) <= 8 && indexed(r.Group) && r.Fields[0].Kind == inspect.Text {
		// A list inside a row.
		if row := d.at[group[:max(0, strings.LastIndexByte(group, '['))]]; row != nil && row.scalar && indexed(row.group) && len(row.cells) <= 8 {
			for _, f := range r.Fields {
				row.add(cell{Part: f, name: f.Name})
			}
			return
		}
	}
	for _, f := range r.Fields {
		name, place, in, out := f.Name, group, via, over
		switch {
		case flat && !array:
			place, name = flatName(r.Group, f.Name)
			place, in, out = d.fold(place)
		case numbered >= 4 && !array:
			// name1, phone1, name2, phone2
			if stem := strings.TrimRight(name, "0123456789"); len(stem) >= 2 && len(name)-len(stem) <= 3 {
				place = r.Group + "#[" + name[len(stem):] + "]"
				name = strings.TrimRight(stem, "_-.")
			}
		}
		c := d.card(place)
		if c == nil {
			return
		}
		if len(c.cells) == 0 {
			c.scalar = array && in == ""
		}
		c.addField(f, name, in, out)
	}
}

// nameShape says how a name is made.
type nameShape struct {
	flat     bool // it holds a place
	numbered bool // a number is at its end
	wrap     bool // it says of what type a value is
	key      bool // it is that of names in lists of names and values
	value    bool // it is that of their values
}

var nameShapes = inspect.NewNameFacts(lookShape)

func lookShape(name string) nameShape {
	n := len(name)
	s := nameShape{
		flat:     strings.HasSuffix(name, "]") || hasIndex(name),
		numbered: n > 2 && n < maxName && name[n-1]-'0' < 10,
		wrap:     wrapNames[name],
	}
	switch name {
	case "key", "k", "name", "Name":
		s.key = true
	case "value", "Value", "v":
		s.value = true
	}
	return s
}

// whole says that r has all that a card needs, so that it belongs to none around
// it although it is called as what belongs to others is.
func (d *deck) whole(r inspect.Record) bool {
	if d.g.whole == nil || r.Group == "" || len(r.Fields) < 2 {
		return false
	}
	_, key := lastKey(r.Group)
	return d.g.whole(key, r)
}

// folded says that an object or list of that name belongs to the card around it.
func (d *deck) folded(key string, list bool) bool {
	if list {
		return d.folds[1].of(key, func(key string) bool { return d.g.fold(key, true) })
	}
	return d.folds[0].of(key, func(key string) bool { return d.g.fold(key, false) })
}

// fold cuts the objects that only order the fields of another off the end of a
// place, and returns the names of the innermost two.
func (d *deck) fold(group string) (place, via, over string) { return foldPlace(group, d.folded) }

func foldPlace(group string, folded func(key string, list bool) bool) (place, via, over string) {
	for range 4 {
		rest, key := lastKey(group)
		if further, outer := lastKey(rest); outer != "" && key != "" && key[0] != '+' && isKeyID(key) && folded(outer, true) {
			// Objects under identifiers, as phones.p1 in JSContact (RFC 9553).
			rest, key = further, outer
		}
		if key != "" && !folded(key, strings.HasSuffix(group, "]")) {
			// XML puts the entries of a list into elements inside an element.
			further, outer := lastKey(rest)
			if outer == "" || key != "item" && outer != key+"s" || !folded(outer, false) {
				break
			}
			rest, key = further, outer
		}
		if key == "" {
			break
		}
		switch {
		case via == "":
			via = key
		case over == "":
			over = key
		}
		group = rest
	}
	return group, via, over
}

// lastKey cuts the last key, with the indexes behind it, off a place.
func lastKey(group string) (rest, key string) {
	for strings.HasSuffix(group, "]") && !strings.HasSuffix(group, `"]`) {
		i := strings.LastIndexByte(group, '[')
		if i < 0 {
			return group, ""
		}
		group = group[:i]
	}
	if strings.HasSuffix(group, `"]`) {
		if i := strings.LastIndex(group, `["`); i >= 0 {
			return group[:i], group[i+2 : len(group)-2]
		}
		return group, ""
	}
	i := len(group) - 1
	for i >= 0 && group[i] != '.' && group[i] != '/' {
		i--
	}
	return group[:max(i, 0)], group[i+1:]
}

// hasIndex says that a name has a number between full stops: contacts.0.name.
func hasIndex(name string) bool {
	_, _, ok := cutIndex(name)
	return ok
}

// cutIndex finds a number between two full stops, underscores or hyphens in name.
func cutIndex(name string) (start, end int, ok bool) {
	for i := 0; i+2 < len(name); i++ {
		c := name[i]
		if c != '.' && c != '_' && c != '-' || name[i+1]-'0' > 9 {
			continue
		}
		j := i + 2
		for j < len(name) && name[j]-'0' < 10 {
			j++
		}
		if j+1 < len(name) && name[j] == c && i > 0 && j-i <= 5 {
			return i, j, true
		}
	}
	return 0, 0, false
}

// flatName takes a name that holds a place apart, as forms have them:
// contacts[0][phones][1], contacts.0.name.
func flatName(group, name string) (place, field string) {
	if start, end, ok := cutIndex(name); ok && name[start] != '.' {
		name = name[:start] + "[" + name[start+1:end] + "]" + name[end+1:]
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '[' || r == ']' || r == '.' })
	if len(words) < 2 && !strings.HasSuffix(name, "[]") || len(words) > 8 {
		return group, name
	}
	place = group
	for i, w := range words {
		index := allDigits([]byte(w))
		if !index {
			field = w
		}
		if i == len(words)-1 && !index {
			break
		}
		switch {
		case index:
			place += "[" + w + "]"
		case place == "":
			place = w
		default:
			place += "." + w
		}
	}
	// A list of bare values is called after the list.
	if allDigits([]byte(words[len(words)-1])) {
		place = place[:strings.LastIndexByte(place, '[')]
	} else if strings.HasSuffix(name, "[]") {
		place = strings.TrimPrefix(place+"."+field, ".")
	}
	return place, field
}

// pairs puts the values of lists of names and values, such as
// [{"name": "From", "value": "…"}], into the cards that the lists stand in.
func (d *deck) pairs(names ...string) {
	keys := make(map[string]string)
	for _, c := range d.parent.Children {
		if (c.Name == names[0] || c.Name == names[1]) && c.Kind <= inspect.Text && len(c.Data) <= 64 && len(keys) < maxPairs {
			keys[c.Group] = string(c.Data)
		}
	}
	for _, c := range d.parent.Children {
		group := strings.TrimSuffix(c.Group, ".value")
		key, ok := keys[group]
		if !ok || c.Name == names[0] || c.Name == names[1] || group == c.Group && c.Name != "value" && c.Name != "Value" && c.Name != "v" {
			continue
		}
		place, _, _ := d.fold(listOf(group))
		if to := d.card(place + "#pairs"); to != nil {
			to.list = ""
			if strings.HasSuffix(place, "]") {
				to.list = listOf(place) + "[]"
			}
			to.add(cell{Part: c, name: key})
		}
	}
}

// where yields the names around c, innermost first: of the objects it stands in
// and of the fields that its document was in.
func (c *card) where() iter.Seq[string] {
	return func(yield func(string) bool) {
		group := c.group
		if i := strings.IndexByte(group, '#'); i >= 0 {
			group = group[:i]
		}
		for range 8 {
			rest, key := lastKey(group)
			if key != "" && !yield(key) {
				return
			}
			if rest == group || rest == "" {
				break
			}
			group = rest
		}
		for p, n := c.parent, 0; p != nil && n < 8; p, n = p.Parent, n+1 {
			if p.Name != "" && !yield(p.Name) {
				return
			}
			if key := keyOf(p); key != "" && !yield(key) {
				return
			}
		}
	}
}

// keyOf returns the key of a value in a list of keys and values, "" when p is
// none.
func keyOf(p *inspect.Part) string {
	if p.Parent == nil || p.Name != "value" && p.Name != "stringValue" {
		return ""
	}
	group := strings.TrimSuffix(p.Group, ".value")
	for i, c := range p.Parent.Children {
		if i == maxPairs {
			break
		}
		if c.Name == "key" && c.Group == group && len(c.Data) <= maxName && c.Kind <= inspect.Text {
			return string(c.Data)
		}
	}
	return ""
}

// placed says that the names around some cards of the document of c, or around
// the document, are what k asks for; where says which are around c.
func (c *card) placed(k *keyed[bool]) bool {
	d := c.deck
	if d == nil {
		return true
	}
	if d.placedBy != k {
		d.placedBy, d.isPlaced = k, d.view.placed(true, k)
	}
	return d.isPlaced
}

// sheet is a list of cards: those of one array, one table, or one series of
// documents.
type sheet struct {
	parent *inspect.Part
	list   string
}

// sheet returns the list that c stands in; a card that stands in none is one
// itself.
func (c *card) sheet() sheet {
	if len(c.cells) > 0 && c.cells[0].Decoder() == "protobuf" && strings.IndexByte(c.group, '#') < 0 {
		// The first of several has no index.
		return sheet{c.parent, strings.ReplaceAll(withoutIndexes(c.group), "[]", "")}
	}
	if c.list != "" {
		d := c.deck
		if d == nil {
			return sheet{c.parent, withoutIndexes(c.list)}
		}
		if d.sheetOf != c.list {
			d.sheetOf, d.sheet = c.list, withoutIndexes(c.list)
		}
		return sheet{c.parent, d.sheet}
	}
	// Objects under numbers, such as content.17, and those inside the entries of a
	// list, such as events[3].properties.
	place, numbered := withoutNumbers(c.group)
	if all := withoutIndexes(place); numbered || all != place {
		return sheet{c.parent, all}
	}
	if p := c.parent; p.Parent != nil && (p.Decoder() == "ndjson" || p.Group != "" && p.Decoder() != "json") {
		return sheet{p.Parent, "series " + c.group}
	}
	return sheet{c.parent, c.group}
}

// withoutNumbers puts [] for the keys of a place that are numbers or identifiers.
func withoutNumbers(group string) (place string, numbered bool) {
	for start := 0; start <= len(group); {
		end := start
		for end < len(group) && group[end] != '.' && group[end] != '/' {
			if group[end] == '[' && end+1 < len(group) && group[end+1] == '"' {
				if i := strings.Index(group[end:], `"]`); i > 0 {
					end += i + 1
				}
			}
			end++
		}
		word := group[start:end]
		bare := word
		if i := strings.LastIndexByte(bare, '['); i > 0 && indexed(bare) {
			bare = bare[:i]
		}
		quoted := ""
		if i := strings.Index(bare, `["`); i >= 0 && strings.HasSuffix(bare, `"]`) {
			quoted, bare = bare[:i], bare[i+2:len(bare)-2]
		}
		if isKeyID(bare) || isPackageKey(bare) {
			word, numbered = quoted+"[]", true
		}
		place += "." + word
		start = end + 1
	}
	return place, numbered
}

// isPackageKey says that a key is the name of a package.
func isPackageKey(key string) bool {
	if len(key) < 6 || strings.IndexByte(key, '.') < 0 {
		return false
	}
	_, ok := isPackage([]byte(key))
	return ok
}

// isKeyID says that a key is the number or identifier of an entry, not the name
// of a field: 17, n102, id-7, 5f0c22a1b3c4, -MzQ1kd02mQ8f.
func isKeyID(key string) bool {
	if len(key) == 0 || len(key) > 64 {
		return false
	}
	digits, letters, upper, others := 0, 0, 0, 0
	for i := range len(key) {
		switch c := key[i]; {
		case c-'0' < 10:
			digits++
		case c-'a' < 26:
			letters++
		case c-'A' < 26:
			letters++
			upper++
		case c == '-' || c == '_' || c == ':' || c == '+' && i == 0:
			others++
		default:
			return false
		}
	}
	switch {
	case digits == len(key):
		return true
	case digits == 0:
		return false
	case letters <= 1, letters <= 2 && (digits >= 2 || others > 0):
		return true
	case len(key) >= 12 && digits >= 3 && (upper == 0 || upper == letters || len(key) >= 18), len(key) >= 18 && digits >= 1 && upper > 1 && upper < letters:
		return true
	}
	return false
}

// withoutIndexes takes the numbers out of the indexes of a place.
func withoutIndexes(group string) string {
	i := strings.IndexByte(group, '[')
	if i < 0 {
		return group
	}
	out := make([]byte, 0, len(group))
	for at := 0; at < len(group); at++ {
		c := group[at]
		out = append(out, c)
		if c != '[' {
			continue
		}
		end := at + 1
		for end < len(group) && group[end]-'0' < 10 {
			end++
		}
		if end < len(group) && group[end] == ']' {
			at = end - 1
		}
	}
	return string(out)
}

// fieldNames are the names of the cells, as often as they differ, for reasons.
func fieldNames(cells []cell) string {
	const most = 8
	var names []string
	seen := make(map[string]bool)
	for _, x := range cells {
		n := shortName(x.name)
		if x.via != "" && x.via != x.name {
			n = shortName(x.via) + "." + n
		}
		if n == "" || seen[n] {
			continue
		}
		if seen[n] = true; len(names) < most {
			names = append(names, n)
		}
	}
	if len(names) == 1 {
		return "field " + names[0]
	}
	return "fields " + list(names)
}

// stems are words that names are searched for: in lower case and without
// separators, case and diacritics.
type stems struct {
	may     [1024]uint64 // by their first two bytes, as bits
	byStart map[uint16][]string
}

func newStems(words ...string) *stems {
	s := &stems{byStart: make(map[uint16][]string)}
	for _, w := range words {
		if w = folded(w); len(w) < 2 {
			panic("detect: a word for names is too long or too short")
		}
		i := uint16(w[0])<<8 | uint16(w[1])
		s.may[i>>6] |= 1 << (i & 63)
		s.byStart[i] = append(s.byStart[i], w)
	}
	return s
}

// mentions says that a name holds one of the words.
func mentions(name string, words *stems) bool {
	var buf [maxName]byte
	w := squeeze(&buf, name)
	for i := 0; i+1 < len(w); i++ {
		two := uint16(w[i])<<8 | uint16(w[i+1])
		if words.may[two>>6]>>(two&63)&1 == 0 {
			continue
		}
		for _, word := range words.byStart[two] {
			if len(word) <= len(w)-i && string(w[i:i+len(word)]) == word {
				return true
			}
		}
	}
	return false
}

// pathMentions says that a segment of the request's path holds one of the words.
func pathMentions(t *inspect.Tree, words *stems) bool {
	for s := range strings.SplitSeq(t.Subject.Path[:min(len(t.Subject.Path), 512)], "/") {
		if len(s) > 2 && len(s) <= maxName && mentions(s, words) {
			return true
		}
	}
	return false
}

// telephone is the shape of p as a telephone number, whatever separators and
// spaces are in it.
func telephone(b []byte) phoneShape {
	if len(b) < 3 || len(b) > 40 || b[0] == '-' || b[0] == '.' {
		return notPhone
	}
	plain := true
	for _, c := range b {
		if c >= 0x80 || c == '/' {
			plain = false
			break
		}
	}
	if plain {
		if s := shapeOfPhone(b); s != wordPhone && !dotted(b) {
			return s
		}
		return notPhone
	}
	out := make([]byte, 0, len(b))
	for _, r := range string(b) {
		switch {
		case r == '/', r == 0xa0, r >= 0x2000 && r <= 0x2015, r == 0x202f:
			out = append(out, ' ')
		case r == 0x200e, r == 0x202a, r == 0x202c: // marks of direction
		case r >= 0x660 && r <= 0x669:
			out = append(out, byte('0'+r-0x660))
		case r >= 0xff10 && r <= 0xff19:
			out = append(out, byte('0'+r-0xff10))
		case r < 0x80:
			out = append(out, byte(r))
		default:
			return notPhone
		}
	}
	if s := shapeOfPhone(out); s != wordPhone {
		return s
	}
	return notPhone
}

// listed are what stands between the telephone numbers of a list, see phonesIn.
const listed = inspect.Commas | inspect.Semicolons | inspect.Bars | inspect.Newlines | inspect.Controls

// holdsPhone says that p is a telephone number of that shape or a surer one, at least
// a short one. What p holds says of most texts that they are none.
func holdsPhone(p *inspect.Part, least phoneShape) bool {
	const of = anyDigit | inspect.UpperCase | inspect.Spaces | inspect.Newlines | inspect.Controls | inspect.Pluses | inspect.Hyphens | inspect.Dots | inspect.Slashes | inspect.Parens | inspect.Asterisks
	n := len(p.Data)
	if n < 3 || n < 7 && least > shortCode || n > 40 {
		return false
	}
	first := p.Data[0]
	switch h := p.Holds(); {
	case h&anyDigit == 0, first|0x20-'a' < 26 && first != 't':
		return false
	case h&(inspect.Commas|inspect.Semicolons|inspect.NonASCII) != 0: // of several; in other scripts
	case h&inspect.LowerCase != 0:
		if h&inspect.Colons == 0 || !bytes.Contains(p.Data, []byte("tel:")) {
			return false
		}
	case h&^of != 0:
		return false
	}
	return telephone(p.Data) >= least
}

// joinsPhone says that one of the values that are joined in p is a telephone number,
// and no short one.
func joinsPhone(p *inspect.Part) bool {
	h := p.Holds()
	if h&joints == 0 || h&anyDigit == 0 {
		return false
	}
	is := func(v []byte) bool { return telephone(v) >= bareDigits }
	// Digits of the value at hand, and what can stand for some; a letter in it.
	n, letter := 0, false
	for _, c := range p.Data {
		switch {
		case c-'0' < 10, c == '*', c == 'X', c >= utf8.RuneSelf:
			n++
		case c|0x20-'a' < 26:
			letter = true
		case isSeparator[c]:
			if n >= 7 && !letter {
				return joins(p.Data, is)
			}
			if h&(inspect.Slashes|inspect.NonASCII) == 0 { // tel://; letters in other scripts
				n, letter = 0, false
			}
		}
	}
	return n >= 7 && (!letter || h&(inspect.Slashes|inspect.NonASCII) != 0) && joins(p.Data, is)
}

var isSeparator = func() (t [256]bool) {
	for _, c := range []byte(separators) {
		t[c] = true
	}
	return t
}()

// dotted tells versions, addresses of the network and dates, which have full
// stops or begin with a year, from telephone numbers.
func dotted(b []byte) bool {
	groups, ones, threes, digits, others := 1, 0, 0, 0, false
	for i, c := range b {
		if c-'0' < 10 {
			digits++
			continue
		}
		if (c == '-' || c == '.' || c == ' ') && i == 4 && digits == 4 && groups == 1 && (b[0] == '1' && b[1] == '9' || b[0] == '2' && b[1] == '0') && len(b) <= 10 {
			return true
		}
		if c != '.' {
			others = true
			continue
		}
		if digits == 1 && groups > 1 || digits == 0 {
			ones++
		}
		if digits <= 3 {
			threes++
		}
		groups++
		digits = 0
	}
	if groups == 1 || others {
		return false
	}
	if digits == 1 {
		ones++
	}
	if digits <= 3 {
		threes++
	}
	return ones > 0 || groups == 4 && threes == 4 || groups == 2 || groups == 3 && digits < 3
}

// mailAddress finds an e-mail address in b, alone, behind "mailto:", or in angle
// brackets behind a name. It returns what stands before it as well.
func mailAddress(b []byte) (name, address []byte) {
	if len(b) < 6 || len(b) > 320 {
		return nil, nil
	}
	at := bytes.IndexByte(b, '@')
	if at < 1 {
		return nil, nil
	}
	b = bytes.TrimSpace(b)
	if i := bytes.IndexByte(b, '<'); i >= 0 && len(b) > 0 && b[len(b)-1] == '>' {
		name, b = bytes.Trim(b[:i], " \""), b[i+1:len(b)-1]
	}
	b = bytes.TrimPrefix(bytes.TrimPrefix(b, []byte("mailto:")), []byte("MAILTO:"))
	if at = bytes.IndexByte(b, '@'); at < 1 || at > 64 {
		return nil, nil
	}
	for _, c := range b[:at] {
		if c <= ' ' || strings.IndexByte(`(),:;<>[]\"/?=&{}`, c) >= 0 {
			return nil, nil
		}
	}
	dot := false
	domain := b[at+1:]
	for i, c := range domain {
		switch {
		case c == '.':
			if i == 0 || i == len(domain)-1 {
				return nil, nil
			}
			dot = true
		case c|0x20-'a' < 26, c-'0' < 10, c == '-', c >= 0x80:
		default:
			return nil, nil
		}
	}
	if !dot {
		return nil, nil
	}
	return name, b
}

func isMailAddress(b []byte) bool {
	_, a := mailAddress(b)
	return a != nil
}

// isPersonName says that b can be what a person is called: letters, at most
// five words, no digits.
func isPersonName(b []byte) bool {
	if len(b) < 1 || len(b) > 80 {
		return false
	}
	letters, words := 0, 1
	for _, r := range string(b) {
		switch {
		case unicode.IsLetter(r), unicode.IsMark(r), r >= 0x1f300:
			letters++
		case r == ' ':
			words++
		case r == '\'', r == '-', r == '.', r == ',', r == '’', r == '(', r == ')', r == '&', r == '·', r == '*', r == 0x200d, r == 0xfe0f:
		default:
			return false
		}
	}
	return letters > 0 && words <= 5
}

// digest returns how many bytes of a hash b can be in hexadecimal or base64, 0
// when it cannot be one.
func digest(b []byte) int {
	if len(b) < 12 || len(b) > 132 {
		return 0
	}
	hexa, digits, lower, upper, other := true, 0, 0, 0, 0
	n := len(bytes.TrimRight(b, "="))
	for _, c := range b[:n] {
		switch {
		case c-'0' < 10:
			digits++
		case c-'a' < 26:
			lower++
			hexa = hexa && c <= 'f'
		case c-'A' < 26:
			upper++
			hexa = hexa && c <= 'F'
		case c == '+', c == '/', c == '-', c == '_':
			other++
			hexa = false
		default:
			return 0
		}
	}
	if hexa && n == len(b) && n%2 == 0 && n >= 16 && digits > 0 && lower+upper > 0 && (lower == 0 || upper == 0) {
		return n / 2
	}
	if lower > 0 && upper > 0 && digits+other > 0 {
		return n * 3 / 4
	}
	return 0
}

// isDigest says that p can be a hash.
func isDigest(p *inspect.Part) bool {
	h := p.Holds()
	if len(p.Data) < 12 || len(p.Data) > 132 || h&^(inspect.Digits|inspect.Letters|inspect.Pluses|inspect.Slashes|inspect.Hyphens|inspect.Underscores|inspect.Equals) != 0 {
		return false
	}
	if h&inspect.Letters != inspect.Letters && (h&^(inspect.Digits|inspect.Letters) != 0 || h&inspect.Digits == 0) {
		return false // of one case, it must be hexadecimal
	}
	return digest(p.Data) > 0
}

// wantsRead is want for what p is written in.
func (g *gather) wantsRead(p *inspect.Part) bool {
	r := readable(p)
	if r == p {
		return false
	}
	named := *r
	named.Name = p.Name
	return g.want(&named)
}

// tally counts things alike by where they stand: the first of a place is told in
// full, the others only counted.
type tally map[sheet]*struct{ at, count int }

// again counts one more thing of a place, and reports whether that had one
// before.
func (t tally) again(s sheet) bool {
	have := t[s]
	if have != nil {
		have.count++
	}
	return have != nil
}

// first says that the finding about a place is that at an index.
func (t tally) first(s sheet, at int) { t[s] = &struct{ at, count int }{at, 1} }

// say adds the counts to the findings.
func (t tally) say(out []inspect.Finding, what string) {
	for _, k := range t {
		if k.count > 1 {
			out[k.at].Reason += fmt.Sprintf(" It is one of %d such %s in the same place.", k.count, what)
		}
	}
}
