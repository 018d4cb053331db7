package flow

import "context"

// Recorder is where facts go. All methods are safe for concurrent use. An error
// means that the record cannot be kept: whoever gets it must end the transfer
// it belongs to rather than let it pass unrecorded.
type Recorder interface {
	// Begin gives r its ID and notes that it is open, so that it appears as cut
	// off if the process dies before Commit. It does not wait for the disk. It
	// takes a *Connection or an *Exchange, reads it during the call only, and
	// every Begin is followed by one Commit.
	Begin(r Record) error

	// Spill keeps the next chunk of a body that is too large to be held in
	// memory. It blocks while the log cannot keep up, and copies what it needs
	// of chunk before it returns. Body calls it.
	Spill(b *Body, chunk []byte) error

	// Commit adds r to the log and returns once it is durable against the death
	// of this process. r is not changed afterwards.
	Commit(ctx context.Context, r Record) error
}
