package dns

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/miekg/dns"

	"constat/proxy/flow"
)

func checkRow(t *testing.T, l *flow.Lookup) {
	t.Helper()
	if len(l.Name) > 253 || len(l.Answers) > flow.MaxAnswers || len(l.Addresses) > maxAddresses || !utf8.ValidString(l.Name) {
		t.Fatalf("name of %d bytes, %d answers, %d addresses", len(l.Name), len(l.Answers), len(l.Addresses))
	}
	if strings.ToLower(l.Name) != l.Name {
		t.Fatalf("name %q", l.Name)
	}
	for _, line := range l.Answers {
		if len(line) > maxLine+len(" ; cut") || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("line %q", line)
		}
	}
}

// Whatever a client sends is forwarded whole or not at all, and makes a row.
func FuzzQuery(f *testing.F) {
	f.Add(query(f, "www.example.org.", dns.TypeA))
	m := new(dns.Msg).SetQuestion("x.", dns.TypeHTTPS)
	m.SetEdns0(4096, true)
	f.Add(pack(f, m))
	f.Add([]byte("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := parseQuestion(b)
		if err != nil {
			if a := header(append(b, make([]byte, headerLen)...), 1); len(a) != headerLen {
				t.Fatal("no header")
			}
			return
		}
		if q.end > len(b) || len(q.name) > 253 {
			t.Fatalf("question ends at %d of %d, name of %d bytes", q.end, len(b), len(q.name))
		}
		l := new(flow.Lookup)
		reply := q.reply(0, addrs("192.0.2.1", "2001:db8::1"))
		facts(l, q, reply)
		checkRow(t, l)
		if l.Error != "" || len(l.Answers) != 2 {
			t.Fatalf("our own answer: %q, %q", l.Error, l.Answers)
		}
		if new(dns.Msg).Unpack(reply) != nil {
			t.Fatalf("our own answer is not well formed: %x", reply)
		}
	})
}

// Whatever a server says makes a bounded row; stripped answers have no hints.
func FuzzAnswer(f *testing.F) {
	q := query(f, "x.", dns.TypeHTTPS)
	for _, c := range stripped {
		rr, err := dns.NewRR(c.have)
		if err != nil {
			f.Fatal(err)
		}
		m := new(dns.Msg).SetQuestion("x.", dns.TypeHTTPS)
		m.Response, m.Answer = true, []dns.RR{rr}
		f.Add(pack(f, m)[2:])
	}
	for _, s := range []string{
		"x. 1 IN CNAME y.", `x. 1 IN TXT "a\"b" "\001\255"`, "x. 1 IN NSEC y. A MX TYPE65400", "x. 1 IN LOC 52 22 23 N 4 53 32 E 2 0 10000 10",
		"x. 1 IN NAPTR 1 2 \"u\" \"s\" \"!^.*$!a!\" .", "x. 1 IN CAA 0 issue \"ca.example\"", "x. 1 IN APL 1:192.0.2.0/24", "x. 1 IN URI 1 2 \"https://x/\"",
	} {
		rr, err := dns.NewRR(s)
		if err != nil {
			f.Fatal(err)
		}
		m := new(dns.Msg).SetQuestion("x.", dns.TypeHTTPS)
		m.Response, m.Answer = true, []dns.RR{rr}
		f.Add(pack(f, m)[2:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := New(Config{StripHints: true, Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}, Dial: func(context.Context, string, string) (net.Conn, error) {
			return &saying{said: b}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		answer, l := a.Answer(context.Background(), q, "udp", clientAddr)
		checkRow(t, l)
		if l.Code == "" && l.Error == "" {
			t.Fatal("neither code nor error")
		}
		var m dns.Msg
		if m.Unpack(answer) != nil {
			return
		}
		for _, rr := range append(append(m.Answer, m.Ns...), m.Extra...) {
			s, ok := rr.(*dns.HTTPS)
			if !ok {
				continue
			}
			for _, v := range s.Value {
				if v.Key() == dns.SVCB_ECHCONFIG {
					t.Fatalf("a hint is left: %v", rr)
				}
			}
		}
	})
}

// saying is a server that answers every question with the same bytes.
type saying struct {
	net.Conn
	said []byte
	id   []byte
	done bool
}

func (c *saying) Write(b []byte) (int, error) {
	c.id = append(c.id, b[:2]...)
	return len(b), nil
}

func (c *saying) Read(b []byte) (int, error) {
	if c.done {
		return 0, net.ErrClosed
	}
	c.done = true
	return copy(b, append(c.id, c.said...)), nil
}

func (c *saying) Close() error { return nil }

func (c *saying) SetDeadline(time.Time) error { return nil }
