package store

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"constat/proxy/flow"
	"constat/store/evidence"
)

type addrPort = netip.AddrPort

// kind is what the writer and the verifier need to know of one kind of record.
type kind struct {
	*evidence.Kind
	name   driver.Value // Name
	insert string       // id, seq, the columns, then the chunk of each body
	lookup string       // SELECT seq, the columns and the chunks by id
	fields string       // the columns and the chunks, separated by commas
	bodies []bodyColumns
	chains []int // columns that name certificates
}

// bodyColumns says where a kind keeps one body.
type bodyColumns struct {
	what            string // "request", "response", "payload"
	size, kept      int
	sha256, keptSHA int
	chunk           int // where its last chunk is named; not part of the leaf
}

// spec is a kind whose records are Rs in memory.
type spec[R any] struct {
	*kind
	list []field[R]
}

// field moves one or more columns between a record and its values.
type field[R any] struct {
	columns []evidence.Column
	get     func(r *R, v []evidence.Value)
	set     func(r *R, v []evidence.Value) error
	body    string // "", or what body it is; set gets the chunk as a last value
	chain   bool   // the second column names certificates
}

func newSpec[R any](name string, fields ...field[R]) *spec[R] {
	k := &kind{}
	var columns []evidence.Column
	var chunks []string
	for _, f := range fields {
		if f.body != "" {
			at := len(columns)
			k.bodies = append(k.bodies, bodyColumns{what: f.body, size: at, kept: at + 1, sha256: at + 3, keptSHA: at + 4})
			chunks = append(chunks, strings.TrimSuffix(f.columns[0].Name, "size")+"chunk")
		}
		if f.chain {
			k.chains = append(k.chains, len(columns)+1)
		}
		columns = append(columns, f.columns...)
	}
	k.Kind, k.name = evidence.NewKind(name, columns...), name
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	for i := range k.bodies {
		k.bodies[i].chunk = len(columns) + i
	}
	names = append(names, chunks...)
	k.fields = strings.Join(names, ", ")
	k.insert = fmt.Sprintf("INSERT INTO %s(id, seq, %s) VALUES(?, ?%s)", name, k.fields, strings.Repeat(", ?", len(names)))
	k.lookup = fmt.Sprintf("SELECT seq, %s FROM %s WHERE id = ?", k.fields, name)
	return &spec[R]{k, fields}
}

// values appends the columns of r to v.
func (s *spec[R]) values(v []evidence.Value, r *R) []evidence.Value {
	n := len(v)
	v = slices.Grow(v, len(s.Columns))[:n+len(s.Columns)]
	for _, f := range s.list {
		f.get(r, v[n:n+len(f.columns)])
		n += len(f.columns)
	}
	return v
}

// width is the number of values that record wants: the columns, and the chunk
// of each body.
func (k *kind) width() int { return len(k.Columns) + len(k.bodies) }

// record makes an R of its columns and chunks.
func (s *spec[R]) record(v []evidence.Value) (*R, error) {
	r := new(R)
	chunks := v[len(s.Columns):]
	var space [8]evidence.Value
	for _, f := range s.list {
		own := v[:len(f.columns)]
		v = v[len(f.columns):]
		if f.body != "" {
			own = append(append(space[:0], own...), chunks[0])
			chunks = chunks[1:]
		}
		if err := f.set(r, own); err != nil {
			return nil, fmt.Errorf("read %s %s: %w", s.Name, f.columns[0].Name, err)
		}
	}
	return r, nil
}

// one is a field of a single column.
func one[R any](name string, t evidence.Type, get func(*R) evidence.Value, set func(*R, evidence.Value) error) field[R] {
	return field[R]{
		columns: []evidence.Column{{Name: name, Type: t}},
		get:     func(r *R, v []evidence.Value) { v[0] = get(r) },
		set:     func(r *R, v []evidence.Value) error { return set(r, v[0]) },
	}
}

func sealed[R any](f field[R]) field[R] {
	for i := range f.columns {
		f.columns[i].Sealed = true
	}
	return f
}

// later marks a column that records of format 1 lack.
func later[R any](f field[R]) field[R] {
	for i := range f.columns {
		f.columns[i].Later = true
	}
	return f
}

func text[R any, S ~string](name string, at func(*R) *S) field[R] {
	return one(
		name, evidence.Text,
		func(r *R) evidence.Value { return evidence.TextValue(string(*at(r))) },
		func(r *R, v evidence.Value) error { *at(r) = S(v.Text); return nil },
	)
}

// optional is text that is NULL instead of empty.
func optional[R any](name string, at func(*R) *string) field[R] {
	return one(
		name, evidence.Text,
		func(r *R) (v evidence.Value) {
			if s := *at(r); s != "" {
				v = evidence.TextValue(s)
			}
			return v
		},
		func(r *R, v evidence.Value) error { *at(r) = v.Text; return nil },
	)
}

func number[R any, N int | int64 | uint8 | uint16 | uint32](name string, at func(*R) *N) field[R] {
	return one(
		name, evidence.Int,
		func(r *R) evidence.Value { return evidence.IntValue(int64(*at(r))) },
		func(r *R, v evidence.Value) error { *at(r) = N(v.Int); return nil },
	)
}

// reference is the id of a record, NULL when it is 0.
func reference[R any](name string, at func(*R) *int64) field[R] {
	return one(
		name, evidence.Int,
		func(r *R) (v evidence.Value) {
			if id := *at(r); id != 0 {
				v = evidence.IntValue(id)
			}
			return v
		},
		func(r *R, v evidence.Value) error { *at(r) = v.Int; return nil },
	)
}

func flag[R any](name string, at func(*R) *bool) field[R] {
	return one(
		name, evidence.Int,
		func(r *R) evidence.Value { return boolValue(*at(r)) },
		func(r *R, v evidence.Value) error { *at(r) = v.Int != 0; return nil },
	)
}

func boolValue(b bool) evidence.Value {
	if b {
		return evidence.IntValue(1)
	}
	return evidence.IntValue(0)
}

// span is a duration in microseconds.
func span[R any](name string, at func(*R) *time.Duration) field[R] {
	return one(
		name, evidence.Int,
		func(r *R) evidence.Value { return evidence.IntValue(at(r).Microseconds()) },
		func(r *R, v evidence.Value) error { *at(r) = time.Duration(v.Int) * time.Microsecond; return nil },
	)
}

func stamp[R any](name string, at func(*R) *time.Time) field[R] {
	return one(
		name, evidence.Text,
		func(r *R) evidence.Value { return evidence.TextValue(evidence.FormatTime(*at(r))) },
		func(r *R, v evidence.Value) (err error) { *at(r), err = evidence.ParseTime(v.Text); return err },
	)
}

// blob is bytes, NULL instead of empty.
func blob[R any](name string, at func(*R) *[]byte) field[R] {
	return one(
		name, evidence.Blob,
		func(r *R) (v evidence.Value) {
			if b := *at(r); len(b) > 0 {
				v = evidence.BlobValue(b)
			}
			return v
		},
		func(r *R, v evidence.Value) error { *at(r) = v.Blob; return nil },
	)
}

// address is an address and port, "" when there is none.
func address[R any](name string, at func(*R) *netip.AddrPort) field[R] {
	return one(
		name, evidence.Text,
		func(r *R) evidence.Value {
			if a := *at(r); a.IsValid() {
				return evidence.TextValue(a.String())
			}
			return evidence.TextValue("")
		},
		func(r *R, v evidence.Value) (err error) {
			if v.Text != "" {
				*at(r), err = netip.ParseAddrPort(v.Text)
			}
			return err
		},
	)
}

// lines is a list of texts that have no line feeds, one a line.
func lines[R any](name string, at func(*R) *[]string) field[R] {
	return one(
		name, evidence.Text,
		func(r *R) evidence.Value { return evidence.TextValue(strings.Join(*at(r), "\n")) },
		func(r *R, v evidence.Value) error {
			if v.Text != "" {
				*at(r) = strings.Split(v.Text, "\n")
			}
			return nil
		},
	)
}

// addresses is a list of addresses, separated by spaces.
func addresses[R any](name string, at func(*R) *[]netip.Addr) field[R] {
	return one(
		name, evidence.Text,
		func(r *R) evidence.Value {
			var b []byte
			for i, a := range *at(r) {
				if i > 0 {
					b = append(b, ' ')
				}
				b = a.AppendTo(b)
			}
			return evidence.TextValue(string(b))
		},
		func(r *R, v evidence.Value) error {
			for text := range strings.FieldsSeq(v.Text) {
				a, err := netip.ParseAddr(text)
				if err != nil {
					return err
				}
				*at(r) = append(*at(r), a)
			}
			return nil
		},
	)
}

// body is a body's facts, all NULL when there is no body. The hash of what is
// kept is NULL when it is that of the whole.
func body[R any](prefix string, at func(*R) **flow.Body) field[R] {
	what := strings.TrimSuffix(prefix, "_")
	if what == "" {
		what = "payload"
	}
	return field[R]{
		body: what,
		columns: []evidence.Column{
			{Name: prefix + "size", Type: evidence.Int},
			{Name: prefix + "kept", Type: evidence.Int},
			{Name: prefix + "complete", Type: evidence.Int},
			{Name: prefix + "sha256", Type: evidence.Blob, Sealed: true},
			{Name: prefix + "kept_sha256", Type: evidence.Blob, Sealed: true},
		},
		get: func(r *R, v []evidence.Value) {
			b := *at(r)
			if b == nil {
				clear(v)
				return
			}
			sum := b.SHA256()
			v[0], v[1], v[2] = evidence.IntValue(b.Size()), evidence.IntValue(b.Kept()), boolValue(b.Complete())
			v[3], v[4] = evidence.BlobValue(slices.Clone(sum[:])), evidence.Value{}
			if b.Truncated() {
				kept := b.KeptSHA256()
				v[4] = evidence.BlobValue(slices.Clone(kept[:]))
			}
		},
		set: func(r *R, v []evidence.Value) error {
			if v[0].Type == evidence.Null {
				return nil
			}
			if v[3].Type == evidence.Null && v[1].Int == 0 { // left out of a copy
				*at(r) = flow.StoredBody(v[0].Int, 0, digest{}, digest{}, v[2].Int != 0, 0)
				return nil
			}
			sum, err := hashOf(v[3])
			if err != nil {
				return err
			}
			kept := sum
			if v[4].Type != evidence.Null {
				if kept, err = hashOf(v[4]); err != nil {
					return err
				}
			}
			*at(r) = flow.StoredBody(v[0].Int, v[1].Int, sum, kept, v[2].Int != 0, v[5].Int)
			return nil
		},
	}
}

func hashOf(v evidence.Value) (sum [sha256.Size]byte, err error) {
	if len(v.Blob) != len(sum) {
		return sum, fmt.Errorf("a SHA-256 hash has %d bytes, not %d", len(sum), len(v.Blob))
	}
	copy(sum[:], v.Blob)
	return sum, nil
}

// handshake is one side's TLS facts as JSON, NULL without TLS. Of the
// certificate chain the hashes are here, leaf first, in hexadecimal and
// separated by spaces, and what the leaf says of itself, as JSON; the
// certificates are kept like bodies.
func handshake[R any](prefix string, at func(*R) **flow.TLS) field[R] {
	memo := new(certificateMemo)
	return field[R]{
		chain: true,
		columns: []evidence.Column{
			{Name: prefix + "_tls", Type: evidence.Text},
			{Name: prefix + "_chain", Type: evidence.Text},
			{Name: prefix + "_certificate", Type: evidence.Text},
		},
		get: func(r *R, v []evidence.Value) {
			clear(v)
			t := *at(r)
			if t == nil {
				return
			}
			facts := *t
			facts.Chain = nil
			// A struct of strings, booleans and lists of them cannot fail.
			j, _ := json.Marshal(facts)
			v[0] = evidence.TextValue(string(j))
			if len(t.Chain) > 0 {
				names, leaf := chainNames(t.Chain)
				v[1] = evidence.TextValue(names)
				v[2] = evidence.TextValue(memo.facts(leaf, t.Chain[0]))
			}
		},
		set: func(r *R, v []evidence.Value) error {
			if v[0].Type == evidence.Null {
				return nil
			}
			t := new(flow.TLS)
			*at(r) = t
			if err := json.Unmarshal([]byte(v[0].Text), t); err != nil {
				return err
			}
			// The caller replaces the names by the certificates.
			for name := range strings.FieldsSeq(v[1].Text) {
				sum, err := hex.DecodeString(name)
				if err != nil {
					return err
				}
				t.Chain = append(t.Chain, sum)
			}
			return nil
		},
	}
}

// appendArgs appends v as arguments of a kind's INSERT. What is Null is left out:
// it costs a call into C to say what is so anyway.
func appendArgs(args []driver.NamedValue, v []evidence.Value) []driver.NamedValue {
	for i := range v {
		a := driver.NamedValue{Ordinal: i + 3} // after id and seq
		switch v[i].Type {
		case evidence.Null:
			continue
		case evidence.Int:
			a.Value = v[i].Int
		case evidence.Text:
			a.Value = v[i].Text
		case evidence.Blob:
			a.Value = v[i].Blob
		}
		args = append(args, a)
	}
	return args
}

// fromSQL turns what a query returned into a Value.
func fromSQL(x any) evidence.Value {
	switch x := x.(type) {
	case int64:
		return evidence.IntValue(x)
	case string:
		return evidence.TextValue(x)
	case []byte:
		return evidence.BlobValue(x)
	}
	return evidence.Value{}
}
