package decode

import (
	"encoding/binary"
	"math"
	"strings"

	"constat/inspect"
)

// MessagePack takes MessagePack apart into its values; see packed for the
// arguments. What nobody declared must be a map or an array to its last byte,
// with keys that are strings, and say enough that chance did not make it. The
// length that SignalR puts in front is passed over.
var MessagePack = inspect.Decoder{
	Name:   "msgpack",
	Doc:    "takes MessagePack (github.com/msgpack/msgpack/blob/master/spec.md) apart into its values",
	Min:    2,
	Sees:   inspect.Binary,
	Decode: decodeMessagePack,
}

func decodeMessagePack(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	if p.Kind != inspect.Bytes {
		return nil, nil
	}
	hinted := p.Coding == "" && (strings.HasSuffix(p.Media, "msgpack") || strings.HasSuffix(p.Media, "messagepack"))
	d := p.Data
	if !hinted {
		if d[0] < 0x80 { // the length of what follows
			if int(d[0]) != len(d)-1 {
				return nil, nil
			}
			d = d[1:]
		}
		if c := d[0]; !(c > 0x80 && c <= 0x9f && c != 0x90) && !(c >= 0xdc && c <= 0xdf) || len(d) < 6 || foreign(p.Media) {
			return nil, nil
		}
	}
	k := packed{next: nextMessagePack, media: "application/msgpack"}
	if len(d) != len(p.Data) {
		q := *p
		q.Data = d
		p = &q
	}
	children, err := k.take(w, p, hinted)
	if err != nil {
		err = broken("msgpack", err)
	}
	return children, err
}

// nextMessagePack reads the token at at, and returns where the next one is, a
// negative number if there is none.
func nextMessagePack(d []byte, at int) (token, int) {
	if at >= len(d) {
		return token{}, -1
	}
	c := d[at]
	at++
	size := func(bytes int) (int, bool) { // the number in the next bytes
		if len(d)-at < bytes {
			return 0, false
		}
		n := 0
		for _, c := range d[at : at+bytes] {
			n = n<<8 | int(c)
		}
		at += bytes
		return n, n >= 0
	}
	span := func(kind tokenKind, n int, ok bool) (token, int) {
		if !ok || n > len(d)-at {
			return token{}, -1
		}
		return token{kind: kind, data: d[at : at+n : at+n]}, at + n
	}
	container := func(kind tokenKind, n int, ok bool) (token, int) {
		if !ok {
			return token{}, -1
		}
		return token{kind: kind, items: n}, at
	}
	switch {
	case c < 0x80:
		return intToken(uint64(c), false), at
	case c < 0x90:
		return container(tokenMap, int(c&15), true)
	case c < 0xa0:
		return container(tokenArray, int(c&15), true)
	case c < 0xc0:
		return span(tokenText, int(c&31), true)
	case c >= 0xe0:
		return intToken(uint64(int64(int8(c))), true), at
	}
	switch c {
	case 0xc0:
		return token{kind: tokenNull}, at
	case 0xc2, 0xc3:
		return boolToken(c == 0xc3), at
	case 0xc4, 0xc5, 0xc6: // bin 8, 16, 32
		n, ok := size(1 << (c - 0xc4))
		return span(tokenBytes, n, ok)
	case 0xc7, 0xc8, 0xc9: // ext 8, 16, 32
		n, ok := size(1 << (c - 0xc7))
		return extMessagePack(d, at, n, ok)
	case 0xca, 0xcb: // float 32, 64
		n := 4 << (c - 0xca)
		if len(d)-at < n {
			return token{}, -1
		}
		if n == 4 {
			return floatToken(float64(math.Float32frombits(binary.BigEndian.Uint32(d[at:]))), 32), at + n
		}
		return floatToken(math.Float64frombits(binary.BigEndian.Uint64(d[at:])), 64), at + n
	case 0xcc, 0xcd, 0xce, 0xcf: // uint 8, 16, 32, 64
		return bigEndian(d, at, 1<<(c-0xcc), false)
	case 0xd0, 0xd1, 0xd2, 0xd3: // int 8, 16, 32, 64
		return bigEndian(d, at, 1<<(c-0xd0), true)
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8: // fixext 1, 2, 4, 8, 16
		return extMessagePack(d, at, 1<<(c-0xd4), true)
	case 0xd9, 0xda, 0xdb: // str 8, 16, 32
		n, ok := size(1 << (c - 0xd9))
		return span(tokenText, n, ok)
	case 0xdc, 0xdd: // array 16, 32
		n, ok := size(2 << (c - 0xdc))
		return container(tokenArray, n, ok)
	case 0xde, 0xdf: // map 16, 32
		n, ok := size(2 << (c - 0xde))
		return container(tokenMap, n, ok)
	}
	return token{}, -1 // 0xc1 is never used
}

// extMessagePack reads the type and n bytes of an extension. Type -1 is a time,
// of which the seconds count.
func extMessagePack(d []byte, at, n int, ok bool) (token, int) {
	if !ok || len(d)-at < 1+n {
		return token{}, -1
	}
	kind, b, next := int8(d[at]), d[at+1:at+1+n:at+1+n], at+1+n
	if kind == -1 {
		switch n {
		case 4:
			return intToken(uint64(binary.BigEndian.Uint32(b)), false), next
		case 8:
			return intToken(binary.BigEndian.Uint64(b)&(1<<34-1), false), next
		case 12:
			return intToken(binary.BigEndian.Uint64(b[4:]), true), next
		}
	}
	return token{kind: tokenBytes, data: b}, next
}

// bigEndian reads a number of 1, 2, 4 or 8 bytes.
func bigEndian(d []byte, at, size int, signed bool) (token, int) {
	if len(d)-at < size {
		return token{}, -1
	}
	var v uint64
	for _, c := range d[at : at+size] {
		v = v<<8 | uint64(c)
	}
	if shift := 64 - 8*size; signed {
		v = uint64(int64(v<<shift) >> shift)
		return intToken(v, int64(v) < 0), at + size
	}
	return intToken(v, false), at + size
}
