package wireguard

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// stream is a TCP connection of a peer. Its errors are those of package net:
// net.ErrClosed, os.ErrDeadlineExceeded, syscall.ECONNRESET, syscall.EPIPE and
// syscall.ETIMEDOUT can be tested for.
type stream struct {
	l             *Listener
	who           *peer
	name, app     string
	remote, local netip.AddrPort

	ep       tcpip.Endpoint
	queue    *waiter.Queue
	readable event
	writable event
	done     chan struct{}
	once     sync.Once

	reading deadline
	writing deadline

	readMu  sync.Mutex
	dst     tcpip.SliceWriter
	writeMu sync.Mutex
	src     bytes.Reader
}

// event is a registration for notifications of the stack.
type event struct {
	entry waiter.Entry
	ready chan struct{}
}

func newStream(l *Listener, p *peer, ep tcpip.Endpoint, queue *waiter.Queue, remote, local netip.AddrPort) *stream {
	s := &stream{l: l, who: p, remote: remote, local: local, ep: ep, queue: queue, done: make(chan struct{})}
	s.name, s.app = l.names(p)
	s.readable.entry, s.readable.ready = waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventHUp | waiter.EventErr)
	s.writable.entry, s.writable.ready = waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventHUp | waiter.EventErr)
	queue.EventRegister(&s.readable.entry)
	queue.EventRegister(&s.writable.entry)
	return s
}

// names returns what the connections of p say of it.
func (l *Listener) names(p *peer) (name, app string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return p.Name, p.App
}

func (s *stream) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	s.readMu.Lock()
	defer s.readMu.Unlock()
	passed := s.reading.passed()
	for {
		if isClosed(passed) {
			return 0, s.error("read", os.ErrDeadlineExceeded)
		}
		s.dst = b
		result, err := s.ep.Read(&s.dst, tcpip.ReadOptions{})
		s.dst = nil
		if err == nil {
			s.ep.ModerateRecvBuf(result.Count)
			return result.Count, nil
		}
		switch err.(type) {
		case *tcpip.ErrWouldBlock:
		case *tcpip.ErrClosedForReceive:
			if !isClosed(s.done) {
				return 0, io.EOF
			}
			return 0, s.error("read", net.ErrClosed)
		default:
			return 0, s.failure("read", err)
		}
		select {
		case <-s.readable.ready:
		case <-passed:
		case <-s.done:
			return 0, s.error("read", net.ErrClosed)
		}
	}
}

func (s *stream) Write(b []byte) (n int, _ error) {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	defer s.src.Reset(nil)
	passed := s.writing.passed()
	for {
		if isClosed(passed) {
			return n, s.error("write", os.ErrDeadlineExceeded)
		}
		if n == len(b) {
			return n, nil
		}
		s.src.Reset(b[n:])
		wrote, err := s.ep.Write(&s.src, tcpip.WriteOptions{})
		n += int(wrote)
		if err == nil {
			continue
		}
		if _, ok := err.(*tcpip.ErrWouldBlock); !ok {
			return n, s.failure("write", err)
		}
		select {
		case <-s.writable.ready:
		case <-passed:
		case <-s.done:
			return n, s.error("write", net.ErrClosed)
		}
	}
}

// Close sends what was written and the end of the stream in the background.
func (s *stream) Close() error {
	s.end(func() {
		// Not for ever: the phone may have gone.
		limit := tcpip.TCPUserTimeoutOption(lingerTime)
		_ = s.ep.SetSockOpt(&limit)
		s.ep.Close()
	})
	return nil
}

// abort resets the connection.
func (s *stream) abort() { s.end(s.ep.Abort) }

func (s *stream) end(how func()) {
	s.once.Do(func() {
		close(s.done)
		how()
		s.queue.EventUnregister(&s.readable.entry)
		s.queue.EventUnregister(&s.writable.entry)
		s.SetDeadline(time.Time{}) // stops the timers
		s.l.dismiss(s.who, s)
	})
}

// CloseWrite tells the client that nothing more comes.
func (s *stream) CloseWrite() error {
	if isClosed(s.done) {
		return s.error("close", net.ErrClosed)
	}
	if err := s.ep.Shutdown(tcpip.ShutdownWrite); err != nil {
		return s.failure("close", err)
	}
	return nil
}

// SetLinger is as for net.TCPConn: with 0, Close resets the connection.
func (s *stream) SetLinger(sec int) error {
	s.ep.SocketOptions().SetLinger(tcpip.LingerOption{Enabled: sec >= 0, Timeout: time.Duration(max(sec, 0)) * time.Second})
	return nil
}

func (s *stream) SetReadDeadline(t time.Time) error {
	s.reading.set(t)
	return nil
}

func (s *stream) SetWriteDeadline(t time.Time) error {
	s.writing.set(t)
	return nil
}

func (s *stream) SetDeadline(t time.Time) error {
	s.reading.set(t)
	s.writing.set(t)
	return nil
}

func (s *stream) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(s.local) }
func (s *stream) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }

// User is the name of the peer.
func (s *stream) User() string { return s.name }

// App is the app of the peer, if it is one app's.
func (s *stream) App() string { return s.app }

func (s *stream) client() netip.Addr { return s.remote.Addr() }

// failure makes an error of the stack one of package net.
func (s *stream) failure(op string, err tcpip.Error) error {
	switch {
	case isClosed(s.done):
		return s.error(op, net.ErrClosed)
	default:
		return s.error(op, stackError(err))
	}
}

func stackError(err tcpip.Error) error {
	switch err.(type) {
	case *tcpip.ErrConnectionReset, *tcpip.ErrConnectionAborted:
		return os.NewSyscallError("tcp", syscall.ECONNRESET)
	case *tcpip.ErrClosedForSend:
		return os.NewSyscallError("tcp", syscall.EPIPE)
	case *tcpip.ErrTimeout:
		return os.NewSyscallError("tcp", syscall.ETIMEDOUT)
	case *tcpip.ErrHostUnreachable, *tcpip.ErrNetworkUnreachable:
		return os.NewSyscallError("tcp", syscall.EHOSTUNREACH)
	default:
		return errors.New(err.String())
	}
}

func (s *stream) error(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: err}
}
