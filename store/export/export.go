// Package export makes of a case the bundle that a stranger can check: the records
// with their proofs, a copy of the database and what people read, in one file. See
// package evidence and docs/evidence-format.md for its form.
//
// What is hidden is decided once for each record, in one place. Everything that is
// derived (the copy of the database, HAR, reports, protocol) is then made from the copy
// that lacks it, so that it cannot tell what it does not know. Two exports of the same
// case with the same options are the same bytes: no clock and no chance is asked, but
// by the authority for time stamps and by encryption.
package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"constat/inspect"
	"constat/proxy/flow"
	"constat/store"
	"constat/store/evidence"
	"constat/store/report"
)

// Options say what a bundle holds. Zero fields mean the default.
type Options struct {
	Level Level // default Full

	// Where is an SQL condition over the view requests that chooses exchanges, "" all.
	// The rest is withheld as a whole, with connections and addresses that are not theirs.
	Where string
	Args  []any

	// HideClasses hides what exchanges hold that any report gave one of these classes;
	// HideHosts withholds all about hosts of these names and below them.
	HideClasses []inspect.Class
	HideHosts   []string

	Signer evidence.Signer // signs the manifests; nil: they are not signed
	Build  string          // of the program

	// Token is the answer of a time-stamping authority for the newest checkpoint. Without
	// it, Stamp is asked for one; nil: the bundle has none.
	Token []byte
	Stamp func(ctx context.Context, checkpoint []byte) (*evidence.Token, error)

	// Files are more files, below data/: reports.
	Files []File

	Temp     string                               // folder for temporary files, which can be as large as the case
	Progress func(step string, done, total int64) // called now and then
}

// File is a file to add. Write gets the copy of the case that is in the bundle: it must
// see nothing else.
type File struct {
	Name  string // "data/report.html"
	Write func(ctx context.Context, w io.Writer, r *store.Reader, about About) error
}

// About is what a file may say besides what is in the copy.
type About struct {
	Time time.Time // of the newest checkpoint
	// Remark says what is withheld, in words for people, "" when nothing is. Whoever counts
	// in the copy must say it: what is withheld is missing from each figure.
	Remark string
}

// Summary says what a bundle holds.
type Summary struct {
	Records, Withheld int64
	Unsealed          int64 // entries after the newest checkpoint, which are left out
	Stamp             *evidence.Token
	Unmatched         []string // hosts to hide that no record is about
}

const (
	maxInclusion   = 256 // exchanges whose entries are proved one by one
	maxConsistency = 64  // checkpoints that the newest is proved to go on from
)

// Write writes the bundle of the case r to w.
func Write(ctx context.Context, w io.Writer, r *store.Reader, opt Options) (*Summary, error) {
	if opt.Level == "" {
		opt.Level = Full
	}
	if opt.Progress == nil {
		opt.Progress = func(string, int64, int64) {}
	}
	opt.HideHosts = slices.Clone(opt.HideHosts)
	for i, h := range opt.HideHosts {
		var err error
		if opt.HideHosts[i], err = HostName(h); err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
	}
	// The name of the file is that of the one in the bundle: reports say it.
	dir, err := os.MkdirTemp(opt.Temp, ".constat-export-")
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	defer os.RemoveAll(dir)
	e := &export{ctx: ctx, r: r, opt: &opt, copyPath: filepath.Join(dir, "capture.sqlite")}
	opt.Temp = dir
	if err := e.run(w); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return &e.summary, nil
}

// export is one run of Write.
type export struct {
	ctx  context.Context // of the one run that the value lives for
	r    *store.Reader
	opt  *Options
	plan *plan

	info     store.Info
	sealing  store.Sealing
	now      time.Time // of the newest checkpoint
	salter   *evidence.Salter
	copyPath string
	copy     *store.Copy
	from     *store.Reader // the finished copy
	b        *evidence.Bundle
	token    *evidence.Token

	statements []statement
	example    *example
	missing    int64 // entries that are withheld and that figures would count
	summary    Summary
}

func (e *export) run(w io.Writer) (err error) {
	if e.info, err = e.r.Info(e.ctx); err != nil {
		return err
	}
	if e.sealing, err = e.r.Sealing(e.ctx); err != nil {
		return err
	}
	if e.now, err = evidence.ParseTime(e.sealing.Time); err != nil {
		return err
	}
	if e.salter, err = e.r.Salter(e.ctx); err != nil {
		return err
	}
	if err := e.stamp(); err != nil {
		return err
	}
	e.summary.Records, e.summary.Unsealed, e.summary.Stamp = e.sealing.Size, e.sealing.More, e.token
	if e.plan, err = newPlan(e.ctx, e.r, e.opt); err != nil {
		return err
	}
	if err := e.plan.survey(e.ctx, e.r, e.sealing.Size); err != nil {
		return err
	}
	e.b = evidence.NewBundle(w, evidence.BundleOptions{CaseID: e.info.ID, Info: e.bagInfo(), Signer: e.opt.Signer, Temp: e.opt.Temp})
	defer e.b.Free()
	if err := e.records(); err != nil {
		return err
	}
	if e.from, err = store.OpenReader(e.ctx, e.copyPath); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.from.Close()) }()
	for _, h := range e.opt.HideHosts {
		if !e.plan.met[h] {
			e.summary.Unmatched = append(e.summary.Unmatched, h)
		}
	}
	for _, step := range []func() error{e.bodies, e.files, e.proofs, e.guide, e.b.Close} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (e *export) stamp() (err error) {
	switch {
	case len(e.opt.Token) > 0:
		e.token, err = evidence.ParseToken(e.opt.Token, e.sealing.Note, nil)
	case e.opt.Stamp != nil:
		e.token, err = e.opt.Stamp(e.ctx, e.sealing.Note)
	}
	return err
}

func (e *export) bagInfo() [][2]string {
	list := [][2]string{
		{"Bagging-Date", e.now.Format(time.DateOnly)},
		{"Bag-Software-Agent", e.opt.Build},
		{"Constat-Shows", string(e.opt.Level)},
	}
	if e.opt.Where != "" {
		list = append(list, [2]string{"Constat-Withholds", "exchanges that were not chosen"})
	}
	if len(e.opt.HideHosts) > 0 {
		list = append(list, [2]string{"Constat-Withholds", "all about some hosts"})
	}
	for _, c := range e.opt.HideClasses {
		list = append(list, [2]string{"Constat-Withholds", "what exchanges hold in which " + string(c) + " was found"})
	}
	return list
}

// records writes the records, and the copy of the case beside them.
func (e *export) records() (err error) {
	if e.copy, err = store.NewCopy(e.copyPath, e.r); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.copy.Close()) }()
	var line []byte
	err = e.r.Log(e.ctx, e.sealing.Size, func(l *store.Logged) error {
		if l.Seq%1000 == 0 {
			e.opt.Progress("writing records", l.Seq, e.sealing.Size)
		}
		if e.plan.withheld(l) {
			e.summary.Withheld++
			if l.Kind.Name != "persona" {
				e.missing++
			}
			if err := e.b.Record(l.Seq, l.Hash, nil); err != nil {
				return err
			}
			return e.copy.Leave(l)
		}
		hide, masked := e.plan.hidden(l)
		line = l.Kind.AppendLine(line[:0], e.salter, l.Seq, l.ID, l.Values, evidence.Disclosure{Hidden: hide, Masked: masked})
		if err := e.b.Record(l.Seq, l.Hash, line); err != nil {
			return err
		}
		e.note(l, hide)
		return e.copy.Add(l, instead(l, hide, masked))
	})
	if err != nil {
		return err
	}
	e.opt.Progress("writing records", e.sealing.Size, e.sealing.Size)
	return e.copy.Finish(e.ctx, e.sealing.Size)
}

func (e *export) bodies() error {
	n := int64(0)
	return e.from.Bodies(e.ctx, func(b *flow.Body) error {
		body, err := e.from.Body(e.ctx, b)
		if err != nil {
			return err
		}
		if n++; n%100 == 0 {
			e.opt.Progress("writing bodies", n, 0)
		}
		return errors.Join(e.b.AddBody(b.KeptSHA256(), body), body.Close())
	})
}

// files writes what is made from the copy, in the order of the names.
func (e *export) files() error {
	about := About{Time: e.now, Remark: e.remark()}
	list := slices.Clone(e.opt.Files)
	list = append(list,
		File{"data/capture.har", func(ctx context.Context, w io.Writer, r *store.Reader, _ About) error {
			_, err := report.WriteHAR(ctx, w, r, report.HAROptions{Build: e.opt.Build})
			return err
		}},
		File{"data/case.jsonld", e.writeCase},
		File{"data/protocol.json", e.writeProtocol},
		File{copyName, nil},
		File{"data/certificates/", nil},
	)
	slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range list {
		var err error
		switch {
		case f.Name == copyName:
			err = e.addCopy()
		case f.Write == nil:
			err = e.from.Certificates(e.ctx, e.b.AddCertificate)
		default:
			err = e.b.Add(f.Name, func(w io.Writer) error {
				return f.Write(e.ctx, &counter{w: w, step: "writing " + f.Name + ", MiB", show: e.opt.Progress}, e.from, about)
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remark is About.Remark.
func (e *export) remark() string {
	var list []string
	switch e.opt.Level {
	case Masked:
		list = append(list, "Values are masked.")
	case Hashes:
		list = append(list, "Values are withheld.")
	}
	for _, c := range e.opt.HideClasses {
		list = append(list, fmt.Sprintf("What requests hold in which %s was found is withheld.", c))
	}
	if e.missing > 0 {
		list = append(list, fmt.Sprintf("%d of the %d entries of the log are withheld as a whole. Figures and coverage below are of the rest only; the coverage of the whole case is in protocol.json.", e.missing, e.sealing.Size))
	}
	return strings.Join(list, " ")
}

// counter shows how much of a file was written.
type counter struct {
	w    io.Writer
	step string
	show func(step string, done, total int64)
	n    int64
}

func (c *counter) Write(b []byte) (int, error) {
	before := c.n >> 20
	n, err := c.w.Write(b)
	if c.n += int64(n); c.n>>20 != before {
		c.show(c.step, c.n>>20, 0)
	}
	return n, err
}

const copyName = "data/capture.sqlite"

func (e *export) addCopy() error {
	f, err := os.Open(e.copyPath)
	if err != nil {
		return err
	}
	defer f.Close()
	return e.b.AddFile(copyName, f)
}

func (e *export) proofs() error {
	e.opt.Progress("writing proofs", 0, 1)
	inclusion, err := e.from.Cited(e.ctx, maxInclusion)
	if err != nil {
		return err
	}
	if e.example != nil {
		inclusion = append(inclusion, e.example.seq)
	}
	inclusion = append(inclusion, 0)
	slices.Sort(inclusion)
	var sizes []int64
	err = e.r.Checkpoints(e.ctx, e.sealing.Size-1, func(size int64, _ []byte) error {
		if size > 0 && (len(sizes) == 0 || sizes[len(sizes)-1] < size) {
			sizes = append(sizes, size)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var consistency [][2]int64
	for i := range min(len(sizes), maxConsistency) {
		consistency = append(consistency, [2]int64{sizes[i*len(sizes)/min(len(sizes), maxConsistency)], e.sealing.Size})
	}
	return e.b.AddProofs(evidence.Proofs{
		Verifier: e.info.Verifier, Checkpoint: e.sealing.Note, Token: e.token,
		All: func(each func([]byte) error) error {
			return e.r.Checkpoints(e.ctx, e.sealing.Size, func(_ int64, signed []byte) error { return each(signed) })
		},
		Inclusion: slices.Compact(inclusion), Consistency: consistency,
		Hashes: e.from.Hashes(e.ctx),
	})
}

// example is a record that VERIFY.md shows how to check by hand.
type example struct {
	seq, id      int64
	kind, column string
}

// maxExample is how long its value can be.
const maxExample = 600

// note remembers what the protocol and the guide say of a record.
func (e *export) note(l *store.Logged, hide func(string) bool) {
	switch l.Kind.Name {
	case "connection", "exchange", "frame", "report", "address", "lookup":
	default:
		e.state(l, hide)
	}
	if e.example != nil && (e.example.kind == "exchange" || l.Kind.Name != "exchange") {
		return
	}
	for i, c := range l.Kind.Columns {
		if v := l.Values[i]; c.Sealed && (hide == nil || !hide(c.Name)) && c.Type == evidence.Text && v.Text != "" && len(v.Text) <= maxExample && isPlain(v.Text) {
			e.example = &example{l.Seq, l.ID, l.Kind.Name, c.Name}
			return
		}
	}
}

func isPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
