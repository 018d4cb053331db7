package decode

import (
	"encoding/base32"

	"constat/inspect"
)

// Base32 undoes base32 of a whole value in capital letters, with all of its
// padding or none. What comes out counts if it is text or begins with known
// magic bytes.
var Base32 = inspect.Decoder{
	Name:   "base32",
	Doc:    "undoes base32 (RFC 4648 section 6) of a value of 16 characters or more",
	Min:    16,
	First:  uppers + "234567",
	Only:   inspect.UpperCase | inspect.Digits | inspect.Equals,
	Decode: decodeBase32,
}

func decodeBase32(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	n := len(d)
	for n > 0 && len(d)-n < 6 && d[n-1] == '=' {
		n--
	}
	if n < len(d) && len(d)%8 != 0 {
		return nil, nil
	}
	digits := 0
	for _, c := range d[:n] {
		switch {
		case class[c]&upper != 0:
		case c >= '2' && c <= '7':
			digits++
		default:
			return nil, nil
		}
	}
	switch n % 8 {
	case 1, 3, 6:
		return nil, nil
	}
	if digits == 0 || digits == n { // a word or a number
		return nil, nil
	}
	if !w.Take(n) {
		return nil, inspect.ErrBytes
	}
	enc := base32.StdEncoding.WithPadding(base32.NoPadding)
	out := make([]byte, enc.DecodedLen(n))
	m, err := enc.Decode(out, d[:n])
	if err != nil {
		return nil, nil
	}
	if out = out[:m]; !looksText(out) && inspect.Recognise(out) == "" {
		return nil, nil
	}
	return []inspect.Child{{Name: p.Name, Data: out}}, nil
}
