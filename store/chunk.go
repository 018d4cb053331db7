package store

import (
	"bytes"
	"crypto/sha256"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"constat/proxy/flow"
)

type digest = [sha256.Size]byte

// chunk is a piece of a body on its way into the case. Its name is the hash of
// the body from its first byte to the chunk's last.
type chunk struct {
	name, parent digest
	hasParent    bool
	size         int64 // of the body to the end of this chunk
	codec        string
	data         []byte
}

// compressFrom is the size from which compressing is tried: below it, it saves
// less than it costs.
const compressFrom = 512

// packer compresses chunks. It is safe for concurrent use.
type packer struct {
	zstd *zstd.Encoder
	full sync.Pool // of *[]byte with room for any chunk, compressed or not
}

// fullRoom is the capacity of the buffers for large chunks, a little more than
// compressing can make of one.
const fullRoom = flow.ChunkSize + 4<<10

// buffer returns an empty buffer for n bytes.
func (p *packer) buffer(n int) []byte {
	if n < flow.ChunkSize/2 {
		return make([]byte, 0, n)
	}
	if b, ok := p.full.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, fullRoom)
}

// free takes a buffer back.
func (p *packer) free(b []byte) {
	if cap(b) == fullRoom {
		p.full.Put(&b)
	}
}

func newPacker() (*packer, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(flow.ChunkSize), zstd.WithLowerEncoderMem(true))
	return &packer{zstd: e}, err
}

// pack returns data as it is to be stored, in memory of its own, and whether
// compressing it paid: it must save a tenth.
func (p *packer) pack(data []byte, try bool) (codec string, packed []byte, paid bool) {
	if !try || len(data) < compressFrom || coded(data) {
		return "", append(p.buffer(len(data)), data...), false
	}
	packed = p.zstd.EncodeAll(data, p.buffer(len(data)+64))
	if len(packed) > len(data)-len(data)/10 {
		return "", append(packed[:0], data...), false
	}
	return codecZstd, packed, true
}

const codecZstd = "zstd"

// magics are the beginnings of formats that are compressed already.
var magics = [][]byte{
	{0x1f, 0x8b}, {0xff, 0xd8, 0xff}, []byte("\x89PNG"), []byte("GIF8"), {0x28, 0xb5, 0x2f, 0xfd}, []byte("PK\x03\x04"), []byte("OggS"), []byte("ID3"), []byte("wOF2"),
}

// coded recognises content that cannot be made smaller, by its first bytes.
func coded(data []byte) bool {
	return slices.ContainsFunc(magics, func(m []byte) bool { return bytes.HasPrefix(data, m) })
}

// known remembers the ids of chunks by their names, as many as fit in two
// generations: the newer is filled, and when it is full the older is
// forgotten. It is safe for concurrent use.
type known struct {
	mu       sync.Mutex
	new, old map[digest]int64
}

const knownGeneration = 32 << 10

func newKnown() *known { return &known{new: map[digest]int64{}} }

// id returns the id of a chunk, 0 when it is not known.
func (k *known) id(name *digest) int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	if id := k.new[*name]; id != 0 {
		return id
	}
	id := k.old[*name]
	if id != 0 {
		k.put(name, id)
	}
	return id
}

func (k *known) add(name *digest, id int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.put(name, id)
}

func (k *known) put(name *digest, id int64) {
	if len(k.new) >= knownGeneration {
		k.new, k.old = map[digest]int64{}, k.new
	}
	k.new[*name] = id
}

// stored is how a record's body is kept: by a chunk that is in the case, by
// new ones, or by what of it was spilled.
type stored struct {
	id      int64 // in the case, 0 for none
	chunks  int   // new ones, to be taken from op.chunks
	spilled int   // 1 + which of the open record's bodies; 0 for none
	name    digest
}

// addBody adds to p what is still to be stored of a closed body, and how to
// find the whole of it. It shares no memory with the body.
func (c *Case) addBody(p *op, b *flow.Body, which int) error {
	if b == nil || b.Kept() == 0 {
		p.stored = append(p.stored, stored{})
		return nil
	}
	tail := b.Tail()
	prev, spilled := b.Previous()
	if int64(spilled)*flow.ChunkSize+int64(len(tail)) != b.Kept() {
		return fmt.Errorf("commit: a body of %d bytes came without its content", b.Kept())
	}
	s := stored{name: b.KeptSHA256()}
	if spilled > 0 {
		s.spilled = 1 + which
	}
	if len(tail) == 0 {
		p.stored = append(p.stored, s)
		return nil
	}
	before := len(p.chunks)
	if s.id = c.known.id(&s.name); s.id == 0 {
		if spilled > 0 || len(tail) <= flow.ChunkSize {
			ch := chunk{name: s.name, parent: prev, hasParent: spilled > 0, size: b.Kept()}
			ch.codec, ch.data, _ = c.packer.pack(tail, true)
			p.chunks = append(p.chunks, ch)
		} else {
			p.chunks = c.appendSplit(p.chunks, tail)
		}
		s.chunks = len(p.chunks) - before
		for _, ch := range p.chunks[before:] {
			p.cost += len(ch.data)
		}
	}
	p.stored = append(p.stored, s)
	return nil
}

// appendSplit appends a whole body that is larger than a chunk.
func (c *Case) appendSplit(list []chunk, data []byte) []chunk {
	sum := sha256.New()
	var ch chunk
	try := true
	for off := 0; off < len(data); {
		piece := data[off:min(off+flow.ChunkSize, len(data))]
		off += len(piece)
		sum.Write(piece)
		ch.parent, ch.hasParent = ch.name, ch.size > 0
		sum.Sum(ch.name[:0])
		ch.size = int64(off)
		ch.codec, ch.data, try = c.packer.pack(piece, try)
		list = append(list, ch)
	}
	return list
}

const insertChunk = "INSERT INTO chunk(id, sha256, parent, size, codec, data) VALUES(?, ?, ?, ?, ?, ?)"

// addChunk adds a chunk, unless it is known to be there, and returns its id.
// parent is the id of the chunk before it, 0 when that has to be found.
func (w *writer) addChunk(ch *chunk, parent int64) (int64, error) {
	if id := w.known.id(&ch.name); id != 0 {
		return id, nil
	}
	id := w.chunkID + 1
	w.args = append(w.args[:0],
		driver.NamedValue{Ordinal: 1, Value: id},
		driver.NamedValue{Ordinal: 2, Value: ch.name[:]},
		driver.NamedValue{Ordinal: 4, Value: ch.size},
		driver.NamedValue{Ordinal: 5, Value: ch.codec},
		driver.NamedValue{Ordinal: 6, Value: ch.data})
	if ch.hasParent {
		if parent == 0 {
			var err error
			if parent, err = w.find(&ch.parent); err != nil {
				return 0, err
			}
		}
		w.args = append(w.args, driver.NamedValue{Ordinal: 3, Value: parent})
	}
	if _, err := w.conn.exec(insertChunk, w.args); err != nil {
		return 0, err
	}
	w.chunkID = id
	w.known.add(&ch.name, id)
	return id, nil
}

// find returns the id of a chunk that is in the case. Only for bodies without an
// open record is it needed at all, and only when these are streamed so slowly
// that the chunk was forgotten does it search.
func (w *writer) find(name *digest) (int64, error) {
	if id := w.known.id(name); id != 0 {
		return id, nil
	}
	id, err := w.conn.integer("SELECT id FROM chunk WHERE sha256 = ? LIMIT 1", name[:])
	if err == nil && id == 0 {
		err = errors.New("a chunk of a body is missing")
	}
	return id, err
}

// addStored adds the chunks of p's bodies and completes the arguments of its
// record with them.
func (w *writer) addStored(p *op) error {
	chunks := p.chunks
	for i, s := range p.stored {
		id := s.id
		last := int64(0) // spilled before
		if s.spilled > 0 && p.open != nil {
			last = p.open.chunks[s.spilled-1]
		}
		var err error
		switch {
		case s.chunks > 0:
			for n := range s.chunks {
				if id, err = w.addChunk(&chunks[n], last); err != nil {
					return err
				}
				last = id
			}
			chunks = chunks[s.chunks:]
		case id == 0 && last != 0:
			id = last
		case id == 0 && s.spilled > 0:
			if id, err = w.find(&s.name); err != nil {
				return err
			}
		}
		if id != 0 {
			p.args = append(p.args, driver.NamedValue{Ordinal: 3 + p.kind.bodies[i].chunk, Value: id})
		}
	}
	return nil
}
