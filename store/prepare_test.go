package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"constat/inspect"
	"constat/proxy/flow"
)

// samePrepared compares all that a Prepared reader answers with what the case itself
// does: the views by rows, columns, types and comparisons, and coverage.
func samePrepared(t *testing.T, r *Reader, scopes ...Scope) {
	t.Helper()
	p, err := r.Prepared(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	confined, done := p.Confined()
	defer done()
	same := func(query string) {
		t.Helper()
		want := rows(t, r.DB(), query)
		slices.Sort(want)
		for _, db := range []int{0, 1} {
			got := rows(t, p.DB(), query)
			if db == 1 {
				got = rows(t, confined, query)
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-case +prepared):\n%s", query, diff)
			}
		}
	}
	for _, view := range Views {
		columns := rows(t, r.DB(), "SELECT name FROM pragma_table_info(?) ORDER BY cid", view)
		same("SELECT name FROM pragma_table_info('" + view + "') ORDER BY cid")
		same("SELECT * FROM " + view)
		same("SELECT count(*) FROM " + view)
		for _, c := range columns {
			same(fmt.Sprintf(`SELECT typeof(%[1]q), %[1]q = '1', %[1]q < 5, %[1]q = (CAST(%[1]q AS TEXT) || '') FROM %[2]s`, c, view))
		}
	}
	for _, s := range append(scopes, Scope{}, Scope{Device: "redmi"}, Scope{IDs: []int64{1}}) {
		want, err := r.Coverage(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Coverage(t.Context(), s)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("coverage of %+v: %v (-case +prepared):\n%s", s, err, diff)
		}
	}
}

func TestPreparedIsTheCase(t *testing.T) {
	c := covered(t)
	samePrepared(t, &c.Reader, Scope{Sessions: []string{"idle"}}, Scope{Sessions: []string{"idle"}, Device: "pixel"}, Scope{Sessions: []string{"open"}}, Scope{Sessions: []string{"nothing"}}, Scope{IDs: []int64{99}})
	eachOldFormat(t, func(t *testing.T, f oldFormat) {
		r, err := OpenReader(t.Context(), f.unpack(t).Path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		samePrepared(t, r)
	})
}

// TestPreparedStays adds to a case that is prepared, and closes one reader before the
// other.
func TestPreparedStays(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	c := newCase(t)
	commit(t, c, testExchange(1, []byte("SMS"), nil))
	r, err := OpenReader(t.Context(), c.cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	shown := int64(0)
	p, err := r.Prepared(t.Context(), func(done, total int64) {
		if shown = done; done > total || done <= 0 {
			t.Errorf("%d of %d", done, total)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if shown == 0 {
		t.Error("no progress was shown")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("the file has a name: %v %v", left, err)
	}
	if _, err := c.Inspect(t.Context(), words(t, "1", inspect.SMS), nil); err != nil {
		t.Fatal(err)
	}
	commit(t, c, testExchange(2, nil, nil))
	if got := rows(t, p.DB(), "SELECT (SELECT count(*) FROM requests), (SELECT count(*) FROM findings), (SELECT path FROM requests)"); got[0] != "1|0|/path/1" {
		t.Errorf("%q", got)
	}
	for _, query := range []string{"DELETE FROM quick.request", "CREATE TABLE quick.t(x)", "DROP VIEW temp.requests"} {
		if _, err := p.DB().Exec(query); err == nil {
			t.Errorf("%s: the pool writes", query)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestPreparedLasts ends queries and transactions before their time, more often than there
// are connections, none of which could be opened again.
func TestPreparedLasts(t *testing.T) {
	c := newCase(t)
	commit(t, c, testExchange(1, nil, nil))
	p, err := c.Prepared(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	confined, done := p.Confined()
	defer done()
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
	for _, db := range []*sql.DB{p.DB(), confined} {
		for range 2 * preparedConns {
			ctx, stop := context.WithTimeout(t.Context(), 5*time.Millisecond)
			if _, err := db.ExecContext(ctx, endless); err == nil {
				t.Error("it ended")
			}
			stop()
			ctx, stop = context.WithCancel(t.Context())
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.QueryContext(ctx, "SELECT * FROM requests"); err != nil {
				t.Fatal(err)
			}
			stop()
			for err = nil; !errors.Is(err, sql.ErrTxDone); {
				_, err = tx.ExecContext(t.Context(), "SELECT 1")
			}
		}
		if got := rows(t, db, "SELECT count(*) FROM requests"); got[0] != "1" {
			t.Errorf("%q", got)
		}
	}
}

// TestPreparedEnds ends in the middle, and has no room.
func TestPreparedEnds(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	c := newCase(t)
	commit(t, c, testExchange(1, []byte("SMS"), nil))
	ctx, stop := context.WithCancel(t.Context())
	if _, err := c.Prepared(ctx, func(int64, int64) { stop() }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	t.Setenv("TMPDIR", filepath.Join(folder, "none"))
	if _, err := c.Prepared(t.Context(), nil); err == nil {
		t.Error("prepared without a folder for it")
	}
}

// TestPreparedOfHostile prepares a case whose ids are as large as they can be, and whose lists
// are none.
func TestPreparedOfHostile(t *testing.T) {
	cfg := testConfig(t)
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	commit(t, c, testExchange(1, []byte("SMS"), nil))
	if _, err := c.Inspect(t.Context(), words(t, "1", inspect.SMS), nil); err != nil {
		t.Fatal(err)
	}
	tamper(t, cfg.Path, `INSERT INTO exchange SELECT 9223372036854775807, seq, connection, device, door, began, duration_us, method, scheme, host, port, path, query, server,
			request_proto, request_exact, request_head, request_trailer, request_size, request_kept, request_complete, request_sha256, request_kept_sha256, request_chunk, status,
			response_proto, response_exact, response_head, response_trailer, response_size, response_kept, response_complete, response_sha256, response_kept_sha256, response_chunk, error, app, interim
			FROM exchange WHERE id = 1;
		UPDATE report SET findings = '{"x.y":{"class":"sms","reason":"in an object"},"z":7}', hits = '[7]'`)
	samePrepared(t, &c.Reader)
}

// TestPreparedHasFrames: what is found in frames counts for their request.
func TestPreparedHasFrames(t *testing.T) {
	c := newCase(t)
	e := commit(t, c, testExchange(1, nil, nil))
	for i, text := range []string{"SMS", "PHOTO", "nothing"} {
		f := &flow.Frame{Exchange: e.ID, Time: epoch.Add(time.Duration(i) * time.Second), Direction: flow.Up, Opcode: 1, Payload: flow.BodyOf([]byte(text))}
		if err := c.Commit(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Inspect(t.Context(), words(t, "1", inspect.SMS, inspect.Photo), nil); err != nil {
		t.Fatal(err)
	}
	samePrepared(t, &c.Reader)
	if got := rows(t, c.DB(), "SELECT tags FROM requests"); got[0] != "photo sms" {
		t.Errorf("%q", got)
	}
}

func BenchmarkPrepared(b *testing.B) {
	c := newCase(b)
	commit(b, c, testExchange(1, []byte("SMS"), nil))
	for b.Loop() {
		p, err := c.Prepared(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
