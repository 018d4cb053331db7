package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
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

// maxTries bounds how often a request is sent over HTTP/2: servers that close
// their connections in turn can refuse it a few times.
const maxTries = 4

// doHTTP2 sends r on c2, on which a stream is reserved. As long as the server
// cannot have acted on it, it is sent again on another connection.
func (t *Transport) doHTTP2(r *http.Request, c *Call, k key, c2 *conn2) (*http.Response, error) {
	seen := &interim{c: c, proto: "HTTP/2.0"}
	defer seen.end()
	out := r.WithContext(seen.trace(r.Context()))
	out.Header = endToEnd(r.Header)
	if err := sendable(out); err != nil {
		c2.cc.Release()
		closeBody(r)
		return nil, &Error{flow.ErrClientBad, err}
	}
	up, err := newUpload(r)
	if err != nil {
		c2.cc.Release()
		return nil, err
	}
	var resp *http.Response
	for try := 1; ; try++ {
		out.Body = up.body()
		if resp, err = c2.roundTrip(out, c); err == nil || try == maxTries || r.Context().Err() != nil {
			break
		}
		if !up.withdraw() || !c2.untouched(err, c.Reused, r.Method, up) {
			break
		}
		var cn *conn
		if cn, c2, err = t.acquire(r.Context(), k, c, true); cn != nil {
			cn.close()
			err = bad(flow.ErrServerClosed, "the server does not speak HTTP/2 any more")
		}
		if err != nil {
			break
		}
	}
	up.handOver(err != nil)
	if err != nil {
		return nil, http2Error(r.Context(), err)
	}
	resp.Request = r
	c.ResponseHead, c.Exact = appendResponseHead(nil, resp.Proto, resp.StatusCode, resp.Header), false
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
// that it did not look at it (RFC 9113, sections 6.8 and 8.7), or it closed a
// connection that had been in use before, and repeating does no harm or not a byte
// of a body that there is was sent.
func (c2 *conn2) untouched(err error, reused bool, method string, up *upload) bool {
	var stream http2.StreamError
	if errors.As(err, &stream) {
		return stream.Code == http2.ErrCodeRefusedStream
	}
	// net/http keeps these to itself.
	if text := err.Error(); strings.Contains(text, "graceful shutdown GOAWAY") || strings.Contains(text, "client conn not usable") {
		return true
	}
	return reused && c2.cc.Available() == 0 && (up.stream != nil || idempotent(method))
}

// upload is the body of an HTTP/2 request for one or more tries.
type upload struct {
	none   bool
	short  []byte  // the whole body, when it is short
	stream *stream // the body that is sent while it is read
	source io.ReadCloser
}

func newUpload(r *http.Request) (*upload, error) {
	switch {
	case r.Body == nil || r.ContentLength == 0 && len(r.TransferEncoding) == 0:
		closeBody(r)
		return &upload{none: true}, nil
	case r.ContentLength > 0 && r.ContentLength <= shortBody && r.Header["Expect"] == nil:
		short := make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, short)
		closeBody(r)
		if err != nil {
			return nil, bad(flow.ErrClientClosed, "the request's body broke off")
		}
		return &upload{short: short}, nil
	}
	return &upload{source: r.Body}, nil
}

// body returns the body for the next try.
func (u *upload) body() io.ReadCloser {
	switch {
	case u.none:
		return nil
	case u.short != nil:
		return io.NopCloser(bytes.NewReader(u.short))
	}
	u.stream = &stream{source: u.source}
	return u.stream
}

// withdraw takes the body back from a try, and says whether it is whole.
func (u *upload) withdraw() bool { return u.stream == nil || u.stream.withdraw() }

// whole returns r with the body as it was, which was withdrawn.
func (u *upload) whole(r *http.Request) *http.Request {
	out := r.WithContext(r.Context())
	switch {
	case u.none:
		out.Body = http.NoBody
	case u.short != nil:
		out.Body = io.NopCloser(bytes.NewReader(u.short))
	default:
		out.Body = u.source
	}
	return out
}

// handOver leaves the body to the last try, or closes it when that failed.
func (u *upload) handOver(failed bool) {
	if u.stream != nil {
		u.stream.handOver(failed)
	}
}

// stream is the body of one try. It can be withdrawn as long as nothing was read
// from it; until it is handed over, Close is put off.
type stream struct {
	source io.ReadCloser

	mu        sync.Mutex
	read      bool
	withdrawn bool
	kept      bool // handed over: Close closes
	closing   bool // Close was called before that
}

func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	if s.withdrawn {
		s.mu.Unlock()
		return 0, http.ErrBodyReadAfterClose
	}
	s.read = true
	s.mu.Unlock()
	return s.source.Read(p)
}

// Close implements io.Closer.
func (s *stream) Close() error {
	s.mu.Lock()
	s.closing = true
	now := s.kept
	s.mu.Unlock()
	if now {
		return s.source.Close()
	}
	return nil
}

func (s *stream) withdraw() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.withdrawn = !s.read
	return s.withdrawn
}

// handOver lets Close through, and makes up for one that came, or that must come.
func (s *stream) handOver(failed bool) {
	s.mu.Lock()
	s.kept = true
	now := s.closing || failed
	s.mu.Unlock()
	if now {
		s.source.Close()
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
		if hopByHop([]byte(name)) || lower == "upgrade" || lower == "transfer-encoding" || facts.nominated[lower] ||
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

// sendable checks what net/http would refuse with an error that quotes the request.
func sendable(r *http.Request) error {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	target := r.URL.RequestURI()
	ascii, err := httpguts.PunycodeHostPort(host)
	if !isToken(r.Method) || r.Method == http.MethodConnect || err != nil || !httpguts.ValidHostHeader(ascii) ||
		!validTarget(target) || target[0] != '/' && target != "*" {
		return errors.New("malformed request line")
	}
	for _, fields := range [...]http.Header{r.Header, r.Trailer} {
		for name, values := range fields {
			if !isToken(name) || slices.ContainsFunc(values, func(v string) bool { return !httpguts.ValidHeaderFieldValue(v) }) {
				return errors.New("malformed field")
			}
		}
	}
	return nil
}

// appendResponseHead writes the head of a response in HTTP/1.1 form, the fields by
// name.
func appendResponseHead[H ~map[string][]string](b []byte, proto string, status int, header H) []byte {
	b = fmt.Appendf(slices.Grow(b, 512), "%s %d %s\r\n", proto, status, http.StatusText(status))
	names := make([]string, 0, len(header)+1)
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		lower := strings.ToLower(name)
		for _, v := range header[name] {
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
