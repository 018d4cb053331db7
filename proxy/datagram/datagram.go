// Package datagram makes connections of datagrams that share a socket: one Flow
// for each pair of client port and destination.
//
// A door reads its socket and hands each datagram to a Table, which finds or opens
// the Flow that it belongs to. A Flow keeps what its reader has not taken, within
// bounds, and drops what is over them as the buffer of a socket does. A Table and
// its Flows start no goroutines, and are safe for concurrent use.
//
// The package does not read or write sockets.
package datagram

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// The bounds of what a Flow keeps for its reader.
const (
	maxQueued = 256
	maxBytes  = 512 << 10 // at least one datagram is kept whatever its size
)

// Ways are how a Flow reaches its client. All are called without a lock held, and
// may be called at the same time.
type Ways struct {
	// Send sends one datagram to the client, with the flow's destination as its
	// source; required.
	Send func([]byte) error
	// Unreachable tells the client that nobody is at the destination. Nil means
	// that there is no way to say so.
	Unreachable func() error
	// Closed is called once, when the flow is closed or has ended.
	Closed func()
}

// A Flow is a net.Conn whose Reads and Writes are one datagram each. Read returns
// io.ErrShortBuffer, and what fits, for a datagram that is longer than the buffer;
// no datagram is longer than 64 KiB. It returns io.EOF when the client's side has
// ended.
type Flow struct {
	Client net.Addr // given out by RemoteAddr
	Dest   net.Addr // given out by LocalAddr
	Host   string   // of the destination, as the client named it
	Port   uint16
	Name   string // given out by User
	Pkg    string // given out by App
	Ways   Ways

	mu       sync.Mutex
	cond     *sync.Cond // on mu: something of the below has changed
	queue    [][]byte
	bytes    int
	ended    bool // no more datagrams come
	closed   bool // by its reader
	refused  bool
	read     deadline
	write    deadline
	used     time.Time // when the last datagram passed
	over     sync.Once // for Ways.Closed
	unlisted func()    // takes the flow off its table
}

// deadline is a point of time, and the timer that wakes those who wait for it.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// set changes the deadline; wake is called when it has come.
func (d *deadline) set(at time.Time, wake func()) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if until := time.Until(at); !at.IsZero() && until > 0 {
		d.timer = time.AfterFunc(until, wake)
	}
}

func (d *deadline) stop() { d.set(time.Time{}, nil) }

// open makes f ready for use.
func (f *Flow) open(unlisted func()) {
	f.cond = sync.NewCond(&f.mu)
	f.unlisted = unlisted
	f.used = time.Now()
}

// push gives the flow a datagram, which it copies. Over the bounds it is dropped.
func (f *Flow) push(b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used = time.Now()
	if f.closed || f.ended || len(f.queue) >= maxQueued || f.bytes > 0 && f.bytes+len(b) > maxBytes {
		return
	}
	f.queue = append(f.queue, append(make([]byte, 0, len(b)), b...))
	f.bytes += len(b)
	f.cond.Broadcast()
}

// end says that no more datagrams come.
func (f *Flow) end() {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.cond.Broadcast()
	f.over.Do(f.closing)
}

func (f *Flow) closing() {
	if f.Ways.Closed != nil {
		f.Ways.Closed()
	}
}

// Read implements net.Conn.
func (f *Flow) Read(b []byte) (int, error) {
	next, err := f.ReadPacket()
	if err != nil {
		return 0, err
	}
	n := copy(b, next)
	if n < len(next) {
		return n, io.ErrShortBuffer
	}
	return n, nil
}

// ReadPacket is Read without a buffer: the datagram is the caller's.
func (f *Flow) ReadPacket() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.closed:
			return nil, net.ErrClosed
		case f.read.passed():
			return nil, os.ErrDeadlineExceeded
		case len(f.queue) > 0:
			next := f.queue[0]
			f.queue[0] = nil
			f.queue = f.queue[1:]
			f.bytes -= len(next)
			return next, nil
		case f.ended:
			return nil, io.EOF
		}
		f.cond.Wait()
	}
}

// Write implements net.Conn.
func (f *Flow) Write(b []byte) (int, error) {
	f.mu.Lock()
	closed, late := f.closed || f.ended, f.write.passed()
	f.used = time.Now()
	f.mu.Unlock()
	switch {
	case closed:
		return 0, net.ErrClosed
	case late:
		return 0, os.ErrDeadlineExceeded
	}
	if err := f.Ways.Send(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close ends the flow. The next datagram between the same ports opens another.
func (f *Flow) Close() error {
	if !f.close(false) {
		return net.ErrClosed
	}
	f.unlisted()
	return nil
}

// Refuse closes the flow and tells the client, where there is a way, that nobody
// is at the destination. Datagrams that the client sends between the same ports for
// a while yet open no other flow: they are answered alike.
func (f *Flow) Refuse() error {
	if !f.close(true) {
		return net.ErrClosed
	}
	return f.unreachable()
}

func (f *Flow) unreachable() error {
	if f.Ways.Unreachable == nil {
		return nil
	}
	return f.Ways.Unreachable()
}

// close reports whether the flow was open.
func (f *Flow) close(refuse bool) bool {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return false
	}
	f.closed, f.refused = true, refuse
	f.queue, f.bytes = nil, 0
	f.read.stop()
	f.write.stop()
	f.mu.Unlock()
	f.cond.Broadcast()
	f.over.Do(f.closing)
	return true
}

// LocalAddr is the destination of the client's datagrams.
func (f *Flow) LocalAddr() net.Addr { return f.Dest }

// RemoteAddr is the client.
func (f *Flow) RemoteAddr() net.Addr { return f.Client }

// Destination is where the client sends to, as it said it.
func (f *Flow) Destination() (host string, port uint16) { return f.Host, f.Port }

// User is the name by which the client signed in, empty when it did not.
func (f *Flow) User() string { return f.Name }

// App is the package name of the app, empty when the door does not know it.
func (f *Flow) App() string { return f.Pkg }

// SetDeadline implements net.Conn.
func (f *Flow) SetDeadline(t time.Time) error { return f.setDeadlines(t, &f.read, &f.write) }

// SetReadDeadline implements net.Conn.
func (f *Flow) SetReadDeadline(t time.Time) error { return f.setDeadlines(t, &f.read) }

// SetWriteDeadline implements net.Conn. A Write does not wait: the deadline only
// keeps those that come after it from being made.
func (f *Flow) SetWriteDeadline(t time.Time) error { return f.setDeadlines(t, &f.write) }

func (f *Flow) setDeadlines(t time.Time, ds ...*deadline) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return net.ErrClosed
	}
	for _, d := range ds {
		d.set(t, f.cond.Broadcast)
	}
	f.cond.Broadcast()
	return nil
}
