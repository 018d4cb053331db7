package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"constat/store"
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
  constat mark --end
  constat sessions                     what there is so far`,
		RunE: func(cmd *cobra.Command, args []string) error {
			m := mark{Note: note}
			if end != (len(args) == 0) {
				return usagef("want a NAME and its factors, or --end alone; try 'constat mark --help'")
			}
			if !end {
				m.Name = args[0]
				if strings.Contains(m.Name, "=") {
					return usagef("%s: the session's NAME comes first, as in 'constat mark idle %s'", m.Name, m.Name)
				}
				var err error
				if m.Factors, err = pairs(args[1:], "FACTOR=VALUE, as in micloud=off"); err != nil {
					return err
				}
			}
			name, err := findCase(caseFile)
			if err != nil {
				return err
			}
			if end {
				if err := anyOpen(cmd.Context(), name); err != nil {
					return err
				}
			}
			if err := (scribe{name, caDir}).Mark(cmd.Context(), m.Name, m.Factors, m.Note); err != nil {
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

// anyOpen demands that a session is open, so that nobody believes to have ended one.
func anyOpen(ctx context.Context, caseFile string) error {
	r, err := store.OpenReader(ctx, caseFile)
	if err != nil {
		return err
	}
	defer r.Close()
	sessions, err := r.Sessions(ctx)
	if err != nil {
		return err
	}
	if n := len(sessions); n == 0 || !sessions[n-1].Closed.IsZero() {
		return hint{fmt.Errorf("no session is open in %s", caseFile), "'constat sessions' lists them"}
	}
	return nil
}

// pairs reads arguments such as micloud=off; want says how they look.
func pairs(args []string, want string) (map[string]string, error) {
	out := make(map[string]string, len(args))
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		if !ok || name == "" {
			return nil, usagef("%s: want %s", a, want)
		}
		if _, twice := out[name]; twice {
			return nil, usagef("%s is given twice", name)
		}
		out[name] = value
	}
	return out, nil
}
