package decode

import (
	"bytes"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"constat/inspect"
)

// Charset turns text in another character set into UTF-8. The argument is the
// name of the character set: the declared one, by the header or an XML
// declaration, UTF-16 where a byte order mark or
// the zero bytes give it away, and GBK for values that are not UTF-8 and spell
// common Chinese characters in it.
var Charset = inspect.Decoder{
	Name:   "charset",
	Doc:    "turns text in a declared or recognised character set (encoding.spec.whatwg.org) into UTF-8",
	Min:    4,
	Any:    inspect.NonASCII | inspect.Controls,
	Decode: decodeCharset,
}

func decodeCharset(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	name := recogniseCharset(p)
	if name == "" {
		return nil, nil
	}
	e, err := htmlindex.Get(name)
	if err != nil || e == encoding.Replacement {
		return nil, nil
	}
	if name, err = htmlindex.Name(e); err != nil || name == "utf-8" {
		return nil, nil
	}
	out, err := drain(w, e.NewDecoder().Reader(bytes.NewReader(p.Data)), 3*len(p.Data)/2)
	if err != nil {
		err = broken("charset", err)
	}
	out = bytes.TrimPrefix(out, []byte("\ufeff"))
	if len(out) == 0 || bytes.Equal(out, p.Data) {
		return nil, err
	}
	media, _, _ := strings.Cut(p.ContentType, ";")
	return []inspect.Child{{Arg: name, Name: p.Name, ContentType: strings.TrimSpace(media), Kind: p.Kind, Data: out}}, err
}

func recogniseCharset(p *inspect.Part) string {
	d := p.Data
	switch {
	case d[0] == 0xff && d[1] == 0xfe && d[2]|d[3] != 0:
		return "utf-16le"
	case d[0] == 0xfe && d[1] == 0xff:
		return "utf-16be"
	}
	if p.ContentType != "" && p.Coding == "" && strings.Contains(strings.ToLower(p.ContentType), "charset") {
		if _, params, err := mime.ParseMediaType(p.ContentType); err == nil {
			// What is UTF-8 in spite of another declaration stays as it is.
			if name := params["charset"]; name != "" && !(utf8.Valid(d) && bytes.IndexByte(d, 0) < 0) {
				return name
			}
		}
	}
	if d[0] == '<' && bytes.HasPrefix(d, []byte("<?xml")) && !utf8.Valid(d) {
		if name := xmlEncoding(d); name != "" {
			return name
		}
	}
	const sample = 1024
	head := d[:min(len(d), sample)&^1]
	if len(head) >= 8 && (head[0] == 0) != (head[1] == 0) {
		return zeroBytes(head)
	}
	if !isASCII(head) && !utf8.Valid(d) && isGBK(d) {
		return "gbk"
	}
	return ""
}

// xmlEncoding returns the character set that an XML declaration (XML 1.0 section
// 4.3.3) names, "" if none.
func xmlEncoding(d []byte) string {
	const longest = 128
	head, _, ok := bytes.Cut(d[:min(len(d), longest)], []byte("?>"))
	_, after, found := bytes.Cut(head, []byte("encoding"))
	if after = bytes.TrimLeft(after, " \t\r\n="); !ok || !found || len(after) < 2 {
		return ""
	}
	name, _, _ := bytes.Cut(after[1:], after[:1])
	if bytes.HasPrefix(bytes.ToLower(name), []byte("utf-16")) { // which this is not, as it could be read
		return ""
	}
	return string(name)
}

// zeroBytes tells which half of 16-bit units is zero, if one mostly is and the
// other is text.
func zeroBytes(b []byte) string {
	var zero [2]int
	for i, c := range b {
		switch {
		case c == 0:
			zero[i&1]++
		case class[c]&ctrl != 0:
			return ""
		}
	}
	half := len(b) / 2
	switch {
	case zero[0] == 0 && zero[1] >= half*4/5:
		return "utf-16le"
	case zero[1] == 0 && zero[0] >= half*4/5:
		return "utf-16be"
	}
	return ""
}

// isGBK says that d is text in GBK beyond doubt: no control characters, every
// other byte above 0x7f in a pair, nearly all pairs among the characters and
// punctuation of GB 2312, which common text is made of, and at least two.
func isGBK(d []byte) bool {
	pairs, common := 0, 0
	for i := 0; i < len(d); i++ {
		c := d[i]
		if c < utf8.RuneSelf {
			if class[c]&ctrl != 0 {
				return false
			}
			continue
		}
		if i+1 == len(d) {
			break // cut in the middle
		}
		i++
		if c == 0x80 || c == 0xff || d[i] < 0x40 || d[i] == 0x7f || d[i] == 0xff {
			return false
		}
		pairs++
		if (c >= 0xb0 && c <= 0xf7 || c == 0xa1 || c == 0xa3) && d[i] >= 0xa1 {
			common++
		}
	}
	return pairs >= 2 && common*20 >= pairs*19
}
