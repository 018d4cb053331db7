package decode

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"

	"constat/inspect"
)

// VObject takes vCards, calendars, notes and messages of that form apart. The
// argument is the place of the component and the name of the property, in upper
// case:
//
//	VCARD[0].TEL   VCARD[0].TEL#1   VCALENDAR[0].VEVENT[1].SUMMARY
//
// Name is the property's name without the group in front of it and Group the
// place of the component. Lines are unfolded; quoted-printable, base64, escapes
// and the charset parameter are undone. A value with several components keeps
// the semicolons between them. A vMessage is one record with the vCards of its
// sender and recipient. Lines
// that belong to no property of a vMessage, which are its text, are the property
// TEXT.
var VObject = inspect.Decoder{
	Name:   "vobject",
	Doc:    "takes vCard (RFC 6350, RFC 2426, vCard 2.1), iCalendar (RFC 5545), vNote and vMessage (Infrared Mobile Communications) apart",
	Min:    16,
	First:  blanks + "Bb\xef",
	Holds:  inspect.Colons,
	Decode: decodeVObject,
}

func decodeVObject(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := bytes.TrimPrefix(p.Data, []byte("\xef\xbb\xbf"))
	for len(d) > 0 && d[0] <= ' ' {
		d = d[1:]
	}
	if len(d) < 12 || d[0]|0x20 != 'b' || !bytes.EqualFold(d[:7], []byte("BEGIN:V")) {
		return nil, nil
	}
	v := vobject{w: w, d: d}
	err := v.read()
	if !v.whole && len(v.children) < 2 {
		return nil, nil
	}
	v.slots = numberRepeats(nil, v.children)
	return v.children, err
}

// vobject reads components line by line.
type vobject struct {
	w        *inspect.Work
	d        []byte
	stack    []vlevel
	children []inspect.Child
	counts   map[string]int // components at the top, by name
	whole    bool           // one has ended
	slots    []int32
}

type vlevel struct {
	name, place string
	group       string
	counts      map[string]int
	text        int // index of the child TEXT and 1; 0: none
}

const vobjectDepth = 16

func (v *vobject) read() error {
	v.counts = make(map[string]int)
	for len(v.d) > 0 {
		line, folded := v.line()
		if len(line) == 0 {
			continue
		}
		name, params, value, ok := splitProperty(line)
		if !ok || !inLetters(name) || v.inText(name) {
			if err := v.free(line); err != nil {
				return err
			}
			continue
		}
		if folded {
			if !v.w.Take(len(line)) {
				return inspect.ErrBytes
			}
			value = unfold(value)
		}
		prop := strings.ToUpper(string(name))
		switch prop {
		case "BEGIN":
			if err := v.begin(strings.ToUpper(string(bytes.TrimSpace(value)))); err != nil {
				return err
			}
			continue
		case "END":
			if n := len(v.stack); n > 0 && strings.EqualFold(v.stack[n-1].name, string(bytes.TrimSpace(value))) {
				v.stack = v.stack[:n-1]
				v.whole = true
				continue
			}
			return broken("vobject", errXML)
		}
		if len(v.stack) == 0 {
			return broken("vobject", errTrailing)
		}
		if err := v.property(prop, params, value); err != nil {
			return err
		}
	}
	if len(v.stack) > 0 {
		return broken("vobject", errEnd)
	}
	return nil
}

// line takes the next line off v.d, with the lines that are folded into it or,
// in quoted-printable, joined to it, as they stand in the input.
func (v *vobject) line() (line []byte, folded bool) {
	const head = 256 // where the parameters are
	quoted := false
	end := 0
	for first := true; ; first = false {
		n := bytes.IndexByte(v.d[end:], '\n')
		if n < 0 {
			n = len(v.d) - end
		}
		piece := v.d[end : end+n]
		end = min(end+n+1, len(v.d))
		if first {
			before, _, _ := bytes.Cut(piece[:min(len(piece), head)], []byte(":"))
			quoted = containsFold(before, "quoted-printable")
		}
		soft := quoted && bytes.HasSuffix(bytes.TrimRight(piece, "\r"), []byte("="))
		fold := !quoted && end < len(v.d) && (v.d[end] == ' ' || v.d[end] == '\t')
		if end >= len(v.d) || !soft && !fold {
			break
		}
		folded = folded || fold
	}
	line = bytes.TrimRight(v.d[:end], "\r\n")
	v.d = v.d[end:]
	return line, folded
}

func containsFold(b []byte, word string) bool {
	for i := 0; i+len(word) <= len(b); i++ {
		if b[i]|0x20 == word[0] && strings.EqualFold(string(b[i:i+len(word)]), word) {
			return true
		}
	}
	return false
}

// unfold removes line breaks with the white space behind them.
func unfold(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
			continue
		}
		if b[i] == '\n' {
			i++
			continue
		}
		out = append(out, b[i])
	}
	return out
}

// splitProperty cuts a content line (RFC 6350 section 3.3) at the first colon
// outside of quotes, and its head at the first semicolon.
func splitProperty(line []byte) (name, params, value []byte, ok bool) {
	quotes := false
	for i, c := range line {
		switch {
		case c == '"':
			quotes = !quotes
		case c == ':' && !quotes:
			name, params, _ = bytes.Cut(line[:i], []byte(";"))
			if dot := bytes.LastIndexByte(name, '.'); dot >= 0 {
				name = name[dot+1:]
			}
			return name, params, line[i+1:], true
		case c == '\n' && !quotes && i == 0:
			return nil, nil, nil, false
		}
	}
	return nil, nil, nil, false
}

func inLetters(name []byte) bool {
	for _, c := range name {
		if class[c]&(upper|lower|digit) == 0 && c != '-' && c != '_' {
			return false
		}
	}
	const longest = 64
	return len(name) > 0 && len(name) <= longest
}

func (v *vobject) begin(name string) error {
	if len(v.stack) == vobjectDepth {
		return inspect.ErrDepth
	}
	if !inLetters([]byte(name)) {
		return broken("vobject", errXML)
	}
	counts, place := v.counts, ""
	if n := len(v.stack); n > 0 {
		if v.stack[n-1].counts == nil {
			v.stack[n-1].counts = make(map[string]int)
		}
		counts, place = v.stack[n-1].counts, v.stack[n-1].place+"."
	}
	place += name + "[" + strconv.Itoa(counts[name]) + "]"
	counts[name]++
	l := vlevel{name: name, place: place, group: place}
	if n := len(v.stack); n > 0 && v.stack[0].name == "VMSG" {
		l.group = v.stack[0].group
	}
	v.stack = append(v.stack, l)
	return nil
}

// property adds one property with the encodings that its parameters name undone.
func (v *vobject) property(name string, params, value []byte) error {
	if len(v.children) == v.w.Parts() {
		return inspect.ErrParts
	}
	top := &v.stack[len(v.stack)-1]
	c := inspect.Child{Arg: top.place + "." + name, Name: name, Group: top.group, Kind: inspect.Text, Data: value}
	coding, charset, media := readParams(params)
	if len(value) > 0 && (coding != "" || bytes.IndexByte(value, '\\') >= 0) && !v.w.Take(2*len(value)) {
		return inspect.ErrBytes
	}
	switch coding {
	case "quoted-printable":
		c.Data = unquotePrintable(value)
	case "base64", "b":
		packed := make([]byte, 0, len(value))
		for _, c := range value {
			if class[c]&b64 != 0 {
				packed = append(packed, c)
			}
		}
		out := make([]byte, base64.RawStdEncoding.DecodedLen(len(packed)))
		n, _ := base64.RawStdEncoding.Decode(out, packed) // of what is cut off, the beginning
		if n > 0 {
			c.Data, c.Kind, c.ContentType = out[:n], inspect.Bytes, media
		}
	default:
		if bytes.IndexByte(value, '\\') >= 0 {
			c.Data = unescapeText(value)
		}
	}
	if charset != "" && c.Kind == inspect.Text && !isASCII(c.Data) {
		c.ContentType = "text/plain; charset=" + charset
	}
	v.children = append(v.children, c)
	return nil
}

// readParams returns the encoding in lower case, the character set and the media
// type that the parameters of a property name. vCard 2.1 leaves the names of
// parameters out.
func readParams(params []byte) (coding, charset, media string) {
	const most = 512
	if len(params) == 0 || len(params) > most {
		return
	}
	for field := range strings.SplitSeq(string(params), ";") {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			key, value = "", field
		}
		value = strings.Trim(value, `"`)
		switch key = strings.ToUpper(key); {
		case key == "ENCODING", key == "" && (strings.EqualFold(value, "quoted-printable") || strings.EqualFold(value, "base64")):
			coding = strings.ToLower(value)
		case key == "CHARSET":
			if inLetters([]byte(value)) {
				charset = value
			}
		case key == "MEDIATYPE", key == "FMTTYPE":
			media = value
		case key == "TYPE" && (strings.EqualFold(value, "jpeg") || strings.EqualFold(value, "png") || strings.EqualFold(value, "gif")):
			media = "image/" + strings.ToLower(value)
		}
	}
	return
}

// unescapeText undoes the escapes of RFC 6350 section 3.4.
func unescapeText(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\\' && i+1 < len(b) {
			switch b[i+1] {
			case 'n', 'N':
				c = '\n'
				i++
			case '\\', ',', ';', ':':
				i++
				c = b[i]
			}
		}
		out = append(out, c)
	}
	return out
}

// unquotePrintable undoes quoted-printable (RFC 2045 section 6.7). What is not
// an escape stays as it is.
func unquotePrintable(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '=' {
			out = append(out, b[i])
			continue
		}
		if i+2 < len(b) && class[b[i+1]]&hexa != 0 && class[b[i+2]]&hexa != 0 {
			out = append(out, unhex(b[i+1])<<4|unhex(b[i+2]))
			i += 2
			continue
		}
		end := i + 1
		for end < len(b) && (b[end] == ' ' || b[end] == '\t' || b[end] == '\r') {
			end++
		}
		switch {
		case end < len(b) && b[end] == '\n':
			i = end
		case end == len(b):
			i = end
		default:
			out = append(out, '=')
		}
	}
	return out
}

// inText says that a line that begins with name and a colon belongs to the text
// of a message.
func (v *vobject) inText(name []byte) bool {
	n := len(v.stack)
	if n == 0 || v.stack[n-1].name != "VBODY" || bytes.EqualFold(name, []byte("END")) || bytes.EqualFold(name, []byte("BEGIN")) {
		return false
	}
	if v.stack[n-1].text > 0 {
		return true
	}
	switch strings.ToUpper(string(name)) {
	case "DATE", "SUBJECT", "FROM", "TO", "CC", "TEXT":
		return false
	}
	return !bytes.HasPrefix(bytes.ToUpper(name), []byte("X-"))
}

// free takes a line that is no property: the text of a message.
func (v *vobject) free(line []byte) error {
	if len(v.stack) == 0 {
		return broken("vobject", errTrailing)
	}
	top := &v.stack[len(v.stack)-1]
	if top.name != "VBODY" {
		return nil
	}
	if top.text > 0 {
		c := &v.children[top.text-1]
		if !v.w.Take(len(line) + 1) {
			return inspect.ErrBytes
		}
		c.Data = append(append(c.Data, '\n'), line...)
		return nil
	}
	if len(v.children) == v.w.Parts() {
		return inspect.ErrParts
	}
	if !v.w.Take(len(line)) {
		return inspect.ErrBytes
	}
	v.children = append(v.children, inspect.Child{
		Arg: top.place + ".TEXT", Name: "TEXT", Group: top.group, Kind: inspect.Text, Data: bytes.Clone(line),
	})
	top.text = len(v.children)
	return nil
}
