package inspect

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxArg = 200 // bytes of an argument that are written out whole
	cutArg = 160 // bytes kept of a longer one
)

// appendStep appends "|decoder:arg" to b, arg escaped.
func appendStep(b []byte, decoder, arg string) []byte {
	b = append(b, '|')
	b = append(b, decoder...)
	return appendArg(b, arg)
}

// appendArg appends ":arg", or nothing when arg is empty.
func appendArg(b []byte, arg string) []byte {
	if arg == "" {
		return b
	}
	b = append(b, ':')
	if len(arg) <= maxArg && isPlain(arg) {
		return append(b, arg...)
	}
	if len(arg) <= maxArg {
		return escapeArg(b, arg)
	}
	head := arg[:cutArg]
	for i := 1; i < utf8.UTFMax && i < len(head); i++ { // do not cut a character in two
		if c := head[len(head)-i]; utf8.RuneStart(c) {
			if !utf8.FullRuneInString(head[len(head)-i:]) {
				head = head[:len(head)-i]
			}
			break
		}
	}
	sum := sha256.Sum256([]byte(arg))
	b = append(escapeArg(b, head), "…"...)
	return hex.AppendEncode(b, sum[:8])
}

// isPlain says that s is printable ASCII without bar and backslash.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '|' || c == '\\' {
			return false
		}
	}
	return true
}

func escapeArg(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '|' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == utf8.RuneError && n == 1 || !unicode.IsPrint(r):
			for i := range n {
				b = append(b, '\\', 'x', digits[s[i]>>4], digits[s[i]&15])
			}
		default:
			b = append(b, s[:n]...)
		}
		s = s[n:]
	}
	return b
}

func unescapeArg(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if s[i] == 'x' && i+2 < len(s) {
				if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
					out = append(out, byte(v))
					i += 2
					continue
				}
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// stepWords are the steps as people call them; of decoders that are not in it
// the name will do.
var stepWords = map[string]string{
	"frame": "WebSocket message", "upload": "file sent in pieces",
	"br": "Brotli", "charset": "characters", "permessage-deflate": "WebSocket compression",
	"json": "JSON value", "ndjson": "JSON document number", "jsonp": "JSONP call", "xml": "XML value", "plist": "property list value",
	"vobject": "vCard or calendar property", "mail": "mail message", "envelope": "envelope item", "graphql": "GraphQL value",
	"form": "form field", "multipart": "multipart field", "path": "path segment number", "url": "parameter of the URL:",
	"engineio": "Engine.IO packet", "socketio": "Socket.IO event", "sockjs": "SockJS messages", "signalr": "SignalR message", "stomp": "STOMP frame",
	"grpc": "gRPC message", "protobuf": "protobuf field", "msgpack": "MessagePack value", "cbor": "CBOR value", "bson": "BSON value",
	"zip": "file in ZIP archive", "tar": "file in tar archive", "sqlite": "SQLite value", "mqtt": "MQTT packet", "mms": "multimedia message",
	"pdu": "SMS PDU", "data": "data: URI", "scheme": "credentials", "jwt": "JWT", "percent": "percent-encoding", "transfer": "transfer encoding",
	"escape": "escaped JSON", "uuencode": "uuencoded file", "narrow": "binary string", "hex": "hexadecimal", "aes": "AES with published key", "image": "text in the picture number", "http": "HTTP message",
}

// Words describes p for people, outermost layer first: "request body, gzip,
// form field data_list, base64, JSON value [0].imei".
func (p Path) Words() string {
	var out []string
	for i, step := range p.Steps() {
		name, arg := SplitStep(step)
		if i == 0 {
			name = strings.ReplaceAll(name, ".", " ")
		}
		switch w := stepWords[name]; {
		case arg == "" && name == "json":
			name = "JSON string"
		case w != "":
			name = w
		}
		if arg != "" {
			name += " " + Excerpt([]byte(arg), 0, len(arg))
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}
