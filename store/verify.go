package store

import "context"

// Verification is the result of Verify.
type Verification struct {
	Records, Checkpoints, Bodies int64
	Root                         string // base64
	Verifier                     string
	Problems                     []string // empty: the log is whole
}

func Verify(ctx context.Context, path, verifier string, progress func(done, total int64)) (*Verification, error) {
	panic("unwritten")
}
