package store

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"constat/proxy/flow"
)

// childEnv makes the test program write into the case it names, and say on
// standard output what Commit has acknowledged, until it is killed.
const childEnv = "CONSTAT_STORE_TEST_CASE"

func child() {
	path := os.Getenv(childEnv)
	c, err := Open(context.Background(), Config{Path: path, KeyFile: filepath.Join(filepath.Dir(path), "key.pem"), Tool: "child"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	// One exchange and one connection stay open, with bodies half way.
	open := testExchange(0, nil, nil)
	open.Path = "/open"
	check(c.Begin(open))
	open.Response.Body = flow.NewBody(c, open, 1<<30)
	_, err = open.Response.Body.Write(random(2*flow.ChunkSize+100, 1))
	check(err)
	check(c.Begin(&flow.Connection{Opened: epoch, Host: "open.example"}))
	f := &flow.Frame{Exchange: open.ID, Direction: flow.Up, Opcode: 2}
	f.Payload = flow.NewBody(c, f, 1<<30)
	_, err = f.Payload.Write(random(flow.ChunkSize+1, 2))
	check(err)

	var mu sync.Mutex
	out := bufio.NewWriter(os.Stdout)
	for g := range 8 {
		go func() {
			rnd := rand.New(rand.NewPCG(uint64(g), uint64(os.Getpid())))
			for i := 0; ; i++ {
				e := testExchange(i, random(rnd.IntN(3000), rnd.Uint64()), nil)
				check(c.Begin(e))
				size := rnd.IntN(2000)
				if i%50 == 0 {
					size = 2*flow.ChunkSize + rnd.IntN(1000)
				}
				b := flow.NewBody(c, e, 1<<30)
				_, err := b.Write(random(size, rnd.Uint64()))
				check(err)
				b.Close(true)
				e.Response.Body = b
				check(c.Commit(context.Background(), e))
				mu.Lock()
				fmt.Fprintf(out, "%d %x\n", e.ID, b.SHA256())
				check(out.Flush())
				mu.Unlock()
			}
		}()
	}
	select {}
}

// TestKill kills a process that commits under load, ten times over on the same
// case. Whatever it had acknowledged must be there.
func TestKill(t *testing.T) {
	cfg := testConfig(t)
	acknowledged := map[int64]string{}
	const kills = 10
	for range kills {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+cfg.Path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			id, sum, ok := strings.Cut(lines.Text(), " ")
			number, err := strconv.ParseInt(id, 10, 64)
			if !ok || err != nil || len(sum) != 64 {
				break // the line that it died in
			}
			if acknowledged[number] != "" {
				t.Errorf("exchange %d was given twice", number)
			}
			acknowledged[number] = sum
			if n == 150 {
				if err := cmd.Process.Kill(); err != nil {
					t.Error(err)
				}
			}
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("the child was not killed: %v", err)
		}
		cancel()
	}
	if len(acknowledged) < kills*150 {
		t.Fatalf("only %d exchanges acknowledged", len(acknowledged))
	}

	start := time.Now()
	c := openCase(t, cfg)
	if d := time.Since(start); d > time.Second {
		t.Errorf("opening after the kill took %v", d)
	}
	for id, sum := range acknowledged {
		e, err := c.Exchange(t.Context(), id)
		if err != nil {
			t.Fatalf("acknowledged exchange %d: %v", id, err)
		}
		if got := fmt.Sprintf("%x", e.Response.Body.SHA256()); got != sum || e.Error != "" {
			t.Errorf("exchange %d has body %s, want %s, and error %q", id, got, sum, e.Error)
		}
	}
	for query, least := range map[string]int{
		"SELECT count(*) FROM requests WHERE path = '/open' AND error LIKE 'cut_off: %' AND response_bytes = 524288":                     kills,
		"SELECT count(*) FROM connections WHERE host = 'open.example' AND outcome = 'cut_off'":                                           kills,
		"SELECT count(*) FROM frame WHERE size = 262144 AND complete = 0 AND exchange IN (SELECT id FROM requests WHERE path = '/open')": kills,
	} {
		var n int
		if err := c.DB().QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n < least {
			t.Errorf("%s: %d, want %d", query, n, least)
		}
	}
	var ok string
	if err := c.DB().QueryRow("PRAGMA integrity_check").Scan(&ok); err != nil || ok != "ok" {
		t.Errorf("integrity_check: %s %v", ok, err)
	}
	if n := count(t, c.DB(), "open_record"); n != 0 {
		t.Errorf("%d records are still open", n)
	}
}

func count(t testing.TB, db *sql.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// cpuTime is the CPU time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
