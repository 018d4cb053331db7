package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"constat/store"
	"constat/store/protocol"
	"constat/store/query"
)

// sessionRow is a session with its figures. The last row, which has no id, is what
// was outside of any.
type sessionRow struct {
	store.Session
	Seconds     float64 `json:"seconds"` // to now while it is open
	Requests    int64   `json:"requests"`
	Connections int64   `json:"connections"`
	Readable    int64   `json:"readable_connections"`
	BytesUp     int64   `json:"bytes_up"`
	ReadableUp  int64   `json:"readable_bytes_up"`
}

type sessionList struct {
	Case     string              `json:"case"`
	Declared []store.Declaration `json:"declared"` // what counts of each topic and subject, without steps of protocols
	Sessions []sessionRow        `json:"sessions"`
	Outside  sessionRow          `json:"outside"`
}

func sessionsCommand() *cobra.Command {
	var caseFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "List the sessions, with their conditions, length, requests and coverage",
		Long: `List the sessions of a case ('constat mark' opens them) with their declared conditions, how
long they were, how many requests began in each, and which share of the connections and
of the bytes from the phone could be read. Above them stands what was declared.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := openCase(cmd.Context(), caseFile)
			if err != nil {
				return err
			}
			defer r.Close()
			end := waiting(cmd.ErrOrStderr(), "counting requests")
			l, err := listSessions(cmd.Context(), r)
			end()
			if err != nil {
				return err
			}
			if !asJSON {
				return writeSessions(cmd.OutOrStdout(), l)
			}
			return writeJSON(cmd.OutOrStdout(), l)
		},
	}
	addCase(cmd, &caseFile)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func listSessions(ctx context.Context, r *store.Reader) (*sessionList, error) {
	info, err := r.Info(ctx)
	if err != nil {
		return nil, err
	}
	l := &sessionList{Case: info.Path, Declared: []store.Declaration{}, Sessions: []sessionRow{}}
	declared, err := r.Declared(ctx, "")
	if err != nil {
		return nil, err
	}
	l.Declared = append(l.Declared, declared...)
	sessions, err := r.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	figures := map[int64]*sessionRow{}
	for _, q := range []string{
		"SELECT ifnull(session_id, 0), count(*), 0, 0, 0, 0 FROM requests GROUP BY 1",
		`SELECT ifnull(session_id, 0), 0, count(*), sum(outcome IN ('intercepted', 'plain')), sum(bytes_up),
			sum(iif(outcome IN ('intercepted', 'plain'), bytes_up, 0)) FROM connections WHERE outcome <> 'refused' GROUP BY 1`,
	} {
		if err := addFigures(ctx, r, figures, q); err != nil {
			return nil, fmt.Errorf("read sessions: %w", err)
		}
	}
	for _, s := range sessions {
		row := sessionRow{Session: s}
		if f := figures[s.ID]; f != nil {
			row = *f
			row.Session = s
		}
		end := s.Closed
		if end.IsZero() {
			end = time.Now()
		}
		row.Seconds = end.Sub(s.Opened).Seconds()
		l.Sessions = append(l.Sessions, row)
	}
	if f := figures[0]; f != nil {
		l.Outside = *f
	}
	return l, nil
}

func addFigures(ctx context.Context, r *store.Reader, figures map[int64]*sessionRow, q string) error {
	rows, err := r.DB().QueryContext(ctx, q)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var f sessionRow
		if err := rows.Scan(&id, &f.Requests, &f.Connections, &f.Readable, &f.BytesUp, &f.ReadableUp); err != nil {
			return err
		}
		sum := figures[id]
		if sum == nil {
			sum = new(sessionRow)
			figures[id] = sum
		}
		sum.Requests += f.Requests
		sum.Connections += f.Connections
		sum.Readable += f.Readable
		sum.BytesUp += f.BytesUp
		sum.ReadableUp += f.ReadableUp
	}
	return rows.Err()
}

func writeSessions(w io.Writer, l *sessionList) error {
	var b strings.Builder
	for _, d := range l.Declared {
		words := factWords(d.Content)
		if d.Topic == store.TopicProtocol {
			words = runWords(d.Content)
		}
		fmt.Fprintf(&b, "%s: %s\n", strings.TrimSpace(d.Topic+" "+query.Printable(d.Subject)), cell(words, 120))
	}
	if len(l.Sessions) == 0 {
		b.WriteString("no sessions; open one with 'constat mark NAME FACTOR=VALUE …', or follow a test with 'constat protocol run'\n")
		_, err := io.WriteString(w, b.String())
		return err
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"id", "session", "factors", "opened (UTC)", "length", "requests", "connections", "readable", "of bytes up", "note"})
	add := func(s *sessionRow, id any, length string) {
		opened := ""
		if !s.Opened.IsZero() {
			opened = s.Opened.UTC().Format(time.DateTime)
		}
		t.AppendRow(table.Row{
			id, cell(s.Name, 30), cell(factorWords(s.Factors), 60), opened, length, s.Requests, s.Connections,
			share(s.Readable, s.Connections), share(s.ReadableUp, s.BytesUp), cell(s.Note, 30),
		})
	}
	for i := range l.Sessions {
		s := &l.Sessions[i]
		length := spell(time.Duration(s.Seconds * float64(time.Second)))
		if s.Closed.IsZero() {
			length += ", open"
		} else if s.Stopped {
			length += ", stopped"
		}
		add(s, s.ID, length)
	}
	if l.Outside.Requests+l.Outside.Connections > 0 {
		out := l.Outside
		out.Name = "(outside)"
		add(&out, "", "")
	}
	var right []table.ColumnConfig
	for _, n := range []int{1, 5, 6, 7, 8, 9} {
		right = append(right, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(right)
	b.WriteString(t.Render() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// share is part of all in percent, rounded down: 100 % is all of it.
func share(part, all int64) string {
	if all == 0 {
		return "–"
	}
	return fmt.Sprintf("%d %%", int64(100*(float64(part)/float64(all))))
}

// factorWords writes factors as they are given to mark.
func factorWords(factors map[string]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(factors)) {
		list = append(list, name+"="+factors[name])
	}
	return strings.Join(list, " ")
}

// runWords writes how far a protocol came.
func runWords(content json.RawMessage) string {
	var s protocol.State
	if json.Unmarshal(content, &s) != nil {
		return string(content)
	}
	words := fmt.Sprintf("%s: %s, %d of %d sessions", s.Title, s.State, s.Done, s.Of)
	for _, c := range s.Controls {
		if !c.Passed {
			words += fmt.Sprintf("; the %s control did not pass", c.Control)
		}
	}
	if s.Shorten > 0 {
		words += "; a rehearsal with shortened waits"
	}
	return words
}

// factWords writes the content of a declaration in one line.
func factWords(content json.RawMessage) string {
	facts := map[string]any{}
	if json.Unmarshal(content, &facts) != nil {
		return string(content)
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		list = append(list, fmt.Sprintf("%s=%v", name, facts[name]))
	}
	return strings.Join(list, ", ")
}

// spell writes a length of time for people: "1 h 05 min", "31 min", "12 s".
func spell(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		if s := d % time.Minute / time.Second; s > 0 && d < 10*time.Minute {
			return fmt.Sprintf("%d min %02d s", d/time.Minute, s)
		}
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 100*time.Hour:
		return fmt.Sprintf("%d h %02d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}
