package evidence

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"constat/proxy/flow"
)

// recordCheck takes the records in as they are unpacked, and checks each against the
// hash that the log has of it and each value against its commitment.
type recordCheck struct {
	v      *bundleCheck
	hashes *bufio.Reader // of proof/log.tlog, nil when it is missing
	next   int64         // entry that must come next

	file   string
	large  bool // the file may have one line only
	first  bool // no line of the file has come yet
	number int64
	buf    []byte // of a line that is not complete
	skip   bool   // until its end: it is too long
	line   line
}

func (v *bundleCheck) newRecords() *recordCheck {
	c := &recordCheck{v: v}
	if f, ok := v.o.files[fileLog]; ok {
		c.hashes = bufio.NewReaderSize(v.o.reader(&f), 64<<10)
	}
	return c
}

func (c *recordCheck) begin(name string, size int64) {
	c.file, c.large, c.first, c.number, c.skip = name, size > partSize, true, 0, false
	c.buf = c.buf[:0]
}

// Write takes the next bytes of a file of records. It never fails.
func (c *recordCheck) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			c.keep(b)
			break
		}
		text := b[:i]
		if len(c.buf) > 0 || c.skip {
			c.keep(text)
			text = c.buf
		}
		b = b[i+1:]
		c.number++
		if !c.skip {
			c.one(text)
		}
		c.skip = false
		if c.buf = c.buf[:0]; cap(c.buf) > 2*partSize {
			c.buf = nil
		}
	}
	return n, nil
}

func (c *recordCheck) keep(b []byte) {
	if c.skip {
		return
	}
	if len(c.buf)+len(b) > MaxLine {
		c.bad("is longer than %d bytes", MaxLine)
		c.skip = true
		c.buf = c.buf[:0]
		return
	}
	c.buf = append(c.buf, b...)
}

func (c *recordCheck) bad(format string, args ...any) {
	c.v.seen.broken = true
	c.v.problem("%s, line %d, after entry %d of the log: %s", c.file, c.number+1, c.next-1, fmt.Sprintf(format, args...))
}

func (c *recordCheck) end() {
	if len(c.buf) > 0 || c.skip {
		c.bad("has no end")
	}
	switch {
	case c.number == 0:
		c.v.problem("%s: it has no record", c.file)
	case c.large && c.number > 1:
		c.v.problem("%s: it has more than %d bytes and more than one record", c.file, partSize)
	}
}

// one checks one line.
func (c *recordCheck) one(text []byte) {
	l := &c.line
	if err := parseLine(text, l); err != nil {
		c.number--
		c.bad("%s", err)
		c.number++
		return
	}
	if c.first {
		c.first = false
		if partName(l.seq) != c.file {
			c.v.problem("%s begins with entry %d of the log", c.file, l.seq)
		}
	}
	switch {
	case l.seq > c.next:
		c.v.problem("%s of the log missing from %s", entries(c.next, l.seq-1), c.file)
		c.v.seen.broken = true
	case l.seq < c.next:
		c.v.problem("%s: entry %d of the log comes again, or too late", c.file, l.seq)
		return
	}
	c.pass(l.seq - c.next)
	if l.count > 0 {
		if left := c.v.checkpoint.Size - l.seq; l.count > left {
			c.v.problem("%s: it withholds %d entries from %d on, which the log does not have", c.file, l.count, l.seq)
			l.count = max(left, 0)
		}
		c.v.Withheld += l.count
		c.pass(l.count)
		if l.seq == 0 && l.count > 0 {
			c.v.problem("the first entry of the log, which says whose it is, is withheld")
		}
		return
	}
	var want tlog.Hash
	c.next = l.seq + 1
	if c.hashes != nil {
		if _, err := io.ReadFull(c.hashes, want[:]); err != nil {
			c.v.problem("%s: the log does not have it", l.name())
			return
		}
	}
	if l.hash() != want {
		c.v.problem("%s differs from what was logged", l.name())
		c.v.seen.broken = true
		return
	}
	c.values(l)
}

// pass goes on by n entries that are not shown.
func (c *recordCheck) pass(n int64) {
	if n <= 0 {
		return
	}
	c.next += n
	if c.hashes != nil {
		_, _ = io.CopyN(io.Discard, c.hashes, n*sha256.Size) // a log that is too short was named
	}
}

func entries(from, to int64) string {
	if from == to {
		return fmt.Sprintf("entry %d", from)
	}
	return fmt.Sprintf("entries %d to %d", from, to)
}

func (c *recordCheck) finish() {
	if size := c.v.checkpoint.Size; c.next < size {
		c.v.problem("%s of the log missing: the records end too early", entries(c.next, size-1))
		c.v.seen.broken = true
	}
}

// values checks what a record shows against the commitments of its leaf.
func (c *recordCheck) values(l *line) {
	v := c.v
	fits := true
	for i := range l.shown {
		s := &l.shown[i]
		name := string(unquoted(s.name))
		var is, want [sha256.Size]byte
		h := sha256.New()
		h.Write(s.salt[:])
		h.Write(s.value)
		h.Sum(is[:0])
		if quoted := find(l.sealed, name); quoted == nil || !decodeHash(quoted, &want) || is != want {
			v.problem("%s: the value of %s is not the one that was logged", l.name(), name)
			fits = false
		}
	}
	v.Values += int64(len(l.shown))
	v.Hidden += int64(len(l.sealed) - len(l.shown))
	for _, m := range l.masked {
		if name := string(unquoted(m.name)); find(l.sealed, name) == nil || l.value(name) != nil {
			v.problem("%s: %s is masked and cannot be", l.name(), name)
		}
	}
	size := v.o.files[fileLog].size / sha256.Size // what is here, whatever the checkpoint says
	if !v.seen.once(l, size) {
		v.problem("%s: there is another of this kind and number", l.name())
	}
	if !fits {
		return
	}
	if l.seq == 0 {
		c.genesis(l)
	}
	c.bodies(l)
	c.chains(l)
	v.seen.note(l, size)
}

// genesis compares the first record with what the bundle says of itself.
func (c *recordCheck) genesis(l *line) {
	id, _ := l.text("case_id")
	key, _ := l.text("verifier")
	if l.kind != "genesis" || id != c.v.Case || c.v.Verifier != "" && key != c.v.Verifier {
		c.v.problem("%s is not that of this case and key", l.name())
	}
}

const (
	sumSuffix  = "sha256"
	keptSuffix = "kept_sha256"
)

// bodies looks for the bodies that a record shows the hashes of.
func (c *recordCheck) bodies(l *line) {
	for i := range l.sealed {
		name := string(unquoted(l.sealed[i].name))
		prefix, ok := strings.CutSuffix(name, sumSuffix)
		if !ok || strings.HasSuffix(name, keptSuffix) {
			continue
		}
		kept, ok := l.integer(prefix + "kept")
		if !ok || kept == 0 {
			continue
		}
		sum, shown := l.blob(prefix + keptSuffix)
		if shown && sum == nil {
			sum, shown = l.blob(name)
		}
		if !shown {
			continue
		}
		if len(sum) != sha256.Size {
			c.v.problem("%s: %s is no hash", l.name(), name)
			continue
		}
		f, at, err := c.v.o.body(sum)
		if err != nil {
			c.v.problem("%s: its body %s%x is missing", l.name(), bodyDir, sum)
			continue
		}
		c.v.o.bodies.use(at)
		if f.size != kept {
			c.v.problem("%s: its body %s%x does not have the %d bytes that were kept", l.name(), bodyDir, sum, kept)
		}
	}
}

// chains looks for the certificates that a record names.
func (c *recordCheck) chains(l *line) {
	for i := range l.open {
		name := string(unquoted(l.open[i].name))
		if !strings.HasSuffix(name, "_chain") {
			continue
		}
		chain, _ := l.text(name)
		for hash := range strings.FieldsSeq(chain) {
			if c.v.certificates[hash] {
				continue
			}
			file := certDir + hash + ".der"
			if _, ok := c.v.o.files[file]; !ok {
				if b, err := hex.DecodeString(hash); err != nil || len(b) != sha256.Size {
					file = "a certificate"
				}
				c.v.problem("%s: %s is missing", l.name(), file)
				continue
			}
			c.v.certificates[hash] = true
		}
	}
}

// sightings says where the exchanges and frames are that could be replayed, and
// which report on each is the newest. All lists go by id; 0 is none, else it is the
// entry of the log and one.
type sightings struct {
	exchange, frame     []int64
	newest, newestFrame []int64
	before              []int64 // by compressed frame: the one before it in its direction, and one
	last                map[stream]int64
	ids                 map[string][]uint64 // by kind: bits of those that came
	broken              bool                // some records could not be read
}

const (
	maxKinds = 32 // whose ids are looked at; cases have ten
	// ahead is how far ids may be beyond the number of entries: what had begun and not
	// ended at the last of them has one, too.
	ahead = 1 << 20
)

// once reports whether no record of the same kind and id was before l, in a log of
// size entries.
func (s *sightings) once(l *line, size int64) bool {
	bits, known := s.ids[l.kind]
	if l.id < 1 || l.id > size+ahead || !known && len(s.ids) == maxKinds {
		return true
	}
	if s.ids == nil {
		s.ids = map[string][]uint64{}
	}
	for l.id/64 >= int64(len(bits)) {
		bits = append(bits, make([]uint64, max(16, len(bits)/2))...)
	}
	bit := uint64(1) << (l.id % 64)
	fresh := bits[l.id/64]&bit == 0
	bits[l.id/64] |= bit
	s.ids[l.kind] = bits
	return fresh
}

// stream is one direction of one WebSocket.
type stream struct {
	exchange int64
	up       bool
}

// put notes an entry of the log by id.
func put(list []int64, id, seq, size int64) []int64 {
	if id < 1 || id > size+ahead {
		return list
	}
	for id >= int64(len(list)) {
		list = append(list, make([]int64, max(1024, len(list)/2))...)
	}
	list[id] = seq + 1
	return list
}

func at(list []int64, id int64) int64 {
	if id < 0 || id >= int64(len(list)) {
		return -1
	}
	return list[id] - 1
}

var errHidden = errors.New("withheld")

func (s *sightings) note(l *line, size int64) {
	switch l.kind {
	case kindExchange:
		s.exchange = put(s.exchange, l.id, l.seq, size)
	case kindFrame:
		s.frame = put(s.frame, l.id, l.seq, size)
		if flag, _ := l.integer("deflated"); flag == 0 {
			break
		}
		exchange, _ := l.integer("exchange")
		direction, _ := l.text("direction")
		in := stream{exchange, direction == string(flow.Up)}
		if s.last == nil {
			s.last = map[stream]int64{}
		}
		if before := s.last[in]; before > 0 && before < l.id {
			s.before = put(s.before, l.id, before, size)
		}
		s.last[in] = l.id
	case kindReport:
		exchange, _ := l.integer("exchange")
		frame, _ := l.integer("frame")
		if frame != 0 {
			s.newestFrame = put(s.newestFrame, frame, l.seq, size)
		} else {
			s.newest = put(s.newest, exchange, l.seq, size)
		}
	}
}
