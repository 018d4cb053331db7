package decode

import (
	"bytes"
	"encoding/ascii85"

	"constat/inspect"
)

// Ascii85 undoes ASCII85 between <~ and ~>. Without these it cannot be told from
// text.
var Ascii85 = inspect.Decoder{
	Name:   "ascii85",
	Doc:    "undoes ASCII85 between <~ and ~> (PostScript Language Reference, section 3.13.3)",
	Min:    6,
	First:  "<",
	Decode: decodeAscii85,
}

func decodeAscii85(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] != '<' || d[1] != '~' {
		return nil, nil
	}
	d, ok := bytes.CutSuffix(bytes.TrimRight(d[2:], "\r\n \t"), []byte("~>"))
	if !ok {
		return nil, nil
	}
	size := 4 * len(d) // of "z", which stands for four zeros
	if bytes.IndexByte(d, 'z') < 0 {
		size = len(d)
	}
	if !w.Take(size) {
		return nil, inspect.ErrBytes
	}
	out := make([]byte, size)
	n, _, err := ascii85.Decode(out, d, true)
	if err != nil || n == 0 {
		return nil, nil
	}
	return []inspect.Child{{Name: p.Name, Data: out[:n]}}, nil
}
