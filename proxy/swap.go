package proxy

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// swap puts the head of a response as the server sent it in place of the one
// that net/http writes, so that order, case and spelling of its fields, and the
// words of the status line, reach the client. Only what concerns the one
// connection is left out (RFC 9110 section 7.6.1). The framing of both has to
// agree; otherwise the written head stays. It is used by one goroutine at a time.
type swap struct {
	armed    bool
	server   []byte // head as the server sent it
	bodyless bool   // no body follows, whatever the fields say
	held     *[]byte
}

// arm makes the next head written be replaced by server, which is not changed.
func (s *swap) arm(server []byte, bodyless bool) {
	s.armed, s.server, s.bodyless = true, server, bodyless
	s.held = headBuffers.Get().(*[]byte)
	*s.held = (*s.held)[:0]
}

var headBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}

// write takes what the HTTP server writes until the head is there, then writes
// the server's head and what came behind it to w in one go.
func (s *swap) write(w io.Writer, p []byte) (int, error) {
	held := append(*s.held, p...)
	end := bytes.Index(held, []byte("\r\n\r\n"))
	if end < 0 {
		*s.held = held
		return len(p), nil
	}
	out := headBuffers.Get().(*[]byte)
	b := s.compose((*out)[:0], held[:end+4])
	b = append(b, held[end+4:]...)
	_, err := w.Write(b)
	*out, *s.held = b, held
	recycle(out)
	recycle(s.held)
	*s = swap{}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// recycle keeps a buffer for the next head, unless a big one has made it big.
func recycle(b *[]byte) {
	if cap(*b) <= 64<<10 {
		headBuffers.Put(b)
	}
}

// compose appends the head to send to dst; written is the one of net/http.
func (s *swap) compose(dst, written []byte) []byte {
	ours, theirs := framingOf(written), framingOf(s.server)
	if !theirs.whole || !s.bodyless && (ours.length != theirs.length || ours.chunked != theirs.chunked) {
		return append(dst, written...)
	}
	connection := ours.connection // what net/http is going to do
	options := connectionOptions(theirs.connection)
	put := false
	for i, line := range lines(s.server) {
		switch {
		case i == 0:
			// The version is that of the connection, not of the server behind it.
			dst = append(dst, "HTTP/1.1"...)
			dst = append(dst, line[len("HTTP/1.1"):]...)
		case len(line) == 0:
			if connection != "" && !put {
				dst = append(append(append(dst, "Connection: "...), connection...), "\r\n"...)
			}
		case hopByHop(line, options):
			if name := fieldName(line); connection == "" || put || !fieldIs(name, "connection") {
				continue
			}
			put = true
			if !strings.EqualFold(connection, theirs.connection) {
				dst = append(append(append(dst, "Connection: "...), connection...), "\r\n"...)
				continue
			}
			dst = append(dst, line...)
		default:
			dst = append(dst, line...)
		}
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// framing is what a response head says of its body and connection.
type framing struct {
	length     string
	chunked    bool
	connection string
	whole      bool // a status line, fields, and nothing behind the empty line
}

func framingOf(head []byte) framing {
	f := framing{whole: bytes.HasPrefix(head, []byte("HTTP/1."))}
	var connection []byte
	ended := false
	for i, line := range lines(head) {
		name := fieldName(line)
		switch {
		case ended:
			f.whole = false
		case i == 0:
			f.whole = f.whole && len(line) > len("HTTP/1.1 ")
		case len(line) == 0:
			ended = true
		case len(name) == 0:
			f.whole = false
		case fieldIs(name, "content-length"):
			f.length = fieldValue(line)
		case fieldIs(name, "transfer-encoding"):
			f.chunked = true
		case fieldIs(name, "connection"):
			if len(connection) > 0 {
				connection = append(connection, ',')
			}
			connection = append(connection, fieldValue(line)...)
		}
	}
	f.connection = string(connection)
	return f
}

// connectionOptions are the names in a Connection field, in lower case, of fields
// that are for one connection only; nil when there is none.
func connectionOptions(connection string) (names map[string]bool) {
	for option := range strings.SplitSeq(connection, ",") {
		option = strings.Trim(option, " \t")
		if option == "" || framingField(option) || strings.EqualFold(option, "keep-alive") {
			continue
		}
		if names == nil {
			names = map[string]bool{}
		}
		names[strings.ToLower(option)] = true
	}
	return names
}

// hopByHop says that a field line is for one connection only: one of the known
// fields, or one of names.
func hopByHop(line []byte, names map[string]bool) bool {
	name := fieldName(line)
	for _, h := range [...]string{"connection", "keep-alive", "proxy-connection", "upgrade"} {
		if fieldIs(name, h) {
			return true
		}
	}
	return names != nil && names[strings.ToLower(string(name))]
}

// framingField says that a field stays even if a Connection field names it:
// without it the body could not be read.
func framingField(name string) bool {
	return strings.EqualFold(name, "content-length") || strings.EqualFold(name, "transfer-encoding")
}

// lines goes through the lines of a head, without their line ends.
func lines(head []byte) func(yield func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		for i := 0; len(head) > 0; i++ {
			line := head
			if end := bytes.IndexByte(head, '\n'); end >= 0 {
				line, head = head[:end], head[end+1:]
			} else {
				head = nil
			}
			if !yield(i, bytes.TrimSuffix(line, []byte("\r"))) {
				return
			}
		}
	}
}

// fieldName is the name of a field line, empty when it is none.
func fieldName(line []byte) []byte {
	colon := bytes.IndexByte(line, ':')
	if colon < 1 || line[0] == ' ' || line[0] == '\t' {
		return nil
	}
	return line[:colon]
}

func fieldValue(line []byte) string {
	return string(bytes.Trim(line[bytes.IndexByte(line, ':')+1:], " \t"))
}
