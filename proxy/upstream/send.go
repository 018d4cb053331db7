package upstream

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"

	"constat/proxy/bulk"
	"constat/proxy/flow"
)

const (
	// shortBody is how long a body can be, in bytes, that is read before the
	// request goes out, so that head and body leave in one write.
	shortBody = 16 << 10
	// sendBuffer is how much of a body is sent at once. The margin holds the
	// framing of a chunk.
	sendBuffer  = 4 * bulk.Record
	chunkMargin = 18 // 16 digits and CR LF
	// continueWait is how long a body waits for 100 (Continue) (RFC 9110, section
	// 10.1.1, lets a client go on after a while).
	continueWait = time.Second
)

var sendBuffers = sync.Pool{New: func() any {
	b := make([]byte, chunkMargin+sendBuffer+2)
	return &b
}}

// sender streams the body of a request while the response is read.
type sender struct {
	x    *exchange
	r    *http.Request
	body io.ReadCloser
	f    framing
	// proceed tells once whether the body is to be sent; nil unless the client
	// expects 100 (Continue).
	proceed  chan bool
	answered atomic.Bool // the head of the response is there
}

// startSender starts sending the body of a. It takes part in x until it is sent.
func startSender(x *exchange, a *attempt) *sender {
	s := &sender{x: x, r: a.r, body: a.body, f: a.f}
	if a.f.expect {
		s.proceed = make(chan bool, 1)
	}
	x.parts.Add(1)
	x.sent = make(chan struct{})
	go s.run()
	return s
}

// release ends the wait for 100 (Continue). Only the first call counts.
func (s *sender) release(send bool) {
	if s.proceed == nil {
		return
	}
	select {
	case s.proceed <- send:
	default:
	}
}

// headDone notes that the head of the response is there.
func (s *sender) headDone() {
	s.answered.Store(true)
	s.x.cn.rw.SetReadDeadline(time.Time{})
}

func (s *sender) run() {
	cn := s.x.cn
	defer close(s.x.sent)
	defer s.body.Close()
	if s.proceed != nil && !s.wait() {
		s.x.leave(false)
		return
	}
	err := s.send()
	var e *Error
	switch {
	case errors.As(err, &e): // the client's fault: the server must not take this for a whole request
		cn.fail(e)
	case err != nil:
		// The server does not take any more. It may have answered: what comes is
		// still read, but nothing else is sent here.
		s.x.spoil()
	}
	cn.rw.SetWriteDeadline(time.Time{})
	if !s.answered.Load() {
		cn.rw.SetReadDeadline(time.Now().Add(cn.t.conf.HeadTimeout))
		if s.answered.Load() {
			cn.rw.SetReadDeadline(time.Time{})
		}
	}
	s.x.leave(true)
}

// wait says whether the server wants the body.
func (s *sender) wait() bool {
	t := time.NewTimer(continueWait)
	defer t.Stop()
	select {
	case send := <-s.proceed:
		return send
	case <-t.C:
		return true
	}
}

// send copies the body. An *Error is the client's, any other the server's.
func (s *sender) send() error {
	p := sendBuffers.Get().(*[]byte)
	defer sendBuffers.Put(p)
	buf := *p
	left := s.f.size
	for {
		room := buf[chunkMargin : chunkMargin+sendBuffer]
		if !s.f.chunked && left < int64(len(room)) {
			room = room[:left]
		}
		n, err := s.body.Read(room)
		if n > 0 {
			out := room[:n]
			if s.f.chunked {
				out = chunk(buf, n)
			}
			if werr := s.write(out); werr != nil {
				return werr
			}
			left -= int64(n)
		}
		switch {
		case !s.f.chunked && left == 0:
			return nil
		case err == io.EOF && s.f.chunked:
			end, err := s.end(buf[:0])
			if err != nil {
				return err
			}
			return s.write(end)
		case err == io.EOF:
			return &Error{flow.ErrClientClosed, io.ErrUnexpectedEOF}
		case err != nil:
			return &Error{flow.ErrClientClosed, errors.New("the request's body broke off")}
		}
	}
}

// chunk frames the n bytes behind the margin of buf.
func chunk(buf []byte, n int) []byte {
	var digits [16]byte
	size := strconv.AppendInt(digits[:0], int64(n), 16)
	start := chunkMargin - 2 - len(size)
	copy(buf[start:], size)
	copy(buf[chunkMargin-2:], "\r\n")
	copy(buf[chunkMargin+n:], "\r\n")
	return buf[start : chunkMargin+n+2]
}

// end appends the last chunk with the trailer fields, which r has by now.
func (s *sender) end(dst []byte) ([]byte, error) {
	dst = append(dst, "0\r\n"...)
	names := make([]string, 0, len(s.r.Trailer))
	for name := range s.r.Trailer {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range s.r.Trailer[name] {
			if !isToken(name) || !trailing(http.CanonicalHeaderKey(name)) || !httpguts.ValidHeaderFieldValue(v) {
				return nil, bad(flow.ErrClientBad, "malformed trailer field")
			}
			dst = append(append(append(append(dst, name...), ": "...), v...), '\r', '\n')
		}
	}
	return append(dst, '\r', '\n'), nil
}

// write sends p; every write has its own time to make progress.
func (s *sender) write(p []byte) error {
	rw := s.x.cn.rw
	rw.SetWriteDeadline(time.Now().Add(s.x.cn.t.conf.HeadTimeout))
	var err error
	if records := s.x.cn.records; records != nil {
		_, err = records.WriteTo(rw, p)
	} else {
		_, err = rw.Write(p)
	}
	return err
}
