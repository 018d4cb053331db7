package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"constat/inspect"
	"constat/inspect/canary"
)

func personaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "persona",
		Short: "Make the planted values that prove what left the phone",
		Long: `A persona is a set of planted values: contacts, text messages, photos, numbers, places.
Put them on the phone before the test. When one of them turns up in a request, in whatever
form, that request carried it: no other explanation is left.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(personaNewCommand(), personaShowCommand(), personaCheckCommand(), personaImportCommand(), personaTemplateCommand())
	return cmd
}

func personaNewCommand() *cobra.Command {
	var out, kit, locale string
	cmd := &cobra.Command{
		Use:     "new",
		Short:   "Invent a persona, and write the kit to put on a phone",
		Example: "  constat persona new --out persona.json --kit kit/",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := inventPersona(locale)
			if err != nil {
				return err
			}
			if err := writePersona(out, p); err != nil {
				return err
			}
			if kit != "" {
				if err := p.WriteKit(kit); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "kit in %s: start with %s\n", kit, filepath.Join(kit, "CHECKLIST.md"))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "persona %q in %s: %d planted values\nuse it with: constat run --persona %s\n", p.Name, out, len(p.Canaries), out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "persona.json", "file to write, 0600; must not exist")
	cmd.Flags().StringVar(&kit, "kit", "", "folder for the kit: contacts, messages, photos, notes, pages, checklist")
	cmd.Flags().StringVar(&locale, "locale", "fr", "where the persona lives: "+strings.Join(canary.Locales(), ", "))
	return cmd
}

// writePersona writes p to a new file.
func writePersona(name string, p *canary.Persona) error {
	text, err := personaJSON(p)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return hint{fmt.Errorf("%s exists and may be planted on a phone", name), "choose another file with --out"}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

func personaShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show FILE",
		Short:   "List the planted values, readable: 'check' counts them only",
		Example: "  constat persona show persona.json",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := readPersona(args[0])
			if err != nil {
				return err
			}
			t := table.NewWriter()
			t.SetOutputMirror(cmd.OutOrStdout())
			t.SetStyle(table.StyleLight)
			t.AppendHeader(table.Row{"name", "kind", "value"})
			for _, c := range p.Canaries {
				t.AppendRow(table.Row{c.Name, c.Kind, c.Value})
			}
			t.Render()
			return nil
		},
	}
}

func personaImportCommand() *cobra.Command {
	var out string
	var from ownValues
	cmd := &cobra.Command{
		Use:   "import FILE [KIND=VALUE ...]",
		Short: "Add the phone's own values to a persona: numbers, contacts, messages, photos",
		Long: `Add what the phone already has to a persona: its IMEI, its number, contacts, messages, photos.
FILE is created when absent. A real value takes the place of an invented one of the same kind.
The file for --values is device.txt of the kit; 'constat persona template' prints it, too.
Kinds: ` + kinds() + `.

What many people have or know proves nothing. Messages that were sent to others as well, and
numbers and names that are not the phone's alone, are better left out.`,
		Example: `  constat persona import persona.json --values device.txt
  constat persona import persona.json imei=352099001761481 phone=+33639981234
  constat persona import persona.json --contacts contacts.vcf --country 33 --photos DCIM/`,
		Args: atLeast("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 && from.empty() {
				return usagef("want FILE and at least one KIND=VALUE, or --values, --contacts, --sms or --photos; try 'constat persona import --help'")
			}
			p, err := readPersona(args[0])
			if errors.Is(err, os.ErrNotExist) {
				p, err = &canary.Persona{Version: canary.FormatVersion, Name: strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))}, nil
			}
			if err != nil {
				return err
			}
			for _, a := range args[1:] {
				kind, value, ok := strings.Cut(a, "=")
				if !ok {
					return usagef("an argument is not KIND=VALUE, as in imei=352099001761481")
				}
				if err := addValue(p, kind, value); err != nil {
					return usageError{err}
				}
			}
			notes, err := from.addTo(p)
			if err != nil {
				return err
			}
			if err := p.Check(); err != nil {
				return usageError{err}
			}
			text, err := personaJSON(p)
			if err != nil {
				return err
			}
			if out == "" {
				out = args[0]
			}
			w, finish, err := output(cmd, out)
			if err != nil {
				return err
			}
			_, err = w.Write(text)
			if err := finish(err); err != nil {
				return err
			}
			if out == "-" {
				return nil // standard output is the persona
			}
			for _, n := range notes {
				fmt.Fprintln(cmd.OutOrStdout(), n)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d values\n", out, len(p.Canaries))
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write (default: FILE itself)")
	cmd.Flags().StringVar(&from.values, "values", "", "text file of lines KIND = VALUE: device.txt of the kit")
	cmd.Flags().StringVar(&from.contacts, "contacts", "", "vCard file as the phone exports it")
	cmd.Flags().StringVar(&from.sms, "sms", "", "messages: sms.txt of a kit, or a backup of SMS Backup & Restore")
	cmd.Flags().StringVar(&from.photos, "photos", "", "folder of photos that are on the phone")
	cmd.Flags().StringVar(&from.country, "country", "", "calling code for contacts' numbers without one, as in 33")
	return cmd
}

func personaTemplateCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "template",
		Short:   "Print the file to fill in with the phone's own values",
		Example: "  constat persona template > device.txt",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(canary.DeviceTemplate())
			return err
		},
	}
}

func personaCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say what will be looked for, without showing a value",
		Long: `Check a persona and count its values and the forms in which each is looked for: writings,
encodings and hashes. No value is shown, so the output may go into a report.`,
		Example: "  constat persona check persona.json",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := readPersona(args[0])
			if err != nil {
				return err
			}
			m, err := canary.NewMatcher(p)
			if err != nil {
				return err
			}
			type tally struct{ all, invented int }
			byKind := make(map[canary.Kind]*tally)
			for _, c := range p.Canaries {
				t := byKind[c.Kind]
				if t == nil {
					t = new(tally)
					byKind[c.Kind] = t
				}
				t.all++
				if c.Invented {
					t.invented++
				}
			}
			t := table.NewWriter()
			t.SetOutputMirror(cmd.OutOrStdout())
			t.SetStyle(table.StyleLight)
			t.AppendHeader(table.Row{"kind", "values", "invented", "proves"})
			for _, k := range canary.Kinds() {
				if n := byKind[k]; n != nil {
					t.AppendRow(table.Row{inspect.KindWords(string(k)), n.all, n.invented, k.Class()})
				}
			}
			t.Render()
			for _, k := range []canary.Kind{canary.IMEI, canary.Serial, canary.AndroidID, canary.MAC} {
				if n := byKind[k]; n != nil && n.invented == n.all {
					fmt.Fprintf(cmd.OutOrStdout(), "the %s is invented: unless the phone really has it, import its own (device.txt of the kit)\n", inspect.KindWords(string(k)))
				}
			}
			for _, n := range p.Unseen() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: kept, but not looked for alone: too plain to be proof\n", n)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d values are looked for in %d forms\n", len(p.Canaries), m.Forms())
			return err
		},
	}
}

func kinds() string {
	var list []string
	for _, k := range canary.Kinds() {
		list = append(list, string(k))
	}
	return strings.Join(list, ", ")
}
