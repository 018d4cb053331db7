package decode

import (
	"bytes"

	"constat/inspect"
)

// URL takes the query out of an absolute URL that stands in a string. The
// argument is the parameter's name; the fragment counts as a further query.
var URL = inspect.Decoder{
	Name:   "url",
	Doc:    "takes the query parameters out of an absolute URL (RFC 3986 section 4.3) that is a value of its own",
	Min:    12,
	Holds:  inspect.Colons | inspect.Slashes,
	Decode: decodeURL,
}

func decodeURL(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	after := queryOf(d)
	if after == nil {
		return nil, nil
	}
	query, fragment, _ := bytes.Cut(after, []byte("#"))
	if bytes.IndexByte(query, '=') < 0 {
		return nil, nil
	}
	if i := bytes.IndexByte(fragment, '?'); i >= 0 { // routes of single-page apps: #/page?a=b
		fragment = fragment[i+1:]
	}
	if !looksForm(fragment) {
		return fields(w, query, 0)
	}
	joined := append(append(make([]byte, 0, len(d)), query...), '&')
	if !w.Take(len(d)) {
		return nil, inspect.ErrBytes
	}
	return fields(w, append(joined, fragment...), 0)
}

// queryOf returns what follows the question mark of d if d is an absolute URL
// with a query, else nil.
func queryOf(d []byte) []byte {
	const longestScheme = 16
	if class[d[0]]&(lower|upper) == 0 {
		return nil
	}
	i := bytes.Index(d[:min(len(d), longestScheme)], []byte("://"))
	if i < 0 {
		return nil
	}
	q := bytes.IndexByte(d, '?')
	if q < 0 {
		return nil
	}
	for _, c := range d[:q] {
		if c <= ' ' {
			return nil // text that begins with a URL
		}
	}
	return d[q+1:]
}
