package har

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A lexer walks over JSON text without holding it, so that one entry at a time
// can be cut out and a damaged one does not spoil the rest. It keeps brackets
// and strings apart and leaves the rest of the grammar to encoding/json.
type lexer struct {
	r        *bufio.Reader
	offset   int64  // bytes consumed
	stack    []byte // closing brackets that value waits for
	repaired string // what value mended last, "" nothing
}

// maxNesting is how deep a value may be nested; encoding/json gives up at 10,000.
const maxNesting = 5000

// brokenError says where the text stops being JSON.
type brokenError struct {
	offset int64
	what   string
}

func (e *brokenError) Error() string { return fmt.Sprintf("byte %d: %s", e.offset, e.what) }

func (l *lexer) broken(format string, args ...any) error {
	return &brokenError{l.offset, fmt.Sprintf(format, args...)}
}

func quoteByte(c byte) string { return fmt.Sprintf("%q", []byte{c}) }

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (l *lexer) next() (byte, error) {
	c, err := l.r.ReadByte()
	if err == nil {
		l.offset++
	}
	return c, err
}

// peek skips white space and returns the byte after it without consuming it.
func (l *lexer) peek() (byte, error) {
	for {
		c, err := l.next()
		if err != nil {
			return 0, err
		}
		if c == ' ' || c == '\n' || c == '\r' || c == '\t' {
			continue
		}
		l.offset--
		return c, l.r.UnreadByte()
	}
}

// otherFormats are files that people take for HARs, by how they begin.
var otherFormats = []struct{ begins, hint string }{
	{"PK\x03\x04", "this is a zip archive, not a HAR: if it is a Fiddler .saz file, open it in Fiddler and export HTTP Archive 1.2"},
	{"\x0a\x0d\x0d\x0a", "this is a packet capture, not a HAR"},
	{"\xd4\xc3\xb2\xa1", "this is a packet capture, not a HAR"},
	{"\xa1\xb2\xc3\xd4", "this is a packet capture, not a HAR"},
	{"SQLite format 3", "this is an SQLite file, not a HAR"},
	{"<", "this is XML or HTML, not a HAR: export the session as HTTP Archive (HAR)"},
}

// sniff says what the file is instead of a HAR, "" if it does not know.
func (l *lexer) sniff() string {
	head, _ := l.r.Peek(16)
	for _, f := range otherFormats {
		if bytes.HasPrefix(head, []byte(f.begins)) {
			return f.hint
		}
	}
	// A netstring, as mitmproxy writes them: its length, a colon, its content.
	if length, _, ok := bytes.Cut(head, []byte(":")); ok && len(length) > 0 && len(bytes.Trim(length, "0123456789")) == 0 {
		return "this is a mitmproxy flow file, not a HAR: convert it with mitmdump -nr FILE --set hardump=FILE.har"
	}
	return ""
}

// expect skips white space and consumes want.
func (l *lexer) expect(want byte) error {
	c, err := l.peek()
	if err != nil {
		return unexpected(err)
	}
	if c != want {
		return l.broken("expected %s, found %s", quoteByte(want), quoteByte(c))
	}
	_, err = l.next()
	return err
}

// array consumes an array; element is called before each element and consumes it.
func (l *lexer) array(element func() error) error {
	if err := l.expect('['); err != nil {
		return err
	}
	for {
		c, err := l.peek()
		switch {
		case err != nil:
			return unexpected(err)
		case c == ']':
			return l.expect(']')
		case c == ',':
			err = l.expect(',')
		default:
			err = element()
		}
		if err != nil {
			return err
		}
	}
}

// object consumes an object; member is called with each key and consumes the value.
func (l *lexer) object(member func(key string) error) error {
	if err := l.expect('{'); err != nil {
		return err
	}
	for {
		c, err := l.peek()
		switch {
		case err != nil:
			return unexpected(err)
		case c == '}':
			return l.expect('}')
		case c == ',':
			err = l.expect(',')
		case c != '"':
			return l.broken("expected a name in quotation marks, found %s", quoteByte(c))
		default:
			err = l.member(member)
		}
		if err != nil {
			return err
		}
	}
}

func (l *lexer) member(member func(key string) error) error {
	var buf bytes.Buffer
	if _, err := l.value(&buf, 4<<10); err != nil {
		return err
	}
	if err := l.expect(':'); err != nil {
		return err
	}
	var key string
	if json.Unmarshal(buf.Bytes(), &key) != nil {
		key = "" // too long, and so none of the names that matter
	}
	return member(key)
}

// value consumes the next value and copies it to dst, if not nil, as long as it
// fits into limit bytes and is not nested too deep; fit says whether it did. What a
// strict parser would choke on inside strings and words is mended in the copy.
func (l *lexer) value(dst *bytes.Buffer, limit int) (fit bool, err error) {
	if _, err := l.peek(); err != nil {
		return false, unexpected(err)
	}
	l.stack = l.stack[:0]
	put := func(p ...byte) {
		if dst != nil && fit {
			if fit = dst.Len()+len(p) <= limit; fit {
				dst.Write(p)
			}
		}
	}
	fit = true
	for {
		c, err := l.next()
		if err != nil {
			return false, unexpected(err)
		}
		switch c {
		case ' ', '\n', '\r', '\t':
			continue
		case '{', '[':
			put(c)
			l.stack = append(l.stack, c+2) // in ASCII the closing bracket stands two after
			if len(l.stack) > maxNesting {
				fit = false
			}
			if len(l.stack) > 1<<20 {
				return false, l.broken("more than a million brackets are open")
			}
			continue
		case '}', ']':
			if len(l.stack) == 0 || l.stack[len(l.stack)-1] != c {
				return false, l.broken("%s closes nothing", quoteByte(c))
			}
			put(c)
			l.stack = l.stack[:len(l.stack)-1]
		case '"':
			put(c)
			if err := l.string(put); err != nil {
				return false, unexpected(err)
			}
		case ',', ':':
			if len(l.stack) == 0 {
				return false, l.broken("expected a value, found %s", quoteByte(c))
			}
			put(c)
			continue
		default:
			if err := l.word(c, put); err != nil {
				return false, unexpected(err)
			}
		}
		if len(l.stack) == 0 {
			return fit, nil
		}
	}
}

// string copies a string whose opening quotation mark is consumed.
func (l *lexer) string(put func(...byte)) error {
	for {
		if err := l.run(put); err != nil {
			return err
		}
		c, err := l.next()
		if err != nil {
			return err
		}
		switch c {
		case '"':
			put(c)
			return nil
		case '\\':
			if err := l.escape(put); err != nil {
				return err
			}
		default:
			l.repaired = "a control character inside a string"
			put([]byte(fmt.Sprintf(`\u%04x`, c))...)
		}
	}
}

// run copies what comes before the next byte that means something in a string. Bodies
// are strings, so this is where the time goes.
func (l *lexer) run(put func(...byte)) error {
	for {
		if _, err := l.r.Peek(1); err != nil {
			return err
		}
		buf, _ := l.r.Peek(l.r.Buffered()) // cannot fail: it is there
		n := 0
		for n < len(buf) && buf[n] != '"' && buf[n] != '\\' && buf[n] >= ' ' {
			n++
		}
		put(buf[:n]...)
		if _, err := l.r.Discard(n); err != nil {
			return err
		}
		l.offset += int64(n)
		if n < len(buf) {
			return nil
		}
	}
}

func (l *lexer) escape(put func(...byte)) error {
	c, err := l.next()
	if err != nil {
		return err
	}
	valid := bytes.IndexByte([]byte(`"\/bfnrt`), c) >= 0
	if c == 'u' {
		hex, err := l.r.Peek(4)
		if err != nil {
			return err
		}
		valid = !bytes.ContainsFunc(hex, func(r rune) bool {
			return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F')
		})
	}
	if !valid {
		l.repaired = "a backslash inside a string that escapes nothing"
		put('\\', '\\')
		if c < ' ' {
			put([]byte(fmt.Sprintf(`\u%04x`, c))...)
			return nil
		}
		put(c)
		return nil
	}
	put('\\', c)
	return nil
}

// word copies a number or literal that begins with c, and null for anything that
// is neither.
func (l *lexer) word(c byte, put func(...byte)) error {
	word := []byte{c}
	for {
		p, err := l.r.Peek(1)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(p) == 0 || bytes.IndexByte([]byte(" \n\r\t,:{}[]\""), p[0]) >= 0 {
			break
		}
		if _, err := l.next(); err != nil {
			return err
		}
		if len(word) < 64 {
			word = append(word, p[0])
		}
	}
	if len(word) == 64 || !json.Valid(word) {
		l.repaired = "a word that is no JSON value"
		word = []byte("null")
	}
	put(word...)
	return nil
}
