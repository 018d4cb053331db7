package decode

import (
	"encoding/base64"

	"constat/inspect"
)

// Transfer takes off the transfer encodings of mail, where they are declared:
// what one of them makes of text need not look encoded.
var Transfer = inspect.Decoder{
	Name:   "transfer",
	Doc:    "undoes a declared Content-Transfer-Encoding: base64 or quoted-printable (RFC 2045 section 6)",
	Min:    3,
	Sees:   inspect.Coded,
	Decode: decodeTransfer,
}

func decodeTransfer(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	if p.Coding == "" {
		return nil, nil
	}
	switch {
	case declared(p, "quoted-printable"):
		if !w.Take(len(p.Data)) {
			return nil, inspect.ErrBytes
		}
		return inflated(p, unquotePrintable(p.Data), "quoted-printable"), nil
	case declared(p, "base64"):
		if !w.Take(len(p.Data)) {
			return nil, inspect.ErrBytes
		}
		packed := make([]byte, 0, len(p.Data))
		for _, c := range p.Data {
			if class[c]&b64 != 0 {
				packed = append(packed, c)
			}
		}
		out := make([]byte, base64.RawStdEncoding.DecodedLen(len(packed)))
		n, err := base64.RawStdEncoding.Decode(out, packed)
		if err != nil {
			err = broken("transfer", errEnd)
		}
		if n == 0 {
			return nil, err
		}
		return inflated(p, out[:n], "base64"), err
	}
	return nil, nil
}
