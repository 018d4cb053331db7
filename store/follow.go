package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"constat/inspect"
	"constat/proxy/flow"
)

// work is an exchange, or a frame of it, that wants a report.
type work struct {
	seq             int64
	exchange, frame int64       // frame 0: the exchange itself
	record          flow.Record // nil: to be read from the case
}

// A feed hands what is committed to one Follow while it is still in memory, so
// that it need not be read again. When the follower falls behind, the feed
// forgets all it holds: the case has it. It is safe for concurrent use.
type feed struct {
	signal chan struct{} // buffered: there is something to take

	mu    sync.Mutex
	items []work
	bytes int
	gap   bool // something was forgotten
}

const (
	maxFeed      = 1024
	maxFeedBytes = 4 << 20
	// gather is how long a follower lets things come together: waking it for
	// each exchange would cost as much as looking at a small one, while a client
	// waits for the next.
	gather = 10 * time.Millisecond
)

func newFeed() *feed { return &feed{signal: make(chan struct{}, 1), gap: true} }

func (f *feed) add(ops []*op) {
	f.mu.Lock()
	for _, p := range ops {
		if p.follow == nil || f.gap {
			continue
		}
		w := work{seq: p.seq, record: p.follow}
		size := 0
		for _, s := range p.stored {
			if s.spilled > 0 {
				w.record = nil // only the case has all of it
			}
		}
		switch r := p.follow.(type) {
		case *flow.Exchange:
			w.exchange = r.ID
			size = tailSize(r.Request.Body) + tailSize(r.Response.Body)
		case *flow.Frame:
			w.exchange, w.frame = r.Exchange, r.ID
			size = tailSize(r.Payload)
		}
		if len(f.items) >= maxFeed || f.bytes+size > maxFeedBytes {
			f.items, f.bytes, f.gap = nil, 0, true
			continue
		}
		f.items = append(f.items, w)
		f.bytes += size
	}
	f.mu.Unlock()
	select {
	case f.signal <- struct{}{}:
	default:
	}
}

func tailSize(b *flow.Body) int {
	if b == nil {
		return 0
	}
	return len(b.Tail())
}

// take returns what came since the last time, and whether something before it
// was forgotten.
func (f *feed) take() (items []work, gap bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	items, gap = f.items, f.gap
	f.items, f.bytes, f.gap = nil, 0, false
	return items, gap
}

// feeds are the feeds of all that follow a case.
type feeds struct {
	mu   sync.Mutex
	list []*feed
}

func (s *feeds) open() *feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := newFeed()
	s.list = append(s.list, f)
	return f
}

func (s *feeds) close(f *feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = slices.DeleteFunc(s.list, func(x *feed) bool { return x == f })
}

func (s *feeds) add(ops []*op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.list {
		f.add(ops)
	}
}

// defaultCatchUp is how long Follow goes on after its end with what was put off
// while the capture was busy.
const defaultCatchUp = 20 * time.Second

// Follow inspects what is there, then what is committed, until ctx ends and all
// that was committed by then has its report. While more comes than a phone
// sends, it gives way to the capture. It returns early when the case fails, and
// with ErrBehind when much is left at the end: another Follow or Inspect goes on
// with that.
func (c *Case) Follow(ctx context.Context, in *inspect.Inspector) error {
	f := c.feeds.open()
	defer c.feeds.close(f)
	i := newInspection(c, in)
	i.pace = &pace{count: c.exchangeID.Load}
	// What was committed by the end of ctx is still to be inspected.
	all, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() {
		late := time.AfterFunc(c.catchUp, func() { cancel(ErrBehind) })
		context.AfterFunc(all, func() { late.Stop() })
	})
	defer stop()
	err := i.run(all, ctx, func(inner context.Context, add func(work) error) error {
		wait := time.NewTimer(0)
		defer wait.Stop()
		next := int64(0) // all before has been handed out
		for last := false; ; {
			items, gap := f.take()
			if gap {
				end := c.size.Load()
				if err := i.missing(inner, next, end, add); err != nil {
					return err
				}
				next = max(next, end)
			}
			for _, w := range items {
				if w.seq < next {
					continue
				}
				if err := add(w); err != nil {
					return err
				}
				next = w.seq + 1
			}
			switch {
			case len(items) > 0 || gap:
				continue
			case last:
				return nil
			}
			select {
			case <-f.signal:
				wait.Reset(gather)
				select {
				case <-wait.C:
				case <-inner.Done():
				case <-c.failed:
				case <-ctx.Done():
				}
			case <-inner.Done():
				return inner.Err()
			case <-c.failed:
				return c.Err()
			case <-ctx.Done():
				last = true
			}
		}
	})
	if cause := context.Cause(all); errors.Is(cause, ErrBehind) && c.Err() == nil {
		// The reports were handed in without waiting for each.
		return errors.Join(cause, c.writer.control(context.WithoutCancel(ctx), func() error { return nil }))
	}
	return err
}

// Inspect appends a report for every exchange and frame that has none by this
// inspector's version, oldest first, and returns when all have one. progress,
// when not nil, is called now and then, from one goroutine.
func (c *Case) Inspect(ctx context.Context, in *inspect.Inspector, progress func(done, total int64)) (Changes, error) {
	i := newInspection(c, in)
	end := c.size.Load()
	var total int64
	err := c.db.QueryRowContext(ctx, "SELECT count(*) FROM ("+missing+")", 0, end, in.Version(), -1).Scan(&total)
	if err != nil {
		return Changes{}, sqlError("inspect case", err)
	}
	if i.changes, err = newChanges(ctx, c, total, progress); err != nil {
		return Changes{}, err
	}
	err = i.run(ctx, ctx, func(ctx context.Context, add func(work) error) error { return i.missing(ctx, 0, end, add) })
	return i.changes.sum(), err
}
