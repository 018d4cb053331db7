package ui

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"constat/certs"
)

func TestPAC(t *testing.T) {
	for _, tt := range []struct{ http, socks, want string }{
		{"192.0.2.1:8080", "", "PROXY 192.0.2.1:8080"},
		{"192.0.2.1:8080", "192.0.2.1:1080", "PROXY 192.0.2.1:8080; SOCKS5 192.0.2.1:1080; SOCKS 192.0.2.1:1080"},
		{"", "[2001:db8::1]:1080", "SOCKS5 [2001:db8::1]:1080; SOCKS [2001:db8::1]:1080"},
		{"", "", "DIRECT"},
		{"192.0.2.1", "192.0.2.1:0", "DIRECT"},
		{`a";alert(1);":80`, "b; DIRECT:1080", "DIRECT"},
		{"a\u2028b:80", "</script>:80", "DIRECT"},
	} {
		want := "function FindProxyForURL(url, host) {\n\treturn \"" + tt.want + "\";\n}\n"
		if got := PAC(tt.http, tt.socks); got != want {
			t.Errorf("PAC(%q, %q) = %q, want %q", tt.http, tt.socks, got, want)
		}
	}
}

// TestPACServed: everybody gets it, with the address by which they came.
func TestPACServed(t *testing.T) {
	ca, err := certs.LoadOrCreate(filepath.Join(t.TempDir(), "ca"), certs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := NewOnboarding(OnboardingConfig{
		CA: ca, Addresses: []string{"192.0.2.1:8080", "198.51.100.1:8080"}, SOCKS: "192.0.2.1:1080", Enrol: NewEnrolment(false),
	})
	for _, path := range []string{"/proxy.pac", "/wpad.dat"} {
		resp := ask(h, phone.String(), "GET", "http://198.51.100.1:8080"+path)
		want := PAC("198.51.100.1:8080", "192.0.2.1:1080")
		if got := text(t, resp); resp.StatusCode != 200 || got != want {
			t.Errorf("%s: %d %q, want %q", path, resp.StatusCode, got, want)
		}
		if got := resp.Header.Get("Content-Type"); got != "application/x-ns-proxy-autoconfig" {
			t.Errorf("%s is %s", path, got)
		}
	}
	if resp := ask(h, phone.String(), "GET", "http://192.0.2.1:8080/proxy.pac/x"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("another path: %d", resp.StatusCode)
	}
}

// TestPACChromium has a browser run the file: a name that nobody knows comes to the proxy.
func TestPACChromium(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: apt-get install chromium, and run again")
	}
	proxy := httptest.NewUnstartedServer(nil)
	address := proxy.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	ca, err := certs.LoadOrCreate(filepath.Join(t.TempDir(), "ca"), certs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	local := NewOnboarding(OnboardingConfig{CA: ca, Addresses: []string{":" + port}, Enrol: NewEnrolment(false)})
	proxy.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host == "" {
			local.ServeHTTP(w, r)
			return
		}
		fmt.Fprint(w, "<p>the proxy was asked for ", r.URL)
	})
	proxy.Start()
	defer proxy.Close()
	cmd := exec.CommandContext(t.Context(), chromium, "--headless", "--no-sandbox", "--disable-gpu",
		"--user-data-dir="+t.TempDir(), "--disable-background-networking", "--disable-component-update",
		"--proxy-pac-url=http://"+address+"/proxy.pac", "--dump-dom", "http://nobody.test/page")
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "the proxy was asked for http://nobody.test/page") {
		t.Fatalf("chromium: %v: %s", err, out)
	}
}
