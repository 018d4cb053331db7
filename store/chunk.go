package store

import (
	"bytes"
	"crypto/sha256"
	"database/sql/driver"
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
type packer struct{ zstd *zstd.Encoder }

func newPacker() (*packer, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(flow.ChunkSize), zstd.WithLowerEncoderMem(true))
	return &packer{e}, err
}

// pack returns data as it is to be stored, in memory of its own, and whether
// compressing it paid: it must save a tenth.
func (p *packer) pack(data []byte, try bool) (codec string, packed []byte, paid bool) {
	if !try || len(data) < compressFrom || coded(data) {
		return "", slices.Clone(data), false
	}
	packed = p.zstd.EncodeAll(data, make([]byte, 0, len(data)/2+64))
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

// known remembers the names of chunks that are in the case, as many as fit in
// two generations: the newer is filled, and when it is full the older is
// forgotten. It is safe for concurrent use.
type known struct {
	mu       sync.Mutex
	new, old map[digest]struct{}
}

const knownGeneration = 32 << 10

func newKnown() *known { return &known{new: map[digest]struct{}{}} }

func (k *known) has(name *digest) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.new[*name]; ok {
		return true
	}
	if _, ok := k.old[*name]; !ok {
		return false
	}
	k.put(name)
	return true
}

func (k *known) add(name *digest) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.put(name)
}

func (k *known) put(name *digest) {
	if len(k.new) >= knownGeneration {
		k.new, k.old = map[digest]struct{}{}, k.new
	}
	k.new[*name] = struct{}{}
}

// appendChunks appends what is still to be stored of a closed body. It shares
// no memory with the body.
func (c *Case) appendChunks(list []chunk, b *flow.Body) ([]chunk, error) {
	if b == nil || b.Kept() == 0 {
		return list, nil
	}
	tail := b.Tail()
	prev, spilled := b.Previous()
	if int64(spilled)*flow.ChunkSize+int64(len(tail)) != b.Kept() {
		return list, fmt.Errorf("commit: a body of %d bytes came without its content", b.Kept())
	}
	if len(tail) == 0 {
		return list, nil
	}
	name := b.KeptSHA256()
	if c.known.has(&name) {
		return list, nil
	}
	if spilled > 0 || len(tail) <= flow.ChunkSize {
		ch := chunk{name: name, parent: prev, hasParent: spilled > 0, size: b.Kept()}
		ch.codec, ch.data, _ = c.packer.pack(tail, true)
		return append(list, ch), nil
	}
	return c.appendSplit(list, tail), nil
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

const (
	insertChunk   = `INSERT INTO chunk(sha256, parent, size, codec, data) VALUES(?, NULL, ?, ?, ?) ON CONFLICT(sha256) DO NOTHING`
	insertFurther = `INSERT INTO chunk(sha256, parent, size, codec, data)
		VALUES(?1, (SELECT id FROM chunk WHERE sha256 = ?5), ?2, ?3, ?4) ON CONFLICT(sha256) DO NOTHING`
)

// insertChunk adds a chunk unless it is there.
func (w *writer) insertChunk(ch *chunk) error {
	w.args = append(w.args[:0],
		driver.NamedValue{Ordinal: 1, Value: ch.name[:]},
		driver.NamedValue{Ordinal: 2, Value: ch.size},
		driver.NamedValue{Ordinal: 3, Value: ch.codec},
		driver.NamedValue{Ordinal: 4, Value: ch.data})
	query := insertChunk
	if ch.hasParent {
		query = insertFurther
		w.args = append(w.args, driver.NamedValue{Ordinal: 5, Value: ch.parent[:]})
	}
	if _, err := w.conn.exec(query, w.args); err != nil {
		return err
	}
	w.known.add(&ch.name)
	return nil
}
