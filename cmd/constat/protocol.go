package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"constat/inspect/canary"
	"constat/store"
	"constat/store/protocol"
	"constat/store/query"
)

func protocolCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "protocol",
		Short: "Walk through a test of a phone, step by step, with its controls",
		Long: `A protocol lists the steps of a test: what to set, what to do, how long to wait, how often,
and the controls that show that the chain sees what it should and nothing else. Constat
walks you through it, opens and closes the sessions and records each step.`,
		Example: `  constat protocol list
  constat protocol run idle
  constat protocol new my-test.yaml`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(protocolListCommand(), protocolShowCommand(), protocolNewCommand(), protocolRunCommand())
	return cmd
}

func addLang(cmd *cobra.Command, lang *string) {
	cmd.Flags().StringVar(lang, "lang", "en", "language of the texts, where the protocol has it: en, fr, …")
}

func protocolListCommand() *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the protocols that come with Constat",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := protocol.Builtin()
			if err != nil {
				return err
			}
			t := table.NewWriter()
			t.SetStyle(table.StyleLight)
			t.Style().Format.Header = text.FormatDefault
			t.AppendHeader(table.Row{"protocol", "sessions", "waiting", "question"})
			for _, p := range list {
				t.AppendRow(table.Row{p.ID, p.Sessions(), spell(p.Waits()), p.Title.In(lang)})
			}
			t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, Align: text.AlignRight}, {Number: 3, Align: text.AlignRight}})
			_, err = fmt.Fprintln(cmd.OutOrStdout(), t.Render())
			return err
		},
	}
	addLang(cmd, &lang)
	return cmd
}

// readProtocol returns the protocol of the program that is called so, else the one
// in the file.
func readProtocol(name string) (*protocol.Protocol, error) {
	if p, err := protocol.Named(name); err != nil || p != nil {
		return p, err
	}
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(name, "./\\") {
		return nil, usagef("no protocol is called %q; see 'constat protocol list', or name a file", name)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return protocol.Parse(name, f)
}

func protocolShowCommand() *cobra.Command {
	var lang string
	var source bool
	cmd := &cobra.Command{
		Use:   "show NAME|FILE",
		Short: "Show what a protocol asks you to do, or that a file of yours is in order",
		Args:  exactly("NAME or FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := readProtocol(args[0])
			if err != nil {
				return err
			}
			if source {
				_, err := cmd.OutOrStdout().Write(p.Source)
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), describe(p, lang))
			return err
		},
	}
	addLang(cmd, &lang)
	cmd.Flags().BoolVar(&source, "yaml", false, "print the file")
	return cmd
}

// describe lists what a protocol asks for.
func describe(p *protocol.Protocol, lang string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", p.Title.In(lang))
	if about := p.About.In(lang); about != "" {
		fmt.Fprintf(&b, "%s\n", strings.TrimSpace(about))
	}
	fmt.Fprintf(&b, "\n%s, %s of waiting; file %s\n", counted(int64(p.Sessions()), "session"), spell(p.Waits()), p.Sum()[:16])
	for _, q := range p.Ask {
		fmt.Fprintf(&b, "? %s (%s: %s)\n", q.Question.In(lang), q.Factor, cmp.Or(strings.Join(q.Values, ", "), "any"))
	}
	for _, ph := range p.Phases {
		fmt.Fprintf(&b, "\n%s", ph.Session)
		if ph.Repeat > 1 {
			fmt.Fprintf(&b, ", %d times", ph.Repeat)
		}
		if ph.Control != "" {
			fmt.Fprintf(&b, ", a %s control", ph.Control)
		}
		if words := factorWords(ph.Factors); words != "" {
			fmt.Fprintf(&b, " (%s)", words)
		}
		b.WriteString("\n")
		for _, part := range []struct {
			when  string
			steps []protocol.Step
		}{{"before", ph.Before}, {"", ph.Steps}, {"after", ph.After}} {
			for _, s := range part.steps {
				fmt.Fprintf(&b, "  %-7s%s\n", part.when, stepWords(s, lang))
			}
		}
	}
	return b.String()
}

func stepWords(s protocol.Step, lang string) string {
	do := strings.ReplaceAll(s.Do.In(lang), "\n", " ")
	switch {
	case s.Send != nil:
		return strings.TrimSpace(do + " " + s.Send.URL)
	case s.Wait > 0 && do != "":
		return "wait " + spell(s.Wait) + ": " + do
	case s.Wait > 0:
		return "wait " + spell(s.Wait)
	}
	return do
}

func protocolNewCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new [FILE]",
		Short: "Write a template with comments, to make a protocol of",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := io.WriteString(cmd.OutOrStdout(), protocol.Template)
				return err
			}
			if len(args) > 1 {
				return usagef("want one FILE; try 'constat protocol new --help'")
			}
			f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if errors.Is(err, os.ErrExist) {
				return hint{fmt.Errorf("%s exists", args[0]), "choose another file"}
			}
			if err != nil {
				return err
			}
			_, err = io.WriteString(f, protocol.Template)
			if err = errors.Join(err, f.Close()); err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "template in %s; check it with: constat protocol show %s\n", args[0], args[0])
			}
			return err
		},
	}
}

func protocolRunCommand() *cobra.Command {
	var caseFile, caDir string
	var set []string
	var resume, fresh, yes bool
	var run protocol.Run
	cmd := &cobra.Command{
		Use:   "run NAME|FILE",
		Short: "Walk through a protocol while 'constat run' records",
		Long: `Walk through a protocol. 'constat run' must record the same case meanwhile. Enter goes on to
the next step, q and Enter or Ctrl-C stops: run the same command again to continue with
the session that was stopped.

--yes is for rehearsals and scripts: what is to be done is printed and taken as done.`,
		Example: `  constat protocol run idle
  constat protocol run my-test.yaml --set location=off --lang fr
  constat protocol run idle --yes --shorten 600 --set cloud=off --set account=none --set network=wifi`,
		Args: exactly("NAME or FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := readProtocol(args[0])
			if err != nil {
				return err
			}
			answers, err := pairs(set, "--set FACTOR=VALUE, as in --set cloud=off")
			if err != nil {
				return err
			}
			if err := checkAnswers(p, answers, yes); err != nil {
				return err
			}
			if !yes && !isTerminal(os.Stdin) {
				return usagef("a protocol is gone through at a terminal; run it in one, or with --yes in a script")
			}
			if run.Shorten < 1 {
				return usagef("--shorten %g: want 1 or more", run.Shorten)
			}
			if resume && fresh {
				return usagef("want --resume or --fresh, not both")
			}
			name, err := findCase(caseFile)
			if err != nil {
				return err
			}
			if err := recording(cmd.Context(), name); err != nil {
				return err
			}
			r, err := store.OpenReader(cmd.Context(), name)
			if err != nil {
				return err
			}
			defer r.Close()
			run.Protocol, run.Case, run.Reader = p, live{scribe{name, caDir}}, r
			if run.Planted, err = plantedIn(cmd.Context(), r); err != nil {
				return err
			}
			if yes {
				run.Person = &script{out: cmd.OutOrStdout(), answers: answers}
			} else {
				run.Person = newWalk(cmd.InOrStdin(), cmd.OutOrStdout(), answers)
			}
			if !fresh {
				if run.Resume, err = unfinished(cmd.Context(), &run, resume, yes); err != nil {
					return err
				}
			}
			return walkThrough(cmd, &run, name, args[0])
		},
	}
	addCase(cmd, &caseFile)
	addCADir(cmd, &caDir)
	addLang(cmd, &run.Lang)
	f := cmd.Flags()
	f.StringArrayVar(&set, "set", nil, "FACTOR=VALUE, answer a question beforehand; repeatable")
	f.StringVar(&run.Device, "device", "", "phone whose traffic the controls look at, by its name in the case (default: any)")
	f.BoolVar(&resume, "resume", false, "continue the run that was stopped, without asking")
	f.BoolVar(&fresh, "fresh", false, "begin anew, although a run was stopped")
	f.BoolVar(&yes, "yes", false, "take all that is to be done as done: for rehearsals and scripts")
	f.Float64Var(&run.Shorten, "shorten", 1, "divide all waits by this, for rehearsals")
	f.DurationVar(&run.Seen, "seen-within", 0, "how long to wait for what a positive control sends (default 2m)")
	return cmd
}

// checkAnswers demands that what was set is asked for, and in a script that all is.
func checkAnswers(p *protocol.Protocol, answers map[string]string, all bool) error {
	asked := map[string][]string{}
	for _, q := range p.Ask {
		asked[q.Factor] = q.Values
		value, given := answers[q.Factor]
		if all && !given {
			return usagef("the protocol asks for %s; answer it with --set %s=%s", q.Factor, q.Factor, cmp.Or(strings.Join(q.Values, "|"), "…"))
		}
		if given && (value == "" || len(q.Values) > 0 && !slices.Contains(q.Values, value)) {
			return usagef("--set %s=%s: want %s", q.Factor, value, cmp.Or(strings.Join(q.Values, " or "), "a value"))
		}
	}
	for name := range answers {
		if _, ok := asked[name]; !ok {
			return usagef("--set %s: the protocol does not ask for it", name)
		}
	}
	return nil
}

// recording demands that a process records the case: what nobody records was not
// seen.
func recording(ctx context.Context, caseFile string) error {
	err := ask(ctx, caseFile, "alive", struct{}{}, nil)
	if errors.Is(err, errNotRunning) {
		return hint{fmt.Errorf("nobody records %s", caseFile), "start 'constat run --case " + caseFile + "' in another terminal first"}
	}
	return err
}

// live is a case that must be recorded while a session is open.
type live struct{ scribe }

// Mark fails when nobody records the case, but ends the session all the same.
func (l live) Mark(ctx context.Context, name string, factors map[string]string, note string) error {
	alive := recording(ctx, l.caseFile)
	if alive != nil && name != "" {
		return alive
	}
	return errors.Join(alive, l.scribe.Mark(ctx, name, factors, note))
}

// plantedIn returns the invented values of a case's persona by their kind. Values of
// a real person are never sent on purpose.
func plantedIn(ctx context.Context, r *store.Reader) (func(kind string) (name, value string, ok bool), error) {
	info, err := r.Info(ctx)
	if err != nil || len(info.Persona) == 0 {
		return nil, err
	}
	p, err := canary.Read(strings.NewReader(string(info.Persona)))
	if err != nil {
		return nil, fmt.Errorf("persona of the case: %w", err)
	}
	return func(kind string) (name, value string, ok bool) {
		for _, c := range p.Canaries {
			if string(c.Kind) == kind && c.Value != "" && (c.Invented || p.Invented) {
				return c.Name, c.Value, true
			}
		}
		return "", "", false
	}, nil
}

// unfinished returns the run to continue, nil to begin anew.
func unfinished(ctx context.Context, run *protocol.Run, resume, yes bool) (*protocol.State, error) {
	s, err := protocol.Unfinished(ctx, run.Reader, run.Protocol)
	if err != nil {
		return nil, err
	}
	switch {
	case s == nil && resume:
		return nil, usagef("no run of this protocol was stopped in this case; run it without --resume")
	case s == nil || resume:
		return s, nil
	case yes:
		return nil, nil
	}
	ok, err := run.Person.Confirm(ctx, fmt.Sprintf("A run of this protocol was stopped after %d of %d sessions. Continue it?", s.Done, s.Of))
	if err != nil || !ok {
		return nil, err
	}
	return s, nil
}

// given writes those of the flags that were set, to be copied into a shell.
func given(cmd *cobra.Command, names ...string) (out string) {
	for _, name := range names {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			out += fmt.Sprintf(" --%s %s", name, shellWord(f.Value.String()))
		}
	}
	return out
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// shellWord quotes a word for a shell (POSIX.1-2024, Shell Command Language, 2.2.2).
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(query.Printable(s), "'", `'\''`) + "'"
}

// walkThrough does the run and says what came of it.
func walkThrough(cmd *cobra.Command, run *protocol.Run, caseFile, name string) error {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s\n%s, %s of waiting; case %s\n", run.Protocol.Title.In(run.Lang), counted(int64(run.Protocol.Sessions()), "session"), spell(run.Protocol.Waits()), caseFile)
	fmt.Fprintln(out, "Keep this computer awake until the end.")
	if run.Planted == nil {
		fmt.Fprintln(out, "The case has no planted values: 'constat run --persona FILE' plants some, which prove what leaves the phone.")
	}
	if devices, err := run.Reader.Declarations(cmd.Context(), store.TopicDevice); err != nil {
		return err
	} else if len(devices) == 0 {
		fmt.Fprintln(out, "The phone is not described yet: constat declare device model=… build=… rom=…")
	}
	s, err := run.Do(cmd.Context())
	if s == nil {
		return fmt.Errorf("the test did not begin: %w", err)
	}
	if err != nil {
		what := fmt.Errorf("stopped after %d of %s", s.Done, counted(int64(run.Protocol.Sessions()), "session"))
		if !errors.Is(err, protocol.ErrStop) && cmd.Context().Err() == nil {
			what = fmt.Errorf("%w: %w", what, err)
		}
		return hint{
			what,
			"continue with: constat protocol run " + name + " --resume --case " + caseFile + given(cmd, "lang", "ca-dir", "device", "seen-within"),
		}
	}
	fmt.Fprintf(out, "\nThe test is complete. See the sessions with: constat sessions --case %s\n", caseFile)
	for _, c := range s.Controls {
		if !c.Passed {
			return hint{fmt.Errorf("a %s control did not pass", c.Control), "nothing can be concluded from what was not seen; run the test again"}
		}
	}
	return nil
}
