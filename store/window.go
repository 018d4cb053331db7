package store

import (
	"context"
	"slices"
	"sync"

	"constat/inspect"
	"constat/proxy/flow"
)

const (
	// keepWindows is how many windows of one direction are remembered: those of
	// messages that are looked at at the same time.
	keepWindows = 48
	// maxStreams is how many directions of WebSockets are remembered.
	maxStreams = 16
)

// windows knows what the compressed messages of WebSockets were compressed with:
// the last bytes of the messages before, unless the peers agreed not to look
// back. A window that they did not use does no harm, so nobody needs to know
// what they agreed. It is safe for concurrent use; the zero value is ready.
type windows struct {
	mu   sync.Mutex
	list []*messages // the one used last at the end
}

// messages is one direction of one WebSocket.
type messages struct {
	exchange  int64
	direction flow.Direction

	mu      sync.Mutex
	windows []window // behind the messages inflated last, in their order
}

// window is what the messages up to a frame were inflated to, as far back as
// the next may look. It is not changed.
type window struct {
	frame int64
	data  []byte
}

func (w *windows) of(exchange int64, d flow.Direction) *messages {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, m := range w.list {
		if m.exchange == exchange && m.direction == d {
			w.list = append(slices.Delete(w.list, i, i+1), m)
			return m
		}
	}
	m := &messages{exchange: exchange, direction: d}
	if len(w.list) == maxStreams {
		w.list = slices.Delete(w.list, 0, 1)
	}
	w.list = append(w.list, m)
	return m
}

// window returns the last bytes that the messages before f, of its exchange and
// direction, were inflated to. What cannot be known is left out: f then does
// not inflate, rather than to something else. The bytes must not be changed.
func (r *Reader) window(ctx context.Context, f *flow.Frame) ([]byte, error) {
	m := r.windows.of(f.Exchange, f.Direction)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.windows)
	for n > 0 && m.windows[n-1].frame >= f.ID {
		n--
	}
	switch {
	case n > 0 && n < len(m.windows):
		return m.windows[n-1].data, nil
	case n == 0: // from the beginning
		m.windows = m.windows[:0]
	}
	if err := m.advance(ctx, r, f.ID); err != nil {
		return nil, err
	}
	return m.last().data, nil
}

func (m *messages) last() window {
	if len(m.windows) == 0 {
		return window{}
	}
	return m.windows[len(m.windows)-1]
}

// advance inflates the messages that are not inflated yet and come before a
// frame.
func (m *messages) advance(ctx context.Context, r *Reader, before int64) error {
	for {
		list, err := r.deflated(ctx, m, m.last().frame, before)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, f := range list {
			payload, more, err := r.prefix(ctx, f.Payload, inspect.MaxInflated, nil)
			if err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			var data []byte // unknown, when the payload is
			if err == nil && !more && f.Payload.Complete() {
				data = inspect.Slide(m.last().data, payload)
			}
			if len(m.windows) == keepWindows {
				m.windows = slices.Delete(m.windows, 0, 1)
			}
			m.windows = append(m.windows, window{f.ID, data})
		}
	}
}

// deflated lists some compressed frames of m between two others.
func (r *Reader) deflated(ctx context.Context, m *messages, after, before int64) ([]*flow.Frame, error) {
	const page = 64
	found, err := list(ctx, r.db, frameKind, "exchange = ? AND id > ? AND id < ? AND direction = ? AND deflated ORDER BY id LIMIT ?",
		m.exchange, after, before, string(m.direction), page)
	if err != nil {
		return nil, err
	}
	out := make([]*flow.Frame, len(found))
	for i, f := range found {
		f.record.ID = f.id
		out[i] = f.record
	}
	return out, nil
}
