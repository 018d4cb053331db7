package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http/httpguts"

	"constat/proxy/flow"
)

// speaks3 says whether r may go out over HTTP/3: what cannot be sent unchanged goes
// over TCP.
func speaks3(r *http.Request, c *Call) bool {
	return c.HTTP3 && r.URL.Scheme == "https" && r.Method != http3.MethodGet0RTT && r.Method != http3.MethodHead0RTT
}

// doHTTP3 sends r on c3, on which a request is reserved. As long as the server
// cannot have acted on it, it is sent again on another connection, of TCP if there
// is no other of QUIC.
func (t *Transport) doHTTP3(r *http.Request, c *Call, k key, c3 *conn3) (*http.Response, error) {
	out := r.WithContext(r.Context())
	out.Header = endToEnd(r.Header)
	if err := sendable(out); err != nil {
		c3.release()
		closeBody(r)
		return nil, &Error{flow.ErrClientBad, err}
	}
	up, err := newUpload(r)
	if err != nil {
		c3.release()
		return nil, err
	}
	seen := &interim{c: c, proto: "HTTP/3.0"}
	defer seen.end()
	var resp *http.Response
	for try := 1; ; try++ {
		var again bool
		out.Body = up.body()
		if resp, again, err = c3.roundTrip(out, c, seen, up); err == nil || !again || try == maxTries || !up.withdraw() {
			break
		}
		t.quic.drop(c3)
		if c3, err = t.acquire3(r.Context(), k, c); err != nil {
			break
		}
		if c3 == nil {
			resp, err := t.doTCP(up.whole(r), c, k)
			if err == nil {
				resp.Request = r
			}
			return resp, err
		}
	}
	up.handOver(err != nil)
	if err != nil {
		return nil, err
	}
	resp.Request = r
	c.ResponseHead, c.Exact = appendResponseHead(nil, resp.Proto, resp.StatusCode, resp.Header), false
	return resp, nil
}

// exchange3 is one request and its response over HTTP/3.
type exchange3 struct {
	c3     *conn3
	parent context.Context         // the request's
	cancel context.CancelCauseFunc // of the request that the library sees
	ctx    context.Context
	stop   func() bool // ends the watch on parent

	mu       sync.Mutex
	timer    *time.Timer // cuts off a server that does not go on
	writing  bool        // a part of the request is on its way
	sent     bool        // all of it is
	answered bool        // the head of the response is there
	over     bool

	proceed chan bool // tells once whether the body is to be sent; nil unless 100 (Continue) is expected
}

// roundTrip sends one try of a request and returns its response. again says that
// the server cannot have acted on it.
func (c3 *conn3) roundTrip(r *http.Request, c *Call, seen *interim, up *upload) (_ *http.Response, again bool, _ error) {
	c.note(c3.server, c3.facts)
	c.Reused = c3.used.Swap(true)
	x := &exchange3{c3: c3, parent: r.Context(), sent: r.Body == nil, writing: r.Body != nil}
	// The library takes the end of this context for a cancellation, even when the
	// response has ended just before: it must not end with the exchange.
	x.ctx, x.cancel = context.WithCancelCause(context.WithoutCancel(x.parent))
	x.stop = context.AfterFunc(x.parent, func() { x.cancel(given(x.parent)) })
	x.timer = time.AfterFunc(c3.t.conf.HeadTimeout, func() {
		x.cancel(bad(flow.ErrTimeout, "the server did not answer in time"))
	})
	ctx := seen.trace(x.ctx)
	if r.Body != nil {
		body := &body3up{ReadCloser: r.Body, x: x, left: r.ContentLength, known: r.ContentLength > 0}
		if httpguts.HeaderValuesContainsToken(r.Header["Expect"], "100-continue") {
			x.proceed = make(chan bool, 1)
		}
		r.Body = body
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			Got100Continue: func() { x.release(true) },
			// When not even the head could be sent, nobody else closes the body.
			WroteRequest: func(i httptrace.WroteRequestInfo) {
				if i.Err != nil {
					body.Close()
				}
			},
		})
	}
	resp, err := c3.cc.RoundTrip(r.WithContext(ctx))
	x.release(false)
	if err != nil {
		own, again := x.failure(err), x.untouched(err, c.Reused, r.Method, up)
		x.end()
		return nil, again, own
	}
	x.change(func() { x.answered = true })
	resp.Body = &body3{ReadCloser: resp.Body, x: x}
	return resp, false, nil
}

// change sets what the timer hangs on: it runs while something is written, and
// while the head of the response is waited for.
func (x *exchange3) change(set func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if set(); !x.over && (x.writing || x.sent && !x.answered) {
		x.timer.Reset(x.c3.t.conf.HeadTimeout)
	} else {
		x.timer.Stop()
	}
}

// release ends the wait for 100 (Continue). Only the first call counts.
func (x *exchange3) release(send bool) {
	select {
	case x.proceed <- send:
	default:
	}
}

// end leaves the connection to others.
func (x *exchange3) end() {
	x.mu.Lock()
	was := x.over
	x.over = true
	x.timer.Stop()
	x.mu.Unlock()
	if !was {
		x.stop()
		x.c3.release()
	}
}

// untouched says whether a request that failed may be sent again: the library did
// not send it, the server said that it did not look at it (RFC 9114, section 4.1.1),
// or a connection was closed that had been in use before, and repeating does no
// harm or not a byte of a body that there is was sent.
func (x *exchange3) untouched(err error, reused bool, method string, up *upload) bool {
	if x.ctx.Err() != nil || x.c3.failure.Load() != nil {
		return false
	}
	// quic-go keeps the type to itself.
	if strings.HasPrefix(err.Error(), "http3: conn unusable") {
		return true
	}
	var h3 *http3.Error
	if errors.As(err, &h3) && h3.Remote && h3.ErrorCode == http3.ErrCodeRequestRejected {
		return true
	}
	var socket *net.OpError
	closed := errors.Is(err, net.ErrClosed) || errors.As(err, &socket) // errors of streams are neither
	return reused && closed && (up.stream != nil || idempotent(method))
}

// body3up is the body of one try of a request. The library reads a piece, and then
// writes it.
type body3up struct {
	io.ReadCloser
	x     *exchange3
	left  int64
	known bool // left is
	began bool
}

func (b *body3up) Read(p []byte) (int, error) {
	b.x.change(func() { b.x.writing = false })
	if !b.began && b.x.proceed != nil && !b.wait() {
		return 0, b.done(io.ErrClosedPipe)
	}
	b.began = true
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	switch {
	case err == nil:
		b.x.change(func() { b.x.writing = true })
		return n, nil
	case err != io.EOF:
		b.x.cancel(bad(flow.ErrClientClosed, "the request's body broke off"))
	case b.known && b.left > 0:
		err = io.ErrUnexpectedEOF
		b.x.cancel(&Error{flow.ErrClientClosed, err})
	}
	return n, b.done(err)
}

// done notes that nothing more is sent.
func (b *body3up) done(err error) error {
	b.x.change(func() { b.x.sent = true })
	return err
}

// wait says whether the server wants the body.
func (b *body3up) wait() bool {
	t := time.NewTimer(continueWait)
	defer t.Stop()
	select {
	case send := <-b.x.proceed:
		return send
	case <-t.C:
		return true
	}
}

// body3 is the body of an HTTP/3 response, with this package's errors.
type body3 struct {
	io.ReadCloser
	x *exchange3
}

func (b *body3) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	switch {
	case err == io.EOF && cutShort(b.ReadCloser):
		err = io.ErrUnexpectedEOF
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		err = b.x.failure(err)
	}
	b.x.end()
	return n, err
}

// cutShort says whether a response ended inside a frame, which is an error (RFC 9114,
// section 7.1) that quic-go takes for a proper end. It keeps to itself what is left
// of the frame.
func cutShort(body io.ReadCloser) bool {
	v := reflect.ValueOf(body)
	for _, name := range [...]string{"body", "str", "bytesRemainingInFrame"} {
		if v = reflect.Indirect(v); v.Kind() != reflect.Struct {
			return false
		}
		v = v.FieldByName(name)
	}
	return v.Kind() == reflect.Uint64 && v.Uint() > 0
}

// Close implements io.Closer. A body that is not read to its end costs the stream.
func (b *body3) Close() error {
	err := b.ReadCloser.Close()
	b.x.end()
	return err
}

// failure returns the Error for an exchange that broke off. The texts of quic-go
// are left out: they quote what the server sent.
func (x *exchange3) failure(err error) *Error {
	var e *Error
	switch {
	case x.parent.Err() != nil:
		return given(x.parent)
	case errors.As(context.Cause(x.ctx), &e):
		return e
	case errors.As(err, &e):
		return e
	}
	if own := x.c3.failure.Load(); own != nil {
		return own
	}
	return quicError(err)
}

// quicError returns the Error for what went wrong on a QUIC connection.
func quicError(err error) *Error {
	var h3 *http3.Error
	var transport *quic.TransportError
	var idle *quic.IdleTimeoutError
	var reset *quic.StatelessResetError
	var stream *quic.StreamError
	var socket *net.OpError
	switch {
	case errors.As(err, &h3) && !h3.Remote:
		return bad(flow.ErrServerBad, "malformed HTTP/3: "+h3.ErrorCode.String())
	case errors.As(err, &h3) && errors.As(err, &stream):
		return bad(flow.ErrServerClosed, "the server reset the stream: "+h3.ErrorCode.String())
	case errors.As(err, &h3):
		return bad(flow.ErrServerClosed, "the server closed the connection: "+h3.ErrorCode.String())
	case errors.As(err, &transport) && transport.Remote:
		return bad(flow.ErrServerClosed, "the server closed the connection: "+transport.ErrorCode.String())
	case errors.As(err, &transport):
		return bad(flow.ErrServerBad, "malformed QUIC: "+transport.ErrorCode.String())
	case errors.As(err, &idle):
		return bad(flow.ErrTimeout, "the server does not answer any more")
	case errors.As(err, &reset):
		return bad(flow.ErrServerClosed, "the server has forgotten the connection")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{flow.ErrServerClosed, io.ErrUnexpectedEOF}
	case errors.As(err, &socket):
		return &Error{flow.ErrServerClosed, socket.Err}
	case errors.Is(err, net.ErrClosed):
		return bad(flow.ErrServerClosed, "the connection broke off")
	case strings.HasPrefix(err.Error(), "http3: conn unusable"):
		return bad(flow.ErrServerClosed, "the server takes no more requests on the connection")
	}
	return bad(flow.ErrServerBad, "malformed HTTP/3")
}
