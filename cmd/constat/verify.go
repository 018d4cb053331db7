package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"constat/store"
)

// maxProblems is how many problems are printed of a damaged case.
const maxProblems = 50

func verifyCommand() *cobra.Command {
	var caseFile, key string
	cmd := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Check that nothing in a case was changed, removed or added",
		Long: `Check every record against the log, the log against every signed checkpoint, and every
body against its hash. Exit status 1 when anything differs.`,
		Example: "  constat verify cases/2014-07-31.constat\n  constat verify evidence.constat --key 'constat/01J…+1234abcd+AbC…'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				caseFile = args[0]
			}
			name, err := findCase(caseFile)
			if err != nil {
				return err
			}
			show, end := progress(cmd.ErrOrStderr(), "checking records")
			v, err := store.Verify(cmd.Context(), name, key, show)
			end()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for i, p := range v.Problems {
				if i == maxProblems {
					fmt.Fprintf(out, "… and %d more\n", len(v.Problems)-i)
					break
				}
				fmt.Fprintf(out, "PROBLEM  %s\n", p)
			}
			if n := len(v.Problems); n > 0 {
				return hint{fmt.Errorf("%s: %d problems", name, n), "do not rely on this file; go back to an earlier copy"}
			}
			fmt.Fprintf(out, "whole     %d records, %d bodies, %d checkpoints\nroot      %s\nsigned by %s\n",
				v.Records, v.Bodies, v.Checkpoints, v.Root, v.Verifier)
			if key == "" {
				fmt.Fprintln(out, "\nThe key above came with the file. Compare it with the one you were given, or use --key.")
			}
			return nil
		},
	}
	addCase(cmd, &caseFile)
	cmd.Flags().StringVar(&key, "key", "", "demand checkpoints signed by this verifier key")
	return cmd
}
