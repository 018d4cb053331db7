package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"constat/store"
	"constat/store/query"
	"constat/store/report"
)

func exportCommand() *cobra.Command {
	var caseFile, out, view, filter string
	cmd := &cobra.Command{
		Use:   "export {bundle|har|csv}",
		Short: "Write the evidence as a bundle to check, or the log as HAR 1.2 or CSV",
		Example: `  constat export har --out case.har
  constat export har --filter 'tag:sms' --out sms.har
  constat export bundle --out case.constat.zip
  constat export csv --view findings --out findings.csv`,
		Args:      exactly("FORMAT (har or csv)"),
		ValidArgs: []string{"har", "csv"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(cmd.ValidArgs, args[0]) {
				return usagef("export %s: want har or csv", args[0])
			}
			if !slices.Contains(store.Views, view) {
				return usagef("--view %s: want one of %s", view, strings.Join(store.Views, ", "))
			}
			where, bound, err := query.Where(filter)
			if err != nil {
				return usageError{err}
			}
			r, err := openCase(cmd.Context(), caseFile)
			if err != nil {
				return err
			}
			defer r.Close()
			w, finish, err := output(cmd, out)
			if err != nil {
				return err
			}
			var left int64
			if args[0] == "har" {
				left, err = report.WriteHAR(cmd.Context(), w, r, report.HAROptions{Where: where, Args: bound, Build: build()})
			} else {
				err = report.WriteCSV(cmd.Context(), w, r.DB(), view)
			}
			if err = finish(err); err == nil && out != "" && out != "-" {
				fmt.Fprintln(os.Stderr, "wrote", absolute(out))
			}
			if err == nil && left > 0 {
				fmt.Fprintln(os.Stderr, report.LeftOfHAR(left)+" 'constat query' and bundles have them.")
			}
			return err
		},
	}
	addCase(cmd, &caseFile)
	cmd.Flags().StringVar(&out, "out", "", "file to write, 0600 (default: standard output)")
	cmd.Flags().StringVar(&view, "view", "requests", "for csv: which view")
	cmd.Flags().StringVar(&filter, "filter", "", "for har: which requests, as in 'constat query'")
	cmd.AddCommand(exportBundleCommand())
	return cmd
}
