package upstream

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"constat/proxy/bulk"
	"constat/proxy/flow"
)

// key says which requests may share a connection.
type key struct {
	client  netip.Addr
	host    string         // of the URL, as written
	address netip.AddrPort // Call.Address
	name    string         // Call.ServerName
	secure  bool
	http2   bool   // HTTP/2 was offered
	bare    bool   // it is not HTTP; never in the pool
	alpn    string // the only protocol that is offered when bare; "" for none
}

// pool holds the connections of a Transport. Its lock is never held while
// something is sent, received or waited for, nor while an HTTP/2 connection is
// asked something: that has locks of its own and closes its link under them.
type pool struct {
	mu     sync.Mutex
	closed bool
	hosts  map[key]*host
	open   map[*link]*conn // every connection that is not closed; nil for HTTP/2
	http2  map[*link]*conn2
	// The idle HTTP/1.x connections of all hosts, longest idle first.
	oldest, newest *conn
	idle           int
}

// host is what the pool knows for one key.
type host struct {
	idle    []*conn  // longest idle first
	http2   []*conn2 // not closed; replaced, never changed
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
	err    error
	gaveUp bool
}

// acquire returns a connection for one request: an HTTP/1.x connection that
// nobody else uses, not an idle one when fresh, or an HTTP/2 connection with a
// stream reserved on it.
func (t *Transport) acquire(ctx context.Context, k key, c *Call, fresh bool) (*conn, *conn2, error) {
	p := &t.pool
	var full []*conn2 // HTTP/2 connections that take nothing more
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, nil, &Error{flow.ErrCutOff, errClosed}
		}
		h := p.host(k)
		if list := h.http2; len(list) > 0 && !same(list, full) {
			p.mu.Unlock()
			if c2 := reserve(list); c2 != nil {
				return nil, c2, nil
			}
			full = list
			continue
		}
		if cn := p.pop(h, fresh); cn != nil {
			p.mu.Unlock()
			if cn.usable() {
				return cn, nil, nil
			}
			cn.close()
			continue
		}
		if !k.http2 || h.http1 {
			p.mu.Unlock()
			return t.connect(ctx, k, c)
		}
		wait := h.dialing
		if wait == nil {
			mine := &dialing{done: make(chan struct{})}
			h.dialing = mine
			p.mu.Unlock()
			return t.connectFirst(ctx, k, c, h, mine)
		}
		p.mu.Unlock()
		select {
		case <-wait.done:
		case <-ctx.Done():
			return nil, nil, given(ctx)
		}
		if wait.err != nil && !wait.gaveUp {
			c.note(wait.server, wait.facts)
			return nil, nil, wait.err
		}
	}
}

func same(a, b []*conn2) bool { return len(a) == len(b) && &a[0] == &b[0] }

// host returns what is known for k. The pool is locked.
func (p *pool) host(k key) *host {
	h := p.hosts[k]
	if h == nil {
		h = &host{}
		p.hosts[k] = h
	}
	return h
}

// pop takes the idle connection of h that was used last, or nil when there is
// none or it must be fresh. The pool is locked.
func (p *pool) pop(h *host, fresh bool) *conn {
	n := len(h.idle)
	if n == 0 || fresh {
		return nil
	}
	cn := h.idle[n-1]
	h.idle[n-1] = nil
	h.idle = h.idle[:n-1]
	p.unlink(cn)
	return cn
}

// connect dials for one request.
func (t *Transport) connect(ctx context.Context, k key, c *Call) (*conn, *conn2, error) {
	d := t.dial(ctx, k)
	c.note(d.server, d.facts)
	switch {
	case d.err != nil:
		return nil, nil, d.err
	case d.facts != nil && d.facts.ALPN == "h2":
		c2, err := t.adopt(k, d)
		return nil, c2, err
	}
	cn, err := t.newConn(k, d)
	return cn, nil, err
}

// connectFirst dials for a host whose protocol is not known, and then lets the
// requests go on that wait for mine.
func (t *Transport) connectFirst(ctx context.Context, k key, c *Call, h *host, mine *dialing) (*conn, *conn2, error) {
	cn, c2, err := t.connect(ctx, k, c)
	mine.server, mine.facts, mine.err, mine.gaveUp = c.Server, c.TLS, err, ctx.Err() != nil
	t.pool.mu.Lock()
	h.dialing = nil
	h.http1 = cn != nil
	t.pool.mu.Unlock()
	close(mine.done)
	return cn, c2, err
}

// adopt makes an HTTP/2 connection of d, reserves a stream on it and puts it in
// the pool.
func (t *Transport) adopt(k key, d dialled) (*conn2, error) {
	p := &t.pool
	if err := p.register(d.link, nil); err != nil {
		return nil, err
	}
	cc, err := t.newClientConn(d.secure)
	if err != nil {
		d.link.Close()
		return nil, err
	}
	c2 := &conn2{key: k, cc: cc, facts: d.facts, server: d.server}
	if err := cc.Reserve(); err != nil {
		d.link.Close()
		return nil, bad(flow.ErrServerClosed, "the server closed the connection at once")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.open[d.link]; !ok {
		return c2, nil // closed already: the request will find out
	}
	h := p.host(k)
	h.http2 = append(slices.Clip(h.http2), c2)
	h.http1 = false
	p.http2[d.link] = c2
	return c2, nil
}

// reserve returns a connection of list with a stream reserved, or nil.
func reserve(list []*conn2) *conn2 {
	for _, c2 := range list {
		if c2.cc.Reserve() == nil {
			return c2
		}
	}
	return nil
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
		cn.rw, cn.records = d.secure, d.secure.NetConn().(*bulk.Conn)
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
	h := p.host(cn.key)
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
	defer p.mu.Unlock()
	delete(p.open, l)
	c2 := p.http2[l]
	if c2 == nil {
		return
	}
	delete(p.http2, l)
	if h := p.hosts[c2.key]; h != nil {
		h.http2 = slices.DeleteFunc(slices.Clone(h.http2), func(x *conn2) bool { return x == c2 })
	}
}

// sweep closes the connections that have been idle since before limit, and forgets
// hosts without connections.
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
	two := slices.Collect(maps.Values(p.http2))
	p.mu.Unlock()
	for _, cn := range old {
		cn.close()
	}
	for _, c2 := range two {
		// One that takes no more requests goes as soon as it has none.
		if c2.cc.InFlight() == 0 && (c2.cc.Available() == 0 || c2.lastUsed.Load() < limit.UnixNano()) {
			c2.cc.Close()
		}
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
