package decode

import (
	"bytes"

	"constat/inspect"
)

// Percent undoes percent-encoding of a whole value, one layer at a time, and
// turns "+" into a space with it. Values with white space or of a structure that
// is taken apart before it is decoded (forms, URLs with a query, data: URIs, JSON, XML) are
// none of its business.
var Percent = inspect.Decoder{
	Name:   "percent",
	Doc:    "undoes percent-encoding (RFC 3986 section 2.1) of a value, and \"+\" for space with it",
	Min:    3,
	Holds:  inspect.Percents,
	Decode: decodePercent,
}

func decodePercent(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	at := bytes.IndexByte(d, '%')
	if at < 0 || d[0] == '{' || d[0] == '[' || d[0] == '"' || d[0] == '<' || !looksText(d[:min(len(d), 64)]) {
		return nil, nil
	}
	if p.Parent == nil && (p.Decoder() == "request.query" || p.Decoder() == "request.path") || isForm(p) || queryOf(d) != nil || bytes.HasPrefix(d, []byte("data:")) {
		return nil, nil
	}
	if bytes.ContainsAny(d, " \t\r\n") {
		return nil, nil
	}
	for i := at; i >= 0 && i < len(d); {
		if i+2 >= len(d) || class[d[i+1]]&hexa == 0 || class[d[i+2]]&hexa == 0 {
			return nil, nil
		}
		n := bytes.IndexByte(d[i+3:], '%')
		if n < 0 {
			break
		}
		i += 3 + n
	}
	if !w.Take(len(d)) {
		return nil, inspect.ErrBytes
	}
	return []inspect.Child{{Name: p.Name, Kind: inspect.Text, Data: unquoteInto(make([]byte, 0, len(d)), d, true)}}, nil
}
