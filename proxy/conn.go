package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go/http3"

	"constat/proxy/flow"
	"constat/proxy/sniff"
)

// conn is one transport connection of a client, from accept to its row. It
// counts the bytes that pass, replays bytes that were read too early, and
// commits the row once it is closed.
type conn struct {
	net.Conn
	door *door
	born time.Time // with the monotonic clock

	up, down atomic.Int64
	requests atomic.Int64
	relayed  atomic.Bool    // frames or raw bytes pass: does not end by itself
	got      atomic.Bool    // bytes came out of TLS
	answered atomic.Bool    // a server has answered a request
	writeBy  atomic.Int64   // write deadline set from outside, in Unix ns; 0 is none
	admitted bool           // the client, for what it does next
	all      *everybody     // that it counts among, as it was when it came
	listed   bool           // it was given one of the rows of strangers; Proxy.mu
	who      Identity       // the same, in full
	user     string         // who has signed in at the HTTP door with the request being served
	known    bool           // somebody has signed in there
	addr     netip.AddrPort // that the client connected to; not valid when it gave a name
	foreign  string         // protocol agreed with the client in its handshake when that is not HTTP
	told     string         // name for which the client had been told that address; "" for none
	closed   sync.Once

	// Owned by the reader.
	pre     [][]byte // read before its time, in the pieces in which it came
	tail    [7]byte  // the last bytes that came, while shaking
	shaking bool
	shook   time.Time // when the handshake was done

	mu     sync.Mutex // guards what follows
	row    flow.Connection
	begun  bool
	silent bool   // leaves no row
	last   bool   // others like it leave none
	turned string // why the last request at the HTTP door was turned away; "" when it was not
	cut    bool   // closed by shutdown
	end    func() // ends a QUIC connection, in place of abort; nil for any other
	lost   error  // of the first read that failed
	busy   int    // handlers at work
	over   bool   // no more handlers are let in
	still  sync.Cond
}

func newConn(d *door, nc net.Conn) *conn {
	now := time.Now()
	c := &conn{Conn: nc, door: d, born: now}
	c.row = flow.Connection{Opened: now, Door: d.name}
	c.row.Client, _ = addrPort(nc.RemoteAddr())
	if d.name != "http" {
		_, c.row.Transport = addrPort(nc.LocalAddr())
	}
	c.still.L = &c.mu
	id := c.identity(asked(nc, userOf), asked(nc, appOf))
	c.admitted, c.row.Device, c.row.App = id.Admitted, id.Device, id.App
	c.who = id
	return c
}

// identity says who the client is. user is who it has shown to be.
func (c *conn) identity(user, app string) Identity {
	id := c.door.p.conf.Identify(Guest{Door: c.door.name, Addr: c.row.Client.Addr(), User: user, App: app})
	if id.Device == "" {
		id.Device = c.row.Client.Addr().String()
	}
	return id
}

// identify says who makes the request that is about to be served, by the name with
// which it has signed in, or without one by the address. The row is that of whoever
// signs in, once somebody has.
func (c *conn) identify(user string) {
	c.user, c.who = user, c.identity(user, "")
	if c.admitted = c.who.Admitted; user == "" && c.known {
		return
	}
	c.note(func(row *flow.Connection) {
		row.Device, row.App = c.who.Device, c.who.App
		c.silent = c.silent && !c.admitted // it is no stranger's any more
		c.last = c.last && !c.admitted
	})
	if user != "" && c.admitted && !c.known {
		c.known = true
		c.door.welcome(c)
	}
}

// Read replays what unread gave back, then reads.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.pre) > 0 {
		n := copy(p, c.pre[0])
		if c.pre[0] = c.pre[0][n:]; len(c.pre[0]) == 0 {
			c.pre = c.pre[1:]
		}
		return n, nil
	}
	n, err := c.Conn.Read(p)
	c.up.Add(int64(n))
	if c.shaking && n > 0 {
		last := append(c.tail[:], p[:n]...)
		copy(c.tail[:], last[len(last)-len(c.tail):])
	}
	return n, err
}

// unread puts p, which it keeps, in front of what Read returns next. A datagram may be
// empty.
func (c *conn) unread(p []byte) {
	if len(p) > 0 || c.row.Transport != "" {
		c.pre = append([][]byte{p}, c.pre...)
	}
}

// Write ends with an error when the client takes nothing for IdleTimeout.
func (c *conn) Write(p []byte) (int, error) {
	by := time.Now().Add(c.door.p.conf.IdleTimeout)
	if d := c.writeBy.Load(); d != 0 && d < by.UnixNano() {
		by = time.Unix(0, d)
	}
	if err := c.Conn.SetWriteDeadline(by); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	c.down.Add(int64(n))
	return n, err
}

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	_ = c.SetWriteDeadline(t)
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline sets the time by which later writes have to be done. They
// have IdleTimeout at most.
func (c *conn) SetWriteDeadline(t time.Time) error {
	var d int64
	if !t.IsZero() {
		d = t.UnixNano()
	}
	c.writeBy.Store(d)
	return nil
}

// CloseWrite tells the client that nothing more comes.
func (c *conn) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return nil
}

// Close closes the connection and has its row committed, which it does not wait
// for: the door does.
func (c *conn) Close() error {
	err := net.ErrClosed
	c.closed.Do(func() {
		err = c.Conn.Close()
		go func() {
			defer c.door.wait.Done()
			defer c.door.leave(c)
			c.commit()
		}()
	})
	return err
}

// abort closes the connection so that the client cannot take what it got for
// the whole: with a reset, and without the closing words of TLS.
func (c *conn) abort() {
	if t, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// isOwn says that Config.Local is meant, where nothing is dialled: by its name, or
// by an address of the door.
func (c *conn) isOwn(to target) bool {
	return to.host == c.door.p.conf.LocalHost || c.toDoor()
}

// toDoor says that the client has connected to an address of the door itself.
func (c *conn) toDoor() bool {
	return c.addr.IsValid() && slices.Contains(c.door.own, c.addr.Addr())
}

// survive makes a panic cost one connection. It is deferred.
func (c *conn) survive() {
	if v := recover(); v != nil {
		c.door.p.conf.Log.Error().Str("panic", panicText(v)).Bytes("stack", debug.Stack()).Msg("a connection was given up")
		c.abort()
	}
}

// cutOff closes the connection because Constat stops.
func (c *conn) cutOff() {
	c.mu.Lock()
	c.cut = true
	end := c.end
	c.mu.Unlock()
	if end != nil {
		end()
		return
	}
	c.abort()
}

// wasCut says that the connection was closed because Constat stops.
func (c *conn) wasCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

// note changes the row, which is nobody else's during the call.
func (c *conn) note(change func(row *flow.Connection)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.row)
}

// outcome sets what became of the connection. The first one stays.
func (c *conn) outcome(o flow.Outcome, reason string) {
	c.note(func(row *flow.Connection) {
		if row.Outcome == "" {
			row.Outcome, row.Reason = o, reason
		}
	})
}

// begin opens the row, once, and returns its ID; 0 if there is to be none.
func (c *conn) begin() (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.begun && !c.silent {
		if err := c.door.p.conf.Recorder.Begin(&c.row); err != nil {
			return 0, err
		}
		c.begun = true
	}
	return c.row.ID, nil
}

// opened opens the row before anything passes that has no other record. If it cannot
// be, nothing is to pass.
func (c *conn) opened() bool {
	_, err := c.begin()
	if err != nil {
		c.door.p.fail(err)
		c.abort()
	}
	return err == nil
}

// enter lets whoever serves the connection in, unless it is over. The row waits for
// them to leave, and so Serve does: what they record comes before both.
func (c *conn) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.busy++
	return true
}

func (c *conn) leave() {
	c.mu.Lock()
	if c.busy--; c.busy == 0 {
		c.still.Broadcast()
	}
	c.mu.Unlock()
}

// readFailed notes why no more can be read. The first reason stays.
func (c *conn) readFailed(err error) {
	c.mu.Lock()
	if c.lost == nil {
		c.lost = err
	}
	c.mu.Unlock()
}

// abrupt is how soon after the handshake an app closes that checks the certificate
// itself and does not take it. Browsers close connections that they opened in case
// they need them, too, but later.
const abrupt = 3 * time.Second

// commit completes the row and adds it to the log.
func (c *conn) commit() {
	p := c.door.p
	defer func() {
		if v := recover(); v != nil {
			p.fail(fmt.Errorf("recording a connection panicked: %s", panicText(v)))
		}
	}()
	c.mu.Lock()
	for c.busy > 0 {
		c.still.Wait()
	}
	c.over = true
	silent := c.silent
	c.mu.Unlock()
	if silent {
		return
	}
	if _, err := c.begin(); err != nil {
		p.fail(err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.row.Duration = time.Since(c.born)
	c.row.BytesUp, c.row.BytesDown = c.up.Load(), c.down.Load()
	c.conclude()
	if c.last {
		c.row.Reason += "; there are so many of these that others leave no row for a while"
	}
	if row := &c.row; row.Protocol == "" && (len(row.FirstUp) > 0 || len(row.FirstDown) > 0) {
		row.Protocol = sniff.Protocol(row.Port, row.Transport != "", row.FirstUp, row.FirstDown)
	}
	if !c.isOwn(target{c.row.Host, c.row.Port}) {
		p.passes.ended(&c.row, !c.got.Load() && time.Since(c.shook) < abrupt)
	}
	if err := p.conf.Recorder.Commit(context.Background(), &c.row); err != nil {
		p.fail(err)
	}
}

// conclude says what became of a connection of which nobody has said it yet.
// c.mu is held.
func (c *conn) conclude() {
	row := &c.row
	if c.cut {
		row.Outcome, row.Reason = flow.CutOff, "Constat stopped while the connection was open"
		return
	}
	if row.Outcome == flow.ServerFailed && c.answered.Load() {
		row.Outcome, row.Reason = "", "" // for some of the requests only; their rows tell
	}
	if row.Outcome != "" {
		return
	}
	if c.turned != "" {
		row.Outcome, row.Reason = flow.Refused, c.turned
		return
	}
	alert := alertName(c.lost)
	switch {
	case c.requests.Load() > 0 && row.ClientTLS != nil:
		row.Outcome = flow.Intercepted
	case c.requests.Load() > 0:
		row.Outcome = flow.Plain
	case row.ClientTLS == nil && c.up.Load() == 0 && row.Host == "":
		row.Outcome, row.Reason = flow.Idle, "closed before any byte came"
	case row.ClientTLS == nil:
		row.Outcome, row.Reason = flow.Idle, "closed before a request was complete"
	case alert != "":
		row.ClientTLS.Alert, row.ClientTLS.Error = alert, "alert "+alert
		row.Outcome, row.Reason = flow.ClientRefused, refusal(alert)
	case expired(c.lost):
		row.Outcome, row.Reason = flow.Idle, "handshake fine, then silent until it timed out"
	case c.got.Load() && row.ALPN != "h2" && row.ALPN != http3.NextProtoH3:
		row.Outcome, row.Reason = flow.Intercepted, "handshake fine, but what came was not a complete request"
	case c.lost == nil || c.lost == io.EOF:
		row.Outcome, row.Reason = flow.SuspectedPin, "handshake fine, then closed by the client without a request"
	default:
		row.Outcome, row.Reason = flow.SuspectedPin, "handshake fine, then broken off by the client without a request"
	}
}
