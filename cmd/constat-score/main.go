// Command constat-score measures how well Constat recognises what it says it
// recognises. It builds labelled requests from a folder of data, as apps send
// them, inspects them, and prints precision and recall for each class, with
// every miss and every false alarm by file and number, never by content.
//
// The folder's layout is that of the project's development data; what is absent
// is left out and said so. Everything is drawn from a seed, so the same data and
// seed give the same figures. Each class is scored five times: on the even items,
// on which rules may be tuned; on the odd ones, which have the same envelopes and
// other contents; on those whose envelope is in none of the even ones; and on the blind ones, which were
// written and labelled by the text of docs/classes.md without a look at the detectors; blind2 is a
// second such set, by somebody else.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
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
	least := fs.Float64("min", 0.97, "least precision and recall of every class on the even and odd split; below it the exit status is 1")
	seed := fs.Uint64("seed", 1, "seed of all that is drawn")
	half := fs.String("half", "both", "splits to list misses of: even, odd, held-out, blind, blind2 or both (all)")
	file := fs.String("json", "", "file to write the results to")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if *data == "" || fs.NArg() > 0 || !slices.Contains([]string{"even", "odd", "held-out", "blind", "blind2", "both"}, *half) {
		fmt.Fprintln(stderr, "usage: constat-score -data FOLDER [-min 0.97] [-seed 1] [-half even|odd|held-out|blind|blind2|both] [-json FILE]")
		return 2
	}
	ok, err := score(stdout, options{*data, *file, *half, *least, *seed})
	if err != nil {
		fmt.Fprintf(stderr, "constat-score: %v\n", err)
		return 1
	}
	if !ok {
		return 1
	}
	return 0
}

// options are the flags.
type options struct {
	data, json, half string
	least            float64
	seed             uint64
}

func score(out io.Writer, o options) (ok bool, err error) {
	in, err := inspect.New(inspect.Config{Decoders: decode.All, Detectors: detect.All, Build: "score"})
	if err != nil {
		return false, err
	}
	b := &builder{data: os.DirFS(o.data), seed: o.seed}
	if !b.all() {
		return false, fmt.Errorf("no labelled data in %s", o.data)
	}
	for _, note := range b.notes {
		fmt.Fprintln(out, "left out:", note)
	}
	began := time.Now()
	t := inspectAll(in, b.samples)
	fmt.Fprintf(out, "%d labelled requests, %s each\n\n", len(b.samples), (time.Since(began) / time.Duration(len(b.samples))).Round(time.Microsecond))
	ok = t.print(out, o.least, o.half)
	fmt.Fprintln(out)
	planted, canariesOK, err := scoreCanaries(out, b, o.least)
	if err != nil {
		return false, err
	}
	photosOK, err := photoMatches(out, b)
	if err != nil {
		return false, err
	}
	if o.json != "" {
		r := &results{Requests: len(b.samples), Seed: o.seed, Classes: t.results(), Planted: planted}
		if err := r.write(o.json); err != nil {
			return false, err
		}
	}
	return ok && canariesOK && photosOK, nil
}

// all makes every sample; false says that the folder has no data.
func (b *builder) all() bool {
	b.sms()
	b.greetings()
	b.moreGreetings()
	b.photos()
	b.deviceStats()
	b.lookalikes()
	b.fixtures()
	b.loopback()
	b.connectors()
	b.web()
	if b.files == 0 {
		return false
	}
	for _, f := range families {
		f.add(b)
	}
	b.negatives()
	b.blind()
	b.blind2()
	return true
}

// families are the envelopes that need no data of the folder.
var families = []family{
	smsFamily, photoFamily, contactsFamily, callLogFamily, emailFamily, notesFamily, locationFamily, browsingFamily,
	appListFamily, credentialsFamily, identifiersFamily, deviceStatsFamily, updateFamily, opaqueFamily, sdkFamily,
}
