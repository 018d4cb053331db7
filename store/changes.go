package store

import (
	"context"
	"errors"
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

// classes are the classes of a request before and after.
type classes struct{ before, after []string }

// progressEvery is how many reports are made between two calls of progress.
const progressEvery = 100

func newChanges(ctx context.Context, c *Case, total int64, progress func(done, total int64)) (*changes, error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	x := &changes{r: &c.Reader, progress: progress, total: total, framed: map[int64]*classes{}}
	x.result.Gained, x.result.Lost = map[inspect.Class]int64{}, map[inspect.Class]int64{}
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
	c := classes{strings.Fields(before.Tags), strings.Fields(rep.Tags)}
	if all := x.framed[rep.Exchange]; all != nil {
		all.before, all.after = append(all.before, c.before...), append(all.after, c.after...)
		// Thousands of frames have the same few classes.
		all.before, all.after = compact(all.before), compact(all.after)
		return nil
	}
	x.compare(c)
	return nil
}

func compact(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func (x *changes) compare(c classes) {
	for _, class := range c.after {
		if !slices.Contains(c.before, class) {
			x.result.Gained[inspect.Class(class)]++
		}
	}
	for _, class := range c.before {
		if !slices.Contains(c.after, class) {
			x.result.Lost[inspect.Class(class)]++
		}
	}
}

func (x *changes) sum() Changes {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.framed {
		x.compare(*c)
	}
	clear(x.framed)
	return x.result
}
