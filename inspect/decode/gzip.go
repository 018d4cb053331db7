package decode

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"constat/inspect"
)

// Gzip takes off gzip, by its magic bytes, declared or not.
var Gzip = inspect.Decoder{
	Name:   "gzip",
	Doc:    "decompresses gzip members (RFC 1952), as a content coding (RFC 9110 section 8.4.1.3) or inside a field",
	Min:    18, // the smallest member
	First:  "\x1f",
	Decode: decodeGzip,
}

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

func decodeGzip(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] != 0x1f || d[1] != 0x8b || d[2] != 8 {
		return nil, nil
	}
	r := gzipReaders.Get().(*gzip.Reader)
	defer gzipReaders.Put(r)
	if err := r.Reset(bytes.NewReader(d)); err != nil {
		return nil, broken("gzip", err)
	}
	out, err := drain(w, r, 4*len(d))
	if err != nil {
		err = broken("gzip", err)
	}
	if len(out) == 0 {
		return nil, err
	}
	return inflated(p, out, "gzip", "x-gzip"), err
}

// broken names the layer that an error comes from. The errors of the
// decompressors hold no content.
func broken(layer string, err error) error {
	if err == inspect.ErrBytes || err == inspect.ErrParts {
		return err
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errEnd
	}
	if strings.HasPrefix(err.Error(), layer+": ") {
		return err
	}
	return fmt.Errorf("%s: %w", layer, err)
}
