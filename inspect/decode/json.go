package decode

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"math/bits"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"constat/inspect"
)

// JSON takes JSON apart: every string, number, boolean and null in it becomes a
// part. The argument is where the value stands: a key follows a full stop, an
// index is in brackets, a key that is not made of letters, digits, "_", "-",
// "$" and "@" is quoted in brackets, and a repeated key has #1, #2 behind it:
//
//	[0].properties.url   list["odd key"][3]   a.b#1
//
// Name is the innermost key on the way, Group the place of the object or array
// around the value. A container 64 levels down is one part, which this decoder
// sees again.
//
// Text that is not declared as JSON must be one whole object or array, except
// that one with at least two values may end too early.
var JSON = inspect.Decoder{
	Name:   "json",
	Doc:    "takes JSON (RFC 8259) apart into its values, whole bodies and JSON inside strings alike",
	Min:    3,
	First:  blanks + "{[\")\xef",
	Any:    inspect.Braces | inspect.Brackets | inspect.Quotes,
	Decode: decodeJSON,
}

const (
	jsonDepth = 64  // levels taken apart in one step
	jsonKey   = 100 // bytes of a key that are written out in the argument
	jsonPlace = 150 // bytes of the place of a container that are written out
)

var (
	errJSON     = errors.New("not well-formed")
	errTrailing = errors.New("bytes after the end")
)

func decodeJSON(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d, first := p.Data, p.Data[0]
	if first > ' ' && first != '{' && first != '[' && first != '"' && first != 0xef && first != ')' {
		return nil, nil
	}
	start := jsonStart(d)
	if start == len(d) {
		return nil, nil
	}
	isJSON := p.Kind == inspect.Bytes && p.Coding == "" && strings.Contains(p.Media, "json")
	switch first = d[start]; first {
	case '{', '[':
	case '"':
		if d[len(bytes.TrimRight(d, " \t\r\n"))-1] != '"' {
			return nil, nil
		}
	default:
		return nil, nil
	}
	s := scanners.Get().(*scanner)
	defer s.release()
	s.reset(d, start, w.Parts())
	if len(p.Path) <= jsonPlace { // a long one is not worth repeating for what may be no JSON
		s.place = append(append(s.place, p.Path...), "|json:"...)
		s.head = len(s.place)
	}
	err := s.value()
	if err == nil {
		if s.at = skipSpace(d, s.at); s.at < len(d) {
			err = errTrailing
			if isJSON && (d[s.at] == '{' || d[s.at] == '[') {
				return nil, nil // NDJSON, whatever it is called
			}
		}
	}
	if err != nil && !isJSON && (err != inspect.ErrParts && (err != errEnd || first == '"' || len(s.leaves) < 2)) {
		return nil, nil
	}
	if err != nil && err != inspect.ErrParts {
		err = fmt.Errorf("json: %w", err)
	}
	children, ok := s.children(w)
	if !ok {
		err = inspect.ErrBytes
	}
	return children, err
}

// jsonStart returns where the JSON in d begins: after white space, a byte order
// mark, and the guard against script inclusion that some servers put in front.
func jsonStart(d []byte) int {
	i := 0
	if bytes.HasPrefix(d, []byte("\xef\xbb\xbf")) {
		i = 3
	}
	i = skipSpace(d, i)
	if bytes.HasPrefix(d[i:], []byte(")]}'")) {
		i = skipSpace(d, i+4)
		if i < len(d) && d[i] == ',' {
			i = skipSpace(d, i+1)
		}
	}
	return i
}

func skipSpace(d []byte, i int) int {
	for i < len(d) && (d[i] == ' ' || d[i] == '\n' || d[i] == '\r' || d[i] == '\t') {
		i++
	}
	return i
}

// scanner reads one JSON value in one pass, without recursion. It checks the
// structure and lets pass what real senders get wrong inside strings: control
// characters and bytes that are not UTF-8.
type scanner struct {
	d       []byte
	at      int
	most    int // leaves
	stack   []level
	objects uint32 // opened so far
	groups  uint32 // containers with leaves
	place   []byte // where at stands, behind what stands before the arguments in paths if that is known
	head    int    // length of the latter
	leaves  []leaf
	text    []byte // places and odd names of the leaves, one after another
	keys    keys
	escaped int  // bytes of the leaves that have escapes
	repeats bool // two values may have one place
	slots   []int32
}

// level is one open container.
type level struct {
	array         bool
	index         int
	number        uint32 // of an object
	keys          int    // of an object: index in keys.open of its first
	base          int    // length of place without the key or index inside
	name, nameEnd int    // in place, or in text when odd: the innermost key around the container
	odd           bool   // name is in text
	group         int    // place of the container in text, which is base long but for head
	record        uint32 // number of the container among those with leaves; 0: no leaf so far
	plain         bool   // a path holds the place of the container as it is
	key, keyEnd   int    // like name, for the key that was read last
	keyOdd        bool   //
	keyPlain      bool   // like plain
}

type leaf struct {
	arg, argEnd, name, nameEnd, group, groupEnd int // in text
	start, end                                  int // in d
	record                                      uint32
	kind                                        inspect.Kind
	escaped                                     bool // has escapes to undo
	path                                        bool // the head in front of the argument and the argument are the path
}

var scanners = sync.Pool{New: func() any { return new(scanner) }}

func (s *scanner) reset(d []byte, at, most int) {
	s.d, s.at, s.most = d, at, most
	s.stack, s.place, s.leaves, s.text = s.stack[:0], s.place[:0], s.leaves[:0], s.text[:0]
	s.head, s.objects, s.groups, s.escaped, s.repeats = 0, 0, 0, 0, false
	s.keys.reset()
}

// release gives s back, unless an unusual body made it large.
func (s *scanner) release() {
	s.d = nil
	if cap(s.leaves) <= 16<<10 && cap(s.text) <= 2<<20 {
		scanners.Put(s)
	}
}

// value reads the value at s.at and stops behind it.
func (s *scanner) value() error {
	for {
		s.at = skipSpace(s.d, s.at)
		if s.at >= len(s.d) {
			return errEnd
		}
		var err error
		switch c := s.d[s.at]; c {
		case '{', '[':
			if len(s.stack) == jsonDepth {
				start := s.at
				if err = s.skip(); err == nil {
					err = s.leaf(start, s.at, inspect.Bytes, false)
				}
				break
			}
			s.push(c == '[')
			s.at = skipSpace(s.d, s.at+1)
			if s.at >= len(s.d) {
				return errEnd
			}
			if s.d[s.at] == c+2 { // '}' or ']'
				s.at++
				s.pop()
				break
			}
			if err = s.next(); err != nil {
				return err
			}
			continue
		case '"':
			start, end, escaped, e := s.str()
			switch {
			case e == nil:
				err = s.leaf(start, end, inspect.Text, escaped)
			case len(s.stack) > 0 && start < len(s.d): // cut off: what is there counts
				if err = s.leaf(start, len(s.d), inspect.Text, true); err == nil {
					err = e
				}
			default:
				err = e
			}
		case 't':
			err = s.word("true", inspect.Bool)
		case 'f':
			err = s.word("false", inspect.Bool)
		case 'n':
			err = s.word("null", inspect.Null)
		default:
			err = s.number()
		}
		if err != nil {
			return err
		}
		more, err := s.close()
		if err != nil || !more {
			return err
		}
	}
}

// close reads what follows a value: the ends of containers, then a comma and,
// in an object, the next key. It reports whether another value follows.
func (s *scanner) close() (more bool, err error) {
	for len(s.stack) > 0 {
		top := &s.stack[len(s.stack)-1]
		s.at = skipSpace(s.d, s.at)
		if s.at >= len(s.d) {
			return false, errEnd
		}
		switch c := s.d[s.at]; {
		case c == ',':
			s.at++
			top.index++
			return true, s.next()
		case c == '}' && !top.array, c == ']' && top.array:
			s.at++
			s.pop()
		default:
			return false, errJSON
		}
	}
	return false, nil
}

// push opens a container that stands at s.place.
func (s *scanner) push(array bool) {
	l := level{array: array, keys: len(s.keys.open), plain: true}
	if !array {
		s.objects++
		l.number = s.objects
	}
	if n := len(s.stack); n > 0 {
		up := &s.stack[n-1]
		l.name, l.nameEnd, l.odd, l.plain = up.name, up.nameEnd, up.odd, up.plain
		if !up.array {
			l.name, l.nameEnd, l.odd, l.plain = up.key, up.keyEnd, up.keyOdd, up.plain && up.keyPlain
		}
	}
	if len(s.place)-s.head > jsonPlace {
		if !l.odd { // the name is about to be cut off place
			at := len(s.text)
			s.text = append(s.text, s.place[l.name:l.nameEnd]...)
			l.name, l.nameEnd, l.odd = at, len(s.text), true
		}
		s.place = append(s.place[:s.head], shorten(s.place[s.head:], jsonPlace-50)...)
		l.plain, s.repeats = false, true // places around it have lost their ends, too
	}
	l.base = len(s.place)
	s.stack = append(s.stack, l)
}

// pop ends the container that was opened last.
func (s *scanner) pop() {
	last := len(s.stack) - 1
	s.keys.open = s.keys.open[:s.stack[last].keys]
	s.stack = s.stack[:last]
}

// shorten keeps the first n bytes of b and puts a digest of all of it behind
// them.
func shorten(b []byte, n int) []byte {
	sum := sha256.Sum256(b)
	for n > 0 && !utf8.RuneStart(b[n]) {
		n--
	}
	return hex.AppendEncode(append(b[:n], "…"...), sum[:8])
}

// next moves s.place to the next element, which for an object means that it
// reads a key and the colon.
func (s *scanner) next() error {
	top := &s.stack[len(s.stack)-1]
	if top.array {
		s.place = append(s.place[:top.base], '[')
		s.place = append(strconv.AppendInt(s.place, int64(top.index), 10), ']')
		return nil
	}
	s.at = skipSpace(s.d, s.at)
	if s.at >= len(s.d) {
		return errEnd
	}
	if s.d[s.at] != '"' {
		return errJSON
	}
	if n, ok := s.keys.follows(s.d, s.d[s.at:]); ok {
		k := &s.keys.list[n]
		s.plainKey(top, k.text(s.d))
		s.at += k.end - k.start
		s.repeats = s.keys.read(n, top.number, top.keys) || s.repeats
		if s.d[s.at-1] == ':' {
			return nil
		}
	} else {
		start, end, escaped, err := s.str()
		if err != nil {
			return err
		}
		if s.key(top, s.d[start:end], escaped); top.keyOdd {
			s.repeats = true
		} else {
			s.repeats = s.keys.read(s.keys.find(s.d, start, end), top.number, top.keys) || s.repeats
		}
	}
	s.at = skipSpace(s.d, s.at)
	if s.at >= len(s.d) {
		return errEnd
	}
	if s.d[s.at] != ':' {
		return errJSON
	}
	s.at++
	return nil
}

// plainKey puts a plain key behind the place of its object.
func (s *scanner) plainKey(top *level, key []byte) {
	place := s.place[:top.base]
	if top.base > s.head {
		place = append(place, '.')
	}
	top.key, top.keyOdd, top.keyPlain = len(place), false, true
	s.place = append(place, key...)
	top.keyEnd = len(s.place)
}

// key puts a key behind the place of its object.
func (s *scanner) key(top *level, key []byte, escaped bool) {
	if !escaped && len(key) <= jsonKey && isPlainKey(key) {
		s.plainKey(top, key)
		return
	}
	s.place = s.place[:top.base]
	top.key, top.keyOdd = len(s.text), true
	if escaped {
		s.text = unescape(s.text, key)
	} else {
		s.text = append(s.text, key...)
	}
	name := s.text[top.key:]
	if len(name) > jsonKey { // a name is for people and for lists of known names
		name = shorten(name, jsonKey/2)
		s.text = s.text[:top.key+len(name)]
	}
	top.keyEnd = len(s.text)
	s.place = append(s.place, '[')
	s.place = strconv.AppendQuote(s.place, string(name))
	s.place = append(s.place, ']')
	top.keyPlain = isPlainArg(s.place[top.base:])
}

// isPlainArg says that a path holds an argument as it is.
func isPlainArg(arg []byte) bool {
	for _, c := range arg {
		if class[c]&graph == 0 && c != ' ' || c == '|' || c == '\\' {
			return false
		}
	}
	return true
}

func isPlainKey(key []byte) bool {
	for _, c := range key {
		if class[c]&(digit|upper|lower) == 0 && c != '_' && c != '-' && c != '$' && c != '@' {
			return false
		}
	}
	return len(key) > 0
}

// str reads the string at s.at and returns where its inside is. Of one that does
// not end it returns where it starts.
func (s *scanner) str() (start, end int, escaped bool, err error) {
	start = s.at + 1
	i := start
	for i+8 <= len(s.d) && i < start+32 { // most strings are short
		w := binary.LittleEndian.Uint64(s.d[i:])
		if found := zeroByte(w^'"'*eachByte) | zeroByte(w^'\\'*eachByte); found != 0 {
			if i += bits.TrailingZeros64(found) / 8; s.d[i] == '"' {
				s.at = i + 1
				return start, i, false, nil
			}
			break
		}
		i += 8
	}
	for ; ; i++ {
		n := bytes.IndexByte(s.d[i:], '"')
		if n < 0 {
			return start, 0, false, errEnd
		}
		i += n
		slashes := i
		for slashes > start && s.d[slashes-1] == '\\' {
			slashes--
		}
		if (i-slashes)%2 == 0 {
			s.at = i + 1
			return start, i, bytes.IndexByte(s.d[start:i], '\\') >= 0, nil
		}
	}
}

const eachByte = 0x0101010101010101

// zeroByte has the high bit of a byte set where the lowest byte of w that is zero
// stands; there may be more set above it.
func zeroByte(w uint64) uint64 { return (w - eachByte) &^ w & (0x80 * eachByte) }

func (s *scanner) word(word string, kind inspect.Kind) error {
	rest := s.d[s.at:]
	if len(rest) < len(word) {
		if strings.HasPrefix(word, string(rest)) {
			return errEnd
		}
		return errJSON
	}
	if string(rest[:len(word)]) != word {
		return errJSON
	}
	s.at += len(word)
	return s.leaf(s.at-len(word), s.at, kind, false)
}

// number reads a number as RFC 8259 section 6 has it, but for leading zeros,
// which it lets pass.
func (s *scanner) number() error {
	start := s.at
	if s.d[s.at] == '-' {
		s.at++
	}
	err := s.digits()
	if err == nil && s.at < len(s.d) && s.d[s.at] == '.' {
		s.at++
		err = s.digits()
	}
	if err == nil && s.at < len(s.d) && s.d[s.at]|0x20 == 'e' {
		s.at++
		if s.at < len(s.d) && (s.d[s.at] == '+' || s.d[s.at] == '-') {
			s.at++
		}
		err = s.digits()
	}
	if err != nil {
		return err
	}
	return s.leaf(start, s.at, inspect.Number, false)
}

// digits passes over one or more digits.
func (s *scanner) digits() error {
	start := s.at
	for s.at < len(s.d) && class[s.d[s.at]]&digit != 0 {
		s.at++
	}
	switch {
	case s.at > start:
		return nil
	case s.at == len(s.d):
		return errEnd
	}
	return errJSON
}

// skip passes over the container at s.at by its brackets alone; what is inside
// is checked when it is taken apart.
func (s *scanner) skip() error {
	depth := 0
	for s.at < len(s.d) {
		switch s.d[s.at] {
		case '"':
			if _, _, _, err := s.str(); err != nil {
				return err
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				s.at++
				return nil
			}
		}
		s.at++
	}
	return errEnd
}

// leaf notes the value d[start:end].
func (s *scanner) leaf(start, end int, kind inspect.Kind, escaped bool) error {
	if len(s.leaves) >= s.most {
		return inspect.ErrParts
	}
	s.leaves = append(s.leaves, leaf{})
	l := &s.leaves[len(s.leaves)-1]
	l.start, l.end, l.kind, l.escaped = start, end, kind, escaped
	if escaped {
		s.escaped += end - start
	}
	at := len(s.text)
	if n := len(s.stack); n > 0 {
		top := &s.stack[n-1]
		s.text = append(s.text, s.place...)
		if top.record == 0 {
			s.groups++
			top.group, top.record = at+s.head, s.groups
		}
		l.group, l.groupEnd, l.record = top.group, top.group+top.base-s.head, top.record
		l.path = top.plain && (top.array || top.keyPlain) && s.head > 0 && len(s.place) <= s.head+jsonPlace
		name, nameEnd, odd := top.key, top.keyEnd, top.keyOdd
		if top.array {
			name, nameEnd, odd = top.name, top.nameEnd, top.odd
		}
		if !odd {
			name, nameEnd = name+at, nameEnd+at
		}
		l.name, l.nameEnd = name, nameEnd
		at += s.head
	}
	l.arg, l.argEnd = at, len(s.text)
	return nil
}

// children makes the leaves children; ok is false when the budget for the
// strings that had to be unescaped was used up.
func (s *scanner) children(w *inspect.Work) (children []inspect.Child, ok bool) {
	if len(s.leaves) == 0 {
		return nil, true
	}
	text := string(s.text)
	children = w.Children(len(s.leaves))
	var plain []byte // strings without their escapes, which are not longer
	for i := range s.leaves {
		l, c := &s.leaves[i], &children[i]
		c.Arg, c.Name, c.Group = text[l.arg:l.argEnd], text[l.name:l.nameEnd], text[l.group:l.groupEnd]
		if l.path {
			c.Path = inspect.Path(text[l.arg-s.head : l.argEnd])
		}
		c.Kind, c.Record = l.kind, l.record
		c.Data = s.d[l.start:l.end:l.end]
		if l.escaped {
			if !w.Take(l.end - l.start) {
				return children[:i], false
			}
			if plain == nil {
				w.Reserve(s.escaped)
				plain = make([]byte, 0, s.escaped)
			}
			start := len(plain)
			plain = unescape(plain, c.Data)
			c.Data = plain[start:len(plain):len(plain)]
		}
	}
	if s.repeats {
		s.slots = numberRepeats(s.slots, children)
	}
	return children, true
}

var jsonSeed = maphash.MakeSeed()

// numberRepeats numbers the arguments that repeated keys made the same, and takes
// the numbers of records back when two are of the same group. Repeats are rare, so
// it first looks for them in an open hash table, for which it uses slots, which it
// returns, if they are enough.
func numberRepeats(slots []int32, children []inspect.Child) []int32 {
	size := 16
	for size < 2*len(children) {
		size *= 2
	}
	if cap(slots) < size {
		slots = make([]int32, size)
	}
	slots = slots[:size]
	clear(slots)
	repeats := false
	for i := range children {
		repeats = isRepeat(slots, children, i, arg) || repeats
	}
	if repeats {
		var n names
		for i := range children {
			c := &children[i]
			if arg := n.unique(c.Arg); arg != c.Arg {
				c.Arg, c.Path = arg, ""
			}
		}
	}
	clear(slots)
	record := uint32(0)
	for i := range children {
		if children[i].Record <= record {
			continue
		}
		if record++; isRepeat(slots, children, i, group) {
			for i := range children {
				children[i].Record = 0
			}
		}
	}
	return slots
}

func arg(c *inspect.Child) string   { return c.Arg }
func group(c *inspect.Child) string { return c.Group }

// isRepeat says that the text of the child at i is that of a child in slots, into
// which it goes otherwise.
func isRepeat(slots []int32, children []inspect.Child, i int, of func(*inspect.Child) string) bool {
	text := of(&children[i])
	at := int(maphash.String(jsonSeed, text)) & (len(slots) - 1)
	for slots[at] != 0 {
		if of(&children[slots[at]-1]) == text {
			return true
		}
		at = (at + 1) & (len(slots) - 1)
	}
	slots[at] = int32(i + 1)
	return false
}

// unescape appends s to b with the escapes of RFC 8259 section 7 undone. What is
// not an escape stays as it is; half a surrogate pair becomes U+FFFD.
func unescape(b, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			return append(b, s...)
		}
		b = append(b, s[:i]...)
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case '"', '\\', '/':
			b = append(b, c)
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r, ok := hex4(s)
			if !ok {
				b = append(b, '\\', 'u')
				continue
			}
			s = s[4:]
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
					low, _ = hex4(s[2:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					s = s[6:]
				}
			}
			b = utf8.AppendRune(b, r)
		default:
			b = append(b, '\\', c)
		}
	}
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return -1, false
	}
	v, err := strconv.ParseUint(string(s[:4]), 16, 16)
	if err != nil {
		return -1, false
	}
	return rune(v), true
}
