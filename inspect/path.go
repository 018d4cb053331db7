package inspect

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxArg = 200 // bytes of an argument that are written out whole
	cutArg = 160 // bytes kept of a longer one
)

// appendStep appends "|decoder:arg" to b, arg escaped.
func appendStep(b []byte, decoder, arg string) []byte {
	b = append(b, '|')
	b = append(b, decoder...)
	return appendArg(b, arg)
}

// appendArg appends ":arg", or nothing when arg is empty.
func appendArg(b []byte, arg string) []byte {
	if arg == "" {
		return b
	}
	b = append(b, ':')
	if len(arg) <= maxArg && isPlain(arg) {
		return append(b, arg...)
	}
	if len(arg) <= maxArg {
		return escapeArg(b, arg)
	}
	head := arg[:cutArg]
	for i := 1; i < utf8.UTFMax && i < len(head); i++ { // do not cut a character in two
		if c := head[len(head)-i]; utf8.RuneStart(c) {
			if !utf8.FullRuneInString(head[len(head)-i:]) {
				head = head[:len(head)-i]
			}
			break
		}
	}
	sum := sha256.Sum256([]byte(arg))
	b = append(escapeArg(b, head), "…"...)
	return hex.AppendEncode(b, sum[:8])
}

// isPlain says that s is printable ASCII without bar and backslash.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '|' || c == '\\' {
			return false
		}
	}
	return true
}

func escapeArg(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '|' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == utf8.RuneError && n == 1 || !unicode.IsPrint(r):
			for i := range n {
				b = append(b, '\\', 'x', digits[s[i]>>4], digits[s[i]&15])
			}
		default:
			b = append(b, s[:n]...)
		}
		s = s[n:]
	}
	return b
}

func unescapeArg(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if s[i] == 'x' && i+2 < len(s) {
				if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
					out = append(out, byte(v))
					i += 2
					continue
				}
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// Words describes p for people, outermost layer first: "request body, gzip,
// form field data_list, base64, JSON value [0].imei".
func (p Path) Words() string {
	var out []string
	for i, step := range p.Steps() {
		name, arg := SplitStep(step)
		if i == 0 {
			name = strings.ReplaceAll(name, ".", " ")
			switch name {
			case "frame":
				name = "WebSocket message"
			case "upload":
				name = "file sent in pieces"
			}
		}
		if arg != "" {
			arg = " " + Excerpt([]byte(arg), 0, len(arg))
		}
		switch name {
		case "json":
			name = "JSON value"
			if arg == "" {
				name = "JSON string"
			}
		case "form":
			name = "form field"
		case "multipart":
			name = "multipart field"
		case "ndjson":
			name = "JSON document number"
		case "url":
			name = "parameter of the URL:"
		case "path":
			name = "path segment number"
		case "percent":
			name = "percent-encoding"
		case "data":
			name = "data: URI"
		}
		out = append(out, name+arg)
	}
	return strings.Join(out, ", ")
}
