package decode

import (
	"strconv"

	"constat/inspect"
)

// SignalR cuts the JSON messages of SignalR apart, each of which ends in RS. The
// argument is the number of the message.
var SignalR = inspect.Decoder{
	Name:   "signalr",
	Doc:    "cuts messages of the SignalR hub protocol in JSON apart (github.com/dotnet/aspnetcore, HubProtocol.md)",
	Min:    3,
	First:  "{",
	Decode: decodeSignalR,
}

func decodeSignalR(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] != '{' || d[len(d)-1] != recordSeparator {
		return nil, nil
	}
	s := scanners.Get().(*scanner)
	defer s.release()
	s.reset(d, 0, 0)
	var children []inspect.Child
	for s.at < len(d) {
		start := s.at
		if d[start] != '{' || s.skip() != nil || s.at == len(d) || d[s.at] != recordSeparator {
			return nil, nil
		}
		if len(children) == w.Parts() {
			return children, inspect.ErrParts
		}
		n := strconv.Itoa(len(children))
		children = append(children, inspect.Child{Arg: n, Group: n, Media: "application/json", Data: d[start:s.at:s.at]})
		s.at++
	}
	return children, nil
}
