package upstream

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"constat/proxy/flow"
)

// key says which requests may share a connection.
type key struct {
	client netip.Addr
	host   string // of the URL, as written
	name   string // Call.ServerName
	secure bool
	http2  bool // HTTP/2 was offered
}

// pool holds the connections of a Transport. Its lock is never held while
// something is sent, received or waited for.
type pool struct {
	mu     sync.Mutex
	closed bool
	hosts  map[key]*host
	open   map[*link]*conn // every connection that is not closed; nil for HTTP/2
	http2  map[*http2.ClientConn]*conn2
	// The idle HTTP/1.x connections of all hosts, longest idle first.
	oldest, newest *conn
	idle           int
}

// host is what the pool knows for one key.
type host struct {
	idle    []*conn  // longest idle first
	http2   []*conn2 // not known to be closed or closing
	dialing *dialing // a dial whose protocol is not known yet, for requests to wait for
	http1   bool     // HTTP/2 was offered and not taken
}

// dialing is a dial that several requests wait for.
type dialing struct {
	done chan struct{}
	// Valid once done. gaveUp says that the request that dialled ended first, so
	// that err is no news for the others.
	server netip.AddrPort
	facts  *flow.TLS
	err    *Error
	gaveUp bool
}

// acquire returns a connection for one request: an HTTP/1.x connection that
// nobody else uses, or an HTTP/2 connection with a stream reserved on it.
func (t *Transport) acquire(ctx context.Context, k key, c *Call, fresh bool) (*conn, *conn2, error) {
	p := &t.pool
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, nil, &Error{flow.ErrCutOff, errClosed}
		}
		h := p.hosts[k]
		if h == nil {
			h = &host{}
			p.hosts[k] = h
		}
		if c2 := h.reserve(); c2 != nil {
			p.mu.Unlock()
			return nil, c2, nil
		}
		if n := len(h.idle); n > 0 && !fresh {
			cn := h.idle[n-1]
			h.idle[n-1] = nil
			h.idle = h.idle[:n-1]
			p.unlink(cn)
			p.mu.Unlock()
			if cn.usable() {
				return cn, nil, nil
			}
			cn.close()
			continue
		}
		if !k.http2 || h.http1 {
			p.mu.Unlock()
			d := t.dial(ctx, k)
			c.Server, c.TLS = d.server, d.facts
			if d.err != nil {
				return nil, nil, d.err
			}
			if d.facts != nil && d.facts.ALPN == "h2" { // the server changed its mind
				return t.adopt(k, h, d)
			}
			cn, err := t.newConn(k, d)
			return cn, nil, err
		}
		if wait := h.dialing; wait != nil {
			p.mu.Unlock()
			select {
			case <-wait.done:
			case <-ctx.Done():
				return nil, nil, given(ctx)
			}
			if wait.err != nil && !wait.gaveUp {
				c.Server, c.TLS = wait.server, wait.facts
				return nil, nil, wait.err
			}
			continue
		}
		mine := &dialing{done: make(chan struct{})}
		h.dialing = mine
		p.mu.Unlock()
		return t.dialShared(ctx, k, c, h, mine)
	}
}

// dialShared dials for a host whose protocol is not known, and lets the requests
// that wait for mine go on.
func (t *Transport) dialShared(ctx context.Context, k key, c *Call, h *host, mine *dialing) (*conn, *conn2, error) {
	d := t.dial(ctx, k)
	c.Server, c.TLS = d.server, d.facts
	mine.server, mine.facts, mine.err, mine.gaveUp = d.server, d.facts, d.err, ctx.Err() != nil
	var cn *conn
	var c2 *conn2
	err := error(nil)
	switch {
	case d.err != nil:
		err = d.err
	case d.facts.ALPN == "h2":
		cn, c2, err = t.adopt(k, h, d)
	default:
		cn, err = t.newConn(k, d)
	}
	t.pool.mu.Lock()
	h.dialing = nil
	if cn != nil {
		h.http1 = true
	}
	t.pool.mu.Unlock()
	close(mine.done)
	return cn, c2, err
}

// adopt makes an HTTP/2 connection of d, reserves a stream on it and puts it in
// the pool.
func (t *Transport) adopt(k key, h *host, d dialled) (*conn, *conn2, error) {
	p := &t.pool
	if err := p.register(d.link, nil); err != nil {
		return nil, nil, err
	}
	cc, err := t.http2.NewClientConn(d.secure)
	if err != nil {
		d.link.Close()
		return nil, nil, classify(err)
	}
	cc.ReserveNewRequest()
	c2 := &conn2{key: k, cc: cc, facts: d.facts, server: d.server}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.hosts[k]; now == nil {
		p.hosts[k] = h // swept while dialling
	} else {
		h = now
	}
	h.http2 = append(h.http2, c2)
	h.http1 = false
	p.http2[cc] = c2
	return nil, c2, nil
}

// reserve returns an HTTP/2 connection with a stream reserved, or nil. The pool is
// locked.
func (h *host) reserve() *conn2 {
	for _, c2 := range h.http2 {
		if c2.cc.ReserveNewRequest() {
			return c2
		}
	}
	return nil
}

// dead drops an HTTP/2 connection that takes no more requests.
func (p *pool) dead(cc *http2.ClientConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c2 := p.http2[cc]
	if c2 == nil {
		return
	}
	delete(p.http2, cc)
	if h := p.hosts[c2.key]; h != nil {
		h.http2 = slices.DeleteFunc(h.http2, func(x *conn2) bool { return x == c2 })
	}
}

// register notes an open connection, so that it can be closed.
func (p *pool) register(l *link, cn *conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.Close()
		return &Error{flow.ErrCutOff, errClosed}
	}
	p.open[l] = cn
	l.pool = p
	return nil
}

// newConn makes an HTTP/1.x connection of d.
func (t *Transport) newConn(k key, d dialled) (*conn, error) {
	cn := &conn{t: t, key: k, link: d.link, rw: d.link, facts: d.facts, server: d.server, buf: make([]byte, readBuffer)}
	if d.secure != nil {
		cn.rw = d.secure
	}
	if err := t.pool.register(d.link, cn); err != nil {
		return nil, err
	}
	return cn, nil
}

// put makes cn available to the next request of its key.
func (t *Transport) put(cn *conn) {
	p := &t.pool
	cn.idleSince = time.Now()
	cn.reused = true
	var spare *conn
	p.mu.Lock()
	h := p.hosts[cn.key]
	if h == nil {
		h = &host{http1: cn.key.http2}
		p.hosts[cn.key] = h
	}
	switch {
	case p.closed:
		spare = cn
	case len(h.idle) >= t.conf.MaxIdlePerHost:
		spare = h.idle[0]
	case p.idle >= t.conf.MaxIdle:
		spare = p.oldest
	}
	if spare != nil && spare != cn {
		p.remove(spare)
	}
	if spare != cn {
		h.idle = append(h.idle, cn)
		cn.older = p.newest
		if p.newest != nil {
			p.newest.newer = cn
		} else {
			p.oldest = cn
		}
		p.newest = cn
		p.idle++
	}
	p.mu.Unlock()
	if spare != nil {
		spare.close()
	}
}

// remove takes an idle connection, the oldest of its host, out of the pool. The
// pool is locked.
func (p *pool) remove(cn *conn) {
	p.unlink(cn)
	if h := p.hosts[cn.key]; len(h.idle) > 0 && h.idle[0] == cn {
		h.idle = slices.Delete(h.idle, 0, 1)
	}
}

// unlink takes cn out of the list of idle connections. The pool is locked.
func (p *pool) unlink(cn *conn) {
	if cn.older != nil {
		cn.older.newer = cn.newer
	} else {
		p.oldest = cn.newer
	}
	if cn.newer != nil {
		cn.newer.older = cn.older
	} else {
		p.newest = cn.older
	}
	cn.older, cn.newer = nil, nil
	p.idle--
}

// forget drops a closed connection.
func (p *pool) forget(l *link) {
	p.mu.Lock()
	delete(p.open, l)
	p.mu.Unlock()
}

// sweep closes the HTTP/1.x connections that have been idle since before limit,
// and forgets hosts without connections. HTTP/2 connections end by themselves.
func (t *Transport) sweep(limit time.Time) {
	var old []*conn
	p := &t.pool
	p.mu.Lock()
	for p.oldest != nil && p.oldest.idleSince.Before(limit) {
		old = append(old, p.oldest)
		p.remove(p.oldest)
	}
	for k, h := range p.hosts {
		if len(h.idle) == 0 && len(h.http2) == 0 && h.dialing == nil {
			delete(p.hosts, k)
		}
	}
	p.mu.Unlock()
	for _, cn := range old {
		cn.close()
	}
}

// shut closes everything and refuses what comes.
func (p *pool) shut() {
	p.mu.Lock()
	p.closed = true
	open := maps.Clone(p.open)
	p.mu.Unlock()
	for l, cn := range open {
		if cn != nil {
			cn.fail(&Error{flow.ErrCutOff, errClosed})
		} else {
			l.Close()
		}
	}
}
