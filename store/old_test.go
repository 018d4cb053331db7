package store

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"constat/inspect"
)

// An oldFormat is a case of testdata, what it answers as it was and after its
// migration alike, and what becomes of it when it is inspected again.
type oldFormat struct {
	dir      string
	format   string
	leaves   int // records that it was written with
	queries  map[string][]string
	sms      int64 // a request that was tagged so, and is not by the inspector
	inspect  func(t testing.TB) *inspect.Inspector
	again    Changes
	values   string // how many are in three requests or more, and in how many the rarest
	declared int    // how much
}

var oldFormats = []oldFormat{
	{
		dir: "testdata/format1", format: "1", leaves: 26,
		queries: map[string][]string{
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
			"SELECT count(*) FROM hosts":         {"5"},
			"SELECT name, seconds FROM sessions": {"idle|0.014", "reset|0.014"},
		},
		sms: 3, inspect: valued, again: Changes{Inspected: 8, Changed: 6}, values: "1|3",
	},
	{
		dir: "testdata/format2", format: "2", leaves: 27,
		queries: map[string][]string{
			"SELECT id, host, session, session_id, tags FROM requests ORDER BY id": {
				"1|early.example||NULL|", "2|stats.example|idle|1|identifiers", "3|sync.example|idle|1|sms", "4|stats.example|idle|2|identifiers photo", "5|late.example||NULL|",
			},
			"SELECT id, host, session, session_id, outcome FROM connections": {"1|stats.example|idle|1|intercepted", "2|pinned.example|idle|2|client_refused"},
			"SELECT session, session_id, outcome, connections, share_connections FROM coverage ORDER BY 1, 2, 3": {
				"*|NULL|client_refused|1|0.5", "*|NULL|intercepted|1|0.5", "idle|1|intercepted|1|1", "idle|2|client_refused|1|1",
			},
			"SELECT id, name, factors ->> 'micloud', note, seconds FROM sessions":     {"1|idle|off|a note|122", "2|idle|on||62"},
			"SELECT value, source, requests, hosts, sessions FROM identifiers":        {"imei|canary|2|1|2"},
			"SELECT host, server_ip, owner FROM addresses WHERE host LIKE 's%'":       {"stats.example|192.0.2.1|Owner of stats.example", "sync.example|192.0.2.1|Owner of sync.example"},
			"SELECT count(*) FROM report WHERE identifying IS NOT NULL AND frame = 0": {"3"},
		},
		sms: 3, inspect: func(t testing.TB) *inspect.Inspector { return words(t, "2", inspect.Photo) },
		again: Changes{Inspected: 5, Changed: 1}, values: "0|NULL",
	},
	{
		dir: "testdata/format3", format: "3", leaves: 30,
		queries: map[string][]string{
			"SELECT id, host, session, session_id, tags, app FROM requests ORDER BY id": {
				"1|early.example||NULL||", "2|stats.example|idle|1||", "3|sync.example|idle|1|sms|", "4|stats.example|idle|2|photo|", "5|late.example||NULL||",
			},
			"SELECT id, host, session_id, outcome, transport, app, protocol, dns_name, dns_id, http2 FROM connections": {
				"1|stats.example|NULL|intercepted|tcp||||NULL|", "2|pinned.example|1|client_refused|tcp||||NULL|", "3|push.example|2|raw|tcp||||NULL|",
			},
			"SELECT session, session_id, outcome, connections FROM coverage ORDER BY 1, 2, 3": {
				"|NULL|intercepted|1", "*|NULL|client_refused|1", "*|NULL|intercepted|1", "*|NULL|raw|1", "idle|1|client_refused|1", "idle|2|raw|1",
			},
			"SELECT id, name, factors ->> 'micloud', note, seconds FROM sessions": {"1|idle|off|a note|5", "2|idle|on||5"},
			"SELECT topic, subject, session_id, content FROM declarations": {
				`device|redmi|NULL|{"model":"invented"}`, `device|redmi|2|{"model":"invented","rom":"other"}`,
			},
			"SELECT count(*) FROM dns": {"0"},
		},
		sms: 3, declared: 2, inspect: func(t testing.TB) *inspect.Inspector { return words(t, "3", inspect.Photo) },
		again: Changes{Inspected: 5, Changed: 1}, values: "0|NULL",
	},
}

// unpack makes a case of the format for a test.
func (f oldFormat) unpack(t testing.TB) Config {
	t.Helper()
	cfg := testConfig(t)
	packed, err := os.Open(f.dir + "/case.constat.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	r, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(f.dir + "/log.key")
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

func (f oldFormat) check(t *testing.T, r *Reader) {
	t.Helper()
	for query, want := range f.queries {
		if diff := cmp.Diff(want, rows(t, r.DB(), query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if got := rows(t, r.DB(), "SELECT count(*) FROM dns UNION ALL SELECT count(*) FROM declarations"); got[0] != "0" || f.declared == 0 && got[1] != "0" {
		t.Errorf("%s lookups and declarations", got)
	}
}

func eachOldFormat(t *testing.T, test func(t *testing.T, f oldFormat)) {
	if len(oldFormats) != format-1 {
		t.Errorf("%d older formats, this is %d", len(oldFormats), format)
	}
	for _, f := range oldFormats {
		t.Run("format"+f.format, func(t *testing.T) { test(t, f) })
	}
}

// TestOldCaseIsRead reads a case of an older format without changing a byte of it,
// beside files that SQLite may make and in a folder where it cannot.
func TestOldCaseIsRead(t *testing.T) {
	eachOldFormat(t, func(t *testing.T, f oldFormat) {
		for _, mode := range []os.FileMode{0o700, 0o500} {
			cfg := f.unpack(t)
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
			f.check(t, r)
			info, err := r.Info(t.Context())
			if err != nil || info.PersonaName == "" {
				t.Errorf("%+v, %v", info, err)
			}
			rep, err := r.Report(t.Context(), f.sms, 0)
			if err != nil || !slices.Contains(rep.Tags(), inspect.SMS) || len(rep.Values) > 0 {
				t.Errorf("report %+v, %v", rep, err)
			}
			if c, err := r.Coverage(t.Context(), Scope{}); err != nil || c.Sessions != 2 || c.Requests < 5 {
				t.Errorf("coverage %+v, %v", c, err)
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
	})
}

// TestOldCaseIsContinued opens a case of an older format for writing: its leaves
// stay what they were, and records of this format are added.
func TestOldCaseIsContinued(t *testing.T) {
	eachOldFormat(t, func(t *testing.T, f oldFormat) {
		cfg := f.unpack(t)
		r, err := OpenReader(t.Context(), cfg.Path)
		if err != nil {
			t.Fatal(err)
		}
		leaves := fmt.Sprintf("SELECT seq, kind, id, hex(hash) FROM log WHERE seq < %d ORDER BY seq", f.leaves)
		before := rows(t, r.DB(), leaves)
		c, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		f.check(t, r) // opened before the migration
		f.check(t, &c.Reader)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		changes, err := c.Inspect(t.Context(), f.inspect(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if changes.Inspected != f.again.Inspected || changes.Changed != f.again.Changed || changes.Lost[inspect.SMS] != 1 {
			t.Errorf("%+v", changes)
		}
		if got := rows(t, c.DB(), "SELECT count(*), min(requests) FROM identifiers WHERE source = 'value' AND requests > 2"); got[0] != f.values {
			t.Errorf("values: %q", got)
		}
		if got := rows(t, c.DB(), "SELECT sum(owner = '') FROM addresses"); got[0] != "0" {
			t.Errorf("addresses without owner: %q", got)
		}
		if err := c.Declare(t.Context(), TopicDevice, "redmi", map[string]string{"rom": "invented"}); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		checkWhole(t, cfg.Path)
		c = openCase(t, cfg)
		if diff := cmp.Diff(before, rows(t, c.DB(), leaves)); diff != "" || len(before) != f.leaves {
			t.Errorf("%d leaves (-before +after):\n%s", len(before), diff)
		}
		if got := rows(t, c.DB(), "SELECT format, (SELECT content FROM declarations ORDER BY id DESC LIMIT 1) FROM genesis"); got[0] != f.format+`|{"rom":"invented"}` {
			t.Errorf("format %s", got)
		}
	})
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
