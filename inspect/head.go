package inspect

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strings"
)

// ParseHead reads the fields of a message's head, after the start line.
func ParseHead(head []byte) http.Header {
	_, fields, _ := bytes.Cut(head, []byte("\n"))
	return ParseFields(fields)
}

// ParseFields reads header fields, one a line. It is lenient, since a head is
// what somebody sent: a line without a colon is left out, and a line that
// begins with white space continues the one before (RFC 9112 section 5.2).
func ParseFields(text []byte) http.Header {
	n := min(bytes.Count(text, []byte("\n")), 64)
	h := make(http.Header, n)
	values := make([]string, 0, n) // of fields that come once
	last := ""
	var folded []byte // the last value as far as it is continued, nil when it is not
	unfold := func() {
		if folded != nil {
			v := h[last]
			v[len(v)-1], folded = string(folded), nil
		}
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			if v := h[last]; len(v) > 0 {
				if folded == nil {
					folded = []byte(v[len(v)-1])
				}
				folded = append(append(folded, ' '), strings.Trim(line, " \t")...)
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		unfold()
		last = textproto.CanonicalMIMEHeaderKey(strings.TrimRight(name, " \t"))
		value = strings.Trim(value, " \t")
		if v := h[last]; v != nil {
			h[last] = append(v, value)
			continue
		}
		values = append(values, value)
		h[last] = values[len(values)-1 : len(values) : len(values)]
	}
	unfold()
	return h
}
