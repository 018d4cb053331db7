package ui

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	phone = netip.MustParseAddr("192.0.2.10")
	other = netip.MustParseAddr("192.0.2.11")
	six   = netip.MustParseAddr("2001:db8::10")
)

func TestEnrolment(t *testing.T) {
	e := NewEnrolment(false)
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	e.clock = func() time.Time { return now }
	for _, a := range []string{"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"} {
		if !e.Admit(netip.MustParseAddr(a)) {
			t.Errorf("loopback client %s is not admitted", a)
		}
	}
	for _, a := range []netip.Addr{phone, six, {}} {
		if e.Admit(a) {
			t.Errorf("%v is admitted without a token", a)
		}
	}

	first := e.Token()
	if e.Token() != first {
		t.Error("an unused token changes")
	}
	for text, want := range map[string]redemption{
		"":                       unknown,
		first[1:]:                unknown,
		first + "a":              unknown,
		strings.Repeat("a", 32):  unknown,
		strings.Repeat("a", 1e6): unknown,
	} {
		if got := e.redeem(text, phone); got != want {
			t.Errorf("redeem(%.40q) = %s, want %s", text, got, want)
		}
	}
	if got := e.redeem(first, netip.Addr{}); got != unknown {
		t.Errorf("a client without an address: %s", got)
	}
	typed := strings.ToUpper(first[:8] + "-" + first[8:])
	if got := e.redeem(typed, netip.MustParseAddr("::ffff:192.0.2.10")); got != enrolled {
		t.Errorf("typed in by hand: %s", got)
	}
	if !e.Admit(phone) || e.Admit(other) || e.Admit(six) {
		t.Error("the token enrolled somebody else, or nobody")
	}
	if got := e.redeem(first, phone); got != enrolled {
		t.Errorf("the same client again: %s", got)
	}
	if got := e.redeem(first, other); got != used {
		t.Errorf("another client with the same token: %s", got)
	}

	second := e.Token()
	if second == first {
		t.Error("a used token is handed out again")
	}
	now = now.Add(24 * time.Hour)
	if got := e.redeem(second, other); got != expired {
		t.Errorf("a day later: %s", got)
	}
	if third := e.Token(); third == second {
		t.Error("an expired token is handed out again")
	} else if got := e.redeem(third, six); got != enrolled || !e.Admit(six) {
		t.Errorf("the third token: %s", got)
	}
	if e.Admit(netip.MustParseAddr("2001:db8::11")) {
		t.Error("a neighbour of an enrolled IPv6 address is admitted")
	}
	if !e.Admit(phone) {
		t.Error("an enrolment ended with its token's day")
	}
}

func TestEnrolmentOpen(t *testing.T) {
	if !NewEnrolment(true).Admit(phone) {
		t.Error("open, and a client is not admitted")
	}
}

func TestEnrolmentBounds(t *testing.T) {
	e := NewEnrolment(false)
	for i := range maxClients {
		a := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		if got := e.redeem(e.Token(), a); got != enrolled {
			t.Fatalf("client %d: %s", i, got)
		}
	}
	if got := e.redeem(e.Token(), phone); got != full {
		t.Errorf("one client too many: %s", got)
	}
	if len(e.tokens) > maxTokens || len(e.clients) > maxClients {
		t.Errorf("%d tokens and %d clients are kept", len(e.tokens), len(e.clients))
	}
}

func TestTokensAreLongAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		text := newTokenText()
		if len(text) != 32 || seen[text] { // 32 × 5 bits
			t.Fatalf("token %q", text)
		}
		seen[text] = true
	}
}

func TestEnrolmentRace(t *testing.T) {
	e := NewEnrolment(false)
	token := e.Token()
	var wg sync.WaitGroup
	got := make([]redemption, 50)
	for i := range got {
		wg.Go(func() {
			a := netip.MustParseAddr(fmt.Sprintf("10.0.0.%d", i))
			got[i] = e.redeem(token, a)
			e.Admit(a)
			e.Token()
		})
	}
	wg.Wait()
	n := 0
	for _, r := range got {
		if r == enrolled {
			n++
		}
	}
	if n != 1 {
		t.Errorf("one token enrolled %d clients", n)
	}
}
