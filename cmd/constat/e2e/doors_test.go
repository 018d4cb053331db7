package e2e

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// allDoors are the ways in that each of these tests takes.
var allDoors = []string{"http", "socks5", "socks5 signed in", "wireguard", "transparent"}

// TestEveryDoor does the same things by each door, and finds the same rows.
func TestEveryDoor(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	w := newWorld(t)
	w.enrol()
	w.start()
	w.each(t, allDoors, func(t *testing.T, n int, d *doorway) {
		at := func(path string) string { return fmt.Sprintf("origin.test/%d-%s", n, path) }
		for _, args := range [][]string{
			{"--http1.1", "https://" + at("get1")},
			{"--http2", "https://" + at("get2")},
			{"--http1.1", "-d", "hello", "https://" + at("post1")},
			{"--http2", "-d", "hello", "https://" + at("post2")},
			{"-d", "hello", "http://" + at("plain")},
		} {
			want := ""
			if args[1] == "-d" || args[0] == "-d" {
				want = "hello"
			}
			if got, err := d.curl(t, "", append([]string{"-f"}, args...)...); err != nil || got != want {
				t.Errorf("curl %s: %q %v", strings.Join(args, " "), got, err)
			}
		}
		if got, err := output(t, d.client("websocket", "-url", "wss://origin.test/ws", "-name", "hello"), ""); err != nil || got != "echo: hello\n" {
			t.Errorf("WebSocket: %q %v", got, err)
		}
		if got, err := output(t, d.client("talk", "-url", "tcp://xmpp.test:5222", "-name", "<stream:stream xmlns='jabber:client'><message></message>"), ""); err != nil || !strings.Contains(got, "ack") {
			t.Errorf("raw TCP: %q %v", got, err)
		}
		if got, err := output(t, d.client("talk", "-url", "tcp://mail.test:2525", "-n", "1", "-name", "EHLO phone.test\r\n"), ""); err != nil || !strings.Contains(got, "221 ") {
			t.Errorf("raw TCP, the server first: %q %v", got, err)
		}
		if got, err := output(t, d.client("grpc", "-url", "https://origin.test:50051"), ""); err != nil || got != "re: 0\nre: 1\nre: 2\n" {
			t.Errorf("gRPC: %q %v", got, err)
		}
		w.c.eventually("SELECT method, path, http_version, status, request_bytes > 0, response_bytes > 0, error FROM requests WHERE port = 50051 AND door = '"+d.name+"' AND device = '"+d.device+"'", "POST|/test.Echo/Talk|HTTP/2.0|200|1|1|")
		if d.proxy == "" {
			d.beyondProxies(t)
		}
		if got, err := d.curl(t, "", "-f", "http://origin.test:7/"); err == nil {
			t.Errorf("where nobody is: %q", got)
		}
		of := fmt.Sprintf(" door = '%s' AND device = '%s'", d.name, d.device)
		w.c.eventually("SELECT count(*) FROM connections WHERE protocol IN ('xmpp', 'smtp') AND outcome = 'raw' AND bytes_up > 0 AND bytes_down > 0 AND"+of, "2")
		w.c.eventually("SELECT group_concat(port, ' ') FROM (SELECT port FROM requests WHERE scheme = 'tcp' AND request_bytes > 0 AND response_bytes > 0 AND"+of+" ORDER BY port)", "2525 5222")
		w.c.eventually("SELECT count(*) FROM requests WHERE scheme = 'wss' AND host = 'origin.test' AND status = 101 AND"+of, "1")
		w.c.eventually("SELECT count(*) FROM requests WHERE port = 7 AND status IS NULL AND error <> '' AND"+of, "1")
		rows := fmt.Sprintf("SELECT method, scheme, host, port, substr(path, 4), http_version, status, request_bytes, response_bytes, server_ip LIKE '203.0.113.80' OR server_ip = '2001:db8::80', error FROM requests WHERE path LIKE '/%d-%%' AND%s ORDER BY id", n, of)
		w.c.eventually(rows, `GET|https|origin.test|443|get1|HTTP/1.1|200|0|0|1|
GET|https|origin.test|443|get2|HTTP/2.0|200|0|0|1|
POST|https|origin.test|443|post1|HTTP/1.1|200|5|5|1|
POST|https|origin.test|443|post2|HTTP/2.0|200|5|5|1|
POST|http|origin.test|80|plain|HTTP/1.1|200|5|5|1|`)
		w.c.eventually("SELECT group_concat(outcome || count, ' ') FROM (SELECT c.outcome AS outcome, count(*) AS count FROM connections c WHERE c.host = 'origin.test' AND c.port IN (80, 443) AND"+of+" GROUP BY 1 ORDER BY 1)", "intercepted5 plain1")
	})
	w.c.stop()
	verified(t, w.c.Case)
}

// beyondProxies does what a client does only that knows of no proxy.
func (d *doorway) beyondProxies(t *testing.T) {
	t.Helper()
	for _, s := range []step{
		{command: "curl -sS -f --max-time 60 --cacert CA -6 -d hello https://six.test/six", want: "hello"},
		{command: "dig +short +time=20 +tries=1 mqtt.test A", want: "203.0.113.81"},
		{command: "dig +short +time=20 +tries=1 @203.0.113.53 mail.test A", want: "203.0.113.83"},
		{command: "openssl s_client -connect 203.0.113.53:853", want: "errno", fails: true},
		{command: "talk udp://203.0.113.80:9999", in: "a datagram", want: "a datagram"},
		{command: "talk udp://[2001:db8::80]:9999", in: "a datagram", want: "a datagram"},
		{command: "talk udp://203.0.113.80:443", in: "x", want: "refused", fails: true},
		{command: "talk udp://[2001:db8::80]:443", in: "x", want: "refused", fails: true},
	} {
		d.step(t, s)
	}
	of := fmt.Sprintf(" door = '%s' AND device = '%s'", d.name, d.device)
	c := d.w.c
	c.eventually("SELECT count(*) FROM requests WHERE host = 'six.test' AND path = '/six' AND request_bytes = 5 AND server_ip = '2001:db8::80' AND"+of, "1")
	c.eventually("SELECT group_concat(name, ' ') FROM (SELECT DISTINCT name FROM dns WHERE type = 'A' AND code = 'NOERROR' AND addresses <> '' AND name IN ('mqtt.test', 'mail.test') AND"+of+" ORDER BY name)", "mail.test mqtt.test")
	c.eventually("SELECT count(*) FROM connections WHERE port = 853 AND outcome = 'refused' AND"+of, "1")
	c.eventually("SELECT count(*), sum(bytes_up) FROM connections WHERE transport = 'udp' AND port = 443 AND outcome = 'refused' AND reason LIKE 'QUIC%' AND"+of, "2|2")
	c.eventually("SELECT DISTINCT outcome, dns_name FROM connections WHERE port = 443 AND sni = 'six.test' AND"+of, "intercepted|six.test")
}

// TestEveryDoorBodies moves large bodies by each door, both ways: not a byte differs,
// the log has their hashes, and memory stays what it was.
func TestEveryDoorBodies(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	w := newWorld(t)
	w.enrol()
	w.start()
	const size = 64 << 20
	file := filepath.Join(w.dir, "noise")
	f, err := os.Create(file)
	w.must(err)
	h := sha256.New()
	_, err = io.CopyN(io.MultiWriter(f, h), noise(), size)
	w.must(err)
	w.must(f.Close())
	sum := fmt.Sprintf("%x", h.Sum(nil))
	w.each(t, allDoors, func(t *testing.T, _ int, d *doorway) {
		if got, err := d.curl(t, "", "-f", "https://origin.test/noise/100000", "-o", filepath.Join(w.dir, "warm")); err != nil {
			t.Fatalf("%s %v", got, err)
		}
		before, _ := w.c.rss()
		for _, version := range []string{"--http1.1", "--http2"} {
			got := filepath.Join(t.TempDir(), "got")
			if said, err := d.curl(t, "", "-f", version, "-o", got, fmt.Sprint("https://origin.test/noise/", size)); err != nil || fileSum(t, got) != sum {
				t.Errorf("down %s: other bytes: %v %s", version, err, said)
			}
			if said, err := d.curl(t, "", "-f", version, "-H", "Expect:", "-X", "POST", "-T", file, "https://origin.test/sum"); err != nil || said != sum {
				t.Errorf("up %s: other bytes: %v %s", version, err, said)
			}
		}
		_, peak := w.c.rss()
		t.Logf("%d MiB down and up, twice: RSS %d MiB before, %d MiB at the peak", size>>20, before>>20, peak>>20)
		if grown := peak - before; grown > 64<<20 {
			t.Errorf("RSS grew by %d MiB, want 64 at most", grown>>20)
		}
		w.c.eventually(fmt.Sprintf("SELECT count(*), sum(request_sha256 = '%[1]s' AND request_bytes = %[2]d), sum(response_sha256 = '%[1]s' AND response_bytes = %[2]d) FROM requests WHERE door = '%[3]s' AND device = '%[4]s' AND path <> '/noise/100000' AND error = ''", sum, size, d.name, d.device), "4|2|2")
	})
	w.c.stop()
	verified(t, w.c.Case)
}

// TestEveryDoorMemory makes many exchanges by each door: memory does not grow with what
// has been recorded, as TestMemoryStaysFlat shows for longer.
func TestEveryDoorMemory(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	w := newWorld(t)
	w.enrol()
	w.start()
	const first, more = 2000, 4000
	w.each(t, []string{"http", "socks5", "wireguard", "transparent"}, func(t *testing.T, _ int, d *doorway) {
		load := func(name string, n int) int64 {
			t.Helper()
			if got, err := output(t, d.client("load", "-url", "https://origin.test", "-name", d.name+name, "-n", fmt.Sprint(n)), ""); err != nil || strings.Count(got, "\n") != n {
				t.Fatalf("%d answers of %d: %v", strings.Count(got, "\n"), n, err)
			}
			now, _ := w.c.rss()
			return now
		}
		early, late := load("-first", first), load("-more", more)
		t.Logf("RSS %d MiB after %d exchanges, %d MiB after %d more", early>>20, first, late>>20, more)
		const caches = 10 << 20 // of a fixed size, that take longer to fill
		if ratio := float64(late-caches) / float64(early); ratio > 1.2 {
			t.Errorf("memory grew to %.2f times what it was, want 1.2 at most", ratio)
		}
		w.c.eventually("SELECT count(*) FROM requests WHERE status = 200 AND error = '' AND door = '"+d.name+"'", fmt.Sprint(first+more))
	})
	w.c.stop()
	verified(t, w.c.Case)
}

func fileSum(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Error(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// TestEveryDoorKill ends Constat under load, by each door: whatever a client saw
// complete is in the log.
func TestEveryDoorKill(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	w := newWorld(t)
	w.enrol()
	w.start()
	w.each(t, []string{"http", "socks5", "wireguard", "transparent"}, func(t *testing.T, _ int, d *doorway) {
		name := d.name
		var seen []string
		for round := range 4 {
			seen = append(seen, w.underLoad(t, name, fmt.Sprintf("%s-%d", name, round), 150+70*round, func() {
				if round < 3 {
					w.c.kill()
					return
				}
				w.c.cmd.Process.Signal(syscall.SIGTERM)
				if err := <-w.c.done; err != nil {
					t.Errorf("SIGTERM: constat ended with %v\n%s", err, w.c.stderr)
				}
			})...)
			w.start()
		}
		logged := map[string]bool{}
		for path := range strings.Lines(w.c.sql("SELECT path FROM requests WHERE status = 200 AND error = '' AND request_sha256 = response_sha256 AND door = '" + name + "'")) {
			logged[strings.TrimSpace(path)] = true
		}
		lost := 0
		for _, path := range seen {
			if !logged[path] {
				lost++
			}
		}
		t.Logf("3 kills and a SIGTERM under load: %d answers seen by clients, %d lost", len(seen), lost)
		if lost > 0 {
			t.Errorf("%d of %d answers that a client saw are not in the log", lost, len(seen))
		}
	})
	w.c.stop()
	verified(t, w.c.Case)
}

// underLoad runs end after a client has seen so many answers, and returns the paths of
// all that it has seen.
func (w *world) underLoad(t *testing.T, door, paths string, after int, end func()) (seen []string) {
	t.Helper()
	cmd := w.doorway(t, door).client("load", "-url", "https://origin.test", "-name", paths)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if seen = append(seen, lines.Text()); len(seen) == after {
			end()
			cmd.Process.Kill() // one whose tunnel is dead would wait for long
		}
	}
	cmd.Wait()
	if len(seen) < after {
		t.Fatalf("%d answers, and then none", len(seen))
	}
	return seen
}
