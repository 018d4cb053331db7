package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"constat/inspect"
	"constat/store"
	"constat/store/evidence"
	"constat/store/export"
	"constat/store/query"
	"constat/store/report"
)

// bundleFlags are what was asked of an export.
type bundleFlags struct {
	caseFile, out, caDir, filter string
	redact, tsa, tsr             string
	lang                         string
	hide, to                     []string
	unsigned                     bool
	ask                          answering
}

func exportBundleCommand() *cobra.Command {
	var f bundleFlags
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Write the evidence as one file that a stranger can check",
		Long: `Write the case as one file that a stranger can check with constat-verify, or by hand with
openssl and sha256sum: records with their proofs, bodies, a copy of the database, HAR and
reports. Everything up to the newest checkpoint is in it.

What must not be seen can be left out, and the rest still verifies: --redact masked shows
beginnings and ends of values, --redact hashes nothing of them, --filter only chosen
requests, --hide class:contacts,host:bank.example all but those. Host names, times, sizes
and classes stay, except of what --filter and --hide host: withhold. --hide class: hides
what was not inspected as well, because nobody knows what is in it.`,
		Example: `  constat export bundle --out case.constat.zip --tsa https://freetsa.org/tsr
  constat export bundle --redact masked --hide class:contacts --out for-the-press.constat.zip
  constat export bundle --filter 'tag:sms dir:up' --to age1… --out sms.constat.zip.age`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	addCase(cmd, &f.caseFile)
	addCADir(cmd, &f.caDir)
	addAnswering(cmd, &f.ask)
	cmd.Flags().StringVar(&f.lang, "lang", "en", "language of the reports: "+strings.Join(report.Languages(), " or "))
	cmd.Flags().StringVar(&f.out, "out", "", "file to write, 0600; - for standard output")
	cmd.Flags().StringVar(&f.filter, "filter", "", "only these requests, as in 'constat query'; what belongs to others is withheld")
	cmd.Flags().StringVar(&f.redact, "redact", "", "masked or hashes: how much of all values is shown")
	cmd.Flags().StringSliceVar(&f.hide, "hide", nil, "class:NAME or host:NAME, repeatable: what others must not see")
	cmd.Flags().StringVar(&f.tsa, "tsa", "", "address of a time-stamping authority (RFC 3161) to ask; it sees a hash only")
	cmd.Flags().StringVar(&f.tsr, "tsr", "", "its answer of an earlier export, instead of asking again")
	cmd.Flags().StringArrayVar(&f.to, "to", nil, "age recipient to encrypt to, repeatable")
	cmd.Flags().BoolVar(&f.unsigned, "unsigned", false, "do without the key of the case: the manifests are then not signed")
	return cmd
}

func (f *bundleFlags) run(cmd *cobra.Command) (err error) {
	ctx := cmd.Context()
	if f.out == "" {
		return usagef("name the file to write with --out")
	}
	opt := export.Options{Build: build()}
	if err := f.options(&opt); err != nil {
		return usageError{err}
	}
	recipients, err := f.recipients()
	if err != nil {
		return err
	}
	r, err := openCase(ctx, f.caseFile)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := f.sign(ctx, r, &opt); err != nil {
		return err
	}
	whole := f.redact == "" && f.filter == "" && len(f.hide) == 0
	show, end := progressSteps(cmd.ErrOrStderr())
	files, done, err := f.reports(ctx, r, whole, show)
	if err != nil {
		return err
	}
	opt.Files, opt.Progress = files, show
	w, finish, err := output(cmd, f.out)
	if err != nil {
		return err
	}
	if f.out != "-" {
		opt.Temp = dirOf(f.out)
	}
	var s *export.Summary
	err = encrypted(w, recipients, func(w io.Writer) error {
		s, err = export.Write(ctx, w, r, opt)
		return err
	})
	end()
	err = errors.Join(err, done())
	if err = finish(err); err != nil {
		return err
	}
	errOut := cmd.ErrOrStderr()
	if f.out != "-" {
		fmt.Fprintln(errOut, "wrote", absolute(f.out))
	}
	fmt.Fprintf(errOut, "%d records, %d withheld; %s\n", s.Records, s.Withheld, stampWords(s.Stamp))
	for _, h := range s.Unmatched {
		fmt.Fprintf(errOut, "--hide host:%s hid nothing: no record is about it; check how it is written\n", h)
	}
	if s.Unsealed > 0 {
		fmt.Fprintf(errOut, "%d records came after the newest checkpoint and are not in it; end the capture, or run 'constat mark', and export again\n", s.Unsealed)
	}
	return nil
}

func stampWords(t *evidence.Token) string {
	if t == nil {
		return "no time stamp: when it existed rests on this machine's clock; name an authority with --tsa"
	}
	return fmt.Sprintf("time stamp %s by %s", t.Time.Format(time.RFC3339), query.Printable(t.Signer.Subject.String()))
}

// options reads what can be wrong on the command line.
func (f *bundleFlags) options(opt *export.Options) (err error) {
	if !slices.Contains(report.Languages(), f.lang) {
		return fmt.Errorf("--lang %s: want %s", f.lang, strings.Join(report.Languages(), " or "))
	}
	if opt.Where, opt.Args, err = query.Where(f.filter); err != nil {
		return err
	}
	if f.filter == "" {
		opt.Where, opt.Args = "", nil
	}
	if f.redact != "" {
		if opt.Level = export.Level(f.redact); !slices.Contains([]export.Level{export.Masked, export.Hashes}, opt.Level) {
			return fmt.Errorf("--redact %s: want masked or hashes", f.redact)
		}
	}
	for _, h := range f.hide {
		what, name, _ := strings.Cut(h, ":")
		switch {
		case what == "class" && slices.Contains(inspect.Classes, inspect.Class(name)):
			opt.HideClasses = append(opt.HideClasses, inspect.Class(name))
		case what == "host":
			host, err := export.HostName(name)
			if err != nil {
				return fmt.Errorf("--hide %s: %w", h, err)
			}
			opt.HideHosts = append(opt.HideHosts, host)
		default:
			return fmt.Errorf("--hide %s: want class:NAME, with a name of docs/classes.md, or host:NAME", h)
		}
	}
	if f.tsa != "" && f.tsr != "" {
		return errors.New("--tsa asks for a time stamp, --tsr gives one: use one of them")
	}
	if f.tsa != "" {
		if opt.Stamp, err = export.Stamper(f.tsa); err != nil {
			return fmt.Errorf("--tsa %s: %w", f.tsa, err)
		}
	}
	if f.tsr != "" {
		if opt.Token, err = os.ReadFile(f.tsr); err != nil {
			return err
		}
	}
	return nil
}

func (f *bundleFlags) recipients() (list []age.Recipient, err error) {
	for _, to := range f.to {
		found, err := age.ParseRecipients(strings.NewReader(to))
		if err != nil {
			return nil, usagef("--to %s: not an age recipient, which begins with age1", to)
		}
		list = append(list, found...)
	}
	return list, nil
}

// encrypted calls write with w, or with what encrypts to w.
func encrypted(w io.Writer, to []age.Recipient, write func(io.Writer) error) error {
	if len(to) == 0 {
		return write(w)
	}
	enc, err := age.Encrypt(w, to...)
	if err != nil {
		return err
	}
	if err := write(enc); err != nil {
		return err
	}
	return enc.Close()
}

// sign sets what signs for the case.
func (f *bundleFlags) sign(ctx context.Context, r *store.Reader, opt *export.Options) error {
	if f.unsigned {
		return nil
	}
	info, err := r.Info(ctx)
	if err != nil {
		return err
	}
	opt.Signer, err = store.Signer(filepath.Join(f.caDir, "log.key"), info.ID, info.Verifier)
	if errors.Is(err, store.ErrNotFound) {
		return hint{err, "name the folder that the case was recorded with (--ca-dir), or leave the manifests unsigned (--unsigned)"}
	}
	return err
}

// reports are the reports of a bundle. What they say comes from the copy of the case
// that is in it. Claims are answered, and sessions compared, where nothing is withheld
// only: what is not there must not look as if it had not been sent. done is called in the
// end.
func (f *bundleFlags) reports(ctx context.Context, r *store.Reader, whole bool, show func(step string, done, total int64)) (_ []export.File, done func() error, err error) {
	info, err := r.Info(ctx)
	if err != nil {
		return nil, nil, err
	}
	in, err := inspectorFor(ctx, r, nil)
	if err != nil {
		return nil, nil, err
	}
	opt := report.Options{Lang: f.lang, MaxDeciding: 5, Build: build(), Inspector: in}
	var prepared *store.Reader // of the copy, for all reports
	file := func(name string, write func(context.Context, io.Writer, *store.Reader, report.Options) error) export.File {
		return export.File{Name: "data/" + name, Write: func(ctx context.Context, w io.Writer, r *store.Reader, about export.About) (err error) {
			if prepared == nil {
				if prepared, err = r.Prepared(ctx, func(done, total int64) { show("reading the case", done, total) }); err != nil {
					return err
				}
				if whole {
					opt.Answers, opt.Comparisons, err = f.ask.of(ctx, prepared, show)
				}
				if err != nil {
					return err
				}
			}
			opt.Banner = strings.TrimSpace(info.Banner + " " + about.Remark)
			opt.Now = func() time.Time { return about.Time }
			return write(ctx, w, prepared, opt)
		}}
	}
	done = func() error {
		if prepared == nil {
			return nil
		}
		return prepared.Close()
	}
	return []export.File{
		file("report.html", report.Write), file("report.json", report.WriteJSON), file("report.pdf", report.WritePDF), file("complaint.json", report.WriteComplaint),
	}, done, nil
}

// progressSteps is progress for work of several steps.
func progressSteps(w io.Writer) (show func(step string, done, total int64), end func()) {
	at := ""
	one, last := func(int64, int64) {}, func() {}
	show = func(step string, done, total int64) {
		if step != at {
			last()
			at = step
			one, last = progress(w, step)
		}
		one(done, total)
	}
	return show, func() { last() }
}
