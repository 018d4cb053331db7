package inspect

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// tokens are the header fields that are not looked at, because their values are
// drawn from short lists, or are numbers and dates that no app chooses. Every
// other field is looked at, the standard ones that can carry an identifier
// (User-Agent, Referer, Authorization, ETag, If-None-Match, Cookie) first of all.
var tokens = map[string]bool{
	"Accept": true, "Accept-Charset": true, "Accept-Encoding": true, "Accept-Language": true, "Accept-Ranges": true, // lists of tokens
	"Access-Control-Allow-Credentials": true, "Access-Control-Allow-Headers": true, "Access-Control-Allow-Methods": true, // CORS answers
	"Access-Control-Allow-Origin": true, "Access-Control-Expose-Headers": true, "Access-Control-Max-Age": true,
	"Access-Control-Request-Headers": true, "Access-Control-Request-Method": true, "Origin": true,
	"Age": true, "Allow": true, "Alt-Svc": true, "Cache-Control": true, "Pragma": true, "Expires": true, "Vary": true, // caching
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Upgrade": true, "Upgrade-Insecure-Requests": true, // hop by hop
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Expect": true,
	"Content-Encoding": true, "Content-Length": true, "Content-Type": true, "Content-Language": true, "Content-Range": true, // framing; decoders use it
	"Range": true, "Date": true, "Last-Modified": true, "If-Modified-Since": true, "If-Unmodified-Since": true,
	"Dnt": true, "Host": true, "Priority": true, "Sec-Fetch-Dest": true, "Sec-Fetch-Mode": true, "Sec-Fetch-Site": true, "Sec-Fetch-User": true,
	"Sec-Gpc": true, "Sec-Websocket-Version": true, "Sec-Websocket-Extensions": true,
	"Server": true, "Strict-Transport-Security": true, "X-Content-Type-Options": true, "X-Frame-Options": true, "X-Xss-Protection": true,
	"Content-Security-Policy": true, "Permissions-Policy": true, "Referrer-Policy": true,
	"Cookie": true, "Set-Cookie": true, // taken apart into roots of their own
}

// headerRoots appends the roots of one header: fields by name, then cookies.
func (b *build) headerRoots(side string, c *Content) {
	if len(c.Header) == 0 {
		return
	}
	names := b.names[:0]
	for name := range c.Header {
		if !tokens[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	b.names = names
	for _, name := range names {
		for i, value := range c.Header[name] {
			b.root(side+".header", nth(name, i), name, b.bytes(value)).Kind = Text
		}
	}
	var seen map[string]bool
	cookie := func(pair string) {
		name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !ok {
			name, value = "", name
		}
		if value == "" {
			return
		}
		if seen == nil {
			seen = make(map[string]bool)
		}
		arg := name
		for i := 1; seen[arg]; i++ {
			arg = nth(name, i)
		}
		seen[arg] = true
		b.root(side+".cookie", arg, name, b.bytes(strings.Trim(value, `"`))).Kind = Text
	}
	for _, line := range c.Header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			cookie(pair)
		}
	}
	for _, line := range c.Header["Set-Cookie"] {
		pair, _, _ := strings.Cut(line, ";")
		cookie(pair)
	}
}

// nth tells the fields of one name apart: NAME, NAME#1, NAME#2.
func nth(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + "#" + strconv.Itoa(i)
}

// canonical reports the value of a header field whose name is written as Go
// writes it, all its lines joined as RFC 9110 section 5.3 says.
func canonical(h http.Header, name string) string {
	switch lines := h[name]; len(lines) {
	case 0:
		return ""
	case 1:
		return lines[0]
	default:
		return strings.Join(lines, ", ")
	}
}
