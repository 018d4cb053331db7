package proxy

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"constat/proxy/flow"
)

// quicServer ends the QUIC connections of all doors.
type quicServer struct {
	p     *Proxy
	tls   *tls.Config
	conf  *quic.Config
	http3 *http3.Server // only makes connections of HTTP/3; it does not listen

	mu   sync.Mutex
	ids  map[connID]*carrier
	open map[netip.Addr]int // carriers of a client
}

// connID is a connection ID that we chose (RFC 9000 section 5.1).
type connID [8]byte

const (
	// idsKept is how many of its connection IDs a connection is known by: those that
	// the library has issued at a time.
	idsKept = 8
	// idsLinger is how long they are known after its end, so that what a client still
	// sends is not taken for something new.
	idsLinger = 10 * time.Second
	// maxStreams is how many requests a client may have open on a connection.
	maxStreams = 250
	// maxUniStreams bounds the client's own streams: HTTP/3 has three, and there may be
	// reserved ones (RFC 9114 section 6.2).
	maxUniStreams = 16
	// lastWords is how long the end of the last answers has to reach the client when
	// Constat stops.
	lastWords = 100 * time.Millisecond
	// quicPacket is more than the largest packet that the library takes, in bytes.
	quicPacket = 2048
)

func newQUICServer(p *Proxy) *quicServer {
	q := &quicServer{p: p, ids: map[connID]*carrier{}, open: map[netip.Addr]int{}}
	q.tls = http3.ConfigureTLSConfig(&tls.Config{
		MinVersion:       tls.VersionTLS13,
		CurvePreferences: p.tls.CurvePreferences,
		GetCertificate: func(chi *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return chi.Context().Value(streamKey{}).(*stream).conn.leaf(chi.ServerName)
		},
	})
	// The limits are those of HTTP/2. Packets fit into a tunnel with an MTU of 1280
	// over IPv6.
	q.conf = &quic.Config{
		HandshakeIdleTimeout:           p.conf.HandshakeTimeout / 2, // the library doubles it
		MaxIdleTimeout:                 p.conf.IdleTimeout,
		InitialStreamReceiveWindow:     256 << 10,
		MaxStreamReceiveWindow:         256 << 10,
		InitialConnectionReceiveWindow: 1 << 20,
		MaxConnectionReceiveWindow:     1 << 20,
		MaxIncomingStreams:             maxStreams,
		MaxIncomingUniStreams:          maxUniStreams,
		InitialPacketSize:              1200,
		DisablePathMTUDiscovery:        true,
	}
	q.http3 = &http3.Server{
		Handler:        http.HandlerFunc(p.serveHTTP3),
		MaxHeaderBytes: p.conf.MaxHead,
		IdleTimeout:    p.conf.IdleTimeout,
		Logger:         slog.New(slog.DiscardHandler), // its lines quote what clients sent
	}
	return q
}

// serveHTTP3 serves one request of HTTP/3.
func (p *Proxy) serveHTTP3(w http.ResponseWriter, r *http.Request) {
	_ = w.(interface{ SetReadDeadline(time.Time) error }).SetReadDeadline(time.Time{})
	p.ServeHTTP(w, r)
}

// carrier is one QUIC connection of a client: what is to be read of the datagrams in
// its flow, and in those that it goes on in when the client's port changes (RFC 9000
// section 9). To the library it is a socket of its own, and the source of the IDs by
// which such flows are recognised.
type carrier struct {
	server *quicServer
	c      *conn // whose row it is
	s      *stream
	in     chan datagram
	end    func() // ends the connection
	wake   func() // ends the wait for the handshake

	once  sync.Once
	done  chan struct{} // closed when nothing is read any more
	pumps sync.WaitGroup

	mu   sync.Mutex
	ctx  context.Context // of the library's connection; nil before there is one
	ways []*way
	ids  []connID
	over bool // nothing is added to the two any more
}

// way is a flow that a carrier's datagrams come and go by, as the address of the client.
type way struct {
	net.Addr
	text string // of Addr
	c    *conn
}

func (w *way) String() string { return w.text }

type datagram struct {
	buf *[quicPacket]byte
	n   int
	way *way
}

var quicBuffers = sync.Pool{New: func() any { return new([quicPacket]byte) }}

// carry ends a client's QUIC connection here, and returns when it is over. h is its
// ClientHello.
func (c *conn) carry(h *hello, to target) {
	d, q := c.door, c.door.p.quic
	ctx, end := context.WithCancel(context.Background())
	defer end()
	if !d.begin(c, end) {
		c.cutOff()
		return
	}
	defer d.carriers.Done()
	if !q.admit(c) {
		c.refuse("too many QUIC connections of this client at a time")
		return
	}
	defer q.dismiss(c)
	defer c.Close()
	wait, wake := context.WithTimeout(ctx, q.p.conf.HandshakeTimeout)
	defer wake()
	k := &carrier{
		server: q, c: c, s: newStream(c, c, &to), end: end, wake: wake,
		in: make(chan datagram, 64), done: make(chan struct{}),
	}
	k.s.secure, k.s.name = true, hostName(h.name)
	transport := &quic.Transport{Conn: k, ConnectionIDGenerator: k, ConnContext: k.begin}
	defer k.finish(transport)
	qc, err := k.accept(wait, transport)
	if err == nil {
		defer context.AfterFunc(ctx, func() {
			_ = qc.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeInternalError), "")
		})()
		err = shake(qc)
	}
	if err != nil {
		err = quicCause(err)
		c.note(func(row *flow.Connection) { refused(row, err, alertName(err)) })
		return
	}
	c.shook = time.Now()
	cs := qc.ConnectionState().TLS
	c.agreed(&cs)
	k.serve(qc)
	k.conclude(quicCause(context.Cause(qc.Context())))
}

// begin notes that a QUIC connection is to be waited for, and how to end it; it is
// false when the door is closing.
func (d *door) begin(c *conn, end func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing {
		return false
	}
	d.carriers.Add(1)
	c.mu.Lock()
	c.end = end
	c.mu.Unlock()
	return true
}

// admit counts one connection more of a client, if it may have it.
func (q *quicServer) admit(c *conn) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	client := c.row.Client.Addr()
	if q.open[client] >= q.p.conf.MaxQUIC {
		return false
	}
	q.open[client]++
	return true
}

func (q *quicServer) dismiss(c *conn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	client := c.row.Client.Addr()
	if q.open[client]--; q.open[client] == 0 {
		delete(q.open, client)
	}
}

// accept waits for the connection to come so far that it can be told how its handshake
// ends.
func (k *carrier) accept(wait context.Context, transport *quic.Transport) (*quic.Conn, error) {
	k.join(k.c)
	ln, err := transport.ListenEarly(k.server.tls, k.server.conf)
	if err != nil {
		return nil, err
	}
	qc, err := ln.Accept(wait)
	late := errors.Is(wait.Err(), context.DeadlineExceeded)
	_ = ln.Close() // there is one connection in a flow, and a listener holds 100 KiB
	if err != nil {
		qc, err = ln.Accept(context.Background()) // it may have come at the same time
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err == nil:
		return qc, nil
	case late:
		return nil, os.ErrDeadlineExceeded
	case k.ctx != nil && k.ctx.Err() != nil:
		return nil, context.Cause(k.ctx)
	}
	return nil, io.EOF
}

// shake waits for the handshake, and returns why it failed.
func shake(qc *quic.Conn) error {
	select {
	case <-qc.HandshakeComplete():
		return nil
	case <-qc.Context().Done():
	}
	select {
	case <-qc.HandshakeComplete():
		return nil
	default:
		return context.Cause(qc.Context())
	}
}

// serve serves the requests of a connection until it is over.
func (k *carrier) serve(qc *quic.Conn) {
	raw, err := k.server.http3.NewRawServerConn(qc)
	if err != nil {
		_ = qc.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeInternalError), "")
		return
	}
	var streams, requests sync.WaitGroup
	streams.Go(func() {
		for {
			str, err := qc.AcceptUniStream(qc.Context())
			if err != nil {
				return
			}
			streams.Go(func() { raw.HandleUnidirectionalStream(str) })
		}
	})
	for {
		str, err := qc.AcceptStream(k.c.door.relays)
		if err != nil {
			break
		}
		_ = str.SetReadDeadline(time.Now().Add(k.server.p.conf.HeadTimeout))
		requests.Go(func() { raw.HandleRequestStream(str) })
	}
	if qc.Context().Err() == nil { // Constat stops
		streams.Go(func() { reject(qc) })
		requests.Wait()
		select {
		case <-qc.Context().Done():
		case <-time.After(lastWords):
		}
	}
	_ = raw.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
	requests.Wait()
	streams.Wait()
}

// reject tells the client of every request that comes that it was not looked at (RFC
// 9114 section 4.1.1).
func reject(qc *quic.Conn) {
	for {
		str, err := qc.AcceptStream(qc.Context())
		if err != nil {
			return
		}
		str.CancelRead(quic.StreamErrorCode(http3.ErrCodeRequestRejected))
		str.CancelWrite(quic.StreamErrorCode(http3.ErrCodeRequestRejected))
	}
}

// conclude notes how a connection ended whose handshake went well.
func (k *carrier) conclude(err error) {
	c := k.c
	c.readFailed(err)
	var bad quicFault
	if !errors.As(err, &bad) || c.wasCut() {
		return
	}
	if c.requests.Load() == 0 {
		c.outcome(flow.Intercepted, "handshake fine, but what came was not a complete request ("+string(bad)+")")
		return
	}
	c.note(func(row *flow.Connection) {
		if row.Reason == "" {
			row.Reason = "ended because what the client sent was not well-formed (" + string(bad) + ")"
		}
	})
}

// quicFault is what we ended a connection for.
type quicFault string

func (f quicFault) Error() string { return "ended with " + string(f) }

// quicCause is why a QUIC connection ended, in words that quote nothing of what the
// client sent: io.EOF when it closed it properly.
func quicCause(err error) error {
	var transport *quic.TransportError
	var application *quic.ApplicationError
	switch {
	case err == nil:
		return io.EOF
	case expired(err):
		return os.ErrDeadlineExceeded
	case errors.As(err, &transport):
		code := transport.ErrorCode
		switch {
		case transport.Remote && code.IsCryptoError():
			return err // which alertName knows
		case transport.Remote && (code == quic.NoError || code == quic.ApplicationErrorErrorCode):
			return io.EOF // the latter is of an app that closes before the handshake is over: RFC 9000 section 10.2.3
		case transport.Remote:
			return errors.New("closed with " + code.String())
		case code.IsCryptoError():
			return quicFault("the alert " + alerts[uint8(code)])
		}
		return quicFault(code.String())
	case errors.As(err, &application):
		code := http3.ErrCode(application.ErrorCode)
		switch none := code == http3.ErrCodeNoError || code == 0; {
		case application.Remote && none:
			return io.EOF
		case application.Remote:
			return errors.New("closed with " + code.String())
		case none:
			return os.ErrDeadlineExceeded // unused for too long
		}
		return quicFault(code.String())
	}
	return io.EOF // the flow is gone
}

// begin is called when the library takes in a connection, and makes the context of its
// requests.
func (k *carrier) begin(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ctx != nil {
		return nil, errors.New("a second connection in a flow")
	}
	k.ctx = ctx
	context.AfterFunc(ctx, k.wake)
	return context.WithValue(ctx, streamKey{}, k.s), nil
}

// finish lets go of everything. The IDs are known for a while yet.
func (k *carrier) finish(transport *quic.Transport) {
	_ = transport.Close()
	_ = k.Close()
	k.mu.Lock()
	k.over = true
	ways, ids := slices.Clone(k.ways), k.ids
	k.mu.Unlock()
	for _, w := range ways {
		_ = w.c.Conn.SetReadDeadline(past)
	}
	k.pumps.Wait()
	time.AfterFunc(idsLinger, func() { k.server.forget(ids) })
}

func (q *quicServer) forget(ids []connID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range ids {
		delete(q.ids, id)
	}
}

// join has the datagrams of a flow read from here on, and returns false when it is too
// late for that.
func (k *carrier) join(c *conn) bool {
	w := &way{Addr: c.RemoteAddr(), text: c.RemoteAddr().String(), c: c}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return false
	}
	k.ways = append(k.ways, w)
	k.pumps.Go(func() {
		k.pump(w)
		k.leave(w)
	})
	return true
}

// leave forgets a flow that is over. The connection ends with the last one.
func (k *carrier) leave(w *way) {
	k.mu.Lock()
	k.ways = slices.DeleteFunc(k.ways, func(x *way) bool { return x == w })
	last := len(k.ways) == 0 && !k.over
	k.mu.Unlock()
	if w.c != k.c {
		_ = w.c.Close()
	}
	switch {
	case !last:
	case k.c.door.isClosing(): // and has ended the flow
		k.c.cutOff()
	default:
		k.end()
	}
}

func (d *door) isClosing() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closing
}

// pump reads the datagrams of a flow until it is over, or the connection is. A flow
// that the connection did not begin in is over also when it has been silent for long.
func (k *carrier) pump(w *way) {
	for {
		if w.c != k.c {
			_ = w.c.SetReadDeadline(time.Now().Add(k.server.p.conf.PacketTimeout))
		}
		select {
		case <-k.done:
			return
		default:
		}
		buf := quicBuffers.Get().(*[quicPacket]byte)
		n, err := w.c.Read(buf[:])
		if w.c != k.c {
			k.c.up.Add(int64(n))
		}
		if err == io.ErrShortBuffer {
			err, n = nil, 0 // no packet is that large
		}
		if err != nil {
			return
		}
		select {
		case k.in <- datagram{buf, n, w}:
		case <-k.done:
			return
		}
	}
}

// carrierOf returns the connection that a packet belongs to, nil for none.
func (q *quicServer) carrierOf(packet []byte) *carrier {
	var id connID
	if len(packet) <= len(id) || packet[0]&0xc0 != 0x40 { // a short header: RFC 9000 section 17.3.1
		return nil
	}
	copy(id[:], packet[1:])
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ids[id]
}

// join takes in a flow that goes on with a connection, or with what was one until a
// moment ago, and returns false when it does neither. first is its first datagram.
func (q *quicServer) join(c *conn, first []byte) bool {
	k := q.carrierOf(first)
	if k == nil || k.c.row.Device != c.row.Device || k.c.row.Port != c.row.Port || k.c.addr != c.addr || !c.door.begin(c, func() {}) {
		return false
	}
	defer c.door.carriers.Done()
	c.mu.Lock()
	c.silent = true
	c.mu.Unlock()
	if k.join(c) {
		<-k.done
		return true
	}
	c.absorb()
	return true
}

// absorb takes what is still on its way for a connection that is over.
func (c *conn) absorb() {
	defer c.Close()
	c.mu.Lock()
	c.end = nil
	c.mu.Unlock()
	_ = c.SetReadDeadline(time.Now().Add(idsLinger))
	buf := quicBuffers.Get().(*[quicPacket]byte)
	defer quicBuffers.Put(buf)
	for {
		if _, err := c.Read(buf[:]); err != nil && err != io.ErrShortBuffer {
			return
		}
	}
}

// GenerateConnectionID implements quic.ConnectionIDGenerator.
func (k *carrier) GenerateConnectionID() (quic.ConnectionID, error) {
	var id connID
	_, _ = rand.Read(id[:]) // never fails
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return quic.ConnectionIDFromBytes(id[:]), nil
	}
	q := k.server
	q.mu.Lock()
	defer q.mu.Unlock()
	if k.ids = append(k.ids, id); len(k.ids) > idsKept {
		delete(q.ids, k.ids[0])
		k.ids = k.ids[1:]
	}
	q.ids[id] = k
	return quic.ConnectionIDFromBytes(id[:]), nil
}

// ConnectionIDLen implements quic.ConnectionIDGenerator.
func (k *carrier) ConnectionIDLen() int { return len(connID{}) }

// ReadFrom implements net.PacketConn.
func (k *carrier) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case d := <-k.in:
		n := copy(p, d.buf[:d.n])
		quicBuffers.Put(d.buf)
		return n, d.way, nil
	case <-k.done:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements net.PacketConn. What cannot be sent is lost, as on any network.
func (k *carrier) WriteTo(p []byte, to net.Addr) (int, error) {
	n, _ := to.(*way).c.Conn.Write(p)
	k.c.down.Add(int64(n))
	return len(p), nil
}

// Close implements net.PacketConn: nothing is read any more.
func (k *carrier) Close() error {
	k.once.Do(func() { close(k.done) })
	return nil
}

// LocalAddr implements net.PacketConn.
func (k *carrier) LocalAddr() net.Addr { return k.c.LocalAddr() }

// SetReadDeadline implements net.PacketConn. The library sets one only to close.
func (k *carrier) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		return k.Close()
	}
	return nil
}

// SetDeadline implements net.PacketConn.
func (k *carrier) SetDeadline(t time.Time) error { return k.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn.
func (k *carrier) SetWriteDeadline(time.Time) error { return nil }

// SetReadBuffer keeps the library from complaining that it cannot set it.
func (k *carrier) SetReadBuffer(int) error { return nil }

// SetWriteBuffer is as SetReadBuffer.
func (k *carrier) SetWriteBuffer(int) error { return nil }
