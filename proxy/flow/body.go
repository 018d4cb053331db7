package flow

import (
	"crypto/sha256"
	"errors"
	"hash"
	"slices"
	"sync"
)

// ChunkSize is how much of a body is held in memory before it is handed to
// Recorder.Spill, and the size of every spilled chunk but the last.
const ChunkSize = 256 << 10

// Body takes in the bytes of a message body as they stream by: it counts them,
// hashes them and keeps them in chunks. It is for one goroutine at a time, and
// is read only after Close.
//
// Each chunk is known by the SHA-256 of the body from its first byte to the
// chunk's last (Prefix), so the last chunk of a whole body is known by the hash
// of the body itself, and bodies that begin alike share their chunks.
type Body struct {
	rec      Recorder
	limit    int64
	owner    Record
	hash     hash.Hash
	size     int64
	kept     int64
	tail     []byte           // not yet spilled
	buf      *[ChunkSize]byte // that tail is in; nil while it is small, and after Close
	prev     [sha256.Size]byte
	spilled  int // chunks handed to rec
	keptSum  [sha256.Size]byte
	over     bool // more came than is kept
	sum      [sha256.Size]byte
	closed   bool
	complete bool
	err      error
	ref      int64
}

// NewBody returns an empty body of the open record owner that keeps at most
// limit bytes, and hashes and counts the rest. A nil Recorder keeps everything
// in memory.
func NewBody(rec Recorder, owner Record, limit int64) *Body {
	return &Body{rec: rec, limit: limit, owner: owner, hash: sha256.New()}
}

// BodyOf returns a closed, complete body that holds data, which it keeps.
func BodyOf(data []byte) *Body {
	b := &Body{hash: sha256.New(), limit: int64(len(data)), tail: data, size: int64(len(data)), kept: int64(len(data)), closed: true, complete: true}
	b.sum = sha256.Sum256(data)
	b.keptSum = b.sum
	return b
}

// Write takes in the next bytes. It copies what it keeps. The only errors are
// the Recorder's, and then the transfer must be ended.
func (b *Body) Write(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.closed {
		return 0, errors.New("write to a closed body")
	}
	b.size += int64(len(p))
	for rest := p; len(rest) > 0; {
		room := b.limit - b.kept
		if room <= 0 {
			if !b.over {
				b.over = true
				b.hash.Sum(b.keptSum[:0])
			}
			b.hash.Write(rest)
			break
		}
		n := min(int64(len(rest)), room)
		if b.rec != nil {
			n = min(n, int64(ChunkSize-len(b.tail)))
		}
		b.hash.Write(rest[:n])
		if b.rec != nil {
			b.reserve(int(n))
		}
		b.tail = append(b.tail, rest[:n]...)
		b.kept += n
		rest = rest[n:]
		if len(b.tail) == ChunkSize && b.rec != nil {
			if err := b.spill(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

// smallTail is how much is held in memory of its own; what is longer is in a
// buffer that other bodies use as well.
const smallTail = 32 << 10

var tails = sync.Pool{New: func() any { return new([ChunkSize]byte) }}

// reserve makes room for n more bytes, with which tail is a chunk at most.
func (b *Body) reserve(n int) {
	if n += len(b.tail); n > cap(b.tail) && n > smallTail {
		b.buf = tails.Get().(*[ChunkSize]byte)
		b.tail = append(b.buf[:0], b.tail...)
	}
}

// settle puts what was not spilled into memory of its own, unless most of a
// buffer is needed for it.
func (b *Body) settle() {
	if b.buf == nil {
		return
	}
	if len(b.tail) <= ChunkSize/2 {
		b.tail = slices.Clone(b.tail)
		tails.Put(b.buf)
	}
	b.buf = nil
}

func (b *Body) spill() error {
	err := b.rec.Spill(b, b.tail)
	if err != nil {
		b.err = err
		return err
	}
	b.hash.Sum(b.prev[:0])
	b.spilled++
	b.tail = b.tail[:0]
	return nil
}

// Close ends the body. complete says whether the sender ended it properly, as
// against being cut off.
func (b *Body) Close(complete bool) {
	if b.closed {
		return
	}
	b.closed, b.complete = true, complete
	b.settle()
	b.hash.Sum(b.sum[:0])
	if b.kept == b.size {
		b.keptSum = b.sum
	}
}

// Owner is the record that the body belongs to, nil for a body made by BodyOf.
func (b *Body) Owner() Record { return b.owner }

// Size is the number of bytes that passed, Kept how many of them are kept.
func (b *Body) Size() int64 { return b.size }

// Kept is the number of bytes kept from the start of the body.
func (b *Body) Kept() int64 { return b.kept }

// Truncated says that the body went over the limit: it is hashed and counted
// to its end, but not kept to its end.
func (b *Body) Truncated() bool { return b.kept < b.size }

// Complete says that the sender ended the body properly.
func (b *Body) Complete() bool { return b.complete }

// SHA256 is the hash of all bytes that passed, KeptSHA256 of those kept: the
// same unless Truncated.
func (b *Body) SHA256() [sha256.Size]byte { return b.sum }

// KeptSHA256 is the hash of the bytes that are kept.
func (b *Body) KeptSHA256() [sha256.Size]byte { return b.keptSum }

// Prefix returns the hash of all bytes taken in so far. Called by
// Recorder.Spill, it is the name of the chunk being spilled.
func (b *Body) Prefix() (sum [sha256.Size]byte) {
	b.hash.Sum(sum[:0])
	return sum
}

// Previous returns the name of the chunk spilled before, and how many have
// been; the name means nothing when none has.
func (b *Body) Previous() (sum [sha256.Size]byte, spilled int) { return b.prev, b.spilled }

// Tail returns the kept bytes that were not spilled: the whole body when it is
// small. The caller must not change them.
func (b *Body) Tail() []byte { return b.tail }

// StoredBody returns a closed body that has the facts of one kept elsewhere,
// and no content of its own. ref says to whoever keeps it where it is.
func StoredBody(size, kept int64, sum, keptSum [sha256.Size]byte, complete bool, ref int64) *Body {
	return &Body{size: size, kept: kept, sum: sum, keptSum: keptSum, closed: true, complete: complete, ref: ref}
}

// Ref is what StoredBody was given, 0 for other bodies.
func (b *Body) Ref() int64 { return b.ref }
