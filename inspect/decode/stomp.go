package decode

import (
	"bytes"
	"strconv"
	"strings"

	"constat/inspect"
)

// Stomp takes STOMP frames apart into headers and bodies. The argument is the
// number of the frame and a header's name or "body".
var Stomp = inspect.Decoder{
	Name:   "stomp",
	Doc:    "takes STOMP frames apart (stomp.github.io/stomp-specification-1.2.html)",
	Min:    6,
	First:  uppers,
	Holds:  inspect.Newlines,
	Decode: decodeStomp,
}

var stompCommands = map[string]bool{
	"CONNECT": true, "STOMP": true, "CONNECTED": true, "SEND": true, "SUBSCRIBE": true, "UNSUBSCRIBE": true, "ACK": true, "NACK": true,
	"BEGIN": true, "COMMIT": true, "ABORT": true, "DISCONNECT": true, "MESSAGE": true, "RECEIPT": true, "ERROR": true,
}

func decodeStomp(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	const longest = 12 // command
	if class[d[0]]&upper == 0 || bytes.IndexByte(d[:min(len(d), longest+2)], '\n') < 0 {
		return nil, nil
	}
	var children []inspect.Child
	for n := 0; len(d) > 0; n++ {
		line, rest, ok := bytes.Cut(d, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if !ok || len(line) > longest || !stompCommands[string(line)] {
			return nil, nil
		}
		frame := strconv.Itoa(n)
		var seen names
		length := -1
		body := inspect.Child{Arg: frame + ".body", Name: "body", Group: frame}
		for {
			line, d, ok = bytes.Cut(rest, []byte("\n"))
			rest = d
			line = bytes.TrimSuffix(line, []byte("\r"))
			if !ok {
				return nil, nil
			}
			if len(line) == 0 {
				break
			}
			key, value, ok := bytes.Cut(line, []byte(":"))
			if !ok || !looksText(key) || len(key) > 128 {
				return nil, nil
			}
			if len(children)+2 > w.Parts() {
				return children, inspect.ErrParts
			}
			name := string(key)
			switch strings.ToLower(name) {
			case "content-length":
				if v, err := strconv.ParseUint(string(value), 10, 31); err == nil {
					length = int(v)
				}
			case "content-type":
				body.ContentType = string(value)
			}
			children = append(children, inspect.Child{Arg: frame + "." + seen.unique(name), Name: name, Group: frame, Kind: inspect.Text, Data: value})
		}
		if length < 0 || length >= len(d) || d[length] != 0 {
			if length = bytes.IndexByte(d, 0); length < 0 {
				return nil, nil
			}
		}
		if length > 0 {
			body.Data = d[:length]
			children = append(children, body)
		}
		d = bytes.TrimLeft(d[length+1:], "\r\n")
	}
	children = unescapeStomp(w, children)
	numberRepeats(nil, children)
	return children, nil
}

// unescapeStomp undoes the escapes of version 1.2 in the values of headers.
func unescapeStomp(w *inspect.Work, children []inspect.Child) []inspect.Child {
	for i := range children {
		c := &children[i]
		if c.Kind != inspect.Text || bytes.IndexByte(c.Data, '\\') < 0 {
			continue
		}
		if !w.Take(len(c.Data)) {
			return children[:i]
		}
		out := make([]byte, 0, len(c.Data))
		for j := 0; j < len(c.Data); j++ {
			b := c.Data[j]
			if b == '\\' && j+1 < len(c.Data) {
				if at := strings.IndexByte(`nrc\`, c.Data[j+1]); at >= 0 {
					b = "\n\r:\\"[at]
					j++
				}
			}
			out = append(out, b)
		}
		c.Data = out
	}
	return children
}
