package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/flate"

	"constat/proxy/flow"
)

const (
	// windowSize is the largest window of permessage-deflate (RFC 7692 section
	// 7.1.2.1).
	windowSize = 32 << 10
	// maxInflated is how much one message may be inflated to; behind one that
	// goes beyond, the window is lost.
	maxInflated = 32 << 20
	// keepInflated is how much is remembered of what messages were inflated to:
	// the windows of messages that are looked at at the same time.
	keepInflated = 256 << 10
	// maxStreams is how many directions of WebSockets are remembered.
	maxStreams = 32
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

	mu    sync.Mutex
	data  []byte // the end of what was inflated
	marks []boundary
}

// boundary says where in messages.data a message ends.
type boundary struct {
	frame int64
	end   int
}

func (w *windows) of(exchange int64, d flow.Direction) *messages {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, s := range w.list {
		if s.exchange == exchange && s.direction == d {
			copy(w.list[i:], w.list[i+1:])
			w.list[len(w.list)-1] = s
			return s
		}
	}
	s := &messages{exchange: exchange, direction: d}
	if len(w.list) == maxStreams {
		w.list = append(w.list[:0], w.list[1:]...)
	}
	w.list = append(w.list, s)
	return s
}

// window returns the last bytes that the messages before f, of its exchange and
// direction, were inflated to. What cannot be known is left out: f then does
// not inflate, rather than to something else.
func (r *Reader) window(ctx context.Context, f *flow.Frame) ([]byte, error) {
	s := r.windows.of(f.Exchange, f.Direction)
	s.mu.Lock()
	defer s.mu.Unlock()
	at := len(s.marks)
	for at > 0 && s.marks[at-1].frame >= f.ID {
		at--
	}
	after := int64(0)
	if at > 0 {
		after = s.marks[at-1].frame
	} else { // from the beginning
		s.data, s.marks = s.data[:0], s.marks[:0]
	}
	if at == len(s.marks) {
		if err := s.advance(ctx, r, after, f.ID); err != nil {
			return nil, err
		}
		at = len(s.marks)
	}
	if at == 0 {
		return nil, nil
	}
	return bytes.Clone(tail(s.data[:s.marks[at-1].end])), nil
}

func tail(b []byte) []byte { return b[max(0, len(b)-windowSize):] }

// advance inflates the messages between two frames.
func (s *messages) advance(ctx context.Context, r *Reader, after, before int64) error {
	for after < before {
		list, err := r.deflated(ctx, s, after, before)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, f := range list {
			after = f.ID
			data, more, err := r.prefix(ctx, f.Payload, maxInflated, nil)
			if err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			s.add(f.ID, data, err == nil && !more && f.Payload.Complete())
		}
	}
	return nil
}

// deflated lists some compressed frames of s between two others.
func (r *Reader) deflated(ctx context.Context, s *messages, after, before int64) ([]*flow.Frame, error) {
	const page = 64
	ids, err := r.column(ctx, "SELECT id FROM frame WHERE exchange = ? AND id > ? AND id < ? AND direction = ? AND deflated ORDER BY id LIMIT ?",
		s.exchange, after, before, string(s.direction), page)
	if err != nil {
		return nil, err
	}
	var list []*flow.Frame
	for _, id := range ids {
		f, err := get(ctx, r.db, frameKind, "id = ?", id)
		if err != nil {
			return nil, err
		}
		f.ID = id
		list = append(list, f)
	}
	return list, nil
}

var flateReaders = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// add appends what the payload of a frame inflates to. When that cannot be
// known, nothing before it counts any more.
func (s *messages) add(frame int64, payload []byte, whole bool) {
	if len(s.data) > keepInflated+windowSize {
		s.forget()
	}
	start := len(s.data)
	if whole {
		z := flateReaders.Get().(io.ReadCloser)
		defer flateReaders.Put(z)
		// The end of each message is left out on the wire (RFC 7692 section 7.2.2);
		// the last block says that nothing follows.
		input := io.MultiReader(bytes.NewReader(payload), bytes.NewReader([]byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}))
		err := z.(flate.Resetter).Reset(input, tail(s.data))
		n := 0
		for err == nil {
			s.data = slices.Grow(s.data[:start+n], 4<<10)
			var m int
			m, err = z.Read(s.data[start+n : cap(s.data)])
			n += m
			if n > maxInflated {
				err = errors.New("message is too large")
			}
		}
		s.data = s.data[:start+n]
		whole = errors.Is(err, io.EOF)
		if whole && n > keepInflated {
			end := tail(s.data)
			s.data, s.marks = append(make([]byte, 0, len(end)), end...), s.marks[:0]
		}
	}
	if !whole {
		s.data, s.marks = s.data[:0], s.marks[:0]
	}
	s.marks = append(s.marks, boundary{frame, len(s.data)})
}

// forget drops what was inflated longest ago.
func (s *messages) forget() {
	cut := len(s.data) - keepInflated/2
	n := 0
	for n < len(s.marks)-1 && s.marks[n].end-windowSize < cut {
		n++
	}
	cut = max(0, s.marks[n].end-windowSize)
	s.marks = append(s.marks[:0], s.marks[n:]...)
	for i := range s.marks {
		s.marks[i].end -= cut
	}
	s.data = append(s.data[:0], s.data[cut:]...)
}
