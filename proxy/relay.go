package proxy

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"constat/proxy/flow"
	"constat/proxy/sniff"
	"constat/proxy/upstream"
)

// dial connects to the destination of a relay, and notes on the row what became
// of that. name is as for upstream.Transport.Dial.
func (c *conn) dial(to target, name string) (net.Conn, error) {
	p := c.door.p
	if c.isOwn(to) {
		c.outcome(flow.Refused, "the proxy's own pages speak HTTP only")
		return nil, net.ErrClosed
	}
	server, addr, facts, err := p.conf.Upstream.Dial(c.door.relays, c.row.Client.Addr(), to.String(), c.addr, name, c.foreign)
	c.note(func(row *flow.Connection) { row.Server, row.ServerTLS = addr, facts })
	if err != nil {
		c.outcome(failure(err), err.Error())
	}
	return server, err
}

// relayTo passes a connection on unread. reason says why.
func (c *conn) relayTo(client net.Conn, to target, name, reason string) {
	server, err := c.dial(to, name)
	if err != nil {
		c.abort() // an end without it would look like the server's
		return
	}
	c.relay(client, server, nil, reason)
}

// pass passes a connection on that is TLS, unread but for what the server says in
// the clear.
func (c *conn) pass(to target, reason string) {
	server, err := c.dial(to, "")
	if err != nil {
		c.abort()
		return
	}
	defer c.Close()
	defer server.Close()
	_ = c.SetDeadline(time.Time{})
	c.outcome(flow.Passed, reason)
	c.note(func(row *flow.Connection) { row.Protocol = "tls" })
	if !c.opened() {
		return
	}
	var flight sniff.ServerFlight
	more := true
	c.couple(&peeker{Conn: c}, server, func([]byte) error { return nil }, func(p []byte) error {
		if more && len(p) > 0 {
			more = flight.Add(p)
		}
		return nil
	})
	facts := new(flow.TLS)
	flight.Fill(facts)
	c.note(func(row *flow.Connection) { row.ServerTLS = facts })
}

// relay passes bytes between a client and a server that are not HTTP, with the
// first ones kept, and closes both. early is what the server has said already.
func (c *conn) relay(client, server net.Conn, early []byte, reason string) {
	defer client.Close()
	defer server.Close()
	_ = c.SetDeadline(time.Time{})
	c.outcome(flow.Raw, reason)
	c.coupleRaw(client, &peeker{Conn: server, pre: early})
}

// coupleRaw is couple for what is not HTTP.
func (c *conn) coupleRaw(client, server io.ReadWriteCloser) {
	b := c.newBursts()
	c.couple(client, server, both(c.keepFirst(flow.Up), b.up), both(c.keepFirst(flow.Down), b.down))
	_ = b.end() // which has reported it
}

// both is a look that is two.
func both(a, b look) look {
	return func(p []byte) error {
		if err := a(p); err != nil {
			return err
		}
		return b(p)
	}
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

// A look sees bytes before they are passed on, and nil before the end is. Its error
// ends the relay.
type look func(p []byte) error

// couple passes bytes between the client and a server, both ways, until both
// directions have ended, one has failed, or nothing has passed for RelayTimeout,
// or for IdleTimeout once one direction has ended. Both sides are unusable
// afterwards, and still to be closed. The connection counts as relayed from here
// on.
func (c *conn) couple(client, server io.ReadWriteCloser, up, down look) {
	c.relayed.Store(true)
	var moved atomic.Int64 // when bytes passed last
	moved.Store(time.Now().UnixNano())
	stop := func() {
		breakOff(c.Conn) // the transport, so that no goodbye has to be written
		breakOff(server)
	}
	half, done := make(chan struct{}, 2), make(chan struct{})
	pass := func(dst io.WriteCloser, src io.Reader, look look) {
		defer c.survive()
		whole := false
		defer func() {
			if !whole { // also after a panic
				stop()
			}
			half <- struct{}{}
		}()
		whole = pump(dst, src, look, &moved) == nil && look(nil) == nil && closeWrite(dst) == nil
	}
	var helpers sync.WaitGroup
	helpers.Go(func() { c.watch(&moved, half, done, stop) })
	var upward sync.WaitGroup
	upward.Go(func() { pass(server, client, up) })
	pass(client, server, down)
	upward.Wait()
	close(done)
	helpers.Wait()
}

// watch calls stop when nothing has moved for too long, and returns then or when
// done is closed. half says that one direction has ended.
func (c *conn) watch(moved *atomic.Int64, half, done <-chan struct{}, stop func()) {
	limit := c.door.p.conf.RelayTimeout
	t := time.NewTimer(limit)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-half:
			limit = min(limit, c.door.p.conf.IdleTimeout)
		case <-t.C:
		}
		rest := limit - time.Since(time.Unix(0, moved.Load()))
		if rest <= 0 {
			stop()
			return
		}
		t.Reset(rest)
	}
}

// breakOff closes a connection so that the other side cannot take what it got for
// the whole: with a reset, and without the closing words of TLS.
func breakOff(c io.Closer) {
	for {
		switch x := c.(type) {
		case *peeker:
			c = x.Conn
			continue
		case *tls.Conn:
			c = x.NetConn()
			continue
		case interface{ SetLinger(int) error }:
			_ = x.SetLinger(0)
		}
		_ = c.Close()
		return
	}
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
	c.coupleRaw(client, server)
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
	return &peeker{Conn: w.s.Conn, pre: append([]byte(nil), early...)}, nil
}
