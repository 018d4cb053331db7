package store

import (
	"context"

	"constat/inspect"
	"constat/proxy/flow"
)

// defaultBodyBytes is how much of a body is looked at unless a limit says
// otherwise: the default of inspect.Limits.
const defaultBodyBytes = 16 << 20

// Subject returns what an Inspector looks at, with at most limit bytes of each
// body; 0 means 16 MiB.
func (r *Reader) Subject(ctx context.Context, exchange, frame int64, limit int64) (*inspect.Subject, error) {
	if frame != 0 {
		f, err := get(ctx, r.db, frameKind, "id = ? AND exchange = ?", frame, exchange)
		if err != nil {
			return nil, err
		}
		f.ID = frame
		return r.frameSubject(ctx, f, limit, nil)
	}
	e, err := r.Exchange(ctx, exchange)
	if err != nil {
		return nil, err
	}
	return r.exchangeSubject(ctx, e, limit, nil)
}

// exchangeSubject describes an exchange. Its bodies are valid until l ends; l may
// be nil.
func (r *Reader) exchangeSubject(ctx context.Context, e *flow.Exchange, limit int64, l *loan) (*inspect.Subject, error) {
	s := &inspect.Subject{
		Method: e.Method, Scheme: e.Scheme, Host: e.Host, Path: e.Path, Query: e.Query,
		Status: e.Status, Server: e.Server.Addr(),
	}
	var err error
	if s.Request, err = r.content(ctx, &e.Request, limit, l); err != nil {
		return nil, err
	}
	if s.Response, err = r.content(ctx, &e.Response, limit, l); err != nil {
		return nil, err
	}
	s.Upload, err = r.upload(ctx, e, s, limit)
	return s, err
}

// frameSubject describes a frame. The exchange it belongs to may still be open,
// and then only the bytes of the frame are known, which are valid until l ends.
func (r *Reader) frameSubject(ctx context.Context, f *flow.Frame, limit int64, l *loan) (*inspect.Subject, error) {
	s := &inspect.Subject{FrameDirection: f.Direction, FrameText: f.Opcode == 1, FrameDeflated: f.Deflated}
	if e, err := r.Exchange(ctx, f.Exchange); err == nil {
		s.Method, s.Scheme, s.Host, s.Path, s.Query = e.Method, e.Scheme, e.Host, e.Path, e.Query
		s.Status, s.Server = e.Status, e.Server.Addr()
		s.Request.Header, s.Response.Header = inspect.ParseHead(e.Request.Head), inspect.ParseHead(e.Response.Head)
	}
	body, _, err := r.prefix(ctx, f.Payload, limit, l)
	if body == nil {
		body = []byte{} // nil would mean: not a frame
	}
	s.Frame = body
	if f.Deflated && err == nil {
		s.FrameWindow, err = r.window(ctx, f)
	}
	return s, err
}

func (r *Reader) content(ctx context.Context, m *flow.Message, limit int64, l *loan) (c inspect.Content, err error) {
	c.Header = inspect.ParseHead(m.Head)
	for name, values := range inspect.ParseFields(m.Trailer) {
		c.Header[name] = append(c.Header[name], values...)
	}
	c.Body, c.Truncated, err = r.prefix(ctx, m.Body, limit, l)
	return c, err
}

// prefix reads at most limit bytes of a body and says whether it goes on. What
// is not in memory is read into memory of l's.
func (r *Reader) prefix(ctx context.Context, b *flow.Body, limit int64, l *loan) (data []byte, more bool, err error) {
	if b == nil {
		return nil, false, nil
	}
	if limit <= 0 {
		limit = defaultBodyBytes
	}
	n := min(b.Kept(), limit)
	if _, spilled := b.Previous(); spilled == 0 && int64(len(b.Tail())) == b.Kept() {
		return b.Tail()[:n:n], b.Size() > n, nil
	}
	data, filled := l.room(b.KeptSHA256(), int(n))
	if filled != nil {
		if err := r.readPrefix(ctx, b, data); err != nil {
			return nil, false, err
		}
		filled()
	}
	return data[:n:n], b.Size() > n, nil
}
