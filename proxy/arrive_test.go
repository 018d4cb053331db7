package proxy_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"constat/proxy"
	"constat/proxy/flow"
)

// gate is a door whose connections come over loopback, with destinations that the
// test says. What doors really look like on the wire is tested where they are.
type gate struct {
	net.Listener
	mu    sync.Mutex
	known sync.Cond
	to    map[string]arrival // by the client's address
}

type arrival struct {
	to      netip.AddrPort
	name    string // in place of the address
	user    string
	failure error
}

type arrived struct {
	*net.TCPConn
	arrival
}

func (a arrived) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(a.to) }
func (a arrived) User() string        { return a.user }
func (a arrived) App() string         { return "com.example." + a.user }
func (a arrived) Failure() error      { return a.failure }

// named is an arrival that gives a name.
type named struct{ arrived }

func (n named) Destination() (string, uint16) { return n.name, n.to.Port() }

func (g *gate) Accept() (net.Conn, error) {
	c, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		if a, ok := g.to[c.RemoteAddr().String()]; ok {
			if a.name != "" {
				return named{arrived{c.(*net.TCPConn), a}}, nil
			}
			return arrived{c.(*net.TCPConn), a}, nil
		}
		g.known.Wait()
	}
}

// gated adds a door to a rig, with an address of its own, and returns how to
// connect through it.
func (g *rig) gated(own netip.Addr) func(arrival) net.Conn {
	g.t.Helper()
	door := g.newGate(own)
	return func(a arrival) net.Conn {
		c, err := door.dial(a)
		if err != nil {
			g.t.Fatal(err)
		}
		g.t.Cleanup(func() { c.Close() })
		return c
	}
}

func (g *rig) newGate(own netip.Addr) *gate {
	g.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	door := &gate{Listener: ln, to: map[string]arrival{}}
	door.known.L = &door.mu
	g.serveDoor(proxy.Door{Name: "gate", Listener: door, Own: []netip.Addr{own}})
	return door
}

// dial connects through the door.
func (g *gate) dial(a arrival) (net.Conn, error) {
	c, err := net.Dial("tcp", g.Listener.Addr().String())
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	g.mu.Lock()
	defer g.mu.Unlock()
	g.to[c.LocalAddr().String()] = a
	g.known.Broadcast()
	return c, nil
}

// ask sends a request for a host on a connection and returns the answer.
func ask(t *testing.T, c net.Conn, host, path string) (*http.Response, string) {
	t.Helper()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func serverAddr(url string) netip.AddrPort {
	_, at, _ := strings.Cut(url, "://")
	return netip.MustParseAddrPort(at)
}

var ownAddr = netip.MustParseAddr("10.77.0.1")

// TestArrive sends connections with known destinations through a door.
func TestArrive(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) {
		c.Identify = func(who proxy.Guest) proxy.Identity {
			return proxy.Identity{Device: who.Door + "/" + who.User, App: who.App, Admitted: who.User != "stranger"}
		}
	})
	answer := func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s of %s", r.URL.Path, r.Host) }
	plain, secure := serve(t, false, answer), serve(t, true, answer)
	dial := g.gated(ownAddr)
	check := func(path, host string, server netip.AddrPort, outcome flow.Outcome) {
		t.Helper()
		e := await(t, g.rec, exchangeAt(path))
		if e.Host != host || e.Port != server.Port() || e.Server != server || e.Device != "gate/redmi" || e.App != "com.example.redmi" || e.Door != "gate" || e.Error != "" {
			t.Errorf("%s: %+v", path, e)
		}
		c := await(t, g.rec, func(c *flow.Connection) bool { return c.ID == e.Connection })
		if c.Host != host || c.Server != server || c.Outcome != outcome || c.Device != e.Device || c.App != e.App || c.Door != "gate" {
			t.Errorf("%s: %+v", path, c)
		}
	}
	secured := func(c net.Conn, name string) *tls.Conn {
		t.Helper()
		tc := tls.Client(c, &tls.Config{RootCAs: g.trust, ServerName: name})
		if err := tc.Handshake(); err != nil {
			t.Fatal(err)
		}
		return tc
	}
	port := func(a netip.AddrPort) string { return fmt.Sprint(":", a.Port()) }

	t.Run("a name in the Host field", func(t *testing.T) {
		to := serverAddr(plain.URL)
		c := dial(arrival{to: to, user: "redmi"})
		if _, body := ask(t, c, "server.test"+port(to), "/host"); body != "/host of server.test"+port(to) {
			t.Error(body)
		}
		c.Close()
		check("/host", "server.test", to, flow.Plain)
	})
	t.Run("an address in the Host field", func(t *testing.T) {
		to := serverAddr(plain.URL)
		c := dial(arrival{to: to, user: "redmi"})
		ask(t, c, to.String(), "/address")
		c.Close()
		check("/address", "127.0.0.1", to, flow.Plain)
	})
	t.Run("a server name", func(t *testing.T) {
		to := serverAddr(secure.URL)
		c := secured(dial(arrival{to: to, user: "redmi"}), "server.test")
		if _, body := ask(t, c, "server.test"+port(to), "/sni"); !strings.HasPrefix(body, "/sni of server.test") {
			t.Error(body)
		}
		c.Close()
		check("/sni", "server.test", to, flow.Intercepted)
	})
	t.Run("another host than the server name", func(t *testing.T) {
		to := serverAddr(secure.URL)
		c := secured(dial(arrival{to: to, user: "redmi"}), "server.test")
		if resp, _ := ask(t, c, "other.test"+port(to), "/misdirected"); resp.StatusCode != http.StatusMisdirectedRequest {
			t.Error(resp.Status)
		}
	})
	t.Run("no server name", func(t *testing.T) {
		to := serverAddr(secure.URL)
		c := secured(dial(arrival{to: to, user: "redmi"}), "127.0.0.1")
		ask(t, c, "server.test"+port(to), "/nosni")
		c.Close()
		check("/nosni", "server.test", to, flow.Intercepted)
	})
	t.Run("a name that the client gave", func(t *testing.T) {
		to := serverAddr(secure.URL)
		c := secured(dial(arrival{to: to, name: "localhost", user: "redmi"}), "localhost")
		ask(t, c, "localhost"+port(to), "/named")
		c.Close()
		check("/named", "localhost", to, flow.Intercepted)
	})
	t.Run("Constat's own name and address", func(t *testing.T) {
		for _, a := range []arrival{{to: netip.MustParseAddrPort("192.0.2.1:80")}, {to: netip.AddrPortFrom(ownAddr, 80)}} {
			a.user = "redmi"
			host := "constat.test"
			if a.to.Addr() == ownAddr {
				host = "10.77.0.1"
			}
			if _, body := ask(t, dial(a), host, "/own"); body != "local page for /own" {
				t.Errorf("%v: %q", a.to, body)
			}
		}
		if _, body := ask(t, secured(dial(arrival{to: netip.MustParseAddrPort("192.0.2.1:443"), user: "redmi"}), "constat.test"), "constat.test", "/own"); body != "local page for /own" {
			t.Error(body)
		}
	})
	t.Run("a stranger", func(t *testing.T) {
		if _, body := ask(t, dial(arrival{to: serverAddr(plain.URL), user: "stranger"}), "constat.test", "/admitted"); body != "false" {
			t.Error(body)
		}
		if _, body := ask(t, dial(arrival{to: serverAddr(plain.URL), user: "redmi"}), "constat.test", "/admitted"); body != "true" {
			t.Error(body)
		}
		c := dial(arrival{to: serverAddr(plain.URL), user: "stranger"})
		if _, body := ask(t, c, "server.test", "/stranger"); body != "local page for /stranger" {
			t.Error(body)
		}
		c.Close()
		row := await(t, g.rec, func(c *flow.Connection) bool { return c.Device == "gate/stranger" })
		if row.Outcome != flow.Refused || row.Server.IsValid() {
			t.Errorf("%+v", row)
		}
		tc := tls.Client(dial(arrival{to: serverAddr(secure.URL), user: "stranger"}), &tls.Config{InsecureSkipVerify: true})
		if err := tc.Handshake(); err == nil {
			t.Error("a stranger's handshake was answered")
		}
	})
	t.Run("a failure", func(t *testing.T) {
		c := dial(arrival{failure: errors.New("the client made no sense"), user: "lost"})
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%d bytes", n)
		}
		row := await(t, g.rec, func(c *flow.Connection) bool { return c.Device == "gate/lost" })
		if row.Outcome != flow.Refused || row.Reason != "the client made no sense" {
			t.Errorf("%+v", row)
		}
	})
	t.Run("a server that speaks first", func(t *testing.T) {
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
				_, _ = io.WriteString(c, "220 mail.example\r\n")
				_, _ = io.Copy(io.Discard, c)
				c.Close()
			}
		}()
		to := ln.Addr().(*net.TCPAddr).AddrPort()
		c := dial(arrival{to: to, user: "mail"})
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil || line != "220 mail.example\r\n" {
			t.Errorf("%q, %v", line, err)
		}
		_, _ = io.WriteString(c, "QUIT\r\n")
		c.Close()
		row := await(t, g.rec, func(c *flow.Connection) bool { return c.Device == "gate/mail" })
		if row.Outcome != flow.Raw || string(row.FirstDown) != "220 mail.example\r\n" || row.Server != to || row.Host != "127.0.0.1" {
			t.Errorf("%+v", row)
		}
	})
}
