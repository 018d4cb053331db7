package evidence

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// opened is a container that is read. Its directory was gone through once: it is the
// canonical one, its files follow each other without a gap, and their names rise.
type opened struct {
	r      io.ReaderAt
	size   int64
	dir    directory
	folder string // of the bag, with its slash

	files  map[string]fileInfo // all but bodies
	parts  []part              // of the records, in order
	bodies bodyTable
}

// part is a file of records.
type part struct {
	first int64 // entry of the log
	info  fileInfo
}

// bodyTable knows where the bodies are: by the first half of their names, which
// rise, in 24 bytes each.
type bodyTable struct {
	names   [][16]byte
	offsets []int64
	used    []uint64 // bits: a record has it
}

func (t *bodyTable) find(sum []byte) int {
	i, ok := slices.BinarySearchFunc(t.names, sum, func(n [16]byte, sum []byte) int { return bytes.Compare(n[:], sum[:16]) })
	if !ok {
		return -1
	}
	return i
}

func (t *bodyTable) use(i int)         { t.used[i/64] |= 1 << (i % 64) }
func (t *bodyTable) isUsed(i int) bool { return t.used[i/64]&(1<<(i%64)) != 0 }

// errForm is what is wrong with a container. Nothing of it is trusted then.
type errForm struct{ what string }

func (e errForm) Error() string { return "the container is not a bundle in its one form: " + e.what }

func formError(format string, args ...any) error { return errForm{fmt.Sprintf(format, args...)} }

// open reads the directory of a container.
func open(r io.ReaderAt, size int64) (*opened, error) {
	o := &opened{r: r, size: size, files: map[string]fileInfo{}}
	if err := o.end(); err != nil {
		return nil, err
	}
	at, before := int64(0), ""
	err := o.each(func(f *fileInfo) error {
		if f.offset != at {
			return formError("%s does not follow the file before it", printable(f.name))
		}
		folder, name, _ := strings.Cut(f.name, "/")
		folder += "/"
		if o.folder == "" {
			o.folder = folder
		}
		if folder != o.folder || !isPath(name) || len(folder) > 64 || !isFolder(folder) {
			return formError("a file called %s", printable(f.name))
		}
		if before != "" && compareNames(before, name) >= 0 {
			return formError("%s comes after %s", printable(name), printable(before))
		}
		if f.method() == methodStored && f.packed != f.size {
			return formError("%s is stored and has two sizes", printable(name))
		}
		if o.isBelowFile(name, before) {
			return formError("%s is in a folder that is a file", printable(name))
		}
		before = name
		at += int64(len(f.appendLocal(nil))) + f.packed
		return o.note(name, f)
	})
	if err != nil {
		return nil, err
	}
	if at != o.dir.offset {
		return nil, formError("there is something between the last file and the directory")
	}
	o.bodies.used = make([]uint64, len(o.bodies.names)/64+1)
	return o, nil
}

func isFolder(s string) bool {
	id, ok := strings.CutPrefix(s, "constat-")
	id = strings.TrimSuffix(id, "/")
	return ok && id != "" && !strings.ContainsFunc(id, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') })
}

// isBelowFile reports whether a folder in name is the name of a file. A file comes
// before what would be in it, and what is in one folder comes together.
func (o *opened) isBelowFile(name, before string) bool {
	if last := strings.LastIndexByte(name, '/') + 1; strings.HasPrefix(before, name[:last]) {
		return false
	}
	for i := range len(name) {
		if name[i] == '/' {
			if _, is := o.files[name[:i]]; is {
				return true
			}
		}
	}
	return false
}

// isHash reports whether s is a SHA-256 hash in lower-case hexadecimal.
func isHash(s string) bool {
	sum, err := hex.DecodeString(s)
	return err == nil && len(sum) == 32 && hex.EncodeToString(sum) == s
}

// note keeps where a file is.
func (o *opened) note(name string, f *fileInfo) error {
	if hash, ok := strings.CutPrefix(name, bodyDir); ok {
		if !isHash(hash) {
			return formError("%s is not called by a hash", printable(name))
		}
		sum, _ := hex.DecodeString(hash)
		if len(o.bodies.names) == MaxBodies {
			return formError("it has more than %d bodies", MaxBodies)
		}
		if n := len(o.bodies.names); n > 0 && bytes.Equal(o.bodies.names[n-1][:], sum[:16]) {
			return formError("%s is there twice", printable(name))
		}
		o.bodies.names = append(o.bodies.names, [16]byte(sum))
		o.bodies.offsets = append(o.bodies.offsets, f.offset)
		return nil
	}
	if len(o.files) == MaxFiles {
		return formError("it has more than %d files", MaxFiles)
	}
	if rest, ok := strings.CutPrefix(name, certDir); ok {
		if hash, ok := strings.CutSuffix(rest, ".der"); !ok || !isHash(hash) {
			return formError("%s is not called by a hash", printable(name))
		}
	}
	o.files[name] = *f
	if rest, ok := strings.CutPrefix(name, recordDir); ok {
		p := part{info: *f}
		if _, err := fmt.Sscanf(rest, "%012d.jsonl", &p.first); err != nil || partName(p.first) != name {
			return formError("%s is not called by an entry of the log", printable(name))
		}
		o.parts = append(o.parts, p)
	}
	return nil
}

// printable is a name from a container, for messages.
func printable(name string) string {
	if len(name) > maxName {
		name = name[:maxName]
	}
	return fmt.Sprintf("%q", name)
}

// end finds the directory.
func (o *opened) end() error {
	const tail = locatorSize + end64Size + endSize + sealSize
	buf := make([]byte, min(tail, o.size))
	if len(buf) < endSize+sealSize {
		return formError("it is too short")
	}
	if err := o.readAt(buf, o.size-int64(len(buf))); err != nil {
		return err
	}
	end := buf[len(buf)-endSize-sealSize : len(buf)-sealSize]
	le := binary.LittleEndian
	if le.Uint32(end) != sigEnd {
		return formError("its end is missing: the file was cut short, or it is no bundle")
	}
	o.dir = directory{count: int64(le.Uint16(end[10:])), size: int64(le.Uint32(end[12:])), offset: int64(le.Uint32(end[16:]))}
	if o.dir.count == max16 || o.dir.size == max32 || o.dir.offset == max32 {
		if len(buf) < tail || le.Uint32(buf) != sigEnd64 {
			return formError("its end is incomplete")
		}
		o.dir = directory{count: int64(le.Uint64(buf[32:])), size: int64(le.Uint64(buf[40:])), offset: int64(le.Uint64(buf[48:]))}
	}
	want := o.dir.appendEnd(nil)
	from := len(buf) - sealSize - len(want)
	if o.dir.count < 0 || o.dir.size < 0 || o.dir.offset < 0 || o.dir.size > o.size || o.dir.offset > o.size || from < 0 || !bytes.Equal(buf[from:from+len(want)], want) {
		return formError("its end is not as it is written")
	}
	if o.dir.offset+o.dir.size+int64(len(want))+sealSize != o.size {
		return formError("there is something before or after its directory")
	}
	return nil
}

func (o *opened) readAt(b []byte, at int64) error {
	n, err := o.r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return formError("it was cut short")
	}
	return err
}

// each goes through the directory.
func (o *opened) each(do func(f *fileInfo) error) error {
	r := bufio.NewReaderSize(io.NewSectionReader(o.r, o.dir.offset, o.dir.size), 64<<10)
	var is, want []byte
	left := o.dir.size
	for n := range o.dir.count {
		f, head, err := readCentral(r, is[:0])
		if err != nil {
			return formError("entry %d of its directory cannot be read", n)
		}
		is = head
		if want = f.appendCentral(want[:0]); !bytes.Equal(is, want) {
			return formError("entry %d of its directory, %s, is not as it is written", n, printable(f.name))
		}
		left -= int64(len(head))
		if err := do(&f); err != nil {
			return err
		}
	}
	if left != 0 {
		return formError("its directory is longer than its entries")
	}
	return nil
}

// readCentral reads one header of the directory into buf, and returns it as it
// stands too.
func readCentral(r *bufio.Reader, buf []byte) (f fileInfo, head []byte, err error) {
	const fixed = 46
	head = slices.Grow(buf, fixed)[:fixed]
	if _, err := io.ReadFull(r, head); err != nil {
		return f, nil, err
	}
	le := binary.LittleEndian
	name, extra := int(le.Uint16(head[28:])), int(le.Uint16(head[30:]))
	if name > maxName+64 || extra > 32 {
		return f, nil, errors.New("too long")
	}
	head = slices.Grow(head, name+extra)[:fixed+name+extra]
	if _, err := io.ReadFull(r, head[fixed:]); err != nil {
		return f, nil, err
	}
	f.name = string(head[fixed : fixed+name])
	f.crc = le.Uint32(head[16:])
	f.packed, f.size, f.offset = int64(le.Uint32(head[20:])), int64(le.Uint32(head[24:])), int64(le.Uint32(head[42:]))
	more := head[fixed+name:]
	if len(more) >= 4 {
		more = more[4:]
	}
	take := func(n *int64) {
		if len(more) >= 8 {
			*n = int64(le.Uint64(more))
			more = more[8:]
		}
	}
	// Which numbers are in the extra field: those that say so. A size may be there
	// without need, when the other does not fit.
	if f.packed == max32 || f.size == max32 {
		take(&f.size)
		take(&f.packed)
	}
	if f.offset == max32 {
		take(&f.offset)
	}
	if f.packed < 0 || f.size < 0 || f.offset < 0 {
		return f, nil, errors.New("a negative number")
	}
	return f, head, nil
}

// fileReader reads a file of a container. At its end, raw holds what follows.
type fileReader struct {
	io.Reader
	raw     *bufio.Reader
	inflate io.ReadCloser
	left    int64 // of the size that the directory says
}

func (o *opened) reader(f *fileInfo) *fileReader {
	return o.readerOn(f, io.NewSectionReader(o.r, f.offset+int64(len(f.appendLocal(nil))), f.packed))
}

// readerOn reads a file from its bytes as they are in the container.
func (o *opened) readerOn(f *fileInfo, raw io.Reader) *fileReader {
	r := &fileReader{left: f.size}
	r.raw = bufio.NewReaderSize(raw, 32<<10)
	r.Reader = r.raw
	if f.method() == methodDeflate {
		r.inflate = flate.NewReader(r.raw)
		r.Reader = r.inflate
	}
	return r
}

var errLonger = errors.New("it has more bytes than the container says")

// Read never gives more than the size that the directory says, so that nothing
// unpacks to more than it announces.
func (r *fileReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if r.left -= int64(n); r.left < 0 {
		return 0, errLonger
	}
	if errors.Is(err, io.EOF) && r.left > 0 {
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

// whole reads a file that has at most limit bytes.
func (o *opened) whole(name string, limit int64) ([]byte, error) {
	f, ok := o.files[name]
	if !ok {
		return nil, fmt.Errorf("%s is missing", name)
	}
	if f.size > limit {
		return nil, fmt.Errorf("%s has %d bytes, more than the %d that it can have", name, f.size, limit)
	}
	b, err := io.ReadAll(o.reader(&f))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	return b, nil
}

var errNoBody = errors.New("there is no such body")

// body returns the body with a hash, or errNoBody, and where the table has it.
func (o *opened) body(sum []byte) (f fileInfo, i int, err error) {
	if len(sum) != 32 {
		return f, -1, errNoBody
	}
	if i = o.bodies.find(sum); i < 0 {
		return f, -1, errNoBody
	}
	f = fileInfo{name: o.folder + bodyDir + hex.EncodeToString(sum), offset: o.bodies.offsets[i]}
	// A body is stored, so that its local header alone says how long it is.
	head := make([]byte, 30+len(f.name))
	if err := o.readAt(head, f.offset); err != nil {
		return f, -1, err
	}
	if string(head[30:]) != f.name {
		return f, -1, errNoBody // only the first half of the hash is the same
	}
	le := binary.LittleEndian
	f.crc, f.packed, f.size = le.Uint32(head[14:]), int64(le.Uint32(head[18:])), int64(le.Uint32(head[22:]))
	if f.size == max32 {
		var extra [20]byte
		if err := o.readAt(extra[:], f.offset+30+int64(len(f.name))); err != nil {
			return f, -1, err
		}
		f.size, f.packed = int64(le.Uint64(extra[4:])), int64(le.Uint64(extra[12:]))
	}
	// The directory, which was checked, says the same, or the header was changed.
	if f.size < 0 || f.size != f.packed {
		return f, -1, formError("%s is stored and has two sizes", printable(f.name[len(o.folder):]))
	}
	return f, i, nil
}
