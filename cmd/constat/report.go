package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"constat/inspect/owner"
	"constat/store/report"
)

// reportFiles are the formats of a report and where each goes by default.
var reportFiles = map[string]string{"html": "report.html", "json": "report.json", "pdf": "report.pdf", "complaint": "complaint.json"}

func reportCommand() *cobra.Command {
	var caseFile, out, format, lang, title, banner string
	var deciding int
	var showPhotos bool
	var tables owner.Files
	var ask answering
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write the case for people: what left, to whom, by which steps that is known",
		Long: `Write the case as a report: one page of plain words, then claims and answers, what left by
class, who received it, identifiers, comparisons, the timeline, the deciding requests byte by
byte, what could not be seen, the method, and how to verify. HTML and PDF say the same.

--format complaint writes the fields of a complaint to a data-protection authority as JSON,
with values masked; what only a person can say is empty and listed.`,
		Example: `  constat report --out report.html
  constat report --lang fr --format pdf --out rapport.pdf
  constat report --case idle.constat --format json --out report.json`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, known := reportFiles[format]; !known {
				return usagef("--format %s: want html, json, pdf or complaint", format)
			}
			if !slices.Contains(report.Languages(), lang) {
				return usagef("--lang %s: want %s", lang, strings.Join(report.Languages(), " or "))
			}
			owners, err := owner.Open(tables)
			if err != nil {
				return err
			}
			r, err := prepareCase(cmd, caseFile)
			if err != nil {
				return err
			}
			defer r.Close()
			if banner == "" {
				info, err := r.Info(cmd.Context())
				if err != nil {
					return err
				}
				banner = bannerIn(lang, info.Banner)
			}
			in, err := inspectorFor(cmd.Context(), r, owners)
			if err != nil {
				return err
			}
			opt := report.Options{
				Lang: lang, Title: title, Banner: banner, MaxDeciding: deciding, Build: build(), Inspector: in, Owners: owners, Now: time.Now, ShowPhotos: showPhotos,
			}
			show, last := progressSteps(cmd.ErrOrStderr())
			end := sync.OnceFunc(last)
			defer end()
			opt.Answers, opt.Comparisons, err = ask.of(cmd.Context(), r, show)
			if err != nil {
				return err
			}
			opt.Progress = func(done, total int64) { show("writing the report", done, total) }
			write := map[string]func(io.Writer) error{
				"html":      func(w io.Writer) error { return report.Write(cmd.Context(), w, r, opt) },
				"json":      func(w io.Writer) error { return report.WriteJSON(cmd.Context(), w, r, opt) },
				"pdf":       func(w io.Writer) error { return report.WritePDF(cmd.Context(), w, r, opt) },
				"complaint": func(w io.Writer) error { return report.WriteComplaint(cmd.Context(), w, r, opt) },
			}[format]
			if out == "" {
				out = reportFiles[format]
			}
			w, finish, err := output(cmd, out)
			if err != nil {
				return err
			}
			if err := finish(write(w)); err != nil {
				return err
			}
			end()
			if out != "-" {
				fmt.Fprintln(os.Stderr, "wrote", absolute(out))
			}
			return nil
		},
	}
	addCase(cmd, &caseFile)
	addOwners(cmd, &tables)
	addAnswering(cmd, &ask)
	cmd.Flags().StringVar(&out, "out", "", "file to write, 0600; - for standard output (default: report.html, .pdf or .json, or complaint.json)")
	cmd.Flags().StringVar(&format, "format", "html", "html, pdf, json or complaint")
	cmd.Flags().StringVar(&lang, "lang", "en", "language of the report: "+strings.Join(report.Languages(), " or "))
	cmd.Flags().BoolVar(&showPhotos, "show-photos", false, "show photographs as they are, not made unrecognisable")
	cmd.Flags().StringVar(&title, "title", "", "title of the report (default: the case's name)")
	cmd.Flags().StringVar(&banner, "banner", "", "a remark to print at the head of the report (default: the case's own)")
	cmd.Flags().IntVar(&deciding, "deciding", 5, "requests shown in full for each class and direction")
	return cmd
}
