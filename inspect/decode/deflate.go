package decode

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"

	"constat/inspect"
)

// Deflate takes off zlib, by its header, and raw deflate, which has none, where
// the content coding is declared.
var Deflate = inspect.Decoder{
	Name:   "deflate",
	Doc:    "decompresses zlib (RFC 1950) anywhere, and raw deflate (RFC 1951) where it is the declared content coding",
	Min:    8,
	Decode: decodeDeflate,
}

// keepBroken is how much a broken zlib stream must have given to be believed:
// its header is two bytes only, and "x^" is text as well.
const keepBroken = 32

var (
	zlibReaders  sync.Pool
	flateReaders = sync.Pool{New: func() any { return flate.NewReader(nil) }}
)

func decodeDeflate(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	hinted := declared(p, "deflate")
	isZlib := d[0] == 0x78 && (uint(d[0])<<8|uint(d[1]))%31 == 0 && d[1]&0x20 == 0
	if !isZlib && !hinted || len(d) < 8 {
		return nil, nil
	}
	var out []byte
	var err error
	if isZlib {
		out, err = unzlib(w, d)
		if err != nil && err != inspect.ErrBytes && len(out) < keepBroken && !hinted {
			return nil, nil
		}
	} else {
		if looksText(d[:min(len(d), 64)]) { // somebody has decompressed it and kept the header
			return nil, nil
		}
		r := flateReaders.Get().(io.ReadCloser)
		defer flateReaders.Put(r)
		if err = r.(flate.Resetter).Reset(bytes.NewReader(d), nil); err == nil {
			out, err = drain(w, r, 4*len(d))
		}
	}
	if err != nil {
		err = broken("deflate", err)
	}
	if len(out) == 0 {
		return nil, err
	}
	return inflated(p, out, "deflate"), err
}

func unzlib(w *inspect.Work, d []byte) ([]byte, error) {
	r, _ := zlibReaders.Get().(io.ReadCloser)
	if r == nil {
		var err error
		if r, err = zlib.NewReader(bytes.NewReader(d)); err != nil {
			return nil, err
		}
	} else if err := r.(zlib.Resetter).Reset(bytes.NewReader(d), nil); err != nil {
		return nil, err
	}
	defer zlibReaders.Put(r)
	return drain(w, r, 4*len(d))
}
