package proxy

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"runtime/debug"
	"sync"

	"constat/proxy/bulk"
	"constat/proxy/flow"
)

// errUnrecorded ends the reading of a request body that cannot be recorded: the
// log refuses it, or its exchange is already committed.
var errUnrecorded = errors.New("the request can no longer be recorded")

// requestBody records a request body while the upstream reads it. Reads are on
// one goroutine at a time; end and failure may be called on another.
type requestBody struct {
	x      *exchange
	src    io.ReadCloser
	length int64 // as announced, -1 when it was not

	trailer http.Header // of the request as it is sent on

	mu    sync.Mutex
	rec   *flow.Body // nil when there is no body
	begun bool       // the first read is over
	whole bool
	ended bool
	err   error
	tail  []byte // the trailer fields, once they are there
}

func (b *requestBody) Read(p []byte) (n int, err error) {
	if b.rec == nil {
		return 0, io.EOF
	}
	b.x.proceed()
	n, err = b.src.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun = true
	defer func() {
		// This may be a goroutine of the upstream's, where a panic would end
		// the program.
		if v := recover(); v != nil {
			b.x.p.conf.Log.Error().Str("panic", panicText(v)).Bytes("stack", debug.Stack()).Msg("a request was given up")
			n, err, b.err = 0, errUnrecorded, errUnrecorded
		}
	}()
	if b.ended {
		return 0, errUnrecorded
	}
	if n > 0 {
		if _, bad := b.rec.Write(p[:n]); bad != nil {
			b.x.p.fail(bad)
			b.err = errUnrecorded
			return 0, errUnrecorded
		}
	}
	if err == io.EOF {
		b.trailers()
	}
	switch {
	case err == io.EOF, err == nil && b.rec.Size() == b.length:
		b.whole = true
	case err != nil:
		b.err = err
	}
	return n, err
}

// trailers takes the trailer fields, which have come. HTTP/3 puts them into a new map.
// b.mu is held.
func (b *requestBody) trailers() {
	if len(b.x.r.Trailer) == 0 {
		return
	}
	b.tail = appendFields(nil, b.x.r.Trailer)
	if b.x.r.ProtoMajor == 3 {
		maps.Copy(b.trailer, b.x.r.Trailer)
	}
}

// Close implements io.Closer for the upstream.
func (b *requestBody) Close() error {
	if b.src == nil {
		return nil
	}
	return b.src.Close()
}

// end closes the record of the body, and returns its trailer fields. Nothing is read
// from it afterwards.
func (b *requestBody) end() (trailer []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	if b.rec != nil {
		b.rec.Close(b.whole)
	}
	if b.tail == nil && b.x.r.ProtoMajor < 3 {
		b.trailers()
	}
	return b.tail
}

// hasBegun says that the first read is over, and with it whatever the HTTP server
// writes for it.
func (b *requestBody) hasBegun() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun
}

// unfinished says that there is a body that has not been read to its end.
func (b *requestBody) unfinished() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.length != 0 && !b.whole
}

// failure is why the body could not be read to its end, nil if it could so far.
func (b *requestBody) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// responseBody records a response body while it passes to the client. It keeps
// the end back until the exchange is committed: the read with the last byte when
// the length is known, otherwise the end of file. It belongs to the handler.
type responseBody struct {
	x     *exchange
	src   io.ReadCloser
	rec   *flow.Body
	left  int64 // bytes to come, -1 when nobody knows
	whole bool
	err   error // what the next Read returns
}

// copyBuffers are for response bodies: as much as is read and written at a time
// when there is as much.
var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 4*bulk.Record); return &b }}

// WriteTo implements io.WriterTo: it is the copying that goproxy asks for.
func (b *responseBody) WriteTo(w io.Writer) (total int64, err error) {
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := b.Read(*buf)
		if n > 0 {
			m, bad := w.Write((*buf)[:n])
			total += int64(m)
			if bad == nil && b.left > 0 {
				bad = b.x.w.FlushError()
			}
			if bad != nil {
				b.give(clientProblem)
				return total, bad
			}
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

func (b *responseBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.src.Read(p)
	if n > 0 {
		if _, bad := b.rec.Write(p[:n]); bad != nil {
			b.x.p.fail(bad)
			return 0, b.give(flow.ErrInternal + ": the response could not be recorded")
		}
		if b.left >= 0 {
			b.left -= int64(n)
		}
	}
	if err == nil && b.left == 0 && b.x.resp.ProtoMajor >= 2 {
		err = b.toEnd()
	}
	switch {
	case err == io.EOF && b.left > 0:
		return n, b.give(flow.ErrServerClosed + ": the response ended before its end")
	case err == io.EOF, err == nil && b.left == 0:
		b.whole = true
		// An announced field that did not come would end an HTTP/2 stream without its
		// end.
		maps.DeleteFunc(b.x.resp.Trailer, func(_ string, values []string) bool { return len(values) == 0 })
		if b.x.commit("") != nil {
			b.err = errUnrecorded
			return 0, b.err
		}
		b.err = io.EOF
		return n, io.EOF
	case err != nil:
		return n, b.give(b.x.responseProblem(err))
	}
	return n, nil
}

// toEnd reads to the end of a body of which all bytes have come. From HTTP/2 on it
// comes by itself, with trailer fields before it, whatever the length said.
func (b *responseBody) toEnd() error {
	var more [1]byte
	n, err := b.src.Read(more[:])
	for n == 0 && err == nil {
		n, err = b.src.Read(more[:])
	}
	if n > 0 {
		return errTooMuch
	}
	return err
}

var errTooMuch = errors.New("more bytes than the length says")

// give gives the response up: the row gets its error, and the client will not
// see a clean end.
func (b *responseBody) give(problem string) error {
	if b.err == nil || b.err == io.EOF {
		b.err = errBrokenOff
	}
	b.x.broken = true
	_ = b.x.commit(problem)
	return b.err
}

var errBrokenOff = errors.New("the response was broken off")

// Close gives up a response that was not read to its end.
func (b *responseBody) Close() error {
	if !b.x.done {
		b.give(clientProblem)
	}
	return b.src.Close()
}
