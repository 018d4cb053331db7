package decode

import (
	"encoding/binary"
	"unicode/utf8"

	"constat/inspect"
)

// First bytes of decoders.
const (
	blanks   = "\t\n\v\f\r "
	digits10 = "0123456789"
	uppers   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lowers   = "abcdefghijklmnopqrstuvwxyz"
)

// Classes of bytes, as bits of class.
const (
	b64   = 1 << iota // standard and URL-safe base64, without padding
	hexa              // hexadecimal digit
	digit             // decimal digit
	upper             // A-Z
	lower             // a-z
	graph             // printable ASCII but space
	keyed             // may stand in the name of a form field as it is or escaped
	ctrl              // control character that is not white space
)

var class = func() (t [256]uint8) {
	for c := range 256 {
		switch c := byte(c); {
		case c >= '0' && c <= '9':
			t[c] = b64 | digit | hexa | graph | keyed
		case c >= 'A' && c <= 'Z':
			t[c] = b64 | upper | graph | keyed
		case c >= 'a' && c <= 'z':
			t[c] = b64 | lower | graph | keyed
		case c > ' ' && c < 0x7f:
			t[c] = graph
		case c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b, c == 0x7f:
			t[c] = ctrl
		}
	}
	for _, c := range "abcdefABCDEF" {
		t[c] |= hexa
	}
	for _, c := range "+/-_" {
		t[c] |= b64
	}
	for _, c := range "_-.[]$%~*!@:+" {
		t[c] |= keyed
	}
	return t
}()

// looksText says that b is valid UTF-8 but for a character cut off at its end,
// without control characters.
func looksText(b []byte) bool {
	ascii := true
	for _, c := range b {
		if class[c]&ctrl != 0 {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if ascii || utf8.Valid(b) {
		return true
	}
	for n := 1; n < utf8.UTFMax && n < len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			return !utf8.FullRune(tail) && utf8.Valid(b[:len(b)-n])
		}
	}
	return false
}

// interesting says that the outcome of a guessed decoding means something:
// text, a format with magic bytes, or a message without any that is as senders
// write it.
func interesting(b []byte) bool {
	if looksText(b) {
		return true
	}
	return len(b) >= 12 && inspect.Recognise(b) != "" || zlibHeader(b) || looksProtobuf(b) || looksPacked(b) || isPDU(b) || isUTF16(b)
}

// isUTF16 says that b begins as text in UTF-16 that is mostly ASCII.
func isUTF16(b []byte) bool {
	const sample = 256
	return len(b) >= 8 && (b[0] == 0) != (b[1] == 0) && zeroBytes(b[:min(len(b), sample)&^1]) != ""
}

// zlibHeader says that b begins as compressors begin a zlib stream.
func zlibHeader(b []byte) bool {
	return len(b) >= 16 && b[0] == 0x78 && (b[1] == 0x01 || b[1] == 0x5e || b[1] == 0x9c || b[1] == 0xda)
}

// isASCII looks at eight bytes at a time.
func isASCII(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
