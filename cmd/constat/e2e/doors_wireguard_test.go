package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"constat/proxy/wireguard/wgtest"
)

// step is one thing that a program on the phone does.
type step struct {
	name    string
	command string // its words; talk or hear (the server first) and a URL for our own; CA stands for the CA that the phone trusts
	in      string // what it says
	want    string // in what it prints
	fails   bool
}

// TestWireGuardPhone is a phone whose only way is the tunnel of the configuration that
// a person scans: whatever its programs send, there is a row.
func TestWireGuardPhone(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	w := newWorld(t)
	w.broker()
	p := newPersona(t)
	w.enrol()
	w.start("--persona", p.file)
	d := w.doorway(t, "wireguard")
	canary := p.values["sms-1.text"]
	if canary == "" {
		t.Fatalf("no sms-1.text in %v", p.values)
	}
	message := func(text string) string {
		return "<stream:stream xmlns='jabber:client' to='xmpp.test'><message to='a@xmpp.test'><body>" + text + "</body></message>"
	}
	curl := "curl -sS -f --max-time 60 --cacert CA "
	for _, s := range []step{
		{name: "http1", command: curl + "--http1.1 -d hello=1 https://origin.test/h1", want: "hello=1"},
		{name: "http2", command: curl + "-v --http2 -d hello=2 https://origin.test/h2", want: "HTTP/2 200"},
		{name: "plain", command: curl + "-d hello=3 http://origin.test/plain", want: "hello=3"},
		{name: "http1 over IPv6", command: curl + "-6 --http1.1 -d hello=4 https://six.test/six1", want: "hello=4"},
		{name: "http2 over IPv6", command: curl + "-6 -v --http2 -d hello=5 https://six.test/six2", want: "HTTP/2 200"},
		{name: "plain over IPv6", command: curl + "-d hello=6 http://six.test/six", want: "hello=6"},
		{name: "an address", command: curl + "-d hello=7 https://203.0.113.80/address", want: "hello=7"},
		{name: "an address of IPv6", command: curl + "-g -d hello=8 https://[2001:db8::80]/address6", want: "hello=8"},
		{name: "A", command: "dig +short +time=20 +tries=1 a.origin.test origin.test A", want: webAddr},
		{name: "AAAA", command: "dig +short +time=20 +tries=1 origin.test AAAA", want: webAddr6},
		{name: "HTTPS", command: "dig +short +time=20 +tries=1 origin.test HTTPS", want: "h3"},
		{name: "no such name", command: "dig +time=20 +tries=1 nobody.test A", want: "NXDOMAIN"},
		{name: "DNS over TCP", command: "dig +tcp +short +time=20 +tries=1 mqtt.test A", want: "203.0.113.81"},
		{name: "another DNS server", command: "dig +short +time=20 +tries=1 @203.0.113.53 xmpp.test A", want: "203.0.113.82"},
		{name: "DNS over TLS", command: "openssl s_client -connect 203.0.113.53:853", want: "errno", fails: true},
		{name: "MQTT publish", command: "mosquitto_pub -h mqtt.test -p 1883 -t up -r -m", in: canary},
		{name: "MQTT subscribe", command: "mosquitto_sub -h mqtt.test -p 1883 -t up -C 1 -W 60", want: canary},
		{name: "MQTT over TLS publish", command: "mosquitto_pub --cafile CA -h mqtt.test -p 8883 -t tls -r -m", in: canary},
		{name: "MQTT over TLS subscribe", command: "mosquitto_sub --cafile CA -h mqtt.test -p 8883 -t tls -C 1 -W 60", want: canary},
		{name: "XMPP", command: "talk tcp://xmpp.test:5222", in: message(canary), want: "ack"},
		{name: "XMPP over IPv6", command: "talk tcp://six.test:5222", in: message("hello"), want: "ack"},
		{name: "the server speaks first", command: "hear tcp://mail.test:2525", in: "EHLO phone.test\r\n", want: "221 mail.test bye"},
		{name: "UDP", command: "talk udp://203.0.113.80:9999", in: "a datagram", want: "a datagram"},
		{name: "UDP over IPv6", command: "talk udp://[2001:db8::80]:9999", in: "a datagram", want: "a datagram"},
		{name: "UDP where nobody is", command: "talk udp://203.0.113.80:9998", in: "x", want: "refused", fails: true},
		{name: "QUIC", command: "talk udp://203.0.113.80:443", in: "x", want: "refused", fails: true},
		{name: "TCP where nobody is", command: "talk tcp://203.0.113.90:7", want: "reset", fails: true},
		{name: "ping", command: "ping -n -c 2 -i 0.2 -W 20 203.0.113.80", want: "2 received"},
		{name: "ping over IPv6", command: "ping -n -c 2 -i 0.2 -W 20 2001:db8::80", want: "2 received"},
	} {
		t.Run(s.name, func(t *testing.T) { d.step(t, s) })
	}
	for _, to := range []string{"wss://origin.test/ws", "ws://six.test/ws"} {
		if got, err := output(t, d.client("websocket", "-url", to, "-name", "hello"), ""); err != nil || got != "echo: hello\n" {
			t.Errorf("%s: %q %v", to, got, err)
		}
	}
	w.c.stop()
	w.holds(t, wireGuardRows)
	verified(t, w.c.Case)
}

// step runs s where the door's client is.
func (d *doorway) step(t *testing.T, s step) {
	t.Helper()
	words := strings.Fields(strings.ReplaceAll(s.command, " CA ", " "+d.w.c.CA+" "))
	var cmd *exec.Cmd
	if words[0] == "talk" || words[0] == "hear" {
		n := map[string]string{"talk": "0", "hear": "1"}[words[0]]
		cmd = d.client("talk", "-url", words[1], "-name", s.in, "-n", n)
	} else {
		need(t, words[0])
		if words[len(words)-1] == "-m" {
			words = append(words, s.in)
		}
		cmd = d.command(words[0], words[1:]...)
	}
	got, err := output(t, cmd, "")
	if (err != nil) != s.fails || !strings.Contains(strings.ToLower(got), strings.ToLower(s.want)) {
		t.Errorf("%s: %v, want %q in\n%s", strings.Join(words, " "), err, s.want, got)
	}
}

// row is a question to the case, and its answer.
type row struct{ what, query, want string }

// holds asks the case.
func (w *world) holds(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		if got := w.c.sql(r.query); got != r.want {
			t.Errorf("%s\n got %q\nwant %q", r.what, got, r.want)
		}
	}
	if t.Failed() {
		for _, view := range []string{
			"SELECT id, device, door, app, method, scheme, host, port, path, http_version, status, request_bytes, response_bytes, server_ip, error FROM requests",
			"SELECT id, device, door, transport, host, port, server_ip, sni, alpn, outcome, reason, protocol, dns_name, bytes_up, bytes_down FROM connections",
			"SELECT id, device, door, name, type, code, addresses, answers, over, server, resolver, connections FROM dns",
			"SELECT * FROM canary_hits",
		} {
			t.Logf("%s\n%s", view, w.c.sql(view))
		}
	}
}

// wireGuardRows are what TestWireGuardPhone leaves.
var wireGuardRows = []row{
	{"every row is the phone's, by this door", "SELECT DISTINCT device, door FROM (SELECT device, door FROM requests UNION ALL SELECT device, door FROM connections UNION ALL SELECT device, door FROM dns)", "phone|wireguard"},
	{
		"requests", "SELECT method, scheme, host, port, path, http_version, status, request_bytes, response_bytes, server_ip, error FROM requests WHERE path LIKE '/h_' OR path LIKE '/plain' OR path LIKE '/six%' OR path LIKE '/address%' ORDER BY id",
		`POST|https|origin.test|443|/h1|HTTP/1.1|200|7|7|203.0.113.80|
POST|https|origin.test|443|/h2|HTTP/2.0|200|7|7|203.0.113.80|
POST|http|origin.test|80|/plain|HTTP/1.1|200|7|7|203.0.113.80|
POST|https|six.test|443|/six1|HTTP/1.1|200|7|7|2001:db8::80|
POST|https|six.test|443|/six2|HTTP/2.0|200|7|7|2001:db8::80|
POST|http|six.test|80|/six|HTTP/1.1|200|7|7|2001:db8::80|
POST|https|203.0.113.80|443|/address|HTTP/2.0|200|7|7|203.0.113.80|
POST|https|2001:db8::80|443|/address6|HTTP/2.0|200|7|7|2001:db8::80|`,
	},
	{
		"their connections", "SELECT c.host, sni, alpn, outcome, transport, dns_name, client_tls LIKE 'TLS%', server_tls LIKE 'TLS%', ja4 LIKE 't1%', bytes_up > 100, bytes_down > 100 FROM connections c JOIN requests r ON r.connection_id = c.id WHERE r.path IN ('/h1', '/h2', '/six2', '/plain') ORDER BY c.id",
		`origin.test|origin.test|http/1.1|intercepted|tcp|origin.test|1|1|1|1|1
origin.test|origin.test|h2|intercepted|tcp|origin.test|1|1|1|1|1
origin.test|||plain|tcp|origin.test|0|0|0|1|1
six.test|six.test|h2|intercepted|tcp|six.test|1|1|1|1|1`,
	},
	{
		"messages of WebSockets", "SELECT r.scheme, r.host, r.status, count(*) >= 2 FROM frame f JOIN requests r ON r.id = f.exchange GROUP BY r.id ORDER BY 1",
		"ws|six.test|101|1\nwss|origin.test|101|1",
	},
	{
		"the DNS", "SELECT DISTINCT name, type, code, addresses, over, stripped FROM dns WHERE server IN ('10.77.0.1:53', '203.0.113.53:53') AND type || name || over IN ('Aorigin.testudp', 'AAAAorigin.testudp', 'HTTPSorigin.testudp', 'Anobody.testudp', 'Amqtt.testtcp') ORDER BY 1, 2",
		`mqtt.test|A|NOERROR|203.0.113.81|tcp|0
nobody.test|A|NXDOMAIN||udp|0
origin.test|A|NOERROR|203.0.113.80|udp|0
origin.test|AAAA|NOERROR|2001:db8::80|udp|0
origin.test|HTTPS|NOERROR||udp|0`,
	},
	{"the server that the phone asks itself is asked", "SELECT name, resolver FROM dns WHERE server = '203.0.113.53:53'", "xmpp.test|203.0.113.53:53"},
	{"private DNS is refused", "SELECT transport, port, outcome, reason <> '' FROM connections WHERE port = 853", "tcp|853|refused|1"},
	{
		"flows that are not HTTP", "SELECT transport, host, port, server_ip, sni, outcome, protocol, dns_name, bytes_up > 0, bytes_down > 0 FROM connections WHERE transport = 'tcp' AND port NOT IN (80, 443, 853) ORDER BY id",
		`tcp|203.0.113.81|1883|203.0.113.81||raw|mqtt|mqtt.test|1|1
tcp|203.0.113.81|1883|203.0.113.81||raw|mqtt|mqtt.test|1|1
tcp|mqtt.test|8883|203.0.113.81|mqtt.test|raw|mqtt|mqtt.test|1|1
tcp|mqtt.test|8883|203.0.113.81|mqtt.test|raw|mqtt|mqtt.test|1|1
tcp|203.0.113.82|5222|203.0.113.82||raw|xmpp|xmpp.test|1|1
tcp|2001:db8::80|5222|2001:db8::80||raw|xmpp|six.test|1|1
tcp|203.0.113.83|2525|203.0.113.83||raw|smtp|mail.test|1|1
tcp|203.0.113.90|7|203.0.113.90||server_failed|||0|0`,
	},
	{"TLS in which there is MQTT is read, and its server's certificate verified", "SELECT count(*) FROM connections WHERE port = 8883 AND client_tls LIKE 'TLS%' AND server_tls LIKE 'TLS%' AND server_certificate LIKE '%mqtt.test%'", "2"},
	{
		"datagrams", "SELECT transport, host, port, outcome IN ('raw', 'cut_off'), outcome = 'refused', bytes_up, bytes_down FROM connections WHERE transport = 'udp' ORDER BY id",
		`udp|203.0.113.80|9999|1|0|10|10
udp|2001:db8::80|9999|1|0|10|10
udp|203.0.113.80|9998|0|0|1|0
udp|203.0.113.80|443|0|1|1|0`,
	},
	{"a datagram to nobody", "SELECT outcome, reason FROM connections WHERE port = 9998", "server_failed|datagrams: relayed, and nobody is at that port"},
	{"pings", "SELECT transport, host, port, server_ip, outcome IN ('raw', 'cut_off'), bytes_up, bytes_down FROM connections WHERE transport = 'icmp' ORDER BY host", "icmp|10.77.0.1|0||1|64|64\nicmp|2001:db8::80|0|2001:db8::80|1|128|128\nicmp|203.0.113.80|0|203.0.113.80|1|128|128"},
	{
		"flows as exchanges", "SELECT method, scheme, host, port, path, http_version, request_bytes > 0, response_bytes > 0 FROM requests WHERE method = '' AND port <> 9998 ORDER BY id",
		`|tcp|203.0.113.81|1883|||1|1
|tcp|203.0.113.81|1883|||1|1
|tls|mqtt.test|8883|||1|1
|tls|mqtt.test|8883|||1|1
|tcp|203.0.113.82|5222|||1|1
|tcp|2001:db8::80|5222|||1|1
|tcp|203.0.113.83|2525|||1|1
|udp|203.0.113.80|9999|||1|1
|udp|2001:db8::80|9999|||1|1`,
	},
	{
		"planted values in them", "SELECT r.port, h.canary, h.class, h.direction, h.path FROM canary_hits h JOIN requests r ON r.id = h.request_id ORDER BY h.request_id",
		`1883|sms-1.text|sms|up|request.body|mqtt:1.payload
1883|sms-1.text|sms|down|response.body|mqtt:2.payload
8883|sms-1.text|sms|up|request.body|mqtt:1.payload
8883|sms-1.text|sms|down|response.body|mqtt:2.payload
5222|sms-1.text|sms|up|request.body|xml:stream/message[0]/body`,
	},
	{"and findings", "SELECT group_concat(DISTINCT r.port) FROM findings f JOIN requests r ON r.id = f.request_id WHERE f.class = 'sms' AND f.confidence = 'confirmed'", "1883,8883,5222"},
}

// TestWireGuardStaysUp is a phone whose tunnel stays up: while Constat ends or is killed
// and starts again, and while the phone goes from one network to another, with its
// connections open.
func TestWireGuardStaysUp(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	w := newWorld(t)
	w.enrol()
	w.start()
	d := w.doorway(t, "wireguard")
	post := func(path string) {
		t.Helper()
		if got, err := d.curl(t, "", "-d", "hello", "https://origin.test/"+path); err != nil || got != "hello" {
			t.Fatalf("%s: %q %v", path, got, err)
		}
	}
	// greeted waits for a handshake that the phone, which is silent, has not begun.
	greeted := func(before string) {
		t.Helper()
		for deadline := time.Now().Add(2 * patience); w.phone.Handshake() == before; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Error("the phone is not greeted after a restart")
				return
			}
		}
	}
	post("first")
	before := w.phone.Handshake()
	w.c.stop()
	w.heardFrom("last_endpoint")
	w.start()
	greeted(before)
	post("after-stop")
	if err := w.phone.Roam(); err != nil {
		t.Fatal(err)
	}
	post("elsewhere")
	w.heardFrom("198.19.255.1:40001")
	before = w.phone.Handshake()
	w.c.kill()
	w.start()
	greeted(before)
	post("after-kill")

	held := d.talker(t, "idle", "-url", "https://origin.test")
	held.do(3)
	for n := range 2 {
		if err := w.phone.Roam(); err != nil {
			t.Fatal(err)
		}
		held.do(0)
		post(fmt.Sprint("elsewhere-", n))
	}
	held.in.Close()
	held.cmd.Wait()
	w.c.stop()
	w.holds(t, []row{
		{"requests", "SELECT group_concat(path, ' ') FROM (SELECT path FROM requests WHERE path <> '/idle' ORDER BY id)", "/first /after-stop /elsewhere /after-kill /elsewhere-0 /elsewhere-1"},
		{"connections that the phone took along", "SELECT count(*), count(DISTINCT connection_id), group_concat(DISTINCT device), sum(error <> '') FROM requests WHERE path = '/idle'", "9|3|phone|0"},
	})
	verified(t, w.c.Case)
}

// heardFrom waits until Constat has noted where the phone is.
func (w *world) heardFrom(at string) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(w.caDir(), "devices.json"))
		w.must(err)
		if strings.Contains(string(text), at) {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("it is not noted that the phone is at %s", at)
		}
	}
}

// TestDevicesOfTheTunnel adds a phone and a tunnel for one of its apps while Constat
// runs: rows carry the names. When the phone is removed it is shut out at once.
func TestDevicesOfTheTunnel(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	w := newWorld(t)
	w.start()
	constat(t, 0, "device", "add", "redmi", "--ca-dir", w.caDir())
	constat(t, 0, "device", "add", "redmi", "--app", "com.example.push", "--ca-dir", w.caDir())
	show := func(args ...string) *doorway {
		t.Helper()
		text, _ := constat(t, 0, append([]string{"device", "show", "redmi", "--ca-dir", w.caDir(), "--endpoint", "127.0.0.1:" + tunnelPort}, args...)...)
		return &doorway{name: "wireguard", device: "redmi", command: wgtest.NewPhone(t, text).Command, w: w}
	}
	all, app := show(), show("--app", "com.example.push")
	for path, d := range map[string]*doorway{"all": all, "app": app} {
		if got, err := d.curl(t, "", "-f", "--retry", "20", "--retry-all-errors", "-d", "hello", "https://origin.test/"+path); err != nil || !strings.HasSuffix(got, "hello") {
			t.Errorf("%s: %q %v", path, got, err)
		}
	}
	w.c.eventually("SELECT path, device, app FROM requests ORDER BY path", "/all|redmi|\n/app|redmi|com.example.push")
	w.c.eventually("SELECT DISTINCT device, app FROM dns ORDER BY app", "redmi|\nredmi|com.example.push")
	constat(t, 0, "device", "remove", "redmi", "--ca-dir", w.caDir())
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if got, err := all.curl(t, "", "-f", "--max-time", "2", "https://203.0.113.80/removed"); err != nil && !strings.Contains(got, "certificate") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a phone that was removed still gets through")
		}
	}
	if got, err := app.curl(t, "", "-f", "--max-time", "2", "https://203.0.113.80/removed"); err == nil {
		t.Errorf("an app of a phone that was removed still gets through: %q", got)
	}
	w.c.stop()
	w.holds(t, []row{{"requests", "SELECT count(*) FROM requests WHERE app = 'com.example.push'", "1"}})
	verified(t, w.c.Case)
}
