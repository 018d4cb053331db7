package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// scored are the classes that samples are labelled with.
var scored = []inspect.Class{inspect.SMS, inspect.Photo, inspect.DeviceStats, inspect.GreetingContent}

// sample is one labelled request.
type sample struct {
	name    string // file and number
	odd     bool   // belongs to the half that rules are not tuned on
	subject *inspect.Subject
	want    map[inspect.Class]flow.Direction
	// open are classes that the label says nothing about.
	open []inspect.Class
}

// count is the outcome of one class on one half.
type count struct {
	hits, misses, alarms, rest int
	missed, alarmed            []string
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
	counts map[inspect.Class]*[2]count // even, odd
}

func newTally() *tally {
	t := &tally{make(map[inspect.Class]*[2]count)}
	for _, c := range scored {
		t.counts[c] = new([2]count)
	}
	return t
}

func (t *tally) add(in *inspect.Inspector, s *sample) {
	r := in.Inspect(context.Background(), s.subject)
	for _, class := range scored {
		c := &t.counts[class][b2i(s.odd)]
		direction, wanted := s.want[class]
		found, right := false, false
		for _, f := range r.Findings {
			if f.Class == class {
				found = true
				right = right || f.Direction == direction
			}
		}
		switch {
		case wanted && right:
			c.hits++
		case wanted:
			c.misses++
			c.missed = append(c.missed, s.name)
		case found && !slices.Contains(s.open, class):
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

func (t *tally) print(out io.Writer, least float64, half string) (ok bool) {
	ok = true
	fmt.Fprintf(out, "%-18s %-5s %9s %7s %6s %7s %7s %7s\n", "class", "half", "precision", "recall", "hits", "misses", "alarms", "others")
	for _, class := range scored {
		for i, name := range []string{"even", "odd"} {
			c := &t.counts[class][i]
			fmt.Fprintf(out, "%-18s %-5s %9.3f %7.3f %6d %7d %7d %7d\n", class, name, c.precision(), c.recall(), c.hits, c.misses, c.alarms, c.rest)
			if c.precision() < least || c.recall() < least {
				ok = false
			}
		}
	}
	for _, class := range scored {
		for i, name := range []string{"even", "odd"} {
			if half != "both" && half != name {
				continue
			}
			c := &t.counts[class][i]
			list(out, string(class)+" missed, "+name, c.missed)
			list(out, string(class)+" false alarms, "+name, c.alarmed)
		}
	}
	return ok
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
