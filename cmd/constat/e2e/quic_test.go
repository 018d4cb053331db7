//go:build linux

package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"

	"constat/proxy/wireguard/wgtest"
)

// tunnelled is a Chromium on a phone behind the WireGuard door, with Constat's CA
// installed as a user's, and a server that speaks HTTP/3 and HTTP/2.
type tunnelled struct {
	*instance
	phone    *wgtest.Phone
	home     string
	originCA string       // file of the server's CA
	asked    atomic.Int32 // requests that the server has answered
	overTCP  atomic.Int32 // of them
}

// browsed is what a page has found out about itself.
type browsed struct {
	Proto string  // by which it came
	Start float64 // ms from the begin of the navigation to the first byte of the answer
	Echo  string  // of what it has posted
}

const selfPage = `<!doctype html><meta charset=utf-8><title>page</title><link rel=icon href="data:,"><body><script>
const nav = performance.getEntriesByType('navigation')[0];
const x = new XMLHttpRequest();
x.open('POST', '/echo', false);
x.send('from the page');
document.body.innerText = JSON.stringify({Proto: nav.nextHopProtocol, Start: nav.responseStart, Echo: x.responseText});
</script>`

func newTunnelled(t *testing.T, args ...string) *tunnelled {
	t.Helper()
	b := &tunnelled{home: t.TempDir()}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.asked.Add(1)
		if r.ProtoMajor < 3 {
			b.overTCP.Add(1)
		}
		w.Header().Set("Alt-Svc", `h3=":443"; ma=3600`)
		if r.URL.Path == "/echo" {
			echo(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/still" {
			fmt.Fprint(w, `<!doctype html><link rel=icon href="data:,"><body>{}`)
			return
		}
		fmt.Fprint(w, selfPage)
	})
	o := newOrigin(t, h)
	b.originCA = o.CAFile
	at, err := net.ResolveUDPAddr("udp", o.Addr)
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenUDP("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http3.Server{Handler: h, TLSConfig: http3.ConfigureTLSConfig(&tls.Config{
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return o.CA.Leaf(hello.ServerName) },
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(udp) }()
	t.Cleanup(func() { srv.Close(); udp.Close(); <-done })

	dir := t.TempDir()
	caDir := filepath.Join(dir, "ca")
	b.instance = startIn(t, o, filepath.Join(dir, "case.constat"), caDir, append([]string{"--wireguard", "0.0.0.0:0"}, args...)...)
	_, port, _ := net.SplitHostPort(b.WireGuard)
	text, _ := constat(t, 0, "device", "show", "phone", "--ca-dir", caDir, "--endpoint", "127.0.0.1:"+port)
	b.phone = wgtest.NewPhone(t, text)
	db := filepath.Join(b.home, ".pki", "nssdb")
	if err := os.MkdirAll(db, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(need(t, "certutil"), "-d", "sql:"+db, "-N", "--empty-password").CombinedOutput(); err != nil {
		t.Fatalf("certutil: %v\n%s", err, out)
	}
	b.trust("constat", b.CA)
	return b
}

// browse has the phone's browser open a page, and returns what the page says.
func (b *tunnelled) browse(url string, args ...string) (page browsed) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 60*time.Second)
	defer cancel()
	cmd := b.phone.Command(need(b.t, "chromium"), append([]string{
		"--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-component-update", "--disable-background-networking",
		"--user-data-dir=" + filepath.Join(b.home, "profile"), "--timeout=20000", "--dump-dom",
	}, append(args, url)...)...)
	cmd.Env = append(os.Environ(), "HOME="+b.home)
	var errs strings.Builder
	cmd.Stderr = &errs
	go func() { <-ctx.Done(); cmd.Process.Kill() }()
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("chromium: %v\n%s", err, errs.String())
	}
	_, rest, found := strings.Cut(string(out), "<body>{")
	text, _, _ := strings.Cut(rest, "}")
	if !found || json.Unmarshal([]byte("{"+text+"}"), &page) != nil {
		b.t.Fatalf("the page says nothing:\n%s\n%s", out, errs.String())
	}
	return page
}

// trust installs the CA of a file as a user's.
func (b *tunnelled) trust(name, file string) {
	b.t.Helper()
	out, err := exec.Command(need(b.t, "certutil"), "-d", "sql:"+filepath.Join(b.home, ".pki", "nssdb"), "-A", "-t", "C,,", "-n", name, "-i", file).CombinedOutput()
	if err != nil {
		b.t.Fatalf("certutil: %v\n%s", err, out)
	}
}

// forced makes Chromium take no other way, and no other CA than a public one is wanted
// then.
const forced = "--origin-to-force-quic-on=origin.test:443"

// TestChromiumHTTP3 has a browser's HTTP/3 intercepted.
func TestChromiumHTTP3(t *testing.T) {
	b := newTunnelled(t, "--quic", "intercept")
	if page := b.browse("https://origin.test/", forced); page.Proto != "h3" || page.Echo != "from the page" {
		t.Errorf("the page says %+v", page)
	}
	b.stop()
	if got, want := b.sql("SELECT http_version, method, host, path, status, device, door FROM requests ORDER BY id"),
		"HTTP/3.0|GET|origin.test|/|200|phone|wireguard\nHTTP/3.0|POST|origin.test|/echo|200|phone|wireguard"; got != want {
		t.Errorf("requests:\n%s\nwant:\n%s", got, want)
	}
	if got, want := b.sql("SELECT transport, host, sni, alpn, outcome, substr(ja4, 1, 4), client_tls, server_tls FROM connections"),
		"udp|origin.test|origin.test|h3|intercepted|q13d|TLS 1.3|TLS 1.3"; got != want {
		t.Errorf("connections: %s, want %s", got, want)
	}
	if n := b.overTCP.Load(); n > 0 {
		t.Errorf("the server got %d of %d requests over TCP", n, b.asked.Load())
	}
	verified(t, b.Case)
}

// TestChromiumLeavesQUIC has a browser's HTTP/3 refused, or intercepted with a CA that
// browsers do not take over QUIC: either way it goes on over TCP.
func TestChromiumLeavesQUIC(t *testing.T) {
	for mode, outcome := range map[string]string{"refuse": "refused", "intercept": "client_refused"} {
		t.Run(mode, func(t *testing.T) {
			b := newTunnelled(t, "--quic", mode)
			b.browse("https://origin.test/still", "--enable-quic") // learns of HTTP/3
			page := b.browse("https://origin.test/", "--enable-quic")
			if page.Proto != "h2" || page.Echo != "from the page" {
				t.Errorf("the page says %+v", page)
			}
			b.stop()
			if got, want := b.sql("SELECT DISTINCT outcome, protocol FROM connections WHERE transport = 'udp'"), outcome; !strings.HasPrefix(got, want) {
				t.Errorf("QUIC: %q, want %q", got, want)
			}
			gap := b.sql(`SELECT round(1000 * 86400 * (min(julianday(t.time)) - julianday(u.time))) FROM connections t, connections u
				WHERE u.transport = 'udp' AND t.transport = 'tcp' AND t.time > u.time`)
			t.Logf("TCP %s ms after QUIC, first byte %.0f ms after the begin", gap, page.Start)
			if ms, err := strconv.ParseFloat(gap, 64); err != nil || ms > 1000 {
				t.Errorf("the browser took %q ms to fall back to TCP", gap)
			}
			verified(t, b.Case)
		})
	}
}

// TestChromiumPasses has a browser's QUIC relayed to a server that it trusts.
func TestChromiumPasses(t *testing.T) {
	b := newTunnelled(t, "--quic", "pass")
	b.trust("origin", b.originCA)
	if page := b.browse("https://origin.test/", forced); page.Proto != "h3" || page.Echo != "from the page" {
		t.Errorf("the page says %+v", page)
	}
	b.stop()
	if got, want := b.sql("SELECT transport, sni, protocol, substr(ja4, 1, 4), bytes_down > 1000, outcome FROM connections"),
		"udp|origin.test|quic|q13d|1|"; !strings.HasPrefix(got, want) {
		t.Errorf("connections: %s, want %s", got, want)
	}
	if got := b.sql("SELECT count(*) FROM requests"); got != "0" {
		t.Errorf("%s requests were read", got)
	}
}
