package compare

import "strings"

// Bounds of a path's template.
const (
	maxSegments = 20
	maxTemplate = 200
	folded      = "{n}"
)

// template folds what differs from request to request out of a path: segments that
// are numbers, UUIDs, hexadecimal, long tokens or mail addresses, and runs of four
// digits and more in others, become {n}. What follows twenty segments or 200 bytes becomes "…".
func template(path string) string {
	var b strings.Builder
	for n := 0; ; n++ {
		segment, rest, more := strings.Cut(path, "/")
		if n == maxSegments || b.Len()+len(segment) > maxTemplate && !foldable(segment) {
			b.WriteString("…")
			break
		}
		if foldable(segment) {
			b.WriteString(folded)
		} else {
			foldDigits(&b, segment)
		}
		if !more {
			break
		}
		b.WriteByte('/')
		path = rest
	}
	return b.String()
}

// foldable reports whether a segment as a whole is a number or an id.
func foldable(s string) bool {
	if strings.Contains(s, "@") || strings.Contains(s, "%40") {
		return true
	}
	var digits, hex, letters, others int
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			hex++
		case c >= 'g' && c <= 'z' || c >= 'G' && c <= 'Z':
			letters++
		case strings.IndexByte("-_=%+~", c) >= 0:
		default:
			others++
		}
	}
	switch {
	case others > 0 || digits == 0:
		return false
	case digits == len(s):
		return true
	case letters == 0 && digits+hex >= 8: // hexadecimal, UUIDs
		return true
	}
	return len(s) >= 24 && digits >= 3 // tokens
}

func foldDigits(b *strings.Builder, s string) {
	const run = 4
	for s != "" {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n >= run {
			b.WriteString(folded)
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
		for n = 0; n < len(s) && (s[n] < '0' || s[n] > '9'); {
			n++
		}
		b.WriteString(s[:n])
		s = s[n:]
	}
}
