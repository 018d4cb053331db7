package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"constat/store"
)

// A running Constat is the only writer of its case. Other commands reach it
// through a Unix socket that only this user can open.

// mark is what "constat mark" asks for.
type mark struct {
	Name    string            `json:"name"` // "" ends the open session
	Factors map[string]string `json:"factors,omitempty"`
	Note    string            `json:"note,omitempty"`
}

// controlPath is the socket of whoever writes the case: short enough for a
// socket address wherever the case is, and the same for every name of it.
func controlPath(caseFile string) (string, error) {
	abs, err := filepath.Abs(caseFile)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	sum := sha256.Sum256([]byte(abs))
	base := os.Getenv("XDG_RUNTIME_DIR")
	if base == "" {
		base = os.TempDir()
	}
	return filepath.Join(base, fmt.Sprintf("constat-%d", os.Getuid()), hex.EncodeToString(sum[:8])+".sock"), nil
}

// listenControl opens the socket. The case's lock is held, so a socket that is
// already there was left behind by a process that died.
func listenControl(caseFile string) (net.Listener, error) {
	path, err := controlPath(caseFile)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// In a shared temporary folder somebody else may have made it first.
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 || !ownedByMe(info) {
		return nil, hint{fmt.Errorf("control socket: %s is not a folder of this user alone", dir), "remove it, or set XDG_RUNTIME_DIR"}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", path)
}

func controlHandler(c *store.Case) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mark", func(w http.ResponseWriter, r *http.Request) {
		var m mark
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := c.Mark(r.Context(), m.Name, m.Factors, m.Note); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return mux
}

// errNotRunning means that no process is writing the case.
var errNotRunning = errors.New("no constat is writing this case")

// askToMark has the process that writes the case set a mark.
func askToMark(ctx context.Context, caseFile string, m mark) error {
	path, err := controlPath(caseFile)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
			if err != nil {
				return nil, errNotRunning
			}
			return conn, nil
		},
	}}
	defer client.CloseIdleConnections()
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://constat/mark", bytes.NewReader(text))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return fmt.Errorf("set mark: %s", bytes.TrimSpace(text))
	}
	return nil
}
