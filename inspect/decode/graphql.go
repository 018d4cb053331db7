package decode

import (
	"bytes"

	"constat/inspect"
)

// GraphQL takes the values out of a GraphQL document that stand in it literally:
// the arguments of fields and directives, the fields of input objects, and the
// defaults of variables. Argument, name and group are as in JSON, with the
// fields around a value as the objects:
//
//	createNote.input.text   viewer.notes.ids[2]
//
// A document without such values is left alone, and so is what is not one from
// its first byte to its last.
var GraphQL = inspect.Decoder{
	Name:   "graphql",
	Doc:    "takes the literal arguments out of a GraphQL document (spec.graphql.org, section 2)",
	Min:    8,
	First:  blanks + "{qmsf#,",
	Holds:  inspect.Parens,
	Decode: decodeGraphQL,
}

func decodeGraphQL(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	switch c := d[0]; {
	case c == '{' && (d[1] == '"' || d[1] == '}'): // JSON
		return nil, nil
	case c == '{', c == 'q', c == 'm', c == 's', c == 'f', c == '#', c <= ' ', c == ',':
	default:
		return nil, nil
	}
	g := graphql{w: w, d: d}
	if t := g.next(); t == '{' {
		if c := g.peek(); c != '.' && !isGraphQLName(c) {
			return nil, nil
		}
	} else if !g.operation() {
		return nil, nil
	}
	if bytes.IndexByte(d, '(') < 0 {
		return nil, nil
	}
	g.at = 0
	g.out = newPlaces(w.Parts())
	defer g.out.done()
	err := g.read()
	if err == errXML || err == errEnd || len(g.out.values) == 0 {
		return nil, nil
	}
	return g.out.children(w), err
}

// Kinds of tokens that are not punctuators, which are their own kind.
const (
	gqlEnd    = 0
	gqlBad    = 1
	gqlName   = 'a'
	gqlNumber = '0'
	gqlString = '"'
	gqlBlock  = 'B'
	gqlSpread = '.'
)

// graphql reads a document token by token, without recursion.
type graphql struct {
	w   *inspect.Work
	d   []byte
	at  int
	tok span // of names, numbers and the inside of strings
	out *places
	// modes are the brackets that are open: '{' a selection, 'i' one that has no
	// place of its own, '(' arguments, 'o' an input object, '[' a list, 'v' the
	// variables of an operation.
	modes []byte
	last  byte // of a selection: 'f' a field, 'p' its arguments, '@' a directive, 0 neither
}

func isGraphQLName(c byte) bool { return class[c]&(upper|lower) != 0 || c == '_' }

// peek returns the next byte that means something.
func (g *graphql) peek() byte {
	for g.at < len(g.d) {
		switch c := g.d[g.at]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',':
			g.at++
		case c == '#':
			n := bytes.IndexByte(g.d[g.at:], '\n')
			if n < 0 {
				g.at = len(g.d)
				return 0
			}
			g.at += n
		default:
			return c
		}
	}
	return 0
}

func (g *graphql) next() byte {
	c := g.peek()
	start := g.at
	switch {
	case g.at >= len(g.d):
		return gqlEnd
	case isGraphQLName(c):
		for g.at < len(g.d) && (isGraphQLName(g.d[g.at]) || class[g.d[g.at]]&digit != 0) {
			g.at++
		}
		g.tok = span{start, g.at}
		return gqlName
	case class[c]&digit != 0 || c == '-':
		for g.at++; g.at < len(g.d); g.at++ {
			if c := g.d[g.at]; class[c]&digit == 0 && c != '.' && c|0x20 != 'e' && c != '+' && c != '-' {
				break
			}
		}
		g.tok = span{start, g.at}
		return gqlNumber
	case c == '"':
		return g.str()
	case c == '.':
		if !bytes.HasPrefix(g.d[g.at:], []byte("...")) {
			return gqlBad
		}
		g.at += 3
		return gqlSpread
	case bytes.IndexByte([]byte("{}()[]:=$@!&|"), c) >= 0:
		g.at++
		return c
	}
	return gqlBad
}

func (g *graphql) str() byte {
	if bytes.HasPrefix(g.d[g.at:], []byte(`"""`)) {
		start := g.at + 3
		for i := start; ; {
			n := bytes.Index(g.d[i:], []byte(`"""`))
			if n < 0 {
				return gqlBad
			}
			if i += n; g.d[i-1] == '\\' {
				i += 3
				continue
			}
			g.tok, g.at = span{start, i}, i+3
			return gqlBlock
		}
	}
	for i := g.at + 1; i < len(g.d); i++ {
		switch g.d[i] {
		case '\\':
			i++
		case '\n':
			return gqlBad
		case '"':
			g.tok, g.at = span{g.at + 1, i}, i+1
			return gqlString
		}
	}
	return gqlBad
}

// operation says that the name that was read begins a definition.
func (g *graphql) operation() bool {
	switch string(g.tok.of(g.d)) {
	case "query", "mutation", "subscription":
		c := g.peek()
		return isGraphQLName(c) || c == '(' || c == '{' || c == '@'
	case "fragment":
		return isGraphQLName(g.peek())
	}
	return false
}

func (g *graphql) read() error {
	for g.peek() != 0 {
		if err := g.definition(); err != nil {
			return err
		}
		for len(g.modes) > 0 {
			if err := g.step(); err != nil {
				return err
			}
		}
	}
	return nil
}

// definition reads a definition up to its first bracket.
func (g *graphql) definition() error {
	g.out.s.place = g.out.s.place[:0]
	t := g.next()
	if t == '{' {
		return g.open('{', false)
	}
	if t != gqlName || !g.operation() {
		return errXML
	}
	if string(g.tok.of(g.d)) == "fragment" {
		for range 3 { // its name, on, the type
			if g.next() != gqlName {
				return errXML
			}
		}
	} else if isGraphQLName(g.peek()) {
		g.next()
	}
	switch g.next() {
	case '(':
		return g.open('v', false)
	case '{':
		return g.open('{', false)
	case '@':
		// The selection, which is open, ends where the brackets of the directive do.
		if g.next() != gqlName {
			return errXML
		}
		if err := g.open('d', false); err != nil {
			return err
		}
		return nil
	}
	return errXML
}

func (g *graphql) open(mode byte, array bool) error {
	if mode != 'i' && !g.out.open(array) {
		return errXML
	}
	g.modes = append(g.modes, mode)
	return nil
}

func (g *graphql) end() {
	if g.modes[len(g.modes)-1] != 'i' {
		g.out.end()
	}
	g.modes = g.modes[:len(g.modes)-1]
}

func (g *graphql) step() error {
	if len(g.modes) > 4*jsonDepth {
		return errXML
	}
	t := g.next()
	switch g.modes[len(g.modes)-1] {
	case '{', 'i':
		last := g.last
		g.last = 0
		return g.selection(t, last)
	case 'd': // behind a directive of an operation
		switch t {
		case '(':
			return g.open('(', false)
		case '@':
			if g.next() != gqlName {
				return errXML
			}
			return nil
		case '{':
			g.modes[len(g.modes)-1] = '{'
			return nil
		}
		return errXML
	case 'v':
		switch t {
		case ')':
			g.modes[len(g.modes)-1] = 'd' // what may follow is the same
			return nil
		case '$':
			if g.next() != gqlName {
				return errXML
			}
			g.out.field(g.tok.of(g.d))
			return nil
		case '=':
			return g.value(g.next())
		case ':', '!', '[', ']', gqlName, '@':
			return nil
		}
		return errXML
	case '(', 'o':
		switch {
		case t == ')' && g.modes[len(g.modes)-1] == '(', t == '}' && g.modes[len(g.modes)-1] == 'o':
			g.end()
			g.last = 'p'
			return nil
		case t != gqlName:
			return errXML
		}
		g.out.field(g.tok.of(g.d))
		if g.next() != ':' {
			return errXML
		}
		return g.value(g.next())
	default: // a list
		if t == ']' {
			g.end()
			return nil
		}
		g.out.element()
		return g.value(t)
	}
}

// selection reads one thing of a selection: a field's name, what may follow it,
// or the end.
func (g *graphql) selection(t, last byte) error {
	switch {
	case t == '}':
		g.end()
	case t == gqlName:
		name := g.tok
		if g.peek() == ':' { // that was an alias
			g.at++
			if g.next() != gqlName {
				return errXML
			}
			name = g.tok
		}
		g.out.field(name.of(g.d))
		g.last = 'f'
	case t == gqlSpread:
		return g.spread()
	case t == '@':
		if g.next() != gqlName {
			return errXML
		}
		g.last = '@'
	case t == '(' && (last == 'f' || last == '@'):
		return g.open('(', false)
	case t == '{' && last != 0:
		return g.open('{', false)
	default:
		return errXML
	}
	return nil
}

// spread reads what follows three full stops: the name of a fragment, or on and
// a type, which may be left out, and a selection.
func (g *graphql) spread() error {
	c := g.peek()
	if isGraphQLName(c) {
		g.next()
		if string(g.tok.of(g.d)) != "on" {
			return nil
		}
		if g.next() != gqlName {
			return errXML
		}
		c = g.peek()
	}
	switch c {
	case '{':
		g.at++
		return g.open('i', false)
	case '@':
		return nil
	}
	return errXML
}

func (g *graphql) value(t byte) error {
	data, kind := g.tok.of(g.d), inspect.Text
	switch t {
	case '[':
		return g.open('[', true)
	case '{':
		return g.open('o', false)
	case '$':
		if g.next() != gqlName {
			return errXML
		}
		return nil
	case gqlNumber:
		kind = inspect.Number
	case gqlName:
		switch string(data) {
		case "true", "false":
			kind = inspect.Bool
		case "null":
			kind = inspect.Null
		}
	case gqlBlock:
		data = bytes.TrimSpace(data)
	case gqlString:
		if bytes.IndexByte(data, '\\') >= 0 {
			if !g.w.Take(len(data)) {
				return inspect.ErrBytes
			}
			data = unescape(make([]byte, 0, len(data)), data)
		}
	default:
		return errXML
	}
	if !g.out.value(data, kind) {
		return inspect.ErrParts
	}
	return nil
}
