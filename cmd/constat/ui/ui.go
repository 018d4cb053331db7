// Package ui is the web face of Constat: the page that sets up a phone
// (NewOnboarding, with Enrolment deciding who may use the proxy) and the page
// on the computer that shows a case while it grows (NewLive).
//
// Everything a page needs is embedded and written for these pages: no content
// delivery network, no inline script or style, a strict content security
// policy. The onboarding page works on the browsers of 2014 phones and without
// scripts. Whatever was captured is hostile: it reaches a browser only through
// html/template, as JSON put in place with textContent, or as a download that
// no browser renders. All handlers are safe for concurrent use, start no
// goroutines, and end with the context of the request.
//
// The package does not listen and does not log.
package ui

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/netip"
	"path"
	"strings"
)

//go:embed assets
var assets embed.FS

// pages holds the templates by path under assets ("live/page.html").
var pages = parsePages("onboarding/en.html", "live/page.html", "live/request.html", "live/enrol.html")

func parsePages(names ...string) map[string]*template.Template {
	all := make(map[string]*template.Template, len(names))
	for _, name := range names {
		all[name] = template.Must(template.New(path.Base(name)).Option("missingkey=error").
			Funcs(template.FuncMap{"line": func(text any) string { return oneLine(fmt.Sprint(text)) }}).ParseFS(assets, "assets/"+name))
	}
	return all
}

// mediaTypes of the embedded files; others are not served.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
}

// serveAsset answers with the embedded file name of folder.
func serveAsset(w http.ResponseWriter, r *http.Request, folder, name string) {
	mediaType := mediaTypes[path.Ext(name)]
	data, err := assets.ReadFile(path.Join("assets", folder, path.Base(name)))
	if mediaType == "" || err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.Write(data)
}

// render answers with a page.
func render(w http.ResponseWriter, status int, page, name string, data any) {
	var b strings.Builder
	if err := pages[page].ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write([]byte(b.String()))
}

// setHeaders sets what every answer carries.
func setHeaders(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// clientAddr returns the address of the client, the zero value if it has none.
func clientAddr(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
