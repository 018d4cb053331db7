package proxy

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"constat/proxy/flow"
)

// frames records the WebSocket messages of one direction while their bytes pass
// (RFC 6455 section 5). It is pushed the bytes in any portions, changes none of
// them, and has each message committed before its last bytes are passed on. Once
// the bytes are not well-formed frames it looks no more.
type frames struct {
	x   *exchange
	dir flow.Direction

	head  [14]byte // of the frame being read
	have  int      // bytes of head read
	left  uint64   // payload bytes of the frame to come
	mask  [4]byte
	at    int         // position in mask
	frame *flow.Frame // whose payload is coming: message or control
	msg   *flow.Frame // the message being put together, nil between messages
	fin   bool
	over  bool // broken, or ended
	plain []byte
}

func (x *exchange) newFrames(dir flow.Direction) *frames { return &frames{x: x, dir: dir} }

var errFrame = errors.New("not a well-formed frame")

// look implements the type look. Errors are the Recorder's.
func (f *frames) look(p []byte) error {
	for len(p) > 0 && !f.over {
		if f.frame == nil {
			n, whole := f.readHead(p)
			if p = p[n:]; !whole {
				continue
			}
			if err := f.start(); err != nil {
				f.broken()
				return nil
			}
		}
		n := int(min(f.left, uint64(len(p))))
		if err := f.payload(p[:n]); err != nil {
			return err
		}
		p = p[n:]
		if f.left -= uint64(n); f.left == 0 {
			if err := f.finish(); err != nil {
				return err
			}
		}
	}
	return nil
}

// readHead takes bytes of a frame's header from p, and says whether it is whole.
func (f *frames) readHead(p []byte) (n int, whole bool) {
	for f.have < f.headSize() {
		if n == len(p) {
			return n, false
		}
		f.head[f.have] = p[n]
		f.have++
		n++
	}
	return n, true
}

// headSize is the size of the header, as far as the bytes so far tell.
func (f *frames) headSize() int {
	if f.have < 2 {
		return 2
	}
	size := 2
	switch f.head[1] & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if f.head[1]&0x80 != 0 {
		size += 4
	}
	return size
}

// start begins the frame whose header is whole.
func (f *frames) start() error {
	opcode := f.head[0] & 0x0f
	f.fin = f.head[0]&0x80 != 0
	deflated := f.head[0]&0x40 != 0
	at := 2
	switch f.left = uint64(f.head[1] & 0x7f); f.left {
	case 126:
		f.left, at = uint64(binary.BigEndian.Uint16(f.head[2:])), 4
	case 127:
		f.left, at = binary.BigEndian.Uint64(f.head[2:]), 10
	}
	f.mask, f.at = [4]byte{}, 0
	if f.head[1]&0x80 != 0 {
		copy(f.mask[:], f.head[at:])
	}
	f.have = 0
	control := opcode >= 8
	switch {
	case f.head[0]&0x30 != 0, f.left > 1<<63-1, opcode > 2 && opcode < 8, opcode > 10,
		control && (!f.fin || f.left > 125 || deflated),
		opcode == 0 && (f.msg == nil || deflated),
		(opcode == 1 || opcode == 2) && f.msg != nil:
		return errFrame
	case opcode == 0:
		f.frame = f.msg
		return nil
	}
	f.frame = &flow.Frame{Exchange: f.x.row.ID, Direction: f.dir, Opcode: opcode, Deflated: deflated}
	f.frame.Payload = flow.NewBody(f.x.p.conf.Recorder, f.frame, f.x.p.conf.BodyLimit)
	if !control {
		f.msg = f.frame
	}
	return nil
}

// payload records the next bytes of the frame, unmasked.
func (f *frames) payload(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if f.mask != ([4]byte{}) {
		f.plain = append(f.plain[:0], p...)
		for i := range f.plain {
			f.plain[i] ^= f.mask[f.at&3]
			f.at++
		}
		p = f.plain
	}
	if _, err := f.frame.Payload.Write(p); err != nil {
		f.x.p.fail(err)
		return err
	}
	return nil
}

// finish ends the frame, and commits the message that ends with it.
func (f *frames) finish() error {
	done := f.frame
	f.frame = nil
	if !f.fin {
		return nil
	}
	if done == f.msg {
		f.msg = nil
	}
	return f.commit(done, true)
}

func (f *frames) commit(done *flow.Frame, whole bool) error {
	done.Payload.Close(whole)
	done.Time = time.Now()
	// The message is already here: that its client has gone is no reason not to
	// record it.
	if err := f.x.p.conf.Recorder.Commit(context.Background(), done); err != nil {
		f.x.p.fail(err)
		return err
	}
	return nil
}

// broken notes that the rest is relayed unread.
func (f *frames) broken() {
	f.x.s.conn.note(func(row *flow.Connection) {
		row.Reason = "a WebSocket frame (" + string(f.dir) + ") was not well-formed: the rest was relayed unread"
	})
	f.end()
}

// end commits what came of a message that does not end.
func (f *frames) end() {
	if f.over {
		return
	}
	f.over = true
	if f.frame != nil && f.frame != f.msg {
		_ = f.commit(f.frame, false)
	}
	if f.msg != nil {
		_ = f.commit(f.msg, false)
	}
	f.frame, f.msg = nil, nil
}
