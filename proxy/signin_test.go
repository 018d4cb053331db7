package proxy_test

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"constat/proxy"
	"constat/proxy/flow"
)

const redmiPassword = "7d4 ü:x"

// signsIn makes a proxy know the users redmi and "Galaxy é"; nobody is admitted
// otherwise.
func signsIn(c *proxy.Config) {
	c.SignIn = func(user string) (string, bool) {
		switch user {
		case "redmi", "Galaxy é":
			return redmiPassword, true
		}
		return "", false
	}
	c.Identify = func(g proxy.Guest) proxy.Identity { return proxy.Identity{Device: g.User, Admitted: g.User != ""} }
}

// admitted is signsIn for clients that are known by their address as well.
func admitted(c *proxy.Config) {
	signsIn(c)
	c.Identify = func(g proxy.Guest) proxy.Identity { return proxy.Identity{Device: g.User, Admitted: true} }
}

func required(c *proxy.Config) { admitted(c); c.RequireUser = true }

// door sends a request to the door and returns the answer.
func (g *rig) door(request string) (*http.Response, string) {
	g.t.Helper()
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return talk(g.t, c, bufio.NewReader(c), request)
}

func talk(t testing.TB, c net.Conn, br *bufio.Reader, request string) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(br, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodConnect && resp.StatusCode == http.StatusOK {
		return resp, ""
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func basic(user, password string) string {
	return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)) + "\r\n"
}

// digest is the field that answers a challenge.
func digest(algorithm, nonce, user, password, method, uri string, nc int) string {
	fresh := sha256.New
	if algorithm == "MD5" {
		fresh = md5.New
	}
	h := func(s string) string { return hexSum(fresh(), s) }
	response := h(fmt.Sprintf("%s:%s:%08x:c0ffee:auth:%s", h(user+":Constat:"+password), nonce, nc, h(method+":"+uri)))
	return fmt.Sprintf(`Proxy-Authorization: Digest username="%s", realm="Constat", nonce="%s", uri="%s", algorithm=%s, qop=auth, nc=%08x, cnonce="c0ffee", response="%s"`+"\r\n",
		user, nonce, uri, algorithm, nc, response)
}

func hexSum(h hash.Hash, s string) string {
	_, _ = io.WriteString(h, s)
	return fmt.Sprintf("%x", h.Sum(nil))
}

var nonces = regexp.MustCompile(`nonce="([^"]+)"`)

// nonceOf is the nonce of a challenge.
func nonceOf(t testing.TB, resp *http.Response) string {
	t.Helper()
	all := resp.Header["Proxy-Authenticate"]
	if resp.StatusCode != http.StatusProxyAuthRequired || len(all) != 3 || !strings.Contains(all[0], "algorithm=SHA-256") ||
		!strings.Contains(all[1], "algorithm=MD5") || !strings.HasPrefix(all[2], `Basic realm="Constat"`) {
		t.Fatalf("%s, challenges %q", resp.Status, all)
	}
	return nonces.FindStringSubmatch(all[0])[1]
}

// TestSignInCurl signs in with curl, for both kinds of request, and checks that the
// device is the user's and that the password is nowhere.
func TestSignInCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("needs curl")
	}
	for name, mode := range map[string]func(*proxy.Config){"optional": signsIn, "required": required} {
		ways := []string{"--proxy-basic"}
		if name == "required" {
			ways = append(ways, "--proxy-digest", "--proxy-anyauth")
		}
		for _, how := range ways {
			for _, tunnel := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/tunnel=%t", name, how, tunnel), func(t *testing.T) {
					t.Parallel()
					g := newRig(t, mode)
					var got http.Header
					s := serve(t, false, func(w http.ResponseWriter, r *http.Request) { got = r.Header; fmt.Fprint(w, "hello") })
					args := []string{"-sS", "--max-time", "10", "--proxy", "http://" + g.addr, how, "--proxy-user", "redmi:" + redmiPassword, s.URL + "/a?b=c"}
					if tunnel {
						args = append(args, "--proxytunnel")
					}
					out, err := exec.Command(curl, args...).CombinedOutput()
					if err != nil || string(out) != "hello" {
						t.Fatalf("%q, %v", out, err)
					}
					if got.Get("Proxy-Authorization") != "" {
						t.Error("the server got the password")
					}
					x := await(t, g.rec, exchangeAt("/a"))
					if x.Device != "redmi" || bytes.Contains(x.Request.Head, []byte("response=")) ||
						bytes.Contains(x.Request.Head, []byte(base64.StdEncoding.EncodeToString([]byte("redmi")))) {
						t.Errorf("device %q, head %q", x.Device, x.Request.Head)
					}
					if held := bytes.Contains(x.Request.Head, []byte("(not recorded)")); held == tunnel || x.Request.Exact != tunnel {
						t.Errorf("exact %t, head %q", x.Request.Exact, x.Request.Head)
					}
					c := await(t, g.rec, func(c *flow.Connection) bool { return c.ID == x.Connection })
					if c.Device != "redmi" || c.Outcome != flow.Plain {
						t.Errorf("%+v", c)
					}
				})
			}
		}
		t.Run(name+"/wrong", func(t *testing.T) {
			t.Parallel()
			g := newRig(t, mode)
			out, _ := exec.Command(curl, "-s", "--max-time", "10", "--proxy", "http://"+g.addr, "--proxy-basic", "--proxy-user", "redmi:wrong",
				"-o", "/dev/null", "-w", "%{http_connect} %{http_code}", "--proxytunnel", "http://192.0.2.1/").Output()
			if string(out) != "407 000" {
				t.Errorf("%q", out)
			}
			c := await(t, g.rec, anyConnection)
			if c.Outcome != flow.Refused || c.Reason != "the client did not sign in" || c.Device != "127.0.0.1" && c.Device != "" {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestSignIn asks without curl's help.
func TestSignIn(t *testing.T) {
	s := serve(t, false, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })
	host := s.Listener.Addr().String()
	plain := func(path, field string) string {
		return "GET " + s.URL + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + field + "\r\n"
	}
	connect := func(field string) string {
		return "CONNECT " + host + " HTTP/1.1\r\nHost: " + host + "\r\n" + field + "\r\n"
	}
	for _, tc := range []struct {
		name    string
		mode    func(*proxy.Config)
		request string
		status  int
	}{
		{"basic", signsIn, plain("/", basic("redmi", redmiPassword)), 200},
		{"basic, odd spelling", signsIn, plain("/", strings.Replace(basic("redmi", redmiPassword), "Proxy-Authorization: Basic", "proxy-authorization:bAsIc", 1)), 200},
		{"basic, a name beyond ASCII", signsIn, plain("/", basic("Galaxy é", redmiPassword)), 200},
		{"basic, tunnel", signsIn, connect(basic("redmi", redmiPassword)), 200},
		{"known by its address, nothing asked", admitted, plain("/", ""), 200},
		{"known by its address, and signed in", admitted, plain("/", basic("redmi", redmiPassword)), 200},
		{"known by its address, wrong password", admitted, plain("/", basic("redmi", "wrong")), 407},
		{"known by its address, another scheme", admitted, plain("/", "Proxy-Authorization: Negotiate YII=\r\n"), 200},
		{"known by its address, credentials of another proxy", admitted, plain("/", basic("somebody", "else")), 200},
		{"known by its address, no credentials", admitted, plain("/", "Proxy-Authorization: Basic czNjcmV0\r\n"), 200},
		{"known by its address, digest of another proxy", admitted, plain("/", strings.Replace(digest("MD5", "abc", "redmi", "x", "GET", "/", 1), "Constat", "Squid", 1)), 200},
		{"credentials of another proxy, required", required, plain("/", basic("somebody", "else")), 407},
		{"credentials of another proxy, stranger", signsIn, plain("/", basic("somebody", "else")), 407},
		{"nothing, tunnel", signsIn, connect(""), 403},
		{"nothing, required", required, plain("/", ""), 407},
		{"nothing, required, tunnel", required, connect(""), 407},
		{"nothing, required, browser", required, plain("/", "Accept: text/html\r\n"), 407},
		{"another scheme, required", required, plain("/", "Proxy-Authorization: Negotiate YII=\r\n"), 407},
		{"wrong password", signsIn, plain("/", basic("redmi", "wrong")), 407},
		{"wrong password, tunnel", signsIn, connect(basic("redmi", "wrong")), 407},
		{"empty password of nobody", signsIn, plain("/", basic("nobody", "")), 407},
		{"no colon", signsIn, plain("/", "Proxy-Authorization: Basic cmVkbWk=\r\n"), 407},
		{"no base64", signsIn, plain("/", "Proxy-Authorization: Basic !\r\n"), 407},
		{"twice", signsIn, plain("/", basic("redmi", redmiPassword)+basic("redmi", redmiPassword)), 407},
		{"too long", signsIn, plain("/", "Proxy-Authorization: Basic "+strings.Repeat("A", 10<<10)+"\r\n"), 407},
		{"digest of nothing", signsIn, plain("/", "Proxy-Authorization: Digest\r\n"), 407},
		{"digest for a foreign nonce", signsIn, plain("/", digest("MD5", "abc", "redmi", redmiPassword, "GET", "/", 1)), 407},
		{"own page, required", required, "GET /own HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 200},
		{"own name, required", required, "GET http://constat.test/own HTTP/1.1\r\nHost: constat.test\r\n\r\n", 200},
		{"own page, wrong password", required, "GET http://constat.test/own HTTP/1.1\r\nHost: constat.test\r\n" + basic("redmi", "wrong") + "\r\n", 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newRig(t, tc.mode)
			resp, body := g.door(tc.request)
			if resp.StatusCode != tc.status {
				t.Fatalf("%s: %s", resp.Status, body)
			}
			if resp.StatusCode == http.StatusProxyAuthRequired {
				nonceOf(t, resp)
				if !strings.Contains(body, "constat device show") {
					t.Errorf("the page does not say what to do: %s", body)
				}
			}
			if own := strings.HasPrefix(tc.name, "own"); own != strings.HasPrefix(body, "local page") {
				t.Error(body)
			}
			c := await(t, g.rec, anyConnection)
			if (tc.status >= 400) != (c.Outcome == flow.Refused) {
				t.Errorf("%+v", c)
			}
			if len(all[*flow.Exchange](g.rec)) > 0 && tc.status >= 400 {
				t.Error("what was not let in is recorded")
			}
		})
	}
	t.Run("a stranger gets the page that says how to be let in", func(t *testing.T) {
		g := newRig(t, signsIn)
		if resp, body := g.door(plain("/x", "")); resp.StatusCode != 200 || body != "local page for /x" {
			t.Errorf("%s: %s", resp.Status, body)
		}
		if c := await(t, g.rec, anyConnection); c.Outcome != flow.Refused || c.Reason != "the client is not admitted" {
			t.Errorf("%+v", c)
		}
	})
	t.Run("nobody signs in", func(t *testing.T) {
		g := newRig(t, nil)
		g.door(plain("/none", basic("redmi", redmiPassword)+"X-Next: 1\r\n"))
		x := await(t, g.rec, exchangeAt("/none"))
		if head := string(x.Request.Head); x.Request.Exact || !strings.Contains(head, "\r\nProxy-Authorization: Basic (not recorded)\r\nX-Next: 1\r\n\r\n") {
			t.Errorf("%q", head)
		}
	})
	t.Run("each request says who makes it", func(t *testing.T) {
		g := newRig(t, admitted)
		c, err := net.Dial("tcp", g.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		br := bufio.NewReader(c)
		talk(t, c, br, plain("/1", ""))
		talk(t, c, br, plain("/2", basic("redmi", redmiPassword)))
		talk(t, c, br, plain("/3", ""))
		c.Close()
		for path, want := range map[string]string{"/1": "127.0.0.1", "/2": "redmi", "/3": "127.0.0.1"} {
			if x := await(t, g.rec, exchangeAt(path)); x.Device != want {
				t.Errorf("%s: %q", path, x.Device)
			}
		}
		if row := await(t, g.rec, anyConnection); row.Device != "redmi" || row.Outcome != flow.Plain {
			t.Errorf("%+v", row)
		}
	})
}

// TestDigest goes through what a nonce can be used for.
func TestDigest(t *testing.T) {
	s := serve(t, false, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })
	host := s.Listener.Addr().String()
	for _, algorithm := range []string{"MD5", "SHA-256"} {
		t.Run(algorithm, func(t *testing.T) {
			g := newRig(t, required)
			c, err := net.Dial("tcp", g.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			br := bufio.NewReader(c)
			resp, _ := talk(t, c, br, "GET "+s.URL+"/ HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
			nonce := nonceOf(t, resp)
			forged := "A" + nonce[1:]
			if nonce[0] == 'A' {
				forged = "B" + nonce[1:]
			}
			get := func(uri, field string) (status int, stale bool) {
				resp, _ := talk(t, c, br, "GET "+s.URL+uri+" HTTP/1.1\r\nHost: "+host+"\r\n"+field+"\r\n")
				return resp.StatusCode, strings.Contains(resp.Header.Get("Proxy-Authenticate"), "stale=true")
			}
			answer := func(uri string, nc int) string {
				return digest(algorithm, nonce, "redmi", redmiPassword, "GET", uri, nc)
			}
			for i, step := range []struct {
				uri, field string
				status     int
				stale      bool
			}{
				{"/a?b=c", answer("/a?b=c", 1), 200, false},
				{"/a?b=c", answer("/a?b=c", 1), 407, true}, // the same again
				{"/a?b=c", answer(s.URL+"/a?b=c", 2), 200, false},
				{"/a", answer("/a", 9), 200, false},
				{"/a", answer("/a", 5), 200, false}, // overtaken
				{"/a", answer("/a", 5), 407, true},
				{"/a", answer("/a", 9), 407, true},
				{"/a", answer("/a", 100), 200, false},
				{"/a", answer("/a", 36), 407, true}, // too long ago to be known
				{"/a", answer("/a", 37), 200, false},
				{"/b", answer("/a", 101), 407, false}, // for another URL
				{"/a", strings.Replace(answer("/a", 101), "nc=00000065", "nc=00000066", 1), 407, false},
				{"/a", digest(algorithm, nonce, "redmi", "wrong", "GET", "/a", 101), 407, false},
				{"/a", digest(algorithm, nonce, "redmi", redmiPassword, "POST", "/a", 101), 407, false},
				{"/a", digest(algorithm, nonce, "nobody", "", "GET", "/a", 101), 407, false},
				{"/a", strings.Replace(answer("/a", 101), "qop=auth", "qop=auth-int", 1), 407, false},
				{"/a", strings.Replace(answer("/a", 101), "algorithm="+algorithm, "algorithm=SHA-512", 1), 407, false},
				{"/a", answer("/a", 101), 200, false},
				{"/a", digest(algorithm, forged, "redmi", redmiPassword, "GET", "/a", 102), 407, true}, // not from here
			} {
				status, stale := get(step.uri, step.field)
				if status != step.status || stale != step.stale {
					t.Errorf("step %d: %d, stale %t", i, status, stale)
				}
			}
		})
	}
	t.Run("tunnel", func(t *testing.T) {
		g := newRig(t, required)
		resp, _ := g.door("CONNECT " + host + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
		field := digest("SHA-256", nonceOf(t, resp), "redmi", redmiPassword, "CONNECT", host, 1)
		for _, want := range []int{200, 407} {
			if resp, _ := g.door("CONNECT " + host + " HTTP/1.1\r\nHost: " + host + "\r\n" + field + "\r\n"); resp.StatusCode != want {
				t.Errorf("%s, want %d", resp.Status, want)
			}
		}
	})
}

// TestSignInClock checks what time does to nonces and wrong passwords.
func TestSignInClock(t *testing.T) {
	now := time.Unix(1e9, 0)
	password := func(user string) (string, bool) { return redmiPassword, user == "redmi" }
	s := proxy.NewSignIn(password, func() time.Time { return now })
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	request := func(field string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "http://server.test/", nil)
		_, value, _ := strings.Cut(strings.TrimSpace(field), ": ")
		r.Header.Set("Proxy-Authorization", value)
		return r
	}
	try := func(field string, from netip.Addr) string { return s.Check(request(field), from) }
	answer := func(nonce string, nc int) string { return digest("MD5", nonce, "redmi", redmiPassword, "GET", "/", nc) }
	expect := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	nonce := s.Nonce(a)
	expect(try(answer(nonce, 1), a), "signed")
	expect(try(answer(nonce, 2), b), "stale") // another client's
	now = now.Add(4 * time.Minute)
	expect(try(answer(nonce, 2), a), "signed")
	now = now.Add(2 * time.Minute)
	expect(try(answer(nonce, 3), a), "stale")
	expect(try(answer(proxy.NewSignIn(password, func() time.Time { return now }).Nonce(a), 1), a), "stale") // another run's

	// A nonce whose counts are forgotten is of no use to anybody.
	first := s.Nonce(a)
	expect(try(answer(first, 1), a), "signed")
	for range 4096 {
		now = now.Add(time.Millisecond)
		expect(try(answer(s.Nonce(a), 1), a), "signed")
	}
	expect(try(answer(first, 1), a), "stale")
	expect(try(answer(first, 2), a), "stale")

	for range 8 {
		expect(try(basic("redmi", "wrong"), b), "wrong")
	}
	expect(try(basic("redmi", redmiPassword), b), "held")
	expect(try(basic("redmi", redmiPassword), netip.MustParseAddr("2001:db8::2")), "held") // the same host's, by all that is known
	expect(try(basic("redmi", redmiPassword), a), "signed")
	now = now.Add(time.Second)
	expect(try(basic("redmi", "wrong"), b), "wrong")
	now = now.Add(time.Second)
	expect(try(basic("redmi", redmiPassword), b), "held") // for longer
	now = now.Add(time.Second)
	expect(try(basic("redmi", redmiPassword), b), "signed")
	expect(try(basic("redmi", "wrong"), b), "wrong") // counted afresh
	expect(try(basic("redmi", redmiPassword), b), "signed")
}

func TestSignInHeld(t *testing.T) {
	g := newRig(t, signsIn)
	request := "CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: x\r\n" + basic("redmi", "wrong") + "\r\n"
	for range 8 {
		g.door(request)
	}
	resp, _ := g.door(request)
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s", resp.Status)
	}
}

func TestWithoutPasswords(t *testing.T) {
	for head, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n":                                              "",
		"GET / HTTP/1.1\r\nX-Proxy-Authorization: a\r\n\r\n":                             "",
		"GET / HTTP/1.1\r\nX: proxy-authorization: a\r\n\r\n":                            "",
		"GET / HTTP/1.1\r\nproxy-AUTHORIZATION:basic YTpi\r\nA: b\r\n\r\n":               "GET / HTTP/1.1\r\nproxy-AUTHORIZATION: Basic (not recorded)\r\nA: b\r\n\r\n",
		"GET / HTTP/1.1\r\nProxy-Authorization: Digest a=b,\r\n c=d\r\nA: b\r\n\r\n":     "GET / HTTP/1.1\r\nProxy-Authorization: Digest (not recorded)\r\nA: b\r\n\r\n",
		"GET / HTTP/1.1\r\nProxy-Authorization: secret\r\n\tmore\r\n\r\n":                "GET / HTTP/1.1\r\nProxy-Authorization: (not recorded)\r\n\r\n",
		"GET / HTTP/1.1\r\nA: b\r\nProxy-Authorization: Basic\r\n x\r\n y\r\nB:\r\n\r\n": "GET / HTTP/1.1\r\nA: b\r\nProxy-Authorization: Basic (not recorded)\r\nB:\r\n\r\n",
	} {
		got, exact := proxy.WithoutPasswords([]byte(head))
		if want == "" {
			want = head
			if !exact {
				t.Errorf("%q is not exact", head)
			}
		} else if exact {
			t.Errorf("%q is exact", head)
		}
		if string(got) != want {
			t.Errorf("%q: got %q", head, got)
		}
	}
}

func FuzzAuthParams(f *testing.F) {
	for _, s := range []string{``, `a=b`, `a="b\"c", d = e,,`, `a=b a=c`, `a="b`, `a=b, a=c`, `a=b,`, `username="x", nc=00000001`, `=`, `a=`, `a=""`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		params, ok := proxy.AuthParams(s)
		if ok != (len(params) > 0) {
			t.Fatalf("%d parameters, %t", len(params), ok)
		}
		// Written out in the plainest way, they are the same.
		var b strings.Builder
		for name, value := range params {
			fmt.Fprintf(&b, `%s="%s", `, name, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value))
		}
		again, ok2 := proxy.AuthParams(b.String())
		if ok2 != ok || fmt.Sprint(again) != fmt.Sprint(params) {
			t.Fatalf("%q: %v, then %v", s, params, again)
		}
	})
}

// FuzzWithoutPasswords: what is kept holds no credentials, however often it is asked.
func FuzzWithoutPasswords(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nProxy-Authorization: Basic YTpi\r\n\r\n", "a\nproxy-authorization:x\n y\n\tz\nb: c\n\n", "Proxy-Authorization\r\n", "\r\n",
		" Proxy-Authorization: a\r\n", "Proxy-Authorization : a\r\n b", "x: y\r\nProxy-Authorization: Digest a\r\nProxy-Authorization: b",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		kept, exact := proxy.WithoutPasswords(head)
		if exact && !bytes.Equal(kept, head) {
			t.Fatalf("%q became %q", head, kept)
		}
		hidden := false
		for line := range strings.SplitSeq(string(kept), "\n") {
			name, value, ok := strings.Cut(line, ":")
			if hidden && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")) {
				t.Fatalf("%q keeps %q", head, line)
			}
			hidden = ok && name != "" && strings.EqualFold(strings.TrimRight(name, " \t"), "Proxy-Authorization")
			if hidden && !strings.HasSuffix(strings.TrimRight(value, "\r"), "(not recorded)") {
				t.Fatalf("%q keeps %q", head, line)
			}
		}
		if again, _ := proxy.WithoutPasswords(kept); !bytes.Equal(again, kept) {
			t.Fatalf("%q, then %q", kept, again)
		}
	})
}
