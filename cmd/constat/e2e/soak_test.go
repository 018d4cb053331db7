package e2e

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Memory does not grow with what has been recorded: it is measured after a fifth
// of the time, but not before the heap has found its size, and at the end, as
// after one minute and five of a long run. The time is 30 s; CONSTAT_SOAK=5m
// makes it longer.
func TestMemoryStaysFlat(t *testing.T) {
	span := 30 * time.Second
	if text, ok := os.LookupEnv("CONSTAT_SOAK"); ok {
		var err error
		if span, err = time.ParseDuration(text); err != nil {
			t.Fatalf("CONSTAT_SOAK: %v", err)
		}
	}
	c := start(t, newOrigin(t, http.HandlerFunc(echo)))
	var wg sync.WaitGroup
	var stopped atomic.Bool
	var n atomic.Int64
	for worker := range 8 {
		client := c.client(worker%2 == 1)
		wg.Go(func() {
			body := make([]byte, 2048)
			for !stopped.Load() {
				rand.Read(body)
				resp, err := client.Post("https://origin.test/soak", "application/octet-stream", bytes.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				n.Add(1)
			}
		})
	}
	warm := max(span/5, 12*time.Second)
	time.Sleep(warm)
	early, _ := c.rss()
	first := n.Load()
	time.Sleep(span - warm)
	late, peak := c.rss()
	stopped.Store(true)
	wg.Wait()
	t.Logf("RSS %d MiB after %d exchanges, %d MiB after %d, peak %d MiB", early>>20, first, late>>20, n.Load(), peak>>20)
	if n.Load() < first+first/2 {
		t.Fatalf("%d exchanges early, %d in all: no steady load", first, n.Load())
	}
	// What was seen before is remembered in caches of a fixed size, which take 70,000
	// exchanges to fill. A short run sees them fill.
	caches := int64(0)
	if first < 70_000 {
		caches = 10 << 20
	}
	if ratio := float64(late-caches) / float64(early); ratio > 1.2 {
		t.Errorf("memory grew to %.2f times what it was, want 1.2 at most", ratio)
	}
	c.stop()
	verified(t, c.Case)
}
