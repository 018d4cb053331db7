package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"
)

// A line of data/records says one entry of the log, in canonical JSON:
//
//	{"leaf":{…},"seq":17,"shown":{"path":{"salt":"…","value":"/sync"},…}}
//
// leaf is the leaf as it was hashed, byte for byte. shown has, of those sealed
// columns that are not withheld, salt and value, so that the value's canonical
// JSON stands there as it was hashed. A column that is withheld may have a
// member of the object masked, between leaf and seq: what whoever exported the
// bundle wants to be known of it, which nothing proves. Entries that are
// withheld as a whole are counted:
//
//	{"count":3,"seq":18,"withheld":true}

// Disclosure says what of a record a bundle shows. The zero value shows all.
type Disclosure struct {
	// Hidden reports whether the value of a sealed column is withheld; nil: none is.
	Hidden func(column string) bool
	// Masked returns what stands for a hidden value, nil for nothing.
	Masked func(column string) *string
}

// AppendLine appends the line of one record, with its line feed. values are in
// the order of k.Columns.
func (k *Kind) AppendLine(dst []byte, s *Salter, seq, id int64, values []Value, show Disclosure) []byte {
	dst = append(dst, `{"leaf":`...)
	dst = k.AppendLeaf(dst, s, id, values)
	if show.Hidden != nil && show.Masked != nil {
		first := true
		for i := range k.sealed {
			at := &k.sealed[i]
			if at.absent(&values[at.column]) || !show.Hidden(at.name) {
				continue
			}
			text := show.Masked(at.name)
			if text == nil {
				continue
			}
			if first {
				dst = append(dst, `,"masked":{`...)
			} else {
				dst = append(dst, ',')
			}
			first = false
			dst = appendString(append(dst, at.json...), strings.ToValidUTF8(*text, "\uFFFD"))
		}
		if !first {
			dst = append(dst, '}')
		}
	}
	dst = strconv.AppendInt(append(dst, `,"seq":`...), seq, 10)
	dst = append(dst, `,"shown":{`...)
	first := true
	x := s.get(k.Name, id)
	for i := range k.sealed {
		at := &k.sealed[i]
		if at.absent(&values[at.column]) || show.Hidden != nil && show.Hidden(at.name) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		salt := x.column(at.name)
		dst = append(append(dst, at.json...), `{"salt":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, salt[:])
		dst = AppendJSON(append(dst, `","value":`...), &values[at.column])
		dst = append(dst, '}')
	}
	s.put(x)
	return append(dst, "}}\n"...)
}

// AppendWithheld appends the line that stands for count entries from seq on.
func AppendWithheld(dst []byte, seq, count int64) []byte {
	return fmt.Appendf(dst, "{\"count\":%d,\"seq\":%d,\"withheld\":true}\n", count, seq)
}

// member is one name of an object with its value as it is written.
type member struct{ name, value []byte }

// shownValue is a sealed value that is shown.
type shownValue struct {
	name  []byte
	salt  [sha256.Size]byte
	value []byte
}

// line is a line of data/records, taken apart. It shares memory with its text.
type line struct {
	seq   int64
	count int64 // > 0: that many entries are withheld

	leaf         []byte
	id           int64
	kind         string
	open, sealed []member
	masked       []member
	shown        []shownValue
}

// maxColumns is how many columns a record can have.
const maxColumns = 256

var errLine = errors.New("is not a record in canonical form")

// parseLine takes a line apart, without its line feed, into l. Only the one way
// of writing is accepted.
func parseLine(text []byte, l *line) error {
	*l = line{open: l.open[:0], sealed: l.sealed[:0], masked: l.masked[:0], shown: l.shown[:0]}
	if !utf8.Valid(text) {
		return errLine
	}
	c := cursor{text: text}
	if c.take(`{"count":`) {
		l.count = c.integer()
		c.want(`,"seq":`)
		l.seq = c.integer()
		c.want(`,"withheld":true}`)
		if c.bad || c.at != len(text) || l.count < 1 || l.seq < 0 {
			return errLine
		}
		return nil
	}
	c.want(`{"leaf":`)
	from := c.at
	c.want(`{"id":`)
	l.id = c.integer()
	c.want(`,"kind":`)
	kind := c.str()
	c.want(`,"open":`)
	l.open = c.object(l.open, (*cursor).value)
	c.want(`,"sealed":`)
	l.sealed = c.object(l.sealed, (*cursor).commitment)
	c.want("}")
	l.leaf = text[from:c.at]
	if c.take(`,"masked":`) {
		l.masked = c.object(l.masked, (*cursor).str)
		c.bad = c.bad || len(l.masked) == 0
	}
	c.want(`,"seq":`)
	l.seq = c.integer()
	c.want(`,"shown":{`)
	for first := true; !c.bad && !c.take("}"); first = false {
		if !first {
			c.want(",")
		}
		s := shownValue{name: c.str()}
		c.want(`:{"salt":`)
		salt := c.str()
		c.want(`,"value":`)
		s.value = c.value()
		c.want("}")
		if n := len(l.shown); c.bad || n == maxColumns || !decodeHash(salt, &s.salt) || n > 0 && bytes.Compare(l.shown[n-1].name, s.name) >= 0 {
			return errLine
		}
		l.shown = append(l.shown, s)
	}
	c.want("}")
	if c.bad || c.at != len(text) || l.id < 1 || l.seq < 0 || !isName(unquoted(kind)) || meet(l.open, l.sealed) {
		return errLine
	}
	l.kind = string(unquoted(kind))
	return nil
}

// meet reports whether a name is in both of two lists, which rise.
func meet(a, b []member) bool {
	for len(a) > 0 && len(b) > 0 {
		switch bytes.Compare(a[0].name, b[0].name) {
		case 0:
			return true
		case -1:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return false
}

// hash is the hash of the leaf.
func (l *line) hash() tlog.Hash {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(l.leaf)
	var sum tlog.Hash
	h.Sum(sum[:0])
	return sum
}

// name says which record the line is.
func (l *line) name() string { return fmt.Sprintf("%s %d (entry %d of the log)", l.kind, l.id, l.seq) }

// find returns the value of the member called name, nil when there is none.
func find(list []member, name string) []byte {
	for _, m := range list {
		if string(unquoted(m.name)) == name {
			return m.value
		}
	}
	return nil
}

// value returns a column as it is written, open or shown; nil when it is neither.
func (l *line) value(name string) []byte {
	if v := find(l.open, name); v != nil {
		return v
	}
	for i := range l.shown {
		if string(unquoted(l.shown[i].name)) == name {
			return l.shown[i].value
		}
	}
	return nil
}

// integer returns a column that is an integer; ok is false when it is not there
// or null.
func (l *line) integer(name string) (n int64, ok bool) {
	v := unquoted(l.value(name))
	n, err := strconv.ParseInt(string(v), 10, 64)
	return n, err == nil
}

// text returns a column that is text; ok is false when it is not there or null.
func (l *line) text(name string) (s string, ok bool) {
	v := l.value(name)
	if len(v) == 0 || v[0] == 'n' {
		return "", false
	}
	if v[0] == '{' {
		b, err := base64.StdEncoding.DecodeString(string(v[len(`{"base64":"`) : len(v)-len(`"}`)]))
		return string(b), err == nil
	}
	if v[0] != '"' {
		return string(v), true
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return string(unquoted(v)), true
	}
	err := json.Unmarshal(v, &s)
	return s, err == nil
}

// blob returns a column that is bytes; ok is false when it is not there. null
// is no bytes.
func (l *line) blob(name string) (b []byte, ok bool) {
	v := l.value(name)
	if v == nil {
		return nil, false
	}
	if v[0] != '"' {
		return nil, true
	}
	b, err := base64.StdEncoding.DecodeString(string(unquoted(v)))
	return b, err == nil
}

// decodeHash reads a hash in base64, in quotes, in its one form.
func decodeHash(quoted []byte, sum *[sha256.Size]byte) bool {
	var b [base64Hash + 3]byte
	text := unquoted(quoted)
	if len(text) != base64Hash {
		return false
	}
	n, err := base64.StdEncoding.Strict().Decode(b[:], text)
	if err != nil || n != len(sum) {
		return false
	}
	copy(sum[:], b[:])
	return true
}

// base64Hash is the length of a SHA-256 hash in base64.
const base64Hash = 44

func unquoted(s []byte) []byte {
	if len(s) < 2 || s[0] != '"' {
		return s
	}
	return s[1 : len(s)-1]
}

// isName reports whether s can be the name of a kind or a column.
func isName(s []byte) bool {
	for _, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 64
}

// cursor reads the few shapes that a line is made of. Nothing nests, so nothing
// recurses; each byte is looked at once.
type cursor struct {
	text []byte
	at   int
	bad  bool
}

func (c *cursor) take(s string) bool {
	if c.bad || len(c.text)-c.at < len(s) || string(c.text[c.at:c.at+len(s)]) != s {
		return false
	}
	c.at += len(s)
	return true
}

func (c *cursor) want(s string) { c.bad = c.bad || !c.take(s) }

// integer reads an integer in its one form.
func (c *cursor) integer() int64 {
	from := c.at
	for c.at < len(c.text) && (c.text[c.at] == '-' && c.at == from || c.text[c.at] >= '0' && c.text[c.at] <= '9') {
		c.at++
	}
	s := string(c.text[from:c.at])
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s {
		c.bad = true
	}
	return n
}

// str reads a string in its one form (RFC 8785 section 3.2.2.2) and returns it with
// its quotes.
func (c *cursor) str() []byte {
	from := c.at
	c.want(`"`)
	text := c.text
	for i := c.at; !c.bad && i < len(text); {
		switch b := text[i]; {
		case b == '"':
			c.at = i + 1
			return text[from:c.at]
		case b == '\\':
			n := escape(text[i:])
			i += n
			c.bad = n == 0
		case b < ' ':
			c.bad = true
		default:
			i++
		}
	}
	c.bad = true
	return nil
}

// escape returns how long the escape is that s begins with, 0 when it is none that
// appendString writes.
func escape(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	if bytes.IndexByte([]byte(`"\bfnrt`), s[1]) >= 0 {
		return 2
	}
	const length = len(`\u0000`)
	if len(s) < length || string(s[1:4]) != "u00" || s[4] != '0' && s[4] != '1' {
		return 0
	}
	c := bytes.IndexByte([]byte("0123456789abcdef"), s[5])
	if c < 0 || s[4] == '0' && bytes.IndexByte([]byte("\b\t\n\f\r"), byte(c)) >= 0 {
		return 0
	}
	return length
}

// commitment reads a hash in base64, in its one form, as decodeHash does.
func (c *cursor) commitment() []byte {
	s := c.text[c.at:min(c.at+base64Hash+len(`""`), len(c.text))]
	if c.bad || len(s) != base64Hash+len(`""`) || s[0] != '"' || string(s[base64Hash:]) != `="` ||
		bytes.IndexByte([]byte("AEIMQUYcgkosw048"), s[base64Hash-1]) < 0 { // two bits are none of the hash
		c.bad = true
		return nil
	}
	for _, b := range s[1 : base64Hash-1] {
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '+' && b != '/' {
			c.bad = true
			return nil
		}
	}
	c.at += len(s)
	return s
}

// value reads a scalar, or a text that is not UTF-8.
func (c *cursor) value() []byte {
	from := c.at
	switch {
	case c.bad || c.at >= len(c.text):
		c.bad = true
		return nil
	case c.text[c.at] == '"':
		c.str()
	case c.take("null"):
	case c.take(`{"base64":`):
		s := unquoted(c.str())
		b, err := base64.StdEncoding.Strict().DecodeString(string(s))
		c.bad = c.bad || err != nil || utf8.Valid(b)
		c.want("}")
	default:
		n := c.integer()
		c.bad = c.bad || n > maxSafe || n < -maxSafe
	}
	if c.bad {
		return nil
	}
	return c.text[from:c.at]
}

// object reads an object of such values, whose names rise.
func (c *cursor) object(list []member, value func(*cursor) []byte) []member {
	c.want("{")
	for first := true; !c.bad && !c.take("}"); first = false {
		if !first {
			c.want(",")
		}
		m := member{name: c.str()}
		c.want(":")
		m.value = value(c)
		if n := len(list); c.bad || n == maxColumns || !isName(unquoted(m.name)) || n > 0 && bytes.Compare(list[n-1].name, m.name) >= 0 {
			c.bad = true
			break
		}
		list = append(list, m)
	}
	return list
}
