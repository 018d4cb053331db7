//go:build unix

package certs

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

func TestPermissionsWhateverTheUmask(t *testing.T) {
	base := t.TempDir()
	for i, umask := range []int{0, 0o022, 0o077, 0o277} {
		dir := filepath.Join(base, "new", strconv.Itoa(i))
		made := filepath.Join(base, "made", strconv.Itoa(i))
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(made, 0o777); err != nil { // empty, so it becomes ours
			t.Fatal(err)
		}
		old := syscall.Umask(umask)
		_, err1 := LoadOrCreate(dir, Options{})
		_, err2 := LoadOrCreate(made, Options{})
		syscall.Umask(old)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		for path, want := range map[string]fs.FileMode{
			dir:                           0o700,
			made:                          0o700,
			filepath.Join(dir, KeyFile):   0o600,
			filepath.Join(dir, CertFile):  0o600,
			filepath.Join(made, KeyFile):  0o600,
			filepath.Join(made, CertFile): 0o600,
		} {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("umask %04o: %s has mode %04o, want %04o", umask, path, got, want)
			}
		}
	}
}
