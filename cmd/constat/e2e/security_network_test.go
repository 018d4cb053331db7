package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Rows 2 and 5: no spelling of its own addresses leads to a port of Constat,
// not even for a client on the same computer, and nothing is dialled.
func TestOwnPortsAreOutOfReach(t *testing.T) {
	c := start(t, nobody(t))
	ask := func(to string, plain bool) string {
		nc, err := c.dial("")
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if plain {
			fmt.Fprintf(nc, "GET http://%s/ HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", to, to)
		} else {
			fmt.Fprintf(nc, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", to, to)
			if head, _ := readHead(nc); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
				return head
			}
			fmt.Fprintf(nc, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", to)
		}
		answer, _ := io.ReadAll(nc)
		return string(answer)
	}
	_, proxyPort, _ := net.SplitHostPort(c.Proxy)
	_, uiPort, _ := net.SplitHostPort(c.UI)
	hosts := []string{
		"127.0.0.1", "127.0.0.1.", "127.1.2.3", "localhost", "LOCALHOST", "localhost.", "a.localhost", "0.0.0.0",
		"[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
		"2130706433", "017700000001", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0", "127.0.0.1%25lo",
	}
	hosts = append(hosts, lanAddresses(t)...)
	for _, host := range hosts {
		for port, page := range map[string]string{proxyPort: "proxy", uiPort: "live page"} {
			for _, plain := range []bool{false, true} {
				got := ask(host+":"+port, plain)
				status, _, _ := strings.Cut(strings.TrimPrefix(got, "HTTP/1.1 "), " ")
				// The proxy's own address in the clear is answered with its own
				// page, by itself.
				if page == "proxy" && plain && strings.Contains(got, "<title>") {
					continue
				}
				if status != "403" && status != "400" && status != "502" {
					t.Errorf("%s by %s:%s, plain %t: %.200q", page, host, port, plain, got)
				}
				if strings.Contains(got, "constat_"+uiPort) || strings.Contains(got, "carries the token") {
					t.Errorf("the live page answered through the proxy, by %s", host)
				}
			}
		}
	}
	c.stop()
	if got := c.sql("SELECT count(*) FROM requests WHERE status IS NOT NULL"); got != "0" {
		t.Errorf("%s requests were answered by a server", got)
	}
	if got := c.sql("SELECT (SELECT count(*) FROM requests WHERE error LIKE '%a listener of Constat itself') + (SELECT count(*) FROM connections WHERE reason LIKE '%a listener of Constat itself') >= 30"); got != "1" {
		t.Errorf("refusals are missing from the record:\n%s", c.sql("SELECT host, error FROM requests UNION ALL SELECT host, reason FROM connections"))
	}
}

func lanAddresses(t *testing.T) (hosts []string) {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip := netip.MustParsePrefix(a.String()).Addr()
		if ip.Is6() {
			hosts = append(hosts, "["+ip.String()+"]")
		} else {
			hosts = append(hosts, ip.String(), "[::ffff:"+ip.String()+"]")
		}
	}
	return hosts
}

// network is a pair of computers that only this test knows: the test's own
// goroutine runs on the computer of Constat, 203.0.113.1 and 10.77.0.1, and
// phone runs functions on another, 203.0.113.2 and 10.77.0.2. Both vanish with
// the threads and processes that are in them.
type network struct {
	phone func(func() error) error
}

const (
	serverAddr, phoneAddr = "203.0.113.1", "203.0.113.2" // RFC 5737: nobody's
	serverLAN, phoneLAN   = "10.77.0.1", "10.77.0.2"
)

// newNetwork moves the goroutine of t to a network of its own, for good.
func newNetwork(t *testing.T) *network {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can make a network; TestPolicy of the proxy and TestOnboardingGate show the rules without one")
	}
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skip("ip is not installed (package iproute2); TestPolicy of the proxy shows the rules without a network")
	}
	calls, results := make(chan func() error), make(chan error)
	tid := make(chan int)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := syscall.Unshare(syscall.CLONE_NEWNET)
		tid <- syscall.Gettid()
		results <- err
		for f := range calls {
			results <- f()
		}
	}()
	t.Cleanup(func() { close(calls) })
	phoneThread := <-tid
	n := &network{phone: func(f func() error) error { calls <- f; return <-results }}
	runtime.LockOSThread()
	if err := errors.Join(<-results, syscall.Unshare(syscall.CLONE_NEWNET|syscall.CLONE_NEWNS|syscall.CLONE_FS)); err != nil {
		t.Skipf("this system makes no network for a test: %v", err)
	}
	names := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(names, []byte("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount(names, "/etc/resolv.conf", "", syscall.MS_BIND, ""),
	); err != nil {
		t.Skipf("this system lets a test mount nothing: %v", err)
	}
	run := func(lines ...string) error {
		for _, line := range lines {
			if out, err := exec.Command(ip, strings.Fields(line)...).CombinedOutput(); err != nil {
				return fmt.Errorf("ip %s: %w: %s", line, err, out)
			}
		}
		return nil
	}
	if err := run(
		"link set lo up",
		fmt.Sprintf("link add constat0 type veth peer name phone0 netns %d", phoneThread),
		"addr add "+serverAddr+"/24 dev constat0", "addr add "+serverLAN+"/24 dev constat0", "link set constat0 up",
	); err != nil {
		t.Skipf("this system makes no network for a test: %v", err)
	}
	if err := n.phone(func() error {
		return run("link set lo up", "addr add "+phoneAddr+"/24 dev phone0", "addr add "+phoneLAN+"/24 dev phone0", "link set phone0 up")
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// ask sends bytes from the phone and returns the whole answer.
func (n *network) ask(t *testing.T, to, text string) string {
	t.Helper()
	var answer []byte
	err := n.phone(func() error {
		nc, err := (&net.Dialer{Timeout: patience}).Dial("tcp", to)
		if err != nil {
			return err
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(nc, text); err != nil {
			return err
		}
		answer, _ = io.ReadAll(nc)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// names answers questions for addresses: the answers of a name in turn, each a
// list.
type names struct {
	mu   sync.Mutex
	turn map[string]int
	list map[string][][]string
}

func serveNames(t *testing.T, list map[string][][]string) *names {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	n := &names{turn: map[string]int{}, list: list}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for buf := make([]byte, 1500); ; {
			size, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			pc.WriteTo(n.answer(buf[:size]), from)
		}
	}()
	t.Cleanup(func() { pc.Close(); <-done })
	return n
}

func (n *names) answer(question []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.Additionals = true, nil
	q := m.Questions[0]
	name := strings.TrimSuffix(q.Name.String(), ".")
	n.mu.Lock()
	defer n.mu.Unlock()
	answers := n.list[name]
	if len(answers) == 0 {
		m.RCode = dnsmessage.RCodeNameError
	} else {
		for _, a := range answers[n.turn[name]%len(answers)] {
			ip, h := netip.MustParseAddr(a), dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
			switch {
			case q.Type == dnsmessage.TypeA && ip.Is4():
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: ip.As4()}})
			case q.Type == dnsmessage.TypeAAAA && ip.Is6():
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
			}
		}
		if q.Type == dnsmessage.TypeA {
			n.turn[name]++
		}
	}
	b, _ := m.Pack()
	return b
}

// Rows 1, 2 and 4, on a network: a stranger gets the page that says what to do
// and not one byte goes out for it; an enrolled phone reaches the internet, and
// neither this computer, nor its metadata services, nor the local network,
// whatever names answer and whenever they change their answer.
func TestStrangersAndPhones(t *testing.T) {
	n := newNetwork(t)
	o := nobody(t)
	names := serveNames(t, map[string][][]string{
		"public.test":   {{phoneAddr}},
		"loop.test":     {{"127.0.0.1"}},
		"loop6.test":    {{"::1"}},
		"mapped.test":   {{"::ffff:127.0.0.1"}},
		"metadata.test": {{"169.254.169.254"}},
		"lan.test":      {{phoneLAN}},
		"own.test":      {{serverAddr}},
		"zero.test":     {{"0.0.0.0"}},
		"rebind.test":   {{phoneAddr}, {"127.0.0.1"}},
		"both.test":     {{phoneAddr, "127.0.0.1", "::1"}},
	})
	// Services that trust whoever reaches them, on this computer, and one on
	// the internet, which is where the phone is.
	inner := newRawOrigin(t, nil, answering)
	_, port, _ := net.SplitHostPort(inner.Addr)
	var here *rawOrigin
	if ln, err := net.Listen("tcp", serverAddr+":"+port); err != nil {
		t.Fatal(err)
	} else {
		here = serveRaw(t, ln, nil, answering)
	}
	var outside *rawOrigin
	if err := n.phone(func() error {
		ln, err := net.Listen("tcp", ":"+port)
		if err == nil {
			outside = serveRaw(t, ln, nil, answering)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	c := start(t, o, "--listen", serverAddr+":0", "--resolve", "given.test:"+port+":127.0.0.1")
	get := func(host string) string {
		return fmt.Sprintf("GET http://%s:%s/x HTTP/1.1\r\nHost: %[1]s:%[2]s\r\nConnection: close\r\n\r\n", host, port)
	}

	// A stranger.
	for _, ask := range []string{get("public.test"), get(phoneAddr), get("127.0.0.1"), "GET /ca.pem HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"} {
		got := n.ask(t, c.Proxy, ask)
		if !strings.HasPrefix(got, "HTTP/1.1 403 ") || !strings.Contains(got, "<html") || strings.Contains(got, "BEGIN CERTIFICATE") {
			t.Errorf("a stranger asked %q and got %.300q", ask, got)
		}
	}
	if got := n.ask(t, c.Proxy, "CONNECT public.test:443 HTTP/1.1\r\nHost: public.test\r\n\r\n\x16\x03\x01\x00\x05hello"); !strings.HasPrefix(got, "HTTP/1.1 403 ") {
		t.Errorf("a stranger's tunnel: %.300q", got)
	}
	if got := n.ask(t, c.Proxy, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); strings.Contains(got, "200") {
		t.Errorf("a stranger's HTTP/2: %.300q", got)
	}
	if asked := append(outside.received(), append(inner.received(), here.received()...)...); len(asked) > 0 {
		t.Fatalf("servers were reached for a stranger: %q", asked)
	}
	names.mu.Lock()
	if len(names.turn) > 0 {
		t.Errorf("names were resolved for a stranger: %v", names.turn)
	}
	names.mu.Unlock()

	// The same phone, enrolled.
	if got := n.ask(t, c.Proxy, "GET "+c.Enrol[strings.Index(c.Enrol, "/?"):]+" HTTP/1.1\r\nHost: "+c.Proxy+"\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 303 ") {
		t.Fatalf("enrolment: %.300q", got)
	}
	if got := n.ask(t, c.Proxy, get("public.test")); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Fatalf("an enrolled phone asked for a server: %.300q", got)
	}
	for _, host := range []string{
		"127.0.0.1", "loop.test", "loop6.test", "mapped.test", "metadata.test", "169.254.169.254", "lan.test", phoneLAN,
		"own.test", serverAddr, serverLAN, "zero.test", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200",
	} {
		got := n.ask(t, c.Proxy, get(host))
		if !strings.HasPrefix(got, "HTTP/1.1 403 ") || !strings.Contains(got, "for this client") {
			t.Errorf("%s: %.300q", host, got)
		}
		// A tunnel for anything but TLS and HTTP takes another way to the dial.
		if got := n.ask(t, c.Proxy, "CONNECT "+host+":"+port+" HTTP/1.1\r\nHost: x\r\n\r\n\x00raw"); got != "HTTP/1.1 200 Connection established\r\n\r\n" && !strings.HasPrefix(got, "HTTP/1.1 403 ") {
			t.Errorf("tunnel to %s: %.300q", host, got)
		}
	}
	// The answer changes between one lookup and the next: what is dialled is
	// what was checked.
	outside.forget()
	for range 6 {
		got := n.ask(t, c.Proxy, get("rebind.test"))
		if !strings.HasPrefix(got, "HTTP/1.1 200 ") && !strings.HasPrefix(got, "HTTP/1.1 403 ") {
			t.Errorf("rebinding: %.300q", got)
		}
	}
	// Nor does the next of several addresses of a name get in by the back door.
	closed := fmt.Sprintf("GET http://both.test:%s/ HTTP/1.1\r\nHost: both.test:%[1]s\r\nConnection: close\r\n\r\n", portOf(c.UI))
	if got := n.ask(t, c.Proxy, closed); !strings.HasPrefix(got, "HTTP/1.1 403 ") && !strings.HasPrefix(got, "HTTP/1.1 502 ") {
		t.Errorf("several addresses: %.300q", got)
	}
	if asked := append(inner.received(), here.received()...); len(asked) > 0 {
		t.Errorf("this computer was reached: %q", asked)
	}
	if asked := strings.Join(outside.received(), ""); !strings.Contains(asked, "rebind.test") {
		t.Errorf("the good answers of rebind.test led nowhere: %q", asked)
	}
	// The operator's own word, --resolve, is not second-guessed.
	if got := n.ask(t, c.Proxy, get("given.test")); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("--resolve: %.300q", got)
	}
	// The live page knows nobody but this computer, not even its port.
	if err := n.phone(func() error {
		nc, err := (&net.Dialer{Timeout: time.Second}).Dial("tcp", net.JoinHostPort(serverAddr, portOf(c.UI)))
		if err == nil {
			nc.Close()
			return errors.New("the live page listens on the network")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	c.stop()
	if got := c.sql("SELECT count(*) >= 17 FROM requests WHERE error LIKE 'refused:%'"); got != "1" {
		t.Error("refusals are missing from the record")
	}
	if got := c.sql("SELECT DISTINCT device FROM requests"); got != phoneAddr {
		t.Errorf("devices: %s", got)
	}
	verified(t, c.Case)
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// Row 3 is TestSmuggling and the proxy's TestInnerHost; here is the same with a
// real browser's protocol: HTTP/2 with another :authority.
func TestInnerAuthority(t *testing.T) {
	o := nobody(t)
	beside := newRawOrigin(t, o, answering)
	right := newRawOrigin(t, o, answering)
	c := start(t, o, "--resolve", "raw.test:443:"+right.Addr, "--resolve", "beside.test:443:"+beside.Addr)
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://raw.test/inner", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "beside.test"
	resp, err := c.client(true).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMisdirectedRequest || resp.ProtoMajor != 2 {
		t.Errorf("%s %s", resp.Proto, resp.Status)
	}
	if asked := append(right.received(), beside.received()...); len(asked) > 0 {
		t.Errorf("servers were asked: %q", asked)
	}
	c.eventually("SELECT host || ' ' || error LIKE 'raw.test refused:%' FROM requests", "1")
	c.stop()
}
