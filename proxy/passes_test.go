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
