package decode

import (
	"bytes"
	"errors"
	"hash/maphash"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"constat/inspect"
)

// XML takes XML apart: every attribute and every text in it becomes a part. The
// argument is where the value stands, by local names; an element with attributes
// or elements inside has its number among those of its name, the root has none:
//
//	smses/sms[1]@body   contacts/contact[0]/name   page/note[0]/text()
//
// Name is the attribute's or element's local name, and Group the place of the
// element that has the attributes and text-only elements of one record. Where a
// document spells names out as values, these are the names instead:
// <string name="k">v</string>, <int name="k" value="1"/>, the members of XML-RPC
// (xmlrpc.com/spec.md) and the dictionaries of property lists.
//
// It expands the five predefined entities and character references and no
// others, and reads no document type definition. Pages of HTML, drawings in SVG
// and property lists, which have a decoder of their own, are left alone.
// Elements 64 levels down are one part, which this decoder sees again.
var XML = inspect.Decoder{
	Name:   "xml",
	Doc:    "takes XML 1.0 (w3.org/TR/xml) apart into its attributes and texts",
	Min:    7,
	First:  blanks + "<\xef",
	Holds:  inspect.Angles,
	Decode: decodeXML,
}

const (
	xmlDepth    = 64  // levels taken apart in one step
	xmlName     = 100 // bytes of a local name that are written out
	xmlElements = 16  // elements read for each part that may be made
)

var errXML = errors.New("not well-formed")

func decodeXML(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] > ' ' && d[0] != '<' && d[0] != 0xef {
		return nil, nil
	}
	root, prolog := xmlRoot(d)
	declared := p.Coding == "" && p.Kind == inspect.Bytes && strings.Contains(p.Media, "xml")
	if root == nil || notXML(root, prolog || declared) {
		return nil, nil
	}
	if name := recogniseCharset(p); name != "" && !strings.EqualFold(name, "utf-8") {
		return nil, nil // what Charset makes of it comes here
	}
	x := xmlScanners.Get().(*xmlScanner)
	defer x.release()
	x.reset(d, w.Parts())
	err := x.run()
	switch {
	case err == nil || err == inspect.ErrParts:
	case declared || prolog || err == errEnd && len(x.leaves) >= 2:
		err = broken("xml", err)
	default:
		return nil, nil
	}
	children, ok := x.children(w)
	if !ok {
		err = inspect.ErrBytes
	}
	return children, err
}

// xmlRoot returns the local name of the root element of d, nil if d does not
// begin like XML, and whether there is an XML declaration.
func xmlRoot(d []byte) (root []byte, prolog bool) {
	t := xmlTokens{d: d}
	if bytes.HasPrefix(d, []byte("\xef\xbb\xbf")) {
		t.at = 3
	}
	t.at = skipSpace(d, t.at)
	prolog = bytes.HasPrefix(d[t.at:], []byte("<?xml"))
	for {
		t.at = skipSpace(d, t.at)
		if t.at+1 >= len(d) || d[t.at] != '<' {
			return nil, prolog
		}
		switch c := d[t.at+1]; {
		case c == '?' || c == '!':
			if c == '!' && len(d) > t.at+14 && bytes.EqualFold(d[t.at+2:t.at+14], []byte("doctype html")) {
				return nil, prolog
			}
			if bytes.HasPrefix(d[t.at:], []byte("<![")) || t.next() != nil {
				return nil, prolog
			}
		case xmlNameByte(c) && class[c]&digit == 0:
			start := t.at + 1
			end := start
			for end < len(d) && xmlNameByte(d[end]) {
				end++
			}
			if end == len(d) || d[end] != '>' && d[end] != '/' && d[end] > ' ' {
				return nil, prolog
			}
			return local(d[start:end]), prolog
		default:
			return nil, prolog
		}
	}
}

// markup are the elements that pages, and pieces of pages inside strings, begin
// with.
var markup = func() map[string]bool {
	m := make(map[string]bool)
	for _, name := range strings.Fields(`head body div p span a b i u em strong br hr font center table tr td th tbody
		ul ol li h1 h2 h3 h4 h5 h6 img script style link meta title iframe form input button label select option
		section article header footer nav main pre code blockquote small sub sup big video audio canvas noscript`) {
		m[name] = true
	}
	return m
}()

// notXML says that what has this root is none of the business of XML, or cannot
// be told from a piece of a page unless somebody declares it.
func notXML(root []byte, declared bool) bool {
	if string(root) == "plist" || string(root) == "svg" || bytes.EqualFold(root, []byte("html")) {
		return true
	}
	var buf [12]byte
	if declared || len(root) > len(buf) {
		return false
	}
	name := buf[:copy(buf[:], root)]
	for i, c := range name {
		if class[c]&upper != 0 {
			name[i] = c | 0x20
		}
	}
	return markup[string(name)]
}

// local returns name without its prefix.
func local(name []byte) []byte {
	return name[bytes.IndexByte(name, ':')+1:]
}

func xmlNameByte(c byte) bool {
	return class[c]&(digit|upper|lower) != 0 || c == '_' || c == '-' || c == '.' || c == ':' || c >= utf8.RuneSelf
}

// Kinds of xmlTokens.
const (
	xmlStart = iota
	xmlEnd
	xmlText
	xmlCDATA
	xmlOther // comment, processing instruction, document type
)

// span is a piece of the input.
type span struct{ start, end int }

func (s span) of(d []byte) []byte { return d[s.start:s.end] }

type xmlAttr struct{ name, value span } // the name without prefix

// xmlTokens reads XML token by token. It checks that tags are built well, and
// leaves it to the caller that they match.
type xmlTokens struct {
	d    []byte
	at   int
	most int // attributes of one tag; 0: not kept

	kind  int
	from  int       // where the token begins
	name  span      // of tags, with the prefix
	text  span      // of xmlText and xmlCDATA
	attrs []xmlAttr // of xmlStart; of a tag cut off in a value with what there is
	empty bool      // of xmlStart: <name/>
}

// next reads the token at t.at, which is not the end.
func (t *xmlTokens) next() error {
	d := t.d
	t.from, t.kind = t.at, xmlOther
	if d[t.at] != '<' {
		t.kind = xmlText
		n := bytes.IndexByte(d[t.at:], '<')
		if n < 0 {
			n = len(d) - t.at
		}
		t.text = span{t.at, t.at + n}
		t.at += n
		return nil
	}
	if t.at+1 == len(d) {
		return errEnd
	}
	rest := d[t.at:]
	switch rest[1] {
	case '/':
		return t.endTag()
	case '?':
		return t.skipTo(2, "?>")
	case '!':
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			return t.skipTo(4, "-->")
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			t.kind = xmlCDATA
			start := t.at + 9
			err := t.skipTo(9, "]]>")
			t.text = span{start, t.at - 3}
			if err != nil {
				t.text.end = len(d)
			}
			return err
		}
		return t.doctype()
	}
	return t.startTag()
}

// skipTo moves behind the next end that is n bytes or more ahead.
func (t *xmlTokens) skipTo(n int, end string) error {
	if t.at+n > len(t.d) {
		return errEnd
	}
	i := bytes.Index(t.d[t.at+n:], []byte(end))
	if i < 0 {
		return errEnd
	}
	t.at += n + i + len(end)
	return nil
}

// doctype moves behind a declaration and the declarations in its brackets.
func (t *xmlTokens) doctype() error {
	depth := 0
	for i := t.at; i < len(t.d); i++ {
		switch c := t.d[i]; c {
		case '<', '[':
			depth++
		case ']':
			depth--
		case '>':
			if depth--; depth == 0 {
				t.at = i + 1
				return nil
			}
		case '"', '\'':
			n := bytes.IndexByte(t.d[i+1:], c)
			if n < 0 {
				return errEnd
			}
			i += n + 1
		}
	}
	return errEnd
}

func (t *xmlTokens) tagName(start int) error {
	i := start
	for i < len(t.d) && xmlNameByte(t.d[i]) {
		i++
	}
	if i == len(t.d) {
		return errEnd
	}
	if i == start || class[t.d[start]]&digit != 0 {
		return errXML
	}
	t.name, t.at = span{start, i}, i
	return nil
}

func (t *xmlTokens) endTag() error {
	t.kind = xmlEnd
	if err := t.tagName(t.at + 2); err != nil {
		return err
	}
	t.at = skipSpace(t.d, t.at)
	if t.at == len(t.d) {
		return errEnd
	}
	if t.d[t.at] != '>' {
		return errXML
	}
	t.at++
	return nil
}

func (t *xmlTokens) startTag() error {
	t.kind, t.empty, t.attrs = xmlStart, false, t.attrs[:0]
	if err := t.tagName(t.at + 1); err != nil {
		return err
	}
	d := t.d
	for {
		i := skipSpace(d, t.at)
		if i == len(d) {
			return errEnd
		}
		switch c := d[i]; {
		case c == '>':
			t.at = i + 1
			return nil
		case c == '/':
			if i+1 == len(d) {
				return errEnd
			}
			if d[i+1] != '>' {
				return errXML
			}
			t.empty, t.at = true, i+2
			return nil
		case i == t.at || !xmlNameByte(c):
			return errXML
		}
		a := xmlAttr{name: span{i, i}}
		for i < len(d) && xmlNameByte(d[i]) {
			if d[i] == ':' {
				a.name.start = i + 1
			}
			i++
		}
		a.name.end = i
		i = skipSpace(d, i)
		if i == len(d) {
			return errEnd
		}
		if d[i] != '=' {
			return errXML
		}
		i = skipSpace(d, i+1)
		if i == len(d) {
			return errEnd
		}
		quote := d[i]
		if quote != '"' && quote != '\'' {
			return errXML
		}
		n := bytes.IndexByte(d[i+1:], quote)
		cut := n < 0
		if cut {
			n = len(d) - i - 1
		}
		a.value = span{i + 1, i + 1 + n}
		whole := span{t.at, a.name.end}.of(d)
		if whole = bytes.TrimLeft(whole, " \t\r\n"); len(t.attrs) <= t.most && !bytes.HasPrefix(whole, []byte("xmlns")) {
			t.attrs = append(t.attrs, a)
		}
		if cut {
			return errEnd
		}
		t.at = i + n + 2
	}
}

// xmlScanner makes leaves of tokens, in one pass and without recursion.
type xmlScanner struct {
	xmlTokens
	limit    int // leaves
	stack    []xmlLevel
	place    []byte // places of the open elements, which share beginnings
	text     []byte // arguments, groups and names of the leaves, one after another
	leaves   []xmlLeaf
	chunks   []chunk // of the texts; those from pending on are of the innermost element
	pending  int
	counts   map[uint64]int32 // elements that have a number, by parent and name
	elements int
	slots    []int32
}

// chunk is a piece of text: one may be in several, between comments.
type chunk struct {
	span
	cdata bool
}

// xmlLevel is an open element.
type xmlLevel struct {
	full, name span   // in d, with and without prefix
	base       int    // length of the buffer of places outside
	place      span   // in that buffer: of the element, of the one around it as long as it has none
	id         uint64 // number of the element
	placed     bool   // place is its own
	group      span   // in text, its place, once needed
	grouped    bool
	held       xmlAttr // its only attribute, called name or key, as long as no leaf was made of it
	key        span    // in d: what the next value inside, or the value itself, is called
	inside     bool    // has elements
}

type xmlLeaf struct {
	arg, name, group span // in text
	value            span // in d, of an attribute or element; else
	first, last      int  // in chunks
	kind             inspect.Kind
}

var xmlScanners = sync.Pool{New: func() any { return &xmlScanner{counts: make(map[uint64]int32)} }}

func (x *xmlScanner) reset(d []byte, limit int) {
	x.xmlTokens = xmlTokens{d: d, most: limit, attrs: x.attrs[:0]}
	if bytes.HasPrefix(d, []byte("\xef\xbb\xbf")) {
		x.at = 3
	}
	x.limit, x.pending, x.elements = limit, 0, 0
	x.stack, x.place, x.text, x.leaves, x.chunks = x.stack[:0], x.place[:0], x.text[:0], x.leaves[:0], x.chunks[:0]
	clear(x.counts)
}

// release gives x back, unless an unusual body made it large.
func (x *xmlScanner) release() {
	x.d = nil
	if cap(x.leaves) <= 4096 && cap(x.text) <= 1<<18 && cap(x.chunks) <= 4096 && cap(x.attrs) <= 1024 && x.elements <= 4096 {
		xmlScanners.Put(x)
	}
}

// run reads all of the document.
func (x *xmlScanner) run() error {
	for x.at < len(x.d) {
		err := x.next()
		switch {
		case err == errEnd && x.kind == xmlStart && len(x.attrs) > 0:
			if err := x.start(); err != nil {
				return err
			}
			return firstOf(x.unhold(len(x.stack)-1), errEnd)
		case err == errEnd && x.kind == xmlCDATA && len(x.stack) > 0:
			x.chunks = append(x.chunks, chunk{x.xmlTokens.text, true})
			fallthrough
		case err == errEnd && len(x.stack) > 0:
			return firstOf(x.flush(false), err)
		case err != nil:
			return err
		}
		switch x.kind {
		case xmlStart:
			if len(x.stack) == xmlDepth {
				err = x.deep()
			} else if err = x.start(); err == nil && x.empty {
				err = x.end()
			}
		case xmlEnd:
			if n := len(x.stack); n == 0 || string(x.name.of(x.d)) != string(x.stack[n-1].full.of(x.d)) {
				return errXML
			}
			err = x.end()
		case xmlText, xmlCDATA:
			s := x.xmlTokens.text
			if len(x.stack) == 0 {
				if len(bytes.TrimSpace(s.of(x.d))) > 0 {
					return errTrailing
				}
				break
			}
			if s.start < s.end {
				if len(x.chunks) >= 4*x.limit {
					return inspect.ErrParts
				}
				x.chunks = append(x.chunks, chunk{s, x.kind == xmlCDATA})
			}
		}
		if err != nil {
			return err
		}
	}
	if len(x.stack) > 0 {
		return firstOf(x.flush(false), errEnd)
	}
	return nil
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// start opens the element of the tag that was read.
func (x *xmlScanner) start() error {
	if x.elements++; x.elements > x.limit*xmlElements {
		return inspect.ErrParts
	}
	if n := len(x.stack); n > 0 {
		up := &x.stack[n-1]
		up.inside = true
		x.put(n - 1)
		if err := x.unhold(n - 1); err != nil {
			return err
		}
		if err := x.flush(true); err != nil {
			return err
		}
	}
	l := xmlLevel{
		full: x.name, name: span{x.name.end - len(local(x.name.of(x.d))), x.name.end},
		base: len(x.place), id: uint64(x.elements),
	}
	if n := len(x.stack); n > 0 {
		l.place = x.stack[n-1].place
	}
	x.stack = append(x.stack, l)
	if len(x.attrs) == 0 {
		return nil
	}
	top := len(x.stack) - 1
	x.put(top)
	switch key, value := x.pair(); {
	case len(x.attrs) == 1 && key >= 0:
		x.stack[top].held, x.stack[top].key = x.attrs[0], x.attrs[0].value
		return nil
	case key >= 0 && value >= 0:
		return x.attribute(x.attrs[value], x.attrs[key].value, top-1)
	}
	for _, a := range x.attrs {
		if err := x.attribute(a, a.name, top); err != nil {
			return err
		}
	}
	return nil
}

// pair tells which of the one or two attributes of the tag is the name of a
// value and which the value, -1 where there is none.
func (x *xmlScanner) pair() (key, value int) {
	key, value = -1, -1
	if len(x.attrs) > 2 {
		return
	}
	for i, a := range x.attrs {
		switch string(a.name.of(x.d)) {
		case "name", "key":
			if isKey(a.value.of(x.d)) {
				key = i
			}
		case "value":
			value = i
		}
	}
	return
}

// isKey says that b can be the name of a value: one word.
func isKey(b []byte) bool {
	for _, c := range b {
		if !xmlNameByte(c) && c != '/' && c != '$' && c != '@' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= xmlName
}

// put writes the name and number of the innermost element, at level i, behind
// the place of the element around it.
func (x *xmlScanner) put(i int) {
	l := &x.stack[i]
	if l.placed {
		return
	}
	var up uint64
	if i > 0 {
		up = x.stack[i-1].id
		if outer := l.place.of(x.place); len(outer) > jsonPlace {
			outer = shorten(bytes.Clone(outer), jsonPlace-50)
			l.place.start = len(x.place)
			x.place = append(x.place, outer...)
		}
		x.place = append(x.place, '/')
	}
	name := l.name.of(x.d)
	x.place = append(x.place, plainName(name)...)
	k := maphash.Bytes(jsonSeed, name) ^ up*0x9e3779b97f4a7c15
	n := x.counts[k]
	x.counts[k] = n + 1
	if i > 0 || n > 0 {
		x.place = append(x.place, '[')
		x.place = append(strconv.AppendInt(x.place, int64(n), 10), ']')
	}
	l.place.end, l.placed = len(x.place), true
}

// plainName holds a name to the length that is written out.
func plainName(name []byte) []byte {
	if len(name) <= xmlName {
		return name
	}
	return shorten(bytes.Clone(name), xmlName/2)
}

// groupOf returns the place of the element at level i, in text.
func (x *xmlScanner) groupOf(i int) span {
	if i < 0 {
		return span{}
	}
	l := &x.stack[i]
	if !l.grouped {
		start := len(x.text)
		x.text = append(x.text, l.place.of(x.place)...)
		l.group, l.grouped = span{start, len(x.text)}, true
	}
	return l.group
}

// note copies b into text.
func (x *xmlScanner) note(b []byte) span {
	start := len(x.text)
	x.text = append(x.text, plainName(b)...)
	return span{start, len(x.text)}
}

// attribute makes a leaf of an attribute of the innermost element.
func (x *xmlScanner) attribute(a xmlAttr, name span, group int) error {
	if len(x.leaves) >= x.limit {
		return inspect.ErrParts
	}
	l := xmlLeaf{value: a.value, kind: inspect.Text, group: x.groupOf(group), name: x.note(name.of(x.d))}
	start := len(x.text)
	x.text = append(append(x.text, x.stack[len(x.stack)-1].place.of(x.place)...), '@')
	x.text = append(x.text, plainName(a.name.of(x.d))...)
	l.arg = span{start, len(x.text)}
	x.leaves = append(x.leaves, l)
	return nil
}

// unhold makes a leaf of the attribute that turned out to name nothing.
func (x *xmlScanner) unhold(i int) error {
	l := &x.stack[i]
	if l.held == (xmlAttr{}) {
		return nil
	}
	a := l.held
	l.held = xmlAttr{}
	return x.attribute(a, a.name, i)
}

// end closes the innermost element.
func (x *xmlScanner) end() error {
	err := x.flush(false)
	top := len(x.stack) - 1
	if err == nil {
		err = x.unhold(top)
	}
	x.place = x.place[:x.stack[top].base]
	x.stack = x.stack[:top]
	return err
}

// flush makes a leaf of the text of the innermost element that was read so far,
// if there is any. mixed says that an element follows in it.
func (x *xmlScanner) flush(mixed bool) error {
	first, last := x.pending, len(x.chunks)
	x.pending = last
	blank := true
	for _, c := range x.chunks[first:last] {
		blank = blank && len(bytes.TrimSpace(c.of(x.d))) == 0
	}
	if blank {
		x.chunks = x.chunks[:first]
		x.pending = first
		return nil
	}
	if len(x.leaves) >= x.limit {
		return inspect.ErrParts
	}
	top := len(x.stack) - 1
	l := &x.stack[top]
	leaf := xmlLeaf{first: first, last: last, kind: inspect.Text}
	if mixed || l.inside {
		leaf.group, leaf.name = x.groupOf(top), x.note(l.name.of(x.d))
		start := len(x.text)
		x.text = append(append(x.text, l.place.of(x.place)...), "/text()"...)
		leaf.arg = span{start, len(x.text)}
		x.leaves = append(x.leaves, leaf)
		return nil
	}
	if x.isKeyOf(top, first, last) {
		return nil
	}
	l.held = xmlAttr{} // it was the name of this text
	name, group := x.called(top)
	leaf.group, leaf.name = x.groupOf(group), x.note(name)
	start := len(x.text)
	x.text = append(x.text, l.place.of(x.place)...)
	if !l.placed {
		if top > 0 {
			x.text = append(x.text, '/')
		}
		x.text = append(x.text, plainName(l.name.of(x.d))...)
	}
	leaf.arg = span{start, len(x.text)}
	x.leaves = append(x.leaves, leaf)
	return nil
}

// isKeyOf says that the text of the element at level i is the name of what
// follows it: <member><name>, <dict><key>.
func (x *xmlScanner) isKeyOf(i, first, last int) bool {
	if i == 0 || last-first != 1 {
		return false
	}
	up := &x.stack[i-1]
	switch outer, inner := string(up.name.of(x.d)), string(x.stack[i].name.of(x.d)); {
	case outer == "member" && inner == "name", outer == "dict" && inner == "key":
	default:
		return false
	}
	s := x.chunks[first].span
	for s.start < s.end && x.d[s.start] <= ' ' {
		s.start++
	}
	for s.end > s.start && x.d[s.end-1] <= ' ' {
		s.end--
	}
	if !isKey(s.of(x.d)) {
		return false
	}
	up.key = s
	return true
}

// typeNames are elements that say of what type their text is and no more.
var typeNames = map[string]bool{
	"string": true, "value": true, "item": true, "int": true, "i4": true, "i8": true, "integer": true, "long": true,
	"float": true, "real": true, "double": true, "boolean": true, "bool": true, "date": true, "dateTime.iso8601": true,
	"base64": true, "data": true,
}

// called returns what the text of the innermost element, at level i, is called
// and the level of the element whose record it belongs to.
func (x *xmlScanner) called(i int) (name []byte, group int) {
	l := &x.stack[i]
	if l.key != (span{}) {
		return l.key.of(x.d), i - 1
	}
	name = l.name.of(x.d)
	if !typeNames[string(name)] {
		return name, i - 1
	}
	const far = 4
	list := false
	for j := i - 1; j >= max(0, i-far); j-- {
		up := &x.stack[j]
		if up.key != (span{}) {
			switch string(up.name.of(x.d)) {
			case "dict":
				if list {
					return up.key.of(x.d), i - 1
				}
				return up.key.of(x.d), j
			case "member":
				if list {
					return up.key.of(x.d), i - 1
				}
				return up.key.of(x.d), j - 1
			}
			return up.key.of(x.d), i - 1
		}
		switch string(up.name.of(x.d)) {
		case "array", "data":
			list = true
		case "value":
		default:
			return name, i - 1
		}
	}
	return name, i - 1
}

// deep passes over an element that stands too deep and makes one leaf of it.
func (x *xmlScanner) deep() error {
	start, full := x.from, x.name
	depth := 0
	for {
		switch {
		case x.kind == xmlStart && !x.empty:
			depth++
		case x.kind == xmlEnd:
			depth--
		}
		if depth == 0 {
			break
		}
		if x.at == len(x.d) {
			return errEnd
		}
		if err := x.next(); err != nil {
			return err
		}
	}
	if len(x.leaves) >= x.limit {
		return inspect.ErrParts
	}
	top := len(x.stack) - 1
	x.stack[top].inside = true
	x.put(top)
	if err := firstOf(x.unhold(top), x.flush(true)); err != nil {
		return err
	}
	name := local(full.of(x.d))
	l := xmlLeaf{value: span{start, x.at}, kind: inspect.Bytes, group: x.groupOf(top), name: x.note(name)}
	at := len(x.text)
	x.text = append(append(x.text, x.stack[top].place.of(x.place)...), '/')
	x.text = append(x.text, plainName(name)...)
	l.arg = span{at, len(x.text)}
	x.leaves = append(x.leaves, l)
	return nil
}

// children makes the leaves children; ok is false when the budget for the
// strings that had to be written anew was used up.
func (x *xmlScanner) children(w *inspect.Work) (children []inspect.Child, ok bool) {
	if len(x.leaves) == 0 {
		return nil, true
	}
	text := string(x.text)
	children = w.Children(len(x.leaves))
	for i := range x.leaves {
		l, c := &x.leaves[i], &children[i]
		c.Arg, c.Name, c.Group = text[l.arg.start:l.arg.end], text[l.name.start:l.name.end], text[l.group.start:l.group.end]
		c.Kind = l.kind
		list := []chunk{{l.value, l.kind == inspect.Bytes}}
		if l.last > l.first {
			list = x.chunks[l.first:l.last]
		}
		data, ok := plainText(w, x.d, list)
		if !ok {
			return children[:i], false
		}
		if l.last > l.first {
			data = bytes.TrimSpace(data)
		}
		c.Data = data
	}
	x.slots = numberRepeats(x.slots, children)
	return children, true
}

// plainText joins chunks and undoes references in them. One without any shares
// d.
func plainText(w *inspect.Work, d []byte, list []chunk) ([]byte, bool) {
	if len(list) == 1 {
		c := list[0]
		b := d[c.start:c.end:c.end]
		if c.cdata || bytes.IndexByte(b, '&') < 0 {
			return b, true
		}
	}
	size := 0
	for _, c := range list {
		size += c.end - c.start
	}
	if !w.Take(size) {
		return nil, false
	}
	out := make([]byte, 0, size)
	for _, c := range list {
		if c.cdata {
			out = append(out, c.of(d)...)
		} else {
			out = dereference(out, c.of(d))
		}
	}
	return out, true
}

// dereference appends s to b with character references and the five predefined
// entities (XML 1.0 section 4.6) undone. The result is no longer than s. Half
// surrogate pairs, which Android's XmlSerializer writes for characters outside
// the basic plane, are put together.
func dereference(b, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, '&')
		if i < 0 {
			return append(b, s...)
		}
		b = append(b, s[:i]...)
		s = s[i:]
		r, n := reference(s)
		if n == 0 {
			b, s = append(b, '&'), s[1:]
			continue
		}
		s = s[n:]
		if r >= 0xd800 && r < 0xdc00 {
			if low, m := reference(s); m > 0 && low >= 0xdc00 && low < 0xe000 {
				r, s = (r-0xd800)<<10|(low-0xdc00)+0x10000, s[m:]
			}
		}
		b = utf8.AppendRune(b, r)
	}
}

// reference reads the reference at the beginning of s; n is 0 if there is none
// that is known.
func reference(s []byte) (r rune, n int) {
	const longest = 12
	end := bytes.IndexByte(s[:min(len(s), longest)], ';')
	if end < 3 {
		return 0, 0
	}
	switch name := s[1:end]; {
	case string(name) == "amp":
		return '&', end + 1
	case string(name) == "lt":
		return '<', end + 1
	case string(name) == "gt":
		return '>', end + 1
	case string(name) == "quot":
		return '"', end + 1
	case string(name) == "apos":
		return '\'', end + 1
	case name[0] == '#':
		base := 10
		if name = name[1:]; name[0] == 'x' || name[0] == 'X' {
			base, name = 16, name[1:]
		}
		if v, err := strconv.ParseUint(string(name), base, 32); err == nil && v > 0 && v <= utf8.MaxRune {
			return rune(v), end + 1
		}
	}
	return 0, 0
}
