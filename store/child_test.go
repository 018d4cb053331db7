package store

import (
	"os"
	"syscall"
	"time"
)

const childEnv = "CONSTAT_STORE_TEST_CHILD"

func child() { os.Exit(1) }

// cpuTime is the CPU time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
