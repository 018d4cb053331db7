package decode

import (
	"bytes"
	"strconv"
	"strings"

	"constat/inspect"
)

// MMS takes multimedia messages apart, as a phone sends them to the operator's
// centre and gets them from there. The fields of the head are one record with
// the text of the message, which is "body"; they have the names of the columns in
// which Android keeps them (android.provider.Telephony.Mms), and "address" is
// whom the message goes to, of one that comes whom it is from. The argument is
// the field, or part[0] and so on for what is in the message:
//
//	to   subject   date   part[1]
var MMS = inspect.Decoder{
	Name:   "mms",
	Doc:    "takes multimedia messages apart (OMA-TS-MMS_ENC-V1_3 sections 6 and 7, WAP-230-WSP section 8)",
	Min:    8,
	First:  "\x8c",
	Sees:   inspect.Binary,
	Decode: decodeMMS,
}

// Codes of the fields of a head (OMA-TS-MMS_ENC section 7.4), with the first bit
// that they have on the wire.
const (
	mmsBcc         = 0x81
	mmsCc          = 0x82
	mmsLocation    = 0x83
	mmsContentType = 0x84
	mmsDate        = 0x85
	mmsDelivery    = 0x87
	mmsExpiry      = 0x88
	mmsFrom        = 0x89
	mmsClass       = 0x8a
	mmsMessageID   = 0x8b
	mmsType        = 0x8c
	mmsSize        = 0x8e
	mmsStatusText  = 0x93
	mmsSubject     = 0x96
	mmsTo          = 0x97
	mmsTransaction = 0x98
)

// Types of messages that hold one.
const (
	mmsSend     = 128 // m-send-req
	mmsNotify   = 130 // m-notification-ind
	mmsRetrieve = 132 // m-retrieve-conf
)

func decodeMMS(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] != mmsType || d[1] < mmsSend || d[1] > 151 || p.Kind != inspect.Bytes {
		return nil, nil
	}
	m := mms{d: d[2:]}
	kind := d[1]
	var children []inspect.Child
	var seen names
	add := func(arg, name string, kind inspect.Kind, data []byte) {
		if len(data) > 0 && len(children) < w.Parts() {
			children = append(children, inspect.Child{Arg: seen.unique(arg), Name: name, Kind: kind, Data: data})
		}
	}
	peer := func(field byte) string { // the name of an address
		if kind == mmsSend == (field == mmsTo) {
			return "address"
		}
		if field == mmsTo {
			return "to"
		}
		return "from"
	}
	if text := strconv.AppendUint(nil, uint64(kind), 10); w.Take(len(text)) {
		add("type", "m_type", inspect.Number, text)
	}
	content := ""
	for len(m.d) > 0 && content == "" && !m.broken {
		before := m.d
		switch field := m.byte(); field {
		case mmsTo:
			add("to", peer(field), inspect.Text, address(m.encoded()))
		case mmsCc:
			add("cc", "cc", inspect.Text, address(m.encoded()))
		case mmsBcc:
			add("bcc", "bcc", inspect.Text, address(m.encoded()))
		case mmsFrom:
			if v := m.span(); len(v.d) > 0 && v.byte() == 0x80 { // else the centre fills it in
				add("from", peer(field), inspect.Text, address(v.encoded()))
			}
		case mmsSubject:
			add("subject", "sub", inspect.Text, m.encoded())
		case mmsDate:
			if text := strconv.AppendUint(nil, m.long(), 10); w.Take(len(text)) {
				add("date", "date", inspect.Number, text)
			}
		case mmsMessageID:
			add("message_id", "m_id", inspect.Text, m.text())
		case mmsTransaction:
			add("transaction_id", "tr_id", inspect.Text, m.text())
		case mmsLocation:
			add("content_location", "ct_l", inspect.Text, m.text())
		case mmsStatusText:
			add("status_text", "status_text", inspect.Text, m.encoded())
		case mmsDelivery, mmsExpiry:
			m.span()
		case mmsSize:
			m.long()
		case mmsClass:
			if len(m.d) > 0 && m.d[0] < 0x80 {
				m.text()
			} else {
				m.byte()
			}
		case mmsContentType:
			content = m.contentType()
		default:
			switch {
			case field < 0x80: // a field by name
				m.d = before
				m.text()
				m.text()
			case len(m.d) > 0 && m.d[0] >= 0x80: // one byte
				m.byte()
			case len(m.d) > 0 && m.d[0] < 0x20:
				m.span()
			default:
				m.text()
			}
		}
	}
	if m.broken || len(children) < 2 {
		return nil, nil
	}
	if content == "" || kind == mmsNotify {
		return children, nil
	}
	if !strings.Contains(content, "multipart") {
		children = append(children, inspect.Child{Arg: seen.unique("part[0]"), Name: "body", ContentType: content, Data: m.d})
		return children, nil
	}
	m.uintvar() // number of parts, which the parts themselves show
	for i := 0; len(m.d) > 0; i++ {
		head, size := m.uintvar(), m.uintvar()
		if m.broken || head > len(m.d) {
			return children, broken("mms", errEnd)
		}
		h := mms{d: m.d[:head]}
		m.d = m.d[head:]
		cut := size > len(m.d)
		data := m.d[:min(size, len(m.d)):min(size, len(m.d))]
		m.d = m.d[len(data):]
		media := h.contentType()
		name := h.name
		for len(h.d) > 0 && !h.broken {
			switch h.byte() {
			case 0x8e: // Content-Location
				name = h.text()
			case 0xc0: // Content-ID
				h.text()
			default:
				h.d = nil
			}
		}
		if len(children) >= w.Parts() {
			return children, inspect.ErrParts
		}
		c := inspect.Child{Arg: seen.unique("part[" + strconv.Itoa(i) + "]"), Name: string(name), ContentType: media, Data: data}
		switch {
		case strings.HasPrefix(media, "text/plain"):
			c.Name = "body"
		case strings.HasPrefix(media, "application/smil"):
			c.Group = "smil"
		}
		children = append(children, c)
		if cut {
			return children, broken("mms", errEnd)
		}
	}
	return children, nil
}

// address cuts the type off an address: "+33612345678/TYPE=PLMN".
func address(b []byte) []byte {
	b, _, _ = bytes.Cut(b, []byte("/TYPE="))
	return b
}

// mms reads values of WSP.
type mms struct {
	d      []byte
	broken bool
	name   []byte // that a content type gave
}

func (m *mms) byte() byte {
	if len(m.d) == 0 {
		m.broken = true
		return 0
	}
	c := m.d[0]
	m.d = m.d[1:]
	return c
}

// text reads a string up to the zero that ends it; a quote before it is there
// when it begins with a byte of 128 or more.
func (m *mms) text() []byte {
	b, rest, ok := bytes.Cut(m.d, []byte{0})
	if !ok {
		m.broken, m.d = true, nil
		return nil
	}
	m.d = rest
	if len(b) > 0 && (b[0] == 0x7f || b[0] == '"') {
		b = b[1:]
	}
	return b
}

// uintvar reads a number of up to 32 bits, 7 in each byte.
func (m *mms) uintvar() int {
	n := 0
	for range 5 {
		c := m.byte()
		if n = n<<7 | int(c&0x7f); c < 0x80 {
			return n
		}
	}
	m.broken = true
	return 0
}

// span reads a length and returns what it is the length of.
func (m *mms) span() mms {
	n := int(m.byte())
	if n == 31 {
		n = m.uintvar()
	}
	if m.broken || n > len(m.d) || n > 1<<20 {
		m.broken, m.d = true, nil
		return mms{broken: true}
	}
	v := mms{d: m.d[:n:n]}
	m.d = m.d[n:]
	return v
}

// long reads a number in as many bytes as the first one says, or a short one in
// one byte.
func (m *mms) long() uint64 {
	n := m.byte()
	if n >= 0x80 {
		return uint64(n & 0x7f)
	}
	if n > 8 {
		m.broken = true
	}
	var v uint64
	for range min(n, 8) {
		v = v<<8 | uint64(m.byte())
	}
	return v
}

// encoded reads a string that may have its character set before it.
func (m *mms) encoded() []byte {
	if len(m.d) > 0 && m.d[0] > 31 {
		return m.text()
	}
	v := m.span()
	v.long()
	if len(v.d) > 0 && v.d[len(v.d)-1] != 0 { // some leave the zero out
		return v.d
	}
	b := v.text()
	m.broken = m.broken || v.broken
	return b
}

// wspMedia are the well-known content types that messages have (WINA, WSP
// content type codes).
var wspMedia = map[uint64]string{
	0x02: "text/html", 0x03: "text/plain", 0x06: "text/x-vcalendar", 0x07: "text/x-vcard",
	0x0b: "multipart/mixed", 0x0c: "multipart/form-data", 0x0e: "multipart/alternative",
	0x1d: "image/gif", 0x1e: "image/jpeg", 0x1f: "image/tiff", 0x20: "image/png", 0x21: "image/vnd.wap.wbmp",
	0x23: "application/vnd.wap.multipart.mixed", 0x26: "application/vnd.wap.multipart.alternative",
	0x27: "application/xml", 0x33: "application/vnd.wap.multipart.related",
}

// charsets are the MIBenums of the character sets that phones write.
var charsets = map[uint64]string{3: "us-ascii", 4: "iso-8859-1", 17: "shift_jis", 106: "utf-8", 113: "gbk", 114: "gb18030", 1000: "utf-16be", 1013: "utf-16be", 1014: "utf-16le", 1015: "utf-16", 2025: "gb2312", 2026: "big5"}

// contentType reads a content type with its parameters.
func (m *mms) contentType() string {
	if len(m.d) == 0 {
		m.broken = true
		return ""
	}
	if c := m.d[0]; c > 31 { // without parameters
		return m.media()
	}
	v := m.span()
	media := v.media()
	for len(v.d) > 0 && !v.broken {
		switch v.byte() {
		case 0x81: // charset
			if name := charsets[v.long()]; name != "" {
				media += "; charset=" + name
			}
		case 0x85, 0x97, 0x86, 0x98: // name, file name
			m.name = v.text()
		case 0x89: // type of the multipart
			v.media()
		case 0x8a, 0x99: // start
			v.text()
		default:
			v.d = nil
		}
	}
	m.broken = m.broken || v.broken
	return media
}

func (m *mms) media() string {
	if len(m.d) > 0 && m.d[0] >= 0x80 {
		if media := wspMedia[uint64(m.byte()&0x7f)]; media != "" {
			return media
		}
		return "application/octet-stream"
	}
	return string(m.text())
}
