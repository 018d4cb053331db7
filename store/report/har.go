package report

import (
	"cmp"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"constat/inspect"
	"constat/proxy/flow"
	"constat/store"
	"constat/store/har"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// HAROptions say what is exported, and how. Zero fields mean the default.
type HAROptions struct {
	Where string // SQL condition over the view requests; "": all
	Args  []any  // values that Where binds

	Build    string // of the program
	BodyText int    // longest body that is written; default 16 MiB

	// Decoded writes the bodies of responses with their content coding removed,
	// as browsers show them. Otherwise they are the bytes of the wire, and the
	// file can be read back without loss.
	Decoded bool
}

// WriteHAR writes exchanges of the case r as HAR 1.2, in order of their ids, with
// what Constat knows beside in _constat objects. One exchange is held at a time. What is
// not HTTP has no place in a HAR: it is left out, left says how much that is, and so does
// the comment of the log.
func WriteHAR(ctx context.Context, w io.Writer, r *store.Reader, opt HAROptions) (left int64, err error) {
	where := "(" + cmp.Or(opt.Where, "1") + "\n)"
	err = r.DB().QueryRowContext(ctx, "SELECT count(*) FROM requests WHERE "+where+" AND method = ''", opt.Args...).Scan(&left)
	if err != nil {
		return 0, fmt.Errorf("write har: %w", err)
	}
	wopt := har.WriterOptions{Version: cmp.Or(opt.Build, "unknown"), BodyText: opt.BodyText, Comment: LeftOfHAR(left)}
	if opt.Decoded {
		wopt.Decode = uncode
	}
	out := har.NewWriter(w, wopt)
	e := &harExport{ctx: ctx, r: r, out: out}
	for x, err := range r.Exchanges(ctx, where+" AND method <> ''", opt.Args...) {
		if err != nil {
			return left, fmt.Errorf("write har: %w", err)
		}
		if err := e.add(x); err != nil {
			return left, fmt.Errorf("write har: request %d: %w", x.ID, err)
		}
	}
	if err := out.Close(); err != nil {
		return left, fmt.Errorf("write har: %w", err)
	}
	return left, nil
}

// LeftOfHAR says for people what WriteHAR left out, "" for nothing.
func LeftOfHAR(left int64) string {
	switch left {
	case 0:
		return ""
	case 1:
		return "1 exchange that is not HTTP is left out: HAR has no place for it."
	}
	return fmt.Sprintf("%d exchanges that are not HTTP are left out: HAR has no place for them.", left)
}

type harExport struct {
	ctx  context.Context
	r    *store.Reader
	out  *har.Writer
	conn *flow.Connection // the one used last: neighbours share it
}

func (e *harExport) add(x *flow.Exchange) (err error) {
	item := har.Item{Exchange: x}
	if x.Connection != 0 && (e.conn == nil || e.conn.ID != x.Connection) {
		e.conn, err = e.r.Connection(e.ctx, x.Connection)
		if errors.Is(err, store.ErrNotFound) { // it is still open
			e.conn, err = nil, nil
		}
		if err != nil {
			return err
		}
	}
	if e.conn != nil && e.conn.ID == x.Connection {
		item.Connection = e.conn
	}
	report, err := e.r.Report(e.ctx, x.ID, 0)
	if err != nil {
		return err
	}
	if report != nil {
		if err := opinions(&item, report); err != nil {
			return err
		}
	}
	for _, side := range []struct {
		body *flow.Body
		into *io.Reader
	}{{x.Request.Body, &item.Request}, {x.Response.Body, &item.Response}} {
		if side.body == nil {
			continue
		}
		body, err := e.r.Body(e.ctx, side.body)
		if err != nil {
			return err
		}
		defer body.Close()
		*side.into = body
	}
	if x.Status == 101 || x.Scheme == "ws" || x.Scheme == "wss" {
		item.Frames = e.frames(x.ID)
	}
	return e.out.Add(item)
}

// opinions puts what inspection says beside the facts.
func opinions(item *har.Item, report *inspect.Report) (err error) {
	item.Owner, item.Country = report.Owner.Name, report.Owner.Country
	for _, tag := range report.Tags() {
		item.Tags = append(item.Tags, string(tag))
	}
	if len(report.Findings) > 0 {
		if item.Findings, err = json.Marshal(report.Findings); err != nil {
			return err
		}
	}
	if len(report.Hits) > 0 {
		item.Hits, err = json.Marshal(report.Hits)
	}
	return err
}

func (e *harExport) frames(exchange int64) func(func(har.Frame, error) bool) {
	return func(yield func(har.Frame, error) bool) {
		for f, err := range e.r.Frames(e.ctx, exchange) {
			if err != nil {
				yield(har.Frame{}, err)
				return
			}
			item := har.Frame{Frame: f}
			var payload io.ReadCloser
			if f.Payload != nil {
				if payload, err = e.r.Body(e.ctx, f.Payload); err != nil {
					yield(har.Frame{}, err)
					return
				}
				item.Payload = payload
			}
			more := yield(item, nil)
			if payload != nil {
				_ = payload.Close() // it was only read
			}
			if !more {
				return
			}
		}
	}
}

// uncode removes one content coding (RFC 9110 section 8.4.1). What it returns is
// read up to a limit only.
func uncode(coding string, r io.Reader) (io.Reader, error) {
	switch coding {
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	case "deflate":
		return zlib.NewReader(r)
	case "br":
		return brotli.NewReader(r), nil
	case "zstd":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case "identity":
		return r, nil
	}
	return nil, fmt.Errorf("unknown content coding %q", coding)
}
