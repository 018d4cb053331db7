package proxy

import (
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"

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

// Admitted says whether the client of a request that Config.Local serves was admitted
// when it connected.
func Admitted(r *http.Request) bool {
	s, ok := r.Context().Value(streamKey{}).(*stream)
	return ok && s.conn.admitted
}

// serveDoor serves a request that came to the door itself: CONNECT, a request
// for a URL, or one for the proxy's own pages.
func (p *Proxy) serveDoor(w *writer, r *http.Request, head []byte) {
	c := w.s.conn
	switch {
	case !w.http1:
		w.refuseConnection("HTTP/2 to the proxy itself", http.StatusHTTPVersionNotSupported)
	case !c.admitted:
		if r.Method == http.MethodConnect {
			w.refuseConnection("the client is not admitted", http.StatusForbidden)
			return
		}
		c.outcome(flow.Refused, "the client is not admitted")
		p.openRow(w)
		p.conf.Local.ServeHTTP(w, r)
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
	scheme := s.scheme()
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
		x.refuse(http.StatusMethodNotAllowed, flow.ErrRefused, "a tunnel inside a tunnel")
	case err != nil:
		x.refuse(http.StatusBadRequest, flow.ErrClientBad, "the Host field has "+err.Error())
	case to != host && !s.names(host), r.URL.IsAbs() && r.URL.Scheme != scheme, r.URL.User != nil:
		x.refuse(http.StatusMisdirectedRequest, flow.ErrRefused, "the request names another destination than the tunnel's")
	default:
		x.forward(head)
	}
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
