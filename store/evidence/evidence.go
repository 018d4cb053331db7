// Package evidence says how a record becomes a leaf of the log, and how the
// head of the log is signed.
//
// A leaf is the canonical JSON (RFC 8785) of one record:
//
//	{"id":17,"kind":"exchange","open":{"host":"example.com",…},"sealed":{"path":"…",…}}
//
// Open columns appear as they are. Of a sealed column only a commitment
// appears, SHA-256(salt || canonical JSON of the value) in base64, so that a
// value and its salt can be withheld later and every hash above still holds. A
// column that a later format added appears only where it is not null.
// The leaf's hash is that of RFC 6962 section 2.1. Everything here is a pure
// function and safe for concurrent use.
//
// The package knows neither SQL nor the proxy, so that a verifier of its own
// can be built on it.
package evidence

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// Type is the type of a Value.
type Type uint8

// The types. A column holds values of its own type, or Null.
const (
	Null Type = iota
	Int
	Text
	Blob
)

// Value is one field of a record. The zero value is Null. A Blob shares its
// bytes with whoever made it.
type Value struct {
	Type Type
	Int  int64
	Text string
	Blob []byte
}

// IntValue returns an Int.
func IntValue(n int64) Value { return Value{Type: Int, Int: n} }

// TextValue returns a Text. It may hold any bytes.
func TextValue(s string) Value { return Value{Type: Text, Text: s} }

// BlobValue returns a Blob, Null for nil.
func BlobValue(b []byte) Value {
	if b == nil {
		return Value{}
	}
	return Value{Type: Blob, Blob: b}
}

// Column is a field that all records of a kind have.
type Column struct {
	Name   string // lower-case ASCII letters, digits and underscores
	Type   Type   // Int, Text or Blob
	Sealed bool   // only a commitment goes into the leaf
	// Later says that records were already written without the column. It is in
	// the leaf only where it is not Null, so that their leaves are what they were.
	Later bool
}

// Kind describes the records of one kind. It is immutable once made.
type Kind struct {
	Name    string
	Columns []Column

	open, sealed []key // in the order of canonical JSON
}

type key struct {
	column int
	name   string
	json   string // `"name":`
	later  bool
}

// absent reports whether a leaf leaves the column out when it is v.
func (k *key) absent(v *Value) bool { return k.later && v.Type == Null }

// NewKind returns the kind called name with the given columns. It panics if a
// name is used twice.
func NewKind(name string, columns ...Column) *Kind {
	k := &Kind{Name: name, Columns: columns}
	for i, c := range columns {
		at := key{i, c.Name, `"` + c.Name + `":`, c.Later}
		if c.Sealed {
			k.sealed = append(k.sealed, at)
		} else {
			k.open = append(k.open, at)
		}
	}
	for _, keys := range [][]key{k.open, k.sealed} {
		slices.SortFunc(keys, func(a, b key) int { return strings.Compare(a.name, b.name) })
		for i := 1; i < len(keys); i++ {
			if keys[i].name == keys[i-1].name {
				panic("evidence: kind " + name + " has two columns " + keys[i].name)
			}
		}
	}
	return k
}

// Salter derives the salts of the sealed columns of one case from its secret.
type Salter struct{ pool sync.Pool }

// NewSalter returns the Salter of the case that has the given secret, which is
// 32 random bytes.
func NewSalter(secret []byte) *Salter {
	secret = slices.Clone(secret)
	return &Salter{pool: sync.Pool{New: func() any {
		return &salting{name: slices.Clone(secret), secret: len(secret)}
	}}}
}

// salting is the scratch space of one leaf.
type salting struct {
	secret int    // its length
	name   []byte // secret, name of the record
	sub    []byte // salt of the record, name of the column
	buf    []byte // salt of the column, canonical value
}

func (s *salting) record(kind string, id int64) {
	s.name = append(append(s.name[:s.secret], kind...), '/')
	s.name = strconv.AppendInt(s.name, id, 10)
	sum := sha256.Sum256(s.name)
	s.sub = append(s.sub[:0], sum[:]...)
}

func (s *salting) column(name string) [sha256.Size]byte {
	s.sub = append(s.sub[:sha256.Size], name...)
	return sha256.Sum256(s.sub)
}

func (s *salting) commit(name string, v *Value) [sha256.Size]byte {
	salt := s.column(name)
	s.buf = AppendJSON(append(s.buf[:0], salt[:]...), v)
	return sha256.Sum256(s.buf)
}

// maxScratch is the largest scratch buffer that is kept for the next leaf.
const maxScratch = 64 << 10

func (s *Salter) get(kind string, id int64) *salting {
	x := s.pool.Get().(*salting)
	x.record(kind, id)
	return x
}

func (s *Salter) put(x *salting) {
	if cap(x.buf) > maxScratch {
		x.buf = nil
	}
	s.pool.Put(x)
}

// Salt returns the salt of one column of one record: SHA-256(r || column),
// where r is SHA-256(secret || kind "/" id). Only salts of columns are ever
// given away, so no construction against extending r is needed.
func (s *Salter) Salt(kind string, id int64, column string) [sha256.Size]byte {
	x := s.get(kind, id)
	defer s.put(x)
	return x.column(column)
}

// Commitment returns what stands for v in a leaf when its column is sealed.
func Commitment(salt [sha256.Size]byte, v Value) [sha256.Size]byte {
	return sha256.Sum256(AppendJSON(salt[:], &v))
}

// AppendLeaf appends the leaf of a record to dst. values are in the order of
// k.Columns.
func (k *Kind) AppendLeaf(dst []byte, s *Salter, id int64, values []Value) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendInt(dst, id, 10)
	dst = append(dst, `,"kind":"`...)
	dst = append(dst, k.Name...)
	dst = append(dst, `","open":{`...)
	first := true
	for i := range k.open {
		at := &k.open[i]
		if at.absent(&values[at.column]) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = AppendJSON(append(dst, at.json...), &values[at.column])
	}
	dst = append(dst, `},"sealed":{`...)
	if len(k.sealed) > 0 {
		x := s.get(k.Name, id)
		first := true
		for i := range k.sealed {
			at := &k.sealed[i]
			if at.absent(&values[at.column]) {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(append(dst, at.json...), '"')
			sum := x.commit(at.name, &values[at.column])
			dst = base64.StdEncoding.AppendEncode(dst, sum[:])
			dst = append(dst, '"')
		}
		s.put(x)
	}
	return append(dst, '}', '}')
}

var leaves = sync.Pool{New: func() any { return new([]byte) }}

// LeafHash returns the hash of a record's leaf: SHA-256(0x00 || leaf).
func (k *Kind) LeafHash(s *Salter, id int64, values []Value) tlog.Hash {
	p := leaves.Get().(*[]byte)
	b := k.AppendLeaf(append((*p)[:0], 0), s, id, values)
	sum := sha256.Sum256(b)
	if cap(b) <= maxScratch {
		*p = b
	}
	leaves.Put(p)
	return sum
}
