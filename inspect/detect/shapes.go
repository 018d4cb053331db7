package detect

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"constat/inspect"
	"constat/proxy/flow"
)

// phoneShape is what a value looks like when it may be a telephone number.
type phoneShape uint8

const (
	notPhone  phoneShape = iota
	wordPhone            // letters, as companies send under: at most 11 characters (3GPP TS 23.040 section 9.1.2.5)
	shortCode            // 3 to 6 digits
	bareDigits
	fullPhone // a plus, a leading zero, separators or masked digits
)

// shapeOfPhone looks at the first number of a list.
func shapeOfPhone(b []byte) phoneShape {
	if i := bytes.IndexAny(b, ";,"); i > 0 {
		b = b[:i]
	}
	b = bytes.TrimSpace(b)
	b = bytes.TrimPrefix(b, []byte("tel:"))
	if len(b) == 0 || len(b) > 24 {
		return notPhone
	}
	digits, letters, separators, masks := 0, 0, 0, 0
	for i, c := range b {
		switch {
		case c-'0' < 10:
			digits++
		case c == '+' && i == 0, c == ' ', c == '-', c == '(', c == ')', c == '.':
			separators++
		case c == '*' || c == 'X' && digits > 1:
			masks++
		case c|0x20-'a' < 26, c == '&', c == '_', c >= 0x80:
			letters++
		default:
			return notPhone
		}
	}
	switch {
	case letters > 0:
		if masks > 0 || len(b) > 11 && utf8.RuneCount(b) > 11 {
			return notPhone
		}
		return wordPhone
	case masks > 0:
		if digits >= 3 && digits+masks >= 7 && digits+masks <= 15 {
			return fullPhone
		}
		return notPhone
	case digits >= 3 && digits <= 6 && separators == 0:
		return shortCode
	case digits < 7 || digits > 15 || looksLikeDate(b):
		return notPhone
	case b[0] == '+', b[0] == '0', separators > 1:
		return fullPhone
	}
	return bareDigits
}

// looksLikeDate tells 2014-07-31 and 31.07.2014 from numbers.
func looksLikeDate(b []byte) bool {
	if len(b) == 10 && b[2] == b[5] && (b[2] == '-' || b[2] == '.' || b[2] == ' ' || b[2] == '/') {
		// 31-07-2014
		return allDigits(b[:2]) && allDigits(b[3:5]) && (string(b[6:8]) == "19" || string(b[6:8]) == "20") && allDigits(b[8:]) && b[0] <= '3' && b[3] <= '3'
	}
	return len(b) >= 10 && (b[4] == '-' && b[7] == '-' || b[2] == '.' && b[5] == '.' && (len(b) == 10 || b[10] == ' ' || b[10] == 'T' || b[10] == ','))
}

// isInstant says that p can be a point in time: a count of seconds or finer
// since 1970, or a written date.
func isInstant(p *inspect.Part) bool {
	digits := 0
	for _, c := range p.Data {
		if c-'0' < 10 {
			digits++
		}
	}
	if digits == len(p.Data) {
		return digits >= 9 && digits <= 19
	}
	return digits >= 3 && len(p.Data) >= 6 && len(p.Data) <= 48
}

// isSmall says that p is a number of one or two digits, perhaps negative, or a
// truth value.
func isSmall(p *inspect.Part) bool {
	if p.Kind == inspect.Bool {
		return true
	}
	d := bytes.TrimPrefix(p.Data, []byte("-"))
	return len(d) > 0 && len(d) <= 2 && allDigits(d) || string(d) == "true" || string(d) == "false"
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	return len(b) > 0
}

// isProse says that b is something a person could have written: printable text
// that is not a number, an address on the web, or another structure.
func isProse(b []byte) bool {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || !utf8.Valid(b) {
		return false
	}
	for _, start := range []string{"{\"", "[{", "[\"", "<?xml", "<!doctype", "<html", "<div"} {
		if b[0] == start[0] && len(b) >= len(start) && equalFold(string(b[:len(start)]), start) {
			return false
		}
	}
	if len(b) > 8 && (bytes.HasPrefix(b, []byte("http://")) || bytes.HasPrefix(b, []byte("https://"))) && bytes.IndexByte(b, ' ') < 0 {
		return false
	}
	// Long runs without a space are tokens, unless they are words of a script
	// that does not put spaces.
	return len(b) < 40 || bytes.ContainsAny(b, " \n\u3000") || !ascii(b)
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// sentence measures how much a text is a sentence: its length in characters,
// an ideograph counting twice, and whether it has several words.
func sentence(b []byte) (length int, words bool) {
	spaces := 0
	for _, r := range string(b) {
		if r > ' ' && r < 0x7f {
			length++
			continue
		}
		switch {
		case r == ' ', r == '\n', r == '\t':
			spaces++
			length++
		case r >= 0x2e80, r >= 0x0e00 && r < 0x0e80:
			length += 2
			words = words || length >= 8
		case unicode.IsPrint(r):
			length++
		}
	}
	return length, words || spaces >= 2
}

// containsFold says whether s contains the lower-case ASCII word.
func containsFold(s, word string) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		if s[i]|0x20 == word[0] && equalFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

func equalFold(s, word string) bool {
	for i := range len(s) {
		c := s[i]
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// route says in words which way something went.
func route(p *inspect.Part) string {
	if p.Direction == flow.Up {
		return "went up to this host"
	}
	return "came down from this host"
}
