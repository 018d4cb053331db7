package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"constat/inspect/canary"
)

// A persona is kept in a JSON file of its own, and in each case that it was
// planted for.

func readPersona(name string) (*canary.Persona, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := canary.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func inventPersona(locale string) (*canary.Persona, error) {
	p, err := canary.New(rand.Reader, locale)
	if err != nil {
		return nil, usageError{err}
	}
	return p, nil
}

func personaJSON(p *canary.Persona) ([]byte, error) {
	var b bytes.Buffer
	err := p.Write(&b)
	return b.Bytes(), err
}

// fingerprint tells personas apart without giving a value away.
func fingerprint(personaJSON []byte) string {
	sum := sha256.Sum256(personaJSON)
	return hex.EncodeToString(sum[:8])
}

// addValue adds a value that the phone already has. The canary is named after
// its kind, and numbered from the second one on.
func addValue(p *canary.Persona, kind, value string) error {
	name := kind
	for n := 2; p.Get(name) != nil; n++ {
		if p.Get(name).Value == value {
			return nil
		}
		name = fmt.Sprintf("%s-%d", kind, n)
	}
	p.Canaries = append(p.Canaries, canary.Canary{Name: name, Kind: canary.Kind(kind), Value: value})
	return p.Check()
}
