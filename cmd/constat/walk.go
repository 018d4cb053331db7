package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mdp/qrterminal/v3"

	"constat/store/protocol"
	"constat/store/query"
)

// walk shows a person at a terminal what to do next.
type walk struct {
	out     io.Writer
	lines   <-chan string // what the person types; closed at its end
	answers map[string]string
	unit    int // that was shown last
}

// newWalk begins to read in, which goes on until the program ends: a read from a
// terminal cannot be called off.
func newWalk(in io.Reader, out io.Writer, answers map[string]string) *walk {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			lines <- strings.TrimSpace(s.Text())
		}
	}()
	return &walk{out: out, lines: lines, answers: answers}
}

// line is what the person types next.
func (w *walk) line(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case s, ok := <-w.lines:
		if !ok || s == "q" {
			return "", protocol.ErrStop
		}
		return s, nil
	}
}

// head says where the test is, when that changes.
func (w *walk) head(at protocol.Place) {
	if at.Unit != w.unit {
		w.unit = at.Unit
		fmt.Fprintf(w.out, "\n%s\n", headline(at))
	}
}

func headline(at protocol.Place) string {
	s := fmt.Sprintf("[%d/%d] %s", at.Unit, at.Units, at.Session)
	if at.Repeats > 1 {
		s += fmt.Sprintf(" (%d of %d)", at.Repeat, at.Repeats)
	}
	if at.Ahead > 0 {
		s += ", " + spell(at.Ahead) + " of waiting ahead"
	}
	return s
}

// Do implements protocol.Person.
func (w *walk) Do(ctx context.Context, at protocol.Place, what, link string) error {
	w.head(at)
	fmt.Fprintf(w.out, "  %d. %s\n", at.Step, strings.ReplaceAll(what, "\n", "\n     "))
	if link != "" {
		fmt.Fprintf(w.out, "\n     %s\n\n", link)
		qrterminal.GenerateHalfBlock(link, qrterminal.L, w.out)
	}
	fmt.Fprint(w.out, "     Enter when it is done, q to stop: ")
	_, err := w.line(ctx)
	return err
}

// Wait implements protocol.Person.
func (w *walk) Wait(ctx context.Context, at protocol.Place, what string, d time.Duration) error {
	w.head(at)
	if what != "" {
		fmt.Fprintf(w.out, "  %d. %s\n", at.Step, strings.ReplaceAll(what, "\n", "\n     "))
	}
	end := time.Now().Add(d)
	over := time.NewTimer(d)
	defer over.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		fmt.Fprintf(w.out, "\r\x1b[K  %d. wait: %s left, q and Enter to stop ", at.Step, spell(time.Until(end)))
		select {
		case <-ctx.Done():
			fmt.Fprintln(w.out)
			return ctx.Err()
		case <-over.C:
			fmt.Fprintf(w.out, "\r\x1b[K  %d. waited %s\a\n", at.Step, spell(d))
			return nil
		case s, ok := <-w.lines:
			if !ok || s == "q" {
				fmt.Fprintln(w.out)
				return protocol.ErrStop
			}
		case <-tick.C:
		}
	}
}

// Ask implements protocol.Person.
func (w *walk) Ask(ctx context.Context, question, factor string, values []string) (string, error) {
	if v, ok := w.answers[factor]; ok {
		return v, nil
	}
	fmt.Fprintf(w.out, "\n%s\n", question)
	for {
		for i, v := range values {
			fmt.Fprintf(w.out, "  %d  %s\n", i+1, v)
		}
		fmt.Fprintf(w.out, "%s = ", factor)
		s, err := w.line(ctx)
		if err != nil {
			return "", err
		}
		if n, err := strconv.Atoi(s); err == nil && n > 0 && n <= len(values) && !slices.Contains(values, s) {
			return values[n-1], nil
		}
		if slices.Contains(values, s) || len(values) == 0 && s != "" && len(s) <= 200 {
			return query.Printable(s), nil
		}
	}
}

// Say implements protocol.Person.
func (w *walk) Say(line string) { fmt.Fprintf(w.out, "  %s\n", line) }

// Confirm implements protocol.Person.
func (w *walk) Confirm(ctx context.Context, question string) (bool, error) {
	for {
		fmt.Fprintf(w.out, "%s [y/n] ", question)
		s, err := w.line(ctx)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(s) {
		case "y", "yes", "":
			return true, nil
		case "n", "no":
			return false, nil
		}
	}
}

// script takes what is to be done as done, and prints it in lines.
type script struct {
	out     io.Writer
	answers map[string]string
}

// Do implements protocol.Person.
func (s *script) Do(_ context.Context, at protocol.Place, what, link string) error {
	fmt.Fprintf(s.out, "%s: %s\n", headline(at), strings.TrimSpace(strings.ReplaceAll(what, "\n", " ")+" "+link))
	return nil
}

// Wait implements protocol.Person.
func (s *script) Wait(ctx context.Context, at protocol.Place, what string, d time.Duration) error {
	fmt.Fprintln(s.out, strings.TrimSpace(fmt.Sprintf("%s: waiting %s %s", headline(at), d, strings.ReplaceAll(what, "\n", " "))))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Ask implements protocol.Person; checkAnswers has seen to it that there is one.
func (s *script) Ask(_ context.Context, _, factor string, _ []string) (string, error) {
	return s.answers[factor], nil
}

// Say implements protocol.Person.
func (s *script) Say(line string) { fmt.Fprintln(s.out, line) }

// Confirm implements protocol.Person: what a script cannot put right, it does not try
// again.
func (s *script) Confirm(context.Context, string) (bool, error) { return false, nil }
