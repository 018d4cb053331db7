package proxy

import (
	"bytes"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// tap keeps the heads of the requests that pass on an HTTP/1.x connection, as
// they came. It sees the bytes that the HTTP server reads, in order, and is told
// of each request before its handler runs: that gives it the framing, so that it
// knows where the next head begins. When it loses track it stays silent for the
// rest of the connection.
type tap struct {
	mu    sync.Mutex
	state tapState
	buf   []byte // in tapHead: the bytes since the last request's end
	left  uint64 // bytes of the body, or of the chunk with its line end
	line  int    // bytes of the trailer line so far, its CR not counted
	digit int    // digits of the chunk size so far
	limit int    // of buf
}

type tapState uint8

const (
	tapHead  tapState = iota
	tapBody           // of known length
	tapSize           // in the digits of a chunk's size
	tapExt            // behind them, up to the line end
	tapChunk          // in a chunk's data or the line end behind it
	tapTrail          // in the trailer section
	tapOff
)

// preface is how an HTTP/2 connection begins (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n"

// feed takes in the next bytes that were read.
func (t *tap) feed(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.consume(p)
}

func (t *tap) consume(p []byte) {
	for len(p) > 0 {
		switch t.state {
		case tapOff:
			return
		case tapHead:
			if len(t.buf)+len(p) > t.limit {
				t.off()
				return
			}
			t.buf = append(t.buf, p...)
			if bytes.HasPrefix(t.buf, []byte(preface)) {
				t.off()
			}
			return
		case tapBody, tapChunk:
			n := min(t.left, uint64(len(p)))
			p = p[n:]
			if t.left -= n; t.left == 0 {
				if t.state == tapBody {
					t.state = tapHead
				} else {
					t.state, t.digit = tapSize, 0
				}
			}
		default:
			t.framing(p[0])
			p = p[1:]
		}
	}
}

// framing takes one byte of the chunked coding (RFC 9112 section 7.1) that is
// not data.
func (t *tap) framing(b byte) {
	switch t.state {
	case tapSize:
		if v, ok := hexDigit(b); ok && t.left <= math.MaxUint64>>8 {
			t.left = t.left<<4 | uint64(v)
			t.digit++
			return
		}
		if t.digit == 0 || b != ';' && b != '\r' && b != '\n' && b != ' ' && b != '\t' {
			t.off()
			return
		}
		t.state = tapExt
		t.framing(b)
	case tapExt:
		if b != '\n' {
			return
		}
		if t.left == 0 {
			t.state, t.line = tapTrail, 0
			return
		}
		t.state = tapChunk
		t.left += 2
	case tapTrail:
		switch {
		case b == '\n' && t.line == 0:
			t.state = tapHead
		case b == '\n':
			t.line = 0
		case b != '\r':
			t.line++
		}
	}
}

func hexDigit(b byte) (byte, bool) {
	switch {
	case '0' <= b && b <= '9':
		return b - '0', true
	case 'a' <= b && b <= 'f':
		return b - 'a' + 10, true
	case 'A' <= b && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}

func (t *tap) off() { t.state, t.buf = tapOff, nil }

// take returns the head of r, which has just been read, with its empty line; nil
// when the bytes seen do not fit r. The caller owns it.
func (t *tap) take(r *http.Request) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != tapHead {
		t.off()
		return nil
	}
	// The server skips empty lines before a request (RFC 9112 section 2.2).
	at := len(t.buf) - len(bytes.TrimLeft(t.buf, "\r\n"))
	end := bytes.Index(t.buf[at:], []byte("\r\n\r\n"))
	if end < 0 || !startsWith(t.buf[at:], r) {
		t.off()
		return nil
	}
	head := slices.Clone(t.buf[at : at+end+4])
	rest := t.buf[at+end+4:]
	switch {
	case r.ContentLength > 0:
		t.state, t.left = tapBody, uint64(r.ContentLength)
	case r.ContentLength < 0:
		t.state, t.left, t.digit = tapSize, 0, 0
	}
	t.buf = t.buf[:0]
	t.consume(rest)
	return head
}

// startsWith says that head begins with the request line of r.
func startsWith(head []byte, r *http.Request) bool {
	for _, want := range []string{r.Method, " ", r.RequestURI, " ", r.Proto, "\r\n"} {
		if len(head) < len(want) || string(head[:len(want)]) != want {
			return false
		}
		head = head[len(want):]
	}
	return true
}

// hostField returns the value of the first Host field of a head, empty when there
// is none.
func hostField(head []byte) string {
	for _, line := range lines(head) {
		if fieldIs(fieldName(line), "host") {
			return fieldValue(line)
		}
	}
	return ""
}

// fieldIs compares a field name with one in lower case.
func fieldIs(name []byte, lower string) bool {
	return len(name) == len(lower) && strings.EqualFold(string(name), lower)
}
