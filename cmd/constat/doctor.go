package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"constat/store"
	"constat/store/doctor"
	"constat/store/query"
)

// shownEntries is how many hosts are explained unless all is asked for.
const shownEntries = 10

// doctorPage is what "constat doctor" says, as JSON.
type doctorPage struct {
	Case string `json:"case"`
	Host string `json:"host,omitempty"`
	store.Scope
	*doctor.Diagnosis
}

func doctorCommand() *cobra.Command {
	var caseFile, session string
	var scope store.Scope
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "doctor [HOST]",
		Short: "Explain why hosts could not be read, and what can be done",
		Long: `Explain, host by host, why connections could not be read: what was seen, which causes fit
and how sure that is, and what can be done. With a HOST only that one and those under it.
It only reads; the case may be in use.`,
		Example: `  constat doctor
  constat doctor --device redmi --session idle
  constat doctor bank.example`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("want one HOST or none; try 'constat doctor --help'")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := openCase(cmd.Context(), caseFile)
			if err != nil {
				return err
			}
			defer r.Close()
			if session != "" {
				scope.Sessions = []string{session}
			}
			page, err := examine(cmd.Context(), r, scope, strings.Join(args, ""))
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), page)
			}
			p := doctorText{shown: shownEntries, suffix: given(cmd, "case")}
			if all {
				p.shown = len(page.Entries)
			}
			p.page(page)
			_, err = io.WriteString(cmd.OutOrStdout(), p.b.String())
			return err
		},
	}
	addCase(cmd, &caseFile)
	cmd.Flags().StringVar(&scope.Device, "device", "", "only this device, by its name in the case")
	cmd.Flags().StringVar(&session, "session", "", "only sessions of this name")
	cmd.Flags().BoolVar(&all, "all", false, fmt.Sprintf("explain all hosts, not only the first %d", shownEntries))
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func examine(ctx context.Context, r *store.Reader, scope store.Scope, host string) (*doctorPage, error) {
	for _, name := range scope.Sessions {
		sessions, err := r.Sessions(ctx)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(sessions, func(s store.Session) bool { return s.Name == name }) {
			return nil, usagef("the case has no session %q; 'constat sessions' lists them", name)
		}
	}
	info, err := r.Info(ctx)
	if err != nil {
		return nil, err
	}
	d, err := doctor.Examine(ctx, r, doctor.Options{Scope: scope, Host: host})
	return &doctorPage{info.Path, host, scope, d}, err
}

// doctorText lays a Diagnosis out for a terminal of 80 columns.
type doctorText struct {
	b      strings.Builder
	shown  int
	suffix string // of commands that read or change the case
}

const (
	pageWidth   = 79
	labelWidth  = 12
	labelIndent = "   "
)

func (p *doctorText) page(d *doctorPage) {
	p.summary(d)
	first := map[string]int{} // entry that explained a cause
	for i := range d.Entries[:min(p.shown, len(d.Entries))] {
		e := &d.Entries[i]
		p.b.WriteString("\n")
		p.entry(i+1, e, len(d.Devices) > 1, first)
	}
	if more := len(d.Entries) + d.More - p.shown; more > 0 {
		p.b.WriteString("\n")
		p.wrap("", "", fmt.Sprintf("And %s; see all of them with --all, or one with 'constat doctor HOST%s'.", counted(int64(more), "more host"), p.suffix))
	}
	if len(d.Entries) > 0 {
		p.b.WriteString("\n")
		p.past(d.Summary.Doors)
	}
	for _, l := range d.Limits {
		p.wrap("", "", l)
	}
}

func (p *doctorText) summary(d *doctorPage) {
	s := &d.Summary
	of := ""
	if d.Host != "" {
		of = " to " + d.Host
	}
	if d.Scope.Device != "" {
		of += " of device " + d.Scope.Device
	}
	switch {
	case s.Connections == 0 && len(d.Entries) == 0:
		p.wrap("", "", fmt.Sprintf("There is no connection%s here.", of))
		switch {
		case d.Scope.Device != "":
			p.wrap("", "", "The names of devices: constat query \"SELECT DISTINCT device FROM connections\""+p.suffix)
		case d.Host == "" && len(d.Scope.Sessions) == 0:
			p.wrap("", "", "Is the proxy, or the tunnel, set on the device, and is it for this case? The page of the code that 'constat run' shows checks that on the device itself.")
		}
		return
	case s.Unread == 0 && len(d.Entries) == 0:
		p.wrap("", "", fmt.Sprintf("All is well: %s%s could be read.", allOf(s.Connections), of))
		p.past(s.Doors)
		return
	}
	p.wrap("", "", fmt.Sprintf("%d of %s%s could not be read: %s of the bytes that the %s sent.",
		s.Unread, counted(int64(s.Connections), "connection"), of, shareUp(s.UnreadUp, s.BytesUp), deviceWord(len(d.Devices))))
	if s.Failed > 0 {
		p.wrap("", "", fmt.Sprintf("%s found no server, or none that could prove who it is.", counted(int64(s.Failed), "connection")))
	}
	if s.Mute > 0 {
		of := fmt.Sprintf("In %d of the unread", s.Mute)
		if s.Mute == s.Unread {
			of = "In all of the unread"
		}
		p.wrap("", "", of+" the app sent nothing but its greeting. What it would have sent is not known.")
	}
	if s.Nameless > 0 {
		p.wrap("", "", fmt.Sprintf("%s to bare addresses spoke something other than HTTP; the bytes are recorded.", counted(int64(s.Nameless), "connection")))
	}
	if len(s.Causes) > 0 && (s.Causes[0].Unread > 0 || s.Unread == 0) {
		c := s.Causes[0]
		word := "Most of it"
		if len(s.Causes) == 1 {
			word = "The likeliest cause"
		}
		p.wrap("", "", fmt.Sprintf("%s: %s (%s, %s).", word, c.Title, counted(int64(c.Connections), "connection"), counted(int64(c.Hosts), "host")))
	}
}

// past says what the doors in use cannot see.
func (p *doctorText) past(doors []string) {
	if slices.Equal(doors, []string{"http"}) {
		p.wrap("", "", "All of it came by the HTTP proxy, which apps may ignore, and QUIC and raw sockets do. The WireGuard tunnel shows these, too: docs/doors.md.")
		return
	}
	p.wrap("", "", "What does not come through a door of Constat's is in no figure: docs/limits.md.")
}

func allOf(n int) string {
	if n == 1 {
		return "the one connection"
	}
	return fmt.Sprintf("all %d connections", n)
}

func deviceWord(n int) string {
	if n == 1 {
		return "device"
	}
	return "devices"
}

// shareUp is share, which would say 0 % of a little.
func shareUp(part, all int64) string {
	if part > 0 && part*100 < all {
		return "less than 1 %"
	}
	return share(part, all)
}

func (p *doctorText) entry(n int, e *doctor.Entry, named bool, first map[string]int) {
	head := e.Host
	if head == "" {
		head = "(any host)"
	}
	if named {
		head += ", device " + e.Device
	}
	p.wrap(fmt.Sprintf("%d. ", n), "   ", head)
	p.field("Seen", e.Facts...)
	lead := e.Causes[0]
	before, again := first[lead.ID]
	doc := lead.Doc
	if again {
		doc = ""
	} else {
		first[lead.ID] = n
	}
	p.field(sureLabel(lead.Sure), upper(lead.Title)+". "+lead.Why+" "+doc)
	for _, c := range e.Causes[1:min(3, len(e.Causes))] {
		p.field(sureLabel(c.Sure), upper(c.Title)+".")
	}
	if again {
		p.field("What to do", fmt.Sprintf("As for %d.", before))
		return
	}
	label := "What to do"
	for i, s := range e.Steps {
		words := s.Text
		if s.Platform != "" && e.Figures.Platform == "" {
			words = platformWords[s.Platform] + ": " + words
		}
		p.wrap(labelIndent+pad(label, labelWidth)+fmt.Sprintf("%d. ", i+1), strings.Repeat(" ", len(labelIndent)+labelWidth+3), words)
		label = ""
		if s.Command != "" {
			fmt.Fprintf(&p.b, "%s%s\n", strings.Repeat(" ", len(labelIndent)+labelWidth+6), query.Printable(p.command(s.Command)))
		}
	}
}

var platformWords = map[doctor.Platform]string{doctor.Android: "Android", doctor.Apple: "iPhone, iPad", doctor.Desktop: "A computer"}

// command names the case in those commands that read or change one.
func (p *doctorText) command(s string) string {
	for _, name := range []string{"doctor", "pass", "query"} {
		if strings.HasPrefix(s, "constat "+name+" ") {
			return s + p.suffix
		}
	}
	return s
}

func sureLabel(s doctor.Sure) string {
	return map[doctor.Sure]string{doctor.Known: "Because", doctor.Likely: "Likely", doctor.Possible: "Possible"}[s]
}

// upper begins a sentence.
func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// field writes paragraphs behind a label.
func (p *doctorText) field(label string, paragraphs ...string) {
	rest := strings.Repeat(" ", len(labelIndent)+labelWidth)
	for _, s := range paragraphs {
		p.wrap(labelIndent+pad(label, labelWidth), rest, s)
		label = ""
	}
}

func pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-len(s))) }

// wrap writes s in lines of at most pageWidth columns; words that are longer stay
// whole, to be copied. The first line begins with first, the others with rest.
func (p *doctorText) wrap(first, rest, s string) {
	line, used := first, text.StringWidth(first)
	empty := true
	for word := range strings.FieldsSeq(query.Printable(s)) {
		w := text.StringWidth(word)
		if !empty && used+1+w > pageWidth {
			p.b.WriteString(line + "\n")
			line, used, empty = rest, text.StringWidth(rest), true
		}
		if !empty {
			line, used = line+" ", used+1
		}
		line, used, empty = line+word, used+w, false
	}
	p.b.WriteString(line + "\n")
}
