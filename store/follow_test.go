package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"constat/inspect"
	"constat/proxy/flow"
)

// words returns an Inspector that finds a class where a body or a frame holds
// the class's name in capital letters, and a canary where it holds IMEI.
func words(t testing.TB, build string, classes ...inspect.Class) *inspect.Inspector {
	t.Helper()
	cfg := inspect.Config{Build: build, Canaries: imei{}, Owners: owners{}}
	for _, class := range classes {
		word := []byte(strings.ToUpper(string(class)))
		cfg.Detectors = append(cfg.Detectors, inspect.Detector{
			Name: string(class), Class: class, Doc: "finds " + string(class),
			Detect: func(tree *inspect.Tree) (out []inspect.Finding) {
				for _, p := range tree.Parts {
					root, _, _ := strings.Cut(string(p.Path), "|")
					if at := bytes.Index(p.Data, word); at >= 0 && (strings.HasSuffix(root, ".body") || root == "frame") && string(p.Path) == root {
						out = append(out, inspect.Finding{
							Direction: p.Direction, Confidence: inspect.Probable, Path: p.Path, Start: at, End: at + len(word),
							Excerpt: string(word), Reason: "the word is there",
						})
					}
				}
				return out
			},
		})
	}
	in, err := inspect.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

type imei struct{}

func (imei) Match(p *inspect.Part) []inspect.Hit {
	at := bytes.Index(p.Data, []byte("IMEI"))
	if at < 0 || p.Depth > 0 {
		return nil
	}
	return []inspect.Hit{{
		Canary: "imei", Kind: "imei", Class: inspect.Identifiers, Form: "digits", Direction: p.Direction, Path: p.Path, Start: at, End: at + 4,
	}}
}

type owners struct{}

func (owners) Lookup(host string, _ netipAddr) inspect.Owner {
	return inspect.Owner{Name: "Owner of " + host, Country: "CN"}
}

// follow runs Follow until stop is called, which returns its error.
func follow(c *Case, in *inspect.Inspector) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Follow(ctx, in) }()
	return func() error {
		cancel()
		return <-done
	}
}

func reports(t testing.TB, c *Case) (n int) {
	t.Helper()
	if err := c.DB().QueryRow("SELECT count(*) FROM report").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFollow(t *testing.T) {
	c := newCase(t)
	in := words(t, "1", inspect.SMS, inspect.Photo)
	commit(t, c, testExchange(0, []byte("an SMS from before"), nil))
	stop := follow(c, in)

	const committers, each = 4, 200
	var wg sync.WaitGroup
	for g := range committers {
		wg.Go(func() {
			for i := range each {
				e := testExchange(i, fmt.Appendf(nil, "SMS %d", i%3), fmt.Appendf(nil, "PHOTO %d", g))
				if err := c.Begin(e); err != nil {
					t.Error(err)
				}
				f := &flow.Frame{Exchange: e.ID, Direction: flow.Down, Opcode: 1, Payload: flow.BodyOf([]byte("SMS"))}
				if i%10 == 0 {
					if err := c.Commit(t.Context(), f); err != nil {
						t.Error(err)
					}
				}
				if err := c.Commit(t.Context(), e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got, want := reports(t, c), 1+committers*each+committers*each/10; got != want {
		t.Errorf("%d reports, want %d", got, want)
	}
	rep, err := c.Report(t.Context(), 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]inspect.Class{inspect.Photo, inspect.SMS}, rep.Tags()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if rep, err := c.Report(t.Context(), 1e9, 0); rep != nil || err != nil {
		t.Errorf("report on nothing: %v %v", rep, err)
	}

	// Nothing is inspected twice by the same version.
	if err := follow(c, in)(); err != nil {
		t.Fatal(err)
	}
	if got, want := reports(t, c), 1+committers*each+committers*each/10; got != want {
		t.Errorf("%d reports after following again, want %d", got, want)
	}
}

// TestFollowFallsBehind has an inspector that waits until far more has been
// committed than a feed holds.
func TestFollowFallsBehind(t *testing.T) {
	c := newCase(t)
	go1 := make(chan struct{})
	in, err := inspect.New(inspect.Config{Detectors: []inspect.Detector{{
		Name: "slow", Class: inspect.SMS, Doc: "waits",
		Detect: func(*inspect.Tree) []inspect.Finding { <-go1; return nil },
	}}})
	if err != nil {
		t.Fatal(err)
	}
	stop := follow(c, in)
	const n = maxFeed + 500
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range n / 8 {
				e := testExchange(i, nil, []byte{byte(i), byte(i >> 8)})
				if err := errors.Join(c.Begin(e), c.Commit(t.Context(), e)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(go1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := reports(t, c); got != n/8*8 {
		t.Errorf("%d reports, want %d", got, n/8*8)
	}
}

func TestInspectAgain(t *testing.T) {
	c := newCase(t)
	for i := range 5 {
		commit(t, c, testExchange(i, []byte("SMS and PHOTO"), nil))
	}
	ws := testExchange(9, nil, nil)
	if err := c.Begin(ws); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"SMS", "PHOTO", "nothing"} {
		if err := c.Commit(t.Context(), &flow.Frame{Exchange: ws.ID, Direction: flow.Up, Opcode: 1, Payload: flow.BodyOf([]byte(word))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Commit(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		in   *inspect.Inspector
		want Changes
	}{
		{words(t, "1", inspect.SMS), Changes{Inspected: 9}},
		{words(t, "1", inspect.SMS), Changes{}},
		{words(t, "2", inspect.SMS, inspect.Photo), Changes{
			Inspected: 9, Changed: 6, Gained: map[inspect.Class]int64{inspect.Photo: 6},
			GainedIn: map[inspect.Class][]int64{inspect.Photo: {1, 2, 3, 4, 5, 6}},
		}},
		{words(t, "3", inspect.Photo), Changes{
			Inspected: 9, Changed: 6, Lost: map[inspect.Class]int64{inspect.SMS: 6},
			LostIn: map[inspect.Class][]int64{inspect.SMS: {1, 2, 3, 4, 5, 6}},
		}},
	} {
		calls, last := 0, int64(-1)
		got, err := c.Inspect(t.Context(), step.in, func(done, total int64) {
			if total != step.want.Inspected || done < last {
				t.Errorf("progress %d of %d after %d", done, total, last)
			}
			calls, last = calls+1, done
		})
		if err != nil {
			t.Fatal(err)
		}
		if calls == 0 || last != step.want.Inspected {
			t.Errorf("step %d: progress ended at %d after %d calls", i, last, calls)
		}
		if diff := cmp.Diff(step.want, got, facts); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
	var tags, direction string
	if err := c.DB().QueryRow("SELECT tags, direction FROM requests WHERE id = ?", ws.ID).Scan(&tags, &direction); err != nil {
		t.Fatal(err)
	}
	if tags != "photo" || direction != "up" {
		t.Errorf("tags %q, direction %q of an exchange with frames", tags, direction)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Inspect(ctx, words(t, "4"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestInspectFindsCanaries plants a value after the fact: what carries it is named,
// the first requests of many.
func TestInspectFindsCanaries(t *testing.T) {
	c := newCase(t)
	for i := range 15 {
		commit(t, c, testExchange(i, []byte("IMEI"), nil))
	}
	ws := testExchange(20, nil, nil)
	if err := c.Begin(ws); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"IMEI", "nothing", "IMEI again"} {
		if err := c.Commit(t.Context(), &flow.Frame{Exchange: ws.ID, Direction: flow.Up, Opcode: 1, Payload: flow.BodyOf([]byte(word))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Commit(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	none, err := inspect.New(inspect.Config{Build: "none"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Inspect(t.Context(), none, nil); err != nil {
		t.Fatal(err)
	}
	first := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	got, err := c.Inspect(t.Context(), words(t, "1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Changes{
		Inspected: 19, Changed: 17, Gained: map[inspect.Class]int64{inspect.Identifiers: 16}, GainedIn: map[inspect.Class][]int64{inspect.Identifiers: first},
		CanariesGained: map[string]int64{"imei": 16}, CanariesGainedIn: map[string][]int64{"imei": first},
	}, got, facts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := inspect.New(inspect.Config{Build: "none again"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err = c.Inspect(t.Context(), again, nil); err != nil || got.CanariesLost["imei"] != 16 || len(got.CanariesGained) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestInspectDamagedBody takes the content of a body away: that is damage in
// the report and not the end of inspection.
func TestInspectDamagedBody(t *testing.T) {
	cfg := testConfig(t)
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	e := commit(t, c, testExchange(1, nil, bytes.Repeat([]byte("SMS"), 10)))
	tamper(t, cfg.Path, "UPDATE chunk SET codec = 'zstd'")
	if _, err := c.Inspect(t.Context(), words(t, "1", inspect.SMS), nil); err != nil {
		t.Fatal(err)
	}
	rep, err := c.Report(t.Context(), e.ID, 0)
	if err != nil || len(rep.Damage) != 1 {
		t.Errorf("report %+v, %v", rep, err)
	}
}

func BenchmarkFollow(b *testing.B) {
	c, err := Open(b.Context(), testConfig(b))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	stop := follow(c, words(b, "1", inspect.SMS))
	body := bytes.Repeat([]byte("k=v&"), 250)
	start := cpuTime()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			e := testExchange(1, nil, body)
			if err := errors.Join(c.Begin(e), c.Commit(context.Background(), e)); err != nil {
				b.Error(err)
			}
		}
	})
	if err := stop(); err != nil {
		b.Error(err)
	}
	b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
}

// What is still to be inspected at the end is left after a while, and taken up
// by the next.
func TestFollowLeavesTheRest(t *testing.T) {
	c := newCase(t)
	c.catchUp = 10 * time.Millisecond
	for i := range 100 {
		commit(t, c, testExchange(i, []byte{byte(i)}, nil))
	}
	slow, err := inspect.New(inspect.Config{Detectors: []inspect.Detector{{
		Name: "slow", Class: inspect.SMS, Doc: "takes its time",
		Detect: func(*inspect.Tree) []inspect.Finding { time.Sleep(5 * time.Millisecond); return nil },
	}}})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Follow(ended, slow); !errors.Is(err, ErrBehind) {
		t.Errorf("Follow ended with %v, want ErrBehind", err)
	}
	if n := reports(t, c); n >= 100 {
		t.Errorf("%d reports, want fewer than there are exchanges", n)
	}
	c.catchUp = time.Hour
	if err := c.Follow(ended, slow); err != nil {
		t.Error(err)
	}
	if n := reports(t, c); n != 100 {
		t.Errorf("%d reports, want 100", n)
	}
}
