package inspect

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"sync"
)

const (
	// windowSize is the largest window of permessage-deflate (RFC 7692 section
	// 7.1.2.1).
	windowSize = 32 << 10
	// MaxInflated is how much one WebSocket message may be inflated to; behind one
	// that goes beyond, the window is lost.
	MaxInflated = 32 << 20
)

var flateReaders = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}

// Slide returns the window behind a WebSocket message that was compressed with the
// window before: the FrameWindow of the next message in its direction. It is nil when
// the message does not inflate.
func Slide(before, payload []byte) []byte {
	z := flateReaders.Get().(io.ReadCloser)
	defer flateReaders.Put(z)
	// The end of each message is left out on the wire (RFC 7692 section 7.2.2);
	// the last block says that nothing follows.
	input := io.MultiReader(bytes.NewReader(payload), bytes.NewReader([]byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}))
	if z.(flate.Resetter).Reset(input, before) != nil {
		return nil
	}
	buf := make([]byte, len(before), 2*windowSize)
	copy(buf, before)
	for size := 0; size <= MaxInflated; {
		if len(buf) == cap(buf) {
			buf = append(buf[:0], buf[len(buf)-windowSize:]...)
		}
		n, err := z.Read(buf[len(buf):cap(buf)])
		buf, size = buf[:len(buf)+n], size+n
		switch {
		case errors.Is(err, io.EOF):
			return bytes.Clone(buf[max(0, len(buf)-windowSize):])
		case err != nil:
			return nil
		}
	}
	return nil
}
