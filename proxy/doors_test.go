package proxy_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"constat/proxy"
	"constat/proxy/datagram"
	"constat/proxy/dns"
	"constat/proxy/flow"
	"constat/proxy/upstream"
)

// packetDoor is a door of datagrams and pings, as the doors make them that share a
// socket.
type packetDoor struct {
	flows   *datagram.Table[string]
	conns   chan net.Conn
	done    chan struct{}
	once    sync.Once
	refused chan string // clients that were told that nobody is there
}

func (d *packetDoor) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.done:
		return nil, net.ErrClosed
	}
}

func (d *packetDoor) Close() error {
	d.once.Do(func() { close(d.done); d.flows.Close() })
	return nil
}

func (d *packetDoor) Addr() net.Addr { return &net.UDPAddr{} }

// packets adds a door of datagrams to a rig. What it returns sends one from a client
// to an address, or to a name in its place, and gives the answers to this client.
func (g *rig) packets(own netip.Addr) (door *packetDoor, send func(client string, to net.Addr, name string, payload []byte) <-chan []byte) {
	g.t.Helper()
	door = &packetDoor{flows: datagram.NewTable[string](64), conns: make(chan net.Conn), done: make(chan struct{}), refused: make(chan string, 64)}
	g.serveDoor(proxy.Door{Name: "packets", Listener: door, Own: []netip.Addr{own}})
	answers := map[string]chan []byte{}
	return door, func(client string, to net.Addr, name string, payload []byte) <-chan []byte {
		if answers[client] == nil {
			answers[client] = make(chan []byte, 64)
		}
		got := answers[client]
		f := door.flows.Deliver(client, payload, func() *datagram.Flow {
			f := &datagram.Flow{
				Client: net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:9")), Dest: to, Name: client, Host: name,
				Ways: datagram.Ways{
					Send:        func(b []byte) error { got <- append([]byte(nil), b...); return nil },
					Unreachable: func() error { door.refused <- client; return nil },
				},
			}
			switch to := to.(type) {
			case *net.UDPAddr:
				f.Port = uint16(to.Port)
				if name == "" {
					f.Host = to.IP.String()
				}
			case *net.IPAddr:
				f.Host = to.IP.String()
			}
			return f
		})
		if f != nil {
			select {
			case door.conns <- f:
			case <-door.done:
			}
		}
		return got
	}
}

// serveDoor serves one more door until the rig stops.
func (g *rig) serveDoor(d proxy.Door) {
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- g.proxy.ServeDoor(ctx, d) }()
	stop := g.stop
	g.stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-served, stop())
	})
}

// parrot answers each connection with what it gets, and counts them.
func parrot(t *testing.T) (at netip.AddrPort, got func() (conns int, bytes string)) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var conns int
	var all []byte
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns++
			mu.Unlock()
			wait.Go(func() {
				defer c.Close()
				buf := make([]byte, 4<<10)
				for {
					n, err := c.Read(buf)
					mu.Lock()
					all = append(all, buf[:n]...)
					mu.Unlock()
					if _, werr := c.Write(buf[:n]); err != nil || werr != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() { ln.Close(); wait.Wait() })
	return ln.Addr().(*net.TCPAddr).AddrPort(), func() (int, string) {
		mu.Lock()
		defer mu.Unlock()
		return conns, string(all)
	}
}

// echoed says something on c and waits for the echo.
func echoed(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	if b := mustRead(t, c, make([]byte, len(text))); b != text {
		t.Fatalf("%q", b)
	}
}

// TestDoorEnds: ServeDoor returns after what its connections have said is on record.
func TestDoorEnds(t *testing.T) {
	g := newRig(t, nil)
	to, _ := parrot(t)
	dial := g.gated(ownAddr)
	echoed(t, dial(arrival{to: to, user: "redmi"}), "\x01hello")
	g.rec.mu.Lock()
	g.rec.fail = func(op string, r flow.Record) error {
		if _, ok := r.(*flow.Exchange); ok && op == "commit" {
			time.Sleep(200 * time.Millisecond) // a slow disk
		}
		return nil
	}
	g.rec.mu.Unlock()
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	list, rows := all[*flow.Exchange](g.rec), all[*flow.Connection](g.rec)
	if len(list) != 1 || len(rows) != 1 || !strings.HasPrefix(list[0].Error, flow.ErrCutOff) || rows[0].Outcome != flow.CutOff {
		t.Errorf("after the end: %+v, %+v", list, rows)
	}
}

// TestNothingUnrecorded: what passes unread has its row open before.
func TestNothingUnrecorded(t *testing.T) {
	reported := make(chan error, 1)
	g := newRig(t, func(c *proxy.Config) { c.Failed = func(err error) { reported <- err } })
	to, got := parrot(t)
	g.rec.fail = func(op string, r flow.Record) error {
		if _, ok := r.(*flow.Connection); ok && op == "begin" {
			return errRecorder
		}
		return nil
	}
	t.Run("passed", func(t *testing.T) {
		g.proxy.SetPass("", "bank.test", proxy.Always)
		c := g.gated(ownAddr)(arrival{to: to, user: "redmi"})
		if err := tls.Client(c, &tls.Config{ServerName: "bank.test"}).Handshake(); err == nil {
			t.Error("a handshake with an echo")
		}
		if _, text := got(); text != "" {
			t.Errorf("%d bytes passed, and nothing can be recorded", len(text))
		}
		if err := <-reported; !errors.Is(err, errRecorder) {
			t.Error(err)
		}
	})
	t.Run("a ping", func(t *testing.T) {
		if nc, err := upstreamPing(); err != nil {
			t.Skip(err)
		} else {
			nc.Close()
		}
		_, send := g.packets(ownAddr)
		answers := send("pinger", &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)}, "", []byte{8, 0, 0xf7, 0xfd, 0, 1, 0, 1})
		select {
		case <-answers:
			t.Error("a ping passed, and nothing can be recorded")
		case <-time.After(300 * time.Millisecond):
		}
	})
}

func upstreamPing() (net.Conn, error) {
	up := upstream.New(upstream.Config{Allow: func(netip.Addr, netip.AddrPort) error { return nil }})
	defer up.Close()
	return up.DialPing(context.Background(), netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.1"))
}

// TestBurstNotRecorded: a stretch that cannot be committed, in the goroutine of the
// timer that ends it, costs the connection and nothing else.
func TestBurstNotRecorded(t *testing.T) {
	for _, how := range []string{"error", "panic"} {
		t.Run(how, func(t *testing.T) {
			g := newRig(t, func(c *proxy.Config) { c.BurstPause = 20 * time.Millisecond })
			to, _ := parrot(t)
			g.rec.fail = func(op string, r flow.Record) error {
				if _, ok := r.(*flow.Exchange); !ok || op != "commit" {
					return nil
				}
				if how == "panic" {
					g.rec.forget(r)
					panic("a fault of the recorder's")
				}
				return errRecorder
			}
			c := g.gated(ownAddr)(arrival{to: to, user: "redmi"})
			echoed(t, c, "\x01hello")
			if n, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) || expired(err) {
				t.Errorf("%d bytes, %v: the client may take it for the end", n, err)
			}
			await(t, g.rec, anyConnection)
		})
	}
}

// TestRelayPanics: a panic in either direction of a relay costs the connection.
func TestRelayPanics(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.FirstByteTimeout = 20 * time.Millisecond })
	g.rec.fail = func(op string, r flow.Record) error {
		if _, ok := r.(*flow.Exchange); ok && op == "begin" {
			panic("a fault of the recorder's")
		}
		return nil
	}
	dial := g.gated(ownAddr)
	to, _ := parrot(t)
	up := dial(arrival{to: to})
	_, _ = io.WriteString(up, "\x01hello")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		if c, err := ln.Accept(); err == nil {
			_, _ = io.WriteString(c, "220 welcome\r\n")
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	down := dial(arrival{to: ln.Addr().(*net.TCPAddr).AddrPort()})
	for what, c := range map[string]net.Conn{"up": up, "down": down} {
		if b, err := io.ReadAll(c); err == nil || expired(err) {
			t.Errorf("%s: %q, %v", what, b, err)
		}
	}
	await(t, g.rec, func(c *flow.Connection) bool { return c.ID > 1 && c.Outcome == flow.Raw })
}

func expired(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// TestOwnIsNotDialled: nothing but HTTP is served at the door's own address and name,
// and nobody is dialled for it.
func TestOwnIsNotDialled(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) {
		c.Identify = func(who proxy.Guest) proxy.Identity { return proxy.Identity{Device: who.User, Admitted: true} }
	})
	to, got := parrot(t)
	own := netip.MustParseAddr("127.0.0.1")
	dial := g.gated(own)
	_, send := g.packets(own)
	check := func(device string) {
		t.Helper()
		row := await(t, g.rec, func(c *flow.Connection) bool { return c.Device == device })
		if row.Outcome != flow.Refused || row.Server.IsValid() {
			t.Errorf("%+v", row)
		}
	}
	for device, a := range map[string]arrival{"address": {to: to}, "name": {to: to, name: "constat.test"}} {
		a.user = device
		c := dial(a)
		_, _ = io.WriteString(c, "\x01raw")
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%d bytes", n)
		}
		check(device)
		send(device+"/udp", net.UDPAddrFromAddrPort(to), a.name, []byte("hello"))
		check(device + "/udp")
	}
	if n, _ := got(); n > 0 {
		t.Errorf("dialled %d times", n)
	}
}

// TestRebinding: a page whose name leads to the door's own address reads nothing.
func TestRebinding(t *testing.T) {
	g := newRig(t, nil)
	dial := g.gated(ownAddr)
	at := netip.AddrPortFrom(ownAddr, 80)
	for host, status := range map[string]int{
		"evil.test": 421, "evil.test:80": 421, "localhost": 421, "10.77.0.1": 200, "10.77.0.1:80": 200, "constat.test": 200, "CONSTAT.test.": 200,
	} {
		resp, body := ask(t, dial(arrival{to: at}), host, "/own")
		if resp.StatusCode != status || (status == 200) != (body == "local page for /own") {
			t.Errorf("%s: %s, %q", host, resp.Status, body)
		}
	}
}

// TestOtherALPN: the first protocol that means something is agreed to, and rows hold
// nothing but visible characters.
func TestOtherALPN(t *testing.T) {
	g := newRig(t, nil)
	const odd = "m\x00qtt\xff"
	c := tls.Client(g.gated(ownAddr)(arrival{to: netip.MustParseAddrPort("127.0.0.1:9")}), &tls.Config{
		RootCAs: g.trust, ServerName: "server.test", NextProtos: []string{"\x3a\x3a", odd},
	})
	if err := c.Handshake(); err != nil || c.ConnectionState().NegotiatedProtocol != odd {
		t.Errorf("%q, %v", c.ConnectionState().NegotiatedProtocol, err)
	}
	c.Close()
	if row := await(t, g.rec, anyConnection); row.ALPN != "m?qtt?" || row.ClientTLS.ALPN != row.ALPN {
		t.Errorf("%q, %q", row.ALPN, row.ClientTLS.ALPN)
	}
}

// TestPassedNameElsewhere: a name in a handshake does not open a destination of
// another name.
func TestPassedNameElsewhere(t *testing.T) {
	g := newRig(t, nil)
	srv := serve(t, true, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "from the server") })
	port := srv.URL[strings.LastIndexByte(srv.URL, ':'):]
	g.proxy.SetPass("", "bank.test", proxy.Always)
	g.connectTLS("localhost"+port, "bank.test").Close()
	if row := await(t, g.rec, anyConnection); row.Outcome == flow.Passed || row.SNI != "bank.test" || row.Host != "localhost" {
		t.Errorf("%+v", row)
	}
	c := tls.Client(g.connect("127.0.0.1"+port), &tls.Config{RootCAs: g.roots, ServerName: "bank.test", InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		t.Error(err)
	}
	c.Close()
	if row := await(t, g.rec, func(c *flow.Connection) bool { return c.Host == "127.0.0.1" }); row.Outcome != flow.Passed {
		t.Errorf("%+v", row)
	}
}

// TestOwnNameNeverPasses: phones ask for it before they trust the CA.
func TestOwnNameNeverPasses(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.PassAfter = 2 })
	for n := range 3 {
		if err := tls.Client(g.connect("constat.test:443"), &tls.Config{RootCAs: g.roots, ServerName: "constat.test"}).Handshake(); err == nil {
			t.Fatal("trusted")
		}
		await(t, g.rec, func(c *flow.Connection) bool { return c.ID > int64(n) })
	}
	if _, body := ask(t, g.connectTLS("constat.test:443", "constat.test"), "constat.test", "/own"); body != "local page for /own" {
		t.Errorf("%q", body)
	}
	if list := g.proxy.Passes(); len(list) > 0 {
		t.Errorf("%+v", list)
	}
}

// TestBrokenOff: a client is not shown a clean end where the server gave none.
func TestBrokenOff(t *testing.T) {
	g := newRig(t, nil)
	dial := g.gated(ownAddr)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(c, make([]byte, 4))
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for what, ln := range map[string]net.Listener{"reset": ln, "nobody": gone} {
		c := dial(arrival{to: ln.Addr().(*net.TCPAddr).AddrPort(), user: what})
		_, _ = io.WriteString(c, "\x01raw")
		if b, err := io.ReadAll(c); err == nil || expired(err) {
			t.Errorf("%s: %q and a clean end", what, b)
		}
	}
}

// TestLookupByName: a DNS server that the client names is asked, not the operator's.
func TestLookupByName(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &mdns.Server{PacketConn: pc, Handler: mdns.HandlerFunc(func(w mdns.ResponseWriter, q *mdns.Msg) {
		a := new(mdns.Msg).SetReply(q)
		rr, _ := mdns.NewRR(q.Question[0].Name + " 60 IN A 192.0.2.7")
		a.Answer = append(a.Answer, rr)
		_ = w.WriteMsg(a)
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.ActivateAndServe() }()
	t.Cleanup(func() { pc.Close(); <-served })
	answerer, err := dns.New(dns.Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}})
	if err != nil {
		t.Fatal(err)
	}
	up := upstream.New(upstream.Config{Resolve: map[string]string{"resolver.test:53": pc.LocalAddr().String()}})
	t.Cleanup(up.Close)
	g := newRig(t, func(c *proxy.Config) { c.DNS, c.Upstream = answerer, up })
	_, send := g.packets(ownAddr)
	q, err := new(mdns.Msg).SetQuestion("x.example.", mdns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	var a mdns.Msg
	if err := a.Unpack(<-send("redmi", &net.UDPAddr{Port: 53}, "resolver.test", q)); err != nil || len(a.Answer) != 1 {
		t.Errorf("%v, %v", a, err)
	}
	l := await(t, g.rec, func(*flow.Lookup) bool { return true })
	if l.Code != "NOERROR" || l.Resolver.String() != pc.LocalAddr().String() || l.Door != "packets" {
		t.Errorf("%+v", l)
	}
}

// TestLimitOfAll: the limit on all clients leaves a row, and strangers do not use up
// the places of those who are admitted.
func TestLimitOfAll(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) {
		c.MaxAll = 16
		c.Identify = func(who proxy.Guest) proxy.Identity {
			return proxy.Identity{Device: who.User, Admitted: who.User == "redmi"}
		}
	})
	to, _ := parrot(t)
	dial := g.gated(ownAddr)
	ended := func(c net.Conn) bool {
		_, err := c.Read(make([]byte, 1))
		return err != nil && !expired(err)
	}
	for range 2 {
		dial(arrival{to: to, user: "stranger"})
	}
	for range 4 {
		if !ended(dial(arrival{to: to, user: "stranger"})) {
			t.Error("a stranger more than an eighth")
		}
	}
	var open []net.Conn
	for range 16 {
		c := dial(arrival{to: to, user: "redmi"})
		echoed(t, c, "\x01hello")
		open = append(open, c)
	}
	for range 4 {
		if !ended(dial(arrival{to: to, user: "redmi"})) {
			t.Error("one more than all")
		}
	}
	const why = "too many connections of all clients at a time"
	for _, device := range []string{"stranger", "redmi"} {
		await(t, g.rec, func(c *flow.Connection) bool {
			return c.Device == device && c.Outcome == flow.Refused && c.Reason == why
		})
	}
	open[0].Close()
	await(t, g.rec, func(c *flow.Connection) bool { return c.Device == "redmi" && c.Outcome == flow.Raw })
	again := false
	for range 100 { // the place is free a moment after the row is there
		c := dial(arrival{to: to, user: "redmi"})
		_, _ = io.WriteString(c, "\x01hello")
		if again = !ended(c); again {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !again {
		t.Error("no place after one is free")
	}
	rows := 0
	for _, c := range all[*flow.Connection](g.rec) {
		if c.Device == "stranger" && c.Reason == why {
			rows++
		}
	}
	if rows != 1 {
		t.Errorf("%d rows of strangers over the limit", rows)
	}
}

// TestStrangersFillNothing: many connections of somebody who may not use the proxy
// leave rows up to a bound, and the last one says so.
func TestStrangersFillNothing(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.Identify = func(proxy.Guest) proxy.Identity { return proxy.Identity{} } })
	const most = 1000
	for n := range most + 50 {
		c, err := net.Dial("tcp", g.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if b, err := io.ReadAll(c); err != nil || !strings.Contains(string(b), "local page") {
			t.Fatalf("%d: %q, %v", n, b, err)
		}
		c.Close()
	}
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	rows := all[*flow.Connection](g.rec)
	last := 0
	for _, c := range rows {
		if strings.HasSuffix(c.Reason, "; there are so many of these that others leave no row for a while") {
			last++
		}
	}
	// A busy machine lets some more have theirs.
	if len(rows) < most || len(rows) >= most+50 || last < 1 {
		t.Errorf("%d rows, %d of which are the last", len(rows), last)
	}
}

// echoPackets is a server that sends each datagram back, but for "quit".
func echoPackets(t *testing.T) netip.AddrPort {
	t.Helper()
	pc, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, from, err := pc.ReadFromUDPAddrPort(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			_, _ = pc.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	t.Cleanup(func() { pc.Close(); <-done })
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

// TestPackets passes datagrams of all sizes whole, in order, and records them.
func TestPackets(t *testing.T) {
	g := newRig(t, nil)
	to := echoPackets(t)
	_, send := g.packets(ownAddr)
	total := 0
	for _, size := range []int{0, 1, 1500, 0, 9000, 65507} {
		payload := []byte(strings.Repeat("x", size))
		if got := <-send("redmi", net.UDPAddrFromAddrPort(to), "", payload); string(got) != string(payload) {
			t.Errorf("%d bytes for %d", len(got), size)
		}
		total += size
	}
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	rows, list := all[*flow.Connection](g.rec), all[*flow.Exchange](g.rec)
	if len(rows) != 1 || len(list) != 1 || rows[0].BytesUp != int64(total) || rows[0].BytesDown != int64(total) || rows[0].Transport != "udp" ||
		list[0].Request.Body.Size() != int64(total) || list[0].Response.Body.Size() != int64(total) || list[0].Scheme != "udp" {
		t.Errorf("%+v, %+v", rows, list)
	}
}

// TestNobodyThere: the client is told that nobody is at a port.
func TestNobodyThere(t *testing.T) {
	g := newRig(t, nil)
	pc, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	to := pc.LocalAddr().(*net.UDPAddr)
	pc.Close()
	door, send := g.packets(ownAddr)
	send("redmi", to, "", []byte("hello"))
	if who := <-door.refused; who != "redmi" {
		t.Error(who)
	}
	await(t, g.rec, func(c *flow.Connection) bool {
		return c.Outcome == flow.ServerFailed && c.Server.Port() == uint16(to.Port)
	})
}

// TestIdlePackets: silent flows keep no room for datagrams.
func TestIdlePackets(t *testing.T) {
	g := newRig(t, nil)
	to := echoPackets(t)
	_, send := g.packets(ownAddr)
	used := func() int64 {
		runtime.GC()
		runtime.GC() // what is in a pool goes with the second one
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := used()
	const flows = 60
	for n := range flows {
		<-send(fmt.Sprint("flow ", n), net.UDPAddrFromAddrPort(to), "", []byte("hello"))
	}
	each := (used() - before) / flows
	t.Logf("%d bytes for a flow", each)
	if each > 32<<10 {
		t.Errorf("%d bytes for a silent flow", each)
	}
}

// TestLikeHTTP: requests of RTSP and SIP have methods of HTTP, and are relayed.
func TestLikeHTTP(t *testing.T) {
	g := newRig(t, nil)
	to, _ := parrot(t)
	dial := g.gated(ownAddr)
	for _, text := range []string{"OPTIONS rtsp://camera.test/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", "NOTIFY SIP:me@pbx.test SIP/2.0\r\n\r\n"} {
		echoed(t, dial(arrival{to: to}), text)
		slow := dial(arrival{to: to})
		for _, c := range []byte(text) {
			if _, err := slow.Write([]byte{c}); err != nil {
				t.Fatal(err)
			}
		}
		if b := mustRead(t, slow, make([]byte, len(text))); b != text {
			t.Errorf("%q", b)
		}
	}
	for _, target := range []string{"*", "/", "/sip:x", "sipp", "r"} {
		c := dial(arrival{to: netip.AddrPortFrom(ownAddr, 80)})
		_, _ = fmt.Fprintf(c, "OPTIONS %s HTTP/1.1\r\nHost: constat.test\r\n\r\n", target)
		if b := mustRead(t, c, make([]byte, 9)); b != "HTTP/1.1 " {
			t.Errorf("%s: %q", target, b)
		}
	}
}

// TestRowsOfDoors: each way in which a connection of a door can go leaves one row, or
// questions to the DNS in its place.
func TestRowsOfDoors(t *testing.T) {
	answerer, err := dns.New(dns.Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}})
	if err != nil {
		t.Fatal(err)
	}
	g := newRig(t, func(c *proxy.Config) {
		c.DNS = answerer
		c.Identify = func(who proxy.Guest) proxy.Identity {
			return proxy.Identity{Device: who.User, Admitted: !strings.Contains(who.User, "stranger")}
		}
	})
	echo, _ := parrot(t)
	packets := echoPackets(t)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	dial := g.gated(ownAddr)
	_, send := g.packets(ownAddr)
	own := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(ownAddr, port) }
	udp := func(a netip.AddrPort) net.Addr { return net.UDPAddrFromAddrPort(a) }
	ask := []byte{1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, 't', 'e', 's', 't', 0, 0, 255, 0, 1} // something for test
	reset := func(c net.Conn) {
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	quiet := map[string]bool{} // leave no row of a connection
	for _, tc := range []struct {
		name    string
		do      func(user string)
		outcome flow.Outcome // "" for none
		reason  string       // in it
	}{
		{"no handshake", func(u string) { dial(arrival{user: u, failure: errors.New("no sense")}) }, flow.Refused, "no sense"},
		{"a bad name", func(u string) { dial(arrival{user: u, to: echo, name: "a b"}) }, flow.Refused, "neither a name nor an address"},
		{"a name without a port", func(u string) {
			dial(arrival{user: u, to: netip.AddrPortFrom(echo.Addr(), 0), name: "a.test"})
		}, flow.Refused, "neither a name nor an address"},
		{"TLS of a stranger", func(u string) { _, _ = dial(arrival{user: u, to: echo}).Write([]byte("\x16\x03\x01\x00\x05")) }, flow.Refused, "not admitted"},
		{"UDP of a stranger", func(u string) { send(u, udp(packets), "", ask) }, flow.Refused, "not admitted"},
		{"a ping of a stranger", func(u string) { send(u, &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)}, "", ask) }, flow.Refused, "not admitted"},
		{"a question of a stranger", func(u string) { send(u, udp(own(53)), "", ask) }, flow.Refused, "not admitted"},
		{"UDP to Constat", func(u string) { send(u, udp(own(7)), "", ask) }, flow.Refused, "Constat itself"},
		{"TCP to Constat", func(u string) { _, _ = dial(arrival{user: u, to: own(7)}).Write(ask) }, flow.Refused, "own pages"},
		{"a ping to Constat", func(u string) {
			<-send(u, &net.IPAddr{IP: ownAddr.AsSlice()}, "", []byte{8, 0, 0xf7, 0xfd, 0, 1, 0, 1})
		}, flow.CutOff, ""},
		{"junk at port 53", func(u string) { <-send(u, udp(own(53)), "", append(ask[:12:12], "\xff\xff\xff"...)) }, "", ""},
		{"half a question over TCP", func(u string) {
			c := dial(arrival{user: u, to: own(53)})
			_, _ = c.Write([]byte{0, 50, 1})
			c.Close()
		}, flow.Idle, "before a question"},
		{"private DNS", func(u string) { dial(arrival{user: u, to: own(853)}) }, flow.Refused, "private DNS"},
		{"private DNS over QUIC", func(u string) { send(u, udp(own(853)), "", ask) }, flow.Refused, "private DNS"},
		{"junk at the port of QUIC", func(u string) { send(u, udp(own(443)), "", ask) }, flow.Refused, "QUIC is refused"},
		{"UDP to a listener", func(u string) { send(u, udp(netip.MustParseAddrPort(g.addr)), "", ask) }, flow.Refused, "listener of Constat"},
		{"TCP to nobody", func(u string) {
			_, _ = dial(arrival{user: u, to: gone.Addr().(*net.TCPAddr).AddrPort()}).Write(ask)
		}, flow.ServerFailed, ""},
		{"the client resets", func(u string) {
			c := dial(arrival{user: u, to: echo})
			echoed(t, c, "\x01hello")
			reset(c)
		}, flow.Raw, "neither TLS nor HTTP"},
		{"silence", func(u string) { dial(arrival{user: u, to: netip.AddrPortFrom(echo.Addr(), 443)}).Close() }, flow.Idle, "before any byte"},
		{"cut off in datagrams", func(u string) { <-send(u, udp(packets), "", ask) }, flow.CutOff, ""},
		{"cut off in a handshake", func(u string) { _, _ = dial(arrival{user: u, to: echo}).Write([]byte("\x16\x03\x01\x00\x05")) }, flow.CutOff, ""},
		{"cut off before a question", func(u string) { _, _ = dial(arrival{user: u, to: own(53)}).Write([]byte{0, 50, 1}) }, flow.CutOff, ""},
		// The last one, because what was accepted before it has been taken in.
		{"cut off in a relay", func(u string) { echoed(t, dial(arrival{user: u, to: echo}), "\x01hello") }, flow.CutOff, ""},
	} {
		tc.do(tc.name)
		if tc.outcome == "" {
			quiet[tc.name] = true
		} else if tc.outcome != flow.CutOff {
			await(t, g.rec, func(c *flow.Connection) bool { return c.Device == tc.name })
		}
		defer func() {
			n := 0
			for _, c := range all[*flow.Connection](g.rec) {
				if c.Device == tc.name {
					n++
					if c.Outcome != tc.outcome || !strings.Contains(c.Reason, tc.reason) {
						t.Errorf("%s: %s (%s)", tc.name, c.Outcome, c.Reason)
					}
				}
			}
			if want := map[bool]int{false: 1}[quiet[tc.name]]; n != want {
				t.Errorf("%s: %d rows, want %d", tc.name, n, want)
			}
		}()
	}
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	lookups := all[*flow.Lookup](g.rec)
	if len(lookups) != 1 || lookups[0].Device != "junk at port 53" || lookups[0].Error == "" {
		t.Errorf("%+v", lookups)
	}
}

// TestDoorsTogether ends a proxy in the middle of many connections of all kinds.
func TestDoorsTogether(t *testing.T) {
	answerer, err := dns.New(dns.Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}, Resolve: map[string]string{"x.test:1": "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	g := newRig(t, func(c *proxy.Config) {
		c.DNS, c.BurstPause, c.PassAfter, c.PacketTimeout = answerer, time.Millisecond, 2, 50*time.Millisecond
		c.GracePeriod = 200 * time.Millisecond
	})
	echo, _ := parrot(t)
	packets := echoPackets(t)
	secure := serve(t, true, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	door := g.newGate(ownAddr)
	_, send := g.packets(ownAddr)
	var sending sync.Mutex
	packet := func(client string, to netip.AddrPort, payload []byte) <-chan []byte {
		sending.Lock()
		defer sending.Unlock()
		return send(client, net.UDPAddrFromAddrPort(to), "", payload)
	}
	q, err := new(mdns.Msg).SetQuestion("x.test.", mdns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for n := range 24 {
		clients.Go(func() {
			for round := 0; ; round++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprint(n, "/", round)
				switch n % 4 {
				case 0, 1:
					to := echo
					if n%4 == 1 {
						to = serverAddr(secure.URL)
					}
					nc, err := door.dial(arrival{to: to, user: name})
					if err != nil {
						return
					}
					_ = nc.SetDeadline(time.Now().Add(time.Second))
					if n%4 == 0 {
						for range 3 {
							_, _ = io.WriteString(nc, "\x01hello")
							_, _ = nc.Read(make([]byte, 100))
							time.Sleep(2 * time.Millisecond)
						}
					} else {
						roots := g.trust
						if round%3 > 0 {
							roots = g.roots
						}
						tc := tls.Client(nc, &tls.Config{RootCAs: roots, ServerName: "server.test"})
						if tc.Handshake() == nil {
							_, _ = fmt.Fprintf(tc, "POST /%d HTTP/1.1\r\nHost: server.test:%d\r\nContent-Length: 5\r\n\r\nhello", round, to.Port())
							_, _ = tc.Read(make([]byte, 1000))
						}
					}
					nc.Close()
				case 2:
					select {
					case <-packet(name, packets, []byte("hello")):
					case <-time.After(100 * time.Millisecond):
					}
				case 3:
					select {
					case <-packet(name, netip.AddrPortFrom(ownAddr, 53), q):
					case <-time.After(100 * time.Millisecond):
					}
				}
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	n := len(all[flow.Record](g.rec))
	close(stop)
	clients.Wait()
	if now := len(all[flow.Record](g.rec)); now != n || n == 0 {
		t.Errorf("%d records at the end, %d later", n, now)
	}
	outcomes := map[flow.Outcome]int{}
	for _, c := range all[*flow.Connection](g.rec) {
		outcomes[c.Outcome]++
	}
	t.Log(n, "records", outcomes)
}

// TestDoorsCountApart: what a client has open by one door is no limit at another.
func TestDoorsCountApart(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.MaxConns, c.MaxStreams = 1, 2 })
	to, _ := parrot(t)
	dial := g.gated(ownAddr)
	for range 2 {
		echoed(t, dial(arrival{to: to}), "\x01hello")
	}
	echoed(t, g.connect(to.String()), "\x01hello")
	if n, err := dial(arrival{to: to}).Read(make([]byte, 1)); err == nil || expired(err) {
		t.Errorf("a third one: %d bytes, %v", n, err)
	}
}

// TestSignedInIsNoStranger: the rows of a phone that signs in with each connection are
// not taken from those of strangers.
func TestSignedInIsNoStranger(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) {
		c.SignIn = func(user string) (string, bool) { return "right", user == "redmi" }
		c.Identify = func(who proxy.Guest) proxy.Identity {
			return proxy.Identity{Device: who.User, Admitted: who.User == "redmi"}
		}
	})
	const many = 1020
	get := func(credentials string) {
		t.Helper()
		c, err := net.Dial("tcp", g.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = fmt.Fprintf(c, "GET http://%s/ HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n", g.addr, g.addr, credentials)
		if b, err := io.ReadAll(c); err != nil || !strings.Contains(string(b), "local page") {
			t.Fatalf("%q, %v", b, err)
		}
	}
	for range many {
		get("Proxy-Authorization: Basic cmVkbWk6cmlnaHQ=\r\n") // redmi:right
	}
	get("")
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, c := range all[*flow.Connection](g.rec) {
		rows[c.Device]++
		if strings.Contains(c.Reason, "leave no row") {
			t.Errorf("%+v", c)
		}
	}
	if rows["redmi"] != many || len(rows) != 2 {
		t.Errorf("%v", rows)
	}
}
