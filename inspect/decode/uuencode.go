package decode

import (
	"bytes"

	"constat/inspect"
)

// UUEncode undoes uuencode: the line "begin", a mode and a file's name, lines
// whose first character is the number of bytes in them, and the line "end". The
// file's name is the part's.
var UUEncode = inspect.Decoder{
	Name:   "uuencode",
	Doc:    "undoes uuencode (POSIX.1-2024, uuencode, historical algorithm)",
	Min:    16,
	First:  "b",
	Holds:  inspect.Spaces | inspect.Newlines,
	Decode: decodeUUEncode,
}

func decodeUUEncode(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] != 'b' || !bytes.HasPrefix(d, []byte("begin ")) || digits(d[6:]) < 3 {
		return nil, nil
	}
	const longest = 256
	line, d, ok := bytes.Cut(d, []byte("\n"))
	if !ok || len(line) > longest {
		return nil, nil
	}
	_, name, _ := bytes.Cut(line[6:], []byte(" "))
	if !w.Take(len(d)) {
		return nil, inspect.ErrBytes
	}
	out := make([]byte, 0, 3*len(d)/4)
	for {
		if line, d, ok = bytes.Cut(d, []byte("\n")); len(line) == 0 && !ok {
			return nil, nil // no end
		}
		line = bytes.TrimRight(line, "\r")
		if string(line) == "end" {
			break
		}
		if len(line) == 0 || line[0] < ' ' || line[0] > '`' {
			return nil, nil
		}
		n := int(line[0]-' ') & 63
		line = line[1:]
		if len(line) > (n+2)/3*4+1 { // one for a checksum
			return nil, nil
		}
		for i := 0; n > 0; i += 4 {
			var v uint32
			for j := range 4 {
				c := byte(' ') // which some leave out at the end of a line
				if i+j < len(line) {
					c = line[i+j]
				}
				if c < ' ' || c > '`' {
					return nil, nil
				}
				v = v<<6 | uint32(c-' ')&63
			}
			three := [3]byte{byte(v >> 16), byte(v >> 8), byte(v)}
			out = append(out, three[:min(n, 3)]...)
			n -= min(n, 3)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return []inspect.Child{{Name: string(bytes.TrimSpace(name)), Data: out}}, nil
}
