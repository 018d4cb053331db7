package main

import (
	"fmt"
	"io"
	"os"
	"sync"
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

// waiting shows on a terminal for how long work of unknown length has been going on,
// from its third second on, until end is called, which takes the line away again.
func waiting(w io.Writer, what string) (end func()) {
	if !isTerminal(w) {
		return func() {}
	}
	stop := make(chan struct{})
	var shown sync.WaitGroup
	shown.Go(func() {
		every := time.NewTicker(time.Second)
		defer every.Stop()
		for n := 1; ; n++ {
			select {
			case <-stop:
				if n > 2 {
					fmt.Fprint(w, "\r\x1b[K")
				}
				return
			case <-every.C:
			}
			if n >= 2 {
				fmt.Fprintf(w, "\r\x1b[K%s: %d s", what, n)
			}
		}
	})
	return sync.OnceFunc(func() {
		close(stop)
		shown.Wait()
	})
}

// after is a writer that first ends what waits for it.
type after struct {
	io.Writer
	end func()
}

func (a after) Write(p []byte) (int, error) {
	a.end()
	return a.Writer.Write(p)
}
