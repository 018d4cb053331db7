package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"constat/proxy/flow"
)

// Error says why a request got no response, or why its response broke off.
type Error struct {
	Word string // one of the words that flow.Exchange.Error starts with
	Err  error  // free of captured content
}

func (e *Error) Error() string { return e.Word + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// errClosed is the cause of what Transport.Close cuts off.
var errClosed = errors.New("the transport is closed")

func bad(word, text string) *Error { return &Error{word, errors.New(text)} }

// given returns the Error for a context that has ended.
func given(ctx context.Context) *Error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		return &Error{flow.ErrTimeout, cause}
	}
	return &Error{flow.ErrClientClosed, cause}
}

// classify returns the Error for what went wrong on an open connection. The end
// of the stream becomes io.ErrUnexpectedEOF.
func classify(err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, os.ErrDeadlineExceeded):
		return bad(flow.ErrTimeout, "the server did not go on in time")
	case errors.Is(err, io.EOF):
		return &Error{flow.ErrServerClosed, io.ErrUnexpectedEOF}
	case errors.Is(err, syscall.ECONNRESET):
		return &Error{flow.ErrServerClosed, syscall.ECONNRESET}
	case errors.Is(err, syscall.EPIPE):
		return &Error{flow.ErrServerClosed, syscall.EPIPE}
	}
	return &Error{flow.ErrServerClosed, err}
}

// dialError returns the Error for a failed dial.
func dialError(ctx context.Context, err error) *Error {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case ctx.Err() != nil:
		return given(ctx)
	case errors.As(err, &dns):
		return &Error{flow.ErrDNS, err}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &Error{flow.ErrTimeout, err}
	}
	return &Error{flow.ErrConnect, err}
}
