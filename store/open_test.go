package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"constat/inspect"
	"constat/proxy/flow"
	"constat/store/evidence"
)

func TestFilesArePrivate(t *testing.T) {
	for _, umask := range []int{0, 0o777} {
		t.Run(fmt.Sprintf("umask %o", umask), func(t *testing.T) {
			cfg := testConfig(t)
			old := syscall.Umask(umask)
			c, err := Open(t.Context(), cfg)
			syscall.Umask(old)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			files, err := filepath.Glob(filepath.Join(filepath.Dir(cfg.Path), "*"))
			if err != nil || len(files) != 5 {
				t.Errorf("%q %v: want the case, -wal, -shm, .lock and the key", files, err)
			}
			for _, f := range files {
				info, err := os.Stat(f)
				if err != nil {
					t.Fatal(err)
				}
				if info.Mode() != 0o600 {
					t.Errorf("%s has mode %v", filepath.Base(f), info.Mode())
				}
			}
		})
	}
}

func TestSecondWriter(t *testing.T) {
	cfg := testConfig(t)
	c := openCase(t, cfg)
	_, err := Open(t.Context(), cfg)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d ", os.Getpid())) {
		t.Errorf("second writer: %v", err)
	}
	commit(t, c, testExchange(1, nil, []byte("still writing")))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(cfg.Path + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock file is still there: %v", err)
	}
	c2, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c2.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRefusedFiles(t *testing.T) {
	cfg := testConfig(t)
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	newer := bytes.Clone(good)
	binary.BigEndian.PutUint32(newer[60:], schemaVersion+1)
	other := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite3", other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE t(x)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	sqlite, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		data []byte
		mode os.FileMode
		want error
	}{
		{"text", []byte("some notes of mine\n"), 0o600, ErrForeign},
		{"empty", nil, 0o600, ErrForeign},
		{"other database", sqlite, 0o600, ErrForeign},
		{"newer", newer, 0o600, ErrNewer},
		{"marked read-only", good, 0o400, ErrReadOnly},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := testConfig(t)
			if err := os.WriteFile(cfg.Path, tt.data, tt.mode); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), cfg)
			if !errors.Is(err, tt.want) {
				t.Errorf("open: %v, want %v", err, tt.want)
			}
			if r, err := OpenReader(t.Context(), cfg.Path); err == nil {
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			} else if !errors.Is(err, tt.want) {
				t.Errorf("open for reading: %v, want %v", err, tt.want)
			}
			after, err := os.ReadFile(cfg.Path)
			if err != nil || !bytes.Equal(after, tt.data) {
				t.Errorf("the file was touched (%v)", err)
			}
			if files, _ := os.ReadDir(filepath.Dir(cfg.Path)); tt.want != ErrReadOnly && len(files) != 1 {
				t.Errorf("%d files beside it", len(files)-1)
			}
		})
	}
	t.Run("folder missing", func(t *testing.T) {
		cfg := testConfig(t)
		cfg.Path = filepath.Join(cfg.Path, "no", "such")
		if _, err := Open(t.Context(), cfg); err == nil {
			t.Error("no error")
		}
	})
	t.Run("no such case", func(t *testing.T) {
		if _, err := OpenReader(t.Context(), filepath.Join(t.TempDir(), "x")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v", err)
		}
	})
	t.Run("other key", func(t *testing.T) {
		cfg := cfg
		cfg.KeyFile += ".other"
		if _, err := Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "another key") {
			t.Errorf("%v", err)
		}
	})
	t.Run("broken key", func(t *testing.T) {
		cfg := testConfig(t)
		if err := os.WriteFile(cfg.KeyFile, []byte("not a key"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), cfg); err == nil {
			t.Error("no error")
		}
		if _, err := os.Stat(cfg.Path); err == nil {
			t.Error("a case was made")
		}
	})
}

// mount mounts a file system of its own for the test; it needs to be root.
func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func TestReadOnlyFolder(t *testing.T) {
	dir := mount(t, "size=4m")
	cfg := testConfig(t)
	cfg.Path = filepath.Join(dir, "test.constat")
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	e := commit(t, c, testExchange(1, nil, []byte("hello")))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), cfg); !errors.Is(err, ErrReadOnly) {
		t.Errorf("open: %v", err)
	}
	cfg.Path = filepath.Join(dir, "new.constat")
	if _, err := Open(t.Context(), cfg); !errors.Is(err, ErrReadOnly) {
		t.Errorf("create: %v", err)
	}
	r, err := OpenReader(t.Context(), filepath.Join(dir, "test.constat"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := r.Exchange(t.Context(), e.ID); err != nil || got.Path != e.Path {
		t.Errorf("read: %v %v", got, err)
	}
	checkWhole(t, filepath.Join(dir, "test.constat"))
}

// fill commits exchanges until the case fails, and demands that the failure is
// want and that everything acknowledged is there when it is opened again.
func fill(t *testing.T, c *Case, want error) (acknowledged []int64) {
	t.Helper()
	stop := follow(c, words(t, "1", inspect.SMS))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				e := testExchange(i, random(5000, uint64(g<<32+i)), []byte("SMS"))
				err := c.Begin(e)
				if err == nil {
					if err = c.Commit(context.Background(), e); err == nil {
						mu.Lock()
						acknowledged = append(acknowledged, e.ID)
						mu.Unlock()
						continue
					}
				}
				if !errors.Is(err, ErrStopped) || !errors.Is(err, want) {
					t.Errorf("commit: %v, want %v", err, want)
				}
				return
			}
		})
	}
	wg.Wait()
	select {
	case <-c.Failed():
	default:
		t.Error("Failed is open")
	}
	if !errors.Is(c.Err(), want) {
		t.Errorf("Err: %v", c.Err())
	}
	if err := stop(); !errors.Is(err, ErrStopped) && err != nil {
		t.Errorf("follow: %v", err)
	}
	if len(acknowledged) == 0 {
		t.Error("nothing was acknowledged")
	}
	for _, err := range []error{
		c.Begin(testExchange(0, nil, nil)), c.Mark(t.Context(), "x", nil, ""),
		c.Spill(flow.NewBody(c, nil, 1), make([]byte, 10)),
	} {
		if !errors.Is(err, want) {
			t.Errorf("after the failure: %v", err)
		}
	}
	if err := c.Close(); !errors.Is(err, want) {
		t.Errorf("close: %v", err)
	}
	return acknowledged
}

func checkAcknowledged(t *testing.T, cfg Config, acknowledged []int64) {
	t.Helper()
	c := openCase(t, cfg)
	for _, id := range acknowledged {
		if _, err := c.Exchange(t.Context(), id); err != nil {
			t.Errorf("acknowledged exchange %d: %v", id, err)
		}
	}
	commit(t, c, testExchange(1, nil, []byte("it goes on")))
}

func TestDiskFull(t *testing.T) {
	dir := mount(t, "size=3m")
	cfg := testConfig(t)
	cfg.Path = filepath.Join(dir, "test.constat")
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	acknowledged := fill(t, c, ErrFull)
	checkWhole(t, cfg.Path)
	// While the disk is full, the case does not open and nothing is lost.
	if c, err := Open(t.Context(), cfg); err == nil {
		err = c.Close()
		t.Logf("opens on a full disk: %v", err)
	} else if !errors.Is(err, ErrFull) {
		t.Errorf("open on a full disk: %v", err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=30m"); err != nil {
		t.Fatal(err)
	}
	checkAcknowledged(t, cfg, acknowledged)
}

// TestPagesFull is the same where nothing can be mounted: SQLite is told that
// the file must not grow further.
func TestPagesFull(t *testing.T) {
	cfg := testConfig(t)
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = c.writer.control(t.Context(), func() error { return c.writer.conn.script("PRAGMA max_page_count = 200") })
	if err != nil {
		t.Fatal(err)
	}
	checkAcknowledged(t, cfg, fill(t, c, ErrFull))
}

func TestClosed(t *testing.T) {
	c := newCase(t)
	open := testExchange(1, nil, []byte("never committed"))
	if err := c.Begin(open); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := c.Commit(t.Context(), open); !errors.Is(err, ErrStopped) {
		t.Errorf("commit: %v", err)
	}
	if c.Err() != nil {
		t.Errorf("a closed case has failed: %v", c.Err())
	}
	r, err := OpenReader(t.Context(), c.cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	e, err := r.Exchange(t.Context(), open.ID)
	if err != nil || !strings.HasPrefix(e.Error, flow.ErrCutOff+":") {
		t.Errorf("open at the end: %+v, %v", e, err)
	}
}

func TestMisuse(t *testing.T) {
	c := newCase(t)
	e := commit(t, c, testExchange(1, nil, []byte("x")))
	if err := c.Commit(t.Context(), e); err == nil {
		t.Error("an exchange can be committed twice")
	}
	if err := c.Begin(&flow.Frame{}); err == nil {
		t.Error("a frame can begin")
	}
	e = testExchange(2, nil, nil)
	e.Request.Body = flow.StoredBody(5, 5, [32]byte{}, [32]byte{}, true, 0)
	if err := c.Begin(e); err != nil {
		t.Fatal(err)
	}
	if err := c.Commit(t.Context(), e); err == nil {
		t.Error("a body without content can be committed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Commit(ctx, e); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	commit(t, c, testExchange(3, nil, []byte("none of this stops the case")))
}

// TestShortRecordsLeaveNoTrace holds the promise on which the speed rests: what
// is begun and committed at once never enters the table of open records.
func TestShortRecordsLeaveNoTrace(t *testing.T) {
	c := newCase(t)
	var journaled bool
	for i := range 50 {
		e := testExchange(i, nil, []byte("x"))
		if err := c.Begin(e); err != nil {
			t.Fatal(err)
		}
		c.journal.mu.Lock()
		o := c.journal.open[openKey{exchangeKind.kind, e.ID}]
		c.journal.mu.Unlock()
		if err := c.Commit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		journaled = journaled || o.journaled && time.Since(o.began) < journalAfter
	}
	if journaled {
		t.Error("a short record was journaled")
	}
	long := testExchange(60, nil, []byte("x"))
	if err := c.Begin(long); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for count(t, c.DB(), "open_record") == 0 {
		if time.Now().After(deadline) {
			t.Fatal("a long record is never journaled while nothing else happens")
		}
	}
	if err := c.Commit(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	if n := count(t, c.DB(), "open_record"); n != 0 {
		t.Errorf("%d open records after the commit", n)
	}
}

func TestCheckpointsAndProofs(t *testing.T) {
	c := newCase(t)
	info, err := c.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(info.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	var heads []evidence.Checkpoint
	for i := range 5 {
		for range i * 150 {
			commit(t, c, testExchange(1, nil, []byte("x")))
		}
		signed, err := c.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h, err := evidence.OpenCheckpoint(signed, v)
		if err != nil {
			t.Fatal(err)
		}
		if h.Origin != "constat/"+info.ID {
			t.Errorf("origin %s", h.Origin)
		}
		heads = append(heads, h)
	}
	again, err := c.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if h, err := evidence.OpenCheckpoint(again, v); err != nil || h != heads[4] {
		t.Errorf("nothing came, and the checkpoint is %+v, %v", h, err)
	}
	for i, newer := range heads {
		for _, older := range heads[:i+1] {
			p, err := c.ConsistencyProof(t.Context(), older.Size, newer.Size)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckTree(p, newer.Size, newer.Root, older.Size, older.Root); err != nil {
				t.Errorf("%d to %d: %v", older.Size, newer.Size, err)
			}
		}
		for seq := int64(0); seq < newer.Size; seq += 97 {
			var leaf []byte
			if err := c.DB().QueryRow("SELECT hash FROM log WHERE seq = ?", seq).Scan(&leaf); err != nil {
				t.Fatal(err)
			}
			p, err := c.InclusionProof(t.Context(), seq, newer.Size)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckRecord(p, newer.Size, newer.Root, seq, tlog.Hash(leaf)); err != nil {
				t.Errorf("%d in %d: %v", seq, newer.Size, err)
			}
		}
	}
	for _, bad := range [][2]int64{{-1, 5}, {5, 5}, {0, 1 << 40}} {
		if _, err := c.InclusionProof(t.Context(), bad[0], bad[1]); !errors.Is(err, ErrNotFound) {
			t.Errorf("inclusion of %d in %d: %v", bad[0], bad[1], err)
		}
	}
	if _, err := c.ConsistencyProof(t.Context(), 7, 5); !errors.Is(err, ErrNotFound) {
		t.Errorf("consistency of 7 and 5: %v", err)
	}
}

// TestSealedInTime has the minute pass at once: what comes in is signed soon
// after, and nothing is signed when nothing came.
func TestSealedInTime(t *testing.T) {
	c := newCase(t)
	err := c.writer.control(t.Context(), func() error { c.sealEvery = 0; return nil })
	if err != nil {
		t.Fatal(err)
	}
	before := count(t, c.DB(), "checkpoint")
	commit(t, c, testExchange(1, nil, []byte("x")))
	// The writer signs before it takes the next operation.
	if err := c.writer.control(t.Context(), func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if n := count(t, c.DB(), "checkpoint"); n != before+1 {
		t.Errorf("%d checkpoints after one exchange, %d before", n, before)
	}
}

func TestSessions(t *testing.T) {
	c := newCase(t)
	for _, m := range []struct {
		name    string
		factors map[string]string
	}{{"idle", map[string]string{"micloud": "off"}}, {"greetings", nil}, {"", nil}} {
		if err := c.Mark(t.Context(), m.name, m.factors, "a note"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Sessions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	first := int(got[0].Opened.Sub(epoch) / time.Second)
	want := []Session{
		{ID: 1, Name: "idle", Factors: map[string]string{"micloud": "off"}, Note: "a note", Opened: at(first), Closed: at(first + 2)},
		{ID: 2, Name: "greetings", Factors: map[string]string{}, Note: "a note", Opened: at(first + 2), Closed: at(first + 4)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// walSize is the size of a case's write-ahead log.
func walSize(t *testing.T, cfg Config) int64 {
	t.Helper()
	info, err := os.Stat(cfg.Path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestReadersDoNotHoldTheLog writes far more than the write-ahead log is to hold
// while a caller is in the middle of reading.
func TestReadersDoNotHoldTheLog(t *testing.T) {
	cfg := testConfig(t)
	c := openCase(t, cfg)
	commit(t, c, testExchange(1, nil, []byte("x")))
	for _, err := range c.Exchanges(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			commit(t, c, testExchange(i, nil, random(flow.ChunkSize, uint64(i))))
		}
		break
	}
	if n := walSize(t, cfg); n > 16<<20 {
		t.Errorf("the write-ahead log has %d bytes after writing %d", n, 100*flow.ChunkSize)
	}
}

// TestOverlappingReaders has two readers of which one always holds a
// transaction open: SQLite alone would never begin the log anew.
func TestOverlappingReaders(t *testing.T) {
	cfg := testConfig(t)
	c := openCase(t, cfg)
	const limit = 8 << 20
	err := c.writer.control(t.Context(), func() error { c.walLimit = limit; return nil })
	if err != nil {
		t.Fatal(err)
	}
	begin := func() (*sql.Tx, error) {
		tx, err := c.DB().Begin()
		if err != nil {
			return nil, err
		}
		var n int
		return tx, tx.QueryRow("SELECT count(*) FROM checkpoint").Scan(&n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		reading, err := begin()
		for err == nil && ctx.Err() == nil {
			var next *sql.Tx
			if next, err = begin(); err == nil {
				err = reading.Rollback()
				reading = next
			}
		}
		done <- errors.Join(err, reading.Rollback())
	}()
	largest, cut := int64(0), false
	deadline := time.Now().Add(30 * time.Second)
	for i := 0; !cut && time.Now().Before(deadline); i++ {
		commit(t, c, testExchange(i, nil, random(flow.ChunkSize, uint64(i))))
		n := walSize(t, cfg)
		cut = largest > limit && n < largest/2
		largest = max(largest, n)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !cut {
		t.Errorf("the write-ahead log grew to %d bytes and was never cut", largest)
	}
}
