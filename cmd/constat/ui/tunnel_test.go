package ui

import (
	"bytes"
	"errors"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"constat/certs"
)

// shelf is a book of devices.
type shelf struct{ names []string }

func (s *shelf) Propose() string { return "phone-7" }

func (s *shelf) Make(name string) error {
	if name == "" || slices.Contains(s.names, name) {
		return errors.New("no such name can be given")
	}
	s.names = append(s.names, name)
	return nil
}

func (s *shelf) Tunnel(name, addr string, _ netip.Addr) (string, error) {
	if !slices.Contains(s.names, name) {
		return "", errors.New("unknown")
	}
	return "PrivateKey of " + name + " by " + addr, nil
}

func TestTunnel(t *testing.T) {
	ca, err := certs.LoadOrCreate(filepath.Join(t.TempDir(), "ca"), certs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	enrol := NewEnrolment(false)
	enrol.clock = func() time.Time { return now }
	book := &shelf{}
	h := NewOnboarding(OnboardingConfig{CA: ca, Addresses: []string{"192.0.2.1:8080"}, Enrol: enrol, Devices: book})
	const base = "http://192.0.2.1:8080"
	post := func(client, key, name, which string) *http.Response {
		form := url.Values{"key": {key}, "name": {name}, "for": {which}}.Encode()
		r := httptest.NewRequest(http.MethodPost, base+"/wireguard", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr = client + ":40000"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	conf := func(client, key string) *http.Response { return ask(h, client, "GET", base+"/wireguard.conf?key="+key) }
	status := func(resp *http.Response, want int) string {
		t.Helper()
		body := text(t, resp)
		if resp.StatusCode != want || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s, want %d; cache %q", resp.Status, want, resp.Header.Get("Cache-Control"))
		}
		if want != http.StatusOK && strings.Contains(body, "PrivateKey") {
			t.Error("the key went to somebody else")
		}
		return body
	}

	key := enrol.Token()
	for _, path := range []string{"/wireguard", "/wireguard.conf?key=" + key, "/wireguard.png?key=" + key} {
		status(ask(h, phone.String(), "GET", base+path), http.StatusForbidden) // not enrolled yet
		status(ask(h, "127.0.0.1", "GET", base+path), http.StatusForbidden)    // this computer, without the link
	}
	resp := ask(h, phone.String(), "GET", base+"/?enrol="+key)
	cookies := resp.Cookies()
	if len(cookies) != 1 || cookies[0].Value != key || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || cookies[0].Path != "/wireguard" {
		t.Fatalf("%v", cookies)
	}
	cookie := cookies[0].Name + "=" + cookies[0].Value

	if page := status(ask(h, phone.String(), "GET", base+"/"), http.StatusOK); !strings.Contains(page, base+`/wireguard"`) || !strings.Contains(page, base+"/proxy.pac") {
		t.Error("the first page does not lead to the tunnel and the PAC file")
	}
	status(ask(h, phone.String(), "GET", base+"/wireguard"), http.StatusForbidden) // without the cookie
	if page := status(ask(h, phone.String(), "GET", base+"/wireguard", "Cookie", cookie), http.StatusOK); !strings.Contains(page, `value="phone-7"`) || !strings.Contains(page, key) {
		t.Errorf("no form: %s", page)
	}
	status(conf(phone.String(), key), http.StatusForbidden) // no device yet
	status(post(phone.String(), key, "", "this"), http.StatusBadRequest)
	status(post(phone.String(), strings.Repeat("a", 32), "redmi", "this"), http.StatusForbidden)
	status(post(other.String(), key, "redmi", "this"), http.StatusForbidden)
	status(post(phone.String(), key, strings.Repeat("x", 1<<20), "this"), http.StatusForbidden)
	if len(book.names) > 0 || enrol.Name(phone) != "" {
		t.Fatalf("made %q", book.names)
	}
	if page := status(post(phone.String(), key, " redmi ", "this"), http.StatusOK); !strings.Contains(page, "/wireguard.conf?key="+key) || strings.Contains(page, "/wireguard.png") {
		t.Errorf("no download: %s", page)
	}
	status(post(phone.String(), key, "second", "this"), http.StatusOK)
	if !slices.Equal(book.names, []string{"redmi"}) || enrol.Name(phone) != "redmi" || enrol.Name(other) != "" {
		t.Errorf("made %q, the phone is %q", book.names, enrol.Name(phone))
	}

	status(conf(other.String(), key), http.StatusForbidden)
	status(ask(h, phone.String(), "HEAD", base+"/wireguard.conf?key="+key), http.StatusServiceUnavailable)
	status(ask(h, phone.String(), "GET", base+"/wireguard.conf?key="+key, "Sec-Purpose", "prefetch"), http.StatusServiceUnavailable)
	resp = conf(phone.String(), key)
	if got := status(resp, http.StatusOK); got != "PrivateKey of redmi by 192.0.2.1:8080" ||
		resp.Header.Get("Content-Disposition") != `attachment; filename="redmi.conf"` || resp.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%q, %v", got, resp.Header)
	}
	resp = ask(h, phone.String(), "GET", base+"/wireguard.png?key="+key)
	if picture := status(resp, http.StatusOK); resp.Header.Get("Content-Type") != "image/png" {
		t.Errorf("%v", resp.Header)
	} else if _, err := png.Decode(bytes.NewReader([]byte(picture))); err != nil {
		t.Error(err)
	}
	for range maxFetches - 2 {
		status(conf(phone.String(), key), http.StatusOK)
	}
	status(conf(phone.String(), key), http.StatusTooManyRequests)

	t.Run("a second screen", func(t *testing.T) {
		key := enrol.Token()
		status(ask(h, other.String(), "GET", base+"/?enrol="+key), http.StatusSeeOther)
		if page := status(post(other.String(), key, "Galaxy é", "other"), http.StatusOK); !strings.Contains(page, "/wireguard.png?key="+key) {
			t.Errorf("no code: %s", page)
		}
		if enrol.Name(other) != "" {
			t.Error("the second screen is taken for the phone")
		}
		resp := conf(other.String(), key)
		if status(resp, http.StatusOK); resp.Header.Get("Content-Disposition") != `attachment; filename="Galaxy.conf"` {
			t.Errorf("%v", resp.Header)
		}
		book.names = nil
		status(conf(other.String(), key), http.StatusGone)
		now = now.Add(tokenLife)
		status(conf(other.String(), key), http.StatusForbidden)
	})
	t.Run("this computer", func(t *testing.T) {
		key := enrol.Token()
		status(ask(h, "127.0.0.1", "GET", base+"/?enrol="+key), http.StatusSeeOther)
		status(post("127.0.0.1", key, "laptop", "this"), http.StatusOK)
		if enrol.Name(netip.MustParseAddr("127.0.0.1")) != "" {
			t.Error("whatever runs on this computer is taken for one device")
		}
		status(conf("127.0.0.1", key), http.StatusOK)
	})
	t.Run("no WireGuard", func(t *testing.T) {
		h := NewOnboarding(OnboardingConfig{CA: ca, Addresses: []string{"192.0.2.1:8080"}, Enrol: NewEnrolment(true)})
		status(ask(h, phone.String(), "GET", base+"/wireguard", "Cookie", cookie), http.StatusNotFound)
		if page := text(t, ask(h, phone.String(), "GET", base+"/")); strings.Contains(page, "WireGuard") {
			t.Error("the page leads to what is not there")
		}
	})
	t.Run("admitted by a door", func(t *testing.T) {
		h := NewOnboarding(OnboardingConfig{
			CA: ca, Addresses: []string{"192.0.2.1:8080"}, Enrol: NewEnrolment(false),
			Admitted: func(r *http.Request) bool { return strings.HasPrefix(r.RemoteAddr, "10.77.0.2:") },
		})
		status(ask(h, "10.77.0.2", "GET", "http://constat.test/ca.pem"), http.StatusOK)
		status(ask(h, "10.77.0.3", "GET", "http://constat.test/ca.pem"), http.StatusForbidden)
	})
}
