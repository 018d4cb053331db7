package query

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"constat/inspect"
)

// Field is a field of the filter language.
type Field struct {
	Name    string
	Also    []string // other names
	Doc     string   // one sentence
	Example string
	Empty   bool // "" in quotation marks is a value

	compile func(v value) (condition string, args []any, err error)
}

// bare is what a term without a field is.
var bare = Field{Name: "text", Example: `"two words"`, compile: func(v value) (string, []any, error) {
	p := contains(v)
	return `(host LIKE ? ESCAPE '\' OR path LIKE ? ESCAPE '\' OR query LIKE ? ESCAPE '\' OR owner LIKE ? ESCAPE '\'` +
		` OR EXISTS(SELECT 1 FROM findings f WHERE f.request_id = requests.id AND (f.excerpt LIKE ? ESCAPE '\' OR f.reason LIKE ? ESCAPE '\')))`, []any{p, p, p, p, p, p}, nil
}}

// Fields are the fields of the filter language, in the order in which help shows
// them.
var Fields = []Field{
	{
		Name: "host", Also: []string{"domain"}, Example: "host:xiaomi.com",
		Doc: "The server's name or address, or a domain above it; * stands for anything.",
		compile: func(v value) (string, []any, error) {
			name := strings.ToLower(strings.TrimPrefix(v.s, "."))
			if strings.Contains(name, "*") && !v.exact {
				return `host LIKE ? ESCAPE '\'`, []any{wild(name)}, nil
			}
			if v.exact {
				return "host = ?", []any{name}, nil
			}
			return `(host = ? OR host LIKE ? ESCAPE '\')`, []any{name, "%." + escape(name)}, nil
		},
	},
	{Name: "path", Doc: "A piece of the path.", Example: "path:/miuisms", compile: like("path")},
	{Name: "query", Doc: "A piece of the query string.", Example: "query:imei=", compile: like("query")},
	{
		Name: "url", Doc: "A piece of the whole address.", Example: "url:miuisms/res",
		compile: like("scheme || '://' || host || path || '?' || query"),
	},
	{
		Name: "method", Doc: "The request's method, or none for what is not HTTP.", Example: "method:POST",
		compile: func(v value) (string, []any, error) {
			if v.s == "none" && !v.exact {
				return "method = ''", nil, nil
			}
			return "method = ?", []any{strings.ToUpper(v.s)}, nil
		},
	},
	{Name: "scheme", Doc: "http, https, ws or wss; http and ws can be read by anybody on the way. tcp, udp or tls when it is not HTTP.", Example: "scheme:http", compile: oneOf("scheme", "http", "https", "ws", "wss", "tcp", "udp", "tls")},
	{Name: "status", Doc: "The response's status: a number, a comparison, a class, or none.", Example: "status:>=400, status:4xx or status:none", compile: status},
	{Name: "tag", Also: []string{"class", "tags"}, Doc: "A class that was found in the request or the response, any or none.", Example: "tag:sms", compile: tag},
	{
		Name: "dir", Also: []string{"direction"}, Doc: "Which way what was found went: up (left the phone), down (came to it).", Example: "dir:up",
		compile: func(v value) (string, []any, error) {
			_, args, err := oneOf("direction", "up", "down", "both")(v)
			return "direction IN (?, 'both')", args, err
		},
	},
	{Name: "confidence", Doc: "The least confidence of a finding: suspected, probable or confirmed.", Example: "confidence:probable", compile: confidence},
	{Name: "detector", Doc: "The detector that found something.", Example: "detector:sms", compile: func(v value) (string, []any, error) {
		return "EXISTS(SELECT 1 FROM findings f WHERE f.request_id = requests.id AND f.detector = ?)", []any{v.s}, nil
	}},
	{Name: "canary", Doc: "A planted value that was found, by its kind or its name, or any.", Example: "canary:imei", compile: canary},
	{Name: "device", Doc: "The phone.", Example: "device:redmi", compile: like("device")},
	{Name: "session", Doc: "The session that the request fell into; * stands for anything, \"\" for none.", Example: "session:idle", Empty: true, compile: same("session")},
	{Name: "door", Doc: "How the traffic came in: http, socks5, transparent, wireguard, import.", Example: "door:wireguard", compile: same("door")},
	{Name: "app", Doc: "A piece of the app's package name, where the door can tell; \"\" for none.", Example: "app:com.example", Empty: true, compile: func(v value) (string, []any, error) {
		if v.s == "" {
			return "app = ''", nil, nil
		}
		return like("app")(v)
	}},
	{Name: "transport", Doc: "tcp or udp: what the connection was.", Example: "transport:udp", compile: ofConnection(oneOf("c.transport", "tcp", "udp", "icmp"))},
	{Name: "protocol", Doc: "What bytes that are not HTTP look like; * stands for anything.", Example: "protocol:mqtt", compile: ofConnection(same("c.protocol"))},
	{Name: "dns", Doc: "A piece of the name for which the phone had been told the address.", Example: "dns:mqtt.", compile: ofConnection(like("c.dns_name"))},
	{Name: "owner", Doc: "Who answers behind the address, as far as is known.", Example: "owner:xiaomi", compile: like("owner")},
	{Name: "country", Doc: "The country of the address as two letters.", Example: "country:CN", Empty: true, compile: func(v value) (string, []any, error) {
		return "country = ?", []any{strings.ToUpper(v.s)}, nil
	}},
	{Name: "ip", Also: []string{"address"}, Doc: "The address that answered; * stands for anything.", Example: "ip:42.62.48.*", compile: same("server_ip")},
	{Name: "since", Also: []string{"after"}, Doc: "Not before this time, in UTC unless it says otherwise.", Example: "since:2026-11-01 or since:2026-11-01T08:30", compile: when("time >= ?")},
	{Name: "before", Also: []string{"until"}, Doc: "Before this time, in UTC unless it says otherwise.", Example: "before:2026-11-02", compile: when("time < ?")},
	{Name: "size", Doc: "Bytes of both bodies.", Example: "size:>10k", compile: number("(request_bytes + response_bytes)", bytesOf)},
	{Name: "up", Doc: "Bytes of the request's body.", Example: "up:>10k", compile: number("request_bytes", bytesOf)},
	{Name: "down", Doc: "Bytes of the response's body.", Example: "down:>1M", compile: number("response_bytes", bytesOf)},
	{Name: "took", Doc: "How long it took.", Example: "took:>2s", compile: number("duration_ms", millisOf)},
	{Name: "error", Doc: "What went wrong, by its word (dns, connect, timeout …), any or none.", Example: "error:timeout", compile: failure},
	{Name: "is", Doc: "plain (readable by anybody on the way), truncated (a body was not kept to its end), failed, raw (not HTTP), or found (something was found).", Example: "is:plain", compile: is},
	{Name: "sha256", Doc: "The hash of a body, or its beginning.", Example: "sha256:e3b0c442", compile: hash},
	{Name: "id", Doc: "The number of the request.", Example: "id:17", compile: number("id", plainNumber)},
}

// escape makes s stand for itself in a LIKE pattern.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(s)
}

// wild makes a LIKE pattern of s in which * stands for anything.
func wild(s string) string { return strings.ReplaceAll(escape(s), "*", "%") }

func contains(v value) string {
	if v.exact {
		return "%" + escape(v.s) + "%"
	}
	return "%" + wild(v.s) + "%"
}

func like(column string) func(value) (string, []any, error) {
	cond := column + ` LIKE ? ESCAPE '\'`
	return func(v value) (string, []any, error) { return cond, []any{contains(v)}, nil }
}

func same(column string) func(value) (string, []any, error) {
	equal, pattern := column+" = ?", column+` LIKE ? ESCAPE '\'`
	return func(v value) (string, []any, error) {
		if !v.exact && strings.Contains(v.s, "*") {
			return pattern, []any{wild(v.s)}, nil
		}
		return equal, []any{v.s}, nil
	}
}

func oneOf(column string, words ...string) func(value) (string, []any, error) {
	cond := column + " = ?"
	return func(v value) (string, []any, error) {
		if err := mustBe(v.s, words); err != nil {
			return "", nil, err
		}
		return cond, []any{strings.ToLower(v.s)}, nil
	}
}

func mustBe(s string, words []string) error {
	if slices.Contains(words, strings.ToLower(s)) {
		return nil
	}
	if near := nearest(strings.ToLower(s), words); near != "" {
		return fmt.Errorf("%q is none of its values, did you mean %s? (%s)", s, near, strings.Join(words, ", "))
	}
	return fmt.Errorf("%q is none of its values (%s)", s, strings.Join(words, ", "))
}

func tag(v value) (string, []any, error) {
	switch v.s {
	case "any":
		return "tags <> ''", nil, nil
	case "none":
		return "tags = ''", nil, nil
	}
	var words []string
	for _, c := range inspect.Classes {
		words = append(words, string(c))
	}
	if err := mustBe(v.s, words); err != nil {
		return "", nil, err
	}
	return "instr(' ' || tags || ' ', ?) > 0", []any{" " + strings.ToLower(v.s) + " "}, nil
}

// ofConnection is a condition over the connection c that a request came on.
func ofConnection(compile func(value) (string, []any, error)) func(value) (string, []any, error) {
	return func(v value) (string, []any, error) {
		cond, args, err := compile(v)
		return "EXISTS(SELECT 1 FROM connections c WHERE c.id = requests.connection_id AND " + cond + ")", args, err
	}
}

func confidence(v value) (string, []any, error) {
	all := []string{string(inspect.Suspected), string(inspect.Probable), string(inspect.Confirmed)}
	if err := mustBe(v.s, all); err != nil {
		return "", nil, err
	}
	least := slices.Index(all, strings.ToLower(v.s))
	return "EXISTS(SELECT 1 FROM findings f WHERE f.request_id = requests.id AND f.confidence IN (?, ?, 'confirmed'))",
		[]any{all[least], all[max(least, 1)]}, nil
}

func canary(v value) (string, []any, error) {
	if v.s == "any" && !v.exact {
		return "EXISTS(SELECT 1 FROM canary_hits h WHERE h.request_id = requests.id)", nil, nil
	}
	pattern := escape(v.s)
	if !v.exact {
		pattern = wild(v.s)
	}
	return `EXISTS(SELECT 1 FROM canary_hits h WHERE h.request_id = requests.id AND (h.kind LIKE ? ESCAPE '\' OR h.canary LIKE ? ESCAPE '\'))`,
		[]any{pattern, pattern}, nil
}

func failure(v value) (string, []any, error) {
	switch v.s {
	case "any":
		return "error <> ''", nil, nil
	case "none":
		return "error = ''", nil, nil
	}
	return `error LIKE ? ESCAPE '\'`, []any{contains(v)}, nil
}

func is(v value) (string, []any, error) {
	conds := map[string]string{
		"plain":     "scheme IN ('http', 'ws')",
		"truncated": "(request_truncated OR response_truncated)",
		"failed":    "(error <> '' OR ifnull(status, 0) >= 400)",
		"found":     "tags <> ''",
		"raw":       "method = ''",
	}
	if err := mustBe(v.s, []string{"plain", "truncated", "failed", "found", "raw"}); err != nil {
		return "", nil, err
	}
	return conds[strings.ToLower(v.s)], nil, nil
}

func hash(v value) (string, []any, error) {
	s := strings.ToLower(v.s)
	if len(s) < 4 || len(s) > 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return "", nil, errors.New("a hash has 4 to 64 hexadecimal digits")
	}
	return "(request_sha256 LIKE ? OR response_sha256 LIKE ?)", []any{s + "%", s + "%"}, nil
}

func status(v value) (string, []any, error) {
	s := strings.ToLower(v.s)
	if s == "none" {
		return "status IS NULL", nil, nil
	}
	if len(s) == 3 && strings.HasSuffix(s, "xx") && s[0] >= '1' && s[0] <= '9' {
		low := int64(s[0]-'0') * 100
		return "status BETWEEN ? AND ?", []any{low, low + 99}, nil
	}
	return number("status", plainNumber)(v)
}

// comparisons are the operators that may stand before a number, longest first.
var comparisons = []struct{ written, sql string }{
	{">=", ">="}, {"<=", "<="}, {"!=", "<>"}, {">", ">"}, {"<", "<"}, {"=", "="},
}

func number(column string, parse func(string) (any, error)) func(value) (string, []any, error) {
	return func(v value) (string, []any, error) {
		s, op := v.s, "="
		for _, c := range comparisons {
			if rest, ok := strings.CutPrefix(s, c.written); ok {
				s, op = rest, c.sql
				break
			}
		}
		if low, high, ok := strings.Cut(s, ".."); ok && op == "=" {
			from, err := parse(low)
			if err != nil {
				return "", nil, err
			}
			to, err := parse(high)
			if err != nil {
				return "", nil, err
			}
			return column + " BETWEEN ? AND ?", []any{from, to}, nil
		}
		n, err := parse(s)
		if err != nil {
			return "", nil, err
		}
		return column + " " + op + " ?", []any{n}, nil
	}
}

func plainNumber(s string) (any, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is not a whole number", s)
	}
	return n, nil
}

// units of sizes, longest first; k is 1,000 and Ki is 1,024.
var units = []struct {
	suffix string
	bytes  float64
}{
	{"kib", 1 << 10},
	{"mib", 1 << 20},
	{"gib", 1 << 30},
	{"ki", 1 << 10},
	{"mi", 1 << 20},
	{"gi", 1 << 30},
	{"kb", 1e3},
	{"mb", 1e6},
	{"gb", 1e9},
	{"k", 1e3},
	{"m", 1e6},
	{"g", 1e9},
	{"b", 1},
	{"", 1},
}

func bytesOf(s string) (any, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(strings.ToLower(s), u.suffix)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(digits, 64)
		if err != nil || !(f >= 0 && f*u.bytes < 1e18) {
			break
		}
		return int64(f * u.bytes), nil
	}
	return nil, fmt.Errorf("%q is not a size: write bytes, or k, M, G (1,000) or Ki, Mi, Gi (1,024)", s)
}

func millisOf(s string) (any, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return nil, fmt.Errorf("%q is not a duration: write 250ms, 2s or 1m", s)
	}
	return float64(d) / float64(time.Millisecond), nil
}

// layouts of times, of which the ones with a zone come first.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02",
}

func when(cond string) func(value) (string, []any, error) {
	return func(v value) (string, []any, error) {
		for _, layout := range layouts {
			t, err := time.Parse(layout, v.s)
			if err != nil || t.Year() < 1 || t.Year() > 9998 {
				continue
			}
			// Without a zone it is the beginning of any time in the case, and sorts before it.
			return cond, []any{strings.TrimRight(strings.TrimRight(t.UTC().Format("2006-01-02T15:04:05.000000000"), "0"), ".")}, nil
		}
		return "", nil, fmt.Errorf("%q is not a time: write 2026-11-01, 2026-11-01T08:30 or 2026-11-01T08:30:00+01:00", v.s)
	}
}
