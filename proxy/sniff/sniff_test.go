package sniff

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func unhex(s string) string {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

func zeros(n int) string { return strings.Repeat("\x00", n) }

// cases are first bytes as the sources beside the table describe them. want is empty
// for a near miss of the protocol that is named in like.
var cases = []struct {
	want, like string
	port       uint16
	datagrams  bool
	up, down   string
}{
	{want: "tls", port: 443, up: unhex("16 0301 0200 01 0001fc 0303") + zeros(40)},
	{want: "tls", port: 5222, up: unhex("16 0303 0200 01")},
	{want: "tls", port: 443, down: unhex("16 0303 007a 02 000076 0303")},
	{like: "tls", port: 443, up: unhex("16 0301 0000 01 0001fc 0303")},
	{like: "tls", port: 443, up: unhex("16 0301 0200 02 0001fc 0303")},
	{like: "tls", port: 443, up: unhex("17 0303 0200 01 0001fc 0303")},
	{like: "tls", port: 443, up: unhex("16 0303 02")},

	{want: "fcm", port: 5228, up: unhex("16 0301 0200 01 0001fc 0303")},
	{want: "fcm", port: 5230, up: unhex("29 02 8a01 0a 0a") + "chrome-127"},
	{want: "tls", like: "fcm", port: 5227, up: unhex("16 0301 0200 01 0001fc 0303")},
	{like: "fcm", port: 5229, up: unhex("29 02 8a01 12 0a") + "chrome-127"},
	{like: "fcm", port: 443, up: unhex("29 02 8a01 0a 0a") + "chrome-127"},

	{want: "http", port: 80, up: "GET /generate_204 HTTP/1.1\r\nHost: x\r\n\r\n"},
	{want: "http", port: 9999, up: "POST http://x/ HTTP/1.0\r\n"},
	{want: "http", port: 80, up: "GET /" + strings.Repeat("a", 5000)},
	{want: "http", port: 80, up: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
	{want: "http", port: 80, down: "HTTP/1.1 400 Bad Request\r\n"},
	{like: "http", port: 80, up: "GET\r\n"},
	{like: "http", port: 80, up: "GETS /x HTTP/1.1\r\n"},
	{like: "http", port: 80, up: "GET the salt\r\n"},
	{like: "http", port: 80, up: "PRI * HTTP/3.0\r\n"},

	{want: "rtsp", port: 554, up: "DESCRIBE rtsp://cam/1 RTSP/1.0\r\nCSeq: 1\r\n\r\n"},
	{like: "rtsp", port: 554, up: "DESCRIBE rtsp://cam/1\r\n"},
	{want: "sip", port: 5060, up: "REGISTER sip:example.org SIP/2.0\r\n"},
	{want: "sip", port: 5060, datagrams: true, up: "INVITE sip:a@example.org SIP/2.0\r\nVia: x\r\n"},
	{like: "sip", port: 5060, datagrams: true, up: "\r\n\r\n"},
	{like: "sip", port: 5060, up: "REGISTER sip:example.org SIP\r\n"},

	{want: "xmpp", port: 5222, up: "<?xml version='1.0'?>\n<stream:stream to='x' xmlns='jabber:client'>"},
	{want: "xmpp", port: 443, up: "<stream:stream to='x'>"},
	{like: "xmpp", port: 5222, up: "<?xml version='1.0'?><soap:Envelope>"},
	{like: "xmpp", port: 5222, up: "<streams>"},

	{want: "ssh", port: 22, up: "SSH-2.0-OpenSSH_9.2\r\n"},
	{want: "ssh", port: 2222, down: "SSH-1.99-x\r\n"},
	{like: "ssh", port: 22, up: "SSH-3.0-x\r\n"},

	{want: "bittorrent", port: 6881, up: "\x13BitTorrent protocol" + zeros(8)},
	{like: "bittorrent", port: 6881, up: "\x12BitTorrent protocol" + zeros(8)},
	{want: "bittorrent", port: 6881, datagrams: true, up: "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
	{want: "bittorrent", port: 80, datagrams: true, up: unhex("0000041727101980 00000000 12345678")},
	{like: "bittorrent", port: 6881, datagrams: true, up: "d1:ad2:id3:abce"},
	{like: "bittorrent", port: 80, datagrams: true, up: unhex("0000041727101980 00000000 1234567890")},

	{want: "mqtt", port: 1883, up: unhex("10 1a 0004") + "MQTT" + unhex("04 02 003c 000e") + "abcdefghijklmn"},
	{want: "mqtt", port: 8883, up: unhex("10 8001 0004") + "MQTT" + unhex("05 02 003c")},
	{want: "mqtt", port: 1883, up: unhex("10 0e 0006") + "MQIsdp" + unhex("03 02 003c 0000")},
	{like: "mqtt", port: 1883, up: unhex("10 1a 0004") + "MQTT" + unhex("06 02 003c")},
	{like: "mqtt", port: 1883, up: unhex("10 ffffffff 0004") + "MQTT" + unhex("04")},
	{like: "mqtt", port: 1883, up: unhex("20 1a 0004") + "MQTT" + unhex("04")},

	{want: "whatsapp", port: 443, up: "WA\x06\x03\x00\x00\x24\x12\x22\x0a\x20" + zeros(32)},
	{want: "whatsapp", port: 5222, up: "ED\x00\x01\x00\x00\x02\x08\x01WA\x06\x02\x00\x01\x24\x12\xa1\x02"},
	{like: "whatsapp", port: 443, up: "WAIT A MINUTE"},
	{like: "whatsapp", port: 443, up: "WA\x06\x03\x00\x00\x24\x0a\x22"},
	{like: "whatsapp", port: 443, up: "ED\x00\x01\xff\xff\xff\x08\x01WA\x06\x02"},

	{want: "redis", port: 6379, up: "*1\r\n$4\r\nPING\r\n", down: "+PONG\r\n"},
	{want: "redis", port: 6379, up: "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", down: "+OK\r\n"},
	{like: "redis", port: 6379, up: "*1\r\n:4\r\n"},
	{like: "redis", port: 6379, up: "* 1\r\n$4\r\n"},

	{want: "irc", port: 6667, up: "NICK me\r\nUSER me 0 * :Me\r\n"},
	{want: "irc", port: 6667, up: "PASS x\r\nNICK me\r\n"},
	{want: "irc", port: 6667, up: "CAP LS 302\r\n"},
	{like: "irc", port: 6667, up: "USER me 0 * :Me\r\n"},
	{like: "irc", port: 6667, up: "NICK\r\n"},
	{like: "irc", port: 6667, up: "PASS x"},

	{want: "imap", port: 143, down: "* OK [CAPABILITY IMAP4rev1] ready\r\n"},
	{like: "imap", port: 143, down: "* OKAY\r\n"},
	{want: "pop3", port: 110, down: "+OK ready\r\n", up: "USER me\r\n"},
	{want: "pop3", port: 1100, down: "+OK POP3 server ready\r\n"},
	{like: "pop3", port: 110, down: "+OKAY\r\n"},
	{like: "pop3", port: 6379, down: "+OK\r\n"},
	{want: "smtp", port: 25, down: "220 mx.example.org ready\r\n"},
	{want: "smtp", port: 2500, down: "220-mx ESMTP\r\n", up: "EHLO phone\r\n"},
	{like: "smtp", port: 25, down: "220\r\n"},
	{like: "smtp", port: 25, down: "421 busy\r\n"},
	{like: "smtp", port: 2500, down: "220 hello\r\n"},
	{want: "ftp", port: 21, down: "220 hello\r\n"},
	{want: "ftp", port: 2100, down: "220 ProFTPD\r\n"},
	{want: "ftp", port: 25, down: "220 hello\r\n", up: "USER anonymous\r\n"},
	{like: "ftp", port: 21, down: "220 hello\r\n", up: "LIST\r\n"},
	{like: "ftp", port: 2100, down: "530 no\r\n"},

	{want: "dns", port: 53, up: dnsStream},
	{want: "dns", port: 53, datagrams: true, up: dnsQuery},
	{want: "dns", port: 5353, datagrams: true, up: dnsQuery, down: dnsQuery},
	{want: "dns", port: 53, datagrams: true, up: dnsQuery[:10] + "\x00\x01" + dnsQuery[12:] + unhex("00 0029 04d0 00000000 0004 00080000")},
	{like: "dns", port: 53, datagrams: true, up: dnsQuery + "\x00"},
	{like: "dns", port: 53, datagrams: true, up: dnsQuery[:len(dnsQuery)-1]},
	{like: "dns", port: 53, datagrams: true, up: dnsQuery[:2] + "\x7f" + dnsQuery[3:]},
	{like: "dns", port: 53, up: dnsQuery},
	{like: "dns", port: 53, datagrams: true, up: zeros(40)},

	{want: "stun", port: 3478, datagrams: true, up: unhex("0001 0000 2112a442 000102030405060708090a0b")},
	{want: "stun", port: 443, up: unhex("0001 0008 2112a442 000102030405060708090a0b 8022 0004 61626364")},
	{want: "turn", port: 3478, datagrams: true, up: unhex("0003 0008 2112a442 000102030405060708090a0b 0019 0004 11000000")},
	{want: "turn", port: 443, up: unhex("0003 0008 2112a442 000102030405060708090a0b 0019 0004 11000000")},
	{like: "stun", port: 3478, datagrams: true, up: unhex("0001 0000 2112a443 000102030405060708090a0b")},
	{like: "stun", port: 3478, datagrams: true, up: unhex("0001 0008 2112a442 000102030405060708090a0b")},
	{want: "stun", like: "turn", port: 3478, datagrams: true, up: unhex("0011 0000 2112a442 000102030405060708090a0b")},
	{like: "turn", port: 3478, datagrams: true, up: unhex("0003 0006 2112a442 000102030405060708090a0b 001900041100")},

	{want: "socks", port: 1080, up: unhex("05 01 00")},
	{want: "socks", port: 1080, up: unhex("05 02 00 02"), down: unhex("05 02")},
	{want: "socks", port: 1080, up: unhex("04 01 0050 c0000201") + "me\x00", down: unhex("00 5a 0000 00000000")},
	{like: "socks", port: 1080, up: unhex("05 01 00 00")},
	{like: "socks", port: 1080, up: unhex("05 02 00 02"), down: unhex("05 01")},
	{like: "socks", port: 1080, up: unhex("05 02 00 77")},
	{like: "socks", port: 1080, up: unhex("04 01 0050 c0000201") + "me\x00", down: unhex("01 5a 0000 00000000")},

	{want: "rtmp", port: 1935, up: "\x03" + zeros(8) + strings.Repeat("r", 1528)},
	{want: "rtmp", port: 1935, up: "\x03\x00\x01\x02\x03" + zeros(4) + "rrrr", down: "\x03" + zeros(8)},
	{like: "rtmp", port: 1935, up: "\x03" + zeros(8)},
	{like: "rtmp", port: 3389, up: unhex("03 00 0013 0e e0 0000 0000 00 01 0008 00 0b000000")},

	{want: "openvpn", port: 1194, datagrams: true, up: unhex("38 0102030405060708 00 00000000")},
	{want: "openvpn", port: 1194, datagrams: true, up: "\x38" + strings.Repeat("s", 8+20) + unhex("00000001 66666666 00 00000000")},
	{want: "openvpn", port: 1194, datagrams: true, up: "\x38" + strings.Repeat("s", 8+32) + unhex("00000001 66666666 00 00000000")},
	{want: "openvpn", port: 1194, datagrams: true, up: "\x38" + strings.Repeat("s", 8) + unhex("00000001 66666666") + strings.Repeat("e", 37)},
	{want: "openvpn", port: 1194, datagrams: true, up: "\x50" + strings.Repeat("s", 8) + unhex("0f000001 66666666") + strings.Repeat("e", 300)},
	{want: "openvpn", port: 443, up: unhex("000e 38 0102030405060708 00 00000000")},
	{like: "openvpn", port: 1194, datagrams: true, up: unhex("38 0102030405060708 00 00000001")},
	{like: "openvpn", port: 1194, datagrams: true, up: unhex("40 0102030405060708 00 00000000")},
	{like: "openvpn", port: 1194, datagrams: true, up: "\x38" + strings.Repeat("s", 8+21) + unhex("00000001 66666666 00 00000000")},
	{like: "openvpn", port: 443, up: unhex("000f 38 0102030405060708 00 00000000")},

	{want: "quic", port: 443, datagrams: true, up: unhex("c0 00000001 08") + strings.Repeat("q", 1194)},
	{want: "quic", port: 443, datagrams: true, up: unhex("d0 6b3343cf 08") + strings.Repeat("q", 1194)},
	{want: "quic", port: 443, datagrams: true, up: unhex("c0 1a2a3a4a 08") + strings.Repeat("q", 1194)},
	{want: "quic", port: 443, datagrams: true, up: "\xc3Q050\x08" + strings.Repeat("q", 1300)},
	{like: "quic", port: 443, datagrams: true, up: unhex("c0 00000001 08") + strings.Repeat("q", 1193)},
	{like: "quic", port: 443, datagrams: true, up: unhex("c0 00000002 08") + strings.Repeat("q", 1194)},
	{like: "quic", port: 443, datagrams: true, up: unhex("c0 00000001 15") + strings.Repeat("q", 1194)},
	{like: "quic", port: 443, datagrams: true, up: unhex("40 00000001 08") + strings.Repeat("q", 1194)},

	{want: "dtls", port: 443, datagrams: true, up: unhex("16 feff 0000 000000000000 0040 01 000034 0000 000000 000034 fefd") + zeros(60)},
	{like: "dtls", port: 443, datagrams: true, up: unhex("16 feff 0000 000000000000 0140 01 000034 0000 000000 000034 fefd") + zeros(60)},
	{like: "dtls", port: 443, datagrams: true, up: unhex("16 fefe 0000 000000000000 0040 01 000034 0000 000000 000034 fefd") + zeros(60)},

	{want: "wireguard", port: 51820, datagrams: true, up: unhex("01000000") + strings.Repeat("w", 144)},
	{want: "wireguard", port: 51820, datagrams: true, up: "x", down: unhex("02000000") + strings.Repeat("w", 88)},
	{like: "wireguard", port: 51820, datagrams: true, up: unhex("01000000") + strings.Repeat("w", 145)},
	{like: "wireguard", port: 51820, datagrams: true, up: unhex("01000001") + strings.Repeat("w", 144)},

	{want: "ike", port: 500, datagrams: true, up: "spispisp" + zeros(8) + unhex("21 20 22 08 00000000 00000020") + "abcd"},
	{want: "ike", port: 4500, datagrams: true, up: zeros(4) + "spispisp" + zeros(8) + unhex("21 20 22 08 00000000 00000020") + "abcd"},
	{like: "ike", port: 500, datagrams: true, up: "spispisp" + zeros(8) + unhex("21 20 22 08 00000000 00000021") + "abcd"},
	{like: "ike", port: 500, datagrams: true, up: "spispispspispisp" + unhex("21 20 22 08 00000000 00000020") + "abcd"},

	{want: "ssdp", port: 1900, datagrams: true, up: "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"},
	{like: "ssdp", port: 1900, datagrams: true, up: "M-SEARCH / HTTP/1.1\r\n"},
	{want: "dhcp", port: 67, datagrams: true, up: unhex("01 01 06 00") + zeros(232) + unhex("63825363 350101")},
	{like: "dhcp", port: 67, datagrams: true, up: unhex("01 01 06 00") + zeros(232) + unhex("63825364 350101")},

	{want: "ntp", port: 123, datagrams: true, up: unhex("1b") + zeros(39) + unhex("e9d0a1b2 c3d4e5f6")},
	{want: "ntp", port: 123, datagrams: true, up: unhex("23 00 06 20 00000000 0000007c 00000000") + zeros(24) + "timestam", down: unhex("24 01 06 e8 00000000 0000000c 47505300") + "referenctimestamreceivedtransmit"},
	{like: "ntp", port: 123, datagrams: true, up: unhex("1b") + zeros(38) + unhex("e9d0a1b2 c3d4e5f6")},
	{like: "ntp", port: 123, datagrams: true, up: unhex("23 00 06 20 00000000 0000007c 00000000") + zeros(24) + "timestam", down: unhex("24 01 06 e8 00000000 0000000c 47505300") + "referenctimestomreceivedtransmit"},
	{like: "ntp", port: 123, datagrams: true, up: unhex("23 00 06 20 00110000 0000007c 00000000") + zeros(24) + "timestam"},
	{like: "ntp", port: 123, datagrams: true, up: unhex("1c") + zeros(39) + "timestam"},

	{want: "rtp", port: 40000, datagrams: true, up: unhex("80 88 0001 00000000 11223344") + strings.Repeat("\xd5", 160), down: unhex("80 08 0701 00000000 aabbccdd") + strings.Repeat("\xd5", 160)},
	{want: "rtp", port: 40000, datagrams: true, up: unhex("80 ef 0001 00000000 11223344 61"), down: unhex("80 6f 1001 00000000 55667788 61")},
	{want: "rtp", port: 40000, datagrams: true, up: unhex("90 e0 0001 00000000 11223344 bede 0001 10ff0000 61")},
	{want: "rtp", port: 40000, datagrams: true, up: unhex("80 c9 0001 11223344 81 ca 0002 11223344 01024142")},
	{like: "rtp", port: 40000, datagrams: true, up: unhex("80 48 0001 00000000 11223344 61"), down: unhex("80 48 1001 00000000 55667788 61")},
	{like: "rtp", port: 40000, datagrams: true, up: unhex("80 ef 0001 00000000 11223344 61"), down: unhex("80 6e 1001 00000000 55667788 61")},
	{like: "rtp", port: 40000, datagrams: true, up: unhex("80 ef 0001 00000000 11223344 61")},
	{like: "rtp", port: 40000, datagrams: true, up: unhex("80 c9 0002 11223344 81 ca 0002 11223344 010241")},
	{like: "rtp", port: 40000, datagrams: true, up: unhex("90 e0 0001 00000000 11223344 bede 0101 10ff0000 61")},
}

var (
	dnsQuery  = unhex("1234 0100 0001 0000 0000 0000 03777777 076578616d706c65 03636f6d 00 0001 0001")
	dnsStream = "\x00" + string(rune(len(dnsQuery))) + dnsQuery
)

func TestProtocol(t *testing.T) {
	hits, misses := map[string]bool{}, map[string]bool{}
	for _, c := range cases {
		if got := Protocol(c.port, c.datagrams, []byte(c.up), []byte(c.down)); got != c.want {
			t.Errorf("port %d, datagrams %v, up %.40x, down %.40q: %q, want %q (like %s)", c.port, c.datagrams, c.up, c.down, got, c.want, c.like)
		}
		hits[c.want] = true
		misses[c.like] = true
	}
	for _, p := range slices.Concat(streams, datagrams) {
		if !hits[p.name] || !misses[p.name] {
			t.Errorf("%s: hit %v, near miss %v", p.name, hits[p.name], misses[p.name])
		}
	}
}

// Nothing is read into random bytes, which is what encrypted ones look like.
func TestRandomBytesHaveNoName(t *testing.T) {
	r := rand.NewChaCha8([32]byte{1})
	var b [1400]byte
	for range 30000 {
		for _, size := range []int{1, 3, 20, 48, 64, 148, 172, 1200, 1400} {
			r.Read(b[:])
			for _, over := range []bool{false, true} {
				if got := Protocol(443, over, b[:size], b[700:700+min(size, 700)]); got != "" {
					t.Errorf("%d bytes, datagrams %v: %q: %x", size, over, got, b[:min(size, 40)])
				}
			}
		}
	}
}

// Any first part of a hit is that protocol, or nothing yet.
func TestFirstParts(t *testing.T) {
	for _, c := range cases {
		for n := range min(len(c.up), 400) {
			got := Protocol(c.port, c.datagrams, []byte(c.up[:n]), nil)
			if got != "" && got != c.want && got != c.like {
				t.Errorf("%s cut to %d bytes is %q", c.want+c.like, n, got)
			}
		}
	}
}

func FuzzProtocol(f *testing.F) {
	names := []string{""}
	for _, p := range slices.Concat(streams, datagrams) {
		names = append(names, p.name)
	}
	for _, c := range cases {
		f.Add(c.port, c.datagrams, []byte(c.up), []byte(c.down))
	}
	f.Fuzz(func(t *testing.T, port uint16, over bool, up, down []byte) {
		before := bytes.Clone(up)
		if got := Protocol(port, over, up, down); !slices.Contains(names, got) {
			t.Fatalf("%q", got)
		}
		if !bytes.Equal(before, up) {
			t.Fatal("the bytes were changed")
		}
	})
}

func BenchmarkProtocol(b *testing.B) {
	r := rand.NewChaCha8([32]byte{1})
	var buf [4096]byte
	r.Read(buf[:])
	buf[0] = 0x17
	for b.Loop() {
		Protocol(443, false, buf[:], buf[:])
	}
}
