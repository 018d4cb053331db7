package decode

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"constat/inspect"
)

// Plist takes property lists apart, written as XML or binary. Argument, name and
// group are as in JSON; data is of kind Bytes, and dates are written as RFC 3339.
//
// In the archives of NSKeyedArchiver, where objects refer to each other by
// number, a reference to a string, number, date or data is that value, and
// dictionaries have their keys.
var Plist = inspect.Decoder{
	Name:   "plist",
	Doc:    "takes property lists (PropertyList-1.0.dtd, CFBinaryPList.c) apart into their values",
	Min:    9,
	First:  blanks + "b<\xef",
	Any:    inspect.Angles | inspect.Digits, // binary ones begin with "bplist0"
	Decode: decodePlist,
}

func decodePlist(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	switch {
	case d[0] == 'b' && bytes.HasPrefix(d, []byte("bplist0")):
		b := binaryPlist{w: w, d: d, out: newPlaces(w.Parts())}
		defer b.out.done()
		err := b.read()
		return b.out.children(w), err
	case d[0] == '<' || d[0] <= ' ' || d[0] == 0xef:
		if root, _ := xmlRoot(d); string(root) != "plist" {
			return nil, nil
		}
		out := newPlaces(w.Parts())
		defer out.done()
		err := xmlPlist(w, d, out)
		if err == errXML && len(out.values) == 0 {
			return nil, nil
		}
		return out.children(w), err
	}
	return nil, nil
}

// xmlPlist reads the tokens of an XML property list.
func xmlPlist(w *inspect.Work, d []byte, out *places) error {
	t := xmlTokens{d: d}
	if bytes.HasPrefix(d, []byte("\xef\xbb\xbf")) {
		t.at = 3
	}
	var open []byte // of the containers: 'd' or 'a'
	var chunks []chunk
	var word string // the element that the text is in
	for t.at < len(d) {
		if err := t.next(); err != nil {
			return brokenPlist(err)
		}
		name := string(local(t.name.of(d)))
		switch t.kind {
		case xmlText, xmlCDATA:
			if word != "" {
				if len(chunks) == cap(chunks) && len(chunks) > w.Parts() {
					return inspect.ErrParts
				}
				chunks = append(chunks, chunk{t.text, t.kind == xmlCDATA})
			}
		case xmlStart:
			if name == "plist" {
				break
			}
			if len(open) > 0 && open[len(open)-1] == 'a' {
				out.element()
			}
			switch name {
			case "dict", "array":
				if !out.open(name == "array") {
					return inspect.ErrDepth
				}
				open = append(open, name[0])
				if t.empty {
					out.end()
					open = open[:len(open)-1]
				}
			case "true", "false":
				if !out.value([]byte(name), inspect.Bool) {
					return inspect.ErrParts
				}
			default:
				word, chunks = name, chunks[:0]
				if t.empty {
					word = ""
				}
			}
		case xmlEnd:
			switch name {
			case "dict", "array":
				if len(open) == 0 || open[len(open)-1] != name[0] {
					return brokenPlist(errXML)
				}
				out.end()
				open = open[:len(open)-1]
			case "plist", "true", "false":
			default:
				if word != name {
					return brokenPlist(errXML)
				}
				if err := xmlPlistValue(w, d, chunks, word, open, out); err != nil {
					return err
				}
				word = ""
			}
		}
	}
	if len(open) > 0 {
		return brokenPlist(errEnd)
	}
	return nil
}

// xmlPlistValue adds the value or key that stands in the element word.
func xmlPlistValue(w *inspect.Work, d []byte, chunks []chunk, word string, open []byte, out *places) error {
	text, ok := plainText(w, d, chunks)
	if !ok {
		return inspect.ErrBytes
	}
	kind := inspect.Text
	switch word {
	case "key":
		if len(open) == 0 || open[len(open)-1] != 'd' {
			return brokenPlist(errXML)
		}
		out.field(text)
		return nil
	case "integer", "real":
		kind, text = inspect.Number, bytes.TrimSpace(text)
	case "data":
		if !w.Take(len(text)) {
			return inspect.ErrBytes
		}
		kind = inspect.Bytes
		packed := make([]byte, 0, len(text))
		for _, c := range text {
			if class[c]&b64 != 0 {
				packed = append(packed, c)
			}
		}
		out := make([]byte, base64.RawStdEncoding.DecodedLen(len(packed)))
		n, _ := base64.RawStdEncoding.Decode(out, packed) // of what is broken, the beginning
		text = out[:n]
	}
	if !out.value(text, kind) {
		return inspect.ErrParts
	}
	return nil
}

// errPlist means that an offset or length leads out of the list, or that
// containers hold themselves.
var errPlist = errors.New("malformed")

func brokenPlist(err error) error { return broken("plist", err) }

// binaryPlist reads a binary property list: a header, objects, a table of their
// offsets, and a trailer of 32 bytes.
type binaryPlist struct {
	w   *inspect.Work
	d   []byte
	out *places

	offsetSize, refSize int
	count, top          uint64
	table               []byte // of offsets

	stack   []plistLevel
	visits  int
	objects []uint64 // $objects of an archive
}

type plistLevel struct {
	object   uint64
	keys     []byte // references; nil of an array
	values   []byte // references
	next     int
	archived bool // keys and values are NS.keys and NS.objects, as numbers of objects
	numbers  [2][]uint64
}

func (b *binaryPlist) read() error {
	const header, trailer = 8, 32
	if len(b.d) < header+trailer+1 {
		return brokenPlist(errEnd)
	}
	t := b.d[len(b.d)-trailer:]
	b.offsetSize, b.refSize = int(t[6]), int(t[7])
	b.count, b.top = binary.BigEndian.Uint64(t[8:]), binary.BigEndian.Uint64(t[16:])
	at := binary.BigEndian.Uint64(t[24:])
	end := uint64(len(b.d) - trailer)
	if b.offsetSize < 1 || b.offsetSize > 8 || b.refSize < 1 || b.refSize > 8 || at < header || at >= end ||
		b.count == 0 || b.count > (end-at)/uint64(b.offsetSize) || b.top >= b.count {
		return brokenPlist(errEnd)
	}
	b.table = b.d[at : at+b.count*uint64(b.offsetSize)]
	b.d = b.d[:at]
	b.findArchive()
	if err := b.object(b.top); err != nil {
		return err
	}
	for len(b.stack) > 0 {
		l := &b.stack[len(b.stack)-1]
		if err := b.step(l); err != nil {
			return err
		}
	}
	return nil
}

// step goes on with the next value of the innermost container.
func (b *binaryPlist) step(l *plistLevel) error {
	i := l.next
	l.next++
	if l.archived {
		if i == len(l.numbers[1]) {
			b.end()
			return nil
		}
		if kind, key, err := b.scalar(l.numbers[0][i]); err == nil && kind == inspect.Text {
			b.out.field(key)
		} else {
			b.out.field(strconv.AppendInt(nil, int64(i), 10))
		}
		if b.isContainer(l.numbers[1][i]) {
			return nil // it comes among the objects
		}
		return b.object(l.numbers[1][i])
	}
	if i*b.refSize == len(l.values) {
		b.end()
		return nil
	}
	if l.keys == nil {
		b.out.element()
	} else {
		kind, key, err := b.scalar(b.ref(l.keys, i))
		if err != nil {
			return err
		}
		if kind == inspect.Bytes {
			key = nil
		}
		b.out.field(key)
	}
	return b.object(b.ref(l.values, i))
}

func (b *binaryPlist) end() {
	b.out.end()
	b.stack = b.stack[:len(b.stack)-1]
}

func (b *binaryPlist) ref(list []byte, i int) uint64 {
	return beUint(list[i*b.refSize : (i+1)*b.refSize])
}

func beUint(b []byte) (v uint64) {
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

// head reads the marker of object n: its type, and its content, which for
// strings, data and containers is all of it and for the others what the low half
// of the marker says.
func (b *binaryPlist) head(n uint64) (marker byte, length uint64, rest []byte, err error) {
	if n >= b.count {
		return 0, 0, nil, brokenPlist(errPlist)
	}
	at := beUint(b.table[n*uint64(b.offsetSize) : (n+1)*uint64(b.offsetSize)])
	if at < 8 || at >= uint64(len(b.d)) {
		return 0, 0, nil, brokenPlist(errPlist)
	}
	marker, rest = b.d[at], b.d[at+1:]
	length = uint64(marker & 0xf)
	if marker>>4 >= 4 && marker>>4 != 8 && length == 0xf { // the length follows, as an integer
		if len(rest) < 1 || rest[0]>>4 != 1 || rest[0]&0xf > 3 {
			return 0, 0, nil, brokenPlist(errPlist)
		}
		size := 1 << (rest[0] & 0xf)
		if len(rest) < 1+size {
			return 0, 0, nil, brokenPlist(errPlist)
		}
		length, rest = beUint(rest[1:1+size]), rest[1+size:]
	}
	return marker, length, rest, nil
}

func (b *binaryPlist) isContainer(n uint64) bool {
	marker, _, _, err := b.head(n)
	return err == nil && (marker>>4 == 0xd || marker>>4 >= 0xa && marker>>4 <= 0xc)
}

// object adds object n, or opens it.
func (b *binaryPlist) object(n uint64) error {
	if b.visits++; b.visits > 4*b.w.Parts() {
		return inspect.ErrParts
	}
	marker, length, rest, err := b.head(n)
	if err != nil {
		return err
	}
	switch marker >> 4 {
	case 0xa, 0xb, 0xc, 0xd:
		dict := marker>>4 == 0xd
		most := uint64(len(rest) / b.refSize)
		if dict {
			most /= 2
		}
		if length > most {
			return brokenPlist(errPlist)
		}
		if slices.ContainsFunc(b.stack, func(l plistLevel) bool { return l.object == n }) {
			return brokenPlist(errPlist)
		}
		if !b.out.open(!dict) {
			return inspect.ErrDepth
		}
		l := plistLevel{object: n, values: rest[:length*uint64(b.refSize)]}
		if dict {
			l.keys, l.values = l.values, rest[length*uint64(b.refSize):2*length*uint64(b.refSize)]
			b.unarchive(&l)
		}
		b.stack = append(b.stack, l)
		return nil
	case 8: // a reference to one of $objects
		uid, ok := uintOf(rest, int(length)+1)
		if !ok {
			return brokenPlist(errPlist)
		}
		if uid == 0 || uid >= uint64(len(b.objects)) || b.isContainer(b.objects[uid]) {
			return nil
		}
		n = b.objects[uid]
	}
	kind, data, err := b.scalar(n)
	if err != nil {
		return err
	}
	if !b.out.value(data, kind) {
		return inspect.ErrParts
	}
	return nil
}

func uintOf(b []byte, size int) (uint64, bool) {
	if len(b) < size || size > 8 {
		return 0, false
	}
	return beUint(b[:size]), true
}

// scalar returns the value of object n, which is no container.
func (b *binaryPlist) scalar(n uint64) (inspect.Kind, []byte, error) {
	marker, length, rest, err := b.head(n)
	if err != nil {
		return 0, nil, err
	}
	size := length
	switch marker >> 4 {
	case 1, 2, 3:
		if length > 4 {
			return 0, nil, brokenPlist(errPlist)
		}
		size = 1 << length
	case 6:
		size = 2 * length
	case 0, 8:
		size = 0
	}
	if size > uint64(len(rest)) || length > uint64(len(rest)) && marker>>4 != 0 {
		return 0, nil, brokenPlist(errPlist)
	}
	v := rest[:size:size]
	var made []byte
	kind := inspect.Number
	switch marker >> 4 {
	case 0:
		switch marker {
		case 8:
			return inspect.Bool, []byte("false"), nil
		case 9:
			return inspect.Bool, []byte("true"), nil
		}
		return inspect.Null, []byte("null"), nil
	case 1:
		if size == 16 {
			v = v[8:]
		}
		if n := beUint(v); size == 8 {
			made = strconv.AppendInt(nil, int64(n), 10)
		} else {
			made = strconv.AppendUint(nil, n, 10)
		}
	case 2:
		f, ok := realOf(v)
		if !ok {
			return 0, nil, brokenPlist(errPlist)
		}
		made = strconv.AppendFloat(nil, f, 'g', -1, 8*len(v))
	case 3:
		f, ok := realOf(v)
		if !ok {
			return 0, nil, brokenPlist(errPlist)
		}
		kind, made = inspect.Text, appleDate(f)
	case 4:
		return inspect.Bytes, v, nil
	case 5, 7:
		return inspect.Text, v, nil
	case 6:
		kind = inspect.Text
		if !b.w.Take(3 * int(length)) {
			return 0, nil, inspect.ErrBytes
		}
		made = make([]byte, 0, length)
		for i := 0; i+1 < len(v); i += 2 {
			r := rune(binary.BigEndian.Uint16(v[i:]))
			if utf16.IsSurrogate(r) && i+3 < len(v) {
				if pair := utf16.DecodeRune(r, rune(binary.BigEndian.Uint16(v[i+2:]))); pair != utf8.RuneError {
					r = pair
					i += 2
				}
			}
			made = utf8.AppendRune(made, r)
		}
		return kind, made, nil
	default:
		return 0, nil, brokenPlist(errPlist)
	}
	if !b.w.Take(len(made)) {
		return 0, nil, inspect.ErrBytes
	}
	return kind, made, nil
}

func realOf(v []byte) (float64, bool) {
	switch len(v) {
	case 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(v))), true
	case 8:
		return math.Float64frombits(binary.BigEndian.Uint64(v)), true
	}
	return 0, false
}

// appleDate writes seconds since 2001 as RFC 3339, or as the number they are if
// that is no date.
func appleDate(f float64) []byte {
	const epoch = 978307200 // 2001-01-01T00:00:00Z
	if !(math.Abs(f) < 1e11) {
		return strconv.AppendFloat(nil, f, 'g', -1, 64)
	}
	whole, part := math.Modf(f)
	return time.Unix(int64(whole)+epoch, int64(part*1e9)).UTC().Truncate(time.Millisecond).AppendFormat(nil, "2006-01-02T15:04:05.999Z")
}

// findArchive notes the objects of an archive of NSKeyedArchiver.
func (b *binaryPlist) findArchive() {
	marker, length, rest, err := b.head(b.top)
	const most = 16 // keys of the outermost dictionary
	if err != nil || marker>>4 != 0xd || length > most || uint64(len(rest)) < 2*length*uint64(b.refSize) {
		return
	}
	archive, list := false, uint64(math.MaxUint64)
	for i := range int(length) {
		_, key, err := b.scalar(b.ref(rest, i))
		if err != nil {
			return
		}
		switch string(key) {
		case "$archiver":
			archive = true
		case "$objects":
			list = b.ref(rest[length*uint64(b.refSize):], i)
		}
	}
	if archive && list != math.MaxUint64 {
		b.objects = b.references(list)
	}
}

// references returns the objects in the array n.
func (b *binaryPlist) references(n uint64) (list []uint64) {
	marker, length, rest, err := b.head(n)
	if err != nil || marker>>4 != 0xa || length > uint64(len(rest)/b.refSize) || length > uint64(b.w.Parts()) {
		return nil
	}
	if b.visits += int(length); b.visits > 4*b.w.Parts() {
		return nil
	}
	for i := range int(length) {
		list = append(list, b.ref(rest, i))
	}
	return list
}

// unarchive gives a dictionary of an archive, which holds the numbers of its
// keys and of its values, its keys.
func (b *binaryPlist) unarchive(l *plistLevel) {
	const most = 4 // NS.keys, NS.objects and $class
	if n := len(l.keys) / b.refSize; b.objects == nil || n < 2 || n > most {
		return
	}
	var lists [2][]uint64
	for i := range len(l.keys) / b.refSize {
		_, key, err := b.scalar(b.ref(l.keys, i))
		if err != nil {
			return
		}
		switch string(key) {
		case "NS.keys":
			lists[0] = b.references(b.ref(l.values, i))
		case "NS.objects":
			lists[1] = b.references(b.ref(l.values, i))
		}
	}
	if len(lists[0]) == 0 || len(lists[0]) != len(lists[1]) {
		return
	}
	for _, list := range lists {
		for i, n := range list {
			marker, length, rest, err := b.head(n)
			if err != nil || marker>>4 != 8 {
				return
			}
			uid, ok := uintOf(rest, int(length)+1)
			if !ok || uid >= uint64(len(b.objects)) {
				return
			}
			list[i] = b.objects[uid]
		}
	}
	l.archived, l.numbers = true, lists
}
