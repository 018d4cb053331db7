package proxy

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/elazarl/goproxy"

	"constat/proxy/bulk"
	"constat/proxy/flow"
)

// tlsConfig returns the configuration towards all clients. Old TLS versions are
// taken because old phones have no other; the rows tell which was used. The key
// exchange is not post-quantum even if the client could: it would add to each
// handshake a third of what that costs, against somebody who keeps what passes
// on the local network until it can be broken. What leaves that network, the
// connection to the server, has it.
func (p *Proxy) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS10,
		NextProtos: protocols,
		// Small first records would cost a system call for each packet.
		DynamicRecordSizingDisabled: true,

		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521},
		GetCertificate: func(chi *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return chi.Conn.(*bulk.Conn).Conn.(*conn).leaf(chi.ServerName)
		},
	}
}

// leaf returns the certificate for a handshake with this server name, "" for none.
func (c *conn) leaf(name string) (*tls.Certificate, error) {
	var names [2]string
	list := names[:0]
	// Session and handshake run before anybody else knows c.
	if name := hostName(cmp.Or(name, c.told)); name != "" {
		list = append(list, name)
	}
	if len(list) == 0 || list[0] != c.row.Host {
		list = append(list, c.row.Host)
	}
	return c.door.p.conf.Issuer.Leaf(list...)
}

// protocols are those that a client can be offered here, best first.
var protocols = []string{"h2", "http/1.1", "http/1.0"}

func isHTTP(protocol string) bool { return slices.Contains(protocols, protocol) }

// established answers a CONNECT.
var established = []byte("HTTP/1.1 200 Connection established\r\n\r\n")

// tunnel takes over a connection whose CONNECT was accepted.
func (p *Proxy) tunnel(r *http.Request, nc net.Conn, _ *goproxy.ProxyCtx) {
	c := nc.(*conn)
	_ = c.SetDeadline(time.Time{})
	if _, err := c.Write(established); err != nil {
		c.outcome(flow.Idle, "closed before the tunnel was open")
		_ = c.Close()
		return
	}
	c.ingest(target{c.row.Host, c.row.Port})
}

// ingest takes a connection whose destination is known, from whichever door:
// it looks at the first bytes and has the connection intercepted, served as it
// is, or relayed unread. It takes c over, and returns when c is handed on or
// closed.
func (c *conn) ingest(to target) {
	p := &peeker{Conn: c}
	if !c.admitted {
		c.receive(p, to)
		return
	}
	server, early, err := c.first(p, to, "")
	switch {
	case server != nil:
		c.relay(p, server, early, "the server spoke first: relayed unread")
	case err == errNoServer:
		c.abort()
	case err != nil:
		c.outcome(flow.Idle, "closed before any byte came through the tunnel")
		_ = c.Close()
	case p.pre[0] == 22:
		c.unread(p.pre)
		c.intercept(to)
	case looksLikeHTTP(p):
		c.unread(p.pre)
		_ = c.SetDeadline(time.Time{})
		c.door.back.put(newStream(c, c, &to))
	default:
		c.relayTo(p, to, "", "neither TLS nor HTTP: relayed unread")
	}
}

// receive serves a client that is not admitted: a plain request gets Constat's own
// pages, whatever it asks for.
func (c *conn) receive(p *peeker, to target) {
	_ = c.SetDeadline(time.Now().Add(c.door.p.conf.HandshakeTimeout))
	c.outcome(flow.Refused, "the client is not admitted")
	if !looksLikeHTTP(p) {
		_ = c.Close()
		return
	}
	c.unread(p.pre)
	_ = c.SetDeadline(time.Time{})
	c.door.back.put(newStream(c, c, &to))
}

// first waits for the client's first bytes in a tunnel, which are left in p. If
// none come within FirstByteTimeout, the client may be waiting for the server to
// speak: first then connects to it and waits for either. If it is the server that
// speaks, first returns it with its first bytes; if it cannot be reached, an
// error. name is as for upstream.Transport.Dial.
func (c *conn) first(p *peeker, to target, name string) (server net.Conn, early []byte, err error) {
	conf := &c.door.p.conf
	wait := conf.FirstByteTimeout
	if !webPorts[to.port] {
		wait = min(wait, serverFirst)
	}
	_ = c.SetDeadline(time.Now().Add(wait))
	_, err = p.peek(1)
	if err == nil || !expired(err) {
		return nil, nil, err
	}
	server, err = c.dial(to, name)
	if err != nil {
		return nil, nil, errNoServer
	}
	spoken := make(chan []byte, 1)
	_ = c.SetDeadline(time.Now().Add(conf.IdleTimeout))
	go func() {
		buf := make([]byte, 4<<10)
		n, err := server.Read(buf)
		if !expired(err) {
			_ = c.SetDeadline(past) // wakes peek
		}
		spoken <- buf[:n]
	}()
	_, err = p.peek(1)
	_ = server.SetReadDeadline(past)
	early = <-spoken
	_ = c.SetDeadline(time.Now().Add(conf.FirstByteTimeout))
	_ = server.SetReadDeadline(time.Time{})
	if len(early) > 0 {
		return server, early, nil
	}
	_ = server.Close()
	return nil, nil, err
}

// webPorts are those of protocols in which the client speaks first.
var webPorts = map[uint16]bool{80: true, 443: true, 8000: true, 8080: true, 8443: true}

// serverFirst is how long a client on any other port is waited for: in many of the
// protocols there (SSH, SMTP, IMAP, FTP) it is the server that speaks first.
const serverFirst = 500 * time.Millisecond

// errNoServer says that a client that does not speak cannot be connected with the
// server. The row tells why.
var errNoServer = errors.New("no connection to the server")

// past is a deadline that wakes whoever waits on a connection.
var past = time.Unix(1, 0)

// methods are those by which HTTP is told from other text protocols; "PRI" is
// the preface of HTTP/2 (RFC 9113 section 3.4).
var methods = [][]byte{
	[]byte("GET "), []byte("POST "), []byte("PUT "), []byte("HEAD "), []byte("DELETE "), []byte("OPTIONS "),
	[]byte("PATCH "), []byte("TRACE "), []byte("CONNECT "), []byte("PRI "), []byte("PROPFIND "), []byte("REPORT "),
	[]byte("MKCOL "), []byte("MOVE "), []byte("COPY "), []byte("LOCK "), []byte("UNLOCK "), []byte("PROPPATCH "),
	[]byte("MKCALENDAR "), []byte("SEARCH "), []byte("SUBSCRIBE "), []byte("NOTIFY "), []byte("QUERY "),
}

// otherSchemes begin the targets of requests of RTSP (RFC 7826 section 4.2) and SIP
// (RFC 3261 section 19.1), which have methods of HTTP.
var otherSchemes = [][]byte{[]byte("rtsp:"), []byte("rtsps:"), []byte("rtspu:"), []byte("sip:"), []byte("sips:")}

// looksLikeHTTP says whether the first bytes are a method of HTTP, and not the
// beginning of a request of another protocol.
func looksLikeHTTP(p *peeker) bool {
	for n := 1; ; n++ {
		b, err := p.peek(n)
		if err != nil {
			return false
		}
		possible := false
		for _, m := range methods {
			if bytes.HasPrefix(b, m) {
				return !isOtherScheme(p, len(m))
			}
			possible = possible || bytes.HasPrefix(m, b)
		}
		if !possible {
			return false
		}
		n = len(b)
	}
}

// isOtherScheme says whether what comes after n bytes is one of otherSchemes.
func isOtherScheme(p *peeker, n int) bool {
	for more := n + 1; ; more++ {
		b, err := p.peek(more)
		if err != nil {
			return false
		}
		target, possible := bytes.ToLower(b[n:min(len(b), n+8)]), false
		for _, s := range otherSchemes {
			if bytes.HasPrefix(target, s) {
				return true
			}
			possible = possible || bytes.HasPrefix(s, target)
		}
		if !possible {
			return false
		}
		more = len(b)
	}
}

// intercept ends the client's TLS.
func (c *conn) intercept(to target) {
	p := c.door.p
	_ = c.SetDeadline(time.Now().Add(p.conf.HandshakeTimeout))
	h, err := c.peekHello()
	if errors.Is(err, errHello) {
		c.relayTo(&peeker{Conn: c}, to, "", "neither TLS nor HTTP: relayed unread")
		return
	}
	if err == nil {
		to = c.greeted(h, "t", to)
		if reason := p.passes.reason(c.row.Device, passHost(to.host, h.name)); reason != "" && !c.isOwn(to) {
			c.pass(to, reason)
			return
		}
		conf := p.tls
		if protos := slices.DeleteFunc(slices.Clone(h.protos), greaseProto); len(protos) > 0 && !slices.ContainsFunc(protos, isHTTP) {
			// Another protocol than HTTP: what the client likes best is agreed to, and
			// the server is offered that alone.
			conf = p.tls.Clone()
			conf.NextProtos = protos[:1]
		}
		c.shaking = true
		tc := tls.Server(bulk.New(c), conf)
		if err = tc.HandshakeContext(context.Background()); err == nil {
			c.shaking = false
			c.established(tc, to)
			return
		}
	}
	alert := alertName(err)
	if alert == "" {
		alert = clearAlert(c.tail)
	}
	c.note(func(row *flow.Connection) { refused(row, err, alert) })
	_ = c.Close()
}

// greeted notes what a ClientHello tells, and returns where the connection is to go:
// to the name in it when the client gave no other.
func (c *conn) greeted(h *hello, transport string, to target) target {
	c.note(func(row *flow.Connection) {
		row.SNI, row.JA4, row.ClientTLS = printable(h.name), h.ja4(transport), h.facts()
		if name := hostName(h.name); name != "" && c.addr.IsValid() {
			row.Host, to.host = name, name
		}
	})
	return to
}

// peekHello reads the ClientHello without taking it. errHello means that there
// is none.
func (c *conn) peekHello() (*hello, error) {
	p := &peeker{Conn: c}
	defer func() { c.unread(p.pre) }()
	for need := 5; ; {
		b, err := p.peek(need)
		if err != nil {
			return nil, err
		}
		msg, more, err := helloBytes(b)
		if err != nil {
			return nil, err
		}
		if more == 0 {
			return parseHello(msg)
		}
		need = more
	}
}

// established hands a connection on whose handshake went well.
func (c *conn) established(tc *tls.Conn, to target) {
	c.shook = time.Now()
	cs := tc.ConnectionState()
	c.agreed(&cs)
	name := hostName(cs.ServerName)
	var nc net.Conn = tc
	if cs.NegotiatedProtocol != "" && !isHTTP(cs.NegotiatedProtocol) {
		c.foreign = cs.NegotiatedProtocol
	}
	if (cs.NegotiatedProtocol == "" || c.foreign != "") && !c.isOwn(to) {
		// Nobody has said that it is HTTP.
		if nc = c.sift(tc, to, name); nc == nil {
			return
		}
	}
	_ = c.SetDeadline(time.Time{})
	s := newStream(c, nc, &to)
	s.secure, s.name, s.records = true, name, tc.NetConn().(*bulk.Conn)
	c.door.back.put(s)
}

// agreed notes what a handshake came to.
func (c *conn) agreed(cs *tls.ConnectionState) {
	c.note(func(row *flow.Connection) {
		t := row.ClientTLS
		t.Version, t.Cipher = tls.VersionName(cs.Version), tls.CipherSuiteName(cs.CipherSuite)
		t.ALPN, t.Resumed = printable(cs.NegotiatedProtocol), cs.DidResume
		if cs.CurveID != 0 {
			t.Group = cs.CurveID.String()
		}
		row.ALPN = t.ALPN
	})
}

// sift looks at the first bytes that came out of TLS. It returns the connection
// if they may be HTTP, and otherwise relays it.
func (c *conn) sift(tc *tls.Conn, to target, name string) net.Conn {
	if name == "" {
		name = to.host
	}
	p := &peeker{Conn: tc}
	server, early, err := c.first(p, to, name)
	switch {
	case server != nil:
		c.relay(p, server, early, "TLS, in which the server spoke first: relayed, with the first bytes kept")
		return nil
	case err == errNoServer:
		c.abort()
		return nil
	case err == nil && (c.foreign != "" || !looksLikeHTTP(p)):
		c.relayTo(p, to, name, "TLS, but not HTTP in it: relayed, with the first bytes kept")
		return nil
	}
	return p // also after an error, which the next Read meets again
}

// refused completes the row of a failed handshake.
func refused(row *flow.Connection, err error, alert string) {
	if row.ClientTLS == nil {
		row.ClientTLS = new(flow.TLS)
	}
	row.Outcome = flow.ClientRefused
	switch {
	case alert != "":
		row.ClientTLS.Alert, row.ClientTLS.Error, row.Reason = alert, "alert "+alert, refusal(alert)
	case expired(err):
		row.ClientTLS.Error, row.Reason = "timeout", "the client did not finish the handshake in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		row.ClientTLS.Error, row.Reason = "closed", "the client closed the connection during the handshake, without a word"
	case isReset(err):
		row.ClientTLS.Error, row.Reason = "reset", "the client broke the connection off during the handshake, without a word"
	default:
		row.ClientTLS.Error, row.Reason = err.Error(), "the handshake with the client failed"
	}
}
