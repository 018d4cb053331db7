package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"constat/store"
	"constat/store/claim"
	"constat/store/compare"
)

// answering is which claims and comparisons a report shows.
type answering struct {
	sets  []string // as of openClaims; "none" for no claims
	pairs []string // "TERM … vs TERM …"; "none" for no comparisons, empty for those that the sessions offer
}

// addAnswering adds the flags that choose claims and comparisons.
func addAnswering(cmd *cobra.Command, a *answering) {
	cmd.Flags().StringArrayVar(&a.sets, "set", nil, "claims to answer: xiaomi, a FILE or a FOLDER; NAME=VALUE,… for a parameter; none (default xiaomi)")
	cmd.Flags().StringArrayVar(&a.pairs, "compare", nil, "'TERM … vs TERM …' with terms as in 'constat compare', repeatable; none (default: each factor that sessions declared with two values)")
}

// of answers the claims and makes the comparisons from r, which should be prepared
// where it is large.
func (a *answering) of(ctx context.Context, r *store.Reader, show func(step string, done, total int64)) ([]claim.Answer, []compare.Comparison, error) {
	pairs, err := a.sides(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	var answers []claim.Answer
	if !slices.Equal(a.sets, []string{"none"}) {
		set, given, err := openClaims(a.sets)
		if err != nil {
			return nil, nil, err
		}
		answers, err = claim.Answers(ctx, r, set, claim.Options{Values: given, QueryTime: 2 * time.Minute, Progress: func(done, total int64) {
			show("asking claims", done, total)
		}})
		if err != nil {
			return nil, nil, unknownClaim(err)
		}
		info, err := r.Info(ctx)
		if err != nil {
			return nil, nil, err
		}
		unsaid(answers, info.Banner)
	}
	var comparisons []compare.Comparison
	for i, in := range pairs {
		c, err := compare.Run(ctx, in[0], in[1], compare.Options{Progress: func(done, total int64) {
			show("comparing sessions", int64(i)*total+done, int64(len(pairs))*total)
		}})
		if err != nil {
			return nil, nil, explainSides(ctx, in, err)
		}
		comparisons = append(comparisons, *c)
	}
	return answers, comparisons, nil
}

// unsaid takes off who said it from the answers of the demonstration: nobody ever said
// anything of an invented phone.
func unsaid(answers []claim.Answer, banner string) {
	if banner != demoBanner {
		return
	}
	for i := range answers {
		answers[i].Said = claim.Statement{}
	}
}

// sides are what is compared with what.
func (a *answering) sides(ctx context.Context, r *store.Reader) (pairs [][2]compare.Input, err error) {
	switch {
	case slices.Equal(a.pairs, []string{"none"}):
		return nil, nil
	case len(a.pairs) == 0:
		sessions, err := r.Sessions(ctx)
		if err != nil {
			return nil, err
		}
		for _, terms := range offered(sessions) {
			pairs = append(pairs, [2]compare.Input{factorSide(r, terms[0]), factorSide(r, terms[1])})
		}
		return pairs, nil
	}
	for _, p := range a.pairs {
		left, right, ok := strings.Cut(p, " vs ")
		if !ok {
			return nil, usagef("--compare %q: want 'TERM … vs TERM …', as in 'cloud=off vs cloud=on'", p)
		}
		var in [2]compare.Input
		for i, terms := range []string{left, right} {
			in[i] = compare.Input{Reader: r, Label: strings.TrimSpace(terms)}
			if in[i].Scope, err = scopeOf(strings.Fields(terms), ""); err != nil {
				return nil, err
			}
		}
		pairs = append(pairs, in)
	}
	return pairs, nil
}

// factorSide is the side of the sessions with one factor, "name=value".
func factorSide(r *store.Reader, term string) compare.Input {
	name, value, _ := strings.Cut(term, "=")
	return compare.Input{Reader: r, Label: term, Scope: store.Scope{Factors: map[string]string{name: value}}}
}

// mostOffered is how many comparisons nobody asked for are made.
const mostOffered = 3

// offered are the comparisons that the sessions themselves offer: of each factor
// that was declared with two values, the one declared first on the left. Factors that
// part the sessions in the same way are compared once.
func offered(sessions []store.Session) (pairs [][2]string) {
	var names []string
	values := map[string][]string{}
	var fair []store.Session
	for _, s := range sessions {
		if s.Factors["control"] != "" || s.Stopped {
			continue
		}
		fair = append(fair, s)
		for name, v := range s.Factors {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			if !slices.Contains(values[name], v) {
				values[name] = append(values[name], v)
			}
		}
	}
	slices.Sort(names)
	seen := map[string]bool{}
	for _, name := range names {
		v := values[name]
		if len(v) != 2 || len(pairs) == mostOffered {
			continue
		}
		parted := ""
		for _, s := range fair {
			value, declared := s.Factors[name]
			parted += fmt.Sprintf("%d", map[bool]int{false: 2, true: slices.Index(v, value)}[declared])
		}
		if !seen[parted] {
			seen[parted] = true
			pairs = append(pairs, [2]string{name + "=" + v[0], name + "=" + v[1]})
		}
	}
	return pairs
}
