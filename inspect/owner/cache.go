package owner

import "sync"

// maxCached entries are kept in a cache. A phone meets some hundred names and
// networks; a hostile one may make up as many as it likes.
const maxCached = 4096

// cache remembers answers. When it is full it forgets all of them.
type cache[K comparable, V any] struct {
	mu sync.RWMutex
	m  map[K]V
}

func newCache[K comparable, V any]() *cache[K, V] { return &cache[K, V]{m: map[K]V{}} }

func (c *cache[K, V]) get(k K) (V, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	v, ok := c.m[k]
	return v, ok
}

func (c *cache[K, V]) put(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.m) >= maxCached {
		clear(c.m)
	}
	c.m[k] = v
}
