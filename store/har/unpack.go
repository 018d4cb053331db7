package har

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// errBytes means that a file is longer than Options.Bytes.
var errBytes = errors.New("file is larger than the limit")

// unpack removes what may be wrapped around the JSON text: gzip (.har.gz), zlib
// (mitmproxy's .zhar), a byte order mark, UTF-16.
func unpack(r io.Reader, limit int64) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	var err error
	for range 2 { // a packed file may have been packed again for sending
		head, _ := b.Peek(2)
		var in io.Reader
		switch {
		case bytes.Equal(head, []byte{0x1f, 0x8b}):
			in, err = gzip.NewReader(b)
		case len(head) == 2 && head[0] == 0x78 && (int(head[0])<<8|int(head[1]))%31 == 0: // RFC 1950 section 2.2
			in, err = zlib.NewReader(b)
		}
		if err != nil {
			return b, err
		}
		if in == nil {
			break
		}
		b = bufio.NewReaderSize(in, 64<<10)
	}
	var text io.Reader = b
	head, _ := b.Peek(3)
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		_, err = b.Discard(3)
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		_, err = b.Discard(2)
		text = &utf16Reader{r: b, low: 0, high: 1}
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		_, err = b.Discard(2)
		text = &utf16Reader{r: b, low: 1, high: 0}
	}
	return &limitReader{r: text, left: limit}, err
}

// isPacked reports whether err says that packed data is damaged.
func isPacked(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) ||
		errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrDictionary) ||
		errors.As(err, &corrupt)
}

// limitReader ends with errBytes, where io.LimitReader would pretend an end.
type limitReader struct {
	r    io.Reader
	left int64
}

func (l *limitReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errBytes
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// utf16Reader turns UTF-16 into UTF-8.
type utf16Reader struct {
	r         *bufio.Reader
	low, high int
	out       []byte
	pending   rune // a high surrogate that waits for its other half
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		var unit [2]byte
		if _, err := io.ReadFull(u.r, unit[:]); err != nil {
			return 0, err
		}
		c := rune(unit[u.high])<<8 | rune(unit[u.low])
		switch {
		case u.pending != 0:
			c, u.pending = utf16.DecodeRune(u.pending, c), 0
		case c >= 0xd800 && c < 0xdc00:
			u.pending = c
			continue
		}
		u.out = utf8.AppendRune(u.out[:0], c)
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}
