package inspecttest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/tools/txtar"

	"constat/inspect"
	"constat/proxy/flow"
)

// Case is one case file.
type Case struct {
	File    string
	Subject *inspect.Subject
	Persona []byte   // nil when there is none
	Want    []string // lines of the file want

	archive *txtar.Archive
}

// Load reads a case file.
func Load(file string) (*Case, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c, err := parse(txtar.Parse(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	c.File = file
	return c, nil
}

func parse(a *txtar.Archive) (*Case, error) {
	if len(bytes.TrimSpace(a.Comment)) == 0 {
		return nil, fmt.Errorf("no prose in front that says where the case comes from")
	}
	c := &Case{archive: a, Subject: &inspect.Subject{Server: netip.MustParseAddr("192.0.2.1")}}
	pieces := make(map[string][]byte) // by name, for {{name}}
	var request, response bool
	for _, f := range a.Files {
		name, steps := splitName(f.Name)
		data, err := apply(expand(f.Data, pieces), steps)
		if err != nil {
			return nil, fmt.Errorf("file %s: %w", f.Name, err)
		}
		switch name {
		case "request":
			request, err = true, c.request(data)
		case "request.body":
			c.Subject.Request.Body = data
		case "response":
			response, err = true, c.response(data)
		case "response.body":
			c.Subject.Response.Body = data
		case "frame-up":
			c.Subject.Frame, c.Subject.FrameDirection, c.Subject.FrameText = data, flow.Up, utf8.Valid(data)
		case "frame-down":
			c.Subject.Frame, c.Subject.FrameDirection, c.Subject.FrameText = data, flow.Down, utf8.Valid(data)
		case "window":
			c.Subject.FrameDeflated, c.Subject.FrameWindow = true, data
		case "upload":
			c.Subject.Upload = &inspect.Upload{Data: data, Exchanges: []int64{1, 2}}
		case "persona":
			c.Persona = f.Data
		case "want":
			c.Want = lines(f.Data)
		default:
			piece, ok := strings.CutPrefix(name, "part.")
			if !ok {
				return nil, fmt.Errorf("unknown file %s", f.Name)
			}
			pieces[piece] = data
		}
		if err != nil {
			return nil, fmt.Errorf("file %s: %w", f.Name, err)
		}
	}
	if !request {
		return nil, fmt.Errorf("no file request")
	}
	if !response && c.Subject.Response.Body != nil {
		return nil, fmt.Errorf("response.body without response")
	}
	return c, nil
}

// splitName cuts "request.body gzip tob64" into the name and the steps.
func splitName(file string) (name string, steps []string) {
	words := strings.Fields(file)
	if len(words) == 0 {
		return "", nil
	}
	return words[0], words[1:]
}

// expand puts the pieces into the places {{name}}.
func expand(data []byte, pieces map[string][]byte) []byte {
	for name, piece := range pieces {
		data = bytes.ReplaceAll(data, []byte("{{"+name+"}}"), piece)
	}
	return data
}

func lines(data []byte) []string {
	var out []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// head splits wire bytes, with LF or CRLF, into the start line, the header and
// the body. A body in the same file loses the newline that ends the file.
func head(data []byte) (start string, h http.Header, body []byte, err error) {
	r := bufio.NewReader(bytes.NewReader(data))
	if start, err = r.ReadString('\n'); err != nil {
		return "", nil, nil, fmt.Errorf("no start line")
	}
	h = make(http.Header)
	for {
		line, err := r.ReadString('\n')
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			body, _ = io.ReadAll(r)
			return strings.TrimRight(start, "\r\n"), h, bytes.TrimSuffix(body, []byte("\n")), nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return "", nil, nil, fmt.Errorf("header line %q has no colon", line)
		}
		h.Add(name, strings.TrimSpace(value))
		if err != nil {
			return strings.TrimRight(start, "\r\n"), h, nil, nil
		}
	}
}

func (c *Case) request(data []byte) error {
	start, h, body, err := head(data)
	if err != nil {
		return err
	}
	words := strings.Fields(start)
	if len(words) != 3 {
		return fmt.Errorf("start line %q", start)
	}
	s := c.Subject
	s.Method, s.Scheme, s.Host = words[0], "https", h.Get("Host")
	target := words[1]
	if u, err := url.Parse(target); err == nil && u.Host != "" { // absolute form
		s.Scheme, s.Host = u.Scheme, u.Host
		target = strings.TrimPrefix(target, u.Scheme+"://"+u.Host)
	}
	s.Path, s.Query, _ = strings.Cut(target, "?")
	s.Request = inspect.Content{Header: h, Body: body}
	return nil
}

func (c *Case) response(data []byte) error {
	start, h, body, err := head(data)
	if err != nil {
		return err
	}
	words := strings.Fields(start)
	if len(words) < 2 {
		return fmt.Errorf("start line %q", start)
	}
	if c.Subject.Status, err = strconv.Atoi(words[1]); err != nil {
		return fmt.Errorf("start line %q", start)
	}
	c.Subject.Response = inspect.Content{Header: h, Body: body}
	return nil
}

// apply runs the steps over data. The newline that ends the file is dropped
// first, unless data is to be kept as it is written or is not a body at all.
func apply(data []byte, steps []string) ([]byte, error) {
	if len(steps) > 0 {
		data = bytes.TrimSuffix(data, []byte("\n"))
	}
	for _, name := range steps {
		var err error
		switch name {
		case "text": // drops the last newline, which any step does
		case "crlf":
			data = bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
		case "hex":
			data, err = hex.DecodeString(strings.Join(strings.Fields(string(data)), ""))
		case "b64":
			data, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(data)), ""))
		case "tohex":
			data = []byte(hex.EncodeToString(data))
		case "tob64":
			data = []byte(base64.StdEncoding.EncodeToString(data))
		case "tob64url":
			data = []byte(base64.RawURLEncoding.EncodeToString(data))
		case "percent":
			data = []byte(url.QueryEscape(string(data)))
		case "string":
			data = []byte(strings.Trim(strconv.Quote(string(data)), `"`))
		case "half":
			data = data[:len(data)/2]
		default:
			data, err = compress(name, data)
		}
		if err != nil {
			return nil, fmt.Errorf("step %s: %w", name, err)
		}
	}
	return data, nil
}

func compress(name string, data []byte) ([]byte, error) {
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch name {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zlib":
		w = zlib.NewWriter(&b)
	case "deflate":
		w, err = flate.NewWriter(&b, flate.DefaultCompression)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	default:
		return nil, fmt.Errorf("unknown")
	}
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}
