package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"constat/proxy/flow"
	"constat/store/evidence"
)

// Logged is one entry of the log with its record. It is valid during the call
// that hands it out; a Value of it may be kept.
type Logged struct {
	Seq, ID int64
	Kind    *evidence.Kind
	Hash    tlog.Hash
	Values  []evidence.Value // in the order of Kind.Columns

	kind   *kind
	chunks []evidence.Value
}

// Column returns the value of a column, the zero value when there is none of
// that name.
func (l *Logged) Column(name string) evidence.Value {
	for i := range l.Kind.Columns {
		if l.Kind.Columns[i].Name == name {
			return l.Values[i]
		}
	}
	return evidence.Value{}
}

// Sealing is the newest checkpoint of a case: what an export covers.
type Sealing struct {
	Size int64
	Time string // evidence.TimeFormat
	Note []byte // signed
	More int64  // entries that came after it
}

// Sealing returns the newest checkpoint, or ErrNotFound.
func (r *Reader) Sealing(ctx context.Context) (s Sealing, err error) {
	var text string
	err = r.db.QueryRowContext(ctx, `SELECT size, time, note, (SELECT count(*) FROM log WHERE seq >= size) FROM checkpoint ORDER BY id DESC LIMIT 1`).
		Scan(&s.Size, &s.Time, &text, &s.More)
	if err != nil {
		return s, sqlError("read checkpoint", err)
	}
	s.Note = []byte(text)
	return s, nil
}

// Checkpoints calls each with the signed checkpoints that cover at most size
// entries, the oldest first.
func (r *Reader) Checkpoints(ctx context.Context, size int64, each func(size int64, signed []byte) error) error {
	c, err := openConn(r.dsn)
	if err != nil {
		return err
	}
	defer c.close()
	return c.each(func(row []driver.Value) error {
		n, _ := row[0].(int64)
		text, _ := row[1].(string)
		if err := ctx.Err(); err != nil {
			return err
		}
		return each(n, []byte(text))
	}, "SELECT size, note FROM checkpoint WHERE size <= ? ORDER BY id", size)
}

// Salter returns what derives the salts of the case's sealed columns.
func (r *Reader) Salter(context.Context) (*evidence.Salter, error) {
	c, err := openConn(r.dsn)
	if err != nil {
		return nil, err
	}
	defer c.close()
	return loadSalter(c)
}

// Log calls each with the first size entries of the log, in their order. Each record
// is compared with its hash: a damaged case ends with an error that names the record.
func (r *Reader) Log(ctx context.Context, size int64, each func(*Logged) error) error {
	c, err := openConn(r.dsn)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.script(standIn(r.version)); err != nil {
		return sqlError("read log", err)
	}
	salter, err := loadSalter(c)
	if err != nil {
		return sqlError("read log", err)
	}
	byName := map[string]*kind{}
	space := map[*kind][]evidence.Value{}
	for _, k := range kinds {
		byName[k.Name] = k
		space[k] = make([]evidence.Value, k.width())
	}
	next := int64(0)
	var stopped error // by each
	err = c.each(func(row []driver.Value) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		l := &Logged{}
		l.Seq, _ = row[0].(int64)
		name, _ := row[1].(string)
		l.ID, _ = row[2].(int64)
		if l.Seq != next {
			return fmt.Errorf("entry %d is missing: run constat verify", next)
		}
		next++
		if l.kind = byName[name]; l.kind == nil {
			return fmt.Errorf("entry %d is of the unknown kind %q", l.Seq, name)
		}
		l.Kind = l.kind.Kind
		if l.Hash, err = hashOf(fromSQL(row[3])); err != nil {
			return err
		}
		values, found := space[l.kind], false
		err := c.each(func(row []driver.Value) error {
			found = row[0] == l.Seq
			for i := range values {
				values[i] = fromSQL(row[i+1])
			}
			return nil
		}, l.kind.lookup, l.ID)
		if err != nil {
			return err
		}
		l.Values, l.chunks = values[:len(l.Kind.Columns)], values[len(l.Kind.Columns):]
		if !found || l.Kind.LeafHash(salter, l.ID, l.Values) != l.Hash {
			return fmt.Errorf("%s %d is not as it was logged: run constat verify", l.Kind.Name, l.ID)
		}
		stopped = each(l)
		return stopped
	}, "SELECT seq, kind, id, hash FROM log WHERE seq < ? ORDER BY seq", size)
	switch {
	case stopped != nil:
		return stopped
	case err != nil:
		return sqlErrorIf("read log", err)
	case next != size:
		return fmt.Errorf("read log: entry %d is missing: run constat verify", next)
	}
	return nil
}

// Copy is a case of which a part is written anew, from the same log: for people to
// query, beside the records that prove. It takes records as they are, or with values
// left out, or not at all; the order in which it is called and what it is given decide
// every byte of it. It is for one goroutine.
type Copy struct {
	c       *conn
	from    *Reader
	path    string
	notNull map[string][]bool // by kind: columns that cannot be NULL
	partial bool
	args    []driver.NamedValue
	tree    evidence.Tree
	names   map[string]bool // certificates
}

// NewCopy begins a copy of from at path, which must not exist.
func NewCopy(path string, from *Reader) (_ *Copy, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("copy case: %w", err)
	}
	if err := create(path); err != nil {
		return nil, err
	}
	k := &Copy{from: from, path: path, notNull: map[string][]bool{}, names: map[string]bool{}}
	if k.c, err = openConn(dsn(path, nil)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, k.c.close())
		}
	}()
	// Nobody reads it before it is whole, and it can be made again.
	if err := k.c.script("PRAGMA main.journal_mode = OFF; PRAGMA main.synchronous = OFF; PRAGMA main.locking_mode = EXCLUSIVE"); err != nil {
		return nil, sqlError("copy case", err)
	}
	for _, kind := range kinds {
		is := map[string]bool{}
		err := k.c.each(func(row []driver.Value) error {
			name, _ := row[0].(string)
			is[name] = row[1] == int64(1)
			return nil
		}, "SELECT name, \"notnull\" FROM pragma_table_info(?)", kind.Name)
		if err != nil {
			return nil, sqlError("copy case", err)
		}
		for _, c := range kind.Columns {
			k.notNull[kind.Name] = append(k.notNull[kind.Name], is[c.Name])
		}
	}
	// What may be attached is what the driver allows: a file to read only.
	if err := k.c.run("ATTACH ? AS source", from.dsn); err != nil {
		return nil, sqlError("copy case", err)
	}
	return k, k.c.script("BEGIN")
}

const insertCopied = "INSERT INTO log(seq, kind, id, hash) VALUES(?, ?, ?, ?)"

// Withheld stands in the log of a copy for entries that are left out.
const Withheld = "withheld"

// Leave adds an entry without its record.
func (k *Copy) Leave(l *Logged) error {
	k.partial = true
	return k.log(l, Withheld, 0)
}

func (k *Copy) log(l *Logged, kind string, id int64) error {
	if sub, complete := k.tree.Append(l.Hash); complete {
		if err := k.c.run("INSERT INTO subtree(n, hash) VALUES(?, ?)", k.tree.Size()>>evidence.SubtreeLevel-1, sub[:]); err != nil {
			return sqlError("copy case", err)
		}
	}
	return copyError(k.c.run(insertCopied, l.Seq, kind, id, l.Hash[:]))
}

// Add adds an entry with its record. instead, when not nil, returns what stands in the
// place of the sealed column at an index, and whether that is not its value; a body
// whose hash is hidden is left out.
func (k *Copy) Add(l *Logged, instead func(column int) (evidence.Value, bool)) error {
	if err := k.log(l, l.Kind.Name, l.ID); err != nil {
		return err
	}
	values := l.Values
	chunks := l.chunks
	if instead != nil {
		values = append([]evidence.Value(nil), values...)
		chunks = append([]evidence.Value(nil), chunks...)
		for i := range values {
			if !l.Kind.Columns[i].Sealed {
				continue
			}
			v, hidden := instead(i)
			if !hidden {
				continue
			}
			k.partial = true
			if v.Type == evidence.Null && k.notNull[l.Kind.Name][i] {
				v = evidence.TextValue("")
				if strings.HasPrefix(l.Values[i].Text, "{") { // views read it as JSON
					v = evidence.TextValue("{}")
				}
			}
			values[i] = v
		}
		for i, b := range l.kind.bodies {
			if values[b.size].Type != evidence.Null && values[b.sha256].Type == evidence.Null {
				values[b.kept], values[b.keptSHA], chunks[i] = evidence.IntValue(0), evidence.Value{}, evidence.Value{}
			}
		}
	}
	k.args = append(k.args[:0], driver.NamedValue{Ordinal: 1, Value: l.ID}, driver.NamedValue{Ordinal: 2, Value: l.Seq})
	k.args = appendArgs(k.args, values)
	for i := range chunks {
		if chunks[i].Type == evidence.Int {
			k.args = append(k.args, driver.NamedValue{Ordinal: 3 + len(values) + i, Value: chunks[i].Int})
		}
	}
	for _, i := range l.kind.chains {
		for name := range strings.FieldsSeq(values[i].Text) {
			k.names[name] = true
		}
	}
	_, err := k.c.exec(l.kind.insert, k.args)
	return copyError(err)
}

// Finish adds what the records that were added refer to, and the checkpoints up to
// size. The secret of the case comes with a copy of everything only: with it all
// values could be tried out against their commitments.
func (k *Copy) Finish(ctx context.Context, size int64) error {
	last := []string{}
	for _, kind := range kinds {
		for i := range kind.bodies {
			column := strings.Split(kind.fields, ", ")[kind.bodies[i].chunk]
			last = append(last, "SELECT "+column+" FROM main."+kind.Name+" WHERE "+column+" IS NOT NULL")
		}
	}
	script := `
		INSERT INTO main.chunk(id, sha256, parent, size, codec, data)
		WITH RECURSIVE want(id) AS (` + strings.Join(last, " UNION ") + `
			UNION SELECT k.parent FROM want JOIN source.chunk k ON k.id = want.id WHERE k.parent IS NOT NULL)
		SELECT k.id, k.sha256, k.parent, k.size, k.codec, k.data FROM (SELECT id FROM want ORDER BY id) w JOIN source.chunk k ON k.id = w.id;`
	if err := k.c.script(script); err != nil {
		return sqlError("copy case", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := k.c.run("INSERT INTO main.checkpoint SELECT * FROM source.checkpoint WHERE size <= ? ORDER BY id", size)
	if err == nil && !k.partial {
		err = k.c.script("INSERT INTO main.secret SELECT * FROM source.secret")
	}
	if err == nil {
		err = k.certificates()
	}
	if err == nil {
		err = k.c.script("COMMIT")
	}
	return copyError(err)
}

func (k *Copy) certificates() error {
	return k.c.each(func(row []driver.Value) error {
		if name, _ := row[0].(string); !k.names[name] {
			return nil
		}
		return k.c.run("INSERT INTO main.certificate(sha256, der) VALUES(?, ?)", row[1], row[2])
	}, "SELECT lower(hex(sha256)), sha256, der FROM source.certificate ORDER BY sha256")
}

// Partial reports whether anything was left out.
func (k *Copy) Partial() bool { return k.partial }

// Close ends the copy, which is whole if Finish succeeded.
func (k *Copy) Close() error { return k.c.close() }

// Bodies calls each with every body that is kept, once, by its hash, in the order of
// the hashes.
func (r *Reader) Bodies(ctx context.Context, each func(b *flow.Body) error) error {
	c, err := openConn(r.dsn)
	if err != nil {
		return err
	}
	defer c.close()
	var parts []string
	for _, k := range kinds {
		names := strings.Split(k.fields, ", ")
		for _, b := range k.bodies {
			parts = append(parts, fmt.Sprintf("SELECT ifnull(%s, %s) AS sum, %s AS kept, %s AS chunk FROM %s WHERE %s IS NOT NULL",
				names[b.keptSHA], names[b.sha256], names[b.kept], names[b.chunk], k.Name, names[b.chunk]))
		}
	}
	return c.each(func(row []driver.Value) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		sum, err := hashOf(fromSQL(row[0]))
		if err != nil {
			return err
		}
		kept, _ := row[1].(int64)
		chunk, _ := row[2].(int64)
		return each(flow.StoredBody(kept, kept, sum, sum, true, chunk))
	}, "SELECT sum, kept, min(chunk) FROM ("+strings.Join(parts, " UNION ALL ")+") WHERE kept > 0 GROUP BY sum ORDER BY sum")
}

// Certificates calls each with every certificate, in the order of their hashes.
func (r *Reader) Certificates(ctx context.Context, each func(sum [32]byte, der []byte) error) error {
	c, err := openConn(r.dsn)
	if err != nil {
		return err
	}
	defer c.close()
	return c.each(func(row []driver.Value) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		sum, err := hashOf(fromSQL(row[0]))
		if err != nil {
			return err
		}
		der, _ := row[1].([]byte)
		return each(sum, der)
	}, "SELECT sha256, der FROM certificate ORDER BY sha256")
}

// Cited returns the entries of the log that findings rest on: the newest reports with a
// class, the surest first, at most limit of them, and the exchanges and frames that they
// are on.
func (r *Reader) Cited(ctx context.Context, limit int) (seqs []int64, err error) {
	rows, err := r.db.QueryContext(ctx, `
		WITH cited AS (
			SELECT seq, exchange, frame FROM report p WHERE tags <> ''
				AND id = (SELECT max(n.id) FROM report n WHERE n.exchange = p.exchange AND n.frame = p.frame)
			ORDER BY findings LIKE '%"confidence":"confirmed"%' DESC, findings LIKE '%"confidence":"probable"%' DESC, id LIMIT ?
		)
		SELECT seq FROM cited
		UNION SELECT e.seq FROM exchange e JOIN cited c ON e.id = c.exchange
		UNION SELECT f.seq FROM frame f JOIN cited c ON f.id = c.frame
		ORDER BY 1`, limit)
	if err != nil {
		return nil, sqlError("read reports", err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			return nil, sqlError("read reports", err)
		}
		seqs = append(seqs, seq)
	}
	if err := rows.Err(); err != nil {
		return nil, sqlError("read reports", err)
	}
	return seqs, nil
}

// Signer returns what signs for the case with the given id, with the key in a file. It
// makes no key; ErrNotFound: there is none. verifier is the key that the case has.
func Signer(keyFile, caseID, verifier string) (note.Signer, error) {
	if _, err := os.Stat(keyFile); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read checkpoint key: %w", ErrNotFound)
	}
	key, err := loadKey(keyFile)
	if err != nil {
		return nil, err
	}
	origin := evidence.Origin(caseID)
	is, err := key.verifier(origin)
	if err != nil {
		return nil, err
	}
	if is != verifier {
		return nil, fmt.Errorf("read checkpoint key: %w: %s is not the key that the case was signed with", ErrNotFound, keyFile)
	}
	return evidence.NewSigner(origin, key.key)
}

func copyError(err error) error { return sqlErrorIf("copy case", err) }

// sqlErrorIf is sqlError, nil for nil.
func sqlErrorIf(doing string, err error) error {
	if err == nil {
		return nil
	}
	return sqlError(doing, err)
}
