package decode

import (
	"bytes"

	"constat/inspect"
)

// Authorization takes the credentials from behind the name of the scheme.
var Authorization = inspect.Decoder{
	Name:   "scheme",
	Doc:    "takes the credentials of HTTP authentication (RFC 9110 section 11.4) from behind the scheme's name",
	Min:    8,
	First:  "BbTt",
	Holds:  inspect.Spaces,
	Decode: decodeAuthorization,
}

var schemes = [][]byte{[]byte("basic "), []byte("bearer "), []byte("token ")}

func decodeAuthorization(_ *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if c := d[0] | 0x20; c != 'b' && c != 't' {
		return nil, nil
	}
	for _, s := range schemes {
		if len(d) > len(s) && bytes.EqualFold(d[:len(s)], s) {
			if rest := bytes.TrimSpace(d[len(s):]); len(rest) > 0 && bytes.IndexByte(rest, ' ') < 0 {
				return []inspect.Child{{Name: p.Name, Kind: inspect.Text, Data: rest}}, nil
			}
		}
	}
	return nil, nil
}
