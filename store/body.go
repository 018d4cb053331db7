package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"

	"constat/proxy/flow"
)

// Body opens what is kept of a body that Exchange or Frames returned. The
// bytes are not checked against their hash; Verify does that.
func (r *Reader) Body(ctx context.Context, b *flow.Body) (io.ReadCloser, error) {
	if b == nil || b.Kept() == 0 {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	if _, spilled := b.Previous(); spilled == 0 && int64(len(b.Tail())) == b.Kept() {
		return io.NopCloser(bytes.NewReader(b.Tail())), nil
	}
	if b.Kept() <= flow.ChunkSize { // one query that is kept, instead of two that are not
		data := make([]byte, b.Kept())
		if err := r.readPrefix(ctx, b, data); err != nil {
			return nil, err
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	ids, err := chain(ctx, r.db, b)
	if err != nil {
		return nil, err
	}
	return &bodyReader{ctx: ctx, r: r, ids: ids}, nil
}

// lastChunk returns by what the last chunk of a body is found. A body that was written
// by this process does not know where it ended up.
func lastChunk(b *flow.Body) (start string, arg any) {
	if b.Ref() != 0 {
		return "id = ?", b.Ref()
	}
	name := b.KeptSHA256()
	return "sha256 = ?", name[:]
}

// chunksOf begins a query on the chunks of a body, which are c, the last first.
// The limit, the second parameter, is for a damaged file that has a circle.
func chunksOf(start string) string {
	return `
		WITH RECURSIVE c(id, parent) AS (
			SELECT * FROM (SELECT id, parent FROM chunk WHERE ` + start + ` LIMIT 1)
			UNION ALL
			SELECT k.id, k.parent FROM c JOIN chunk k ON k.id = c.parent
			LIMIT ?)
		`
}

// chain returns the ids of the chunks of a body, the last first.
func chain(ctx context.Context, q queryer, b *flow.Body) (ids []int64, err error) {
	start, arg := lastChunk(b)
	rows, err := q.QueryContext(ctx, chunksOf(start)+"SELECT id FROM c", arg, b.Kept()/flow.ChunkSize+1)
	if err != nil {
		return nil, sqlError("read body", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, sqlError("read body", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, sqlError("read body", err)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("read body: %w", ErrNotFound)
	}
	return ids, nil
}

// readPrefix reads the beginning of a body, as much as data holds. It does so in
// one query, by which SQLite hands over each chunk without a copy more than it
// makes itself.
func (r *Reader) readPrefix(ctx context.Context, b *flow.Body, data []byte) error {
	start, arg := lastChunk(b)
	query := "SELECT k.size, k.codec, k.data FROM chunk k WHERE k." + start + " LIMIT 1"
	args := []any{arg}
	if b.Kept() > flow.ChunkSize {
		// Where the chunks end is known before their data is touched.
		query = chunksOf(start) + "SELECT k.size, k.codec, k.data FROM c CROSS JOIN chunk k ON k.id = c.id WHERE k.size < ?"
		args = []any{arg, b.Kept()/flow.ChunkSize + 1, len(data) + flow.ChunkSize}
	}
	stmt, err := r.prepared(ctx, query)
	if err != nil {
		return sqlError("read body", err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return sqlError("read body", err)
	}
	defer rows.Close()
	left, before := len(data), int64(math.MaxInt64)
	for rows.Next() {
		var size int64
		var codec string
		var packed sql.RawBytes
		if err := rows.Scan(&size, &codec, &packed); err != nil {
			return sqlError("read body", err)
		}
		// All chunks but the last are of the same size.
		begin := (size - 1) / flow.ChunkSize * flow.ChunkSize
		if begin < 0 || begin >= before {
			// What is not filled would be what another body left there.
			return errors.New("read body: its chunks overlap")
		}
		if before = begin; begin >= int64(len(data)) {
			continue
		}
		n, err := r.unpackInto(data[begin:min(begin+flow.ChunkSize, int64(len(data)))], int(size-begin), codec, packed)
		if err != nil {
			return fmt.Errorf("read body: %w", err)
		}
		left -= n
	}
	if err := rows.Err(); err != nil {
		return sqlError("read body", err)
	}
	if left != 0 {
		return fmt.Errorf("read body: %w", ErrNotFound)
	}
	return nil
}

// unpackInto unpacks the beginning of a chunk of size bytes into out, and returns
// how many they are.
func (r *Reader) unpackInto(out []byte, size int, codec string, packed []byte) (int, error) {
	data := packed
	if codec == codecZstd {
		var err error
		room := out
		if len(room) < size {
			room = make([]byte, size)
		}
		if data, err = r.zstd.DecodeAll(packed, room[:0:size]); err != nil {
			return 0, err
		}
	} else if codec != "" {
		return 0, fmt.Errorf("unknown codec %q", codec)
	}
	if len(data) != size {
		return 0, errors.New("a chunk is not as long as it says")
	}
	return copy(out, data), nil // onto itself, mostly, when it was unpacked
}

// bodyReader reads a body chunk by chunk.
type bodyReader struct {
	ctx  context.Context // of the one read that the value lives for
	r    *Reader
	ids  []int64 // still to come, the next one last
	data []byte
}

func (b *bodyReader) Read(p []byte) (int, error) {
	for len(b.data) == 0 {
		if len(b.ids) == 0 {
			return 0, io.EOF
		}
		last := len(b.ids) - 1
		var err error
		if b.data, err = b.r.chunk(b.ctx, b.r.db, b.ids[last]); err != nil {
			return 0, err
		}
		b.ids = b.ids[:last]
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

func (b *bodyReader) Close() error {
	b.ids, b.data = nil, nil
	return nil
}

// rowQueryer is a pool or a transaction.
type rowQueryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// chunk reads and unpacks one chunk.
func (r *Reader) chunk(ctx context.Context, q rowQueryer, id int64) ([]byte, error) {
	var codec string
	var data []byte
	err := q.QueryRowContext(ctx, "SELECT codec, data FROM chunk WHERE id = ?", id).Scan(&codec, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read chunk %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, sqlError("read body", err)
	}
	data, err = r.unpack(codec, data)
	if err != nil {
		return nil, fmt.Errorf("read chunk %d: %w", id, err)
	}
	return data, nil
}

func (r *Reader) unpack(codec string, data []byte) ([]byte, error) {
	switch codec {
	case "":
		return data, nil
	case codecZstd:
		return r.zstd.DecodeAll(data, nil)
	}
	return nil, fmt.Errorf("unknown codec %q", codec)
}
