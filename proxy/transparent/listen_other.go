//go:build !linux

package transparent

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// Listen is for Linux. Here it returns errors.ErrUnsupported.
func Listen(context.Context, Config) (*Listener, error) {
	return nil, fmt.Errorf("transparent door needs Linux: %w", errors.ErrUnsupported)
}

// receiver is for Linux.
type receiver struct{}

func (*receiver) addr() net.Addr { return nil }
func (*receiver) close() error   { return nil }
