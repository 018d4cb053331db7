package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// create makes an empty case at path, which must not exist. It appears there
// complete or not at all.
func create(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new-*")
	if err != nil {
		return fileError("create case", err)
	}
	temp := f.Name()
	defer func() { err = errors.Join(err, removeAll(temp)) }()
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return fileError("create case", err)
	}
	c, err := openConn(dsn(temp, nil))
	if err != nil {
		return err
	}
	err = c.script(pragma("page_size", pageSize) + ";" + pragma("application_id", applicationID))
	if err == nil {
		err = migrate(c, schemaVersion)
	}
	if err := errors.Join(err, c.close()); err != nil {
		return sqlError("create case", err)
	}
	// Link, unlike Rename, never replaces a file that came in between, but not
	// every file system has it; the lock is held anyway.
	err = os.Link(temp, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return fileError("create case", err)
	}
	return nil
}

// removeAll removes a database that nobody has open.
func removeAll(path string) (err error) {
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		if e := os.Remove(path + suffix); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// migrate brings the schema to version, one transaction for each on the way.
func migrate(c *conn, version int64) error {
	at, err := c.integer("PRAGMA user_version")
	if err != nil {
		return err
	}
	for ; at < version; at++ {
		script := "BEGIN IMMEDIATE;" + migrations[at] + ";" + pragma("user_version", int(at)+1) + ";COMMIT"
		if err := c.script(script); err != nil {
			return fmt.Errorf("migrate schema to version %d: %w", at+1, err)
		}
	}
	return nil
}

// checkHeader finds out without SQLite, and so without touching anything,
// whether the file at path is a case that this version can open. The layout is
// that of https://www.sqlite.org/fileformat2.html#the_database_header.
func checkHeader(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fileError("open case", err)
	}
	defer f.Close()
	var head [100]byte
	if _, err := io.ReadFull(f, head[:]); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fileError("open case", err)
	}
	if string(head[:16]) != "SQLite format 3\x00" || binary.BigEndian.Uint32(head[68:]) != applicationID {
		return fmt.Errorf("open %s: %w: choose another name, the file was not touched", path, ErrForeign)
	}
	return checkVersion(path, int64(binary.BigEndian.Uint32(head[60:])))
}

func checkVersion(path string, version int64) error {
	if version > schemaVersion {
		return fmt.Errorf("open %s: %w (schema %d, this is %d): open it with that version, the file was not touched",
			path, ErrNewer, version, schemaVersion)
	}
	return nil
}

// checkWritable refuses files that are marked as read-only, for the superuser
// as well: who marks a case so means it.
func checkWritable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fileError("open case", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("open %s: %w: it is not a regular file", path, ErrForeign)
	}
	if info.Mode().Perm()&0o200 == 0 {
		return fmt.Errorf("open %s: %w: it is marked as read-only; copy it and make the copy writable", path, ErrReadOnly)
	}
	return nil
}

// fileError is sqlError for failures of the operating system.
func fileError(doing string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s: %w: make the file and its folder writable (%w)", doing, ErrReadOnly, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%s: %w: free some space and start again (%w)", doing, ErrFull, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
