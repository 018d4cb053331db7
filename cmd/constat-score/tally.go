package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"constat/inspect"
	"constat/proxy/flow"
)

// sample is one labelled request.
type sample struct {
	name    string // kind and number
	odd     bool   // its contents belong to the half that rules are not tuned on
	unseen  bool   // its envelope is in no sample of the even half
	blind   bool   // its envelope and contents were written without a look at the detectors
	blind2  bool   // the same, later and by somebody else
	subject *inspect.Subject
	want    map[inspect.Class]flow.Direction // "": any direction
	// open are classes that the label says nothing about.
	open []inspect.Class
}

// split is one of the five parts that are counted apart.
type split int

const (
	even split = iota // what rules may be tuned on
	odd               // the same envelopes with contents of their own
	unseen
	blind
	blind2
	splits
)

func (s split) String() string {
	return [splits]string{"even", "odd", "held-out", "blind", "blind2"}[s]
}

func (s *sample) split() split {
	switch {
	case s.blind2:
		return blind2
	case s.blind:
		return blind
	case s.unseen:
		return unseen
	case s.odd:
		return odd
	}
	return even
}

// count is the outcome of one class on one split.
type count struct {
	hits, misses, alarms, rest, open int
	missed, alarmed                  []string
}

func (c *count) precision() float64 { return ratio(c.hits, c.hits+c.alarms) }
func (c *count) recall() float64    { return ratio(c.hits, c.hits+c.misses) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

type tally struct {
	counts map[inspect.Class]*[splits]count
}

// inspectAll inspects the samples and counts in their order.
func inspectAll(in *inspect.Inspector, samples []*sample) *tally {
	found := make([][]inspect.Finding, len(samples))
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				found[i] = in.Inspect(context.Background(), samples[i].subject).Findings
			}
		})
	}
	for i := range samples {
		next <- i
	}
	close(next)
	wg.Wait()
	t := &tally{make(map[inspect.Class]*[splits]count)}
	for _, c := range inspect.Classes {
		t.counts[c] = new([splits]count)
	}
	for i, s := range samples {
		t.add(s, found[i])
	}
	return t
}

func (t *tally) add(s *sample, findings []inspect.Finding) {
	for _, class := range inspect.Classes {
		c := &t.counts[class][s.split()]
		direction, wanted := s.want[class]
		found, right := false, false
		for _, f := range findings {
			if f.Class == class {
				found = true
				right = right || direction == "" || f.Direction == direction
			}
		}
		switch {
		case wanted && right:
			c.hits++
		case wanted:
			c.misses++
			c.missed = append(c.missed, s.name)
		case slices.Contains(s.open, class):
			c.open++
		case found:
			c.alarms++
			c.alarmed = append(c.alarmed, s.name)
		default:
			c.rest++
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// print writes the table and then the names of what went wrong; ok says that no
// class is below least in the even and the odd split. The others tell how far
// that carries: they are marked, and nobody should be tempted to tune to them.
func (t *tally) print(out io.Writer, least float64, half string) (ok bool) {
	ok = true
	fmt.Fprintf(out, "%-18s %-9s %9s %7s %6s %7s %7s %7s %7s\n", "class", "split", "precision", "recall", "hits", "misses", "alarms", "others", "open")
	for _, class := range inspect.Classes {
		for s := range splits {
			c := &t.counts[class][s]
			mark := ""
			if c.precision() < least || c.recall() < least {
				ok, mark = ok && s != even && s != odd, "  below"
			}
			fmt.Fprintf(out, "%-18s %-9s %9.3f %7.3f %6d %7d %7d %7d %7d%s\n", class, s, c.precision(), c.recall(), c.hits, c.misses, c.alarms, c.rest, c.open, mark)
		}
	}
	for _, class := range inspect.Classes {
		for s := range splits {
			if half != "both" && half != s.String() {
				continue
			}
			c := &t.counts[class][s]
			list(out, fmt.Sprintf("%s missed, %s", class, s), c.missed)
			list(out, fmt.Sprintf("%s false alarms, %s", class, s), c.alarmed)
		}
	}
	return ok
}

// result is one line of the table for machines.
type result struct {
	Class     inspect.Class `json:"class"`
	Split     string        `json:"split"`
	Precision float64       `json:"precision"`
	Recall    float64       `json:"recall"`
	Hits      int           `json:"hits"`
	Misses    int           `json:"misses"`
	Alarms    int           `json:"false_alarms"`
	Others    int           `json:"others"`
	Open      int           `json:"open"`
	Missed    []string      `json:"missed,omitempty"`
	Alarmed   []string      `json:"false_alarm_names,omitempty"`
}

// results are what -json writes.
type results struct {
	Requests int         `json:"requests"`
	Seed     uint64      `json:"seed"`
	Classes  []result    `json:"classes"`
	Planted  plantedGain `json:"planted_values"`
}

func (t *tally) results() (out []result) {
	for _, class := range inspect.Classes {
		for s := range splits {
			c := &t.counts[class][s]
			out = append(out, result{class, s.String(), c.precision(), c.recall(), c.hits, c.misses, c.alarms, c.rest, c.open, c.missed, c.alarmed})
		}
	}
	return out
}

func (r *results) write(file string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

// list prints names, those of one kind together.
func list(out io.Writer, title string, names []string) {
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s:\n", title)
	byKind := make(map[string][]string)
	var kinds []string
	for _, n := range names {
		kind, number, _ := strings.Cut(n, "#")
		if byKind[kind] == nil {
			kinds = append(kinds, kind)
		}
		byKind[kind] = append(byKind[kind], number)
	}
	slices.Sort(kinds)
	for _, k := range kinds {
		fmt.Fprintf(out, "  %s %s\n", k, strings.Join(byKind[k], " "))
	}
}
