package detect

import (
	"bytes"
	"strconv"
	"strings"

	"constat/inspect"
)

// Values that belong together are not always the members of one object. What
// follows makes cards of the other forms: strings that hold several values, lists
// that stand side by side, lists of properties as jCard has them, and texts whose
// lines name their values.

// Bounds of what is made of strings.
const (
	maxJoined = 512 // bytes of a string that holds the values of one card
	minJoined = 2   // such strings in a list
)

// separators stand between the values in one string, the surest first.
const separators = "|\t;^~,=:#"

// joined makes cards of a list of strings that each hold as many values, such as
// ["Maman|+33639981122", …].
func (d *deck) joined(r inspect.Record) {
	n := 0
	for _, f := range r.Fields {
		if f.Kind > inspect.Text || len(f.Data) > maxJoined || len(f.Data) < 3 {
			return
		}
		if n++; n == 8 {
			break
		}
	}
	if n < minJoined {
		return
	}
	values := make([][]byte, 0, n)
	for _, f := range r.Fields[:n] {
		values = append(values, f.Data)
	}
	separator, count := separatorOf(values)
	if count == 0 {
		return
	}
	for i, f := range r.Fields {
		if i == maxRows || f.Kind > inspect.Text || len(f.Data) > maxJoined {
			return
		}
		c := d.card(r.Group + "#joined[" + strconv.Itoa(i) + "]")
		if c == nil {
			return
		}
		c.scalar = true
		for v := range bytes.SplitSeq(f.Data, []byte{separator}) {
			c.addValue(f, "", v)
		}
	}
}

// separatorOf finds what stands equally often in all values.
func separatorOf(values [][]byte) (separator byte, count int) {
	for _, s := range []byte(separators) {
		n := bytes.Count(values[0], []byte{s})
		if n == 0 || n >= maxColumns {
			continue
		}
		same := true
		for _, v := range values[1:] {
			if bytes.Count(v, []byte{s}) != n {
				same = false
				break
			}
		}
		if same && (s != ':' && s != '=' && s != '#' || n <= 8) {
			return s, n
		}
	}
	return 0, 0
}

// addValue adds a piece of the value of p to c, under a name of its own.
func (c *card) addValue(p *inspect.Part, name string, value []byte) {
	value = bytes.Trim(value, " \t\r\"'")
	if len(value) == 0 {
		return
	}
	x := &inspect.Part{Path: p.Path, Direction: p.Direction, Data: value, Name: name, Kind: inspect.Text, Depth: p.Depth, Parent: p.Parent}
	if x.Parent == nil {
		x.Parent = p
	}
	c.add(cell{Part: x, name: name})
}

// columns makes cards of lists that stand side by side, are equally long and have
// the names of columns: {"names": ["Maman", …], "phones": ["+33639981122", …]}.
func (d *deck) columns(lists []inspect.Record) {
	byPlace := make(map[string][]inspect.Record, len(lists))
	places := make([]string, 0, len(lists))
	for i := 0; i < len(lists); {
		outer, _ := lastKey(lists[i].Group)
		n := i + 1
		for n < len(lists) {
			if next, _ := lastKey(lists[n].Group); next != outer {
				break
			}
			n++
		}
		side, seen := byPlace[outer]
		if !seen {
			places = append(places, outer)
			side = lists[i:n:n] // most stand together
		} else {
			side = append(side, lists[i:n]...)
		}
		byPlace[outer] = side
		i = n
	}
	for _, place := range places {
		side := byPlace[place]
		n := len(side[0].Fields)
		if len(side) < 2 || len(side) > 16 || n < 2 || n > maxRows {
			continue
		}
		known, even := 0, true
		for _, r := range side {
			even = even && len(r.Fields) == n
			if _, key := lastKey(r.Group); d.g.column(key) || d.g.column(strings.TrimSuffix(key, "s")) {
				known++
			}
		}
		if !even || known < 2 {
			continue
		}
		for i := range n {
			c := d.card(place + "#column[" + strconv.Itoa(i) + "]")
			if c == nil {
				return
			}
			for _, r := range side {
				_, key := lastKey(r.Group)
				if singular := strings.TrimSuffix(key, "s"); !d.g.column(key) && d.g.column(singular) {
					key = singular
				}
				c.add(cell{Part: r.Fields[i], name: key})
			}
		}
	}
}

// propertyTypes are the types that values have in jCard (RFC 7095 section 3.3)
// and jCal (RFC 7265 section 3.4).
var propertyTypes = map[string]bool{
	"text": true, "uri": true, "date": true, "date-time": true, "time": true, "date-and-or-time": true, "timestamp": true, "boolean": true, "integer": true, "float": true, "language-tag": true,
	"utc-offset": true, "cal-address": true, "duration": true, "period": true, "recur": true, "binary": true, "unknown": true,
}

// property adds r to the card of its list when it is written as jCard and jCal
// write a property: ["tel", {"type": "cell"}, "uri", "tel:+33639981122"].
func (d *deck) property(r inspect.Record) bool {
	if len(r.Fields) < 3 || r.Fields[0].Kind != inspect.Text || r.Fields[1].Kind != inspect.Text || !propertyTypes[string(r.Fields[1].Data)] || len(r.Fields[0].Data) > maxName || !indexed(r.Group) {
		return false
	}
	name := string(r.Fields[0].Data)
	c := d.card(listOf(r.Group) + "#properties")
	if c == nil {
		return false
	}
	c.properties = true
	c.list = ""
	if outer := listOf(r.Group); indexed(outer) {
		c.list = listOf(outer) + "[]"
	}
	for _, f := range r.Fields[2:] {
		c.add(cell{Part: f, name: name})
	}
	return true
}

// readable returns what the value of f is written in, so that fields each of
// which is encoded by itself can be read: f itself unless all that was made of it
// is one text.
func readable(f *inspect.Part) *inspect.Part {
	for range 3 {
		if len(f.Children) != 1 {
			return f
		}
		c := f.Children[0]
		switch c.Decoder() {
		case "base64", "hex", "percent", "base32", "escape", "charset", "narrow":
		default:
			return f
		}
		if c.Group != "" || len(c.Data) == 0 || len(c.Children) > 1 {
			return f
		}
		f = c
	}
	return f
}

// blocks makes cards of a text whose lines name their values, as LDIF, the heads
// of mail messages, YAML and settings do. A line without a value names what
// follows; an empty line, a dash or a name that comes again begins another card.
func (g *gather) blocks(p *inspect.Part) []*card {
	d := p.Data[:min(len(p.Data), 1<<20)]
	var out []*card
	var c *card
	place := "block"
	seen := make(map[string]bool)
	known, others := 0, 0
	flush := func() {
		if c != nil && len(c.cells) >= 2 && known >= 2 && others <= len(c.cells)/2 {
			out = append(out, c)
		}
		c, known, others = nil, 0, 0
		clear(seen)
	}
	values := new(card) // bare ones behind dashes
	take := func() {
		if len(values.cells) >= 2 {
			out = append(out, values)
		}
		values = new(card)
	}
	for line := range bytes.Lines(d) {
		if len(out) == maxRows {
			break
		}
		line = bytes.TrimRight(line, "\r\n")
		rest := bytes.TrimLeft(line, " \t")
		if len(rest) == 0 {
			flush()
			continue
		}
		if rest[0] == '#' || rest[0] == '%' {
			continue
		}
		dash := false
		if rest[0] == '-' && (len(rest) == 1 || rest[1] == ' ' || rest[1] == '-') {
			flush()
			if rest = bytes.TrimLeft(rest, "- \t"); len(rest) == 0 {
				continue
			}
			dash = true
		}
		if rest[0] == '[' && rest[len(rest)-1] == ']' { // a section
			flush()
			place = strings.ToValidUTF8(string(rest[1:min(len(rest)-1, maxName)]), "")
			continue
		}
		name, value, ok := lineValue(rest)
		if !ok && dash && len(rest) <= maxJoined {
			if len(values.cells) == 0 || values.group != place {
				take()
				values = &card{parent: p, group: place, scalar: true}
			}
			values.addValue(p, place, rest)
			continue
		}
		if !ok {
			others++
			continue
		}
		if len(value) == 0 {
			if len(name) <= maxName && g.container(name) {
				flush()
				place = strings.ToValidUTF8(name, "")
			}
			continue
		}
		if seen[name] && len(c.cells) >= 2 && c.cells[0].name == name {
			flush()
		}
		if c == nil {
			n := strconv.Itoa(len(out))
			c = &card{parent: p, group: place + "[" + n + "]", list: place + "[]"}
		}
		seen[name] = true
		if g.column(name) || telephone([]byte(name)) == fullPhone {
			known++
		}
		c.addValue(p, name, value)
	}
	flush()
	take()
	return out
}

// container says that a name that stands alone in a line can be what the cards
// behind it are called after.
func (g *gather) container(name string) bool { return !g.column(name) || !g.fold(name, true) }

// lineValue takes a line apart: name: value, name = value, or name=value. In
// LDIF (RFC 2849) a second colon says that the value is in base64.
func lineValue(line []byte) (name string, value []byte, ok bool) {
	i := bytes.IndexAny(line[:min(len(line), maxName+2)], ":=")
	if i < 1 || i > maxName {
		return "", nil, false
	}
	if line[i] == ':' && i+1 < len(line) && line[i+1] != ' ' && line[i+1] != ':' && line[i+1] != '\t' {
		return "", nil, false // a time, an address on the web
	}
	if j := bytes.IndexByte(line[i+1:], '='); line[i] == '=' && j > 0 && bytes.IndexByte(bytes.TrimLeft(line[i+1:i+1+j], " "), ' ') > 0 {
		return "", nil, false // several in one line
	}
	n := bytes.Trim(line[:i], " \t\"'")
	if len(n) == 0 || bytes.Count(n, []byte(" ")) > 3 || bytes.ContainsAny(n, "<>{}[](),.!?") {
		return "", nil, false
	}
	return strings.ToValidUTF8(string(n), ""), bytes.Trim(line[i+1:], " \t:\"',"), true
}

// logged makes a card of each line of a text whose lines each name several
// values: ts=… number=… dir=out, or Number: …, Type: ….
func (g *gather) logged(p *inspect.Part) []*card {
	d := p.Data[:min(len(p.Data), 1<<20)]
	var out []*card
	lines := 0
	for line := range bytes.Lines(d) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if lines++; len(out) == maxRows || lines >= 8 && len(out) == 0 {
			break
		}
		c := &card{parent: p, group: "line[" + strconv.Itoa(len(out)) + "]", list: "line[]"}
		known := 0
		for name, value := range lineValues(line) {
			if g.column(name) {
				known++
			}
			c.addValue(p, name, value)
		}
		if len(c.cells) >= 2 && known >= 2 {
			out = append(out, c)
		}
	}
	if 2*len(out) < min(lines, maxRows) {
		return nil
	}
	return out
}

// lineValues yields the names and values of one line. A value goes on to the
// next comma, bar, semicolon or tab, or to the blank before the next name.
func lineValues(line []byte) func(yield func(string, []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for n := 0; len(line) > 0 && n < maxColumns; n++ {
			i := bytes.IndexAny(line, "=:")
			if i < 1 {
				return
			}
			start := bytes.LastIndexAny(line[:i], " \t,;|[{(") + 1
			name := bytes.Trim(line[start:i], " \"'")
			rest := line[i+1:]
			if line[i] == ':' && len(rest) > 0 && rest[0]-'0' < 10 && i > 0 && line[i-1]-'0' < 10 {
				line = rest // a time
				n--
				continue
			}
			var value []byte
			rest = bytes.TrimLeft(rest, " ")
			if len(rest) > 0 && rest[0] == '"' {
				end := bytes.IndexByte(rest[1:], '"')
				if end < 0 {
					return
				}
				value, rest = rest[1:1+end], rest[2+end:]
			} else {
				end := bytes.IndexAny(rest, ",;|\t")
				if end < 0 {
					end = len(rest)
				}
				// The name of the next value begins behind the last blank before its sign.
				if next := bytes.IndexAny(rest[:end], "="); next > 0 {
					if blank := bytes.LastIndexByte(rest[:next], ' '); blank >= 0 {
						end = blank
					}
				}
				value, rest = rest[:end], rest[end:]
			}
			if len(name) > 0 && len(name) <= maxName && !yield(strings.ToValidUTF8(string(name), ""), value) {
				return
			}
			line = bytes.TrimLeft(rest, " ,;|\t")
		}
	}
}

// chain makes cards of a line that lists what belongs together in pieces of the
// same form: Maman:+33639981122;Paul:+33639981123.
func (g *gather) chain(p *inspect.Part) []*card {
	d := p.Data
	if len(d) > 1<<16 {
		return nil
	}
	for _, outer := range []byte(";|,\t~^#\x1e\x1f") {
		pieces := bytes.Split(bytes.Trim(d, string([]byte{outer, ' '})), []byte{outer})
		if len(pieces) < 2 || len(pieces) > 4096 {
			continue
		}
		inner, n := separatorOf(pieces[:min(len(pieces), 64)])
		if n == 0 || inner == outer {
			continue
		}
		var out []*card
		for i, piece := range pieces[:min(len(pieces), maxRows)] {
			c := &card{parent: p, group: "piece[" + strconv.Itoa(i) + "]", list: "piece[]", scalar: true}
			for v := range bytes.SplitSeq(piece, []byte{inner}) {
				c.addValue(p, "", v)
			}
			out = append(out, c)
		}
		return out
	}
	return nil
}

// texts makes cards of a text that no decoder took apart.
func (g *gather) texts(p *inspect.Part) []*card {
	if c := p.Data[0]; c == '{' || c == '<' || c == '%' && len(p.Data) > 1 && p.Data[1] == 'P' {
		return nil
	}
	if bytes.IndexByte(p.Data, '\n') < 0 {
		if out := g.logged(p); len(out) > 0 && bytes.IndexByte(p.Data, '=') > 0 {
			return out
		}
		return g.chain(p)
	}
	if first, _, _ := bytes.Cut(p.Data, []byte("\n")); len(first) < 4<<10 && bytes.Count(first, []byte("=")) > 1 {
		if out := g.logged(p); len(out) > 0 {
			return out
		}
	}
	if out := g.lines(p); len(out) > 0 {
		return out
	}
	if out := g.blocks(p); len(out) > 0 {
		return out
	}
	return g.logged(p)
}

// joins says that one of the values that are joined in b, as far as a separator
// shows, is what is asked for.
func joins(b []byte, is func([]byte) bool) bool {
	if !bytes.ContainsAny(b, separators) {
		return false
	}
	// Addresses on the web have colons in them.
	if i := bytes.Index(b, []byte("://")); i >= 0 {
		start := bytes.LastIndexAny(b[:i], separators) + 1
		end := bytes.IndexAny(b[i+3:], "|\t;^~,")
		if end < 0 {
			end = len(b) - i - 3
		}
		return len(b[start:i+3+end]) > 8 && is(b[start:i+3+end])
	}
	for v := range bytes.FieldsFuncSeq(b, func(r rune) bool { return r < 0x80 && strings.IndexByte(separators, byte(r)) >= 0 }) {
		if v = bytes.TrimSpace(v); len(v) > 2 && is(v) {
			return true
		}
	}
	return false
}

// wrapNames are names of fields that say of what type the value of the field
// around them is: {"from": {"stringValue": "…"}}, as databases of documents, JSON
// that was made of XML, and rows with types have it.
var wrapNames = map[string]bool{
	"stringValue": true, "integerValue": true, "doubleValue": true, "booleanValue": true, "timestampValue": true, "nullValue": true, "string_value": true, "int_value": true,
	"S": true, "N": true, "BOOL": true, "$t": true, "_text": true, "#text": true, "$": true, "__text": true, "$date": true, "$numberLong": true, "$numberInt": true, "$numberDouble": true, "@value": true, "_value": true, "rawValue": true, "_": true, "#cdata": true, "_cdata": true,
}

// wrapped puts the value of a record that is no more than a value with its type
// into the card around it.
func (d *deck) wrapped(r inspect.Record) bool {
	f := r.Fields[0]
	if !wrapNames[f.Name] || r.Group == "" || indexed(r.Group) {
		return false
	}
	outer, key := lastKey(r.Group)
	if key == "" {
		return false
	}
	place, via, over := d.fold(outer)
	c := d.card(place)
	if c == nil {
		return true
	}
	c.add(cell{Part: f, name: key, via: via, over: over})
	return true
}

// wantsWrapped is want for a value that is called after its type.
func (g *gather) wantsWrapped(p *inspect.Part) bool {
	_, key := lastKey(p.Group)
	named := *p
	named.Name = key
	return g.want(&named)
}

// pair adds a list of a name and a value to the card of the list around it:
// [["From", "odile@example.org"], ["Subject", "…"]].
func (d *deck) pair(v *view, r inspect.Record) bool {
	name, value := r.Fields[0], r.Fields[1]
	if name.Kind != inspect.Text || !indexed(r.Group) || len(name.Data) > maxName || len(name.Data) < 2 || bytes.IndexByte(name.Data, '.') >= 0 || value.Kind > inspect.Number || !v.column(name.Data) || value.Kind == inspect.Text && len(value.Data) <= maxName && v.column(value.Data) {
		return false
	}
	c := d.card(listOf(r.Group) + "#pairs")
	if c == nil {
		return false
	}
	c.list = ""
	if outer := listOf(r.Group); indexed(outer) {
		c.list = listOf(outer) + "[]"
	}
	c.add(cell{Part: value, name: strings.ToValidUTF8(string(name.Data), "")})
	return true
}

// named makes a card of a list of strings that each hold a name and a value:
// ["From: odile@example.org", "Subject: …"].
func (d *deck) named(v *view, r inspect.Record) bool {
	if len(r.Fields) > maxCells {
		return false
	}
	known, all := 0, 0
	for _, f := range r.Fields {
		if f.Kind > inspect.Text || len(f.Data) > 4<<10 || len(f.Data) < 3 {
			return false
		}
		name, _, ok := lineValue(f.Data)
		if all++; ok && v.column([]byte(name)) {
			known++
		}
		if all == 4 && known == 0 {
			return false
		}
	}
	if known < 2 || 2*known < all {
		return false
	}
	c := d.card(r.Group + "#named")
	if c == nil {
		return false
	}
	c.list = ""
	if indexed(r.Group) {
		c.list = listOf(r.Group) + "[]"
	}
	for _, f := range r.Fields {
		if name, value, ok := lineValue(f.Data); ok {
			c.addValue(f, name, value)
		}
	}
	return true
}
