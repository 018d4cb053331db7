package upstream

import (
	"context"
	"net"
	"net/netip"

	"constat/proxy/flow"
)

// Dial connects to "host:port" for client, without TLS, under the same rules as
// Do: for what is relayed unread. The connection is the caller's and is not kept
// by the Transport; Close does not wait for it. server is the address that was
// dialled, also when dialling failed. Errors are of type *Error.
func (t *Transport) Dial(ctx context.Context, client netip.Addr, to string) (c net.Conn, server netip.AddrPort, err error) {
	select {
	case <-t.stop:
		return nil, netip.AddrPort{}, bad(flow.ErrInternal, "closed")
	default:
	}
	d := t.dial(ctx, key{client: client, host: to})
	if d.err != nil {
		return nil, d.server, d.err
	}
	return d.link.Conn, d.server, nil
}
