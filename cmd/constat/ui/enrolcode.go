package ui

import (
	"net/http"

	"rsc.io/qr"
)

// enrol shows the link that enrols one more phone.
func (l *live) enrol(w http.ResponseWriter, _ *http.Request) {
	render(w, http.StatusOK, "live/enrol.html", "enrol.html", map[string]string{
		"Link": l.cfg.Enrol.Link(l.cfg.ProxyAddress),
	})
}

// enrolCode is the same link as a QR code.
func (l *live) enrolCode(w http.ResponseWriter, _ *http.Request) {
	code, err := qr.Encode(l.cfg.Enrol.Link(l.cfg.ProxyAddress), qr.M)
	if err != nil {
		http.Error(w, "The code could not be drawn.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Write(code.PNG())
}
