package decode

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/zstd"

	"constat/inspect"
)

// Zstd takes off Zstandard, by its magic bytes, declared or not.
var Zstd = inspect.Decoder{
	Name:   "zstd",
	Doc:    "decompresses Zstandard frames (RFC 8878), as a content coding or inside a field",
	Min:    9, // magic, frame header, one block header
	First:  "\x28",
	Decode: decodeZstd,
}

// zstdWindow is the largest window accepted: that of the zstd content coding
// (RFC 9659 section 3).
const zstdWindow = 8 << 20

var zstdReaders = sync.Pool{New: func() any {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
	if err != nil {
		panic(err) // the options are constants
	}
	return r
}}

func decodeZstd(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] != 0x28 || d[1] != 0xb5 || d[2] != 0x2f || d[3] != 0xfd {
		return nil, nil
	}
	r := zstdReaders.Get().(*zstd.Decoder)
	defer zstdReaders.Put(r)
	if err := r.Reset(bytes.NewReader(d)); err != nil {
		return nil, broken("zstd", err)
	}
	out, err := drain(w, r, 4*len(d))
	if err != nil {
		err = broken("zstd", err)
	}
	if len(out) == 0 {
		return nil, err
	}
	return inflated(p, out, "zstd"), err
}
