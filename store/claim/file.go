package claim

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"constat/inspect"
	"constat/store"
	"constat/store/query"
)

// Claim is what somebody has said, and what settles it. It does not change once it
// was read.
type Claim struct {
	ID         string
	Title      Text
	Said       Statement
	Question   Text
	Parameters []Parameter // by name
	Protocol   string      // that makes sessions for the roles, "" none does
	Roles      []Need      // by name
	Controls   []string    // "positive", "negative"
	Planted    []string    // kinds of planted values of which the case must have one each, such as "sms_text"
	Coverage   float64     // least share of the bytes up that must be readable, 0 to 1
	Escapes    []string    // ways past the door that keep absence from counting
	OneRow     string      // Supports or Refutes: one row of that query decides
	Absence    Absence
	Supports   string // SQL, "" none
	Refutes    string
	Doubts     string // finds what looks like a row of OneRow and is not sure: keeps absence from counting
	Means      map[Verdict]Text
	Limits     Text
	Source     string // the file

	columns map[string][]string // of each query
}

// The queries of a claim.
const (
	Supports = "supports"
	Refutes  = "refutes"
	doubts   = "doubts"
)

// Absence says what it means that the query OneRow finds nothing, when all that
// the claim needs is there.
type Absence string

// The kinds of Absence.
const (
	Enough      Absence = "enough"       // it decides
	WithExample Absence = "with_example" // it decides if the other query has a row: what the claim is about did happen
	Never       Absence = "never"
)

// Need is a Role as a claim asks for it.
type Need struct {
	Name     string
	Title    Text
	Match    []Condition // a session that fits one of them fits
	Sessions int
	Minutes  float64
}

// Condition maps factors to the values that fit; "name" stands for the session's
// name. "!x" is any declared value but x, "*" any declared value, "" none: the mark
// says nothing of that factor.
type Condition map[string][]string

// Parameter is a list of values that the one who asks may give.
type Parameter struct {
	Name     string
	Help     Text
	Default  []string
	Required bool   // without a value, absence does not count
	Of       string // what the values are: OfDomains …, "" any text
}

// What the values of a Parameter can be. A value that is misspelt finds nothing,
// which must not be taken for absence: these are checked, and brought to the writing
// that the views have.
const (
	OfDomains   = "domains"
	OfCountries = "countries" // ISO 3166-1 alpha-2
	OfClasses   = "classes"   // docs/classes.md
	OfKinds     = "kinds"     // of planted values
)

// scope is the parameter that narrows a claim down to what went to some domains:
// coverage is then also that of these domains.
const scope = "domains"

// Error is what is wrong with a claim file, and what to do.
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

// Bounds of a claim file.
const (
	maxFile      = 128 << 10
	maxText      = 4 << 10
	maxSQL       = 32 << 10
	maxList      = 64  // roles, conditions, parameters
	maxParameter = 256 // bytes of one value
	maxValues    = 500
	maxNeeded    = 1000 // sessions, and days of minutes
)

// file is a Claim as it is written down.
type file struct {
	ID         string               `yaml:"id"`
	Title      words                `yaml:"title"`
	Said       said                 `yaml:"said"`
	Question   words                `yaml:"question"`
	Parameters map[string]parameter `yaml:"parameters"`
	Protocol   string               `yaml:"protocol"`
	Roles      map[string]role      `yaml:"roles"`
	Controls   list                 `yaml:"controls"`
	Planted    list                 `yaml:"planted"`
	Coverage   coverage             `yaml:"coverage"`
	OneRow     string               `yaml:"one_row"`
	Absence    Absence              `yaml:"absence"`
	Supports   string               `yaml:"supports"`
	Refutes    string               `yaml:"refutes"`
	Doubts     string               `yaml:"doubts"`
	Means      map[Verdict]words    `yaml:"means"`
	Limits     words                `yaml:"limits"`
}

type said struct {
	Who    string `yaml:"who"`
	When   string `yaml:"when"`
	Quote  words  `yaml:"quote"`
	Source string `yaml:"source"`
}

type parameter struct {
	Help     words  `yaml:"help"`
	Default  list   `yaml:"default"`
	Required bool   `yaml:"required"`
	Of       string `yaml:"of"`
}

type role struct {
	Title    words             `yaml:"title"`
	Match    []map[string]list `yaml:"match"`
	Sessions int               `yaml:"sessions"`
	Minutes  float64           `yaml:"minutes"`
}

type coverage struct {
	BytesUp float64 `yaml:"bytes_up"`
	Escapes list    `yaml:"escapes"`
}

// words is a Text, or one string for English.
type words Text

// UnmarshalYAML implements yaml.Unmarshaler.
func (w *words) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*w = words{"en": n.Value}
		return nil
	}
	var m map[string]string
	if err := n.Decode(&m); err != nil {
		return err
	}
	*w = m
	return nil
}

// list is a list of strings, or one.
type list []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (l *list) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = list{n.Value}
		return nil
	}
	var s []string
	if err := n.Decode(&s); err != nil {
		return err
	}
	*l = s
	return nil
}

// Parse reads a claim. name stands for the file in errors, which are *Error.
func Parse(name string, r io.Reader) (*Claim, error) {
	checker, err := store.NewChecker()
	if err != nil {
		return nil, err
	}
	c, err := parse(name, r, checker)
	return c, errors.Join(err, checker.Close())
}

func parse(name string, r io.Reader, checker *store.Checker) (*Claim, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	p := &parser{name: name, checker: checker}
	if len(data) > maxFile {
		return nil, p.fail(nil, "larger than %d KiB: keep one claim in a file", maxFile>>10)
	}
	if err := yaml.Unmarshal(data, &p.doc); err != nil {
		return nil, p.yamlError(err)
	}
	if p.doc.Kind == 0 {
		return nil, p.fail(nil, "empty; print a template with 'constat claims new'")
	}
	if n := alias(&p.doc); n != nil {
		return nil, p.failAt(n.Line, "aliases (*name) are not read: write the value out")
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	var f file
	if err := dec.Decode(&f); err != nil {
		return nil, p.yamlError(err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, p.fail(nil, "more than one document: keep one claim in a file")
	}
	c, err := p.claim(&f)
	if err == nil {
		c.Source = string(data)
	}
	return c, err
}

// alias finds a node that stands for another: a few lines of them can stand for
// more than fits into memory.
func alias(n *yaml.Node) *yaml.Node {
	todo := []*yaml.Node{n}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		if n.Kind == yaml.AliasNode {
			return n
		}
		todo = append(todo[:len(todo)-1], n.Content...)
	}
	return nil
}

type parser struct {
	name    string
	doc     yaml.Node
	checker *store.Checker
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// yamlError turns the first problem that the decoder names into an Error.
func (p *parser) yamlError(err error) error {
	text := err.Error()
	var te *yaml.TypeError
	if errors.As(err, &te) && len(te.Errors) > 0 {
		text = te.Errors[0]
	}
	line := 0
	if m := yamlLine.FindStringSubmatchIndex(text); m != nil {
		line, _ = strconv.Atoi(text[m[2]:m[3]])
		text = text[m[1]:]
	}
	text = strings.TrimPrefix(text, "yaml: ")
	if before, _, ok := strings.Cut(text, " not found in type "); ok {
		text = before + " is not known; 'constat claims new' prints a template with all fields"
	}
	text, _, _ = strings.Cut(strings.ReplaceAll(text, "cannot unmarshal ", "cannot read "), "\n")
	return &Error{p.name, line, clip(text, 300)}
}

// fail says what is wrong at a field, named by the keys that lead to it.
func (p *parser) fail(keys []string, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if len(keys) > 0 {
		text = strings.Join(keys, ".") + ": " + text
	}
	return p.failAt(p.line(keys), "%s", text)
}

func (p *parser) failAt(line int, format string, args ...any) error {
	return &Error{p.name, line, fmt.Sprintf(format, args...)}
}

// line is where the field stands, or the last of its parents that is there.
func (p *parser) line(keys []string) int {
	n := &p.doc
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	if len(keys) == 0 {
		return 0
	}
	line := n.Line
	for _, k := range keys {
		if n.Kind != yaml.MappingNode {
			return line
		}
		at := -1
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == k {
				at = i
			}
		}
		if at < 0 {
			return line
		}
		line, n = n.Content[at].Line, n.Content[at+1]
	}
	return line
}

var (
	idForm       = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,31}$`)
	protocolForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	nameForm     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	factorForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
)

func (p *parser) claim(f *file) (*Claim, error) {
	c := &Claim{
		ID: f.ID, OneRow: f.OneRow, Absence: cmp.Or(f.Absence, Never), Coverage: f.Coverage.BytesUp, Escapes: f.Coverage.Escapes,
		Protocol: f.Protocol, Controls: f.Controls, Planted: f.Planted, Supports: f.Supports, Refutes: f.Refutes, Doubts: f.Doubts,
		Means: map[Verdict]Text{}, columns: map[string][]string{},
	}
	if !idForm.MatchString(c.ID) {
		return nil, p.fail([]string{"id"}, "want a short name of letters and digits, such as C3")
	}
	for _, step := range []func(*file, *Claim) error{p.texts, p.statement, p.parameters, p.roles, p.needs, p.queries} {
		if err := step(f, c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

var language = regexp.MustCompile(`^[a-z]{2}$`)

func (p *parser) text(w words, needed bool, keys ...string) (Text, error) {
	if len(w) == 0 && !needed {
		return Text{"en": ""}, nil
	}
	if strings.TrimSpace(w["en"]) == "" {
		return nil, p.fail(keys, "is missing; write it as 'en: …' and, if you can, 'fr: …'")
	}
	out := Text{}
	for lang, s := range w {
		switch {
		case !language.MatchString(lang):
			return nil, p.fail(keys, "%q is no language: want en, fr …", clip(lang, 20))
		case len(s) > maxText:
			return nil, p.fail(keys, "longer than %d bytes", maxText)
		}
		if err := p.printable(s, keys...); err != nil {
			return nil, err
		}
		if out[lang] = strings.Join(strings.Fields(s), " "); lang == "fr" {
			out[lang] = frenchSpaces.Replace(out[lang])
		}
	}
	return out, nil
}

func (p *parser) printable(s string, keys ...string) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }) {
		return p.fail(keys, "holds a control character")
	}
	return nil
}

func (p *parser) texts(f *file, c *Claim) (err error) {
	for _, t := range []struct {
		to     *Text
		from   words
		needed bool
		key    string
	}{{&c.Title, f.Title, true, "title"}, {&c.Question, f.Question, true, "question"}, {&c.Limits, f.Limits, false, "limits"}} {
		if *t.to, err = p.text(t.from, t.needed, t.key); err != nil {
			return err
		}
	}
	for v := range f.Means {
		if v != Supported && v != Refuted {
			return p.fail([]string{"means", string(v)}, "want supported and refuted")
		}
	}
	for _, v := range []Verdict{Supported, Refuted} {
		if c.Means[v], err = p.text(f.Means[v], true, "means", string(v)); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) statement(f *file, c *Claim) (err error) {
	c.Said = Statement{Who: f.Said.Who, Source: f.Said.Source}
	if c.Said.Who == "" {
		return p.fail([]string{"said", "who"}, "is missing: who said it?")
	}
	for key, s := range map[string]string{"who": f.Said.Who, "source": f.Said.Source} {
		if err := p.printable(s, "said", key); err != nil {
			return err
		}
	}
	if f.Said.When != "" {
		err = errors.New("none fits")
		for _, layout := range []string{time.DateOnly, "2006-01", "2006"} {
			if t, perr := time.Parse(layout, f.Said.When); perr == nil {
				c.Said.When, err = t, nil
			}
		}
		if err != nil {
			return p.fail([]string{"said", "when"}, "want a date such as 2014-07-30, 2014-07 or 2014")
		}
	}
	c.Said.Quote, err = p.text(f.Said.Quote, true, "said", "quote")
	return err
}

func (p *parser) parameters(f *file, c *Claim) (err error) {
	if len(f.Parameters) > maxList {
		return p.fail([]string{"parameters"}, "more than %d", maxList)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Parameters)) {
		from, keys := f.Parameters[name], []string{"parameters", name}
		if !nameForm.MatchString(name) {
			return p.fail(keys, "want a name of small letters, digits and _")
		}
		q := Parameter{Name: name, Default: from.Default, Required: from.Required, Of: from.Of}
		if !slices.Contains([]string{"", OfDomains, OfCountries, OfClasses, OfKinds}, q.Of) {
			return p.fail(append(keys, "of"), "want domains, countries, classes or kinds")
		}
		if q.Help, err = p.text(from.Help, true, append(keys, "help")...); err != nil {
			return err
		}
		if q.Default, err = acceptValues(q.Of, q.Default); err != nil {
			return p.fail(append(keys, "default"), "%s", err)
		}
		c.Parameters = append(c.Parameters, q)
	}
	return nil
}

// checkValues bounds the values of a parameter.
func checkValues(values []string) error {
	if len(values) > maxValues {
		return fmt.Errorf("more than %d values", maxValues)
	}
	for _, v := range values {
		if len(v) > maxParameter || !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return errors.New("a value is too long or holds a control character")
		}
	}
	return nil
}

// acceptValues checks the values of a parameter and returns them as the queries
// compare them.
func acceptValues(of string, values []string) ([]string, error) {
	if err := checkValues(values); err != nil {
		return nil, err
	}
	out := []string{}
	for _, v := range values {
		one, err := acceptValue(of, strings.TrimSpace(v))
		if err != nil {
			return nil, err
		}
		if one != "" {
			out = append(out, one)
		}
	}
	return out, nil
}

var (
	domainForm  = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
)

func acceptValue(of, v string) (string, error) {
	shown := clip(v, 40)
	switch of {
	case OfDomains:
		v = strings.Trim(strings.TrimPrefix(strings.ToLower(v), "*."), ".")
		if _, err := netip.ParseAddr(v); err != nil && v != "" && !domainForm.MatchString(v) {
			return "", fmt.Errorf("%q is no domain: want one such as example.com, in ASCII (xn--…), without https:// and path", shown)
		}
	case OfCountries:
		if v = strings.ToUpper(v); v != "" && !countryForm.MatchString(v) {
			return "", fmt.Errorf("%q is no code of a country: want two letters such as CN", shown)
		}
	case OfClasses:
		if v = strings.ToLower(v); v != "" && !slices.Contains(inspect.Classes, inspect.Class(v)) {
			return "", fmt.Errorf("%q is no class: docs/classes.md has them", shown)
		}
	case OfKinds:
		v = strings.ToLower(v) // which must be planted is for the case to tell
	}
	return v, nil
}

func (p *parser) roles(f *file, c *Claim) (err error) {
	if len(f.Roles) > maxList {
		return p.fail([]string{"roles"}, "more than %d", maxList)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Roles)) {
		from, keys := f.Roles[name], []string{"roles", name}
		if !nameForm.MatchString(name) {
			return p.fail(keys, "want a name of small letters, digits and _")
		}
		n := Need{Name: name, Sessions: max(1, from.Sessions), Minutes: from.Minutes}
		if from.Sessions < 0 || from.Sessions > maxNeeded {
			return p.fail(append(keys, "sessions"), "want a number from 1 to %d", maxNeeded)
		}
		if !(from.Minutes >= 0 && from.Minutes <= maxNeeded*24*60) {
			return p.fail(append(keys, "minutes"), "want the minutes that each session must last")
		}
		if n.Title, err = p.text(from.Title, true, append(keys, "title")...); err != nil {
			return err
		}
		keys = append(keys, "match")
		if len(from.Match) == 0 || len(from.Match) > maxList {
			return p.fail(keys, "want a list of which sessions fit, such as '- {cloud: off}'")
		}
		for _, m := range from.Match {
			cond := Condition{}
			for factor, values := range m {
				if !factorForm.MatchString(factor) || len(values) == 0 || checkValues(values) != nil {
					return p.fail(keys, "%q: want a factor and the values that fit, such as '- {cloud: [off, none]}'", clip(factor, 40))
				}
				cond[factor] = values
			}
			if len(cond) == 0 {
				return p.fail(keys, "an empty condition fits every session: name a factor")
			}
			n.Match = append(n.Match, cond)
		}
		c.Roles = append(c.Roles, n)
	}
	return nil
}

// escapeAll stands for all words of store.Coverage.Escapes.
const escapeAll = "all"

func (p *parser) needs(f *file, c *Claim) error {
	if c.Protocol != "" && !protocolForm.MatchString(c.Protocol) {
		return p.fail([]string{"protocol"}, "want the name of a protocol, such as idle; 'constat protocol list' has them")
	}
	for _, w := range c.Controls {
		if w != positive && w != negative {
			return p.fail([]string{"controls"}, "%q: want positive or negative", clip(w, 20))
		}
	}
	for _, k := range c.Planted {
		if !nameForm.MatchString(k) {
			return p.fail([]string{"planted"}, "%q: want kinds of planted values, such as sms_text", clip(k, 20))
		}
	}
	if !(c.Coverage >= 0 && c.Coverage <= 1) {
		return p.fail([]string{"coverage", "bytes_up"}, "want a share from 0 to 1, such as 0.95")
	}
	for _, e := range c.Escapes {
		if !nameForm.MatchString(e) {
			return p.fail([]string{"coverage", "escapes"}, "%q: want all, or words such as quic, raw_sockets, dns, mobile_data", clip(e, 20))
		}
	}
	if c.OneRow != Supports && c.OneRow != Refutes {
		return p.fail([]string{"one_row"}, "want supports or refutes: the query of which one row decides")
	}
	if !slices.Contains([]Absence{Enough, WithExample, Never}, c.Absence) {
		return p.fail([]string{"absence"}, "want enough, with_example or never")
	}
	return nil
}

func (p *parser) queries(f *file, c *Claim) error {
	for _, q := range []struct{ name, sql string }{{Supports, c.Supports}, {Refutes, c.Refutes}, {doubts, c.Doubts}} {
		keys := []string{q.name}
		switch {
		case strings.TrimSpace(q.sql) == "" && q.name == c.OneRow:
			return p.fail([]string{"one_row"}, "there is no query %s: write one", q.name)
		case strings.TrimSpace(q.sql) == "":
			continue
		case len(q.sql) > maxSQL:
			return p.fail(keys, "longer than %d KiB", maxSQL>>10)
		case !query.IsSQL(strings.TrimSpace(q.sql)):
			return p.fail(keys, "want SQL that begins with SELECT or WITH")
		}
		if err := p.printable(q.sql, keys...); err != nil {
			return err
		}
		columns, err := c.compile(p.checker, q.sql)
		if err != nil {
			return p.fail(keys, "%s; docs/schema.md has the views", err)
		}
		c.columns[q.name] = columns
	}
	if c.Absence == WithExample && c.Supports == "" || c.Absence == WithExample && c.Refutes == "" {
		return p.fail([]string{"absence"}, "with_example needs both queries")
	}
	return nil
}

// The columns that a query can have.
var known = []string{"request_id", "connection_id", "reason", "path", "value", "direction"}

// compile checks that a query reads nothing but the views, and returns its
// columns.
func (c *Claim) compile(checker *store.Checker, text string) ([]string, error) {
	whole := frame(nil, nil, "SELECT * FROM (\n"+text+"\n)")
	if _, _, err := query.Compile(whole); err != nil {
		return nil, errors.New("want one statement, without a semicolon")
	}
	columns, err := checker.Columns(whole)
	if err != nil {
		return nil, err
	}
	for _, name := range columns {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("column %q: want %s", clip(name, 40), strings.Join(known, ", "))
		}
	}
	if !slices.Contains(columns, "reason") || !slices.Contains(columns, "request_id") && !slices.Contains(columns, "connection_id") {
		return nil, errors.New("want the columns request_id (or connection_id) and reason")
	}
	return columns, nil
}

// clip shortens s for a message.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
