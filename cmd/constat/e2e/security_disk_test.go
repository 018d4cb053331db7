package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// load sends requests on several connections until they fail, or until enough
// says that there are enough, and returns the paths of those that were answered
// in full.
func (c *instance) load(prefix string, size int, enough func(n int64)) (answered []string) {
	var mu sync.Mutex
	var n atomic.Int64
	var wg sync.WaitGroup
	for worker := range 6 {
		client := c.client(worker%2 == 1)
		wg.Go(func() {
			filler := make([]byte, size)
			for i := range 100_000 {
				path := fmt.Sprintf("/%s/%d/%d", prefix, worker, i)
				for j := range filler { // what compresses would not fill a disk
					filler[j] = byte(i*31+j*j+j>>3) ^ byte(worker*j>>7)
				}
				resp, err := client.Post("https://origin.test"+path, "application/octet-stream", bytes.NewReader(filler))
				if err != nil {
					return
				}
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK {
					return
				}
				mu.Lock()
				answered = append(answered, path)
				mu.Unlock()
				enough(n.Add(1))
			}
		})
	}
	wg.Wait()
	return answered
}

// lost counts the paths that are not in the case.
func lost(t *testing.T, caseFile string, answered []string) (n int) {
	t.Helper()
	logged := map[string]bool{}
	for _, path := range strings.Split(sqlite(t, caseFile, "SELECT path FROM requests WHERE status = 200 AND error = ''"), "\n") {
		logged[path] = true
	}
	for _, path := range answered {
		if !logged[path] {
			n++
		}
	}
	return n
}

// Row 21, beside TestKillLosesNothingAcknowledged: SIGTERM under load. The next
// start takes less than a second.
func TestTerminationLosesNothing(t *testing.T) {
	o := newOrigin(t, http.HandlerFunc(echo))
	dir := t.TempDir()
	caseFile, caDir := filepath.Join(dir, "case.constat"), filepath.Join(dir, "ca")
	var answered []string
	for round := range 3 {
		c := startIn(t, o, caseFile, caDir)
		answered = append(answered, c.load(fmt.Sprint(round), 500, func(n int64) {
			if n == 200 {
				c.cmd.Process.Signal(syscall.SIGTERM)
			}
		})...)
		if err := <-c.done; err != nil {
			t.Fatalf("ended with %v\n%s", err, c.stderr)
		}
		if n := lost(t, caseFile, answered); n > 0 {
			t.Errorf("%d of %d answers that a client saw are lost", n, len(answered))
		}
		verified(t, caseFile)
	}
	began := time.Now()
	c := startIn(t, o, caseFile, caDir)
	took := time.Since(began)
	c.stop()
	t.Logf("%d answers seen by clients, 0 lost; started again in %v", len(answered), took.Round(time.Millisecond))
	if took > time.Second {
		t.Errorf("started again in %v", took)
	}
}

// Row 22: the disk is full. Constat says so in one line, stops, and fails; what
// a client saw is there; once there is room, it goes on in the same case.
func TestDiskFull(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("constat-test", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("only root can mount a small disk (%v); the store's TestPagesFull shows it without one", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	o := newOrigin(t, http.HandlerFunc(echo))
	caseFile, caDir := filepath.Join(disk, "case.constat"), filepath.Join(t.TempDir(), "ca")
	c := startIn(t, o, caseFile, caDir)
	answered := c.load("full", 8000, func(int64) {})
	var err error
	select {
	case err = <-c.done:
	case <-time.After(30 * time.Second):
		t.Fatalf("constat goes on with a full disk, %d answers", len(answered))
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("ended with %v, want exit status 1", err)
	}
	told := 0
	for line := range strings.Lines(c.stderr.String()) {
		if strings.HasPrefix(line, "constat: ") {
			told++
			if !strings.Contains(line, "capture stopped") || !strings.Contains(line, "free some space and start again") {
				t.Errorf("constat said %q", line)
			}
		}
	}
	if told != 1 || strings.Contains(c.stderr.String(), "goroutine ") {
		t.Errorf("constat said:\n%s", c.stderr)
	}
	if len(answered) == 0 || lost(t, caseFile, answered) > 0 {
		t.Errorf("%d of %d answers are lost", lost(t, caseFile, answered), len(answered))
	}
	verified(t, caseFile)
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT, "size=40m"); err != nil {
		t.Fatal(err)
	}
	c = startIn(t, o, caseFile, caDir)
	c.servedOnce(t)
	c.stop()
	if n := lost(t, caseFile, append(answered, "/")); n > 0 {
		t.Errorf("%d answers are lost after the second start", n)
	}
	verified(t, caseFile)
	t.Logf("%d answers before the disk of 4 MiB was full, 0 lost", len(answered))
}

// Rows 20 and 22: a case that somebody changed does not verify, whatever they
// changed; one that is damaged is refused and left as it is.
func TestTamperingIsFound(t *testing.T) {
	c := start(t, newOrigin(t, http.HandlerFunc(echo)))
	c.load("evidence", 300, func(n int64) {
		if n == 30 {
			c.cmd.Process.Signal(os.Interrupt)
		}
	})
	if err := <-c.done; err != nil {
		t.Fatal(err)
	}
	verified(t, c.Case)
	whole, err := os.ReadFile(c.Case)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.constat")
	fresh := func(content []byte) {
		t.Helper()
		for _, suffix := range []string{"", "-wal", "-shm"} {
			os.Remove(copied + suffix)
		}
		if err := os.WriteFile(copied, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Anybody with the file can drop the triggers that refuse changes.
	var drop strings.Builder
	for _, name := range strings.Fields(sqlite(t, c.Case, "SELECT name FROM sqlite_schema WHERE type = 'trigger'")) {
		fmt.Fprintf(&drop, "DROP TRIGGER %s;", name)
	}
	for _, change := range []string{
		"UPDATE exchange SET host = 'innocent.example' WHERE id = (SELECT min(id) FROM exchange)",
		"UPDATE exchange SET request_head = CAST(replace(CAST(request_head AS TEXT), 'POST', 'GETX') AS BLOB) WHERE id = (SELECT max(id) FROM exchange)",
		"UPDATE exchange SET began = '2014-07-01T00:00:00.000000Z' WHERE id = (SELECT max(id) FROM exchange)",
		"DELETE FROM exchange WHERE id = (SELECT min(id) FROM exchange)",
		"DELETE FROM log WHERE seq = (SELECT max(seq) FROM log)",
		"DELETE FROM log WHERE seq > (SELECT max(seq) / 2 FROM log)",
		"DELETE FROM connection",
		"DELETE FROM chunk WHERE rowid = (SELECT max(rowid) FROM chunk)",
		"DELETE FROM report WHERE id = (SELECT max(id) FROM report)",
		"DELETE FROM checkpoint",
		"UPDATE checkpoint SET size = size - 1",
	} {
		fresh(whole)
		if out, err := exec.Command(need(t, "sqlite3"), copied, drop.String()+change+";").CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", change, err, out)
			continue
		}
		if _, stderr := constat(t, 1, "verify", copied); strings.Count(stderr, "\n") > 1 {
			t.Errorf("%s: verify says\n%s", change, stderr)
		}
	}
	// With its triggers a change is refused at once.
	fresh(whole)
	if out, err := exec.Command(need(t, "sqlite3"), copied, "DELETE FROM exchange").CombinedOutput(); err == nil {
		t.Errorf("evidence can be deleted: %s", out)
	}
	// A file that is half gone, and one with nothing of SQLite at its head.
	for name, content := range map[string][]byte{"half": whole[:len(whole)/2], "head": append(make([]byte, 100), whole[100:]...)} {
		fresh(content)
		constat(t, 1, "verify", copied)
		_, stderr := constat(t, 1, "run", "--listen", "127.0.0.1:0", "--ui", "off", "--case", copied, "--ca-dir", filepath.Dir(c.CA))
		if after, err := os.ReadFile(copied); err != nil || !bytes.Equal(after, content) || !strings.HasPrefix(stderr, "constat: ") {
			t.Errorf("%s: the damaged file was touched, or %q", name, stderr)
		}
	}
}
