package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"constat/inspect"
	"constat/proxy/flow"
)

// inspection is one run of an Inspector over a case.
type inspection struct {
	c       *Case
	in      *inspect.Inspector
	version string
	memory  *semaphore.Weighted // bytes of bodies that are looked at
	memo    memo
	shelf   shelf
	changes *changes // nil when nobody wants to know
	pace    *pace    // nil: nobody is to be given way to
}

const (
	// maxMemory bounds the bodies looked at at the same time; what decoders make
	// of them is bounded by inspect.Limits for each.
	maxMemory = 16 << 20
	// leastMemory is what a small subject counts for.
	leastMemory = 64 << 10
)

func newInspection(c *Case, in *inspect.Inspector) *inspection {
	return &inspection{c: c, in: in, version: in.Version(), memory: semaphore.NewWeighted(maxMemory)}
}

// run inspects what source adds, in several goroutines, and returns when all of
// it has its report in the case. It gives way to the capture until rush ends.
func (i *inspection) run(ctx, rush context.Context, source func(ctx context.Context, add func(work) error) error) error {
	g, inner := errgroup.WithContext(ctx)
	todo := make(chan work, 16)
	g.Go(func() error {
		defer close(todo)
		return source(inner, func(w work) error {
			select {
			case todo <- w:
				return nil
			case <-inner.Done():
				return inner.Err()
			}
		})
	})
	for range runtime.GOMAXPROCS(0)/2 + 1 {
		g.Go(func() error {
			var worked time.Duration
			for w := range todo {
				began := time.Now()
				if err := i.one(inner, w); err != nil {
					return err
				}
				// Sleeping is not worth it for less.
				if worked += time.Since(began); i.pace != nil && worked > 200*time.Microsecond {
					i.pace.rest(rush, worked)
					worked = 0
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	// The reports were handed in without waiting for each.
	return i.c.writer.control(ctx, func() error { return nil })
}

// missing selects what has no report by a version, in the order of the log.
const missing = `
	SELECT l.seq, CASE l.kind WHEN 'frame' THEN f.exchange ELSE l.id END AS exchange, CASE l.kind WHEN 'frame' THEN l.id ELSE 0 END AS frame
	FROM log l LEFT JOIN frame f ON l.kind = 'frame' AND f.id = l.id
	WHERE l.seq >= ? AND l.seq < ? AND l.kind IN ('exchange', 'frame')
	  AND NOT EXISTS(SELECT 1 FROM report r WHERE r.version = ?
		AND r.exchange = CASE l.kind WHEN 'frame' THEN f.exchange ELSE l.id END
		AND r.frame = CASE l.kind WHEN 'frame' THEN l.id ELSE 0 END)
	ORDER BY l.seq LIMIT ?`

// missing adds what has no report among the records from start to end.
func (i *inspection) missing(ctx context.Context, start, end int64, add func(work) error) error {
	const page = 64
	for start < end {
		batch, err := i.missingPage(ctx, start, end, page)
		if err != nil {
			return err
		}
		for _, w := range batch {
			if err := add(w); err != nil {
				return err
			}
			start = w.seq + 1
		}
		if len(batch) < page {
			return nil
		}
	}
	return nil
}

func (i *inspection) missingPage(ctx context.Context, start, end int64, n int) (batch []work, err error) {
	rows, err := i.c.db.QueryContext(ctx, missing, start, end, i.version, n)
	if err != nil {
		return nil, sqlError("inspect case", err)
	}
	defer rows.Close()
	for rows.Next() {
		var w work
		if err := rows.Scan(&w.seq, &w.exchange, &w.frame); err != nil {
			return nil, sqlError("inspect case", err)
		}
		batch = append(batch, w)
	}
	if err := rows.Err(); err != nil {
		return nil, sqlError("inspect case", err)
	}
	return batch, i.fetch(ctx, batch)
}

// fetch reads the exchanges of a batch in one go.
func (i *inspection) fetch(ctx context.Context, batch []work) error {
	at := make(map[int64]*work)
	var ids []int64
	for j := range batch {
		if w := &batch[j]; w.frame == 0 {
			at[w.exchange] = w
			ids = append(ids, w.exchange)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	exchanges, err := list(ctx, i.c.db, exchangeKind, "id IN (SELECT value FROM json_each(?))", string(text))
	if err != nil {
		return err
	}
	for _, e := range exchanges {
		e.record.ID = e.id
		at[e.id].record = e.record
	}
	return nil
}

// one inspects w and hands its report to the writer.
func (i *inspection) one(ctx context.Context, w work) error {
	rep, err := i.report(ctx, w)
	if err != nil {
		return err
	}
	rep.Exchange, rep.Frame, rep.Time = w.exchange, w.frame, i.c.cfg.Clock()
	if i.changes != nil {
		if err := i.changes.note(ctx, &rep); err != nil {
			return err
		}
	}
	if err := i.c.noteAddress(ctx, &rep); err != nil {
		return err
	}
	p := i.c.writer.newOp()
	setRecord(i.c, p, reportKind, i.c.reportID.Add(1), &rep)
	p.cost += len(rep.Findings) + len(rep.Hits) + len(rep.Damage) + len(rep.Identifying)
	p.lazy = p.cost < maxLazyCost
	return i.c.writer.push(p)
}

// report inspects w unless the same bytes were inspected lately. What cannot be
// read is damage in the report.
func (i *inspection) report(ctx context.Context, w work) (report, error) {
	r := &i.c.Reader
	var key digest
	var kept int64
	alone := true // nothing but the record itself is looked at
	var subject func() (*inspect.Subject, error)
	l := loan{shelf: &i.shelf}
	record := w.record
	if record == nil {
		var err error
		if record, err = i.read(ctx, w); err != nil {
			return report{}, err
		}
	}
	switch x := record.(type) {
	case *flow.Exchange:
		key = exchangeKey(x)
		kept = keptSize(x.Request.Body) + keptSize(x.Response.Body)
		alone = !mayBePiece(x)
		subject = func() (*inspect.Subject, error) { return r.exchangeSubject(ctx, x, 0, &l) }
	case *flow.Frame:
		key = frameKey(x)
		kept = keptSize(x.Payload)
		alone = !x.Deflated
		subject = func() (*inspect.Subject, error) { return r.frameSubject(ctx, x, 0, &l) }
	}
	if alone {
		if rep, ok := i.memo.get(key); ok {
			return rep, nil
		}
	} else {
		kept += defaultBodyBytes // what it is looked at together with
	}
	weight := min(max(kept, leastMemory), maxMemory)
	if err := i.memory.Acquire(ctx, weight); err != nil {
		return report{}, err
	}
	defer i.memory.Release(weight)
	defer l.end()
	s, err := subject()
	if err != nil {
		if ctx.Err() != nil || i.c.Err() != nil {
			return report{}, errors.Join(ctx.Err(), i.c.Err())
		}
		found := &inspect.Report{Damage: []inspect.Damage{{Reason: "not inspected: what is kept cannot be read"}}}
		rep, err := newReport(found, i.version)
		return rep, err
	}
	rep, err := newReport(i.in.Inspect(ctx, s), i.version)
	rep.host, rep.ip = s.Host, s.Server
	if err != nil || ctx.Err() != nil {
		return report{}, errors.Join(err, ctx.Err())
	}
	if alone {
		i.memo.put(key, rep)
	}
	return rep, nil
}

func (i *inspection) read(ctx context.Context, w work) (flow.Record, error) {
	if w.frame == 0 {
		return i.c.Exchange(ctx, w.exchange)
	}
	f, err := get(ctx, i.c.db, frameKind, "id = ?", w.frame)
	if err != nil {
		return nil, err
	}
	f.ID = w.frame
	return f, nil
}

func keptSize(b *flow.Body) int64 {
	if b == nil {
		return 0
	}
	return min(b.Kept(), defaultBodyBytes)
}

// exchangeKey is the hash of all of an exchange that an Inspector looks at.
func exchangeKey(e *flow.Exchange) digest {
	k := keyHash{sha256.New(), nil}
	k.text("exchange", e.Method, e.Scheme, e.Host, e.Path, e.Query, e.Server.Addr().String())
	k.number(int64(e.Status))
	for _, m := range []*flow.Message{&e.Request, &e.Response} {
		k.bytes(m.Head)
		k.bytes(m.Trailer)
		k.body(m.Body)
	}
	return k.sum()
}

// frameKey is the same of a frame. Which exchange it belongs to is part of it,
// since where that went is part of the Subject.
func frameKey(f *flow.Frame) digest {
	k := keyHash{sha256.New(), nil}
	k.text("frame", string(f.Direction))
	k.number(f.Exchange)
	k.number(int64(f.Opcode))
	k.body(f.Payload)
	return k.sum()
}

// keyHash hashes fields so that different lists of fields never look the same.
type keyHash struct {
	h   hash.Hash
	buf []byte
}

func (k *keyHash) number(n int64) { k.h.Write(binary.BigEndian.AppendUint64(k.buf[:0], uint64(n))) }

func (k *keyHash) bytes(b []byte) {
	k.number(int64(len(b)))
	k.h.Write(b)
}

func (k *keyHash) text(list ...string) {
	for _, s := range list {
		k.buf = append(binary.BigEndian.AppendUint64(k.buf[:0], uint64(len(s))), s...)
		k.h.Write(k.buf)
	}
}

func (k *keyHash) body(b *flow.Body) {
	if b == nil {
		k.number(-1)
		return
	}
	sum := b.KeptSHA256()
	k.number(b.Size())
	k.number(b.Kept())
	k.h.Write(sum[:])
}

func (k *keyHash) sum() (d digest) {
	k.h.Sum(d[:0])
	return d
}

// memo remembers the reports made last, as many as fit in two generations. It
// is safe for concurrent use.
type memo struct {
	mu       sync.Mutex
	new, old map[digest]report
}

const (
	memoGeneration = 1024
	maxMemoReport  = 16 << 10 // larger reports are not remembered
)

func (m *memo) get(key digest) (report, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rep, ok := m.new[key]
	if !ok {
		if rep, ok = m.old[key]; ok {
			m.set(key, rep)
		}
	}
	return rep, ok
}

func (m *memo) put(key digest, rep report) {
	if len(rep.Findings)+len(rep.Hits)+len(rep.Damage)+len(rep.Identifying) > maxMemoReport {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(key, rep)
}

func (m *memo) set(key digest, rep report) {
	if m.new == nil || len(m.new) >= memoGeneration {
		m.new, m.old = make(map[digest]report), m.new
	}
	m.new[key] = rep
}
