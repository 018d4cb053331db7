package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/elazarl/goproxy"

	"constat/certs"
)

// goproxyChild is the argument that makes this program the goproxy peer.
const goproxyChild = "serve-goproxy"

// serveGoproxy is a goproxy that intercepts everything and logs nothing, set up as
// well as its options allow: elliptic-curve certificates from a cache, idle server
// connections kept, contents left coded, HTTP/2 on both sides. The certificates are
// Constat's, because goproxy's signer can be predicted; a tls.Config for each
// connection is what goproxy makes, too.
func serveGoproxy(args []string) error {
	f := flag.NewFlagSet(goproxyChild, flag.ExitOnError)
	dir := f.String("dir", "", "where the CA goes")
	to := f.String("origin", "", "address of every test host")
	roots := f.String("roots", "", "PEM file of the origin's root")
	if err := f.Parse(args); err != nil {
		return err
	}
	ca, err := certs.LoadOrCreate(*dir, certs.Options{})
	if err != nil {
		return err
	}
	pemRoots, err := os.ReadFile(*roots)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pemRoots)
	p := goproxy.NewProxyHttpServer()
	p.Logger = log.New(io.Discard, "", 0)
	p.AllowHTTP2, p.KeepAcceptEncoding = true, true
	p.Tr = &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, DisableCompression: true,
		MaxIdleConns: 2048, MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if host, _, err := net.SplitHostPort(addr); err == nil && strings.HasSuffix(host, domain) {
				addr = *to
			}
			var d net.Dialer
			return d.DialContext(ctx, network, addr)
		},
	}
	intercept := &goproxy.ConnectAction{Action: goproxy.ConnectMitm, TLSConfig: func(host string, _ *goproxy.ProxyCtx) (*tls.Config, error) {
		name, _, err := net.SplitHostPort(host)
		if err != nil {
			name = host
		}
		leaf, err := ca.Leaf(name)
		if err != nil {
			return nil, err
		}
		return &tls.Config{Certificates: []tls.Certificate{*leaf}}, nil
	}}
	p.OnRequest().HandleConnectFunc(func(host string, _ *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) { return intercept, host })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(ready{Proxy: l.Addr().String(), CA: filepath.Join(*dir, "ca.pem")}); err != nil {
		return err
	}
	s := http.Server{Handler: p, ReadHeaderTimeout: 30 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	return s.Serve(l)
}
