package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// isTerminal says whether w is a terminal: colours, codes and progress go to
// terminals only.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress returns a function that shows how far long work has come, at most
// five times a second on a terminal and every ten seconds elsewhere, and one
// that ends the line. Both are for one goroutine.
func progress(w io.Writer, what string) (show func(done, total int64), end func()) {
	every, tty := 10*time.Second, isTerminal(w)
	if tty {
		every = 200 * time.Millisecond
	}
	last, shown := time.Now(), false
	show = func(done, total int64) {
		now := time.Now()
		if now.Sub(last) < every && done != total || done == total && !shown {
			return
		}
		last, shown = now, true
		line := fmt.Sprintf("%s: %d", what, done)
		if total > 0 {
			line = fmt.Sprintf("%s: %d of %d (%d %%)", what, done, total, 100*done/total)
		}
		if tty {
			fmt.Fprintf(w, "\r\x1b[K%s", line)
		} else {
			fmt.Fprintln(w, line)
		}
	}
	return show, func() {
		if tty && shown {
			fmt.Fprintln(w)
		}
	}
}
