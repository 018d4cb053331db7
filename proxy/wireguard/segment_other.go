//go:build !linux

package wireguard

import "net"

func canSegment(*net.UDPConn) bool { return false }

func segmentControl(int) []byte { return nil }

func cannotSegment(error) bool { return false }
