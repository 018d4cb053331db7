package decode

import (
	"errors"
	"io"
	"strings"

	"constat/inspect"
)

// errEnd means that the input stops before its format does.
var errEnd = errors.New("unexpected end")

// leap is the size beyond which a buffer is made as large as it may become: to
// double it on would leave as much garbage again.
const leap = 4 << 20

// drain reads r to its end or to the end of the budget, and returns what it
// read. size is a guess at how much that is.
func drain(w *inspect.Work, r io.Reader, size int) ([]byte, error) {
	left := w.Left()
	first := min(int64(max(size, 512)), left+1)
	w.Reserve(int(first))
	out := make([]byte, 0, first)
	for {
		if len(out) == cap(out) {
			more := min(int64(2*cap(out)), left+1)
			if more > leap {
				more = left + 1
			}
			w.Reserve(int(more))
			bigger := make([]byte, len(out), more)
			copy(bigger, out)
			out = bigger
		}
		n, err := r.Read(out[len(out):cap(out)])
		if len(out)+n > int(left) {
			w.Take(len(out) + n) // says no, and so notes that there was more
			return out[:left], inspect.ErrBytes
		}
		out = out[:len(out)+n]
		switch {
		case err == io.EOF:
			w.Take(len(out))
			return out, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			w.Take(len(out))
			return out, errEnd
		case err != nil:
			w.Take(len(out))
			return out, err
		}
	}
}

// inflated is the child that a decompressor makes of p. codings are the names of
// what it took off; when that is what was declared, the rest of the declaration
// goes on to the child.
func inflated(p *inspect.Part, data []byte, codings ...string) []inspect.Child {
	c := inspect.Child{Data: data}
	if rest, last := lastCoding(p.Coding); last != "" && oneOf(last, codings) {
		c.Coding, c.ContentType = rest, p.ContentType
	} else if last == "" && schemaless(p.Media) { // what was declared is what is inside
		c.ContentType = p.ContentType
	}
	return []inspect.Child{c}
}

// schemaless says that a media type is one whose data is told best by being
// declared.
func schemaless(media string) bool {
	return isProtobuf(media) || strings.HasSuffix(media, "msgpack") || strings.HasSuffix(media, "cbor")
}

// declared says that the content coding to come off p first is one of these.
func declared(p *inspect.Part, codings ...string) bool {
	if p.Coding == "" {
		return false
	}
	_, last := lastCoding(p.Coding)
	return oneOf(last, codings)
}

// lastCoding splits the last coding off a Content-Encoding.
func lastCoding(list string) (rest, last string) {
	list = strings.TrimRight(list, ", \t")
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return list[:i], strings.TrimSpace(list[i+1:])
	}
	return "", strings.TrimSpace(list)
}

func oneOf(s string, list []string) bool {
	for _, x := range list {
		if strings.EqualFold(s, x) {
			return true
		}
	}
	return false
}
