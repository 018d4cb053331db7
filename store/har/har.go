// Package har reads and writes HTTP archives (HAR 1.2, the format that browsers
// and debugging proxies export): it turns the entries of other people's captures
// into flow.Exchanges and writes Exchanges out again.
//
// Reading is tolerant and streams: a file is never held whole, an entry is. What
// is missing, mistyped or broken is told in plain words as a problem of its
// entry or of the file, and everything that is whole is kept. A file is hostile
// input: entries are bounded in bytes and number, nesting is bounded, and
// nothing in a file makes Reader fail or panic. Writing streams too and is
// exact: what Writer writes, Reader reads back with the same facts. Neither a
// Reader nor a Writer is safe for concurrent use.
//
// A HAR is a statement of the program that wrote it, not bytes from the wire:
// heads are rendered from fields (Message.Exact is false) and bodies usually
// have their content coding removed already. The package does not guess at the
// original bytes, does not unwrap payloads and knows nothing of findings.
//
// The format: http://www.softwareishard.com/blog/har-12-spec/. Fields that begin
// with an underscore are the exporting program's own.
package har

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"constat/proxy/flow"
)

// Options bound and label what is read. Zero fields mean the default.
type Options struct {
	Device string // Exchange.Device; default "har"
	Door   string // Exchange.Door; default "import"

	EntryBytes int   // JSON bytes of one entry; default 512 MiB. A larger one is passed over
	Entries    int   // entries in all; default 10 million
	Bytes      int64 // bytes of the file in all, unpacked; default 64 GiB

	// KeepCached also returns entries that were answered from a browser's cache.
	// They are no exchanges: nothing was sent.
	KeepCached bool
}

// Entry is one entry of a HAR in the nouns of a case.
type Entry struct {
	Index int // position in the file, from 0

	// Exchange is nil when the entry is none: broken, too large, not HTTP, or
	// answered from a cache. Its IDs are zero, its bodies are closed. A body that
	// is known to have been there but is not in the file is empty and not
	// Complete.
	Exchange *flow.Exchange
	// Frames are the WebSocket messages of the exchange; the importer sets
	// their Exchange.
	Frames []*flow.Frame

	Connection string // the program's own word for the transport connection, "" unknown
	Comment    string

	// Problems says in plain words what was missing, odd or made up for in
	// this entry. It quotes no body and no header value.
	Problems []string
}

// Reader reads one HAR file.
type Reader struct {
	opt      Options
	src      io.Reader
	lex      *lexer
	creator  string
	problems []string
	err      error
	found    bool // an array of entries
	index    int
	last     time.Time
	lines    int // problems left out of problems
}

// NewReader returns a Reader of r, which may be packed with gzip or zlib. It
// reads nothing yet.
func NewReader(r io.Reader, opt Options) *Reader {
	opt.Device = cmp.Or(opt.Device, "har")
	opt.Door = cmp.Or(opt.Door, "import")
	opt.EntryBytes = cmp.Or(opt.EntryBytes, 512<<20)
	opt.Entries = cmp.Or(opt.Entries, 10_000_000)
	opt.Bytes = cmp.Or(opt.Bytes, 64<<30)
	return &Reader{opt: opt, src: r}
}

// Creator is the program that wrote the file, as far as read; "" unknown.
func (r *Reader) Creator() string { return r.creator }

// Problems says what is wrong with the file as a whole, in plain words that count
// entries from 1; complete once Entries has ended. The problems of an entry are in
// the Entry.
func (r *Reader) Problems() []string {
	if r.lines > 0 {
		return append(r.problems[:len(r.problems):len(r.problems)], fmt.Sprintf("%d more problems of the file are not listed", r.lines))
	}
	return r.problems
}

// Err is the error of the underlying reader that ended reading, nil if none did.
// A broken or cut-off file is a problem, not an error.
func (r *Reader) Err() error { return r.err }

// maxProblems bounds the list of problems of a file and of an entry.
const maxProblems = 100

func (r *Reader) problem(format string, args ...any) {
	if len(r.problems) >= maxProblems {
		r.lines++
		return
	}
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// Entries yields the entries in the order of the file. It can be ranged over
// once.
func (r *Reader) Entries() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		if r.lex != nil {
			return
		}
		in, err := unpack(r.src, r.opt.Bytes)
		r.lex = &lexer{r: bufio.NewReaderSize(in, 64<<10)}
		if err == nil {
			err = r.file(yield)
		}
		r.end(err)
	}
}

// errStop ends reading because the consumer wants no more or a limit is reached.
var errStop = errors.New("stop")

func (r *Reader) end(err error) {
	var broken *brokenError
	switch {
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, errStop):
	case errors.As(err, &broken):
		r.problem("the file is broken at byte %d: %s; %s", broken.offset, broken.what, r.sofar())
	case errors.Is(err, io.ErrUnexpectedEOF):
		r.problem("the file ends in the middle (after byte %d); %s", r.lex.offset, r.sofar())
	case errors.Is(err, errBytes):
		r.problem("the file is larger than the limit of %d bytes; %s", r.opt.Bytes, r.sofar())
	case isPacked(err):
		r.problem("the packed file is damaged: %v; %s", err, r.sofar())
	default:
		r.err = fmt.Errorf("read har: %w", err)
		return
	}
	if !r.found && !errors.Is(err, errStop) {
		r.problem("there is no list of entries (log.entries) in this file: it is not a HAR")
	}
}

func (r *Reader) sofar() string {
	switch {
	case !r.found:
		return "no list of entries had begun"
	case r.index == 0:
		return "no entry before it was whole"
	}
	return fmt.Sprintf("what comes before, up to entry %d, was read", r.index)
}

// maxDescent is how deep below the top of the file a list of entries is looked for.
const maxDescent = 6

// file reads the values that stand at the top of the file: one, or several HARs
// one after the other.
func (r *Reader) file(yield func(*Entry) bool) error {
	for {
		c, err := r.lex.peek()
		if err != nil {
			return err
		}
		if c != '{' && c != '[' {
			if what := r.lex.sniff(); what != "" && r.lex.offset == 0 {
				r.problem("%s", what)
				return errStop
			}
			return r.lex.broken("expected { at the beginning of a HAR, found %s", quoteByte(c))
		}
		if err := r.descend(yield, "", 0); err != nil {
			return err
		}
	}
}

// descend reads the value that comes next, which is called key, and yields the
// entries that it finds in it.
func (r *Reader) descend(yield func(*Entry) bool, key string, depth int) error {
	c, err := r.lex.peek()
	if err != nil {
		return unexpected(err)
	}
	switch {
	case c == '[' && key == "entries":
		r.found = true
		return r.lex.array(func() error { return r.entry(yield) })
	case c == '{' && (key == "creator" || key == "browser"):
		return r.program(key)
	case c == '[' && depth == 0:
		return r.lex.array(func() error { return r.descend(yield, "", depth+1) })
	case c == '{' && depth < maxDescent:
		return r.lex.object(func(k string) error { return r.descend(yield, k, depth+1) })
	}
	_, err = r.lex.value(nil, 0)
	return err
}

// program reads the creator or the browser object.
func (r *Reader) program(key string) error {
	var buf bytes.Buffer
	fit, err := r.lex.value(&buf, 64<<10)
	if err != nil {
		return err
	}
	var p struct{ Name, Version text }
	if !fit || json.Unmarshal(buf.Bytes(), &p) != nil {
		r.problem("the %s of the file cannot be read", key)
		return nil
	}
	if r.creator == "" {
		r.creator = oneLine(p.Name.s+" "+p.Version.s, 120)
	}
	return nil
}

// entry reads the next element of a list of entries and yields it.
func (r *Reader) entry(yield func(*Entry) bool) error {
	if r.index >= r.opt.Entries {
		r.problem("there are more than %d entries: the rest was not read", r.opt.Entries)
		return errStop
	}
	start := r.lex.offset
	var buf bytes.Buffer
	r.lex.repaired = ""
	fit, err := r.lex.value(&buf, r.opt.EntryBytes)
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			r.problem("entry %d (from byte %d on) is cut off: the file ends in the middle of it", r.index+1, start)
		}
		return err
	}
	c := converter{opt: &r.opt, last: r.last, entry: &Entry{Index: r.index}}
	if r.lex.repaired != "" {
		c.problem("the JSON was not valid (%s) and was mended", r.lex.repaired)
	}
	if fit {
		c.convert(buf.Bytes())
	} else {
		c.problem("the entry is larger than the limit of %d bytes or nested too deep: passed over", r.opt.EntryBytes)
	}
	r.index++
	r.last = c.last
	if !yield(c.done()) {
		return errStop
	}
	return nil
}
