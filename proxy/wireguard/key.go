package wireguard

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// A Key is a public key of Curve25519. Its text is base64, as WireGuard's tools
// write it.
type Key [32]byte

// A Secret is a private key of Curve25519 or a preshared key. Printing it with
// package fmt, in whatever form, shows "(secret)": its text has to be asked for.
// The zero value stands for none.
type Secret [32]byte

// ErrKey says that a text is not 32 bytes in base64.
var ErrKey = errors.New("not a WireGuard key: it must be 44 characters of base64")

// NewPrivateKey makes a private key.
func NewPrivateKey() Secret {
	k := NewPresharedKey()
	// RFC 7748 section 5: decodeScalar25519 sets and clears these bits; keys are
	// stored with them, so that every implementation reads the same number.
	k[0] &= 248
	k[31] = k[31]&127 | 64
	return k
}

// NewPresharedKey makes a key that two peers share beside their own (whitepaper,
// section 5.2): what is recorded today stays closed even to somebody who can
// compute discrete logarithms one day.
func NewPresharedKey() Secret {
	var k Secret
	_, _ = rand.Read(k[:]) // does not fail (crypto/rand)
	return k
}

// Public returns the public key of a private key, the zero Key for the zero Secret.
func (s Secret) Public() Key {
	if s == (Secret{}) {
		return Key{}
	}
	private, err := ecdh.X25519().NewPrivateKey(s[:])
	if err != nil {
		return Key{} // impossible: every 32 bytes are a key
	}
	return Key(private.PublicKey().Bytes())
}

// ParseKey reads a public key from its text.
func ParseKey(text string) (k Key, err error) {
	err = k.UnmarshalText([]byte(text))
	return k, err
}

// String is k in base64.
func (k Key) String() string { return base64.StdEncoding.EncodeToString(k[:]) }

// MarshalText implements encoding.TextMarshaler.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. The error is ErrKey.
func (k *Key) UnmarshalText(text []byte) error { return unmarshalKey((*[32]byte)(k), text) }

// ParseSecret reads a secret from its text.
func ParseSecret(text string) (s Secret, err error) {
	err = s.UnmarshalText([]byte(text))
	return s, err
}

// Format implements fmt.Formatter, for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// String does not show s.
func (s Secret) String() string {
	if s == (Secret{}) {
		return "(none)"
	}
	return "(secret)"
}

// MarshalText implements encoding.TextMarshaler. It is the way to store s.
func (s Secret) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, s[:]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. The error is ErrKey.
func (s *Secret) UnmarshalText(text []byte) error { return unmarshalKey((*[32]byte)(s), text) }

func (k Key) hex() string    { return hex.EncodeToString(k[:]) }
func (s Secret) hex() string { return hex.EncodeToString(s[:]) }

// keyFromHex reads what the device wrote.
func keyFromHex(text string) (k Key) {
	b, _ := hex.DecodeString(text)
	copy(k[:], b)
	return k
}

func unmarshalKey(to *[32]byte, text []byte) error {
	b, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil || len(b) != len(to) || len(text) != base64.StdEncoding.EncodedLen(len(to)) {
		return ErrKey
	}
	copy(to[:], b)
	return nil
}
