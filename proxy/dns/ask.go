package dns

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	maxMessage = 65535 // bytes; the length before a message over TCP is 16 bits
	maxStrays  = 256   // messages that are no answer to the question, per question and server
	maxServers = 8
)

var errStrays = errors.New("only answers to other questions")

// ask puts q to the servers in turn, until one of them has more to say than that it
// failed or does not want to (RFC 1035 section 4.1.1: codes 2, 4 and 5).
func (a *Answerer) ask(ctx context.Context, q *question, over string) (answer []byte, server netip.AddrPort, err error) {
	servers := a.conf.Servers
	if len(servers) == 0 {
		if servers, err = a.system.list(a.conf.ResolvConf); err != nil {
			return nil, server, err
		}
	}
	servers = servers[:min(len(servers), maxServers)]
	deadline, _ := ctx.Deadline()
	var failures []string
	for i, s := range servers {
		share, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(servers)-i))
		got, err := a.askServer(share, s, q, over)
		cancel()
		if err != nil {
			failures = append(failures, fmt.Sprintf("%v (%s)", s, cause(err)))
			continue
		}
		switch code := int(got[3] & 15); {
		case code != dns.RcodeServerFailure && code != dns.RcodeNotImplemented && code != dns.RcodeRefused:
			return got, s, nil
		case answer == nil:
			answer, server = got, s
		}
	}
	if answer == nil {
		return nil, server, errors.New("no answer from " + strings.Join(failures, ", "))
	}
	return answer, server, nil
}

// cause is what went wrong with a server, in a few words.
func cause(err error) string {
	var sys *os.SyscallError
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "stopped"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &sys):
		return sys.Err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed without an answer"
	}
	return err.Error()
}

// askServer returns the answer of one server, with the ID of the client's question. An
// answer that was cut to fit a datagram is asked for again over TCP; what comes is
// taken if the client said that it can receive so much.
func (a *Answerer) askServer(ctx context.Context, server netip.AddrPort, q *question, over string) ([]byte, error) {
	answer, err := a.exchange(ctx, server, q, over)
	if err != nil {
		return nil, err
	}
	if over == "udp" && answer[2]&0x02 != 0 {
		if whole, err := a.exchange(ctx, server, q, "tcp"); err == nil && len(whole) <= q.size {
			answer = whole
		}
	}
	copy(answer, q.msg[:2])
	return answer, nil
}

// exchange asks one server once, on a connection of its own and with an ID that
// nobody can guess (RFC 5452 section 9.2).
func (a *Answerer) exchange(ctx context.Context, server netip.AddrPort, q *question, over string) ([]byte, error) {
	conn, err := a.conf.Dial(ctx, over, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	var id [2]byte
	rand.Read(id[:])
	msg := append([]byte{0, 0}, id[:]...)
	binary.BigEndian.PutUint16(msg, uint16(len(q.msg)))
	msg = append(msg, q.msg[2:]...)

	receive := readDatagram
	if over == "tcp" {
		receive = readMessage
	} else {
		msg = msg[2:]
	}
	if _, err := conn.Write(msg); err != nil {
		return nil, alive(ctx, err)
	}
	r := bufio.NewReader(conn)
	for range maxStrays {
		answer, err := receive(conn, r)
		if err != nil {
			return nil, alive(ctx, err)
		}
		if q.answeredBy(answer, binary.BigEndian.Uint16(id[:])) {
			return answer, nil
		}
	}
	return nil, errStrays
}

// alive returns the error of ctx when it is the cause of err.
func alive(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

var datagrams = sync.Pool{New: func() any { return new([maxMessage]byte) }}

func readDatagram(conn net.Conn, _ *bufio.Reader) ([]byte, error) {
	buf := datagrams.Get().(*[maxMessage]byte)
	defer datagrams.Put(buf)
	n, err := conn.Read(buf[:])
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), buf[:n]...), nil
}

// readMessage reads a message with its length in front (RFC 1035 section 4.2.2). It
// takes memory for what comes, not for what the length says.
func readMessage(_ net.Conn, r *bufio.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(size[:]))
	msg, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && len(msg) < n {
		err = io.ErrUnexpectedEOF
	}
	return msg, err
}

// systemServers are those of a resolv.conf.
type systemServers struct {
	mu      sync.Mutex
	changed time.Time
	size    int64
	servers []netip.AddrPort
}

// list returns the servers that the file names, which is read again when its time or
// its size is another one.
func (s *systemServers) list(file string) ([]netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("no DNS server is known: %s cannot be read", file)
	}
	if s.servers != nil && info.ModTime().Equal(s.changed) && info.Size() == s.size {
		return s.servers, nil
	}
	servers, err := readResolvConf(file)
	if err != nil {
		return nil, fmt.Errorf("no DNS server is known: %s cannot be read", file)
	}
	s.servers, s.changed, s.size = servers, info.ModTime(), info.Size()
	return servers, nil
}

// readResolvConf reads the nameserver lines of a file as resolv.conf(5) has it, the
// first three; the local machine when there are none.
func readResolvConf(file string) ([]netip.AddrPort, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var servers []netip.AddrPort
	lines := bufio.NewScanner(io.LimitReader(f, 64<<10))
	for lines.Scan() && len(servers) < 3 {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if addr, err := netip.ParseAddr(fields[1]); err == nil {
			servers = append(servers, netip.AddrPortFrom(addr, 53))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if servers == nil {
		servers = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}
	}
	return servers, nil
}

// limiter holds how many questions each client has on their way.
type limiter struct {
	most    int
	mu      sync.Mutex
	clients map[netip.Addr]*slots
}

type slots struct {
	taken chan struct{}
	users int // that hold one or wait for one
}

func (l *limiter) acquire(ctx context.Context, client netip.Addr) error {
	l.mu.Lock()
	s := l.clients[client]
	if s == nil {
		if l.clients == nil {
			l.clients = map[netip.Addr]*slots{}
		}
		s = &slots{taken: make(chan struct{}, l.most)}
		l.clients[client] = s
	}
	s.users++
	l.mu.Unlock()
	select {
	case s.taken <- struct{}{}:
		return nil
	case <-ctx.Done():
		l.leave(client, s)
		return ctx.Err()
	}
}

func (l *limiter) release(client netip.Addr) {
	l.mu.Lock()
	s := l.clients[client]
	l.mu.Unlock()
	<-s.taken
	l.leave(client, s)
}

func (l *limiter) leave(client netip.Addr, s *slots) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(l.clients, client)
	}
}
