// Command constat-score measures how well Constat recognises what it says it
// recognises. It builds labelled requests from a folder of data, as apps send
// them, inspects them, and prints precision and recall for each class, with
// every miss and every false alarm by file and number, never by content.
//
// The folder's layout is that of the project's development data; what is absent
// is left out and said so. Everything is drawn from a seed, so the same data and
// seed give the same figures. Each class is scored twice, on the even and on the
// odd items: rules are tuned on the even half only.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/inspect/detect"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("constat-score", flag.ContinueOnError)
	fs.SetOutput(stderr)
	data := fs.String("data", "", "folder of labelled data")
	least := fs.Float64("min", 0.95, "least precision and recall of every class; below it the exit status is 1")
	seed := fs.Uint64("seed", 1, "seed of all that is drawn")
	half := fs.String("half", "both", "items to list misses of: even, odd or both")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if *data == "" || fs.NArg() > 0 || *half != "even" && *half != "odd" && *half != "both" {
		fmt.Fprintln(stderr, "usage: constat-score -data FOLDER [-min 0.95] [-seed 1] [-half even|odd|both]")
		return 2
	}
	ok, err := score(stdout, *data, *least, *seed, *half)
	if err != nil {
		fmt.Fprintf(stderr, "constat-score: %v\n", err)
		return 1
	}
	if !ok {
		return 1
	}
	return 0
}

func score(out io.Writer, data string, least float64, seed uint64, half string) (ok bool, err error) {
	in, err := inspect.New(inspect.Config{Decoders: decode.All, Detectors: detect.All, Build: "score"})
	if err != nil {
		return false, err
	}
	b := &builder{data: os.DirFS(data), seed: seed}
	b.sms()
	b.greetings()
	b.photos()
	b.deviceStats()
	b.negatives()
	b.fixtures()
	b.loopback()
	for _, note := range b.notes {
		fmt.Fprintln(out, "left out:", note)
	}
	if len(b.samples) == 0 {
		return false, fmt.Errorf("no labelled data in %s", data)
	}
	began := time.Now()
	t := newTally()
	for _, s := range b.samples {
		t.add(in, s)
	}
	fmt.Fprintf(out, "%d labelled requests, %s each\n\n", len(b.samples), (time.Since(began) / time.Duration(len(b.samples))).Round(time.Microsecond))
	ok = t.print(out, least, half)
	fmt.Fprintln(out)
	canariesOK, err := scoreCanaries(out, b, least)
	if err != nil {
		return false, err
	}
	photosOK, err := photoMatches(out, b)
	if err != nil {
		return false, err
	}
	rates(out, in, b)
	return ok && canariesOK && photosOK, nil
}
