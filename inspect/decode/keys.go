package decode

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// keys are the keys of one JSON document that are plain and have no escapes. The
// objects of a list have the same keys in the same order: one is first compared
// with that which followed the key before it the last time.
type keys struct {
	list  []key   // the first stands for those that are not in it
	last  int32   // index of the key that was read last
	table []int32 // an open hash table of them, a power of two long and at most half full
	open  []int32 // the first ones of the objects that are open, the innermost last
}

// key is a key as it stands in the document, quotes and a colon that follows at
// once included.
type key struct {
	start, end, size int    // of which size is the key itself
	next             int32  // index of the key that followed it last, 0 none
	object           uint32 // number of the object that it was in last
}

const (
	leastKeys = 64   // length of the table at first
	mostKeys  = 4096 // beyond which they are not told apart
)

func (k *keys) reset() {
	if len(k.list) != 1 {
		k.list = append(k.list[:0], key{})
		k.table = append(k.table[:0], make([]int32, leastKeys)...)
	}
	k.last, k.open = 0, k.open[:0]
}

// follows returns the key at the start of d if it is the one that followed the
// key before it the last time.
func (k *keys) follows(all, d []byte) (n int32, ok bool) {
	n = k.list[k.last].next
	next := &k.list[n]
	return n, n > 0 && bytes.HasPrefix(d, all[next.start:next.end])
}

// find returns the index of the key d[start:end], 0 when it is one too many.
func (k *keys) find(d []byte, start, end int) int32 {
	slot := k.slot(d, d[start:end])
	if *slot > 0 {
		return *slot
	}
	n := len(k.list)
	if n > mostKeys {
		return 0
	}
	found := key{start: start - 1, end: end + 1, size: end - start}
	if found.end < len(d) && d[found.end] == ':' {
		found.end++
	}
	*slot, k.list = int32(n), append(k.list, found)
	if 2*n > len(k.table) {
		k.table = append(k.table[:0], make([]int32, 2*len(k.table))...)
		for i := 1; i < len(k.list); i++ {
			*k.slot(d, k.list[i].text(d)) = int32(i)
		}
	}
	return int32(n)
}

// slot is where the index of a key stands or would stand.
func (k *keys) slot(d, text []byte) *int32 {
	for at := int(maphash.Bytes(jsonSeed, text)); ; at++ {
		slot := &k.table[at&(len(k.table)-1)]
		if *slot == 0 || bytes.Equal(k.list[*slot].text(d), text) {
			return slot
		}
	}
}

func (k *key) text(d []byte) []byte { return d[k.start+1 : k.start+1+k.size] }

// read notes that the key n was read inside an object, whose keys begin at from of
// k.open, and reports whether the object had it before, or may have had it.
func (k *keys) read(n int32, object uint32, from int) (repeat bool) {
	k.list[k.last].next, k.last = n, n
	const most = 64 // keys of an object that are looked through
	full := len(k.open)-from == most
	found := &k.list[n]
	if found.object >= object { // this object or one inside it has the key
		repeat = full || slices.Contains(k.open[from:], n)
	}
	found.object = object
	if !full {
		k.open = append(k.open, n)
	}
	return repeat
}
