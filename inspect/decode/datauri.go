package decode

import (
	"bytes"
	"encoding/base64"

	"constat/inspect"
)

// DataURI takes the content out of a data: URI.
var DataURI = inspect.Decoder{
	Name:   "data",
	Doc:    "takes the content out of a data: URI (RFC 2397)",
	Min:    6,
	First:  "dD",
	Holds:  inspect.Colons | inspect.Commas,
	Decode: decodeDataURI,
}

func decodeDataURI(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0]|0x20 != 'd' || d[4] != ':' || !bytes.EqualFold(d[:5], []byte("data:")) {
		return nil, nil
	}
	const longestHead = 256
	comma := bytes.IndexByte(d[:min(len(d), longestHead)], ',')
	if comma < 0 || !looksText(d[:comma]) {
		return nil, nil
	}
	head, body := d[5:comma], d[comma+1:]
	c := inspect.Child{Name: p.Name}
	if !w.Take(len(body)) {
		return nil, inspect.ErrBytes
	}
	media, is64 := bytes.CutSuffix(head, []byte(";base64"))
	c.ContentType = string(media)
	if !is64 {
		c.Data = unquoteInto(make([]byte, 0, len(body)), body, false)
		return []inspect.Child{c}, nil
	}
	body = bytes.TrimRight(body, "=\r\n ")
	enc := base64.RawStdEncoding
	if bytes.ContainsAny(body, "-_") {
		enc = base64.RawURLEncoding
	}
	out := make([]byte, enc.DecodedLen(len(body)))
	n, err := enc.Decode(out, body)
	if err != nil {
		err = broken("data", errEnd)
	}
	if n == 0 {
		return nil, err
	}
	c.Data = out[:n]
	return []inspect.Child{c}, err
}
