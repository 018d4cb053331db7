package store

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"constat/proxy/flow"
	"constat/store/evidence"
)

const (
	maxBatch      = 512          // operations in one transaction
	maxBatchBytes = 2 << 20      // of chunks in one transaction
	maxQueueBytes = 4 << 20      // handed in and not yet written; more waits
	maxQueue      = 4096         // operations likewise
	opCost        = 1 << 10      // what an operation counts for without its chunks
	tick          = journalAfter // how often open records are looked at when nothing else happens
	lazyTicks     = 10           // how many ticks lazy operations wait at most
	maxLazy       = 256          // how many of them do
	maxLazyCost   = 16 << 10     // of one of them
)

// op is something for the writer to do.
type op struct {
	chunks []chunk
	stored []stored // the bodies of the record
	certs  [][]byte

	kind *kind // of the record to add, nil for none
	id   int64
	hash tlog.Hash
	args []driver.NamedValue // of kind.insert; the first two are filled in by the writer

	open   *openRecord // what the record was until now, or what a chunk was spilled for
	which  int         // of its bodies, for a spilled chunk
	known  int64       // id of the spilled chunk, when it is in the case
	forget bool        // the record has to be removed from the table

	control func() error // to be done between transactions; an error ends the case

	follow flow.Record // to be inspected once committed, with
	seq    int64

	cost   int
	lazy   bool          // goes with the next transaction, for which it is no reason of its own
	waited bool          // somebody waits on done
	done   chan struct{} // gets one value
	err    error         // read after done

	values []evidence.Value // scratch
}

// writer owns the connection that writes. Others hand it operations, in order;
// it takes what has come together into one transaction, and so no commit waits
// for more than the one before.
type writer struct {
	conn    *conn
	salter  *evidence.Salter
	known   *known
	certs   *known // certificates that are in the case, by their hashes
	packer  *packer
	chunkID int64         // the last
	tree    evidence.Tree // of what the current transaction will make
	leaves  []leaf        // of the current transaction, not yet in the table
	args    []driver.NamedValue

	journal *journal
	notes   []*openRecord // that the current transaction writes to the table

	each    func() error    // called between transactions, at least every tick
	written func(ops []*op) // called after each commit
	fail    func(error) error

	mu      sync.Mutex
	room    sync.Cond // the queue has become shorter
	queue   []*op
	bytes   int
	urgent  int           // operations in the queue that are not lazy
	stopped error         // nothing more is taken in
	wake    chan struct{} // buffered: there is a reason for a transaction

	pool sync.Pool
}

func newWriter() *writer {
	w := &writer{wake: make(chan struct{}, 1), certs: newKnown()}
	w.room.L = &w.mu
	w.pool.New = func() any { return &op{done: make(chan struct{}, 1)} }
	return w
}

func (w *writer) newOp() *op {
	p := w.pool.Get().(*op)
	*p = op{chunks: p.chunks[:0], stored: p.stored[:0], args: p.args[:0], values: p.values[:0], done: p.done, cost: opCost}
	return p
}

func (w *writer) free(p *op) {
	for i := range p.chunks {
		w.packer.free(p.chunks[i].data)
	}
	clear(p.chunks)
	clear(p.args)
	clear(p.values)
	w.pool.Put(p)
}

// setRecord makes p add a record.
func setRecord[R any](c *Case, p *op, s *spec[R], id int64, r *R) {
	p.kind, p.id = s.kind, id
	p.values = s.values(p.values[:0], r)
	p.hash = s.LeafHash(c.writer.salter, id, p.values)
	p.args = appendArgs(append(p.args[:0], driver.NamedValue{}, driver.NamedValue{}), p.values)
}

// push hands p in and does not wait until it is done; p is the writer's from
// then on. It blocks while the queue is full.
func (w *writer) push(p *op) error {
	w.mu.Lock()
	for w.stopped == nil && len(w.queue) > 0 && (w.bytes+p.cost > maxQueueBytes || len(w.queue) >= maxQueue) {
		w.room.Wait()
	}
	if w.stopped != nil {
		defer w.mu.Unlock()
		return w.stopped
	}
	w.queue = append(w.queue, p)
	w.bytes += p.cost
	wake := len(w.queue) == maxLazy
	if !p.lazy {
		w.urgent++
		wake = w.urgent == 1
	}
	w.mu.Unlock()
	if wake {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// do hands p in and waits until it is committed.
func (w *writer) do(ctx context.Context, p *op) error {
	p.waited = true
	if err := w.push(p); err != nil {
		return err
	}
	if ctx.Done() == nil {
		<-p.done
	} else {
		select {
		case <-p.done:
		case <-ctx.Done():
			return ctx.Err() // the writer still has p
		}
	}
	err := p.err
	w.free(p)
	return err
}

// control runs f in the writer's goroutine, between transactions and after all
// that was handed in before.
func (w *writer) control(ctx context.Context, f func() error) error {
	p := w.newOp()
	p.control = f
	return w.do(ctx, p)
}

// stop refuses what comes from now on; what was handed in is still done.
func (w *writer) stop(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped == nil {
		w.stopped = err
	}
	w.room.Broadcast()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run is the writer's goroutine. It ends after stop when the queue is empty, or
// at the first failure; then everybody who waits gets it.
func (w *writer) run() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	ticks := 0
	var batch []*op
	for {
		// Those who were released just now, or are about to hand something
		// in, go first: five times as much then shares a transaction, and
		// nobody waits longer for it.
		runtime.Gosched()
		var stopped error
		batch, stopped = w.take(batch[:0], false)
		if len(batch) == 0 {
			if stopped != nil {
				return
			}
			select {
			case <-w.wake:
				continue
			case <-ticker.C:
				ticks++
				batch, _ = w.take(batch, ticks%lazyTicks == 0)
			}
		}
		err := w.commit(batch)
		if err == nil {
			err = w.each()
		}
		if err != nil {
			err = w.fail(err)
			w.stop(err)
		}
		w.release(batch, err)
		if err != nil {
			for batch, _ = w.take(batch[:0], true); len(batch) > 0; batch, _ = w.take(batch[:0], true) {
				w.release(batch, err)
			}
			return
		}
	}
}

// take takes the next operations off the queue: a control operation comes
// alone. Lazy ones are left there unless something else is, or all is set, or
// there are many.
func (w *writer) take(batch []*op, all bool) ([]*op, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.urgent == 0 && len(w.queue) < maxLazy && !all && w.stopped == nil {
		return batch, nil
	}
	bytes := 0
	for _, p := range w.queue {
		if len(batch) > 0 && (len(batch) == maxBatch || bytes+p.cost > maxBatchBytes || p.control != nil || batch[0].control != nil) {
			break
		}
		batch = append(batch, p)
		bytes += p.cost
		if !p.lazy {
			w.urgent--
		}
	}
	n := copy(w.queue, w.queue[len(batch):])
	clear(w.queue[n:])
	w.queue = w.queue[:n]
	return batch, w.stopped
}

// release tells those who wait that their operations are done.
func (w *writer) release(batch []*op, err error) {
	if len(batch) == 0 {
		return
	}
	bytes := 0
	for _, p := range batch {
		bytes += p.cost
	}
	w.mu.Lock()
	w.bytes -= bytes
	w.mu.Unlock()
	w.room.Broadcast()
	for _, p := range batch {
		if p.err == nil {
			p.err = err
		}
		if p.waited {
			p.done <- struct{}{}
		} else {
			w.free(p)
		}
	}
}

// commit does a batch in one transaction. After an error the connection must
// not be used for writing again: the tree is ahead of what is on the disk.
func (w *writer) commit(batch []*op) error {
	if len(batch) == 1 && batch[0].control != nil {
		return batch[0].control()
	}
	w.notes = w.journal.due(time.Now().Add(-journalAfter), w.notes[:0])
	if len(batch) == 0 && len(w.notes) == 0 {
		return nil
	}
	err := w.transaction(func() error {
		for _, o := range w.notes {
			o.changed = true
		}
		for _, p := range batch {
			if err := w.execute(p); err != nil {
				return err
			}
		}
		for _, o := range w.notes {
			if !o.changed {
				continue // it is committed
			}
			o.changed = false
			if err := w.noteOpen(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		w.written(batch)
	}
	return err
}

func (w *writer) transaction(f func() error) error {
	if _, err := w.conn.exec("BEGIN IMMEDIATE", nil); err != nil {
		return sqlError("write case", err)
	}
	w.leaves = w.leaves[:0]
	err := f()
	if err == nil {
		err = w.addLeaves()
	}
	if err == nil {
		_, err = w.conn.exec("COMMIT", nil)
	}
	if err != nil {
		// SQLite has rolled back by itself after some errors.
		if w.conn.raw.AutoCommit() {
			return sqlError("write case", err)
		}
		return sqlError("write case", errors.Join(err, w.conn.run("ROLLBACK")))
	}
	return nil
}

func (w *writer) execute(p *op) error {
	if p.kind == nil {
		return w.addSpilled(p)
	}
	if err := w.addStored(p); err != nil {
		return err
	}
	for _, der := range p.certs {
		sum := sha256.Sum256(der)
		if w.certs.id(&sum) != 0 {
			continue
		}
		if err := w.conn.run(insertCertificate, sum[:], der); err != nil {
			return err
		}
		w.certs.add(&sum, 1)
	}
	if p.open != nil {
		p.open.changed = false
	}
	if p.forget {
		if err := w.conn.run(forgetOpen, p.kind.Name, p.id); err != nil {
			return err
		}
	}
	p.seq = w.tree.Size()
	return w.insert(p.kind, p.id, p.hash, p.args)
}

const (
	insertCertificate = "INSERT INTO certificate(sha256, der) VALUES(?, ?) ON CONFLICT DO NOTHING"
	insertSubtree     = "INSERT INTO subtree(n, hash) VALUES(?, ?)"
)

// insert adds a record and its leaf. The first two of args are set here.
func (w *writer) insert(k *kind, id int64, hash tlog.Hash, args []driver.NamedValue) error {
	seq := w.tree.Size()
	args[0] = driver.NamedValue{Ordinal: 1, Value: id}
	args[1] = driver.NamedValue{Ordinal: 2, Value: seq}
	if _, err := w.conn.exec(k.insert, args); err != nil {
		return fmt.Errorf("add %s %d: %w", k.Name, id, err)
	}
	w.leaves = append(w.leaves, leaf{args[1].Value, k.name, args[0].Value, hash})
	if subtree, complete := w.tree.Append(hash); complete {
		return w.conn.run(insertSubtree, seq>>evidence.SubtreeLevel, subtree[:])
	}
	return nil
}

// leaf is a row of the log, as arguments of an INSERT.
type leaf struct {
	seq, kind, id driver.Value
	hash          tlog.Hash
}

// insertLog are INSERTs of many rows and of few: one statement for many costs
// little more than one for a single row.
var insertLog = [...]struct {
	rows int
	sql  string
}{{32, insertLeaves(32)}, {8, insertLeaves(8)}, {2, insertLeaves(2)}, {1, insertLeaves(1)}}

func insertLeaves(rows int) string {
	return "INSERT INTO log(seq, kind, id, hash) VALUES(?, ?, ?, ?)" + strings.Repeat(", (?, ?, ?, ?)", rows-1)
}

// addLeaves puts the leaves of a transaction into the table, before it ends.
func (w *writer) addLeaves() error {
	list := w.leaves
	for _, insert := range insertLog {
		for len(list) >= insert.rows {
			w.args = w.args[:0]
			for i := range list[:insert.rows] {
				l := &list[i]
				for _, v := range [...]driver.Value{l.seq, l.kind, l.id, l.hash[:]} {
					w.args = append(w.args, driver.NamedValue{Ordinal: len(w.args) + 1, Value: v})
				}
			}
			if _, err := w.conn.exec(insert.sql, w.args); err != nil {
				return err
			}
			list = list[insert.rows:]
		}
	}
	return nil
}
