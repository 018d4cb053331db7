package dns

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"constat/proxy/flow"
)

var clientAddr = netip.MustParseAddr("10.0.0.2")

func addrs(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func pack(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func query(t testing.TB, name string, typ uint16) []byte {
	return pack(t, new(dns.Msg).SetQuestion(name, typ))
}

func unpackMsg(t testing.TB, b []byte) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(b); err != nil {
		t.Fatalf("the answer is not well formed: %v", err)
	}
	return m
}

func newAnswerer(t testing.TB, conf Config) *Answerer {
	t.Helper()
	a, err := New(conf)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What dig shows and what the row says, side by side.
func TestDig(t *testing.T) {
	s := newAuthority(t)
	d := newDoor(t, Config{Servers: []netip.AddrPort{s.addr}})
	for _, c := range []struct {
		name string
		args []string
		shows,
		not []string
		want flow.Lookup
	}{
		{
			"alias",
			[]string{"+noedns", "WWW.Example.org", "A"},
			[]string{"status: NOERROR", "WWW.Example.org.", "192.0.2.10", "192.0.2.11"},
			nil,
			flow.Lookup{
				Over: "udp", Name: "www.example.org", Type: "A", Code: "NOERROR",
				Answers: []string{
					"www.example.org. 300 IN CNAME front.cdn.example.org.",
					"front.cdn.example.org. 300 IN A 192.0.2.10", "front.cdn.example.org. 300 IN A 192.0.2.11",
				},
				Addresses: addrs("192.0.2.10", "192.0.2.11"),
			},
		},
		{
			"AAAA over TCP",
			[]string{"+tcp", "front.cdn.example.org", "AAAA"},
			[]string{"2001:db8::10"},
			nil,
			flow.Lookup{
				Over: "tcp", Name: "front.cdn.example.org", Type: "AAAA", Code: "NOERROR",
				Answers: []string{"front.cdn.example.org. 300 IN AAAA 2001:db8::10"}, Addresses: addrs("2001:db8::10"),
			},
		},
		{
			"type65",
			[]string{"plain.example.org", "TYPE65"},
			[]string{"status: NOERROR", "ANSWER: 1"},
			nil,
			flow.Lookup{
				Over: "udp", Name: "plain.example.org", Type: "HTTPS", Code: "NOERROR",
				Answers:   []string{`plain.example.org. 300 IN HTTPS 1 . alpn="h2" ipv6hint="2001:db8::12"`},
				Addresses: addrs("2001:db8::12"),
			},
		},
		{
			"unknown type",
			[]string{"odd.example.org", "TYPE65400"},
			[]string{`\# 4 0A000001`},
			nil,
			flow.Lookup{
				Over: "udp", Name: "odd.example.org", Type: "TYPE65400", Code: "NOERROR",
				Answers: []string{`odd.example.org. 300 IN TYPE65400 \# 4 0A000001`},
			},
		},
		{
			"no such name",
			[]string{"nothing.example.org", "A"},
			[]string{"status: NXDOMAIN", "SOA"},
			nil,
			flow.Lookup{Over: "udp", Name: "nothing.example.org", Type: "A", Code: "NXDOMAIN"},
		},
		{
			"nothing of that type",
			[]string{"quic.example.org", "MX"},
			[]string{"status: NOERROR", "ANSWER: 0"},
			nil,
			flow.Lookup{Over: "udp", Name: "quic.example.org", Type: "MX", Code: "NOERROR"},
		},
		{
			"a server that fails",
			[]string{"broken.example.org", "A"},
			[]string{"status: SERVFAIL"},
			nil,
			flow.Lookup{Over: "udp", Name: "broken.example.org", Type: "A", Code: "SERVFAIL"},
		},
		{
			"a zone over TCP",
			[]string{"+tcp", "example.org", "AXFR"},
			[]string{"Transfer failed"},
			nil,
			flow.Lookup{Over: "tcp", Name: "example.org", Type: "AXFR", Error: "transfers of zones are not passed on"},
		},
		{
			"another operation",
			[]string{"+opcode=UPDATE", "example.org", "SOA"},
			[]string{"NOTIMP"},
			nil,
			flow.Lookup{Over: "udp", Name: "example.org", Type: "SOA", Error: "the operation UPDATE is not passed on"},
		},
		{
			"discovery of resolvers",
			[]string{"_dns.resolver.arpa", "SVCB"},
			[]string{"status: NOERROR", "ANSWER: 0"},
			nil,
			flow.Lookup{Over: "udp", Name: "_dns.resolver.arpa", Type: "SVCB", Code: "NOERROR"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := d.dig(t, c.args...)
			for _, want := range c.shows {
				if !strings.Contains(out, want) {
					t.Errorf("dig does not show %q:\n%s", want, out)
				}
			}
			got := *d.newest(t)
			if got.Time.IsZero() || got.Server != d.addr || !got.Client.IsValid() {
				t.Errorf("time %v, server %v, client %v", got.Time, got.Server, got.Client)
			}
			if asked := got.Error == "" && c.want.Type != "SVCB"; asked != (got.Resolver == s.addr) {
				t.Errorf("resolver %v", got.Resolver)
			}
			c.want.ID, c.want.Time, c.want.Duration, c.want.Client, c.want.Server, c.want.Resolver = got.ID, got.Time, got.Duration, got.Client, got.Server, got.Resolver
			if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
				t.Errorf("lookup (-want +got):\n%s", diff)
			}
		})
	}
}

// An answer with signatures reaches the client as it was sent, and dig's larger
// question over UDP has the server cut its answer, which dig then wants over TCP.
func TestDigSigned(t *testing.T) {
	s := newAuthority(t)
	d := newDoor(t, Config{Servers: []netip.AddrPort{s.addr}})
	out := d.dig(t, "+dnssec", "front.cdn.example.org", "A")
	if !strings.Contains(out, "RRSIG") || !strings.Contains(out, "flags: do") {
		t.Errorf("dig shows no signature:\n%s", out)
	}
	if l := d.newest(t); len(l.Answers) != 3 || !strings.Contains(l.Answers[2], " IN RRSIG A 13 4 300 ") {
		t.Errorf("answers %q", l.Answers)
	}
	out = d.dig(t, "+bufsize=512", "large.example.org", "TXT")
	if !strings.Contains(out, "0123456789") || !strings.Contains(out, "(TCP)") {
		t.Errorf("dig did not come again over TCP:\n%s", out)
	}
	if l := d.newest(t); l.Over != "tcp" || len(l.Answers) != 1 {
		t.Errorf("over %s: %q", l.Over, l.Answers)
	}
}

func TestPassedOnByteForByte(t *testing.T) {
	s := newAuthority(t)
	a := newAnswerer(t, Config{Servers: []netip.AddrPort{s.addr}})
	m := new(dns.Msg).SetQuestion("wWw.eXample.org.", dns.TypeA)
	m.SetEdns0(1400, true)
	m.CheckingDisabled, m.AuthenticatedData = true, true
	for _, over := range []string{"udp", "tcp"} {
		answer, l := a.Answer(context.Background(), pack(t, m), over, clientAddr)
		if l.Error != "" {
			t.Fatal(l.Error)
		}
		if got := unpackMsg(t, answer); got.Id != m.Id || got.Question[0].Name != "wWw.eXample.org." {
			t.Errorf("ID %d, question %v", got.Id, got.Question)
		}
		answer[0], answer[1] = 0, 0
		if sent := s.newest(); !bytes.Equal(answer, sent) {
			t.Errorf("%s: the answer is not as it was sent:\n%x\n%x", over, answer, sent)
		}
	}
}

// A server cuts answers for reasons of its own too; what fits the client is fetched.
func TestCutAnswerIsFetchedWhenItFits(t *testing.T) {
	s := newAuthority(t)
	pc, ln := listenBoth(t)
	addr := pc.LocalAddr().(*net.UDPAddr).AddrPort()
	var asked atomic.Int32
	cut := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		m.Truncated = true
		w.WriteMsg(m)
	})}
	whole := &dns.Server{Listener: ln, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) { asked.Add(1); s.ServeDNS(w, r) })}
	for _, srv := range []*dns.Server{cut, whole} {
		done := make(chan struct{})
		started := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(started) }
		go func() { defer close(done); srv.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { srv.Shutdown(); <-done })
	}
	a := newAnswerer(t, Config{Servers: []netip.AddrPort{addr}})
	answer, l := a.Answer(context.Background(), query(t, "www.example.org.", dns.TypeA), "udp", clientAddr)
	if m := unpackMsg(t, answer); m.Truncated || len(m.Answer) != 3 || len(l.Addresses) != 2 {
		t.Errorf("truncated %v, %d records, addresses %v", m.Truncated, len(m.Answer), l.Addresses)
	}
	answer, _ = a.Answer(context.Background(), query(t, "large.example.org.", dns.TypeTXT), "udp", clientAddr)
	if m := unpackMsg(t, answer); !m.Truncated || asked.Load() != 2 {
		t.Errorf("truncated %v, asked over TCP %d times", m.Truncated, asked.Load())
	}
}

func TestMalformedQueries(t *testing.T) {
	good := query(t, "www.example.org.", dns.TypeA)
	two := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	two.Question = append(two.Question, dns.Question{Name: "secret.example.net.", Qtype: dns.TypeA, Qclass: dns.ClassINET})
	answered := new(dns.Msg).SetReply(two)
	for _, c := range []struct {
		name, query, want string
		code              int // -1: no answer
		row               string
	}{
		{"empty", "", "not a question: shorter than a header", -1, ""},
		{"half a header", string(good[:7]), "not a question: shorter than a header", -1, ""},
		{"an answer", string(pack(t, answered)), "not a question: it is an answer", -1, ""},
		{"no question", string(append(bytes.Clone(good[:5]), 0, 0, 0, 0, 0, 0, 0)), "malformed query: it asks nothing", 1, ""},
		{"cut name", string(good[:20]), "malformed query: the question is not whole", 1, ""},
		{"cut type", string(good[:len(good)-1]), "malformed query: the question is not whole", 1, ""},
		{"name that points to itself", string(good[:12]) + "\xc0\x0c\x00\x01\x00\x01", "malformed query: the question is not whole", 1, ""},
		{"reserved label", string(good[:12]) + "\x41a\x00\x00\x01\x00\x01", "malformed query: the question is not whole", 1, ""},
		{"bytes behind the end", string(good) + "more", "malformed query: 4 bytes behind its end", 1, "www.example.org"},
		{"two questions", string(pack(t, two)), "malformed query: 2 questions in one message", 1, "www.example.org"},
		{"missing record", string(good[:11]) + "\x01" + string(good[12:]), "malformed query: a record is not whole", 1, "www.example.org"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAnswerer(t, Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}, Dial: noDial(t)})
			answer, l := a.Answer(context.Background(), []byte(c.query), "udp", clientAddr)
			if l.Error != c.want || l.Code != "" || l.Name != c.row {
				t.Errorf("error %q, want %q; code %q; name %q, want %q", l.Error, c.want, l.Code, l.Name, c.row)
			}
			switch {
			case c.code < 0 && answer != nil:
				t.Errorf("answered with %x", answer)
			case c.code >= 0:
				if m := unpackMsg(t, answer); !m.Response || m.Rcode != c.code || m.Id != uint16(c.query[0])<<8|uint16(c.query[1]) {
					t.Errorf("answered with %v", m)
				}
			}
		})
	}
}

func noDial(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		t.Error("a server was asked")
		return nil, errors.New("none")
	}
}

func TestServersInTurn(t *testing.T) {
	s := newAuthority(t)
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, ln := listenBoth(t)
	closed.Close()
	ln.Close()
	dead := closed.LocalAddr().(*net.UDPAddr).AddrPort()
	mute := silent.LocalAddr().(*net.UDPAddr).AddrPort()

	a := newAnswerer(t, Config{Servers: []netip.AddrPort{dead, mute, s.addr}, Timeout: 3 * time.Second})
	_, l := a.Answer(context.Background(), query(t, "front.cdn.example.org.", dns.TypeA), "udp", clientAddr)
	if l.Resolver != s.addr || l.Code != "NOERROR" || l.Error != "" {
		t.Errorf("resolver %v, code %q, error %q", l.Resolver, l.Code, l.Error)
	}

	a = newAnswerer(t, Config{Servers: []netip.AddrPort{dead, mute}, Timeout: 200 * time.Millisecond})
	q := new(dns.Msg).SetQuestion("front.cdn.example.org.", dns.TypeA)
	q.SetEdns0(1232, true)
	answer, l := a.Answer(context.Background(), pack(t, q), "udp", clientAddr)
	want := "no answer from " + dead.String() + " (connection refused), " + mute.String() + " (no answer in time)"
	if l.Error != want || l.Code != "" || l.Resolver.IsValid() {
		t.Errorf("error %q, want %q; code %q", l.Error, want, l.Code)
	}
	if m := unpackMsg(t, answer); m.Rcode != dns.RcodeServerFailure || len(m.Question) != 1 || m.IsEdns0() == nil || !m.IsEdns0().Do() {
		t.Errorf("answered with %v", m)
	}

	a = newAnswerer(t, Config{Servers: []netip.AddrPort{s.addr, dead}})
	if _, l = a.Answer(context.Background(), query(t, "broken.example.org.", dns.TypeA), "udp", clientAddr); l.Code != "SERVFAIL" || l.Resolver != s.addr {
		t.Errorf("code %q of %v, error %q", l.Code, l.Resolver, l.Error)
	}
}

// Whoever guesses the port still has to know the question and the ID.
func TestForeignAnswersAreIgnored(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	defer func() { pc.Close(); <-done }()
	ids := map[uint16]bool{}
	go func() {
		defer close(done)
		buf := make([]byte, 512)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var q dns.Msg
			if q.Unpack(buf[:n]) != nil {
				continue
			}
			ids[q.Id] = true
			reply := func(change func(*dns.Msg)) {
				m := new(dns.Msg).SetReply(&q)
				rr, _ := dns.NewRR(m.Question[0].Name + " 60 IN A 203.0.113.66")
				m.Answer = []dns.RR{rr}
				change(m)
				b, _ := m.Pack()
				pc.WriteTo(b, from)
			}
			reply(func(m *dns.Msg) { m.Id++ })
			reply(func(m *dns.Msg) { m.Response = false })
			reply(func(m *dns.Msg) { m.Question[0].Name = "x" + m.Question[0].Name[1:] })
			reply(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA })
			reply(func(m *dns.Msg) { m.Question = nil })
			reply(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify })
			pc.WriteTo([]byte{buf[0], buf[1], 0x80}, from)
			if strings.HasPrefix(q.Question[0].Name, "real") {
				reply(func(m *dns.Msg) {
					m.Question[0].Name = strings.ToUpper(m.Question[0].Name)
					m.Answer[0].(*dns.A).A = net.IPv4(192, 0, 2, 77)
				})
			}
		}
	}()
	servers := []netip.AddrPort{pc.LocalAddr().(*net.UDPAddr).AddrPort()}
	a := newAnswerer(t, Config{Servers: servers})
	for range 20 {
		_, l := a.Answer(context.Background(), query(t, "real.example.", dns.TypeA), "udp", clientAddr)
		if diff := cmp.Diff(addrs("192.0.2.77"), l.Addresses, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Fatalf("addresses (-want +got):\n%s\n%s", diff, l.Error)
		}
	}
	a = newAnswerer(t, Config{Servers: servers, Timeout: 300 * time.Millisecond})
	if _, l := a.Answer(context.Background(), query(t, "spoofed.example.", dns.TypeA), "udp", clientAddr); l.Code != "" || !strings.Contains(l.Error, "no answer in time") {
		t.Errorf("code %q, error %q", l.Code, l.Error)
	}
	pc.Close()
	<-done
	if len(ids) < 18 {
		t.Errorf("21 questions had %d IDs", len(ids))
	}
}

func TestNamesOfOurOwn(t *testing.T) {
	a := newAnswerer(t, Config{
		Resolve: map[string]string{
			"API.example.org:443": "192.0.2.5", "api.example.org:80": "[2001:db8::5]:8080", "two.example:1": "192.0.2.6:70",
		},
		LocalHost: "constat.test", LocalAddrs: addrs("10.77.0.1", "fd77::1"), Dial: noDial(t),
	})
	for _, c := range []struct {
		name string
		typ  uint16
		want []netip.Addr
	}{
		{"api.Example.org.", dns.TypeA, addrs("192.0.2.5")},
		{"api.example.org.", dns.TypeAAAA, addrs("2001:db8::5")},
		{"api.example.org.", dns.TypeHTTPS, nil},
		{"two.example.", dns.TypeAAAA, nil},
		{"two.example.", dns.TypeA, addrs("192.0.2.6")},
		{"constat.test.", dns.TypeANY, addrs("10.77.0.1", "fd77::1")},
	} {
		answer, l := a.Answer(context.Background(), query(t, c.name, c.typ), "udp", clientAddr)
		m := unpackMsg(t, answer)
		if len(m.Answer) != len(c.want) || m.Rcode != 0 || l.Code != "NOERROR" || l.Resolver.IsValid() || l.Error != "" {
			t.Errorf("%s %s: %v; lookup %+v", c.name, typeName(c.typ), m, l)
		}
		if diff := cmp.Diff(c.want, l.Addresses, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.name, typeName(c.typ), diff)
		}
	}
	for _, bad := range []map[string]string{{"noport": "192.0.2.1"}, {"a:1": "nonsense"}, {"a:1": ""}} {
		if _, err := New(Config{Resolve: bad}); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

func TestSystemServers(t *testing.T) {
	s := newAuthority(t)
	file := filepath.Join(t.TempDir(), "resolv.conf")
	var asked []string
	a := newAnswerer(t, Config{ResolvConf: file, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		asked = append(asked, address)
		if address != "192.0.2.2:53" {
			return nil, errors.New("refused")
		}
		return new(net.Dialer).DialContext(ctx, network, s.addr.String())
	}})
	ask := func() *flow.Lookup {
		asked = nil
		_, l := a.Answer(context.Background(), query(t, "front.cdn.example.org.", dns.TypeA), "udp", clientAddr)
		return l
	}
	if l := ask(); l.Error != "no DNS server is known: "+file+" cannot be read" {
		t.Errorf("error %q", l.Error)
	}
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# none\nsearch example.org\n")
	if ask(); !cmp.Equal(asked, []string{"127.0.0.1:53"}) {
		t.Errorf("asked %q", asked)
	}
	write("nameserver 192.0.2.1\n;nameserver 192.0.2.9\nnameserver nonsense\nnameserver\t192.0.2.2 # second\noptions edns0\nnameserver fe80::1%eth0\nnameserver 192.0.2.4\n")
	if l := ask(); l.Resolver != netip.MustParseAddrPort("192.0.2.2:53") || !cmp.Equal(asked, []string{"192.0.2.1:53", "192.0.2.2:53"}) {
		t.Errorf("resolver %v, asked %q", l.Resolver, asked)
	}
	write("nameserver fe80::1%eth0\n")
	if l := ask(); !cmp.Equal(asked, []string{"[fe80::1%eth0]:53"}) || l.Error != "no answer from [fe80::1%eth0]:53 (refused)" {
		t.Errorf("asked %q, error %q", asked, l.Error)
	}
}

func TestQuestionsOfOneClientAreBounded(t *testing.T) {
	s := newAuthority(t)
	var now, most atomic.Int32
	release := make(chan struct{})
	a := newAnswerer(t, Config{Servers: []netip.AddrPort{s.addr}, PerClient: 3, Timeout: 20 * time.Second, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-release
		return new(net.Dialer).DialContext(ctx, network, address)
	}})
	var wait sync.WaitGroup
	var good atomic.Int32
	for range 30 {
		wait.Go(func() {
			if _, l := a.Answer(context.Background(), query(t, "front.cdn.example.org.", dns.TypeA), "udp", clientAddr); l.Code == "NOERROR" {
				good.Add(1)
			}
		})
	}
	for now.Load() < 3 {
		time.Sleep(time.Millisecond)
	}
	for range 30 {
		release <- struct{}{}
	}
	wait.Wait()
	if most.Load() != 3 || good.Load() != 30 {
		t.Errorf("%d at a time, %d answered", most.Load(), good.Load())
	}

	wait.Go(func() { a.Answer(context.Background(), query(t, "a.example.org.", dns.TypeA), "udp", clientAddr) })
	wait.Go(func() { a.Answer(context.Background(), query(t, "b.example.org.", dns.TypeA), "udp", clientAddr) })
	wait.Go(func() { a.Answer(context.Background(), query(t, "c.example.org.", dns.TypeA), "udp", clientAddr) })
	for now.Load() < 3 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	answer, l := a.Answer(ctx, query(t, "d.example.org.", dns.TypeA), "udp", clientAddr)
	if l.Error != "too many questions of this client at a time" || unpackMsg(t, answer).Rcode != dns.RcodeServerFailure {
		t.Errorf("error %q", l.Error)
	}
	close(release)
	if _, l := a.Answer(context.Background(), query(t, "www.example.org.", dns.TypeA), "udp", netip.MustParseAddr("10.0.0.3")); l.Code != "NOERROR" {
		t.Errorf("another client: %q", l.Error)
	}
	wait.Wait()
	if len(a.limit.clients) != 0 {
		t.Errorf("%d clients are still held", len(a.limit.clients))
	}
}

// The upper bits of a response code are in the additional section (RFC 6891 section
// 6.1.3), behind records that are of no interest.
func TestExtendedCode(t *testing.T) {
	ask := new(dns.Msg).SetQuestion("x.", dns.TypeA)
	q, err := parseQuestion(pack(t, ask))
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[int]string{dns.RcodeBadVers: "BADVERS", dns.RcodeBadCookie: "BADCOOKIE", 2748: "RCODE2748", dns.RcodeYXDomain: "YXDOMAIN"} {
		m := new(dns.Msg).SetReply(ask)
		soa, _ := dns.NewRR(". 60 IN SOA a. b. 1 2 3 4 5")
		m.Ns = []dns.RR{soa}
		m.SetEdns0(1232, false)
		m.Rcode = code
		var l flow.Lookup
		if facts(&l, q, pack(t, m)); l.Code != want {
			t.Errorf("%d: %q, want %q", code, l.Code, want)
		}
	}
}

func TestRowName(t *testing.T) {
	long := strings.Repeat("\x01", 63)
	for _, c := range []struct{ name, want string }{
		{".", "."},
		{"WWW.Example.ORG.", "www.example.org"},
		{"xn--bcher-kva.example.", "xn--bcher-kva.example"},
	} {
		if got := rowName(c.name); got != c.want {
			t.Errorf("%q: %q, want %q", c.name, got, c.want)
		}
	}
	wire := []byte{63}
	wire = append(wire, long...)
	wire = append(append(wire, 63), long...)
	wire = append(wire, "\x07example\x03org\x00"...)
	msg := append(append(query(t, ".", dns.TypeA)[:12:12], wire...), 0, 1, 0, 1)
	q, err := parseQuestion(msg)
	if err != nil || !strings.HasPrefix(q.name, "….") || !strings.HasSuffix(q.name, ".example.org") || len(q.name) > 253 {
		t.Errorf("%q, %v", q.name, err)
	}
}

// One question with an answer of two addresses, without the network.
func BenchmarkAnswer(b *testing.B) {
	m := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	q := pack(b, m)
	m.Response = true
	for _, s := range []string{"www.example.org. 300 IN CNAME a.cdn.example.", "a.cdn.example. 60 IN A 192.0.2.1", "a.cdn.example. 60 IN A 192.0.2.2"} {
		rr, err := dns.NewRR(s)
		if err != nil {
			b.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	said := pack(b, m)[2:]
	a := newAnswerer(b, Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}, Dial: func(context.Context, string, string) (net.Conn, error) {
		return &saying{said: said}, nil
	}})
	for b.Loop() {
		if _, l := a.Answer(context.Background(), q, "udp", clientAddr); len(l.Addresses) != 2 {
			b.Fatal(l.Error)
		}
	}
}
