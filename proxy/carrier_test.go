package proxy_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"constat/proxy"
	"constat/proxy/flow"
	"constat/proxy/socks5"
	"constat/proxy/upstream"
)

// quicTo makes a QUIC connection through a gate.
func (g *packetGate) quicTo(g0 *rig, conf *quic.Config, protos ...string) *quic.Conn {
	g.t.Helper()
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		g.t.Fatal(err)
	}
	socket := &quic.Transport{Conn: udp}
	g.t.Cleanup(func() { socket.Close(); udp.Close() })
	ctx, cancel := context.WithTimeout(g.t.Context(), 10*time.Second)
	defer cancel()
	qc, err := socket.Dial(ctx, g.udp.LocalAddr(), &tls.Config{RootCAs: g0.trust, ServerName: "server.test", NextProtos: protos}, conf)
	if err != nil {
		g.t.Fatal(err)
	}
	if slices.Equal(protos, []string{"h3"}) { // the server's settings say that it is done, too
		if _, err := qc.AcceptUniStream(ctx); err != nil {
			g.t.Fatal(err)
		}
	}
	return qc
}

// TestQUICEnds has connections end in ways that clients end them.
func TestQUICEnds(t *testing.T) {
	g, gate, _ := intercepting(t, func(http.ResponseWriter, *http.Request) {}, func(c *proxy.Config) { c.HeadTimeout = 200 * time.Millisecond })
	g.proxy.SetPass("", "server.test", proxy.Never)
	last := int64(0)
	expect := func(t *testing.T, outcome flow.Outcome, reason string) {
		t.Helper()
		row := await(t, g.rec, func(c *flow.Connection) bool { return c.ID > last })
		last = row.ID
		if row.Outcome != outcome || !strings.Contains(row.Reason, reason) || row.ClientTLS == nil || row.ALPN != "h3" {
			t.Errorf("%+v", row)
		}
	}
	t.Run("without a request", func(t *testing.T) {
		_ = gate.quicTo(g, nil, "h3").CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
		expect(t, flow.SuspectedPin, "closed by the client without a request")
	})
	t.Run("before the handshake is over", func(t *testing.T) {
		// Whose end comes first is not certain.
		qc := gate.quicTo(g, nil, "h3", "not")
		_ = qc.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
		row := await(t, g.rec, func(c *flow.Connection) bool { return c.ID > last })
		last = row.ID
		if row.Outcome != flow.SuspectedPin && (row.Outcome != flow.ClientRefused || row.ClientTLS.Error != "closed") {
			t.Errorf("%+v %+v", row, row.ClientTLS)
		}
	})
	t.Run("with an error", func(t *testing.T) {
		_ = gate.quicTo(g, nil, "h3").CloseWithError(7, "a secret")
		expect(t, flow.SuspectedPin, "broken off by the client")
	})
	t.Run("with a datagram", func(t *testing.T) {
		qc := gate.quicTo(g, &quic.Config{EnableDatagrams: true}, "h3")
		if err := qc.SendDatagram([]byte("unasked")); err == nil {
			t.Error("datagrams were agreed on")
		}
		_ = qc.CloseWithError(0, "")
		expect(t, flow.SuspectedPin, "closed by the client without a request")
	})
	t.Run("after what is not HTTP/3", func(t *testing.T) {
		qc := gate.quicTo(g, nil, "h3")
		str, err := qc.OpenStreamSync(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = str.Write([]byte{0, 3, 'a', 'b', 'c'}) // DATA before HEADERS
		<-qc.Context().Done()
		expect(t, flow.Intercepted, "H3_FRAME_UNEXPECTED")
	})
	t.Run("with half a head", func(t *testing.T) {
		qc := gate.quicTo(g, nil, "h3")
		str, err := qc.OpenStreamSync(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = str.Write([]byte{1, 40, 0})
		if _, err := str.Read(make([]byte, 1)); err == nil {
			t.Error("the stream stays open")
		}
		_ = qc.CloseWithError(0, "")
		expect(t, flow.SuspectedPin, "")
	})
	for _, c := range all[*flow.Connection](g.rec) {
		if strings.Contains(fmt.Sprintf("%+v %+v", c, c.ClientTLS), "secret") {
			t.Errorf("the row quotes the client: %+v", c)
		}
	}
}

// TestQUICPortChange has a client go on from another port.
func TestQUICPortChange(t *testing.T) {
	g, gate, url := intercepting(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }, nil)
	p := gate.phone(g.trust)
	get(t, p.Client, url+"/before")
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	socket := &quic.Transport{Conn: udp}
	t.Cleanup(func() { socket.Close(); udp.Close() })
	path, err := p.conns[0].AddPath(socket)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := path.Switch(); err != nil {
		t.Fatal(err)
	}
	if _, body := get(t, p.Client, url+"/after"); string(body) != "/after" {
		t.Errorf("%q", body)
	}
	_ = p.transport.Close()
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	rows := all[*flow.Connection](g.rec)
	if len(rows) != 1 || rows[0].Outcome != flow.Intercepted || len(all[*flow.Exchange](g.rec)) != 2 {
		t.Errorf("%d connections: %+v", len(rows), rows[0])
	}
}

// TestQUICLatecomer sends packets of a connection that is over: they are nothing new.
func TestQUICLatecomer(t *testing.T) {
	g, gate, url := intercepting(t, func(http.ResponseWriter, *http.Request) {}, func(c *proxy.Config) { c.PacketTimeout = time.Second })
	p := gate.phone(g.trust)
	get(t, p.Client, url+"/")
	// The server's ID is what short headers of the client begin with.
	packets := gate.watch()
	get(t, p.Client, url+"/")
	packet := <-packets
	p.hangUp()
	await(t, g.rec, anyConnection)
	udp, err := net.DialUDP("udp", nil, gate.udp.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	if _, err := udp.Write(packet); err != nil {
		t.Fatal(err)
	}
	packet[3] ^= 1 // of no connection here
	unknown, err := net.DialUDP("udp", nil, gate.udp.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer unknown.Close()
	if _, err := unknown.Write(packet); err != nil {
		t.Fatal(err)
	}
	if row := await(t, g.rec, func(c *flow.Connection) bool { return c.Client == unknown.LocalAddr().(*net.UDPAddr).AddrPort() }); row.Outcome != flow.Raw {
		t.Errorf("%+v", row)
	}
	_ = g.stop()
	if rows := all[*flow.Connection](g.rec); len(rows) != 2 {
		for _, r := range rows {
			t.Errorf("%+v", r)
		}
	}
}

// TestQUICVersions has clients of other versions of QUIC.
func TestQUICVersions(t *testing.T) {
	g, gate, url := intercepting(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }, nil)
	udp, err := net.DialUDP("udp", nil, gate.udp.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	packet := make([]byte, 1200)
	copy(packet, "\xc0\x1a\x2a\x3a\x4a\x04abcd\x05efghi")
	if _, err := udp.Write(packet); err != nil {
		t.Fatal(err)
	}
	_ = udp.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 2000)
	n, err := udp.Read(buf)
	if want := "\xc0\x00\x00\x00\x00\x05efghi\x04abcd\x00\x00\x00\x01\x6b\x33\x43\xcf"; err != nil || string(buf[:n]) != want {
		t.Errorf("%x, %v", buf[:n], err)
	}
	p := gate.phone(g.trust)
	p.transport.QUICConfig = &quic.Config{Versions: []quic.Version{quic.Version2}}
	if _, body := get(t, p.Client, url+"/"); string(body) != "hello" {
		t.Errorf("%q", body)
	}
}

// FuzzVersions: the answer goes back to where the packet came from, is small, and is
// none to an answer.
func FuzzVersions(f *testing.F) {
	f.Add(append([]byte("\xc0\x1a\x2a\x3a\x4a\x04abcd\x05efghi"), make([]byte, 1200)...))
	f.Add(append([]byte("\xc0\x1a\x2a\x3a\x4a\xff"), bytes.Repeat([]byte{255}, 1200)...))
	f.Fuzz(func(t *testing.T, packet []byte) {
		answer := proxy.OtherVersions(packet)
		if answer == nil {
			return
		}
		to := 6 + int(packet[5])
		if len(answer) > 5+2*256+8 || answer[0]&0x80 == 0 || !bytes.HasPrefix(answer[5:], packet[to:to+1+int(packet[to])]) ||
			!bytes.Contains(answer, packet[5:to]) || proxy.OtherVersions(append(answer, make([]byte, 1200)...)) != nil {
			t.Errorf("%x", answer)
		}
	})
}

// TestHTTP3CutOff stops Constat while exchanges are open.
func TestHTTP3CutOff(t *testing.T) {
	begun, release := make(chan struct{}, 8), make(chan struct{})
	g, gate, url := intercepting(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "begin")
		_ = http.NewResponseController(w).Flush()
		begun <- struct{}{}
		if r.URL.Path == "/short" {
			<-release
			fmt.Fprint(w, " end")
			return
		}
		<-r.Context().Done()
	}, nil)
	p := gate.phone(g.trust)
	open := func(path string) *http.Response {
		resp, err := p.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		<-begun
		return resp
	}
	long, short := open("/long"), open("/short")
	stopped := make(chan error, 1)
	go func() { stopped <- g.stop() }()
	for { // until a request is not taken any more
		str, err := p.conns[0].OpenStreamSync(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = str.Write([]byte{1})
		_ = str.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, err = str.Read(make([]byte, 1))
		str.CancelWrite(0)
		if no := new(quic.StreamError); errors.As(err, &no) && no.Remote && no.ErrorCode == quic.StreamErrorCode(http3.ErrCodeRequestRejected) {
			break
		}
		if p.conns[0].Context().Err() != nil {
			t.Fatal(err)
		}
	}
	close(release)
	if b, err := io.ReadAll(short.Body); err != nil || string(b) != " end" {
		t.Errorf("short: %q, %v", b, err)
	}
	if b, err := io.ReadAll(long.Body); err == nil {
		t.Errorf("long: %q", b)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if x := await(t, g.rec, exchangeAt("/short")); x.Error != "" || string(g.rec.body(x.Response.Body)) != "begin end" {
		t.Errorf("%+v", x)
	}
	x := await(t, g.rec, exchangeAt("/long"))
	if !strings.HasPrefix(x.Error, flow.ErrCutOff) || string(g.rec.body(x.Response.Body)) != "begin" {
		t.Errorf("%+v", x)
	}
	if c := connectionOf(t, g, x); c.Outcome != flow.CutOff {
		t.Errorf("%+v", c)
	}
}

// TestHTTP3Cancel has clients give up.
func TestHTTP3Cancel(t *testing.T) {
	come, gone := make(chan struct{}, 2), make(chan struct{}, 2)
	g, gate, url := intercepting(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/answer" {
			fmt.Fprint(w, "begin")
			_ = http.NewResponseController(w).Flush()
		}
		come <- struct{}{}
		<-r.Context().Done()
		gone <- struct{}{}
	}, nil)
	p := gate.phone(g.trust)
	for _, path := range []string{"/answer", "/silence"} {
		ctx, cancel := context.WithCancel(t.Context())
		r, _ := http.NewRequestWithContext(ctx, "GET", url+path, nil)
		if path == "/silence" {
			go func() { <-come; cancel() }()
		}
		if resp, err := p.Do(r); err == nil {
			<-come
			cancel()
			resp.Body.Close()
		}
		cancel()
		if x := await(t, g.rec, exchangeAt(path)); !strings.HasPrefix(x.Error, flow.ErrClientClosed) {
			t.Errorf("%+v", x)
		}
		<-gone
	}
}

// TestHTTP3Connect has tunnels asked for over HTTP/3.
func TestHTTP3Connect(t *testing.T) {
	g, gate, url := intercepting(t, func(http.ResponseWriter, *http.Request) {}, nil)
	p := gate.phone(g.trust)
	host := strings.TrimPrefix(url, "https://")
	for _, proto := range []string{"", "websocket", "webtransport", "a-secret"} {
		r, _ := http.NewRequest("CONNECT", url+"/tunnel", nil)
		want, reason := http.StatusNotImplemented, "a tunnel for "+proto+" over HTTP/3"
		if r.Proto = proto; proto == "" {
			r.URL.Path, want, reason = "", http.StatusMethodNotAllowed, "a tunnel inside a tunnel"
		}
		if proto == "a-secret" {
			reason = "a tunnel for another protocol over HTTP/3"
		}
		before := len(all[*flow.Exchange](g.rec))
		resp, err := p.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%q: %s", proto, resp.Status)
		}
		rows := all[*flow.Exchange](g.rec)
		if len(rows) != before+1 {
			t.Fatalf("%q: %d rows", proto, len(rows)-before)
		}
		if x := rows[before]; x.Method != "CONNECT" || !strings.Contains(x.Error, reason) || x.Request.Proto != "HTTP/3.0" || x.Host != "server.test" ||
			!strings.HasSuffix(host, fmt.Sprint(x.Port)) {
			t.Errorf("%q: %+v", proto, x)
		}
	}
}

// TestHTTP3Unrecorded has a case that takes no more.
func TestHTTP3Unrecorded(t *testing.T) {
	g, gate, url := intercepting(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "answer") }, nil)
	p := gate.phone(g.trust)
	g.rec.mu.Lock()
	g.rec.fail = func(op string, r flow.Record) error {
		if x, ok := r.(*flow.Exchange); ok && op == "commit" && x.Path == "/lost" {
			return errRecorder
		}
		return nil
	}
	g.rec.mu.Unlock()
	resp, err := p.Get(url + "/lost")
	if err == nil {
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil {
			t.Errorf("the client has the whole answer: %q", b)
		}
	}
}

// TestHTTP3Own has Constat's own pages asked for.
func TestHTTP3Own(t *testing.T) {
	g, gate, _ := intercepting(t, func(http.ResponseWriter, *http.Request) {}, nil)
	p := gate.phone(g.trust)
	if _, body := get(t, p.Client, fmt.Sprintf("https://constat.test:%d/own", gate.to.Port())); string(body) != "local page for /own" {
		t.Errorf("%q", body)
	}
}

// TestQUICRefused is the default.
func TestQUICRefused(t *testing.T) {
	g, gate, url := intercepting(t, func(http.ResponseWriter, *http.Request) {}, func(c *proxy.Config) { c.QUIC = "" })
	p := gate.phone(g.trust)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", url+"/", nil)
	if resp, err := p.Do(r); err == nil {
		t.Error(resp.Status)
	}
	row := await(t, g.rec, anyConnection)
	if row.Outcome != flow.Refused || row.SNI != "server.test" || !strings.HasPrefix(row.JA4, "q13d") || row.Protocol != "quic" || len(row.FirstUp) == 0 ||
		row.Server.IsValid() {
		t.Errorf("%+v", row)
	}
	if gate.refusals() == 0 {
		t.Error("the client was not told")
	}
}

// TestQUICOther relays what is not HTTP/3 unread, whatever is done with HTTP/3.
func TestQUICOther(t *testing.T) {
	for _, mode := range []proxy.QUIC{proxy.RefuseQUIC, proxy.InterceptQUIC, proxy.PassQUIC} {
		t.Run(string(mode), func(t *testing.T) {
			leaf, err := serverAuthority().ca.Leaf("server.test")
			if err != nil {
				t.Fatal(err)
			}
			ln, err := quic.ListenAddr("127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*leaf}, NextProtos: []string{"doq"}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			g := newRig(t, func(c *proxy.Config) { c.QUIC, c.PacketTimeout = mode, time.Second })
			gate := g.packetGated(ln.Addr().(*net.UDPAddr).AddrPort())
			g.trust = g.roots
			qc := gate.quicTo(g, nil, "doq")
			_ = qc.CloseWithError(0, "")
			want := flow.Raw
			if mode == proxy.PassQUIC {
				want = flow.Passed
			}
			row := await(t, g.rec, anyConnection)
			if row.Outcome != want || row.SNI != "server.test" || row.Protocol != "quic" || row.Server != gate.to {
				t.Errorf("%+v", row)
			}
		})
	}
}

// TestNotQUIC sends something else to the port of HTTP/3.
func TestNotQUIC(t *testing.T) {
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := server.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = server.WriteToUDPAddrPort(append([]byte("echo "), buf[:n]...), from)
		}
	}()
	g := newRig(t, func(c *proxy.Config) {
		c.QUIC, c.PacketTimeout = proxy.InterceptQUIC, time.Second
		up := upstream.New(upstream.Config{Resolve: map[string]string{"192.0.2.7:443": server.LocalAddr().String()}})
		t.Cleanup(up.Close)
		c.Upstream = up
	})
	gate := g.packetGated(netip.MustParseAddrPort("192.0.2.7:443"))
	udp, err := net.DialUDP("udp", nil, gate.udp.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	_ = udp.SetDeadline(time.Now().Add(10 * time.Second))
	sent := binary.BigEndian.AppendUint32([]byte{4, 0, 0, 0}, 42) // WireGuard's
	if _, err := udp.Write(sent); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	if n, err := udp.Read(buf); err != nil || string(buf[:n]) != "echo "+string(sent) {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if row := await(t, g.rec, anyConnection); row.Outcome != flow.Raw || string(row.FirstUp) != string(sent) {
		t.Errorf("%+v", row)
	}
}

// TestQUICLimit has a client open more connections than it may.
func TestQUICLimit(t *testing.T) {
	g, gate, _ := intercepting(t, func(http.ResponseWriter, *http.Request) {}, func(c *proxy.Config) { c.MaxQUIC = 2 })
	for range 2 {
		qc := gate.quicTo(g, nil, "h3")
		defer func() { _ = qc.CloseWithError(0, "") }()
	}
	p := gate.phone(g.trust)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("https://server.test:%d/", gate.to.Port()), nil)
	if resp, err := p.Do(r); err == nil {
		t.Error(resp.Status)
	}
	if row := await(t, g.rec, anyConnection); row.Outcome != flow.Refused || !strings.Contains(row.Reason, "too many") {
		t.Errorf("%+v", row)
	}
}

// overSOCKS is a socket whose datagrams go through a SOCKS5 proxy (RFC 1928 section 7),
// to one name.
type overSOCKS struct {
	net.PacketConn
	relay net.Addr
	head  []byte
}

func (s overSOCKS) WriteTo(p []byte, _ net.Addr) (int, error) {
	if _, err := s.PacketConn.WriteTo(append(bytes.Clone(s.head), p...), s.relay); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (s overSOCKS) ReadFrom(p []byte) (int, net.Addr, error) {
	buf := make([]byte, 2000)
	n, from, err := s.PacketConn.ReadFrom(buf)
	if err != nil || n < 4 {
		return 0, from, err
	}
	size := 4 + 4 + 2
	switch buf[3] {
	case 3:
		size = 4 + 1 + int(buf[4]) + 2
	case 4:
		size = 4 + 16 + 2
	}
	return copy(p, buf[min(size, n):n]), s.relay, nil
}

func (s overSOCKS) SetReadBuffer(int) error  { return nil }
func (s overSOCKS) SetWriteBuffer(int) error { return nil }

// TestHTTP3OverSOCKS sends HTTP/3 through UDP ASSOCIATE, to a name.
func TestHTTP3OverSOCKS(t *testing.T) {
	at := serve3(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })
	g := newRig(t, func(c *proxy.Config) {
		c.QUIC = proxy.InterceptQUIC
		roots := x509.NewCertPool()
		roots.AddCert(serverAuthority().leaf)
		up := upstream.New(upstream.Config{Roots: roots, Resolve: map[string]string{"server.test:443": at.String()}})
		t.Cleanup(up.Close)
		c.Upstream = up
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- g.proxy.ServeDoor(ctx, proxy.Door{Name: "socks5", Listener: socks5.Listen(ln, socks5.Config{})})
	}()
	defer func() { cancel(); <-served }()
	tcp, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	_, _ = tcp.Write([]byte("\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00"))
	reply := make([]byte, 2+10)
	if _, err := io.ReadFull(tcp, reply); err != nil || reply[1] != 0 || reply[3] != 0 {
		t.Fatalf("%x, %v", reply, err)
	}
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	relay := &net.UDPAddr{IP: reply[6:10], Port: int(binary.BigEndian.Uint16(reply[10:]))}
	socket := &quic.Transport{Conn: overSOCKS{udp, relay, []byte("\x00\x00\x00\x03\x0bserver.test\x01\xbb")}}
	defer socket.Close()
	tr := &http3.Transport{
		TLSClientConfig: &tls.Config{RootCAs: g.trust},
		Dial: func(ctx context.Context, _ string, tc *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			return socket.Dial(ctx, relay, tc, qc)
		},
	}
	defer tr.Close()
	if _, body := get(t, &http.Client{Transport: tr}, "https://server.test/socks"); string(body) != "HTTP/3.0" {
		t.Errorf("%q", body)
	}
	tcp.Close() // ends the association, and what came by it
	x := await(t, g.rec, exchangeAt("/socks"))
	if c := connectionOf(t, g, x); x.Host != "server.test" || c.Host != "server.test" || c.Server != at || c.Outcome != flow.Intercepted || c.Door != "socks5" {
		t.Errorf("%+v", c)
	}
}
