package proxy

import (
	"errors"
	"net"
	"net/http"
	"syscall"

	"constat/proxy/bulk"
	"constat/proxy/flow"
)

// streamKey is the context key of a request's *stream.
type streamKey struct{}

// stream is what the HTTP server has for a connection: the bytes of a conn with
// TLS taken off. On HTTP/1.x it keeps the heads of requests as they came, and
// puts the server's own heads in place of those that net/http writes.
type stream struct {
	net.Conn  // the conn itself, or the *tls.Conn over it
	conn      *conn
	to        *target // fixed destination inside a tunnel; nil at the door
	authority string  // of to
	secure    bool
	name      string     // SNI in the form in which names are compared
	records   *bulk.Conn // below TLS; nil without it
	front     frontier
	requests  tap
	answers   swap
}

// newStream returns the stream of c, whose bytes without TLS are nc's.
func newStream(c *conn, nc net.Conn, to *target) *stream {
	s := &stream{Conn: nc, conn: c, to: to}
	if to != nil {
		s.authority = to.String()
	}
	s.requests.limit = c.door.p.conf.MaxHead + 64<<10
	return s
}

// streamOf returns the stream that r came on.
func streamOf(r *http.Request) *stream { return r.Context().Value(streamKey{}).(*stream) }

// Read returns more than one record when there are more and it can.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	for err == nil && len(p)-n >= bulk.Record && s.records != nil && s.records.Ready() {
		var more int
		more, err = s.Conn.Read(p[n:])
		n += more
	}
	if n > 0 {
		s.requests.feed(p[:n])
		if !s.front.done {
			if print := s.front.feed(p[:n]); print != "" {
				s.conn.note(func(row *flow.Connection) { row.HTTP2 = print })
			}
		}
		if s.secure && !s.conn.got.Load() {
			s.conn.got.Store(true)
		}
	}
	if err != nil && s.to != nil && s.conn.requests.Load() == 0 {
		// It may tell why there is no request. At the door it may be no more than
		// the HTTP server taking its own read back.
		s.conn.readFailed(err)
	}
	return n, err
}

func (s *stream) Write(p []byte) (int, error) {
	if s.answers.armed {
		return s.answers.write(s.Conn, p)
	}
	if s.records != nil {
		return s.records.WriteTo(s.Conn, p)
	}
	return s.Conn.Write(p)
}

// CloseWrite is what net/http calls before it closes a connection on which the
// client may still be writing.
func (s *stream) CloseWrite() error {
	if cw, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return nil
}

// scheme is that of requests on the stream.
func (s *stream) scheme() string {
	if s.secure {
		return "https"
	}
	return "http"
}

// serverName is the name by which the server is asked for: the client's SNI, so
// that the server sees what the client meant, or the destination.
func (s *stream) serverName(to target) string {
	if s.name != "" {
		return s.name
	}
	return to.host
}

// served notes on the row what the first exchange with a server has shown.
func (s *stream) served(x *exchange) {
	s.conn.note(func(row *flow.Connection) {
		if !row.Server.IsValid() {
			row.Server = x.call.Server
		}
		if row.ServerTLS == nil {
			row.ServerTLS = x.call.TLS
		}
	})
}

// isReset says that the other side broke the connection off.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}
