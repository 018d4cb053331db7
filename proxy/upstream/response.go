package upstream

import (
	"bytes"
	"errors"
	"net/http"
	"net/textproto"
	"strings"
)

// maxFields bounds the field lines of a response, trailers apart.
const maxFields = 2000

// bodyKind is how the body of a response is delimited (RFC 9112, section 6.3).
type bodyKind int

const (
	bodyNone bodyKind = iota
	bodyLength
	bodyChunked
	bodyUntilClose
	bodyUpgraded
)

// headEnd returns the length of the head at the start of b with its empty line, or
// 0 when it is not complete. The bytes before from have been looked at.
func headEnd(b []byte, from int) int {
	for i := max(from-3, 0); ; {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return 0
		}
		i += n + 1
		if i < len(b) && b[i] == '\n' {
			return i + 1
		}
		if i+1 < len(b) && b[i] == '\r' && b[i+1] == '\n' {
			return i + 2
		}
	}
}

// parseHead parses the head of a response to r. It is strict where two readers
// could differ; lines may end with a bare LF (RFC 9112, section 2.2).
// keep says whether the connection can carry another request.
func parseHead(head string, r *http.Request) (resp *http.Response, kind bodyKind, keep bool, err error) {
	start, rest, err := cutString(head)
	if err != nil {
		return nil, 0, false, err
	}
	resp = &http.Response{Request: r, ProtoMajor: 1}
	if err := parseStart(start, resp); err != nil {
		return nil, 0, false, err
	}
	if resp.Header, err = parseFields(rest, maxFields); err != nil {
		return nil, 0, false, err
	}
	kind, err = delimit(resp, r.Method)
	if err != nil {
		return nil, 0, false, err
	}
	keep = resp.ProtoMinor >= 1
	for _, v := range resp.Header["Connection"] {
		for option := range strings.SplitSeq(v, ",") {
			switch option = strings.Trim(option, " \t"); {
			case strings.EqualFold(option, "close"):
				keep, resp.Close = false, true
			case strings.EqualFold(option, "keep-alive") && !resp.Close:
				keep = true
			}
		}
	}
	if kind == bodyUntilClose {
		keep = false
	}
	resp.Close = !keep
	return resp, kind, keep, nil
}

// cutString cuts the first line off s, which has a complete one.
func cutString(s string) (line, rest string, err error) {
	line, rest, ok := strings.Cut(s, "\n")
	if !ok {
		return "", "", errors.New("a line does not end")
	}
	line = strings.TrimSuffix(line, "\r")
	for i := range len(line) {
		if c := line[i]; c < ' ' && c != '\t' || c == 0x7f {
			return "", "", errors.New("a control character in the head")
		}
	}
	return line, rest, nil
}

// parseStart parses a status line into resp.
func parseStart(line string, resp *http.Response) error {
	if len(line) < len("HTTP/1.1 200") || line[:len("HTTP/1.")] != "HTTP/1." || line[8] != ' ' {
		return errors.New("malformed status line")
	}
	switch line[7] {
	case '0':
		resp.Proto = "HTTP/1.0"
	case '1':
		resp.Proto, resp.ProtoMinor = "HTTP/1.1", 1
	default:
		return errors.New("unsupported version in the status line")
	}
	resp.Status = line[9:]
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return errors.New("malformed status code")
		}
		resp.StatusCode = resp.StatusCode*10 + int(c-'0')
	}
	if resp.StatusCode < 100 || len(line) > 12 && line[12] != ' ' {
		return errors.New("malformed status code")
	}
	return nil
}

// parseFields parses field lines up to the empty line that ends them.
func parseFields(s string, limit int) (http.Header, error) {
	n := strings.Count(s, "\n")
	if n > limit+1 {
		return nil, errors.New("too many fields")
	}
	header := make(http.Header, n)
	values := make([]string, n)
	for {
		line, rest, err := cutString(s)
		if err != nil {
			return nil, err
		}
		if s = rest; line == "" {
			return header, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			return nil, errors.New("malformed field name") // a folded line too
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		if old := header[name]; old != nil {
			header[name] = append(old, strings.Trim(value, " \t"))
			continue
		}
		values[0] = strings.Trim(value, " \t")
		header[name], values = values[:1:1], values[1:]
	}
}

// delimit finds how the body of resp ends, and takes the framing fields out of its
// header as net/http does.
func delimit(resp *http.Response, method string) (bodyKind, error) {
	length, chunked, err := framingFields(resp)
	if err != nil {
		return 0, err
	}
	resp.ContentLength = length
	status := resp.StatusCode
	switch {
	case status == http.StatusSwitchingProtocols:
		return bodyUpgraded, nil
	case status < 200, status == http.StatusNoContent:
		resp.ContentLength = 0
		return bodyNone, nil
	case status == http.StatusNotModified, method == http.MethodHead:
		return bodyNone, nil
	case chunked:
		resp.TransferEncoding = []string{"chunked"}
		announce(resp)
		return bodyChunked, nil
	case length > 0:
		return bodyLength, nil
	case length == 0:
		return bodyNone, nil
	}
	return bodyUntilClose, nil
}

// framingFields returns the Content-Length of resp, -1 when there is none, and
// whether it is chunked.
func framingFields(resp *http.Response) (length int64, chunked bool, err error) {
	length = -1
	lengths := resp.Header["Content-Length"]
	for i, v := range lengths {
		n, err := parseLength(v)
		if err != nil || i > 0 && n != length {
			return 0, false, errors.New("malformed or contradictory Content-Length")
		}
		length = n
	}
	if len(lengths) > 1 {
		resp.Header["Content-Length"] = lengths[:1]
	}
	codings := resp.Header["Transfer-Encoding"]
	if codings == nil {
		return length, false, nil
	}
	switch {
	case len(codings) > 1 || !strings.EqualFold(codings[0], "chunked"):
		return 0, false, errors.New("unsupported transfer coding")
	case length >= 0:
		return 0, false, errors.New("both Content-Length and Transfer-Encoding")
	case resp.ProtoMinor == 0:
		return 0, false, errors.New("a transfer coding in HTTP/1.0")
	}
	delete(resp.Header, "Transfer-Encoding")
	return -1, true, nil
}

// announce moves the names in Trailer fields to resp.Trailer.
func announce(resp *http.Response) {
	for _, v := range resp.Header["Trailer"] {
		for name := range strings.SplitSeq(v, ",") {
			name = textproto.CanonicalMIMEHeaderKey(strings.Trim(name, " \t"))
			if !isToken(name) || !trailing(name) {
				continue
			}
			if resp.Trailer == nil {
				resp.Trailer = make(http.Header)
			}
			resp.Trailer[name] = nil
		}
	}
	delete(resp.Header, "Trailer")
}

// trailing says whether a field may stand in a trailer: it must not change how the
// message is framed or routed, nor say who sends it (RFC 9110, section 6.5.1).
func trailing(name string) bool {
	switch name {
	case "Content-Length", "Transfer-Encoding", "Trailer", "Host", "Connection", "Proxy-Authorization":
		return false
	}
	return true
}
