package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"constat/store/protocol"
)

// typed is a walk whose person types these lines and then goes away.
func typed(t *testing.T, lines ...string) (*walk, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	w := newWalk(strings.NewReader(strings.Join(lines, "\n")+"\n"), &out, map[string]string{"known": "yes"})
	t.Cleanup(func() {
		for range w.lines { // the reader ends
		}
	})
	return w, &out
}

func TestWalk(t *testing.T) {
	at := protocol.Place{Session: "idle", Unit: 2, Units: 5, Repeat: 1, Repeats: 3, Step: 1, Steps: 2, Ahead: 90 * time.Minute}
	w, out := typed(t, "", "7", "2", "maybe", "on", "free text\x1b[31m", "q")
	if err := w.Do(t.Context(), at, "Lay it\ndown.", ""); err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "[2/5] idle (1 of 3), 1 h 30 min of waiting ahead") || !strings.Contains(out.String(), "1. Lay it\n     down.") {
		t.Errorf("shown:\n%s", out)
	}
	for _, ask := range []struct {
		factor string
		values []string
		want   string
	}{{"cloud", []string{"on", "off"}, "off"}, {"cloud", []string{"on", "off"}, "on"}, {"known", nil, "yes"}, {"note", nil, `free text\x1b[31m`}} {
		if got, err := w.Ask(t.Context(), "Which?", ask.factor, ask.values); err != nil || got != ask.want {
			t.Errorf("%s: %q, %v; want %q", ask.factor, got, err, ask.want)
		}
	}
	out.Reset()
	if err := w.Do(t.Context(), at, "Open:", "https://example.com/?c=x"); !errors.Is(err, protocol.ErrStop) {
		t.Errorf("q: %v", err)
	}
	if !strings.Contains(out.String(), "https://example.com/?c=x") || !strings.Contains(out.String(), "█") || strings.Contains(out.String(), "[2/5]") {
		t.Errorf("shown:\n%s", out)
	}
	if err := w.Wait(t.Context(), at, "", time.Hour); !errors.Is(err, protocol.ErrStop) {
		t.Errorf("nobody is there any more: %v", err)
	}
}

func TestConfirm(t *testing.T) {
	w, _ := typed(t, "perhaps", "N", "y")
	for _, want := range []bool{false, true} {
		if got, err := w.Confirm(t.Context(), "Continue?"); err != nil || got != want {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	}
	if _, err := w.Confirm(t.Context(), "Continue?"); !errors.Is(err, protocol.ErrStop) {
		t.Errorf("at the end of input: %v", err)
	}
}

// TestWaitIsStopped ends a wait by typing q.
func TestWaitIsStopped(t *testing.T) {
	in, keyboard := io.Pipe()
	w := newWalk(in, io.Discard, nil)
	go func() {
		io.WriteString(keyboard, "\nno\nq\n")
		keyboard.Close()
	}()
	if err := w.Wait(t.Context(), protocol.Place{Step: 1}, "", time.Hour); !errors.Is(err, protocol.ErrStop) {
		t.Error(err)
	}
	for range w.lines {
	}
}
