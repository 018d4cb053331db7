package decode

import (
	"encoding/hex"

	"constat/inspect"
)

// Hex undoes hexadecimal writing of a whole value. What comes out counts if it
// is text or begins with known magic bytes; else only if it is longer than a
// digest and not as long as one.
var Hex = inspect.Decoder{
	Name:   "hex",
	Doc:    "undoes hexadecimal writing (RFC 4648 section 8) of a value of 16 digits or more",
	Min:    16,
	First:  digits10 + "abcdefABCDEF",
	Only:   inspect.Digits | inspect.Letters,
	Decode: decodeHex,
}

func decodeHex(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] == '0' && d[1]|0x20 == 'x' {
		d = d[2:]
	}
	if len(d) < 16 || len(d)%2 != 0 || !isHex(d) {
		return nil, nil
	}
	if !w.Take(len(d) / 2) {
		return nil, inspect.ErrBytes
	}
	out := make([]byte, len(d)/2)
	if _, err := hex.Decode(out, d); err != nil {
		return nil, nil
	}
	switch n := len(out); {
	case interesting(out):
	case n > 32 && n != 48 && n != 64: // SHA-256 and below, SHA-384, SHA-512
	default:
		return nil, nil
	}
	return []inspect.Child{{Name: p.Name, Data: out}}, nil
}
