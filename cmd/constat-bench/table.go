package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
)

func header(w io.Writer, o options) {
	fmt.Fprintf(w, "%s, %d CPUs, %d rounds of %v; medians. CPU × and rps × are against Constat in the same round.\n",
		runtime.Version(), runtime.NumCPU(), o.rounds, o.duration)
	fmt.Fprintln(w, "CPU is the proxy's own, with what it finishes after the load. 'added' is the p50 above no proxy.")
}

// printTable prints the table of one scenario.
func printTable(w io.Writer, s scenario, kinds []kind, results map[string][]result) {
	fmt.Fprintf(w, "\n%s  %s, %d at a time\n", s.name, s.title, s.workers)
	fmt.Fprintf(w, "  %-10s %12s %7s %10s %7s %9s %9s %9s %9s %7s\n", "", "CPU ms/req", "CPU ×", "req/s", "rps ×", "p50 ms", "added", "RSS MiB", "disk B/req", "errors")
	base := results["constat"]
	for _, k := range kinds {
		rs := results[k.name]
		if len(rs) == 0 {
			continue
		}
		errs, requests := 0, 0
		var first error
		for _, r := range rs {
			errs += r.errors
			requests += r.requests
			if first == nil {
				first = r.first
			}
		}
		added := median(rs, result.p50ms)
		if k.start != nil {
			added -= median(results["direct"], result.p50ms)
		} else {
			added = 0
		}
		fmt.Fprintf(w, "  %-10s %12.4f %7s %10.0f %7s %9.3f %9.3f %9.0f %9.0f %7d\n", k.name,
			median(rs, result.cpuPer), ratio(rs, base, result.cpuPer), median(rs, result.rate), ratio(rs, base, result.rate),
			median(rs, result.p50ms), added, peak(rs), median(rs, result.diskPer), errs)
		if first != nil {
			fmt.Fprintf(w, "    first error of %d in %d requests: %v\n", errs, requests, first)
		}
	}
}

func (r result) cpuPer() float64  { return ms(r.cpu) / float64(max(r.requests, 1)) }
func (r result) rate() float64    { return float64(r.requests) / r.elapsed.Seconds() }
func (r result) p50ms() float64   { return ms(r.p50) }
func (r result) diskPer() float64 { return r.disk }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func peak(rs []result) float64 {
	return float64(slices.MaxFunc(rs, func(a, b result) int { return cmp.Compare(a.rss, b.rss) }).rss) / (1 << 20)
}

func median(rs []result, of func(result) float64) float64 {
	v := make([]float64, len(rs))
	for i, r := range rs {
		v[i] = of(r)
	}
	return middle(v)
}

func middle(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// ratio is the median over the rounds of what a proxy takes against the base.
func ratio(rs, base []result, of func(result) float64) string {
	var v []float64
	for i := range min(len(rs), len(base)) {
		if b := of(base[i]); b > 0 {
			v = append(v, of(rs[i])/b)
		}
	}
	if m := middle(v); m > 0 {
		return fmt.Sprintf("%.2f", m)
	}
	return "–"
}
