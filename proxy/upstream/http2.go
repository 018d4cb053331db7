package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http2"

	"constat/proxy/flow"
)

// How much a server may send on one HTTP/2 stream, and on one connection, before
// it has to wait, in bytes: what a client that does not read can make us hold.
const (
	streamWindow = 512 << 10
	connWindow   = 1 << 20
)

// conn2 is one HTTP/2 connection.
type conn2 struct {
	key    key
	cc     *http2.ClientConn
	facts  *flow.TLS
	server netip.AddrPort
}

// newHTTP2 returns the HTTP/2 side of t. The net/http Transport carries settings
// only: it never dials.
func newHTTP2(t *Transport) *http2.Transport {
	settings := &http.Transport{
		DisableCompression:     true,
		ExpectContinueTimeout:  continueWait,
		ResponseHeaderTimeout:  t.conf.HeadTimeout,
		IdleConnTimeout:        t.conf.IdleTimeout,
		MaxResponseHeaderBytes: int64(t.conf.MaxHead),
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream:     streamWindow,
			MaxReceiveBufferPerConnection: connWindow,
			SendPingTimeout:               30 * time.Second,
			PingTimeout:                   15 * time.Second,
			WriteByteTimeout:              t.conf.HeadTimeout,
		},
	}
	h2, err := http2.ConfigureTransports(settings)
	if err != nil {
		panic("upstream: " + err.Error()) // of a fresh Transport: cannot be
	}
	h2.ConnPool = connPool{t}
	h2.DisableCompression = true
	h2.MaxHeaderListSize = uint32(t.conf.MaxHead)
	return h2
}

// pick is what GetClientConn has to know of the request it is asked for.
type pick struct {
	key   key
	call  *Call
	first *conn2 // with a stream reserved; nil once it was tried
}

type pickKey struct{}

// connPool hands x/net's HTTP/2 transport the connections of the pool, so that it
// can try a request again that the server has not looked at.
type connPool struct{ t *Transport }

// GetClientConn implements http2.ClientConnPool.
func (p connPool) GetClientConn(r *http.Request, _ string) (*http2.ClientConn, error) {
	want, ok := r.Context().Value(pickKey{}).(*pick)
	if !ok {
		return nil, errors.New("a request from elsewhere")
	}
	c2 := want.first
	want.first = nil
	if c2 == nil {
		var cn *conn
		var err error
		cn, c2, err = p.t.acquire(r.Context(), want.key, want.call, false)
		if err != nil {
			return nil, err
		}
		if cn != nil {
			cn.close()
			return nil, bad(flow.ErrServerClosed, "the server does not speak HTTP/2 any more")
		}
	}
	want.call.note(c2.server, c2.facts)
	return c2.cc, nil
}

// MarkDead implements http2.ClientConnPool.
func (p connPool) MarkDead(cc *http2.ClientConn) { p.t.pool.dead(cc) }

// doHTTP2 sends r on c2, on which a stream is reserved.
func (t *Transport) doHTTP2(r *http.Request, c *Call, k key, c2 *conn2) (*http.Response, error) {
	ctx := context.WithValue(r.Context(), pickKey{}, &pick{key: k, call: c, first: c2})
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { c.Reused = i.Reused }}
	if c.Informational != nil {
		trace.Got1xxResponse = func(status int, fields textproto.MIMEHeader) error {
			c.Informational(status, fields)
			return nil
		}
	}
	out := r.WithContext(httptrace.WithClientTrace(ctx, trace))
	out.Header = endToEnd(r.Header)
	if r.ContentLength == 0 && len(r.TransferEncoding) == 0 {
		closeBody(r)
		out.Body = nil
	}
	resp, err := t.http2.RoundTrip(out)
	if err != nil {
		return nil, http2Error(r.Context(), err)
	}
	resp.Request = r
	c.ResponseHead, c.Exact = headOf(resp), false
	if resp.Body != http.NoBody {
		resp.Body = &body2{ReadCloser: resp.Body, ended: func() *Error {
			if r.Context().Err() == nil {
				return nil
			}
			return given(r.Context())
		}}
	}
	return resp, nil
}

// endToEnd returns the fields that go on to an HTTP/2 server (RFC 9113, section
// 8.2.2). An empty User-Agent keeps x/net from adding its own.
func endToEnd(h http.Header) http.Header {
	var facts headFacts
	for _, v := range h["Connection"] {
		facts.nominate([]byte(v))
	}
	out := make(http.Header, len(h)+1)
	for name, values := range h {
		lower := strings.ToLower(name)
		if hopByHop([]byte(name)) || lower == "upgrade" || lower == "transfer-encoding" || slices.Contains(facts.nominated, lower) ||
			lower == "te" && !(len(values) == 1 && strings.EqualFold(strings.Trim(values[0], " \t"), "trailers")) {
			continue
		}
		out[name] = values
	}
	if _, ok := out["User-Agent"]; !ok {
		out["User-Agent"] = []string{""}
	}
	return out
}

// headOf writes the head of a response in HTTP/1.1 form, the fields by name.
func headOf(resp *http.Response) []byte {
	b := fmt.Appendf(make([]byte, 0, 512), "HTTP/2.0 %d %s\r\n", resp.StatusCode, http.StatusText(resp.StatusCode))
	names := make([]string, 0, len(resp.Header)+1)
	for name := range resp.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		lower := strings.ToLower(name)
		for _, v := range resp.Header[name] {
			b = append(append(append(append(b, lower...), ": "...), v...), '\r', '\n')
		}
	}
	return append(b, '\r', '\n')
}

// body2 is the body of an HTTP/2 response, with this package's errors.
type body2 struct {
	io.ReadCloser
	ended func() *Error // not nil once the request's context has ended
}

func (b *body2) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		return n, err
	}
	if own := b.ended(); own != nil {
		return n, own
	}
	return n, streamError(err)
}

// http2Error returns the Error for a request that got no response.
func http2Error(ctx context.Context, err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case ctx.Err() != nil:
		return given(ctx)
	case strings.Contains(err.Error(), "timeout awaiting response headers"):
		return bad(flow.ErrTimeout, "the server did not answer in time")
	}
	return streamError(err)
}

// streamError returns the Error for a stream that broke off.
func streamError(err error) *Error {
	var stream http2.StreamError
	var gone http2.GoAwayError
	var protocol http2.ConnectionError
	switch {
	case errors.As(err, &stream):
		if stream.Code == http2.ErrCodeProtocol {
			return bad(flow.ErrServerBad, "malformed HTTP/2: "+stream.Code.String())
		}
		return bad(flow.ErrServerClosed, "the server reset the stream: "+stream.Code.String())
	case errors.As(err, &gone):
		return bad(flow.ErrServerClosed, "the server closed the connection: "+gone.ErrCode.String())
	case errors.As(err, &protocol):
		return bad(flow.ErrServerBad, "malformed HTTP/2: "+http2.ErrCode(protocol).String())
	}
	return classify(err)
}
