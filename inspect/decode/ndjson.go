package decode

import (
	"bytes"
	"strconv"

	"constat/inspect"
)

// NDJSON cuts a series of JSON objects into its objects, one a line or simply
// one after another. What follows the last one and is not JSON becomes the part
// "rest".
var NDJSON = inspect.Decoder{
	Name:   "ndjson",
	Doc:    "cuts newline-delimited (github.com/ndjson/ndjson-spec), RS-delimited (RFC 7464) or concatenated JSON objects apart",
	Min:    5,
	First:  "{\x1e",
	Decode: decodeNDJSON,
}

const recordSeparator = 0x1e

func decodeNDJSON(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] != '{' && d[0] != recordSeparator {
		return nil, nil
	}
	if d[len(d)-1] == recordSeparator && d[0] == '{' || isEnvelope(d) {
		return nil, nil // the business of SignalR and Envelope
	}
	if bytes.IndexByte(d, '\n') < 0 && !bytes.Contains(d, []byte("}{")) {
		return nil, nil
	}
	s := scanners.Get().(*scanner)
	defer s.release()
	s.reset(d, 0, w.Parts())
	var children []inspect.Child
	for {
		for s.at < len(d) && (d[s.at] <= ' ' || d[s.at] == ',') {
			s.at++
		}
		if s.at == len(d) {
			break
		}
		if len(children) == w.Parts() {
			return children, inspect.ErrParts
		}
		start := s.at
		if d[start] != '{' || s.skip() != nil {
			children = append(children, inspect.Child{Arg: "rest", Data: d[start:]})
			break
		}
		if len(children) == 0 && skipSpace(d, s.at) == len(d) {
			return nil, nil // one object, which is the business of JSON
		}
		n := strconv.Itoa(len(children))
		children = append(children, inspect.Child{Arg: n, Group: n, Media: "application/json", Data: d[start:s.at:s.at]})
	}
	if len(children) < 2 || children[1].Arg == "rest" {
		return nil, nil
	}
	// They were told apart by their brackets: see whether that was JSON at all.
	if s.reset(children[0].Data, 0, w.Parts()); s.value() != nil {
		return nil, nil
	}
	return children, nil
}
