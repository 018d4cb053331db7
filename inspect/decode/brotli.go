package decode

import (
	"bytes"
	"sync"

	"github.com/andybalholm/brotli"

	"constat/inspect"
)

// Brotli takes off Brotli where it is the declared content coding: the format
// has no magic bytes.
var Brotli = inspect.Decoder{
	Name:   "br",
	Doc:    "decompresses Brotli (RFC 7932) where it is the declared content coding",
	Min:    1,
	Sees:   inspect.Coded,
	Decode: decodeBrotli,
}

var brotliReaders = sync.Pool{New: func() any { return brotli.NewReader(nil) }}

func decodeBrotli(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	if p.Coding == "" || !declared(p, "br") {
		return nil, nil
	}
	if looksText(p.Data[:min(len(p.Data), 64)]) { // somebody has decompressed it and kept the header
		return nil, nil
	}
	r := brotliReaders.Get().(*brotli.Reader)
	defer brotliReaders.Put(r)
	if err := r.Reset(bytes.NewReader(p.Data)); err != nil {
		return nil, broken("br", err)
	}
	out, err := drain(w, r, 4*len(p.Data))
	if err != nil {
		err = broken("br", err)
	}
	if len(out) == 0 {
		return nil, err
	}
	return inflated(p, out, "br"), err
}
