package certs

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// ErrPassphrase means that a key is wrapped and the passphrase given is not its
// own.
var ErrPassphrase = errors.New("wrong passphrase")

// wrappedType is the PEM type of an armored age file
// (https://age-encryption.org/v1, "ASCII armor").
const wrappedType = "AGE ENCRYPTED FILE"

// wrap encrypts a key with a passphrase. work is log2 of scrypt's cost, 0 for
// age's own choice, about a second.
func wrap(der []byte, pass string, work int) (*pem.Block, error) {
	if pass == "" {
		return nil, errors.New("passphrase of the CA is empty")
	}
	to, err := age.NewScryptRecipient(pass)
	if err != nil {
		return nil, fmt.Errorf("wrap CA key: %w", err)
	}
	if work > 0 {
		to.SetWorkFactor(work)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		return nil, fmt.Errorf("wrap CA key: %w", err)
	}
	if _, err := w.Write(der); err != nil {
		return nil, fmt.Errorf("wrap CA key: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("wrap CA key: %w", err)
	}
	return &pem.Block{Type: wrappedType, Bytes: out.Bytes()}, nil
}

func unwrap(path string, data []byte, ask func(bool) (string, error)) ([]byte, error) {
	if ask == nil {
		return nil, fmt.Errorf("%s is wrapped by a passphrase: give it", path)
	}
	pass, err := ask(false)
	if err != nil {
		return nil, fmt.Errorf("ask for the passphrase of %s: %w", path, err)
	}
	id, err := age.NewScryptIdentity(pass)
	if err != nil {
		return nil, fmt.Errorf("unwrap %s: %w", path, ErrPassphrase) // empty
	}
	r, err := age.Decrypt(bytes.NewReader(data), id)
	if _, wrong := errors.AsType[*age.NoIdentityMatchError](err); wrong {
		return nil, fmt.Errorf("unwrap %s: %w", path, ErrPassphrase)
	}
	if err != nil {
		return nil, fmt.Errorf("unwrap %s, which seems damaged: %w", path, err)
	}
	der, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("unwrap %s, which seems damaged: %w", path, err)
	}
	return der, nil
}
