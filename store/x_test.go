package store
import ("testing";"time";"syscall";"os")
func checkWhole(t testing.TB, path string) {}
const childEnv = "X"
func child() { os.Exit(1) }
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
