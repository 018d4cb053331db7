package decode

import (
	"math"
	"strings"

	"constat/inspect"
)

// CBOR takes CBOR apart into its values, sequences and COSE too; see packed for
// the arguments. Tags are passed over, but for that of a piece of CBOR in bytes,
// which goes on as such. What nobody declared must be a map or an array to its
// last byte, with keys that are strings, and say enough that chance did not make
// it.
var CBOR = inspect.Decoder{
	Name:   "cbor",
	Doc:    "takes CBOR (RFC 8949), its sequences (RFC 8742) and the frame of COSE (RFC 9052) apart into their values",
	Min:    2,
	Sees:   inspect.Binary,
	Decode: decodeCBOR,
}

const (
	cborEncoded = 24    // RFC 8949 section 3.4.5.1
	cborSelf    = 55799 // RFC 8949 section 3.4.6
)

func decodeCBOR(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	if p.Kind != inspect.Bytes {
		return nil, nil
	}
	hinted := false
	if sub, ok := strings.CutPrefix(p.Media, "application/"); ok && p.Coding == "" {
		hinted = sub == "cbor" || sub == "cbor-seq" || sub == "cose" || sub == "cwt" || strings.HasPrefix(sub, "cose-") || strings.HasSuffix(sub, "+cbor") || strings.HasSuffix(sub, "+cbor-seq")
	}
	if d := p.Data; !hinted {
		if c := d[0]; c < 0x81 || c == 0xa0 || c >= 0xc0 && c < 0xc6 || c >= 0xdc || len(d) < 6 || foreign(p.Media) { // arrays, maps, and tags that may stand before them
			return nil, nil
		}
	}
	k := packed{next: nextCBOR, media: "application/cbor"}
	children, err := k.take(w, p, hinted)
	if err != nil {
		err = broken("cbor", err)
	}
	return children, err
}

// nextCBOR reads the token at at, and returns where the next one is, a negative
// number if there is none.
func nextCBOR(d []byte, at int) (token, int) {
	bits, encoded := 0, false
	for {
		major, info, v, next := headCBOR(d, at)
		if next < 0 {
			return token{}, -1
		}
		endless := info == 31
		at = next
		var t token
		switch major {
		case 0:
			t = intToken(v, false)
		case 1:
			t = intToken(^v, true)
			if v > math.MaxInt64 { // less than any int64
				t = intToken(v+1, false)
				if t.data = append([]byte("-"), t.data...); v+1 == 0 {
					t.data = []byte("-18446744073709551616")
				}
			}
		case 2, 3:
			kind := tokenBytes
			if major == 3 {
				kind = tokenText
			}
			if endless {
				t, at = chunksCBOR(d, at, major)
				if at < 0 {
					return token{}, -1
				}
				t.kind = kind
				break
			}
			if v > uint64(len(d)-at) {
				return token{}, -1
			}
			end := at + int(v)
			t, at = token{kind: kind, data: d[at:end:end]}, end
		case 4, 5:
			t.kind, t.items = tokenArray, -1
			if major == 5 {
				t.kind = tokenMap
			}
			if !endless {
				if v > uint64(len(d)-at) {
					return token{}, -1
				}
				t.items = int(v)
			}
		case 6:
			switch v {
			case cborSelf:
				bits += packedEvidence
			case cborEncoded:
				encoded = true
			default:
				bits -= 2
			}
			continue
		case 7:
			if t, at = simpleCBOR(d, at, info, v); at < 0 {
				return token{}, -1
			}
		}
		t.bits = max(bits, -64) // of a chain of tags, too
		if encoded && t.kind == tokenBytes {
			t.media = "application/cbor"
		}
		return t, at
	}
}

// headCBOR reads the head of a data item (RFC 8949 section 3).
func headCBOR(d []byte, at int) (major, info byte, v uint64, next int) {
	if at >= len(d) {
		return 0, 0, 0, -1
	}
	major, info = d[at]>>5, d[at]&31
	at++
	switch {
	case info < 24:
		return major, info, uint64(info), at
	case info < 28:
		n := 1 << (info - 24)
		if len(d)-at < n {
			return 0, 0, 0, -1
		}
		for _, c := range d[at : at+n] {
			v = v<<8 | uint64(c)
		}
		return major, info, v, at + n
	case info == 31 && major >= 2 && major != 6:
		return major, info, 0, at
	}
	return 0, 0, 0, -1
}

// chunksCBOR puts the pieces of a string of unknown length together.
func chunksCBOR(d []byte, at int, major byte) (token, int) {
	var t token
	for {
		m, info, v, next := headCBOR(d, at)
		if next >= 0 && m == 7 && info == 31 {
			t.made = len(t.data)
			return t, next
		}
		if next < 0 || m != major || info == 31 || v > uint64(len(d)-next) {
			return t, -1
		}
		t.data = append(t.data, d[next:next+int(v)]...)
		at = next + int(v)
	}
}

// simpleCBOR reads what is in major type 7 (RFC 8949 section 3.3).
func simpleCBOR(d []byte, at int, info byte, v uint64) (token, int) {
	switch info {
	case 20, 21:
		return boolToken(info == 21), at
	case 22, 23:
		return token{kind: tokenNull}, at
	case 25:
		return floatToken(halfFloat(uint16(v)), 32), at
	case 26:
		return floatToken(float64(math.Float32frombits(uint32(v))), 32), at
	case 27:
		return floatToken(math.Float64frombits(v), 64), at
	case 31:
		return token{kind: tokenBreak}, at
	case 28, 29, 30:
		return token{}, -1
	}
	if info == 24 && v < 32 {
		return token{}, -1
	}
	t := intToken(v, false) // a simple value that nobody has defined
	t.bits = -8
	return t, at
}

// halfFloat is the value of 16 bits of IEEE 754.
func halfFloat(v uint16) float64 {
	exp, frac := int(v>>10&31), float64(v&1023)
	x := math.Ldexp(1024+frac, exp-25)
	switch exp {
	case 0:
		x = math.Ldexp(frac, -24)
	case 31:
		x = math.Inf(1)
		if frac != 0 {
			x = math.NaN()
		}
	}
	if v&0x8000 != 0 {
		return -x
	}
	return x
}
