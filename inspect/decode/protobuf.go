package decode

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"constat/inspect"
)

// Protobuf takes Protocol Buffers messages apart without their schema, by the
// wire format: nested messages, too, in one step. The argument is where a value
// stands, in field numbers; the second value of a number has [1] behind it, the
// third [2], and messages that stand one after another behind their lengths are
// [0], [1]:
//
//	1.2.3   1.2[1].3   [0].4
//
// Name is the number of the field, Group the place of the message around it, so
// that the fields of one message are one record. An entry of a list or map whose
// field 1 is a word and whose field 2 a value gives the value the word as Name,
// and all entries of the list one Group, the place of the list with [] behind
// it: that is how maps and the attributes of OpenTelemetry are written.
//
// A piece of data behind a length may be a string, bytes, a message or packed
// numbers. Printable UTF-8 is a string; what can be read as a message to its last
// byte, with plausible field numbers in a plausible order, is one; what is eight
// or four bytes each of plausible magnitude is packed numbers, [0] of which is @0; else it stays
// bytes. A fixed-size value is given as a floating-point number when its
// magnitude is that of one, and as an integer, too, under its argument with
// "@int" behind it, when chance could have made it look so.
//
// What nobody declared counts if so much about it is as senders write it that
// chance does not make it in millions of tries.
var Protobuf = inspect.Decoder{
	Name:   "protobuf",
	Doc:    "takes Protocol Buffers messages apart by the wire format, without their schema (protobuf.dev/programming-guides/encoding)",
	Min:    2,
	Sees:   inspect.Binary,
	Decode: decodeProtobuf,
}

const (
	pbDepth    = 32      // levels taken apart in one step
	pbEvidence = 20      // bits that convince of a message that was not declared
	pbContent  = 10      // of them, how many must come from what is in the fields
	pbNumber   = 1 << 29 // field numbers are below
	pbKey      = 80      // bytes of the key of an entry
)

// Wire types, of the encoding guide's section "Message Structure".
const (
	pbVarint  = 0
	pbFixed64 = 1
	pbLen     = 2
	pbStart   = 3
	pbEnd     = 4
	pbFixed32 = 5
)

func decodeProtobuf(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	if p.Kind != inspect.Bytes {
		return nil, nil
	}
	d := p.Data
	hinted := p.Coding == "" && isProtobuf(p.Media)
	if !hinted && !pbBegins(d, p.Media) || codingOf(d) != "" {
		return nil, nil
	}
	s := pbScanners.Get().(*pbScanner)
	defer s.release()
	s.reset(d, w.Parts(), hinted)
	err := s.all()
	if !hinted && (err != nil && err != inspect.ErrParts || !s.convinces()) {
		return nil, nil
	}
	if err != nil && err != inspect.ErrParts {
		if looksText(d[:min(len(d), 64)]) { // declared, and something else
			return nil, nil
		}
		err = broken("protobuf", err)
	}
	children, ok := s.children(w)
	if !ok {
		err = inspect.ErrBytes
	}
	return children, err
}

// isProtobuf says that a media type is one of those that senders give to
// messages; none is registered with a schema.
func isProtobuf(media string) bool {
	media, ok := strings.CutPrefix(media, "application/")
	if !ok {
		return false
	}
	switch media {
	case "x-protobuf", "protobuf", "proto", "x-google-protobuf", "vnd.google.protobuf", "x-protobuffer", "x-proto":
		return true
	}
	return strings.HasSuffix(media, "+protobuf") || strings.HasSuffix(media, "+proto") && !strings.HasPrefix(media, "grpc") && !strings.HasPrefix(media, "connect")
}

// foreign says that somebody knows data to be of a format that holds no values:
// a picture, a font, an archive.
func foreign(media string) bool {
	if media == "" || media == "application/octet-stream" {
		return false
	}
	kind, sub, _ := strings.Cut(media, "/")
	switch kind {
	case "image", "video", "audio", "font":
		return true
	case "application":
		switch sub {
		case "gzip", "zstd", "zip", "pdf", "x-plist", "x-sqlite3", "ogg", "vnd.android.dex", "x-elf", "wasm", "x-7z-compressed", "json", "xml":
			return true
		}
	}
	return false
}

// pbBegins looks at the first fields of d.
func pbBegins(d []byte, media string) bool {
	if len(d) < 6 || d[0] == 0 || d[0] >= ' ' && class[d[0]]&ctrl == 0 && d[0] < utf8.RuneSelf && looksText(d[:min(len(d), 32)]) {
		return false
	}
	return !foreign(media)
}

// looksProtobuf says that b is a message beyond doubt.
func looksProtobuf(b []byte) bool {
	if !pbBegins(b, "") {
		return false
	}
	s := pbScanners.Get().(*pbScanner)
	defer s.release()
	s.reset(b, 1000, false)
	err := s.all()
	return (err == nil || err == inspect.ErrParts) && s.convinces()
}

// convinces says whether a message that nobody declared counts. Tables and
// machine code are full of bytes that repeat and are well-formed as fields, and
// strings are full of letters that are tags; messages begin with low numbers.
func (s *pbScanner) convinces() bool {
	least := pbEvidence
	if s.d[0] >= ' ' {
		least *= 2
	}
	return s.bits >= least && s.inside >= pbContent
}

// pbScanner reads messages without recursion.
type pbScanner struct {
	d      []byte
	most   int  // leaves
	hinted bool // declared: senders may do what they seldom do
	cut    bool // what is behind a length may end with the data
	bits   int  // what speaks for a message
	inside int  // of them, from what is in the fields
	stack  []pbLevel
	runs   []pbRun
	place  []byte
	leaves []pbLeaf
	made   []byte // numbers as text
	opened int    // groups, which may be empty

	// What isText knows: everything in between is text; the byte at odd is not,
	// or begins what is not UTF-8.
	textStart, textEnd, odd int
}

// pbLevel is one open message.
type pbLevel struct {
	at, end int
	base    int    // length of place without the field
	group   string // "" until a leaf needs it

	last, repeats uint32            // number of the field before, and how many of it there were before that
	high          uint32            // highest number so far
	runs          int               // where those of the level begin in runs of the scanner
	counts        map[uint32]uint32 // of each number, once one came back

	key          string // of an entry: the name of its field 2
	name, nameOf string // of what is inside the value of an entry: Name and Group of its leaves
}

// pbRun is a number of a field and how often it stood in a row.
type pbRun struct{ number, count uint32 }

type pbLeaf struct {
	arg, name, group string
	kind             inspect.Kind
	media            string
	start, end       int  // in d, or in made
	made             bool //
}

var pbScanners = sync.Pool{New: func() any { return new(pbScanner) }}

func (s *pbScanner) reset(d []byte, most int, hinted bool) {
	s.d, s.most, s.hinted, s.cut, s.bits, s.inside, s.opened = d, most, hinted, false, 0, 0, 0
	s.textStart, s.textEnd, s.odd = 0, 0, -1
	s.stack, s.place, s.leaves, s.made = s.stack[:0], s.place[:0], s.leaves[:0], s.made[:0]
}

// release gives s back, unless an unusual body made it large.
func (s *pbScanner) release() {
	s.d = nil
	if cap(s.leaves) <= 4096 && cap(s.made) <= 1<<18 {
		clear(s.leaves)
		clear(s.stack[:cap(s.stack)])
		pbScanners.Put(s)
	}
}

// all reads d as one message, or as messages with their lengths before them.
func (s *pbScanner) all() error {
	shape, err := s.look(0, len(s.d))
	if err == nil {
		if !s.hinted && looksText(s.d) {
			return errJSON // text that happens to fit
		}
		return s.message(0, len(s.d), shape)
	}
	if delimited, ok := s.delimited(); ok {
		return delimited
	}
	if !s.hinted {
		return err
	}
	// Declared, and broken or cut off somewhere: what stands before counts.
	s.cut = true
	if whole, e := s.look(0, len(s.d)); e == nil {
		shape, err = whole, errEnd
		shape.good = len(s.d)
	}
	if e := s.message(0, shape.good, shape); e != nil {
		return e
	}
	return err
}

// delimited reads messages with their lengths before them, as streams of
// messages are written; ok is false if that is not what d is.
func (s *pbScanner) delimited() (err error, ok bool) {
	bits := 0
	for at := 0; at < len(s.d); {
		n, next := s.varint(at, len(s.d))
		if next < 0 || n == 0 || n > uint64(len(s.d)-next) {
			return nil, false
		}
		shape, err := s.look(next, next+int(n))
		if err != nil {
			return nil, false
		}
		bits += shape.bits
		at = next + int(n)
	}
	if bits < pbEvidence/2 || !s.hinted && (bits < pbEvidence || looksText(s.d)) {
		return nil, false
	}
	for at, i := 0, 0; at < len(s.d); i++ {
		n, next := s.varint(at, len(s.d))
		at = next + int(n)
		s.place = append(strconv.AppendInt(append(s.place[:0], '['), int64(i), 10), ']')
		shape, _ := s.look(next, at)
		if err := s.message(next, at, shape); err != nil {
			return err, true
		}
	}
	return nil, true
}

// varint reads the number at at; next is negative if there is none. A sender
// writes it as short as can be, unless it fills in the length of a message
// afterwards.
func (s *pbScanner) varint(at, end int) (v uint64, next int) {
	for i := 0; at+i < end && i < 10; i++ {
		c := s.d[at+i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if i == 9 && c > 1 || c == 0 && i > 0 && !s.hinted {
				return 0, -1
			}
			return v, at + i + 1
		}
	}
	return 0, -1
}

// pbField is one field on the wire; start and end are its content.
type pbField struct {
	number     uint32
	wire       uint8
	value      uint64 // of numbers
	start, end int
}

// field reads the field at at and returns where the next one is, -1 if there is
// no field at at. The content of a group has no length: its start and end are
// fields without content.
func (s *pbScanner) field(at, end int) (f pbField, next int) {
	tag, at := s.varint(at, end)
	if at < 0 || tag>>3 == 0 || tag>>3 >= pbNumber {
		return f, -1
	}
	f.number, f.wire, f.start = uint32(tag>>3), uint8(tag&7), at
	switch f.wire {
	case pbVarint:
		f.value, at = s.varint(at, end)
	case pbFixed64:
		if end-at < 8 {
			return f, -1
		}
		f.value, at = binary.LittleEndian.Uint64(s.d[at:]), at+8
	case pbFixed32:
		if end-at < 4 {
			return f, -1
		}
		f.value, at = uint64(binary.LittleEndian.Uint32(s.d[at:])), at+4
	case pbLen:
		n, next := s.varint(at, end)
		if next >= 0 && n > uint64(end-next) && s.cut && end == len(s.d) && end > next {
			n = uint64(end - next)
		}
		if next < 0 || n > uint64(end-next) {
			return f, -1
		}
		f.start, at = next, next+int(n)
	case pbStart, pbEnd:
		if !s.hinted { // deprecated since 2008, and two of eight wire types
			return f, -1
		}
	default:
		return f, -1
	}
	f.end = at
	return f, at
}

// pbShape is what one pass over the fields of a message shows.
type pbShape struct {
	fields int
	bits   int  // what speaks for a message
	inside int  // of them, from what is in the fields
	good   int  // where the last whole field ends
	same   bool // all fields have one number
	entry  bool // a key and a value
	keyEnd int
	key    int
}

// look passes over the fields of the message s.d[at:end], not over what is in
// them. The bits are the logarithm of how rarely chance makes what is there.
func (s *pbScanner) look(at, end int) (shape pbShape, err error) {
	shape.same, shape.good = true, at
	var last pbField
	var open [pbDepth]uint32 // groups
	groups, run := 0, 0
	for at < end {
		f, next := s.field(at, end)
		if next < 0 {
			return shape, errField
		}
		switch f.wire {
		case pbStart:
			if groups == len(open) {
				return shape, errField
			}
			open[groups] = f.number
			groups++
		case pbEnd:
			if groups == 0 || open[groups-1] != f.number {
				return shape, errField
			}
			groups--
		}
		if f.number == last.number {
			run++
		} else {
			run = 0
		}
		switch {
		case run > 2: // says no more than those before
		case f.number <= 15:
			shape.bits += 2
		case f.number <= 2047:
			shape.bits++
		case f.number <= 100_000:
			shape.bits -= 3
		default:
			shape.bits -= 10
		}
		switch {
		case last.number == 0, run > 2 && f.wire == last.wire:
		case f.number == last.number && f.wire == last.wire:
			shape.bits += 2
		case f.number == last.number:
			shape.bits -= 8
		case f.number < last.number:
			shape.bits -= 5
		case f.number-last.number <= 16:
			shape.bits++
		}
		if bits := s.weigh(f); run <= 2 || f.wire == pbLen {
			shape.bits += bits
			shape.inside += max(bits, 0)
		}
		shape.same = shape.same && (last.number == 0 || f.number == last.number)
		switch shape.fields {
		case 0:
			if f.wire == pbLen && f.number == 1 && isEntryKey(s.d[f.start:f.end]) {
				shape.key, shape.keyEnd = f.start, f.end
			}
		case 1:
			shape.entry = shape.keyEnd > 0 && f.number == 2
		default:
			shape.entry = false
		}
		shape.fields++
		if groups == 0 {
			shape.good = next
		}
		last, at = f, next
	}
	if groups > 0 {
		return shape, errEnd
	}
	shape.bits += 2 // for having come out even
	return shape, nil
}

// deep is what speaks for s.d[at:end] being a message, messages inside it
// included.
func (s *pbScanner) deep(at, end, depth int) int {
	shape, err := s.look(at, end)
	if err != nil || depth == 5 {
		return 0
	}
	for at < end {
		f, next := s.field(at, end)
		if next < 0 {
			break
		}
		if f.wire == pbLen && f.end > f.start && !looksText(s.d[f.start:f.end]) {
			shape.bits += s.deep(f.start, f.end, depth+1)
		}
		at = next
	}
	return shape.bits
}

// weigh is what the content of a field says.
func (s *pbScanner) weigh(f pbField) int {
	switch f.wire {
	case pbVarint:
		switch {
		case isTime(f.value):
			return 8
		case f.value>>63 == 1:
			return 6
		}
	case pbFixed64:
		if isTime(f.value) || f.value < 1<<32 || plausible(math.Float64frombits(f.value), 1e-6, 1e9) {
			return 4
		}
		return -2
	case pbFixed32:
		if isTime(f.value) || f.value < 1<<16 || plausible(float64(math.Float32frombits(uint32(f.value))), 1e-4, 1e7) {
			return 2
		}
		return -2
	case pbLen:
		const most = 32
		if f.start == f.end {
			return -2
		}
		b := s.d[f.start:f.end]
		n := min(len(b), most)
		tail := b[len(b)-n:]
		for len(tail) > n-utf8.UTFMax && len(tail) > 1 && !utf8.RuneStart(tail[0]) {
			tail = tail[1:]
		}
		if looksText(b[:n]) && looksText(tail) {
			return n * 5 / 4
		}
	}
	return 0
}

// isTime says that v is a time of the years 2010 to 2040 since 1970, in seconds
// or thousandths, millionths or billionths of them.
func isTime(v uint64) bool {
	const from, to = 1_262_304_000, 2_208_988_800
	return v >= from && v < to || v >= from*1e3 && v < to*1e3 || v >= from*1e6 && v < to*1e6 || v >= from*1e9 && v < to*1e9
}

// plausible says that x is 0 or between low and high, whatever its sign.
func plausible(x, low, high float64) bool {
	x = math.Abs(x)
	return x == 0 || x >= low && x <= high // false for what is not a number
}

// isEntryKey says that b is a word as the keys of maps are.
func isEntryKey(b []byte) bool {
	if len(b) == 0 || len(b) > pbKey || class[b[0]]&(upper|lower) == 0 && b[0] != '_' && b[0] != '$' && b[0] != '@' {
		return false
	}
	for _, c := range b {
		if class[c]&(upper|lower|digit) == 0 && strings.IndexByte("_.-/:$@", c) < 0 {
			return false
		}
	}
	return true
}

var errField = errJSON

// message reads the message s.d[at:end], whose place is in s.place.
func (s *pbScanner) message(at, end int, shape pbShape) error {
	s.bits += shape.bits
	s.inside += shape.inside
	s.runs = s.runs[:0]
	s.stack = append(s.stack[:0], pbLevel{at: at, end: end, base: len(s.place)})
	for len(s.stack) > 0 {
		top := &s.stack[len(s.stack)-1]
		s.place = s.place[:top.base]
		if top.at >= top.end {
			s.runs = s.runs[:top.runs]
			s.stack = s.stack[:len(s.stack)-1]
			continue
		}
		f, next := s.field(top.at, top.end)
		if next < 0 {
			return errField
		}
		top.at = next
		if f.wire == pbEnd {
			s.runs = s.runs[:top.runs]
			s.stack = s.stack[:len(s.stack)-1]
			if len(s.stack) > 0 {
				s.stack[len(s.stack)-1].at = next
			}
			continue
		}
		repeat := s.count(top, f.number)
		if top.base > 0 {
			s.place = append(s.place, '.')
		}
		s.place = strconv.AppendUint(s.place, uint64(f.number), 10)
		list := len(s.place) // the place of the first one, and of all together
		if repeat > 0 {
			s.place = strconv.AppendUint(append(s.place, '['), uint64(repeat), 10)
			s.place = append(s.place, ']')
		}
		if err := s.value(top, f, list, repeat > 0); err != nil {
			return err
		}
	}
	return nil
}

// count returns how many fields of the number there were before in the message.
// Senders write them in order, so that only the last one needs to be known.
func (s *pbScanner) count(l *pbLevel, number uint32) uint32 {
	switch {
	case number == l.last:
		l.repeats++
		return l.repeats
	case l.last == 0:
	case l.counts != nil:
		l.counts[l.last] = l.repeats + 1
	default:
		s.runs = append(s.runs, pbRun{l.last, l.repeats + 1})
	}
	l.last, l.repeats = number, 0
	if number > l.high {
		l.high = number
		return 0
	}
	if l.counts == nil {
		l.counts = make(map[uint32]uint32)
		for _, r := range s.runs[l.runs:] {
			l.counts[r.number] = r.count
		}
	}
	l.repeats = l.counts[number]
	return l.repeats
}

// value makes leaves of a field, or opens the message in it.
func (s *pbScanner) value(top *pbLevel, f pbField, list int, repeated bool) error {
	switch f.wire {
	case pbVarint:
		start := len(s.made)
		s.made = strconv.AppendInt(s.made, int64(f.value), 10) // a negative number is one of 64 bits
		return s.number(top, f, start, "")
	case pbFixed64:
		return s.fixed(top, f, math.Float64frombits(f.value), 64)
	case pbFixed32:
		return s.fixed(top, f, float64(math.Float32frombits(uint32(f.value))), 32)
	case pbStart:
		if len(s.stack) >= pbDepth {
			return errField
		}
		if s.opened++; s.opened > s.most {
			return inspect.ErrParts
		}
		s.stack = append(s.stack, pbLevel{at: f.end, end: top.end, base: len(s.place), runs: len(s.runs)})
		return nil
	}
	b := s.d[f.start:f.end]
	// Only a message that begins with a string as its field 1 has but one odd
	// character, the line feed; a form feed and an escape are numbers and lengths
	// more often than text.
	text := s.isText(f.start, f.end)
	if text && (len(b) < 3 || b[0] != '\n') && bytes.IndexByte(b, '\f') < 0 && bytes.IndexByte(b, 0x1b) < 0 {
		return s.bytes(top, f, inspect.Text, "")
	}
	shape, err := s.look(f.start, f.end)
	if least := pbLeast(len(b)); err == nil && shape.bits < least && len(b) <= 64 {
		shape.bits = s.deep(f.start, f.end, 0)
	}
	if err != nil || shape.bits < pbLeast(len(b)) {
		if text {
			return s.bytes(top, f, inspect.Text, "")
		}
		if n := s.packed(b); n > 0 {
			return s.unpack(top, f, n)
		}
		return s.bytes(top, f, inspect.Bytes, "")
	}
	s.bits += shape.bits
	s.inside += shape.inside
	if len(s.stack) == pbDepth {
		return s.bytes(top, f, inspect.Bytes, "application/x-protobuf")
	}
	l := pbLevel{at: f.start, end: f.end, base: len(s.place), runs: len(s.runs)}
	if shape.entry {
		again, next := s.field(f.end, top.end)
		repeated = repeated || next > 0 && again.number == f.number
		key := string(s.d[shape.key:shape.keyEnd])
		if repeated || class[key[0]]&lower != 0 || strings.ContainsAny(key, "._-/:$@") {
			l.key, l.nameOf = key, string(s.place[:list])+"[]"
		}
	}
	if inherited := top.inherits(f); l.key == "" && inherited != "" && shape.same {
		l.name, l.nameOf = inherited, top.nameOf
		if shape.fields > 1 {
			l.nameOf = ""
		}
	}
	s.stack = append(s.stack, l)
	return nil
}

// isText says that s.d[start:end] is text. What is in a message is asked for
// again with what is in that, so it does not look at the same bytes twice.
func (s *pbScanner) isText(start, end int) bool {
	switch {
	case start == end:
		return true
	case start <= s.odd && s.odd < end:
		return false
	case s.textStart <= start && end <= s.textEnd:
		return utf8.RuneStart(s.d[start]) && (end == len(s.d) || utf8.RuneStart(s.d[end]))
	}
	ascii := true
	for i, c := range s.d[start:end] {
		if class[c]&ctrl != 0 {
			s.odd = start + i
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	for i := start; i < end && !ascii; {
		r, n := utf8.DecodeRune(s.d[i:end])
		if r == utf8.RuneError && n == 1 {
			s.textStart, s.textEnd, s.odd = start, i, i
			return false
		}
		i += n
	}
	s.textStart, s.textEnd = start, end
	return true
}

// pbLeast is how many bits convince that n bytes in a message are a message,
// too. Digests, keys and UUIDs are of these lengths, and messages seldom are.
func pbLeast(n int) int {
	switch n {
	case 16, 20, 32:
		return 12
	case 8:
		return 7
	case 24, 48, 64:
		return 8
	}
	if n < 8 {
		return 2
	}
	return 4
}

// inherits returns the name that the value of an entry has, "" if f is none.
func (l *pbLevel) inherits(f pbField) string {
	if l.key != "" {
		if f.number == 2 {
			return l.key
		}
		return ""
	}
	return l.name
}

func (s *pbScanner) bytes(top *pbLevel, f pbField, kind inspect.Kind, media string) error {
	return s.leaf(top, f, pbLeaf{kind: kind, media: media, start: f.start, end: f.end}, "")
}

// number makes a leaf of s.made[start:].
func (s *pbScanner) number(top *pbLevel, f pbField, start int, suffix string) error {
	return s.leaf(top, f, pbLeaf{kind: inspect.Number, start: start, end: len(s.made), made: true}, suffix)
}

// fixed makes leaves of a value of fixed size.
func (s *pbScanner) fixed(top *pbLevel, f pbField, x float64, size int) error {
	start := len(s.made)
	s.made = strconv.AppendFloat(s.made, x, 'f', -1, size)
	low, high, short := 1e-9, 1e15, 15
	if size == 32 {
		low, high, short = 1e-6, 1e9, 7
	}
	digits := 0 // that the number needs, and chance needs all
	for _, c := range s.made[start:] {
		if c >= '0' && c <= '9' && (c != '0' || digits > 0) {
			digits++
		}
	}
	sure := f.value != 0 && plausible(x, low, high) && digits <= short
	if !sure && !(f.value != 0 && plausible(x, 1e-5, 1e7)) {
		s.made = s.made[:start]
	} else if err := s.number(top, f, start, ""); err != nil || sure {
		return err
	}
	suffix := ""
	if len(s.made) > start {
		suffix = "@int"
	}
	start = len(s.made)
	if size == 32 {
		s.made = strconv.AppendUint(s.made, f.value, 10)
	} else {
		s.made = strconv.AppendInt(s.made, int64(f.value), 10)
	}
	return s.number(top, f, start, suffix)
}

// packed returns the size of the numbers that b is a list of, 0 if it is none.
func (s *pbScanner) packed(b []byte) int {
	switch {
	case len(b)%8 == 0 && len(b) >= 16 && allPlausible(b, 8):
		return 8
	case len(b)%4 == 0 && len(b) >= 16 && allPlausible(b, 4):
		return 4
	}
	return 0
}

func allPlausible(b []byte, size int) bool {
	zeros := true
	for ; len(b) > 0; b = b[size:] {
		x := readFloat(b, size)
		if !plausible(x, 1e-4, 1e6) {
			return false
		}
		zeros = zeros && x == 0
	}
	return !zeros
}

func readFloat(b []byte, size int) float64 {
	if size == 8 {
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
}

// unpack makes leaves of packed numbers.
func (s *pbScanner) unpack(top *pbLevel, f pbField, size int) error {
	place := len(s.place)
	group := string(s.place)
	name := top.inherits(f)
	if name == "" {
		name = fieldName(f.number)
	}
	for i, b := 0, s.d[f.start:f.end]; len(b) > 0; i, b = i+1, b[size:] {
		if len(s.leaves) >= s.most {
			return inspect.ErrParts
		}
		s.place = strconv.AppendInt(append(s.place[:place], '@'), int64(i), 10)
		start := len(s.made)
		s.made = strconv.AppendFloat(s.made, readFloat(b, size), 'f', -1, 8*size)
		s.leaves = append(s.leaves, pbLeaf{arg: string(s.place), name: name, group: group + "@", kind: inspect.Number, start: start, end: len(s.made), made: true})
	}
	return nil
}

func (s *pbScanner) leaf(top *pbLevel, f pbField, l pbLeaf, suffix string) error {
	if len(s.leaves) >= s.most {
		return inspect.ErrParts
	}
	if l.arg = string(s.place); suffix != "" {
		l.arg += suffix
	}
	if l.name = top.inherits(f); l.name != "" {
		l.group = top.nameOf
	} else {
		l.name = fieldName(f.number)
	}
	if l.group == "" {
		if top.group == "" {
			top.group = string(s.place[:top.base])
		}
		l.group = top.group
	}
	s.leaves = append(s.leaves, l)
	return nil
}

func fieldName(number uint32) string { return strconv.FormatUint(uint64(number), 10) }

// children makes the leaves children; ok is false when the budget for the
// numbers was used up.
func (s *pbScanner) children(w *inspect.Work) (children []inspect.Child, ok bool) {
	if len(s.leaves) == 0 {
		return nil, true
	}
	if !w.Take(len(s.made)) {
		return nil, false
	}
	made := bytes.Clone(s.made)
	children = w.Children(len(s.leaves))
	for i := range s.leaves {
		l := &s.leaves[i]
		data := s.d
		if l.made {
			data = made
		}
		children[i] = inspect.Child{Arg: l.arg, Name: l.name, Group: l.group, Kind: l.kind, Media: l.media, Data: data[l.start:l.end:l.end]}
	}
	return children, true
}
