package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"constat/proxy/flow"
)

// exchangeWith asks over a connection of its own.
func exchangeWith(t *testing.T, d *door, network, name string, typ uint16, timeout time.Duration) (*dns.Msg, error) {
	t.Helper()
	c := dns.Client{Net: network, Timeout: timeout, UDPSize: 4096}
	m, _, err := c.Exchange(new(dns.Msg).SetQuestion(name, typ), d.addr.String())
	return m, err
}

func TestNoAnswerWithoutRow(t *testing.T) {
	s := newAuthority(t)
	d := newDoor(t, Config{Servers: []netip.AddrPort{s.addr}})
	full := errors.New("disk full")
	d.record = func(l *flow.Lookup) error { return full }
	for _, network := range []string{"udp", "tcp"} {
		if m, err := exchangeWith(t, d, network, "www.example.org.", dns.TypeA, 500*time.Millisecond); err == nil {
			t.Errorf("%s: answered with %v", network, m)
		}
	}
	d.mu.Lock()
	d.record = nil
	d.mu.Unlock()
	for _, network := range []string{"udp", "tcp"} {
		if m, err := exchangeWith(t, d, network, "www.example.org.", dns.TypeA, 5*time.Second); err != nil || len(m.Answer) != 3 {
			t.Errorf("%s: %v, %v", network, m, err)
		}
	}

	a := newAnswerer(t, Config{Servers: []netip.AddrPort{s.addr}})
	client, server := net.Pipe()
	defer client.Close()
	ended := make(chan error, 1)
	go func() { ended <- a.ServePacket(context.Background(), server, func(*flow.Lookup) error { return full }) }()
	client.Write(query(t, "www.example.org.", dns.TypeA))
	if err := <-ended; !errors.Is(err, full) {
		t.Errorf("ServePacket: %v", err)
	}
}

// The row is kept before the client sees the first byte of the answer.
func TestRowBeforeAnswer(t *testing.T) {
	s := newAuthority(t)
	a := newAnswerer(t, Config{Servers: []netip.AddrPort{s.addr}})
	for _, stream := range []bool{false, true} {
		client, server := net.Pipe()
		recorded := make(chan struct{})
		ended := make(chan error, 1)
		serve := a.ServePacket
		if stream {
			serve = a.ServeStream
		}
		go func() {
			ended <- serve(context.Background(), server, func(*flow.Lookup) error {
				client.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				if n, err := client.Read(make([]byte, 1)); err == nil {
					t.Errorf("the client has %d bytes before the row is kept", n)
				}
				client.SetReadDeadline(time.Time{})
				close(recorded)
				return nil
			})
		}()
		q := query(t, "www.example.org.", dns.TypeA)
		if stream {
			q = append([]byte{0, byte(len(q))}, q...)
		}
		client.Write(q)
		<-recorded
		if _, err := client.Read(make([]byte, 4096)); err != nil {
			t.Errorf("no answer: %v", err)
		}
		client.Close()
		if err := <-ended; err != nil && !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
	}
}

// Questions on one connection do not wait for each other, and bytes come in whatever
// pieces the network makes of them.
func TestManyQuestionsOnOneStream(t *testing.T) {
	s := newAuthority(t)
	d := newDoor(t, Config{Servers: []netip.AddrPort{s.addr}, Timeout: 2 * time.Second})
	conn, err := net.Dial("tcp", d.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var all []byte
	const questions = 40
	for i := range questions {
		name := "www.example.org."
		if i == 0 {
			name = "silent.example.org."
		}
		m := new(dns.Msg).SetQuestion(name, dns.TypeA)
		m.Id = uint16(i)
		b := pack(t, m)
		all = append(binary.BigEndian.AppendUint16(all, uint16(len(b))), b...)
	}
	for len(all) > 0 {
		n := min(7, len(all))
		if _, err := conn.Write(all[:n]); err != nil {
			t.Fatal(err)
		}
		all = all[n:]
	}
	conn.(*net.TCPConn).CloseWrite()
	seen := map[uint16]bool{}
	var last uint16
	co := &dns.Conn{Conn: conn}
	for range questions {
		m, err := co.ReadMsg()
		if err != nil {
			t.Fatalf("after %d answers: %v", len(seen), err)
		}
		last = m.Id
		seen[m.Id] = true
	}
	if len(seen) != questions || last != 0 {
		t.Errorf("%d answers, the last to question %d", len(seen), last)
	}
	if _, err := co.ReadMsg(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last answer: %v", err)
	}
}

func TestStreamsThatAreNoDNS(t *testing.T) {
	a := newAnswerer(t, Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}, Dial: noDial(t)})
	for _, c := range []struct {
		name, sent string
		rows       int
		want       error
	}{
		{"closed at once", "", 0, nil},
		{"half a length", "\x00", 0, io.ErrUnexpectedEOF},
		{"cut message", "\x00\x20abc", 0, io.ErrUnexpectedEOF},
		{"empty message", "\x00\x00", 1, nil},
		{"TLS", "\x00\x15\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 1, nil},
	} {
		client, server := net.Pipe()
		var rows atomic.Int32
		ended := make(chan error, 1)
		go func() {
			ended <- a.ServeStream(context.Background(), server, func(l *flow.Lookup) error {
				if l.Error == "" || l.Over != "tcp" {
					t.Errorf("%s: %+v", c.name, l)
				}
				rows.Add(1)
				return nil
			})
		}()
		go io.Copy(io.Discard, client)
		client.Write([]byte(c.sent))
		for rows.Load() < int32(c.rows) {
			time.Sleep(time.Millisecond)
		}
		client.Close()
		if err := <-ended; !errors.Is(err, c.want) || rows.Load() != int32(c.rows) {
			t.Errorf("%s: %v, %d rows", c.name, err, rows.Load())
		}
	}
}

// What does not fit a question is not read as one: its first part could look whole.
func TestLargeDatagram(t *testing.T) {
	a := newAnswerer(t, Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}, Dial: noDial(t)})
	d := &door{a: a}
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	client, err := net.DialUDP("udp", nil, pc.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	q := query(t, "www.example.org.", dns.TypeA)
	client.Write(append(q, make([]byte, 9000)...))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	from := client.LocalAddr().(*net.UDPAddr).AddrPort()
	go func() { ended <- a.ServePacket(ctx, socketConn{pc, from}, d.keep) }()
	answer := make([]byte, 512)
	client.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := client.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	if m := unpackMsg(t, answer[:n]); m.Rcode != dns.RcodeFormatError {
		t.Errorf("answered with %v", m)
	}
	if l := d.newest(t); !strings.HasPrefix(l.Error, "malformed query") {
		t.Errorf("error %q", l.Error)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// socketConn is the flow of one client on a socket of its own.
type socketConn struct {
	*net.UDPConn
	from netip.AddrPort
}

func (c socketConn) Write(b []byte) (int, error) { return c.WriteToUDPAddrPort(b, c.from) }
func (c socketConn) RemoteAddr() net.Addr        { return net.UDPAddrFromAddrPort(c.from) }

// The end of the context ends questions on their way, with a row that says so.
func TestStop(t *testing.T) {
	mute, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	addr := mute.LocalAddr().(*net.UDPAddr).AddrPort()
	a := newAnswerer(t, Config{Servers: []netip.AddrPort{addr}, Timeout: time.Minute})
	ctx, cancel := context.WithCancel(context.Background())
	client, server := net.Pipe()
	defer client.Close()
	go io.Copy(io.Discard, client)
	ended := make(chan error, 1)
	d := &door{a: a}
	go func() { ended <- a.ServePacket(ctx, server, d.keep) }()
	client.Write(query(t, "www.example.org.", dns.TypeA))
	mute.ReadFrom(make([]byte, 512))
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if l := d.newest(t); l.Error != "no answer from "+addr.String()+" (stopped)" {
		t.Errorf("error %q", l.Error)
	}
}

// A fault ends the connection, with an error, and nothing else.
func TestFault(t *testing.T) {
	a := newAnswerer(t, Config{Now: func() time.Time { panic("a fault") }})
	client, server := net.Pipe()
	defer client.Close()
	ended := make(chan error, 1)
	go func() { ended <- a.ServePacket(context.Background(), server, func(*flow.Lookup) error { return nil }) }()
	client.Write(query(t, "www.example.org.", dns.TypeA))
	if err := <-ended; !errors.Is(err, errFault) {
		t.Error(err)
	}
}
