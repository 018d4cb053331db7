package dns

import (
	"context"
	"crypto"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"constat/proxy/flow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// zone is what the authoritative server of the tests knows.
const zone = `
$ORIGIN example.org.
$TTL 300
@        IN SOA   ns.example.org. hostmaster.example.org. 1 7200 3600 1209600 60
@        IN NS    ns
www      IN CNAME front.cdn
front.cdn IN A    192.0.2.10
front.cdn IN A    192.0.2.11
front.cdn IN AAAA 2001:db8::10
front.cdn IN HTTPS 1 . alpn=h3,h2 ech=AEX+DQBBzQAgACBYb2xhbi1pcy1ub3QtYS1yZWFsLWtleS0wMDAwMQAEAAEAAQASY2xvdWRmbGFyZS1lY2guY29tAAA= ipv4hint=192.0.2.12
quic     IN HTTPS 1 . alpn=h3 no-default-alpn port=8443
plain    IN HTTPS 1 . alpn=h2 ipv6hint=2001:db8::12
large    IN TXT   "` + strings255 + `" "` + strings255 + `" "` + strings255 + `" "` + strings255 + `" "` + strings255 + `" "` + strings255 + `"
odd      IN TYPE65400 \# 4 0A000001
`

const strings255 = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

// authority is a real server on loopback, over UDP and TCP. It signs what it says
// when it is asked to.
type authority struct {
	addr netip.AddrPort
	rrs  []dns.RR
	key  *dns.DNSKEY
	priv crypto.Signer

	mu   sync.Mutex
	sent [][]byte // answers as sent, IDs zeroed
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	s := &authority{key: &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 300},
		Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
	}}
	priv, err := s.key.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	s.priv = priv.(crypto.Signer)
	z := dns.NewZoneParser(strings.NewReader(zone), "", "test")
	for rr, ok := z.Next(); ok; rr, ok = z.Next() {
		s.rrs = append(s.rrs, rr)
	}
	if err := z.Err(); err != nil {
		t.Fatal(err)
	}
	pc, ln := listenBoth(t)
	s.addr = pc.LocalAddr().(*net.UDPAddr).AddrPort()
	for _, srv := range []*dns.Server{{PacketConn: pc, Handler: s, UDPSize: 4096}, {Listener: ln, Handler: s}} {
		started := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(started) }
		done := make(chan struct{})
		go func() { defer close(done); srv.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { srv.Shutdown(); <-done })
	}
	return s
}

// listenBoth takes a port of loopback that is free for UDP and TCP.
func listenBoth(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if ln, err := net.Listen("tcp", pc.LocalAddr().String()); err == nil {
			return pc, ln
		}
		pc.Close()
	}
	t.Fatal("no port is free for both")
	return nil, nil
}

func (s *authority) ServeDNS(w dns.ResponseWriter, r *dns.Msg) {
	q := r.Question[0]
	m := new(dns.Msg).SetReply(r)
	m.Authoritative = true
	m.Compress = true
	opt := r.IsEdns0()
	do := opt != nil && opt.Do()
	if opt != nil {
		m.SetEdns0(1232, do)
	}
	switch q.Name {
	case "silent.example.org.":
		return
	case "broken.example.org.":
		m.Rcode = dns.RcodeServerFailure
	}
	name := strings.ToLower(q.Name)
	for range 4 {
		var set []dns.RR
		next := ""
		for _, rr := range s.rrs {
			if strings.EqualFold(rr.Header().Name, name) {
				c, isAlias := rr.(*dns.CNAME)
				if rr.Header().Rrtype == q.Qtype || q.Qtype == dns.TypeANY || isAlias {
					set = append(set, rr)
				}
				if isAlias && q.Qtype != dns.TypeCNAME {
					next = c.Target
				}
			}
		}
		m.Answer = append(m.Answer, set...)
		if do && len(set) > 0 {
			m.Answer = append(m.Answer, s.sign(set))
		}
		if next == "" {
			break
		}
		name = next
	}
	if len(m.Answer) == 0 && m.Rcode == 0 {
		m.Ns = s.rrs[:1]
		if strings.HasPrefix(q.Name, "no") {
			m.Rcode = dns.RcodeNameError
		}
	}
	size := dns.MaxMsgSize
	if w.LocalAddr().Network() == "udp" {
		if size = dns.MinMsgSize; opt != nil {
			size = int(opt.UDPSize())
		}
	}
	m.Truncate(size)
	b, err := m.Pack()
	if err != nil {
		return
	}
	s.mu.Lock()
	s.sent = append(s.sent, append([]byte{0, 0}, b[2:]...))
	s.mu.Unlock()
	w.Write(b)
}

// newest is the answer that was sent last.
func (s *authority) newest() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent[len(s.sent)-1]
}

func (s *authority) sign(set []dns.RR) dns.RR {
	h := set[0].Header()
	sig := &dns.RRSIG{
		Hdr:       dns.RR_Header{Name: h.Name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: h.Ttl},
		Algorithm: s.key.Algorithm, KeyTag: s.key.KeyTag(), SignerName: "example.org.",
		Inception: uint32(time.Now().Add(-time.Hour).Unix()), Expiration: uint32(time.Now().Add(time.Hour).Unix()),
	}
	if err := sig.Sign(s.priv, set); err != nil {
		panic(err)
	}
	return sig
}

// door serves real sockets on loopback with an Answerer, and keeps what is recorded.
type door struct {
	a      *Answerer
	addr   netip.AddrPort
	record func(*flow.Lookup) error

	mu      sync.Mutex
	lookups []*flow.Lookup
}

func newDoor(t *testing.T, conf Config) *door {
	t.Helper()
	a, err := New(conf)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{a: a}
	pc, ln := listenBoth(t)
	d.addr = pc.LocalAddr().(*net.UDPAddr).AddrPort()
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() { d.packets(ctx, pc.(*net.UDPConn), &wait) })
	wait.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wait.Go(func() { a.ServeStream(ctx, c, d.keep) })
		}
	})
	t.Cleanup(func() { cancel(); pc.Close(); ln.Close(); wait.Wait() })
	return d
}

func (d *door) keep(l *flow.Lookup) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.record != nil {
		if err := d.record(l); err != nil {
			return err
		}
	}
	l.ID = int64(len(d.lookups) + 1)
	d.lookups = append(d.lookups, l)
	return nil
}

// newest is the lookup that was recorded last.
func (d *door) newest(t *testing.T) *flow.Lookup {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.lookups) == 0 {
		t.Fatal("no lookup was recorded")
	}
	return d.lookups[len(d.lookups)-1]
}

// packets hands the datagrams of each client to a flow of their own, as doors do.
func (d *door) packets(ctx context.Context, pc *net.UDPConn, wait *sync.WaitGroup) {
	flows := map[netip.AddrPort]net.Conn{}
	defer func() {
		for _, c := range flows {
			c.Close()
		}
	}()
	buf := make([]byte, maxMessage)
	for {
		n, from, err := pc.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if flows[from] == nil {
			mine, theirs := net.Pipe()
			flows[from] = mine
			wait.Go(func() { d.a.ServePacket(ctx, flowConn{theirs, pc, from}, d.keep) })
		}
		flows[from].SetWriteDeadline(time.Now().Add(5 * time.Second))
		flows[from].Write(buf[:n])
	}
}

// flowConn is a flow of datagrams between a client and a socket.
type flowConn struct {
	net.Conn
	pc   *net.UDPConn
	from netip.AddrPort
}

func (c flowConn) Write(b []byte) (int, error) { return c.pc.WriteToUDPAddrPort(b, c.from) }
func (c flowConn) RemoteAddr() net.Addr        { return net.UDPAddrFromAddrPort(c.from) }
func (c flowConn) LocalAddr() net.Addr         { return c.pc.LocalAddr() }

// dig asks the door with BIND's client.
func (d *door) dig(t *testing.T, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("dig")
	if err != nil {
		t.Skip("dig is not installed (Debian: bind9-dnsutils; make deps installs it)")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	args = append([]string{"@" + d.addr.Addr().String(), "-p", portOf(d.addr), "+time=8", "+tries=1", "+nocookie"}, args...)
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("dig: %v\n%s", err, out)
	}
	return string(out)
}

func portOf(a netip.AddrPort) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}
