package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

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
	ids, err := chain(ctx, r.db, b)
	if err != nil {
		return nil, err
	}
	return &bodyReader{ctx: ctx, r: r, ids: ids}, nil
}

// chain returns the ids of the chunks of a body, the last first.
func chain(ctx context.Context, q queryer, b *flow.Body) (ids []int64, err error) {
	// A body that was written by this process does not know where it ended up.
	name := b.KeptSHA256()
	start, arg := "sha256 = ?", any(name[:])
	if b.Ref() != 0 {
		start, arg = "id = ?", b.Ref()
	}
	// The limit is for a damaged file that has a circle.
	rows, err := q.QueryContext(ctx, `
		WITH RECURSIVE c(id, parent) AS (
			SELECT * FROM (SELECT id, parent FROM chunk WHERE `+start+` LIMIT 1)
			UNION ALL
			SELECT k.id, k.parent FROM c JOIN chunk k ON k.id = c.parent
			LIMIT ?)
		SELECT id FROM c`, arg, b.Kept()/flow.ChunkSize+1)
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
