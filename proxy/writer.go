package proxy

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"
)

// writer is the http.ResponseWriter of one request. It keeps net/http from
// adding fields to a server's response, has the server's own head and framing
// used, and sends streamed bodies on at once. It belongs to the handler.
type writer struct {
	http.ResponseWriter
	s        *stream
	x        *exchange // whose response this is; nil for answers of Constat's own
	http1    bool
	http3    deadliner // nil for other versions
	wrote    bool      // the head is under way
	deaf     bool      // nothing more can or may be written
	hijacked bool
	streamed bool // every write is flushed
}

// hijackable is the writer of HTTP/1.x. goproxy takes whatever can be hijacked
// for HTTP/1.x.
type hijackable struct{ *writer }

// Hijack gives the connection away, with the bytes that the HTTP server has read
// from it put back.
func (w hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, err := w.takeOver()
	if err != nil {
		return nil, nil, err
	}
	return c, bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c)), nil
}

// takeOver takes the connection of the door from the HTTP server.
func (w *writer) takeOver() (*conn, error) {
	hj, ok := w.ResponseWriter.(http.Hijacker)
	if !ok || w.s.secure {
		return nil, errors.New("connection cannot be taken over")
	}
	_, rw, err := hj.Hijack()
	if err != nil {
		return nil, err
	}
	w.hijacked, w.deaf = true, true
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	w.s.conn.unread(append([]byte(nil), early...))
	return w.s.conn, nil
}

// response is the response that is being forwarded, nil for an answer of
// Constat's own.
func (w *writer) response() *http.Response {
	if w.x == nil {
		return nil
	}
	return w.x.resp
}

func (w *writer) WriteHeader(status int) {
	if w.deaf || w.wrote {
		return
	}
	w.wrote = true
	resp := w.response()
	h := w.Header()
	// What remains of a request must not be read as another one.
	last := w.http1 && w.x != nil && w.x.body.unfinished()
	if resp == nil {
		if last {
			h.Set("Connection", "close")
		}
		w.ResponseWriter.WriteHeader(status)
		return
	}
	for _, name := range [...]string{"Date", "Content-Type", "Content-Length"} {
		if _, ok := h[name]; !ok {
			h[name] = nil // present, so that net/http does not make one up
		}
	}
	if c := h["Connection"]; len(c) > 0 {
		for option := range strings.SplitSeq(strings.Join(c, ","), ",") {
			if option = strings.TrimSpace(option); !framingField(option) {
				delete(h, http.CanonicalHeaderKey(option))
			}
		}
		delete(h, "Connection")
	}
	if w.http3 != nil {
		delete(h, "Upgrade") // RFC 9114 section 4.2
	}
	delete(h, "Keep-Alive")
	delete(h, "Proxy-Connection")
	w.patience()
	bodyless := w.x.bodyless()
	w.streamed = !bodyless && resp.ContentLength < 0
	if w.http1 && w.streamed && len(resp.TransferEncoding) == 0 && resp.ProtoMajor == 1 {
		h["Transfer-Encoding"] = []string{"identity"} // ends with the connection, as the server's does
	}
	if last {
		h["Connection"] = []string{"close"}
	}
	w.ResponseWriter.WriteHeader(status)
	if w.http1 && w.x.call.Exact {
		w.s.answers.arm(w.x.call.ResponseHead, bodyless)
	}
	if w.streamed {
		w.Flush()
	}
}

func (w *writer) Write(p []byte) (int, error) {
	if w.deaf {
		return len(p), nil
	}
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	w.patience()
	n, err := w.ResponseWriter.Write(p)
	if err == nil && w.streamed {
		err = w.FlushError()
	}
	return n, err
}

// deadliner is an http.ResponseWriter of HTTP/3.
type deadliner interface{ SetWriteDeadline(time.Time) error }

// patience bounds the next write on HTTP/3: a client may keep a connection open
// without ever taking more.
func (w *writer) patience() {
	if w.http3 != nil {
		_ = w.http3.SetWriteDeadline(time.Now().Add(w.s.conn.door.p.conf.IdleTimeout))
	}
}

// Flush implements http.Flusher.
func (w *writer) Flush() { _ = w.FlushError() }

// FlushError sends what was written.
func (w *writer) FlushError() error {
	if w.deaf {
		return nil
	}
	return w.ResponseWriter.(interface{ FlushError() error }).FlushError()
}
