package upstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"

	"constat/proxy/flow"
)

// dialled is a connection, or what is known of the failure to make one.
type dialled struct {
	link   *link
	secure *tls.Conn // nil without TLS
	facts  *flow.TLS
	server netip.AddrPort
	err    *Error
}

// hostPort splits the host of a URL, with the scheme's default port.
func hostPort(k key) (host, port string) {
	host, port, err := net.SplitHostPort(k.host)
	if err == nil && port != "" {
		return host, port
	}
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(k.host, "["), "]")
	}
	if k.secure {
		return host, "443"
	}
	return host, "80"
}

// dial connects to the address of k, or to its host when there is none, and makes
// the handshake if it is to be secure.
func (t *Transport) dial(ctx context.Context, k key) dialled {
	c, server, err := t.reach(ctx, "tcp", k)
	if err != nil {
		return dialled{server: server, err: err}
	}
	out := dialled{link: newLink(c), server: server}
	if !k.secure {
		return out
	}
	out.secure, out.facts, out.err = t.handshake(ctx, out.link, k, k.serverName())
	if out.err != nil {
		c.Close()
	}
	return out
}

// serverName returns the name that the server of k has to prove.
func (k key) serverName() string {
	if k.name != "" {
		return k.name
	}
	host, _ := hostPort(k)
	return host
}

// reach connects to the address of k, or to its host when there is none, through
// the upstream proxy if there is one for it. The address is the one that was
// dialled last.
func (t *Transport) reach(ctx context.Context, network string, k key) (net.Conn, netip.AddrPort, *Error) {
	host, port := hostPort(k)
	d := dialer{network: network, allow: t.conf.Allow, client: k.client}
	to := net.JoinHostPort(host, port)
	if instead, ok := t.conf.Resolve[strings.ToLower(to)]; ok {
		d.allow = nil
		if _, _, err := net.SplitHostPort(instead); err == nil {
			to = instead
		} else {
			to = net.JoinHostPort(strings.Trim(instead, "[]"), port)
		}
	} else if k.address.IsValid() {
		to = k.address.String()
	}
	if t.chained(host, to) {
		if network != "tcp" {
			return nil, netip.AddrPort{}, &Error{flow.ErrRefused, ErrViaTCP}
		}
		return t.tunnel(ctx, &d, to)
	}
	c, err := d.dial(ctx, to, t.conf)
	if err != nil {
		return nil, d.last(), err
	}
	if a, ok := c.RemoteAddr().(interface{ AddrPort() netip.AddrPort }); ok {
		return c, plain(a.AddrPort()), nil
	}
	return c, d.last(), nil
}

// dialer makes one connection and checks each address that is tried for it.
type dialer struct {
	network string // "tcp" or "udp"
	allow   func(client netip.Addr, server netip.AddrPort) error
	client  netip.Addr

	mu      sync.Mutex // addresses are tried in parallel
	tried   netip.AddrPort
	refused error
}

func (d *dialer) dial(ctx context.Context, to string, conf Config) (net.Conn, *Error) {
	nd := net.Dialer{Timeout: conf.DialTimeout, ControlContext: d.control}
	c, err := nd.DialContext(ctx, d.network, to)
	if err == nil {
		return c, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refused != nil && ctx.Err() == nil {
		return nil, &Error{flow.ErrRefused, d.refused}
	}
	return nil, dialError(ctx, err)
}

// control is called before each connect.
func (d *dialer) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	server, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address to dial: %w", err)
	}
	return d.check(server)
}

// check asks whether server may be dialled, and notes it as tried if so.
func (d *dialer) check(server netip.AddrPort) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.allow != nil {
		if err := d.allow(d.client, server); err != nil {
			d.refused = err
			return err
		}
	}
	d.tried = plain(server)
	return nil
}

// plain is a with IPv4 as IPv4.
func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// last returns the address tried last.
func (d *dialer) last() netip.AddrPort {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tried
}
