package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"constat/certs"
)

// The hosts of the demonstration. The domain is reserved for examples
// (RFC 2606 section 2) and exists nowhere.
const (
	demoMessages = "messages.vendor.example" // greetings come down, text messages go up: the same host
	demoCloud    = "cloud.vendor.example"
	demoStats    = "stats.vendor.example"
	demoUpdate   = "update.vendor.example"
	demoAccount  = "account.vendor.example"
	demoPush     = "push.vendor.example"
	demoBank     = "pinned-bank.example"
	demoExpired  = "gone.vendor.example" // nobody answers here
)

// demoServers are the simulated vendor: HTTPS and HTTP on two loopback ports.
type demoServers struct {
	tls, plain net.Listener
	servers    []*http.Server
}

func startDemoServers(ca *certs.CA) (*demoServers, error) {
	d := &demoServers{}
	var err error
	config := &tls.Config{
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return ca.Leaf(h.ServerName) },
	}
	if d.tls, err = tls.Listen("tcp", "127.0.0.1:0", config); err != nil {
		return nil, err
	}
	if d.plain, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		d.tls.Close()
		return nil, err
	}
	for _, ln := range []net.Listener{d.tls, d.plain} {
		srv := &http.Server{Handler: http.HandlerFunc(demoAnswer), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
		d.servers = append(d.servers, srv)
		go srv.Serve(ln) // ends with Close
	}
	return d, nil
}

// Resolve maps the invented hosts to the listeners.
func (d *demoServers) Resolve() map[string]string {
	m := map[string]string{}
	for _, host := range []string{demoMessages, demoCloud, demoStats, demoUpdate, demoAccount, demoPush, demoBank} {
		m[host+":443"] = d.tls.Addr().String()
		m[host+":80"] = d.plain.Addr().String()
	}
	m[demoExpired+":443"] = "127.0.0.1:1"
	return m
}

func (d *demoServers) Close() error {
	var err error
	for _, s := range d.servers {
		err = errors.Join(err, s.Close())
	}
	return err
}

// demoGreetings are written for this demonstration.
var demoGreetings = []struct {
	ID   int    `json:"mid"`
	Text string `json:"text"`
}{
	{2101, "May the new year bring you bright mornings and calm evenings!"},
	{2102, "Happy Lantern Festival: may your lamp never run out of oil, nor your bowl of dumplings."},
	{2103, "春风送暖入新年，愿你一路平安，万事顺心！"},
	{2104, "Why did the phone wear glasses? It had lost its contacts."},
	{2105, "Bonne année ! Que chaque jour vous apporte une raison de sourire."},
}

func demoAnswer(w http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	reply := func(v any) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		json.NewEncoder(w).Encode(v)
	}
	if host == demoPush {
		demoSocket(w, r)
		return
	}
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 64<<20)); err != nil {
		return
	}
	switch host + r.URL.Path {
	case demoMessages + "/v2/res/version":
		reply(map[string]any{"result": "ok", "data": 1406789000})
	case demoMessages + "/v2/res/messages":
		reply(map[string]any{"result": "ok", "data": map[string]any{"category": "holidays", "count": len(demoGreetings), "entries": demoGreetings}})
	case demoUpdate + "/check":
		reply(map[string]any{"update": false, "latest": "V5.2.3.0"})
	case demoCloud + "/wallpaper/today.svg":
		w.Header().Set("Content-Type", "image/svg+xml")
		fmt.Fprint(w, `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="#2b6"/></svg>`)
	default:
		reply(map[string]any{"code": 0})
	}
}

// demoSocket is the push channel: it says hello and echoes.
func demoSocket(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	if ws.Write(r.Context(), websocket.MessageText, []byte(`{"type":"hello","interval":300}`)) != nil {
		return
	}
	for {
		kind, data, err := ws.Read(r.Context())
		if err != nil || ws.Write(r.Context(), kind, data) != nil {
			return
		}
	}
}
