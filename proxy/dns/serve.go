package dns

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"constat/proxy/flow"
)

const (
	// packetIdle is how long a flow of datagrams may be silent: clients take another
	// port for each question or a few.
	packetIdle = 15 * time.Second
	// streamIdle is how long a TCP connection may be silent, and how long a message
	// may take to come (RFC 7766 section 6.2.3).
	streamIdle = 20 * time.Second
	// writeTime is how long a client may take to accept an answer.
	writeTime = 10 * time.Second
	// inFlight is how many questions of one connection are answered at a time; more
	// are not read until one of them is.
	inFlight = 16
	// maxDatagram is the largest question that is read from a datagram, in bytes.
	maxDatagram = 4096
)

// ServePacket answers the questions of a flow of datagrams, each of which conn.Read
// returns whole, until it has been silent for a while or ctx ends, and closes conn.
// record is called with each lookup before its answer is released to the client, and
// has to keep it; when it fails, there is no answer, and ServePacket returns its error.
// record may be called by several goroutines at a time, and fills in what the door
// knows; Client and Server are set. ServePacket returns after all it started has
// ended: nil when the flow was silent or ctx ended.
func (a *Answerer) ServePacket(ctx context.Context, conn net.Conn, record func(*flow.Lookup) error) error {
	buf := make([]byte, maxDatagram)
	return a.serve(ctx, conn, &client{
		over: "udp", idle: packetIdle,
		read: func() ([]byte, error) {
			n, err := conn.Read(buf)
			if err != nil && !errors.Is(err, io.ErrShortBuffer) {
				return nil, err
			}
			return append([]byte(nil), buf[:n]...), nil
		},
		write: func(answer []byte) error {
			_, err := conn.Write(answer)
			return err
		},
	}, record)
}

// ServeStream answers the questions of a TCP connection, which come with their length
// in front, in whatever order the answers come (RFC 7766 sections 6.2.1 and 7). It is
// otherwise as ServePacket; it returns nil also when the client has closed the
// connection between two questions.
func (a *Answerer) ServeStream(ctx context.Context, conn net.Conn, record func(*flow.Lookup) error) error {
	r := bufio.NewReader(conn)
	return a.serve(ctx, conn, &client{
		over: "tcp", idle: streamIdle,
		read: func() ([]byte, error) { return readMessage(conn, r) },
		write: func(answer []byte) error {
			msg := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(answer)), uint16(len(answer)))
			_, err := conn.Write(append(msg, answer...))
			return err
		},
	}, record)
}

// client is one side of a connection with questions.
type client struct {
	over  string
	idle  time.Duration
	read  func() ([]byte, error)
	write func([]byte) error
}

func (a *Answerer) serve(ctx context.Context, conn net.Conn, c *client, record func(*flow.Lookup) error) error {
	defer conn.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })()
	from, to := addrPort(conn.RemoteAddr()), addrPort(conn.LocalAddr())
	slots := make(chan struct{}, inFlight)
	var wait sync.WaitGroup
	defer wait.Wait()
	var writing sync.Mutex
	for {
		slots <- struct{}{}
		conn.SetReadDeadline(time.Now().Add(c.idle))
		if ctx.Err() != nil {
			break
		}
		query, err := c.read()
		if err != nil {
			wait.Wait()
			return ended(ctx, err)
		}
		wait.Go(func() {
			defer func() { <-slots }()
			defer func() { // one question must not end the program
				if fault := recover(); fault != nil {
					cancel(unrecorded{errFault})
				}
			}()
			answer, l := a.Answer(ctx, query, c.over, from.Addr())
			l.Client, l.Server = from, to
			if err := record(l); err != nil {
				cancel(unrecorded{err})
				return
			}
			if answer == nil {
				return
			}
			writing.Lock()
			defer writing.Unlock()
			conn.SetWriteDeadline(time.Now().Add(writeTime))
			if c.write(answer) != nil { // the client is gone
				cancel(nil)
			}
		})
	}
	wait.Wait()
	return ended(ctx, nil)
}

var errFault = errors.New("a fault while a question was answered")

// unrecorded is the error of a lookup that could not be kept.
type unrecorded struct{ error }

// ended is the error of a connection whose last read ended with err.
func ended(ctx context.Context, err error) error {
	var failed unrecorded
	var timeout net.Error
	switch {
	case errors.As(context.Cause(ctx), &failed):
		return failed.error
	case ctx.Err() != nil, errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.As(err, &timeout) && timeout.Timeout():
		return nil
	}
	return err
}

func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		ap = a.AddrPort()
	case *net.TCPAddr:
		ap = a.AddrPort()
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
