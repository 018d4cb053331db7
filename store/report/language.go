package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// language is every word that a report says itself. A further language is one more
// value of this type in one more file, and a line in languages; the tests hold that
// it has the same keys and places as English.
//
// {0} to {9} in a text are the places of what it speaks of, {n} that of a number.
// *emphasis*, **strong**, ==marked==, `code` and [words](address) are the only markup.
type language struct {
	code  string // BCP 47
	texts map[string]string
	// forms are texts whose words follow a number; form says which of them one takes.
	forms map[string][]string
	form  func(n int64) int

	thousands, point string
	gap              string    // between number and unit
	bytes            [4]string // units of 1, 10³, 10⁶ and 10⁹
	and              string    // between the last two of a list
	quotes           [2]string
	// layouts of time.Format: a moment, a day, and on an axis a minute of a day and a day.
	momentLayout, dayLayout, axisLayout, axisDay string
	// months and abbreviated stand in place of what time.Format writes for January and
	// Jan; nil: that.
	months, abbreviated []string
	first               string // the first of a month, "": 1
	// typeset puts in what the language's typography asks for, such as blanks that
	// do not break. nil: nothing.
	typeset func(string) string
}

// languages lists what a report can be written in.
var languages = []*language{&english, &french}

// Languages are the values of Options.Lang, English first.
func Languages() (codes []string) {
	for _, l := range languages {
		codes = append(codes, l.code)
	}
	return codes
}

// languageOf finds a language; "" is English.
func languageOf(code string) (*language, error) {
	if code == "" {
		return languages[0], nil
	}
	i := slices.IndexFunc(languages, func(l *language) bool { return l.code == code })
	if i < 0 {
		return nil, fmt.Errorf("there is no report in %q, only in %s", code, strings.Join(Languages(), ", "))
	}
	return languages[i], nil
}

// recorded says whether the record's own sentences, which are in English, are of
// this language.
func (l *language) recorded() bool { return l.code == "en" }

func (l *language) has(key string) bool { return l.texts[key] != "" }

func (l *language) text(key string) string {
	text, ok := l.texts[key]
	if !ok {
		return "⟦" + key + "⟧" // no test lets one pass
	}
	if l.typeset != nil {
		text = l.typeset(text)
	}
	return text
}

// say returns a text without markup. Numbers among what it speaks of are grouped.
func (l *language) say(key string, args ...any) string {
	return plainText(l.line(key, args...))
}

// line returns a text as runs. An argument that is a run or a line keeps its style.
func (l *language) line(key string, args ...any) line {
	return l.fill(l.text(key), "", args)
}

// count returns the form of a text that n takes.
func (l *language) count(key string, n int64, args ...any) string {
	forms := l.forms[key]
	if len(forms) == 0 {
		return "⟦" + key + "⟧"
	}
	text := forms[min(l.form(n), len(forms)-1)]
	if l.typeset != nil {
		text = l.typeset(text)
	}
	return plainText(l.fill(text, l.grouped(n), args))
}

// fill parses the markup of text and puts args in their places: what comes from
// them is never markup.
func (l *language) fill(text, n string, args []any) (out line) {
	for _, r := range parse(text) {
		rest := r.Text
		for {
			at := strings.IndexByte(rest, '{')
			if at < 0 || at+2 >= len(rest) || rest[at+2] != '}' {
				break
			}
			if at > 0 {
				out = append(out, r.with(rest[:at]))
			}
			place := rest[at+1]
			rest = rest[at+3:]
			if place == 'n' {
				out = append(out, r.with(n))
				continue
			}
			i := int(place - '0')
			if i < 0 || i >= len(args) {
				out = append(out, r.with("⟦"+string(rune(place))+"⟧"))
				continue
			}
			switch arg := args[i].(type) {
			case line:
				out = append(out, arg...)
			case run:
				out = append(out, arg)
			case int:
				out = append(out, r.with(l.grouped(int64(arg))))
			case int64:
				out = append(out, r.with(l.grouped(arg)))
			default:
				out = append(out, r.with(fmt.Sprint(arg)))
			}
		}
		if rest != "" {
			out = append(out, r.with(rest))
		}
	}
	return joined(out)
}

// joined makes one run of neighbours in the same style.
func joined(l line) line {
	out := l[:0]
	for _, r := range l {
		if n := len(out); n > 0 && out[n-1].with("") == r.with("") {
			out[n-1].Text += r.Text
			continue
		}
		out = append(out, r)
	}
	return out
}

// marks are the ends of the markup, longer ones first.
var marks = []struct{ end, as string }{{"**", "strong"}, {"==", "mark"}, {"*", "em"}, {"`", "code"}}

// parse takes the markup of a text of a language apart.
func parse(text string) (out line) {
	plain := 0
	for i := 0; i < len(text); {
		if text[i] == '[' {
			words, rest, ok := strings.Cut(text[i+1:], "](")
			if target, after, closed := strings.Cut(rest, ")"); ok && closed {
				out = append(out, run{Text: text[plain:i]}, run{Text: words, As: "link", Link: target})
				i = len(text) - len(after)
				plain = i
				continue
			}
		}
		m := slices.IndexFunc(marks, func(m struct{ end, as string }) bool { return strings.HasPrefix(text[i:], m.end) })
		if m < 0 {
			i++
			continue
		}
		end := marks[m].end
		inner, after, ok := strings.Cut(text[i+len(end):], end)
		if !ok {
			i++
			continue
		}
		out = append(out, run{Text: text[plain:i]}, run{Text: inner, As: marks[m].as})
		i = len(text) - len(after)
		plain = i
	}
	out = append(out, run{Text: text[plain:]})
	return slices.DeleteFunc(out, func(r run) bool { return r.Text == "" })
}

// grouped writes a number in groups of three digits.
func (l *language) grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + l.thousands + s[i:]
	}
	return sign + s
}

func (l *language) decimal(f float64) string {
	return strings.Replace(strconv.FormatFloat(f, 'f', 1, 64), ".", l.point, 1)
}

func (l *language) requests(n int64) string { return l.count("requests", n) }

// size writes a number of bytes in units of 1,000.
func (l *language) size(n int64) string {
	f := float64(n)
	if f < 999.5 {
		return l.grouped(n) + l.gap + l.bytes[0]
	}
	unit := 0
	for f >= 999.5 && unit < len(l.bytes)-1 {
		f /= 1000
		unit++
	}
	return l.decimal(f) + l.gap + l.bytes[unit]
}

// percent writes a share; only what is all or nothing is called so.
func (l *language) percent(f float64) string {
	sign := l.gap + "%"
	switch {
	case f <= 0:
		return "0" + sign
	case f >= 1:
		return "100" + sign
	case f < 0.001:
		return l.say("under", l.decimal(0.1)+sign)
	case f > 0.999:
		return l.say("over", l.decimal(99.9)+sign)
	}
	return l.decimal(f*100) + sign
}

// moment writes a time to the second, in UTC.
func (l *language) moment(t time.Time) string { return l.date(t, l.momentLayout) }

// day writes a date, in UTC.
func (l *language) day(t time.Time) string { return l.date(t, l.dayLayout) }

func (l *language) date(t time.Time, layout string) string {
	if t.IsZero() {
		return "–"
	}
	t = t.UTC()
	if l.months == nil {
		return t.Format(layout)
	}
	out := l.named(t, layout)
	if rest, first := strings.CutPrefix(out, "1 "); first && l.first != "" {
		return l.first + " " + rest
	}
	return out
}

// named formats a time with the language's names of months.
func (l *language) named(t time.Time, layout string) string {
	if before, after, ok := strings.Cut(layout, "January"); ok {
		return t.Format(before) + l.months[t.Month()-1] + t.Format(after)
	}
	if before, after, ok := strings.Cut(layout, "Jan"); ok {
		return t.Format(before) + l.abbreviated[t.Month()-1] + t.Format(after)
	}
	return t.Format(layout)
}

// clock writes a time to the millisecond, without its date.
func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// span writes how long something took, in at most two units.
func (l *language) span(d time.Duration) string {
	d = d.Round(time.Second)
	days := d / (24 * time.Hour)
	h, m, s := d%(24*time.Hour)/time.Hour, d%time.Hour/time.Minute, d%time.Minute/time.Second
	unit := func(n time.Duration, u string) string { return fmt.Sprintf("%d%s%s", n, l.gap, u) }
	switch {
	case days > 0:
		return l.count("days", int64(days)) + " " + unit(h, "h")
	case h > 0 && m == 0:
		return unit(h, "h")
	case h > 0:
		return unit(h, "h") + " " + unit(m, "min")
	case m > 0 && s == 0:
		return unit(m, "min")
	case m > 0:
		return unit(m, "min") + " " + unit(s, "s")
	}
	return unit(s, "s")
}

// roughly writes how long something lasted in one unit, as identifiers are told.
func (l *language) roughly(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return l.count("days", int64(d/(24*time.Hour)))
	case d >= 2*time.Hour:
		return l.count("hours", int64(d/time.Hour))
	case d >= 2*time.Minute:
		return l.count("minutes", int64(d/time.Minute))
	case d >= time.Second:
		return fmt.Sprintf("%d%ss", d/time.Second, l.gap)
	}
	return l.say("instant")
}

// list writes words as "a, b and c".
func (l *language) list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + l.and + words[len(words)-1]
}

func (l *language) quoted(s string) string { return l.quotes[0] + s + l.quotes[1] }

// word names a known word of the record, such as an outcome; one that the language
// does not have is written as it is recorded.
func (l *language) word(family, word string) string {
	if l.has(family + "." + word) {
		return l.say(family + "." + word)
	}
	return strings.ReplaceAll(word, "_", " ")
}

// short cuts s to n characters.
func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// upper makes the first letter of a sentence a capital.
func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
