package har

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The types below take whatever a HAR has in the place of a string, a number or
// a list, so that one odd value does not cost an entry.

// text is a string; numbers and booleans are taken as they are written, and
// everything else as absent.
type text struct {
	s   string
	set bool
}

func (t *text) UnmarshalJSON(b []byte) error {
	*t = text{}
	switch b[0] {
	case '"':
		t.set = true
		if bytes.IndexByte(b, '\\') < 0 && utf8.Valid(b) { // spares a large body two more passes
			t.s = string(b[1 : len(b)-1])
			return nil
		}
		return json.Unmarshal(b, &t.s)
	case 'n', '{', '[':
	default:
		*t = text{string(b), true}
	}
	return nil
}

func (t text) MarshalJSON() ([]byte, error) { return json.Marshal(t.s) }

// number is a number, also when written as a string.
type number struct {
	f   float64
	set bool
}

func (n *number) UnmarshalJSON(b []byte) error {
	*n = number{}
	s := string(b)
	if b[0] == '"' && json.Unmarshal(b, &s) != nil {
		return nil
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err == nil && f == f && f > -1e18 && f < 1e18 {
		*n = number{f, true}
	}
	return nil
}

// size is the number as a count of bytes: -1 when unknown, which HAR writes as
// -1 too.
func (n number) size() int64 {
	if !n.set || n.f < 0 {
		return -1
	}
	return int64(n.f)
}

// field is one element of headers, queryString, cookies or params.
type field struct {
	Name        text `json:"name"`
	Value       text `json:"value"`
	FileName    text `json:"fileName"`
	ContentType text `json:"contentType"`
}

// fields is a list of fields, also when written as one object.
type fields []field

func (f *fields) UnmarshalJSON(b []byte) error {
	*f = nil
	switch b[0] {
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(b, &list); err != nil {
			return err
		}
		for _, raw := range list {
			var one field
			if raw[0] == '{' && json.Unmarshal(raw, &one) == nil {
				*f = append(*f, one)
			}
		}
	case '{':
		dec := json.NewDecoder(bytes.NewReader(b))
		_, _ = dec.Token()
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return err
			}
			var value text
			if err := dec.Decode(&value); err != nil {
				return err
			}
			name, _ := key.(string)
			*f = append(*f, field{Name: text{name, true}, Value: value})
		}
	}
	return nil
}

func (f fields) get(name string) string {
	for _, x := range f {
		if strings.EqualFold(x.Name.s, name) {
			return x.Value.s
		}
	}
	return ""
}

// timeLayouts are the ways in which programs write startedDateTime; the HAR
// specification asks for ISO 8601.
var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999-0700",
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999 -0700 MST",
	time.RFC1123Z, time.RFC1123, time.UnixDate,
}

// zonelessLayouts carry no time zone.
var zonelessLayouts = []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.ANSIC}

// parseTime reads a time, in words or as seconds or milliseconds since 1970. zone
// says whether a time zone was given; without one UTC is assumed.
func parseTime(t text) (at time.Time, zone, ok bool) {
	s := strings.TrimSpace(t.s)
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, s); err == nil {
			return inRange(at, true)
		}
	}
	for _, layout := range zonelessLayouts {
		if at, err := time.Parse(layout, s); err == nil {
			return inRange(at, false)
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f > 1e8 && f < 1e14 {
		return inRange(epoch(f), true)
	}
	return time.Time{}, false, false
}

// inRange refuses times that RFC 3339 text cannot sort.
func inRange(at time.Time, zone bool) (time.Time, bool, bool) {
	at = at.UTC()
	if at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}, false, false
	}
	return at, zone, true
}

// epoch is f seconds after 1970, or milliseconds when seconds would lie beyond the
// year 5000.
func epoch(f float64) time.Time {
	if f > 1e11 {
		f /= 1000
	}
	return time.UnixMicro(int64(f * 1e6)).UTC()
}

// millis is f milliseconds, 0 for what cannot be.
func millis(f float64) time.Duration {
	if f <= 0 || f > 1e12 {
		return 0
	}
	return time.Duration(f * float64(time.Millisecond))
}

// oneLine makes s fit for a line of text: no control characters, at most limit
// bytes.
func oneLine(s string, limit int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r)
	}), " ")
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}
