package store

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		p := &pace{count: n.Load}
		rested := func(ctx context.Context, worked time.Duration) time.Duration {
			began := time.Now()
			p.rest(ctx, worked)
			return time.Since(began)
		}
		// load adds exchanges at a rate until the next look.
		load := func(rate int64) {
			n.Add(rate / 5)
			time.Sleep(time.Second / 5)
			p.isBusy()
		}
		load(1_000_000)
		if got := rested(t.Context(), time.Millisecond); got != 0 {
			t.Errorf("rested for %v before anything is known of the rate", got)
		}
		load(20)
		if got := rested(t.Context(), time.Millisecond); got != 0 {
			t.Errorf("rested for %v while a phone is used", got)
		}
		load(1_000_000)
		if got, want := rested(t.Context(), time.Millisecond), (busyShare-1)*time.Millisecond; got != want {
			t.Errorf("rested for %v in a rush, want %v", got, want)
		}
		// The rush ends during the pause.
		if got := rested(t.Context(), time.Minute); got > paceEvery+maxPause {
			t.Errorf("rested for %v after the rush", got)
		}
		load(1_000_000)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got := rested(ctx, time.Minute); got != 0 {
			t.Errorf("rested for %v at the end", got)
		}
	})
}
