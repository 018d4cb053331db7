// Command constat-verify checks an evidence bundle of Constat on its own: it knows
// neither databases nor networks, and needs nothing but the bundle. What it finds is said
// in plain words, also what is not proved.
//
// Exit status: 0 verified; 3 verified with reservations, such as a key that nobody
// vouched for or no time stamp; 1 not verified, or not readable; 2 wrong usage.
package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/store/evidence"
)

// Exit statuses.
const (
	statusVerified     = 0
	statusNotVerified  = 1
	statusUsage        = 2
	statusReservations = 3
)

const usage = `constat-verify checks an evidence bundle: that nothing in it was changed since it was signed,
and what that proves.

  constat-verify BUNDLE [--key KEY] [--tsa-ca FILE] [--json]

  --key KEY      the verifier key that must have signed, from a source other than the bundle;
                 or a file that holds it
  --tsa-ca FILE  root certificates (PEM) of the time-stamping authority that you trust
  --replays N    follow the decode paths of at most N reports (default: all)
  --json         print what was found as JSON

Exit status: 0 verified, 3 verified with reservations, 1 not verified, 2 wrong usage.
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet("constat-verify", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	key := flags.String("key", "", "")
	roots := flags.String("tsa-ca", "", "")
	replays := flags.Int64("replays", 0, "")
	asJSON := flags.Bool("json", false, "")
	var names []string
	for rest := args; ; {
		err := flags.Parse(rest)
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(out, usage)
			return statusVerified
		}
		if err != nil {
			fmt.Fprintf(errOut, "constat-verify: %s; try --help\n", err)
			return statusUsage
		}
		// Flags may come behind the name.
		if flags.NArg() == 0 {
			break
		}
		names = append(names, flags.Arg(0))
		rest = flags.Args()[1:]
	}
	if len(names) != 1 {
		fmt.Fprintln(errOut, "constat-verify: name one bundle; try --help")
		return statusUsage
	}
	opt, err := options(*key, *roots)
	if err != nil {
		fmt.Fprintf(errOut, "constat-verify: %s\n", err)
		return statusUsage
	}
	opt.Replays = *replays
	opt.Progress = progress(errOut)
	v, err := verify(ctx, names[0], opt)
	if err != nil {
		fmt.Fprintf(errOut, "constat-verify: %s\n", err)
		return statusNotVerified
	}
	if *asJSON {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(v)
	} else {
		err = write(out, v)
	}
	if err != nil {
		fmt.Fprintf(errOut, "constat-verify: %s\n", err)
		return statusNotVerified
	}
	return status(v)
}

func status(v *evidence.Verdict) int {
	switch {
	case !v.Verified:
		return statusNotVerified
	case len(v.Reservations) > 0:
		return statusReservations
	}
	return statusVerified
}

const maxKeyFile = 4 << 10

func options(key, roots string) (opt evidence.VerifyOptions, err error) {
	if opt.Verifier, err = keyText(key); err != nil {
		return opt, err
	}
	if roots != "" {
		text, err := os.ReadFile(roots)
		if err != nil {
			return opt, err
		}
		opt.Roots = x509.NewCertPool()
		if !opt.Roots.AppendCertsFromPEM(text) {
			return opt, fmt.Errorf("--tsa-ca %s: no certificate in PEM", roots)
		}
	}
	opt.Inspector, err = inspect.New(inspect.Config{Decoders: decode.All})
	return opt, err
}

// keyText returns the key that --key gives, itself or by a file.
func keyText(key string) (string, error) {
	if key == "" || strings.Count(key, "+") >= 2 {
		return strings.TrimSpace(key), nil
	}
	text, err := os.ReadFile(key)
	if err != nil || len(text) > maxKeyFile {
		return "", fmt.Errorf("--key %s: neither a verifier key (constat/…+…+…) nor a file with one", key)
	}
	return strings.TrimSpace(string(text)), nil
}

func verify(ctx context.Context, name string, opt evidence.VerifyOptions) (*evidence.Verdict, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", name)
	}
	head := make([]byte, len(ageHeader))
	if n, _ := f.ReadAt(head, 0); string(head[:n]) == ageHeader {
		return nil, fmt.Errorf("%s is encrypted: decrypt it first, with 'age --decrypt --identity KEY --output BUNDLE %s'", name, name)
	}
	return evidence.VerifyBundle(ctx, f, info.Size(), opt)
}

// ageHeader begins files that are encrypted with age (https://age-encryption.org/v1).
const ageHeader = "age-encryption.org/v1"

// write prints a verdict for people.
func write(w io.Writer, v *evidence.Verdict) error {
	var b strings.Builder
	switch {
	case !v.Verified:
		b.WriteString("NOT VERIFIED\n")
	case len(v.Reservations) > 0:
		b.WriteString("VERIFIED, with reservations\n")
	default:
		b.WriteString("VERIFIED\n")
	}
	if v.Case != "" {
		fmt.Fprintf(&b, "case %s: %d files, %d records, %d bodies, %d checkpoints\n", v.Case, v.Files, v.Records, v.Bodies, v.Checkpoints)
	}
	for _, part := range []struct {
		title string
		list  []string
	}{
		{"Problems", v.Problems}, {"Reservations", v.Reservations}, {"What is proved", v.Proven}, {"What is not proved", v.NotProven},
	} {
		if len(part.list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", part.title)
		for _, s := range part.list {
			fmt.Fprintf(&b, "  - %s\n", printable(s))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable keeps what a bundle says from doing things to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '.'
	}, s)
}

// progress says now and then how far a long check has come.
func progress(w io.Writer) func(done, total int64) {
	last := time.Now()
	return func(done, total int64) {
		if now := time.Now(); now.Sub(last) > 10*time.Second {
			last = now
			fmt.Fprintf(w, "checked %d of %d MiB\n", done>>20, total>>20)
		}
	}
}
