package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"constat/store/claim"
	"constat/store/query"
)

func claimsCommand() *cobra.Command {
	var caseFile, lang, out string
	var only, sets []string
	var asJSON bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "claims",
		Short: "Answer public statements about a phone from a case: supported, refuted, undecided",
		Long: `Answer claims from a case: what somebody has publicly said of a phone, each as a question
with two queries, the sessions and controls that it needs and the least coverage. An
answer that rests on what was not seen needs all of these; without them the claim is
undecided, and what is missing is listed. docs/claims.md has the rules.

--set names the claims: a built-in set (xiaomi), a file or a folder of files. With an
equals sign it gives a parameter of the claims a value: --set countries=CN,SG.`,
		Example: `  constat claims
  constat claims --only C3,C5 --lang fr
  constat claims --set countries=SG,RU --set vendor_names=Example
  constat claims new > my.yaml && constat claims --set my.yaml`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			words, err := claimWordsIn(lang)
			if err != nil {
				return err
			}
			set, given, err := openClaims(sets)
			if err != nil {
				return err
			}
			r, err := prepareCase(cmd, caseFile)
			if err != nil {
				return err
			}
			defer r.Close()
			show, end := progress(cmd.ErrOrStderr(), "asking claims")
			answers, err := claim.Answers(cmd.Context(), r, set, claim.Options{Only: only, Values: given, QueryTime: timeout, Progress: show})
			end()
			if err != nil {
				return unknownClaim(err)
			}
			info, err := r.Info(cmd.Context())
			if err != nil {
				return err
			}
			unsaid(answers, info.Banner)
			w, finish, err := output(cmd, out)
			if err != nil {
				return err
			}
			if asJSON {
				return finish(writeJSON(w, answers))
			}
			if info.Banner != "" {
				if _, err = fmt.Fprintf(w, "%s\n\n", query.Printable(spaces(bannerIn(lang, info.Banner)))); err != nil {
					return finish(err)
				}
			}
			return finish(writeAnswers(w, answers, lang, words))
		},
	}
	cmd.AddCommand(claimsShowCommand(), claimsNewCommand())
	addCase(cmd, &caseFile)
	addSets(cmd, &sets)
	cmd.Flags().StringSliceVar(&only, "only", nil, "ids of the claims to answer, such as C3,C5 (default: all)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, with the queries as they were run")
	cmd.Flags().StringVar(&lang, "lang", "en", "language: en or fr")
	cmd.Flags().DurationVar(&timeout, "timeout", 2*time.Minute, "time of one query at most")
	cmd.Flags().StringVar(&out, "out", "", "file to write, 0600 (default: standard output)")
	return cmd
}

func addSets(cmd *cobra.Command, sets *[]string) {
	cmd.Flags().StringArrayVar(sets, "set", nil, "xiaomi, a FILE or a FOLDER of claims; NAME=VALUE,… for a parameter (default xiaomi)")
}

func claimsShowCommand() *cobra.Command {
	var sets []string
	cmd := &cobra.Command{
		Use:     "show [ID]",
		Short:   "List the claims of a set, or print one as a file to start from",
		Example: "  constat claims show\n  constat claims show C3 > my.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			set, _, err := openClaims(sets)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				t := claimTable("claim", "said by", "")
				for _, c := range set.Claims {
					t.AppendRow(table.Row{c.ID, cell(c.Said.Who, 30), cell(c.Title.In("en"), 80)})
				}
				_, err := fmt.Fprintln(cmd.OutOrStdout(), t.Render())
				return err
			}
			if len(args) > 1 {
				return usagef("want one ID; try 'constat claims show'")
			}
			c := set.Find(args[0])
			if c == nil {
				return unknownClaim(&claim.UnknownError{What: "claim", Name: args[0], Set: set.Name})
			}
			_, err = io.WriteString(cmd.OutOrStdout(), c.Source)
			return err
		},
	}
	addSets(cmd, &sets)
	return cmd
}

func claimsNewCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "new",
		Short:   "Print a claim file in which comments explain each field",
		Example: "  constat claims new > my.yaml",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), claim.Template())
			return err
		},
	}
}

var parameterValue = regexp.MustCompile(`^([a-z][a-z0-9_]*)=(.*)$`)

// openClaims opens the set that --set names, and takes the parameters that it gives.
func openClaims(sets []string) (set *claim.Set, given map[string][]string, err error) {
	name := ""
	given = map[string][]string{}
	for _, s := range sets {
		if m := parameterValue.FindStringSubmatch(s); m != nil {
			for v := range strings.SplitSeq(m[2], ",") {
				if v = strings.TrimSpace(v); v != "" {
					given[m[1]] = append(given[m[1]], v)
				}
			}
			if given[m[1]] == nil {
				given[m[1]] = []string{} // none, in place of the default
			}
			continue
		}
		if name != "" {
			return nil, nil, usagef("--set names two sets, %s and %s: put the files into one folder", name, s)
		}
		name = s
	}
	if name == "" {
		name = claim.BuiltIn[0]
	}
	set, err = claim.Open(name)
	var wrong *claim.Error
	switch {
	case errors.As(err, &wrong):
		return nil, nil, usageError{err}
	case errors.Is(err, os.ErrNotExist):
		return nil, nil, hint{err, "want a FILE, a FOLDER or the built-in set " + strings.Join(claim.BuiltIn, ", ")}
	}
	return set, given, err
}

// unknownClaim says where the right names are.
func unknownClaim(err error) error {
	var unknown *claim.UnknownError
	switch {
	case !errors.As(err, &unknown):
		return err
	case unknown.What == "claim":
		return usageError{hint{err, "list them with 'constat claims show'"}}
	}
	return usageError{hint{err, "'constat claims show ID' shows the parameters of a claim"}}
}

func claimTable(header ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row(header))
	return t
}

// claimWords are the words around answers in one language.
type claimWords struct {
	claim, answer, why, said, question, decided, controls, missing, surer, limits, more, request, connection, none, colon string
	verdicts, speaks                                                                                                      map[claim.Verdict]string
}

func claimWordsIn(lang string) (*claimWords, error) {
	switch lang {
	case "en":
		return &claimWords{
			"claim", "answer", "why", "said by", "question", "requests", "controls", "missing", "to be surer", "limits", "and %d more requests or connections, --json has them", "request %d", "connection %d", "no claims", ":",
			map[claim.Verdict]string{claim.Supported: "supported", claim.Refuted: "refuted", claim.Undecided: "undecided"},
			map[claim.Verdict]string{claim.Supported: "for it", claim.Refuted: "against it"},
		}, nil
	case "fr":
		return &claimWords{
			"affirmation", "réponse", "pourquoi", "affirmé par", "question", "requêtes", "contrôles", "il manque", "pour plus de certitude", "limites", "et %d autres requêtes ou connexions, --json les donne", "requête %d", "connexion %d", "aucune affirmation", " :",
			map[claim.Verdict]string{claim.Supported: "corroborée", claim.Refuted: "réfutée", claim.Undecided: "non tranchée"},
			map[claim.Verdict]string{claim.Supported: "pour", claim.Refuted: "contre"},
		}, nil
	}
	return nil, usagef("--lang %s: want en or fr", lang)
}

// writeAnswers writes a table of all answers, then each with what it rests on.
func writeAnswers(w io.Writer, answers []claim.Answer, lang string, words *claimWords) error {
	if len(answers) == 0 {
		_, err := fmt.Fprintln(w, words.none)
		return err
	}
	t := claimTable(words.claim, "", words.answer, words.why)
	for _, a := range answers {
		why := a.Because
		if a.Verdict == claim.Undecided && len(a.Missing) > 0 {
			why = a.Missing[0]
		}
		t.AppendRow(table.Row{a.Claim, cell(spaces(a.Title.In(lang)), 40), words.verdicts[a.Verdict], cell(spaces(why.In(lang)), 90)})
	}
	if _, err := fmt.Fprintln(w, t.Render()); err != nil {
		return err
	}
	for i := range answers {
		if err := writeAnswer(w, &answers[i], lang, words); err != nil {
			return err
		}
	}
	return nil
}

// spaces writes the spaces that must not break, which a terminal would show as
// codes, as plain ones.
func spaces(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

const (
	answerWidth = 100
	// shownDeciding is how many rows are printed of an answer.
	shownDeciding = 6
)

func writeAnswer(w io.Writer, a *claim.Answer, lang string, words *claimWords) error {
	var b strings.Builder
	line := func(indent, s string) {
		for i, l := range strings.Split(text.WrapSoft(query.Printable(spaces(s)), answerWidth), "\n") {
			if i > 0 {
				l = "  " + l
			}
			b.WriteString(indent + strings.TrimRight(l, " ") + "\n")
		}
	}
	colon := words.colon + " "
	fmt.Fprintf(&b, "\n%s  %s%s%s\n", a.Claim, query.Printable(spaces(a.Title.In(lang))), colon, words.verdicts[a.Verdict])
	line("    ", a.Because.In(lang))
	said := words.said + colon + a.Said.Who
	if !a.Said.When.IsZero() {
		said += ", " + a.Said.When.Format(time.DateOnly)
	}
	if a.Said.Who != "" {
		line("    ", said+colon+a.Said.Quote.In(lang))
	}
	line("    ", words.question+colon+a.Question.In(lang))
	if len(a.Deciding) > 0 {
		b.WriteString("    " + words.decided + words.colon + "\n")
		shown, more := shortened(a)
		for i := range shown {
			line("      ", decidingLine(&shown[i], words))
		}
		if more > 0 {
			fmt.Fprintf(&b, "      "+words.more+"\n", more)
		}
	}
	// A control that is missing is told once.
	controls := slices.DeleteFunc(slices.Clone(a.Controls), func(c claim.Control) bool {
		return slices.ContainsFunc(a.Missing, func(m claim.Text) bool { return m.In(lang) == c.Sentence.In(lang) })
	})
	if len(controls) > 0 {
		b.WriteString("    " + words.controls + words.colon + "\n")
		for _, c := range controls {
			line("      ", c.Sentence.In(lang))
		}
	}
	missing := words.missing
	if a.Verdict != claim.Undecided {
		missing = words.surer
	}
	if len(a.Missing) > 0 {
		b.WriteString("    " + missing + words.colon + "\n")
		for _, m := range a.Missing {
			line("      ", "- "+m.In(lang))
		}
	}
	if l := a.Limits.In(lang); l != "" {
		line("    ", words.limits+colon+l)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// shortened is the first row of each of the first requests and connections, and how
// many more of these there are.
func shortened(a *claim.Answer) (shown []claim.Deciding, more int64) {
	more = a.More
	for i, d := range a.Deciding {
		switch before := max(i-1, 0); {
		case i > 0 && d.Request == a.Deciding[before].Request && d.Connection == a.Deciding[before].Connection:
		case len(shown) == shownDeciding:
			more++
		default:
			shown = append(shown, d)
		}
	}
	return shown, more
}

func decidingLine(d *claim.Deciding, words *claimWords) string {
	name := fmt.Sprintf(words.request, d.Request)
	if d.Request == 0 {
		name = fmt.Sprintf(words.connection, d.Connection)
	}
	s := fmt.Sprintf("%s (%s), %s, %s", name, words.speaks[d.For], d.Time.UTC().Format("2006-01-02 15:04:05"), d.Host)
	if d.Session != "" {
		s += ", " + d.Session
	}
	s += ": " + d.Reason
	if d.Path != "" {
		s += " [" + d.Path + "]"
	}
	return s
}
