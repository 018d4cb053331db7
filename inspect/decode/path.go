package decode

import (
	"bytes"
	"strconv"

	"constat/inspect"
)

// PathSegments takes the segments out of a request path that may hold more than
// a word: the longer ones, and those with escapes. The argument is the number of the segment, from 0.
var PathSegments = inspect.Decoder{
	Name:   "path",
	Doc:    "takes the longer segments out of the path of a request (RFC 3986 section 3.3), percent-decoded",
	Min:    4,
	Sees:   inspect.Roots,
	Decode: decodePath,
}

func decodePath(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	if p.Parent != nil || p.Decoder() != "request.path" {
		return nil, nil
	}
	const least = 8 // what fewer characters hold shows in the whole path as it is
	var children []inspect.Child
	for i, rest := 0, bytes.TrimPrefix(p.Data, []byte("/")); len(rest) > 0; i++ {
		var segment []byte
		segment, rest, _ = bytes.Cut(rest, []byte("/"))
		escaped := bytes.IndexByte(segment, '%') >= 0
		if len(segment) < least && !escaped {
			continue
		}
		if len(children) == w.Parts() {
			return children, inspect.ErrParts
		}
		if escaped {
			if !w.Take(len(segment)) {
				return children, inspect.ErrBytes
			}
			segment = unquoteInto(make([]byte, 0, len(segment)), segment, false)
		}
		children = append(children, inspect.Child{Arg: strconv.Itoa(i), Kind: inspect.Text, Data: segment})
	}
	return children, nil
}
