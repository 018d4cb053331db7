// Package sniff says what the first bytes of connections are that nobody here takes
// part in: their protocol, what the server tells in the clear of a TLS handshake, and
// the ClientHello of a QUIC connection.
//
// Everything is a pure function of the bytes, in time and memory that are linear in
// them and bounded. Bytes that nothing matches stay without a name: a wrong one would
// be worse than none. Protocols that are made to look like random bytes, such as the
// obfuscated MTProto of Telegram, are not recognised.
package sniff

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// first is what there is to look at.
type first struct {
	port     uint16
	up, down []byte
}

// protocol is one line of a table.
type protocol struct {
	name string
	is   func(first) bool
}

// streams are the protocols over TCP, those that give themselves away by more bytes
// first. Where no RFC is named, the source is the specification or the code that the
// protocol is known by.
var streams = []protocol{
	{"fcm", isFCM},               // TLS on ports 5228-5230, or Chromium google_apis/gcm/protocol/mcs.proto and engine/connection_handler_impl.cc (version 41)
	{"tls", isTLS},               // RFC 8446 sections 4.1.2 and 5.1
	{"rtsp", textOf("RTSP/")},    // RFC 7826 section 20.2
	{"sip", textOf("SIP/")},      // RFC 3261 section 7
	{"http", isHTTP},             // RFC 9112 section 3, RFC 9113 section 3.4
	{"xmpp", isXMPP},             // RFC 6120 section 4.2
	{"ssh", isSSH},               // RFC 4253 section 4.2
	{"bittorrent", isBitTorrent}, // BEP 3, "peer protocol"
	{"mqtt", isMQTT},             // OASIS MQTT 3.1.1 and 5.0, section 3.1
	{"whatsapp", isWhatsApp},     // go.mau.fi/whatsmeow socket/constants.go: the prologue of its Noise handshake
	{"redis", isRedis},           // redis.io, "Redis serialization protocol specification"
	{"irc", isIRC},               // RFC 2812 section 3.1, ircv3.net "Capability Negotiation"
	{"imap", isIMAP},             // RFC 9051 section 7.1
	{"pop3", isPOP3},             // RFC 1939 sections 3 to 7
	{"smtp", isSMTP},             // RFC 5321 sections 3.1 and 4.2
	{"ftp", isFTP},               // RFC 959 sections 4.1 and 5.4
	{"dns", isDNSStream},         // RFC 1035 section 4.2.2
	{"turn", isTURN},             // RFC 8656 section 17
	{"stun", isSTUN},             // RFC 8489 section 5
	{"socks", isSOCKS},           // RFC 1928 section 3; SOCKS4: openssh.com/txt/socks4.protocol
	{"openvpn", isOpenVPNStream}, // OpenVPN src/openvpn/ssl_pkt.h
	{"rtmp", isRTMP},             // Adobe's Real Time Messaging Protocol 1.0, section 5.2
}

// datagrams are the protocols over UDP.
var datagrams = []protocol{
	{"quic", isQUIC},                // RFC 9000 section 17.2, RFC 8999 section 5.1
	{"dtls", isDTLS},                // RFC 6347 section 4.1, RFC 9147 section 5.3
	{"turn", isTURN},                // RFC 8656 section 17
	{"stun", isSTUN},                // RFC 8489 section 5
	{"wireguard", isWireGuard},      // wireguard.com/papers/wireguard.pdf, section 5.4
	{"ike", isIKE},                  // RFC 7296 section 3.1, RFC 3948 section 2.2
	{"openvpn", isOpenVPN},          // OpenVPN src/openvpn/ssl_pkt.h
	{"bittorrent", isBitTorrentDHT}, // BEP 5 (DHT), BEP 15 (tracker)
	{"ssdp", isSSDP},                // UPnP Device Architecture 2.0, section 1.3.2
	{"sip", textOf("SIP/")},         // RFC 3261 section 7
	{"dhcp", isDHCP},                // RFC 2131 sections 2 and 3
	{"dns", isDNS},                  // RFC 1035 section 4.1
	{"ntp", isNTP},                  // RFC 5905 section 7.3
	{"rtp", isRTP},                  // RFC 3550 sections 5.1 and 6.4, RFC 8285 section 4.2
}

// Protocol says what a connection looks like, as one lower-case word, or "" when nobody
// knows. up and down are the first bytes of the client and of the server; of a flow of
// datagrams, the first datagram of each. Either may be empty. The bytes decide; port is
// that of the server and only tells twins apart.
func Protocol(port uint16, overDatagrams bool, up, down []byte) string {
	list := streams
	if overDatagrams {
		list = datagrams
	}
	const most = 4 << 10
	f := first{port, up[:min(len(up), most)], down[:min(len(down), most)]}
	for _, p := range list {
		if p.is(f) {
			return p.name
		}
	}
	return ""
}

func isTLS(f first) bool {
	return isTLSHandshake(f.up, 1) || len(f.up) == 0 && isTLSHandshake(f.down, 2)
}

// isTLSHandshake says whether b begins with a record that begins with this message.
func isTLSHandshake(b []byte, msg byte) bool {
	if len(b) < 6 || b[0] != recordHandshake || b[1] != 3 || b[2] > 4 || b[5] != msg {
		return false
	}
	size := binary.BigEndian.Uint16(b[3:])
	return size >= 4 && size <= 16384 && (len(b) < 9 || b[6] == 0)
}

func isFCM(f first) bool {
	if f.port < 5228 || f.port > 5230 {
		return false
	}
	if isTLS(f) {
		return true
	}
	// version, tag of LoginRequest, its size, and its first field, the string id
	r := reader{b: f.up, ok: true}
	version, tag := r.byte(), r.byte()
	size := r.base128()
	return (version == 41 || version == 38) && tag == 2 && size > 2 && size < 1<<16 && r.byte() == 0x0a && r.ok
}

// base128 reads an integer as protocol buffers and MQTT write it, of 4 bytes at most.
func (r *reader) base128() (n int) {
	for shift := 0; shift < 28; shift += 7 {
		c := r.byte()
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	r.ok = false
	return 0
}

// line returns the first line of b without its end, and whether it is whole. A line
// that is no text is empty.
func line(b []byte) (string, bool) {
	at := bytes.IndexByte(b, '\n')
	whole := at >= 0
	if whole {
		b = b[:at]
	}
	b = bytes.TrimSuffix(b, []byte("\r"))
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", false
		}
	}
	return string(b), whole
}

// textOf is for protocols whose requests end in their name and version, and whose
// answers begin with them.
func textOf(version string) func(first) bool {
	return func(f first) bool {
		up, whole := line(f.up)
		fields := bytes.Fields([]byte(up))
		return whole && len(fields) == 3 && bytes.HasPrefix(fields[2], []byte(version)) || bytes.HasPrefix(f.down, []byte(version))
	}
}

// methods are those of the HTTP Method Registry that clients send first.
var methods = []string{
	"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
	"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH",
}

func isHTTP(f first) bool {
	if bytes.HasPrefix(f.up, []byte("PRI * HTTP/2.0\r\n")) || bytes.HasPrefix(f.down, []byte("HTTP/1.")) {
		return true
	}
	s, whole := line(f.up)
	fields := bytes.Split([]byte(s), []byte(" "))
	if len(fields) < 2 || !slices.Contains(methods, string(fields[0])) || len(fields[1]) == 0 {
		return false
	}
	if whole {
		return len(fields) == 3 && bytes.HasPrefix(fields[2], []byte("HTTP/"))
	}
	return len(fields) <= 3 && (fields[1][0] == '/' || bytes.HasPrefix(fields[1], []byte("http://")))
}

func isXMPP(f first) bool {
	b := bytes.TrimLeft(f.up, " \t\r\n")
	if bytes.HasPrefix(b, []byte("<?xml")) {
		if at := bytes.Index(b, []byte("?>")); at >= 0 {
			b = bytes.TrimLeft(b[at+2:], " \t\r\n")
		}
	}
	return bytes.HasPrefix(b, []byte("<stream:stream"))
}

func isSSH(f first) bool {
	for _, b := range [][]byte{f.up, f.down} {
		if bytes.HasPrefix(b, []byte("SSH-2.0-")) || bytes.HasPrefix(b, []byte("SSH-1.")) {
			return true
		}
	}
	return false
}

func isBitTorrent(f first) bool { return bytes.HasPrefix(f.up, []byte("\x13BitTorrent protocol")) }

func isMQTT(f first) bool {
	r := reader{b: f.up, ok: true}
	if r.byte() != 0x10 {
		return false
	}
	size := r.base128()
	name := string(r.bytes(uint64(r.byte())<<8 | uint64(r.byte())))
	level := r.byte()
	return r.ok && size >= 10 && (name == "MQTT" && (level == 4 || level == 5) || name == "MQIsdp" && level == 3)
}

// isWhatsApp sees "WA", a version and that of a dictionary, and a first message of at
// most 16 KiB that is a protocol buffer with its second field; in front of it there may
// be routing information of a size given in 3 bytes.
func isWhatsApp(f first) bool {
	r := reader{b: f.up, ok: true}
	if bytes.HasPrefix(f.up, []byte("ED\x00\x01")) {
		r.bytes(4)
		r.bytes(uint64(r.byte())<<16 | uint64(r.byte())<<8 | uint64(r.byte()))
	}
	mark := r.bytes(3)
	return r.ok && string(mark) == "WA\x06" && r.byte() < 16 && r.byte() == 0 && r.byte() < 0x40 && r.byte() > 0 && r.byte() == 0x12 && r.ok
}

func isRedis(f first) bool {
	s, whole := line(f.up)
	if !whole || len(s) < 2 || s[0] != '*' || !digits(s[1:]) {
		return false
	}
	second, whole := line(f.up[bytes.IndexByte(f.up, '\n')+1:])
	return whole && len(second) > 1 && second[0] == '$' && digits(second[1:])
}

func digits(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) > 0
}

// begins says whether the first line of b begins with one of these words, in either
// case, and ends or goes on with a space.
func begins(b []byte, words ...string) bool {
	s, _ := line(b)
	for _, w := range words {
		if len(s) >= len(w) && bytes.EqualFold([]byte(s[:len(w)]), []byte(w)) && (len(s) == len(w) || s[len(w)] == ' ') {
			return true
		}
	}
	return false
}

func isIRC(f first) bool {
	if begins(f.up, "CAP LS", "CAP REQ") {
		return true
	}
	for b := f.up; len(b) > 0; { // PASS may come before NICK, and USER before or behind it
		if begins(b, "NICK") && len(bytes.Fields(firstLine(b))) == 2 {
			return true
		}
		if !begins(b, "PASS", "USER") {
			return false
		}
		at := bytes.IndexByte(b, '\n')
		if at < 0 {
			return false
		}
		b = b[at+1:]
	}
	return false
}

func firstLine(b []byte) []byte {
	s, _ := line(b)
	return []byte(s)
}

func isIMAP(f first) bool { return begins(f.down, "* OK", "* PREAUTH", "* BYE") }

// isPOP3: "+OK" alone is Redis, too.
func isPOP3(f first) bool {
	return begins(f.down, "+OK") && (begins(f.up, "USER", "CAPA", "STLS", "AUTH", "APOP", "QUIT") || len(f.up) == 0 && (f.port == 110 || bytes.Contains(firstLine(f.down), []byte("POP"))))
}

// Mail and files are greeted alike: what the client says tells them apart, or the
// greeting when it says the name, or the port.
func isSMTP(f first) bool {
	if !greets220(f.down) {
		return false
	}
	if len(f.up) > 0 {
		return begins(f.up, "EHLO", "HELO", "LHLO")
	}
	s := firstLine(f.down)
	return bytes.Contains(s, []byte("SMTP")) || !bytes.Contains(s, []byte("FTP")) && (f.port == 25 || f.port == 587 || f.port == 2525)
}

func isFTP(f first) bool {
	if !greets220(f.down) {
		return false
	}
	if len(f.up) > 0 {
		return begins(f.up, "USER", "AUTH", "FEAT", "SYST", "OPTS", "HOST", "CLNT")
	}
	return bytes.Contains(firstLine(f.down), []byte("FTP")) || f.port == 21
}

func greets220(b []byte) bool {
	s := firstLine(b)
	return len(s) >= 4 && string(s[:3]) == "220" && (s[3] == ' ' || s[3] == '-')
}

func isDNSStream(f first) bool {
	if len(f.up) < 2 {
		return false
	}
	size := int(binary.BigEndian.Uint16(f.up))
	return len(f.up) >= 2+size && isMessage(f.up[2:2+size])
}

func isDNS(f first) bool { return isMessage(f.up) || len(f.up) == 0 && isMessage(f.down) }

// isMessage says whether b is one whole DNS message with a question or an answer.
func isMessage(b []byte) bool {
	if len(b) < 12+5 || b[2]>>3&15 > 6 || b[3]&0x40 != 0 {
		return false
	}
	questions := int(binary.BigEndian.Uint16(b[4:]))
	records := int(binary.BigEndian.Uint16(b[6:])) + int(binary.BigEndian.Uint16(b[8:])) + int(binary.BigEndian.Uint16(b[10:]))
	if questions+records == 0 {
		return false
	}
	r := reader{b: b[12:], ok: true}
	for i := 0; i < questions && r.ok; i++ {
		r.name()
		r.bytes(4)
	}
	for i := 0; i < records && r.ok; i++ {
		r.name()
		r.bytes(8)
		r.bytes(uint64(r.byte())<<8 | uint64(r.byte()))
	}
	return r.ok && len(r.b) == 0
}

// name passes over a domain name (RFC 1035 section 4.1.4).
func (r *reader) name() {
	for r.ok {
		switch n := r.byte(); {
		case n == 0:
			return
		case n < 64:
			r.bytes(uint64(n))
		case n >= 0xc0:
			r.bytes(1)
			return
		default:
			r.ok = false
		}
	}
}

// stunMethod returns the method of a STUN message, 0 when b is none.
func stunMethod(b []byte) int {
	if len(b) < 20 || b[0]&0xc0 != 0 || b[3]&3 != 0 || string(b[4:8]) != "\x21\x12\xa4\x42" ||
		20+int(binary.BigEndian.Uint16(b[2:])) > len(b) {
		return 0
	}
	t := int(b[0])<<8 | int(b[1])
	return t&0xf | t>>1&0x70 | t>>2&0xf80
}

func isSTUN(f first) bool { return stunMethod(f.up) != 0 || len(f.up) == 0 && stunMethod(f.down) != 0 }

// isTURN sees a method of TURN: Allocate to ChannelBind, or those of RFC 6062 for TCP.
func isTURN(f first) bool { m := stunMethod(f.up); return m >= 3 && m <= 0x0c }

func isSOCKS(f first) bool {
	up, down := f.up, f.down
	switch {
	case len(up) >= 3 && up[0] == 5 && len(up) >= 2+int(up[1]) && up[1] > 0 && up[1] <= 10:
		for _, method := range up[2 : 2+up[1]] {
			if method > 9 {
				return false
			}
		}
		if len(down) == 0 {
			return len(up) == 2+int(up[1])
		}
		return len(down) >= 2 && down[0] == 5 && (down[1] == 0xff || bytes.IndexByte(up[2:2+up[1]], down[1]) >= 0)
	case len(up) >= 9 && up[0] == 4 && (up[1] == 1 || up[1] == 2):
		return len(down) >= 8 && down[0] == 0 && down[1] >= 90 && down[1] <= 93
	}
	return false
}

// isOpenVPN sees the first packet of a client without protection of the control
// channel, with tls-auth (HMACs of 16 to 64 bytes), tls-crypt or tls-crypt-v2: its own
// number is 0, the one against replay 1.
func isOpenVPN(f first) bool {
	b := f.up
	if len(b) < 14 {
		return false
	}
	zeros := func(b []byte) bool { return bytes.Count(b, []byte{0}) == len(b) }
	one := func(at int) bool { return string(b[at:at+4]) == "\x00\x00\x00\x01" }
	switch b[0] {
	case 7 << 3: // P_CONTROL_HARD_RESET_CLIENT_V2, key 0
		switch len(b) {
		case 14:
			return zeros(b[9:])
		case 54: // tls-crypt, or tls-auth with SHA-256
			return one(9) || one(41) && zeros(b[49:])
		case 38, 42, 70, 86:
			return one(len(b)-13) && zeros(b[len(b)-5:])
		}
	case 10 << 3: // P_CONTROL_HARD_RESET_CLIENT_V3, key 0
		return len(b) > 54 && (one(9) || string(b[9:13]) == "\x0f\x00\x00\x01")
	}
	return false
}

func isOpenVPNStream(f first) bool {
	if len(f.up) < 2 {
		return false
	}
	size := int(binary.BigEndian.Uint16(f.up))
	return len(f.up) >= 2+size && isOpenVPN(first{up: f.up[2 : 2+size]})
}

// isRTMP: version 3, and 1,536 bytes that begin with a time and four zeros.
func isRTMP(f first) bool {
	return len(f.up) >= 9 && f.up[0] == 3 && string(f.up[5:9]) == "\x00\x00\x00\x00" && f.up[1] < 0x40 &&
		(len(f.down) > 0 && f.down[0] == 3 || len(f.down) == 0 && len(f.up) >= 1537)
}

func isQUIC(f first) bool {
	b := f.up
	if len(b) < 7 || b[0]&0xc0 != 0xc0 || b[5] > 20 {
		return false
	}
	switch version := binary.BigEndian.Uint32(b[1:]); {
	case version == 1, version == 0x6b3343cf, version>>8 == 0xff0000: // RFC 9000, RFC 9369, drafts
		return len(b) >= 1200
	case version>>4 == 0xfaceb00: // Meta's mvfst
		return len(b) >= 1200
	case version&0x0f0f0f0f == 0x0a0a0a0a: // asks for the versions of the server (RFC 9000 section 15)
		return len(b) >= 1200
	}
	google := string(b[1:5])
	return google == "Q046" || google == "Q050" || google == "T050" || google == "T051"
}

func isDTLS(f first) bool {
	b := f.up
	return len(b) >= 25 && b[0] == recordHandshake && b[1] == 0xfe && (b[2] == 0xff || b[2] == 0xfd) &&
		b[3] == 0 && b[4] == 0 && b[13] == 1 && int(binary.BigEndian.Uint16(b[11:])) <= len(b)-13
}

// isWireGuard sees the three messages of a handshake; data alone has too little that
// is fixed.
func isWireGuard(f first) bool {
	for _, b := range [][]byte{f.up, f.down} {
		size := map[byte]int{1: 148, 2: 92, 3: 64}
		if len(b) >= 4 && size[b[0]] == len(b) && b[1] == 0 && b[2] == 0 && b[3] == 0 {
			return true
		}
	}
	return false
}

// isIKE sees the first message of IKEv2, on port 4500 behind the four zeros that tell it
// from ESP.
func isIKE(f first) bool {
	b := bytes.TrimPrefix(f.up, []byte("\x00\x00\x00\x00"))
	return len(b) >= 28 && string(b[8:16]) == "\x00\x00\x00\x00\x00\x00\x00\x00" && b[16] == 33 && b[17] == 0x20 &&
		b[18] == 34 && b[19] == 0x08 && string(b[20:24]) == "\x00\x00\x00\x00" && binary.BigEndian.Uint32(b[24:]) == uint32(len(b))
}

func isBitTorrentDHT(f first) bool {
	return bytes.HasPrefix(f.up, []byte("d1:ad2:id20:")) || bytes.HasPrefix(f.up, []byte("d1:rd2:id20:")) ||
		len(f.up) == 16 && string(f.up[:12]) == "\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00"
}

func isSSDP(f first) bool {
	return bytes.HasPrefix(f.up, []byte("M-SEARCH * HTTP/1.1\r\n")) || bytes.HasPrefix(f.up, []byte("NOTIFY * HTTP/1.1\r\n"))
}

func isDHCP(f first) bool {
	return len(f.up) >= 240 && (f.up[0] == 1 || f.up[0] == 2) && f.up[1] == 1 && f.up[2] == 6 && string(f.up[236:240]) == "\x63\x82\x53\x63"
}

// isNTP sees a question with times that the protocol allows, of at most 16 seconds
// (MAXDISP, section 7.2), and with an answer the time of the question in it.
func isNTP(f first) bool {
	up, down := f.up, f.down
	sizes := []int{48, 68, 72} // without and with a code of authentication
	if !slices.Contains(sizes, len(up)) || up[0]&7 != 3 || up[0]>>3&7 < 1 || up[0]>>3&7 > 4 || up[1] > 16 {
		return false
	}
	if len(down) > 0 && (len(down) < 48 || down[0]&7 != 4 || string(down[24:32]) != string(up[40:48])) {
		return false
	}
	return binary.BigEndian.Uint16(up[4:]) <= 16 && binary.BigEndian.Uint16(up[8:]) <= 16
}

// isRTP: of 12 bytes of header only two bits are fixed, so that more has to fit: a
// report of RTCP with its size, an extension of one-byte elements, or a type that is in
// use (RFC 3551 section 6) and the same in both directions.
func isRTP(f first) bool {
	up, down := f.up, f.down
	if len(up) < 12 || up[0]>>6 != 2 {
		return false
	}
	typ := up[1] & 0x7f
	switch {
	case up[1] >= 200 && up[1] <= 207:
		return isRTCP(up)
	case up[0] == 0x90 && len(up) >= 16 && up[12] == 0xbe && up[13] == 0xde:
		return typ >= 96 && 16+4*int(binary.BigEndian.Uint16(up[14:])) <= len(up)
	case up[0] == 0x80 && (typ <= 34 || typ >= 96):
		return len(down) >= 12 && down[0] == 0x80 && down[1]&0x7f == typ && string(up[8:12]) != string(down[8:12])
	}
	return false
}

// isRTCP says whether b is packets of RTCP whose sizes fill it.
func isRTCP(b []byte) bool {
	for len(b) > 0 {
		if len(b) < 4 || b[0]>>6 != 2 || b[1] < 200 || b[1] > 207 {
			return false
		}
		size := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
		if size > len(b) {
			return false
		}
		b = b[size:]
	}
	return true
}
