package ui

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"constat/certs"
)

// OnboardingConfig says what the onboarding page shows.
type OnboardingConfig struct {
	CA *certs.CA
	// Addresses are the host:port under which phones reach the proxy, the best
	// one first; at least one. For one without a certain host (":8080",
	// "0.0.0.0:8080") each phone is shown the address it came in by.
	Addresses []string
	Enrol     *Enrolment
	// SOCKS is the address of the SOCKS door in the same form, empty when there is
	// none. The PAC file names it.
	SOCKS string
	// CheckHost is the host name that the proxy answers with this handler, over
	// http and https; default "constat.test".
	CheckHost string
	// Admitted says that a client may use the proxy though its address is not
	// enrolled: it has signed in, or its tunnel is known. Nil means none.
	Admitted func(*http.Request) bool
	// Devices makes devices with WireGuard tunnels; nil when there is no such door.
	Devices Devices
}

// NewOnboarding returns the handler of the proxy's own address and of
// CheckHost. It shows a phone, step by step, how to use the proxy, hands out
// the CA's certificate, and checks from the phone itself whether both work.
//
// The link with a token enrols the client with the first GET. HEAD and what a
// browser marks as prefetching do not use the token up. A client that is not
// enrolled gets one page that says how to be, and nothing else.
func NewOnboarding(cfg OnboardingConfig) http.Handler {
	if cfg.CheckHost == "" {
		cfg.CheckHost = "constat.test"
	}
	if cfg.Admitted == nil {
		cfg.Admitted = func(*http.Request) bool { return false }
	}
	cfg.Addresses = slices.Clone(cfg.Addresses)
	o := &onboarding{
		cfg: cfg,
		policy: "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' http://" + cfg.CheckHost +
			" https://" + cfg.CheckHost + "; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
	}
	return o
}

type onboarding struct {
	cfg    OnboardingConfig
	policy string
	making sync.Mutex // of devices
}

// onboardingPage is what the template works with.
type onboardingPage struct {
	Platform    string // "android", "ios", "desktop"
	Host, Port  string // of the proxy, to be typed in
	Others      []string
	CheckHost   string
	CAName      string
	Fingerprint string // SHA-256 of the CA's certificate, in groups
	AndroidName string
	Secure      bool // this page itself came by https through the proxy
	Refused     redemption
	PAC         string // URL of the PAC file
	WireGuard   string // URL of the tunnel's page, empty without one
}

func (o *onboarding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	setHeaders(h, o.policy)
	h.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead && (r.Method != http.MethodPost || r.URL.Path != "/wireguard") {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "This page only answers GET.", http.StatusMethodNotAllowed)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, "/a/"); ok {
		serveAsset(w, r, "onboarding", name)
		return
	}
	if r.URL.Path == "/proxy.pac" || r.URL.Path == "/wpad.dat" {
		o.pac(w, r)
		return
	}
	client := clientAddr(r)
	var refused redemption
	if text := r.URL.Query().Get("enrol"); text != "" {
		if r.Method == http.MethodHead || prefetch(r.Header) {
			http.Error(w, "Open the link to use it.", http.StatusServiceUnavailable)
			return
		}
		refused = o.cfg.Enrol.redeem(text, client)
		if refused == enrolled {
			remember(w, text)
		}
		if refused == enrolled || o.admits(r) {
			http.Redirect(w, r, "/", http.StatusSeeOther) // takes the token out of sight
			return
		}
	}
	if !o.admits(r) {
		render(w, http.StatusForbidden, "onboarding/en.html", "gate", onboardingPage{Refused: refused})
		return
	}
	o.serve(w, r)
}

// admits says whether the client may use the proxy.
func (o *onboarding) admits(r *http.Request) bool {
	return o.cfg.Enrol.Admit(clientAddr(r)) || o.cfg.Admitted(r)
}

// prefetch recognises requests that a browser makes before anybody asked for
// the page.
func prefetch(h http.Header) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		v := strings.ToLower(h.Get(name))
		if strings.Contains(v, "prefetch") || strings.Contains(v, "preview") || strings.Contains(v, "prerender") {
			return true
		}
	}
	return false
}

// serve answers an enrolled client.
func (o *onboarding) serve(w http.ResponseWriter, r *http.Request) {
	ca := o.cfg.CA
	switch p := r.URL.Path; p {
	case "/":
		o.page(w, r, platform(r.UserAgent()))
	case "/android", "/ios", "/desktop":
		o.page(w, r, p[1:])
	case "/ca.pem":
		file(w, "constat-ca.pem", "application/x-x509-ca-cert", ca.PEM())
	case "/ca.der", "/ca.cer", "/ca.crt":
		file(w, "constat-ca.crt", "application/x-x509-ca-cert", ca.DER())
	case "/constat.mobileconfig":
		profile, err := ca.MobileConfig()
		if err != nil {
			http.Error(w, "The profile could not be made.", http.StatusInternalServerError)
			return
		}
		file(w, "constat.mobileconfig", "application/x-apple-aspen-config", profile)
	case "/" + ca.AndroidName():
		w.Header().Set("Content-Disposition", `attachment; filename="`+ca.AndroidName()+`"`)
		file(w, "", "application/octet-stream", ca.AndroidFile())
	case "/constat-ca.zip":
		module, err := ca.MagiskModule()
		if err != nil {
			http.Error(w, "The module could not be made.", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Disposition", `attachment; filename="constat-ca.zip"`)
		file(w, "", "application/zip", module)
	case "/check.png":
		// Only under the name that nobody but the proxy answers: an image that
		// loads from another name says nothing.
		if !strings.EqualFold(hostOnly(r.Host), o.cfg.CheckHost) {
			http.NotFound(w, r)
			return
		}
		// The page that shows it is on the proxy's address.
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		serveAsset(w, r, "onboarding", "check.png")
	case "/wireguard", "/wireguard.conf", "/wireguard.png":
		switch {
		case o.cfg.Devices == nil:
			http.NotFound(w, r)
		case p == "/wireguard":
			o.tunnel(w, r)
		default:
			o.tunnelFile(w, r)
		}
	case "/favicon.ico":
		w.WriteHeader(http.StatusNoContent)
	default:
		http.NotFound(w, r)
	}
}

func (o *onboarding) page(w http.ResponseWriter, r *http.Request, platform string) {
	p := onboardingPage{
		Platform: platform, CheckHost: o.cfg.CheckHost,
		CAName: o.cfg.CA.Certificate().Subject.CommonName, Fingerprint: grouped(o.cfg.CA.Fingerprint()),
		AndroidName: o.cfg.CA.AndroidName(),
		Secure:      r.TLS != nil || r.URL.Scheme == "https",
	}
	shown := o.shown(r)
	p.Host, p.Port, _ = net.SplitHostPort(shown)
	p.PAC = "http://" + shown + "/proxy.pac"
	if o.cfg.Devices != nil {
		p.WireGuard = "http://" + shown + "/wireguard"
	}
	for _, a := range o.cfg.Addresses {
		if a = certain(r, a); a != shown && !slices.Contains(p.Others, a) {
			p.Others = append(p.Others, a)
		}
	}
	render(w, http.StatusOK, "onboarding/en.html", "page", p)
}

// shown is the address of the proxy that works for this client.
func (o *onboarding) shown(r *http.Request) string {
	if slices.Contains(o.cfg.Addresses, r.Host) {
		return certain(r, r.Host)
	}
	return certain(r, o.cfg.Addresses[0])
}

// certain returns addr, with this end of the connection in place of a host that
// stands for all addresses.
func certain(r *http.Request, addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); host != "" && (err != nil || !ip.IsUnspecified()) {
		return addr
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		return net.JoinHostPort(local.AddrPort().Addr().Unmap().WithZone("").String(), port)
	}
	return addr
}

// platform guesses from the User-Agent; an iPad that asks for desktop pages
// counts as a computer, and the page lets people choose.
func platform(agent string) string {
	switch {
	case strings.Contains(agent, "Windows Phone"):
		return "desktop" // claims to be the other two
	case strings.Contains(agent, "Android"):
		return "android"
	case strings.Contains(agent, "iPhone"), strings.Contains(agent, "iPad"), strings.Contains(agent, "iPod"):
		return "ios"
	}
	return "desktop"
}

// file answers with data. Phones install certificates and profiles that come
// inline, by their media type; the name is for those that store them.
func file(w http.ResponseWriter, name, mediaType string, data []byte) {
	if name != "" {
		w.Header().Set("Content-Disposition", `inline; filename="`+name+`"`)
	}
	w.Header().Set("Content-Type", mediaType)
	w.Write(data)
}

// hostOnly cuts the port off a Host header.
func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

// grouped writes a hex fingerprint as phones show it: "AB CD …".
func grouped(hex string) string {
	var b strings.Builder
	for i := 0; i < len(hex); i += 2 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(hex[i : i+2])
	}
	return strings.ToUpper(b.String())
}
