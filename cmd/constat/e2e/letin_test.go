package e2e

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/chromedp"
)

// passwordOf reads the book of devices.
func (c *instance) passwordOf(device string) string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(c.CA), "devices.json"))
	if err != nil {
		c.t.Fatal(err)
	}
	var book struct {
		Devices []struct{ Name, Password string }
	}
	if err := json.Unmarshal(text, &book); err != nil {
		c.t.Fatal(err)
	}
	for _, d := range book.Devices {
		if d.Name == device {
			return d.Password
		}
	}
	c.t.Fatalf("no device %s", device)
	return ""
}

// socks sends text to host:port by way of the SOCKS5 door at addr, as user unless that
// is empty, and returns the answer.
func (n *network) socks(addr, user, password, host string, port uint16, text string) (string, error) {
	var answer []byte
	err := n.phone(func() error {
		nc, err := (&net.Dialer{Timeout: patience}).Dial("tcp", addr)
		if err != nil {
			return err
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		say := func(want int, b ...byte) error {
			if _, err := nc.Write(b); err != nil {
				return err
			}
			got := make([]byte, want)
			if _, err := io.ReadFull(nc, got); err != nil || got[1] == 0xff {
				return errors.Join(errors.New("not let in"), err)
			}
			return nil
		}
		if user == "" {
			err = say(2, 5, 1, 0)
		} else {
			err = say(2, 5, 1, 2)
			sign := append([]byte{1, byte(len(user))}, user...)
			err = errors.Join(err, say(2, append(append(sign, byte(len(password))), password...)...))
		}
		if err != nil {
			return err
		}
		request := append([]byte{5, 1, 0, 3, byte(len(host))}, host...)
		if err := say(10, append(request, byte(port>>8), byte(port))...); err != nil {
			return err
		}
		if _, err := io.WriteString(nc, text); err != nil {
			return err
		}
		answer, _ = io.ReadAll(nc)
		return nil
	})
	return string(answer), err
}

// TestWhoIsLetIn comes in by each door as a stranger, who gets the page that says how
// to be let in and nothing else, and as somebody whom Constat knows. The phone in the
// WireGuard tunnel has tests of its own.
func TestWhoIsLetIn(t *testing.T) {
	n := newNetwork(t)
	serveNames(t, map[string][][]string{"public.test": {{phoneAddr}}})
	var outside *rawOrigin
	if err := n.phone(func() error {
		ln, err := net.Listen("tcp", phoneAddr+":0")
		if err == nil {
			outside = serveRaw(t, ln, nil, answering)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var port uint16
	_, _ = fmt.Sscan(portOf(outside.Addr), &port)
	get := func(target, field string) string {
		return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: public.test:%d\r\nConnection: close\r\n%s\r\n", target, port, field)
	}
	url := fmt.Sprintf("http://public.test:%d/x", port)
	c := start(t, nil, "--listen", serverAddr+":0", "--socks", serverAddr+":1080", "--gateway", "0.0.0.0:8443", "--gateway-redirect")
	signed := "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("phone:"+c.passwordOf("phone"))) + "\r\n"

	diverts := divert(t, n, c)
	page := func(by, got string) {
		t.Helper()
		if !strings.HasPrefix(got, "HTTP/1.1 403 ") || !strings.Contains(got, "This device is not enrolled") {
			t.Errorf("a stranger by %s: %.300q", by, got)
		}
	}
	served := func(by, got string) {
		t.Helper()
		if !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Errorf("%s: %.300q", by, got)
		}
	}
	hello := "\x16\x03\x01\x00\x05hello"

	// A stranger.
	page("http", n.ask(t, c.Proxy, get(url, "")))
	got, err := n.socks(serverAddr+":1080", "", "", "public.test", port, get("/x", ""))
	page("socks5", got)
	if err != nil {
		t.Error(err)
	}
	if got, err := n.socks(serverAddr+":1080", "app", "", "public.test", port, get("/x", "")); err != nil {
		t.Error(err)
	} else {
		page("socks5, under a name that means nothing", got)
	}
	if got, _ := n.socks(serverAddr+":1080", "", "", "public.test", port, hello); got != "" {
		t.Errorf("a stranger's handshake was answered: %q", got)
	}
	if got, err := n.socks(serverAddr+":1080", "phone", "wrong", "public.test", port, get("/x", "")); err == nil {
		t.Errorf("a wrong password was let in: %q", got)
	}
	if diverts {
		page("transparent", n.ask(t, "198.51.100.1:80", get("/x", "")))
		if got := n.ask(t, "198.51.100.1:443", hello); got != "" {
			t.Errorf("a stranger's handshake was answered: %q", got)
		}
	}
	if asked := outside.received(); len(asked) > 0 {
		t.Fatalf("servers were reached for a stranger: %q", asked)
	}

	// Who has signed in.
	served("signed in, http", n.ask(t, c.Proxy, get(url, signed)))
	served("signed in, tunnel", strings.TrimPrefix(n.ask(t, c.Proxy, fmt.Sprintf("CONNECT public.test:%d HTTP/1.1\r\nHost: x\r\n%s\r\n", port, signed)+get("/x", "")), "HTTP/1.1 200 Connection established\r\n\r\n"))
	got, err = n.socks(serverAddr+":1080", "phone", c.passwordOf("phone"), "public.test", port, get("/x", ""))
	if err != nil {
		t.Error(err)
	}
	served("signed in, socks5", got)
	page("http, again without a password", n.ask(t, c.Proxy, get(url, "")))

	// Who was enrolled by the link, and has been given a name.
	own := func(method, target, fields, body string) string {
		return n.ask(t, c.Proxy, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s", method, target, c.Proxy, len(body), fields, body))
	}
	key := c.Enrol[strings.Index(c.Enrol, "=")+1:]
	if got := own("GET", "/wireguard.conf?key="+key, "", ""); strings.Contains(got, "PrivateKey") {
		t.Error("a stranger got a key")
	}
	if got := own("GET", "/?enrol="+key, "", ""); !strings.HasPrefix(got, "HTTP/1.1 303 ") || !strings.Contains(got, "Set-Cookie: ") {
		t.Fatalf("enrolment: %.300q", got)
	}
	if got := own("POST", "/wireguard", "Content-Type: application/x-www-form-urlencoded\r\n", "key="+key+"&name=redmi&for=this"); !strings.Contains(got, "The tunnel of redmi") {
		t.Errorf("%.300q", got)
	}
	conf := own("GET", "/wireguard.conf?key="+key, "", "")
	if !strings.Contains(conf, "\nPrivateKey = ") || !strings.Contains(conf, "\nEndpoint = "+serverAddr+":") {
		t.Errorf("%.100q", conf)
	}
	served("enrolled, http", n.ask(t, c.Proxy, get(url+"?redmi", "")))
	if got, err = n.socks(serverAddr+":1080", "", "", "public.test", port, get("/x?redmi", "")); err != nil {
		t.Error(err)
	}
	served("enrolled, socks5", got)

	c.stop()
	if got := c.sql("SELECT group_concat(device || ' ' || n, ', ') FROM (SELECT device, count(*) AS n FROM requests WHERE method <> '' GROUP BY 1 ORDER BY 1)"); got != "phone 3, redmi 2" {
		t.Errorf("devices: %s", got)
	}
	if got := c.sql("SELECT count(*) > 0 FROM connections WHERE outcome = 'refused' AND reason = 'the client is not admitted' AND door = 'http'"); got != "1" {
		t.Error("strangers left no row")
	}
	private := strings.SplitN(conf[strings.Index(conf, "PrivateKey = ")+len("PrivateKey = "):], "\n", 2)[0]
	for what, secret := range map[string]string{"key": private, "password": c.passwordOf("phone")} {
		if strings.Contains(c.stderr.String(), secret) {
			t.Errorf("the %s is in the log", what)
		}
	}
	if !strings.Contains(c.stderr.String(), "a WireGuard configuration was handed out") {
		t.Error("the log does not say that a configuration was handed out")
	}
	file, err := os.ReadFile(c.Case)
	if err != nil {
		t.Fatal(err)
	}
	_, sent, _ := strings.Cut(strings.TrimSpace(signed), "Basic ")
	if strings.Contains(string(file), sent) || strings.Contains(string(file), c.passwordOf("phone")) {
		t.Error("the password is in the case")
	}
	verified(t, c.Case)
}

// divert sets the firewall up so that what the phone sends to 198.51.100.0/24 comes in
// by the transparent door, and says whether it could.
func divert(t *testing.T, n *network, c *instance) bool {
	t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		t.Log("nft is not installed: the transparent door is left out")
		return false
	}
	script, _ := constat(t, 0, "gateway", "--interface", "constat0", "--redirect")
	name := filepath.Join(t.TempDir(), "gateway.sh")
	if err := os.WriteFile(name, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sh", name, "up").CombinedOutput(); err != nil {
		t.Logf("the firewall cannot be set up here, so the transparent door is left out: %v\n%s", err, out)
		return false
	}
	if err := n.phone(func() error {
		return exec.Command("ip", "route", "add", "198.51.100.0/24", "via", serverAddr).Run()
	}); err != nil {
		t.Fatal(err)
	}
	return true
}

// TestSignInRequired has curl sign in where everybody has to.
func TestSignInRequired(t *testing.T) {
	o := nobody(t)
	c := start(t, o, "--sign-in", "required")
	curl := func(args ...string) string {
		all := append([]string{"-sS", "--max-time", "20", "--cacert", c.CA, "-o", os.DevNull, "-w", "%{http_connect} %{http_code}", "--proxy", "http://" + c.Proxy}, args...)
		out, _ := exec.Command(need(t, "curl"), all...).Output()
		return string(out)
	}
	who := "phone:" + c.passwordOf("phone")
	for _, tc := range []struct {
		want string
		args []string
	}{
		{"407 000", []string{"https://origin.test/"}},
		{"000 407", []string{"http://origin.test/"}},
		{"407 000", []string{"--proxy-digest", "--proxy-user", "phone:wrong", "https://origin.test/"}},
		{"200 404", []string{"--proxy-digest", "--proxy-user", who, "https://origin.test/"}},
		{"200 404", []string{"--proxy-anyauth", "--proxy-user", who, "https://origin.test/"}},
		{"000 404", []string{"--proxy-digest", "--proxy-user", who, "http://origin.test/"}},
		{"000 404", []string{"--proxy-basic", "--proxy-user", who, "http://origin.test/"}},
	} {
		if got := curl(tc.args...); got != tc.want {
			t.Errorf("%v: got %q, want %q", tc.args, got, tc.want)
		}
	}
	c.stop()
	if got := c.sql("SELECT group_concat(DISTINCT device) || count(*) FROM requests"); got != "phone4" {
		t.Errorf("requests: %s", got)
	}
	constat(t, 2, "run", "--sign-in", "perhaps", "--listen", "127.0.0.1:0", "--ui", "off", "--ca-dir", t.TempDir(), "--case", filepath.Join(t.TempDir(), "x.constat"))
}

// TestChromiumSignsIn has a browser answer the question for a password, as a person
// would.
func TestChromiumSignsIn(t *testing.T) {
	o := newOrigin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><link rel=icon href='data:,'><p>hello from %s", r.URL.Path)
	}))
	c := start(t, o, "--sign-in", "required")
	ctx := c.chromium()
	who := &fetch.AuthChallengeResponse{
		Response: fetch.AuthChallengeResponseResponseProvideCredentials, Username: "phone", Password: c.passwordOf("phone"),
	}
	asked := make(chan string, 100)
	if err := chromedp.Listen(ctx, func(ev any) {
		// The commands are the browser's, and end with it.
		switch ev := ev.(type) {
		case *fetch.EventRequestPaused:
			go func() {
				_, _ = chromedp.Call(ctx, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: ev.RequestID})
			}()
		case *fetch.EventAuthRequired:
			asked <- ev.AuthChallenge.Scheme
			go func() {
				_, _ = chromedp.Call(ctx, fetch.ContinueWithAuth, fetch.ContinueWithAuthParams{RequestID: ev.RequestID, AuthChallengeResponse: who})
			}()
		}
	}); err != nil {
		t.Fatal(err)
	}
	yes := true
	if _, err := chromedp.Call(ctx, fetch.Enable, fetch.EnableParams{HandleAuthRequests: &yes}); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"http://origin.test/plain", "https://origin.test/tls", "http://origin.test/again", "https://other.test/tls"} {
		if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
			t.Fatal(url, err)
		}
		if text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText")); err != nil || !strings.HasPrefix(text, "hello from /") {
			t.Errorf("%s: %q, %v", url, text, err)
		}
	}
	if scheme := <-asked; scheme != "digest" || len(asked) > 1 {
		t.Errorf("asked for %s, and %d times more", scheme, len(asked))
	}
	if err := chromedp.Cancel(ctx); err != nil {
		t.Error(err)
	}
	c.stop()
	if got := c.sql("SELECT count(*) FROM requests WHERE device = 'phone' AND status = 200 AND host IN ('origin.test', 'other.test')"); got != "4" {
		t.Errorf("requests: %s\n%s", got, c.sql("SELECT device, status, host, path FROM requests"))
	}
}
