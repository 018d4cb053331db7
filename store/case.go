package store

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"constat/proxy/flow"
	"constat/store/evidence"
)

// Case is a case open for writing; there is one writer at a time, over all
// processes. It is a flow.Recorder. All methods are safe for concurrent use.
type Case struct {
	Reader

	cfg     Config
	lock    *lock
	writer  *writer
	journal *journal
	known   *known
	packer  *packer
	feeds   feeds
	places  places
	size    atomic.Int64 // of the log, committed

	connectionID, exchangeID, frameID, reportID, addressID, lookupID atomic.Int64

	// Owned by the writer's goroutine.
	markID, checkpointID int64
	declarationID        int64
	signed               []byte // newest checkpoint
	signedSize           int64
	signedAt             time.Time // monotonic
	signer               note.Signer
	origin               string
	sealEvery            time.Duration
	catchUp              time.Duration // see Follow
	walLimit             int64         // bytes of the write-ahead log from which it is cut
	walLooked            time.Time     // monotonic

	failed  chan struct{}
	failure error // set before failed is closed
	ended   chan struct{}
	closing sync.Once
	ending  atomic.Bool // Close has been called
	closed  error
}

var _ flow.Recorder = (*Case)(nil)

// Open opens the case at cfg.Path for writing, and creates it when absent.
// Records that were open when the last writer died are committed as cut off.
func Open(ctx context.Context, cfg Config) (_ *Case, err error) {
	if cfg.BodyLimit == 0 {
		cfg.BodyLimit = defaultBodyLimit
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Path, err = filepath.Abs(cfg.Path); err != nil {
		return nil, fmt.Errorf("open case: %w", err)
	}
	// One case has one lock file, whatever link leads to it.
	if real, err := filepath.EvalSymlinks(cfg.Path); err == nil {
		cfg.Path = real
	}
	c := &Case{
		cfg: cfg, writer: newWriter(), journal: newJournal(), known: newKnown(),
		failed: make(chan struct{}), ended: make(chan struct{}), sealEvery: checkpointEvery, walLimit: defaultWALLimit,
		catchUp: defaultCatchUp,
	}
	if c.packer, err = newPacker(); err != nil {
		return nil, fmt.Errorf("open case: %w", err)
	}
	_, err = os.Stat(cfg.Path)
	absent := errors.Is(err, fs.ErrNotExist)
	if !absent {
		if err := errors.Join(checkHeader(cfg.Path), checkWritable(cfg.Path)); err != nil {
			return nil, err
		}
	}
	if c.lock, err = lockCase(cfg.Path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.lock.release())
		}
	}()
	key, err := loadKey(cfg.KeyFile)
	if err != nil {
		return nil, err
	}
	if absent {
		if err := create(cfg.Path); err != nil {
			return nil, err
		}
	}
	w := c.writer
	if w.conn, err = openWriter(cfg.Path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.conn.close())
		}
	}()
	if err := os.Chmod(cfg.Path, 0o600); err != nil {
		return nil, fileError("open case", err)
	}
	version, err := w.conn.integer("PRAGMA user_version")
	if err != nil {
		return nil, sqlError("open case", err)
	}
	if err := checkVersion(cfg.Path, version); err != nil {
		return nil, err
	}
	if err := migrate(w.conn, schemaVersion); err != nil {
		return nil, sqlError("open case", err)
	}
	w.known, w.journal, w.packer = c.known, c.journal, c.packer
	w.each, w.written, w.fail = c.tend, c.written, c.fail
	if err := c.begin(key); err != nil {
		return nil, err
	}
	if err := c.Reader.open(ctx, cfg.Path); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.ended)
		w.run()
	}()
	return c, nil
}

// begin brings a case to the state in which records can be added. The writer's
// goroutine does not run yet.
func (c *Case) begin(key privateKey) error {
	w := c.writer
	if err := loadTree(w.conn, &w.tree); err != nil {
		return sqlError("open case", err)
	}
	now := c.cfg.Clock()
	first := w.tree.Size() == 0
	var g *genesis
	var err error
	if first {
		g = &genesis{CaseID: newULID(now), Created: now, Tool: c.cfg.Tool, Format: format}
	} else if g, err = lookupRecord(w.conn, genesisKind, 1); err != nil {
		return err
	}
	c.origin = evidence.Origin(g.CaseID)
	verifier, err := key.verifier(c.origin)
	if err != nil {
		return err
	}
	if first {
		g.Verifier = verifier
	}
	if g.Verifier != verifier {
		return fmt.Errorf("open case: %w than that in %s", ErrOtherKey, c.cfg.KeyFile)
	}
	if c.signer, err = evidence.NewSigner(c.origin, key.key); err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	settings, err := json.Marshal(c.cfg.Settings) // keys come out sorted
	if err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	var runs int64
	for _, id := range []struct {
		kind *kind
		set  func(int64)
	}{
		{runKind.kind, func(n int64) { runs = n }},
		{markKind.kind, func(n int64) { c.markID = n }},
		{declarationKind.kind, func(n int64) { c.declarationID = n }},
		{connectionKind.kind, c.connectionID.Store},
		{exchangeKind.kind, c.exchangeID.Store},
		{frameKind.kind, c.frameID.Store},
		{lookupKind.kind, c.lookupID.Store},
		{reportKind.kind, c.reportID.Store},
		{addressKind.kind, c.addressID.Store},
	} {
		n, err := w.conn.integer("SELECT max(m) FROM (SELECT max(id) m FROM "+id.kind.Name+" UNION ALL SELECT max(id) FROM open_record WHERE kind = ?)", id.kind.Name)
		if err != nil {
			return sqlError("open case", err)
		}
		id.set(n)
	}
	if w.chunkID, err = w.conn.integer("SELECT max(id) FROM chunk"); err != nil {
		return sqlError("open case", err)
	}
	if c.checkpointID, err = w.conn.integer("SELECT max(id) FROM checkpoint"); err != nil {
		return sqlError("open case", err)
	}
	err = w.transaction(func() error {
		if first {
			secret := make([]byte, 32)
			rand.Read(secret)
			if err := w.conn.run("INSERT INTO secret(id, secret) VALUES(1, ?)", secret); err != nil {
				return err
			}
		}
		if w.salter, err = loadSalter(w.conn); err != nil {
			return err
		}
		if first {
			if err := insertRecord(w, genesisKind, 1, g); err != nil {
				return err
			}
		}
		if err := w.cutOff(); err != nil {
			return err
		}
		return insertRecord(w, runKind, runs+1, &run{Began: now, Tool: c.cfg.Tool, Settings: string(settings)})
	})
	if err != nil {
		return err
	}
	c.size.Store(w.tree.Size())
	return c.seal()
}

// written is called by the writer after each commit.
func (c *Case) written(ops []*op) {
	c.size.Store(c.writer.tree.Size())
	c.feeds.add(ops)
}

// tend does what is due now and then. The writer's goroutine calls it.
func (c *Case) tend() error {
	if err := c.cutWAL(); err != nil {
		return err
	}
	return c.sealWhenDue()
}

const (
	defaultWALLimit = 64 << 20
	walLookEvery    = time.Second
	walWait         = "PRAGMA busy_timeout = 100" // milliseconds
)

// cutWAL empties the write-ahead log when it has become large. SQLite begins it
// anew by itself, unless there is always somebody who reads: then commits wait,
// for a tenth of a second at most, until those who read have caught up. A
// transaction that stays open is not waited for, and the log grows with it.
func (c *Case) cutWAL() error {
	if time.Since(c.walLooked) < walLookEvery {
		return nil
	}
	c.walLooked = time.Now()
	info, err := os.Stat(c.cfg.Path + "-wal")
	if err != nil || info.Size() < c.walLimit {
		return nil // there is none before the first commit
	}
	w := c.writer
	if err := w.conn.script(walWait); err != nil {
		return sqlError("write case", err)
	}
	// Whether it succeeded is in the row: if not, it is tried again.
	if _, err := w.conn.integer("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return sqlError("write case", err)
	}
	if err := w.conn.script("PRAGMA busy_timeout = " + pragmas.Get("_busy_timeout")); err != nil {
		return sqlError("write case", err)
	}
	return nil
}

// insertRecord adds a record in a transaction of the writer's.
func insertRecord[R any](w *writer, s *spec[R], id int64, r *R) error {
	values := s.values(nil, r)
	return w.insert(s.kind, id, s.LeafHash(w.salter, id, values), appendArgs(make([]driver.NamedValue, 2), values))
}

// lookupRecord reads a record on the writer's connection.
func lookupRecord[R any](c *conn, s *spec[R], id int64) (r *R, err error) {
	err = c.each(func(row []driver.Value) error {
		values := make([]evidence.Value, len(row)-1)
		for i := range values {
			values[i] = fromSQL(row[i+1])
		}
		r, err = s.record(values)
		return err
	}, s.lookup, id)
	if err == nil && r == nil {
		err = fmt.Errorf("read %s %d: %w", s.Name, id, ErrNotFound)
	}
	return r, err
}

func loadSalter(c *conn) (s *evidence.Salter, err error) {
	err = c.each(func(row []driver.Value) error {
		secret, _ := row[0].([]byte)
		s = evidence.NewSalter(secret)
		return nil
	}, "SELECT secret FROM secret")
	if err == nil && s == nil {
		err = errors.New("the case has lost its secret")
	}
	return s, err
}

// loadTree reads the right edge of the tree: the roots of all complete subtrees
// and the leaves after them.
func loadTree(c *conn, t *evidence.Tree) error {
	load := func(add func(tlog.Hash)) func(row []driver.Value) error {
		return func(row []driver.Value) error {
			h, err := hashOf(fromSQL(row[0]))
			if err == nil {
				add(h)
			}
			return err
		}
	}
	if err := c.each(load(t.AppendSubtree), "SELECT hash FROM subtree ORDER BY n"); err != nil {
		return err
	}
	return c.each(load(func(h tlog.Hash) { t.Append(h) }), "SELECT hash FROM log WHERE seq >= ? ORDER BY seq", t.Size())
}

// BodyLimit is the limit to give to flow.NewBody.
func (c *Case) BodyLimit() int64 { return c.cfg.BodyLimit }

// Mark ends the session that is open, if any, and opens one called name with
// the declared factors; an empty name only ends. A checkpoint is signed.
func (c *Case) Mark(ctx context.Context, name string, factors map[string]string, text string) error {
	if factors == nil {
		factors = map[string]string{}
	}
	j, err := json.Marshal(factors)
	if err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	m := &mark{Time: c.cfg.Clock(), Name: name, Factors: string(j), Note: text}
	return c.writer.control(ctx, func() error {
		err := c.writer.transaction(func() error { return insertRecord(c.writer, markKind, c.markID+1, m) })
		if err != nil {
			return err
		}
		c.markID++
		return c.seal()
	})
}

// SetPersona records the persona that is planted from here on, as JSON.
func (c *Case) SetPersona(ctx context.Context, name string, text []byte) error {
	p := &persona{Time: c.cfg.Clock(), Name: name, Persona: text}
	return c.writer.control(ctx, func() error {
		id, err := c.writer.conn.integer("SELECT max(id) FROM persona")
		if err != nil {
			return err
		}
		return c.writer.transaction(func() error { return insertRecord(c.writer, personaKind, id+1, p) })
	})
}

// Failed is closed when the case can take no more records because of a
// failure; Err says which. Close alone does not close it.
func (c *Case) Failed() <-chan struct{} { return c.failed }

// Err returns what stopped the case, nil while it runs.
func (c *Case) Err() error {
	select {
	case <-c.failed:
		return c.failure
	default:
		return nil
	}
}

// fail notes the first failure and returns what later callers get.
func (c *Case) fail(err error) error {
	if c.Err() == nil {
		c.failure = fmt.Errorf("%w: %w", ErrStopped, err)
		close(c.failed)
	}
	return c.failure
}

// Close commits what was handed in, signs a checkpoint and closes the file.
// Records that are still open become cut off. It may be called again.
func (c *Case) Close() error {
	c.ending.Store(true)
	c.closing.Do(func() {
		err := c.writer.control(context.Background(), func() error {
			w := c.writer
			err := w.transaction(func() error {
				for _, o := range c.journal.due(time.Now().Add(time.Hour), nil) {
					if err := w.noteOpen(o); err != nil {
						return err
					}
				}
				return w.cutOff()
			})
			if err != nil {
				return err
			}
			return c.seal()
		})
		c.writer.stop(ErrStopped)
		<-c.ended
		c.closed = errors.Join(err, c.Reader.Close(), c.writer.conn.close(), c.packer.zstd.Close(), c.lock.release())
	})
	return c.closed
}
