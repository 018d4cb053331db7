package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"constat/inspect"
)

// changes compares new reports with the ones before. It is safe for concurrent
// use.
type changes struct {
	r        *Reader
	progress func(done, total int64)
	total    int64
	framed   map[int64]*classes // exchanges that have frames: summed up at the end

	mu     sync.Mutex
	result Changes
}

// Changes counts what a new inspection changed against the reports before.
// What had no report before counts as inspected only.
type Changes struct {
	Inspected int64 `json:"inspected"`
	Changed   int64 `json:"changed"`
	// Requests that got or lost a class, and a planted value by its name.
	Gained         map[inspect.Class]int64 `json:"gained"`
	Lost           map[inspect.Class]int64 `json:"lost"`
	CanariesGained map[string]int64        `json:"canaries_gained"`
	CanariesLost   map[string]int64        `json:"canaries_lost"`
	// The first MaxChanges of these requests, by what they got or lost.
	GainedIn         map[inspect.Class][]int64 `json:"gained_in"`
	LostIn           map[inspect.Class][]int64 `json:"lost_in"`
	CanariesGainedIn map[string][]int64        `json:"canaries_gained_in"`
	CanariesLostIn   map[string][]int64        `json:"canaries_lost_in"`
}

// MaxChanges is how many requests Changes names of each kind.
const MaxChanges = 10

// classes are the classes, and the planted values, of a request before and after.
type classes struct{ before, after, canariesBefore, canariesAfter []string }

// progressEvery is how many reports are made between two calls of progress.
const progressEvery = 100

func newChanges(ctx context.Context, c *Case, total int64, progress func(done, total int64)) (*changes, error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	x := &changes{r: &c.Reader, progress: progress, total: total, framed: map[int64]*classes{}}
	x.result = Changes{
		Gained: map[inspect.Class]int64{}, Lost: map[inspect.Class]int64{}, CanariesGained: map[string]int64{}, CanariesLost: map[string]int64{},
		GainedIn: map[inspect.Class][]int64{}, LostIn: map[inspect.Class][]int64{}, CanariesGainedIn: map[string][]int64{}, CanariesLostIn: map[string][]int64{},
	}
	rows, err := c.db.QueryContext(ctx, "SELECT DISTINCT exchange FROM frame")
	if err != nil {
		return nil, sqlError("inspect case", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, sqlError("inspect case", err)
		}
		x.framed[id] = &classes{}
	}
	if err := rows.Err(); err != nil {
		return nil, sqlError("inspect case", err)
	}
	progress(0, total)
	return x, nil
}

// note compares rep, which is not in the case yet, with the newest that is.
func (x *changes) note(ctx context.Context, rep *report) error {
	before, err := get(ctx, x.r.db, reportKind, "exchange = ? AND frame = ? ORDER BY id DESC LIMIT 1", rep.Exchange, rep.Frame)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.result.Inspected++; x.result.Inspected%progressEvery == 0 || x.result.Inspected == x.total {
		x.progress(x.result.Inspected, x.total)
	}
	if before == nil {
		return nil
	}
	if before.Findings != rep.Findings || before.Hits != rep.Hits {
		x.result.Changed++
	}
	c := classes{before: strings.Fields(before.Tags), after: strings.Fields(rep.Tags)}
	if before.Hits != rep.Hits {
		if c.canariesBefore, err = canaries(before.Hits); err != nil {
			return err
		}
		if c.canariesAfter, err = canaries(rep.Hits); err != nil {
			return err
		}
	} // else none came or went
	if all := x.framed[rep.Exchange]; all != nil {
		all.before, all.after = append(all.before, c.before...), append(all.after, c.after...)
		// Thousands of frames have the same few classes.
		all.before, all.after = compact(all.before), compact(all.after)
		all.canariesBefore = compact(append(all.canariesBefore, c.canariesBefore...))
		all.canariesAfter = compact(append(all.canariesAfter, c.canariesAfter...))
		return nil
	}
	x.compare(rep.Exchange, c)
	return nil
}

// canaries returns the names of the planted values in a list of hits.
func canaries(hits string) ([]string, error) {
	if hits == "" {
		return nil, nil
	}
	var list []struct{ Canary string }
	if err := json.Unmarshal([]byte(hits), &list); err != nil {
		return nil, fmt.Errorf("compare reports: %w", err)
	}
	names := make([]string, len(list))
	for i, h := range list {
		names[i] = h.Canary
	}
	return compact(names), nil
}

func compact(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func (x *changes) compare(exchange int64, c classes) {
	r := &x.result
	less(c.after, c.before, exchange, r.Gained, r.GainedIn)
	less(c.before, c.after, exchange, r.Lost, r.LostIn)
	less(c.canariesAfter, c.canariesBefore, exchange, r.CanariesGained, r.CanariesGainedIn)
	less(c.canariesBefore, c.canariesAfter, exchange, r.CanariesLost, r.CanariesLostIn)
}

// less counts what is in list and not in without.
func less[S ~string](list, without []string, exchange int64, counts map[S]int64, in map[S][]int64) {
	for _, s := range list {
		if slices.Contains(without, s) {
			continue
		}
		counts[S(s)]++
		first := in[S(s)]
		at, _ := slices.BinarySearch(first, exchange)
		if at < MaxChanges {
			first = slices.Insert(first, at, exchange)
			in[S(s)] = first[:min(len(first), MaxChanges)]
		}
	}
}

func (x *changes) sum() Changes {
	x.mu.Lock()
	defer x.mu.Unlock()
	for exchange, c := range x.framed {
		x.compare(exchange, *c)
	}
	clear(x.framed)
	return x.result
}
