package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"constat/inspect/canary"
)

// Rows 18 and 19: with an umask that takes nothing away, what Constat writes is
// for its owner alone; so is the folder of the CA key.
func TestPrivateWhateverTheUmask(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	caseFile, caDir := filepath.Join(dir, "cases", "case.constat"), filepath.Join(dir, "config", "ca")
	c := startIn(t, newOrigin(t, http.HandlerFunc(echo)), caseFile, caDir)
	c.servedOnce(t)
	check := func() (files int) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || path == dir {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o600)
			if d.IsDir() {
				want = 0o700
			} else {
				files++
			}
			if info.Mode().Perm() != want {
				t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	if n := check(); n < 6 { // ca.pem, ca.key, log.key; the case, -wal, -shm
		t.Errorf("%d files while running", n)
	}
	c.stop()
	out := func(name string) string { return filepath.Join(dir, name) }
	constat(t, 0, "report", "--case", caseFile, "--out", out("report.html"))
	constat(t, 0, "export", "har", "--case", caseFile, "--out", out("flows.har"))
	constat(t, 0, "export", "csv", "--case", caseFile, "--out", out("flows.csv"))
	constat(t, 0, "persona", "new", "--out", out("persona.json"))
	if n := check(); n < 8 {
		t.Errorf("%d files after the exports", n)
	}
}

// Row 18: the private keys are in their files and nowhere else: not in what is
// served, printed, logged, recorded, reported or exported.
func TestKeysStayWhereTheyAre(t *testing.T) {
	c := start(t, newOrigin(t, http.HandlerFunc(echo)), "--log-level", "debug")
	caDir := filepath.Dir(c.CA)
	var forms [][]byte
	for _, name := range []string{"ca.key", "log.key"} {
		text, err := os.ReadFile(filepath.Join(caDir, name))
		if err != nil {
			t.Fatal(err)
		}
		secret := bytes.TrimSpace(text)
		if block, _ := pem.Decode(text); block != nil {
			secret = block.Bytes
		}
		half := secret[len(secret)/2:] // a part gives it away as well
		forms = append(forms, secret, []byte(base64.StdEncoding.EncodeToString(secret))[:40], []byte(hex.EncodeToString(half)))
	}
	check := func(what string, text []byte) {
		t.Helper()
		for _, f := range append(forms, []byte("PRIVATE KEY"), []byte("PRIVATE+KEY")) {
			if bytes.Contains(text, f) {
				t.Errorf("%s holds a private key", what)
			}
		}
	}
	direct := &http.Client{}
	defer direct.CloseIdleConnections()
	get := func(client *http.Client, url string) {
		t.Helper()
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		check(url, text)
	}
	for _, path := range []string{
		"/", "/ca.pem", "/ca.der", "/ca.key", "/log.key", "/ca/ca.key", "/../ca.key", "/..%2fca.key", "/a/..%2f..%2fca.key", "/a/../../ca.key",
		"/constat.mobileconfig", "/constat-ca.zip", "/android", "/ios", "/desktop", "/?file=ca.key", "/debug/pprof/heap",
	} {
		get(direct, "http://"+c.Proxy+path)
		get(direct, "http://"+c.UI+path)
	}
	get(c.client(true), "https://constat.test/ca.key")
	c.servedOnce(t)
	c.stop()
	for _, args := range [][]string{
		{"ca", "show"},
		{"ca", "export", "--format", "pem"},
		{"report", "--case", c.Case, "--out", "-"},
		{"export", "har", "--case", c.Case},
		{"export", "csv", "--case", c.Case},
		{"verify", c.Case},
		{"query", "--case", c.Case, "SELECT * FROM requests"},
	} {
		if args[0] == "ca" {
			args = append(args, "--ca-dir", caDir)
		}
		stdout, stderr := constat(t, 0, args...)
		check(strings.Join(args, " "), []byte(stdout+stderr))
	}
	check("standard error", c.stderr.Bytes())
	files, err := filepath.Glob(c.Case + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range append(files, c.CA) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		check(name, text)
	}
}

// Row 10: nothing that came from the wire is in the log of the program, at any
// level: no line of an attacker's making, no escape sequence for the operator's
// terminal, no secret. What the commands print is made plain.
func TestLogsHoldNothingOfTheTraffic(t *testing.T) {
	o := newOrigin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Set-Cookie"] = []string{"session=s3cret-cookie-down"}
		w.Header()["X-Escape"] = []string{"\u009b31m"}
		echo(w, r)
	}))
	persona := filepath.Join(t.TempDir(), "persona.json")
	constat(t, 0, "persona", "new", "--out", persona)
	text, err := os.ReadFile(persona)
	if err != nil {
		t.Fatal(err)
	}
	planted, err := canary.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	values := []string{"s3cret"}
	for _, v := range planted.Canaries {
		if v.Photo == nil {
			values = append(values, v.Value)
		}
	}
	if len(values) < 5 {
		t.Fatalf("%d planted values", len(values))
	}
	c := start(t, o, "--log-level", "debug", "--persona", persona)
	const esc = "\x1b]0;owned\x07\x1b[2J"
	raw := []string{
		"GET /" + "%1b%5d0;owned%07 HTTP/1.1\r\nHost: origin.test\r\nX: s3cret-header\r\nAuthorization: Bearer s3cret-token\r\nConnection: close\r\n\r\n",
		"GET /\u009b2J\u202eowned HTTP/1.1\r\nHost: origin.test\r\nUser-Agent: \u009b2Js3cret\r\nConnection: close\r\n\r\n",
		"GET /" + esc + " HTTP/1.1\r\nHost: origin.test\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + esc + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: origin.test\r\nX: " + esc + "s3cret\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: origin.test\r\nX: a\n{\"level\":\"error\",\"message\":\"owned\"}\r\n\r\n",
	}
	roots := c.roots()
	for _, request := range raw {
		tc, err := c.secure("", "origin.test", roots, "http/1.1")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(tc, request)
		io.Copy(io.Discard, tc)
		tc.Close()
	}
	for _, first := range []string{
		"CONNECT " + esc + ":443 HTTP/1.1\r\n\r\n", "GET http://" + esc + "/ HTTP/1.1\r\n\r\n", esc + "\r\n\r\n",
		"GET http://nobody.invalid/s3cret%0aowned HTTP/1.1\r\nHost: nobody.invalid\r\nConnection: close\r\n\r\n",
	} {
		nc, err := c.dial("")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(nc, first)
		nc.(interface{ CloseWrite() error }).CloseWrite()
		io.Copy(io.Discard, nc)
		nc.Close()
	}
	// A ClientHello whose server name is an escape sequence.
	if nc, err := c.connect("", "origin.test:443"); err == nil {
		nc.Write(helloFor(esc))
		io.Copy(io.Discard, nc)
		nc.Close()
	}
	resp, err := c.client(true).Post("https://origin.test/up", "text/plain", strings.NewReader(strings.Join(values, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	c.eventually("SELECT count(*) > 0 FROM canary_hits", "1")
	c.stop()
	log := c.stderr.String()
	for _, v := range append(values, "owned", "\x1b", "\u009b", "\x07", "\u202e") {
		if strings.Contains(log, v) {
			t.Errorf("standard error holds %q:\n%q", v, log)
		}
	}
	// What was captured does not drive the terminal of the person who looks.
	for _, format := range []string{"table", "csv"} {
		out, _ := constat(t, 0, "query", "--format", format, "--case", c.Case, "SELECT path, error FROM requests UNION ALL SELECT sni, reason FROM connections")
		for _, r := range out {
			if format == "table" && (r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e') {
				t.Errorf("%s prints %U", format, r)
				break
			}
		}
		if !strings.Contains(out, "/up") {
			t.Errorf("query printed %q", out)
		}
	}
	verified(t, c.Case)
}

// helloFor is a TLS 1.2 ClientHello with a server name of any bytes.
func helloFor(name string) []byte {
	n := len(name)
	ext := append([]byte{0, 0, 0, byte(n + 5), 0, byte(n + 3), 0, 0, byte(n)}, name...)
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = append(body, 0, 0, 2, 0xc0, 0x2b, 1, 0, 0, byte(len(ext)))
	body = append(body, ext...)
	msg := append([]byte{1, 0, 0, byte(len(body))}, body...)
	return append([]byte{22, 3, 1, 0, byte(len(msg))}, msg...)
}

// Row 25: what a server sees is what the client wrote: nothing added that tells
// of a proxy, of Go or of the phone's address, and the password for the proxy
// stays with it.
func TestNothingIsAdded(t *testing.T) {
	o := nobody(t)
	right := newRawOrigin(t, o, answering)
	plain := newRawOrigin(t, nil, answering)
	c := start(t, o, "--resolve", "raw.test:443:"+right.Addr, "--resolve", "raw.test:80:"+plain.Addr)
	const fields = "x-Odd: 1\r\nHost: raw.test\r\nAccept:*/*\r\nx-odd:  2 \r\nCookie: a=b\r\n"
	const proxyOnly = "Proxy-Authorization: Basic czNjcmV0\r\nProxy-Connection: keep-alive\r\n"
	roots := c.roots()
	tc, err := c.secure("", "raw.test", roots, "http/1.1")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(tc, "GET /a%%2Fb?q=1&&x HTTP/1.1\r\n%s%s\r\n", fields, proxyOnly)
	if _, err := readHead(tc); err != nil {
		t.Fatal(err)
	}
	tc.Close()
	if got, want := strings.Join(right.received(), ""), "GET /a%2Fb?q=1&&x HTTP/1.1\r\n"+fields+"\r\n"; got != want {
		t.Errorf("through a tunnel the server got\n%q, want\n%q", got, want)
	}
	nc, err := c.dial("")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(nc, "GET http://raw.test/p HTTP/1.1\r\n%s%s\r\n", fields, proxyOnly)
	if _, err := readHead(nc); err != nil {
		t.Fatal(err)
	}
	nc.Close()
	if got, want := strings.Join(plain.received(), ""), "GET /p HTTP/1.1\r\n"+fields+"\r\n"; got != want {
		t.Errorf("in the clear the server got\n%q, want\n%q", got, want)
	}
	// HTTP/2 to a server with HTTP/1.1 only: written anew, with nothing new.
	right.forget()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://raw.test/h2", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"User-Agent": {""}, "Accept": {"*/*"}, "Proxy-Authorization": {"Basic czNjcmV0"}}
	resp, err := c.client(true).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got, want := strings.Join(right.received(), ""), "GET /h2 HTTP/1.1\r\nHost: raw.test\r\nAccept: */*\r\n\r\n"; got != want {
		t.Errorf("from HTTP/2 the server got\n%q, want\n%q", got, want)
	}
	c.stop()
	// The password is for Constat, and is not kept.
	if file, err := os.ReadFile(c.Case); err != nil || strings.Contains(string(file), "czNjcmV0") {
		t.Errorf("the password is in the case (%v)", err)
	}
	if got := c.sql("SELECT count(*) FROM requests WHERE path IN ('/a%2Fb', '/p', '/h2')"); got != "3" {
		t.Errorf("%s requests on record", got)
	}
}
