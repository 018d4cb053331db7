package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"constat/store/evidence"
	"constat/store/linkage"
	"constat/store/query"
)

// What the table shows unless all is asked for.
const (
	shownValues = 40
	shownFields = 60
)

func identifiersCommand() *cobra.Command {
	var caseFile, format, out string
	var opt linkage.Options
	var all, show, fields bool
	cmd := &cobra.Command{
		Use:   "identifiers",
		Short: "Say which values link transmissions: is the id really random each time?",
		Long: `List the values that came again in several requests, with their life span, and say of each
field whether its value stays, changes with the session or is new in each request. Resets
are marks called reset, reboot, wipe, reinstall or clear, or with a factor of such a name
('constat mark day2 reset=factory').

A value that stays can be an app's own, the same on all phones: only a second phone in
the case, or in another one, tells.`,
		Example: `  constat identifiers
  constat identifiers --host sa.example.com --show-values
  constat identifiers --all --format json > identifiers.json`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opt.MinRequests < 1 {
				return usagef("--min-requests %d: want 1 or more", opt.MinRequests)
			}
			if all && !cmd.Flags().Changed("min-requests") {
				opt.MinRequests = 1
			}
			write := map[string]func(io.Writer, *linkage.Linkage) error{
				"table": func(w io.Writer, l *linkage.Linkage) error { return writeLinkage(w, l, all) },
				"json":  func(w io.Writer, l *linkage.Linkage) error { return writeJSON(w, l) },
				"csv": func(w io.Writer, l *linkage.Linkage) error {
					if fields {
						return writeFieldsCSV(w, l)
					}
					return writeValuesCSV(w, l)
				},
			}[format]
			if write == nil {
				return usagef("--format %s: want table, json or csv", format)
			}
			r, err := openCase(cmd.Context(), caseFile)
			if err != nil {
				return err
			}
			defer r.Close()
			progressed, end := progress(cmd.ErrOrStderr(), "comparing requests")
			opt.Progress = progressed
			l, err := linkage.Analyse(cmd.Context(), r, opt)
			end()
			if err != nil {
				return err
			}
			if !show {
				l = l.Masked()
			}
			w, finish, err := output(cmd, out)
			if err != nil {
				return err
			}
			return finish(write(w, l))
		},
	}
	addCase(cmd, &caseFile)
	cmd.Flags().StringVar(&opt.Host, "host", "", "only what went to this host")
	cmd.Flags().IntVar(&opt.MinRequests, "min-requests", 2, "leave out values in fewer requests")
	cmd.Flags().BoolVar(&all, "all", false, "also values and fields that were seen once, and tables of any length")
	cmd.Flags().BoolVar(&show, "show-values", false, "print the values in full; without it only how they begin and end")
	cmd.Flags().BoolVar(&fields, "fields", false, "in CSV: one row for each field instead of each value")
	cmd.Flags().StringVar(&format, "format", "table", "table, json or csv")
	cmd.Flags().StringVar(&out, "out", "", "file to write, 0600 (default: standard output)")
	return cmd
}

// counted writes "1 value" and "2 values".
func counted(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// writeLinkage writes the answer for people.
func writeLinkage(w io.Writer, l *linkage.Linkage, all bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s carried %s that could identify, in %s with %s.\n",
		counted(l.Requests, "request"), counted(l.Distinct, "different value"), counted(int64(l.Sessions), "session"), counted(int64(l.Resets), "reset"))
	if l.Requests == 0 {
		b.WriteString("That is not proof that none was sent. If the case was recorded by an older version, 'constat inspect' finds its values.\n")
	}
	values, fields := l.Values, l.Telling(all)
	moreValues, moreFields := l.MoreValues, 0
	if !all {
		moreValues += int64(max(0, len(values)-shownValues))
		moreFields = max(0, len(fields)-shownFields)
		values, fields = values[:min(len(values), shownValues)], fields[:min(len(fields), shownFields)]
	}
	if len(values) > 0 {
		t := table.NewWriter()
		t.SetStyle(table.StyleLight)
		t.Style().Format.Header = text.FormatDefault
		t.AppendHeader(table.Row{"value", "kind", "names", "requests", "hosts", "sessions", "resets", "life span", ""})
		for _, v := range values {
			t.AppendRow(table.Row{
				query.Printable(v.Value), query.Printable(v.Kind), cell(strings.Join(v.Names, ", "), 30), v.Requests, cell(hostsOf(v), 40),
				len(v.Sessions), v.Resets, linkage.Words(time.Duration(v.Lifespan)), cell(remarks(v), 60),
			})
		}
		var right []table.ColumnConfig
		for _, n := range []int{4, 6, 7} {
			right = append(right, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
		t.SetColumnConfigs(right)
		b.WriteString(t.Render() + "\n")
	}
	for _, f := range fields {
		fmt.Fprintf(&b, "%s at %s: %s\n", query.Printable(f.Name), query.Printable(f.Host+f.Path), query.Printable(f.Verdict))
	}
	if moreValues > 0 || moreFields > 0 {
		fmt.Fprintf(&b, "and %s and %s; see them with --all, or all of them with --format json\n", counted(moreValues, "more value"), counted(int64(moreFields), "more field"))
	}
	for _, s := range l.Limits {
		b.WriteString(s + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell is s as a cell of at most width columns, without what steers a terminal.
func cell(s string, width int) string {
	s = query.Printable(s)
	if text.StringWidth(s) > width {
		s = text.Snip(s, width, "…")
	}
	return s
}

func hostsOf(v linkage.Value) string {
	s := strings.Join(v.Hosts, ", ")
	if len(v.Hosts) > 1 {
		s = fmt.Sprintf("%d: %s", len(v.Hosts), s)
	}
	return s
}

// remarks is what else there is to say of a value.
func remarks(v linkage.Value) string {
	var list []string
	if d := v.DigestOf; d != nil {
		list = append(list, digestWords(d))
	}
	if v.Devices > 1 {
		list = append(list, fmt.Sprintf("from %d devices", v.Devices))
	}
	if v.SetBy != "" {
		list = append(list, "set by "+v.SetBy)
	}
	if v.TimeInValue != "" {
		list = append(list, "made "+v.TimeInValue)
	}
	if len(v.Companions) > 0 {
		list = append(list, fmt.Sprintf("with %s in %d", v.Companions[0].Value, v.Companions[0].Requests))
	}
	return strings.Join(list, "; ")
}

func digestWords(d *linkage.Digest) string {
	s := fmt.Sprintf("%s (%s) of %s", strings.ToUpper(d.Algorithm), d.Encoding, d.Of)
	if d.Spelling != "plain" {
		s += " as " + d.Spelling
	}
	return s
}

func writeValuesCSV(w io.Writer, l *linkage.Linkage) error {
	return writeCSV(w, []string{
		"value", "kind", "names", "requests", "transmissions", "hosts", "owners", "devices", "first_seen", "last_seen", "lifespan_seconds", "sessions", "resets",
		"time_in_value", "set_by", "digest", "travels_with",
	}, l.Values, func(v linkage.Value) []string {
		digest := ""
		if v.DigestOf != nil {
			digest = digestWords(v.DigestOf)
		}
		var with []string
		for _, c := range v.Companions {
			with = append(with, fmt.Sprintf("%s %d", c.Value, c.Requests))
		}
		return []string{
			v.Value, v.Kind, strings.Join(v.Names, " "), strconv.FormatInt(v.Requests, 10), strconv.FormatInt(v.Transmissions, 10), strings.Join(v.Hosts, " "),
			strings.Join(v.Owners, "; "), strconv.Itoa(v.Devices), evidence.FormatTime(v.First), evidence.FormatTime(v.Last),
			strconv.FormatFloat(time.Duration(v.Lifespan).Seconds(), 'f', 3, 64), strings.Join(v.Sessions, " "), strconv.Itoa(v.Resets), v.TimeInValue, v.SetBy, digest,
			strings.Join(with, "; "),
		}
	})
}

func writeFieldsCSV(w io.Writer, l *linkage.Linkage) error {
	return writeCSV(w, []string{
		"host", "path", "name", "requests", "values", "devices", "sessions", "resets", "first_seen", "last_seen", "law", "verdict",
	}, l.Fields, func(f linkage.Field) []string {
		return []string{
			f.Host, f.Path, f.Name, strconv.FormatInt(f.Requests, 10), strconv.FormatInt(f.Values, 10), strconv.Itoa(f.Devices), strconv.Itoa(f.Sessions),
			strconv.Itoa(f.Resets), evidence.FormatTime(f.First), evidence.FormatTime(f.Last), string(f.Law), f.Verdict,
		}
	})
}

// writeCSV writes a header and one record for each of list; no cell is a formula.
func writeCSV[T any](w io.Writer, header []string, list []T, record func(T) []string) error {
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	for _, x := range list {
		cells := record(x)
		for i := range cells {
			cells[i] = query.SafeCell(cells[i])
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
