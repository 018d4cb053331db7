package decode

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"constat/inspect"
)

// YAML takes YAML apart into its values, under the arguments that JSON would give
// them; of documents one after another the first is [0].
//
// It reads what programs write: block and flow collections, plain, quoted and
// block scalars, comments. Aliases are not followed, so that nothing grows: an
// alias is a string of its own. Anchors and tags are passed over; explicit keys
// ("? key"), tabs as indentation and keys over several lines are refused.
//
// Text that is not declared as YAML must have keys inside of others throughout.
var YAML = inspect.Decoder{
	Name:   "yaml",
	Doc:    "takes YAML (yaml.org/spec/1.2.2) apart into its values; aliases are not followed",
	Min:    4,
	First:  yamlStarts,
	Holds:  inspect.Newlines,
	Decode: decodeYAML,
}

// yamlStarts are the bytes that a document begins with when it is neither JSON nor
// a bare value: of a key in any script, a dash, a comment, a directive, white space.
var yamlStarts = func() string {
	b := []byte(uppers + lowers + digits10 + "-#%\"'_.~$/(" + "\n\r ")
	for c := 0xc2; c < 0xf5; c++ {
		b = append(b, byte(c))
	}
	return string(b)
}()

const (
	yamlKey    = 128 // bytes of a key
	yamlNested = 2   // keys inside of others that convince of what was not declared
)

var errYAML = errors.New("not well-formed")

func decodeYAML(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	if p.Media == "" && (len(p.Data) < 16 || bytes.IndexByte(p.Data, '\n') < 0) {
		return nil, nil // headers, names, single values
	}
	hinted := p.Coding == "" && strings.Contains(p.Media, "yaml")
	d := bytes.TrimPrefix(p.Data, []byte("\ufeff"))
	if !hinted && !mayBeYAML(d, p.Media) || !looksText(d) {
		return nil, nil
	}
	y := yaml{d: d, hinted: hinted, places: newPlaces(w.Parts())}
	defer y.places.done()
	err := y.all()
	if len(y.places.values) == 0 || !hinted && (y.nested < yamlNested || err != nil && err != inspect.ErrParts) {
		return nil, nil
	}
	if !w.Take(y.made) {
		return nil, inspect.ErrBytes
	}
	if err != nil {
		err = broken("yaml", err)
	}
	return y.places.children(w), err
}

// mayBeYAML says no to most texts that are not declared as YAML.
func mayBeYAML(d []byte, media string) bool {
	if media != "" && media != "text/plain" && media != "application/octet-stream" || len(d) == 0 {
		return false
	}
	switch d[0] {
	case '{', '[', '<', '\t', '\n', '\r', '*', '@', '`', ',', ')', '(':
		return false
	}
	return (bytes.Contains(d, []byte(":\n")) || bytes.Contains(d, []byte(":\r\n")) || d[0] == '-') &&
		(bytes.Contains(d, []byte("\n ")) || bytes.Contains(d, []byte("\n- ")))
}

// yaml reads line by line, without recursion.
type yaml struct {
	d       []byte
	at      int // of the next line
	hinted  bool
	made    int // bytes of values that are not shared with d
	nested  int // keys in maps inside of others
	base    int // levels around a document
	pending bool
	rooted  bool // the document has its container
	places  *places
	levels  []yamlLevel
}

// yamlLevel is an open collection. pending of yaml says that the last key or
// element of the innermost has no value so far.
type yamlLevel struct {
	column int
	array  bool
}

func (y *yaml) all() error {
	body := y.d // from its first marker or value on
	for len(body) > 0 && strings.IndexByte("%# \r\n", body[0]) >= 0 && bytes.IndexByte(body, '\n') >= 0 {
		if c := body[0]; c == ' ' && len(bytes.TrimSpace(body[:bytes.IndexByte(body, '\n')])) > 0 {
			break
		}
		body = body[bytes.IndexByte(body, '\n')+1:]
	}
	if bytes.Contains(body, []byte("\n---")) {
		y.places.open(true)
		y.levels = append(y.levels, yamlLevel{-1, true})
		y.base = 1
	}
	for y.at < len(y.d) {
		start, end := y.line()
		line := y.d[start:end]
		text := bytes.TrimLeft(line, " ")
		switch {
		case len(text) == 0 || text[0] == '#':
			continue
		case line[0] == '%' && !y.rooted:
			continue
		case string(line) == "---" || bytes.HasPrefix(line, []byte("--- ")):
			if err := y.document(); err != nil {
				return err
			}
			if rest := bytes.TrimLeft(line[3:], " "); len(rest) > 0 && rest[0] != '#' {
				return errYAML
			}
			continue
		case string(line) == "...":
			continue
		case text[0] == '\t':
			return errYAML
		}
		if y.base > 0 && !y.pending && !y.rooted { // the first may lack its marker
			if err := y.document(); err != nil {
				return err
			}
		}
		if err := y.node(start, end-len(text), end); err != nil {
			return err
		}
	}
	return y.close(0)
}

// document begins the next document of several, if there are.
func (y *yaml) document() error {
	if y.base == 0 {
		if y.rooted {
			return errYAML
		}
		return nil
	}
	if err := y.close(1); err != nil {
		return err
	}
	y.places.element()
	y.pending, y.rooted = true, false
	return nil
}

// line returns where the next line is and moves behind it.
func (y *yaml) line() (start, end int) {
	start = y.at
	end = len(y.d)
	if i := bytes.IndexByte(y.d[start:], '\n'); i >= 0 {
		end = start + i
		y.at = end + 1
	} else {
		y.at = end
	}
	for end > start && (y.d[end-1] == ' ' || y.d[end-1] == '\r' || y.d[end-1] == '\t') {
		end--
	}
	return start, end
}

// node reads what stands in a line from at on: any number of dashes, and a key
// with its value or a value.
func (y *yaml) node(line, at, end int) error {
	for y.d[at] == '-' && (at+1 == end || y.d[at+1] == ' ') {
		if err := y.enter(at-line, true); err != nil {
			return err
		}
		y.places.element()
		y.pending = true
		for at++; at < end && y.d[at] == ' '; at++ {
		}
		if at == end || y.d[at] == '#' {
			return nil
		}
	}
	key, value, made, ok := yamlKeyOf(y.d[at:end])
	if !ok {
		return y.value(at, end)
	}
	if err := y.enter(at-line, false); err != nil {
		return err
	}
	if len(y.levels) > y.base+1 {
		y.nested++
	}
	y.made += made
	y.places.field(key)
	y.pending = true
	for at += value; at < end && y.d[at] == ' '; at++ {
	}
	return y.value(at, end)
}

// enter makes the collection at a column the innermost, and opens it where a
// value is due.
func (y *yaml) enter(column int, array bool) error {
	for len(y.levels) > 0 {
		top := y.levels[len(y.levels)-1]
		if column > top.column {
			break
		}
		if column == top.column {
			if top.array == array {
				return y.null()
			}
			if array && y.pending { // key:\n- element
				break
			}
			if !top.array {
				return errYAML
			}
		}
		if err := y.pop(); err != nil {
			return err
		}
	}
	if len(y.levels) > 0 && !y.pending || len(y.levels) == 0 && y.rooted {
		return errYAML
	}
	if !y.places.open(array) {
		return inspect.ErrDepth
	}
	y.levels = append(y.levels, yamlLevel{column, array})
	y.pending, y.rooted = false, true
	return nil
}

// null writes what stands for a value that did not come.
func (y *yaml) null() error {
	if !y.pending {
		return nil
	}
	return y.leaf([]byte("null"), inspect.Null)
}

func (y *yaml) leaf(data []byte, kind inspect.Kind) error {
	y.pending = false
	if !y.places.value(data, kind) {
		return inspect.ErrParts
	}
	return nil
}

func (y *yaml) pop() error {
	err := y.null()
	y.places.end()
	y.levels = y.levels[:len(y.levels)-1]
	return err
}

// close closes the collections but for the outermost keep.
func (y *yaml) close(keep int) error {
	var err error
	for len(y.levels) > keep && err == nil {
		err = y.pop()
	}
	if err == nil && keep > 0 {
		err = y.null()
	}
	return err
}

// inner is the column that the lines of a value must be right of.
func (y *yaml) inner() int { return y.levels[len(y.levels)-1].column }

// value reads the value that begins at at, which may go on in the lines below.
func (y *yaml) value(at, end int) error {
	if !y.pending {
		return errYAML
	}
	for at < end && (y.d[at] == '&' || y.d[at] == '!') { // an anchor, a tag
		for at < end && y.d[at] != ' ' {
			at++
		}
		for at < end && y.d[at] == ' ' {
			at++
		}
	}
	if at == end || y.d[at] == '#' {
		return nil // it comes below, or not at all
	}
	switch c := y.d[at]; c {
	case '|', '>':
		return y.block(at, end)
	case '"', '\'':
		return y.quoted(at, c)
	case '[', '{':
		return y.flow(at)
	case '%', '@', '`', ',', ']', '}':
		return errYAML
	}
	stop := yamlComment(y.d[at:end]) + at
	for stop == end && y.at < len(y.d) { // plain text over several lines
		next := y.at
		start, e := y.line()
		text := bytes.TrimLeft(y.d[start:e], " ")
		if len(text) == 0 || len(y.d[start:e])-len(text) <= y.inner() || text[0] == '#' {
			y.at = next
			break
		}
		if _, _, _, key := yamlKeyOf(text); key {
			return errYAML
		}
		end = e
		stop = e - len(text) + yamlComment(text)
	}
	text := y.d[at:stop:stop]
	return y.leaf(text, yamlKind(text))
}

// block reads a literal or folded text, without its indentation. The lines of a
// folded one are left as they are.
func (y *yaml) block(at, end int) error {
	head := bytes.TrimRight(y.d[at+1:at+yamlComment(y.d[at:end])], " ")
	if len(bytes.Trim(head, "+-0123456789")) > 0 {
		return errYAML
	}
	indent, most := -1, y.inner()
	from := y.at
	var out []byte
	for y.at < len(y.d) {
		next := y.at
		start, e := y.line()
		line := y.d[start:e]
		text := bytes.TrimLeft(line, " ")
		n := len(line) - len(text)
		if len(text) > 0 && n <= most {
			y.at = next
			break
		}
		if indent < 0 && len(text) > 0 {
			indent = n
		}
		if indent > 0 && n >= indent {
			line = line[indent:]
		} else {
			line = text
		}
		out = append(append(out, line...), '\n')
	}
	y.made += y.at - from
	return y.leaf(bytes.TrimRight(out, "\n"), inspect.Text)
}

// quoted reads a text in quotes, and nothing may follow it.
func (y *yaml) quoted(at int, quote byte) error {
	n := yamlQuoted(y.d[at:])
	if n == 0 {
		return errYAML
	}
	text, made := yamlUnquote(y.d[at:at+n], quote)
	y.made += made
	if err := y.rest(at + n); err != nil {
		return err
	}
	return y.leaf(text, inspect.Text)
}

// rest moves behind the line that at is in, of which only a comment may be left.
func (y *yaml) rest(at int) error {
	y.at = at
	start, end := y.line()
	if text := bytes.TrimLeft(y.d[start:end], " \t"); len(text) > 0 && text[0] != '#' {
		return errYAML
	}
	return nil
}

// flow reads a collection in brackets.
func (y *yaml) flow(at int) error {
	depth := len(y.levels)
	defer func() { y.levels = y.levels[:depth] }()
	y.pending = false
	due := true // a value, or a key
	for at < len(y.d) {
		c := y.d[at]
		switch c {
		case ' ', '\n', '\r', '\t':
			at++
			continue
		case '#':
			if y.d[at-1] == ' ' || y.d[at-1] == '\n' {
				n := bytes.IndexByte(y.d[at:], '\n')
				if n < 0 {
					return errEnd
				}
				at += n
				continue
			}
		case ',':
			if due && len(y.levels) > depth {
				return errYAML
			}
			at++
			due = true
			continue
		case ']', '}':
			if len(y.levels) == depth || y.levels[len(y.levels)-1].array != (c == ']') {
				return errYAML
			}
			y.places.end()
			y.levels = y.levels[:len(y.levels)-1]
			at++
			due = false
			if len(y.levels) == depth {
				return y.rest(at)
			}
			continue
		}
		if !due {
			return errYAML
		}
		due = false
		if len(y.levels) > depth {
			if y.levels[len(y.levels)-1].array {
				y.places.element()
			} else {
				key, next := y.flowScalar(at, true)
				for next > 0 && next < len(y.d) && y.d[next] == ' ' {
					next++
				}
				if next == 0 || next >= len(y.d) || y.d[next] != ':' || len(key) > yamlKey {
					return errYAML
				}
				y.places.field(key)
				y.nested++
				for at = next + 1; at < len(y.d) && (y.d[at] == ' ' || y.d[at] == '\n' || y.d[at] == '\r'); at++ {
				}
				if at == len(y.d) {
					return errEnd
				}
			}
		}
		if c = y.d[at]; c == '[' || c == '{' {
			if !y.places.open(c == '[') {
				return inspect.ErrDepth
			}
			y.levels = append(y.levels, yamlLevel{array: c == '['})
			at++
			due = true
			continue
		}
		text, next := y.flowScalar(at, false)
		if next == 0 {
			return errYAML
		}
		kind := inspect.Text
		if c != '"' && c != '\'' {
			kind = yamlKind(text)
		}
		if err := y.leaf(text, kind); err != nil {
			return err
		}
		at = next
	}
	return errEnd
}

// flowScalar reads a key or value inside brackets, which ends in one line unless
// it is quoted. next is 0 when there is none.
func (y *yaml) flowScalar(at int, key bool) (text []byte, next int) {
	c := y.d[at]
	if c == '"' || c == '\'' {
		n := yamlQuoted(y.d[at:])
		if n == 0 {
			return nil, 0
		}
		text, made := yamlUnquote(y.d[at:at+n], c)
		y.made += made
		return text, at + n
	}
	end := at
	for end < len(y.d) {
		c := y.d[end]
		if c == ',' || c == ']' || c == '}' || c == '[' || c == '{' || c == '\n' || key && c == ':' {
			break
		}
		end++
	}
	text = bytes.TrimRight(y.d[at:end:end], " \r")
	if len(text) == 0 {
		return []byte("null"), end
	}
	return text, end
}

// yamlKeyOf returns the key that a line begins with, and where its value does.
func yamlKeyOf(b []byte) (key []byte, value, made int, ok bool) {
	if c := b[0]; c == '"' || c == '\'' {
		n := yamlQuoted(b[:min(len(b), yamlKey)])
		if n == 0 || n >= len(b) || b[n] != ':' || n+1 < len(b) && b[n+1] != ' ' {
			return nil, 0, 0, false
		}
		key, made = yamlUnquote(b[:n], c)
		return key, n + 1, made, true
	}
	if strings.IndexByte("[]{},&*!|>%@`#?", b[0]) >= 0 {
		return nil, 0, 0, false
	}
	for i, c := range b[:min(len(b), yamlKey)] {
		if c == ':' && (i+1 == len(b) || b[i+1] == ' ') {
			return bytes.TrimRight(b[:i:i], " "), i + 1, 0, i > 0
		}
		if c == '#' && i > 0 && b[i-1] == ' ' {
			break
		}
	}
	return nil, 0, 0, false
}

// yamlQuoted is how long the quoted text is that b begins with, 0 when it does not end.
func yamlQuoted(b []byte) int {
	quote := b[0]
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '\\' && quote == '"':
			i++
		case b[i] != quote:
		case quote == '\'' && i+1 < len(b) && b[i+1] == '\'':
			i++
		default:
			return i + 1
		}
	}
	return 0
}

// yamlEscapes are those of one letter (section 5.7).
var yamlEscapes = [256]byte{'0': 0, 'a': 7, 'b': 8, 't': 9, '\t': 9, 'n': 10, 'v': 11, 'f': 12, 'r': 13, 'e': 27, ' ': ' ', '"': '"', '/': '/', '\\': '\\'}

// yamlUnquote takes the quotes off. made is what it had to make.
func yamlUnquote(b []byte, quote byte) (out []byte, made int) {
	b = b[1 : len(b)-1 : len(b)-1]
	if quote == '\'' {
		if bytes.IndexByte(b, '\'') < 0 {
			return b, 0
		}
		return bytes.ReplaceAll(b, []byte("''"), []byte("'")), len(b)
	}
	if bytes.IndexByte(b, '\\') < 0 {
		return b, 0
	}
	out = make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[b[i]]
		if digits > 0 && i+digits < len(b) {
			if v, err := strconv.ParseUint(string(b[i+1:i+1+digits]), 16, 32); err == nil {
				out = utf8.AppendRune(out, rune(v))
				i += digits
				continue
			}
		}
		switch c := yamlEscapes[b[i]]; {
		case c != 0 || b[i] == '0':
			out = append(out, c)
		case b[i] == '\n' || b[i] == '\r':
		default:
			out = append(out, b[i])
		}
	}
	return out, len(b)
}

// yamlComment is where the comment in a plain text begins, or its end.
func yamlComment(b []byte) int {
	for i := 1; i < len(b); i++ {
		if b[i] == '#' && b[i-1] == ' ' {
			return len(bytes.TrimRight(b[:i], " "))
		}
	}
	return len(b)
}

// yamlKind is the type of a plain text (section 10.3). What JSON would not write
// as a number is none, such as telephone numbers with a plus or a zero in front.
func yamlKind(b []byte) inspect.Kind {
	switch string(b) {
	case "null", "~", "Null", "NULL":
		return inspect.Null
	case "true", "false":
		return inspect.Bool
	}
	if len(b) > 32 {
		return inspect.Text
	}
	digits := bytes.TrimPrefix(b, []byte("-"))
	if len(digits) == 0 || digits[0]-'0' > 9 || len(digits) > 1 && digits[0] == '0' && digits[1] != '.' {
		return inspect.Text
	}
	for _, c := range digits {
		if c-'0' > 9 && c != '.' && c|0x20 != 'e' && c != '-' && c != '+' {
			return inspect.Text
		}
	}
	if _, err := strconv.ParseFloat(string(b), 64); err != nil {
		return inspect.Text
	}
	return inspect.Number
}
