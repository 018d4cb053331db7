package canary

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/blake2b"
)

// patternsOf lists the plain, encoded and hashed forms of one writing.
// Decoders take most encodings off before a Matcher sees a value; the encoded
// forms catch what stands inside a larger piece that no decoder split.
func patternsOf(canary int, w writing) []pattern {
	var out []pattern
	add := func(form, text string, fold bool) *pattern {
		b := []byte(text)
		if fold {
			b = foldASCII(b)
		}
		out = append(out, pattern{canary: canary, form: form, text: b, fold: fold})
		return &out[len(out)-1]
	}
	if !w.digits {
		p := add(w.form, w.text, w.fold)
		p.word = w.word
		p.near = foldASCII([]byte(w.near))
	}
	if w.near == "" && w.open == 0 && !w.weak && !w.minor {
		for _, e := range encoded(w.text) {
			p := add(w.form+"/"+e.form, e.text, e.fold)
			p.tail, p.tailBits = e.tail, e.tailBits
			if w.digits {
				p.digits, p.offset, p.code = uint8(len(w.text)), e.offset, e.code
			}
		}
	}
	if w.hashed {
		for _, e := range hashed(w.text, w.minor) {
			add(e.form(w.form), e.text, e.fold).word = e.word
		}
	}
	return out
}

// code is an encoded writing.
type code struct {
	form           string
	text           string
	fold           bool
	tail, tailBits uint8 // as in pattern
	offset         uint8
	code           encoding
}

// encoding is how one byte of a writing is written.
type encoding uint8

const (
	asBase64 encoding = 1 + iota
	asHex
	asPercent
	asUTF16LE
	asUTF16BE
	asHexUTF16BE
)

// longer says that the number that p writes between start and end goes on before
// or behind it.
func (p *pattern) longer(data []byte, start, end int) bool {
	digit := func(at int) bool { return at >= 0 && at < len(data) && data[at]-'0' < 10 }
	zero := func(at int) bool { return at >= 0 && at < len(data) && data[at] == 0 }
	switch p.code {
	case asHex:
		return digit(start-1) && digit(start-2) && data[start-2] == '3' || digit(end) && data[end] == '3' && digit(end+1)
	case asHexUTF16BE:
		return end+4 <= len(data) && string(data[end:end+3]) == "003" && digit(end+3) || start >= 4 && string(data[start-4:start-1]) == "003" && digit(start-1)
	case asPercent:
		return digit(end) || digit(start-1) && !(start > 2 && data[start-3] == '%')
	case asUTF16LE:
		return digit(end) && zero(end+1) || digit(start-2) && zero(start-1)
	case asUTF16BE:
		return zero(end) && digit(end+1) || zero(start-2) && digit(start-1)
	case asBase64:
		// Characters of a group before the first that the number decides alone.
		group := start - int([3]uint8{0, 2, 3}[p.offset])
		before, behind := int(p.offset)-1, int(p.offset)+int(p.digits)
		return base64Digit(data, group+4*((before+3)/3-1), (before+3)%3) || base64Digit(data, group+4*(behind/3), behind%3)
	}
	return false
}

// base64Digit says that byte i of the base64 group at data[at:] is a digit.
func base64Digit(data []byte, at, i int) bool {
	if at < 0 || at+i+2 > len(data) {
		return false
	}
	var in, out [4]byte
	n := copy(in[:], data[at:min(at+4, len(data))])
	for j, c := range in[:n] {
		switch c {
		case '-':
			in[j] = '+'
		case '_':
			in[j] = '/'
		case '=':
			n = min(n, j)
		}
	}
	if n < i+2 {
		return false
	}
	m, err := base64.RawStdEncoding.Decode(out[:], in[:n])
	return err == nil && i < m && out[i]-'0' < 10
}

var urlAlphabet = strings.NewReplacer("+", "-", "/", "_")

// leastEncoded is how many characters of base64 a writing must decide alone.
const leastEncoded = 8

// encoded lists s in the encodings that hide it from a plain search.
func encoded(s string) []code {
	var out []code
	for offset := range 3 {
		t, tail, tailBits := aligned(s, offset)
		if len(t) < leastEncoded {
			continue
		}
		out = append(out, code{"base64", t, false, tail, tailBits, uint8(offset), asBase64})
		if u := urlAlphabet.Replace(t); u != t {
			out = append(out, code{"base64url", u, false, tail, tailBits, uint8(offset), asBase64})
		}
	}
	out = append(out, code{form: "hex", text: hex.EncodeToString([]byte(s)), fold: true, code: asHex})
	escaped := []string{url.QueryEscape(s), strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), strings.ReplaceAll(s, "+", "%2B")}
	slices.Sort(escaped)
	for _, t := range slices.Compact(escaped) {
		if t != s {
			out = append(out, code{form: "percent", text: t, fold: true, code: asPercent}, code{form: "percent-twice", text: url.QueryEscape(t), fold: true, code: asPercent})
		}
	}
	if t := jsonEscaped(s); t != s {
		out = append(out, code{form: "json-escaped", text: t, fold: true})
	}
	var le, be []byte
	for _, u := range utf16.Encode([]rune(s)) {
		le = binary.LittleEndian.AppendUint16(le, u)
		be = binary.BigEndian.AppendUint16(be, u)
	}
	return append(out, code{form: "utf16le", text: string(le), code: asUTF16LE}, code{form: "utf16be", text: string(be), code: asUTF16BE},
		code{form: "utf16be/hex", text: hex.EncodeToString(be), fold: true, code: asHexUTF16BE}) // UCS-2 of an SMS PDU: 3GPP TS 23.038
}

// aligned is the part of a longer base64 text that s decides alone, when s
// starts offset bytes into a group of three, and the bits that it decides of
// the character after that.
func aligned(s string, offset int) (text string, tail, tailBits uint8) {
	t := base64.RawStdEncoding.EncodeToString(append(make([]byte, offset), s...))
	if offset > 0 {
		t = t[offset+1:]
	}
	last := s[len(s)-1]
	switch (offset + len(s)) % 3 {
	case 1:
		return t[:len(t)-1], last & 3, 2
	case 2:
		return t[:len(t)-1], last & 15, 4
	}
	return t, 0, 0
}

func jsonEscaped(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		if u < 0x80 {
			b.WriteByte(byte(u))
			continue
		}
		b.WriteString(`\u`)
		h := strconv.FormatUint(uint64(u), 16)
		b.WriteString("0000"[len(h):])
		b.WriteString(h)
	}
	return b.String()
}

// digest is a hashed writing.
type digest struct {
	hash string // "sha256", or "sha256(md5" for a hash of a hash's hex
	enc  string
	text string
	fold bool
	word bool // cut short: the digest goes on where more hex digits follow
}

// form is how people are shown it: "sha256(e164)/hex".
func (d digest) form(writing string) string {
	if inner := strings.Count(d.hash, "("); inner > 0 {
		return d.hash + "(" + writing + "))/" + d.enc
	}
	return d.hash + "(" + writing + ")/" + d.enc
}

var hashes = []struct {
	name string
	sum  func([]byte) []byte
	// usual ones are also found twice over, and for minor writings.
	usual bool
	rare  bool // found in hex and base64 only
}{
	{"md5", func(b []byte) []byte { s := md5.Sum(b); return s[:] }, true, false},
	{"sha1", func(b []byte) []byte { s := sha1.Sum(b); return s[:] }, true, false},
	{"sha224", func(b []byte) []byte { s := sha256.Sum224(b); return s[:] }, false, false},
	{"sha256", func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }, true, false},
	{"sha384", func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }, false, false},
	{"sha512", func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }, false, false},
	{"sha3-256", func(b []byte) []byte { s := sha3.Sum256(b); return s[:] }, false, true},
	{"blake2b-256", func(b []byte) []byte { s := blake2b.Sum256(b); return s[:] }, false, true},
}

// hashed lists the digests of s, the digests of the hex of its MD5, SHA-1 and
// SHA-256, and the ways in which programs cut digests short. A digest with a salt
// or a key is none of them: only who knows the salt can make it.
func hashed(s string, minor bool) []digest {
	var out []digest
	for _, h := range hashes {
		if minor && !h.usual {
			continue
		}
		sum := h.sum([]byte(s))
		for _, d := range digestForms(h.name, sum) {
			if !h.rare && !minor || d.enc == "hex" || d.enc == "base64" && !minor {
				out = append(out, d)
			}
		}
		text := hex.EncodeToString(sum)
		if !minor {
			switch h.name {
			case "md5": // the middle, as many Chinese SDKs shorten it
				out = append(out, digest{h.name, "hex-16", text[8:24], true, true})
			case "sha256":
				out = append(out, digest{h.name, "hex-16", text[:16], true, true}, digest{h.name, "hex-32", text[:32], true, true})
			}
		}
		if h.name == "sha1" {
			// The first 16 characters: how MIUI's components name a device.
			cut := base64.RawURLEncoding.EncodeToString(sum)[:16]
			out = append(out, digest{h.name, "base64url-16", cut, false, false})
		}
		if h.usual && !minor {
			for _, outer := range hashes {
				if outer.usual {
					out = append(out, digest{outer.name + "(" + h.name, "hex", hex.EncodeToString(outer.sum([]byte(text))), true, false})
				}
			}
		}
	}
	return out
}

func digestForms(name string, sum []byte) []digest {
	std, web := base64.RawStdEncoding.EncodeToString(sum), base64.RawURLEncoding.EncodeToString(sum)
	out := []digest{
		{name, "hex", hex.EncodeToString(sum), true, false},
		{name, "base64", std, false, false},
		{name, "raw", string(sum), false, false},
	}
	if web != std {
		out = append(out, digest{name, "base64url", web, false, false})
	}
	return out
}
