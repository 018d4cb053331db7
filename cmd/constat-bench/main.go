// Command constat-bench puts the same load on Constat, on a bare goproxy that logs
// nothing and, where it is installed, on mitmdump writing flows, and prints what a
// request costs each of them.
//
// Everything runs on this machine over loopback. Each measurement starts its proxy
// anew, with empty files; the proxies take turns, round by round, so that what
// else the machine does hits all of them. Every answer is compared byte for byte
// with what was to come, and every request body is compared by the server: bodies
// differ from request to request. The figure to trust is the CPU time of the
// proxy's process for each request, user and system, with the work that it
// finishes after the load has ended; requests a second and latency share two cores
// with the load and the server. The exit status is 1 when a proxy failed or changed
// anything.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == goproxyChild {
		fail(serveGoproxy(os.Args[2:]))
		return
	}
	var o options
	names := flag.String("scenarios", "S1,S2,S3,S4,S5,S6,S7,S9,S10", "what to measure, by name")
	peers := flag.String("peers", "constat,goproxy,mitmdump", "which proxies; one that is not installed is left out; recorder is constat without inspection")
	flag.DurationVar(&o.duration, "d", 3*time.Second, "length of one measurement")
	flag.IntVar(&o.rounds, "rounds", 3, "measurements of each proxy in each scenario")
	flag.StringVar(&o.constat, "constat", "", "the constat program (default: beside this one)")
	flag.Parse()
	o.scenarios, o.peers = strings.Split(*names, ","), strings.Split(*peers, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fail(run(ctx, o))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "constat-bench:", err)
		os.Exit(1)
	}
}

type options struct {
	scenarios, peers []string
	duration         time.Duration
	rounds           int
	constat          string
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "constat-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	origin, err := newOrigin(dir)
	if err != nil {
		return err
	}
	defer origin.Close()
	if o.constat == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		o.constat = filepath.Join(filepath.Dir(self), "constat")
	}
	// The peers run in folders of their own.
	if o.constat, err = filepath.Abs(o.constat); err != nil {
		return err
	}
	var chosen []scenario
	for _, name := range o.scenarios {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return fmt.Errorf("there is no scenario %q", name)
		}
		chosen = append(chosen, scenarios[i])
	}
	var kinds []kind
	for _, name := range append([]string{"direct"}, o.peers...) {
		k, err := newKind(name, o.constat, origin)
		if errors.Is(err, errNotInstalled) {
			fmt.Printf("%s is not installed: left out\n", name)
			continue
		}
		if err != nil {
			return err
		}
		kinds = append(kinds, k)
	}
	return measureAll(ctx, o, chosen, kinds, origin, dir)
}

// measureAll prints each scenario once all its rounds are done.
func measureAll(ctx context.Context, o options, chosen []scenario, kinds []kind, origin *origin, dir string) error {
	bad := false
	header(os.Stdout, o)
	for _, s := range chosen {
		results := make(map[string][]result)
		for round := range o.rounds {
			for _, k := range kinds {
				sub := filepath.Join(dir, fmt.Sprintf("%s-%s-%d", s.name, k.name, round))
				r, err := measure(ctx, o, s, k, origin, sub)
				os.RemoveAll(sub)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, k.name, err)
				}
				bad = bad || r.errors > 0
				results[k.name] = append(results[k.name], r)
			}
		}
		printTable(os.Stdout, s, kinds, results)
	}
	if bad {
		return errors.New("some requests failed or were changed: see the errors column")
	}
	return nil
}
