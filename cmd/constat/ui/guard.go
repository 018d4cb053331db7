package ui

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// guard lets a request through to next only if all of this holds:
//
//   - it comes from this computer;
//   - its Host is a loopback name or address with the port it came in on, which
//     a site that rebinds its name to 127.0.0.1 cannot have;
//   - the browser does not say that another site or origin made it
//     (Sec-Fetch-Site), except for opening the link with the token;
//   - it shows the token: as bearer, or as the cookie that the link set
//     (SameSite=Strict, HttpOnly);
//   - if it can change something, its Origin is this page. A client that sends
//     neither Origin nor Sec-Fetch-Site, hence no browser, needs the bearer.
//
// No answer carries CORS headers, may be framed, or is kept by a cache.
func guard(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		setHeaders(h, livePolicy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin") // "no-referrer" would make the Origin of forms null
		port, ok := localPort(r)
		if !ok || !clientAddr(r).IsLoopback() || !loopbackHost(r.Host, port) {
			http.Error(w, "This page is for the computer that runs Constat: open it as 127.0.0.1 or localhost.", http.StatusForbidden)
			return
		}
		cookie := "constat_" + port // cookies do not tell ports apart
		site := r.Header.Get("Sec-Fetch-Site")
		if given := r.URL.Query().Get("token"); given != "" && r.Method == http.MethodGet && r.URL.Path == "/" {
			if !same(given, token) {
				refuse(w)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: cookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			http.Redirect(w, r, "/", http.StatusSeeOther) // takes the token out of sight
			return
		}
		bearer, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		shown := bearer
		if !isBearer {
			if c, err := r.Cookie(cookie); err == nil {
				shown = c.Value
			}
		}
		if !same(shown, token) {
			refuse(w)
			return
		}
		origin := r.Header.Get("Origin")
		foreign := site != "" && site != "same-origin" && site != "none" || origin != "" && origin != "http://"+r.Host
		changes := r.Method != http.MethodGet && r.Method != http.MethodHead
		if foreign || changes && site != "same-origin" && origin == "" && !isBearer {
			http.Error(w, "This came from another page.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func refuse(w http.ResponseWriter) {
	http.Error(w, "Open the link that Constat printed when it started: it carries the token that this page needs.", http.StatusUnauthorized)
}

// same compares in constant time; an empty token is nobody's.
func same(given, token string) bool {
	return token != "" && subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
}

// localPort is the port that the connection came in on.
func localPort(r *http.Request) (string, bool) {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return "", false
	}
	return strconv.Itoa(addr.Port), true
}

// loopbackHost says that a Host header names this computer and port. Browsers
// leave out port 80.
func loopbackHost(hostport, port string) bool {
	host, p, err := net.SplitHostPort(hostport)
	if err != nil {
		host, p = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]"), "80"
	}
	if p != port {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
