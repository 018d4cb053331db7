package decode

import (
	"encoding/binary"
	"strconv"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"constat/inspect"
)

// PDU takes a text message apart as modems and phones pass it on: the number of
// the message centre, then an SMS-DELIVER or SMS-SUBMIT; the former also without
// that number. Its fields are one
// record: address, body (or data, when it is no text), date as RFC 3339,
// service_center, type (0 deliver, 1 submit), protocol, and for a message in
// several parts reference, part and parts.
//
// It accepts what is well-formed from the first bit to the last byte and nothing
// else. The national language tables known are Turkish, Spanish and Portuguese;
// in others a message is read with the default alphabet.
var PDU = inspect.Decoder{
	Name:   "pdu",
	Doc:    "takes SMS-DELIVER and SMS-SUBMIT (3GPP TS 23.040 section 9.2.2) with their alphabets (3GPP TS 23.038) apart",
	Min:    12,
	First:  pduFirst,
	Any:    inspect.Controls | inspect.Newlines,
	Decode: decodePDU,
}

// pduFirst are the bytes that a message can begin with: see readPDU.
var pduFirst = func() string {
	var first []byte
	for c := range 256 {
		if c <= 11 || c&pduOther == 0 {
			first = append(first, byte(c))
		}
	}
	return string(first)
}()

// pduOther are the bits of the first octet that an SMS-DELIVER has not.
const pduOther = 0x13

// longestPDU is the address of a message centre and the longest SMS-DELIVER.
const longestPDU = 12 + 1 + 12 + 1 + 1 + 7 + 1 + 140

func decodePDU(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	if len(p.Data) > longestPDU {
		return nil, nil
	}
	m, ok := readPDU(p.Data)
	if !ok {
		return nil, nil
	}
	children := make([]inspect.Child, 0, 9)
	add := func(name string, kind inspect.Kind, data string) {
		if data != "" {
			children = append(children, inspect.Child{Arg: name, Name: name, Kind: kind, Data: []byte(data)})
		}
	}
	if !w.Take(1024) { // more than what is made of the longest
		return nil, inspect.ErrBytes
	}
	add("service_center", inspect.Text, m.center)
	add("type", inspect.Number, strconv.Itoa(m.kind))
	add("address", inspect.Text, m.address)
	add("protocol", inspect.Number, strconv.Itoa(int(m.protocol)))
	add("date", inspect.Text, m.date)
	if m.parts > 0 {
		add("reference", inspect.Number, strconv.Itoa(m.reference))
		add("part", inspect.Number, strconv.Itoa(m.part))
		add("parts", inspect.Number, strconv.Itoa(m.parts))
	}
	if m.data != nil {
		add("data", inspect.Bytes, string(m.data))
	} else {
		add("body", inspect.Text, m.body)
	}
	return children, nil
}

// pdu is a message.
type pdu struct {
	center, address, date, body string
	data                        []byte // of a message that is no text
	kind                        int
	protocol                    byte
	reference, part, parts      int
}

// isPDU says that b is a whole message.
func isPDU(b []byte) bool {
	if len(b) < 12 || len(b) > longestPDU {
		return false
	}
	_, ok := readPDU(b)
	return ok
}

// readPDU reads a message behind the number of its message centre. That may be
// missing in front of an SMS-DELIVER, whose time stamp leaves little to chance.
func readPDU(b []byte) (m pdu, ok bool) {
	// The length of the number is in octets and counts the type of number.
	if n := int(b[0]); n != 1 && n <= 11 && n+1 < len(b) {
		if n == 0 {
			ok = true
		} else {
			m.center, ok = pduNumber(b[1:1+n], 2*(n-1))
		}
		if ok && m.read(b[1+n:]) {
			return m, true
		}
	}
	m = pdu{}
	return m, b[0]&pduOther == 0 && m.read(b)
}

// read reads a transport protocol data unit.
func (m *pdu) read(b []byte) (ok bool) {
	first := b[0]
	m.kind = int(first & 3)
	b = b[1:]
	switch m.kind {
	case 0: // SMS-DELIVER
		if first&0x10 != 0 {
			return false
		}
	case 1: // SMS-SUBMIT: the message reference
		if len(b) < 1 {
			return false
		}
		b = b[1:]
	default:
		return false
	}
	// The address of the other side, whose length is in semi-octets.
	if len(b) < 2 {
		return false
	}
	n := int(b[0])
	size := (n + 1) / 2
	if n < 1 || n > 20 || len(b) < 2+size+2 {
		return false
	}
	if m.address, ok = pduNumber(b[1:2+size], n); !ok {
		return false
	}
	b = b[2+size:]
	m.protocol = b[0]
	coding := b[1]
	b = b[2:]
	if p := m.protocol; p > 0 && p < 0x20 || p > 0x48 && p < 0x7c || p > 0x7f {
		return false
	}
	switch validity := first >> 3 & 3; {
	case m.kind == 0 || validity == 3:
		if len(b) < 7 {
			return false
		}
		date, ok := pduTime(b[:7])
		if !ok {
			return false
		}
		if m.kind == 0 {
			m.date = date
		}
		b = b[7:]
	case validity == 2:
		if len(b) < 1 {
			return false
		}
		b = b[1:]
	case validity == 1:
		if len(b) < 7 {
			return false
		}
		b = b[7:]
	}
	if len(b) < 2 {
		return false
	}
	return m.user(coding, first&0x40 != 0, int(b[0]), b[1:])
}

// pduNumber reads an address (TS 23.040 section 9.1.2.5): the type of number,
// then n semi-octets.
func pduNumber(b []byte, n int) (string, bool) {
	ton, plan := b[0]>>4&7, b[0]&0xf
	if b[0]&0x80 == 0 {
		return "", false
	}
	b = b[1:]
	if ton == 5 { // letters
		text, ok := septets(b, n*4/7, 0, 0, 0)
		if plan > 1 || !ok || !looksText([]byte(text)) || len(text) < 2 {
			return "", false
		}
		return text, true
	}
	if ton > 6 || plan != 0 && plan != 1 && plan != 8 && plan != 9 || n < 3 {
		return "", false
	}
	out := make([]byte, 0, n+1)
	if ton == 1 {
		out = append(out, '+')
	}
	for i := range 2 * len(b) {
		c := b[i/2]
		if i&1 != 0 {
			c >>= 4
		}
		switch c &= 0xf; {
		case c <= 9 && i < n:
			out = append(out, '0'+c)
		case c == 0xa && i < n && ton != 1:
			out = append(out, '*')
		case c == 0xb && i < n && ton != 1:
			out = append(out, '#')
		case c == 0xf && i == 2*len(b)-1: // filler
		default:
			return "", false
		}
	}
	const least = 3
	return string(out), len(out) >= least
}

// pduTime reads a time stamp (TS 23.040 section 9.2.3.11).
func pduTime(b []byte) (string, bool) {
	var v [7]int
	for i, c := range b {
		low, high := int(c&0xf), int(c>>4)
		if i == 6 {
			low &= 7 // bit 3 is the sign
		}
		if low > 9 || high > 9 {
			return "", false
		}
		v[i] = 10*low + high
	}
	zone := v[6]
	const quarters = 4 * 14
	if v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 || v[3] > 23 || v[4] > 59 || v[5] > 59 || zone > quarters {
		return "", false
	}
	if b[6]&8 != 0 {
		zone = -zone
	}
	year := 2000 + v[0]
	if v[0] >= 90 {
		year -= 100
	}
	t := time.Date(year, time.Month(v[1]), v[2], v[3], v[4], v[5], 0, time.FixedZone("", zone*15*60))
	if t.Day() != v[2] {
		return "", false
	}
	return t.Format(time.RFC3339), true
}

// user reads the user data b: length is in septets for the 7-bit alphabet and
// else in octets.
func (m *pdu) user(coding byte, header bool, length int, b []byte) bool {
	alphabet, ok := pduAlphabet(coding)
	if !ok || length == 0 {
		return false
	}
	octets := length
	if alphabet == 0 {
		octets = (length*7 + 7) / 8
	}
	if octets > 140 || octets != len(b) {
		return false
	}
	skip := 0
	var locking, single byte
	if header {
		skip = 1 + int(b[0])
		if skip > len(b) || !m.elements(b[1:skip], &locking, &single) {
			return false
		}
	}
	switch alphabet {
	case 0:
		gone := (skip*8 + 6) / 7
		if gone > length {
			return false
		}
		if spare := len(b)*8 - length*7; spare < 7 && b[len(b)-1]>>(8-spare) != 0 {
			return false
		}
		m.body, ok = septets(b, length, gone, locking, single)
		return ok
	case 1:
		m.data = b[skip:]
		return len(m.data) > 0
	}
	text := b[skip:]
	if len(text)%2 != 0 {
		return false
	}
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(text[2*i:])
	}
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			r = utf8.RuneError
			if i+1 < len(units) {
				r = utf16.DecodeRune(rune(units[i]), rune(units[i+1]))
			}
			if r != utf8.RuneError {
				i++
			} else if m.parts < 2 { // else the other half may be in another part
				return false
			}
		}
		if !unicode.IsGraphic(r) && !unicode.In(r, unicode.Cf, unicode.Co) && r != '\n' && r != '\r' && r != '\t' && r != utf8.RuneError {
			return false
		}
		m.body += string(r)
	}
	return true
}

// pduAlphabet returns 0 for 7-bit text, 1 for data, 2 for UCS-2 (TS 23.038
// section 4).
func pduAlphabet(coding byte) (alphabet byte, ok bool) {
	switch group := coding >> 4; {
	case group <= 3: // general
		return coding >> 2 & 3, coding>>2&3 != 3
	case group == 0xc, group == 0xd:
		return 0, coding&4 == 0
	case group == 0xe:
		return 2, coding&4 == 0
	case group == 0xf:
		return coding >> 2 & 1, coding&8 == 0
	}
	return 0, false
}

// elements reads the information elements of a user data header (TS 23.040
// section 9.2.3.24).
func (m *pdu) elements(b []byte, locking, single *byte) bool {
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return false
		}
		id, v := b[0], b[2:2+int(b[1])]
		b = b[2+len(v):]
		switch {
		case id == 0 && len(v) == 3:
			m.reference, m.parts, m.part = int(v[0]), int(v[1]), int(v[2])
		case id == 8 && len(v) == 4:
			m.reference, m.parts, m.part = int(binary.BigEndian.Uint16(v)), int(v[2]), int(v[3])
		case id == 0x24 && len(v) == 1:
			*single = v[0]
		case id == 0x25 && len(v) == 1:
			*locking = v[0]
		case id == 0, id == 8, id == 0x24, id == 0x25:
			return false
		}
		if m.parts > 0 && (m.part < 1 || m.part > m.parts) {
			return false
		}
	}
	return true
}

const gsmEscape = 0x1b

// gsmDefault is the default alphabet (TS 23.038 section 6.2.1), gsmExtension
// what an escape makes of it (section 6.2.1.1).
var (
	gsmDefault = []rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
	gsmExtension = map[byte]rune{0x0a: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2f: '\\', 0x3c: '[', 0x3d: '~', 0x3e: ']', 0x40: '|', 0x65: '€'}

	// gsmLocking and gsmSingle are what the tables of a language have instead, by
	// the number of the language (section 6.2.1.2.4, tables in annex A).
	gsmLocking = map[byte]map[byte]rune{
		1: {0x04: '€', 0x07: 'ı', 0x0b: 'Ğ', 0x0c: 'ğ', 0x1c: 'Ş', 0x1d: 'ş', 0x40: 'İ', 0x60: 'ç'},
		3: {
			0x04: 'ê', 0x06: 'ú', 0x07: 'í', 0x08: 'ó', 0x09: 'ç', 0x0b: 'Ô', 0x0c: 'ô', 0x0e: 'Á', 0x0f: 'á', 0x12: 'ª', 0x13: 'Ç',
			0x14: 'À', 0x15: '∞', 0x16: '^', 0x17: '\\', 0x18: '€', 0x19: 'Ó', 0x1a: '|', 0x1c: 'Â', 0x1d: 'â', 0x1e: 'Ê', 0x24: 'º',
			0x40: 'Í', 0x5b: 'Ã', 0x5c: 'Õ', 0x5d: 'Ú', 0x60: '~', 0x7b: 'ã', 0x7c: 'õ', 0x7d: '`',
		},
	}
	gsmSingle = map[byte]map[byte]rune{
		1: {0x47: 'Ğ', 0x49: 'İ', 0x53: 'Ş', 0x63: 'ç', 0x67: 'ğ', 0x69: 'ı', 0x73: 'ş'},
		2: {0x09: 'ç', 0x41: 'Á', 0x49: 'Í', 0x4f: 'Ó', 0x55: 'Ú', 0x61: 'á', 0x69: 'í', 0x6f: 'ó', 0x75: 'ú'},
		3: {
			0x05: 'ê', 0x09: 'ç', 0x0b: 'Ô', 0x0c: 'ô', 0x0e: 'Á', 0x0f: 'á', 0x12: 'Φ', 0x13: 'Γ', 0x15: 'Ω', 0x16: 'Π', 0x17: 'Ψ',
			0x18: 'Σ', 0x19: 'Θ', 0x1f: 'Ê', 0x41: 'À', 0x49: 'Í', 0x4f: 'Ó', 0x55: 'Ú', 0x5b: 'Ã', 0x5c: 'Õ', 0x61: 'Â', 0x69: 'í',
			0x6f: 'ó', 0x75: 'ú', 0x7b: 'ã', 0x7c: 'õ', 0x7f: 'â',
		},
	}
)

// septets unpacks the characters from skip to n of 7 bits each from b.
func septets(b []byte, n, skip int, locking, single byte) (string, bool) {
	if n*7 > len(b)*8 {
		return "", false
	}
	out := make([]byte, 0, 2*n)
	escaped := false
	for i := skip; i < n; i++ {
		bit := i * 7
		v := uint(b[bit/8]) >> (bit % 8)
		if bit%8 > 1 && bit/8+1 < len(b) {
			v |= uint(b[bit/8+1]) << (8 - bit%8)
		}
		c := byte(v & 0x7f)
		switch {
		case escaped:
			escaped = false
			r, ok := gsmSingle[single][c]
			if !ok {
				if r, ok = gsmExtension[c]; !ok {
					r = gsmDefault[c] // as TS 23.038 section 6.2.1.1 wants
				}
			}
			out = utf8.AppendRune(out, r)
		case c == gsmEscape:
			escaped = true
		default:
			r, ok := gsmLocking[locking][c]
			if !ok {
				r = gsmDefault[c]
			}
			out = utf8.AppendRune(out, r)
		}
	}
	return string(out), true
}
