package store

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"constat/store/evidence"
)

// InclusionProof proves that the record at seq is in the tree of the first size
// records (RFC 6962 section 2.1.1).
func (r *Reader) InclusionProof(ctx context.Context, seq, size int64) (tlog.RecordProof, error) {
	if seq < 0 || seq >= size {
		return nil, fmt.Errorf("prove record %d of %d: %w", seq, size, ErrNotFound)
	}
	p, err := tlog.ProveRecord(size, seq, r.Hashes(ctx))
	if err != nil {
		return nil, fmt.Errorf("prove record %d of %d: %w", seq, size, err)
	}
	return p, nil
}

// ConsistencyProof proves that the tree of the first older records is the
// beginning of that of the first newer (RFC 6962 section 2.1.2).
func (r *Reader) ConsistencyProof(ctx context.Context, older, newer int64) (tlog.TreeProof, error) {
	if older < 1 || older > newer {
		return nil, fmt.Errorf("prove that %d records begin %d: %w", older, newer, ErrNotFound)
	}
	p, err := tlog.ProveTree(newer, older, r.Hashes(ctx))
	if err != nil {
		return nil, fmt.Errorf("prove that %d records begin %d: %w", older, newer, err)
	}
	return p, nil
}

// Hashes reads the nodes of the tree, computing those that are not kept from
// the leaves or from the subtrees below them.
func (r *Reader) Hashes(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			level, n := tlog.SplitStoredHashIndex(x)
			var err error
			if out[i], err = r.node(ctx, level, n); err != nil {
				return nil, err
			}
		}
		return out, nil
	})
}

// node returns the root of the n-th subtree of 2^level leaves.
func (r *Reader) node(ctx context.Context, level int, n int64) (tlog.Hash, error) {
	query, count := "SELECT hash FROM log WHERE seq >= ? AND seq < ? ORDER BY seq", int64(1)<<level
	if level >= evidence.SubtreeLevel {
		query, count = "SELECT hash FROM subtree WHERE n >= ? AND n < ? ORDER BY n", int64(1)<<(level-evidence.SubtreeLevel)
	}
	rows, err := r.db.QueryContext(ctx, query, n*count, (n+1)*count)
	if err != nil {
		return tlog.Hash{}, sqlError("read log", err)
	}
	defer rows.Close()
	// The roots below form a tree themselves.
	var t evidence.Tree
	for rows.Next() {
		var h []byte
		if err := rows.Scan(&h); err != nil {
			return tlog.Hash{}, sqlError("read log", err)
		}
		sum, err := hashOf(evidence.BlobValue(h))
		if err != nil {
			return tlog.Hash{}, err
		}
		t.Append(sum)
	}
	if err := rows.Err(); err != nil {
		return tlog.Hash{}, sqlError("read log", err)
	}
	if t.Size() != count {
		return tlog.Hash{}, fmt.Errorf("log: %w", ErrNotFound)
	}
	return t.Root(), nil
}
