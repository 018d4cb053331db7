package proxy

import (
	"fmt"
	"testing"
	"time"

	"constat/proxy/flow"
)

func TestPasses(t *testing.T) {
	now := time.Date(2014, 7, 20, 8, 0, 0, 0, time.UTC)
	p := newPasses(2, 15*time.Minute)
	p.clock = func() time.Time { return now }
	refused := func(device, host, alert, problem string) {
		p.ended(&flow.Connection{Device: device, Host: "192.0.2.1", SNI: host, Outcome: flow.ClientRefused, ClientTLS: &flow.TLS{Alert: alert, Error: problem}}, true)
	}
	closed := func(host string, abrupt bool) {
		p.ended(&flow.Connection{Device: "a", Host: host, Outcome: flow.SuspectedPin, ClientTLS: &flow.TLS{}}, abrupt)
	}
	passing := func(device, host string) bool { return p.reason(device, host) != "" }
	refused("a", "x.example", "unknown_ca", "")
	refused("b", "x.example", "unknown_ca", "")
	refused("a", "y.example", "unknown_ca", "")
	if passing("a", "x.example") || passing("b", "x.example") {
		t.Error("one refusal is enough")
	}
	refused("a", "X.example", "", "closed")
	if !passing("a", "x.example") || passing("b", "x.example") || passing("a", "y.example") {
		t.Error("two refusals are not enough, or count for others")
	}
	now = now.Add(16 * time.Minute)
	if passing("a", "x.example") {
		t.Error("it is not tried again")
	}
	refused("a", "x.example", "bad_certificate", "")
	if !passing("a", "x.example") {
		t.Error("one more refusal after the trial is not enough")
	}
	now = now.Add(time.Hour)
	refused("a", "x.example", "bad_certificate", "")
	if passing("a", "x.example") {
		t.Error("refusals are never forgotten")
	}
	for range 5 {
		refused("a", "old.example", "protocol_version", "alert protocol_version")
		refused("a", "slow.example", "", "timeout")
		p.ended(&flow.Connection{Device: "a", Host: "gone.example", Outcome: flow.ServerFailed, ClientTLS: &flow.TLS{}}, true)
		p.ended(&flow.Connection{Device: "a", Host: "plain.example", Outcome: flow.Raw}, true)
		closed("spare.example", false)
		closed("pinned.example", true)
	}
	if !passing("a", "pinned.example") {
		t.Error("an app that closes at once does not count")
	}
	for _, host := range []string{"old.example", "slow.example", "gone.example", "plain.example", "spare.example"} {
		if passing("a", host) {
			t.Errorf("%s passes, and nobody refused a certificate", host)
		}
	}
	for n := range maxPasses + 10 {
		now = now.Add(time.Millisecond)
		refused("flood", fmt.Sprint(n, ".example"), "unknown_ca", "")
	}
	if len(p.list) > maxPasses {
		t.Errorf("%d entries", len(p.list))
	}
}

// TestQUICRefusals: what apps refuse over QUIC has them come over TCP, and passes only
// where they do not.
func TestQUICRefusals(t *testing.T) {
	now := time.Now()
	p := newPasses(3, 15*time.Minute)
	p.clock = func() time.Time { return now }
	ended := func(transport string, o flow.Outcome, alert string) {
		p.ended(&flow.Connection{Device: "a", Host: "192.0.2.1", SNI: "Host.test", Transport: transport, Outcome: o, ClientTLS: &flow.TLS{Alert: alert}}, true)
	}
	expect := func(what, want string) {
		t.Helper()
		reason, pass := p.overQUIC("a", "host.test")
		got := "intercept"
		switch {
		case pass:
			got = "pass"
		case reason != "":
			got = "refuse"
		}
		if got != want {
			t.Errorf("%s: %s, want %s (%s)", what, got, want, reason)
		}
	}
	expect("at first", "intercept")
	ended("udp", flow.Refused, "")
	expect("refused for another reason", "intercept")
	ended("udp", flow.ClientRefused, "certificate_unknown")
	expect("refused once", "refuse")
	ended("udp", flow.Refused, "")
	p.overTCP("a", "host.test")
	ended("udp", flow.Refused, "")
	expect("came over TCP in between", "refuse")
	if reason := p.reason("a", "host.test"); reason != "" {
		t.Errorf("TCP: %s", reason)
	}
	if reason, _ := p.overQUIC("b", "host.test"); reason != "" {
		t.Errorf("another device: %s", reason)
	}
	ended("udp", flow.Refused, "")
	expect("came no more", "pass")
	ended("udp", flow.Passed, "")
	expect("passed", "pass")
	p.get(passKey{"", "host.test"}).Mode = Never
	expect("set to be intercepted", "intercept")
	p.get(passKey{"a", "host.test"}).Mode = Always
	expect("but not for this device", "pass")
	clear(p.list)
	now = now.Add(16 * time.Minute)
	expect("long ago", "intercept")
	ended("udp", flow.SuspectedPin, "")
	expect("closed without a request", "refuse")
	ended("udp", flow.Intercepted, "")
	expect("read", "intercept")
	for range 3 {
		ended("", flow.ClientRefused, "unknown_ca")
	}
	expect("passed over TCP", "pass")
}
