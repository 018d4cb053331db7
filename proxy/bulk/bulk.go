// Package bulk carries several TLS records in one system call. crypto/tls makes
// one call for each record that it writes, and one for about every record that
// it reads, which is much of what large bodies cost.
//
// A Conn goes between a tls.Conn and its transport. It changes neither the bytes
// nor their order, never waits for more than it was asked for, and holds memory
// only while it is of use.
//
// The package knows of TLS no more than where records begin and end (RFC 8446
// section 5.1); what is inside is not its business.
package bulk

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

const (
	// Record is the largest content of a TLS record.
	Record = 16 << 10

	header = 5
	// room is what is read, and written, at a time: four full records.
	room = 4 * (Record + 256)
	// data is the length from which a record is taken to hold data: messages of
	// TLS itself, behind which nothing may come for long, are smaller.
	data = 4 << 10
)

var buffers = sync.Pool{New: func() any { b := make([]byte, room); return &b }}

// Conn is the transport connection of a tls.Conn, which must be the only one to
// read from it and to write to it.
type Conn struct {
	net.Conn

	// Owned by the reader.
	buf  *[]byte // nil when r == w
	r, w int     // read and not handed on
	full bool    // the last read brought a record and more
	late error   // came with what is in buf
	left int     // of the record that is being handed on
	head [header]byte
	have int // bytes of head

	expect atomic.Int32 // records to come in the Write of the tls.Conn

	// Owned by the writer: crypto/tls lets one in at a time.
	held *[]byte // records that wait for the last one; nil for none
	n    int
}

// New returns a Conn over c.
func New(c net.Conn) *Conn { return &Conn{Conn: c} }

// Read implements io.Reader.
func (c *Conn) Read(p []byte) (int, error) {
	if c.r == c.w {
		if err := c.late; err != nil {
			c.late = nil
			return 0, err
		}
		if !c.full || len(p) >= room {
			n, err := c.Conn.Read(p)
			c.full = n >= Record
			c.pass(p[:n])
			return n, err
		}
		b := buffers.Get().(*[]byte)
		n, err := c.Conn.Read(*b)
		if c.full = n >= Record; n == 0 {
			buffers.Put(b)
			return 0, err
		}
		c.buf, c.r, c.w, c.late = b, 0, n, err
	}
	// No more than the record: then what is ready is known here.
	waiting := (*c.buf)[c.r:c.w]
	if end, known := c.end(waiting); known {
		waiting = waiting[:min(end, len(waiting))]
	}
	n := copy(p, waiting)
	c.pass(p[:n])
	if c.r += n; c.r == c.w {
		buffers.Put(c.buf)
		c.buf, c.r, c.w = nil, 0, 0
	}
	return n, nil
}

// Ready says that the tls.Conn can return more data without waiting. It may say
// no when that is so. It is for the reader.
func (c *Conn) Ready() bool {
	if c.r == c.w {
		return false
	}
	end, known := c.end((*c.buf)[c.r:c.w])
	return known && end >= data && end <= c.w-c.r
}

// end returns where in next, which comes next, the record ends, if the length of
// the record is known.
func (c *Conn) end(next []byte) (end int, known bool) {
	if c.left > 0 {
		return c.left, true
	}
	h := c.head
	missing := header - c.have
	if copy(h[c.have:], next) < missing {
		return 0, false
	}
	return missing + length(&h), true
}

// pass notes that p was handed on.
func (c *Conn) pass(p []byte) {
	for len(p) > 0 {
		if c.left > 0 {
			n := min(c.left, len(p))
			c.left, p = c.left-n, p[n:]
			continue
		}
		n := copy(c.head[c.have:], p)
		p = p[n:]
		if c.have += n; c.have == header {
			c.left, c.have = length(&c.head), 0
		}
	}
}

func length(h *[header]byte) int { return int(h[3])<<8 | int(h[4]) }

// Write implements io.Writer.
func (c *Conn) Write(p []byte) (int, error) {
	expected := c.expect.Load()
	if expected == 0 && c.held != nil {
		return 0, errLost
	}
	if c.held == nil && (expected <= 1 || len(p) > room) {
		return c.Conn.Write(p)
	}
	if c.held == nil {
		c.held, c.n = buffers.Get().(*[]byte), 0
	}
	if c.n+len(p) > room { // records are not that large: let the rest leave by itself
		c.expect.Store(0)
		if err := c.flush(); err != nil {
			return 0, err
		}
		return c.Conn.Write(p)
	}
	c.n += copy((*c.held)[c.n:], p)
	if c.expect.Add(-1) > 0 {
		return len(p), nil
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// errLost means that records were held back when a Write failed: those after
// them would be of no use.
var errLost = errors.New("an earlier write failed")

func (c *Conn) flush() error {
	b := c.held
	n, err := c.Conn.Write((*b)[:c.n])
	if err == nil && n < c.n {
		err = io.ErrShortWrite
	}
	c.held = nil
	buffers.Put(b)
	return err
}

// WriteTo writes p to over, the tls.Conn above c, so that its records leave
// together. One call runs at a time, and no other Write of over's.
func (c *Conn) WriteTo(over io.Writer, p []byte) (int, error) {
	if len(p) <= Record {
		return over.Write(p)
	}
	// More records, as TLS 1.0 has them, or smaller ones leave by themselves.
	c.expect.Store(int32(min(len(p), 4*Record)+Record-1) / Record)
	n, err := over.Write(p)
	c.expect.Store(0)
	return n, err
}
