package inspect

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// Subjects that unpack to much are taken one at a time, small ones beside them.
func TestLargeSubjectsWaitForEachOther(t *testing.T) {
	var large, most atomic.Int64
	holding, release := make(chan struct{}), make(chan struct{})
	var first sync.Once
	in := mustNew(t, Config{Decoders: []Decoder{{Name: "unpack", Doc: "makes much of an L", Decode: func(w *Work, p *Part) ([]Child, error) {
		if string(p.Data) != "L" {
			return nil, nil
		}
		w.Reserve(largeBytes + 1)
		if n := large.Add(1); n > most.Load() {
			most.Store(n)
		}
		first.Do(func() { close(holding); <-release })
		for range 100 {
			runtime.Gosched()
		}
		large.Add(-1)
		return nil, nil
	}}}})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { in.Inspect(context.Background(), body("L")) })
	}
	<-holding
	if r := in.Inspect(context.Background(), body("small")); r.Parts != 1 {
		t.Errorf("a small subject beside a large one: %d parts", r.Parts)
	}
	close(release)
	wg.Wait()
	if most.Load() != 1 {
		t.Errorf("%d large subjects at a time", most.Load())
	}
}
