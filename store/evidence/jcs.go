package evidence

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"
)

// maxSafe is the largest integer that RFC 8785 can write as a number: every
// JSON parser reads it back exactly (RFC 7493 section 2.2).
const maxSafe = 1<<53 - 1

// AppendJSON appends the canonical JSON (RFC 8785) of v to dst. Integers beyond
// ±(2^53-1) are written as strings of decimal digits, blobs as base64 strings,
// and texts that are not UTF-8 as {"base64":"…"}, so that different values of
// one type never look the same.
func AppendJSON(dst []byte, v *Value) []byte {
	switch v.Type {
	case Int:
		if v.Int > maxSafe || v.Int < -maxSafe {
			dst = strconv.AppendInt(append(dst, '"'), v.Int, 10)
			return append(dst, '"')
		}
		return strconv.AppendInt(dst, v.Int, 10)
	case Text:
		if !utf8.ValidString(v.Text) {
			dst = append(dst, `{"base64":"`...)
			dst = base64.StdEncoding.AppendEncode(dst, []byte(v.Text))
			return append(dst, '"', '}')
		}
		return appendString(dst, v.Text)
	case Blob:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), v.Blob)
		return append(dst, '"')
	}
	return append(dst, "null"...)
}

// appendString appends s, which is UTF-8, as RFC 8785 section 3.2.2.2 says:
// only control characters, the quote and the backslash are escaped.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}
