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
	plain      [2]bool // a body's first chunk did not get smaller: do not try the others

	// Owned by the writer's goroutine.

	chunks  [2]int64 // last chunk of the request, or the frame, and of the response
	changed bool     // the table is to be told before the transaction ends
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
	if err := c.Err(); err != nil {
		return err
	}
	if c.ending.Load() {
		return ErrStopped
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
	ch := chunk{name: b.Prefix(), parent: prev, hasParent: spilled > 0, size: int64(spilled)*flow.ChunkSize + int64(len(data))}

	p := c.writer.newOp()
	if p.known = c.known.id(&ch.name); p.known == 0 {
		try := true
		if o != nil && spilled > 0 {
			c.journal.mu.Lock()
			try = !o.plain[which]
			c.journal.mu.Unlock()
		}
		var paid bool
		ch.codec, ch.data, paid = c.packer.pack(data, try)
		if o != nil && spilled == 0 && !paid {
			c.journal.mu.Lock()
			o.plain[which] = true
			c.journal.mu.Unlock()
		}
		p.chunks = append(p.chunks, ch)
		p.cost += len(ch.data)
	}
	if o != nil {
		c.journal.mu.Lock()
		c.journal.noted(o)
		c.journal.mu.Unlock()
		p.open, p.which = o, which
	}
	p.lazy = p.known != 0 // there is nothing to be kept
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
	noteOpen = `INSERT INTO open_record(kind, id, facts, request, response) VALUES(?, ?, ?, nullif(?, 0), nullif(?, 0))
		ON CONFLICT DO UPDATE SET request = excluded.request, response = excluded.response`
	forgetOpen = `DELETE FROM open_record WHERE kind = ? AND id = ?`
)

// noteOpen writes an open record to the table.
func (w *writer) noteOpen(o *openRecord) error {
	facts := []byte{'['}
	for i, v := range o.values() {
		if i > 0 {
			facts = append(facts, ',')
		}
		facts = evidence.AppendJSON(facts, &v)
	}
	facts = append(facts, ']')
	return w.conn.run(noteOpen, o.kind.Name, o.id, string(facts), o.chunks[0], o.chunks[1])
}

// addSpilled adds a chunk of a body, and has it noted with the record it is for.
func (w *writer) addSpilled(p *op) error {
	id := p.known
	for i := range p.chunks {
		parent := int64(0)
		if p.open != nil {
			parent = p.open.chunks[p.which]
		}
		var err error
		if id, err = w.addChunk(&p.chunks[i], parent); err != nil {
			return err
		}
	}
	if p.open == nil {
		return nil
	}
	p.open.chunks[p.which] = id
	if !p.open.changed {
		p.open.changed = true
		w.notes = append(w.notes, p.open)
	}
	return nil
}

// cutOff makes evidence of the records that are in the table: they were open
// when their writer ended. It runs in a transaction of the writer's goroutine.
func (w *writer) cutOff() error {
	type leftover struct {
		kind   string
		id     int64
		facts  string
		chunks [2]int64
	}
	var all []leftover
	err := w.conn.each(func(row []driver.Value) error {
		l := leftover{kind: row[0].(string), id: row[1].(int64), facts: row[2].(string)}
		l.chunks[0], _ = row[3].(int64)
		l.chunks[1], _ = row[4].(int64)
		all = append(all, l)
		return nil
	}, `SELECT kind, id, facts, request, response FROM open_record ORDER BY kind, id`)
	if err != nil {
		return err
	}
	for _, l := range all {
		if err := w.conn.run(forgetOpen, l.kind, l.id); err != nil {
			return err
		}
		var bodies [2]*flow.Body
		for i, id := range l.chunks {
			if bodies[i], err = w.spilledBody(id); err != nil {
				return err
			}
		}
		switch l.kind {
		case connectionKind.Name:
			err = cutOff(w, connectionKind, l.id, l.facts, l.chunks, func(r *flow.Connection) {
				r.Outcome, r.Reason = flow.CutOff, "Constat stopped while the connection was open"
			})
		case exchangeKind.Name:
			err = cutOff(w, exchangeKind, l.id, l.facts, l.chunks, func(r *flow.Exchange) {
				r.Error = flow.ErrCutOff + ": Constat stopped while the exchange was open"
				r.Request.Body, r.Response.Body = bodies[0], bodies[1]
			})
		case frameKind.Name:
			err = cutOff(w, frameKind, l.id, l.facts, l.chunks, func(r *flow.Frame) { r.Payload = bodies[0] })
		default:
			err = fmt.Errorf("open record of unknown kind %q", l.kind)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// spilledBody returns the body that ends with a chunk, nil for no chunk.
func (w *writer) spilledBody(id int64) (b *flow.Body, err error) {
	if id == 0 {
		return nil, nil
	}
	err = w.conn.each(func(row []driver.Value) error {
		sum, err := hashOf(fromSQL(row[0]))
		size, _ := row[1].(int64)
		b = flow.StoredBody(size, size, sum, sum, false, id)
		return err
	}, "SELECT sha256, size FROM chunk WHERE id = ?", id)
	return b, err
}

func cutOff[R any](w *writer, s *spec[R], id int64, facts string, chunks [2]int64, end func(*R)) error {
	r, err := decodeOpen(s, facts)
	if err != nil {
		return err
	}
	end(r)
	args := appendArgs(make([]driver.NamedValue, 2), s.values(nil, r))
	for i, b := range s.bodies {
		if chunks[i] != 0 {
			args = append(args, driver.NamedValue{Ordinal: 3 + b.chunk, Value: chunks[i]})
		}
	}
	return w.insert(s.kind, id, s.LeafHash(w.salter, id, s.values(nil, r)), args)
}

// decodeOpen reads what noteOpen wrote.
func decodeOpen[R any](s *spec[R], facts string) (*R, error) {
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(facts), &list); err != nil || len(list) != len(s.Columns) {
		return nil, fmt.Errorf("read open %s: not a list of its columns", s.Name)
	}
	values := make([]evidence.Value, s.width())
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
		if p.open, p.forget = c.journal.take(exchangeKind.kind, r.ID); p.open == nil {
			return fmt.Errorf("commit exchange %d: it is not open", r.ID)
		}
		if err = c.addBody(p, r.Request.Body, 0); err == nil {
			err = c.addBody(p, r.Response.Body, 1)
		}
		setRecord(c, p, exchangeKind, r.ID, r)
		p.follow = r
	case *flow.Connection:
		if p.open, p.forget = c.journal.take(connectionKind.kind, r.ID); p.open == nil {
			return fmt.Errorf("commit connection %d: it is not open", r.ID)
		}
		for _, t := range []*flow.TLS{r.ClientTLS, r.ServerTLS} {
			if t != nil {
				p.certs = append(p.certs, t.Chain...)
			}
		}
		setRecord(c, p, connectionKind, r.ID, r)
	case *flow.Frame:
		p.open = c.frameOpened(r)
		p.forget = p.open != nil
		err = c.addBody(p, r.Payload, 0)
		setRecord(c, p, frameKind, r.ID, r)
		p.follow = r
	case *flow.Lookup:
		r.ID = c.lookupID.Add(1)
		setRecord(c, p, lookupKind, r.ID, r)
	default:
		return fmt.Errorf("commit %s: no such kind", r.Kind())
	}
	if err != nil {
		return err
	}
	return c.writer.do(ctx, p)
}

// frameOpened gives a frame its id, and returns what it was until now: nil
// unless a part of it was spilled.
func (c *Case) frameOpened(r *flow.Frame) *openRecord {
	j := c.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	o := j.frames[r]
	if o == nil {
		r.ID = c.frameID.Add(1)
		return nil
	}
	delete(j.frames, r)
	delete(j.open, openKey{o.kind, o.id})
	r.ID = o.id
	return o
}
