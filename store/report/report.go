// Package report writes a case for people: a self-contained HTML document that
// reads without the program and prints well, the same content as JSON, and the
// traffic as HAR and CSV.
//
// A report states what is in the case and what could not be seen, in this order:
// plain words first, then tables, then the exchanges that decide each answer with
// the steps from the stored bytes to the bytes in question, then how to verify.
// "Saw nothing" is never written as "sent nothing". Everything from the wire is
// hostile: it passes through html/template, the document has no script and forbids
// any by its Content-Security-Policy, and no cell of a CSV begins as a formula.
// Memory does not grow with the case: counting is done in SQL, and at most
// Options.MaxDeciding exchanges are held for each class and direction.
//
// The functions only read, and are safe for concurrent use. The package decides
// nothing: which finding counts is the business of the inspectors.
package report

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"constat/inspect"
	"constat/store"
	"constat/store/claim"
	"constat/store/compare"
)

// Options say how a report is made. Zero fields mean the default.
type Options struct {
	Lang   string // one of Languages; default "en"
	Title  string // default "What the phone sent", in the language
	Banner string // stands above everything, such as "INVENTED: …"
	// BannerLang is the language of the banner where it is not the report's.
	BannerLang string
	Build      string           // of the program that writes the report
	Now        func() time.Time // default time.Now

	// MaxDeciding is how many exchanges are shown for each class and direction;
	// default 3.
	MaxDeciding int

	// Inspector replays the paths of findings. nil: exchanges are shown without
	// the bytes that decided.
	Inspector *inspect.Inspector

	// Owners tells who answers behind servers that no request to was read, and
	// which therefore nobody has looked up. nil: only their names are shown.
	Owners inspect.Owners

	// ShowPhotos shows photographs as they are. Without it they are so coarse that
	// nobody can be recognised.
	ShowPhotos bool

	// Answers and Comparisons are reported as they are given.
	Answers     []claim.Answer
	Comparisons []compare.Comparison

	// Progress, when not nil, is told how many of how many parts of the report are
	// done.
	Progress func(done, total int64)
}

func (o Options) withDefaults(l *language) Options {
	o.Title = cmp.Or(o.Title, l.say("title"))
	o.MaxDeciding = cmp.Or(o.MaxDeciding, 3)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	return o
}

// Write writes the report on the case r as one HTML file.
func Write(ctx context.Context, w io.Writer, r *store.Reader, opt Options) error {
	return write(ctx, w, r, opt, paintHTML)
}

// WritePDF writes the report as a PDF file. The same case and options give the same
// bytes.
func WritePDF(ctx context.Context, w io.Writer, r *store.Reader, opt Options) error {
	return write(ctx, w, r, opt, paintPDF)
}

func write(ctx context.Context, w io.Writer, r *store.Reader, opt Options, paint func(*language, *Document) ([]byte, error)) error {
	doc, err := Gather(ctx, r, opt)
	if err != nil {
		return err
	}
	l, err := languageOf(opt.Lang)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	out, err := paint(l, doc)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// WriteJSON writes the same content as data.
func WriteJSON(ctx context.Context, w io.Writer, r *store.Reader, opt Options) error {
	doc, err := Gather(ctx, r, opt)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
