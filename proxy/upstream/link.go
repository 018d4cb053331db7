package upstream

import (
	"io"
	"net"
	"sync"
	"syscall"
)

// link is the transport connection, below TLS when there is any. It can look for
// input without waiting for it, which tells whether an idle connection is still
// good without a goroutine that watches it.
type link struct {
	net.Conn
	raw  syscall.RawConn // nil when the system cannot be asked
	pool *pool           // where it is registered
	once sync.Once       // closes it
	// ended says that the other side closed the transport connection: over TLS,
	// without having said so in TLS first. Owned by the reader.
	ended bool

	// Owned by the reader, and set only while quiet runs.
	probing bool
	p       []byte
	n       int
	err     error
	try     func(fd uintptr) bool // tryRead, bound once
}

func newLink(c net.Conn) *link {
	l := &link{Conn: c}
	if sc, ok := c.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			l.raw = raw
		}
	}
	l.try = l.tryRead
	return l
}

// errQuiet is what Read returns while probing when there is nothing to be read.
// crypto/tls keeps a connection usable after an error that is temporary.
var errQuiet net.Error = quietError{}

type quietError struct{}

func (quietError) Error() string   { return "nothing to be read" }
func (quietError) Timeout() bool   { return true }
func (quietError) Temporary() bool { return true }

func (l *link) Read(p []byte) (int, error) {
	var n int
	var err error
	if l.probing {
		n, err = l.poll(p)
	} else {
		n, err = l.Conn.Read(p)
	}
	if err == io.EOF {
		l.ended = true
	}
	return n, err
}

// Close closes the connection, without a word of TLS.
func (l *link) Close() error {
	var err error
	l.once.Do(func() {
		if l.pool != nil {
			l.pool.forget(l)
		}
		err = l.Conn.Close()
	})
	return err
}

// poll is a Read that does not wait.
func (l *link) poll(p []byte) (int, error) {
	if l.raw == nil || len(p) == 0 {
		return 0, errQuiet
	}
	l.p = p
	if err := l.raw.Read(l.try); err != nil {
		l.err = err
	}
	n, err := l.n, l.err
	l.p, l.n, l.err = nil, 0, nil
	return n, err
}

// quiet says whether rw, which is l or TLS over it, is open and has nothing to
// say. Handshake messages that TLS sends late, such as session tickets, are taken
// in. No read may be under way.
func (l *link) quiet(rw net.Conn) bool {
	var one [1]byte
	l.probing = true
	n, err := rw.Read(one[:])
	l.probing = false
	return n == 0 && err == errQuiet
}
