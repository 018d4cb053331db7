package store

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"
)

func checkWhole(t testing.TB, path string) {
	t.Helper()
	v, err := Verify(context.Background(), path, "", nil)
	if err != nil {
		t.Errorf("verify: %v", err)
		return
	}
	for _, p := range v.Problems {
		t.Errorf("verify: %s", p)
	}
}

const childEnv = "X"

func child() { os.Exit(1) }
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
