package wireguard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestSpoofing sends from an address that is another peer's.
func TestSpoofing(t *testing.T) {
	r := newRig(t, 2)
	theirs, _ := testNet.Peer(1)
	liar := r.newPhone(r.keys[2], r.conf.Listen, theirs)
	for _, to := range destinations {
		if _, err := liar.udp(to).Write([]byte("spoofed")); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range []string{"192.0.2.7", "2001:db8::7"} {
		if _, err := liar.echo(to).Write(request(to, 1, "spoofed")); err != nil {
			t.Fatal(err)
		}
	}
	// A handshake, and four packets in blocks of 16 bytes (whitepaper, section 5.4).
	own := r.newPhone(r.keys[1], r.conf.Listen, theirs)
	for r.received(2) < 148+80+96+80+96 {
		time.Sleep(time.Millisecond)
	}
	if _, err := own.udp(destinations[0]).Write([]byte("honest")); err != nil {
		t.Fatal(err)
	}
	c := r.next()
	buf := make([]byte, 100)
	if n, _ := c.Read(buf); string(buf[:n]) != "honest" || c.(told).User() != "phone 1" {
		t.Errorf("%q of %q came through", buf[:n], c.(told).User())
	}
}

// received is the number of bytes that came from a peer, and sent of those to it.
func (r *rig) received(n int) uint64 { return r.status(n).BytesUp }
func (r *rig) sent(n int) uint64     { return r.status(n).BytesDown }

func (r *rig) status(n int) PeerStatus {
	for _, s := range r.Status() {
		if s.PublicKey == r.keys[n].Public() {
			return s
		}
	}
	return PeerStatus{}
}

func TestStatus(t *testing.T) {
	r := newRig(t, 2)
	begin := time.Now()
	client := r.phone(1).dial(destinations[0])
	if _, err := r.next().Write(make([]byte, 10000)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, make([]byte, 10000)); err != nil {
		t.Fatal(err)
	}
	for r.sent(1) < 10000 { // is counted after it has been sent
		time.Sleep(time.Millisecond)
	}
	for _, s := range r.Status() {
		switch s.Name {
		case "phone 1":
			if s.PublicKey != r.keys[1].Public() || !s.Endpoint.Addr().IsLoopback() || s.Endpoint.Port() == 0 ||
				s.LastHandshake.Before(begin.Add(-time.Second)) || s.LastHandshake.After(time.Now()) ||
				s.BytesUp == 0 || s.BytesDown < 10000 || s.Flows != 1 {
				t.Errorf("%+v", s)
			}
		case "phone 2":
			if (s != PeerStatus{Name: "phone 2", PublicKey: r.keys[2].Public()}) {
				t.Errorf("%+v", s)
			}
		default:
			t.Errorf("%+v", s)
		}
	}
	if n := len(r.Status()); n != 2 {
		t.Errorf("%d peers", n)
	}
}

// TestStatusAfterClose: where phones were is still known, so that they can be greeted
// there by the next Listener.
func TestStatusAfterClose(t *testing.T) {
	r := newRig(t, 1)
	client := r.phone(1).dial(destinations[0])
	_ = r.next().Close()
	_ = client.Close()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r.Wait()
	if s := r.Status(); len(s) != 1 || s[0].Name != "phone 1" || !s[0].Endpoint.IsValid() || s[0].LastHandshake.IsZero() {
		t.Errorf("%+v", s)
	}
}

func TestPeers(t *testing.T) {
	r := newRig(t, 1)
	r.keys[2] = NewPrivateKey()
	second := r.peer(2)
	second.PresharedKey = NewPresharedKey()
	if err := r.SetPeer(second); err != nil {
		t.Fatal(err)
	}
	p := r.phone(2)
	if err := p.device.IpcSet(fmt.Sprintf("public_key=%s\npreshared_key=%s\n", r.conf.PrivateKey.Public().hex(), second.PresharedKey.hex())); err != nil {
		t.Fatal(err)
	}
	client := p.dial(destinations[0])
	c := r.next()
	if c.(told).User() != "phone 2" {
		t.Error(c.(told).User())
	}

	for what, bad := range map[string]Peer{
		"no public key": {Name: "x", Addresses: second.Addresses},
		"key of this":   {Name: "x", PublicKey: r.conf.PrivateKey.Public(), Addresses: second.Addresses},
		"no address":    {Name: "x", PublicKey: NewPrivateKey().Public()},
		"is none":       {Name: "x", PublicKey: NewPrivateKey().Public(), Addresses: make([]netip.Addr, 1)},
		"of peer":       {Name: "x", PublicKey: NewPrivateKey().Public(), Addresses: second.Addresses[1:]},
	} {
		if err := r.SetPeer(bad); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}

	// Another name for the same key: connections go on.
	second.Name = "renamed"
	if err := r.SetPeer(second); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Errorf("a new name ended a connection: %v", err)
	}
	// Other addresses: those of the old ones end.
	six := p.dial(destinations[1])
	c6 := r.next()
	if c6.(told).User() != "renamed" {
		t.Error(c6.(told).User())
	}
	second.Addresses = second.Addresses[1:]
	if err := r.SetPeer(second); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a connection of an address that was taken away: %v", err)
	}
	if _, err := six.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := c6.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	_, err := p.udp(destinations[1]).Write([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	flow := r.next()

	r.RemovePeer(second.PublicKey)
	r.RemovePeer(second.PublicKey)
	_, _ = flow.Read(make([]byte, 1))
	for _, c := range []net.Conn{c6, flow} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a connection of a peer that was taken out: %v", err)
		}
	}
	if n := len(r.Status()); n != 1 {
		t.Errorf("%d peers", n)
	}
}

func TestMaxFlows(t *testing.T) {
	r := newRig(t, 1, func(c *Config) { c.MaxFlows = 2 })
	p := r.phone(1)
	_ = p.dial(destinations[0])
	if _, err := p.udp(destinations[0]).Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	first := r.next()
	_ = r.next()
	if _, err := p.tryDial(destinations[0]); err == nil {
		t.Error("a stream over the limit was accepted")
	}
	if _, err := p.udp(destinations[0]).Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for r.Status()[0].Refused < 2 {
		time.Sleep(time.Millisecond)
	}
	_ = first.Close()
	_ = p.dial(destinations[0])
	if c := r.next(); c.LocalAddr().Network() != "tcp" {
		t.Errorf("accepted %v", c.LocalAddr())
	}
}

// TestFullQueue sends datagrams that nobody reads.
func TestFullQueue(t *testing.T) {
	r := newRig(t, 1)
	p := r.phone(1)
	client := p.udp("192.0.2.7:443")
	const sent = 3 * maxQueuedDatagrams
	for i := range sent {
		if _, err := client.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	last := p.udp("192.0.2.7:444")
	if _, err := last.Write([]byte("last")); err != nil {
		t.Fatal(err)
	}
	c, _ := r.next(), r.next()
	buf := make([]byte, 10)
	for i := range maxQueuedDatagrams {
		if n, err := c.Read(buf); err != nil || n != 1 || buf[0] != byte(i) {
			t.Fatalf("datagram %d: % x, %v", i, buf[:n], err)
		}
	}
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(buf); err == nil {
		t.Errorf("more than %d datagrams were kept: % x", maxQueuedDatagrams, buf[:n])
	}
	r.mu.Lock()
	queued := r.owners[netip.MustParseAddr("10.77.0.2")].queued
	r.mu.Unlock()
	if queued != len("last") {
		t.Errorf("%d bytes are counted as waiting", queued)
	}
}

// TestRoaming moves the phone to another port and another address under open
// streams.
func TestRoaming(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", "[::]:0"} {
		r := newRig(t, 1, func(c *Config) { c.Listen = netip.MustParseAddrPort(listen) })
		p := r.phone(1)
		type pair struct{ client, server net.Conn }
		var pairs []pair
		for _, to := range destinations {
			client := p.dial(to)
			pairs = append(pairs, pair{client, r.next()})
		}
		before := r.Status()[0].Endpoint
		talk := func() {
			t.Helper()
			for i, p := range pairs {
				text := bytes.Repeat([]byte{byte(i)}, 5000)
				for _, dir := range []pair{p, {p.server, p.client}} {
					if _, err := dir.client.Write(text); err != nil {
						t.Fatal(err)
					}
					got := make([]byte, len(text))
					if _, err := io.ReadFull(dir.server, got); err != nil || !bytes.Equal(got, text) {
						t.Fatalf("stream %d: %v", i, err)
					}
				}
			}
		}
		talk()
		if err := p.device.IpcSet("listen_port=0\n"); err != nil { // another port
			t.Fatal(err)
		}
		talk()
		after := r.Status()[0].Endpoint
		if before == after || before.Addr() != after.Addr() {
			t.Errorf("from %v to %v", before, after)
		}
		// Another address: the same port of the listener, over IPv6.
		if err := p.device.IpcSet(fmt.Sprintf("public_key=%s\nendpoint=[::1]:%d\n", r.conf.PrivateKey.Public().hex(), r.conf.Listen.Port())); err != nil {
			t.Fatal(err)
		}
		talk()
		if after := r.Status()[0].Endpoint; after.Addr() != netip.IPv6Loopback() {
			t.Errorf("at %v after moving to IPv6", after)
		}
	}
}

// TestRestart ends the listener and starts another one with the same keys and port.
// Told where the phone was, it makes itself known; otherwise the phone notices after
// 15 seconds without an answer (KEEPALIVE-TIMEOUT and REKEY-TIMEOUT; whitepaper,
// section 6.5) and makes another handshake by itself.
func TestRestart(t *testing.T) {
	for _, test := range []struct {
		listen string
		told   bool
	}{{"127.0.0.1:0", true}, {"[::1]:0", true}, {"127.0.0.1:0", false}, {"[::1]:0", false}} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			if testing.Short() && !test.told {
				t.Skip("takes the 15 s after which a phone makes another handshake")
			}
			t.Parallel()
			r := newRig(t, 1, func(c *Config) { c.Listen = netip.MustParseAddrPort(test.listen) })
			p := r.phone(1)
			_ = p.dial(destinations[0])
			_ = r.next().Close()
			if test.told {
				r.conf.Peers[0].Endpoint = r.Status()[0].Endpoint
			}
			_ = r.Close()
			r.Wait()
			r.listen()
			if test.told {
				for !r.Status()[0].LastHandshake.After(time.Time{}) {
					time.Sleep(time.Millisecond)
				}
			}
			for _, to := range destinations {
				var client net.Conn
				for client == nil { // a request is repeated ever more seldom: better another one
					if c, err := p.dialWithin(to, 2*time.Second); err == nil {
						client = c
					}
				}
				if _, err := client.Write([]byte("again")); err != nil {
					t.Fatal(err)
				}
				c := r.next()
				buf := make([]byte, 10)
				if n, err := c.Read(buf); err != nil || string(buf[:n]) != "again" {
					t.Errorf("read %q, %v", buf[:n], err)
				}
				_ = client.Close()
			}
		})
	}
}

func TestClose(t *testing.T) {
	r := newRig(t, 1)
	p := r.phone(1)
	client := p.dial(destinations[0])
	c := r.next()
	waiting := p.dial(destinations[1])
	accepted := make(chan error)
	go func() {
		// One of them is waiting's, unless Close is faster.
		for {
			c, err := r.Accept()
			if err != nil {
				accepted <- err
				return
			}
			_ = c.Close()
		}
	}()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
	if _, err := r.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept again: %v", err)
	}
	if _, err := waiting.Read(make([]byte, 1)); err == nil {
		t.Error("a connection that was not accepted goes on")
	}
	// One that was accepted does go on.
	big := bytes.Repeat([]byte("x"), 500<<10)
	go func() {
		_, _ = c.Write(big)
		_ = c.Close()
	}()
	_ = client.SetReadDeadline(time.Now().Add(20 * time.Second))
	if got, err := io.ReadAll(client); err != nil || len(got) != len(big) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	r.Wait()
	if l, err := Listen(r.conf); err != nil {
		t.Errorf("the port is not free: %v", err)
	} else {
		_ = l.Close()
	}
}

func TestListenErrors(t *testing.T) {
	r := newRig(t, 0)
	for what, change := range map[string]func(*Config){
		"listen for WireGuard on": func(*Config) {},
		"private key":             func(c *Config) { c.PrivateKey = Secret{} },
		"address to listen on":    func(c *Config) { c.Listen = netip.AddrPort{} },
		"MTU":                     func(c *Config) { c.MTU = 500 },
		"no address":              func(c *Config) { c.Peers = []Peer{{Name: "x", PublicKey: NewPrivateKey().Public()}} },
	} {
		conf := r.conf
		change(&conf)
		l, err := Listen(conf)
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
		if err == nil {
			_ = l.Close()
		}
	}
}
