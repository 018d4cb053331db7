package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"constat/proxy/bulk"
	"constat/proxy/flow"
)

// sessionsKept bounds the TLS sessions kept for resumption, over all clients and
// servers. One is about 3 KiB, most of it the server's certificates.
const sessionsKept = 2048

// sessions keeps the TLS sessions of one client apart from those of the others:
// a server that saw one client's ticket come from another would take the two for
// one.
type sessions struct {
	all    tls.ClientSessionCache
	client netip.Addr
	over   string // what TLS is spoken over, followed by a space; empty for TCP
}

func (s sessions) key(server string) string { return s.over + s.client.String() + " " + server }

func (s sessions) Get(server string) (*tls.ClientSessionState, bool) {
	return s.all.Get(s.key(server))
}

func (s sessions) Put(server string, state *tls.ClientSessionState) {
	s.all.Put(s.key(server), state)
}

// handshake makes c secure and verifies the server as name. The facts are those
// of the server's side, also when it fails.
func (t *Transport) handshake(ctx context.Context, c *link, k key, name string) (*tls.Conn, *flow.TLS, *Error) {
	conf := &tls.Config{
		ServerName:         name,
		RootCAs:            t.conf.Roots,
		MinVersion:         t.conf.MinTLS,
		NextProtos:         []string{"http/1.1"},
		ClientSessionCache: sessions{t.sessions, k.client, ""},
		// Small first records would cost a system call for each packet.
		DynamicRecordSizingDisabled: true,
	}
	if k.http2 {
		conf.NextProtos = []string{"h2", "http/1.1"}
	}
	if k.bare {
		conf.NextProtos = nil
		if k.alpn != "" {
			conf.NextProtos = []string{k.alpn}
		}
	}
	within, cancel := context.WithTimeout(ctx, t.conf.TLSTimeout)
	defer cancel()
	secure := tls.Client(bulk.New(c), conf)
	err := secure.HandshakeContext(within)
	facts := describe(secure.ConnectionState())
	if err == nil {
		return secure, facts, nil
	}
	facts.Resumed = false
	facts.Alert = alert(err)
	var invalid *tls.CertificateVerificationError
	if errors.As(err, &invalid) {
		facts.Chain = nil
		for _, cert := range invalid.UnverifiedCertificates {
			facts.Chain = append(facts.Chain, cert.Raw)
		}
		err = explain(invalid, name)
	}
	facts.Error = err.Error()
	switch {
	case ctx.Err() != nil:
		return nil, facts, given(ctx)
	case within.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded):
		facts.Error = "the server did not finish the TLS handshake in time"
		return nil, facts, bad(flow.ErrTimeout, facts.Error)
	}
	return nil, facts, &Error{flow.ErrServerTLS, err}
}

func describe(s tls.ConnectionState) *flow.TLS {
	facts := &flow.TLS{ALPN: s.NegotiatedProtocol, Resumed: s.DidResume}
	if s.Version != 0 {
		facts.Version = tls.VersionName(s.Version)
	}
	if s.CipherSuite != 0 {
		facts.Cipher = tls.CipherSuiteName(s.CipherSuite)
	}
	if s.CurveID != 0 {
		facts.Group = s.CurveID.String()
	}
	for _, cert := range s.PeerCertificates {
		facts.Chain = append(facts.Chain, cert.Raw)
	}
	return facts
}

// explain says in plain words why a certificate was not accepted for name.
func explain(failed *tls.CertificateVerificationError, name string) error {
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(failed, &host):
		names := slices.Clone(host.Certificate.DNSNames) // crypto/tls shares certificates between connections
		for _, ip := range host.Certificate.IPAddresses {
			names = append(names, ip.String())
		}
		if len(names) == 0 {
			return fmt.Errorf("wrong host: the certificate carries no name, wanted %s", quote(name))
		}
		more := ""
		if len(names) > 8 {
			names, more = names[:8], ", …"
		}
		for i, n := range names {
			names[i] = quote(n)
		}
		return fmt.Errorf("wrong host: the certificate is for %s%s, not for %s", strings.Join(names, ", "), more, quote(name))
	case errors.As(failed, &invalid) && invalid.Reason == x509.Expired:
		if now := time.Now(); now.Before(invalid.Cert.NotBefore) {
			return fmt.Errorf("not yet valid: the certificate begins on %s", invalid.Cert.NotBefore.UTC().Format(time.RFC3339))
		}
		return fmt.Errorf("expired: the certificate ended on %s", invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	case errors.As(failed, &unknown):
		if certs := failed.UnverifiedCertificates; len(certs) > 0 {
			if leaf := certs[0]; bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
				return errors.New("self-signed: the certificate is issued by itself")
			}
			issuer := certs[len(certs)-1].Issuer.CommonName
			return fmt.Errorf("unknown issuer: no trusted root signed the certificate, the chain ends at %s", quote(issuer))
		}
	}
	return failed.Err
}

// quote makes a name from a certificate safe to show.
func quote(name string) string {
	if len(name) > 100 {
		name = name[:100] + "…"
	}
	return fmt.Sprintf("%q", name)
}

// alerts are the TLS alerts by their names in RFC 8446, section 6, and in the IANA
// registry of TLS alerts.
var alerts = map[uint64]string{
	0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed",
	22: "record_overflow", 30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate",
	42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
	45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
	49: "access_denied", 50: "decode_error", 51: "decrypt_error", 60: "export_restriction",
	70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
	86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation",
	109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable",
	112: "unrecognized_name", 113: "bad_certificate_status_response", 114: "bad_certificate_hash_value",
	115: "unknown_psk_identity", 116: "certificate_required", 120: "no_application_protocol",
	121: "ech_required",
}

// alert names the alert that the server sent, if err is one. crypto/tls keeps the
// type of a received alert to itself, but it is a number.
func alert(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return ""
	}
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return ""
	}
	if name, ok := alerts[v.Uint()]; ok {
		return name
	}
	return fmt.Sprintf("alert_%d", v.Uint())
}
