package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"constat/inspect/owner"
	"constat/store/report"
)

func reportCommand() *cobra.Command {
	var caseFile, out, format, title, banner string
	var deciding int
	var tables owner.Files
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write the case for people: what left, to whom, by which steps that is known",
		Example: `  constat report --out report.html
  constat report --case idle.constat --format json --out report.json`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			owners, err := owner.Open(tables)
			if err != nil {
				return err
			}
			r, err := openCase(cmd.Context(), caseFile)
			if err != nil {
				return err
			}
			defer r.Close()
			if banner == "" {
				info, err := r.Info(cmd.Context())
				if err != nil {
					return err
				}
				banner = info.Banner
			}
			in, err := inspectorFor(cmd.Context(), r, owners)
			if err != nil {
				return err
			}
			opt := report.Options{Title: title, Banner: banner, MaxDeciding: deciding, Build: build(), Inspector: in, Owners: owners, Now: time.Now}
			write := map[string]func(io.Writer) error{
				"html": func(w io.Writer) error { return report.Write(cmd.Context(), w, r, opt) },
				"json": func(w io.Writer) error { return report.WriteJSON(cmd.Context(), w, r, opt) },
			}[format]
			if write == nil {
				return usagef("--format %s: want html or json", format)
			}
			w, finish, err := output(cmd, out)
			if err != nil {
				return err
			}
			if err := finish(write(w)); err != nil {
				return err
			}
			if out != "" && out != "-" {
				fmt.Fprintln(os.Stderr, "wrote", absolute(out))
			}
			return nil
		},
	}
	addCase(cmd, &caseFile)
	addOwners(cmd, &tables)
	cmd.Flags().StringVar(&out, "out", "report.html", "file to write, 0600; - for standard output")
	cmd.Flags().StringVar(&format, "format", "html", "html or json")
	cmd.Flags().StringVar(&title, "title", "", "title of the report (default: the case's name)")
	cmd.Flags().StringVar(&banner, "banner", "", "a remark to print at the head of the report (default: the case's own)")
	cmd.Flags().IntVar(&deciding, "deciding", 5, "requests shown in full for each class and direction")
	return cmd
}
