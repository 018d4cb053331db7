package decode

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"unicode/utf8"

	"constat/inspect"
)

// BSON takes documents apart into their values, under the arguments that JSON
// would give them; of documents one after another the first is [0]. An object id
// is given in hexadecimal, as it is everywhere else.
var BSON = inspect.Decoder{
	Name:   "bson",
	Doc:    "takes BSON documents (bsonspec.org, version 1.1) apart into their values",
	Min:    8,
	Sees:   inspect.Binary,
	Decode: decodeBSON,
}

func decodeBSON(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	hinted := p.Coding == "" && p.Media == "application/bson"
	size := uint64(binary.LittleEndian.Uint32(d))
	if size < 5 || size > uint64(len(d)) || d[len(d)-1] != 0 || p.Kind != inspect.Bytes || foreign(p.Media) {
		return nil, nil
	}
	if !hinted && !bsonDocuments(d) {
		return nil, nil
	}
	b := bson{d: d, places: newPlaces(w.Parts())}
	defer b.places.done()
	var err error
	if size == uint64(len(d)) {
		err = b.document()
	} else {
		b.places.open(true)
		for err == nil && b.at < len(d) {
			b.places.element()
			err = b.document()
		}
	}
	if err != nil && (!hinted && err != inspect.ErrParts || len(b.places.values) == 0) {
		return nil, nil
	}
	if !w.Take(b.made) {
		return nil, inspect.ErrBytes
	}
	if err != nil {
		err = broken("bson", err)
	}
	children := b.places.children(w)
	for _, i := range b.deep {
		children[i].Media = "application/bson"
	}
	return children, err
}

// bsonDocuments says that d is documents by their lengths, each of which ends
// as a document does and begins with a field.
func bsonDocuments(d []byte) bool {
	for len(d) > 0 {
		if len(d) < 8 {
			return false
		}
		n := uint64(binary.LittleEndian.Uint32(d))
		if n < 8 || n > uint64(len(d)) || d[n-1] != 0 || d[4] == 0 || d[4] > 0x13 || class[d[5]]&graph == 0 {
			return false
		}
		d = d[n:]
	}
	return true
}

// bson reads documents without recursion.
type bson struct {
	d      []byte
	at     int
	made   int
	deep   []int // values that are documents of their own
	places *places
	levels []bsonLevel
}

type bsonLevel struct {
	end   int
	array bool
}

// document reads the document at b.at.
func (b *bson) document() error {
	b.levels = b.levels[:0]
	if err := b.open(false); err != nil {
		return err
	}
	for len(b.levels) > 0 {
		top := b.levels[len(b.levels)-1]
		if b.at >= top.end {
			return errField
		}
		kind := b.d[b.at]
		b.at++
		if kind == 0 {
			if b.at != top.end {
				return errField
			}
			b.places.end()
			b.levels = b.levels[:len(b.levels)-1]
			continue
		}
		key, _, ok := bytes.Cut(b.d[b.at:top.end], []byte{0})
		if !ok {
			return errField
		}
		b.at += len(key) + 1
		if top.array {
			b.places.element()
		} else {
			b.places.field(key)
		}
		if err := b.value(kind, top.end); err != nil {
			return err
		}
	}
	return nil
}

// open begins the document at b.at, which must end before the one around it. One
// that stands too deep is a value.
func (b *bson) open(array bool) error {
	limit := len(b.d)
	if n := len(b.levels); n > 0 {
		limit = b.levels[n-1].end
	}
	if limit-b.at < 5 {
		return errField
	}
	n := uint64(binary.LittleEndian.Uint32(b.d[b.at:]))
	if n < 5 || n > uint64(limit-b.at) {
		return errField
	}
	end := b.at + int(n)
	if !b.places.open(array) {
		b.deep = append(b.deep, len(b.places.values))
		if !b.places.value(b.d[b.at:end:end], inspect.Bytes) {
			return inspect.ErrParts
		}
		b.at = end
		return nil
	}
	b.levels = append(b.levels, bsonLevel{end, array})
	b.at += 4
	return nil
}

// value reads a value of a type.
func (b *bson) value(kind byte, end int) error {
	sizes := [...]int{0x01: 8, 0x07: 12, 0x08: 1, 0x09: 8, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16}
	rest := b.d[b.at:end]
	size := 0
	if int(kind) < len(sizes) {
		size = sizes[kind]
	}
	if size > len(rest) {
		return errField
	}
	v := rest[:size:size]
	as := inspect.Bytes
	switch kind {
	case 0x01:
		x := math.Float64frombits(binary.LittleEndian.Uint64(v))
		if math.IsNaN(x) || math.IsInf(x, 0) {
			as, v = inspect.Null, []byte("null")
			break
		}
		as, v = inspect.Number, b.make(strconv.AppendFloat(nil, x, 'f', -1, 64))
	case 0x09, 0x12:
		as, v = inspect.Number, b.make(strconv.AppendInt(nil, int64(binary.LittleEndian.Uint64(v)), 10))
	case 0x10:
		as, v = inspect.Number, b.make(strconv.AppendInt(nil, int64(int32(binary.LittleEndian.Uint32(v))), 10))
	case 0x11:
		as, v = inspect.Number, b.make(strconv.AppendUint(nil, binary.LittleEndian.Uint64(v), 10))
	case 0x08:
		if v[0] > 1 {
			return errField
		}
		as, v = inspect.Bool, strconv.AppendBool(nil, v[0] == 1)
	case 0x07:
		as, v = inspect.Text, b.make(hex.AppendEncode(nil, v))
	case 0x13:
	case 0x06, 0x0a, 0x7f, 0xff:
		as, v = inspect.Null, []byte("null")
	case 0x03, 0x04:
		return b.open(kind == 0x04)
	case 0x02, 0x0d, 0x0e:
		n := uint64(0)
		if len(rest) >= 4 {
			n = uint64(binary.LittleEndian.Uint32(rest))
		}
		if n == 0 || n > uint64(len(rest)-4) || rest[3+n] != 0 {
			return errField
		}
		v, size = rest[4:3+n:3+n], int(4+n)
		if utf8.Valid(v) {
			as = inspect.Text
		}
	case 0x05:
		if len(rest) < 5 || uint64(binary.LittleEndian.Uint32(rest)) > uint64(len(rest)-5) {
			return errField
		}
		size = 5 + int(binary.LittleEndian.Uint32(rest))
		v = rest[5:size:size]
	case 0x0b:
		pattern, more, ok := bytes.Cut(rest, []byte{0})
		options, _, ok2 := bytes.Cut(more, []byte{0})
		if !ok || !ok2 {
			return errField
		}
		as, v, size = inspect.Text, pattern, len(pattern)+len(options)+2
	default: // code with a scope and references to other collections, which are deprecated
		return errField
	}
	b.at += size
	if !b.places.value(v, as) {
		return inspect.ErrParts
	}
	return nil
}

func (b *bson) make(v []byte) []byte {
	b.made += len(v)
	return v
}
