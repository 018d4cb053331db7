// Command constat is an intercepting HTTPS proxy that finds out what a phone
// sends, to whom, and proves it. "constat run" does everything in one process;
// the other commands read and add to the case files that it writes.
//
// Exit status: 0 done, 1 failed, 2 wrong usage. A failure prints one line on
// standard error that says what to do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"constat/store/query"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(spellOut(args))
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "constat: %s\n", explain(err))
	var u usageError
	if errors.As(err, &u) || strings.HasPrefix(err.Error(), "unknown command") {
		return 2
	}
	return 1
}

// negated is a term of a filter that excludes, as in -method:GET.
var negated = regexp.MustCompile(`^-[a-z0-9]{2,}:`)

// spellOut writes the minus of excluding terms of a query as NOT, so that they
// are not taken for flags.
func spellOut(args []string) []string {
	if len(args) == 0 || args[0] != "query" {
		return args
	}
	out := slices.Clone(args)
	for i, a := range out {
		if negated.MatchString(a) {
			out[i] = "NOT " + a[1:]
		}
	}
	return out
}

// usageError is a mistake on the command line: exit status 2.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// hint is an error with the next step for the person who gets it.
type hint struct {
	error
	next string
}

func (h hint) Unwrap() error { return h.error }

// explain puts err in one line that says what to do. What the store and the CA
// have to say already does. Names in it may come from a capture.
func explain(err error) string { return query.Printable(nextStep(err)) }

func nextStep(err error) string {
	text := strings.ReplaceAll(err.Error(), "\n", " ")
	var h hint
	switch {
	case errors.As(err, &h):
		return text + "; " + h.next
	case errors.Is(err, syscall.EADDRINUSE):
		return text + "; choose another port with --listen or --ui"
	case errors.Is(err, os.ErrNotExist):
		return text + "; check the file name"
	}
	return text
}

// build is the version of this program as the Go tool recorded it.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "constat"
	}
	version, rev, dirty := info.Main.Version, "", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			rev = "+" + s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "-modified"
			}
		}
	}
	if version == "" || version == "(devel)" {
		version = Version
	}
	if strings.Contains(version, strings.TrimPrefix(rev, "+")) {
		rev = ""
	}
	return "constat " + version + rev + dirty
}

// Version is the release that this tree leads to.
const Version = "0.1.0"

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "constat",
		Short: "Find out what a phone sends, to whom, and prove it",
		Long: `Constat is an intercepting HTTPS proxy. Set it as the phone's Wi-Fi proxy, install
its certificate, use the phone; then query the log and read the report.`,
		Example: `  constat run                          start; scan the code with the phone
  constat query 'tag:sms dir:up'       requests that took text messages out
  constat report --out report.html     the case for people
  constat demo                         see it work without a phone`,
		Version:       strings.TrimPrefix(build(), "constat "),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q; try 'constat --help'", args[0])
			}
			return nil
		},
		RunE:              func(cmd *cobra.Command, args []string) error { return cmd.Help() },
		PersistentPreRunE: fromEnvironment,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; try '%s --help'", err, cmd.CommandPath())
	})
	root.SetVersionTemplate("constat {{.Version}}\n")
	root.AddCommand(
		runCommand(), caCommand(), deviceCommand(), gatewayCommand(), passCommand(), doctorCommand(), personaCommand(), markCommand(), sessionsCommand(), declareCommand(), protocolCommand(), importCommand(), inspectCommand(),
		queryCommand(), identifiersCommand(), claimsCommand(), compareCommand(), reportCommand(), exportCommand(), verifyCommand(), demoCommand(),
	)
	return root
}

// fromEnvironment sets each flag that was not given from CONSTAT_<NAME>.
func fromEnvironment(cmd *cobra.Command, _ []string) error {
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := "CONSTAT_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if f.Changed || !ok || f.Name == "help" || failed != nil {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			failed = usagef("%s: %w", name, err)
		}
	})
	return failed
}

// exactly is cobra.ExactArgs with a message that names what is missing.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		if len(names) == 0 {
			return usagef("%s: nothing was expected there; try '%s --help'", args[0], cmd.CommandPath())
		}
		return usagef("want %s; try '%s --help'", strings.Join(names, " "), cmd.CommandPath())
	}
}

// atLeast is exactly for one or more of a thing.
func atLeast(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return usagef("want at least one %s; try '%s --help'", name, cmd.CommandPath())
	}
}

// output opens the file that --out names for a new 0600 file, or standard
// output for "" and "-". The file appears whole, when close is called with
// success, or not at all.
func output(cmd *cobra.Command, name string) (w io.Writer, finish func(err error) error, err error) {
	if name == "" || name == "-" {
		return cmd.OutOrStdout(), func(err error) error { return err }, nil
	}
	f, err := os.CreateTemp(dirOf(name), ".constat-*")             // 0600
	if pathErr := (*os.PathError)(nil); errors.As(err, &pathErr) { // whose name nobody gave
		return nil, nil, fmt.Errorf("write %s: %w", name, pathErr.Err)
	}
	if err != nil {
		return nil, nil, err
	}
	return f, func(err error) error {
		if err == nil {
			err = f.Sync()
		}
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err == nil {
			err = os.Rename(f.Name(), name)
		}
		if err != nil {
			os.Remove(f.Name())
		}
		return err
	}, nil
}

func dirOf(name string) string {
	if i := strings.LastIndexByte(name, os.PathSeparator); i >= 0 {
		return name[:i+1]
	}
	return "."
}

// addCADir adds the flag that says where the CA and the signing key are.
func addCADir(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "ca-dir", defaultCADir(), "folder of ca.pem and ca.key, created when absent")
}

// defaultCADir is this user's own: one CA for all cases, so that a phone has to
// trust one certificate only (docs/adr/0002).
func defaultCADir() string {
	base, err := os.UserConfigDir()
	if err != nil {
		return ".constat"
	}
	return filepath.Join(base, "constat")
}
