package har

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"constat/proxy/flow"
)

// WriterOptions say how entries are written. Zero fields mean the default.
type WriterOptions struct {
	Creator, Version string // the program; default "Constat"
	Comment          string // of the whole file

	// BodyText is the longest body, in bytes, that is written; default 16 MiB.
	// A longer one is left out, and its size and hash are given. One body of
	// this size is held in memory.
	BodyText int

	// Decode removes one content coding ("gzip", "br") from a response's body,
	// and fails for one that it does not know. nil: bodies are written as they
	// were on the wire, so that the file can be read back exactly; browsers
	// then show packed bodies packed.
	Decode func(coding string, r io.Reader) (io.Reader, error)
}

// Item is one exchange to write and what belongs to it. Only Exchange is needed.
type Item struct {
	Exchange *flow.Exchange
	// Request and Response give what is kept of the bodies; nil when the Body of
	// the message holds it itself (flow.BodyOf).
	Request, Response io.Reader
	Connection        *flow.Connection
	Frames            iter.Seq2[Frame, error]

	Owner, Country string
	Tags           []string
	Findings, Hits json.RawMessage // as JSON arrays
}

// Frame is one WebSocket message to write. Payload is nil when the frame's Payload
// holds it itself.
type Frame struct {
	*flow.Frame
	Payload io.Reader
}

// Writer writes one HAR.
type Writer struct {
	w       *bufio.Writer
	opt     WriterOptions
	entries int
	err     error
}

// NewWriter returns a Writer on w. Close must be called to end the file.
func NewWriter(w io.Writer, opt WriterOptions) *Writer {
	opt.Creator = cmp.Or(opt.Creator, "Constat")
	opt.BodyText = cmp.Or(opt.BodyText, 16<<20)
	return &Writer{w: bufio.NewWriterSize(w, 64<<10), opt: opt}
}

type (
	harName struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	harEntry struct {
		Started    string      `json:"startedDateTime"`
		Time       float64     `json:"time"`
		Request    harRequest  `json:"request"`
		Response   harResponse `json:"response"`
		Cache      struct{}    `json:"cache"`
		Timings    harTimings  `json:"timings"`
		ServerIP   string      `json:"serverIPAddress,omitempty"`
		Connection string      `json:"connection,omitempty"`
		Resource   string      `json:"_resourceType,omitempty"`
		Messages   []harFrame  `json:"_webSocketMessages,omitempty"`
		Constat    Extension   `json:"_constat"`
	}
	harRequest struct {
		Method      string       `json:"method"`
		URL         string       `json:"url"`
		HTTPVersion string       `json:"httpVersion"`
		Cookies     []harCookie  `json:"cookies"`
		Headers     []harPair    `json:"headers"`
		QueryString []harPair    `json:"queryString"`
		PostData    *harPostData `json:"postData,omitempty"`
		HeadersSize int          `json:"headersSize"`
		BodySize    int64        `json:"bodySize"`
	}
	harResponse struct {
		Status      int         `json:"status"`
		StatusText  string      `json:"statusText"`
		HTTPVersion string      `json:"httpVersion"`
		Cookies     []harCookie `json:"cookies"`
		Headers     []harPair   `json:"headers"`
		Content     harContent  `json:"content"`
		RedirectURL string      `json:"redirectURL"`
		HeadersSize int         `json:"headersSize"`
		BodySize    int64       `json:"bodySize"`
		Error       string      `json:"_error,omitempty"`
	}
	harPostData struct {
		MimeType string    `json:"mimeType"`
		Params   []harPair `json:"params"`
		Text     string    `json:"text"`
		Encoding string    `json:"_encoding,omitempty"`
		Comment  string    `json:"comment,omitempty"`
	}
	harContent struct {
		Size        int64  `json:"size"`
		Compression int64  `json:"compression,omitempty"`
		MimeType    string `json:"mimeType"`
		Text        string `json:"text,omitempty"`
		Encoding    string `json:"encoding,omitempty"`
		Comment     string `json:"comment,omitempty"`
	}
	harTimings struct {
		Send    float64 `json:"send"`
		Wait    float64 `json:"wait"`
		Receive float64 `json:"receive"`
	}
	harPair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	harCookie struct {
		Name     string `json:"name"`
		Value    string `json:"value"`
		Path     string `json:"path,omitempty"`
		Domain   string `json:"domain,omitempty"`
		Expires  string `json:"expires,omitempty"`
		HTTPOnly bool   `json:"httpOnly,omitempty"`
		Secure   bool   `json:"secure,omitempty"`
	}
	harFrame struct {
		Type     string  `json:"type"`
		Time     float64 `json:"time"`
		Opcode   uint8   `json:"opcode"`
		Data     string  `json:"data"`
		Encoding string  `json:"_encoding,omitempty"`
		Deflated bool    `json:"_deflated,omitempty"`
		Exact    string  `json:"_time"`
	}
)

// Add writes one exchange, which is HTTP: it has a method. Entries appear in the order in which they are added.
// After an error nothing more can be added.
func (w *Writer) Add(item Item) error {
	if w.err != nil {
		return w.err
	}
	w.err = w.add(item)
	return w.err
}

func (w *Writer) add(item Item) error {
	x := item.Exchange
	e := harEntry{
		Started:  rfc3339(x.Began),
		Time:     float64(x.Duration) / float64(time.Millisecond),
		ServerIP: "",
		Constat: Extension{
			ID: x.ID, Began: rfc3339(x.Began), DurationNS: int64(x.Duration), Device: x.Device, Door: x.Door, App: x.App,
			Error: x.Error, Owner: item.Owner, Country: item.Country, Tags: item.Tags, Findings: item.Findings, Hits: item.Hits,
			Interim: x.Interim,
		},
	}
	e.Timings.Wait = e.Time
	if x.Server.IsValid() {
		e.ServerIP = x.Server.Addr().String()
		e.Constat.Server = x.Server.String()
	}
	if c := item.Connection; c != nil {
		e.Connection = strconv.FormatInt(c.ID, 10)
		e.Constat.Connection = &Connection{ID: c.ID, SNI: c.SNI, ALPN: c.ALPN, JA4: c.JA4, Outcome: string(c.Outcome)}
		if c.ClientTLS != nil {
			e.Constat.Connection.ClientTLS = c.ClientTLS.Version
		}
		if c.ServerTLS != nil {
			e.Constat.Connection.ServerTLS = c.ServerTLS.Version
		}
	}
	if err := w.request(&e, x, item.Request); err != nil {
		return fmt.Errorf("write exchange %d: request body: %w", x.ID, err)
	}
	if err := w.response(&e, x, item.Response); err != nil {
		return fmt.Errorf("write exchange %d: response body: %w", x.ID, err)
	}
	if item.Frames != nil {
		if err := w.frames(&e, item.Frames); err != nil {
			return fmt.Errorf("write exchange %d: WebSocket message: %w", x.ID, err)
		}
	}
	if err := w.begin(); err != nil {
		return err
	}
	if w.entries > 0 {
		_, _ = w.w.WriteString(",") // the error of a bufio.Writer sticks, and the encoder returns it
	}
	w.entries++
	enc := json.NewEncoder(w.w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return fmt.Errorf("write exchange %d: %w", x.ID, err)
	}
	return nil
}

func rfc3339(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z07:00") }

// begin writes what comes before the entries, once.
func (w *Writer) begin() error {
	if w.entries > 0 {
		return nil
	}
	creator, err := json.Marshal(harName{w.opt.Creator, w.opt.Version})
	if err != nil {
		return err
	}
	comment, err := json.Marshal(w.opt.Comment)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.w, "{\"log\":{\"version\":\"1.2\",\"creator\":%s,\"comment\":%s,\"entries\":[\n", creator, comment)
	return err
}

// Close ends the file. It does not close the underlying writer.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	w.err = errors.New("har is closed")
	if err := w.begin(); err != nil {
		return err
	}
	if _, err := w.w.WriteString("]}}\n"); err != nil {
		return err
	}
	return w.w.Flush()
}

func (w *Writer) request(e *harEntry, x *flow.Exchange, body io.Reader) error {
	m := x.Request
	_, pairs := parseHead(m.Head)
	header := canonical(pairs)
	e.Request = harRequest{
		Method: x.Method, URL: URL(x), HTTPVersion: m.Proto, Headers: pairs, HeadersSize: headersSize(m),
		QueryString: query(x.Query), Cookies: []harCookie{},
	}
	for _, c := range (&http.Request{Header: header}).Cookies() {
		e.Request.Cookies = append(e.Request.Cookies, harCookie{Name: c.Name, Value: c.Value})
	}
	e.Constat.Request = messageFacts(m)
	data, stored, err := w.body(m.Body, body)
	if err != nil {
		return err
	}
	e.Constat.Request.Stored = stored
	if m.Body == nil {
		return nil
	}
	e.Request.BodySize = m.Body.Size()
	post := &harPostData{MimeType: header.Get("Content-Type"), Params: []harPair{}}
	if post.Text, post.Encoding = asText(data); stored == Omitted {
		post.Comment = "the body is longer than this file holds: see _constat.request for its size and hash"
	}
	e.Request.PostData = post
	return nil
}

func (w *Writer) response(e *harEntry, x *flow.Exchange, body io.Reader) error {
	m := x.Response
	start, pairs := parseHead(m.Head)
	header := canonical(pairs)
	e.Response = harResponse{
		Status: x.Status, HTTPVersion: m.Proto, Headers: pairs, HeadersSize: headersSize(m), BodySize: -1, Error: x.Error,
		RedirectURL: header.Get("Location"), Cookies: []harCookie{}, Content: harContent{MimeType: header.Get("Content-Type")},
	}
	if parts := strings.SplitN(start, " ", 3); len(parts) == 3 {
		e.Response.StatusText = parts[2]
	}
	for _, c := range (&http.Response{Header: header}).Cookies() {
		k := harCookie{Name: c.Name, Value: c.Value, Path: c.Path, Domain: c.Domain, HTTPOnly: c.HttpOnly, Secure: c.Secure}
		if !c.Expires.IsZero() {
			k.Expires = rfc3339(c.Expires)
		}
		e.Response.Cookies = append(e.Response.Cookies, k)
	}
	e.Constat.Response = messageFacts(m)
	data, stored, err := w.body(m.Body, body)
	if err != nil {
		return err
	}
	if x.Status != 0 {
		e.Response.BodySize = 0
	}
	if m.Body == nil {
		return nil
	}
	e.Response.BodySize = m.Body.Size()
	e.Response.Content.Size = m.Body.Size()
	if plain, ok := w.decoded(data, header.Get("Content-Encoding"), m.Body); ok && stored == Wire {
		e.Response.Content.Size = int64(len(plain))
		e.Response.Content.Compression = int64(len(plain)) - m.Body.Size()
		data, stored = plain, Decoded
	}
	e.Constat.Response.Stored = stored
	if e.Response.Content.Text, e.Response.Content.Encoding = asText(data); stored == Omitted {
		e.Response.Content.Comment = "the body is longer than this file holds: see _constat.response for its size and hash"
	}
	return nil
}

// body reads what is kept of b.
func (w *Writer) body(b *flow.Body, r io.Reader) ([]byte, Stored, error) {
	switch {
	case b == nil:
		return nil, "", nil
	case b.Kept() > int64(w.opt.BodyText):
		return nil, Omitted, nil
	case r == nil && int64(len(b.Tail())) == b.Kept():
		return b.Tail(), Wire, nil
	case r == nil:
		return nil, Omitted, nil
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(w.opt.BodyText)))
	return data, Wire, err
}

// decoded removes the content coding from a whole body, if it is asked to and can.
func (w *Writer) decoded(data []byte, coding string, b *flow.Body) ([]byte, bool) {
	if w.opt.Decode == nil || coding == "" || b.Truncated() || !b.Complete() {
		return nil, false
	}
	codings := strings.Split(strings.ToLower(coding), ",")
	if len(codings) > 4 {
		return nil, false
	}
	var r io.Reader = bytes.NewReader(data)
	for i := len(codings) - 1; i >= 0; i-- { // the last was applied last
		var err error
		if r, err = w.opt.Decode(strings.TrimSpace(codings[i]), r); err != nil {
			return nil, false
		}
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(w.opt.BodyText)+1))
	return plain, err == nil && len(plain) <= w.opt.BodyText
}

func (w *Writer) frames(e *harEntry, frames iter.Seq2[Frame, error]) error {
	room := w.opt.BodyText
	e.Resource = "websocket"
	for f, err := range frames {
		if err != nil {
			return err
		}
		h := harFrame{
			Type: "receive", Time: float64(f.Time.UnixMicro()) / 1e6, Exact: rfc3339(f.Time),
			Opcode: f.Opcode, Deflated: f.Deflated,
		}
		if f.Direction == flow.Up {
			h.Type = "send"
		}
		if f.Frame.Payload != nil && f.Frame.Payload.Kept() <= int64(room) {
			data, _, err := w.body(f.Frame.Payload, f.Payload)
			if err != nil {
				return err
			}
			room -= len(data)
			if h.Data, h.Encoding = asText(data); h.Encoding == "" && f.Opcode != 1 {
				h.Data, h.Encoding = base64.StdEncoding.EncodeToString(data), "base64"
			}
		}
		e.Messages = append(e.Messages, h)
		if len(e.Messages) >= maxFrames {
			break
		}
	}
	return nil
}

func messageFacts(m flow.Message) *Message {
	f := &Message{Proto: m.Proto, Head: m.Head, Exact: m.Exact, Trailer: m.Trailer}
	if b := m.Body; b != nil {
		f.Size, f.Kept, f.Complete, f.SHA256 = b.Size(), b.Kept(), b.Complete(), hexOf(b.SHA256())
	}
	return f
}

// asText returns data as a JSON string can hold it: as it is when that loses
// nothing, else in base64.
func asText(data []byte) (s, encoding string) {
	if utf8.Valid(data) {
		return string(data), ""
	}
	return base64.StdEncoding.EncodeToString(data), "base64"
}

func headersSize(m flow.Message) int {
	if m.Exact {
		return len(m.Head)
	}
	return -1
}

// parseHead takes a head apart leniently: lines that are no field are left out,
// folded lines are joined.
func parseHead(head []byte) (start string, pairs []harPair) {
	pairs = []harPair{}
	lines := strings.Split(string(head), "\n")
	start = strings.TrimRight(lines[0], "\r")
	for _, line := range lines[1:] {
		line = strings.TrimRight(line, "\r")
		if line != "" && (line[0] == ' ' || line[0] == '\t') && len(pairs) > 0 {
			pairs[len(pairs)-1].Value += " " + strings.TrimSpace(line)
			continue
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			pairs = append(pairs, harPair{name, strings.TrimSpace(value)})
		}
	}
	return start, pairs
}

func canonical(pairs []harPair) http.Header {
	h := http.Header{}
	for _, p := range pairs {
		h.Add(p.Name, p.Value)
	}
	return h
}

func query(raw string) []harPair {
	list := []harPair{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		list = append(list, harPair{unescape(name), unescape(value)})
	}
	return list
}

func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// URL is the address of an exchange as one line; the port is left out where the
// scheme says it.
func URL(x *flow.Exchange) string {
	host := x.Host
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
		host = "[" + host + "]"
	}
	defaults := map[string]uint16{"http": 80, "ws": 80, "https": 443, "wss": 443}
	if x.Port != 0 && x.Port != defaults[x.Scheme] {
		host = net.JoinHostPort(x.Host, strconv.Itoa(int(x.Port)))
	}
	u := x.Scheme + "://" + host + x.Path
	if x.Query != "" {
		u += "?" + x.Query
	}
	return u
}
