package proxy

import (
	"context"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"

	"constat/proxy/flow"
	"constat/proxy/upstream"
)

// exchange is one request on its way. It belongs to the handler's goroutine,
// except for the request body, which the upstream may read on another.
type exchange struct {
	p    *Proxy
	s    *stream
	w    *writer
	r    *http.Request
	to   target
	row  flow.Exchange
	call upstream.Call
	body requestBody
	resp *http.Response // being forwarded; nil for an answer of Constat's own
	ans  responseBody

	born   time.Time
	begun  bool // the row is open
	done   bool // the row is committed, or could not be
	broken bool // the client must not see a clean end

	interim sync.Mutex // guards the next two: 1xx responses may come on another goroutine
	final   bool       // none is passed on any more

	expected bool // "100 Continue" is sent; owned by the reader of the body
}

// newExchange returns the exchange of r and fills in what the request tells.
func newExchange(w *writer, r *http.Request, head []byte, to target, scheme string) *exchange {
	s := w.s
	now := time.Now()
	x := &exchange{p: s.conn.door.p, s: s, w: w, r: r, to: to, born: now}
	w.x = x
	x.row = flow.Exchange{
		Connection: s.conn.row.ID,
		Device:     s.conn.who.Device,
		App:        s.conn.who.App,
		Door:       s.conn.row.Door,
		Began:      now,
		Method:     r.Method,
		Scheme:     scheme,
		Host:       to.host,
		Port:       to.port,
	}
	if wantsUpgrade(r.Header, "websocket") {
		x.row.Scheme = "ws" + strings.TrimPrefix(scheme, "http")
	}
	x.row.Path, x.row.Query = pathAndQuery(r)
	x.row.Request.Proto = r.Proto
	if head != nil {
		x.row.Request.Head, x.row.Request.Exact = withoutPasswords(head)
	} else {
		x.row.Request.Head = requestHead(r)
	}
	if r.ProtoMajor == 3 && r.Trailer == nil {
		r.Trailer = http.Header{} // for fields that are not announced
	}
	x.body = requestBody{x: x, src: r.Body, length: r.ContentLength, trailer: r.Trailer}
	return x
}

// begin opens the row. Without it nothing is forwarded.
func (x *exchange) begin() error {
	if err := x.p.conf.Recorder.Begin(&x.row); err != nil {
		x.p.fail(err)
		x.done, x.broken = true, true
		return err
	}
	x.begun = true
	if x.body.src != nil && x.body.src != http.NoBody && x.body.length != 0 {
		x.body.rec = flow.NewBody(x.p.conf.Recorder, &x.row, x.p.conf.BodyLimit)
		x.row.Request.Body = x.body.rec
	}
	return nil
}

// commit completes the row and adds it to the log, once. problem is the row's
// error, empty when there is none. An error means that the client must not see
// the end of the answer.
func (x *exchange) commit(problem string) error {
	if x.done || !x.begun {
		return nil
	}
	x.done = true
	x.row.Request.Trailer = x.body.end()
	if x.ans.rec != nil {
		x.ans.rec.Close(x.ans.whole)
		if len(x.resp.Trailer) > 0 {
			x.row.Response.Trailer = appendFields(nil, x.resp.Trailer)
		}
	}
	if problem != "" && x.s.conn.wasCut() {
		problem = flow.ErrCutOff + ": Constat stopped while the exchange was open"
	}
	x.row.Error = problem
	x.row.Duration = time.Since(x.born)
	// What passed is recorded even if nobody waits for the answer any more.
	if err := x.p.conf.Recorder.Commit(context.Background(), &x.row); err != nil {
		x.p.fail(err)
		x.broken = true
		return err
	}
	return nil
}

// bodyless says that the response has no body whatever its fields say (RFC 9112
// section 6.3).
func (x *exchange) bodyless() bool {
	return x.r.Method == http.MethodHead || x.resp.StatusCode == http.StatusNoContent ||
		x.resp.StatusCode == http.StatusNotModified || x.resp.StatusCode < 200
}

// clientProblem is the problem of an exchange that the client broke.
const clientProblem = flow.ErrClientClosed + ": the client went away before the end"

// pathAndQuery returns both as they were sent.
func pathAndQuery(r *http.Request) (path, query string) {
	uri := r.RequestURI
	if r.URL.IsAbs() && !strings.HasPrefix(uri, "/") {
		if _, rest, ok := strings.Cut(uri, "://"); ok {
			at := strings.IndexAny(rest, "/?#")
			if at < 0 {
				return "", ""
			}
			uri = rest[at:]
		}
	}
	path, query, _ = strings.Cut(uri, "?")
	return path, query
}

// requestHead writes the head of r out in HTTP/1.1 form, with field names as HTTP/2
// has them.
func requestHead(r *http.Request) []byte {
	b := make([]byte, 0, 512)
	for _, s := range [...]string{r.Method, " ", r.RequestURI, " ", r.Proto, "\r\nhost: ", r.Host, "\r\n"} {
		b = append(b, s...)
	}
	return append(appendFields(b, r.Header), "\r\n"...)
}

// appendFields writes h out, sorted by name.
func appendFields(b []byte, h http.Header) []byte {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			if name == "Proxy-Authorization" {
				value = hiddenCredentials(value)
			}
			b = append(append(append(append(b, strings.ToLower(name)...), ": "...), value...), "\r\n"...)
		}
	}
	return b
}

// wantsUpgrade says that h asks for, or agrees to, the protocol (RFC 9110
// section 7.8).
func wantsUpgrade(h http.Header, protocol string) bool {
	return len(h["Upgrade"]) > 0 && hasToken(h["Upgrade"], protocol) && hasToken(h["Connection"], "upgrade")
}

func hasToken(values []string, token string) bool {
	for _, v := range values {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}

// informational passes a 1xx response on. "100 Continue" is not: the HTTP server
// sends it when the upstream begins to read the body.
func (x *exchange) informational(status int, h textproto.MIMEHeader) {
	x.interim.Lock()
	defer x.interim.Unlock()
	if x.final || status <= 100 || status == http.StatusSwitchingProtocols || !x.r.ProtoAtLeast(1, 1) ||
		len(x.r.Header["Expect"]) > 0 && !x.body.hasBegun() {
		return // the last: while "100 Continue" may be being written
	}
	out := x.w.Header()
	for name, values := range h {
		out[name] = slices.Clone(values)
	}
	x.w.ResponseWriter.WriteHeader(status)
	clear(out)
}

// proceed sends "100 Continue" over HTTP/3 to a client that waits for it, once.
func (x *exchange) proceed() {
	if x.r.ProtoMajor != 3 || x.expected || !hasToken(x.r.Header["Expect"], "100-continue") {
		return
	}
	x.interim.Lock()
	defer x.interim.Unlock()
	x.expected = true
	if !x.final {
		x.w.ResponseWriter.WriteHeader(http.StatusContinue)
	}
}

// endInterim ends the passing on of 1xx responses.
func (x *exchange) endInterim() {
	x.interim.Lock()
	x.final = true
	x.interim.Unlock()
}
