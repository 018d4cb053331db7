package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"constat/store"
)

// casesDir is where cases are kept that have no name of their own.
const casesDir = "cases"

// addCase adds the flag that says which case a command reads.
func addCase(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "case", "", "case file (default: the newest in "+casesDir+"/)")
}

// freshCase returns the name for a case of today's that does not exist yet.
func freshCase(now time.Time) string {
	day := filepath.Join(casesDir, now.Format(time.DateOnly))
	for n := 1; ; n++ {
		name := day + ".constat"
		if n > 1 {
			name = fmt.Sprintf("%s-%d.constat", day, n)
		}
		if _, err := os.Lstat(name); os.IsNotExist(err) {
			return name
		}
	}
}

// findCase returns name, or the newest case in casesDir if it is empty.
func findCase(name string) (string, error) {
	if name != "" {
		if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("%s: %w", name, os.ErrNotExist)
		} else if err != nil {
			return "", err
		}
		return name, nil
	}
	found, err := filepath.Glob(filepath.Join(casesDir, "*.constat"))
	if err != nil {
		return "", err
	}
	var newest string
	var at time.Time
	for _, f := range found {
		if info, err := os.Stat(f); err == nil && cmp.Or(newest == "", info.ModTime().After(at)) {
			newest, at = f, info.ModTime()
		}
	}
	if newest == "" {
		return "", usagef("no case in %s/; name one with --case FILE, or start one with 'constat run'", casesDir)
	}
	return newest, nil
}

// openCase opens the case for reading.
func openCase(ctx context.Context, name string) (*store.Reader, error) {
	name, err := findCase(name)
	if err != nil {
		return nil, err
	}
	return store.OpenReader(ctx, name)
}

// prepareCase opens the case for reading, for many questions, and shows how far that
// has come.
func prepareCase(cmd *cobra.Command, name string) (_ *store.Reader, err error) {
	r, err := openCase(cmd.Context(), name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	show, end := progress(cmd.ErrOrStderr(), "reading the case")
	defer end()
	return r.Prepared(cmd.Context(), show)
}

// writeCase opens the case for writing, with the signing key of caDir.
func writeCase(ctx context.Context, name, caDir string) (*store.Case, error) {
	for _, dir := range []string{filepath.Dir(name), caDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	c, err := store.Open(ctx, store.Config{
		Path: name, KeyFile: filepath.Join(caDir, "log.key"), Tool: build(),
		Settings: map[string]string{"command": strings.Join(commandWord(), " ")},
	})
	if errors.Is(err, store.ErrOtherKey) {
		return nil, hint{err, "name the folder of the key that the case began with, with --ca-dir"}
	}
	return c, err
}

// commandWord is the name of the command in use, without its arguments, which
// may hold what should not be in a log.
func commandWord() []string {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		return os.Args[1:2]
	}
	return nil
}
