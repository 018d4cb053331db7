package canary

import (
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// writing is one way to write a value, as text.
type writing struct {
	form string
	text string
	fold bool // found whatever its case
	word bool // must stand alone
	near string
	// hashed: programs hash this writing.
	hashed bool
	// minor writings are rarer: they are looked for as they are and hashed in the
	// usual ways, but not in every encoding.
	minor bool
	// digits: found by numbers, with any separators, not as a pattern.
	digits bool
	open   int
	weak   bool
}

// countryCodes are the calling codes that make up one or two digits; all others
// are taken to be three (ITU-T E.164 list of assigned codes).
var countryCodes = func() map[string]bool {
	m := map[string]bool{"1": true, "7": true}
	for _, c := range strings.Fields("20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 " +
		"60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98") {
		m[c] = true
	}
	return m
}()

// splitPhone splits the digits of an E.164 number into country code and
// national significant number.
func splitPhone(digits string) (country, rest string) {
	for n := 1; n <= 2; n++ {
		if countryCodes[digits[:n]] {
			return digits[:n], digits[n:]
		}
	}
	return digits[:3], digits[3:]
}

func phoneWritings(v string) []writing {
	d := onlyDigits(v)
	country, rest := splitPhone(d)
	out := []writing{
		{form: "digits", text: d, hashed: true, digits: true},
		{form: "e164", text: "+" + d, hashed: true, digits: true},
		{form: "00-prefix", text: "00" + d, hashed: true, digits: true, minor: true},
		{form: "national", text: "0" + rest, hashed: true, digits: true},
		{form: "trunk-in-brackets", text: country + "0" + rest, digits: true},
	}
	if country == "1" {
		out = append(out, writing{form: "national", text: rest, hashed: true, digits: true})
	} else {
		out = append(out, writing{form: "no-trunk", text: rest, hashed: true, digits: true, weak: true, minor: true})
	}
	if len(d) > 9 && d[len(d)-9:] != rest {
		out = append(out, writing{form: "last9", text: d[len(d)-9:], digits: true, weak: true})
	}
	// Hashed as people type it.
	if n := "0" + rest; len(n) == 10 {
		spaced := strings.Join([]string{n[:2], n[2:4], n[4:6], n[6:8], n[8:]}, " ")
		out = append(out, writing{form: "national-spaced", text: spaced, hashed: true, digits: true, minor: true},
			writing{form: "e164-spaced", text: "+" + country + " " + spaced[1:], hashed: true, digits: true, minor: true})
	}
	return out
}

func hexWritings(v string) []writing {
	h := hexDigits(v)
	return []writing{
		{form: "hex", text: h, fold: true, hashed: true},
		{form: "hex-upper", text: strings.ToUpper(h), fold: true, hashed: true},
	}
}

// decimalWriting is the value of hex digits as a decimal number, as 64-bit fields
// are printed.
func decimalWriting(h string) writing {
	n, _ := strconv.ParseUint(h, 16, 64)
	return writing{form: "decimal", text: strconv.FormatUint(n, 10), digits: true, hashed: true, minor: true}
}

func uuidWritings(v string) []writing {
	h := hexDigits(v)
	dashed := strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
	return append([]writing{
		{form: "uuid", text: dashed, fold: true, hashed: true},
		{form: "uuid-upper", text: strings.ToUpper(dashed), fold: true, hashed: true},
	}, hexWritings(v)...)
}

func macWritings(v string) []writing {
	h := hexDigits(v)
	group := func(n int, sep string) string {
		var parts []string
		for i := 0; i < len(h); i += n {
			parts = append(parts, h[i:i+n])
		}
		return strings.Join(parts, sep)
	}
	var out []writing
	for _, w := range []struct{ form, text string }{
		{"colons", group(2, ":")},
		{"dashes", group(2, "-")},
		{"dots", group(4, ".")},
		{"plain", h},
		{"spaces", group(2, " ")},
		{"no-zeros", strings.TrimPrefix(strings.ReplaceAll(":"+group(2, ":"), ":0", ":"), ":")}, // as some location services are asked
	} {
		minor := w.form != "colons" && w.form != "plain"
		out = append(out, writing{form: w.form, text: w.text, fold: true, hashed: w.form != "spaces" && w.form != "no-zeros", minor: minor, word: w.form == "no-zeros"})
		if w.form == "colons" || w.form == "plain" || w.form == "dashes" {
			out = append(out, writing{form: w.form + "-upper", text: strings.ToUpper(w.text), fold: true, hashed: true, minor: minor})
		}
	}
	if strings.Trim(h, "0123456789") == "" {
		// All digits: a longer number must not hit.
		for i := range out {
			out[i].word = true
		}
	}
	return append(out, decimalWriting(h))
}

func emailWritings(v string) []writing {
	at := strings.LastIndexByte(v, '@')
	local, domain := v[:at], v[at:]
	out := []writing{
		{form: "email", text: v, fold: true, hashed: true},
		{form: "email-lower", text: strings.ToLower(v), fold: true, hashed: true},
	}
	bare, _, tagged := strings.Cut(local, "+")
	if tagged {
		out = append(out, writing{form: "no-plus-tag", text: strings.ToLower(bare + domain), fold: true, hashed: true, word: true, minor: true})
	}
	if strings.Contains(bare, ".") {
		undotted := strings.ReplaceAll(bare, ".", "")
		out = append(out, writing{form: "no-dots", text: strings.ToLower(undotted + local[len(bare):] + domain), fold: true, hashed: true, minor: true})
		if tagged {
			out = append(out, writing{form: "no-dots-no-plus-tag", text: strings.ToLower(undotted + domain), fold: true, hashed: true, word: true, minor: true})
		}
	}
	return out
}

func nameWritings(v string) []writing {
	words := strings.Fields(v)
	var out []writing
	add := func(form, text string, hashed, minor bool) {
		for i, t := range cases(text) {
			out = append(out, writing{form: form, text: t, fold: true, word: true, hashed: hashed && i == 0, minor: minor || i > 0})
		}
		if plain := unaccented(text); plain != text {
			out = append(out, writing{form: form + "-unaccented", text: plain, fold: true, word: true, hashed: hashed, minor: true})
			if l := strings.ToLower(plain); hashed && !minor && l != plain {
				out = append(out, writing{form: form + "-unaccented-lower", text: l, fold: true, word: true, hashed: true, minor: true})
			}
		}
		if l := strings.ToLower(text); hashed && l != text {
			// As advertisers' match keys are made.
			out = append(out, writing{form: form + "-lower", text: l, fold: true, word: true, hashed: true, minor: true})
		}
	}
	add("name", v, true, false)
	if len(words) < 2 {
		return out
	}
	given, family := words[0], strings.Join(words[1:], " ")
	add("name-reversed", family+" "+given, true, true)
	add("name-reversed", family+", "+given, false, true)
	add("name-joined", given+family, true, true)
	for _, sep := range []string{".", "_", "-"} {
		add("name-joined", given+sep+family, false, true)
	}
	// The longer word, with the other one nearby: given and family name in two
	// fields.
	long, short := family, given
	if len(given) > len(family) {
		long, short = given, family
	}
	for _, form := range []func(string) string{func(s string) string { return s }, unaccented} {
		out = append(out, writing{form: "name-in-fields", text: form(long), near: form(short), fold: true, word: true})
	}
	for _, h := range hashes {
		if h.usual {
			hash := func(s string) string { return hex.EncodeToString(h.sum([]byte(strings.ToLower(s)))) }
			out = append(out, writing{form: h.name + "(name-in-fields-lower)/hex", text: hash(long), near: hash(short), fold: true, word: true})
		}
	}
	return out
}

func textWritings(v string) []writing {
	v = strings.TrimSpace(v)
	var out []writing
	add := func(form, text string, hashed bool) {
		for i, t := range cases(text) {
			out = append(out, writing{form: form, text: t, fold: true, hashed: hashed && i == 0, minor: i > 0})
		}
		if plain := unaccented(text); plain != text {
			out = append(out, writing{form: form + "-unaccented", text: plain, fold: true, minor: true})
		}
	}
	add("text", v, true)
	if joined := strings.Join(strings.Fields(v), " "); joined != v {
		add("text-respaced", joined, false)
	}
	// Parts of it that are proof by themselves: clauses, then single tokens.
	for _, part := range strings.FieldsFunc(v, func(r rune) bool {
		return strings.ContainsRune(".!?;,:()\"\n\r。！？，；：、…", r)
	}) {
		if part = strings.TrimSpace(part); part != v && entropy(part, inSentence) >= minEntropy {
			add("text-part", part, false)
		}
	}
	for _, word := range strings.Fields(v) {
		word = strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if word != v && entropy(word, inSentence) >= minEntropy {
			out = append(out, writing{form: "token", text: word, fold: true, word: true})
		}
	}
	return out
}

func urlWritings(v string) []writing {
	out := []writing{{form: "url", text: v, fold: true, hashed: true}}
	u, err := url.Parse(v)
	if err != nil {
		return out
	}
	if rest := strings.TrimPrefix(v, u.Scheme+"://"); entropy(rest, inAddress) >= minEntropy {
		out = append(out, writing{form: "url-no-scheme", text: rest, fold: true, hashed: true, minor: true})
	}
	if rest := u.RequestURI(); entropy(rest, inAddress) >= minEntropy {
		out = append(out, writing{form: "url-path", text: rest, fold: true})
	}
	for _, values := range u.Query() {
		for _, text := range values {
			if entropy(text, inAddress) >= minEntropy {
				out = append(out, writing{form: "url-query", text: text, fold: true, hashed: true})
				out = append(out, writing{form: "url-query", text: url.QueryEscape(text), fold: true, minor: true})
			}
		}
	}
	return out
}

// writings lists the ways to write c as text.
func (c *Canary) writings() []writing {
	v := c.Value
	switch c.Kind {
	case Phone, ContactPhone:
		return phoneWritings(v)
	case SMSSender:
		if strings.HasPrefix(v, "+") {
			return phoneWritings(v)
		}
		if entropy(v, inSentence) < minEntropy {
			return nil
		}
		return textWritings(v)
	case IMEI:
		d := onlyDigits(v)
		return []writing{
			{form: "imei", text: d, digits: true, hashed: true},
			{form: "imei-14", text: d[:14], digits: true, hashed: true},
			{form: "imei-zero", text: d[:14] + "0", digits: true, hashed: true, minor: true}, // as networks carry it: 3GPP TS 23.003, section 6.2.1
			{form: "imeisv", text: d[:14], digits: true, open: 2},
		}
	case IMSI:
		return []writing{{form: "imsi", text: onlyDigits(v), digits: true, hashed: true}}
	case ICCID:
		return iccidWritings(onlyDigits(v))
	case AndroidID:
		h := hexDigits(v)
		out := append(hexWritings(v), decimalWriting(h))
		if n, err := strconv.ParseUint(h, 16, 64); err == nil && int64(n) < 0 {
			out = append(out, writing{form: "decimal-signed", text: strings.TrimPrefix(strconv.FormatInt(int64(n), 10), "-"), digits: true})
		}
		return out
	case AdvertisingID:
		return uuidWritings(v)
	case MAC, BSSID:
		return macWritings(v)
	case Email, ContactEmail:
		return emailWritings(v)
	case Name, ContactName:
		return nameWritings(v)
	case SMSText, Note:
		return textWritings(v)
	case URL:
		return urlWritings(v)
	case Serial, SSID, Other:
		out := []writing{{form: string(c.Kind), text: v, fold: true, hashed: true, word: len(v) < 10}}
		if l := strings.ToLower(v); l != v {
			out = append(out, writing{form: string(c.Kind) + "-lower", text: l, fold: true, hashed: true, word: len(v) < 10, minor: true})
		}
		if u := strings.ToUpper(v); u != v {
			out = append(out, writing{form: string(c.Kind) + "-upper", text: u, fold: true, hashed: true, word: len(v) < 10, minor: true})
		}
		return out
	}
	return nil
}

// iccidWritings are the number of a SIM card with and without its check digit
// (ITU-T E.118). The card itself stores the digits of each byte swapped, and fills
// up with F.
func iccidWritings(d string) []writing {
	out := []writing{{form: "iccid", text: d, digits: true, hashed: true}}
	if luhn(d) {
		return append(out, writing{form: "iccid-no-check", text: d[:len(d)-1], digits: true, hashed: true, minor: true})
	}
	return append(out, writing{form: "iccid-check", text: d + string(luhnDigit(d)), digits: true, hashed: true, minor: true})
}

// cases returns text composed, decomposed, compatibility composed, and, if a
// letter outside ASCII has case, in lower and upper case, without repeats.
func cases(text string) []string {
	nfc := norm.NFC.String(text)
	out := []string{text, nfc, norm.NFD.String(text), norm.NFKC.String(text)}
	if len(nfc) != len([]rune(nfc)) {
		out = append(out, strings.ToLower(nfc), strings.ToUpper(nfc))
	}
	seen := make(map[string]bool)
	kept := out[:0]
	for _, t := range out {
		if !seen[t] {
			seen[t] = true
			kept = append(kept, t)
		}
	}
	return kept
}

// unaccented drops combining marks and writes the few letters that do not
// decompose as people type them without.
func unaccented(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
	return norm.NFC.String(strings.NewReplacer("ß", "ss", "œ", "oe", "Œ", "OE", "æ", "ae", "Æ", "AE", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L").Replace(s))
}
