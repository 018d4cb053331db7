package transparent

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Listen listens for what the firewall diverts. ctx is for the time until it returns.
// The error is fs.ErrPermission when the program lacks CAP_NET_ADMIN.
func Listen(ctx context.Context, conf Config) (*Listener, error) {
	if !conf.TCP.IsValid() && !conf.UDP.IsValid() {
		return nil, errors.New("listen transparently: neither TCP nor UDP")
	}
	l := &Listener{conns: make(chan net.Conn), done: make(chan struct{})}
	if conf.TCP.IsValid() {
		lc := net.ListenConfig{}
		if conf.Mode == TProxy {
			lc.Control = control(transparentOptions)
		}
		lc.SetMultipathTCP(false) // the options are those of plain TCP
		ln, err := lc.Listen(ctx, "tcp", conf.TCP.String())
		if err != nil {
			return nil, fmt.Errorf("listen transparently: %w", err)
		}
		l.tcp = ln
	}
	if conf.UDP.IsValid() {
		udp, err := receive(ctx, conf.UDP)
		if err != nil {
			_ = l.shut(err)
			return nil, fmt.Errorf("listen transparently: %w", err)
		}
		l.udp, udp.l = udp, l
		l.wait.Go(udp.serve)
	}
	if l.tcp != nil {
		l.wait.Go(func() { l.serve(conf.Mode) })
	}
	return l, nil
}

// option is one option of a socket.
type option struct{ level, name int }

// The options of sockets that take, and send from, addresses that are not this
// computer's: those for IPv4 work for sockets of both protocols, too.
var (
	transparentOptions = []option{{unix.SOL_IP, unix.IP_TRANSPARENT}, {unix.SOL_IPV6, unix.IPV6_TRANSPARENT}}
	receiveOptions     = append(transparentOptions[:2:2], option{unix.SOL_IP, unix.IP_RECVORIGDSTADDR}, option{unix.SOL_IPV6, unix.IPV6_RECVORIGDSTADDR})
	answerOptions      = append(transparentOptions[:2:2], option{unix.SOL_SOCKET, unix.SO_REUSEADDR})
)

// control switches options on before a socket is bound.
func control(options []option) func(network, address string, c syscall.RawConn) error {
	return func(network, _ string, c syscall.RawConn) (err error) {
		if cerr := c.Control(func(fd uintptr) {
			for _, o := range options {
				if o.level == unix.SOL_IPV6 && !strings.HasSuffix(network, "6") {
					continue
				}
				if err = unix.SetsockoptInt(int(fd), o.level, o.name, 1); err != nil {
					return
				}
			}
		}); cerr != nil {
			return cerr
		}
		return err
	}
}

// serve accepts TCP connections until the listener fails or is closed.
func (l *Listener) serve(mode Mode) {
	port := l.tcp.Addr().(*net.TCPAddr).AddrPort().Port()
	for {
		nc, err := l.tcp.Accept()
		if err != nil {
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() && l.pause() {
				continue // no free file descriptors, say
			}
			_ = l.shut(err)
			return
		}
		l.give(diverted(nc.(*net.TCPConn), mode, port))
	}
}

// diverted learns where c was going. own is the port of the listener.
func diverted(c *net.TCPConn, mode Mode, own uint16) *Conn {
	local := unmapped(c.LocalAddr().(*net.TCPAddr).AddrPort())
	d := &Conn{TCPConn: c, dest: net.TCPAddrFromAddrPort(local)}
	if mode == TProxy {
		if local.Port() == own && isOwn(local.Addr()) {
			d.failure = errLoop
		}
		return d
	}
	dest, err := originalDst(c, local.Addr().Is4())
	switch {
	case err != nil:
		d.failure = errNotDiverted
	case dest == local:
		d.failure = errLoop
	default:
		d.dest = net.TCPAddrFromAddrPort(dest)
	}
	return d
}

// soOriginalDst is SO_ORIGINAL_DST (linux/netfilter_ipv4.h) and IP6T_SO_ORIGINAL_DST
// (linux/netfilter_ipv6/ip6_tables.h).
const soOriginalDst = 80

// originalDst asks the connection tracking where c was going before REDIRECT.
func originalDst(c *net.TCPConn, v4 bool) (dest netip.AddrPort, err error) {
	level := unix.SOL_IPV6
	if v4 {
		level = unix.SOL_IP
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, err
	}
	if cerr := raw.Control(func(fd uintptr) {
		// The type is one that is large enough for both forms of address.
		var info *unix.IPv6MTUInfo
		if info, err = unix.GetsockoptIPv6MTUInfo(int(fd), level, soOriginalDst); err == nil {
			dest, err = parseSockaddr(sockaddrBytes(&info.Addr))
		}
	}); cerr != nil {
		return netip.AddrPort{}, cerr
	}
	return dest, err
}

// sockaddrBytes is a as it is in memory.
func sockaddrBytes(a *unix.RawSockaddrInet6) []byte {
	b := binary.NativeEndian.AppendUint16(nil, a.Family)
	b = binary.NativeEndian.AppendUint16(b, a.Port)
	b = binary.NativeEndian.AppendUint32(b, a.Flowinfo)
	b = append(b, a.Addr[:]...)
	return binary.NativeEndian.AppendUint32(b, a.Scope_id)
}

var errSockaddr = errors.New("no address of IPv4 or IPv6")

// parseSockaddr reads a struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)): the family
// in the machine's order, the port in the network's, the address at 4 or at 8.
func parseSockaddr(b []byte) (netip.AddrPort, error) {
	if len(b) < 8 {
		return netip.AddrPort{}, errSockaddr
	}
	port := binary.BigEndian.Uint16(b[2:])
	switch family := binary.NativeEndian.Uint16(b); {
	case family == unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), port), nil
	case family == unix.AF_INET6 && len(b) >= 24:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])).Unmap(), port), nil
	}
	return netip.AddrPort{}, errSockaddr
}

// unmapped is a with IPv4 as IPv4.
func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
