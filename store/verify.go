package store

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"constat/proxy/flow"
	"constat/store/evidence"
)

// Verification is the result of Verify.
type Verification struct {
	Records, Checkpoints, Bodies int64
	Root                         string // base64
	Verifier                     string
	Problems                     []string // empty: the log is whole
}

// maxProblems bounds the list: a wrong secret makes every record one.
const maxProblems = 100

// Verify checks the whole case: every record against its leaf, every leaf
// against the tree, every checkpoint against its signature and the tree, every
// body against its hash, and that nothing is there that the log does not know.
// verifier, when not "", is the key to demand of the checkpoints; without it,
// somebody who replaces log, checkpoints and key alike is not found out.
//
// It reads one state of the case, also while that is written, in memory that
// grows with a bit for each chunk. progress, when not nil, is called now and then. An
// error means that the case could not be read; what is wrong with it is in
// Problems.
func Verify(ctx context.Context, path, verifier string, progress func(done, total int64)) (*Verification, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("verify case: %w", err)
	}
	r, err := OpenReader(ctx, path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c, err := openConn(r.dsn)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.script(standIn(r.version)); err != nil {
		return nil, sqlError("verify case", err)
	}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	v := &verification{Verification: &Verification{Verifier: verifier}, ctx: ctx, r: r, c: c, progress: progress, certificates: map[string]bool{}}
	// A transaction that only reads sees one state throughout.
	if err := c.script("BEGIN"); err != nil {
		return nil, sqlError("verify case", err)
	}
	if partial, err := v.partial(); err != nil || partial {
		return v.Verification, sqlErrorIf("verify case", err)
	}
	for _, step := range []func() error{v.schema, v.keys, v.checkpoints, v.log, v.strangers, v.open, v.orphans} {
		if err := step(); err != nil {
			return nil, sqlError("verify case", err)
		}
	}
	return v.Verification, nil
}

// verification is one run of Verify.
type verification struct {
	*Verification
	ctx      context.Context // of the one Verify that the value lives for
	r        *Reader
	c        *conn
	progress func(done, total int64)

	salter *evidence.Salter
	origin string
	signer note.Verifier // nil when there is no key to verify with

	signed []signedHead  // what the checkpoints say, by size
	tree   evidence.Tree // of the hashes in the log
	seen   []uint64      // bits: chunks that are in order, by id
	bad    map[int64]bool

	certificates map[string]bool // checked, by name; servers have few
}

type signedHead struct {
	id, size int64
	root     tlog.Hash
}

func (v *verification) problem(format string, args ...any) {
	switch len(v.Problems) {
	case maxProblems:
		v.Problems = append(v.Problems, "and more")
	case maxProblems + 1:
	default:
		v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
	}
}

// partial finds out whether the case is a copy that something was left out of, of
// which not even the rest can be checked.
func (v *verification) partial() (bool, error) {
	secrets, err := v.c.integer("SELECT count(*) FROM secret")
	if err != nil || secrets > 0 {
		return false, err
	}
	v.problem("the case has lost its secret: it is a copy that something was left out of, which is checked in its bundle, with constat-verify, or it was damaged")
	return true, nil
}

// schema checks that tables, guards and views are as they were made: a changed
// view would show people something else than what was logged.
func (v *verification) schema() error {
	made, err := openConn("file::memory:")
	if err != nil {
		return err
	}
	defer made.close()
	if err := migrate(made, v.r.version); err != nil {
		return err
	}
	const query = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
	is := map[string]string{}
	err = v.c.each(func(row []driver.Value) error {
		is[fmt.Sprint(row[0], " ", row[1])], _ = row[2].(string)
		return nil
	}, query)
	if err != nil {
		return err
	}
	return made.each(func(row []driver.Value) error {
		name := fmt.Sprint(row[0], " ", row[1])
		switch sql, ok := is[name]; {
		case !ok:
			v.problem("%s is missing", name)
		case sql != row[2]:
			v.problem("%s was changed", name)
		}
		return nil
	}, query)
}

func (v *verification) keys() (err error) {
	if v.salter, err = loadSalter(v.c); err != nil {
		v.problem("%s", err)
		v.salter = evidence.NewSalter(nil)
	}
	g, err := lookupRecord(v.c, genesisKind, 1)
	if errors.Is(err, ErrNotFound) {
		v.problem("genesis 1 is missing")
		return nil
	}
	if err != nil {
		v.problem("%s", err)
		return nil
	}
	v.origin = evidence.Origin(g.CaseID)
	if v.Verifier == "" {
		v.Verifier = g.Verifier
	}
	if v.signer, err = note.NewVerifier(v.Verifier); err != nil {
		v.problem("the verifier key cannot be read: %s", err)
	}
	return nil
}

func (v *verification) checkpoints() error {
	err := v.c.each(func(row []driver.Value) error {
		v.Checkpoints++
		id, _ := row[0].(int64)
		if id != v.Checkpoints {
			v.problem("checkpoint %d is missing", v.Checkpoints)
			v.Checkpoints = id
		}
		text, _ := row[4].(string)
		if v.signer == nil {
			return nil
		}
		c, err := evidence.OpenCheckpoint([]byte(text), v.signer)
		if err != nil {
			v.problem("checkpoint %d: %s", id, err)
			return nil
		}
		root, _ := row[3].([]byte)
		if row[1] != c.Time || row[2] != c.Size || string(root) != string(c.Root[:]) || c.Origin != v.origin {
			v.problem("checkpoint %d differs from what was signed", id)
			return nil
		}
		if n := len(v.signed); n > 0 && c.Size < v.signed[n-1].size {
			v.problem("checkpoint %d covers less than the one before", id)
			return nil
		}
		v.signed = append(v.signed, signedHead{id, c.Size, c.Root})
		return nil
	}, "SELECT id, time, size, root, note FROM checkpoint ORDER BY id")
	if err == nil && v.Checkpoints == 0 {
		v.problem("there is no checkpoint: nothing is signed")
	}
	return err
}

// progressRecords is how many records are checked between two calls of progress.
const progressRecords = 1000

// log goes through the log from its first entry to its last.
func (v *verification) log() error {
	total, err := v.c.integer("SELECT count(*) FROM log")
	if err != nil {
		return err
	}
	byName := map[string]*kind{}
	for _, k := range kinds {
		byName[k.Name] = k
	}
	good := int64(0) // records covered by a checkpoint that fits
	changed := false // a checkpoint that does not fit was found
	v.progress(0, total)
	err = v.c.each(func(row []driver.Value) error {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		seq, _ := row[0].(int64)
		name, _ := row[1].(string)
		id, _ := row[2].(int64)
		if seq != v.Records {
			v.problem("the log has no entry %d", v.Records)
			v.Records = seq
		}
		v.Records++
		hash, err := hashOf(fromSQL(row[3]))
		if err != nil {
			v.problem("log entry %d: %s", seq, err)
		}
		if k := byName[name]; k == nil {
			v.problem("log entry %d: no kind of record is called %q", seq, name)
		} else if err := v.record(k, seq, id, hash); err != nil {
			return err
		}
		if err := v.leaf(hash); err != nil {
			return err
		}
		for len(v.signed) > 0 && v.signed[0].size <= v.tree.Size() {
			s := v.signed[0]
			v.signed = v.signed[1:]
			switch {
			case changed:
			case s.size == v.tree.Size() && s.root == v.tree.Root():
				good = s.size
			default:
				changed = true
				v.problem("log entries %d to %d were changed, removed or inserted after checkpoint %d was signed", good, s.size-1, s.id)
			}
		}
		if v.Records%progressRecords == 0 || v.Records == total {
			v.progress(v.Records, total)
		}
		return nil
	}, "SELECT seq, kind, id, hash FROM log ORDER BY seq")
	if err != nil {
		return err
	}
	for _, s := range v.signed {
		v.problem("checkpoint %d covers %d records and the log has %d: its end was cut off", s.id, s.size, v.tree.Size())
	}
	root := v.tree.Root()
	v.Root = base64.StdEncoding.EncodeToString(root[:])
	n, err := v.c.integer("SELECT count(*) FROM subtree")
	if err == nil && n != v.tree.Size()>>evidence.SubtreeLevel {
		v.problem("%d subtrees are there instead of %d", n, v.tree.Size()>>evidence.SubtreeLevel)
	}
	return err
}

// leaf adds a hash to the tree and checks the subtree that it completes.
func (v *verification) leaf(hash tlog.Hash) error {
	want, complete := v.tree.Append(hash)
	if !complete {
		return nil
	}
	n := v.tree.Size()>>evidence.SubtreeLevel - 1
	var got []byte
	err := v.c.each(func(row []driver.Value) error {
		got, _ = row[0].([]byte)
		return nil
	}, "SELECT hash FROM subtree WHERE n = ?", n)
	if err == nil && string(got) != string(want[:]) {
		v.problem("subtree %d differs from the log", n)
	}
	return err
}

// record checks one record against its entry in the log, and its bodies.
func (v *verification) record(k *kind, seq, id int64, hash tlog.Hash) error {
	found := false
	values := make([]evidence.Value, k.width())
	err := v.c.each(func(row []driver.Value) error {
		found = row[0] == seq
		for i := range values {
			values[i] = fromSQL(row[i+1])
		}
		return nil
	}, k.lookup, id)
	if err != nil {
		return err
	}
	if !found {
		v.problem("%s %d, entry %d of the log, is missing", k.Name, id, seq)
		return nil
	}
	if k.LeafHash(v.salter, id, values[:len(k.Columns)]) != hash {
		v.problem("%s %d differs from what was logged", k.Name, id)
		return nil
	}
	for _, b := range k.bodies {
		if values[b.size].Type == evidence.Null || values[b.kept].Int == 0 {
			continue
		}
		name := values[b.sha256].Blob
		if values[b.keptSHA].Type != evidence.Null {
			name = values[b.keptSHA].Blob
		}
		if err := v.body(fmt.Sprintf("%s %d: %s body", k.Name, id, b.what), values[b.chunk].Int, name, values[b.kept].Int); err != nil {
			return err
		}
	}
	for _, i := range k.chains {
		for name := range strings.FieldsSeq(values[i].Text) {
			if err := v.certificate(fmt.Sprintf("%s %d", k.Name, id), name); err != nil {
				return err
			}
		}
	}
	return nil
}

// certificate checks one certificate of a chain.
func (v *verification) certificate(what, name string) error {
	sum, err := hex.DecodeString(name)
	if err != nil {
		v.problem("%s: a certificate has a malformed name", what)
		return nil
	}
	if v.certificates[name] {
		return nil
	}
	found := false
	err = v.c.each(func(row []driver.Value) error {
		der, _ := row[0].([]byte)
		got := sha256.Sum256(der)
		found = string(got[:]) == string(sum)
		return nil
	}, "SELECT der FROM certificate WHERE sha256 = ?", sum)
	if err != nil {
		return err
	}
	if !found {
		v.problem("%s: certificate %s is missing or damaged", what, name)
	}
	v.certificates[name] = true
	return nil
}

// piece is a chunk without its content.
type piece struct {
	id, parent, size int64
	first            bool
	name             []byte
}

// piece reads what the case says of a chunk.
func (v *verification) piece(id int64) (p piece, found bool, err error) {
	err = v.c.each(func(row []driver.Value) error {
		found = true
		p.id, _ = row[0].(int64)
		p.name, _ = row[1].([]byte)
		p.parent, _ = row[2].(int64)
		p.first = row[2] == nil
		p.size, _ = row[3].(int64)
		return nil
	}, "SELECT id, sha256, parent, size FROM chunk WHERE id = ?", id)
	return p, found, err
}

// body checks the chunks of one body, from its first. The record says the last
// of them, what it must be called and how much is kept.
func (v *verification) body(what string, chunk int64, name []byte, size int64) error {
	p, found, err := v.piece(chunk)
	if err != nil {
		return err
	}
	if !found {
		v.problem("%s is missing", what)
		return nil
	}
	if v.bad[p.id] || p.size != size || string(p.name) != string(name) {
		v.problem("%s is damaged (chunk %d)", what, p.id)
		return nil
	}
	if v.has(p.id) {
		return nil
	}
	v.Bodies++
	pieces := []piece{p}
	for !p.first {
		next, found, err := v.piece(p.parent)
		if err != nil {
			return err
		}
		// Sizes that fall keep a circle from going on for ever.
		if !found || next.size >= p.size {
			v.damaged(what, p.id)
			return nil
		}
		p = next
		pieces = append(pieces, p)
	}
	sum, done := sha256.New(), int64(0)
	for i := len(pieces) - 1; i >= 0; i-- {
		p := pieces[i]
		data, err := v.content(p.id)
		if err != nil {
			if v.ctx.Err() != nil {
				return err
			}
			v.damaged(what, p.id)
			return nil
		}
		sum.Write(data)
		done += int64(len(data))
		if done != p.size || string(sum.Sum(nil)) != string(p.name) || i > 0 && done%flow.ChunkSize != 0 {
			v.damaged(what, p.id)
			return nil
		}
		v.mark(p.id)
	}
	return nil
}

func (v *verification) damaged(what string, id int64) {
	v.problem("%s is damaged (chunk %d)", what, id)
	if v.bad == nil {
		v.bad = map[int64]bool{}
	}
	if len(v.bad) < maxProblems {
		v.bad[id] = true
	}
}

func (v *verification) content(id int64) (data []byte, err error) {
	if err := v.ctx.Err(); err != nil {
		return nil, err
	}
	err = v.c.each(func(row []driver.Value) error {
		codec, _ := row[0].(string)
		packed, _ := row[1].([]byte)
		data, err = v.r.unpack(codec, packed)
		return err
	}, "SELECT codec, data FROM chunk WHERE id = ?", id)
	return data, err
}

func (v *verification) has(id int64) bool {
	return id >= 0 && id/64 < int64(len(v.seen)) && v.seen[id/64]&(1<<(id%64)) != 0
}

// mark notes that a chunk is in order. Ids are given one after the other; one
// far beyond their number was not, and is left to be found as a stranger.
func (v *verification) mark(id int64) {
	if id < 0 || id/64 > int64(len(v.seen))+1<<20 {
		return
	}
	for id/64 >= int64(len(v.seen)) {
		v.seen = append(v.seen, 0)
	}
	v.seen[id/64] |= 1 << (id % 64)
}

// strangers looks for records that the log does not know.
func (v *verification) strangers() error {
	for _, k := range kinds {
		err := v.c.each(func(row []driver.Value) error {
			v.problem("%s %d is not in the log", k.Name, row[0])
			return v.ctx.Err()
		}, "SELECT id FROM "+k.Name+" k WHERE NOT EXISTS(SELECT 1 FROM log WHERE seq = k.seq AND kind = ? AND id = k.id) LIMIT ?",
			k.Name, int64(maxProblems))
		if err != nil {
			return err
		}
	}
	return nil
}

// open checks what is there of the bodies of records that are open.
func (v *verification) open() error {
	return v.c.each(func(row []driver.Value) error {
		for _, cell := range row[2:] {
			id, ok := cell.(int64)
			if !ok {
				continue
			}
			what := fmt.Sprintf("open %s %d: body", row[0], row[1])
			p, found, err := v.piece(id)
			if err != nil {
				return err
			}
			if !found {
				v.problem("%s is missing", what)
			} else if err := v.body(what, id, p.name, p.size); err != nil {
				return err
			}
		}
		return nil
	}, "SELECT kind, id, request, response FROM open_record")
}

// orphans looks for chunks that belong to no body, and certificates that belong
// to no chain.
func (v *verification) orphans() error {
	err := v.c.each(func(row []driver.Value) error {
		if name, _ := row[0].(string); !v.certificates[name] {
			v.problem("certificate %s belongs to no record", name)
		}
		return v.ctx.Err()
	}, "SELECT lower(hex(sha256)) FROM certificate")
	if err != nil {
		return err
	}
	return v.c.each(func(row []driver.Value) error {
		if id, _ := row[0].(int64); !v.has(id) && !v.bad[id] {
			v.problem("chunk %d belongs to no record", id)
		}
		return v.ctx.Err()
	}, "SELECT id FROM chunk ORDER BY id")
}
