package ui

import (
	"net/http"
	"net/netip"
	"strings"

	"rsc.io/qr"
)

// Devices is the book of devices as far as the onboarding page needs it. Its methods
// must be safe for concurrent use.
type Devices interface {
	// Propose returns a name that no device has.
	Propose() string
	// Make adds a device. The error is shown to people.
	Make(name string) error
	// Tunnel returns the WireGuard configuration of a device for a client that reaches
	// the proxy at addr. It holds a private key.
	Tunnel(name, addr string, client netip.Addr) (text string, err error)
}

// maxFetches is how often the configuration of one enrolment can be fetched, as file
// or as code.
const maxFetches = 12

// tunnelCookie holds the token of the link by which a client was enrolled. It is sent
// to the page of the tunnel only.
const tunnelCookie = "constat_enrol"

// tunnelPage is what the template of the tunnel works with.
type tunnelPage struct {
	Key      string // the token; empty for a client that did not show one
	Device   string // empty before one was made
	Here     bool   // it is the one that shows the page
	Proposed string
	Problem  string
}

// remember lets a client that was enrolled by a link fetch its tunnel.
func remember(w http.ResponseWriter, token string) {
	http.SetCookie(w, &http.Cookie{
		Name: tunnelCookie, Value: tokenText(token), Path: "/wireguard", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		MaxAge: int(tokenLife.Seconds()),
	})
}

// tunnel serves the page of the tunnel: it asks for a name, makes the device, and
// hands out its configuration. It is for clients that were enrolled by a link and can
// still show its token, on the address that it enrolled.
func (o *onboarding) tunnel(w http.ResponseWriter, r *http.Request) {
	client := clientAddr(r)
	var p tunnelPage
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		p.Key = r.PostFormValue("key") // a page elsewhere cannot know it
	} else if c, err := r.Cookie(tunnelCookie); err == nil {
		p.Key = c.Value
	}
	o.making.Lock()
	defer o.making.Unlock()
	name, here, ok := o.cfg.Enrol.device(p.Key, client)
	status := http.StatusOK
	switch {
	case !ok:
		p.Key, status = "", http.StatusForbidden
	case r.Method == http.MethodPost && name == "":
		name = strings.TrimSpace(r.PostFormValue("name"))
		if err := o.cfg.Devices.Make(name); err != nil {
			p.Problem, status, name = err.Error(), http.StatusBadRequest, ""
			break
		}
		here = r.PostFormValue("for") == "this"
		o.cfg.Enrol.name(p.Key, client, name, here)
	}
	if p.Device, p.Here = name, here; ok && name == "" {
		p.Proposed = o.cfg.Devices.Propose()
	}
	render(w, status, "onboarding/en.html", "wireguard", p)
}

// tunnelFile answers with the configuration, as a file or as a code to scan. Its URL
// carries the token, because the download managers of phones send no cookies.
func (o *onboarding) tunnelFile(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || prefetch(r.Header) {
		http.Error(w, "Open the link to use it.", http.StatusServiceUnavailable)
		return
	}
	client := clientAddr(r)
	name, left := o.cfg.Enrol.fetch(r.URL.Query().Get("key"), client)
	if name == "" {
		http.Error(w, "This configuration is for the device that was enrolled by the link. Open the link again, or ask for a new one.", http.StatusForbidden)
		return
	}
	if !left {
		http.Error(w, "This configuration has been fetched too often. Ask for a new link on the computer that runs Constat.", http.StatusTooManyRequests)
		return
	}
	text, err := o.cfg.Devices.Tunnel(name, o.shown(r), client)
	if err != nil {
		http.Error(w, "There is no such device any more. Ask for a new link on the computer that runs Constat.", http.StatusGone)
		return
	}
	if r.URL.Path == "/wireguard.conf" {
		w.Header().Set("Content-Disposition", `attachment; filename="`+tunnelName(name)+`.conf"`)
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte(text))
		return
	}
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		http.Error(w, "The code could not be drawn.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(code.PNG())
}

// tunnelName is name as the WireGuard apps take the name of a tunnel: at most 15
// letters, digits and -_=+. characters (wireguard-android, Tunnel.java, NAME_PATTERN).
func tunnelName(name string) string {
	name = strings.Map(func(c rune) rune {
		if c < 0x80 && (c == '-' || c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z') {
			return c
		}
		return -1
	}, name)
	if name = name[:min(len(name), 15)]; name == "" {
		return "constat"
	}
	return name
}
