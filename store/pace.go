package store

import (
	"context"
	"runtime"
	"sync"
	"time"
)

const (
	// busyRate is how many exchanges a second, for each processor, make the capture
	// busy: many times what a phone does.
	busyRate = 100
	// busyShare is one in how many parts of the time inspection works while the
	// capture is busy.
	busyShare = 24
	// paceEvery is how often the rate is looked at.
	paceEvery = 100 * time.Millisecond
	// maxPause bounds a pause, so that the end of a rush is noticed soon.
	maxPause = 50 * time.Millisecond
)

// pace makes inspection give way to the capture: a phone waits for its answers,
// and nobody waits for an opinion. What is put off is in the case, and is taken
// up when the rush is over. Priorities of threads would not do it: a thread that
// is made to wait keeps the scheduler's slot that the capture needs. It is safe
// for concurrent use.
type pace struct {
	count func() int64 // exchanges so far

	mu   sync.Mutex
	at   time.Time
	last int64
	busy bool
}

// rest pauses after some work, as long as the capture is busy or ctx ends.
func (p *pace) rest(ctx context.Context, worked time.Duration) {
	for pause := (busyShare - 1) * worked; pause > 0 && ctx.Err() == nil && p.isBusy(); pause -= maxPause {
		t := time.NewTimer(min(pause, maxPause))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
}

func (p *pace) isBusy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	passed := now.Sub(p.at)
	if passed < paceEvery {
		return p.busy
	}
	n := p.count()
	p.busy = !p.at.IsZero() && float64(n-p.last) > busyRate*float64(runtime.GOMAXPROCS(0))*passed.Seconds()
	p.at, p.last = now, n
	return p.busy
}
