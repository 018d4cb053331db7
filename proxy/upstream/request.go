package upstream

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// maxRequestHead bounds the head of a request, in bytes: what net/http's server
// takes in, doubled for the canonical form.
const maxRequestHead = 2 << 20

// framing is how a request's body is delimited.
type framing struct {
	size    int64 // in bytes; -1 when chunked
	chunked bool
	expect  bool // the client waits for 100 (Continue) before it sends the body
	upgrade bool // the client asks for another protocol on the connection
}

// frame returns the framing that r's own fields say.
func frame(r *http.Request) (framing, error) {
	f := framing{size: r.ContentLength}
	switch te := r.TransferEncoding; {
	case len(te) == 1 && te[0] == "chunked":
		f.chunked = true
	case len(te) > 0 && !(len(te) == 1 && te[0] == "identity"):
		return f, errors.New("unsupported transfer coding")
	}
	if r.Body == nil || r.Body == http.NoBody {
		if f.size > 0 {
			return f, errors.New("a body is announced and missing")
		}
		if !f.chunked {
			f.size = 0
		}
	}
	if f.size < 0 || f.chunked {
		f.size, f.chunked = -1, true
	}
	f.expect = f.size != 0 && httpguts.HeaderValuesContainsToken(r.Header["Expect"], "100-continue")
	return f, nil
}

// appendRequest appends the head of r to dst: as the client wrote it in head, or
// in canonical form when that is nil. The errors are about the client's request.
func appendRequest(dst []byte, r *http.Request, head []byte) ([]byte, framing, error) {
	f, err := frame(r)
	if err != nil {
		return dst, f, err
	}
	if r.Method == http.MethodConnect {
		return dst, f, errors.New("CONNECT cannot be passed on")
	}
	if head == nil {
		dst, err = appendCanonical(dst, r, &f)
		return dst, f, err
	}
	dst, err = appendHead(dst, r, head, &f)
	return dst, f, err
}

// The fields that a head's framing and routing hang on.
type headFacts struct {
	lengths, codings, hosts int
	nominated               map[string]bool // by Connection, in lower case, but close, keep-alive and upgrade
	upgrade                 bool            // nominated by Connection
	h2c                     bool            // Upgrade asks for cleartext HTTP/2
}

// appendHead appends the client's head line by line, without what concerns its
// own connection only (RFC 9110, section 7.6.1).
func appendHead(dst []byte, r *http.Request, head []byte, f *framing) ([]byte, error) {
	if len(head) > maxRequestHead {
		return dst, errors.New("the head is too long")
	}
	line, fields, err := cutLine(head)
	if err != nil {
		return dst, err
	}
	dst, old, err := appendStart(dst, r, line)
	if err != nil {
		return dst, err
	}
	facts, err := survey(fields, f)
	if err != nil {
		return dst, err
	}
	switch {
	case facts.codings > 0 && (!f.chunked || facts.lengths > 0 || old):
		return dst, errors.New("contradictory framing")
	case facts.codings == 0 && f.chunked, facts.lengths == 0 && f.size > 0:
		return dst, errors.New("the framing differs from the head's")
	case facts.hosts > 1, facts.hosts == 0 && !old:
		return dst, errors.New("there must be one Host field")
	}
	f.expect = f.expect && !old
	f.upgrade = facts.upgrade && !facts.h2c && !old
	for len(fields) > 2 {
		line, fields, _ = cutLine(fields)
		if facts.pass(line, f.upgrade) {
			dst = append(dst, line...)
			dst = append(dst, '\r', '\n')
		}
	}
	return append(dst, '\r', '\n'), nil
}

// cutLine cuts the first line off head. Lines end with CR LF and hold no control
// character but tabs.
func cutLine(head []byte) (line, rest []byte, err error) {
	i := bytes.IndexByte(head, '\n')
	if i < 1 || head[i-1] != '\r' {
		return nil, nil, errors.New("a line of the head does not end with CR LF")
	}
	line = head[:i-1]
	for _, c := range line {
		if c < ' ' && c != '\t' || c == 0x7f {
			return nil, nil, errors.New("a control character in the head")
		}
	}
	return line, head[i+1:], nil
}

// appendStart appends the request line with its target in origin form, and says
// whether it is HTTP/1.0.
func appendStart(dst []byte, r *http.Request, line []byte) (_ []byte, old bool, err error) {
	method, rest, ok1 := bytes.Cut(line, []byte(" "))
	target, version, ok2 := bytes.Cut(rest, []byte(" "))
	switch {
	case !ok1, !ok2, string(method) != r.Method, !isToken(method):
		return dst, false, errors.New("malformed request line")
	case string(version) == "HTTP/1.0":
		old = true
	case string(version) != "HTTP/1.1":
		return dst, false, errors.New("unsupported version in the request line")
	}
	if len(target) == 0 || bytes.IndexByte(target, '\t') >= 0 {
		return dst, false, errors.New("malformed request target")
	}
	dst = append(append(dst, method...), ' ')
	if target[0] != '/' && string(target) != "*" { // absolute form
		_, after, ok := bytes.Cut(target, []byte("://"))
		if !ok {
			return dst, false, errors.New("malformed request target")
		}
		end := bytes.IndexAny(after, "/?#")
		if end < 0 {
			end = len(after)
		}
		switch target = after[end:]; {
		case len(target) == 0 && r.Method == http.MethodOptions:
			target = []byte("*")
		case len(target) == 0 || target[0] != '/':
			dst = append(dst, '/')
		}
	}
	dst = append(append(dst, target...), ' ')
	return append(append(dst, version...), '\r', '\n'), old, nil
}

// survey checks every field line, the end of the head, and its framing against f.
func survey(fields []byte, f *framing) (headFacts, error) {
	var facts headFacts
	for {
		line, rest, err := cutLine(fields)
		if err != nil {
			return facts, err
		}
		fields = rest
		if len(line) == 0 {
			if len(fields) > 0 {
				return facts, errors.New("bytes behind the head")
			}
			return facts, nil
		}
		i := bytes.IndexByte(line, ':')
		if i < 1 || !isToken(line[:i]) {
			return facts, errors.New("malformed field name") // a folded line too
		}
		name, value := line[:i], bytes.Trim(line[i+1:], " \t")
		switch {
		case is(name, "content-length"):
			n, err := parseLength(string(value))
			if err != nil || n != f.size {
				return facts, errors.New("malformed or contradictory Content-Length")
			}
			if facts.lengths++; facts.lengths > 1 { // equal ones too: not everybody reads them alike
				return facts, errors.New("more than one Content-Length")
			}
		case is(name, "transfer-encoding"):
			if facts.codings++; facts.codings > 1 || !is(value, "chunked") {
				return facts, errors.New("unsupported transfer coding")
			}
		case is(name, "host"):
			facts.hosts++
		case is(name, "upgrade"):
			facts.h2c = facts.h2c || bytes.Contains(bytes.ToLower(value), []byte("h2c"))
		case is(name, "connection"):
			facts.nominate(value)
		}
	}
}

// nominate takes in the options of a Connection field.
func (h *headFacts) nominate(value []byte) {
	for option := range strings.SplitSeq(strings.ToLower(string(value)), ",") {
		switch option = strings.Trim(option, " \t"); option {
		case "upgrade":
			h.upgrade = true
		case "", "close", "keep-alive", "te",
			// These are for the server, whatever the client says.
			"host", "content-length", "transfer-encoding", "trailer", "expect", "connection", "authorization", "cookie":
		default:
			if h.nominated == nil {
				h.nominated = map[string]bool{}
			}
			h.nominated[option] = true
		}
	}
}

// pass says whether a field line goes on to the server.
func (h *headFacts) pass(line []byte, upgrade bool) bool {
	name, value, _ := bytes.Cut(line, []byte(":"))
	if len(name) == len("upgrade") && is(name, "upgrade") {
		return upgrade
	}
	if upgrade && is(name, "connection") {
		return true
	}
	if hopByHop(name) {
		return false
	}
	if is(name, "te") {
		return is(bytes.Trim(value, " \t"), "trailers")
	}
	return h.nominated == nil || !h.nominated[strings.ToLower(string(name))]
}

// hopByHop says whether a field concerns the client's connection to the proxy only.
func hopByHop(name []byte) bool {
	switch len(name) {
	case len("connection"): // and keep-alive
		return is(name, "connection") || is(name, "keep-alive")
	case len("proxy-connection"):
		return is(name, "proxy-connection")
	case len("proxy-authorization"):
		return is(name, "proxy-authorization")
	case len("proxy-authenticate"):
		return is(name, "proxy-authenticate")
	case len("http2-settings"):
		return is(name, "http2-settings")
	}
	return false
}

// appendCanonical writes the head from r's fields: Host first, then by name.
func appendCanonical(dst []byte, r *http.Request, f *framing) ([]byte, error) {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	target := r.URL.RequestURI()
	if !isToken(r.Method) || !validTarget(target) || !validTarget(host) {
		return dst, errors.New("malformed request line")
	}
	dst = append(append(dst, r.Method...), ' ')
	dst = append(append(dst, target...), " HTTP/1.1\r\nHost: "...)
	dst = append(append(dst, host...), '\r', '\n')

	var facts headFacts
	for _, v := range r.Header["Connection"] {
		facts.nominate([]byte(v))
	}
	for _, v := range r.Header["Upgrade"] {
		facts.h2c = facts.h2c || strings.Contains(strings.ToLower(v), "h2c")
	}
	f.upgrade = facts.upgrade && !facts.h2c && len(r.Header["Upgrade"]) > 0

	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch http.CanonicalHeaderKey(name) {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			continue // written from r's own fields
		}
		if !isToken(name) {
			return dst, errors.New("malformed field name")
		}
		for _, v := range r.Header[name] {
			if !httpguts.ValidHeaderFieldValue(v) {
				return dst, errors.New("malformed field value")
			}
			start := len(dst)
			dst = append(append(append(dst, name...), ": "...), v...)
			if !facts.pass(dst[start:], f.upgrade) {
				dst = dst[:start]
				continue
			}
			dst = append(dst, '\r', '\n')
		}
	}
	return appendFraming(dst, r, f)
}

func appendFraming(dst []byte, r *http.Request, f *framing) ([]byte, error) {
	if f.chunked {
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
		names := make([]string, 0, len(r.Trailer))
		for name := range r.Trailer {
			if !isToken(name) {
				return dst, errors.New("malformed field name")
			}
			names = append(names, name)
		}
		if slices.Sort(names); len(names) > 0 {
			dst = append(append(dst, "Trailer: "...), strings.Join(names, ", ")...)
			dst = append(dst, '\r', '\n')
		}
	} else if f.size > 0 || r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
		dst = strconv.AppendInt(append(dst, "Content-Length: "...), f.size, 10)
		dst = append(dst, '\r', '\n')
	}
	return append(dst, '\r', '\n'), nil
}

// is compares a name with a lower-case one, without regard to ASCII case.
func is(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// validTarget says whether s can stand in a line between spaces.
func validTarget(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return len(s) > 0
}

// parseLength parses a Content-Length: digits only, and no number that an int64
// would not hold.
func parseLength(s string) (int64, error) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, errors.New("malformed Content-Length")
		}
	}
	return strconv.ParseInt(s, 10, 63)
}
