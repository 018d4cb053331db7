package proxy

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"

	"constat/proxy/flow"
)

// maxHello bounds a ClientHello, its record headers included, in bytes. With
// several post-quantum key shares one takes about 5 KiB.
const maxHello = 64 << 10

// maxRecords bounds the records that it may come in: each of them is looked at
// again whenever more comes.
const maxRecords = 256

// Types of TLS extensions (IANA, TLS ExtensionType Values).
const (
	extServerName = 0
	extSigAlgs    = 13
	extALPN       = 16
	extVersions   = 43
	extECH        = 0xfe0d
)

// hello holds the facts of a ClientHello (RFC 8446 section 4.1.2), in the order
// of the wire and with the GREASE values of RFC 8701 left out, except in
// extensions, which keeps them out as well but counts for JA4.
type hello struct {
	legacy     uint16
	name       string
	protos     []string
	versions   []uint16
	ciphers    []uint16
	extensions []uint16
	sigAlgs    []uint16
	ech        bool
}

var errHello = errors.New("not a well-formed ClientHello")

// helloBytes takes the handshake message out of the records at the start of b
// (RFC 8446 section 5.1). need, when not 0, is how many bytes of b it takes to
// know more.
func helloBytes(b []byte) (msg []byte, need int, err error) {
	size := 4
	for at, records := 0, 0; ; records++ {
		if records == maxRecords {
			return nil, 0, errHello
		}
		if len(b) < at+5 {
			return nil, at + 5, nil
		}
		n := int(b[at+3])<<8 | int(b[at+4])
		if b[at] != 22 || b[at+1] != 3 || n == 0 || n > 16384 || at+5+n > maxHello {
			return nil, 0, errHello
		}
		if len(b) < at+5+n {
			return nil, at + 5 + n, nil
		}
		msg = append(msg, b[at+5:at+5+n]...)
		if len(msg) >= 4 {
			if msg[0] != 1 {
				return nil, 0, errHello
			}
			size = 4 + int(msg[1])<<16 + int(msg[2])<<8 + int(msg[3])
			if size > maxHello {
				return nil, 0, errHello
			}
		}
		if at += 5 + n; len(msg) >= 4 && len(msg) >= size {
			return msg[:size], 0, nil
		}
	}
}

// parseHello reads a ClientHello with its handshake header.
func parseHello(msg []byte) (*hello, error) {
	h := new(hello)
	s := cryptobyte.String(msg)
	var random []byte
	var session, ciphers, compression cryptobyte.String
	if !s.Skip(4) || !s.ReadUint16(&h.legacy) || !s.ReadBytes(&random, 32) ||
		!s.ReadUint8LengthPrefixed(&session) || !s.ReadUint16LengthPrefixed(&ciphers) ||
		!s.ReadUint8LengthPrefixed(&compression) || !readList(ciphers, &h.ciphers) {
		return nil, errHello
	}
	if s.Empty() {
		return h, nil
	}
	var exts cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&exts) || !s.Empty() {
		return nil, errHello
	}
	for !exts.Empty() {
		var typ uint16
		var data cryptobyte.String
		if !exts.ReadUint16(&typ) || !exts.ReadUint16LengthPrefixed(&data) {
			return nil, errHello
		}
		if !grease(typ) {
			h.extensions = append(h.extensions, typ)
		}
		if !h.extension(typ, data) {
			return nil, errHello
		}
	}
	return h, nil
}

func (h *hello) extension(typ uint16, data cryptobyte.String) bool {
	var list cryptobyte.String
	switch typ {
	case extServerName:
		if !data.ReadUint16LengthPrefixed(&list) {
			return false
		}
		for !list.Empty() {
			var kind uint8
			var name cryptobyte.String
			if !list.ReadUint8(&kind) || !list.ReadUint16LengthPrefixed(&name) {
				return false
			}
			if kind == 0 && h.name == "" {
				h.name = string(name)
			}
		}
	case extALPN:
		if !data.ReadUint16LengthPrefixed(&list) {
			return false
		}
		for !list.Empty() {
			var proto cryptobyte.String
			if !list.ReadUint8LengthPrefixed(&proto) || len(proto) == 0 {
				return false
			}
			h.protos = append(h.protos, string(proto))
		}
	case extVersions:
		return data.ReadUint8LengthPrefixed(&list) && readList(list, &h.versions)
	case extSigAlgs:
		return data.ReadUint16LengthPrefixed(&list) && readList(list, &h.sigAlgs)
	case extECH:
		h.ech = true
	}
	return true
}

func readList(s cryptobyte.String, out *[]uint16) bool {
	for !s.Empty() {
		var v uint16
		if !s.ReadUint16(&v) {
			return false
		}
		if !grease(v) {
			*out = append(*out, v)
		}
	}
	return true
}

// grease says that v is one of the reserved values of RFC 8701: 0x0a0a to 0xfafa.
func grease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// greaseProto is grease for ALPN, where the values are of two bytes as well.
func greaseProto(p string) bool { return len(p) == 2 && p[0]&0x0f == 0x0a && p[0] == p[1] }

// facts returns what the hello tells, as a row keeps it.
func (h *hello) facts() *flow.TLS {
	t := &flow.TLS{ECH: h.ech}
	for _, p := range h.protos {
		if !greaseProto(p) {
			t.Protos = append(t.Protos, printable(p))
		}
	}
	versions := h.versions
	if versions == nil {
		versions = []uint16{h.legacy}
	}
	for _, v := range versions {
		t.Offered = append(t.Offered, tls.VersionName(v))
	}
	return t
}

// ja4 is the JA4 fingerprint of the hello, as the technical details of
// https://github.com/FoxIO-LLC/ja4 (JA4.md, seen 2026-11) define it for TLS over
// TCP ("t") and QUIC ("q").
func (h *hello) ja4(transport string) string {
	version := h.legacy
	if h.versions != nil {
		version = slices.Max(h.versions)
	}
	dest := "i"
	if slices.Contains(h.extensions, extServerName) {
		dest = "d"
	}
	var exts []uint16
	for _, e := range h.extensions {
		if e != extServerName && e != extALPN {
			exts = append(exts, e)
		}
	}
	slices.Sort(exts)
	last := hexList(exts)
	if len(h.sigAlgs) > 0 {
		last += "_" + hexList(h.sigAlgs)
	}
	if len(exts) == 0 {
		last = ""
	}
	ciphers := slices.Clone(h.ciphers)
	slices.Sort(ciphers)
	return fmt.Sprintf("%s%s%s%02d%02d%s_%s_%s", transport, ja4Version(version), dest, min(len(h.ciphers), 99),
		min(len(h.extensions), 99), ja4ALPN(h.protos), ja4Hash(hexList(ciphers)), ja4Hash(last))
}

func ja4Version(v uint16) string {
	switch v {
	case tls.VersionTLS13:
		return "13"
	case tls.VersionTLS12:
		return "12"
	case tls.VersionTLS11:
		return "11"
	case tls.VersionTLS10:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	}
	return "00"
}

// ja4ALPN is the first and the last character of the first protocol, or of its
// hexadecimal form when one of them is not alphanumeric.
func ja4ALPN(protos []string) string {
	if len(protos) == 0 {
		return "00"
	}
	p := protos[0]
	if !alphanumeric(p[0]) || !alphanumeric(p[len(p)-1]) {
		p = hex.EncodeToString([]byte(p))
	}
	return p[:1] + p[len(p)-1:]
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func hexList(list []uint16) string {
	b := make([]byte, 0, 5*len(list))
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = hex.AppendEncode(b, []byte{byte(v >> 8), byte(v)})
	}
	return string(b)
}

func ja4Hash(s string) string {
	if s == "" {
		return "000000000000"
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}

// printable returns s with everything but visible ASCII replaced by '?'.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
