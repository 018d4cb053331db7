package decode

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/flate"

	"constat/inspect"
)

// PerMessageDeflate inflates WebSocket messages that their peers agreed to
// compress, with what the messages before were inflated to where they agreed to
// that.
var PerMessageDeflate = inspect.Decoder{
	Name:   "permessage-deflate",
	Doc:    "inflates a WebSocket message compressed with permessage-deflate (RFC 7692 section 7.2.2)",
	Min:    1,
	Sees:   inspect.Roots,
	Decode: decodePerMessageDeflate,
}

// deflateTail is what the sender took off the end of the message (RFC 7692
// section 7.2.1), and an empty last block, which ends the stream for the reader.
const deflateTail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

func decodePerMessageDeflate(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	window, deflated := w.Window()
	if !deflated || p.Parent != nil || p.Decoder() != "frame" {
		return nil, nil
	}
	r := flateReaders.Get().(io.ReadCloser)
	defer flateReaders.Put(r)
	src := io.MultiReader(bytes.NewReader(p.Data), bytes.NewReader([]byte(deflateTail)))
	if err := r.(flate.Resetter).Reset(src, window); err != nil {
		return nil, broken("permessage-deflate", err)
	}
	out, err := drain(w, r, 4*len(p.Data))
	if err != nil {
		err = broken("permessage-deflate", err)
	}
	if len(out) == 0 {
		return nil, err
	}
	return []inspect.Child{{Data: out}}, err
}
