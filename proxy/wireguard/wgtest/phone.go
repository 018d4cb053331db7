//go:build linux

// Package wgtest runs programs behind a WireGuard tunnel, as on a phone: in a network
// namespace of their own whose only way out is the tunnel. It is for tests, on Linux,
// as root.
package wgtest

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun"
)

// Phone is a network namespace with a kernel TUN device that a WireGuard device
// serves. A pair of veth devices carries what that device sends to the host.
type Phone struct {
	t      testing.TB
	ns     string
	host   string    // name of the host's end of the pair
	peer   string    // name of the phone's
	at     [2]string // IPv4 addresses of the pair: the host's, and with /30 or /32 the phone's
	moved  int
	device *device.Device
}

// phones counts the phones of this process, for their names.
var phones atomic.Int32

// NewPhone starts a phone from the text of its configuration, as wg-quick(8) reads
// it: keys, Address, DNS, MTU, AllowedIPs and Endpoint count. An Endpoint on
// loopback, which a namespace cannot reach, stands for the host's end of the veth
// pair: the listener must then listen on all addresses. The phone is gone when the
// test ends. The test is skipped where this cannot be done.
func NewPhone(t testing.TB, config string) *Phone {
	t.Helper()
	needs(t)
	c, err := parse(config)
	if err != nil {
		t.Fatal(err)
	}
	n := phones.Add(1)
	p := &Phone{t: t, ns: fmt.Sprintf("constat-%d-%d", os.Getpid(), n), host: fmt.Sprintf("cs%xh%d", os.Getpid(), n)}
	t.Cleanup(p.end)
	if err := p.start(c, fmt.Sprintf("cs%xp%d", os.Getpid(), n), int(n)); err != nil {
		t.Fatalf("start a phone: %v", err)
	}
	return p
}

// needs skips the test where there can be no phone.
func needs(t testing.TB) {
	t.Helper()
	const how = "; run the test as root on Linux with iproute2, as in: sudo go test ./proxy/wireguard"
	if os.Geteuid() != 0 {
		t.Skip("a network namespace needs root" + how)
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skip("there is no /dev/net/tun" + how)
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("there is no program ip" + how)
	}
	probe := fmt.Sprintf("constat-%d-probe", os.Getpid())
	if err := ip("netns add " + probe); err != nil {
		t.Skipf("namespaces are not allowed here: %v%s", err, how)
	}
	_ = ip("netns del " + probe)
}

// Command prepares a program that is to run on the phone. Its DNS is the
// configuration's.
func (p *Phone) Command(name string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", p.ns, name}, args...)...)
}

// start makes the namespace, the pair, the TUN device and the routes. Its addresses
// are of the range for tests of devices (RFC 2544, RFC 6890), and of the one for
// documentation.
func (p *Phone) start(c *config, peer string, n int) error {
	unique := os.Getpid()*8 + n
	four := fmt.Sprintf("198.%d.%d.%d", 18+unique>>14&1, unique>>6&0xff, unique<<2&0xff)
	six := fmt.Sprintf("fd63:6f6e:7374:%x::", unique&0xffff)
	host4, own4 := next(four, 1), next(four, 2)
	host6, own6 := next(six, 1), next(six, 2)
	p.peer, p.at = peer, [2]string{host4, own4 + "/30"}
	if err := steps(
		"netns add "+p.ns,
		"link add "+p.host+" type veth peer name "+peer+" netns "+p.ns,
		"addr add "+host4+"/30 dev "+p.host,
		"addr add "+host6+"/126 dev "+p.host+" nodad",
		"link set "+p.host+" up",
		"-n "+p.ns+" addr add "+own4+"/30 dev "+peer,
		"-n "+p.ns+" addr add "+own6+"/126 dev "+peer+" nodad",
		"-n "+p.ns+" link set lo up",
		"-n "+p.ns+" link set "+peer+" up",
	); err != nil {
		return err
	}
	to := c.endpoint.Addr()
	via := host4
	if to.Is6() {
		via = host6
	}
	if to.IsLoopback() || to.IsUnspecified() {
		to = netip.MustParseAddr(via)
	} else if err := ip(fmt.Sprintf("-n %s route add %s via %s", p.ns, to, via)); err != nil {
		return err
	}
	c.endpoint = netip.AddrPortFrom(to, c.endpoint.Port())
	if err := p.inside(func() error { return p.tunnel(c) }); err != nil {
		return err
	}
	for _, a := range c.addresses {
		if err := ip(fmt.Sprintf("-n %s addr add %s dev wg0 nodad", p.ns, a)); err != nil {
			return err
		}
	}
	if err := ip("-n " + p.ns + " link set wg0 up"); err != nil {
		return err
	}
	for _, a := range c.allowed {
		if err := ip(fmt.Sprintf("-n %s route add %s dev wg0", p.ns, a)); err != nil {
			return err
		}
	}
	return p.resolver(c.dns)
}

// Roam moves the phone to another network: its packets come from another IPv4 address
// and another port from then on, without a word.
func (p *Phone) Roam() error {
	p.moved++
	to := fmt.Sprintf("198.19.255.%d/32", p.moved)
	if err := steps(
		"route add "+to+" dev "+p.host,
		"-n "+p.ns+" addr add "+to+" dev "+p.peer,
		"-n "+p.ns+" addr del "+p.at[1]+" dev "+p.peer,
		"-n "+p.ns+" route replace "+p.at[0]+"/32 dev "+p.peer,
	); err != nil {
		return err
	}
	p.at[1] = to
	return p.inside(func() error { return p.device.IpcSet(fmt.Sprintf("listen_port=%d", 40000+p.moved)) })
}

// Handshake says when the last handshake was, as text that differs from one to the next.
func (p *Phone) Handshake() string {
	text, err := p.device.IpcGet()
	if err != nil {
		p.t.Fatal(err)
	}
	var when []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "last_handshake_time_") {
			when = append(when, line)
		}
	}
	return strings.Join(when, "")
}

// inside runs f on a thread that is in the namespace: sockets and devices belong to
// the one of the thread that makes them.
func (p *Phone) inside(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			done <- err
			return
		}
		defer home.Close()
		ns, err := os.Open(filepath.Join("/run/netns", p.ns))
		if err != nil {
			done <- err
			return
		}
		defer ns.Close()
		if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			err = fmt.Errorf("enter the namespace: %w", err)
		} else {
			err = f()
		}
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread() // else the thread ends with its goroutine
		}
		done <- err
	}()
	return <-done
}

// tunnel starts the WireGuard device.
func (p *Phone) tunnel(c *config) error {
	t, err := tun.CreateTUN("wg0", c.mtu)
	if err != nil {
		return err
	}
	p.device = device.NewDevice(t, conn.NewDefaultBind(), &device.Logger{Verbosef: device.DiscardLogf, Errorf: device.DiscardLogf})
	if err := p.device.IpcSet(c.uapi()); err != nil {
		return err
	}
	return p.device.Up()
}

// resolver gives the phone its DNS servers: ip-netns(8) mounts this file over
// /etc/resolv.conf for the programs that it starts.
func (p *Phone) resolver(servers []netip.Addr) error {
	dir := filepath.Join("/etc/netns", p.ns)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var b strings.Builder
	for _, s := range servers {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	return os.WriteFile(filepath.Join(dir, "resolv.conf"), []byte(b.String()), 0o644)
}

// end takes away all that start made, also after it failed half-way.
func (p *Phone) end() {
	if out, err := exec.Command("ip", "netns", "pids", p.ns).Output(); err == nil {
		for _, field := range strings.Fields(string(out)) {
			if pid, err := strconv.Atoi(field); err == nil && pid != os.Getpid() {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	if p.device != nil {
		p.device.Close()
	}
	_ = ip("link del " + p.host)
	if err := ip("netns del " + p.ns); err != nil {
		p.t.Errorf("remove the phone: %v", err)
	}
	_ = os.RemoveAll(filepath.Join("/etc/netns", p.ns))
	_ = os.Remove("/etc/netns") // stays when others are in it
}

// next is the n-th address after a.
func next(a string, n int) string {
	addr := netip.MustParseAddr(a)
	for range n {
		addr = addr.Next()
	}
	return addr.String()
}

func steps(lines ...string) error {
	for _, line := range lines {
		if err := ip(line); err != nil {
			return err
		}
	}
	return nil
}

// ip runs ip(8).
func ip(args string) error {
	out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %v: %s", args, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// config is what counts of a phone's configuration.
type config struct {
	private, public, shared string // hexadecimal
	addresses, allowed      []netip.Prefix
	dns                     []netip.Addr
	endpoint                netip.AddrPort
	mtu                     int
}

// parse reads the text of a configuration. What it does not know, it refuses, as the
// programs on phones do.
func parse(text string) (*config, error) {
	c := &config{mtu: 1420} // the default of wg-quick(8) over IPv6
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value, found := strings.Cut(line, "=")
		if line == "" || line == "[Interface]" || line == "[Peer]" || strings.HasPrefix(line, "#") {
			continue
		}
		if !found {
			return nil, fmt.Errorf("the configuration has a line that is none: %q", line)
		}
		if err := c.set(strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("%s in the configuration: %w", strings.TrimSpace(name), err)
		}
	}
	if c.private == "" || c.public == "" || len(c.addresses) == 0 || !c.endpoint.IsValid() {
		return nil, fmt.Errorf("the configuration has no key, no address or no endpoint")
	}
	return c, nil
}

func (c *config) set(name, value string) (err error) {
	switch name {
	case "PrivateKey":
		c.private, err = key(value)
	case "PublicKey":
		c.public, err = key(value)
	case "PresharedKey":
		c.shared, err = key(value)
	case "Address":
		c.addresses, err = list(value, netip.ParsePrefix)
	case "AllowedIPs":
		c.allowed, err = list(value, netip.ParsePrefix)
	case "DNS":
		c.dns, err = list(value, netip.ParseAddr)
	case "Endpoint":
		c.endpoint, err = netip.ParseAddrPort(value)
	case "MTU":
		c.mtu, err = strconv.Atoi(value)
	case "PersistentKeepalive", "IncludedApplications":
	default:
		return fmt.Errorf("unknown")
	}
	return err
}

func list[T any](value string, parse func(string) (T, error)) (all []T, err error) {
	for item := range strings.SplitSeq(value, ",") {
		one, err := parse(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func key(value string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(b) != 32 {
		return "", fmt.Errorf("not a key")
	}
	return hex.EncodeToString(b), nil
}

// uapi is c as the device is told
// (https://www.wireguard.com/xplatform/#configuration-protocol).
func (c *config) uapi() string {
	var b strings.Builder
	fmt.Fprintf(&b, "private_key=%s\npublic_key=%s\nendpoint=%s\n", c.private, c.public, c.endpoint)
	if c.shared != "" {
		fmt.Fprintf(&b, "preshared_key=%s\n", c.shared)
	}
	for _, a := range c.allowed {
		fmt.Fprintf(&b, "allowed_ip=%s\n", a)
	}
	return b.String()
}
