package upstream

// Error says why a request got no response, or why its response broke off.
type Error struct {
	Word string // one of the words of flow.Exchange.Error
	Err  error
}

func (e *Error) Error() string { return e.Word + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
