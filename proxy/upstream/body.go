package upstream

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"constat/proxy/bulk"
	"constat/proxy/flow"
)

const (
	// maxChunkLine bounds the line before a chunk, extensions included.
	maxChunkLine = 1 << 10
	// maxChunkWaste bounds what chunk framing may cost beyond what a sender of
	// small chunks needs.
	maxChunkWaste = 16 << 10
	// maxTrailer bounds the trailer section, maxTrailerFields its lines.
	maxTrailer       = 64 << 10
	maxTrailerFields = 200
)

// exchange is one request and its response on a connection. It has two parts, the
// sender of the body and the reader of the response; whoever leaves last gives
// the connection back, or closes it.
type exchange struct {
	cn      *conn
	stop    func() bool // ends the watch on the request's context; nil without one
	parts   atomic.Int32
	spoiled atomic.Bool   // the connection cannot be used again
	keep    bool          // the response lets the connection live on
	sent    chan struct{} // closed when the sender has left; nil without one
}

// lingering is how long the reader waits at the end of the response for the
// sender: it is usually a matter of who is scheduled first, and the connection is
// free for the next request then.
const lingering = 10 * time.Millisecond

// finish ends the reader's part, well.
func (x *exchange) finish() {
	if x.sent != nil && x.keep {
		t := time.NewTimer(lingering)
		select {
		case <-x.sent:
		case <-t.C:
		}
		t.Stop()
	}
	x.leave(true)
}

// spoil says that the connection cannot be used again.
func (x *exchange) spoil() { x.spoiled.Store(true) }

// leave ends one part. When it did not end well, the connection is closed at once.
func (x *exchange) leave(well bool) {
	if !well {
		x.spoil()
		x.cn.link.Close() // at once: a proper close could wait
	}
	if x.parts.Add(-1) > 0 {
		return
	}
	if x.stop != nil && !x.stop() {
		x.spoil() // the context has ended, and is closing the connection
	}
	cn := x.cn
	if x.spoiled.Load() || !x.keep || cn.r != cn.w {
		cn.close()
		return
	}
	if len(cn.buf) > readBuffer {
		cn.buf = make([]byte, readBuffer)
	}
	cn.r, cn.w = 0, 0
	cn.t.put(cn)
}

// abandon ends the reader's part of an exchange that got no response.
func (x *exchange) abandon() {
	x.cn.failure.CompareAndSwap(nil, &Error{flow.ErrServerClosed, errAbandoned})
	x.leave(false)
}

var errAbandoned = errors.New("the exchange was given up")

// deliver gives resp its body.
func (x *exchange) deliver(resp *http.Response, kind bodyKind) {
	cn := x.cn
	if kind == bodyNone {
		resp.Body = http.NoBody
		x.finish()
		return
	}
	if kind == bodyUpgraded {
		cn.relax()
		resp.Body = &upgraded{x: x}
		return
	}
	if !cn.holds(resp, kind) {
		cn.relax()
	}
	resp.Body = &body{x: x, kind: kind, left: max(resp.ContentLength, 0), resp: resp}
}

// holds says whether the whole body has been read, as far as one can tell cheaply.
func (cn *conn) holds(resp *http.Response, kind bodyKind) bool {
	switch kind {
	case bodyLength:
		return int64(cn.w-cn.r) >= resp.ContentLength
	case bodyChunked:
		return bytes.HasSuffix(cn.buffered(), []byte("0\r\n\r\n"))
	}
	return false
}

// body is the body of a response. It is for one goroutine at a time.
type body struct {
	x     *exchange
	kind  bodyKind
	left  int64 // of the body, or of the chunk
	inner bool  // a chunk has begun: its end, or the next one, is still to be read
	waste int   // bytes of chunk framing beyond what is usual
	resp  *http.Response
	err   error // what Read returns from now on
}

// Read implements io.Reader. It returns io.EOF only at the proper end.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	var n int
	var err error
	switch b.kind {
	case bodyLength:
		n, err = b.readLength(p)
	case bodyChunked:
		n, err = b.readChunked(p)
	default:
		n, err = b.readToClose(p)
	}
	if err != nil {
		b.end(err)
		err = b.err
	}
	return n, err
}

// Close implements io.Closer. A body that is not read to its end costs the
// connection.
func (b *body) Close() error {
	if b.err == nil {
		b.err = http.ErrBodyReadAfterClose
		b.x.leave(false)
	}
	return nil
}

// end notes how the body ended and leaves the exchange.
func (b *body) end(err error) {
	if err == io.EOF {
		b.err = io.EOF
		b.x.finish()
		return
	}
	e := b.x.cn.cause(err)
	b.err = e
	if e.Err == io.ErrUnexpectedEOF {
		b.err = io.ErrUnexpectedEOF
	}
	b.x.leave(false)
}

// take reads what comes next into p: from the buffer, or past it when it is empty.
func (b *body) take(p []byte) (int, error) {
	cn := b.x.cn
	if cn.r < cn.w {
		n := copy(p, cn.buf[cn.r:cn.w])
		cn.r += n
		return n, nil
	}
	if len(p) < len(cn.buf)/2 {
		if err := cn.fill(len(cn.buf)); err != nil {
			return 0, err
		}
		return b.take(p)
	}
	n, err := cn.rw.Read(p)
	for err == nil && len(p)-n >= bulk.Record && cn.records != nil && cn.records.Ready() {
		var more int
		more, err = cn.rw.Read(p[n:])
		n += more
	}
	if n > 0 {
		return n, nil // an error comes again
	}
	return 0, err
}

func (b *body) readLength(p []byte) (int, error) {
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.take(p)
	b.left -= int64(n)
	if b.left == 0 {
		return n, io.EOF
	}
	return n, noEOF(err)
}

func (b *body) readToClose(p []byte) (int, error) {
	n, err := b.take(p)
	if err == io.EOF && b.x.cn.facts != nil && b.x.cn.link.ended {
		// Over TLS the end must be said in TLS (RFC 9112, section 9.8).
		err = io.ErrUnexpectedEOF
	} else if err == io.EOF {
		b.x.spoil()
	}
	return n, err
}

// readChunked reads on over chunks as long as that needs no waiting.
func (b *body) readChunked(p []byte) (n int, err error) {
	for {
		if b.left == 0 {
			if n > 0 && !b.lineBuffered() {
				return n, nil
			}
			if err := b.nextChunk(); err != nil {
				return n, err
			}
		}
		if n == len(p) || n > 0 && b.x.cn.r == b.x.cn.w {
			return n, nil
		}
		m, err := b.take(p[n:min(int64(len(p)), int64(n)+b.left)])
		n += m
		b.left -= int64(m)
		if err != nil {
			return n, noEOF(err)
		}
	}
}

// lineBuffered says whether the line before the next chunk, and the end of this
// one, are there.
func (b *body) lineBuffered() bool {
	have := b.x.cn.buffered()
	if b.inner {
		if len(have) < 2 {
			return false
		}
		have = have[2:]
	}
	// The last chunk counts once the trailer section has ended as well.
	if len(have) > 0 && have[0] == '0' {
		return bytes.Contains(have, []byte("\r\n\r\n"))
	}
	return bytes.IndexByte(have, '\n') >= 0
}

// nextChunk reads to the data of the next chunk (RFC 9112, section 7.1), and
// returns io.EOF behind the last.
func (b *body) nextChunk() error {
	cn := b.x.cn
	if b.inner {
		line, err := cn.readLine(2)
		if err != nil {
			return noEOF(err)
		}
		if len(line) > 0 {
			return bad(flow.ErrServerBad, "a chunk does not end where it should")
		}
	}
	line, err := cn.readLine(maxChunkLine)
	if err != nil {
		return noEOF(err)
	}
	size, err := chunkSize(line)
	if err != nil {
		return err
	}
	b.inner = true
	if b.waste = max(0, b.waste+len(line)-16-int(min(size, 1<<16))*2); b.waste > maxChunkWaste {
		return bad(flow.ErrServerBad, "too much chunk framing")
	}
	if b.left = size; size == 0 {
		return b.trailer()
	}
	return nil
}

// chunkSize parses the line before a chunk. Extensions are let through unread.
func chunkSize(line []byte) (int64, error) {
	var size int64
	digits := 0
	for _, c := range line {
		var d byte
		switch {
		case '0' <= c && c <= '9':
			d = c - '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			d = c | 0x20 - 'a' + 10
		case digits > 0 && (c == ';' || c == ' ' || c == '\t'):
			return size, nil
		default:
			return 0, bad(flow.ErrServerBad, "malformed chunk size")
		}
		if digits++; digits > 15 {
			return 0, bad(flow.ErrServerBad, "chunk size too large")
		}
		size = size<<4 | int64(d)
	}
	if digits == 0 {
		return 0, bad(flow.ErrServerBad, "malformed chunk size")
	}
	return size, nil
}

// trailer reads the trailer section into the response.
func (b *body) trailer() error {
	var text strings.Builder
	for text.Len() <= maxTrailer {
		line, err := b.x.cn.readLine(maxTrailer)
		if err != nil {
			return noEOF(err)
		}
		text.Write(line)
		text.WriteString("\r\n")
		if len(line) > 0 {
			continue
		}
		if text.Len() == 2 {
			return io.EOF
		}
		fields, err := parseFields(text.String(), maxTrailerFields)
		if err != nil {
			return &Error{flow.ErrServerBad, err}
		}
		for name, values := range fields {
			if !trailing(name) {
				continue
			}
			if b.resp.Trailer == nil {
				b.resp.Trailer = make(http.Header)
			}
			b.resp.Trailer[name] = values
		}
		return io.EOF
	}
	return bad(flow.ErrServerBad, "the trailer section is too long")
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// upgraded is the connection after 101 (Switching Protocols). Reading and writing
// may go on at the same time. It ends with the request's context.
type upgraded struct {
	x    *exchange
	once atomic.Bool
}

func (u *upgraded) Read(p []byte) (int, error) {
	cn := u.x.cn
	if cn.r < cn.w {
		n := copy(p, cn.buf[cn.r:cn.w])
		cn.r += n
		return n, nil
	}
	n, err := cn.rw.Read(p)
	if err != nil && err != io.EOF {
		err = cn.cause(err)
	}
	return n, err
}

func (u *upgraded) Write(p []byte) (int, error) {
	n, err := u.x.cn.rw.Write(p)
	if err != nil {
		err = u.x.cn.cause(err)
	}
	return n, err
}

// CloseWrite says that nothing more will be written.
func (u *upgraded) CloseWrite() error {
	if c, ok := u.x.cn.rw.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	if c, ok := u.x.cn.link.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SetReadDeadline bounds the wait for what the server sends.
func (u *upgraded) SetReadDeadline(t time.Time) error { return u.x.cn.rw.SetReadDeadline(t) }

// Close closes the connection.
func (u *upgraded) Close() error {
	if !u.once.Swap(true) {
		u.x.leave(false)
	}
	return nil
}
