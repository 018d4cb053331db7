package sniff

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

const (
	maxHello     = 64 << 10 // bytes of a ClientHello
	maxDatagrams = 64       // looked at for one ClientHello
)

var (
	// ErrNotInitial is of a datagram that does not begin a QUIC connection of a version
	// that is known here.
	ErrNotInitial = errors.New("not a QUIC Initial packet of a known version")
	// ErrNoHello is of a client whose Initial packets have no ClientHello.
	ErrNoHello = errors.New("no ClientHello in the QUIC Initial packets")
)

// quicVersion is what Initial packets depend on.
type quicVersion struct {
	name    string
	salt    string
	labels  [3]string // of key, IV and header protection
	initial byte      // type of Initial packets
	retry   byte
}

// The salts are constants of RFC 9001 section 5.2, RFC 9369 section 3.3.1, and section
// 5.2 of draft-ietf-quic-tls-29, which servers of Google and Meta spoke for years.
var quicVersions = map[uint32]*quicVersion{
	0x00000001: {"QUIC v1", "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a", quicLabels, 0, 3},
	0x6b3343cf: {"QUIC v2", "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9", quicLabels2, 1, 0},
	0xff00001d: {"QUIC draft-29", "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99", quicLabels, 0, 3},
}

var (
	quicLabels  = [3]string{"quic key", "quic iv", "quic hp"}
	quicLabels2 = [3]string{"quicv2 key", "quicv2 iv", "quicv2 hp"}
)

// QUICInitial takes the ClientHello out of the first datagrams of a QUIC client. Their
// protection keeps nobody out: its keys follow from the connection ID in the clear (RFC
// 9001 section 5.2). The zero value is ready; it is for one connection, and for one
// goroutine at a time. It holds no more than twice 64 KiB.
type QUICInitial struct {
	version   uint32
	keys      *initialKeys // of the first connection ID
	largest   int64        // packet number
	datagrams int
	crypto    assembly
	hello     []byte
	err       error
}

// Version is the version of the first packet, "QUIC v1", or empty before it.
func (q *QUICInitial) Version() string {
	if v := quicVersions[q.version]; v != nil {
		return v.name
	}
	return ""
}

// Add takes the next datagram that the client sent. It returns the ClientHello with its
// handshake header (RFC 8446 section 4) once it is whole, and nil before. Packets that
// cannot be read are passed over, except for the first. The error is ErrNotInitial or
// ErrNoHello, and stays.
func (q *QUICInitial) Add(datagram []byte) (hello []byte, err error) {
	if q.hello != nil || q.err != nil {
		return q.hello, q.err
	}
	if q.datagrams++; q.datagrams > maxDatagrams {
		q.err = ErrNoHello
		return nil, q.err
	}
	var dcid []byte
	for rest := datagram; len(rest) > 0; {
		p, after, ok := parseLong(rest)
		if !ok || dcid != nil && !bytes.Equal(p.dcid, dcid) { // RFC 9000 section 12.2
			break
		}
		dcid, rest = p.dcid, after
		if p.initial && !q.packet(p) {
			q.err = ErrNoHello
			return nil, q.err
		}
	}
	if q.keys == nil {
		q.err = ErrNotInitial
		return nil, q.err
	}
	return q.whole()
}

// whole returns the ClientHello when all of it is there.
func (q *QUICInitial) whole() ([]byte, error) {
	b := q.crypto.data[:q.crypto.whole]
	if len(b) < 4 {
		return nil, nil
	}
	size := 4 + int(b[1])<<16 + int(b[2])<<8 + int(b[3])
	if b[0] != 1 || size > maxHello {
		q.err = ErrNoHello
		return nil, q.err
	}
	if len(b) < size {
		return nil, nil
	}
	q.hello, q.crypto = b[:size:size], assembly{}
	return q.hello, nil
}

// packet reads one Initial packet. It is false when a packet that was not tampered
// with has what no client sends.
func (q *QUICInitial) packet(p longPacket) bool {
	payload, number := []byte(nil), int64(0)
	if q.keys != nil {
		payload, number = q.keys.open(p, q.largest)
	}
	if payload == nil {
		// The first packet, or one after a Retry packet: the connection ID is then that
		// of the server (RFC 9001 section 5.2).
		keys := newInitialKeys(p.version, p.dcid)
		if payload, number = keys.open(p, q.largest); payload == nil {
			return true
		}
		if q.keys == nil {
			q.version = p.version
		}
		q.keys = keys
	}
	q.largest = max(q.largest, number)
	return q.frames(payload)
}

// frames takes CRYPTO frames from the payload of an Initial packet, which may have no
// others than these (RFC 9000 section 17.2.2).
func (q *QUICInitial) frames(b []byte) bool {
	r := reader{b: b, ok: true}
	for len(r.b) > 0 && r.ok {
		switch typ := r.varint(); typ {
		case 0x00, 0x01: // PADDING, PING
		case 0x02, 0x03: // ACK
			r.ack(typ == 3)
		case 0x06: // CRYPTO
			off, size := r.varint(), r.varint()
			data := r.bytes(size)
			if r.ok && !q.crypto.put(off, data) {
				return false
			}
		case 0x1c: // CONNECTION_CLOSE
			return true
		default:
			return false
		}
	}
	return r.ok
}

// ack passes over an ACK frame (RFC 9000 section 19.3), with counts of ECN.
func (r *reader) ack(ecn bool) {
	r.varint() // largest
	r.varint() // delay
	count := r.varint()
	r.varint() // first range
	for i := uint64(0); i < count && r.ok; i++ {
		r.varint()
		r.varint()
	}
	for i := 0; ecn && i < 3; i++ {
		r.varint()
	}
}

// longPacket is a packet with a long header (RFC 9000 section 17.2).
type longPacket struct {
	version uint32
	dcid    []byte
	initial bool
	number  int // offset of the protected packet number
	b       []byte
}

// parseLong reads the packet at the start of b and returns what follows it.
func parseLong(b []byte) (p longPacket, rest []byte, ok bool) {
	if len(b) < 6 || b[0]&0xc0 != 0xc0 {
		return p, nil, false
	}
	p.version = binary.BigEndian.Uint32(b[1:])
	v := quicVersions[p.version]
	if v == nil {
		return p, nil, false
	}
	r := reader{b: b[5:], ok: true}
	p.dcid = r.bytes(uint64(r.byte()))
	scid := r.bytes(uint64(r.byte()))
	typ := b[0] >> 4 & 3
	if typ == v.retry || len(p.dcid) > 20 || len(scid) > 20 {
		return p, nil, false
	}
	if p.initial = typ == v.initial; p.initial {
		r.bytes(r.varint()) // token
	}
	size := r.varint()
	p.number = len(b) - len(r.b)
	r.bytes(size)
	if !r.ok {
		return p, nil, false
	}
	p.b = b[:p.number+int(size)]
	return p, r.b, true
}

// initialKeys protect what a client sends in Initial packets.
type initialKeys struct {
	version uint32
	aead    cipher.AEAD
	iv      []byte
	hp      cipher.Block
}

func newInitialKeys(version uint32, dcid []byte) *initialKeys {
	v := quicVersions[version]
	initial, err := hkdf.Extract(sha256.New, dcid, []byte(v.salt))
	client := expandLabel(must(initial, err), "client in", 32)
	block := must(aes.NewCipher(expandLabel(client, v.labels[0], 16)))
	return &initialKeys{
		version: version,
		aead:    must(cipher.NewGCM(block)),
		iv:      expandLabel(client, v.labels[1], 12),
		hp:      must(aes.NewCipher(expandLabel(client, v.labels[2], 16))),
	}
}

// expandLabel is HKDF-Expand-Label with an empty context (RFC 8446 section 7.1).
func expandLabel(secret []byte, label string, size int) []byte {
	label = "tls13 " + label
	info := append([]byte{byte(size >> 8), byte(size), byte(len(label))}, label...)
	return must(hkdf.Expand(sha256.New, secret, string(append(info, 0)), size))
}

// must returns v: the sizes of keys are constants, and nothing else can be wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// open takes the protection off a packet (RFC 9001 sections 5.3 and 5.4). payload is
// nil when it has another one.
func (k *initialKeys) open(p longPacket, largest int64) (payload []byte, number int64) {
	if k.version != p.version || len(p.b) < p.number+20 {
		return nil, 0
	}
	var mask [16]byte
	k.hp.Encrypt(mask[:], p.b[p.number+4:p.number+20])
	first := p.b[0] ^ mask[0]&0x0f
	size := int(first&3) + 1
	header := bytes.Clone(p.b[:p.number+size])
	header[0] = first
	for i := range size {
		header[p.number+i] ^= mask[1+i]
		number = number<<8 | int64(header[p.number+i])
	}
	number = fullNumber(number, size, largest)
	nonce := bytes.Clone(k.iv)
	for i := range 8 {
		nonce[len(nonce)-1-i] ^= byte(number >> (8 * i))
	}
	payload, err := k.aead.Open([]byte{}, nonce, p.b[len(header):], header)
	if err != nil {
		return nil, 0
	}
	return payload, number
}

// fullNumber is the packet number next to the largest so far that ends in these bytes
// (RFC 9000 appendix A.3).
func fullNumber(truncated int64, size int, largest int64) int64 {
	window := int64(1) << (8 * size)
	expected := largest + 1
	n := expected&^(window-1) | truncated
	switch {
	case n <= expected-window/2 && n < 1<<62-window:
		return n + window
	case n > expected+window/2 && n >= window:
		return n - window
	}
	return n
}

// assembly puts pieces of a stream together that come in any order.
type assembly struct {
	data  []byte
	have  []bool
	whole int // bytes from the start without a hole
}

// put keeps the bytes at off that are not there yet. It is false when they lie behind
// the largest ClientHello.
func (a *assembly) put(off uint64, b []byte) bool {
	if off > maxHello || off+uint64(len(b)) > maxHello {
		return false
	}
	start, end := int(off), int(off)+len(b)
	if grow := end - len(a.data); grow > 0 {
		a.data = append(a.data, make([]byte, grow)...)
		a.have = append(a.have, make([]bool, grow)...)
	}
	for i, c := range b {
		if !a.have[start+i] {
			a.data[start+i], a.have[start+i] = c, true
		}
	}
	for a.whole < len(a.have) && a.have[a.whole] {
		a.whole++
	}
	return true
}

// reader takes fields from the start of b; ok is false once one was not there.
type reader struct {
	b  []byte
	ok bool
}

func (r *reader) bytes(n uint64) []byte {
	if !r.ok || n > uint64(len(r.b)) {
		r.ok = false
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// varint reads a variable-length integer (RFC 9000 section 16).
func (r *reader) varint() uint64 {
	first := r.byte()
	n := uint64(first & 0x3f)
	for _, c := range r.bytes(1<<(first>>6) - 1) {
		n = n<<8 | uint64(c)
	}
	return n
}
