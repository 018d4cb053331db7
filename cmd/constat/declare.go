package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"constat/store"
)

// declarable are the topics that people declare by hand, and the names of facts
// that are usual there.
var declarable = []struct{ topic, what string }{
	{store.TopicDevice, "a phone: model, build, os, rom, sim, patch, region, …"},
	{store.TopicOperator, "who runs the test: name, organisation, contact, …"},
	{store.TopicClock, "how far a clock is ahead of true time: offset_ms"},
}

var factName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

func declareCommand() *cobra.Command {
	var caseFile, caDir, of string
	long := "State what the traffic cannot show:\n"
	for _, d := range declarable {
		long += fmt.Sprintf("\n  %-9s %s", d.topic, d.what)
	}
	cmd := &cobra.Command{
		Use:   "declare TOPIC NAME=VALUE ...",
		Short: "State what the traffic cannot show: which phone, who tests, how far clocks are off",
		Long: long + `

Facts that were declared before stay unless they are declared again; NAME= takes one
back. What was declared is shown by 'constat sessions'. It works while 'constat run'
records and on a case that nobody records.`,
		Example: `  constat declare device model="Redmi Note 8" build=QKQ1.190915.002 rom="MIUI 12" sim=none
  constat declare device --of pixel model="Pixel 4a" rom=LineageOS
  constat declare operator name="A. Tester" organisation="Example Lab"
  constat declare clock --of redmi offset_ms=-1200`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("want a TOPIC and what is to be known of it, as in 'constat declare device model=…'; try 'constat declare --help'")
			}
			facts, err := factsOf(args[0], args[1:])
			if err != nil {
				return err
			}
			name, err := findCase(caseFile)
			if err != nil {
				return err
			}
			known, err := declared(cmd.Context(), name, args[0], of)
			if err != nil {
				return err
			}
			for name, value := range facts {
				if value == "" {
					delete(known, name)
				} else {
					known[name] = value
				}
			}
			if err := (scribe{name, caDir}).Declare(cmd.Context(), args[0], of, known); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s declared in %s\n", args[0], name)
			return nil
		},
	}
	addCase(cmd, &caseFile)
	addCADir(cmd, &caDir)
	cmd.Flags().StringVar(&of, "of", "", "which phone or clock, by its name in the case, when there are several")
	return cmd
}

// factsOf reads what is declared of a topic; "" takes a fact back.
func factsOf(topic string, args []string) (map[string]any, error) {
	if !slices.ContainsFunc(declarable, func(d struct{ topic, what string }) bool { return d.topic == topic }) {
		return nil, usagef("%q cannot be declared: want device, operator or clock", topic)
	}
	given, err := pairs(args, "NAME=VALUE, as in model=\"Redmi Note 8\"")
	if err != nil {
		return nil, err
	}
	facts := make(map[string]any, len(given))
	for name, value := range given {
		if !factName.MatchString(name) {
			return nil, usagef("%s: want a name of lower-case letters, digits and underscores before the =", name)
		}
		facts[name] = value
		if topic == store.TopicClock && name == "offset_ms" && value != "" {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil || n != n || n-n != 0 {
				return nil, usagef("offset_ms=%s: want milliseconds, below zero for a clock that is late", value)
			}
			facts[name] = n
		}
	}
	return facts, nil
}

// declared returns the facts that count of a topic and subject.
func declared(ctx context.Context, caseFile, topic, subject string) (map[string]any, error) {
	facts := map[string]any{}
	r, err := store.OpenReader(ctx, caseFile)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	list, err := r.Declared(ctx, topic)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		if d.Subject == subject {
			return facts, json.Unmarshal(d.Content, &facts)
		}
	}
	return facts, nil
}
