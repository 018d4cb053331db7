package proxy

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"strconv"
	"strings"

	"constat/proxy/flow"
	"constat/proxy/upstream"
)

// explain returns the status and the words with which a client learns that
// there is no response.
func explain(word, host string, err error) (status int, text string) {
	switch word {
	case flow.ErrDNS:
		return http.StatusBadGateway, fmt.Sprintf("The name %s could not be resolved to an address.", host)
	case flow.ErrConnect:
		text = fmt.Sprintf("No connection to %s could be made.", host)
	case flow.ErrServerTLS:
		text = fmt.Sprintf("The server %s could not prove who it is, or speaks no acceptable TLS. Nothing was sent to it.", host)
	case flow.ErrTimeout:
		return http.StatusGatewayTimeout, fmt.Sprintf("The server %s did not answer in time.", host)
	case flow.ErrServerClosed:
		text = fmt.Sprintf("The server %s closed the connection before it had answered.", host)
	case flow.ErrServerBad:
		text = fmt.Sprintf("The server %s sent something that is not a well-formed answer.", host)
	case flow.ErrRefused:
		return http.StatusForbidden, fmt.Sprintf("Constat does not connect to %s for this client: %s.", host, cause(err))
	case flow.ErrClientBad:
		return http.StatusBadRequest, "The request is not well-formed."
	default:
		return http.StatusBadGateway, "A mistake of Constat's own ended this request."
	}
	return http.StatusBadGateway, text + " Reason: " + cause(err) + "."
}

// cause is the innermost sentence of err, without the words of rows.
func cause(err error) string {
	var up *upstream.Error
	if errors.As(err, &up) {
		err = up.Err
	}
	return strings.TrimSuffix(err.Error(), ".")
}

const pageFormat = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Constat: %d</title></head>
<body><h1>%s</h1><p>%s</p><p>This answer comes from Constat, the proxy that is set on this device, not from the server.</p></body></html>
`

// compose returns the body of a page and its media type: HTML for clients that
// ask for it, plain text for programs.
func compose(r *http.Request, status int, text string) (body, contentType string) {
	if r != nil && strings.Contains(r.Header.Get("Accept"), "text/html") {
		return fmt.Sprintf(pageFormat, status, http.StatusText(status), html.EscapeString(text)), "text/html; charset=utf-8"
	}
	return "Constat: " + text + "\n", "text/plain; charset=utf-8"
}

func pageHeader(h http.Header, contentType string, size int) {
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(size))
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

// page writes an answer of Constat's own, as plain text.
func page(w http.ResponseWriter, status int, text string) {
	body, contentType := compose(nil, status, text)
	pageHeader(w.Header(), contentType, len(body))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// pageResponse is an answer of Constat's own for goproxy to copy.
func pageResponse(r *http.Request, status int, text string) *http.Response {
	body, contentType := compose(r, status, text)
	resp := &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
	pageHeader(resp.Header, contentType, len(body))
	return resp
}
