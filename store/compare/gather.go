package compare

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"constat/store"
)

// The kinds of thing, in the order in which rows of equal sureness are listed.
var kinds = []string{"canary", "class", "host", "identifier", "path"}

// Bounds on what is held.
const (
	maxThings  = 30_000 // of a kind
	heldHosts  = 4      // of a thing that can go to several
	maxKey     = 300
	maxHolders = 3 // names of an identifier
)

// thing is what can be seen or not.
type thing struct {
	what, key string
	hosts     []string // that it went to; nil for one too many
	many      bool     // more hosts than are held
	side      [2]tally
}

// tally is what one side has of a thing.
type tally struct {
	counts  []uint32 // by unit; nil: nothing
	seen    units    // also where only a connection was seen
	example int64
}

// count is that of a unit.
func (t *tally) count(unit int) uint32 {
	if t.counts == nil {
		return 0
	}
	return t.counts[unit]
}

func (t *tally) total() (n int64) {
	for _, c := range t.counts {
		n += int64(c)
	}
	return n
}

// things are all of a kind. When there are too many, those stay whose hash is below
// a limit, which both sides share.
type things struct {
	what  string
	list  map[string]*thing
	limit uint64 // hashes up to it are held
}

func newThings(what string) *things {
	return &things{what: what, list: map[string]*thing{}, limit: 1<<64 - 1}
}

func rank(key string) uint64 {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint64(sum[:])
}

// get returns the thing of a key, nil when it is left out.
func (t *things) get(key string) *thing {
	if len(key) > maxKey {
		key = strings.ToValidUTF8(key[:maxKey], "") + "…"
	}
	if x := t.list[key]; x != nil {
		return x
	}
	if rank(key) > t.limit {
		return nil
	}
	x := &thing{what: t.what, key: key}
	t.list[key] = x
	if len(t.list) > maxThings {
		t.limit /= 2
		for key := range t.list {
			if rank(key) > t.limit {
				delete(t.list, key)
			}
		}
		return t.list[key]
	}
	return x
}

// add counts a thing in a unit of a side.
func (x *thing) add(side, unit, units int, n uint32, example int64, host string) {
	t := &x.side[side]
	if t.counts == nil {
		t.counts = make([]uint32, units)
	}
	t.counts[unit] += n
	t.seen.add(unit)
	if t.example == 0 || example < t.example {
		t.example = example
	}
	if x.many || slices.Contains(x.hosts, host) {
		return
	}
	if len(x.hosts) == heldHosts {
		x.hosts, x.many = nil, true
		return
	}
	x.hosts = append(x.hosts, host)
}

// gathering reads both sides.
type gathering struct {
	sides [2]*side
	kinds map[string]*things
	opt   Options
}

func (g *gathering) things(what string) *things {
	t := g.kinds[what]
	if t == nil {
		t = newThings(what)
		g.kinds[what] = t
	}
	return t
}

// requests counts hosts and paths.
func (g *gathering) requests(ctx context.Context, n int) error {
	s := g.sides[n]
	hosts, paths := g.things("host"), g.things("path")
	// What is not HTTP has no path, and often no name but that of a lookup; addresses
	// change from day to day.
	const query = `SELECT id, iif(method = '', ifnull((SELECT ` + store.NamedHost + ` FROM connections c WHERE c.id = connection_id), host), host), path, method = '', ifnull(session_id, 0)
		FROM requests WHERE SCOPE`
	return s.each(ctx, query, func(scan func(...any) error) error {
		var id, session int64
		var host, path string
		var raw bool
		if err := scan(&id, &host, &path, &raw, &session); err != nil {
			return err
		}
		unit := s.unit(session)
		if x := hosts.get(host); x != nil {
			x.add(n, unit, len(s.units), 1, id, host)
		}
		if raw {
			return nil
		}
		if x := paths.get(host + " " + template(path)); x != nil {
			x.add(n, unit, len(s.units), 1, id, host)
		}
		return nil
	})
}

// connections notes in which units a host was connected to and nothing could be
// read: neither the connection nor a request to it. What was refused reached nobody.
func (g *gathering) connections(ctx context.Context, n int) error {
	s := g.sides[n]
	hosts := g.things("host")
	const query = `SELECT ` + store.NamedHost + `, ifnull(session_id, 0) FROM connections WHERE SCOPE AND host <> '' AND outcome <> 'refused'
		GROUP BY 1, 2 HAVING max(outcome IN ('intercepted', 'plain')) = 0`
	return s.each(ctx, query, func(scan func(...any) error) error {
		var host string
		var session int64
		if err := scan(&host, &session); err != nil {
			return err
		}
		unit := s.unit(session)
		x := hosts.get(host)
		if x != nil && x.side[n].count(unit) > 0 {
			return nil
		}
		if u, known := s.unread[host]; known || len(s.unread) < maxHosts {
			u.add(unit)
			s.unread[host] = u
		} else {
			s.moreHost = true
		}
		if x != nil {
			x.side[n].seen.add(unit)
			if !slices.Contains(x.hosts, host) {
				x.hosts = append(x.hosts, host)
			}
		}
		return nil
	})
}

// opinions counts classes and planted values; what is only suspected is left out.
func (g *gathering) opinions(ctx context.Context, n int) error {
	s := g.sides[n]
	for what, query := range map[string]string{
		"class": `SELECT f.class || ' ' || f.direction, r.host, ifnull(r.session_id, 0), count(DISTINCT r.id), min(r.id)
			FROM findings f JOIN requests r ON r.id = f.request_id WHERE f.confidence <> 'suspected' AND SCOPE GROUP BY 1, 2, 3`,
		"canary": `SELECT h.canary || ' ' || h.direction, r.host, ifnull(r.session_id, 0), count(DISTINCT r.id), min(r.id)
			FROM canary_hits h JOIN requests r ON r.id = h.request_id WHERE SCOPE GROUP BY 1, 2, 3`,
	} {
		list := g.things(what)
		err := s.each(ctx, query, func(scan func(...any) error) error {
			var key, host string
			var session, count, example int64
			if err := scan(&key, &host, &session, &count, &example); err != nil {
				return err
			}
			if x := list.get(key); x != nil {
				x.add(n, s.unit(session), len(s.units), uint32(count), example, host)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// use is one place where a value was.
type use struct {
	value, kind, name, host string
	session, request        int64
}

// uses reads the values that left the phone, in the order of their bytes.
type uses struct {
	rows rows
	now  use
	over bool
}

func (g *gathering) uses(ctx context.Context, n int) (*uses, error) {
	r, err := g.sides[n].query(ctx, `SELECT u.value, u.kind, u.name, r.host, ifnull(r.session_id, 0), r.id
		FROM identifier_uses u JOIN requests r ON r.id = u.request_id WHERE u.direction = 'up' AND SCOPE ORDER BY u.value COLLATE BINARY`)
	if err != nil {
		return nil, err
	}
	u := &uses{rows: r}
	return u, u.next()
}

func (u *uses) next() error {
	if u.over = !u.rows.Next(); u.over {
		return u.rows.Err()
	}
	return u.rows.Scan(&u.now.value, &u.now.kind, &u.now.name, &u.now.host, &u.now.session, &u.now.request)
}

// identifiers goes through the values of both sides side by side, so that none but
// the one at hand is held. A value that came in a single session, or request, of a
// single side says nothing and is left out.
func (g *gathering) identifiers(ctx context.Context) error {
	var in [2]*uses
	for n := range in {
		u, err := g.uses(ctx, n)
		if err != nil {
			return err
		}
		defer u.rows.Close()
		in[n] = u
	}
	list := g.things("identifier")
	for !in[0].over || !in[1].over {
		value := in[0].now.value
		if in[0].over || !in[1].over && in[1].now.value < value {
			value = in[1].now.value
		}
		x := &thing{what: "identifier"}
		var names []string
		kind := ""
		for n, u := range in {
			last := int64(0)
			for !u.over && u.now.value == value {
				if field := list.get(u.now.host + " " + u.now.name); field != nil && u.now.request != last {
					field.add(n, g.sides[n].unit(u.now.session), len(g.sides[n].units), 1, u.now.request, u.now.host)
				}
				if u.now.request != last {
					x.add(n, g.sides[n].unit(u.now.session), len(g.sides[n].units), 1, u.now.request, u.now.host)
				}
				if name := u.now.name; len(names) < maxHolders && !slices.Contains(names, name) {
					names = append(names, name)
				}
				kind, last = u.now.kind, u.now.request
				if err := u.next(); err != nil {
					return err
				}
			}
		}
		if !g.tells(x) {
			continue
		}
		slices.Sort(names)
		key := strings.Join(names, ",") + " " + kind + " " + g.written(value)
		if held := list.get(key); held != nil {
			*held = *x
			held.key = key
		}
	}
	return nil
}

// written is what a key says of a value. Six digits of a hash tell the values of a
// case apart, and leave thousands of numbers that any of them could be.
func (g *gathering) written(value string) string {
	if g.opt.Values {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	return "#" + hex.EncodeToString(sum[:3])
}

// tells reports whether a value came again on a side.
func (g *gathering) tells(x *thing) bool {
	for n := range x.side {
		units := 0
		for i := range x.side[n].counts {
			if x.side[n].seen.has(i) {
				units++
			}
		}
		if units > 1 || len(g.sides[n].units) == 1 && x.side[n].total() > 1 {
			return true
		}
	}
	return false
}
