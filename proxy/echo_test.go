package proxy

import "testing"

// TestEchoReply: the checksum of a reply is right whatever that of the request was
// (RFC 1071).
func TestEchoReply(t *testing.T) {
	sum := func(m []byte) (s uint32) {
		for i := 0; i < len(m); i += 2 {
			s += uint32(m[i])<<8 | uint32(m[i+1])
		}
		for s > 0xffff {
			s = s>>16 + s&0xffff
		}
		return s
	}
	for id := range 1 << 16 {
		m := []byte{8, 0, 0, 0, byte(id >> 8), byte(id), 0, 1}
		s := ^uint16(sum(m))
		m[2], m[3] = byte(s>>8), byte(s)
		if !echoReply(m) || m[0] != 0 || sum(m) != 0xffff {
			t.Fatalf("%x of the request %d", m, id)
		}
	}
	for _, m := range [][]byte{nil, {8, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}, {129, 0, 0, 0, 0, 0, 0, 0}, {5, 0, 0, 0, 0, 0, 0, 0}} {
		if echoReply(m) {
			t.Errorf("%x is answered", m)
		}
	}
}
