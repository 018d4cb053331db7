package sniff

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/crypto/cryptobyte"
)

// vector returns a file of testdata: rfc9001-a2 and rfc9369-a2 are the protected
// packets of appendix A.2 of those RFCs, hello is the message in both, and rfc9001-a3 is
// the packet of the server.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(unhex(string(b)))
}

func TestQUICVectors(t *testing.T) {
	want := vector(t, "hello")
	for _, c := range []struct{ file, version string }{{"rfc9001-a2", "QUIC v1"}, {"rfc9369-a2", "QUIC v2"}} {
		packet := vector(t, c.file)
		before := bytes.Clone(packet)
		var q QUICInitial
		hello, err := q.Add(packet)
		if err != nil || !bytes.Equal(hello, want) || q.Version() != c.version {
			t.Errorf("%s: %q, %v\n%x", c.file, q.Version(), err, hello)
		}
		if !bytes.Equal(packet, before) {
			t.Errorf("%s: the datagram was changed", c.file)
		}
		for at := range packet {
			damaged := bytes.Clone(packet)
			damaged[at] ^= 1
			if hello, err := new(QUICInitial).Add(damaged); hello != nil || !errors.Is(err, ErrNotInitial) {
				t.Fatalf("%s with another byte %d: %x, %v", c.file, at, hello, err)
			}
		}
		for n := range packet {
			if hello, err := new(QUICInitial).Add(packet[:n]); hello != nil || !errors.Is(err, ErrNotInitial) {
				t.Fatalf("%s cut to %d bytes: %x, %v", c.file, n, hello, err)
			}
		}
	}
	if hello, err := new(QUICInitial).Add(vector(t, "rfc9001-a3")); hello != nil || !errors.Is(err, ErrNotInitial) {
		t.Errorf("the server's packet: %x, %v", hello, err)
	}
}

// seal protects a payload as a client does, for packets that no client here sends.
func seal(version uint32, dcid []byte, number int64, size int, payload []byte) []byte {
	v := quicVersions[version]
	k := newInitialKeys(version, dcid)
	b := []byte{0xc0 | v.initial<<4 | byte(size-1), byte(version >> 24), byte(version >> 16), byte(version >> 8), byte(version), byte(len(dcid))}
	b = append(append(b, dcid...), 0, 0) // no source connection ID, no token
	length := size + len(payload) + k.aead.Overhead()
	b = append(b, 0x40|byte(length>>8), byte(length))
	at := len(b)
	for i := size - 1; i >= 0; i-- {
		b = append(b, byte(number>>(8*i)))
	}
	nonce := bytes.Clone(k.iv)
	for i := range 8 {
		nonce[len(nonce)-1-i] ^= byte(number >> (8 * i))
	}
	b = k.aead.Seal(b, nonce, payload, b)
	var mask [16]byte
	k.hp.Encrypt(mask[:], b[at+4:at+20])
	b[0] ^= mask[0] & 0x0f
	for i := range size {
		b[at+i] ^= mask[1+i]
	}
	return b
}

// piece is a CRYPTO frame.
func piece(off int, b []byte) []byte {
	f := []byte{0x06, 0x80, byte(off >> 16), byte(off >> 8), byte(off), 0x40 | byte(len(b)>>8), byte(len(b))}
	return append(f, b...)
}

func TestQUICPieces(t *testing.T) {
	hello := vector(t, "hello")
	dcid := []byte("12345678")
	v1 := func(number int64, frames ...[]byte) []byte {
		return seal(1, dcid, number, 2, append(bytes.Join(frames, nil), make([]byte, 100)...))
	}
	add := func(q *QUICInitial, datagrams ...[]byte) (got []byte, err error) {
		for _, d := range datagrams {
			if got != nil || err != nil {
				return got, errors.New("too early")
			}
			got, err = q.Add(d)
		}
		return got, err
	}
	for _, c := range []struct {
		name      string
		datagrams [][]byte
		err       error
		none      bool
	}{
		{name: "backwards, with others in between", datagrams: [][]byte{
			v1(3, piece(200, hello[200:]), []byte{1, 0, 0}),
			v1(2, []byte{2, 9, 0, 2, 1, 0, 0, 0, 0}, piece(100, hello[100:200]), []byte{3, 9, 0, 0, 1, 1, 2, 3}),
			v1(1, piece(0, hello[:100])),
		}},
		{name: "overlaps and repetition", datagrams: [][]byte{
			v1(300, piece(0, hello[:150])), v1(300, piece(0, hello[:150])), v1(301, piece(50, hello[50:])),
		}},
		{name: "two packets in one datagram", datagrams: [][]byte{append(v1(0, piece(0, hello[:9])), v1(1, piece(9, hello[9:]))...)}},
		{name: "another version's keys", datagrams: [][]byte{seal(0xff00001d, dcid, 0, 4, piece(0, hello))}},
		{name: "after Retry", datagrams: [][]byte{v1(0, piece(0, hello[:20])), seal(1, []byte("servers-id"), 1, 1, piece(0, hello))}},
		{name: "strangers in between", datagrams: [][]byte{v1(0, piece(0, hello[:20])), []byte("\x40nothing"), v1(1, piece(20, hello[20:]))}},
		{name: "a hole", datagrams: [][]byte{v1(0, piece(0, hello[:20])), v1(1, piece(21, hello[21:]))}, none: true},
		{name: "no hello yet", datagrams: [][]byte{v1(0, []byte{1})}, none: true},
		{name: "a second connection ID in one datagram", datagrams: [][]byte{append(v1(0, piece(0, hello[:9])), seal(1, []byte("87654321"), 1, 2, piece(9, hello[9:]))...)}, none: true},
		{name: "no ClientHello", datagrams: [][]byte{v1(0, piece(0, append([]byte{2}, hello[1:]...)))}, err: ErrNoHello},
		{name: "too large", datagrams: [][]byte{v1(0, piece(0, []byte{1, 1, 0, 0}))}, err: ErrNoHello},
		{name: "too far away", datagrams: [][]byte{v1(0, piece(maxHello, []byte{1}))}, err: ErrNoHello},
		{name: "a frame that is not allowed", datagrams: [][]byte{v1(0, []byte{8, 0, 0})}, err: ErrNoHello},
		{name: "closed", datagrams: [][]byte{v1(0, []byte{0x1c, 0, 0, 0})}, none: true},
		{name: "unknown version", datagrams: [][]byte{append([]byte{0xc0, 0, 0, 0, 9}, v1(0, piece(0, hello))[5:]...)}, err: ErrNotInitial},
	} {
		var q QUICInitial
		got, err := add(&q, c.datagrams...)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.err)
		}
		if whole := bytes.Equal(got, hello); whole == (c.none || c.err != nil) {
			t.Errorf("%s: %x", c.name, got)
		}
	}
	var q QUICInitial
	for n := range maxDatagrams + 1 {
		_, err := q.Add(v1(int64(n), []byte{1}))
		if over := n == maxDatagrams; over != errors.Is(err, ErrNoHello) {
			t.Fatalf("datagram %d: %v", n, err)
		}
	}
}

// clientDatagrams are what a real client sends to a server that never answers.
func clientDatagrams(t *testing.T, version quic.Version, conf *tls.Config) [][]byte {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		quic.DialAddr(ctx, pc.LocalAddr().String(), conf, &quic.Config{Versions: []quic.Version{version}, HandshakeIdleTimeout: 2 * time.Second})
	}()
	var all [][]byte
	for len(all) < 8 {
		buf := make([]byte, 65535)
		pc.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		n, _, err := pc.ReadFrom(buf)
		if err != nil {
			break
		}
		all = append(all, buf[:n])
	}
	cancel()
	<-done
	return all
}

func TestQUICClient(t *testing.T) {
	for _, c := range []struct {
		version quic.Version
		name    string
		groups  []tls.CurveID
		many    bool
	}{
		{quic.Version1, "QUIC v1", []tls.CurveID{tls.X25519}, false},
		{quic.Version1, "QUIC v1", []tls.CurveID{tls.X25519MLKEM768, tls.X25519}, true},
		{quic.Version2, "QUIC v2", []tls.CurveID{tls.X25519MLKEM768, tls.X25519}, true},
	} {
		conf := &tls.Config{ServerName: "quic.example.org", NextProtos: []string{"h3"}, CurvePreferences: c.groups, RootCAs: nil}
		datagrams := clientDatagrams(t, c.version, conf)
		if len(datagrams) == 0 {
			t.Fatal("the client sent nothing")
		}
		if got := Protocol(443, true, datagrams[0], nil); got != "quic" {
			t.Errorf("%s looks like %q", c.name, got)
		}
		var q QUICInitial
		var hello []byte
		used := 0
		for _, d := range datagrams {
			var err error
			if hello, err = q.Add(d); err != nil {
				t.Fatal(err)
			}
			if used++; hello != nil {
				break
			}
		}
		name, alpn, ok := readHello(hello)
		if !ok || name != "quic.example.org" || alpn != "h3" || q.Version() != c.name {
			t.Errorf("%s %v: name %q, protocol %q, %q, whole %v", c.name, c.groups, name, alpn, q.Version(), ok)
		}
		if many := used > 1; many != c.many {
			t.Errorf("%s %v: %d datagrams for a hello of %d bytes", c.name, c.groups, used, len(hello))
		}
	}
}

// Chromium cuts its hello into small pieces and mixes them: these are the first two
// datagrams of version 156 to www.example.org, with 8 and 13 pieces, padding and PINGs
// in between.
func TestQUICOfChromium(t *testing.T) {
	one, two := vector(t, "chromium-156-1"), vector(t, "chromium-156-2")
	for _, order := range [][][]byte{{one, two}, {two, one}, {one, one, two}} {
		var q QUICInitial
		var hello []byte
		for i, d := range order {
			if hello != nil {
				t.Fatalf("whole after %d datagrams", i)
			}
			var err error
			if hello, err = q.Add(d); err != nil {
				t.Fatal(err)
			}
		}
		name, alpn, ok := readHello(hello)
		if !ok || name != "www.example.org" || alpn != "h3" || len(hello) != 1914 {
			t.Errorf("name %q, protocol %q, %d bytes", name, alpn, len(hello))
		}
	}
}

func BenchmarkQUICInitial(b *testing.B) {
	one, two := vector(b, "chromium-156-1"), vector(b, "chromium-156-2")
	for b.Loop() {
		var q QUICInitial
		q.Add(one)
		if hello, _ := q.Add(two); hello == nil {
			b.Fatal("not whole")
		}
	}
}

// The first line is the example of RFC 9000 appendix A.3.
func TestFullNumber(t *testing.T) {
	for _, c := range []struct {
		truncated int64
		size      int
		largest   int64
		want      int64
	}{
		{0x9b32, 2, 0xa82f30ea, 0xa82f9b32},
		{0x02, 1, 0xff, 0x102},
		{0xfe, 1, 0x101, 0xfe},
		{0, 1, 0, 0},
		{0x80, 1, 0, 0x80},
		{0xfffffffe, 4, 0, 0xfffffffe},
	} {
		if got := fullNumber(c.truncated, c.size, c.largest); got != c.want {
			t.Errorf("%#x of %d bytes after %#x: %#x, want %#x", c.truncated, c.size, c.largest, got, c.want)
		}
	}
}

// readHello takes the server name and the first protocol out of a ClientHello.
func readHello(msg []byte) (name, alpn string, ok bool) {
	s := cryptobyte.String(msg)
	var body, skip, exts cryptobyte.String
	if !s.Skip(1) || !s.ReadUint24LengthPrefixed(&body) || !s.Empty() || !body.Skip(34) || !body.ReadUint8LengthPrefixed(&skip) ||
		!body.ReadUint16LengthPrefixed(&skip) || !body.ReadUint8LengthPrefixed(&skip) || !body.ReadUint16LengthPrefixed(&exts) {
		return "", "", false
	}
	for !exts.Empty() {
		var typ uint16
		var data, list, item cryptobyte.String
		if !exts.ReadUint16(&typ) || !exts.ReadUint16LengthPrefixed(&data) {
			return "", "", false
		}
		switch typ {
		case 0:
			if data.ReadUint16LengthPrefixed(&list) && list.Skip(1) && list.ReadUint16LengthPrefixed(&item) {
				name = string(item)
			}
		case 16:
			if data.ReadUint16LengthPrefixed(&list) && list.ReadUint8LengthPrefixed(&item) {
				alpn = string(item)
			}
		}
	}
	return name, alpn, true
}

// Any bytes, cut into any two datagrams, and any payload under good protection.
func FuzzQUICInitial(f *testing.F) {
	f.Add(vector(f, "rfc9001-a2"), uint16(0), false)
	f.Add(vector(f, "rfc9369-a2"), uint16(700), false)
	f.Add(vector(f, "chromium-156-1"), uint16(0), false)
	f.Add(piece(0, vector(f, "hello")), uint16(0), true)
	f.Add(append([]byte{2, 9, 0, 2, 1, 0, 0, 0, 0}, piece(9, vector(f, "hello"))...), uint16(30), true)
	f.Fuzz(func(t *testing.T, b []byte, cut uint16, protect bool) {
		if protect {
			b = seal(1, []byte("12345678"), 0, 2, append(b[:min(len(b), 16000)], make([]byte, 32)...))
		}
		var q QUICInitial
		at := min(int(cut), len(b))
		for _, d := range [][]byte{b, b[at:], b[:at]} {
			hello, err := q.Add(d)
			if hello != nil && (len(hello) < 4 || len(hello) > maxHello+4 || hello[0] != 1 || err != nil) {
				t.Fatalf("%d bytes, %v", len(hello), err)
			}
			if len(q.crypto.data) > maxHello || len(q.crypto.have) > maxHello {
				t.Fatalf("%d bytes are held", len(q.crypto.data))
			}
		}
	})
}
