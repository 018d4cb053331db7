package decode

import (
	"bytes"

	"constat/inspect"
)

// HTTP takes requests and answers apart that stand inside another one, as in the
// parts of a batch. The target's query, the header fields and the body are its
// pieces; the fields are a record.
var HTTP = inspect.Decoder{
	Name:   "http",
	Doc:    "takes HTTP/1.1 messages apart (RFC 9112 section 2.1) that stand inside another one, as batches do (application/http)",
	Min:    16,
	First:  uppers,
	Holds:  inspect.Newlines,
	Decode: decodeHTTP,
}

// longestLine bounds the start line of a message.
const longestLine = 8 << 10

func decodeHTTP(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	head := p.Data[:min(len(p.Data), longestLine)]
	line, _, ok := bytes.Cut(head, []byte("\n"))
	if !ok {
		return nil, nil
	}
	rest := p.Data[len(line)+1:]
	target, ok := startLine(bytes.TrimRight(line, "\r"))
	if !ok {
		return nil, nil
	}
	var children []inspect.Child
	var seen names
	if path, query, _ := bytes.Cut(target, []byte("?")); len(target) > 1 {
		children = append(children, inspect.Child{Arg: seen.unique("path"), Name: "path", Group: "target", Kind: inspect.Text, Data: path})
		if len(query) > 0 {
			children = append(children, inspect.Child{
				Arg: seen.unique("query"), Name: "query", Group: "target", ContentType: "application/x-www-form-urlencoded", Data: query,
			})
		}
	}
	body := inspect.Child{Arg: seen.unique("body"), Name: "body", Group: "body"}
	for len(rest) > 0 {
		line, after := mailField(rest)
		rest = after
		if len(line) == 0 {
			body.Data = rest
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || len(name) == 0 || len(name) > 128 || bytes.ContainsAny(name, " \t") {
			return children, broken("http", errField)
		}
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Type")):
			body.ContentType = string(value)
		case bytes.EqualFold(name, []byte("Content-Encoding")):
			body.Coding = string(value)
		case len(value) == 0:
		default:
			if len(children)+2 > w.Parts() {
				return children, inspect.ErrParts
			}
			children = append(children, inspect.Child{Arg: seen.unique("header." + string(name)), Name: string(name), Group: "header", Kind: inspect.Text, Data: value})
		}
	}
	if len(body.Data) > 0 {
		children = append(children, body)
	}
	return children, nil
}

// startLine reads a request line, whose target it returns, or a status line
// (RFC 9112 sections 3 and 4).
func startLine(line []byte) (target []byte, ok bool) {
	if bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return nil, len(line) >= 12 && line[8] == ' ' && digits(line[9:]) == 3
	}
	method, rest, _ := bytes.Cut(line, []byte(" "))
	target, version, ok := bytes.Cut(rest, []byte(" "))
	if len(method) < 3 || len(method) > 12 || len(target) == 0 || ok && !bytes.HasPrefix(version, []byte("HTTP/")) {
		return nil, false
	}
	for _, c := range method {
		if class[c]&upper == 0 {
			return nil, false
		}
	}
	isURL := bytes.HasPrefix(target, []byte("http://")) || bytes.HasPrefix(target, []byte("https://"))
	// Batches leave the version out; then the path must show what it is.
	return target, (ok || bytes.HasPrefix(target, []byte("/"))) && (target[0] == '/' || isURL)
}
