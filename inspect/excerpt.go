package inspect

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxExcerpt is the length of the longest excerpt, in characters.
const MaxExcerpt = 160

// longestLook is how many bytes are looked at to fill an excerpt, for the case
// that most of them are white space.
const longestLook = 4 << 10

// Excerpt shows data[start:end], with what is around it where there is room, as
// one line of valid UTF-8 of at most MaxExcerpt characters. White space is
// folded to one space, what does not print is a dot, and what is cut off an
// ellipsis. Bytes that are not text are shown in hexadecimal. A range that is
// empty or not inside data stands for all of data.
func Excerpt(data []byte, start, end int) string {
	if start < 0 || end > len(data) || start >= end {
		start, end = 0, len(data)
	}
	if !mostlyText(data[start:min(end, start+512)]) {
		const most = (MaxExcerpt - len("hex …")) / 2
		out := "hex " + hex.EncodeToString(data[start:min(end, start+most)])
		if end-start > most {
			out += "…"
		}
		return out
	}
	const most = MaxExcerpt - 2 // room for two ellipses
	from := start
	if room := (most - (end - start)) / 2; room > 0 {
		from = max(0, start-min(room, 40))
		for from < start && !utf8.RuneStart(data[from]) {
			from++
		}
		if !mostlyText(data[from:start]) {
			from = start
		}
	}
	var b strings.Builder
	if from > 0 {
		b.WriteString("…")
	}
	count, space, i := 0, false, from
	for i < len(data) && i < from+longestLook && count < most {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case unicode.IsSpace(r):
			i += n
			if !space {
				b.WriteByte(' ')
				count++
			}
			space = true
			continue
		case r == utf8.RuneError && n == 1 || !unicode.IsPrint(r):
			b.WriteByte('.')
		default:
			b.WriteRune(r)
		}
		space = false
		count++
		i += n
	}
	if i < len(data) {
		b.WriteString("…")
	}
	return strings.TrimSpace(b.String())
}

// mostlyText says that b is UTF-8 text but for an odd character here and there.
func mostlyText(b []byte) bool {
	bad, all := 0, 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 && utf8.FullRune(b[i:]) || r < 0x20 && r != '\t' && r != '\n' && r != '\r' {
			bad++
		}
		all++
		i += n
	}
	return bad*8 <= all
}
