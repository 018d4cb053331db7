package proxy

import (
	"encoding/binary"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// maxFrontier is how many bytes of a client's HTTP/2 are looked at for what it
// opens with.
const maxFrontier = 16 << 10

// maxParameters bounds the settings, and the priorities, that are shown. RFC 9113 and
// its extensions have a dozen settings.
const maxParameters = 64

// opening is what stands before a client's first frame (RFC 9113 section 3.4).
const opening = preface + "\r\nSM\r\n\r\n"

// frontier reads what a client opens HTTP/2 with, up to its first header block, for
// Connection.HTTP2. The form is that of "Passive Fingerprinting of HTTP/2 Clients"
// (Akamai, Black Hat Europe 2017).
type frontier struct {
	done     bool
	begun    bool // the preface is off
	buf      []byte
	seen     int
	settings []string
	window   uint32
	priority []string
}

// feed takes the next bytes, of which there is at least one. It returns the fingerprint once it is complete, and
// nothing more after that.
func (f *frontier) feed(p []byte) string {
	if f.done {
		return ""
	}
	if len(f.buf) == 0 && !f.begun && p[0] != opening[0] {
		f.done = true // HTTP/1.x
		return ""
	}
	if f.seen += len(p); f.seen > maxFrontier {
		p = p[:max(0, len(p)-(f.seen-maxFrontier))]
	}
	f.buf = append(f.buf, p...)
	out, more := f.read()
	if !more || f.seen >= maxFrontier {
		f.done, f.buf = true, nil
	}
	return out
}

// read takes the frames that are complete (RFC 9113 section 4.1).
func (f *frontier) read() (out string, more bool) {
	if !f.begun {
		n := min(len(f.buf), len(opening))
		if string(f.buf[:n]) != opening[:n] {
			return "", false
		}
		if n < len(opening) {
			return "", true
		}
		f.begun, f.buf = true, f.buf[n:]
	}
	for len(f.buf) >= 9 {
		size := int(f.buf[0])<<16 | int(f.buf[1])<<8 | int(f.buf[2])
		if len(f.buf) < 9+size {
			// The order of pseudo-header fields is at the beginning of the block.
			return "", size <= maxFrontier
		}
		kind, flags, stream := f.buf[3], f.buf[4], binary.BigEndian.Uint32(f.buf[5:])&(1<<31-1)
		body := f.buf[9 : 9+size]
		f.buf = f.buf[9+size:]
		switch kind {
		case 1: // HEADERS
			return f.print(body, flags), false
		case 2: // PRIORITY
			if size == 5 && len(f.priority) < maxParameters {
				dep := binary.BigEndian.Uint32(body)
				f.priority = append(f.priority, strings.Join([]string{decimal(stream), decimal(dep >> 31), decimal(dep & (1<<31 - 1)), decimal(uint32(body[4]) + 1)}, ":"))
			}
		case 4: // SETTINGS
			if flags&1 == 0 && f.settings == nil {
				for s := body; len(s) >= 6 && len(f.settings) < maxParameters; s = s[6:] {
					f.settings = append(f.settings, decimal(uint32(binary.BigEndian.Uint16(s)))+":"+decimal(binary.BigEndian.Uint32(s[2:])))
				}
			}
		case 8: // WINDOW_UPDATE
			if stream == 0 && size == 4 && f.window == 0 {
				f.window = binary.BigEndian.Uint32(body) & (1<<31 - 1)
			}
		}
	}
	return "", true
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// print is the fingerprint, with the order of the pseudo-header fields of a block.
func (f *frontier) print(block []byte, flags byte) string {
	pad := 0
	if flags&8 != 0 && len(block) > 0 {
		pad, block = int(block[0]), block[1:]
	}
	if flags&32 != 0 && len(block) >= 5 {
		block = block[5:]
	}
	if pad > len(block) {
		return ""
	}
	block = block[:len(block)-pad]
	var order []string
	d := hpack.NewDecoder(4096, func(h hpack.HeaderField) {
		if h.IsPseudo() && len(h.Name) > 1 && len(order) < 8 {
			order = append(order, printable(h.Name[1:2]))
		}
	})
	d.SetMaxStringLength(maxFrontier)
	_, _ = d.Write(block) // what came before an error counts
	priority := "0"
	if len(f.priority) > 0 {
		priority = strings.Join(f.priority, ",")
	}
	return strings.Join([]string{strings.Join(f.settings, ";"), decimal(f.window), priority, strings.Join(order, ",")}, "|")
}
