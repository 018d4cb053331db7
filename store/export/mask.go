package export

import (
	"encoding/json"
	"regexp"
	"strings"

	"constat/inspect"
	"constat/store/evidence"
)

// mask returns what stands for a hidden value in a masked bundle, nil for nothing.
// No value is in it whole. What cannot be masked field by field is left out.
func mask(kind, column string, v evidence.Value) *string {
	if v.Type == evidence.Null {
		return nil
	}
	var s string
	switch kind + "." + column {
	case "exchange.path":
		s = maskPath(v.Text)
	case "exchange.query":
		s = maskQuery(v.Text)
	case "exchange.request_head", "exchange.response_head":
		s = maskHead(string(v.Blob))
	case "report.findings":
		return maskFindings(v.Text)
	case "report.hits":
		return maskHits(v.Text)
	default:
		return nil
	}
	return &s
}

// maskValue hides the middle of a value: "3520…1481". It shows at most half of it, and
// of less than six characters nothing.
func maskValue(s string) string {
	runes := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	if len(runes) == 0 {
		return ""
	}
	if len(runes) < 6 {
		return "…"
	}
	show := min(4, len(runes)/4)
	return string(runes[:show]) + "…" + string(runes[len(runes)-show:])
}

func maskPath(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = maskValue(parts[i])
	}
	return strings.Join(parts, "/")
}

// maskQuery keeps the names of parameters.
func maskQuery(query string) string {
	if query == "" {
		return ""
	}
	parts := strings.Split(query, "&")
	for i, p := range parts {
		name, value, ok := strings.Cut(p, "=")
		if !ok {
			parts[i] = maskValue(p)
			continue
		}
		parts[i] = maskName(name) + "=" + maskValue(value)
	}
	return strings.Join(parts, "&")
}

// maskName keeps what is a name and no value: a letter first, few digits, no sign that
// names do not have.
func maskName(s string) string {
	digits := 0
	for i := range len(s) {
		c := s[i] | 0x20
		switch {
		case c >= 'a' && c <= 'z':
		case s[i] >= '0' && s[i] <= '9':
			digits++
		case i > 0 && strings.IndexByte("_-.[]$", s[i]) >= 0:
		case s[i] == '$' || s[i] == '_':
		default:
			return maskValue(s)
		}
	}
	if len(s) > 40 || digits > 3 || s == "" || s[0] >= '0' && s[0] <= '9' {
		return maskValue(s)
	}
	return s
}

// plainFields are header fields whose values are no data but say what the data is, as
// long as they have the form that such values have.
var plainFields = map[string]*regexp.Regexp{
	"content-encoding":  codings,
	"transfer-encoding": codings,
	"content-length":    regexp.MustCompile(`^[0-9]{1,15}$`),
	"content-type":      regexp.MustCompile(`^[A-Za-z]{1,20}/[A-Za-z0-9.+_-]{1,60}$`),
}

var (
	codings = regexp.MustCompile(`^[a-z-]{1,10}(, ?[a-z-]{1,10}){0,3}$`)
	version = regexp.MustCompile(`^HTTP/[0-9](\.[0-9])?$`)
	status  = regexp.MustCompile(`^[0-9]{3}$`)
)

// maskHead keeps the method, the version, the status and the names of the fields.
func maskHead(head string) string {
	lines := strings.Split(strings.ReplaceAll(head, "\r\n", "\n"), "\n")
	for i, line := range lines {
		switch {
		case i == 0:
			lines[i] = maskStart(line)
		case line == "":
		default:
			name, value, ok := strings.Cut(line, ":")
			if !ok || line[0] == ' ' || line[0] == '\t' {
				lines[i] = " " + maskValue(strings.TrimSpace(line))
				continue
			}
			value = strings.TrimSpace(value)
			if is := plainFields[strings.ToLower(name)]; is != nil {
				value, _, _ = strings.Cut(value, ";") // a boundary tells who made it
				if !is.MatchString(value) {
					value = maskValue(value)
				}
				lines[i] = name + ": " + value
			} else {
				lines[i] = maskName(name) + ": " + maskValue(value)
			}
		}
	}
	return strings.Join(lines, "\r\n")
}

// maskStart masks a request line's target; of a status line, the reason.
func maskStart(line string) string {
	first, rest, _ := strings.Cut(line, " ")
	second, third, _ := strings.Cut(rest, " ")
	if version.MatchString(first) {
		if !status.MatchString(second) {
			second = maskValue(second)
		}
		return first + " " + second + " " + maskValue(third)
	}
	if !version.MatchString(third) {
		third = maskValue(third)
	}
	path, query, ok := strings.Cut(second, "?")
	target := maskPath(path)
	if ok {
		target += "?" + maskQuery(query)
	}
	return first + " " + target + " " + third
}

// maskSteps keeps the names of the decoding steps, and of their arguments what is a name.
func maskSteps(p inspect.Path) inspect.Path {
	if p == "" {
		return p
	}
	steps := p.Steps()
	out := make([]string, len(steps))
	for i, step := range steps {
		name, arg := inspect.SplitStep(step)
		out[i] = name
		if arg != "" {
			parts := strings.Split(arg, ".")
			for j := range parts {
				parts[j] = maskName(parts[j])
			}
			out[i] += ":" + strings.NewReplacer("|", "…", "\\", "…").Replace(strings.Join(parts, "."))
		}
	}
	return inspect.Path(strings.Join(out, "|"))
}

// maskFindings keeps what was found and how sure that is. The reason is a
// detector's sentence, which may quote: only that it is withheld remains.
func maskFindings(text string) *string {
	var list []inspect.Finding
	if json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	for i := range list {
		f := &list[i]
		f.Excerpt, f.Path, f.Reason = maskValue(f.Excerpt), maskSteps(f.Path), "The reason is withheld with the value."
	}
	return encode(list)
}

func maskHits(text string) *string {
	var list []inspect.Hit
	if json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	for i := range list {
		list[i].Path = maskSteps(list[i].Path)
	}
	return encode(list)
}

func encode(v any) *string {
	j, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	s := string(j)
	return &s
}
