package decode

import (
	"bytes"
	"strings"

	"constat/inspect"
)

// Form takes forms apart: the query of a request, bodies declared as forms, and
// any value that is written like one. The argument is the field's name. A long
// field without a value has no name: it is a value, such as a query that is one
// piece of base64.
var Form = inspect.Decoder{
	Name:   "form",
	Doc:    "takes application/x-www-form-urlencoded (WHATWG URL, section 5.1) apart: queries, bodies, and strings that look like it",
	Min:    3,
	Holds:  inspect.Equals,
	Decode: decodeForm,
}

func decodeForm(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if p.Parent == nil && p.Decoder() == "request.query" {
		return fields(w, d, 0)
	}
	if !isForm(p) {
		return nil, nil
	}
	return fields(w, d, 0)
}

func isForm(p *inspect.Part) bool {
	return looksForm(p.Data) || strings.HasPrefix(p.Media, "application/x-www-form-urlencoded") && declaredForm(p.Data)
}

// declaredForm says that d, which is declared as a form, can be one: all of the
// first name is text, and its value is there.
func declaredForm(d []byte) bool {
	i := bytes.IndexByte(d, '=')
	return i > 0 && i <= 1024 && d[0] != '{' && d[0] != '[' && looksText(d[:i])
}

// looksForm says that d cannot well be anything else but a form: printable, no
// white space, a short name in front of each "=", which each field has, and the
// values are not just the padding of base64.
func looksForm(d []byte) bool {
	const longestName = 64
	i := 0
	for i < len(d) && i <= longestName && class[d[i]]&keyed != 0 {
		i++
	}
	if i == 0 || i > longestName || i == len(d) || d[i] != '=' {
		return false
	}
	if i+1 == len(d) || d[i+1] == '=' {
		return false
	}
	name := true // inside a name
	length := 0
	for _, c := range d {
		switch {
		case c == '&':
			if name && length > 0 {
				return false
			}
			name, length = true, 0
		case c == '=' && name:
			name = false
		case class[c]&graph == 0 && c < 0x80:
			return false
		default:
			if length++; name && length > longestName {
				return false
			}
		}
	}
	return !name
}

// fields cuts d, which begins at offset from of its part, at "&" and "=".
// Values without escapes share d.
func fields(w *inspect.Work, d []byte, from int) ([]inspect.Child, error) {
	d = d[from:]
	children := make([]inspect.Child, 0, min(1+bytes.Count(d, []byte("&")), w.Parts()))
	var seen names
	for len(d) > 0 {
		field, rest, _ := bytes.Cut(d, []byte("&"))
		d = rest
		if len(field) == 0 {
			continue
		}
		if len(children) == cap(children) {
			return children, inspect.ErrParts
		}
		const longName = 16
		rawName, rawValue, _ := bytes.Cut(field, []byte("="))
		if len(field) >= longName && len(bytes.Trim(rawValue, "=")) == 0 {
			rawName, rawValue = nil, field
		}
		name, ok := unquote(w, rawName)
		if !ok {
			return children, inspect.ErrBytes
		}
		value, ok := unquote(w, rawValue)
		if !ok {
			return children, inspect.ErrBytes
		}
		n := string(name)
		children = append(children, inspect.Child{Arg: seen.unique(n), Name: n, Kind: inspect.Text, Data: value})
	}
	return children, nil
}

// unquote undoes percent-encoding and turns "+" into a space. What is not an
// escape stays as it is. Without escapes the result is b itself.
func unquote(w *inspect.Work, b []byte) ([]byte, bool) {
	i := 0
	for i < len(b) && b[i] != '%' && b[i] != '+' {
		i++
	}
	if i == len(b) {
		return b, true
	}
	if !w.Take(len(b)) {
		return nil, false
	}
	return unquoteInto(make([]byte, 0, len(b)), b, true), true
}

func unquoteInto(out, b []byte, plus bool) []byte {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '%' && i+2 < len(b) && class[b[i+1]]&hexa != 0 && class[b[i+2]]&hexa != 0:
			c = unhex(b[i+1])<<4 | unhex(b[i+2])
			i += 2
		case c == '+' && plus:
			c = ' '
		}
		out = append(out, c)
	}
	return out
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
