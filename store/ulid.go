package store

import (
	"crypto/rand"
	"time"
)

// newULID returns a sortable name of 26 characters that nobody else makes
// (https://github.com/ulid/spec): 48 bits of milliseconds, 80 of chance, in
// Crockford's base 32.
func newULID(now time.Time) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var b [16]byte
	rand.Read(b[6:])
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	// 128 bits are 26 digits of 5 bits with two zero bits in front.
	var out [26]byte
	bits, n := uint(0), uint(2)
	next := 0
	for i := range out {
		for n < 5 {
			bits, n, next = bits<<8|uint(b[next]), n+8, next+1
		}
		n -= 5
		out[i] = alphabet[bits>>n&31]
	}
	return string(out[:])
}
