// Package store keeps a case: one SQLite file that holds everything one
// investigation recorded, as an append-only log that can be proven.
//
// A record is durable against the death of this process when Commit returns,
// and against the loss of power from the next checkpoint on: the log is synced
// to the disk before a checkpoint is given out. Every record is a leaf of a
// Merkle tree; see package evidence. A failure to write stops the case for
// good, since a record with holes is worse than one that ended: Failed is
// closed and every later call gets ErrStopped.
//
// The package does not inspect anything itself, and does not defend a case
// against somebody who has both the file and the key that signs it.
package store

import (
	"errors"
	"time"
)

// Errors that callers branch on.
var (
	ErrLocked   = errors.New("case is being written by another process")
	ErrForeign  = errors.New("not a case file")
	ErrNewer    = errors.New("case was made by a newer version")
	ErrReadOnly = errors.New("case file cannot be written")
	ErrFull     = errors.New("disk is full")
	ErrOtherKey = errors.New("its checkpoints are signed with another key")
	ErrStopped  = errors.New("case is closed or has failed") // wraps the first failure
	// ErrBehind means that Follow ended before all had its report.
	ErrBehind   = errors.New("not all that was recorded has been inspected")
	ErrNotFound = errors.New("no such record")
)

// Config says how to open a case for writing.
type Config struct {
	Path string
	// KeyFile holds the key that signs checkpoints, 0600, created when absent.
	// It is never inside the case. A case keeps the key it began with.
	KeyFile   string
	Tool      string            // build of the program, recorded with each run
	Settings  map[string]string // how it was started, recorded with each run; no secrets
	BodyLimit int64             // bytes kept of one body; default 256 MiB
	Clock     func() time.Time  // default time.Now
}

const (
	defaultBodyLimit = 256 << 20
	checkpointEvery  = time.Minute // while records come in
)
