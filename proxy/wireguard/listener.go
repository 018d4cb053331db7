package wireguard

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	wg "golang.zx2c4.com/wireguard/device"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// Config says how to listen. It is copied.
type Config struct {
	PrivateKey Secret
	// Listen is the UDP port to listen on: 0 for any; an unspecified address for
	// all addresses of the machine, IPv4 and IPv6.
	Listen netip.AddrPort
	Peers  []Peer // those to start with; SetPeer adds more
	MTU    int    // inside the tunnel; default MinMTU
	// MaxFlows is how many streams and flows a peer may have at a time; default
	// 4,096. What comes above is refused and counted in PeerStatus.Refused.
	MaxFlows int
	// Log takes lines about what the tunnel itself cannot do, at most one a second;
	// nil for none. It is called from several goroutines.
	Log func(line string)
}

// Peer is a phone, or one app of it.
type Peer struct {
	Name         string
	PublicKey    Key
	PresharedKey Secret // may be zero
	// Addresses are those that the peer has inside the tunnel. Packets of others are
	// dropped.
	Addresses []netip.Addr
	App       string // package whose traffic alone the peer is, if so
	// Endpoint is where the peer was last heard from (PeerStatus), if that is known:
	// after a restart the tunnel is then back at once. Without it the peer finds out
	// after 15 seconds that nobody answers, and begins again by itself (whitepaper,
	// section 6.5). It counts in Config.Peers only.
	Endpoint netip.AddrPort
}

// PeerStatus is what is known of a peer.
type PeerStatus struct {
	Name          string
	PublicKey     Key
	Endpoint      netip.AddrPort // where it was last heard from; zero for never
	LastHandshake time.Time      // zero for never; older than three minutes: not connected
	BytesUp       uint64         // received from the peer, with WireGuard's own
	BytesDown     uint64         // sent to the peer, likewise
	Flows         int            // open streams and flows
	Refused       uint64         // streams and flows that were over a limit
}

// Listener is a WireGuard endpoint. It implements net.Listener; its methods may be
// called at any time from several goroutines.
type Listener struct {
	conf   Config
	addr   *net.UDPAddr
	link   *link
	stack  *stack.Stack
	device *wg.Device

	accept  chan net.Conn
	closing chan struct{} // closed by Close
	ended   chan struct{} // closed when everything is quiet

	setting sync.Mutex // one change of the device's peers at a time

	mu       sync.Mutex
	peers    map[Key]*peer
	owners   map[netip.Addr]*peer
	flows    map[flowKey]*flow
	starting int          // connections that were admitted
	open     int          // connections that were kept
	closed   bool         // Close was called
	final    []PeerStatus // when the device was about to end, nil before
}

// peer is a Peer with what it has open. Its fields are guarded by Listener.mu.
type peer struct {
	Peer
	conns     map[aborter]struct{}
	flows     int
	halfOpen  int
	queued    int // bytes of datagrams that wait to be read
	refused   uint64
	withdrawn bool
}

// aborter is a connection, as seen by the Listener that made it.
type aborter interface {
	net.Conn
	client() netip.Addr
	abort()
}

// acceptQueue is the number of connections that wait for Accept.
const acceptQueue = 256

// Listen starts a WireGuard endpoint.
func Listen(conf Config) (*Listener, error) {
	switch {
	case conf.PrivateKey == Secret{}:
		return nil, errors.New("WireGuard needs a private key")
	case !conf.Listen.IsValid():
		return nil, errors.New("WireGuard needs an address to listen on")
	case mtu(conf.MTU) < MinMTU || mtu(conf.MTU) > maxMTU:
		return nil, fmt.Errorf("MTU %d: choose one from %d to %d", conf.MTU, MinMTU, maxMTU)
	}
	conf.MTU = mtu(conf.MTU)
	if conf.MaxFlows == 0 {
		conf.MaxFlows = 4096
	}
	l := &Listener{
		conf:    conf,
		accept:  make(chan net.Conn, acceptQueue),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
		peers:   map[Key]*peer{},
		owners:  map[netip.Addr]*peer{},
		flows:   map[flowKey]*flow{},
	}
	l.link = newLink(conf.MTU, l.echo6)
	var err error
	if l.stack, err = l.newStack(); err != nil {
		return nil, err
	}
	l.device = wg.NewDevice(device{l.link}, newBind(conf.Listen.Addr()), &wg.Logger{
		Verbosef: wg.DiscardLogf,
		Errorf:   newLogger(conf.Log),
	})
	if err := l.start(); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// start sets the device up.
func (l *Listener) start() error {
	text := fmt.Sprintf("private_key=%s\nlisten_port=%d\n", l.conf.PrivateKey.hex(), l.conf.Listen.Port())
	if err := l.device.IpcSet(text); err != nil {
		return fmt.Errorf("set up WireGuard: %w", err)
	}
	for _, p := range l.conf.Peers {
		if err := l.SetPeer(p); err != nil {
			return err
		}
	}
	if err := l.device.Up(); err != nil {
		return fmt.Errorf("listen for WireGuard on %v: %w", l.conf.Listen, err)
	}
	for _, p := range l.conf.Peers {
		if err := l.greet(p); err != nil {
			return err
		}
	}
	port, err := l.port()
	if err != nil {
		return err
	}
	l.addr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(l.conf.Listen.Addr(), port))
	return nil
}

// greet begins a handshake with a peer that may be waiting for one. A keepalive that
// is switched on is sent at once, and needs a handshake; it is switched off again
// because each would wake the phone.
func (l *Listener) greet(p Peer) error {
	if !p.Endpoint.IsValid() {
		return nil
	}
	key := p.PublicKey.hex()
	err := l.device.IpcSet(fmt.Sprintf("public_key=%s\nendpoint=%s\npersistent_keepalive_interval=60\n", key, p.Endpoint))
	if err == nil {
		err = l.device.IpcSet(fmt.Sprintf("public_key=%s\npersistent_keepalive_interval=0\n", key))
	}
	if err != nil {
		return fmt.Errorf("greet peer %q: %w", p.Name, err)
	}
	return nil
}

// Accept waits for the next connection: a *net.TCPAddr, *net.UDPAddr or *net.IPAddr
// as its LocalAddr says whether it is a stream, a flow of datagrams or of echo
// requests. The error is net.ErrClosed after Close.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.closing:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closing:
		return nil, net.ErrClosed
	}
}

// Addr is the UDP address that is listened on.
func (l *Listener) Addr() net.Addr { return l.addr }

// Close ends Accept, ends connections that it has not returned and handshakes in
// progress, and lets nothing new begin. As with other listeners, connections that
// Accept has returned go on: the tunnel is there until the last of them is closed.
// Without any, it is gone when Close returns; see Wait.
func (l *Listener) Close() error {
	l.mu.Lock()
	again := l.closed
	l.closed = true
	if !again {
		l.open++ // holds the tunnel until what is not accepted is ended
	}
	l.mu.Unlock()
	if again {
		return nil
	}
	close(l.closing)
	l.clearQueue()
	if l.leave() {
		<-l.ended
	}
	return nil
}

// clearQueue ends the connections that wait for Accept.
func (l *Listener) clearQueue() {
	for {
		select {
		case c := <-l.accept:
			c.(aborter).abort()
		default:
			return
		}
	}
}

// Wait returns when the Listener is closed, every connection is, and the port is
// free.
func (l *Listener) Wait() { <-l.ended }

// leave counts a connection less. The last one of a closed Listener takes the tunnel
// down; not in this goroutine, which may be one of the tunnel's.
func (l *Listener) leave() (last bool) {
	l.mu.Lock()
	l.open--
	last = l.closed && l.open == 0
	l.mu.Unlock()
	if last {
		go l.takeDown()
	}
	return last
}

// takeDown ends the device and the stack, and what is about to begin in them.
func (l *Listener) takeDown() {
	defer close(l.ended)
	for end := time.Now().Add(farewell); l.unsent() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	final := l.Status()
	l.mu.Lock()
	l.final = final
	l.mu.Unlock()
	l.device.Close()
	for l.stack.Close(); l.beginning(); l.stack.Close() {
		time.Sleep(time.Millisecond)
	}
	l.stack.Wait()
}

// farewell is how long the tunnel waits for the phone to have read the end of
// streams that are closed.
const farewell = 2 * time.Second

// unsent says whether a stream, all of which are closed, has something that is not
// acknowledged.
func (l *Listener) unsent() bool {
	for _, e := range l.stack.RegisteredEndpoints() {
		if ep, ok := e.(*tcp.Endpoint); ok {
			switch ep.EndpointState() {
			case tcp.StateEstablished, tcp.StateCloseWait, tcp.StateFinWait1, tcp.StateClosing, tcp.StateLastAck:
				return true
			}
		}
	}
	return len(l.link.queue) > 0
}

// beginning says whether a connection has been admitted that is neither kept nor
// turned away yet.
func (l *Listener) beginning() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.starting > 0
}

// SetPeer adds a peer, or changes the one with the same public key. Connections of
// addresses that it no longer has are ended.
func (l *Listener) SetPeer(p Peer) error {
	l.setting.Lock()
	defer l.setting.Unlock()
	if err := l.checkPeer(p); err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "public_key=%s\npreshared_key=%s\nreplace_allowed_ips=true\n", p.PublicKey.hex(), p.PresharedKey.hex())
	for _, a := range p.Addresses {
		fmt.Fprintf(&text, "allowed_ip=%s/%d\n", a, a.BitLen())
	}
	stale := l.enroll(p)
	err := l.device.IpcSet(text.String())
	for _, c := range stale {
		c.abort()
	}
	if err != nil {
		return fmt.Errorf("set peer %q: %w", p.Name, err)
	}
	return nil
}

// checkPeer says what is wrong with p.
func (l *Listener) checkPeer(p Peer) error {
	if p.PublicKey == (Key{}) {
		return fmt.Errorf("peer %q has no public key", p.Name)
	}
	if p.PublicKey == l.conf.PrivateKey.Public() {
		return fmt.Errorf("peer %q has the key of this end of the tunnel", p.Name)
	}
	if len(p.Addresses) == 0 {
		return fmt.Errorf("peer %q has no address", p.Name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range p.Addresses {
		if !a.IsValid() || a.Zone() != "" || a.Is4In6() {
			return fmt.Errorf("peer %q has an address that is none", p.Name)
		}
		if other := l.owners[a]; other != nil && other.PublicKey != p.PublicKey {
			return fmt.Errorf("peer %q has the address of peer %q", p.Name, other.Name)
		}
	}
	return nil
}

// enroll makes p the owner of its addresses, and returns the connections of those
// that are no longer its own.
func (l *Listener) enroll(p Peer) (stale []aborter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	had := l.peers[p.PublicKey]
	if had == nil {
		had = &peer{conns: map[aborter]struct{}{}}
		l.peers[p.PublicKey] = had
	}
	for _, a := range had.Addresses {
		delete(l.owners, a)
	}
	p.Addresses = append([]netip.Addr(nil), p.Addresses...)
	had.Peer = p
	for _, a := range p.Addresses {
		l.owners[a] = had
	}
	for c := range had.conns {
		if l.owners[c.client()] != had {
			stale = append(stale, c)
		}
	}
	return stale
}

// RemovePeer takes a peer out and ends its connections. A peer that is not there is
// no error.
func (l *Listener) RemovePeer(k Key) {
	l.setting.Lock()
	defer l.setting.Unlock()
	l.mu.Lock()
	p := l.peers[k]
	if p == nil {
		l.mu.Unlock()
		return
	}
	delete(l.peers, k)
	for _, a := range p.Addresses {
		delete(l.owners, a)
	}
	p.withdrawn = true
	conns := make([]aborter, 0, len(p.conns))
	for c := range p.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	l.device.RemovePeer(wg.NoisePublicKey(k))
	for _, c := range conns {
		c.abort()
	}
}

// admit counts a new connection from an address of a peer, and returns the peer, or
// nil if it may not have another one. What admit began goes on with keep, or ends
// with turnAway.
func (l *Listener) admit(client netip.Addr) *peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.owners[client]
	if p == nil || l.closed {
		return nil
	}
	if p.flows >= l.conf.MaxFlows {
		p.refused++
		return nil
	}
	p.flows++
	l.starting++
	return p
}

func (l *Listener) turnAway(p *peer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.flows--
	l.starting--
}

// keep remembers c until dismiss. Since admit, the peer may have been taken out, or
// the address from it, or the Listener closed: then keep turns c away, and returns
// false.
func (l *Listener) keep(p *peer, c aborter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starting--
	if l.closed || p.withdrawn || l.owners[c.client()] != p {
		p.flows--
		return false
	}
	p.conns[c] = struct{}{}
	l.open++
	return true
}

// dismiss forgets c, which was kept.
func (l *Listener) dismiss(p *peer, c aborter) {
	l.mu.Lock()
	delete(p.conns, c)
	p.flows--
	l.mu.Unlock()
	l.leave()
}

// hand gives c to Accept, now or never: it returns false if too many wait already.
func (l *Listener) hand(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	select {
	case l.accept <- c:
		return true
	default:
		return false
	}
}

// Status tells of each peer, in no order. After Close it tells how it was.
func (l *Listener) Status() []PeerStatus {
	var text strings.Builder
	if l.device.IpcGetOperation(&text) != nil {
		return nil
	}
	var list []PeerStatus
	lines := bufio.NewScanner(strings.NewReader(text.String()))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "=")
		if name == "public_key" {
			list = append(list, PeerStatus{PublicKey: keyFromHex(value)})
		}
		if len(list) > 0 {
			list[len(list)-1].set(name, value)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.final != nil {
		return slices.Clone(l.final)
	}
	for i := range list {
		if p := l.peers[list[i].PublicKey]; p != nil {
			list[i].Name, list[i].Flows, list[i].Refused = p.Name, p.flows, p.refused
		}
	}
	return list
}

// set takes a line of the device's answer
// (https://www.wireguard.com/xplatform/#configuration-protocol).
func (s *PeerStatus) set(name, value string) {
	switch name {
	case "endpoint":
		s.Endpoint, _ = netip.ParseAddrPort(value)
	case "last_handshake_time_sec":
		if n, _ := strconv.ParseInt(value, 10, 64); n != 0 {
			s.LastHandshake = time.Unix(n, 0)
		}
	case "last_handshake_time_nsec":
		if n, _ := strconv.ParseInt(value, 10, 64); n != 0 {
			s.LastHandshake = s.LastHandshake.Add(time.Duration(n))
		}
	case "rx_bytes":
		s.BytesUp, _ = strconv.ParseUint(value, 10, 64)
	case "tx_bytes":
		s.BytesDown, _ = strconv.ParseUint(value, 10, 64)
	}
}

// port is the port that the device listens on.
func (l *Listener) port() (uint16, error) {
	var text strings.Builder
	if err := l.device.IpcGetOperation(&text); err != nil {
		return 0, fmt.Errorf("ask WireGuard for its port: %w", err)
	}
	_, rest, _ := strings.Cut(text.String(), "listen_port=")
	value, _, _ := strings.Cut(rest, "\n")
	port, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return 0, errors.New("WireGuard does not tell its port")
	}
	return uint16(port), nil
}

// newLogger returns the device's log of errors: what it says once a packet, when a
// phone has gone, is said once a second.
func newLogger(log func(string)) func(string, ...any) {
	if log == nil {
		return wg.DiscardLogf
	}
	var mu sync.Mutex
	var last time.Time
	return func(format string, args ...any) {
		mu.Lock()
		silent := time.Since(last) < time.Second
		if !silent {
			last = time.Now()
		}
		mu.Unlock()
		if !silent {
			log("wireguard: " + fmt.Sprintf(format, args...))
		}
	}
}
