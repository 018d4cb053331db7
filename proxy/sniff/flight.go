package sniff

import (
	"bytes"
	"crypto/tls"

	"golang.org/x/crypto/cryptobyte"

	"constat/proxy/flow"
)

const (
	maxFlight = 64 << 10 // bytes that a ServerFlight looks at
	maxChain  = 32       // certificates that it keeps
)

// Types of TLS records (RFC 8446 section 5.1).
const (
	recordChange    = 20
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
)

// Types of handshake messages (RFC 8446 section 4, RFC 5246 section 7.4).
const (
	msgServerHello = 2
	msgCertificate = 11
	msgKeyExchange = 12
	msgHelloDone   = 14
)

// ServerFlight reads what a server sends in the clear at the start of a TLS connection
// that is relayed unread: of TLS 1.3 the ServerHello, of earlier versions also the
// certificates, and alerts of all. The zero value is ready; it is for one connection and
// one goroutine at a time. It holds no more than 64 KiB, twice while messages are put
// together, and looks at no more.
type ServerFlight struct {
	seen  int
	buf   []byte // records that are not whole
	msgs  []byte // handshake messages that are not whole
	done  bool
	hello bool // a ServerHello that is not a HelloRetryRequest was seen
	all   bool // ServerHelloDone was seen
	raw   bool // certificates are not X.509 (RFC 7250)
	facts flow.TLS
}

// Add takes the next bytes of the server. It says whether more of them can tell more.
func (f *ServerFlight) Add(b []byte) (more bool) {
	if f.done {
		return false
	}
	b = b[:min(len(b), maxFlight-f.seen)]
	f.seen += len(b)
	f.buf = append(f.buf, b...)
	rest := f.buf
	for !f.done && len(rest) >= 5 {
		size := int(rest[3])<<8 | int(rest[4])
		if rest[0] < recordChange || rest[0] > recordData || rest[1] != 3 || size == 0 || size > 16384+2048 {
			f.done = true
			break
		}
		if len(rest) < 5+size {
			break
		}
		f.record(rest[0], rest[5:5+size])
		rest = rest[5+size:]
	}
	if len(rest) < len(f.buf) {
		f.buf = append(f.buf[:0], rest...)
	}
	if f.done = f.done || f.seen == maxFlight; f.done {
		f.buf, f.msgs = nil, nil
	}
	return !f.done
}

// Fill writes into t what is known: Version, Cipher, Group, ALPN, Resumed, Chain and
// Alert. What is not known stays as it is.
func (f *ServerFlight) Fill(t *flow.TLS) {
	set := func(to *string, s string) {
		if s != "" {
			*to = s
		}
	}
	set(&t.Version, f.facts.Version)
	set(&t.Cipher, f.facts.Cipher)
	set(&t.Group, f.facts.Group)
	set(&t.ALPN, f.facts.ALPN)
	set(&t.Alert, f.facts.Alert)
	t.Resumed = t.Resumed || f.facts.Resumed
	if f.facts.Chain != nil {
		t.Chain = f.facts.Chain
	}
}

func (f *ServerFlight) record(typ byte, b []byte) {
	switch typ {
	case recordHandshake:
		f.msgs = append(f.msgs, b...)
		f.messages()
	case recordAlert:
		f.alert(b)
	case recordChange:
		// A server of TLS 1.3 sends one behind a HelloRetryRequest too, for the sake of
		// boxes in between (RFC 8446 appendix D.4). In earlier versions the rest is
		// encrypted; one that comes before ServerHelloDone takes up an old session (RFC
		// 5246 section 7.3, RFC 5077 section 3.1).
		if f.hello {
			f.facts.Resumed = f.facts.Resumed || !f.all
			f.done = true
		}
	default:
		f.done = true
	}
}

// alert keeps an alert that ends the connection: what TLS 1.2 calls a warning does not.
func (f *ServerFlight) alert(b []byte) {
	if len(b) != 2 || b[0] != 1 && b[0] != 2 {
		f.done = true
		return
	}
	if b[0] == 2 {
		if f.facts.Alert = alerts[b[1]]; f.facts.Alert == "" {
			f.facts.Alert = "unknown"
		}
		f.done = true
	}
}

func (f *ServerFlight) messages() {
	rest := f.msgs
	for !f.done && len(rest) >= 4 {
		size := 4 + int(rest[1])<<16 + int(rest[2])<<8 + int(rest[3])
		if size > maxFlight {
			f.done = true
			break
		}
		if len(rest) < size {
			break
		}
		f.message(rest[0], rest[4:size])
		rest = rest[size:]
	}
	if len(rest) < len(f.msgs) {
		f.msgs = append(f.msgs[:0], rest...)
	}
}

func (f *ServerFlight) message(typ byte, b cryptobyte.String) {
	switch {
	case typ == msgServerHello && !f.hello:
		f.serverHello(b)
	case !f.hello:
		f.done = typ != 0 // HelloRequest
	case typ == msgCertificate && f.facts.Chain == nil && !f.raw:
		f.certificates(b)
	case typ == msgKeyExchange:
		f.keyExchange(b)
	case typ == msgHelloDone:
		f.all = true
	}
}

// retryRandom is the random value of a HelloRetryRequest (RFC 8446 section 4.1.3).
var retryRandom = []byte("\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c")

// serverHello reads RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3.
func (f *ServerFlight) serverHello(s cryptobyte.String) {
	var version, suite uint16
	var random []byte
	var session, exts cryptobyte.String
	if !s.ReadUint16(&version) || !s.ReadBytes(&random, 32) || !s.ReadUint8LengthPrefixed(&session) ||
		!s.ReadUint16(&suite) || !s.Skip(1) || !s.Empty() && !s.ReadUint16LengthPrefixed(&exts) {
		f.done = true
		return
	}
	for !exts.Empty() {
		var typ uint16
		var data cryptobyte.String
		if !exts.ReadUint16(&typ) || !exts.ReadUint16LengthPrefixed(&data) {
			f.done = true
			break
		}
		f.extension(typ, data, &version)
	}
	f.facts.Version, f.facts.Cipher = tls.VersionName(version), tls.CipherSuiteName(suite)
	f.hello = !bytes.Equal(random, retryRandom)
	f.done = f.done || f.hello && version >= tls.VersionTLS13
}

// extension reads an extension of a ServerHello (IANA, TLS ExtensionType Values).
func (f *ServerFlight) extension(typ uint16, data cryptobyte.String, version *uint16) {
	var n uint16
	switch typ {
	case 16: // application_layer_protocol_negotiation, RFC 7301 section 3.1
		var list, proto cryptobyte.String
		if data.ReadUint16LengthPrefixed(&list) && list.ReadUint8LengthPrefixed(&proto) {
			f.facts.ALPN = printable(proto)
		}
	case 20: // server_certificate_type, RFC 7250 section 3
		f.raw = len(data) == 1 && data[0] != 0
	case 41: // pre_shared_key, RFC 8446 section 4.2.11
		f.facts.Resumed = true
	case 43: // supported_versions, RFC 8446 section 4.2.1
		if data.ReadUint16(&n) {
			*version = n
		}
	case 51: // key_share, RFC 8446 section 4.2.8
		if data.ReadUint16(&n) {
			f.facts.Group = tls.CurveID(n).String()
		}
	}
}

// certificates reads RFC 5246 section 7.4.2.
func (f *ServerFlight) certificates(s cryptobyte.String) {
	var list cryptobyte.String
	if !s.ReadUint24LengthPrefixed(&list) {
		return
	}
	for !list.Empty() && len(f.facts.Chain) < maxChain {
		var der cryptobyte.String
		if !list.ReadUint24LengthPrefixed(&der) {
			return
		}
		f.facts.Chain = append(f.facts.Chain, bytes.Clone(der))
	}
}

// pointSizes are the sizes of public keys of the groups of RFC 8422 section 5.1.1 and
// 5.4, in bytes.
var pointSizes = map[uint16]int{23: 65, 24: 97, 25: 133, 29: 32, 30: 56}

// keyExchange reads the curve of RFC 8422 section 5.4. What other key exchanges have
// there does not have a key of the curve's size in that place.
func (f *ServerFlight) keyExchange(b []byte) {
	if len(b) < 4 || b[0] != 3 {
		return
	}
	group := uint16(b[1])<<8 | uint16(b[2])
	if size, ok := pointSizes[group]; ok && int(b[3]) == size && len(b) >= 4+size {
		f.facts.Group = tls.CurveID(group).String()
	}
}

// printable returns b with everything but visible ASCII replaced by '?'.
func printable(b []byte) string {
	return string(bytes.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '?'
		}
		return r
	}, b))
}

// alerts are the names of TLS alerts (RFC 8446 section 6, with those of earlier versions
// and of RFC 7301).
var alerts = map[uint8]string{
	0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed",
	22: "record_overflow", 30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate",
	42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
	46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error",
	51: "decrypt_error", 60: "export_restriction", 70: "protocol_version", 71: "insufficient_security",
	80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation",
	109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable",
	112: "unrecognized_name", 113: "bad_certificate_status_response", 114: "bad_certificate_hash_value",
	115: "unknown_psk_identity", 116: "certificate_required", 120: "no_application_protocol", 121: "ech_required",
}
