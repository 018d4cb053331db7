package socks5

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"
)

// The commands (RFC 1928 section 4).
const (
	cmdConnect   = 1
	cmdBind      = 2
	cmdAssociate = 3
)

// The replies (RFC 1928 section 6) that are sent here.
const (
	replySucceeded   = 0
	replyFailure     = 1
	replyNoCommand   = 7
	replyNoAddrType  = 8
	methodNone       = 0
	methodPassword   = 2
	methodNoneOfThem = 0xff
)

// The replies of SOCKS4.
const (
	granted4      = 90
	rejected4     = 91
	rejectedUser4 = 93
)

// The sentences of Failure. What a client sent is in none of them.
var (
	errSilent   = errors.New("the client said nothing before the time was up, or closed the connection")
	errBroken   = errors.New("the client broke off, or took too long, before it said where to go")
	errHTTP     = errors.New("the client speaks HTTP to the SOCKS port: set this port as SOCKS proxy, or set the port of the HTTP proxy")
	errTLS      = errors.New("the client speaks TLS to the SOCKS port: set this port as SOCKS proxy, not as HTTPS proxy")
	errProtocol = errors.New("the client does not speak SOCKS: set this port as SOCKS5 proxy")
	errNoUser   = errors.New("the client did not sign in: set a user name and a password for the SOCKS proxy")
	errNoMethod = errors.New("the client can sign in only in ways that are not known here: set a user name and a password, or none")
	errSignIn   = errors.New("wrong user name or password for the SOCKS proxy")
	errUserText = errors.New("the user name for the SOCKS proxy is not text")
	errUser4    = errors.New("SOCKS4 has no password to sign in with: set SOCKS5")
	errBind     = errors.New("the client waits for connections from outside (BIND), which is not served")
	errCommand  = errors.New("the client asked for a command that SOCKS does not have")
	errBadForm  = errors.New("the client's SOCKS handshake is malformed")
	errManyUDP  = errors.New("the client has too many associations for UDP: close some apps, or wait")
	errNoUDP    = errors.New("no socket could be opened for the client's datagrams")
)

// negotiate serves a client until it has said where it goes. On success only
// associations have no reply yet. The reply to a failure has been sent.
//
// Every reply is one Write: the reader of zdtun, which is PCAPdroid's, takes a reply
// for malformed that does not come in one piece.
func (l *Listener) negotiate(c *Conn) error {
	_ = c.SetDeadline(time.Now().Add(l.conf.HandshakeTimeout))
	var version [1]byte
	if _, err := io.ReadFull(c.Conn, version[:]); err != nil {
		return errSilent
	}
	var reply []byte
	var err error
	switch version[0] {
	case 5:
		reply, err = l.socks5(c)
	case 4:
		reply, err = l.socks4(c)
	default:
		reply, err = foreign(version[0])
	}
	if len(reply) > 0 {
		if _, werr := c.Write(reply); werr != nil && err == nil {
			err = errBroken
		}
	}
	if err != nil {
		drain(c)
		return err
	}
	if l.conf.App != nil && c.user != "" {
		c.app = l.conf.App(c.user)
	}
	return nil
}

// drain lets the client read the reply: to close a connection that has unread bytes
// takes back what was sent (RFC 1122 section 4.2.2.13).
func drain(c *Conn) {
	_ = c.CloseWrite()
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.CopyN(io.Discard, c.Conn, 64<<10)
}

// foreign is the answer to a client whose first byte is not SOCKS.
func foreign(first byte) (reply []byte, err error) {
	switch {
	case first == 22:
		return nil, errTLS
	case 'A' <= first && first <= 'Z':
		return []byte("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" +
			"This is a SOCKS port. Set it as SOCKS proxy, or set the port of the HTTP proxy.\n"), errHTTP
	}
	return nil, errProtocol
}

// socks5 reads what follows the version of a SOCKS5 client (RFC 1928 sections 3 and
// 4), and returns the last reply.
func (l *Listener) socks5(c *Conn) (reply []byte, err error) {
	methods, err := counted(c.Conn)
	if err != nil {
		return nil, errBroken
	}
	if err := l.method(c, methods); err != nil {
		return nil, err
	}
	head := make([]byte, 5, 5+255+2) // version, command, 0, and the first two bytes of the address
	if _, err := io.ReadFull(c.Conn, head); err != nil {
		return nil, errBroken
	}
	if head[0] != 5 {
		return reply5(replyFailure, target{}), errBadForm
	}
	n, err := targetLen(head[3:])
	if err != nil {
		return reply5(replyNoAddrType, target{}), err
	}
	head = head[:3+n]
	if _, err := io.ReadFull(c.Conn, head[5:]); err != nil {
		return nil, errBroken
	}
	to, _, err := parseTarget(head[3:])
	switch head[1] {
	case cmdConnect:
		if err == nil && to.port == 0 {
			err = errPort
		}
		if err != nil {
			return reply5(replyFailure, target{}), err
		}
		c.to = to
		return reply5(replySucceeded, target{}), nil
	case cmdAssociate:
		// The address says where the client will send from; many send anything.
		c.associate = true
		return nil, nil
	case cmdBind:
		return reply5(replyNoCommand, target{}), errBind
	}
	return reply5(replyNoCommand, target{}), errCommand
}

// method agrees how the client signs in, and lets it. A name is asked for wherever
// the client can give one.
func (l *Listener) method(c *Conn, offered []byte) error {
	switch {
	case slices.Contains(offered, methodPassword):
		if _, err := c.Write([]byte{5, methodPassword}); err != nil {
			return errBroken
		}
		return l.signIn(c)
	case !slices.Contains(offered, methodNone):
		_, _ = c.Write([]byte{5, methodNoneOfThem})
		return errNoMethod
	case l.conf.RequireUser:
		_, _ = c.Write([]byte{5, methodNoneOfThem})
		return errNoUser
	}
	if _, err := c.Write([]byte{5, methodNone}); err != nil {
		return errBroken
	}
	return nil
}

// signIn reads user name and password (RFC 1929 section 2). Empty ones are left to
// SignIn, although the RFC has none: clients send them for settings left empty.
func (l *Listener) signIn(c *Conn) error {
	var version [1]byte
	if _, err := io.ReadFull(c.Conn, version[:]); err != nil {
		return errBroken
	}
	if version[0] != 1 {
		return errBadForm
	}
	user, err := counted(c.Conn)
	if err != nil {
		return errBroken
	}
	password, err := counted(c.Conn)
	if err != nil {
		return errBroken
	}
	err = l.admit(c, string(user), string(password))
	reply := []byte{1, 0}
	if err != nil {
		reply[1] = 1
	}
	if _, werr := c.Write(reply); werr != nil && err == nil {
		return errBroken
	}
	return err
}

// admit decides about a user name and a password.
func (l *Listener) admit(c *Conn, user, password string) error {
	switch {
	case !isText(user):
		return errUserText
	case user == "" && l.conf.RequireUser:
		return errNoUser
	case user == "" && password == "":
		return nil
	}
	if l.conf.SignIn != nil {
		var ok bool
		if user, ok = l.conf.SignIn(user, password); !ok {
			return errSignIn
		}
	}
	c.user = user
	return nil
}

// isText says whether a name can be shown as it is.
func isText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// socks4 reads what follows the version of a SOCKS4 or 4a client ("SOCKS: A protocol
// for TCP proxy across firewalls", and "SOCKS 4A", both by Ying-Da Lee): the command,
// port and address, a name that nothing proves, and for 4a, told by an address 0.0.0.x
// that is not 0.0.0.0, a host name. It returns the reply.
func (l *Listener) socks4(c *Conn) (reply []byte, err error) {
	var head [7]byte
	if _, err := io.ReadFull(c.Conn, head[:]); err != nil {
		return nil, errBroken
	}
	user, err := terminated(c.Conn)
	if err != nil {
		return nil, err
	}
	to := target{addr: netip.AddrFrom4([4]byte(head[3:7])), port: binary.BigEndian.Uint16(head[1:3])}
	if head[3] == 0 && head[4] == 0 && head[5] == 0 && head[6] != 0 {
		name, err := terminated(c.Conn)
		if err != nil {
			return nil, err
		}
		port := to.port
		if to, err = named(name); err != nil {
			return reply4(rejected4), err
		}
		to.port = port
	}
	switch {
	case head[0] == cmdBind:
		return reply4(rejected4), errBind
	case head[0] != cmdConnect:
		return reply4(rejected4), errCommand
	case to.port == 0:
		return reply4(rejected4), errPort
	case l.conf.RequireUser && l.conf.SignIn != nil, l.conf.RequireUser && user == "":
		return reply4(rejectedUser4), errUser4
	}
	if l.conf.SignIn == nil && isText(user) {
		c.user = user
	}
	c.to = to
	return reply4(granted4), nil
}

// counted reads a byte and as many bytes as it says.
func counted(r io.Reader) ([]byte, error) {
	var n [1]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	b := make([]byte, n[0])
	_, err := io.ReadFull(r, b)
	return b, err
}

// terminated reads at most 255 bytes up to a zero, one by one: what follows them is
// not for us.
func terminated(r io.Reader) (string, error) {
	b := make([]byte, 0, 64)
	for len(b) <= 255 {
		b = append(b, 0)
		if _, err := io.ReadFull(r, b[len(b)-1:]); err != nil {
			return "", errBroken
		}
		if b[len(b)-1] == 0 {
			return string(b[:len(b)-1]), nil
		}
	}
	return "", errBadForm
}

// reply5 is a reply of SOCKS5 with the address bound for the client; nobody knows
// one before the server is dialled, and 0.0.0.0 says so.
func reply5(code byte, bound target) []byte { return bound.append([]byte{5, code, 0}) }

// reply4 is a reply of SOCKS4.
func reply4(code byte) []byte { return []byte{0, code, 0, 0, 0, 0, 0, 0} }

var _ net.Conn = (*Conn)(nil)
