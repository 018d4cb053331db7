package har

import (
	"bytes"
	"net/url"
	"strings"
)

// protocols are the ways in which programs write httpVersion, in lower case.
var protocols = map[string]string{
	"http/0.9": "HTTP/0.9", "http/1.0": "HTTP/1.0", "http/1.1": "HTTP/1.1", "1.0": "HTTP/1.0", "1.1": "HTTP/1.1",
	"http/2": "HTTP/2.0", "http/2.0": "HTTP/2.0", "h2": "HTTP/2.0", "h2c": "HTTP/2.0", "2": "HTTP/2.0", "2.0": "HTTP/2.0",
	"http/3": "HTTP/3.0", "http/3.0": "HTTP/3.0", "h3": "HTTP/3.0", "h3-29": "HTTP/3.0", "3": "HTTP/3.0", "3.0": "HTTP/3.0", "http/2+quic/46": "HTTP/3.0",
}

// protocol is the version of HTTP that an entry states, "" when it states none.
func protocol(version string, headers fields) string {
	if p := protocols[strings.ToLower(strings.TrimSpace(version))]; p != "" {
		return p
	}
	for _, h := range headers {
		if strings.HasPrefix(h.Name.s, ":") {
			return "HTTP/2.0"
		}
	}
	return ""
}

// head writes a start line and fields in HTTP/1.1 form. Pseudo-header fields
// (RFC 9113 section 8.3) are left out: they repeat the start line.
func (c *converter) head(start string, headers fields) []byte {
	var b bytes.Buffer
	b.WriteString(start)
	b.WriteString("\r\n")
	odd := false
	for _, h := range headers {
		name := h.Name.s
		if strings.HasPrefix(name, ":") {
			continue
		}
		if !isToken(name) {
			odd = true
			if name = tokenOnly(name); name == "" {
				continue
			}
		}
		// Browsers join the values of a repeated field with line feeds.
		for _, value := range strings.FieldsFunc(h.Value.s, func(r rune) bool { return r == '\n' || r == '\r' }) {
			writeField(&b, name, value)
		}
		if h.Value.s == "" {
			writeField(&b, name, "")
		}
	}
	if odd {
		c.problem("a header's name holds characters that HTTP does not allow: they are left out")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

func writeField(b *bytes.Buffer, name, value string) {
	b.WriteString(name)
	b.WriteString(": ")
	b.WriteString(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.TrimSpace(value)))
	b.WriteString("\r\n")
}

// isTokenByte reports whether c may stand in a token (RFC 9110 section 5.6.2).
func isTokenByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isToken(s string) bool { return s != "" && s == tokenOnly(s) }

func tokenOnly(s string) string {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			b := []byte(s[:i])
			for ; i < len(s); i++ {
				if isTokenByte(s[i]) {
					b = append(b, s[i])
				}
			}
			return string(b)
		}
	}
	return s
}

// escapeControls percent-encodes blanks and control characters, which would
// break a request line, and leaves everything else as sent.
func escapeControls(s string) string {
	bad := func(c byte) bool { return c <= ' ' || c == 0x7f }
	n := 0
	for i := range len(s) {
		if bad(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if bad(s[i]) {
			b = append(b, '%', hex[s[i]>>4], hex[s[i]&15])
		} else {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// formEncode writes fields as application/x-www-form-urlencoded, in their order.
func formEncode(list fields) string {
	var b strings.Builder
	for i, f := range list {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(f.Name.s))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(f.Value.s))
	}
	return b.String()
}
