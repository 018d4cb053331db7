package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/elazarl/goproxy"

	"constat/proxy/flow"
	"constat/proxy/upstream"
)

// forward sends the request on through goproxy, which calls RoundTrip.
func (x *exchange) forward(head []byte) {
	r, c := x.r, x.s.conn
	if head != nil {
		// net/http hides the Host field behind the host of a URL.
		if host := hostField(head); r.URL.IsAbs() && host != "" && !sameHost(host, x.to, x.row.Scheme) {
			x.refuse(http.StatusBadRequest, flow.ErrRefused, "the Host field and the URL name different hosts")
			return
		}
	}
	x.call = upstream.Call{
		Client: c.row.Client.Addr(), Address: c.addr, Head: head, HTTP2: r.ProtoMajor == 2, HTTP3: r.ProtoMajor == 3,
		ServerName: x.s.serverName(x.to), Informational: x.informational,
	}
	r.URL.Scheme = "http"
	if x.s.secure {
		r.URL.Scheme = "https"
	}
	if r.URL.Host = x.s.authority; x.s.to == nil || x.to != *x.s.to {
		r.URL.Host = x.to.String()
	}
	for _, name := range [...]string{"Proxy-Authorization", "Proxy-Connection", "Proxy-Authenticate"} {
		delete(r.Header, name)
	}
	r.Body = &x.body
	if x.w.http1 {
		// A server may answer before it has the whole request.
		_ = http.NewResponseController(x.w.ResponseWriter).EnableFullDuplex()
	}
	x.p.engine.ServeHTTP(x.w, r)
}

func sameHost(field string, to target, scheme string) bool {
	t, err := parseTarget(field, defaultPort("http"+strings.TrimPrefix(scheme, "ws")))
	return err == nil && t == to
}

// RoundTrip implements goproxy.RoundTripper: it opens the row, asks the server,
// and has both bodies recorded while they pass. What it returns is committed
// before the client can have seen its end.
func (x *exchange) RoundTrip(r *http.Request, _ *goproxy.ProxyCtx) (*http.Response, error) {
	if err := x.begin(); err != nil {
		x.w.deaf = true
		return nil, err
	}
	if x.body.rec == nil {
		r.Body = http.NoBody
	}
	resp, err := x.p.conf.Upstream.Do(r, &x.call)
	x.endInterim()
	x.row.Server, x.row.Interim = x.call.Server, x.call.Interim
	x.s.served(x)
	if err != nil {
		return x.failed(err)
	}
	x.resp = resp
	if !x.s.conn.answered.Load() {
		x.s.conn.answered.Store(true)
	}
	x.row.Status = resp.StatusCode
	x.row.Response = flow.Message{Proto: resp.Proto, Head: x.call.ResponseHead, Exact: x.call.Exact}
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		x.upgrade(resp)
		x.w.deaf = true
		return nil, errUpgraded
	case x.bodyless() || resp.ContentLength == 0 && (resp.ProtoMajor < 2 || resp.Body == http.NoBody):
		if err := x.commit(""); err != nil {
			_ = resp.Body.Close()
			x.w.deaf = true
			return nil, err
		}
	default:
		x.ans = responseBody{
			x: x, src: resp.Body, left: resp.ContentLength,
			rec: flow.NewBody(x.p.conf.Recorder, &x.row, x.p.conf.BodyLimit),
		}
		x.row.Response.Body = x.ans.rec
		resp.Body = &x.ans
	}
	return resp, nil
}

// errUpgraded tells goproxy that there is nothing to copy any more.
var errUpgraded = errors.New("the connection was taken over")

// failed records that there is no response, and returns a page that says why.
func (x *exchange) failed(err error) (*http.Response, error) {
	problem, word := x.problem(err)
	if word == flow.ErrServerTLS || word == flow.ErrConnect || word == flow.ErrDNS {
		x.s.conn.outcome(flow.ServerFailed, problem)
	}
	if err := x.commit(problem); err != nil || word == flow.ErrClientClosed {
		x.w.deaf, x.broken = true, true
		return nil, errors.New("no response")
	}
	status, text := explain(word, x.to.host, err)
	resp := pageResponse(x.r, status, text)
	if word == flow.ErrClientBad && x.w.http1 {
		// Where the next request begins is anybody's guess.
		resp.Header.Set("Connection", "close")
	}
	return resp, nil
}

// problem says in the row's words what went wrong, and which word that is.
func (x *exchange) problem(err error) (problem, word string) {
	if bad := x.body.failure(); bad != nil {
		if errors.Is(bad, errUnrecorded) {
			return flow.ErrInternal + ": the request could not be recorded", flow.ErrClientClosed
		}
		if x.w.http1 && !isGone(bad) {
			return flow.ErrClientBad + ": the request's body is not well-formed", flow.ErrClientBad
		}
		return clientProblem, flow.ErrClientClosed
	}
	if errors.Is(x.r.Context().Err(), context.Canceled) {
		return clientProblem, flow.ErrClientClosed
	}
	var up *upstream.Error
	if errors.As(err, &up) {
		return up.Error(), up.Word
	}
	return flow.ErrInternal + ": " + err.Error(), flow.ErrInternal
}

// responseProblem is problem for a response that broke off.
func (x *exchange) responseProblem(err error) string {
	if err == io.ErrUnexpectedEOF && x.r.Context().Err() == nil {
		return flow.ErrServerClosed + ": the response ended before its end"
	}
	problem, word := x.problem(err)
	if word == flow.ErrInternal {
		return flow.ErrServerClosed + ": the response broke off"
	}
	return problem
}

// isGone says that a read failed because the client is no longer there.
func isGone(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || isReset(err) || expired(err) ||
		errors.Is(err, context.Canceled) || errors.Is(err, http.ErrBodyReadAfterClose)
}

// refuse answers a request that is not forwarded. It leaves a row all the same.
func (x *exchange) refuse(status int, word, reason string) {
	if x.begin() != nil || x.commit(word+": "+reason) != nil {
		x.w.deaf = true
		return
	}
	if x.w.http1 {
		x.w.Header().Set("Connection", "close")
	}
	page(x.w, status, "this request was not sent on: "+reason+".")
}
