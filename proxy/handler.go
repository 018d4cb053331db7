package proxy

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"constat/proxy/flow"
)

// ServeHTTP serves one request from a door or from a tunnel. It is called by the
// HTTP server of a door only.
func (p *Proxy) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	s := streamOf(r)
	if !s.conn.enter() {
		panic(http.ErrAbortHandler)
	}
	defer s.conn.leave()
	w := &writer{ResponseWriter: rw, s: s, http1: r.ProtoMajor == 1}
	defer w.recovered()
	if r.ProtoMajor == 3 {
		w.http3, _ = rw.(deadliner)
	}
	var head []byte
	if w.http1 {
		head = s.requests.take(r)
	}
	if r.Method != http.MethodConnect {
		s.conn.requests.Add(1)
	}
	if s.to != nil {
		p.serveTunnel(w, r, head)
	} else {
		p.serveDoor(w, r, head)
	}
	if x := w.x; x != nil && x.broken {
		panic(http.ErrAbortHandler)
	}
}

// recovered makes a panic cost one exchange. It is deferred, and passes
// http.ErrAbortHandler on once the connection cannot end cleanly any more.
func (w *writer) recovered() {
	v := recover()
	if v == nil {
		return
	}
	if v != http.ErrAbortHandler {
		w.s.conn.door.p.conf.Log.Error().Str("panic", panicText(v)).Bytes("stack", debug.Stack()).Msg("a request was given up")
		w.giveUp()
		if !w.wrote && !w.deaf {
			page(w.ResponseWriter, http.StatusInternalServerError, "a mistake of Constat's own ended this request.")
			return
		}
	}
	if w.http1 {
		w.s.conn.abort()
	}
	panic(http.ErrAbortHandler)
}

// giveUp commits the exchange after a panic, which may have been the Recorder's.
func (w *writer) giveUp() {
	defer func() {
		if recover() != nil {
			w.wrote = true // and so the connection is broken off
		}
	}()
	if w.x != nil {
		if w.x.begun && w.x.done {
			w.wrote = true
		}
		w.x.resp = nil
		w.x.commit(flow.ErrInternal + ": a panic, see the program's log")
	}
}

// panicText is what may be logged of a panic: values other than the runtime's
// own errors may hold what was captured.
func panicText(v any) string {
	if err, ok := v.(interface {
		error
		RuntimeError()
	}); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", v)
}

// serveDoor serves a request that came to the door itself: CONNECT, a request
// for a URL, or one for the proxy's own pages.
func (p *Proxy) serveDoor(w *writer, r *http.Request, head []byte) {
	c := w.s.conn
	switch {
	case !w.http1:
		w.refuseConnection("HTTP/2 to the proxy itself", http.StatusHTTPVersionNotSupported)
	case !p.letIn(w, r):
	case r.Method == http.MethodConnect:
		to, err := parseTarget(r.RequestURI, 0)
		if err != nil {
			w.refuseConnection("CONNECT to "+err.Error(), http.StatusBadRequest)
			return
		}
		c.note(func(row *flow.Connection) { row.Host, row.Port = to.host, to.port })
		if p.isSelf(w.s, to) {
			w.refuseConnection("this is a listener of Constat itself", http.StatusForbidden)
			return
		}
		p.openRow(w)
		p.engine.ServeHTTP(hijackable{w}, r)
	case !r.URL.IsAbs():
		p.openRow(w)
		p.engine.ServeHTTP(w, r)
	default:
		p.servePlain(w, r, head)
	}
}

// letIn says whether a request to the door is to be served, and turns it away
// otherwise. Constat's own pages are for everybody.
func (p *Proxy) letIn(w *writer, r *http.Request) bool {
	c := w.s.conn
	connect := r.Method == http.MethodConnect
	own := !connect && p.forItself(w.s, r)
	var user string
	var v verdict
	var wait time.Duration
	c.identify("")
	if p.signIn != nil {
		user, v, wait = p.signIn.check(r, c.row.Client.Addr(), c.admitted && !p.conf.RequireUser)
	}
	if user != "" {
		c.identify(user)
	}
	if v == signed && !c.admitted {
		v = wrong // the user is known no more
	}
	switch {
	case c.admitted && (own || v == signed || v == unsigned && !p.conf.RequireUser):
		c.turn("")
		return true
	case !own && v == held:
		c.turn("too many wrong passwords")
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		w.turnAway(r, http.StatusTooManyRequests, "Too many wrong passwords came from this address. Wait a little, then try again with the right one.")
	case !own && p.signIn != nil && (v != unsigned || p.conf.RequireUser):
		c.turn("the client did not sign in")
		p.signIn.challenge(w.Header(), c.row.Client.Addr(), v)
		w.turnAway(r, http.StatusProxyAuthRequired, signInText)
	case connect:
		w.refuseConnection("the client is not admitted", http.StatusForbidden)
	default:
		c.turn("the client is not admitted")
		p.openRow(w)
		p.conf.Local.ServeHTTP(w, r)
	}
	return false
}

// IdentityOf says who makes a request that Config.Local answers; nobody, for any other
// request.
func IdentityOf(r *http.Request) Identity {
	if s, ok := r.Context().Value(streamKey{}).(*stream); ok {
		return s.conn.who
	}
	return Identity{}
}

// signInText is for people whose client does not sign in by itself.
const signInText = "The proxy that is set on this device wants to know who it is. Enter the device's name and password, " +
	"which 'constat device show NAME' shows on the computer that runs Constat, or scan the code there to enrol this device."

// forItself says that a request to the door is for Constat's own pages.
func (p *Proxy) forItself(s *stream, r *http.Request) bool {
	if !r.URL.IsAbs() {
		return true
	}
	to, err := parseTarget(r.URL.Host, 80)
	return err == nil && (to.host == p.conf.LocalHost || p.isSelf(s, to))
}

// turn notes that the request was turned away, and why; nothing if it was not.
func (c *conn) turn(reason string) {
	c.mu.Lock()
	c.turned = reason
	c.mu.Unlock()
}

// turnAway answers a request that leaves no row of its own. The client can try again
// on the connection.
func (w *writer) turnAway(r *http.Request, status int, text string) {
	w.s.conn.door.p.openRow(w)
	body, contentType := compose(r, status, text)
	pageHeader(w.Header(), contentType, len(body))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// servePlain serves a request for a URL at the door (RFC 9112 section 3.2.2).
func (p *Proxy) servePlain(w *writer, r *http.Request, head []byte) {
	to, err := parseTarget(r.URL.Host, 80)
	w.s.conn.note(func(row *flow.Connection) {
		if row.Host == "" {
			row.Host, row.Port = to.host, to.port
		}
	})
	p.openRow(w)
	if err == nil && (to.host == p.conf.LocalHost || p.isSelf(w.s, to)) {
		p.conf.Local.ServeHTTP(w, r)
		return
	}
	x := newExchange(w, r, head, to, "http")
	switch {
	case err != nil:
		x.refuse(http.StatusBadRequest, flow.ErrClientBad, "the URL has "+err.Error())
	case r.URL.Scheme != "http":
		x.refuse(http.StatusBadRequest, flow.ErrRefused, "a URL of this kind is not asked for in the clear")
	case r.URL.User != nil:
		x.refuse(http.StatusBadRequest, flow.ErrClientBad, "the URL holds a user name")
	default:
		x.forward(head)
	}
}

// serveTunnel serves a request inside a tunnel, whose destination is fixed.
func (p *Proxy) serveTunnel(w *writer, r *http.Request, head []byte) {
	s := w.s
	p.openRow(w)
	if s.secure && r.ProtoMajor < 3 {
		p.passes.overTCP(s.conn.row.Device, passHost(s.to.host, s.name))
	}
	scheme := s.scheme()
	tunnel, status := "a tunnel inside a tunnel", http.StatusMethodNotAllowed
	if r.Method == http.MethodConnect && r.ProtoMajor == 3 && r.Proto != http3Proto {
		tunnel, status = "a tunnel for "+extended(r.Proto), http.StatusNotImplemented // RFC 9220 section 3
		r.Proto = http3Proto
	}
	// A Host field without a port names none: gRPC leaves it out.
	host, err := parseTarget(r.Host, s.to.port)
	if s.isOwn(host.host) {
		if s.rebound(host) {
			page(w, http.StatusMisdirectedRequest, "this is Constat's own address; its pages are at http://"+p.conf.LocalHost+".")
			return
		}
		p.conf.Local.ServeHTTP(w, r)
		return
	}
	to := *s.to
	if err == nil && s.named(host) {
		to = host
		s.conn.note(func(row *flow.Connection) {
			if _, isAddr := s.to.addr(); isAddr && row.Host == s.to.host {
				row.Host = host.host
			}
		})
	}
	x := newExchange(w, r, head, to, scheme)
	switch {
	case r.Method == http.MethodConnect:
		x.refuse(status, flow.ErrRefused, tunnel)
	case err != nil:
		x.refuse(http.StatusBadRequest, flow.ErrClientBad, "the Host field has "+err.Error())
	case to != host && !s.names(host), r.URL.IsAbs() && r.URL.Scheme != scheme, r.URL.User != nil:
		x.refuse(http.StatusMisdirectedRequest, flow.ErrRefused, "the request names another destination than the tunnel's")
	default:
		x.forward(head)
	}
}

// http3Proto is the Proto of requests of HTTP/3. That of an extended CONNECT is the
// protocol that is asked for.
const http3Proto = "HTTP/3.0"

// extended is the protocol of an extended CONNECT (RFC 9220), in words of ours.
func extended(proto string) string {
	switch proto {
	case "websocket", "webtransport", "connect-udp", "connect-ip", "connect-ethernet":
		return proto + " over HTTP/3"
	}
	return "another protocol over HTTP/3"
}

// isOwn says that a request on the stream is for Constat's own pages: for their
// name, for an address of the door itself, or from a client that is not admitted.
func (s *stream) isOwn(host string) bool {
	p, c := s.conn.door.p, s.conn
	return !c.admitted || c.isOwn(*s.to) || c.addr.IsValid() && host == p.conf.LocalHost
}

// rebound says that a request that reached the door's own address has the name of
// somebody else in its Host field: a page of that name could have had it resolve to
// here, to read what only Constat's own pages may.
func (s *stream) rebound(host target) bool {
	_, isAddr := host.addr()
	return s.conn.admitted && s.conn.toDoor() && host.host != "" && !isAddr && host.host != s.conn.door.p.conf.LocalHost
}

// named says that a Host field with t in it names the server: the client has
// connected to an address, and no handshake has said more of whom it means. The
// address is what is dialled all the same.
func (s *stream) named(t target) bool {
	return s.conn.addr.IsValid() && s.name == "" && t.port == s.to.port
}

// names says whether a Host field with t in it belongs on the stream: the
// tunnel's destination or, when that is an address, the name in the handshake.
func (s *stream) names(t target) bool {
	if t == *s.to {
		return true
	}
	_, isAddr := s.to.addr()
	return isAddr && s.name != "" && t.host == s.name && t.port == s.to.port
}

// openRow sees to it that the connection's row is open. If it cannot be, the
// request is not served.
func (p *Proxy) openRow(w *writer) {
	if _, err := w.s.conn.begin(); err != nil {
		p.fail(err)
		panic(http.ErrAbortHandler)
	}
}

// refuseConnection answers a request that the whole connection is refused for.
func (w *writer) refuseConnection(reason string, status int) {
	w.s.conn.outcome(flow.Refused, reason)
	w.s.conn.door.p.openRow(w)
	w.Header().Set("Connection", "close")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "Constat: %s.\n", reason)
}

// isSelf says whether t is one of the proxy's own listeners, as far as that can
// be seen without asking the DNS. What a name resolves to is checked when it is
// dialled.
func (p *Proxy) isSelf(s *stream, t target) bool {
	addr, isAddr := t.addr()
	if !isAddr && t.host != "localhost" && !strings.HasSuffix(t.host, ".localhost") {
		return false
	}
	addr = addr.Unmap()
	local, _ := netip.ParseAddrPort(s.LocalAddr().String())
	return slices.ContainsFunc(p.Addrs(), func(own netip.AddrPort) bool {
		return own.Port() == t.port && (!isAddr || addr.IsLoopback() || addr.IsUnspecified() ||
			addr == own.Addr().Unmap() || addr == local.Addr().Unmap())
	})
}
