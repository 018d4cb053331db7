package upstream

import (
	"context"
	"net"
	"net/netip"

	"constat/proxy/flow"
)

// Dial connects to "host:port" for client under the same rules as Do, for what is
// relayed unread: without TLS when name is empty, otherwise with TLS to a server
// that is verified as name and is offered alpn as its only application protocol, or
// none when that is empty. The connection is the caller's and is not kept by the Transport; Close does not wait for it.
// A valid address is dialled instead of resolving to, as with Call.Address.
// server is the address that was dialled and facts what is known of its TLS, both
// also when dialling failed. Errors are of type *Error.
func (t *Transport) Dial(ctx context.Context, client netip.Addr, to string, address netip.AddrPort, name, alpn string) (c net.Conn, server netip.AddrPort, facts *flow.TLS, err error) {
	if err := t.open(); err != nil {
		return nil, netip.AddrPort{}, nil, err
	}
	d := t.dial(ctx, key{client: client, host: to, address: plain(address), name: name, secure: name != "", bare: true, alpn: alpn})
	switch {
	case d.err != nil:
		return nil, d.server, d.facts, d.err
	case d.secure != nil:
		return d.secure, d.server, d.facts, nil
	}
	return d.link.Conn, d.server, nil, nil
}

// DialPacket returns a UDP socket that is connected to "host:port", or to address
// when that is valid, under the same rules as Dial. Nothing is sent. UDP does not
// go through an upstream proxy: the cause is ErrViaTCP then.
func (t *Transport) DialPacket(ctx context.Context, client netip.Addr, to string, address netip.AddrPort) (c net.Conn, server netip.AddrPort, err error) {
	if err := t.open(); err != nil {
		return nil, netip.AddrPort{}, err
	}
	c, server, failed := t.reach(ctx, "udp", key{client: client, host: to, address: plain(address), bare: true})
	if failed != nil {
		return nil, server, failed
	}
	return c, server, nil
}

// open returns an error once Close has been called.
func (t *Transport) open() error {
	select {
	case <-t.stop:
		return &Error{flow.ErrCutOff, errClosed}
	default:
		return nil
	}
}
