package store

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"constat/inspect"
)

// oldCase unpacks the case of testdata/format1.
func oldCase(t testing.TB) Config {
	t.Helper()
	cfg := testConfig(t)
	f, err := os.Open("testdata/format1/case.constat.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile("testdata/format1/log.key")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{cfg.Path: data, cfg.KeyFile: key} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

// oldQueries are answered alike by the case as it was and after its migration.
var oldQueries = map[string][]string{
	"SELECT id, host, tags, direction FROM requests ORDER BY id": {
		"1|stats.example|device_stats identifiers|up", "2|stats.example|device_stats identifiers|up", "3|sync.example|identifiers sms|up",
		"4|stats.example|device_stats identifiers|up", "5|greet.example|greeting_content|down", "6|push.example|identifiers|up",
	},
	"SELECT value, source, requests, transmissions, hosts, host_list FROM identifiers ORDER BY 1": {
		"android_id|canary|3|3|1|stats.example", "imei|canary|4|4|2|stats.example,push.example", "phone|canary|1|1|1|sync.example",
	},
	"SELECT count(*) FROM identifier_uses": {"0"},
	"SELECT host, server_ip, owner FROM addresses WHERE host LIKE 's%' ORDER BY 1, 2": {
		"stats.example|192.0.2.1|", "stats.example|192.0.2.2|", "stats.example|192.0.2.4|", "sync.example|192.0.2.3|",
	},
	"SELECT count(*) FROM hosts": {"5"},
	"SELECT name FROM sessions":  {"idle", "reset"},
}

func checkOld(t *testing.T, r *Reader) {
	t.Helper()
	for query, want := range oldQueries {
		if diff := cmp.Diff(want, rows(t, r.DB(), query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// TestOldCaseIsRead reads a case of format 1 without changing a byte of it, beside
// files that SQLite may make and in a folder where it cannot.
func TestOldCaseIsRead(t *testing.T) {
	for _, mode := range []os.FileMode{0o700, 0o500} {
		cfg := oldCase(t)
		before, err := os.ReadFile(cfg.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(cfg.Path), mode); err != nil {
			t.Fatal(err)
		}
		r, err := OpenReader(t.Context(), cfg.Path)
		if err != nil {
			t.Fatal(err)
		}
		checkOld(t, r)
		info, err := r.Info(t.Context())
		if err != nil || info.PersonaName == "" {
			t.Errorf("%+v, %v", info, err)
		}
		rep, err := r.Report(t.Context(), 3, 0)
		if err != nil || !slices.Contains(rep.Tags(), inspect.SMS) || len(rep.Values) > 0 {
			t.Errorf("report %+v, %v", rep, err)
		}
		for _, query := range []string{"CREATE TABLE t(x)", "CREATE TEMP TABLE t(x)", "DROP VIEW identifiers"} {
			if _, err := r.DB().Exec(query); err == nil {
				t.Errorf("%s: the pool for queries writes", query)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		checkWhole(t, cfg.Path)
		if err := os.Chmod(filepath.Dir(cfg.Path), 0o700); err != nil {
			t.Fatal(err)
		}
		if after, err := os.ReadFile(cfg.Path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("reading changed the file, %v", err)
		}
	}
}

// TestOldCaseIsContinued opens a case of format 1 for writing: its leaves stay
// what they were, and reports are added.
func TestOldCaseIsContinued(t *testing.T) {
	cfg := oldCase(t)
	r, err := OpenReader(t.Context(), cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	const leaves = "SELECT seq, kind, id, hex(hash) FROM log WHERE seq < 26 ORDER BY seq"
	before := rows(t, r.DB(), leaves)
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	checkOld(t, r) // opened before the migration
	checkOld(t, &c.Reader)
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	changes, err := c.Inspect(t.Context(), valued(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if changes.Inspected != 8 || changes.Changed != 6 || changes.Lost[inspect.SMS] != 1 {
		t.Errorf("%+v", changes)
	}
	if got := rows(t, c.DB(), "SELECT count(*), min(requests) FROM identifiers WHERE source = 'value' AND requests > 2"); got[0] != "1|3" {
		t.Errorf("values: %q", got)
	}
	if got := rows(t, c.DB(), "SELECT count(*) FROM addresses WHERE owner <> ''"); got[0] != "6" {
		t.Errorf("addresses: %q", got)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, cfg.Path)
	c = openCase(t, cfg)
	if diff := cmp.Diff(before, rows(t, c.DB(), leaves)); diff != "" {
		t.Errorf("leaves (-before +after):\n%s", diff)
	}
	if got := rows(t, c.DB(), "SELECT format FROM genesis"); got[0] != "1" {
		t.Errorf("format %s", got)
	}
}

// TestVersionCannotBeFaked makes a case of this schema look like one of the first,
// to hide what only this one has.
func TestVersionCannotBeFaked(t *testing.T) {
	cfg := testConfig(t)
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, c, testExchange(1, []byte("0b7a9c52-4e0f-4a6e-9d35-2f1d6c7be001"), nil))
	if _, err := c.Inspect(t.Context(), valued(t), nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, cfg.Path)
	tamper(t, cfg.Path, "PRAGMA user_version = 1")
	v, err := Verify(t.Context(), cfg.Path, "", nil)
	if err != nil || !slices.Contains(v.Problems, "report 1 differs from what was logged") || !slices.Contains(v.Problems, "table report was changed") {
		t.Errorf("%+v, %v", v, err)
	}
}
