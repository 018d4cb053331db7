package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func markCommand() *cobra.Command {
	var caseFile, caDir, note string
	var end bool
	cmd := &cobra.Command{
		Use:   "mark [NAME [FACTOR=VALUE ...]]",
		Short: "Open a session: a stretch of the case with declared conditions",
		Long: `Open a session, a stretch of the case with declared conditions, and end the one before.
It works while 'constat run' records and on a case that nobody records.`,
		Example: `  constat mark idle micloud=off screen=off network=wifi
  constat mark open-sms micloud=off --note "opened the third message"
  constat mark --end`,
		RunE: func(cmd *cobra.Command, args []string) error {
			m := mark{Note: note, Factors: map[string]string{}}
			if end != (len(args) == 0) {
				return usagef("want a NAME and its factors, or --end alone; try 'constat mark --help'")
			}
			if !end {
				m.Name = args[0]
				if strings.Contains(m.Name, "=") {
					return usagef("%s: the session's NAME comes first, as in 'constat mark idle %s'", m.Name, m.Name)
				}
				for _, a := range args[1:] {
					name, value, ok := strings.Cut(a, "=")
					if !ok || name == "" {
						return usagef("%s: want FACTOR=VALUE, as in micloud=off", a)
					}
					m.Factors[name] = value
				}
			}
			name, err := findCase(caseFile)
			if err != nil {
				return err
			}
			err = askToMark(cmd.Context(), name, m)
			if errors.Is(err, errNotRunning) {
				c, err := writeCase(cmd.Context(), name, caDir)
				if err != nil {
					return err
				}
				if err := errors.Join(c.Mark(cmd.Context(), m.Name, m.Factors, m.Note), c.Close()); err != nil {
					return err
				}
			} else if err != nil {
				return err
			}
			if end {
				fmt.Fprintln(cmd.OutOrStdout(), "session ended in", name)
			} else {
				fmt.Fprintf(cmd.OutOrStdout(), "session %q opened in %s\n", m.Name, name)
			}
			return nil
		},
	}
	addCase(cmd, &caseFile)
	addCADir(cmd, &caDir)
	cmd.Flags().StringVar(&note, "note", "", "a remark to keep with the mark")
	cmd.Flags().BoolVar(&end, "end", false, "end the open session")
	return cmd
}
