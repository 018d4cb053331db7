package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Error is what is wrong with a protocol file, and what to do.
type Error struct {
	File string
	Line int // from 1, 0 for the file as a whole
	Text string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Text
	}
	return e.File + ":" + strconv.Itoa(e.Line) + ": " + e.Text
}

// Bounds of a protocol file. Its text and the outcomes of its controls are recorded
// with each run in one declaration, which holds 64 KiB.
const (
	maxFile    = 20 << 10
	maxControl = 40
	maxText    = 2 << 10
	maxPhases  = 50
	maxSteps   = 50
	maxRepeat  = 100
	maxFactors = 30
	maxValue   = 200
	maxWait    = 7 * 24 * time.Hour
)

// The file as it is written down.
type (
	file struct {
		Version int               `yaml:"constat_protocol"`
		ID      string            `yaml:"id"`
		Title   Text              `yaml:"title"`
		About   Text              `yaml:"about"`
		Factors map[string]string `yaml:"factors"`
		Ask     []filedQuestion   `yaml:"ask"`
		Phases  []filedPhase      `yaml:"phases"`
	}
	filedQuestion struct {
		Factor   string   `yaml:"factor"`
		Question Text     `yaml:"question"`
		Values   []string `yaml:"values"`
	}
	filedPhase struct {
		Session string            `yaml:"session"`
		Factors map[string]string `yaml:"factors"`
		Repeat  *int              `yaml:"repeat"`
		Control Control           `yaml:"control"`
		Before  []filedStep       `yaml:"before"`
		Steps   []filedStep       `yaml:"steps"`
		After   []filedStep       `yaml:"after"`
	}
	filedStep struct {
		Do   Text       `yaml:"do"`
		Wait duration   `yaml:"wait"`
		Send *filedSend `yaml:"send"`
	}
	filedSend struct {
		URL    string `yaml:"url"`
		Canary string `yaml:"canary"`
	}
)

// UnmarshalYAML reads one string, for English, or a string for each language.
func (t *Text) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*t = Text{"en": n.Value}
		return nil
	}
	var m map[string]string
	if err := n.Decode(&m); err != nil {
		return lineError{n.Line, "want a text, or one for each language: {en: …, fr: …}"}
	}
	*t = m
	return nil
}

type duration time.Duration

// UnmarshalYAML reads 90s, 30m, 1h30m.
func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < time.Second || v > maxWait {
		return lineError{n.Line, "want a time to wait with its unit, as in 30m, 90s or 1h30m, of a second to 7 days"}
	}
	*d = duration(v)
	return nil
}

// lineError is an error at a line.
type lineError struct {
	line int
	text string
}

func (e lineError) Error() string { return e.text }

// Parse reads a protocol. name stands for the file in errors, which are *Error
// unless reading failed.
func Parse(name string, r io.Reader) (*Protocol, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxFile {
		return nil, &Error{name, 0, fmt.Sprintf("larger than %d KiB: split it into several protocols", maxFile>>10)}
	}
	p, err := parse(data)
	if err == nil {
		return p, nil
	}
	e := &Error{File: name, Text: err.Error()}
	var at lineError
	if errors.As(err, &at) {
		e.Line, e.Text = at.line, at.text
	}
	return nil, e
}

// notYAML says what is most often wrong with a file that is no YAML: a text with signs
// of YAML in it, such as the question mark of {en: Ready?, fr: …}.
func notYAML(err error) error {
	const next = ": put texts with : , ? { } [ ] # in quotes, and indent with spaces"
	err = yamlError(err)
	if at := (lineError{}); errors.As(err, &at) {
		at.text += next
		return at
	}
	return fmt.Errorf("%w%s", err, next)
}

func parse(data []byte) (*Protocol, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, notYAML(err)
	}
	if root.Kind == 0 {
		return nil, errors.New("empty: print a template with 'constat protocol new'")
	}
	if n := aliased(&root); n != nil {
		return nil, lineError{n.Line, "references (*name) are not read: write the value out"}
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	var f file
	if err := d.Decode(&f); err != nil {
		return nil, yamlError(err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("several documents: keep one protocol in a file, without ---")
	}
	c := checker{root: root.Content[0]}
	p := c.protocol(&f)
	if c.err != nil {
		return nil, c.err
	}
	p.Source = data
	return p, nil
}

// aliased returns the first reference to another place. The parser bounds how deep
// n is.
func aliased(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n
	}
	for _, x := range n.Content {
		if found := aliased(x); found != nil {
			return found
		}
	}
	return nil
}

var (
	lineIn  = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?line (\d+): (.*)`)
	unknown = regexp.MustCompile(`^field (\S+) not found in type protocol\.(\w+)`)
	twice   = regexp.MustCompile(`^mapping key ("[^"]*") already defined`)
)

// fields says what may stand where.
var fields = map[string]string{
	"file": "constat_protocol, id, title, about, factors, ask, phases", "filedQuestion": "factor, question, values",
	"filedPhase": "session, factors, repeat, control, before, steps, after", "filedStep": "do, wait, send", "filedSend": "url, canary",
}

// yamlError says in one line what the YAML reader found first.
func yamlError(err error) error {
	var at lineError
	if errors.As(err, &at) {
		return at
	}
	m := lineIn.FindStringSubmatch(err.Error())
	if m == nil {
		return errors.New("not YAML: " + strings.TrimPrefix(clip(err.Error()), "yaml: "))
	}
	line, _ := strconv.Atoi(m[1]) // digits; 0 for too many
	text := clip(m[2])
	if u := unknown.FindStringSubmatch(m[2]); u != nil {
		text = fmt.Sprintf("%s is not known here: want %s", clip(strconv.Quote(u[1])), fields[u[2]])
	} else if u := twice.FindStringSubmatch(m[2]); u != nil {
		text = clip(u[1]) + " stands here twice: keep one"
	} else if strings.HasPrefix(m[2], "cannot unmarshal") {
		text = "this has not the form that is wanted here: compare with 'constat protocol new'"
	}
	return lineError{line, text}
}

// clip keeps an error short, and free of what steers a terminal.
func clip(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > 120 {
		s = string([]rune(s)[:120]) + "…"
	}
	return s
}

// checker turns a file into a Protocol and keeps the first thing that is wrong.
type checker struct {
	root *yaml.Node
	at   []any // keys and indexes that lead to what is looked at
	err  error
}

func (c *checker) fail(format string, args ...any) {
	if c.err == nil {
		c.err = lineError{line(c.root, c.at), fmt.Sprintf(format, args...)}
	}
}

// line is that of the place that a path leads to, or of the last step of the path
// that is there.
func line(n *yaml.Node, path []any) int {
	at := n.Line
	for _, step := range path {
		var next *yaml.Node
		switch step := step.(type) {
		case int:
			if n.Kind == yaml.SequenceNode && step < len(n.Content) {
				next = n.Content[step]
				at = next.Line
			}
		case string:
			for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == step {
					next, at = n.Content[i+1], n.Content[i].Line
				}
			}
		}
		if next == nil {
			return at
		}
		n = next
	}
	return at
}

// in calls f with a longer path.
func (c *checker) in(step any, f func()) {
	c.at = append(c.at, step)
	f()
	c.at = c.at[:len(c.at)-1]
}

var (
	idForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	factorForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	kindForm   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	langForm   = regexp.MustCompile(`^[a-z]{2}$`)
)

func (c *checker) protocol(f *file) *Protocol {
	if f.Version != 1 {
		c.in("constat_protocol", func() { c.fail("want the line constat_protocol: 1, the version of this format") })
	}
	if !idForm.MatchString(f.ID) {
		c.in("id", func() { c.fail("want an id of lower-case letters, digits and dashes, as in id: idle") })
	}
	p := &Protocol{ID: f.ID, Title: c.text("title", f.Title, true), About: c.text("about", f.About, false), Factors: c.factors(f.Factors)}
	c.in("ask", func() { p.Ask = c.questions(f.Ask) })
	c.in("phases", func() {
		if len(f.Phases) == 0 || len(f.Phases) > maxPhases {
			c.fail("want 1 to %d phases", maxPhases)
		}
		controls := 0
		for i := range f.Phases {
			c.in(i, func() { p.Phases = append(p.Phases, c.phase(&f.Phases[i])) })
			if p.Phases[i].Control != "" {
				controls += p.Phases[i].Repeat
			}
		}
		if controls > maxControl {
			c.fail("more than %d controls, with their repeats", maxControl)
		}
	})
	return p
}

func (c *checker) text(name string, t Text, needed bool) Text {
	c.in(name, func() {
		if t["en"] == "" && (needed || len(t) > 0) {
			c.fail("want %s in English (en)", name)
		}
		for _, lang := range slices.Sorted(maps.Keys(t)) {
			if !langForm.MatchString(lang) {
				c.fail("want languages of two letters: en, fr")
			}
			c.value(t[lang], maxText)
		}
	})
	return t
}

// value checks a text that is shown and recorded.
func (c *checker) value(s string, limit int) {
	switch {
	case len(s) > limit:
		c.fail("longer than %d bytes", limit)
	case strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }):
		c.fail("holds a character that cannot be printed: remove it")
	}
}

func (c *checker) factors(m map[string]string) map[string]string {
	c.in("factors", func() {
		if len(m) > maxFactors {
			c.fail("more than %d factors", maxFactors)
		}
		for _, name := range slices.Sorted(maps.Keys(m)) {
			c.in(name, func() {
				c.factor(name)
				if m[name] == "" {
					c.fail("the factor has no value, as in %s: \"off\"", clip(name))
				}
				c.value(m[name], maxValue)
			})
		}
	})
	return m
}

func (c *checker) factor(name string) {
	if name == ControlFactor {
		c.fail("the factor control is set by the phase's own field control")
	}
	if !factorForm.MatchString(name) {
		c.fail("want factors of lower-case letters, digits and underscores, as in screen")
	}
}

func (c *checker) questions(list []filedQuestion) (out []Question) {
	if len(list) > maxFactors {
		c.fail("more than %d questions", maxFactors)
	}
	for i, q := range list {
		c.in(i, func() {
			c.in("factor", func() { c.factor(q.Factor) })
			c.in("values", func() {
				if len(q.Values) > maxFactors {
					c.fail("more than %d values", maxFactors)
				}
				for _, v := range q.Values {
					if v == "" {
						c.fail("a value is empty")
					}
					c.value(v, maxValue)
				}
			})
			out = append(out, Question{q.Factor, c.text("question", q.Question, true), q.Values})
		})
	}
	return out
}

func (c *checker) phase(f *filedPhase) Phase {
	c.in("session", func() {
		if f.Session == "" || strings.Contains(f.Session, "=") || strings.Contains(f.Session, "\n") {
			c.fail("want the name of the session, without =, as in session: idle")
		}
		c.value(f.Session, maxValue)
	})
	p := Phase{Session: f.Session, Factors: c.factors(f.Factors), Repeat: 1, Control: f.Control}
	if f.Repeat != nil {
		p.Repeat = *f.Repeat
	}
	if p.Repeat < 1 || p.Repeat > maxRepeat {
		c.in("repeat", func() { c.fail("want 1 to %d repeats", maxRepeat) })
	}
	p.Before, p.Steps, p.After = c.steps("before", f.Before), c.steps("steps", f.Steps), c.steps("after", f.After)
	waits, sends := 0, 0
	for _, s := range p.Steps {
		if s.Wait > 0 {
			waits++
		}
		if s.Send != nil {
			sends++
		}
	}
	c.in("steps", func() {
		if len(p.Steps) == 0 {
			c.fail("the phase has no steps: say what to do or how long to wait")
		}
		if p.Control == Positive && sends == 0 {
			c.fail("a positive control sends something: want a step send: {}")
		}
		if p.Control == Negative && (waits == 0 || sends > 0) {
			c.fail("a negative control waits and sends nothing: want a step wait: 10m")
		}
	})
	if !slices.Contains([]Control{"", Positive, Negative}, p.Control) {
		c.in("control", func() { c.fail("want control: positive or negative, or no such line") })
	}
	if _, also := p.Factors[ControlFactor]; also || p.Control == "" && sends > 0 {
		c.fail("only a phase with control: positive sends something")
	}
	return p
}

func (c *checker) steps(name string, list []filedStep) (out []Step) {
	c.in(name, func() {
		if len(list) > maxSteps {
			c.fail("more than %d steps", maxSteps)
		}
		for i, f := range list {
			c.in(i, func() { out = append(out, c.step(name, f)) })
		}
	})
	return out
}

func (c *checker) step(where string, f filedStep) Step {
	s := Step{Do: c.text("do", f.Do, false), Wait: time.Duration(f.Wait)}
	if f.Send != nil {
		c.in("send", func() { s.Send = c.send(f.Send) })
		if where != "steps" {
			c.fail("what is sent on purpose is sent within the session: move it to steps")
		}
	}
	if len(s.Do) == 0 && s.Wait == 0 && s.Send == nil || s.Wait > 0 && s.Send != nil {
		c.fail("a step is something to do, to wait or to send: {do: …}, {wait: 30m}, {send: {}}")
	}
	return s
}

// defaultPage is in a domain that is reserved for examples (RFC 2606 section 3),
// whose server answers over HTTPS whatever it is asked.
const defaultPage = "https://example.com/"

func (c *checker) send(f *filedSend) *Send {
	s := &Send{f.URL, f.Canary}
	if s.URL == "" {
		s.URL = defaultPage
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || len(s.URL) > maxValue {
		c.in("url", func() { c.fail("want the address of a page without query, as in %s", defaultPage) })
	}
	if s.Canary == "" {
		s.Canary = "email"
	}
	if !kindForm.MatchString(s.Canary) {
		c.in("canary", func() { c.fail("want a kind of planted value, as in email") })
	}
	return s
}
