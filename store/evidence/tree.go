package evidence

import (
	"crypto/sha256"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is the right edge of a Merkle tree (RFC 6962 section 2.1): enough to
// append to it and to know its root, in memory that grows with the logarithm
// of its size. The zero value is the empty tree. It is for one goroutine.
type Tree struct {
	size int64
	edge []tlog.Hash // roots of the complete subtrees, largest first
}

// Size is the number of leaves.
func (t *Tree) Size() int64 { return t.size }

// SubtreeLevel is the level of the subtrees whose roots a case keeps, so that
// the tree can be loaded without reading every leaf: 256 leaves each.
const SubtreeLevel = 8

// Append adds the hash of a leaf. When that completes a subtree of SubtreeLevel,
// complete is true and subtree is its root.
func (t *Tree) Append(h tlog.Hash) (subtree tlog.Hash, complete bool) {
	level := 0
	for n := t.size; n&1 == 1; n >>= 1 {
		h = t.merge(h)
		if level++; level == SubtreeLevel {
			subtree, complete = h, true
		}
	}
	t.edge = append(t.edge, h)
	t.size++
	return subtree, complete
}

// AppendSubtree adds the root of a complete subtree of SubtreeLevel. The size so
// far must be a multiple of its leaves.
func (t *Tree) AppendSubtree(h tlog.Hash) {
	for n := t.size >> SubtreeLevel; n&1 == 1; n >>= 1 {
		h = t.merge(h)
	}
	t.edge = append(t.edge, h)
	t.size += 1 << SubtreeLevel
}

// merge takes the last root off the edge and joins h to its right.
func (t *Tree) merge(h tlog.Hash) tlog.Hash {
	last := len(t.edge) - 1
	h = nodeHash(t.edge[last], h)
	t.edge = t.edge[:last]
	return h
}

// Root returns the root; of the empty tree it is the hash of nothing.
func (t *Tree) Root() tlog.Hash {
	if t.size == 0 {
		root, _ := tlog.TreeHash(0, nil)
		return root
	}
	h := t.edge[len(t.edge)-1]
	for i := len(t.edge) - 2; i >= 0; i-- {
		h = nodeHash(t.edge[i], h)
	}
	return h
}

// nodeHash is tlog.NodeHash without its allocations.
func nodeHash(left, right tlog.Hash) tlog.Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}
