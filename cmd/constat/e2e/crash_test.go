package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// kills is how often the program is killed under load.
const kills = 20

// Whatever a client saw complete is in the log, however the program ends.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	o := newOrigin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/slow") {
			w.Write([]byte("begin"))
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		echo(w, r)
	}))
	dir := t.TempDir()
	caseFile, caDir := filepath.Join(dir, "case.constat"), filepath.Join(dir, "ca")
	var acknowledged sync.Map
	total := 0
	for round := range kills {
		c := startIn(t, o, caseFile, caDir)
		var wg sync.WaitGroup
		var n atomic.Int64
		// One exchange stays open, and must appear as cut off.
		wg.Go(func() {
			resp, err := c.client(false).Get(fmt.Sprintf("https://origin.test/slow/%d", round))
			if err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
		for worker := range 8 {
			client := c.client(worker%2 == 1)
			wg.Go(func() {
				for i := 0; ; i++ {
					id := fmt.Sprintf("/r%d/w%d/%d", round, worker, i)
					resp, err := client.Post("https://origin.test"+id, "text/plain", bytes.NewReader(bytes.Repeat([]byte(id), 50)))
					if err != nil {
						return
					}
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if err != nil {
						return
					}
					acknowledged.Store(id, true)
					n.Add(1)
				}
			})
		}
		// Under load, not after a time: the kill comes in the middle of it.
		for deadline := time.Now().Add(20 * time.Second); n.Load() < int64(150+37*round); {
			if time.Now().After(deadline) {
				t.Fatalf("round %d: %d answers in 20 s", round, n.Load())
			}
			time.Sleep(time.Millisecond)
		}
		c.kill()
		wg.Wait()
		total += int(n.Load())
	}
	c := startIn(t, o, caseFile, caDir)
	c.stop()
	logged := map[string]bool{}
	for _, path := range strings.Split(sqlite(t, caseFile, "SELECT path FROM requests WHERE status = 200 AND coalesce(error, '') = ''"), "\n") {
		logged[path] = true
	}
	lost := 0
	acknowledged.Range(func(id, _ any) bool {
		if !logged[id.(string)] {
			lost++
		}
		return true
	})
	if lost > 0 {
		t.Errorf("%d of %d answers that a client saw are not in the log", lost, total)
	}
	if got := sqlite(t, caseFile, "SELECT count(DISTINCT path) FROM requests WHERE path LIKE '/slow/%' AND error LIKE 'cut_off%'"); got != fmt.Sprint(kills) {
		t.Errorf("%s open exchanges appear as cut off, want %d", got, kills)
	}
	verified(t, caseFile)
	t.Logf("%d kills under load, %d answers seen by clients, %d lost", kills, total, lost)
}
