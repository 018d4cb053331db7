package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"sync/atomic"
	"time"

	"constat/proxy/bulk"
	"constat/proxy/flow"
)

const (
	// readBuffer is the buffer that an HTTP/1.x connection keeps. Longer heads
	// grow it for a while, longer bodies pass it by.
	readBuffer = 4 << 10
	// maxInterim bounds the 1xx responses before a final one.
	maxInterim = 32
)

// conn is one HTTP/1.x connection. One request uses it at a time; the pool's
// fields belong to the pool.
type conn struct {
	t       *Transport
	key     key
	link    *link
	rw      net.Conn   // link, or TLS over it
	records *bulk.Conn // between the two; nil without TLS
	facts   *flow.TLS
	server  netip.AddrPort

	// Owned by the reader of the response.
	buf      []byte
	r, w     int       // buf[r:w] is read and not used
	deadline time.Time // in force for reading and writing, not always cleared

	failure atomic.Pointer[Error] // why it was cut off from here

	reused       bool
	older, newer *conn
	idleSince    time.Time
}

// fail cuts the connection off. What happens on it next fails with err.
func (cn *conn) fail(err *Error) {
	cn.failure.CompareAndSwap(nil, err)
	cn.link.Close()
}

// close ends the connection properly.
func (cn *conn) close() {
	if cn.rw != net.Conn(cn.link) && cn.failure.Load() == nil {
		cn.rw.(*tls.Conn).Close()
	}
	cn.link.Close()
}

// cause returns what err is about: our own doing, or the server's.
func (cn *conn) cause(err error) *Error {
	if own := cn.failure.Load(); own != nil {
		return own
	}
	return classify(err)
}

// usable says whether an idle connection can take a request.
func (cn *conn) usable() bool {
	cn.extend()
	return cn.failure.Load() == nil && cn.link.quiet(cn.rw)
}

// extend lets reading and writing go on for about HeadTimeout. The timer is left
// running between requests, and set again once a quarter of it has gone.
func (cn *conn) extend() {
	now := time.Now()
	if limit := cn.t.conf.HeadTimeout; cn.deadline.Sub(now) < limit*3/4 {
		cn.deadline = now.Add(limit)
		cn.rw.SetDeadline(cn.deadline)
	}
}

// relax takes the deadline away, for a body that may pause.
func (cn *conn) relax() {
	cn.deadline = time.Time{}
	cn.rw.SetDeadline(time.Time{})
}

// buffered returns the bytes that are read and not used.
func (cn *conn) buffered() []byte { return cn.buf[cn.r:cn.w] }

// fill reads more bytes behind the buffered ones, growing the buffer up to limit.
func (cn *conn) fill(limit int) error {
	switch {
	case cn.r == cn.w:
		cn.r, cn.w = 0, 0
	case cn.w < len(cn.buf):
	case cn.r > 0:
		cn.w = copy(cn.buf, cn.buf[cn.r:cn.w])
		cn.r = 0
	case len(cn.buf) >= limit:
		return errTooLong
	default:
		cn.buf = append(cn.buf, make([]byte, min(len(cn.buf), limit-len(cn.buf)))...)
	}
	n, err := cn.rw.Read(cn.buf[cn.w:])
	cn.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

var errTooLong = errors.New("longer than is allowed")

// readHead reads a response's head of at most limit bytes. It is valid until the
// next read. silent says that not one byte came.
func (cn *conn) readHead(limit int) (head []byte, silent bool, _ *Error) {
	seen := 0
	for {
		b := cn.buffered()
		if start := min(len(b), len("HTTP/")); string(b[:start]) != "HTTP/"[:start] {
			return nil, false, bad(flow.ErrServerBad, "this is not an HTTP response")
		}
		if n := headEnd(b, seen); n > 0 {
			if n > limit {
				return nil, false, bad(flow.ErrServerBad, "the head is too long")
			}
			cn.r += n
			return b[:n], false, nil
		}
		seen = len(b)
		if err := cn.fill(max(limit, readBuffer)); err == errTooLong {
			return nil, false, bad(flow.ErrServerBad, "the head is too long")
		} else if err != nil {
			return nil, seen == 0, cn.cause(err)
		}
	}
}

// readLine reads a line of at most limit bytes that ends with CR LF, which it
// leaves out. It is valid until the next read.
func (cn *conn) readLine(limit int) ([]byte, error) {
	for {
		b := cn.buffered()
		if i := bytes.IndexByte(b, '\n'); i >= 0 && i < limit {
			if i == 0 || b[i-1] != '\r' || bytes.IndexByte(b[:i-1], '\r') >= 0 {
				return nil, bad(flow.ErrServerBad, "a line does not end with CR LF")
			}
			cn.r += i + 1
			return b[:i-1], nil
		} else if i >= 0 || len(b) >= limit {
			return nil, bad(flow.ErrServerBad, "a line is too long")
		}
		if err := cn.fill(max(limit, readBuffer)); err != nil {
			return nil, cn.cause(err)
		}
	}
}

// attempt is one try to send a request on a connection.
type attempt struct {
	cn   *conn
	r    *http.Request
	c    *Call
	head []byte // with the body behind it when that is short
	f    framing
	body io.ReadCloser // to be streamed; nil when there is none, or it is in head
}

// retry says that a failed attempt left nothing behind: it may be made again on
// another connection.
type retry bool

// roundTrip sends the request and reads the response's head.
func (a *attempt) roundTrip(ctx context.Context) (*http.Response, retry, error) {
	cn := a.cn
	x := &exchange{cn: cn}
	x.parts.Store(1)
	if ctx.Done() != nil {
		x.stop = context.AfterFunc(ctx, func() { cn.fail(given(ctx)) })
	}
	cn.extend()
	var up *sender
	n, err := cn.rw.Write(a.head)
	if err == nil && a.f.size != 0 && a.body != nil {
		cn.relax()
		up = startSender(x, a)
		a.body = nil // the sender's to close
	}
	if err != nil && n == 0 && cn.reused && cn.failure.Load() == nil {
		x.abandon()
		return nil, true, nil
	}
	// After a failed write too: the server may have answered before it closed.
	resp, silent, rerr := a.receive(x, up)
	if rerr == nil {
		return resp, false, nil
	}
	if up != nil {
		up.release(false)
	}
	x.abandon()
	again := silent && cn.reused && up == nil && idempotent(a.r.Method) && rerr.Word == flow.ErrServerClosed
	return nil, retry(again), rerr
}

// idempotent methods may be sent twice (RFC 9110, section 9.2.2).
func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// receive reads interim responses and the head of the final one.
func (a *attempt) receive(x *exchange, up *sender) (_ *http.Response, silent bool, _ *Error) {
	cn := a.cn
	limit := cn.t.conf.MaxHead
	for interim := 0; ; interim++ {
		raw, silent, failed := cn.readHead(limit)
		if failed != nil {
			return nil, silent && interim == 0, failed
		}
		limit -= len(raw)
		resp, kind, keep, err := parseHead(string(raw), a.r)
		if err != nil {
			return nil, false, &Error{flow.ErrServerBad, err}
		}
		status := resp.StatusCode
		if status == http.StatusSwitchingProtocols && !a.f.upgrade {
			return nil, false, bad(flow.ErrServerBad, "another protocol that was not asked for")
		}
		if status < 200 && status != http.StatusSwitchingProtocols {
			if interim == maxInterim {
				return nil, false, bad(flow.ErrServerBad, "too many interim responses")
			}
			a.c.keepInterim(raw)
			if a.c.Informational != nil {
				a.c.Informational(status, textproto.MIMEHeader(resp.Header))
			}
			if status == http.StatusContinue && up != nil {
				up.release(true)
			}
			continue
		}
		a.c.ResponseHead, a.c.Exact = bytes.Clone(raw), true
		if up != nil {
			up.headDone()
			up.release(false)
		}
		x.keep = keep
		x.deliver(resp, kind)
		return resp, false, nil
	}
}
