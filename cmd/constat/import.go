package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"constat/inspect/owner"
	"constat/proxy/flow"
	"constat/store"
	"constat/store/har"
)

// shownProblems is how many problems are printed for each imported file.
const shownProblems = 10

func importCommand() *cobra.Command {
	var caseFile, caDir, persona string
	var tables owner.Files
	cmd := &cobra.Command{
		Use:   "import FILE.har ...",
		Short: "Make a case of captures that other tools exported (HAR 1.2)",
		Long: `Read HAR files of any tool into a case, and inspect them. What a file leaves out or gets
wrong is reported and the rest is kept. An import proves what the file said, not what
was on the wire.`,
		Example: "  constat import chrome.har --case chrome.constat\n  constat import *.har --persona persona.json",
		Args:    atLeast("HAR file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			for _, name := range args {
				if _, err := os.Stat(name); err != nil {
					return err
				}
			}
			owners, err := owner.Open(tables)
			if err != nil {
				return err
			}
			if caseFile == "" {
				caseFile = freshCase(time.Now())
			}
			c, err := writeCase(ctx, caseFile, caDir)
			if err != nil {
				return err
			}
			err = func() error {
				if persona != "" {
					p, err := readPersona(persona)
					if err != nil {
						return err
					}
					if err := setPersona(ctx, c, p); err != nil {
						return err
					}
				}
				var broken error
				for _, name := range args {
					if err := importFile(ctx, cmd, c, name); err != nil {
						broken = errors.Join(broken, err)
					}
				}
				in, err := inspectorFor(ctx, &c.Reader, owners)
				if err != nil {
					return errors.Join(broken, err)
				}
				show, end := progress(cmd.ErrOrStderr(), "inspecting")
				_, err = c.Inspect(ctx, in, show)
				end()
				return errors.Join(broken, err)
			}()
			err = errors.Join(err, c.Close())
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "case %s\n", caseFile)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&caseFile, "case", "", "case file to add to, created when absent (default "+casesDir+"/<date>.constat)")
	addCADir(cmd, &caDir)
	addOwners(cmd, &tables)
	cmd.Flags().StringVar(&persona, "persona", "", "file of the planted values to look for")
	return cmd
}

// importFile adds the entries of one file to the case, on one connection that
// stands for the file. What is broken in it is told, and is
// no error as long as something is whole.
func importFile(ctx context.Context, cmd *cobra.Command, c *store.Case, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	base := filepath.Base(name)
	var size int64
	if info, err := f.Stat(); err == nil {
		size = info.Size()
	}
	conn := &flow.Connection{
		Opened: time.Now(), Door: "import", Device: base, Outcome: flow.Plain,
		Reason: "stands for the HAR file " + base,
	}
	if err := c.Begin(conn); err != nil {
		return err
	}
	in := &countingReader{r: f}
	show, end := progress(cmd.ErrOrStderr(), base+", bytes read")
	problems := problemList{w: cmd.ErrOrStderr(), name: base}
	entries := 0
	r := har.NewReader(in, har.Options{Device: base})
	for e := range r.Entries() {
		for _, p := range e.Problems {
			problems.add(fmt.Sprintf("entry %d: %s", e.Index+1, p))
		}
		if e.Exchange == nil {
			continue
		}
		entries++
		if err := commitEntry(ctx, c, conn.ID, e); err != nil {
			return err
		}
		show(in.n, size)
	}
	end()
	conn.Duration = time.Since(conn.Opened)
	if err := c.Commit(ctx, conn); err != nil {
		return err
	}
	for _, p := range r.Problems() {
		problems.add(p)
	}
	problems.end()
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %d entries, %d problems\n", base, entries, problems.n)
	if err := r.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if entries == 0 && len(r.Problems()) > 0 {
		return hint{fmt.Errorf("%s: nothing in it could be read", name), "export the capture again as HAR 1.2"}
	}
	return nil
}

func commitEntry(ctx context.Context, c *store.Case, conn int64, e *har.Entry) error {
	x := e.Exchange
	x.Connection = conn
	if err := c.Begin(x); err != nil {
		return err
	}
	if err := c.Commit(ctx, x); err != nil {
		return err
	}
	for _, f := range e.Frames {
		f.Exchange = x.ID
		if err := c.Commit(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// problemList prints the first problems of a file and counts all.
type problemList struct {
	w    io.Writer
	name string
	n    int
}

func (l *problemList) add(text string) {
	if l.n++; l.n <= shownProblems {
		fmt.Fprintf(l.w, "%s: %s\n", l.name, text)
	}
}

func (l *problemList) end() {
	if l.n > shownProblems {
		fmt.Fprintf(l.w, "%s: … and %d more problems\n", l.name, l.n-shownProblems)
	}
}

// countingReader counts what is read through it.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
