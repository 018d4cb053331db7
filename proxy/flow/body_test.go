package flow

import (
	"bytes"
	"context"
	"crypto/sha256"
	"math/rand/v2"
	"testing"
)

// chunks is a Recorder that only keeps the chunks it is given.
type chunks struct {
	data  [][]byte
	names [][32]byte
}

func (c *chunks) Begin(Record) error                   { return nil }
func (c *chunks) Commit(context.Context, Record) error { return nil }
func (c *chunks) Spill(b *Body, p []byte) error {
	c.data = append(c.data, bytes.Clone(p))
	c.names = append(c.names, b.Prefix())
	return nil
}

func TestBodyChunksAndHashes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, ChunkSize - 1, ChunkSize, ChunkSize + 1, 3*ChunkSize + 17} {
		for _, limit := range []int64{1 << 40, ChunkSize, ChunkSize / 2, 2*ChunkSize + 5} {
			data := make([]byte, size)
			for i := range data {
				data[i] = byte(rnd.Uint32())
			}
			rec := &chunks{}
			b := NewBody(rec, nil, limit)
			for rest := data; len(rest) > 0; {
				n := min(len(rest), 1+rnd.IntN(100_000))
				if _, err := b.Write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			b.Close(true)
			kept := data[:min(int64(size), limit)]
			got := append(bytes.Join(rec.data, nil), b.Tail()...)
			if !bytes.Equal(got, kept) {
				t.Errorf("size %d limit %d: kept %d bytes, want %d, or other bytes", size, limit, len(got), len(kept))
			}
			if b.SHA256() != sha256.Sum256(data) || b.KeptSHA256() != sha256.Sum256(kept) {
				t.Errorf("size %d limit %d: hash differs", size, limit)
			}
			if b.Size() != int64(size) || b.Kept() != int64(len(kept)) || b.Truncated() != (len(kept) < size) {
				t.Errorf("size %d limit %d: size %d kept %d truncated %v", size, limit, b.Size(), b.Kept(), b.Truncated())
			}
			off := 0
			for i, c := range rec.data {
				off += len(c)
				if rec.names[i] != sha256.Sum256(data[:off]) {
					t.Errorf("size %d limit %d: chunk %d is not named by its prefix", size, limit, i)
				}
			}
		}
	}
}

func TestBodyWithoutRecorderHoldsEverything(t *testing.T) {
	data := make([]byte, 3*ChunkSize+17)
	b := NewBody(nil, nil, int64(len(data)))
	for range 2 {
		if _, err := b.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	b.Close(false)
	if !bytes.Equal(b.Tail(), data) || b.Size() != 2*int64(len(data)) || b.Complete() {
		t.Errorf("kept %d of %d bytes, complete %v", len(b.Tail()), b.Size(), b.Complete())
	}
}
