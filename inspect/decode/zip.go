package decode

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"

	"constat/inspect"
)

// Zip takes the files out of a ZIP archive. The argument is the file's name.
//
// The central directory says what is in the archive; each entry must stand where
// it says and overlap no other. An archive without one, because it was cut off,
// is read from its beginning as far as the entries say how long they are.
var Zip = inspect.Decoder{
	Name:   "zip",
	Doc:    "takes the files out of ZIP archives (APPNOTE.TXT 6.3.10), stored and deflated",
	Min:    30,
	First:  "P",
	Decode: decodeZip,
}

const (
	zipLocal     = "PK\x03\x04" // APPNOTE 4.3.7
	zipCentral   = "PK\x01\x02" // 4.3.12
	zipEnd       = "PK\x05\x06" // 4.3.16
	zipEnd64     = "PK\x06\x06" // 4.3.14
	zipLocator64 = "PK\x06\x07" // 4.3.15

	zipDescriptor = "PK\x07\x08" // 4.3.9: sizes, behind the content

	zipName = 4096 // bytes of a name
)

var (
	errEncrypted = errors.New("zip: encrypted")
	errMethod    = errors.New("zip: compression method not known")
	errOverlap   = errors.New("zip: entries overlap")
)

// zipEntry is a file of an archive.
type zipEntry struct {
	name        string
	flags       uint16
	method      uint16
	at          int // of the local header
	packed, raw uint64
}

func decodeZip(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if string(d[:4]) != zipLocal {
		return nil, nil
	}
	entries, err := zipDirectory(d, w.Parts())
	if len(entries) == 0 && err == nil { // a directory that is empty hides something
		entries, err = zipScan(d, w.Parts())
	}
	// In the order of the archive, so that overlaps are between neighbours: the
	// same compressed bytes as many files would be a bomb of the square of its
	// size.
	slices.SortStableFunc(entries, func(x, y zipEntry) int { return cmp.Compare(x.at, y.at) })
	children := make([]inspect.Child, 0, len(entries))
	var seen names
	end := 0
	for i := range entries {
		e := &entries[i]
		content, next, e2 := zipContent(d, e)
		if e2 == nil && e.at < end {
			e2 = errOverlap
		}
		if e2 != nil {
			err = cmp.Or(err, e2)
			if e2 != errEnd || len(content) == 0 {
				continue
			}
		}
		end = max(end, next)
		if len(content) == 0 {
			continue
		}
		switch e.method {
		case 0:
			content = content[:len(content):len(content)]
		case 8:
			var e3 error
			content, e3 = zipInflate(w, content, int(min(e.raw, 1<<20))+512)
			err = cmp.Or(err, e3)
			if len(content) == 0 {
				if e3 == inspect.ErrBytes {
					return children, e3
				}
				continue
			}
		default:
			err = cmp.Or(err, errMethod)
			continue
		}
		arg := seen.unique(e.name)
		children = append(children, inspect.Child{Arg: arg, Name: e.name, Group: arg, Media: mediaOf(e.name, content), Data: content})
		if err == inspect.ErrBytes {
			return children, err
		}
	}
	if err != nil {
		err = broken("zip", err)
	}
	return children, err
}

func zipInflate(w *inspect.Work, content []byte, size int) ([]byte, error) {
	r := flateReaders.Get().(io.ReadCloser)
	defer flateReaders.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(content), nil); err != nil {
		return nil, err
	}
	out, err := drain(w, r, size)
	if len(out) < cap(out)/2 { // thousands of small files
		out = bytes.Clone(out)
	}
	return out, err
}

// zipDirectory reads the central directory, nil if there is none.
func zipDirectory(d []byte, most int) ([]zipEntry, error) {
	const size = 22
	tail := d[max(0, len(d)-size-0xffff):]
	at := bytes.LastIndex(tail, []byte(zipEnd))
	if at < 0 || len(tail)-at < size {
		return nil, nil
	}
	end := tail[at:]
	start := uint64(binary.LittleEndian.Uint32(end[16:]))
	length := uint64(binary.LittleEndian.Uint32(end[12:]))
	where := len(d) - len(tail) + at
	if locator := where - 20; start == 0xffffffff && locator >= 0 && string(d[locator:locator+4]) == zipLocator64 {
		if end64 := binary.LittleEndian.Uint64(d[locator+8:]); end64 <= uint64(len(d)-56) && len(d) >= 56 && string(d[end64:end64+4]) == zipEnd64 {
			length, start = binary.LittleEndian.Uint64(d[end64+40:]), binary.LittleEndian.Uint64(d[end64+48:])
		}
	}
	if start > uint64(where) || length > uint64(where)-start {
		return nil, nil
	}
	entries := []zipEntry{}
	for b := d[start : start+length]; len(b) > 0; {
		const head = 46
		if len(b) < head || string(b[:4]) != zipCentral {
			return entries, errField
		}
		n, extra, comment := int(binary.LittleEndian.Uint16(b[28:])), int(binary.LittleEndian.Uint16(b[30:])), int(binary.LittleEndian.Uint16(b[32:]))
		if len(b) < head+n+extra+comment {
			return entries, errEnd
		}
		if len(entries) == most {
			return entries, inspect.ErrParts
		}
		e := zipEntry{
			name: string(b[head : head+min(n, zipName)]), flags: binary.LittleEndian.Uint16(b[8:]), method: binary.LittleEndian.Uint16(b[10:]),
			packed: uint64(binary.LittleEndian.Uint32(b[20:])), raw: uint64(binary.LittleEndian.Uint32(b[24:])),
		}
		offset := uint64(binary.LittleEndian.Uint32(b[42:]))
		zip64(b[head+n:head+n+extra], &e.raw, &e.packed, &offset)
		b = b[head+n+extra+comment:]
		if strings.HasSuffix(e.name, "/") {
			continue
		}
		e.at = int(min(offset, uint64(len(d))))
		entries = append(entries, e)
	}
	return entries, nil
}

// zip64 reads the sizes that do not fit in 32 bits (APPNOTE 4.5.3): those whose
// field is full stand in the extra field, in this order.
func zip64(extra []byte, values ...*uint64) {
	for len(extra) >= 4 {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return
		}
		if id == 1 {
			for b := extra[:n]; len(values) > 0; values = values[1:] {
				if *values[0] == 0xffffffff && len(b) >= 8 {
					*values[0], b = binary.LittleEndian.Uint64(b), b[8:]
				}
			}
			return
		}
		extra = extra[n:]
	}
}

// zipContent returns the packed bytes of e, and where they end.
func zipContent(d []byte, e *zipEntry) (content []byte, next int, err error) {
	const head = 30
	if len(d)-e.at < head || string(d[e.at:e.at+4]) != zipLocal {
		return nil, 0, errField
	}
	if e.flags&1 != 0 {
		return nil, 0, errEncrypted
	}
	start := e.at + head + int(binary.LittleEndian.Uint16(d[e.at+26:])) + int(binary.LittleEndian.Uint16(d[e.at+28:]))
	if start > len(d) {
		return nil, 0, errEnd
	}
	if e.packed > uint64(len(d)-start) {
		return d[start:], len(d), errEnd
	}
	next = start + int(e.packed)
	return d[start:next], next, nil
}

// zipScan reads entries from the beginning, for an archive that has lost its
// end. An entry that is as long as only what follows it says is the last one.
func zipScan(d []byte, most int) ([]zipEntry, error) {
	const head = 30
	var entries []zipEntry
	for at := 0; len(d)-at >= head && string(d[at:at+4]) == zipLocal; {
		if len(entries) == most {
			return entries, inspect.ErrParts
		}
		n, extra := int(binary.LittleEndian.Uint16(d[at+26:])), int(binary.LittleEndian.Uint16(d[at+28:]))
		if len(d)-at < head+n+extra {
			break
		}
		e := zipEntry{
			name: string(d[at+head : at+head+min(n, zipName)]), flags: binary.LittleEndian.Uint16(d[at+6:]), method: binary.LittleEndian.Uint16(d[at+8:]), at: at,
			packed: uint64(binary.LittleEndian.Uint32(d[at+18:])), raw: uint64(binary.LittleEndian.Uint32(d[at+22:])),
		}
		zip64(d[at+head+n:at+head+n+extra], &e.raw, &e.packed)
		start := at + head + n + extra
		if e.flags&8 != 0 && e.packed == 0 { // the size stands behind: to the next header
			e.packed = uint64(zipNext(d[start:]))
		}
		if !strings.HasSuffix(e.name, "/") {
			entries = append(entries, e)
		}
		if e.packed > uint64(len(d)-start) {
			break
		}
		at = start + int(e.packed)
		if e.flags&8 != 0 && len(d)-at >= 4 && string(d[at:at+4]) == zipDescriptor {
			if at += 16; at < len(d) && string(d[at:min(at+2, len(d))]) != "PK" {
				at += 8 // with sizes of 64 bits
			}
		}
	}
	return entries, errEnd
}

// zipNext returns where in d the next header begins, len(d) if none does.
func zipNext(d []byte) int {
	for at := 0; ; at += 2 {
		i := bytes.Index(d[at:], []byte("PK"))
		if i < 0 || len(d)-at-i < 4 {
			return len(d)
		}
		at += i
		switch string(d[at : at+4]) {
		case zipDescriptor, zipLocal, zipCentral:
			return at
		}
	}
}

// mediaOf returns the media type of a file in an archive: that which its first
// bytes give away, else that of its name where the decoders go by it.
func mediaOf(name string, content []byte) string {
	if m := inspect.Recognise(content); m != "" {
		return m
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 || len(name)-dot > 10 {
		return ""
	}
	if !looksText(content[:min(len(content), 64)]) { // Android's .xml, and whatever is encrypted
		return binaryMedia[strings.ToLower(name[dot+1:])]
	}
	switch strings.ToLower(name[dot+1:]) {
	case "json":
		return "application/json"
	case "ndjson", "jsonl":
		return "application/x-ndjson"
	case "xml":
		return "application/xml"
	case "csv":
		return "text/csv"
	case "txt", "log":
		return "text/plain"
	case "htm", "html":
		return "text/html"
	case "vcf":
		return "text/vcard"
	case "ics":
		return "text/calendar"
	}
	return ""
}

var binaryMedia = map[string]string{
	"msgpack": "application/msgpack",
	"cbor":    "application/cbor",
	"pb":      "application/x-protobuf",
}
