package upstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"constat/proxy/flow"
)

// What can go wrong with Config.Via, as causes of an Error.
var (
	// ErrViaUnreachable: there is no upstream proxy where it should be.
	ErrViaUnreachable = errors.New("the upstream proxy could not be reached")
	// ErrViaPassword: it wants a user name and a password, or others.
	ErrViaPassword = errors.New("the upstream proxy wants a user name and a password that it knows")
	// ErrViaRefused: it did not connect to the server.
	ErrViaRefused = errors.New("the upstream proxy did not connect to the server")
	// ErrViaTCP: what was asked for is not TCP.
	ErrViaTCP = errors.New("only TCP goes through the upstream proxy")
)

// ParseVia parses the address of an upstream proxy, for Config.Via. Its errors
// never quote s, which may hold a password.
func ParseVia(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("the address of the upstream proxy is no URL")
	}
	if _, ok := viaPorts[u.Scheme]; !ok {
		return nil, errors.New("the upstream proxy must be http://, https://, socks5:// or socks5h://")
	}
	if u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the address of the upstream proxy must be scheme://host:port")
	}
	name, password := credentials(u)
	if u.Scheme[0] == 's' && (len(name) > 255 || len(password) > 255) {
		return nil, errors.New("SOCKS5 has room for 255 bytes each of user name and password")
	}
	if u.Scheme[0] == 'h' && strings.Contains(name, ":") {
		return nil, errors.New("the user name for an HTTP proxy must not contain a colon")
	}
	return u, nil
}

// viaPorts are the schemes of upstream proxies with their usual ports.
var viaPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

func credentials(u *url.URL) (name, password string) {
	password, _ = u.User.Password()
	return u.User.Username(), password
}

// chained says whether host, for which to is dialled, is reached through the
// upstream proxy.
func (t *Transport) chained(host, to string) bool {
	if t.conf.Via == nil {
		return false
	}
	direct := t.conf.Direct
	if direct == nil {
		return true
	}
	instead, _, _ := net.SplitHostPort(to)
	host, instead = strings.ToLower(host), strings.ToLower(instead)
	return !direct(host) && (instead == host || !direct(instead))
}

// tunnel connects to "host:port" through the upstream proxy. The address is the
// one that the proxy was given, the zero value when it was given a name.
func (t *Transport) tunnel(ctx context.Context, d *dialer, to string) (net.Conn, netip.AddrPort, *Error) {
	within, cancel := context.WithTimeout(ctx, t.conf.DialTimeout)
	defer cancel()
	servers, err := t.viaTargets(within, d, to)
	if err != nil {
		return nil, netip.AddrPort{}, viaError(ctx, within, err)
	}
	for i, server := range servers {
		if server.IsValid() {
			if err = d.check(server); err != nil {
				err = &Error{flow.ErrRefused, err}
				continue
			}
			to = server.String()
		}
		var c net.Conn
		if c, err = t.throughVia(within, to); err == nil {
			return c, server, nil
		}
		if i+1 == maxViaTries || !errors.Is(err, ErrViaRefused) {
			break
		}
	}
	return nil, d.last(), viaError(ctx, within, err)
}

// maxViaTries bounds how many addresses of a name an upstream proxy is asked for.
const maxViaTries = 4

// viaTargets returns the addresses to ask the upstream proxy for, or one zero value
// when it is to be given the name.
func (t *Transport) viaTargets(ctx context.Context, d *dialer, to string) ([]netip.AddrPort, error) {
	host, number, err := net.SplitHostPort(to)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return nil, errors.New("not a port")
	}
	if isLocalhost(host) {
		// The upstream proxy may be on this computer.
		if err := d.check(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))); err != nil {
			return nil, &Error{flow.ErrRefused, err}
		}
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.AddrPort{plain(netip.AddrPortFrom(a, uint16(port)))}, nil
	}
	if t.conf.Via.Scheme != "socks5" {
		return []netip.AddrPort{{}}, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	out := make([]netip.AddrPort, len(addrs))
	for i, a := range addrs {
		out[i] = plain(netip.AddrPortFrom(a, uint16(port)))
	}
	return out, nil
}

// isLocalhost says that a name is one that always means loopback (RFC 6761 section
// 6.3).
func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// viaError returns the Error for a tunnel that failed. within is ctx with the time
// that there was for it.
func viaError(ctx, within context.Context, err error) *Error {
	var e *Error
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		return given(ctx)
	case errors.As(err, &e):
		return e
	case within.Err() != nil:
		return bad(flow.ErrTimeout, "no connection through the upstream proxy in time")
	case errors.As(err, &dns) && !errors.Is(err, ErrViaUnreachable):
		return &Error{flow.ErrDNS, err}
	}
	return &Error{flow.ErrConnect, err}
}

// throughVia asks the upstream proxy for a connection to "host:port".
func (t *Transport) throughVia(ctx context.Context, to string) (net.Conn, error) {
	via := t.conf.Via
	port := via.Port()
	if port == "" {
		port = viaPorts[via.Scheme]
	}
	var nd net.Dialer
	raw, err := nd.DialContext(ctx, "tcp", net.JoinHostPort(via.Hostname(), port))
	if err != nil {
		return nil, unreachable(err)
	}
	stop := context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })
	c, err := t.askVia(ctx, raw, to)
	if !stop() && err == nil {
		err = unreachable(context.Cause(ctx))
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

// unreachable says why nothing was heard of the upstream proxy, but not where it
// is: that is nothing for a row.
func unreachable(err error) error {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return fmt.Errorf("%w: its name is not known", ErrViaUnreachable)
	case errors.As(err, &op):
		err = op.Err
	}
	return fmt.Errorf("%w: %w", ErrViaUnreachable, err)
}

// askVia speaks with the upstream proxy on c, and returns the connection to the
// server that c has become.
func (t *Transport) askVia(ctx context.Context, c net.Conn, to string) (net.Conn, error) {
	via := t.conf.Via
	name, password := credentials(via)
	switch via.Scheme {
	case "http":
		return connectVia(c, to, name, password)
	case "https":
		secure := tls.Client(c, &tls.Config{ServerName: via.Hostname(), RootCAs: t.conf.Roots, MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(ctx); err != nil {
			var invalid *tls.CertificateVerificationError
			if errors.As(err, &invalid) { // explain would name it
				err = errors.New("its certificate is not accepted")
			}
			return nil, unreachable(err)
		}
		return connectVia(secure, to, name, password)
	case "socks5", "socks5h":
		return c, socksVia(c, to, name, password)
	}
	return nil, fmt.Errorf("%w: unsupported scheme", ErrViaUnreachable)
}

// maxViaHead bounds the head of an HTTP proxy's answer, in bytes.
const maxViaHead = 64 << 10

// connectVia makes a tunnel through an HTTP proxy (RFC 9110, section 9.3.6), with
// Basic authentication (RFC 7617) when there is a name or a password.
func connectVia(c net.Conn, to, name, password string) (net.Conn, error) {
	head := "CONNECT " + to + " HTTP/1.1\r\nHost: " + to + "\r\n"
	if name != "" || password != "" {
		head += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password)) + "\r\n"
	}
	if !validTarget(to) {
		return nil, bad(flow.ErrClientBad, "malformed host")
	}
	if _, err := io.WriteString(c, head+"\r\n"); err != nil {
		return nil, unreachable(err)
	}
	in := bufio.NewReader(io.LimitReader(c, maxViaHead))
	resp, err := http.ReadResponse(in, &http.Request{Method: http.MethodConnect})
	var op *net.OpError
	switch {
	case errors.As(err, &op):
		return nil, unreachable(err)
	case err != nil: // net/http quotes what it does not understand
		return nil, fmt.Errorf("%w: what answers there does not speak HTTP", ErrViaUnreachable)
	case resp.StatusCode == http.StatusProxyAuthRequired:
		return nil, ErrViaPassword
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, fmt.Errorf("%w: it answered %d", ErrViaRefused, resp.StatusCode)
	}
	if n := in.Buffered(); n > 0 { // the server has spoken already
		early, _ := in.Peek(n)
		return &resumed{Conn: c, early: early}, nil
	}
	return c, nil
}

// resumed is a connection of which some bytes have been read.
type resumed struct {
	net.Conn
	early []byte // owned by the reader
}

func (r *resumed) Read(p []byte) (int, error) {
	if len(r.early) > 0 {
		n := copy(p, r.early)
		r.early = r.early[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}

// CloseWrite passes the end of what is sent on.
func (r *resumed) CloseWrite() error {
	if c, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

// The values of SOCKS version 5 (RFC 1928) and its passwords (RFC 1929).
const (
	socksVersion  = 5
	socksNone     = 0
	socksPassword = 2
	socksConnect  = 1
	socksIPv4     = 1
	socksName     = 3
	socksIPv6     = 4
)

// socksReplies are the failures of RFC 1928, section 6.
var socksReplies = [...]string{
	1: "general failure", 2: "not allowed by its rules", 3: "network unreachable", 4: "host unreachable",
	5: "connection refused", 6: "time to live expired", 7: "command not supported", 8: "kind of address not supported",
}

// socksVia makes c a connection to "host:port" through a SOCKS5 proxy.
func socksVia(c net.Conn, to, name, password string) error {
	request, err := socksRequest(to)
	if err != nil {
		return err
	}
	if err := socksGreet(c, name, password); err != nil {
		return err
	}
	if _, err := c.Write(request); err != nil {
		return unreachable(err)
	}
	var reply [4]byte
	if err := socksRead(c, reply[:]); err != nil {
		return err
	}
	if code := int(reply[1]); code != 0 {
		text := "unknown failure"
		if code < len(socksReplies) {
			text = socksReplies[code]
		}
		return fmt.Errorf("%w: %s", ErrViaRefused, text)
	}
	rest := 2 // the port
	switch reply[3] {
	case socksIPv4:
		rest += 4
	case socksIPv6:
		rest += 16
	case socksName:
		if err := socksRead(c, reply[:1]); err != nil {
			return err
		}
		rest += int(reply[0])
	default:
		return errNotSOCKS
	}
	_, err = io.CopyN(io.Discard, c, int64(rest))
	if err != nil {
		return unreachable(err)
	}
	return nil
}

var errNotSOCKS = fmt.Errorf("%w: what answers there does not speak SOCKS5", ErrViaUnreachable)

// socksRead fills p, which begins with the version when it is longer than a byte.
func socksRead(c net.Conn, p []byte) error {
	if _, err := io.ReadFull(c, p); err != nil {
		return unreachable(err)
	}
	if len(p) > 1 && p[0] != socksVersion {
		return errNotSOCKS
	}
	return nil
}

// socksGreet agrees on how to sign in, and does that.
func socksGreet(c net.Conn, name, password string) error {
	hello := []byte{socksVersion, 1, socksNone}
	if name != "" || password != "" {
		hello = []byte{socksVersion, 2, socksNone, socksPassword}
	}
	if _, err := c.Write(hello); err != nil {
		return unreachable(err)
	}
	var choice [2]byte
	if err := socksRead(c, choice[:]); err != nil {
		return err
	}
	switch {
	case choice[1] == socksNone:
		return nil
	case choice[1] != socksPassword || len(hello) == 3 || len(name) > 255 || len(password) > 255:
		return ErrViaPassword
	}
	p := append([]byte{1, byte(len(name))}, name...)
	p = append(append(p, byte(len(password))), password...)
	if _, err := c.Write(p); err != nil {
		return unreachable(err)
	}
	var status [2]byte // its own version, 1
	if _, err := io.ReadFull(c, status[:]); err != nil {
		return unreachable(err)
	}
	if status[1] != 0 {
		return ErrViaPassword
	}
	return nil
}

// socksRequest returns the request for a connection to "host:port".
func socksRequest(to string) ([]byte, error) {
	host, number, err := net.SplitHostPort(to)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return nil, errors.New("not a port")
	}
	p := []byte{socksVersion, socksConnect, 0}
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil && len(host) > 255:
		return nil, bad(flow.ErrClientBad, "the name of the host is too long")
	case err != nil:
		p = append(append(p, socksName, byte(len(host))), host...)
	case a.Is4():
		p = append(append(p, socksIPv4), a.AsSlice()...)
	default:
		p = append(append(p, socksIPv6), a.AsSlice()...)
	}
	return append(p, byte(port>>8), byte(port)), nil
}
