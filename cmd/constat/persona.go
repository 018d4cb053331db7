package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"constat/inspect/canary"
)

func personaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "persona",
		Short: "Make the planted values that prove what left the phone",
		Long: `A persona is a set of planted values: contacts, text messages, a photo, numbers, places.
Put them on the phone before the test. When one of them turns up in a request, in whatever
form, that request carried it: no other explanation is left.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(personaNewCommand(), personaShowCommand(), personaImportCommand())
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
	cmd.Flags().StringVar(&kit, "kit", "", "folder for the kit: contacts, messages, photo, pages, checklist")
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
		Short:   "List the planted values",
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
	cmd := &cobra.Command{
		Use:   "import FILE KIND=VALUE ...",
		Short: "Add the phone's own values to a persona: imei=…, phone=…, android_id=…",
		Long: `Add values that the phone already has, such as its IMEI or its number, to a persona.
FILE is created when absent. Kinds: ` + kinds() + ".",
		Example: "  constat persona import phone.json imei=352099001761481 phone=+33639981234 email=me@example.org",
		Args:    atLeast("FILE and KIND=VALUE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("want FILE and at least one KIND=VALUE; try 'constat persona import --help'")
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
					return usagef("%s: want KIND=VALUE, as in imei=352099001761481", a)
				}
				if err := addValue(p, kind, value); err != nil {
					return usageError{err}
				}
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
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d values\n", out, len(p.Canaries))
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write (default: FILE itself)")
	return cmd
}

func kinds() string {
	var list []string
	for _, k := range canary.Kinds() {
		list = append(list, string(k))
	}
	return strings.Join(list, ", ")
}
