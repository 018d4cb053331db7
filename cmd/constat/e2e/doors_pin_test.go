package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestPinnedApps is an app that trusts the certificate of its own server only: it is
// cut off three times, then works unread, and is cut off again when somebody sets it
// so. The log tells the story, and the coverage counts what was not read.
func TestPinnedApps(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	w := newWorld(t)
	w.enrol()
	w.start("--pass-after", "3")
	w.each(t, []string{"http", "wireguard"}, func(t *testing.T, n int, d *doorway) {
		var outcomes []string
		try := func(trusting bool, outcome string) {
			t.Helper()
			outcomes = append(outcomes, outcome)
			args := []string{"-f", "-d", "hello", fmt.Sprintf("https://origin.test/%s-%d", d.name, len(outcomes))}
			if !trusting {
				args = append(args, "--cacert", w.origin.CAFile)
			}
			got, err := d.curl(t, "", args...)
			if refused := outcome == "client_refused"; refused != (err != nil) || !refused && got != "hello" || refused && !strings.Contains(got, "certificate") {
				t.Errorf("%s: %q %v", outcome, got, err)
			}
			w.c.eventually(fmt.Sprintf("SELECT group_concat(outcome, ' ') FROM (SELECT outcome FROM connections WHERE door = '%s' AND device = '%s' AND sni = 'origin.test' ORDER BY id)", d.name, d.device), strings.Join(outcomes, " "))
		}
		set := func(mode string) {
			t.Helper()
			constat(t, 0, "pass", "origin.test", mode, "--device", d.device, "--case", w.c.Case)
		}
		for range 3 {
			try(false, "client_refused")
		}
		try(false, "passed")
		try(false, "passed")
		if out, _ := constat(t, 0, "pass", "--case", w.c.Case); !strings.Contains(out, "passes unread until") {
			t.Errorf("constat pass does not list it:\n%s", out)
		}
		set("--never")
		try(false, "client_refused")
		try(true, "intercepted")
		set("--auto")
		try(false, "client_refused")
		w.holds(t, []row{
			{"what the app said", "SELECT DISTINCT client_alert, client_tls, reason <> '' FROM connections WHERE outcome = 'client_refused' AND door = '" + d.name + "'", "unknown_ca||1"},
			{"what passed", "SELECT DISTINCT reason LIKE 'passed unread: the app has refused 3 times%', protocol, server_tls, server_ip <> '', ja4 <> '', bytes_up > 300, bytes_down > 300 FROM connections WHERE outcome = 'passed' AND door = '" + d.name + "'", "1|tls|TLS 1.3|1|1|1|1"},
			{"what was read", "SELECT path, status FROM requests WHERE scheme = 'https' AND door = '" + d.name + "'", fmt.Sprintf("/%s-7|200", d.name)},
			{"coverage", "SELECT outcome, readable, connections, bytes_up > 0 FROM coverage WHERE session = '*' AND outcome <> 'raw' ORDER BY 1", fmt.Sprintf("client_refused|0|%d|1\nintercepted|1|%d|1\npassed|0|%d|1", 5*(n+1), n+1, 2*(n+1))},
			{"hosts", "SELECT intercepted, passed, refused FROM hosts WHERE host = 'origin.test'", fmt.Sprintf("%d|%d|%d", n+1, 2*(n+1), 5*(n+1))},
		})
	})
	w.c.stop()
	if got := w.c.sql("SELECT count(*), count(DISTINCT subject) FROM declarations WHERE topic = 'pass'"); got != "4|1" {
		t.Errorf("what was set by hand: %s", got)
	}
	verified(t, w.c.Case)
}
