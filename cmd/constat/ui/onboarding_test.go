package ui

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"constat/certs"
)

func newOnboarding(t *testing.T, enrol *Enrolment) (http.Handler, *certs.CA) {
	t.Helper()
	ca, err := certs.LoadOrCreate(filepath.Join(t.TempDir(), "ca"), certs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return NewOnboarding(OnboardingConfig{CA: ca, Addresses: []string{"192.0.2.1:8080", "[2001:db8::1]:8080"}, Enrol: enrol}), ca
}

// ask makes a request as the client at addr.
func ask(h http.Handler, addr, method, url string, header ...string) *http.Response {
	r := httptest.NewRequest(method, url, nil)
	if addr != "" {
		r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(addr), 40000).String()
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOnboardingPlatforms(t *testing.T) {
	h, ca := newOnboarding(t, NewEnrolment(false))
	for _, tt := range []struct{ path, agent, want string }{
		{"/", "Mozilla/5.0 (Linux; Android 4.4.2; HM NOTE 1S) AppleWebKit/537.36", "/ca.crt\">Download the certificate"},
		{"/", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", "Certificate Trust Settings"},
		{"/", "Mozilla/5.0 (X11; Linux x86_64)", "update-ca-certificates"},
		{"/", "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; like iPhone)", "update-ca-certificates"},
		{"/", "", "update-ca-certificates"},
		{"/ios", "Mozilla/5.0 (Linux; Android 14)", "Certificate Trust Settings"},
		{"/android", "Mozilla/5.0 (iPhone)", "/ca.crt\">Download the certificate"},
		{"/desktop", "Mozilla/5.0 (iPhone)", "update-ca-certificates"},
	} {
		resp := ask(h, "127.0.0.1", "GET", "http://192.0.2.1:8080"+tt.path, "User-Agent", tt.agent)
		page := text(t, resp)
		if resp.StatusCode != 200 || !strings.Contains(page, tt.want) {
			t.Errorf("GET %s as %q: %d, page without %q", tt.path, tt.agent, resp.StatusCode, tt.want)
		}
		for _, want := range []string{"192.0.2.1", "8080", ca.Certificate().Subject.CommonName, `data-host="constat.test"`} {
			if !strings.Contains(page, want) {
				t.Errorf("GET %s as %q: page without %q", tt.path, tt.agent, want)
			}
		}
	}
}

// TestOnboardingShowsTheAddressThatWorks: a phone that came by the second
// address is told that one.
func TestOnboardingShowsTheAddressThatWorks(t *testing.T) {
	h, _ := newOnboarding(t, NewEnrolment(false))
	for url, want := range map[string]string{
		"http://[2001:db8::1]:8080/": `<span class="v">2001:db8::1</span>`,
		"http://192.0.2.1:8080/":     `<span class="v">192.0.2.1</span>`,
		"http://constat.test/":       `<span class="v">192.0.2.1</span>`,
		"http://evil.example:8080/":  `<span class="v">192.0.2.1</span>`,
	} {
		if page := text(t, ask(h, "127.0.0.1", "GET", url)); !strings.Contains(page, want) {
			t.Errorf("GET %s: page without %s", url, want)
		}
	}
}

// TestOnboardingListensEverywhere: a proxy on all addresses shows each client
// the one that it came in by.
func TestOnboardingListensEverywhere(t *testing.T) {
	_, ca := newOnboarding(t, NewEnrolment(false))
	for _, addr := range []string{":8080", "0.0.0.0:8080", "[::]:8080"} {
		h := NewOnboarding(OnboardingConfig{CA: ca, Addresses: []string{addr}, Enrol: NewEnrolment(false)})
		r := httptest.NewRequest("GET", "http://constat.test/", nil)
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP("192.0.2.77"), Port: 8080}))
		r.RemoteAddr = "127.0.0.1:1"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if page := w.Body.String(); !strings.Contains(page, `<span class="v">192.0.2.77</span>`) || !strings.Contains(page, `<span class="v">8080</span>`) {
			t.Errorf("listening on %s: page without 192.0.2.77 and 8080", addr)
		}
	}
}

func TestOnboardingDownloads(t *testing.T) {
	h, ca := newOnboarding(t, NewEnrolment(false))
	profile, err := ca.MobileConfig()
	if err != nil {
		t.Fatal(err)
	}
	module, err := ca.MagiskModule()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path, mediaType string
		want            []byte
	}{
		{"/ca.pem", "application/x-x509-ca-cert", ca.PEM()},
		{"/ca.der", "application/x-x509-ca-cert", ca.DER()},
		{"/ca.cer", "application/x-x509-ca-cert", ca.DER()},
		{"/ca.crt", "application/x-x509-ca-cert", ca.DER()},
		{"/constat.mobileconfig", "application/x-apple-aspen-config", profile},
		{"/" + ca.AndroidName(), "application/octet-stream", ca.AndroidFile()},
		{"/constat-ca.zip", "application/zip", module},
	} {
		resp := ask(h, "127.0.0.1", "GET", "http://192.0.2.1:8080"+tt.path)
		if got := text(t, resp); got != string(tt.want) || resp.Header.Get("Content-Type") != tt.mediaType {
			t.Errorf("GET %s: %d %s, %d bytes", tt.path, resp.StatusCode, resp.Header.Get("Content-Type"), len(got))
		}
	}
}

// TestKeyIsNeverServed asks for everything that sounds like the key, and looks
// for private keys in everything that is served.
func TestKeyIsNeverServed(t *testing.T) {
	h, ca := newOnboarding(t, NewEnrolment(true))
	for _, path := range []string{
		"/ca.key", "/certs/ca.key", "/a/ca.key", "/a/../ca.key", "/a/..%2f..%2fca.key", "/a/en.html", "/a/", "//ca.key", "/ca",
		"/", "/android", "/ios", "/desktop", "/ca.pem", "/ca.der", "/constat.mobileconfig", "/constat-ca.zip", "/" + ca.AndroidName(), "/a/style.css",
	} {
		body := text(t, ask(h, "198.51.100.1", "GET", "http://192.0.2.1:8080"+path))
		for rest := []byte(body); ; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			if block.Type != "CERTIFICATE" {
				t.Errorf("GET %s serves a %s", path, block.Type)
			}
		}
		if strings.Contains(body, "PRIVATE KEY") || strings.Contains(body, "{{") {
			t.Errorf("GET %s serves a key or a template", path)
		}
	}
}

func TestOnboardingGate(t *testing.T) {
	enrol := NewEnrolment(false)
	h, ca := newOnboarding(t, enrol)
	const stranger = "198.51.100.7"
	for _, path := range []string{"/", "/android", "/ca.pem", "/ca.der", "/constat.mobileconfig", "/constat-ca.zip", "/" + ca.AndroidName(), "/check.png", "/nothing"} {
		resp := ask(h, stranger, "GET", "http://constat.test"+path)
		body := text(t, resp)
		if resp.StatusCode != http.StatusForbidden || !strings.Contains(body, "Scan the code in the terminal") {
			t.Errorf("GET %s as a stranger: %d, %.60q", path, resp.StatusCode, body)
		}
		if strings.Contains(body, ca.Certificate().Subject.CommonName) || strings.Contains(body, enrol.Token()) {
			t.Errorf("GET %s tells a stranger about the certificate or the token", path)
		}
	}
	if resp := ask(h, stranger, "GET", "http://192.0.2.1:8080/a/style.css"); resp.StatusCode != 200 {
		t.Errorf("the page for strangers has no style: %d", resp.StatusCode)
	}

	tunnel := NewOnboarding(OnboardingConfig{
		CA: ca, Enrol: enrol, Addresses: []string{"192.0.2.1:8080"},
		Admitted: func(r *http.Request) bool { return strings.HasPrefix(r.RemoteAddr, "10.77.0.2:") },
	})
	for client, status := range map[string]int{"10.77.0.2": 200, "10.77.0.3": 403} {
		if resp := ask(tunnel, client, "GET", "http://constat.test/ca.pem"); resp.StatusCode != status {
			t.Errorf("%s, which is in the tunnel or not: %d", client, resp.StatusCode)
		}
	}

	link := enrol.Link("192.0.2.1:8080")
	for _, header := range [][]string{{"Sec-Purpose", "prefetch;prerender"}, {"Purpose", "prefetch"}, {"X-Moz", "prefetch"}, {"X-Purpose", "preview"}} {
		ask(h, stranger, "GET", link, header...)
	}
	ask(h, stranger, "HEAD", link)
	ask(h, stranger, "POST", link)
	if enrol.Admit(netip.MustParseAddr(stranger)) {
		t.Fatal("a prefetch, HEAD or POST enrolled a client")
	}
	resp := ask(h, stranger, "GET", link)
	if loc := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || loc != "/" {
		t.Errorf("opening the link: %d to %q", resp.StatusCode, loc)
	}
	if resp := ask(h, stranger, "GET", "http://192.0.2.1:8080/ca.pem"); resp.StatusCode != 200 {
		t.Errorf("after enrolling: %d", resp.StatusCode)
	}
	if resp := ask(h, stranger, "GET", link); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("the same client opens the link again: %d", resp.StatusCode)
	}
	if page := text(t, ask(h, "198.51.100.8", "GET", link)); !strings.Contains(page, "used by another device") {
		t.Error("another client is not told that the code is used")
	}
	if page := text(t, ask(h, "198.51.100.8", "GET", "http://192.0.2.1:8080/?enrol=x")); !strings.Contains(page, "no code that Constat knows") {
		t.Error("a wrong code is not called so")
	}
	if resp := ask(h, "127.0.0.1", "GET", "http://127.0.0.1:8080/?enrol=x"); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a loopback client with a wrong code: %d", resp.StatusCode)
	}
}

// TestCheckImage: the image counts only under the name that the proxy answers.
func TestCheckImage(t *testing.T) {
	h, _ := newOnboarding(t, NewEnrolment(false))
	for url, want := range map[string]int{
		"http://constat.test/check.png":          200,
		"http://CONSTAT.TEST:80/check.png?17":    200,
		"https://constat.test/check.png":         200,
		"http://192.0.2.1:8080/check.png":        404,
		"http://constat.test.evil.net/check.png": 404,
	} {
		resp := ask(h, "127.0.0.1", "GET", url)
		if resp.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", url, resp.StatusCode, want)
		}
		if want == 200 && (resp.Header.Get("Content-Type") != "image/png" || resp.Header.Get("Cache-Control") != "no-store" ||
			resp.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" || !bytes.HasPrefix([]byte(text(t, resp)), []byte("\x89PNG"))) {
			t.Errorf("GET %s: %v", url, resp.Header)
		}
	}
}

// TestSecurePage: a page that came by https is itself the proof.
func TestSecurePage(t *testing.T) {
	h, _ := newOnboarding(t, NewEnrolment(false))
	r := httptest.NewRequest("GET", "https://constat.test/android", nil)
	r.RemoteAddr = "127.0.0.1:1"
	r.TLS = &tls.ConnectionState{}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if page := w.Body.String(); !strings.Contains(page, "It came encrypted") || strings.Contains(page, `id="again"`) {
		t.Error("the page by https does not say that it works")
	}
}

func TestOnboardingMethods(t *testing.T) {
	h, _ := newOnboarding(t, NewEnrolment(false))
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "PUT": 405, "CONNECT": 405, "OPTIONS": 405} {
		if resp := ask(h, "127.0.0.1", method, "http://192.0.2.1:8080/"); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", method, resp.StatusCode, want)
		}
	}
}

// TestPagesAreSelfContained: nothing inline, nothing from elsewhere, and every
// file that a page names is there.
func TestPagesAreSelfContained(t *testing.T) {
	h, _ := newOnboarding(t, NewEnrolment(false))
	for _, tt := range []struct{ client, path string }{
		{"127.0.0.1", "/android"}, {"127.0.0.1", "/ios"}, {"127.0.0.1", "/desktop"}, {"198.51.100.7", "/"},
	} {
		resp := ask(h, tt.client, "GET", "http://192.0.2.1:8080"+tt.path)
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("GET %s: policy %q", tt.path, policy)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("GET %s: %s: %q, want %q", tt.path, name, got, want)
			}
		}
		for _, ref := range checkMarkup(t, tt.path, text(t, resp)) {
			if strings.Contains(ref, "constat.test/check.png") {
				continue
			}
			if strings.Contains(ref, ":") || strings.HasPrefix(ref, "//") {
				t.Errorf("GET %s loads %s from elsewhere", tt.path, ref)
				continue
			}
			if resp := ask(h, tt.client, "GET", "http://192.0.2.1:8080"+ref); resp.StatusCode != 200 {
				t.Errorf("GET %s: %s is missing: %d", tt.path, ref, resp.StatusCode)
			}
		}
	}
}

var inlineHandler = regexp.MustCompile(`^on[a-z]+$`)

// checkMarkup fails for inline scripts and styles, which the policy forbids, and
// returns what the page loads.
func checkMarkup(t *testing.T, name, page string) (loads []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
			if a.Key == "style" || inlineHandler.MatchString(a.Key) {
				t.Errorf("%s: <%s %s=…> is inline", name, n.Data, a.Key)
			}
		}
		switch n.Data {
		case "script", "img":
			loads = append(loads, attr["src"])
		case "link":
			loads = append(loads, attr["href"])
		case "style":
			t.Errorf("%s: <style> is inline", name)
		}
		if n.Data == "script" && n.FirstChild != nil {
			t.Errorf("%s: a script is inline", name)
		}
	}
	if len(loads) == 0 {
		t.Errorf("%s loads nothing: is it the page?", name)
	}
	return loads
}

// TestCheckScriptIsOld: browsers of 2014 must be able to run the check.
func TestCheckScriptIsOld(t *testing.T) {
	data, err := assets.ReadFile("assets/onboarding/check.js")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?m)//.*$`).ReplaceAllString(string(data), "")
	if found := regexp.MustCompile("=>|`|\\b(let|const|class|async|await|fetch|Promise|Symbol|import|export)\\b").FindAllString(code, -1); found != nil {
		t.Errorf("check.js uses what came after ES5: %q", found)
	}
}
