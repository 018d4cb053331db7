package dns

import (
	"context"
	"net"
	"net/netip"
)

// perFlow is how many questions of one flow to a server of the client's choice are
// put to it at a time.
const perFlow = 16

// Of returns an Answerer that is like a, and asks the server that the client has
// chosen, by dial.
func (a *Answerer) Of(server netip.AddrPort, dial func(ctx context.Context, network, address string) (net.Conn, error)) *Answerer {
	b := &Answerer{conf: a.conf, local: a.local}
	b.conf.Servers, b.conf.Dial = []netip.AddrPort{server}, dial
	b.limit.most = perFlow
	return b
}
