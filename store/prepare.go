package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/mattn/go-sqlite3"

	"constat/proxy/flow"
)

// quick_tables.sql makes the tables that a Prepared reader fills.
//
//go:embed quick_tables.sql
var quickTables string

// quick_views.sql makes the public views of these tables: each the same columns and
// rows as the view of the case.
//
//go:embed quick_views.sql
var quickViews string

// Prepared returns a Reader for many questions to the case as it is at this moment.
// What the public views work out for each row again and again, the session, the newest
// report, what JSON says, is worked out once: in a temporary file of about a fifth of
// the case, so that memory does not grow with it (docs/adr/0012). The file has
// hosts, paths, classes and identifiers, but no bodies; nobody else can open it, and it
// is gone with the Reader or the process. While it is made the write-ahead log is not reused.
//
// progress, which may be nil, is told how many rows were read, of about how many.
// Closing one Reader does not close the other.
func (r *Reader) Prepared(ctx context.Context, progress func(done, total int64)) (_ *Reader, err error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	// The folder is its owner's only. It is given up as soon as all connections are
	// open, or at the end where open files have to keep their names.
	doing := "prepare case in " + os.TempDir()
	folder, err := os.MkdirTemp("", "constat-")
	if err != nil {
		return nil, fileError(doing, err)
	}
	p := &Reader{path: r.path, dsn: r.dsn, version: r.version, folder: folder}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	file := filepath.Join(folder, "quick")
	if err := r.prepare(ctx, file, progress); err != nil {
		return nil, sqlError(doing, err)
	}
	if err := p.share(ctx, file); err != nil {
		return nil, sqlError(doing, err)
	}
	p.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(flow.ChunkSize))
	if err != nil {
		return nil, fmt.Errorf("prepare case: %w", err)
	}
	if os.RemoveAll(folder) == nil {
		p.folder = ""
	}
	return p, nil
}

// attach is the statement that brings the file of a Prepared reader into a connection.
func attach(file string, parameters url.Values) string {
	uri := url.URL{Scheme: "file", Path: file, RawQuery: parameters.Encode()}
	return "ATTACH '" + strings.ReplaceAll(uri.String(), "'", "''") + "' AS quick;"
}

// preparedConns is how many connections there are in each pool of a Prepared reader.
// All are open before its file gives up its name.
const preparedConns = max(4, Confinements)

// share opens the pools.
func (r *Reader) share(ctx context.Context, file string) error {
	script := standIn(r.version) + attach(file, immutable) + "PRAGMA quick.cache_size = -4096;" + quickScript() + pragma("query_only", 1)
	r.db = sql.OpenDB(lasting{connector{r.dsn, script}})
	r.confined = sql.OpenDB(lasting{limited{connector{r.dsn, script}}})
	for _, db := range []*sql.DB{r.db, r.confined} {
		db.SetMaxOpenConns(preparedConns)
		db.SetMaxIdleConns(preparedConns)
		var held []*sql.Conn
		for range preparedConns {
			c, err := db.Conn(ctx)
			if err != nil {
				return err
			}
			held = append(held, c)
		}
		for _, c := range held {
			if err := c.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// lasting opens connections that a pool keeps, whatever becomes of a query: it could
// open no other.
type lasting struct{ driver.Connector }

func (l lasting) Connect(ctx context.Context) (driver.Conn, error) {
	raw, err := l.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return lastingConn{raw.(*sqlite3.SQLiteConn)}, nil
}

// lastingConn has the two methods for which database/sql keeps a connection whose
// transaction was canceled.
type lastingConn struct{ *sqlite3.SQLiteConn }

func (lastingConn) ResetSession(context.Context) error { return nil }
func (lastingConn) IsValid() bool                      { return true }

// quickScript puts the views of a Prepared reader before those of the case: those of
// quick_views.sql, and once more those that read them.
func quickScript() string {
	var b strings.Builder
	for _, view := range append([]string{"hosts", "identifiers", "coverage"}, quickened...) {
		b.WriteString("DROP VIEW IF EXISTS temp." + view + ";") // there are some before older cases
	}
	return b.String() + quickViews + tempViews(viewText("hosts")+viewText("identifiers")+viewText("coverage"))
}

// quickened are the views in quick_views.sql.
var quickened = []string{"requests", "connections", "findings", "canary_hits", "identifier_uses", "addresses"}

// viewText is the newest definition of a view in the schema.
func viewText(name string) string {
	all := strings.Join(migrations[:], "\n")
	text := all[strings.LastIndex(all, "CREATE VIEW "+name+" AS"):]
	return text[:strings.Index(text, ";")+1]
}

// preparation fills the file of a Prepared reader.
type preparation struct {
	ctx      context.Context // of the one run that the value lives for
	c        *conn
	progress func(done, total int64)
	done     int64
	total    int64
}

func (r *Reader) prepare(ctx context.Context, file string, progress func(done, total int64)) (err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	c, err := openConn(r.dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	p := &preparation{ctx: ctx, c: c, progress: progress}
	// What a crash leaves of the file is of no use to anybody.
	err = p.run(standIn(r.version) + attach(file, url.Values{"mode": {"rw"}}) + `
		PRAGMA quick.journal_mode = OFF; PRAGMA quick.synchronous = OFF; PRAGMA quick.cache_size = -16384; PRAGMA quick.page_size = 8192;
		BEGIN;` + quickTables)
	if err == nil {
		err = p.fill()
	}
	if err == nil {
		err = p.run("COMMIT")
	}
	return err
}

func (p *preparation) run(script string, args ...driver.NamedValue) error {
	_, err := p.c.raw.ExecContext(p.ctx, script, args)
	return err
}

// rowsAtOnce is how many rows are read between two calls of progress, and before the
// end of the context counts.
const rowsAtOnce = int64(20_000)

// newestOnly is the condition that a report r is the newest on its subject.
const newestOnly = "r.id = (SELECT max(n.id) FROM report n WHERE n.exchange = r.exchange AND n.frame = r.frame)"

// A filling reads a table: page by page, with the ids that a page is between as
// arguments, or at once.
type filling struct {
	table, statement string
	once             bool
}

// fillings are in the order in which one needs the other.
var fillings = []filling{
	{table: "connection", statement: `INSERT INTO quick.connection
		SELECT id, time, session_id, device, door, host, server_ip, sni, server_tls, outcome, bytes_up, bytes_down, client_alert, ` + NamedHost + `
		FROM connections WHERE id > ? AND id <= ? ORDER BY id`},
	{table: "exchange", statement: `INSERT INTO quick.request
		SELECT id, time, session_id, device, door, method, scheme, host, path, status, request_bytes, response_bytes, request_truncated, response_truncated,
			server_ip, owner, country, tags, direction, error, connection_id, EXISTS(SELECT 1 FROM report r WHERE r.exchange = q.id AND r.frame = 0)
		FROM requests q WHERE id > ? AND id <= ? ORDER BY id`},
	{table: "report", statement: `INSERT INTO quick.finding
		SELECT r.id, f.fullkey, r.id * 1000000 + f.key + 1, r.exchange, r.frame, f.value ->> 'class', f.value ->> 'direction', f.value ->> 'confidence', f.value ->> 'detector'
		FROM report r, json_each(r.findings) f WHERE r.id > ? AND r.id <= ? AND r.findings IS NOT NULL AND ` + newestOnly},
	{table: "report", statement: `INSERT INTO quick.hit
		SELECT r.id, h.fullkey, r.exchange, r.frame, h.value ->> 'canary', h.value ->> 'kind', h.value ->> 'form', h.value ->> 'class', h.value ->> 'direction'
		FROM report r, json_each(r.hits) h WHERE r.id > ? AND r.id <= ? AND r.hits IS NOT NULL AND ` + newestOnly},
	{table: "report", statement: `INSERT INTO quick.used
		SELECT r.id, v.fullkey, r.exchange, r.frame, v.value ->> 0, v.value ->> 1, v.value ->> 2, v.value ->> 3, v.value ->> 5, ifnull(v.value ->> 6, '')
		FROM report r, json_each(r.identifying) v WHERE r.id > ? AND r.id <= ? AND r.identifying IS NOT NULL AND ` + newestOnly},
	{table: "exchange", once: true, statement: "INSERT INTO quick.address SELECT * FROM addresses"},
	{table: "exchange", once: true, statement: `INSERT INTO quick.asked
		SELECT session_id, device, door, iif(method = '', ifnull((SELECT c.named FROM quick.connection c WHERE c.id = q.connection_id), host), host), method = '' AND tags = '',
			count(*), sum(request_truncated + response_truncated), sum(error <> ''), sum(NOT inspected), min(time), max(time)
		FROM quick.request q GROUP BY 1, 2, 3, 4, 5`},
	{table: "connection", once: true, statement: `INSERT INTO quick.connected
		SELECT session_id, device, door, named, outcome, client_alert, count(*), max(id), sum(bytes_up), sum(bytes_down), min(time), max(time)
		FROM quick.connection GROUP BY 1, 2, 3, 4, 5, 6`},
	{table: "connection", once: true, statement: `
		CREATE INDEX quick.finding_request ON finding(request_id);
		CREATE INDEX quick.hit_request ON hit(request_id);
		CREATE INDEX quick.used_request ON used(request_id);
		INSERT INTO quick.opaque
		SELECT q.session_id, q.device, q.host, count(DISTINCT q.id), sum(iif(q.method = '', 0, iif(f.frame_id = 0, q.request_bytes, (SELECT ifnull(x.size, 0) FROM frame x WHERE x.id = f.frame_id))))
		FROM (SELECT DISTINCT request_id, frame_id FROM quick.finding WHERE class = 'opaque' AND direction = 'up') f CROSS JOIN quick.request q ON q.id = f.request_id
		GROUP BY 1, 2, 3`},
}

// fill copies what questions ask for. All its statements see the case at one moment.
func (p *preparation) fill() error {
	ends := map[string][]int64{}
	for _, f := range fillings {
		if _, known := ends[f.table]; !known {
			list, err := p.pages(f.table)
			if err != nil {
				return err
			}
			ends[f.table] = list
		}
		p.total += int64(len(ends[f.table]))
	}
	for _, f := range fillings {
		if f.once {
			if err := p.read(len(ends[f.table]), f.statement); err != nil {
				return err
			}
			continue
		}
		from := int64(math.MinInt64)
		for _, to := range ends[f.table] {
			if err := p.read(1, f.statement, from, to); err != nil {
				return err
			}
			from = to
		}
	}
	return nil
}

// read runs a statement that reads so many pages.
func (p *preparation) read(pages int, statement string, args ...any) error {
	if err := p.run(statement, named(args)...); err != nil {
		return err
	}
	p.done += int64(pages)
	if pages > 0 {
		p.progress(p.done*rowsAtOnce, p.total*rowsAtOnce)
	}
	return nil
}

// pages cuts a table into pages of rowsAtOnce rows, and returns the last id of each.
func (p *preparation) pages(table string) (ends []int64, err error) {
	for at := int64(math.MinInt64); ; {
		n := 0
		err := p.c.each(func(row []driver.Value) error {
			at, n = row[0].(int64), n+1
			return nil
		}, "SELECT max(id) FROM (SELECT id FROM "+table+" WHERE id > ? ORDER BY id LIMIT ?) HAVING count(*) > 0", at, rowsAtOnce)
		if err != nil || n == 0 {
			return ends, err
		}
		ends = append(ends, at)
	}
}
