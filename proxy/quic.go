package proxy

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/quic-go/quic-go/http3"

	"constat/proxy/flow"
	"constat/proxy/sniff"
)

// QUIC says what is done with the QUIC connections of clients.
type QUIC string

const (
	// RefuseQUIC answers with "port unreachable" where the door can, so that apps
	// fall back to TCP.
	RefuseQUIC QUIC = "refuse"
	// InterceptQUIC ends HTTP/3 here, and passes other protocols over QUIC on unread.
	InterceptQUIC QUIC = "intercept"
	// PassQUIC passes all on unread.
	PassQUIC QUIC = "pass"
)

// initialPackets is how many datagrams are looked at for the one ClientHello.
const initialPackets = 16

// A client sends all of a ClientHello at once. Where something is to come of it, a lost
// datagram is waited for: it is sent again after a second (RFC 9002 section 6.2.2).
const restSoon, restAgain = 50 * time.Millisecond, 3 * time.Second

// isQUIC says that a flow is QUIC, or is to the port of HTTP/3. Servers may name any
// other port for it (RFC 7838 section 3).
func (c *conn) isQUIC(to target) bool {
	if to.port == 443 {
		return true
	}
	_ = c.SetDeadline(time.Now().Add(c.door.p.conf.PacketTimeout))
	defer c.SetDeadline(time.Time{})
	buf := packetBuffers.Get().(*[]byte)
	defer packetBuffers.Put(buf)
	n, err := c.Read(*buf)
	if err != nil {
		return false
	}
	first := slices.Clone((*buf)[:n])
	c.unread(first)
	return sniff.Protocol(to.port, true, first, nil) == "quic" || c.door.p.quic.carrierOf(first) != nil
}

// quic serves a flow of datagrams that is QUIC.
func (c *conn) quic(to target) {
	p := c.door.p
	mode := p.conf.QUIC
	first, h := c.greeting(mode == InterceptQUIC)
	if mode == InterceptQUIC && p.quic.join(c, first) {
		return
	}
	if h != nil {
		to = c.greeted(h, "q", to)
	}
	h3 := h != nil && slices.Contains(h.protos, http3.NextProtoH3)
	switch {
	case first == nil:
		c.outcome(flow.Idle, "closed before any byte came")
		_ = c.Close()
	case mode == RefuseQUIC && (to.port == 443 || h3):
		c.keepEarly()
		c.refuse("QUIC is refused, so that the app falls back to TCP, which can be read")
	case h3 && to.host == p.conf.LocalHost:
		c.carry(h, to)
	case mode == PassQUIC && h != nil:
		c.passPackets(to, flow.Passed, "passed unread: set so for QUIC")
	case h != nil && !h3:
		c.passPackets(to, flow.Raw, "QUIC for another protocol than HTTP/3: relayed, with the first bytes kept")
	case h != nil:
		c.interceptQUIC(h, to)
	case mode == InterceptQUIC && len(first) > 0 && first[0]&0xc0 != 0: // RFC 9000 section 17: neither bit is set in other protocols
		c.keepEarly()
		c.refuse("QUIC without a ClientHello, as of a connection that was open before: refused, so that the app begins anew")
	default:
		c.forwardPackets(to)
	}
}

// interceptQUIC ends HTTP/3 here, unless the app has not had it.
func (c *conn) interceptQUIC(h *hello, to target) {
	switch reason, pass := c.door.p.passes.overQUIC(c.row.Device, passHost(to.host, h.name)); {
	case pass:
		c.passPackets(to, flow.Passed, reason)
	case reason != "":
		c.refuse(reason)
	default:
		c.carry(h, to)
	}
}

// passPackets passes QUIC on unread. The first bytes are kept of a Raw connection.
func (c *conn) passPackets(to target, outcome flow.Outcome, reason string) {
	server := c.dialPackets(to)
	if server == nil {
		return
	}
	c.outcome(outcome, reason)
	if !c.opened() {
		_ = server.Close()
		return
	}
	if outcome == flow.Raw {
		c.relayPackets(server, c.keepFirst(flow.Up), c.keepFirst(flow.Down))
		return
	}
	nothing := func([]byte) error { return nil }
	c.relayPackets(server, nothing, nothing)
}

// keepEarly keeps what has been read, on the row.
func (c *conn) keepEarly() {
	for _, b := range c.pre {
		_ = c.keepFirst(flow.Up)(b) // never fails
	}
}

// greeting reads the datagrams of the ClientHello, which are read again then. first is
// the first datagram, nil when none came, and h nil when there is no ClientHello. With
// negotiate, a client of another version of QUIC is told of ours.
func (c *conn) greeting(negotiate bool) (first []byte, h *hello) {
	_ = c.SetDeadline(time.Now().Add(c.door.p.conf.HandshakeTimeout))
	defer c.SetDeadline(time.Time{})
	buf := packetBuffers.Get().(*[]byte)
	defer packetBuffers.Put(buf)
	rest := restAgain
	if c.door.p.conf.QUIC == RefuseQUIC {
		rest = restSoon
	}
	var early [][]byte
	defer func() {
		for _, b := range slices.Backward(early) {
			c.unread(b)
		}
	}()
	var initial sniff.QUICInitial
	for range initialPackets {
		n, err := c.Read(*buf)
		if err != nil {
			return first, nil
		}
		b := slices.Clone((*buf)[:n])
		if early = append(early, b); first == nil {
			first = b
			if n == 0 || b[0]&0x80 == 0 {
				return first, nil
			}
		}
		msg, err := initial.Add(b)
		if errors.Is(err, sniff.ErrNotInitial) && negotiate {
			if answer := otherVersions(b); answer != nil {
				_, _ = c.Write(answer)
				early, first, initial = nil, nil, sniff.QUICInitial{}
				continue
			}
		}
		if err != nil {
			return first, nil
		}
		if msg != nil {
			h, _ = parseHello(msg)
			return first, h
		}
		_ = c.SetDeadline(time.Now().Add(rest))
	}
	return first, nil
}

// otherVersions is the Version Negotiation packet (RFC 8999 section 6, RFC 9000 section
// 6.1) that answers the first packet of a client, nil if none does.
func otherVersions(b []byte) []byte {
	if len(b) < 1200 || b[0]&0x80 == 0 {
		return nil
	}
	switch binary.BigEndian.Uint32(b[1:]) {
	case 0, 1, 0x6b3343cf: // an answer of this kind, or a version that is known
		return nil
	}
	to := 6 + int(b[5])
	from := to + 1 + int(b[to]) // 6 + 255 + 1 + 255 at most
	out := append([]byte{0xc0, 0, 0, 0, 0}, b[to:from]...)
	out = append(out, b[5:to]...)
	return append(out, 0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf)
}
