package decode

import (
	"unicode/utf8"

	"constat/inspect"
)

// Narrow turns text whose characters are bytes, which JavaScript calls a binary
// string, into the bytes: senders that compress into a string and send that as
// text write each byte above 0x7f as two. It looks at what would then begin with
// the magic bytes of gzip, zlib, JPEG or PNG.
var Narrow = inspect.Decoder{
	Name:   "narrow",
	Doc:    "turns text whose characters are bytes (infra.spec.whatwg.org, isomorphic decode) into the bytes",
	Min:    12,
	First:  "\x1fx\xc2\xc3",
	Holds:  inspect.NonASCII,
	Decode: decodeNarrow,
}

var wideMagics = []string{
	"\x1f\u008b\x08", "x\u009c", "x\u00da", "\u00ff\u00d8\u00ff", "\u0089PNG",
}

func decodeNarrow(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if c := d[0]; c != 0x1f && c != 'x' && c != 0xc3 && c != 0xc2 {
		return nil, nil
	}
	found := false
	for _, m := range wideMagics {
		found = found || len(d) > len(m) && string(d[:len(m)]) == m
	}
	if !found {
		return nil, nil
	}
	controls := 0
	for b := d; len(b) > 0; {
		r, n := utf8.DecodeRune(b)
		if r > 0xff || r == utf8.RuneError {
			return nil, nil
		}
		if r < ' ' && class[r]&ctrl != 0 || r >= 0x7f && r < 0xa0 {
			controls++
		}
		b = b[n:]
	}
	if controls*20 < len(d) { // text: "xÚ" begins words
		return nil, nil
	}
	if !w.Take(len(d)) {
		return nil, inspect.ErrBytes
	}
	out := make([]byte, 0, len(d))
	for _, r := range string(d) {
		out = append(out, byte(r))
	}
	return []inspect.Child{{Name: p.Name, Data: out}}, nil
}
