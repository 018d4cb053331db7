package detect

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// bare holds what letters beyond ASCII are without case and diacritics, for
// those below 0x2000: é is e, Д is д. Letters of several are in bareLong.
var bare = func() (t [0x2000]rune) {
	for r := rune(0x80); r < rune(len(t)); r++ {
		to := unicode.ToLower(r)
		latin := r < 0x250 || r >= 0x1e00 && r < 0x1f00
		if d, _ := utf8.DecodeRuneInString(norm.NFD.String(string(to))); latin && d < 0x80 || r >= 0x370 && r < 0x400 {
			to = unicode.ToLower(d)
		}
		if unicode.Is(unicode.Mn, r) && (r < 0x370 || r >= 0x590 && r < 0x700) || unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsControl(r) {
			to = 0 // accents, vowel points
		}
		t[r] = to
	}
	for r, to := range map[rune]rune{
		'ł': 'l', 'Ł': 'l', 'đ': 'd', 'Đ': 'd', 'ø': 'o', 'Ø': 'o', 'ı': 'i', 'İ': 'i', 'ħ': 'h', 'ŧ': 't', 'ё': 'е', 'Ё': 'е', 'ς': 'σ',
		'أ': 'ا', 'إ': 'ا', 'آ': 'ا', 'ى': 'ي', 'ة': 'ه', 'ی': 'ي', 'ک': 'ك', 0x640: 0, 0x93c: 0, 0x958: 0x915, 0x95b: 0x91c, 0x95c: 0x921, 0x95d: 0x922, 0x95e: 0x92b, 'º': 0, 'ª': 0, '°': 0,
	} {
		t[r] = to
	}
	return t
}()

var bareLong = map[rune]string{'ß': "ss", 'æ': "ae", 'Æ': "ae", 'œ': "oe", 'Œ': "oe", 'þ': "th", 'Þ': "th"}

// foldRune appends r to w[:n], as squeeze writes it: without case and
// diacritics. It returns -1 when there is no room.
func foldRune(w *[maxName]byte, n int, r rune) int {
	switch {
	case r == utf8.RuneError:
		return n
	case r < rune(len(bare)):
		if r < 0x160 && bareLong[r] != "" {
			long := bareLong[r]
			if n+len(long) > maxName {
				return -1
			}
			return n + copy(w[n:], long)
		}
		r = bare[r]
	case r >= 0xff01 && r <= 0xff5e: // letters and digits as wide as ideographs
		if r -= 0xff01 - '!'; unicode.IsUpper(r) {
			r += 'a' - 'A'
		} else if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			r = 0
		}
	case r < 0x2100 || r >= 0x3000 && r < 0x3004 || r >= 0x3008 && r < 0x3012 || r == 0x30fb || r >= 0xfe00 && r < 0xff01:
		r = 0 // spaces, punctuation, selectors
	}
	if r == 0 {
		return n
	}
	if n+utf8.RuneLen(r) > maxName {
		return -1
	}
	return n + utf8.EncodeRune(w[n:], r)
}

// folded is a word as squeeze writes names, "" when it is too long for one.
func folded(word string) string {
	var buf [maxName]byte
	return string(squeeze(&buf, word))
}
