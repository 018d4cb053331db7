package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"constat/cmd/constat/device"
	"constat/cmd/constat/ui"
	"constat/proxy"
	"constat/proxy/dns"
	"constat/proxy/socks5"
	"constat/proxy/transparent"
	"constat/proxy/upstream"
	"constat/proxy/wireguard"
	"constat/store"
)

// doorsConfig says which doors there are beside the HTTP proxy.
type doorsConfig struct {
	WireGuard  string   // UDP address; "" for the address of the HTTP proxy, "off" for none
	SOCKS      string   // TCP address, "off" for none
	Gateway    string   // TCP and UDP address for what the firewall diverts, "" for none
	Redirect   bool     // TCP is diverted by REDIRECT
	RequirePwd bool     // SOCKS clients have to sign in
	SignIn     string   // at the HTTP proxy: none, optional, required; "" is optional
	DNSServers []string // address, or address:port; none: the system's
	StripHints bool
	QUIC       string // of proxy.QUIC
	Via        string // URL of a proxy that connections to servers go through
	PassAfter  int
	PassHosts  []string // that are always passed on unread
}

func addDoors(f *pflag.FlagSet, cfg *doorsConfig) {
	f.StringVar(&cfg.WireGuard, "wireguard", "", "UDP address of the WireGuard tunnel, or off (default: the proxy's address, port 51820)")
	f.StringVar(&cfg.SOCKS, "socks", "off", "address of the SOCKS5 door, as in 192.168.1.5:1080, or off")
	f.StringVar(&cfg.Gateway, "gateway", "off", "address for what a Linux firewall diverts, as in 0.0.0.0:8443, or off; see 'constat gateway'")
	f.BoolVar(&cfg.Redirect, "gateway-redirect", false, "the firewall diverts TCP by REDIRECT, not TPROXY: no privilege, and no UDP")
	f.BoolVar(&cfg.RequirePwd, "socks-password", false, "SOCKS5 clients have to sign in as a device, see 'constat device'")
	f.StringVar(&cfg.SignIn, "sign-in", signInOptional, "signing in at the HTTP proxy as a device, see 'constat device': none, optional, or required of everybody")
	f.StringArrayVar(&cfg.DNSServers, "dns", nil, "DNS server to ask for phones in the tunnel (default: this computer's); repeatable")
	f.BoolVar(&cfg.StripHints, "strip-hints", false, "take hints at HTTP/3 and encrypted server names out of DNS answers; recorded")
	f.StringVar(&cfg.QUIC, "quic", string(proxy.RefuseQUIC), "what to do with QUIC: refuse, so that apps fall back to TCP; intercept HTTP/3; or pass it unread")
	f.StringVar(&cfg.Via, "upstream-proxy", "", "reach servers through this proxy: http://, https:// or socks5://")
	f.IntVar(&cfg.PassAfter, "pass-after", 3, "pass a host on unread for 15 minutes after an app refused the certificate so often; 0 never")
	f.StringArrayVar(&cfg.PassHosts, "pass", nil, "host that is always passed on unread; repeatable")
}

// settings are what a case says of what passes unread, how names are resolved and how
// servers are reached. They hold no password.
func (c doorsConfig) settings() map[string]string {
	via := ""
	if u, err := parseVia(c.Via); err == nil && u != nil {
		via = u.Scheme + "://" + u.Host
	}
	return map[string]string{
		"pass_after": strconv.Itoa(c.PassAfter), "pass": strings.Join(c.PassHosts, " "), "dns": strings.Join(c.DNSServers, " "),
		"strip_hints": fmt.Sprint(c.StripHints), "upstream_proxy": via, "quic": cmp.Or(c.QUIC, string(proxy.RefuseQUIC)),
	}
}

// How clients sign in at the HTTP proxy.
const (
	signInNone     = "none"
	signInOptional = "optional"
	signInRequired = "required"
)

// wireguardPort is the one that WireGuard's own documents use.
const wireguardPort = 51820

// tunnelFlows is more than the proxy takes of one client (proxy.Config), so that it is
// the proxy that turns them away, which leaves a row.
const tunnelFlows = 6 << 10

// firstDevice is the phone of a book that has none.
const firstDevice = "phone"

// doors are the ways in beside the HTTP proxy, and who may use them.
type doors struct {
	cfg       doorsConfig
	book      *device.Book
	enrolment *ui.Enrolment
	wg        *wireguard.Listener
	socks     *socks5.Listener
	gateway   *transparent.Listener
	answerer  *dns.Answerer
	quic      proxy.QUIC
	via       *url.URL     // of the upstream proxy; nil for none
	own       []netip.Addr // of the tunnel
	log       zerolog.Logger
}

// openDoors opens them; Close closes them. httpAddr is that of the HTTP proxy.
func openDoors(cfg doorsConfig, caDir string, httpAddr net.Addr, resolve map[string]string, enrolment *ui.Enrolment, log zerolog.Logger) (d *doors, err error) {
	d = &doors{cfg: cfg, enrolment: enrolment, log: log}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	switch cfg.SignIn {
	case "", signInNone, signInOptional, signInRequired:
	default:
		return d, usagef("--sign-in %s: want none, optional or required", cfg.SignIn)
	}
	if d.quic, err = parseQUIC(cfg.QUIC); err != nil {
		return d, err
	}
	if d.via, err = parseVia(cfg.Via); err != nil {
		return d, err
	}
	if d.book, err = device.Open(bookFile(caDir)); err != nil {
		return d, err
	}
	if d.own, err = d.book.Subnet().Own(); err != nil {
		return d, err
	}
	if cfg.WireGuard != "off" {
		if err := d.openWireGuard(httpAddr.(*net.TCPAddr).AddrPort()); err != nil {
			return d, err
		}
	}
	if cfg.SOCKS != "" && cfg.SOCKS != "off" {
		ln, err := net.Listen("tcp", cfg.SOCKS)
		if err != nil {
			return d, fmt.Errorf("--socks: %w", err)
		}
		d.socks = socks5.Listen(ln, socks5.Config{SignIn: d.signIn, RequireUser: cfg.RequirePwd})
	}
	if cfg.Gateway != "" && cfg.Gateway != "off" {
		if err := d.openGateway(); err != nil {
			return d, err
		}
	}
	servers, err := parseServers(cfg.DNSServers)
	if err != nil {
		return d, err
	}
	d.answerer, err = dns.New(dns.Config{
		Servers: servers, Resolve: standIns(resolve), LocalHost: localHost, LocalAddrs: d.own, StripHints: cfg.StripHints,
	})
	return d, err
}

func (d *doors) openWireGuard(httpAddr netip.AddrPort) error {
	if len(d.book.Devices()) == 0 {
		if err := d.book.Add(firstDevice); err != nil && !errors.Is(err, device.ErrKnown) {
			return err
		}
	}
	peers, err := d.book.Peers()
	if err != nil {
		return err
	}
	listen := netip.AddrPortFrom(httpAddr.Addr(), wireguardPort)
	if d.cfg.WireGuard != "" {
		if listen, err = netip.ParseAddrPort(d.cfg.WireGuard); err != nil {
			return usagef("--wireguard %s: want ADDRESS:PORT or off", d.cfg.WireGuard)
		}
	}
	conf := wireguard.Config{
		PrivateKey: d.book.Key(), Listen: listen, Peers: peers, MaxFlows: tunnelFlows,
		Log: func(line string) { d.log.Warn().Msg("wireguard: " + line) },
	}
	d.wg, err = wireguard.Listen(conf)
	if errors.Is(err, syscall.EADDRINUSE) && d.cfg.WireGuard == "" {
		d.log.Warn().Msgf("port %d is taken, so WireGuard got another one: phones have to be set up again; or choose one with --wireguard", wireguardPort)
		conf.Listen = netip.AddrPortFrom(listen.Addr(), 0)
		d.wg, err = wireguard.Listen(conf)
	}
	if err != nil {
		return fmt.Errorf("--wireguard: %w", err)
	}
	return nil
}

// openGateway opens the door for what a firewall diverts.
func (d *doors) openGateway() error {
	at, err := netip.ParseAddrPort(d.cfg.Gateway)
	if err != nil {
		return usagef("--gateway %s: want ADDRESS:PORT or off", d.cfg.Gateway)
	}
	conf := transparent.Config{TCP: at, UDP: at}
	if d.cfg.Redirect {
		conf.UDP, conf.Mode = netip.AddrPort{}, transparent.Redirect
	}
	d.gateway, err = transparent.Listen(context.Background(), conf)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return hint{fmt.Errorf("--gateway: %w", err), "run as root, grant CAP_NET_ADMIN, or use --gateway-redirect"}
	case err != nil:
		return fmt.Errorf("--gateway: %w", err)
	}
	return nil
}

// stand is the address that a phone is told for names that --resolve sends to this
// computer, which would be itself to the phone (RFC 5737). What is dialled goes by
// the name.
const stand = "192.0.2.1"

// standIns is resolve as the DNS tells it.
func standIns(resolve map[string]string) map[string]string {
	out := maps.Clone(resolve)
	for from, to := range out {
		host, _, err := net.SplitHostPort(to)
		if err != nil {
			host = to
		}
		if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() {
			out[from] = stand
		}
	}
	return out
}

// parseServers reads addresses of DNS servers, with or without a port.
func parseServers(list []string) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	for _, s := range list {
		if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
			out = append(out, netip.AddrPortFrom(a, 53))
			continue
		}
		a, err := netip.ParseAddrPort(s)
		if err != nil {
			return nil, usagef("--dns %s: want an address, as in 9.9.9.9", s)
		}
		out = append(out, a)
	}
	return out, nil
}

// parseQUIC reads what to do with QUIC: to refuse it when nothing is said.
func parseQUIC(text string) (proxy.QUIC, error) {
	switch q := cmp.Or(proxy.QUIC(text), proxy.RefuseQUIC); q {
	case proxy.RefuseQUIC, proxy.InterceptQUIC, proxy.PassQUIC:
		return q, nil
	}
	return "", usagef("--quic %s: want refuse, intercept or pass", text)
}

// parseVia reads the address of an upstream proxy; nil for none.
func parseVia(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := upstream.ParseVia(text)
	if err != nil {
		return nil, usagef("--upstream-proxy: %w, as in http://proxy.example:3128", err)
	}
	return u, nil
}

// signIn says whether a SOCKS client may sign in: by a name of the book with its
// password. With any other name it is nobody, also once the book has that name.
func (d *doors) signIn(user, password string) (name string, ok bool) {
	if d.book.Knows(user) {
		return user, d.book.SignIn(user, password)
	}
	return "", !d.cfg.RequirePwd
}

// passwords are those that count at the HTTP proxy; nil when nobody signs in.
func (d *doors) passwords() func(user string) (password string, known bool) {
	if d.cfg.SignIn == signInNone {
		return nil
	}
	return d.book.Password
}

// identify says who a guest is.
func (d *doors) identify(g proxy.Guest) proxy.Identity {
	id := proxy.Identity{App: g.App}
	switch {
	case g.Door == "wireguard":
		id.Device, id.Admitted = g.User, true // by its key
		return id
	case g.User != "" && d.book.Knows(g.User):
		id.Device, id.Admitted = g.User, true // by its password
		return id
	}
	if name := d.book.At(g.Addr); name != "" {
		id.Device, id.Admitted = name, true
		return id
	}
	if id.Admitted = d.enrolment.Admit(g.Addr); id.Admitted {
		if name := d.enrolment.Name(g.Addr); d.book.Knows(name) {
			id.Device = name
		}
	}
	return id
}

// Propose implements ui.Devices.
func (d *doors) Propose() string {
	for n := 1; ; n++ {
		if name := fmt.Sprint("phone-", n); !d.book.Knows(name) {
			return name
		}
	}
}

// Make implements ui.Devices. The peer is known at once.
func (d *doors) Make(name string) error {
	err := d.book.Add(name)
	switch {
	case errors.Is(err, device.ErrName), errors.Is(err, device.ErrKnown):
		return err
	case err != nil:
		d.log.Warn().Err(err).Msg("the book of devices cannot be written")
		return errors.New("the device could not be added; the computer's terminal says why")
	}
	d.setPeers()
	d.log.Info().Str("device", name).Msg("a device was added from the page that sets phones up")
	return nil
}

// Tunnel implements ui.Devices.
func (d *doors) Tunnel(name, addr string, client netip.Addr) (string, error) {
	c, err := d.book.Config(name, "", d.endpoint(addr))
	if err != nil {
		return "", err
	}
	d.log.Info().Str("device", name).Stringer("client", client).Msg("a WireGuard configuration was handed out")
	return c.Text()
}

// each calls f with every door.
func (d *doors) each(f func(proxy.Door)) {
	if d.wg != nil {
		f(proxy.Door{Name: "wireguard", Listener: d.wg, Own: d.own})
	}
	if d.socks != nil {
		f(proxy.Door{Name: "socks5", Listener: d.socks})
	}
	if d.gateway != nil {
		f(proxy.Door{Name: "transparent", Listener: d.gateway, Own: d.gateway.Own()})
	}
}

// watch takes over what other commands change in the book, and notes in it where phones
// are, until ctx ends.
func (d *doors) watch(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			d.heard()
			return nil
		case <-tick.C:
		}
		changed, err := d.book.Reload()
		if err != nil {
			d.log.Warn().Err(err).Msg("the book of devices cannot be read; the devices stay as they were")
			continue
		}
		if d.heard() || changed && d.wg != nil {
			d.setPeers()
		}
	}
}

// heard notes where phones are, so that a later run can greet them there. It says
// whether the book may have changed on that occasion.
func (d *doors) heard() bool {
	if d.wg == nil {
		return false
	}
	from := map[wireguard.Key]netip.AddrPort{}
	for _, s := range d.wg.Status() {
		from[s.PublicKey] = s.Endpoint
	}
	changed, err := d.book.Heard(from)
	if err != nil {
		d.log.Warn().Err(err).Msg("the book of devices cannot be written; after a restart phones take 15 s to come back")
	}
	return changed
}

// setPeers tells the tunnel of all peers.
func (d *doors) setPeers() {
	peers, err := d.book.Peers()
	if err != nil {
		d.log.Warn().Err(err).Msg("the devices stay as they were")
		return
	}
	for _, s := range d.wg.Status() {
		if !slices.ContainsFunc(peers, func(p wireguard.Peer) bool { return p.PublicKey == s.PublicKey }) {
			d.wg.RemovePeer(s.PublicKey)
		}
	}
	for _, p := range peers {
		p.Endpoint = netip.AddrPort{} // the tunnel knows better
		if err := d.wg.SetPeer(p); err != nil {
			d.log.Warn().Err(err).Msg("a device cannot be let in")
		}
	}
}

// endpoint is where phones reach the tunnel, for a proxy that they reach at addr.
func (d *doors) endpoint(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	return net.JoinHostPort(host, strconv.Itoa(d.wg.Addr().(*net.UDPAddr).Port))
}

// socksAddress is where the SOCKS door listens, empty when there is none.
func (d *doors) socksAddress() string {
	if d.socks == nil {
		return ""
	}
	return d.socks.Addr().String()
}

// String names the doors, for the settings of a run.
func (d *doors) String() string {
	var list []string
	if d.wg != nil {
		list = append(list, "wireguard "+d.wg.Addr().String())
	}
	if d.socks != nil {
		list = append(list, "socks5 "+d.socks.Addr().String())
	}
	if d.gateway != nil {
		transparent := "transparent " + d.gateway.Addr().String()
		if d.cfg.Redirect {
			transparent += store.RedirectSetting
		}
		list = append(list, transparent)
	}
	return strings.Join(list, ", ")
}

// listeners are the addresses of this process that nobody may reach through it.
func (d *doors) listeners() (all []netip.AddrPort) {
	if d == nil {
		return nil
	}
	if d.wg != nil {
		all = append(all, d.wg.Addr().(*net.UDPAddr).AddrPort())
	}
	if d.socks != nil {
		all = append(all, d.socks.Addr().(*net.TCPAddr).AddrPort())
	}
	if d.gateway != nil {
		all = append(all, d.gateway.Addr().(*net.TCPAddr).AddrPort())
	}
	return all
}

// Close closes all doors.
func (d *doors) Close() {
	if d.wg != nil {
		d.wg.Close()
	}
	if d.socks != nil {
		d.socks.Close()
	}
	if d.gateway != nil {
		d.gateway.Close()
	}
}
