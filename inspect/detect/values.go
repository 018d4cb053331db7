package detect

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"constat/inspect"
	"constat/proxy/flow"
)

const (
	maxValues     = 64   // of one subject
	maxCandidates = 2048 // that are weighed against each other
	maxValue      = 128  // bytes that are written out
	longestValue  = 512  // bytes of a value; what is longer is content
	longestToken  = 8192 // bytes of a signed token
	leastBits     = 40
)

// Values lists what could single out a phone or its user among all others:
// values of 40 bits or more that go up, and the cookies that a server sets. It
// is meant for inspect.Config.Values.
//
// What the structure of a value says to be no identifier is left out: prose,
// addresses on the web, times, versions, names of packages, files and products.
// Whether the rest stays or changes, only other exchanges tell. Of more than 64
// values those with the names and forms of identifiers are kept.
func Values(t *inspect.Tree) []inspect.Value {
	c := candidates{names: idNames.In(t), commons: commonNames.In(t)}
	var s sieve
	docs := t.Documents()
	for i := range docs {
		d := &docs[i]
		if d.Parent == nil {
			for _, p := range d.Parts {
				if p.Same == nil && len(p.Data) >= 8 && (p.Direction == flow.Up || isSetCookie(p)) {
					c.root(p)
				}
			}
			continue
		}
		first := d.Parts[0]
		if may := s.of(d); (first.Direction == flow.Up || isSetCookie(first)) && (c.pick(d, may) || ungated) {
			for _, p := range d.Parts {
				if (may[p.Column()] || ungated) && p.Same == nil && len(p.Data) >= 8 && !(p.Decoder() == "path" && isStatic(t.Subject.Path)) {
					c.field(p)
				}
			}
		}
	}
	list := c.list
	if len(list) > maxValues {
		slices.SortStableFunc(list, func(a, b candidate) int { return b.score - a.score })
		list = list[:maxValues]
	}
	out := make([]inspect.Value, len(list))
	for i := range list {
		out[i] = list[i].Value
	}
	return out
}

// pick picks the columns of d that can hold what identifies.
func (c *candidates) pick(d *inspect.Document, may []bool) bool {
	// Of fewer than 13 digits alone, only telephone numbers are identifiers, and with
	// full stops and hyphens between them they are none.
	const numeric = inspect.Digits | inspect.Dots | inspect.Hyphens
	some := false
	c.keyed = slices.Grow(c.keyed[:0], len(d.Columns))
	for i := range d.Columns {
		x := &d.Columns[i]
		c.keyed = append(c.keyed, c.commons.OfColumn(x).keyed && c.hasKey(d, x.Place))
		may[i] = x.Max >= 8 && hasValue(x) && (x.Holds&^numeric != 0 || x.Max >= 13 || x.Name == "" && len(d.Parts) == 1 || c.keyed[i] || c.mayBePhone(x))
		some = some || may[i]
	}
	return some
}

// hasKey says that beside fields at a place, or around them, one stands that can be
// the name of what they hold.
func (c *candidates) hasKey(d *inspect.Document, place string) bool {
	if len(d.Columns) > maxKeyed {
		return true // perhaps
	}
	around, inside := valueGroup(strings.TrimSuffix(place, "[]"))
	for i := range d.Columns {
		if k := &d.Columns[i]; (k.Place == place || inside && k.Place == around) && k.Has(inspect.Text) && c.commons.OfColumn(k).key {
			return true
		}
	}
	return false
}

// mayBePhone says that fields of x can be called after telephones.
func (c *candidates) mayBePhone(x *inspect.Column) bool {
	n := c.names.OfColumn(x)
	if n.inside && x.Place != "" {
		return !sameAround(x) || nameOf(c.names, x.First).kind == idPhone
	}
	return n.kind == idPhone
}

// root weighs a part of the message as it was on the wire.
func (c *candidates) root(p *inspect.Part) {
	switch p.Decoder() {
	case "request.host":
		c.host(p)
		return
	case "request.path":
		return // its segments are parts
	case "request.header":
		if alike[p.Name] {
			c.agent(p)
			return
		}
	}
	c.field(p)
}

// field weighs a value under the name that it has, or that stands beside it.
func (c *candidates) field(p *inspect.Part) {
	if p.Kind > inspect.Number || len(p.Data) > longestToken || len(p.Children) > 0 && !isWhole(p) {
		return
	}
	switch key := c.key(p); {
	case key != "":
		p = renamed(p, key)
	case p.Name == "" && p.Parent != nil && p.Parent.Name != "" && len(p.Parent.Children) == 1:
		p = renamed(p, p.Parent.Name) // all that the field holds
	}
	c.part(p)
}

// alike are the header fields that say the same from each phone of a kind, or
// something else each time. Of them only what is in a product comment counts.
var alike = map[string]bool{
	"User-Agent": true, "Referer": true, "Via": true, "Forwarded": true, "X-Forwarded-For": true, "X-Requested-With": true,
	"Sec-Ch-Ua": true, "Sec-Ch-Ua-Full-Version-List": true, "Sec-Websocket-Key": true, "Content-Disposition": true, "Link": true,
	"Content-Md5": true, "Digest": true, "Content-Digest": true, "Repr-Digest": true,
}

func isSetCookie(p *inspect.Part) bool {
	return p.Direction == flow.Down && strings.HasPrefix(string(p.Path), "response.cookie:")
}

// isWhole says that p, which was taken apart, is a value all the same: a signed
// token, or an encoding of bytes that mean nothing by themselves.
func isWhole(p *inspect.Part) bool {
	for _, c := range p.Children {
		switch c.Decoder() {
		case "jwt":
			return true
		case "base64", "hex":
			if len(c.Children) > 0 || c.Media != "" || isPrintable(c.Data) {
				return false
			}
		default:
			return false
		}
	}
	return len(p.Data) <= longestValue
}

// printable is isPrintable, of the data of p.
func printable(p *inspect.Part) bool {
	return p.Holds()&(inspect.Controls|inspect.NonASCII) == 0 || isPrintable(p.Data)
}

func isPrintable(b []byte) bool {
	for _, c := range b[:min(len(b), 64)] {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	for _, c := range b[:min(len(b), 64)] {
		if c >= 0x80 {
			return bytes.ContainsRune(b, ' ')
		}
	}
	return true
}

// isStatic says that path names a file that everybody gets.
func isStatic(path string) bool {
	dot := strings.LastIndexByte(path, '.')
	return dot > 0 && staticFiles[strings.ToLower(path[dot+1:])]
}

var staticFiles = func() map[string]bool {
	m := make(map[string]bool)
	for ext := range strings.FieldsSeq("js mjs css map png jpg jpeg gif webp avif svg ico bmp woff woff2 ttf otf eot mp4 webm m4s m3u8 ts mp3 ogg wasm html htm txt pdf apk zip gz jar json xml pbf mvt dex so") {
		m[ext] = true
	}
	return m
}()

type candidate struct {
	inspect.Value
	score int
}

type candidates struct {
	list    []candidate
	at      map[string]int // by value
	names   *inspect.Known[idName]
	commons *inspect.Known[commonName]
	keyed   []bool                              // of the columns at hand, those whose fields can be named by others
	keys    map[*inspect.Part]map[string]string // of lists of keys and values, by place
}

// maxKeyed bounds the documents that keys are looked for in.
const maxKeyed = 256

// key returns the key of a value in a list of keys and values, "" when p is none:
// {"key": "imei", "value": {"stringValue": "…"}} of OpenTelemetry, {"name":
// "imei", "value": "…"}.
func (c *candidates) key(p *inspect.Part) string {
	if p.Parent == nil || p.Group == "" || !c.keyed[p.Column()] {
		return ""
	}
	keys, ok := c.keys[p.Parent]
	if !ok {
		if len(c.keys) == maxKeyed {
			return ""
		}
		for _, q := range p.Parent.Children {
			if isKeyName(q.Name) && q.Kind == inspect.Text && len(q.Data) > 0 && len(q.Data) <= 64 && len(keys) < maxPairs {
				if keys == nil {
					keys = make(map[string]string)
				}
				if first, twice := keys[q.Group]; !twice || first == "" || q.Name == "key" || q.Name == "name" {
					keys[q.Group] = string(q.Data)
				}
			}
		}
		if c.keys == nil {
			c.keys = make(map[*inspect.Part]map[string]string)
		}
		c.keys[p.Parent] = keys
	}
	if p.Name != "id" && p.Name != "data" {
		if key := keys[p.Group]; key != "" && !strings.ContainsAny(key, " /") {
			return key
		}
	}
	around, inside := valueGroup(p.Group)
	if !inside {
		return ""
	}
	return keys[around]
}

// otherValues are further names of the values in lists of keys and values.
var otherValues = map[string]bool{
	"intValue": true, "int_value": true, "bytesValue": true, "bytes_value": true, "doubleValue": true, "double_value": true, "string": true, "str": true, "s": true, "text": true, "#text": true,
}

// renamed is p under another name.
func renamed(p *inspect.Part, name string) *inspect.Part {
	return &inspect.Part{
		Path: p.Path, Direction: p.Direction, Data: p.Data, Name: name, Group: p.Group, Media: p.Media, ContentType: p.ContentType, Coding: p.Coding,
		Kind: p.Kind, Depth: p.Depth, Parent: p.Parent, Children: p.Children,
	}
}

// part weighs one value.
func (c *candidates) part(p *inspect.Part) {
	if p.Kind == inspect.Bytes && p.Parent != nil && !printable(p) {
		// Bytes of a binary format. Those of an encoding are told as they were
		// written.
		if s := p.Parent.Kind; s == inspect.Text && p.Decoder() != "frame" || len(p.Data) > 64 || p.Media != "" {
			return
		}
		c.add(p, form{kind: "hex", bits: 8 * len(p.Data)}, hex.EncodeToString(p.Data))
		return
	}
	d := bytes.TrimSpace(p.Data)
	f := formOf(d)
	switch f.kind {
	case "":
		return
	case "token", "decimal", "hex", "hex64":
		if c.commons.Of(p).isCommon(d, f) {
			return
		}
	case "time":
		// Numbers of these sizes are times, unless the name says otherwise.
		if len(d) < 16 || !c.commons.Of(p).endsID {
			return
		}
		f = form{kind: "decimal", bits: decimalBits(len(d))}
	case "digits":
		if nameOf(c.names, p).kind != idPhone {
			return
		}
		f = form{kind: "phone", bits: phoneBits}
	}
	c.add(p, f, f.normal(d))
	if f.kind == "uuid1" {
		if node := f.node(d); node != "" {
			c.add(p, form{kind: "mac", bits: 48}, node)
		}
	}
}

// commonName is what a name says of a value that may be the same on many phones.
type commonName struct {
	stat   stat
	endsID bool
	key    bool // the value may be the name of one beside it
	keyed  bool // a field beside it may have the name of the value
}

var commonNames = inspect.NewNameFacts(func(name string) commonName {
	return commonName{statWords.of(name), endsInID(name), isKeyName(name), isValueName(name) || otherValues[name]}
})

// isCommon says that the name of a value tells that it is the same on all
// phones of a model or with an app.
func (n commonName) isCommon(d []byte, f form) bool {
	switch n.stat {
	case statModel, statMaker, statCPU, statGPU, statUserAgent, statOSVersion, statAppVersion, statSDK, statOS, statScreen, statMoment, statCounter, statLocale, statTimezone:
		return f.kind == "token" || len(d) < 16
	case statBuild:
		return f.kind == "token"
	}
	return false
}

func endsInID(name string) bool {
	var buf [maxName]byte
	w := squeeze(&buf, name)
	return len(w) >= 2 && string(w[len(w)-2:]) == "id"
}

func (c *candidates) add(p *inspect.Part, f form, value string) {
	if f.bits < leastBits {
		return
	}
	score := 0
	if n := nameOf(c.names, p); n.kind != idNone {
		score += 4
	} else if c.commons.Of(p).endsID {
		score += 2
	}
	switch f.kind {
	case "uuid1", "uuid4", "imei", "mac", "email", "phone", "jwt", "hex64":
		score++
	}
	if i, ok := c.at[value]; ok {
		if v := &c.list[i]; score > v.score {
			v.score, v.Name, v.Path, v.Kind = score, p.Name, p.Path, f.kind
		}
		return
	}
	if len(c.list) >= maxCandidates && score < 4 || len(c.list) >= 2*maxCandidates {
		return
	}
	v := candidate{score: score, Value: inspect.Value{
		Value: value, Kind: f.kind, Name: p.Name, Bits: f.bits, Path: p.Path, Direction: p.Direction,
	}}
	if !f.time.IsZero() {
		v.Time = f.time.UTC().Format(time.RFC3339Nano)
	}
	if c.at == nil {
		c.at = make(map[string]int)
	}
	c.at[value] = len(c.list)
	c.list = append(c.list, v)
}

// host looks at the labels of a host name.
func (c *candidates) host(p *inspect.Part) {
	labels := bytes.Split(p.Data, []byte("."))
	for _, label := range labels[:max(len(labels)-2, 0)] {
		if len(label) < 12 || len(label) > 63 {
			continue
		}
		if f := formOf(label); f.kind != "" && f.kind != "time" && f.kind != "digits" && f.bits >= 64 {
			c.add(p, f, f.normal(label))
		}
	}
}

// agent looks for an identifier among the words of a product comment.
func (c *candidates) agent(p *inspect.Part) {
	if p.Name != "User-Agent" {
		return
	}
	for w := range agentWords(p.Data) {
		if f := formOf(w); f.isNumber() {
			c.add(p, f, f.normal(w))
		}
	}
}

// agentWords yields the words of a User-Agent that are long enough to identify.
func agentWords(d []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		start := -1
		for i := 0; i <= len(d); i++ {
			if i < len(d) && (charOf[d[i]]&(chDigit|chLower|chUpper) != 0 || d[i] == '-') {
				if start < 0 {
					start = i
				}
				continue
			}
			if start >= 0 && i-start >= 15 && i-start <= 64 && !yield(d[start:i]) {
				return
			}
			start = -1
		}
	}
}

// form is how a value is built.
type form struct {
	kind string // as in inspect.Value, "" if it can be no identifier; "time" and "digits" if its name must tell
	bits int
	time time.Time
}

// isNumber says that no word is spelled like this.
func (f form) isNumber() bool {
	switch f.kind {
	case "uuid", "uuid1", "uuid3", "uuid4", "uuid5", "uuid6", "uuid7", "imei", "mac", "hex64":
		return true
	case "hex":
		return f.bits >= 128
	}
	return false
}

const (
	chDigit = 1 << iota
	chHexLower
	chHexUpper
	chLower // all small letters
	chUpper
	chURL // - _
	chStd // + / =
	chDot // . : @ and what else joins
	chOther
)

var charOf = func() (t [256]uint16) {
	for i := range t {
		switch c := byte(i); {
		case c-'0' < 10:
			t[i] = chDigit
		case c-'a' < 6:
			t[i] = chLower | chHexLower
		case c-'a' < 26:
			t[i] = chLower
		case c-'A' < 6:
			t[i] = chUpper | chHexUpper
		case c-'A' < 26:
			t[i] = chUpper
		case c == '-', c == '_':
			t[i] = chURL
		case c == '+', c == '/', c == '=':
			t[i] = chStd
		case c == '.', c == ':', c == '@', c == '{', c == '}', c == '~', c == '|', c == '%', c == '!', c == '*', c == '$', c == '#', c == ',':
			t[i] = chDot
		default:
			t[i] = chOther
		}
	}
	return t
}()

// formOf reads d once to see of what it is made, and then looks closer where an
// identifier is possible.
func formOf(d []byte) form {
	if len(d) < 8 || len(d) > longestToken {
		return form{}
	}
	var all uint16
	for _, c := range d {
		k := charOf[c]
		if k == chOther {
			return form{}
		}
		all |= k
	}
	switch {
	case all == chDigit:
		return decimalForm(d)
	case len(d) > longestValue:
		if isJWT(d) {
			return form{kind: "jwt", bits: 6 * len(d)}
		}
		return form{}
	case all&^(chDigit|chHexLower|chLower) == 0 && isHexDigits(d), all&^(chDigit|chHexUpper|chUpper) == 0 && isHexDigits(d):
		return hexForm(d)
	}
	if u := trimBraces(d); len(u) == 36 && u[8] == '-' {
		if f := uuidForm(u); f.kind != "" || isConstant(u[24:]) && isConstant(u[:8]) {
			return f
		}
	}
	if len(d) == 17 || len(d) == 14 {
		if f := macForm(d); f.kind != "" {
			return f
		}
	}
	if d[0] == '+' && len(d) <= 20 && all&^(chDigit|chStd|chURL|chDot) == 0 {
		if isE164(d) {
			return form{kind: "phone", bits: phoneBits}
		}
		return form{}
	}
	if all&chDot != 0 {
		if isEmail(d) {
			return form{kind: "email", bits: max(leastBits, 5*len(d))}
		}
		if isJWT(d) {
			return form{kind: "jwt", bits: 6 * len(d)}
		}
		return compoundForm(d)
	}
	if all&chDigit != 0 && all&(chURL|chStd) == 0 {
		switch len(d) {
		case 26:
			if f := ulidForm(d); f.kind != "" {
				return f
			}
		case 27:
			if f := ksuidForm(d); f.kind != "" {
				return f
			}
		}
	}
	if isRandom(d, all) {
		return form{kind: "token", bits: 6 * len(d)}
	}
	if all&(chURL|chStd) != 0 {
		return compoundForm(d)
	}
	return form{}
}

// trimBraces is bytes.Trim for braces, of which most values have none.
func trimBraces(d []byte) []byte {
	if c := d[0]; c != '{' && c != '}' && d[len(d)-1] != '}' && d[len(d)-1] != '{' {
		return d
	}
	return bytes.Trim(d, "{}")
}

func isHexDigits(d []byte) bool {
	if len(d) > 2 && d[0] == '0' && d[1]|0x20 == 'x' {
		d = d[2:]
	}
	for _, c := range d {
		if charOf[c]&(chDigit|chHexLower|chHexUpper) == 0 {
			return false
		}
	}
	return true
}

func decimalBits(digits int) int { return digits * 33219 / 10000 }

func decimalForm(d []byte) form {
	if isConstant(d) || len(d) > 64 {
		return form{}
	}
	switch {
	case isTimeNumber(d):
		return form{kind: "time"}
	case len(d) == 15 && isIMEI(d), len(d) == 16 && isIMEISV(d):
		return form{kind: "imei", bits: 47}
	case len(d) < 13:
		return form{kind: "digits"}
	case len(d) >= 17 && len(d) <= 19:
		// 41 bits of milliseconds, 10 of the machine and 12 that count within one
		// millisecond, which mostly stay low.
		var n uint64
		for _, c := range d {
			n = n*10 + uint64(c-'0')
		}
		if ms := int64(n>>22) + 1288834974657; n&0xfff < 8 && ms < latestTime*1000 {
			return form{kind: "snowflake", bits: 63, time: time.UnixMilli(ms)}
		}
	}
	return form{kind: "decimal", bits: decimalBits(len(d))}
}

// Times that a value may hold: from 2001, and of kinds that are younger from
// 2010, until 2038. There is no clock here.
const (
	earliestTime = 1_000_000_000
	earliestID   = 1_262_304_000
	latestTime   = 2_150_000_000
)

// isTimeNumber says that d counts milliseconds, microseconds or nanoseconds
// since 1970, or is a date with a time written without separators.
func isTimeNumber(d []byte) bool {
	switch len(d) {
	case 10, 13, 16, 19:
		return string(d[:10]) >= "1000000000" && string(d[:10]) < "2150000000"
	case 12, 14, 17, 18, 20:
		return (d[0] == '2' && d[1] == '0' || d[0] == '1' && d[1] == '9') &&
			string(d[4:6]) >= "01" && string(d[4:6]) <= "12" && string(d[6:8]) >= "01" && string(d[6:8]) <= "31" &&
			string(d[8:10]) < "24" && string(d[10:12]) < "60"
	}
	return false
}

// isConstant says that d is one character again and again, or counts up.
func isConstant(d []byte) bool {
	same, up := 0, 0
	for i := 1; i < len(d); i++ {
		switch d[i] - d[i-1] {
		case 0:
			same++
		case 1:
			up++
		}
	}
	n := len(d) - 1
	return same >= n-1 || up >= n-1 || same == n-2 && n > 12
}

// isIMEI says that d is 15 digits with the check digit of 3GPP TS 23.003
// annex B, and begins as the bodies that hand numbers out begin them today.
func isIMEI(d []byte) bool {
	if len(d) != 15 || !luhn(d) {
		return false
	}
	switch string(d[:2]) {
	case "35", "86", "01", "99", "45", "49", "91":
		return true
	}
	return false
}

// isIMEISV says the same of 16 digits, of which the last two are the version of
// the software and nothing checks the others.
func isIMEISV(d []byte) bool {
	return (string(d[:2]) == "35" || string(d[:2]) == "86") && string(d[14:]) < "90" && d[14] == '0'
}

func hexForm(d []byte) form {
	if len(d) > 2 && d[0] == '0' && d[1]|0x20 == 'x' {
		d = d[2:]
	}
	if len(d) < 10 || isConstant(d) {
		return form{}
	}
	digits := 0
	for _, c := range d {
		if c-'0' < 10 {
			digits++
		}
	}
	if digits == 0 && len(d) < 16 {
		return form{} // a word
	}
	f := form{kind: "hex", bits: 4 * len(d)}
	switch len(d) {
	case 16:
		f.kind = "hex64"
	case 24:
		var b [12]byte
		if _, err := hex.Decode(b[:], d); err == nil {
			// Seconds, five bytes of a process and a counter of three.
			if s := int64(binary.BigEndian.Uint32(b[:])); s >= earliestID && s < latestTime {
				f.kind, f.time = "objectid", time.Unix(s, 0)
			}
		}
	}
	return f
}

// uuidForm reads a UUID with its dashes (RFC 9562 sections 4 and 5).
func uuidForm(d []byte) form {
	var b [16]byte
	if d[13] != '-' || d[18] != '-' || d[23] != '-' {
		return form{}
	}
	s := make([]byte, 0, 32)
	for i, c := range d {
		if i != 8 && i != 13 && i != 18 && i != 23 {
			s = append(s, c)
		}
	}
	if _, err := hex.Decode(b[:], s); err != nil || isConstant(b[:]) {
		return form{}
	}
	f := form{kind: "uuid", bits: 128}
	if b[8]>>6 != 2 {
		return f
	}
	f.bits = 122
	const gregorian = 122192928000000000 // of 100 ns from 1582-10-15 to 1970
	switch b[6] >> 4 {
	case 1:
		f.kind = "uuid1"
		ticks := int64(binary.BigEndian.Uint16(b[6:])&0xfff)<<48 | int64(binary.BigEndian.Uint16(b[4:]))<<32 | int64(binary.BigEndian.Uint32(b[:]))
		f.setTicks(ticks - gregorian)
	case 3:
		f.kind = "uuid3"
	case 4:
		f.kind = "uuid4"
	case 5:
		f.kind = "uuid5"
	case 6:
		f.kind = "uuid6"
		f.setTicks((int64(binary.BigEndian.Uint32(b[:]))<<28 | int64(binary.BigEndian.Uint16(b[4:]))<<12 | int64(binary.BigEndian.Uint16(b[6:])&0xfff)) - gregorian)
	case 7:
		f.kind = "uuid7"
		f.setTicks(int64(binary.BigEndian.Uint64(b[:])>>16) * 10_000)
	}
	return f
}

// setTicks sets the time to a count of 100 ns, if it can be one.
func (f *form) setTicks(n int64) {
	if s := n / 10_000_000; s >= earliestTime && s < latestTime {
		f.time = time.Unix(s, n%10_000_000*100)
	}
}

// node returns the MAC address in a UUID of version 1, "" if it is a random
// number (RFC 9562 section 6.10).
func (f form) node(d []byte) string {
	d = bytes.Trim(d, "{}")
	node := bytes.ToLower(d[24:36])
	if first, _ := hex.DecodeString(string(node[:2])); len(first) != 1 || first[0]&1 != 0 || isConstant(node) {
		return ""
	}
	return string(node)
}

// macForm reads aa:bb:cc:dd:ee:ff, aa-bb-cc-dd-ee-ff and aabb.ccdd.eeff.
func macForm(d []byte) form {
	group := 2
	if len(d) == 14 {
		group = 4
	}
	for i, c := range d {
		if i%(group+1) == group {
			if c != d[group] || group == 2 && c != ':' && c != '-' || group == 4 && c != '.' {
				return form{}
			}
		} else if charOf[c]&(chDigit|chHexLower|chHexUpper) == 0 {
			return form{}
		}
	}
	if isEmptyMAC(d) {
		return form{}
	}
	return form{kind: "mac", bits: 48}
}

// isEmptyMAC takes what systems answer instead of an address.
func isEmptyMAC(d []byte) bool {
	var s [17]byte
	n := 0
	for _, c := range d {
		if charOf[c]&(chDigit|chHexLower|chHexUpper) != 0 && n < len(s) {
			s[n] = c | 0x20
			n++
		}
	}
	return n != 12 || isConstant(s[1:n]) || string(s[:n]) == "020000000000"
}

// phoneBits is what the 15 digits that ITU-T E.164 allows can carry.
const phoneBits = 49

func isE164(d []byte) bool {
	n := 0
	for i, c := range d {
		switch {
		case c-'0' < 10:
			n++
		case c == '+' && i == 0, c == '-', c == '.':
		default:
			return false
		}
	}
	return n >= 8 && n <= 15 && d[len(d)-1]-'0' < 10
}

func isEmail(d []byte) bool {
	at := bytes.IndexByte(d, '@')
	if at < 1 || at > 64 || len(d) > 254 || bytes.IndexByte(d[at+1:], '@') >= 0 || d[at-1] == '.' || d[0] == '/' {
		return false
	}
	for _, c := range d[:at] {
		if charOf[c] == chOther || c == '@' || c == ',' || c == ':' || c == '|' || c == '/' {
			return false
		}
	}
	domain := d[at+1:]
	dot := bytes.LastIndexByte(domain, '.')
	if dot < 1 || len(domain)-dot < 3 {
		return false
	}
	for _, c := range domain[dot+1:] {
		if charOf[c]&(chLower|chUpper) == 0 {
			return false
		}
	}
	for _, c := range domain[:dot] {
		if charOf[c]&(chLower|chUpper|chDigit) == 0 && c != '.' && c != '-' {
			return false
		}
	}
	// icon@2x.png
	return !staticFiles[string(bytes.ToLower(domain[dot+1:]))]
}

func isJWT(d []byte) bool {
	if len(d) < 40 || d[0] != 'e' || d[1] != 'y' {
		return false
	}
	dots := 0
	for _, c := range d {
		switch {
		case c == '.':
			dots++
		case charOf[c]&(chDigit|chLower|chUpper|chURL) == 0 && c != '=':
			return false
		}
	}
	return dots == 2 || dots == 4
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func ulidForm(d []byte) form {
	if d[0] > '7' {
		return form{}
	}
	var ms int64
	small, big := false, false
	for i, c := range d {
		if c-'a' < 26 {
			small, c = true, c-'a'+'A'
		} else if c-'A' < 26 {
			big = true
		}
		n := strings.IndexByte(crockford, c)
		if n < 0 {
			return form{}
		}
		if i < 10 {
			ms = ms<<5 | int64(n)
		}
	}
	if small && big || ms/1000 < earliestID || ms/1000 >= latestTime {
		return form{}
	}
	return form{kind: "ulid", bits: 128, time: time.UnixMilli(ms)}
}

func ksuidForm(d []byte) form {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	const epoch = 1_400_000_000
	var n [5]uint32 // 160 bits
	for _, c := range d {
		carry := uint64(strings.IndexByte(digits, c))
		for i := len(n) - 1; i >= 0; i-- {
			carry += uint64(n[i]) * 62
			n[i] = uint32(carry)
			carry >>= 32
		}
		if carry != 0 {
			return form{}
		}
	}
	s := int64(n[0]) + epoch
	if s >= latestTime || !isRandom(d, chDigit|chLower|chUpper) {
		return form{}
	}
	return form{kind: "ksuid", bits: 160, time: time.Unix(s, 0)}
}

// isRandom says that d, which is made of letters, digits and the signs of
// base64, is drawn and not written: it changes between small letters, capitals
// and digits more often than words and names do.
func isRandom(d []byte, all uint16) bool {
	const kinds = chDigit | chLower | chUpper
	if len(d) < 10 {
		return false
	}
	if d[0] == '/' && (all&chStd == 0 || len(d)%4 != 0) {
		return false // of a file
	}
	body := bytes.TrimRight(d, "=")
	var last uint16
	changes, signs, digits, letters, dashes := 0, 0, 0, 0, 0
	for _, c := range body {
		k := charOf[c] & kinds
		if k == 0 {
			signs++
			if c == '-' || c == '_' || c == '/' {
				dashes++
			}
			if c == '=' {
				return false
			}
			continue
		}
		if k == chDigit {
			digits++
		} else {
			letters++
		}
		if last != 0 && k != last {
			changes++
		}
		last = k
	}
	n := len(body) - 1
	if signs*5 > len(body) || letters == 0 || all&chURL != 0 && all&chStd != 0 && bytes.ContainsAny(body, "+/") {
		return false
	}
	mixed := all&chLower != 0 && all&chUpper != 0
	switch {
	case digits == 0:
		return mixed && len(body) >= 16 && changes*100 >= 42*n && dashes*8 <= len(body)
	case mixed:
		return changes*100 >= 38*n || len(body) >= 24 && changes*100 >= 33*n
	case dashes > 0:
		return changes*100 >= 34*n && dashes*10 <= len(body)
	}
	return changes*100 >= 24*n && len(body) >= 12 && digits >= 2 || changes*100 >= 30*n
}

// compoundForm looks at the pieces of a value that dots, colons and dashes join:
// "android-9f3c1d2e4b5a6978", "GA1.2.1234567890.1406800000". One that identifies makes the whole a value.
func compoundForm(d []byte) form {
	if !hasRun(d, 8) {
		return form{} // a time, words: no piece can identify
	}
	if bytes.Contains(d, []byte("://")) || d[0] == '/' || d[0] == '#' || d[0] == '.' || d[0] == '%' {
		return form{}
	}
	if dot := bytes.LastIndexByte(d, '.'); dot > 0 && len(d)-dot <= 6 && staticFiles[string(bytes.ToLower(d[dot+1:]))] {
		return form{}
	}
	numbers, long, start, pieces := 0, 0, 0, 0
	found := form{}
	for i := 0; i <= len(d); i++ {
		if i < len(d) && charOf[d[i]]&(chDigit|chLower|chUpper) != 0 {
			continue
		}
		piece := d[start:i]
		start = i + 1
		if len(piece) == 0 {
			continue
		}
		pieces++
		if pieces > 16 {
			return form{}
		}
		var all uint16
		for _, c := range piece {
			all |= charOf[c]
		}
		switch {
		case all == chDigit:
			if len(piece) >= 8 {
				numbers++
				long += len(piece)
			}
			if pieces == 2 && i == len(d) && len(d)-len(piece) < 8 && d[len(d)-len(piece)-1] == '.' {
				return form{} // a number with decimals
			}
			if f := decimalForm(piece); f.kind == "imei" || f.kind == "decimal" && pieces <= 3 && len(piece) >= 15 {
				found = f.with(found)
			}
		case len(piece) >= 12 && all&^(chDigit|chHexLower|chLower) == 0 && isHexDigits(piece), len(piece) >= 12 && all&^(chDigit|chHexUpper|chUpper) == 0 && isHexDigits(piece):
			if f := hexForm(piece); f.kind != "" {
				found = f.with(found)
			}
		case len(piece) >= 12 && isRandom(piece, all):
			found = form{kind: "token", bits: 6 * len(piece)}.with(found)
		}
	}
	if found.kind == "" && len(d) > 36 {
		// A UUID behind a word falls to pieces above.
		for i := 0; i+36 <= len(d); i++ {
			if d[i+8] == '-' && d[i+13] == '-' && (i == 0 || charOf[d[i-1]]&(chDigit|chHexLower|chHexUpper) == 0) {
				if f := uuidForm(d[i : i+36]); f.kind != "" {
					return form{kind: "token", bits: f.bits}
				}
			}
		}
	}
	switch {
	case found.kind != "":
		return form{kind: "token", bits: min(found.bits, 6*len(d))}
	case numbers >= 2 && pieces <= 6:
		return form{kind: "token", bits: decimalBits(long)}
	}
	return form{}
}

// hasRun says that n letters and digits follow each other in d.
func hasRun(d []byte, n int) bool {
	run := 0
	for _, c := range d {
		if charOf[c]&(chDigit|chLower|chUpper) == 0 {
			run = 0
		} else if run++; run == n {
			return true
		}
	}
	return false
}

// with returns f with the bits of another piece of the same value.
func (f form) with(g form) form {
	f.bits += g.bits
	return f
}

// normal writes a value so that equal ones compare equal.
func (f form) normal(d []byte) string {
	switch f.kind {
	case "uuid", "uuid1", "uuid3", "uuid4", "uuid5", "uuid6", "uuid7", "mac":
		out := make([]byte, 0, 32)
		for _, c := range d {
			if charOf[c]&(chDigit|chHexLower|chHexUpper) != 0 {
				out = append(out, c)
			}
		}
		d = bytes.ToLower(out)
	case "hex", "hex64", "objectid":
		d = bytes.ToLower(d)
		if d[0] == '0' && len(d) > 2 && d[1] == 'x' {
			d = d[2:]
		}
	case "email":
		d = bytes.ToLower(d)
	case "ulid":
		d = bytes.ToUpper(d)
	case "phone":
		out := make([]byte, 0, 16)
		for _, c := range d {
			if c-'0' < 10 || c == '+' {
				out = append(out, c)
			}
		}
		d = out
	}
	if len(d) > maxValue || f.kind == "jwt" {
		sum := sha256.Sum256(d)
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return string(d)
}
