package decode

import (
	"bytes"

	"constat/inspect"
)

// SockJS takes the array of messages out of a SockJS frame. What a client sends
// is such an array as it is.
var SockJS = inspect.Decoder{
	Name:   "sockjs",
	Doc:    "takes the array of messages out of a SockJS frame (sockjs.github.io/sockjs-protocol, section Protocol and framing)",
	Min:    5,
	First:  "a",
	Holds:  inspect.Brackets | inspect.Quotes,
	Decode: decodeSockJS,
}

func decodeSockJS(_ *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] != 'a' || d[1] != '[' || d[2] != '"' {
		return nil, nil
	}
	body := bytes.TrimRight(d[1:], "\r\n")
	s := scanners.Get().(*scanner)
	defer s.release()
	if s.reset(body, 0, len(body)); s.value() != nil || s.at != len(body) {
		return nil, nil
	}
	return []inspect.Child{{Media: "application/json", Data: body}}, nil
}
