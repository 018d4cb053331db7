package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"constat/cmd/constat/ui"
	"constat/proxy"
	"constat/store"
)

// pass is what "constat pass" asks for.
type pass struct {
	Device string     `json:"device,omitempty"` // "" stands for all
	Host   string     `json:"host"`
	Mode   proxy.Mode `json:"mode"`
}

var modes = []proxy.Mode{proxy.Auto, proxy.Always, proxy.Never}

// setPass sets what is done with a host, and has the case say so.
func setPass(ctx context.Context, c *store.Case, p *proxy.Proxy, x pass) error {
	if !slices.Contains(modes, x.Mode) || x.Host == "" {
		return ui.ErrNotSet
	}
	if err := c.Declare(ctx, store.TopicPass, x.Host, x); err != nil {
		return err
	}
	p.SetPass(x.Device, x.Host, x.Mode)
	return nil
}

// passer is what the live page asks and sets.
type passer struct {
	c *store.Case
	p *proxy.Proxy
}

func (x passer) Passes() (list []ui.Passing) {
	for _, p := range x.p.Passes() {
		list = append(list, ui.Passing{Device: p.Device, Host: p.Host, Mode: string(p.Mode), Refusals: p.Refusals, Until: p.Until})
	}
	return list
}

func (x passer) Set(ctx context.Context, device, host, mode string) error {
	return setPass(ctx, x.c, x.p, pass{Device: device, Host: host, Mode: proxy.Mode(mode)})
}

func passCommand() *cobra.Command {
	var caseFile, name string
	var never, auto bool
	cmd := &cobra.Command{
		Use:   "pass [HOST]",
		Short: "List the hosts that pass unread, or set one",
		Long: `Apps that accept their own certificate only do not work while they are intercepted. After
some refusals (--pass-after of 'constat run') their connections to that host pass unread
for 15 minutes, so that the phone keeps working; each is a row with the outcome "passed".
Without a HOST this lists them; with one it sets what is done from the next connection on.`,
		Example: `  constat pass
  constat pass bank.example              always pass it on unread
  constat pass api.example --never       intercept it, whatever the app says
  constat pass api.example --auto        forget what was set, and the refusals`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("want one HOST or none; try 'constat pass --help'")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := findCase(caseFile)
			if err != nil {
				return err
			}
			notRunning := func(err error) error {
				if errors.Is(err, errNotRunning) {
					return hint{err, "hosts pass, or do not, while 'constat run' writes the case"}
				}
				return err
			}
			if len(args) == 0 {
				var list []proxy.Pass
				if err := ask(cmd.Context(), file, "passes", struct{}{}, &list); err != nil {
					return notRunning(err)
				}
				fmt.Fprintln(cmd.OutOrStdout(), passTable(list, time.Now()))
				return nil
			}
			x := pass{Device: name, Host: args[0], Mode: proxy.Always}
			switch {
			case never && auto:
				return usagef("want --never or --auto, not both")
			case never:
				x.Mode = proxy.Never
			case auto:
				x.Mode = proxy.Auto
			}
			if err := ask(cmd.Context(), file, "pass", x, nil); err != nil {
				return notRunning(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "From the next connection on, %s.\n", map[proxy.Mode]string{
				proxy.Always: x.Host + " passes unread", proxy.Never: x.Host + " is intercepted, whatever the app says", proxy.Auto: x.Host + " is intercepted, until an app refuses",
			}[x.Mode])
			return nil
		},
	}
	addCase(cmd, &caseFile)
	cmd.Flags().StringVar(&name, "device", "", "for this device only (default: for all)")
	cmd.Flags().BoolVar(&never, "never", false, "never pass it on unread")
	cmd.Flags().BoolVar(&auto, "auto", false, "forget what was set, and the refusals")
	return cmd
}

// passTable is the list for people.
func passTable(list []proxy.Pass, now time.Time) string {
	if len(list) == 0 {
		return "No app has refused the certificate, and nothing is set."
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"Host", "Device", "Refusals", "What is done"})
	slices.SortStableFunc(list, func(a, b proxy.Pass) int { return cmp.Compare(a.Host, b.Host) })
	for _, p := range list {
		what := "intercepted"
		switch {
		case p.Mode == proxy.Always:
			what = "passes unread: set so"
		case p.Mode == proxy.Never:
			what = "intercepted: set so"
		case p.Passing(now):
			what = "passes unread until " + p.Until.Local().Format(time.TimeOnly)
		}
		t.AppendRow(table.Row{p.Host, cmp.Or(p.Device, "all"), p.Refusals, what})
	}
	return t.Render()
}
