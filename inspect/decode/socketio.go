package decode

import (
	"bytes"

	"constat/inspect"
)

// SocketIO takes the JSON out of a Socket.IO packet: behind its type, the number
// of attachments, the namespace and the number to answer to. Name is the event.
// It looks into the messages of Engine.IO only.
var SocketIO = inspect.Decoder{
	Name:   "socketio",
	Doc:    "takes the JSON out of Socket.IO packets (github.com/socketio/socket.io-protocol)",
	Min:    3,
	First:  "0123456",
	Any:    inspect.Braces | inspect.Brackets,
	Decode: decodeSocketIO,
}

func decodeSocketIO(_ *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	if p.Decoder() != EngineIO.Name {
		return nil, nil
	}
	event, body, ok := socketPacket(p.Data)
	if !ok {
		return nil, nil
	}
	return []inspect.Child{{Name: event, Media: "application/json", Data: body}}, nil
}

// socketPacket returns the JSON of the packet d, and the name of its event if it
// has one.
func socketPacket(d []byte) (event string, body []byte, ok bool) {
	const longestNamespace, longestEvent = 128, 100
	if len(d) < 3 || d[0] < '0' || d[0] > '6' {
		return "", nil, false
	}
	kind := d[0]
	d = d[1:]
	if kind >= '5' { // binary: attachments
		n := digits(d)
		if n == 0 || n == len(d) || d[n] != '-' {
			return "", nil, false
		}
		d = d[n+1:]
	}
	if len(d) > 0 && d[0] == '/' {
		end := bytes.IndexByte(d[:min(len(d), longestNamespace)], ',')
		if end < 0 {
			return "", nil, false
		}
		d = d[end+1:]
	}
	d = d[digits(d):]
	if len(d) < 2 || d[0] != '[' && d[0] != '{' || !isContainer(d) {
		return "", nil, false
	}
	if d[0] == '[' && d[1] == '"' {
		if end := bytes.IndexByte(d[2:min(len(d), longestEvent)], '"'); end > 0 {
			event = string(d[2 : 2+end])
		}
	}
	return event, d, true
}

// digits returns how many digits d begins with, up to 10.
func digits(d []byte) int {
	n := 0
	for n < len(d) && n < 10 && class[d[n]]&digit != 0 {
		n++
	}
	return n
}
