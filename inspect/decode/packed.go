package decode

import (
	"math"
	"strconv"
	"unicode/utf8"

	"constat/inspect"
)

// What is common to MessagePack and CBOR: both write the values of JSON, and
// bytes, as a type and a length followed by the content. The argument of a value
// is that which JSON would give it; of documents one after another the first is
// [0].

// A token is a value, or the head of a container, on the wire.
type token struct {
	kind  tokenKind
	data  []byte // of strings and bytes, and numbers as text
	value uint64 // of whole numbers that are not negative
	x     float64
	items int    // of containers: values, or pairs; negative when a break ends them
	media string // of bytes, when it is said
	bits  int    // what else speaks for the format
	made  int    // bytes of data that are not shared with the input
}

type tokenKind uint8

const (
	tokenBroken tokenKind = iota
	tokenNull
	tokenBool
	tokenInt
	tokenFloat
	tokenText
	tokenBytes
	tokenArray
	tokenMap
	tokenBreak // ends a container of unknown length
)

const (
	packedEvidence = 20   // bits that convince of what was not declared
	packedSkip     = 4096 // levels that are passed over without being taken apart
)

// packed takes documents apart of which next reads the tokens.
type packed struct {
	d      []byte
	next   func(d []byte, at int) (token, int)
	media  string // of the format
	at     int
	bits   int // what speaks for the format
	keys   int // strings that are keys
	made   int
	medias map[int]string // of values, by number
	places *places
	levels []packedLevel

	hinted   bool
	sequence bool // the outermost container is that of documents one after another
}

type packedLevel struct {
	left int // values or pairs, negative until a break
	keys bool
}

// take takes p apart. It returns nothing when p was not declared and does not
// convince.
func (k *packed) take(w *inspect.Work, p *inspect.Part, hinted bool) ([]inspect.Child, error) {
	if hinted && (looksText(p.Data[:min(len(p.Data), 64)]) || codingOf(p.Data) != "") { // declared, and something else
		return nil, nil
	}
	k.d = p.Data
	err := k.document(w.Parts(), hinted)
	defer k.places.done()
	if !hinted && !k.convinces(err) {
		return nil, nil
	}
	if !w.Take(k.made) {
		return nil, inspect.ErrBytes
	}
	children := k.places.children(w)
	for i, media := range k.medias {
		children[i].Media = media
	}
	return children, err
}

// looksPacked says that b is MessagePack or CBOR beyond doubt.
func looksPacked(b []byte) bool {
	for _, k := range []packed{{next: nextMessagePack}, {next: nextCBOR}} {
		if len(b) < 6 || b[0] <= 0x80 {
			break
		}
		k.d = b
		err := k.document(1000, false)
		k.places.done()
		if k.convinces(err) {
			return true
		}
	}
	return false
}

// convinces says whether what was not declared counts.
func (k *packed) convinces(err error) bool {
	return (err == nil || err == inspect.ErrParts) && k.bits >= packedEvidence && k.keys > 0
}

// document reads all of k.d. Somebody must call k.places.done.
func (k *packed) document(most int, hinted bool) error {
	k.start(most)
	k.hinted = hinted
	err := k.value()
	if err == nil && k.at < len(k.d) && (hinted || k.bits >= packedEvidence) { // a later document cannot make up for the first
		k.places.done()
		k.start(most)
		k.open(token{kind: tokenArray, items: -1})
		k.sequence = true
		err = k.all()
	}
	if err == nil && k.at < len(k.d) {
		err = errField
	}
	k.bits += 3 // for having come out even
	return err
}

func (k *packed) start(most int) {
	k.at, k.bits, k.keys, k.made, k.medias, k.levels = 0, 0, 0, 0, nil, k.levels[:0]
	k.places = newPlaces(most)
}

// value reads one value, a container with all that is in it.
func (k *packed) value() error {
	if err := k.item(); err != nil {
		return err
	}
	return k.all()
}

// all reads to the end of the containers that are open.
func (k *packed) all() error {
	for len(k.levels) > 0 {
		top := &k.levels[len(k.levels)-1]
		if top.left == 0 {
			k.places.end()
			k.levels = k.levels[:len(k.levels)-1]
			continue
		}
		if top.left < 0 {
			if k.sequence && len(k.levels) == 1 && k.at == len(k.d) {
				k.places.end()
				k.levels = k.levels[:0]
				return nil
			}
			if t, next := k.next(k.d, k.at); t.kind == tokenBreak {
				k.at, top.left = next, 0
				continue
			}
		} else {
			top.left--
		}
		if !top.keys {
			k.places.element()
		} else if err := k.key(); err != nil {
			return err
		}
		if err := k.item(); err != nil {
			return err
		}
	}
	return nil
}

func (k *packed) key() error {
	t, next := k.next(k.d, k.at)
	if next < 0 {
		return errField
	}
	switch t.kind {
	case tokenText:
		k.keys++
		k.bits += 3 + weighText(t.data)
	case tokenInt:
	case tokenBytes:
		if len(t.data) > 0 && !looksText(t.data) {
			t.data = strconv.AppendQuoteToASCII(nil, string(t.data[:min(len(t.data), pbKey)]))
		}
	case tokenBool, tokenNull, tokenFloat:
		k.bits -= 8 // allowed, and nobody does
	default:
		return errField
	}
	k.at = next
	k.places.field(t.data)
	return nil
}

// item reads a value, of a container the head only.
func (k *packed) item() error {
	start := k.at
	t, next := k.next(k.d, k.at)
	if next < 0 {
		return errField
	}
	if k.sequence && !k.hinted && len(k.levels) == 1 && t.kind != tokenArray && t.kind != tokenMap {
		return errField // letters are numbers
	}
	k.at = next
	k.bits += t.bits
	k.made += t.made
	kind := inspect.Bytes
	switch t.kind {
	case tokenNull:
		kind, t.data = inspect.Null, []byte("null")
		k.bits += 2
	case tokenBool:
		kind = inspect.Bool
		k.bits += 4
	case tokenInt:
		kind = inspect.Number
		if isTime(t.value) {
			k.bits += 8
		}
	case tokenFloat:
		kind = inspect.Number
		if plausible(t.x, 1e-6, 1e9) {
			k.bits += 4
		}
	case tokenText:
		if utf8.Valid(t.data) {
			kind = inspect.Text
		}
		k.bits += weighText(t.data)
	case tokenBytes:
		if t.media != "" {
			if k.medias == nil {
				k.medias = make(map[int]string)
			}
			k.medias[len(k.places.values)] = t.media
		}
	case tokenArray, tokenMap:
		return k.container(t, start)
	default:
		return errField
	}
	if !k.places.value(t.data, kind) {
		return inspect.ErrParts
	}
	return nil
}

// container opens a container, or makes one that stands too deep a value of its
// own, which the decoder sees again.
func (k *packed) container(t token, start int) error {
	size := 1
	if t.kind == tokenMap {
		size = 2
	}
	if t.items > (len(k.d)-k.at)/size { // each takes a byte at least
		return errField
	}
	k.bits += 2
	if t.items == 0 || k.open(t) {
		return nil
	}
	if !k.skip(t) {
		return errField
	}
	if k.medias == nil {
		k.medias = make(map[int]string)
	}
	k.medias[len(k.places.values)] = k.media
	if !k.places.value(k.d[start:k.at:k.at], inspect.Bytes) {
		return inspect.ErrParts
	}
	return nil
}

func (k *packed) open(t token) bool {
	if !k.places.open(t.kind == tokenArray) {
		return false
	}
	k.levels = append(k.levels, packedLevel{t.items, t.kind == tokenMap})
	return true
}

// skip passes over what is in the container t.
func (k *packed) skip(t token) bool {
	left := make([]int, 0, 64)
	for {
		n := t.items
		if t.kind == tokenMap && n > 0 {
			n *= 2
		}
		if t.kind == tokenArray || t.kind == tokenMap {
			if n > len(k.d)-k.at || len(left) == packedSkip {
				return false
			}
			left = append(left, n)
		}
		for len(left) > 0 && left[len(left)-1] == 0 {
			left = left[:len(left)-1]
		}
		if len(left) == 0 {
			return true
		}
		next := 0
		if t, next = k.next(k.d, k.at); next < 0 {
			return false
		}
		k.at = next
		top := &left[len(left)-1]
		switch {
		case t.kind == tokenBreak && *top < 0:
			*top = 0
		case t.kind == tokenBreak:
			return false
		case *top > 0:
			*top--
		}
	}
}

// weighText is what a string says about whether chance made it.
func weighText(b []byte) int {
	const most = 32
	switch {
	case len(b) == 0:
		return 0
	case looksText(b[:min(len(b), most)]):
		return min(len(b), most) * 5 / 4
	}
	return -8
}

// number makes the token of a whole number; negative ones are int64.
func intToken(v uint64, negative bool) token {
	t := token{kind: tokenInt}
	if negative {
		t.data = strconv.AppendInt(nil, int64(v), 10)
	} else {
		t.value, t.data = v, strconv.AppendUint(nil, v, 10)
	}
	t.made = len(t.data)
	return t
}

func floatToken(x float64, size int) token {
	t := token{kind: tokenFloat, x: x}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		t.kind, t.data = tokenNull, []byte("null") // as JSON would have to
		return t
	}
	t.data = strconv.AppendFloat(nil, x, 'f', -1, size)
	t.made = len(t.data)
	return t
}

func boolToken(v bool) token {
	return token{kind: tokenBool, data: strconv.AppendBool(nil, v)}
}
