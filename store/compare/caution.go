package compare

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math"
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
func (g *gathering) cautions(ctx context.Context, c *Comparison, ch *chance) error {
	c.Cautions = []Caution{}
	say := func(x Caution) {
		x.Sentence = x.sentence()
		c.Cautions = append(c.Cautions, x)
	}
	a, b := g.sides[0], g.sides[1]
	switch least := min(len(a.units), len(b.units)); {
	case least < 2:
		say(Caution{Word: "one_session"})
	case least < fewSessions:
		say(Caution{Word: "few_sessions"})
	}
	if n := a.stopped + b.stopped; n > 0 {
		say(Caution{Word: "stopped", Count: n})
	}
	if x, y := length(a), length(b); max(x, y) > uneven*min(x, y) {
		say(Caution{Word: "length", Sides: []float64{x, y}})
	}
	seen(c, say)
	if err := g.devices(ctx, say); err != nil {
		return err
	}
	if list := g.conditions(); len(list) > 0 {
		say(Caution{Word: "conditions", Differ: list})
	}
	if p, q := sha256.Sum256(a.info.Persona), sha256.Sum256(b.info.Persona); p != q {
		say(Caution{Word: "persona"})
	}
	if a.info.Tool != b.info.Tool {
		say(Caution{Word: "tool", Differ: []Difference{{A: bounded([]string{a.info.Tool}), B: bounded([]string{b.info.Tool})}}})
	}
	if err := g.controls(ctx, say); err != nil {
		return err
	}
	if expected, found := ch.likelyRows(); expected > expectedNoise {
		say(Caution{Word: "chance", Count: ch.compared, Sides: []float64{expected, float64(found)}})
	}
	cut := Caution{Word: "cut"}
	for _, what := range slices.Sorted(maps.Keys(g.kinds)) {
		if t := g.kinds[what]; t.limit < 1<<64-1 {
			cut.Differ = append(cut.Differ, Difference{Name: what, Count: int(math.Round(float64(1<<64-1) / float64(t.limit)))})
		}
	}
	if a.moreHost || b.moreHost {
		cut.Count = maxHosts
	}
	if len(cut.Differ) > 0 || cut.Count > 0 {
		say(cut)
	}
	return nil
}

// seen says how much of the sides could be seen. Sessions in which no connection was
// opened, because older ones were still open, have no share of their own.
func seen(c *Comparison, say func(Caution)) {
	x, y := share(&c.A.Coverage), share(&c.B.Coverage)
	if least := min(x, y); least >= 0 && (least < littleRead || max(x, y)-least > unevenRead) || least < 0 && max(x, y) >= 0 && max(x, y) < littleRead {
		say(Caution{Word: "coverage", Sides: []float64{x, y}})
	}
	if n := c.A.Coverage.NotInspected + c.B.Coverage.NotInspected; n > 0 {
		say(Caution{Word: "not_inspected", Count: int(n)})
	}
}

// share is which part of the bytes from the phone could be read, -1 if there were none.
func share(c *store.Coverage) float64 {
	if c.BytesUp == 0 {
		return -1
	}
	return c.ShareUp()
}

// length is that of a side's sessions on average, in seconds.
func length(s *side) float64 {
	sum := 0.0
	for _, u := range s.units {
		sum += u.hours * time.Hour.Seconds()
	}
	return sum / float64(len(s.units))
}

// devices compares which phones took part, and what was declared of them.
func (g *gathering) devices(ctx context.Context, say func(Caution)) error {
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
	if !slices.Equal(a.devices, b.devices) && min(len(a.devices), len(b.devices)) > 0 {
		say(Caution{Word: "device", Differ: []Difference{{A: bounded(a.devices), B: bounded(b.devices)}}})
	}
	var differ []string
	for name, value := range facts[0] {
		if other, both := facts[1][name]; both && other != value {
			differ = append(differ, name)
		}
	}
	if slices.Sort(differ); len(differ) > 0 {
		x := Caution{Word: "declared"}
		for _, name := range bounded(differ) {
			x.Differ = append(x.Differ, Difference{Name: name})
		}
		say(x)
	}
	return nil
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

// conditions lists the factors that differ beside those that are compared.
func (g *gathering) conditions() (list []Difference) {
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
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := values[0][name], values[1][name]
		if slices.Equal(a, b) {
			continue
		}
		if len(list) == maxConditions {
			return append(list, Difference{Name: "…"})
		}
		list = append(list, Difference{Name: bounded([]string{name})[0], A: bounded(a), B: bounded(b)})
	}
	return list
}

// controls says when a case has no positive control: what it does not show may have
// been there.
func (g *gathering) controls(ctx context.Context, say func(Caution)) error {
	for _, s := range g.sides {
		list, err := s.Reader.SessionsIn(ctx, store.Scope{Factors: map[string]string{"control": "positive"}})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			say(Caution{Word: "control"})
			return nil
		}
	}
	return nil
}
