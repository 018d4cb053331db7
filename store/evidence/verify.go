package evidence

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"constat/inspect"
)

// VerifyOptions say what a bundle is checked with.
type VerifyOptions struct {
	// Verifier, when not "", is the C2SP verifier key that must have signed. Without
	// it, somebody who wrote everything anew with a key of their own is not found out.
	Verifier string
	// Roots are the authorities to trust for the time stamp; nil: its chain is not checked.
	Roots *x509.CertPool
	// Inspector replays the paths of findings; nil: they are not replayed.
	Inspector *inspect.Inspector
	// Replays bounds how many reports are replayed; 0: all.
	Replays int64
	// Progress is called now and then with how many bytes were gone through.
	Progress func(done, total int64)
}

// Verdict is what came of checking a bundle. It is what constat-verify prints as
// JSON.
type Verdict struct {
	Verified bool   `json:"verified"` // no problem was found
	Case     string `json:"case,omitempty"`
	Verifier string `json:"verifier,omitempty"` // key that signed

	Files    int64 `json:"files"`
	Bytes    int64 `json:"bytes"`   // of all files
	Records  int64 `json:"records"` // entries of the log
	Withheld int64 `json:"withheld_records"`
	Values   int64 `json:"values"` // sealed values that are shown, and were checked
	Hidden   int64 `json:"withheld_values"`
	Bodies   int64 `json:"bodies"`

	Checkpoints int64  `json:"checkpoints"`
	First       string `json:"first_checkpoint,omitempty"` // times, by the clock of the machine that recorded
	Last        string `json:"last_checkpoint,omitempty"`
	Root        string `json:"root,omitempty"`
	Signed      bool   `json:"manifests_signed"`

	Stamp *Stamp `json:"timestamp,omitempty"`

	Inclusion   int64 `json:"inclusion_proofs"`
	Consistency int64 `json:"consistency_proofs"`

	Replay Replay `json:"replay"`

	// Problems is what is wrong, at most 100; each names the file or the record.
	Problems []string `json:"problems"`
	// Reservations is what was not checked or is not there, so that less is proved
	// than could be.
	Reservations []string `json:"reservations"`
	Proven       []string `json:"proven"`
	NotProven    []string `json:"not_proven"`
}

// Stamp is the time stamp of a bundle.
type Stamp struct {
	Time    time.Time `json:"time"`
	Signer  string    `json:"signer"`
	SHA256  string    `json:"certificate_sha256"`
	Trusted bool      `json:"trusted"` // the chain leads to a root that was given
}

// maxProblems bounds the list of problems.
const maxProblems = 100

// VerifyBundle checks a bundle of size bytes. Memory grows with 24 bytes for each
// body, 40 for each exchange and WebSocket message and a bit for each record, whatever
// is in it; docs/evidence-format.md says what it is beside that. An error means that
// the file could not be read; what is wrong with it is in Problems.
func VerifyBundle(ctx context.Context, r io.ReaderAt, size int64, opt VerifyOptions) (*Verdict, error) {
	v := &bundleCheck{Verdict: &Verdict{Problems: []string{}, Reservations: []string{}, Proven: []string{}, NotProven: []string{}}, ctx: ctx, opt: opt}
	if opt.Progress == nil {
		v.opt.Progress = func(int64, int64) {}
	}
	err := v.run(r, size)
	var form errForm
	if errors.As(err, &form) {
		v.problem("%s", form.Error())
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("verify bundle: %w", err)
	}
	v.Verified = len(v.Problems) == 0
	v.words()
	return v.Verdict, nil
}

// bundleCheck is one run of VerifyBundle.
type bundleCheck struct {
	*Verdict
	ctx context.Context // of the one run that the value lives for
	opt VerifyOptions
	o   *opened

	origin     string
	signer     note.Verifier // nil when there is no key
	checkpoint Checkpoint    // the newest; Size is 0 when it cannot be relied on
	signed     []byte
	tags       [2][sha256.Size]byte // of the tag manifests
	seal       hash.Hash
	work       int64 // bytes that may still be looked at to follow paths
	done       int64
	roots      map[int64]tlog.Hash // that checkpoints signed, by size, where a proof begins with it

	windows      windows
	certificates map[string]bool // hashes of those that records name
	seen         sightings
}

func (v *bundleCheck) problem(format string, args ...any) {
	switch len(v.Problems) {
	case maxProblems:
		v.Problems = append(v.Problems, "and more")
	case maxProblems + 1:
	default:
		v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
	}
}

func (v *bundleCheck) reserve(format string, args ...any) {
	if len(v.Reservations) == maxProblems {
		return
	}
	v.Reservations = append(v.Reservations, fmt.Sprintf(format, args...))
}

func (v *bundleCheck) run(r io.ReaderAt, size int64) (err error) {
	if v.o, err = open(r, size); err != nil {
		return err
	}
	v.seal, v.certificates = sha256.New(), map[string]bool{}
	v.Files = v.o.dir.count
	v.Case = strings.TrimSuffix(strings.TrimPrefix(v.o.folder, "constat-"), "/")
	v.origin = Origin(v.Case)
	for _, step := range []func() error{v.fixed, v.keys, v.stamp, v.tree, v.all, v.note, v.proofs, v.strangers, v.replay} {
		if err := step(); err != nil {
			return err
		}
		if err := v.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

const maxSmall = 1 << 20 // bytes of the files that are read whole

// small reads a file that must be there.
func (v *bundleCheck) small(name string) ([]byte, bool) {
	b, err := v.o.whole(name, maxSmall)
	if err != nil {
		v.problem("%s", err)
	}
	return b, err == nil
}

func (v *bundleCheck) fixed() error {
	if b, ok := v.small(fileBagit); ok && string(b) != bagitText {
		v.problem("%s is not that of a bag of version 1.0", fileBagit)
	}
	for _, name := range []string{fileGuide, fileManifest, fileManifest2, fileTags, fileTags2, fileLog, fileAll} {
		if _, ok := v.o.files[name]; !ok {
			v.problem("%s is missing", name)
		}
	}
	return nil
}

// about checks what bag-info.txt says that others rely on.
func (v *bundleCheck) about(payload, files int64) {
	text, ok := v.small(fileInfoText)
	if !ok {
		return
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if _, again := fields[name]; again && name != "Constat-Withholds" {
			v.problem("%s says %s twice", fileInfoText, printable(name))
		}
		fields[name] = value
	}
	if _, says := fields["Constat-Withholds"]; fields["Constat-Shows"] == "full" && !says && v.Hidden+v.Withheld > 0 {
		v.problem("%s says that nothing is withheld, and something is", fileInfoText)
	}
	if is := fields["Constat-Bundle-Format"]; is != strconv.Itoa(FormatVersion) {
		v.problem("%s: the bundle has the format %s, and this program knows %d: check it with a newer one", fileInfoText, printable(is), FormatVersion)
	}
	if fields["External-Identifier"] != v.origin || fields["Payload-Oxum"] != fmt.Sprintf("%d.%d", payload, files) {
		v.problem("%s does not fit what is here", fileInfoText)
	}
}

// keys reads who signed, and the newest checkpoint.
func (v *bundleCheck) keys() error {
	key, ok := v.small(fileKey)
	if !ok {
		return nil
	}
	v.Verifier = strings.TrimSuffix(string(key), "\n")
	signer, err := openVerifier(v.Verifier)
	switch {
	case err != nil:
		v.problem("%s holds no verifier key", fileKey)
		v.Verifier = ""
		return nil
	case v.Verifier+"\n" != string(key), signer.Name() != v.origin:
		v.problem("%s is the key of another case", fileKey)
		return nil
	case v.opt.Verifier != "" && v.opt.Verifier != v.Verifier:
		v.problem("%s is not the key that was demanded: somebody else signed", fileKey)
		return nil
	case v.opt.Verifier == "":
		v.reserve("Nobody said which key must have signed. The key that came with the bundle is %s: compare it with the one that you were given, or give it with --key.", v.Verifier)
	}
	v.signer = signer
	if v.signed, ok = v.small(fileCheckpoint); !ok {
		return nil
	}
	c, err := OpenCheckpoint(v.signed, signer)
	if err != nil || c.Origin != v.origin {
		v.problem("%s is not signed by that key, or not for this case", fileCheckpoint)
		return nil
	}
	if c.Size == 0 {
		v.problem("%s is of an empty log", fileCheckpoint)
	}
	v.checkpoint = c
	v.Records, v.Last = c.Size, c.Time
	v.Root = strings.Split(string(v.signed), "\n")[2]
	return nil
}

// stamp checks the token of the time-stamping authority.
func (v *bundleCheck) stamp() error {
	if _, ok := v.o.files[fileToken]; !ok {
		v.reserve("There is no time stamp: when all this existed rests on the clock of the machine that recorded it, and on the word of whoever holds its key.")
		return nil
	}
	response, ok := v.small(fileToken)
	if !ok || v.signed == nil {
		return nil
	}
	t, err := ParseToken(response, v.signed, nil)
	if err != nil {
		v.problem("%s: %s", fileToken, err)
		return nil
	}
	sum := t.Fingerprint()
	v.Stamp = &Stamp{Time: t.Time, Signer: t.Signer.Subject.String(), SHA256: hex.EncodeToString(sum[:])}
	if said, err := ParseTime(v.checkpoint.Time); err == nil && said.After(t.Time.Add(t.Accuracy+time.Second)) {
		v.reserve("The time stamp of %s is older than the checkpoint says that it is, %s: the clock of the machine that recorded was ahead.",
			t.Time.Format(time.RFC3339), v.checkpoint.Time)
	}
	if pem, ok := v.small(fileTokenCerts); ok && !bytes.Equal(pem, t.certificates()) {
		v.problem("%s does not hold the certificates of %s", fileTokenCerts, fileToken)
	}
	if v.opt.Roots == nil {
		v.reserve("There is a time stamp of %s by %q, and nobody said which authority to trust: give its root certificate with --tsa-ca.",
			t.Time.Format(time.RFC3339), v.Stamp.Signer)
		return nil
	}
	if err := t.Trust(v.opt.Roots); err != nil {
		v.problem("%s: its authority does not lead to a root that was given: %s", fileToken, err)
		return nil
	}
	v.Stamp.Trusted = true
	return nil
}

// tree computes the tree of the leaf hashes and compares it with each checkpoint.
func (v *bundleCheck) tree() error {
	log, haveLog := v.o.files[fileLog]
	all, haveAll := v.o.files[fileAll]
	if !haveLog || !haveAll || v.signer == nil {
		return nil
	}
	if v.checkpoint.Size > 0 && log.size != v.checkpoint.Size*sha256.Size {
		v.problem("%s has %d bytes, and the checkpoint covers %d entries of 32", fileLog, log.size, v.checkpoint.Size)
	}
	wanted := v.provenSizes()
	v.roots = map[int64]tlog.Hash{}
	hashes := bufio.NewReaderSize(v.o.reader(&log), 64<<10)
	notes := bufio.NewReaderSize(v.o.reader(&all), 64<<10)
	var tree Tree
	var last []byte
	for {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		signed, err := nextCheckpoint(notes)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			v.problem("%s cannot be read after checkpoint %d", fileAll, v.Checkpoints)
			return nil
		}
		v.Checkpoints++
		c, err := OpenCheckpoint(signed, v.signer)
		if err != nil || c.Origin != v.origin {
			v.problem("checkpoint %d in %s is not signed by the key, or not for this case", v.Checkpoints, fileAll)
			continue
		}
		if v.First == "" {
			v.First = c.Time
		}
		last = signed
		if c.Size < tree.Size() || c.Size > log.size/sha256.Size {
			v.problem("checkpoint %d covers %d entries, which does not fit the others", v.Checkpoints, c.Size)
			continue
		}
		for tree.Size() < c.Size {
			var h tlog.Hash
			if _, err := io.ReadFull(hashes, h[:]); err != nil {
				v.problem("%s cannot be read after entry %d", fileLog, tree.Size())
				return nil
			}
			tree.Append(h)
		}
		if wanted[c.Size] {
			v.roots[c.Size] = c.Root
		}
		if tree.Root() != c.Root {
			v.problem("%s: the tree of its first %d hashes is not the one that checkpoint %d signed", fileLog, c.Size, v.Checkpoints)
		}
	}
	if !bytes.Equal(last, v.signed) {
		v.problem("%s is not the last one in %s", fileCheckpoint, fileAll)
	}
	return nil
}

// provenSizes are those that a consistency proof begins with, by its name.
func (v *bundleCheck) provenSizes() map[int64]bool {
	sizes := map[int64]bool{}
	for name := range v.o.files {
		if rest, ok := strings.CutPrefix(name, consistencyDir); ok {
			older, _, _ := strings.Cut(rest, "-")
			if n, err := strconv.ParseInt(older, 10, 64); err == nil {
				sizes[n] = true
			}
		}
	}
	return sizes
}

// maxNote bounds one checkpoint.
const maxNote = 2 << 10

func nextCheckpoint(r *bufio.Reader) (signed []byte, err error) {
	for range checkpointLines {
		piece, err := r.ReadSlice('\n')
		if err != nil {
			if errors.Is(err, io.EOF) && len(signed)+len(piece) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if signed = append(signed, piece...); len(signed) > maxNote {
			return nil, errNotCanonical
		}
	}
	if !bytes.HasSuffix(signed, []byte("\n\n")) {
		return nil, errNotCanonical
	}
	return signed[:len(signed)-1], nil
}

// all goes through all bytes of the container once: each file against the
// manifests, and what it is made of.
func (v *bundleCheck) all() error {
	payload := v.manifests(fileManifest, fileManifest2)
	tags := v.manifests(fileTags, fileTags2)
	records := v.newRecords()
	d := newDigester()
	var head, want []byte
	var bytesIn, filesIn int64 // of the payload
	err := v.o.each(func(f *fileInfo) error {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		name := f.name[len(v.o.folder):]
		want = f.appendLocal(want[:0])
		head = append(head[:0], want...)
		if err := v.o.readAt(head, f.offset); err != nil {
			return err
		}
		if !bytes.Equal(head, want) {
			v.problem("%s: its header in the container is not as it is written", name)
		}
		v.seal.Write(head)
		d.sha256.Reset()
		d.sha512.Reset()
		d.crc.Reset()
		d.size = 0
		var content io.Writer = d
		if rank(name) == 1 {
			records.begin(name, f.size)
			content = io.MultiWriter(d, records)
		}
		if err := v.read(f, name, content); err != nil {
			return err
		}
		if rank(name) == 1 {
			records.end()
		}
		s := d.sums()
		fits := true
		switch rank(name) {
		case 1, 2:
			fits = payload.fits(name, s)
			bytesIn += d.size
			filesIn++
		case 7:
			if name == fileTags {
				v.tags[0] = s.sha256
			} else {
				v.tags[1] = s.sha256
			}
		case 8:
		default:
			fits = tags.fits(name, s)
		}
		if fits && d.crc.Sum32() != f.crc {
			v.problem("%s: its check sum in the container is wrong", name)
		}
		v.named(name, s)
		v.Bytes += d.size
		v.done += int64(len(head)) + f.packed
		v.opt.Progress(v.done, v.o.size)
		return nil
	})
	if err != nil {
		return err
	}
	payload.finish()
	tags.finish()
	records.finish()
	v.about(bytesIn, filesIn)
	rest := io.NewSectionReader(v.o.r, v.o.dir.offset, v.o.size-v.o.dir.offset)
	if _, err := io.CopyN(v.seal, rest, rest.Size()-sealSize); err != nil {
		return err
	}
	seal := make([]byte, sealSize)
	if err := v.o.readAt(seal, v.o.size-sealSize); err != nil {
		return err
	}
	// A changed file was named already.
	if len(v.Problems) == 0 && string(seal) != hex.EncodeToString(v.seal.Sum(nil)) {
		v.problem("the container: a byte outside of the content of the files was changed")
	}
	v.opt.Progress(v.o.size, v.o.size)
	return nil
}

// watched reads a file of the container, counts it as done, and ends with the context.
type watched struct {
	io.Reader
	v    *bundleCheck
	done int64
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	w.done += int64(n)
	w.v.opt.Progress(w.v.done+w.done, w.v.o.size)
	return n, err
}

// interrupted ends writing when the context has ended: a little that is packed can be
// much that is not.
type interrupted struct {
	io.Writer
	ctx context.Context
}

func (w interrupted) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Writer.Write(b)
}

// read reads one file; what is wrong with how it is packed is a problem.
func (v *bundleCheck) read(f *fileInfo, name string, to io.Writer) error {
	raw := &watched{Reader: io.NewSectionReader(v.o.r, f.offset+int64(len(f.appendLocal(nil))), f.packed), v: v}
	r := v.o.readerOn(f, io.TeeReader(raw, v.seal))
	_, err := io.Copy(interrupted{to, v.ctx}, onlyReader{r})
	if stopped := v.ctx.Err(); stopped != nil {
		return stopped
	}
	var form errForm
	if err != nil && !errors.As(err, &form) {
		v.problem("%s cannot be unpacked: %s", name, err)
	} else if n, _ := io.Copy(io.Discard, r.raw); n > 0 {
		v.problem("%s: there is something after its end", name)
	}
	// The seal covers what was left over, too.
	_, err = io.Copy(v.seal, raw)
	return err
}

// onlyReader keeps io.Copy from using other methods of a reader.
type onlyReader struct{ io.Reader }

// named checks what is called by its hash.
func (v *bundleCheck) named(name string, s sums) {
	hash, ok := strings.CutPrefix(name, bodyDir)
	if ok {
		v.Bodies++
	} else if hash, ok = strings.CutPrefix(name, certDir); ok {
		hash = strings.TrimSuffix(hash, ".der")
	}
	if ok && hash != hex.EncodeToString(s.sha256[:]) {
		v.problem("%s: its content does not have the hash that it is called by", name)
	}
}

// manifests reads two manifests along with the files that they list.
type manifests struct {
	v    *bundleCheck
	list [2]manifest
}

type manifest struct {
	name string
	r    *bufio.Reader
	sum  string
	file string // that the line at hand is about, "" at the end
}

func (v *bundleCheck) manifests(names ...string) *manifests {
	m := &manifests{v: v}
	for i, name := range names {
		m.list[i].name = name
		f, ok := v.o.files[name]
		if !ok {
			continue
		}
		m.list[i].r = bufio.NewReaderSize(v.o.reader(&f), 8<<10)
		m.next(&m.list[i])
	}
	return m
}

func (m *manifests) next(l *manifest) {
	if l.r == nil {
		return
	}
	line, err := l.r.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(line) == 0 {
		l.file, l.r = "", nil
		return
	}
	sum, file, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), "  ")
	if err != nil || !ok || !isPath(file) || l.file != "" && compareNames(l.file, file) >= 0 {
		m.v.problem("%s cannot be read after %s", l.name, printable(l.file))
		l.file, l.r = "", nil
		return
	}
	l.sum, l.file = sum, file
}

// fits compares a file with its line in both manifests.
func (m *manifests) fits(name string, s sums) bool {
	fits := true
	for i := range m.list {
		l := &m.list[i]
		for l.r != nil && l.file != "" && compareNames(l.file, name) < 0 {
			m.v.problem("%s is missing: %s lists it", l.file, l.name)
			m.next(l)
		}
		sum := hex.EncodeToString(s.sha256[:])
		if i == 1 {
			sum = hex.EncodeToString(s.sha512[:])
		}
		switch {
		case l.file != name:
			m.v.problem("%s is not in %s", name, l.name)
			fits = false
			continue
		case l.sum != sum:
			m.v.problem("%s was changed: it is not what %s says", name, l.name)
			fits = false
		}
		m.next(l)
	}
	return fits
}

func (m *manifests) finish() {
	for i := range m.list {
		for l := &m.list[i]; l.file != ""; m.next(l) {
			m.v.problem("%s is missing: %s lists it", l.file, l.name)
		}
	}
}

// note checks the signature over the manifests.
func (v *bundleCheck) note() error {
	if _, ok := v.o.files[fileNote]; !ok {
		v.reserve("The manifests are not signed: what does not come from records (reports, HAR, the copy of the database) is only known to be what was packed, not who packed it.")
		return nil
	}
	signed, ok := v.small(fileNote)
	if !ok || v.signer == nil {
		return nil
	}
	n, err := note.Open(signed, note.VerifierList(v.signer))
	if err == nil {
		err = canonicalNote(signed, n)
	}
	if err != nil {
		v.problem("%s is not signed by the key", fileNote)
		return nil
	}
	if n.Text != noteText(v.origin, v.tags[0], v.tags[1]) {
		v.problem("%s signs other manifests than those that are here", fileNote)
		return nil
	}
	v.Signed = true
	return nil
}

// proofs checks the proofs that are here for those who check by hand.
func (v *bundleCheck) proofs() error {
	if v.checkpoint.Size == 0 {
		return nil
	}
	for _, name := range v.names() {
		switch {
		case strings.HasPrefix(name, inclusionDir):
			if b, ok := v.small(name); ok {
				if err := v.included(name, string(b)); err != nil {
					v.problem("%s: %s", name, err)
				}
				v.Inclusion++
			}
		case strings.HasPrefix(name, consistencyDir):
			if b, ok := v.small(name); ok {
				if err := v.consistent(name, string(b)); err != nil {
					v.problem("%s: %s", name, err)
				}
				v.Consistency++
			}
		}
		if err := v.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// names are those of all files but bodies, sorted, so that a bundle has one verdict.
func (v *bundleCheck) names() []string { return slices.Sorted(maps.Keys(v.o.files)) }

var errProof = errors.New("it does not prove what it is for")

func (v *bundleCheck) included(name, text string) error {
	lines, checkpoint, ok := strings.Cut(text, "\n\n")
	head, rest, _ := strings.Cut(lines+"\n", "\n")
	index, rest, _ := strings.Cut(rest, "\n")
	number, isIndex := strings.CutPrefix(index, "index ")
	seq, err := strconv.ParseInt(number, 10, 64)
	if !ok || head != "c2sp.org/tlog-proof@v1" || !isIndex || err != nil || InclusionName(seq) != name || checkpoint != string(v.signed) {
		return errors.New("it is not a proof for the checkpoint")
	}
	proof, err := parseHashes(rest)
	if err != nil {
		return err
	}
	hash, err := v.leafHash(seq)
	if err != nil {
		return err
	}
	if tlog.CheckRecord(proof, v.checkpoint.Size, v.checkpoint.Root, seq, hash) != nil || inclusionText(seq, proof, v.signed) != text {
		return errProof
	}
	return nil
}

// consistent checks a proof between two sizes: that of the older is computed from
// the leaves.
func (v *bundleCheck) consistent(name, text string) error {
	var older, newer int64
	if _, err := fmt.Sscanf(strings.TrimPrefix(name, consistencyDir), "%d-%d", &older, &newer); err != nil ||
		consistencyName(older, newer) != name || older < 1 || newer != v.checkpoint.Size || older > newer {
		return errors.New("it is not called by two sizes of the log")
	}
	proof, err := parseHashes(text)
	if err != nil || hashLines(proof) != text {
		return errors.New("it is not a list of hashes")
	}
	root, ok := v.roots[older]
	if !ok {
		return errors.New("there is no checkpoint of that size")
	}
	if tlog.CheckTree(proof, newer, v.checkpoint.Root, older, root) != nil {
		return errProof
	}
	return nil
}

func parseHashes(text string) (list []tlog.Hash, err error) {
	for line := range strings.Lines(text) {
		h, err := tlog.ParseHash(strings.TrimSuffix(line, "\n"))
		if err != nil || len(list) == 64 {
			return nil, errors.New("it is not a list of hashes")
		}
		list = append(list, h)
	}
	return list, nil
}

// leafHash reads one hash of proof/log.tlog, which is stored.
func (v *bundleCheck) leafHash(seq int64) (h tlog.Hash, err error) {
	f, ok := v.o.files[fileLog]
	if !ok || seq < 0 || seq >= f.size/sha256.Size {
		return h, errors.New("the log has no such entry")
	}
	return h, v.o.readAt(h[:], f.offset+int64(len(f.appendLocal(nil)))+seq*sha256.Size)
}

// strangers looks for bodies and certificates that no record names.
func (v *bundleCheck) strangers() error {
	if v.seen.broken {
		return nil // the records that name them could not all be read
	}
	for i := range v.o.bodies.names {
		if !v.o.bodies.isUsed(i) {
			v.problem("%s%x…: no record that is shown has such a body", bodyDir, v.o.bodies.names[i])
		}
	}
	for _, name := range v.names() {
		if hash, ok := strings.CutPrefix(name, certDir); ok && !v.certificates[strings.TrimSuffix(hash, ".der")] {
			v.problem("%s: no record that is shown has such a certificate", name)
		}
	}
	return nil
}
