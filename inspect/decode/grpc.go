package decode

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strconv"
	"strings"

	"constat/inspect"
)

// GRPC takes the messages of a call out of their frames, each a flag and a
// length: gRPC, gRPC-Web, also written in base64, and the streams of Connect. The
// argument is the number of the message. The fields of a trailer of gRPC-Web
// are one record, each under its name behind "trailer."; what ends a stream of
// Connect is "end".
//
// Which coding a compressed message has stands in a header of the call; here it
// is told by its first bytes.
var GRPC = inspect.Decoder{
	Name:   "grpc",
	Doc:    "takes messages out of the frames of gRPC (github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), gRPC-Web (PROTOCOL-WEB.md) and Connect (connectrpc.com/docs/protocol)",
	Min:    5,
	Sees:   inspect.Binary,
	Decode: decodeGRPC,
}

// Flags of a frame.
const (
	grpcCompressed = 0x01
	grpcEnd        = 0x02 // of Connect: the last one, in JSON
	grpcTrailer    = 0x80 // of gRPC-Web: header fields
)

func decodeGRPC(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	if p.Kind != inspect.Bytes {
		return nil, nil
	}
	d := p.Data
	content := "application/x-protobuf"
	media, hinted := strings.CutPrefix(p.Media, "application/")
	if hinted = hinted && p.Coding == "" && (strings.HasPrefix(media, "grpc") || strings.HasPrefix(media, "connect+")); hinted {
		if _, codec, ok := strings.Cut(media, "+"); ok && codec != "proto" {
			content = "application/" + codec
		}
		if strings.HasPrefix(media, "grpc-web-text") {
			if !w.Take(len(d)) {
				return nil, inspect.ErrBytes
			}
			if d = unquantum(d); d == nil {
				return nil, broken("grpc", errField)
			}
		}
	} else if !grpcBegins(d) {
		return nil, nil
	}
	var children []inspect.Child
	var seen names
	for i := 0; len(d) > 0; i++ {
		if len(d) < 5 {
			return children, broken("grpc", errEnd)
		}
		flag, n := d[0], int(binary.BigEndian.Uint32(d[1:]))
		if flag&^(grpcCompressed|grpcEnd|grpcTrailer) != 0 {
			return children, broken("grpc", errField)
		}
		d = d[5:]
		cut := n > len(d)
		content, body := content, d[:min(n, len(d))]
		d = d[len(body):]
		if len(children) >= w.Parts() {
			return children, inspect.ErrParts
		}
		switch {
		case len(body) == 0:
		case flag&grpcTrailer != 0 && flag&grpcCompressed == 0:
			for line := range bytes.Lines(body) {
				key, value, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
				if !ok || len(children) >= w.Parts() {
					continue
				}
				name := strings.ToLower(string(key))
				value = bytes.TrimSpace(value)
				if text, err := url.PathUnescape(string(value)); err == nil && name == "grpc-message" && text != string(value) {
					if !w.Take(len(text)) {
						return children, inspect.ErrBytes
					}
					value = []byte(text)
				}
				children = append(children, inspect.Child{Arg: seen.unique("trailer." + name), Name: name, Group: "trailer", Kind: inspect.Text, Data: value})
			}
		default:
			arg := strconv.Itoa(i)
			if flag&grpcEnd != 0 {
				arg, content = "end", "application/json"
			}
			c := inspect.Child{Arg: seen.unique(arg), Group: arg, Data: body[:len(body):len(body)], ContentType: content}
			if flag&grpcCompressed != 0 {
				c.Coding = codingOf(body)
			}
			children = append(children, c)
		}
		if cut {
			return children, broken("grpc", errEnd)
		}
	}
	return children, nil
}

// grpcBegins says that d is made of frames, although nobody declared it, the
// first of which holds a message beyond doubt.
func grpcBegins(d []byte) bool {
	if d[0] > grpcCompressed || d[1] != 0 {
		return false
	}
	for i, rest := 0, d; len(rest) > 0; i++ {
		if len(rest) < 5 || rest[0] > grpcCompressed && i == 0 {
			return false
		}
		n := int(binary.BigEndian.Uint32(rest[1:]))
		if n > len(rest)-5 || i == 0 && n == 0 {
			return false
		}
		rest = rest[5+n:]
	}
	body := d[5 : 5+int(binary.BigEndian.Uint32(d[1:]))]
	return looksProtobuf(body) || d[0] == grpcCompressed && codingOf(body) == "gzip"
}

// codingOf tells the content coding of a compressed message, "" when nothing
// gives it away.
func codingOf(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\x1f\x8b\x08")):
		return "gzip"
	case bytes.HasPrefix(b, []byte("\x28\xb5\x2f\xfd")):
		return "zstd"
	case zlibHeader(b):
		return "deflate"
	}
	return ""
}

// unquantum undoes base64 that was written in several pieces, each padded. It
// returns nil if d is not that.
func unquantum(d []byte) []byte {
	out := make([]byte, 0, base64.StdEncoding.DecodedLen(len(d)))
	for len(d) > 0 {
		n := len(d)
		if i := bytes.IndexByte(d, '='); i >= 0 {
			for n = i; n < len(d) && n < i+2 && d[n] == '='; n++ {
			}
		}
		piece := bytes.TrimRight(bytes.TrimSpace(d[:n]), "=")
		var err error
		if out, err = base64.RawStdEncoding.AppendDecode(out, piece); err != nil {
			return nil
		}
		d = d[n:]
	}
	return out
}
