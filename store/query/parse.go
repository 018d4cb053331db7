package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parser is a recursive descent over one filter:
//
//	any   = all { "OR" all }
//	all   = term { term }
//	term  = [ "-" | "NOT" ] ( "(" any ")" | [ field ":" ] value { "," value } )
type parser struct {
	src   string
	pos   int
	terms int
	args  []any
}

func (p *parser) fail(at int, format string, args ...any) *SyntaxError {
	return &SyntaxError{Column: column(p.src, at), Problem: fmt.Sprintf(format, args...)}
}

func (p *parser) parse() (string, error) {
	p.blanks()
	if p.pos == len(p.src) {
		return "", nil
	}
	cond, err := p.any()
	if err != nil {
		return "", err
	}
	if p.pos < len(p.src) {
		return "", p.fail(p.pos, "this bracket closes nothing")
	}
	return cond, nil
}

func (p *parser) blanks() {
	for p.pos < len(p.src) {
		r, n := utf8.DecodeRuneInString(p.src[p.pos:])
		if !unicode.IsSpace(r) {
			return
		}
		p.pos += n
	}
}

// word reports whether the word w comes next, and consumes it.
func (p *parser) word(w string) bool {
	rest, ok := strings.CutPrefix(p.src[p.pos:], w)
	if !ok || rest != "" && !strings.ContainsAny(rest[:1], " \t\n(") {
		return false
	}
	p.pos += len(w)
	p.blanks()
	return true
}

func (p *parser) any() (string, error) {
	conds := []string{}
	for {
		cond, err := p.all()
		if err != nil {
			return "", err
		}
		conds = append(conds, cond)
		if !p.word("OR") {
			return join(conds, " OR "), nil
		}
	}
}

func (p *parser) all() (string, error) {
	conds := []string{}
	for {
		p.blanks()
		start := p.pos
		ended := p.pos == len(p.src) || p.src[p.pos] == ')'
		if !ended && p.word("OR") {
			p.pos, ended = start, true
		}
		if ended {
			if len(conds) == 0 {
				return "", p.fail(start, "a term is missing here")
			}
			return join(conds, " AND "), nil
		}
		cond, err := p.term()
		if err != nil {
			return "", err
		}
		conds = append(conds, cond)
	}
}

func join(conds []string, by string) string {
	if len(conds) == 1 {
		return conds[0]
	}
	return "(" + strings.Join(conds, by) + ")"
}

func (p *parser) term() (string, error) {
	start := p.pos
	if p.terms++; p.terms > maxTerms {
		return "", p.fail(start, "more than %d terms", maxTerms)
	}
	if p.word("NOT") || p.src[p.pos] == '-' && p.pos+1 < len(p.src) && !unicode.IsSpace(rune(p.src[p.pos+1])) {
		if p.pos == start {
			p.pos++
		}
		if p.pos == len(p.src) {
			return "", p.fail(start, "a term is missing after this")
		}
		cond, err := p.term()
		if err != nil {
			return "", err
		}
		// A condition on what is not there is NULL, which NOT would keep.
		return "NOT ifnull(" + cond + ", 0)", nil
	}
	if p.src[p.pos] == '(' {
		p.pos++
		cond, err := p.any()
		if err != nil {
			return "", err
		}
		if p.pos == len(p.src) || p.src[p.pos] != ')' {
			return "", p.fail(start, "this bracket is not closed")
		}
		p.pos++
		return cond, nil
	}
	f := &bare
	if name := fieldName(p.src[p.pos:]); name != "" {
		if f = lookup(name); f == nil {
			return "", unknown(p, name)
		}
		p.pos += len(name) + 1
	}
	values, err := p.values(f)
	if err != nil {
		return "", err
	}
	var conds []string
	for _, v := range values {
		cond, args, err := f.compile(v)
		if err != nil {
			e := p.fail(v.at, "%s: %v", f.Name, err)
			e.Hint = "for example " + f.Example
			return "", e
		}
		conds = append(conds, cond)
		p.args = append(p.args, args...)
	}
	return join(conds, " OR "), nil
}

// fieldName returns the name before a colon at the beginning of s, "" if there is
// none.
func fieldName(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_')
	})
	if i <= 0 || s[0] <= '9' || s[i] != ':' || strings.HasPrefix(s[i:], "://") {
		return ""
	}
	return s[:i]
}

// value is one value of a term.
type value struct {
	s     string
	at    int
	exact bool // in quotation marks: no wildcards, no comparison
}

func (p *parser) values(f *Field) ([]value, error) {
	var list []value
	for {
		v := value{at: p.pos}
		if p.pos < len(p.src) && p.src[p.pos] == '"' {
			end := strings.IndexByte(p.src[p.pos+1:], '"')
			if end < 0 {
				return nil, p.fail(p.pos, "this quotation mark is not closed")
			}
			v.s, v.exact = p.src[p.pos+1:p.pos+1+end], true
			p.pos += end + 2
		} else {
			rest := p.src[p.pos:]
			end := strings.IndexFunc(rest, func(r rune) bool {
				return unicode.IsSpace(r) || r == ')' || r == ',' && f != &bare
			})
			if end < 0 {
				end = len(rest)
			}
			v.s = rest[:end]
			p.pos += end
		}
		if v.s == "" && !(v.exact && f.Empty) {
			e := p.fail(v.at, "%s needs a value", f.Name)
			e.Hint = "for example " + f.Example
			return nil, e
		}
		if !utf8.ValidString(v.s) || strings.ContainsRune(v.s, 0) {
			return nil, p.fail(v.at, "this is not text")
		}
		if list = append(list, v); len(list) > 1 {
			p.terms++
		}
		if p.terms > maxTerms {
			return nil, p.fail(v.at, "more than %d terms", maxTerms)
		}
		if f == &bare || p.pos == len(p.src) || p.src[p.pos] != ',' {
			return list, nil
		}
		p.pos++
	}
}

func lookup(name string) *Field {
	name = strings.ToLower(name)
	for i := range Fields {
		if Fields[i].Name == name || slices.Contains(Fields[i].Also, name) {
			return &Fields[i]
		}
	}
	return nil
}

func unknown(p *parser, name string) *SyntaxError {
	e := p.fail(p.pos, "there is no field %q", name)
	var names []string
	for _, f := range Fields {
		names = append(names, f.Name)
	}
	if near := nearest(strings.ToLower(name), names); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s:? ", near)
	}
	e.Hint += "the fields are " + strings.Join(names, ", ")
	return e
}

// nearest returns the word that is at most two edits away from s, "" if none is.
func nearest(s string, words []string) string {
	best, least := "", min(2, len(s)/2)+1
	for _, w := range words {
		if d := distance(s, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance counts the edits from a to b, with a swap of neighbours as one (optimal
// string alignment).
func distance(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	var before, row []int
	next := make([]int, len(b)+1)
	for j := range next {
		next[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, row, next = row, next, make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
	}
	return next[len(b)]
}
