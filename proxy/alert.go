package proxy

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net"
	"sync"

	"github.com/quic-go/quic-go"
)

// alerts are the names of TLS alerts (RFC 8446 section 6, with those of earlier
// versions and of RFC 7301).
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

// alertTexts maps the words of crypto/tls back to alerts: its errors do not
// give the number away.
var alertTexts = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, len(alerts))
	for code, name := range alerts {
		m[tls.AlertError(code).Error()] = name
	}
	return m
})

// alertName is the name of the alert that the other side sent, empty when err
// is not about one.
func alertName(err error) string {
	// RFC 9001 section 4.8: in QUIC an alert is an error of the connection.
	var te *quic.TransportError
	if errors.As(err, &te) && te.Remote && te.ErrorCode.IsCryptoError() {
		return cmp.Or(alerts[uint8(te.ErrorCode)], "unknown")
	}
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return ""
	}
	if name := alertTexts()[op.Err.Error()]; name != "" {
		return name
	}
	return "unknown"
}

// clearAlert is the name of the alert at the end of what a client sent, empty when
// there is none. OpenSSL sends the one about our certificate in the clear where
// TLS 1.3 has encryption begin, which crypto/tls can only call a bad record.
func clearAlert(tail [7]byte) string {
	if tail[0] != 21 || tail[1] != 3 || tail[3] != 0 || tail[4] != 2 || tail[5] < 1 || tail[5] > 2 {
		return ""
	}
	return alerts[tail[6]]
}

// refusal says in words what an alert means. It does not speak of pinning: no
// alert says that much.
func refusal(alert string) string {
	switch alert {
	case "unknown_ca":
		return "the client does not know the CA: it is not installed, or this app does not take the user's CAs"
	case "bad_certificate", "certificate_unknown", "unsupported_certificate", "certificate_expired", "certificate_revoked":
		return "the client did not accept the certificate (" + alert + ")"
	case "protocol_version", "handshake_failure", "insufficient_security":
		return "the client and the proxy have no TLS version or cipher in common (" + alert + ")"
	}
	return "the client ended the handshake with the alert " + alert
}
