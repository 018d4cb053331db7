package decode

import (
	"bytes"
	"encoding/base64"

	"constat/inspect"
)

// Base64 undoes base64 of a whole value: either alphabet, with or without
// padding, on one line or broken into lines, with the "+" that a form turned into a
// space, and cut off, with an ellipsis or without.
//
// Many words and identifiers are spelled in the same alphabet. What comes out
// counts if it is text or begins with known magic bytes; else only 64 bytes or
// more of it do, and only if the value is spelled with small and capital letters
// and digits. Behind a label such as "v1:" only JSON and what begins with magic
// bytes counts.
var Base64 = inspect.Decoder{
	Name: "base64",
	Doc:  "undoes base64 and base64url (RFC 4648 sections 4 and 5) of a value, padded or not, wrapped or not",
	Min:  8,
	Only: inspect.Letters | inspect.Digits | inspect.Pluses | inspect.Slashes | inspect.Hyphens | inspect.Underscores | inspect.Equals |
		inspect.Spaces | inspect.Newlines | inspect.Controls | inspect.Colons | inspect.Dots | inspect.NonASCII,
	Decode: decodeBase64,
}

// keepOpaque is how many bytes that mean nothing are kept, so that somebody can
// measure how random they are.
const keepOpaque = 64

func decodeBase64(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	if p.Coding != "" && declared(p, "base64") {
		return nil, nil // the business of Transfer
	}
	if p.Parent == nil && p.Decoder() == "request.path" {
		return nil, nil // its slashes are none of base64: PathSegments hands on what is
	}
	if p.Holds()&inspect.Spaces != 0 {
		if n := len(p.Data); n < 24 || bytes.Count(p.Data, []byte{' '}) > n/16+1 { // a sentence
			return nil, nil
		}
	}
	d, labelled := unlabel(p.Data)
	for _, c := range d[:8] {
		if class[c]&b64 == 0 && c != '\n' && c != '\r' && c != ' ' && c != '=' {
			return nil, nil // most values that are not base64 show it here
		}
	}
	if last := d[len(d)-1]; class[last]&b64 == 0 {
		d = bytes.TrimSuffix(bytes.TrimSuffix(d, []byte("...")), []byte("…"))
		d = bytes.TrimRight(d, "\r\n")
	}
	for n := 0; n < 2 && len(d) > 0 && d[len(d)-1] == '='; n++ {
		d = d[:len(d)-1]
	}
	var all uint8
	var url, std, gaps, spaces int
	for _, c := range d {
		k := class[c]
		if k&b64 == 0 {
			switch c {
			case '\n', '\r':
				gaps++
				continue
			case ' ':
				if spaces++; spaces <= 3 || spaces <= len(d)/16+1 && len(d) >= 24 {
					continue
				}
			}
			return nil, nil // punctuation, or a sentence
		}
		all |= k
		switch c {
		case '-', '_':
			url++
		case '+', '/':
			std++
		}
	}
	n := len(d) - gaps
	if n%4 == 1 && n >= keepOpaque { // cut off somewhere
		d, n = d[:len(d)-1], n-1
	}
	switch {
	case n < 7 || n%4 == 1 || gaps > n/16+1:
		return nil, nil
	case url > 0 && std+spaces > 0:
		return nil, nil
	case all&(upper|lower) == 0: // a number
		return nil, nil
	case all&upper == 0 && len(d) == len(p.Data) && n < 24: // a word
		return nil, nil
	case url == 4 && n == 36 && d[8] == '-' && d[13] == '-': // a UUID
		return nil, nil
	case spaces > 0 && (gaps > 0 || n < 24 || spaces > n/16+1): // a sentence
		return nil, nil
	}
	if isHex(d) && n%2 == 0 { // a digest, or the business of Hex
		return nil, nil
	}
	if !w.Take(n) {
		return nil, inspect.ErrBytes
	}
	src := d
	if gaps+spaces+url > 0 {
		src = make([]byte, 0, n)
		for _, c := range d {
			switch c {
			case '\n', '\r':
				continue
			case ' ', '-':
				c = '+'
			case '_':
				c = '/'
			}
			src = append(src, c)
		}
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(src)))
	m, err := base64.RawStdEncoding.Decode(out, src)
	if err != nil {
		return nil, nil
	}
	out = out[:m]
	switch {
	case labelled && inspect.Recognise(out) == "" && !zlibHeader(out) && !(looksText(out) && (out[0] == '{' || out[0] == '[')):
		return nil, nil
	case spaces > 0 && inspect.Recognise(out) == "" && !(looksText(out) && (out[0] == '{' || out[0] == '[')):
		return nil, nil
	case interesting(out):
	case len(out) >= keepOpaque && all&upper != 0 && all&lower != 0 && all&digit != 0:
	default:
		return nil, nil
	}
	return []inspect.Child{{Name: p.Name, Data: out}}, nil
}

// unlabel cuts a label such as "v1:" or "gzip:" off the front of a value.
func unlabel(d []byte) (rest []byte, labelled bool) {
	const longest, least = 16, 24
	if len(d) < longest+least {
		return d, false
	}
	i := 0
	for i < longest && (class[d[i]]&(upper|lower|digit) != 0 || d[i] == '_' || d[i] == '-' || d[i] == '.') {
		i++
	}
	if i == 0 || d[i] != ':' {
		return d, false
	}
	return d[i+1:], true
}

func isHex(d []byte) bool {
	for _, c := range d {
		if class[c]&hexa == 0 {
			return false
		}
	}
	return true
}
