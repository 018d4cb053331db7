package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"constat/certs"
	"constat/cmd/constat/ui"
	"constat/inspect"
	"constat/inspect/canary"
	"constat/inspect/decode"
	"constat/inspect/detect"
	"constat/inspect/owner"
	"constat/proxy"
	"constat/proxy/upstream"
	"constat/store"
)

// localHost is the name that the proxy answers itself, so that a phone can see
// whether it is going through it.
const localHost = "constat.test"

// serviceConfig says how to start a service.
type serviceConfig struct {
	Listen     string            // the proxy door
	UI         string            // the live page; "" for none
	Case       string            // case file
	CADir      string            // CA and signing key
	Roots      *x509.CertPool    // for verifying servers; nil: the system's
	Resolve    map[string]string // "host:port" to the address to dial
	Open       bool              // serve everybody
	AllowLAN   []netip.Prefix    // private networks that phones may reach
	Persona    *canary.Persona   // nil: the case's own, or none
	Owners     *owner.Table      // nil: the built-in tables
	Later      bool              // record only; what is recorded is looked at by another command
	BodyLimit  int64
	Doors      doorsConfig
	Banner     string // a remark to show wherever the case is shown
	Passphrase func(confirm bool) (string, error)
	Log        zerolog.Logger
}

// service is a running Constat: the proxy, the pages and the case.
type service struct {
	cfg   serviceConfig
	CA    *certs.CA
	Case  *store.Case
	proxy *proxy.Proxy

	Enrolment *ui.Enrolment
	Token     string // of the live page

	door, page, control net.Listener
	doors               *doors
	upstream            *upstream.Transport
	inspector           *inspect.Inspector
}

// newService opens everything that can fail; Serve then runs it. Close, or
// Serve, must be called.
func newService(ctx context.Context, cfg serviceConfig) (s *service, err error) {
	s = &service{cfg: cfg, Token: newToken()}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.CA, err = certs.LoadOrCreate(cfg.CADir, certs.Options{Passphrase: cfg.Passphrase}); err != nil {
		return s, err
	}
	if s.door, err = net.Listen("tcp", cfg.Listen); err != nil {
		return s, err
	}
	s.Enrolment = ui.NewEnrolment(cfg.Open)
	if strings.HasSuffix(cfg.Listen, ":0") && cfg.Doors.WireGuard == "" {
		// With the proxy on any free port, the tunnel is, too.
		cfg.Doors.WireGuard = netip.AddrPortFrom(s.door.Addr().(*net.TCPAddr).AddrPort().Addr(), 0).String()
	}
	if s.doors, err = openDoors(cfg.Doors, cfg.CADir, s.door.Addr(), cfg.Resolve, s.Enrolment, cfg.Log); err != nil {
		return s, err
	}
	if cfg.UI != "" {
		if err := loopbackOnly(cfg.UI); err != nil {
			return s, err
		}
		if s.page, err = net.Listen("tcp", cfg.UI); err != nil {
			return s, err
		}
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Case), 0o700); err != nil {
		return s, err
	}
	settings := map[string]string{
		"command": "run", "door": "http " + s.door.Addr().String(), "doors": s.doors.String(), "ca_sha256": s.CA.Fingerprint(),
		"open": fmt.Sprint(cfg.Open), "allow_lan": fmt.Sprint(cfg.AllowLAN), "resolve": fmt.Sprint(len(cfg.Resolve)), "sign_in": cmp.Or(cfg.Doors.SignIn, signInOptional), "banner": cfg.Banner,
	}
	maps.Copy(settings, cfg.Doors.settings())
	s.Case, err = store.Open(ctx, store.Config{
		Path: cfg.Case, KeyFile: filepath.Join(cfg.CADir, "log.key"), Tool: build(), BodyLimit: cfg.BodyLimit, Settings: settings,
	})
	if err != nil {
		return s, err
	}
	if cfg.Persona != nil {
		if err := setPersona(ctx, s.Case, cfg.Persona); err != nil {
			return s, err
		}
	}
	if s.inspector, err = inspectorFor(ctx, &s.Case.Reader, cfg.Owners); err != nil {
		return s, err
	}
	if s.control, err = listenControl(cfg.Case); err != nil {
		return s, err
	}
	s.upstream = upstream.New(upstream.Config{
		Roots: cfg.Roots, Resolve: cfg.Resolve, Allow: upstream.Guard(s.own, cfg.AllowLAN...), Via: s.doors.via,
	})
	pages := ui.OnboardingConfig{
		CA: s.CA, Addresses: []string{s.phoneAddress()}, SOCKS: s.doors.socksAddress(), Enrol: s.Enrolment, CheckHost: localHost,
		Admitted: func(r *http.Request) bool { return proxy.IdentityOf(r).Admitted },
	}
	if s.doors.wg != nil {
		pages.Devices = s.doors
	}
	s.proxy, err = proxy.New(proxy.Config{
		Recorder: s.Case, BodyLimit: s.Case.BodyLimit(), Issuer: s.CA, Upstream: s.upstream,
		Local: ui.NewOnboarding(pages), LocalHost: localHost, Log: cfg.Log,
		SignIn: s.doors.passwords(), RequireUser: cfg.Doors.SignIn == signInRequired,
		Identify: s.doors.identify, DNS: s.doors.answerer, QUIC: s.doors.quic, PassAfter: cfg.Doors.PassAfter,
		MaxAll: maxConnections(),
	})
	if err != nil {
		return s, err
	}
	for _, host := range cfg.Doors.PassHosts {
		if err := setPass(ctx, s.Case, s.proxy, pass{Host: host, Mode: proxy.Always}); err != nil {
			return s, err
		}
	}
	return s, nil
}

// maxConnections is how many connections of clients this process may have at a time,
// each of which may need a file for the client and one for the server.
func maxConnections() int {
	const most, others = 16384, 256 // the case, its journal, idle connections to servers
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) != nil {
		return most
	}
	return int(max(64, (min(files.Cur, 2*most+others)-min(files.Cur, others))/2))
}

// phoneAddress is the address of the proxy as a phone has to type it: for a
// door that is open on all addresses, the one on the local network.
func (s *service) phoneAddress() string {
	a, ok := s.door.Addr().(*net.TCPAddr)
	if !ok || !a.IP.IsUnspecified() {
		return s.door.Addr().String()
	}
	host, _, _ := net.SplitHostPort(defaultListen())
	return net.JoinHostPort(host, strconv.Itoa(a.Port))
}

// own lists the listeners of this process, which nobody may reach through it.
func (s *service) own() []netip.AddrPort {
	all := s.doors.listeners()
	for _, ln := range []net.Listener{s.door, s.page} {
		if ln != nil {
			if a, ok := ln.Addr().(*net.TCPAddr); ok {
				all = append(all, a.AddrPort())
			}
		}
	}
	return all
}

// Serve runs until ctx ends, then drains, commits and signs. It fails when a
// listener does, or when the case can take no more.
func (s *service) Serve(ctx context.Context) error {
	serving, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var doors, inspection sync.WaitGroup
	start := func(g *sync.WaitGroup, what string, f func() error) {
		g.Go(func() {
			err := f()
			if failed := s.Case.Err(); failed != nil {
				what, err = "capture stopped", failed // and that is why
			}
			if err != nil && serving.Err() == nil {
				stop(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	start(&doors, "proxy", func() error { return s.proxy.Serve(serving, s.door) })
	s.doors.each(func(d proxy.Door) {
		start(&doors, d.Name, func() error { return s.proxy.ServeDoor(serving, d) })
	})
	start(&doors, "devices", func() error { return s.doors.watch(serving) })
	if s.page != nil {
		live := ui.NewLive(ui.LiveConfig{
			Case: &s.Case.Reader, Token: s.Token, Marker: s.Case, Passer: passer{s.Case, s.proxy}, Enrol: s.Enrolment, ProxyAddress: s.phoneAddress(),
		})
		start(&doors, "live page", func() error { return serveHTTP(serving, s.page, live) })
	}
	start(&doors, "control", func() error { return serveHTTP(serving, s.control, controlHandler(s.Case, s.proxy)) })

	following, unfollow := context.WithCancel(context.WithoutCancel(ctx))
	defer unfollow()
	if !s.cfg.Later {
		start(&inspection, "inspection", func() error {
			err := s.Case.Follow(following, s.inspector)
			if errors.Is(err, store.ErrBehind) {
				s.cfg.Log.Warn().Msgf("not all is inspected yet; go on with: constat inspect --case %s", s.cfg.Case)
				return nil
			}
			return err
		})
	}

	select {
	case <-serving.Done():
	case <-s.Case.Failed():
		stop(fmt.Errorf("capture stopped: %w", s.Case.Err()))
	}
	doors.Wait()
	unfollow()
	inspection.Wait()
	err := s.Close()
	if cause := context.Cause(serving); ctx.Err() == nil || !errors.Is(cause, ctx.Err()) {
		return cause
	}
	return err
}

// Close lets go of everything. It is safe to call twice.
func (s *service) Close() error {
	for _, ln := range []net.Listener{s.door, s.page, s.control} {
		if ln != nil {
			ln.Close()
		}
	}
	if s.doors != nil {
		s.doors.Close()
	}
	if s.upstream != nil {
		s.upstream.Close()
	}
	if s.Case == nil {
		return nil
	}
	err := s.Case.Close()
	s.Case = nil
	return err
}

// serveHTTP serves h on ln until ctx ends.
func serveHTTP(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	srv.BaseContext = func(net.Listener) context.Context { return ctx }
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if srv.Shutdown(grace) != nil {
		srv.Close()
	}
	<-done
	return nil
}

// inspectorFor returns the Inspector of this build for the persona of a case, nil
// owners meaning the built-in tables.
func inspectorFor(ctx context.Context, r *store.Reader, owners *owner.Table) (*inspect.Inspector, error) {
	if owners == nil {
		owners = owner.New()
	}
	info, err := r.Info(ctx)
	if err != nil {
		return nil, err
	}
	cfg := inspect.Config{
		Decoders: decode.All, Detectors: detect.All, Owners: owners,
		Values: detect.Values, Build: Version,
	}
	if info.Persona != nil {
		p, err := canary.Read(bytes.NewReader(info.Persona))
		if err != nil {
			return nil, err
		}
		if cfg.Canaries, err = canary.NewMatcher(p); err != nil {
			return nil, err
		}
		cfg.Persona = fingerprint(info.Persona)
	}
	return inspect.New(cfg)
}

// setPersona records p in the case unless it is the one already there.
func setPersona(ctx context.Context, c *store.Case, p *canary.Persona) error {
	text, err := personaJSON(p)
	if err != nil {
		return err
	}
	info, err := c.Info(ctx)
	if err != nil || string(info.Persona) == string(text) {
		return err
	}
	return c.SetPersona(ctx, p.Name, text)
}

// loopbackOnly refuses addresses that others can reach.
func loopbackOnly(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usagef("--ui %s: want ADDRESS:PORT or off", addr)
	}
	if a, err := netip.ParseAddr(host); (err != nil || !a.IsLoopback()) && host != "localhost" {
		return usagef("--ui %s: the live page shows what was captured and stays on this computer; use 127.0.0.1:PORT or off", addr)
	}
	return nil
}

// newToken returns 128 random bits.
func newToken() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, crypto/rand
	return hex.EncodeToString(b[:])
}
