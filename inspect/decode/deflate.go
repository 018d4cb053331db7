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
// the content coding is declared or what comes out leaves no doubt.
var Deflate = inspect.Decoder{
	Name:   "deflate",
	Doc:    "decompresses zlib (RFC 1950) and raw deflate (RFC 1951), as a content coding or inside a field",
	Min:    8,
	Any:    inspect.NonASCII | inspect.Controls | inspect.Carets,
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
	if len(d) < 8 {
		return nil, nil
	}
	if !isZlib && !hinted {
		return guessDeflate(w, p)
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

// leastRaw is the size from which on raw deflate, which begins with nothing in
// particular, is tried without a declaration.
const leastRaw = 24

// guessDeflate takes off raw deflate that nobody declares. Bytes count as such
// if they are one stream from the first to the last and hold text or something
// with magic bytes.
func guessDeflate(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if p.Kind != inspect.Bytes || p.Media != "" || p.Coding != "" || len(d) < leastRaw {
		return nil, nil
	}
	// What is stored uncompressed says its length twice.
	switch d[0] >> 1 & 3 {
	case 0:
		if d[1]^d[3] != 0xff || d[2]^d[4] != 0xff {
			return nil, nil
		}
	case 3:
		return nil, nil
	}
	if looksText(d[:min(len(d), 64)]) {
		return nil, nil
	}
	in := bytes.NewReader(d)
	r := flateReaders.Get().(io.ReadCloser)
	defer flateReaders.Put(r)
	if err := r.(flate.Resetter).Reset(in, nil); err != nil {
		return nil, nil
	}
	var head [256]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil && err != io.ErrUnexpectedEOF || n < 16 || err != nil && in.Len() > 0 || !looksText(head[:n]) && inspect.Recognise(head[:n]) == "" {
		return nil, nil
	}
	in.Reset(d)
	if err := r.(flate.Resetter).Reset(in, nil); err != nil {
		return nil, nil
	}
	out, err := drain(w, r, 4*len(d))
	if err != nil && err != inspect.ErrBytes || err == nil && in.Len() > 0 {
		return nil, nil
	}
	return []inspect.Child{{Data: out}}, err
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
