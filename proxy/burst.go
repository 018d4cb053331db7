package proxy

import (
	"context"
	"sync"
	"time"

	"constat/proxy/flow"
)

// maxBursts is how many exchanges one connection that is not HTTP can make. What
// passes then is counted on the row of the connection alone.
const maxBursts = 10_000

// bursts records what is relayed and is not HTTP as exchanges without a method, one
// for each stretch in which bytes pass without a pause: they are inspected,
// searched and proven like requests. Of each direction of a connection the first
// RawLimit bytes are kept, the rest is counted and hashed. It is safe for
// concurrent use by both directions.
type bursts struct {
	c      *conn
	scheme string // "tcp", "tls", "udp"

	mu    sync.Mutex
	row   *flow.Exchange // nil between bursts
	began time.Time
	last  time.Time // when bytes came
	pause *time.Timer
	kept  [2]int64 // of each direction, in earlier bursts
	made  int
	over  bool
}

func (c *conn) newBursts() *bursts {
	b := &bursts{c: c, scheme: "tcp"}
	switch tls := c.row.ClientTLS; {
	case c.row.Transport != "":
		b.scheme = c.row.Transport
	case tls != nil && tls.Version != "":
		b.scheme = "tls"
	}
	return b
}

// up and down implement look. Errors are the Recorder's. A direction ends with nil:
// when the server's does, its burst is committed.
func (b *bursts) up(p []byte) error { return b.look(0, p) }

func (b *bursts) down(p []byte) error {
	if p == nil {
		return b.end()
	}
	return b.look(1, p)
}

func (b *bursts) look(side int, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.row == nil {
		if b.over || b.made == maxBursts {
			return nil
		}
		if err := b.begin(); err != nil {
			return err
		}
	}
	b.last = time.Now()
	body := &b.row.Request.Body
	if side == 1 {
		body = &b.row.Response.Body
	}
	p0 := b.c.door.p
	if *body == nil {
		*body = flow.NewBody(p0.conf.Recorder, b.row, max(0, p0.conf.RawLimit-b.kept[side]))
	}
	if _, err := (*body).Write(p); err != nil {
		p0.fail(err)
		return err
	}
	return nil
}

// begin begins a burst. b.mu is held.
func (b *bursts) begin() error {
	c := b.c
	id, err := c.begin()
	if err != nil {
		c.door.p.fail(err)
		return err
	}
	b.began = time.Now()
	var row flow.Exchange
	c.note(func(of *flow.Connection) {
		row = flow.Exchange{
			Connection: id, Device: of.Device, App: of.App, Door: of.Door, Began: b.began, Scheme: b.scheme, Host: of.Host, Port: of.Port, Server: of.Server,
		}
	})
	if err := c.door.p.conf.Recorder.Begin(&row); err != nil {
		c.door.p.fail(err)
		return err
	}
	b.row = &row
	b.made++
	if wait := c.door.p.conf.BurstPause; b.pause == nil {
		b.pause = time.AfterFunc(wait, b.paused)
	} else {
		b.pause.Reset(wait)
	}
	return nil
}

// paused commits the burst if nothing has passed for long enough. It is the timer's.
func (b *bursts) paused() {
	defer b.c.survive()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.row == nil {
		return
	}
	if rest := b.c.door.p.conf.BurstPause - time.Since(b.last); rest > 0 {
		b.pause.Reset(rest)
		return
	}
	if b.commit() != nil { // which has reported it
		b.c.abort()
	}
}

// end commits what is open. Nothing is recorded after it.
func (b *bursts) end() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.pause != nil {
		b.pause.Stop()
	}
	if b.row == nil {
		return nil
	}
	return b.commit()
}

// commit adds the burst to the log. b.mu is held.
func (b *bursts) commit() error {
	row := b.row
	b.row = nil
	for side, body := range []*flow.Body{row.Request.Body, row.Response.Body} {
		if body != nil {
			body.Close(true)
			b.kept[side] += body.Kept()
		}
	}
	row.Duration = b.last.Sub(b.began)
	if b.c.wasCut() {
		row.Error = flow.ErrCutOff + ": Constat stopped while the connection was open"
	}
	p := b.c.door.p
	if err := p.conf.Recorder.Commit(context.Background(), row); err != nil {
		p.fail(err)
		return err
	}
	return nil
}
