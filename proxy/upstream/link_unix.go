//go:build unix

package upstream

import (
	"io"
	"syscall"
)

func (l *link) tryRead(fd uintptr) bool {
	for {
		n, err := syscall.Read(int(fd), l.p)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			l.n, l.err = 0, errQuiet
		case err != nil:
			l.n, l.err = 0, err
		case n == 0:
			l.n, l.err = 0, io.EOF
		default:
			l.n, l.err = n, nil
		}
		return true // done either way: do not wait
	}
}
