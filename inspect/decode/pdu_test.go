package decode

import (
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

// What is random must not pass for a text message: nobody wrote it.
func TestPDURandom(t *testing.T) {
	const blobs = 1_000_000
	r := rand.NewChaCha8([32]byte{1})
	found := 0
	var b [longestPDU]byte
	for range blobs {
		r.Read(b[:])
		if n := 12 + int(r.Uint64()%(longestPDU-12)); isPDU(b[:n]) {
			found++
		}
	}
	if found > 0 {
		t.Errorf("%d of %d random blobs are taken for messages", found, blobs)
	}
}

// No piece of a message is another one, and nothing may stand behind it.
func TestPDUCut(t *testing.T) {
	b, err := hex.DecodeString("07913306091093F0040B913336991821F20000417003800000081E4F37685E06D9DF693AE80F8AE54068D00FB4E16D509BF226B5F101")
	if err != nil {
		t.Fatal(err)
	}
	if !isPDU(b) {
		t.Fatal("a whole message is none")
	}
	for n := 12; n < len(b); n++ {
		if isPDU(b[:n]) {
			t.Errorf("the first %d of %d bytes are a message", n, len(b))
		}
	}
	if isPDU(append(b, 0)) {
		t.Error("a message with a byte behind it is one")
	}
}
