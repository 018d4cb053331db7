package report

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"constat/inspect"
)

// count writes a number with a noun: "1 request", "12,345 requests".
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

func requests(n int64) string { return count(n, "request", "requests") }

// grouped writes a number with a comma between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// size writes a number of bytes in units of 1,000.
func size(n int64) string {
	f := float64(n)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if f < 999.5 || unit == "GB" {
			if unit == "B" {
				return grouped(n) + " B"
			}
			return strconv.FormatFloat(f, 'f', 1, 64) + " " + unit
		}
		f /= 1000
	}
	return ""
}

// percent writes a share; only what is all or nothing is called so.
func percent(f float64) string {
	switch {
	case f <= 0:
		return "0 %"
	case f >= 1:
		return "100 %"
	case f < 0.001:
		return "under 0.1 %"
	case f > 0.999:
		return "over 99.9 %"
	}
	return strconv.FormatFloat(f*100, 'f', 1, 64) + " %"
}

// moment writes a time to the second, in UTC.
func moment(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// clock writes a time to the millisecond, without its date.
func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// span writes how long something took, in at most two units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	days := d / (24 * time.Hour)
	h, m, s := d%(24*time.Hour)/time.Hour, d%time.Hour/time.Minute, d%time.Minute/time.Second
	switch {
	case days > 0:
		return fmt.Sprintf("%s %d h", count(int64(days), "day", "days"), h)
	case h > 0 && m == 0:
		return fmt.Sprintf("%d h", h)
	case h > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case m > 0 && s == 0:
		return fmt.Sprintf("%d min", m)
	case m > 0:
		return fmt.Sprintf("%d min %d s", m, s)
	}
	return fmt.Sprintf("%d s", s)
}

// list writes words as "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
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
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// sureness says what a confidence means.
var sureness = map[inspect.Confidence]string{
	inspect.Confirmed: "confirmed: a planted value, or an exact copy of a planted file, was found in the bytes",
	inspect.Probable:  "probable: the structure of the data says so, no planted value was involved",
	inspect.Suspected: "suspected: there are signs, and another explanation is possible",
}

// outcomes says what became of connections, for people.
var outcomes = map[string]string{
	"intercepted":    "TLS was opened here and requests were read",
	"plain":          "HTTP without encryption: readable by anybody on the way",
	"passed":         "relayed unread, because the operator said so",
	"raw":            "neither TLS nor HTTP: relayed, only its first bytes were kept",
	"refused":        "not served, by rule",
	"client_refused": "the phone did not accept the certificate: the app trusts other authorities or pins its own",
	"suspected_pin":  "the phone accepted the handshake and then closed without a request: the app probably pins its certificate",
	"server_failed":  "no usable connection to the server",
	"idle":           "opened and closed before a byte said what it was",
	"cut_off":        "Constat stopped while it was open",
}

// functions are what the template can call.
var functions = template.FuncMap{
	"grouped": grouped, "size": size, "percent": percent, "moment": moment, "clock": clock, "span": span,
	"requests": requests, "list": list, "short": func(s any, n int) string { return short(fmt.Sprint(s), n) }, "count": count, "badge": badge,
	"label":    func(c inspect.Class) string { return styleOf(c).label },
	"tagLabel": func(c string) string { return styleOf(inspect.Class(c)).label },
	"tagBadge": func(c string) string { return badge(inspect.Class(c)) },
	"sureness": func(c inspect.Confidence) string { return sureness[c] },
	"image":    func(s string) template.URL { return template.URL(s) }, // made by thumbnail, from nothing else
	"seconds":  func(a, b time.Time) string { return span(b.Sub(a)) },
	"f":        func(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) },
	"add":      func(a, b float64) float64 { return a + b },
	"sub":      func(a, b float64) float64 { return a - b },
	"to64":     func(n int) int64 { return int64(n) },
	"len64":    func(list []string) int64 { return int64(len(list)) },
	"minus":    func(a, b int64) int64 { return a - b },
	"pad":      func(cells []DumpCell) string { return strings.Repeat("   ", max(0, rowBytes-len(cells))) },
	"isZero":   func(t time.Time) bool { return t.IsZero() },
	"word":     func(s string) string { return strings.ReplaceAll(s, "_", " ") },
}
