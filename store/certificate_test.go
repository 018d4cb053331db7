package store

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

func TestCertificateMemo(t *testing.T) {
	var m certificateMemo
	der := make([]byte, 8) // not a certificate, which is a fact as well
	for i := range uint64(3 * certificateGeneration) {
		binary.BigEndian.PutUint64(der, i)
		if got, want := m.facts(sha256.Sum256(der), der), certificateJSON(der); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	if n := len(m.new) + len(m.old); n > 2*certificateGeneration {
		t.Errorf("%d are remembered", n)
	}
	m.new[sha256.Sum256(der)] = "seen"
	if got := m.facts(sha256.Sum256(der), der); got != "seen" {
		t.Errorf("it was made again: %s", got)
	}
}
