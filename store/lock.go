//go:build unix

package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// lock holds the lock file beside a case, which says who writes it. The lock is
// flock(2) on that file, so that it ends with the process however that dies,
// and never on the database, whose own locks a close would drop.
type lock struct{ f *os.File }

// maxHolder bounds how much of a lock file is shown.
const maxHolder = 200

func lockCase(path string) (*lock, error) {
	path += ".lock"
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, fileError("lock case", err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			holder, _ := io.ReadAll(io.LimitReader(f, maxHolder))
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, fmt.Errorf("lock case: %w: %s: end it first, or use another case", ErrLocked, describe(holder))
			}
			return nil, fileError("lock case", err)
		}
		// The holder before may have removed the file between open and flock.
		if held, err := f.Stat(); err == nil {
			if there, err := os.Stat(path); err == nil && os.SameFile(held, there) {
				return fillLock(f)
			}
		}
		f.Close()
	}
}

func fillLock(f *os.File) (*lock, error) {
	host, _ := os.Hostname() // only for people
	text := fmt.Sprintf("process %d on %s since %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	err := errors.Join(f.Chmod(0o600), f.Truncate(0))
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err != nil {
		f.Close()
		return nil, fileError("lock case", err)
	}
	return &lock{f}, nil
}

// describe makes one printable line of what a lock file says.
func describe(holder []byte) string {
	line, _, _ := strings.Cut(string(holder), "\n")
	if line == "" {
		return "a process that did not say who it is"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, line)
}

func (l *lock) release() error {
	return errors.Join(os.Remove(l.f.Name()), l.f.Close())
}
