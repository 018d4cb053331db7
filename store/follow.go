package store

import (
	"context"
	"sync"

	"constat/inspect"
)

type feed struct{ mu sync.Mutex }

func (f *feed) add(ops []*op) {}

func (c *Case) Inspect(ctx context.Context, in *inspect.Inspector, progress func(done, total int64)) (Changes, error) {
	panic("unwritten")
}

func (c *Case) Follow(ctx context.Context, in *inspect.Inspector) error { panic("unwritten") }

// Changes counts what a new inspection changed against the reports before.
type Changes struct {
	Inspected, Changed int64
	Gained, Lost       map[inspect.Class]int64 // requests that got or lost a class
}
