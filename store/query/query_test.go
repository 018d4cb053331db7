package query

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/mattn/go-sqlite3"
)

// open returns a database with the schema of a case and a few invented requests.
func open(t testing.TB) *sql.DB {
	t.Helper()
	var schema []byte
	files, err := filepath.Glob("../schema_*.sql")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d parts of a schema, %v", len(files), err)
	}
	slices.Sort(files)
	for _, name := range files {
		part, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		schema = append(schema, part...)
	}
	db, err := sql.Open("sqlite3", filepath.Join(t.TempDir(), "case.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Exec(string(schema)); err != nil {
		t.Fatal(err)
	}
	insert := func(id int, began, method, scheme, host, path, query string, status, up, down int, failed string) {
		_, err := db.Exec(`INSERT INTO exchange(id, seq, connection, device, door, began, duration_us, method, scheme, host, port, path, query, server,
			request_proto, request_exact, request_size, request_kept, status, response_proto, response_exact, response_size, response_kept, error)
			VALUES(?, 0, 0, 'redmi', 'http', ?, 1500000, ?, ?, ?, 443, ?, ?, '42.62.48.9:443', 'HTTP/1.1', 1, ?, ?, ?, 'HTTP/1.1', 1, ?, ?, ?)`,
			id, began, method, scheme, host, path, query, up, min(up, 5000), status, down, down, failed)
		if err != nil {
			t.Fatal(err)
		}
	}
	insert(1, "2026-11-01T08:00:00.000000Z", "GET", "https", "api.comm.miui.com", "/miuisms/res/messages", "cat=1&count=20", 200, 0, 4000, "")
	insert(2, "2026-11-01T08:00:10.500000Z", "POST", "https", "api.comm.miui.com", "/miuisms/smsReport/report", "", 200, 900, 10, "")
	insert(3, "2026-11-02T08:00:00.000000Z", "POST", "http", "evilxiaomi.com", "/100%_sure", "", 404, 20_000, 0, "")
	insert(4, "2026-11-03T08:00:00.000000Z", "GET", "https", "data.xiaomi.com", "/x", "imei=1", 0, 0, 0, "timeout: no answer")
	for id, report := range map[int][4]string{
		1: {"greeting_content", "down", `[{"class":"greeting_content","direction":"down","confidence":"probable","detector":"greeting","path":"p","excerpt":"joy","reason":"a list"}]`, `[]`},
		2: {"identifiers sms", "both", `[{"class":"sms","direction":"up","confidence":"confirmed","detector":"canary","path":"p","excerpt":"hello there","reason":"planted"}]`, `[{"canary":"sms-2.text","kind":"sms_text","form":"plain","path":"p"}]`},
	} {
		if _, err := db.Exec(`INSERT INTO report(seq, exchange, frame, time, version, parts, tags, direction, owner, country, findings, hits) VALUES(0, ?, 0, '', 'v', 1, ?, ?, 'Xiaomi Inc.', 'CN', ?, ?)`, id, report[0], report[1], report[2], report[3]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(`INSERT INTO mark(seq, time, name, factors, note) VALUES(0, '2026-11-02T00:00:00.000000Z', 'idle', '{}', '')`); err != nil {
		t.Fatal(err)
	}
	return db
}

func ids(t *testing.T, db *sql.DB, q string) []int64 {
	t.Helper()
	r, err := Run(context.Background(), db, q, Limits{})
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	defer r.Close()
	got := []int64{}
	for row, err := range r.All() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row[slices.Index(r.Columns, "id")].(int64))
	}
	return got
}

func TestFilters(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		filter string
		want   []int64
	}{
		{"", []int64{1, 2, 3, 4}},
		{"host:xiaomi.com", []int64{4}},
		{"host:.XIAOMI.com", []int64{4}},
		{"host:*xiaomi.com", []int64{3, 4}},
		{`host:"xiaomi.com"`, []int64{}},
		{"domain:miui.com,evilxiaomi.com", []int64{1, 2, 3}},
		{"-host:miui.com", []int64{3, 4}},
		{"NOT host:miui.com", []int64{3, 4}},
		{"path:/miuisms", []int64{1, 2}},
		{"path:100%_", []int64{3}},
		{"path:100__", []int64{}},
		{"path:/mi*/report", []int64{2}},
		{"url:https://data", []int64{4}},
		{"query:imei=", []int64{4}},
		{"method:post", []int64{2, 3}},
		{"scheme:http", []int64{3}},
		{"is:plain", []int64{3}},
		{"is:failed", []int64{3, 4}},
		{"-is:failed", []int64{1, 2}},
		{"is:truncated", []int64{3}},
		{"is:found", []int64{1, 2}},
		{"status:200", []int64{1, 2}},
		{"status:>=400", []int64{3}},
		{"-status:>=400", []int64{1, 2, 4}},
		{"status:4xx", []int64{3}},
		{"status:none", []int64{4}},
		{"status:200..399", []int64{1, 2}},
		{"tag:sms", []int64{2}},
		{"tag:sms,greeting_content", []int64{1, 2}},
		{"tag:none", []int64{3, 4}},
		{"tag:any -tag:sms", []int64{1}},
		{"dir:up", []int64{2}},
		{"dir:down", []int64{1, 2}},
		{"confidence:probable", []int64{1, 2}},
		{"confidence:confirmed", []int64{2}},
		{"detector:greeting", []int64{1}},
		{"canary:sms_text", []int64{2}},
		{"canary:sms-*", []int64{2}},
		{"canary:any", []int64{2}},
		{"canary:imei", []int64{}},
		{"device:REDMI", []int64{1, 2, 3, 4}},
		{"session:idle", []int64{3, 4}},
		{`session:""`, []int64{1, 2}},
		{"door:http owner:xiaomi", []int64{1, 2}},
		{"country:cn", []int64{1, 2}},
		{"ip:42.62.48.*", []int64{1, 2, 3, 4}},
		{"since:2026-11-02", []int64{3, 4}},
		{"before:2026-11-02", []int64{1, 2}},
		{"since:2026-11-01T08:00:10.5", []int64{2, 3, 4}},
		{"since:2026-11-01T09:00:10.6+01:00", []int64{3, 4}},
		{"since:2026-11-01T08:00 before:2026-11-01T08:00:01Z", []int64{1}},
		{"size:>3.9k", []int64{1, 3}},
		{"up:>10k", []int64{3}},
		{"down:4000", []int64{1}},
		{"down:<=1KiB up:>0", []int64{2, 3}},
		{"took:>1s", []int64{1, 2, 3, 4}},
		{"took:>1500ms", []int64{}},
		{"error:any", []int64{4}},
		{"error:timeout", []int64{4}},
		{"error:none", []int64{1, 2, 3}},
		{"id:2..3", []int64{2, 3}},
		{"miuisms", []int64{1, 2}},
		{`"hello there"`, []int64{2}},
		{"https://nowhere", []int64{}},
		{"tag:sms OR status:404", []int64{2, 3}},
		{"(tag:sms OR status:404) method:POST -host:miui.com", []int64{3}},
		{"-(tag:sms OR status:404)", []int64{1, 4}},
		{"--tag:sms", []int64{2}},
		{"SELECT id FROM requests WHERE host LIKE '%;%' OR id = 3; -- done", []int64{3}},
		{"with x as (select 4 as id) select id from x", []int64{4}},
	} {
		if diff := cmp.Diff(c.want, ids(t, db, c.filter)); diff != "" {
			sql, args, _ := Compile(c.filter)
			t.Errorf("%s (-want +got)\n%s%s", c.filter, diff, Show(sql, args))
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ filter, want string }{
		{"hots:a", `column 1: there is no field "hots"; did you mean host:? the fields are host, path,`},
		{"tag:sms zzzzz:1", `column 9: there is no field "zzzzz"; the fields are host`},
		{"tag:smss", `column 5: tag: "smss" is none of its values, did you mean sms? (sms, photo,`},
		{"dir:sideways", `column 5: dir: "sideways" is none of its values (up, down, both)`},
		{"status:>=abc", `column 8: status: "abc" is not a whole number; for example status:>=400`},
		{"size:>many", `column 6: size: "many" is not a size`},
		{"took:fast", `column 6: took: "fast" is not a duration`},
		{"since:yesterday", `column 7: since: "yesterday" is not a time`},
		{"sha256:xyz", `column 8: sha256: a hash has 4 to 64 hexadecimal digits`},
		{"host:", `column 6: host needs a value; for example host:xiaomi.com`},
		{`host:""`, `column 6: host needs a value`},
		{`path:"open`, `column 6: this quotation mark is not closed`},
		{"(tag:sms", `column 1: this bracket is not closed`},
		{"tag:sms)", `column 8: this bracket closes nothing`},
		{"tag:sms OR", `column 11: a term is missing here`},
		{"OR tag:sms", `column 1: a term is missing here`},
		{"NOT ", `column 1: a term is missing after this`},
		{"é hots:1", `column 3: there is no field "hots"`},
		{strings.Repeat("a ", 300), `column 401: more than 200 terms`},
		{strings.Repeat("a", 20_000), `column 1: the filter is longer than 16384 bytes`},
		{strings.Repeat("(", 150), `a term is missing here`},
		{"SELECT 1; SELECT 2", `column 11: only one statement can be run at a time`},
		{"SELECT ';' /* ; */; DROP TABLE log", `column 21: only one statement`},
		{"host:a\x00b", "column 6: this is not text"},
	} {
		_, _, err := Compile(c.filter)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: got %v, want %s", c.filter, err, c.want)
		}
	}
}

func TestEveryFieldHasItsExampleAndIsDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Fields {
		for _, name := range append([]string{f.Name}, f.Also...) {
			if seen[name] {
				t.Errorf("two fields are called %s", name)
			}
			seen[name] = true
		}
		if !strings.HasSuffix(f.Doc, ".") {
			t.Errorf("%s: the doc is no sentence: %q", f.Name, f.Doc)
		}
		for example := range strings.SplitSeq(strings.ReplaceAll(f.Example, " or ", ", "), ", ") {
			if sql, args, err := Compile(example); err != nil || !strings.HasPrefix(example, f.Name+":") {
				t.Errorf("%s: example %q: %v", f.Name, example, err)
			} else if strings.Count(sql, "?") != len(args)+strings.Count(sql, "'?'") {
				t.Errorf("%s: %d values for %s", f.Name, len(args), sql)
			}
		}
		if !strings.Contains(Help(), f.Doc) {
			t.Errorf("help does not have %s", f.Name)
		}
	}
}

func TestShow(t *testing.T) {
	sql, args, err := Compile(`path:"it's ?" status:>=400 canary:"` + "\x1b" + `"`)
	if err != nil {
		t.Fatal(err)
	}
	shown := Show(sql, args)
	for _, want := range []string{`path LIKE '%it''s ?%' ESCAPE '\'`, "status >= 400", "h.kind LIKE CAST(x'1b' AS TEXT)"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in\n%s", want, shown)
		}
	}
	if _, err := open(t).Query(shown); err != nil {
		t.Errorf("what is shown does not run: %v", err)
	}
}

func TestQueriesCannotWrite(t *testing.T) {
	db := open(t)
	r, err := Run(context.Background(), db, "WITH x AS (SELECT 1) INSERT INTO log SELECT 99, 'x', 1, x'00' FROM x", Limits{})
	if err == nil {
		for _, e := range r.All() {
			err = e
		}
		_ = r.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("an insert: got %v", err)
	}
	var n int
	if err := db.QueryRow("SELECT count(*) FROM log").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows were inserted, %v", n, err)
	}
}

func TestLimits(t *testing.T) {
	db := open(t)
	r, err := Run(context.Background(), db, "", Limits{Rows: 2})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range r.All() {
		n++
	}
	if n != 2 || !r.More() {
		t.Errorf("%d rows, more %v", n, r.More())
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	const forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"
	r, err = Run(context.Background(), db, forever, Limits{Time: 50 * time.Millisecond})
	if err == nil {
		for _, e := range r.All() {
			err = e
		}
		_ = r.Close()
	}
	if !errors.Is(err, ErrTime) {
		t.Errorf("an endless query: got %v", err)
	}
}

func output(t *testing.T, q string, write func(*bytes.Buffer, *Rows) error) string {
	t.Helper()
	r, err := Run(context.Background(), open(t), q, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b bytes.Buffer
	if err := write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const odd = `SELECT 1 AS n, '日本' AS "wide", char(27) || '[31mred' AS "esc", '=1+1' AS "formula", x'00ff' AS blob, NULL AS nil, -2.5 AS f
UNION ALL SELECT 22, 'ab', char(8238) || 'x', '-cmd', x'', '', 1e300`

func TestTable(t *testing.T) {
	got := output(t, odd, func(b *bytes.Buffer, r *Rows) error { return WriteTable(b, r, 12) })
	want := strings.TrimPrefix(`
┌────┬──────┬─────────────┬─────────┬──────┬─────┬──────────────┐
│  n │ wide │ esc         │ formula │ blob │ nil │            f │
├────┼──────┼─────────────┼─────────┼──────┼─────┼──────────────┤
│  1 │ 日本 │ \x1b[31mred │ =1+1    │ 00ff │     │         -2.5 │
│ 22 │ ab   │ \u202ex     │ -cmd    │      │     │ 10000000000… │
└────┴──────┴─────────────┴─────────┴──────┴─────┴──────────────┘
`, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCSV(t *testing.T) {
	got := output(t, odd, func(b *bytes.Buffer, r *Rows) error { return WriteCSV(b, r) })
	want := "n,wide,esc,formula,blob,nil,f\n1,日本,\x1b[31mred,'=1+1,00ff,,-2.5\n22,ab,\u202ex,'-cmd,,,1" + strings.Repeat("0", 300) + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for cell, want := range map[string]string{
		"": "", "a=b": "a=b", "=a": "'=a", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", " =a": "' =a", "＝a": "'＝a", "'=a": "'=a",
	} {
		if got := SafeCell(cell); got != want {
			t.Errorf("SafeCell(%q) = %q, want %q", cell, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	var rows []map[string]any
	got := output(t, odd, func(b *bytes.Buffer, r *Rows) error { return WriteJSON(b, r, false) })
	if err := json.Unmarshal([]byte(got), &rows); err != nil || len(rows) != 2 || rows[0]["blob"] != "00ff" || rows[0]["nil"] != nil {
		t.Errorf("%v: %s", err, got)
	}
	got = output(t, "tag:any", func(b *bytes.Buffer, r *Rows) error { return WriteJSON(b, r, true) })
	if lines := strings.Split(strings.TrimSpace(got), "\n"); len(lines) != 2 || !json.Valid([]byte(lines[1])) {
		t.Errorf("lines: %s", got)
	}
	if got := output(t, "id:99", func(b *bytes.Buffer, r *Rows) error { return WriteJSON(b, r, false) }); strings.Join(strings.Fields(got), "") != "[]" {
		t.Errorf("no rows: %q", got)
	}
}

// words are what SQL text made of a filter can consist of, whatever the filter.
var words = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_.]*|[0-9]+|'[^']*'|\S`)

func FuzzCompile(f *testing.F) {
	allowed := map[string]bool{}
	allow := func(filter string) {
		sql, _, err := Compile(filter)
		if err != nil {
			f.Fatal(err)
		}
		for _, w := range words.FindAllString(sql, -1) {
			allowed[w] = true
		}
	}
	for _, example := range []string{
		"", "-(a OR b) c", "host:a*", `host:"a"`, "tag:any", "tag:none", "status:none", "status:4xx", "status:!=1", "id:<1", "id:<=1", "id:>1", "id:>=1",
		"canary:any", "error:any", "error:none", "is:plain", "is:truncated", "is:failed", "is:found", "session:a*", "ip:1*",
	} {
		allow(example)
		f.Add(example)
	}
	for _, field := range Fields {
		for example := range strings.SplitSeq(strings.ReplaceAll(field.Example, " or ", ", "), ", ") {
			allow(example)
			f.Add(example)
		}
	}
	f.Add(`host:' path:"; DROP TABLE log --" -a,b`)
	db := open(f)
	f.Fuzz(func(t *testing.T, filter string) {
		sql, args, err := Compile(filter)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Column < 1 {
				t.Fatalf("%v", err)
			}
			return
		}
		if IsSQL(filter) {
			if !strings.HasPrefix(filter, sql) {
				t.Fatal("SQL was changed")
			}
			return
		}
		for _, w := range words.FindAllString(sql, -1) {
			if !allowed[w] {
				t.Fatalf("%q in the SQL text comes from nowhere: %s", w, sql)
			}
		}
		stmt, err := db.Prepare(sql)
		if err != nil {
			t.Fatalf("%v: %s", err, sql)
		}
		defer stmt.Close()
		rows, err := stmt.Query(args...)
		if err != nil {
			t.Fatalf("%v: %s with %q", err, sql, args)
		}
		_ = rows.Close()
	})
}

// TestFiltersOfDoors asks for what only some doors record.
func TestFiltersOfDoors(t *testing.T) {
	db := open(t)
	for _, statement := range []string{
		`INSERT INTO lookup(id, seq, time, duration_us, door, device, app, client, over, server, resolver, name, type, code, error, answers, addresses, stripped)
			VALUES(1, 0, '', 0, 'wireguard', 'redmi', '', '', 'udp', '', '', 'mqtt.vendor.example', 'A', 'NOERROR', '', '', '192.0.2.7', 0)`,
		`INSERT INTO connection(id, seq, opened, duration_us, door, device, client, host, port, server, sni, alpn, ja4, bytes_up, bytes_down, outcome, reason, transport, app, lookup, protocol)
			VALUES(9, 0, '', 0, 'wireguard', 'redmi', '', '192.0.2.7', 1883, '', '', '', '', 0, 0, 'raw', '', 'udp', 'com.vendor.push', 1, 'mqtt')`,
		`INSERT INTO exchange(id, seq, connection, device, door, began, duration_us, method, scheme, host, port, path, query, server, request_proto, request_exact, status, response_proto, response_exact, error, app)
			VALUES(7, 0, 9, 'redmi', 'wireguard', '2026-11-04T08:00:00.000000Z', 0, '', 'udp', '192.0.2.7', 1883, '', '', '', '', 0, 0, '', 0, '', 'com.vendor.push')`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	for filter, want := range map[string][]int64{
		"is:raw": {7}, "-is:raw": {1, 2, 3, 4}, "method:none": {7}, "scheme:udp": {7}, "scheme:tcp": {}, "door:wireguard": {7}, "door:http": {1, 2, 3, 4},
		"app:vendor": {7}, `app:""`: {1, 2, 3, 4}, "app:other": {}, "transport:udp": {7}, "transport:icmp": {}, "protocol:mqtt": {7}, "protocol:mq*": {7}, "protocol:mq": {},
		"dns:vendor.example": {7}, "dns:other": {}, "is:failed": {3, 4}, "is:plain": {3},
	} {
		q, args, err := Compile(filter)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := db.Query(q, args...)
		if err != nil {
			t.Fatal(err)
		}
		got := []int64{}
		for rows.Next() {
			cells := make([]any, len(Columns))
			var id int64
			for i := range cells {
				cells[i] = new(any)
			}
			cells[slices.Index(Columns, "id")] = &id
			if err := rows.Scan(cells...); err != nil {
				t.Fatal(err)
			}
			got = append(got, id)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filter, diff)
		}
	}
}
