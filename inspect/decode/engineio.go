package decode

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"constat/inspect"
)

// EngineIO takes the messages out of what Engine.IO sends: a packet in a frame,
// or several in the body of a poll, with RS between them (version 4) or with
// their lengths in front, as text or binary (version 3). Pings and other packets
// without content are left out. The argument is the number of the packet where
// there may be several.
var EngineIO = inspect.Decoder{
	Name:   "engineio",
	Doc:    "takes the messages out of Engine.IO packets and payloads (github.com/socketio/engine.io-protocol, revisions 3 and 4)",
	Min:    3,
	First:  "\x00\x01b" + digits10,
	Any:    inspect.Controls | inspect.Colons | inspect.Braces | inspect.Brackets,
	Decode: decodeEngineIO,
}

func decodeEngineIO(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	switch c := d[0]; {
	case c == '4' || c == '0':
		if c, ok := enginePacket(d); ok {
			return []inspect.Child{c}, nil
		}
		if children, ok := enginePayload4(w, d); ok {
			return children, nil
		}
		if c == '0' {
			return nil, nil
		}
	case c <= 1 || c == '2' || c == '3' || c == '6' || c == 'b':
	case class[c]&digit == 0:
		return nil, nil
	}
	for _, read := range []func(*inspect.Work, []byte) ([]inspect.Child, bool){enginePayload4, enginePayload3, engineBinary3} {
		if children, ok := read(w, d); ok {
			return children, nil
		}
	}
	return nil, nil
}

// enginePacket returns the content of a packet that is an opening handshake, or
// a message with a Socket.IO packet or JSON in it.
func enginePacket(d []byte) (c inspect.Child, ok bool) {
	if len(d) < 3 {
		return c, false
	}
	switch d[0] {
	case '0':
		if d[1] != '{' || !isContainer(d[1:]) {
			return c, false
		}
		return inspect.Child{Media: "application/json", Data: d[1:]}, true
	case '4':
		if _, _, ok := socketPacket(d[1:]); ok {
			return inspect.Child{Kind: inspect.Text, Data: d[1:]}, true
		}
		if (d[1] == '{' || d[1] == '[') && isContainer(d[1:]) {
			return inspect.Child{Media: "application/json", Data: d[1:]}, true
		}
	}
	return c, false
}

// isContainer says that d is one JSON object or array, by its brackets.
func isContainer(d []byte) bool {
	last := len(d) - 1
	for last > 0 && d[last] <= ' ' {
		last--
	}
	if last < 1 || d[0] != '{' && d[0] != '[' || d[last] != d[0]+2 {
		return false
	}
	s := scanners.Get().(*scanner)
	defer s.release()
	s.reset(d, 0, 0)
	return s.skip() == nil && s.at == last+1
}

// enginePayload4 reads packets with RS between them. Packets of no content must
// be well-formed, too.
func enginePayload4(w *inspect.Work, d []byte) (children []inspect.Child, ok bool) {
	if bytes.IndexByte(d, recordSeparator) < 0 {
		return nil, false
	}
	start, packets := 0, 0
	for i := 0; i <= len(d); i++ {
		if i < len(d) && d[i] != recordSeparator {
			continue
		}
		packet := d[start:i]
		start = i + 1
		if len(packet) == 0 || packet[0] != 'b' && (packet[0] < '0' || packet[0] > '6') {
			return nil, false
		}
		switch c, ok := enginePacket(packet); {
		case len(children) == w.Parts():
			return children, true
		case ok:
			c.Arg = strconv.Itoa(packets)
			children = append(children, c)
		case packet[0] == '4' || packet[0] == '0' && len(packet) > 1:
			return nil, false
		case packet[0] == 'b': // base64
			children = append(children, inspect.Child{Arg: strconv.Itoa(packets), Kind: inspect.Text, Data: packet[1:]})
		}
		packets++
	}
	return children, len(children) > 0
}

// enginePayload3 reads packets behind their lengths in UTF-16 units and a colon.
func enginePayload3(w *inspect.Work, d []byte) (children []inspect.Child, ok bool) {
	for n := 0; len(d) > 0; n++ {
		units, i := 0, 0
		for i < len(d) && i < 8 && class[d[i]]&digit != 0 {
			units = 10*units + int(d[i]-'0')
			i++
		}
		if i == 0 || i == len(d) || d[i] != ':' || units == 0 || units > len(d) {
			return nil, false
		}
		d = d[i+1:]
		end := 0
		for units > 0 && end < len(d) {
			r, size := utf8.DecodeRune(d[end:])
			end += size
			if units--; r > 0xffff {
				units--
			}
		}
		if units != 0 {
			return nil, false
		}
		if children, ok = addPacket3(w, children, d[:end], n); !ok {
			return nil, false
		}
		d = d[end:]
	}
	return children, len(children) > 0
}

// engineBinary3 reads packets behind 0 for text or 1, the digits of their
// lengths in bytes, and 255.
func engineBinary3(w *inspect.Work, d []byte) (children []inspect.Child, ok bool) {
	for n := 0; len(d) > 0; n++ {
		binary := d[0] == 1
		size, i := 0, 1
		for i < len(d) && i < 10 && d[i] <= 9 {
			size = 10*size + int(d[i])
			i++
		}
		if d[0] > 1 || i == 1 || i == len(d) || d[i] != 0xff || size == 0 || size > len(d)-i-1 {
			return nil, false
		}
		packet := d[i+1 : i+1+size]
		d = d[i+1+size:]
		if binary {
			if packet[0] > 6 || len(children) == w.Parts() {
				return nil, false
			}
			children = append(children, inspect.Child{Arg: strconv.Itoa(n), Data: packet[1:]})
			continue
		}
		if children, ok = addPacket3(w, children, packet, n); !ok {
			return nil, false
		}
	}
	return children, len(children) > 0
}

func addPacket3(w *inspect.Work, children []inspect.Child, packet []byte, n int) ([]inspect.Child, bool) {
	c, ok := enginePacket(packet)
	switch {
	case ok && len(children) < w.Parts():
		c.Arg = strconv.Itoa(n)
		children = append(children, c)
	case packet[0] < '0' || packet[0] > '6':
		return nil, false
	}
	return children, true
}
