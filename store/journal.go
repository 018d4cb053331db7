package store

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"constat/proxy/flow"
	"constat/store/evidence"
)

// journalAfter is how long a record is open before it is noted in the case, so
// that the many short ones never are.
const journalAfter = 20 * time.Millisecond

// openRecord is a record between Begin, or its first Spill, and Commit. It
// holds copies of its own.
type openRecord struct {
	kind   *kind
	id     int64
	began  time.Time // monotonic
	values func() []evidence.Value

	// Below: guarded by journal.mu.

	journaled  bool // it is, or is about to be, in the table open_record
	prev, next *openRecord
	bodies     [2]openBody // of the request, or the frame, and of the response
}

// openBody is how far a body has been spilled.
type openBody struct {
	last  digest
	size  int64
	plain bool // its first chunk did not get smaller, do not try the others
}

type openKey struct {
	kind *kind
	id   int64
}

// journal knows the open records. It is safe for concurrent use.
type journal struct {
	mu     sync.Mutex
	open   map[openKey]*openRecord
	frames map[*flow.Frame]*openRecord // frames get their id late
	young  openRecord                  // ring of those not journaled, oldest next
}

func newJournal() *journal {
	j := &journal{open: map[openKey]*openRecord{}, frames: map[*flow.Frame]*openRecord{}}
	j.young.prev, j.young.next = &j.young, &j.young
	return j
}

func (j *journal) add(r *openRecord) {
	r.began = time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.open[openKey{r.kind, r.id}] = r
	r.prev, r.next = j.young.prev, &j.young
	r.prev.next, r.next.prev = r, r
}

// noted takes r out of the ring; the caller sees to it that r gets into the
// table. j.mu is held.
func (j *journal) noted(r *openRecord) {
	r.journaled = true
	j.unlink(r)
}

func (j *journal) unlink(r *openRecord) {
	if r.next != nil {
		r.prev.next, r.next.prev = r.next, r.prev
		r.prev, r.next = nil, nil
	}
}

// take ends the record of that kind and id; nil when there is none. journaled
// says whether it has to be removed from the table.
func (j *journal) take(k *kind, id int64) (r *openRecord, journaled bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	key := openKey{k, id}
	if r = j.open[key]; r == nil {
		return nil, false
	}
	delete(j.open, key)
	j.unlink(r)
	return r, r.journaled
}

// due returns the records that have been open since before the given time and
// are to be written to the table now.
func (j *journal) due(before time.Time, list []*openRecord) []*openRecord {
	j.mu.Lock()
	defer j.mu.Unlock()
	for r := j.young.next; r != &j.young && r.began.Before(before); r = j.young.next {
		j.noted(r)
		list = append(list, r)
	}
	return list
}

// Begin implements flow.Recorder.
func (c *Case) Begin(r flow.Record) error {
	select {
	case <-c.failed:
		return c.Err()
	default:
	}
	o := &openRecord{}
	switch r := r.(type) {
	case *flow.Exchange:
		r.ID = c.exchangeID.Add(1)
		o.kind, o.id = exchangeKind.kind, r.ID
		e := *r
		e.Request.Body, e.Response.Body = nil, nil
		e.Request.Head, e.Request.Trailer = bytes.Clone(e.Request.Head), nil
		e.Response.Head, e.Response.Trailer = bytes.Clone(e.Response.Head), nil
		o.values = func() []evidence.Value { return exchangeKind.values(nil, &e) }
	case *flow.Connection:
		r.ID = c.connectionID.Add(1)
		o.kind, o.id = connectionKind.kind, r.ID
		n := *r
		n.ClientTLS, n.ServerTLS = copyTLS(n.ClientTLS), copyTLS(n.ServerTLS)
		n.FirstUp, n.FirstDown = bytes.Clone(n.FirstUp), bytes.Clone(n.FirstDown)
		o.values = func() []evidence.Value { return connectionKind.values(nil, &n) }
	default:
		return fmt.Errorf("begin %s: only connections and exchanges begin", r.Kind())
	}
	c.journal.add(o)
	return nil
}

// copyTLS copies what the journal keeps: all but the certificates, which would
// have to be stored as well.
func copyTLS(t *flow.TLS) *flow.TLS {
	if t == nil {
		return nil
	}
	out := *t
	out.Chain = nil
	return &out
}

// Spill implements flow.Recorder. It looks at no more of the body's owner than
// its ID and, of an exchange, which of its bodies is the request's: that must
// be set before the first Spill.
func (c *Case) Spill(b *flow.Body, data []byte) error {
	o, which := c.owner(b)
	prev, spilled := b.Previous()
	ch := &chunk{name: b.Prefix(), parent: prev, hasParent: spilled > 0, size: int64(spilled)*flow.ChunkSize + int64(len(data))}

	p := c.writer.newOp()
	if !c.known.has(&ch.name) {
		try := true
		if o != nil && spilled > 0 {
			c.journal.mu.Lock()
			try = !o.bodies[which].plain
			c.journal.mu.Unlock()
		}
		var paid bool
		ch.codec, ch.data, paid = c.packer.pack(data, try)
		if o != nil && spilled == 0 && !paid {
			c.journal.mu.Lock()
			o.bodies[which].plain = true
			c.journal.mu.Unlock()
		}
		p.chunks = append(p.chunks, *ch)
		p.cost += len(ch.data)
	}
	if o != nil {
		c.journal.mu.Lock()
		c.journal.noted(o)
		o.bodies[which].last, o.bodies[which].size = ch.name, ch.size
		p.journal, p.bodies = o, o.bodies
		c.journal.mu.Unlock()
	}
	return c.writer.push(p)
}

// owner finds the open record that a body belongs to, nil when there is none.
func (c *Case) owner(b *flow.Body) (o *openRecord, which int) {
	j := c.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	switch r := b.Owner().(type) {
	case *flow.Exchange:
		o = j.open[openKey{exchangeKind.kind, r.ID}]
		if r.Request.Body != b {
			which = 1
		}
	case *flow.Frame:
		if o = j.frames[r]; o == nil {
			// A frame does not begin: it is open from its first Spill.
			f := *r
			f.Payload = nil
			o = &openRecord{kind: frameKind.kind, id: c.frameID.Add(1)}
			o.values = func() []evidence.Value { return frameKind.values(nil, &f) }
			j.frames[r] = o
			j.open[openKey{o.kind, o.id}] = o
		}
	}
	return o, which
}

const (
	noteOpen   = `INSERT INTO open_record(kind, id, facts, request, request_size, response, response_size) VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET request = excluded.request, request_size = excluded.request_size, response = excluded.response, response_size = excluded.response_size`
	forgetOpen = `DELETE FROM open_record WHERE kind = ? AND id = ?`
)

// noteOpen writes an open record to the table.
func (w *writer) noteOpen(o *openRecord, bodies [2]openBody) error {
	facts := []byte{'['}
	for i, v := range o.values() {
		if i > 0 {
			facts = append(facts, ',')
		}
		facts = evidence.AppendJSON(facts, &v)
	}
	facts = append(facts, ']')
	var last [2]any
	for i, b := range bodies {
		if b.size > 0 {
			last[i] = b.last[:]
		}
	}
	return w.conn.run(noteOpen, o.kind.Name, o.id, string(facts), last[0], bodies[0].size, last[1], bodies[1].size)
}

// cutOff makes evidence of the records that are in the table: they were open
// when their writer ended. It runs in a transaction of the writer's goroutine.
func (w *writer) cutOff() error {
	type leftover struct {
		kind   string
		id     int64
		facts  string
		bodies [2]*flow.Body
	}
	var all []leftover
	err := w.conn.each(func(row []driver.Value) error {
		l := leftover{kind: row[0].(string), id: row[1].(int64), facts: row[2].(string)}
		for i := range l.bodies {
			if name, ok := row[3+2*i].([]byte); ok {
				sum, err := hashOf(evidence.BlobValue(name))
				if err != nil {
					return err
				}
				size := row[4+2*i].(int64)
				l.bodies[i] = flow.StoredBody(size, size, sum, sum, false)
			}
		}
		all = append(all, l)
		return nil
	}, `SELECT kind, id, facts, request, request_size, response, response_size FROM open_record ORDER BY kind, id`)
	if err != nil {
		return err
	}
	for _, l := range all {
		if err := w.conn.run(forgetOpen, l.kind, l.id); err != nil {
			return err
		}
		var k *kind
		var values []evidence.Value
		switch l.kind {
		case connectionKind.Name:
			r, err := decodeOpen(connectionKind, l.facts)
			if err != nil {
				return err
			}
			r.Outcome, r.Reason = flow.CutOff, "Constat stopped while the connection was open"
			k, values = connectionKind.kind, connectionKind.values(nil, r)
		case exchangeKind.Name:
			r, err := decodeOpen(exchangeKind, l.facts)
			if err != nil {
				return err
			}
			r.Error = flow.ErrCutOff + ": Constat stopped while the exchange was open"
			r.Request.Body, r.Response.Body = l.bodies[0], l.bodies[1]
			k, values = exchangeKind.kind, exchangeKind.values(nil, r)
		case frameKind.Name:
			r, err := decodeOpen(frameKind, l.facts)
			if err != nil {
				return err
			}
			r.Payload = l.bodies[0]
			k, values = frameKind.kind, frameKind.values(nil, r)
		default:
			return fmt.Errorf("open record of unknown kind %q", l.kind)
		}
		if err := w.insert(k, l.id, k.LeafHash(w.salter, l.id, values), appendArgs(make([]driver.NamedValue, 2), values)); err != nil {
			return err
		}
	}
	return nil
}

// decodeOpen reads what noteOpen wrote.
func decodeOpen[R any](s *spec[R], facts string) (*R, error) {
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(facts), &list); err != nil || len(list) != len(s.Columns) {
		return nil, fmt.Errorf("read open %s: not a list of its columns", s.Name)
	}
	values := make([]evidence.Value, len(list))
	for i, raw := range list {
		v, err := parseValue(raw, s.Columns[i].Type)
		if err != nil {
			return nil, fmt.Errorf("read open %s %s: %w", s.Name, s.Columns[i].Name, err)
		}
		values[i] = v
	}
	return s.record(values)
}

// parseValue reads what evidence.AppendJSON wrote for a column of type t.
func parseValue(raw json.RawMessage, t evidence.Type) (evidence.Value, error) {
	if string(raw) == "null" {
		return evidence.Value{}, nil
	}
	switch t {
	case evidence.Int:
		n, err := strconv.ParseInt(string(bytes.Trim(raw, `"`)), 10, 64)
		return evidence.IntValue(n), err
	case evidence.Blob:
		var b []byte
		err := json.Unmarshal(raw, &b)
		return evidence.BlobValue(b), err
	}
	if raw[0] == '{' {
		var coded struct{ Base64 string }
		if err := json.Unmarshal(raw, &coded); err != nil {
			return evidence.Value{}, err
		}
		b, err := base64.StdEncoding.DecodeString(coded.Base64)
		return evidence.TextValue(string(b)), err
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return evidence.TextValue(s), err
}

// Commit implements flow.Recorder. It waits for its group's transaction; when
// ctx ends first the record is still added.
func (c *Case) Commit(ctx context.Context, r flow.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := c.writer.newOp()
	var err error
	switch r := r.(type) {
	case *flow.Exchange:
		o, journaled := c.journal.take(exchangeKind.kind, r.ID)
		if o == nil {
			return fmt.Errorf("commit exchange %d: it is not open", r.ID)
		}
		if p.chunks, err = c.appendChunks(p.chunks, r.Request.Body); err == nil {
			p.chunks, err = c.appendChunks(p.chunks, r.Response.Body)
		}
		setRecord(c, p, exchangeKind, r.ID, r)
		p.forget, p.follow = journaled, r
	case *flow.Connection:
		o, journaled := c.journal.take(connectionKind.kind, r.ID)
		if o == nil {
			return fmt.Errorf("commit connection %d: it is not open", r.ID)
		}
		for _, t := range []*flow.TLS{r.ClientTLS, r.ServerTLS} {
			if t != nil {
				for _, der := range t.Chain {
					p.chunks, err = c.appendChunks(p.chunks, flow.BodyOf(der))
				}
			}
		}
		setRecord(c, p, connectionKind, r.ID, r)
		p.forget = journaled
	case *flow.Frame:
		p.forget = c.frameOpened(r)
		p.chunks, err = c.appendChunks(p.chunks, r.Payload)
		setRecord(c, p, frameKind, r.ID, r)
		p.follow = r
	default:
		return fmt.Errorf("commit %s: no such kind", r.Kind())
	}
	if err != nil {
		return err
	}
	return c.writer.do(ctx, p)
}

// frameOpened gives a frame its id, which it has already if a part of it was
// spilled; journaled says that.
func (c *Case) frameOpened(r *flow.Frame) (journaled bool) {
	j := c.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if o := j.frames[r]; o != nil {
		delete(j.frames, r)
		delete(j.open, openKey{o.kind, o.id})
		r.ID = o.id
		return true
	}
	r.ID = c.frameID.Add(1)
	return false
}
