package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"constat/store"
	"constat/store/compare"
	"constat/store/query"
)

// shownRows is how many rows of a comparison the table has unless all is asked for.
const shownRows = 60

func compareCommand() *cobra.Command {
	var caseFile string
	var files, devices [2]string
	var terms [2][]string
	var device string
	var asJSON, all bool
	var opt compare.Options
	cmd := &cobra.Command{
		Use:   "compare --a TERM ... --b TERM ...",
		Short: "Say what appears, vanishes and changes between sessions or cases, and how sure that is",
		Long: `Compare two sets of sessions of a case, or of two cases: which hosts, paths, classes,
planted values and identifiers only one has, or one has much more of.

A TERM is FACTOR=VALUE, as marks declare them (FACTOR= for sessions that do not declare
it), session=NAME, or id=NUMBER of a session ('constat sessions' lists them). Terms of one
side must all fit. Sessions of controls are left out unless they are named.

How sure a difference is follows from the number of sessions by an exact test. With three
sessions a side nothing is more than likely; five a side can be sure. What could not be
read on one side is not called vanished.`,
		Example: `  constat compare --a micloud=off --b micloud=on
  constat compare --a session=idle --a network=wifi --b session=idle --b network=mobile
  constat compare --case-a stock.constat --case-b custom.constat --a session=idle --b session=idle
  constat compare --case before.constat --a id=3 --b id=7 --json`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for i := range files {
				if files[i] == "" {
					files[i] = caseFile
				}
				if devices[i] == "" {
					devices[i] = device
				}
			}
			if files[0] == files[1] && len(terms[0])+len(terms[1]) == 0 && devices[0] == devices[1] {
				return usagef("want what is compared, as in --a micloud=off --b micloud=on; try 'constat compare --help'")
			}
			var in [2]compare.Input
			for i := range in {
				var err error
				if in[i].Scope, err = scopeOf(terms[i], devices[i]); err != nil {
					return err
				}
				in[i].Label = cmp.Or(strings.Join(terms[i], " "), devices[i], files[i])
				if i == 1 && files[1] == files[0] {
					in[1].Reader = in[0].Reader
					continue
				}
				if in[i].Reader, err = prepareCase(cmd, files[i]); err != nil {
					return err
				}
				defer in[i].Reader.Close()
			}
			if all || asJSON {
				opt.MaxRows = 10_000
			}
			var end func()
			opt.Progress, end = progress(cmd.ErrOrStderr(), "comparing sessions")
			c, err := compare.Run(cmd.Context(), in[0], in[1], opt)
			end()
			if err != nil {
				return explainSides(cmd.Context(), in, err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), c)
			}
			return writeComparison(cmd.OutOrStdout(), c, all)
		},
	}
	addCase(cmd, &caseFile)
	f := cmd.Flags()
	f.StringArrayVar(&terms[0], "a", nil, "TERM that the sessions of side A fit; repeatable")
	f.StringArrayVar(&terms[1], "b", nil, "the same for side B")
	f.StringVar(&files[0], "case-a", "", "case file of side A (default: that of --case)")
	f.StringVar(&files[1], "case-b", "", "the same for side B")
	f.StringVar(&device, "device", "", "only what this phone did, by its name in the case")
	f.StringVar(&devices[0], "device-a", "", "the same for side A alone")
	f.StringVar(&devices[1], "device-b", "", "and for side B")
	f.BoolVar(&opt.Values, "show-values", false, "print identifiers in full; without it only their names and six digits of a hash")
	f.BoolVar(&all, "all", false, "a table of any length")
	f.BoolVar(&asJSON, "json", false, "as JSON, with up to 10,000 rows")
	return cmd
}

// scopeOf reads terms such as micloud=off, session=idle and id=3.
func scopeOf(terms []string, device string) (store.Scope, error) {
	s := store.Scope{Device: device, Factors: map[string]string{}}
	for _, t := range terms {
		name, value, ok := strings.Cut(t, "=")
		switch {
		case !ok || name == "":
			return s, usagef("%s: want FACTOR=VALUE, session=NAME or id=NUMBER", t)
		case name == "session":
			s.Sessions = append(s.Sessions, value)
		case name == "id":
			id, err := strconv.ParseInt(value, 10, 64)
			if err != nil || id < 1 {
				return s, usagef("%s: want the number of a session; see 'constat sessions'", t)
			}
			s.IDs = append(s.IDs, id)
		default:
			if _, twice := s.Factors[name]; twice {
				return s, usagef("%s is given twice for one side: a session has one value of it", name)
			}
			s.Factors[name] = value
		}
	}
	return s, nil
}

// explainSides adds what sessions there are when none fits.
func explainSides(ctx context.Context, in [2]compare.Input, err error) error {
	switch {
	case errors.Is(err, compare.ErrOverlap):
		return hint{usageError{err}, "choose terms that no session fits on both sides"}
	case !errors.Is(err, compare.ErrNoSession):
		return err
	}
	have := map[string]bool{}
	var words []string
	for _, side := range in {
		sessions, e := side.Reader.Sessions(ctx)
		if e != nil {
			return errors.Join(err, e)
		}
		for _, s := range sessions {
			w := strings.TrimSpace("session=" + s.Name + " " + factorWords(s.Factors))
			if !have[w] && len(words) < 8 {
				have[w] = true
				words = append(words, query.Printable(w))
			}
		}
	}
	next := "the case has no sessions; 'constat mark' opens them"
	if len(words) > 0 {
		next = "there are: " + strings.Join(words, "; ")
	}
	return hint{usageError{err}, next}
}

func writeComparison(w io.Writer, c *compare.Comparison, all bool) error {
	var b strings.Builder
	for i, s := range []*compare.Side{&c.A, &c.B} {
		read := "no connection was opened"
		if s.Coverage.Connections > 0 {
			read = fmt.Sprintf("%d %% of the bytes from the phone could be read", int(100*s.Coverage.ShareUp()))
		}
		fmt.Fprintf(&b, "%s  %s (%s): %s, %s, %s\n", "AB"[i:i+1], query.Printable(s.Label), query.Printable(s.File),
			counted(int64(len(s.Sessions)), "session"), counted(s.Requests, "request"), read)
	}
	for _, x := range c.Cautions {
		fmt.Fprintf(&b, "!  %s\n", query.Printable(x.Sentence))
	}
	rows := c.Rows
	if !all {
		rows = rows[:min(len(rows), shownRows)]
	}
	if len(rows) == 0 {
		b.WriteString("No difference was seen. That does not show that there is none: see above what could be read, and how many sessions there are.\n")
	} else {
		b.WriteString(comparedTable(rows) + "\n")
		b.WriteString("In A, in B: requests of each session, and how many of the sessions that could show it do; ? could not.\n" +
			"Chance: how often chance alone parts the sessions so clearly if the sides do not differ; the first column also takes into account how many\n" +
			"things were compared.\n")
	}
	if more := c.More + len(c.Rows) - len(rows); more > 0 {
		fmt.Fprintf(&b, "and %s; see them with --all or --json\n", counted(int64(more), "more difference"))
	}
	fmt.Fprintf(&b, "%s alike on both sides.\n", counted(int64(c.Same), "thing"))
	_, err := io.WriteString(w, b.String())
	return err
}

func comparedTable(rows []compare.Row) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"", "", "what differs", "in A", "in B", "chance", "request"})
	for _, r := range rows {
		t.AppendRow(table.Row{
			r.Sure, changeWords[r.Change], r.What + " " + cell(r.Key, 60), sessionsOf(r.CountsA, r.A, r.SessionsA, r.OfA), sessionsOf(r.CountsB, r.B, r.SessionsB, r.OfB),
			chanceOf(r), example(r.Example),
		})
	}
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 4, Align: text.AlignRight}, {Number: 5, Align: text.AlignRight}, {Number: 6, Align: text.AlignRight}, {Number: 7, Align: text.AlignRight},
	})
	return t.Render()
}

var changeWords = map[compare.Change]string{
	compare.Appears: "appears in B", compare.Vanish: "only in A", compare.More: "more in B", compare.Less: "less in B", compare.Hidden: "cannot be told",
}

// sessionsOf writes "4+4+? (2 of 2)": the requests of each session, and how many of the
// sessions that could show it do.
func sessionsOf(counts []int64, requests int64, sessions, of int) string {
	const maxShown = 6
	words := strconv.FormatInt(requests, 10)
	if len(counts) <= maxShown {
		var list []string
		for _, n := range counts {
			if n == compare.Unread {
				list = append(list, "?")
			} else {
				list = append(list, strconv.FormatInt(n, 10))
			}
		}
		words = strings.Join(list, "+")
	}
	return fmt.Sprintf("%s (%d of %d)", words, sessions, of)
}

// chanceOf is how often chance alone parts the sessions so clearly, in percent.
func chanceOf(r compare.Row) string {
	switch p := 100 * r.P; {
	case min(r.OfA, r.OfB) < 2 || r.Change == compare.Hidden:
		return "–"
	case p < 1:
		return fmt.Sprintf("%.2g %%", p)
	default:
		return fmt.Sprintf("%.0f %%", p)
	}
}

func example(request int64) string {
	if request == 0 {
		return ""
	}
	return strconv.FormatInt(request, 10)
}
