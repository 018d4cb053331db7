package compare

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"constat/store"
)

// Where a comparison becomes weak.
const (
	fewSessions   = 3
	uneven        = 1.5  // ratio of lengths
	littleRead    = 0.9  // share of bytes up
	unevenRead    = 0.1  // difference of the shares
	expectedNoise = 0.05 // rows by chance from which it is said
	maxConditions = 10
)

// cautions says what weakens the comparison.
func (g *gathering) cautions(ctx context.Context, c *Comparison, ch chance) error {
	c.Cautions = []Caution{}
	say := func(word, format string, args ...any) {
		c.Cautions = append(c.Cautions, Caution{word, fmt.Sprintf(format, args...)})
	}
	a, b := g.sides[0], g.sides[1]
	switch least := min(len(a.units), len(b.units)); {
	case least < 2:
		say("one_session", "One side has one session only: any difference can be chance. Repeat the test, at least three times a side.")
	case least < fewSessions:
		say("few_sessions", "One side has two sessions only: nothing can be sure. Five a side are needed for that.")
	}
	if n := a.stopped + b.stopped; n > 0 {
		say("stopped", "Sessions that were stopped before their end are left out: %d.", n)
	}
	if x, y := length(a), length(b); max(x, y) > uneven*min(x, y) {
		say("length", "The sessions of the sides differ in length: on average %s in A and %s in B.", spell(x), spell(y))
	}
	g.seen(c, say)
	if err := g.devices(ctx, say); err != nil {
		return err
	}
	if words := g.conditions(); words != "" {
		say("conditions", "The sides differ in more than what is compared: %s.", words)
	}
	if p, q := sha256.Sum256(a.info.Persona), sha256.Sum256(b.info.Persona); p != q {
		say("persona", "The cases have different planted values, so that planted values and identifiers of one cannot be in the other.")
	}
	if a.info.Tool != b.info.Tool {
		say("tool", "The cases were recorded by different builds: %s and %s. Run 'constat inspect' on both, so that one build looked at all.", a.info.Tool, b.info.Tool)
	}
	if err := g.controls(ctx, say); err != nil {
		return err
	}
	if ch.expected > expectedNoise {
		say("chance", "%d things were compared: if the sides did not differ at all, about %.2g of the rows called likely or sure would still be there by chance.", ch.compared, ch.expected)
	}
	var cut []string
	for _, what := range slices.Sorted(maps.Keys(g.kinds)) {
		if t := g.kinds[what]; t.limit < 1<<64-1 {
			cut = append(cut, fmt.Sprintf("of %s keys 1 in %.0f", what, float64(1<<64-1)/float64(t.limit)))
		}
	}
	if a.moreHost || b.moreHost {
		cut = append(cut, fmt.Sprintf("of hosts that could not be read the first %d", maxHosts))
	}
	if len(cut) > 0 {
		say("cut", "There is too much to compare all; a sample was: %s. Choose fewer sessions, or one device.", strings.Join(cut, ", "))
	}
	return nil
}

// seen says how much of the sides could be seen.
func (g *gathering) seen(c *Comparison, say func(word, format string, args ...any)) {
	x, y := c.A.Coverage.ShareUp(), c.B.Coverage.ShareUp()
	switch {
	case max(x, y)-min(x, y) > unevenRead:
		say("coverage", "Of the bytes that left the phone %s could be read in A and %s in B: what seems to appear or vanish may only have become readable or unreadable.", percent(x), percent(y))
	case min(x, y) < littleRead:
		say("coverage", "Only %s of the bytes that left the phone could be read on one side: what differs in the rest is not seen.", percent(min(x, y)))
	}
	if n := c.A.Coverage.NotInspected + c.B.Coverage.NotInspected; n > 0 {
		say("not_inspected", "%d requests were not inspected: their classes, planted values and identifiers are not counted. Run 'constat inspect'.", n)
	}
}

// percent is rounded down: 100 % is all of it.
func percent(x float64) string { return fmt.Sprintf("%d %%", int(100*x)) }

func length(s *side) float64 {
	sum := 0.0
	for _, u := range s.units {
		sum += u.hours
	}
	return sum / float64(len(s.units))
}

func spell(hours float64) string {
	return time.Duration(hours * float64(time.Hour)).Round(time.Second).String()
}

// devices compares which phones took part, and what was declared of them.
func (g *gathering) devices(ctx context.Context, say func(word, format string, args ...any)) error {
	const maxDevices = 20
	var facts [2]map[string]string
	for n, s := range g.sides {
		err := s.each(ctx, fmt.Sprintf("SELECT DISTINCT device FROM requests WHERE SCOPE ORDER BY 1 LIMIT %d", maxDevices), func(scan func(...any) error) error {
			var d string
			err := scan(&d)
			s.devices = append(s.devices, d)
			return err
		})
		if err != nil {
			return err
		}
		if facts[n], err = s.declared(ctx); err != nil {
			return err
		}
	}
	a, b := g.sides[0], g.sides[1]
	if !slices.Equal(a.devices, b.devices) && len(a.devices)+len(b.devices) > 0 {
		say("device", "The devices are not the same: %s in A and %s in B.", listed(a.devices), listed(b.devices))
	}
	var differ []string
	for name, value := range facts[0] {
		if other, both := facts[1][name]; both && other != value {
			differ = append(differ, name)
		}
	}
	if slices.Sort(differ); len(differ) > 0 {
		say("device", "What was declared of the device differs: %s.", listed(differ))
	}
	return nil
}

// listed writes the first few of a list, none of them long.
func listed(list []string) string {
	const most, longest = 5, 60
	if len(list) == 0 {
		return "none"
	}
	var words []string
	for i, s := range list {
		if i == most {
			words = append(words, fmt.Sprintf("%d more", len(list)-most))
			break
		}
		if runes := []rune(s); len(runes) > longest {
			s = string(runes[:longest]) + "…"
		}
		words = append(words, s)
	}
	return strings.Join(words, ", ")
}

// declared returns what was declared of devices when the newest session of the side
// ended, by subject and name.
func (s *side) declared(ctx context.Context) (map[string]string, error) {
	list, err := s.Reader.Declarations(ctx, store.TopicDevice)
	if err != nil {
		return nil, err
	}
	until := time.Time{} // zero: also the newest counts
	if n := len(s.out.Sessions); n > 0 {
		until = s.out.Sessions[n-1].Closed
	}
	facts := map[string]string{}
	for _, d := range list {
		if !until.IsZero() && d.Time.After(until) {
			continue
		}
		var content map[string]any
		in := json.NewDecoder(bytes.NewReader(d.Content))
		in.UseNumber()
		if in.Decode(&content) != nil {
			continue // of another tool
		}
		for name, value := range content {
			facts[strings.TrimSpace(d.Subject+" "+name)] = fmt.Sprint(value)
		}
	}
	return facts, nil
}

// conditions names the factors that differ beside those that are compared.
func (g *gathering) conditions() string {
	var values [2]map[string][]string
	for n, s := range g.sides {
		values[n] = map[string][]string{}
		for _, x := range s.out.Sessions {
			for name, v := range x.Factors {
				if !slices.Contains(values[n][name], v) {
					values[n][name] = append(values[n][name], v)
				}
			}
		}
		for _, list := range values[n] {
			slices.Sort(list)
		}
	}
	names := map[string]bool{}
	for _, v := range values {
		for name := range v {
			names[name] = true
		}
	}
	for _, s := range g.sides {
		for name := range s.Scope.Factors {
			delete(names, name)
		}
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a, b := values[0][name], values[1][name]; !slices.Equal(a, b) {
			words = append(words, fmt.Sprintf("%s (%s in A, %s in B)", listed([]string{name}), listed(a), listed(b)))
		}
	}
	if len(words) > maxConditions {
		words = append(words[:maxConditions], fmt.Sprintf("%d more", len(words)-maxConditions))
	}
	return strings.Join(words, "; ")
}

// controls says when a case has no positive control: what it does not show may have
// been there.
func (g *gathering) controls(ctx context.Context, say func(word, format string, args ...any)) error {
	for _, s := range g.sides {
		list, err := s.Reader.SessionsIn(ctx, store.Scope{Factors: map[string]string{"control": "positive"}})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			say("control", "A case has no positive control ('constat protocol run' makes one): whether what is sent is seen at all was not shown.")
			return nil
		}
	}
	return nil
}
