package decode

import (
	"bytes"
	"mime"
	"strconv"
	"strings"

	"constat/inspect"
)

// Multipart takes multipart bodies apart. The argument is the field's name, or
// the number of the part if it has none; a file's name is a part of its own,
// under the argument of the file with "@filename" behind it.
var Multipart = inspect.Decoder{
	Name:   "multipart",
	Doc:    "takes multipart bodies apart (RFC 2046 section 5.1, RFC 7578), by the declared boundary or the first line",
	Min:    8,
	Holds:  inspect.Hyphens,
	Decode: decodeMultipart,
}

const (
	longestBoundary = 70      // RFC 2046 section 5.1.1
	longestHead     = 8 << 10 // header of one part
)

func decodeMultipart(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	boundary := findBoundary(p)
	if boundary == nil {
		return nil, nil
	}
	delimiter := append([]byte("\r\n--"), boundary...)
	d := p.Data
	// The first delimiter has no line break before it when there is no preamble.
	if bytes.HasPrefix(d, delimiter[2:]) {
		d = d[len(delimiter)-2:]
	} else if i := bytes.Index(d, delimiter); i >= 0 {
		d = d[i+len(delimiter):]
	} else {
		return nil, nil
	}
	var children []inspect.Child
	var seen names
	for {
		if bytes.HasPrefix(d, []byte("--")) {
			return children, nil
		}
		i := bytes.IndexByte(d, '\n') // after transport padding
		if i < 0 {
			return children, broken("multipart", errEnd)
		}
		d = d[i+1:]
		content, rest, ended := bytes.Cut(d, delimiter)
		if len(children)+2 > w.Parts() {
			return children, inspect.ErrParts
		}
		if len(content) > 0 || ended {
			children = appendPart(children, &seen, content)
		}
		if !ended {
			return children, broken("multipart", errEnd)
		}
		d = rest
	}
}

// findBoundary returns the declared boundary, else the one that the first line
// shows, else nil.
func findBoundary(p *inspect.Part) []byte {
	if strings.HasPrefix(p.Media, "multipart/") {
		if _, params, err := mime.ParseMediaType(p.ContentType); err == nil {
			if b := params["boundary"]; b != "" && len(b) <= longestBoundary {
				return []byte(b)
			}
		}
	}
	d := p.Data
	if d[0] != '-' || d[1] != '-' {
		return nil
	}
	line, _, ok := bytes.Cut(d[2:min(len(d), longestBoundary+4)], []byte("\r\n"))
	if !ok || len(line) < 4 {
		return nil
	}
	for _, c := range line {
		if class[c]&graph == 0 {
			return nil
		}
	}
	if rest := d[2+len(line)+2:]; len(rest) < 8 || !bytes.EqualFold(rest[:8], []byte("content-")) {
		return nil
	}
	return bytes.Clone(line)
}

// appendPart appends what stands between two delimiters: a header, an empty
// line, the content.
func appendPart(children []inspect.Child, seen *names, b []byte) []inspect.Child {
	c := inspect.Child{}
	var file, transfer string
	for head := b[:min(len(b), longestHead)]; ; {
		line, rest, ok := bytes.Cut(head, []byte("\n"))
		if !ok {
			c.Data = b // no header after all
			break
		}
		head, b = rest, b[len(line)+1:]
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			c.Data = b
			break
		}
		key, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(key, []byte("Content-Disposition")):
			c.Name, file = disposition(string(value))
		case bytes.EqualFold(key, []byte("Content-Type")):
			c.ContentType = string(value)
		case bytes.EqualFold(key, []byte("Content-Encoding")):
			c.Coding = string(value)
		case bytes.EqualFold(key, []byte("Content-Transfer-Encoding")):
			transfer = transferCoding(string(value))
		}
	}
	if transfer != "" { // comes off first
		c.Coding = strings.TrimPrefix(c.Coding+", "+transfer, ", ")
	}
	name := c.Name
	if name == "" {
		name = strconv.Itoa(seen.count)
	}
	c.Arg = seen.unique(name)
	children = append(children, c)
	if file != "" {
		children = append(children, inspect.Child{Arg: seen.unique(c.Arg + "@filename"), Name: "filename", Kind: inspect.Text, Data: []byte(file)})
	}
	return children
}

// disposition reads the parameters of a Content-Disposition (RFC 7578 section
// 4.2). Senders that write names unescaped are read as far as they go.
func disposition(value string) (name, file string) {
	if _, params, err := mime.ParseMediaType(value); err == nil {
		return params["name"], params["filename"]
	}
	return quoted(value, `name="`), quoted(value, `filename="`)
}

func quoted(value, before string) string {
	for i := 0; ; {
		n := strings.Index(value[i:], before)
		if n < 0 {
			return ""
		}
		i += n
		if i == 0 || value[i-1] == ' ' || value[i-1] == ';' {
			text, _, _ := strings.Cut(value[i+len(before):], `"`)
			return text
		}
		i += len(before)
	}
}
