package decode

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unicode/utf8"

	"constat/inspect"
)

// MQTT takes control packets apart that fill a WebSocket message or a body to
// the last byte. The argument is the number of the packet and the field; the
// fields of a packet are one record:
//
//	0.client_id   0.username   1.topic   1.payload
//
// The version of a connection is said in its first packet only. Properties,
// which came with version 5, are taken for such where they are well-formed ones.
var MQTT = inspect.Decoder{
	Name:   "mqtt",
	Doc:    "takes MQTT control packets apart (OASIS MQTT 3.1.1 and 5.0, sections 2 and 3) that come over WebSocket (section 6)",
	Min:    4,
	Sees:   inspect.Binary,
	Decode: decodeMQTT,
}

// Types of packets (section 2.1.2).
const (
	mqttConnect     = 1
	mqttPublish     = 3
	mqttSubscribe   = 8
	mqttUnsubscribe = 10
)

func decodeMQTT(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if p.Kind != inspect.Bytes || d[0] < 0x10 || d[0] >= 0xe0 || p.Parent != nil && p.Parent.Parent != nil {
		return nil, nil
	}
	// The whole of it must be packets before any of them is believed.
	for rest := d; len(rest) > 0; {
		var ok bool
		if _, _, rest, ok = mqttPacket(rest); !ok {
			return nil, nil
		}
	}
	m := mqtt{most: w.Parts()}
	for i := 0; len(d) > 0; i++ {
		head, body, next, _ := mqttPacket(d)
		d = next
		m.place = strconv.Itoa(i)
		m.b = body
		switch kind, flags := head>>4, head&15; kind {
		case mqttConnect:
			m.connect()
		case mqttPublish:
			m.publish(flags)
		case mqttSubscribe, mqttUnsubscribe:
			m.subscribe(kind == mqttSubscribe)
		default:
			continue
		}
		if m.broken {
			return nil, nil
		}
		if len(m.children) > m.most {
			return m.children[:m.most], inspect.ErrParts
		}
	}
	return m.children, nil
}

// mqttPacket cuts the packet off d that it begins with (section 2.1); ok is
// false if it begins with none.
func mqttPacket(d []byte) (head byte, body, rest []byte, ok bool) {
	head = d[0]
	switch kind, flags := head>>4, head&15; {
	case kind == 0 || kind == 15: // 15 is AUTH, of version 5, with flags 0
		return 0, nil, nil, false
	case kind == mqttPublish:
		if flags&6 == 6 { // a quality of service that there is not
			return 0, nil, nil, false
		}
	case kind == 6 || kind == mqttSubscribe || kind == mqttUnsubscribe:
		if flags != 2 {
			return 0, nil, nil, false
		}
	case flags != 0:
		return 0, nil, nil, false
	}
	n, size := mqttLength(d[1:])
	if size == 0 || n > len(d)-1-size {
		return 0, nil, nil, false
	}
	body = d[1+size : 1+size+n : 1+size+n]
	return head, body, d[1+size+n:], true
}

// mqttLength reads a variable byte integer (section 1.5.5); size is 0 if there
// is none.
func mqttLength(b []byte) (n, size int) {
	for i, c := range b[:min(len(b), 4)] {
		n |= int(c&0x7f) << (7 * i)
		if c < 0x80 {
			if i > 0 && c == 0 {
				return 0, 0
			}
			return n, i + 1
		}
	}
	return 0, 0
}

// mqtt reads the body of one packet.
type mqtt struct {
	b        []byte
	broken   bool
	place    string
	most     int
	children []inspect.Child
}

func (m *mqtt) add(name string, kind inspect.Kind, data []byte) {
	if len(m.children) <= m.most {
		m.children = append(m.children, inspect.Child{Arg: m.place + "." + name, Name: name, Group: m.place, Kind: kind, Data: data})
	}
}

// take returns the next n bytes.
func (m *mqtt) take(n int) []byte {
	if n > len(m.b) {
		m.broken = true
		return nil
	}
	b := m.b[:n:n]
	m.b = m.b[n:]
	return b
}

// bytes returns binary data with its length before it.
func (m *mqtt) bytes() []byte {
	size := m.take(2)
	if m.broken {
		return nil
	}
	return m.take(int(binary.BigEndian.Uint16(size)))
}

// text returns a string (section 1.5.4).
func (m *mqtt) text() []byte {
	b := m.bytes()
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		m.broken = true
	}
	return b
}

func (m *mqtt) connect() {
	name := m.text()
	version := m.take(2)
	if m.broken || !(string(name) == "MQTT" && (version[0] == 4 || version[0] == 5) || string(name) == "MQIsdp" && version[0] == 3) || version[1]&1 != 0 {
		m.broken = true
		return
	}
	flags := version[1]
	m.take(2) // keep alive
	if version[0] == 5 && !m.properties("") {
		m.broken = true
	}
	if id := m.text(); len(id) > 0 {
		m.add("client_id", inspect.Text, id)
	}
	if flags&4 != 0 {
		if version[0] == 5 && !m.properties("will.") {
			m.broken = true
		}
		m.add("will_topic", inspect.Text, m.text())
		m.add("will_payload", inspect.Bytes, m.bytes())
	}
	if flags&0x80 != 0 {
		m.add("username", inspect.Text, m.text())
	}
	if flags&0x40 != 0 {
		m.add("password", inspect.Bytes, m.bytes())
	}
	m.broken = m.broken || len(m.b) > 0
}

func (m *mqtt) publish(flags byte) {
	topic := m.text()
	if len(topic) > 0 && !looksText(topic) || bytes.ContainsAny(topic, "+#") {
		m.broken = true
	}
	if flags&6 != 0 && !m.broken {
		m.take(2)
	}
	if m.broken {
		return
	}
	if len(topic) > 0 {
		m.add("topic", inspect.Text, topic)
	}
	before := *m
	if !m.properties("") {
		*m = before
		if len(topic) == 0 { // an alias, which is a property
			m.broken = true
			return
		}
	}
	if len(m.b) > 0 {
		m.add("payload", inspect.Bytes, m.b)
	}
}

func (m *mqtt) subscribe(options bool) {
	m.take(2)
	before := *m
	for _, version := range []int{5, 4} {
		*m = before
		if version == 5 && !m.properties("") {
			continue
		}
		for i := 0; len(m.b) > 0 && !m.broken; i++ {
			topic := m.text()
			if len(topic) == 0 || !looksText(topic) {
				m.broken = true
				break
			}
			if options {
				if o := m.take(1); m.broken || o[0]&3 == 3 || o[0]&0xc0 != 0 {
					m.broken = true
				}
			}
			name := "topic"
			if i > 0 {
				name += "#" + strconv.Itoa(i)
			}
			m.add(name, inspect.Text, topic)
			m.children[len(m.children)-1].Name = "topic"
		}
		if !m.broken && len(m.children) > len(before.children) {
			return
		}
	}
	m.broken = true
}

// properties reads the properties of version 5 (section 2.2.2), and says no if
// what comes next are none.
func (m *mqtt) properties(prefix string) bool {
	n, size := mqttLength(m.b)
	if size == 0 || n > len(m.b)-size {
		return false
	}
	rest := m.b[size+n:]
	m.b = m.b[size : size+n]
	users := 0
	for len(m.b) > 0 && !m.broken {
		switch id := m.take(1)[0]; id {
		case 0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a:
			m.take(1)
		case 0x13, 0x21, 0x22, 0x23:
			m.take(2)
		case 0x02, 0x11, 0x18, 0x27:
			m.take(4)
		case 0x0b:
			if _, size := mqttLength(m.b); size == 0 {
				m.broken = true
			} else {
				m.take(size)
			}
		case 0x03, 0x08, 0x12, 0x15, 0x1a, 0x1c, 0x1f:
			m.text()
		case 0x09, 0x16:
			m.bytes()
		case 0x26: // what the sender made up
			key, value := m.text(), m.text()
			if m.broken {
				break
			}
			m.add(prefix+"user["+strconv.Itoa(users)+"]", inspect.Text, value)
			m.children[len(m.children)-1].Name = string(key[:min(len(key), jsonKey)])
			users++
		default:
			m.broken = true
		}
	}
	if m.broken {
		return false
	}
	m.b = rest
	return true
}
