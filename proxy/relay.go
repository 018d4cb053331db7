package proxy

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"constat/proxy/flow"
	"constat/proxy/upstream"
)

// relay passes a tunnel on unread, with its first bytes kept. reason says why.
func (c *conn) relay(to target, reason string) {
	defer c.Close()
	conf := &c.door.p.conf
	if to.host == conf.LocalHost {
		c.outcome(flow.Refused, "the proxy's own pages speak HTTP only")
		return
	}
	_ = c.SetDeadline(time.Time{})
	server, addr, err := conf.Upstream.Dial(c.door.relays, c.row.Client.Addr(), to.String())
	c.note(func(row *flow.Connection) { row.Server = addr })
	if err != nil {
		c.outcome(failure(err), err.Error())
		return
	}
	defer server.Close()
	c.outcome(flow.Raw, reason)
	c.couple(c, server, c.keepFirst(flow.Up), c.keepFirst(flow.Down))
}

// failure is the outcome of a connection whose server could not be reached.
func failure(err error) flow.Outcome {
	var up *upstream.Error
	if errors.As(err, &up) && up.Word == flow.ErrRefused {
		return flow.Refused
	}
	return flow.ServerFailed
}

// keepFirst returns a look that keeps the first bytes of one direction.
func (c *conn) keepFirst(d flow.Direction) look {
	return func(p []byte) error {
		c.note(func(row *flow.Connection) {
			first := &row.FirstUp
			if d == flow.Down {
				first = &row.FirstDown
			}
			if n := min(len(p), flow.RawKept-len(*first)); n > 0 {
				*first = append(*first, p[:n]...)
			}
		})
		return nil
	}
}

// A look sees bytes before they are passed on. Its error ends the relay.
type look func(p []byte) error

// couple passes bytes between the client and a server, both ways, until both
// directions have ended, one has failed, or nothing has passed for RelayTimeout.
// It closes neither side for good, but leaves both unusable. The connection
// counts as relayed from here on.
func (c *conn) couple(client, server io.ReadWriteCloser, up, down look) {
	c.relayed.Store(true)
	var moved atomic.Int64 // when bytes passed last
	moved.Store(time.Now().UnixNano())
	stop := func() {
		_ = c.Conn.Close() // the transport, so that no goodbye has to be written
		_ = server.Close()
	}
	limit := c.door.p.conf.RelayTimeout
	done := make(chan struct{})
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		t := time.NewTimer(limit)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
			}
			rest := limit - time.Since(time.Unix(0, moved.Load()))
			if rest <= 0 {
				stop()
				return
			}
			t.Reset(rest)
		}
	}()
	upward := make(chan struct{})
	go func() {
		defer close(upward)
		if pump(server, client, up, &moved) != nil || closeWrite(server) != nil {
			stop()
		}
	}()
	if pump(client, server, down, &moved) != nil || closeWrite(client) != nil {
		stop()
	}
	<-upward
	close(done)
	<-idle
}

// closeWrite tells one side that the other has ended.
func closeWrite(w io.Closer) error {
	if cw, ok := w.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return w.Close()
}

// pump copies src to dst until src ends; look sees the bytes first.
func pump(dst io.Writer, src io.Reader, look look, moved *atomic.Int64) error {
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := src.Read(*buf)
		if n > 0 {
			moved.Store(time.Now().UnixNano())
			if err := look((*buf)[:n]); err != nil {
				return err
			}
			if _, err := dst.Write((*buf)[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// upgrade serves a connection on which the server has switched protocols (RFC
// 9110 section 15.2.2). The exchange ends with the switch and is committed before
// the client learns of it; what passes then belongs to frames, or is relayed
// unread.
func (x *exchange) upgrade(resp *http.Response) {
	server, ok := resp.Body.(io.ReadWriteCloser)
	if !ok || !x.w.http1 {
		_ = resp.Body.Close()
		x.broken = true
		_ = x.commit(flow.ErrServerBad + ": the server switched protocols where it could not")
		return
	}
	defer server.Close()
	if x.commit("") != nil {
		return
	}
	client, err := x.w.takeStream()
	if err != nil {
		x.broken = true
		return
	}
	defer client.Close()
	if _, err := client.Write(x.call.ResponseHead); err != nil {
		return
	}
	c := x.s.conn
	if hasToken(resp.Header["Upgrade"], "websocket") {
		up, down := x.newFrames(flow.Up), x.newFrames(flow.Down)
		c.couple(client, server, up.look, down.look)
		up.end()
		down.end()
		return
	}
	c.note(func(row *flow.Connection) { row.Reason = "switched to another protocol, which was relayed unread" })
	c.couple(client, server, c.keepFirst(flow.Up), c.keepFirst(flow.Down))
}

// takeStream takes the connection from the HTTP server.
func (w *writer) takeStream() (io.ReadWriteCloser, error) {
	hj, ok := w.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, errors.New("connection cannot be taken over")
	}
	_, rw, err := hj.Hijack()
	if err != nil {
		return nil, err
	}
	w.deaf = true
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	return &taken{Conn: w.s.Conn, early: append([]byte(nil), early...)}, nil
}

// taken is a connection that was taken from the HTTP server, with the bytes that
// had been read from it already.
type taken struct {
	net.Conn
	early []byte
}

func (t *taken) Read(p []byte) (int, error) {
	if len(t.early) > 0 {
		n := copy(p, t.early)
		t.early = t.early[n:]
		return n, nil
	}
	return t.Conn.Read(p)
}

func (t *taken) CloseWrite() error {
	if cw, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return t.Conn.Close()
}
