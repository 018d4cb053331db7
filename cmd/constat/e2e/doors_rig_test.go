package e2e

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	mdns "github.com/miekg/dns"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"constat/certs"
	"constat/proxy/wireguard/wgtest"
)

// The files doors_*_test.go show what comes in by each door of the real program. The
// network of these tests is a few namespaces that only the test knows, and nothing
// leads out of them:
//
//	phone, whose only way is the tunnel ─┐
//	tablet 192.168.7.2, fd77::2 ─────────┴─ Constat 203.0.113.1, 2001:db8::1 ── servers 203.0.113.80, 2001:db8::80
//
// Addresses are those for documentation (RFC 5737, RFC 3849).
const (
	webAddr, webAddr6       = "203.0.113.80", "2001:db8::80"
	dnsAddr                 = "203.0.113.53"
	closedAddr, closedAddr6 = "203.0.113.90", "2001:db8::90" // of the same computer, with nothing on it
	tunnelPort, gatewayPort = "51820", "8443"
)

// hosts are the names in test. that there are, with their addresses.
var hosts = map[string][2]string{
	"origin": {webAddr, webAddr6},
	"four":   {webAddr, ""},
	"six":    {"", webAddr6},
	"mqtt":   {"203.0.113.81", "2001:db8::81"},
	"xmpp":   {"203.0.113.82", "2001:db8::82"},
	"mail":   {"203.0.113.83", "2001:db8::83"},
}

// networkEnv is set in the process that runs in that network: the path of constat.
const networkEnv = "CONSTAT_E2E_NETWORK"

// ownNetwork says whether the test is in a network of its own. If not, it runs the
// test there, in another process, and its result is the test's.
func ownNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(networkEnv) != "" {
		return true
	}
	how := fmt.Sprintf("; run it as root on Linux with the programs of 'make deps', as in: sudo go test -run '^%s$' ./cmd/constat/e2e", t.Name())
	if os.Geteuid() != 0 {
		t.Skip("a network of its own needs root" + how)
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skip("there is no /dev/net/tun" + how)
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("there is no program ip" + how)
	}
	args := []string{"-test.v", "-test.run=^" + t.Name() + "$"}
	if end, ok := t.Deadline(); ok {
		args = append(args, fmt.Sprint("-test.timeout=", max(time.Minute, time.Until(end)-5*time.Second)))
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), networkEnv+"="+program)
	// What it starts ends with it, whatever happens.
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skipf("this system makes no network for a test: %v%s", err, how)
	}
	err = cmd.Wait()
	if err != nil || testing.Verbose() {
		t.Logf("in a network of its own:\n%s", &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "--- SKIP: "+t.Name()+" ") {
		t.Skipf("%s", &out)
	}
	return false
}

// world is that network with servers, and with Constat once it is started.
type world struct {
	t      *testing.T
	origin *origin
	dir    string
	c      *instance

	phone    *wgtest.Phone // nil until a client needs it
	diverted bool
}

// newWorld makes the network and its servers.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	w.network()
	w.servers()
	return w
}

func (w *world) network() {
	resolver := filepath.Join(w.dir, "resolv.conf")
	w.file(resolver, "nameserver "+dnsAddr+"\n")
	w.must(os.MkdirAll("/run/netns", 0o755))
	w.must(os.MkdirAll("/etc/netns", 0o755))
	w.t.Cleanup(func() {
		_ = syscall.Unmount("/etc/netns", syscall.MNT_DETACH)
		_ = os.Remove("/etc/netns") // stays when others are in it
	})
	// Only this process and its children see these.
	w.must(errors.Join(
		syscall.Mount("proc", "/proc", "proc", 0, ""),
		syscall.Mount("tmpfs", "/run/netns", "tmpfs", 0, ""),
		syscall.Mount("tmpfs", "/etc/netns", "tmpfs", 0, ""),
		syscall.Mount(resolver, "/etc/resolv.conf", "", syscall.MS_BIND, ""),
	))
	w.must(os.MkdirAll("/etc/netns/lan", 0o755))
	w.file("/etc/netns/lan/resolv.conf", "nameserver "+dnsAddr+"\n")
	w.run(`
ip link set lo up
ip netns add net
ip netns add lan
ip link add net0 type veth peer name net1 netns net
ip link add lan0 type veth peer name lan1 netns lan
ip addr add 203.0.113.1/24 dev net0
ip addr add 2001:db8::1/64 dev net0 nodad
ip addr add 192.168.7.1/24 dev lan0
ip addr add fd77::1/64 dev lan0 nodad
ip link set net0 up
ip link set lan0 up
ip -n net link set lo up
ip -n net addr add 203.0.113.80/24 dev net1
ip -n net addr add 203.0.113.53/24 dev net1
ip -n net addr add 203.0.113.90/24 dev net1
ip -n net addr add 203.0.113.81/24 dev net1
ip -n net addr add 203.0.113.82/24 dev net1
ip -n net addr add 203.0.113.83/24 dev net1
ip -n net addr add 2001:db8::80/64 dev net1 nodad
ip -n net addr add 2001:db8::81/64 dev net1 nodad
ip -n net addr add 2001:db8::82/64 dev net1 nodad
ip -n net addr add 2001:db8::83/64 dev net1 nodad
ip -n net addr add 2001:db8::90/64 dev net1 nodad
ip -n net link set net1 up
ip -n lan link set lo up
ip -n lan addr add 192.168.7.2/24 dev lan1
ip -n lan addr add fd77::2/64 dev lan1 nodad
ip -n lan link set lan1 up
ip -n lan route add default via 192.168.7.1
ip -n lan -6 route add default via fd77::1
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`)
}

// run runs one command for each line.
func (w *world) run(lines string) {
	w.t.Helper()
	for line := range strings.Lines(lines) {
		if f := strings.Fields(line); len(f) > 0 {
			if out, err := exec.Command(f[0], f[1:]...).CombinedOutput(); err != nil {
				w.t.Fatalf("%s: %v: %s", line, err, out)
			}
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) file(name, text string) string {
	w.t.Helper()
	w.must(os.WriteFile(name, []byte(text), 0o600))
	return name
}

// outside runs f where the servers are: sockets that it opens stay there.
func (w *world) outside(f func() error) {
	w.t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		ns, err := os.Open("/run/netns/net")
		if err == nil {
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
			ns.Close()
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	w.must(<-done)
}

// listen opens a port of the servers.
func (w *world) listen(port string) (ln net.Listener) {
	w.t.Helper()
	w.outside(func() (err error) {
		ln, err = net.Listen("tcp", "[::]:"+port)
		return err
	})
	return ln
}

func (w *world) servers() {
	ca, err := certs.LoadOrCreate(w.dir, certs.Options{})
	w.must(err)
	w.origin = &origin{CA: ca, CAFile: filepath.Join(w.dir, "ca.pem")}
	serveUntilEnd(w.t, w.listen("80"), http.HandlerFunc(w.web))
	serveUntilEnd(w.t, tls.NewListener(w.listen("443"), w.origin.config("h2", "http/1.1")), http.HandlerFunc(w.web))
	serveRaw(w.t, w.listen("5222"), nil, func(in *bufio.Reader, out net.Conn) {
		if readUntil(in, "</message>") == nil {
			io.WriteString(out, "<message from='b@xmpp.test'><body>ack</body></message></stream:stream>")
		}
	})
	serveRaw(w.t, w.listen("2525"), nil, func(in *bufio.Reader, out net.Conn) {
		io.WriteString(out, "220 mail.test ESMTP at your service\r\n")
		if readUntil(in, "\r\n") == nil {
			io.WriteString(out, "221 mail.test bye\r\n")
		}
	})
	w.streams()
	w.datagrams()
	w.names()
}

// streams is a server of gRPC.
func (w *world) streams() {
	srv := grpc.NewServer(grpc.Creds(credentials.NewTLS(w.origin.config("h2"))))
	srv.RegisterService(&bidi, nil)
	done := make(chan struct{})
	ln := w.listen("50051")
	go func() { defer close(done); srv.Serve(ln) }()
	w.t.Cleanup(func() { srv.Stop(); <-done })
}

// readUntil reads up to and with end.
func readUntil(in *bufio.Reader, end string) error {
	for got := ""; !strings.HasSuffix(got, end); {
		b, err := in.ReadByte()
		if err != nil {
			return err
		}
		got += string(b)
	}
	return nil
}

// web answers requests: with what it was sent, or with as many bytes of noise as the
// path says, or with messages.
func (w *world) web(rw http.ResponseWriter, r *http.Request) {
	var size int64
	switch {
	case r.URL.Path == "/ws":
		ws, err := websocket.Accept(rw, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		for {
			kind, data, err := ws.Read(r.Context())
			if err != nil || ws.Write(r.Context(), kind, append([]byte("echo: "), data...)) != nil {
				return
			}
		}
	case strings.HasPrefix(r.URL.Path, "/noise/"):
		fmt.Sscan(strings.TrimPrefix(r.URL.Path, "/noise/"), &size)
		rw.Header().Set("Content-Length", fmt.Sprint(size))
		io.CopyN(rw, noise(), size)
	case r.URL.Path == "/sum":
		h := sha256.New()
		io.Copy(h, r.Body)
		fmt.Fprintf(rw, "%x", h.Sum(nil))
	default:
		echo(rw, r)
	}
}

// datagrams answers each datagram with itself.
func (w *world) datagrams() {
	for _, addr := range []string{webAddr, webAddr6} {
		var pc net.PacketConn
		w.outside(func() (err error) {
			pc, err = net.ListenPacket("udp", net.JoinHostPort(addr, "9999"))
			return err
		})
		w.answer(pc)
	}
}

func (w *world) answer(pc net.PacketConn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for buf := make([]byte, 64<<10); ; {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			pc.WriteTo(buf[:n], from)
		}
	}()
	w.t.Cleanup(func() { pc.Close(); <-done })
}

// names is a DNS server for what is in hosts.
func (w *world) names() {
	handle := mdns.HandlerFunc(func(rw mdns.ResponseWriter, q *mdns.Msg) {
		m := new(mdns.Msg)
		m.SetReply(q)
		name := q.Question[0].Name
		addrs, ok := hosts[strings.ToLower(strings.TrimSuffix(name, ".test."))]
		if !ok {
			m.Rcode = mdns.RcodeNameError
		}
		h := mdns.RR_Header{Name: name, Rrtype: q.Question[0].Qtype, Class: mdns.ClassINET, Ttl: 60}
		switch {
		case h.Rrtype == mdns.TypeA && addrs[0] != "":
			m.Answer = append(m.Answer, &mdns.A{Hdr: h, A: net.ParseIP(addrs[0])})
		case h.Rrtype == mdns.TypeAAAA && addrs[1] != "":
			m.Answer = append(m.Answer, &mdns.AAAA{Hdr: h, AAAA: net.ParseIP(addrs[1])})
		case h.Rrtype == mdns.TypeHTTPS && ok:
			m.Answer = append(m.Answer, &mdns.HTTPS{SVCB: mdns.SVCB{Hdr: h, Priority: 1, Target: ".", Value: []mdns.SVCBKeyValue{&mdns.SVCBAlpn{Alpn: []string{"h3", "h2"}}}}})
		}
		rw.WriteMsg(m)
	})
	tcp := w.listen("53")
	var udp net.PacketConn
	w.outside(func() (err error) {
		udp, err = net.ListenPacket("udp", dnsAddr+":53")
		return err
	})
	for _, s := range []*mdns.Server{{Listener: tcp, Handler: handle}, {PacketConn: udp, Handler: handle}} {
		done := make(chan struct{})
		go func() { defer close(done); s.ActivateAndServe() }()
		w.t.Cleanup(func() {
			tcp.Close()
			udp.Close()
			<-done
		})
	}
}

// broker starts mosquitto on ports 1883, and 8883 with TLS.
func (w *world) broker() {
	w.t.Helper()
	path := need(w.t, "mosquitto")
	leaf, err := w.origin.CA.Leaf("mqtt.test")
	w.must(err)
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	w.must(err)
	chain := ""
	for _, der := range leaf.Certificate {
		chain += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	dir := w.t.TempDir()
	conf := w.file(filepath.Join(dir, "mosquitto.conf"), fmt.Sprintf("user root\nallow_anonymous true\nlistener 1883\nlistener 8883\ncertfile %s\nkeyfile %s\n",
		w.file(filepath.Join(dir, "cert.pem"), chain), w.file(filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))))
	cmd := exec.Command("ip", "netns", "exec", "net", path, "-c", conf) // which becomes mosquitto
	var said bytes.Buffer
	cmd.Stderr = &said
	w.must(cmd.Start())
	w.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		nc, err := net.Dial("tcp", webAddr+":8883")
		if err == nil {
			nc.Close()
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("mosquitto does not answer: %v\n%s", err, &said)
		}
	}
}

// start starts Constat with every door that this system has, on the same case each
// time.
func (w *world) start(args ...string) *instance {
	w.t.Helper()
	all := append([]string{
		"--upstream-ca", w.origin.CAFile, "--dns", dnsAddr,
		"--wireguard", "0.0.0.0:" + tunnelPort, "--socks", "127.0.0.1:0", "--gateway", "[::]:" + gatewayPort,
	}, args...)
	w.c = startIn(w.t, nil, filepath.Join(w.dir, "case.constat"), w.caDir(), all...)
	return w.c
}

func (w *world) caDir() string { return filepath.Join(w.dir, "ca") }

// enrol adds the devices of the book: a phone in the tunnel and a tablet on the local
// network.
func (w *world) enrol() {
	w.t.Helper()
	constat(w.t, 0, "device", "add", "phone", "--ca-dir", w.caDir())
	constat(w.t, 0, "device", "add", "tablet", "--ca-dir", w.caDir(), "--address", "192.168.7.2", "--address", "fd77::2")
}

// tunnel starts the phone from the configuration that a person would scan.
func (w *world) tunnel() {
	w.t.Helper()
	text, _ := constat(w.t, 0, "device", "show", "phone", "--ca-dir", w.caDir(), "--endpoint", "127.0.0.1:"+tunnelPort)
	w.phone = wgtest.NewPhone(w.t, text)
}

// divert sets the firewall up for the tablet, once: the network goes with the test.
func (w *world) divert(t *testing.T) {
	t.Helper()
	if w.diverted {
		return
	}
	script, _ := constat(w.t, 0, "gateway", "--interface", "lan0", "--port", gatewayPort)
	file := w.file(filepath.Join(w.dir, "gateway.sh"), script)
	if out, err := exec.Command("sh", file, "up").CombinedOutput(); err != nil {
		t.Skipf("this system diverts nothing, install nftables and a kernel with TPROXY: %v: %s", err, out)
	}
	w.diverted = true
}

// password is the one of a device, as a person reads it on a terminal.
func (w *world) password(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.caDir(), "devices.json"))
	w.must(err)
	var book struct {
		Devices []struct{ Name, Password string }
	}
	w.must(json.Unmarshal(text, &book))
	for _, d := range book.Devices {
		if d.Name == name {
			return d.Password
		}
	}
	w.t.Fatalf("no device %s in\n%s", name, text)
	return ""
}

// doorway is a way in, and a client that takes it.
type doorway struct {
	name, device string // as in rows
	proxy        string // URL, empty for none
	command      func(name string, args ...string) *exec.Cmd
	w            *world
}

// doorway returns the one of that name: http, socks5, socks5 signed in, wireguard or
// transparent. It sets up what the client needs.
func (w *world) doorway(t *testing.T, name string) *doorway {
	t.Helper()
	d := &doorway{name: name, device: "127.0.0.1", command: exec.Command, w: w}
	switch name {
	case "http":
		d.proxy = "http://" + w.c.Proxy
	case "socks5":
		d.proxy = "socks5h://" + w.c.SOCKS
	case "socks5 signed in":
		d.name, d.device = "socks5", "phone"
		d.proxy = "socks5h://phone:" + w.password("phone") + "@" + w.c.SOCKS
	case "wireguard":
		if w.phone == nil {
			w.tunnel()
		}
		d.device, d.command = "phone", w.phone.Command
		// After a crash of this end a phone takes 15 s to notice.
		if out, err := d.command("ping", "-n", "-c", "1", "-w", "60", "10.77.0.1").CombinedOutput(); err != nil {
			t.Fatalf("the tunnel does not get up: %v %s", err, out)
		}
	case "transparent":
		w.divert(t)
		d.device = "tablet"
		d.command = func(name string, args ...string) *exec.Cmd {
			return exec.Command("ip", append([]string{"netns", "exec", "lan", name}, args...)...)
		}
	default:
		t.Fatalf("no door %s", name)
	}
	return d
}

// each runs f as a test for each door.
func (w *world) each(t *testing.T, names []string, f func(t *testing.T, n int, d *doorway)) {
	for n, name := range names {
		t.Run(name, func(t *testing.T) {
			w.c.t = t
			defer func() { w.c.t = w.t }()
			f(t, n, w.doorway(t, name))
		})
	}
}

// curl runs curl to its end. What it reads from in stays open until then.
func (d *doorway) curl(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	all := []string{"-sS", "--noproxy", "", "--max-time", "60", "--cacert", d.w.c.CA}
	if d.proxy != "" {
		all = append(all, "-x", d.proxy)
	}
	return output(t, d.command(need(t, "curl"), append(all, args...)...), in)
}

// client runs one of the clients in Go.
func (d *doorway) client(name string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	d.w.must(err)
	cmd := d.command(self, append([]string{"-ca", d.w.c.CA, "-proxy", strings.Replace(d.proxy, "socks5h", "socks5", 1)}, args...)...)
	cmd.Env = append(os.Environ(), clientEnv+"="+name)
	return cmd
}

// talker is a client that does one thing for each line that it reads, and says so.
type talker struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (d *doorway) talker(t *testing.T, name string, args ...string) *talker {
	t.Helper()
	c := &talker{t: t, cmd: d.client(name, args...)}
	c.cmd.Stderr = os.Stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		c.cmd.Wait()
	})
	return c
}

func (c *talker) do(what int) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.in, what); err != nil {
		c.t.Fatal(err)
	}
	if line, err := c.out.ReadString('\n'); err != nil {
		c.t.Fatalf("the client says %q: %v", line, err)
	}
}

// output runs cmd to its end, with a standard input that says one thing and stays open.
func output(t *testing.T, cmd *exec.Cmd, in string) (string, error) {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if _, err := io.WriteString(stdin, in); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd.WaitDelay = time.Second
	slow := time.AfterFunc(90*time.Second, func() { cmd.Process.Kill() })
	defer slow.Stop()
	err = cmd.Wait()
	return out.String(), err
}
