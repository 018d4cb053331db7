package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"constat/inspect/owner"
	"constat/store"
	"constat/store/query"
)

func inspectCommand() *cobra.Command {
	var caseFile, caDir, persona, format string
	var tables owner.Files
	cmd := &cobra.Command{
		Use:   "inspect",
		Short: "Inspect a case again with this version's detectors",
		Long: `Look again at everything in a case with this version's decoders and detectors, and with
--persona at other planted values, with --owner-as and --owner-country at newer tables of
who answers. New reports are added; what was recorded stays. It says what changed: the
requests that got or lost a class, and planted values that were not found before.`,
		Example: "  constat inspect --case old.constat\n  constat inspect --case old.constat --persona persona.json",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			write := map[string]func(io.Writer, store.Changes) error{
				"text": printChanges,
				"json": func(w io.Writer, c store.Changes) error {
					enc := json.NewEncoder(w)
					enc.SetIndent("", "  ")
					return enc.Encode(c)
				},
			}[format]
			if write == nil {
				return usagef("--format %s: want text or json", format)
			}
			owners, err := owner.Open(tables)
			if err != nil {
				return err
			}
			name, err := findCase(caseFile)
			if err != nil {
				return err
			}
			c, err := writeCase(ctx, name, caDir)
			if err != nil {
				return err
			}
			changes, err := func() (changes store.Changes, err error) {
				if persona != "" {
					p, err := readPersona(persona)
					if err != nil {
						return changes, err
					}
					if err := setPersona(ctx, c, p); err != nil {
						return changes, err
					}
				}
				in, err := inspectorFor(ctx, &c.Reader, owners)
				if err != nil {
					return changes, err
				}
				show, end := progress(cmd.ErrOrStderr(), "inspecting")
				defer end()
				return c.Inspect(ctx, in, show)
			}()
			if err := errors.Join(err, c.Close()); err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), changes)
		},
	}
	addCase(cmd, &caseFile)
	addCADir(cmd, &caDir)
	addOwners(cmd, &tables)
	cmd.Flags().StringVar(&format, "format", "text", "how to print what changed: text or json")
	cmd.Flags().StringVar(&persona, "persona", "", "look for the planted values in this file from here on")
	return cmd
}

// printChanges writes what changed for people: the first requests of each kind.
func printChanges(w io.Writer, c store.Changes) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d inspected, %d with another result than before\n", c.Inspected, c.Changed)
	changeLines(&b, "now", c.Gained, c.GainedIn)
	changeLines(&b, "no longer", c.Lost, c.LostIn)
	changeLines(&b, "newly found planted value", c.CanariesGained, c.CanariesGainedIn)
	changeLines(&b, "no longer found planted value", c.CanariesLost, c.CanariesLostIn)
	_, err := io.WriteString(w, b.String())
	return err
}

func changeLines[S ~string](b *strings.Builder, word string, counts map[S]int64, in map[S][]int64) {
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		n := counts[what]
		fmt.Fprintf(b, "  %s %s: %s:", word, query.Printable(string(what)), counted(n, "request"))
		for _, id := range in[what] {
			fmt.Fprintf(b, " %d", id)
		}
		if more := n - int64(len(in[what])); more > 0 {
			fmt.Fprintf(b, " and %d more", more)
		}
		b.WriteByte('\n')
	}
}
