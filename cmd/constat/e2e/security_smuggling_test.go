package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// hidden is a request that only a server which reads the framing in another way
// than Constat would see.
const hidden = "GET /hidden HTTP/1.1\r\nHost: raw.test\r\n\r\n"

// smuggling is what clients send inside a tunnel to raw.test, in full. Each
// can be read in more than one way by some server. "{h}" is hidden, "{N}"
// and "{n}" its length in decimal and hexadecimal, "{H}" a Host line.
var smuggling = []string{
	// Content-Length and Transfer-Encoding together (RFC 9112 section 6.1).
	"POST / HTTP/1.1\r\n{H}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n{n}\r\n{h}\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\n{H}content-length: 6\r\ntransfer-encoding: CHUNKED\r\n\r\n0\r\n\r\nX{h}",
	// More than one Content-Length (RFC 9110 section 8.6).
	"POST / HTTP/1.1\r\n{H}Content-Length: 0\r\nContent-Length: {N}\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: {N}\r\nContent-Length: 0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
	"POST / HTTP/1.1\r\n{H}Content-Length: 5, 5\r\n\r\nhello",
	"POST / HTTP/1.1\r\n{H}Content-Length: 0, {N}\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: 5\r\nContent-Length: 05\r\n\r\nhello",
	// Lengths that are no decimal numbers.
	"POST / HTTP/1.1\r\n{H}Content-Length: +5\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: -5\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: 0_5\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: 5 5\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: 0x5\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: 5.0\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: 5e0\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: \r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: five\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: \"5\"\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: \uff15\r\n\r\nhello{h}", // a full-width five
	"POST / HTTP/1.1\r\n{H}Content-Length: 18446744073709551621\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: 5\v\r\n\r\nhello{h}",
	// Transfer codings that some servers take for chunked, or do not.
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\x00\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: \r\nContent-Length: 5\r\n\r\nhello{h}",
	"POST / HTTP/1.1\r\n{H}Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H} Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}X: y\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.0\r\n{H}Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n{h}",
	// Line ends and what they can hide.
	"GET / HTTP/1.1\nHost: raw.test\n\n",
	"GET / HTTP/1.1\r\n{H}X: a\nX-Injected: b\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}X: a\rX-Injected: b\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}X: a\r\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}\rX: a\r\n\r\n",
	"GET / HTTP/1.1\r{H}\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}X: a\r\n b\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}X: a\r\n\tContent-Length: {N}\r\n\r\n{h}",
	"GET / HTTP/1.1\r\n X: a\r\n{H}\r\n",
	"GET / HTTP/1.1\r\n{H}X: a\x00b\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}X\x00: b\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}X: a\x7f\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}X : a\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}: a\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}no colon\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}X(y): a\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}Content-Length\u00a0: {N}\r\n\r\n{h}",
	// Request lines.
	"GET  / HTTP/1.1\r\n{H}\r\n",
	"GET\t/ HTTP/1.1\r\n{H}\r\n",
	"GET / HTTP/1.1 \r\n{H}\r\n",
	"GET /a b HTTP/1.1\r\n{H}\r\n",
	"GET / HTTP/1.2\r\n{H}\r\n",
	"GET / HTTP/01.1\r\n{H}\r\n",
	"GET / http/1.1\r\n{H}\r\n",
	"GET / HTTP/1.1\x00\r\n{H}\r\n",
	"GET /\x00 HTTP/1.1\r\n{H}\r\n",
	"GET /\x0bx HTTP/1.1\r\n{H}\r\n",
	"GET raw.test/ HTTP/1.1\r\n{H}\r\n",
	"G(T / HTTP/1.1\r\n{H}\r\n",
	"GET /\r\n{H}\r\n",
	// Where it goes.
	"GET / HTTP/1.1\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}Host: beside.test\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: beside.test\r\n{H}\r\n",
	"GET / HTTP/1.1\r\n{H}Host: raw.test\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: beside.test\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: raw.test@beside.test\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: raw.test, beside.test\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: raw.test:80:443\r\n\r\n",
	"GET https://beside.test/ HTTP/1.1\r\n{H}\r\n",
	"GET https://beside.test/ HTTP/1.1\r\nHost: beside.test\r\n\r\n",
	"GET https://raw.test@beside.test/ HTTP/1.1\r\n{H}\r\n",
	"GET http://raw.test/ HTTP/1.1\r\n{H}\r\n",
	"GET ftp://raw.test/ HTTP/1.1\r\n{H}\r\n",
	"GET https:/raw.test/ HTTP/1.1\r\n{H}\r\n",
	"CONNECT beside.test:443 HTTP/1.1\r\nHost: beside.test:443\r\n\r\n",
	// Chunks (RFC 9112 section 7.1).
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n5_0\r\nhello\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n5;a=\"\r\nhello\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n5;a=b\nhello\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n5\rX\r\nhello\r\n0\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: {N}\r\n\r\n",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nTrailer: Host\r\n\r\n0\r\nHost: beside.test\r\n\r\n",
	"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n",
	// Fields that make another reader drop the framing (RFC 9110 section 7.6.1).
	"POST / HTTP/1.1\r\n{H}Connection: Content-Length\r\nContent-Length: {N}\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n{n}\r\n{h}\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\n{H}Connection: Host\r\nContent-Length: 0\r\n\r\n",
	"GET / HTTP/1.1\r\n{H}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
	// A body where none is expected.
	"GET / HTTP/1.1\r\n{H}Content-Length: {N}\r\n\r\n{h}",
	"HEAD / HTTP/1.1\r\n{H}Content-Length: {N}\r\n\r\n{h}",
	"POST / HTTP/1.1\r\n{H}Content-Length: {N}\r\nExpect: 100-continue, x\r\n\r\n{h}",
}

// Row 13: whatever a client sends through a tunnel, what reaches the server can
// be read in one way only, and each answer belongs to its request.
func TestSmuggling(t *testing.T) {
	if len(smuggling) < 60 {
		t.Fatalf("%d requests in the corpus", len(smuggling))
	}
	o := nobody(t)
	right := newRawOrigin(t, o, answering)
	wrong := newRawOrigin(t, o, answering)
	c := start(t, o, "--resolve", "raw.test:443:"+right.Addr, "--resolve", "beside.test:443:"+wrong.Addr)
	roots := c.roots()
	for i, text := range smuggling {
		text = strings.NewReplacer("{H}", "Host: raw.test\r\n", "{h}", hidden, "{n}", fmt.Sprintf("%x", len(hidden)), "{N}", fmt.Sprint(len(hidden))).Replace(text)
		tc, err := c.secure("", "raw.test", roots, "http/1.1")
		if err != nil {
			t.Fatal(err)
		}
		// The second request shows whether the answers stay in step.
		after := fmt.Sprintf("/after-%d", i)
		fmt.Fprintf(tc, "%sGET %s HTTP/1.1\r\nHost: raw.test\r\nConnection: close\r\n\r\n", text, after)
		answers := bufio.NewReader(tc)
		tc.SetReadDeadline(time.Now().Add(5 * time.Second))
		var seen []string
		for {
			resp, err := http.ReadResponse(answers, nil)
			if err != nil {
				break
			}
			resp.Body.Close()
			if resp.StatusCode < 200 {
				continue
			}
			seen = append(seen, fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("X-For")))
		}
		tc.Close()
		for _, s := range seen {
			if strings.HasSuffix(s, "/hidden") {
				t.Errorf("%q\n got the answer to a request that was hidden in it: %q", text, seen)
			}
		}
		if len(seen) > 2 {
			t.Errorf("%q\n and one more got %d answers: %q", text, len(seen), seen)
		}
		if len(seen) == 2 && !strings.HasSuffix(seen[1], after) && !strings.HasPrefix(seen[1], "4") {
			t.Errorf("%q\n moved the answers on: %q", text, seen)
		}
	}
	for _, conn := range wrong.received() {
		t.Errorf("the other server was asked: %q", conn)
	}
	// A proxy that refuses everything would pass: it must not be deaf.
	resp, err := c.client(false).Get("https://raw.test/fine")
	if err != nil || resp.Header.Get("X-For") != "/fine" {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	c.stop()
	verified(t, c.Case)
	// All that ever reached the server, now that nothing more can: connections are
	// used again, so each holds what came of several of the requests above.
	conns := right.received()
	for _, conn := range conns {
		if err := unambiguous(conn); err != nil {
			t.Errorf("reached the server as %q:\n %v", conn, err)
		}
	}
	t.Logf("%d requests; %d connections to the server", len(smuggling), len(conns))
	if len(conns) == 0 {
		t.Error("nothing reached the server")
	}
}

var (
	requestLine = regexp.MustCompile("^[!#$%&'*+.^_|~0-9A-Za-z`-]+ (/[\\x21-\\x7e]*|\\*) HTTP/1\\.[01]$")
	fieldLine   = regexp.MustCompile("^([!#$%&'*+.^_|~0-9A-Za-z`-]+):[\\t\\x20-\\x7e\\x80-\\xff]*$")
	chunkLine   = regexp.MustCompile("^[0-9A-Fa-f]{1,15}$")
	digits      = regexp.MustCompile("^[0-9]{1,18}$")
)

// unambiguous reads what arrived on one connection as strictly as RFC 9112 lets
// a sender write, and says what could be read otherwise. A request that breaks
// off at the end is none.
func unambiguous(rest string) error {
	for rest != "" {
		head, body, whole := strings.Cut(rest, "\r\n\r\n")
		lines := strings.Split(head, "\r\n")
		if !requestLine.MatchString(lines[0]) {
			return fmt.Errorf("request line %q", lines[0])
		}
		if strings.Contains(lines[0], "/hidden") {
			return fmt.Errorf("the hidden request is one")
		}
		count := map[string]int{}
		value := map[string]string{}
		for _, line := range lines[1:] {
			m := fieldLine.FindStringSubmatch(line)
			if m == nil {
				return fmt.Errorf("field line %q", line)
			}
			name := strings.ToLower(m[1])
			count[name]++
			value[name] = strings.Trim(line[len(m[1])+1:], " \t")
		}
		if !whole {
			return nil
		}
		length, chunked := count["content-length"], count["transfer-encoding"]
		switch {
		case count["host"] != 1 || value["host"] != "raw.test":
			return fmt.Errorf("%d Host fields, %q", count["host"], value["host"])
		case length+chunked > 1:
			return fmt.Errorf("%d Content-Length and %d Transfer-Encoding", length, chunked)
		case length == 1 && !digits.MatchString(value["content-length"]):
			return fmt.Errorf("Content-Length %q", value["content-length"])
		case chunked == 1 && !strings.EqualFold(value["transfer-encoding"], "chunked"):
			return fmt.Errorf("Transfer-Encoding %q", value["transfer-encoding"])
		}
		rest = body
		var err error
		switch {
		case length == 1:
			n := 0
			fmt.Sscan(value["content-length"], &n)
			rest = rest[min(n, len(rest)):]
		case chunked == 1:
			if rest, err = chunks(rest); err != nil {
				return err
			}
		}
	}
	return nil
}

// chunks cuts a chunked body off.
func chunks(rest string) (string, error) {
	for rest != "" {
		line, after, whole := strings.Cut(rest, "\r\n")
		if !whole {
			return "", nil
		}
		if !chunkLine.MatchString(line) {
			return "", fmt.Errorf("chunk size %q", line)
		}
		size := 0
		fmt.Sscanf(line, "%x", &size)
		if size == 0 {
			trailer, after, whole := strings.Cut("\r\n"+after, "\r\n\r\n")
			if !whole {
				return "", nil
			}
			for _, line := range strings.Split(trailer, "\r\n")[1:] {
				m := fieldLine.FindStringSubmatch(line)
				if m == nil || strings.EqualFold(m[1], "host") || strings.EqualFold(m[1], "content-length") || strings.EqualFold(m[1], "transfer-encoding") {
					return "", fmt.Errorf("trailer line %q", line)
				}
			}
			return after, nil
		}
		if len(after) < size+2 {
			return "", nil
		}
		if after[size:size+2] != "\r\n" {
			return "", fmt.Errorf("a chunk of %d bytes ends in %q", size, after[size:size+2])
		}
		rest = after[size+2:]
	}
	return "", nil
}
