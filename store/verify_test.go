package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"constat/inspect"
	"constat/proxy/flow"
)

type netipAddr = netip.Addr

// checkWhole verifies the whole case.
func checkWhole(t testing.TB, path string) {
	t.Helper()
	v, err := Verify(context.Background(), path, "", nil)
	if err != nil {
		t.Errorf("verify: %v", err)
		return
	}
	for _, p := range v.Problems {
		t.Errorf("verify: %s", p)
	}
}

// tamper changes a case behind the program's back: without the triggers, which
// are there again afterwards.
func tamper(t testing.TB, path string, script string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=10000&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	rows, err := tx.Query("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
	if err != nil {
		t.Fatal(err)
	}
	triggers := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		triggers[name] = text
	}
	if err := rows.Err(); err != nil || len(triggers) == 0 {
		t.Fatalf("%d triggers, %v", len(triggers), err)
	}
	for name := range triggers {
		if _, err := tx.Exec("DROP TRIGGER " + name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Exec(script, args...); err != nil {
		t.Fatal(err)
	}
	for _, text := range triggers {
		if _, err := tx.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// sample makes a closed case that has records of every kind; three hosts have an
// address.
func sample(t testing.TB, exchanges int, seed uint64) Config {
	t.Helper()
	cfg := testConfig(t)
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	rnd := rand.New(rand.NewPCG(seed, 1))
	if err := c.SetPersona(t.Context(), "invented", []byte(`{"imei":"350000000000000"}`)); err != nil {
		t.Fatal(err)
	}
	if err := c.Mark(t.Context(), "idle", map[string]string{"micloud": "off", "screen": "off"}, "on the desk"); err != nil {
		t.Fatal(err)
	}
	if err := c.Declare(t.Context(), TopicDevice, "redmi", map[string]string{"model": "invented"}); err != nil {
		t.Fatal(err)
	}
	for i := range exchanges {
		conn := &flow.Connection{
			Opened: epoch, Host: "api.example", Outcome: flow.Raw, FirstUp: random(20, seed), FirstDown: random(20, seed+1),
			ClientTLS: &flow.TLS{Version: "TLS 1.3"}, ServerTLS: &flow.TLS{Version: "TLS 1.2", Chain: [][]byte{random(300, seed+uint64(i%3))}},
		}
		if err := c.Begin(conn); err != nil {
			t.Fatal(err)
		}
		e := testExchange(i, nil, nil)
		e.Connection = conn.ID
		if err := c.Begin(e); err != nil {
			t.Fatal(err)
		}
		e.Request.Trailer, e.Error = []byte("A: b\r\n"), "server_closed: early"
		size := rnd.IntN(3000)
		if i%7 == 0 {
			size = flow.ChunkSize + rnd.IntN(flow.ChunkSize)
		}
		e.Request.Body = stream(t, c, e, append([]byte("SMS IMEI"), random(size, rnd.Uint64())...), int64(size), true)
		e.Response.Body = stream(t, c, e, bytes.Repeat([]byte("PHOTO"), 1+size), 1<<20, true)
		f := &flow.Frame{Exchange: e.ID, Time: epoch, Direction: flow.Up, Opcode: 1}
		f.Payload = stream(t, c, f, random(50, rnd.Uint64()), 40, true)
		for _, r := range []flow.Record{f, e, conn} {
			if err := c.Commit(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := c.Inspect(t.Context(), words(t, "1", inspect.SMS, inspect.Photo), nil); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestVerify(t *testing.T) {
	cfg := sample(t, 40, 1)
	calls := 0
	v, err := Verify(t.Context(), cfg.Path, "", func(done, total int64) { calls++ })
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Problems) > 0 || v.Records != 5+40*5+3 || v.Checkpoints != 3 || v.Bodies < 100 || calls < 2 || v.Root == "" {
		t.Errorf("%+v, %d calls of progress", v, calls)
	}
	r, err := OpenReader(t.Context(), cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	info, err := r.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.Verifier != v.Verifier || info.Records != v.Records || info.PersonaName != "invented" || info.Tool != "test" || !strings.Contains(info.Checkpoint, v.Root) {
		t.Errorf("%+v", info)
	}
	v, err = Verify(t.Context(), cfg.Path, strings.Replace(info.Verifier, "constat/", "constat/x", 1), nil)
	if err != nil || len(v.Problems) == 0 {
		t.Errorf("with another verifier: %+v, %v", v, err)
	}
}

// TestVerifyFindsAnyByte flips one byte of one cell of the evidence, again and
// again, and demands that Verify names what was touched.
func TestVerifyFindsAnyByte(t *testing.T) {
	cfg := sample(t, 10, 2)
	original, err := os.ReadFile(cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string][]string{
		"log": {"kind", "id", "hash"}, "subtree": {"hash"}, "checkpoint": {"time", "size", "root", "note"},
		"secret": {"secret"}, "chunk": {"sha256", "parent", "size", "codec", "data"}, "certificate": {"sha256", "der"},
	}
	for _, k := range kinds {
		columns := []string{"seq"}
		columns = append(columns, strings.Split(k.fields, ", ")...)
		tables[k.Name] = columns
	}
	var names []string
	for name := range tables {
		names = append(names, name)
	}
	slices.Sort(names)
	rnd := rand.New(rand.NewPCG(3, 3))
	flips := 0
	for _, table := range names {
		for _, column := range tables[table] {
			if err := os.WriteFile(cfg.Path, original, 0o600); err != nil {
				t.Fatal(err)
			}
			id, ok := flip(t, cfg.Path, rnd, table, column)
			if !ok {
				continue // no such cell holds a value
			}
			flips++
			v, err := Verify(t.Context(), cfg.Path, "", nil)
			if err != nil {
				continue // so damaged that it says so
			}
			if len(v.Problems) == 0 {
				t.Errorf("%s.%s of %d was changed: not found", table, column, id)
			}
			var want string
			switch table {
			case "log":
				want = ""
			case "chunk", "certificate":
				want = table
			case "secret":
				want = "differs from what was logged"
			default:
				want = fmt.Sprintf("%s %d", table, id)
			}
			if !slices.ContainsFunc(v.Problems, func(p string) bool { return strings.Contains(p, want) }) {
				t.Errorf("%s.%s of %d was changed: %q does not say %q", table, column, id, v.Problems, want)
			}
		}
	}
	if flips < 70 {
		t.Errorf("only %d cells were changed", flips)
	}
}

// flip changes one byte, or one bit of an integer, of one cell of a column.
func flip(t *testing.T, path string, rnd *rand.Rand, table, column string) (id int64, ok bool) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]string{"log": "seq", "subtree": "n", "certificate": "sha256"}[table]
	if key == "" {
		key = "id"
	}
	var where, cell any
	err = db.QueryRow(fmt.Sprintf("SELECT %s, %s FROM %s WHERE length(%s) > 0 ORDER BY random() LIMIT 1", key, column, table, column)).Scan(&where, &cell)
	if err == sql.ErrNoRows {
		db.Close()
		return 0, false
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	switch x := cell.(type) {
	case int64:
		cell = x ^ 1<<rnd.IntN(20)
	case string:
		b := []byte(x)
		b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(7)
		cell = string(b)
	case []byte:
		x[rnd.IntN(len(x))] ^= 1 << rnd.IntN(8)
		cell = x
	}
	tamper(t, path, fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s = ?", table, column, key), cell, where)
	id, _ = where.(int64)
	return id, true
}

func TestVerifyFindsRows(t *testing.T) {
	cfg := sample(t, 5, 4)
	original, err := os.ReadFile(cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, script, want string }{
		{"record removed", "DELETE FROM exchange WHERE id = 3", "exchange 3, entry"},
		{"record inserted", "INSERT INTO mark VALUES(77, 5, '2014-07-20T00:00:00.000000Z', 'x', '{}', '')", "mark 77 is not in the log"},
		{"record and entry removed", "DELETE FROM log WHERE kind = 'frame' AND id = 2; DELETE FROM frame WHERE id = 2", "the log has no entry"},
		{
			"records swapped",
			"UPDATE log SET seq = -1 WHERE seq = 7; UPDATE log SET seq = 7 WHERE seq = 8; UPDATE log SET seq = 8 WHERE seq = -1;" +
				"UPDATE frame SET seq = 15 - seq WHERE seq IN (7, 8); UPDATE exchange SET seq = 15 - seq WHERE seq IN (7, 8); UPDATE connection SET seq = 15 - seq WHERE seq IN (7, 8)",
			"were changed, removed or inserted after checkpoint",
		},
		{
			"tail cut",
			"DELETE FROM report WHERE seq > 20; DELETE FROM log WHERE seq > 20",
			"its end was cut off",
		},
		{"checkpoint removed", "DELETE FROM checkpoint WHERE id = 2", "checkpoint 2 is missing"},
		{"all checkpoints removed", "DELETE FROM checkpoint", "nothing is signed"},
		{"body inserted", "INSERT INTO chunk(sha256, size, codec, data) VALUES(x'00', 1, '', x'00')", "belongs to no record"},
		{"body removed", "DELETE FROM chunk WHERE id = (SELECT max(request_chunk) FROM exchange)", "is missing"},
		{"view changed", "DROP VIEW hosts; CREATE VIEW hosts AS SELECT 1", "view hosts was changed"},
		{"genesis removed", "DELETE FROM genesis", "genesis 1 is missing"},
		{"secret removed", "DELETE FROM secret", "lost its secret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(cfg.Path, original, 0o600); err != nil {
				t.Fatal(err)
			}
			tamper(t, cfg.Path, tt.script)
			v, err := Verify(t.Context(), cfg.Path, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(v.Problems, func(p string) bool { return strings.Contains(p, tt.want) }) {
				t.Errorf("%q does not say %q", v.Problems, tt.want)
			}
		})
	}

	t.Run("guards dropped", func(t *testing.T) {
		if err := os.WriteFile(cfg.Path, original, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite3", "file:"+cfg.Path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec("DROP TRIGGER log_kept"); err != nil {
			t.Fatal(err)
		}
		v, err := Verify(t.Context(), cfg.Path, "", nil)
		if err != nil || len(v.Problems) != 1 || v.Problems[0] != "trigger log_kept is missing" {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestVerifyCancelled(t *testing.T) {
	cfg := sample(t, 1, 5)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Verify(ctx, cfg.Path, "", nil); err == nil {
		t.Error("no error")
	}
}

// TestGuards tries to change evidence through SQL as anybody would.
func TestGuards(t *testing.T) {
	cfg := sample(t, 2, 6)
	db, err := sql.Open("sqlite3", "file:"+cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := map[string]string{"log": "seq", "subtree": "n", "checkpoint": "id", "secret": "id", "chunk": "id", "certificate": "der"}
	for _, k := range kinds {
		tables[k.Name] = "seq"
	}
	for _, q := range []string{
		"INSERT INTO subtree VALUES(0, x'00')",
		"INSERT INTO lookup VALUES(1, 1, '', 0, '', '', '', '', '', '', '', '', '', '', '', '', '', 0)",
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err) // a guard fires for rows only, and the sample is small
		}
	}
	for table, column := range tables {
		for _, q := range []string{
			"UPDATE " + table + " SET " + column + " = " + column, "DELETE FROM " + table,
		} {
			if _, err := db.Exec(q); err == nil || !strings.Contains(err.Error(), "evidence") && !strings.Contains(err.Error(), "needed") {
				t.Errorf("%s: %v", q, err)
			}
		}
	}
	// A chunk that nothing refers to may go.
	if _, err := db.Exec("INSERT INTO chunk(sha256, size, codec, data) VALUES(x'00', 1, '', x'00'); DELETE FROM chunk WHERE sha256 = x'00'"); err != nil {
		t.Errorf("delete an orphan: %v", err)
	}
}

// TestLargeCaseOpens opens a case of a million records, whose tree alone is
// there.
func TestLargeCaseOpens(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a million rows")
	}
	cfg := sample(t, 1, 7)
	tamper(t, cfg.Path, `
		WITH RECURSIVE n(i) AS (SELECT (SELECT max(seq) + 1 FROM log) UNION ALL SELECT i + 1 FROM n WHERE i < 999999)
		INSERT INTO log SELECT i, 'exchange', i, randomblob(32) FROM n;
		WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999 / 256 - 1)
		INSERT INTO subtree SELECT i, randomblob(32) FROM n`)
	start := time.Now()
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("opening took %v", d)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkVerify(b *testing.B) {
	const records = 20_000
	cfg := testConfig(b)
	c, err := Open(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	for i := range records {
		commit(b, c, testExchange(i, nil, random(1000, uint64(i))))
	}
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		checkWhole(b, cfg.Path)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/records, "µs/record")
}
