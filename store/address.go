package store

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"constat/inspect"
)

// endpoint is a host name and the address that answered, the zero value if none
// did.
type endpoint struct {
	host string
	ip   netip.Addr
}

// places remembers who was last recorded behind the endpoints seen last, as many
// as fit in two generations. It is safe for concurrent use.
type places struct {
	mu       sync.Mutex
	new, old map[endpoint]inspect.Owner
}

const placeGeneration = 4096

// swap remembers that o is behind at, and returns what was remembered before.
func (p *places) swap(at endpoint, o inspect.Owner) (before inspect.Owner, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if before, known = p.new[at]; known && before == o {
		return before, true
	}
	if !known {
		before, known = p.old[at]
	}
	if p.new == nil || len(p.new) >= placeGeneration {
		p.new, p.old = make(map[endpoint]inspect.Owner), p.new
	}
	p.new[at] = o
	return before, known
}

// noteAddress adds a record of who is behind the place that rep is about, unless
// the newest one of that place says the same.
func (c *Case) noteAddress(ctx context.Context, rep *report) error {
	if rep.host == "" || rep.Owner == (inspect.Owner{}) {
		return nil
	}
	at := endpoint{rep.host, rep.ip}
	before, known := c.places.swap(at, rep.Owner)
	a := &place{Time: rep.Time, Host: at.host, Owner: rep.Owner}
	if at.ip.IsValid() {
		a.IP = at.ip.String()
	}
	if !known {
		newest, err := get(ctx, c.db, addressKind, "host = ? AND server_ip = ? ORDER BY id DESC LIMIT 1", a.Host, a.IP)
		if err == nil {
			before, known = newest.Owner, true
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if known && before == rep.Owner {
		return nil
	}
	p := c.writer.newOp()
	setRecord(c, p, addressKind, c.addressID.Add(1), a)
	p.lazy = true
	return c.writer.push(p)
}
