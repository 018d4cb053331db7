//go:build unix

package proxy

import "syscall"

const canReadSocket = true

func readSocket(fd uintptr, b []byte) (n int, err error) {
	for {
		if n, err = syscall.Read(int(fd), b); err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

func again(err error) bool { return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK }
