package report

import (
	"fmt"
	"strconv"
	"strings"

	"constat/inspect"
)

// roots says what the first step of a path takes.
var roots = map[string]string{
	"request.host":    "Take the host name that the request went to",
	"request.path":    "Take the path of the request's address",
	"request.query":   "Take the query of the request's address",
	"request.header":  "Take the header fields of the request",
	"request.cookie":  "Take the cookies that the request carries",
	"request.body":    "Take the body of the request as it was on the wire",
	"response.header": "Take the header fields of the response",
	"response.cookie": "Take the cookies that the response sets",
	"response.body":   "Take the body of the response as it was on the wire",
	"frame":           "Take the WebSocket message",
	"upload":          "Put the file together from the requests that it was sent in",
}

// deeds says what a decoder does; %s is its argument in quotation marks.
var deeds = map[string]struct{ plain, of string }{
	"gzip":               {"unpack it with gzip", ""},
	"deflate":            {"unpack it with deflate", ""},
	"zstd":               {"unpack it with zstd", ""},
	"br":                 {"unpack it with Brotli", ""},
	"charset":            {"turn its characters into UTF-8", "turn its characters from %s into UTF-8"},
	"json":               {"read it as JSON", "read it as JSON and take the value at %s"},
	"ndjson":             {"read it as lines of JSON", "read it as lines of JSON and take line %s"},
	"form":               {"read it as the fields of a form", "read it as the fields of a form and take %s"},
	"multipart":          {"read it as a multipart message", "read it as a multipart message and take the part %s"},
	"path":               {"split it at its slashes", "split it at its slashes and take piece %s"},
	"url":                {"read it as an address", "read it as an address and take its %s"},
	"data":               {"read it as a data: address and take what it holds", ""},
	"scheme":             {"take the credentials after the name of the scheme", "take the credentials after the scheme %s"},
	"jwt":                {"read it as a signed token (JWT)", "read it as a signed token (JWT) and take its %s"},
	"percent":            {"undo the percent-encoding", ""},
	"base64":             {"decode it from Base64", ""},
	"hex":                {"decode it from hexadecimal digits", ""},
	"permessage-deflate": {"unpack it as compressed WebSocket messages are, with what came before it", ""},
	"jsonp":              {"take the argument of the script's one call", ""},
	"xml":                {"read it as XML", "read it as XML and take %s"},
	"plist":              {"read it as a property list", "read it as a property list and take the value at %s"},
	"vobject":            {"read it as a vCard or calendar", "read it as a vCard or calendar and take %s"},
	"mail":               {"read it as a mail message", "read it as a mail message and take %s"},
	"envelope":           {"read it as a Sentry envelope", "read it as a Sentry envelope and take item %s"},
	"graphql":            {"read it as a GraphQL document", "read it as a GraphQL document and take the value %s"},
	"engineio":           {"read it as an Engine.IO packet", "read it as Engine.IO packets and take number %s"},
	"socketio":           {"take the data of the Socket.IO packet", "take the data %s of the Socket.IO packet"},
	"sockjs":             {"take the messages of the SockJS frame", ""},
	"signalr":            {"read it as SignalR messages", "read it as SignalR messages and take number %s"},
	"stomp":              {"read it as STOMP frames", "read it as STOMP frames and take %s"},
	"grpc":               {"take the message out of its gRPC frame", "read it as gRPC frames and take %s"},
	"protobuf":           {"read it as Protocol Buffers", "read it as Protocol Buffers and take the field %s"},
	"msgpack":            {"read it as MessagePack", "read it as MessagePack and take the value at %s"},
	"cbor":               {"read it as CBOR", "read it as CBOR and take the value at %s"},
	"bson":               {"read it as BSON", "read it as BSON and take the value at %s"},
	"zip":                {"open the ZIP archive", "open the ZIP archive and take the file %s"},
	"tar":                {"open the tar archive", "open the tar archive and take the file %s"},
	"sqlite":             {"open the SQLite database", "open the SQLite database and take %s"},
	"mqtt":               {"read it as MQTT packets", "read it as MQTT packets and take %s"},
	"mms":                {"read it as a multimedia message (MMS)", "read it as a multimedia message (MMS) and take %s"},
	"pdu":                {"read it as a text message as networks carry it (SMS PDU)", "read it as a text message as networks carry it (SMS PDU) and take the %s"},
	"transfer":           {"undo the transfer encoding that the message declares", ""},
	"escape":             {"undo the escapes of a JSON string", ""},
	"base32":             {"decode it from Base32", ""},
	"ascii85":            {"decode it from Ascii85", ""},
	"uuencode":           {"decode it with uudecode", ""},
	"narrow":             {"take each character as one byte", ""},
	"http":               {"read it as an HTTP message", "read it as an HTTP message and take its %s"},
	"image":              {"read the head of the picture", ""},
	"aes":                {"decrypt it with a published AES key", "decrypt it with the published AES key %s"},
	"header":             {"read it as header fields", "take the field %s"},
	"cookie":             {"read it as cookies", "take the cookie %s"},
	"query":              {"read it as a query", "read it as a query and take %s"},
}

// stepsOf writes a path as steps in words. part, when not nil, is where it leads; its
// parents say how many bytes each step gave.
func stepsOf(path inspect.Path, part *inspect.Part) []string {
	steps := path.Steps()
	sizes := map[inspect.Path]int{}
	for p := part; p != nil; p = p.Parent {
		sizes[p.Path] = len(p.Data)
	}
	var out []string
	at := inspect.Path("")
	for i, step := range steps {
		name, arg := inspect.SplitStep(step)
		var s string
		if i == 0 {
			at = inspect.Path(step)
			s = roots[step]
			if s == "" {
				s = "Take " + strconv.Quote(short(step, 80))
			}
		} else {
			at += inspect.Path("|" + step)
			s = upper(deed(name, arg))
		}
		if n, ok := sizes[at]; ok {
			s += fmt.Sprintf(" (%s)", count(int64(n), "byte", "bytes"))
		}
		out = append(out, s+".")
	}
	return out
}

func deed(name, arg string) string {
	d, known := deeds[name]
	shown := "“" + short(arg, 200) + "”"
	switch {
	case !known && arg == "":
		return "decode it with " + strings.ReplaceAll(name, "_", " ")
	case !known:
		return "decode it with " + strings.ReplaceAll(name, "_", " ") + " and take " + shown
	case arg == "":
		return d.plain
	case d.of == "":
		return d.plain + " (" + shown + ")"
	}
	return fmt.Sprintf(d.of, shown)
}
