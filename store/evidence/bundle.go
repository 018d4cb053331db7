package evidence

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// FormatVersion is the version of the bundle's format, docs/evidence-format.md.
const FormatVersion = 1

// Names of files in a bundle, below the bag's folder.
const (
	recordDir = "data/records/"
	bodyDir   = "data/bodies/"
	certDir   = "data/certificates/"

	fileBagit      = "bagit.txt"
	fileInfoText   = "bag-info.txt"
	fileManifest   = "manifest-sha256.txt"
	fileManifest2  = "manifest-sha512.txt"
	fileTags       = "tagmanifest-sha256.txt"
	fileTags2      = "tagmanifest-sha512.txt"
	fileLog        = "proof/log.tlog"
	fileKey        = "proof/key"
	fileCheckpoint = "proof/checkpoint"
	fileAll        = "proof/checkpoints"
	inclusionDir   = "proof/inclusion/"
	consistencyDir = "proof/consistency/"
	fileToken      = "proof/checkpoint.tsr"
	fileTokenCerts = "proof/checkpoint.tsa.pem"
	fileNote       = "proof/bundle.note"
	fileGuide      = GuideName
)

// GuideName is the file that says how to check a bundle by hand.
const GuideName = "verify/VERIFY.md"

const bagitText = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

// BagDir is the folder that all files of the bundle of a case are in.
func BagDir(caseID string) string { return "constat-" + caseID + "/" }

// rank orders the files of a bundle: what is needed first to check it comes
// first, and nothing comes before what it is the hash of.
func rank(name string) int {
	switch {
	case name == fileBagit:
		return 0
	case strings.HasPrefix(name, recordDir):
		return 1
	case strings.HasPrefix(name, "data/") && name+"/" != recordDir:
		return 2
	case name == fileManifest, name == fileManifest2:
		return 3
	case name == fileInfoText:
		return 4
	case name == fileNote:
		return 8
	case name == fileGuide:
		return 6
	case name == fileTags, name == fileTags2:
		return 7
	case name == fileLog, name == fileKey, name == fileCheckpoint, name == fileAll, name == fileToken, name == fileTokenCerts,
		strings.HasPrefix(name, inclusionDir), strings.HasPrefix(name, consistencyDir):
		return 5
	}
	return 9
}

const rankUnknown = 9

// compareNames orders names as they come in a container.
func compareNames(a, b string) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
}

// isPath reports whether a name can be in a bundle: no file system and no tool
// makes more of it than it is, or takes it for another that can be, also where
// capital letters do not count.
func isPath(name string) bool {
	if len(name) > maxName || rank(name) == rankUnknown || strings.Count(name, "/") > 4 {
		return false
	}
	if name == fileGuide {
		return true
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || part[0] == '-' || part[len(part)-1] == '.' || isDevice(part) {
			return false
		}
		for i := range len(part) {
			c := part[i]
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// isDevice reports whether Windows takes a file of that name for a device, whatever
// comes behind the first dot
// (https://learn.microsoft.com/windows/win32/fileio/naming-a-file).
func isDevice(part string) bool {
	stem, _, _ := strings.Cut(part, ".")
	if len(stem) == 4 && stem[3] >= '0' && stem[3] <= '9' {
		return stem[:3] == "com" || stem[:3] == "lpt"
	}
	return stem == "con" || stem == "prn" || stem == "aux" || stem == "nul"
}

// Bundle writes a bundle. Files come in the order of docs/evidence-format.md; what
// all bundles have (bagit.txt, manifests, the log's hashes, the note over the
// manifests) it writes itself. Memory does not grow with the case. After an error
// nothing more can be added. It is for one goroutine.
type Bundle struct {
	opt  BundleOptions
	p    *packer
	last string
	err  error

	payload  int64 // bytes
	files    int64
	manifest [2]spool // of the payload, SHA-256 and SHA-512
	tags     [2]spool

	seq   int64 // of the next entry of the log
	away  int64 // entries before it that are withheld and not written yet
	part  []byte
	from  int64 // first entry in part
	log   spool // leaf hashes
	tag   [2]sums
	ended bool // the payload has

	written map[string]written // files of the payload that are no bodies, certificates or records
}

type written struct {
	sum  [32]byte
	size int64
}

// Written returns hash and size of a file that was added.
func (b *Bundle) Written(name string) (sum [32]byte, size int64, ok bool) {
	w, ok := b.written[name]
	return w.sum, w.size, ok
}

// BundleOptions are what a Bundle is made from.
type BundleOptions struct {
	CaseID string
	Info   [][2]string // more fields of bag-info.txt
	Signer note.Signer // signs the manifests; nil: they are not signed
	Temp   string      // folder for what does not fit into memory, "" the system's
}

const (
	// partSize is from which size on records go on in another file.
	partSize = 4 << 20
	// MaxLine is how long the line of a record can be.
	MaxLine = 64 << 20
	// MaxFiles and MaxBodies bound the files of a bundle, bodies apart.
	MaxFiles  = 200_000
	MaxBodies = 16 << 20
)

// NewBundle begins a bundle on w. Close ends it; Free gives back what it holds,
// also after an error.
func NewBundle(w io.Writer, opt BundleOptions) *Bundle {
	b := &Bundle{opt: opt, p: newPacker(w, opt.Temp), log: spool{dir: opt.Temp}, written: map[string]written{}}
	for i := range b.manifest {
		b.manifest[i].dir, b.tags[i].dir = opt.Temp, opt.Temp
	}
	b.err = b.put(fileBagit, text(bagitText))
	return b
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// Free gives back temporary files.
func (b *Bundle) Free() {
	b.p.free()
	b.log.free()
	for i := range b.manifest {
		b.manifest[i].free()
		b.tags[i].free()
	}
}

// Record adds the entry of the log at seq, which must be the next, with the line
// of its record, that of AppendLine; nil when the entry is withheld.
func (b *Bundle) Record(seq int64, hash tlog.Hash, line []byte) error {
	if b.err != nil {
		return b.err
	}
	if seq != b.seq {
		return b.fail(fmt.Errorf("entry %d of the log comes where %d must", seq, b.seq))
	}
	if len(line) > MaxLine {
		return b.fail(fmt.Errorf("entry %d of the log has %d bytes, more than the %d that a bundle can hold", seq, len(line), MaxLine))
	}
	b.seq++
	if _, err := b.log.Write(hash[:]); err != nil {
		return b.fail(err)
	}
	if line == nil {
		b.away++
		return nil
	}
	if err := b.flushAway(seq); err != nil {
		return err
	}
	return b.line(seq, line)
}

// line adds the line that begins at an entry to the file at hand, or to another when
// it has no room.
func (b *Bundle) line(seq int64, line []byte) error {
	if len(b.part) > 0 && len(b.part)+len(line) > partSize {
		if err := b.flushPart(); err != nil {
			return err
		}
	}
	if len(b.part) == 0 {
		b.from = seq
	}
	b.part = append(b.part, line...)
	return nil
}

func (b *Bundle) flushAway(next int64) error {
	if b.away == 0 {
		return nil
	}
	from, count := next-b.away, b.away
	b.away = 0
	return b.line(from, AppendWithheld(nil, from, count))
}

func (b *Bundle) flushPart() error {
	if len(b.part) == 0 {
		return nil
	}
	part := b.part
	b.part = b.part[:0]
	if cap(part) > 2*partSize {
		b.part = nil
	}
	return b.put(partName(b.from), func(w io.Writer) error { _, err := w.Write(part); return err })
}

// partName is the file of the records from an entry on.
func partName(seq int64) string { return fmt.Sprintf("%s%012d.jsonl", recordDir, seq) }

// Add adds a file whose content write writes.
func (b *Bundle) Add(name string, write func(io.Writer) error) error {
	if err := b.before(name); err != nil {
		return err
	}
	return b.put(name, write)
}

// AddFile adds a file that can be read twice, which saves a copy of it.
func (b *Bundle) AddFile(name string, r io.ReadSeeker) error {
	if err := b.before(name); err != nil {
		return err
	}
	if err := b.named(name); err != nil {
		return err
	}
	s, n, err := b.p.addFile(BagDir(b.opt.CaseID)+name, r)
	return b.added(name, s, n, err)
}

// AddBody adds a body under its hash.
func (b *Bundle) AddBody(sum [32]byte, r io.Reader) error {
	return b.Add(bodyDir+hex.EncodeToString(sum[:]), func(w io.Writer) error { _, err := io.Copy(w, r); return err })
}

// AddCertificate adds a certificate, in DER, under its hash.
func (b *Bundle) AddCertificate(sum [32]byte, der []byte) error {
	return b.Add(certDir+hex.EncodeToString(sum[:])+".der", func(w io.Writer) error { _, err := w.Write(der); return err })
}

// before writes what comes before a file.
func (b *Bundle) before(name string) error {
	if b.err != nil {
		return b.err
	}
	switch rank(name) {
	case 2:
		if err := b.flushAway(b.seq); err != nil {
			return err
		}
		return b.flushPart()
	case 5, 6:
		return b.endPayload()
	}
	return b.fail(fmt.Errorf("%s: the bundle writes such a file itself", name))
}

// endPayload writes the manifests of the payload and bag-info.txt.
func (b *Bundle) endPayload() error {
	if b.ended {
		return nil
	}
	b.ended = true
	if err := b.flushAway(b.seq); err != nil {
		return err
	}
	if err := b.flushPart(); err != nil {
		return err
	}
	for i, name := range []string{fileManifest, fileManifest2} {
		if err := b.put(name, b.manifest[i].copyTo); err != nil {
			return err
		}
	}
	info := [][2]string{
		{"External-Identifier", Origin(b.opt.CaseID)},
		{"Payload-Oxum", fmt.Sprintf("%d.%d", b.payload, b.files)},
		{"Constat-Bundle-Format", fmt.Sprint(FormatVersion)},
	}
	var out strings.Builder
	for _, f := range append(info, b.opt.Info...) {
		fmt.Fprintf(&out, "%s: %s\n", f[0], strings.Join(strings.Fields(f[1]), " "))
	}
	return b.put(fileInfoText, text(out.String()))
}

func (b *Bundle) fail(err error) error {
	b.err = fmt.Errorf("write bundle: %w", err)
	return b.err
}

func (b *Bundle) named(name string) error {
	if !isPath(name) {
		return b.fail(fmt.Errorf("%q cannot be the name of a file in a bundle", name))
	}
	if b.last != "" && compareNames(b.last, name) >= 0 {
		return b.fail(fmt.Errorf("%s comes after %s, and must come before", name, b.last))
	}
	b.last = name
	return nil
}

func (b *Bundle) put(name string, write func(io.Writer) error) error {
	if err := b.named(name); err != nil {
		return err
	}
	s, n, err := b.p.add(BagDir(b.opt.CaseID)+name, write)
	return b.added(name, s, n, err)
}

// added notes the hashes of a file in the manifest that it belongs to.
func (b *Bundle) added(name string, s sums, n int64, err error) error {
	if err != nil {
		return b.fail(fmt.Errorf("%s: %w", name, err))
	}
	list := &b.tags
	switch rank(name) {
	case 1, 2:
		list = &b.manifest
		b.payload += n
		b.files++
		if rank(name) == 2 && !strings.HasPrefix(name, bodyDir) && !strings.HasPrefix(name, certDir) {
			b.written[name] = written{s.sha256, n}
		}
	case 7:
		b.tag[b.tagIndex(name)] = s
		return nil
	case 8:
		return nil
	}
	for i, sum := range [][]byte{s.sha256[:], s.sha512[:]} {
		if _, err := fmt.Fprintf(&list[i], "%x  %s\n", sum, name); err != nil {
			return b.fail(err)
		}
	}
	return nil
}

func (b *Bundle) tagIndex(name string) int {
	if name == fileTags {
		return 0
	}
	return 1
}

// Log writes proof/log.tlog, the leaf hashes of all entries, and what else is in
// proof: the key of the log's signer, its newest checkpoint, all checkpoints,
// which all yields, and the proofs. Files that f adds come in their place.
type Proofs struct {
	Verifier    string // C2SP verifier key
	Checkpoint  []byte // newest, signed
	All         func(func(signed []byte) error) error
	Inclusion   []int64    // entries of the log to prove
	Consistency [][2]int64 // sizes, the older first
	Hashes      tlog.HashReader
	Token       *Token // nil without
}

// AddProofs writes all files below proof but for the note over the manifests.
func (b *Bundle) AddProofs(p Proofs) error {
	c, err := parseSigned(p.Checkpoint)
	if err != nil {
		return b.fail(err)
	}
	if c.Size != b.seq {
		return b.fail(fmt.Errorf("the checkpoint covers %d entries, and %d were added", c.Size, b.seq))
	}
	if err := b.Add(fileCheckpoint, text(string(p.Checkpoint))); err != nil {
		return err
	}
	if t := p.Token; t != nil {
		if err := b.Add(fileTokenCerts, text(string(t.certificates()))); err != nil {
			return err
		}
		if err := b.Add(fileToken, text(string(t.Response))); err != nil {
			return err
		}
	}
	err = b.Add(fileAll, func(w io.Writer) error {
		return p.All(func(signed []byte) error {
			if strings.Count(string(signed), "\n") != checkpointLines-1 {
				return errNotCanonical
			}
			_, err := w.Write(append(signed[:len(signed):len(signed)], '\n'))
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, s := range p.Consistency {
		proof, err := tlog.ProveTree(s[1], s[0], p.Hashes)
		if err != nil {
			return b.fail(fmt.Errorf("prove that %d entries begin %d: %w", s[0], s[1], err))
		}
		if err := b.Add(consistencyName(s[0], s[1]), text(hashLines(proof))); err != nil {
			return err
		}
	}
	for _, seq := range p.Inclusion {
		proof, err := tlog.ProveRecord(c.Size, seq, p.Hashes)
		if err != nil {
			return b.fail(fmt.Errorf("prove entry %d: %w", seq, err))
		}
		if err := b.Add(InclusionName(seq), text(inclusionText(seq, proof, p.Checkpoint))); err != nil {
			return err
		}
	}
	if err := b.Add(fileKey, text(p.Verifier+"\n")); err != nil {
		return err
	}
	return b.Add(fileLog, b.log.copyTo)
}

// Close writes the manifests of what is not payload, the note that signs them, and
// the end of the container.
func (b *Bundle) Close() error {
	if b.err != nil {
		return b.err
	}
	if !b.ended {
		return b.fail(errors.New("there are no proofs"))
	}
	for i, name := range []string{fileTags, fileTags2} {
		if err := b.put(name, b.tags[i].copyTo); err != nil {
			return err
		}
	}
	if b.opt.Signer != nil {
		signed, err := note.Sign(&note.Note{Text: noteText(Origin(b.opt.CaseID), b.tag[0].sha256, b.tag[1].sha256)}, b.opt.Signer)
		if err != nil {
			return b.fail(err)
		}
		if err := b.put(fileNote, text(string(signed))); err != nil {
			return err
		}
	}
	if err := b.p.close(); err != nil {
		return b.fail(err)
	}
	b.err = errors.New("write bundle: it is complete")
	return nil
}

// noteText is what the key of a case signs of a bundle. Its first line is none
// that a checkpoint can begin with, so that neither can be taken for the other.
func noteText(origin string, tags256, tags512 [32]byte) string {
	return fmt.Sprintf("%s/bundle\n%x  %s\n%x  %s\n", origin, tags256, fileTags, tags512, fileTags2)
}

// checkpointLines is how many lines a checkpoint takes in proof/checkpoints: those
// of the note and an empty one.
const checkpointLines = 7

func consistencyName(older, newer int64) string {
	return fmt.Sprintf("%s%012d-%012d", consistencyDir, older, newer)
}

// InclusionName is the file of the proof that an entry is in the log.
func InclusionName(seq int64) string {
	return fmt.Sprintf("%s%012d.tlog-proof", inclusionDir, seq)
}

func hashLines(list []tlog.Hash) string {
	var out strings.Builder
	for _, h := range list {
		out.WriteString(base64.StdEncoding.EncodeToString(h[:]))
		out.WriteByte('\n')
	}
	return out.String()
}

// inclusionText is a C2SP tlog-proof (https://c2sp.org/tlog-proof).
func inclusionText(seq int64, proof tlog.RecordProof, checkpoint []byte) string {
	return fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n%s\n%s", seq, hashLines(proof), checkpoint)
}

// parseSigned reads a checkpoint without checking its signature.
func parseSigned(signed []byte) (Checkpoint, error) {
	text, _, ok := strings.Cut(string(signed), "\n\n")
	if !ok {
		return Checkpoint{}, errNotCanonical
	}
	return parse(text + "\n")
}
