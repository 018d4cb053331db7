package dns

import (
	"context"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// One line each: the record of the server, what is left of it for the client ("" when
// nothing is), and whether the answer is altered at all.
var stripped = []struct{ have, left string }{
	// hits
	{`x. 60 IN HTTPS 1 . alpn="h3,h2" ech="AEX+DQ=="`, `x. 60 IN HTTPS 1 . alpn="h2"`},
	{`x. 60 IN HTTPS 1 . alpn="h3" port="8443"`, `x. 60 IN HTTPS 1 . port="8443"`},
	{`x. 60 IN HTTPS 1 . alpn="h3,h3-29"`, `x. 60 IN HTTPS 1 .`},
	{`x. 60 IN HTTPS 1 . alpn="h3" no-default-alpn=""`, ``},
	{`x. 60 IN HTTPS 1 . mandatory="alpn,ech" alpn="h2,h3" ech="AEX+DQ=="`, `x. 60 IN HTTPS 1 . mandatory="alpn" alpn="h2"`},
	{`x. 60 IN HTTPS 1 . mandatory="ech" alpn="h2" ech="AEX+DQ==" ipv4hint="192.0.2.1"`, `x. 60 IN HTTPS 1 . alpn="h2" ipv4hint="192.0.2.1"`},
	{`_x. 60 IN SVCB 2 y. alpn="h2,h3-32" key65400="abc"`, `_x. 60 IN SVCB 2 y. alpn="h2" key65400="abc"`},
	// near misses
	{`x. 60 IN HTTPS 1 . alpn="h2,http/1.1" ipv4hint="192.0.2.1"`, `x. 60 IN HTTPS 1 . alpn="h2,http/1.1" ipv4hint="192.0.2.1"`},
	{`x. 60 IN HTTPS 0 y.`, `x. 60 IN HTTPS 0 y.`},
	{`x. 60 IN HTTPS 1 . alpn="h33,xh3" no-default-alpn=""`, `x. 60 IN HTTPS 1 . alpn="h33,xh3" no-default-alpn=""`},
	{`x. 60 IN TXT "alpn=h3 ech=AEX+DQ=="`, `x. 60 IN TXT "alpn=h3 ech=AEX+DQ=="`},
}

func TestStrip(t *testing.T) {
	altered := 0
	for _, c := range stripped {
		rr, err := dns.NewRR(c.have)
		if err != nil {
			t.Fatal(err)
		}
		m := new(dns.Msg).SetQuestion(rr.Header().Name, rr.Header().Rrtype)
		m.Response, m.AuthenticatedData = true, true
		other, _ := dns.NewRR("x. 60 IN A 192.0.2.9")
		m.Answer = []dns.RR{rr, other}
		m.SetEdns0(1232, true)
		out, err := strip(pack(t, m))
		if err != nil {
			t.Fatalf("%s: %v", c.have, err)
		}
		if c.left == c.have {
			if out != nil {
				t.Errorf("%s: altered", c.have)
			}
			continue
		}
		altered++
		if out == nil {
			t.Errorf("%s: not altered", c.have)
			continue
		}
		got := unpackMsg(t, out)
		var lines []string
		for _, rr := range got.Answer {
			lines = append(lines, strings.TrimSpace(visible(rr.String())))
		}
		want := []string{c.left, "x. 60 IN A 192.0.2.9"}
		if c.left == "" {
			want = want[1:]
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.have, diff)
		}
		if got.AuthenticatedData || got.IsEdns0() == nil || got.Id != m.Id {
			t.Errorf("%s: AD %v, %v", c.have, got.AuthenticatedData, got.IsEdns0())
		}
	}
	if altered == 0 || altered == len(stripped) {
		t.Fatalf("%d of %d are hits", altered, len(stripped))
	}
}

func TestStripIsAnOption(t *testing.T) {
	s := newAuthority(t)
	for _, on := range []bool{false, true} {
		d := newDoor(t, Config{Servers: []netip.AddrPort{s.addr}, StripHints: on})
		out := strings.ReplaceAll(strings.ToLower(d.dig(t, "+short", "+nosplit", "front.cdn.example.org", "TYPE65")), " ", "")
		l := d.newest(t)
		if len(l.Answers) != 1 || !strings.Contains(l.Answers[0], `alpn="h3,h2"`) || !strings.Contains(l.Answers[0], " ech=") {
			t.Errorf("the row has not what the server said: %q", l.Answers)
		}
		shown := strings.Contains(out, "ech=") || strings.Contains(out, hex.EncodeToString([]byte("cloudflare-ech.com")))
		if shown == on || l.Stripped != on {
			t.Errorf("strip %v: stripped %v, the client sees\n%s", on, l.Stripped, out)
		}
		if !slices.Equal(l.Addresses, addrs("192.0.2.12")) {
			t.Errorf("addresses %v", l.Addresses)
		}
		d.dig(t, "plain.example.org", "TYPE65")
		if d.newest(t).Stripped {
			t.Error("an answer without hints is called stripped")
		}
	}
}

// A message that cannot be read may have hints that a client can read.
func TestStripKeepsBackWhatItCannotRead(t *testing.T) {
	m := new(dns.Msg).SetQuestion("x.", dns.TypeHTTPS)
	m.Response = true
	rr, _ := dns.NewRR(stripped[0].have)
	m.Answer = []dns.RR{rr}
	b := pack(t, m)
	b[7] = 2 // one record more than there is
	if out, err := strip(b); err == nil {
		t.Errorf("stripped to %x", out)
	}
	hip, _ := dns.NewRR("x. 60 IN HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs.example.")
	m.Answer = []dns.RR{rr, hip}
	if out, err := strip(pack(t, m)); err == nil {
		t.Errorf("stripped to %x", out)
	}

	pc, ln := listenBoth(t)
	ln.Close()
	srv := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		b[0], b[1] = byte(r.Id>>8), byte(r.Id)
		w.Write(b)
	})}
	done := make(chan struct{})
	started := make(chan struct{})
	srv.NotifyStartedFunc = func() { close(started) }
	go func() { defer close(done); srv.ActivateAndServe() }()
	<-started
	defer func() { srv.Shutdown(); <-done }()
	conf := Config{Servers: []netip.AddrPort{pc.LocalAddr().(interface{ AddrPort() netip.AddrPort }).AddrPort()}}
	for _, on := range []bool{true, false} {
		conf.StripHints = on
		answer, l := newAnswerer(t, conf).Answer(context.Background(), query(t, "x.", dns.TypeHTTPS), "udp", clientAddr)
		if kept := answer[3]&15 == dns.RcodeServerFailure; kept != on || l.Stripped || l.Error == "" || (l.Code == "") != on || len(l.Answers) != 1 {
			t.Errorf("strip %v: kept back %v, %+v", on, kept, l)
		}
	}
}
