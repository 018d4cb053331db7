package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unicode"
	"unicode/utf8"

	"constat/inspect"
)

// Bounds on what is quoted of a part, in bytes.
const (
	around    = 220  // before and after the match
	matchText = 1200 // of the match
	rowBytes  = 16
	matchDump = 16 * rowBytes
)

// quote shows data[start:end] among the bytes around it; both 0 means all of data.
func quote(data []byte, start, end int) *Quote {
	if start < 0 || end > len(data) || start > end || start == end {
		start, end = 0, len(data)
	}
	sum := sha256.Sum256(data)
	q := &Quote{Start: start, Size: len(data), SHA256: hex.EncodeToString(sum[:])}
	if !quoteText(q, data, start, end) {
		quoteDump(q, data, start, end)
	}
	return q
}

// quoteAbove shows a part that decided as a whole inside the layer above it, where it
// stands among its neighbours. It returns nil when the part is not there as it is,
// once, in text.
func quoteAbove(part *inspect.Part) *Quote {
	const least = 6 // bytes; shorter ones stand anywhere
	above := part.Parent
	if above == nil || len(part.Data) < least || len(part.Data) > matchText || bytes.Count(above.Data, part.Data) != 1 {
		return nil
	}
	at := bytes.Index(above.Data, part.Data)
	q := quote(above.Data, at, at+len(part.Data))
	if !q.Text {
		return nil
	}
	own := quote(part.Data, 0, 0)
	q.Above, q.Start, q.Size, q.SHA256 = true, own.Start, own.Size, own.SHA256
	return q
}

// quoteText fills q in as text, unless the bytes are none.
func quoteText(q *Quote, data []byte, start, end int) bool {
	from, to := max(0, start-around), min(len(data), end+around)
	for from > 0 && from < start && !utf8.RuneStart(data[from]) {
		from++
	}
	for to < len(data) && to > end && !utf8.RuneStart(data[to]) {
		to--
	}
	match, tail := data[start:end], []byte(nil)
	if len(match) > matchText {
		head := matchText * 3 / 4
		for head > 0 && !utf8.RuneStart(match[head]) {
			head--
		}
		back := len(match) - matchText/4
		for back < len(match) && !utf8.RuneStart(match[back]) {
			back++
		}
		q.CutInside = back - head
		match, tail = match[:head], match[back:]
	}
	for _, piece := range [][]byte{data[from:start], match, tail, data[end:to]} {
		if !isText(piece) {
			q.CutInside = 0
			return false
		}
	}
	q.Text = true
	q.CutBefore, q.CutAfter = from > 0, to < len(data)
	q.Before, q.After = visible(data[from:start]), visible(data[end:to])
	q.Match = visible(match)
	if q.CutInside > 0 {
		q.Tail = visible(tail)
	}
	return true
}

// isText reports whether b is UTF-8 with few control characters.
func isText(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	odd := 0
	for _, r := range string(b) {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			odd++
		}
	}
	return odd <= 2+len(b)/50
}

// visible replaces what cannot be seen, or turns the direction of text, by pictures of
// it (Unicode block Control Pictures) or its number.
func visible(b []byte) string {
	out := make([]rune, 0, len(b))
	for _, r := range string(b) {
		switch {
		case r == '\n' || r == '\t':
			out = append(out, r)
		case r == '\r':
		case r < ' ':
			out = append(out, 0x2400+r)
		case r == 0x7f:
			out = append(out, 0x2421)
		case hidden(r):
			out = append(out, []rune(numbered(r))...)
		default:
			out = append(out, r)
		}
	}
	return string(out)
}

// hidden reports whether r cannot be seen or changes how its neighbours are shown. The
// joiners of emoji and of Indic scripts are left alone.
func hidden(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != 0x200c && r != 0x200d)
}

func numbered(r rune) string { return fmt.Sprintf("⟨U+%04X⟩", r) }

// unhide replaces hidden characters by their numbers, wherever they stand.
func unhide(page []byte) []byte {
	if bytes.IndexFunc(page, hidden) < 0 {
		return page
	}
	var out bytes.Buffer
	for _, r := range string(page) {
		if hidden(r) {
			out.WriteString(numbered(r))
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}

// quoteDump fills q in as a hexadecimal dump of the match and a little before and
// after it.
func quoteDump(q *Quote, data []byte, start, end int) {
	shown := min(end, start+matchDump)
	from := max(0, start/rowBytes*rowBytes-2*rowBytes)
	to := min(len(data), (shown+rowBytes-1)/rowBytes*rowBytes+2*rowBytes)
	if shown < end {
		q.CutInside = end - shown
		to = min(shown, len(data))
	}
	q.CutBefore, q.CutAfter = from > 0, to < len(data)
	for row := from; row < to; row += rowBytes {
		r := DumpRow{Offset: fmt.Sprintf("%08x", row)}
		for i := row; i < min(row+rowBytes, to); i++ {
			c := "·"
			if data[i] > ' ' && data[i] < 0x7f {
				c = string(rune(data[i]))
			}
			r.Cells = append(r.Cells, DumpCell{hex.EncodeToString(data[i : i+1]), c, i >= start && i < end})
		}
		q.Dump = append(q.Dump, r)
	}
}
