package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	key      key
	cc       *http.ClientConn
	facts    *flow.TLS
	server   netip.AddrPort
	used     atomic.Bool
	lastUsed atomic.Int64 // Unix time in ns
}

// newHTTP2 returns the HTTP/2 side of a Transport. It never dials: connections
// are handed to it.
func newHTTP2(conf Config) *http.Transport {
	var only http.Protocols
	only.SetHTTP2(true)
	return &http.Transport{
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return ctx.Value(handedKey{}).(*tls.Conn), nil
		},
		Protocols:              &only,
		DisableCompression:     true,
		ExpectContinueTimeout:  continueWait,
		ResponseHeaderTimeout:  conf.HeadTimeout,
		MaxResponseHeaderBytes: int64(conf.MaxHead),
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream:     streamWindow,
			MaxReceiveBufferPerConnection: connWindow,
			SendPingTimeout:               30 * time.Second,
			PingTimeout:                   15 * time.Second,
			WriteByteTimeout:              conf.HeadTimeout,
		},
	}
}

// handedKey is the context's key for the connection that a dial is to return.
type handedKey struct{}

// newClientConn speaks HTTP/2 on c, on which it was agreed.
func (t *Transport) newClientConn(c *tls.Conn) (*http.ClientConn, error) {
	cc, err := t.http2.NewClientConn(context.WithValue(context.Background(), handedKey{}, c), "https", "handed:443")
	if err != nil {
		return nil, classify(err)
	}
	return cc, nil
}

// doHTTP2 sends r on c2, on which a stream is reserved. When the server cannot have
// acted on it, it is sent once more on another connection.
func (t *Transport) doHTTP2(r *http.Request, c *Call, k key, c2 *conn2) (*http.Response, error) {
	ctx := r.Context()
	if c.Informational != nil {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(status int, fields textproto.MIMEHeader) error {
			c.Informational(status, fields)
			return nil
		}})
	}
	out := r.WithContext(ctx)
	out.Header = endToEnd(r.Header)
	var up *upload
	if r.Body != nil && (r.ContentLength != 0 || len(r.TransferEncoding) > 0) {
		up = &upload{ReadCloser: r.Body}
		out.Body = up
	} else {
		closeBody(r)
		out.Body = nil
	}
	resp, err := c2.roundTrip(out, c)
	if err != nil && r.Context().Err() == nil && untouched(err, c2, c.Reused, r.Method, up) {
		var next *conn2
		var cn *conn
		if up != nil {
			up = &upload{ReadCloser: r.Body}
			out.Body = up
		}
		if cn, next, err = t.acquire(r.Context(), k, c, true); cn != nil {
			cn.close()
			err = bad(flow.ErrServerClosed, "the server does not speak HTTP/2 any more")
		}
		if err == nil {
			resp, err = next.roundTrip(out, c)
		}
	}
	if up != nil {
		up.handOver(err != nil)
	}
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

func (c2 *conn2) roundTrip(r *http.Request, c *Call) (*http.Response, error) {
	c.note(c2.server, c2.facts)
	c.Reused = c2.used.Swap(true)
	resp, err := c2.cc.RoundTrip(r)
	c2.lastUsed.Store(time.Now().UnixNano())
	return resp, err
}

// untouched says whether a request that failed may be sent again: the server said
// that it did not look at it (RFC 9113, section 8.7), or it closed a connection
// that had been in use before, and repeating does no harm or not a byte of the
// body was sent.
func untouched(err error, c2 *conn2, reused bool, method string, up *upload) bool {
	if up != nil && !up.withdraw() {
		return false
	}
	var stream http2.StreamError
	if errors.As(err, &stream) && stream.Code == http2.ErrCodeRefusedStream {
		return true
	}
	return reused && c2.cc.Available() == 0 && (up != nil || idempotent(method))
}

// upload is the body of an HTTP/2 request. It can be withdrawn as long as nothing
// was read from it; until it is handed over, the sender's Close is put off.
type upload struct {
	io.ReadCloser
	mu        sync.Mutex
	read      bool
	withdrawn bool
	kept      bool // handed over: Close closes
	closing   bool // Close was called before that
}

func (u *upload) Read(p []byte) (int, error) {
	u.mu.Lock()
	if u.withdrawn {
		u.mu.Unlock()
		return 0, http.ErrBodyReadAfterClose
	}
	u.read = true
	u.mu.Unlock()
	return u.ReadCloser.Read(p)
}

// Close implements io.Closer.
func (u *upload) Close() error {
	u.mu.Lock()
	u.closing = true
	now := u.kept && !u.withdrawn
	u.mu.Unlock()
	if now {
		return u.ReadCloser.Close()
	}
	return nil
}

// withdraw takes the body back, and says whether it is whole.
func (u *upload) withdraw() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.withdrawn = u.withdrawn || !u.read
	return u.withdrawn
}

// handOver lets Close through, and makes up for one that came, or that must come.
func (u *upload) handOver(failed bool) {
	u.mu.Lock()
	u.kept = true
	now := u.closing || failed
	u.mu.Unlock()
	if now {
		u.ReadCloser.Close()
	}
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
	switch {
	case errors.As(err, &stream):
		if stream.Code == http2.ErrCodeProtocol {
			return bad(flow.ErrServerBad, "malformed HTTP/2: "+stream.Code.String())
		}
		return bad(flow.ErrServerClosed, "the server reset the stream: "+stream.Code.String())
	case strings.HasPrefix(err.Error(), "connection error: "): // net/http keeps the type to itself
		return &Error{flow.ErrServerBad, fmt.Errorf("malformed HTTP/2: %w", err)}
	}
	return classify(err)
}
