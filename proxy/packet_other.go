//go:build !unix

package proxy

import "errors"

const canReadSocket = false

func readSocket(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

func again(error) bool { return false }
