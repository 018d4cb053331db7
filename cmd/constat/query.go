package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"constat/store/query"
)

// changing is SQL that would change a case, which would else be words to search for.
var changing = regexp.MustCompile(`^\s*(?i:INSERT\s+INTO|REPLACE\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET|(DROP|ALTER|CREATE)\s+(TABLE|VIEW|INDEX|TRIGGER))\b`)

func queryCommand() *cobra.Command {
	var caseFile, format, out string
	var limit int
	var timeout time.Duration
	var showSQL bool
	cmd := &cobra.Command{
		Use:   "query [FILTER or SQL]",
		Short: "Search the log with short filters or SQL",
		Long: `Search the log with short filters, which are turned into SQL and shown, or with SQL over
the public views: requests, findings, canary_hits, connections, hosts, addresses,
identifiers, identifier_uses, sessions, coverage, declarations. The case may be in use.

` + query.Help(),
		Example: `  constat query tag:sms dir:up
  constat query host:example.org -method:GET 'since:2026-11-01'
  constat query "SELECT host, count(*) FROM requests WHERE tags LIKE '%sms%' GROUP BY 1"
  constat query --format csv tag:photo > photos.csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			text := strings.Join(args, " ")
			if changing.MatchString(text) {
				return usagef("a log is only read; want SELECT, or a filter such as tag:sms")
			}
			if _, _, err := query.Compile(text); err != nil {
				return usageError{err}
			}
			r, err := openCase(cmd.Context(), caseFile)
			if err != nil {
				return err
			}
			defer r.Close()
			write := map[string]func(io.Writer, *query.Rows) error{
				"table": func(w io.Writer, r *query.Rows) error { return query.WriteTable(w, r, 60) },
				"csv":   query.WriteCSV,
				"json":  func(w io.Writer, r *query.Rows) error { return query.WriteJSON(w, r, false) },
				"jsonl": func(w io.Writer, r *query.Rows) error { return query.WriteJSON(w, r, true) },
			}[format]
			if write == nil {
				return usagef("--format %s: want table, csv, json or jsonl", format)
			}
			rows, err := query.Run(cmd.Context(), r.DB(), text, query.Limits{Rows: limit, Time: timeout})
			if err != nil {
				return err
			}
			defer rows.Close()
			if showSQL || isTerminal(cmd.ErrOrStderr()) && !query.IsSQL(text) {
				fmt.Fprintln(cmd.ErrOrStderr(), query.Show(rows.SQL, rows.Args))
			}
			w, finish, err := output(cmd, out)
			if err != nil {
				return err
			}
			end := waiting(cmd.ErrOrStderr(), "searching")
			err = finish(write(after{w, end}, rows))
			end()
			if err != nil {
				return err
			}
			if rows.More() {
				fmt.Fprintf(cmd.ErrOrStderr(), "more than %d rows; see them with --limit -1\n", limit)
			}
			return nil
		},
	}
	addCase(cmd, &caseFile)
	cmd.Flags().StringVar(&format, "format", "table", "table, csv, json or jsonl")
	cmd.Flags().StringVar(&out, "out", "", "file to write, 0600 (default: standard output)")
	cmd.Flags().IntVar(&limit, "limit", 1000, "rows at most; -1 for all")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "time at most")
	cmd.Flags().BoolVar(&showSQL, "show-sql", false, "print the SQL on standard error")
	return cmd
}
