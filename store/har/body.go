package har

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"constat/proxy/flow"
)

// request fills in x.Request.
func (c *converter) request(x *flow.Exchange) {
	req := c.raw.Request
	headers := req.Headers
	if headers.get("cookie") == "" && len(req.Cookies) > 0 {
		var pairs []string
		for _, k := range req.Cookies {
			pairs = append(pairs, k.Name.s+"="+k.Value.s)
		}
		headers = append(headers, field{Name: text{s: "Cookie"}, Value: text{s: strings.Join(pairs, "; ")}})
		c.problem("the Cookie header is missing: it is put together from cookies")
	}
	var data []byte
	have := false
	mime := ""
	if post := req.PostData; post != nil {
		mime = post.MimeType.s
		switch {
		case post.Text.s != "":
			data, have = c.text("request", post.Text, firstOf(post.Encoding.s, post.OtherEncoding.s)), true
		case len(post.Params) > 0:
			data, mime = c.params(post.Params, firstOf(mime, headers.get("content-type")))
			have = true
		}
	}
	if content := req.Content; !have && content != nil && content.Text.s != "" {
		data, have = c.text("request", content.Text, content.Encoding.s), true
	}
	declared := req.BodySize.size()
	headers = c.mime("request", headers, mime, have)
	c.coding("request", headers, data, declared)
	x.Request = flow.Message{Proto: firstOf(protocol(req.HTTPVersion.s, headers), "HTTP/1.1")}
	if authority := headers.get(":authority"); authority != "" && headers.get("host") == "" {
		headers = append(fields{{Name: text{s: "Host"}, Value: text{s: authority}}}, headers...)
	}
	target := x.Path
	if x.Query != "" {
		target += "?" + x.Query
	}
	x.Request.Head = c.head(x.Method+" "+target+" HTTP/1.1", headers)
	switch {
	case have:
		x.Request.Body = flow.BodyOf(data)
		if declared > 0 && !sameSize(data, declared) && headers.get("content-encoding") == "" {
			c.problem("the request's body has %d bytes here, bodySize says %d", len(data), declared)
		}
	case declared > 0:
		c.problem("the request's body of %d bytes is not in the file%s", declared, because(req.BodyStatus))
		x.Request.Body = partial(nil)
	case req.BodyStatus.s != "":
		c.problem("the request's body is not in the file%s", because(req.BodyStatus))
		x.Request.Body = partial(nil)
	}
}

// response fills in x.Status, x.Response and x.Error.
func (c *converter) response(x *flow.Exchange) {
	res := c.raw.Response
	if res == nil {
		res = &rawResponse{}
		c.problem("there is no response")
	}
	if f := res.Status.f; f >= 100 && f <= 999 {
		x.Status = int(f)
	} else if res.Status.set && f != 0 {
		c.problem("the status is no status of HTTP: none is assumed")
	}
	cause := oneLine(firstOf(res.Error.s, c.raw.Error.s), 200)
	switch {
	case cause != "":
		x.Error = errorWord(cause) + ": " + cause
	case x.Status == 0:
		x.Error = flow.ErrServerClosed + ": the HAR has no response"
	}
	if x.Status == 0 {
		if len(res.Headers) > 0 {
			c.problem("there are response headers without a status: they are left out")
		}
		return
	}
	headers := res.Headers
	if headers.get("set-cookie") == "" && len(res.Cookies) > 0 {
		for _, k := range res.Cookies {
			headers = append(headers, field{Name: text{s: "Set-Cookie"}, Value: text{s: k.Name.s + "=" + k.Value.s}})
		}
		c.problem("the Set-Cookie headers are missing: they are put together from cookies, without attributes")
	}
	content := res.Content
	if content == nil {
		content = &rawContent{}
	}
	data := c.text("response", content.Text, content.Encoding.s)
	bodyless := x.Method == "HEAD" || x.Status < 200 || x.Status == 204 || x.Status == 304 // RFC 9110 section 6.4.1
	size := content.Size.size()
	if bodyless && len(data) > 0 && x.Status != 101 {
		c.problem("a response with status %d to %s has no body: the %d bytes here are a cached copy and are left out", x.Status, x.Method, len(data))
		data = nil
	}
	have := len(data) > 0 || !bodyless && content.Text.set && size == 0
	headers = c.mime("response", headers, content.MimeType.s, len(data) > 0)
	coded := c.coding("response", headers, data, res.BodySize.size())
	x.Response = flow.Message{Proto: firstOf(protocol(res.HTTPVersion.s, headers), x.Request.Proto)}
	x.Response.Head = c.head(strings.TrimSpace(fmt.Sprintf("HTTP/1.1 %03d %s", x.Status, oneLine(res.StatusText.s, 200))), headers)
	switch {
	case have:
		x.Response.Body = flow.BodyOf(data)
		if size > 0 && !coded && !sameSize(data, size) && (headers.get("content-encoding") == "" || size != res.BodySize.size()) { // mitmproxy gives the packed size
			c.problem("the response's body has %d bytes here, content.size says %d", len(data), size)
		}
	case bodyless:
	case size > 0 || res.BodySize.size() > 0:
		c.problem("the response's body of %d bytes is not in the file%s", max(size, res.BodySize.size()), because(res.BodyStatus))
		x.Response.Body = partial(nil)
	case res.BodyStatus.s != "":
		c.problem("the response's body is not in the file%s", because(res.BodyStatus))
		x.Response.Body = partial(nil)
	}
}

// sameSize reports whether data has the declared size, which some programs count
// in characters or in units of UTF-16.
func sameSize(data []byte, declared int64) bool {
	if declared == int64(len(data)) {
		return true
	}
	units := int64(0)
	for _, r := range string(data) {
		units += int64(utf16.RuneLen(r))
	}
	return declared == units || declared == int64(utf8.RuneCount(data))
}

func because(status text) string {
	if status.s == "" {
		return ""
	}
	return " (" + oneLine(status.s, 60) + ")"
}

// partial is a body of which only data is known, and that it went on.
func partial(data []byte) *flow.Body {
	b := flow.NewBody(nil, nil, int64(len(data)))
	_, _ = b.Write(data) // errors come from a Recorder, and there is none
	b.Close(false)
	return b
}

// text turns a text of the file into the bytes that it stands for.
func (c *converter) text(side string, t text, encoding string) []byte {
	switch strings.ToLower(encoding) {
	case "base64":
		if data, ok := decodeBase64(t.s); ok {
			return data
		}
		c.problem("the %s's body is said to be base64 and is not: it is kept as written", side)
		return []byte(t.s)
	case "", "utf-8", "utf8", "plain", "text", "identity", "none":
	default:
		c.problem("the %s's body has an encoding that HAR does not know (%s): it is kept as written", side, oneLine(encoding, 30))
	}
	if strings.ContainsRune(t.s, utf8.RuneError) {
		c.problem("the %s's body has replacement characters (U+FFFD): its bytes were no text and were lost when the file was written", side)
	}
	return []byte(t.s)
}

// decodeBase64 reads both alphabets, with or without padding and blanks.
func decodeBase64(s string) ([]byte, bool) {
	if data, err := base64.StdEncoding.DecodeString(s); err == nil {
		return data, true
	}
	s = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n', '=':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, s)
	data, err := base64.RawStdEncoding.DecodeString(s)
	return data, err == nil
}

// mime adds the Content-Type that the entry states beside the headers, when
// they lack it: without it a body cannot be understood.
func (c *converter) mime(side string, headers fields, mime string, have bool) fields {
	if !have || mime == "" || mime == "x-unknown" || headers.get("content-type") != "" {
		return headers
	}
	c.problem("the %s's Content-Type header is missing: it is taken from mimeType", side)
	return append(headers, field{Name: text{s: "Content-Type"}, Value: text{s: mime}})
}

// coding tells whether the content coding that the headers state has been removed
// from the body already, as most programs do, and reports whether it is still
// there. The header stays as the file has it.
func (c *converter) coding(side string, headers fields, data []byte, wireSize int64) (coded bool) {
	if c.wire(side) {
		return true
	}
	coding := strings.ToLower(headers.get("content-encoding"))
	if coding == "" || coding == "identity" || len(data) == 0 {
		return false
	}
	switch last := coding[strings.LastIndexByte(coding, ',')+1:]; strings.TrimSpace(last) {
	case "gzip", "x-gzip":
		coded = bytes.HasPrefix(data, []byte{0x1f, 0x8b})
	case "zstd":
		coded = bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}) // RFC 8878 section 3.1.1
	default: // deflate and br have no mark of their own
		coded = !utf8.Valid(data) && wireSize == int64(len(data))
	}
	if !coded {
		c.problem("the %s's body had its content coding (%s) removed before it came into the file: it is not the bytes of the wire", side, oneLine(coding, 40))
	}
	return coded
}

// params puts a body together from the fields of a form.
func (c *converter) params(params fields, mime string) ([]byte, string) {
	media, rest, _ := strings.Cut(mime, ";")
	if !strings.EqualFold(strings.TrimSpace(media), "multipart/form-data") {
		c.problem("the request's body is put together from params")
		return []byte(formEncode(params)), firstOf(mime, "application/x-www-form-urlencoded")
	}
	_, boundary, _ := strings.Cut(rest, "boundary=")
	boundary, _, _ = strings.Cut(boundary, ";")
	boundary = strings.Trim(boundary, `" `)
	if boundary == "" {
		boundary = "constat-har-params"
		mime = "multipart/form-data; boundary=" + boundary
	}
	var b bytes.Buffer
	quote := strings.NewReplacer("\r", "%0D", "\n", "%0A", `"`, "%22") // WHATWG HTML, multipart/form-data encoding
	for _, p := range params {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", boundary, quote.Replace(p.Name.s))
		if p.FileName.s != "" {
			fmt.Fprintf(&b, "; filename=\"%s\"", quote.Replace(p.FileName.s))
		}
		b.WriteString("\r\n")
		if p.ContentType.s != "" {
			fmt.Fprintf(&b, "Content-Type: %s\r\n", oneLine(p.ContentType.s, 200))
		}
		fmt.Fprintf(&b, "\r\n%s\r\n", p.Value.s)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	c.problem("the request's body is put together from params: files may be missing")
	return b.Bytes(), mime
}

// errorWords maps pieces of the error texts of browsers and proxies, in lower
// case, to the words of flow; the first that occurs counts.
var errorWords = []struct{ piece, word string }{
	{"name_not_resolved", flow.ErrDNS},
	{"dns", flow.ErrDNS},
	{"getaddrinfo", flow.ErrDNS},
	{"enotfound", flow.ErrDNS},
	{"blocked", flow.ErrRefused},
	{"cert", flow.ErrServerTLS},
	{"ssl", flow.ErrServerTLS},
	{"tls", flow.ErrServerTLS},
	{"timed_out", flow.ErrTimeout},
	{"timed out", flow.ErrTimeout},
	{"timeout", flow.ErrTimeout},
	{"connection_refused", flow.ErrConnect},
	{"refused", flow.ErrConnect},
	{"unreachable", flow.ErrConnect},
	{"internet_disconnected", flow.ErrConnect},
	{"network_changed", flow.ErrConnect},
	{"connect", flow.ErrConnect},
	{"aborted", flow.ErrClientClosed},
	{"client", flow.ErrClientClosed},
	{"invalid", flow.ErrServerBad},
	{"protocol", flow.ErrServerBad},
}

func errorWord(cause string) string {
	for _, w := range flowWords {
		if strings.HasPrefix(cause, w+": ") {
			return w
		}
	}
	cause = strings.ToLower(cause)
	for _, e := range errorWords {
		if strings.Contains(cause, e.piece) {
			return e.word
		}
	}
	return flow.ErrServerClosed
}

// flowWords are the words that flow.Exchange.Error starts with.
var flowWords = []string{
	flow.ErrDNS, flow.ErrConnect, flow.ErrServerTLS, flow.ErrTimeout, flow.ErrServerClosed, flow.ErrServerBad,
	flow.ErrClientClosed, flow.ErrClientBad, flow.ErrRefused, flow.ErrInternal, flow.ErrCutOff,
}
