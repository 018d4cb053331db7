package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"constat/inspect"
	"constat/inspect/owner"
	"constat/store"
)

func inspectCommand() *cobra.Command {
	var caseFile, caDir, persona string
	var tables owner.Files
	cmd := &cobra.Command{
		Use:   "inspect",
		Short: "Inspect a case again with this version's detectors",
		Long: `Look again at everything in a case with this version's decoders and detectors, and with
--persona at other planted values, with --owner-as and --owner-country at newer tables of
who answers. New reports are added; what was recorded stays.`,
		Example: "  constat inspect --case old.constat\n  constat inspect --case old.constat --persona persona.json",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
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
			printChanges(cmd, changes)
			return nil
		},
	}
	addCase(cmd, &caseFile)
	addCADir(cmd, &caDir)
	addOwners(cmd, &tables)
	cmd.Flags().StringVar(&persona, "persona", "", "look for the planted values in this file from here on")
	return cmd
}

func printChanges(cmd *cobra.Command, c store.Changes) {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%d inspected, %d with another result than before\n", c.Inspected, c.Changed)
	print := func(word string, counts map[inspect.Class]int64) {
		for _, class := range slices.Sorted(maps.Keys(counts)) {
			fmt.Fprintf(out, "  %s %s: %d requests\n", word, class, counts[class])
		}
	}
	print("now", c.Gained)
	print("no longer", c.Lost)
}
