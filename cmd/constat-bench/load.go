package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// scenario is one sort of load. The names are those of docs/performance.md.
type scenario struct {
	name, title string
	workers     int
	hosts       int  // test hosts that are visited
	http2       bool // over HTTP/2
	kept        bool // connections are open before the measurement begins
	// step makes requests until something changes: one, or those of a connection.
	step func(w *worker) error
}

var scenarios = []scenario{
	{name: "S1", title: "GET 1 KiB, kept alive", workers: 32, hosts: 1, kept: true, step: func(w *worker) error { return w.get(small) }},
	{name: "S2", title: "POST 2 KiB, kept alive", workers: 32, hosts: 1, kept: true, step: func(w *worker) error { return w.post(report) }},
	{name: "S3", title: "a connection for each request", workers: 8, hosts: 1, step: (*worker).visit},
	{name: "S4", title: "first visit to 1000 hosts", workers: 8, hosts: 1000, step: (*worker).discover},
	{name: "S5", title: "10 MiB down", workers: 8, hosts: 1, kept: true, step: func(w *worker) error { return w.get(large) }},
	{name: "S6", title: "10 MiB up", workers: 8, hosts: 1, kept: true, step: func(w *worker) error { return w.post(large) }},
	{name: "S7", title: "HTTP/2, 64 streams on 4 connections", workers: 64, hosts: 1, http2: true, kept: true, step: (*worker).stream},
	{name: "S9", title: "one at a time", workers: 1, hosts: 1, kept: true, step: func(w *worker) error { return w.get(small) }},
	{name: "S10", title: "like a phone: 50 hosts, 10 requests a connection", workers: 16, hosts: 50, step: (*worker).browse},
}

// errDone ends a load that has nothing more to do.
var errDone = errors.New("done")

// load is what the workers of one measurement share.
type load struct {
	peer     *peer
	origin   *origin
	sessions tls.ClientSessionCache // S10 only
	clients  []*http.Client         // S7 only, one for each connection
	hosts    int
	next     atomic.Int64 // host of S4
	number   atomic.Int64 // of the next body
	until    atomic.Int64 // Unix time in ns at which to stop
}

// worker is one client.
type worker struct {
	*load
	id    int
	conn  net.Conn
	in    *bufio.Reader
	out   bytes.Buffer
	times []time.Duration // of each request
}

// open makes a TLS connection to a test host, through the proxy if there is one.
func (l *load) open(ctx context.Context, host string, proto string) (net.Conn, error) {
	var d net.Dialer
	to, roots := l.origin.addr, l.origin.roots
	if l.peer != nil {
		to, roots = l.peer.addr, l.peer.roots
	}
	c, err := d.DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(patience))
	if l.peer != nil {
		if err := tunnel(c, host); err != nil {
			c.Close()
			return nil, err
		}
	}
	s := tls.Client(c, &tls.Config{
		ServerName: host, RootCAs: roots, NextProtos: []string{proto}, ClientSessionCache: l.sessions, DynamicRecordSizingDisabled: true,
	})
	if err := s.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	c.SetDeadline(time.Time{})
	return s, nil
}

// tunnel asks a proxy for a connection to host.
func tunnel(c net.Conn, host string) error {
	if _, err := fmt.Fprintf(c, "CONNECT %s:443 HTTP/1.1\r\nHost: %s:443\r\n\r\n", host, host); err != nil {
		return err
	}
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || in.Buffered() > 0 {
		return fmt.Errorf("CONNECT: %s, %d bytes behind it", resp.Status, in.Buffered())
	}
	return nil
}

// connect opens the worker's connection to host.
func (w *worker) connect(host string) error {
	w.close()
	c, err := w.open(context.Background(), host, "http/1.1")
	if err != nil {
		return err
	}
	w.conn, w.in = c, bufio.NewReaderSize(c, 16<<10)
	return nil
}

func (w *worker) close() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

// get asks for a body of size bytes on the worker's connection and compares it.
func (w *worker) get(size int) error { return w.ask(hostName(0), http.MethodGet, size) }

// post sends a body of size bytes, which the origin compares.
func (w *worker) post(size int) error { return w.ask(hostName(0), http.MethodPost, size) }

func (w *worker) ask(host, method string, size int) error {
	if w.conn == nil {
		if err := w.connect(host); err != nil {
			return err
		}
	}
	began := time.Now()
	w.conn.SetDeadline(began.Add(patience))
	n := w.number.Add(1)
	w.out.Reset()
	fmt.Fprintf(&w.out, "%s /%d/%d HTTP/1.1\r\nHost: %s\r\nUser-Agent: constat-bench\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n", method, size, n, host)
	if method == http.MethodPost {
		w.out.WriteString("Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(size) + "\r\n\r\n")
		w.out.ReadFrom(payload(n, size))
	} else {
		w.out.WriteString("\r\n")
	}
	if _, err := w.conn.Write(w.out.Bytes()); err != nil {
		return err
	}
	resp, err := http.ReadResponse(w.in, &http.Request{Method: method})
	if err != nil {
		return err
	}
	if err := check(resp, n, size); err != nil {
		return err
	}
	w.times = append(w.times, time.Since(began))
	if resp.Close {
		w.close()
	}
	return nil
}

// check compares a response with what it should be.
func check(resp *http.Response, n int64, size int) error {
	defer resp.Body.Close()
	right := false
	if resp.Request.Method == http.MethodPost {
		b, err := io.ReadAll(resp.Body)
		right = err == nil && string(b) == "ok"
	} else {
		right = same(resp.Body, n, size)
	}
	if !right || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: the answer is not the one that was to come", resp.StatusCode)
	}
	return nil
}

// visit opens a connection for one request.
func (w *worker) visit() error {
	defer w.close()
	if err := w.connect(hostName(0)); err != nil {
		return err
	}
	return w.get(small)
}

// discover visits the next host that nobody has visited.
func (w *worker) discover() error {
	i := int(w.next.Add(1)) - 1
	if i >= w.hosts {
		return errDone
	}
	defer w.close()
	if err := w.connect(hostName(i)); err != nil {
		return err
	}
	return w.ask(hostName(i), http.MethodGet, small)
}

// browse opens a connection to some host for ten requests.
func (w *worker) browse() error {
	host := hostName(rand.IntN(w.hosts))
	defer w.close()
	if err := w.connect(host); err != nil {
		return err
	}
	for range 10 {
		if err := w.ask(host, http.MethodPost, report); err != nil {
			return err
		}
		if time.Now().UnixNano() > w.until.Load() {
			return nil
		}
	}
	return nil
}

// stream makes a request on one of the shared HTTP/2 connections.
func (w *worker) stream() error {
	began := time.Now()
	n := w.number.Add(1)
	resp, err := w.clients[w.id%len(w.clients)].Get(fmt.Sprintf("https://%s/%d/%d", hostName(0), small, n))
	if err != nil {
		return err
	}
	if resp.ProtoMajor != 2 {
		resp.Body.Close()
		return errors.New("this is not HTTP/2")
	}
	if err := check(resp, n, small); err != nil {
		return err
	}
	w.times = append(w.times, time.Since(began))
	return nil
}

// newHTTP2Clients returns clients that each keep to one connection.
func (l *load) newHTTP2Clients(n int) []*http.Client {
	var only http.Protocols
	only.SetHTTP2(true)
	out := make([]*http.Client, n)
	for i := range out {
		out[i] = &http.Client{Timeout: patience, Transport: &http.Transport{
			Protocols: &only, DisableCompression: true,
			HTTP2: &http.HTTP2Config{StrictMaxConcurrentRequests: true},
			DialTLSContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
				return l.open(ctx, strings.TrimSuffix(addr, ":443"), "h2")
			},
		}}
	}
	return out
}
