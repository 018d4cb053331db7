package canary

import (
	"strings"
	"unicode"
)

// minEntropy is how many bits a text must carry to be proof on its own: at a million texts
// a day, a chance hit takes three thousand years.
const minEntropy = 40

// What one plain word is worth. Sentences are predictable, and greetings are
// sent on word for word by thousands; the words of an address are less so.
const (
	inPassage  = 2 // part of a text that may be a template's
	inSentence = 3
	inAddress  = 6
)

// entropy estimates, in bits and carefully low, how much a text carries: a
// plain word is worth plain and 1 for each letter after the sixth, a digit 3.3,
// a letter of a word in capitals or with digits in it 4.7, an ideograph 2.
func entropy(s string, plain float64) float64 {
	var total float64
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		var letters, digits, wide, upper int
		for _, r := range w {
			switch {
			case unicode.IsDigit(r):
				digits++
			case r >= 0x2e80 && unicode.IsLetter(r):
				wide++
			default:
				letters++
				if unicode.IsUpper(r) {
					upper++
				}
			}
		}
		total += 3.3*float64(digits) + 2*float64(wide)
		switch {
		case letters == 0:
		case digits > 0 || upper == letters && letters > 2:
			total += 4.7 * float64(letters)
		default:
			total += min(plain+max(0, float64(letters)-6), 4.7*float64(letters))
		}
	}
	return total
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

func hexDigits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'f':
			return r
		case r >= 'A' && r <= 'F':
			return r + 'a' - 'A'
		}
		return -1
	}, s)
}

// luhn says whether the last digit is the check digit of the others (ISO/IEC
// 7812-1 annex B).
func luhn(digits string) bool {
	return len(digits) > 1 && digits[len(digits)-1] == luhnDigit(digits[:len(digits)-1])
}

func luhnDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// nameLetters is how many letters a full name needs to be looked for. Names
// carry less than minEntropy: a hit says that this contact is there, beside
// whatever else is.
const nameLetters = 10

// namedWell says whether v is a name of two words or more that is long enough,
// or an ideographic one of three characters.
func namedWell(v string) bool {
	letters, wide := 0, 0
	for _, r := range v {
		switch {
		case r >= 0x2e80 && unicode.IsLetter(r):
			wide++
		case unicode.IsLetter(r):
			letters++
		}
	}
	return wide >= 3 || letters >= nameLetters && len(strings.Fields(v)) > 1
}
