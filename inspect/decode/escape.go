package decode

import (
	"bytes"
	"unicode/utf8"

	"constat/inspect"
)

// Escape undoes the escapes of a string that has lost its quotes, as JSON has
// that was escaped once more than it was quoted: {\"a\":1}, \u007b\u0022…,
// \x7b\x22….
var Escape = inspect.Decoder{
	Name:   "escape",
	Doc:    "undoes the escapes of strings in JSON (RFC 8259 section 7) and JavaScript (\\xHH, ECMA-262) where the quotes are missing",
	Min:    6,
	First:  `{[\`,
	Decode: decodeEscape,
}

func decodeEscape(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	switch d[0] {
	case '{', '[':
		at := skipSpace(d, 1)
		if d[0] == '[' && at < len(d) && d[at] == '{' {
			at = skipSpace(d, at+1)
		}
		if at+1 >= len(d) || d[at] != '\\' || d[at+1] != '"' && d[at+1] != 'u' && d[at+1] != 'n' {
			return nil, nil
		}
	case '\\':
		if n := escapeSize(d); n == 0 || escapeSize(d[n:]) == 0 {
			return nil, nil
		}
	default:
		return nil, nil
	}
	if bytes.IndexByte(d, '\\') < 0 || !w.Take(len(d)) {
		return nil, nil
	}
	out := unescape(make([]byte, 0, len(d)), d)
	if bytes.Contains(out, []byte(`\x`)) {
		out = unescapeX(out)
	}
	return []inspect.Child{{Name: p.Name, Kind: inspect.Text, Data: out}}, nil
}

// escapeSize is the length of the \u or \x escape that d begins with, 0 if none.
func escapeSize(d []byte) int {
	n := 0
	switch {
	case len(d) >= 6 && d[0] == '\\' && d[1] == 'u':
		n = 6
	case len(d) >= 4 && d[0] == '\\' && d[1] == 'x':
		n = 4
	default:
		return 0
	}
	if !isHex(d[2:n]) {
		return 0
	}
	return n
}

// unescapeX undoes \xHH, where HH is a code point.
func unescapeX(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+3 < len(b) && b[i+1] == 'x' && isHex(b[i+2:i+4]) {
			out = utf8.AppendRune(out, rune(unhex(b[i+2]))<<4|rune(unhex(b[i+3])))
			i += 3
			continue
		}
		out = append(out, b[i])
	}
	return out
}
