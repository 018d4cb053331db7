package har

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"constat/proxy/flow"
)

// The parts of an entry that are read. The rest is passed over.
type (
	rawEntry struct {
		Started    text              `json:"startedDateTime"`
		Time       number            `json:"time"`
		Request    *rawRequest       `json:"request"`
		Response   *rawResponse      `json:"response"`
		Timings    map[string]number `json:"timings"`
		ServerIP   text              `json:"serverIPAddress"`
		ServerPort number            `json:"_serverPort"` // Safari
		Connection text              `json:"connection"`
		Comment    text              `json:"comment"`
		FromCache  text              `json:"_fromCache"` // Chrome: "memory", "disk"
		FetchType  text              `json:"_fetchType"` // Safari: "Memory Cache"
		Error      text              `json:"_error"`
		Messages   []json.RawMessage `json:"_webSocketMessages"`
		Constat    *Extension        `json:"_constat"`
	}
	rawRequest struct {
		Method      text         `json:"method"`
		URL         text         `json:"url"`
		HTTPVersion text         `json:"httpVersion"`
		Headers     fields       `json:"headers"`
		Cookies     fields       `json:"cookies"`
		QueryString fields       `json:"queryString"`
		BodySize    number       `json:"bodySize"`
		PostData    *rawPostData `json:"postData"`
		Content     *rawContent  `json:"_content"`           // HTTP Toolkit, PCAPdroid
		BodyStatus  text         `json:"_requestBodyStatus"` // HTTP Toolkit
	}
	rawPostData struct {
		MimeType      text   `json:"mimeType"`
		Text          text   `json:"text"`
		Params        fields `json:"params"`
		Encoding      text   `json:"encoding"`
		OtherEncoding text   `json:"_encoding"`
	}
	rawResponse struct {
		Status      number      `json:"status"`
		StatusText  text        `json:"statusText"`
		HTTPVersion text        `json:"httpVersion"`
		Headers     fields      `json:"headers"`
		Cookies     fields      `json:"cookies"`
		Content     *rawContent `json:"content"`
		BodySize    number      `json:"bodySize"`
		Error       text        `json:"_error"`              // Chrome, mitmproxy
		BodyStatus  text        `json:"_responseBodyStatus"` // HTTP Toolkit
	}
	rawContent struct {
		Size        number `json:"size"`
		MimeType    text   `json:"mimeType"`
		Text        text   `json:"text"`
		Encoding    text   `json:"encoding"`
		Compression number `json:"compression"`
	}
)

// converter makes one Entry of its JSON.
type converter struct {
	opt   *Options
	last  time.Time // when the entry before began
	entry *Entry
	more  int // problems left out
	raw   rawEntry
}

func (c *converter) problem(format string, args ...any) {
	if len(c.entry.Problems) >= maxProblems {
		c.more++
		return
	}
	c.entry.Problems = append(c.entry.Problems, fmt.Sprintf(format, args...))
}

func (c *converter) done() *Entry {
	if c.more > 0 {
		c.entry.Problems = append(c.entry.Problems, fmt.Sprintf("%d more problems are not listed", c.more))
	}
	return c.entry
}

func (c *converter) convert(data []byte) {
	if err := json.Unmarshal(data, &c.raw); err != nil {
		var mistyped *json.UnmarshalTypeError
		switch {
		case !errors.As(err, &mistyped):
			c.problem("the entry is not valid JSON: passed over")
			return
		case mistyped.Field == "":
			c.problem("the entry is not an object but of type %s: passed over", word(mistyped.Value))
			return
		}
		c.problem("%s is of type %s, which a HAR does not have there", oneLine(mistyped.Field, 80), word(mistyped.Value))
	}
	raw := &c.raw
	c.entry.Comment = oneLine(raw.Comment.s, 1000)
	c.entry.Connection = oneLine(raw.Connection.s, 100)
	if raw.Request == nil {
		c.problem("there is no request: passed over")
		return
	}
	x := &flow.Exchange{Device: c.opt.Device, Door: c.opt.Door}
	c.began(x)
	if !c.target(x) || !c.sent() {
		return
	}
	c.server(x)
	c.request(x)
	c.response(x)
	c.frames(x)
	if raw.Constat != nil {
		c.extension(x, raw.Constat)
	}
	c.entry.Exchange = x
}

// word is the first word of what encoding/json calls a value ("number 12").
func word(value string) string {
	value, _, _ = strings.Cut(value, " ")
	return value
}

func (c *converter) began(x *flow.Exchange) {
	at, zone, ok := parseTime(c.raw.Started)
	switch {
	case ok && !zone:
		c.problem("startedDateTime has no time zone: UTC is assumed")
	case !ok && !c.last.IsZero():
		at = c.last
		c.problem("startedDateTime is missing or cannot be read: that of the entry before is used")
	case !ok:
		at = time.Unix(0, 0).UTC()
		c.problem("startedDateTime is missing or cannot be read: 1970-01-01 is used")
	}
	x.Began, c.last = at, at
	switch {
	case c.raw.Time.set && c.raw.Time.f >= 0:
		x.Duration = millis(c.raw.Time.f)
	case c.raw.Time.set:
		c.problem("the time it took is negative: the sum of the timings is used")
		fallthrough
	default:
		for _, phase := range []string{"blocked", "dns", "connect", "send", "wait", "receive"} { // connect contains ssl
			x.Duration += millis(c.raw.Timings[phase].f)
		}
	}
}

// target fills in where the request went. It reports whether the entry is an HTTP
// request at all.
func (c *converter) target(x *flow.Exchange) bool {
	req := c.raw.Request
	x.Method = req.Method.s
	if x.Method == "" {
		x.Method = req.Headers.get(":method")
	}
	if x.Method == "" {
		x.Method = "GET"
		c.problem("the method is missing: GET is assumed")
	}
	if !isToken(x.Method) {
		c.problem("the method is not a word of HTTP: passed over")
		return false
	}
	if x.Method == "CONNECT" {
		c.problem("CONNECT opens a tunnel and is no exchange of its own: passed over")
		return false
	}
	url, _, _ := strings.Cut(strings.TrimSpace(req.URL.s), "#")
	scheme, rest, ok := strings.Cut(url, "://")
	if authority := firstOf(req.Headers.get(":authority"), req.Headers.get("host")); !ok && authority != "" && (url == "" || url[0] == '/') {
		scheme = firstOf(req.Headers.get(":scheme"), "https")
		rest, ok = authority+firstOf(url, req.Headers.get(":path")), true
		c.problem("the URL has no host: it is put together from the headers")
	}
	x.Scheme = strings.ToLower(scheme)
	port, known := map[string]uint16{"http": 80, "ws": 80, "https": 443, "wss": 443}[x.Scheme]
	switch {
	case url == "" && !ok:
		c.problem("the URL is missing: passed over")
		return false
	case !ok || !known:
		word, _, _ := strings.Cut(url, ":")
		c.problem("the URL is not of HTTP or WebSocket but %q: passed over", oneLine(word, 30))
		return false
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		end = i
	}
	if !c.authority(x, rest[:end], port) {
		return false
	}
	x.Path, x.Query, ok = strings.Cut(rest[end:], "?")
	if x.Path == "" {
		x.Path = "/"
	}
	if !ok && len(req.QueryString) > 0 {
		x.Query = formEncode(req.QueryString)
		c.problem("the URL has no query: it is put together from queryString")
	}
	path, query := escapeControls(x.Path), escapeControls(x.Query)
	if path != x.Path || query != x.Query {
		c.problem("the URL holds blanks or control characters: they are percent-encoded")
		x.Path, x.Query = path, query
	}
	return true
}

func (c *converter) authority(x *flow.Exchange, authority string, port uint16) bool {
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
		c.problem("the URL carries a user name: it is left out of the host")
	}
	host, digits := authority, ""
	if strings.HasPrefix(authority, "[") {
		host, digits, _ = strings.Cut(authority[1:], "]")
		digits = strings.TrimPrefix(digits, ":")
	} else if i := strings.LastIndexByte(authority, ':'); i >= 0 {
		host, digits = authority[:i], authority[i+1:]
	}
	x.Host, x.Port = strings.ToLower(host), port
	if digits != "" {
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || n == 0 {
			c.problem("the port in the URL is no port: %d is assumed", port)
		} else {
			x.Port = uint16(n)
		}
	}
	if x.Host == "" || len(x.Host) > 255 || strings.ContainsFunc(x.Host, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`"<>\^{}|`, r) }) {
		c.problem("the URL has no usable host: passed over")
		return false
	}
	return true
}

// sent reports whether the request went out at all.
func (c *converter) sent() bool {
	from := ""
	switch kind := strings.ToLower(c.raw.FetchType.s); {
	case c.raw.FromCache.s != "" && c.raw.FromCache.s != "false":
		from = "cache (" + oneLine(c.raw.FromCache.s, 30) + ")"
	case strings.Contains(kind, "cache"):
		from = oneLine(kind, 30)
	}
	if from == "" {
		return true
	}
	if c.opt.KeepCached {
		c.problem("it was answered from the browser's %s: nothing was sent", from)
		return true
	}
	c.problem("it was answered from the browser's %s, nothing was sent: passed over", from)
	return false
}

// server fills in the address that answered.
func (c *converter) server(x *flow.Exchange) {
	s := strings.TrimSpace(c.raw.ServerIP.s)
	if s == "" {
		return
	}
	port := x.Port
	if p := c.raw.ServerPort.f; p > 0 && p < 65536 {
		port = uint16(p)
	}
	if at, err := netip.ParseAddrPort(s); err == nil {
		x.Server = netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
		return
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		c.problem("serverIPAddress is no address")
		return
	}
	x.Server = netip.AddrPortFrom(addr.Unmap().WithZone(""), port)
}

func firstOf(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}
