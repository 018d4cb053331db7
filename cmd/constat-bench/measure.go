package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// result is one measurement.
type result struct {
	requests int
	errors   int
	first    error // of the errors
	elapsed  time.Duration
	p50      time.Duration
	cpu      time.Duration // of the proxy
	rss      int64         // peak, in bytes
	disk     float64       // the proxy's files, in bytes for each request ever made
}

// measure starts a proxy in dir, puts the load of s on it, and ends it.
func measure(ctx context.Context, o options, s scenario, k kind, org *origin, dir string) (result, error) {
	l := &load{origin: org, hosts: s.hosts}
	if k.start != nil {
		p, err := k.start(ctx, dir, s.hosts)
		if err != nil {
			return result{}, err
		}
		l.peer = p
	}
	if s.name == "S10" {
		l.sessions = tls.NewLRUClientSessionCache(s.hosts)
	}
	if s.http2 {
		l.clients = l.newHTTP2Clients(4)
	}
	r, err := l.run(ctx, s, o.duration)
	if l.peer == nil {
		return r, err
	}
	if e := l.peer.stop(); e != nil && k.name != "goproxy" && ctx.Err() == nil { // goproxy has no proper end
		err = errors.Join(err, fmt.Errorf("ending: %w\n%s", e, l.peer.said()))
	}
	if k.logged != nil && err == nil {
		n, e := k.logged(dir)
		if missing := l.number.Load() - n; e == nil && missing != 0 {
			r.errors++
			r.first = cmp.Or(r.first, fmt.Errorf("%d of %d requests are not in the log as they were", missing, l.number.Load()))
		}
		err = e
	}
	r.disk = float64(size(dir)) / float64(l.number.Load())
	return r, err
}

// run puts the load on a proxy that is up.
func (l *load) run(ctx context.Context, s scenario, d time.Duration) (result, error) {
	workers := make([]*worker, s.workers)
	for i := range workers {
		workers[i] = &worker{load: l, id: i}
		if s.kept {
			if err := s.step(workers[i]); err != nil {
				return result{}, fmt.Errorf("before the measurement: %w", err)
			}
			workers[i].times = nil
		}
	}
	before, err := l.settle()
	if err != nil {
		return result{}, err
	}
	began := time.Now()
	l.until.Store(began.Add(d).UnixNano())
	var r result
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, w := range workers {
		wg.Go(func() {
			defer w.close()
			for ctx.Err() == nil && time.Now().UnixNano() < l.until.Load() {
				err := s.step(w)
				if errors.Is(err, errDone) {
					return
				}
				if err != nil {
					w.close()
					mu.Lock()
					if r.errors++; r.first == nil {
						r.first = err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	r.elapsed = time.Since(began)
	for _, c := range l.clients {
		c.CloseIdleConnections()
	}
	var times []time.Duration
	for _, w := range workers {
		times = append(times, w.times...)
	}
	slices.Sort(times)
	if r.requests = len(times); r.requests > 0 {
		r.p50 = times[len(times)/2]
	}
	if l.peer == nil {
		return r, nil
	}
	after, err := l.settle()
	if err != nil {
		return r, err
	}
	r.cpu = after - before
	r.rss, err = peakRSS(l.peer.cmd.Process.Pid)
	return r, err
}

// settle waits until the proxy has finished what the load left it, and returns the
// CPU time that it has used: at least 250 ms, at most 20 s, until it is busy for
// less than a twentieth of the time.
func (l *load) settle() (time.Duration, error) {
	const window = 250 * time.Millisecond
	if l.peer == nil {
		return 0, nil
	}
	last, err := l.cpu()
	for range int(20 * time.Second / window) {
		if err != nil {
			return 0, err
		}
		time.Sleep(window)
		var now time.Duration
		now, err = l.cpu()
		if now-last <= window/20 {
			return now, err
		}
		last = now
	}
	return last, err
}

// cpu returns the user and system time of the proxy's process so far (proc_pid_stat(5),
// fields 14 and 15, in hundredths of a second).
func (l *load) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", l.peer.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(b, []byte(") ")) // behind the name
	fields := strings.Fields(string(rest))
	if len(fields) < 13 {
		return 0, errors.New("short /proc/PID/stat")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// peakRSS returns the most memory that a process had resident.
func peakRSS(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	var kib int64
	_, err = fmt.Sscan(rest, &kib)
	return kib << 10, err
}

// size returns how much disk the files below dir take.
func size(dir string) (total int64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return total
}
