package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// The kinds of record whose meaning matters to a replay.
const (
	kindExchange = flow.KindExchange
	kindFrame    = flow.KindFrame
	kindReport   = "report"
)

// Replay says how the paths of findings were followed again from the stored bytes.
// Only the newest report on each exchange and WebSocket message counts.
type Replay struct {
	Findings int64 `json:"findings"` // that are shown
	Same     int64 `json:"same"`     // lead to the excerpt that the finding quotes
	Leads    int64 `json:"leads"`    // lead to their piece; the excerpt describes it in the detector's words
	Withheld int64 `json:"withheld"` // the bytes are not shown
	Pieces   int64 `json:"pieces"`   // in files sent in several requests, which are not put together
	Failed   int64 `json:"failed"`   // lead nowhere, or to something else
	// Failures are the first of these. They are no problem of the bundle: the finding is
	// what was logged. It was made by other decoders than this program's, or is wrong.
	Failures []string `json:"failures,omitempty"`
	Left     int64    `json:"left"` // reports or findings that were not looked at, because they are too many
}

const maxFailures = 20

// replayBytes is how much of a body is looked at, as in an inspection.
const replayBytes = 16 << 20

// replay follows the paths of all findings that are shown.
func (v *bundleCheck) replay() error {
	if v.opt.Inspector == nil {
		v.reserve("The decode paths of findings were not followed.")
		return nil
	}
	if v.seen.broken {
		return nil
	}
	v.work = 256*v.o.size + 4<<30
	lines := &lineCache{o: v.o, budget: 8 << 30}
	for _, p := range v.o.parts {
		lines.budget += 4 * p.info.size
	}
	reports := int64(0)
	for _, p := range v.o.parts {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		text, err := lines.load(p)
		if err != nil {
			return nil // it was named when it was read
		}
		for rest := text; len(rest) > 0; {
			var one []byte
			one, rest, _ = bytes.Cut(rest, []byte("\n"))
			if !bytes.Contains(one[:min(len(one), 64)], []byte(`"kind":"report"`)) {
				continue
			}
			var l line
			if parseLine(one, &l) != nil || !v.seen.isNewest(&l) {
				continue
			}
			findings, shown := l.text("findings")
			if !shown || findings == "" {
				continue
			}
			if reports++; v.opt.Replays > 0 && reports > v.opt.Replays || lines.budget < 0 {
				v.Replay.Left++
				continue
			}
			if err := v.ctx.Err(); err != nil {
				return err
			}
			v.replayReport(lines, &l, findings)
		}
	}
	if r := v.Replay; r.Failed > 0 {
		v.reserve("Of %s, %d do not lead to what the finding quotes, with the decoders of this program. The first: %s", count(r.Findings, "decode path"), r.Failed, r.Failures[0])
	}
	if r := v.Replay; r.Left > 0 {
		v.reserve("Of %d reports or findings the decode paths were not followed, because they are many.", r.Left)
	}
	return nil
}

func (s *sightings) isNewest(l *line) bool {
	if frame, _ := l.integer("frame"); frame != 0 {
		return at(s.newestFrame, frame) == l.seq
	}
	exchange, _ := l.integer("exchange")
	return at(s.newest, exchange) == l.seq
}

func (v *bundleCheck) replayReport(lines *lineCache, report *line, findings string) {
	r := &v.Replay
	subject, lost, err := v.subject(lines, report)
	if errors.Is(err, errWork) {
		r.Left++
		return
	}
	hidden := errors.Is(err, errHidden)
	one := &replayed{v: v, subject: subject, err: err, parts: map[inspect.Path]*inspect.Part{}}
	list := json.NewDecoder(strings.NewReader(findings))
	if begin, err := list.Token(); err != nil || begin != json.Delim('[') {
		v.reserve("%s: its findings cannot be read.", report.name())
		return
	}
	for list.More() {
		var f inspect.Finding
		if err := list.Decode(&f); err != nil {
			v.reserve("%s: its findings cannot be read.", report.name())
			return
		}
		r.Findings++
		if hidden {
			r.Withheld++
			continue
		}
		if name, _ := inspect.SplitStep(f.Path.Steps()[0]); name == "upload" {
			r.Pieces++
			continue
		}
		part, err := one.part(f.Path)
		switch {
		case v.ctx.Err() != nil:
			return
		case errors.Is(err, errWork):
			r.Left++
		case err == nil && inspect.Excerpt(part.Data, f.Start, f.End) == f.Excerpt:
			r.Same++
		case err == nil && describes(f, part):
			r.Leads++
		case lost:
			r.Withheld++ // messages before it, which it was compressed with, are
		default:
			if r.Failed++; r.Failed <= maxFailures {
				r.Failures = append(r.Failures, fmt.Sprintf("%s: the path of a finding of %s does not lead to what it quotes: %s",
					report.name(), printable(f.Detector), printable(string(f.Path))))
			}
		}
	}
	_, err = list.Token() // its end
	if _, behind := list.Token(); err != nil || !errors.Is(behind, io.EOF) {
		v.reserve("%s: its findings cannot be read.", report.name())
	}
}

// replayed is the work on one report.
type replayed struct {
	v       *bundleCheck
	subject *inspect.Subject
	err     error                          // why there is none
	parts   map[inspect.Path]*inspect.Part // that were found last
}

const (
	maxPath  = 16 << 10 // bytes; an inspection makes much shorter ones
	maxSteps = 16
	maxParts = 64
	// lostWork is what a path costs that leads nowhere: what was unpacked on the way is
	// not known then.
	lostWork = 16 << 20
)

var errWork = errors.New("too much work")

// part follows a path. Findings of one report have few different ones.
func (r *replayed) part(p inspect.Path) (*inspect.Part, error) {
	if part := r.parts[p]; part != nil {
		return part, nil
	}
	if r.err != nil {
		return nil, r.err
	}
	if len(p) > maxPath || strings.Count(string(p), "|") > maxSteps {
		return nil, inspect.ErrNoPart
	}
	// No bundle may make more of itself than an honest one of its size.
	if r.v.work < 0 {
		return nil, errWork
	}
	s := r.subject
	r.v.work -= int64(len(s.Request.Body)+len(s.Response.Body)+len(s.Frame)) + 1<<10
	part, err := r.v.opt.Inspector.Replay(s, p)
	if err != nil {
		r.v.work -= lostWork
		return nil, err
	}
	for at := part; at.Parent != nil; at = at.Parent {
		r.v.work -= int64(len(at.Data))
	}
	if len(r.parts) < maxParts {
		r.parts[p] = part
	}
	return part, nil
}

// describes reports whether a finding's excerpt is not a quotation: of pictures it
// is what is in their heads.
func describes(f inspect.Finding, p *inspect.Part) bool {
	return f.Detector == "photo" && f.Start >= 0 && f.End >= f.Start && f.End <= len(p.Data)
}

// subject puts together what a report is about.
func (v *bundleCheck) subject(lines *lineCache, report *line) (s *inspect.Subject, lost bool, err error) {
	exchange, _ := report.integer("exchange")
	frame, _ := report.integer("frame")
	s = &inspect.Subject{}
	x, err := v.record(lines, v.seen.exchange, exchange)
	if err == nil {
		err = v.exchange(s, x, frame == 0)
	}
	if err != nil || frame == 0 {
		return s, false, err
	}
	f, err := v.record(lines, v.seen.frame, frame)
	if err != nil {
		return nil, false, err
	}
	direction, _ := f.text("direction")
	opcode, _ := f.integer("opcode")
	flag, _ := f.integer("deflated")
	s.FrameDirection, s.FrameText, s.FrameDeflated = flow.Direction(direction), opcode == 1, flag != 0
	if s.Frame, _, err = v.body(f, ""); s.Frame == nil {
		s.Frame = []byte{}
	}
	if s.FrameDeflated && err == nil {
		s.FrameWindow, lost = v.window(lines, frame)
	}
	return s, lost, err
}

// record returns the line of a record by its id. When nothing is withheld, one that is
// not there never was.
func (v *bundleCheck) record(lines *lineCache, list []int64, id int64) (*line, error) {
	seq := at(list, id)
	if seq < 0 && v.Withheld == 0 {
		return nil, inspect.ErrNoPart
	}
	return lines.line(seq)
}

// windows are those behind the compressed messages that were inflated last, by frame.
type windows struct {
	list map[int64][]byte
	old  []int64
}

const keepWindows = 256

func (w *windows) put(frame int64, data []byte) {
	if w.list == nil {
		w.list = map[int64][]byte{}
	}
	if len(w.old) == keepWindows {
		delete(w.list, w.old[0])
		w.old = slices.Delete(w.old, 0, 1)
	}
	w.list[frame] = data
	w.old = append(w.old, frame)
}

// window is what the messages before a compressed one were inflated to, as far back as
// it may look; lost says that this is not known, as when they are withheld.
func (v *bundleCheck) window(lines *lineCache, frame int64) (data []byte, lost bool) {
	var chain []int64 // still to be inflated, the last first
	for id := at(v.seen.before, frame); id > 0; id = at(v.seen.before, id) {
		if _, ok := v.windows.list[id]; ok {
			break
		}
		if v.work -= 1 << 10; v.work < 0 {
			return nil, true
		}
		chain = append(chain, id)
	}
	for _, id := range slices.Backward(chain) {
		v.windows.put(id, v.slide(lines, id))
	}
	before := at(v.seen.before, frame)
	data = v.windows.list[before]
	return data, before > 0 && data == nil
}

// slide is the window behind a message, nil when it is not known. That before it is.
func (v *bundleCheck) slide(lines *lineCache, frame int64) []byte {
	f, err := lines.line(at(v.seen.frame, frame))
	if err != nil {
		return nil
	}
	payload, more, err := v.body(f, "")
	v.work -= int64(len(payload))
	if complete, _ := f.integer("complete"); err != nil || more || complete == 0 {
		return nil
	}
	return inspect.Slide(v.windows.list[at(v.seen.before, frame)], payload)
}

// exchange fills in what an exchange says, with its bodies when they matter.
func (v *bundleCheck) exchange(s *inspect.Subject, x *line, bodies bool) error {
	for _, f := range []struct {
		name string
		into *string
	}{{"method", &s.Method}, {"scheme", &s.Scheme}, {"host", &s.Host}, {"path", &s.Path}, {"query", &s.Query}} {
		var ok bool
		if *f.into, ok = x.text(f.name); !ok {
			return errHidden
		}
	}
	status, _ := x.integer("status")
	s.Status = int(status)
	server, _ := x.text("server")
	if a, err := netip.ParseAddrPort(server); err == nil {
		s.Server = a.Addr()
	}
	for _, m := range []struct {
		prefix string
		into   *inspect.Content
	}{{"request_", &s.Request}, {"response_", &s.Response}} {
		head, ok := x.blob(m.prefix + "head")
		trailer, ok2 := x.blob(m.prefix + "trailer")
		if !ok || !ok2 {
			return errHidden
		}
		m.into.Header = inspect.ParseHead(head)
		if !bodies {
			continue
		}
		for name, values := range inspect.ParseFields(trailer) {
			m.into.Header[name] = append(m.into.Header[name], values...)
		}
		var err error
		if m.into.Body, m.into.Truncated, err = v.body(x, m.prefix); err != nil {
			return err
		}
	}
	return nil
}

// body reads the beginning of a body and says whether it goes on.
func (v *bundleCheck) body(l *line, prefix string) (data []byte, more bool, err error) {
	size, ok := l.integer(prefix + "size")
	if !ok {
		return nil, false, nil
	}
	kept, _ := l.integer(prefix + "kept")
	sum, shown := l.blob(prefix + keptSuffix)
	if shown && sum == nil {
		sum, shown = l.blob(prefix + sumSuffix)
	}
	if !shown {
		return nil, false, errHidden
	}
	if kept == 0 {
		return []byte{}, size > 0, nil
	}
	f, _, err := v.o.body(sum)
	if errors.Is(err, errNoBody) {
		return nil, false, errHidden
	}
	if err != nil {
		return nil, false, err
	}
	data = make([]byte, max(min(f.size, kept, replayBytes), 0))
	_, err = io.ReadFull(v.o.reader(&f), data)
	return data, size > int64(len(data)), err
}

// lineCache finds lines by the entry of the log, and keeps the files that were
// unpacked last.
type lineCache struct {
	o      *opened
	budget int64 // bytes that may still be unpacked, or taken apart
	loaded []loadedPart
}

type loadedPart struct {
	first int64
	text  []byte
	lines map[int64][2]int // where each is, by entry; nil until one is looked for
}

// keepParts is how many files are kept, unless they have more than MaxLine bytes.
const keepParts = 4

func (c *lineCache) makeRoom(size int64) {
	for _, p := range c.loaded {
		size += int64(len(p.text))
	}
	for len(c.loaded) > 0 && (len(c.loaded) >= keepParts || size > MaxLine) {
		size -= int64(len(c.loaded[0].text))
		c.loaded = slices.Delete(c.loaded, 0, 1)
	}
}

// load unpacks a file of records.
func (c *lineCache) load(p part) ([]byte, error) {
	for i := range c.loaded {
		if c.loaded[i].first == p.first {
			return c.loaded[i].text, nil
		}
	}
	c.budget -= p.info.size
	if p.info.size > MaxLine+partSize {
		return nil, errors.New("too long")
	}
	c.makeRoom(p.info.size)
	text, err := io.ReadAll(c.o.reader(&p.info))
	if err != nil {
		return nil, err
	}
	c.loaded = append(c.loaded, loadedPart{first: p.first, text: text})
	return text, nil
}

// line returns the line of an entry of the log.
func (c *lineCache) line(seq int64) (*line, error) {
	i, found := slices.BinarySearchFunc(c.o.parts, seq, func(p part, seq int64) int { return int(min(max(p.first-seq, -1), 1)) })
	if !found {
		i--
	}
	if seq < 0 || i < 0 {
		return nil, errHidden
	}
	if c.budget < 0 {
		return nil, errWork
	}
	if _, err := c.load(c.o.parts[i]); err != nil {
		return nil, err
	}
	j := slices.IndexFunc(c.loaded, func(l loadedPart) bool { return l.first == c.o.parts[i].first })
	p := &c.loaded[j]
	if p.lines == nil {
		p.index()
	}
	at, ok := p.lines[seq]
	if !ok {
		return nil, errHidden
	}
	c.budget -= int64(at[1] - at[0])
	l := new(line)
	if err := parseLine(p.text[at[0]:at[1]], l); err != nil {
		return nil, fmt.Errorf("entry %d of the log %w", seq, err)
	}
	return l, nil
}

func (p *loadedPart) index() {
	p.lines = map[int64][2]int{}
	var l line
	for from := 0; from < len(p.text); {
		n := bytes.IndexByte(p.text[from:], '\n')
		if n < 0 {
			break
		}
		if parseLine(p.text[from:from+n], &l) == nil && l.count == 0 {
			p.lines[l.seq] = [2]int{from, from + n}
		}
		from += n + 1
	}
}
