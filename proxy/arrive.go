package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"constat/proxy/flow"
	"constat/proxy/sniff"
)

// What a connection of a Door may tell beside its addresses.
type (
	destined interface {
		Destination() (host string, port uint16)
	}
	signedIn  interface{ User() string }
	ofApp     interface{ App() string }
	failed    interface{ Failure() error }
	refusable interface{ Refuse() error }
)

func userOf(x signedIn) string { return x.User() }
func appOf(x ofApp) string     { return x.App() }

// asked returns what nc tells by one of these methods, the zero value when it does
// not have it.
func asked[T, V any](nc net.Conn, ask func(T) V) (v V) {
	if x, ok := nc.(T); ok {
		v = ask(x)
	}
	return v
}

// take accepts the connections of a Door.
func (d *door) take() error {
	for {
		nc, err := d.ln.Accept()
		if err != nil {
			return err
		}
		if c := d.enter(nc); c != nil {
			go c.arrive()
		}
	}
}

// arrive takes over a connection that knows where it is to go.
func (c *conn) arrive() {
	if !c.enter() {
		return // Constat stops
	}
	defer c.leave()
	defer c.survive()
	to, err := c.destination()
	if err != nil {
		c.outcome(flow.Refused, err.Error())
		_ = c.Close()
		return
	}
	p := c.door.p
	c.note(func(row *flow.Connection) {
		row.Host, row.Port = to.host, to.port
		if c.addr.IsValid() {
			row.Lookup, c.told = p.names.Lookup(row.Device, c.addr.Addr(), c.born)
		}
	})
	switch transport := c.row.Transport; {
	case !c.admitted && transport != "":
		c.refuse("the client is not admitted")
	case transport == "icmp":
		c.echoes()
	case to.port == 53 && p.conf.DNS != nil && c.admitted:
		c.lookups(to)
	case to.port == 853 && p.conf.DNS != nil:
		c.refuse("private DNS is refused, so that the phone asks where it can be seen")
	case transport == "udp":
		c.datagrams(to)
	default:
		c.ingest(to)
	}
}

// lookups answers questions to the DNS: the door's own address asks the operator's
// servers, any other is asked itself. Each question is a row of its own, and the
// connection is none.
func (c *conn) lookups(to target) {
	p := c.door.p
	answerer := p.conf.DNS
	var asked atomic.Pointer[netip.AddrPort] // behind a name
	if !c.isOwn(to) {
		answerer = p.conf.DNS.Of(c.addr, func(ctx context.Context, network, _ string) (nc net.Conn, err error) {
			var addr netip.AddrPort
			if network == "udp" {
				nc, addr, err = p.conf.Upstream.DialPacket(ctx, c.row.Client.Addr(), to.String(), c.addr)
			} else {
				nc, addr, _, err = p.conf.Upstream.Dial(ctx, c.row.Client.Addr(), to.String(), c.addr, "", "")
			}
			if err == nil {
				asked.Store(&addr)
			}
			return nc, err
		})
	}
	record := func(l *flow.Lookup) error {
		l.Door, l.Device, l.App = c.row.Door, c.who.Device, c.who.App
		if addr := asked.Load(); addr != nil && l.Code != "" && !l.Resolver.IsValid() {
			l.Resolver = *addr
		}
		if err := p.conf.Recorder.Commit(context.Background(), l); err != nil {
			p.fail(err)
			return err
		}
		p.names.Learn(l.Device, l)
		c.mu.Lock()
		c.silent = true
		c.mu.Unlock()
		return nil
	}
	c.outcome(flow.Idle, "closed before a question to the DNS was complete")
	serve := answerer.ServePacket
	if c.row.Transport == "" {
		serve = answerer.ServeStream
	}
	_ = serve(c.door.relays, c, record) // which has reported its own failures
}

// destination returns where the connection is to go, and notes the address if
// there is one.
func (c *conn) destination() (to target, err error) {
	if err := asked(c.Conn, failed.Failure); err != nil {
		return to, err
	}
	addr, _ := addrPort(c.Conn.LocalAddr())
	if x, ok := c.Conn.(destined); ok {
		host, port := x.Destination()
		a, err := netip.ParseAddr(host)
		if err != nil {
			name := hostName(host)
			if name == "" || port == 0 {
				return to, errors.New("the client asked for something that is neither a name nor an address")
			}
			return target{name, port}, nil
		}
		addr = unmapped(netip.AddrPortFrom(a, port))
	}
	if !addr.IsValid() {
		return to, errors.New("the client did not say where it goes")
	}
	c.addr = addr
	return target{addr.Addr().String(), addr.Port()}, nil
}

// refuse ends a connection that is not served, and tells the client at once.
func (c *conn) refuse(reason string) {
	c.outcome(flow.Refused, reason)
	if x, ok := c.Conn.(refusable); ok {
		_ = x.Refuse()
		_ = c.Close()
		return
	}
	c.abort()
}

// datagrams serves a flow of datagrams.
func (c *conn) datagrams(to target) {
	switch {
	case c.isOwn(to) && (to.port != 443 || c.door.p.conf.QUIC != RefuseQUIC):
		c.refuse("this is Constat itself")
	case c.isQUIC(to):
		c.quic(to)
	default:
		c.forwardPackets(to)
	}
}

// forwardPackets passes a flow of datagrams on, with what passes recorded.
func (c *conn) forwardPackets(to target) {
	server := c.dialPackets(to)
	if server == nil {
		return
	}
	c.outcome(flow.Raw, "datagrams: relayed, with the first bytes kept")
	b := c.newBursts()
	c.relayPackets(server, both(c.keepFirst(flow.Up), b.up), both(c.keepFirst(flow.Down), b.down))
	_ = b.end() // which has reported it
}

// dialPackets connects to the destination of a flow of datagrams. It returns nil when it
// cannot, of which it tells the client.
func (c *conn) dialPackets(to target) net.Conn {
	server, addr, err := c.door.p.conf.Upstream.DialPacket(c.door.relays, c.row.Client.Addr(), to.String(), c.addr)
	c.note(func(row *flow.Connection) { row.Server = addr })
	if err != nil {
		c.outcome(failure(err), err.Error())
		c.refuse(cause(err))
		return nil
	}
	return server
}

// echoes passes pings on.
func (c *conn) echoes() {
	if c.toDoor() {
		c.answerEchoes()
		return
	}
	server, err := c.door.p.conf.Upstream.DialPing(c.door.relays, c.row.Client.Addr(), c.addr.Addr())
	if err != nil {
		c.refuse("not passed on: " + cause(err))
		return
	}
	c.outcome(flow.Raw, "pings: passed on")
	c.note(func(row *flow.Connection) { row.Server = c.addr })
	if !c.opened() {
		_ = server.Close()
		return
	}
	c.relayPackets(server, c.keepFirst(flow.Up), c.keepFirst(flow.Down))
}

// answerEchoes answers pings of the door itself: an echo reply is the request with
// another type (RFC 792, RFC 4443 section 4.2).
func (c *conn) answerEchoes() {
	defer c.Close()
	c.outcome(flow.Raw, "pings of Constat itself: answered")
	read, over := packetReader(c), false
	for !over {
		_ = c.SetDeadline(time.Now().Add(c.door.p.conf.PacketTimeout))
		err := read(func(msg []byte) {
			if echoReply(msg) {
				_, err := c.Write(msg)
				over = err != nil
			}
		})
		over = over || err != nil
	}
}

// echoReply makes a reply of an echo request; it returns false if msg is none.
func echoReply(msg []byte) bool {
	if len(msg) < 8 {
		return false
	}
	switch msg[0] {
	case 8:
		msg[0] = 0
		// The checksum grows by what the type lost (RFC 1624).
		sum := uint32(msg[2])<<8 + uint32(msg[3]) + 0x0800
		sum = sum&0xffff + sum>>16
		msg[2], msg[3] = byte(sum>>8), byte(sum)
	case 128:
		msg[0] = 129 // the door fills in the checksum, which covers addresses
	default:
		return false
	}
	return true
}

// relayPackets passes datagrams between the client and a server, up and down being
// shown what passes, until none has passed for PacketTimeout or one side fails. It closes
// both.
func (c *conn) relayPackets(server net.Conn, up, down look) {
	defer c.Close()
	defer server.Close()
	c.relayed.Store(true)
	var first [2][]byte // datagram of each direction
	defer func() {
		c.note(func(row *flow.Connection) { row.Protocol = sniff.Protocol(row.Port, true, first[0], first[1]) })
	}()
	var heard atomic.Bool // of the server
	var moved atomic.Int64
	moved.Store(time.Now().UnixNano())
	limit := c.door.p.conf.PacketTimeout
	pass := func(dst io.Writer, src net.Conn, first *[]byte, look look) {
		defer server.Close()
		defer c.Conn.Close()
		read, over := packetReader(src), false
		for !over {
			_ = src.SetReadDeadline(time.Unix(0, moved.Load()).Add(limit))
			err := read(func(p []byte) {
				moved.Store(time.Now().UnixNano())
				if over = look(p) != nil; over {
					return
				}
				if *first == nil {
					*first = append([]byte{}, p[:min(len(p), flow.RawKept)]...)
				}
				if _, err := dst.Write(p); err != nil {
					c.unheard(err, heard.Load())
					over = !isRefusal(err)
				}
			})
			if err == nil || expired(err) && time.Since(time.Unix(0, moved.Load())) < limit {
				continue // in the latter case, the other direction is alive
			}
			c.unheard(err, heard.Load())
			return
		}
	}
	var upward sync.WaitGroup
	upward.Go(func() {
		defer c.survive()
		pass(server, c, &first[0], up)
	})
	func() {
		defer c.survive()
		pass(c, server, &first[1], func(p []byte) error {
			heard.Store(true)
			return down(p)
		})
	}()
	upward.Wait()
}

// unheard tells the client of datagrams that nobody is there, if that is what err
// says: whichever of the two directions meets it first. heard says that somebody was.
func (c *conn) unheard(err error, heard bool) {
	if !isRefusal(err) {
		return
	}
	if !heard {
		c.note(func(row *flow.Connection) {
			row.Outcome, row.Reason = flow.ServerFailed, "datagrams: relayed, and nobody is at that port"
		})
	}
	if x, ok := c.Conn.(refusable); ok {
		_ = x.Refuse()
	}
}

// isRefusal says that we were told that nobody is there.
func isRefusal(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
