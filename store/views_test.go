package store

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"constat/inspect"
	"constat/proxy/flow"
)

// rows returns what a query gives as text, cells separated by bars; NULL shows.
func rows(t testing.TB, db *sql.DB, query string, args ...any) (out []string) {
	t.Helper()
	rs, err := db.Query(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rs.Close()
	columns, err := rs.Columns()
	if err != nil {
		t.Fatal(err)
	}
	r := newRow(len(columns))
	for rs.Next() {
		if err := rs.Scan(r.dest...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, c := range r.cells {
			switch c := c.(type) {
			case nil:
				cells = append(cells, "NULL")
			case []byte:
				cells = append(cells, string(c))
			default:
				cells = append(cells, fmt.Sprint(c))
			}
		}
		out = append(out, strings.Join(cells, "|"))
	}
	if err := rs.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestViews holds the interface: what scripts read in each view.
func TestViews(t *testing.T) {
	c := newCase(t)
	commit(t, c, testExchange(0, nil, []byte("before any session")))
	if err := c.Mark(t.Context(), "idle", map[string]string{"micloud": "off"}, ""); err != nil {
		t.Fatal(err)
	}
	opened := c.mustSessions(t)[0].Opened
	if err := c.Declare(t.Context(), TopicDevice, "redmi", map[string]string{"model": "invented"}); err != nil {
		t.Fatal(err)
	}

	conn := &flow.Connection{
		Opened: opened.Add(time.Millisecond), Duration: 1500 * time.Microsecond, Door: "http", Device: "redmi", Host: "api.example", Port: 443,
		Server: netip.MustParseAddrPort("[2001:db8::2]:443"), SNI: "api.example", ALPN: "h2", JA4: "t13d",
		ClientTLS: &flow.TLS{Version: "TLS 1.3"}, ServerTLS: &flow.TLS{Version: "TLS 1.2", Chain: [][]byte{[]byte("not DER")}},
		BytesUp: 300, BytesDown: 100, Outcome: flow.Intercepted,
	}
	pinned := &flow.Connection{
		Opened: opened.Add(time.Hour), Host: "pinned.example", Port: 443, Outcome: flow.ClientRefused, Reason: "no", BytesUp: 100,
		ClientTLS: &flow.TLS{Error: "refused", Alert: "unknown_ca"},
	}
	for _, n := range []*flow.Connection{conn, pinned} {
		if err := c.Begin(n); err != nil {
			t.Fatal(err)
		}
		if err := c.Commit(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	e := testExchange(1, []byte("SMS IMEI"), []byte("PHOTO"))
	e.Connection, e.Began, e.Host = conn.ID, opened.Add(2*time.Millisecond), "api.example"
	commit(t, c, e)
	failed := testExchange(2, nil, nil)
	failed.Began, failed.Host, failed.Status, failed.Response, failed.Server = opened.Add(3*time.Millisecond), "gone.example", 0, flow.Message{}, netip.AddrPort{}
	failed.Error = "dns: no such host"
	commit(t, c, failed)
	if err := c.Mark(t.Context(), "", nil, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Inspect(t.Context(), words(t, "1", inspect.SMS, inspect.Photo, inspect.Identifiers), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Inspect(t.Context(), words(t, "2", inspect.SMS, inspect.Photo), nil); err != nil {
		t.Fatal(err)
	}

	samePrepared(t, &c.Reader)

	at := func(d time.Duration) string { return opened.Add(d).Format("2006-01-02T15:04:05.000000Z") }
	sum := func(s string) string { return fmt.Sprintf("%x", flow.BodyOf([]byte(s)).SHA256()) }
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{
			"SELECT id, time, session, device, door, method, scheme, host, port, path, query, http_version, status, request_bytes, response_bytes, server_ip, owner, country, tags, direction, error, connection_id, duration_ms, request_truncated, response_truncated FROM requests ORDER BY id",
			[]string{
				"1|2014-07-20T08:00:00.000000Z||redmi|http|POST|https|host0.example|443|/path/0|q=1&r=%20|HTTP/1.1|200|0|18|192.0.2.1|Owner of host0.example|CN||||1|1.234|0|0",
				"2|" + at(2*time.Millisecond) + "|idle|redmi|http|POST|https|api.example|443|/path/1|q=1&r=%20|HTTP/1.1|200|8|5|192.0.2.1|Owner of api.example|CN|identifiers photo sms|both||1|1.234|0|0",
				"3|" + at(3*time.Millisecond) + "|idle|redmi|http|POST|https|gone.example|443|/path/2|q=1&r=%20|HTTP/1.1|NULL|0|0||Owner of gone.example|CN|||dns: no such host|1|1.234|0|0",
			},
		},
		{
			"SELECT id, request_sha256, response_sha256 FROM requests ORDER BY id",
			[]string{"1||" + sum("before any session"), "2|" + sum("SMS IMEI") + "|" + sum("PHOTO"), "3||"},
		},
		{
			"SELECT id > 0, request_id, class, direction, confidence, detector, path, excerpt, reason, frame_id, \"start\", \"end\" FROM findings ORDER BY id",
			[]string{
				`1|2|identifiers|up|confirmed|canary|request.body|SMS IMEI|The planted IMEI "imei" was found as the IMEI in digits only, in: request body.|0|4|8`,
				"1|2|photo|down|probable|photo|response.body|PHOTO|the word is there|0|0|5",
				"1|2|sms|up|probable|sms|request.body|SMS|the word is there|0|0|3",
			},
		},
		{
			"SELECT request_id, canary, kind, form, path, class, direction, frame_id, \"start\", \"end\" FROM canary_hits",
			[]string{"2|imei|imei|digits|request.body|identifiers|up|0|4|8"},
		},
		{
			"SELECT id, time, session, device, door, host, port, server_ip, sni, alpn, ja4, client_tls, server_tls, outcome, reason, bytes_up, bytes_down, duration_ms, client_alert, server_alert FROM connections ORDER BY id",
			[]string{
				"1|" + at(time.Millisecond) + "|idle|redmi|http|api.example|443|2001:db8::2|api.example|h2|t13d|TLS 1.3|TLS 1.2|intercepted||300|100|1.5||",
				"2|" + at(time.Hour) + "||||pinned.example|443||||||" + "|client_refused|no|100|0|0|unknown_ca|",
			},
		},
		{
			"SELECT client_tls_detail, server_tls_detail, server_certificate, server_chain_sha256 FROM connections WHERE id = 1",
			[]string{`{"version":"TLS 1.3"}|{"version":"TLS 1.2"}|{"error":"not a certificate that can be parsed"}|` + sum("not DER")},
		},
		{
			"SELECT host, requests, connections, bytes_up, bytes_down, first_seen, last_seen, tags, intercepted, passed, refused, owner, country FROM hosts ORDER BY host",
			[]string{
				"api.example|1|1|8|5|" + at(time.Millisecond) + "|" + at(2*time.Millisecond) + "|identifiers photo sms|1|0|0|Owner of api.example|CN",
				"gone.example|1|0|0|0|" + at(3*time.Millisecond) + "|" + at(3*time.Millisecond) + "||0|0|0|Owner of gone.example|CN",
				"host0.example|1|0|0|18|2014-07-20T08:00:00.000000Z|2014-07-20T08:00:00.000000Z||0|0|0|Owner of host0.example|CN",
				"pinned.example|0|1|0|0|" + at(time.Hour) + "|" + at(time.Hour) + "||0|0|1||",
			},
		},
		{
			"SELECT value, kind, names, source, requests, transmissions, hosts, host_list, first_seen, last_seen, lifespan_seconds, sessions, resets, time_in_value FROM identifiers",
			[]string{"imei|imei||canary|1|1|1|api.example|" + at(2*time.Millisecond) + "|" + at(2*time.Millisecond) + "|0|1|0|"},
		},
		{
			"SELECT host, server_ip, owner, country, domain, company, asn, as_holder, registry, cloud, certificate_holder, data, requests, first_seen, last_seen FROM addresses ORDER BY host",
			[]string{
				"api.example|192.0.2.1|Owner of api.example|CN|||NULL||||||1|" + at(2*time.Millisecond) + "|" + at(2*time.Millisecond),
				"gone.example||Owner of gone.example|CN|||NULL||||||1|" + at(3*time.Millisecond) + "|" + at(3*time.Millisecond),
				"host0.example|192.0.2.1|Owner of host0.example|CN|||NULL||||||1|2014-07-20T08:00:00.000000Z|2014-07-20T08:00:00.000000Z",
			},
		},
		{
			"SELECT id, name, factors, note, opened, seconds > 0 FROM sessions",
			[]string{`1|idle|{"micloud":"off"}||` + at(0) + "|1"},
		},
		{
			"SELECT id, session_id FROM requests UNION ALL SELECT -id, session_id FROM connections ORDER BY 1",
			[]string{"-2|NULL", "-1|1", "1|NULL", "2|1", "3|1"},
		},
		{
			"SELECT id, time, session, topic, subject, content, session_id FROM declarations",
			[]string{"1|" + at(2*time.Second) + `|idle|device|redmi|{"model":"invented"}|1`},
		},
		{
			"SELECT session, outcome, readable, connections, bytes_up, bytes_down, share_connections, share_bytes, session_id FROM coverage ORDER BY 1, 2",
			[]string{
				"|client_refused|0|1|100|0|1|1|NULL",
				"*|client_refused|0|1|100|0|0.5|0.2|NULL",
				"*|intercepted|1|1|300|100|0.5|0.8|NULL",
				"idle|intercepted|1|1|300|100|1|1|1",
			},
		},
	} {
		if diff := cmp.Diff(tt.want, rows(t, c.DB(), tt.query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.query, diff)
		}
	}
	if _, err := c.DB().Exec("CREATE TABLE t(x)"); err == nil {
		t.Error("the pool for queries writes")
	}
	// Findings keep their id when others are made.
	ids := rows(t, c.DB(), "SELECT id FROM findings ORDER BY id")
	commit(t, c, testExchange(5, []byte("SMS"), nil))
	if _, err := c.Inspect(t.Context(), words(t, "2", inspect.SMS, inspect.Photo), nil); err != nil {
		t.Fatal(err)
	}
	if got := rows(t, c.DB(), "SELECT id FROM findings ORDER BY id"); !slices.Equal(got[:len(ids)], ids) || len(got) != len(ids)+1 {
		t.Errorf("ids %q became %q", ids, got)
	}
}

func (c *Case) mustSessions(t testing.TB) []Session {
	t.Helper()
	s, err := c.Sessions(t.Context())
	if err != nil || len(s) == 0 {
		t.Fatalf("%d sessions, %v", len(s), err)
	}
	return s
}

// TestSchemaDocument compares docs/schema.md with the views, column by column,
// and runs its queries.
func TestSchemaDocument(t *testing.T) {
	doc, err := os.ReadFile("../docs/schema.md")
	if err != nil {
		t.Fatal(err)
	}
	c := newCase(t)
	views := map[string][]string{}
	for _, line := range rows(t, c.DB(), "SELECT v.name || '|' || c.name FROM sqlite_schema v, pragma_table_info(v.name) c WHERE v.type = 'view'") {
		view, column, _ := strings.Cut(line, "|")
		views[view] = append(views[view], column)
	}
	documented := map[string][]string{}
	view := ""
	heading, row := regexp.MustCompile("^### `([a-z_]+)`"), regexp.MustCompile("^\\| `([a-z0-9_]+)` \\|")
	for line := range strings.Lines(string(doc)) {
		if m := heading.FindStringSubmatch(line); m != nil {
			view = m[1]
		} else if strings.HasPrefix(line, "## ") {
			view = ""
		} else if m := row.FindStringSubmatch(line); m != nil && view != "" {
			documented[view] = append(documented[view], m[1])
		}
	}
	if diff := cmp.Diff(views, documented); diff != "" {
		t.Errorf("docs/schema.md (-views +documented):\n%s", diff)
	}
	if len(views) != len(Views) {
		t.Errorf("%d views: %q", len(views), slices.Collect(maps.Keys(views)))
	}
	queries := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(doc), -1)
	if len(queries) < 8 {
		t.Errorf("%d queries in docs/schema.md", len(queries))
	}
	for _, q := range queries {
		rows(t, c.DB(), q[1])
	}
}

// TestKindsAreTables compares the kinds with the tables of the schema.
func TestKindsAreTables(t *testing.T) {
	c := newCase(t)
	for _, k := range kinds {
		var want []string
		for i, name := range strings.Split("id, seq, "+k.fields, ", ") {
			typ := "INTEGER"
			if i >= 2 && i < 2+len(k.Columns) {
				typ = []string{"", "INTEGER", "TEXT", "BLOB"}[k.Columns[i-2].Type]
			}
			want = append(want, name+"|"+typ)
		}
		got := rows(t, c.DB(), "SELECT name, type FROM pragma_table_info(?)", k.Name)
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-kind +table):\n%s", k.Name, diff)
		}
	}
}

// TestShell queries a case with the sqlite3 program while it is written.
func TestShell(t *testing.T) {
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("no sqlite3 program")
	}
	c := newCase(t)
	e := commit(t, c, testExchange(1, []byte("SMS"), nil))
	if _, err := c.Inspect(t.Context(), words(t, "1", inspect.SMS), nil); err != nil {
		t.Fatal(err)
	}
	var views []string
	for _, v := range rows(t, c.DB(), "SELECT name FROM sqlite_schema WHERE type = 'view'") {
		views = append(views, "SELECT count(*) FROM "+v+";")
	}
	query := "SELECT host, count(*) FROM requests WHERE tags LIKE '%sms%' GROUP BY 1;" + strings.Join(views, "")
	out, err := exec.CommandContext(t.Context(), shell, c.cfg.Path, query).CombinedOutput()
	if err != nil || !bytes.HasPrefix(out, []byte(e.Host+"|1\n")) {
		t.Errorf("%v:\n%s", err, out)
	}
	commit(t, c, testExchange(2, nil, []byte("it still writes")))
}

// TestViewsAreFast fills a case with 100,000 requests and their reports.
func TestViewsAreFast(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100,000 rows")
	}
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
	multiply := func(k *kind, id, extra string) string {
		fields := strings.Replace(k.fields, extra, "n.i", 1)
		return fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) INSERT INTO %s(id, seq, %s) SELECT n.i, n.i + 1000, %s FROM n, %s k WHERE k.id = %s;",
			k.Name, k.fields, fields, k.Name, id)
	}
	tamper(t, cfg.Path, multiply(exchangeKind.kind, "1", "connection")+multiply(reportKind.kind, "1", "exchange"))
	for _, q := range []string{
		"SELECT host, count(*) FROM requests WHERE tags LIKE '%sms%' GROUP BY 1",
		"SELECT count(*) FROM findings",
	} {
		start := time.Now()
		got := rows(t, c.DB(), q)
		if d := time.Since(start); d > time.Second {
			t.Errorf("%s took %v", q, d)
		}
		if !strings.HasSuffix(got[0], "100000") {
			t.Errorf("%s: %q", q, got)
		}
	}
}

func TestRunsAreRecorded(t *testing.T) {
	cfg := testConfig(t)
	for range 2 {
		c, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	c := openCase(t, cfg)
	settings, err := json.Marshal(cfg.Settings)
	if err != nil {
		t.Fatal(err)
	}
	want := "test|" + string(settings)
	if diff := cmp.Diff([]string{want, want, want}, rows(t, c.DB(), "SELECT tool, settings FROM run ORDER BY id")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestIdentifiersView has a value that outlives a reset on two hosts, one that does
// not, and a mark that only looks like a reset.
func TestIdentifiersView(t *testing.T) {
	cfg := testConfig(t)
	now := epoch
	cfg.Clock = func() time.Time { return now }
	c := openCase(t, cfg)
	const stays, before = "0b7a9c52-4e0f-4a6e-9d35-2f1d6c7be001", "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b"
	send := func(n int, values ...string) {
		e := testExchange(n, []byte(strings.Join(values, " ")), nil)
		e.Began = now
		commit(t, c, e)
		now = now.Add(time.Minute)
	}
	mark := func(name string, factors map[string]string) {
		if err := c.Mark(t.Context(), name, factors, ""); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	mark("day 1", map[string]string{"reboot": "no"})
	send(1, stays, before, stays)
	send(1, stays, before)
	mark("Reset", nil)
	send(2, stays)
	mark("day 2", map[string]string{"wipe": "cache"})
	mark("", nil)
	send(2, stays)
	if _, err := c.Inspect(t.Context(), valued(t), nil); err != nil {
		t.Fatal(err)
	}
	samePrepared(t, &c.Reader)
	want := []string{
		strings.ReplaceAll(stays, "-", "") + "|uuid4|id|value|4|4|2|host1.example,host2.example|360|2|2",
		strings.ReplaceAll(before, "-", "") + "|uuid4|id|value|2|2|1|host1.example|60|1|0",
	}
	got := rows(t, c.DB(), "SELECT value, kind, names, source, requests, transmissions, hosts, host_list, lifespan_seconds, sessions, resets FROM identifiers ORDER BY requests DESC")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCertificateHolder reads the names that certificates are issued to, with the
// escapes of RFC 4514 section 2.4.
func TestCertificateHolder(t *testing.T) {
	for subject, want := range map[string]string{
		`CN=api.example,O=Example\, Inc.,C=US`: "Example, Inc.", "CN=api.example": "api.example", `O=A\+B,CN=x`: "A+B", "C=US": "", "": "",
		"CN=NOO=1,OU=O=x": "NOO=1",
	} {
		cfg := testConfig(t)
		c := openCase(t, cfg)
		conn := &flow.Connection{
			Opened: epoch, Host: "host1.example", Server: netip.MustParseAddrPort("192.0.2.1:443"), Outcome: flow.Intercepted,
			ServerTLS: &flow.TLS{Version: "TLS 1.2", Chain: [][]byte{[]byte("not DER")}},
		}
		if err := c.Begin(conn); err != nil {
			t.Fatal(err)
		}
		if err := c.Commit(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		commit(t, c, testExchange(1, nil, nil))
		facts, err := json.Marshal(certificateFacts{Subject: subject})
		if err != nil {
			t.Fatal(err)
		}
		// The view is looked at in a copy, where the facts may be invented.
		db, err := sql.Open("sqlite3", ":memory:")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		for _, q := range []string{schema1, schema2, schema3, schema4, "DROP TRIGGER connection_fixed", "ATTACH '" + cfg.Path + "' AS c", "INSERT INTO main.connection SELECT * FROM c.connection", "INSERT INTO main.exchange SELECT * FROM c.exchange"} {
			if _, err := db.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Exec("UPDATE main.connection SET server_certificate = ?", string(facts)); err != nil {
			t.Fatal(err)
		}
		if got := rows(t, db, "SELECT certificate_holder FROM main.addresses"); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, not %q", subject, got, want)
		}
	}
}
