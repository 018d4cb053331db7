package evidence

import (
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
)

// The container is a ZIP file (APPNOTE 6.3.10) of which only one form is
// accepted: entries one after the other in the order of rank, each with a local
// header that says sizes and CRC, no extra fields but those of zip64 where a
// number does not fit, fixed times and modes, and a comment at the end: the
// SHA-256, in hexadecimal, of all bytes before the comment. Every byte is then
// either in a file, or said by the files, or covered by that hash.

const (
	sigLocal    = 0x04034b50
	sigCentral  = 0x02014b50
	sigEnd      = 0x06054b50
	sigEnd64    = 0x06064b50
	sigLocator  = 0x07064b50
	sealSize    = 2 * sha256.Size // of the comment
	endSize     = 22
	end64Size   = 56
	locatorSize = 20

	methodStored  = 0
	methodDeflate = 8

	versionPlain, version64 = 20, 45
	madeBy                  = 3<<8 | 30 // Unix, for the mode
	fixedDate               = 1<<5 | 1  // 1980-01-01, the first that there is
	fixedMode               = 0o100644  // a file that everybody may read
	max16, max32            = 0xffff, 0xffffffff
	maxName                 = 240 // bytes of a name in the bag
)

// fileInfo is what a container says of one file.
type fileInfo struct {
	name         string // with the folder of the bag
	crc          uint32
	packed, size int64
	offset       int64 // of the local header
}

// compressed says whether a file is deflated, which follows from its name: text
// is, what is compressed or opaque already is not.
func compressed(name string) bool {
	if strings.HasPrefix(name, bodyDir) {
		return false
	}
	dot := strings.LastIndexByte(name, '.')
	return dot >= 0 && slices.Contains([]string{".csv", ".har", ".html", ".json", ".jsonl", ".jsonld", ".md", ".txt"}, name[dot:])
}

func (f *fileInfo) method() uint16 {
	_, name, _ := strings.Cut(f.name, "/")
	if compressed(name) {
		return methodDeflate
	}
	return methodStored
}

// appendLocal appends the local header of f.
func (f *fileInfo) appendLocal(b []byte) []byte {
	var extra []byte
	version, packed, size := uint16(versionPlain), uint32(f.packed), uint32(f.size)
	if f.packed >= max32 || f.size >= max32 {
		version, packed, size = version64, max32, max32
		extra = le64(le64(le16(le16(nil, 1), 16), f.size), f.packed)
	}
	b = le32(b, sigLocal)
	b = le16(le16(le16(b, version), 0), f.method())
	b = le16(le16(b, 0), fixedDate)
	b = le32(le32(le32(b, f.crc), packed), size)
	b = le16(le16(b, uint16(len(f.name))), uint16(len(extra)))
	return append(append(b, f.name...), extra...)
}

// appendCentral appends the header of f in the central directory.
func (f *fileInfo) appendCentral(b []byte) []byte {
	var extra []byte
	version, packed, size, offset := uint16(versionPlain), uint32(f.packed), uint32(f.size), uint32(f.offset)
	if f.packed >= max32 || f.size >= max32 {
		version, packed, size = version64, max32, max32
		extra = le64(le64(extra, f.size), f.packed)
	}
	if f.offset >= max32 {
		version, offset = version64, max32
		extra = le64(extra, f.offset)
	}
	if len(extra) > 0 {
		extra = append(le16(le16(nil, 1), uint16(len(extra))), extra...)
	}
	b = le32(b, sigCentral)
	b = le16(le16(le16(le16(b, madeBy), version), 0), f.method())
	b = le16(le16(b, 0), fixedDate)
	b = le32(le32(le32(b, f.crc), packed), size)
	b = le16(le16(b, uint16(len(f.name))), uint16(len(extra)))
	b = le16(le16(le16(b, 0), 0), 0) // comment, disk, internal attributes
	b = le32(le32(b, fixedMode<<16), offset)
	return append(append(b, f.name...), extra...)
}

// directory is where the central directory of a container is.
type directory struct{ count, size, offset int64 }

// appendEnd appends what follows the central directory, but for the comment.
func (d directory) appendEnd(b []byte) []byte {
	count, size, offset := uint16(d.count), uint32(d.size), uint32(d.offset)
	if d.count >= max16 || d.size >= max32 || d.offset >= max32 {
		b = le64(le32(b, sigEnd64), end64Size-12)
		b = le16(le16(b, madeBy), version64)
		b = le32(le32(b, 0), 0)
		b = le64(le64(le64(le64(b, d.count), d.count), d.size), d.offset)
		b = le32(le32(b, sigLocator), 0)
		b = le32(le64(b, d.offset+d.size), 1)
		if d.count >= max16 {
			count = max16
		}
		if d.size >= max32 {
			size = max32
		}
		if d.offset >= max32 {
			offset = max32
		}
	}
	b = le16(le16(le32(b, sigEnd), 0), 0)
	b = le16(le16(b, count), count)
	b = le32(le32(b, size), offset)
	return le16(b, sealSize)
}

func le16(b []byte, n uint16) []byte { return binary.LittleEndian.AppendUint16(b, n) }
func le32(b []byte, n uint32) []byte { return binary.LittleEndian.AppendUint32(b, n) }
func le64(b []byte, n int64) []byte  { return binary.LittleEndian.AppendUint64(b, uint64(n)) }

// packer writes a container. It keeps the central directory in a spool, so that
// memory does not grow with the number of files.
type packer struct {
	w       *bufio.Writer
	seal    hash.Hash
	at      int64
	count   int64
	central spool
	file    spool // of the file at hand
	deflate *flate.Writer
	buf     []byte
}

func newPacker(w io.Writer, dir string) *packer {
	p := &packer{seal: sha256.New(), central: spool{dir: dir}, file: spool{dir: dir}}
	p.w = bufio.NewWriterSize(io.MultiWriter(w, p.seal), 256<<10)
	// No error: the level is one that there is.
	p.deflate, _ = flate.NewWriter(io.Discard, flate.DefaultCompression)
	return p
}

// sums are the hashes of one file.
type sums struct {
	sha256 [sha256.Size]byte
	sha512 [sha512.Size]byte
}

// digester computes what is to be known of a file from its content.
type digester struct {
	sha256, sha512 hash.Hash
	crc            hash.Hash32
	size           int64
}

func newDigester() *digester {
	return &digester{sha256: sha256.New(), sha512: sha512.New(), crc: crc32.NewIEEE()}
}

func (d *digester) Write(b []byte) (int, error) {
	d.sha256.Write(b)
	d.sha512.Write(b)
	d.crc.Write(b)
	d.size += int64(len(b))
	return len(b), nil
}

func (d *digester) sums() (s sums) {
	d.sha256.Sum(s.sha256[:0])
	d.sha512.Sum(s.sha512[:0])
	return s
}

// add adds a file. The writer that write gets is valid during the call.
func (p *packer) add(name string, write func(io.Writer) error) (sums, int64, error) {
	d := newDigester()
	p.file.reset()
	f := fileInfo{name: name}
	var err error
	if f.method() == methodDeflate {
		p.deflate.Reset(&p.file)
		if err = write(io.MultiWriter(d, p.deflate)); err == nil {
			err = p.deflate.Close()
		}
	} else {
		err = write(io.MultiWriter(d, &p.file))
	}
	if err != nil {
		return sums{}, 0, err
	}
	f.crc, f.size, f.packed = d.crc.Sum32(), d.size, p.file.size
	if err := p.header(&f); err != nil {
		return sums{}, 0, err
	}
	if err := p.file.copyTo(p.w); err != nil {
		return sums{}, 0, err
	}
	p.at += f.packed
	return d.sums(), f.size, nil
}

// addFile adds a file whose name says that it is stored, and which can be read twice.
func (p *packer) addFile(name string, r io.ReadSeeker) (sums, int64, error) {
	d := newDigester()
	if _, err := io.Copy(d, r); err != nil {
		return sums{}, 0, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return sums{}, 0, err
	}
	f := fileInfo{name: name, crc: d.crc.Sum32(), size: d.size, packed: d.size}
	if f.method() != methodStored {
		return p.add(name, func(w io.Writer) error { _, err := io.Copy(w, r); return err })
	}
	if err := p.header(&f); err != nil {
		return sums{}, 0, err
	}
	again := crc32.NewIEEE()
	n, err := io.Copy(io.MultiWriter(p.w, again), r)
	if err != nil {
		return sums{}, 0, err
	}
	if n != f.size || again.Sum32() != f.crc {
		return sums{}, 0, fmt.Errorf("%s changed while it was read", name)
	}
	p.at += n
	return d.sums(), f.size, nil
}

func (p *packer) header(f *fileInfo) error {
	f.offset = p.at
	p.buf = f.appendLocal(p.buf[:0])
	p.at += int64(len(p.buf))
	if _, err := p.w.Write(p.buf); err != nil {
		return err
	}
	p.count++
	p.buf = f.appendCentral(p.buf[:0])
	_, err := p.central.Write(p.buf)
	return err
}

// close writes the central directory and the seal.
func (p *packer) close() error {
	if err := p.central.copyTo(p.w); err != nil {
		return err
	}
	d := directory{count: p.count, size: p.central.size, offset: p.at}
	if _, err := p.w.Write(d.appendEnd(p.buf[:0])); err != nil {
		return err
	}
	if err := p.w.Flush(); err != nil {
		return err
	}
	seal := hex.EncodeToString(p.seal.Sum(nil))
	if _, err := p.w.WriteString(seal); err != nil {
		return err
	}
	return p.w.Flush()
}

// free removes what is left on the disk.
func (p *packer) free() { p.central.free(); p.file.free() }

// spool holds bytes in memory, and in a file without a name when they are many.
type spool struct {
	dir  string
	buf  bytes.Buffer
	file *os.File
	size int64
}

const spoolMemory = 1 << 20

func (s *spool) Write(b []byte) (int, error) {
	if s.buf.Len()+len(b) > spoolMemory {
		if s.file == nil {
			f, err := os.CreateTemp(s.dir, ".constat-*") // 0600
			if err != nil {
				return 0, err
			}
			s.file = f
			if err := os.Remove(f.Name()); err != nil {
				return 0, err
			}
		}
		for _, piece := range [][]byte{s.buf.Bytes(), b} {
			if _, err := s.file.Write(piece); err != nil {
				return 0, err
			}
		}
		s.buf.Reset()
	} else {
		s.buf.Write(b)
	}
	s.size += int64(len(b))
	return len(b), nil
}

// copyTo writes all that was written.
func (s *spool) copyTo(w io.Writer) error {
	if s.file != nil {
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		n, err := io.Copy(w, s.file)
		if err != nil {
			return err
		}
		if n+int64(s.buf.Len()) != s.size {
			return errors.New("a temporary file was cut short")
		}
	}
	_, err := w.Write(s.buf.Bytes())
	return err
}

// reset empties the spool; a file that became large is given back.
func (s *spool) reset() {
	s.buf.Reset()
	s.size = 0
	s.free()
}

func (s *spool) free() {
	if s.file != nil {
		_ = s.file.Close() // it has no name any more, and was only for reading back
		s.file = nil
	}
}
