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
}

var urlAlphabet = strings.NewReplacer("+", "-", "/", "_")

// encoded lists s in the encodings that hide it from a plain search.
func encoded(s string) []code {
	var out []code
	for offset := range 3 {
		t, tail, tailBits := aligned(s, offset)
		if len(t) < maxWindow {
			continue
		}
		out = append(out, code{"base64", t, false, tail, tailBits})
		if u := urlAlphabet.Replace(t); u != t {
			out = append(out, code{"base64url", u, false, tail, tailBits})
		}
	}
	out = append(out, code{form: "hex", text: hex.EncodeToString([]byte(s)), fold: true})
	for _, t := range []string{url.QueryEscape(s), strings.ReplaceAll(url.QueryEscape(s), "+", "%20")} {
		if t != s {
			out = append(out, code{form: "percent", text: t, fold: true}, code{form: "percent-twice", text: url.QueryEscape(t), fold: true})
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
	return append(out, code{form: "utf16le", text: string(le)}, code{form: "utf16be", text: string(be)},
		code{form: "utf16be/hex", text: hex.EncodeToString(be), fold: true}) // UCS-2 of an SMS PDU: 3GPP TS 23.038
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
